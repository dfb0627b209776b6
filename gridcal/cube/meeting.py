"""Two variables that meet, in one unit: converted by the table of units, or refused with both units named."""

from __future__ import annotations

import numpy as np
import xarray as xr

from gridcal.vocabulary.agreed_units import to_agree


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
        What `x` is, in words, for the message: "observations 'gpp_modis'".
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
    scale, offset = to_agree(x.attrs.get("units"), units, name, role, difference=spread, stacklevel=stacklevel + 1)
    if (scale, offset) == (1.0, 0.0):
        return x
    kind = x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)
    return (x * kind.type(scale) + kind.type(offset)).astype(kind).assign_attrs({**x.attrs, "units": units})
