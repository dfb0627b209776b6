"""Do the 90 % intervals hold the planted parameters nine times of ten? At the climates of real places.

    GRIDCAL_DATA=DIR python benchmarks/masm_coverage.py [--model lue|ibis_dalec] [--sites 20] [--repeats 3]
        [--target gpp|lai] [--fit NAMES] [--noise 1.0] [--years 3]

At every place parameters are drawn from the middle four fifths of their bounds, the model is run with the place's weather,
noise is added to the days that have an observation, and the parameters are calibrated again on 8-day means. Printed: the share
of intervals that hold the truth, by parameter and over all, the share of processor time that is the model's, and how many
results were flagged. Light-use efficiency: flux sites, days with observed GPP. IBIS-DALEC: PhenoCam climates and three towers,
three years (or more: the published calibration has ten) from the steady state of the default parameters, the first not scored;
every day is observed.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import xarray as xr

import gridcal as gc
from gridcal.calibration import MASM, Status, calibrate
from gridcal.calibration.target import Block, Target
from gridcal.cube import Cube
from gridcal.ingest import by_first_year, flux_site_cube, forest_tower_cube, phenocam_cube
from gridcal.models.ibis_dalec import ibis_dalec
from gridcal.models.lue import lue
from gridcal.process.model import ProcessModel
from gridcal.simulation.over_cube import simulate

FIT = {
    ("lue", "gpp"): "eps_max,Topt,kT,WI",
    ("ibis_dalec", "gpp"): "alpha3,theta3,beta3,vmax",
    ("ibis_dalec", "lai"): "p5,p14,p15,p17,p18,p20",
}
UNITS = {"gpp": "gC m-2 d-1", "lai": "m2 m-2"}


class Clock:
    """Processor seconds spent inside the model."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._run = ProcessModel.run

    def __enter__(self) -> Clock:
        run = self._run

        def timed(model, *args, **kwargs):
            begun = time.process_time()
            try:
                return run(model, *args, **kwargs)
            finally:
                self.seconds += time.process_time() - begun

        ProcessModel.run = timed
        return self

    def __exit__(self, *error: object) -> None:
        ProcessModel.run = self._run


def places(name: str, count: int, years: int) -> list[tuple[Cube, xr.Dataset | None, tuple[str, str] | None]]:
    """Cubes with ``observed``, true on days with an observation; their starting states and the periods scored."""
    if name == "lue":
        cube = flux_site_cube()
        every = np.linspace(0, cube.data.sizes["site"] - 1, min(count, cube.data.sizes["site"])).round().astype(int)
        data = cube.data.isel(site=every).load()
        data["observed"] = np.isfinite(data["gpp_obs"])
        return [(Cube.from_dataset(data, features=cube.feature_names), None, None)]
    groups = [Cube.from_dataset(forest_tower_cube(period=("2000", str(1999 + years))).data.rename(site="pixel"))]
    groups += list(by_first_year(phenocam_cube(), years).values())
    out = []
    for cube in groups:
        n = min(count, cube.data.sizes["pixel"])
        count -= n
        if not n:
            break
        days = cube.data.indexes["time"]
        data = cube.data.isel(pixel=slice(0, n)).load().assign(observed=(("time",), np.ones(days.size, dtype=bool)))
        cube = Cube.from_dataset(data)
        state = gc.steady_state(cube, ibis_dalec).compute()
        out.append((cube, state, (f"{days[0].year + 1}-01-01", str(days[-1].date()))))
    return out


def plant(
    cube: Cube, model: ProcessModel, state: xr.Dataset | None, target: str, names: tuple[str, ...], noise: float,
    rng: np.random.Generator,
) -> tuple[Cube, dict[str, np.ndarray]]:  # fmt: skip
    """The cube with synthetic observations, and the parameters behind them."""
    (dim,) = cube.space_dims
    n = cube.data.sizes[dim]
    truth = {}
    values = {}
    for p in model.parameters:
        values[p.name] = np.full(n, p.default)
        if p.name in names:
            truth[p.name] = values[p.name] = p.lower + (0.1 + 0.8 * rng.random(n)) * (p.upper - p.lower)
    theta = xr.Dataset({k: (dim, v) for k, v in values.items()}, coords={dim: cube.data[dim]})
    series = simulate(cube, model, theta, state=state, outputs=(target,))[target].load().transpose("time", dim)
    made = (series + noise * rng.standard_normal(series.shape)).where(cube.data["observed"])
    data = cube.data.assign(planted=made.assign_attrs(units=UNITS[target]))
    return Cube.from_dataset(data, features=cube.feature_names), truth


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=("lue", "ibis_dalec"), default="lue")
    parser.add_argument("--target", choices=("gpp", "lai"), default="gpp")
    parser.add_argument("--sites", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--years", type=int, default=3)
    parser.add_argument("--noise", type=float, help="standard deviation of a day's error; 1 gC m-2 d-1, or 0.5 m2 m-2")
    parser.add_argument("--fit")
    args = parser.parse_args()
    model = lue if args.model == "lue" else ibis_dalec
    names = tuple((args.fit or FIT[args.model, args.target]).split(","))
    noise = args.noise if args.noise is not None else {"gpp": 1.0, "lai": 0.5}[args.target]
    rng = np.random.default_rng(0)
    held: dict[str, list[np.ndarray]] = {n: [] for n in names}
    all_held: list[np.ndarray] = []
    spent = inside_model = runs = 0.0
    good = total = 0
    block = Block(names, Target(args.target, against="planted", every="8-day"), constraint=0.0)
    for cube, state, period in places(args.model, args.sites, args.years):
        for repeat in range(args.repeats):
            planted, truth = plant(cube, model, state, args.target, names, noise, rng)
            with Clock() as clock:
                begun = time.process_time()
                out = calibrate(planted, model, [block], MASM(), seed=repeat, state=state, period=period).compute(
                    scheduler="synchronous"
                )
                spent += time.process_time() - begun
                inside_model += clock.seconds
            ok = (out["status"] == int(Status.ok)).values
            good, total = good + int(ok.sum()), total + ok.size
            runs += float(out["n_runs"].sum())
            for n in names:
                inside = (truth[n] >= out[f"{n}_q05"].values) & (truth[n] <= out[f"{n}_q95"].values)
                held[n].append(inside[ok])
                all_held.append(inside)
    for n in names:
        print(f"{n:10s} {100 * np.concatenate(held[n]).mean():.0f} % of the 90 % intervals hold the truth")
    share, every = (np.concatenate(x) for x in ([y for own in held.values() for y in own], all_held))
    print(
        f"all        {100 * share.mean():.1f} % ({share.size} intervals; {100 * every.mean():.1f} % with the flagged ones) | "
        f"verified {good}/{total} | runs a place {runs / total:.0f} | CPU seconds a place {spent / total:.2f}, outside "
        f"the model {(spent - inside_model) / total:.2f}: {100 * (1 - inside_model / spent):.0f} %"
    )


if __name__ == "__main__":
    main()
