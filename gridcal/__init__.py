"""gridcal: one parameter value per plant functional type becomes a parameter map.

Calibrate a process model at sample pixels, learn its parameters from the environment, predict them for every pixel, run the
region, and score it. The names below are the public interface; each is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

from gridcal.version import __version__

_PUBLIC = {
    "Block": "gridcal.target",
    "CMAES": "gridcal.calibrate",
    "Cube": "gridcal.cube",
    "Extrapolator": "gridcal.extrapolate",
    "GridcalError": "gridcal.errors",
    "MASM": "gridcal.calibrate",
    "Parameter": "gridcal.parameters",
    "ParameterTable": "gridcal.parameters",
    "ProcessModel": "gridcal.model",
    "State": "gridcal.model",
    "Status": "gridcal.calibrate",
    "Study": "gridcal.study",
    "Target": "gridcal.target",
    "calibrate": "gridcal.calibrate",
    "check_model": "gridcal.conformance",
    "evaluate": "gridcal.evaluate",
    "open_cube": "gridcal.cube",
    "quality_screen": "gridcal.extrapolate",
    "sample_pixels": "gridcal.sampling",
    "simulate": "gridcal.simulate",
    "write_report": "gridcal.report",
}
_MODULES = ("calibrate", "catalog", "cluster", "evaluate", "extrapolate", "ingest", "models", "periods", "plot", "synthetic")
_VERBS = {"calibrate", "evaluate", "simulate"}

__all__ = ["__version__", *sorted(_PUBLIC), *(m for m in _MODULES if m not in _PUBLIC)]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        value = getattr(importlib.import_module(_PUBLIC[name]), name)
        if name not in _VERBS:
            globals()[name] = value
        return value
    if name in _MODULES:
        return importlib.import_module(f"gridcal.{name}")
    raise AttributeError(f"module 'gridcal' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
