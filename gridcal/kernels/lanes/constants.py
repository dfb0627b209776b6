"""Constants of a generated module: numbers, tuples of them and small arrays, written out in full."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

LARGEST = 10_000
"""Most numbers of an array that is written into a generated module."""


def constant_text(thing: Any) -> str | None:
    """Python text of a constant, given ``np``; None for what is no constant of numbers.

    The text says type and value to the last bit, infinities and NaN included.
    """
    if isinstance(thing, np.ndarray):
        return _array_text(thing)
    if isinstance(thing, tuple):
        parts = [constant_text(x) for x in thing]
        known = [x for x in parts if x is not None]
        return f"({', '.join(known)}{',' * (len(known) == 1)})" if len(known) == len(parts) else None
    if isinstance(thing, np.generic) and not isinstance(thing, float):
        if thing.dtype.kind not in "biuf":
            return None
        number = constant_text(thing.item())
        return number if thing.dtype.kind == "b" else f"np.{thing.dtype.name}({number})"
    if isinstance(thing, bool):
        return repr(thing)
    if isinstance(thing, int):
        return repr(int(thing))
    if isinstance(thing, float):
        value = float(thing)
        return repr(value) if math.isfinite(value) else f'float("{value!r}")'
    return None


def _array_text(array: np.ndarray) -> str | None:
    if array.dtype.kind not in "biuf" or array.size > LARGEST or array.dtype.itemsize > 8:
        return None
    numbers = constant_text(tuple(array.ravel().tolist()))
    name = "bool_" if array.dtype.kind == "b" else array.dtype.newbyteorder("=").name
    return f"np.array({numbers}, dtype=np.{name}).reshape({array.shape!r})"
