"""The 13 parameters of the light-use-efficiency model (Bao et al. 2023, Table 1)."""

from __future__ import annotations

from gridcal.process.parameters import Parameter, ParameterTable

_TABLE = "Bao et al. 2023, Table 1 (10.1029/2022MS003464)"
_MID = f"bounds: {_TABLE}; default: middle of the range"
_SITES = f"bounds: {_TABLE}; default: a usual value within them, for first runs"

PARAMETERS = ParameterTable(
    (
        Parameter("eps_max", 2.0, 0.0, 10.0, "gC MJ-1", "maximum light-use efficiency, per MJ of absorbed PAR", _SITES),
        Parameter("Topt", 20.0, 5.0, 35.0, "degC", "optimal temperature", _MID),
        Parameter("kT", 10.5, 1.0, 20.0, "degC", "temperature sensitivity", _MID),
        Parameter("kappa", -0.05, -1e-1, -1e-4, "kPa-1", "sensitivity to vapour pressure deficit", _MID),
        Parameter("Ca0", 365.0, 340.0, 390.0, "ppm", "minimum optimal CO2 concentration", _MID),
        Parameter("Ck", 5.0, 0.0, 10.0, "1", "modulation of the VPD sensitivity by CO2", _MID),
        Parameter("Cm", 2050.0, 100.0, 4000.0, "ppm", "CO2 fertilisation intensity", _MID),
        Parameter("kW", -17.5, -30.0, -5.0, "1", "soil-moisture sensitivity", _MID),
        Parameter("WI", 0.2, 0.01, 0.99, "1", "inflection point of the soil-moisture response", _SITES),
        Parameter("gamma", 0.05, 0.0, 1.0, "MJ-1 m2 d", "light saturation", _SITES),
        Parameter("mu", 0.3, 1e-3, 1.0, "1", "sensitivity to the cloudiness index", _SITES),
        Parameter("aT", 0.45, 0.0, 0.9, "1", "temperature lag (acts in the lag regions)", _MID),
        Parameter("aW", 0.45, 0.0, 0.9, "1", "moisture lag (acts in the lag regions)", _MID),
    )
)
"""Preset ``bao2023``."""

_WIDE = "10.1029/2022MS003464 with the wider VPD bounds and the lower eps_max of the authors' later code"
PARAMETERS_WIDE = ParameterTable(
    tuple(
        Parameter("eps_max", 2.0, 0.0, 7.1, "gC MJ-1", p.description, _WIDE)
        if p.name == "eps_max"
        else Parameter("kappa", -0.05, -1.0, -1e-4, "kPa-1", p.description, _WIDE, scale="log10")
        if p.name == "kappa"
        else p
        for p in PARAMETERS
    )
)
"""Preset ``wide``."""
