"""The quality screen: which calibrated samples are good enough to learn from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import xarray as xr


def quality_screen(
    posterior: xr.Dataset,
    *,
    diso: float | None = 0.35,
    rhat: float | None = 1.2,
    status: Sequence[int] = (0,),
    outliers: Sequence[str] = ("surrogate_rmse",),
    factor: float = 3.0,
) -> xr.DataArray:
    """True where a calibrated sample may be learnt from.

    Parameters
    ----------
    posterior : Dataset
        Result of :func:`gridcal.calibrate`.
    diso : float, optional
        Largest DISO at the estimate; the first paper learns from samples below 0.35. None switches it off.
    rhat : float, optional
        Largest R-hat of any block, where the method samples.
    status : sequence of int
        Calibration codes that pass.
    outliers : sequence of str
        Diagnostics whose outliers over the samples fail: above ``Q3 + factor * (Q3 - Q1)`` of the logarithm.
    factor : float
        See `outliers`.

    Returns
    -------
    DataArray of bool
        Attributes count what each rule refused. Values are judged over the samples given, each rule by itself, so the
        result depends on no order, and nothing is dropped: the samples stay in `posterior`.
    """
    dim = posterior["status"].dims[0]
    keep = np.isin(posterior["status"].values, list(status))
    attrs: dict[str, int | str] = {"refused_status": int((~keep).sum())}

    def rule(name: str, good: npt.NDArray[np.bool_]) -> None:
        nonlocal keep
        attrs[f"refused_{name}"] = int((~good).sum())
        keep = keep & good

    if diso is not None:
        x = posterior["diso"].values
        rule("diso", np.isfinite(x) & (x < diso))
    if rhat is not None and "rhat" in posterior:
        x = posterior["rhat"].values
        rule("rhat", (np.isnan(x) | (x < rhat)).reshape(x.shape[0], -1).all(axis=1))
    for name in outliers:
        if name in posterior:
            rule(name, _no_outlier(posterior[name].values, factor))
    attrs["long_name"] = "good enough to learn from"
    return xr.DataArray(keep, dims=(dim,), coords={dim: posterior[dim]} if dim in posterior.coords else None, attrs=attrs)


def _no_outlier(x: npt.NDArray[np.float64], factor: float) -> npt.NDArray[np.bool_]:
    x = x.reshape(x.shape[0], -1)
    good = np.ones(x.shape[0], dtype=bool)
    for column in x.T:
        known = np.isfinite(column) & (column > 0)
        if known.sum() < 8:
            continue
        logs = np.log(column[known])
        low, high = np.quantile(logs, [0.25, 0.75])
        limit = high + factor * max(high - low, 1e-3)
        good &= ~(known & (np.log(np.where(known, column, 1.0)) > limit))
    return good
