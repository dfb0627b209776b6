"""Means over periods of days, compiled; arrays in native order (T, n)."""

from __future__ import annotations

import numpy as np

from gridcal.errors import InputError
from gridcal.kernels.jit import kernel


@kernel
def _segment_mean(x, labels, n_bins, valid, by_column, total, count):
    for t in range(x.shape[0]):
        b = labels[t]
        if by_column:
            for i in range(x.shape[1]):
                v = x[t, i]
                if v == v and valid[t, i]:
                    total[b, i] += v
                    count[b, i] += 1.0
        elif valid[t, 0]:
            for i in range(x.shape[1]):
                v = x[t, i]
                if v == v:
                    total[b, i] += v
                    count[b, i] += 1.0
    for b in range(n_bins):
        for i in range(x.shape[1]):
            total[b, i] = total[b, i] / count[b, i] if count[b, i] > 0.0 else np.nan


def segment_mean(x, labels, n_bins, valid=None, return_count=False):
    """Mean of the values in each period.

    Parameters
    ----------
    x : array, shape (T, n)
        Daily values; NaN is left out. An infinite value makes its mean infinite: a run that diverged stays visible.
    labels : int array, shape (T,)
        Period of each day, 0 to n_bins - 1.
    n_bins : int
        Number of periods.
    valid : bool array, shape (T,) or (T, n), optional
        Days, or values, to use; all by default.
    return_count : bool
        Also return how many values entered, shape (n_bins, n).

    Returns
    -------
    array, shape (n_bins, n)
        Means, accumulated in float64; NaN where a period has no value.

    Raises
    ------
    InputError
        If the shapes do not agree, or a label lies outside 0 to n_bins - 1 (the compiled loop would write beyond its array).

    Examples
    --------
    >>> import numpy as np
    >>> segment_mean(np.array([[1.0], [3.0], [5.0]]), np.array([0, 0, 1]), 2).ravel().tolist()
    [2.0, 5.0]
    """
    x = np.asarray(x)
    kind = np.dtype(np.float32) if x.dtype == np.float16 else x.dtype.newbyteorder("=")  # what compiled code can read
    x = np.ascontiguousarray(x, dtype=kind)
    labels = np.ascontiguousarray(labels, dtype=np.int64)
    valid = np.ones(x.shape[0], dtype=np.bool_) if valid is None else np.ascontiguousarray(valid, dtype=np.bool_)
    if x.ndim != 2 or labels.shape != x.shape[:1] or valid.shape not in (x.shape[:1], x.shape):
        raise InputError(
            f"values {x.shape}, labels {labels.shape} and valid {valid.shape} do not fit",
            "Give values (T, n), labels (T,) and valid (T,) or (T, n)",
        )
    if labels.size and not (labels.min() >= 0 and labels.max() < n_bins):
        raise InputError(
            f"labels run from {labels.min()} to {labels.max()}, but there are {n_bins} periods", "Count periods from 0"
        )
    total = np.zeros((n_bins, x.shape[1]))
    count = np.zeros((n_bins, x.shape[1]))
    _segment_mean(x, labels, n_bins, valid.reshape(x.shape[0], -1), valid.ndim == 2, total, count)
    return (total, count) if return_count else total
