"""Calibration: methods that fit a model's parameters at one pixel, and the verb that maps them over many."""

from gridcal.calibrate.cmaes import CMAES
from gridcal.calibrate.masm import MASM
from gridcal.calibrate.problem import PixelProblem
from gridcal.calibrate.result import PixelResult
from gridcal.calibrate.status import Status
from gridcal.calibrate.verb import calibrate

__all__ = ["CMAES", "MASM", "PixelProblem", "PixelResult", "Status", "calibrate"]
