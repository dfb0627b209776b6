"""Section on skill: runs beside observations."""

from __future__ import annotations

import xarray as xr

from gridcal import plot
from gridcal.evaluation import summarise
from gridcal.report.page import absent, image, table


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
