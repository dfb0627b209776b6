"""Permutation importance of features: how much worse the prediction gets when a feature is shuffled."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.extrapolation.encoder import FeatureEncoder

Array = npt.NDArray[np.float64]


def permutation_importance(
    predict: Callable[[Array], Array], x: Array, y: Array, encoder: FeatureEncoder, seed: int, repeats: int = 10
) -> xr.Dataset:
    """Mean rise of the squared error when a feature's values are shuffled among the samples.

    Parameters
    ----------
    predict : callable
        Matrix (n, column) to predictions (n, output).
    x, y : arrays, shapes (n, column) and (n, output)
        Encoded features and targets in the unit cube.
    encoder : FeatureEncoder
        Says which columns belong to a feature; the columns of a class are shuffled together.
    seed : int
        Seed of the shuffles.
    repeats : int
        Shuffles a feature.

    Returns
    -------
    Dataset
        ``importance`` over (parameter, feature), not below 0, summing to 1 over the features.
    """
    from gridcal.extrapolation.encoder import feature_columns

    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(4,)))
    base = ((predict(x) - y) ** 2).mean(axis=0)
    columns = feature_columns(encoder)
    rise = np.zeros((y.shape[1], len(columns)))
    for j, block in enumerate(columns):
        for _ in range(repeats):
            shuffled = x.copy()
            shuffled[:, block] = x[rng.permutation(x.shape[0])][:, block]
            rise[:, j] += ((predict(shuffled) - y) ** 2).mean(axis=0) - base
    rise = np.maximum(rise, 0.0)
    total = rise.sum(axis=1, keepdims=True)
    share = np.where(total > 0, rise / np.where(total > 0, total, 1.0), 0.0)
    attrs = {"units": "1", "long_name": "permutation importance, share"}
    return xr.Dataset({"importance": (("parameter", "feature"), share, attrs)}, coords={"feature": encoder.inputs_})
