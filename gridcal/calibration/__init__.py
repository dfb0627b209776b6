"""Calibration: methods that fit a model's parameters at one pixel, and the verb that maps them over many."""

from gridcal.calibration.cmaes import CMAES
from gridcal.calibration.masm import MASM
from gridcal.calibration.problem import PixelProblem
from gridcal.calibration.result import PixelResult
from gridcal.calibration.status import Status
from gridcal.calibration.verb import calibrate

__all__ = ["CMAES", "MASM", "PixelProblem", "PixelResult", "Status", "calibrate"]
