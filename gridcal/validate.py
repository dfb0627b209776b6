"""Checks of a data set's coordinates and chunks, from metadata alone; every error names the variable and the repair."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from gridcal.errors import InputError

SPACE = ("lat", "lon", "pixel", "site")
_STANDARD = {"standard", "gregorian", "proleptic_gregorian"}


def check_time(ds: xr.Dataset) -> None:
    """Raise :class:`InputError` unless time is sorted, unique, of the standard calendar and in one chunk."""
    if "time" not in ds.dims:
        return
    if "time" not in ds.coords:
        raise InputError("dimension 'time' has no coordinate", "Add the dates: ds.assign_coords(time=...)")
    index = ds.indexes.get("time")
    if isinstance(index, xr.CFTimeIndex):
        raise InputError(
            f"coordinate 'time' has the calendar {index.calendar!r}; gridcal works on real days",
            "Convert it: ds.convert_calendar('standard', use_cftime=False), and decide what its missing days hold",
        )
    if not isinstance(index, pd.DatetimeIndex):
        raise InputError(f"coordinate 'time' holds {ds['time'].dtype}, not dates", "Decode it with xarray.decode_cf(ds)")
    calendar = ds["time"].encoding.get("calendar", ds["time"].attrs.get("calendar", "standard"))
    if calendar not in _STANDARD:
        raise InputError(
            f"coordinate 'time' has the calendar {calendar!r}; gridcal works on real days",
            "Convert it: ds.convert_calendar('standard'), and decide what its missing days hold",
        )
    if index.hasnans:
        raise InputError("coordinate 'time' holds missing dates", "Drop them: ds.isel(time=ds.time.notnull())")
    if not index.is_unique:
        twice = index[index.duplicated()][0]
        raise InputError(f"coordinate 'time' holds {twice.date()} twice", "Remove the repeat: ds.drop_duplicates('time')")
    if not index.is_monotonic_increasing:
        raise InputError("coordinate 'time' is not sorted", "Sort it: ds.sortby('time')")
    for name, x in ds.data_vars.items():
        if x.chunks is not None and "time" in x.dims and len(x.chunksizes["time"]) > 1:
            raise InputError(
                f"variable {name!r} is split into {len(x.chunksizes['time'])} chunks along time, which makes every pixel "
                "read all of them",
                "Rewrite the store with all of time in a chunk, e.g. ds.chunk(time=-1, lat=64, lon=64).to_zarr(...); "
                "for small data open it and pass ds.chunk(time=-1)",
            )


def check_daily(index: pd.DatetimeIndex) -> None:
    """Raise :class:`InputError` unless the days follow each other without a hole."""
    if index.size > 1:
        step = np.diff(index.to_numpy().astype("datetime64[D]").astype(int))
        if (step != 1).any():
            k = int(np.argmax(step != 1))
            raise InputError(
                f"coordinate 'time' is not daily: {index[k].date()} is followed by {index[k + 1].date()}",
                "Fill the missing days (ds.reindex(time=...)) or aggregate to days; daily models need every day",
            )


def check_space(ds: xr.Dataset) -> None:
    """Raise :class:`InputError` unless space coordinates are unique, and lat and lon of a grid regular and in range."""
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
                f"coordinate {dim!r} holds {labels[count > 1][0]!r} twice", f"Remove the repeat: ds.drop_duplicates({dim!r})"
            )
        if dim in ("lat", "lon"):
            _check_regular(dim, np.asarray(values, dtype=float))


def _check_regular(dim: str, values: np.ndarray) -> None:
    if not np.isfinite(values).all():
        raise InputError(f"coordinate {dim!r} holds NaN", "Drop these rows")
    limit = 90.0 if dim == "lat" else 360.0
    if (np.abs(values) > limit).any():
        raise InputError(
            f"coordinate {dim!r} reaches {values[np.argmax(np.abs(values))]:g}", "Give degrees; is it a projected grid?"
        )
    if values.size < 2:
        return
    step = np.diff(values)
    if not ((step > 0).all() or (step < 0).all()):
        raise InputError(f"coordinate {dim!r} is not monotonic", f"Sort it: ds.sortby({dim!r})")
    middle = np.median(step)
    if (np.abs(step - middle) > 0.01 * abs(middle)).any():
        raise InputError(
            f"coordinate {dim!r} is not regular: steps from {np.abs(step).min():g} to {np.abs(step).max():g}",
            "Put the data on a regular grid, or open them as samples (time, pixel)",
        )


def check_same(a: xr.Dataset, b: xr.Dataset, dims: tuple[str, ...]) -> None:
    """Raise :class:`InputError` unless two data sets have equal coordinates along `dims`."""
    for dim in dims:
        if dim in a.coords and dim in b.coords:
            x, y = a[dim].values, b[dim].values
            if x.shape != y.shape or not np.array_equal(x, y):
                shared = np.intersect1d(x, y).size
                near = ""
                if x.shape == y.shape and np.issubdtype(x.dtype, np.floating):
                    near = f" (largest difference {np.abs(x - y).max():.2g})"
                raise InputError(
                    f"coordinate {dim!r} differs between the two: {x.size} and {y.size} values, {shared} shared{near}",
                    f"Snap or select one onto the other first, e.g. cube.snap(other) or other.sel({dim}=...)",
                )
