"""Calibration of one pixel: its checks, its problem, its blocks one after the other."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from gridcal.calibration.likelihood import GaussianLikelihood
from gridcal.calibration.problem import PixelProblem
from gridcal.calibration.result import PixelResult
from gridcal.calibration.status import Status
from gridcal.kernels.aggregate import segment_mean
from gridcal.kernels.metrics import scores
from gridcal.model import ProcessModel
from gridcal.target import Block, Target

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


@dataclasses.dataclass(frozen=True)
class Observed:
    """Daily observations of a target at one pixel.

    Parameters
    ----------
    values : array, shape (T,)
        NaN where there is none.
    label : int array, shape (T,)
        Period of each day at the target's scale.
    sigma : array, shape (T,), optional
        Standard error of each.
    """

    values: Array
    label: npt.NDArray[np.int64]
    sigma: Array | None = None


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
        outcome = _calibrate_block(model, block, method, forcing, site, seen, theta, seeds, state)
        if outcome.result is not None:
            for name, value in zip(block.fit, outcome.result.estimate, strict=True):
                theta[model.parameters.index(name)] = value
        elif outcome.status != Status.ok:
            broken = outcome.status
        outcomes.append(outcome)
    if broken is not None:
        theta[:] = np.nan
    return PixelOutcome(theta, tuple(outcomes))


@dataclasses.dataclass(frozen=True)
class _Aim:
    """A target's periods with enough observations: how to average a run, the observed means and their errors."""

    target: Target
    bins: npt.NDArray[np.int64]
    valid: npt.NDArray[np.bool_]
    keep: npt.NDArray[np.bool_]
    means: Array
    sigma: Array | float | None

    @classmethod
    def of(cls, target: Target, seen: Observed, length: int) -> _Aim:
        obs, label = seen.values[:length], seen.label
        bins = label[:length].astype(np.int64)
        n_bins = int(bins.max()) + 1
        valid = np.isfinite(obs)
        if seen.sigma is not None:
            valid = valid & np.isfinite(seen.sigma[:length])
        size = np.bincount(label, minlength=n_bins)[:n_bins]
        count = np.bincount(bins, weights=valid, minlength=n_bins)
        keep = count >= np.maximum(target.min_fraction * np.maximum(size, 1), 1)

        def mean(x: Array) -> Array:
            return np.asarray(segment_mean(np.ascontiguousarray(x[:, None]), bins, n_bins, valid)[keep, 0])

        sigma = mean(seen.sigma[:length]) if seen.sigma is not None else target.sigma
        assert not isinstance(sigma, str)
        return cls(target, bins, valid, keep, mean(obs), sigma)

    def average(self, daily: npt.NDArray[np.floating]) -> Array:
        """Means (m, n) of daily runs (T, m)."""
        found = segment_mean(daily, self.bins, int(self.keep.size), self.valid)[self.keep]
        return np.asarray(found.T, dtype=np.float64, order="C")

    @property
    def status(self) -> Status:
        return Status.constant_observation if self.means.size and float(np.ptp(self.means)) == 0.0 else Status.ok

    def likelihood(self) -> GaussianLikelihood:
        """Of this target alone."""
        one = PixelProblem(
            names=("x",), lower=np.zeros(1), upper=np.ones(1), step=np.zeros(1), log=np.zeros(1, dtype=bool),
            observations=self.means, sigma=self.sigma, likelihood=self.target.likelihood, n_eff=self.target.n_eff,
            simulate=lambda u: u,
        )  # fmt: skip
        return GaussianLikelihood.of(one)


def _calibrate_block(
    model: ProcessModel,
    block: Block,
    method: Any,
    forcing: list[Array],
    site: Array,
    seen: list[Observed],
    theta: Array,
    seeds: np.random.SeedSequence,
    state: Array | None,
) -> BlockOutcome:
    ends = [np.flatnonzero(np.isfinite(o.values)) for o in seen]
    if any(days.size == 0 for days in ends):
        return BlockOutcome(Status.insufficient_observations, None, 0, np.nan, np.nan)
    last = max(int(days[-1]) for days in ends) + 1
    series = [x[:last] for x in forcing]
    if not all(np.isfinite(x).all() for x in series):
        return BlockOutcome(Status.forcing_gap, None, 0, np.nan, np.nan)
    aims = [_Aim.of(target, o, last) for target, o in zip(block.targets, seen, strict=True)]
    n_obs = sum(aim.means.size for aim in aims)
    if min(aim.means.size for aim in aims) < MINIMUM_OBSERVATIONS or n_obs < 2 * len(block.fit):
        return BlockOutcome(Status.insufficient_observations, None, n_obs, np.nan, np.nan)
    for aim in aims:
        if aim.status != Status.ok:
            return BlockOutcome(aim.status, None, n_obs, np.nan, np.nan)

    columns = [model.parameters.index(name) for name in block.fit]
    wanted = tuple(dict.fromkeys(aim.target.variable for aim in aims))

    def full(candidates: Array) -> Array:
        many = np.repeat(theta[:, None], candidates.shape[0], axis=1)
        many[columns] = candidates.T
        return many

    def averages(candidates: Array) -> list[Array]:
        many = full(np.atleast_2d(candidates))
        places = np.repeat(site, many.shape[1], axis=1)
        start = None if state is None else np.repeat(state, many.shape[1], axis=1)
        daily, _ = model.run(many, series, places, start, outputs=wanted)
        found = dict(zip(wanted, daily, strict=True))
        return [aim.average(found[aim.target.variable]) for aim in aims]

    penalty = None
    if model.penalty is not None and block.constraint > 0.0:
        weight = block.constraint * n_obs
        cost = model.penalty

        def penalty(candidates: Array) -> Array:
            return np.asarray(weight * cost(full(np.atleast_2d(candidates))), dtype=np.float64)

    problem = _problem(model, block, aims, averages, penalty)
    try:
        result = method.run(problem, seeds)
    except (ArithmeticError, ValueError, np.linalg.LinAlgError) as error:
        log.warning("a pixel failed in %s: %s", type(method).__name__, error)
        return BlockOutcome(Status.error, None, n_obs, np.nan, np.nan)
    status = Status(result.status)
    if not np.isfinite(result.estimate).all():
        return BlockOutcome(status if status != Status.ok else Status.model_failure, None, n_obs, np.nan, np.nan)
    skills = [scores(x.T, aim.means[:, None]) for aim, x in zip(aims, averages(result.estimate[None]), strict=True)]
    diso, nse = max(float(s["diso"][0]) for s in skills), min(float(s["nse"][0]) for s in skills)
    return BlockOutcome(status, result, n_obs, diso, nse)


def _problem(
    model: ProcessModel,
    block: Block,
    aims: list[_Aim],
    averages: Callable[[Array], list[Array]],
    penalty: Callable[[Array], Array] | None,
) -> PixelProblem:
    """The problem of a block.

    One target is taken as it is; several whose errors are known make one series of scaled residuals; of others the costs add.
    """
    table = model.parameters.select(block.fit)
    bounds: dict[str, Any] = {
        "names": block.fit,
        "lower": table.lower,
        "upper": table.upper,
        "step": table.step,
        "log": table.log,
    }
    if len(aims) == 1:
        (aim,) = aims
        return PixelProblem(
            **bounds, observations=aim.means, sigma=aim.sigma, likelihood=aim.target.likelihood, n_eff=aim.target.n_eff,
            simulate=lambda u: averages(u)[0], penalty=penalty,
        )  # fmt: skip
    rules = [aim.likelihood() for aim in aims]
    if not any(rule.is_profile or aim.target.n_eff == "ar1" for rule, aim in zip(rules, aims, strict=True)):
        sigma = [np.full(aim.means.size, np.nan) for aim in aims]
        for s, rule in zip(sigma, rules, strict=True):
            s[rule.valid] = rule.sigma * np.sqrt(rule.n / rule.n_eff)
        return PixelProblem(
            **bounds, observations=np.concatenate([aim.means for aim in aims]), sigma=np.concatenate(sigma),
            likelihood="fixed", n_eff=None, simulate=lambda u: np.concatenate(averages(u), axis=1), penalty=penalty,
        )  # fmt: skip

    def total(candidates: Array) -> Array:
        cost = np.zeros(np.atleast_2d(candidates).shape[0])
        for k, simulated in enumerate(averages(candidates)):
            residuals = rules[k].residuals(simulated)
            square_sum = np.einsum("ij,ij->i", residuals, residuals)
            if aims[k].target.n_eff == "ar1" and not discounted[k] and np.isfinite(square_sum).any():
                rules[k] = rules[k].discounted(residuals[np.nanargmin(square_sum)])
                discounted[k] = True
            cost += rules[k].cost(square_sum)
        return cost

    discounted = [False] * len(aims)
    none = np.zeros(0)
    return PixelProblem(
        **bounds, observations=none, sigma=None, likelihood="profile", n_eff=None,
        simulate=lambda u: np.concatenate(averages(u), axis=1), penalty=penalty, cost=total,
    )  # fmt: skip
