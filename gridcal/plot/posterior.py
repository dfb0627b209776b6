"""Posteriors of sample pixels, and how much the data narrowed the prior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from gridcal.models.declared_order import in_declared_order
from gridcal.plot.style import label_of, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def fitted_names(posterior: xr.Dataset) -> list[str]:
    """Parameters that were calibrated, in the model's order."""
    found = [str(n).removesuffix("_sd") for n in posterior.data_vars if str(n).endswith("_sd")]
    return in_declared_order(found, posterior.attrs.get("model"))


def posterior_pixels(
    posterior: xr.Dataset,
    bounds: Mapping[str, tuple[float, float]],
    truth: xr.Dataset | None = None,
    names: Sequence[str] | None = None,
    count: int = 12,
) -> Figure:
    """Marginal posteriors of some samples, one ridge a sample, over the prior's range.

    Parameters
    ----------
    posterior : Dataset
        Result of a calibration, with draws.
    bounds : mapping
        Prior range of each parameter.
    truth : Dataset, optional
        Planted values at the samples.
    names : sequence of str, optional
        Parameters; all fitted ones without it.
    count : int
        Samples, spread over the estimates of the first parameter.
    """
    names = list(names or fitted_names(posterior))
    dim = posterior["status"].dims[0]
    good = np.flatnonzero(posterior["status"].values == 0)
    order = good[np.argsort(posterior[names[0]].values[good])]
    chosen = order[np.linspace(0, order.size - 1, min(count, order.size)).round().astype(int)] if order.size else order
    with style():
        figure = new_figure(3.1 * len(names), 0.34 * max(chosen.size, 4) + 1.4)
        axes = figure.subplots(1, len(names), squeeze=False, sharey=True)[0]
        for axis, name in zip(axes, names, strict=True):
            low, high = bounds[name]
            edges = np.linspace(low, high, 161)
            centre = 0.5 * (edges[1:] + edges[:-1])
            for row, k in enumerate(chosen):
                colour = "#3b6fa0" if row % 2 else "#5b9bd5"
                if f"{name}_draws" in posterior:
                    draws = posterior[f"{name}_draws"].isel({dim: k}).values.ravel()
                    height = np.histogram(draws, edges)[0].astype(float)
                    height = np.convolve(height, [0.25, 0.5, 0.25], mode="same")
                    height *= 0.85 / max(height.max(), 1e-9)
                    axis.fill_between(centre, row, row + height, color=colour, alpha=0.85, linewidth=0)
                axis.plot([posterior[name].values[k]] * 2, [row, row + 0.25], color="black", linewidth=1.2)
                if truth is not None:
                    axis.plot(truth[name].values[k], row + 0.12, marker="D", color="#d55e00", markersize=3.5)
            axis.set_xlim(low, high)
            axis.set_xlabel(label_of(name, posterior[name].attrs))
            axis.set_title(name, loc="left")
            axis.spines["left"].set_visible(False)
            axis.tick_params(axis="y", length=0)
        axes[0].set_yticks(np.arange(chosen.size))
        axes[0].set_yticklabels([str(posterior[dim].values[k]) for k in chosen], parse_math=False)
        axes[0].set_ylabel(dim)
    return figure


def contraction(posterior: xr.Dataset, bounds: Mapping[str, tuple[float, float]]) -> Figure:
    """Posterior standard deviation over the prior's, sample by sample: near 0 the data decide, near 1 the prior."""
    names = fitted_names(posterior)
    good = posterior["status"].values == 0
    with style():
        figure = new_figure(7.2, 0.42 * len(names) + 1.3)
        axis = figure.subplots()
        for k, name in enumerate(names):
            low, high = bounds[name]
            ratio = posterior[f"{name}_sd"].values[good] / ((high - low) / np.sqrt(12.0))
            jitter = ((np.arange(ratio.size) * 0.618) % 1.0 - 0.5) * 0.5
            axis.scatter(ratio, k + jitter, s=7, color="#0072b2", alpha=0.35, linewidth=0)
            middle = np.nanmedian(ratio) if np.isfinite(ratio).any() else np.nan
            axis.plot([middle] * 2, [k - 0.36, k + 0.36], color="black")
        axis.set_yticks(range(len(names)), names)
        axis.invert_yaxis()
        axis.set_xlim(0, 1.15)
        axis.axvline(1.0, color="#9a9a9a", linewidth=0.8, linestyle="--")
        axis.set_xlabel("posterior standard deviation over that of the prior (dimensionless)")
        axis.set_title("how much the observations say about each parameter", loc="left")
    return figure


def recovery(planted: xr.Dataset, found: xr.Dataset, names: Sequence[str], label: str) -> Figure:
    """Planted against found values, with their correlation."""
    with style():
        figure = new_figure(3.0 * len(names), 3.2)
        axes = figure.subplots(1, len(names), squeeze=False)[0]
        for axis, name in zip(axes, names, strict=True):
            x, y = planted[name].values.ravel(), found[name].values.ravel()
            both = np.isfinite(x) & np.isfinite(y)
            x, y = x[both], y[both]
            if f"{name}_q05" in found:
                spread = np.array([y - found[f"{name}_q05"].values[both], found[f"{name}_q95"].values[both] - y])
                axis.errorbar(x, y, yerr=np.abs(spread), fmt="none", ecolor="#b9c7d6", elinewidth=0.7)
            axis.scatter(x, y, s=9, color="#0072b2", alpha=0.6, linewidth=0, zorder=3)
            low, high = float(min(x.min(), y.min())), float(max(x.max(), y.max()))
            axis.plot([low, high], [low, high], color="#444444", linewidth=0.8, linestyle="--")
            axis.text(0.04, 0.95, f"r = {np.corrcoef(x, y)[0, 1]:.2f}", transform=axis.transAxes, va="top")
            axis.set_xlabel(f"planted {label_of(name, found[name].attrs)}")
            axis.set_title(name, loc="left")
        axes[0].set_ylabel(label)
    return figure
