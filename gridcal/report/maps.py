"""Sections of maps: predicted parameters, and fluxes of the run with them."""

from __future__ import annotations

from html import escape

import numpy as np
import xarray as xr

from gridcal import plot
from gridcal.models.declared_order import in_declared_order
from gridcal.report.page import absent, image
from gridcal.vocabulary.longitudes import first_of_place


def maps(theta: xr.Dataset | None) -> str:
    """Parameter maps with histograms, and where the learner extrapolates."""
    if theta is None:
        return absent("Parameter maps", "Run or resume the study.")
    if not {"lat", "lon"} <= set(theta.dims):
        return absent("Parameter maps", "The study predicts at samples only.")
    html = image(plot.parameter_maps(theta), "maps of the predicted parameters with histograms")
    if "dissimilarity" in theta:
        html += image(plot.parameter_maps(theta, ["dissimilarity"]), "distance to the training samples in feature space")
        html += f"<p>{escape(outside(theta['dissimilarity']))}</p>"
    if "n_unseen" in theta:
        known = theta["dissimilarity"].notnull() if "dissimilarity" in theta else xr.ones_like(theta["n_unseen"], dtype=bool)
        unseen = _share(theta["n_unseen"] > 0, known)
        if unseen > 0:
            html += (
                f"<p>{100 * unseen:.1f} % of the pixels have a class that no training sample has: there the other features "
                "decide alone.</p>"
            )
    return html


def outside(dissimilarity: xr.DataArray) -> str:
    """Share of the pixels that lie outside the area of applicability, by the layer's own threshold, in words."""
    threshold = float(dissimilarity.attrs.get("threshold", np.inf))
    if not np.isfinite(threshold):
        return "The learner was not cross-validated, so that no threshold says where it extrapolates."
    share = _share(dissimilarity > threshold, dissimilarity.notnull())
    return (
        f"{100 * share:.1f} % of the pixels are less like the training samples than those are like each other across folds "
        f"(dissimilarity above {threshold:.2f}, the threshold of the area of applicability): there the learner extrapolates."
    )


def _share(chosen: xr.DataArray, known: xr.DataArray) -> float:
    """Share of the known pixels, none counted twice, that are chosen."""
    once = first_of_place(chosen["lon"])
    use = known.isel(lon=once).values
    return float(chosen.isel(lon=once).values[use].mean()) if use.any() else 0.0


def fluxes(found: xr.Dataset | None) -> str:
    """Flux maps and their seasonal cycle."""
    if found is None or not {"lat", "lon"} <= set(found.dims):
        return absent("Flux maps", "Run or resume the study.")
    names = in_declared_order(map(str, found.data_vars), found.attrs.get("model"))
    return "".join(image(plot.flux_maps(found, n), f"maps of {n}") for n in names)
