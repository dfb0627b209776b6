"""Measure what tiles take by making a few of them, for the plan of a job."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.study import store
from gridcal.study.ledger import Ledger
from gridcal.study.progress import say
from gridcal.study.safety.patience import Patience
from gridcal.study.stage import Estimate
from gridcal.study.tiles import Region, tile_chunks, tiles
from gridcal.study.tiles_on_workers import active_client, peak_bytes, run_tiles

PROBES = 5
"""Tiles that are made."""

T = TypeVar("T")
P = ParamSpec("P")
Array = npt.NDArray[np.float64]


def timed(action: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T, float]:
    """What an action returns, and the seconds it took."""
    start = time.perf_counter()
    return action(*args, **kwargs), time.perf_counter() - start


def _measured(action: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T, int]:
    return action(*args, **kwargs), peak_bytes()


def on_worker(action: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T, int]:
    """What an action returns on a worker, or here without a cluster; and the most memory its process has held, bytes."""
    client = active_client()
    if client is None:
        return _measured(action, *args, **kwargs)
    future = client.submit(_measured, action, *args, pure=False, **kwargs)
    patience = Patience(client, say)
    while not future.done():
        time.sleep(0.05)
        patience.wait(())
    found: tuple[T, int] = future.result()
    return found


def timed_tiles(dataset: xr.Dataset, valid: npt.NDArray[np.bool_] | None = None) -> Estimate:
    """What it takes to make all tiles of a lazy data set, from a few of them that are made and thrown away.

    Parameters
    ----------
    dataset : Dataset
        Lazy.
    valid : bool array over its space dimensions, optional
        Pixels that cost something; a tile's time is interpolated between the tiles made by their number of such pixels.

    Returns
    -------
    Estimate
        With the seconds that the driver spends on the tiles under `serial`.
    """
    ready = store.storable(dataset)
    chunks = tile_chunks(ready)
    plan = dict(tiles(ready.sizes, chunks))
    names = list(plan)
    counts = np.array([_count(region, valid) for region in plan.values()], dtype=float)
    order = np.argsort(counts, kind="stable")
    chosen = order[np.unique(np.linspace(0, order.size - 1, PROBES).round().astype(int))]
    with tempfile.TemporaryDirectory(prefix="gridcal-plan-") as folder:
        path = Path(folder) / "probe.zarr"
        _, created = timed(store.create, path, ready, chunks)
        ledger = Ledger(Path(folder) / "probe.ledger", "")
        facts, driver, peak = {}, 0.0, 0
        for part in (chosen[-1:], chosen):  # the first pays for what happens once
            start = time.perf_counter()
            for name, found in run_tiles(ready, path, {names[k]: plan[names[k]] for k in part}, ledger, "plan"):
                if isinstance(found, Exception):
                    raise found
                facts[name], peak = found["seconds"], max(peak, found["peak_bytes"])
            driver = (time.perf_counter() - start - sum(facts[names[k]] for k in part)) / len(part)
    seconds = np.array([facts[names[k]] for k in chosen])
    expected = float(np.interp(counts, *_averaged(counts[chosen], seconds)).sum())
    return Estimate(len(plan), int(ready.nbytes), expected, created + max(driver, 0.0) * len(plan), peak)


def timed_samples(few: xr.Dataset, whole: xr.Dataset) -> Estimate:
    """What it takes to make a lazy data set over samples, from one over a few of them, a sample a tile.

    Parameters
    ----------
    few : Dataset
        Lazy, the few samples.
    whole : Dataset
        Lazy, all samples.
    """
    probe = timed_tiles(few)
    ready = store.storable(whole)
    count = len(dict(tiles(ready.sizes, tile_chunks(ready))))
    n, m = (max(x.sizes[d] for d in store.SPACE if d in x.sizes) for x in (whole, few))
    return Estimate(count, int(ready.nbytes), probe.seconds * n / m, probe.serial / probe.tiles * count, probe.peak_bytes)


def _count(region: Region, valid: npt.NDArray[np.bool_] | None) -> int:
    if valid is None:
        return int(np.prod([s.stop - s.start for s in region.values()] or [1]))
    return int(valid[tuple(region.values())].sum())


def _averaged(x: Array, y: Array) -> tuple[Array, Array]:
    """Mean of y at each distinct x, for interpolation."""
    at = np.unique(x)
    return at, np.array([y[x == value].mean() for value in at])
