"""Elementary effects against closed forms and against SALib's own analysis of the same runs."""

import numpy as np
import pytest
from SALib.analyze import morris

from gridcal.errors import ConfigError
from gridcal.kernels.elementary_effects import (
    effect_statistics,
    elementary_effects,
    moves,
    series_effects,
    step_size,
    trajectories,
)


def drawn(n=20, d=5, levels=4, seed=1, **more):
    return trajectories(n, d, levels, np.random.default_rng(seed), **more)


def ishigami(x):
    z = np.pi * (2.0 * x[..., :3] - 1.0)
    return np.sin(z[..., 0]) + 7.0 * np.sin(z[..., 1]) ** 2 + 0.1 * z[..., 2] ** 4 * np.sin(z[..., 0])


@pytest.mark.parametrize("levels", [2, 4, 6, 10])
def test_trajectories_move_one_parameter_at_a_time_by_the_step(levels):
    points = drawn(levels=levels)
    assert points.shape == (20, 6, 5)
    assert points.min() >= 0.0
    assert points.max() <= 1.0
    which, sign = moves(points)
    np.testing.assert_array_equal(np.sort(which, axis=1), np.tile(np.arange(5), (20, 1)))
    assert set(np.unique(sign)) == {-1.0, 1.0}
    np.testing.assert_allclose(np.abs(np.diff(points, axis=1)).max(axis=2), step_size(levels), rtol=1e-14)
    np.testing.assert_allclose((points * (levels - 1)).round(), points * (levels - 1), atol=1e-12)


def test_step_of_four_levels_is_two_thirds():
    assert step_size(4) == pytest.approx(2.0 / 3.0, rel=1e-15)


def test_trajectories_chosen_from_a_pool_lie_farther_apart():
    def apart(points):
        flat = points.reshape(points.shape[0], -1, points.shape[2])
        pairs = [(i, j) for i in range(len(flat)) for j in range(i)]
        return np.mean([np.linalg.norm(flat[i][:, None] - flat[j][None], axis=2).sum() for i, j in pairs])

    plain = np.mean([apart(drawn(6, seed=s)) for s in range(5)])
    spread = np.mean([apart(drawn(6, seed=s, pool=40)) for s in range(5)])
    assert spread > 1.1 * plain


def test_points_that_are_no_trajectories_are_refused():
    with pytest.raises(ConfigError, match="no Morris trajectories"):
        moves(np.random.default_rng(0).random((3, 4, 3)))


def test_effects_of_a_linear_function_are_its_slopes():
    points = drawn()
    slope = np.array([3.0, -2.0, 0.5, 0.0, 1e-3])
    found = effect_statistics(elementary_effects(points, points @ slope, 4)[:, :, None])
    np.testing.assert_allclose(found["mu"][:, 0], slope, atol=1e-14)
    np.testing.assert_allclose(found["mu_star"][:, 0], np.abs(slope), atol=1e-14)
    np.testing.assert_allclose(found["sigma"][:, 0], 0.0, atol=1e-14)


def test_effects_of_a_product_are_the_other_factor():
    points = drawn(300, 2)
    found = effect_statistics(elementary_effects(points, points[..., 0] * points[..., 1], 4)[:, :, None])
    which, _ = moves(points)
    at = np.argmax(which == 0, axis=1)
    other = points[np.arange(300), at, 1]
    np.testing.assert_allclose(found["mu"][0, 0], other.mean(), rtol=1e-14)
    np.testing.assert_allclose(found["sigma"][0, 0], other.std(ddof=1), rtol=1e-13)
    # the four levels are equally likely: mean 1/2, variance 5/36
    assert found["mu_star"][0, 0] == pytest.approx(0.5, abs=4 * np.sqrt(5 / 36 / 300))


@pytest.mark.parametrize("levels", [4, 8])
def test_statistics_are_those_of_salib(levels):
    points = drawn(30, 4, levels)
    values = ishigami(points)
    problem = {"num_vars": 4, "names": list("abcd"), "bounds": [[0.0, 1.0]] * 4}
    theirs = morris.analyze(problem, points.reshape(-1, 4), values.ravel(), num_levels=levels, num_resamples=4000, seed=1)
    draws = np.random.default_rng(2).random((4000, 30))
    ours = effect_statistics(elementary_effects(points, values, levels)[:, :, None], draws)
    for name in ("mu", "mu_star", "sigma"):
        np.testing.assert_allclose(ours[name][:, 0], np.asarray(theirs[name]), rtol=1e-12, atol=1e-13)
    assert ours["mu_star"][3, 0] == 0.0
    half = 0.5 * (ours["mu_star_high"] - ours["mu_star_low"])[:3, 0]
    np.testing.assert_allclose(
        half, np.asarray(theirs["mu_star_conf"])[:3], rtol=0.12, atol=1e-12
    )  # theirs is a normal interval
    assert ((ours["mu_star_low"] <= ours["mu_star"]) & (ours["mu_star"] <= ours["mu_star_high"])).all()


def test_bootstrap_interval_covers_the_true_value_as_often_as_it_says():
    truth, inside = 0.5, 0
    draws = np.random.default_rng(3).random((400, 40))
    for seed in range(200):
        points = drawn(40, 2, seed=seed)
        effects = elementary_effects(points, points[..., 0] * points[..., 1], 4)
        found = effect_statistics(effects[:, :, None], draws, 0.9)
        inside += found["mu_star_low"][0, 0] <= truth <= found["mu_star_high"][0, 0]
    assert 0.80 <= inside / 200 <= 0.97


def test_failed_trajectories_are_dropped_where_they_failed_and_counted():
    points = drawn(12, 3)
    values = np.repeat((points @ np.array([1.0, 2.0, 3.0]) + points[..., 0] ** 2)[..., None], 3, axis=2)
    values[[1, 4], 2, 1] = np.nan
    values[1:, 0, 2] = np.inf
    with np.errstate(invalid="ignore"):
        effects = elementary_effects(points, values, 4)
    draws = np.random.default_rng(1).random((50, 12))
    found = effect_statistics(effects, draws)
    assert found["n_good"].tolist() == [12, 10, 1]
    keep = np.delete(np.arange(12), [1, 4])
    alone = effect_statistics(effects[keep][:, :, 1:2], draws[:, :10])
    for name in ("mu", "mu_star", "sigma", "mu_star_low", "mu_star_high"):
        np.testing.assert_array_equal(found[name][:, 1], alone[name][:, 0])
        assert np.isnan(found[name][:, 2]).all()


def test_a_pixel_gets_the_same_bytes_alone_and_among_others():
    effects = np.random.default_rng(5).normal(size=(37, 1, 64))
    draws = np.random.default_rng(6).random((60, 37))
    together = effect_statistics(effects, draws)
    alone = effect_statistics(effects[:, :, 9:10], draws)
    for name, values in together.items():
        np.testing.assert_array_equal(values[..., 9], alone[name][..., 0])


def test_series_effects_see_a_shift_that_leaves_the_mean_as_it_was():
    points = drawn(10, 2)
    time = np.arange(100)
    start = (points[..., 0] * 60).round()[..., None]
    series = ((time >= start) & (time < start + 10)).astype(float) + points[..., 1:2]
    np.testing.assert_allclose(elementary_effects(points, series.mean(axis=2), 4)[:, 0], 0.0, atol=1e-14)
    found = series_effects(points, series, 4)
    np.testing.assert_allclose(found[:, 0], 20 / 100 / (2 / 3), rtol=1e-13)
    np.testing.assert_allclose(found[:, 1], 1.0, rtol=1e-13)
