"""Figures of a comparison: skill by method, likelihood, parameters, importance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from gridcal.plot.style import new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HIGHLIGHT = {"site-calib": "#111111", "SPIE": "#d55e00"}
_OTHER = "#0072b2"
_FLOOR = -1.0


def skill_by_method(scores: xr.Dataset, quality: str) -> Figure:
    """Distribution over the sites of NSE, one panel a time scale, methods sorted by the median of daily NSE."""
    x = scores["score"].sel({"quality": quality, "metric": "nse"})
    x = x.where(x.notnull().all("method"))
    names = [str(m) for m in x["method"].values]
    middle = x.sel(scale="daily").median("site").values
    order = np.argsort(np.where(np.isfinite(middle), -middle, np.inf))
    scales = [str(s) for s in x["scale"].values if x.sel(scale=s).notnull().any()]
    with style():
        figure = new_figure(2.6 * len(scales) + 0.8, 0.27 * len(names) + 0.9)
        for axis, scale in zip(np.atleast_1d(figure.subplots(1, len(scales), sharey=True)), scales, strict=True):
            for row, k in enumerate(order):
                values = x.sel(scale=scale).values[:, k]
                values = values[np.isfinite(values)]
                if not values.size:
                    continue
                low, mid, high = np.quantile(values, [0.25, 0.5, 0.75])
                colour = _HIGHLIGHT.get(names[k], _OTHER)
                axis.plot(np.clip([low, high], _FLOOR, None), [row, row], color=colour, linewidth=4, alpha=0.35)
                axis.plot(max(mid, _FLOOR), row, "o", color=colour, markersize=4.5)
                label = f"{mid:.2f} / {100 * (values > 0).mean():.0f} %"
                axis.text(1.02, row, label, transform=axis.get_yaxis_transform(), va="center", fontsize=6.5)
            axis.axvline(0.0, color="#8a8f98", linewidth=0.7)
            axis.set_xlim(_FLOOR, 1.0)
            axis.set_title(scale, loc="left")
            axis.set_xlabel("NSE")
            axis.set_yticks(range(len(order)), [names[k] for k in order])
        axis.set_ylim(len(order) - 0.5, -0.5)
    return figure


def likelihood(table: xr.Dataset) -> Figure:
    """Likelihood of being the best, by method and combination of metric and scale."""
    overall = table["likelihood_overall"].values
    use = np.flatnonzero(np.isfinite(overall))
    use = use[np.argsort(-overall[use])]
    values = table["likelihood"].values[use]
    columns = [*map(str, table["combination"].values), "overall"]
    values = np.concatenate([values, overall[use, None]], axis=1)
    names = [str(m) for m in table["method"].values[use]]
    with style():
        figure = new_figure(0.62 * len(columns) + 2.0, 0.27 * len(names) + 1.3)
        axis = figure.subplots()
        picture = axis.imshow(values, cmap="YlGnBu", vmin=0, vmax=1, aspect="auto")
        for i, j in np.ndindex(values.shape):
            if values[i, j] >= 0.005:
                colour = "white" if values[i, j] > 0.6 else "#2b2f36"
                axis.text(j, i, f"{values[i, j]:.2f}", ha="center", va="center", fontsize=7, color=colour)
        axis.set_xticks(range(len(columns)), columns, rotation=35, ha="right")
        axis.set_yticks(range(len(names)), names)
        axis.tick_params(length=0)
        figure.colorbar(picture, ax=axis, label="share of the groups (dimensionless)")
    return figure


def loss_against_distance(table: xr.Dataset, methods: list[str]) -> Figure:
    """Loss of daily NSE against the distance of the parameters to the calibrated ones, site by site."""
    present = [m for m in methods if m in table["method"].values]
    with style():
        figure = new_figure(2.7 * max(len(present), 1), 2.6)
        for axis, name in zip(np.atleast_1d(figure.subplots(1, max(len(present), 1), sharey=True)), present, strict=False):
            x, y = table["distance"].sel({"method": name}).values, table["loss"].sel({"method": name}).values
            use = np.isfinite(x) & np.isfinite(y)
            axis.scatter(x[use], np.clip(y[use], 0, 2), s=9, color=_HIGHLIGHT.get(name, _OTHER), alpha=0.6, linewidth=0)
            r = np.corrcoef(x[use], y[use])[0, 1] if use.sum() > 2 and x[use].std() > 0 and y[use].std() > 0 else np.nan
            axis.set_title(f"{name}, r = {r:.2f}", loc="left")
            axis.set_xlabel("mean distance (share of the range)")
        figure.axes[0].set_ylabel("loss of daily NSE, cut at 2")
    return figure


def feature_importance(table: xr.Dataset, top: int = 20) -> Figure:
    """Mean importance of the leading features for every parameter, averaged over the three approaches."""
    x = table["mean_importance"]
    order = np.argsort(-x.mean("parameter").values)[:top]
    values = x.transpose("column", "parameter").values[order]
    kinds = [str(k) for k in table["column_class"].values[order]]
    names = [f"{c} ({k})" for c, k in zip(x["column"].values[order], kinds, strict=True)]
    parameters = [str(p) for p in x["parameter"].values]
    with style():
        figure = new_figure(0.5 * len(parameters) + 3.4, 0.24 * len(names) + 1.2)
        axis = figure.subplots()
        picture = axis.imshow(values, cmap="YlGnBu", vmin=0, vmax=max(float(values.max()), 1e-9), aspect="auto")
        axis.set_xticks(range(len(parameters)), parameters, rotation=40, ha="right")
        axis.set_yticks(range(len(names)), names)
        axis.tick_params(length=0)
        figure.colorbar(picture, ax=axis, label="normalised importance (dimensionless)")
    return figure
