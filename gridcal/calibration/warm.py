"""Warm start: what a finished pixel's search hands on to that of its neighbour."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class WarmStart:
    """State of a surrogate to begin from.

    Parameters
    ----------
    hyper : array, shape (d + 1,)
        Log length-scales, in units of the box, and log nugget.
    warped : bool
        Whether the logarithmic warp was used.
    lower, width : array, shape (d,)
        The box.
    """

    hyper: Array
    warped: bool
    lower: Array
    width: Array
