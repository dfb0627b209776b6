"""Stage ``learning``: the learner from features to parameters, fitted on the samples that pass the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from gridcal.calibration.status import Status
from gridcal.errors import ConfigError, InputError
from gridcal.extrapolation import Extrapolator, quality_screen
from gridcal.extrapolation.features.encoder import usable
from gridcal.extrapolation.learners.regressors import make_regressor
from gridcal.report.learning import learning
from gridcal.study.folder import Study
from gridcal.study.measuring import timed
from gridcal.study.stage import Estimate, Figures, Stage, opened
from gridcal.workflow.plan_inputs import drawn_parameters
from gridcal.workflow.sources import sample_labels
from gridcal.workflow.study_job import StudyJob

MINIMUM_TRAINING = 8


def _check(job: StudyJob) -> None:
    section = job.config.learn
    make_regressor(section.method, job.config.seed, section.options)
    for cube, where in ((job.sources.samples, "samples"), (job.sources.grid, "grid")):
        known = sorted(cube.feature_names)
        for name in section.features or ():
            if name not in known:
                raise ConfigError(f"learn.features: the {where} have no {name!r}", f"They have: {', '.join(known)}")


def training_samples(job: StudyJob, posterior: xr.Dataset) -> tuple[np.ndarray, dict[str, Any]]:
    """Which samples are learnt from, shape (n,), and the record of the screen.

    Raises
    ------
    InputError
        If too few are left.
    """
    section = job.config.learn
    accepted = [int(Status[name]) for name in section.accept]
    keep = quality_screen(posterior, diso=section.diso, rhat=section.rhat, status=accepted)
    labels = sample_labels(job.sources.samples)
    training = keep.values & ~np.isin(labels, job.sources.held_out)
    screened = {str(k): v for k, v in keep.attrs.items() if isinstance(v, int | float | str)}
    if training.sum() < MINIMUM_TRAINING:
        refused = ", ".join(f"{k.removeprefix('refused_')} {v}" for k, v in screened.items() if k.startswith("refused_"))
        raise InputError(
            f"the quality screen leaves {int(training.sum())} of {labels.size} samples to learn from (refused by {refused})",
            "Loosen learn.diso, learn.rhat or learn.accept, calibrate more samples, or hold out fewer",
        )
    return training, {"training": int(training.sum()), "samples": int(labels.size), **screened}


def declared_features(job: StudyJob) -> list[str] | None:
    """Features in the order in which the study file, the catalog entry or the source names them; None for that of their names.

    A bare store names its variables in no order.
    """
    cube, data = job.sources.samples, job.config.data
    if job.config.learn.features is not None:
        return list(job.config.learn.features)
    return None if data.kind == "cube" and cube.entry is None else usable(cube.feature_names)


def fitted(job: StudyJob, theta: xr.Dataset, training: np.ndarray) -> Extrapolator:
    """The study's learner, fitted on parameters of the training samples."""
    section, samples = job.config.learn, job.sources.samples
    (dim,) = samples.space_dims
    learner = Extrapolator(
        section.method, features=declared_features(job), n_folds=section.folds, seed=job.config.seed, **section.options
    )
    return learner.fit(
        theta[list(job.model.parameters.names)].isel({dim: training}),
        samples.features.isel({dim: training}).compute(),
        job.model.parameters,
    )


def _make(job: StudyJob) -> Mapping[str, Any]:
    posterior = job.study.open("posterior")
    training, screened = training_samples(job, posterior)
    learner = fitted(job, posterior, training)
    learner.save(job.study.path / "learner")
    names = [n for block in job.blocks for n in block.fit]
    return {
        "learner_skill": learner.skill_,
        "importance": learner.importance_,
        "screen": screened,
        "learner": {"fingerprint": learner.fingerprint, "method": job.config.learn.method, "fitted": names},
    }


def _estimate(job: StudyJob) -> Estimate:
    theta = drawn_parameters(job)
    everywhere = np.ones(job.sources.samples.data.sizes[job.sources.samples.space_dims[0]], dtype=bool)
    learner, seconds = timed(fitted, job, theta, everywhere)
    return Estimate(2, learner.skill_.nbytes + learner.importance_.nbytes, 0.0, seconds)


def _section(study: Study) -> str:
    return learning(opened(study, "learner_skill"), opened(study, "importance"), study.read_record("screen"))


LEARNING = Stage(
    name="learning",
    label="learning",
    make=_make,
    makes=("learner_skill", "importance"),
    records=("screen", "learner"),
    folders=("learner",),
    reads=("samples", "calibration"),
    keys=("learn", "data.hold_out"),
    check=_check,
    estimate=_estimate,
    figures=(Figures("learning", "Learning", _section),),
)
