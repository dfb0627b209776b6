"""Calibration of one pixel: its checks, its problem, its blocks one after the other."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from typing import Any

import numpy as np
import numpy.typing as npt

from gridcal.calibration.constrained import ConstrainedRuns
from gridcal.calibration.problem import PixelProblem
from gridcal.calibration.result import PixelResult
from gridcal.calibration.status import Status
from gridcal.kernels.aggregate import segment_mean
from gridcal.kernels.metrics import scores
from gridcal.model import ProcessModel
from gridcal.target import Block

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
    observations: list[Array],
    labels: list[npt.NDArray[np.int64]],
    theta: Array,
    use: bool,
    seed: int,
    number: int,
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
    observations : list of arrays, each (T,)
        Daily observations of each block's target; NaN where there is none.
    labels : list of int arrays, each (T,)
        Period of each day at the scale of each block's target.
    theta : array, shape (P,)
        Start values; the result keeps those no block fits.
    use : bool
        False where the mask leaves the pixel out.
    seed, number : int
        The run's seed and the pixel's number: the random stream is SeedSequence(seed, spawn_key=(1, block, number)).
    """
    theta = theta.copy()
    outcomes = []
    broken = None if use else Status.masked
    if broken is None and not (np.isfinite(site).all() and np.isfinite(theta).all()):
        broken = Status.forcing_gap
    for k, (block, obs, label) in enumerate(zip(blocks, observations, labels, strict=True)):
        if broken is not None:
            outcomes.append(BlockOutcome(broken, None, 0, np.nan, np.nan))
            continue
        seeds = np.random.SeedSequence(seed, spawn_key=(1, k, number))
        outcome = _calibrate_block(model, block, method, forcing, site, obs, label, theta, seeds)
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
    obs: Array,
    label: npt.NDArray[np.int64],
    theta: Array,
    seeds: np.random.SeedSequence,
) -> BlockOutcome:
    days = np.flatnonzero(np.isfinite(obs))
    if days.size == 0:
        return BlockOutcome(Status.insufficient_observations, None, 0, np.nan, np.nan)
    last = int(days[-1]) + 1
    obs, series = obs[:last], [x[:last] for x in forcing]
    if not all(np.isfinite(x).all() for x in series):
        return BlockOutcome(Status.forcing_gap, None, 0, np.nan, np.nan)
    bins = label[:last].astype(np.int64)
    n_bins = int(bins.max()) + 1
    valid = np.isfinite(obs)
    length = np.bincount(label, minlength=n_bins)[:n_bins]
    count = np.bincount(bins, weights=valid, minlength=n_bins)
    keep = count >= np.maximum(block.to.min_fraction * np.maximum(length, 1), 1)
    target = segment_mean(np.ascontiguousarray(obs[:, None]), bins, n_bins, valid)[:, 0]
    target = np.where(keep, target, np.nan)[keep]
    n_obs = int(target.size)
    if n_obs < max(MINIMUM_OBSERVATIONS, 2 * len(block.fit)):
        return BlockOutcome(Status.insufficient_observations, None, n_obs, np.nan, np.nan)
    if float(np.ptp(target)) == 0.0:
        return BlockOutcome(Status.constant_observation, None, n_obs, np.nan, np.nan)

    columns = [model.parameters.index(name) for name in block.fit]
    table = model.parameters.select(block.fit)
    runs = ConstrainedRuns(model, block, theta, columns, series, site, n_obs)

    def simulate(candidates: Array) -> Array:
        daily = runs.outputs(candidates)[block.to.variable]
        return np.asarray(segment_mean(daily, bins, n_bins, valid)[keep].T, dtype=np.float64, order="C")

    problem = PixelProblem(
        names=block.fit,
        lower=table.lower,
        upper=table.upper,
        step=table.step,
        log=table.log,
        observations=target,
        sigma=block.to.sigma,
        likelihood=block.to.likelihood,
        n_eff=block.to.n_eff,
        simulate=simulate,
        penalty=runs.penalty if runs.constraints else None,
    )
    try:
        result = method.run(problem, seeds)
    except (ArithmeticError, ValueError, np.linalg.LinAlgError) as error:
        log.warning("a pixel failed in %s: %s", type(method).__name__, error)
        return BlockOutcome(Status.error, None, n_obs, np.nan, np.nan)
    status = Status(result.status)
    if not np.isfinite(result.estimate).all():
        return BlockOutcome(status if status != Status.ok else Status.model_failure, None, n_obs, np.nan, np.nan)
    fitted = simulate(result.estimate[None])
    skill = scores(fitted.T, target[:, None])
    return BlockOutcome(status, result, n_obs, float(skill["diso"][0]), float(skill["nse"][0]))
