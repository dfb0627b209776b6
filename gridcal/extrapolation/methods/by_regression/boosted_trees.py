"""XGB: gradient-boosted trees, shallow for few sites."""

from __future__ import annotations

from typing import Any, ClassVar

from gridcal.extrapolation.methods.by_regression.regression import Regression


class BoostedTrees(Regression):
    """Gradient-boosted trees, shallow for few sites."""

    name = "XGB"
    title = "gradient-boosted trees, shallow for few sites"
    regressor = "xgboost"
    options: ClassVar[dict[str, Any]] = {
        "n_estimators": 100,
        "max_depth": 2,
        "min_child_weight": 8,
        "reg_lambda": 10,
        "colsample_bytree": 0.4,
    }
