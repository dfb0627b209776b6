import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridcal.errors import ConfigError
from gridcal.models.lue import PARAMETERS, PARAMETERS_WIDE
from gridcal.process.parameters import Parameter, ParameterTable


def parameter(**changes):
    values = {
        "name": "k",
        "default": 1.0,
        "lower": 0.0,
        "upper": 2.0,
        "units": "d-1",
        "description": "a rate",
        "source": "test",
    }
    return Parameter(**(values | changes))


def test_bounds_in_the_wrong_order_name_the_parameter_and_the_repair():
    with pytest.raises(ConfigError, match=r"'k'.*wrong order.*lower bound first"):
        parameter(lower=2.0, upper=0.0)


def test_default_outside_its_bounds_is_refused():
    with pytest.raises(ConfigError, match="outside its bounds"):
        parameter(default=3.0)


def test_log_scale_needs_bounds_of_one_sign():
    with pytest.raises(ConfigError, match="log10"):
        parameter(scale="log10")


def test_a_name_twice_is_refused():
    with pytest.raises(ConfigError, match="twice"):
        ParameterTable((parameter(), parameter()))


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ConfigError, match="eps_max"):
        PARAMETERS["vmax"]


@pytest.mark.parametrize("table", [PARAMETERS, PARAMETERS_WIDE])
def test_unit_cube_corners_are_the_bounds(table):
    np.testing.assert_allclose(table.from_unit(np.zeros(13)), table.lower, rtol=1e-12)
    np.testing.assert_allclose(table.from_unit(np.ones(13)), table.upper, rtol=1e-12)


def test_log_coordinate_is_the_geometric_mean_in_the_middle():
    middle = PARAMETERS_WIDE.from_unit(np.full(13, 0.5))
    assert middle[3] == pytest.approx(-np.sqrt(1.0 * 1e-4), rel=1e-12)


@given(st.lists(st.floats(0.0, 1.0), min_size=13, max_size=13))
def test_unit_cube_round_trip(u):
    for table in (PARAMETERS, PARAMETERS_WIDE):
        np.testing.assert_allclose(table.to_unit(table.from_unit(u)), u, atol=1e-12)


def test_with_bounds_moves_a_default_outside_to_the_nearest_bound():
    table = PARAMETERS.with_bounds({"Topt": (25.0, 30.0)})
    assert table["Topt"].default == 25.0
    assert table["kT"] == PARAMETERS["kT"]


def test_with_bounds_refuses_the_wrong_order_and_unknown_names():
    with pytest.raises(ConfigError, match="wrong order"):
        PARAMETERS.with_bounds({"Topt": (30.0, 25.0)})
    with pytest.raises(ConfigError, match="unknown parameter"):
        PARAMETERS.with_bounds({"topt": (20.0, 25.0)})


def test_table_one_of_the_paper():
    """Bao et al. 2023, Table 1."""
    bounds = {p.name: (p.lower, p.upper) for p in PARAMETERS}
    assert bounds == {
        "eps_max": (0, 10), "Topt": (5, 35), "kT": (1, 20), "kappa": (-1e-1, -1e-4), "Ca0": (340, 390), "Ck": (0, 10),
        "Cm": (100, 4000), "kW": (-30, -5), "WI": (0.01, 0.99), "gamma": (0, 1), "mu": (1e-3, 1), "aT": (0, 0.9),
        "aW": (0, 0.9),
    }  # fmt: skip
