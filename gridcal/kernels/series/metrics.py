"""Scores of simulated against observed series, one compiled pass pair over native order (T, n)."""

from __future__ import annotations

import numpy as np

from gridcal.errors import ConfigError, InputError
from gridcal.kernels.jit import kernel

METRICS = ("r", "r2", "rmse", "me", "mae", "nrmse", "nse", "kge", "diso")
MINIMUM_PAIRS = 3
DISO_VARIANTS = ("hu2019", "printed")
CONSTANT = 1e-13
"""A series whose standard deviation is below this share of its mean is constant: rounding, not variation."""


@kernel
def _moments(sim, obs, weight, out):
    """Two passes: weighted means, then centred second moments with the means' own rounding taken out again.

    `weight` is (T, n), or None for all alike. A pair enters if both values are finite (``x - x == 0``) and its weight is
    positive. `out` has the rows n, sum of weights, mean sim, mean obs, ss, oo, so, me, ee, ae.
    """
    n_time, n_column = sim.shape
    rest = np.zeros((2, n_column))
    rest_s, rest_o = rest[0], rest[1]
    n, total, mean_s, mean_o = out[0], out[1], out[2], out[3]
    ss, oo, so, me, ee, ae = out[4], out[5], out[6], out[7], out[8], out[9]
    for t in range(n_time):
        for i in range(n_column):
            s, o = sim[t, i], obs[t, i]
            w = 1.0 if weight is None else weight[t, i]
            if s - s == 0.0 and o - o == 0.0 and w > 0.0:
                n[i] += 1.0
                total[i] += w
                mean_s[i] += w * s
                mean_o[i] += w * o
    for i in range(n_column):
        if n[i] > 0.0:
            mean_s[i] /= total[i]
            mean_o[i] /= total[i]
    for t in range(n_time):
        for i in range(n_column):
            s, o = sim[t, i], obs[t, i]
            w = 1.0 if weight is None else weight[t, i]
            if s - s == 0.0 and o - o == 0.0 and w > 0.0:
                a, b, e = s - mean_s[i], o - mean_o[i], s - o
                wa, wb, we = w * a, w * b, w * e
                rest_s[i] += wa
                rest_o[i] += wb
                ss[i] += wa * a
                oo[i] += wb * b
                so[i] += wa * b
                me[i] += we
                ee[i] += we * e
                ae[i] += abs(we)
    for i in range(n_column):
        if n[i] > 0.0:
            ss[i] = max(ss[i] - rest_s[i] * rest_s[i] / total[i], 0.0)
            oo[i] = max(oo[i] - rest_o[i] * rest_o[i] / total[i], 0.0)
            so[i] -= rest_s[i] * rest_o[i] / total[i]
            mean_s[i] += rest_s[i] / total[i]
            mean_o[i] += rest_o[i] / total[i]


def scores(sim, obs, diso_variant="hu2019", weights=None):
    """All metrics of each column.

    Parameters
    ----------
    sim, obs : array, shape (T, n)
        Simulated and observed values in the same units; a pair with a value that is not finite is left out.
    diso_variant : {"hu2019", "printed"}
        ``sqrt((r - 1)**2 + (me / |mean|)**2 + (rmse / |mean|)**2)`` after Hu et al. (2019, 10.1002/joc.5972), or the form
        printed in Ma et al. (``me**2 / |mean|`` and ``rmse**2 / |mean|``), which depends on the units; ``mean`` is that of
        the observations.
    weights : array, shape (T,) or (T, n), optional
        Weight of each pair, 0 or more; a pair of weight 0 (or NaN) is left out. All alike by default.

    Returns
    -------
    dict of str to array, shape (n,)
        r, r2 (squared Pearson correlation), rmse, me (mean error, simulated minus observed; the papers' AE), mae, nrmse
        (rmse over the absolute mean observation), nse (Nash and Sutcliffe 1970), kge (Gupta et al. 2009: correlation, ratio
        of standard deviations, ratio of means), diso, and ``n``, the number of pairs. NaN below three pairs; r and what uses
        it NaN where a series is constant, nse where the observation is; nrmse, kge and diso where the mean observation is 0.

    Raises
    ------
    InputError
        If the shapes do not agree or a weight is negative.
    ConfigError
        If the DISO variant is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> obs = np.array([[1.0], [2.0], [3.0], [np.nan]])
    >>> found = scores(obs + 1.0, obs)
    >>> [round(float(found[name][0]), 12) for name in ("me", "rmse", "r", "n")]
    [1.0, 1.0, 1.0, 3.0]
    """
    if diso_variant not in DISO_VARIANTS:
        raise ConfigError(f"unknown DISO variant {diso_variant!r}", f"Use one of: {', '.join(DISO_VARIANTS)}")
    sim = np.ascontiguousarray(sim, dtype=np.float64)
    obs = np.ascontiguousarray(obs, dtype=np.float64)
    if sim.shape != obs.shape or sim.ndim != 2:
        raise InputError(f"sim {sim.shape} and obs {obs.shape} must have one shape (T, n)", "Bring both to (time, space)")
    weight = _weight(weights, sim.shape)
    found = np.zeros((10, sim.shape[1]))
    _moments(sim, obs, weight, found)
    n, total, mean_s, mean_o, ss, oo, so, me, ee, ae = found
    with np.errstate(all="ignore"):
        varies_s = ss > total * (CONSTANT * mean_s) ** 2
        varies_o = oo > total * (CONSTANT * mean_o) ** 2
        r = np.where(varies_s & varies_o, np.clip(so / (np.sqrt(ss) * np.sqrt(oo)), -1.0, 1.0), np.nan)
        rmse, me, mae, size = np.sqrt(ee / total), me / total, ae / total, np.abs(mean_o)
        nse = np.where(varies_o, 1.0 - ee / oo, np.nan)
        kge = 1.0 - np.sqrt((r - 1.0) ** 2 + (np.sqrt(ss / oo) - 1.0) ** 2 + (mean_s / mean_o - 1.0) ** 2)
        if diso_variant == "hu2019":
            diso = np.sqrt((r - 1.0) ** 2 + (me / size) ** 2 + (rmse / size) ** 2)
        else:
            diso = np.sqrt((r - 1.0) ** 2 + me**2 / size + rmse**2 / size)
        values = (r, r * r, rmse, me, mae, rmse / size, nse, kge, diso)
    enough = n >= MINIMUM_PAIRS
    out = {name: np.where(enough & np.isfinite(x), x, np.nan) for name, x in zip(METRICS, values, strict=True)}
    out["n"] = n
    return out


def series_scores(sim, obs, diso_variant="hu2019", weights=None):
    """Metrics of one series.

    Parameters
    ----------
    sim, obs : array, shape (T,)
        Simulated and observed values.
    diso_variant, weights
        See :func:`scores`; weights of shape (T,).

    Returns
    -------
    dict of str to float
        The metrics of :func:`scores`, and ``n``.
    """
    sim, obs = np.asarray(sim, dtype=np.float64), np.asarray(obs, dtype=np.float64)
    found = scores(sim.reshape(-1, 1), obs.reshape(-1, 1), diso_variant, weights)
    return {name: float(x[0]) for name, x in found.items()}


def error_removed(before, after):
    """Share of the error a calibration removes: ``1 - after / before``, the change of Ma et al.'s figure 10.

    Parameters
    ----------
    before, after : array or float
        An error that is best at 0 (rmse, mae, nrmse or diso) of the default and of the calibrated run.

    Returns
    -------
    array
        Positive = better, 1 = all of it removed; NaN where `before` is 0 or a value is missing.
    """
    before, after = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    with np.errstate(all="ignore"):
        return np.where(before > 0.0, 1.0 - after / before, np.nan)


def _weight(weights, shape):
    """Weights as an array (T, n), or None."""
    if weights is None:
        return None
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape not in (shape[:1], shape):
        raise InputError(f"weights {weights.shape} do not fit values {shape}", f"Give {shape[:1]} or {shape}")
    if (weights < 0.0).any():
        raise InputError("a weight is negative", "Give weights of 0 or more")
    return np.ascontiguousarray(np.broadcast_to(weights.reshape(shape[0], -1), shape))
