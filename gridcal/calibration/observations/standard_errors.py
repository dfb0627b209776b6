"""Errors of observations that a cube holds: what is no positive number is no standard error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.calibration.target import Target
from gridcal.cube import Cube
from gridcal.cube.ranges import are_codes
from gridcal.errors import InputError


def check_errors(target: Target, observed: npt.NDArray[np.floating], errors: npt.NDArray[np.floating]) -> None:
    """Look at the errors of the observations that count.

    Parameters
    ----------
    target : Target
        With the name of the errors as `sigma`.
    observed, errors : arrays of one shape
        Observations, NaN where none counts, and their errors; an observation without an error does not count.

    Raises
    ------
    InputError
        If an error is zero, negative or a code for missing values.
    """
    counted = errors[np.isfinite(observed) & np.isfinite(errors)]
    wrong = counted[are_codes(counted) | (counted <= 0)]
    if wrong.size == 0:
        return
    name, largest = target.sigma, float(wrong.max())
    condition = f"ds[{name!r}] > 0" if largest <= 0 else f"(ds[{name!r}] > 0) & (ds[{name!r}] < {largest:g})"
    raise InputError(
        f"errors {name!r} of the observations {target.against!r} are zero, negative or a code for missing values "
        f"{wrong.size} times of {counted.size} (the first is {wrong[0]:g}): a standard error is positive",
        f"Mask them, and their observations do not count: ds[{name!r}].where({condition})",
    )


def look_at_errors(cube: Cube, targets: Sequence[Target], inside: xr.DataArray) -> None:
    """Look at errors that are in memory, before the first task; lazy ones are looked at in their tasks.

    Parameters
    ----------
    cube : Cube
        With observations and errors in the units they were given in: a code is one in these.
    targets : sequence of Target
        Those that name their errors are looked at.
    inside : DataArray
        True on the days of the calibration period.

    Raises
    ------
    InputError
        As :func:`check_errors`.
    """
    use = inside if cube.mask is None else inside & cube.mask
    for target in targets:
        if not isinstance(target.sigma, str):
            continue
        observed, errors = cube.data[str(target.against)], cube.data[target.sigma]
        if all(x.chunks is None for x in (use, observed, errors)):
            observed, errors = xr.broadcast(observed.where(use), errors)
            check_errors(target, observed.values, errors.values)
