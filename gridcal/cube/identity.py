"""What identifies data: the values that are in memory, the files that lazy ones are read from.

Of a Zarr store or file of up to 256 MB the contents count, of a larger one the names, sizes and times of modification of its
files; of an object store what it says of them. What was done to lazy data after they were opened counts by the names of the
operations, not by their numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from gridcal.errors import InputError

_CONTENTS = 256 * 2**20


def of_values(values: Any) -> str:
    """Digest of an array: type, shape and values; of text and other objects, their text."""
    x = np.asarray(values)
    text = x.dtype.kind in "OTSU"
    digest = hashlib.sha256(f"{'text' if text else x.dtype.newbyteorder('=').str} {x.shape}".encode())
    if text:
        digest.update("\0".join(map(str, x.ravel().tolist())).encode("utf-8", "surrogatepass"))
    else:
        digest.update(np.ascontiguousarray(x, dtype=x.dtype.newbyteorder("=")).data.cast("B") if x.size else b"")
    return digest.hexdigest()


def of_path(path: str) -> str:
    """Digest of a file, or of all files of a store.

    Raises
    ------
    InputError
        If the files of an object store cannot be listed.
    """
    digest = hashlib.sha256()
    if "://" in path:
        for line in _remote(path):
            digest.update(line.encode() + b"\0")
        return digest.hexdigest()
    root = Path(path)
    files = sorted(p for p in root.rglob("*") if p.is_file()) if root.is_dir() else [root]
    facts = [(p, p.stat()) for p in files]
    whole = sum(s.st_size for _, s in facts) <= _CONTENTS
    for p, s in facts:
        name = p.relative_to(root).as_posix() if root.is_dir() else ""
        digest.update(name.encode("utf-8", "surrogatepass") + b"\0")
        digest.update(hashlib.sha256(p.read_bytes()).digest() if whole else f"{s.st_size} {s.st_mtime_ns}".encode())
    return digest.hexdigest()


def _remote(path: str) -> list[str]:
    import fsspec

    try:
        system, root = fsspec.core.url_to_fs(path)
        found = system.find(root, detail=True)
    except (OSError, ValueError, ImportError) as error:
        raise InputError(
            f"the files of {path!r} cannot be listed ({error})", "Check the address and the credentials"
        ) from error
    kept = ("size", "ETag", "etag", "md5Hash", "crc32c", "LastModified", "mtime")
    return [f"{name[len(root) :]} {[str(facts.get(k)) for k in kept]}" for name, facts in sorted(found.items())]


def of_data(ds: xr.Dataset, names: Iterable[str]) -> dict[str, str]:
    """What identifies some variables of a data set.

    Parameters
    ----------
    ds : Dataset
        With the attribute ``fingerprint`` of what it was opened from, where that is known.
    names : iterable of str
        Those that are read; unknown ones are passed over.

    Returns
    -------
    dict
        Of a variable in memory the digest of its values, of a lazy one the data set's fingerprint and what was done to it.
    """
    mark = str(ds.attrs.get("fingerprint", ""))
    found = {}
    for name in sorted({str(n) for n in names} & {str(v) for v in ds.variables}):
        x = ds[name]
        found[name] = of_values(x.values) if x.chunks is None else f"{mark} {_operations(x.data) if mark else x.data.name}"
    return found


def of_mask(ds: xr.Dataset, name: str | None) -> dict[str, str]:
    """What identifies a cube's mask, under the key ``mask``; nothing where it has none.

    Parameters
    ----------
    ds : Dataset
        The cube's data.
    name : str or None
        The mask's name in them.
    """
    return {} if name is None else {"mask": of_data(ds, [name])[name]}


def _operations(array: Any) -> str:
    """Names of a lazy array's operations, in their order, without the tokens of what they are applied to."""
    layers = getattr(array.dask, "layers", None)
    if not layers:
        return str(array.name).rsplit("-", 1)[0]
    order = array.dask._toposort_layers() if hasattr(array.dask, "_toposort_layers") else sorted(layers)
    return ",".join(str(layer).rsplit("-", 1)[0] for layer in order if "open_dataset" not in str(layer))
