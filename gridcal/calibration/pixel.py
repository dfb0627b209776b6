"""Calibration of one pixel: its checks, its problem, its blocks one after the other."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import logging
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from gridcal.calibration.constrained import ConstrainedRuns
from gridcal.calibration.observations.observed import Aim, Observed, problem_of_block
from gridcal.calibration.problem import PixelProblem
from gridcal.calibration.result import PixelResult, pool
from gridcal.calibration.status import Status
from gridcal.calibration.target import Block
from gridcal.calibration.warm import WarmStart
from gridcal.kernels.series.metrics import scores
from gridcal.process.model import ProcessModel

Array = npt.NDArray[np.float64]
log = logging.getLogger("gridcal")

MINIMUM_OBSERVATIONS = 10
"""Fewest target values (periods) a block is calibrated against."""


@dataclasses.dataclass(frozen=True)
class BlockOutcome:
    """What one block gave at one pixel; `result` is None where it could not be run."""

    status: Status
    result: PixelResult | None
    n_obs: int
    diso: float
    nse: float


@dataclasses.dataclass(frozen=True)
class PixelOutcome:
    """Calibrated parameter vector (P,) and the outcome of every block."""

    theta: Array
    blocks: tuple[BlockOutcome, ...]

    @property
    def status(self) -> Status:
        """The worst code over the blocks."""
        return max((b.status for b in self.blocks), key=int)


def pixel_number(label: Any) -> int:
    """Stable integer of a pixel's coordinate: the global index itself, or a hash of a site's name."""
    if isinstance(label, int | np.integer):
        return int(label)
    return int.from_bytes(hashlib.sha256(str(label).encode()).digest()[:4], "big")


def calibrate_pixel(
    model: ProcessModel,
    blocks: tuple[Block, ...],
    method: Any,
    forcing: list[Array],
    site: Array,
    observations: list[list[Observed]],
    theta: Array,
    use: bool,
    seed: int,
    number: int,
    warm: tuple[WarmStart | None, ...] | None = None,
    state: Array | None = None,
) -> PixelOutcome:
    """Calibrate one pixel, block after block.

    Parameters
    ----------
    model, blocks, method
        What is calibrated, against what, how.
    forcing : list of arrays, each (T, 1)
        Time series of the model.
    site : array, shape (S, 1)
        Site constants.
    observations : list of lists of Observed
        What each target of each block has seen.
    theta : array, shape (P,)
        Start values; the result keeps those no block fits.
    use : bool
        False where the mask leaves the pixel out.
    seed, number : int
        The run's seed and the pixel's number: the random stream is SeedSequence(seed, spawn_key=(1, block, number)).
    warm : tuple, optional
        What a neighbour's search of each block has learnt.
    state : array, shape (K, 1), optional
        State that every run starts from.
    """
    theta = theta.copy()
    outcomes = []
    broken = None if use else Status.masked
    if broken is None and not (np.isfinite(site).all() and np.isfinite(theta).all()):
        broken = Status.forcing_gap
    if broken is None and state is not None and not np.isfinite(state).all():
        broken = Status.forcing_gap
    for k, (block, seen) in enumerate(zip(blocks, observations, strict=True)):
        if broken is not None:
            outcomes.append(BlockOutcome(broken, None, 0, np.nan, np.nan))
            continue
        seeds = np.random.SeedSequence(seed, spawn_key=(1, k, number))
        lesson = warm[k] if warm is not None else None
        earlier = _carried(model, blocks[:k], outcomes, theta, block.carry)
        outcome = _calibrate_block(model, block, method, forcing, site, seen, theta, seeds, lesson, earlier, state)
        if outcome.result is not None:
            for name, value in zip(block.fit, outcome.result.estimate, strict=True):
                theta[model.parameters.index(name)] = value
        elif outcome.status != Status.ok:
            broken = outcome.status
        outcomes.append(outcome)
    if broken is not None:
        theta[:] = np.nan
    return PixelOutcome(theta, tuple(outcomes))


def _calibrate_block(
    model: ProcessModel,
    block: Block,
    method: Any,
    forcing: list[Array],
    site: Array,
    seen: list[Observed],
    theta: Array,
    seeds: np.random.SeedSequence,
    warm: WarmStart | None,
    earlier: Array | None,
    state: Array | None,
) -> BlockOutcome:
    ends = [np.flatnonzero(np.isfinite(o.values)) for o in seen]
    if any(days.size == 0 for days in ends):
        return BlockOutcome(Status.insufficient_observations, None, 0, np.nan, np.nan)
    last = max(int(days[-1]) for days in ends) + 1
    series = [x[:last] for x in forcing]
    if not all(np.isfinite(x).all() for x in series):
        return BlockOutcome(Status.forcing_gap, None, 0, np.nan, np.nan)
    aims = [Aim.of(target, o, last) for target, o in zip(block.targets, seen, strict=True)]
    n_obs = sum(aim.means.size for aim in aims)
    if min(aim.means.size for aim in aims) < MINIMUM_OBSERVATIONS or n_obs < 2 * len(block.fit):
        return BlockOutcome(Status.insufficient_observations, None, n_obs, np.nan, np.nan)
    for aim in aims:
        if aim.status != Status.ok:
            return BlockOutcome(aim.status, None, n_obs, np.nan, np.nan)

    columns = [model.parameters.index(name) for name in block.fit]

    def problem(base: Array = theta) -> PixelProblem:
        runs = ConstrainedRuns(model, block, base, columns, series, site, n_obs, state)
        return problem_of_block(model, block, aims, functools.partial(_averages, runs, aims), runs)

    begun = time.thread_time()
    try:
        if earlier is None:
            result = _run(method, problem(), seeds, warm)
        else:
            several = []
            for base, own in zip(earlier, seeds.spawn(len(earlier)), strict=True):
                several.append(_run(method, problem(base), own, warm))
                warm = several[-1].warm
            result = pool(several, problem())
    except (ArithmeticError, ValueError, np.linalg.LinAlgError) as error:
        log.warning("a pixel failed in %s: %s", type(method).__name__, error)
        return BlockOutcome(Status.error, None, n_obs, np.nan, np.nan)
    result = dataclasses.replace(result, seconds=time.thread_time() - begun)
    status = Status(result.status)
    if not np.isfinite(result.estimate).all():
        return BlockOutcome(status if status != Status.ok else Status.model_failure, None, n_obs, np.nan, np.nan)
    variant = getattr(method, "diso", "hu2019")
    runs = ConstrainedRuns(model, block, theta, columns, series, site, n_obs, state)
    pairs = zip(aims, _averages(runs, aims, result.estimate[None]), strict=True)
    skills = [scores(x.T, aim.means[:, None], variant) for aim, x in pairs]
    diso, nse = max(float(s["diso"][0]) for s in skills), min(float(s["nse"][0]) for s in skills)
    return BlockOutcome(status, result, n_obs, diso, nse)


def _averages(runs: ConstrainedRuns, aims: list[Aim], candidates: Array) -> list[Array]:
    """Means (m, n) of the candidates' runs over each target's periods."""
    daily = runs.outputs(candidates)
    return [aim.average(daily[aim.target.variable]) for aim in aims]


def _run(method: Any, problem: PixelProblem, seeds: np.random.SeedSequence, warm: WarmStart | None) -> PixelResult:
    """One run of a method, from a warm start where there is one (methods that offer none never see it)."""
    result: PixelResult = method.run(problem, seeds) if warm is None else method.run(problem, seeds, warm)
    return result


def _carried(
    model: ProcessModel, blocks: tuple[Block, ...], outcomes: list[BlockOutcome], theta: Array, n: int
) -> Array | None:
    """Parameter vectors (n, P) that hold draws of the earlier blocks; None where nothing is to be carried."""
    sampled = [(b, o.result) for b, o in zip(blocks, outcomes, strict=True) if o.result and o.result.draws is not None]
    if n == 0 or not sampled:
        return None
    many = np.repeat(theta[None], n, axis=0)
    for block, result in sampled:
        assert result.draws is not None
        flat = result.draws.reshape(-1, result.draws.shape[2])
        order = np.lexsort(flat.T[::-1])  # along the first parameter: the few draws spread over the whole posterior
        for j, name in enumerate(block.fit):
            many[:, model.parameters.index(name)] = flat[order[(np.arange(n) * 2 + 1) * flat.shape[0] // (2 * n)], j]
    return many
