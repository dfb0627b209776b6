"""Which files of a study folder are the study's own: only these are ever written over or deleted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from gridcal.errors import StudyError
from gridcal.study.safety.records import inside, study_record, write_json

OLDER_FOLDERS = ("learner", "networks")
"""What the stages of older versions made, which did not put their folders on record."""
_FILES = ("study.json", "lock.json", "report.html", ".study.json", ".lock.json", ".report.html")
_FOLDERS = ("records", *OLDER_FOLDERS)


def refuse_links(folder: Path) -> None:
    """Stop at a link where a study keeps its own files: what is written there would land elsewhere.

    Raises
    ------
    StudyError
        Naming the link. Links beside the study's own files are the user's, and are let alone.
    """
    if not folder.is_dir():
        return
    for entry in os.scandir(folder):
        own = entry.name.startswith(_FILES) or entry.name in _FOLDERS or entry.name.endswith((".zarr", ".ledger"))
        if not own:
            continue
        inner: Iterable[os.DirEntry[str]] = [] if entry.is_symlink() or not entry.is_dir() else os.scandir(entry.path)
        for found in (entry, *inner):
            if found.is_symlink():
                raise StudyError(
                    f"{found.path!r} is a link to {os.readlink(found.path)!r}, where the study keeps files of its own",
                    "Put the files themselves there; to keep a study on another disk, link its whole folder",
                )


def sweep(folder: Path) -> int:
    """Delete what interrupted writes of a study left (``*.partial``); return how many files."""
    found = [part for part in folder.glob(".*.partial") if part.is_file()]
    for inner in (*_stores(folder), *folder.glob("*.ledger"), folder / "records"):
        found += [part for part in inner.rglob("*.partial") if part.is_file()]
    for part in found:
        part.unlink(missing_ok=True)
    return len(found)


def delete_stage(folder: Path, name: str) -> None:
    """Delete a stage. Killed in between, it leaves a stage that is not finished, never one that seems to be."""
    ledger = folder / f"{name}.ledger"
    if not ledger.is_dir():  # a store without a ledger is not the study's
        return
    (ledger / "COMPLETE").unlink(missing_ok=True)
    shutil.rmtree(folder / f"{name}.zarr", ignore_errors=True)
    shutil.rmtree(ledger, ignore_errors=True)


def delete_study(folder: Path, made: Iterable[str]) -> None:
    """Delete what a study has made, but for its ``study.json`` and its lock; whatever else lies in the folder stays.

    Parameters
    ----------
    folder : path
        The study folder.
    made : iterable of str
        Folders in it that stages have made for themselves.
    """
    for ledger in sorted(folder.glob("*.ledger")):
        delete_stage(folder, ledger.name.removesuffix(".ledger"))
    for name in made:
        shutil.rmtree(folder / name, ignore_errors=True)
    records = folder / "records"
    for record in records.glob("*.json"):
        record.unlink(missing_ok=True)
    sweep(folder)
    if records.is_dir() and not any(records.iterdir()):
        records.rmdir()
    (folder / "report.html").unlink(missing_ok=True)


def claim_folder(folder: Path, name: str) -> None:
    """Put a folder that a stage is about to make for itself on record as the study's own. Under the study's lock.

    Raises
    ------
    StudyError
        If somebody else has put something of that name into the study folder.
    """
    record = study_record(folder / "study.json") or {}
    made = record.get("folders", list(OLDER_FOLDERS))
    if name in made:
        return
    if not inside(name) or (folder / name).exists():
        raise StudyError(
            f"study {str(folder)!r} holds {name!r}, which it did not make and would write over", "Move it elsewhere"
        )
    write_json(folder / "study.json", record | {"folders": [*made, name]})


def drop_folder(folder: Path, name: str) -> None:
    """Delete a folder that a stage has made for itself, and no other. Under the study's lock."""
    if name in (study_record(folder / "study.json") or {}).get("folders", OLDER_FOLDERS):
        shutil.rmtree(folder / name, ignore_errors=True)


def _stores(folder: Path) -> Iterator[Path]:
    return (store for store in folder.glob("*.zarr") if store.with_suffix(".ledger").is_dir())
