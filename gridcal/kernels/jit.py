"""The one place with numba options.

``LANE`` is for physics that runs inside a lane loop (inlined, so that the loop vectorises), ``INNER`` for parts of a generated
module that nobody calls from Python, ``APART`` for those of them that all their callers must share to the bit, ``KERNEL`` for
every function called from Python. No ``parallel``, no full ``fastmath``, no cached gufunc: parallelism belongs to Dask.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

from gridcal.kernels.cache_home import find_home

find_home()

LANE: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}, "forceinline": True}
INNER: dict[str, Any] = {**LANE, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
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


def _cached(options: dict[str, Any]) -> Callable[[Callable[..., Any]], Any]:
    """A decorator that compiles and caches; the cached code is thrown away when any source file has changed.

    numba compares time and size of the function's own file only. It would go on using code with an old version of a callee
    from another file inlined, and a wheel gives all versions of a file the same time.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        compiled = njit(**options)(function)
        index = compiled._cache._cache_file
        index._source_stamp = (index._source_stamp, SOURCES)
        return compiled

    return decorate


lane = njit(**LANE)
kernel = _cached(KERNEL)
fast_kernel = _cached(FAST)
