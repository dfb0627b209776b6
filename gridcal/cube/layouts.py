"""Valid data in another dress, taken by a stated rule: names, stacking, byte order, time zones, boundary variables."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import xarray as xr

from gridcal.errors import InputError
from gridcal.vocabulary.calendars import REAL_CALENDARS

_PLANAR = {"y": "lat", "x": "lon"}
_STANDARD_NAMES = {"lat": "latitude", "lon": "longitude"}
_BY_STANDARD_NAME = {"latitude": "lat", "longitude": "lon", "time": "time"}


def taken(ds: xr.Dataset) -> tuple[xr.Dataset, tuple[str, ...]]:
    """A data set in the layout cubes have, and the rules by which it was brought there, in words.

    Nothing is computed. What is not clear is left to the checks that follow.

    Raises
    ------
    InputError
        If dimensions y and x say neither that they are degrees nor that they are not, or times are of a zone with summer time.
    """
    said: list[str] = []
    for rule in (_without_bounds, _called_alike, _degrees_named, _unstacked_labels, _real_dates, _without_zone, _native_bytes):
        ds, text = rule(ds)
        if text:
            said.append(text)
    return ds, tuple(said)


def boundary_variables(ds: xr.Dataset) -> list[str]:
    """Variables that a coordinate names as its bounds, sorted."""
    named = {str(x.attrs["bounds"]) for x in ds.variables.values() if "bounds" in x.attrs}
    named |= {str(x.encoding["bounds"]) for x in ds.variables.values() if "bounds" in x.encoding}
    return sorted(n for n in named if n in ds.variables)


def _without_bounds(ds: xr.Dataset) -> tuple[xr.Dataset, str]:
    """CF 7.1: a variable that a coordinate names as its bounds is part of its metadata."""
    found = boundary_variables(ds)
    return (ds.drop_vars(found), f"boundary variables are left out: {', '.join(found)}") if found else (ds, "")


def _called_alike(ds: xr.Dataset) -> tuple[xr.Dataset, str]:
    """A dimension called latitude or longitude, or whose coordinate says so or that it is time, has the name cubes use."""
    rename: dict[str, str] = {}
    for dim in map(str, ds.dims):
        coordinate = ds[dim] if dim in ds.coords else None
        standard = "" if coordinate is None else str(coordinate.attrs.get("standard_name", ""))
        wanted = _BY_STANDARD_NAME.get(standard) or _BY_STANDARD_NAME.get(dim.lower())
        if coordinate is None or wanted is None or dim in _BY_STANDARD_NAME.values():
            continue
        if wanted == "time" and coordinate.dtype.kind not in "MO":
            continue
        if wanted in ds.variables or wanted in ds.dims or wanted in rename.values():
            continue
        rename[dim] = wanted
    if not rename:
        return ds, ""
    return ds.rename(rename), "; ".join(f"dimension {a!r} is called {b!r}" for a, b in sorted(rename.items()))


def _degrees_named(ds: xr.Dataset) -> tuple[xr.Dataset, str]:
    """Dimensions y and x that hold degrees are lat and lon."""
    if not {"y", "x"} <= set(ds.dims) or {"lat", "lon"} & set(ds.variables):
        return ds, ""
    rename = "ds.rename(y='lat', x='lon')"
    for old, new in _PLANAR.items():
        if old not in ds.coords:
            raise InputError(f"dimension {old!r} has no coordinate", f"Give degrees and their names: {rename}")
        x = ds[old]
        degrees = x.attrs.get("standard_name") == _STANDARD_NAMES[new] or str(x.attrs.get("units", "")).startswith("degree")
        if degrees:
            continue
        limit = 90.0 if new == "lat" else 360.0
        inside = x.dtype.kind in "fiu" and bool((np.abs(x.values) <= limit).all())
        raise InputError(
            f"dimension {old!r} does not say whether it holds degrees"
            if inside
            else f"dimension {old!r} does not hold degrees",
            f"If it is {_STANDARD_NAMES[new]}, rename it: {rename}; a projected grid (metres) must be put on lat and lon first",
        )
    return ds.rename(_PLANAR), "dimensions y and x, which hold degrees, are called lat and lon"


def _unstacked_labels(ds: xr.Dataset) -> tuple[xr.Dataset, str]:
    """A dimension stacked by xarray: its levels become plain coordinates, and its pixels are numbered from 0."""
    said = []
    for dim in [str(d) for d in ds.dims]:
        if isinstance(ds.indexes.get(dim), pd.MultiIndex):
            names = [str(n) for n in ds.indexes[dim].names]
            ds = ds.reset_index(dim).assign_coords({dim: np.arange(ds.sizes[dim])})
            said.append(f"stacked dimension {dim!r}: {', '.join(names)} are coordinates, the labels number its values from 0")
    return ds, "; ".join(said)


def _real_dates(ds: xr.Dataset) -> tuple[xr.Dataset, str]:
    """Dates of the real calendar in cftime's own type are the same dates in NumPy's."""
    index = ds.indexes.get("time")
    if not isinstance(index, xr.CFTimeIndex) or not len(index) or index.calendar not in REAL_CALENDARS:
        return ds, ""
    first, last = index.min(), index.max()
    if index.calendar != "proleptic_gregorian" and first < type(first)(1582, 10, 15):  # before it they are other days
        return ds, ""
    if not 1 <= first.year <= last.year <= 9999:
        return ds, ""
    dates = index.to_datetimeindex(time_unit="us")
    return ds.assign_coords(time=("time", dates, ds["time"].attrs)), f"dates of the {index.calendar} calendar are NumPy's"


def _without_zone(ds: xr.Dataset) -> tuple[xr.Dataset, str]:
    """Times of a zone that is always as far from UTC keep their labels and lose the zone."""
    index = ds.indexes.get("time")
    if index is None or not isinstance(index, pd.Index):
        return ds, ""
    if not isinstance(index, pd.DatetimeIndex):
        first = index[0] if len(index) else None
        if index.dtype != object or not isinstance(first, datetime.datetime) or first.tzinfo is None:
            return ds, ""
        index = pd.DatetimeIndex(index)
    if index.tz is None:
        return ds, ""
    zone = str(index.tz)
    plain = index.tz_localize(None)
    if len(index) and len({t.utcoffset() for t in (index.min(), index.max(), *index[:: max(len(index) // 400, 1)])}) > 1:
        raise InputError(
            f"coordinate 'time' is in the zone {zone!r}, which has summer time",
            "Give standard time: ds.assign_coords(time=ds.indexes['time'].tz_convert('UTC').tz_localize(None))",
        )
    return ds.assign_coords(
        time=("time", plain, ds["time"].attrs)
    ), f"times in the zone {zone} keep their labels, without the zone"


def _native_bytes(ds: xr.Dataset) -> tuple[xr.Dataset, str]:
    """Numbers in the machine's own byte order, and of at least single precision."""
    found: dict[str, xr.Variable] = {}
    for key, x in ds.variables.items():
        if x.dtype.kind not in "fiu":
            continue
        kind = x.dtype.newbyteorder("=")
        if kind == np.float16:
            kind = np.dtype(np.float32)
        if kind != x.dtype:
            found[str(key)] = x.astype(kind)
            found[str(key)].encoding = dict(x.encoding)
    if not found:
        return ds, ""
    coords = {k: v for k, v in found.items() if k in ds.coords}
    ds = ds.assign_coords(coords).assign({k: v for k, v in found.items() if k not in coords})
    return ds, f"byte order or half precision changed: {', '.join(sorted(found))}"
