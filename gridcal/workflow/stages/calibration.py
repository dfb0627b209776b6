"""Stage ``calibration``: the posterior of the parameters at every sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridcal.report.calibration import posteriors, prior_bounds, samples
from gridcal.study.folder import Study
from gridcal.study.measuring import timed_samples
from gridcal.study.stage import Estimate, Figures, Stage, opened
from gridcal.workflow.plan_inputs import few_samples
from gridcal.workflow.study_job import StudyJob

PROBES = 4
"""Samples that an estimate calibrates."""


def _make(job: StudyJob) -> Mapping[str, Any]:
    return {"posterior": job.posterior}


def _estimate(job: StudyJob) -> Estimate:
    section = job.config.calibration.model_copy(update={"chunk": 1})
    few = StudyJob(job.config.model_copy(update={"calibration": section}), few_samples(job.sources, PROBES))
    return timed_samples(few.posterior, job.posterior)


def _samples(study: Study) -> str:
    return samples(opened(study, "posterior"), opened(study, "parameters"))


def _posteriors(study: Study) -> str:
    posterior = opened(study, "posterior")
    bounds = {} if posterior is None else prior_bounds(study.read_record("provenance"), posterior)
    return posteriors(posterior, opened(study, "truth"), bounds)


CALIBRATION = Stage(
    name="calibration",
    label="calibrating pixels",
    make=_make,
    makes=("posterior",),
    reads=("samples",),
    keys=("calibration",),
    depends=lambda job: {"posterior": job.posterior.attrs["fingerprint"]},
    check=lambda job: job.posterior,
    costly=True,
    estimate=_estimate,
    figures=(Figures("samples", "Samples", _samples), Figures("posteriors", "Posteriors", _posteriors)),
)
