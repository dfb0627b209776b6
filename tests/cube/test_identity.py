"""What identifies data: other values are other data, and the same values are the same wherever they lie."""

import shutil

import numpy as np
import pytest
import xarray as xr

from gridcal.cube import open_cube
from gridcal.cube.identity import of_data, of_mask, of_path, of_values


def store(path, values):
    xr.Dataset({"elv": ("site", np.asarray(values, float), {"units": "m"})}, {"site": list("abc")}).to_zarr(
        path, mode="w", zarr_format=3, consolidated=False
    )


def test_values():
    assert of_values(np.array([1.0, 2.0])) == of_values(np.array([1.0, 2.0], dtype=">f8"))
    assert of_values(np.array([1.0, 2.0])) != of_values(np.array([1.0, 2.5]))
    assert of_values(np.array([1.0, 2.0])) != of_values(np.array([[1.0, 2.0]]))
    assert of_values(np.array(["a", "b"], dtype=object)) == of_values(np.array(["a", "b"]))


@pytest.mark.parametrize("change", [lambda p: store(p, [1, 2, 4]), lambda p: (p / "elv" / "c" / "0").unlink()])
def test_a_store_that_changed_is_other_data(tmp_path, change):
    store(tmp_path / "x.zarr", [1, 2, 3])
    before = of_path(str(tmp_path / "x.zarr"))
    shutil.copytree(tmp_path / "x.zarr", tmp_path / "elsewhere.zarr")
    assert of_path(str(tmp_path / "elsewhere.zarr")) == before
    change(tmp_path / "x.zarr")
    assert of_path(str(tmp_path / "x.zarr")) != before


def test_what_was_done_to_lazy_data_counts(tmp_path):
    store(tmp_path / "x.zarr", [1, 2, 3])
    cube = open_cube(tmp_path / "x.zarr")
    assert of_data(cube.data, ["elv"]) == of_data(open_cube(tmp_path / "x.zarr").data, ["elv"])
    assert of_data(cube.data, ["elv"]) != of_data(cube.data.assign(elv=cube["elv"] * 0.5), ["elv"])
    assert of_data(cube.data, ["nothing"]) == {}


def test_a_mask_counts_by_its_values(tmp_path):
    store(tmp_path / "x.zarr", [1, 2, 3])
    ds = open_cube(tmp_path / "x.zarr").data
    two, one = (ds.assign(use=("site", [True, rest, True])) for rest in (True, False))
    assert of_mask(ds, None) == {}
    assert of_mask(two, "use") == {"mask": of_values(np.array([True, True, True]))}
    assert of_mask(one, "use") == {"mask": of_values(np.array([True, False, True]))}
    lazy = ds.assign(use=ds["elv"] > 1)
    assert of_mask(lazy, "use") == of_mask(lazy, "use") != of_mask(ds.assign(use=ds["elv"] < 1), "use")
