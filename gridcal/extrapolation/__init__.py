"""Extrapolation: parameters learnt from the environment at samples, predicted for every pixel."""

from gridcal.extrapolation.encoder import FeatureEncoder
from gridcal.extrapolation.extrapolator import Extrapolator
from gridcal.extrapolation.objective import site_objective
from gridcal.extrapolation.screen import quality_masks, quality_screen
from gridcal.extrapolation.site_series import SiteSeries, site_series
from gridcal.extrapolation.spie import SPIE

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
