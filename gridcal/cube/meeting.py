"""Two variables that meet, in one unit: converted by the table of units, or refused with both units named."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import xarray as xr

from gridcal.errors import InputError
from gridcal.vocabulary.units import conversion
from gridcal.vocabulary.variables import VARIABLES, Variable


class UnitsWarning(UserWarning):
    """A variable without units met one that has some, and was taken to be in the same."""


def in_units_of(
    x: xr.DataArray, name: str, units: str, *, role: str, spread: bool = False, stacklevel: int = 3
) -> xr.DataArray:
    """A variable in the units of the one it meets, lazily.

    Parameters
    ----------
    x : DataArray
        The variable that is brought along.
    name : str
        The variable it meets. Where the vocabulary knows it, it also says which substance a mass or amount refers to.
    units : str
        Units of that variable.
    role : str
        What `x` is, in words, for the message: "the observations 'gpp_modis'".
    spread : bool
        Whether `x` is an error or a difference: it is scaled, and no offset is added.
    stacklevel : int
        Of the warning.

    Returns
    -------
    DataArray
        In `units`, of the floating type of `x`.

    Raises
    ------
    InputError
        If the two measure different things, or a unit is unknown.

    Warns
    -----
    UnitsWarning
        If `x` has no units and `units` are not those of a plain number.
    """
    own = x.attrs.get("units")
    if own is None:
        if units != "1":
            warnings.warn(
                f"{role} have no units; they are taken to be in {units!r}, as {name!r} is (set attrs['units'])",
                UnitsWarning,
                stacklevel=stacklevel,
            )
        return x
    if str(own) == units:
        return x
    known = VARIABLES.get(name)
    to: str | Variable = units if known is None else dataclasses.replace(known, units=units)
    try:
        scale, offset = conversion(str(own), to)
    except InputError as error:
        raise InputError(
            f"{role} are in {str(own)!r}, but {name!r} is in {units!r}, and one cannot be made the other ({error.problem})",
            error.repair,
        ) from error
    offset = 0.0 if spread else offset
    if (scale, offset) == (1.0, 0.0):
        return x.assign_attrs(units=units)
    kind = x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)
    return (x * kind.type(scale) + kind.type(offset)).astype(kind).assign_attrs({**x.attrs, "units": units})
