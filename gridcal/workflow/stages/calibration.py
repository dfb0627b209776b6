"""Stage ``calibration``: the posterior of the parameters at every sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from gridcal.models import model_named
from gridcal.plot.posterior import fitted_names
from gridcal.report.calibration import posteriors, samples
from gridcal.study.folder import Study
from gridcal.study.measuring import timed_samples
from gridcal.study.provenance import recorded_study_file
from gridcal.study.stage import Estimate, Figures, Stage, opened
from gridcal.workflow.config import parse_config
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
    return posteriors(posterior, opened(study, "truth"), {} if posterior is None else prior_bounds(study, posterior))


def prior_bounds(study: Study, posterior: xr.Dataset) -> dict[str, tuple[float, float]]:
    """Prior range of each fitted parameter: on record, or from the study file, or of the model where there is none."""
    record = study.read_record("provenance") or {}
    known = record.get("bounds")
    if known is None:
        model = model_named(str(posterior.attrs["model"]))
        document = recorded_study_file(study)  # an older version put the study file on record alone
        if document is not None:
            document.pop("compute", None)
            model = parse_config(document, str(study.path)).model.build()
        known = {p.name: (p.lower, p.upper) for p in model.parameters}
    return {name: (known[name][0], known[name][1]) for name in fitted_names(posterior)}


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
