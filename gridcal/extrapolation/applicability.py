"""Area of applicability: how far a pixel lies from anything the learner has seen (Meyer & Pebesma 2021)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
_BLOCK = 4096


class Applicability:
    """Distance to the training samples in weighted feature space.

    Attributes
    ----------
    training_ : array, shape (n, column)
        Weighted training features.
    weight_ : array, shape (column,)
        Weights: the features' importance.
    scale_ : float
        Mean distance between training samples.
    """

    def fit(self, x: Array, weight: Array) -> Applicability:
        """Learn from training features, shape (n, column), and their weights."""
        from scipy.spatial.distance import pdist

        total = weight.sum()
        self.weight_ = weight / total if total > 0 else np.full(x.shape[1], 1.0 / x.shape[1])
        self.training_ = x * self.weight_
        mean = float(pdist(self.training_).mean()) if x.shape[0] > 1 else 0.0
        self.scale_ = mean if mean > 0 else 1.0
        return self

    def dissimilarity(self, x: Array) -> Array:
        """Distance to the nearest training sample over their mean distance, shape (n,)."""
        from scipy.spatial import cKDTree

        tree = cKDTree(self.training_)
        parts = [tree.query(x[i : i + _BLOCK] * self.weight_)[0] for i in range(0, x.shape[0], _BLOCK)]
        return np.concatenate(parts) / self.scale_ if parts else np.empty(0)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, for JSON."""
        return {"training": self.training_.tolist(), "weight": self.weight_.tolist(), "scale": self.scale_}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Applicability:
        """The object that :meth:`to_dict` described."""
        made = cls()
        made.training_, made.weight_ = np.array(document["training"]), np.array(document["weight"])
        made.scale_ = float(document["scale"])
        return made
