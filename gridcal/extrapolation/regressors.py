"""Regressors behind the extrapolator: XGBoost first, a few others for comparison, or your own."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gridcal.errors import ConfigError

Array = npt.NDArray[np.float64]

XGBOOST_DEFAULTS: dict[str, Any] = {
    "n_estimators": 300,
    "learning_rate": 0.05,
    "max_depth": 3,
    "min_child_weight": 3,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "reg_lambda": 1.0,
}


class XGBoost:
    """Gradient-boosted trees, one model an output.

    Parameters
    ----------
    seed : int
        Seed of row and column sampling.
    **options
        Of ``xgboost.train``: n_estimators, learning_rate, max_depth, ...
    """

    def __init__(self, seed: int = 0, **options: Any) -> None:
        self.seed = seed
        self.options = options

    def fit(self, x: Array, y: Array) -> XGBoost:
        """Fit to x (n, column) and y (n, output)."""
        import xgboost

        settings = {**XGBOOST_DEFAULTS, **self.options}
        rounds = int(settings.pop("n_estimators"))
        settings |= {"nthread": 1, "seed": self.seed, "tree_method": "hist", "objective": "reg:squarederror", "verbosity": 0}
        self.boosters_ = []
        for k in range(y.shape[1]):
            start = settings | {"base_score": float(np.mean(y[:, k]))}
            self.boosters_.append(xgboost.train(start, xgboost.DMatrix(x, label=y[:, k]), num_boost_round=rounds))
        return self

    def predict(self, x: Array) -> Array:
        """Predictions, shape (n, output)."""
        import xgboost

        matrix = xgboost.DMatrix(x, nthread=1)
        return np.stack([b.predict(matrix) for b in self.boosters_], axis=1).astype(np.float64)

    def gain(self, columns: int) -> Array:
        """Share of the total gain by column, shape (output, column)."""
        out = np.zeros((len(self.boosters_), columns))
        for k, booster in enumerate(self.boosters_):
            for name, value in booster.get_score(importance_type="total_gain").items():
                out[k, int(name[1:])] = float(np.sum(value))
        total = out.sum(axis=1, keepdims=True)
        return out / np.where(total > 0, total, 1.0)

    def dump(self) -> dict[str, bytes]:
        """Models as UBJ bytes by file name."""
        return {f"model-{k:02d}.ubj": bytes(b.save_raw("ubj")) for k, b in enumerate(self.boosters_)}

    @classmethod
    def restore(cls, files: dict[str, bytes], options: dict[str, Any]) -> XGBoost:
        """The regressor that :meth:`dump` wrote."""
        import xgboost

        made = cls(**options)
        made.boosters_ = []
        for name in sorted(files):
            booster = xgboost.Booster()
            booster.load_model(bytearray(files[name]))
            booster.set_param({"nthread": 1})
            made.boosters_.append(booster)
        return made


class Ridge:
    """Linear regression with a quadratic penalty.

    Parameters
    ----------
    alpha : float
        Weight of the penalty.
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def fit(self, x: Array, y: Array) -> Ridge:
        """Fit to x (n, column) and y (n, output)."""
        mean = x.mean(axis=0)
        centred = x - mean
        gram = centred.T @ centred + self.alpha * np.eye(x.shape[1])
        self.coef_ = np.linalg.solve(gram, centred.T @ (y - y.mean(axis=0)))
        self.intercept_ = y.mean(axis=0) - mean @ self.coef_
        return self

    def predict(self, x: Array) -> Array:
        """Predictions, shape (n, output)."""
        # one row after the other: the result of a pixel does not depend on how many stand beside it
        return np.einsum("ij,jk->ik", x, self.coef_) + self.intercept_

    def dump(self) -> dict[str, bytes]:
        """Coefficients as raw float64 by file name."""
        return {"model.f64": np.vstack([self.intercept_, self.coef_]).astype("<f8").tobytes()}

    @classmethod
    def restore(cls, files: dict[str, bytes], options: dict[str, Any]) -> Ridge:
        """The regressor that :meth:`dump` wrote."""
        made = cls(options["alpha"])
        table = np.frombuffer(files["model.f64"], dtype="<f8").reshape(-1, options["outputs"])
        made.intercept_, made.coef_ = table[0].copy(), table[1:].copy()
        return made


class Mean:
    """The training mean everywhere: what a learner has to beat."""

    def fit(self, x: Array, y: Array) -> Mean:
        """Fit to y (n, output)."""
        self.mean_ = y.mean(axis=0)
        return self

    def predict(self, x: Array) -> Array:
        """Predictions, shape (n, output)."""
        return np.broadcast_to(self.mean_, (x.shape[0], self.mean_.size)).copy()

    def dump(self) -> dict[str, bytes]:
        """Mean as raw float64."""
        return {"model.f64": self.mean_.astype("<f8").tobytes()}

    @classmethod
    def restore(cls, files: dict[str, bytes], options: dict[str, Any]) -> Mean:
        """The regressor that :meth:`dump` wrote."""
        made = cls()
        made.mean_ = np.frombuffer(files["model.f64"], dtype="<f8").copy()
        return made


REGRESSORS: dict[str, type] = {"xgboost": XGBoost, "ridge": Ridge, "mean": Mean}


def make_regressor(method: Any, seed: int, options: dict[str, Any]) -> Any:
    """A fresh regressor: by name, or a copy of the scikit-learn-like object passed.

    Raises
    ------
    ConfigError
        If the name is unknown or an option is not its.
    """
    if not isinstance(method, str):
        from sklearn.base import clone

        return clone(method)
    if method not in REGRESSORS:
        raise ConfigError(f"unknown regressor {method!r}", f"Known: {', '.join(REGRESSORS)}; or pass an object with fit and predict")
    if method == "xgboost":
        known = {*XGBOOST_DEFAULTS, "gamma", "reg_alpha", "max_bin", "colsample_bylevel", "monotone_constraints"}
        stray = [o for o in options if o not in known]
        if stray:
            raise ConfigError(f"unknown option {stray[0]!r} of xgboost", f"Known: {', '.join(sorted(known))}")
        return XGBoost(seed=seed, **options)
    try:
        return REGRESSORS[method](**options)
    except TypeError as error:
        raise ConfigError(f"options of {method!r}: {error}", "Remove or rename the option") from error
