"""Scores by pixel, time scale, season and period, against the same scores made with pandas from the daily series."""

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gridcal.cube import Cube
from gridcal.errors import ConfigError, InputError
from gridcal.evaluation.scores import evaluate, summarise
from gridcal.kernels.series.metrics import METRICS, series_scores
from gridcal.vocabulary.periods import period_middle

TIME = pd.date_range("2003-01-01", "2005-12-31")
LAT = np.array([42.5, 39.3, -33.0])


def observed(gaps=True):
    rng = np.random.default_rng(8)
    season = 5.0 - 4.0 * np.cos(2 * np.pi * (TIME.day_of_year.to_numpy() - 20) / 365)
    values = season[:, None] + rng.normal(0, 1.0, (TIME.size, 3))
    if gaps:
        values[rng.random(values.shape) < 0.3] = np.nan
    return xr.Dataset(
        {"gpp_obs": (("time", "site"), values, {"units": "gC m-2 d-1"})},
        coords={"time": TIME, "site": ["A", "B", "S"], "lat": ("site", LAT)},
    )


def simulated():
    rng = np.random.default_rng(9)
    season = 5.2 - 4.3 * np.cos(2 * np.pi * (TIME.day_of_year.to_numpy() - 28) / 365)
    values = season[:, None] + rng.normal(0, 0.5, (TIME.size, 3))
    values[5:9, 0] = np.nan
    return xr.Dataset(
        {"gpp": (("time", "site"), values, {"units": "gC m-2 d-1"})}, coords={"time": TIME, "site": ["A", "B", "S"]}
    )


def by_pandas(sim, obs, group, length, fraction):
    """Means over the days with both values, of periods with enough of them."""
    frame = pd.DataFrame({"sim": sim, "obs": obs}, index=TIME)
    frame[frame.isna().any(axis=1)] = np.nan
    parts = frame.groupby(group)
    means, count = parts.mean(), parts["sim"].count()
    return means[count >= np.maximum(fraction * length(parts), 1.0)]


GROUPS = {
    "daily": (TIME, lambda g: 1),
    "8-day": (TIME.year * 100 + (TIME.day_of_year - 1) // 8, lambda g: g.size()),
    "weekly": (TIME.year * 100 + np.minimum((TIME.day_of_year - 1) // 7, 51), lambda g: g.size()),
    "monthly": (TIME.year * 100 + TIME.month, lambda g: g.size()),
    "yearly": (TIME.year, lambda g: g.size()),
}


@pytest.mark.parametrize("scale", GROUPS)
@pytest.mark.parametrize("fraction", [0.5, 0.8])
def test_every_scale_agrees_with_pandas(scale, fraction):
    sim, obs = simulated(), observed()
    found = evaluate(sim, obs, scales=(scale,), seasons=("all",), min_fraction=fraction).squeeze(drop=True)
    group, length = GROUPS[scale]
    for k, site in enumerate(sim["site"].values):
        part = by_pandas(sim["gpp"].values[:, k], obs["gpp_obs"].values[:, k], group, length, fraction)
        wanted = series_scores(part["sim"].to_numpy(), part["obs"].to_numpy())
        for name, value in wanted.items():
            assert float(found[name].sel(site=site)) == pytest.approx(value, rel=1e-9, nan_ok=True), (site, name)


def test_a_perfect_run_scores_one_everywhere():
    obs = observed()
    found = evaluate(obs.rename(gpp_obs="gpp"), obs, scales=("daily", "8-day", "monthly"))
    np.testing.assert_allclose(found["nse"], 1.0)
    np.testing.assert_allclose(found["rmse"], 0.0, atol=1e-12)
    assert found.sizes == {"variable": 1, "scale": 3, "season": 3, "period": 1, "site": 3}


def test_missing_days_of_the_run_do_not_bias_a_period():
    # the run is exact but for its level on the days it lacks: pairs are formed day by day, so nothing is left to err
    obs = observed(gaps=False)
    sim = obs.rename(gpp_obs="gpp").copy(deep=True)
    sim["gpp"][::3] = np.nan
    found = evaluate(sim, obs, seasons=("all",), min_fraction=0.5)
    np.testing.assert_allclose(found["rmse"], 0.0, atol=1e-12)


def test_incomplete_periods_are_left_out():
    obs = observed(gaps=False)
    obs["gpp_obs"][0:5] = np.nan  # 3 of 8 days are left of the first composite
    found = evaluate(simulated(), obs, seasons=("all",), min_fraction=0.5).squeeze()
    assert found["n"].values.tolist() == [3 * 46 - 1] * 3
    few = evaluate(simulated(), obs, seasons=("all",), min_fraction=0.3).squeeze()
    # at A the run lacks days 5 to 8 too: nothing is left of its first composite, and 7 of 8 days of the second
    assert few["n"].values.tolist() == [3 * 46 - 1, 3 * 46, 3 * 46]


def test_a_site_without_observations_scores_nothing_and_leaves_the_others_alone():
    obs = observed()
    whole = evaluate(simulated(), obs)
    obs["gpp_obs"][:, 1] = np.nan
    found = evaluate(simulated(), obs)
    assert (found["n"].sel(site="B") == 0).all()
    assert all(np.isnan(found[m].sel(site="B")).all() for m in METRICS)
    xr.testing.assert_equal(found.sel(site=["A", "S"]), whole.sel(site=["A", "S"]))


def test_growing_season_is_may_to_september_and_november_to_march_in_the_south():
    found = evaluate(simulated(), observed(gaps=False), scales=("daily",)).squeeze()
    north, south = found["n"].sel(site="B"), found["n"].sel(site="S")
    assert float(north.sel(season="growing season")) == 3 * 153
    assert float(north.sel(season="rest of the year")) == 1096 - 3 * 153
    assert float(south.sel(season="growing season")) == 3 * 151 + 1  # with one leap day
    assert (found["n"].sel(season="all", site=["B", "S"]) == 1096).all()


def test_an_error_in_one_season_is_seen_in_that_season_alone():
    obs = observed(gaps=False)
    sim = obs.rename(gpp_obs="gpp").copy(deep=True)
    summer = sim["time"].dt.month.isin([6, 7, 8])
    sim["gpp"] = sim["gpp"] + summer
    found = evaluate(sim.isel(site=[0, 1]), obs.isel(site=[0, 1]), scales=("monthly",)).squeeze()
    np.testing.assert_allclose(found["me"].sel(season="growing season"), 3 / 5)
    np.testing.assert_allclose(found["me"].sel(season="rest of the year"), 0.0, atol=1e-12)
    np.testing.assert_allclose(found["me"].sel(season="all"), 3 / 12)


@pytest.mark.parametrize("year", [2003, 2004])
def test_a_composite_belongs_to_the_season_of_its_middle_day(year):
    # 30 September 2003 begins a composite whose middle is 4 October; 30 April 2004 one whose middle is 4 May
    obs = observed(gaps=False).sel(time=str(year))
    begins = 8 * ((obs["time"].dt.dayofyear - 1) // 8)
    sim = obs.rename(gpp_obs="gpp") + begins.astype(float)
    starts = pd.DatetimeIndex([d for d in obs["time"].to_index() if (d.day_of_year - 1) % 8 == 0])
    growing = period_middle(starts, "8-day").month.isin([5, 6, 7, 8, 9])
    found = evaluate(sim, obs, seasons=("growing season",)).squeeze()
    assert float(found["me"].sel(site="B")) == pytest.approx(np.mean(starts.day_of_year[growing] - 1))


def test_periods_are_dates_both_included_or_a_variable():
    obs = observed(gaps=False)
    obs["calibration"] = (("time", "site"), np.zeros((TIME.size, 3), dtype=bool))
    obs["calibration"][:100, 0] = True
    obs["calibration"][:200, 1] = True
    periods = {"first": ("2003", "2003"), "days": ("2004-02-28", "2004-03-01"), "calibration": "calibration"}
    found = evaluate(simulated(), obs, scales=("daily",), seasons=("all",), periods=periods).squeeze()
    assert found["period"].values.tolist() == list(periods)
    assert found["n"].sel(period="first", site="B") == 365
    assert found["n"].sel(period="days", site="B") == 3  # with the leap day
    assert found["n"].sel(period="calibration").values.tolist() == [96.0, 200.0, 0.0]  # A's run lacks four days


def test_a_period_cut_out_is_the_same_as_a_series_cut_short():
    sim, obs = simulated(), observed()
    inside = evaluate(sim, obs, seasons=("all",), periods={"x": ("2004-01-01", "2004-12-31")}).drop_vars("period")
    alone = evaluate(sim.sel(time="2004"), obs.sel(time="2004"), seasons=("all",)).drop_vars("period")
    xr.testing.assert_equal(inside, alone)


@pytest.mark.parametrize("chunks", [{"site": 1}, {"site": 2}, {"site": -1}])
@pytest.mark.parametrize("which", ["sim", "obs", "both"])
def test_lazy_is_the_same_as_in_memory_to_the_bit(chunks, which):
    sim, obs = simulated(), observed()
    spans = {"all": ("2003", "2005"), "late": "late"}
    obs["late"] = (("time", "site"), np.broadcast_to((TIME.year > 2003)[:, None], (TIME.size, 3)))
    wanted = evaluate(sim, obs, scales=("8-day", "monthly"), periods=spans)
    lazy_sim = sim.chunk(chunks) if which != "obs" else sim
    lazy_obs = obs.chunk(chunks) if which != "sim" else obs
    found = evaluate(lazy_sim, lazy_obs, scales=("8-day", "monthly"), periods=spans)
    assert isinstance(found["nse"].data, da.Array)
    xr.testing.assert_identical(found.compute(), wanted)


def test_a_grid_is_scored_pixel_by_pixel():
    sim, obs = simulated(), observed()
    stacked = {"gpp": sim["gpp"], "gpp_obs": obs["gpp_obs"]}
    grid = xr.Dataset(
        {k: (("time", "lat", "lon"), v.values[:, [0, 1, 0, 1]].reshape(-1, 2, 2), v.attrs) for k, v in stacked.items()},
        coords={"time": TIME, "lat": [40.0, 41.0], "lon": [-80.0, -79.0]},
    ).chunk(lat=1, lon=1)
    found = evaluate(grid[["gpp"]], Cube.from_dataset(grid)).compute()
    sites = evaluate(sim, obs)
    assert found["nse"].dims[-2:] == ("lat", "lon")
    np.testing.assert_array_equal(found["nse"].squeeze().values[:, 0], sites["nse"].squeeze().values[..., :2])


def test_units_names_and_the_variant_are_written_down():
    found = evaluate(simulated(), observed(), diso_variant="printed", seasons=("all",))
    assert found["rmse"].attrs["units"] == found["me"].attrs["units"] == "gC m-2 d-1"
    assert found["nse"].attrs["units"] == found["nrmse"].attrs["units"] == "1"
    assert "printed" in found["diso"].attrs["comment"]
    assert all(found[v].attrs["long_name"] for v in found.data_vars)
    np.testing.assert_array_equal(found["lat"], LAT)
    other = evaluate(simulated(), observed(), seasons=("all",))
    assert not np.allclose(found["diso"], other["diso"])
    xr.testing.assert_equal(found.drop_vars("diso"), other.drop_vars("diso"))


def test_several_variables():
    sim, obs = simulated(), observed()
    sim["nee"] = -sim["gpp"]
    obs["nee_obs"] = -obs["gpp_obs"]
    found = evaluate(sim, obs)
    assert found["variable"].values.tolist() == ["gpp", "nee"]
    np.testing.assert_allclose(found["me"].sel(variable="nee"), -found["me"].sel(variable="gpp"))
    np.testing.assert_allclose(found["diso"].sel(variable="nee"), found["diso"].sel(variable="gpp"), rtol=1e-9)


def test_summary_is_the_median_over_sites():
    found = evaluate(simulated(), observed())
    table = summarise(found, ("nse", "rmse"))
    assert len(table) == 3
    row = table[table["season"] == "all"].iloc[0]
    assert row["nse"] == pytest.approx(np.median(found["nse"].sel(season="all").values))


class Refuses:
    """An array that fails if anything computes it."""

    shape, dtype, ndim = (TIME.size, 3), np.dtype(float), 2

    def __getitem__(self, key):
        raise AssertionError("a task ran")


def untouchable(name):
    lazy = da.from_array(Refuses(), chunks=(TIME.size, 1), meta=np.empty((0, 0)), asarray=False, name=f"refuses-{name}")
    values = {name: (("time", "site"), lazy, {"units": "gC m-2 d-1"})}
    return xr.Dataset(values, coords={"time": TIME, "site": ["A", "B", "S"], "lat": ("site", LAT)})


def test_nothing_is_computed_before_it_is_asked_for():
    lazy = evaluate(untouchable("gpp"), untouchable("gpp_obs"))
    with pytest.raises(AssertionError, match="a task ran"):
        lazy["nse"].compute(scheduler="synchronous")


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"variables": {"lai": "gpp_obs"}}, InputError, r"lacks the variable 'lai'.*gpp"),
        ({"variables": {"gpp": "lai_obs"}}, InputError, r"lack the variable 'lai_obs'.*gpp_obs"),
        ({"scales": ("fortnight",)}, ConfigError, "'fortnight'"),
        ({"periods": {"old": ("1990", "1991")}}, ConfigError, r"'old'.*holds no day of the cube .2003-01-01 .. 2005-12-31"),
        ({"periods": {"old": "spin_up"}}, ConfigError, "'spin_up', which is not there"),
        pytest.param({"seasons": ("monsoon",)}, ConfigError, "'monsoon'"),
        pytest.param({"diso_variant": "hu"}, ConfigError, "'hu'"),
        pytest.param({"min_fraction": 7.0}, ConfigError, "min_fraction"),
    ],
)
def test_wrong_requests_are_refused_before_anything_runs(options, error, says):
    with pytest.raises(error, match=says) as caught:
        evaluate(untouchable("gpp"), untouchable("gpp_obs"), **options)
    assert caught.value.repair


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda ds: ds.isel(time=slice(1, None)), "coordinate 'time' differs"),
        (lambda ds: ds.isel(site=[0, 1]), "coordinate 'site' differs"),
        (lambda ds: ds.isel(site=[1, 0, 2]), "coordinate 'site' differs"),
        (lambda ds: ds.assign_coords(time=ds["time"] + np.timedelta64(12, "h")), "12 h apart"),
        (lambda ds: ds.rename(gpp_obs="nee_obs"), "no observed variable fits"),
    ],
)
def test_observations_on_other_coordinates_are_never_cut_to_what_is_shared(change, says):
    with pytest.raises(InputError, match=says):
        evaluate(untouchable("gpp"), change(untouchable("gpp_obs")))
