"""Features that flux sites and the eastern US grid share, under one name each."""

from __future__ import annotations

import numpy as np
import xarray as xr

BIOCLIM = (
    "bio1", "bio4", "bio8", "bio9", "bio10", "bio11", "bio12", "bio13", "bio14", "bio15", "bio16", "bio17", "bio18", "bio19",
)  # fmt: skip
GREENNESS = (
    "ndvi_maximum",
    "ndvi_minimum",
    "ndvi_range",
    "peakvcmax_c3",
    "ball_berry_slope_c3",
    "carbon_uptake_efficiency",
    "kn",
)
SHARED = (*BIOCLIM, "sunshine_pct", *GREENNESS, "field_capacity", "koeppen", "igbp")
"""Never latitude, longitude, or anything made from GPP."""

IGBP = (
    "WAT", "ENF", "EBF", "DNF", "DBF", "MF", "CSH", "OSH", "WSA", "SAV", "GRA", "WET", "CRO", "URB", "CVM", "SNO", "BSV",
)  # fmt: skip
KOEPPEN = ("", "A", "B", "C", "D", "E")

UNITS = {
    **dict.fromkeys(("bio1", "bio8", "bio9", "bio10", "bio11"), "degC"),
    **dict.fromkeys(("bio12", "bio13", "bio14", "bio16", "bio17", "bio18", "bio19", "field_capacity"), "mm"),
    "sunshine_pct": "%",
    "peakvcmax_c3": "umol m-2 s-1",
}


def site_features(table: xr.Dataset, sites: list[str]) -> xr.Dataset:
    """Shared features at flux sites.

    Parameters
    ----------
    table : Dataset, dims (site,)
        The site feature table.
    sites : list of str
        Sites wanted.
    """
    t = table.sel(site=sites)
    out = xr.Dataset(coords={"site": sites})
    for name in (*BIOCLIM, "sunshine_pct", "field_capacity"):
        out[name] = ("site", t[name].values.astype(float))
    for name in GREENNESS:
        if name != "ndvi_range":
            out[name] = ("site", t[f"bess_{name}"].values.astype(float))
    out["ndvi_range"] = out["ndvi_maximum"] - out["ndvi_minimum"]
    out["koeppen"] = ("site", np.array([str(k).strip()[:1] for k in t["koeppen"].values]))
    out["igbp"] = ("site", np.array([str(k).strip() for k in t["igbp"].values]))
    return _with_units(out)


def grid_features(static: xr.Dataset, bioclim: xr.Dataset) -> xr.Dataset:
    """Shared features over a grid (lat, lon).

    Parameters
    ----------
    static : Dataset
        Land cover, greenness, climate class, field capacity.
    bioclim : Dataset
        Result of :func:`gridcal.extrapolation.features.bioclim.bioclim` on the same grid.
    """
    out = xr.Dataset({name: bioclim[name] for name in (*BIOCLIM, "sunshine_pct")})
    for name in GREENNESS:
        if name != "ndvi_range":
            out[name] = static[name].astype(float)
    out["ndvi_range"] = out["ndvi_maximum"] - out["ndvi_minimum"]
    capacity = static["field_capacity"].astype(float)
    out["field_capacity"] = capacity.where(capacity > 0.0)
    out["koeppen"] = _names(static["koeppen"], KOEPPEN)
    out["igbp"] = _names(static["igbp"], IGBP)
    return _with_units(out)


def _names(codes: xr.DataArray, names: tuple[str, ...]) -> xr.DataArray:
    table = np.array([*names, ""])
    index = codes.values.astype(int)
    return codes.copy(data=table[np.where((index >= 0) & (index < len(names)), index, len(names))])


def _with_units(ds: xr.Dataset) -> xr.Dataset:
    for name in ds.data_vars:
        ds[name].attrs = {"units": UNITS.get(str(name), "1")}
    return ds
