"""Scores of simulated GPP at sites: four time scales with their quality thresholds, site means, years one by one."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridcal.vocabulary.periods import period_index, period_length

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

SCALES = ("daily", "weekly", "monthly", "yearly")
METRICS = ("nse", "r2", "nrmse")
THRESHOLD = {"daily": 0.8, "weekly": 0.7, "monthly": 0.7, "yearly": 0.5}
"""Least share of good days in a period (Bao et al. 2023: quality flags)."""
MOMENTS = ("n", "obs", "sim", "obs2", "sim2", "obs_sim")
MINIMUM_POINTS = 4
BETTER = {"nse": 1.0, "r2": 1.0, "nrmse": -1.0}
"""Sign of a better value."""


@dataclasses.dataclass(frozen=True)
class SiteAssessment:
    """Scores of m simulations at one site.

    Parameters
    ----------
    scores : array, shape (m, scale, metric)
        NaN below four good periods.
    mean_observed : float
        Mean over the good days.
    mean_simulated : array, shape (m,)
        The same days.
    moments : array, shape (year, m, scale, moment)
        Sums over the good periods of each calendar year: pairs, observed, simulated, their squares and product.
    """

    scores: Array
    mean_observed: float
    mean_simulated: Array
    moments: Array


def assess_site(time: pd.DatetimeIndex, obs: Array, sim: Array, good: Mask, years: npt.NDArray[np.int64]) -> SiteAssessment:
    """Score simulations at a site.

    Parameters
    ----------
    time : DatetimeIndex
        Days.
    obs : array, shape (T,)
        Observed, NaN where missing.
    sim : array, shape (T, m)
        Simulated.
    good : bool array, shape (T,)
        Days of good quality.
    years : int array
        Calendar years of the year-by-year sums.

    Notes
    -----
    The values of a period, observed and simulated, are means over the same good days; the period counts if good days make up
    the scale's share of its calendar days. Weeks are blocks of seven days from 1 January.
    """
    m = sim.shape[1]
    use = good & np.isfinite(obs) & np.isfinite(sim).all(axis=1)
    moments = np.zeros((years.size, m, len(SCALES), len(MOMENTS)))
    for k, scale in enumerate(SCALES):
        labels, starts = period_index(time, scale)
        bins = len(starts)
        count = np.bincount(labels[use], minlength=bins)
        kept = count >= np.maximum(THRESHOLD[scale] * period_length(starts, scale), 1)
        divisor = np.maximum(count, 1)
        y = np.bincount(labels[use], weights=obs[use], minlength=bins) / divisor
        year = starts.year.to_numpy()
        for j in range(m):
            s = np.bincount(labels[use], weights=sim[use, j], minlength=bins) / divisor
            for q, values in enumerate((np.ones(bins), y, s, y * y, s * s, y * s)):
                inside = kept & (year >= years[0]) & (year <= years[-1])
                moments[:, j, k, q] = np.bincount(year[inside] - years[0], weights=values[inside], minlength=years.size)
    mean = float(obs[use].mean()) if use.any() else float("nan")
    simulated = sim[use].mean(axis=0) if use.any() else np.full(m, np.nan)
    return SiteAssessment(metrics_of(moments.sum(axis=0)), mean, simulated, moments)


def metrics_of(moments: Array, minimum: int = MINIMUM_POINTS) -> Array:
    """Metrics (..., metric) of sums (..., moment): NSE, squared correlation, RMSE over the mean observation.

    NaN below `minimum` pairs, NSE and R2 also below two; NSE also where the observation is constant.
    """
    n, so, ss, oo, s2, os = np.moveaxis(moments, -1, 0)
    with np.errstate(all="ignore"):
        vo, vs, cov = oo - so * so / n, s2 - ss * ss / n, os - so * ss / n
        error = np.maximum(oo + s2 - 2.0 * os, 0.0)
        nse = np.where((vo > 1e-12 * np.maximum(oo, 1e-300)) & (n > 1), 1.0 - error / vo, np.nan)
        r2 = np.where((vo > 0) & (vs > 0) & (n > 1), np.clip(cov * cov / (vo * vs), 0.0, 1.0), np.nan)
        nrmse = np.sqrt(error / n) / np.abs(so / n)
    out = np.stack([nse, r2, nrmse], axis=-1)
    return np.where((n >= minimum)[..., None] & np.isfinite(out), out, np.nan)


def spatial_metrics(observed: Array, simulated: Array) -> Array:
    """Metrics (m, metric) of site means: observed (n,), simulated (n, m)."""
    y = observed[:, None]
    use = np.isfinite(y) & np.isfinite(simulated)
    y, s = np.where(use, y, 0.0), np.where(use, simulated, 0.0)
    sums = [use.astype(float), y, s, y * y, s * s, y * s]
    return metrics_of(np.stack([x.sum(axis=0) for x in sums], axis=-1))


def nnse(nse: Array) -> Array:
    """Normalised NSE, 1 / (2 - NSE): 1 perfect, 0.5 as good as the mean, towards 0 without bound below."""
    return np.asarray(1.0 / (2.0 - nse))
