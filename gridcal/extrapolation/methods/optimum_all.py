"""OPT-All: one parameter set with the lowest mean cost over all training sites."""

from __future__ import annotations

import numpy as np

from gridcal.extrapolation.methods.interface import Places, Prediction, Training, nothing


class OptimumAll:
    """The same parameters everywhere, calibrated on all training sites at once with equal weights."""

    name = "OPT-All"
    title = "one parameter set calibrated on all training sites"

    def fit(self, training: Training) -> OptimumAll:
        """Search it."""
        self.unit_ = training.best_for_all()
        return self

    def predict(self, places: Places) -> Prediction:
        """The same for every site."""
        return Prediction(np.tile(self.unit_, (places.n, 1)), nothing(places.n))
