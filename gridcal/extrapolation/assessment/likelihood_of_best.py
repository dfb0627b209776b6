"""How likely a method is the best: Bao et al. (2023), over random groups of sites and years."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from gridcal.errors import ConfigError, InputError
from gridcal.extrapolation.assessment.site_scores import BETTER, METRICS, SCALES, metrics_of, nnse

Array = npt.NDArray[np.float64]
COMBINATIONS = (*((m, s) for s in ("daily", "weekly", "monthly") for m in METRICS), ("nrmse", "yearly"))
"""Metric and scale: a site-year has one yearly value, so only NRMSE there."""


@dataclasses.dataclass(frozen=True)
class Likelihood:
    """Share of the groups in which a method is the best.

    Parameters
    ----------
    p : array, shape (method, combination)
        Sums to 1 over the methods; combinations as in :data:`COMBINATIONS`.
    overall : array, shape (method,)
        Mean over the combinations.
    n_eligible, group_size, n_groups : int
        Sites that can be drawn, sites in a group, groups.
    """

    p: Array
    overall: Array
    n_eligible: int
    group_size: int
    n_groups: int


def likelihood_of_best(
    moments: Array,
    seed: np.random.SeedSequence,
    *,
    n_groups: int = 200,
    sites_per_group: int = 100,
    years_per_site: int = 2,
    alpha: float = 0.05,
    rule: str = "both",
    nse_transform: str = "none",
) -> Likelihood:
    """Likelihood P of each method.

    Parameters
    ----------
    moments : array, shape (site, year, method, scale, moment)
        From :func:`gridcal.extrapolation.assessment.site_scores.assess_site`.
    seed : SeedSequence
        Of the groups.
    n_groups, sites_per_group, years_per_site : int
        The paper's 200 groups of 100 sites without replacement, two years each; with fewer sites a group holds 51 % of those
        eligible. A site is eligible if enough of its years have four good points at every scale but the yearly.
    alpha : float
        Level of the tests.
    rule : {"both", "either"}
        A competitor differs from the best if both the Kolmogorov-Smirnov and Welch's t test say so, or if either does.
    nse_transform : {"none", "nnse"}
        Test and average NSE as it is, or as 1 / (2 - NSE), which has no heavy tail.

    Notes
    -----
    In each group the best mean metric is found; among the methods whose metric does not differ from it, the one with the best
    metric of all the group's site-years pooled gets the point.

    Raises
    ------
    InputError
        If fewer than four sites are eligible.
    ConfigError
        If a rule is unknown.
    """
    if rule not in ("both", "either") or nse_transform not in ("none", "nnse"):
        raise ConfigError(f"unknown rule {rule!r} or transform {nse_transform!r}", "Use both or either; none or nnse")
    m = moments.shape[2]
    values = np.stack(
        [
            metrics_of(moments[:, :, :, SCALES.index(s)], 1 if s == "yearly" else 4)[..., METRICS.index(q)]
            for q, s in COMBINATIONS
        ]
    )  # (combination, site, year, method)
    usable = np.asarray(np.isfinite(values).all(axis=(0, 3)))
    eligible = np.flatnonzero(usable.sum(axis=1) >= years_per_site)
    if eligible.size < 4:
        raise InputError(
            f"{eligible.size} sites have {years_per_site} years with four good points at every scale", "Use more sites or years"
        )
    size = sites_per_group if eligible.size >= 1.96 * sites_per_group else min(sites_per_group, round(0.51 * eligible.size))
    rng = np.random.default_rng(seed)
    points = np.zeros((m, len(COMBINATIONS)))
    for _ in range(n_groups):
        sites = rng.permutation(eligible)[:size]
        years = np.array([rng.permutation(np.flatnonzero(usable[s]))[:years_per_site] for s in sites])
        rows = np.repeat(sites, years_per_site), years.ravel()
        for c, (metric, scale) in enumerate(COMBINATIONS):
            x = values[c][rows]  # (site-year, method)
            if metric == "nse" and nse_transform == "nnse":
                x = nnse(x)
            mean = BETTER[metric] * x.mean(axis=0)
            best = int(np.argmax(mean))
            differs = _differs(x, best, alpha, rule)
            pooled = metrics_of(moments[rows].sum(axis=0)[:, SCALES.index(scale)], 1)[:, METRICS.index(metric)]
            points[int(np.argmax(np.where(differs, -np.inf, BETTER[metric] * pooled))), c] += 1.0
    p = points / n_groups
    return Likelihood(p, p.mean(axis=1), int(eligible.size), int(size), n_groups)


def _differs(x: Array, best: int, alpha: float, rule: str) -> npt.NDArray[np.bool_]:
    """Which columns of x (n, method) differ from column `best`."""
    from scipy.special import kolmogorov, stdtr

    n = x.shape[0]
    y = np.sort(x, axis=0)
    reference = y[:, best]
    ks = np.zeros(x.shape[1])
    for j in range(x.shape[1]):
        both = np.concatenate([reference, y[:, j]])
        gap = np.searchsorted(reference, both, side="right") - np.searchsorted(y[:, j], both, side="right")
        ks[j] = np.abs(gap).max() / n
    p_ks = kolmogorov(np.sqrt(n / 2.0) * ks)
    variance = x.var(axis=0, ddof=1) / n
    with np.errstate(all="ignore"):
        t = (x.mean(axis=0) - x[:, best].mean()) / np.sqrt(variance + variance[best])
        dof = (variance + variance[best]) ** 2 / ((variance**2 + variance[best] ** 2) / (n - 1))
        p_t = 2.0 * stdtr(dof, -np.abs(t))
    p_t = np.where(np.isfinite(p_t), p_t, 1.0)
    found = (p_ks < alpha) & (p_t < alpha) if rule == "both" else (p_ks < alpha) | (p_t < alpha)
    found[best] = False
    return np.asarray(found)
