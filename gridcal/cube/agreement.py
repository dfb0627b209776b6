"""Checks of a data set's coordinates and chunks, from metadata alone; every error names the variable and the repair."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from gridcal.errors import InputError
from gridcal.vocabulary.calendars import check_calendar, dates_of
from gridcal.vocabulary.longitudes import apart

SPACE = ("lat", "lon", "pixel", "site")
"""Space dimensions a cube may have, in their order."""
SAMPLES = ("pixel", "site")
"""Those of them whose places are single ones, no grid."""
_SAME_PLACE = 1e-4
"""Degrees by which a place may differ from itself (rounding to single precision)."""

MAP_LAYOUT_REPAIR = (
    "Rewrite it once with all of time in a chunk: ds.drop_encoding().chunk(time=-1, lat=64, lon=64).to_zarr(...); small data "
    "can be opened as they are with open_cube(..., chunks={'time': -1})"
)
_OTHER_NAMES = {
    "latitude": "lat", "longitude": "lon", "y_lat": "lat", "x_lon": "lon", "valid_time": "time", "day": "time",
    "date": "time", "Time": "time", "Latitude": "lat", "Longitude": "lon",
}  # fmt: skip


def check_time(ds: xr.Dataset) -> None:
    """Raise :class:`InputError` unless time is sorted, unique, of the standard calendar and in one chunk."""
    _check_names(ds)
    if "time" not in ds.dims:
        return
    if "time" not in ds.coords:
        raise InputError("dimension 'time' has no coordinate", "Add the dates: ds.assign_coords(time=...)")
    check_calendar(str(ds["time"].encoding.get("calendar", ds["time"].attrs.get("calendar", "standard"))))
    index = dates_of(ds.indexes.get("time"))
    if index.hasnans:
        raise InputError("coordinate 'time' holds missing dates", "Drop them: ds.isel(time=ds.time.notnull())")
    if not index.is_unique:
        twice = index[index.duplicated()][0]
        raise InputError(f"coordinate 'time' holds {twice} twice", "Remove the repeat: ds.drop_duplicates('time')")
    if not index.is_monotonic_increasing:
        late = int(np.argmax(index[1:] <= index[:-1]))
        raise InputError(
            f"coordinate 'time' is not sorted: {index[late]} is followed by {index[late + 1]}",
            "Sort it: ds.sortby('time')",
        )
    for name, x in ds.data_vars.items():
        if x.chunks is not None and "time" in x.dims and len(x.chunksizes["time"]) > 1:
            raise InputError(
                f"variable {str(name)!r} is stored as maps: {len(x.chunksizes['time'])} chunks along time, so every "
                "pixel reads all of them",
                MAP_LAYOUT_REPAIR,
            )


def _check_names(ds: xr.Dataset) -> None:
    for dim in map(str, ds.dims):
        wanted = _OTHER_NAMES.get(dim)
        if wanted is not None and wanted not in ds.dims:
            raise InputError(
                f"dimension {dim!r} is called {wanted!r} here",
                f"Rename it: 'dims: {{{dim}: {wanted}}}' in the catalog entry, or ds.rename({dim}={wanted!r})",
            )


def check_daily(index: pd.Index) -> None:
    """Raise :class:`InputError` unless the days follow each other without a hole."""
    if not isinstance(index, pd.DatetimeIndex):
        raise InputError("coordinate 'time' holds no dates", "Decode it with xarray.decode_cf(ds)")
    step = np.diff(index.to_numpy()) / np.timedelta64(1, "D")
    if not (step != 1.0).any():
        return
    if step.size and (step == step[0]).all() and step[0] < 1.0:
        raise InputError(
            f"coordinate 'time' has steps of {24 * step[0]:g} h", "Aggregate to days: ds.resample(time='D').mean()"
        )
    wrong = np.flatnonzero(step != 1.0)
    before, after = index[wrong[0]], index[wrong[0] + 1]
    missing = index[wrong] + pd.Timedelta(days=1)
    every = f"pd.date_range({str(index[0].date())!r}, {str(index[-1].date())!r})"
    fill = f"ds.reindex(time={every}).interpolate_na('time')"
    single = step[wrong] == 2.0
    if single.all() and (index.normalize() == index).all():
        days = ", ".join(str(d.date()) for d in missing[:3]) + (f" and {missing.size - 3} more" if missing.size > 3 else "")
        clue = ""
        if ((missing.month == 12) & (missing.day == 31) & missing.is_leap_year).all():
            clue = " Data sets of 365 days a year on real dates (as Daymet) leave out 31 December of leap years."
        elif ((missing.month == 2) & (missing.day == 29)).all():
            clue = " Data made on a calendar without leap days lack 29 February."
        raise InputError(
            f"coordinate 'time' lacks the day{'s' if missing.size > 1 else ''} {days}",
            f"Which day does the source leave out: this one, or another under its date?{clue} If this one, fill it: {fill}",
        )
    raise InputError(
        f"coordinate 'time' is not daily: {before} is followed by {after} ({wrong.size} such steps)",
        f"Fill the missing days ({fill}) or aggregate to days (ds.resample(time='D').mean()); daily models need every day",
    )


def check_space(ds: xr.Dataset) -> None:
    """Raise :class:`InputError` unless space coordinates are unique, and lat and lon of a grid regular and in range."""
    for name in ("lat", "lon", "latitude", "longitude", "XLAT", "XLONG"):
        if name in ds.variables and ds[name].ndim > 1:
            raise InputError(
                f"coordinate {name!r} has two dimensions {tuple(map(str, ds[name].dims))}: a projected or curvilinear grid",
                "Put the data on a regular grid of lat and lon first, or stack them to samples (time, pixel)",
            )
    for dim in SPACE:
        if dim not in ds.dims:
            continue
        if dim not in ds.coords:
            if dim in ("lat", "lon"):
                raise InputError(f"dimension {dim!r} has no coordinate", f"Add it: ds.assign_coords({dim}=...)")
            continue
        values = ds[dim].values
        labels, count = np.unique(values, return_counts=True)
        if (count > 1).any():
            raise InputError(
                f"coordinate {dim!r} holds {labels[count > 1][0].item()!r} twice",
                f"Remove the repeat: ds.drop_duplicates({dim!r})",
            )
        if dim in ("lat", "lon"):
            _check_regular(dim, values)
    if "lat" in ds.dims and "lon" not in ds.dims and "lon" not in ds.coords:
        raise InputError("the data have a dimension 'lat' but no 'lon'", "Give both, or samples (time, pixel)")


def rounding_of(values: np.ndarray) -> float:
    """How far coordinates may lie from where they are meant, for the type they are stored in."""
    if values.dtype.kind != "f" or not values.size:
        return 0.0
    return float(np.finfo(values.dtype).eps * np.abs(values).max())


def _check_regular(dim: str, values: np.ndarray) -> None:
    rounding = rounding_of(values)
    values = np.asarray(values, dtype=float)
    if not np.isfinite(values).all():
        raise InputError(f"coordinate {dim!r} holds NaN", f"Drop these rows: ds.isel({dim}=ds.{dim}.notnull())")
    limit = 90.0 if dim == "lat" else 360.0
    if (np.abs(values) > limit).any():
        raise InputError(
            f"coordinate {dim!r} reaches {values[np.argmax(np.abs(values))]:g}, beyond {limit:g} degrees",
            "Give degrees; a projected grid (metres) must be put on lat and lon first",
        )
    if values.size < 2:
        return
    step = np.diff(values)
    if not ((step > 0).all() or (step < 0).all()):
        turned = _on_one_turn(values, rounding) if dim == "lon" else None
        raise InputError(
            f"coordinate {dim!r} is not monotonic" + (_jump(values) if turned else ""),
            f"Give longitudes that go on: {turned}" if turned else f"Sort it: ds.sortby({dim!r})",
        )
    if not _is_even(step, rounding):
        turned = _on_one_turn(values, rounding) if dim == "lon" else None
        raise InputError(
            f"coordinate {dim!r} is not regular: steps from {np.abs(step).min():g} to {np.abs(step).max():g}"
            + (_jump(values) if turned else ""),
            f"Give longitudes that go on: {turned}"
            if turned
            else "Put the data on a regular grid, or open them as samples (time, pixel)",
        )


_TURNS = {"ds.lon % 360": lambda lon: lon % 360.0, "(ds.lon + 180) % 360 - 180": lambda lon: (lon + 180.0) % 360.0 - 180.0}
"""Longitudes from 0 and from -180 on, as one writes them."""


def _jump(lon: np.ndarray) -> str:
    return f": it jumps at {'the date line' if lon.min() < 0.0 else 'Greenwich'}"


def _is_even(step: np.ndarray, rounding: float) -> bool:
    middle = np.median(step)
    return not bool((np.abs(step - middle) > 0.01 * abs(middle) + 2.0 * rounding).any())


def _on_one_turn(lon: np.ndarray, rounding: float) -> str | None:
    """The way to write longitudes by which they are regular, in order; None if order is all they lack."""
    if _is_even(np.diff(np.sort(lon)), rounding):
        return None
    turns = {f"ds.assign_coords(lon={text})": turn(lon) for text, turn in _TURNS.items()}
    turns |= {f"{text}.sortby('lon')": np.sort(x) for text, x in turns.items()}
    for text, x in turns.items():
        step = np.diff(x)
        if ((step > 0).all() or (step < 0).all()) and _is_even(step, rounding):
            return text
    return None


def check_same(a: xr.Dataset, b: xr.Dataset, dims: tuple[str, ...]) -> None:
    """Raise :class:`InputError` unless two data sets have equal coordinates along `dims`, and samples at the same places.

    Nothing is ever cut to what both share. The message says how the two differ: by how many grid steps, by how many
    hours, or in the convention of longitude. Samples (pixel, site) are at the same places where lat and lon beside them
    agree, whether or not they have labels.
    """
    for dim in dims:
        if dim not in a.dims or dim not in b.dims:
            continue
        if dim in a.coords and dim in b.coords:
            _check_labels(a, b, dim)
        elif a.sizes[dim] != b.sizes[dim]:
            raise InputError(
                f"dimension {dim!r} has {a.sizes[dim]} values in one and {b.sizes[dim]} in the other",
                f"Give both the coordinate that says which is which (ds.assign_coords({dim}=...)), and select the same values",
            )
        if dim in SAMPLES:
            _check_places(a, b, dim)


def _check_labels(a: xr.Dataset, b: xr.Dataset, dim: str) -> None:
    x, y = a[dim].values, b[dim].values
    if x.shape == y.shape and np.array_equal(x, y):
        return
    shared = np.intersect1d(x, y).size
    how, repair = _difference(dim, x, y)
    raise InputError(f"coordinate {dim!r} differs between the two: {x.size} and {y.size} values, {shared} shared{how}", repair)


def _check_places(a: xr.Dataset, b: xr.Dataset, dim: str) -> None:
    """Raise :class:`InputError` where two data sets of samples put one label, or one position, at two places (lat, lon)."""
    for name in ("lat", "lon"):
        if not all(name in ds.variables and ds[name].dims == (dim,) for ds in (a, b)):
            continue
        x, y = (np.asarray(ds[name].values, dtype=float) for ds in (a, b))
        far = apart(x, y) if name == "lon" else np.abs(x - y)
        off = np.flatnonzero(far > _SAME_PLACE)
        if off.size:
            k = int(off[0])
            label = a[dim].values[k] if dim in a.coords else k
            raise InputError(
                f"{dim} {label} lies at {name} {x[k]:g} in one and at {y[k]:g} in the other",
                f"Bring both into one order by labels that say which {dim} it is; samples of two grids: select both with one "
                "result of sample_pixels",
            )


def places_of(ds: xr.Dataset) -> dict[str, xr.DataArray]:
    """Latitude and longitude of samples, by name: coordinates that what is made of them keeps; none of a grid."""
    found = {n: ds[n] for n in ("lat", "lon") if n in ds.variables and ds[n].dims in {(d,) for d in SAMPLES}}
    return {n: x.reset_coords(drop=True) for n, x in found.items()}


def _difference(dim: str, x: np.ndarray, y: np.ndarray) -> tuple[str, str]:
    """How two coordinates differ, and the repair."""
    both_dates = x.dtype.kind == "M" and y.dtype.kind == "M"
    if both_dates and x.shape == y.shape and x.size:
        hours = (x - y) / np.timedelta64(1, "h")
        if (hours == hours[0]).all() and abs(hours[0]) < 24:
            return (
                f" ({abs(hours[0]):g} h apart: labels of the same days)",
                "Label both by the day's start: assign_coords(time=ds.time.dt.floor('D'))",
            )
    if dim == "lon" and x.dtype.kind == "f" and y.dtype.kind == "f" and (x.max() > 180) != (y.max() > 180):
        return " (one runs to 360, the other from -180)", f"Bring both to one turn: {_both_on_one_turn(x, y)}"
    if dim in ("lat", "lon") and x.dtype.kind == "f" and y.dtype.kind == "f" and x.shape == y.shape:
        if np.array_equal(x, y[::-1]):
            return " (they run in opposite directions)", f"Sort both: ds.sortby({dim!r})"
        far = float(np.abs(x - y).max())
        step = abs(float(y[1] - y[0])) if y.size > 1 else 1.0
        if far <= 0.01 * step:
            return f" ({far / step:.2g} grid steps apart)", "Snap one onto the other first: cube.snap(other)"
        return (
            f" (up to {far / step:.3g} grid steps apart)",
            "Regrid one to the other's grid; this is more than rounding",
        )
    return "", f"Select the same values of both first, e.g. other.sel({dim}=cube.data.{dim})"


def _both_on_one_turn(x: np.ndarray, y: np.ndarray) -> str:
    """The way to write two sets of longitudes by which both are regular: a region across the date line goes on from 0."""
    for text, turn in reversed(_TURNS.items()):
        found = [np.diff(np.sort(turn(np.asarray(lon, dtype=float)))) for lon in (x, y)]
        if all(step.size == 0 or _is_even(step, rounding_of(lon)) for step, lon in zip(found, (x, y), strict=True)):
            return f"ds.assign_coords(lon={text}).sortby('lon')"
    return "ds.assign_coords(lon=(ds.lon + 180) % 360 - 180).sortby('lon')"
