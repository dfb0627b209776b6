"""From named features to a matrix: standardised numbers and one-hot classes, learnt from the training samples alone."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.errors import InputError
from gridcal.extrapolation.features.codes import refuse_codes
from gridcal.extrapolation.features.labels import (
    Lookup,
    class_labels,
    is_categorical,
    lookup_of,
    meanings_of,
    one_spelling,
    positions,
)
from gridcal.extrapolation.features.numbers import Reading, is_longitude, reading_of

Array = npt.NDArray[np.float64]

NEVER: tuple[str, ...] = (
    "lat", "lon", "latitude", "longitude", "site", "pixel", "fold", "mask", "n_lue", "*_dist_km",
    "gpp", "gpp_*", "*_gpp", "*_gpp_*", "nee", "nee_*", "reco", "reco_*",
)  # fmt: skip
"""Names that are no feature unless they are asked for: position, look-up distances, and what is made from fluxes."""


class FeatureEncoder:
    """Standardise continuous features, one-hot encode classes; everything it knows comes from the data of :meth:`fit`.

    Parameters
    ----------
    features : sequence of str, optional
        Features to use, in this order; without it every variable that is constant in time and not excluded, sorted by name.
    exclude : sequence of str
        Names, with ``*`` for any text, that are not used unless `features` names them.
    categorical : sequence of str
        Features that are classes although they are numbers and nothing in their attributes says so.
    max_missing : float
        A feature missing at a larger share of the training samples is dropped.

    Attributes
    ----------
    continuous_, categorical_ : tuple of str
        Features kept, in order.
    mean_, sd_ : dict of str to float
        Training mean and standard deviation of the continuous features.
    units_ : dict of str to str, or None
        Units of the continuous features in training, where they are declared; None for an encoder of an older version, which
        did not keep them.
    classes_ : dict of str to tuple of str
        Training classes of the categorical features.
    dropped_ : dict of str to str
        Features left out, and the reason.
    names_out_ : tuple of str
        Columns of the matrix: the continuous features, then ``feature=class``.
    column_feature_ : tuple of str
        The feature each column belongs to.
    n_training_ : int
        Samples learnt from.

    Notes
    -----
    A missing number becomes 0, the training mean, and a class unknown to the training samples a row of zeros; both are
    counted. Numbers in other units than in training are converted. Text classes are stripped and compared without regard to
    case. Integer codes with CF ``flag_values`` and ``flag_meanings`` are read as the meanings, so that a table of names and a
    map of codes go together. Longitudes are taken on one turn, from -180 to 180.

    Examples
    --------
    >>> train = xr.Dataset({"t": ("site", [1.0, 3.0]), "igbp": ("site", ["DBF", "ENF"])})
    >>> FeatureEncoder().fit(train).transform(train).matrix.values
    array([[-1.,  1.,  0.],
           [ 1.,  0.,  1.]])
    """

    def __init__(
        self,
        *,
        features: Sequence[str] | None = None,
        exclude: Sequence[str] = NEVER,
        categorical: Sequence[str] = (),
        max_missing: float = 0.4,
    ) -> None:
        self.features = features
        self.exclude = exclude
        self.categorical = categorical
        self.max_missing = max_missing

    def fit(self, features: xr.Dataset) -> FeatureEncoder:
        """Learn means, deviations and classes.

        Parameters
        ----------
        features : Dataset
            Features over the training samples (any space dimensions).

        Raises
        ------
        InputError
            If a named feature is absent, varies in time, holds a code for missing values, or none is left.
        """
        self.dropped_: dict[str, str] = {}
        self.mean_: dict[str, float] = {}
        self.sd_: dict[str, float] = {}
        units: dict[str, str] = {}
        self.classes_: dict[str, tuple[str, ...]] = {}
        self.units_: dict[str, str] | None = units
        continuous, categorical = [], []
        for name in self._chosen(features):
            x = features[name]
            if is_categorical(x, self.categorical):
                _refuse_numbers_as_objects(x, self.categorical)
                labels = class_labels(x.values, meanings_of(x))
                if self._too_sparse(name, np.array([v == "" for v in labels])):
                    continue
                spelling = one_spelling(labels.tolist())
                if len(spelling) < 2:
                    self.dropped_[name] = "one class at all training samples"
                    continue
                categorical.append(name)
                self.classes_[name] = tuple(spelling.values())
                continue
            refuse_codes(features, [name])
            values = Reading(turn=is_longitude(x)).of(x.values)
            good = np.isfinite(values)
            if self._too_sparse(name, ~good):
                continue
            mean, sd = float(values[good].mean()), float(values[good].std())
            if not sd > 1e-12 * max(1e-300, float(np.abs(values[good]).max())):
                self.dropped_[name] = "constant at the training samples"
                continue
            continuous.append(name)
            self.mean_[name], self.sd_[name] = mean, sd
            if "units" in x.attrs:
                units[name] = str(x.attrs["units"])
        self.continuous_, self.categorical_ = tuple(continuous), tuple(categorical)
        self.n_training_ = int(np.prod([n for d, n in features.sizes.items() if d != "time"], dtype=int))
        self._name_columns()
        if not self.names_out_:
            reasons = "; ".join(f"{k}: {v}" for k, v in self.dropped_.items()) or "the data set holds none"
            raise InputError("no feature is left to learn from", f"Add features ({reasons})")
        return self

    @property
    def inputs_(self) -> tuple[str, ...]:
        """Features a data set must hold."""
        return (*self.continuous_, *self.categorical_)

    def check(self, features: xr.Dataset) -> None:
        """Raise :class:`InputError` naming the features that `features` lacks, or that cannot be read as those of training."""
        absent = [n for n in self.inputs_ if n not in features]
        if absent:
            raise InputError(
                f"the features lack {', '.join(map(repr, absent))}, which the learner was trained on",
                f"Add them (present: {_names(features)})",
            )
        for n in self.inputs_:
            if "time" in features[n].dims:
                raise InputError(f"feature {n!r} varies in time", "Reduce it first, e.g. to its mean over time")
            if n in self.mean_ and features[n].dtype.kind not in "fiub":
                raise InputError(f"feature {n!r} is {features[n].dtype}, but was a number in training", "Convert it to numbers")
            if n in self.mean_ and "flag_meanings" in features[n].attrs:
                raise InputError(
                    f"feature {n!r} is a class here (flag_meanings), but was a plain number in training",
                    f"Fit again with categorical=[{n!r}]",
                )

    def readings(self, features: xr.Dataset) -> tuple[Reading | Lookup, ...]:
        """How the values of each of `inputs_` are read: numbers by their units, classes by their meanings.

        Raises
        ------
        InputError
            If units cannot be made those of training, or no value can be a class of training.
        """
        kept = self.units_
        numbers = [Reading() if kept is None else reading_of(features[n], kept.get(n)) for n in self.continuous_]
        return (*numbers, *(lookup_of(features[n], self.classes_[n]) for n in self.categorical_))

    def encode(
        self, columns: Sequence[Any], readings: Sequence[Any]
    ) -> tuple[Array, npt.NDArray[np.int8], npt.NDArray[np.int8], npt.NDArray[np.bool_]]:
        """Matrix of flat columns.

        Parameters
        ----------
        columns : sequence of array, each shape (n,)
            Values in the order of `inputs_`.
        readings : sequence
            From :meth:`readings`.

        Returns
        -------
        matrix : array, shape (n, column)
        n_missing, n_unseen : int8 arrays, shape (n,)
            Features without a value, and with a class unknown to the training samples.
        empty : bool array, shape (n,)
            Rows without any continuous feature (without any feature, if all are classes).
        """
        n = np.asarray(columns[0]).size
        matrix = np.zeros((n, len(self.names_out_)))
        missing = np.zeros(n, dtype=np.int64)
        unseen = np.zeros(n, dtype=np.int64)
        for j, name in enumerate(self.continuous_):
            x = (readings[j].of(columns[j]) - self.mean_[name]) / self.sd_[name]
            lost = ~np.isfinite(x)
            missing += lost
            matrix[:, j] = np.where(lost, 0.0, x)
        empty = missing == len(self.continuous_)
        j = len(self.continuous_)
        for name, values, lookup in zip(self.categorical_, columns[j:], readings[j:], strict=True):
            position, lost = positions(np.asarray(values).ravel(), lookup)
            rows = np.flatnonzero(position >= 0)
            matrix[rows, j + position[rows]] = 1.0
            missing += lost
            unseen += (position < 0) & ~lost
            j += len(self.classes_[name])
        if not self.continuous_:
            empty = missing == len(self.categorical_)
        return matrix, np.minimum(missing, 127).astype(np.int8), np.minimum(unseen, 127).astype(np.int8), empty

    def transform(self, features: xr.Dataset) -> xr.Dataset:
        """Encode a data set.

        Returns
        -------
        Dataset
            ``matrix`` (*space, column) float64, ``n_missing`` and ``n_unseen`` (*space) int8.

        Raises
        ------
        InputError
            If a feature is absent.
        """
        self.check(features)
        arrays = xr.broadcast(*(features[n].reset_coords(drop=True) for n in self.inputs_))
        shape, dims = arrays[0].shape, arrays[0].dims
        matrix, missing, unseen, _ = self.encode([a.values.ravel() for a in arrays], self.readings(features))
        return xr.Dataset(
            {
                "matrix": ((*dims, "column"), matrix.reshape(*shape, -1)),
                "n_missing": (dims, missing.reshape(shape)),
                "n_unseen": (dims, unseen.reshape(shape)),
            },
            coords={"column": list(self.names_out_)},
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts, for JSON."""
        return {
            "features": None if self.features is None else list(self.features),
            "exclude": list(self.exclude), "categorical": list(self.categorical), "max_missing": self.max_missing,
            "mean": self.mean_, "sd": self.sd_, "units": self.units_, "classes": {k: list(v) for k, v in self.classes_.items()},
            "dropped": self.dropped_, "n_training": self.n_training_,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> FeatureEncoder:
        """Rebuild the encoder that :meth:`to_dict` described."""
        made = cls(**{k: document[k] for k in ("features", "exclude", "categorical", "max_missing")})
        made.mean_, made.sd_ = dict(document["mean"]), dict(document["sd"])
        made.units_ = document.get("units")
        made.classes_ = {k: tuple(v) for k, v in document["classes"].items()}
        made.dropped_, made.n_training_ = dict(document["dropped"]), int(document["n_training"])
        made.continuous_, made.categorical_ = tuple(made.mean_), tuple(made.classes_)
        made._name_columns()
        return made

    def _name_columns(self) -> None:
        pairs = [(n, n) for n in self.continuous_]
        pairs += [(f"{n}={c}", n) for n in self.categorical_ for c in self.classes_[n]]
        self.names_out_ = tuple(p[0] for p in pairs)
        self.column_feature_ = tuple(p[1] for p in pairs)

    def _too_sparse(self, name: str, missing: npt.NDArray[np.bool_]) -> bool:
        share = float(missing.mean()) if missing.size else 1.0
        if share > self.max_missing or share == 1.0:
            self.dropped_[name] = f"missing at {100 * share:.0f} % of the training samples"
            return True
        return False

    def _chosen(self, features: xr.Dataset) -> list[str]:
        if self.features is not None:
            absent = [n for n in self.features if n not in features]
            if absent:
                raise InputError(
                    f"the features lack {', '.join(map(repr, absent))}",
                    f"Name some of: {_names(features)}",
                )
            moving = [n for n in self.features if "time" in features[n].dims]
            if moving:
                raise InputError(f"feature {moving[0]!r} varies in time", "Reduce it first, e.g. to its mean over time")
            return list(dict.fromkeys(self.features))
        chosen = []
        for name in sorted(map(str, features.data_vars)):
            if not usable([name], self.exclude):
                self.dropped_[name] = "excluded by name"
            elif "time" in features[name].dims:
                self.dropped_[name] = "varies in time"
            elif features[name].dtype.kind in "mMc":
                self.dropped_[name] = f"is neither number nor class ({features[name].dtype})"
            else:
                chosen.append(name)
        return chosen


def _refuse_numbers_as_objects(x: xr.DataArray, declared: Sequence[str]) -> None:
    """Raise if a feature is a class for no other reason than that its numbers are Python objects."""
    plain = xr.DataArray(0.0, name=x.name, attrs=x.attrs)
    if x.dtype.kind != "O" or is_categorical(plain, declared):
        return
    values = [v for v in x.values.ravel().tolist() if v is not None]
    if values and all(isinstance(v, int | float | np.number) and not isinstance(v, bool) for v in values):
        raise InputError(
            f"feature {x.name!r} holds numbers as objects",
            f"Convert it: ds[{str(x.name)!r}] = ds[{str(x.name)!r}].astype(float); or name it in categorical=",
        )


def usable(names: Iterable[str], exclude: Sequence[str] = NEVER) -> list[str]:
    """Names, in their order, that no pattern of `exclude` keeps from being features."""
    return [n for n in names if not any(fnmatch.fnmatchcase(n, p) for p in exclude)]


def _names(features: xr.Dataset) -> str:
    return ", ".join(sorted(map(str, features.data_vars))) or "none"
