"""Stage ``parameters``: the parameters predicted for every pixel of the grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gridcal.extrapolation import Extrapolator
from gridcal.extrapolation.learners.lacking import warn_of_lacking
from gridcal.extrapolation.learners.prediction import is_lazy
from gridcal.report.calibration import recovery
from gridcal.report.maps import maps
from gridcal.study.folder import Study
from gridcal.study.measuring import timed_tiles
from gridcal.study.stage import Estimate, Figures, Stage, opened
from gridcal.workflow.plan_inputs import drawn_parameters, mapped
from gridcal.workflow.stages.learning import fitted
from gridcal.workflow.study_job import StudyJob


def _make(job: StudyJob) -> Mapping[str, Any]:
    learner, grid = Extrapolator.load(job.study.path / "learner"), job.sources.grid
    predicted = learner.predict(grid.features)
    if is_lazy(grid.features, learner.encoder_.inputs_):  # of features in memory it has told
        warn_of_lacking(learner.encoder_, grid.features, grid.mask)
    return {"parameters": predicted}


def _estimate(job: StudyJob) -> Estimate:
    theta = drawn_parameters(job)
    learner = fitted(job, theta, np.ones(theta.sizes[job.sources.samples.space_dims[0]], dtype=bool))
    return timed_tiles(learner.predict(job.sources.grid.features), mapped(job))


def _recovery(study: Study) -> str:
    truth = opened(study, "truth")
    return "" if truth is None else recovery(opened(study, "posterior"), truth, opened(study, "parameters"))


def _maps(study: Study) -> str:
    return maps(opened(study, "parameters"))


PARAMETERS = Stage(
    name="parameters",
    label="predicting parameters",
    make=_make,
    makes=("parameters",),
    reads=("samples", "learning"),
    keys=("map",),
    depends=lambda job: {"grid": job.sources.grid.data.attrs.get("fingerprint", "")},
    estimate=_estimate,
    figures=(Figures("recovery", "Planted and recovered", _recovery), Figures("maps", "Parameter maps", _maps)),
)
