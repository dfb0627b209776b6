"""Ways to get parameters where there are no observations: the twelve of Bao et al. (2023), boosted trees, neighbours."""

from __future__ import annotations

from collections.abc import Sequence

from gridcal.errors import ConfigError
from gridcal.extrapolation.methods.by_class.climate_mean import ClimateMean
from gridcal.extrapolation.methods.by_class.climate_median import ClimateMedian
from gridcal.extrapolation.methods.by_class.pft_mean import PFTMean
from gridcal.extrapolation.methods.by_class.pft_median import PFTMedian
from gridcal.extrapolation.methods.by_regression.boosted_trees import BoostedTrees
from gridcal.extrapolation.methods.by_regression.joint_forest import JointForest
from gridcal.extrapolation.methods.by_regression.nearest_sites import NearestSites
from gridcal.extrapolation.methods.by_regression.network_regression import NetworkRegression
from gridcal.extrapolation.methods.by_regression.single_forests import SingleForests
from gridcal.extrapolation.methods.interface import Method, Places, Prediction, Training
from gridcal.extrapolation.methods.network_through_model import NetworkThroughModel
from gridcal.extrapolation.methods.optimum_all import OptimumAll
from gridcal.extrapolation.methods.optimum_pft import OptimumPFT
from gridcal.extrapolation.methods.p_model import PModel
from gridcal.extrapolation.methods.similar_site import SimilarSite

__all__ = ["METHODS", "Method", "Places", "Prediction", "Training", "make_methods"]

METHODS: dict[str, type] = {
    kind.name: kind
    for kind in (
        PFTMean, PFTMedian, ClimateMean, ClimateMedian, SimilarSite, OptimumAll, OptimumPFT, SingleForests, JointForest,
        NetworkRegression, NetworkThroughModel, PModel, BoostedTrees, NearestSites,
    )
}  # fmt: skip
"""Methods by name, in the paper's order; a new one is one file and one entry."""


def make_methods(names: Sequence[str] | None = None, *, p_model: str = "none") -> list[Method]:
    """Fresh methods.

    Parameters
    ----------
    names : sequence of str, optional
        Some of :data:`METHODS`; all without it.
    p_model : {"none", "stocker", "mengoli"}
        Soil-moisture stress of the P-model.

    Raises
    ------
    ConfigError
        If a name is unknown.
    """
    for name in names or ():
        if name not in METHODS:
            raise ConfigError(f"unknown method {name!r}", f"Use some of: {', '.join(METHODS)}")
    wanted = names if names is not None else METHODS
    return [PModel(p_model) if name == PModel.name else METHODS[name]() for name in wanted]
