"""A checked data set: variables under public names and in canonical units over (time, *space)."""

from __future__ import annotations

import dataclasses
import difflib
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from gridcal.cube.agreement import SPACE, check_daily, check_same, check_space, check_time, rounding_of
from gridcal.cube.canonical import canonical_units
from gridcal.cube.entry import CatalogEntry
from gridcal.cube.layouts import taken
from gridcal.cube.missing import has_valid_range, within_valid_range
from gridcal.errors import InputError
from gridcal.vocabulary.fingerprint import fingerprint
from gridcal.vocabulary.given import need_dataset
from gridcal.vocabulary.longitudes import apart
from gridcal.vocabulary.variables import VARIABLES

_ORDER = ("time", *SPACE)


@dataclasses.dataclass(frozen=True, repr=False)
class Cube:
    """A checked data set.

    Parameters
    ----------
    data : Dataset
        Variables under their public names, in canonical units, dimensions (time, *space); lazy if opened lazily.
    feature_names : tuple of str
        Static variables that may serve as features.
    mask_name : str or None
        Boolean static variable: True where a pixel is used.
    entry : CatalogEntry or None
        Where the data come from.
    repairs : tuple of str
        The rules by which the data were brought into this form, in words.
    """

    data: xr.Dataset
    feature_names: tuple[str, ...] = ()
    mask_name: str | None = None
    entry: CatalogEntry | None = None
    repairs: tuple[str, ...] = ()

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

        Units are converted to the vocabulary's, dimensions brought into the order (time, *space), values outside the valid
        range that the file declares made missing. Valid data in another dress are taken by a stated rule (see `repairs`).
        Nothing is computed.

        Parameters
        ----------
        ds : Dataset
            Dimensions among time, lat, lon, pixel, site; others stay behind them.
        features : iterable of str
            Static variables that may serve as features.
        mask : str, optional
            Static variable over space, true where a pixel is used; a variable called ``mask`` without it.
        entry : CatalogEntry, optional
            Where the data come from.

        Raises
        ------
        InputError
            If units, time, space or chunks are not as they must be; the message names the variable and the repair.
        """
        need_dataset(ds, "what a cube is made of")
        ds, repairs = taken(ds)
        check_time(ds)
        check_space(ds)
        bounded = [str(n) for n, x in ds.data_vars.items() if x.dtype.kind in "fiu" and has_valid_range(x)]
        if bounded:
            ds = within_valid_range(ds)
            repairs = (*repairs, f"values outside the valid range that the file declares are missing: {', '.join(bounded)}")
        ds = canonical_units(ds)
        order = [d for d in _ORDER if d in ds.dims]
        ds = ds.transpose(*order, ...)
        chosen = tuple(dict.fromkeys(features))
        for name in chosen:
            if name not in ds:
                raise InputError(f"feature {name!r} is not in the data", f"It holds: {_names(ds)}")
            if "time" in ds[name].dims:
                raise InputError(f"feature {name!r} varies in time", "Reduce it first, e.g. to its mean over time")
        if mask is None and "mask" in ds.data_vars:
            mask = "mask"
        if mask is not None:
            _check_mask(ds, mask)
        return cls(ds, chosen, mask, entry, repairs)

    @property
    def space_dims(self) -> tuple[str, ...]:
        """Space dimensions, in order."""
        return tuple(d for d in SPACE if d in self.data.dims)

    @property
    def sizes(self) -> dict[str, int]:
        """Length of each dimension: time, space, others."""
        sizes = {str(k): v for k, v in self.data.sizes.items()}
        return {d: sizes[d] for d in sorted(sizes, key=lambda d: _ORDER.index(d) if d in _ORDER else len(_ORDER))}

    @property
    def features(self) -> xr.Dataset:
        """Static variables that may serve as features; numbers are NaN outside the mask."""
        ds = self.data[list(self.feature_names)]
        mask = self.mask
        if mask is None:
            return ds
        return ds.map(lambda x: x.where(mask) if x.dtype.kind in "fiu" else x, keep_attrs=True)

    @property
    def mask(self) -> xr.DataArray | None:
        """True where a pixel is used (1 in a mask of whole numbers), dimensions of space; None if all are."""
        if self.mask_name is None:
            return None
        mask = self.data[self.mask_name]
        return mask if mask.dtype.kind == "b" else mask == 1

    def __getitem__(self, name: str) -> xr.DataArray:
        self.require([name])
        return self.data[name]

    def __contains__(self, name: object) -> bool:
        return name in self.data

    def require(self, names: Iterable[str]) -> None:
        """Raise :class:`InputError` for the first variable the cube lacks; the message names the nearest."""
        for name in names:
            if name in self.data:
                continue
            near = difflib.get_close_matches(name, [str(v) for v in self.data.data_vars], n=2, cutoff=0.5)
            hint = f"Did you mean {' or '.join(near)}? " if near else ""
            known = VARIABLES.get(name)
            what = f" ({known.long_name}, {known.units})" if known else ""
            raise InputError(
                f"the cube lacks the variable {name!r}{what}",
                f"{hint}Add it with cube.join(...), or map the file's name to it in the catalog entry (native:); "
                f"the cube holds: {_names(self.data)}",
            )

    def require_daily(self) -> None:
        """Raise :class:`InputError` unless time goes on day by day, as daily models need."""
        if "time" not in self.data.dims:
            raise InputError("the cube has no time dimension", "Open a data set with daily series")
        check_daily(self.data.indexes["time"])

    def sel(self, *, method: str | None = None, **labels: Any) -> Cube:
        """Select by label; ``pixel=sample_pixels(...)`` on a grid gives samples (time, pixel).

        Raises
        ------
        InputError
            If a label is not there.
        """
        pixel = labels.get("pixel")
        if pixel is not None and "pixel" not in self.data.dims and {"lat", "lon"} <= set(self.data.dims):
            points = self._points(pixel)
            rest = {k: v for k, v in labels.items() if k != "pixel"}
            return points.sel(method=method, **rest) if rest else points
        for dim in labels:
            if dim not in self.data.dims:
                raise InputError(f"the cube has no dimension {dim!r}", f"It has: {', '.join(map(str, self.data.dims))}")
        try:
            return self._with(self.data.sel(labels, method=method))
        except KeyError as error:
            raise InputError(
                f"a label of {labels!r} is not in the cube ({error.args[0]})", _labels(self.data, labels)
            ) from error

    def isel(self, **positions: Any) -> Cube:
        """Select by position."""
        return self._with(self.data.isel(positions))

    def with_mask(self, use: xr.DataArray) -> Cube:
        """Use only the pixels where `use` is true, of those the mask leaves in.

        Parameters
        ----------
        use : DataArray of bool
            Dimensions of space, on exactly the cube's coordinates.
        """
        check_same(self.data, use.to_dataset(name="mask"), SPACE)
        if set(use.dims) != set(self.space_dims):
            raise InputError(
                f"the mask has the dimensions {tuple(map(str, use.dims))}, the cube's space {self.space_dims}",
                "Give one value a pixel",
            )
        old = self.mask
        combined = use.astype(bool) if old is None else use.astype(bool) & old
        combined = combined.transpose(*self.space_dims).reset_coords(drop=True)
        name = self.mask_name or "mask"
        data = self.data.assign({name: combined.assign_attrs(long_name="pixels used")})
        return dataclasses.replace(self, data=data, mask_name=name)

    def stack_pixels(self) -> Cube:
        """Return the pixels the mask of a grid leaves in, as samples (time, pixel) with coordinates lat and lon."""
        if self.space_dims != ("lat", "lon"):
            raise InputError(f"only a grid (lat, lon) can be stacked, the cube has {self.space_dims}", "Use it as it is")
        mask = self.mask
        size = self.data.sizes["lat"] * self.data.sizes["lon"]
        if mask is None:
            return self._points(np.arange(size))
        return self._points(np.flatnonzero(mask.transpose("lat", "lon").values.ravel()))

    def snap(self, other: Cube | xr.Dataset, *, tolerance: float = 0.01) -> Cube:
        """Take over the other's lat and lon where they agree within `tolerance` of a step.

        Parameters
        ----------
        other : Cube or Dataset
            The grid to snap to.
        tolerance : float
            Largest difference, in grid steps.

        Raises
        ------
        InputError
            If they differ by more; the message gives the offset in steps.
        """
        theirs = other.data if isinstance(other, Cube) else other
        need_dataset(theirs, "the other")
        ds = self.data
        for dim in ("lat", "lon"):
            if dim not in ds.dims or dim not in theirs.dims:
                continue
            a, b = ds[dim].values, theirs[dim].values
            step = abs(float(b[1] - b[0])) if b.size > 1 else 1.0
            if a.shape != b.shape or np.abs(a - b).max() > tolerance * step:
                check_same(ds, theirs, (dim,))
            ds = ds.assign_coords({dim: theirs[dim].variable})
        return self._with(ds)

    def join(self, other: Cube | xr.Dataset) -> Cube:
        """Add the variables of another cube on exactly the same coordinates.

        Parameters
        ----------
        other : Cube or Dataset
            Without a variable of the same name; its space is the cube's (or it has none, like a CO2 series).

        Raises
        ------
        InputError
            If a coordinate differs (it is never shrunk to what both share), or a variable is in both.
        """
        theirs = other.data if isinstance(other, Cube) else other
        need_dataset(theirs, "the other")
        twice = [str(n) for n in theirs.data_vars if n in self.data.data_vars]
        if twice:
            raise InputError(f"variable {twice[0]!r} is in both cubes", f"Drop or rename one: data.drop_vars({twice[0]!r})")
        strange = [d for d in SPACE if d in theirs.dims and d not in self.data.dims]
        if strange and self.space_dims:
            raise InputError(
                f"the other has the dimension {strange[0]!r}, the cube's space is {self.space_dims}",
                "Select both onto the same pixels first, e.g. cube.sel(pixel=...)",
            )
        check_same(self.data, theirs, ("time", *SPACE))
        merged = xr.merge([self.data, theirs], join="exact", compat="override", combine_attrs="override")
        marks = [ds.attrs["fingerprint"] for ds in (self.data, theirs) if ds.attrs.get("fingerprint")]
        if marks:
            merged.attrs["fingerprint"] = marks[0] if len(marks) == 1 else fingerprint(marks)
        names = other.feature_names if isinstance(other, Cube) else ()
        mask = self.mask_name or (other.mask_name if isinstance(other, Cube) else None)
        features = tuple(dict.fromkeys([*self.feature_names, *names]))
        return dataclasses.replace(self, data=merged, feature_names=features, mask_name=mask)

    def _with(self, ds: xr.Dataset) -> Cube:
        return dataclasses.replace(self, data=ds)

    def _points(self, pixels: Any) -> Cube:
        numbers = np.atleast_1d(np.asarray(pixels)).astype(int)
        columns = self.data.sizes["lon"]
        size = self.data.sizes["lat"] * columns
        if isinstance(pixels, xr.DataArray) and {"lat", "lon"} <= set(pixels.coords):
            # a sample of another grid has other numbers: its places count, and it keeps its labels
            lat = self._rows_at("lat", np.atleast_1d(pixels["lat"].values))
            lon = self._rows_at("lon", np.atleast_1d(pixels["lon"].values))
        else:
            stray = numbers[(numbers < 0) | (numbers >= size)]
            if stray.size:
                raise InputError(f"pixel {stray[0]} lies outside the grid of {size} pixels", "Sample pixels of this grid")
            lat, lon = np.divmod(numbers, columns)
        ds = self.data.isel(lat=xr.DataArray(lat, dims="pixel"), lon=xr.DataArray(lon, dims="pixel"))
        ds = ds.assign_coords(pixel=numbers).transpose("time", "pixel", ..., missing_dims="ignore")
        return self._with(_evenly_chunked(ds, "pixel"))

    def _rows_at(self, dim: str, wanted: np.ndarray) -> np.ndarray:
        """Positions along lat or lon of the wanted places; a longitude is the same a turn further."""
        values = self.data[dim].values.astype(float)
        here, there = values[None, :], wanted[:, None].astype(float)
        far = apart(here, there) if dim == "lon" else np.abs(here - there)
        step = abs(float(values[1] - values[0])) if values.size > 1 else 1.0
        nearest = np.argmin(far, axis=1) if far.size else np.empty(0, dtype=int)
        off = far[np.arange(wanted.size), nearest] if far.size else np.empty(0)
        limit = max(0.01 * step, rounding_of(self.data[dim].values), rounding_of(wanted))
        if (off > limit).any():
            k = int(np.argmax(off))
            raise InputError(
                f"the sample has a pixel at {dim} {wanted[k]:g}, which the grid lacks (nearest: {values[nearest[k]]:g})",
                "Sample pixels of this grid, or put the data on the grid of the sample first",
            )
        return nearest

    def summary(self) -> list[tuple[str, str]]:
        """Extent of each dimension, and the catalog entry, in words."""
        rows = [(dim, _extent(self.data, dim)) for dim in self.sizes]
        if self.entry is not None:
            rows.append(("entry", f"{self.entry.id}: {self.entry.title}"))
        return rows

    def _rows(self) -> list[tuple[str, str, str, str, str]]:
        rows = []
        for key, x in self.data.data_vars.items():
            name = str(key)
            role = "feature" if name in self.feature_names else "mask" if name == self.mask_name else ""
            chunks = "in memory" if x.chunks is None else "chunks " + " x ".join(str(c[0]) for c in x.chunks)
            rows.append((name, ", ".join(map(str, x.dims)), str(x.attrs.get("units", "")), chunks, role))
        return rows

    def __repr__(self) -> str:
        lines = [f"<gridcal.Cube {', '.join(f'{k}: {v}' for k, v in self.sizes.items())}>"]
        lines += [f"  {key:7s} {text}" for key, text in self.summary()]
        for name, dims, units, chunks, role in self._rows():
            lines.append(f"    {name:24s} ({dims}) [{units}] {chunks} {role}".rstrip())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from html import escape

        head = "".join(f"<li><b>{escape(k)}</b> {escape(text)}</li>" for k, text in self.summary())
        body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in self._rows())
        titles = "".join(f"<th>{t}</th>" for t in ("variable", "dimensions", "units", "storage", "role"))
        return f"<div><b>gridcal.Cube</b><ul>{head}</ul><table><tr>{titles}</tr>{body}</table></div>"


def need_cube(x: object) -> None:
    """Raise :class:`InputError` unless a cube was given; the message says how to make one."""
    if isinstance(x, Cube):
        return
    kind = type(x).__name__
    repair = "Check the data and make them one: gridcal.Cube.from_dataset(ds)"
    if isinstance(x, xr.DataArray):
        repair = (
            f"Check the data and make them one: gridcal.Cube.from_dataset(x.to_dataset(name={str(x.name or 'its_name')!r}))"
        )
    elif isinstance(x, str | Path):
        repair = "Open it: gridcal.open_cube(path)"
    raise InputError(f"a {kind} was given in place of a cube", repair)


def _evenly_chunked(ds: xr.Dataset, dim: str) -> xr.Dataset:
    """Points picked out of several chunks, in chunks of one size: a store's chunks have one."""
    sizes = {x.chunksizes[dim] for x in ds.variables.values() if x.chunks is not None and dim in x.dims}
    uneven = len(sizes) > 1 or any(len(set(c[:-1])) > 1 or c[-1] > c[0] for c in sizes)
    return ds.chunk({dim: max(max(c) for c in sizes)}) if uneven else ds


def _names(ds: xr.Dataset) -> str:
    return ", ".join(map(str, ds.data_vars)) or "nothing"


def _check_mask(ds: xr.Dataset, name: str) -> None:
    if name not in ds:
        raise InputError(f"mask {name!r} is not in the data", f"It holds: {_names(ds)}")
    space = tuple(d for d in SPACE if d in ds.dims)
    if set(ds[name].dims) != set(space) or ds[name].dtype.kind not in "biu":
        raise InputError(
            f"mask {name!r} has the dimensions {tuple(map(str, ds[name].dims))} and type {ds[name].dtype}",
            f"A mask is true or false over {space}: e.g. ds[{name!r}] > 0",
        )
    if ds[name].dtype.kind != "b" and ds[name].chunks is None:
        strange = np.setdiff1d(ds[name].values, (0, 1))
        if strange.size:
            warnings.warn(
                f"mask {name!r} holds {strange[0]}{' and others' if strange.size > 1 else ''} beside 0 and 1: only 1 is used "
                f"(say what is meant: e.g. ds[{name!r}] > 0)",
                UserWarning,
                stacklevel=3,
            )


def _extent(ds: xr.Dataset, dim: str) -> str:
    if dim not in ds.indexes or not ds.sizes[dim]:
        return f"{ds.sizes[dim]}"
    index = ds.indexes[dim]
    first, last = (
        str(v)[:10] if dim == "time" else f"{v:g}" if isinstance(v, float) else str(v) for v in (index[0], index[-1])
    )
    step = ""
    if dim in ("lat", "lon") and index.size > 1:
        step = f" by {abs(float(index[1]) - float(index[0])):.6g}"
    return f"{first} .. {last}{step} ({index.size})"


def _labels(ds: xr.Dataset, labels: dict[str, Any]) -> str:
    dim, wanted = next(iter(labels.items()))
    known = [str(v) for v in ds.indexes[dim]] if dim in ds.indexes else []
    near = difflib.get_close_matches(str(wanted), known, n=3)
    return f"Did you mean {', '.join(near)}?" if near else f"Dimension {dim!r} holds {_extent(ds, dim)}"
