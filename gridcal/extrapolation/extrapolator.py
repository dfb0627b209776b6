"""Learn parameters from the environment, predict them for every pixel."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.errors import ConfigError, InputError
from gridcal.extrapolation.applicability import Applicability
from gridcal.extrapolation.encoder import FeatureEncoder, feature_columns
from gridcal.extrapolation.importance import permutation_importance
from gridcal.extrapolation.regressors import REGRESSORS, make_regressor
from gridcal.kernels.metrics import scores
from gridcal.parameters import ParameterTable

Array = npt.NDArray[np.float64]
SPACE = ("lat", "lon", "pixel", "site")
NEVER = ("lat", "lon", "n_lue")
"""Never features unless they are named: position, and what was made from the observations."""
MINIMUM_SAMPLES = 8


class Extrapolator:
    """Parameters from features, scikit-learn style, over xarray data sets.

    Parameters
    ----------
    method : str or object
        ``"xgboost"``, ``"ridge"``, ``"mean"``, or an object with ``fit(x, y)`` and ``predict(x)``.
    features : sequence of str, optional
        Features to use; all of the data set, but position, without it.
    n_folds : int
        Folds of the cross-validation behind `skill_` and `cv_`.
    groups : str, optional
        Coordinate whose equal values share a fold.
    seed : int
        Seed of folds and regressor.
    **options
        Of the regressor.

    Attributes
    ----------
    parameters_ : tuple of str
        Parameters that vary over the training samples and are learnt; the others are constants.
    encoder_ : FeatureEncoder
        Features, their means and classes; ``encoder_.dropped_`` says what was left out.
    cv_ : Dataset
        Out-of-fold predictions at the training samples.
    skill_ : Dataset, dims (parameter,)
        r2, rmse, nse of `cv_`.
    importance_ : Dataset, dims (parameter, feature)
        Permutation importance, and the gain for trees; each sums to 1 over the features.
    n_training_, n_left_out_ : int
        Samples used, and left out for a missing parameter.
    """

    def __init__(
        self,
        method: Any = "xgboost",
        *,
        features: Iterable[str] | None = None,
        n_folds: int = 5,
        groups: str | None = None,
        seed: int = 0,
        **options: Any,
    ) -> None:
        self.method = method
        self.features = features
        self.n_folds = n_folds
        self.groups = groups
        self.seed = seed
        self.options = options

    def fit(self, theta: xr.Dataset, features: xr.Dataset, table: ParameterTable) -> Extrapolator:
        """Learn from samples.

        Parameters
        ----------
        theta : Dataset, dims (sample,)
            Parameters of the training samples; those of `table` that it holds.
        features : Dataset, dims (sample,)
            Their features.
        table : ParameterTable
            Bounds and scales: parameters are learnt in the unit cube and never predicted outside it.

        Raises
        ------
        InputError
            If samples and features do not belong together, or too few are left.
        """
        dim = self._sample_dim(theta, features)
        names = [n for n in table.names if n in theta]
        if not names:
            raise InputError("theta holds none of the table's parameters", f"Expected some of: {', '.join(table.names)}")
        chosen = list(self.features) if self.features is not None else [str(n) for n in features.data_vars if n not in NEVER]
        missing = [n for n in chosen if n not in features]
        if missing:
            raise InputError(
                f"the features lack {', '.join(map(repr, missing))}", f"They hold: {', '.join(map(str, features.data_vars))}"
            )
        values = np.stack([theta[n].values.astype(float) for n in names], axis=1)
        good = np.isfinite(values).all(axis=1)
        self.n_training_, self.n_left_out_ = int(good.sum()), int((~good).sum())
        if self.n_training_ < MINIMUM_SAMPLES:
            raise InputError(
                f"{self.n_training_} samples are left to learn from ({self.n_left_out_} have a missing parameter)",
                f"At least {MINIMUM_SAMPLES} are needed: loosen the quality screen or calibrate more samples",
            )
        self.table_ = table
        unit = table.select(names).to_unit(values[good])
        varies = np.ptp(unit, axis=0) > 1e-12
        self.parameters_ = tuple(n for n, v in zip(names, varies, strict=True) if v)
        self.constants_ = {n: float(values[good][0, k]) for k, n in enumerate(names) if not varies[k]}
        target = unit[:, varies]
        training = features[chosen].isel({dim: good})
        self.encoder_ = FeatureEncoder().fit(training)
        x = self.encoder_.transform(training)
        groups = training[self.groups].values if self.groups else None
        folds = self._folds(self.n_training_, groups)
        out_of_fold = np.full_like(target, np.nan)
        for k in range(int(folds.max()) + 1):
            train, test = folds != k, folds == k
            encoder = FeatureEncoder().fit(training.isel({dim: train}))
            part = self._new().fit(encoder.transform(training.isel({dim: train})), self._shaped(target[train]))
            out_of_fold[test] = np.clip(self._two(part.predict(encoder.transform(training.isel({dim: test})))), 0.0, 1.0)
        self.model_ = self._new().fit(x, self._shaped(target))
        self._summarise(dim, theta, good, values[good][:, varies], out_of_fold)
        importance = permutation_importance(
            lambda m: np.clip(self._two(self.model_.predict(m)), 0.0, 1.0), x, target, self.encoder_, self.seed
        )
        self.importance_ = importance.assign_coords(parameter=list(self.parameters_))
        if hasattr(self.model_, "gain"):
            gain = self.encoder_gain(self.model_.gain(x.shape[1]))
            self.importance_["gain"] = (("parameter", "feature"), gain, {"long_name": "share of the trees' gain"})
        weight = self.importance_["importance"].mean("parameter").values
        self.applicability_ = Applicability().fit(x, self._column_weights(weight))
        return self

    def predict(self, features: xr.Dataset, *, applicability: bool = True) -> xr.Dataset:
        """Predict parameters, lazily over any grid or samples.

        Parameters
        ----------
        features : Dataset
            The features the learner was trained on, over (lat, lon), (pixel,) or (site,).
        applicability : bool
            Add the layer ``dissimilarity``: distance to the nearest training sample in weighted feature space, over the
            mean distance between training samples (Meyer & Pebesma 2021). Above 1 the learner extrapolates.

        Returns
        -------
        Dataset
            One variable a parameter, within its bounds; ``n_missing``, the features missing at a pixel; ``dissimilarity``.
            NaN where no number is known at all. Values do not depend on the chunks.

        Raises
        ------
        InputError
            If a feature is missing.
        """
        self.encoder_.check(features)
        inputs = [features[n].reset_coords(drop=True) for n in self.encoder_.inputs_]
        dims = [d for d in SPACE if any(d in x.dims for x in inputs)]
        lazy = next((x for x in inputs if x.chunks is not None), None)
        if lazy is not None:
            inputs = [x.chunk({d: lazy.chunksizes[d] for d in x.dims}) for x in inputs]
        count = len(self.parameters_)
        block = functools.partial(
            _predict_block, encoder=self.encoder_, model=self.model_, table=self.table_.select(self.parameters_),
            applicability=self.applicability_ if applicability else None,
        )  # fmt: skip
        kinds = [np.float64] * (count + 2)
        found = xr.apply_ufunc(
            block, *inputs, dask="parallelized", output_core_dims=[[]] * len(kinds), output_dtypes=kinds, join="exact"
        )
        out = xr.Dataset()
        learnt = dict(zip(self.parameters_, found[:count], strict=True))
        empty = found[count] < 0
        for p in self.table_:
            if p.name in learnt:
                x = learnt[p.name]
            elif p.name in self.constants_:
                x = xr.where(empty, np.nan, self.constants_[p.name])
            else:
                continue
            out[p.name] = x.transpose(*dims).assign_attrs(units=p.units, long_name=p.description)
        missing = found[count].transpose(*dims)
        attrs = {"units": "1", "long_name": "features missing or of an unseen class"}
        out["n_missing"] = abs(missing).astype(np.int8).assign_attrs(attrs)
        if applicability:
            attrs = {"units": "1", "long_name": "distance to the training samples over their mean distance"}
            out["dissimilarity"] = found[count + 1].transpose(*dims).assign_attrs(attrs)
        for c in features.coords:
            if set(features[c].dims) <= set(dims):
                out = out.assign_coords({c: features[c]})
        out.attrs = {"stage": "predict", "fingerprint": self.fingerprint, "n_training": self.n_training_}
        return out

    @property
    def fingerprint(self) -> str:
        """sha256 of encoder, constants and model."""
        h = hashlib.sha256(json.dumps([self.encoder_.to_dict(), self.constants_, self.parameters_]).encode())
        for name, data in sorted(self._files().items()):
            h.update(name.encode() + data)
        return h.hexdigest()

    def save(self, folder: str | Path) -> Path:
        """Write the learner to a folder, in open formats: UBJ or raw numbers, and JSON."""
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        document = {
            "schema": 1,
            "method": self.method if isinstance(self.method, str) else type(self.method).__name__,
            "features": list(self.features) if self.features is not None else None,
            "n_folds": self.n_folds, "groups": self.groups, "seed": self.seed, "options": self.options,
            "parameters": list(self.parameters_), "constants": self.constants_,
            "table": [vars(p) for p in self.table_], "encoder": self.encoder_.to_dict(),
            "applicability": self.applicability_.to_dict(), "n_training": self.n_training_, "n_left_out": self.n_left_out_,
            "skill": self.skill_.to_dict(), "importance": self.importance_.to_dict(), "cv": self.cv_.to_dict(),
        }  # fmt: skip
        for name, data in self._files().items():
            (path / name).write_bytes(data)
        (path / "learner.json").write_text(json.dumps(document, indent=1, default=_plain), encoding="utf-8")
        return path

    @classmethod
    def load(cls, folder: str | Path) -> Extrapolator:
        """Read a learner that :meth:`save` wrote; its predictions are the same to the bit."""
        from gridcal.parameters import Parameter

        path = Path(folder)
        if not (path / "learner.json").is_file():
            raise InputError(f"{str(path)!r} holds no learner", "Give the folder that Extrapolator.save wrote")
        d = json.loads((path / "learner.json").read_text(encoding="utf-8"))
        made = cls(d["method"], features=d["features"], n_folds=d["n_folds"], groups=d["groups"], seed=d["seed"], **d["options"])
        made.parameters_, made.constants_ = tuple(d["parameters"]), d["constants"]
        made.table_ = ParameterTable(tuple(Parameter(**p) for p in d["table"]))
        made.encoder_ = FeatureEncoder.from_dict(d["encoder"])
        made.applicability_ = Applicability.from_dict(d["applicability"])
        made.n_training_, made.n_left_out_ = d["n_training"], d["n_left_out"]
        made.skill_, made.importance_, made.cv_ = (xr.Dataset.from_dict(d[k]) for k in ("skill", "importance", "cv"))
        files = {p.name: p.read_bytes() for p in path.iterdir() if p.suffix in (".ubj", ".f64")}
        options = dict(made.options) | ({"seed": made.seed} if made.method == "xgboost" else {})
        if made.method == "ridge":
            options = {"alpha": made.options.get("alpha", 1.0), "outputs": len(made.parameters_)}
        made.model_ = REGRESSORS[made.method].restore(files, options)
        return made

    def encoder_gain(self, gain: Array) -> Array:
        """Gain by feature, shape (parameter, feature): the columns of a class are added."""
        return np.stack([gain[:, c].sum(axis=1) for c in feature_columns(self.encoder_)], axis=1)

    def _column_weights(self, weight: Array) -> Array:
        columns = feature_columns(self.encoder_)
        out = np.zeros(len(self.encoder_.names_))
        for w, c in zip(weight, columns, strict=True):
            out[c] = w
        return out

    def _new(self) -> Any:
        return make_regressor(self.method, self.seed, self.options)

    def _shaped(self, y: Array) -> Array:
        return y[:, 0] if y.shape[1] == 1 and not isinstance(self.method, str) else y

    @staticmethod
    def _two(y: Any) -> Array:
        y = np.asarray(y, dtype=float)
        return y[:, None] if y.ndim == 1 else y

    def _files(self) -> dict[str, bytes]:
        if not hasattr(self.model_, "dump"):
            raise ConfigError(
                f"a learner of {type(self.model_).__name__} has no open format to be written in",
                f"Use one of {', '.join(REGRESSORS)}, or save its predictions",
            )
        return self.model_.dump()

    def _folds(self, n: int, groups: Any) -> npt.NDArray[np.int64]:
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(2,)))
        if groups is None:
            return rng.permutation(np.arange(n) % min(self.n_folds, n))
        labels, which = np.unique([str(g) for g in groups], return_inverse=True)
        return rng.permutation(np.arange(labels.size) % min(self.n_folds, labels.size))[which]

    def _sample_dim(self, theta: xr.Dataset, features: xr.Dataset) -> str:
        dims = {str(d) for x in theta.data_vars.values() for d in x.dims}
        if len(dims) != 1 or any(features[n].dims != tuple(dims) for n in features.data_vars):
            raise InputError(
                f"theta has the dimensions {sorted(dims)}, the features {sorted(map(str, features.dims))}",
                "Pass both over the same single sample dimension",
            )
        dim = dims.pop()
        if dim in theta.coords and dim in features.coords and not np.array_equal(theta[dim].values, features[dim].values):
            raise InputError(f"theta and features hold different samples along {dim!r}", f"Select: features.sel({dim}=theta.{dim})")
        return dim

    def _summarise(self, dim: str, theta: xr.Dataset, good: Any, truth: Array, unit: Array) -> None:
        found = self.table_.select(self.parameters_).from_unit(unit)
        cv = xr.Dataset({n: ((dim,), found[:, k]) for k, n in enumerate(self.parameters_)})
        for n, v in self.constants_.items():
            cv[n] = ((dim,), np.full(found.shape[0], v))
        if dim in theta.coords:
            cv = cv.assign_coords({dim: theta[dim].values[good]})
        self.cv_ = cv
        result = scores(found, truth)
        attrs = {"long_name": "out-of-fold skill of the learner"}
        data = {k: (("parameter",), result[k]) for k in ("r", "r2", "rmse", "nse")}
        self.skill_ = xr.Dataset(data, coords={"parameter": list(self.parameters_)}, attrs=attrs)


def _predict_block(
    *columns: Any, encoder: FeatureEncoder, model: Any, table: ParameterTable, applicability: Applicability | None
) -> tuple[Any, ...]:
    """Parameters, missing count (negative where a pixel has no number at all) and dissimilarity of one block."""
    shape = np.broadcast_shapes(*(np.shape(c) for c in columns))
    flat = [np.broadcast_to(np.asarray(c), shape).ravel() for c in columns]
    matrix, missing, empty = encoder.encode(flat)
    n = matrix.shape[0]
    found = np.full((n, len(table)), np.nan)
    distance = np.full(n, np.nan)
    use = ~empty
    if use.any():
        found[use] = table.from_unit(np.clip(Extrapolator._two(model.predict(matrix[use])), 0.0, 1.0))
        if applicability is not None:
            distance[use] = applicability.dissimilarity(matrix[use])
    count = np.where(empty, -missing.astype(float) - (missing == 0), missing.astype(float))
    return (*(found[:, k].reshape(shape) for k in range(len(table))), count.reshape(shape), distance.reshape(shape))


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return str(value)
