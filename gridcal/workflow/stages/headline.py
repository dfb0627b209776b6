"""Stage ``headline``: the few numbers that answer what the study was made for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridcal.study.probe import timed
from gridcal.study.stage import Estimate, Stage
from gridcal.workflow.headline import headline_of_sites, headline_of_twin, map_error
from gridcal.workflow.job import StudyJob


def _make(job: StudyJob) -> Mapping[str, Any]:
    if job.sources.truth is not None:
        return {"headline": headline_of_twin(job.study, job.model, job.sources, job.blocks)}
    return {"headline": headline_of_sites(job.study, job.sources, job.blocks)}


def _estimate(job: StudyJob) -> Estimate:
    """Of a twin the map is run with three sets of parameters; otherwise next to nothing."""
    if job.sources.truth is None:
        return Estimate(0, 0, 0.0)
    truth = job.sources.truth[list(job.model.parameters.names)]
    _, seconds = timed(map_error, job.model, job.sources, truth, job.blocks[0].targets[0].variable, truth)
    return Estimate(0, 0, 0.0, seconds)


HEADLINE = Stage(
    name="headline",
    label="summing up",
    make=_make,
    records=("headline",),
    estimate=_estimate,
    reads=("samples", "truth", "calibration", "parameters", "fluxes", "skill"),
)
