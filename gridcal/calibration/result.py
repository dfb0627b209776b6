"""What a calibration method returns for one pixel."""

from __future__ import annotations

import dataclasses
import enum

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from gridcal.calibration.problem import ModelRuns, PixelProblem
from gridcal.calibration.status import Status
from gridcal.calibration.warm import WarmStart

Array = npt.NDArray[np.float64]


EDGE_LIMIT = 0.1
"""Share of draws near one bound from which it is flagged (0.01 under the prior)."""
FEW_DRAWS = 400


class Flag(enum.IntFlag):
    """What the reader of a result should know, beside its status; bits of the CF flag variable ``flags``."""

    poor_mean = 1
    """The model at the mean costs more than the best run by above the 95 % quantile of chi-squared with d degrees."""
    edge_hit = 2
    """More than a tenth of the draws lie within 1 % of a bound."""
    few_draws = 4
    """Effective sample size below 400."""
    heavy_weights = 8
    """Pareto shape of the verification weights above 0.7, and their effective share below 0.9."""
    failed_runs = 16
    """The model failed at some parameter sets."""


def raise_flags(result: PixelResult) -> Flag:
    """Flags of a result."""
    flags = Flag(0)
    edges = [e for e in (result.edge_lower, result.edge_upper) if e is not None]
    if result.cost - result.cost_best > chi2.ppf(0.95, result.estimate.size):
        flags |= Flag.poor_mean
    if any((e > EDGE_LIMIT).any() for e in edges):
        flags |= Flag.edge_hit
    if result.ess < FEW_DRAWS:
        flags |= Flag.few_draws
    if result.khat > 0.7 and result.ess_ratio < 0.9:  # nearly even weights have no tail to speak of
        flags |= Flag.heavy_weights
    if result.n_failed:
        flags |= Flag.failed_runs
    return flags


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
    cost_mean : float
        Mean cost of the draws (of the surrogate, where there is one).
    gelman_rubin : float
        Classical factor of the reported chain, largest over the parameters.
    acceptance : float
        Share of accepted steps of the reported chain.
    khat : float
        Pareto shape of the last verification's importance weights; above 0.7 `ess_ratio` is not to be trusted.
    edge_lower, edge_upper : array, shape (d,), optional
        Share of draws within 1 % of the range of the lower and of the upper bound.
    correlation : array, shape (d, d), optional
        Of the draws.
    rmse_trace : array, shape (iteration,), optional
        Error of the surrogate's cost at the runs of each iteration, before it learnt them.
    seconds : float
        Processor time of the method and the model.
    flags : int
        Bits of :class:`Flag`.
    warm : WarmStart, optional
        What a neighbour's search can begin from.
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
    cost_mean: float = float("nan")
    gelman_rubin: float = float("nan")
    acceptance: float = float("nan")
    khat: float = float("nan")
    edge_lower: Array | None = None
    edge_upper: Array | None = None
    correlation: Array | None = None
    rmse_trace: Array | None = None
    seconds: float = float("nan")
    flags: int = 0
    warm: WarmStart | None = None

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

    @classmethod
    def of_best(cls, runs: ModelRuns, status: Status) -> PixelResult:
        """Result of a method that gives a point and no posterior: the best of its runs, one of which at least is good."""
        best = int(np.argmin(runs.cost))
        problem, unit = runs.problem, runs.unit[best]
        nan, point = np.full(problem.d, np.nan), problem.physical(unit)
        return cls(
            estimate=point,
            map=point,
            median=nan,
            sd=nan,
            q05=nan,
            q95=nan,
            draws=None,
            cost=float(runs.cost[best]),
            cost_best=float(runs.cost[best]),
            n_runs=runs.n,
            rhat=float("nan"),
            ess=float("nan"),
            surrogate_rmse=float("nan"),
            ess_ratio=float("nan"),
            edge_hit=((unit < 0.01) | (unit > 0.99)).astype(float),
            status=int(status),
            constant=runs.likelihood.constant if problem.cost is None else 0.0,
            n_failed=int(runs.failed.sum()),
        )


def pool(results: list[PixelResult], problem: PixelProblem) -> PixelResult:
    """One result from runs of the same block given several draws of the earlier ones.

    Draws are pooled in equal shares, means and variances combined; runs add up; the worst status, R-hat and weights stand for
    all. `cost` is that of `problem` at the pooled mean, one more model run.

    Parameters
    ----------
    results : list of PixelResult
        With draws.
    problem : PixelProblem
        The block given the earlier blocks' estimates.
    """
    good = [r for r in results if np.isfinite(r.estimate).all() and r.draws is not None]
    if not good:
        return results[0]
    means, variances = np.stack([r.estimate for r in good]), np.stack([r.sd**2 for r in good])
    every = len(good)
    stacked = np.stack([r.draws for r in good if r.draws is not None])  # (run, chain, draw, d)
    n_chain, n_draw, d = stacked.shape[1:]
    draws = np.empty((n_chain, n_draw, d))
    for i in range(n_draw):
        draws[:, i] = stacked[i % every, :, i]
    flat = draws.reshape(-1, d)
    estimate = means.mean(axis=0)
    runs = ModelRuns(problem, keep_residuals=False)
    cost = float(runs.run(problem.unit(estimate)[None])[0])
    quantiles = np.quantile(stacked.reshape(-1, d), [0.05, 0.5, 0.95], axis=0)
    worst = max(good, key=lambda r: r.status)

    def mean_of(name: str) -> Array | None:
        values = [getattr(r, name) for r in good]
        return None if values[0] is None else np.mean(values, axis=0)

    best = min(good, key=lambda r: r.cost_best)
    result = dataclasses.replace(
        worst,
        estimate=estimate,
        map=best.map,
        median=quantiles[1],
        sd=np.sqrt(variances.mean(axis=0) + means.var(axis=0)),
        q05=quantiles[0],
        q95=quantiles[2],
        draws=draws,
        cost=cost if not runs.failed[-1] else float("nan"),
        cost_best=min(best.cost_best, cost),
        cost_mean=float(np.mean([r.cost_mean for r in good])),
        n_runs=sum(r.n_runs for r in results) + 1,
        n_failed=sum(r.n_failed for r in results) + int(runs.failed.sum()),
        rhat=max(r.rhat for r in good),
        gelman_rubin=max(r.gelman_rubin for r in good),
        ess=sum(r.ess for r in good),
        ess_ratio=min(r.ess_ratio for r in good),
        khat=max(r.khat for r in good),
        edge_hit=np.mean([r.edge_hit for r in good], axis=0),
        edge_lower=mean_of("edge_lower"),
        edge_upper=mean_of("edge_upper"),
        correlation=np.corrcoef(flat.T).reshape(d, d) if (flat.std(axis=0) > 0).all() else None,
    )
    return dataclasses.replace(result, flags=int(raise_flags(result)))
