"""What a map amounts to: area means and totals, named by variable, units and days."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gridcal.vocabulary.longitudes import first_of_place
from gridcal.vocabulary.periods import period_length
from gridcal.vocabulary.variables import VARIABLES

_RADIUS = 6371007.2
_YEARLY = {"gC m-2 d-1": ("gC m-2 yr-1", 1e-15, "Pg C"), "mm d-1": ("mm yr-1", 1e-12, "km3 of water")}


def cell_area(lat: np.ndarray, lon: np.ndarray) -> np.ndarray | None:
    """Area of the cells of a regular grid.

    Parameters
    ----------
    lat, lon : array, shapes (n,), (m,)
        Middles of the cells, degrees. A single row is as high as its columns are wide, and the other way round.

    Returns
    -------
    array, shape (n, 1), or None
        m2; None of a single cell, whose size nothing says.

    Examples
    --------
    >>> earth = cell_area(np.arange(-89.5, 90.0), np.arange(0.5, 360.0)).sum() * 360
    >>> bool(abs(earth / (4 * np.pi * 6371007.2**2) - 1) < 1e-12)
    True
    """
    steps = [abs(float(x[1] - x[0])) if x.size > 1 else None for x in (lat, lon)]
    step_lat, step_lon = steps[0] or steps[1], steps[1] or steps[0]
    if step_lat is None or step_lon is None:
        return None
    upper = np.minimum(lat + step_lat / 2.0, 90.0)
    lower = np.maximum(lat - step_lat / 2.0, -90.0)
    bands = np.sin(np.deg2rad(upper)) - np.sin(np.deg2rad(lower))
    return (_RADIUS**2 * np.deg2rad(step_lon) * bands)[:, None]


def totals_of_map(fluxes: xr.Dataset, every: str, run: pd.DatetimeIndex | None = None) -> dict[str, dict[str, Any]]:
    """Area mean of each variable of a map; of fluxes over whole years, the sum of a year and the region's total.

    Parameters
    ----------
    fluxes : Dataset, dims (time, lat, lon)
        Means over periods; a pixel counts if it has all of them.
    every : str
        The periods' scale.
    run : DatetimeIndex, optional
        The days that were run: the first and the last period may hold but a part of their days, and weigh as much.

    Returns
    -------
    dict of str to dict
        Value, units and text by headline: ``map GPP``; of a part of a year, which is no annual sum, with its dates.
    """
    time = pd.DatetimeIndex(fluxes["time"].to_index())
    days = period_length(time, every).astype(float)
    first, last = time[0], time[-1] + pd.Timedelta(days=days[-1] - 1)
    whole = _whole_years(time, days, last)
    if run is not None and (run[0].date() > first.date() or run[-1].date() < last.date()):
        whole = 0
        days = _days_run(time, days, run)
        first, last = max(first, run[0]), min(last, run[-1])
    area = cell_area(fluxes["lat"].values, fluxes["lon"].values)
    once = first_of_place(fluxes["lon"].values)
    found = {}
    for key, x in fluxes.data_vars.items():
        name = str(key)
        if set(x.dims) != {"time", "lat", "lon"}:
            continue
        weight = xr.DataArray(days / days.sum(), dims="time", coords={"time": fluxes["time"]})
        mean = (x * weight).sum("time", skipna=False).transpose("lat", "lon").values.astype(float)
        used = np.isfinite(mean) & once[None, :]
        if not used.any():
            continue
        share = np.broadcast_to(np.ones((mean.shape[0], 1)) if area is None else area, mean.shape)
        value = float((mean * share)[used].sum() / share[used].sum())
        units = str(x.attrs.get("units", "1"))
        known = VARIABLES.get(name)
        what = known.long_name if known else name
        where = f"{'area ' if area is not None else ''}mean of {what} over {int(used.sum())} pixels"
        span = f"{first.date()} to {last.date()}"
        if units in _YEARLY and whole:
            yearly, scale, substance = _YEARLY[units]
            days_a_year = float(days.sum()) / whole
            text = f"{where}, {whole} year{'s' if whole > 1 else ''} ({span}, {days.sum():g} days)"
            if area is not None:
                total = float((mean * share)[used].sum() * days_a_year * scale)
                text += f", {total:.3f} {substance} a year"
            found[f"map {name.upper()}"] = {"value": value * days_a_year, "units": yearly, "text": text}
        elif whole or units not in _YEARLY:
            found[f"map {name.upper()}"] = {"value": value, "units": units, "text": f"{where}, {span}"}
        else:
            text = f"{where}; {days.sum():g} days are no whole years, so there is no annual sum"
            found[f"map {name.upper()}, {span}"] = {"value": value, "units": units, "text": text}
    return found


def _days_run(time: pd.DatetimeIndex, days: np.ndarray, run: pd.DatetimeIndex) -> np.ndarray:
    """Days of each period that were run."""
    ran = run.normalize().unique()
    ends = time + pd.to_timedelta(days, unit="D")
    return np.asarray(ran.searchsorted(ends) - ran.searchsorted(time), dtype=float)


def _whole_years(time: pd.DatetimeIndex, days: np.ndarray, last: pd.Timestamp) -> int:
    """Whole calendar years that the periods cover without a hole, 29 February aside; 0 if they do not."""
    if time[0].day_of_year != 1 or (last.month, last.day) != (12, 31):
        return 0
    starts = time[1:]
    ends = time[:-1] + pd.to_timedelta(days[:-1], unit="D")
    hole = np.asarray((starts - ends).days)
    leap = np.asarray((ends.month == 2) & (ends.day == 29))
    return int(last.year - time[0].year + 1) if ((hole == 0) | (leap & (hole == 1))).all() else 0
