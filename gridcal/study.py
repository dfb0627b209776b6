"""A study: a folder of Zarr stores, one a stage, that survives whatever kills the run."""

from __future__ import annotations

import concurrent.futures
import errno
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import numpy as np
import xarray as xr

from gridcal import store
from gridcal.errors import StudyError
from gridcal.fingerprint import canonical, differences
from gridcal.fingerprint import fingerprint as hash_of
from gridcal.ledger import Ledger, Lock, read_json, write_json
from gridcal.progress import progress
from gridcal.tiles import SPACE, tile_chunks, tiles
from gridcal.version import __version__

SCHEMA = 1


class Study:
    """A study folder.

    Parameters
    ----------
    path : path
        The folder; made if it is not there.
    config : mapping, optional
        What the results depend on. A folder made with another configuration is refused.

    Raises
    ------
    StudyError
        If the folder belongs to another configuration (the keys that differ are printed) or a newer gridcal.
    """

    def __init__(self, path: str | Path, config: Any = None) -> None:
        self.path = Path(path)
        self._lock = Lock(self.path / "lock.json")
        record = read_json(self.path / "study.json")
        if record is not None and record.get("schema", 0) > SCHEMA:
            raise StudyError(f"study {str(self.path)!r} was made by a newer gridcal ({record['gridcal']})", "Update gridcal")
        if record is not None and config is not None:
            changed = differences(record["config"], config)
            if changed:
                raise StudyError(
                    f"study {str(self.path)!r} was made with another configuration; changed: {'; '.join(changed[:5])}",
                    "Take another folder, or run with --fresh to delete this one",
                )
        if record is None:
            if self.path.exists() and any(self.path.iterdir()):
                raise StudyError(f"{str(self.path)!r} holds files but is no study", "Take an empty or a new folder")
            self.path.mkdir(parents=True, exist_ok=True)
            write_json(
                self.path / "study.json",
                {
                    "schema": SCHEMA,
                    "gridcal": __version__,
                    "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                    "config": canonical(config if config is not None else {}),
                },
            )

    def __repr__(self) -> str:
        return f"<gridcal.Study {str(self.path)!r}: {', '.join(self.stages()) or 'empty'}>"

    def save(self, name: str, dataset: xr.Dataset, *, fingerprint: str | None = None, label: str | None = None) -> xr.Dataset:
        """Compute a lazy data set tile by tile into the study, or finish what an earlier run left.

        Parameters
        ----------
        name : str
            Name of the stage.
        dataset : Dataset
            Lazy; its space chunks are the tiles, time is in one chunk. Data in memory are cut into default tiles.
        fingerprint : str, optional
            What the values depend on; ``dataset.attrs["fingerprint"]`` without it.
        label : str, optional
            Text of the progress bar.

        Returns
        -------
        Dataset
            The stage, opened lazily from disk.

        Raises
        ------
        StudyError
            If the stage was made from something else, a tile failed, the disk is full, or another run holds the study.
        """
        mark = fingerprint if fingerprint is not None else str(dataset.attrs.get("fingerprint", ""))
        dataset = _storable(dataset)
        path, folder = self._store(name), self._ledger(name)
        chunks = tile_chunks(dataset)
        plan = dict(tiles(dataset, chunks))
        stage = {
            "fingerprint": mark,
            "chunks": chunks,
            "tiles": len(plan),
            "sizes": {str(k): v for k, v in dataset.sizes.items()},
        }
        with self._lock:
            old = read_json(folder / "stage.json")
            if old is not None and {k: old.get(k) for k in stage} != stage:
                raise StudyError(
                    f"stage {name!r} of study {str(self.path)!r} was made from something else "
                    f"({'; '.join(differences({k: old.get(k) for k in stage}, stage)[:3])})",
                    f"Delete the stage ({path.name} and {folder.name}) or take another study folder",
                )
            if old is None or not path.exists():
                shutil.rmtree(path, ignore_errors=True)
                shutil.rmtree(folder, ignore_errors=True)
                store.create(path, dataset.assign_attrs(stage=name), chunks)
                write_json(folder / "stage.json", stage)
            for part in self.path.rglob("*.partial"):
                part.unlink(missing_ok=True)
            ledger = Ledger(folder, mark)
            finished = ledger.records()
            todo = {tile: region for tile, region in plan.items() if tile not in finished}
            if todo:
                self._run(name, dataset, path, ledger, todo, len(plan), label or name)
            if not (folder / "COMPLETE").exists():
                write_json(folder / "COMPLETE", {"tiles": len(plan), "fingerprint": mark})
        return self.open(name)

    def _run(
        self,
        name: str,
        dataset: xr.Dataset,
        path: Path,
        ledger: Ledger,
        todo: dict[str, dict[str, slice]],
        total: int,
        label: str,
    ) -> None:
        failed: list[tuple[str, BaseException]] = []
        with progress(total, label, done=total - len(todo)) as step:
            for tile, outcome in _execute(name, dataset, path, todo):
                self._lock.beat()
                step(1)
                if isinstance(outcome, BaseException):
                    if isinstance(outcome, OSError) and outcome.errno == errno.ENOSPC:
                        raise StudyError(
                            f"the disk is full: stage {name!r} stopped at tile {tile}",
                            f"Free some space ({dataset.nbytes / 1e6:.0f} MB for the whole stage at the most) and run again",
                        ) from outcome
                    ledger.fail(tile, outcome)
                    failed.append((tile, outcome))
                else:
                    ledger.finish(tile, **outcome, version=__version__)
        if failed:
            tile, error = failed[0]
            raise StudyError(
                f"stage {name!r}: {len(failed)} of {total} tiles failed, the first ({tile}) with "
                f"{type(error).__name__}: {error}",
                f"See {ledger.folder.name}/failures; running again tries these tiles only",
            ) from error

    def open(self, name: str, *, allow_incomplete: bool = False) -> xr.Dataset:
        """A finished stage, opened lazily.

        Raises
        ------
        StudyError
            If there is no such stage, or it is not finished.
        """
        if not self._store(name).exists():
            raise StudyError(f"study {str(self.path)!r} has no stage {name!r}", f"It has: {', '.join(self.stages()) or 'none'}")
        if not allow_incomplete and not (self._ledger(name) / "COMPLETE").exists():
            raise StudyError(f"stage {name!r} of study {str(self.path)!r} is not finished", "Resume the study first")
        return store.read(self._store(name))

    def stages(self, *, complete: bool = False) -> list[str]:
        """Names of the stages, in the order they were started."""
        found = [p for p in self.path.glob("*.ledger") if (p / "stage.json").exists()]
        if complete:
            found = [p for p in found if (p / "COMPLETE").exists()]
        return [p.stem for p in sorted(found, key=lambda p: (p / "stage.json").stat().st_mtime_ns)]

    def status(self) -> dict[str, dict[str, Any]]:
        """Per stage: tiles done and total, complete, seconds, and the counts of calibration codes."""
        out: dict[str, dict[str, Any]] = {}
        for name in self.stages():
            folder = self._ledger(name)
            stage = read_json(folder / "stage.json") or {}
            records = Ledger(folder, stage.get("fingerprint", "")).records()
            counts: dict[str, int] = {}
            for record in records.values():
                for code, n in record.get("status_counts", {}).items():
                    counts[code] = counts.get(code, 0) + n
            out[name] = {
                "done": len(records),
                "total": stage.get("tiles", 0),
                "complete": (folder / "COMPLETE").exists(),
                "seconds": sum(r.get("seconds", 0.0) for r in records.values()),
                "status_counts": dict(sorted(counts.items())),
            }
        return out

    def verify(self) -> list[str]:
        """Read every finished tile back and compare it with its record.

        Returns
        -------
        list of str
            One line for each damaged tile: stage, tile, variable, what is wrong. Empty if all is well.
        """
        damaged = []
        for name in self.stages():
            folder = self._ledger(name)
            stage = read_json(folder / "stage.json") or {}
            ds = store.read(self._store(name))
            plan = dict(tiles(ds, stage["chunks"]))
            records = Ledger(folder, stage["fingerprint"]).records()
            with progress(len(records), f"verifying {name}") as step:
                for tile, record in records.items():
                    part = ds.isel({d: s for d, s in plan[tile].items() if d in ds.dims})
                    for variable, expected in record["sha256"].items():
                        try:
                            found = store.digest(part[variable].values)
                        except Exception as error:
                            damaged.append(f"{name} {tile} {variable}: {type(error).__name__}: {error}")
                            continue
                        if found != expected:
                            damaged.append(f"{name} {tile} {variable}: values differ from their checksum")
                    step(1)
        return damaged

    def record(self, name: str, document: Any) -> None:
        """Write a small JSON document into the study."""
        write_json(self.path / "records" / f"{name}.json", canonical_numbers(document))

    def read_record(self, name: str) -> Any:
        """Read a document back; None if there is none."""
        return read_json(self.path / "records" / f"{name}.json")

    def _store(self, name: str) -> Path:
        return self.path / f"{name}.zarr"

    def _ledger(self, name: str) -> Path:
        return self.path / f"{name}.ledger"


def canonical_numbers(obj: Any) -> Any:
    """Plain Python numbers and containers, for JSON."""
    if isinstance(obj, dict):
        return {str(k): canonical_numbers(v) for k, v in obj.items()}
    if isinstance(obj, list | tuple):
        return [canonical_numbers(v) for v in obj]
    if isinstance(obj, np.generic):
        return obj.item()
    return obj


def _storable(ds: xr.Dataset) -> xr.Dataset:
    """Booleans as bytes; every dimension but space in one chunk."""
    out = ds.copy()
    for name, x in ds.data_vars.items():
        if x.chunks is not None:
            out[name] = x.chunk({d: -1 for d in x.dims if d not in SPACE})
    out = out.assign_coords({c: x.compute() for c, x in ds.coords.items() if x.chunks is not None})
    for name, values in ds.variables.items():
        if values.dtype.kind == "b":
            out[name] = out[name].astype(np.int8).assign_attrs(ds[name].attrs)
    return out


def run_tile(part: xr.Dataset, path: str, region: dict[str, slice]) -> dict[str, Any]:
    """Compute one tile, write it, and return its facts. A plain function: it runs on any worker."""
    from threadpoolctl import threadpool_limits

    start = time.monotonic()
    with threadpool_limits(1), dask.config.set(scheduler="synchronous"):
        values = part.compute()
    hashes = store.write_region(Path(path), values, region)
    counts: dict[str, int] = {}
    if "status" in values and values["status"].dtype.kind == "i":
        names = str(values["status"].attrs.get("flag_meanings", "")).split()
        codes, n = np.unique(values["status"].values, return_counts=True)
        counts = {names[c] if c < len(names) else str(c): int(k) for c, k in zip(codes, n, strict=True)}
    return {"sha256": hashes, "seconds": round(time.monotonic() - start, 3), "status_counts": counts}


def _execute(
    name: str, dataset: xr.Dataset, path: Path, todo: dict[str, dict[str, slice]]
) -> Iterator[tuple[str, dict[str, Any] | BaseException]]:
    """Outcome of each tile as it finishes: on the active Dask cluster in a bounded window, else one by one."""
    bare = dataset.drop_vars([c for c in dataset.coords if c not in dataset.dims])

    def piece(region: dict[str, slice]) -> xr.Dataset:
        part = bare.isel({d: s for d, s in region.items() if d in bare.dims})
        return dask.optimize(part)[0]  # so that a task carries its own tile's graph and data only

    client = _client()
    if client is None:
        for tile, region in todo.items():
            try:
                yield tile, run_tile(piece(region), str(path), region)
            except Exception as error:
                yield tile, error
        return
    waiting = iter(todo.items())
    window = 2 * max(sum(client.nthreads().values()), 1) + 2
    running: dict[Any, str] = {}

    def submit() -> bool:
        item = next(waiting, None)
        if item is None:
            return False
        tile, region = item
        future = client.submit(
            run_tile, piece(region), str(path.resolve()), region, key=f"{name}-{tile}-{hash_of([str(path), time.time()])[:8]}",
            pure=False, retries=1,
        )  # fmt: skip
        running[future] = tile
        return True

    from distributed import as_completed

    for _ in range(window):
        if not submit():
            break
    queue = as_completed(list(running), raise_errors=False)
    for future in queue:
        tile = running.pop(future)
        try:
            yield tile, future.result()
        except concurrent.futures.CancelledError as error:
            yield tile, StudyError(f"the cluster dropped tile {tile} ({error})", "Run again")
        except Exception as error:
            yield tile, error
        future.release()
        before = set(running)
        if submit():
            queue.add(next(f for f in running if f not in before))


def _client() -> Any:
    import sys

    if "distributed" not in sys.modules:
        return None
    from distributed import default_client

    try:
        return default_client()
    except ValueError:
        return None
