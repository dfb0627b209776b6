"""The record of how a study was made: versions, configuration, seed, inputs."""

from __future__ import annotations

import datetime
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import yaml

from gridcal.process.model import ProcessModel
from gridcal.version import __version__

LIBRARIES = (
    "numpy", "scipy", "xarray", "dask", "distributed", "zarr", "numba", "scikit-learn", "xgboost", "pandas", "cma", "SALib"
)  # fmt: skip


def record_of_run(config: Any, model: ProcessModel, inputs: list[dict[str, str]]) -> dict[str, Any]:
    """Versions, configuration, seed, bounds and inputs of a study.

    Parameters
    ----------
    config : pydantic model
        The study file, with title and seed.
    model : ProcessModel
        Its model.
    inputs : list of dict
        Title, licence and citation of everything read.
    """
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "unknown"
    return {
        "title": config.title,
        "gridcal": __version__,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "libraries": versions,
        "model": {"name": model.name, "version": model.version, "source": model.source},
        "bounds": {p.name: [p.lower, p.upper] for p in model.parameters},
        "seed": config.seed,
        "inputs": inputs,
        "config": yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False),
    }
