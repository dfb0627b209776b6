"""Fingerprints: what a result depends on, as a canonical hash."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import functools
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

from gridcal.errors import ConfigError

_SHOWN = 60
_LISTED = 20
_DIGITS = 12
_DIGEST = re.compile("[0-9a-f]{64}")


def canonical(obj: Any) -> Any:
    """JSON-ready form of an object; equal things give equal forms, in any process.

    Parameters
    ----------
    obj : object
        Dataclasses, pydantic models, enums, mappings, sequences, sets, numpy scalars and arrays, dates, paths, functions.

    Returns
    -------
    object
        Dictionaries, lists, strings, integers, booleans and None. Floats become their shortest exact text, so that NaN and
        infinity survive JSON; a dataclass keeps the name of its class.

    Raises
    ------
    ConfigError
        If an object has no form that is the same in another process.
    """
    if obj is None or isinstance(obj, str | bool):
        return str(obj) if isinstance(obj, np.str_) else obj
    if isinstance(obj, enum.Enum):
        return canonical(obj.value)
    if isinstance(obj, int):
        return int(obj)
    if isinstance(obj, float):
        return repr(float(obj))
    if dataclasses.is_dataclass(obj) and not isinstance(obj, type):
        fields = {f.name: canonical(getattr(obj, f.name)) for f in dataclasses.fields(obj)}
        return {"__class__": type(obj).__name__, **fields}
    if hasattr(obj, "model_dump"):
        return canonical(obj.model_dump(mode="json"))
    if isinstance(obj, Mapping):
        return {str(k): canonical(v) for k, v in sorted(obj.items(), key=lambda kv: str(kv[0]))}
    if isinstance(obj, np.datetime64 | np.timedelta64 | datetime.date | datetime.timedelta | PurePath):
        return str(obj)
    if isinstance(obj, np.ndarray):
        return [canonical(v) for v in obj] if obj.ndim else canonical(obj[()])
    if isinstance(obj, np.generic):
        return canonical(obj.item())
    if isinstance(obj, list | tuple):
        return [canonical(v) for v in obj]
    if isinstance(obj, set | frozenset):
        return sorted((canonical(v) for v in obj), key=repr)
    if isinstance(obj, functools.partial):
        return [canonical(obj.func), canonical(obj.args), canonical(obj.keywords)]
    if callable(obj) and hasattr(obj, "__qualname__"):
        return f"{obj.__module__}.{obj.__qualname__}"
    text = str(obj)
    if " at 0x" in text:
        raise ConfigError(
            f"a value of type {type(obj).__name__!r} has no lasting form for a fingerprint",
            "Give a dataclass, a mapping, numbers or text",
        )
    return text


def fingerprint(obj: Any) -> str:
    """sha256 of the canonical JSON of an object.

    Parameters
    ----------
    obj : object
        Whatever :func:`canonical` takes.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> fingerprint({"a": 1, "b": (0.5,)}) == fingerprint({"b": [0.5], "a": 1})
    True
    """
    text = json.dumps(canonical(obj), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def marks(seen: Mapping[str, Any]) -> dict[str, str]:
    """Attributes of a lazy result that say what it is made from, so that a study can name what changed.

    Parameters
    ----------
    seen : mapping
        Everything the values depend on; whatever :func:`canonical` takes.

    Returns
    -------
    dict
        ``fingerprint``, and ``made_from``: the mapping as JSON, with the number of values and a digest in place of long
        lists, and digests cut to twelve digits.

    Examples
    --------
    >>> marks({"seed": 1, "model": ["lue", 3]})["made_from"]
    '{"model":["lue",3],"seed":1}'
    """
    shown = json.dumps(_brief(canonical(seen)), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {"fingerprint": fingerprint(seen), "made_from": shown}


def _brief(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _brief(v) for k, v in value.items()}
    if isinstance(value, list) and len(value) > _LISTED:
        return f"{len(value)} values {fingerprint(value)[:_DIGITS]}"
    if isinstance(value, str) and _DIGEST.fullmatch(value):
        return value[:_DIGITS]
    return value


def differences(old: Any, new: Any, prefix: str = "") -> list[str]:
    """Keys in which two configurations differ.

    Parameters
    ----------
    old, new : object
        Whatever :func:`canonical` takes.
    prefix : str
        Name of the value that is compared, for values inside others.

    Returns
    -------
    list of str
        One ``key: old -> new`` for each difference, keys and places in lists of one length joined with dots; empty if they are
        equal. A short list of plain values is shown as a whole.

    Examples
    --------
    >>> differences({"seed": 1, "model": {"name": "lue"}}, {"seed": 2, "model": {"name": "lue"}})
    ['seed: 1 -> 2']
    >>> differences({"blocks": [{"edc": None}]}, {"blocks": [{"edc": "reject"}]})
    ['blocks.0.edc: None -> reject']
    """
    return _compare(canonical(old), canonical(new), prefix)


def _compare(old: Any, new: Any, prefix: str) -> list[str]:
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and not (_plain(old) and _plain(new)):
        old, new = (dict(enumerate(x)) for x in (old, new))
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return [] if old == new else [f"{prefix or 'value'}: {_short(old)} -> {_short(new)}"]
    found = []
    for key in sorted({*old, *new}):
        inner = f"{prefix}.{key}" if prefix else key
        if key not in old:
            found.append(f"{inner}: absent -> {_short(new[key])}")
        elif key not in new:
            found.append(f"{inner}: {_short(old[key])} -> absent")
        else:
            found += _compare(old[key], new[key], inner)
    return found


def _plain(values: list[Any]) -> bool:
    """Whether a list can be shown as a whole."""
    return not any(isinstance(v, dict | list) for v in values) and len(str(values)) <= _SHOWN


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
