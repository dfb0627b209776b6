"""Stage ``scores``: the reference and every method scored at sites they have not seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gridcal.comparison.comparison_job import ComparisonJob
from gridcal.comparison.lazy_tiles import lazy_tiles
from gridcal.comparison.plan_inputs import scoring
from gridcal.comparison.tiles import CALIBRATED, QUALITIES, SCORE_DIMS, score_block
from gridcal.extrapolation.assessment.site_scores import METRICS, MOMENTS, SCALES
from gridcal.study.measuring import on_worker
from gridcal.study.stage import Estimate, Stage


def _make(job: ComparisonJob) -> Mapping[str, Any]:
    time = pd.DatetimeIndex(job.study.open("sites").indexes["time"]).year
    coords: dict[str, Any] = {
        "quality": list(QUALITIES), "method": [CALIBRATED, *job.config.methods], "scale": list(SCALES),
        "metric": list(METRICS), "moment": list(MOMENTS), "year": np.arange(time.min(), time.max() + 1),
    }  # fmt: skip
    variables: dict[str, Any] = {name: (dims, np.float64) for name, dims in SCORE_DIMS.items()}
    lazy = lazy_tiles(score_block, job.rows, variables, {k: len(v) for k, v in coords.items()}, job.ticket)
    return {"scores": lazy.assign_coords(coords).assign_attrs(stage="score")}


def _estimate(job: ComparisonJob) -> Estimate:
    (seconds, nbytes), peak = on_worker(scoring, job.document)
    tiles = -(-job.sources.data.sizes["site"] // job.config.calibration.chunk)
    return Estimate(tiles, nbytes, seconds, peak_bytes=peak)


SCORES = Stage(
    name="scores",
    label="scoring sites",
    make=_make,
    makes=("scores",),
    reads=("sites", "calibration", "predictions"),
    keys=("p_model",),
    estimate=_estimate,
)
