"""Gaps are filled by a stated rule, up to a stated length, and counted."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gridcal.cube import Cube
from gridcal.cube.gaps import fill_gaps
from gridcal.errors import ConfigError, InputError

N = np.nan


def cube(*series, chunk=None):
    time = pd.date_range("2001-01-01", periods=len(series[0]))
    ds = xr.Dataset(
        {"tas": (("time", "site"), np.array(series).T, {"units": "degC"})}, {"time": time, "site": range(len(series))}
    )
    return Cube.from_dataset(ds.chunk(site=1) if chunk else ds)


@pytest.mark.parametrize("chunk", [None, 1])
@pytest.mark.parametrize(
    ("rule", "days", "expected", "count"),
    [
        ("interpolate", 2, [[N, 1, 2, 3, 4, N, N, N, 8, N], [5, 5, 5, 5, 5, 5, 5, 5, 5, 5]], [2, 0]),
        ("interpolate", 3, [[N, 1, 2, 3, 4, 5, 6, 7, 8, N], [5, 5, 5, 5, 5, 5, 5, 5, 5, 5]], [5, 0]),
        ("carry", 2, [[N, 1, 1, 1, 4, N, N, N, 8, 8], [5, 5, 5, 5, 5, 5, 5, 5, 5, 5]], [3, 0]),
    ],
)
def test_rules(chunk, rule, days, expected, count):
    found = fill_gaps(cube([N, 1, N, N, 4, N, N, N, 8, N], [5] * 10, chunk=chunk), rule=rule, days=days)
    np.testing.assert_allclose(found["tas"].values.T, expected)
    assert found["tas_filled"].values.tolist() == count
    assert rule in found.repairs[-1]


def test_wrong_requests():
    one = cube([1.0, N, 3.0])
    with pytest.raises(ConfigError, match="unknown rule 'guess'"):
        fill_gaps(one, rule="guess")
    with pytest.raises(ConfigError, match="days = 0"):
        fill_gaps(one, days=0)
    with pytest.raises(InputError, match="lacks the variable 'pr'"):
        fill_gaps(one, ["pr"])
