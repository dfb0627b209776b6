"""Sections of maps: predicted parameters, and fluxes of the run with them."""

from __future__ import annotations

import numpy as np
import xarray as xr

from gridcal import plot
from gridcal.report.page import absent, image


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
