"""Features made from the forcing itself: complete wherever the model runs, at sites and on grids, and free of fluxes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.cube import Cube

Array = npt.NDArray[np.float64]
_BINS = 13
NAMES: dict[str, str] = {
    "tas_mean": "degC", "tas_warmest": "degC", "tas_coldest": "degC", "tas_lit": "degC", "tas_sd": "degC",
    "vpd_mean": "kPa", "vpd_driest": "kPa", "vpd_lit": "kPa", "vpd_sd": "kPa",
    "wai_mean": "1", "wai_driest": "1", "wai_lit": "1",
    "apar_mean": "MJ m-2 d-1", "apar_largest": "MJ m-2 d-1", "apar_evenness": "1",
    "fapar_average": "1", "fapar_largest": "1", "fapar_smallest": "1", "fapar_range": "1",
    "ci_mean": "1", "ci_lit": "1", "cor_tas_fapar": "1", "cor_vpd_fapar": "1",
}  # fmt: skip
"""Names and units; ``lit`` is the mean weighted by absorbed light."""
_INPUTS = ("tas", "vpd", "wai", "par", "fapar", "ci")


def forcing_features(cube: Cube) -> xr.Dataset:
    """Climatological features of each pixel, from 13 bins of 30 days of the year (the last of 5 or 6 days).

    Parameters
    ----------
    cube : Cube
        With tas, vpd, wai, par, fapar and ci.

    Returns
    -------
    Dataset, dims of the cube's space
        The variables of :data:`NAMES`; lazy if the cube is. NaN where a series has a gap.
    """
    cube.require(_INPUTS)
    data = cube.data
    label = xr.DataArray((data["time"].dt.dayofyear.values - 1) // 30, dims="time")
    found = xr.apply_ufunc(
        _features, label, *(data[n] for n in _INPUTS), join="exact", dask="parallelized",
        input_core_dims=[["time"]] * 7, output_core_dims=[["feature"]],
        dask_gufunc_kwargs={"output_sizes": {"feature": len(NAMES)}}, output_dtypes=[np.float64], keep_attrs=False,
    )  # fmt: skip
    out = xr.Dataset(coords={c: v for c, v in data.coords.items() if v.dims and set(v.dims) <= set(cube.space_dims)})
    for k, (name, units) in enumerate(NAMES.items()):
        out[name] = found.isel(feature=k, drop=True).assign_attrs(units=units)
    return out


def _features(label: npt.NDArray[Any], *series: npt.NDArray[Any]) -> Array:
    """Features (*space, feature) of series (*space, time)."""
    shape = np.broadcast_shapes(*(x.shape for x in series))
    series = tuple(np.broadcast_to(np.asarray(x, dtype=np.float64), shape) for x in series)
    present = np.unique(label)
    means = [np.stack([x[..., label == b].mean(axis=-1) for b in present], axis=-1) for x in (*series[:3], *series[4:])]
    t, v, w, f, c = means
    light = series[3] * series[4]
    a = np.stack([light[..., label == b].mean(axis=-1) for b in present], axis=-1)
    with np.errstate(all="ignore"):
        share = a / a.sum(axis=-1, keepdims=True)
        columns = [
            t.mean(-1), t.max(-1), t.min(-1), (t * share).sum(-1), series[0].std(-1),
            v.mean(-1), v.max(-1), (v * share).sum(-1), series[1].std(-1),
            w.mean(-1), w.min(-1), (w * share).sum(-1),
            a.mean(-1), a.max(-1), a.min(-1) / a.max(-1),
            f.mean(-1), f.max(-1), f.min(-1), np.ptp(f, axis=-1),
            c.mean(-1), (c * share).sum(-1), _correlation(t, f), _correlation(v, f),
        ]  # fmt: skip
    return np.stack(columns, axis=-1)


def _correlation(a: Array, b: Array) -> Array:
    a, b = a - a.mean(-1, keepdims=True), b - b.mean(-1, keepdims=True)
    return np.asarray((a * b).sum(-1) / np.sqrt((a * a).sum(-1) * (b * b).sum(-1)))
