"""Area of applicability: how far a pixel lies from what the learner has seen (Meyer & Pebesma 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
_ROWS = 512


class Applicability:
    """Dissimilarity index of Meyer & Pebesma (2021, 10.1111/2041-210X.13650).

    Distance in the standardised feature space, each feature weighted by its importance, to the nearest training sample,
    over the mean distance between all pairs of training samples.

    Attributes
    ----------
    weight_ : array, shape (column,)
        Weight of each column of the encoded matrix.
    training_ : array, shape (n, axis)
        Training samples on the weighted axes that matter.
    scale_ : float
        Mean distance between pairs of training samples.
    threshold_ : float
        Largest index that is no outlier (third quartile + 1.5 interquartile ranges) among the training samples, each
        measured against the other folds: above it the cross-validated skill says nothing about a prediction.

    Notes
    -----
    Two different classes of a feature are one weight apart, and so is a class that no training sample has.
    """

    def fit(self, x: Array, blocks: Sequence[Sequence[int]], importance: Array, folds: Any = None) -> Applicability:
        """Learn from training samples.

        Parameters
        ----------
        x : array, shape (n, column)
            Encoded features.
        blocks : sequence of sequence of int
            Columns of each feature.
        importance : array, shape (feature,)
            Importance of each feature; equal weights if none is positive.
        folds : int array, shape (n,), optional
            Fold of each sample, for the threshold; without it every other sample counts.
        """
        from scipy.spatial.distance import cdist

        share = np.maximum(importance, 0.0)
        share = share / share.sum() if share.sum() > 0 else np.full(len(blocks), 1.0 / len(blocks))
        self.weight_ = np.zeros(x.shape[1])
        for w, block in zip(share, blocks, strict=True):
            self.weight_[list(block)] = w if len(block) == 1 else w / np.sqrt(2.0)
        self.classes_ = [list(b) for w, b in zip(share, blocks, strict=True) if len(b) > 1 and w > 0]
        self.training_ = self._embed(x)
        n = x.shape[0]
        label = np.arange(n) if folds is None else np.asarray(folds)
        total, nearest = 0.0, np.full(n, np.nan)
        for i in range(0, n, _ROWS):
            distance = cdist(self.training_[i : i + _ROWS], self.training_)
            total += float(distance.sum())
            distance[label[i : i + _ROWS, None] == label[None, :]] = np.inf
            nearest[i : i + _ROWS] = distance.min(axis=1)
        mean = total / (n * (n - 1)) if n > 1 else 0.0
        self.scale_ = mean if mean > 0 else 1.0
        index = nearest[np.isfinite(nearest)] / self.scale_
        if index.size:
            low, high = np.quantile(index, [0.25, 0.75])
            self.threshold_ = float(index[index <= high + 1.5 * (high - low)].max())
        else:
            self.threshold_ = float("inf")
        return self

    def dissimilarity(self, x: Array) -> Array:
        """Index of encoded rows, shape (n,): 0 at a training sample; the same whatever rows stand beside."""
        if x.shape[0] == 0:
            return np.zeros(0)
        return np.asarray(self._tree().query(self._embed(x))[0], dtype=np.float64) / self.scale_

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Arrays that rebuild the object together with :meth:`to_dict`."""
        return {"training": self.training_, "weight": self.weight_}

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, for JSON."""
        return {"scale": self.scale_, "threshold": self.threshold_, "classes": self.classes_}

    @classmethod
    def restore(cls, document: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> Applicability:
        """Rebuild the object that :meth:`to_dict` and :meth:`arrays` described."""
        made = cls()
        made.scale_, made.threshold_ = float(document["scale"]), float(document["threshold"])
        made.classes_ = [list(b) for b in document["classes"]]
        made.training_, made.weight_ = arrays["training"], arrays["weight"]
        return made

    def _embed(self, x: Array) -> Array:
        used = np.flatnonzero(self.weight_ > 0)
        parts = [x[:, used] * self.weight_[used]]
        for block in self.classes_:
            unseen = 1.0 - x[:, block].sum(axis=1, keepdims=True)
            parts.append(unseen * self.weight_[block[0]])
        return np.ascontiguousarray(np.concatenate(parts, axis=1))

    def _tree(self) -> Any:
        if "_index" not in self.__dict__:
            from scipy.spatial import cKDTree

            self._index = cKDTree(self.training_)
        return self._index

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_index"}
