"""How long a run waits for its workers: it says what it waits for, and ends with a message when waiting is in vain."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from typing import Any

from gridcal.errors import ConfigError, StudyError

SWITCH = "GRIDCAL_PATIENCE"
"""Environment variable: minutes that a run waits for a worker, or for a sign of life of those it has."""
LOCAL = 600.0
"""Seconds that a run waits for a worker of this machine; a busy one starts a worker again within 20."""
IDLE = 3600.0
"""Seconds that a run waits for workers that are there and do nothing; a tile that computes is waited for, however long."""
ELSEWHERE = 86_400.0
"""Seconds that a run waits for a worker that has to queue."""
FIRST = 7.0
_AGAIN = 60.0
_LOOK = 2.0
_BUSY = 5.0


class Patience:
    """Watches a run that waits for tiles.

    Parameters
    ----------
    client : distributed.Client
        The cluster.
    tell : callable
        Told what the run waits for, in a line: once it has waited for some seconds, and about every minute from then on.
    clock : callable
        Seconds.
    """

    def __init__(self, client: Any, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._tell = tell
        self._clock = clock
        self._without, self._idle = _limits(client)
        self._tile = self._alive = clock()
        self._looked = self._told = float("-inf")
        self._known: set[str] = set()

    def came(self) -> None:
        """A tile has come."""
        self._tile = self._alive = self._clock()
        self._told = float("-inf")

    def wait(self, waiting: Collection[str]) -> None:
        """To be called again and again while nothing comes.

        Parameters
        ----------
        waiting : collection of str
            Tiles that were handed out.

        Raises
        ------
        StudyError
            If there has been no worker, or none that works, for too long; or the scheduler is gone.
        """
        now = self._clock()
        if now - self._tile < FIRST or now - self._looked < _LOOK:
            return
        self._looked = now
        workers = _workers(self._client)
        if set(workers) != self._known or any(busy > _BUSY for busy in workers.values()):
            self._alive = now if workers else self._alive
        self._known = set(workers)
        names = sorted(waiting)
        tiles = f"tile {names[0]}" + (f" and {len(names) - 1} more" if len(names) > 1 else "") if names else "tiles"
        passed, silent = _clock(now - self._tile), now - self._alive
        state = f"on {len(workers)} worker{'s' * (len(workers) != 1)}" if workers else "but no worker is there"
        if silent > (self._idle if workers else self._without):
            lacked = "nothing but idle workers" if workers else "no worker"
            raise StudyError(
                f"the cluster has had {lacked} for {_clock(silent)}; {tiles} did not come",
                f"See the cluster's logs, connect again and run again: it resumes. To wait longer, set {SWITCH} to minutes",
            )
        if now - self._told >= _AGAIN:
            self._told = now
            self._tell(f"waiting for {tiles}, {state}: nothing has come for {passed}")


def cluster_lost(error: BaseException, waiting: Collection[str]) -> StudyError:
    """The error when the scheduler is gone."""
    names = sorted(waiting)
    tile = f"tile {names[0]} ran" if names else "tiles were handed out"
    return StudyError(
        f"the cluster was lost while {tile} ({error or type(error).__name__})", "Connect again and run again: it resumes"
    )


def _workers(client: Any) -> dict[str, float]:
    """How busy each worker is, percent of a core, by address."""
    try:
        there = client.nthreads()
        facts = client.scheduler_info(n_workers=-1)["workers"] if there else {}
    except Exception as error:
        raise cluster_lost(error, ()) from error
    return {str(name): float(facts.get(name, {}).get("metrics", {}).get("cpu", 100.0)) for name in there}


def _limits(client: Any) -> tuple[float, float]:
    """Seconds to wait without a worker, and with workers that do nothing."""
    text = os.environ.get(SWITCH, "").strip()
    if text:
        try:
            minutes = float(text)
        except ValueError:
            minutes = float("nan")
        if not minutes > 0.0:
            raise ConfigError(f"{SWITCH} is {text!r}", "Give minutes, e.g. 30")
        return 60.0 * minutes, 60.0 * minutes
    from distributed import LocalCluster

    return LOCAL if isinstance(getattr(client, "cluster", None), LocalCluster) else ELSEWHERE, IDLE


def _clock(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120.0 else f"{seconds / 60.0:.0f} min"
