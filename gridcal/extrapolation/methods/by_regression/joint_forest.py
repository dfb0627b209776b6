"""mRF: one random forest of 100 trees for all parameters together."""

from __future__ import annotations

from typing import Any, ClassVar

from gridcal.extrapolation.methods.by_regression.regression import Regression


class JointForest(Regression):
    """One random forest of 100 trees for all parameters together."""

    name = "mRF"
    title = "one random forest of 100 trees for all parameters together"
    regressor = "random_forest"
    options: ClassVar[dict[str, Any]] = {"n_estimators": 100, "multi_output": True}
