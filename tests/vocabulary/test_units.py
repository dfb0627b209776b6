import math
import re

import numpy as np
import pytest

from gridcal.errors import InputError
from gridcal.vocabulary.units import _TABLE, conversion, normalise
from gridcal.vocabulary.variables import VARIABLES, variable


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("gC m-2 d-1", "gC m-2 d-1"),  # FLUXNET, GLASS
        ("g C m-2 d-1", "gC m-2 d-1"),
        ("gC/m2/day", "gC m-2 d-1"),
        ("gC m-2 day-1", "gC m-2 d-1"),
        ("kg C/m^2", "kgC m-2"),  # MODIS; a kilogram-coulomb to a general unit library
        ("degrees C", "degC"),  # Daymet; a degree-coulomb
        ("deg C", "degC"),
        ("°C", "degC"),
        ("Celsius", "degC"),
        ("K", "K"),
        ("W/m2", "W m-2"),
        ("W m**-2", "W m-2"),
        ("kg/m2", "kg m-2"),
        ("kg m-2 s-1", "kg m-2 s-1"),
        ("kg.m-2.s-1", "kg m-2 s-1"),
        ("m2 m-2", "m2 m-2"),
        ("m^2 m^-2", "m2 m-2"),
        ("umolCO2 m-2 s-1", "umolCO2 m-2 s-1"),
        ("µmol CO2 m-2 s-1", "umolCO2 m-2 s-1"),
        ("molCO2 m-2 s-1", "molCO2 m-2 s-1"),
        ("mol CO2 m^-2 yr^-1", "molCO2 m-2 yr-1"),
        ("Percent", "%"),  # gridMET
        ("Unitless", "1"),  # MODIS
        ("hPa", "hPa"),
        ("mbar", "hPa"),
        ("mm/day", "mm d-1"),
        ("mm/hr", "mm h-1"),
        ("mm month-1", "mm month-1"),
        ("1e-6", "ppm"),
        ("umol mol-1", "umol mol-1"),
        ("MJ m-2 day-1", "MJ m-2 d-1"),
        ("umol photons m-2 s-1", "umolphoton m-2 s-1"),
        ("days", "d"),
        (" mm   d-1 ", "mm d-1"),
        ("", "1"),  # UDUNITS 2: the empty string is the dimensionless unit
        ("µmolCO2 mol-1", "umolCO2 mol-1"),  # FLUXNET's variable list
        ("g C m⁻² d⁻¹", "gC m-2 d-1"),
        ("W m⁻²", "W m-2"),
        ("µmolPhoton m-2 s-1", "umolphoton m-2 s-1"),  # FLUXNET's variable list
        ("mol mol-1", "mol mol-1"),
    ],
)
def test_strings_met_in_data_sets(written, canonical):
    assert normalise(written) == canonical


@pytest.mark.parametrize(
    "written",
    [
        "foo",
        "F",
        "mJ m-2 d-1",
        "Mm d-1",
        "PA",
        "k",
        "C m-2",
        "K C",
        "gC m-2 fortnight-1",
        "W m",
        "m-2",
        "degC degC",
        "(mm) d-1",
    ],
)
def test_what_is_not_in_the_table_is_an_error(written):
    with pytest.raises(InputError, match="unknown units") as caught:
        normalise(written)
    assert "Declare the true units" in caught.value.repair


def test_the_error_prints_the_nearest_entries():
    with pytest.raises(InputError, match=r"Nearest known units: .*mm d-1"):
        normalise("mm d-2")


def test_eight_day_sums_are_refused():
    with pytest.raises(InputError, match="sum over 8 days"):
        normalise("gC/m2/8d")


def test_canonical_strings_are_fixed_points():
    assert all(normalise(text) == text for text in _TABLE)


@pytest.mark.parametrize(
    ("units", "name", "scale", "offset"),
    [
        ("K", "tas", 1.0, -273.15),
        ("degrees C", "tas", 1.0, 0.0),
        ("mol mol-1", "co2", 1e6, 0.0),  # CMIP's mole fraction
        ("Pa", "vpd", 1e-3, 0.0),
        ("hPa", "vpd", 0.1, 0.0),
        ("kPa", "vap", 1000.0, 0.0),
        ("percent", "clt", 0.01, 0.0),
        ("1", "hurs", 100.0, 0.0),
        ("1", "co2", 1e6, 0.0),
        ("1e-6", "co2", 1.0, 0.0),
        ("g/kg", "huss", 1e-3, 0.0),
        ("MJ m-2 d-1", "rsds", 1e6 / 86400, 0.0),
        ("W m-2", "par", 0.0864, 0.0),
        ("kg m-2 s-1", "pr", 86400.0, 0.0),
        ("m s-1", "pr", 8.64e7, 0.0),
        ("mm h-1", "pr", 24.0, 0.0),
        ("kg m-2", "swe", 1.0, 0.0),
        ("kg m-2 s-1", "gpp", 8.64e7, 0.0),  # CMIP's gross primary productivity, kg of carbon
        ("kgC m-2 s-1", "gpp", 8.64e7, 0.0),
        ("g m-2 d-1", "gpp", 1.0, 0.0),
        ("umol m-2 s-1", "gpp", 12.011 * 0.0864, 0.0),
        ("umolCO2 m-2 s-1", "nee", 12.011 * 0.0864, 0.0),
        ("gCO2 m-2 d-1", "reco", 12.011 / 44.009, 0.0),
        ("umol photon m-2 s-1", "ppfd", 0.0864, 0.0),
        ("mm yr-1", "et", 1 / 365.25, 0.0),
        ("%", "lai", 0.01, 0.0),
    ],
)
def test_conversion_to_the_vocabulary(units, name, scale, offset):
    got = conversion(units, variable(name))
    assert got == (pytest.approx(scale, rel=1e-12), pytest.approx(offset, abs=1e-9))


def test_fluxnet_daily_factor():
    # 1 umol CO2 m-2 s-1 all day is 1.0377 gC m-2 d-1, the slope found between two tower data sets
    assert conversion("umolCO2 m-2 s-1", "gC m-2 d-1")[0] == pytest.approx(1.0377, rel=1e-4)


@pytest.mark.parametrize(
    ("units", "name", "says"),
    [
        ("mm", "pr", "sum over a period is not a rate"),  # gridMET writes mm for a daily sum
        ("kg m-2", "pr", "sum over a period is not a rate"),  # NLDAS, in the hour
        ("J m-2", "rsds", "sum over a period is not a rate"),  # ERA5-Land, accumulated
        ("gC m-2", "gpp", "sum over a period is not a rate"),  # MOD17
        ("mm month-1", "pr", "Months differ in length"),
        ("kPa", "tas", "pressure"),
        ("W m-2", "et", "energy flux"),
        ("gC m-2 d-1", "et", "of carbon"),
        ("umolCO2 m-2 s-1", "ppfd", "of carbon"),
        ("umol photon m-2 s-1", "gpp", "of photon"),
        ("umol m-2 s-1", "pr", "amount flux"),
        ("degrees_north", "fapar", "latitude"),
        ("day of year", "day_length", "day of year"),
    ],
)
def test_another_quantity_is_an_error(units, name, says):
    with pytest.raises(InputError, match=says):
        conversion(units, variable(name))


def test_calendar_months_convert_only_to_themselves():
    assert conversion("mm per calendar month", "mm month-1") == (1.0, 0.0)
    with pytest.raises(InputError, match="days of its month"):
        conversion("mm month-1", "mm d-1")


def test_every_pair_of_one_dimension_goes_there_and_back():
    for a in _TABLE:
        for b in _TABLE:
            if _TABLE[a].dimension != _TABLE[b].dimension or {_TABLE[a].species, _TABLE[b].species} - {
                "",
                _TABLE[a].species,
            }:
                continue
            if _TABLE[a].species and _TABLE[b].species and _TABLE[a].species != _TABLE[b].species:
                continue
            s1, o1 = conversion(a, b)
            s2, o2 = conversion(b, a)
            assert math.isclose(s1 * s2, 1.0, rel_tol=1e-12)
            assert s2 * (s1 * 3.0 + o1) + o2 == pytest.approx(3.0, rel=1e-9)


def test_the_table_agrees_with_a_general_unit_library():
    """Every scale and offset again, from pint's registry: species letters taken off, special units left out."""
    pint = pytest.importorskip("pint")
    registry = pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
    registry.define("percent_ = 0.01")
    registry.define("parts_ = 1e-6")
    registry.define("parts9_ = 1e-9")
    reference = {
        "number": "dimensionless", "temperature": "degC", "pressure": "Pa", "length": "m", "area": "m**2",
        "speed": "m/s",
        "mass per area": "g/m**2", "mass flux": "g/m**2/day", "amount flux": "mol/m**2/day", "energy flux": "W/m**2",
        "energy per area": "J/m**2", "time": "s", "density": "kg/m**3", "amount per mass": "mol/kg",
    }  # fmt: skip
    tokens = {
        "yr": "julian_year",
        "d": "day",
        "h": "hour",
        "%": "percent_",
        "ppm": "parts_",
        "ppb": "parts9_",
        "1": "dimensionless",
    }
    checked = 0
    for text, unit in _TABLE.items():
        if unit.dimension not in reference or "gCO2" in text:
            continue
        plain = re.sub(r"\b(k?g)[CN]\b|(mol)(?:CO2|photon)\b", r"\1\2", text)
        pieces = []
        for word in plain.split():
            name = word.rstrip("0123456789-") if word not in tokens else word
            power = word[len(name) :]
            name = tokens.get(name, name)
            pieces.append(f"{name}**({power})" if power else name)
        for value in (0.0, 7.0):
            theirs = registry.Quantity(value, "*".join(pieces)).to(reference[unit.dimension]).magnitude
            assert unit.scale * value + unit.offset == pytest.approx(theirs, rel=1e-12, abs=1e-12), text
        checked += 1
    assert checked > 55


def test_units_of_the_vocabulary_are_canonical():
    for entry in VARIABLES.values():
        assert conversion(entry.units, entry) == (1.0, 0.0)
        assert normalise(entry.units) == entry.units


def test_identity_conversions_are_exact():
    values = np.array([0.1, 270.7], dtype=np.float32)
    scale, offset = conversion("W/m2", variable("rsds"))
    assert np.array_equal(values * np.float32(scale) + np.float32(offset), values)
