"""Records of a study folder: written whole, checked before they are believed. A folder may come from somebody else."""

from __future__ import annotations

import contextlib
import math
import os
import uuid
from collections.abc import Mapping
from json import dump
from pathlib import Path
from typing import Any

import numpy as np

from gridcal.errors import StudyError
from gridcal.study.store import SPACE
from gridcal.vocabulary import documents

_AGAIN = "Take another folder, or put study.json back from a copy"
MOST_TILES = 2_000_000
"""A record that claims more tiles of a stage is damaged."""


def write_json(path: Path, document: Any) -> None:
    """Write a JSON file so that readers see the old one or the new one, never a part, even after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:6]}.partial")
    try:
        with open(part, "w", encoding="utf-8") as file:
            dump(document, file, indent=1, sort_keys=True, ensure_ascii=False, default=str)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    with contextlib.suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def plain(obj: Any) -> Any:
    """Plain Python numbers and containers, for JSON."""
    if isinstance(obj, Mapping):
        return {str(k): plain(v) for k, v in obj.items()}
    if isinstance(obj, list | tuple):
        return [plain(v) for v in obj]
    if isinstance(obj, np.ndarray):
        return plain(obj.tolist())
    return obj.item() if isinstance(obj, np.generic) else obj


def read_json(path: Path) -> Any:
    """Content of a JSON file; None if it is not there or is damaged."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, StudyError):
        return documents.read_json(path, documents.refusing(StudyError, f"{str(path)!r}"))
    return None


def read_mapping(path: Path) -> dict[str, Any] | None:
    """Content of a JSON file that holds a mapping; None if it is not there, is damaged, or holds something else."""
    found = read_json(path)
    return found if isinstance(found, dict) else None


def study_record(path: Path) -> dict[str, Any] | None:
    """What ``study.json`` holds; None if it is not there.

    Raises
    ------
    StudyError
        If it is damaged, or gridcal did not write it.
    """
    if not os.path.lexists(path):
        return None
    found = read_mapping(path)
    if found is None:
        raise StudyError(f"{str(path)!r} is damaged", _AGAIN)
    kinds = {"gridcal": str, "fingerprint": str, "config": dict}
    good = all(isinstance(found.get(key), kind) for key, kind in kinds.items())
    folders = found.get("folders", [])
    named = isinstance(folders, list) and all(isinstance(n, str) and Path(n).name == n and n.strip(".") for n in folders)
    if not (good and named and _count(found.get("schema", 1))):
        raise StudyError(
            f"{str(path)!r} is no record of gridcal", "Take another folder, or put its study.json back from a copy"
        )
    return found


def stage_record(path: Path) -> dict[str, Any] | None:
    """What the ``stage.json`` of a ledger holds; None if it is not there.

    Raises
    ------
    StudyError
        If it is damaged: a key is missing, or sizes, tiles and variables do not fit each other.
    """
    if not os.path.lexists(path):
        return None
    found = read_mapping(path)
    if found is None or not _fits(found):
        name = path.parent.name.removesuffix(".ledger")
        raise StudyError(
            f"the record of the stage {name!r} ({str(path)!r}) is damaged",
            f"Delete {name}.zarr and {name}.ledger, and run again",
        )
    return found


def _fits(stage: Mapping[str, Any]) -> bool:
    sizes, chunks, variables = stage.get("sizes"), stage.get("chunks"), stage.get("variables")
    coordinates, depends_on = stage.get("coordinates"), stage.get("depends_on")
    if not (
        isinstance(sizes, dict) and isinstance(chunks, dict) and isinstance(variables, dict) and isinstance(coordinates, dict)
    ):
        return False
    plain = isinstance(stage.get("fingerprint"), str) and (depends_on is None or isinstance(depends_on, dict))
    if not plain or not all(_count(n) for n in sizes.values()) or not all(isinstance(v, str) for v in coordinates.values()):
        return False
    if not all(d in SPACE and d in sizes and _count(n) and n > 0 for d, n in chunks.items()):
        return False
    total = math.prod(-(-sizes[d] // n) for d, n in chunks.items())
    if stage.get("tiles") != total or total > MOST_TILES:
        return False
    return all(
        inside(name) and isinstance(v, list) and len(v) == 2 and isinstance(v[0], list) and all(map(_text, v[0]))
        for name, v in variables.items()
    )


def tile_record(path: Path, tile: str, fingerprint: str) -> dict[str, Any] | None:
    """A tile's record, if it is valid: of this tile and fingerprint, whole, and of files inside the store."""
    found = read_mapping(path)
    if found is None or found.get("tile") != tile or found.get("fingerprint") != fingerprint:
        return None
    variables, counts = found.get("variables"), found.get("status_counts", {})
    if not isinstance(variables, dict) or not isinstance(counts, dict) or not all(_count(n) for n in counts.values()):
        return None
    if not all(
        inside(name) and isinstance(fact, dict) and {"sha256", "bytes"} <= fact.keys() for name, fact in variables.items()
    ):
        return None
    numbers = (found.get("seconds", 0.0), found.get("peak_bytes", 0))
    return found if all(isinstance(n, int | float) for n in numbers) else None


def inside(name: Any) -> bool:
    """Whether a name is that of a file in its folder, and no path that leads elsewhere."""
    return isinstance(name, str) and bool(name) and not any(mark in name for mark in "/\\\0") and name not in (".", "..")


def _text(x: Any) -> bool:
    return isinstance(x, str)


def _count(n: Any) -> bool:
    return isinstance(n, int) and not isinstance(n, bool) and n >= 0
