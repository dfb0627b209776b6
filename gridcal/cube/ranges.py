"""A check of values: medians of a few pixels against the vocabulary's valid ranges."""

from __future__ import annotations

import warnings

import numpy as np

from gridcal.cube.dataset import Cube
from gridcal.vocabulary.variables import VARIABLES


class RangeWarning(UserWarning):
    """Values lie outside the vocabulary's valid range, though the units are legal."""


def check_ranges(cube: Cube, *, pixels: int = 8, stacklevel: int = 2) -> list[str]:
    """Warn where the median of a few pixels lies outside the vocabulary's valid range.

    Kelvin declared as degrees Celsius, or hectopascal as kilopascal, are legal units: only values can tell.

    Parameters
    ----------
    cube : Cube
        The cube; only a few of its pixels are read, evenly spread over those the mask leaves in.
    pixels : int
        How many.
    stacklevel : int
        Of the warnings.

    Returns
    -------
    list of str
        The warnings, each also issued as :class:`RangeWarning`.
    """
    found = []
    few = _few(cube, pixels)
    for key, x in few.data.data_vars.items():
        known = VARIABLES.get(str(key))
        if known is None or known.valid_range is None or x.dtype.kind not in "fiu":
            continue
        values = x.values.astype(float)
        values = values[np.isfinite(values)]
        if values.size == 0:
            continue
        low, high = known.valid_range
        middle = float(np.median(values))
        if not low <= middle <= high:
            text = (
                f"variable {str(key)!r} has a median of {middle:g} {known.units}, outside {low:g} to {high:g}: "
                "are its units declared rightly?"
            )
            warnings.warn(text, RangeWarning, stacklevel=stacklevel)
            found.append(text)
    return found


def _few(cube: Cube, pixels: int) -> Cube:
    dims = cube.space_dims
    if not dims:
        return cube
    if dims == ("lat", "lon"):
        mask = cube.mask
        shape = (cube.data.sizes["lat"], cube.data.sizes["lon"])
        used = np.arange(shape[0] * shape[1]) if mask is None else np.flatnonzero(mask.transpose(*dims).values.ravel())
        return cube.sel(pixel=_spread(used, pixels)) if used.size else cube.isel(lat=[0], lon=[0])
    used = np.arange(cube.data.sizes[dims[0]]) if cube.mask is None else np.flatnonzero(cube.mask.values)
    return cube.isel(**{dims[0]: _spread(used, pixels)})


def _spread(numbers: np.ndarray, pixels: int) -> np.ndarray:
    # midpoints of equal shares: not the grid's rim, where grids are padded
    positions = ((np.arange(pixels) + 0.5) * numbers.size / pixels).astype(int)
    return np.unique(numbers[positions]) if numbers.size else numbers
