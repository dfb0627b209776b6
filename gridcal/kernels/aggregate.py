"""Means over periods of days, compiled; arrays in native order (T, n)."""

from __future__ import annotations

import numpy as np

from gridcal.kernels.jit import kernel


@kernel
def _segment_mean(x, labels, n_bins, valid, total, count):
    for t in range(x.shape[0]):
        if not valid[t]:
            continue
        b = labels[t]
        for i in range(x.shape[1]):
            v = x[t, i]
            if v == v:
                total[b, i] += v
                count[b, i] += 1.0
    for b in range(n_bins):
        for i in range(x.shape[1]):
            total[b, i] = total[b, i] / count[b, i] if count[b, i] > 0.0 else np.nan


def segment_mean(x, labels, n_bins, valid=None, return_count=False):
    """Mean of the finite values in each period.

    Parameters
    ----------
    x : array, shape (T, n)
        Daily values; NaN is left out.
    labels : int array, shape (T,)
        Period of each day, 0 to n_bins - 1.
    n_bins : int
        Number of periods.
    valid : bool array, shape (T,), optional
        Days to use; all by default.
    return_count : bool
        Also return how many values entered, shape (n_bins, n).

    Returns
    -------
    array, shape (n_bins, n)
        Means, accumulated in float64; NaN where a period has no value.
    """
    x = np.ascontiguousarray(x)
    valid = np.ones(x.shape[0], dtype=np.bool_) if valid is None else np.ascontiguousarray(valid, dtype=np.bool_)
    total = np.zeros((n_bins, x.shape[1]))
    count = np.zeros((n_bins, x.shape[1]))
    _segment_mean(x, np.ascontiguousarray(labels, dtype=np.int64), n_bins, valid, total, count)
    return (total, count) if return_count else total
