"""How a calibration went: traces of one sample, and maps or histograms of its diagnostics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from gridcal.errors import InputError
from gridcal.plot.posterior import fitted_names
from gridcal.plot.style import label_of, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIAGNOSTICS = ("n_runs", "rhat", "ess", "ess_ratio", "surrogate_rmse", "cost_mean")
LOGARITHMIC = ("ess", "surrogate_rmse")


def traces(posterior: xr.Dataset, sample: Any, names: Sequence[str] | None = None) -> Figure:
    """Draws of every stored chain of one sample, their histograms, and the surrogate's error by iteration.

    Parameters
    ----------
    posterior : Dataset
        Result of a calibration, with draws.
    sample : label
        The pixel or site.
    names : sequence of str, optional
        Parameters; all fitted ones without it.
    """
    names = list(names or fitted_names(posterior))
    if f"{names[0]}_draws" not in posterior:
        raise InputError("the calibration holds no draws to trace", "Use a method that samples, such as MASM()")
    dim = str(posterior["status"].dims[0])
    one = posterior.sel({dim: sample})
    with_error = "surrogate_rmse_trace" in one and bool(np.isfinite(one["surrogate_rmse_trace"]).any())
    with style():
        figure = new_figure(8.0, 1.5 * (len(names) + with_error) + 0.6)
        axes = figure.subplots(len(names) + with_error, 2, squeeze=False, width_ratios=(3, 1))
        for row, name in zip(axes, names, strict=False):
            draws = one[f"{name}_draws"].transpose("chain", "draw").values
            for chain in draws:
                row[0].plot(chain, linewidth=0.5, alpha=0.8)
                row[1].hist(chain, bins=30, histtype="step", orientation="horizontal", density=True)
            row[0].axhline(float(one[name]), color="black", linewidth=0.8)
            row[0].set_ylabel(label_of(name, posterior[name].attrs))
            row[1].set_yticklabels([])
            row[1].set_xticks([])
        if with_error:
            for trace in one["surrogate_rmse_trace"].values.reshape(-1, one.sizes["iteration"]):
                good = np.isfinite(trace) & (trace > 0)
                axes[-1, 0].semilogy(np.flatnonzero(good) + 1, trace[good], marker="o", markersize=2.5)
            axes[-1, 0].set_ylabel("surrogate's error of cost")
            axes[-1, 0].set_xlabel("iteration")
            axes[-1, 1].axis("off")
        axes[0, 0].set_title(f"{dim} {sample}", loc="left")
        axes[len(names) - 1, 0].set_xlabel("draw" if not with_error else "")
    return figure


def diagnostic_maps(posterior: xr.Dataset, names: Sequence[str] = DIAGNOSTICS) -> Figure:
    """Diagnostics of every sample: at its place where ``lat`` and ``lon`` are known, as a histogram otherwise.

    Parameters
    ----------
    posterior : Dataset
        Result of a calibration. Of several blocks the worst value is shown (the sum of the runs).
    names : sequence of str
        Diagnostics; those the result does not hold, or holds no value of, are left out.
    """
    names = [n for n in names if n in posterior and bool(np.isfinite(posterior[n]).any())]
    if not names:
        raise InputError("the calibration holds none of the wanted diagnostics", f"Ask for some of {', '.join(DIAGNOSTICS)}")
    placed = "lat" in posterior.coords and "lon" in posterior.coords
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    with style():
        figure = new_figure(3.4 * columns, 2.6 * rows)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for axis, name in zip(axes, names, strict=False):
            x = posterior[name]
            if "block" in x.dims:
                reduce = "sum" if name == "n_runs" else "min" if name in ("ess", "ess_ratio", "acceptance") else "max"
                x = getattr(x, reduce)("block", skipna=True)
            values = np.where(np.isfinite(x.values), x.values, np.nan)
            label = name
            if name in LOGARITHMIC:
                values, label = np.log10(np.where(values > 0, values, np.nan)), f"log10 {name}"
            if placed:
                points = axis.scatter(posterior["lon"].values, posterior["lat"].values, c=values, s=9, cmap="viridis")
                figure.colorbar(points, ax=axis)
                axis.set_xlabel("longitude (degrees east)")
                axis.set_ylabel("latitude (degrees north)")
            else:
                axis.hist(values[np.isfinite(values)], bins=20)
                axis.set_xlabel(label)
                axis.set_ylabel("samples")
            axis.set_title(label, loc="left")
        for axis in axes[len(names) :]:
            axis.axis("off")
    return figure
