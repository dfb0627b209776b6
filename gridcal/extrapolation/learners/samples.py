"""Training samples: parameters and features brought together, checked, and laid out flat."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.errors import InputError, ModelError
from gridcal.process.parameter_units import in_units_of
from gridcal.process.parameters import Parameter, ParameterTable
from gridcal.vocabulary.longitudes import wrapped

Array = npt.NDArray[np.float64]
SPACE = ("lat", "lon", "pixel", "site")
_OUTSIDE = 1e-6
"""Share of a parameter's range by which a stored value may lie outside its bounds (float32 rounding)."""
_SAME_PLACE = 1e-4
"""Degrees by which a place may differ from itself (float32 rounding)."""


@dataclasses.dataclass(frozen=True)
class Samples:
    """Flat training material.

    Parameters
    ----------
    names : tuple of str
        Parameters.
    theta : array, shape (n, parameter)
        Values, in physical units.
    features : Dataset, dims (sample,)
        Features.
    weights : array, shape (n,), or None
        Weights.
    groups : array, shape (n,), or None
        Labels of what must share a fold.
    like : DataArray
        Template of one value a sample, with the samples' own dimensions and coordinates.
    """

    names: tuple[str, ...]
    theta: Array
    features: xr.Dataset
    weights: Array | None
    groups: npt.NDArray[Any] | None
    like: xr.DataArray


def gather(theta: xr.Dataset, features: xr.Dataset, table: ParameterTable, weights: Any, groups: Any) -> Samples:
    """Bring parameters and features of the same samples together; parameters in the units of the table.

    Raises
    ------
    InputError
        If they lie on different samples, `theta` holds no parameter of the table or in units that cannot be made the table's,
        or a value lies outside its bounds.
    """
    theta = in_units_of(theta, table)
    names = tuple(n for n in table.names if n in theta)
    if not names:
        raise InputError("theta holds none of the table's parameters", f"Name some of: {', '.join(table.names)}")
    first = theta[names[0]]
    dims = tuple(str(d) for d in first.dims)
    if not dims or any(set(theta[n].dims) != set(dims) for n in names):
        bad = next((n for n in names if set(theta[n].dims) != set(dims)), names[0])
        raise InputError(
            f"parameter {bad!r} has the dimensions {theta[bad].dims}, parameter {names[0]!r} {dims}",
            "Give every parameter one value a sample",
        )
    _check_aligned(first, features, dims)
    shape = tuple(first.sizes[d] for d in dims)
    data = xr.Dataset()
    for name in sorted(map(str, features.data_vars)):
        x = features[name]
        if "time" in x.dims:  # not loaded: the encoder refuses it, and says so
            data[name] = (("time",), np.zeros(0))
            continue
        stray = [str(d) for d in x.dims if d not in dims]
        if stray:
            raise InputError(
                f"feature {name!r} has the dimension {stray[0]!r}, the parameters have {dims}",
                f"Select the samples first, e.g. features.sel({dims[0]}=theta.{dims[0]})",
            )
        data[name] = (("sample",), _flat(x, dims, shape), x.attrs)
    values = np.stack([theta[n].transpose(*dims).values.astype(np.float64).ravel() for n in names], axis=1)
    return Samples(
        names,
        _within(values, table.select(names)),
        data,
        None
        if weights is None
        else np.asarray(_one_a_sample(weights, "weights", theta, features, dims, shape), dtype=np.float64),
        None if groups is None else _one_a_sample(groups, "groups", theta, features, dims, shape),
        first.transpose(*dims).reset_coords(drop=True),
    )


def table_of(theta: xr.Dataset) -> ParameterTable:
    """Parameter table of a posterior: its model's, or else one whose bounds are the range of the values.

    Notes
    -----
    Without a known model a variable is a parameter if ``<name>_sd`` is there too; if none has one, every floating-point
    variable without a further dimension is. Those of a model stand in its order, others in that of their names.
    """
    name = theta.attrs.get("model")
    if name:
        from gridcal.models import model_named

        try:
            table = model_named(str(name)).parameters
        except ModelError:
            table = None
        if table is not None and any(n in theta for n in table.names):
            return table.select([n for n in table.names if n in theta])
    named = {str(n): x for n, x in theta.data_vars.items()}
    floats = [n for n in sorted(named) if named[n].dtype.kind == "f" and named[n].dims and set(named[n].dims) <= set(SPACE)]
    calibrated = [n for n in floats if f"{n}_sd" in theta or theta[n].attrs.get("comment") == "not calibrated"]
    entries = []
    for n in calibrated or floats:
        x = theta[n].values
        x = x[np.isfinite(x)]
        low, high = (float(x.min()), float(x.max())) if x.size else (0.0, 1.0)
        units, text = str(theta[n].attrs.get("units", "1")), str(theta[n].attrs.get("long_name", n))
        high = high if high > low else low + max(1.0, abs(low))
        entries.append(Parameter(n, low, low, high, units, text, "range of the training samples"))
    if not entries:
        raise InputError("theta holds no parameter", "Pass one floating-point variable a parameter, or the parameter table")
    return ParameterTable(tuple(entries))


def _check_aligned(first: xr.DataArray, features: xr.Dataset, dims: tuple[str, ...]) -> None:
    for d in dims:
        if d in features.sizes and features.sizes[d] != first.sizes[d]:
            raise InputError(
                f"theta has {first.sizes[d]} samples along {d!r}, the features {features.sizes[d]}",
                f"Select the same samples: features.sel({d}=theta.{d})",
            )
        if d in features.sizes and d in features.coords and d in first.coords:
            ours, theirs = first[d].values, features[d].values
            if not np.array_equal(ours, theirs):
                k = int(np.flatnonzero(np.asarray(ours != theirs).ravel())[0])
                raise InputError(
                    f"theta and features hold different samples along {d!r} (first at {k}: {ours[k]} and {theirs[k]})",
                    f"Select the same samples in the same order: features.sel({d}=theta.{d})",
                )
    for name in ("lat", "lon"):
        if name in dims or not all(name in x.coords and x[name].dims == dims for x in (first, features)):
            continue
        ours, theirs = (np.asarray(x[name].values, dtype=np.float64) for x in (first, features))
        apart = np.abs(wrapped(ours - theirs))
        if (apart > _SAME_PLACE).any():
            k = int(np.flatnonzero((apart > _SAME_PLACE).ravel())[0])
            raise InputError(
                f"theta and features have the same labels but lie at different places ({name!r}, first at {k}: "
                f"{ours.ravel()[k]:g} and {theirs.ravel()[k]:g})",
                "Take both from one grid: numbers of pixels belong to the grid they were drawn on",
            )


def _flat(x: xr.DataArray, dims: tuple[str, ...], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    present = [d for d in dims if d in x.dims]
    values = x.transpose(*present).values
    index = tuple(slice(None) if d in present else np.newaxis for d in dims)
    return np.broadcast_to(values[index] if present else values, shape).ravel()


def _one_a_sample(
    value: Any, what: str, theta: xr.Dataset, features: xr.Dataset, dims: tuple[str, ...], shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    """Flatten an array, or the coordinate or variable of that name."""
    if isinstance(value, str):
        source = next((ds for ds in (features, theta) if value in ds.variables), None)
        if source is None:
            raise InputError(f"{what} {value!r} is in neither features nor theta", "Name a coordinate or variable of them")
        value = source[value]
    if isinstance(value, xr.DataArray):
        stray = [d for d in value.dims if d not in dims]
        if stray:
            raise InputError(f"{what} has the dimension {stray[0]!r}, the parameters have {dims}", "Give one value a sample")
        return _flat(value, dims, shape)
    out = np.asarray(value).ravel()
    if out.size != int(np.prod(shape, dtype=int)):
        raise InputError(
            f"{what} has {out.size} values for {int(np.prod(shape, dtype=int))} samples", "Give one value a sample"
        )
    return out


def _within(values: Array, table: ParameterTable) -> Array:
    slack = _OUTSIDE * (table.upper - table.lower)
    outside = (values < table.lower - slack) | (values > table.upper + slack)
    if outside.any():
        k = int(np.argmax(outside.any(axis=0)))
        p = table.entries[k]
        raise InputError(
            f"{int(outside[:, k].sum())} values of parameter {p.name!r} lie outside its bounds {p.lower} .. {p.upper}",
            "Pass the table the samples were calibrated with",
        )
    return np.clip(values, table.lower, table.upper)
