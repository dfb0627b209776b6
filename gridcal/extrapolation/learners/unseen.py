"""Classes that no training sample has: which, and at what share of the places."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.extrapolation.features.encoder import FeatureEncoder
from gridcal.extrapolation.features.labels import Lookup, class_labels, lookup_of, meaning, meanings_of, one_spelling, positions

_TOLD = 5


class UnseenClassWarning(UserWarning):
    """Places have a class of a feature that no training sample has."""


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


def warn_of_unseen(
    encoder: FeatureEncoder, features: xr.Dataset, used: xr.DataArray | None = None, *, stacklevel: int = 2
) -> None:
    """Tell the classes unknown to the training samples, each once with its share of the places; as :func:`unseen_classes`."""
    for name, shares in unseen_classes(encoder, features, used).items():
        told = ", ".join(f"{c!r} ({_percent(s)} of the places)" for c, s in list(shares.items())[:_TOLD])
        more = f" and {len(shares) - _TOLD} more" if len(shares) > _TOLD else ""
        warnings.warn(
            f"feature {name!r}: no training sample has the class {told}{more}; the other features decide there, and n_unseen "
            f"marks them. Classes in training: {', '.join(encoder.classes_[name])}",
            UnseenClassWarning,
            stacklevel=stacklevel + 1,
        )


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
