"""How results lie on disk: Zarr v3, a chunk a tile of space and all of time, shuffled, compressed, with a checksum.

A chunk without a checksum reads back wrong and silent after one flipped bit; with it, it raises. Empty chunks are written
too, so that a missing file is never mistaken for missing data.
"""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

SPACE = ("lat", "lon", "pixel", "site")


def create(path: Path, ds: xr.Dataset, chunks: dict[str, int]) -> None:
    """Write metadata and coordinates of a data set; its variables are written tile by tile."""
    import zarr
    from zarr.codecs import BloscCodec, Crc32cCodec

    encoding: dict[str, Any] = {}
    for name, x in ds.variables.items():
        if x.dtype.kind in "OSUT":
            continue
        sizes = tuple(chunks.get(str(d), n) if name in ds.data_vars else n for d, n in zip(x.dims, x.shape, strict=True))
        kind = x.dtype.itemsize
        codec = (BloscCodec(typesize=kind, cname="zstd", clevel=3, shuffle="shuffle"), Crc32cCodec())
        encoding[str(name)] = {"chunks": tuple(max(s, 1) for s in sizes), "compressors": codec}
        if x.dtype.kind == "f":
            encoding[str(name)]["_FillValue"] = np.nan
    for x in ds.variables.values():
        x.encoding = {}
    with warnings.catch_warnings(), zarr.config.set({"array.write_empty_chunks": True}):
        warnings.simplefilter("ignore")
        ds.to_zarr(path, mode="w", compute=False, encoding=encoding, zarr_format=3, consolidated=False)


def write_region(path: Path, ds: xr.Dataset, region: dict[str, slice]) -> dict[str, str]:
    """Write one tile's values into the store, whole chunks only, and return the sha256 of each variable's values."""
    import zarr

    hashes = {}
    with zarr.config.set({"array.write_empty_chunks": True}):
        group = zarr.open_group(str(path), mode="r+", use_consolidated=False)
        for name, x in ds.data_vars.items():
            array = group[str(name)]
            values = np.ascontiguousarray(x.values, dtype=x.dtype)
            where = tuple(region.get(str(d), slice(None)) for d in x.dims)
            for selection, chunk, size in zip(where, array.chunks, array.shape, strict=True):
                start, stop = selection.start or 0, size if selection.stop is None else selection.stop
                assert start % chunk == 0, (name, region)
                assert stop % chunk == 0 or stop == size, (name, region)
            array[where if where else ...] = values
            hashes[str(name)] = digest(values)
    return hashes


def digest(values: np.ndarray) -> str:
    """sha256 of an array's shape, type and values."""
    if values.dtype.kind in "OUT":
        payload = "\x00".join(map(str, values.ravel())).encode()
        kind = "str"
    else:
        payload, kind = np.ascontiguousarray(values).tobytes(), values.dtype.str
    return hashlib.sha256(f"{kind}{values.shape}".encode() + payload).hexdigest()


def read(path: Path) -> xr.Dataset:
    """Open a store lazily."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return xr.open_zarr(path, chunks={}, zarr_format=3, consolidated=False)
