"""Stage ``predictions``: every method fitted on the training sites of a fold, predicting all sites; a fold is a tile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from gridcal.comparison.comparison_job import ComparisonJob
from gridcal.comparison.folds import site_folds
from gridcal.comparison.lazy_tiles import lazy_tiles
from gridcal.comparison.plan_inputs import learning_seconds
from gridcal.comparison.tiles import learn_block
from gridcal.study.measuring import on_worker
from gridcal.study.stage import Estimate, Stage


def _make(job: ComparisonJob) -> Mapping[str, Any]:
    config, sites = job.config, job.study.open("sites")
    numbers = np.arange(int(sites["fold_of_site"].values.max()) + 1)
    folds = xr.Dataset({"number": ("fold", numbers)}, coords={"fold": numbers}).chunk(fold=1)
    sizes = {"method": len(config.methods), "site": sites.sizes["site"], "parameter": len(job.searched)}
    variables = {
        "unit": (("fold", "method", "site", "parameter"), np.float64),
        "flagged": (("fold", "method", "site"), np.int8),
    }
    lazy = lazy_tiles(learn_block, folds, variables, sizes, job.ticket)
    lazy = lazy.assign_coords(method=list(config.methods), site=sites["site"].values, parameter=job.searched)
    # a fold is a tile: all its sites in one chunk
    return {"predictions": lazy.assign_attrs(stage="learn").chunk({"site": -1})}


def _estimate(job: ComparisonJob) -> Estimate:
    n_folds = int(site_folds(job.config, job.sources).max()) + 1
    values = n_folds * len(job.config.methods) * job.sources.data.sizes["site"]
    seconds, peak = on_worker(learning_seconds, job.document)
    return Estimate(n_folds, values * (8 * len(job.searched) + 1), n_folds * seconds, peak_bytes=peak)


PREDICTIONS = Stage(
    name="predictions",
    label="learning in folds",
    make=_make,
    makes=("predictions",),
    folders=("networks",),
    reads=("sites", "calibration"),
    keys=("methods", "search", "training", "features", "p_model"),
    estimate=_estimate,
)
