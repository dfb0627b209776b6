"""Features whose values are impossible: codes for missing values that nothing declares would be learnt as numbers."""

from __future__ import annotations

from collections.abc import Iterable

import xarray as xr

from gridcal.cube.ranges import code_apart
from gridcal.errors import InputError


def refuse_codes(features: xr.Dataset, names: Iterable[str]) -> None:
    """Look at the named features that are numbers in memory, in whatever units they are.

    Raises
    ------
    InputError
        If one holds a code for missing values far from all its other values.
    """
    for name in names:
        x = features[name]
        found = code_apart(name, x.values) if x.chunks is None and x.dtype.kind in "fiu" and x.size else None
        if found is not None:
            raise InputError(found.problem, found.repair)
