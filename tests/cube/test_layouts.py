"""Valid data in another dress are taken by a stated rule or refused at the door, and places are never mixed up."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gridcal.cube import Cube, open_cube
from gridcal.cube.sampling import sample_pixels
from gridcal.errors import InputError

TIME = pd.date_range("2001-01-01", periods=4)


def grid(lat, lon, name="where"):
    field = np.add.outer(np.asarray(lat, float) * 1000, np.asarray(lon, float))
    return Cube.from_dataset(xr.Dataset({name: (("lat", "lon"), field)}, coords={"lat": lat, "lon": lon}))


LAT, LON = 40 + 0.5 * np.arange(4), -90 + 0.5 * np.arange(5)


@pytest.mark.parametrize(
    "other",
    [
        grid(LAT[::-1], LON),
        grid(40 + 0.25 * np.arange(8), -90 + 0.25 * np.arange(12)),
        grid(LAT.astype("f4"), LON),
        grid(LAT, LON + 360),
        grid(np.arange(38, 45, 0.5), LON),
    ],
    ids=["from the north", "half the step", "single precision", "0 to 360", "larger"],
)
def test_a_sample_finds_its_places_on_another_grid(other):
    pixels = sample_pixels(grid(LAT, LON), 6, seed=1)
    part = other.sel(pixel=pixels)
    np.testing.assert_allclose(part.data.lat, pixels.lat)
    np.testing.assert_allclose((part.data.lon - pixels.lon) % 360, 0, atol=1e-9)
    np.testing.assert_array_equal(part.data.pixel, pixels.pixel)
    np.testing.assert_allclose(part.data["where"] // 1000, np.floor(pixels.lat), atol=1)


def test_a_sample_of_places_the_grid_lacks_is_refused():
    pixels = sample_pixels(grid(LAT, LON), 6, seed=1)
    with pytest.raises(InputError, match="the sample has a pixel at lat"):
        grid(LAT + 0.2, LON).sel(pixel=pixels)


def test_samples_of_two_places_are_not_joined():
    up, down = grid(LAT, LON), grid(LAT[::-1], LON, "elsewhere")
    numbers = np.array([0, 7])
    with pytest.raises(InputError, match=r"pixel 0 lies at lat 40 in one and at 41\.5 in the other"):
        up.sel(pixel=numbers).join(down.sel(pixel=numbers))


def test_points_of_several_chunks_have_chunks_of_one_size():
    chunked = Cube(grid(LAT, LON).data.chunk(lat=2, lon=2))
    sizes = chunked.sel(pixel=np.array([0, 1, 4, 9, 13, 19])).data["where"].chunksizes["pixel"]
    assert len(set(sizes[:-1])) <= 1
    assert sizes[-1] <= sizes[0]


def test_stacked_pixels_are_numbered():
    ds = xr.Dataset({"tas": (("time", "lat", "lon"), np.arange(24.0).reshape(4, 2, 3), {"units": "degC"})})
    stacked = ds.assign_coords(time=TIME, lat=[1.0, 2.0], lon=[5.0, 6.0, 7.0]).stack(pixel=("lat", "lon"))
    cube = Cube.from_dataset(stacked)
    assert cube.space_dims == ("pixel",)
    assert cube.data.pixel.values.tolist() == list(range(6))
    assert cube.data.lat.values.tolist() == [1, 1, 1, 2, 2, 2]
    assert "stacked" in cube.repairs[0]


@pytest.mark.parametrize("zone", ["UTC", "+01:00", "-06:00"])
def test_times_of_a_fixed_zone_keep_their_labels(zone):
    ds = xr.Dataset({"x": ("time", np.zeros(4))}, coords={"time": TIME.tz_localize(zone)})
    cube = Cube.from_dataset(ds)
    np.testing.assert_array_equal(cube.data.indexes["time"], TIME)
    assert "zone" in cube.repairs[0]


@pytest.mark.parametrize("calendar", ["standard", "proleptic_gregorian"])
def test_real_dates_of_another_type_are_taken(calendar):
    ds = xr.Dataset({"x": ("time", np.arange(800.0))}, coords={"time": pd.date_range("1999-12-01", periods=800)})
    cube = Cube.from_dataset(ds.convert_calendar(calendar, use_cftime=True))
    assert (cube.data.indexes["time"] == ds.indexes["time"]).all()
    assert f"dates of the {calendar} calendar" in "; ".join(cube.repairs)
    with pytest.raises(InputError, match="noleap"):
        Cube.from_dataset(ds.convert_calendar("noleap", use_cftime=True))


def test_times_with_summer_time_are_refused():
    hours = pd.date_range("2001-01-01", "2001-12-31", freq="D", tz="Europe/Berlin")
    with pytest.raises(InputError, match="which has summer time"):
        Cube.from_dataset(xr.Dataset({"x": ("time", np.zeros(hours.size))}, coords={"time": hours}))


@pytest.mark.parametrize("kind", [">f4", ">f8", ">i4", "f2", ">i2"])
def test_any_byte_order_and_half_precision(kind):
    ds = xr.Dataset({"x": ("site", np.array([1, 2, 3], dtype=kind))}, coords={"site": list("abc")})
    x = Cube.from_dataset(ds)["x"]
    assert x.dtype.isnative
    assert x.dtype.itemsize >= 2 + 2 * (x.dtype.kind == "f")
    assert x.values.tolist() == [1, 2, 3]


@pytest.mark.parametrize("kind", [">f4", ">f8", ">i4"])
def test_coordinates_of_any_byte_order(kind):
    ds = xr.Dataset({"x": ("lat", [1.0, 2.0])}, coords={"lat": np.array([40, 41], kind), "lon": np.array(-90, kind)})
    data = Cube.from_dataset(ds).data
    assert data.lat.dtype.isnative
    assert data.lon.dtype.isnative
    assert data.indexes["lat"].tolist() == [40, 41]
    assert data.stack(place=("lat",)).sizes["place"] == 2


STANDARD = {"lat": "latitude", "lon": "longitude", "time": "time"}  # CF's standard names


@pytest.mark.parametrize(
    "names",
    [{"lat": "nlat", "lon": "nlon", "time": "t"}, {"lat": "y", "lon": "x"}, {"time": "valid_time"}, {"lat": "Latitude"}],
)
def test_coordinates_that_say_what_they_are(names):
    ds = xr.Dataset({"v": (("lat", "lon", "time"), np.arange(8.0).reshape(2, 2, 2))})
    ds = ds.assign_coords(lat=[40.0, 41.0], lon=[-90.0, -89.0], time=TIME[:2])
    marked = ds.assign_coords({c: ds[c].assign_attrs(standard_name=STANDARD[c]) for c in STANDARD})
    cube = Cube.from_dataset(marked.rename(names))
    assert set(cube.data.dims) == {"time", "lat", "lon"}
    assert float(cube["v"].sel(lat=41, lon=-90, time=TIME[1])) == 5.0
    assert all(f"{b!r} is called {a!r}" in "; ".join(cube.repairs) for a, b in names.items())


def test_spelt_out_names_are_taken_and_numbers_are_no_dates():
    ds = xr.Dataset({"x": (("latitude", "Longitude"), np.zeros((2, 3)))})
    ds = ds.assign_coords(latitude=[40.0, 41.0], Longitude=[-90.0, -89.0, -88.0])
    assert Cube.from_dataset(ds).sizes == {"lat": 2, "lon": 3}
    numbered = xr.Dataset({"x": ("day", [1.0, 2.0])}, coords={"day": ("day", [1, 2], {"standard_name": "time"})})
    with pytest.raises(InputError, match="is called 'time' here"):
        Cube.from_dataset(numbered)


def test_bounds_are_metadata(tmp_path):
    ds = grid(LAT, LON).data
    ds["lat_bnds"] = (("lat", "bnds"), np.stack([LAT - 0.25, LAT + 0.25], axis=1))
    ds["lat"].attrs["bounds"] = "lat_bnds"
    cube = Cube.from_dataset(ds)
    assert "lat_bnds" not in cube
    assert cube.repairs == ("boundary variables are left out: lat_bnds",)
    ds.to_zarr(tmp_path / "x.zarr", zarr_format=3, consolidated=False)
    assert open_cube(tmp_path / "x.zarr").feature_names == ("where",)


def test_y_and_x_that_say_they_are_degrees_are_taken():
    ds = grid(LAT, LON).data.rename(lat="y", lon="x")
    with pytest.raises(InputError, match=r"'y' does not say whether it holds degrees\..*rename"):
        Cube.from_dataset(ds)
    ds["y"].attrs["units"], ds["x"].attrs["units"] = "degrees_north", "degrees_east"
    assert Cube.from_dataset(ds).space_dims == ("lat", "lon")
    with pytest.raises(InputError, match="'y' does not hold degrees"):
        Cube.from_dataset(grid(LAT, LON).data.rename(lat="y", lon="x").assign_coords(y=LAT * 1e5))


def test_rounded_coordinates_of_a_fine_grid():
    lat, lon = (42.5 - 0.00025 * np.arange(40)).astype("f4"), (-122.2 + 0.00025 * np.arange(40)).astype("f4")
    assert grid(lat, lon).sizes == {"lat": 40, "lon": 40}
    with pytest.raises(InputError, match="not regular"):
        grid(lat, np.delete(lon, 7))


@pytest.mark.parametrize(("codes", "used"), [((1, 0, -9999), 5), ((1, 0, 2), 5), ((1, 0, 0), 5)])
def test_a_mask_is_one(codes, used):
    mask = np.repeat(np.array([codes[0], codes[1], codes[2], codes[1]], "i2")[:, None], 5, axis=1)
    ds = grid(LAT, LON).data.assign(mask=(("lat", "lon"), mask))
    if set(codes) <= {0, 1}:
        cube = Cube.from_dataset(ds)
    else:
        with pytest.warns(UserWarning, match="mask 'mask' holds"):
            cube = Cube.from_dataset(ds)
    assert int(cube.mask.sum()) == used


def test_a_store_of_groups_is_named(tmp_path):
    grid(LAT, LON).data.to_zarr(tmp_path / "x.zarr", group="daily", consolidated=False, zarr_format=3)
    with pytest.raises(InputError, match="holds no variables, only groups: daily"):
        open_cube(tmp_path / "x.zarr")
    assert "where" in open_cube(tmp_path / "x.zarr" / "daily")


def test_units_of_a_variable_nobody_uses_stay():
    ds = grid(LAT, LON).data.assign(snow_cover=(("lat", "lon"), np.ones((4, 5)), {"units": "tenths"}))
    assert Cube.from_dataset(ds)["snow_cover"].attrs["units"] == "tenths"


DAYS = pd.date_range("2003-01-01", "2005-12-31")


@pytest.mark.parametrize(
    "days", [DAYS.drop("2004-12-31"), DAYS.drop("2004-02-29"), DAYS.drop("2004-07-04"), DAYS.drop(["2004-07-04", "2004-07-05"])]
)
def test_the_repair_of_a_missing_day_works(days):
    ds = xr.Dataset(
        {"tas": (("time", "site"), np.ones((days.size, 1)), {"units": "degC"})}, coords={"time": days, "site": ["a"]}
    )
    with pytest.raises(InputError) as caught:
        Cube.from_dataset(ds).require_daily()
    code = caught.value.repair[caught.value.repair.index("ds.reindex") :].split("('time')")[0] + "('time')"
    fixed = eval(code, {"ds": ds, "pd": pd})
    Cube.from_dataset(fixed).require_daily()
    assert bool(fixed.tas.notnull().all())


@pytest.mark.parametrize("calendar", ["360_day", "noleap", "all_leap"])
def test_the_repair_of_a_calendar_works(calendar):
    times = xr.date_range("2003-01-01", periods=720, calendar=calendar, use_cftime=True)
    ds = xr.Dataset({"tas": (("time", "site"), np.ones((720, 1)), {"units": "degC"})}, coords={"time": times, "site": ["a"]})
    with pytest.raises(InputError, match=calendar) as caught:
        Cube.from_dataset(ds)
    convert = caught.value.repair[caught.value.repair.index("ds.convert") :].split("), and")[0] + ")"
    ds = eval(convert, {"ds": ds})
    fill = caught.value.repair[caught.value.repair.index("ds.reindex") :]
    fixed = eval(fill, {"ds": ds, "pd": pd})
    Cube.from_dataset(fixed).require_daily()


def test_the_repair_of_maps_works(tmp_path):
    ds = xr.Dataset(
        {"tas": (("time", "lat", "lon"), np.ones((4, 4, 5)), {"units": "degC"})}, {"time": TIME, "lat": LAT, "lon": LON}
    )
    ds.chunk(time=1).to_zarr(tmp_path / "maps.zarr", zarr_format=3, consolidated=False)
    with pytest.raises(InputError, match=r"drop_encoding") as caught:
        open_cube(tmp_path / "maps.zarr")
    again = xr.open_zarr(tmp_path / "maps.zarr", consolidated=False)
    code = caught.value.repair[caught.value.repair.index("ds.drop") :].split("(...)")[0]
    eval(code, {"ds": again})(tmp_path / "new.zarr", zarr_format=3, consolidated=False)
    open_cube(tmp_path / "new.zarr").require_daily()
    assert open_cube(tmp_path / "maps.zarr", chunks={"time": -1}).sizes["time"] == 4
