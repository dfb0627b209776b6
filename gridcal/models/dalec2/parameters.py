"""The 23 parameters of DALEC2: 17 of the model and six pools of its first day."""

from __future__ import annotations

import dataclasses

from gridcal.process.parameters import Parameter, ParameterTable

_C = "CARDAMOM 2.2, model 400 (bounds); default: a usual value of a deciduous forest"


def _log(name: str, default: float, lower: float, upper: float, units: str, text: str) -> Parameter:
    return Parameter(name, default, lower, upper, units, text, _C, scale="log10")


PARAMETERS = ParameterTable(
    (
        _log("p1", 1e-3, 1e-5, 0.01, "d-1", "decomposition of litter to soil organic matter, at 0 degC"),
        Parameter("p2", 0.45, 0.2, 0.8, "1", "share of GPP respired by plants", _C),
        Parameter("p3", 0.25, 0.01, 0.5, "1", "share of net production that goes to foliage at once", _C),
        Parameter("p4", 0.5, 0.01, 1.0, "1", "share of what foliage and labile carbon leave that goes to fine roots", _C),
        Parameter("p5", 1.1, 1.001, 8.0, "yr", "leaf lifespan", _C),
        _log("p6", 1e-4, 2.5e-5, 1e-3, "d-1", "turnover of wood"),
        _log("p7", 5e-3, 1e-4, 0.01, "d-1", "turnover of fine roots"),
        _log("p8", 5e-3, 1e-4, 0.01, "d-1", "mineralisation of litter, at 0 degC"),
        _log("p9", 3e-5, 1e-7, 1e-3, "d-1", "mineralisation of soil organic matter, at 0 degC"),
        Parameter("p10", 0.05, 0.018, 0.08, "degC-1", "exponent of the temperature response", _C),
        Parameter("p11", 18.0, 5.0, 50.0, "gC m-2 d-1", "canopy efficiency (ACM)", _C),
        Parameter("p12", 490.25, 365.25, 1461.0, "d", "day of the strongest leaf-out, from 0 January of any year", _C),
        Parameter("p13", 0.3, 0.01, 0.5, "1", "share of the remaining net production that goes to labile carbon", _C),
        Parameter("p14", 30.0, 10.0, 100.0, "d", "duration of leaf-out", _C),
        Parameter("p15", 650.25, 365.25, 1461.0, "d", "day of the strongest leaf fall, from 0 January of any year", _C),
        Parameter("p16", 45.0, 20.0, 150.0, "d", "duration of leaf fall", _C),
        Parameter("p17", 60.0, 5.0, 200.0, "gC m-2", "leaf carbon mass per area", _C),
        _log("p18", 100.0, 1.0, 2000.0, "gC m-2", "labile carbon on the first day"),
        _log("p19", 20.0, 1.0, 2000.0, "gC m-2", "foliage on the first day"),
        _log("p20", 100.0, 1.0, 2000.0, "gC m-2", "fine roots on the first day"),
        _log("p21", 8000.0, 1.0, 1e5, "gC m-2", "wood on the first day"),
        _log("p22", 80.0, 1.0, 2000.0, "gC m-2", "litter on the first day"),
        _log("p23", 1e4, 1.0, 2e5, "gC m-2", "soil organic matter and woody debris on the first day"),
    )
)

PARAMETERS_GIVEN = ParameterTable(tuple(dataclasses.replace(p, inert=p.name == "p11") for p in PARAMETERS))
"""The same where GPP is given: p11 acts on ACM alone."""
