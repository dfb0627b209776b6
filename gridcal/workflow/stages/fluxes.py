"""Stage ``fluxes``: the model run at every pixel of the grid with the predicted parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from gridcal.cube.calendar import with_calendar
from gridcal.report.maps import fluxes
from gridcal.simulation import simulate
from gridcal.study.folder import Study
from gridcal.study.measuring import timed_tiles
from gridcal.study.stage import Estimate, Figures, Stage, opened
from gridcal.vocabulary.periods import aggregate
from gridcal.workflow.plan_inputs import mapped
from gridcal.workflow.study_job import StudyJob


def _check(job: StudyJob) -> None:
    grid = job.sources.grid
    with_calendar(grid, job.model.forcing).require(job.model.forcing)
    grid.require_daily()


def simulated(job: StudyJob, theta: xr.Dataset | None) -> xr.Dataset:
    """The lazy run of the map at its time scale; with default parameters where `theta` is None."""
    lazy = simulate(job.sources.grid, job.model, theta)
    every = job.config.map.every
    if every != "daily":
        lazy = xr.Dataset({n: aggregate(lazy[n], every) for n in lazy.data_vars}, attrs=lazy.attrs)
    return lazy


def _make(job: StudyJob) -> Mapping[str, Any]:
    return {"fluxes": simulated(job, job.study.open("parameters")[list(job.model.parameters.names)])}


def _estimate(job: StudyJob) -> Estimate:
    return timed_tiles(simulated(job, None), mapped(job))


def _section(study: Study) -> str:
    return fluxes(opened(study, "fluxes"))


FLUXES = Stage(
    name="fluxes",
    label="running the map",
    make=_make,
    makes=("fluxes",),
    reads=("samples", "parameters"),
    keys=("map.every",),
    check=_check,
    estimate=_estimate,
    figures=(Figures("fluxes", "Fluxes", _section),),
)
