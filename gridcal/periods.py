"""Calendar-true periods: days, the satellites' 8-day composites, weeks, months, years; seasons."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from gridcal.errors import ConfigError, InputError

SCALES = ("daily", "8-day", "weekly", "monthly", "yearly")
_ALIASES = {"1D": "daily", "D": "daily", "8D": "8-day", "7D": "weekly", "MS": "monthly", "YS": "yearly", "annual": "yearly"}
SEASONS = ("all", "growing season", "rest of the year")


def scale_name(scale: str) -> str:
    """Public name of a time scale or its alias.

    Raises
    ------
    ConfigError
        If it is unknown.
    """
    name = _ALIASES.get(scale, scale)
    if name not in SCALES:
        raise ConfigError(f"unknown time scale {scale!r}", f"Use one of: {', '.join(SCALES)}")
    return name


def period_index(time: pd.DatetimeIndex, scale: str) -> tuple[npt.NDArray[np.int64], pd.DatetimeIndex]:
    """Period of each day.

    Parameters
    ----------
    time : DatetimeIndex
        Days, sorted.
    scale : str
        daily, 8-day (46 composites a year, restarting on 1 January, the last of 5 or 6 days), weekly (52 blocks of 7 days
        from 1 January, the last of 8 or 9), monthly or yearly; or 1D, 8D, 7D, MS, YS.

    Returns
    -------
    labels : int array, shape (time,)
        Consecutive from 0.
    starts : DatetimeIndex
        First calendar day of each period.
    """
    name = scale_name(scale)
    days = pd.DatetimeIndex(time).normalize()
    year, doy = days.year.to_numpy(), days.dayofyear.to_numpy()
    if name == "daily":
        key, start = days.to_numpy().astype("datetime64[D]").astype(np.int64), days
    elif name == "yearly":
        key, start = year, days - pd.to_timedelta(doy - 1, unit="D")
    elif name == "monthly":
        key, start = year * 12 + days.month.to_numpy(), days - pd.to_timedelta(days.day.to_numpy() - 1, unit="D")
    else:
        length, last = (8, 45) if name == "8-day" else (7, 51)
        block = np.minimum((doy - 1) // length, last)
        key, start = year * 64 + block, days - pd.to_timedelta(doy - 1 - block * length, unit="D")
    _, first, labels = np.unique(key, return_index=True, return_inverse=True)
    return labels.astype(np.int64), pd.DatetimeIndex(start[first])


def period_length(starts: pd.DatetimeIndex, scale: str) -> npt.NDArray[np.int64]:
    """Calendar days in each period, whether or not the series holds them all."""
    name = scale_name(scale)
    if name == "daily":
        return np.ones(starts.size, dtype=np.int64)
    if name == "monthly":
        return starts.days_in_month.to_numpy().astype(np.int64)
    year = np.where(starts.is_leap_year, 366, 365)
    if name == "yearly":
        return year.astype(np.int64)
    length, last = (8, 45) if name == "8-day" else (7, 51)
    doy = starts.dayofyear.to_numpy()
    return np.where((doy - 1) // length >= last, year - doy + 1, length).astype(np.int64)


def aggregate(x: xr.DataArray, scale: str, *, min_fraction: float = 0.0) -> xr.DataArray:
    """Means over periods, lazily.

    Parameters
    ----------
    x : DataArray, dims (time, *space)
        Daily values; NaN days are left out.
    scale : str
        See :func:`period_index`.
    min_fraction : float
        Share of a period's calendar days that must hold a value; the period is NaN otherwise.

    Returns
    -------
    DataArray, dims (time, *space)
        With the periods' first days as time.
    """
    x = x.transpose("time", ...)
    if x.chunks is not None and len(x.chunksizes["time"]) > 1:
        raise InputError(f"variable {x.name!r} is chunked along time", "Use one chunk: .chunk(time=-1)")
    labels, starts = period_index(x["time"].to_index(), scale)
    length = period_length(starts, scale)
    spec = {"labels": labels, "length": length, "min_fraction": min_fraction}
    if x.chunks is None:
        values = _aggregate_block(x.values, **spec)
    else:
        chunks = ((starts.size,), *x.data.chunks[1:])
        values = x.data.map_blocks(_aggregate_block, **spec, dtype=x.dtype, chunks=chunks, meta=np.empty((0,) * x.ndim, x.dtype))
    coords: dict[str, Any] = {k: v for k, v in x.coords.items() if "time" not in v.dims}
    return xr.DataArray(values, dims=x.dims, coords={**coords, "time": starts}, attrs=x.attrs, name=x.name)


def _aggregate_block(x: Any, labels: Any, length: Any, min_fraction: float) -> Any:
    from gridcal.kernels.aggregate import segment_mean

    flat = np.ascontiguousarray(x).reshape(x.shape[0], -1)
    mean, count = segment_mean(flat, labels, length.size, return_count=True)
    mean = np.where(count >= np.maximum(min_fraction * length[:, None], 1.0), mean, np.nan)
    return mean.reshape((length.size, *x.shape[1:])).astype(x.dtype)


def in_season(time: pd.DatetimeIndex, season: str, *, southern: bool = False) -> npt.NDArray[np.bool_]:
    """Days of a season: the growing season is May to September, November to March in the south.

    Raises
    ------
    ConfigError
        If the season is unknown.
    """
    if season not in SEASONS:
        raise ConfigError(f"unknown season {season!r}", f"Use one of: {', '.join(SEASONS)}")
    months = (11, 12, 1, 2, 3) if southern else (5, 6, 7, 8, 9)
    growing = pd.DatetimeIndex(time).month.isin(months)
    if season == "all":
        return np.ones(len(time), dtype=bool)
    return np.asarray(growing if season == "growing season" else ~growing)
