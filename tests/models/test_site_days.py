"""Fused error and gradient over many sites: against the one-site gradient, differences of model runs, and automatic
differentiation."""

import time

import numpy as np
import pytest

from gridcal.errors import InputError
from gridcal.models.lue import PARAMETERS, SiteDays, lue, sse_gradient

LOW = np.array([-10.0, 0.0, 0.0, 0.1, 0.0, 360.0, 0.05])
HIGH = np.array([32.0, 3.5, 14.0, 0.95, 1.0, 420.0, 1.0])
MASKS = np.array([[1.0, 0.0, 1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0, 1.0, 0.0]])
LENGTHS = (400, 63, 64, 129, 700, 5)


def sites(seed=1, gaps=0.3):
    """Ragged forcing, masks, observations with gaps, weights, parameters inside the bounds."""
    rng = np.random.default_rng(seed)
    forcing = [[a + (b - a) * rng.random(t) for a, b in zip(LOW, HIGH, strict=True)] for t in LENGTHS]
    obs = [np.where(rng.random(t) < gaps, np.nan, rng.uniform(0.0, 12.0, t)) for t in LENGTHS]
    weight = [rng.uniform(0.2, 1.0, t) for t in LENGTHS]
    theta = PARAMETERS.from_unit(rng.uniform(0.1, 0.9, (len(LENGTHS), 13))).T
    return forcing, obs, weight, theta


def packed(forcing, obs, weight):
    return SiteDays(forcing, MASKS, obs, weight)


def test_agrees_with_the_gradient_of_one_site():
    forcing, obs, weight, theta = sites()
    sse, grad = packed(forcing, obs, weight).sse_gradient(theta, np.arange(6))
    for s in range(6):
        expected, slope = sse_gradient(theta[:, s], forcing[s], MASKS[:, s], obs[s], weight[s])
        np.testing.assert_allclose(sse[s], expected, rtol=1e-12)
        np.testing.assert_allclose(grad[:, s], slope, rtol=1e-9, atol=1e-11 * np.abs(slope).max())


def test_gradient_agrees_with_central_differences_of_model_runs():
    forcing, obs, weight, theta = sites(seed=2)
    _, grad = packed(forcing, obs, weight).sse_gradient(theta, np.arange(6))
    step = 1e-5 * (PARAMETERS.upper - PARAMETERS.lower)
    for s in range(6):
        both = np.concatenate([theta[:, [s]] + np.diag(step), theta[:, [s]] - np.diag(step)], axis=1)
        (gpp,), _ = lue.run(both, [x[:, None] for x in forcing[s]], MASKS[:, [s]].repeat(26, axis=1))
        seen = np.isfinite(obs[s])
        sse = (weight[s][seen, None] * (gpp[seen] - obs[s][seen, None]) ** 2).sum(axis=0)
        slope = (sse[:13] - sse[13:]) / (2.0 * step)
        np.testing.assert_allclose(grad[:, s], slope, rtol=1e-5, atol=1e-8 * np.abs(slope * step).max() / step.min())


def test_gradient_agrees_with_automatic_differentiation():
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy

    def lagged(x, alpha):
        def step(before, now):
            after = (1.0 - alpha) * now + alpha * before
            return after, after

        return jax.lax.scan(step, x[0], x)[1]

    def sse(theta, series, mask, y, w):
        eps_max, Topt, kT, kappa, Ca0, Ck, Cm, kW, WI, gamma, mu, aT, aW = theta
        tas, vpd, par, fapar, wai, co2, ci = series
        apar = par * fapar
        fT = 1.0 / jnp.cosh((lagged(tas, aT * mask[0]) - Topt) / kT)
        fVPD = jnp.exp(kappa * (Ca0 / co2) ** Ck * vpd) * (1.0 + (co2 - Ca0) / (co2 - Ca0 + Cm))
        fW = 1.0 / (1.0 + jnp.exp(kW * (lagged(wai, aW * mask[1]) - WI)))
        gpp = apar * eps_max * fT * fVPD * fW / (1.0 + gamma * apar) * ci**mu
        return jnp.sum(w * (gpp - y) ** 2)

    forcing, obs, weight, theta = sites(seed=3)
    found, grad = packed(forcing, obs, weight).sse_gradient(theta, np.arange(6))
    for s in range(3):
        w = np.where(np.isfinite(obs[s]), weight[s], 0.0)
        series = [jnp.asarray(x) for x in forcing[s]]
        value, slope = jax.value_and_grad(sse)(jnp.asarray(theta[:, s]), series, MASKS[:, s], np.nan_to_num(obs[s]), w)
        np.testing.assert_allclose(found[s], float(value), rtol=1e-11)
        np.testing.assert_allclose(grad[:, s], np.asarray(slope), rtol=1e-9, atol=1e-9 * np.abs(slope).max() * 1e-3)


def test_order_and_repetition_of_sites_do_not_matter():
    forcing, obs, weight, theta = sites()
    days = packed(forcing, obs, weight)
    sse, grad = days.sse_gradient(theta, np.arange(6))
    which = np.array([4, 0, 4, 5, 2])
    again, slope = days.sse_gradient(theta[:, which], which)
    np.testing.assert_array_equal(again, sse[which])
    np.testing.assert_array_equal(slope, grad[:, which])


def test_days_without_observation_or_weight_do_not_count():
    forcing, obs, weight, theta = sites()
    expected = packed(forcing, obs, weight).sse_gradient(theta, np.arange(6))
    silent = [np.where(np.isnan(y), 0.0, w) for y, w in zip(obs, weight, strict=True)]
    filled = [np.where(np.isnan(y), 99.0, y) for y in obs]
    got = packed(forcing, filled, silent).sse_gradient(theta, np.arange(6))
    np.testing.assert_array_equal(got[0], expected[0])
    np.testing.assert_array_equal(got[1], expected[1])


def test_sum_of_squares_about_the_weighted_mean():
    forcing, obs, weight, _ = sites()
    days = packed(forcing, obs, weight)
    for s in range(6):
        seen = np.isfinite(obs[s])
        mean = np.average(obs[s][seen], weights=weight[s][seen])
        assert days.n_days[s] == seen.sum()
        np.testing.assert_allclose(days.sst[s], (weight[s][seen] * (obs[s][seen] - mean) ** 2).sum(), rtol=1e-12)


def test_site_without_observation_has_no_error_and_no_slope():
    forcing, obs, weight, theta = sites()
    obs[2] = np.full(LENGTHS[2], np.nan)
    sse, grad = packed(forcing, obs, weight).sse_gradient(theta, np.arange(6))
    assert sse[2] == 0.0
    assert not grad[:, 2].any()
    assert (sse[[0, 1, 3, 4, 5]] > 0).all()


@pytest.mark.parametrize("row", range(7))
def test_missing_forcing_spoils_its_own_site_only(row):
    forcing, obs, weight, theta = sites()
    expected, _ = packed(forcing, obs, weight).sse_gradient(theta, np.arange(6))
    obs[1][30] = 1.0
    forcing[1][row][30] = np.nan
    sse, _ = packed(forcing, obs, weight).sse_gradient(theta, np.arange(6))
    assert np.isnan(sse[1])
    np.testing.assert_array_equal(sse[[0, 2, 3, 4, 5]], expected[[0, 2, 3, 4, 5]])


@pytest.mark.parametrize("row", range(7))
def test_a_gap_between_observations_spoils_the_later_ones_as_in_a_run(row):
    forcing, obs, weight, theta = sites()
    forcing[3][row][30] = np.nan
    for seen, spoilt in ((np.arange(30), False), (np.array([3, 31]), True)):
        obs[3] = np.where(np.isin(np.arange(LENGTHS[3]), seen), 5.0, np.nan)
        (gpp,), _ = lue.run(theta[:, [3]], [x[:, None] for x in forcing[3]], MASKS[:, [3]])
        assert np.isnan(gpp[seen, 0]).any() == spoilt
        sse, grad = packed(forcing, obs, weight).sse_gradient(theta, np.arange(6))
        one, slope = sse_gradient(theta[:, 3], forcing[3], MASKS[:, 3], obs[3], weight[3])
        assert np.isnan([sse[3], *grad[:10, 3], one, *slope[:10]]).all() == spoilt
        assert np.isfinite([sse[3], *grad[:, 3], one, *slope]).all() != spoilt


@pytest.mark.parametrize("row", range(13))
def test_missing_parameter_is_a_missing_error(row):
    forcing, obs, weight, theta = sites()
    theta[row, 0] = np.nan
    sse, _ = packed(forcing, obs, weight).sse_gradient(theta, np.arange(6))
    assert np.isnan(sse[0])
    assert np.isfinite(sse[1:]).all()


def test_negative_vpd_meets_the_clip():
    forcing, obs, weight, theta = sites()
    forcing[0][1][::3] = -0.7
    sse, grad = packed(forcing, obs, weight).sse_gradient(theta, np.arange(6))
    expected, slope = sse_gradient(theta[:, 0], forcing[0], MASKS[:, 0], obs[0], weight[0])
    np.testing.assert_allclose(sse[0], expected, rtol=1e-12)
    np.testing.assert_allclose(grad[:, 0], slope, rtol=1e-9, atol=1e-11 * np.abs(slope).max())


def test_shapes_that_do_not_fit_are_named():
    forcing, obs, weight, theta = sites()
    with pytest.raises(InputError, match="site 3 differ in length"):
        SiteDays(forcing, MASKS, [*obs[:3], obs[3][:-1], *obs[4:]], weight)
    with pytest.raises(InputError, match="do not fit"):
        SiteDays(forcing[:4], MASKS, obs, weight)
    with pytest.raises(InputError, match="site numbers"):
        packed(forcing, obs, weight).sse_gradient(theta, np.arange(1, 7))


def test_lanes_of_days_beat_the_one_site_loop():
    rng = np.random.default_rng(5)
    n, days = 24, 2000
    forcing = [[a + (b - a) * rng.random(days) for a, b in zip(LOW, HIGH, strict=True)] for _ in range(n)]
    obs = [rng.uniform(0.0, 12.0, days) for _ in range(n)]
    theta = PARAMETERS.from_unit(rng.uniform(0.1, 0.9, (n, 13))).T
    masks = np.ones((2, n))
    fused = SiteDays(forcing, masks, obs)
    which = np.arange(n)

    def one_by_one():
        for s in range(n):
            sse_gradient(theta[:, s], forcing[s], masks[:, s], obs[s])

    def measured(function):
        start = time.process_time()
        function()
        return time.process_time() - start

    one_by_one(), fused.sse_gradient(theta, which)
    ratio = [measured(one_by_one) / measured(lambda: fused.sse_gradient(theta, which)) for _ in range(9)]
    assert np.median(ratio) > 1.5, f"the day lanes are only {np.median(ratio):.2f} times as fast: they no longer vectorise"
