"""Sections on a comparison of ways to extrapolate parameters."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import xarray as xr

from gridcal.plot import comparison as figures
from gridcal.report.page import absent, image, table

PAPER = {
    "site-calib": "site means 0.95",
    "SPIE": "NSE above 0 at 74 % of sites; site means 0.68",
}
"""Bao et al. 2023 (196 sites); for every other extrapolation fewer than 41 % of sites and site means of 0 or below."""


def skill(found: xr.Dataset | None, scores: xr.Dataset | None, quality: str) -> str:
    """Scores of every method at four time scales."""
    if found is None or scores is None:
        return absent("Scores", "Resume the comparison.")
    caption = "Bars: first to third quartile over the sites; points: median, cut at -1; at the right: median / share above 0."
    html = image(figures.skill_by_method(scores, quality), "NSE of every method at four time scales", caption)
    for which, text in (
        ("present", "every day with GPP and drivers"),
        ("tower", "days with daily tower radiation and temperature"),
    ):
        skill = found["skill"].sel({"quality": which, "metric": "nse"})
        count = int(np.nanmax(skill.sel({"scale": "daily", "summary": "n"}).values))
        if not count:
            html += absent(f"Scores on {text}", "The data do not say which days those are, or no site has enough of them.")
            continue
        rows = []
        for name in map(str, found["method"].values):
            s = skill.sel({"method": name})
            row: list[Any] = [name]
            for scale in ("daily", "weekly", "monthly", "yearly"):
                row += [float(s.sel({"scale": scale, "summary": k})) for k in ("median", "share_above_0")]
            row += [float(s.sel({"scale": "daily", "summary": k})) for k in ("q25", "mean_nnse")]
            row.append(float(found["spatial"].sel({"quality": which, "method": name, "metric": "nse"})))
            row.append(
                float(found["better"].sel({"quality": which, "method": name, "scale": "daily"})) if "better" in found else ""
            )
            row.append(PAPER.get(name, ""))
            rows.append(row)
        header = ["method"]
        for scale in ("daily", "weekly", "monthly", "yearly"):
            header += [f"{scale} NSE, median", "share > 0"]
        header += ["daily, 1st quartile", "daily, mean NNSE", "NSE of site means", "SPIE better at (share)", "the paper"]
        html += f"<p>{count} sites scored daily, {escape(text)}:</p>" + table(header, rows)
    return html


def likelihood(found: xr.Dataset | None) -> str:
    """How likely each method is to be the best."""
    if found is None or not np.isfinite(found["likelihood_overall"].values).any():
        why = str(found["likelihood"].attrs.get("comment", "")) if found is not None else "Resume the comparison."
        return absent("Likelihood", why)
    a = found["likelihood"].attrs
    text = f"{a['groups']} groups of {a['group_size']} of {a['eligible_sites']} eligible sites, two years each."
    return image(figures.likelihood(found), "likelihood of every method to be the best", text)


def classes(found: xr.Dataset | None) -> str:
    """Median scores by vegetation type and climate."""
    if found is None:
        return absent("Classes", "Resume the comparison.")
    names = [str(m) for m in found["method"].values]
    x = found["by_class"].sel(scale="daily").transpose("class", "method").values
    rows = [
        [str(c), int(n), *map(float, row)]
        for c, n, row in zip(found["class"].values, found["class_size"].values, x, strict=True)
    ]
    return "<p>Median daily NSE:</p>" + table(["class", "sites", *names], rows)


def parameters(found: xr.Dataset | None) -> str:
    """Predicted parameters beside calibrated and true ones."""
    if found is None:
        return absent("Parameters", "Resume the comparison.")
    parameters = [str(p) for p in found["parameter"].values]
    html = image(
        figures.loss_against_distance(found, ["SPIE", "mRF", "mNN", "OPT-All"]), "loss of skill against distance of parameters"
    )
    html += "<p>Share of sites within 1 % of a bound:</p>"
    names = [str(m) for m in found["method"].values]
    html += table(["method", *parameters], [[n, *map(float, row)] for n, row in zip(names, found["edge"].values, strict=True)])
    html += "<p>Squared correlation with the parameters calibrated at the site:</p>"
    r2 = found["parameter_skill"].sel(statistic="r2").transpose("method", "parameter").values
    html += table(["method", *parameters], [[n, *map(float, row)] for n, row in zip(names, r2, strict=True)])
    if "truth_skill" in found:
        r2 = found["truth_skill"].sel(statistic="r2").transpose("method", "parameter").values
        html += "<p>Squared correlation with the true parameters, and mean distance to them (share of the range):</p>"
        far = found["truth_distance"].values
        rows = [[n, float(d), *map(float, row)] for n, d, row in zip(names, far, r2, strict=True)]
        html += table(["method", "distance", *parameters], rows)
    return html


def importance(found: xr.Dataset | None) -> str:
    """What SPIE's networks use."""
    if found is None:
        return absent("Importance", "The comparison has no network, or explanation.permutations is 0.")
    html = image(figures.feature_importance(found), "importance of features for parameters")
    rows = [
        [
            str(c),
            float(found["class_importance"].sel({"class": c}).mean()),
            float(found["grouped_shap"].sel({"class": c}).mean()),
        ]
        for c in found["class"].values
    ]
    html += "<p>By class of features: mean over its columns, and Shapley value of the class as a whole (unit range):</p>"
    html += table(["class", "mean importance", "grouped SHAP"], rows)
    a = found["agreement"].values
    names = [str(x) for x in found["approach"].values]
    pairs = [f"{names[i]} and {names[j]} {a[i, j]:.2f}" for i in range(len(names)) for j in range(i)]
    return html + f"<p>Rank agreement of the approaches (Spearman): {escape(', '.join(pairs))}.</p>"


def sites(found: xr.Dataset | None) -> str:
    """Which sites are tested in which fold."""
    if found is None:
        return absent("Sites", "Resume the comparison.")
    fold = found["fold_of_site"].values
    rows = []
    for k in sorted(set(fold.tolist())):
        mine = [str(s) for s in found["site"].values[fold == k]]
        name = {-1: "training only", -2: "test only"}.get(k, str(k))
        rows.append([name, len(mine), ", ".join(mine)])
    return table(["fold", "sites", "tested in it"], rows)
