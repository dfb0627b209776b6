"""Deciduous forest towers with complete weather, as forcing of IBIS, with observed fluxes and leaf area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from gridcal.cube import Cube, open_cube
from gridcal.cube.entry import describe, load_entry
from gridcal.errors import InputError
from gridcal.ingest.flux_sites import FILLER
from gridcal.ingest.leaf_area import lai_from_evi, lai_from_fapar

SOIL = {"US-Ha1": (66.0, 5.0), "US-MMS": (47.0, 24.0), "US-UMB": (85.0, 4.0)}
"""Sand and clay, %: topsoil of the nearest place in the soil tables, 19 km from US-MMS and 11 km from US-UMB; a sandy loam at
US-Ha1, which has none near."""
FORCING = ("tasmin", "tasmax", "pr", "huss", "sfcWind", "ps", "rsds", "clt")
OBSERVED = ("gpp", "nee", "reco", "et")
LONGEST = 31  # days of weather that are repeated at most
USABLE_DAYS = 330  # of a year with weather: the rest of it is filled
FAPAR_SINCE = "2000-02-24"  # a mean seasonal cycle before

SOURCES = [describe(load_entry("us-forest-towers-daily"))]
CAVEATS = [
    "US-Ha1 July to December 2009 is filler in the tables: the model is run through it, but no observation is compared there.",
    "Missing days of tower weather (31 December of leap years at US-UMB, a few days at the end of a record) repeat the day "
    "before.",
    "Leaf area at the towers is made from satellite fAPAR or EVI; none was measured daily in these years.",
    "Sand and clay at US-Ha1 are assumed (sandy loam); at US-MMS and US-UMB they come from 19 and 11 km away.",
]


def forest_tower_cube(
    data_dir: str | Path | None = None,
    *,
    sites: Sequence[str] = tuple(SOIL),
    period: tuple[str, str] | None = None,
    soil: Mapping[str, tuple[float, float]] | None = None,
) -> Cube:
    """Weather, fluxes and leaf area of deciduous forest towers.

    Parameters
    ----------
    data_dir : path, optional
        Data directory; the environment variable GRIDCAL_DATA without it.
    sites : sequence of str
        Towers of the catalog entry ``us-forest-towers-daily``.
    period : (str, str), optional
        First and last date; from the first to the last day with weather at any of the sites without it. All three have weather
        from 2000 to 2012.
    soil : mapping of site to (sand, clay), optional
        Texture in %, of sites that `SOIL` lacks or instead of it.

    Returns
    -------
    Cube, dims (time, site)
        tasmin, tasmax, pr, huss, sfcWind, ps, rsds, clt and co2, NaN in years without weather, with ``repeated`` 1 on days
        that lack any of them and repeat all of the day before; sand and clay; ``gpp_obs``, ``nee_obs``, ``reco_obs``,
        ``et_obs``, ``lai_obs`` from fAPAR (of the satellite years) and ``lai_evi_obs`` from EVI, all NaN in the months of
        filler.

    Raises
    ------
    InputError
        If a site is unknown or has no soil, or the period holds no day.
    """
    source = open_cube("us-forest-towers-daily", data_dir=data_dir).data
    textures = {**SOIL, **(soil or {})}
    held = [str(s) for s in source["site"].values]
    for name in sites:
        if name not in held:
            raise InputError(f"the tower tables hold no site {name!r}", f"They hold: {', '.join(held)}")
        if name not in textures:
            raise InputError(f"no sand and clay are known at {name!r}", f"Give them: soil={{{name!r}: (60.0, 10.0)}}")
    source = source.sel(site=list(sites)).load().transpose("time", ...)
    data = source[[*FORCING, "co2"]]
    seen = xr.where(source["time"] >= np.datetime64(FAPAR_SINCE), source["fapar"], np.nan).transpose("time", "site")
    observed = {f"{n}_obs": source[n] for n in OBSERVED}
    observed |= {"lai_obs": lai_from_fapar(seen), "lai_evi_obs": lai_from_evi(source["evi"])}
    days = pd.DatetimeIndex(data.indexes["time"])
    for name, x in observed.items():
        data[name] = x.copy(data=x.values)
        for site, first, last in FILLER:
            if site in sites:
                data[name].loc[{"site": site, "time": slice(first, last)}] = np.nan
    data, repeated = _repeated(data, days)
    data["repeated"] = (("time", "site"), repeated.astype(np.int8), {"long_name": "1 where weather repeats the day before"})
    for k, name in enumerate(("sand", "clay")):
        data[name] = ("site", [textures[s][k] for s in sites], {"units": "%"})
    if period is None:
        there = np.flatnonzero(np.isfinite(data["tasmin"].values).any(axis=1))
        data = data.isel(time=slice(int(there[0]), int(there[-1]) + 1))
    else:
        data = data.sel(time=slice(*period))
    if not data.sizes["time"]:
        raise InputError(f"the towers have no day from {period}", f"They have {days[0].date()} to {days[-1].date()}")
    label = ",".join(f"{s}-{textures[s][0]:g}-{textures[s][1]:g}" for s in sites)
    read = source.attrs["fingerprint"]
    data.attrs = {"title": "deciduous forest towers", "fingerprint": f"forest-towers-1-{label}-{period}-{read}"}
    return Cube.from_dataset(data)


def _repeated(data: xr.Dataset, days: pd.DatetimeIndex) -> tuple[xr.Dataset, np.ndarray]:
    """Forcing that repeats the day before where any of it is missing, in years with weather; and where, shape (T, sites)."""
    known = np.logical_and.reduce([np.isfinite(data[n].values) for n in FORCING])
    usable = pd.DataFrame(known).groupby(days.year).transform("sum").to_numpy() >= USABLE_DAYS
    before = np.where(known, np.arange(days.size)[:, None], -1)
    last = np.maximum.accumulate(before, axis=0)
    repeated = ~known & usable & (last >= 0) & (np.arange(days.size)[:, None] - last <= LONGEST)
    out = data.copy()
    for name in FORCING:
        x = data[name].values
        out[name] = data[name].copy(data=np.where(repeated, np.take_along_axis(x, np.maximum(last, 0), axis=0), x))
    return out, repeated
