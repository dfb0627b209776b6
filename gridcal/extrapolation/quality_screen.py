"""The quality screen: which calibrated samples are good enough to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.errors import ConfigError, InputError
from gridcal.vocabulary.given import need_dataset

Limit = float | Literal["iqr"] | None
Mask = npt.NDArray[np.bool_]
_FACTOR = 3.0
_MINIMUM = 8


def quality_screen(
    posterior: xr.Dataset,
    *,
    diso: float | None = 0.35,
    rhat: float | None = 1.2,
    surrogate_rmse: Limit = "iqr",
    cost: Limit = "iqr",
    status: Sequence[int] | None = (0,),
) -> xr.DataArray:
    """Mark the calibrated samples that may be learnt from.

    Parameters
    ----------
    posterior : Dataset
        Result of :func:`gridcal.calibrate`.
    diso : float, optional
        DISO at the estimate must lie below it; Ma et al. learn from samples below 0.35. None switches a rule off.
    rhat : float, optional
        Gelman-Rubin statistic of every block must lie below it (Ma et al.: 1.2).
    surrogate_rmse, cost : float or "iqr", optional
        Upper limit in every block, or ``"iqr"``: no outlier above ``Q3 + 3 (Q3 - Q1)`` of the logarithm among the
        samples that pass the other rules (of the value itself where a value is not positive).
    status : sequence of int, optional
        Calibration codes that pass.

    Returns
    -------
    DataArray of bool
        Over the samples. Attributes: ``n_samples``, ``n_kept``, ``refused_<rule>`` (a sample may fail several rules),
        ``limit_<rule>`` (one number a block) and ``not_judged``, the rules that found no value, as R-hat after a method
        without chains.

    Raises
    ------
    InputError
        If `posterior` lacks ``status`` or ``diso`` though a rule asks for it.
    ConfigError
        If a limit is neither a number nor "iqr".

    Notes
    -----
    The outlier rule is repeated until it finds none, so that screening the screened samples again changes nothing.
    A missing value fails its rule, unless it is missing at every sample.
    """
    space, keep, refused, limits, not_judged = _judge(posterior, diso, rhat, surrogate_rmse, cost, status)
    shape = tuple(posterior.sizes[d] for d in space)
    out = xr.DataArray(
        keep.reshape(shape),
        dims=space,
        coords={c: v for c, v in posterior.coords.items() if set(v.dims) <= set(space)},
        name="keep",
        attrs={
            "long_name": "sample is good enough to learn from",
            "n_samples": int(keep.size),
            "n_kept": int(keep.sum()),
        },
    )
    for name, bad in refused.items():
        out.attrs[f"refused_{name}"] = int(bad.sum())
    for name, values in limits.items():
        out.attrs[f"limit_{name}"] = values
    out.attrs["not_judged"] = ", ".join(not_judged)
    return out


def quality_masks(
    posterior: xr.Dataset,
    *,
    diso: float | None = 0.35,
    rhat: float | None = 1.2,
    surrogate_rmse: Limit = "iqr",
    cost: Limit = "iqr",
    status: Sequence[int] | None = (0,),
) -> xr.Dataset:
    """The quality screen rule by rule, to be stored beside the samples: nothing is dropped.

    Parameters
    ----------
    posterior, diso, rhat, surrogate_rmse, cost, status
        As in :func:`quality_screen`.

    Returns
    -------
    Dataset of bool
        ``passed_<rule>`` for every rule that found values, with its ``limit``, and ``keep``, all of them.
    """
    space, keep, refused, limits, _ = _judge(posterior, diso, rhat, surrogate_rmse, cost, status)
    shape = tuple(posterior.sizes[d] for d in space)
    out = xr.Dataset(coords={c: v for c, v in posterior.coords.items() if set(v.dims) <= set(space)})
    for name, bad in refused.items():
        attrs = {"long_name": f"sample passes the rule on {name}"}
        out[f"passed_{name}"] = (space, ~bad.reshape(shape), attrs | ({"limit": limits[name]} if name in limits else {}))
    out["keep"] = (space, keep.reshape(shape), {"long_name": "sample passes every rule"})
    return out


def _judge(
    posterior: xr.Dataset,
    diso: float | None,
    rhat: float | None,
    surrogate_rmse: Limit,
    cost: Limit,
    status: Sequence[int] | None,
) -> tuple[tuple[str, ...], Mask, dict[str, Mask], dict[str, list[float]], list[str]]:
    """Space dimensions, verdict, and by rule: the refused samples, the limits; and the rules that found no value."""
    need_dataset(posterior, "the posterior")
    for name, limit in (("surrogate_rmse", surrogate_rmse), ("cost", cost)):
        if isinstance(limit, str) and limit != "iqr":
            raise ConfigError(f"limit {limit!r} of {name!r} is not known", "Give a number, 'iqr', or None")
    for name, wanted in (("status", status), ("diso", diso)):
        if wanted is not None and name not in posterior:
            raise InputError(f"the posterior lacks {name!r}", f"Pass {name}=None to screen without it")
    space = _space(posterior)
    refused: dict[str, Mask] = {}
    limits: dict[str, list[float]] = {}
    not_judged: list[str] = []
    keep = np.ones(int(np.prod([posterior.sizes[d] for d in space], dtype=int)), dtype=bool)
    if status is not None:
        refused["status"] = ~np.isin(_columns(posterior["status"], space)[:, 0], list(status))
        keep &= ~refused["status"]
    fixed: list[tuple[str, Any]] = [("diso", diso), ("rhat", rhat), ("surrogate_rmse", surrogate_rmse), ("cost", cost)]
    outlier_rules = []
    for name, limit in fixed:
        if limit is None:
            continue
        x = _columns(posterior[name], space) if name in posterior else np.zeros((keep.size, 0))
        x = x[:, np.isfinite(x[keep]).any(axis=0)]
        if x.shape[1] == 0 and name != "diso":
            not_judged.append(name)
            continue
        if limit == "iqr":
            outlier_rules.append((name, x))
            refused[name] = np.asarray(~np.isfinite(x).all(axis=1), dtype=bool)
        else:
            below = x < limit if name in ("diso", "rhat") else x <= limit
            passed = (np.isfinite(x) & below).all(axis=1) & (x.shape[1] > 0)
            refused[name] = np.asarray(~passed, dtype=bool)
            limits[name] = [float(limit)] * max(1, x.shape[1])
        keep &= ~refused[name]
    changed = True
    while changed:
        changed = False
        for name, x in outlier_rules:
            limits[name] = [_upper(column[keep]) for column in x.T]
            outside = (x > np.array(limits[name])).any(axis=1)
            changed |= bool((outside & keep).any())
            refused[name] |= outside
            keep &= ~outside
    return space, keep, refused, limits, not_judged


def _space(posterior: xr.Dataset) -> tuple[str, ...]:
    known = [d for d in ("lat", "lon", "pixel", "site") if d in posterior.dims]
    if known:
        return tuple(known)
    for name in ("status", "diso"):
        if name in posterior:
            return tuple(map(str, posterior[name].dims))
    raise InputError("the posterior has no space dimension", "Give it one of lat and lon, pixel, site")


def _columns(x: xr.DataArray, space: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """Values as (sample, everything else)."""
    moved = x.transpose(*space, ...)
    size = int(np.prod(moved.shape[: len(space)], dtype=int))
    return moved.values.astype(np.float64).reshape(size, -1)


def _upper(x: npt.NDArray[np.float64]) -> float:
    """``Q3 + 3 IQR``, of the logarithm if all values are positive; infinite with too few values or no spread."""
    if x.size < _MINIMUM:
        return float("inf")
    positive = bool((x > 0).all())
    low, high = np.quantile(np.log(x) if positive else x, [0.25, 0.75])
    if not high > low:
        return float("inf")
    limit = float(high + _FACTOR * (high - low))
    return float(np.exp(limit)) if positive else limit
