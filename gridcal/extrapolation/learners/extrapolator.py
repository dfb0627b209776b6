"""Learn parameters from the environment at samples, predict them for every pixel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.errors import ConfigError, InputError
from gridcal.extrapolation.features.encoder import NEVER, FeatureEncoder
from gridcal.extrapolation.folds.random_folds import assign_folds, held_out
from gridcal.extrapolation.learners.applicability import Applicability
from gridcal.extrapolation.learners.importance import by_feature, permutation_rise, shares
from gridcal.extrapolation.learners.lacking import warn_of_lacking
from gridcal.extrapolation.learners.persist import LearnerState, read, state_hash, write
from gridcal.extrapolation.learners.prediction import Predictor, is_lazy, predict_lazily
from gridcal.extrapolation.learners.regressors import make_regressor
from gridcal.extrapolation.learners.samples import Samples, gather, table_of
from gridcal.kernels.series.metrics import scores
from gridcal.process.parameters import ParameterTable
from gridcal.vocabulary.given import need_dataset

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
MINIMUM_SAMPLES = 8
_VARIES = 1e-9


class Extrapolator:
    """Parameters from features, in scikit-learn's manner, over xarray data sets.

    Parameters
    ----------
    method : str or object
        ``"xgboost"`` (as in Ma et al.), ``"random_forest"``, ``"ridge"``, ``"linear"``, ``"knn"``, ``"mean"`` (with
        ``by="igbp"`` the table by vegetation type), or an object with ``fit(x, y)`` and ``predict(x)``.
    features : sequence of str, optional
        Features to use, in this order; without it every variable that is constant in time and not in `exclude`, by name.
    exclude : sequence of str
        Names, with ``*`` for any text, never used unless `features` names them: position, and what is made from fluxes.
    categorical : sequence of str
        Features that are classes although they are numbers and nothing in their attributes says so.
    n_folds : int
        Folds behind `cv_`, `skill_` and the permutation importance; 0 for none.
    groups : str or array, optional
        Coordinate, variable or array over the samples; equal values share a fold.
    test_fraction : float, optional
        Instead of folds, keep this share of the samples (Ma et al.: 0.3) out of the training for good and score on it.
    permutations : int
        Shuffles a feature and fold for the importance.
    seed : int
        Seed of folds, shuffles and regressor.
    **options
        Settings of the named regressor.

    Attributes
    ----------
    table_ : ParameterTable
        Bounds, scales and units.
    parameters_ : tuple of str
        Parameters that vary over the training samples and are learnt.
    constants_ : dict of str to float
        The others: their one value, or the default of a parameter that `theta` does not hold.
    encoder_ : FeatureEncoder
        Features; ``encoder_.dropped_`` says which were left out, and why.
    cv_ : Dataset
        Predictions for samples the model had not seen, over the samples given; NaN where none. Coordinate ``fold``.
    skill_ : Dataset, dims (parameter,)
        r, r2 (squared correlation), rmse (the parameter's units) and nse of `cv_`.
    importance_ : Dataset, dims (parameter, feature)
        ``importance``, the permutation importance on unseen samples, and for trees ``gain`` or ``impurity``; each sums
        to 1 over the features.
    applicability_ : Applicability
        Distance of a pixel to the training samples.
    training_ : dict
        Counts of samples: given, used, without parameters, without features, without weight, kept for the test.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> features = xr.Dataset({"bio1": ("site", rng.uniform(0, 30, 60))})
    >>> theta = xr.Dataset({"Topt": 10 + 0.5 * features.bio1})
    >>> learner = Extrapolator("linear").fit(theta, features)
    >>> round(float(learner.skill_.nse[0]), 3)
    1.0
    """

    def __init__(
        self,
        method: Any = "xgboost",
        *,
        features: Sequence[str] | None = None,
        exclude: Sequence[str] = NEVER,
        categorical: Sequence[str] = (),
        n_folds: int = 5,
        groups: Any = None,
        test_fraction: float | None = None,
        permutations: int = 3,
        seed: int = 0,
        **options: Any,
    ) -> None:
        self.method = method
        self.features = features
        self.exclude = exclude
        self.categorical = categorical
        self.n_folds = n_folds
        self.groups = groups
        self.test_fraction = test_fraction
        self.permutations = permutations
        self.seed = seed
        self.options = options

    def __repr__(self) -> str:
        name = self.method if isinstance(self.method, str) else type(self.method).__name__
        if not hasattr(self, "model_"):
            return f"Extrapolator({name!r})"
        return (
            f"<Extrapolator {name!r}: {len(self.parameters_)} parameters from {len(self.encoder_.inputs_)} features, "
            f"{self.training_['used']} samples>"
        )

    def fit(
        self, theta: xr.Dataset, features: xr.Dataset, table: ParameterTable | None = None, weights: Any = None
    ) -> Extrapolator:
        """Learn from samples.

        Parameters
        ----------
        theta : Dataset
            Parameters of the samples, e.g. a screened posterior; samples with a missing one are left out, and counted. Units
            that are not the table's are converted.
        features : Dataset
            Features of the same samples, in the same order.
        table : ParameterTable, optional
            Bounds and scale: parameters are learnt in the unit cube (the logarithm where the scale is log10) and never
            predicted outside. Without it, the table of the posterior's model, or the range of the samples.
        weights : str, DataArray or array, optional
            Weights of the samples; one without a positive weight is left out.

        Raises
        ------
        InputError
            If samples and features do not belong together, a feature is absent, or too few samples are left.
        ConfigError
            If the method or an option is unknown.
        """
        need_dataset(theta, "theta")
        need_dataset(features, "features")
        self._new()
        if self.n_folds == 1 or self.n_folds < 0:
            raise ConfigError(
                f"n_folds = {self.n_folds} leaves nothing to train on", "Use 0 (no cross-validation) or at least 2"
            )
        table = table_of(theta) if table is None else table
        samples = gather(theta, features, table, weights, self.groups)
        given = samples.theta.shape[0]
        finite = np.isfinite(samples.theta).all(axis=1)
        weighted = np.ones(given, dtype=bool)
        if samples.weights is not None:
            weighted = np.isfinite(samples.weights) & (samples.weights > 0)
        good = finite & weighted
        self._enough(good, given)
        described = good & ~self._empty(samples, good)
        self._enough(described, given)
        self.table_ = table
        unit = table.select(samples.names).to_unit(samples.theta[described])
        varies = np.ptp(unit, axis=0) > _VARIES
        if not varies.any():
            raise InputError(
                f"no parameter varies over the {unit.shape[0]} training samples",
                "Pass calibrated parameters, one value a sample",
            )
        self.parameters_ = tuple(n for n, v in zip(samples.names, varies, strict=True) if v)
        first = samples.theta[described][0]
        fixed = {n: float(first[k]) for k, n in enumerate(samples.names) if not varies[k]}
        self.constants_ = {p.name: fixed.get(p.name, p.default) for p in table if p.name not in self.parameters_}
        n = int(described.sum())
        rows = np.flatnonzero(described)
        groups = None if samples.groups is None else samples.groups[rows]
        if self.test_fraction is not None:
            fold = held_out(n, self.test_fraction, self.seed, groups)
            final = fold < 0
        else:
            fold = assign_folds(n, self.n_folds, self.seed, groups) if self.n_folds else np.full(n, -1, dtype=np.int64)
            final = np.ones(n, dtype=bool)
        self.training_ = {
            "given": given,
            "used": int(final.sum()),
            "without_parameters": int((~finite).sum()),
            "without_weight": int((finite & ~weighted).sum()),
            "without_features": int((good & ~described).sum()),
            "kept_for_test": int((~final).sum()),
        }
        data = samples.features.isel(sample=rows)
        weight = None if samples.weights is None else samples.weights[rows]
        self._learn(data, unit[:, varies], weight, fold, final)
        self._validated(samples, rows, fold, samples.theta[described][:, varies])
        return self

    def predict(self, features: xr.Dataset, *, applicability: bool = True) -> xr.Dataset:
        """Predict the parameters over any grid or set of samples; lazy if the features are.

        Parameters
        ----------
        features : Dataset
            The features trained on, over (lat, lon), (pixel,) or (site,). Chunks are kept. Units that are not those of the
            training are converted, classes compared by their meaning.
        applicability : bool
            Add the layer ``dissimilarity``.

        Returns
        -------
        Dataset
            One float64 variable a parameter, within its bounds; NaN where no continuous feature is known.
            ``n_missing``: features without a value, taken as the training mean; ``n_unseen``: classes that no training
            sample has; ``dissimilarity``: distance to the nearest training sample in the space of the features weighted
            by importance, over the mean distance of training samples (Meyer & Pebesma 2021), whose attribute
            ``threshold`` bounds the area of applicability. The values do not depend on the chunks.

        Raises
        ------
        InputError
            If a feature is absent or varies in time, or its units or classes have nothing to do with those of the training.

        Warns
        -----
        MissingFeatureWarning, UnseenClassWarning
            If features in memory lack values, or have a class that no training sample has; of lazy ones
            :func:`gridcal.extrapolation.learners.lacking.warn_of_lacking` tells it.
        """
        self._fitted()
        need_dataset(features, "features")
        out = predict_lazily(self._predictor(applicability), features, self.fingerprint)
        if not is_lazy(features, self.encoder_.inputs_):
            warn_of_lacking(self.encoder_, features, out[self.table_.names[0]].notnull(), stacklevel=2)
        out.attrs["method"] = self.method if isinstance(self.method, str) else type(self.method).__name__
        out.attrs["n_training"] = self.training_["used"]
        return out

    @property
    def fingerprint(self) -> str:
        """sha256 of encoder, bounds, constants and the model's bytes, as they were when the learner was fitted."""
        self._fitted()
        if "_fingerprint" not in self.__dict__:
            self._fingerprint = state_hash(self._state(""))
        return self._fingerprint

    def save(self, folder: str | Path) -> Path:
        """Write the learner to a folder: ``learner.json``, ``arrays.npz`` and, for XGBoost, UBJ files; no pickle.

        Raises
        ------
        GridcalError
            If the regressor is an object of your own, whose state has no open format.
        """
        self._fitted()
        return write(self._state(self.fingerprint), Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> Extrapolator:
        """Read a learner that :meth:`save` wrote; its predictions are the same to the bit.

        Raises
        ------
        InputError
            If the folder holds none, or a file is damaged.
        """
        state = read(Path(folder))
        made = cls(state.method, **state.settings, **state.options)
        made.table_, made.parameters_, made.constants_ = state.table, state.parameters, state.constants
        made.encoder_, made.applicability_, made.model_ = state.encoder, state.applicability, state.model
        made.training_, made.skill_, made.importance_, made.cv_ = state.training, state.skill, state.importance, state.cv
        made._fingerprint = state.fingerprint
        return made

    def _state(self, fingerprint: str) -> LearnerState:
        settings = {
            "features": None if self.features is None else list(self.features),
            "exclude": list(self.exclude),
            "categorical": list(self.categorical),
            "n_folds": self.n_folds,
            "groups": self.groups if isinstance(self.groups, str) else None,
            "test_fraction": self.test_fraction,
            "permutations": self.permutations,
            "seed": self.seed,
        }
        return LearnerState(
            self.method, settings, self.options, self.table_, self.parameters_, self.constants_, self.encoder_,
            self.applicability_, self.model_, self.training_, self.skill_, self.importance_, self.cv_, fingerprint,
        )  # fmt: skip

    def _learn(self, data: xr.Dataset, unit: Array, weight: Array | None, fold: Any, final: Mask) -> None:
        """Cross-validate, then fit encoder, model and area of applicability on the training samples."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1):
            self.encoder_ = self._encoder().fit(data.isel(sample=final))
            inputs = self.encoder_.inputs_
            blocks = _blocks(self.encoder_)
            self._unseen = np.full_like(unit, np.nan)
            rise = np.zeros((unit.shape[1], len(inputs)))
            rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(4,)))
            for k in range(int(fold.max()) + 1):
                encoder, model = self._train(data, unit, weight, fold != k)
                rise += self._test(encoder, model, data, unit, fold == k, rng, inputs)
            _, self.model_ = self._train(data, unit, weight, final)
            x = _matrix(self.encoder_, data.isel(sample=final))
            if fold.max() < 0 and self.permutations:
                rise = permutation_rise(self.model_.predict, x, unit[final], blocks, rng, self.permutations)
            importance = shares(rise)
            attrs = {"units": "1", "long_name": "share of the permutation importance"}
            self.importance_ = xr.Dataset(
                {"importance": (("parameter", "feature"), importance, attrs)},
                coords={"parameter": list(self.parameters_), "feature": list(inputs)},
            )
            if hasattr(self.model_, "column_importance"):
                columns = self.model_.column_importance()
                columns = np.broadcast_to(columns, (len(self.parameters_), columns.shape[1]))
                name = self.model_.importance_name
                attrs = {"units": "1", "long_name": f"share of the trees' {name}"}
                self.importance_[name] = (("parameter", "feature"), shares(by_feature(columns, blocks)), attrs)
            self.applicability_ = Applicability().fit(
                x, blocks, importance.mean(axis=0), fold[final] if fold[final].max() > 0 else None
            )
        self.__dict__.pop("_fingerprint", None)

    def _train(self, data: xr.Dataset, unit: Array, weight: Array | None, rows: Mask) -> tuple[FeatureEncoder, Any]:
        encoder = self._encoder().fit(data.isel(sample=rows))
        x = _matrix(encoder, data.isel(sample=rows))
        w = None if weight is None else weight[rows] / weight[rows].mean()
        return encoder, self._new().fit(x, unit[rows], w, encoder.column_feature_)

    def _test(
        self,
        encoder: FeatureEncoder,
        model: Any,
        data: xr.Dataset,
        unit: Array,
        rows: Mask,
        rng: Any,
        inputs: tuple[str, ...],
    ) -> Array:
        """Predict unseen samples; rise of their error by feature, shape (parameter, feature of the final encoder)."""
        x = _matrix(encoder, data.isel(sample=rows))
        self._unseen[rows] = np.clip(model.predict(x), 0.0, 1.0)
        out = np.zeros((unit.shape[1], len(inputs)))
        if self.permutations:
            rise = permutation_rise(model.predict, x, unit[rows], _blocks(encoder), rng, self.permutations)
            for j, name in enumerate(encoder.inputs_):
                if name in inputs:
                    out[:, inputs.index(name)] = rise[:, j]
        return out

    def _validated(self, samples: Samples, rows: Any, fold: Any, truth: Array) -> None:
        """Set `cv_` and `skill_` from the predictions for unseen samples."""
        learnt = self.table_.select(self.parameters_)
        found = np.clip(learnt.from_unit(self._unseen), learnt.lower, learnt.upper)
        del self._unseen
        scored = fold >= 0
        dims, shape = samples.like.dims, samples.like.shape
        label = np.full(samples.theta.shape[0], -1, dtype=np.int64)
        label[rows] = fold
        self.cv_ = xr.Dataset(coords=samples.like.coords).assign_coords(fold=(dims, label.reshape(shape)))
        for p in self.table_:
            column = np.full(samples.theta.shape[0], np.nan)
            if p.name in self.parameters_:
                column[rows] = found[:, self.parameters_.index(p.name)]
            else:
                column[rows[scored]] = self.constants_[p.name]
            self.cv_[p.name] = (dims, column.reshape(shape), {"units": p.units, "long_name": p.description})
        result = scores(found[scored], truth[scored])
        data = {k: (("parameter",), result[k]) for k in ("r", "r2", "rmse", "nse")}
        attrs = {"long_name": "skill at samples the model had not seen", "n": int(scored.sum())}
        self.skill_ = xr.Dataset(data, coords={"parameter": list(self.parameters_)}, attrs=attrs)

    def _empty(self, samples: Samples, good: Mask) -> Mask:
        encoder = self._encoder().fit(samples.features.isel(sample=good))
        columns = [samples.features[n].values for n in encoder.inputs_]
        return encoder.encode(columns, encoder.readings(samples.features))[3]

    def _enough(self, good: Mask, given: int) -> None:
        need = max(MINIMUM_SAMPLES, 2 * self.n_folds if self.test_fraction is None else 0)
        if int(good.sum()) < need:
            raise InputError(
                f"{int(good.sum())} of {given} samples have all parameters and a feature, too few to learn from",
                f"At least {need} are needed: calibrate more samples, loosen the quality screen, or use fewer folds",
            )

    def _encoder(self) -> FeatureEncoder:
        return FeatureEncoder(features=self.features, exclude=self.exclude, categorical=self.categorical)

    def _new(self) -> Any:
        return make_regressor(self.method, self.seed, self.options)

    def _predictor(self, applicability: bool) -> Predictor:
        return Predictor(
            self.encoder_, self.model_, self.table_, self.parameters_, self.constants_,
            self.applicability_ if applicability else None,
        )  # fmt: skip

    def _fitted(self) -> None:
        if not hasattr(self, "model_"):
            raise InputError("the learner has not been fitted", "Call fit(theta, features) first, or Extrapolator.load")


def _blocks(encoder: FeatureEncoder) -> list[list[int]]:
    """Columns of each feature, in the order of ``encoder.inputs_``."""
    return [[j for j, f in enumerate(encoder.column_feature_) if f == name] for name in encoder.inputs_]


def _matrix(encoder: FeatureEncoder, data: xr.Dataset) -> Array:
    encoder.check(data)
    return encoder.encode([data[n].values for n in encoder.inputs_], encoder.readings(data))[0]
