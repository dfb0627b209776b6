"""Parameters outside their bounds: run as they are, and told."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from gridcal.process.parameters import ParameterTable

_ROUNDING = 1e-6
"""Share of a parameter's size by which a stored value may lie outside its bounds (rounding to single precision)."""


class BoundsWarning(UserWarning):
    """Parameters lie outside their bounds."""


def look_at_parameters(
    theta: xr.Dataset | Mapping[str, Any] | None, table: ParameterTable, mask: xr.DataArray | None, *, stacklevel: int = 2
) -> None:
    """Warn of parameters in memory that lie outside their bounds.

    Parameters
    ----------
    theta : Dataset, mapping or None
        Parameters by name in the table's units, numbers or arrays.
    table : ParameterTable
        Whose bounds hold.
    mask : DataArray or None
        Pixels that are used; values elsewhere are not looked at.
    stacklevel : int
        Of the warnings.

    Warns
    -----
    BoundsWarning
        Once for each parameter.
    """
    left = lazy_parameters(theta, table, mask)
    for p in table:
        if theta is None or p.name not in theta or p.name in left:
            continue
        value = theta[p.name]
        if isinstance(value, xr.DataArray):
            value = (value if mask is None or not value.dims else value.where(mask)).values
        tell_outside(table, p.name, value, stacklevel=stacklevel + 1)


def lazy_parameters(theta: Any, table: ParameterTable, mask: xr.DataArray | None) -> tuple[str, ...]:
    """Parameters whose values, or the mask they are read through, are not in memory: they are looked at in the tiles."""
    if theta is None:
        return ()
    arrays = {n: theta[n] for n in table.names if n in theta and isinstance(theta[n], xr.DataArray)}
    through = mask is not None and mask.chunks is not None
    return tuple(n for n, x in arrays.items() if x.chunks is not None or (through and x.dims))


def tell_outside_of(table: ParameterTable, names: Iterable[str], theta: np.ndarray, *, stacklevel: int = 2) -> None:
    """Warn of some parameters of a block, shape (P, n) in the order of the table, that lie outside their bounds."""
    for name in names:
        tell_outside(table, name, theta[table.index(name)], stacklevel=stacklevel + 1)


def tell_outside(table: ParameterTable, name: str, value: Any, *, stacklevel: int = 2) -> None:
    """Warn if values of a parameter lie outside its bounds by more than a rounding; NaN is no value."""
    p = table[name]
    x = np.asarray(value, dtype=np.float64)
    x = x[~np.isnan(x)]
    slack = _ROUNDING * max(p.upper - p.lower, abs(p.lower), abs(p.upper))
    outside = int(((x < p.lower - slack) | (x > p.upper + slack)).sum())
    if not outside:
        return
    low, high = x.min(), x.max()
    extent = f"{low:g}" if low == high else f"{low:g} .. {high:g}"
    count = f" ({outside} of {x.size} values)" if x.size > 1 else ""
    warnings.warn(
        f"parameter {name!r} is {extent}, outside its bounds of {p.lower:g} .. {p.upper:g} {p.units}{count}: the model runs "
        "with it as it is. Check its units (attrs['units'] says others), or give it other bounds "
        f"(model.with_parameters(model.parameters.with_bounds({{{name!r}: (lower, upper)}})))",
        BoundsWarning,
        stacklevel=stacklevel,
    )
