"""mNN: a network of SPIE's architecture and training that learns the calibrated parameters instead of the model's error."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from gridcal.extrapolation.methods.interface import Places, Prediction, Training, nothing
from gridcal.extrapolation.spie.learner import train_members

Array = npt.NDArray[np.float64]


class NetworkRegression:
    """The mean squared error of the calibrated parameters is the cost; everything else is as in SPIE."""

    name = "mNN"
    title = "a network trained on calibrated parameters"

    def fit(self, training: Training) -> NetworkRegression:
        """Train it."""
        target = training.unit

        def loss(unit: Array, rows: npt.NDArray[np.int64]) -> tuple[Array, Array]:
            error = unit - target[rows]
            return (error * error).mean(axis=1), 2.0 * error / error.shape[1]

        rows = np.arange(training.places.n)
        network = dataclasses.replace(training.network, tether=0.0)
        self.model_, self.records_ = train_members(
            training.places.x, loss, rows, training.d, network, 1, training.stream(self.name)
        )
        return self

    def predict(self, places: Places) -> Prediction:
        """Outputs of the network."""
        return Prediction(self.model_.predict(places.x), nothing(places.n))
