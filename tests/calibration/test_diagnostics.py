import numpy as np
import pytest

from gridcal.calibration.posterior.diagnostics import (
    effective_sample_size,
    gelman_rubin,
    importance_weights,
    pareto_shape,
    rank_normalise,
    rhat,
    split_rhat,
    weight_ess_ratio,
    worst_rhat_and_ess,
)


def chains(m=4, n=1000, seed=0):
    return np.random.default_rng(seed).normal(size=(m, n))


def autoregressive(rho, m=4, n=20000, seed=1):
    x = chains(m, n, seed)
    for t in range(1, n):
        x[:, t] = rho * x[:, t - 1] + np.sqrt(1 - rho**2) * x[:, t]
    return x


def test_stuck_chains_raise_the_gelman_rubin_factor():
    stuck = chains() + np.array([0.0, 3.0, 6.0, 9.0])[:, None]
    # B = N Var(0, 3, 6, 9) = 15 N, W = 1: sqrt((N - 1) / N + 5 / 4 x 15)
    assert gelman_rubin(stuck) == pytest.approx(np.sqrt(1 + 1.25 * 15.0), rel=0.03)
    assert rhat(stuck) > 1.5
    assert split_rhat(stuck) > 3.5


def test_independent_chains_have_converged():
    for seed in range(5):
        x = chains(seed=seed)
        assert gelman_rubin(x) == pytest.approx(1.0, abs=0.01)
        assert rhat(x) == pytest.approx(1.0, abs=0.01)


def test_gelman_rubin_by_hand():
    x = np.array([[0.0, 2.0], [4.0, 6.0]])  # W = 2, B = 2 x 8 = 16
    assert gelman_rubin(x) == pytest.approx(np.sqrt(0.5 + 3.0 / 4.0 * 8.0))


def test_trend_within_the_chains_is_seen():
    drifting = chains() + np.linspace(0.0, 4.0, 1000)
    assert gelman_rubin(drifting) < 1.01
    assert rhat(drifting) > 1.3


def test_scale_differences_are_seen_by_the_folded_part():
    x = chains()
    x[0] *= 5.0
    assert split_rhat(x) < 1.01
    assert rhat(x) > 1.05


def test_one_stray_walker_in_many_is_seen():
    x = chains(64, 200)
    x[7] += 60.0
    assert worst_rhat_and_ess(x[:, :, None])[0] > 1.5
    assert rhat(x) < 1.1


def test_chains_that_never_move_give_nan():
    assert np.isnan(gelman_rubin(np.ones((4, 10))))
    assert np.isnan(rhat(np.ones((4, 100))))
    assert np.isnan(effective_sample_size(np.ones((4, 100))))


def test_ranks_are_averaged_over_ties():
    z = rank_normalise(np.array([[1.0, 2.0], [2.0, 3.0]]))
    assert z[0, 1] == z[1, 0] == pytest.approx(0.0, abs=1e-12)
    assert z[0, 0] == pytest.approx(-z[1, 1])


def test_effective_sample_size_of_independent_draws():
    assert effective_sample_size(chains(4, 5000)) == pytest.approx(20000, rel=0.1)


@pytest.mark.parametrize("rho", [0.3, 0.7, 0.9])
def test_effective_sample_size_of_autoregressive_chains(rho):
    expected = 4 * 20000 * (1 - rho) / (1 + rho)
    assert effective_sample_size(autoregressive(rho)) == pytest.approx(expected, rel=0.12)


def test_worst_is_over_the_parameters():
    both = np.stack([chains(seed=0), autoregressive(0.9, n=1000)], axis=-1)
    assert worst_rhat_and_ess(both)[1] == effective_sample_size(np.ascontiguousarray(both[:, :, 1]))
    assert worst_rhat_and_ess(both)[0] >= rhat(np.ascontiguousarray(both[:, :, 0]))


def test_even_weights_of_an_exact_surrogate():
    cost = np.random.default_rng(0).chisquare(4, 20)
    assert weight_ess_ratio(cost, cost) == pytest.approx(1.0)
    assert weight_ess_ratio(cost + 17.0, cost) == pytest.approx(1.0)
    one = np.where(np.arange(20) == 3, 0.0, 1e10)
    assert weight_ess_ratio(one, np.zeros(20)) == pytest.approx(1 / 20)


def test_weights_turn_one_gaussian_into_another():
    x = np.random.default_rng(1).normal(size=200_000)
    weight = importance_weights((x - 0.3) ** 2, x**2)
    assert weight @ x == pytest.approx(0.3, abs=0.01)
    # E[w^2] / E[w]^2 = exp(0.3^2)
    assert weight_ess_ratio((x - 0.3) ** 2, x**2) == pytest.approx(np.exp(-0.09), rel=0.02)


def test_a_wrong_surrogate_is_flagged_though_its_chain_has_converged():
    # smooth false term of standard deviation 3 in cost across the posterior: K = 20 draws must see it in 95 % of seeds
    flagged = 0
    for seed in range(50):
        x = np.random.default_rng(seed).normal(size=20)
        error = 3.0 * np.sqrt(2.0) * np.sin(1.5 * x) / np.sqrt(1 - np.exp(-2 * 1.5**2))
        flagged += weight_ess_ratio(x**2 + error, x**2) < 0.8
    assert flagged >= 48


def arviz_value(name, x):
    arviz = pytest.importorskip("arviz")
    function = getattr(arviz, name)
    try:
        return float(function(x))
    except (TypeError, ValueError):  # ArviZ 1 wants the axes by name
        return float(function(x, chain_axis=0, draw_axis=1))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("rho", [0.0, 0.6, 0.95])
@pytest.mark.parametrize("moved", [0.0, 1.0])
def test_rhat_and_ess_are_those_of_arviz(rho, moved):
    x = autoregressive(rho, n=1000)
    x[0] += moved
    assert rhat(x) == pytest.approx(arviz_value("rhat", x), rel=1e-10)
    assert effective_sample_size(x) == pytest.approx(arviz_value("ess", x), rel=1e-8)


def arviz_pareto_shape(log_weight):
    arviz = pytest.importorskip("arviz")
    if hasattr(arviz, "psislw"):
        return float(arviz.psislw(log_weight)[1])
    from arviz_stats.base import array_stats

    return float(array_stats.psislw(-log_weight)[1])  # ArviZ 1 wants log likelihoods, of which the weights are the inverse


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n", [200, 400, 900])  # n / 5 or 3 sqrt(n) is whole: ArviZ 0 rounds the tail up, ArviZ 1 down
def test_pareto_shape_is_that_of_arviz(n):
    for number in range(4):
        log_weight = 1.5 * np.random.default_rng(number).standard_t(4, size=n)
        assert pareto_shape(log_weight) == pytest.approx(arviz_pareto_shape(log_weight), rel=1e-8)


def test_pareto_shape_without_a_tail():
    assert pareto_shape(np.zeros(40)) == -np.inf
    assert np.isnan(pareto_shape(np.arange(4.0)))


def test_pareto_shape_of_pareto_weights():
    weight = np.random.default_rng(0).pareto(2.0, 20_000) + 1.0  # tail index 2: shape 1 / 2
    assert pareto_shape(np.log(weight)) == pytest.approx(0.5, abs=0.1)
