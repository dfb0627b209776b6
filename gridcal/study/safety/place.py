"""Where a study folder may lie: a place of this machine's file system, told apart from an address."""

from __future__ import annotations

import os
import re
from pathlib import Path

from gridcal.errors import StudyError

_ADDRESS = re.compile(r"((?:[A-Za-z0-9+.-]+::)*[A-Za-z][A-Za-z0-9+.-]+):/.*", re.DOTALL)
_TEMPLATE = re.compile(r"\$\{?[A-Za-z_]|\{\{|%[A-Za-z_]+%")


def study_folder(path: str | os.PathLike[str]) -> Path:
    """A study folder as it was given, with ``~`` for one's home.

    Parameters
    ----------
    path : str or path
        Not looked at: it may not exist yet.

    Raises
    ------
    StudyError
        If it is an address (``s3://...``), which would become a local folder of that name, or holds a variable that nobody
        expands.
    """
    text = str(path)
    address = _ADDRESS.fullmatch(text)
    if address is not None:  # a Path has lost one of the slashes already
        if address.group(1).lower() == "file":
            raise StudyError(f"a study folder is a path, not the address {text!r}", f"Give {re.sub('^file:/*', '/', text)!r}")
        raise StudyError(
            f"a study folder lies on a file system, not at {text!r}",
            "Run into a local folder and copy it when it is finished (for s3: aws s3 sync my.study s3://bucket/my.study), or "
            "mount the store as a folder. Only data are read from addresses: as the source of a cube",
        )
    if not text.strip() or "\0" in text:
        raise StudyError(f"{text!r} names no study folder", "Give a path, e.g. my.study")
    if _TEMPLATE.search(text) and not Path(text).exists():
        raise StudyError(f"the study folder {text!r} holds a variable, and none is expanded", "Give the plain path")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise StudyError(f"the home folder of {text!r} is not known", "Give the plain path") from error
