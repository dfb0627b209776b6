"""What a study file may say about a cluster: where it queues and how much it asks for, nothing that runs code or writes files.

A study file, or the record of one in a folder that is resumed, may come from somebody else. Preloads, environment variables,
job scripts, images, folders and addresses belong to whoever runs it: to the command line, Python, or Dask's own configuration.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_TEXT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.,:@+=/-]{0,199}")
_MEMORY = re.compile(r"\d{1,12}(\.\d{1,6})? ?([kKMGTP]i?)?[bB]?")
_WALLTIME = re.compile(r"(\d{1,4}-)?\d{1,6}(:\d{1,2}){0,2}")
_DIRECTIVES = (
    "begin", "cluster-constraint", "clusters", "comment", "constraint", "core-spec", "deadline", "exclude", "exclusive", "gres",
    "hint", "licenses", "mem-per-cpu", "nice", "nodelist", "nodes", "ntasks-per-node", "partition", "qos", "reservation",
    "sockets-per-node", "switches", "threads-per-core", "time-min", "tmp", "wckey",
)  # fmt: skip
_DIRECTIVE = re.compile(rf"--({'|'.join(_DIRECTIVES)})([= ][A-Za-z0-9_][A-Za-z0-9_.,:@+=/*|&\[\]-]{{0,199}})?")

Check = Callable[[Any], bool]


def _whole(most: int) -> Check:
    return lambda x: isinstance(x, int) and not isinstance(x, bool) and 1 <= x <= most


def _text(x: Any) -> bool:
    return isinstance(x, str) and _TEXT.fullmatch(x) is not None


def _memory(x: Any) -> bool:
    return _whole(10**15)(x) or (isinstance(x, str) and (x == "auto" or _MEMORY.fullmatch(x) is not None))


def _walltime(x: Any) -> bool:
    return _whole(10**6)(x) or (isinstance(x, str) and _WALLTIME.fullmatch(x) is not None)


def _directives(x: Any) -> bool:
    return isinstance(x, list) and all(isinstance(line, str) and _DIRECTIVE.fullmatch(line) for line in x)


def _number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool) and 0 < x <= 10_000


_DIRECTIVE_FORM = f"a list of '--NAME=VALUE' with the names {', '.join(_DIRECTIVES)}"
_ALLOWED: dict[str, dict[str, tuple[Check, str]]] = {
    "local": {
        "memory_limit": (_memory, "a size such as 4GiB, or auto"),
        "processes": (lambda x: isinstance(x, bool), "true or false"),
        "threads_per_worker": (_whole(1024), "a whole number from 1"),
    },
    "slurm": {
        "account": (_text, "a name"),
        "cores": (_whole(4096), "a whole number from 1"),
        "death_timeout": (_whole(86_400), "seconds"),
        "interface": (_text, "a name"),
        "job_cpu": (_whole(4096), "a whole number from 1"),
        "job_extra_directives": (_directives, _DIRECTIVE_FORM),
        "job_mem": (_memory, "a size such as 4GiB"),
        "memory": (_memory, "a size such as 4GiB"),
        "processes": (_whole(4096), "a whole number from 1"),
        "project": (_text, "a name"),
        "queue": (_text, "a name"),
        "walltime": (_walltime, "HH:MM:SS, or another of SLURM's forms"),
    },
    "gateway": {
        "profile": (_text, "a name"),
        "worker_cores": (_number, "a number"),
        "worker_memory": (lambda x: _memory(x) or _number(x), "a size such as 4GiB, or GB as a number"),
    },
}
KINDS = ("none", *_ALLOWED)
"""Clusters that a study file may name."""


def checked_options(cluster: str, options: Mapping[str, Any]) -> None:
    """Check the options of a study file's cluster.

    Parameters
    ----------
    cluster : str
        One of `KINDS`; with ``"none"`` the options wait, checked, for the cluster they are meant for.
    options : mapping
        ``compute.options``.

    Raises
    ------
    ValueError
        If an option is not one of those allowed for the cluster, or has another value than a plain one.
    """
    if cluster == "none":
        known = {
            name: [found[name] for found in _ALLOWED.values() if name in found] for found in _ALLOWED.values() for name in found
        }
    else:
        known = {name: [rule] for name, rule in _ALLOWED[cluster].items()}
    for name, value in options.items():
        if name not in known:
            raise ValueError(
                f"a study file may not set {name!r} of a cluster ({cluster}); it may set {', '.join(sorted(known))}. What else "
                "your machine needs goes into Dask's own configuration (~/.config/dask), or to connect(...) in Python"
            )
        if not any(check(value) for check, _ in known[name]):
            raise ValueError(f"{name}: {str(value)[:60]!r} is not allowed; give {' or '.join(form for _, form in known[name])}")
