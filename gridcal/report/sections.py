"""The sections of the report, each from what the study holds; what is absent is said."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import xarray as xr

from gridcal import plot
from gridcal.evaluation.scores import summarise
from gridcal.plot.posterior import fitted_names
from gridcal.report.page import image, table
from gridcal.study.folder import Study


def load(study: Study, name: str) -> xr.Dataset | None:
    """A finished stage in memory, or None."""
    return study.open(name).load() if name in study.stages(complete=True) else None


def middle(x: xr.DataArray) -> float:
    """Median of the finite values; NaN without any."""
    values = x.values[np.isfinite(x.values)]
    return float(np.median(values)) if values.size else float("nan")


def absent(what: str, why: str) -> str:
    """A sentence for what a study does not hold."""
    return f"<p>{escape(what)}: not in this study. {escape(why)}</p>"


def prior_bounds(study: Study, posterior: xr.Dataset) -> dict[str, tuple[float, float]]:
    """Prior range of each fitted parameter: on record, or that of the model for a study made in Python, stage by stage."""
    from gridcal.models import model_named

    provenance = study.read_record("provenance")
    if provenance is None:
        parameters = model_named(str(posterior.attrs["model"])).parameters
        return {n: (parameters[n].lower, parameters[n].upper) for n in fitted_names(posterior)}
    known = provenance.get("bounds", {})
    return {n: (known[n][0], known[n][1]) for n in fitted_names(posterior) if n in known}


def screening(effects: xr.Dataset, record: dict[str, Any] | None) -> str:
    """Which parameters matter for which target, and which decisions to look at again."""
    record = record or {}
    threshold = float(record.get("threshold", 0.1))
    html = ""
    for target, names in record.get("kept", {}).items():
        html += f"<p>{escape(target)}: {escape(', '.join(names) or 'none')} above {threshold:g} of the largest mu*.</p>"
    html += image(plot.screening_boxes(effects, threshold), "elementary effects of the parameters over the samples")
    html += image(plot.screening_scatter(effects, threshold), "spread of the elementary effects against their mean size")
    warnings = record.get("warnings", [])
    if warnings:
        html += "<h3>Look again</h3><ul>" + "".join(f"<li>{escape(w)}</li>" for w in warnings) + "</ul>"
    if {"lat", "lon"} <= set(effects.coords):
        for target in map(str, effects["target"].values):
            html += image(plot.screening_maps(effects, target), f"maps of the effects on {target}")
    dropped = int(effects["n_failed"].sum())
    runs = int(effects.attrs["runs"])
    html += f"<p>{runs} runs a sample; trajectories dropped because a run was not finite: {dropped}."
    if "n_dead" in effects:
        share = 100.0 * float(effects["n_dead"].mean()) / runs
        html += f" {effects['n_dead'].attrs.get('long_name', 'dead runs')}: {share:.1f} %."
    return html + "</p>"


def samples(study: Study, posterior: xr.Dataset | None, theta: xr.Dataset | None) -> str:
    """Map of the samples and how they fared."""
    if posterior is None:
        return absent("Calibration", "Run or resume the study.")
    names = str(posterior["status"].attrs.get("flag_meanings", "")).split()
    codes, count = np.unique(posterior["status"].values, return_counts=True)
    rows = [[names[c] if c < len(names) else str(c), int(n)] for c, n in zip(codes, count, strict=True)]
    html = ""
    if {"lat", "lon"} <= set(posterior.coords):
        background = None
        if theta is not None and {"lat", "lon"} <= set(theta.dims):
            span = np.ptp(posterior["lon"].values) < 3 * np.ptp(theta["lon"].values)
            background = theta[fitted_names(posterior)[0]] if span else None
        html += image(plot.sample_map(posterior, background=background), "map of the calibrated samples, coloured by skill")
    runs = middle(posterior["n_runs"].sum("block"))
    html += f"<p>{posterior.sizes[posterior['status'].dims[0]]} samples; median {runs:.0f} model runs each.</p>"
    return html + table(["status", "samples"], rows)


def posteriors(study: Study, posterior: xr.Dataset | None, truth: xr.Dataset | None) -> str:
    """Marginal posteriors and the contraction of the prior."""
    if posterior is None:
        return absent("Posteriors", "Run or resume the study.")
    bounds = prior_bounds(study, posterior)
    if not bounds:
        return absent("Prior ranges", "An older gridcal made it without putting them on record; resume it once.")
    at = None
    if truth is not None:
        at = truth[list(bounds)].sel(lat=posterior["lat"], lon=posterior["lon"])
    html = ""
    if any(str(v).endswith("_draws") for v in posterior.data_vars):
        caption = "One ridge a sample; the axis is the prior's range, the bar the posterior mean"
        caption += ", the diamond the planted value." if at is not None else "."
        html += image(plot.posterior_pixels(posterior, bounds, at), "marginal posteriors of sample pixels", caption)
    if any(np.isfinite(posterior[f"{n}_sd"].values).any() for n in bounds):
        html += image(plot.contraction(posterior, bounds), "posterior standard deviation relative to the prior's")
    else:
        html += absent("Posterior", "The method gives an estimate without a posterior.")
    rows = []
    for name, (low, high) in bounds.items():
        hit = posterior[f"{name}_edge_hit"].values
        units = posterior[name].attrs.get("units", "1")
        rows.append(
            [
                name, units, low, high, middle(posterior[name]), middle(posterior[f"{name}_sd"]),
                100.0 * float(np.mean(hit[np.isfinite(hit)] > 0.1)) if np.isfinite(hit).any() else float("nan"),
            ]
        )  # fmt: skip
    header = [
        "parameter",
        "units",
        "lower",
        "upper",
        "median estimate",
        "median posterior sd",
        "edge-hitting samples (%)",
    ]
    return html + table(header, rows)


def recovery(posterior: xr.Dataset | None, truth: xr.Dataset | None, theta: xr.Dataset | None) -> str:
    """Planted against recovered parameters, at the samples and over the map."""
    if posterior is None or truth is None:
        return absent("Planted parameters", "Only a synthetic twin knows the truth.")
    names = fitted_names(posterior)
    good = posterior["status"].values == 0
    dim = posterior["status"].dims[0]
    part = posterior.isel({dim: good})
    at = truth[names].sel(lat=part["lat"], lon=part["lon"])
    html = image(
        plot.recovery(at, part, names, "posterior mean, 90 % interval"),
        "planted against calibrated parameters at samples",
    )
    if theta is not None:
        html += image(
            plot.recovery(truth[names], theta[names], names, "learnt map"),
            "planted against learnt parameters over the map",
        )
    return html


def skill(found: xr.Dataset | None) -> str:
    """Default, calibrated and extrapolated runs against the observations."""
    if found is None:
        return absent("Scores", "Run or resume the study.")
    html = image(
        plot.skill_by_run(found, "nse"),
        "Nash-Sutcliffe efficiency by run, season and period",
        "NSE below -1 is drawn at -1.",
    )
    period = "validation" if "validation" in found["period"].values else str(found["period"].values[0])
    html += image(plot.default_against_calibrated(found, "rmse", period), f"RMSE against that of the default run, {period}")
    frame = summarise(found, ("r", "r2", "rmse", "me", "nrmse", "nse", "kge", "diso"))
    if "season" in frame:
        frame = frame[frame["season"] == "all"]
    units = found["rmse"].attrs.get("units", "")
    columns = [c for c in frame.columns if c != "season"]
    header = [f"{c} ({units})" if c in ("rmse", "me") else c for c in columns]
    return html + "<p>Medians over the samples, all seasons:</p>" + table(header, frame[columns].to_numpy().tolist())


def learning(skills: xr.Dataset | None, table_of: xr.Dataset | None, screen: Any) -> str:
    """Skill and features of the learner."""
    if skills is None or table_of is None:
        return absent("Learner", "Run or resume the study.")
    html = ""
    if screen:
        refused = ", ".join(f"{k.removeprefix('refused_')}: {v}" for k, v in screen.items() if k.startswith("refused_"))
        html += f"<p>Learnt from {screen['training']} of {screen['samples']} samples; refused by rule: {escape(refused)}.</p>"
    rows = [
        [str(p), *(float(skills[m].sel(parameter=p)) for m in ("r", "r2", "nse", "rmse"))] for p in skills["parameter"].values
    ]
    html += "<p>Out-of-fold skill, parameter by parameter (RMSE in the parameter's units):</p>"
    html += table(["parameter", "r", "r2", "NSE", "RMSE"], rows)
    return html + image(plot.importance(table_of), "importance of the features for each parameter")


def maps(theta: xr.Dataset | None) -> str:
    """Parameter maps with histograms, and where the learner extrapolates."""
    if theta is None:
        return absent("Parameter maps", "Run or resume the study.")
    if not {"lat", "lon"} <= set(theta.dims):
        return absent("Parameter maps", "The study predicts at samples only.")
    html = image(plot.parameter_maps(theta), "maps of the predicted parameters with histograms")
    if "dissimilarity" in theta:
        far = float(np.nanmean(np.where(np.isfinite(theta["dissimilarity"]), theta["dissimilarity"] > 1.0, np.nan)))
        html += image(plot.parameter_maps(theta, ["dissimilarity"]), "distance to the training samples in feature space")
        html += (
            f"<p>{100 * far:.1f} % of the pixels lie further from the nearest training sample than training samples lie apart "
        )
        html += "on average (dissimilarity above 1): there the learner extrapolates.</p>"
    return html


def fluxes(found: xr.Dataset | None) -> str:
    """Flux maps and their seasonal cycle."""
    if found is None or not {"lat", "lon"} <= set(found.dims):
        return absent("Flux maps", "Run or resume the study.")
    return "".join(image(plot.flux_maps(found, str(n)), f"maps of {n}") for n in found.data_vars)


def provenance(record: dict[str, Any] | None, caveats: list[str] | None) -> str:
    """What the data do not hold, and how the study was made."""
    html = ""
    if caveats:
        html += "<h3>What the data do not hold</h3><ul>" + "".join(f"<li>{escape(c)}</li>" for c in caveats) + "</ul>"
    if not record:
        return html + absent("Provenance", "The study was made from Python, stage by stage.")
    rows = [["gridcal", record["gridcal"]], ["created", record["created"]], ["python", record["python"]]]
    rows += [["platform", record["platform"]], ["seed", record["seed"]]]
    rows += [["model", f"{record['model']['name']} version {record['model']['version']}, {record['model']['source']}"]]
    rows += [[k, v] for k, v in record["libraries"].items()]
    html += table(["", ""], rows)
    html += "<h3>Inputs</h3>" + table(
        ["data", "licence", "citation"], [[i["title"], i["licence"], i["citation"]] for i in record["inputs"]]
    )
    return html + f"<h3>Configuration</h3><pre>{escape(record['config'])}</pre>"
