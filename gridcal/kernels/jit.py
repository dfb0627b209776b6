"""The one place with numba options.

``LANE`` is for physics that runs inside a lane loop (inlined, so that the loop vectorises), ``INNER`` for parts of a generated
module that nobody calls from Python, ``APART`` for those of them that all their callers must share to the bit, ``KERNEL`` for
every function called from Python. No ``parallel``, no full ``fastmath``, no cached gufunc: parallelism belongs to Dask.
"""

from __future__ import annotations

import glob
import hashlib
import logging
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba import njit
from numba.core.caching import FunctionCache, IndexDataCacheFile

from gridcal.kernels.cache_home import find_home
from gridcal.kernels.code_digest import code_digest

log = logging.getLogger("gridcal")
find_home()

LANE: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}, "forceinline": True}
NO_DOOR: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
INNER: dict[str, Any] = {**LANE, **NO_DOOR}
APART: dict[str, Any] = {**INNER, "forceinline": False}
KERNEL: dict[str, Any] = {"nogil": True, "error_model": "numpy", "cache": True}
FAST: dict[str, Any] = {**KERNEL, "fastmath": {"contract"}}


def sources_digest(root: Path = Path(__file__).parents[1]) -> str:
    """Digest of every file whose functions may be inlined into a compiled one."""
    digest = hashlib.sha256()
    for folder in ("kernels", "models"):
        for file in sorted((root / folder).rglob("*.py")):
            digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


SOURCES = sources_digest()


_CUT_SHORT = (EOFError, pickle.UnpicklingError)
"""What reading a file raises that a crash of the machine left unfinished."""


class _Cache(FunctionCache):
    """numba's cache, with files of their own for every version of the code, signature and kind of processor.

    numba writes its index before the code and gives the code a running number: a disk that is full in between lets the new
    index vouch for the old code, and two writers may name two codes alike. It also compares a function's own file only. Here
    the names of both files say what they hold, so that they never hold anything else.
    """

    def __init__(self, function: Callable[..., Any], depends: str) -> None:
        super().__init__(function)
        self._depends = depends

    def _choose(self, signature: Any, codegen: Any) -> tuple[str, str]:
        """Point to the files of a signature; beginning and end of their names."""
        key = self._index_key(signature, codegen)
        cpu = re.sub(r"\W", "", str(codegen.magic_tuple()[1]))
        version = _short(numba.__version__, llvmlite.__version__, self._depends)
        content = _short(code_digest(self._py_func), re.sub(r" at 0x[0-9a-fA-F]+", "", str(key)))
        begin, end = f"{self._impl.filename_base}-{cpu}-", f"{version}-{content}"
        self._cache_file = IndexDataCacheFile(self._impl.locator.get_cache_path(), begin + end, end)
        return begin, version

    def _load_overload(self, sig: Any, target_context: Any) -> Any:
        self._choose(sig, target_context.codegen())
        try:
            return super()._load_overload(sig, target_context)
        except _CUT_SHORT:
            Path(self._cache_file._index_path).unlink(missing_ok=True)
            return None

    def _save_overload(self, sig: Any, data: Any) -> None:
        begin, version = self._choose(sig, data.codegen)
        try:
            super()._save_overload(sig, data)
            for old in Path(self._cache_path).glob(f"{glob.escape(begin)}*.nb[ci]"):
                if not old.name.startswith(begin + version):
                    old.unlink(missing_ok=True)
        except (OSError, *_CUT_SHORT) as error:
            log.warning("compiled code of %s could not be kept, it will be compiled again: %s", self._py_func.__name__, error)


def _short(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def cached(options: dict[str, Any], depends: str = "") -> Callable[[Callable[..., Any]], Any]:
    """A decorator that compiles with `options` and keeps the code on disk.

    The code is found again as long as the function, all it calls, the numbers it uses and `depends` are the same.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        compiled = njit(**{key: value for key, value in options.items() if key != "cache"})(function)
        settings = sorted((key, sorted(value) if isinstance(value, set) else value) for key, value in options.items())
        compiled._cache = _Cache(function, depends + repr(settings))
        return compiled

    return decorate


lane = njit(**LANE)
kernel = cached(KERNEL, SOURCES)
fast_kernel = cached(FAST, SOURCES)
