"""Section on the screening: which parameters matter."""

from __future__ import annotations

from html import escape
from typing import Any

import xarray as xr

from gridcal import plot
from gridcal.report.page import absent, image


def screening(effects: xr.Dataset | None, record: dict[str, Any] | None) -> str:
    """Which parameters matter for which target, and which decisions to look at again."""
    if effects is None:
        return absent("Screening", "Run or resume the study.")
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
