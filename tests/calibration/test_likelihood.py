import dataclasses

import numpy as np
import pytest
from scipy.integrate import quad

from gridcal.calibration.likelihood import effective_observations, lag_one_correlation
from gridcal.calibration.problem import ModelRuns, PixelProblem
from gridcal.calibration.status import Status
from gridcal.errors import ConfigError
from gridcal.kernels.surrogate.emulator import FAILED_COST

T = 40
TIME = np.linspace(0.0, 1.0, T)


def line(theta):
    return theta[:, :1] + theta[:, 1:] * TIME


def problem(**changes):
    rng = np.random.default_rng(0)
    options = {
        "names": ("a", "b"),
        "lower": np.array([-2.0, -2.0]),
        "upper": np.array([2.0, 2.0]),
        "step": np.zeros(2),
        "log": np.zeros(2, dtype=bool),
        "observations": 0.3 + 0.8 * TIME + 0.1 * rng.normal(size=T),
        "sigma": 0.1,
        "likelihood": "fixed",
        "n_eff": None,
        "simulate": line,
    }
    return PixelProblem(**{**options, **changes})


def cost(p, theta):
    return ModelRuns(p).run(p.unit(np.atleast_2d(theta)))


def test_variance_of_the_observations_gives_one_minus_nse():
    p = problem(likelihood="obs_variance", sigma=None)
    theta = np.array([[0.1, 0.5], [0.3, 0.8], [-1.0, 2.0]])
    obs = p.observations
    nse = 1.0 - ((line(theta) - obs) ** 2).sum(1) / ((obs - obs.mean()) ** 2).sum()
    np.testing.assert_allclose(cost(p, theta), T * (1.0 - nse), rtol=1e-12)


def test_fixed_cost_and_constant_are_minus_two_log_likelihood():
    p = problem()
    theta = np.array([[0.1, 0.5]])
    density = np.exp(-0.5 * ((line(theta)[0] - p.observations) / 0.1) ** 2) / np.sqrt(2 * np.pi * 0.1**2)
    constant = p.errors().constant
    assert cost(p, theta)[0] + constant == pytest.approx(-2.0 * np.log(density).sum(), rel=1e-12)


def test_halving_the_variance_doubles_the_cost():
    theta = np.array([[0.1, 0.5]])
    twice = cost(problem(sigma=0.1 / np.sqrt(2)), theta)
    np.testing.assert_allclose(twice, 2.0 * cost(problem(), theta))


def test_profile_cost_is_n_log_sse_and_its_constant_makes_it_the_marginal_likelihood():
    p = problem(likelihood="profile", sigma=None)
    theta = np.array([[0.1, 0.5]])
    sse = float(((line(theta)[0] - p.observations) ** 2).sum())
    assert cost(p, theta)[0] == pytest.approx(T * np.log(sse))

    scale = np.sqrt(sse / T)

    def integrand(log_sigma):
        s = np.exp(log_sigma)
        return np.exp(-0.5 * T * (np.log(2 * np.pi * s**2) + (sse / T) / s**2) + 0.5 * T * np.log(2 * np.pi * scale**2))

    marginal = quad(integrand, np.log(scale) - 3, np.log(scale) + 3)[0]
    expected = -2.0 * np.log(marginal) + T * np.log(2 * np.pi * scale**2)
    assert cost(p, theta)[0] + p.errors().constant == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("likelihood", ["profile", "fixed", "obs_variance"])
def test_effective_number_scales_the_cost(likelihood):
    theta = np.array([[0.1, 0.5], [0.2, 0.1]])
    whole, part = (cost(problem(likelihood=likelihood, n_eff=n), theta) for n in (None, 10.0))
    np.testing.assert_allclose(part, whole * 10.0 / T)


def test_missing_observations_do_not_count():
    obs = problem().observations.copy()
    obs[::3] = np.nan
    p = problem(observations=obs)
    keep = np.isfinite(obs)
    theta = np.array([[0.1, 0.5]])
    expected = (((line(theta)[0] - obs)[keep] / 0.1) ** 2).sum()
    assert cost(p, theta)[0] == pytest.approx(expected)
    q = problem(sigma=np.where(keep, 0.1, np.nan))
    assert cost(q, theta)[0] == pytest.approx((((line(theta)[0] - q.observations)[keep] / 0.1) ** 2).sum())


def test_autocorrelation_discounts_observations():
    rng = np.random.default_rng(3)
    rho, n = 0.7, 40000
    x = rng.normal(size=n)
    for t in range(1, n):
        x[t] = rho * x[t - 1] + np.sqrt(1 - rho**2) * x[t]
    assert lag_one_correlation(x) == pytest.approx(rho, abs=0.02)
    assert effective_observations(x) == pytest.approx(n * 0.3 / 1.7, rel=0.05)
    x[rng.random(n) < 0.3] = np.nan
    assert lag_one_correlation(x) == pytest.approx(rho, abs=0.03)
    assert effective_observations(np.full(5, np.nan)) == 1.0
    assert lag_one_correlation(np.ones(9)) == 0.0


def test_ar1_uses_the_best_first_run():
    rng = np.random.default_rng(1)
    error = np.repeat(rng.normal(size=T // 4), 4) * 0.1
    p = problem(observations=0.3 + 0.8 * TIME + error, n_eff="ar1")
    runs = ModelRuns(p)
    runs.run(p.unit(np.array([[1.0, 1.0], [0.3, 0.8]])))
    assert runs.likelihood.n_eff == pytest.approx(effective_observations(-error), rel=1e-9)
    assert runs.likelihood.n_eff < 0.5 * T


def test_failed_runs_have_a_big_finite_cost_and_are_counted():
    def broken(theta):
        out = line(theta)
        out[theta[:, 0] > 1.0] = np.nan
        out[theta[:, 0] < -1.0] = np.inf
        return out

    runs = ModelRuns(problem(simulate=broken))
    costs = runs.run(runs.problem.unit(np.array([[1.5, 0.0], [-1.5, 0.0], [0.3, 0.8]])))
    assert list(costs[:2]) == [FAILED_COST, FAILED_COST]
    assert costs[2] < 100.0
    assert list(runs.failed) == [True, True, False]
    assert (runs.n, runs.n_good) == (3, 1)


def test_penalty_is_added():
    p = problem(penalty=lambda theta: 3.0 * theta[:, 0] ** 2)
    theta = np.array([[0.5, 0.5]])
    assert cost(p, theta)[0] == pytest.approx(cost(problem(), theta)[0] + 0.75)


def test_a_perfect_fit_has_a_finite_profile_cost():
    p = problem(likelihood="profile", observations=0.3 + 0.8 * TIME)
    assert np.isfinite(cost(p, [0.3, 0.8])[0])


def test_prechecks():
    assert problem().precheck() == Status.ok
    assert problem(observations=np.full(T, np.nan)).precheck() == Status.insufficient_observations
    assert problem(observations=np.full(T, 2.0)).precheck() == Status.constant_observation
    few = np.full(T, np.nan)
    few[:3] = [1.0, 2.0, 3.0]
    assert problem(observations=few).precheck() == Status.insufficient_observations


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"lower": np.array([0.0, 3.0])}, "'b'"),
        ({"likelihood": "gaussian"}, "gaussian"),
        ({"sigma": None}, "sigma"),
        ({"n_eff": "many"}, "many"),
        ({"step": np.zeros(3)}, "step"),
    ],
)
def test_impossible_problems_are_refused(change, named):
    with pytest.raises(ConfigError, match=named):
        dataclasses.replace(problem(), **change)
