"""Calendar-true periods: days, the satellites' 8-day composites, weeks, months, years; seasons."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from gridcal.errors import ConfigError, InputError
from gridcal.vocabulary.calendars import dates_of

SCALES = ("daily", "8-day", "weekly", "monthly", "yearly")
_ALIASES = {
    "1D": "daily",
    "D": "daily",
    "8D": "8-day",
    "7D": "weekly",
    "MS": "monthly",
    "YS": "yearly",
    "annual": "yearly",
}
SEASONS = ("all", "growing season", "rest of the year")
_SEASON_ALIASES = {"GS": "growing season", "NGS": "rest of the year", "All": "all"}


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


def season_name(season: str) -> str:
    """Public name of a season or its alias (GS, NGS, All).

    Raises
    ------
    ConfigError
        If it is unknown.
    """
    name = _SEASON_ALIASES.get(season, season)
    if name not in SEASONS:
        raise ConfigError(f"unknown season {season!r}", f"Use one of: {', '.join(SEASONS)}")
    return name


def period_index(time: pd.Index, scale: str) -> tuple[npt.NDArray[np.int64], pd.DatetimeIndex]:
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
        First calendar day of each period, whether or not the series holds it.

    Raises
    ------
    ConfigError
        If the scale is unknown.
    InputError
        If `time` does not hold dates of the standard calendar, or they are not sorted.

    Examples
    --------
    >>> labels, starts = period_index(pd.date_range("2004-12-26", "2005-01-02"), "8-day")
    >>> labels.tolist()
    [0, 0, 0, 0, 0, 0, 1, 1]
    >>> starts.strftime("%Y-%m-%d").tolist()
    ['2004-12-26', '2005-01-01']
    """
    name = scale_name(scale)
    time = dates_of(time)
    if not time.is_monotonic_increasing:
        raise InputError("coordinate 'time' is not sorted", "Sort it: ds.sortby('time')")
    days = time.normalize()
    year, doy = days.year.to_numpy(), days.day_of_year.to_numpy()
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
    doy = starts.day_of_year.to_numpy()
    return np.where((doy - 1) // length >= last, year - doy + 1, length).astype(np.int64)


def period_middle(starts: pd.DatetimeIndex, scale: str) -> pd.DatetimeIndex:
    """Middle day of each period (the later of two): it decides which season a period belongs to."""
    return starts + pd.to_timedelta(period_length(starts, scale) // 2, unit="D")


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
        With the periods' first days as time; of the floating type of `x`, float64 where `x` holds integers.

    Raises
    ------
    InputError
        If `x` has no dates of the real calendar along a dimension time, more than one value a day, or chunks along time.
    ConfigError
        If the scale is unknown, or `min_fraction` not within 0 to 1.
    """
    if "time" not in x.dims or "time" not in x.coords:
        raise InputError(f"variable {x.name!r} has no dates along a dimension 'time'", "Add them: x.assign_coords(time=...)")
    if not 0.0 <= min_fraction <= 1.0:
        raise ConfigError(f"min_fraction = {min_fraction}", "Use a share from 0 to 1")
    x = x.transpose("time", ...)
    if x.chunks is not None and len(x.chunksizes["time"]) > 1:
        raise InputError(f"variable {x.name!r} is chunked along time", "Use one chunk: .chunk(time=-1)")
    time = dates_of(x["time"].to_index())
    labels, starts = period_index(time, scale)
    days = time.normalize()
    if not days.is_unique:
        raise InputError(
            f"variable {x.name!r} has more than one value on {days[days.duplicated()][0].date()}",
            "Make days of it first: x.resample(time='D').mean()",
        )
    dtype = x.dtype if np.issubdtype(x.dtype, np.floating) else np.dtype(np.float64)
    spec: dict[str, Any] = {
        "labels": labels,
        "length": period_length(starts, scale),
        "min_fraction": min_fraction,
        "dtype_out": dtype,
    }
    if x.chunks is None:
        values = _aggregate_block(x.values, **spec)
    else:
        chunks = ((starts.size,), *x.data.chunks[1:])
        values = x.data.map_blocks(_aggregate_block, **spec, dtype=dtype, chunks=chunks, meta=np.empty((0,) * x.ndim, dtype))
    coords: dict[str, Any] = {str(k): v for k, v in x.coords.items() if "time" not in v.dims}
    coords["time"] = ("time", starts, x["time"].attrs)
    method = str(x.attrs.get("cell_methods", ""))
    attrs = {**x.attrs, "cell_methods": method if method.endswith("time: mean") else f"{method} time: mean".strip()}
    out = xr.DataArray(values, dims=x.dims, coords=coords, attrs=attrs)
    out.name = x.name  # even if None: a lazy array would lend its own
    return out


def _aggregate_block(x: Any, labels: Any, length: Any, min_fraction: float, dtype_out: Any) -> Any:
    from gridcal.kernels.series.aggregate import segment_mean

    flat = np.ascontiguousarray(x).reshape(x.shape[0], -1)
    mean, count = segment_mean(flat, labels, length.size, return_count=True)
    mean = np.where(count >= np.maximum(min_fraction * length[:, None], 1.0), mean, np.nan)
    return mean.reshape((length.size, *x.shape[1:])).astype(dtype_out)


def spread(x: xr.DataArray, scale: str, time: pd.DatetimeIndex | None = None) -> xr.DataArray:
    """Give every day the mean of its period: composites that stand at their first days, or one value a period, day by day.

    Parameters
    ----------
    x : DataArray, dims (time, *space)
        One value a period, at a day within it; other days, if there are any, NaN.
    scale : str
        Of the composites, see :func:`period_index`.
    time : DatetimeIndex, optional
        Days wanted; those of `x`, or every day from its first to the end of its last period, without it.

    Returns
    -------
    DataArray, dims (time, *space)
        Daily.

    Raises
    ------
    InputError
        If a period holds more than one value.

    Examples
    --------
    >>> days = pd.date_range("2001-01-01", periods=2, freq="8D")
    >>> spread(xr.DataArray([1.0, 2.0], dims="time", coords={"time": days}), "8-day").values.tolist()[6:10]
    [1.0, 1.0, 2.0, 2.0]
    """
    index = dates_of(x["time"].to_index())
    if time is None:
        step = np.diff(index.to_numpy()) / np.timedelta64(1, "D")
        labels, starts = period_index(index, scale)
        last = starts[-1] + pd.Timedelta(days=int(period_length(starts, scale)[-1]) - 1)
        time = index if step.size and (step == 1.0).all() else pd.date_range(index[0], last)
    labels, starts = period_index(index, scale)
    count = x.notnull().groupby(xr.DataArray(labels, dims="time", name="period")).sum("time")
    if int(count.max()) > 1:
        raise InputError(
            f"variable {x.name!r} holds more than one value in a period of {scale!r}", "Aggregate it instead: periods.aggregate"
        )
    value = x.groupby(xr.DataArray(labels, dims="time", name="period")).mean("time").transpose("period", ...)
    wanted, days = period_index(time, scale)
    at = starts.get_indexer(days)
    rows = at[wanted]
    out = value.isel(period=xr.DataArray(np.maximum(rows, 0), dims="time"))
    out = out.where(xr.DataArray(rows >= 0, dims="time")).drop_vars("period").assign_coords(time=time)
    return out.transpose("time", ...).assign_attrs(x.attrs).rename(x.name)


def in_season(time: pd.DatetimeIndex, season: str, *, southern: bool | npt.ArrayLike = False) -> npt.NDArray[np.bool_]:
    """Days of a season.

    The growing season is May to September, as in Ma et al. for temperate forests of the northern hemisphere. South of the
    equator it is November to March. Neither fits the tropics or a Mediterranean climate: read season ``all`` there.

    Parameters
    ----------
    time : DatetimeIndex
        Days.
    season : str
        all, growing season (GS) or rest of the year (NGS).
    southern : bool or bool array, shape (n,)
        Where the southern months hold, e.g. ``lat < 0``.

    Returns
    -------
    bool array, shape (time,), or (time, n) where `southern` is an array

    Raises
    ------
    ConfigError
        If the season is unknown.
    """
    name = season_name(season)
    south = np.asarray(southern, dtype=bool)
    month = dates_of(time).month.to_numpy().reshape((-1,) + (1,) * south.ndim)
    if name == "all":
        return np.ones(np.broadcast_shapes(month.shape, south.shape), dtype=bool)
    growing = np.where(south, np.isin(month, (11, 12, 1, 2, 3)), np.isin(month, (5, 6, 7, 8, 9)))
    return growing if name == "growing season" else ~growing


def days_between(time: Any, first: str, last: str, what: str = "the period") -> npt.NDArray[np.bool_]:
    """Days of a cube from one date to another, both included.

    Parameters
    ----------
    time : DatetimeIndex
        The days of the cube, (T,).
    first, last : str
        Dates, or years or months.
    what : str
        What the period is called in the error.

    Returns
    -------
    bool array, shape (T,)
        True between the dates.

    Raises
    ------
    ConfigError
        If no day lies between them.

    Examples
    --------
    >>> days_between(pd.date_range("2001-12-30", periods=4), "2002", "2002").tolist()
    [False, False, True, True]
    """
    inside = np.zeros(time.size, dtype=bool)
    inside[time.slice_indexer(first, last)] = True
    if not inside.any():
        raise ConfigError(
            f"{what} {first} .. {last} holds no day of the cube ({time[0].date()} .. {time[-1].date()})",
            "Give a period within the cube",
        )
    return inside
