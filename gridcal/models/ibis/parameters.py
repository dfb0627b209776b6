"""The 20 parameters of IBIS that Ma et al. calibrate (their Table 2), with notes where the printed description slips."""

from __future__ import annotations

from gridcal.process.parameters import Parameter, ParameterTable

_T = "Ma et al. 2022, Table 2"
_YEAR = f"{_T}, which prints s-1; the program's unit is yr-1"
_CONIFER = f"{_T}; default of IBIS 2.6 for conifers (deciduous trees: "

PARAMETERS = ParameterTable(
    (
        Parameter("alpha3", 0.06, 0.05, 0.09, "1", "quantum efficiency of C3 photosynthesis, mol CO2 per mol photons", _T),
        Parameter("theta3", 0.97, 0.6, 0.996, "1", "co-limitation of light and Rubisco", _T),
        Parameter("beta3", 0.99, 0.6, 0.996, "1", "co-limitation with sucrose synthesis", _T),
        Parameter(
            "gammaub", 0.015, 0.0075, 0.0225, "1", "leaf dark respiration over Vmax",
            f"{_T}, which calls it quantum efficiency; in the program it multiplies Vmax to give dark respiration",
        ),
        Parameter("coefmub", 10.0, 8.0, 15.0, "1", "slope of the Ball-Berry relation", _T),
        Parameter(
            "coefbub", 0.01, 0.005, 0.015, "mol m-2 s-1", "intercept of the Ball-Berry relation, multiplied by water stress", _T
        ),
        Parameter(
            "vmax", 3.0e-5, 2.0e-5, 8.0e-5, "mol m-2 s-1", "maximum carboxylation rate at 15 degC (1.5 times that at 25)", _T
        ),
        Parameter("specla", 12.5, 10.0, 20.0, "m2 kg-1", "specific leaf area, per kg of carbon", f"{_CONIFER}25)"),
        Parameter("tauleaf", 2.0, 0.05, 5.0, "yr", "turnover time of leaves", f"{_CONIFER}1)"),
        Parameter("tauroot", 1.0, 0.05, 1.5, "yr", "turnover time of fine roots", _T),
        Parameter("tauwood0", 50.0, 25.0, 75.0, "yr", "turnover time of wood", _T),
        Parameter("aleaf", 0.3, 0.15, 0.45, "1", "share of production allocated to leaves", _T),
        Parameter("aroot", 0.2, 0.05, 0.35, "1", "share of production allocated to fine roots", _T),
        Parameter(
            "tempvm", 3500.0, 3000.0, 4000.0, "K", "exponent of Vmax's temperature response",
            f"{_T}, whose description takes it for Vmax itself",
        ),
        Parameter("rgrowth", 0.3, 0.1, 0.5, "1", "growth respiration over the positive carbon balance of an hour", _T),
        Parameter("rroot", 1.25, 0.625, 2.5, "yr-1", "maintenance respiration of fine roots at 15 degC", _YEAR),
        Parameter(
            "rwood", 0.0125, 0.00625, 0.2, "yr-1", "maintenance respiration of sapwood at 15 degC",
            f"{_YEAR}; the upper bound is 16 times the default, likely a slip for 0.025, and kept as printed",
        ),
        Parameter(
            "beta1", 0.95, 0.75, 0.99, "1", "depth distribution of roots of the lower canopy; under trees alone only in root "
            "respiration's temperature", _T,
        ),
        Parameter("beta2", 0.975, 0.75, 0.99, "1", "depth distribution of tree roots", _T),
        Parameter("stressfac", -5.0, -6.5, -3.5, "1", "curvature of the water-stress response", _T),
    )
)  # fmt: skip
"""Table 2, IBIS part."""
