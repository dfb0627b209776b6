"""Sample pixels of a grid: at random, or shared out over classes."""

from __future__ import annotations

import numpy as np
import xarray as xr

from gridcal.cube.dataset import Cube, need_cube
from gridcal.errors import InputError


def sample_pixels(cube: Cube, n: int, seed: int = 0, *, stratify_by: str | None = None, bins: int = 5) -> xr.DataArray:
    """Draw pixels of a grid that its mask leaves in, each at most once.

    Parameters
    ----------
    cube : Cube
        A grid (lat, lon).
    n : int
        How many.
    seed : int
        The same seed draws the same pixels, however the cube is chunked.
    stratify_by : str, optional
        A static variable: classes, or a number that is cut into `bins` quantile bins. Draws are shared out in
        proportion to the classes' pixels, with at least one a class; a missing value is a class of its own.
    bins : int
        Quantile bins of a numeric variable.

    Returns
    -------
    DataArray, dims (pixel,)
        Global index of each pixel (latitude-major), sorted, with coordinates lat and lon; ``cube.sel(pixel=...)``
        takes it.

    Raises
    ------
    InputError
        If fewer than `n` pixels are left in, there are more classes than `n`, or `stratify_by` is no static variable.
    """
    need_cube(cube)
    if cube.space_dims != ("lat", "lon"):
        raise InputError(
            f"pixels are sampled from a grid (lat, lon), but the cube has {cube.space_dims}", "Use all its samples"
        )
    if n < 1:
        raise InputError(f"{n} pixels were asked for", "Ask for one or more")
    shape = (cube.data.sizes["lat"], cube.data.sizes["lon"])
    mask = cube.mask
    used = np.ones(shape, dtype=bool) if mask is None else mask.transpose("lat", "lon").values.astype(bool)
    candidates = np.flatnonzero(used.ravel())
    if n > candidates.size:
        raise InputError(
            f"{n} pixels were asked for, but the mask leaves {candidates.size}", "Ask for fewer, or widen the mask"
        )
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    if stratify_by is None:
        chosen = rng.choice(candidates, n, replace=False)
    else:
        classes, which = _strata(cube, stratify_by, candidates, bins)
        if classes.size > n:
            raise InputError(
                f"{stratify_by!r} has {classes.size} classes among the pixels left in, more than the {n} asked for",
                "Ask for more pixels, or stratify by a coarser variable",
            )
        quota = _quota(np.bincount(which), n)
        parts = [rng.choice(candidates[which == k], quota[k], replace=False) for k in range(classes.size)]
        chosen = np.concatenate(parts)
    chosen = np.sort(chosen)
    lat, lon = np.divmod(chosen, shape[1])
    coords = {
        "pixel": chosen,
        "lat": ("pixel", cube.data["lat"].values[lat]),
        "lon": ("pixel", cube.data["lon"].values[lon]),
    }
    return xr.DataArray(chosen, dims="pixel", coords=coords, name="pixel", attrs={"long_name": "global pixel index"})


def _strata(cube: Cube, name: str, candidates: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Classes of a static variable at the candidates, and each candidate's class number."""
    static = [str(v) for v in cube.data.data_vars if set(cube.data[v].dims) == {"lat", "lon"}]
    if name not in static:
        raise InputError(f"{name!r} is no static variable of the cube", f"Static variables: {', '.join(static) or 'none'}")
    values = cube.data[name].transpose("lat", "lon").values.ravel()[candidates]
    if values.dtype.kind == "f":
        known = np.isfinite(values)
        edges = np.quantile(values[known], np.linspace(0.0, 1.0, bins + 1)[1:-1]) if known.any() else np.empty(0)
        values = np.where(known, np.searchsorted(edges, values, side="right"), -1)
    elif values.dtype.kind == "O":
        values = values.astype(str)
    classes, which = np.unique(values, return_inverse=True)
    return classes, which.ravel()


def _quota(size: np.ndarray, n: int) -> np.ndarray:
    """Share `n` draws out over classes of `size` pixels: in proportion, at least one each."""
    share = n * size / size.sum()
    quota = np.maximum(np.floor(share).astype(int), 1)
    while quota.sum() > n:
        quota[np.argmax(np.where(quota > 1, quota - share, -np.inf))] -= 1
    while quota.sum() < n:
        quota[np.argmax(np.where(quota < size, share - quota, -np.inf))] += 1
    return quota
