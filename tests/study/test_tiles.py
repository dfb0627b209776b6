import itertools

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from gridcal.errors import StudyError
from gridcal.study.tiles import tile_chunks, tiles
from gridcal.study.tiles_on_workers import run_tile


def grid(lat=7, lon=9, chunks=None):
    ds = xr.Dataset(
        {"x": (("time", "lat", "lon"), np.zeros((3, lat, lon), np.float32)), "y": (("lat", "lon"), np.ones((lat, lon)))}
    )
    return ds if chunks is None else ds.chunk(chunks)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 17), st.integers(1, 17))
def test_tiles_cover_space_once(lat, lon, a, b):
    count = np.zeros((lat, lon), int)
    names = []
    for name, region in tiles({"lat": lat, "lon": lon, "time": 5}, {"lat": a, "lon": b}):
        count[region["lat"], region["lon"]] += 1
        names.append(name)
        assert region["lat"].start % a == 0
        assert region["lat"].stop % a == 0 or region["lat"].stop == lat
    assert (count == 1).all()
    assert names == sorted(names)
    assert len(set(names)) == len(names)


def test_without_space_there_is_one_tile():
    assert list(tiles({"run": 3}, {})) == [("0", {})]


def test_chunks_of_the_data_are_the_tiles():
    assert tile_chunks(grid(chunks={"lat": 4, "lon": 5})) == {"lat": 4, "lon": 5}
    assert tile_chunks(grid()) == {"lat": 7, "lon": 9}
    assert tile_chunks(xr.Dataset({"x": ("pixel", np.zeros(1000))})) == {"pixel": 256}
    assert tile_chunks(xr.Dataset({"x": ("run", np.zeros(3))})) == {}
    assert tile_chunks(xr.Dataset({"x": ("site", np.zeros(0))})) == {"site": 1}


def test_ragged_or_different_chunks_are_refused_by_name():
    with pytest.raises(StudyError, match="'x' has chunks of several sizes along 'lat'"):
        tile_chunks(grid(chunks={"lat": (2, 4, 1)}))
    ds = grid(chunks={"lat": 4})
    ds["y"] = ds["y"].chunk(lat=2)
    with pytest.raises(StudyError, match=r"different chunks along 'lat'.*'y'"):
        tile_chunks(ds)


def test_a_tile_is_retried_on_input_errors_only(tmp_path, monkeypatch):
    monkeypatch.setattr("gridcal.study.tiles_on_workers.time.sleep", lambda s: None)
    for error, tries in ((OSError("stale handle"), 3), (ValueError("bad"), 1)):
        calls = itertools.count(1)

        def fail(block, error=error, calls=calls):
            next(calls)
            raise error

        part = grid(chunks={}).map(lambda x, fail=fail: x.copy(data=x.data.map_blocks(fail, dtype=x.dtype, meta=x.data._meta)))[
            ["y"]
        ]
        with pytest.raises(type(error)):
            run_tile(part, str(tmp_path), {})
        assert next(calls) - 1 == tries
