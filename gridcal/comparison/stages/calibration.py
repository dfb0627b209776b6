"""Stage ``calibration``: parameters calibrated at every site by itself, the reference. Folds do not concern it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gridcal.comparison.comparison_job import ComparisonJob
from gridcal.comparison.lazy_tiles import lazy_tiles
from gridcal.comparison.plan_inputs import calibration_seconds
from gridcal.comparison.stages.sites import DATA_KEYS, inputs
from gridcal.comparison.tiles import calibrate_block
from gridcal.study.measuring import on_worker
from gridcal.study.stage import Estimate, Stage


def _make(job: ComparisonJob) -> Mapping[str, Any]:
    variables = {
        "unit": (("site", "parameter"), np.float64), "cost": (("site",), np.float64),
        "edge_hit": (("site", "parameter"), np.int8), "evaluations": (("site",), np.int64),
    }  # fmt: skip
    lazy = lazy_tiles(calibrate_block, job.rows, variables, {"parameter": len(job.searched)}, job.ticket)
    return {"calibration": lazy.assign_coords(parameter=job.searched).assign_attrs(stage="calibrate")}


def _estimate(job: ComparisonJob) -> Estimate:
    n = job.sources.data.sizes["site"]
    seconds, peak = on_worker(calibration_seconds, job.document)
    return Estimate(-(-n // job.config.calibration.chunk), n * (9 * len(job.searched) + 16), seconds, peak_bytes=peak)


CALIBRATION = Stage(
    name="calibration",
    label="calibrating sites",
    make=_make,
    makes=("calibration",),
    keys=(*DATA_KEYS, "objective", "calibration"),
    depends=inputs,
    check=lambda job: job.searched,
    costly=True,
    estimate=_estimate,
)
