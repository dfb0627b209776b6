"""The best parameters for a set of sites: one site (site calibration), a class, or all of them together."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np
import numpy.typing as npt

from gridcal.errors import ConfigError
from gridcal.extrapolation.spie.objective import Objective

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
EDGE = 0.01
"""A parameter within this share of its range of a bound hits its edge."""


@dataclasses.dataclass(frozen=True)
class SearchSettings:
    """How the optimum is searched.

    Parameters
    ----------
    optimiser : {"cmaes", "lbfgs"}
        CMA-ES (Hansen & Ostermeier 2001) as in the paper, or L-BFGS-B from several starts with the objective's gradient.
    max_evaluations : int
        Most evaluations of CMA-ES, of all sites together.
    restarts : int
        Its restarts, each with twice the population.
    polish : bool
        End CMA-ES with L-BFGS-B.
    starts : int
        Starts of L-BFGS-B; the first is the middle of the unit cube.
    """

    optimiser: Literal["cmaes", "lbfgs"] = "cmaes"
    max_evaluations: int = 5000
    restarts: int = 1
    polish: bool = True
    starts: int = 4

    def __post_init__(self) -> None:
        if self.optimiser not in ("cmaes", "lbfgs"):
            raise ConfigError(f"unknown optimiser {self.optimiser!r}", "Use 'cmaes' or 'lbfgs'")
        if self.max_evaluations < 20 or self.starts < 1 or self.restarts < 0:
            raise ConfigError("a search needs at least 20 evaluations and one start", "Raise max_evaluations or starts")


@dataclasses.dataclass(frozen=True)
class Optimum:
    """Result of a search.

    Parameters
    ----------
    unit : array, shape (d,)
        The best point of the unit cube.
    cost : float
        Mean J over the sites there.
    evaluations : int
        Points evaluated.
    edge_hit : bool array, shape (d,)
        Parameters within 1 % of their range of a bound.
    """

    unit: Array
    cost: float
    evaluations: int
    edge_hit: npt.NDArray[np.bool_]


def optimum(objective: Objective, rows: Rows, settings: SearchSettings, seed: np.random.SeedSequence) -> Optimum:
    """Minimise the mean cost over sites.

    Parameters
    ----------
    objective : Objective
        Of all sites.
    rows : int array
        The sites that count, with equal weights.
    settings : SearchSettings
        How.
    seed : SeedSequence
        Root of the random stream; nothing is drawn from global ones.
    """
    rows = np.asarray(rows, dtype=np.int64)
    d = len(objective.names)
    if settings.optimiser == "cmaes":
        best, n = _cmaes(objective, rows, settings, seed)
        starts = [best] if settings.polish else []
        value = float(_mean_cost(objective, rows, best[None])[0])
    else:
        rng = np.random.default_rng(seed)
        starts = [np.full(d, 0.5), *rng.uniform(0.1, 0.9, (settings.starts - 1, d))]
        best, value, n = starts[0], np.inf, 0
    for start in starts:
        found, cost, count = _descend(objective, rows, start)
        n += count
        if cost < value:
            best, value = found, cost
    return Optimum(best, value, n, (best < EDGE) | (best > 1.0 - EDGE))


def _mean_cost(objective: Objective, rows: Rows, unit: Array) -> Array:
    """Mean J over the sites of points (m, d); 10 where it is not finite."""
    m = unit.shape[0]
    cost = objective.cost(np.repeat(unit, rows.size, axis=0), np.tile(rows, m)).reshape(m, rows.size).mean(axis=1)
    return np.where(np.isfinite(cost), cost, 10.0)


def _cmaes(objective: Objective, rows: Rows, settings: SearchSettings, seed: np.random.SeedSequence) -> tuple[Array, int]:
    from gridcal.calibration.cmaes import CMAES
    from gridcal.calibration.problem import PixelProblem

    d = len(objective.names)
    problem = PixelProblem(
        names=objective.names,
        lower=np.zeros(d),
        upper=np.ones(d),
        step=np.zeros(d),
        log=np.zeros(d, dtype=bool),
        observations=np.empty(0),
        sigma=None,
        likelihood="profile",
        n_eff=None,
        simulate=lambda theta: np.empty((theta.shape[0], 0)),
        cost=lambda unit: _mean_cost(objective, rows, unit),
    )
    found = CMAES(max_evaluations=settings.max_evaluations, restarts=settings.restarts).run(problem, seed)
    return np.clip(found.estimate, 0.0, 1.0), found.n_runs


def _descend(objective: Objective, rows: Rows, start: Array) -> tuple[Array, float, int]:
    from scipy.optimize import minimize

    def cost(u: Array) -> tuple[float, Array]:
        value, slope = objective.cost_gradient(np.repeat(u[None], rows.size, axis=0), rows)
        if not (np.isfinite(value).all() and np.isfinite(slope).all()):
            return 10.0, np.zeros_like(u)
        return float(value.mean()), slope.mean(axis=0)

    found = minimize(cost, start, jac=True, method="L-BFGS-B", bounds=[(0.0, 1.0)] * start.size)
    return np.clip(found.x, 0.0, 1.0), float(found.fun), int(found.nfev)
