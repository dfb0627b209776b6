"""Numbers that are taken together have one unit: factors from UDUNITS and arithmetic."""

import warnings

import pytest

from gridcal.errors import InputError
from gridcal.vocabulary.agreed_units import UnitsWarning, to_agree


@pytest.mark.parametrize(
    ("units", "wanted", "scale", "offset"),
    [
        ("%", "1", 0.01, 0.0),
        ("K", "degC", 1.0, -273.15),
        ("hPa", "kPa", 0.1, 0.0),
        ("m", "mm", 1000.0, 0.0),
        ("degrees C", "degC", 1.0, 0.0),
        ("gC/MJ", "gC MJ-1", 1.0, 0.0),  # of no table, but the same
        ("d MJ-1 m2", "MJ-1 m2 d", 1.0, 0.0),
        ("furlong", "furlong", 1.0, 0.0),
    ],
)
def test_factors(units, wanted, scale, offset):
    assert to_agree(units, wanted, "x", "feature 'x'") == pytest.approx((scale, offset))


def test_the_vocabulary_says_which_substance_it_is():
    # 1 kg of water over a square metre is 1 mm deep; of carbon it is not
    assert to_agree("kg m-2 s-1", "mm d-1", "pr", "feature 'pr'") == pytest.approx((86400.0, 0.0))
    with pytest.raises(InputError):
        to_agree("kg m-2 s-1", "mm d-1", "x", "feature 'x'")


def test_a_difference_of_temperatures_is_not_shifted():
    assert to_agree("K", "degC", "x", "x", difference=True) == (1.0, 0.0)


@pytest.mark.parametrize(("units", "wanted"), [("mm", "degC"), ("gC MJ-1", "gC m-2"), ("furlong", "m"), ("kPa-1", "hPa-1")])
def test_what_cannot_agree_is_refused_with_both_units(units, wanted):
    with pytest.raises(InputError, match="parameter 'k'") as error:
        to_agree(units, wanted, "k", "parameter 'k'")
    assert repr(units) in str(error.value)
    assert repr(wanted) in str(error.value)


def test_units_on_one_side_only_are_told():
    with pytest.warns(UnitsWarning, match="has no units and is taken to be in 'degC'"):
        assert to_agree(None, "degC", "x", "feature 'x'") == (1.0, 0.0)
    with pytest.warns(UnitsWarning, match="is in 'degC', and what it meets has no units"):
        assert to_agree("degC", None, "x", "feature 'x'") == (1.0, 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert to_agree(None, None, "x", "x") == to_agree(None, "1", "x", "x") == to_agree("fraction", None, "x", "x")
