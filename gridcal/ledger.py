"""The ledger: which tiles of a stage are finished, proved by a record that appears all at once or not at all."""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from pathlib import Path
from typing import Any

from gridcal.errors import StudyError

_BEAT = 5.0
_STALE = 3 * _BEAT


def write_json(path: Path, document: Any) -> None:
    """Write a JSON file so that readers see the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.{uuid.uuid4().hex[:6]}.partial")
    with open(part, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1, sort_keys=True, ensure_ascii=False, default=str)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def read_json(path: Path) -> Any:
    """Content of a JSON file; None if it is not there or is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        return None


class Ledger:
    """Records of one stage's tiles.

    Parameters
    ----------
    folder : path
        Where the records lie.
    fingerprint : str
        What the stage depends on; a record with another fingerprint does not count.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder = folder
        self.fingerprint = fingerprint

    def path(self, tile: str) -> Path:
        """File of a tile's record."""
        return self.folder / "tiles" / f"{tile}.json"

    def record(self, tile: str) -> dict[str, Any] | None:
        """A tile's record, if it has a valid one."""
        found = read_json(self.path(tile))
        if isinstance(found, dict) and found.get("fingerprint") == self.fingerprint and "sha256" in found:
            return found
        return None

    def finish(self, tile: str, **facts: Any) -> None:
        """Write a tile's record."""
        write_json(self.path(tile), {"tile": tile, "fingerprint": self.fingerprint, **facts})

    def fail(self, tile: str, error: BaseException) -> None:
        """Write down why a tile failed."""
        write_json(self.folder / "failures" / f"{tile}.json", {"tile": tile, "error": f"{type(error).__name__}: {error}"})

    def records(self) -> dict[str, dict[str, Any]]:
        """All valid records by tile."""
        found = {}
        for path in sorted((self.folder / "tiles").glob("*.json")):
            record = self.record(path.stem)
            if record is not None:
                found[path.stem] = record
        return found


class Lock:
    """One driver a study: a file with host, process and heartbeat; a stale one is taken over.

    Parameters
    ----------
    path : path
        The lock file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.token = uuid.uuid4().hex
        self.held = 0
        self._beaten = 0.0

    def __enter__(self) -> Lock:
        if self.held == 0:
            self._take()
        self.held += 1
        return self

    def __exit__(self, *exc: object) -> None:
        self.held -= 1
        if self.held == 0 and (read_json(self.path) or {}).get("token") == self.token:
            self.path.unlink(missing_ok=True)

    def beat(self) -> None:
        """Renew the heartbeat."""
        if time.monotonic() - self._beaten > _BEAT:
            self._write()

    def _write(self) -> None:
        self._beaten = time.monotonic()
        write_json(self.path, {"host": socket.gethostname(), "pid": os.getpid(), "token": self.token, "beat": time.time()})

    def _take(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            holder = read_json(self.path) or {}
            if self._alive(holder):
                raise StudyError(
                    f"study {str(self.path.parent)!r} is in use by process {holder['pid']} on {holder['host']}",
                    f"Wait for it, or stop it; if it is dead, the lock frees itself {_STALE:.0f} s after its last heartbeat",
                ) from None
        self._write()

    @staticmethod
    def _alive(holder: dict[str, Any]) -> bool:
        if "pid" not in holder:
            return False
        if holder.get("host") == socket.gethostname():
            try:
                os.kill(int(holder["pid"]), 0)
            except (ProcessLookupError, ValueError):
                return False
            except PermissionError:
                return True
            return int(holder["pid"]) != os.getpid()
        return time.time() - float(holder.get("beat", 0.0)) < _STALE
