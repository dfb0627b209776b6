"""What places lack: features without a value, classes that no training sample has; which, and at what share of the places."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.extrapolation.features.codes import refuse_codes
from gridcal.extrapolation.features.encoder import FeatureEncoder
from gridcal.extrapolation.features.labels import Lookup, class_labels, lookup_of, meaning, meanings_of, one_spelling, positions

_TOLD = 5


class UnseenClassWarning(UserWarning):
    """Places have a class of a feature that no training sample has."""


class MissingFeatureWarning(UserWarning):
    """Places have no value of a feature."""


def missing_features(encoder: FeatureEncoder, features: xr.Dataset, used: xr.DataArray | None = None) -> dict[str, float]:
    """Share of the places without a value, by feature; the largest first. Arguments as of :func:`unseen_classes`."""
    counted = xr.Dataset()
    for name in encoder.inputs_:
        x = features[name].reset_coords(drop=True)
        lost: Any = ~np.isfinite(x) if x.dtype.kind == "f" else x.isnull()
        where = xr.ones_like(lost) if used is None else used.reset_coords(drop=True).astype(bool)
        lost, where = xr.broadcast(lost, where)
        counted[name] = (lost & where).sum() / where.sum()
    shares = {str(name): float(x) for name, x in counted.compute().items() if x > 0}
    return dict(sorted(shares.items(), key=lambda p: (-p[1], p[0])))


def unseen_classes(
    encoder: FeatureEncoder, features: xr.Dataset, used: xr.DataArray | None = None
) -> dict[str, dict[str, float]]:
    """Share of the places with each class unknown to the training samples, by feature; the largest first.

    Parameters
    ----------
    encoder : FeatureEncoder
        A fitted one.
    features : Dataset
        Features over any space. The categorical ones are read, chunk by chunk where they are lazy.
    used : DataArray of bool, optional
        Places that count, over the features' space; all without it.
    """
    found = {}
    for name in encoder.categorical_:
        x = features[name].reset_coords(drop=True)
        lookup, meanings = lookup_of(x, encoder.classes_[name]), meanings_of(x)
        where = xr.ones_like(x, dtype=bool) if used is None else used.reset_coords(drop=True)
        x, where = xr.broadcast(x, where.astype(bool).transpose(*[d for d in x.dims if d in where.dims], ...))
        counts = _counted(x, where.transpose(*x.dims), lookup, meanings)
        total = counts.pop("", 0)
        spelling = one_spelling(counts)
        merged: Counter[str] = Counter()
        for label, n in counts.items():
            merged[spelling[meaning(label)]] += n
        counts = merged
        if counts:
            found[name] = {c: n / total for c, n in sorted(counts.items(), key=lambda p: (-p[1], p[0]))}
    return found


def warn_of_lacking(
    encoder: FeatureEncoder, features: xr.Dataset, used: xr.DataArray | None = None, *, stacklevel: int = 2
) -> None:
    """Tell once which features lack values, and which classes no training sample has, with their shares of the places.

    Features in memory that hold codes for missing values are refused.

    Parameters
    ----------
    encoder, features, used
        As of :func:`unseen_classes`.
    stacklevel : int
        Of the warnings.

    Raises
    ------
    InputError
        If a feature in memory holds a code for missing values that nothing declares.

    Warns
    -----
    MissingFeatureWarning, UnseenClassWarning
        Once for all features without a value, and once for each feature with unknown classes.
    """
    numbers = features[list(encoder.continuous_)]
    refuse_codes(numbers if used is None else numbers.where(used), encoder.continuous_)
    lost = missing_features(encoder, features, used)
    if lost:
        warnings.warn(
            f"features have no value at some places: {_listed(lost)}; the training mean stands in for them "
            "(no class, for a class), and n_missing counts them",
            MissingFeatureWarning,
            stacklevel=stacklevel + 1,
        )
    for name, shares in unseen_classes(encoder, features, used).items():
        warnings.warn(
            f"feature {name!r}: no training sample has the class {_listed(shares)}; the other features decide there, and "
            f"n_unseen marks them. Classes in training: {', '.join(encoder.classes_[name])}",
            UnseenClassWarning,
            stacklevel=stacklevel + 1,
        )


def _listed(shares: Mapping[str, float]) -> str:
    told = ", ".join(f"{name!r} ({_percent(share)} of the places)" for name, share in list(shares.items())[:_TOLD])
    return told + (f" and {len(shares) - _TOLD} more" if len(shares) > _TOLD else "")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.0005 else "less than 0.1 %"


def _counted(x: xr.DataArray, where: xr.DataArray, lookup: Lookup, meanings: dict[float, str]) -> Counter[str]:
    if x.chunks is None:
        return _count(x.values, where.values, lookup, meanings)
    import dask

    parts = where.chunk(x.chunksizes).data.to_delayed().ravel()
    count = dask.delayed(_count, pure=True)
    blocks = [count(a, b, lookup, meanings) for a, b in zip(x.data.to_delayed().ravel(), parts, strict=True)]
    return sum(dask.compute(*blocks), Counter())


def _count(values: npt.NDArray[Any], where: npt.NDArray[np.bool_], lookup: Lookup, meanings: dict[float, str]) -> Counter[str]:
    """Places of each unknown class, and under the empty label all that count."""
    import pandas as pd

    use = np.asarray(where, dtype=bool).ravel()
    flat = np.asarray(values).ravel()[use]
    position, lost = positions(flat, lookup)
    strange = flat[(position < 0) & ~lost]
    which, kinds = pd.factorize(strange if strange.dtype.kind in "fiub" else strange.astype(object))
    out: Counter[str] = Counter({"": int(use.sum())})
    for label, n in zip(class_labels(np.asarray(kinds), meanings), np.bincount(which, minlength=len(kinds)), strict=True):
        out[str(label)] += int(n)
    return out
