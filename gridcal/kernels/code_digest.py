"""Digest of what a function computes: its code and everything that its names reach, as they are in memory."""

from __future__ import annotations

import dataclasses
import dis
import functools
import hashlib
import inspect
import os
import sys
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

_OUTSIDE = ("numpy", "math", "numba", "llvmlite", "builtins", "scipy", "pandas", "xarray", "dask")
_STANDARD = os.path.dirname(os.__file__)
_HAS_DOCSTRING = 0x4000000
_NO_SLOT = sys.version_info >= (3, 13)


def code_digest(function: Any) -> str:
    """Digest of a function or of several, of what they call and of the numbers they use, in modules and closures too.

    Files play no part: what was edited since the import is not what would be compiled. Comments, docstrings, names of files and
    numbers of lines do not count; of what numpy and other libraries define the name does. Another version of Python makes other
    code of the same text.
    """
    digest = hashlib.sha256()
    for part in _parts(function, set()):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()


def _parts(thing: Any, seen: set[int]) -> list[str]:
    options = getattr(thing, "targetoptions", None)
    plain = getattr(thing, "py_func", getattr(thing, "_defn", thing))
    if isinstance(plain, FunctionType):
        if _outside(plain.__module__) or id(plain) in seen:
            return [plain.__qualname__]
        seen.add(id(plain))
        found = [plain.__qualname__, _options(options), *_parts((plain.__defaults__, plain.__kwdefaults__), seen)]
        names: list[str] = []
        reached: dict[str, Any] = {}
        for code in _codes(plain.__code__):
            found += [code.co_code.hex(), *code.co_varnames, "", *code.co_names, "", *map(_constant, _constants(code))]
            names += [n for n in code.co_names if n not in names]
            looked_up = [i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")]
            reached |= {n: plain.__globals__[n] for n in looked_up if n in plain.__globals__}
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
    if thing is None or isinstance(thing, bool | int | float | complex | str | bytes | np.generic):
        return [type(thing).__name__, repr(thing)]
    if isinstance(thing, np.ndarray) and not thing.dtype.hasobject:
        return [str(thing.dtype), str(thing.shape), thing.tobytes().hex()]
    inner = contents(thing)
    if inner is None or id(thing) in seen:
        return [type(thing).__name__, str(getattr(thing, "__name__", ""))]
    seen.add(id(thing))
    found = [type(thing).__name__, f"{len(inner)}", *(part for x in inner for part in _parts(x, seen))]
    seen.discard(id(thing))  # only what holds itself is cut: equal tuples may be one object or two
    return found


def contents(thing: Any) -> list[Any] | None:
    """What a thing is made of; None of one that counts by its name."""
    if isinstance(thing, list | tuple):
        return list(thing)
    if isinstance(thing, dict):
        return [x for pair in thing.items() for x in pair]
    if isinstance(thing, set | frozenset):
        return sorted(thing, key=repr)
    if isinstance(thing, functools.partial):
        return [thing.func, thing.args, thing.keywords]
    if isinstance(thing, MethodType):
        return [thing.__func__, thing.__self__]
    if isinstance(thing, functools._lru_cache_wrapper):
        return [thing.__wrapped__]
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        return [getattr(thing, f.name) for f in dataclasses.fields(thing)]
    call = inspect.getattr_static(type(thing), "__call__", None)
    if isinstance(call, FunctionType) and not hasattr(thing, "py_func") and not _outside(call.__module__):
        return [call, vars(thing)]
    return None


def _codes(code: CodeType) -> list[CodeType]:
    return [code, *(inner for c in code.co_consts if isinstance(c, CodeType) for inner in _codes(c))]


def _constants(code: CodeType) -> list[Any]:
    """Constants of a code, without the docstring, which stands first."""
    first = code.co_consts[:1]
    if _NO_SLOT:
        documented = bool(code.co_flags & _HAS_DOCSTRING)
    else:
        documented = first != () and (first[0] is None or isinstance(first[0], str)) and not code.co_name.startswith("<")
    return [c for c in code.co_consts[documented:] if not isinstance(c, CodeType)]


def _outside(module: str | None) -> bool:
    top = (module or "").split(".")[0]
    if top in _OUTSIDE or top not in sys.stdlib_module_names:
        return top in _OUTSIDE
    file = getattr(sys.modules.get(top), "__file__", None)  # a file of one's own may be called as one of Python's
    return file is None or file.startswith(_STANDARD)


def _constant(thing: Any) -> str:
    return repr(sorted(map(repr, thing))) if isinstance(thing, frozenset) else repr(thing)


def _options(options: dict[str, Any] | None) -> str:
    return repr(sorted((k, sorted(map(str, v)) if isinstance(v, set) else str(v)) for k, v in (options or {}).items()))
