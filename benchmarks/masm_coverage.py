"""Do the 90 % intervals hold the planted parameters nine times of ten? At the climates of real flux sites.

    GRIDCAL_DATA=DIR python benchmarks/masm_coverage.py [--sites 20] [--repeats 3] [--noise 1.0]

At every site parameters are drawn from the middle four fifths of their bounds, the light-use-efficiency model is run with the
site's weather, noise is added to the days that have an observation, and the parameters are calibrated again. Printed: the
share of intervals that hold the truth, by parameter and over all, the share of processor time that is not the model's, and
how many results were flagged.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import xarray as xr

from gridcal.calibration import MASM, Status, calibrate
from gridcal.cube import Cube
from gridcal.ingest import flux_site_cube
from gridcal.models.lue import lue
from gridcal.simulation import simulate
from gridcal.target import Block, Target


def plant(cube: Cube, names: tuple[str, ...], noise: float, rng: np.random.Generator) -> tuple[Cube, dict[str, np.ndarray]]:
    """The cube with synthetic observations, and the parameters behind them."""
    n = cube.data.sizes["site"]
    truth = {}
    values = {}
    for p in lue.parameters:
        values[p.name] = np.full(n, p.default)
        if p.name in names:
            truth[p.name] = values[p.name] = p.lower + (0.1 + 0.8 * rng.random(n)) * (p.upper - p.lower)
    theta = xr.Dataset({k: ("site", v) for k, v in values.items()}, coords={"site": cube.data["site"]})
    gpp = simulate(cube, lue, theta)["gpp"].load().transpose("time", "site")
    observed = cube.data["gpp_obs"].transpose("time", "site")
    made = gpp + noise * rng.standard_normal(gpp.shape)
    data = cube.data.assign(gpp_obs=made.where(np.isfinite(observed)).assign_attrs(observed.attrs))
    return Cube.from_dataset(data, features=cube.feature_names), truth


def model_seconds(cube: Cube, names: tuple[str, ...]) -> float:
    """Processor seconds of one model run at one site, as lanes of a calibration."""
    from gridcal.calibration.problem import PixelProblem

    class Measure:
        draw_shape = None
        seconds = np.inf

        def run(self, problem: PixelProblem, seed: np.random.SeedSequence) -> object:
            points = problem.physical(np.random.default_rng(seed).random((10, problem.d)))
            for _ in range(5):
                begun = time.process_time()
                problem.simulate(points)
                Measure.seconds = min(Measure.seconds, (time.process_time() - begun) / 10)
            return MASM(max_runs=30, min_ess=100).run(problem, seed)

    block = Block(names, Target("gpp"))
    calibrate(cube.isel(site=slice(0, 1)), lue, [block], Measure()).compute(scheduler="synchronous")
    return Measure.seconds


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--noise", type=float, default=1.0, help="standard deviation of a day's error, gC m-2 d-1")
    parser.add_argument("--fit", default="eps_max,Topt,kT,WI")
    args = parser.parse_args()
    names = tuple(args.fit.split(","))
    cube = flux_site_cube()
    cube = Cube.from_dataset(cube.data.load(), features=cube.feature_names)
    every = np.linspace(0, cube.data.sizes["site"] - 1, min(args.sites, cube.data.sizes["site"])).round().astype(int)
    cube = cube.isel(site=every)
    rng = np.random.default_rng(0)
    held: dict[str, list[np.ndarray]] = {n: [] for n in names}
    seconds = runs = 0.0
    good = total = 0
    for repeat in range(args.repeats):
        planted, truth = plant(cube, names, args.noise, rng)
        block = Block(names, Target("gpp", every="8-day"), constraint=0.0)
        out = calibrate(planted, lue, [block], MASM(), seed=repeat, timing=True).compute(scheduler="synchronous")
        ok = (out["status"] == int(Status.ok)).values
        good, total = good + int(ok.sum()), total + ok.size
        seconds, runs = seconds + float(out["seconds"].sum()), runs + float(out["n_runs"].sum())
        for n in names:
            inside = (truth[n] >= out[f"{n}_q05"].values) & (truth[n] <= out[f"{n}_q95"].values)
            held[n].append(inside[ok])
    for n in names:
        print(f"{n:10s} {100 * np.concatenate(held[n]).mean():.0f} % of the 90 % intervals hold the truth")
    share = np.concatenate([x for own in held.values() for x in own])
    model = model_seconds(cube, names) * runs / seconds
    print(
        f"all        {100 * share.mean():.1f} % ({share.size} intervals) | verified {good}/{total} | runs a site "
        f"{runs / total:.0f} | seconds a site {seconds / total:.2f}, of which the model {100 * model:.0f} %"
    )


if __name__ == "__main__":
    main()
