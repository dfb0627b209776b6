"""Checks of a method's options: what is wrong is named with the method, and what would be right."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gridcal.errors import ConfigError


def one_of(method: object, name: str, allowed: tuple[object, ...]) -> None:
    """Raise :class:`ConfigError` unless the option has one of some values."""
    value = getattr(method, name)
    if value not in allowed:
        listed = ", ".join(repr(a) for a in allowed if a is not None)
        raise ConfigError(f"{_called(method)} option {name!r} is {value!r}", f"Use one of {listed}")


def whole(method: object, name: str, least: int) -> None:
    """Raise :class:`ConfigError` unless the option is a whole number of at least `least`, or None."""
    _whole(method, name, getattr(method, name), least)


def within(method: object, name: str, low: float, high: float = math.inf) -> None:
    """Raise :class:`ConfigError` unless the option is a number above `low` and at most `high`, or None."""
    value = getattr(method, name)
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating | np.integer) or not low < value <= high:
        most = "" if math.isinf(high) else f" and at most {high:g}"
        raise ConfigError(f"{_called(method)} option {name!r} is {value!r}", f"Give a number above {low:g}{most}")


def several(method: Any, name: str, count: int) -> None:
    """Raise :class:`ConfigError` unless the option holds `count` whole numbers of at least 1, or is None; make it a tuple."""
    value = getattr(method, name)
    if value is None:
        return
    if not isinstance(value, tuple | list) or len(value) != count:
        raise ConfigError(f"{_called(method)} option {name!r} is {value!r}", f"Give {count} whole numbers")
    for number in value:
        _whole(method, name, number, 1)
    object.__setattr__(method, name, tuple(value))


def _whole(method: object, name: str, value: object, least: int) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least):
        raise ConfigError(f"{_called(method)} option {name!r} is {value!r}", f"Give a whole number of at least {least}")


def _called(method: object) -> str:
    return type(method).__name__
