"""CMA-ES: the optimum of one pixel by covariance matrix adaptation (Hansen and Ostermeier 2001), with restarts."""

from __future__ import annotations

import dataclasses
import warnings
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from gridcal.calibration.options import whole, within
from gridcal.calibration.problem import ModelRuns, PixelProblem
from gridcal.calibration.result import PixelResult
from gridcal.calibration.status import Status

Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class CMAES:
    """Covariance matrix adaptation evolution strategy in the unit cube.

    Parameters
    ----------
    max_evaluations : int
        Most model runs, all counted.
    restarts : int
        Restarts after convergence, each with twice the population and a new start (IPOP-CMA-ES).
    popsize : int, optional
        Runs in a generation; 4 + 3 log(d) by default.
    sigma0 : float
        First step size, in units of the parameter ranges.
    polish : bool
        End with a bounded Nelder-Mead search from the best run.

    Raises
    ------
    ConfigError
        If an option has an impossible value.

    Examples
    --------
    >>> CMAES(max_evaluations=1000).draw_shape is None
    True
    """

    max_evaluations: int = 5000
    restarts: int = 1
    popsize: int | None = None
    sigma0: float = 0.25
    polish: bool = False

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        for name, least in (("max_evaluations", 10), ("restarts", 0), ("popsize", 4)):
            whole(self, name, least)
        within(self, "sigma0", 0.0, 1.0)

    @property
    def draw_shape(self) -> None:
        """No posterior draws are stored."""
        return

    def run(self, problem: PixelProblem, seed: np.random.SeedSequence) -> PixelResult:
        """Find the optimum of one pixel.

        Parameters
        ----------
        problem : PixelProblem
            The problem.
        seed : SeedSequence
            Root of the random stream. The result depends on the problem and the seed alone.

        Returns
        -------
        PixelResult
            `estimate` and `map` are the best run; posterior summaries are NaN and `draws` None.
        """
        status = problem.precheck()
        if status != Status.ok:
            return PixelResult.empty(problem.d, status)
        rng = np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key))
        runs = ModelRuns(problem, keep_residuals=False)
        runs.run(np.full((1, problem.d), 0.5))
        popsize = self.popsize or 4 + int(3 * np.log(problem.d))
        stopped = False
        for restart in range(self.restarts + 1):
            size = popsize * 2**restart
            if runs.n + size > self.max_evaluations:
                break
            start = np.full(problem.d, 0.5) if restart == 0 else rng.random(problem.d)
            stopped = self._descend(runs, start, size, rng)
        if self.polish and runs.n_good:
            self._polish(runs)
        if not runs.n_good:
            return PixelResult.empty(problem.d, Status.model_failure, None, runs.n, int(runs.failed.sum()))
        return PixelResult.of_best(runs, Status.ok if stopped else Status.not_converged)

    def _descend(self, runs: ModelRuns, start: Array, popsize: int, rng: np.random.Generator) -> bool:
        """One descent; whether it converged before the budget was spent.

        The library needs two coordinates: a single parameter gets an idle second one.
        """
        d = runs.problem.d
        if d == 1:
            start = np.append(start, 0.5)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import cma

            strategy = cma.CMAEvolutionStrategy(
                start,
                self.sigma0,
                {
                    "bounds": [0.0, 1.0],
                    "popsize": popsize,
                    "randn": lambda *shape: rng.standard_normal(shape),
                    "seed": float("nan"),
                    "verbose": -9,
                    "verb_log": 0,
                    "maxiter": float("inf"),
                },
            )
            while not strategy.stop():
                if runs.n + popsize > self.max_evaluations:
                    return False
                points = strategy.ask()
                cost = runs.run(np.clip(np.asarray(points)[:, :d], 0.0, 1.0))
                strategy.tell(points, list(cost))
        return True

    def _polish(self, runs: ModelRuns) -> None:
        """Bounded Nelder-Mead search from the best run, with what is left of the budget."""
        from scipy.optimize import minimize

        left = self.max_evaluations - runs.n
        if left < 4 * runs.problem.d:
            return
        minimize(
            lambda u: float(runs.run(np.asarray(u)[None])[0]),
            runs.unit[int(np.argmin(runs.cost))],
            method="Nelder-Mead",
            bounds=[(0.0, 1.0)] * runs.problem.d,
            options={"maxfev": left, "xatol": 1e-6, "fatol": 1e-8, "initial_simplex": None},
        )
