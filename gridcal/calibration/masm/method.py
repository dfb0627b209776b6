"""MASM: Bayesian calibration of one pixel with an adaptive surrogate of the model (Ma et al. 2022)."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from gridcal.calibration.asktell import AskTell
from gridcal.calibration.masm.search import Search
from gridcal.calibration.masm.settings import Settings
from gridcal.calibration.options import one_of, several, whole, within
from gridcal.calibration.problem import PixelProblem
from gridcal.calibration.result import PixelResult, raise_flags
from gridcal.calibration.warm import WarmStart
from gridcal.errors import ConfigError
from gridcal.kernels.sampling.moments import face_mass, mean_and_sd

Array = npt.NDArray[np.float64]
_ITERATIONS = {"default": 50, "paper": 200, "asmo-pode": 10}


@dataclasses.dataclass(frozen=True)
class MASM:
    """Modified adaptive surrogate modelling.

    A design of model runs trains a surrogate; a chain on the surrogate's posterior says where to run the model next; draws
    of a full-length chain are verified with the model. The posterior is reported once the draws' importance weights are even
    (`threshold`), the chain of the surrogate that has learnt them agrees with the verified one (`drift_tolerance`), and the
    model, run at the best point of each face of the box the surrogate was trained in, finds nothing there.

    Parameters
    ----------
    preset : {"default", "paper", "asmo-pode"}
        ``default``: emulates the outputs, samples with an annealed population, stops when verified. ``paper``: emulates the
        cost, adaptive Metropolis chains, 18 d + 5 x 200 runs and one at the mean, Gelman-Rubin factor below 1.2 within ten
        cycles; combine it with a target's ``likelihood="obs_variance"``. ``asmo-pode``: the same with the 10 iterations that
        the original ASMO-PODE takes by default. Options left at None take the preset's value.
    n_init : int, optional
        Design points; 6 d (``default``), 18 d (other presets or ``emulate="cost"``).
    q : int
        Model runs chosen in an iteration.
    n_iter : int, optional
        Most iterations; 50 / 200 / 10.
    max_runs : int, optional
        Most model runs, all counted; 110 for d <= 4, 350 for d <= 8, 350 + 60 (d - 8) beyond; in the ``paper`` preset as many
        as `n_init`, `q` and `n_iter` ask for.
    emulate : {"outputs", "cost"}, optional
        What the surrogate emulates.
    sampler : {"population", "metropolis"}, optional
        Sampler of the surrogate's posterior.
    zoom : bool, optional
        Train and sample in a box around the best runs and the last chain.
    warp : bool
        Allow the logarithmic warp of inputs for parameters declared logarithmic.
    n_verify : int, optional
        Draws verified at a time; 10 for d <= 4, else 20.
    verify_every : int
        Iterations between verifications.
    threshold : float, optional
        Least effective share of the verification draws; 0.8 for d <= 4, else 0.6.
    drift_tolerance : float
        Most the means may move between the verified and the reported chain, in posterior standard deviations.
    rhat_max : float, optional
        Largest R-hat of a reported chain; 1.1 over the walkers, 1.2 (Gelman-Rubin) in the ``paper`` preset.
    chains : int, optional
        Walkers of the population (64), or Metropolis chains (5).
    chain_length : (int, int), optional
        Steps of each walker thrown away and kept in the full-length chain; (400, 400) / (10000, 10000).
    short_chain : (int, int, int), optional
        Walkers, and steps thrown away and kept, of the chains that choose points; (40, 120, 60) / (5, 10000, 10000).
    refit_growth : float
        Optimise the hyper-parameters each time the number of runs has grown by this factor.
    cycles : int
        Most full-length chains of the ``metropolis`` sampler.
    min_ess : int
        Effective sample size the reported chain of the population is continued to, at most to ten times its length.
    draws : (int, int)
        Chains and draws stored.
    bounds : {"reflect", "clip"}
        What Metropolis chains do at a bound. ``clip`` puts them on it, as the original code does: draws pile up there. For
        comparison only, like the next two.
    gelman_rubin : {"classical", "printed"}
        Factor that stops the ``metropolis`` sampler; ``printed`` takes the variance of the chains' means for B, and is near 1
        whatever the chains do.
    diso : {"hu2019", "printed"}
        Definition of the DISO that is recorded, see :func:`gridcal.kernels.series.metrics.scores`.

    Raises
    ------
    ConfigError
        If an option has an impossible value.

    References
    ----------
    Ma, R. et al. (2022): calibration of 33 ecosystem parameters by modified adaptive surrogate modelling. Gong, W. and Duan,
    Q. (2017): adaptive surrogate modelling-based sampling for parameter optimisation and distribution estimation.

    Examples
    --------
    >>> MASM().draw_shape
    (4, 500)
    >>> MASM(preset="paper").settings(4).max_runs
    1073
    """

    preset: Literal["default", "paper", "asmo-pode"] = "default"
    n_init: int | None = None
    q: int = 5
    n_iter: int | None = None
    max_runs: int | None = None
    emulate: Literal["outputs", "cost"] | None = None
    sampler: Literal["population", "metropolis"] | None = None
    zoom: bool | None = None
    warp: bool = True
    n_verify: int | None = None
    verify_every: int = 2
    threshold: float | None = None
    drift_tolerance: float = 0.2
    rhat_max: float | None = None
    chains: int | None = None
    chain_length: tuple[int, int] | None = None
    short_chain: tuple[int, int, int] | None = None
    refit_growth: float = 1.25
    cycles: int = 10
    min_ess: int = 5000
    draws: tuple[int, int] = (4, 500)
    bounds: Literal["reflect", "clip"] = "reflect"
    gelman_rubin: Literal["classical", "printed"] = "classical"
    diso: Literal["hu2019", "printed"] = "hu2019"

    version: ClassVar[int] = 3

    def __post_init__(self) -> None:
        one_of(self, "preset", ("default", "paper", "asmo-pode"))
        one_of(self, "bounds", ("reflect", "clip"))
        one_of(self, "gelman_rubin", ("classical", "printed"))
        one_of(self, "diso", ("hu2019", "printed"))
        one_of(self, "emulate", (None, "outputs", "cost"))
        one_of(self, "sampler", (None, "population", "metropolis"))
        for name in ("n_init", "n_iter", "max_runs", "n_verify", "chains", "q", "verify_every", "cycles", "min_ess"):
            whole(self, name, 2 if name in ("q", "n_verify") else 1)
        for name, count in (("chain_length", 2), ("short_chain", 3), ("draws", 2)):
            several(self, name, count)
        within(self, "threshold", 0.0, 1.0)
        within(self, "drift_tolerance", 0.0)
        within(self, "rhat_max", 1.0)
        within(self, "refit_growth", 1.0)
        population = (self.sampler or ("population" if self.preset == "default" else "metropolis")) == "population"
        sizes = (self.chains, self.short_chain[0] if self.short_chain else None)
        if population and any(n is not None and (n < 6 or n % 2) for n in sizes):
            raise ConfigError("the population sampler needs an even number of at least 6 walkers", "Use chains=64")
        if population and (self.bounds == "clip" or self.gelman_rubin == "printed"):
            raise ConfigError(
                "the options bounds='clip' and gelman_rubin='printed' are of the metropolis sampler",
                "Add sampler='metropolis', or use preset='paper'",
            )
        if self.max_runs is not None and self.n_init is not None and self.max_runs <= self.n_init:
            raise ConfigError(f"max_runs = {self.max_runs} is not above n_init = {self.n_init}", "Raise max_runs")

    @property
    def draw_shape(self) -> tuple[int, int]:
        """Chains and draws stored."""
        return self.draws

    @property
    def trace_length(self) -> int:
        """Iterations whose surrogate error is stored."""
        return self.n_iter or _ITERATIONS[self.preset]

    def settings(self, d: int) -> Settings:
        """The options with every default filled in for `d` parameters."""
        paper = self.preset != "default"
        emulate = self.emulate or ("cost" if paper else "outputs")
        sampler = self.sampler or ("metropolis" if paper else "population")
        n_init = self.n_init or (18 * d if emulate == "cost" else 6 * d)
        n_iter = self.trace_length
        default_runs = 110 if d <= 4 else 350 + 60 * max(0, d - 8)
        if emulate == "cost":
            default_runs = max(default_runs, n_init + 5 * default_runs)
        max_runs = self.max_runs or (n_init + self.q * n_iter + 1 if paper else default_runs)
        if max_runs < n_init + 2:
            n_init = max(d + 3, max_runs // 2)
        metropolis = sampler == "metropolis"
        return Settings(
            n_init=n_init,
            q=self.q,
            n_iter=n_iter,
            max_runs=max_runs,
            emulate=emulate,
            sampler=sampler,
            zoom=(not paper) if self.zoom is None else self.zoom,
            warp=self.warp,
            verify=not paper,
            n_verify=self.n_verify or (10 if d <= 4 else 20),
            verify_every=self.verify_every,
            threshold=self.threshold if self.threshold is not None else (0.8 if d <= 4 else 0.6),
            drift_tolerance=self.drift_tolerance,
            rhat_max=self.rhat_max or (1.2 if paper else 1.1),
            walkers=self.chains or (5 if metropolis else 64),
            n_burn=(self.chain_length or ((10000, 10000) if metropolis else (400, 400)))[0],
            n_keep=(self.chain_length or ((10000, 10000) if metropolis else (400, 400)))[1],
            short=self.short_chain or ((5, 10000, 10000) if metropolis else (40, 120, 60)),
            refit_growth=self.refit_growth,
            refit_every=5 if paper else 0,
            cycles=self.cycles,
            min_ess=self.min_ess,
            clip=self.bounds == "clip",
            printed_gr=self.gelman_rubin == "printed",
            quadratic=not paper,
            shift=not paper,
        )

    def run(self, problem: PixelProblem, seed: np.random.SeedSequence, warm: WarmStart | None = None) -> PixelResult:
        """Calibrate one pixel.

        Parameters
        ----------
        problem : PixelProblem
            The problem.
        seed : SeedSequence
            Root of the random streams. The result depends on the problem, the seed and `warm` alone.
        warm : WarmStart, optional
            What a neighbour's result offers as `warm`.

        Returns
        -------
        PixelResult
            With NaN and a status code where the pixel cannot be calibrated.
        """
        task = AskTell(self, problem, seed, warm)
        while (theta := task.ask()) is not None:
            task.evaluate(theta)
        return task.result()

    def ask_tell(self, problem: PixelProblem, seed: np.random.SeedSequence) -> AskTell:
        """The same search, driven from outside: for a model that runs elsewhere.

        Parameters
        ----------
        problem : PixelProblem
            The problem; its `simulate` (or `cost`) is never called.
        seed : SeedSequence
            Root of the random streams.

        Returns
        -------
        AskTell
            ``ask()`` gives parameter sets, ``tell(outputs)`` takes what the model made of them, ``result()`` the result.
        """
        return AskTell(self, problem, seed)

    def search(self, problem: PixelProblem, seed: np.random.SeedSequence, warm: WarmStart | None = None) -> Search:
        """The search of one pixel, not begun: what :class:`~gridcal.calibration.asktell.AskTell` drives."""
        return Search(problem, self.settings(problem.d), seed, warm)

    def summarise(self, search: Search) -> PixelResult:
        """Result of a finished search."""
        runs, problem = search.runs, search.problem
        failed = int(runs.failed.sum())
        if search.chain is None:
            return PixelResult.empty(problem.d, search.status, self.draw_shape, runs.n, failed)
        chain = search.chain
        flat = chain.flat
        best = int(np.argmin(runs.cost))
        thin = chain.thinned(30_000)
        quantiles = np.quantile(thin, [0.05, 0.5, 0.95], axis=0)
        near = face_mass(flat, 0.01)[0].T
        mean, spread = mean_and_sd(flat)
        result = PixelResult(
            estimate=problem.physical(mean),
            map=problem.physical(runs.unit[best]),
            median=problem.physical(quantiles[1]),
            sd=spread * (problem.upper - problem.lower),
            q05=problem.physical(quantiles[0]),
            q95=problem.physical(quantiles[2]),
            draws=problem.physical(self._stored(chain.draws)),
            cost=search.cost_at_mean,
            cost_best=float(runs.cost[best]),
            cost_mean=float(chain.costs.mean()),
            n_runs=runs.n,
            rhat=chain.rhat,
            gelman_rubin=search.gelman_rubin if np.isfinite(search.gelman_rubin) else chain.gelman_rubin(),
            ess=chain.ess,
            acceptance=chain.acceptance,
            surrogate_rmse=search.surrogate_rmse,
            rmse_trace=np.array(search.rmse_trace),
            ess_ratio=search.ess_ratio,
            khat=search.khat,
            edge_hit=near.sum(axis=1),
            edge_lower=near[:, 0],
            edge_upper=near[:, 1],
            correlation=np.corrcoef(thin.T).reshape(problem.d, problem.d) if (spread > 0.0).all() else None,
            status=int(search.status),
            constant=runs.likelihood.constant if problem.cost is None else 0.0,
            n_failed=failed,
            warm=search.lesson(),
        )
        return dataclasses.replace(result, flags=int(raise_flags(result)))

    def _stored(self, draws: Array) -> Array:
        """Thin draws (step, walker, d) to (chain, draw, d); each stored chain is a group of walkers."""
        n_chains, n_draws = self.draws
        groups = np.array_split(np.arange(draws.shape[1]), n_chains)
        stored = []
        for c, group in enumerate(groups):
            own = draws[:, group].reshape(-1, draws.shape[2]) if group.size else draws[:, c % draws.shape[1]]
            stored.append(own[np.linspace(0, own.shape[0] - 1, n_draws).round().astype(int)])
        return np.stack(stored)
