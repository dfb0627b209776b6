"""The finished pixels of a task, nearest first: whose warm start the next pixel takes."""

from __future__ import annotations

import numpy as np
import xarray as xr

from gridcal.calibration.pixel import PixelOutcome
from gridcal.calibration.warm import WarmStart


class Neighbours:
    """The finished pixels of one task, by their place.

    Parameters
    ----------
    data : Dataset
        The task's data; coordinates or variables ``lat`` and ``lon`` give the places, the order of the pixels does without.
    """

    def __init__(self, data: xr.Dataset) -> None:
        if "_place_lat" in data and "_place_lon" in data:
            lat, lon = np.radians(data["_place_lat"].values), np.radians(data["_place_lon"].values)
            self.place = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
        else:
            count = int(max(v.sizes[d] for v in data.data_vars.values() for d in v.dims if d not in ("time",)))
            self.place = np.arange(count, dtype=float)[:, None]
        self.done: list[tuple[int, tuple[WarmStart | None, ...]]] = []

    def of(self, i: int) -> tuple[WarmStart | None, ...] | None:
        """Warm starts, one a block, from the finished pixel nearest to pixel `i`; None before there is one."""
        if not self.done:
            return None
        distance = [float(((self.place[i] - self.place[j]) ** 2).sum()) for j, _ in self.done]
        return self.done[int(np.argmin(distance))][1]

    def add(self, i: int, outcome: PixelOutcome) -> None:
        """Remember pixel `i`, if its blocks were verified."""
        if int(outcome.status) == 0:
            self.done.append((i, tuple(b.result.warm if b.result is not None else None for b in outcome.blocks)))
