"""Screening: which parameters matter for which output, before anything is calibrated."""

from gridcal.screening.morris import Morris
from gridcal.screening.recommendation import Recommendation, normalised, recommend
from gridcal.screening.verb import screen

__all__ = ["Morris", "Recommendation", "normalised", "recommend", "screen"]
