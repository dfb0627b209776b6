"""Stage ``skill``: the default, the calibrated and the extrapolated run against the observations at the samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gridcal.evaluation import evaluate, period_mask
from gridcal.extrapolation import Extrapolator
from gridcal.report.skill import skill
from gridcal.simulation import simulate
from gridcal.study.folder import Study
from gridcal.study.measuring import timed_tiles
from gridcal.study.stage import Estimate, Figures, Stage, opened
from gridcal.vocabulary.periods import scale_name
from gridcal.workflow.plan_inputs import drawn_parameters
from gridcal.workflow.stages.learning import training_samples
from gridcal.workflow.study_job import StudyJob

RUNS = ("default", "calibrated", "extrapolated")


def _check(job: StudyJob) -> None:
    section, samples = job.config.evaluate, job.sources.samples
    for scale in section.scales:
        scale_name(scale)
    time = pd.DatetimeIndex(samples.data["time"].to_index())
    for name, span in (section.periods or job.sources.periods or {}).items():
        period_mask(name, span, time, samples.data)


def _extrapolated(job: StudyJob, learner: Extrapolator, training: np.ndarray) -> xr.Dataset:
    """Parameters learnt without the sample itself: out-of-fold where it was trained on, plain prediction elsewhere."""
    samples = job.sources.samples
    (dim,) = samples.space_dims
    plain = learner.predict(samples.features.compute(), applicability=False).compute()
    out = xr.Dataset()
    for name in learner.cv_.data_vars:
        values = plain[name].values.astype(float).copy()
        values[training] = learner.cv_[name].values
        out[name] = ((dim,), values)
    return out.assign_coords({dim: samples.data[dim]})


def _scored(job: StudyJob, theta: xr.Dataset | None) -> xr.Dataset:
    samples, section = job.sources.samples, job.config.evaluate
    return evaluate(
        simulate(samples, job.model, theta),
        samples.data,
        variables={t.variable: str(t.against) for b in job.blocks for t in b.targets},
        scales=section.scales,
        periods=section.periods or job.sources.periods,
        diso_variant=section.diso_variant,
    )


def _all_scored(job: StudyJob, calibrated: xr.Dataset, extrapolated: xr.Dataset) -> xr.Dataset:
    """Scores of the three runs; lazy in the tiles of the calibrated parameters."""
    found = [_scored(job, theta) for theta in (None, calibrated, extrapolated)]
    run = xr.DataArray(list(RUNS), dims="run", name="run")
    out = xr.concat(found, dim=run, coords="minimal", compat="override")
    (dim,) = job.sources.samples.space_dims
    sizes = [x.chunksizes[dim] for x in calibrated.data_vars.values() if x.chunks is not None]
    # samples of several chunks of a store come in other pieces than the calibration's
    return out.chunk({dim: sizes[0][0]}) if sizes else out


def _make(job: StudyJob) -> Mapping[str, Any]:
    posterior = job.study.open("posterior")
    training, _ = training_samples(job, posterior)
    extrapolated = _extrapolated(job, Extrapolator.load(job.study.path / "learner"), training)
    return {"skill": _all_scored(job, posterior[list(job.model.parameters.names)], extrapolated)}


def _estimate(job: StudyJob) -> Estimate:
    theta = drawn_parameters(job)
    (dim,) = job.sources.samples.space_dims
    return timed_tiles(_all_scored(job, theta.chunk({dim: job.config.calibration.chunk}), theta))


def _section(study: Study) -> str:
    return skill(opened(study, "skill"))


SKILL = Stage(
    name="skill",
    label="scoring",
    make=_make,
    makes=("skill",),
    reads=("samples", "calibration", "learning"),
    keys=("evaluate",),
    check=_check,
    estimate=_estimate,
    figures=(Figures("skill", "Skill", _section),),
)
