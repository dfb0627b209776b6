"""The adaptive search of one pixel: train the surrogate, sample its posterior, run the model where it matters, verify."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from gridcal.calibration.diagnostics import gelman_rubin, importance_weights, weight_ess_ratio, worst_ess, worst_rhat
from gridcal.calibration.problem import ModelRuns, PixelProblem
from gridcal.calibration.status import Status
from gridcal.calibration.surrogate import Box, Surrogate
from gridcal.kernels.design import design, farthest_candidate
from gridcal.kernels.mixture import KernelMixture, kernel_mixture
from gridcal.kernels.population import anneal_population, sample_population, settle_population
from gridcal.kernels.random import stream
from gridcal.kernels.reflect import metropolis_chains

Array = npt.NDArray[np.float64]

BOX_MARGIN = 0.15
BOX_QUANTILES = (0.003, 0.997)
TAIL_SHARE = 0.007
"""Most of a parameter's variance that may lie beyond a face of the box."""
TAIL_BIN = 0.1
MOST_WIDENINGS = 4
MOST_SHIFT = 0.35
"""Most the weights of the verification draws may move a mean, in posterior standard deviations."""
RESOLUTION = 1e-4
"""Distance, in box units, below which a candidate counts as already run."""
MOST_CANDIDATES = 1000
CENTRES = (128, 512)
"""Kernels of the mixture a settled population draws its steps from: of the verified chain, of one that is run anew."""
LONGEST = 20
"""Most times a chain's length for the wanted effective sample size."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """The options of :class:`~gridcal.calibration.masm.MASM` with every default filled in for d parameters."""

    n_init: int
    q: int
    n_iter: int
    max_runs: int
    emulate: str
    sampler: str
    zoom: bool
    warp: bool
    verify: bool
    n_verify: int
    verify_every: int
    threshold: float
    drift_tolerance: float
    rhat_max: float
    walkers: int
    n_burn: int
    n_keep: int
    short: tuple[int, int, int]
    refit_growth: float
    refit_every: int
    cycles: int
    min_ess: int


@dataclasses.dataclass
class Chain:
    """A sampled surrogate posterior: draws in the unit cube (step, walker, d), their emulated costs (step, walker).

    `mixture` holds the proposals of a population, with which it can be continued.
    """

    draws: Array
    costs: Array
    mixture: KernelMixture | None = None
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


class Search:
    """State of the search in one pixel.

    Parameters
    ----------
    problem : PixelProblem
        The problem.
    settings : Settings
        The options.
    seed : SeedSequence
        Root of the pixel's random streams.

    Attributes
    ----------
    runs : ModelRuns
        Every model run.
    chain : Chain or None
        The chain to report.
    status : Status
        Outcome.
    ess_ratio, surrogate_rmse : float
        Of the last verification (the error of the last chosen points before there is one).
    """

    def __init__(self, problem: PixelProblem, settings: Settings, seed: np.random.SeedSequence) -> None:
        self.problem = problem
        self.settings = settings
        root = np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key, pool_size=seed.pool_size)
        first, second = root.spawn(2)
        self.rng = np.random.default_rng(first)
        self.state = stream(second)
        self.runs = ModelRuns(problem)
        self.surrogate = Surrogate(problem, settings.emulate, settings.warp)
        self.box = Box.cube(problem.d)
        self.chain: Chain | None = None
        self.status = Status.surrogate_unverified
        self.ess_ratio = float("nan")
        self.surrogate_rmse = float("nan")
        self._reach: Array | None = None
        self._trained_at = 0
        self._trained_inside = 0

    def execute(self) -> None:
        """Run the search to its end; `chain` and `status` hold the outcome."""
        s, runs, d = self.settings, self.runs, self.problem.d
        shifted = (design(s.n_init, d) + self.rng.random(d)) % 1.0
        runs.run(shifted)
        limit = s.max_runs - 1
        while runs.n_good < d + 2 and runs.n + d <= limit and runs.n < 4 * s.n_init:
            runs.run(self.rng.random((d, d)))
        if runs.n_good < d + 2:
            self.status = Status.model_failure
            return
        verified: Chain | None = None
        since = 0
        for iteration in range(s.n_iter + 1):
            self._train(iteration)
            if verified is not None:
                second = self._uncut_chain()
                if drift(verified.flat, second.flat) <= 2.0 * s.drift_tolerance:
                    second = self._extended(second, s.min_ess)
                if accept_second(verified.flat, second.flat, second.rhat, s.drift_tolerance, s.rhat_max):
                    self.chain, self.status = second, Status.ok
                    return
                self._reach = self._reached(verified)
                verified, since = None, s.verify_every - 3
            room = limit - runs.n
            if iteration == s.n_iter or room < min(s.q, s.n_verify):
                break
            if s.verify and room >= s.n_verify and (since >= s.verify_every - 1 or room < s.n_verify + s.q):
                verified = self._verify()
                since = 0
            elif room >= s.q:
                self._explore()
                since += 1
            else:
                break
        self._finish()

    def _train(self, iteration: int, box: Box | None = None) -> None:
        """Train the surrogate in the wanted box, or a given one; hyper-parameters on the schedule."""
        s, runs = self.settings, self.runs
        box = box or self._wanted_box()
        inside = int((box.contains(runs.unit) & ~runs.failed).sum())
        moved = bool(np.any(np.abs(np.log(box.width / self.box.width)) > 0.7))
        if s.refit_every:
            refit = iteration % s.refit_every == 0
        else:
            refit = runs.n >= self._trained_at * s.refit_growth or moved or inside > 1.5 * self._trained_inside
        if refit:
            self._trained_at, self._trained_inside = runs.n, inside
        self.box = box
        self.surrogate.train(runs, box, refit, restarts=2 if iteration < 10 else 1)

    def _wanted_box(self) -> Box:
        """Bounding box of the best runs and of the last chain, with a margin."""
        d = self.problem.d
        if not self.settings.zoom:
            return Box.cube(d)
        best = np.argsort(self.runs.cost, kind="stable")[: min(self.runs.n_good, max(10 * d, 40))]
        lower, upper = self.runs.unit[best].min(axis=0), self.runs.unit[best].max(axis=0)
        if self._reach is not None:
            lower, upper = np.minimum(lower, self._reach[0]), np.maximum(upper, self._reach[1])
        margin = BOX_MARGIN * (upper - lower) + 1e-3
        lower, upper = np.maximum(lower - margin, 0.0), np.minimum(upper + margin, 1.0)
        return Box(lower, upper - lower)

    def _pool(self, size: int) -> Array:
        """Points of the box a chain may start from: the best runs, and `size` uniform ones."""
        order = np.argsort(self.runs.cost, kind="stable")[: min(self.runs.n_good, 50)]
        best = np.clip(self.box.to_box(self.runs.unit[order]), 0.0, 1.0)
        return np.concatenate([best, self.rng.random((size, self.problem.d))])

    def _sample(self, walkers: int, n_burn: int, n_keep: int) -> Chain:
        """Short chain on the surrogate's posterior."""
        assert self.surrogate.emulator is not None
        if self.settings.sampler == "metropolis":
            start = np.ascontiguousarray(self._pool(0)[:walkers])
            spread = np.eye(self.problem.d) * 0.02
            draws, costs, _ = metropolis_chains(self.state, self.surrogate.emulator, start, spread, n_burn, n_keep, True)
        else:
            draws, costs = anneal_population(self.state, self.surrogate.emulator, self._pool(700), walkers, n_burn, n_keep)
        return Chain(self.box.to_unit(draws), costs)

    def _final_chain(self) -> Chain:
        """Chain of the length that is verified."""
        s = self.settings
        if s.sampler == "metropolis":
            chain = self._sample(s.walkers, s.n_burn, s.n_keep)
        else:
            e = self.surrogate.emulator
            assert e is not None
            x, cost, mixture = settle_population(self.state, e, self._pool(2000), s.walkers, s.n_burn, CENTRES[0])
            draws, costs, _ = sample_population(self.state, e, mixture, x, cost, s.n_keep)
            chain = Chain(self.box.to_unit(draws), costs, mixture)
        return chain

    def _extended(self, chain: Chain, ess: float) -> Chain:
        """A chain of the wanted effective sample size, or of twenty times the length.

        One that is too short teaches a finer mixture, with which it is run anew: no draw of the reported chain was made while
        its proposals still changed.
        """
        s, e = self.settings, self.surrogate.emulator
        chain.diagnose()
        for _ in range(4):
            n = chain.draws.shape[0]
            if chain.mixture is None or chain.ess >= ess or n >= LONGEST * s.n_keep:
                break
            assert e is not None
            inside = self.box.to_box(chain.draws)
            mixture = kernel_mixture(inside.reshape(-1, self.problem.d), CENTRES[1])
            wanted = math.ceil(min(1.2 * n * ess / max(chain.ess, 1.0), 3.0 * n))
            x, cost = inside[-1].copy(), chain.costs[-1].copy()
            draws, costs, _ = sample_population(self.state, e, mixture, x, cost, min(wanted, LONGEST * s.n_keep))
            chain = Chain(self.box.to_unit(draws), costs, mixture)
            chain.diagnose()
        return chain

    def _reached(self, chain: Chain) -> Array:
        every = max(1, chain.flat.shape[0] // 20000)
        return np.quantile(chain.flat[::every], BOX_QUANTILES, axis=0)

    def _uncut_chain(self) -> Chain:
        """Chain of the length that is verified, in a box that is widened until it cuts no tail off."""
        chain = self._final_chain()
        for _ in range(MOST_WIDENINGS):
            wider = self._wider(chain)
            if wider is None:
                break
            self._train(1, wider)
            chain = self._final_chain()
        return chain

    def _wider(self, chain: Chain) -> Box | None:
        """The box with those faces moved out beyond which the posterior's tail goes on; None if there is no such face."""
        lower, upper = self.box.lower, self.box.lower + self.box.width
        cut = (tail_share(self.box.to_box(chain.flat)) > TAIL_SHARE) & np.stack([lower > 0.0, upper < 1.0])
        if not cut.any():
            return None
        step = 0.3 * self.box.width
        lower = np.where(cut[0], np.maximum(lower - step, 0.0), lower)
        upper = np.where(cut[1], np.minimum(upper + step, 1.0), upper)
        return Box(lower, upper - lower)

    def _verify(self) -> Chain | None:
        """Run the model at draws of a final-length chain; the chain, if the weights of its draws are even enough."""
        s = self.settings
        chain = self._uncut_chain()
        self._reach = self._reached(chain)
        chosen = self.rng.choice(chain.flat.shape[0], s.n_verify, replace=False)
        expected = chain.costs.reshape(-1)[chosen]
        cost = self.runs.run(chain.flat[chosen])
        self.ess_ratio = weight_ess_ratio(cost, expected)
        self.surrogate_rmse = float(np.sqrt(np.mean((cost - expected) ** 2)))
        shift = weight_shift(chain.flat, chosen, cost, expected)
        if self.ess_ratio <= s.threshold or shift > MOST_SHIFT:
            return None
        return self._extended(chain, s.min_ess / 3.0)

    def _explore(self) -> None:
        """Run the model at q points of a short chain: the farthest of each bin of cost, and the best."""
        s, box = self.settings, self.box
        chain = self._sample(*s.short)
        self._reach = self._reached(chain)
        order = np.argsort(chain.costs.reshape(-1), kind="stable")
        candidates = box.to_box(chain.flat[order])
        known = box.to_box(self.runs.unit[box.contains(self.runs.unit)])
        size = candidates.shape[0] // max(1, s.q - 1)
        for b in range(s.q - 1):
            group = candidates[b * size : (b + 1) * size]
            if group.shape[0] > MOST_CANDIDATES:
                group = group[self.rng.choice(group.shape[0], MOST_CANDIDATES, replace=False)]
            index, distance = farthest_candidate(known, np.ascontiguousarray(group))
            if distance < RESOLUTION:
                group = self.rng.random((MOST_CANDIDATES, self.problem.d))
                index, distance = farthest_candidate(known, group)
            known = np.concatenate([known, group[index][None]])
        distance = np.sqrt(((known - candidates[0]) ** 2).sum(axis=1).min())
        last = candidates[0] if distance > 1e-6 else self.rng.random(self.problem.d)
        new = box.to_unit(np.concatenate([known[known.shape[0] - (s.q - 1) :], last[None]]))
        expected = self.surrogate.costs(new)
        cost = self.runs.run(new)
        if not np.isfinite(self.ess_ratio):
            self.surrogate_rmse = float(np.sqrt(np.mean((cost - expected) ** 2)))

    def _finish(self) -> None:
        """Chain of a search whose budget is spent (or that never verifies)."""
        s = self.settings
        if s.sampler != "metropolis":
            self.chain = self._extended(self._final_chain(), s.min_ess)
            if not self.chain.rhat < s.rhat_max:
                self.status = Status.not_converged
            return
        kept: list[Array] = []
        costs: list[Array] = []
        factor = math.inf
        for _ in range(s.cycles):
            cycle = self._sample(s.walkers, s.n_burn, s.n_keep)
            kept.append(cycle.draws)
            costs.append(cycle.costs)
            draws = np.concatenate(kept[-2:])
            columns = draws.transpose(2, 1, 0)
            factor = max(gelman_rubin(np.ascontiguousarray(c)) for c in columns)
            if factor < s.rhat_max:
                break
        self.chain = Chain(np.concatenate(kept[-2:]), np.concatenate(costs[-2:]))
        self.chain.diagnose(2000)
        self.status = Status.ok if factor < s.rhat_max else Status.not_converged


def corrected_mean(draws: Array, points: Array, cost: Array, surrogate_cost: Array) -> Array:
    """Posterior mean with the surrogate's error removed to first order, from K verification runs.

    Control-variate form: mean of the draws plus the difference between the weighted and the plain mean of the K points.
    """
    weight = importance_weights(cost, surrogate_cost)
    return draws.mean(axis=0) + weight @ points - points.mean(axis=0)
