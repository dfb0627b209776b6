"""Digest of what a function computes: its code and everything that its names reach, as they are in memory."""

from __future__ import annotations

import hashlib
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

_OUTSIDE = ("numpy", "math", "numba", "llvmlite", "builtins")


def code_digest(function: Any) -> str:
    """Digest of a function, of what it calls and of the numbers it uses, in modules and closures too.

    Files play no part: what was edited since the import is not what would be compiled.
    """
    digest = hashlib.sha256()
    for part in _parts(function, set()):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()


def _parts(thing: Any, seen: set[int]) -> list[str]:
    options = getattr(thing, "targetoptions", None)
    plain = getattr(thing, "py_func", getattr(thing, "_defn", thing))
    if isinstance(plain, FunctionType):
        if _outside(plain.__module__) or id(plain.__code__) in seen:
            return [plain.__qualname__]
        seen.add(id(plain.__code__))
        found = [plain.__qualname__, _options(options), repr(plain.__defaults__)]
        names: list[str] = []
        for code in _codes(plain.__code__):
            found += [code.co_code.hex(), *(_constant(c) for c in code.co_consts if not isinstance(c, CodeType))]
            names += [n for n in code.co_names if n not in names]
        reached = {n: plain.__globals__[n] for n in names if n in plain.__globals__}
        waiting = list(reached.values())
        while waiting:  # what any of the names is in any of the modules among them
            value = waiting.pop()
            if isinstance(value, ModuleType) and not _outside(value.__name__) and id(value) not in seen:
                seen.add(id(value))
                more = {f"{value.__name__}.{n}": vars(value)[n] for n in names if n in vars(value)}
                reached |= more
                waiting += more.values()
        for name, cell in zip(plain.__code__.co_freevars, plain.__closure__ or (), strict=False):
            reached[name] = cell.cell_contents
        for name, value in reached.items():
            found += [name, *_parts(value, seen)]
        return found
    if isinstance(thing, np.ndarray):
        return [str(thing.dtype), str(thing.shape), thing.tobytes().hex()]
    if isinstance(thing, tuple):
        return [f"{len(thing)}", *(part for x in thing for part in _parts(x, seen))]
    if thing is None or isinstance(thing, bool | int | float | complex | str | np.generic):
        return [type(thing).__name__, repr(thing)]
    return [type(thing).__name__, str(getattr(thing, "__name__", ""))]


def _codes(code: CodeType) -> list[CodeType]:
    return [code, *(inner for c in code.co_consts if isinstance(c, CodeType) for inner in _codes(c))]


def _outside(module: str | None) -> bool:
    return (module or "").split(".")[0] in _OUTSIDE


def _constant(thing: Any) -> str:
    return repr(sorted(map(repr, thing))) if isinstance(thing, frozenset) else repr(thing)


def _options(options: dict[str, Any] | None) -> str:
    return repr(sorted((k, sorted(map(str, v)) if isinstance(v, set) else str(v)) for k, v in (options or {}).items()))
