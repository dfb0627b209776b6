"""gridcal: one parameter value per plant functional type becomes a parameter map.

Calibrate a process model at sample pixels, learn its parameters from the environment, predict them for every pixel, run the
region, and score it. The names below are the public interface; each is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

from gridcal.version import __version__

_PUBLIC = {
    "AdaptiveMCMC": "gridcal.calibration",
    "Block": "gridcal.calibration.target",
    "CMAES": "gridcal.calibration",
    "Constraint": "gridcal.process.constraint",
    "Cube": "gridcal.cube",
    "Extrapolator": "gridcal.extrapolation",
    "Flag": "gridcal.calibration",
    "GridcalError": "gridcal.errors",
    "MASM": "gridcal.calibration",
    "Morris": "gridcal.screening",
    "Parameter": "gridcal.process.parameters",
    "ParameterTable": "gridcal.process.parameters",
    "ProcessModel": "gridcal.process.model",
    "PixelProblem": "gridcal.calibration",
    "SPIE": "gridcal.extrapolation",
    "State": "gridcal.process.model",
    "SteadyState": "gridcal.process.model",
    "Status": "gridcal.calibration",
    "Study": "gridcal.study",
    "Target": "gridcal.calibration.target",
    "calibrate": "gridcal.calibration",
    "check_cube": "gridcal.workflow.check",
    "check_model": "gridcal.process.conformance",
    "evaluate": "gridcal.evaluation",
    "fill_gaps": "gridcal.cube.gaps",
    "judge": "gridcal.process.judging",
    "open_cube": "gridcal.cube",
    "quality_masks": "gridcal.extrapolation",
    "quality_screen": "gridcal.extrapolation",
    "recommend": "gridcal.screening",
    "sample_pixels": "gridcal.cube.sampling",
    "screen": "gridcal.screening",
    "simulate": "gridcal.simulation",
    "site_objective": "gridcal.extrapolation",
    "site_series": "gridcal.extrapolation",
    "spin_up": "gridcal.simulation",
    "steady_state": "gridcal.simulation",
    "to_arviz": "gridcal.calibration",
    "write_report": "gridcal.workflow.jobs",
}
_MODULES = {
    "catalog": "gridcal.cube.catalog",
    "cluster": "gridcal.study.cluster",
    "ingest": "gridcal.ingest",
    "models": "gridcal.models",
    "periods": "gridcal.vocabulary.periods",
    "plot": "gridcal.plot",
    "synthetic": "gridcal.synthetic",
}

__all__ = ["__version__", *sorted(_PUBLIC), *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        value = getattr(importlib.import_module(_PUBLIC[name]), name)
    elif name in _MODULES:
        value = importlib.import_module(_MODULES[name])
    else:
        raise AttributeError(f"module 'gridcal' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
