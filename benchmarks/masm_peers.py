"""MASM beside the calibrators that can be installed: model runs, error, overhead.

    python benchmarks/masm_peers.py --reference DIR [--problems collatz4-err,FILE.py] [--seeds 3] [--methods masm,emcee]
    pip install 'gridcal-biosphere[peers]' brings the peers; one that is missing is said to be.

Every method gets the same problem, the same seeds, and a budget of model runs: its own of a few thousand for chains and
evolution (`--long`), and that of the surrogates (`--short`), 110 runs for d <= 4 and 350 beyond, for all. Error and total
variation are those of ``bench_masm.py``; optimisers without draws show the cost above the best known one. Overhead is
processor time without the model's. A row is the median over the seeds, the worst error in brackets. Problems are those of
``bench_masm.py``: names of DIR, or Python files.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parent))
from bench_masm import STANDARD, Timed, compare, find_problem

from gridcal.calibration import CMAES, MASM, AdaptiveMCMC, PixelProblem
from gridcal.calibration.problem import ModelRuns


class Spent(Exception):
    """The budget of model runs is used up."""


class Budget:
    """Cost of a problem in the unit cube, counted and cut off."""

    def __init__(self, problem: PixelProblem, most: int) -> None:
        self.runs = ModelRuns(problem, keep_residuals=False)
        self.most, self.n, self.best = most, 0, np.inf

    def __call__(self, unit: np.ndarray) -> float:
        """Cost at a point; raises when the budget is spent."""
        if self.n >= self.most:
            raise Spent
        self.n += 1
        cost = float(self.runs.costs(np.atleast_2d(np.clip(unit, 0.0, 1.0)))[0][0])
        self.best = min(self.best, cost)
        return cost


def gridcal_method(method):
    def run(problem, budget, seed):
        del budget
        result = method(problem.d).run(problem, np.random.SeedSequence(seed))
        draws = None if result.draws is None else problem.unit(result.draws.reshape(-1, problem.d))
        return draws, result.n_runs, result.cost_best

    return run


def emcee(problem, budget, seed):
    import emcee as library

    rng = np.random.default_rng(seed)
    walkers = max(4 * problem.d, 16)

    def log_density(u):
        return -0.5 * budget(u) if ((u >= 0.0) & (u <= 1.0)).all() else -np.inf

    sampler = library.EnsembleSampler(walkers, problem.d, log_density)
    sampler.random_state = np.random.RandomState(seed).get_state()
    with contextlib.suppress(Spent):
        sampler.run_mcmc(rng.random((walkers, problem.d)), 10**6, skip_initial_state_check=True, progress=False)
    chain = sampler.get_chain()[: sampler.iteration]
    return chain[chain.shape[0] // 2 :].reshape(-1, problem.d)


def pyvbmc(problem, budget, seed):
    from pyvbmc import VBMC

    rng = np.random.default_rng(seed)
    d = problem.d
    lower, upper = np.zeros((1, d)), np.ones((1, d))
    options = {"max_fun_evals": budget.most - 1, "display": "off"}
    np.random.seed(seed)  # noqa: NPY002
    search = VBMC(
        lambda u: -0.5 * budget(np.ravel(u)), rng.random((1, d)) * 0.8 + 0.1, lower, upper, lower + 0.1, upper - 0.1, options
    )
    posterior, _ = search.optimize()
    return posterior.sample(5000)[0]


def gpry(problem, budget, seed):
    from gpry import Runner

    names = [f"u{k}" for k in range(problem.d)]

    def log_density(u):
        return -0.5 * budget(np.ravel(u))

    runner = Runner(
        log_density,
        bounds=np.array([[0.0, 1.0]] * problem.d),
        params=names,
        seed=seed,
        verbose=0,
        options={"max_total": budget.most, "max_finite": budget.most, "max_initial": budget.most},
    )
    runner.run()
    runner.generate_mc_sample()
    sample = runner.last_mc_samples(as_pandas=True)
    weight = sample["w"].to_numpy() if "w" in sample else np.ones(len(sample))
    chosen = np.random.default_rng(seed).choice(len(sample), 5000, p=weight / weight.sum())
    return sample[names].to_numpy()[chosen]


def uqpyl_asmo(problem, budget, seed):
    from UQPyL.optimization.expensive import ASMO
    from UQPyL.problem import Problem

    task = Problem(
        nInput=problem.d,
        nObj=1,
        ub=1.0,
        lb=0.0,
        optType="min",
        objFunc=lambda points: np.array([[budget(u)] for u in np.atleast_2d(points)]),
    )
    ASMO(nInit=min(50, budget.most // 2), maxFEs=budget.most, verboseFlag=False, saveFlag=False).run(task, seed=seed)


def spotpy(algorithm):
    def run(problem, budget, seed):
        import spotpy as library

        class Setup:
            def __init__(self):
                self.params = [library.parameter.Uniform(f"u{k}", 0.0, 1.0) for k in range(problem.d)]

            def parameters(self):
                return library.parameter.generate(self.params)

            def simulation(self, vector):
                return [budget(np.array(list(vector)))]

            def evaluation(self):
                return [0.0]

            def objectivefunction(self, simulation, evaluation):
                del evaluation
                return simulation[0] if algorithm == "sceua" else -0.5 * simulation[0]

        sampler = getattr(library.algorithms, algorithm)(Setup(), dbformat="ram", save_sim=False, random_state=seed)
        with contextlib.suppress(Spent):
            if algorithm == "sceua":
                sampler.sample(budget.most, ngs=2 * problem.d)
            else:
                chains = 2 * problem.d
                sampler.sample(budget.most - 1, nChains=chains, runs_after_convergence=budget.most // 2)
        if algorithm == "sceua":
            return None
        found = sampler.getdata()
        draws = np.column_stack([found[f"paru{k}"] for k in range(problem.d)])
        return draws[len(draws) // 2 :]

    return run


def bayesian_optimisation(problem, budget, seed):
    from bayes_opt import BayesianOptimization

    names = [f"u{k}" for k in range(problem.d)]
    search = BayesianOptimization(
        lambda **u: -np.log1p(budget(np.array([u[n] for n in names]))),
        dict.fromkeys(names, (0.0, 1.0)),
        random_state=seed,
        verbose=0,
    )
    first = min(5 * problem.d, budget.most // 2)
    search.maximize(init_points=first, n_iter=budget.most - first)


def pycma(problem, budget, seed):
    import cma

    strategy = cma.CMAEvolutionStrategy(
        [0.5] * problem.d, 0.25, {"bounds": [0, 1], "seed": seed + 1, "verbose": -9, "verb_log": 0}
    )
    with contextlib.suppress(Spent):
        while not strategy.stop():
            points = strategy.ask()
            strategy.tell(points, [budget(u) for u in points])


WIDE = (4, 5000)
GRIDCAL = {
    "masm": gridcal_method(lambda _d: MASM(draws=WIDE)),
    "masm-paper": gridcal_method(lambda d: MASM(preset="paper", draws=WIDE, n_iter=max(1, (budget_of(d) - 18 * d - 1) // 5))),
    "masm-paper-full": gridcal_method(lambda _d: MASM(preset="paper", draws=WIDE)),
    "demc": gridcal_method(lambda _d: AdaptiveMCMC(draws=WIDE)),
    "cmaes": gridcal_method(lambda d: CMAES(max_evaluations=budget_of(d))),
}
PEERS = {
    "emcee": (emcee, True),
    "pyvbmc": (pyvbmc, False),
    "gpry": (gpry, False),
    "uqpyl-asmo": (uqpyl_asmo, False),
    "spotpy-sceua": (spotpy("sceua"), True),
    "spotpy-dream": (spotpy("dream"), True),
    "bayes-opt": (bayesian_optimisation, False),
    "pycma": (pycma, True),
}
DEFAULT = "masm,masm-paper,demc,cmaes,emcee,pyvbmc,gpry,uqpyl-asmo,spotpy-sceua,spotpy-dream,bayes-opt,pycma"


@contextlib.contextmanager
def quiet():
    """Swallow what a library prints."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def budget_of(d: int) -> int:
    """Runs a surrogate method may make."""
    return 110 if d <= 4 else 350 + 60 * max(0, d - 8)


def one(name: str, problem: PixelProblem, model: Timed, most: int, seed: int) -> tuple[np.ndarray | None, int, float, float]:
    """Draws, runs, best cost, and overhead of one run."""
    model.seconds, begun = 0.0, time.process_time()
    if name in GRIDCAL:
        draws, n, best = GRIDCAL[name](problem, None, seed)
    else:
        budget = Budget(problem, most)
        draws = None
        with contextlib.suppress(Spent), quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            draws = PEERS[name][0](problem, budget, seed)
        n, best = budget.n, budget.best
    return draws, n, best, time.process_time() - begun - model.seconds


def bench(label, problem, model, reference, methods, seeds, long) -> None:
    """Print the rows of one problem."""
    known = float(reference["fmin"]) if reference is not None and "fmin" in reference else np.nan
    table = []
    for name in methods:
        short = budget_of(problem.d)
        budgets = [0] if name in GRIDCAL else [short, long] if PEERS[name][1] and long > short else [short]
        for most in budgets:
            rows = []
            try:
                for seed in range(seeds):
                    draws, n, best, seconds = one(name, problem, model, most, seed)
                    judged = draws is not None and len(draws) > 10 and reference is not None
                    error, distance = compare(draws, reference) if judged else (np.nan, np.nan)
                    rows.append((n, error, distance, best, seconds))
            except ImportError as missing:
                print(f"{label:14s} {name:15s} not installed ({missing})", flush=True)
                continue
            except Exception as failure:  # a peer may end in any error: the row says so
                print(f"{label:14s} {name:15s} failed: {type(failure).__name__}: {str(failure)[:80]}", flush=True)
                continue
            a = np.array(rows)
            table.append((name, a))
            error = f"error {np.median(a[:, 1]):6.3f} [{a[:, 1].max():.3f}]"
            gap = np.median(a[:, 3]) - (known if np.isfinite(known) else 0.0)
            print(
                f"{label:14s} {name:15s} runs {np.median(a[:, 0]):6.0f} | {error} "
                f"| TV {np.median(a[:, 2]):.3f} | {'above best' if np.isfinite(known) else 'cost'} {gap:9.3g} "
                f"| overhead {np.median(a[:, 4]):8.2f} s",
                flush=True,
            )
    paired(label, table)


def paired(label: str, table: list[tuple[str, np.ndarray]]) -> None:
    """How often MASM had the smaller error, and by how much the overhead differs, seed by seed."""
    own = next((a for name, a in table if name == "masm"), None)
    if own is None:
        return
    for name, a in table:
        if name == "masm" or not np.isfinite(a[:, 1]).all() or not np.isfinite(own[:, 1]).all():
            continue
        wins = int((own[:, 1] < a[:, 1]).sum())
        print(
            f"{label:14s} masm against {name} ({np.median(a[:, 0]):.0f} runs): smaller error in {wins} of {len(own)}, "
            f"error x {np.median(a[:, 1] / own[:, 1]):.1f}, overhead x {np.median(a[:, 4] / np.maximum(own[:, 4], 1e-3)):.1f}",
            flush=True,
        )


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", default=os.environ.get("GRIDCAL_REFERENCE"), help="directory of the references")
    parser.add_argument("--problems", default=",".join(STANDARD), help="names, or .py files, separated by commas")
    parser.add_argument("--methods", default=DEFAULT, help=f"of {', '.join((*GRIDCAL, *PEERS))}")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--long", type=int, default=8000, help="runs of chains and evolution, beside the short budget; 0: none")
    args = parser.parse_args()
    methods = args.methods.split(",")
    unknown = [m for m in methods if m not in GRIDCAL and m not in PEERS]
    if unknown:
        parser.error(f"unknown method {unknown[0]!r}; there are: {', '.join((*GRIDCAL, *PEERS))}")
    with threadpool_limits(1):
        for name in args.problems.split(","):
            label, problem, model, reference = find_problem(name, args.reference)
            (problem.cost or problem.simulate)(problem.physical(np.full((1, problem.d), 0.5)))
            for own in GRIDCAL:
                if own in methods and own != "masm-paper-full":
                    GRIDCAL[own](problem, None, 999)  # compiles
            bench(label, problem, model, reference, methods, args.seeds, args.long)


if __name__ == "__main__":
    main()
