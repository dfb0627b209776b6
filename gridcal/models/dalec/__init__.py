"""DALEC-deciduous: daily carbon of a deciduous forest in six pools (foliage, wood, fine roots, labile, litter, soil).

One file holds one idea; :mod:`~gridcal.models.dalec.day` puts the processes in order. They read the day's GPP as ``G``, so
that any model of photosynthesis can drive them.
"""

from __future__ import annotations

from gridcal.models.dalec.day import dalec, dalec_model
from gridcal.models.dalec.parameters import PARAMETERS

__all__ = ["PARAMETERS", "dalec", "dalec_model"]
