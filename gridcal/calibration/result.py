"""What a calibration method returns for one pixel."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from gridcal.calibration.status import Status

Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class PixelResult:
    """Estimate, posterior summary and diagnostics of one pixel and block.

    Parameters
    ----------
    estimate : array, shape (d,)
        Posterior mean (optimum for a method without draws), physical units.
    map : array, shape (d,)
        Model run of lowest cost.
    median, sd, q05, q95 : array, shape (d,)
        Posterior median, standard deviation and quantiles; NaN for a method without draws.
    draws : array, shape (chain, draw, d), or None
        Thinned posterior draws.
    cost : float
        -2 log likelihood, up to `constant`, of the real model at `estimate`, with the penalty.
    cost_best : float
        The same of the best model run.
    n_runs : int
        Model runs, all of them.
    rhat : float
        Rank-normalised split R-hat of the reported chain, largest over the parameters.
    ess : float
        Effective sample size of the reported chain, smallest over the parameters.
    surrogate_rmse : float
        Root-mean-square error of the surrogate's cost at model runs it had not seen.
    ess_ratio : float
        Effective share of the last verification draws under importance weights; 1 for an exact surrogate.
    edge_hit : array, shape (d,)
        Share of draws within 1 % of the range of a bound (0.02 under the prior).
    status : int
        Code of :class:`~gridcal.calibration.status.Status`.
    constant : float
        What `cost` lacks to be -2 log likelihood.
    n_failed : int
        Model runs without a finite output.
    """

    estimate: Array
    map: Array
    median: Array
    sd: Array
    q05: Array
    q95: Array
    draws: Array | None
    cost: float
    cost_best: float
    n_runs: int
    rhat: float
    ess: float
    surrogate_rmse: float
    ess_ratio: float
    edge_hit: Array
    status: int
    constant: float = float("nan")
    n_failed: int = 0

    @classmethod
    def empty(
        cls, d: int, status: Status, draw_shape: tuple[int, int] | None = None, n_runs: int = 0, n_failed: int = 0
    ) -> PixelResult:
        """Result of a pixel that could not be calibrated: NaN and a code."""
        nan = np.full(d, np.nan)
        return cls(
            estimate=nan,
            map=nan,
            median=nan,
            sd=nan,
            q05=nan,
            q95=nan,
            draws=None if draw_shape is None else np.full((*draw_shape, d), np.nan),
            cost=np.nan,
            cost_best=np.nan,
            n_runs=n_runs,
            rhat=np.nan,
            ess=np.nan,
            surrogate_rmse=np.nan,
            ess_ratio=np.nan,
            edge_hit=nan,
            status=int(status),
            n_failed=n_failed,
        )
