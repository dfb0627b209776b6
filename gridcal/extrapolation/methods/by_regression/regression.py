"""Regression of calibrated parameters on features with any of the package's regressors; the rule behind four methods."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from gridcal.extrapolation.learners.regressors import make_regressor
from gridcal.extrapolation.methods.interface import Places, Prediction, Training, nothing


class Regression:
    """Learn the calibrated parameters, in the unit cube, from the encoded features."""

    name: ClassVar[str]
    title: ClassVar[str]
    regressor: ClassVar[str]
    options: ClassVar[dict[str, Any]] = {}

    def fit(self, training: Training) -> Regression:
        """Fit the regressor."""
        from threadpoolctl import threadpool_limits

        seed = int(training.stream(self.name).generate_state(1, np.uint32)[0]) >> 1
        with threadpool_limits(limits=1):
            self.model_ = make_regressor(self.regressor, seed, dict(self.options)).fit(training.places.x, training.unit)
        return self

    def predict(self, places: Places) -> Prediction:
        """Predictions, kept in the unit cube."""
        return Prediction(np.clip(self.model_.predict(places.x), 0.0, 1.0), nothing(places.n))
