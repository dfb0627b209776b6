"""Filling gaps of daily series: short ones linearly, the rest by the smoothed mean seasonal cycle."""

from __future__ import annotations

import numpy as np

WINDOW = 15
SHORTEST = 5


def seasonal_cycle(x, doy, window=WINDOW):
    """Mean of each day of the year over a window of days, round the year, shape (366,); NaN if `x` has no value."""
    good = np.isfinite(x)
    total = np.bincount(doy[good] - 1, weights=x[good], minlength=366)
    count = np.bincount(doy[good] - 1, minlength=366).astype(float)
    half = window // 2
    cycle = np.full(366, np.nan)
    for step in (half, 30, 92, 183):
        kernel = np.ones(2 * step + 1)
        sums = np.convolve(np.concatenate([total[-step:], total, total[:step]]), kernel, mode="valid")
        counts = np.convolve(np.concatenate([count[-step:], count, count[:step]]), kernel, mode="valid")
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = sums / counts
        cycle = np.where(np.isfinite(cycle), cycle, mean)
        if np.isfinite(cycle).all():
            break
    return cycle


def fill_gaps(x, doy, shortest=SHORTEST):
    """Gap-free copy of a daily series.

    Parameters
    ----------
    x : array, shape (T,)
        Daily values with NaN in gaps.
    doy : int array, shape (T,)
        Day of the year, 1 to 366.
    shortest : int
        Gaps up to this length are bridged linearly.

    Returns
    -------
    filled : array, shape (T,)
        NaN everywhere if `x` has no value at all.
    flag : int8 array, shape (T,)
        0 as given, 1 linear, 2 seasonal cycle.
    """
    x = np.asarray(x, dtype=float)
    good = np.isfinite(x)
    flag = np.zeros(x.size, dtype=np.int8)
    if good.all() or not good.any():
        return x.copy(), flag
    days = np.arange(x.size)
    where = np.flatnonzero(good)
    before = np.concatenate([[-1], where])[np.cumsum(good)]
    after = np.concatenate([where, [x.size]])[np.cumsum(good) - good]
    inside = (before >= 0) & (after < x.size)
    linear = ~good & inside & (after - before - 1 <= shortest)
    rest = ~good & ~linear
    out = x.copy()
    out[linear] = np.interp(days[linear], where, x[where])
    out[rest] = seasonal_cycle(x, doy)[doy[rest] - 1]
    flag[linear], flag[rest] = 1, 2
    return out, flag
