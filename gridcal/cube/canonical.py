"""Units of a data set brought to the vocabulary's, without computing anything."""

from __future__ import annotations

import numpy as np
import xarray as xr

from gridcal.errors import InputError
from gridcal.vocabulary.units import conversion, normalise
from gridcal.vocabulary.variables import VARIABLES, Variable


def canonical_units(ds: xr.Dataset) -> xr.Dataset:
    """Convert every variable of the vocabulary to its units, lazily; others keep theirs, in canonical spelling if there is one.

    Floating-point variables keep their precision; whole numbers that need a conversion become float64.

    Raises
    ------
    InputError
        If units are missing where the vocabulary has some, unknown, or of another dimension; if what should be numbers is text.
    """
    out = ds.copy()
    for key in [*ds.data_vars, *(c for c in ds.coords if c not in ds.dims)]:
        x, known = ds[key], VARIABLES.get(str(key))
        if x.dtype.kind in "OSUT":
            _refuse_text(x, known)
        if x.dtype.kind not in "fiu" or (known is not None and known.kind == "categorical"):
            continue
        units = units_of(x, known)
        if units is None:
            continue
        if known is None:
            out[key] = x.assign_attrs(units=_spelling_of(units))
            continue
        try:
            scale, offset = conversion(units, known)
        except InputError as error:
            raise InputError(f"variable {str(key)!r}: {error.problem}", error.repair) from error
        attrs = {"long_name": known.long_name, **x.attrs, "units": known.units}
        if known.standard_name:
            attrs["standard_name"] = known.standard_name
        if (scale, offset) != (1.0, 0.0):
            kind = x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)
            x = (x * kind.type(scale) + kind.type(offset)).astype(kind)
        out[key] = x.assign_attrs(attrs)
    return out


def _refuse_text(x: xr.DataArray, known: Variable | None) -> None:
    """Raise if a variable that has units, or whose numbers the vocabulary knows, holds text."""
    units = str(x.attrs.get("units", "1"))
    if known is not None and known.kind != "categorical":
        units = known.units
    elif _spelling_of(units) == "1":
        return
    if x.chunks is not None:
        cell = ""
    else:
        cells = [str(v).strip() for v in x.values.ravel()]
        strange = next((c for c in cells if not _reads_as_number(c)), None)
        cell = "" if strange is None else f", e.g. {strange!r}"
    raise InputError(
        f"variable {x.name!r} should be numbers in {units!r} and holds text{cell}",
        "Write numbers with a point and ASCII signs, and leave a cell empty where there is none; a class has no units",
    )


def _reads_as_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell.isascii()


def units_of(x: xr.DataArray, known: Variable | None) -> str | None:
    """Units attribute; None where it is absent and none is needed.

    Raises
    ------
    InputError
        If it is absent and the vocabulary's entry is not a plain number.
    """
    units = x.attrs.get("units")
    if units is not None:
        return str(units)
    if known is None or known.units == "1":
        return None
    raise InputError(
        f"variable {known.name!r} has no units attribute",
        f"Declare them in the catalog entry (units:), or set ds[{known.name!r}].attrs['units']; "
        f"gridcal works in {known.units!r}",
    )


def _spelling_of(units: str) -> str:
    """Canonical spelling; units that the table does not hold stay as they are until the variable meets another."""
    try:
        return normalise(units)
    except InputError:
        return units
