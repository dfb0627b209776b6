"""Which of the 33 parameters of IBIS-DALEC matter for leaf area and GPP at 39 real climates (Ma et al. 2022, Figure 1).

    GRIDCAL_DATA=... python benchmarks/screen_ibis_dalec.py [--csv FILE] [--output FOLDER] [--check]

Climates: PhenoCam pixels with three years in a row (Daymet; cloud, wind and pressure derived), each with two soils, since none
is known there; and three towers with their own soil. Every run starts from the state of the default parameters after 50 years
under the pixel's first year (or their steady state); that year is run again and not scored, as in the paper, the next two are.
The paper gives no settings of its screening: 20 trajectories, 4 levels and the threshold 0.1 are ours. All climates share the
trajectories, so that the boxes show how climates differ, not what another draw of 20 would give: for leaf area, where few
steps make most of an effect, that is much more (try --seed, --trajectories; --pixels 0 leaves the towers).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import dask
import matplotlib as mpl
import numpy as np
import pandas as pd
import xarray as xr

import gridcal as gc
from gridcal.ingest import by_first_year, forest_tower_cube, phenocam_cube
from gridcal.ingest.phenocam import TEXTURES
from gridcal.models.ibis_dalec import ibis_dalec
from gridcal.screening import Morris, normalised, recommend, screen

PAPER = {
    "lai": ("vmax", "p5", "p14", "p15", "p17", "p18", "p20"),
    "gpp": ("alpha3", "theta3", "beta3", "vmax", "p5", "p14", "p20"),
}
DEAD = {"lai": 0.2}
TOWER_START = 2000


def climates(textures: list[str], years: int, towers: bool, pixels: int | None) -> dict[str, gc.Cube]:
    """Pixels that share their years, under each texture; towers apart."""
    groups: dict[str, gc.Cube] = {}
    if towers:
        span = (str(TOWER_START), str(TOWER_START + years - 1))
        data = forest_tower_cube(period=span).data.rename(site="pixel")
        data = data.assign_coords(texture=("pixel", ["own"] * data.sizes["pixel"]))
        groups["towers"] = gc.Cube.from_dataset(data)
    left = pixels
    for first, cube in by_first_year(phenocam_cube(least_years=years), years).items():
        count = cube.sizes["pixel"] if left is None else min(left, cube.sizes["pixel"])
        left = None if left is None else left - count
        if not count:
            continue
        part = cube.data.isel(pixel=slice(0, count))
        under = []
        for name in textures:
            sand, clay = (part[n].copy(data=np.full(count, v)) for n, v in zip(("sand", "clay"), TEXTURES[name], strict=True))
            one = part.assign(sand=sand, clay=clay).assign_coords(texture=("pixel", [name] * count))
            under.append(one.assign_coords(pixel=[f"{p}, {name}" for p in one["pixel"].values]))
        groups[str(first)] = gc.Cube.from_dataset(xr.concat(under, "pixel", data_vars="minimal", coords="minimal"))
    return groups


def screened(cube: gc.Cube, method: Morris, state: xr.Dataset, chunk: int) -> xr.Dataset:
    """Elementary effects of one group, its first year not scored."""
    days = cube.data.indexes["time"]
    scored = (f"{days[0].year + 1}-01-01", str(days[-1].date()))
    return screen(
        cube, ibis_dalec, method, targets=["lai", "gpp"], state=state, period=scored, dead=DEAD, chunk=chunk
    ).compute()


def table_of(effects: xr.Dataset, threshold: float) -> pd.DataFrame:
    """Median normalised mu* and sigma / mu* of each parameter and target, most influential first."""
    advice = recommend(effects, threshold).table
    rows = {}
    for target in ("lai", "gpp"):
        one = advice.sel(target=target)
        rows[target] = one["mu_star"].to_series()
        rows[f"{target} ratio"] = one["ratio"].to_series()
        rows[f"{target} kept"] = one["keep"].to_series()
        rows[f"{target} paper"] = pd.Series({p: p in PAPER[target] for p in rows[target].index})
        share = (normalised(effects)["mu_star"].sel(target=target) > threshold).mean("pixel")
        rows[f"{target} share"] = share.to_series()
    table = pd.DataFrame(rows)
    return table.loc[table[["lai", "gpp"]].max(axis=1).sort_values(ascending=False, kind="stable").index]


def report(effects: xr.Dataset, threshold: float, label: str) -> pd.DataFrame:
    """Print the ranking beside the paper's list."""
    table = table_of(effects, threshold)
    print(f"\n{label}: {effects.sizes['pixel']} climates; median mu* / largest mu*, share of climates above {threshold:g},")
    print("sigma / mu*, 'k' kept at the threshold, 'P' kept in the paper")
    for name, row in table.iterrows():
        cells = [
            f"{row[t]:6.3f} {row[f'{t} share']:4.2f} {row[f'{t} ratio']:5.2f} "
            f"{'k' if row[f'{t} kept'] else '-'}{'P' if row[f'{t} paper'] else '-'}"
            if row[t] > 0.0
            else f"{'0':>6} {'':17}"[:23]
            for t in ("lai", "gpp")
        ]
        print(f"  {name:10} LAI {cells[0]}   GPP {cells[1]}")
    for target in ("lai", "gpp"):
        kept = set(table.index[table[f"{target} kept"]])
        paper = set(PAPER[target])
        order = [p for p in table.sort_values(target, ascending=False).index if p in kept]
        print(f"  {target} kept: {' '.join(order)}")
        print(
            f"    in both {len(kept & paper)} of {len(paper)}; only here: {' '.join(p for p in order if p not in paper) or '-'}"
        )
        print(f"    only in the paper: {' '.join(p for p in PAPER[target] if p not in kept) or '-'}")
    runs = effects.attrs["runs"]
    dead = effects["n_dead"].values
    print(
        f"  dead runs (LAI never {DEAD['lai']:g} in the scored years): median {np.median(dead):.0f} of {runs} a climate "
        f"({np.median(dead) / runs:.0%}), {dead.min()} to {dead.max()}; "
        f"trajectories that failed: {int(effects['n_failed'].sum())}"
    )
    return table


def rows_of(effects: xr.Dataset) -> pd.DataFrame:
    """Statistics as one row a climate, target and parameter."""
    effects = effects.drop_vars([c for c in effects.coords if c not in (*effects.dims, "texture", "lat", "lon")])
    frame = effects[["mu", "mu_star", "sigma", "mu_star_low", "mu_star_high"]].to_dataframe().reset_index()
    for name in ("n_dead", "status"):
        frame[name] = frame["pixel"].map(effects[name].to_series())
    return frame


def main() -> None:
    """Screen and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trajectories", type=int, default=20)
    parser.add_argument("--levels", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--functional", choices=("mean", "change"), default="mean")
    parser.add_argument("--scored", type=int, default=2, help="years scored")
    parser.add_argument("--spin-up", type=int, default=50, help="years of spin-up")
    parser.add_argument("--steady", action="store_true", help="start from the steady state instead")
    parser.add_argument("--texture", action="append", choices=tuple(TEXTURES), help="repeat for several; both without it")
    parser.add_argument("--pixels", type=int, help="PhenoCam pixels at most")
    parser.add_argument("--no-towers", action="store_true")
    parser.add_argument("--threshold", type=float, default=0.1)
    parser.add_argument("--chunk", type=int, default=4)
    parser.add_argument("--check", action="store_true", help="screen the first group again, pixel by pixel, and compare bytes")
    parser.add_argument("--csv", type=Path, help="write statistics of every climate, target and parameter to this file")
    parser.add_argument("--output", type=Path, help="write box plots to this folder")
    given = parser.parse_args()
    mpl.use("Agg")
    dask.config.set(scheduler="synchronous")
    method = Morris(given.trajectories, given.levels, given.seed, functional=given.functional)
    textures = given.texture or list(TEXTURES)
    groups = climates(textures, 1 + given.scored, not given.no_towers, given.pixels)
    parts, spinning, running, years_spun = [], 0.0, 0.0, []
    for label, cube in groups.items():
        begin = time.process_time()
        if given.steady:
            state = gc.steady_state(cube, ibis_dalec).compute()
            years_spun += state["spin_up_years"].values.tolist()
        else:
            state = gc.spin_up(cube, ibis_dalec, years=given.spin_up).compute()
        middle = time.process_time()
        parts.append(screened(cube, method, state, given.chunk))
        spinning, running = spinning + middle - begin, running + time.process_time() - middle
        print(f"{label}: {cube.sizes['pixel']} climates, {time.process_time() - begin:.0f} CPU s", flush=True)
        if given.csv is not None:
            rows_of(parts[-1]).to_csv(given.csv, index=False, mode="w" if len(parts) == 1 else "a", header=len(parts) == 1)
        if given.check and len(parts) == 1:
            again = screened(cube, method, state, 1)
            print("the same bytes at another chunking:", again.drop_attrs().identical(parts[0].drop_attrs()))
    shared = [c for c in parts[0].coords if all(c in p.coords for p in parts)]
    parts = [p.drop_vars([c for c in p.coords if c not in shared]) for p in parts]
    effects = xr.concat(parts, "pixel", data_vars="minimal", coords="minimal", compat="equals", combine_attrs="override")
    effects.attrs["years"] = f"{given.scored} years a climate"
    inert = [p.name for p in ibis_dalec.parameters if p.inert]
    exact = bool(
        (effects["mu_star"].sel(parameter=inert) == 0.0).all() and (effects["sigma"].sel(parameter=inert) == 0.0).all()
    )
    count = effects.sizes["pixel"]
    start = f"steady state, {np.median(years_spun):.0f} years in the median" if given.steady else f"{given.spin_up} years"
    print(
        f"\n{count} climates x {effects.attrs['runs']} runs x {1 + given.scored} years ({given.scored} scored); functional "
        f"{given.functional}; {given.trajectories} trajectories, {given.levels} levels, seed {given.seed}; spin-up {start}\n"
        f"CPU seconds: spin-up {spinning:.0f}, screening {running:.0f}, {running / count:.1f} a climate "
        f"({1000.0 * running / (count * effects.attrs['runs'] * (1 + given.scored)):.2f} ms a pixel-year; compiling included)\n"
        f"status: {dict(zip(*np.unique(effects['status'].values, return_counts=True), strict=True))}\n"
        f"{len(inert)} inert parameters exactly zero: {exact} ({' '.join(inert)})"
    )
    for name in textures:
        mine = np.isin(effects["texture"].values, [name, "own"])
        one = effects.isel(pixel=mine)
        report(one, given.threshold, name)
        if given.output is not None:
            given.output.mkdir(parents=True, exist_ok=True)
            figure = gc.plot.screening_boxes(one, given.threshold)
            figure.savefig(given.output / f"screening-{given.functional}-{name.replace(' ', '-')}.png", dpi=120)


if __name__ == "__main__":
    main()
