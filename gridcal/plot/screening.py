"""Screening: how much each parameter matters, over pixels, against its non-linearity, and on the map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from gridcal.plot.maps import draw_map, outlines
from gridcal.plot.style import INK, SEQUENTIAL, new_figure, style
from gridcal.screening import normalised, recommend

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KEPT, DROPPED, DOUBTFUL = "#0072b2", "#a9b1ba", "#d55e00"
LEAST = 0.003
"""Least normalised mu* that the scatter shows."""
_WIDEST = 16.0


def _flat(x: xr.DataArray) -> np.ndarray:
    """Values as (parameter, all pixels)."""
    space = [d for d in x.dims if d != "parameter"]
    return x.transpose("parameter", *space).values.reshape(x.sizes["parameter"], -1)


def _settings(effects: xr.Dataset) -> str:
    """The settings a ranking depends on, in one line."""
    a = effects.attrs
    years = " to ".join(dict.fromkeys(str(a.get("years", "")).split(" .. ")))
    runs = f"{a.get('trajectories', '?')} trajectories, {a.get('levels', '?')} levels, seed {a.get('seed', '?')}"
    return f"{a.get('model', 'model')}, functional: {a.get('functional', 'mean')}, {years}: {runs}"


def screening_boxes(effects: xr.Dataset, threshold: float = 0.1) -> Figure:
    """Box plots over the pixels of mu* divided by the pixel's largest, one panel a target, most influential first.

    Boxes hold the middle half of the pixels, whiskers reach 1.5 box lengths, dots are the pixels beyond. Coloured boxes are
    kept at the threshold; orange ones are dropped but doubtful (see :func:`gridcal.recommend`).

    Parameters
    ----------
    effects : Dataset
        Result of :func:`gridcal.screen`.
    threshold : float
        Share of the largest mu* above which a parameter is kept.
    """
    effects = effects.compute()
    advice = recommend(effects, threshold)
    scaled = normalised(effects)["mu_star"]
    targets = [str(t) for t in effects["target"].values]
    names = np.array([str(p) for p in effects["parameter"].values])
    with style():
        width = min(0.34 * names.size + 1.6, _WIDEST)
        figure = new_figure(max(width, 5.0), 2.6 * len(targets) + 0.9)
        for axis, target in zip(figure.subplots(len(targets), 1, squeeze=False)[:, 0], targets, strict=True):
            row = advice.table.sel(target=target)
            order = np.argsort(row["rank"].values, kind="stable")
            values = _flat(scaled.sel(target=target))[order]
            keep, doubt = row["keep"].values[order], row["doubtful"].values[order]
            colours = [KEPT if k else DOUBTFUL if d else DROPPED for k, d in zip(keep, doubt, strict=True)]
            axis.axhspan(0.0, threshold, color="#f1f2f4", zorder=0)
            axis.axhline(threshold, color="#7d848e", linewidth=0.8, linestyle="--", zorder=1)
            _boxes(axis, values, colours)
            axis.set_xlim(-0.7, names.size - 0.3)
            axis.set_ylim(0.0, 1.04)
            axis.set_xticks(range(names.size), names[order], rotation=45, ha="right", rotation_mode="anchor")
            for label, colour in zip(axis.get_xticklabels(), colours, strict=True):
                label.set_color(INK if colour == KEPT else "#8a8f98" if colour == DROPPED else DOUBTFUL)
            axis.set_ylabel("mu* / largest mu*")
            axis.set_title(f"{target}: {int(keep.sum())} of {names.size} parameters above {threshold:g}", loc="left")
            pixels = int(np.isfinite(values).all(axis=0).sum())
            axis.text(1.0, 1.02, f"{pixels} pixels", transform=axis.transAxes, ha="right", va="bottom", fontsize=7.5)
        figure.legend(handles=_keys(doubtful=bool(advice.table["doubtful"].any())), loc="outside upper right", ncols=3)
        figure.supxlabel(_settings(effects), fontsize=7.5, color="#6b7280")
    return figure


def _boxes(axis: Any, values: np.ndarray, colours: list[str]) -> None:
    """Boxes of the rows of values, coloured; outliers light."""
    rng = np.random.default_rng(0)
    for k, (x, colour) in enumerate(zip(values, colours, strict=True)):
        x = x[np.isfinite(x)]
        if not x.size:
            continue
        low, middle, high = np.quantile(x, [0.25, 0.5, 0.75])
        reach = 1.5 * (high - low)
        inner = x[(x >= low - reach) & (x <= high + reach)]
        outer = x[(x < low - reach) | (x > high + reach)]
        for end, side in ((inner.min(), low), (inner.max(), high)):
            axis.plot([k, k], [end, side], color=colour, linewidth=1.0, zorder=2)
        axis.bar(k, high - low, bottom=low, width=0.62, color=colour, alpha=0.45, edgecolor=colour, linewidth=0.9, zorder=3)
        axis.plot([k - 0.31, k + 0.31], [middle, middle], color=INK, linewidth=1.5, zorder=4, solid_capstyle="butt")
        jitter = rng.uniform(-0.16, 0.16, outer.size)
        axis.scatter(k + jitter, outer, s=5, color=colour, alpha=0.25, linewidth=0, zorder=2, rasterized=True)


def _keys(*, doubtful: bool) -> list[Any]:
    from matplotlib.patches import Patch

    shown = [("kept", KEPT), ("dropped", DROPPED)] + ([("dropped, look again", DOUBTFUL)] if doubtful else [])
    return [Patch(facecolor=c, edgecolor=c, alpha=0.6, label=text) for text, c in shown]


def screening_scatter(effects: xr.Dataset, threshold: float = 0.1) -> Figure:
    """Sigma against mu*, both over the pixel's largest mu*: medians over the pixels, the middle half as bars, logarithmic.

    Below the line sigma = mu* a parameter acts much the same everywhere in its range; above it, its effect depends on where
    it and the others stand. The band left of the threshold above it is where a parameter acts seldom and strongly.

    Parameters
    ----------
    effects : Dataset
        Result of :func:`gridcal.screen`.
    threshold : float
        Share of the largest mu* above which a parameter is kept.
    """
    effects = effects.compute()
    advice = recommend(effects, threshold)
    scaled = normalised(effects)
    targets = [str(t) for t in effects["target"].values]
    names = [str(p) for p in effects["parameter"].values]
    with style():
        figure = new_figure(4.8 * len(targets), 5.0)
        for axis, target in zip(figure.subplots(1, len(targets), squeeze=False)[0], targets, strict=True):
            row = advice.table.sel(target=target)
            x = np.nanquantile(_flat(scaled["mu_star"].sel(target=target)), [0.25, 0.5, 0.75], axis=1)
            y = np.nanquantile(_flat(scaled["sigma"].sel(target=target)), [0.25, 0.5, 0.75], axis=1)
            shown = (x[1] >= LEAST) & (y[1] > 0.0)
            x, y = np.maximum(x, LEAST), np.maximum(y, 0.3 * LEAST)
            low, high = 0.5 * float(min(x[:, shown].min(), y[:, shown].min())), 2.2 * float(max(x.max(), y.max()))
            ends = np.array([low, high])
            axis.fill_between(ends, ends, [high, high], color="#f6f1ea", zorder=0, linewidth=0)
            axis.fill_between([low, threshold], [max(threshold, low)] * 2, [high, high], color="#fbe3d2", zorder=0, linewidth=0)
            axis.plot(ends, ends, color="#b3a995", linewidth=0.8, zorder=1)
            axis.axvline(threshold, color="#7d848e", linewidth=0.8, linestyle="--", zorder=1)
            for k in np.flatnonzero(shown):
                colour = KEPT if row["keep"].values[k] else DOUBTFUL if row["doubtful"].values[k] else DROPPED
                axis.plot(x[[0, 2], k], [y[1, k]] * 2, color=colour, linewidth=1.0, alpha=0.5, zorder=2)
                axis.plot([x[1, k]] * 2, y[[0, 2], k], color=colour, linewidth=1.0, alpha=0.5, zorder=2)
                axis.scatter(x[1, k], y[1, k], s=26, color=colour, edgecolor="white", linewidth=0.6, zorder=3)
            span = np.log(high / low)
            _name_points(axis, np.log(x[1] / low) / span, np.log(y[1] / low) / span, names, shown)
            notes = {"transform": axis.transAxes, "fontsize": 7.5, "color": "#8c8067"}
            axis.text(0.02, 0.975, "above the line: non-linear or interacting", va="top", **notes)
            rest = f"{int((~shown).sum())} parameters below {LEAST:g} of the largest" if (~shown).any() else ""
            axis.text(0.98, 0.02, rest, ha="right", **notes)
            axis.set_xscale("log")
            axis.set_yscale("log")
            axis.set_xlim(low, high)
            axis.set_ylim(low, high)
            axis.set_aspect("equal")
            for side in (axis.xaxis, axis.yaxis):
                side.set_major_formatter(lambda v, _: f"{v:g}")
            axis.set_xlabel("mu* / largest mu* (dimensionless)")
            axis.set_ylabel("sigma / largest mu* (dimensionless)")
            axis.set_title(target, loc="left")
        figure.legend(handles=_keys(doubtful=bool(advice.table["doubtful"].any())), loc="outside upper right", ncols=3)
        figure.supxlabel(_settings(effects), fontsize=7.5, color="#6b7280")
    return figure


def _name_points(axis: Any, x: np.ndarray, y: np.ndarray, names: list[str], shown: np.ndarray) -> None:
    """Names beside points at x, y (shares of the axes), on the nearest side and height that is free."""
    chosen = [int(k) for k in np.argsort(-y, kind="stable") if shown[k]]
    taken = [(x[k] - 0.012, x[k] + 0.012, y[k] - 0.012, y[k] + 0.012) for k in chosen]
    for k in chosen:
        wide = 0.012 + 0.0165 * len(names[k])
        places = sorted(((side, 0.012 * step) for step in range(-12, 13) for side in (1, -1)), key=lambda p: (abs(p[1]), -p[0]))
        for side, up in places:
            start = x[k] + side * 0.016
            box = (min(start, start + side * wide), max(start, start + side * wide), y[k] + up - 0.014, y[k] + up + 0.014)
            if all(box[1] < t[0] or box[0] > t[1] or box[3] < t[2] or box[2] > t[3] for t in taken):
                break
        taken.append(box)
        axis.annotate(
            names[k], (x[k], y[k]), (start, y[k] + up), xycoords="axes fraction", textcoords="axes fraction", fontsize=7.5,
            va="center", ha="left" if side > 0 else "right", color=INK, zorder=4,
            arrowprops={"arrowstyle": "-", "color": "#b9bec6", "linewidth": 0.5, "shrinkA": 1, "shrinkB": 2} if up else None,
        )  # fmt: skip


def screening_maps(effects: xr.Dataset, target: str | None = None, names: Sequence[str] | None = None, top: int = 6) -> Figure:
    """Maps of mu* of a target, most influential parameter first; samples as dots, grids (lat, lon) as cells.

    Parameters
    ----------
    effects : Dataset
        Result of :func:`gridcal.screen`, with lat and lon of the samples.
    target : str, optional
        Target; the first without it.
    names : sequence of str, optional
        Parameters; the `top` most influential without it.
    top : int
        How many parameters.
    """
    target = str(effects["target"].values[0]) if target is None else target
    part = effects["mu_star"].sel(target=target).compute()
    if names is None:
        middle = recommend(effects.sel(target=[target])).table["mu_star"].values[0]
        order = np.argsort(-middle, kind="stable")
        names = [str(part["parameter"].values[k]) for k in order[:top] if middle[k] > 0.0]
    units = str(effects["target_units"].sel(target=target).values) if "target_units" in effects.coords else ""
    label = "mu*" + (f" ({units})" if units not in ("", "1") else "")
    with style():
        columns = 2 if len(names) in (2, 4) else min(3, max(len(names), 1))
        rows = -(-len(names) // columns) if names else 1
        figure = new_figure(4.3 * columns, 3.3 * rows + 0.4)
        lines = outlines()
        grid = figure.subplots(rows, columns, squeeze=False)
        for axis in grid.ravel()[len(names) :]:
            axis.set_visible(False)
        for axis, name in zip(grid.ravel(), names, strict=False):
            picture = draw_map(axis, part.sel(parameter=name), SEQUENTIAL, lines)
            figure.colorbar(picture, ax=axis, label=label, shrink=0.85, extend="both")
            axis.set_title(name, loc="left")
        figure.suptitle(f"{target}: change over the whole range of a parameter", x=0.01, ha="left", fontsize=10)
        figure.supxlabel(_settings(effects), fontsize=7.5, color="#6b7280")
    return figure
