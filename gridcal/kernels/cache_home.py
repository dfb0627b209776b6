"""A home for compiled code where the package cannot be written and there is no usable home folder, e.g. in a container."""

from __future__ import annotations

import logging
import os
import stat
import tempfile
from pathlib import Path

import numba

from gridcal.errors import GridcalError

_VARIABLE = "NUMBA_CACHE_DIR"


def _probe():
    """Never called."""


def has_home() -> bool:
    """Whether numba finds a folder for the compiled code of this package."""
    try:
        numba.njit(cache=True)(_probe)
    except RuntimeError:  # "cannot cache function: no locator available"
        return False
    return True


def find_home() -> None:
    """Let numba, here and in the worker processes that start from here, keep compiled code in a temporary folder.

    Only where it has no other place. One line says so.

    Raises
    ------
    GridcalError
        If there is no temporary folder either.
    """
    if has_home():
        return
    try:
        folder = temporary_home(Path(tempfile.gettempdir()))
    except OSError as error:
        raise GridcalError(
            f"there is no folder to keep compiled code in ({error})", f"Set {_VARIABLE} to a folder that can be written"
        ) from error
    os.environ[_VARIABLE] = str(folder)
    numba.config.CACHE_DIR = str(folder)
    logging.getLogger("gridcal").warning(
        "gridcal: neither the package nor a home folder can be written; compiled code is kept in %s (set %s to change that)",
        folder, _VARIABLE,
    )  # fmt: skip


def temporary_home(parent: Path) -> Path:
    """A folder that nobody else can write into: code is loaded from it. Kept for later processes of the same user."""
    folder = parent / f"gridcal-numba-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
        if not private or not os.access(folder, os.W_OK):
            return Path(tempfile.mkdtemp(prefix="gridcal-numba-", dir=parent))
    return folder
