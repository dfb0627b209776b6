"""IBIS 2.6 for a temperate deciduous forest: hourly energy, water and carbon of a canopy over soil and snow.

The physics of :mod:`gridcal.models.ibis` follows IBIS 2.6b4 for one plant functional type, cold-deciduous broadleaf trees; the
lower canopy is leafless, though its air level remains. One file holds one process; :mod:`~gridcal.models.ibis.hour` and
:mod:`~gridcal.models.ibis.day` put them in order.
"""

from __future__ import annotations

from gridcal.models.ibis.day import ibis, ibis_model
from gridcal.models.ibis.hour import ibis_hour
from gridcal.models.ibis.parameters import PARAMETERS

__all__ = ["PARAMETERS", "ibis", "ibis_hour", "ibis_model"]
