"""A sampled surrogate posterior, and the rules that say whether it may be reported."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from gridcal.calibration.posterior.diagnostics import gelman_rubin, importance_weights, worst_rhat_and_ess
from gridcal.kernels.sampling.mixture import KernelMixture
from gridcal.kernels.sampling.moments import face_mass, mean_and_sd

Array = npt.NDArray[np.float64]

TAIL_BIN = 0.1
"""Share of the box's width at a face whose draws tell how the tail goes on."""


@dataclasses.dataclass
class Chain:
    """A sampled surrogate posterior: draws in the unit cube (step, walker, d), their emulated costs (step, walker).

    `mixture` holds the proposals of a population, with which it can be continued.
    """

    draws: Array
    costs: Array
    mixture: KernelMixture | None = None
    acceptance: float = float("nan")
    rhat: float = float("nan")
    ess: float = float("nan")

    @property
    def flat(self) -> Array:
        """All draws, shape (n, d)."""
        return self.draws.reshape(-1, self.draws.shape[2])

    def thinned(self, most: int) -> Array:
        """About `most` of the draws, of all walkers alike: the stride is odd, walkers are even."""
        return self.flat[:: max(1, self.flat.shape[0] // most) | 1]

    def by_walker(self, every: int = 1) -> Array:
        """Chains (walker, step, d), thinned."""
        return np.ascontiguousarray(self.draws[::every].transpose(1, 0, 2))

    def diagnose(self, most: int = 200) -> None:
        """Set R-hat and the effective sample size, from at most about `most` steps of each walker."""
        thinned = self.by_walker(max(1, self.draws.shape[0] // most))
        self.rhat, self.ess = worst_rhat_and_ess(thinned)

    def gelman_rubin(self) -> float:
        """Classical factor of the walkers, largest over the parameters, from at most about 400 steps of each."""
        some = self.draws[:: max(1, self.draws.shape[0] // 400)]
        return max(gelman_rubin(np.ascontiguousarray(c)) for c in some.transpose(2, 1, 0))


def drift(first: Array, second: Array) -> float:
    """Largest change of mean, in standard deviations of the first, or twice that of the spread's logarithm, of draws (n, d).

    The spread counts double: a false mode far out that holds a per cent of the draws hardly moves the mean.
    """
    (mean, before), (new_mean, after) = mean_and_sd(first), mean_and_sd(second)
    moved = np.abs(new_mean - mean) / (before + 1e-300)
    return float(max(moved.max(), 2.0 * np.abs(np.log((after + 1e-300) / (before + 1e-300))).max()))


def tail_share(inside: Array) -> Array:
    """Share of each coordinate's variance that lies beyond the faces of the unit box, shape (2, d), from draws (n, d) in it.

    The mass in the outer tenth of the box goes on beyond the face as it fell from the tenth before: geometrically.
    """
    mean, sd = mean_and_sd(inside)
    distance = np.stack([mean, 1.0 - mean]) / (sd + 1e-300)
    outer, both = face_mass(inside, TAIL_BIN)
    ratio = np.clip(outer / np.maximum(both - outer, 1e-300), 0.0, 0.95)
    return outer * ratio / (1.0 - ratio) * distance**2


def weight_shift(draws: Array, chosen: npt.NDArray[np.int64], cost: Array, surrogate_cost: Array) -> float:
    """Largest move of a mean, in standard deviations of draws (n, d), by the importance weights of the `chosen` ones.

    Few draws far out that the model gives no weight leave the effective share of the weights high, and are seen here.
    """
    points = draws[chosen]
    weight = importance_weights(cost, surrogate_cost)
    return float((np.abs(weight @ points - points.mean(axis=0)) / (draws.std(axis=0) + 1e-300)).max())


def accept_second(first: Array, second: Array, rhat: float, tolerance: float, rhat_max: float) -> bool:
    """The two-chain rule: whether the chain run after the verification points were learnt may be reported.

    Importance weights of a chain's draws show where the surrogate overrates the density, never mass it misses. A second
    chain, on the surrogate that has learnt the verification runs, must therefore agree with the verified first one.
    """
    return drift(first, second) <= tolerance and rhat < rhat_max
