"""Calibration: methods that fit a model's parameters at one pixel, and the verb that maps them over many."""

from gridcal.calibration.asktell import AskTell
from gridcal.calibration.cmaes import CMAES
from gridcal.calibration.masm.method import MASM
from gridcal.calibration.mcmc import AdaptiveMCMC
from gridcal.calibration.over_cube import calibrate
from gridcal.calibration.posterior.arviz_export import to_arviz
from gridcal.calibration.problem import PixelProblem
from gridcal.calibration.result import Flag, PixelResult
from gridcal.calibration.status import Status

__all__ = ["CMAES", "MASM", "AdaptiveMCMC", "AskTell", "Flag", "PixelProblem", "PixelResult", "Status", "calibrate", "to_arviz"]
