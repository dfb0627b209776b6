"""Numbers of a feature as they were in training: in its units, and longitudes on one turn."""

from __future__ import annotations

import dataclasses
import fnmatch

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.vocabulary.agreed_units import to_agree
from gridcal.vocabulary.longitudes import wrapped

Array = npt.NDArray[np.float64]

_DIFFERENCES = ("*_sd", "*_range", "*_amp")
"""Names of deviations and ranges: a change of degC is one of K."""


@dataclasses.dataclass(frozen=True)
class Reading:
    """How values become numbers in the units of training.

    Parameters
    ----------
    scale, offset : float
        ``scale * value + offset``.
    turn : bool
        Whether they are longitudes, which start again after 360 degrees.
    """

    scale: float = 1.0
    offset: float = 0.0
    turn: bool = False

    def of(self, values: npt.ArrayLike) -> Array:
        """Numbers, shape (n,)."""
        x = np.asarray(values).astype(np.float64).ravel()
        if (self.scale, self.offset) != (1.0, 0.0):
            x = self.scale * x + self.offset
        return wrapped(x) if self.turn else x


def reading_of(x: xr.DataArray, units: str | None) -> Reading:
    """How a feature is read where it was in `units` in training.

    Raises
    ------
    InputError
        If its own units cannot be made `units`; the message names both.

    Warns
    -----
    UnitsWarning
        If only one of the two declares units.
    """
    name = str(x.name)
    # CF 1.11 says of temperatures whether they are differences
    told = str(x.attrs.get("units_metadata", ""))
    difference = told == "temperature: difference" or (not told and any(fnmatch.fnmatchcase(name, p) for p in _DIFFERENCES))
    scale, offset = to_agree(x.attrs.get("units"), units, name, f"feature {name!r}", difference=difference)
    return Reading(scale, offset, is_longitude(x))


def is_longitude(x: xr.DataArray) -> bool:
    """Tell longitudes by their name, standard name or units."""
    return (
        str(x.name) in ("lon", "longitude")
        or x.attrs.get("standard_name") == "longitude"
        or str(x.attrs.get("units", "")) in ("degrees_east", "degree_east", "degrees_E", "degree_E", "degreesE", "degreeE")
    )
