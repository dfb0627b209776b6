"""PFTmean: the mean of the calibrated parameters over the training sites of the same vegetation type."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gridcal.extrapolation.methods.by_class.statistic import ClassStatistic
from gridcal.extrapolation.methods.interface import Places


class PFTMean(ClassStatistic):
    """Mean by vegetation type."""

    name = "PFTmean"
    title = "mean of calibrated parameters by vegetation type"
    statistic = staticmethod(np.mean)

    @staticmethod
    def classes(places: Places) -> Sequence[str]:
        """Vegetation type."""
        return places.pft
