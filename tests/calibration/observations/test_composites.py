"""Composites at their first days are recognised by their rhythm, and each stands for its days."""

import numpy as np
import pandas as pd
import pytest

from gridcal.calibration.observations.composites import CompositeWarning, rhythm, spread_composites
from gridcal.calibration.target import Target
from gridcal.vocabulary.periods import aggregate, spread

DAYS = pd.date_range("2001-01-01", "2004-12-31")
DOY = DAYS.day_of_year.to_numpy()
RNG = np.random.default_rng(1)


@pytest.mark.parametrize(
    ("present", "step"),
    [
        ((DOY - 1) % 8 == 0, 8),
        ((DOY - 1) % 16 == 0, 16),
        (((DOY - 1) % 8 == 0) & (RNG.uniform(size=DAYS.size) > 0.4), 8),
        (np.arange(DAYS.size) % 5 == 2, 5),
        (np.asarray(DAYS.day) == 1, 30),
        (np.isin(DAYS.day, (1, 11, 21)), 10),
        (np.ones(DAYS.size, dtype=bool), None),
        (RNG.uniform(size=DAYS.size) > 0.95, None),
        (DAYS.day_of_week < 5, None),
        (np.arange(DAYS.size) % 2 == 0, None),
        (np.arange(DAYS.size) == 8, None),
    ],
)
def test_rhythm(present, step):
    assert rhythm(DAYS, present) == step


@pytest.mark.parametrize(("scale", "first"), [("8-day", (DOY - 1) % 8 == 0), ("monthly", np.asarray(DAYS.day) == 1)])
def test_each_stands_for_its_days(scale, first):
    import xarray as xr

    true = xr.DataArray(np.arange(DAYS.size, dtype=float), dims="time", coords={"time": DAYS})
    mean = aggregate(true, scale)
    at_first = np.full((DAYS.size, 1), np.nan)
    at_first[first, 0] = mean.values
    with pytest.warns(CompositeWarning, match="'gpp_obs' have a value every"):
        found = spread_composites(Target("gpp", every=scale), DAYS, at_first)
    again = aggregate(xr.DataArray(found[:, 0], dims="time", coords={"time": DAYS}), scale, min_fraction=1.0)
    np.testing.assert_allclose(again, mean)
    one = xr.DataArray(at_first[:, 0], dims="time", coords={"time": DAYS}, name="gpp_obs")
    np.testing.assert_array_equal(spread(one, scale), found[:, 0])


def test_measurements_of_single_days_are_left_alone():
    x = np.where(((DOY - 1) % 8 == 0)[:, None], 1.0, np.nan)
    assert spread_composites(Target("gpp", every="daily"), DAYS, x) is x
