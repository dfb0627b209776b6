"""The cube: forcing, observations and features over time and space, opened lazily and checked from metadata."""

from __future__ import annotations

import dataclasses
import difflib
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from gridcal.catalog import CatalogEntry, data_path, load_entry
from gridcal.errors import CatalogError, InputError
from gridcal.units import conversion, normalise
from gridcal.validate import SPACE, check_same, check_space, check_time
from gridcal.variables import VARIABLES


class RangeWarning(UserWarning):
    """Values lie outside the vocabulary's valid range, though the units are legal."""


@dataclasses.dataclass(frozen=True, repr=False)
class Cube:
    """A checked data set.

    Parameters
    ----------
    data : Dataset
        Variables under their public names, in canonical units, dimensions (time, *space); lazy if they were opened lazily.
    feature_names : tuple of str
        Static variables that may serve as features.
    mask_name : str or None
        Boolean static variable: True where a pixel is used.
    entry : CatalogEntry or None
        Where the data come from.
    """

    data: xr.Dataset
    feature_names: tuple[str, ...] = ()
    mask_name: str | None = None
    entry: CatalogEntry | None = None

    @classmethod
    def from_dataset(
        cls,
        ds: xr.Dataset,
        *,
        features: Iterable[str] = (),
        mask: str | None = None,
        entry: CatalogEntry | None = None,
    ) -> Cube:
        """Check a data set and make it a cube.

        Units are converted to the vocabulary's, dimensions brought into the order (time, *space).

        Raises
        ------
        InputError
            If units, time, space or chunks are not as they must be; the message names the variable and the repair.
        """
        check_time(ds)
        check_space(ds)
        ds = _canonical_units(ds)
        order = [d for d in ("time", *SPACE) if d in ds.dims]
        ds = ds.transpose(*order, ...)
        missing = [f for f in features if f not in ds]
        if missing:
            raise InputError(f"feature {missing[0]!r} is not in the data", f"It holds: {', '.join(map(str, ds.data_vars))}")
        moving = [f for f in features if "time" in ds[f].dims]
        if moving:
            raise InputError(f"feature {moving[0]!r} varies in time", "Reduce it first, e.g. to its mean over time")
        return cls(ds, tuple(features), mask, entry)

    @property
    def space_dims(self) -> tuple[str, ...]:
        """Space dimensions, in order."""
        return tuple(d for d in SPACE if d in self.data.dims)

    @property
    def sizes(self) -> dict[str, int]:
        """Length of each dimension."""
        return {str(k): v for k, v in self.data.sizes.items()}

    @property
    def features(self) -> xr.Dataset:
        """Static variables that may serve as features; NaN outside the mask."""
        return self.data[list(self.feature_names)]

    @property
    def mask(self) -> xr.DataArray | None:
        """True where a pixel is used; None if all are."""
        return None if self.mask_name is None else self.data[self.mask_name].astype(bool)

    def __getitem__(self, name: str) -> xr.DataArray:
        self.require([name])
        return self.data[name]

    def __contains__(self, name: str) -> bool:
        return name in self.data

    def require(self, names: Iterable[str]) -> None:
        """Raise :class:`InputError` for the first variable the cube lacks."""
        for name in names:
            if name not in self.data:
                near = difflib.get_close_matches(name, [str(v) for v in self.data.data_vars], n=2, cutoff=0.5)
                hint = f"Did you mean {' or '.join(near)}? " if near else ""
                known = VARIABLES.get(name)
                what = f" ({known.long_name}, {known.units})" if known else ""
                raise InputError(
                    f"the cube lacks the variable {name!r}{what}",
                    f"{hint}Add it, or rename one in the catalog entry; it holds: {', '.join(map(str, self.data.data_vars))}",
                )

    def sel(self, **labels: Any) -> Cube:
        """Select by label; ``pixel=sample_pixels(...)`` on a grid gives samples (time, pixel)."""
        pixel = labels.get("pixel")
        if pixel is not None and "pixel" not in self.data.dims and {"lat", "lon"} <= set(self.data.dims):
            rest = {k: v for k, v in labels.items() if k != "pixel"}
            return self._points(pixel)._with(self._points(pixel).data.sel(rest)) if rest else self._points(pixel)
        return self._with(self.data.sel(labels))

    def isel(self, **positions: Any) -> Cube:
        """Select by position."""
        return self._with(self.data.isel(positions))

    def snap(self, other: Cube | xr.Dataset, *, tolerance: float = 0.01) -> Cube:
        """Take over the other's lat and lon where they agree within `tolerance` of a step.

        Raises
        ------
        InputError
            If they differ by more.
        """
        theirs = other.data if isinstance(other, Cube) else other
        ds = self.data
        for dim in ("lat", "lon"):
            if dim in ds.dims and dim in theirs.dims:
                a, b = ds[dim].values, theirs[dim].values
                step = abs(float(b[1] - b[0])) if b.size > 1 else 1.0
                if a.shape != b.shape or np.abs(a - b).max() > tolerance * step:
                    check_same(ds, theirs, (dim,))
                ds = ds.assign_coords({dim: theirs[dim]})
        return self._with(ds)

    def join(self, other: Cube | xr.Dataset) -> Cube:
        """Add the variables of another cube on exactly the same coordinates.

        Raises
        ------
        InputError
            If a coordinate differs; it is never shrunk to what both share.
        """
        theirs = other.data if isinstance(other, Cube) else other
        check_same(self.data, theirs, ("time", *SPACE))
        merged = xr.merge([self.data, theirs], join="exact", compat="override", combine_attrs="override")
        names = other.feature_names if isinstance(other, Cube) else ()
        return dataclasses.replace(self, data=merged, feature_names=tuple(dict.fromkeys([*self.feature_names, *names])))

    def _with(self, ds: xr.Dataset) -> Cube:
        return dataclasses.replace(self, data=ds)

    def _points(self, pixel: Any) -> Cube:
        numbers = np.asarray(pixel).astype(int)
        size = self.data.sizes["lat"] * self.data.sizes["lon"]
        if numbers.size and (numbers.min() < 0 or numbers.max() >= size):
            raise InputError(f"pixel {numbers.max()} lies outside the grid of {size} pixels", "Sample pixels of this grid")
        lat, lon = np.divmod(numbers, self.data.sizes["lon"])
        ds = self.data.isel(lat=xr.DataArray(lat, dims="pixel"), lon=xr.DataArray(lon, dims="pixel"))
        return self._with(ds.assign_coords(pixel=numbers).transpose("time", "pixel", ..., missing_dims="ignore"))

    def __repr__(self) -> str:
        lines = [f"<gridcal.Cube {', '.join(f'{k}: {v}' for k, v in self.sizes.items())}>"]
        if "time" in self.data.coords and self.data.sizes["time"]:
            days = self.data.indexes["time"]
            lines.append(f"  period  {days[0].date()} .. {days[-1].date()}")
        for dim in self.space_dims:
            values = self.data[dim].values
            lines.append(f"  {dim:7s} {values[0]} .. {values[-1]} ({values.size})")
        for name, x in self.data.data_vars.items():
            mark = "feature" if name in self.feature_names else "mask" if name == self.mask_name else ""
            state = "lazy" if x.chunks is not None else "in memory"
            lines.append(f"    {name!s:24s} ({', '.join(map(str, x.dims))}) [{x.attrs.get('units', '')}] {state} {mark}".rstrip())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(repr(self))}</pre>"


def open_cube(
    source: str | Path | CatalogEntry,
    *,
    variables: Sequence[str] | None = None,
    features: Sequence[str] | None = None,
    chunks: dict[str, int] | None = None,
    data_dir: str | Path | None = None,
) -> Cube:
    """Open a cube lazily and check it from its metadata.

    Parameters
    ----------
    source : str, path or CatalogEntry
        Id of a catalog entry, an entry file (.yml), or data: a Zarr store (v2 or v3) or a NetCDF file whose variables have
        the vocabulary's names and units.
    variables : sequence of str, optional
        Keep these only.
    features : sequence of str, optional
        Static variables that serve as features; those of the entry, or all static numbers, without it.
    chunks : dict, optional
        Space chunks of a NetCDF file, e.g. ``{"lat": 50, "lon": 50}``; a Zarr store keeps its own.
    data_dir : path, optional
        Data directory; the environment variable GRIDCAL_DATA without it.

    Returns
    -------
    Cube
        Variables in canonical units, dimensions (time, *space). Nothing but metadata and coordinates was read.

    Raises
    ------
    CatalogError
        If the entry or its data are not there.
    InputError
        If a variable, unit, coordinate, calendar or chunk is not as it must be.
    """
    entry = _entry_of(source)
    path = data_path(entry, data_dir) if entry is not None else str(source)
    ds = _open(path, entry, chunks)
    if entry is not None:
        ds = _rename(ds, entry)
    if variables is not None:
        missing = [v for v in variables if v not in ds]
        if missing:
            near = difflib.get_close_matches(missing[0], [str(v) for v in ds.data_vars], n=2)
            hint = f"Did you mean {' or '.join(near)}?" if near else f"It holds: {', '.join(map(str, ds.data_vars))}"
            raise InputError(f"{path!r} has no variable {missing[0]!r}", hint)
        ds = ds[list(variables)]
    if features is not None:
        chosen: tuple[str, ...] = tuple(features)
    elif entry is not None:
        chosen = tuple(f for f in entry.features if f in ds)
    else:
        chosen = tuple(str(v) for v in ds.data_vars if "time" not in ds[v].dims and v not in ("mask",))
    mask = "mask" if "mask" in ds else None
    return Cube.from_dataset(ds, features=chosen, mask=mask, entry=entry)


def _entry_of(source: Any) -> CatalogEntry | None:
    if isinstance(source, CatalogEntry):
        return source
    text = str(source)
    if text.endswith((".yml", ".yaml")):
        return load_entry(text)
    if Path(text).exists() or "://" in text:
        return None
    if text.endswith((".nc", ".zarr", ".csv")) or "/" in text:
        raise CatalogError(f"there is nothing at {text!r}", "Check the path")
    return load_entry(text)


def _open(path: str, entry: CatalogEntry | None, chunks: dict[str, int] | None) -> xr.Dataset:
    kind = entry.format if entry is not None else None
    if kind == "csv" or path.endswith(".csv"):
        return _open_table(path, entry)
    if kind == "zarr" or path.endswith(".zarr") or (Path(path).is_dir() and kind is None):
        return _open_zarr(path)
    try:
        return xr.open_dataset(path, chunks={"time": -1, **(chunks or {})}, engine="netcdf4")
    except OSError as error:
        raise InputError(f"{path!r} is not a NetCDF file ({error})", "Give a NetCDF file or a Zarr store") from error


def _open_zarr(path: str) -> xr.Dataset:
    local = "://" not in path
    if local and not any((Path(path) / marker).exists() for marker in ("zarr.json", ".zgroup", ".zmetadata")):
        found = ", ".join(sorted(p.name for p in Path(path).iterdir())[:5]) or "nothing"
        raise InputError(f"{path!r} is not a Zarr store: no zarr.json and no .zgroup in it (it holds {found})", "Check the path")
    version = 3 if not local or (Path(path) / "zarr.json").exists() else 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return xr.open_zarr(path, consolidated=None if version == 2 else False, chunks={})


def _open_table(path: str, entry: CatalogEntry | None) -> xr.Dataset:
    import pandas as pd

    frame = pd.read_csv(path, comment="#")
    index = entry.index if entry is not None and entry.index else str(frame.columns[0])
    if index not in frame:
        raise InputError(f"{path!r} has no column {index!r}", f"It has: {', '.join(map(str, frame.columns))}")
    frame = frame.set_index(index)
    ds = xr.Dataset.from_dataframe(frame)
    for name, x in ds.data_vars.items():
        if x.dtype.kind not in "fiub":
            ds[name] = x.fillna("").astype(str)
    return ds


def _rename(ds: xr.Dataset, entry: CatalogEntry) -> xr.Dataset:
    dims = {old: new for old, new in entry.dims.items() if old in ds.dims or old in ds.variables}
    ds = ds.rename(dims)
    keep = {}
    for name, spec in entry.variables.items():
        native = spec.native or name
        if native not in ds.variables:
            raise InputError(
                f"entry {entry.id!r}: the data have no variable {native!r} (for {name!r})",
                f"They hold: {', '.join(map(str, ds.variables))}",
            )
        x = ds[native].reset_coords(drop=True) if native not in ds.dims else ds[native]
        if spec.fill_values:
            x = x.where(~x.isin(spec.fill_values))
        x.attrs = dict(ds[native].attrs)
        if spec.units is not None:
            x.attrs["units"] = spec.units
        if spec.long_name:
            x.attrs["long_name"] = spec.long_name
        keep[name] = x
    out = xr.Dataset(keep, coords={d: ds[d] for d in ds.dims if d in ds.coords and d not in keep})
    labels = [c for c in ("lat", "lon", "elv", "igbp", "koeppen") if c in out.data_vars and len(out[c].dims) == 1]
    return out.set_coords([c for c in labels if out[c].dims[0] in ("site", "pixel")])


def _canonical_units(ds: xr.Dataset) -> xr.Dataset:
    """Convert every variable of the vocabulary to its units; others keep theirs, normalised."""
    out = ds.copy()
    for name in list(ds.data_vars) + [c for c in ds.coords if c not in ds.dims]:
        x = ds[name]
        if x.dtype.kind not in "fiu":
            continue
        known = VARIABLES.get(str(name))
        units = x.attrs.get("units")
        if units is None:
            if known is None or known.units == "1" or known.kind == "categorical":
                continue
            raise InputError(
                f"variable {name!r} has no units attribute",
                f"Declare them in the catalog entry, or set ds[{name!r}].attrs['units']; gridcal works in {known.units!r}",
            )
        if known is None:
            out[name].attrs["units"] = normalise(str(units))
            continue
        if known.kind == "categorical":
            continue
        try:
            scale, offset = conversion(str(units), known.units)
        except InputError as error:
            raise InputError(f"variable {name!r}: {error.problem}", error.repair) from error
        if (scale, offset) != (1.0, 0.0):
            kind = x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)
            converted = (x * kind.type(scale) + kind.type(offset)).astype(kind)
            out[name] = converted.assign_attrs(x.attrs)
        out[name].attrs |= {"units": known.units, "long_name": x.attrs.get("long_name", known.long_name)}
        if known.standard_name:
            out[name].attrs["standard_name"] = known.standard_name
    return out


def check_ranges(cube: Cube, *, pixels: int = 8) -> list[str]:
    """Warn where the median of a few pixels lies outside the vocabulary's valid range.

    Parameters
    ----------
    cube : Cube
        The cube; only a few of its pixels are read.
    pixels : int
        How many.

    Returns
    -------
    list of str
        The warnings, each also issued as :class:`RangeWarning`.
    """
    found = []
    dims = cube.space_dims
    step = {d: slice(None, None, max(cube.data.sizes[d] // pixels, 1)) for d in dims[:1]}
    step |= {d: slice(cube.data.sizes[d] // 2, cube.data.sizes[d] // 2 + 1) for d in dims[1:]}
    for name in cube.data.data_vars:
        known = VARIABLES.get(str(name))
        if known is None or known.valid_range is None or cube.data[name].dtype.kind not in "fiu":
            continue
        x = cube.data[name]
        values = x.isel({d: s for d, s in step.items() if d in x.dims}).values.astype(float)
        values = values[np.isfinite(values)]
        if values.size == 0:
            continue
        middle = float(np.median(values))
        if not known.valid_range[0] <= middle <= known.valid_range[1]:
            text = (
                f"variable {name!r} has a median of {middle:g} {known.units}, outside {known.valid_range}: are its units "
                "declared rightly?"
            )
            warnings.warn(text, RangeWarning, stacklevel=2)
            found.append(text)
    return found
