"""Extrapolation: parameters learnt from the environment at samples, predicted for every pixel."""

from gridcal.extrapolation.features.encoder import FeatureEncoder
from gridcal.extrapolation.learners.extrapolator import Extrapolator
from gridcal.extrapolation.quality_screen import quality_masks, quality_screen
from gridcal.extrapolation.spie.learner import SPIE
from gridcal.extrapolation.spie.objective import site_objective
from gridcal.extrapolation.spie.site_series import SiteSeries, site_series

__all__ = [
    "SPIE",
    "Extrapolator",
    "FeatureEncoder",
    "SiteSeries",
    "quality_masks",
    "quality_screen",
    "site_objective",
    "site_series",
]
