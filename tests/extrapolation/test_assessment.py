"""Scores of simulated GPP at sites, and the likelihood of being the best."""

import numpy as np
import pandas as pd
import pytest

from gridcal.errors import ConfigError, InputError
from gridcal.extrapolation.assessment.likelihood_of_best import COMBINATIONS, _differs, likelihood_of_best
from gridcal.extrapolation.assessment.site_scores import METRICS, SCALES, assess_site, metrics_of, spatial_metrics
from gridcal.kernels.series.metrics import series_scores
from gridcal.vocabulary.periods import period_index, period_length

TIME = pd.date_range("2003-01-01", "2006-12-31")
YEARS = np.arange(2003, 2007)
RNG = np.random.default_rng(1)
OBS = 5 + 4 * np.sin(2 * np.pi * np.arange(TIME.size) / 365.25) + RNG.normal(0, 1, TIME.size)
SIM = np.stack([OBS + RNG.normal(0, s, TIME.size) for s in (0.2, 1.0, 3.0)], axis=1)


def test_daily_scores_are_those_of_the_metric_function():
    good = RNG.random(TIME.size) < 0.7
    found = assess_site(TIME, OBS, SIM, good, YEARS)
    for j in range(3):
        expected = series_scores(SIM[good, j], OBS[good])
        for k, metric in enumerate(METRICS):
            assert found.scores[j, 0, k] == pytest.approx(expected[metric], rel=1e-9)
    assert found.mean_observed == pytest.approx(OBS[good].mean())
    np.testing.assert_allclose(found.mean_simulated, SIM[good].mean(axis=0))


@pytest.mark.parametrize(("scale", "share"), [("weekly", 0.7), ("monthly", 0.7), ("yearly", 0.5)])
def test_a_period_counts_with_enough_good_days(scale, share):
    rng = np.random.default_rng(2)
    good = rng.random(TIME.size) < (0.8 if scale != "yearly" else 0.6)
    good[:200] &= rng.random(200) < 0.2
    found = assess_site(TIME, OBS, SIM, good, YEARS)
    labels, starts = period_index(TIME, scale)
    frame = pd.DataFrame({"label": labels, "obs": OBS, "sim": SIM[:, 1], "good": good})
    means = frame[frame.good].groupby("label").mean().reindex(range(len(starts)))
    kept = frame.groupby("label").good.sum().to_numpy() >= share * period_length(starts, scale)
    expected = series_scores(means.sim.to_numpy()[kept], means.obs.to_numpy()[kept])
    k = SCALES.index(scale)
    assert 0 < kept.sum() < len(starts) or scale == "yearly"
    if kept.sum() >= 4:
        assert found.scores[1, k, 0] == pytest.approx(expected["nse"], rel=1e-9)
    else:
        assert np.isnan(found.scores[1, k]).all()


def test_fewer_than_four_points_have_no_score():
    good = np.zeros(TIME.size, dtype=bool)
    good[100:103] = True
    found = assess_site(TIME, OBS, SIM, good, YEARS)
    assert np.isnan(found.scores).all()
    good[103] = True
    assert np.isfinite(assess_site(TIME, OBS, SIM, good, YEARS).scores[:, 0]).all()


def test_yearly_sums_add_up():
    found = assess_site(TIME, OBS, SIM, np.ones(TIME.size, dtype=bool), YEARS)
    np.testing.assert_allclose(metrics_of(found.moments.sum(axis=0)), found.scores)
    assert found.moments[1, 0, 0, 0] == 366  # 2004
    np.testing.assert_array_equal(found.moments[:, 0, SCALES.index("weekly"), 0], 52)


def test_site_means():
    observed, simulated = np.array([1.0, 2.0, 4.0, 8.0, np.nan]), np.array([[1.0], [2.5], [3.5], [8.0], [9.0]])
    expected = series_scores(simulated[:4, 0], observed[:4])
    np.testing.assert_allclose(spatial_metrics(observed, simulated)[0], [expected[m] for m in METRICS])


def moments_of(quality, sites=60, years=3, seed=3):
    """Sums of methods whose error grows with 1 - quality."""
    rng = np.random.default_rng(seed)
    out = np.zeros((sites, years, len(quality), len(SCALES), 6))
    for s, y, k in np.ndindex(sites, years, len(SCALES)):
        points = (300, 45, 12, 1)[k]
        obs = 5 + rng.normal(0, 2, points)
        for m, q in enumerate(quality):
            sim = obs + rng.normal(0, 2 * (1 - q), points) + 0.2 * rng.normal() * (1 - q)
            out[s, y, m, k] = (points, obs.sum(), sim.sum(), (obs**2).sum(), (sim**2).sum(), (obs * sim).sum())
    return out


def test_likelihood_sums_to_one_over_the_methods():
    found = likelihood_of_best(moments_of([0.5, 0.52, 0.9, 0.1]), np.random.SeedSequence(1), n_groups=40)
    np.testing.assert_allclose(found.p.sum(axis=0), 1.0)
    assert found.p.shape == (4, len(COMBINATIONS)) == (4, 10)
    assert found.group_size == 31  # 51 % of 60
    assert found.overall[2] == pytest.approx(found.overall.max())
    assert found.overall.sum() == pytest.approx(1.0)


def test_a_clear_winner_takes_all_and_equals_share():
    clear = likelihood_of_best(moments_of([0.3, 0.95, 0.2]), np.random.SeedSequence(1), n_groups=30)
    assert clear.overall[1] > 0.97
    alike = likelihood_of_best(moments_of([0.6, 0.6]), np.random.SeedSequence(1), n_groups=60)
    assert 0.02 < alike.overall[0] < 0.98


def test_order_of_the_methods_does_not_matter():
    moments = moments_of([0.5, 0.6, 0.7])
    first = likelihood_of_best(moments, np.random.SeedSequence(4), n_groups=25)
    second = likelihood_of_best(moments[:, :, [2, 0, 1]], np.random.SeedSequence(4), n_groups=25)
    np.testing.assert_allclose(second.p, first.p[[2, 0, 1]])


def test_tests_agree_with_scipy():
    from scipy.stats import ks_2samp, ttest_ind

    rng = np.random.default_rng(5)
    x = rng.normal(0, 1, (120, 5)) + np.array([0, 0.15, 0.3, 0.5, 1.0])
    for rule in ("both", "either"):
        found = _differs(x, 0, 0.05, rule)
        for j in range(1, 5):
            ks = ks_2samp(x[:, 0], x[:, j], method="asymp").pvalue < 0.05
            t = ttest_ind(x[:, 0], x[:, j], equal_var=False).pvalue < 0.05
            assert found[j] == (ks and t if rule == "both" else ks or t)
        assert not found[0]


def test_too_few_sites_are_named():
    with pytest.raises(InputError, match="3 sites"):
        likelihood_of_best(moments_of([0.5, 0.6], sites=3), np.random.SeedSequence(1))
    with pytest.raises(ConfigError, match="unknown rule"):
        likelihood_of_best(moments_of([0.5, 0.6], sites=9), np.random.SeedSequence(1), rule="neither")
