"""Gaps of daily series: short ones are straight lines, long ones the mean seasonal cycle."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridcal.kernels.series.fill import SHORTEST, WINDOW, fill_gaps, seasonal_cycle

TIME = pd.date_range("2001-01-01", "2004-12-31")
DOY = TIME.day_of_year.to_numpy()
WAVE = 10.0 - 8.0 * np.cos(2 * np.pi * (DOY - 15) / 365.25)


def with_gap(start, length, x=WAVE):
    x = x.copy()
    x[start : start + length] = np.nan
    return x


def test_a_series_without_gaps_is_returned_as_a_copy():
    out, flag = fill_gaps(WAVE, DOY)
    np.testing.assert_array_equal(out, WAVE)
    assert out is not WAVE
    assert not flag.any()


def test_a_series_without_values_stays_missing():
    out, flag = fill_gaps(np.full(40, np.nan), DOY[:40])
    assert np.isnan(out).all()
    assert not flag.any()


def test_short_gaps_are_straight_lines():
    x = np.array([0.0, np.nan, np.nan, 3.0, np.nan, 7.0])
    out, flag = fill_gaps(x, DOY[:6])
    np.testing.assert_allclose(out, [0.0, 1.0, 2.0, 3.0, 5.0, 7.0])
    assert flag.tolist() == [0, 1, 1, 0, 1, 0]


def test_the_limit_between_line_and_cycle_is_five_days():
    assert SHORTEST == 5
    assert set(fill_gaps(with_gap(100, 5), DOY)[1][100:105]) == {1}
    assert set(fill_gaps(with_gap(100, 6), DOY)[1][100:106]) == {2}
    assert set(fill_gaps(with_gap(100, 6), DOY, shortest=6)[1][100:106]) == {1}


def test_a_long_gap_takes_the_other_years():
    out, flag = fill_gaps(with_gap(500, 90), DOY)
    assert (flag[500:590] == 2).all()
    # a sine of amplitude 8 loses less than a percent of it in a mean over 15 days
    np.testing.assert_allclose(out[500:590], WAVE[500:590], atol=0.12)


def test_ends_are_never_extrapolated_along_a_line():
    x = WAVE.copy()
    x[:3] = x[-3:] = np.nan
    out, flag = fill_gaps(x, DOY)
    assert set(flag[:3]) == set(flag[-3:]) == {2}
    np.testing.assert_allclose(out[:3], WAVE[:3], atol=0.12)


def test_cycle_is_the_mean_over_a_window_round_the_year():
    x = np.full(DOY.size, np.nan)
    x[0] = 8.0  # 1 January alone
    cycle = seasonal_cycle(x, DOY)
    half = WINDOW // 2
    near = np.r_[np.arange(1, half + 2), np.arange(366 - half + 1, 367)]  # days within the window, also those of December
    np.testing.assert_array_equal(cycle[near - 1], 8.0)
    assert np.isfinite(cycle).all()  # wider windows reach the rest


def test_cycle_of_a_day_is_the_mean_of_its_window_and_years():
    rng = np.random.default_rng(1)
    x = rng.normal(size=DOY.size)
    cycle = seasonal_cycle(x, DOY)
    for day in (1, 8, 180, 359, 366):
        distance = np.minimum(np.abs(DOY - day), 366 - np.abs(DOY - day))
        assert cycle[day - 1] == pytest.approx(x[distance <= 7].mean(), rel=1e-9)


def test_cycle_without_values_is_missing():
    assert np.isnan(seasonal_cycle(np.full(DOY.size, np.nan), DOY)).all()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, DOY.size - 1), st.integers(1, 300)), min_size=1, max_size=12))
def test_given_values_are_never_touched_and_every_gap_is_filled_within_the_range(gaps):
    x = WAVE.copy()
    for start, length in gaps:
        x[start : start + length] = np.nan
    out, flag = fill_gaps(x, DOY)
    given_days = np.isfinite(x)
    np.testing.assert_array_equal(out[given_days], x[given_days])
    np.testing.assert_array_equal(flag == 0, given_days)
    if given_days.any():
        assert np.isfinite(out).all()
        assert out.min() >= x[given_days].min() - 1e-9
        assert out.max() <= x[given_days].max() + 1e-9
