"""What a block's targets have seen at a pixel, and the calibration problem that makes of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from gridcal.calibration.constrained import ConstrainedRuns
from gridcal.calibration.likelihood import GaussianLikelihood, is_constant
from gridcal.calibration.problem import PixelProblem
from gridcal.calibration.status import Status
from gridcal.calibration.target import Block, Target
from gridcal.kernels.series.aggregate import segment_mean
from gridcal.process.model import ProcessModel

Array = npt.NDArray[np.float64]


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


@dataclasses.dataclass(frozen=True)
class Aim:
    """A target's periods with enough observations: how to average a run, the observed means and their errors."""

    target: Target
    bins: npt.NDArray[np.int64]
    valid: npt.NDArray[np.bool_]
    keep: npt.NDArray[np.bool_]
    means: Array
    sigma: Array | float | None

    @classmethod
    def of(cls, target: Target, seen: Observed, length: int) -> Aim:
        """From the first `length` days."""
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
        """``ok``, or that the observed means do not vary."""
        return Status.constant_observation if is_constant(self.means) else Status.ok

    def likelihood(self) -> GaussianLikelihood:
        """Of this target alone."""
        return GaussianLikelihood.of(self.target.likelihood, self.means, self.sigma, self.target.n_eff)


def problem_of_block(
    model: ProcessModel,
    block: Block,
    aims: list[Aim],
    averages: Callable[[Array], list[Array]],
    runs: ConstrainedRuns,
) -> PixelProblem:
    """The problem of a block.

    One target is taken as it is; several whose errors are known make one series of scaled residuals; of others the costs add.
    """
    penalty = runs.penalty if runs.constraints else None
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
