"""OPT-PFT: one parameter set a vegetation type, with the lowest mean cost over its training sites."""

from __future__ import annotations

import numpy as np

from gridcal.extrapolation.methods.interface import Places, Prediction, Training
from gridcal.extrapolation.spie.optimum import optimum


class OptimumPFT:
    """Parameters by vegetation type; those of OPT-All where no training site has the type."""

    name = "OPT-PFT"
    title = "one parameter set calibrated on the training sites of each vegetation type"

    def fit(self, training: Training) -> OptimumPFT:
        """Search one for each type."""
        labels = np.array(training.places.pft)
        self.overall_ = training.best_for_all()
        self.table_ = {}
        for label in np.unique(labels):
            stream = training.stream(self.name, *str(label).encode())
            rows = np.flatnonzero(labels == label)
            self.table_[str(label)] = optimum(training.objective, rows, training.search, stream).unit
        return self

    def predict(self, places: Places) -> Prediction:
        """Value of each site's type."""
        unit = np.array([self.table_.get(c, self.overall_) for c in places.pft]).reshape(places.n, self.overall_.size)
        return Prediction(unit, np.array([c not in self.table_ for c in places.pft], dtype=bool))
