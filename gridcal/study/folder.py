"""A study: a folder of Zarr stores, one a stage, that survives whatever kills the run."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from gridcal.errors import StudyError
from gridcal.study import progress as progress_display
from gridcal.study import store
from gridcal.study.ledger import Ledger, Lock
from gridcal.study.safety.own_files import OLDER_FOLDERS, delete_stage, delete_study, refuse_links, sweep
from gridcal.study.safety.place import study_folder
from gridcal.study.safety.records import plain, read_json, read_mapping, stage_record, study_record, write_json
from gridcal.study.tile_warnings import pass_on
from gridcal.study.tiles import Region, tile_chunks, tiles
from gridcal.study.tiles_on_workers import FULL, run_tiles
from gridcal.version import __version__
from gridcal.vocabulary.fingerprint import canonical, differences
from gridcal.vocabulary.fingerprint import fingerprint as hash_of

SCHEMA = 2
"""Layout of a study folder: from 2 on, stages of a job say which keys of the study file and which stages they came from."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")


class Study:
    """A study folder.

    Parameters
    ----------
    path : path
        The folder; made if it is not there.
    config : mapping, optional
        What the results depend on. A folder made with another configuration is refused.
    fresh : bool
        Delete what the study has made first. Other files in the folder stay.

    Raises
    ------
    StudyError
        If the folder is an address, belongs to another configuration (the keys that differ are printed) or a newer gridcal,
        holds something that is no study or links to elsewhere, or is in use while what it holds should be deleted.
    """

    def __init__(self, path: str | Path, config: Any = None, *, fresh: bool = False) -> None:
        self.path = study_folder(path)
        self._lock = Lock(self.path / "lock.json")
        file = self.path / "study.json"
        refuse_links(self.path)
        record = study_record(file)
        if record is not None and fresh:
            with self._lock:
                delete_study(self.path, record.get("folders", OLDER_FOLDERS))
                self._begin(file, config)
            return
        if record is not None and record.get("schema", 0) > SCHEMA:
            raise StudyError(f"study {str(self.path)!r} was made by a newer gridcal ({record['gridcal']})", "Update gridcal")
        if record is not None and config is not None:
            changed = differences(record["config"], config)
            if changed:
                raise StudyError(
                    f"study {str(self.path)!r} was made with another configuration; changed: {'; '.join(changed)}",
                    "Take another folder, or delete this study: fresh=True, on the command line --fresh",
                )
        if record is None:
            self._make(file, config)

    @property
    def schema(self) -> int:
        """Layout of the folder; 1 where stages do not say what they came from."""
        return int(self._record().get("schema", 1))

    @property
    def config(self) -> dict[str, Any]:
        """What the results depend on, as it was last run."""
        found: dict[str, Any] = self._record().get("config", {})
        return found

    @property
    def lock(self) -> Lock:
        """``with study.lock:`` keeps other processes from writing into the study; what this object does within it, it may."""
        return self._lock

    def _record(self) -> dict[str, Any]:
        return study_record(self.path / "study.json") or {}

    def adopt(self, config: Any) -> None:
        """Put another configuration on record: the stages say themselves which of them it concerns."""
        file = self.path / "study.json"
        document = canonical(config)
        record = self._record()
        if record.get("config") != document:
            with self._lock:
                write_json(file, record | {"config": document, "fingerprint": hash_of(document)})

    def depends_on(self, name: str) -> dict[str, Any] | None:
        """What a stage (finished or begun) or a record was made from, where that was given when it was saved."""
        _check_name(name)
        stage = stage_record(self._ledger(name) / "stage.json")
        found: dict[str, Any] | None = stage.get("depends_on") if stage else read_mapping(self._depends(name))
        return found

    def drop(self, name: str) -> None:
        """Delete a stage or a record, so that it is made again."""
        _check_name(name)
        with self._lock:
            delete_stage(self.path, name)
            self._depends(name).unlink(missing_ok=True)
            (self.path / "records" / f"{name}.json").unlink(missing_ok=True)

    def _make(self, file: Path, config: Any) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise StudyError(f"{str(self.path)!r} is a file", "Give a folder")
        if self.path.is_dir() and any(not p.name.startswith(".") for p in self.path.iterdir()):
            raise StudyError(f"{str(self.path)!r} holds files but is no study", "Take an empty or a new folder")
        self._begin(file, config)

    def _begin(self, file: Path, config: Any) -> None:
        document = canonical(config if config is not None else {})
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        start = {"schema": SCHEMA, "gridcal": __version__, "created": created, "fingerprint": hash_of(document), "folders": []}
        try:
            write_json(file, start | {"config": document})
        except OSError as error:
            raise StudyError(
                f"study folder {str(self.path)!r} cannot be written ({error.strerror})", "Take one of your own, with space"
            ) from error

    def __repr__(self) -> str:
        return f"<gridcal.Study {str(self.path)!r}: {', '.join(self.stages()) or 'empty'}>"

    def save(
        self,
        name: str,
        dataset: xr.Dataset,
        *,
        fingerprint: str | Mapping[str, Any] | None = None,
        progress: bool = True,
        label: str | None = None,
    ) -> xr.Dataset:
        """Compute a lazy data set tile by tile into the study, or finish what an earlier run left.

        A finished stage is opened, not computed. Tiles run on the active Dask client, or one by one in this process.

        Parameters
        ----------
        name : str
            Name of the stage: letters, digits, ``_`` and ``-``.
        dataset : Dataset
            Lazy; its space chunks are the tiles. Data in memory are cut into default tiles, and data without space
            dimensions are one tile.
        fingerprint : str or mapping, optional
            What the values depend on; without it, what the data set says of itself (its attributes ``fingerprint`` and
            ``made_from``). Of a mapping, the keys that differ are named when the stage turns out to be made from something
            else.
        progress : bool
            Show progress.
        label : str, optional
            Text of the progress display; the name without it.

        Returns
        -------
        Dataset
            The stage, opened lazily from disk.

        Raises
        ------
        StudyError
            If the stage was made from something else, a tile failed, the disk is full, or another run holds the study.
        """
        _check_name(name)
        dependencies, mark = _made_from(dataset, fingerprint)
        task = re.sub(r"[^A-Za-z]+", "_", str(dataset.attrs.get("stage", name))).strip("_") or "stage"
        dataset = store.storable(dataset)
        dataset.attrs = {k: v for k, v in dataset.attrs.items() if k != "made_from"} | ({"fingerprint": mark} if mark else {})
        chunks = tile_chunks(dataset)
        plan = dict(tiles(dataset.sizes, chunks))
        stage = {
            "fingerprint": mark,
            "chunks": chunks,
            "tiles": len(plan),
            "sizes": {str(k): v for k, v in dataset.sizes.items()},
            "variables": {str(k): [list(map(str, x.dims)), _kind(x)] for k, x in dataset.data_vars.items()},
            "coordinates": {str(k): store.digest(x.values) for k, x in dataset.coords.items()},
        }
        folder = self._ledger(name)
        if self._finished(name):
            self._refuse_other(name, stage, dependencies)
            return self.open(name)
        with self._lock:
            self._refuse_other(name, stage, dependencies)
            sweep(self.path)
            if not (folder / "stage.json").exists() or not self._store(name).exists():
                if self._store(name).exists() and not folder.is_dir():
                    raise StudyError(
                        f"study {str(self.path)!r} holds {name}.zarr, which it did not make and would write over",
                        "Move it elsewhere, or run into a new folder",
                    )
                delete_stage(self.path, name)
                folder.mkdir()  # from here on the store is the study's own
                store.create(self._store(name), dataset, chunks)
                write_json(folder / "stage.json", stage | {"depends_on": canonical(dependencies)})
            ledger = Ledger(folder, mark)
            self._drop_broken(name, ledger, plan, dataset)
            finished = ledger.records()
            todo = {tile: region for tile, region in plan.items() if tile not in finished}
            if todo:
                self._run(name, dataset, ledger, todo, len(plan), task, label or name, quiet=not progress)
            self._lock.check()
            write_json(folder / "COMPLETE", {"tiles": len(plan), "fingerprint": mark})
        return self.open(name)

    def _refuse_other(self, name: str, stage: dict[str, Any], dependencies: dict[str, Any] | None) -> None:
        """Stop if a stage of this name was made from something else."""
        old = stage_record(self._ledger(name) / "stage.json")
        if old is None or all(old.get(k) == v for k, v in stage.items()):
            return
        changed = differences({k: old.get(k) for k in stage}, stage)
        if dependencies is not None and old.get("depends_on") is not None:
            changed = differences(old["depends_on"], dependencies) + [c for c in changed if not c.startswith("fingerprint:")]
        raise StudyError(
            f"stage {name!r} of study {str(self.path)!r} was made from something else; changed: {'; '.join(changed[:8])}",
            f"Delete the stage ({name}.zarr and {name}.ledger) or choose another study folder",
        )

    def _drop_broken(self, name: str, ledger: Ledger, plan: dict[str, Region], dataset: xr.Dataset) -> None:
        """Forget records whose chunk files are gone or cut short, e.g. after a power cut."""
        dims = {str(k): tuple(map(str, x.dims)) for k, x in dataset.data_vars.items()}
        for tile, record in ledger.records().items():
            if tile not in plan or store.check_region(self._store(name), dims, plan[tile], record["variables"], full=False):
                ledger.forget(tile)

    def _run(
        self, name: str, dataset: xr.Dataset, ledger: Ledger, todo: dict[str, Region], total: int, task: str, label: str, *,
        quiet: bool,
    ) -> None:  # fmt: skip
        failed: list[tuple[str, Exception]] = []
        told: list[str] = []
        runs: Any = None
        try:
            with progress_display.progress(total, label, done=total - len(todo), quiet=quiet) as step:
                runs = run_tiles(dataset, self._store(name), todo, ledger, task, step.say)
                for tile, outcome in runs:
                    self._lock.check()
                    step(1)
                    if not isinstance(outcome, Exception):
                        told += outcome.get("warnings", [])
                        continue
                    if isinstance(outcome, OSError) and outcome.errno in FULL:
                        raise StudyError(
                            f"the disk of {str(self.path)!r} is full: stage {name!r} stopped at tile {tile}",
                            f"Free some space ({dataset.nbytes / 1e6:.1f} MB for the whole stage at the most) and run again: "
                            "it resumes",
                        ) from outcome
                    ledger.fail(tile, outcome)
                    failed.append((tile, outcome))
        finally:
            if runs is not None:
                runs.close()
        pass_on(told, f"stage {name!r}")
        if failed:
            tile, error = min(failed, key=lambda pair: pair[0])
            raise StudyError(
                f"stage {name!r}: {len(failed)} of {total} tiles failed; tile {tile} with {type(error).__name__}: {error}",
                f"See {ledger.folder.name}/failures; running again tries these tiles only",
            ) from error

    def open(self, name: str, *, allow_incomplete: bool = False) -> xr.Dataset:
        """Open a finished stage lazily.

        Parameters
        ----------
        name : str
            Name of the stage.
        allow_incomplete : bool
            Open it even if tiles are missing; they read as fill values (NaN, 0).

        Returns
        -------
        Dataset
            Lazy, one Dask chunk a tile.

        Raises
        ------
        StudyError
            If there is no such stage, or it is not finished.
        """
        _check_name(name)
        if not (self._ledger(name) / "stage.json").exists() or not self._store(name).exists():
            raise StudyError(f"study {str(self.path)!r} has no stage {name!r}", f"It has: {', '.join(self.stages()) or 'none'}")
        if not allow_incomplete and not self._finished(name):
            raise StudyError(f"stage {name!r} of study {str(self.path)!r} is not finished", "Resume the study first")
        return store.read(self._store(name))

    def stages(self, *, complete: bool = False) -> list[str]:
        """Names of the stages, in the order they were started; with `complete` only the finished ones."""
        found = [p for p in self.path.glob("*.ledger") if (p / "stage.json").exists()]
        if complete:
            found = [p for p in found if self._finished(p.stem)]
        return [p.stem for p in sorted(found, key=lambda p: (p / "stage.json").stat().st_mtime_ns)]

    def status(self) -> dict[str, dict[str, Any]]:
        """How far each stage is.

        Returns
        -------
        dict
            By stage: ``done`` and ``total`` tiles, ``complete``, ``seconds`` of computing, ``peak_bytes``
            (most memory of a process), ``status_counts`` (pixels by calibration code) and ``failures`` (error by tile).
        """
        out: dict[str, dict[str, Any]] = {}
        for name in self.stages():
            folder = self._ledger(name)
            stage = stage_record(folder / "stage.json") or {}
            ledger = Ledger(folder, stage.get("fingerprint", ""))
            records = ledger.records()
            counts: dict[str, int] = {}
            for record in records.values():
                for code, n in record.get("status_counts", {}).items():
                    counts[code] = counts.get(code, 0) + n
            out[name] = {
                "done": len(records),
                "total": stage.get("tiles", 0),
                "complete": self._finished(name),
                "seconds": sum(r.get("seconds", 0.0) for r in records.values()),
                "peak_bytes": max((r.get("peak_bytes", 0) for r in records.values()), default=0),
                "status_counts": dict(sorted(counts.items())),
                "failures": ledger.failures(),
            }
        return out

    def verify(self, *, repair: bool = False, progress: bool = True) -> list[str]:
        """Read every finished tile back and compare it with its record.

        Parameters
        ----------
        repair : bool
            Take the records of damaged tiles away, so that the next run computes these tiles again.
        progress : bool
            Show progress.

        Returns
        -------
        list of str
            One line for each damaged variable of a tile: stage, tile, variable, what is wrong. Empty if all is well.
        """
        damaged = []
        for name in self.stages():
            folder, path = self._ledger(name), self._store(name)
            stage = stage_record(folder / "stage.json") or {}
            ledger = Ledger(folder, stage.get("fingerprint", ""))
            damaged += [f"{name}: {problem}" for problem in _check_coordinates(path, stage.get("coordinates", {}))]
            plan = dict(tiles(stage["sizes"], stage["chunks"]))
            dims = {k: tuple(v[0]) for k, v in stage["variables"].items()}
            records = ledger.records()
            bad = [tile for tile in plan if tile not in records] if self._finished(name) else []
            damaged += [f"{name} {tile}: its record is missing or damaged" for tile in bad]
            with progress_display.progress(len(records), f"verifying {name}", quiet=not progress) as step:
                for tile, record in records.items():
                    if tile not in plan:
                        damaged.append(f"{name} {tile}: there is a record of a tile that the stage does not have")
                        continue
                    wrong = store.check_region(path, dims, plan[tile], record["variables"], full=True)
                    damaged += [f"{name} {tile} {variable}: {problem}" for variable, problem in wrong.items()]
                    bad += [tile] if wrong else []
                    step(1)
            if repair and bad:
                with self._lock:
                    (folder / "COMPLETE").unlink(missing_ok=True)
                    for tile in bad:
                        ledger.forget(tile)
        return damaged

    def record(self, name: str, document: Any, *, depends_on: Mapping[str, Any] | None = None) -> None:
        """Write a small JSON document into the study, all at once or not at all.

        Parameters
        ----------
        name : str
            Its name.
        document : object
            Numbers, text, lists, mappings.
        depends_on : mapping, optional
            What it was made from; :meth:`depends_on` gives it back.
        """
        _check_name(name)
        self._depends(name).unlink(missing_ok=True)
        write_json(self.path / "records" / f"{name}.json", plain(document))
        if depends_on is not None:
            write_json(self._depends(name), canonical(dict(depends_on)))

    def read_record(self, name: str) -> Any:
        """Read a document back; None if there is none."""
        _check_name(name)
        return read_json(self.path / "records" / f"{name}.json")

    def _finished(self, name: str) -> bool:
        return (self._ledger(name) / "COMPLETE").exists() and self._store(name).exists()

    def _store(self, name: str) -> Path:
        return self.path / f"{name}.zarr"

    def _ledger(self, name: str) -> Path:
        return self.path / f"{name}.ledger"

    def _depends(self, name: str) -> Path:
        return self.path / "records" / f"{name}.depends.json"


def _made_from(dataset: xr.Dataset, given: str | Mapping[str, Any] | None) -> tuple[dict[str, Any] | None, str]:
    """What a data set was made from, where that is known, and its fingerprint."""
    if isinstance(given, Mapping):
        return dict(given), hash_of(dict(given))
    if given is not None:
        return None, str(given)
    with contextlib.suppress(ValueError):
        found = json.loads(str(dataset.attrs.get("made_from", "")))
        if isinstance(found, dict):
            return found, str(dataset.attrs.get("fingerprint", ""))
    return None, str(dataset.attrs.get("fingerprint", ""))


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise StudyError(f"{name!r} cannot name a stage or record", "Use letters, digits, _ and -")


def _check_coordinates(path: Path, expected: dict[str, str]) -> list[str]:
    """Coordinates of a store that cannot be read or differ from their checksum."""
    try:
        ds = store.read(path)
    except Exception as error:
        return [f"the store cannot be read ({type(error).__name__}: {error}); delete the stage and run again"]
    return [
        f"coordinate {name!r} differs from its checksum; delete the stage and run again"
        for name, wanted in expected.items()
        if name not in ds.coords or store.digest(ds[name].values) != wanted
    ]


def _kind(x: xr.DataArray) -> str:
    return "text" if x.dtype.kind in "OSUT" else str(x.dtype)
