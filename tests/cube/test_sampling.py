import numpy as np
import pytest
import xarray as xr

from gridcal.cube import Cube
from gridcal.cube.sampling import sample_pixels
from gridcal.errors import InputError


def grid(lat=12, lon=15, chunks=None, **extra):
    rng = np.random.default_rng(5)
    ds = xr.Dataset(
        {
            "elv": (("lat", "lon"), rng.uniform(0, 900, (lat, lon)).astype(np.float32), {"units": "m"}),
            "koeppen": (("lat", "lon"), rng.choice(["Cfa", "Dfb"], (lat, lon), p=[0.9, 0.1])),
            **extra,
        },
        coords={"lat": 30 + 0.5 * np.arange(lat), "lon": -90 + 0.5 * np.arange(lon)},
    )
    return Cube.from_dataset(ds.chunk(chunks) if chunks else ds, features=("elv", "koeppen"))


def test_pixels_are_distinct_sorted_and_carry_their_place():
    cube = grid()
    pixels = sample_pixels(cube, n=40, seed=3)
    assert pixels.dims == ("pixel",)
    assert np.array_equal(np.unique(pixels), pixels.values)
    lat, lon = np.divmod(pixels.values, 15)
    assert np.array_equal(pixels["lat"], cube.data["lat"].values[lat])
    assert np.array_equal(pixels["lon"], cube.data["lon"].values[lon])


def test_selecting_them_gives_the_same_values_as_the_grid():
    cube = grid()
    pixels = sample_pixels(cube, n=25, seed=1)
    samples = cube.sel(pixel=pixels)
    assert samples.space_dims == ("pixel",)
    flat = cube.data["elv"].values.ravel()
    assert np.array_equal(samples["elv"].values, flat[pixels.values])
    assert np.array_equal(samples.data["pixel"], pixels)


def test_the_seed_decides_and_chunks_do_not():
    first = sample_pixels(grid(), n=30, seed=7, stratify_by="elv")
    again = sample_pixels(grid(chunks={"lat": 5, "lon": 4}), n=30, seed=7, stratify_by="elv")
    other = sample_pixels(grid(), n=30, seed=8, stratify_by="elv")
    assert first.identical(again)
    assert not np.array_equal(first, other)


def test_only_pixels_the_mask_leaves_in_are_drawn():
    use = xr.DataArray(np.zeros((12, 15), dtype=bool), dims=("lat", "lon"))
    use[3:6, 2:9] = True
    cube = grid().with_mask(use.assign_coords(lat=grid().data.lat, lon=grid().data.lon))
    drawn = sample_pixels(cube, n=21, seed=0)
    assert np.array_equal(drawn, np.flatnonzero(use.values.ravel()))
    with pytest.raises(InputError, match="22 pixels were asked for, but the mask leaves 21"):
        sample_pixels(cube, n=22, seed=0)


def test_draws_are_even_over_the_pixels():
    cube = grid(lat=4, lon=5)
    counts = np.zeros(20)
    for seed in range(400):
        counts[sample_pixels(cube, n=5, seed=seed).values] += 1
    # 400 draws of a quarter of the pixels: 100 each, binomial sd 8.7
    assert abs(counts - 100).max() < 4.5 * np.sqrt(400 * 0.25 * 0.75)


def test_classes_get_their_share_and_at_least_one():
    values = np.repeat([1, 2, 3], [120, 58, 2]).reshape(12, 15)
    cube = grid(igbp=(("lat", "lon"), values))
    drawn = values.ravel()[sample_pixels(cube, n=30, seed=2, stratify_by="igbp").values]
    counts = dict(zip(*np.unique(drawn, return_counts=True), strict=True))
    assert counts[3] == 1
    assert abs(counts[1] - 20) <= 1
    assert abs(counts[2] - 58 / 6) <= 1
    assert drawn.size == 30


def test_text_classes_are_strata():
    cube = grid()
    letters = cube.data["koeppen"].values.ravel()
    drawn = letters[sample_pixels(cube, n=50, seed=2, stratify_by="koeppen").values]
    assert (drawn == "Dfb").sum() == pytest.approx(50 * (letters == "Dfb").mean(), abs=1)


def test_a_number_is_cut_into_equal_bins():
    cube = grid()
    elv = cube.data["elv"].values.ravel()
    drawn = elv[sample_pixels(cube, n=60, seed=4, stratify_by="elv", bins=4).values]
    edges = np.quantile(elv, [0.25, 0.5, 0.75])
    assert np.array_equal(np.bincount(np.searchsorted(edges, drawn, side="right")), [15, 15, 15, 15])


def test_missing_values_are_a_class_of_their_own():
    cube = grid()
    cube.data["elv"].values[:2] = np.nan
    drawn = cube.data["elv"].values.ravel()[sample_pixels(cube, n=60, seed=4, stratify_by="elv").values]
    assert np.isnan(drawn).sum() == 10


def test_a_class_never_gives_more_pixels_than_it_has():
    values = np.repeat([1, 2], [178, 2]).reshape(12, 15)
    cube = grid(igbp=(("lat", "lon"), values))
    drawn = sample_pixels(cube, n=180, seed=0, stratify_by="igbp")
    assert np.array_equal(drawn, np.arange(180))


def test_more_classes_than_draws_is_an_error():
    cube = grid(igbp=(("lat", "lon"), np.arange(180).reshape(12, 15)))
    with pytest.raises(InputError, match="'igbp' has 180 classes"):
        sample_pixels(cube, n=30, seed=0, stratify_by="igbp")


def test_bad_requests_name_the_repair():
    cube = grid()
    with pytest.raises(InputError, match="Static variables: elv, koeppen"):
        sample_pixels(cube, n=3, seed=0, stratify_by="slope")
    with pytest.raises(InputError, match="0 pixels were asked for"):
        sample_pixels(cube, n=0)
    with pytest.raises(InputError, match="sampled from a grid"):
        sample_pixels(cube.sel(pixel=sample_pixels(cube, 4)), n=2)
