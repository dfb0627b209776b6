"""Parameters given as data, in the units of the model's table: converted, or refused with both units named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

import numpy as np
import xarray as xr

from gridcal.errors import InputError
from gridcal.process.parameters import Parameter, ParameterTable
from gridcal.vocabulary.agreed_units import to_agree

Theta = TypeVar("Theta", bound="xr.Dataset | Mapping[str, Any] | None")


def in_units_of(theta: Theta, table: ParameterTable) -> Theta:
    """Parameters in the units of a table, lazily; the very same object where nothing has to be converted.

    Parameters
    ----------
    theta : Dataset, mapping or None
        Parameters by name, as arrays or plain numbers; what the table does not hold is left alone. A number without units is
        taken to be in the table's.
    table : ParameterTable
        Whose units are wanted.

    Raises
    ------
    InputError
        If a parameter's units cannot be made the table's; the message names the parameter and both units. If a parameter is
        neither a number nor a data array.

    Examples
    --------
    >>> table = ParameterTable((Parameter("Topt", 20.0, 5.0, 35.0, "degC", "optimal temperature", "example"),))
    >>> theta = xr.Dataset({"Topt": ("site", [293.15, 298.15], {"units": "K"})})
    >>> in_units_of(theta, table).Topt.values.tolist()
    [20.0, 25.0]
    """
    if theta is None:
        return theta
    _check_given(theta, table)
    found = {p.name: _converted(theta[p.name], p) for p in table if p.name in theta and isinstance(theta[p.name], xr.DataArray)}
    changed = {name: x for name, x in found.items() if x is not None}
    if not changed:
        return theta
    if isinstance(theta, xr.Dataset):
        return cast(Theta, theta.assign(changed))
    return cast(Theta, {**theta, **changed})


def _check_given(theta: Any, table: ParameterTable) -> None:
    array = "xr.DataArray(values, dims='pixel', coords={'pixel': cube.data.pixel})"
    if not isinstance(theta, xr.Dataset | Mapping):
        raise InputError(
            f"parameters were given as {type(theta).__name__}",
            f"Give an xarray.Dataset, or a mapping from names to numbers or data arrays: {{'{table.names[0]}': {array}}}",
        )
    for name in table.names:
        value = theta.get(name, 0.0)
        if isinstance(value, xr.DataArray):
            continue
        try:
            number = np.ndim(value) == 0 and float(value) is not None
        except (TypeError, ValueError):
            number = False
        if not number:
            raise InputError(
                f"parameter {name!r} was given as {type(value).__name__}",
                f"Give a number, or a value a pixel over the cube's own dimensions: {array}",
            )


def _converted(x: xr.DataArray, p: Parameter) -> xr.DataArray | None:
    """The parameter in the table's units; None where it is so already."""
    units = x.attrs.get("units")
    if units is None:
        return None
    scale, offset = to_agree(units, p.units, p.name, f"parameter {p.name!r}")
    if (scale, offset) == (1.0, 0.0):
        return None
    return (x.astype(np.float64) * scale + offset).assign_attrs({**x.attrs, "units": p.units})
