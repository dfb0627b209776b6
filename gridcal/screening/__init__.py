"""Screening: which parameters matter for which output, before anything is calibrated."""

from gridcal.screening.morris import Morris
from gridcal.screening.over_cube import screen
from gridcal.screening.recommendation import Recommendation, normalised, recommend

__all__ = ["Morris", "Recommendation", "normalised", "recommend", "screen"]
