"""Schedules: what a model's step is made of, beyond a plain list of processes.

A day of a biosphere model is hours, an hour is iterations, a soil is layers, and snow matters only where there is any. The
items below say so; :func:`gridcal.kernels.lanes.schedule_loops.compile_schedule` compiles them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping

from gridcal.errors import ModelError
from gridcal.kernels.lanes.definition import named, read_write


@dataclasses.dataclass(frozen=True)
class Layers:
    """A process applied to layer after layer, from `first` to `last` (downwards if `last` is smaller).

    Names that end in ``_k`` are the layer's element of a numbered family (``tsoi_k`` is ``tsoi3`` in layer 3), those in
    ``_above`` and ``_below`` the elements with the number before and after.
    """

    process: Callable
    first: int
    last: int

    def __post_init__(self) -> None:
        if min(self.first, self.last) < 1:
            raise ModelError(
                f"process {named(self.process)!r} runs over layers {self.first} to {self.last}", "Count layers from 1"
            )


@dataclasses.dataclass(frozen=True)
class Repeat:
    """A part of the schedule run `times` times in a step.

    Parameters
    ----------
    times : int
        Number of passes.
    body : tuple
        The part.
    tables : dict of str to tuple of float
        Rows that hold another number in each pass, equal in all lanes.
    while_any : str, optional
        Stop before a pass in which this row is positive in no lane.
    forcing : bool
        Load the pass's row of the forcing: for series with `times` rows a step.
    record : bool
        Results can be recorded after each pass.
    """

    times: int
    body: tuple
    tables: Mapping[str, tuple[float, ...]] = dataclasses.field(default_factory=dict)
    while_any: str | None = None
    forcing: bool = False
    record: bool = False

    def __hash__(self) -> int:
        return hash((self.times, self.body, tuple(self.tables), self.while_any))


@dataclasses.dataclass(frozen=True)
class WhereAny:
    """A part of the schedule skipped in a step in which row `name` is positive in no lane."""

    name: str
    body: tuple


@dataclasses.dataclass(frozen=True)
class Clear:
    """Set rows to zero."""

    names: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Accumulate:
    """Add ``factor * source`` to ``target`` for each (target, source, factor)."""

    terms: tuple[tuple[str, str, float], ...]


Item = Callable | Layers | Repeat | WhereAny | Clear | Accumulate


def _at(name: str, k: int) -> str:
    """Row that a name of a layered process means in layer `k`."""
    for ending, shift in (("_k", 0), ("_above", -1), ("_below", 1)):
        if name.endswith(ending):
            return f"{name[: -len(ending)]}{k + shift}"
    return name


def steps_of(items: tuple[Item, ...]) -> Iterator[tuple[str, list[str], list[str]]]:
    """Name, rows read and rows written of each process of a schedule, in calling order."""
    for item in items:
        if isinstance(item, Repeat):
            yield "tables", [], list(item.tables)
            yield from steps_of(item.body)
            if item.while_any:
                yield "while_any", [item.while_any], []
        elif isinstance(item, WhereAny):
            yield "where_any", [item.name], []
            yield from steps_of(item.body)
        elif isinstance(item, Clear):
            yield "clear", [], list(item.names)
        elif isinstance(item, Accumulate):
            yield "accumulate", [n for t, source, _ in item.terms for n in (t, source)], [t for t, _, _ in item.terms]
        elif isinstance(item, Layers):
            reads, writes = read_write(item.process)
            down = item.last < item.first
            for k in range(item.first, item.last - 1, -1) if down else range(item.first, item.last + 1):
                yield named(item.process), [_at(n, k) for n in reads], [_at(n, k) for n in writes]
        else:
            yield (named(item), *read_write(item))


def is_scheduled(items: tuple[Item, ...]) -> bool:
    """Whether a model has more than a plain list of processes."""
    return any(not callable(item) for item in items)


def interpret(
    items: tuple[Item, ...],
    values: dict[str, float],
    constants: Mapping[str, tuple[float, ...]],
    passes: list[dict[str, float]] | None = None,
    recorded: list[dict[str, float]] | None = None,
) -> None:
    """Run a schedule for one pixel in plain Python: the readable reference of the compiled loops.

    Parameters
    ----------
    items : tuple
        The schedule.
    values : dict of str to float
        Every row by name; changed in place.
    constants : dict of str to tuple of float
        Numbers of the layers.
    passes : list of dict, optional
        Rows of forcing of each pass, for a part that loads them.
    recorded : list of dict, optional
        Gets every row by name after each pass of a part whose results can be recorded.
    """
    for item in items:
        if isinstance(item, Repeat):
            for k in range(item.times):
                if item.while_any and not values[item.while_any] > 0.0:
                    break
                values.update({name: table[k] for name, table in item.tables.items()})
                if item.forcing and passes:
                    values.update(passes[k])
                interpret(item.body, values, constants, passes, recorded)
                if item.record and recorded is not None:
                    recorded.append(dict(values))
        elif isinstance(item, WhereAny):
            if values[item.name] > 0.0:
                interpret(item.body, values, constants, passes, recorded)
        elif isinstance(item, Clear):
            values.update(dict.fromkeys(item.names, 0.0))
        elif isinstance(item, Accumulate):
            for target, source, factor in item.terms:
                values[target] += values[source] * factor
        elif isinstance(item, Layers):
            down = item.last < item.first
            for k in range(item.first, item.last - 1, -1) if down else range(item.first, item.last + 1):
                _apply(item.process, values, constants, k)
        else:
            _apply(item, values, constants, 0)


def _apply(process: Callable, values: dict[str, float], constants: Mapping[str, tuple[float, ...]], k: int) -> None:
    reads, writes = read_write(process)
    numbers = []
    for name in reads:
        place = _at(name, k) if k else name
        base = place.rstrip("0123456789")
        numbers.append(values[place] if place in values else constants[base][int(place[len(base) :]) - 1])
    result = process(*numbers)
    found = result if isinstance(result, tuple) else (result,)
    values.update({(_at(n, k) if k else n): float(x) for n, x in zip(writes, found, strict=True)})


def flat(items: tuple[Item, ...]) -> Iterator[Item]:
    """Every item, with the items inside others after them."""
    for item in items:
        yield item
        if isinstance(item, Repeat | WhereAny):
            yield from flat(item.body)
