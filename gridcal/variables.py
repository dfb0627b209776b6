"""The vocabulary: every variable gridcal reads or writes, with units, CF standard name, sign and valid range."""

from __future__ import annotations

import dataclasses
import difflib
from typing import Literal

from gridcal.errors import InputError

Kind = Literal["series", "static", "categorical"]


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
        Daily series, static number, or class.
    sign : str
        What positive means, for fluxes.
    species : {"carbon", "water", ""}
        Substance a mass or amount refers to, which decides conversions between them.
    """

    name: str
    units: str
    long_name: str
    standard_name: str | None = None
    valid_range: tuple[float, float] | None = None
    kind: Kind = "series"
    sign: str = ""
    species: Literal["carbon", "water", ""] = ""


_C = "gC m-2 d-1"
_ENTRIES = (
    Variable("tas", "degC", "air temperature, daily mean", "air_temperature", (-70.0, 55.0)),
    Variable("tas_day", "degC", "air temperature, daytime mean", "air_temperature", (-70.0, 60.0)),
    Variable("tasmin", "degC", "air temperature, daily minimum", "air_temperature", (-80.0, 50.0)),
    Variable("tasmax", "degC", "air temperature, daily maximum", "air_temperature", (-65.0, 60.0)),
    Variable("pr", "mm d-1", "precipitation", "lwe_precipitation_rate", (0.0, 700.0), species="water"),
    Variable("vpd", "kPa", "vapour pressure deficit, daily mean", "water_vapor_saturation_deficit_in_air", (0.0, 12.0)),
    Variable("vpd_day", "kPa", "vapour pressure deficit, daytime mean", "water_vapor_saturation_deficit_in_air", (0.0, 14.0)),
    Variable("vap", "Pa", "vapour pressure", "water_vapor_partial_pressure_in_air", (0.0, 8000.0)),
    Variable("hurs", "%", "relative humidity", "relative_humidity", (0.0, 110.0)),
    Variable("huss", "kg kg-1", "specific humidity", "specific_humidity", (0.0, 0.06)),
    Variable("ps", "Pa", "surface air pressure", "surface_air_pressure", (4.0e4, 1.1e5)),
    Variable("sfcWind", "m s-1", "wind speed", "wind_speed", (0.0, 60.0)),
    Variable("rsds", "W m-2", "downwelling shortwave radiation", "surface_downwelling_shortwave_flux_in_air", (0.0, 600.0)),
    Variable("rlds", "W m-2", "downwelling longwave radiation", "surface_downwelling_longwave_flux_in_air", (50.0, 650.0)),
    Variable("rnet", "MJ m-2 d-1", "net radiation", "surface_net_downward_radiative_flux", (-20.0, 35.0)),
    Variable("clt", "1", "cloud fraction", "cloud_area_fraction", (0.0, 1.0)),
    Variable("sunshine_pct", "%", "sunshine, share of the possible", None, (0.0, 100.0), "static"),
    Variable("par", "MJ m-2 d-1", "photosynthetically active radiation",
             "surface_downwelling_photosynthetic_radiative_flux_in_air", (0.0, 25.0)),
    Variable("ppfd", "mol m-2 d-1", "photosynthetic photon flux",
             "surface_downwelling_photosynthetic_photon_flux_in_air", (0.0, 110.0)),
    Variable("fapar", "1", "fraction of PAR absorbed by vegetation",
             "fraction_of_surface_downwelling_photosynthetic_radiative_flux_absorbed_by_vegetation", (0.0, 1.0)),
    Variable("lai", "m2 m-2", "leaf area index", "leaf_area_index", (0.0, 12.0)),
    Variable("evi", "1", "enhanced vegetation index", None, (-1.0, 1.5)),
    Variable("ndvi", "1", "normalised difference vegetation index", "normalized_difference_vegetation_index", (-1.0, 1.0)),
    Variable("wai", "1", "water availability index, filled share of the root zone's capacity", None, (0.0, 1.0)),
    Variable("wsoil", "mm", "soil water", "lwe_thickness_of_soil_moisture_content", (0.0, 2000.0), species="water"),
    Variable("co2", "ppm", "CO2 mole fraction", "mole_fraction_of_carbon_dioxide_in_air", (150.0, 2000.0)),
    Variable("ci", "1", "cloudiness index, 1 - shortwave over top-of-atmosphere radiation", None, (0.0, 1.0)),
    Variable("gpp", _C, "gross primary production",
             "gross_primary_productivity_of_biomass_expressed_as_carbon", (-10.0, 50.0), sign="uptake is positive",
             species="carbon"),
    Variable("gpp_obs", _C, "observed gross primary production",
             "gross_primary_productivity_of_biomass_expressed_as_carbon", (-10.0, 50.0), sign="uptake is positive",
             species="carbon"),
    Variable("gpp_unc", _C, "uncertainty of gross primary production", None, (0.0, 50.0), species="carbon"),
    Variable("nee", _C, "net ecosystem exchange",
             None,
             (-50.0, 50.0), sign="to the atmosphere is positive", species="carbon"),
    Variable("reco", _C, "ecosystem respiration", None, (-10.0, 60.0),
             sign="to the atmosphere is positive", species="carbon"),
    Variable("et", "mm d-1", "evapotranspiration", "lwe_water_evaporation_rate", (-5.0, 25.0), species="water",
             sign="to the atmosphere is positive"),
    Variable("elv", "m", "elevation", "surface_altitude", (-450.0, 9000.0), "static"),
    Variable("field_capacity", "mm", "water held at field capacity", None, (0.0, 3000.0), "static", species="water"),
    Variable("whc", "mm", "water holding capacity", None, (0.0, 3000.0), "static", species="water"),
    Variable("ndvi_maximum", "1", "largest NDVI of the year", None, (-1.0, 1.0), "static"),
    Variable("ndvi_minimum", "1", "smallest NDVI of the year", None, (-1.0, 1.0), "static"),
    Variable("koeppen", "1", "Koeppen-Geiger class", None, None, "categorical"),
    Variable("igbp", "1", "IGBP land cover class", None, None, "categorical"),
    Variable("lag_temperature", "1", "1 where the temperature lag acts", None, (0.0, 1.0), "static"),
    Variable("lag_moisture", "1", "1 where the moisture lag acts", None, (0.0, 1.0), "static"),
    Variable("bio1", "degC", "annual mean temperature", None, (-60.0, 40.0), "static"),
    Variable("bio4", "1", "temperature seasonality", None, (0.0, 2500.0), "static"),
    Variable("bio12", "mm", "annual precipitation", None, (0.0, 12000.0), "static"),
)  # fmt: skip

VARIABLES: dict[str, Variable] = {v.name: v for v in _ENTRIES}


def variable(name: str) -> Variable:
    """The vocabulary's entry of that name.

    Raises
    ------
    InputError
        If there is none; the message names the nearest.
    """
    if name in VARIABLES:
        return VARIABLES[name]
    near = difflib.get_close_matches(name, VARIABLES, n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else "See gridcal.variables.VARIABLES"
    raise InputError(f"{name!r} is not a variable of the vocabulary", hint)
