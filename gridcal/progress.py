"""Progress: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator

_QUIET = "GRIDCAL_PROGRESS"
_FIRST = 2.0
_EVERY = 10.0


@contextlib.contextmanager
def progress(total: int, label: str, *, done: int = 0) -> Iterator[Callable[[int], None]]:
    """Show how far a loop has come.

    Parameters
    ----------
    total : int
        Steps in all.
    label : str
        What is done, e.g. "calibrating pixels".
    done : int
        Steps that were finished before.

    Yields
    ------
    callable
        ``step(n)``, to be called after n more steps. Nothing is shown if GRIDCAL_PROGRESS=0.
    """
    if os.environ.get(_QUIET, "1") in ("0", "off", "no") or total <= 0:
        yield lambda n: None
    elif sys.stderr.isatty():
        with _bar(total, label, done) as step:
            yield step
    else:
        yield _lines(total, label, done)


@contextlib.contextmanager
def _bar(total: int, label: str, done: int) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:24s}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total, completed=done)
        yield lambda n: bar.advance(task, n)


def _lines(total: int, label: str, done: int) -> Callable[[int], None]:
    start = time.monotonic()
    state = {"done": done, "said": start + _FIRST - _EVERY}

    def step(n: int) -> None:
        state["done"] += n
        now = time.monotonic()
        last = state["done"] >= total and now - start > _FIRST
        if last or now - state["said"] >= _EVERY:
            state["said"] = now
            rate = (state["done"] - done) / max(now - start, 1e-9)
            left = (total - state["done"]) / rate if rate > 0 else float("inf")
            text = f"{label}: {state['done']:.0f}/{total} after {now - start:.0f} s"
            print(text + ("" if last else f", about {left:.0f} s left"), file=sys.stderr, flush=True)  # noqa: T201

    return step
