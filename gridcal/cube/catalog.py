"""The catalog of data sets: list and load its entries, and check them against the data."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gridcal.cube.agreement import check_space, check_time
from gridcal.cube.canonical import canonical_units
from gridcal.cube.dataset import Cube
from gridcal.cube.entry import (
    DATA_DIR_VARIABLE,
    CatalogEntry,
    VariableEntry,
    catalog_folder,
    data_path,
    describe,
    list_entries,
    load_entry,
)
from gridcal.cube.formats import open_native
from gridcal.cube.opening import under_public_names
from gridcal.errors import GridcalError
from gridcal.vocabulary.units import normalise

__all__ = [
    "DATA_DIR_VARIABLE",
    "CatalogEntry",
    "VariableEntry",
    "catalog_folder",
    "check_entry",
    "data_path",
    "describe",
    "list_entries",
    "load_entry",
]


def check_entry(entry: CatalogEntry, data_dir: str | Path | None = None) -> list[tuple[str, bool, str]]:
    """Compare an entry with its data: location, variables, units, time, grid, features.

    Parameters
    ----------
    entry : CatalogEntry
        The entry.
    data_dir : path, optional
        Data directory; the environment variable GRIDCAL_DATA without it.

    Returns
    -------
    list of (what, good, message)
        One row a check, all of them even if one fails; nothing but metadata and coordinates is read.
    """
    rows: list[tuple[str, bool, str]] = []

    def attempt(what: str, action: Callable[[], Any], message: Callable[[Any], str] = lambda _: "") -> Any:
        try:
            result = action()
        except GridcalError as error:
            rows.append((what, False, str(error)))
            return None
        rows.append((what, True, message(result)))
        return result

    path = attempt("location", lambda: data_path(entry, data_dir))
    if path is None:
        return rows
    native = attempt("opens", lambda: open_native(path, entry.format, index=entry.index), lambda ds: _sizes(ds.sizes))
    if native is None:
        return rows
    readable = []
    for name, spec in entry.variables.items():
        one = entry.model_copy(update={"variables": {name: spec}, "features": [], "kind": "table"})
        action = functools.partial(_one_variable, native, one, name)
        if attempt(name, action, lambda x: str(x.attrs.get("units", ""))) is not None:
            readable.append(name)
    rest = entry.model_copy(update={"variables": {n: entry.variables[n] for n in readable}})
    ds = attempt("dimensions", lambda: under_public_names(native, rest), lambda ds: _sizes(ds.sizes))
    if ds is None:
        return rows
    attempt("time", lambda: check_time(ds))
    attempt("space", lambda: check_space(ds))
    if all(good for _, good, _ in rows):
        attempt("features", lambda: Cube.from_dataset(ds, features=entry.features), lambda c: f"{len(c.feature_names)}")
    return rows


def _one_variable(native: Any, entry: CatalogEntry, name: str) -> Any:
    x = canonical_units(under_public_names(native, entry))[name]
    if "units" in x.attrs and x.dtype.kind in "fiu":
        normalise(str(x.attrs["units"]))  # of a variable of one's own they stay as they are: an entry should know better
    return x


def _sizes(sizes: Any) -> str:
    return ", ".join(f"{dim} {size}" for dim, size in sizes.items())
