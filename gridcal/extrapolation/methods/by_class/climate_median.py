"""Climmed: the median of the calibrated parameters over the training sites of the same main climate class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gridcal.extrapolation.methods.by_class.statistic import ClassStatistic
from gridcal.extrapolation.methods.interface import Places


class ClimateMedian(ClassStatistic):
    """Median by main climate class."""

    name = "Climmed"
    title = "median of calibrated parameters by main climate class"
    statistic = staticmethod(np.median)

    @staticmethod
    def classes(places: Places) -> Sequence[str]:
        """Main climate class."""
        return places.climate
