"""Progress: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

_SWITCH = "GRIDCAL_PROGRESS"
_FIRST = 2.0
_EVERY = 10.0


def silenced() -> bool:
    """Whether the environment variable ``GRIDCAL_PROGRESS`` says that nothing is shown."""
    return os.environ.get(_SWITCH, "1").lower() in ("0", "off", "no", "false")


def say(text: str) -> None:
    """A line about something that takes its time, on standard error."""
    if not silenced():
        print(text, file=sys.stderr, flush=True)  # noqa: T201


@dataclasses.dataclass(frozen=True)
class Display:
    """What :func:`progress` yields: call it with the number of further steps; `say` writes a line beside the bar."""

    step: Callable[[int], None]
    say: Callable[[str], None]

    def __call__(self, n: int) -> None:
        """Go on by n steps."""
        self.step(n)


@contextlib.contextmanager
def progress(total: int, label: str, *, done: int = 0, quiet: bool = False) -> Iterator[Display]:
    """Show how far a loop has come, with its rate and the time left.

    Parameters
    ----------
    total : int
        Steps in all.
    label : str
        What is done, e.g. "calibrating pixels".
    done : int
        Steps that were finished before.
    quiet : bool
        Show nothing. The environment variable ``GRIDCAL_PROGRESS=0`` does the same everywhere.

    Yields
    ------
    Display
        ``step(n)``, to be called after n more steps; ``step.say(text)`` writes a line.

    Notes
    -----
    Standard error carries it. On a terminal it is a bar; elsewhere (a batch job's log, a notebook) a line about every ten
    seconds, and none for what ends within two seconds.

    Examples
    --------
    >>> with progress(3, "counting") as step:
    ...     for _ in range(3):
    ...         step(1)
    """
    if quiet or silenced() or total <= 0:
        yield Display(lambda n: None, lambda text: None)
    elif sys.stderr.isatty():
        with _bar(total, label, done) as step:
            yield step
    else:
        yield Display(_lines(total, label, done), say)


@contextlib.contextmanager
def _bar(total: int, label: str, done: int) -> Iterator[Display]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns: tuple[Any, ...] = (
        TextColumn("{task.description:24s}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    start = time.monotonic()
    count = 0
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total, completed=done, rate="")

        def step(n: int) -> None:
            nonlocal count
            count += n
            bar.update(task, advance=n, rate=_rate(count, time.monotonic() - start))

        yield Display(step, lambda text: bar.console.print(text, markup=False, highlight=False))


def _lines(total: int, label: str, done: int) -> Callable[[int], None]:
    start = time.monotonic()
    said = start + _FIRST - _EVERY
    count = 0

    def step(n: int) -> None:
        nonlocal count, said
        count += n
        now = time.monotonic()
        finished = done + count >= total
        if (finished and now - start > _FIRST) or (now - said >= _EVERY and now - start > _FIRST):
            said = now
            passed = now - start
            text = f"{label}: {done + count}/{total} after {_clock(passed)}, {_rate(count, passed)}"
            if not finished and count > 0:
                text += f", about {_clock((total - done - count) * passed / count)} left"
            print(text, file=sys.stderr, flush=True)  # noqa: T201

    return step


def _rate(count: int, seconds: float) -> str:
    """Steps per second, minute or hour, whichever reads best."""
    rate = count / max(seconds, 1e-9)
    for unit, factor in (("s", 1.0), ("min", 60.0)):
        if rate * factor >= 1.0:
            return f"{rate * factor:.1f}/{unit}"
    return f"{rate * 3600.0:.1f}/h"


def _clock(seconds: float) -> str:
    """Seconds below two minutes, else h:mm:ss."""
    if seconds < 120.0:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
