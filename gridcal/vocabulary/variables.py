"""The vocabulary: every variable gridcal reads or writes, with units, CF standard name, sign and valid range.

Standard names are those of the CF table; where CF has none, or has one of another sign or meaning (net ecosystem
exchange, mass fractions of sand and clay), the entry has none and speaks through its long name.
"""

from __future__ import annotations

import dataclasses
import difflib
from typing import Literal

from gridcal.errors import InputError

Kind = Literal["series", "static", "categorical"]
Species = Literal["carbon", "water", "photon", "nitrogen", ""]


@dataclasses.dataclass(frozen=True)
class Variable:
    """One entry of the vocabulary.

    Parameters
    ----------
    name : str
        Name in cubes, kernels, tables and plots.
    units : str
        Canonical units; data in others are converted when a cube is opened.
    long_name : str
        What it is.
    standard_name : str or None
        CF standard name, where CF has one.
    valid_range : (float, float) or None
        Physically possible values, in `units`.
    kind : {"series", "static", "categorical"}
        Series in time, static number, or class.
    sign : str
        What positive means, for fluxes.
    species : {"carbon", "water", "photon", "nitrogen", ""}
        Substance a mass or amount refers to, which decides conversions between them.
    """

    name: str
    units: str
    long_name: str
    standard_name: str | None = None
    valid_range: tuple[float, float] | None = None
    kind: Kind = "series"
    sign: str = ""
    species: Species = ""


_C = "gC m-2 d-1"
_UP = "to the atmosphere is positive"
_DOWN = "uptake is positive"
_GPP = "gross_primary_productivity_of_biomass_expressed_as_carbon"
_NPP = "net_primary_productivity_of_biomass_expressed_as_carbon"
_RESPIRED = "surface_upward_mass_flux_of_carbon_dioxide_expressed_as_carbon_due_to"
_NEP = (
    "surface_net_downward_mass_flux_of_carbon_dioxide_expressed_as_carbon_due_to_all_land_processes"
    "_excluding_anthropogenic_land_use_change"
)
_VPD = "water_vapor_saturation_deficit_in_air"
_T = "air_temperature"


def _flux(name: str, long_name: str, standard_name: str | None, valid: tuple[float, float], sign: str) -> Variable:
    return Variable(name, _C, long_name, standard_name, valid, sign=sign, species="carbon")


def _static(
    name: str,
    units: str,
    long_name: str,
    valid: tuple[float, float] | None = None,
    standard: str | None = None,
    species: Species = "",
) -> Variable:
    return Variable(name, units, long_name, standard, valid, "static", species=species)


def _class(name: str, long_name: str) -> Variable:
    return Variable(name, "1", long_name, None, None, "categorical")


_METEOROLOGY = (
    Variable("tas", "degC", "air temperature, daily mean", _T, (-70.0, 55.0)),
    Variable("tas_day", "degC", "air temperature, daytime mean", _T, (-70.0, 60.0)),
    Variable("tasmin", "degC", "air temperature, daily minimum", _T, (-80.0, 50.0)),
    Variable("tasmax", "degC", "air temperature, daily maximum", _T, (-65.0, 60.0)),
    Variable("pr", "mm d-1", "precipitation", "lwe_precipitation_rate", (0.0, 700.0), species="water"),
    Variable("vpd", "kPa", "vapour pressure deficit, daily mean", _VPD, (0.0, 12.0)),
    Variable("vpd_day", "kPa", "vapour pressure deficit, daytime mean", _VPD, (0.0, 14.0)),
    Variable("vap", "Pa", "vapour pressure", "water_vapor_partial_pressure_in_air", (0.0, 8000.0)),
    Variable("hurs", "%", "relative humidity", "relative_humidity", (0.0, 110.0)),
    Variable("huss", "kg kg-1", "specific humidity", "specific_humidity", (0.0, 0.06)),
    Variable("ps", "Pa", "surface air pressure", "surface_air_pressure", (4.0e4, 1.1e5)),
    Variable("sfcWind", "m s-1", "wind speed", "wind_speed", (0.0, 60.0)),
    Variable("uas", "m s-1", "eastward wind", "eastward_wind", (-60.0, 60.0)),
    Variable("vas", "m s-1", "northward wind", "northward_wind", (-60.0, 60.0)),
    Variable("rsds", "W m-2", "downwelling shortwave radiation", "surface_downwelling_shortwave_flux_in_air", (0.0, 600.0)),
    Variable("rlds", "W m-2", "downwelling longwave radiation", "surface_downwelling_longwave_flux_in_air", (50.0, 650.0)),
    Variable("rnet", "MJ m-2 d-1", "net radiation", "surface_net_downward_radiative_flux", (-20.0, 35.0)),
    Variable("clt", "1", "cloud fraction", "cloud_area_fraction", (0.0, 1.0)),
    Variable("sunshine", "%", "sunshine, share of the possible", None, (0.0, 100.0)),
    Variable("day_length", "s", "time between sunrise and sunset", None, (0.0, 86400.0)),
    Variable("swe", "mm", "water in the snow pack", "lwe_thickness_of_surface_snow_amount", (0.0, 1.0e4), species="water"),
    Variable("co2", "ppm", "CO2 mole fraction", "mole_fraction_of_carbon_dioxide_in_air", (150.0, 2000.0)),
    Variable("tas_month", "degC", "air temperature, monthly climatology", _T, (-70.0, 55.0)),
    Variable("pr_month", "mm month-1", "precipitation of a calendar month, climatology", None, (0.0, 5000.0)),
)

_LIGHT_AND_WATER = (
    Variable(
        "par",
        "MJ m-2 d-1",
        "photosynthetically active radiation",
        "surface_downwelling_photosynthetic_radiative_flux_in_air",
        (0.0, 25.0),
    ),
    Variable(
        "ppfd",
        "mol m-2 d-1",
        "photosynthetic photon flux",
        "surface_downwelling_photosynthetic_photon_flux_in_air",
        (0.0, 110.0),
        species="photon",
    ),
    Variable(
        "fapar",
        "1",
        "fraction of PAR absorbed by vegetation",
        "fraction_of_surface_downwelling_photosynthetic_radiative_flux_absorbed_by_vegetation",
        (0.0, 1.0),
    ),
    Variable("lai", "m2 m-2", "leaf area index", "leaf_area_index", (0.0, 12.0)),
    Variable("lai_obs", "m2 m-2", "observed leaf area index", "leaf_area_index", (0.0, 12.0)),
    Variable("lai_evi_obs", "m2 m-2", "leaf area index observed by a vegetation index", "leaf_area_index", (0.0, 12.0)),
    Variable("evi", "1", "enhanced vegetation index", None, (-1.0, 1.5)),
    Variable("ndvi", "1", "normalised difference vegetation index", "normalized_difference_vegetation_index", (-1.0, 1.0)),
    Variable("wai", "1", "water availability index, filled share of the root zone's capacity", None, (0.0, 1.0)),
    Variable("wsoil", "mm", "soil water", "lwe_thickness_of_soil_moisture_content", (0.0, 2000.0), species="water"),
    Variable("ci", "1", "cloudiness index, 1 - shortwave over top-of-atmosphere radiation", None, (0.0, 1.0)),
    Variable("et", "mm d-1", "evapotranspiration", "lwe_water_evaporation_rate", (-5.0, 25.0), sign=_UP, species="water"),
    Variable(
        "et_obs",
        "mm d-1",
        "observed evapotranspiration",
        "lwe_water_evaporation_rate",
        (-5.0, 25.0),
        sign=_UP,
        species="water",
    ),
    Variable(
        "et_val",
        "mm d-1",
        "evapotranspiration, withheld for evaluation",
        "lwe_water_evaporation_rate",
        (-5.0, 25.0),
        sign=_UP,
        species="water",
    ),
)

_CARBON = (
    _flux("gpp", "gross primary production", _GPP, (-10.0, 50.0), _DOWN),
    _flux("gpp_obs", "observed gross primary production", _GPP, (-10.0, 50.0), _DOWN),
    _flux("gpp_val", "gross primary production, withheld for evaluation", _GPP, (-10.0, 50.0), _DOWN),
    _flux("gpp_unc", "uncertainty of gross primary production", None, (0.0, 50.0), ""),
    _flux("npp", "net primary production", _NPP, (-30.0, 40.0), _DOWN),
    _flux("nee", "net ecosystem exchange", None, (-50.0, 50.0), _UP),
    _flux("nee_obs", "observed net ecosystem exchange", None, (-50.0, 50.0), _UP),
    _flux("nee_val", "net ecosystem exchange, withheld for evaluation", None, (-50.0, 50.0), _UP),
    _flux("nep", "net ecosystem production, minus net ecosystem exchange", _NEP, (-50.0, 50.0), _DOWN),
    _flux("nbe", "net biosphere exchange, fire included", None, (-50.0, 50.0), _UP),
    _flux("reco", "ecosystem respiration, plants and soil", None, (-10.0, 60.0), _UP),
    _flux("reco_obs", "observed ecosystem respiration", None, (-10.0, 60.0), _UP),
    _flux("ra", "autotrophic respiration", f"{_RESPIRED}_plant_respiration", (-10.0, 50.0), _UP),
    _flux("rh", "heterotrophic respiration", f"{_RESPIRED}_heterotrophic_respiration", (-10.0, 50.0), _UP),
    Variable("abgb", "gC m-2", "biomass above and below ground", None, (0.0, 1.0e5), species="carbon"),
)  # fmt: skip

_CALENDAR = (
    Variable("doy", "1", "day of the year, 1 to 366; from the dates where a cube lacks it", None, (1.0, 366.0)),
    Variable("year_length", "d", "days in the year; from the dates where a cube lacks it", None, (360.0, 366.0)),
    Variable("day", "d", "days since 1970-01-01; from the dates where a cube lacks it", None, (-1.0e5, 1.0e5)),
)

_CLASSES = (
    _class("koeppen", "Koeppen-Geiger class"),
    _class("igbp", "IGBP land cover class"),
    _class("igbp_fluxnet", "IGBP land cover class of FLUXNET2015"),
    _class("mcd12c1_igbp2019", "IGBP land cover class of MCD12C1, 2019"),
    _class("c3c4", "photosynthetic pathway"),
    _class("cov_type", "vegetation cover class"),
    _class("soil_type", "soil class"),
    _class("gpp_source", "origin of gpp"),
    _class("rsds_source", "origin of rsds"),
    _class("ta_source", "origin of tas"),
    _class("fapar_source", "origin of fapar"),
    _class("filled", "1 where a day was absent at the source"),
)

_PLACE = (
    _static("elv", "m", "elevation", (-450.0, 9000.0), "surface_altitude"),
    _static("area", "km2", "area", (0.0, 1.0e7), "cell_area"),
    _static("utc_offset", "h", "hours that the clock of the records is ahead of UTC", (-12.0, 14.0)),
    _static("mat", "degC", "mean annual temperature", (-60.0, 40.0)),
    _static("p_over_pet", "1", "precipitation over potential evapotranspiration", (0.0, 20.0)),
    _static("field_capacity", "mm", "plant-available water the root zone holds", (0.0, 3000.0), species="water"),
    _static("whc", "mm", "root-zone water holding capacity", (0.0, 3000.0), species="water"),
    _static("sand", "%", "sand, share of the fine earth's mass", (0.0, 100.0)),
    _static("clay", "%", "clay, share of the fine earth's mass", (0.0, 100.0)),
    _static("leaf_nitrogen", "g m-2", "nitrogen of leaves, per leaf area", (0.1, 15.0), species="nitrogen"),
    _static("lag_temperature", "1", "1 where the temperature lag acts", (0.0, 1.0)),
    _static("lag_moisture", "1", "1 where the moisture lag acts", (0.0, 1.0)),
)

_TEMPERATURE_BIO = {
    "bio1": "annual mean temperature", "bio5": "maximum temperature of the warmest month",
    "bio6": "minimum temperature of the coldest month", "bio8": "mean temperature of the wettest quarter",
    "bio9": "mean temperature of the driest quarter", "bio10": "mean temperature of the warmest quarter",
    "bio11": "mean temperature of the coldest quarter",
}  # fmt: skip
_RAIN_BIO = {
    "bio12": "annual precipitation", "bio13": "precipitation of the wettest month",
    "bio14": "precipitation of the driest month",
    "bio16": "precipitation of the wettest quarter", "bio17": "precipitation of the driest quarter",
    "bio18": "precipitation of the warmest quarter", "bio19": "precipitation of the coldest quarter",
}  # fmt: skip
_CLIMATE = (
    *(_static(n, "degC", text, (-70.0, 60.0)) for n, text in _TEMPERATURE_BIO.items()),
    *(_static(n, "mm", text, (0.0, 15000.0), species="water") for n, text in _RAIN_BIO.items()),
    # ranges of temperature: "K" would subtract 273.15, so they are plain numbers in kelvin steps
    _static("bio2", "1", "mean daily range of temperature, in degrees", (0.0, 40.0)),
    _static("bio3", "1", "isothermality, 100 bio2 / bio7", (0.0, 100.0)),
    _static("bio4", "1", "temperature seasonality, 100 times the standard deviation of months", (0.0, 2500.0)),
    _static("bio7", "1", "annual range of temperature, in degrees", (0.0, 90.0)),
    _static("bio15", "1", "precipitation seasonality, 100 sd / (1 + mean) of months", (0.0, 300.0)),
    _static("sunshine_pct", "%", "annual mean sunshine, share of the possible", (0.0, 100.0)),
)

_PHYSIOLOGY = (
    ("ndvi_maximum", "1", "largest NDVI of the year", (-1.0, 1.0)),
    ("ndvi_minimum", "1", "smallest NDVI of the year", (-1.0, 1.0)),
    ("peakvcmax_c3", "umol m-2 s-1", "peak carboxylation capacity at 25 degC, C3", (0.0, 300.0)),
    ("peakvcmax_c4", "umol m-2 s-1", "peak carboxylation capacity at 25 degC, C4", (0.0, 300.0)),
    ("ball_berry_slope_c3", "1", "Ball-Berry slope, C3", (0.0, 30.0)),
    ("ball_berry_intercept_c3", "mol m-2 s-1", "Ball-Berry intercept, C3", (0.0, 0.2)),
    ("c4_fraction", "%", "share of C4 plants", (0.0, 100.0)),
    ("kn", "1", "extinction coefficient of nitrogen in the canopy", (0.0, 2.0)),
    ("carbon_uptake_efficiency", "1", "quantum yield of carbon uptake", (0.0, 0.2)),
)
_VEGETATION = (
    *(_static(n, units, text, valid) for n, units, text, valid in _PHYSIOLOGY),
    *(_static(f"bess_{n}", units, f"{text} (BESS)", valid) for n, units, text, valid in _PHYSIOLOGY),
)

_INDEX_STATISTICS = (
    ("mean", "1", "mean", (-0.5, 1.0)),
    ("sd", "1", "standard deviation", (0.0, 0.6)),
    ("p05", "1", "5th percentile", (-0.5, 1.0)),
    ("p95", "1", "95th percentile", (-0.5, 1.0)),
    ("amp", "1", "seasonal amplitude", (0.0, 1.5)),
    ("iav", "1", "standard deviation of annual means", (0.0, 0.5)),
    ("doymax", "day of year", "day of the maximum", (1.0, 366.0)),
    ("gsl", "d", "length of the growing season", (0.0, 366.0)),
)
_GREENNESS = tuple(
    _static(f"{index}_{suffix}", units, f"{index}: {text}", valid)
    for index in ("evi", "fapar")
    for suffix, units, text, valid in _INDEX_STATISTICS
)

_SOIL = (
    *(
        _static(f"hwsd_t_{n}", units, f"topsoil {text} (HWSD)", valid)
        for n, units, text, valid in (
            ("clay", "%", "clay, mass", (0.0, 100.0)),
            ("silt", "%", "silt, mass", (0.0, 100.0)),
            ("sand", "%", "sand, mass", (0.0, 100.0)),
            ("gravel", "%", "gravel, volume", (0.0, 100.0)),
            ("bulk_density", "kg dm-3", "bulk density", (0.05, 2.5)),
            ("ph_h2o", "1", "pH in water", (2.0, 11.0)),
            ("oc", "%", "organic carbon, mass", (0.0, 60.0)),
            ("cec_soil", "cmol kg-1", "cation exchange capacity", (0.0, 200.0)),
            ("bs", "%", "base saturation", (0.0, 100.0)),
        )
    ),
)

VARIABLES: dict[str, Variable] = {
    v.name: v
    for group in (
        _METEOROLOGY, _LIGHT_AND_WATER, _CARBON, _CALENDAR, _CLASSES, _PLACE, _CLIMATE, _VEGETATION, _GREENNESS, _SOIL,
    )
    for v in group
}  # fmt: skip
"""The vocabulary by name."""


def variable(name: str) -> Variable:
    """Return the vocabulary's entry of that name.

    Raises
    ------
    InputError
        If there is none; the message names the nearest.

    Examples
    --------
    >>> variable("tas").units
    'degC'
    """
    if name in VARIABLES:
        return VARIABLES[name]
    near = difflib.get_close_matches(name, VARIABLES, n=3) or [n for n in VARIABLES if n.lower() == name.lower()]
    hint = f"Did you mean {' or '.join(near)}?" if near else "gridcal.vocabulary.variables.VARIABLES holds all names"
    raise InputError(f"{name!r} is not a variable of the vocabulary", hint)
