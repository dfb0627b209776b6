"""Calibration problems with known posteriors: model runs, error, overhead of MASM.

    python benchmarks/bench_masm.py --reference DIR [--seeds 10] [--first-seed 0] [--problems collatz4-err,dalec6-err | FILE.py]

DIR holds ``problems.py`` and ``ref_NAME.npz``. A problem may also be a Python file with ``names``, ``bounds`` (d, 2),
``observations``, ``sigma`` and ``simulate(theta)``, or ``cost(theta)``; ``step`` and ``log`` (d,) are optional. Its reference
is ``ref_NAME.npz`` beside it, if there is one.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

import numba
import numpy as np
from threadpoolctl import threadpool_limits

from gridcal.calibration.masm.method import MASM
from gridcal.calibration.problem import PixelProblem

STANDARD = ("collatz4-err", "collatz4-var", "dalec6-err", "dalec6-var")
STEP = {"dalec6": (0, 0, 0, 0, 0, 1)}
LOG = {"dalec6": (1, 0, 1, 0, 0, 0)}


def load_module(path: Path) -> ModuleType:
    """Import a file by its path; nothing is written beside it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    before = sys.dont_write_bytecode, numba.config.CACHE_DIR
    sys.dont_write_bytecode, numba.config.CACHE_DIR = True, tempfile.mkdtemp(prefix="bench-masm-")
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode, numba.config.CACHE_DIR = before
    return module


class Timed:
    """A function of one parameter vector, applied to many, with its calls and processor time counted."""

    def __init__(self, function):
        self.function = function
        self.calls = 0
        self.seconds = 0.0

    def __call__(self, theta):
        """Apply to each row."""
        start = time.process_time()
        out = np.array([self.function(row) for row in theta])
        self.seconds += time.process_time() - start
        self.calls += len(theta)
        return out


def standard_problem(module: ModuleType, name: str) -> tuple[PixelProblem, Timed]:
    """A problem of the reference collection."""
    p = module.get(name)
    kind = name.split("-")[0]
    model = Timed(p._out_raw)
    d = p.d
    problem = PixelProblem(
        names=p.names,
        lower=p.lb,
        upper=p.ub,
        step=np.array(STEP.get(kind, (0,) * d), dtype=float),
        log=np.array(LOG.get(kind, (0,) * d), dtype=bool),
        observations=p.obs,
        sigma=float(np.sqrt(p.sigma2)),
        likelihood="fixed",
        n_eff=None,
        simulate=model,
    )
    return problem, model


def file_problem(path: Path) -> tuple[PixelProblem, Timed]:
    """A problem given as a Python file."""
    m = load_module(path)
    bounds = np.asarray(m.bounds, dtype=float)
    d = bounds.shape[0]
    only_cost = not hasattr(m, "simulate")
    model = Timed(m.cost if only_cost else m.simulate)
    problem = PixelProblem(
        names=tuple(m.names),
        lower=bounds[:, 0],
        upper=bounds[:, 1],
        step=np.asarray(getattr(m, "step", np.zeros(d)), dtype=float),
        log=np.asarray(getattr(m, "log", np.zeros(d)), dtype=bool),
        observations=np.empty(0) if only_cost else np.asarray(m.observations, dtype=float),
        sigma=None if only_cost else m.sigma,
        likelihood="fixed",
        n_eff=None,
        simulate=model,
        cost=model if only_cost else None,
    )
    return problem, model


def compare(draws: np.ndarray, reference: dict) -> tuple[float, float]:
    """Largest error of a mean in reference standard deviations; mean total variation of the marginals in 40 bins."""
    error = float((np.abs(draws.mean(axis=0) - reference["mean"]) / reference["sd"]).max())
    distances = []
    for j in range(draws.shape[1]):
        low, high = np.quantile(reference["S"][:, j], [0.001, 0.999])
        edges = np.linspace(low, high, 41)
        a = np.histogram(np.clip(draws[:, j], low, high), edges)[0] / len(draws)
        b = np.histogram(np.clip(reference["S"][:, j], low, high), edges)[0] / len(reference["S"])
        distances.append(0.5 * np.abs(a - b).sum())
    return error, float(np.mean(distances))


def find_problem(name: str, reference: str | None) -> tuple[str, PixelProblem, Timed, dict | None]:
    """Label, problem, its model and its reference posterior (None without one), by name or as a Python file."""
    if name.endswith(".py"):
        path = Path(name)
        problem, model = file_problem(path)
        folder, label = path.parent, path.stem
    else:
        folder = Path(str(reference))
        folder = folder / "masm" if (folder / "masm").is_dir() else folder
        problem, model = standard_problem(load_module(folder / "problems.py"), name)
        label = name
    found = folder / f"ref_{label}.npz"
    return label, problem, model, dict(np.load(found)) if found.exists() else None


def bench(name: str, problem: PixelProblem, model: Timed, reference: dict | None, method: MASM, seeds: range) -> None:
    """Run all seeds and print the table's rows."""
    rows = []
    for seed in seeds:
        calls, seconds, start = model.calls, model.seconds, time.process_time()
        result = method.run(problem, np.random.SeedSequence(seed))
        own = time.process_time() - start - (model.seconds - seconds)
        assert model.calls - calls == result.n_runs
        draws = problem.unit(result.draws.reshape(-1, problem.d))
        error, distance = compare(draws, reference) if reference is not None else (np.nan, np.nan)
        rows.append((result.n_runs, error, distance, own, result.status == 0))
        print(
            f"{name} seed {seed}: {result.n_runs} runs, error {error:.3f} sd, TV {distance:.3f}, own {own:.2f} s, "
            f"status {result.status}, ESS/K {result.ess_ratio:.2f}, R-hat {result.rhat:.3f}, ESS {result.ess:.0f}",
            flush=True,
        )
    a = np.array(rows, dtype=float)
    print(
        f"{name}: runs median {np.median(a[:, 0]):.0f} max {a[:, 0].max():.0f} | error median {np.median(a[:, 1]):.3f} "
        f"p95 {np.quantile(a[:, 1], 0.95):.3f} max {a[:, 1].max():.3f} | TV {np.median(a[:, 2]):.3f} | "
        f"own seconds {np.median(a[:, 3]):.2f} | verified {a[:, 4].sum():.0f}/{len(a)}",
        flush=True,
    )


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", default=os.environ.get("GRIDCAL_REFERENCE"), help="directory of the references")
    parser.add_argument("--problems", default=",".join(STANDARD), help="names, or .py files, separated by commas")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--chain-length", type=int, nargs=2, help="steps of a walker thrown away and kept; MASM's own without")
    parser.add_argument("--preset", default="default", choices=["default", "paper"])
    parser.add_argument("--emulate", default=None, choices=["outputs", "cost"])
    parser.add_argument("--max-runs", type=int, default=None)
    args = parser.parse_args()
    length = None if args.chain_length is None else tuple(args.chain_length)
    method = MASM(preset=args.preset, emulate=args.emulate, max_runs=args.max_runs, draws=(4, 5000), chain_length=length)
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    with threadpool_limits(1):
        for name in args.problems.split(","):
            label, problem, model, reference = find_problem(name, args.reference)
            unit = np.full((1, problem.d), 0.5)
            (problem.cost or problem.simulate)(problem.physical(unit))  # compiles the model
            method.run(problem, np.random.SeedSequence(12345))  # compiles the kernels
            bench(label, problem, model, reference, method, seeds)


if __name__ == "__main__":
    main()
