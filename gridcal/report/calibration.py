"""Sections on the calibration: how the samples fared, their posteriors, planted beside recovered parameters."""

from __future__ import annotations

import numpy as np
import xarray as xr

from gridcal import plot
from gridcal.plot.posterior import fitted_names
from gridcal.report.page import absent, image, table


def middle(x: xr.DataArray) -> float:
    """Median of the finite values; NaN without any."""
    values = x.values[np.isfinite(x.values)]
    return float(np.median(values)) if values.size else float("nan")


def samples(posterior: xr.Dataset | None, theta: xr.Dataset | None) -> str:
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


def posteriors(posterior: xr.Dataset | None, truth: xr.Dataset | None, bounds: dict[str, tuple[float, float]]) -> str:
    """Marginal posteriors and the contraction of the prior."""
    if posterior is None:
        return absent("Posteriors", "Run or resume the study.")
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
    html = absent("Calibrated parameters beside planted ones", "No sample was calibrated with status ok.")
    if good.any():
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
