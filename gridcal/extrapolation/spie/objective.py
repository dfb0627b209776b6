"""The cost of parameters at sites, and its gradient: exact where a model offers one, finite differences for every other.

At each site J = (1 - NNSE) + lambda * constraint, with 1 - NNSE = SSE / (SSE + SST), 0 for a perfect model and 0.5 for the mean
of the observations (Bao et al. 2023, 10.1029/2022MS003464). Parameters are points of the unit cube of their table.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gridcal.errors import ConfigError, InputError
from gridcal.extrapolation.spie.site_series import SiteSeries
from gridcal.kernels.series.aggregate import segment_mean
from gridcal.process.judging import cost_of
from gridcal.process.model import ProcessModel
from gridcal.process.parameters import ParameterTable
from gridcal.vocabulary.periods import period_index

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
HARD_LIMIT = 0.01
"""With ``constraint = inf`` parameters whose constraint cost is larger are rejected."""
MOST_LANES = 512
"""Points of several sites that run together."""


class Objective(Protocol):
    """What calibration and training ask of an objective of n sites and d parameters."""

    names: tuple[str, ...]
    table: ParameterTable

    @property
    def n(self) -> int:
        """Number of sites."""

    def full(self, unit: Array) -> Array:
        """All parameters of the model (P, m), physical units, of points (m, d)."""

    def cost(self, unit: Array, which: Rows) -> Array:
        """J (m,) of points (m, d) at sites `which` (m,)."""

    def cost_gradient(self, unit: Array, which: Rows) -> tuple[Array, Array]:
        """J (m,) and its gradient (m, d) in the unit cube."""

    def with_constraint(self, constraint: float) -> Objective:
        """The same with another weight of the constraint."""


def site_objective(
    model: ProcessModel,
    series: SiteSeries,
    *,
    fit: Sequence[str] | None = None,
    constraint: float = 0.0,
    gradient: str = "auto",
    every: str = "daily",
    days: int | None = None,
    seed: int = 0,
    step: float = 1e-3,
    fixed: Mapping[str, float] | None = None,
) -> Objective:
    """Make the objective of a model at sites.

    Parameters
    ----------
    model : ProcessModel
        The model.
    series : SiteSeries
        Forcing and observations.
    fit : sequence of str, optional
        Parameters searched; all that are not inert without it.
    constraint : float
        Weight of the model's constraint on its response functions; ``inf`` rejects what violates it.
    gradient : {"auto", "exact", "differences"}
        Exact where the model offers it and `every` is daily, else one-sided differences in the unit cube.
    every : str
        Time scale of the comparison.
    days : int, optional
        Keep so many observed days a site, drawn once.
    seed : int
        Of that draw.
    step : float
        Step of the differences, as a share of the range; it flips its side at the upper bound.
    fixed : mapping, optional
        Values of the parameters not searched; their defaults without it.

    Raises
    ------
    ConfigError
        If an option does not fit the model.
    """
    names = tuple(fit) if fit is not None else tuple(p.name for p in model.parameters if not p.inert)
    base = model.parameters.default.copy()
    for name, value in (fixed or {}).items():
        base[model.parameters.index(name)] = value
    if days is not None:
        series = _subsampled(series, days, seed)
    if gradient not in ("auto", "exact", "differences"):
        raise ConfigError(f"unknown gradient {gradient!r}", "Use 'auto', 'exact' or 'differences'")
    able = model.site_days is not None and every == "daily" and len(series.observed) == 1
    if gradient == "exact" and not able:
        raise ConfigError(
            f"model {model.name!r} offers no exact gradient for this comparison", "Use gradient: differences, or every: daily"
        )
    if able and gradient != "differences":
        return ExactObjective(model, series, names, base, constraint)
    return DifferenceObjective(model, series, names, base, constraint, every, step)


class _Frame:
    """What both objectives share: the searched parameters and the constraint."""

    def __init__(self, model: ProcessModel, series: SiteSeries, names: tuple[str, ...], base: Array, constraint: float) -> None:
        self.model, self.series, self.names, self.base = model, series, names, base
        self.constraint = float(constraint)
        self.table: ParameterTable = model.parameters.select(names)
        self.columns = [model.parameters.index(name) for name in names]
        low, high, self._log = self.table.lower[:, None], self.table.upper[:, None], self.table.log[:, None]
        self._low, self._width = low, high - low
        self._span = np.log(np.where(self._log, high / np.where(self._log, low, 1.0), 1.0))

    @property
    def n(self) -> int:
        """Sites."""
        return self.series.n

    def full(self, unit: Array) -> Array:
        """All parameters (P, m) in physical units, of points (m, d)."""
        theta = np.repeat(self.base[:, None], unit.shape[0], axis=1)
        found = self._low + self._width * unit.T
        if self._log.any():
            found = np.where(self._log, self._low * np.exp(self._span * unit.T), found)
        theta[self.columns] = found
        return theta

    def slope(self, theta: Array) -> Array:
        """Derivative of the searched parameters with respect to the unit cube, (d, m)."""
        return np.where(self._log, theta[self.columns] * self._span, self._width)

    def constrained(self, error: Array, theta: Array) -> Array:
        """Error with the constraint added."""
        cost = cost_of(self.model, theta) if self.constraint else None
        if cost is None:
            return error
        if np.isinf(self.constraint):
            return np.where(cost > HARD_LIMIT, 1.0 + cost, error)
        return error + self.constraint * cost


class ExactObjective(_Frame):
    """Objective with the model's own gradient, all sites at once; see :func:`site_objective`."""

    def __init__(
        self, model: ProcessModel, series: SiteSeries, names: tuple[str, ...], base: Array, constraint: float, days: Any = None
    ) -> None:
        super().__init__(model, series, names, base, constraint)
        if model.site_days is None or (constraint and model.constraints and model.penalty_gradient is None):
            raise ConfigError(f"model {model.name!r} offers no exact gradient", "Use gradient: differences")
        (obs,) = series.observed.values()
        self.days: Any = days or model.site_days(series.forcing, series.site, obs, series.weight)

    def with_constraint(self, constraint: float) -> ExactObjective:
        """The same with another weight of the constraint; the data are shared."""
        return ExactObjective(self.model, self.series, self.names, self.base, constraint, self.days)

    def cost(self, unit: Array, which: Rows) -> Array:
        """J of points at sites, shape (m,)."""
        theta = self.full(unit)
        sse, _ = self.days.sse_gradient(theta, which)
        return self.constrained(self._error(sse, which), theta)

    def cost_gradient(self, unit: Array, which: Rows) -> tuple[Array, Array]:
        """J and its gradient in the unit cube."""
        theta = self.full(unit)
        sse, gradient = self.days.sse_gradient(theta, which)
        sst = self.days.sst[which]
        with np.errstate(all="ignore"):
            gradient = gradient * np.where(sst > 0.0, sst / (sse + sst) ** 2, 0.0)
        error = self._error(sse, which)
        if self.constraint and self.model.penalty_gradient is not None:
            penalty, slope = self.model.penalty_gradient(theta)
            if np.isinf(self.constraint):
                over = penalty > HARD_LIMIT
                error, gradient = np.where(over, 1.0 + penalty, error), np.where(over, slope, gradient)
            else:
                error, gradient = error + self.constraint * penalty, gradient + self.constraint * slope
        return error, (gradient[self.columns] * self.slope(theta)).T

    def _error(self, sse: Array, which: Rows) -> Array:
        with np.errstate(all="ignore"):
            return sse / (sse + self.days.sst[which])


class DifferenceObjective(_Frame):
    """Objective of any model: d + 1 runs of the compiled kernel in lanes give cost and gradient; see :func:`site_objective`."""

    def __init__(
        self,
        model: ProcessModel,
        series: SiteSeries,
        names: tuple[str, ...],
        base: Array,
        constraint: float,
        every: str = "daily",
        step: float = 1e-3,
    ) -> None:
        if not model._scheduled:  # fewer idle lanes: blocks of the size of one gradient
            model = dataclasses.replace(model, width=8 * -(-(len(names) + 1) // 8))
        super().__init__(model, series, names, base, constraint)
        self.every, self.step = every, step
        self._targets = [self._targets_of(s) for s in range(series.n)]

    def with_constraint(self, constraint: float) -> DifferenceObjective:
        """The same with another weight of the constraint."""
        return DifferenceObjective(self.model, self.series, self.names, self.base, constraint, self.every, self.step)

    def cost(self, unit: Array, which: Rows) -> Array:
        """J of points at sites, shape (m,); the points of a site run as lanes.

        Costly models run the points of several sites together where their series are equally long: a block of lanes takes the
        same time whether it is full or not.
        """
        theta = self.full(unit)
        which = np.asarray(which, dtype=np.int64)
        error = np.empty(which.size)
        for mine in self._bundles(which):
            error[mine] = self._errors(which[mine], theta[:, mine])
        return self.constrained(error, theta)

    def _bundles(self, which: Rows) -> Iterator[Rows]:
        """Places of the points that run together."""
        if not self.model._scheduled:
            for s in np.unique(which):
                yield np.flatnonzero(which == s)
            return
        length = np.array([t.size for t in self.series.time])[which]
        for size in np.unique(length):
            mine = np.flatnonzero(length == size)
            for first in range(0, mine.size, MOST_LANES):
                yield mine[first : first + MOST_LANES]

    def cost_gradient(self, unit: Array, which: Rows) -> tuple[Array, Array]:
        """J and its one-sided differences in the unit cube."""
        m, d = unit.shape
        steps = np.where(unit > 1.0 - self.step, -self.step, self.step)
        points = np.repeat(unit[:, None, :], d + 1, axis=1)
        places = np.arange(d)
        points[:, places + 1, places] += steps
        found = self.cost(points.reshape(m * (d + 1), d), np.repeat(which, d + 1)).reshape(m, d + 1)
        return found[:, 0], (found[:, 1:] - found[:, :1]) / steps

    def _targets_of(self, s: int) -> list[Any]:
        """Observations of a site at the scale of comparison: days used, their period, observed means, weights, SST."""
        labels, _ = period_index(self.series.time[s], self.every)
        found = []
        for name, obs in self.series.observed.items():
            y, w = obs[s], self.series.weight[s]
            valid = np.isfinite(y) & (w > 0.0)
            if not valid.any():
                continue
            bins = int(labels.max()) + 1
            total = np.bincount(labels[valid], weights=(y * w)[valid], minlength=bins)
            weight = np.bincount(labels[valid], weights=w[valid], minlength=bins)
            count = np.bincount(labels[valid], minlength=bins)
            used = count > 0
            with np.errstate(invalid="ignore"):
                mean = segment_mean(np.where(valid, y, np.nan)[:, None], labels, bins, valid)[:, 0]
            heavy = np.where(used, weight / np.maximum(count, 1), 0.0)
            centre = (
                float(total.sum() / weight.sum())
                if self.every == "daily"
                else float(np.average(mean[used], weights=heavy[used]))
            )
            sst = float((heavy[used] * (mean[used] - centre) ** 2).sum())
            found.append((name, labels, bins, valid, used, mean[used], heavy[used], sst))
        if not found:
            raise InputError(f"site {self.series.labels[s]!r} has no observation", "Leave it out")
        return found

    def _errors(self, which: Rows, theta: Array) -> Array:
        """1 - NNSE of parameter columns (P, m) at sites `which` (m,) of equally long series, the mean over the variables."""
        sites = np.unique(which)
        every = sites[:1] if sites.size == 1 else which
        forcing = [np.stack([self.series.forcing[s][q] for s in every], axis=1) for q in range(len(self.model.forcing))]
        site = np.ascontiguousarray(self.series.site[:, which])
        outputs = tuple(self.series.observed)
        runs, _ = self.model.run(theta, forcing, site if len(site) else None, outputs=outputs)
        series = dict(zip(outputs, runs, strict=True))
        error = np.zeros(theta.shape[1])
        for s in sites:
            mine = which == s
            targets = self._targets[s]
            for name, labels, bins, valid, used, mean, heavy, sst in targets:
                run = series[name] if sites.size == 1 else series[name][:, mine]
                simulated = run[valid] if self.every == "daily" else segment_mean(run, labels, bins, valid)[used]
                with np.errstate(all="ignore"):
                    sse = (heavy[:, None] * (simulated - mean[:, None]) ** 2).sum(axis=0)
                    error[mine] += np.where(np.isfinite(sse), sse / (sse + sst), np.nan) / len(targets)
        return error


def _subsampled(series: SiteSeries, days: int, seed: int) -> SiteSeries:
    """Keep `days` observed days a site; the draw of a site depends on the seed and its label alone."""
    if days < 10:
        raise ConfigError(f"days = {days} a site are too few", "Give at least 10, or none for all")
    observed: dict[str, list[Array]] = {k: [] for k in series.observed}
    for s, label in enumerate(series.labels):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(21, *label.encode())))
        seen = np.flatnonzero(np.logical_or.reduce([np.isfinite(v[s]) for v in series.observed.values()]))
        drop = rng.permutation(seen)[days:]
        for k, v in series.observed.items():
            y = v[s].copy()
            y[drop] = np.nan
            observed[k].append(y)
    return dataclasses.replace(series, observed={k: tuple(v) for k, v in observed.items()})
