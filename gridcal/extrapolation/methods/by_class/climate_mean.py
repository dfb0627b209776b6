"""Climmean: the mean of the calibrated parameters over the training sites of the same main climate class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gridcal.extrapolation.methods.by_class.statistic import ClassStatistic
from gridcal.extrapolation.methods.interface import Places


class ClimateMean(ClassStatistic):
    """Mean by main climate class."""

    name = "Climmean"
    title = "mean of calibrated parameters by main climate class"
    statistic = staticmethod(np.mean)

    @staticmethod
    def classes(places: Places) -> Sequence[str]:
        """Main climate class."""
        return places.climate
