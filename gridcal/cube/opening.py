"""Opening a cube: from a catalog entry, an entry file, or data that already speak the vocabulary."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from gridcal.cube.dataset import Cube
from gridcal.cube.entry import CatalogEntry, data_path, load_entry
from gridcal.cube.formats import open_native
from gridcal.cube.identity import of_path
from gridcal.cube.layouts import boundary_variables
from gridcal.cube.missing import without_codes
from gridcal.errors import CatalogError, InputError
from gridcal.vocabulary.fingerprint import fingerprint

_LABELS = ("lat", "lon", "elv", "igbp", "koeppen")
_SPACE_OF = {"grid": {"lat", "lon"}, "sites": {"site"}, "samples": {"pixel"}}


def open_cube(
    source: str | Path | CatalogEntry,
    *,
    variables: Sequence[str] | None = None,
    features: Sequence[str] | None = None,
    chunks: dict[str, Any] | str | None = "auto",
    data_dir: str | Path | None = None,
) -> Cube:
    """Open a cube lazily and check it from its metadata.

    Parameters
    ----------
    source : str, path or CatalogEntry
        Id of a catalog entry, an entry file (.yml), or data: a Zarr store (v2 or v3) or a NetCDF file whose variables
        have the vocabulary's names.
    variables : sequence of str, optional
        Keep these only.
    features : sequence of str, optional
        Static variables that serve as features; those of the entry, or all static variables, without it.
    chunks : dict, "auto" or None
        Chunks of the lazy arrays, e.g. ``{"lat": 50, "lon": 50}``. Otherwise a Zarr store keeps its own, and NetCDF has
        all of time in one and space in pieces of moderate size. ``{"time": -1}`` opens small data stored as maps.
    data_dir : path, optional
        Data directory; the environment variable GRIDCAL_DATA without it.

    Returns
    -------
    Cube
        Variables in canonical units, dimensions (time, *space). Nothing but metadata and coordinates was read.

    Raises
    ------
    CatalogError
        If the entry or its data are not there, or the data lack a variable it declares.
    InputError
        If a variable, unit, coordinate, calendar or chunk is not as it must be.
    """
    entry = _entry_of(source)
    path = data_path(entry, data_dir) if entry is not None else str(source)
    if entry is not None:
        ds = under_public_names(open_native(path, entry.format, index=entry.index, chunks=chunks), entry)
    else:
        ds = open_native(path, chunks=chunks)
    if variables is not None:
        missing = [v for v in variables if v not in ds.variables]
        if missing:
            near = difflib.get_close_matches(missing[0], [str(v) for v in ds.data_vars], n=2)
            hint = f"Did you mean {' or '.join(near)}? " if near else ""
            held = ", ".join(map(str, ds.data_vars))
            raise InputError(f"{path!r} has no variable {missing[0]!r}", f"{hint}It holds: {held}")
        ds = ds[[*variables, *(f for f in features or () if f not in variables and f in ds)]]
    if features is not None:
        chosen: tuple[str, ...] = tuple(features)
    elif entry is not None:
        chosen = tuple(f for f in entry.features if f in ds)
    else:
        left_out = {"mask", *boundary_variables(ds)}
        chosen = tuple(sorted(str(v) for v in ds.data_vars if "time" not in ds[v].dims and v not in left_out and ds[v].dims))
    cube = Cube.from_dataset(ds, features=chosen, entry=entry)
    own = str(ds.attrs.get("fingerprint", ""))
    return dataclasses.replace(cube, data=cube.data.assign_attrs(fingerprint=fingerprint([own, of_path(path)])))


def under_public_names(ds: xr.Dataset, entry: CatalogEntry) -> xr.Dataset:
    """Variables and dimensions of a file under the names its entry gives them, with the units it declares.

    Raises
    ------
    CatalogError
        If the file lacks a variable or dimension of the entry.
    """
    for old in entry.dims:
        if old not in ds.dims and old not in ds.variables:
            raise CatalogError(
                f"entry {entry.id!r}: the data have no dimension {old!r}", f"They have: {', '.join(map(str, ds.dims))}"
            )
    ds = ds.rename(entry.dims)
    keep = {}
    for name, spec in entry.variables.items():
        native = entry.dims.get(spec.native or name, spec.native or name)
        if native not in ds.variables:
            near = difflib.get_close_matches(native, [str(v) for v in ds.variables], n=2)
            hint = f"Did you mean {' or '.join(near)}? " if near else ""
            raise CatalogError(
                f"entry {entry.id!r}: the data have no variable {native!r} (for {name!r})",
                f"{hint}Correct native: in the entry; the data hold: {', '.join(map(str, ds.variables))}",
            )
        x = ds[native].reset_coords(drop=True)
        attrs = dict(x.attrs)
        if spec.fill_values:
            encoding = x.encoding
            x = without_codes(x, spec.fill_values, name)
            x.encoding = encoding
        if spec.units is not None:
            attrs["units"] = spec.units
        if spec.long_name:
            attrs["long_name"] = spec.long_name
        keep[name] = x.assign_attrs(attrs)
    needed = _SPACE_OF.get(entry.kind, set())
    found = {str(d) for x in keep.values() for d in x.dims}
    if not needed <= found:
        raise CatalogError(
            f"entry {entry.id!r} is of kind {entry.kind!r} but has no dimension {sorted(needed - found)[0]!r}; it has "
            f"{', '.join(sorted(found))}",
            "Correct kind:, or rename dimensions with dims: {name in the file: name}",
        )
    out = xr.Dataset(keep, coords={d: ds[d] for d in ds.dims if d in ds.coords and d not in keep}, attrs=ds.attrs)
    labels = [c for c in _LABELS if c in out.data_vars and c not in entry.features]
    return out.set_coords([c for c in labels if out[c].dims in (("site",), ("pixel",))])


def _entry_of(source: Any) -> CatalogEntry | None:
    if isinstance(source, CatalogEntry):
        return source
    text = str(source)
    if text.endswith((".yml", ".yaml")):
        return load_entry(text)
    if Path(text).exists() or "://" in text:
        return None
    if text.rstrip("/").endswith((".nc", ".nc4", ".zarr", ".csv")) or "/" in text:
        raise CatalogError(f"there is nothing at {text!r}", "Check the path")
    return load_entry(text)
