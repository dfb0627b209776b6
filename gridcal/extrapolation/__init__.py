"""Extrapolation: parameters learnt from the environment at samples, predicted for every pixel."""

from gridcal.extrapolation.encoder import FeatureEncoder
from gridcal.extrapolation.extrapolator import Extrapolator
from gridcal.extrapolation.screen import quality_masks, quality_screen

__all__ = ["Extrapolator", "FeatureEncoder", "quality_masks", "quality_screen"]
