"""What is kept of an error that gridcal did not expect: a file to send."""

from __future__ import annotations

import os
import platform
import re
import shlex
import sys
import tempfile
import time
import traceback
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gridcal.version import __version__

_SECRET = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")


def write_bug_report(error: BaseException, arguments: list[str] | None) -> Path | None:
    """Write versions, command and traceback into a file of the working directory, or a temporary one.

    Parameters
    ----------
    error : BaseException
        What was raised.
    arguments : list of str, optional
        The command line's; those of this process without them.

    Returns
    -------
    Path or None
        The file, new; None where nothing can be written.
    """
    text = bug_report(error, sys.argv[1:] if arguments is None else arguments)
    name = f"gridcal-bug-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    for folder in (Path.cwd, lambda: Path(tempfile.gettempdir())):
        try:
            file = folder() / name
            with open(file, "x", encoding="utf-8", errors="replace") as out:
                out.write(text)
        except OSError:
            continue
        return file
    return None


def bug_report(error: BaseException, arguments: list[str]) -> str:
    """The text: versions, command, traceback; no data, no environment, no password of an address."""
    from gridcal.study.provenance import LIBRARIES

    lines = [
        "gridcal met an error it did not expect. Please look this file through, then send it to the developers.",
        "",
        f"gridcal {__version__}, Python {platform.python_version()}, {platform.platform()}",
        ", ".join(f"{name} {_version(name)}" for name in LIBRARIES),
        "",
        f"command: gridcal {shlex.join(arguments)}",
        "",
        "".join(traceback.format_exception(error)),
    ]
    return _SECRET.sub(r"\1***@", "\n".join(lines))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
