"""What a file says is missing: codes and valid ranges, compared as they are stored, before any scale.

xarray masks ``_FillValue`` and ``missing_value`` when it opens a file, and leaves ``valid_range``, ``valid_min`` and
``valid_max`` alone: the codes 249 to 254 of a MODIS product become leaf area indices of 25. CF (2.5.1) and the NetCDF User's
Guide (appendix A) say how they read: in the stored (packed) type, unless their own type is that of unpacked values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from gridcal.errors import InputError

_LIMITS = ("valid_range", "valid_min", "valid_max")


def without_codes(x: xr.DataArray, codes: Sequence[float], name: str) -> xr.DataArray:
    """The variable with NaN where the file holds one of these codes, lazily.

    Parameters
    ----------
    x : DataArray
        As xarray opened it; its encoding says how it is stored.
    codes : sequence of float
        As stored: of packed data before scale and offset.
    name : str
        What the variable is called in the error.

    Raises
    ------
    InputError
        If the stored type cannot hold a code.
    """
    stored = _stored_type(x)
    with np.errstate(invalid="ignore", over="ignore"):
        raw = np.asarray(codes, dtype=float).astype(stored)
    if stored.kind in "iu" and not np.array_equal(raw.astype(float), np.asarray(codes, dtype=float)):
        lost = [c for c, r in zip(codes, raw, strict=True) if float(r) != float(c)]
        raise InputError(
            f"variable {name!r} is stored as {stored}, which cannot hold the code {lost[0]:g} for missing values",
            "Give fill_values as the file stores them, before scale_factor and add_offset",
        )
    return x.where(~x.isin(_unpacked(raw, x)))


def has_valid_range(x: xr.DataArray) -> bool:
    """Whether the attributes of a variable declare one."""
    return any(limit in x.attrs for limit in _LIMITS)


def within_valid_range(ds: xr.Dataset) -> xr.Dataset:
    """Variables with NaN outside their ``valid_range``, ``valid_min`` and ``valid_max``, lazily; the attributes are used up.

    Raises
    ------
    InputError
        If an attribute is no number, or no pair of numbers.
    """
    found = {}
    for key, x in ds.data_vars.items():
        if x.dtype.kind not in "fiu" or not has_valid_range(x):
            continue
        low, high = _limits(x, str(key))
        attrs = {k: v for k, v in x.attrs.items() if k not in _LIMITS}
        inside: Any = True
        if low is not None:
            inside = x >= low
        if high is not None:
            inside = inside & (x <= high)
        kept = x.where(inside)
        kept.attrs, kept.encoding = attrs, x.encoding
        found[key] = kept
    return ds.assign(found) if found else ds


def _limits(x: xr.DataArray, name: str) -> tuple[Any, Any]:
    """Lower and upper limit in the unpacked values of `x`; None where there is none."""
    try:
        pair = np.atleast_1d(np.asarray(x.attrs["valid_range"])) if "valid_range" in x.attrs else np.empty(0)
        if pair.dtype.kind not in "fiu":
            pair = np.array([float(v) for v in pair.ravel()])
        if pair.size not in (0, 2):
            raise ValueError(f"{pair.size} numbers")
        low = pair[0] if pair.size else x.attrs.get("valid_min")
        high = pair[1] if pair.size else x.attrs.get("valid_max")
        limits = [None if v is None else np.asarray(v).reshape(()) for v in (low, high)]
        limits = [v if v is None or v.dtype.kind in "fiu" else np.asarray(float(v)) for v in limits]
    except (TypeError, ValueError) as error:
        raise InputError(
            f"variable {name!r} has a valid range that cannot be read ({error})", f"Correct or delete it: ds[{name!r}].attrs"
        ) from error
    packed = _is_packed(x)
    out: list[Any] = []
    for v in limits:
        if v is None:
            out.append(None)
            continue
        if packed and not _is_of_unpacked_type(v.dtype, x):
            stored = _stored_type(x)
            if stored.kind == "u" and v.dtype.kind == "i" and v < 0:  # written as signed, read as unsigned
                v = v.astype(v.dtype.str.replace("i", "u"))
            v = _unpacked(v.astype(stored) if stored.kind in "iu" else v, x)
        out.append(v)
    low, high = out
    if (
        packed
        and float(x.encoding.get("scale_factor", 1.0)) < 0
        and not any(v is not None and _is_of_unpacked_type(v.dtype, x) for v in limits)
    ):
        low, high = high, low
    return low, high


def _is_packed(x: xr.DataArray) -> bool:
    return "scale_factor" in x.encoding or "add_offset" in x.encoding


def _is_of_unpacked_type(kind: np.dtype[Any], x: xr.DataArray) -> bool:
    """Whether a limit is meant for unpacked values: a fraction where whole numbers are stored, or a wider type."""
    stored = _stored_type(x)
    return kind.kind == "f" and (stored.kind in "iu" or stored.itemsize < kind.itemsize)


def _stored_type(x: xr.DataArray) -> np.dtype[Any]:
    stored = np.dtype(x.encoding.get("dtype", x.dtype))
    unsigned = str(x.encoding.get("_Unsigned", "")).lower()
    if stored.kind == "i" and unsigned == "true":
        return np.dtype(f"u{stored.itemsize}")
    if stored.kind == "u" and unsigned == "false":
        return np.dtype(f"i{stored.itemsize}")
    return stored if stored.kind in "fiu" else x.dtype


def _unpacked(raw: np.ndarray, x: xr.DataArray) -> np.ndarray:
    """Stored values as xarray unpacks them: the same operations in the same type, so that equal stays equal."""
    if not _is_packed(x):
        return raw.astype(x.dtype) if x.dtype.kind == "f" else raw
    values = np.array(raw, dtype=x.dtype)
    if "scale_factor" in x.encoding:
        values *= (
            np.asarray(x.encoding["scale_factor"]).item() if np.ndim(x.encoding["scale_factor"]) else x.encoding["scale_factor"]
        )
    if "add_offset" in x.encoding:
        values += np.asarray(x.encoding["add_offset"]).item() if np.ndim(x.encoding["add_offset"]) else x.encoding["add_offset"]
    return values
