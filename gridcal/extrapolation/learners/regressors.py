"""Regressors by name: boosted trees, random forest, ridge, nearest neighbours, class means; or your own object."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from gridcal.errors import ConfigError, InputError
from gridcal.extrapolation.learners.boosting import XGBoost
from gridcal.extrapolation.learners.forest import RandomForest

Array = npt.NDArray[np.float64]


class Regressor(Protocol):
    """What the extrapolator asks of a regressor: x is (n, column), y (n, output) in the unit cube."""

    def fit(self, x: Array, y: Array, weights: Array | None = None, features: tuple[str, ...] = ()) -> Any:
        """Learn; `features` names the feature of each column."""

    def predict(self, x: Array) -> Array:
        """Predictions, shape (n, output); those of a row must not depend on the other rows."""


class _Arrays:
    """Regressors whose whole state is a few arrays, named in `stored`."""

    stored: ClassVar[tuple[str, ...]] = ()

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give the state, by name."""
        return {n: np.asarray(getattr(self, f"{n}_")) for n in self.stored}

    def blobs(self) -> dict[str, bytes]:
        """Give nothing: the state is arrays."""
        return {}

    def restore(self, arrays: dict[str, npt.NDArray[Any]], blobs: dict[str, bytes]) -> Any:
        """Take over the state that :meth:`arrays` gave."""
        for n in self.stored:
            setattr(self, f"{n}_", arrays[n])
        return self


@dataclasses.dataclass
class Ridge(_Arrays):
    """Linear regression with a quadratic penalty on the coefficients (not on the intercept).

    Parameters
    ----------
    alpha : float
        Weight of the penalty; 0 is ordinary least squares of smallest norm.
    """

    alpha: float = 1.0
    name: ClassVar[str] = "ridge"
    stored: ClassVar[tuple[str, ...]] = ("coefficient", "intercept")

    def fit(self, x: Array, y: Array, weights: Array | None = None, features: tuple[str, ...] = ()) -> Ridge:
        """Solve the penalised least squares."""
        w = np.ones(x.shape[0]) if weights is None else weights
        mean_x, mean_y = np.average(x, axis=0, weights=w), np.average(y, axis=0, weights=w)
        root = np.sqrt(w)[:, None]
        a, b = (x - mean_x) * root, (y - mean_y) * root
        if self.alpha > 0:
            a = np.vstack([a, np.sqrt(self.alpha) * np.eye(x.shape[1])])
            b = np.vstack([b, np.zeros((x.shape[1], y.shape[1]))])
        self.coefficient_: Array = np.asarray(np.linalg.lstsq(a, b, rcond=None)[0], dtype=np.float64)
        self.intercept_: Array = np.asarray(mean_y - mean_x @ self.coefficient_, dtype=np.float64)
        return self

    def predict(self, x: Array) -> Array:
        """Predictions; summed column by column, so that a row's value does not depend on the size of the block."""
        out = np.tile(self.intercept_, (x.shape[0], 1))
        for j in range(x.shape[1]):
            out += x[:, j, None] * self.coefficient_[j]
        return out


@dataclasses.dataclass
class Linear(Ridge):
    """Ordinary least squares (of smallest norm where features depend on each other)."""

    alpha: float = 0.0
    name: ClassVar[str] = "linear"


@dataclasses.dataclass
class KNN(_Arrays):
    """Mean of the nearest training samples in the encoded feature space.

    Parameters
    ----------
    n_neighbors : int
        Neighbours.
    inverse_distance : bool
        Weight them by the inverse distance; else equally.
    """

    n_neighbors: int = 5
    inverse_distance: bool = True
    name: ClassVar[str] = "knn"
    stored: ClassVar[tuple[str, ...]] = ("x", "y", "weight")

    def fit(self, x: Array, y: Array, weights: Array | None = None, features: tuple[str, ...] = ()) -> KNN:
        """Keep the training samples."""
        self.x_, self.y_ = np.ascontiguousarray(x), np.ascontiguousarray(y)
        self.weight_: Array = np.ones(x.shape[0]) if weights is None else weights
        return self

    def predict(self, x: Array) -> Array:
        """Weighted mean of the neighbours."""
        from scipy.spatial import cKDTree

        k = min(self.n_neighbors, self.x_.shape[0])
        distance, index = cKDTree(self.x_).query(x, k=list(range(1, k + 1)))
        w = self.weight_[index]
        if self.inverse_distance:
            exact = distance == 0.0
            near = np.where(exact.any(axis=1, keepdims=True), exact, 1.0 / np.where(exact, 1.0, distance))
            w = w * near
        total, summed = np.zeros(x.shape[0]), np.zeros((x.shape[0], self.y_.shape[1]))
        for j in range(k):
            total += w[:, j]
            summed += w[:, j, None] * self.y_[index[:, j]]
        return summed / total[:, None]


@dataclasses.dataclass
class Mean(_Arrays):
    """Mean, or median, of the training samples, or of those of the same class: the usual table by vegetation type.

    Parameters
    ----------
    by : str, optional
        Categorical feature. A class that no training sample has gets the value of all samples.
    statistic : {"mean", "median"}
        The weights of the samples count for the mean only.
    """

    by: str | None = None
    statistic: str = "mean"
    name: ClassVar[str] = "mean"
    stored: ClassVar[tuple[str, ...]] = ("table", "columns", "overall")

    def fit(self, x: Array, y: Array, weights: Array | None = None, features: tuple[str, ...] = ()) -> Mean:
        """Average over all samples and over each class."""
        if self.statistic not in ("mean", "median"):
            raise ConfigError(f"statistic {self.statistic!r} of 'mean' is not known", "Use 'mean' or 'median'")
        columns = [j for j, f in enumerate(features) if self.by is not None and f == self.by]
        if self.by is not None and len(columns) < 2:
            raise InputError(f"{self.by!r} is no categorical feature of the training samples", "Add it to the features")
        w = np.ones(x.shape[0]) if weights is None else weights

        def reduce(rows: npt.NDArray[np.bool_]) -> Array:
            if self.statistic == "median":
                return np.asarray(np.median(y[rows], axis=0))
            return np.asarray(np.average(y[rows], axis=0, weights=w[rows]))

        everything = np.ones(x.shape[0], dtype=bool)
        self.columns_ = np.array(columns, dtype=np.int64)
        self.overall_ = reduce(everything)
        self.table_ = np.array([reduce(x[:, j] > 0.5) for j in columns]).reshape(len(columns), y.shape[1])
        return self

    def predict(self, x: Array) -> Array:
        """Value of the class."""
        out = np.tile(self.overall_, (x.shape[0], 1))
        for j, row in zip(self.columns_, self.table_, strict=True):
            out[x[:, j] > 0.5] = row
        return out


class Foreign:
    """A regressor of your own: an object with ``fit(x, y)`` and ``predict(x)``. Its state cannot be written."""

    name: ClassVar[str] = "object"

    def __init__(self, template: Any) -> None:
        self.estimator = _clone(template)

    def fit(self, x: Array, y: Array, weights: Array | None = None, features: tuple[str, ...] = ()) -> Foreign:
        """Fit; a single output is passed as shape (n,)."""
        target = y[:, 0] if y.shape[1] == 1 else y
        if weights is None:
            self.estimator.fit(x, target)
        else:
            self.estimator.fit(x, target, sample_weight=weights)
        return self

    def predict(self, x: Array) -> Array:
        """Predictions, shape (n, output)."""
        y = np.asarray(self.estimator.predict(x), dtype=np.float64)
        return y[:, None] if y.ndim == 1 else y


REGRESSORS: dict[str, type] = {c.name: c for c in (XGBoost, RandomForest, Ridge, Linear, KNN, Mean)}


def make_regressor(method: Any, seed: int = 0, options: dict[str, Any] | None = None) -> Any:
    """Make a fresh, unfitted regressor.

    Parameters
    ----------
    method : str or object
        A name of `REGRESSORS`, or an object with ``fit`` and ``predict``, which is copied.
    seed : int
        For those that draw random numbers.
    options : dict, optional
        Settings of a named regressor.

    Raises
    ------
    ConfigError
        If the name or an option is unknown.
    """
    options = dict(options or {})
    if not isinstance(method, str):
        if not (hasattr(method, "fit") and hasattr(method, "predict")):
            raise ConfigError(f"{method!r} has no fit and predict", f"Use one of {', '.join(REGRESSORS)}")
        if options:
            raise ConfigError(f"option {next(iter(options))!r} has no use with an object", "Set it on the object itself")
        return Foreign(method)
    if method not in REGRESSORS:
        raise ConfigError(
            f"unknown regressor {method!r}", f"Use one of {', '.join(REGRESSORS)}, or an object with fit and predict"
        )
    kind = REGRESSORS[method]
    known = [f.name for f in dataclasses.fields(kind)]
    stray = [o for o in options if o not in known]
    if stray:
        raise ConfigError(f"unknown option {stray[0]!r} of {method!r}", f"Known: {', '.join(known)}")
    if "seed" in known:
        options.setdefault("seed", seed)
    return kind(**options)


def _clone(template: Any) -> Any:
    if hasattr(template, "get_params"):
        from sklearn.base import clone

        return clone(template)
    return copy.deepcopy(template)
