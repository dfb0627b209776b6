import re

import pytest

from gridcal.errors import InputError
from gridcal.vocabulary.variables import VARIABLES, variable

LUE_FORCING = {"tas": "degC", "vpd": "kPa", "par": "MJ m-2 d-1", "fapar": "1", "wai": "1", "co2": "ppm", "ci": "1"}
# the CF standard name table
CF = {
    "gpp": "gross_primary_productivity_of_biomass_expressed_as_carbon",
    "npp": "net_primary_productivity_of_biomass_expressed_as_carbon",
    "tas": "air_temperature",
    "tasmin": "air_temperature",
    "tasmax": "air_temperature",
    "vpd": "water_vapor_saturation_deficit_in_air",
    "lai": "leaf_area_index",
    "fapar": "fraction_of_surface_downwelling_photosynthetic_radiative_flux_absorbed_by_vegetation",
    "rsds": "surface_downwelling_shortwave_flux_in_air",
    "rlds": "surface_downwelling_longwave_flux_in_air",
    "par": "surface_downwelling_photosynthetic_radiative_flux_in_air",
    "huss": "specific_humidity",
    "hurs": "relative_humidity",
    "ps": "surface_air_pressure",
    "clt": "cloud_area_fraction",
    "sfcWind": "wind_speed",
    "co2": "mole_fraction_of_carbon_dioxide_in_air",
    "elv": "surface_altitude",
}


def test_forcing_of_the_light_use_efficiency_model():
    assert {n: VARIABLES[n].units for n in LUE_FORCING} == LUE_FORCING
    assert VARIABLES["gpp"].units == "gC m-2 d-1"


@pytest.mark.parametrize(("name", "standard_name"), CF.items())
def test_standard_names(name, standard_name):
    assert VARIABLES[name].standard_name == standard_name


def test_net_exchange_carries_no_downward_standard_name():
    assert VARIABLES["nee"].standard_name is None
    assert VARIABLES["nee"].sign == "to the atmosphere is positive"
    assert "downward" in VARIABLES["nep"].standard_name
    assert VARIABLES["nep"].sign == "uptake is positive"


def test_mass_fractions_of_soil_carry_no_volume_standard_name():
    assert VARIABLES["sand"].standard_name is None


def test_every_entry_is_complete():
    for name, entry in VARIABLES.items():
        assert entry.name == name
        assert entry.long_name
        if entry.kind == "categorical":
            assert entry.valid_range is None
        else:
            low, high = entry.valid_range
            assert low < high
        if entry.standard_name:
            assert re.fullmatch(r"[a-z0-9_]+", entry.standard_name)


def test_carbon_fluxes_say_what_positive_means():
    fluxes = [v for v in VARIABLES.values() if v.units == "gC m-2 d-1" and v.name != "gpp_unc"]
    assert len(fluxes) >= 9
    assert all(v.sign and v.species == "carbon" for v in fluxes)


def test_features_shared_by_sites_and_grid_agree():
    for name in ("ndvi_maximum", "peakvcmax_c3", "kn", "carbon_uptake_efficiency"):
        assert VARIABLES[name].units == VARIABLES[f"bess_{name}"].units


@pytest.mark.parametrize(("wrong", "right"), [("tass", "tas"), ("GPP", "gpp"), ("fpar", "fapar"), ("ndvi_max", "ndvi_maximum")])
def test_an_unknown_name_is_answered_with_the_nearest(wrong, right):
    with pytest.raises(InputError, match=rf"Did you mean .*\b{right}\b"):
        variable(wrong)


def test_entries_are_frozen():
    with pytest.raises(AttributeError):
        variable("tas").units = "K"
