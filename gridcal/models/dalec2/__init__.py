"""DALEC2: daily carbon in six pools, leaves unfolding and falling in pulses of the date (Bloom and Williams 2015)."""

from __future__ import annotations

from gridcal.models.dalec2.day import dalec2, dalec2_model
from gridcal.models.dalec2.parameters import PARAMETERS

__all__ = ["PARAMETERS", "dalec2", "dalec2_model"]
