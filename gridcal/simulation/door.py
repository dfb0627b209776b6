"""What a verb looks at before its first task, and in every task: values against ranges and the model's domain, days missing."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from gridcal.cube import Cube
from gridcal.cube.gaps import GapWarning
from gridcal.cube.ranges import check_values, is_hourly
from gridcal.process.model import ProcessModel


def look_before(cube: Cube, model: ProcessModel, *, stacklevel: int = 2) -> None:
    """Look at forcing and site constants that are in memory, before the first task; lazy ones are looked at in their tasks.

    Parameters
    ----------
    cube : Cube
        What the verb was given.
    model : ProcessModel
        Whose forcing and site constants are looked at.
    stacklevel : int
        Of the warnings.

    Raises
    ------
    InputError
        If a value is impossible.
    ModelError
        If forcing lies outside the model's domain.

    Warns
    -----
    RangeWarning
        If a value is rare.
    """
    names = [n for n in (*model.forcing, *model.site) if n in cube.data and cube.data[n].dtype.kind in "fiu"]
    mask = cube.mask
    held = {}
    for name in names:
        x = cube.data[name]
        if x.chunks is None and (mask is None or mask.chunks is None):
            held[name] = (x if mask is None else x.where(mask)).values
    check_values(held, hourly=is_hourly(cube.data), stacklevel=stacklevel + 1)
    check_domain(model, {n: x for n, x in held.items() if n in model.forcing})


def look_at_block(model: ProcessModel, forcing: Sequence[np.ndarray], *, stacklevel: int = 2) -> None:
    """Look at the forcing of one block against ranges and the model's domain.

    Parameters
    ----------
    model : ProcessModel
        The model.
    forcing : sequence of arrays, each (T, n) or (T, 1)
        In the model's order, pixels that are used alone.
    stacklevel : int
        Of the warnings.

    Raises
    ------
    InputError, ModelError
        As :func:`look_before`.

    Warns
    -----
    RangeWarning
        If a value is rare.
    """
    named = dict(zip(model.forcing, forcing, strict=True))
    check_values(named, hourly=model.steps > 1, stacklevel=stacklevel + 1)
    check_domain(model, named)


def tell_gaps(model: ProcessModel, forcing: Sequence[np.ndarray], *, stacklevel: int = 2) -> None:
    """Warn of forcing that is missing after the first day, and count it.

    Parameters
    ----------
    model : ProcessModel
        The model.
    forcing : sequence of arrays, each (T, n) or (T, 1)
        In the model's order, pixels alone that have forcing on the first day.
    stacklevel : int
        Of the warnings.

    Warns
    -----
    GapWarning
        For each variable with a gap.
    """
    for name, x in zip(model.forcing, forcing, strict=True):
        if x.dtype.kind != "f" or x.size == 0 or not np.isnan(x.min()):
            continue
        missing = np.isnan(x)
        pixels = missing.any(axis=0)
        first = int(np.argmax(missing.any(axis=1))) // model.steps
        rest = "from the first of them on" if model.state else "on these days"
        warnings.warn(
            f"forcing {name!r} is missing {int(missing.sum())} times at {int(pixels.sum())} of {pixels.size} pixels (first on "
            f"day {first + 1} of {x.shape[0] // model.steps}): what model {model.name!r} gives is missing {rest}. "
            f"gridcal.fill_gaps(cube, [{name!r}]) fills short gaps by a stated rule",
            GapWarning,
            stacklevel=stacklevel + 1,
        )


def check_domain(model: ProcessModel, named: Mapping[str, np.ndarray]) -> None:
    """Raise :class:`ModelError` if forcing lies outside the model's domain."""
    if model.domain:
        model.check_forcing([named.get(n, np.empty(0)) for n in model.forcing])
