"""Series of samples as plain columns, for kernels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr


def columns_of(x: xr.DataArray, n: int) -> npt.NDArray[np.float64]:
    """Values as float64, shape (T, n), whatever the order of the dimensions; a series that all samples share is repeated.

    Parameters
    ----------
    x : DataArray, dims (time,) or time and one dimension of n samples
        The series.
    n : int
        Number of samples.
    """
    values = x.transpose("time", ...).values.astype(np.float64)
    return np.broadcast_to(values.reshape(values.shape[0], -1), (values.shape[0], n))
