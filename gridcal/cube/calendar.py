"""Day of the year, length of the year and day number of a cube's dates, for models that read them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import xarray as xr

from gridcal.cube.dataset import Cube
from gridcal.errors import InputError

NAMES = ("doy", "year_length", "day")


def calendar_of(days: pd.DatetimeIndex) -> dict[str, np.ndarray]:
    """Day of the year, days in the year, days since 1970-01-01; each float64, shape (T,)."""
    return {
        "doy": days.day_of_year.to_numpy(dtype=float),
        "year_length": np.where(days.is_leap_year, 366.0, 365.0),
        "day": (days.normalize() - pd.Timestamp(0)).days.to_numpy(dtype=float),
    }


def with_calendar(cube: Cube, names: Iterable[str]) -> Cube:
    """The cube with the calendar variables among `names` that it lacks, from its dates; others are left to the caller."""
    missing = [n for n in names if n in NAMES and n not in cube.data]
    if not missing or "time" not in cube.data.dims:
        return cube
    days = cube.data.indexes["time"]
    if not isinstance(days, pd.DatetimeIndex):
        return cube
    found = calendar_of(days)
    return Cube(cube.data.assign({n: ("time", found[n]) for n in missing}), cube.feature_names, cube.mask_name, cube.entry)


def hours_of_days(data: xr.Dataset) -> xr.Dataset:
    """Hourly series as (time, hour, ...): one row of 24 hours a day, labelled by the day.

    Raises
    ------
    InputError
        Unless the hours follow each other, from hour 0 of a day to hour 23 of one.
    """
    hours = data.indexes.get("time")
    if not isinstance(hours, pd.DatetimeIndex) or len(hours) == 0:
        raise InputError("the cube has no hourly time coordinate", "Give dates and hours, decoded: xarray.decode_cf(ds)")
    steps = np.diff(hours.to_numpy()) / np.timedelta64(1, "h")
    if not (steps == 1.0).all():
        wrong = int(np.flatnonzero(steps != 1.0)[0])
        raise InputError(
            f"coordinate 'time' is not hourly: {hours[wrong]} is followed by {hours[wrong + 1]}",
            "Fill the holes (ds.resample(time='h').interpolate()), or use a model with daily forcing",
        )
    if hours[0].hour or len(hours) % 24:
        raise InputError(
            f"the series goes from {hours[0]} to {hours[-1]}, which are no whole days",
            "Cut it to whole days: the first hour of a day is 0, the last 23",
        )
    series = data[[n for n in data.variables if "time" in data[n].dims and n != "time"]].drop_vars("time")
    folded = series.coarsen(time=24).construct(time=("time", "hour"))
    return data.drop_dims("time").merge(folded).assign_coords(time=hours[::24].normalize())
