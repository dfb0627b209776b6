"""What a method of extrapolating parameters is given, and what it gives back."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from gridcal.extrapolation.spie.network import NetworkSettings
from gridcal.extrapolation.spie.objective import Objective
from gridcal.extrapolation.spie.optimum import SearchSettings, optimum
from gridcal.extrapolation.spie.site_series import SiteSeries

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Places:
    """What is known of n sites without any observation of the flux.

    Parameters
    ----------
    labels : tuple of str
        Sites.
    x : array, shape (n, column)
        Features, encoded with what the training sites of the fold taught.
    pft, climate : tuple of str
        Vegetation type and main climate class.
    cycles : array, shape (n, k)
        Mean seasonal cycles of several drivers, one behind the other, each scaled over the training sites; without columns
        where the study has none.
    drivers : SiteSeries
        Forcing; its observations are empty.
    elevation : array, shape (n,)
        m.
    aridity : array, shape (n,), optional
        Potential evapotranspiration over precipitation.
    """

    labels: tuple[str, ...]
    x: Array
    pft: tuple[str, ...]
    climate: tuple[str, ...]
    cycles: Array
    drivers: SiteSeries
    elevation: Array
    aridity: Array | None = None

    @property
    def n(self) -> int:
        """Number of sites."""
        return len(self.labels)


@dataclasses.dataclass
class Training:
    """What a method learns from: the training sites of one fold and nothing else.

    Parameters
    ----------
    places : Places
        The training sites.
    unit : array, shape (n, d)
        Parameters calibrated at each, in the unit cube.
    objective : Objective
        Cost of parameters at the training sites, in the order of `places`.
    seed : SeedSequence
        Root of the method's random streams.
    network : NetworkSettings
        Of the methods with a network.
    members : int
        Networks of SPIE.
    constraint : float
        Weight of the constraint in SPIE's cost.
    search : SearchSettings
        Of the methods that optimise one parameter set for many sites.
    start : {"optimum", "middle"}
        Where SPIE's output biases start.
    shared : dict
        Results that several methods need, kept between them.
    """

    places: Places
    unit: Array
    objective: Objective
    seed: np.random.SeedSequence
    network: NetworkSettings = dataclasses.field(default_factory=NetworkSettings)
    members: int = 1
    constraint: float = 0.1
    search: SearchSettings = dataclasses.field(default_factory=SearchSettings)
    start: str = "optimum"
    shared: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def d(self) -> int:
        """Number of parameters."""
        return self.unit.shape[1]

    def stream(self, name: str, *more: int) -> np.random.SeedSequence:
        """Random stream of a method; the same whichever other methods run."""
        return np.random.SeedSequence(self.seed.entropy, spawn_key=(*self.seed.spawn_key, *name.encode(), *more))

    def best_for_all(self) -> Array:
        """The one parameter set of lowest mean cost over all training sites, searched once."""
        if "optimum" not in self.shared:
            rows = np.arange(self.places.n)
            self.shared["optimum"] = optimum(self.objective, rows, self.search, self.stream("OPT-All")).unit
        return np.asarray(self.shared["optimum"])


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What a method says of n sites.

    Parameters
    ----------
    unit : array, shape (n, d), or None
        Parameters in the unit cube.
    flagged : bool array, shape (n,)
        Sites the method has no answer of its own for (a class without a training site) and treats like all sites.
    gpp : sequence of arrays, or None
        Daily GPP of each site, for a method without parameters.
    """

    unit: Array | None
    flagged: Mask
    gpp: Sequence[Array] | None = None


class Method(Protocol):
    """A way to extrapolate: ``fit`` on training sites, then ``predict`` any site."""

    name: ClassVar[str]
    title: ClassVar[str]

    def fit(self, training: Training) -> Any:
        """Learn from the training sites; returns self."""

    def predict(self, places: Places) -> Prediction:
        """Parameters, or GPP, of other sites."""


def nothing(n: int) -> Mask:
    """No site flagged."""
    return np.zeros(n, dtype=bool)
