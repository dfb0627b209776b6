"""SPIE: a network trained through the process model; see :mod:`gridcal.extrapolation.spie.learner`."""

from __future__ import annotations

import numpy as np

from gridcal.extrapolation.methods.interface import Places, Prediction, Training, nothing
from gridcal.extrapolation.spie.learner import train_members


class NetworkThroughModel:
    """The error of the model with the predicted parameters is the cost; no calibrated parameter is used."""

    name = "SPIE"
    title = "a network trained through the process model"

    def fit(self, training: Training) -> NetworkThroughModel:
        """Train the ensemble."""
        objective = training.objective.with_constraint(training.constraint)
        begin = training.best_for_all() if training.start == "optimum" else None
        self.model_, self.records_ = train_members(
            training.places.x, objective.cost_gradient, np.arange(training.places.n), training.d, training.network,
            training.members, training.stream(self.name), begin,
        )  # fmt: skip
        return self

    def predict(self, places: Places) -> Prediction:
        """Mean of the networks in the unit cube."""
        return Prediction(self.model_.predict(places.x), nothing(places.n))
