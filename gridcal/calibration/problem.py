"""A calibration problem of one pixel, and the record of its model runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from gridcal.calibration.likelihood import KINDS, GaussianLikelihood, Kind, is_constant
from gridcal.calibration.status import Status
from gridcal.errors import ConfigError
from gridcal.kernels.surrogate.emulator import FAILED_COST

Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class PixelProblem:
    """What a calibration method is given: bounds, observations, and a model to call.

    Parameters
    ----------
    names : tuple of str
        The d parameters.
    lower, upper : array, shape (d,)
        Bounds of the uniform prior, physical units.
    step : array, shape (d,)
        Size of whole steps the model sees (``ceil(theta / step) * step``); 0 for a continuous parameter.
    log : bool array, shape (d,)
        True where the model is smoother in the logarithm of the parameter; the prior stays uniform.
    observations : array, shape (T,)
        NaN where missing.
    sigma : float or array of shape (T,), optional
        Standard error of the observations, for ``likelihood="fixed"``.
    likelihood : {"profile", "fixed", "obs_variance"}
        See :class:`~gridcal.calibration.likelihood.GaussianLikelihood`.
    n_eff : float or "ar1", optional
        Effective number of observations; ``"ar1"``: from the lag-1 correlation of the residuals of the best first run. The
        number of observations by default.
    simulate : callable, optional
        Physical parameters (m, d) to outputs (m, T); a row that is not finite is a failed run. None where the model runs
        elsewhere (:class:`~gridcal.calibration.asktell.AskTell`).
    penalty : callable, optional
        Physical parameters (m, d) to a cost (m,) that is added to that of the observations; inf rejects.
    cost : callable, optional
        Physical parameters (m, d) to -2 log likelihood (m,) up to a constant, in place of `observations` and `simulate`.

    Raises
    ------
    ConfigError
        If shapes or bounds do not fit, or the likelihood lacks its sigma.
    """

    names: tuple[str, ...]
    lower: Array
    upper: Array
    step: Array
    log: npt.NDArray[np.bool_]
    observations: Array
    sigma: float | Array | None
    likelihood: Kind
    n_eff: float | Literal["ar1"] | None
    simulate: Callable[[Array], Array] | None
    penalty: Callable[[Array], Array] | None = None
    cost: Callable[[Array], Array] | None = None

    def __post_init__(self) -> None:
        d = len(self.names)
        for name, kind in (("lower", float), ("upper", float), ("step", float), ("log", bool), ("observations", float)):
            value = np.asarray(getattr(self, name), dtype=kind)
            object.__setattr__(self, name, value)
            if name != "observations" and value.shape != (d,):
                raise ConfigError(f"{name} has the shape {value.shape}, but there are {d} parameters", "Give one a name")
        if d == 0:
            raise ConfigError("a calibration problem has no parameter", "Name at least one")
        bad = [n for n, lo, hi in zip(self.names, self.lower, self.upper, strict=True) if not lo < hi]
        if bad:
            raise ConfigError(f"bounds of parameter {bad[0]!r} are not in order", "Give lower < upper")
        if self.likelihood not in KINDS:
            raise ConfigError(f"unknown likelihood {self.likelihood!r}", f"Use one of {', '.join(KINDS)}")
        if self.likelihood == "fixed" and self.sigma is None and self.cost is None:
            raise ConfigError("likelihood 'fixed' needs sigma", "Give a number or an array as long as the observations")
        if isinstance(self.n_eff, str) and self.n_eff != "ar1":
            raise ConfigError(f"unknown n_eff {self.n_eff!r}", "Use a number, 'ar1' or None")

    @property
    def d(self) -> int:
        """Number of parameters."""
        return len(self.names)

    def physical(self, unit: Array) -> Array:
        """Parameters in physical units of points (..., d) of the unit cube."""
        return self.lower + unit * (self.upper - self.lower)

    def unit(self, physical: Array) -> Array:
        """Points of the unit cube of parameters (..., d) in physical units."""
        return (physical - self.lower) / (self.upper - self.lower)

    def errors(self) -> GaussianLikelihood:
        """The likelihood of the observations' errors."""
        return GaussianLikelihood.of(self.likelihood, self.observations, self.sigma, self.n_eff)

    def precheck(self) -> Status:
        """``ok``, or why the observations cannot calibrate anything."""
        if self.cost is not None:
            return Status.ok
        observed = self.errors().observations
        if observed.size < len(self.names) + 2:
            return Status.insufficient_observations
        if is_constant(observed):
            return Status.constant_observation
        return Status.ok


class ModelRuns:
    """The model runs made so far: where, what they gave, and what they cost.

    Parameters
    ----------
    problem : PixelProblem
        The problem.
    keep_residuals : bool
        Store the residuals of every run.

    Attributes
    ----------
    unit : array, shape (n, d)
        Points in the unit cube.
    residuals : array, shape (n, n_obs)
        Scaled residuals; NaN for a failed run.
    penalty : array, shape (n,)
        Penalties; 0 without one.
    cost : array, shape (n,)
        Costs; :data:`~gridcal.kernels.surrogate.emulator.FAILED_COST` for a failed run.
    failed : bool array, shape (n,)
        Runs without a finite output.
    """

    def __init__(self, problem: PixelProblem, keep_residuals: bool = True) -> None:
        self.problem = problem
        self.likelihood = problem.errors()
        self.keep_residuals = keep_residuals and problem.cost is None
        self.unit = np.empty((0, problem.d))
        self.residuals = np.empty((0, self.likelihood.n if self.keep_residuals else 0))
        self.penalty = np.empty(0)
        self.cost = np.empty(0)
        self.failed = np.empty(0, dtype=bool)

    @property
    def n(self) -> int:
        """Number of runs, failed ones included."""
        return self.cost.size

    @property
    def n_good(self) -> int:
        """Number of runs with a finite cost."""
        return int((~self.failed).sum())

    def run(self, unit: Array) -> Array:
        """Run the model at points (m, d) of the unit cube and record it; returns the costs (m,)."""
        unit = np.atleast_2d(unit)
        model = self.problem.cost or self.problem.simulate
        if model is None:
            raise ConfigError("the problem has no model to run", "Give `simulate`, or drive the search with ask and tell")
        with np.errstate(invalid="ignore", over="ignore"):
            outputs = np.asarray(model(self.problem.physical(unit)), dtype=float)
        return self.record(unit, outputs)

    def costs(self, unit: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
        """Costs (m,) of model runs at points (m, d), and which of them failed, without a record."""
        model = self.problem.cost or self.problem.simulate
        assert model is not None
        with np.errstate(invalid="ignore", over="ignore"):
            outputs = np.asarray(model(self.problem.physical(unit)), dtype=float)
        cost, failed, _, _ = self._judge(unit, outputs)
        return cost, failed

    def record(self, unit: Array, outputs: Array) -> Array:
        """Record runs at points (m, d): outputs (m, T), or costs (m,) of a problem that is only a cost; returns the costs."""
        cost, failed, penalty, residuals = self._judge(unit, outputs)
        self.unit = np.concatenate([self.unit, unit])
        self.penalty = np.concatenate([self.penalty, penalty])
        self.cost = np.concatenate([self.cost, cost])
        self.failed = np.concatenate([self.failed, failed])
        if self.keep_residuals:
            self.residuals = np.concatenate([self.residuals, residuals])
        return cost

    def _judge(self, unit: Array, outputs: Array) -> tuple[Array, npt.NDArray[np.bool_], Array, Array]:
        """Cost, failure, penalty and residuals of runs."""
        penalty = np.zeros(unit.shape[0])
        if self.problem.penalty is not None:
            penalty = np.asarray(self.problem.penalty(self.problem.physical(unit)), dtype=float)
        with np.errstate(invalid="ignore", over="ignore"):
            if self.problem.cost is not None:
                residuals = np.empty((unit.shape[0], 0))
                cost = outputs + penalty
            else:
                residuals = self.likelihood.residuals(outputs)
                square_sum = np.einsum("ij,ij->i", residuals, residuals)
                if self.n == 0 and self.problem.n_eff == "ar1" and np.isfinite(square_sum).any():
                    self.likelihood = self.likelihood.discounted(residuals[np.nanargmin(square_sum)])
                cost = self.likelihood.cost(square_sum) + penalty
        failed = ~(np.isfinite(cost) & (cost < FAILED_COST))
        return np.where(failed, FAILED_COST, cost), failed, penalty, residuals
