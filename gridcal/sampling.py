"""Sample pixels of a grid."""

from __future__ import annotations

import numpy as np
import xarray as xr

from gridcal.cube import Cube
from gridcal.errors import InputError


def sample_pixels(cube: Cube, n: int, seed: int = 0, *, stratify_by: str | None = None, bins: int = 5) -> xr.DataArray:
    """Draw pixels of a grid that its mask leaves in.

    Parameters
    ----------
    cube : Cube
        A grid (lat, lon).
    n : int
        How many.
    seed : int
        The same seed draws the same pixels, however the cube is chunked.
    stratify_by : str, optional
        A static variable: classes, or a number that is cut into `bins` quantile bins. Draws are shared out in proportion,
        with at least one a class.
    bins : int
        Quantile bins of a numeric variable.

    Returns
    -------
    DataArray, dims (pixel,)
        Global index of each pixel (latitude-major), sorted, with coordinates lat and lon. ``cube.sel(pixel=...)`` takes it.

    Raises
    ------
    InputError
        If fewer than `n` pixels are left in, or `stratify_by` is no static variable.
    """
    if tuple(cube.space_dims) != ("lat", "lon"):
        raise InputError(f"pixels are sampled from a grid (lat, lon), but the cube has {cube.space_dims}", "Pass a grid")
    shape = (cube.data.sizes["lat"], cube.data.sizes["lon"])
    mask = cube.mask
    left = np.ones(shape, dtype=bool) if mask is None else mask.transpose("lat", "lon").values.astype(bool)
    candidates = np.flatnonzero(left.ravel())
    if n > candidates.size:
        raise InputError(f"{n} pixels were asked for, but the mask leaves {candidates.size}", "Ask for fewer, or widen the mask")
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    if stratify_by is None:
        chosen = rng.choice(candidates, n, replace=False)
    else:
        chosen = _stratified(cube, candidates, n, stratify_by, bins, rng)
    chosen = np.sort(chosen)
    lat, lon = np.divmod(chosen, shape[1])
    coords = {
        "pixel": chosen,
        "lat": ("pixel", cube.data["lat"].values[lat]),
        "lon": ("pixel", cube.data["lon"].values[lon]),
    }
    return xr.DataArray(chosen, dims="pixel", coords=coords, name="pixel", attrs={"long_name": "global pixel index"})


def _stratified(
    cube: Cube, candidates: np.ndarray, n: int, name: str, bins: int, rng: np.random.Generator
) -> np.ndarray:
    if name not in cube.data or "time" in cube.data[name].dims:
        static = [v for v in cube.data.data_vars if "time" not in cube.data[v].dims]
        raise InputError(f"{name!r} is no static variable of the cube", f"Static variables: {', '.join(map(str, static))}")
    values = cube.data[name].transpose("lat", "lon").values.ravel()[candidates]
    if np.issubdtype(values.dtype, np.floating):
        edges = np.nanquantile(values, np.linspace(0.0, 1.0, bins + 1)[1:-1])
        values = np.where(np.isfinite(values), np.searchsorted(edges, values), -1)
    classes, which = np.unique(values, return_inverse=True)
    size = np.bincount(which)
    quota = np.maximum(np.floor(n * size / size.sum()).astype(int), 1)
    while quota.sum() > n:
        quota[np.argmax(quota)] -= 1
    while quota.sum() < n:
        room = size - quota
        quota[np.argmax(np.where(room > 0, n * size / size.sum() - quota, -np.inf))] += 1
    return np.concatenate(
        [rng.choice(candidates[which == k], min(quota[k], size[k]), replace=False) for k in range(classes.size)]
    )
