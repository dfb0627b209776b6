"""The record of how a study was made: versions, configuration, seed, inputs."""

from __future__ import annotations

import datetime
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from gridcal.errors import StudyError
from gridcal.process.model import ProcessModel
from gridcal.study.folder import Study
from gridcal.version import __version__
from gridcal.vocabulary.documents import dump_yaml, parse_yaml, refusing

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
        "config": dump_yaml(config.model_dump(mode="json")),
    }


def recorded_study_file(study: Study) -> dict[str, Any] | None:
    """The study file that a study was last run from, as its record holds it; None if there is no record.

    Raises
    ------
    StudyError
        If the record is damaged.
    """
    record = study.read_record("provenance")
    if record is None:
        return None
    text = record.get("config", "") if isinstance(record, dict) else None
    refuse = refusing(StudyError, f"the study file on record in {str(study.path)!r}")
    if not isinstance(text, str):
        raise refuse("is no text", "Run the study file itself again: gridcal run STUDY.yml -o FOLDER")
    return parse_yaml(text, refuse) if text else None
