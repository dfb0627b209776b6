"""What a stage of a job is: a declaration of what it reads, what it makes, and which keys of the study file it owns.

A job is a list of stages. Pipeline, status, resume, plan, report and the progress display are handed that list.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Protocol

import xarray as xr

from gridcal.errors import ConfigError
from gridcal.process.model import ProcessModel
from gridcal.study.folder import Study
from gridcal.vocabulary.fingerprint import canonical, differences, fingerprint


class Inputs(Protocol):
    """What a job reads: title, licence and citation of every source, and what the data do not hold."""

    @property
    def inputs(self) -> list[dict[str, str]]:
        """Title, licence and citation of everything read."""
        ...

    @property
    def caveats(self) -> list[str]:
        """What the data do not hold."""
        ...


class Job(Protocol):
    """What the stages of a job are made from: the checked study file, and the folder once the job has begun."""

    config: Any
    study: Study

    @property
    def model(self) -> ProcessModel:
        """The model."""
        ...

    @property
    def sources(self) -> Inputs:
        """The data."""
        ...


@dataclasses.dataclass(frozen=True)
class Figures:
    """A section of the report.

    Parameters
    ----------
    anchor, heading : str
        Name of the section in the page's address, and its title.
    draw : callable
        ``draw(study) -> str``: HTML made from what the study holds, as the functions of :mod:`gridcal.report.page` make it. It
        says what is absent; without a text there is no section.
    """

    anchor: str
    heading: str
    draw: Callable[[Study], str]


@dataclasses.dataclass(frozen=True)
class Estimate:
    """What a stage is expected to take, before it runs.

    Parameters
    ----------
    tiles : int
        Pieces that are computed, written and resumed one by one.
    nbytes : int
        Bytes of the values before compression.
    seconds : float
        Processor seconds of all tiles together.
    serial : float
        Seconds spent outside of tiles, however many workers there are.
    peak_bytes : int
        Most memory that a worker has held, bytes; 0 where it is not known.
    """

    tiles: int
    nbytes: int
    seconds: float
    serial: float = 0.0
    peak_bytes: int = 0


Makes = Mapping[str, Any]


def _always(config: Any) -> bool:
    return True


def _nothing(job: Any) -> Mapping[str, Any]:
    return {}


@dataclasses.dataclass(frozen=True)
class Stage:
    """One stage of a job.

    Parameters
    ----------
    name : str
        As it is called on the command line.
    label : str
        What the progress display says while it runs.
    make : callable
        ``make(job)``: by name, every lazy data set of `makes` and every document of `records`. It is not called when the stage
        is finished.
    makes, records, folders : tuple of str
        Data sets (saved tile by tile), JSON documents, and folders that it writes itself, in the study folder.
    reads : tuple of str
        Earlier stages whose results it reads: when one of them is redone, so is this one.
    keys : tuple of str
        Keys of the study file that belong to it, with dots: ``"learn"``, ``"data.hold_out"``. A key belongs to the stages that
        name it, or the longest part of it. ``more.NAME`` belongs to the stage of that name without being declared.
    depends : callable, optional
        ``depends(job)``: what else its results depend on (fingerprint of the data, version of the model).
    takes_part : callable, optional
        ``takes_part(config)``; every stage takes part without it.
    check : callable, optional
        ``check(job)`` raises what the stage would raise, before the first stage has cost anything.
    costly : bool
        Never redone without being asked for.
    estimate : callable, optional
        ``estimate(job)``: what it will take (:class:`Estimate`), measured on a few samples; next to nothing without it.
    figures : tuple of Figures
        Its sections of the report.
    """

    name: str
    label: str
    make: Callable[[Any], Makes]
    makes: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    depends: Callable[[Any], Mapping[str, Any]] = _nothing
    takes_part: Callable[[Any], bool] = _always
    check: Callable[[Any], object] = _nothing
    costly: bool = False
    estimate: Callable[[Any], Estimate] | None = None
    figures: tuple[Figures, ...] = ()

    @property
    def optional(self) -> bool:
        """Whether the study file decides if it takes part."""
        return self.takes_part is not _always

    def finished(self, study: Study, depends_on: Mapping[str, Any] | None = None) -> bool:
        """Whether the study holds everything the stage makes, from what `depends_on` says (from whatever without it)."""
        complete = study.stages(complete=True)
        there = all(name in complete for name in self.makes) and all(study.depends_on(name) for name in self.records)
        if not there or depends_on is None:
            return there
        return all(study.depends_on(name) == canonical(depends_on) for name in (*self.makes, *self.records))


def check_list(stages: Sequence[Stage]) -> None:
    """Raise :class:`ConfigError` unless every stage has a name of its own and reads stages that stand before it."""
    seen: set[str] = set()
    made: set[str] = set()
    for stage in stages:
        if stage.name in seen:
            raise ConfigError(f"two stages are called {stage.name!r}", "Give each a name of its own")
        for name in stage.reads:
            if name not in seen:
                raise ConfigError(f"stage {stage.name!r} reads {name!r}, which stands after it or nowhere", "Put it behind")
        again = made & {*stage.makes, *stage.records}
        if again:
            raise ConfigError(f"two stages make {min(again)!r}", "Give what a stage makes a name of its own")
        seen.add(stage.name)
        made |= {*stage.makes, *stage.records}


def participating(stages: Sequence[Stage], config: Any) -> list[Stage]:
    """Stages that take part in a job, in order.

    Raises
    ------
    ConfigError
        If the list is out of order, a key of the study file belongs to no stage, or ``more`` names a stage that is not there.
    """
    check_list(stages)
    part = [stage for stage in stages if stage.takes_part(config)]
    identity = canonical(config.identity())
    for name in identity.get("more", {}):
        if name not in {stage.name for stage in stages}:
            known = ", ".join(stage.name for stage in stages)
            raise ConfigError(f"more: there is no stage {name!r}", f"The job has: {known}")
    return part


def owned(stage: Stage, stages: Sequence[Stage], identity: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of a study file that belong to a stage, flat, with their values.

    Parameters
    ----------
    stage : Stage
        The stage.
    stages : sequence of Stage
        The whole list: a key belongs to the stages that declare the longest part of it.
    identity : mapping
        What the results depend on, as the configuration gives it.
    """
    declared = {s.name: (*s.keys, f"more.{s.name}") for s in stages}
    every = [key for keys in declared.values() for key in keys]
    found = {}
    for path, value in _flat(canonical(identity)).items():
        best = max((len(key) for key in every if _covers(key, path)), default=0)
        if best and any(len(key) == best and _covers(key, path) for key in declared[stage.name]):
            found[path] = value
    return found


def unowned(stages: Sequence[Stage], identity: Mapping[str, Any]) -> list[str]:
    """Keys of a study file that belong to no stage."""
    mine = [owned(stage, stages, identity) for stage in stages]
    return [path for path in _flat(canonical(identity)) if not any(path in keys for keys in mine)]


def _covers(key: str, path: str) -> bool:
    return path == key or path.startswith(key + ".")


def _flat(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Values by dotted key; a list is one value, and so is a mapping without keys."""
    out: dict[str, Any] = {}
    for name, value in document.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and value:
            out |= _flat(value, path + ".")
        else:
            out[path] = value
    return out


def dependencies(stages: Sequence[Stage], job: Job) -> dict[str, dict[str, Any]]:
    """What the results of each stage that takes part depend on.

    Parameters
    ----------
    stages : sequence of Stage
        The whole list.
    job : Job
        The job.

    Returns
    -------
    dict
        By stage: ``keys`` of the study file, ``reads`` (fingerprint by stage), and ``inputs``, what the stage says itself.
    """
    identity = job.config.identity()
    found: dict[str, dict[str, Any]] = {}
    for stage in participating(stages, job.config):
        found[stage.name] = {
            "keys": owned(stage, stages, identity),
            "reads": {name: fingerprint(found[name]) for name in stage.reads if name in found},
            "inputs": canonical(dict(stage.depends(job))),
        }
    return found


@dataclasses.dataclass(frozen=True)
class Stale:
    """A stage whose results were made from something else: which keys and inputs differ, or which stage before it."""

    stage: Stage
    changed: tuple[str, ...]
    after: tuple[str, ...] = ()


def stale(stages: Sequence[Stage], study: Study, expected: Mapping[str, Mapping[str, Any]]) -> list[Stale]:
    """Stages that a study holds, whole or in part, made from something else than what is expected now; and what follows.

    Parameters
    ----------
    stages : sequence of Stage
        Those that take part, in order.
    study : Study
        The study.
    expected : mapping
        What :func:`dependencies` gives.
    """
    found: list[Stale] = []
    for stage in stages:
        records = [r for r in map(study.depends_on, (*stage.makes, *stage.records)) if r is not None]
        after = tuple(s.stage.name for s in found if s.stage.name in stage.reads)
        changed = [line for old in records for line in _changed(old, expected[stage.name], after)]
        if records and (changed or after):
            found.append(Stale(stage, tuple(dict.fromkeys(changed)), after))
    return found


def _changed(old: Mapping[str, Any], new: Mapping[str, Any], after: Sequence[str]) -> list[str]:
    lines = differences(old.get("keys"), new["keys"]) + differences(old.get("inputs"), new["inputs"])
    before = old.get("reads")
    before = before if isinstance(before, dict) else {}
    reads = {*before, *new["reads"]} - set(after)
    return lines + [f"{n}: made again since" for n in sorted(reads) if before.get(n) != new["reads"].get(n)]


def followers(name: str, stages: Sequence[Stage]) -> list[Stage]:
    """A stage and all that read it, directly or not."""
    reached = {name}
    for stage in stages:
        if reached & set(stage.reads):
            reached.add(stage.name)
    return [stage for stage in stages if stage.name in reached]


def named(name: str, stages: Sequence[Stage]) -> Stage:
    """The stage of that name.

    Raises
    ------
    ConfigError
        If none of that name takes part.
    """
    for stage in stages:
        if stage.name == name:
            return stage
    raise ConfigError(f"no stage {name!r} takes part", f"Those that do: {', '.join(s.name for s in stages)}")


_READ: ContextVar[dict[tuple[str, str], xr.Dataset | None] | None] = ContextVar("read", default=None)


@contextlib.contextmanager
def read_once() -> Iterator[None]:
    """Within it :func:`opened` reads each data set once, however many sections are drawn from it."""
    token = _READ.set({})
    try:
        yield
    finally:
        _READ.reset(token)


def opened(study: Study, name: str) -> xr.Dataset | None:
    """A finished data set in memory, or None: what a section of the report is drawn from."""
    read = _READ.get()
    key = (str(study.path), name)
    if read is not None and key in read:
        found = read[key]
    else:
        found = study.open(name).load() if name in study.stages(complete=True) else None
        if read is not None:
            read[key] = found
    return None if found is None else found.copy()
