"""Random forests whose fitted trees are plain arrays: grown by scikit-learn, stored and read without it."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from gridcal.kernels.jit import kernel

Array = npt.NDArray[np.float64]


@dataclasses.dataclass
class RandomForest:
    """Random forest regression (Breiman 2001).

    Parameters
    ----------
    n_estimators : int
        Trees.
    max_depth : int, optional
        Largest depth of a tree.
    min_samples_leaf : int
        Fewest samples of a leaf.
    max_features : float
        Share of the columns tried at a split.
    multi_output : bool
        One forest for all outputs together; else one forest an output.
    seed : int
        Seed of bootstrap and splits.

    Attributes
    ----------
    trees_ : dict of array
        ``start`` (output group, tree + 1), ``left``, ``right``, ``feature`` (node,), ``threshold`` (node,), ``value``
        (node, width); children are counted from the start of their tree, -1 at a leaf.
    """

    n_estimators: int = 100
    max_depth: int | None = None
    min_samples_leaf: int = 1
    max_features: float = 1.0
    multi_output: bool = False
    seed: int = 0
    name: ClassVar[str] = "random_forest"
    importance_name: ClassVar[str] = "impurity"

    def fit(self, x: Array, y: Array, weights: Array | None = None, features: tuple[str, ...] = ()) -> RandomForest:
        """Grow the trees on x (n, column) and y (n, output)."""
        from sklearn.ensemble import RandomForestRegressor

        groups = [list(range(y.shape[1]))] if self.multi_output else [[k] for k in range(y.shape[1])]
        starts, parts, impurity = [], [], []
        offset = 0
        for group in groups:
            grown = RandomForestRegressor(
                n_estimators=self.n_estimators, max_depth=self.max_depth, min_samples_leaf=self.min_samples_leaf,
                max_features=self.max_features, random_state=self.seed, n_jobs=1,
            )  # fmt: skip
            target = y[:, group] if len(group) > 1 else y[:, group[0]]
            grown.fit(x.astype(np.float32), target, sample_weight=weights)
            row = [offset]
            for tree in (e.tree_ for e in grown.estimators_):
                value = np.ascontiguousarray(tree.value[:, :, 0])
                parts.append((tree.children_left, tree.children_right, tree.feature, tree.threshold, value))
                offset += tree.node_count
                row.append(offset)
            starts.append(row)
            impurity += [grown.feature_importances_] * len(group)
        stacked = [np.concatenate([p[i] for p in parts]) for i in range(5)]
        self.trees_: dict[str, npt.NDArray[Any]] = {
            "start": np.array(starts, dtype=np.int64),
            "left": stacked[0].astype(np.int32),
            "right": stacked[1].astype(np.int32),
            "feature": stacked[2].astype(np.int32),
            "threshold": stacked[3].astype(np.float64),
            "value": stacked[4].astype(np.float64),
            "impurity": np.array(impurity, dtype=np.float64),
        }
        return self

    def predict(self, x: Array) -> Array:
        """Mean over the trees, shape (n, output); equal to scikit-learn's to the bit."""
        rows = np.ascontiguousarray(x, dtype=np.float32)
        t = self.trees_
        out = [
            _grove(rows, bounds, t["left"], t["right"], t["feature"], t["threshold"], t["value"]) / (bounds.size - 1)
            for bounds in t["start"]
        ]
        return np.concatenate(out, axis=1)

    def column_importance(self) -> Array:
        """Share of the decrease of impurity, shape (output, column)."""
        return np.asarray(self.trees_["impurity"])

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give the trees."""
        return self.trees_

    def blobs(self) -> dict[str, bytes]:
        """Give nothing: the trees are arrays."""
        return {}

    def restore(self, arrays: dict[str, npt.NDArray[Any]], blobs: dict[str, bytes]) -> RandomForest:
        """Take over the trees that :meth:`arrays` gave."""
        self.trees_ = arrays
        return self


@kernel
def _grove(rows, bounds, left, right, feature, threshold, value):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Sum over the trees of the value at each row's leaf, (n, width): left where a value is at most the threshold."""
    out = np.zeros((rows.shape[0], value.shape[1]))
    for i in range(rows.shape[0]):
        for k in range(bounds.size - 1):
            start = bounds[k]
            node = start
            while left[node] >= 0:
                node = start + (left[node] if np.float64(rows[i, feature[node]]) <= threshold[node] else right[node])
            for j in range(value.shape[1]):
                out[i, j] += value[node, j]
    return out
