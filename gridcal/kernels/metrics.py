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
def _moments(sim, obs, weight, by_time, by_column, out):
    """Two passes: weighted means, then centred second moments with the means' own rounding taken out again.

    `out` has the rows n, sum of weights, mean sim, mean obs, ss, oo, so, me, ee, ae. `weight` is read at
    ``[t * by_time, i * by_column]``, so that one number, one number a day, or a whole array will do. A pair enters if both
    values are finite (``x - x == 0``) and its weight is positive. A tile of columns adds up in one block with rows at literal
    offsets: the inner loops vectorise, which they do not over a dozen arrays.
    """
    n_time, n_column = sim.shape
    block = np.empty(12 * 128)
    for first in range(0, n_column, 128):
        width = min(128, n_column - first)
        block[:] = 0.0
        for t in range(n_time):
            for i in range(width):
                j = first + i
                s, o, w = sim[t, j], obs[t, j], weight[t * by_time, j * by_column]
                use = (s - s == 0.0) & (o - o == 0.0) & (w > 0.0)
                s, o, w = (s if use else 0.0), (o if use else 0.0), (w if use else 0.0)
                block[i] += 1.0 if use else 0.0
                block[128 + i] += w
                block[256 + i] += w * s
                block[384 + i] += w * o
        for i in range(width):
            share = 1.0 / block[128 + i] if block[i] > 0.0 else 0.0
            block[256 + i] *= share
            block[384 + i] *= share
        for t in range(n_time):
            for i in range(width):
                j = first + i
                s, o, w = sim[t, j], obs[t, j], weight[t * by_time, j * by_column]
                use = (s - s == 0.0) & (o - o == 0.0) & (w > 0.0)
                s, o, w = (s if use else 0.0), (o if use else 0.0), (w if use else 0.0)
                a, b, e = s - block[256 + i], o - block[384 + i], s - o
                wa, wb, we = w * a, w * b, w * e
                block[512 + i] += wa * a
                block[640 + i] += wb * b
                block[768 + i] += wa * b
                block[896 + i] += we
                block[1024 + i] += we * e
                block[1152 + i] += abs(we)
                block[1280 + i] += wa
                block[1408 + i] += wb
        for i in range(width):
            share = 1.0 / block[128 + i] if block[i] > 0.0 else 0.0
            rest_s, rest_o = block[1280 + i], block[1408 + i]
            block[256 + i] += rest_s * share
            block[384 + i] += rest_o * share
            block[512 + i] = max(block[512 + i] - rest_s * rest_s * share, 0.0)
            block[640 + i] = max(block[640 + i] - rest_o * rest_o * share, 0.0)
            block[768 + i] -= rest_s * rest_o * share
            for k in range(10):
                out[k, first + i] = block[k * 128 + i]


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
    >>> [float(found[name][0]) for name in ("me", "rmse", "r", "n")]
    [1.0, 1.0, 1.0, 3.0]
    """
    if diso_variant not in DISO_VARIANTS:
        raise ConfigError(f"unknown DISO variant {diso_variant!r}", f"Use one of: {', '.join(DISO_VARIANTS)}")
    sim = np.ascontiguousarray(sim, dtype=np.float64)
    obs = np.ascontiguousarray(obs, dtype=np.float64)
    if sim.shape != obs.shape or sim.ndim != 2:
        raise InputError(f"sim {sim.shape} and obs {obs.shape} must have one shape (T, n)", "Bring both to (time, space)")
    weight, by_time, by_column = _weight(weights, sim.shape)
    found = np.zeros((10, sim.shape[1]))
    _moments(sim, obs, weight, by_time, by_column, found)
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
    """Array of weights with the steps by which it is read along time and columns."""
    if weights is None:
        return np.ones((1, 1)), 0, 0
    weights = np.ascontiguousarray(weights, dtype=np.float64)
    if weights.shape not in (shape[:1], shape):
        raise InputError(f"weights {weights.shape} do not fit values {shape}", f"Give {shape[:1]} or {shape}")
    if (weights < 0.0).any():
        raise InputError("a weight is negative", "Give weights of 0 or more")
    return weights.reshape(shape[0], -1), 1, int(weights.ndim == 2)
