"""Maps: parameters with their histograms, fluxes, samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from gridcal.plot.style import GREEN, INK, SEQUENTIAL, label_of, new_figure, style
from gridcal.vocabulary.longitudes import first_of_place, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAYERS = ("n_missing", "n_unseen", "dissimilarity")


def outlines() -> list[Any]:
    """State and coast lines as (lon, lat) arrays, if cartopy and its shapes are on this machine; nothing is downloaded."""
    try:
        from pathlib import Path

        import cartopy
        from cartopy.io import shapereader
    except ImportError:
        return []
    lines: list[Any] = []
    for folder in (cartopy.config["pre_existing_data_dir"], cartopy.config["data_dir"]):
        for name in (
            "ne_50m_admin_1_states_provinces_lakes",
            "ne_110m_admin_1_states_provinces_lakes",
            "ne_110m_coastline",
        ):
            for file in Path(folder).rglob(f"{name}.shp") if str(folder) else ():
                for shape in shapereader.Reader(str(file)).geometries():
                    parts = getattr(shape, "geoms", [shape])
                    lines += [np.asarray(getattr(p, "exterior", p).coords)[:, :2] for p in parts]
                return lines
    return lines


def draw_map(axis: Any, x: xr.DataArray, cmap: str, lines: list[Any]) -> Any:
    """Draw values over (lat, lon) as cells, or over samples with coordinates lat and lon as dots; returns the picture."""
    grid = {"lat", "lon"} <= set(x.dims)
    values = (x.transpose("lat", "lon") if grid else x).values.astype(float)
    good = values[np.isfinite(values)]
    low, high = np.quantile(good, [0.02, 0.98]) if good.size else (0.0, 1.0)
    if high - low < 1e-12:
        low, high = low - 0.5, high + 0.5
    lon, lat = x["lon"].values, x["lat"].values
    limits = {"cmap": cmap, "vmin": low, "vmax": high, "rasterized": True}
    if grid:
        picture = axis.pcolormesh(lon, lat, values, shading="nearest", **limits)
        rows, columns = np.isfinite(values).any(axis=1), np.isfinite(values).any(axis=0)
        pad_lat, pad_lon = (abs(float(v[1] - v[0])) if v.size > 1 else 0.5 for v in (lat, lon))
    else:
        rows = columns = np.isfinite(values)
        size = float(np.clip(3500.0 / max(good.size, 1), 2.0, 26.0))
        edge = {"edgecolor": "white", "linewidth": 0.3} if size > 12.0 else {"linewidth": 0.0}
        picture = axis.scatter(lon[rows], lat[rows], c=values[rows], s=size, **edge, **limits)
        pad_lat, pad_lon = (0.04 * float(np.ptp(v)) + 0.3 for v in (lat, lon))
    if rows.any():
        axis.set_ylim(lat[rows].min() - pad_lat, lat[rows].max() + pad_lat)
        axis.set_xlim(lon[columns].min() - pad_lon, lon[columns].max() + pad_lon)
    for line in lines:
        axis.plot(line[:, 0], line[:, 1], color=INK, linewidth=0.4, alpha=0.6)
    axis.set_aspect(1.0 / np.cos(np.deg2rad(float(np.mean(axis.get_ylim())))))
    axis.set_facecolor("#f1f2f4")
    axis.tick_params(length=2)
    axis.xaxis.set_major_formatter(lambda v, _: f"{abs(v):g}°{'W' if v < 0 else 'E'}")
    axis.yaxis.set_major_formatter(lambda v, _: f"{abs(v):g}°{'S' if v < 0 else 'N'}")
    axis.locator_params(nbins=4)
    return picture


def parameter_maps(theta: xr.Dataset, names: Sequence[str] | None = None) -> Figure:
    """Maps of parameters over (lat, lon), each with its histogram.

    Parameters
    ----------
    theta : Dataset
        Parameters.
    names : sequence of str, optional
        Which; those that vary without it, by name.
    """
    if names is None:
        names = [
            n for n in sorted(map(str, theta.data_vars)) if n not in LAYERS and {"lat", "lon"} <= set(theta[n].dims)
            and float(theta[n].max()) > float(theta[n].min())
        ]  # fmt: skip
    with style():
        columns = 2 if len(names) in (2, 4) else min(3, max(len(names), 1))
        rows = -(-len(names) // columns) if names else 1
        figure = new_figure(4.3 * columns, 4.1 * rows)
        lines = outlines()
        grid = figure.subplots(2 * rows, columns, squeeze=False, gridspec_kw={"height_ratios": [4, 1] * rows})
        for axis in grid.ravel()[:]:
            axis.set_visible(False)
        for k, name in enumerate(names):
            axis, below = grid[2 * (k // columns)][k % columns], grid[2 * (k // columns) + 1][k % columns]
            axis.set_visible(True)
            below.set_visible(True)
            picture = draw_map(axis, theta[name], SEQUENTIAL, lines)
            figure.colorbar(picture, ax=axis, label=label_of(name, theta[name].attrs), shrink=0.85, extend="both")
            axis.set_title(f"{name}: {theta[name].attrs.get('long_name', '')}", loc="left", wrap=True)
            values = theta[name].isel(lon=first_of_place(theta["lon"])).values.ravel()
            values = values[np.isfinite(values)]
            below.hist(values, bins=40, color="#5b7f95", edgecolor="none")
            below.set_xlabel(label_of(name, theta[name].attrs))
            below.set_ylabel("pixels")
    return figure


def sample_map(posterior: xr.Dataset, value: str = "nse", background: xr.DataArray | None = None) -> Figure:
    """Where the samples lie, on the background's longitudes, coloured by `value`; samples that failed are crosses."""
    with style():
        figure = new_figure(7.2, 4.4)
        axis = figure.subplots()
        lon, lat = posterior["lon"].values, posterior["lat"].values
        good = posterior["status"].values == 0
        if background is not None:
            middle = float(np.mean(background["lon"]))
            lon = middle + wrapped(lon - middle)
            used = np.isfinite(background.transpose("lat", "lon").values)
            axis.pcolormesh(
                background["lon"],
                background["lat"],
                np.where(used, 1.0, np.nan),
                cmap="Greys",
                vmin=0,
                vmax=5,
                shading="nearest",
            )
        for line in outlines():
            axis.plot(line[:, 0], line[:, 1], color=INK, linewidth=0.4, alpha=0.5)
        colour = posterior[value].values
        low = float(np.nanquantile(colour[good], 0.05)) if good.any() else 0.0
        dots = axis.scatter(
            lon[good],
            lat[good],
            c=colour[good],
            cmap=SEQUENTIAL,
            vmin=min(low, 0.99),
            vmax=1.0,
            s=26,
            edgecolor="white",
            linewidth=0.4,
        )
        figure.colorbar(dots, ax=axis, label=f"{value.upper()} at the calibrated parameters", extend="min")
        if (~good).any():
            axis.scatter(lon[~good], lat[~good], marker="x", color="#c0392b", s=22, linewidth=1.0, label="not ok")
            axis.legend(loc="lower left")
        pad_x, pad_y = 0.04 * (np.ptp(lon) + 1e-9) + 0.3, 0.04 * (np.ptp(lat) + 1e-9) + 0.3
        axis.set_xlim(lon.min() - pad_x, lon.max() + pad_x)
        axis.set_ylim(lat.min() - pad_y, lat.max() + pad_y)
        axis.set_xlabel("longitude (degrees east)")
        axis.set_ylabel("latitude (degrees north)")
        axis.set_title(f"{int(good.sum())} calibrated samples of {good.size}", loc="left")
    return figure


def flux_maps(fluxes: xr.Dataset, name: str = "gpp") -> Figure:
    """Annual sum, season of the maximum, and the mean seasonal cycle of a flux over (time, lat, lon)."""
    x = fluxes[name].load()
    with style():
        figure = new_figure(12.4, 4.2)
        lines = outlines()
        a, b, c = figure.subplots(1, 3, gridspec_kw={"width_ratios": [1.25, 1.25, 1]})
        units = str(x.attrs.get("units", "")).replace("d-1", "yr-1")
        picture = draw_map(a, x.mean("time") * 365.25, GREEN, lines)
        figure.colorbar(picture, ax=a, label=f"{name} ({units})", shrink=0.8, extend="both")
        a.set_title(f"annual {name.upper()}", loc="left")
        used = np.isfinite(x.isel(time=0))
        peak = x["time"].dt.dayofyear[x.fillna(-np.inf).argmax("time")].where(used)
        picture = draw_map(b, peak.drop_vars("time", errors="ignore"), "cividis", lines)
        figure.colorbar(picture, ax=b, label="day of the year", shrink=0.8, extend="both")
        b.set_title(f"day of the largest {name.upper()}", loc="left")
        table = x.where(used).stack(space=("lat", "lon")).dropna("space", how="all")
        days = x["time"].dt.dayofyear.values
        order = np.argsort(days, kind="stable")
        share = np.nanquantile(table.transpose("time", "space").values, [0.1, 0.5, 0.9], axis=1)[:, order]
        groups, which = np.unique(days[order], return_inverse=True)
        cycle = np.array([np.bincount(which, s) / np.bincount(which) for s in share])
        c.fill_between(groups, cycle[0], cycle[2], color="#74a37c", alpha=0.35, linewidth=0, label="10 to 90 % of the pixels")
        c.plot(groups, cycle[1], color="#1f6b3a", label="median pixel")
        c.set_xlabel("day of the year")
        c.set_ylabel(label_of(name, x.attrs))
        c.set_title("mean seasonal cycle", loc="left")
        c.legend(loc="upper left")
        c.set_ylim(bottom=min(0.0, float(cycle.min())), top=float(cycle.max()) * 1.25 + 1e-9)
    return figure
