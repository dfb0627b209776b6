"""Section on the learner: skill and features."""

from __future__ import annotations

from html import escape
from typing import Any

import xarray as xr

from gridcal import plot
from gridcal.report.page import absent, image, table


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
