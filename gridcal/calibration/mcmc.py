"""Markov chains on the model itself: the reference for models that are cheaper than a surrogate."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from gridcal.calibration.options import one_of, several, whole, within
from gridcal.calibration.posterior.chain import Chain
from gridcal.calibration.problem import ModelRuns, PixelProblem
from gridcal.calibration.result import PixelResult, raise_flags
from gridcal.calibration.status import Status
from gridcal.errors import ConfigError
from gridcal.kernels.surrogate.emulator import FAILED_COST

Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class AdaptiveMCMC:
    """Sample the posterior with the model itself.

    A step moves half of the walkers; their model runs go through the model together, as lanes.

    Parameters
    ----------
    sampler : {"demc", "metropolis"}
        ``demc``: differential evolution (ter Braak 2006), annealed in the burn-in, the halves moved from differences within
        each other. ``metropolis``: adaptive Metropolis (Haario et al. 2001) with one proposal covariance for all walkers,
        frozen after the burn-in. Steps that leave the bounds are rejected.
    walkers : int
        An even number of at least 6.
    n_burn, n_keep : int
        Steps of each walker thrown away and kept.
    min_ess : int
        Effective sample size the chain is continued to, at most to `max_runs`.
    max_runs : int
        Most model runs, all counted.
    rhat_max : float
        Largest R-hat of a chain that counts as converged.
    draws : (int, int)
        Chains and draws stored.

    Raises
    ------
    ConfigError
        If an option has an impossible value.

    Examples
    --------
    >>> AdaptiveMCMC(walkers=32).draw_shape
    (4, 500)
    """

    sampler: Literal["demc", "metropolis"] = "demc"
    walkers: int = 64
    n_burn: int = 500
    n_keep: int = 500
    min_ess: int = 2000
    max_runs: int = 400_000
    rhat_max: float = 1.1
    draws: tuple[int, int] = (4, 500)

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        one_of(self, "sampler", ("demc", "metropolis"))
        for name, least in (("walkers", 6), ("n_burn", 10), ("n_keep", 10), ("min_ess", 1), ("max_runs", 100)):
            whole(self, name, least)
        if self.walkers % 2:
            raise ConfigError(f"AdaptiveMCMC option 'walkers' is {self.walkers}", "Give an even number")
        within(self, "rhat_max", 1.0)
        several(self, "draws", 2)

    @property
    def draw_shape(self) -> tuple[int, int]:
        """Chains and draws stored."""
        return self.draws

    def run(self, problem: PixelProblem, seed: np.random.SeedSequence) -> PixelResult:
        """Calibrate one pixel.

        Parameters
        ----------
        problem : PixelProblem
            The problem.
        seed : SeedSequence
            Root of the random stream. The result depends on the problem and the seed alone.

        Returns
        -------
        PixelResult
            With NaN and a status code where the pixel cannot be calibrated.
        """
        status = problem.precheck()
        if status != Status.ok:
            return PixelResult.empty(problem.d, status, self.draw_shape)
        walk = _Walk(self, problem, np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key)))
        chain = walk.sample()
        if chain is None:
            return PixelResult.empty(problem.d, Status.model_failure, self.draw_shape, walk.n_runs, walk.n_failed)
        return self._summarise(problem, walk, chain)

    def _summarise(self, problem: PixelProblem, walk: _Walk, chain: Chain) -> PixelResult:
        flat = chain.flat
        mean = flat.mean(axis=0)
        cost = float(walk.cost(mean[None])[0])
        quantiles = np.quantile(flat, [0.05, 0.5, 0.95], axis=0)
        near = np.stack([(flat < 0.01).mean(axis=0), (flat > 0.99).mean(axis=0)], axis=1)
        every = np.linspace(0, chain.draws.shape[0] * self.walkers // self.draws[0] - 1, self.draws[1]).round().astype(int)
        groups = np.array_split(chain.draws, self.draws[0], axis=1)
        stored = np.stack([g.reshape(-1, problem.d)[np.minimum(every, g[..., 0].size - 1)] for g in groups])
        good = chain.rhat < self.rhat_max and cost < FAILED_COST
        result = PixelResult(
            estimate=problem.physical(mean),
            map=problem.physical(walk.best),
            median=problem.physical(quantiles[1]),
            sd=flat.std(axis=0) * (problem.upper - problem.lower),
            q05=problem.physical(quantiles[0]),
            q95=problem.physical(quantiles[2]),
            draws=problem.physical(stored),
            cost=cost if cost < FAILED_COST else float("nan"),
            cost_best=walk.cost_best,
            cost_mean=float(chain.costs.mean()),
            n_runs=walk.n_runs,
            n_failed=walk.n_failed,
            rhat=chain.rhat,
            gelman_rubin=chain.gelman_rubin(),
            ess=chain.ess,
            acceptance=chain.acceptance,
            surrogate_rmse=float("nan"),
            ess_ratio=1.0,
            edge_hit=near.sum(axis=1),
            edge_lower=near[:, 0],
            edge_upper=near[:, 1],
            correlation=np.corrcoef(flat.T).reshape(problem.d, problem.d) if (flat.std(axis=0) > 0).all() else None,
            status=int(Status.ok if good else Status.not_converged),
            constant=walk.runs.likelihood.constant if problem.cost is None else 0.0,
        )
        return dataclasses.replace(result, flags=int(raise_flags(result)))


class _Walk:
    """Walkers on the model's posterior in one pixel, and the count of the runs they make."""

    def __init__(self, method: AdaptiveMCMC, problem: PixelProblem, rng: np.random.Generator) -> None:
        self.method, self.problem, self.rng = method, problem, rng
        self.runs = ModelRuns(problem, keep_residuals=False)
        self.n_runs = self.n_failed = 0
        self.best = np.full(problem.d, 0.5)
        self.cost_best = math.inf
        self.factor = np.eye(problem.d) * 0.1
        self.scale = 2.38 / math.sqrt(problem.d)

    def cost(self, unit: Array) -> Array:
        """Costs (m,) of model runs at points (m, d) of the unit cube."""
        cost, failed = self.runs.costs(unit)
        self.n_runs += unit.shape[0]
        self.n_failed += int(failed.sum())
        i = int(np.argmin(cost))
        if cost[i] < self.cost_best:
            self.cost_best, self.best = float(cost[i]), unit[i].copy()
        return cost

    def sample(self) -> Chain | None:
        """The converged chain, or the longest the budget allows; None if the model never gave a finite output."""
        m, d = self.method, self.problem.d
        pool = self.rng.random((max(20 * d, 4 * m.walkers), d))
        # the first runs are recorded: they may set the effective number of observations
        cost = self.runs.run(pool)
        self.n_runs, self.n_failed = pool.shape[0], int(self.runs.failed.sum())
        if not self.runs.n_good:
            return None
        self.best, self.cost_best = pool[cost.argmin()], float(cost.min())
        temperature = 1.0
        while True:
            weight = np.exp(-0.5 * (cost - cost.min()) / temperature)
            if weight.sum() ** 2 / (weight**2).sum() > min(2 * m.walkers, 0.5 * self.runs.n_good) or temperature > 1e12:
                break
            temperature *= 1.5
        start = self.rng.choice(cost.size, m.walkers, p=weight / weight.sum())
        x, own = pool[start], cost[start]
        n_burn = min(m.n_burn, max(1, (m.max_runs - 1 - self.n_runs) // (2 * m.walkers)))
        self._move(x, own, n_burn, temperature)
        draws, costs = np.empty((0, m.walkers, d)), np.empty((0, m.walkers))
        accepted = 0
        while True:
            n = min(m.n_keep, (m.max_runs - 1 - self.n_runs) // m.walkers)
            if n < 1:
                break
            more, more_cost, count = self._move(x, own, n)
            accepted += count
            draws, costs = np.concatenate([draws, more]), np.concatenate([costs, more_cost])
            chain = Chain(draws, costs, acceptance=accepted / costs.size)
            chain.diagnose()
            if chain.ess >= m.min_ess and chain.rhat < m.rhat_max:
                break
        if draws.shape[0] < 8:
            draws, costs = np.repeat(x[None], 8, axis=0), np.repeat(own[None], 8, axis=0)
            chain = Chain(draws, costs, rhat=float("nan"), ess=float("nan"))
        return chain

    def _move(self, x: Array, cost: Array, n: int, temperature: float | None = None) -> tuple[Array, Array, int]:
        """Move the walkers `n` steps in place; with a temperature it is a burn-in that ends at 1 and may adapt."""
        m, d, rng = self.method, self.problem.d, self.rng
        burning = temperature is not None
        draws, costs = np.empty((n, m.walkers, d)), np.empty((n, m.walkers))
        half = m.walkers // 2
        accepted = 0
        for step in range(n):
            heat = max(temperature ** (1.0 - step / (0.5 * n)), 1.0) if temperature is not None else 1.0
            if burning:
                order = rng.permutation(m.walkers)
                x[:], cost[:] = x[order], cost[order]
                if 0.5 * n < step < 0.8 * n and step % max(1, n // 20) == 0:
                    self._rejoin(x, cost)
            for own, other in ((slice(0, half), slice(half, None)), (slice(half, None), slice(0, half))):
                trial = x[own] + self._jump(x[other], half, step)
                inside = np.atleast_1d(((trial >= 0.0) & (trial <= 1.0)).all(axis=1))
                # every walker is run, those outside at their own place: lanes of one width
                new = self.cost(np.where(inside[:, None], trial, x[own]))
                chance = np.log(rng.random(half)) < 0.5 * (cost[own] - new) / heat
                moved = np.logical_and(inside, chance)
                x[own][moved], cost[own][moved] = trial[moved], new[moved]
                accepted += int(moved.sum())
            if burning and m.sampler == "metropolis" and step % 20 == 19:
                self._adapt(x, draws[max(0, step - 200) : step], accepted, step)
            draws[step], costs[step] = x, cost
        return draws, costs, accepted

    def _jump(self, others: Array, n: int, step: int) -> Array:
        """Steps (n, d) of a half."""
        d, rng = self.problem.d, self.rng
        if self.method.sampler == "metropolis":
            return self.scale * rng.standard_normal((n, d)) @ self.factor.T
        i = rng.integers(0, n, n)
        j = (i + rng.integers(1, n, n)) % n
        scale = 2.38 / math.sqrt(2.0 * d) * np.exp(0.4 * rng.standard_normal(n))
        scale[rng.random(n) < 0.1] = 1.0
        jump = scale[:, None] * (others[i] - others[j]) + 2e-4 * (rng.random((n, d)) - 0.5)
        if step % 4 == 0:
            jump[rng.random((n, d)) < 0.5] = 0.0
        return np.asarray(jump)

    def _adapt(self, x: Array, recent: Array, accepted: int, step: int) -> None:
        """Proposal covariance from the recent draws; scale towards a quarter of accepted steps."""
        d = self.problem.d
        covariance = np.cov(np.concatenate([recent.reshape(-1, d), x]).T).reshape(d, d)
        self.factor = np.asarray(np.linalg.cholesky(covariance + 1e-10 * np.eye(d)), dtype=np.float64)
        rate = accepted / ((step + 1) * self.method.walkers)
        self.scale = float(np.clip(self.scale * math.exp(0.3 * (rate - 0.25)), 0.05, 5.0))

    def _rejoin(self, x: Array, cost: Array) -> None:
        """Put walkers lost far above the others on top of one of them (burn-in only)."""
        bad = np.asarray(cost > np.median(cost) + 15.0 + 4.0 * self.problem.d)
        if bad.any():
            from_good = self.rng.choice(np.flatnonzero(~bad), int(bad.sum()))
            x[bad], cost[bad] = x[from_good], cost[from_good]


class Probe:
    """A stand-in method that measures what a surrogate and a chain on the model would cost at one pixel.

    Attributes
    ----------
    measured : bool
        Whether a problem has been seen that can be calibrated.
    surrogate_seconds, direct_seconds : float
        Processor seconds, over the blocks.
    """

    draw_shape: tuple[int, int] | None = None

    def __init__(self) -> None:
        self.measured = False
        self.surrogate_seconds = self.direct_seconds = 0.0

    def run(self, problem: PixelProblem, seed: np.random.SeedSequence) -> PixelResult:
        """Measure; the result is the surrogate's, so that a later block is measured given the earlier ones."""
        from gridcal.calibration.masm.method import MASM

        surrogate, direct = MASM(), AdaptiveMCMC()
        surrogate.run(problem, seed)  # compiles
        begun = time.thread_time()
        result = surrogate.run(problem, seed)
        self.surrogate_seconds += time.thread_time() - begun
        runs = ModelRuns(problem, keep_residuals=False)
        points = np.random.default_rng(0).random((direct.walkers // 2, problem.d))
        least = math.inf
        for _ in range(5):
            begun = time.thread_time()
            runs.costs(points)
            least = min(least, time.thread_time() - begun)
        self.direct_seconds += 2 * (direct.n_burn + direct.n_keep) * least
        self.measured = self.measured or bool(np.isfinite(result.estimate).all())
        return result

    def choice(self) -> Any:
        """The method that is cheaper."""
        from gridcal.calibration.masm.method import MASM

        return AdaptiveMCMC() if self.direct_seconds < self.surrogate_seconds else MASM()
