"""Stage ``assessment``: tables of the scores, and the likelihood of each method to be the best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridcal.comparison.comparison_job import ComparisonJob
from gridcal.comparison.summary import assessment
from gridcal.report import comparison as report
from gridcal.study.folder import Study
from gridcal.study.stage import Figures, Stage, opened


def _make(job: ComparisonJob) -> Mapping[str, Any]:
    return {"assessment": assessment(job.study, job.config)}


def _skill(study: Study) -> str:
    return report.skill(opened(study, "assessment"), opened(study, "scores"), str(study.config["assessment"]["quality"]))


def _likelihood(study: Study) -> str:
    return report.likelihood(opened(study, "assessment"))


def _classes(study: Study) -> str:
    return report.classes(opened(study, "assessment"))


def _parameters(study: Study) -> str:
    return report.parameters(opened(study, "assessment"))


ASSESSMENT = Stage(
    name="assessment",
    label="assessing",
    make=_make,
    makes=("assessment",),
    reads=("sites", "calibration", "predictions", "scores"),
    keys=("assessment",),
    figures=(
        Figures("skill", "Skill by method", _skill),
        Figures("likelihood", "Likelihood of being the best", _likelihood),
        Figures("classes", "By vegetation type and climate", _classes),
        Figures("parameters", "Parameters", _parameters),
    ),
)
