"""PFTmed: the median of the calibrated parameters over the training sites of the same vegetation type."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gridcal.extrapolation.methods.by_class.statistic import ClassStatistic
from gridcal.extrapolation.methods.interface import Places


class PFTMedian(ClassStatistic):
    """Median by vegetation type."""

    name = "PFTmed"
    title = "median of calibrated parameters by vegetation type"
    statistic = staticmethod(np.median)

    @staticmethod
    def classes(places: Places) -> Sequence[str]:
        """Vegetation type."""
        return places.pft
