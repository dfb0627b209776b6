"""Stage ``samples``: where parameters are calibrated; and, of a synthetic twin, the planted truth."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import xarray as xr

from gridcal.process.identity import of_model
from gridcal.study.stage import Stage
from gridcal.workflow.check import check_cube
from gridcal.workflow.study_job import StudyJob


def _make(job: StudyJob) -> Mapping[str, Any]:
    cube = job.sources.samples
    (dim,) = cube.space_dims
    coords = {c: cube.data[c] for c in cube.data.coords if cube.data[c].dims == (dim,)}
    return {"samples": cube.features.compute().assign_coords(coords)}


def _inputs(job: StudyJob) -> Mapping[str, Any]:
    return {
        "model": of_model(job.model),
        "data that were read": job.sources.samples.data.attrs.get("fingerprint", ""),
    }


def _check(job: StudyJob) -> None:
    """Look at data of the user's own as a whole, before anything has cost time."""
    if job.config.data.kind != "cube":
        return
    targets = [t for block in job.blocks for t in block.targets]
    report = check_cube(job.sources.samples, job.model, targets)
    report.require()
    for line in report.of("rare"):
        warnings.warn(f"{line.name}: {line.text}. {line.repair}".strip(), UserWarning, stacklevel=2)


def _truth(job: StudyJob) -> Mapping[str, xr.Dataset]:
    truth = job.sources.truth
    assert truth is not None
    return {"truth": truth}


SAMPLES = Stage(
    name="samples",
    label="sample pixels",
    make=_make,
    makes=("samples",),
    keys=("seed", "model", "data"),
    depends=_inputs,
    check=_check,
    costly=True,
)
TRUTH = Stage(
    name="truth",
    label="planted parameters",
    make=_truth,
    makes=("truth",),
    reads=("samples",),
    takes_part=lambda config: config.data.kind == "twin",
)
