import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gridcal.calibration import CMAES, MASM, Status, calibrate, to_arviz
from gridcal.calibration.target import Block, Target
from gridcal.cube import Cube
from gridcal.cube.sampling import sample_pixels
from gridcal.errors import ConfigError, InputError
from gridcal.models.lue import lue
from gridcal.synthetic.region import PLANTED, twin
from gridcal.vocabulary.periods import period_index

FAST = MASM(chain_length=(300, 600), draws=(2, 100))


@pytest.fixture(scope="module")
def made():
    return twin(4, 5, 2, seed=3)


@pytest.fixture(scope="module")
def samples(made):
    cube = made.cube.sel(pixel=sample_pixels(made.cube, 6, seed=1))
    return Cube.from_dataset(cube.data.compute(), features=cube.feature_names)


def block(**changes):
    return Block(("eps_max", "Topt"), Target("gpp", **changes))


@pytest.fixture(scope="module")
def posterior(samples):
    return calibrate(samples, lue, [block()], FAST, seed=5, chunk=2).compute()


def test_result_is_data_with_status_and_posterior(posterior):
    assert set(posterior["eps_max_draws"].dims) == {"pixel", "chain", "draw"}
    assert posterior["status"].attrs["flag_meanings"].split()[:2] == ["ok", "masked"]
    good = posterior["status"] == int(Status.ok)
    assert good.sum() >= 5
    for name in ("eps_max", "Topt"):
        p = lue.parameters[name]
        assert ((posterior[name] > p.lower) & (posterior[name] < p.upper))[good].all()
        mean = posterior[f"{name}_draws"].mean(("chain", "draw"))
        assert (abs(mean - posterior[name]) < posterior[f"{name}_sd"])[good].all()
    assert (posterior["kT"] == lue.parameters["kT"].default).all()
    assert (posterior["n_runs"] <= 110).all()


def test_results_do_not_depend_on_chunks_or_on_which_samples_ran(samples, posterior):
    one = calibrate(samples, lue, [block()], FAST, seed=5, chunk=6).isel(pixel=[4]).compute()
    xr.testing.assert_identical(one.drop_attrs(), posterior.isel(pixel=[4]).drop_attrs())
    alone = Cube.from_dataset(samples.data.isel(pixel=[4]), features=samples.feature_names)
    single = calibrate(alone, lue, [block()], FAST, seed=5).compute()
    np.testing.assert_array_equal(single["eps_max_draws"], posterior["eps_max_draws"].isel(pixel=[4]))


def test_another_seed_gives_another_chain_and_the_same_posterior(samples, posterior):
    other = calibrate(samples, lue, [block()], FAST, seed=6).compute()
    assert not np.array_equal(other["eps_max_draws"], posterior["eps_max_draws"])
    both = ((other["status"] == 0) & (posterior["status"] == 0)).values
    shift = abs(other["Topt"] - posterior["Topt"]) / posterior["Topt_sd"]
    assert float(shift[both].max()) < 0.5


def test_calibrate_is_lazy(samples):
    lazy = calibrate(samples, lue, [block()], FAST)
    assert lazy["eps_max"].chunks is not None
    assert lazy.attrs["fingerprint"] != calibrate(samples, lue, [block()], FAST, seed=1).attrs["fingerprint"]


def test_a_bad_pixel_is_a_code_and_leaves_the_others_as_they_were(samples, posterior):
    data = samples.data.copy(deep=True)
    data["gpp_obs"][:, 0] = np.nan
    data["gpp_obs"][:, 1] = 3.0
    data["tas"][100, 2] = np.nan
    poisoned = calibrate(Cube.from_dataset(data, features=samples.feature_names), lue, [block()], FAST, seed=5).compute()
    codes = [Status(int(c)).name for c in poisoned["status"].values[:3]]
    assert codes == ["insufficient_observations", "constant_observation", "forcing_gap"]
    assert np.isnan(poisoned["eps_max"].values[:3]).all()
    for name in ("eps_max", "Topt_draws", "cost"):
        np.testing.assert_array_equal(poisoned[name].values[3:], posterior[name].values[3:])


def test_masked_pixels_cost_nothing(samples):
    data = samples.data.assign(mask=("pixel", np.array([True, False, False, False, False, False])))
    cube = Cube.from_dataset(data, features=samples.feature_names, mask="mask")
    out = calibrate(cube, lue, [block()], FAST, seed=5).compute()
    assert [Status(int(c)).name for c in out["status"].values[1:]] == ["masked"] * 5
    assert np.isfinite(out["eps_max"].values[0])
    assert np.isnan(out["n_runs"].values[1:]).all()


def test_later_blocks_see_earlier_estimates(samples):
    two = [Block(("eps_max",), Target("gpp")), Block(("Topt",), Target("gpp"))]
    out = calibrate(samples.isel(pixel=slice(0, 2)), lue, two, CMAES(max_evaluations=300), seed=1).compute()
    one = calibrate(samples.isel(pixel=slice(0, 2)), lue, two[:1], CMAES(max_evaluations=300), seed=1).compute()
    np.testing.assert_array_equal(out["eps_max"], one["eps_max"])
    assert (out["Topt"] != lue.parameters["Topt"].default).all()
    assert out.sizes["block"] == 2
    assert "eps_max_draws" not in out


def test_cmaes_reaches_the_planted_fit(samples):
    full = Block(PLANTED, Target("gpp"))
    out = calibrate(samples.isel(pixel=slice(0, 2)), lue, [full], CMAES(max_evaluations=2000), seed=1).compute()
    assert (out["nse"] > 0.97).all()


def test_calibration_period_hides_the_rest(samples):
    data = samples.data.copy(deep=True)
    data["gpp_obs"][(data["time"].dt.year == 2002).values] = 99.0
    spoiled = Cube.from_dataset(data, features=samples.feature_names)
    period = ("2001", "2001")
    a = calibrate(spoiled.isel(pixel=slice(0, 1)), lue, [block()], FAST, seed=5, period=period).compute()
    b = calibrate(samples.isel(pixel=slice(0, 1)), lue, [block()], FAST, seed=5, period=period).compute()
    np.testing.assert_array_equal(a["eps_max"], b["eps_max"])


def test_wrong_requests_are_refused_before_anything_runs(made, samples):
    with pytest.raises(ConfigError, match="'vmax'"):
        calibrate(samples, lue, [Block(("vmax",), Target("gpp"))])
    with pytest.raises(ConfigError, match="'lai'"):
        calibrate(samples, lue, [Block(("Topt",), Target("lai"))])
    with pytest.raises(ConfigError, match="two blocks"):
        calibrate(samples, lue, [block(), block()])
    with pytest.raises(InputError, match="gpp_glass"):
        calibrate(samples, lue, [block(against="gpp_glass")])
    with pytest.raises(InputError, match="Select pixels first"):
        calibrate(made.cube, lue, [block()])
    with pytest.raises(ConfigError, match="holds no day"):
        calibrate(samples, lue, [block()], period=("1990", "1991"))


def test_a_missing_day_is_refused(samples):
    days = np.r_[0:100, 101 : samples.sizes["time"]]
    with pytest.raises(InputError, match=r"not daily|2001-04-1"):
        calibrate(samples.isel(time=days), lue, [block()])


def test_eight_day_target_with_leap_year_counts_its_composites(samples):
    first = samples.data["time"].to_index()
    assert isinstance(first, pd.DatetimeIndex)
    out = calibrate(samples.isel(pixel=slice(0, 1)), lue, [block()], FAST, seed=5).compute()
    assert int(out["n_obs"][0]) == 2 * 46


def test_fixed_sigma_narrows_as_the_square_root(samples):
    one = samples.isel(pixel=slice(3, 4))
    wide, narrow = (
        calibrate(one, lue, [block(likelihood="fixed", sigma=s)], FAST, seed=5).compute()["eps_max_sd"].item()
        for s in (0.4, 0.2)
    )
    assert wide / narrow == pytest.approx(2.0, rel=0.25)


def test_two_targets_at_once_add_their_costs(samples):
    """Against itself twice, a target counts double: the posterior narrows by the square root of two, about the same mean."""
    once = calibrate(samples, lue, [block(likelihood="fixed", sigma=0.5)], FAST, seed=7).compute()
    target = Target("gpp", likelihood="fixed", sigma=0.5)
    twice = calibrate(samples, lue, [Block(("eps_max", "Topt"), (target, target))], FAST, seed=7).compute()
    ratio = (twice["eps_max_sd"] / once["eps_max_sd"]).values
    assert np.median(ratio) == pytest.approx(np.sqrt(0.5), rel=0.1)
    assert (abs(twice["eps_max"] - once["eps_max"]) < 0.5 * once["eps_max_sd"]).all()
    assert (twice["n_obs"] == 2 * once["n_obs"]).all()
    assert "gpp_obs every 8-day and gpp_obs every 8-day" in twice.attrs["blocks"]


def test_profiled_targets_at_once_are_fitted_by_their_summed_cost(samples):
    """n log SSE of the 8-day and of the monthly means, minimised by an independent search over the model."""
    scales = ("8-day", "monthly")
    both = Block(("eps_max",), tuple(Target("gpp", every=e) for e in scales), constraint=0.0)
    found = calibrate(samples, lue, [both], CMAES(max_evaluations=200, restarts=0), seed=1).compute()
    data = samples.data
    theta = lue.parameters.default.copy()
    grid = np.linspace(*(getattr(lue.parameters["eps_max"], b) for b in ("lower", "upper")), 400)
    many = np.repeat(theta[:, None], grid.size, axis=1)
    many[lue.parameters.index("eps_max")] = grid
    forcing = [
        np.broadcast_to(data[n].values.reshape(data.sizes["time"], -1)[:, :1], (data.sizes["time"], 1)) for n in lue.forcing
    ]
    site = np.array([[lue.site_default[n]] for n in lue.site])
    (gpp,), _ = lue.run(many, forcing, site)
    total = np.zeros(grid.size)
    for scale in scales:
        labels = period_index(data.indexes["time"], scale)[0]
        count = np.bincount(labels)
        obs = np.bincount(labels, weights=data["gpp_obs"].values[:, 0]) / count
        means = np.array([np.bincount(labels, weights=gpp[:, k]) / count for k in range(grid.size)])
        total += count.size * np.log(((means - obs) ** 2).sum(axis=1))
    assert float(found["eps_max"][0]) == pytest.approx(grid[total.argmin()], abs=2.0 * (grid[1] - grid[0]))


def test_errors_are_read_from_the_cube(samples):
    rough = samples.data.assign(gpp_sd=xr.full_like(samples.data["gpp_obs"], 0.5).assign_attrs(units="gC m-2 d-1"))
    cube = Cube.from_dataset(rough, features=samples.feature_names)
    named = calibrate(cube, lue, [block(likelihood="fixed", sigma="gpp_sd")], FAST, seed=7).compute()
    number = calibrate(samples, lue, [block(likelihood="fixed", sigma=0.5)], FAST, seed=7).compute()
    np.testing.assert_allclose(named["eps_max_draws"], number["eps_max_draws"], rtol=1e-5)
    with pytest.raises(InputError, match="gpp_sd"):
        calibrate(samples, lue, [block(likelihood="fixed", sigma="gpp_sd")], FAST)


def test_a_block_without_a_target_is_refused():
    with pytest.raises(ConfigError, match="no target"):
        Block(("eps_max",), ())


def test_diagnostics_are_recorded(posterior):
    for name in ("cost_mean", "gelman_rubin", "acceptance", "khat", "n_failed"):
        assert posterior[name].dims == ("pixel", "block")
        assert posterior[name].attrs["long_name"]
    good = (posterior["status"] == 0).values
    assert (posterior["cost_mean"] >= posterior["cost_best"] - 1e-6).values[good].all()
    assert (posterior["gelman_rubin"] < 1.2).values[good].all()
    trace = posterior["surrogate_rmse_trace"]
    assert trace.dims == ("pixel", "block", "iteration")
    assert np.isfinite(trace.isel(iteration=0).values[good]).all()
    both = posterior["Topt_edge_lower"] + posterior["Topt_edge_upper"]
    np.testing.assert_allclose(both.values[good], posterior["Topt_edge_hit"].values[good])
    assert posterior["flags"].attrs["flag_masks"].size == len(posterior["flags"].attrs["flag_meanings"].split())
    assert "seconds" not in posterior


def test_seconds_are_stored_on_request(samples):
    out = calibrate(samples.isel(pixel=slice(0, 1)), lue, [block()], FAST, seed=5, timing=True).compute()
    assert 0.0 < float(out["seconds"][0, 0]) < 60.0


def test_warm_start_changes_speed_not_results(samples, posterior):
    warm = calibrate(samples, lue, [block()], FAST, seed=5, chunk=6, warm_start=True).compute()
    both = ((warm["status"] == 0) & (posterior["status"] == 0)).values
    assert both.sum() >= 4
    shift = abs(warm["Topt"] - posterior["Topt"]) / posterior["Topt_sd"]
    assert float(shift[both].max()) < 0.3
    np.testing.assert_array_equal(warm["Topt_draws"][0], posterior["Topt_draws"][0])  # the first has no neighbour
    assert not np.array_equal(warm["Topt_draws"][1], posterior["Topt_draws"][1])
    assert float(warm["n_runs"][1:].median()) <= float(posterior["n_runs"][1:].median())


def test_the_method_can_be_chosen_by_measured_cost(samples):
    out = calibrate(samples.isel(pixel=slice(0, 1)), lue, [block()], "auto", seed=5)
    assert out.attrs["method"].startswith(("MASM(", "AdaptiveMCMC("))
    with pytest.raises(ConfigError, match="'best'"):
        calibrate(samples, lue, [block()], "best")


def test_arviz_groups(posterior):
    tree = to_arviz(posterior)
    assert tree["posterior"]["Topt"].dims == ("chain", "draw", "pixel")
    np.testing.assert_array_equal(tree["posterior"]["Topt"].sel(pixel=posterior["pixel"][0]), posterior["Topt_draws"][0])
    assert "rhat" in tree["pixel_stats"]
    with pytest.raises(InputError, match="no draws"):
        to_arviz(posterior.drop_vars([n for n in posterior.data_vars if str(n).endswith("_draws")]))


@pytest.mark.filterwarnings("ignore")
def test_arviz_reads_the_groups(posterior):
    arviz = pytest.importorskip("arviz")
    tree = to_arviz(posterior)
    older = getattr(arviz, "InferenceData", None)
    data = older.from_datatree(tree) if hasattr(older, "from_datatree") else tree
    summary = arviz.rhat(data)
    within = getattr(summary, "children", {})
    found = within["posterior"]["Topt"] if "posterior" in within else summary["Topt"]
    assert np.isfinite(found.values[(posterior["status"] == 0).values]).all()
