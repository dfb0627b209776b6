"""Folds of sites: class-complete, by spatial block, by cluster of features, by region. Neighbours share a fold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gridcal.errors import ConfigError, InputError
from gridcal.extrapolation.folds.random_folds import assign_folds
from gridcal.vocabulary.longitudes import wrapped

Labels = npt.NDArray[np.int64]
Array = npt.NDArray[np.float64]
EARTH_RADIUS = 6371.0072  # km
_DRAWS = 3000
_BERING_STRAIT = -169.0  # degrees east; what lies west of it is Asia or Oceania


def near_groups(lat: Array, lon: Array, min_km: float = 5.0) -> Labels:
    """Label of each site; sites closer than `min_km`, directly or by a chain, share one.

    Examples
    --------
    >>> near_groups(np.array([45.0, 45.01, 50.0]), np.array([10.0, 10.0, 10.0])).tolist()
    [0, 0, 1]
    """
    phi, lam = np.deg2rad(np.asarray(lat, dtype=float)), np.deg2rad(np.asarray(lon, dtype=float))
    half = (
        np.sin((phi[:, None] - phi) / 2.0) ** 2 + np.cos(phi[:, None]) * np.cos(phi) * np.sin((lam[:, None] - lam) / 2.0) ** 2
    )
    close = 2.0 * EARTH_RADIUS * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))) < min_km
    label = np.arange(phi.size)
    for i in range(phi.size):
        for j in np.flatnonzero(close[i, :i]):
            label[label == label[i]] = label[j]
    return np.unique(label, return_inverse=True)[1].astype(np.int64)


def class_complete_folds(
    classes: Sequence[Any], n_folds: int = 10, *, seed: int = 0, groups: Any = None, singletons: str = "test"
) -> Labels:
    """Random folds such that every class is in every training set.

    Parameters
    ----------
    classes : sequence of arrays, each shape (n,)
        Labels, e.g. vegetation type and climate class.
    n_folds : int
        Folds.
    seed : int
        Seed of the draws.
    groups : array, shape (n,), optional
        Sites of equal value share a fold.
    singletons : {"test", "train"}
        A class with members in one group only cannot be in every training set: its sites are scored like the others (the
        class is then unseen), or pinned to training (fold -1, not scored).

    Returns
    -------
    int array, shape (n,)
        Fold of each site, from 0.

    Raises
    ------
    InputError
        If there are fewer groups than folds.
    ConfigError
        If `singletons` is unknown.
    """
    if singletons not in ("test", "train"):
        raise ConfigError(f"unknown treatment of singletons {singletons!r}", "Use 'test' or 'train'")
    labels = [np.array([str(v).strip().casefold() for v in c]) for c in classes]
    n = labels[0].size
    group = np.arange(n) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1].ravel()
    members = [[np.flatnonzero(c == v) for v in np.unique(c)] for c in labels]
    sets = [m for c in members for m in c if np.unique(group[m]).size > 1]
    lonely = np.zeros(n, dtype=bool)
    for m in (m for c in members for m in c if np.unique(group[m]).size == 1):
        lonely[m] = True
    pinned = lonely if singletons == "train" else np.zeros(n, dtype=bool)
    free = np.unique(group[~pinned])
    if free.size < n_folds:
        raise InputError(f"{free.size} groups of sites for {n_folds} folds", "Use fewer folds")
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(31,)))
    best, fewest = np.empty(0, dtype=np.int64), n + 1
    for _ in range(_DRAWS):
        of_group = np.full(int(group.max()) + 1, -1, dtype=np.int64)
        of_group[free] = rng.permutation(np.arange(free.size) % n_folds)
        fold = np.where(pinned, -1, of_group[group])
        broken = sum(np.unique(fold[m]).size < 2 for m in sets)
        if broken < fewest:
            best, fewest = fold, broken
        if broken == 0:
            return fold.astype(np.int64)
    return _repaired(best, sets, group, n_folds, rng)


def _repaired(fold: Labels, sets: list[Labels], group: Labels, n_folds: int, rng: np.random.Generator) -> Labels:
    """Move one group of each class that lies in a single fold into the smallest other fold."""
    fold = fold.copy()
    for _ in range(100):
        broken = [m for m in sets if np.unique(fold[m]).size < 2]
        if not broken:
            break
        m = broken[0]
        moved = group == rng.choice(np.unique(group[m]))
        size = np.bincount(fold[fold >= 0], minlength=n_folds).astype(float)
        size[fold[m][0]] = np.inf
        fold[moved] = int(np.argmin(size))
    return fold


def spatial_block_folds(
    lat: Array, lon: Array, n_folds: int = 10, *, seed: int = 0, size: float = 10.0, groups: Any = None
) -> Labels:
    """Folds of whole blocks of `size` degrees, so that no test site has a training site in its block.

    Longitudes may run from -180 or from 0. Sites that share a group (neighbours across a block's edge) are brought into one
    block.
    """
    row = np.floor(np.asarray(lat, dtype=float) / size).astype(int)
    column = np.floor(wrapped(lon) / size).astype(int)
    block = np.unique(np.stack([row, column], axis=1), axis=0, return_inverse=True)[1].ravel()
    return assign_folds(block.size, n_folds, seed, _joined(block, groups))


def feature_cluster_folds(x: Array, n_folds: int = 10, *, seed: int = 0, groups: Any = None) -> Labels:
    """Folds of sites alike in standardised features (k-means): a test site is unlike every training site.

    Parameters
    ----------
    x : array, shape (n, column)
        Features of all sites. They are standardised over all sites: this decides who is tested together, and nothing of it
        reaches a learner.
    """
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    x = np.asarray(x, dtype=float)
    with np.errstate(invalid="ignore"):
        z = (x - np.nanmean(x, axis=0)) / np.maximum(np.nanstd(x, axis=0), 1e-12)
    with threadpool_limits(limits=1):
        label = KMeans(min(n_folds, x.shape[0]), n_init=10, random_state=seed).fit_predict(np.nan_to_num(z))
    return np.unique(_joined(label, groups), return_inverse=True)[1].ravel().astype(np.int64)


def region_folds(regions: Sequence[Any]) -> Labels:
    """Leave-region-out: a fold is a region (a continent, a network); names are compared without case and blanks."""
    label = np.unique([str(r).strip().casefold() for r in regions], return_inverse=True)[1].ravel().astype(np.int64)
    if label.max(initial=0) < 1:
        raise InputError("all sites lie in one region", "Use other folds, or sites of at least two regions")
    return label


def continent(lat: Array, lon: Array) -> list[str]:
    """Continent of each site, by boxes of latitude and longitude that suit flux sites.

    Examples
    --------
    >>> continent(np.array([45.0, 45.0, 66.0]), np.array([-72.0, 288.0, -175.0]))
    ['North America', 'North America', 'Asia']
    """
    out = []
    for y, x in zip(np.asarray(lat, dtype=float), wrapped(lon), strict=True):
        if _BERING_STRAIT < x < -30.0:
            out.append("North America" if y > 13.0 else "South America")
        elif y < 36.0 and -30.0 <= x < 52.0:
            out.append("Africa")
        elif -30.0 <= x < 60.0:
            out.append("Europe")
        else:
            out.append("Asia" if y > -10.0 else "Oceania")
    return out


def _joined(label: Any, groups: Any) -> Labels:
    """Labels in which sites of one group have the label of its first."""
    label = np.asarray(label, dtype=np.int64).copy()
    if groups is not None:
        group = np.asarray(groups)
        for g in np.unique(group):
            label[group == g] = label[np.flatnonzero(group == g)[0]]
    return label
