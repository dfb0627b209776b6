"""Screening of one pixel: its checks, its model runs in lanes, and what they give for each target."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from gridcal.calibration.likelihood import GaussianLikelihood
from gridcal.calibration.observations.observed import Aim, Observed
from gridcal.calibration.pixel import MINIMUM_OBSERVATIONS
from gridcal.calibration.status import Status
from gridcal.calibration.target import Target
from gridcal.kernels.series.aggregate import segment_mean
from gridcal.process.model import ProcessModel

Array = npt.NDArray[np.float64]
Daily = npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]

GROUP_BYTES = 64_000_000
"""Most bytes of daily model output held at a time; the lanes of a pixel are run in groups that fit."""


@dataclasses.dataclass(frozen=True)
class Periods:
    """The days of a target's periods that count at a pixel.

    Parameters
    ----------
    target : Target
        What is averaged.
    bins : int array, shape (T,)
        Period of each day, 0 to `count` - 1; of no meaning on days that do not count.
    count : int
        Periods.
    days : bool array, shape (T,)
        Days that count.
    observed : array, shape (count,), optional
        Means of the observations.
    """

    target: Target
    bins: npt.NDArray[np.int64]
    count: int
    days: Flags
    observed: Array | None = None

    def means(self, daily: Daily) -> Array:
        """Means of daily values (T, m) over each period, shape (m, count); NaN where a run is not finite on a day that counts.

        A row's numbers do not depend on the other rows.
        """
        means = segment_mean(daily, self.bins, self.count, self.days)
        with np.errstate(invalid="ignore", over="ignore"):
            broken = ~np.isfinite(daily[self.days].sum(axis=0))
        means[:, broken] = np.nan
        return np.ascontiguousarray(means.T)


def scored_periods(target: Target, labels: npt.NDArray[np.int64], inside: Flags) -> Periods:
    """Periods of a target over the days (T,) inside the scored part; labels (>= T,) are the periods of all days."""
    labels = labels[: inside.size]
    found, bins = np.unique(labels[inside], return_inverse=True)
    full = np.zeros(labels.size, dtype=np.int64)
    full[inside] = bins
    return Periods(target, full, int(found.size), inside)


def observed_periods(target: Target, labels: npt.NDArray[np.int64], inside: Flags, obs: Array) -> Periods | Status:
    """Periods with enough observed days and the means of these days, or why there are too few."""
    aim = Aim.of(target, Observed(np.where(inside, obs, np.nan), labels), obs.size)
    if aim.means.size < MINIMUM_OBSERVATIONS:
        return Status.insufficient_observations
    if aim.status != Status.ok:
        return aim.status
    periods = scored_periods(target, labels, aim.valid & aim.keep[aim.bins])
    return dataclasses.replace(periods, observed=aim.means)


def runs_of_pixel(
    model: ProcessModel,
    theta: Array,
    forcing: Sequence[Array],
    site: Array,
    state: Array | None,
    outputs: tuple[str, ...],
    group_bytes: int = GROUP_BYTES,
) -> Iterator[tuple[slice, Mapping[str, Daily]]]:
    """Run the candidates (P, m) of one pixel, a group of lanes that fits the memory at a time.

    Parameters
    ----------
    model : ProcessModel
        The model.
    theta : array, shape (P, m)
        Parameter sets, one a lane.
    forcing : sequence of arrays, each (T, 1)
        Time series, shared by all lanes.
    site : array, shape (S, 1)
        Site constants.
    state : array, shape (K, 1), optional
        State of the day before the first.
    outputs : tuple of str
        Names to return.
    group_bytes : int
        Most bytes of daily output at a time.

    Yields
    ------
    (slice, dict)
        Which candidates, and by output their daily values (T, lanes).
    """
    count, length = theta.shape[1], forcing[0].shape[0]
    blocks = max(group_bytes // (8 * length * len(outputs) * model.width), 1)
    group = int(blocks) * model.width
    for first in range(0, count, group):
        part = slice(first, min(first + group, count))
        found, _ = model.run(theta[:, part], forcing, site, state, outputs=outputs)
        yield part, dict(zip(outputs, found, strict=True))


def series_of_pixel(
    runs: Iterator[tuple[slice, Mapping[str, Daily]]],
    periods: Sequence[Periods | None],
    count: int,
    dead: Mapping[str, float],
    inside: Flags,
) -> tuple[list[Array | None], int]:
    """Period means of every target at every candidate, and how many candidates stay dead.

    Returns
    -------
    series : list of arrays, each (count, periods of the target)
        None where the target has no periods.
    n_dead : int
        Candidates of which an output of `dead` stays below its threshold on all scored days.
    """
    series = [None if p is None else np.empty((count, p.count)) for p in periods]
    n_dead = 0
    for part, daily in runs:
        for rows, p in zip(series, periods, strict=True):
            if rows is not None and p is not None:
                rows[part] = p.means(daily[p.target.variable])
        if dead:
            below = [daily[name][inside].max(axis=0) < least for name, least in dead.items()]
            n_dead += int(np.any(below, axis=0).sum())
    return series, n_dead


def cost_of(periods: Periods) -> Callable[[Array], Array]:
    """-2 log likelihood of period means (m, periods), up to a constant, as calibration computes it.

    With ``n_eff="ar1"`` the effective number of observations follows from the residuals of the best of the runs.
    """
    target = periods.target
    assert periods.observed is not None
    assert not isinstance(target.sigma, str)
    errors = GaussianLikelihood.of(target.likelihood, periods.observed, target.sigma, target.n_eff)

    def cost(series: Array) -> Array:
        likelihood = errors
        with np.errstate(invalid="ignore", over="ignore"):
            residuals = likelihood.residuals(series)
            square_sum = np.einsum("ij,ij->i", residuals, residuals)
            if target.n_eff == "ar1" and np.isfinite(square_sum).any():
                likelihood = likelihood.discounted(residuals[np.nanargmin(square_sum)])
            found = likelihood.cost(square_sum)
        return np.where(np.isfinite(square_sum), found, np.nan)

    return cost
