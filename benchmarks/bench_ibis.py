"""IBIS: milliseconds per pixel-year on one core, by number of lanes, and the time of the first call.

    python benchmarks/bench_ibis.py [--years 2] [--repeats 5]

Daily made-up weather of a temperate pixel, all daily results, double precision; every lane another parameter set, soil and
latitude. CPU time, best of the repeats. The original, optimised Fortran takes 32 to 35 ms on comparable machines
(gfortran -O3, one pixel).
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from gridcal.models.ibis import ibis


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


def run(lanes: int, years: int, repeats: int) -> float:
    """Best CPU time of a run, ms per pixel-year."""
    rng = np.random.default_rng(1)
    series = weather(365 * years)
    forcing = [series[n] for n in ibis.forcing]
    theta = ibis.parameters.from_unit(rng.uniform(0.1, 0.9, (lanes, len(ibis.parameters)))).T.copy()
    constants = ibis.site_default | {"lat": 42.0, "sand": 60.0, "clay": 10.0}
    site = np.array([np.full(lanes, constants[n]) for n in ibis.site])
    site[list(ibis.site).index("lat")] = np.linspace(36.0, 46.0, lanes)
    site[list(ibis.site).index("sand")] = np.linspace(20.0, 80.0, lanes)
    names = (*ibis.outputs, *ibis.extra_outputs)
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        outputs, _ = ibis.run(theta, forcing, site, outputs=names)
        best = min(best, time.process_time() - start)
        assert all(np.isfinite(y).all() for y in outputs)
    return best / (lanes * years) * 1e3


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--years", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--lanes", type=int, nargs="+", default=[1, 8, 32, 64, 512])
    arguments = parser.parse_args(argv)
    start = time.perf_counter()
    run(1, 1, 1)
    print(f"first call {time.perf_counter() - start:.1f} s (compiled, or read from the cache)")
    for lanes in arguments.lanes:
        print(f"{lanes:4d} lanes: {run(lanes, arguments.years, arguments.repeats):7.2f} ms per pixel-year")


if __name__ == "__main__":
    main()
