"""Skill of the default, the calibrated and the extrapolated run; importance of features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from gridcal.plot.style import RUN_COLOURS, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _first(skill: xr.Dataset, **chosen: str) -> xr.Dataset:
    """One variable, scale and season: those named, else the first."""
    for dim in ("variable", "scale", "season", "period"):
        if dim in skill.dims:
            labels = [str(v) for v in skill[dim].values]
            skill = skill.sel({dim: chosen[dim]}) if chosen.get(dim) in labels else skill.isel({dim: 0})
    return skill


def skill_by_run(skill: xr.Dataset, metric: str = "nse", scale: str | None = None) -> Figure:
    """Distribution over the samples by run, one panel a period and season."""
    periods = [str(p) for p in skill["period"].values]
    seasons = [str(s) for s in skill["season"].values]
    units = str(skill[metric].attrs.get("units", "1"))
    with style():
        figure = new_figure(3.1 * len(seasons), 2.5 * len(periods) + 0.3)
        grid = figure.subplots(len(periods), len(seasons), squeeze=False, sharex=True)
        for i, period in enumerate(periods):
            for j, season in enumerate(seasons):
                axis = grid[i][j]
                part = _first(skill, season=season, period=period, **({"scale": scale} if scale else {}))[metric]
                for k, run in enumerate(map(str, skill["run"].values)):
                    x = part.sel(run=run).values.ravel()
                    x = x[np.isfinite(x)]
                    if not x.size:
                        continue
                    shown = np.clip(x, -1.0, None) if metric in ("nse", "kge") else x
                    jitter = ((np.arange(x.size) * 0.618) % 1.0 - 0.5) * 0.55
                    axis.scatter(shown, k + jitter, s=7, color=RUN_COLOURS.get(run, "#777777"), alpha=0.4, linewidth=0)
                    axis.plot([np.median(shown)] * 2, [k - 0.38, k + 0.38], color="black", linewidth=1.4)
                    where = axis.get_yaxis_transform()
                    axis.text(1.0, k - 0.44, f"{np.median(x):.2f}", transform=where, ha="right", va="bottom", fontsize=7.5)
                axis.set_yticks(range(skill.sizes["run"]), [str(r) for r in skill["run"].values] if j == 0 else [])
                axis.set_ylim(skill.sizes["run"] - 0.4, -0.7)
                axis.set_title(f"{period}, {season}" if len(periods) > 1 else season, loc="left")
                if i == len(periods) - 1:
                    axis.set_xlabel(f"{metric.upper()}" + (f" ({units})" if units != "1" else " (dimensionless)"))
    return figure


def default_against_calibrated(skill: xr.Dataset, metric: str = "rmse", period: str | None = None) -> Figure:
    """Score of the calibrated and the extrapolated run against the default's, sample by sample."""
    part = _first(skill, season="all", **({"period": period} if period else {}))[metric]
    units = str(skill[metric].attrs.get("units", "1"))
    with style():
        figure = new_figure(4.6, 4.2)
        axis = figure.subplots()
        x = part.sel(run="default").values.ravel()
        top = 0.0
        for run in ("calibrated", "extrapolated"):
            if run in part["run"].values:
                y = part.sel(run=run).values.ravel()
                axis.scatter(x, y, s=14, color=RUN_COLOURS[run], alpha=0.6, linewidth=0, label=run)
                both = np.isfinite(x) & np.isfinite(y)
                top = max(top, float(np.max(x[both], initial=0.0)), float(np.max(y[both], initial=0.0)))
        axis.plot([0, top], [0, top], color="#444444", linewidth=0.8, linestyle="--")
        axis.set_xlabel(f"{metric.upper()} of the default ({units})")
        axis.set_ylabel(f"{metric.upper()} ({units})")
        axis.set_title("below the line: better than the default", loc="left")
        axis.legend(loc="upper left")
    return figure


def importance(table: xr.Dataset, top: int = 15) -> Figure:
    """Share of each feature in each parameter's prediction, most important first."""
    x = table["importance"]
    order = np.argsort(-x.mean("parameter").values)[:top]
    features = [str(f) for f in x["feature"].values[order]]
    parameters = [str(p) for p in x["parameter"].values]
    values = x.transpose("feature", "parameter").values[order]
    with style():
        figure = new_figure(1.0 * len(parameters) + 3.2, 0.3 * len(features) + 1.4)
        axis = figure.subplots()
        picture = axis.imshow(values, cmap="YlGnBu", vmin=0, vmax=max(float(values.max()), 1e-9), aspect="auto")
        for i in range(values.shape[0]):
            for j in range(values.shape[1]):
                if values[i, j] >= 0.02:
                    colour = "white" if values[i, j] > 0.6 * values.max() else "#2b2f36"
                    axis.text(j, i, f"{values[i, j]:.2f}", ha="center", va="center", fontsize=7.5, color=colour)
        axis.set_xticks(range(len(parameters)), parameters, rotation=30, ha="right")
        axis.set_yticks(range(len(features)), features)
        axis.tick_params(length=0)
        figure.colorbar(picture, ax=axis, label="permutation importance, share (dimensionless)")
    return figure
