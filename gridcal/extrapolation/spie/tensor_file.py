"""Arrays in the safetensors format: a JSON header and plain bytes, nothing that runs when it is read.

Format: 8 bytes with the length of the header (little-endian), the header (name -> dtype, shape, offsets), the values.
https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from gridcal.errors import InputError

_KINDS = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "I32": "<i4", "I8": "|i1", "U8": "|u1", "BOOL": "|b1"}
_NAMES = {np.dtype(v): k for k, v in _KINDS.items()}


def dump_tensors(arrays: Mapping[str, npt.NDArray[Any]], metadata: Mapping[str, str] | None = None) -> bytes:
    """Bytes of a safetensors file.

    Parameters
    ----------
    arrays : mapping of str to array
        float64, float32, int64, int32, int8, uint8 or bool.
    metadata : mapping of str to str, optional
        Texts that go along.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    parts, at = [], 0
    for name in sorted(arrays):
        x = np.asarray(arrays[name])
        kind = _NAMES.get(x.dtype.newbyteorder("<"))
        if kind is None:
            raise InputError(f"array {name!r} has type {x.dtype}, which safetensors does not hold", "Convert it to numbers")
        data = np.ascontiguousarray(x, dtype=_KINDS[kind]).tobytes()
        header[name] = {"dtype": kind, "shape": list(x.shape), "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(parts)


def load_tensors(data: bytes) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]:
    """Arrays and metadata of the bytes of a safetensors file.

    Raises
    ------
    InputError
        If they are damaged.
    """
    try:
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size].decode())
        metadata = header.pop("__metadata__", {})
        body = data[8 + size :]
        arrays = {}
        for name, about in header.items():
            start, stop = about["data_offsets"]
            if not 0 <= start <= stop <= len(body):
                raise ValueError(f"array {name!r} lies outside the file")
            flat = np.frombuffer(body[start:stop], dtype=_KINDS[about["dtype"]])
            arrays[name] = flat.reshape(about["shape"]).copy()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"this is no safetensors file, or it is damaged ({error})", "Train and save it again") from error
    return arrays, metadata
