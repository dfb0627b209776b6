"""Gradient-boosted trees (XGBoost; Chen & Guestrin 2016), stored as Universal Binary JSON."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from gridcal.errors import InputError

Array = npt.NDArray[np.float64]


@dataclasses.dataclass
class XGBoost:
    """Gradient-boosted regression trees, one model an output, set for hundreds to thousands of samples.

    Parameters
    ----------
    n_estimators : int
        Trees an output; the most there can be with early stopping.
    learning_rate, max_depth, min_child_weight, subsample, colsample_bytree, reg_lambda, reg_alpha, gamma
        As in ``xgboost.train``.
    early_stopping_rounds : int, optional
        Stop when an inner validation share has not improved for so many trees.
    validation_fraction : float
        Share of the training samples kept for that.
    multi_output : bool
        One model with vector leaves for all outputs (faster by far on large maps, at slightly lower skill).
    seed : int
        Seed of row and column sampling and of the inner split.

    Notes
    -----
    One thread: the same data give the same bytes, and parallelism belongs to Dask. XGBoost predicts numbers for rows
    without any value, so the caller masks them.
    """

    n_estimators: int = 300
    learning_rate: float = 0.05
    max_depth: int = 4
    min_child_weight: float = 3.0
    subsample: float = 0.8
    colsample_bytree: float = 0.8
    reg_lambda: float = 1.0
    reg_alpha: float = 0.0
    gamma: float = 0.0
    early_stopping_rounds: int | None = None
    validation_fraction: float = 0.2
    multi_output: bool = False
    seed: int = 0
    name: ClassVar[str] = "xgboost"
    importance_name: ClassVar[str] = "gain"

    def fit(self, x: Array, y: Array, weights: Array | None = None, features: tuple[str, ...] = ()) -> XGBoost:
        """Boost on x (n, column) and y (n, output)."""
        import xgboost

        settings = {
            "objective": "reg:squarederror", "tree_method": "hist", "nthread": 1, "seed": self.seed, "verbosity": 0,
            "learning_rate": self.learning_rate, "max_depth": self.max_depth, "min_child_weight": self.min_child_weight,
            "subsample": self.subsample, "colsample_bytree": self.colsample_bytree, "reg_lambda": self.reg_lambda,
            "reg_alpha": self.reg_alpha, "gamma": self.gamma,
        }  # fmt: skip
        if self.multi_output:
            settings["multi_strategy"] = "multi_output_tree"
        self.n_columns_ = x.shape[1]
        inner = np.zeros(x.shape[0], dtype=bool)
        if self.early_stopping_rounds is not None:
            rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(7,)))
            count = max(1, round(self.validation_fraction * x.shape[0]))
            inner[rng.permutation(x.shape[0])[:count]] = True
        self.boosters_: list[Any] = []
        for target in [y] if self.multi_output else [y[:, [k]] for k in range(y.shape[1])]:
            train = self._matrix(xgboost, x, target, weights, ~inner)
            if self.early_stopping_rounds is None:
                self.boosters_.append(xgboost.train(settings, train, num_boost_round=self.n_estimators))
                continue
            booster = xgboost.train(
                settings, train, num_boost_round=self.n_estimators, verbose_eval=False,
                evals=[(self._matrix(xgboost, x, target, weights, inner), "inner")],
                early_stopping_rounds=self.early_stopping_rounds,
            )  # fmt: skip
            self.boosters_.append(booster[: booster.best_iteration + 1])
        for booster in self.boosters_:
            booster.set_param({"nthread": 1})
        return self

    def predict(self, x: Array) -> Array:
        """Predictions, shape (n, output)."""
        rows = np.ascontiguousarray(x, dtype=np.float32)
        parts = [np.asarray(b.inplace_predict(rows, missing=np.nan)) for b in self.boosters_]
        return np.concatenate([p.reshape(rows.shape[0], -1) for p in parts], axis=1).astype(np.float64)

    def column_importance(self) -> Array:
        """Total gain of each column, shape (output, column); of all outputs together for vector leaves."""
        out = np.zeros((len(self.boosters_), self.n_columns_))
        for k, booster in enumerate(self.boosters_):
            for column, value in booster.get_score(importance_type="total_gain").items():
                out[k, int(column[1:])] = float(np.sum(value))
        return out

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give the number of columns, as an array."""
        return {"n_columns": np.array(self.n_columns_)}

    def blobs(self) -> dict[str, bytes]:
        """Give the models as UBJ, by file name."""
        return {f"model-{k:03d}.ubj": bytes(b.save_raw(raw_format="ubj")) for k, b in enumerate(self.boosters_)}

    def restore(self, arrays: dict[str, npt.NDArray[Any]], blobs: dict[str, bytes]) -> XGBoost:
        """Take over the models that :meth:`blobs` gave."""
        import xgboost

        self.n_columns_ = int(arrays["n_columns"])
        self.boosters_ = []
        for name in sorted(blobs):
            booster = xgboost.Booster({"nthread": 1})
            try:
                booster.load_model(bytearray(blobs[name]))
            except xgboost.core.XGBoostError as error:
                raise InputError(f"{name!r} is no XGBoost model", "Fit and save the learner again") from error
            self.boosters_.append(booster)
        return self

    @staticmethod
    def _matrix(xgboost: Any, x: Array, y: Array, weights: Array | None, rows: npt.NDArray[np.bool_]) -> Any:
        label = y[rows] if y.shape[1] > 1 else y[rows, 0]
        weight = None if weights is None else weights[rows]
        return xgboost.DMatrix(x[rows].astype(np.float32), label=label, weight=weight, nthread=1)
