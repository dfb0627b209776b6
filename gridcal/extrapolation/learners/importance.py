"""Permutation importance: how much worse the prediction gets when a feature is shuffled among samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def permutation_rise(
    predict: Callable[[Array], Array],
    x: Array,
    y: Array,
    blocks: Sequence[Sequence[int]],
    rng: np.random.Generator,
    repeats: int,
) -> Array:
    """Rise of the squared error when the columns of a feature are shuffled together (Breiman 2001).

    Parameters
    ----------
    predict : callable
        Matrix (m, column) to predictions (m, output).
    x, y : arrays, shapes (n, column) and (n, output)
        Encoded features and targets of samples the model was not fitted on.
    blocks : sequence of sequence of int
        Columns of each feature.
    rng : Generator
        Source of the permutations.
    repeats : int
        Permutations a feature.

    Returns
    -------
    array, shape (output, feature)
        Sum over samples of the mean rise over repeats; may be below 0.
    """
    n = x.shape[0]
    base = ((predict(x) - y) ** 2).sum(axis=0)
    rise = np.zeros((y.shape[1], len(blocks)))
    for j, block in enumerate(blocks):
        stacked = np.tile(x, (repeats, 1))
        for r in range(repeats):
            stacked[r * n : (r + 1) * n, block] = x[rng.permutation(n)][:, block]
        error = (predict(stacked) - np.tile(y, (repeats, 1))) ** 2
        rise[:, j] = error.sum(axis=0) / repeats - base
    return rise


def shares(values: Array) -> Array:
    """Rows scaled to sum 1 with values below 0 set to 0; a row without a positive value is all 0."""
    positive = np.maximum(values, 0.0)
    total = positive.sum(axis=1, keepdims=True)
    return np.divide(positive, total, out=np.zeros_like(positive), where=total > 0)


def by_feature(columns: Array, blocks: Sequence[Sequence[int]]) -> Array:
    """Add up the columns of each feature: (output, column) to (output, feature)."""
    return np.stack([columns[:, list(b)].sum(axis=1) for b in blocks], axis=1)
