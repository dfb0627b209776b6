"""The adaptive search of one pixel: train the surrogate, sample its posterior, run the model where it matters, verify."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import numpy.typing as npt

from gridcal.calibration.masm.box_faces import box_optimum, face_optima
from gridcal.calibration.masm.sampler import PosteriorSampler
from gridcal.calibration.masm.settings import Settings
from gridcal.calibration.masm.surrogate import Box, Surrogate
from gridcal.calibration.posterior.chain import Chain, accept_second, drift, tail_share, weight_shift
from gridcal.calibration.posterior.diagnostics import pareto_shape, weight_ess_ratio
from gridcal.calibration.problem import ModelRuns, PixelProblem
from gridcal.calibration.status import Status
from gridcal.calibration.warm import WarmStart
from gridcal.kernels.sampling.moments import mean_and_sd
from gridcal.kernels.sampling.random import stream
from gridcal.kernels.surrogate.design import design, farthest_candidate

Array = npt.NDArray[np.float64]
Steps = Generator[Array, None, None]

BOX_MARGIN = 0.15
BOX_QUANTILES = (0.003, 0.997)
TAIL_SHARE = 0.007
"""Most of a parameter's variance that may lie beyond a face of the box."""
MOST_WIDENINGS = 4
MOST_SHIFT = 0.35
"""Most the weights of the verification draws may move a mean, in posterior standard deviations."""
NEAR_COST = 5.0
"""Cost above the posterior's lowest below which a run on a face of the box says that mass was left outside."""
FLAT_COST = 0.3
"""Difference of emulated and true cost at the optimum that is not worth another run."""
MOST_POLISHINGS = 4
RESOLUTION = 1e-4
"""Distance, in box units, below which a candidate counts as already run."""
MOST_CANDIDATES = 1000


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
    warm : WarmStart, optional
        What a neighbour's search has learnt.

    Attributes
    ----------
    runs : ModelRuns
        Every model run.
    chain : Chain or None
        The chain to report.
    status : Status
        Outcome.
    ess_ratio, khat : float
        Effective share and Pareto shape of the importance weights of the last verification.
    surrogate_rmse : float
        Error of the surrogate's cost at the runs of the last verification (the last chosen points before there is one).
    rmse_trace : list of float
        The same at the runs of each iteration.
    acceptance, gelman_rubin : float
        Of the reported chain.
    """

    def __init__(
        self,
        problem: PixelProblem,
        settings: Settings,
        seed: np.random.SeedSequence,
        warm: WarmStart | None = None,
    ) -> None:
        self.problem = problem
        self.settings = settings
        root = np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key, pool_size=seed.pool_size)
        first, second = root.spawn(2)
        self.rng = np.random.default_rng(first)
        self.runs = ModelRuns(problem)
        self.surrogate = Surrogate(problem, settings.emulate, settings.warp, settings.quadratic)
        self.sampler = PosteriorSampler(settings, self.surrogate, self.runs, self.rng, stream(second))
        self.box = Box.cube(problem.d)
        self.warm = warm if warm is not None and warm.hyper.size == problem.d + 1 else None
        if self.warm is not None:
            self.surrogate.begin(self.warm.hyper, self.warm.warped, Box(self.warm.lower, self.warm.width))
        self.chain: Chain | None = None
        self.status = Status.surrogate_unverified
        self.ess_ratio = float("nan")
        self.khat = float("nan")
        self.surrogate_rmse = float("nan")
        self.rmse_trace: list[float] = []
        self.gelman_rubin = float("nan")
        self.cost_at_mean = float("nan")
        self._reach: Array | None = None
        self._trained_at = 0
        self._trained_inside = 0

    def execute(self) -> None:
        """Run the search to its end with the problem's own model; `chain` and `status` hold the outcome."""
        for unit in self.steps():
            self.runs.run(unit)

    def steps(self) -> Steps:
        """The search as a generator: it yields points of the unit cube (m, d), and goes on once `runs` has recorded them."""
        yield from self._search()
        if self.chain is not None:
            cost = yield from self._evaluate(mean_and_sd(self.chain.flat)[0][None])
            if self.runs.failed[-1]:
                self.status = Status.surrogate_unverified
            else:
                self.cost_at_mean = float(cost[0])

    def _evaluate(self, unit: Array) -> Generator[Array, None, Array]:
        """Costs (m,) of model runs at points (m, d), made by whoever drives the search."""
        yield unit
        return self.runs.cost[-unit.shape[0] :]

    def _search(self) -> Steps:
        s, runs, d = self.settings, self.runs, self.problem.d
        yield from self._evaluate(self._first_points())
        limit = s.max_runs - 1
        while runs.n_good < d + 2 and runs.n + d <= limit and runs.n < 4 * s.n_init:
            yield from self._evaluate(self.rng.random((d, d)))
        if runs.n_good < d + 2:
            self.status = Status.model_failure
            return
        verified: Chain | None = None
        since = 0
        for iteration in range(s.n_iter + 1):
            self._train(iteration)
            if verified is not None:
                second = self._uncut_chain()
                if drift(verified.flat, second.flat) <= 1.5 * s.drift_tolerance:
                    second = self.sampler.extended(second, s.min_ess)
                agrees = accept_second(verified.flat, second.flat, second.rhat, s.drift_tolerance, s.rhat_max)
                if agrees and (yield from self._holds(second)):
                    self.chain, self.status = second, Status.ok
                    return
                self._reach = self._reached(verified)
                verified, since = None, s.verify_every - 3
            room = limit - runs.n
            if iteration == s.n_iter or room < min(s.q, s.n_verify):
                break
            if s.verify and room >= s.n_verify and (since >= s.verify_every - 1 or room < s.n_verify + s.q):
                verified = yield from self._verify()
                since = 0
            elif room >= s.q:
                yield from self._explore()
                since += 1
            else:
                break
        self._finish()

    def _first_points(self) -> Array:
        """The initial design; after a warm start a half of it in the cube and a sixth in the neighbour's box."""
        s, d = self.settings, self.problem.d
        if self.warm is None:
            points = design(s.n_init, d)
            return (points + self.rng.random(d)) % 1.0 if s.shift else points.copy()
        half, sixth = max(d + 2, s.n_init // 2), max(2, s.n_init // 6)
        wide = (design(half, d) + self.rng.random(d)) % 1.0
        near = (design(sixth, d) + self.rng.random(d)) % 1.0
        return np.concatenate([wide, self.warm.lower + near * self.warm.width])

    def lesson(self) -> WarmStart | None:
        """What a neighbour's search can begin from."""
        hyper = self.surrogate.gp.hyper
        if hyper is None:
            return None
        return WarmStart(hyper.copy(), self.surrogate.warped, self.box.lower.copy(), self.box.width.copy())

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
        self.surrogate.train(runs, box, refit, restarts=0 if self.warm is not None else 2 if iteration == 0 else 1)

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

    def _reached(self, chain: Chain) -> Array:
        return np.quantile(chain.thinned(8000), BOX_QUANTILES, axis=0)

    def _uncut_chain(self) -> Chain:
        """Chain of the length that is verified, in a box that is widened until it cuts no tail off."""
        for _ in range(MOST_WIDENINGS):
            settled = self.sampler.settle()
            wider = None if settled is None else self._wider(settled.visited)
            if wider is None:
                chain = self.sampler.full_length(settled)
                wider = self._wider(self.box.to_box(chain.flat))
                if wider is None:
                    return chain
            self._train(1, wider)
        return self.sampler.full_length(self.sampler.settle())

    def _wider(self, inside: Array) -> Box | None:
        """The box with those faces moved out beyond which the posterior's tail goes on, by draws (n, d) in box coordinates.

        None if there is no such face.
        """
        lower, upper = self.box.lower, self.box.lower + self.box.width
        cut = (tail_share(inside) > TAIL_SHARE) & np.stack([lower > 0.0, upper < 1.0])
        if not cut.any():
            return None
        step = 0.3 * self.box.width
        lower = np.where(cut[0], np.maximum(lower - step, 0.0), lower)
        upper = np.where(cut[1], np.minimum(upper + step, 1.0), upper)
        return Box(lower, upper - lower)

    def _verify(self) -> Generator[Array, None, Chain | None]:
        """Run the model at draws of a final-length chain; the chain, if the weights of its draws are even enough."""
        s = self.settings
        chain = self._uncut_chain()
        self._reach = self._reached(chain)
        chosen = self.rng.choice(chain.flat.shape[0], s.n_verify, replace=False)
        expected = chain.costs.reshape(-1)[chosen]
        cost = yield from self._evaluate(chain.flat[chosen])
        self.ess_ratio = weight_ess_ratio(cost, expected)
        self.khat = pareto_shape(-0.5 * (cost - expected))
        self.surrogate_rmse = float(np.sqrt(np.mean((cost - expected) ** 2)))
        self.rmse_trace.append(self.surrogate_rmse)
        shift = weight_shift(chain.flat, chosen, cost, expected)
        if self.ess_ratio <= s.threshold or shift > MOST_SHIFT:
            return None
        return self.sampler.extended(chain, s.min_ess / 8.0)

    def _holds(self, chain: Chain) -> Generator[Array, None, bool]:
        """Whether the model, run at the optimum and where the posterior would first leave the box, says that nothing is missed.

        False, too, if the budget has no room for these runs. The optimum is sought again with what its run has taught.
        """
        draws = chain.thinned(500)
        best, lowest = box_optimum(self.surrogate, draws, self.rng)
        points, _ = face_optima(self.surrogate, draws, self.rng)
        limit = self.settings.max_runs - 1
        if points.shape[0] + 1 > limit - self.runs.n:
            return False
        cost = yield from self._evaluate(np.concatenate([best[None], points]))
        if cost[0] < lowest - NEAR_COST or (cost[1:] < lowest + NEAR_COST).any():
            return False
        expected = lowest
        for _ in range(MOST_POLISHINGS):
            if abs(cost[0] - expected) < FLAT_COST or self.runs.n >= limit:
                break
            self.surrogate.train(self.runs, self.box, False)
            best, expected = box_optimum(self.surrogate, draws, self.rng)
            cost = yield from self._evaluate(best[None])
        return True

    def _explore(self) -> Steps:
        """Run the model at q points of a short chain: the farthest of each bin of cost, and the best."""
        s, box = self.settings, self.box
        chain = self.sampler.sample(*s.short)
        self._reach = self._reached(chain)
        order = np.argsort(chain.costs.reshape(-1), kind="stable")
        candidates = box.to_box(chain.flat[order])
        known = box.to_box(self.runs.unit[box.contains(self.runs.unit)])
        size = candidates.shape[0] // max(1, s.q - 1)
        for b in range(s.q - 1):
            group = candidates[b * size : (b + 1) * size]
            if s.verify and group.shape[0] > MOST_CANDIDATES:
                group = group[self.rng.choice(group.shape[0], MOST_CANDIDATES, replace=False)]
            index, distance = farthest_candidate(known, np.ascontiguousarray(group))
            if distance < RESOLUTION:
                group = self.rng.random((10 * MOST_CANDIDATES, self.problem.d))
                index, distance = farthest_candidate(known, group)
            known = np.concatenate([known, group[index][None]])
        distance = np.sqrt(((known - candidates[0]) ** 2).sum(axis=1).min())
        last = candidates[0] if distance > 1e-6 else self.rng.random(self.problem.d)
        new = box.to_unit(np.concatenate([known[known.shape[0] - (s.q - 1) :], last[None]]))
        expected = self.surrogate.costs(new)
        cost = yield from self._evaluate(new)
        self.rmse_trace.append(float(np.sqrt(np.mean((cost - expected) ** 2))))
        if not np.isfinite(self.ess_ratio):
            self.surrogate_rmse = self.rmse_trace[-1]

    def _finish(self) -> None:
        """Chain of a search whose budget is spent (or that never verifies)."""
        s = self.settings
        if s.sampler != "metropolis":
            self.chain = self.sampler.extended(self.sampler.full_length(self.sampler.settle()), s.min_ess)
            if not self.chain.rhat < s.rhat_max:
                self.status = Status.not_converged
            return
        self.chain, self.gelman_rubin = self.sampler.metropolis_cycles()
        self.status = Status.ok if self.gelman_rubin < s.rhat_max else Status.not_converged
