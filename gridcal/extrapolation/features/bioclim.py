"""Bioclimatic variables from a monthly climatology, after ANUCLIM and WorldClim (Xu and Hutchinson 2011)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

Array = npt.NDArray[np.float64]


def bioclim(tas: xr.DataArray, pr: xr.DataArray, sunshine: xr.DataArray) -> xr.Dataset:
    """BIO1, 4 and 8 to 19, and mean sunshine.

    Parameters
    ----------
    tas : DataArray, dims (month, *space)
        Monthly mean temperature, degC.
    pr : DataArray, dims (month, *space)
        Precipitation of each calendar month, mm.
    sunshine : DataArray, dims (month, *space)
        Share of the possible sunshine, %.

    Returns
    -------
    Dataset, dims (*space)
        bio4 is 100 times the population standard deviation, bio15 is 100 sd / (1 + mean); quarters are three running
        months round the year, warmest and coldest by mean temperature, wettest and driest by the sum of precipitation.
    """
    tas, pr, sunshine = (x.transpose("month", ...) for x in (tas, pr, sunshine))
    t, p = tas.values.astype(float), pr.values.astype(float)
    dims, coords = tas.dims[1:], {d: tas[d] for d in tas.dims[1:] if d in tas.coords}
    warm = _quarters(t, np.mean)
    wet = _quarters(p, np.sum)
    values = {
        "bio1": t.mean(axis=0),
        "bio4": 100.0 * t.std(axis=0),
        "bio8": _pick(warm, wet.argmax(axis=0)),
        "bio9": _pick(warm, wet.argmin(axis=0)),
        "bio10": warm.max(axis=0),
        "bio11": warm.min(axis=0),
        "bio12": p.sum(axis=0),
        "bio13": p.max(axis=0),
        "bio14": p.min(axis=0),
        "bio15": 100.0 * p.std(axis=0) / (1.0 + p.mean(axis=0)),
        "bio16": wet.max(axis=0),
        "bio17": wet.min(axis=0),
        "bio18": _pick(wet, warm.argmax(axis=0)),
        "bio19": _pick(wet, warm.argmin(axis=0)),
        "sunshine_pct": sunshine.values.astype(float).mean(axis=0),
    }
    land = np.isfinite(t).all(axis=0) & np.isfinite(p).all(axis=0)
    return xr.Dataset({k: (dims, np.where(land, v, np.nan)) for k, v in values.items()}, coords=coords)


def _quarters(x: Array, reduce: object) -> Array:
    """Mean or sum of each month and the two after it, shape (12, ...)."""
    stack = np.stack([x, np.roll(x, -1, axis=0), np.roll(x, -2, axis=0)])
    return stack.mean(axis=0) if reduce is np.mean else stack.sum(axis=0)


def _pick(x: Array, index: npt.NDArray[np.int64]) -> Array:
    return np.take_along_axis(x, index[None], axis=0)[0]
