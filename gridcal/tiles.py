"""Tiles: the pieces of space a stage is computed, written and resumed in."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import xarray as xr

from gridcal.errors import StudyError

SPACE = ("lat", "lon", "pixel", "site")
_DEFAULT = {"lat": 64, "lon": 64, "pixel": 256, "site": 256}


def tile_chunks(ds: xr.Dataset) -> dict[str, int]:
    """Tile size along each space dimension: the data set's own chunks, or a default where it is in memory.

    Raises
    ------
    StudyError
        If chunks are not of one size (but for the last), which no store can hold.
    """
    found: dict[str, int] = {}
    for x in ds.data_vars.values():
        if x.chunks is None:
            continue
        for dim in SPACE:
            if dim in x.dims:
                sizes = x.chunksizes[dim]
                if len(set(sizes[:-1])) > 1 or sizes[-1] > sizes[0]:
                    raise StudyError(
                        f"variable {x.name!r} has chunks of several sizes along {dim!r}: {sizes[:4]}",
                        f"Make them one size: ds.chunk({dim}={sizes[0]})",
                    )
                if found.setdefault(dim, sizes[0]) != sizes[0]:
                    raise StudyError(
                        f"variables have different chunks along {dim!r}: {found[dim]} and {sizes[0]}",
                        f"Make them one size: ds.chunk({dim}={sizes[0]})",
                    )
    for dim in SPACE:
        if dim in ds.dims and dim not in found:
            found[dim] = min(_DEFAULT[dim], ds.sizes[dim])
    return found


def tiles(ds: xr.Dataset, chunks: dict[str, int]) -> Iterator[tuple[str, dict[str, slice]]]:
    """Name and region of every tile, in order; one tile named ``0`` for a data set without space."""
    dims = [d for d in SPACE if d in chunks]
    counts = [range(-(-ds.sizes[d] // chunks[d])) for d in dims]
    for index in itertools.product(*counts):
        region = {d: slice(i * chunks[d], min((i + 1) * chunks[d], ds.sizes[d])) for d, i in zip(dims, index, strict=True)}
        yield "-".join(f"{i:04d}" for i in index) or "0", region
