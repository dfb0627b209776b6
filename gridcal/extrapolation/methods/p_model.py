"""P-model: GPP from optimality principles with globally fixed parameters, nothing calibrated (Mengoli et al. 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from gridcal.errors import ConfigError
from gridcal.extrapolation.methods.interface import Places, Prediction, Training, nothing
from gridcal.models.pmodel import barometric_pressure, pmodel_gpp, soil_moisture_stress

PHOTONS = 4.57e6 / 86400.0  # MJ m-2 d-1 of PAR to umol m-2 s-1
WINDOW = 15  # days
DRIVERS = ("tas", "vpd", "par", "fapar", "co2")
MOISTURE = "wai"


class PModel:
    """GPP from temperature, vapour pressure deficit, CO2, absorbed light and elevation.

    Parameters
    ----------
    stress : {"none", "stocker", "mengoli"}
        Factor of soil moisture; see :func:`gridcal.models.pmodel.soil_moisture_stress`. The base method has none.
    """

    name: ClassVar[str] = "P-model"
    title: ClassVar[str] = "optimality, nothing calibrated"

    def __init__(self, stress: str = "none") -> None:
        self.stress = stress

    def fit(self, training: Training) -> PModel:
        """Nothing is learnt; the model's forcing must hold the drivers."""
        forcing = getattr(getattr(training.objective, "model", None), "forcing", ())
        return self.with_drivers(forcing)

    def with_drivers(self, forcing: Sequence[str]) -> PModel:
        """Find the drivers among the names of a model's forcing."""
        wanted = DRIVERS if self.stress == "none" else (*DRIVERS, MOISTURE)
        lacking = [n for n in wanted if n not in forcing]
        if lacking:
            raise ConfigError(f"the P-model needs {lacking[0]!r}, which the study's model does not read", "Leave it out")
        self.place_ = [forcing.index(n) for n in wanted]
        return self

    def predict(self, places: Places) -> Prediction:
        """Daily GPP of each site."""
        gpp = []
        for s in range(places.n):
            tas, vpd, par, fapar, co2, *water = (places.drivers.forcing[s][k][:, None] for k in self.place_)
            pressure = barometric_pressure(np.array([np.nan_to_num(places.elevation[s])]))
            made = pmodel_gpp(tas, vpd, co2, PHOTONS * par * fapar, pressure, WINDOW)[:, 0]
            if water:
                aridity = np.nan if places.aridity is None else places.aridity[s]
                made = made * soil_moisture_stress(water[0][:, 0], self.stress, aridity)
            gpp.append(made)
        return Prediction(None, nothing(places.n), gpp)
