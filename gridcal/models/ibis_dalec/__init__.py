"""IBIS-DALEC: the hourly fluxes of IBIS with the daily carbon pools of DALEC-deciduous, after Ma et al. (2022).

Leaf area follows the foliage pool, so that it varies with the weather of the year; GPP follows leaf area.
"""

from __future__ import annotations

from gridcal.models.ibis_dalec.day import ibis_dalec, ibis_dalec_model
from gridcal.models.ibis_dalec.parameters import PARAMETERS

__all__ = ["PARAMETERS", "ibis_dalec", "ibis_dalec_model"]
