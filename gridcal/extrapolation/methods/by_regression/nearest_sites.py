"""kNN: mean of the five nearest training sites in feature space."""

from __future__ import annotations

from typing import Any, ClassVar

from gridcal.extrapolation.methods.by_regression.regression import Regression


class NearestSites(Regression):
    """Mean of the five nearest training sites in feature space."""

    name = "kNN"
    title = "mean of the five nearest training sites in feature space"
    regressor = "knn"
    options: ClassVar[dict[str, Any]] = {"n_neighbors": 5}
