"""SPIE and its objective: exact and difference gradients, learning through the model, any model, storage, maps."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import gridcal
from gridcal.errors import ConfigError, InputError
from gridcal.extrapolation.spie.learner import SPIE
from gridcal.extrapolation.spie.objective import DifferenceObjective, ExactObjective, site_objective
from gridcal.extrapolation.spie.optimum import SearchSettings, optimum
from gridcal.extrapolation.spie.site_series import SiteSeries
from gridcal.kernels.lanes.schedule import Repeat
from gridcal.models.lue import PARAMETERS, PARAMETERS_WIDE, lue

FIT = ("eps_max", "Topt", "kT", "WI")


def world(n=24, days=500, seed=1, noise=0.2):
    """Sites whose parameters are functions of two features; forcing, observations, truth in the unit cube."""
    rng = np.random.default_rng(seed)
    warm, dry = rng.uniform(-1, 1, n), rng.uniform(-1, 1, n)
    unit = np.full((n, 13), 0.5)
    index = [PARAMETERS.index(name) for name in FIT]
    unit[:, index] = np.stack([0.2 + 0.1 * warm, 0.5 + 0.3 * warm, 0.4 - 0.2 * dry, 0.3 + 0.2 * dry], axis=1)
    unit[:, PARAMETERS.index("gamma")] = 0.05
    unit[:, PARAMETERS.index("mu")] = 0.3
    theta = PARAMETERS.from_unit(unit).T
    forcing, obs, time = [], [], pd.date_range("2001-01-01", periods=days)
    season = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(days) / 365.0)
    for s in range(n):
        light = 2 + 10 * season * rng.uniform(0.3, 1, days)
        forcing.append(
            (
                8 * warm[s] + 4 + 16 * season + rng.normal(0, 3, days), 0.1 + 1.5 * season * rng.random(days), light,
                0.2 + 0.6 * season, np.clip(0.6 - 0.4 * season - 0.2 * dry[s] + rng.normal(0, 0.1, days), 0, 1),
                np.linspace(375, 395, days), np.clip(rng.normal(0.5, 0.15, days), 0.05, 1),
            )
        )  # fmt: skip
        (gpp,), _ = lue.run(theta[:, [s]], [x[:, None] for x in forcing[-1]], np.zeros((2, 1)))
        y = gpp[:, 0] + noise * gpp.std() * rng.normal(size=days)
        obs.append(np.where(rng.random(days) < 0.2, np.nan, y))
    series = SiteSeries(
        tuple(f"s{k}" for k in range(n)), (time,) * n, tuple(forcing), np.zeros((2, n)), {"gpp": tuple(obs)},
        tuple(np.ones(days) for _ in range(n)),
    )  # fmt: skip
    features = xr.Dataset({"warm": ("site", warm), "dry": ("site", dry)}, coords={"site": list(series.labels)})
    return series, features, unit[:, index]


FIXED = {"gamma": 0.05, "mu": 1e-3 + 0.3 * 0.999}


@pytest.fixture(scope="module")
def made():
    return world()


def objective(series, **options):
    return site_objective(lue, series, fit=FIT, fixed=FIXED, **options)


@pytest.mark.parametrize("table", [PARAMETERS, PARAMETERS_WIDE])
def test_exact_and_difference_gradients_agree(made, table):
    series, _, _ = made
    model = lue.with_parameters(table)
    exact = site_objective(model, series, constraint=0.3)
    rough = site_objective(model, series, constraint=0.3, gradient="differences", step=1e-6)
    assert isinstance(exact, ExactObjective)
    assert isinstance(rough, DifferenceObjective)
    rng = np.random.default_rng(2)
    unit, which = rng.uniform(0.15, 0.85, (8, 13)), np.array([0, 3, 3, 5, 9, 11, 20, 23])
    cost, slope = exact.cost_gradient(unit, which)
    other, near = rough.cost_gradient(unit, which)
    np.testing.assert_allclose(cost, other, rtol=1e-10)
    np.testing.assert_allclose(cost, exact.cost(unit, which), rtol=1e-12)
    np.testing.assert_allclose(slope, near, rtol=2e-5, atol=2e-5)


def test_central_differences_of_the_whole_cost(made):
    series, _, _ = made
    exact = site_objective(lue, series, constraint=0.3)
    unit = np.random.default_rng(3).uniform(0.2, 0.8, (1, 13))
    which = np.array([4])
    _, slope = exact.cost_gradient(unit, which)
    step = 1e-5 * np.eye(13)
    up, down = exact.cost(unit + step, which.repeat(13)), exact.cost(unit - step, which.repeat(13))
    np.testing.assert_allclose(slope[0], (up - down) / 2e-5, rtol=1e-5, atol=1e-8)


def test_differences_flip_their_side_at_the_upper_bound(made):
    series, _, _ = made
    rough = objective(series, gradient="differences")
    cost, slope = rough.cost_gradient(np.ones((1, 4)), np.array([0]))
    exact = objective(series).cost_gradient(np.ones((1, 4)), np.array([0]))
    np.testing.assert_allclose(cost, exact[0], rtol=1e-10)
    np.testing.assert_allclose(slope, exact[1], atol=0.02 * np.abs(exact[1]).max())


def test_hard_constraint_rejects(made):
    series, _, _ = made
    hard, free = site_objective(lue, series, constraint=np.inf), site_objective(lue, series)
    bad = np.full((1, 13), 0.5)
    bad[0, PARAMETERS.index("kT")] = 1.0  # cold days keep half of their response
    good = np.full((1, 13), 0.5)
    good[0, [PARAMETERS.index(n) for n in ("Topt", "kT", "kappa")]] = 0.9, 0.1, 0.0
    which = np.array([0])
    assert hard.cost(bad, which)[0] > 1.0 > free.cost(bad, which)[0]
    assert hard.cost(good, which)[0] == free.cost(good, which)[0]


def test_weight_of_the_constraint_can_be_changed_without_the_data(made):
    series, _, _ = made
    exact = site_objective(lue, series, constraint=0.5)
    again = exact.with_constraint(0.0)
    assert again.days is exact.days
    unit, which = np.full((1, 13), 0.5), np.array([1])
    np.testing.assert_allclose(again.cost(unit, which), site_objective(lue, series).cost(unit, which))


def test_subsample_of_days_does_not_depend_on_the_other_sites(made):
    series, _, _ = made
    every = site_objective(lue, series, days=100, seed=4)
    some = site_objective(lue, series.select([7, 2]), days=100, seed=4)
    unit = np.full((2, 13), 0.5)
    assert (every.days.n_days == 100).all()
    np.testing.assert_array_equal(every.cost(unit, np.array([7, 2])), some.cost(unit, np.array([0, 1])))


def test_optimum_finds_the_planted_parameters(made):
    series, _, truth = made
    found = optimum(objective(series), np.array([3]), SearchSettings(optimiser="lbfgs"), np.random.SeedSequence(1))
    np.testing.assert_allclose(found.unit[:3], truth[3, :3], atol=0.12)
    cma = optimum(objective(series), np.array([3]), SearchSettings(max_evaluations=600), np.random.SeedSequence(1))
    assert cma.cost <= found.cost + 1e-4
    again = optimum(objective(series), np.array([3]), SearchSettings(max_evaluations=600), np.random.SeedSequence(1))
    np.testing.assert_array_equal(cma.unit, again.unit)


def median_nse(series, unit, rows):
    cost = objective(series).cost(unit, rows)
    return float(np.median(1.0 - cost / (1.0 - cost)))


QUICK = {
    "epochs": 500, "learning_rate": 1e-2, "dropout_input": 0.0, "dropout_hidden": 0.05, "start": "middle",
    "features": ("warm", "dry"),
}  # fmt: skip


@pytest.fixture(scope="module")
def trained(made):
    series, features, _ = made
    rows = np.arange(18)
    learner = SPIE(members=2, seed=3, **QUICK)
    return learner.fit(features, objective(series), rows), series, features


def test_learns_parameters_through_the_model(trained, made):
    learner, series, features = trained
    truth = made[2]
    theta = learner.predict(features)
    unit = learner.table_.to_unit(np.stack([theta[n].values for n in FIT], axis=1))
    held = np.arange(18, 24)
    single = optimum(objective(series), np.arange(18), SearchSettings(optimiser="lbfgs"), np.random.SeedSequence(1)).unit
    assert median_nse(series, unit[held], held) > median_nse(series, np.tile(single, (6, 1)), held) + 0.02
    assert median_nse(series, unit[held], held) > median_nse(series, truth[held], held) - 0.05
    assert np.corrcoef(unit[held, 1], truth[held, 1])[0, 1] > 0.95


def test_differences_train_as_well_as_the_exact_gradient(trained):
    learner, series, features = trained
    rows, held = np.arange(18), np.arange(18, 24)
    scores = []
    for gradient in ("exact", "differences"):
        found = SPIE(seed=3, **QUICK).fit(features, objective(series, gradient=gradient), rows).predict(features)
        unit = learner.table_.to_unit(np.stack([found[n].values for n in FIT], axis=1))
        scores.append(median_nse(series, unit[held], held))
    assert abs(scores[0] - scores[1]) < 0.01


def test_poisoned_test_sites_change_nothing(trained):
    learner, series, features = trained
    poisoned = features.copy(deep=True)
    poisoned["warm"][18:], poisoned["dry"][18:] = 1e6, np.nan
    gpp = tuple(y if s < 18 else np.full(y.shape, 1e9) for s, y in enumerate(series.observed["gpp"]))
    forcing = tuple(f if s < 18 else tuple(x * 0 + 400.0 for x in f) for s, f in enumerate(series.forcing))
    bad = dataclasses.replace(series, observed={"gpp": gpp}, forcing=forcing)
    again = SPIE(members=2, seed=3, **QUICK).fit(poisoned, objective(bad), np.arange(18))
    assert again.fingerprint == learner.fingerprint


def test_saved_network_predicts_the_same_bits(trained, tmp_path):
    learner, _, features = trained
    again = SPIE.load(learner.save(tmp_path / "spie.safetensors"))
    xr.testing.assert_identical(again.predict(features, spread=True), learner.predict(features, spread=True))
    assert again.fingerprint == learner.fingerprint
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "spie.safetensors").read_bytes()[:-20])
    with pytest.raises(InputError, match="damaged"):
        SPIE.load(tmp_path / "cut.safetensors")


@pytest.mark.filterwarnings("ignore::gridcal.extrapolation.learners.lacking.MissingFeatureWarning")
def test_map_is_lazy_and_independent_of_chunks(trained):
    learner, _, _ = trained
    rng = np.random.default_rng(5)
    grid = xr.Dataset({n: (("lat", "lon"), rng.uniform(-1, 1, (9, 14))) for n in ("warm", "dry")})
    grid["warm"][2, 3] = np.nan
    whole = learner.predict(grid, spread=True)
    lazy = learner.predict(grid.chunk(lat=4, lon=5), spread=True)
    assert lazy["Topt"].chunks is not None
    xr.testing.assert_equal(lazy.compute(), whole)
    assert int(whole["n_missing"][2, 3]) == 1
    assert (whole["Topt_spread"] >= 0).all()
    assert float(whole["Topt_spread"].max()) > 0
    far = learner.predict(grid + 8.0)
    assert float(far["dissimilarity"].min()) > float(whole["dissimilarity"].max())


def leak(pr, loss, store):
    """A store that loses a share a day."""
    flow = loss * store
    store = store + pr - flow
    return store, flow


def test_any_model_trains_with_differences():
    table = gridcal.ParameterTable((gridcal.Parameter("loss", 0.1, 0.01, 0.5, "d-1", "leak", "a test", scale="log10"),))
    model = gridcal.ProcessModel(
        name="leaky_store", title="a store that leaks", source="a test", version=1, forcing=("pr",), site={},
        parameters=table, state=(gridcal.State("store", "mm", "water", initial=10.0),), outputs={"flow": "mm d-1"},
        processes=(leak,),
    )  # fmt: skip
    rng = np.random.default_rng(6)
    n, days = 20, 300
    slope = rng.uniform(-1, 1, n)
    truth = 0.5 + 0.35 * slope
    forcing, obs = [], []
    for s in range(n):
        pr = rng.exponential(3.0, days) * (rng.random(days) < 0.4)
        (flow,), _ = model.run(table.from_unit(truth[s : s + 1, None]).T, [pr[:, None]])
        forcing.append((pr,))
        obs.append(flow[:, 0] * (1 + 0.05 * rng.normal(size=days)))
    series = SiteSeries(
        tuple(map(str, range(n))), (pd.date_range("2001-01-01", periods=days),) * n, tuple(forcing), np.zeros((0, n)),
        {"flow": tuple(obs)}, tuple(np.ones(days) for _ in range(n)),
    )  # fmt: skip
    features = xr.Dataset({"slope": ("site", slope)})
    for every in ("daily", "8-day"):
        goal = site_objective(model, series, every=every)
        assert isinstance(goal, DifferenceObjective)
        learner = SPIE(epochs=400, hidden=(8,), dropout_input=0.0, seed=1).fit(features, goal, np.arange(15))
        found = table.to_unit(learner.predict(features)["loss"].values[:, None])[:, 0]
        assert np.abs(found[15:] - truth[15:]).max() < 0.08
    with pytest.raises(ConfigError, match="exact gradient"):
        site_objective(model, series, gradient="exact")


def test_a_scheduled_model_runs_the_points_of_many_sites_together():
    series, _, _ = world(5, 200)
    daily = site_objective(lue, series, fit=FIT, fixed=FIXED, gradient="differences", every="8-day")
    scheduled = dataclasses.replace(lue, name="lue_scheduled", processes=(Repeat(1, lue.processes),), site_days=None)
    together = site_objective(scheduled, series, fit=FIT, fixed=FIXED, every="8-day")
    unit = np.random.default_rng(3).uniform(0.1, 0.9, (12, len(FIT)))
    which = np.array([4, 0, 1, 1, 2, 3, 0, 4, 4, 2, 1, 3])
    np.testing.assert_allclose(together.cost(unit, which), daily.cost(unit, which), rtol=1e-9)
    np.testing.assert_array_equal(together.cost(unit[2:4], which[2:4]), together.cost(unit, which)[2:4])
