"""Stage ``importance``: what the networks of SPIE use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridcal.comparison.comparison_job import ComparisonJob
from gridcal.comparison.config import ComparisonConfig
from gridcal.comparison.folds import site_folds
from gridcal.comparison.plan_inputs import explaining_seconds
from gridcal.comparison.summary import importance
from gridcal.report import comparison as report
from gridcal.study.folder import Study
from gridcal.study.stage import Estimate, Figures, Stage, opened


def _make(job: ComparisonJob) -> Mapping[str, Any]:
    return {"importance": importance(job.study, job.config, job.searched, job.ticket["folder"])}


def _estimate(job: ComparisonJob) -> Estimate:
    n_folds = int(site_folds(job.config, job.sources).max()) + 1
    return Estimate(1, 0, 0.0, n_folds * explaining_seconds(job.document))


def _asked(config: ComparisonConfig) -> bool:
    return "SPIE" in config.methods and config.explanation.permutations > 0


def _section(study: Study) -> str:
    return report.importance(opened(study, "importance"))


IMPORTANCE = Stage(
    name="importance",
    label="explaining",
    make=_make,
    makes=("importance",),
    reads=("sites", "predictions"),
    keys=("explanation",),
    estimate=_estimate,
    takes_part=_asked,
    figures=(Figures("importance", "What the network uses", _section),),
)
