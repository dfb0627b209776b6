"""Faulty input of a cube: each fault is an error that names the thing and the repair; each clean variant opens."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gridcal.cube import Cube, open_cube
from gridcal.errors import CatalogError, GridcalError, InputError


def clean():
    rng = np.random.default_rng(2)
    shape = (60, 5, 6)
    series = ("time", "lat", "lon")
    return xr.Dataset(
        {
            "tas": (series, rng.normal(10, 5, shape).astype(np.float32), {"units": "degC"}),
            "pr": (series, rng.gamma(1, 3, shape).astype(np.float32), {"units": "mm d-1"}),
            "fapar": (series, rng.uniform(0, 1, shape).astype(np.float32)),
            "elv": (("lat", "lon"), rng.uniform(0, 900, shape[1:]).astype(np.float32), {"units": "m"}),
            "mask": (("lat", "lon"), np.ones(shape[1:], dtype=bool)),
        },
        coords={
            "time": pd.date_range("2004-01-15", periods=60),
            "lat": 40 + 0.5 * np.arange(5),
            "lon": -90 + 0.5 * np.arange(6),
        },
    )


def units(name, text):
    def change(ds):
        ds[name].attrs["units"] = text
        return ds

    return change


def no_units(ds):
    del ds["pr"].attrs["units"]
    return ds


def calendar(name):
    def change(ds):
        return ds.convert_calendar(name, align_on="date", use_cftime=True)

    return change


def twice(dim):
    return lambda ds: ds.isel({dim: [0, 1, 1, *range(2, ds.sizes[dim])]})


FAULTS = {
    "units missing": (no_units, "'pr' has no units attribute"),
    "units unknown": (units("pr", "buckets"), "variable 'pr': unknown units 'buckets'"),
    "units of another variable": (units("tas", "kPa"), "variable 'tas': units 'kPa' measure a pressure"),
    "a sum given as a rate": (units("pr", "mm"), "A sum over a period is not a rate"),
    "a monthly sum": (units("pr", "mm month-1"), "Months differ in length"),
    "carbon given as water": (units("pr", "gC m-2 d-1"), "of carbon"),
    "calendar without leap days": (calendar("noleap"), "calendar 'noleap'"),
    "calendar of 360 days": (calendar("360_day"), "calendar '360_day'"),
    "time repeated": (twice("time"), "'time' holds 2004-01-16 00:00:00 twice"),
    "time unsorted": (lambda ds: ds.isel(time=slice(None, None, -1)), "'time' is not sorted"),
    "time without dates": (lambda ds: ds.drop_vars("time"), "'time' has no coordinate"),
    "time as numbers": (lambda ds: ds.assign_coords(time=np.arange(60)), "not dates"),
    "time in chunks": (lambda ds: ds.chunk(time=7), "stored as maps: 9 chunks along time"),
    "lat repeated": (twice("lat"), "'lat' holds 40.5 twice"),
    "lon repeated": (twice("lon"), "'lon' holds -89.5 twice"),
    "lat unsorted": (lambda ds: ds.isel(lat=[1, 0, 2, 3, 4]), "'lat' is not monotonic"),
    "lon irregular": (lambda ds: ds.isel(lon=[0, 1, 3, 4, 5]), "'lon' is not regular"),
    "lat missing": (lambda ds: ds.drop_vars("lat"), "dimension 'lat' has no coordinate"),
    "lat in metres": (lambda ds: ds.assign_coords(lat=1000.0 * ds.lat), "Give degrees"),
    "lat under another name": (lambda ds: ds.rename(lat="y_lat"), "dimension 'y_lat' is called 'lat'"),
    "mask of numbers": (lambda ds: ds.assign(mask=ds.mask * 0.5), "true or false"),
    "mask that varies in time": (lambda ds: ds.assign(mask=ds.tas > 0), "mask 'mask' has the dimensions"),
}

CLEAN = {
    "as it is": lambda ds: ds,
    "lat from north to south": lambda ds: ds.isel(lat=slice(None, None, -1)),
    "lon up to 360": lambda ds: ds.assign_coords(lon=ds.lon + 360),
    "rounding in lat": lambda ds: ds.assign_coords(lat=ds.lat + 1e-14 * np.arange(5)),
    "time innermost": lambda ds: ds.transpose("lat", "lon", "time"),
    "space in chunks": lambda ds: ds.chunk(lat=2, lon=3),
    "other spelling of units": units("pr", "mm/day"),
    "convertible units": units("pr", "kg m-2 s-1"),
    "labels at noon": lambda ds: ds.assign_coords(time=ds.time + np.timedelta64(12, "h")),
    "no mask": lambda ds: ds.drop_vars("mask"),
    "samples": lambda ds: Cube.from_dataset(ds).stack_pixels().data,
    "one year of months": lambda ds: ds.assign_coords(time=pd.date_range("2001-01-01", periods=60, freq="MS")),
    "unknown variables": lambda ds: ds.assign(slope=ds.elv * 0.1),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault(name):
    change, says = FAULTS[name]
    with pytest.raises(InputError) as caught:
        Cube.from_dataset(change(clean()))
    assert says in str(caught.value)
    assert caught.value.repair


@pytest.mark.parametrize("name", CLEAN)
def test_clean_variant(name):
    cube = Cube.from_dataset(CLEAN[name](clean()))
    assert cube["pr"].attrs["units"] == "mm d-1"


@pytest.mark.parametrize("name", [n for n in FAULTS if n != "time in chunks"])
def test_fault_on_disk(name, tmp_path):
    change, says = FAULTS[name]
    ds = change(clean())
    path = tmp_path / "faulty.zarr"
    ds.drop_encoding().to_zarr(path, zarr_format=3, consolidated=False)
    with pytest.raises(InputError) as caught:
        open_cube(path)
    assert says in str(caught.value)


def test_features_that_are_not_there_or_vary():
    with pytest.raises(InputError, match=r"feature 'slope' is not in the data\. It holds: tas"):
        Cube.from_dataset(clean(), features=("slope",))
    with pytest.raises(InputError, match="feature 'fapar' varies in time"):
        Cube.from_dataset(clean(), features=("fapar",))
    with pytest.raises(InputError, match="mask 'forest' is not in the data"):
        Cube.from_dataset(clean(), mask="forest")


def test_a_day_is_missing():
    cube = Cube.from_dataset(clean().isel(time=[0, 1, *range(3, 60)]))
    with pytest.raises(InputError, match="lacks the day 2004-01-17"):
        cube.require_daily()
    with pytest.raises(InputError, match="no time dimension"):
        Cube.from_dataset(clean()[["elv"]]).require_daily()


def test_a_calendar_without_leap_days_written_as_real_days():
    days = pd.date_range("2004-02-01", periods=61).drop("2004-02-29")
    cube = Cube.from_dataset(clean().assign_coords(time=days))
    with pytest.raises(InputError, match=r"lacks the day 2004-02-29\..*calendar without leap days"):
        cube.require_daily()


def test_time_that_cannot_be_decoded(tmp_path):
    ds = clean().assign_coords(time=np.arange(60))
    ds["time"].attrs["units"] = "moons since 2001-01-01"
    ds.to_netcdf(tmp_path / "x.nc", engine="netcdf4")
    with pytest.raises(InputError, match="cannot be decoded"):
        open_cube(tmp_path / "x.nc")


@pytest.mark.parametrize("version", [2, 3])
def test_maps_on_disk(tmp_path, version):
    path = tmp_path / "maps.zarr"
    clean().chunk(time=1, lat=-1, lon=-1).to_zarr(path, zarr_format=version, consolidated=False)
    with pytest.raises(InputError, match="stored as maps: 60 chunks along time") as caught:
        open_cube(path)
    assert "to_zarr" in caught.value.repair
    # the second way the repair names
    opened = open_cube(path, chunks={"time": -1})
    xr.testing.assert_allclose(opened["tas"].compute().drop_attrs(), clean()["tas"].drop_attrs())


def test_large_netcdf_stored_as_maps(tmp_path, monkeypatch):
    monkeypatch.setattr("gridcal.cube.formats._TIME_MAJOR_LIMIT", 1000)
    path = tmp_path / "maps.nc"
    clean().drop_vars("mask").to_netcdf(path, engine="netcdf4", encoding={"tas": {"chunksizes": (1, 5, 6)}})
    with pytest.raises(InputError, match=r"'tas' of .* is stored as maps: 60 chunks"):
        open_cube(path)
    assert open_cube(path, chunks={"time": -1})["tas"].sizes["time"] == 60


def zarr_array(path):
    import zarr

    zarr.create_array(path, shape=(3,), dtype="f4")


def damaged(path):
    clean().to_zarr(path, zarr_format=3, consolidated=False)
    (path / "zarr.json").write_text("{")


def newer(path):
    clean().to_zarr(path, zarr_format=3, consolidated=False)
    (path / "zarr.json").write_text(json.dumps({"zarr_format": 4, "node_type": "group"}))


def holds(name, content):
    def make(path):
        path.mkdir()
        (path / name).write_bytes(content)

    return make


def file_of(content):
    return lambda path: path.write_bytes(content)


@pytest.mark.parametrize(
    ("suffix", "make", "says"),
    [
        (".zarr", lambda path: path.mkdir(), "is not a Zarr store: it has neither zarr.json"),
        (".zarr", holds("readme.txt", b"hello"), "it holds readme.txt"),
        (".zarr", zarr_array, "is a Zarr array, not a group"),
        (".zarr", damaged, "is damaged"),
        (".zarr", newer, "is Zarr version 4; gridcal reads 2 and 3"),
        (".zarr", file_of(b"CDF\x01"), "is not a Zarr store: it is NetCDF-3"),
        (".zarr", file_of(b"PK\x03\x04"), "is not a Zarr store: it is a zip archive"),
        (".nc", file_of(b"\x0e\x03\x13\x01...."), "is not a NetCDF file: it is HDF4"),
        (".nc", file_of(b"<!DOCTYPE html><html>"), "is not a NetCDF file: it is a web page"),
        (".nc", file_of(b"\n<html>"), "it is a web page"),
        (".nc", file_of(b""), "is not a NetCDF file: it is empty"),
        (".nc", file_of(b"hello"), "is not a NetCDF file: it is of no known format"),
        (".nc", file_of(b"\x89HDF\r\n\x1a\n" + b"\0" * 40), "cannot be read as NetCDF"),
    ],
)
def test_what_is_on_disk_is_named(tmp_path, suffix, make, says):
    path = tmp_path / f"data{suffix}"
    make(path)
    with pytest.raises(InputError) as caught:
        open_cube(path)
    assert says in str(caught.value)
    assert caught.value.repair


def entry(folder, lines, data="soil.csv"):
    (folder / "e.yml").write_text(
        f"title: t\nkind: sites\nformat: {data.rpartition('.')[2].replace('nc', 'netcdf')}\nlocation: ./{data}\n"
        f"licence: x\ncitation: y\n{lines}"
    )
    return folder / "e.yml"


@pytest.mark.parametrize(
    ("table", "lines", "says"),
    [
        ("site,whc\na,1\n", "index: tower\nvariables: {whc: {units: mm}}", "no column 'tower'"),
        ("site,whc\na,1\na,2\n", "index: site\nvariables: {whc: {units: mm}}", "'site' of .* holds 'a' twice"),
        ("site,whc\na,1\n", "variables: {elv: {native: elevation, units: m}}", "no variable 'elevation' .for 'elv'"),
        ("site,whc\na,1\n", "variables: {whc: {}}", "'whc' has no units attribute"),
        ("site,whc\na,1\n", "dims: {tower: site}\nvariables: {whc: {units: mm}}", "no dimension 'tower'"),
        ("tower,whc\na,1\n", "variables: {whc: {units: mm}}", "of kind 'sites' but has no dimension 'site'"),
    ],
)
def test_entries_that_do_not_fit_their_table(tmp_path, table, lines, says):
    (tmp_path / "soil.csv").write_text(table)
    with pytest.raises(GridcalError, match=says) as caught:
        open_cube(entry(tmp_path, lines))
    assert caught.value.repair


def test_an_entry_of_another_format(tmp_path):
    (tmp_path / "soil.nc").write_text("site,whc\na,1\n")
    with pytest.raises(InputError, match="is not a NetCDF file"):
        open_cube(entry(tmp_path, "variables: {whc: {units: mm}}", "soil.nc"))


def test_data_of_an_entry_that_are_not_there(tmp_path):
    with pytest.raises(CatalogError, match="are not there"):
        open_cube(entry(tmp_path, "variables: {whc: {units: mm}}"))
