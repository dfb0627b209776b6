"""Stage ``headline``: which way to extrapolate is best, and by how much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gridcal.comparison.comparison_job import ComparisonJob
from gridcal.comparison.summary import headline
from gridcal.study.stage import Stage


def _make(job: ComparisonJob) -> Mapping[str, Any]:
    return {"headline": headline(job.study, job.config)}


HEADLINE = Stage(name="headline", label="summing up", make=_make, records=("headline",), reads=("assessment",))
