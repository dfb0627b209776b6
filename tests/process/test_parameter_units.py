"""Parameters given as data are brought to the units of the table."""

import numpy as np
import pytest
import xarray as xr

from gridcal.errors import InputError
from gridcal.process.parameter_units import in_units_of
from gridcal.process.parameters import Parameter, ParameterTable

TABLE = ParameterTable(
    (
        Parameter("Topt", 20.0, 5.0, 35.0, "degC", "optimal temperature", "test"),
        Parameter("eps_max", 1.0, 0.1, 5.0, "gC MJ-1", "light-use efficiency", "test"),
        Parameter("mu", 0.5, 0.0, 1.0, "1", "share", "test"),
    )
)


def given(**units):
    values = {"Topt": [293.15, 298.15], "eps_max": [1.0, 2.0], "mu": [25.0, 50.0]}
    return xr.Dataset(
        {n: ("site", np.array(values[n], dtype=np.float32 if n == "mu" else float), {"units": u}) for n, u in units.items()}
    )


def test_other_units_are_converted_lazily():
    theta = given(Topt="K", eps_max="g C MJ-1", mu="%").assign(note=("site", [1, 2])).chunk(site=1)
    found = in_units_of(theta, TABLE)
    assert found.Topt.chunks == ((1, 1),)
    np.testing.assert_allclose(found.Topt, [20.0, 25.0])  # 293.15 K is 20 degC
    np.testing.assert_array_equal(found.mu, [0.25, 0.5])
    assert found.Topt.attrs["units"] == "degC"
    assert theta.Topt.attrs["units"] == "K"  # the user's data are left alone
    xr.testing.assert_identical(found.eps_max, theta.eps_max)
    xr.testing.assert_identical(found.note, theta.note)


def test_nothing_to_convert_gives_back_the_same_object():
    theta = given(Topt="degrees C", eps_max="gC/MJ")
    assert in_units_of(theta, TABLE) is theta
    plain = {"Topt": 20.0, "mu": theta.eps_max.drop_attrs()}
    assert in_units_of(plain, TABLE) is plain
    assert in_units_of(None, TABLE) is None


def test_a_mapping_of_arrays_and_numbers():
    found = in_units_of({"Topt": given(Topt="K").Topt, "mu": 0.3}, TABLE)
    np.testing.assert_allclose(found["Topt"], [20.0, 25.0])
    assert found["mu"] == 0.3


@pytest.mark.parametrize(("name", "units"), [("Topt", "mm"), ("eps_max", "gC m-2"), ("mu", "degC")])
def test_other_quantities_are_refused_with_both_units(name, units):
    with pytest.raises(InputError, match=f"parameter '{name}' is in '{units}', but what it meets is in '{TABLE[name].units}'"):
        in_units_of(given(**{name: units}), TABLE)
