"""Each known mistake of surrogate calibration, put back in: the criterion holds for the product and fails with the mistake."""

import functools
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numba import njit
from scipy.stats import truncnorm

from gridcal.calibration import over_cube as verb
from gridcal.calibration.masm import surrogate as surrogate_module
from gridcal.calibration.masm.method import MASM
from gridcal.calibration.masm.search import Search
from gridcal.calibration.masm.surrogate import Box, Surrogate, principal_scores
from gridcal.calibration.posterior.chain import accept_second
from gridcal.calibration.posterior.diagnostics import gelman_rubin, printed_gelman_rubin, weight_ess_ratio, worst_rhat_and_ess
from gridcal.calibration.problem import ModelRuns
from gridcal.calibration.result import Flag, raise_flags
from gridcal.calibration.status import Status
from gridcal.calibration.target import Block, Target
from gridcal.cube import Cube
from gridcal.cube.sampling import sample_pixels
from gridcal.extrapolation import quality_screen
from gridcal.kernels.sampling import reflect
from gridcal.kernels.sampling.population import anneal_population
from gridcal.kernels.sampling.random import stream
from gridcal.kernels.series import metrics
from gridcal.kernels.surrogate import design as design_module
from gridcal.kernels.surrogate.emulator import FAILED_COST, emulated_costs
from gridcal.kernels.surrogate.gp import GaussianProcess, correlation
from gridcal.models.lue import lue
from gridcal.synthetic.region import twin
from gridcal.vocabulary.periods import period_index


def neighbour(name, room="calibration"):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / room / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fixtures = neighbour("test_masm")
surfaces = neighbour("test_population", "kernels")


def chain(e, clip=False, covariance=None, n=30_000, d=2):
    start = np.random.default_rng(1).random((5, d))
    covariance = 0.09 * np.eye(d) if covariance is None else covariance
    return reflect.metropolis_chains(surfaces.state(3), e, start, covariance, 1000, n, False, clip)[0].reshape(-1, d)


def test_clipping_piles_draws_up_on_the_bounds():
    def on_a_bound(clip):
        x = chain(surfaces.flat(2), clip)
        return ((x == 0.0) | (x == 1.0)).mean()

    assert on_a_bound(False) == 0.0
    assert on_a_bound(True) > 0.1
    exact = truncnorm(0.0, 1.0 / 0.15, loc=0.0, scale=0.15).mean()
    e = surfaces.gaussian([0.0, 0.5], np.diag([0.15**2, 0.05**2]))
    steps = np.diag([0.02, 0.005])
    right, wrong = (abs(chain(e, clip, steps)[:, 0].mean() - exact) / exact for clip in (False, True))
    assert right < 0.05 < wrong


def test_folding_a_correlated_step_needs_its_ratio(monkeypatch):
    covariance = 0.3**2 * np.array([[1.0, 0.9], [0.9, 1.0]])
    assert abs(np.corrcoef(chain(surfaces.flat(2), covariance=covariance, n=100_000).T)[0, 1]) < 0.01
    real = reflect.propose
    monkeypatch.setattr(reflect, "propose", lambda *args: 0.0 * real(*args))
    start = np.random.default_rng(1).random((5, 2))
    plain = reflect.metropolis_chains.py_func(surfaces.state(), surfaces.flat(2), start, covariance, 100, 4000, False)[0]
    assert abs(np.corrcoef(plain.reshape(-1, 2).T)[0, 1]) > 0.5


def test_minor_components_must_not_set_the_lengths():
    rng = np.random.default_rng(8)
    x = rng.random((80, 2))
    leading, rough = np.sin(2.0 * x[:, 0]) + np.cos(2.5 * x[:, 1]), np.sin(11.0 * x[:, 0] + 7.0 * x[:, 1])
    y = np.column_stack([leading / leading.std(), rough / rough.std()])
    alone = GaussianProcess(2).optimise(x, y[:, :1]).lengths

    def off(weights):
        return np.abs(GaussianProcess(2).optimise(x, y, weights=weights).lengths / alone - 1.0).max()

    assert off(np.array([1.0, 0.1])) < 0.1  # variance 1 %, weight its standard deviation
    assert off(None) > 0.2


def test_even_weights_do_not_excuse_a_moved_chain():
    rng = np.random.default_rng(0)
    first = rng.normal(size=(5000, 2))
    cost = rng.chisquare(2, 20)
    assert weight_ess_ratio(cost + 0.1 * rng.normal(size=20), cost) > 0.97
    moved = first + np.array([0.3, 0.0])
    assert not accept_second(first, moved, 1.0, 0.2, 1.1)
    assert accept_second(first, moved, 1.0, np.inf, 1.1)  # without the rule it would be reported


def two_modes():
    columns = np.zeros((surfaces.terms(3), 3))
    columns[0, 0], columns[4, 0] = -60.0 * 0.09, 60.0
    columns[2, 1] = columns[3, 2] = 1 / 0.03
    return surfaces.emulator(3, columns, 3)


def test_chains_must_not_all_start_in_one_mode():
    draws, _ = anneal_population(surfaces.state(), two_modes(), surfaces.pool(3), 64, 1000, 1500)
    assert (draws[..., 0] < 0.5).mean() == pytest.approx(0.5, abs=0.05)
    together = np.tile([0.2, 0.5, 0.5], (5, 1))
    draws = reflect.metropolis_chains(surfaces.state(), two_modes(), together, np.eye(3) * 1e-3, 2000, 8000, True)[0]
    share = (draws[..., 0] < 0.5).mean()
    assert abs(share - 0.5) > 0.05
    assert gelman_rubin(np.ascontiguousarray(draws[..., 0].T)) < 1.2  # and the factor does not see it


def test_a_logarithmic_coordinate_must_not_change_the_prior():
    def model(theta):
        return np.log10(theta[:, :1]) * (1.0 + fixtures.TIME)

    p = fixtures.problem(model, [0.02], [1e-3], [1.0], sigma=4.0, log=np.array([True]))
    mean, sd = fixtures.quadrature(p)
    result = MASM(max_runs=100).run(p, fixtures.seed())
    assert abs(result.estimate - mean)[0] < 0.08 * sd[0]
    grid = 10.0 ** np.linspace(-3.0, 0.0, 4000)[:, None]  # uniform in the logarithm: another posterior
    cost = ModelRuns(p).run(p.unit(grid))
    weight = np.exp(-0.5 * (cost - cost.min()))
    assert abs(weight @ grid / weight.sum() - mean)[0] > 0.08 * sd[0]


def test_proposals_live_in_the_unit_cube():
    scale = 2.0**-20
    scaled = fixtures.decay_problem(
        simulate=lambda theta: fixtures.decay(theta * [1.0, 1.0 / scale, 1.0]),
        lower=np.array([0.0, 0.1 * scale, -1.0]),
        upper=np.array([5.0, 10.0 * scale, 1.0]),
        observations=fixtures.decay_problem().observations,
    )
    plain, other = (fixtures.QUICK.run(p, fixtures.seed()) for p in (fixtures.decay_problem(), scaled))
    np.testing.assert_array_equal(other.draws * [1.0, 1.0 / scale, 1.0], plain.draws)

    def effective(covariance):
        e = surfaces.gaussian([0.5, 0.5], np.diag([0.1**2, 0.1**2]))
        start = np.full((5, 2), 0.5) + 0.01 * np.arange(10).reshape(5, 2)
        draws = reflect.metropolis_chains(surfaces.state(), e, start, covariance, 2000, 4000, False)[0]
        return worst_rhat_and_ess(np.ascontiguousarray(draws.transpose(1, 0, 2)))[1]

    ranges = np.array([6e-5, 400.0])  # 0.1 (upper - lower) taken as a variance, in physical units
    assert effective(np.eye(2) * 0.02) > 5.0 * effective(np.diag(0.1 * ranges / ranges**2))


STUCK = np.random.default_rng(0).normal(size=(4, 1000)) + np.array([0.0, 3.0, 6.0, 9.0])[:, None]


def test_the_gelman_rubin_factor_has_the_right_between_variance():
    assert gelman_rubin(STUCK) == pytest.approx(4.43, abs=0.15)
    assert printed_gelman_rubin(STUCK) < 1.02  # "converged"


def test_chains_share_neither_start_nor_stream():
    search = Search(fixtures.linear_problem(), MASM(preset="paper", n_iter=1).settings(3), fixtures.seed())
    search.runs.run(np.asarray(design_module.design(54, 3)))
    search._train(0)
    start = search.sampler._spread_start(5)
    assert np.unique(start, axis=0).shape[0] == 5
    draws = reflect.metropolis_chains(surfaces.state(), search.surrogate.emulator, start, np.eye(3) * 0.01, 0, 50, False)[0]
    assert np.unique(draws[-1], axis=0).shape[0] == 5
    assert gelman_rubin(STUCK) > 1.2
    same = np.repeat(STUCK[:1], 4, axis=0)  # chains of one start and stream agree whatever they do
    assert gelman_rubin(same) < 1.2


def test_converged_on_a_wrong_surrogate():
    def flagged(threshold):
        count = 0
        for number in range(50):
            x = np.random.default_rng(number).normal(size=20)
            error = 3.0 * np.sqrt(2.0) * np.sin(1.5 * x) / np.sqrt(1 - np.exp(-2 * 1.5**2))
            count += weight_ess_ratio(x**2 + error, x**2) <= threshold
        return count

    assert flagged(0.8) >= 48
    assert flagged(0.0) == 0  # R-hat alone


def bulk_error(emulate):
    p = fixtures.decay_problem(sigma=0.1 / np.sqrt(1000.0), observations=fixtures.decay_problem(sigma=0.003).observations)
    runs = ModelRuns(p)
    runs.run(np.asarray(design_module.design(54, 3)))
    centre = p.unit(np.array([2.0, 3.0, 0.5]))
    runs.run(np.clip(centre + 0.03 * np.random.default_rng(0).normal(size=(20, 3)), 0, 1))
    s = Surrogate(p, emulate)
    s.train(runs, Box.cube(3), refit=True, restarts=2)
    points = np.clip(centre + 0.002 * np.random.default_rng(1).normal(size=(4000, 3)), 0, 1)
    cost = ModelRuns(p).run(points)
    bulk = cost < cost.min() + 20.0
    assert bulk.sum() > 20
    return np.median(np.abs(s.costs(points[bulk]) - cost[bulk]))


def test_a_cost_of_many_decades_is_not_emulated_itself():
    assert bulk_error("outputs") < 0.5 < bulk_error("cost")


def test_training_runs_are_not_chosen_by_their_cost(monkeypatch):
    def searched(limit):
        real = Surrogate.train

        def train(self, runs, box, refit, restarts=1):
            if limit is not None:
                few = ModelRuns(runs.problem)
                keep = runs.cost <= np.partition(runs.cost, limit)[limit]
                few.record(runs.unit[keep], runs.cost[keep])
                runs = few
            real(self, runs, box, refit, restarts)

        with monkeypatch.context() as patch:
            patch.setattr(Surrogate, "train", train)
            p = fixtures.cost_problem(fixtures.banana, [-30.0, -60.0], [30.0, 20.0])
            search = Search(p, MASM(emulate="cost", max_runs=60, n_init=20).settings(2), fixtures.seed())
            search.execute()
        return search.runs

    runs = searched(None)
    assert runs.cost.min() < runs.cost[:20].min()
    apart = np.sqrt(((runs.unit[:, None] - runs.unit[None]) ** 2).sum(-1)) + np.eye(len(runs.unit))
    assert (apart < 1e-6).sum() <= 2
    # a surrogate that has not learnt the bad runs proposes more of them
    capped = searched(8)
    assert np.median(capped.cost[20:]) > 2.0 * np.median(runs.cost[20:])
    assert np.quantile(capped.cost[20:], 0.75) > 5.0 * np.quantile(runs.cost[20:], 0.75)


def test_the_residual_direction_belongs_to_the_basis(monkeypatch):
    rng = np.random.default_rng(3)
    residuals = rng.normal(size=(60, 3)) * [40.0, 9.0, 3.0] @ np.linalg.qr(rng.normal(size=(400, 3)))[0].T
    residuals += rng.normal(size=400)  # the part no parameter explains: about 20 long
    residuals += 0.4 * rng.normal(size=(60, 1)) * np.linalg.qr(rng.normal(size=(400, 1)))[0].T
    monkeypatch.setattr(surrogate_module, "TRUNCATION", 0.2)
    scores, offset, rest = principal_scores(residuals)
    mean = residuals.mean(axis=0)

    def error(q):
        cost = ((scores[:, :q] + offset[:q]) ** 2).sum(axis=1) + float(mean @ mean - offset[:q] @ offset[:q])
        return np.median(np.abs(cost - (residuals**2).sum(axis=1)))

    q = scores.shape[1]
    assert rest == pytest.approx(mean @ mean - offset @ offset)
    assert error(q) < 0.2
    assert error(q - 1) > 2.0 * error(q)


def test_outside_its_data_a_cost_surrogate_is_not_optimistic():
    rng = np.random.default_rng(9)
    x = rng.random((30, 2))
    y = 500.0 + 300.0 * (x[:, :1] ** 2 + x[:, 1:])
    gp = GaussianProcess(2).optimise(x, y / y.std())
    gp.condition(x, y / y.std())
    far = np.full((1, 2), 400.0)
    assert gp.predict(far)[0, 0] * y.std() >= 0.95 * np.median(y)
    zero_mean = correlation(np.ascontiguousarray((far / gp.lengths).T), gp.scaled) @ gp.alpha
    assert zero_mean[0, 0] < np.median(y) * 0.1


def test_the_same_point_twice():
    x = np.random.default_rng(0).random((20, 2))
    twice = np.concatenate([x, x[:2]])
    y = np.sin(twice[:, :1])
    gp = GaussianProcess(2)
    gp.hyper = np.array([0.0, 0.0, -60.0])
    gp.condition(twice, y)
    assert np.isfinite(gp.predict(x)).all()
    assert gp.jitter > 0.0
    matrix = correlation(gp.scaled, gp.scaled)
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.cholesky(matrix - 1e-15 * np.eye(22))  # without the jitter


def test_appending_includes_the_cross_part():
    rng = np.random.default_rng(1)
    x, y = rng.random((35, 2)), rng.random((35, 1))
    grown = GaussianProcess(2)
    grown.hyper = np.array([-0.5, -0.3, -8.0])
    grown.condition(x[:30], y[:30]).append(x[30:], y)
    whole = GaussianProcess(2)
    whole.hyper = grown.hyper
    whole.condition(x, y)
    np.testing.assert_allclose(grown.factor, whole.factor, atol=1e-8)
    forgetful = grown.factor.copy()
    block = correlation(grown.scaled[:, 30:].copy(), grown.scaled[:, 30:].copy()) + grown.nugget * np.eye(5)
    forgetful[30:, 30:] = np.linalg.cholesky(block)
    assert np.abs(forgetful - whole.factor).max() > 1e-3


def test_variance_and_standard_deviation_are_not_mixed_up():
    p = fixtures.linear_problem(likelihood="obs_variance")
    theta = np.array([[0.1, 0.2, 0.3]])
    obs = p.observations
    nse = 1.0 - ((fixtures.linear(theta) - obs) ** 2).sum() / ((obs - obs.mean()) ** 2).sum()
    assert ModelRuns(p).run(p.unit(theta))[0] == pytest.approx(80 * (1.0 - nse))
    wrong = fixtures.linear_problem(sigma=float(np.sqrt(obs.std())))  # sd read as a variance
    assert ModelRuns(wrong).run(p.unit(theta))[0] != pytest.approx(80 * (1.0 - nse), rel=0.05)


@functools.cache
def samples():
    made = twin(4, 5, 2, seed=3)
    cube = made.cube.sel(pixel=sample_pixels(made.cube, 3, seed=1))
    return Cube.from_dataset(cube.data.compute(), features=cube.feature_names)


CHEAP = MASM(chain_length=(100, 100), min_ess=200, draws=(2, 20))


def calibrated(cube=None, chunk=3, **changes):
    block = Block(("eps_max", "Topt"), Target("gpp"))
    return verb.calibrate(cube or samples(), lue, [block], CHEAP, seed=5, chunk=chunk, **changes).compute()


def test_a_bad_pixel_leaves_the_others_as_they_were():
    whole = calibrated()
    data = samples().data.copy(deep=True)
    data["gpp_obs"][:, 0] = np.nan
    poisoned = calibrated(Cube.from_dataset(data, features=samples().feature_names))
    assert Status(int(poisoned["status"][0])).name == "insufficient_observations"
    np.testing.assert_array_equal(poisoned["Topt_draws"][1:], whole["Topt_draws"][1:])
    data["gpp_obs"][:, 0] = 3.0  # without the check a constant would be calibrated against
    assert Status(int(calibrated(Cube.from_dataset(data, features=samples().feature_names))["status"][0])) != Status.ok


def test_failed_runs_stay_out_of_the_surrogate():
    def sometimes(value):
        def model(theta):
            out = fixtures.linear(theta)
            out[(theta * 1e4).astype(int).sum(axis=1) % 9 == 0] = value
            return out

        return model

    def error(value):
        p = fixtures.linear_problem(simulate=sometimes(value), observations=fixtures.linear_problem().observations)
        result = MASM(max_runs=60).run(p, fixtures.seed())
        return result, abs(
            np.log(result.sd / np.sqrt(np.diag(0.01 * np.linalg.inv(fixtures.MATRIX.T @ fixtures.MATRIX))))
        ).max()

    result, right = error(np.nan)
    assert result.n_failed > 0
    assert result.flags & Flag.failed_runs
    assert right < 0.15
    assert error(50.0)[1] > right  # a wild number that is taken for an output
    assert result.cost_best < FAILED_COST


def test_a_pixels_stream_is_its_own(monkeypatch):
    one = calibrated(chunk=1)
    xr.testing.assert_identical(one.drop_attrs(), calibrated(chunk=3).drop_attrs())
    count = iter(range(1000))
    monkeypatch.setattr(verb, "pixel_number", lambda _label: next(count))
    last = samples().isel(pixel=slice(2, 3))
    assert not np.array_equal(calibrated(last)["Topt_draws"][0], one["Topt_draws"][2])  # numbered by its place in the task


def test_no_global_random_state():
    e = surfaces.flat(2)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, _ = anneal_population(surfaces.state(1), e, surfaces.pool(2), 8, 20, 20)
    again, _ = anneal_population(surfaces.state(1), e, surfaces.pool(2), 8, 20, 20)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002

    @njit
    def careless():
        return np.random.random()  # noqa: NPY002

    assert careless() != careless()  # a global stream remembers who came before
    assert not np.array_equal(stream(np.random.SeedSequence(1)), stream(np.random.SeedSequence(2)))


def test_missing_values_survive_compilation():
    sim = np.array([[1.0], [np.nan], [2.0], [4.0]])
    obs = np.array([[1.0], [2.0], [2.5], [3.0]])
    assert metrics.scores(sim, obs)["n"][0] == 3
    careless = njit(fastmath=True)(metrics._moments.py_func)
    found = np.zeros((10, 1))
    careless(sim, obs, None, found)
    assert found[0, 0] != 3 or not np.isfinite(found).all()


def test_an_evaluation_costs_no_square_of_the_training_size():
    import time
    import timeit

    def seconds(n):
        rng = np.random.default_rng(0)
        e = surfaces.flat(3)._replace(points=rng.random((n, 3)), alpha=rng.random((n, 1)))
        x = rng.random((4000, 3))
        emulated_costs(e, x)
        return min(timeit.repeat(lambda: emulated_costs(e, x), number=1, repeat=9, timer=time.thread_time))

    # 4 in proportion; with the variance 16. On a busy machine one look may be far off
    assert min(seconds(400) / seconds(100) for _ in range(3)) < 8.0


def bimodal():
    def model(theta):
        return (theta[:, :1] ** 2) * fixtures.TIME + theta[:, 1:2]

    return fixtures.problem(model, [0.9, 0.1], [-1.5, -1.0], [1.5, 1.0], sigma=0.1)


def test_a_mean_between_two_modes_is_flagged(monkeypatch):
    result = MASM().run(bimodal(), fixtures.seed())
    assert result.cost - result.cost_best > 6.0
    assert result.flags & Flag.poor_mean
    monkeypatch.setattr("gridcal.calibration.result.chi2.ppf", lambda *_: np.inf)
    assert not raise_flags(result) & Flag.poor_mean


def test_hitting_a_bound_is_flagged(monkeypatch):
    result = fixtures.QUICK.run(fixtures.linear_problem(upper=np.array([1.0, 1.0, 0.05])), fixtures.seed())
    assert result.edge_upper[2] > 0.1
    assert result.edge_lower.max() == 0.0
    assert result.flags & Flag.edge_hit
    monkeypatch.setattr("gridcal.calibration.result.EDGE_LIMIT", 1.0)
    assert not raise_flags(result) & Flag.edge_hit


def test_a_first_block_held_at_its_mean_makes_the_second_too_sure():
    def sd(carry):
        blocks = [Block(("eps_max",), Target("gpp", n_eff=8.0)), Block(("Topt",), Target("gpp"), carry=carry)]
        out = verb.calibrate(samples().isel(pixel=slice(0, 1)), lue, blocks, CHEAP, seed=5).compute()
        return float(out["Topt_sd"][0]), int(out["n_runs"][0, 1])

    held, runs = sd(0)
    carried, more = sd(6)
    assert carried > 1.1 * held
    assert more > 3 * runs


def test_diso_does_not_depend_on_units():
    rng = np.random.default_rng(0)
    obs = 5.0 + rng.normal(size=60)
    sim = obs + 0.5 * rng.normal(size=60)

    def change(variant):
        return metrics.series_scores(20.0 * sim, 20.0 * obs, variant)["diso"] - metrics.series_scores(sim, obs, variant)["diso"]

    assert abs(change("hu2019")) < 1e-12
    assert abs(change("printed")) > 0.1
    assert metrics.series_scores(obs, obs)["diso"] == pytest.approx(0.0, abs=1e-7)


def test_composites_start_again_every_year():
    days = xr.date_range("2003-01-01", "2004-12-31", freq="D")
    labels = period_index(days, "8-day")[0]
    assert labels[-1] + 1 == 2 * 46
    assert np.bincount(labels)[[45, 91]].tolist() == [5, 6]  # the last one, and that of a leap year
    naive = np.arange(days.size) // 8
    assert not np.array_equal(naive, labels)


def permuted(points):
    n = points.shape[0]
    return all(np.allclose(np.sort(column), (np.arange(n) + 0.5) / n) for column in points.T)


def test_lattices_of_numbers_with_many_divisors():
    assert permuted(design_module.good_lattice_points(72, 4))
    rank = np.outer(np.arange(1, 73), (1, 6, 36, 216 % 72 or 72)) % 72  # modulus 72 itself, generator not coprime
    assert not permuted((np.where(rank == 0, 72, rank) - 0.5) / 72)


def test_decorrelated_columns_stay_permutations(monkeypatch):
    points = design_module.good_lattice_points(72, 4)
    right = design_module.ranked_gram_schmidt(points)
    assert permuted(right)
    assert design_module.largest_correlation(design_module.design(72, 4)) < 0.02
    monkeypatch.setattr(design_module, "_ranks", lambda x: x)
    assert not permuted(design_module.ranked_gram_schmidt(points))


def test_a_screened_screen_changes_nothing():
    rng = np.random.default_rng(0)
    rmse = np.exp(rng.normal(size=80) * 0.3)
    rmse[:6] = [30.0, 90.0, 300.0, 1e3, 1e4, 1e5]
    data = xr.Dataset(
        {
            "status": ("pixel", np.zeros(80, dtype=np.int8)),
            "diso": ("pixel", np.full(80, 0.1)),
            "surrogate_rmse": (("pixel", "block"), rmse[:, None]),
        }
    )
    keep = quality_screen(data).values
    assert quality_screen(data.isel(pixel=keep)).values.all()
    order = rng.permutation(80)
    np.testing.assert_array_equal(quality_screen(data.isel(pixel=order)).values, keep[order])

    def once(x):
        low, high = np.quantile(np.log(x), [0.25, 0.75])
        return np.log(x) <= high + 3.0 * (high - low)

    first = np.concatenate([rmse[:40], 10.0 ** rng.uniform(0, 2, 40)])
    kept = first[once(first)]
    while once(kept).all() and kept.size > 10:  # a single pass is undone by the next
        first = np.concatenate([kept[:-1], [kept.max() * 8]])
        kept = first[once(first)]
    assert kept.size > 10


def test_declared_steps_help_a_staircase():
    def model(theta):
        return 0.05 * np.ceil(theta[:, :1] / 10.0) * 10.0 * fixtures.TIME + theta[:, 1:2]

    def best(step):
        p = fixtures.problem(model, [63.0, 0.3], [0.0, -1.0], [200.0, 1.0], sigma=0.3, step=np.array([step, 0.0]))
        s = Surrogate(p)
        runs = ModelRuns(p)
        runs.run(np.asarray(design_module.design(40, 2)))
        s.train(runs, Box.cube(2), refit=True, restarts=2)
        x = np.random.default_rng(0).random((300, 2))
        return np.median(np.abs(s.costs(x) - ModelRuns(p).run(x)))

    assert best(10.0) < 0.1 * best(0.0)


def test_the_budget_is_counted_exactly():
    counted = fixtures.Counted(fixtures.decay)
    p = fixtures.decay_problem(simulate=counted)
    counted.rows.clear()
    method = MASM(preset="paper", n_iter=3, chain_length=(100, 200), short_chain=(5, 100, 100))
    result = method.run(p, fixtures.seed())
    assert result.n_runs == len(counted.rows) == 18 * 3 + 5 * 3 + 1
    assert result.rmse_trace.size == 3
    assert result.n_runs != 18 * 3 + 5 * 2 + 1  # one iteration less
