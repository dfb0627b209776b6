"""Stages ``screening`` and ``recommendation``: which parameters matter, and which of them to calibrate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gridcal.report.screening import screening
from gridcal.screening import recommend
from gridcal.study.folder import Study
from gridcal.study.measuring import timed_samples
from gridcal.study.stage import Estimate, Figures, Stage, opened
from gridcal.workflow.config import ScreeningSection, StudyConfig
from gridcal.workflow.plan_inputs import few_samples
from gridcal.workflow.study_job import StudyJob


def _make(job: StudyJob) -> Mapping[str, Any]:
    return {"screening": job.effects}


def _recommend(job: StudyJob) -> Mapping[str, Any]:
    found = job.study.open("screening").load()
    advice = recommend(found, (job.config.screening or ScreeningSection()).threshold)
    table = advice.table
    ranked = {
        str(t): [
            {
                "parameter": str(table["parameter"].values[j]),
                **{str(n): table[n].values[i, j].item() for n in table.data_vars},
            }
            for j in np.argsort(table["rank"].values[i], kind="stable")
        ]
        for i, t in enumerate(table["target"].values)
    }
    document = {"threshold": advice.threshold, "kept": advice.kept, "warnings": list(advice.warnings), "ranked": ranked}
    return {"recommendation": document}


def _asked(config: StudyConfig) -> bool:
    return config.screening is not None


def _estimate(job: StudyJob) -> Estimate:
    section = (job.config.screening or ScreeningSection()).model_copy(update={"chunk": 1})
    few = StudyJob(job.config.model_copy(update={"screening": section}), few_samples(job.sources, 2))
    return timed_samples(few.effects, job.effects)


def _section(study: Study) -> str:
    return screening(opened(study, "screening"), study.read_record("recommendation"))


SCREENING = Stage(
    name="screening",
    label="screening parameters",
    make=_make,
    makes=("screening",),
    reads=("samples",),
    keys=("screening",),
    depends=lambda job: {"effects": job.effects.attrs.get("fingerprint", "")},
    takes_part=_asked,
    check=lambda job: job.effects,
    costly=True,
    estimate=_estimate,
    figures=(Figures("screening", "Screening", _section),),
)
RECOMMENDATION = Stage(
    name="recommendation",
    label="ranking parameters",
    make=_recommend,
    records=("recommendation",),
    reads=("screening",),
    keys=("screening.threshold",),
    takes_part=_asked,
)
