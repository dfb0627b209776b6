"""A sampled surrogate posterior, and the rules that say whether it may be reported."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from gridcal.calibration.diagnostics import gelman_rubin, importance_weights, worst_ess, worst_rhat
from gridcal.kernels.mixture import KernelMixture

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

    def by_walker(self, every: int = 1) -> Array:
        """Chains (walker, step, d), thinned."""
        return np.ascontiguousarray(self.draws[::every].transpose(1, 0, 2))

    def diagnose(self, most: int = 200) -> None:
        """Set R-hat and the effective sample size, from at most about `most` steps of each walker."""
        thinned = self.by_walker(max(1, self.draws.shape[0] // most))
        self.rhat, self.ess = worst_rhat(thinned), worst_ess(thinned)

    def gelman_rubin(self) -> float:
        """Classical factor of the walkers, largest over the parameters."""
        return max(gelman_rubin(np.ascontiguousarray(c)) for c in self.draws.transpose(2, 1, 0))


def drift(first: Array, second: Array) -> float:
    """Largest change of mean, in standard deviations of the first, or twice that of the spread's logarithm, of draws (n, d).

    The spread counts double: a false mode far out that holds a per cent of the draws hardly moves the mean.
    """
    before, after = first.std(axis=0) + 1e-300, second.std(axis=0) + 1e-300
    moved = np.abs(second.mean(axis=0) - first.mean(axis=0)) / before
    return float(max(moved.max(), 2.0 * np.abs(np.log(after / before)).max()))


def tail_share(inside: Array) -> Array:
    """Share of each coordinate's variance that lies beyond the faces of the unit box, shape (2, d), from draws (n, d) in it.

    The mass in the outer tenth of the box goes on beyond the face as it fell from the tenth before: geometrically.
    """
    deviation = np.stack([inside.mean(axis=0), 1.0 - inside.mean(axis=0)]) / (inside.std(axis=0) + 1e-300)
    shares = []
    for x, distance in zip((inside, 1.0 - inside), deviation, strict=True):
        outer = (x < TAIL_BIN).mean(axis=0)
        ratio = np.clip(outer / np.maximum((x < 2.0 * TAIL_BIN).mean(axis=0) - outer, 1e-300), 0.0, 0.95)
        shares.append(outer * ratio / (1.0 - ratio) * distance**2)
    return np.stack(shares)


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
