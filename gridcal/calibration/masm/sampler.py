"""Chains on a surrogate's posterior: short ones that choose points, long ones that are verified and reported."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gridcal.calibration.masm.settings import Settings
from gridcal.calibration.masm.surrogate import Surrogate
from gridcal.calibration.posterior.chain import Chain
from gridcal.calibration.posterior.diagnostics import gelman_rubin, printed_gelman_rubin
from gridcal.calibration.problem import ModelRuns
from gridcal.kernels.sampling.mixture import KernelMixture, kernel_mixture
from gridcal.kernels.sampling.population import anneal_population, sample_population, settle_population, start_population
from gridcal.kernels.sampling.reflect import metropolis_chains
from gridcal.kernels.surrogate.emulator import Emulator

Array = npt.NDArray[np.float64]

CENTRES = (128, 512)
"""Kernels of the mixture a settled population draws its steps from: of the verified chain, of one that is run anew."""
FINER = 1.5
"""Gain of effective draws a step by the finer mixture that is expected."""
LONGEST = 10
"""Most times a chain's length for the wanted effective sample size."""
FIRST_SPREAD = 0.02
"""Variance, in box units, of the first Metropolis steps."""


class Settled(NamedTuple):
    """A population at rest: its places (walker, d) and costs, its proposals, and what it visited last, in box coordinates."""

    x: Array
    cost: Array
    mixture: KernelMixture
    visited: Array


class PosteriorSampler:
    """Samples the posterior of a surrogate, in the box it was trained in.

    Parameters
    ----------
    settings : Settings
        The options.
    surrogate : Surrogate
        The surrogate; as it is at the time of each call.
    runs : ModelRuns
        Model runs, the best of which are among the first places of every chain.
    rng : Generator
        Random stream of the pools chains start from.
    state : uint64 array, shape (4,)
        Random stream of the compiled chains; advanced.
    """

    def __init__(
        self,
        settings: Settings,
        surrogate: Surrogate,
        runs: ModelRuns,
        rng: np.random.Generator,
        state: npt.NDArray[np.uint64],
    ) -> None:
        self.settings = settings
        self.surrogate = surrogate
        self.runs = runs
        self.rng = rng
        self.state = state
        self.d = runs.problem.d

    @property
    def emulator(self) -> Emulator:
        """The trained surrogate."""
        assert self.surrogate.emulator is not None
        return self.surrogate.emulator

    def _pool(self, size: int) -> Array:
        """Points of the box a chain may start from: the best runs, and `size` uniform ones."""
        order = np.argsort(self.runs.cost, kind="stable")[: min(self.runs.n_good, 50)]
        best = np.clip(self.surrogate.box.to_box(self.runs.unit[order]), 0.0, 1.0)
        return np.concatenate([best, self.rng.random((size, self.d))])

    def _chain(self, draws: Array, costs: Array, mixture: KernelMixture | None = None, accepted: float = float("nan")) -> Chain:
        return Chain(self.surrogate.box.to_unit(draws), costs, mixture, accepted)

    def sample(self, walkers: int, n_burn: int, n_keep: int) -> Chain:
        """Chain of the given numbers of walkers, and of steps thrown away and kept."""
        if self.settings.sampler == "metropolis":
            start = np.ascontiguousarray(self._pool(0)[:walkers])
            spread = np.eye(self.d) * FIRST_SPREAD
            clip = self.settings.clip
            draws, costs, _, _ = metropolis_chains(self.state, self.emulator, start, spread, n_burn, n_keep, True, clip)
        else:
            draws, costs = anneal_population(self.state, self.emulator, self._pool(700), walkers, n_burn, n_keep)
        return self._chain(draws, costs)

    def settle(self) -> Settled | None:
        """Population that walks the posterior; None for the Metropolis sampler, which has none."""
        s = self.settings
        if s.sampler == "metropolis":
            return None
        return Settled(*settle_population(self.state, self.emulator, self._pool(2000), s.walkers, s.n_burn, CENTRES[0]))

    def full_length(self, settled: Settled | None) -> Chain:
        """Chain of the length that is verified."""
        s = self.settings
        if settled is None:
            return self.sample(s.walkers, s.n_burn, s.n_keep)
        x, cost, mixture, _ = settled
        draws, costs, accepted = sample_population(self.state, self.emulator, mixture, x, cost, s.n_keep)
        return self._chain(draws, costs, mixture, accepted)

    def extended(self, chain: Chain, ess: float) -> Chain:
        """A chain of the wanted effective sample size, or of ten times the length.

        One that is too short teaches a finer mixture, with which it is run anew and continued: no draw of the reported chain
        was made while its proposals still changed.
        """
        s, box = self.settings, self.surrogate.box
        chain.diagnose(100 if ess < s.walkers * 20 else 200)
        if chain.mixture is None or chain.ess >= ess:
            return chain
        n, inside = chain.draws.shape[0], box.to_box(chain.draws)
        mixture = kernel_mixture(inside.reshape(-1, self.d), CENTRES[1])
        x, cost = inside[-1].copy(), chain.costs[-1].copy()
        steps, size = 0, max(chain.ess / n * FINER, ess / (LONGEST * s.n_keep))  # effective draws a step, as a first guess
        draws: list[Array] = []
        costs: list[Array] = []
        accepted: list[float] = []
        while steps < LONGEST * s.n_keep:
            wanted = math.ceil(min(1.1 * ess / size, 3.0 * max(n, steps), LONGEST * s.n_keep)) - steps
            made = sample_population(self.state, self.emulator, mixture, x, cost, max(wanted, n // 4))
            draws, costs, accepted = [*draws, made[0]], [*costs, made[1]], [*accepted, made[2]]
            steps += made[0].shape[0]
            chain = self._chain(np.concatenate(draws), np.concatenate(costs), mixture, float(np.mean(accepted)))
            chain.diagnose()
            if chain.ess >= ess:
                break
            size = chain.ess / steps
        return chain

    def metropolis_cycles(self) -> tuple[Chain, float]:
        """Cycles of Metropolis chains until the Gelman-Rubin factor is small enough; the last two cycles, and the factor."""
        s, e = self.settings, self.emulator
        start = np.ascontiguousarray(self._spread_start(s.walkers))
        covariance = np.eye(self.d) * FIRST_SPREAD
        _, _, _, factor = metropolis_chains(self.state, e, start, covariance, s.n_burn, 1, True, s.clip)
        kept: list[Array] = []
        costs: list[Array] = []
        rate = reached = float("nan")
        reduction = printed_gelman_rubin if s.printed_gr else gelman_rubin
        for _ in range(s.cycles):
            draws, cost, rate, _ = metropolis_chains(self.state, e, start, factor @ factor.T, 0, s.n_keep, False, s.clip)
            start = draws[-1].copy()
            kept, costs = [*kept, draws][-2:], [*costs, cost][-2:]
            columns = np.concatenate(kept).transpose(2, 1, 0)
            reached = max(reduction(np.ascontiguousarray(c)) for c in columns)
            if reached < s.rhat_max:
                break
        chain = self._chain(np.concatenate(kept), np.concatenate(costs), accepted=rate)
        chain.diagnose(2000)
        return chain, reached

    def _spread_start(self, n: int) -> Array:
        """Distinct over-dispersed starts: of a pool that covers the box, drawn by posterior weights at a raised temperature."""
        start, _, _ = start_population(self.state, self.emulator, self._pool(2000), n)
        return start + 1e-6 * (self.rng.random(start.shape) - start)
