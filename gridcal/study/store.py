"""How results lie on disk: Zarr v3, a chunk a tile of space and all of time, shuffled, compressed, with a checksum.

A chunk without a checksum reads back wrong and silent after one flipped bit; with it, it raises. Empty chunks are written
too, so that a missing file is never mistaken for missing data.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import xarray as xr

from gridcal.errors import StudyError

SPACE = ("lat", "lon", "pixel", "site", "fold")
"""Dimensions a stage is cut into tiles along; a fold is a part of the sites."""
_TEXT = "OSUT"
_NUMBERS = "biuf"


def storable(ds: xr.Dataset) -> xr.Dataset:
    """A data set in the types and chunks it has on disk.

    Parameters
    ----------
    ds : Dataset
        Lazy or in memory.

    Returns
    -------
    Dataset
        Time series float32; text as variable-length strings; every dimension but those of space in one chunk;
        coordinates in memory; no encoding left over from where the data were read.

    Raises
    ------
    StudyError
        If a variable holds dates or durations, which belong into a coordinate.
    """
    found: dict[Hashable, xr.Variable] = {}
    labels: dict[Hashable, Any] = {}
    for name, x in ds.variables.items():
        if name in ds.dims and name in ds.coords:
            if x.dtype.kind in "SU":
                labels[name] = (x.dims, x.values.astype(str).astype(object), x.attrs)
            continue
        y = x
        if name in ds.coords:
            y = y.compute()
        elif x.dtype.kind not in _NUMBERS + _TEXT:
            raise StudyError(
                f"variable {name!r} has type {x.dtype}, which a study does not store",
                f"Make it a coordinate (ds.set_coords({str(name)!r})) or numbers",
            )
        if y.chunks is not None:
            y = y.chunk({d: -1 for d in y.dims if d not in SPACE})
        if y.dtype == np.float64 and "time" in y.dims:
            y = y.astype(np.float32)
        if y.dtype.kind in "SU":
            y = y.astype(str).astype(object)
        found[name] = y.copy(deep=False)
    out = ds.assign_coords(labels).assign(found)  # at once: one by one, every variable would be merged with all
    for x in out.variables.values():
        x.encoding = {}
    out.encoding = {}
    return out


def create(path: Path, ds: xr.Dataset, chunks: Mapping[str, int]) -> None:
    """Write metadata and coordinates of a data set; the values of its variables are written tile by tile.

    Parameters
    ----------
    path : path
        The store; replaced if it is there.
    ds : Dataset
        As :func:`storable` gives it.
    chunks : mapping
        Tile size along each space dimension; a chunk spans the other dimensions whole.
    """
    import dask.array as da
    import zarr
    from zarr.codecs import BloscCodec, Crc32cCodec, ZstdCodec

    empty: dict[Hashable, Any] = {}
    encoding: dict[str, Any] = {}
    for name, x in ds.variables.items():
        sizes = tuple(chunks.get(str(d), n) if name in ds.data_vars else n for d, n in zip(x.dims, x.shape, strict=True))
        sizes = tuple(max(s, 1) for s in sizes)
        if x.dtype.kind in _TEXT:
            encoding[str(name)] = {"compressors": (ZstdCodec(level=3), Crc32cCodec())}
        else:
            codec = BloscCodec(typesize=x.dtype.itemsize, cname="zstd", clevel=3, shuffle="shuffle")
            encoding[str(name)] = {"compressors": (codec, Crc32cCodec())}
            if x.dtype.kind == "f":
                encoding[str(name)]["_FillValue"] = np.nan
        encoding[str(name)]["chunks"] = sizes
        if name in ds.data_vars:
            values: Any = np.full(x.shape, "", dtype=object) if x.dtype.kind in _TEXT else None
            empty[name] = (x.dims, da.zeros(x.shape, chunks=sizes, dtype=x.dtype) if values is None else values, x.attrs)
    with warnings.catch_warnings(), zarr.config.set({"array.write_empty_chunks": True}):
        warnings.filterwarnings("ignore", message=".*Zarr V3 specification.*")
        warnings.filterwarnings("ignore", message=".*Consolidated metadata.*")
        ds.assign(empty).to_zarr(path, mode="w", compute=False, encoding=encoding, zarr_format=3, consolidated=False)


def owned(ds: xr.Dataset, region: Mapping[str, slice]) -> list[str]:
    """Variables that the tile of a region writes.

    A variable without one of the space dimensions belongs to the first tile along it, so that no two tiles write one chunk.
    """
    return [
        str(name) for name, x in ds.data_vars.items() if all(dim in x.dims or not where.start for dim, where in region.items())
    ]


def write_region(path: Path, ds: xr.Dataset, region: Mapping[str, slice]) -> dict[str, dict[str, Any]]:
    """Write one tile's values into the store, whole chunks only.

    Parameters
    ----------
    path : path
        The store.
    ds : Dataset
        The tile's values, in memory.
    region : mapping
        Where they belong along the space dimensions.

    Returns
    -------
    dict
        For each variable the sha256 of its values and the size of its chunk file in bytes.

    Raises
    ------
    StudyError
        If the region cuts a chunk: another writer's values would be lost without a sign.
    """
    import zarr

    facts = {}
    root = os.path.realpath(path)
    group = zarr.open_group(str(path), mode="r+", use_consolidated=False)
    for name in owned(ds, region):
        x = ds[name]
        # set on the array: the global setting is shared by the threads of a worker, and one that leaves takes it from another
        array: Any = cast(Any, group[name]).with_config({"write_empty_chunks": True})
        where = _selection(x.dims, region)
        for selection, chunk, size in zip(where, array.chunks, array.shape, strict=True):
            start, stop = selection.start or 0, size if selection.stop is None else selection.stop
            if start % chunk or (stop % chunk and stop != size):
                raise StudyError(
                    f"variable {name!r}: the region {start}:{stop} cuts the store's chunks of {chunk}",
                    "Write whole chunks: rechunk the data set to the tiles of the stage",
                )
        file = chunk_file(path, name, array.chunks, where)
        if os.path.realpath(file.parent) != os.path.join(root, *file.parent.relative_to(path).parts):
            raise StudyError(
                f"variable {name!r}: its folder in {str(path)!r} is a link elsewhere", "Put the folder itself there"
            )
        kind = np.dtypes.StringDType() if x.dtype.kind in _TEXT else x.dtype
        values = np.ascontiguousarray(x.values.astype(kind, copy=False)).reshape(x.shape)
        if values.dtype.kind == "b":
            values = values.astype(array.dtype)  # as stored: versions of xarray differ in whether yes and no become int8
        array[where if where else ...] = values
        _flush(file)
        facts[name] = {"sha256": digest(values), "bytes": file.stat().st_size}
    return facts


def check_region(path: Path, dims: Mapping[str, tuple[str, ...]], region: Mapping[str, slice], facts: Mapping[str, Any],
                 *, full: bool) -> dict[str, str]:  # fmt: skip
    """What is wrong with one tile on disk.

    Parameters
    ----------
    path : path
        The store.
    dims : mapping
        Dimensions of each variable.
    region : mapping
        The tile's place.
    facts : mapping
        What :func:`write_region` returned for the tile.
    full : bool
        Read the values and compare checksums; otherwise only the presence and size of the chunk files are looked at.

    Returns
    -------
    dict
        Problem by variable; empty if all is well.
    """
    import zarr

    group = zarr.open_group(str(path), mode="r", use_consolidated=False)
    wrong = {}
    for name, fact in facts.items():
        where = _selection(dims[name], region)
        try:
            array: Any = group[name]
            file = chunk_file(path, name, array.chunks, where)
            if not file.is_file():
                wrong[name] = "its chunk is missing"
            elif file.stat().st_size != fact["bytes"]:
                wrong[name] = f"its chunk has {file.stat().st_size} bytes instead of {fact['bytes']}"
            elif full and digest(np.asarray(array[where if where else ...])) != fact["sha256"]:
                wrong[name] = "its values differ from their checksum"
        except Exception as error:
            wrong[name] = f"it cannot be read ({type(error).__name__}: {error})"
    return wrong


def chunk_file(path: Path, name: str, chunks: tuple[int, ...], where: tuple[slice, ...]) -> Path:
    """File of the chunk that starts where a selection starts."""
    index = [str((s.start or 0) // c) for s, c in zip(where, chunks, strict=True)]
    return path.joinpath(name, "c", *index)


def digest(values: np.ndarray) -> str:
    """sha256 of an array's type, shape and values; the same for text of any width and times of any resolution."""
    kind, payload = values.dtype.str, b""
    if values.dtype.kind in _TEXT:
        kind, payload = "text", "\x00".join(map(str, values.ravel())).encode()
    elif values.dtype.kind in "mM":
        kind, payload = values.dtype.kind, values.astype(f"{values.dtype.kind}8[ns]").tobytes()
    else:
        payload = np.ascontiguousarray(values).tobytes()
    return hashlib.sha256(f"{kind}{values.shape}".encode() + payload).hexdigest()


def read(path: Path) -> xr.Dataset:
    """Open a store lazily, one Dask chunk a tile.

    Parameters
    ----------
    path : path
        The store.

    Returns
    -------
    Dataset
        Lazy; coordinates in memory, text as Python strings. Variables are sorted by name: a store without consolidated metadata
        hands them out in the order in which they answer.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*Zarr V3 specification.*")
        warnings.filterwarnings("ignore", message=".*Consolidated metadata.*")
        ds = xr.open_zarr(path, chunks={}, zarr_format=3, consolidated=False, decode_timedelta=False)
    ds = ds.drop_vars(list(ds.data_vars)).assign({name: ds.variables[name] for name in sorted(ds.data_vars, key=str)})
    text = {name: x.astype(object) for name, x in ds.variables.items() if x.dtype.kind == "T"}
    coords = {name: x for name, x in text.items() if name in ds.coords}
    ds = ds.assign({name: x for name, x in text.items() if name not in coords})
    ds = ds.assign_coords({name: x.compute() for name, x in coords.items()})
    return ds.assign_coords({name: x.compute() for name, x in ds.coords.items() if x.chunks is not None})


def _selection(dims: tuple[Any, ...], region: Mapping[str, slice]) -> tuple[slice, ...]:
    return tuple(region.get(str(d), slice(None)) for d in dims)


def _flush(file: Path) -> None:
    """Have the system put a file on the disk, so that the record never outlives the values it vouches for."""
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
