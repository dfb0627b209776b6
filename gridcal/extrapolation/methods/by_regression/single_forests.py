"""sRF: one random forest of 100 trees a parameter."""

from __future__ import annotations

from typing import Any, ClassVar

from gridcal.extrapolation.methods.by_regression.regression import Regression


class SingleForests(Regression):
    """One random forest of 100 trees a parameter."""

    name = "sRF"
    title = "one random forest of 100 trees a parameter"
    regressor = "random_forest"
    options: ClassVar[dict[str, Any]] = {"n_estimators": 100}
