"""Raw light-use-efficiency kernel against the lazy path over the same block, as a ratio in one run.

    python benchmarks/bench_lue.py [--pixels 64] [--days 3650] [--repeats 9]

The block is (days, pixels, pixels), float32, in memory, read from a Zarr store and persisted as one chunk a block of 32 x 32
pixels. The raw figure calls ``model.run`` on each chunk's arrays; the lazy figure computes ``gridcal.simulate`` over the Dask
arrays with the synchronous scheduler. Both are CPU seconds of one process, the repeats interleaved, and the ratio is taken
pair by pair. Writing and compressing are not part of either.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import dask
import numpy as np
import pandas as pd
import xarray as xr

from gridcal.cube import Cube, open_cube
from gridcal.models.lue import lue
from gridcal.simulation.over_cube import simulate

UNITS = {"tas": "degC", "vpd": "kPa", "par": "MJ m-2 d-1", "fapar": "1", "wai": "1", "co2": "ppm", "ci": "1"}
RANGES = {
    "tas": (-10, 30),
    "vpd": (0, 3),
    "par": (0, 14),
    "fapar": (0.1, 0.95),
    "wai": (0, 1),
    "co2": (370, 420),
    "ci": (0.1, 1),
}


def make_cube(folder: Path, pixels: int, days: int, chunk: int) -> Cube:
    """Random forcing, written to Zarr and opened again, persisted in memory."""
    rng = np.random.default_rng(0)
    shape = (days, pixels, pixels)
    coords = {
        "time": pd.date_range("2001-01-01", periods=days),
        "lat": 40 + 0.05 * np.arange(pixels),
        "lon": -80 + 0.05 * np.arange(pixels),
    }
    ds = xr.Dataset(coords=coords)
    for name, (low, high) in RANGES.items():
        values = rng.random(shape, dtype=np.float32) * np.float32(high - low) + np.float32(low)
        ds[name] = (("time", "lat", "lon"), values, {"units": UNITS[name]})
    path = folder / "forcing.zarr"
    ds.chunk(time=-1, lat=chunk, lon=chunk).to_zarr(path, zarr_format=3, consolidated=False)
    cube = open_cube(path)
    return Cube.from_dataset(cube.data.persist(scheduler="synchronous"))


def measure(pixels: int = 64, days: int = 3650, chunk: int = 32, repeats: int = 9) -> dict[str, float]:
    """Pixel-days a CPU second of both paths and the median of the paired ratios lazy / raw."""
    with tempfile.TemporaryDirectory() as folder:
        cube = make_cube(Path(folder), pixels, days, chunk)
        rng = np.random.default_rng(1)
        unit = rng.uniform(0.1, 0.9, (pixels * pixels, len(lue.parameters)))
        values = lue.parameters.from_unit(unit).T.reshape(-1, pixels, pixels)
        space = {d: cube.data[d] for d in ("lat", "lon")}
        theta = xr.Dataset({n: (("lat", "lon"), v) for n, v in zip(lue.parameters.names, values, strict=True)}, coords=space)
        theta = theta.chunk(lat=chunk, lon=chunk).persist(scheduler="synchronous")
        blocks = [(slice(i, i + chunk), slice(j, j + chunk)) for i in range(0, pixels, chunk) for j in range(0, pixels, chunk)]
        parts = []
        for rows, columns in blocks:
            forcing = [
                cube.data[n].isel(lat=rows, lon=columns).compute(scheduler="synchronous").values.reshape(days, -1)
                for n in lue.forcing
            ]
            parts.append(
                (
                    np.ascontiguousarray(values[:, rows, columns].reshape(len(lue.parameters), -1)),
                    forcing,
                    np.zeros((2, chunk**2)),
                )
            )

        def raw() -> None:
            for part_theta, forcing, site in parts:
                lue.run(part_theta, forcing, site, dtype=np.float32)

        lazy_result = simulate(cube, lue, theta)["gpp"].data
        delayed = list(lazy_result.to_delayed(optimize_graph=True).ravel())

        def lazy() -> None:
            with dask.config.set(scheduler="synchronous"):
                for block in delayed:
                    block.compute()

        raw(), lazy()
        seconds: dict[str, list[float]] = {"raw": [], "lazy": []}
        for _ in range(repeats):
            for name, function in (("raw", raw), ("lazy", lazy)):
                start = time.process_time()
                function()
                seconds[name].append(time.process_time() - start)
    count = days * pixels * pixels
    ratio = np.median(np.array(seconds["raw"]) / np.array(seconds["lazy"]))
    return {
        "raw": count / np.median(seconds["raw"]),
        "lazy": count / np.median(seconds["lazy"]),
        "share": float(ratio),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pixels", type=int, default=64)
    parser.add_argument("--days", type=int, default=3650)
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    found = measure(arguments.pixels, arguments.days, repeats=arguments.repeats)
    print(f"raw kernel       {found['raw'] / 1e6:7.1f} million pixel-days per CPU second, one core")
    print(f"lazy path        {found['lazy'] / 1e6:7.1f} million pixel-days per CPU second, one core")
    print(f"lazy keeps       {100 * found['share']:7.1f} % of the raw kernel (median of {arguments.repeats} pairs)")
