"""Longitudes on one turn: 288 and -72 degrees east are one place, and so are 180 and -180."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def wrapped(lon: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Longitudes from -180 up to, not including, 180; those that lie there keep their bits.

    Examples
    --------
    >>> wrapped([288.0, -72.0, 180.0, 540.5]).tolist()
    [-72.0, -72.0, -180.0, -179.5]
    """
    x = np.asarray(lon, dtype=np.float64)
    return np.where((x >= -180.0) & (x < 180.0), x, (x + 180.0) % 360.0 - 180.0)


def apart(lon: npt.ArrayLike, other: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Degrees from one longitude to another, the short way.

    Examples
    --------
    >>> apart([288.0, -179.5], [-72.0, 180.0]).tolist()
    [0.0, 0.5]
    """
    far = np.asarray(lon, dtype=np.float64) - np.asarray(other, dtype=np.float64)
    return np.minimum(far % 360.0, -far % 360.0)


def first_of_place(lon: npt.ArrayLike) -> npt.NDArray[Any]:
    """Mark the columns of a grid that repeat no earlier one: of -180 .. 180 the last is the first again.

    Examples
    --------
    >>> first_of_place([0.0, 120.0, 240.0, 360.0]).tolist()
    [True, True, True, False]
    """
    places = np.round(wrapped(lon), 6)
    places[places == 180.0] = -180.0
    first = np.zeros(places.size, dtype=bool)
    first[np.unique(places, return_index=True)[1]] = True
    return first
