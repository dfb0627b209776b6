"""The 20 parameters of DALEC-deciduous, with the defaults and bounds of Ma et al. where they print them, else of REFLEX."""

from __future__ import annotations

import dataclasses

from gridcal.process.parameters import Parameter, ParameterTable

_T = "Ma et al. 2022, Table 2"
_R = "REFLEX synthetic deciduous forest (Fox et al. 2009)"
_TR = f"{_T}; bounds and default are those of {_R}"

PARAMETERS = ParameterTable(
    (
        Parameter("p1", 5e-4, 1e-6, 0.01, "d-1", "decomposition of litter to soil organic matter, at Trate = 1", _R),
        Parameter("p2", 0.45, 0.2, 0.7, "1", "share of GPP respired by plants", _TR),
        Parameter("p3", 0.4, 0.01, 0.5, "1", "share of net production that goes to foliage while it grows", _TR),
        Parameter("p4", 0.4, 0.01, 0.5, "1", "share of the remaining net production that goes to fine roots", _R),
        Parameter("p5", 0.06, 1e-4, 0.1, "d-1", "turnover of foliage while leaves fall", _TR),
        Parameter("p6", 7e-5, 1e-6, 0.01, "d-1", "turnover of wood", _R),
        Parameter("p7", 8e-3, 1e-4, 0.01, "d-1", "turnover of fine roots", _R),
        Parameter("p8", 3e-2, 1e-5, 0.1, "d-1", "mineralisation of litter, at Trate = 1", _R),
        Parameter("p9", 3e-5, 1e-6, 0.01, "d-1", "mineralisation of soil organic matter, at Trate = 1", _R),
        Parameter("p10", 0.073, 0.05, 0.2, "degC-1", "exponent of the temperature response", _TR),
        Parameter("p11", 14.0, 5.0, 20.0, "g g-1 d-1", "nitrogen-use efficiency, carbon per leaf nitrogen (ACM)", _R),
        Parameter("p12", 240.0, 200.0, 400.0, "degC d", "growing degree days that open the buds", _TR),
        Parameter("p13", 9.0, 8.0, 15.0, "degC", "daily minimum temperature that makes leaves fall", _TR),
        Parameter("p14", 0.48, 0.1, 0.7, "1", "share of the carbon of falling leaves that goes to litter", _TR),
        Parameter(
            "p15", 0.09, 1e-4, 0.2, "d-1", "turnover of labile carbon at leaf-out, at Trate = 1", f"{_T} (REFLEX: up to 0.1)"
        ),
        Parameter("p16", 0.15, 0.01, 0.5, "1", "share of labile transfers that is respired", _TR),
        Parameter("p17", 300.0, 100.0, 500.0, "gC m-2", "largest foliage carbon", _TR),
        Parameter("p18", 60.0, 10.0, 200.0, "gC m-2", "leaf carbon mass per area", f"{_T}; a site constant in REFLEX"),
        Parameter(
            "p19", 100.0, 80.0, 120.0, "d", "last day of year on which degree days start anew", f"{_T}; 100 in REFLEX's code"
        ),
        Parameter(
            "p20", 270.0, 200.0, 365.0, "d", "day of year from which cold makes leaves fall", f"{_T}; 200 in REFLEX's code"
        ),
    )
)  # fmt: skip
"""p1 to p20; p18 is carbon, not dry mass."""

PARAMETERS_GIVEN = ParameterTable(tuple(dataclasses.replace(p, inert=p.name == "p11") for p in PARAMETERS))
"""The same where GPP is given: p11 acts on ACM alone."""
