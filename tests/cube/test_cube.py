import dask
import dask.array
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import gridcal as gc
from gridcal.cube import Cube, RangeWarning, check_ranges, open_cube
from gridcal.errors import CatalogError, InputError


def small(lat=6, lon=8, days=40, dtype=np.float32):
    rng = np.random.default_rng(11)
    shape = (days, lat, lon)
    return xr.Dataset(
        {
            "tas": (("time", "lat", "lon"), rng.normal(285, 8, shape).astype(dtype), {"units": "K"}),
            "vpd": (("time", "lat", "lon"), rng.uniform(0, 20, shape).astype(dtype), {"units": "hPa"}),
            "gpp": (
                ("lat", "lon", "time"),
                rng.uniform(0, 1e-7, shape[1:] + shape[:1]).astype(dtype),
                {"units": "kg m-2 s-1"},
            ),
            "elv": (("lat", "lon"), rng.uniform(0, 900, (lat, lon)).astype(dtype), {"units": "m"}),
            "koeppen": (("lat", "lon"), rng.choice(["Cfa", "Dfb"], (lat, lon))),
            "mask": (("lat", "lon"), rng.uniform(size=(lat, lon)) > 0.3),
        },
        coords={
            "time": pd.date_range("2001-01-01", periods=days),
            "lat": 40 - 0.5 * np.arange(lat),
            "lon": -90 + 0.5 * np.arange(lon),
        },
    )


class Computes(dask.callbacks.Callback):
    def __init__(self):
        self.number = 0

    def _start(self, dsk):
        self.number += 1


@pytest.fixture(params=["zarr2", "zarr3", "netcdf"])
def stored(request, tmp_path):
    ds = small()
    if request.param == "netcdf":
        path = tmp_path / "data.nc"
        ds.assign(mask=ds["mask"].astype(np.int8)).to_netcdf(path, engine="netcdf4")
    else:
        path = tmp_path / "data.zarr"
        ds = ds.assign(koeppen=ds["koeppen"].copy(data=(ds["koeppen"].values == "Dfb").astype(np.int8)))
        ds.chunk({"time": -1, "lat": 3, "lon": 4}).to_zarr(path, zarr_format=int(request.param[-1]), consolidated=False)
    return path


def test_opening_computes_nothing_and_values_are_converted(stored):
    with Computes() as count:
        cube = open_cube(stored)
        text = repr(cube)
    assert count.number == 0
    assert all(cube.data[v].chunks is not None for v in ("tas", "vpd", "gpp", "elv"))
    raw = small()
    assert cube["tas"].attrs["units"] == "degC"
    assert cube["tas"].attrs["standard_name"] == "air_temperature"
    np.testing.assert_allclose(cube["tas"].values, raw["tas"].values - 273.15, atol=1e-4)
    np.testing.assert_allclose(cube["vpd"].values, raw["vpd"].values / 10, rtol=1e-6)
    np.testing.assert_allclose(cube["gpp"].values, raw["gpp"].transpose("time", "lat", "lon").values * 8.64e7, rtol=1e-6)
    assert "tas" in text
    assert "degC" in text


def test_order_precision_and_chunks(stored):
    cube = open_cube(stored)
    for name in ("tas", "vpd", "gpp"):
        assert cube[name].dims == ("time", "lat", "lon")
        assert cube[name].dtype == np.float32
        assert len(cube[name].chunksizes["time"]) == 1
    assert cube.space_dims == ("lat", "lon")
    assert cube.sizes == {"time": 40, "lat": 6, "lon": 8}


def test_double_precision_is_kept():
    assert Cube.from_dataset(small(dtype=np.float64))["tas"].dtype == np.float64


def test_variables_can_be_chosen(stored):
    cube = open_cube(stored, variables=["tas", "elv"])
    assert set(cube.data.data_vars) == {"tas", "elv"}
    with pytest.raises(InputError, match=r"no variable 'tass'. Did you mean tas\?"):
        open_cube(stored, variables=["tass"])


def test_the_public_names():
    assert gc.Cube is Cube
    assert gc.open_cube is open_cube


def test_a_cube_does_not_change_its_input():
    ds = small()
    before = ds.copy(deep=True)
    Cube.from_dataset(ds)
    xr.testing.assert_identical(ds, before)


def test_mask_and_features():
    cube = Cube.from_dataset(small(), features=("elv", "koeppen"))
    assert cube.mask_name == "mask"
    assert cube.mask.dtype == bool
    assert np.array_equal(np.isnan(cube.features["elv"].values), ~cube.mask.values)
    assert cube.features["elv"].attrs["units"] == "m"
    assert list(cube.features.data_vars) == ["elv", "koeppen"]


def test_masks_add_up():
    cube = Cube.from_dataset(small().drop_vars("mask"))
    assert cube.mask is None
    high, cold = cube.data["elv"] > 300, cube.data["koeppen"] == "Dfb"
    both = cube.with_mask(high).with_mask(cold.transpose("lon", "lat"))
    assert np.array_equal(both.mask.values, (high & cold).values)
    with pytest.raises(InputError, match="the mask has the dimensions"):
        cube.with_mask(high.isel(lat=0, drop=True))
    with pytest.raises(InputError, match="coordinate 'lat' differs"):
        cube.with_mask(high.assign_coords(lat=high.lat + 0.25))


def test_stacked_pixels_are_those_of_the_mask():
    cube = Cube.from_dataset(small().chunk({"lat": 3, "lon": 4}), features=("elv",))
    with Computes() as count:
        stacked = cube.stack_pixels()
    assert count.number <= 1  # the mask alone
    numbers = np.flatnonzero(small()["mask"].values.ravel())
    assert np.array_equal(stacked.data["pixel"], numbers)
    expected = cube["tas"].values.reshape(40, -1)[:, numbers]
    assert np.array_equal(stacked["tas"].values, expected)
    assert stacked["tas"].dims == ("time", "pixel")
    assert stacked.mask.values.all()
    with pytest.raises(InputError, match="only a grid"):
        stacked.stack_pixels()


def test_selection():
    cube = Cube.from_dataset(small(), features=("elv",))
    year = cube.sel(time=slice("2001-01-05", "2001-01-08"))
    assert year.sizes["time"] == 4
    assert year.feature_names == ("elv",)
    both = cube.sel(pixel=[0, 9], time="2001-01-03")
    assert np.array_equal(both["tas"].values.ravel(), cube["tas"].values[2, [0, 1], [0, 1]])
    assert cube.sel(lat=39.9, method="nearest").data["lat"] == 40.0
    assert cube.isel(lat=slice(0, 2)).sizes["lat"] == 2
    with pytest.raises(InputError, match="pixel 48 lies outside the grid of 48"):
        cube.sel(pixel=[48])
    with pytest.raises(InputError, match="pixel -1 lies outside"):
        cube.sel(pixel=[-1])
    with pytest.raises(InputError, match="no dimension 'site'"):
        cube.sel(site="US-Ha1")
    with pytest.raises(InputError, match="is not in the cube"):
        cube.sel(lat=12.3)


def test_a_site_that_is_not_there_is_answered_with_the_nearest():
    ds = xr.Dataset({"whc": ("site", [200.0, 210.0], {"units": "mm"})}, coords={"site": ["US-Ha1", "US-MMS"]})
    with pytest.raises(InputError, match="Did you mean US-Ha1"):
        Cube.from_dataset(ds).sel(site="US-Ha2")


def test_join_adds_variables_on_the_same_coordinates():
    cube = Cube.from_dataset(small(), features=("elv",))
    co2 = xr.Dataset({"co2": ("time", np.full(40, 370.0), {"units": "ppm"})}, coords={"time": cube.data["time"]})
    slope = xr.Dataset(
        {"field_capacity": (("lat", "lon"), np.ones((6, 8)), {"units": "mm"})}, coords=small()[["lat", "lon"]].coords
    )
    joined = cube.join(co2).join(Cube.from_dataset(slope, features=("field_capacity",)))
    assert joined.feature_names == ("elv", "field_capacity")
    assert joined["co2"].dims == ("time",)
    assert joined.sizes == cube.sizes
    assert joined.mask_name == "mask"


def test_join_never_overwrites_or_broadcasts():
    cube = Cube.from_dataset(small())
    with pytest.raises(InputError, match="variable 'tas' is in both cubes"):
        cube.join(cube)
    with pytest.raises(InputError, match="the other has the dimension 'pixel'"):
        cube.join(cube.sel(pixel=[1, 2]).data[["elv"]].rename(elv="slope"))


def test_snapping_is_explicit_and_bounded():
    cube = Cube.from_dataset(small())
    other = small()[["elv"]].rename(elv="mat").assign_coords(lat=cube.data.lat + 7e-15, lon=cube.data.lon)
    other["mat"].attrs["units"] = "degC"
    with pytest.raises(InputError, match=r"grid steps apart\).*Snap one onto the other"):
        cube.join(other)
    joined = cube.join(Cube.from_dataset(other).snap(cube))
    assert joined.sizes == cube.sizes
    shifted = Cube.from_dataset(other.assign_coords(lat=cube.data.lat + 0.25))
    with pytest.raises(InputError, match=r"up to 0\.5 grid steps apart"):
        shifted.snap(cube)


def test_what_is_missing_is_named_with_what_is_near():
    cube = Cube.from_dataset(small().rename(tas="tasmean"))
    with pytest.raises(InputError) as caught:
        cube.require(["vpd", "tas"])
    message = str(caught.value)
    assert "lacks the variable 'tas' (air temperature, daily mean, degC)" in message
    assert "Did you mean tasmean" in message
    assert "catalog entry" in message
    with pytest.raises(InputError, match="lacks the variable 'fapar'"):
        cube["fapar"]
    assert "vpd" in cube


def test_repr_names_variables_units_grid_and_period():
    cube = Cube.from_dataset(small().chunk({"lat": 3, "lon": 4}), features=("elv",))
    for text in (repr(cube), cube._repr_html_()):
        for part in (
            "2001-01-01 .. 2001-02-09",
            "40 .. 37.5 by 0.5 (6)",
            "tas",
            "degC",
            "gC m-2 d-1",
            "feature",
            "mask",
        ):
            assert part in text
    assert "chunks 40 x 3 x 4" in repr(cube)


def test_html_is_escaped():
    ds = xr.Dataset({"<b>": ("site", [1.0])}, coords={"site": ["<script>"]})
    assert "<script>" not in Cube.from_dataset(ds)._repr_html_()


@pytest.mark.parametrize(
    ("name", "factor", "shift"),
    [("tas", 1.0, 0.0), ("vpd", 10.0, 0.0), ("gpp", 1e6, 0.0)],
    ids=["kelvin", "hPa", "micro"],
)
def test_legal_units_with_impossible_values_warn(name, factor, shift):
    ds = small()
    ds[name] = (ds[name] * factor + shift).assign_attrs(units={"tas": "degC", "vpd": "kPa", "gpp": "kg m-2 s-1"}[name])
    with pytest.warns(RangeWarning, match=f"'{name}' reaches"):
        found = check_ranges(Cube.from_dataset(ds))
    assert [f.impossible for f in found] == [True]


def test_possible_values_do_not_warn_and_little_is_read():
    cube = Cube.from_dataset(small(lat=30, lon=40).chunk({"lat": 1, "lon": 1}))
    read = []
    original = xr.DataArray.values.fget

    def watched(self):
        read.append(self.size)
        return original(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xr.DataArray, "values", property(watched))
        assert check_ranges(cube) == []
    assert max(read) <= max(8 * 40, 30 * 40)  # eight pixels of a series, or the mask


def test_tables_and_series(tmp_path):
    (tmp_path / "soil.csv").write_text("# from a survey\nsite,whc,igbp\nUS-Ha1,210,DBF\nUS-MMS,,\n")
    (tmp_path / "soil.yml").write_text(
        "title: t\nkind: sites\nformat: csv\nlocation: ./soil.csv\nindex: site\nlicence: CC0-1.0\ncitation: none\n"
        "features: [whc, igbp]\nvariables: {whc: {units: cm}, igbp: {}}\n"
    )
    cube = open_cube(tmp_path / "soil.yml")
    assert cube.space_dims == ("site",)
    np.testing.assert_allclose(cube["whc"].values, [2100.0, np.nan])
    assert list(cube.features["igbp"].values) == ["DBF", ""]
    assert cube.entry.title == "t"


def test_an_entry_renames_masks_fill_values_and_declares_units(tmp_path):
    ds = xr.Dataset(
        {"TA": (("day", "y"), np.array([[300.0, 999.9]], dtype=np.float32))},
        coords={"day": pd.date_range("2001-01-01", periods=1), "y": ["a", "b"]},
    )
    ds.to_netcdf(tmp_path / "x.nc", engine="netcdf4")
    (tmp_path / "x.yml").write_text(
        "title: t\nkind: sites\nformat: netcdf\nlocation: ./x.nc\nlicence: CC0-1.0\ncitation: none\n"
        "dims: {day: time, y: site}\nvariables: {tas: {native: TA, units: K, fill_values: [999.9]}}\n"
    )
    cube = open_cube(tmp_path / "x.yml")
    np.testing.assert_allclose(cube["tas"].values, [[26.85, np.nan]], atol=1e-4)


@pytest.mark.parametrize("suffix", ["nc", "zarr"])
def test_a_duration_is_a_number_of_days(suffix, tmp_path):
    season = np.array([150.0, 210.0])
    ds = xr.Dataset(
        {
            "gsl": ("site", season, {"units": "days"}),
            "fire_return": ("site", (season * 86400e9).astype("timedelta64[ns]")),  # written in days, with a mark by xarray
        },
        coords={"site": ["a", "b"]},
    )
    path = tmp_path / f"x.{suffix}"
    if suffix == "nc":
        ds.to_netcdf(path, engine="netcdf4")
    else:
        ds.to_zarr(path, consolidated=False)
    cube = open_cube(path)
    for name in ds.data_vars:
        np.testing.assert_array_equal(cube[name].values, season)
        assert cube[name].attrs["units"] in ("d", "days")
        assert "dtype" not in cube[name].attrs


def test_nothing_there():
    with pytest.raises(CatalogError, match=r"there is nothing at 'no/such.zarr'"):
        open_cube("no/such.zarr")
    with pytest.raises(CatalogError, match=r"no catalog entry 'flux-sites-dayly'. Did you mean flux-sites-daily"):
        open_cube("flux-sites-dayly")


def test_samples_read_every_chunk_once():
    reads = []

    def block(block_info=None):
        reads.append(block_info[None]["chunk-location"])
        return np.full(block_info[None]["chunk-shape"], 280.0, dtype=np.float32)

    x = dask.array.map_blocks(block, chunks=((20,), (5,) * 8, (5,) * 6), dtype=np.float32, meta=np.empty((0, 0, 0), np.float32))
    ds = xr.Dataset(
        {"tas": (("time", "lat", "lon"), x, {"units": "K"})},
        coords={"time": pd.date_range("2001-01-01", periods=20), "lat": 30 + 0.1 * np.arange(40), "lon": 0.1 * np.arange(30)},
    )
    samples = Cube.from_dataset(ds).sel(pixel=gc.sample_pixels(Cube.from_dataset(ds), n=300, seed=0))
    assert reads == []
    assert len(samples["tas"].chunksizes["time"]) == 1
    np.testing.assert_allclose(samples["tas"].values, 6.85, atol=1e-4)
    assert len(reads) == len(set(reads)) == 48
