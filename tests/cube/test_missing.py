"""Codes and valid ranges as CF and the NetCDF User's Guide define them: compared as stored, before any scale."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gridcal.cube import Cube, open_cube
from gridcal.cube.missing import within_valid_range, without_codes
from gridcal.errors import InputError

TIME = pd.date_range("2001-01-01", periods=6)


def stored(tmp_path, values, attrs, name="lai_obs"):
    path = tmp_path / "x.nc"
    coords = {"time": TIME, "site": ["a"]}
    xr.Dataset({name: (("time", "site"), values.reshape(6, 1), attrs)}, coords=coords).to_netcdf(path, engine="netcdf4")
    return path


@pytest.mark.parametrize(
    ("attrs", "expected"),
    [
        ({"valid_range": np.array([0, 100], "u1")}, [3.2, np.nan, np.nan, 10.0, 0.0, np.nan]),
        ({"valid_max": np.uint8(100)}, [3.2, np.nan, np.nan, 10.0, 0.0, np.nan]),
        ({"valid_range": np.array([0.0, 10.0])}, [3.2, np.nan, np.nan, 10.0, 0.0, np.nan]),  # a fraction: of unpacked values
        ({"valid_min": np.uint8(30), "valid_max": np.uint8(100)}, [3.2, np.nan, np.nan, 10.0, np.nan, np.nan]),
    ],
    ids=["packed range", "packed maximum", "unpacked range", "both ends"],
)
def test_a_packed_valid_range(tmp_path, attrs, expected):
    values = np.array([32, 254, 249, 100, 0, 255], "u1")
    base = {"units": "m2 m-2", "scale_factor": 0.1, "_FillValue": np.uint8(255)}
    with open_cube(stored(tmp_path, values, base | attrs)).data as ds:
        np.testing.assert_allclose(ds["lai_obs"].values[:, 0], expected, rtol=1e-6)
        assert not {"valid_range", "valid_min", "valid_max"} & set(ds["lai_obs"].attrs)


def test_a_valid_range_of_plain_numbers():
    ds = xr.Dataset({"tas": ("time", [-80.0, 10.0, 20.0, 99.0, 5.0, 6.0], {"units": "degC", "valid_range": [-70, 55]})})
    found = within_valid_range(ds)["tas"].values
    np.testing.assert_array_equal(np.isnan(found), [True, False, False, True, False, False])


def test_a_negative_scale_turns_the_range_round(tmp_path):
    values = np.array([-5, 0, 5, 10, 11, -20], "i2")
    attrs = {"units": "degC", "scale_factor": -1.0, "valid_range": np.array([-10, 10], "i2")}
    with open_cube(stored(tmp_path, values, attrs, "tas")).data as ds:
        np.testing.assert_array_equal(ds["tas"].values[:, 0], [5.0, 0.0, -5.0, -10.0, np.nan, np.nan])


def test_a_range_that_cannot_be_read_is_named():
    ds = xr.Dataset({"tas": ("time", np.zeros(3), {"units": "degC", "valid_range": "cold to warm"})})
    with pytest.raises(InputError, match="'tas' has a valid range that cannot be read"):
        Cube.from_dataset(ds.assign_coords(time=TIME[:3]))


def test_codes_are_compared_as_stored(tmp_path):
    values = np.array([215, -9999, 220, 0, 1, 2], "i2")
    path = stored(tmp_path, values, {"units": "degC", "scale_factor": 0.1, "add_offset": 10.0}, "tas")
    with xr.open_dataset(path, engine="netcdf4") as ds:
        np.testing.assert_allclose(
            without_codes(ds["tas"], [-9999], "tas").values[:, 0], [31.5, np.nan, 32.0, 10.0, 10.1, 10.2], rtol=1e-6
        )
        with pytest.raises(InputError, match="'tas' is stored as int16, which cannot hold the code 99999"):
            without_codes(ds["tas"], [99999], "tas")


def test_codes_of_single_precision():
    x = xr.DataArray(np.array([1.0, 999.9], dtype=np.float32), dims="site")
    assert np.isnan(without_codes(x, [999.9], "x").values).tolist() == [False, True]
