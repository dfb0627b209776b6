"""The flux sites as the comparison of extrapolation methods reads them: forcing, GPP, all features, cycles, tower days."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from gridcal.cube import Cube, open_cube
from gridcal.extrapolation.features.classes import NEVER_FEATURES
from gridcal.extrapolation.features.forcing import forcing_features
from gridcal.ingest.flux_sites import flux_site_cube
from gridcal.kernels.series.fill import fill_gaps

Array = npt.NDArray[np.float64]

PENTADS = 73
TOWER_RADIATION = (1,)
TOWER_TEMPERATURE = (1, 3)


def comparison_site_cube(
    data_dir: str | Path | None = None,
    *,
    sites: Literal["recommended"] | Sequence[str] = "recommended",
    fapar: Literal["weekly", "daily"] = "weekly",
    moisture: Literal["wsoil+bucket", "bucket"] = "wsoil+bucket",
    lag: str = "none",
) -> Cube:
    """Cube of flux sites with everything the comparison needs.

    Parameters
    ----------
    data_dir, sites, fapar, moisture, lag
        See :func:`gridcal.ingest.flux_site_cube`.

    Returns
    -------
    Cube, dims (time, site)
        As :func:`gridcal.ingest.flux_site_cube`, and: ``tower``, true on days whose radiation and temperature are daily tower
        values; ``cycles`` (site, cycle), mean five-day means of tas, log(1 + pr), par and fapar round the year; coordinates
        ``pft``, ``climate`` (main Koeppen class) and ``climate_class``; features from the site table and from the forcing.
    """
    cube = flux_site_cube(data_dir, sites=sites, fapar=fapar, moisture=moisture, lag=lag)
    data = cube.data
    names = [str(s) for s in data["site"].values]
    daily = open_cube("flux-sites-daily", data_dir=data_dir).data.sel(site=names, time=data["time"])
    table = open_cube("flux-site-features", data_dir=data_dir).data.sel(site=names)
    features = _table_features(table)
    made = forcing_features(cube)
    features = features.assign({str(n): made[n] for n in made.data_vars})
    data = data.drop_vars([n for n in cube.feature_names if n in data])
    data = data.assign({str(n): (("site",), features[n].values, features[n].attrs) for n in features.data_vars})
    source = {k: daily[f"{k}_source"].transpose("time", "site").values for k in ("rsds", "ta")}
    tower = np.isin(source["rsds"], TOWER_RADIATION) & np.isin(source["ta"], TOWER_TEMPERATURE)
    data["tower"] = (("time", "site"), tower)
    pr = daily["pr"].transpose("time", "site").values.astype(float)
    data["cycles"] = (("site", "cycle"), seasonal_cycles(pd.DatetimeIndex(data["time"].values), data, pr))
    koeppen = np.array([str(k).strip() for k in daily["koeppen"].values], dtype=object)
    data = data.assign_coords(
        pft=("site", np.array([str(k).strip() for k in table["igbp"].values], dtype=object)),
        climate=("site", np.array([k[:1] for k in koeppen], dtype=object)),
        climate_class=("site", koeppen),
    )
    data.attrs["fingerprint"] = f"{data.attrs['fingerprint']}-comparison-1"
    return Cube.from_dataset(data, features=[str(n) for n in features.data_vars])


def _table_features(table: xr.Dataset) -> xr.Dataset:
    """Columns of the site table that may be learnt from."""
    import fnmatch

    out = xr.Dataset(coords={"site": table["site"]})
    for name in map(str, table.data_vars):
        if name in ("igbp", "koeppen") or any(fnmatch.fnmatchcase(name, p) for p in NEVER_FEATURES):
            continue
        out[name] = ("site", table[name].values.astype(float), {"units": table[name].attrs.get("units", "1")})
    out["igbp"] = ("site", np.array([str(k).strip() for k in table["igbp"].values], dtype=object))
    out["koeppen"] = ("site", np.array([str(k).strip()[:1] for k in table["koeppen"].values], dtype=object))
    return out


def seasonal_cycles(time: pd.DatetimeIndex, data: xr.Dataset, pr: Array) -> Array:
    """Mean five-day means round the year of tas, log(1 + pr), par and fapar, shape (site, 4 * 73); gaps interpolated."""
    doy = time.day_of_year.to_numpy()
    pentad = np.minimum((doy - 1) // 5, PENTADS - 1)
    rain = np.stack([np.nan_to_num(fill_gaps(pr[:, s], doy)[0]) for s in range(pr.shape[1])], axis=1)
    series = [data["tas"].values, np.log1p(np.maximum(rain, 0.0)), data["par"].values, data["fapar"].values]
    out = []
    for x in series:
        count = np.bincount(pentad, minlength=PENTADS)
        out.append(np.stack([np.bincount(pentad, weights=x[:, s], minlength=PENTADS) / count for s in range(x.shape[1])]))
    return np.concatenate(out, axis=1)
