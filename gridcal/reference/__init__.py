"""Comparison of models with reference runs of the original programs, read from a folder."""

from __future__ import annotations

import importlib
from pathlib import Path

from gridcal.errors import ConfigError
from gridcal.reference.deviation import Deviation

__all__ = ["Deviation", "check_against_reference"]

_CHECKS = {
    "dalec": "gridcal.reference.dalec:check",
    "dalec2": "gridcal.reference.dalec:check_dalec2",
    "ibis": "gridcal.reference.ibis:check",
}


def check_against_reference(model: str, folder: str | Path, case: str | None = None, *, free: bool = True) -> list[Deviation]:
    """Run a model beside the reference files of a folder.

    Parameters
    ----------
    model : str
        Name of the model.
    folder : path
        Folder of reference files, laid out as the model's check expects.
    case : str, optional
        One case of the folder; all without it.
    free : bool
        Also the free runs and sensitivities.

    Returns
    -------
    list of Deviation
        One row for each check and variable.

    Raises
    ------
    ConfigError
        If the model has no check, or the folder no such case.
    InputError
        If a file lacks a column; the message names both.
    """
    if model not in _CHECKS:
        raise ConfigError(f"model {model!r} has no check against reference runs", f"These have: {', '.join(_CHECKS)}")
    folder = Path(folder)
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {str(folder)!r}", "Give the folder with the reference files")
    module, function = _CHECKS[model].split(":")
    found: list[Deviation] = getattr(importlib.import_module(module), function)(folder, case, free=free)
    return found
