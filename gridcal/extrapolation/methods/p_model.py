"""P-model: GPP from optimality principles with globally fixed parameters, nothing calibrated (Mengoli et al. 2022)."""

from __future__ import annotations

import numpy as np

from gridcal.errors import ConfigError
from gridcal.extrapolation.methods.interface import Places, Prediction, Training, nothing
from gridcal.kernels.pmodel import barometric_pressure, pmodel_gpp

PHOTONS = 4.57e6 / 86400.0  # MJ m-2 d-1 of PAR to umol m-2 s-1
WINDOW = 15  # days
DRIVERS = ("tas", "vpd", "par", "fapar", "co2")


class PModel:
    """GPP from temperature, vapour pressure deficit, CO2, absorbed light and elevation."""

    name = "P-model"
    title = "optimality, nothing calibrated"

    def fit(self, training: Training) -> PModel:
        """Nothing is learnt; the model's forcing must hold the drivers."""
        forcing = getattr(getattr(training.objective, "model", None), "forcing", ())
        lacking = [n for n in DRIVERS if n not in forcing]
        if lacking:
            raise ConfigError(f"the P-model needs {lacking[0]!r}, which the study's model does not read", "Leave it out")
        self.place_ = [forcing.index(n) for n in DRIVERS]
        return self

    def predict(self, places: Places) -> Prediction:
        """Daily GPP of each site."""
        gpp = []
        for s in range(places.n):
            tas, vpd, par, fapar, co2 = (places.drivers.forcing[s][k][:, None] for k in self.place_)
            pressure = barometric_pressure(np.array([np.nan_to_num(places.elevation[s])]))
            gpp.append(pmodel_gpp(tas, vpd, co2, PHOTONS * par * fapar, pressure, WINDOW)[:, 0])
        return Prediction(None, nothing(places.n), gpp)
