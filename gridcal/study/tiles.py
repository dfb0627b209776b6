"""Tiles: the pieces of space a stage is computed, written and resumed in."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import xarray as xr

from gridcal.errors import StudyError
from gridcal.study.store import SPACE

Region = dict[str, slice]
"""A tile's place: a slice along each dimension of space."""
_DEFAULT = {"lat": 64, "lon": 64, "pixel": 256, "site": 256, "fold": 1}


def tile_chunks(ds: xr.Dataset) -> dict[str, int]:
    """Tile size along each space dimension: the data set's own chunks, or a default where it is in memory.

    Parameters
    ----------
    ds : Dataset
        Lazy or in memory.

    Returns
    -------
    dict
        Pixels of a tile along each of lat, lon, pixel, site that the data set has.

    Raises
    ------
    StudyError
        If chunks are not of one size (but for the last), which no store can hold.
    """
    found: dict[str, int] = {}
    for name, x in ds.data_vars.items():
        if x.chunks is None:
            continue
        for dim in SPACE:
            if dim not in x.dims:
                continue
            sizes = x.chunksizes[dim]
            if len(set(sizes[:-1])) > 1 or sizes[-1] > sizes[0]:
                raise StudyError(
                    f"variable {name!r} has chunks of several sizes along {dim!r}: {sizes[:4]}",
                    f"Make them one size: ds.chunk({dim}={sizes[0]})",
                )
            if found.setdefault(dim, max(sizes[0], 1)) != max(sizes[0], 1):
                raise StudyError(
                    f"variables have different chunks along {dim!r}: {found[dim]} and {sizes[0]} (variable {name!r})",
                    f"Make them one size: ds.chunk({dim}={found[dim]})",
                )
    for dim in SPACE:
        if dim in ds.dims and dim not in found:
            found[dim] = max(min(_DEFAULT[dim], ds.sizes[dim]), 1)
    return {dim: found[dim] for dim in SPACE if dim in found}


def tiles(sizes: Mapping[Any, int], chunks: Mapping[str, int]) -> Iterator[tuple[str, Region]]:
    """Name and region of every tile, in order.

    Parameters
    ----------
    sizes : mapping
        Size of each dimension.
    chunks : mapping
        Tile size along each space dimension.

    Yields
    ------
    (str, dict)
        The tile's indices joined with a hyphen, and its slice along each space dimension; one tile named ``0`` without space.

    Examples
    --------
    >>> list(tiles({"pixel": 5}, {"pixel": 3}))
    [('0000', {'pixel': slice(0, 3, None)}), ('0001', {'pixel': slice(3, 5, None)})]
    """
    dims = [d for d in SPACE if d in chunks]
    counts = [range(-(-sizes[d] // chunks[d])) for d in dims]
    for index in itertools.product(*counts):
        region = {d: slice(i * chunks[d], min((i + 1) * chunks[d], sizes[d])) for d, i in zip(dims, index, strict=True)}
        yield "-".join(f"{i:04d}" for i in index) or "0", region
