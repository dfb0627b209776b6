import numpy as np
import pytest

from gridcal.calibration.cmaes import CMAES
from gridcal.calibration.problem import PixelProblem
from gridcal.calibration.status import Status
from gridcal.errors import ConfigError

TIME = np.linspace(0.0, 1.0, 60)


def curve(theta):
    return theta[:, :1] * np.exp(-theta[:, 1:2] * TIME) + theta[:, 2:]


def problem(truth=(2.0, 3.0, 0.5), noise=0.0, simulate=curve, **changes):
    rng = np.random.default_rng(0)
    options = {
        "names": ("a", "rate", "c"),
        "lower": np.array([0.0, 0.1, -1.0]),
        "upper": np.array([5.0, 10.0, 1.0]),
        "step": np.zeros(3),
        "log": np.zeros(3, dtype=bool),
        "observations": curve(np.array([truth]))[0] + noise * rng.normal(size=60),
        "sigma": 0.1,
        "likelihood": "fixed",
        "n_eff": None,
        "simulate": simulate,
    }
    return PixelProblem(**{**options, **changes})


def test_recovers_the_truth():
    result = CMAES(max_evaluations=3000).run(problem(), np.random.SeedSequence(1))
    np.testing.assert_allclose(result.estimate, [2.0, 3.0, 0.5], rtol=1e-4)
    assert result.cost == result.cost_best < 1e-4
    assert result.status == Status.ok
    assert result.draws is None
    assert np.isnan(result.sd).all()


def test_least_squares_optimum():
    from scipy.optimize import least_squares

    p = problem(noise=0.1)
    exact = least_squares(lambda t: curve(t[None])[0] - p.observations, [1.0, 1.0, 0.0]).x
    result = CMAES(max_evaluations=3000).run(p, np.random.SeedSequence(2))
    np.testing.assert_allclose(result.estimate, exact, atol=2e-3)


def test_optimum_on_a_bound():
    result = CMAES(max_evaluations=2000).run(problem(truth=(2.0, 3.0, 1.5)), np.random.SeedSequence(1))
    assert result.estimate[2] == pytest.approx(1.0, abs=1e-3)
    assert list(result.edge_hit) == [0.0, 0.0, 1.0]


def test_model_runs_are_counted_and_capped():
    calls = []

    def counted(theta):
        calls.append(len(theta))
        assert ((theta >= [0.0, 0.1, -1.0]) & (theta <= [5.0, 10.0, 1.0])).all()
        return curve(theta)

    for polish in (False, True):
        calls.clear()
        method = CMAES(max_evaluations=200, restarts=3, polish=polish)
        result = method.run(problem(simulate=counted), np.random.SeedSequence(3))
        assert result.n_runs == sum(calls) <= 200
    assert max(calls) > 1


def test_depends_on_the_seed_alone_and_leaves_the_global_stream():
    before = np.random.get_state()[1].copy()  # noqa: NPY002  (the global stream must not be touched)
    method = CMAES(max_evaluations=300)
    first, second, other = (method.run(problem(noise=0.1), np.random.SeedSequence(s)) for s in (5, 5, 6))
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    np.testing.assert_array_equal(first.estimate, second.estimate)
    assert not np.array_equal(first.estimate, other.estimate)


def test_polishing_does_not_make_it_worse():
    seed = np.random.SeedSequence(7)
    plain = CMAES(max_evaluations=120, restarts=0).run(problem(noise=0.1), seed)
    polished = CMAES(max_evaluations=400, restarts=0, polish=True).run(problem(noise=0.1), seed)
    assert polished.cost <= plain.cost


def test_one_parameter():
    p = PixelProblem(
        names=("a",),
        lower=np.array([0.0]),
        upper=np.array([3.0]),
        step=np.zeros(1),
        log=np.zeros(1, dtype=bool),
        observations=2.0 * TIME,
        sigma=None,
        likelihood="profile",
        n_eff=None,
        simulate=lambda theta: theta * TIME,
    )
    assert CMAES(max_evaluations=400).run(p, np.random.SeedSequence(0)).estimate[0] == pytest.approx(2.0, abs=1e-4)


def test_failing_model_and_unusable_observations():
    def broken(theta):
        return np.full((len(theta), 60), np.nan)

    result = CMAES(max_evaluations=100).run(problem(simulate=broken), np.random.SeedSequence(0))
    assert result.status == Status.model_failure
    assert result.n_failed == result.n_runs > 0
    nothing = problem(observations=np.full(60, np.nan))
    result = CMAES().run(nothing, np.random.SeedSequence(0))
    assert result.status == Status.insufficient_observations
    assert result.n_runs == 0


def test_failure_in_part_of_the_cube_is_survived():
    def half(theta):
        out = curve(theta)
        out[theta[:, 1] > 5.0] = np.nan
        return out

    result = CMAES(max_evaluations=3000).run(problem(simulate=half), np.random.SeedSequence(4))
    np.testing.assert_allclose(result.estimate, [2.0, 3.0, 0.5], rtol=1e-3)


@pytest.mark.parametrize("option", [{"max_evaluations": 0}, {"popsize": 2}, {"sigma0": 0.0}, {"restarts": -1}])
def test_impossible_options(option):
    with pytest.raises(ConfigError, match=next(iter(option))):
        CMAES(**option)
