"""Light-use-efficiency model: the hand-written gradient of the weighted sum of squared errors."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gridcal.models.lue import PARAMETERS, lue, sse_gradient

_spec = importlib.util.spec_from_file_location("lue_oracle", Path(__file__).with_name("lue_oracle.py"))
oracle = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(oracle)

LOWER, UPPER = np.array(oracle.LOWER), np.array(oracle.UPPER)
BOTH = np.ones(2)
THETAS = np.array(
    [
        [1.8, 20.0, 9.0, -0.06, 370.0, 2.0, 1500.0, -12.0, 0.35, 0.05, 0.4, 0.6, 0.7],
        [3.5, 13.0, 5.0, -0.02, 350.0, 6.0, 400.0, -22.0, 0.6, 0.3, 0.8, 0.2, 0.85],
        [0.9, 29.0, 15.0, -0.09, 388.0, 0.7, 3200.0, -7.0, 0.2, 0.01, 0.1, 0.85, 0.3],
    ]
)


def season(days=730, seed=3):
    """Forcing of a temperate site with dry summers, tuple of (T,)."""
    rng = np.random.default_rng(seed)
    phase = 2 * np.pi * np.arange(days) / 365
    warm = 0.5 - 0.5 * np.cos(phase)
    return (
        2 + 20 * warm + rng.normal(0, 3, days),
        0.2 + 1.8 * warm * rng.random(days),
        2 + 9 * warm * rng.uniform(0.3, 1, days),
        0.3 + 0.5 * warm,
        np.clip(0.85 - 0.6 * warm + rng.normal(0, 0.05, days), 0, 1),
        np.linspace(375, 415, days),
        np.clip(rng.normal(0.5, 0.2, days), 0.02, 1),
    )


def observations(forcing, seed=4):
    """Observations with gaps from other parameters and noise, and weights."""
    rng = np.random.default_rng(seed)
    truth = np.array([2.5, 17.0, 11.0, -0.04, 360.0, 4.0, 900.0, -15.0, 0.3, 0.1, 0.3, 0.4, 0.5])
    (gpp,), _ = lue.run(truth[:, None], tuple(a[:, None] for a in forcing), BOTH[:, None])
    obs = gpp[:, 0] + rng.normal(0, 0.3, gpp.shape[0])
    obs[rng.random(obs.size) < 0.2] = np.nan
    return obs, rng.random(obs.size)


def sse_of_runs(theta, forcing, site, obs, weight):
    """Weighted sum of squared errors of each column of theta, from plain model runs."""
    sites = np.repeat(np.asarray(site, float)[:, None], theta.shape[1], axis=1)
    (gpp,), _ = lue.run(theta, tuple(a[:, None] for a in forcing), sites)
    seen = np.isfinite(obs)
    return (weight[seen, None] * (gpp[seen] - obs[seen, None]) ** 2).sum(axis=0)


def central_differences(theta, forcing, site, obs, weight, share=1e-5):
    step = share * (UPPER - LOWER)
    up, down = theta[:, None] + np.diag(step), theta[:, None] - np.diag(step)
    difference = sse_of_runs(up, forcing, site, obs, weight) - sse_of_runs(down, forcing, site, obs, weight)
    return difference / (2 * step)


@pytest.mark.parametrize("theta", THETAS)
def test_gradient_agrees_with_central_differences(theta):
    forcing = season()
    obs, weight = observations(forcing)
    _, grad = sse_gradient(theta, forcing, BOTH, obs, weight)
    assert grad.shape == (13,)
    assert (grad != 0).all()
    np.testing.assert_allclose(grad, central_differences(theta, forcing, BOTH, obs, weight), rtol=1e-5)


@pytest.mark.parametrize("theta", THETAS)
@pytest.mark.parametrize("site", [(1.0, 1.0), (0.0, 1.0), (1.0, 0.0), (0.0, 0.0)])
def test_gradient_agrees_with_the_complex_step_of_the_equations(theta, site):
    forcing = season(days=200)
    obs, weight = observations(forcing)
    sse, grad = sse_gradient(theta, forcing, np.array(site), obs, weight)
    series = [list(map(float, a)) for a in forcing]
    expected, size = oracle.sse_gradient(list(map(float, theta)), series, site, obs.tolist(), weight.tolist())
    np.testing.assert_allclose(sse, oracle.sse(theta.tolist(), series, site, obs.tolist(), weight.tolist()), rtol=1e-12)
    assert (np.abs(grad - expected) <= 1e-11 * np.array(size)).all()


UNIT = st.floats(0.0, 1.0, allow_subnormal=False)


@settings(deadline=None, max_examples=25, derandomize=True)
@given(arrays(float, 13, elements=UNIT, fill=st.nothing()), st.integers(0, 2**32 - 1))
def test_gradient_anywhere_within_the_bounds(unit, seed):
    theta = np.clip(LOWER + (UPPER - LOWER) * unit, LOWER, UPPER)
    rng = np.random.default_rng(seed)
    days = 25
    low = np.array([-30.0, 0.0, 0.0, 0.0, 0.0, 345.0, 0.0])
    high = np.array([45.0, 6.0, 16.0, 1.0, 1.0, 900.0, 1.0])
    forcing = tuple(a + (b - a) * rng.random(days) for a, b in zip(low, high, strict=True))
    obs, weight = rng.uniform(-1, 15, days), rng.random(days)
    obs[::4] = np.nan
    site = rng.integers(0, 2, 2).astype(float)
    sse, grad = sse_gradient(theta, forcing, site, obs, weight)
    args = ([a.tolist() for a in forcing], site.tolist(), obs.tolist(), weight.tolist())
    expected, size = oracle.sse_gradient(theta.tolist(), *args)
    np.testing.assert_allclose(sse, oracle.sse(theta.tolist(), *args), rtol=1e-12)
    assert (np.abs(grad - expected) <= 1e-11 * np.array(size) + 1e-100).all()


def test_sse_is_that_of_the_model_run():
    forcing = season()
    obs, weight = observations(forcing)
    for theta in THETAS:
        sse, _ = sse_gradient(theta, forcing, BOTH, obs, weight)
        np.testing.assert_allclose(sse, sse_of_runs(theta[:, None], forcing, BOTH, obs, weight)[0], rtol=1e-12)


def test_perfect_parameters_have_no_error_and_no_slope():
    forcing = season()
    theta = THETAS[0]
    (gpp,), _ = lue.run(theta[:, None], tuple(a[:, None] for a in forcing), BOTH[:, None])
    sse, grad = sse_gradient(theta, forcing, BOTH, gpp[:, 0], np.ones(gpp.shape[0]))
    assert sse < 1e-20
    np.testing.assert_allclose(grad * (UPPER - LOWER), 0, atol=1e-8)


def test_lag_without_its_mask_has_no_slope():
    forcing = season()
    obs, weight = observations(forcing)
    index = [PARAMETERS.index("aT"), PARAMETERS.index("aW")]
    for site in ((0.0, 1.0), (1.0, 0.0), (0.0, 0.0)):
        _, grad = sse_gradient(THETAS[0], forcing, np.array(site), obs, weight)
        for mask, slope in zip(site, grad[index], strict=True):
            assert (slope != 0) == (mask == 1)


def test_lag_at_its_lower_bound_has_a_slope():
    forcing = season(days=120)
    obs, weight = observations(forcing)
    theta = THETAS[0].copy()
    theta[11:] = 0.0
    _, grad = sse_gradient(theta, forcing, BOTH, obs, weight)
    args = ([a.tolist() for a in forcing], (1.0, 1.0), obs.tolist(), weight.tolist())
    np.testing.assert_allclose(grad, oracle.sse_gradient(theta.tolist(), *args)[0], rtol=1e-9)


def test_slope_of_eps_max_at_zero():
    forcing = season()
    obs, weight = observations(forcing)
    theta = THETAS[0].copy()
    theta[0] = 1.0
    (per_eps,), _ = lue.run(theta[:, None], tuple(a[:, None] for a in forcing), BOTH[:, None])
    theta[0] = 0.0
    sse, grad = sse_gradient(theta, forcing, BOTH, obs, weight)
    seen = np.isfinite(obs)
    np.testing.assert_allclose(sse, (weight * obs**2)[seen].sum(), rtol=1e-12)
    np.testing.assert_allclose(grad[0], -2 * (weight * obs * per_eps[:, 0])[seen].sum(), rtol=1e-12)
    np.testing.assert_array_equal(grad[1:], 0.0)


def test_clear_sky_does_not_poison_the_gradient():
    forcing = list(season())
    obs, weight = observations(forcing)
    forcing[6] = forcing[6].copy()
    forcing[6][::3] = 0.0
    sse, grad = sse_gradient(THETAS[0], tuple(forcing), BOTH, obs, weight)
    assert np.isfinite(sse)
    np.testing.assert_allclose(grad, central_differences(THETAS[0], forcing, BOTH, obs, weight), rtol=1e-5)


def test_negative_vpd_meets_the_clip_in_error_and_gradient():
    forcing = list(season())
    obs, weight = observations(forcing)
    forcing[1] = forcing[1].copy()
    forcing[1][::3] = -0.5
    sse, grad = sse_gradient(THETAS[0], tuple(forcing), BOTH, obs, weight)
    np.testing.assert_allclose(sse, sse_of_runs(THETAS[0][:, None], forcing, BOTH, obs, weight)[0], rtol=1e-12)
    np.testing.assert_allclose(grad, central_differences(THETAS[0], forcing, BOTH, obs, weight), rtol=1e-5)


def test_far_from_the_optimum_the_gradient_is_finite():
    forcing = list(season())
    obs, weight = observations(forcing)
    forcing[0] = forcing[0] + 2000.0
    theta = THETAS[0].copy()
    theta[2] = 1.0
    sse, grad = sse_gradient(theta, tuple(forcing), BOTH, obs, weight)
    assert np.isfinite(sse)
    assert np.isfinite(grad).all()


def test_days_without_observation_or_weight_do_not_count():
    forcing = season()
    obs, weight = observations(forcing)
    missing = np.isnan(obs)
    expected = sse_gradient(THETAS[1], forcing, BOTH, obs, weight)
    silent = np.where(missing, 0.0, weight)
    got = sse_gradient(THETAS[1], forcing, BOTH, np.where(missing, 50.0, obs), silent)
    np.testing.assert_allclose(got[0], expected[0], rtol=1e-14)
    np.testing.assert_allclose(got[1], expected[1], rtol=1e-12)


def test_no_observation_gives_zero():
    forcing = season(days=40)
    sse, grad = sse_gradient(THETAS[0], forcing, BOTH, np.full(40, np.nan), np.ones(40))
    assert sse == 0
    np.testing.assert_array_equal(grad, 0)


def test_error_and_gradient_scale_with_the_weights():
    forcing = season()
    obs, weight = observations(forcing)
    once = sse_gradient(THETAS[2], forcing, BOTH, obs, weight)
    four = sse_gradient(THETAS[2], forcing, BOTH, obs, 4 * weight)
    np.testing.assert_allclose(four[0], 4 * once[0], rtol=1e-14)
    np.testing.assert_allclose(four[1], 4 * once[1], rtol=1e-13)


def test_single_precision_forcing():
    forcing = season()
    obs, weight = observations(forcing)
    single = tuple(a.astype(np.float32) for a in forcing)
    double = tuple(a.astype(np.float64) for a in single)
    got = sse_gradient(THETAS[0], single, BOTH, obs, weight)
    expected = sse_gradient(THETAS[0], double, BOTH, obs, weight)
    np.testing.assert_allclose(got[0], expected[0], rtol=1e-13)
    np.testing.assert_allclose(got[1], expected[1], rtol=1e-11)


@pytest.mark.parametrize("name", oracle.FORCING)
def test_missing_forcing_is_a_missing_error(name):
    forcing = season(days=60)
    obs, weight = observations(forcing)
    obs[30] = 1.0
    holed = [a.copy() for a in forcing]
    holed[oracle.FORCING.index(name)][30] = np.nan
    sse, _ = sse_gradient(THETAS[0], tuple(holed), BOTH, obs, weight)
    assert np.isnan(sse)


@pytest.mark.parametrize("name", oracle.NAMES)
def test_missing_parameter_is_a_missing_error(name):
    forcing = season(days=60)
    obs, weight = observations(forcing)
    theta = THETAS[0].copy()
    theta[oracle.NAMES.index(name)] = np.nan
    assert np.isnan(sse_gradient(theta, forcing, BOTH, obs, weight)[0])
