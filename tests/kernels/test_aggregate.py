"""Segment means in the compiled loop, and what the periods of a calendar add up to."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from gridcal.errors import ConfigError, InputError
from gridcal.kernels.series.aggregate import segment_mean
from gridcal.vocabulary.periods import SCALES, aggregate, in_season, period_index, period_length, period_middle, season_name

X = np.array([[1.0, 10.0], [3.0, np.nan], [5.0, np.nan], [np.nan, np.nan]])


def test_missing_values_are_left_out_and_empty_periods_are_missing():
    mean, count = segment_mean(X, [0, 0, 1, 1], 3, return_count=True)
    np.testing.assert_array_equal(mean, [[2.0, 10.0], [5.0, np.nan], [np.nan, np.nan]])
    np.testing.assert_array_equal(count, [[2, 1], [1, 0], [0, 0]])


def test_days_or_single_values_can_be_left_out():
    days = np.array([True, False, True, True])
    np.testing.assert_array_equal(segment_mean(X, [0, 0, 1, 1], 2, days), [[1.0, 10.0], [5.0, np.nan]])
    values = np.array([[False, True], [True, True], [True, True], [True, True]])
    np.testing.assert_array_equal(segment_mean(X, [0, 0, 1, 1], 2, values), [[3.0, 10.0], [5.0, np.nan]])


def test_a_run_that_diverged_stays_visible():
    assert segment_mean(np.array([[1.0], [np.inf]]), [0, 0], 1)[0, 0] == np.inf


def test_labels_need_no_order():
    np.testing.assert_array_equal(segment_mean(np.arange(6.0)[:, None], [2, 0, 2, 0, 1, 1], 3).ravel(), [2.0, 4.5, 1.0])


def test_single_precision_is_summed_in_double():
    # a float32 running sum of 2**24 and ones stops growing
    x = np.r_[np.float32(2**24), np.ones(7, dtype=np.float32)][:, None]
    assert segment_mean(x, np.zeros(8, dtype=int), 1)[0, 0] == (2**24 + 7) / 8


@pytest.mark.parametrize(
    ("labels", "n_bins", "valid", "says"),
    [
        ([0, 0, 1, 2], 2, None, "labels run from 0 to 2, but there are 2 periods"),
        ([-1, 0, 0, 0], 2, None, "labels run from -1"),
        ([0, 0, 0], 1, None, "do not fit"),
        ([0, 0, 0, 0], 1, np.ones(3, dtype=bool), "do not fit"),
        ([0, 0, 0, 0], 1, np.ones((4, 1), dtype=bool), "do not fit"),
    ],
)
def test_labels_that_would_write_beyond_the_array_are_refused(labels, n_bins, valid, says):
    with pytest.raises(InputError, match=says) as caught:
        segment_mean(X, labels, n_bins, valid)
    assert caught.value.repair


def days(year):
    return pd.date_range(f"{year}-01-01", f"{year}-12-31")


@pytest.mark.parametrize(
    ("scale", "year", "count", "last"),
    [
        ("8-day", 2003, 46, 5),  # MODIS composites: 45 of 8 days and one of 5
        ("8-day", 2004, 46, 6),  # 6 in a leap year
        ("weekly", 2003, 52, 8),
        ("weekly", 2004, 52, 9),
        ("monthly", 2003, 12, 31),
        ("yearly", 2004, 1, 366),
        ("daily", 2004, 366, 1),
        ("8-day", 1900, 46, 5),  # 1900 was no leap year, 2000 was one
        ("8-day", 2000, 46, 6),
    ],
)
def test_periods_fill_the_year(scale, year, count, last):
    labels, starts = period_index(days(year), scale)
    length = period_length(starts, scale)
    assert starts.size == count
    assert length[-1] == last
    assert length.sum() == days(year).size
    np.testing.assert_array_equal(np.bincount(labels), length)


def test_composites_begin_on_the_satellites_days_of_the_year():
    # day of year 1, 9, ..., 361 (MOD17A2, GLASS), in common and leap years alike
    for year in (2003, 2004):
        _, starts = period_index(days(year), "8-day")
        assert starts.day_of_year.tolist() == list(range(1, 362, 8))


def test_the_leap_day_belongs_to_february():
    x = xr.DataArray(np.zeros(366), dims="time", coords={"time": days(2004)})
    x.loc["2004-02-29"] = 29.0
    out = aggregate(x, "monthly")
    assert out.values[1] == 1.0
    assert np.count_nonzero(out.values) == 1
    assert period_length(pd.DatetimeIndex(out["time"].values), "monthly")[1] == 29


def test_a_series_that_begins_within_a_period_names_the_periods_first_day():
    labels, starts = period_index(pd.date_range("2003-01-04", "2003-01-10"), "8-day")
    assert [str(s.date()) for s in starts] == ["2003-01-01", "2003-01-09"]
    assert labels.tolist() == [0] * 5 + [1] * 2
    x = xr.DataArray(np.ones(7), dims="time", coords={"time": pd.date_range("2003-01-04", "2003-01-10")})
    # five of eight days, two of eight: the share counts calendar days, not those the series holds
    np.testing.assert_array_equal(np.isfinite(aggregate(x, "8-day", min_fraction=0.5)), [True, False])


def test_labels_at_noon_count_as_their_day():
    at_noon = days(2004) + pd.Timedelta(hours=12)
    for scale in SCALES:
        labels, starts = period_index(at_noon, scale)
        again, same = period_index(days(2004), scale)
        np.testing.assert_array_equal(labels, again)
        assert (starts == same).all()


def test_middle_of_a_period_is_the_later_of_two_days():
    _, starts = period_index(days(2003), "8-day")
    assert str(period_middle(starts, "8-day")[0].date()) == "2003-01-05"
    assert str(period_middle(starts, "8-day")[-1].date()) == "2003-12-29"  # of five days
    assert str(period_middle(pd.DatetimeIndex(["2003-01-01"]), "yearly")[0].date()) == "2003-07-02"


def test_integers_become_numbers_with_a_fraction_and_single_precision_stays():
    x = xr.DataArray(np.arange(8), dims="time", coords={"time": days(2003)[:8]})
    assert aggregate(x, "8-day").values[0] == 3.5
    assert aggregate(x.astype(np.float32), "8-day").dtype == np.float32


def test_metadata_say_that_it_is_a_mean():
    x = xr.DataArray(
        np.ones(8), dims="time", coords={"time": days(2003)[:8]}, attrs={"units": "K", "cell_methods": "area: mean"}
    )
    assert aggregate(x, "8-day").attrs == {"units": "K", "cell_methods": "area: mean time: mean"}


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 3000), st.integers(1, 900), st.sampled_from(SCALES))
def test_sums_over_periods_are_the_sum_over_days(start, length, scale):
    time = pd.date_range("1999-01-01", periods=4000)[start : start + length]
    x = xr.DataArray(np.sin(np.arange(length)) + 2.0, dims="time", coords={"time": time})
    labels, starts = period_index(time, scale)
    assert (np.diff(labels) >= 0).all()
    assert (starts[labels] <= time).all()
    assert (time < starts[labels] + pd.to_timedelta(period_length(starts, scale)[labels], unit="D")).all()
    assert starts.is_unique
    total = (aggregate(x, scale).values * np.bincount(labels)).sum()
    assert total == pytest.approx(float(x.sum()))


def test_unknown_scales_and_seasons_list_the_known_ones():
    with pytest.raises(ConfigError, match=r"'fortnight'.*8-day, weekly"):
        period_index(days(2003), "fortnight")
    with pytest.raises(ConfigError, match=r"'monsoon'.*growing season"):
        season_name("monsoon")
    with pytest.raises(InputError, match="not sorted"):
        period_index(days(2003)[::-1], "8-day")
    with pytest.raises(InputError, match="not dates"):
        period_index(pd.Index([1, 2, 3]), "8-day")


def test_seasons_of_many_pixels_at_once():
    both = in_season(days(2003), "GS", southern=np.array([False, True]))
    np.testing.assert_array_equal(both[:, 0], np.isin(days(2003).month, [5, 6, 7, 8, 9]))
    np.testing.assert_array_equal(both[:, 1], np.isin(days(2003).month, [11, 12, 1, 2, 3]))
    assert in_season(days(2003), "all", southern=np.array([False, True])).all()
