"""The 33 parameters of Ma et al. (2022), Table 2: 20 of IBIS, 13 of DALEC."""

from __future__ import annotations

from gridcal.models.dalec.parameters import PARAMETERS as DALEC
from gridcal.models.ibis.parameters import PARAMETERS as IBIS
from gridcal.process.parameters import ParameterTable

FITTED_DALEC = ("p2", "p3", "p5", "p10", "p12", "p13", "p14", "p15", "p16", "p17", "p18", "p19", "p20")
FIXED_DALEC = ("p1", "p4", "p6", "p7", "p8", "p9")
"""Parameters that Table 2 leaves out; site constants here, at the values of REFLEX."""

PARAMETERS = ParameterTable((*IBIS, *DALEC.select(FITTED_DALEC)))
"""Table 2 in its order."""
