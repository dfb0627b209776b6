"""From named features to a matrix: standardised numbers, one-hot classes, nothing learnt from outside the training set."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.errors import InputError

Array = npt.NDArray[np.float64]


class FeatureEncoder:
    """Standardise continuous features and one-hot encode classes, fitted on training samples alone.

    Parameters
    ----------
    max_missing : float
        Continuous features missing at a larger share of the training samples are dropped.

    Attributes
    ----------
    continuous_ : list of str
        Continuous features kept.
    mean_, scale_ : array
        Their training mean and standard deviation.
    classes_ : dict of str to list of str
        Training classes of each categorical feature.
    dropped_ : dict of str to str
        Features left out, and why.
    names_ : list of str
        Columns of the matrix.
    """

    def __init__(self, max_missing: float = 0.4) -> None:
        self.max_missing = max_missing

    def fit(self, features: xr.Dataset) -> FeatureEncoder:
        """Learn means, deviations and classes from training samples (one dimension)."""
        self.continuous_: list[str] = []
        self.classes_: dict[str, list[str]] = {}
        self.dropped_: dict[str, str] = {}
        means, scales = [], []
        for name in map(str, features.data_vars):
            x = features[name].values
            if is_categorical(features[name]):
                found = sorted({label(v) for v in x.ravel()} - {""})
                if len(found) < 2:
                    self.dropped_[name] = "one class in the training samples"
                else:
                    self.classes_[name] = found
                continue
            x = x.astype(float)
            missing = float(np.mean(~np.isfinite(x)))
            if missing > self.max_missing:
                self.dropped_[name] = f"missing at {100 * missing:.0f} % of the training samples"
                continue
            spread = float(np.nanstd(x))
            if not spread > 1e-12 * max(1.0, abs(float(np.nanmean(x)))):
                self.dropped_[name] = "constant in the training samples"
                continue
            self.continuous_.append(name)
            means.append(float(np.nanmean(x)))
            scales.append(spread)
        self.mean_, self.scale_ = np.array(means), np.array(scales)
        self.names_ = [*self.continuous_, *(f"{k}={c}" for k, v in self.classes_.items() for c in v)]
        if not self.names_:
            raise InputError("no feature is left to learn from", f"Dropped: {self.dropped_}")
        return self

    @property
    def inputs_(self) -> list[str]:
        """Features a data set must have."""
        return [*self.continuous_, *self.classes_]

    def check(self, features: xr.Dataset) -> None:
        """Raise :class:`InputError` naming the features that are missing."""
        missing = [n for n in self.inputs_ if n not in features]
        if missing:
            raise InputError(
                f"the features lack {', '.join(map(repr, missing))}, which the learner was trained on",
                f"They hold: {', '.join(map(str, features.data_vars))}",
            )

    def encode(self, columns: list[Any]) -> tuple[Array, npt.NDArray[np.int8], npt.NDArray[np.bool_]]:
        """Matrix of features.

        Parameters
        ----------
        columns : list of arrays, each shape (n,)
            Values in the order of ``inputs_``.

        Returns
        -------
        matrix : array, shape (n, column)
            Missing numbers are 0 (the training mean), unseen classes all zero.
        n_missing : int8 array, shape (n,)
            Features missing or unseen.
        empty : bool array, shape (n,)
            Samples without any feature.
        """
        n = len(columns[0]) if columns else 0
        matrix = np.zeros((n, len(self.names_)))
        missing = np.zeros(n, dtype=int)
        for k in range(len(self.continuous_)):
            x = (np.asarray(columns[k], dtype=float) - self.mean_[k]) / self.scale_[k]
            lost = ~np.isfinite(x)
            missing += lost
            matrix[:, k] = np.where(lost, 0.0, x)
        absent = missing == len(self.continuous_)
        j = len(self.continuous_)
        for name, values in zip(self.classes_, columns[len(self.continuous_) :], strict=True):
            labels = np.array([label(v) for v in np.asarray(values).ravel()])
            seen = np.zeros(n, dtype=bool)
            for c in self.classes_[name]:
                matrix[:, j] = labels == c
                seen |= labels == c
                j += 1
            missing += ~seen
        empty = absent if self.continuous_ else missing == len(self.inputs_)
        return matrix, np.minimum(missing, 127).astype(np.int8), empty

    def transform(self, features: xr.Dataset) -> Array:
        """Matrix of a data set with one dimension, shape (n, column)."""
        self.check(features)
        return self.encode([features[n].values for n in self.inputs_])[0]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings, for JSON."""
        return {
            "max_missing": self.max_missing,
            "continuous": self.continuous_,
            "mean": self.mean_.tolist(),
            "scale": self.scale_.tolist(),
            "classes": self.classes_,
            "dropped": self.dropped_,
        }

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> FeatureEncoder:
        """The encoder that :meth:`to_dict` described."""
        made = cls(document["max_missing"])
        made.continuous_ = list(document["continuous"])
        made.mean_, made.scale_ = np.array(document["mean"]), np.array(document["scale"])
        made.classes_ = {k: list(v) for k, v in document["classes"].items()}
        made.dropped_ = dict(document["dropped"])
        made.names_ = [*made.continuous_, *(f"{k}={c}" for k, v in made.classes_.items() for c in v)]
        return made


def is_categorical(x: xr.DataArray) -> bool:
    """True for text, and for variables the vocabulary calls categorical or that carry ``kind = categorical``."""
    from gridcal.variables import VARIABLES

    known = VARIABLES.get(str(x.name))
    return x.dtype.kind in "OSUT" or x.attrs.get("kind") == "categorical" or (known is not None and known.kind == "categorical")


def label(value: Any) -> str:
    """Class label of a value; empty for a missing one."""
    if isinstance(value, float | np.floating):
        return "" if not np.isfinite(value) else str(int(value))
    text = str(value).strip()
    return "" if text.lower() in ("nan", "none") else text


def feature_columns(encoder: FeatureEncoder) -> list[list[int]]:
    """Columns of the matrix that belong to each input feature."""
    columns = [[k] for k in range(len(encoder.continuous_))]
    j = len(columns)
    for classes in encoder.classes_.values():
        columns.append(list(range(j, j + len(classes))))
        j += len(classes)
    return columns
