"""Scores where units, seasons and hemispheres meet."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gridcal.errors import InputError
from gridcal.evaluation import evaluate

DAYS = pd.date_range("2001-01-01", "2002-12-31")
SEASON = 10 + 8 * np.cos(2 * np.pi * (DAYS.day_of_year.to_numpy() - 196) / 365)


def pair(lat=None, factor=1.0, units="gC m-2 d-1"):
    rng = np.random.default_rng(0)
    sim = xr.Dataset({"gpp": (("time", "site"), SEASON[:, None] + rng.normal(size=(DAYS.size, 2)), {"units": "gC m-2 d-1"})})
    sim = sim.assign_coords(time=DAYS, site=["a", "b"])
    obs = xr.Dataset(
        {"gpp_obs": (("time", "site"), np.repeat(SEASON[:, None], 2, axis=1) * factor, {"units": units})}, sim.coords
    )
    return sim, obs if lat is None else obs.assign_coords(lat=("site", lat))


@pytest.mark.parametrize(("factor", "units"), [(1e-3 / 86400, "kgC m-2 s-1"), (1e-3, "kgC m-2 d-1"), (365.25, "gC m-2 yr-1")])
def test_other_units_give_the_same_scores(factor, units):
    sim, obs = pair()
    want, found = evaluate(sim, obs), evaluate(*pair(factor=factor, units=units))
    np.testing.assert_allclose(found.rmse, want.rmse, rtol=1e-9)
    assert found.rmse.attrs["units"] == "gC m-2 d-1"


def test_what_measures_something_else_is_refused():
    with pytest.raises(InputError, match="'gpp_obs' is in 'mm d-1', but what it meets is in 'gC m-2 d-1'"):
        evaluate(*pair(units="mm d-1"))


def test_two_variables_keep_their_units():
    sim, obs = pair()
    sim["et"] = (sim.gpp / 4).assign_attrs(units="mm d-1")
    obs["et_obs"] = (obs.gpp_obs / 4 / 86400).assign_attrs(units="kg m-2 s-1")
    found = evaluate(sim, obs, variables={"gpp": "gpp_obs", "et": "et_obs"})
    assert found.variable_units.values.tolist() == ["gC m-2 d-1", "mm d-1"]
    np.testing.assert_allclose(found.rmse.sel(variable="et"), found.rmse.sel(variable="gpp") / 4, rtol=1e-9)


@pytest.mark.parametrize("put", ["coordinate", "variable", "simulation"])
def test_the_hemisphere_comes_from_the_latitude_wherever_it_stands(put):
    sim, obs = pair()
    lat = ("site", [45.0, -35.0])
    if put == "simulation":
        sim = sim.assign_coords(lat=lat)
    else:
        obs = obs.assign_coords(lat=lat) if put == "coordinate" else obs.assign(lat=lat)
    found = evaluate(sim, obs, scales=("daily",), seasons=("growing season",)).n.isel(variable=0, scale=0, season=0, period=0)
    # May to September has 153 days, November to March 151 (January to March and November, December)
    assert found.values.tolist() == [2 * 153, 2 * 151]


def test_a_season_without_a_latitude_is_refused_and_not_assumed():
    sim, obs = pair()
    assert evaluate(sim, obs).season.values.tolist() == ["all"]
    assert evaluate(*pair(lat=[45.0, 45.0])).season.values.tolist() == ["all", "growing season", "rest of the year"]
    with pytest.raises(InputError, match="a season is asked for, but no latitude"):
        evaluate(sim, obs, seasons=("growing season",))


def test_a_growing_season_is_not_the_whole_year():
    days = pd.date_range("2001-01-01", "2003-12-31")  # no leap day
    coords = {"time": days, "lat": ("site", [45.0, -35.0])}
    rng = np.random.default_rng(0)
    obs = xr.Dataset({"gpp_obs": (("time", "site"), rng.normal(size=(days.size, 2)), {"units": "gC m-2 d-1"})}, coords)
    more = days.month.isin((5, 6, 7, 8, 9)).astype(float)[:, None]
    sim = xr.Dataset({"gpp": (("time", "site"), obs.gpp_obs.values + more, {"units": "gC m-2 d-1"})}, coords)
    found = evaluate(sim, obs, scales=("yearly",)).me.isel(variable=0, scale=0, period=0)
    np.testing.assert_allclose(found.sel(season="growing season"), [1.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(found.sel(season="rest of the year"), [0.0, 153 / 214], atol=1e-12)
    np.testing.assert_allclose(found.sel(season="all"), [153 / 365, 153 / 365], atol=1e-12)
