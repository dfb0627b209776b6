"""Stage ``headline``: which way to extrapolate is best, and by how much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridcal.comparison.comparison_job import ComparisonJob
from gridcal.comparison.summary import headline
from gridcal.report.comparison import sites
from gridcal.study.folder import Study
from gridcal.study.stage import Figures, Stage, opened


def _make(job: ComparisonJob) -> Mapping[str, Any]:
    return {"headline": headline(job.study, job.config)}


def _section(study: Study) -> str:
    return sites(opened(study, "sites"))


HEADLINE = Stage(
    name="headline",
    label="summing up",
    make=_make,
    records=("headline",),
    reads=("assessment",),
    figures=(Figures("sites", "Sites and folds", _section),),  # a long list, behind what was found
)
