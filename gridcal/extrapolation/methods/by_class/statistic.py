"""A statistic of calibrated parameters over the training sites of a class; the rule behind four of the methods."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from gridcal.extrapolation.methods.interface import Places, Prediction, Training

Array = npt.NDArray[np.float64]


class ClassStatistic(abc.ABC):
    """Parameter by parameter, `statistic` over the training sites of the target's class; over all sites if it has none."""

    name: ClassVar[str]
    title: ClassVar[str]
    statistic: ClassVar[Callable[..., Any]]

    @staticmethod
    @abc.abstractmethod
    def classes(places: Places) -> Sequence[str]:
        """Class of each site."""

    def fit(self, training: Training) -> ClassStatistic:
        """Take the statistic of each class."""
        labels = np.array(self.classes(training.places))
        take = type(self).statistic
        self.overall_: Array = np.asarray(take(training.unit, axis=0))
        self.table_ = {str(c): np.asarray(take(training.unit[labels == c], axis=0)) for c in np.unique(labels)}
        return self

    def predict(self, places: Places) -> Prediction:
        """Value of each site's class."""
        labels = self.classes(places)
        unit = np.array([self.table_.get(c, self.overall_) for c in labels]).reshape(len(labels), self.overall_.size)
        return Prediction(unit, np.array([c not in self.table_ for c in labels], dtype=bool))
