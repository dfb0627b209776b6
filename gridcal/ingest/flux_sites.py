"""The flux sites as a cube for the light-use-efficiency model: gap-free forcing, observed GPP, shared features."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from gridcal.cube import Cube, open_cube
from gridcal.cube.entry import describe, load_entry
from gridcal.errors import InputError
from gridcal.ingest.shared_features import SHARED, site_features
from gridcal.kernels.series.fill import fill_gaps
from gridcal.kernels.series.solar import cloudiness_index, net_radiation, toa_radiation
from gridcal.models.bucket import wai
from gridcal.models.lue import lag_masks
from gridcal.vocabulary.fingerprint import fingerprint

Array = npt.NDArray[np.float64]

PAR_SHARE = 0.45
SOIL_SCALE = 220.0  # mm, capacity of the SPLASH soil water of the site tables
DAYTIME_VPD = 1.2  # median ratio of daytime to daily vapour pressure deficit at 40 sites with both
USABLE_DAYS = 100  # a year counts if it holds at least as many good days
FILLER = (("US-Ha1", "2009-07-01", "2009-12-31"),)

SOURCES = [describe(load_entry(i)) for i in ("flux-sites-daily", "flux-sites-weekly", "flux-site-features")]
CAVEATS = [
    "fAPAR at the sites is the weekly FluxDataKit product interpolated to days (the daily table where a site lacks it): one "
    "cleaned product, but without day-to-day change.",
    "Soil moisture is SPLASH soil water where the tables hold it (68 of the 97 sites), a bucket driven by precipitation and "
    "FAO-56 net radiation elsewhere; none of it is measured.",
    "At about half of the sites radiation is a weekly tower mean spread over days, or reanalysis: daily scores there mix "
    "model error with input error, 8-day scores less so.",
    "US-Ha1 July to December 2009 is filler in the tables and left out of calibration and scores.",
]


def flux_site_cube(
    data_dir: str | Path | None = None,
    *,
    sites: Literal["recommended"] | Sequence[str] = "recommended",
    classes: Sequence[str] | None = None,
    fapar: Literal["weekly", "daily"] = "weekly",
    moisture: Literal["wsoil+bucket", "bucket"] = "wsoil+bucket",
    lag: str = "bao2023",
) -> Cube:
    """Cube of flux sites for the light-use-efficiency model.

    Parameters
    ----------
    data_dir : path, optional
        Data directory; the environment variable GRIDCAL_DATA without it.
    sites : "recommended" or sequence of str
        Sites; those the coverage table recommends without it.
    classes : sequence of str, optional
        IGBP classes to keep.
    fapar : {"weekly", "daily"}
        One cleaned weekly product interpolated to days, or the daily table's mixture.
    moisture : {"wsoil+bucket", "bucket"}
        SPLASH soil water over its capacity where there is any, else the bucket; or the bucket everywhere.
    lag : {"bao2023", "de2025", "all", "none"}
        Where the lag filters act.

    Returns
    -------
    Cube, dims (time, site)
        Forcing free of gaps (short ones linear, the rest the site's mean seasonal cycle), ``gpp_obs`` NaN unless GPP and
        every driver were there that day, ``gpp_unc``, lag masks, and the features that sites and grid share.

    Raises
    ------
    InputError
        If a site is unknown or none is left.
    """
    daily = open_cube("flux-sites-daily", data_dir=data_dir).data
    table = open_cube("flux-site-features", data_dir=data_dir).data
    coverage = open_cube("flux-site-coverage", data_dir=data_dir).data
    weeks = open_cube("flux-sites-weekly", data_dir=data_dir).data
    weekly = weeks["fapar"].load()
    read = fingerprint([x.attrs["fingerprint"] for x in (daily, table, coverage, weeks)])
    names = _choose(sites, classes, coverage, daily)
    source = daily.sel(site=names)
    wanted = ["tas", "vpd", "vpd_day", "rsds", "fapar", "wsoil", "pr", "gpp", "gpp_unc"]
    values = {k: source[k].transpose("time", "site").values.astype(float) for k in wanted}
    time = pd.DatetimeIndex(source["time"].to_index())
    for name, first, last in FILLER:
        if name in names:
            values["gpp"][(time >= pd.Timestamp(first)) & (time <= pd.Timestamp(last)), names.index(name)] = np.nan
    lat = source["lat"].values.astype(float)
    made = {k: np.empty((time.size, len(names))) for k in ("tas", "vpd", "par", "fapar", "wai", "ci", "gpp_obs")}
    for k, name in enumerate(names):
        one = {v: x[:, k] for v, x in values.items()}
        week = weekly.sel(site=name) if fapar == "weekly" and name in weekly["site"].values else None
        for variable, x in _site(one, lat[k], time, week, moisture).items():
            made[variable][:, k] = x
    used = np.isfinite(made["gpp_obs"])
    first, last = np.flatnonzero(used.any(axis=1))[[0, -1]]
    span = slice(max(int(first) - 365, 0), int(last) + 1)
    data = _dataset(made, source, names, time, span, used, values["gpp_unc"], lag)
    features = site_features(table, names)
    data = data.assign({str(v): x for v, x in features.data_vars.items()})
    data.attrs = {"title": "flux sites", "fingerprint": f"flux-sites-{fapar}-{moisture}-{lag}-2-{','.join(names)}-{read}"}
    return Cube.from_dataset(data, features=SHARED)


def _choose(sites: str | Sequence[str], classes: Sequence[str] | None, coverage: xr.Dataset, daily: xr.Dataset) -> list[str]:
    known = [str(s) for s in daily["site"].values]
    if isinstance(sites, str):
        listed = [str(s) for s, r in zip(coverage["site"].values, coverage["recommended_lue"].values, strict=True) if r == 1]
    else:
        listed = list(sites)
    stray = [s for s in listed if s not in known]
    if stray:
        raise InputError(f"the site tables hold no site {stray[0]!r}", f"They hold: {', '.join(known)}")
    if classes is not None:
        of = dict(zip(known, (str(c).strip() for c in daily["igbp"].values), strict=True))
        listed = [s for s in listed if of[s] in classes]
    if not listed:
        raise InputError(f"no site is left of the classes {classes}", "Widen `classes` or `sites`")
    return listed


def _site(
    x: dict[str, Array], lat: float, time: pd.DatetimeIndex, week: xr.DataArray | None, moisture: str
) -> dict[str, Array]:
    """Forcing and observations of one site, each shape (T,)."""
    doy = time.day_of_year.to_numpy()
    vpd = np.where(np.isfinite(x["vpd"]), x["vpd"], x["vpd_day"] / DAYTIME_VPD)
    good = np.isfinite(x["gpp"]) & np.isfinite(x["tas"]) & np.isfinite(vpd) & np.isfinite(x["fapar"]) & np.isfinite(x["rsds"])
    green = x["fapar"] if week is None else _interpolated(week, time)
    filled = {k: fill_gaps(v, doy)[0] for k, v in (("tas", x["tas"]), ("vpd", vpd), ("rsds", x["rsds"]), ("pr", x["pr"]))}
    tas, vpd = filled["tas"], np.maximum(filled["vpd"], 0.0)
    rsds = np.maximum(filled["rsds"], 0.0) * 0.0864
    toa = toa_radiation(lat, doy)
    pr = np.maximum(np.nan_to_num(filled["pr"]), 0.0)
    water = fill_gaps(x["wsoil"] / SOIL_SCALE, doy)[0]
    if moisture == "bucket" or np.isfinite(x["wsoil"][good]).mean() <= 0.5:
        net = net_radiation(rsds, toa, tas, vpd)
        water = wai(pr[:, None], tas[:, None], net[:, None], awc=200.0)[0][:, 0]
    return {
        "tas": tas,
        "vpd": vpd,
        "par": PAR_SHARE * rsds,
        "fapar": np.clip(fill_gaps(green, doy)[0], 0.0, 1.0),
        "wai": np.clip(water, 0.0, 1.0),
        "ci": cloudiness_index(rsds, toa),
        "gpp_obs": np.where(good, x["gpp"], np.nan),
    }


def _interpolated(week: xr.DataArray, time: pd.DatetimeIndex) -> Array:
    """Weekly values at mid-week, linear between; NaN further than 16 days from any."""
    y = week.values.astype(float)
    good = np.isfinite(y)
    if not good.any():
        return np.full(time.size, np.nan)
    at = week["time"].values[good].astype("datetime64[D]").astype(float) + 3.0
    days = time.to_numpy().astype("datetime64[D]").astype(float)
    after = np.clip(np.searchsorted(at, days), 1, at.size - 1) if at.size > 1 else np.zeros(days.size, dtype=int)
    near = np.minimum(np.abs(days - at[after - 1]), np.abs(days - at[after])) <= 16.0
    return np.where(near, np.interp(days, at, y[good]), np.nan)


def _dataset(
    made: dict[str, Array],
    source: xr.Dataset,
    names: list[str],
    time: pd.DatetimeIndex,
    span: slice,
    used: npt.NDArray[np.bool_],
    uncertainty: Array,
    lag: str,
) -> xr.Dataset:
    units = {
        "tas": "degC",
        "vpd": "kPa",
        "par": "MJ m-2 d-1",
        "fapar": "1",
        "wai": "1",
        "ci": "1",
        "gpp_obs": "gC m-2 d-1",
    }
    data = xr.Dataset(coords={"time": time[span], "site": names})
    for name, x in made.items():
        data[name] = (("time", "site"), x[span].astype(np.float32), {"units": units[name]})
    data["gpp_unc"] = (
        ("time", "site"),
        np.where(used, uncertainty, np.nan)[span].astype(np.float32),
        {"units": "gC m-2 d-1"},
    )
    co2 = source["co2"].values.astype(float)
    co2 = pd.Series(co2).interpolate(limit_direction="both").to_numpy()
    data["co2"] = (("time",), co2[span].astype(np.float32), {"units": "ppm"})
    koeppen = [str(k) for k in source["koeppen"].values]
    masks = np.zeros((2, len(names))) if lag == "none" else lag_masks(koeppen, lag)
    data["lag_temperature"] = (("site",), masks[0], {"units": "1"})
    data["lag_moisture"] = (("site",), masks[1], {"units": "1"})
    for coord, attrs in (("lat", "degrees_north"), ("lon", "degrees_east"), ("elv", "m")):
        data = data.assign_coords({coord: ("site", source[coord].values.astype(float), {"units": attrs})})
    return data


def calibration_years(cube: Cube, fraction: float = 2.0 / 3.0, *, observed: str = "gpp_obs") -> xr.DataArray:
    """Days of the years each site is calibrated on; the later years are left for validation.

    Parameters
    ----------
    cube : Cube, dims (time, site)
        With observations.
    fraction : float
        Share of a site's usable years (100 good days or more), the first ones, rounded; at least one, and one is left over
        where a site has two.
    observed : str
        The observed variable.

    Returns
    -------
    DataArray of bool, dims (time, site)
        A site with a single usable year is calibrated on all its days and validated on none.
    """
    obs = cube.data[observed].transpose("time", ...)
    years = obs["time"].dt.year.values
    good = np.isfinite(obs.values)
    out = np.zeros(good.shape, dtype=bool)
    labels = np.unique(years)
    for k in range(good.shape[1]):
        count = np.array([good[years == y, k].sum() for y in labels])
        usable = labels[count >= USABLE_DAYS]
        if usable.size < 2:
            out[:, k] = True
            continue
        n = int(np.clip(round(fraction * usable.size), 1, usable.size - 1)) if fraction < 1.0 else usable.size
        out[:, k] = years <= usable[n - 1]
    return xr.DataArray(out, dims=obs.dims, coords={d: obs[d] for d in obs.dims}, name="calibration")
