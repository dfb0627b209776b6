"""Series of many sites, each over its own years: forcing, site constants, observations, weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridcal.cube import Cube
from gridcal.cube.dataset import need_cube
from gridcal.errors import InputError
from gridcal.process.model import ProcessModel

Array = npt.NDArray[np.float64]
WARM_UP = 365
"""Days of forcing before the first observation that are kept, for lag filters and slow pools."""


@dataclasses.dataclass(frozen=True)
class SiteSeries:
    """Series of n sites.

    Parameters
    ----------
    labels : tuple of str
        Sites.
    time : tuple of DatetimeIndex
        Days of each site.
    forcing : tuple of tuples of arrays, each shape (T_s,)
        The model's forcing, site by site, in its order.
    site : array, shape (S, n)
        Site constants.
    observed : dict of str to tuple of arrays, each shape (T_s,)
        Observations of each model output, NaN where missing.
    weight : tuple of arrays, each shape (T_s,)
        Weight of each day, 0 to 1.
    """

    labels: tuple[str, ...]
    time: tuple[pd.DatetimeIndex, ...]
    forcing: tuple[tuple[Array, ...], ...]
    site: Array
    observed: Mapping[str, tuple[Array, ...]]
    weight: tuple[Array, ...]

    @property
    def n(self) -> int:
        """Number of sites."""
        return len(self.labels)

    def select(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> SiteSeries:
        """The same for some of the sites, in the order given."""
        rows = [int(r) for r in rows]
        return SiteSeries(
            tuple(self.labels[r] for r in rows),
            tuple(self.time[r] for r in rows),
            tuple(self.forcing[r] for r in rows),
            self.site[:, rows],
            {k: tuple(v[r] for r in rows) for k, v in self.observed.items()},
            tuple(self.weight[r] for r in rows),
        )


def site_series(
    cube: Cube,
    model: ProcessModel,
    observed: Mapping[str, str],
    *,
    uncertainty: str | None = None,
    warm_up: int = WARM_UP,
) -> SiteSeries:
    """Series of a cube's sites.

    Parameters
    ----------
    cube : Cube, dims (time, site) or (time, pixel)
        Loaded or lazy; it is computed.
    model : ProcessModel
        Whose forcing and site constants are read; its time step is a day.
    observed : mapping of str to str
        Observed variable of each model output, e.g. ``{"gpp": "gpp_obs"}``.
    uncertainty : str, optional
        Variable u with the uncertainty of the observations; the weight of a day is 1 - (u - min u) / (max u - min u) over the
        site's days, floored at 0.01, and 1 where u is missing (De et al.). All alike without it.
    warm_up : int
        Days kept before a site's first observation.

    Raises
    ------
    InputError
        If a site has no observation, or forcing with a gap in its span.
    """
    need_cube(cube)
    cube.require([*model.forcing, *observed.values(), *([uncertainty] if uncertainty else [])])
    cube.require_daily()
    (dim,) = cube.space_dims
    data = cube.data
    labels = tuple(str(v) for v in data[dim].values)
    n, length = len(labels), data.sizes["time"]

    def columns(name: str) -> Array:
        x = data[name]
        order = [d for d in ("time", dim) if d in x.dims]
        values = np.asarray(x.transpose(*order).values, dtype=np.float64)
        values = values[:, None] if dim not in x.dims else values[None] if "time" not in x.dims else values
        return np.broadcast_to(values, (length, n))

    time = pd.DatetimeIndex(data.indexes["time"])
    series = [columns(name) for name in model.forcing]
    seen = {k: columns(v) for k, v in observed.items()}
    doubt = columns(uncertainty) if uncertainty else None
    site = np.array([_constant(data, model, name, n) for name in model.site]).reshape(len(model.site), n)
    times, forcing, weights = [], [], []
    kept: dict[str, list[Array]] = {k: [] for k in observed}
    for s in range(n):
        any_seen = np.flatnonzero(np.logical_or.reduce([np.isfinite(y[:, s]) for y in seen.values()]))
        if not any_seen.size:
            raise InputError(f"site {labels[s]!r} has no observation of {', '.join(observed.values())}", "Leave it out")
        span = slice(max(int(any_seen[0]) - warm_up, 0), int(any_seen[-1]) + 1)
        part = tuple(np.ascontiguousarray(x[span, s]) for x in series)
        for name, x in zip(model.forcing, part, strict=True):
            if not np.isfinite(x).all():
                raise InputError(f"forcing {name!r} has gaps at site {labels[s]!r}", "Fill them, or leave the site out")
        model.check_forcing(part)
        times.append(time[span])
        forcing.append(part)
        for k, y in seen.items():
            kept[k].append(np.ascontiguousarray(y[span, s]))
        weights.append(_weights(None if doubt is None else doubt[span, s], span.stop - span.start))
    return SiteSeries(labels, tuple(times), tuple(forcing), site, {k: tuple(v) for k, v in kept.items()}, tuple(weights))


def _constant(data: Any, model: ProcessModel, name: str, n: int) -> Array:
    if name in data:
        return np.broadcast_to(np.asarray(data[name].values, dtype=np.float64).ravel(), (n,))
    if name in model.site_default:
        return np.full(n, float(model.site_default[name]))
    raise InputError(f"the cube lacks the site constant {name!r} of model {model.name!r}", "Add it as a static variable")


def _weights(doubt: Array | None, length: int) -> Array:
    if doubt is None or not np.isfinite(doubt).any():
        return np.ones(length)
    low, high = np.nanmin(doubt), np.nanmax(doubt)
    if not high > low:
        return np.ones(length)
    return np.where(np.isfinite(doubt), np.maximum(1.0 - (doubt - low) / (high - low), 0.01), 1.0)
