"""The ledger: which tiles of a stage are finished, proved by a record that appears all at once or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import threading
import time
import traceback
import uuid
from pathlib import Path
from typing import Any

from gridcal.errors import StudyError
from gridcal.study.progress import say
from gridcal.study.safety.records import read_mapping, tile_record, write_json

BEAT = 5.0
MISSED = 3


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
        return tile_record(self.path(tile), tile, self.fingerprint)

    def records(self) -> dict[str, dict[str, Any]]:
        """All valid records by tile."""
        found = {}
        for path in sorted((self.folder / "tiles").glob("*.json")):
            record = self.record(path.stem)
            if record is not None:
                found[path.stem] = record
        return found

    def finish(self, tile: str, **facts: Any) -> None:
        """Write a tile's record, the proof that it is finished."""
        write_json(self.path(tile), {"tile": tile, "fingerprint": self.fingerprint, **facts})
        self._failure(tile).unlink(missing_ok=True)

    def forget(self, tile: str) -> None:
        """Take a tile's record away, so that the tile is computed again."""
        self.path(tile).unlink(missing_ok=True)

    def fail(self, tile: str, error: BaseException) -> None:
        """Write down why a tile failed, and how often it has."""
        text = "".join(traceback.format_exception(error))
        document = {"tile": tile, "error": f"{type(error).__name__}: {error}", "attempts": self.attempts(tile) + 1}
        write_json(self._failure(tile), document | {"traceback": text})

    def attempts(self, tile: str) -> int:
        """How often a tile has failed since it last succeeded."""
        found = (read_mapping(self._failure(tile)) or {}).get("attempts", 0)
        return found if isinstance(found, int) else 0

    def failures(self) -> dict[str, str]:
        """Error by tile, of the tiles that failed and have not succeeded since."""
        found = {p.stem: read_mapping(p) for p in sorted((self.folder / "failures").glob("*.json"))}
        return {tile: str(f.get("error", "unknown")) for tile, f in found.items() if f is not None}

    def _failure(self, tile: str) -> Path:
        return self.folder / "failures" / f"{tile}.json"


class Lock:
    """One driver a study: a file with host, process and a counting heartbeat; the lock of a dead driver is taken over.

    Parameters
    ----------
    path : path
        The lock file.

    Notes
    -----
    On the same host a driver is dead when its process is gone. On another host it is dead when its heartbeat does not
    change while it is watched for three beats; the clocks of the two hosts are not compared.
    """

    _mine: set[str] = set()  # noqa: RUF012  (tokens of locks that this process holds)

    def __init__(self, path: Path) -> None:
        self.path = path
        self.token = uuid.uuid4().hex
        self.held = 0
        self._count = 0
        self._lost = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Lock:
        if self.held == 0:
            Lock._mine.add(self.token)  # before the file says so: no thread may think this holder dead
            try:
                self._take()
            except BaseException:
                Lock._mine.discard(self.token)
                raise
            self._lost = False
            self._stop.clear()
            self._thread = threading.Thread(target=self._heart, name="gridcal-lock", daemon=True)
            self._thread.start()
        self.held += 1
        return self

    def __exit__(self, *exc: object) -> None:
        self.held -= 1
        if self.held == 0:
            self._stop.set()
            if self._thread is not None:
                self._thread.join(BEAT)
            Lock._mine.discard(self.token)
            if (read_mapping(self.path) or {}).get("token") == self.token:
                self.path.unlink(missing_ok=True)

    def check(self) -> None:
        """Stop this driver if another one has taken the lock over.

        Raises
        ------
        StudyError
            If the lock is no longer this driver's.
        """
        if self._lost:
            raise StudyError(
                f"another process took over study {str(self.path.parent)!r}", "Let it finish; this one was thought dead"
            )

    def _heart(self) -> None:
        while not self._stop.wait(BEAT):
            holder = read_mapping(self.path)
            if holder is not None and holder.get("token") != self.token:
                self._lost = True
                return
            with contextlib.suppress(OSError):
                write_json(self.path, self._content())

    def _content(self) -> dict[str, Any]:
        self._count += 1
        return {"host": socket.gethostname(), "pid": os.getpid(), "token": self.token, "beat": self._count}

    def _take(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(10):
            if self._claim():
                return
            holder = self._living_holder()
            if holder is not None:
                raise StudyError(
                    f"study {str(self.path.parent)!r} is in use by process {holder.get('pid', '?')} on "
                    f"{holder.get('host', 'an unknown host')}",
                    f"Wait for it or stop it. If it is dead, run again: a lock without a heartbeat for {MISSED * BEAT:.0f} s "
                    "is taken over",
                )
        raise StudyError(f"study {str(self.path.parent)!r} is claimed by several processes at once", "Run one at a time")

    def _claim(self) -> bool:
        """Make the lock file with its content in one step; False if there is one."""
        own = self.path.with_name(f".{self.path.name}.{self.token}.partial")
        write_json(own, self._content())
        try:
            os.link(own, self.path)
        except (FileExistsError, FileNotFoundError):  # taken; or swept away by the one who has just taken it
            return False
        finally:
            own.unlink(missing_ok=True)
        return True

    def _living_holder(self) -> dict[str, Any] | None:
        """The holder, if it lives; the lock of a dead one is removed."""
        before = read_mapping(self.path)
        if before is None and not self.path.exists():
            return None
        before = before or {}
        pid = before.get("pid")
        if before.get("host") == socket.gethostname() and isinstance(pid, int) and pid > 0:
            alive = before.get("token") in Lock._mine if pid == os.getpid() else _running(pid)
            if alive:
                return before
        else:
            say(f"process {pid} on {before.get('host', 'an unknown host')} holds study {str(self.path.parent)!r}; watching for "
                f"{MISSED * BEAT:.0f} s whether it lives")  # fmt: skip
            end = time.monotonic() + MISSED * BEAT
            while time.monotonic() < end:
                time.sleep(BEAT / 10)
                now = read_mapping(self.path)
                if now is None and not self.path.exists():
                    return None
                if now is not None and now != before:
                    return now
        self._bury(before)
        return None

    def _bury(self, dead: dict[str, Any]) -> None:
        """Remove the lock of a dead driver; a guard lets one process at a time compare and remove."""
        with open(self.path.with_name(f".{self.path.name}.guard"), "a") as guard:
            with contextlib.suppress(OSError):  # a file system without advisory locks
                fcntl.flock(guard, fcntl.LOCK_EX)
            if (read_mapping(self.path) or {}).get("token") == dead.get("token"):
                self.path.unlink(missing_ok=True)


def _running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
