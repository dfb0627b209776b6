"""Folds of the cross-validation, and the split of training and test samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gridcal.errors import ConfigError

Labels = npt.NDArray[np.int64]


def assign_folds(n: int, n_folds: int, seed: int, groups: Any = None) -> Labels:
    """Fold of each sample, from 0.

    Parameters
    ----------
    n : int
        Samples.
    n_folds : int
        Folds; not more than there are samples or groups.
    seed : int
        Seed of the shuffle.
    groups : array, shape (n,), optional
        Samples of equal value share a fold; large groups are placed first, each into the smallest fold.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2,)))
    if groups is None:
        return rng.permutation(np.arange(n, dtype=np.int64) % min(n_folds, n))
    which, sizes = _groups(groups)
    if sizes.size < 2:
        raise ConfigError("all samples belong to one group", "Name a coordinate with at least two values, or no groups")
    order = rng.permutation(sizes.size)
    order = order[np.argsort(-sizes[order], kind="stable")]
    filled = np.zeros(min(n_folds, sizes.size), dtype=np.int64)
    fold = np.empty(sizes.size, dtype=np.int64)
    for g in order:
        fold[g] = int(np.argmin(filled))
        filled[fold[g]] += sizes[g]
    return fold[which]


def held_out(n: int, test_fraction: float, seed: int, groups: Any = None) -> Labels:
    """0 for test samples, -1 for training samples; groups stay together."""
    if not 0.0 < test_fraction < 1.0:
        raise ConfigError(f"test_fraction {test_fraction} is no share", "Give a number between 0 and 1, such as 0.3")
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(3,)))
    which, sizes = _groups(np.arange(n) if groups is None else groups)
    if sizes.size < 2:
        raise ConfigError("all samples belong to one group", "Name a coordinate with at least two values, or no groups")
    order = rng.permutation(sizes.size)
    before = np.concatenate([[0], np.cumsum(sizes[order])[:-1]])
    chosen = order[before < round(test_fraction * n)][: sizes.size - 1]
    return np.where(np.isin(which, chosen), 0, -1).astype(np.int64)


def _groups(groups: Any) -> tuple[Labels, Labels]:
    labels = np.array([str(g) for g in np.asarray(groups).ravel()])
    _, which, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    return which.ravel().astype(np.int64), sizes.astype(np.int64)
