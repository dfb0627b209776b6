"""Stage ``headline``: the few numbers that answer what the study was made for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gridcal.calibration.target import Block
from gridcal.models.declared_order import in_declared_order
from gridcal.process.model import ProcessModel
from gridcal.simulation.over_cube import simulate
from gridcal.study.folder import Study
from gridcal.study.measuring import timed
from gridcal.study.stage import Estimate, Stage
from gridcal.vocabulary.periods import scale_name
from gridcal.workflow.map_totals import totals_of_map
from gridcal.workflow.sources import Sources
from gridcal.workflow.study_job import StudyJob


def _number(value: float, units: str, text: str) -> dict[str, Any]:
    return {"value": float(value), "units": units, "text": text}


def _median(x: xr.DataArray) -> float:
    values = x.values[np.isfinite(x.values)]
    return float(np.median(values)) if values.size else float("nan")


def map_error(
    model: ProcessModel, sources: Sources, truth: xr.Dataset, variable: str, theta: xr.Dataset
) -> tuple[float, float]:
    """Error (RMSE) of the default model's map and of the map with parameters `theta`, against the planted ones'."""
    wanted = simulate(sources.grid, model, truth)[variable]
    default = simulate(sources.grid, model)[variable]
    learnt = simulate(sources.grid, model, theta)[variable]
    errors = xr.Dataset({"before": ((default - wanted) ** 2).mean(), "after": ((learnt - wanted) ** 2).mean()})
    errors = errors.compute(scheduler="threads")
    return float(errors["before"]) ** 0.5, float(errors["after"]) ** 0.5


def headline_of_twin(study: Study, model: ProcessModel, sources: Sources, blocks: tuple[Block, ...]) -> dict[str, Any]:
    """How much of the default model's error was removed over the map, and how well the planted parameters came back."""
    truth = study.open("truth")
    posterior = study.open("posterior")
    theta = study.open("parameters")
    names = list(model.parameters.names)
    variable = blocks[0].targets[0].variable
    before, after = map_error(model, sources, truth[names], variable, theta[names])
    units = model.output_units(variable)
    out = {
        "error removed": _number(
            100.0 * (1.0 - after / before),
            "%",
            f"of the default model's {variable.upper()} error over the whole map is gone: against the true, noise-free "
            f"fluxes the RMSE fell from {before:.2f} to {after:.2f} {units}",
        )
    }
    ok = posterior["status"].values == 0
    fitted = [n for b in blocks for n in b.fit]
    at_samples = truth[fitted].sel(lat=posterior["lat"], lon=posterior["lon"])
    for name in fitted if ok.sum() > 1 else ():  # a correlation needs two
        p = model.parameters[name]
        x, y = at_samples[name].values[ok], posterior[name].values[ok]
        r = float(np.corrcoef(x, y)[0, 1])
        inside = (posterior[f"{name}_q05"].values[ok] <= x) & (x <= posterior[f"{name}_q95"].values[ok])
        contraction = 1.0 - (posterior[f"{name}_sd"].values[ok] / ((p.upper - p.lower) / np.sqrt(12.0))) ** 2
        field = float(np.corrcoef(truth[name].values.ravel(), theta[name].values.ravel())[0, 1])
        out[f"recovery of {name}"] = _number(
            r,
            "r",
            f"planted against posterior mean over {int(ok.sum())} samples; the 90 % interval covers the truth at "
            f"{100 * inside.mean():.0f} % of them, the posterior variance is {100 * np.median(contraction):.0f} % below "
            f"the prior's, and over the learnt map r = {field:.2f}",
        )
    out["model runs"] = _number(
        float(np.median(posterior["n_runs"].sum("block").values)), "runs a sample", "median over the samples"
    )
    return out


def headline_of_sites(study: Study, sources: Sources, blocks: tuple[Block, ...], every: str) -> dict[str, Any]:
    """Skill at sites in years not used for calibration, at towers not learnt from, and the map's total."""
    skill = study.open("skill")
    out: dict[str, Any] = {}
    dim = sources.samples.space_dims[0]
    chosen = skill["nse"]
    if "season" in chosen.dims:
        chosen = chosen.sel(season="all")
    scale = scale_name(blocks[0].targets[0].every)
    if "scale" in chosen.dims:
        scale = scale if scale in chosen["scale"].values else str(chosen["scale"].values[0])
        chosen = chosen.sel(scale=scale)
    scored = blocks[0].targets[0].variable
    if "variable" in chosen.dims:
        scored = scored if scored in chosen["variable"].values else str(chosen["variable"].values[0])
        chosen = chosen.sel(variable=scored)
    years = "all years scored, those of the calibration among them"
    if "period" in chosen.dims and "validation" in chosen["period"].values:
        chosen = chosen.sel(period="validation")
        years = "years not used for calibration"
    elif "period" in chosen.dims:
        years = f"period {chosen['period'].values[0]!s}"
        chosen = chosen.isel(period=0)
    held = np.isin([str(v) for v in skill[dim].values], sources.held_out)
    for run in ("default", "calibrated", "extrapolated"):
        values = chosen.sel(run=run)
        note = {
            "default": "one default parameter vector everywhere",
            "calibrated": "parameters calibrated at the site",
            "extrapolated": "parameters learnt from other sites",
        }[run]
        n = int(np.isfinite(values.values).sum())
        out[f"{run} NSE"] = _number(_median(values), "median NSE", f"{note}; {scale} {scored.upper()} in {years}, {n} sites")
        if held.any():
            part = values.isel({dim: held})
            n = int(np.isfinite(part.values).sum())
            out[f"{run} NSE at held-out towers"] = _number(_median(part), "median NSE", f"{note}; {n} towers left out")
    fluxes = study.open("fluxes")
    if {"lat", "lon"} <= set(fluxes.dims):
        ordered = fluxes[in_declared_order(map(str, fluxes.data_vars), str(fluxes.attrs.get("model", "")))]
        totals = totals_of_map(ordered, every, pd.DatetimeIndex(sources.grid.data.indexes["time"]))
        out |= {label: _number(**number) for label, number in totals.items()}
    return out


def _make(job: StudyJob) -> Mapping[str, Any]:
    if job.sources.truth is not None:
        return {"headline": headline_of_twin(job.study, job.model, job.sources, job.blocks)}
    return {"headline": headline_of_sites(job.study, job.sources, job.blocks, job.config.map.every)}


def _estimate(job: StudyJob) -> Estimate:
    """Of a twin the map is run with three sets of parameters; otherwise next to nothing."""
    if job.sources.truth is None:
        return Estimate(0, 0, 0.0)
    truth = job.sources.truth[list(job.model.parameters.names)]
    _, seconds = timed(map_error, job.model, job.sources, truth, job.blocks[0].targets[0].variable, truth)
    return Estimate(0, 0, 0.0, seconds)


HEADLINE = Stage(
    name="headline",
    label="summing up",
    make=_make,
    records=("headline",),
    estimate=_estimate,
    reads=("samples", "truth", "calibration", "parameters", "fluxes", "skill"),
)
