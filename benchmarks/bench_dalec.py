"""DALEC: million pixel-days per CPU second on one core, by number of lanes, with GPP by ACM and with GPP given.

    python benchmarks/bench_dalec.py [--days 1826] [--repeats 7] [--compiler gcc]

Made-up daily weather of a temperate deciduous forest. "one site": all lanes share the weather and differ in all 20 parameters,
as in a calibration; "region": every lane has weather, latitude and parameters of its own. Leaf area, net exchange, and GPP
(where it is given: ecosystem respiration) are returned in double precision. CPU time of the whole call, best of the repeats.
The time of one exponential of the same loops comes with it: on a machine that others use, compare speeds by it (0.66 ns where
1.2e8 and 1.7e8 pixel-days a second are the goals, by ACM and with GPP given). With --compiler, the same equations in plain
scalar C (``dalec_scalar.c``, GPP given, -O3 -march=native) take turns with the model: results must agree, and the ratio is
printed.
"""

from __future__ import annotations

import argparse
import ctypes
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from gridcal.kernels.elementary import vexp
from gridcal.kernels.jit import fast_kernel
from gridcal.models.dalec import dalec_model
from gridcal.process.model import ProcessModel


@fast_kernel
def exponentials(x, out):
    """Exponential of every element."""
    for i in range(x.size):
        out[i] = vexp(x[i])


def yardstick(repeats: int) -> float:
    """Best time of one exponential, ns."""
    x = np.linspace(-1.0, 1.0, 4096)
    out = np.empty_like(x)
    exponentials(x, out)
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        for _ in range(200):
            exponentials(x, out)
        best = min(best, time.process_time() - start)
    return best / (200 * x.size) * 1e9


def weather(days: int, n: int) -> dict[str, np.ndarray]:
    """Made-up daily weather, each (days, n)."""
    rng = np.random.default_rng(0)
    doy = (np.arange(days) % 365 + 1.0)[:, None]
    season = -np.cos(2.0 * np.pi * (doy - 15.0) / 365.0)
    warm = 9.0 + 12.0 * season + rng.normal(0.0, 3.0, (days, n))
    return {
        "tasmin": warm - 5.0, "tasmax": warm + 5.0, "rsds": (160.0 + 90.0 * season) * rng.uniform(0.4, 1.2, (days, n)),
        "co2": np.full((days, n), 380.0), "doy": np.repeat(doy, n, axis=1),
        "gpp": np.maximum(0.0, 5.0 + 6.0 * season) * rng.uniform(0.5, 1.5, (days, n)),
    }  # fmt: skip


def prepared(model: ProcessModel, lanes: int, days: int, region: bool) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Parameters, forcing and site constants."""
    rng = np.random.default_rng(1)
    series = weather(days, lanes if region else 1)
    forcing = [series[n] for n in model.forcing]
    theta = model.parameters.from_unit(rng.uniform(0.1, 0.9, (lanes, len(model.parameters)))).T.copy()
    constants = model.site_default | {"lat": 42.0}
    site = np.array([np.full(lanes, constants[n]) for n in model.site])
    if region:
        site[list(model.site).index("lat")] = np.linspace(36.0, 46.0, lanes)
    return theta, forcing, site


def run(gpp: str, lanes: int, days: int, repeats: int, region: bool) -> float:
    """Best speed, million pixel-days per CPU second."""
    model = dalec_model(gpp=gpp)
    theta, forcing, site = prepared(model, lanes, days, region)
    names = ("lai", "gpp" if gpp == "acm" else "reco", "nee")
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        outputs, _ = model.run(theta, forcing, site, outputs=names)
        best = min(best, time.process_time() - start)
        assert all(np.isfinite(y).all() for y in outputs)
    return lanes * days / best / 1e6


def scalar(compiler: str) -> ctypes._NamedFuncPointer:
    """The C function, compiled."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "dalec.so"
        source = Path(__file__).with_name("dalec_scalar.c")
        subprocess.run(
            [compiler, "-O3", "-march=native", "-shared", "-fPIC", str(source), "-o", str(library), "-lm"], check=True
        )
        return ctypes.CDLL(str(library)).dalec


def beside(compiler: str, lanes: int, days: int, repeats: int, region: bool) -> tuple[float, float]:
    """Best speeds of the model and of scalar C, taking turns, million pixel-days per CPU second."""
    model = dalec_model(gpp="given")
    function = scalar(compiler)
    theta, forcing, site = prepared(model, lanes, days, region)
    state = model.initial_state(theta, forcing, site)
    outputs = [np.empty((days, lanes)) for _ in range(3)]
    inputs = [np.ascontiguousarray(x) for x in (theta, site, state, *forcing)]
    pointers = [ctypes.c_void_p(x.ctypes.data) for x in (*inputs, *outputs)]
    best = [np.inf, np.inf]
    for _ in range(repeats):
        start = time.process_time()
        mine, _ = model.run(theta, forcing, site, state, outputs=("lai", "reco", "nee"))
        best[0] = min(best[0], time.process_time() - start)
        start = time.process_time()
        function(ctypes.c_long(lanes), ctypes.c_long(days), ctypes.c_long(not region), *pointers)
        best[1] = min(best[1], time.process_time() - start)
    for a, b in zip(mine, outputs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)
    return lanes * days / best[0] / 1e6, lanes * days / best[1] / 1e6


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=1826)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--lanes", type=int, nargs="+", default=[1, 8, 64, 256, 512])
    parser.add_argument("--compiler", help="compare with scalar C made by this compiler")
    arguments = parser.parse_args(argv)
    print(f"exponential: {yardstick(arguments.repeats):.2f} ns")
    for gpp in ("acm", "given"):
        start = time.perf_counter()
        run(gpp, 1, 10, 1, False)
        print(f"GPP {gpp}: first call {time.perf_counter() - start:.1f} s (compiled, or read from the cache)")
        for lanes in arguments.lanes:
            one, many = (run(gpp, lanes, arguments.days, arguments.repeats, region) for region in (False, True))
            print(f"{lanes:4d} lanes: one site {one:7.1f}, region {many:7.1f} million pixel-days per CPU second")
    if arguments.compiler:
        for region in (False, True):
            mine, c = beside(arguments.compiler, 64, arguments.days, arguments.repeats, region)
            place = "region" if region else "one site"
            print(f"GPP given, 64 lanes, {place}: {mine:.1f}, scalar C {c:.1f}, ratio {mine / c:.2f}")


if __name__ == "__main__":
    main()
