"""Days without forcing: filled by a stated rule, and counted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import xarray as xr

from gridcal.cube.dataset import Cube, need_cube
from gridcal.errors import ConfigError, InputError

Rule = Literal["interpolate", "carry"]


class GapWarning(UserWarning):
    """Days without forcing: what a model gives from there on is missing."""


def fill_gaps(cube: Cube, variables: Sequence[str] | None = None, *, rule: Rule = "interpolate", days: int = 5) -> Cube:
    """Fill short gaps of daily series.

    Parameters
    ----------
    cube : Cube, dims (time, *space)
        Lazy data stay lazy.
    variables : sequence of str, optional
        The series to fill; all numbers with a time but observations (``..._obs``, ``..._val``) without it.
    rule : {"interpolate", "carry"}
        Linear between the days beside the gap, or the last day's value carried on.
    days : int
        Longest gap that is filled; a longer one stays whole, as do the days before the first value and, of ``interpolate``,
        those after the last.

    Returns
    -------
    Cube
        With ``<name>_filled`` (*space), the number of days filled, beside every variable of `variables`; the rule stands in
        `repairs`.

    Raises
    ------
    InputError
        If a variable is not there, or not a series.
    ConfigError
        If rule or days are impossible.

    Examples
    --------
    >>> import numpy as np, pandas as pd, xarray as xr
    >>> time = pd.date_range("2001-01-01", periods=4)
    >>> ds = xr.Dataset({"tas": ("time", [1.0, np.nan, 3.0, 4.0], {"units": "degC"})}, coords={"time": time})
    >>> filled = fill_gaps(Cube.from_dataset(ds))
    >>> filled["tas"].values.tolist(), int(filled["tas_filled"])
    ([1.0, 2.0, 3.0, 4.0], 1)
    """
    need_cube(cube)
    if rule not in get_args(Rule):
        raise ConfigError(f"unknown rule {rule!r} for gaps", f"Use one of: {', '.join(get_args(Rule))}")
    if isinstance(days, bool) or not isinstance(days, int | np.integer) or days < 1:
        raise ConfigError(f"days = {days!r} is no length of a gap", "Use a whole number, 1 or more")
    cube.require_daily()
    if variables is None:
        variables = [
            str(n)
            for n, x in cube.data.data_vars.items()
            if "time" in x.dims and x.dtype.kind == "f" and not str(n).endswith(("_obs", "_val"))
        ]
    cube.require(variables)
    found: dict[str, Any] = {}
    for name in variables:
        x = cube.data[name]
        if "time" not in x.dims or x.dtype.kind != "f":
            raise InputError(f"variable {name!r} is no series of numbers", "Name series over time")
        filled, count = xr.apply_ufunc(
            _filled,
            x,
            kwargs={"rule": rule, "days": int(days)},
            input_core_dims=[["time"]],
            output_core_dims=[["time"], []],
            dask="parallelized",
            output_dtypes=[x.dtype, np.int32],
        )
        found[name] = filled.transpose(*x.dims).assign_attrs(x.attrs)
        attrs = {"units": "d", "long_name": f"days of {name} filled: {rule}, up to {days}"}
        found[f"{name}_filled"] = count.assign_attrs(attrs)
    said = f"gaps of up to {days} days are filled ({rule}): {', '.join(variables)}"
    return dataclasses.replace(cube, data=cube.data.assign(found), repairs=(*cube.repairs, said))


def _filled(x: np.ndarray, rule: Rule, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Series (..., T) with short gaps filled, and how many days were."""
    missing = np.isnan(x)
    length = x.shape[-1]
    if not missing.any() or length == 0:
        return x, np.zeros(x.shape[:-1], dtype=np.int32)
    day = np.arange(length)
    before = np.maximum.accumulate(np.where(missing, -1, day), axis=-1)
    after = np.flip(np.minimum.accumulate(np.flip(np.where(missing, length, day), axis=-1), axis=-1), axis=-1)
    fill = missing & (before >= 0) & (after - before - 1 <= days)
    if rule == "interpolate":
        fill &= after < length
    left = np.take_along_axis(x, np.maximum(before, 0), axis=-1)
    if rule == "carry":
        values = left
    else:
        right = np.take_along_axis(x, np.minimum(after, length - 1), axis=-1)
        values = left + (right - left) * ((day - before) / np.maximum(after - before, 1)).astype(x.dtype)
    return np.where(fill, values, x), fill.sum(axis=-1).astype(np.int32)
