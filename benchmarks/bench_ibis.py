"""IBIS and IBIS-DALEC: milliseconds per pixel-year on one core, by number of lanes, and the time of the first call.

    python benchmarks/bench_ibis.py [--years 2] [--repeats 5] [--coupled]

With --coupled, runs of both models take turns; the ratio is that of the two best.

Daily made-up weather of a temperate pixel, all daily results, double precision; every lane another parameter set, soil and
latitude. CPU time, best of the repeats. The original, optimised Fortran takes 32 to 35 ms on comparable machines
(gfortran -O3, one pixel).
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from gridcal.models.ibis import ibis
from gridcal.models.ibis_dalec import ibis_dalec
from gridcal.process.model import ProcessModel


def weather(days: int) -> dict[str, np.ndarray]:
    """Made-up daily weather, each (days, 1)."""
    rng = np.random.default_rng(0)
    doy = np.arange(days) % 365 + 1.0
    warm = 9.0 - 12.0 * np.cos(2.0 * np.pi * (doy - 15.0) / 365.0) + rng.normal(0.0, 3.0, days)
    series = {
        "tasmin": warm - 5.0, "tasmax": warm + 5.0, "pr": rng.exponential(8.0, days) * (rng.random(days) < 0.4),
        "sfcWind": rng.uniform(2.0, 5.0, days), "huss": 0.0038 * np.exp(0.06 * (warm - 5.0)), "ps": np.full(days, 98000.0),
        "clt": rng.uniform(0.1, 0.9, days), "co2": np.full(days, 380.0), "doy": doy, "year_length": np.full(days, 365.0),
        "day": 11323.0 + np.arange(days),
    }  # fmt: skip
    return {k: v[:, None] for k, v in series.items()}


def prepared(model: ProcessModel, lanes: int, years: int) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Parameters, forcing and site constants of so many lanes."""
    rng = np.random.default_rng(1)
    series = weather(365 * years)
    forcing = [series[n] for n in model.forcing]
    theta = model.parameters.from_unit(rng.uniform(0.1, 0.9, (lanes, len(model.parameters)))).T.copy()
    constants = model.site_default | {"lat": 42.0, "sand": 60.0, "clay": 10.0}
    site = np.array([np.full(lanes, constants[n]) for n in model.site])
    site[list(model.site).index("lat")] = np.linspace(36.0, 46.0, lanes)
    site[list(model.site).index("sand")] = np.linspace(20.0, 80.0, lanes)
    return theta, forcing, site


def run(models: tuple[ProcessModel, ...], lanes: int, years: int, repeats: int) -> list[float]:
    """Best CPU time of a run of each model, taking turns, ms per pixel-year."""
    inputs = [prepared(m, lanes, years) for m in models]
    names = [(*m.outputs, *m.extra_outputs) for m in models]
    best = [np.inf] * len(models)
    for _ in range(repeats):
        for k, model in enumerate(models):
            start = time.process_time()
            outputs, _ = model.run(*inputs[k], outputs=names[k])
            best[k] = min(best[k], time.process_time() - start)
            assert all(np.isfinite(y).all() for y in outputs)
    return [x / (lanes * years) * 1e3 for x in best]


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--years", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--lanes", type=int, nargs="+", default=[1, 8, 32, 64, 512])
    parser.add_argument("--coupled", action="store_true", help="IBIS-DALEC beside IBIS")
    arguments = parser.parse_args(argv)
    models = (ibis, ibis_dalec) if arguments.coupled else (ibis,)
    for model in models:
        start, cpu = time.perf_counter(), time.process_time()
        run((model,), 1, 1, 1)
        print(
            f"{model.name}: first call {time.perf_counter() - start:.1f} s, {time.process_time() - cpu:.1f} s of CPU "
            "(compiled, or read from the cache)"
        )
    for lanes in arguments.lanes:
        found = run(models, lanes, arguments.years, arguments.repeats)
        print(f"{lanes:4d} lanes: {found[0]:7.2f} ms per pixel-year", end="")
        print(f", ibis_dalec {found[1]:7.2f}, ratio {found[1] / found[0]:.3f}" if arguments.coupled else "")


if __name__ == "__main__":
    main()
