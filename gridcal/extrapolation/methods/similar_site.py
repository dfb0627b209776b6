"""Sitesim: the calibrated parameters of the training site of the same vegetation type with the most similar climate."""

from __future__ import annotations

import numpy as np

from gridcal.errors import InputError
from gridcal.extrapolation.methods.interface import Places, Prediction, Training


class SimilarSite:
    """Similarity is the Nash-Sutcliffe efficiency between the two sites' seasonal cycles (Bao et al. 2023, eq. 10)."""

    name = "Sitesim"
    title = "calibrated parameters of the most similar site of the same vegetation type"

    def fit(self, training: Training) -> SimilarSite:
        """Keep cycles, types and parameters."""
        if training.places.cycles.shape[1] == 0:
            raise InputError("Sitesim needs seasonal cycles of drivers, and the study has none", "Leave the method out")
        self.cycles_, self.unit_ = training.places.cycles, training.unit
        self.pft_ = np.array(training.places.pft)
        return self

    def predict(self, places: Places) -> Prediction:
        """Parameters of the most similar site; among all sites where no training site has the type."""
        unit, flagged = np.empty((places.n, self.unit_.shape[1])), np.zeros(places.n, dtype=bool)
        for i in range(places.n):
            mine = places.cycles[i]
            candidates = np.flatnonzero(self.pft_ == places.pft[i])
            if not candidates.size:
                candidates, flagged[i] = np.arange(self.pft_.size), True
            error = ((mine - self.cycles_[candidates]) ** 2).sum(axis=1)
            similarity = 1.0 - error / max(((mine - mine.mean()) ** 2).sum(), 1e-300)
            unit[i] = self.unit_[candidates[int(np.argmax(similarity))]]
        return Prediction(unit, flagged)
