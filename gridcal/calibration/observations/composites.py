"""Composites that stand at their first days: recognised, so that a mean over days is not taken for one day's value."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridcal.calibration.target import Target
from gridcal.vocabulary.periods import scale_name

Array = npt.NDArray[np.float64]

FEWEST = 10
"""Values below which no rhythm is recognised."""
_SHORTEST = 5


def rhythm(days: pd.DatetimeIndex, present: npt.NDArray[np.bool_]) -> int | None:
    """Days from one value to the next where values come in a fixed rhythm of five days or more; None otherwise.

    Parameters
    ----------
    days : DatetimeIndex, shape (T,)
        The days.
    present : bool array, shape (T,)
        Where there is a value.

    Examples
    --------
    >>> days = pd.date_range("2001-01-01", "2002-12-31")
    >>> rhythm(days, (days.day_of_year.to_numpy() - 1) % 8 == 0), rhythm(days, np.asarray(days.day) == 1)
    (8, 30)
    """
    at = np.flatnonzero(present)
    if at.size < FEWEST:
        return None
    when = days[at]
    if (when.day == when.day[0]).all():
        return 30
    if set(when.day) <= {1, 11, 21}:
        return 10
    of_year = int(np.gcd.reduce(np.asarray(when.day_of_year) - when.day_of_year[0]))  # begun again on 1 January
    step = max(of_year, int(np.gcd.reduce(at - at[0])))
    return step if step >= _SHORTEST else None


class CompositeWarning(UserWarning):
    """Observations were recognised as composites at their first days, and each was given to all of its days."""


def spread_composites(target: Target, days: pd.DatetimeIndex, observed: Array, *, stacklevel: int = 2) -> Array:
    """A target's observations, those that are composites at their first days given to every day they stand for.

    Parameters
    ----------
    target : Target
        What they are compared with. At the daily scale nothing is changed: measurements of single days may come in a rhythm.
    days : DatetimeIndex, shape (T,)
        The days.
    observed : array, shape (T, n)
        NaN where there is no observation.
    stacklevel : int
        Of the warning.

    Returns
    -------
    array, shape (T, n)

    Warns
    -----
    CompositeWarning
        If a pixel's values come in a rhythm.
    """
    if scale_name(target.every) == "daily":
        return observed
    steps = [rhythm(days, np.isfinite(x)) for x in observed.T]
    if not any(steps):
        return observed
    found = observed.copy()
    for x, step in zip(found.T, steps, strict=True):
        if step is not None:
            _spread(x, days, step)
    usual = max(step for step in steps if step is not None)
    warnings.warn(
        f"observations {target.against!r} have a value every {usual} days and none between: they are taken for composites, "
        "each the mean of its days (gridcal.periods.spread does this beforehand; measurements of single days are compared with "
        "every='daily')",
        CompositeWarning,
        stacklevel=stacklevel + 1,
    )
    return found


def _spread(x: Array, days: pd.DatetimeIndex, step: int) -> None:
    """Carry each value of a column on to the days it stands for, in place: up to the next, the month's or the year's end."""
    at = np.flatnonzero(np.isfinite(x))
    when = days[at]
    last = np.minimum(at + step - 1, np.append(at[1:] - 1, x.size - 1))
    if step in (30, 10):
        left = np.asarray(when.days_in_month - when.day)
        whole = left if step == 30 else np.where(np.asarray(when.day) == 21, left, 9)
        last = np.minimum(at + whole, np.append(at[1:] - 1, x.size - 1))
    elif np.gcd.reduce(np.asarray(when.day_of_year) - when.day_of_year[0]) == step:
        left = np.where(when.is_leap_year, 366, 365) - np.asarray(when.day_of_year)
        last = np.minimum(last, at + left)
    for first, end in zip(at, last, strict=True):
        x[first : end + 1] = x[first]
