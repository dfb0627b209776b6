"""Tiles on workers: how they are handed out, computed and put on record, and what happens when one fails or its worker dies.

A tile whose worker died is given to another one by Dask, as often as the scheduler allows; a tile that raised is put on record
as failed, and tried again by the next run. A run that waits says for what, and ends when it waits in vain.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import errno
import itertools
import os
import resource
import socket
import sys
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from gridcal.study import store
from gridcal.study.ledger import Ledger
from gridcal.study.progress import say
from gridcal.study.safety.patience import Patience, cluster_lost
from gridcal.study.tile_graphs import Pieces
from gridcal.study.tiles import Region
from gridcal.version import __version__

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_TRIES = 3
_REFRESH = 5.0


def peak_bytes() -> int:
    """Most memory this process has held so far, bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else 1024 * peak)


def run_tile(
    part: xr.Dataset, path: str, region: Region, ledger: tuple[str, str, str] | None = None, attempt: int = 1
) -> dict[str, Any]:
    """Compute one tile, write it, put it on record. A plain function: it runs here or on any worker.

    Parameters
    ----------
    part : Dataset
        The tile, lazy. Its graph is computed in the calling thread.
    path : str
        The store.
    region : dict
        The tile's place.
    ledger : (str, str, str), optional
        Folder of the ledger, fingerprint of the stage, name of the tile.
    attempt : int
        How often the tile was tried, this time included.

    Returns
    -------
    dict
        The record: per variable sha256 and bytes, counts of status codes, seconds, most memory the process has held so far,
        attempt, worker, versions.
    """
    start = time.monotonic()
    with warnings.catch_warnings(record=True) as told, _alone():
        warnings.simplefilter("default", category=UserWarning)
        for trial in range(1, _TRIES + 1):
            try:
                values = part.compute(scheduler="synchronous")
                break
            except OSError as error:  # an input that could not be read; anything else would fail again
                if error.errno in FULL or trial == _TRIES:
                    raise
                time.sleep(0.2 * trial)
    facts: dict[str, Any] = {
        "variables": store.write_region(Path(path), values, region),
        "status_counts": _count_status(values),
        "seconds": round(time.monotonic() - start, 3),
        "peak_bytes": peak_bytes(),
        "warnings": sorted({f"{w.category.__name__}: {w.message}" for w in told if issubclass(w.category, UserWarning)}),
        "attempt": attempt,
        "worker": f"{socket.gethostname()}:{os.getpid()}",
        "versions": {"gridcal": __version__} | {n: version(n) for n in ("numpy", "xarray", "zarr", "numba")},
    }
    if ledger is not None:
        folder, mark, tile = ledger
        Ledger(Path(folder), mark).finish(tile, **facts)
    return facts


def run_tiles(
    dataset: xr.Dataset, path: Path, todo: Mapping[str, Region], ledger: Ledger, stage: str,
    tell: Callable[[str], None] = say,
) -> Generator[tuple[str, dict[str, Any] | Exception], None, None]:  # fmt: skip
    """Run tiles on the active Dask cluster in a bounded window, or one by one without a cluster.

    Parameters
    ----------
    dataset : Dataset
        Lazy, as :func:`gridcal.study.store.storable` gives it.
    path : path
        The store.
    todo : mapping
        Region by tile.
    ledger : Ledger
        Where each tile's record goes.
    stage : str
        What the tasks are called on the dashboard: ``<stage>-tile``.
    tell : callable
        Told what the run waits for.

    Yields
    ------
    (str, dict or Exception)
        Tile, and its record or why it failed, as the tiles finish.

    Raises
    ------
    StudyError
        If the cluster is lost, or has had no worker, or none that works, for too long.
    """
    pieces = Pieces(dataset.drop_vars(list(dataset.coords)))
    client = active_client()
    if client is None:
        runs = _in_process(pieces, path, todo, ledger)
    else:
        runs = _on_cluster(client, pieces, path, todo, ledger, stage, Patience(client, tell))
    with contextlib.closing(runs):
        yield from runs


def _in_process(
    pieces: Pieces, path: Path, todo: Mapping[str, Region], ledger: Ledger
) -> Generator[tuple[str, dict[str, Any] | Exception], None, None]:
    for tile, region in todo.items():
        where = (str(ledger.folder), ledger.fingerprint, tile)
        try:
            yield tile, run_tile(pieces.of(region), str(path), region, where, ledger.attempts(tile) + 1)
        except Exception as error:
            yield tile, error


def _on_cluster(
    client: Any, pieces: Pieces, path: Path, todo: Mapping[str, Region], ledger: Ledger, stage: str, patience: Patience
) -> Generator[tuple[str, dict[str, Any] | Exception], None, None]:
    from distributed import as_completed

    run = uuid.uuid4().hex[:8]
    waiting = iter(todo.items())
    running: dict[Any, str] = {}
    window, looked = 0, -_REFRESH
    queue = as_completed(raise_errors=False)
    try:
        while True:
            if time.monotonic() - looked > _REFRESH:  # workers may join a cluster while it runs
                try:
                    window, looked = 2 * max(sum(client.nthreads().values()), 1) + 2, time.monotonic()
                except Exception as error:
                    raise cluster_lost(error, running.values()) from error
            for tile, region in itertools.islice(waiting, max(window - len(running), 0)):
                where = (str(ledger.folder.resolve()), ledger.fingerprint, tile)
                arguments = (pieces.of(region), str(path.resolve()), region, where, ledger.attempts(tile) + 1)
                key = f"{stage}-tile-{tile}-{run}"
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", message=".*large graph.*")
                    future = client.submit(run_tile, *arguments, key=key, pure=False)
                running[future] = tile
                queue.add(future)
            if not running:
                return
            while not queue.has_ready() and not queue.is_empty():
                with queue.thread_condition:
                    queue.thread_condition.wait(timeout=0.1)
                patience.wait(running.values())
            future = next(queue)
            patience.came()
            tile = running.pop(future)
            try:
                outcome: dict[str, Any] | Exception = future.result()
            except (concurrent.futures.CancelledError, asyncio.CancelledError) as error:
                raise cluster_lost(error, [tile]) from error
            except Exception as error:
                outcome = error
            future.release()
            yield tile, outcome
    finally:
        if running:
            with contextlib.suppress(Exception):
                client.cancel(list(running))


def _count_status(values: xr.Dataset) -> dict[str, int]:
    if "status" not in values or values["status"].dtype.kind not in "iu":
        return {}
    names = str(values["status"].attrs.get("flag_meanings", "")).split()
    flags = [int(v) for v in np.atleast_1d(values["status"].attrs.get("flag_values", np.arange(len(names))))]
    meaning = dict(zip(flags, names, strict=False))
    codes, n = np.unique(values["status"].values, return_counts=True)
    return {meaning.get(int(c), str(c)): int(k) for c, k in zip(codes, n, strict=True)}


def active_client() -> Any:
    """The Dask client that tiles run on; None where they run in this process."""
    if "distributed" not in sys.modules:
        return None
    from distributed import default_client

    try:
        client = default_client()
    except ValueError:
        return None
    return client if client.status == "running" else None


_LIMIT = threading.Lock()
_LIMITED: dict[str, Any] = {"users": 0, "settings": None}


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One thread for all that this process computes, while any of its threads makes a tile.

    Linear-algebra libraries would start threads of their own. And on a worker Dask would hand what a tile computes within
    itself to the cluster, and begin a further tile meanwhile.
    """
    import dask
    from threadpoolctl import threadpool_limits

    with _LIMIT:
        if _LIMITED["users"] == 0:
            settings = contextlib.ExitStack()
            settings.enter_context(threadpool_limits(1))
            settings.enter_context(dask.config.set(scheduler="synchronous"))
            _LIMITED["settings"] = settings
        _LIMITED["users"] += 1
    try:
        yield
    finally:
        with _LIMIT:
            _LIMITED["users"] -= 1
            if _LIMITED["users"] == 0:
                _LIMITED["settings"].close()
