"""Lazy data sets whose tiles a plain function makes from the study's own folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import dask.array as da
import xarray as xr


def lazy_tiles(
    block: Callable[..., xr.Dataset],
    rows: xr.Dataset,
    variables: Mapping[str, tuple[tuple[str, ...], Any]],
    sizes: Mapping[str, int],
    ticket: Mapping[str, Any],
) -> xr.Dataset:
    """A data set whose tiles a block function makes, one chunk of the first dimension each.

    Parameters
    ----------
    block : callable
        ``block(rows, **ticket)``: the values of a chunk of `rows`.
    rows : Dataset
        Over one dimension, in chunks.
    variables : mapping
        Name -> (dims, dtype) of what it gives.
    sizes : mapping
        Length of the other dimensions.
    ticket : mapping
        Further arguments of `block`.
    """
    (dim,) = rows.dims
    chunks = {str(dim): rows.chunksizes[dim]}
    template = xr.Dataset(coords=rows.coords)
    for name, (dims, kind) in variables.items():
        shape = tuple(rows.sizes[d] if d == dim else sizes[d] for d in dims)
        parts = tuple(chunks.get(d, (n,)) for d, n in zip(dims, shape, strict=True))
        template[name] = (dims, da.zeros(shape, chunks=parts, dtype=kind))
    return xr.map_blocks(block, rows, kwargs=dict(ticket), template=template)
