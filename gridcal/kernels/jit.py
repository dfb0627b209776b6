"""The one place with numba options.

``LANE`` is for physics that runs inside a lane loop (inlined, so that the loop vectorises), ``KERNEL`` for every function
called from Python. No ``parallel``, no full ``fastmath``, no cached gufunc: parallelism belongs to Dask.
"""

from __future__ import annotations

from typing import Any

from numba import njit

LANE: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}, "forceinline": True}
KERNEL: dict[str, Any] = {"nogil": True, "error_model": "numpy", "cache": True}
FAST: dict[str, Any] = {**KERNEL, "fastmath": {"contract"}}

lane = njit(**LANE)
kernel = njit(**KERNEL)
fast_kernel = njit(**FAST)
