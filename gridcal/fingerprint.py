"""Fingerprints: what a result depends on, as a canonical hash."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np


def canonical(obj: Any) -> Any:
    """JSON-ready form of dataclasses, mappings, sequences, numpy scalars and arrays; equal things give equal forms."""
    if dataclasses.is_dataclass(obj) and not isinstance(obj, type):
        return {f.name: canonical(getattr(obj, f.name)) for f in dataclasses.fields(obj)}
    if isinstance(obj, enum.Enum):
        return canonical(obj.value)
    if isinstance(obj, Mapping):
        return {str(k): canonical(v) for k, v in sorted(obj.items(), key=lambda kv: str(kv[0]))}
    if isinstance(obj, np.ndarray):
        return canonical(obj.tolist())
    if isinstance(obj, np.generic):
        return canonical(obj.item())
    if isinstance(obj, list | tuple):
        return [canonical(v) for v in obj]
    if isinstance(obj, set | frozenset):
        return sorted((canonical(v) for v in obj), key=repr)
    if isinstance(obj, float):
        return repr(obj)
    if obj is None or isinstance(obj, str | int | bool):
        return obj
    return str(obj)


def fingerprint(obj: Any) -> str:
    """sha256 of the canonical JSON of `obj`, hexadecimal."""
    text = json.dumps(canonical(obj), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def differences(old: Any, new: Any, prefix: str = "") -> list[str]:
    """Keys in which two configurations differ, as ``key: old -> new``."""
    old, new = canonical(old), canonical(new)
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for key in sorted({*old, *new}):
            inner = f"{prefix}.{key}" if prefix else key
            if key not in old:
                found.append(f"{inner}: absent -> {new[key]}")
            elif key not in new:
                found.append(f"{inner}: {old[key]} -> absent")
            else:
                found += differences(old[key], new[key], inner)
        return found
    return [] if old == new else [f"{prefix}: {old} -> {new}"]
