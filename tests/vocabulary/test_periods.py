"""Periods of a series: closed forms on calendars that can be counted by hand."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gridcal.errors import ConfigError, InputError
from gridcal.vocabulary.periods import aggregate, in_season


def series(start="2003-01-01", days=731, **kind):
    time = pd.date_range(start, periods=days)
    return xr.DataArray(np.arange(days, dtype=float), dims="time", coords={"time": time}, name="gpp", **kind)


def test_eight_day_composites_restart_on_new_years_day():
    out = aggregate(series(), "8-day")
    assert out.sizes["time"] == 92
    first = pd.DatetimeIndex(out["time"].values)
    assert [str(first[k].date()) for k in (0, 1, 45, 46)] == ["2003-01-01", "2003-01-09", "2003-12-27", "2004-01-01"]
    assert out.values[0] == 3.5
    assert out.values[45] == 362.0  # five days: 360 to 364


def test_months_and_years():
    x = series()
    np.testing.assert_allclose(aggregate(x, "monthly").values, x.resample(time="MS").mean().values)
    np.testing.assert_allclose(aggregate(x, "yearly").values, x.resample(time="YS").mean().values)


def test_gaps_count_against_the_calendar():
    x = series(days=16)
    x[:5] = np.nan
    out = aggregate(x, "8-day", min_fraction=0.5)
    assert np.isnan(out.values[0])
    assert out.values[1] == 11.5
    assert aggregate(x, "8-day", min_fraction=0.3).values[0] == 6.0


def test_lazy_is_the_same_as_in_memory():
    x = series().expand_dims(pixel=5).transpose("time", "pixel") * xr.DataArray(np.arange(5.0), dims="pixel")
    lazy = aggregate(x.chunk(pixel=2), "8-day")
    assert lazy.chunks is not None
    xr.testing.assert_identical(lazy.compute(), aggregate(x, "8-day"))


def test_seasons_divide_the_year_and_swap_in_the_south():
    time = pd.date_range("2003-01-01", periods=365)
    growing, rest = in_season(time, "growing season"), in_season(time, "GS", southern=True)
    assert growing.sum() == 31 + 30 + 31 + 31 + 30
    assert rest.sum() == 30 + 31 + 31 + 28 + 31
    assert (in_season(time, "NGS") == ~growing).all()
    with pytest.raises(ConfigError):
        in_season(time, "monsoon")


def test_faults_are_named():
    with pytest.raises(InputError, match="chunked along time"):
        aggregate(series().chunk(time=100), "8-day")
    twice = xr.concat([series(days=3), series(days=3)], dim="time").sortby("time")
    with pytest.raises(InputError, match="2003-01-01"):
        aggregate(twice, "8-day")
    with pytest.raises(ConfigError, match="min_fraction"):
        aggregate(series(), "8-day", min_fraction=2.0)
    with pytest.raises(InputError, match="dates"):
        aggregate(series().drop_vars("time"), "8-day")
