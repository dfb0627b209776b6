"""A climatological year over the eastern United States at 0.05 degrees, as forcing of the light-use-efficiency model.

No daily grid is in the data: the year is built from a monthly 0.5-degree climatology, greenness extremes and field capacity.
It has the seasons and the geography, but no weather from year to year and no extremes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from gridcal.cube import Cube, open_cube
from gridcal.cube.entry import describe, load_entry
from gridcal.extrapolation.features.bioclim import bioclim
from gridcal.ingest.shared_features import IGBP, SHARED, grid_features
from gridcal.kernels.series.solar import cloudiness_index, esat, net_radiation, toa_radiation
from gridcal.models.bucket import wai
from gridcal.models.lue import lag_masks
from gridcal.vocabulary.fingerprint import fingerprint

Array = npt.NDArray[np.float64]

FORCING = {"tas": "degC", "vpd": "kPa", "par": "MJ m-2 d-1", "fapar": "1", "wai": "1", "ci": "1"}
DEW_DEPRESSION = 6.0  # degC below the mean temperature: RMSE of monthly vpd .08 to .15 kPa at 6 towers
GREEN_WINDOW, GREEN_LAG = 31, 5  # days
SOURCES = [describe(load_entry(i)) for i in ("eastus-static", "eastus-climatology", "co2-annual")]
CAVEATS = [
    "The map's forcing is a climatological year built from monthly 0.5-degree means: it has no weather from year to year, no "
    "extremes and no drought, and its radiation is 1 to 18 % above that of seven towers. With the parameters calibrated at "
    "five towers on the map, its annual GPP is 2 to 27 % above that from the tower's own forcing: the map's total is too high.",
    "fAPAR on the map follows a temperature rule between 0.3 and the largest NDVI: it was made for deciduous sites and does "
    "not see snow-free bark, disturbance or drought.",
    "The grid holds no soil texture, nitrogen deposition, elevation or series of a vegetation index: the learner cannot use "
    "them even where the sites have them.",
    "There is no satellite GPP or LAI product among the data, so the map's fluxes are scored at towers only.",
]


def climatological_year_cube(
    data_dir: str | Path | None = None,
    *,
    year: int = 2015,
    lag: str = "bao2023",
    tile: int = 50,
    land_cover: str = "DBF",
) -> Cube:
    """Cube of the eastern US grid for one climatological year.

    Parameters
    ----------
    data_dir : path, optional
        Data directory; the environment variable GRIDCAL_DATA without it.
    year : int
        Calendar and CO2 of the year (29 February is left out).
    lag : {"bao2023", "de2025", "all", "none"}
        Where the lag filters act.
    tile : int
        Pixels a side of a chunk.
    land_cover : str
        IGBP class of the mask.

    Returns
    -------
    Cube, dims (time, lat, lon)
        Lazy forcing, NaN and free of cost outside the mask; features that sites and grid share; ``mask``.
    """
    static = open_cube("eastus-static", data_dir=data_dir).data.load()
    climatology = open_cube("eastus-climatology", data_dir=data_dir).data
    month = climatology[["tas_month", "pr_month", "sunshine"]].load()

    def nearest(x: Any) -> Any:
        found = x.sel(lat=static["lat"], lon=static["lon"], method="nearest")
        return found.assign_coords(lat=static["lat"], lon=static["lon"]).drop_vars("month", errors="ignore")

    climate = bioclim(
        month["tas_month"], month["pr_month"], 100.0 * month["sunshine"] if _is_share(month) else month["sunshine"]
    )
    features = grid_features(static, nearest(climate))
    time = pd.date_range(f"{year}-01-01", f"{year}-12-31", freq="D")
    time = time[~((time.month == 2) & (time.day == 29))]
    used = static["igbp"].values == IGBP.index(land_cover)
    capacity = features["field_capacity"].values
    capacity = np.where(np.isfinite(capacity), capacity, np.nanmedian(capacity[used]))
    inputs = xr.Dataset(
        {
            "tas_month": nearest(month["tas_month"]).transpose("month", "lat", "lon"),
            "pr_month": nearest(month["pr_month"]).transpose("month", "lat", "lon"),
            "sunshine": nearest(month["sunshine"]).transpose("month", "lat", "lon"),
            "green": static["ndvi_maximum"].astype(float),
            "capacity": (("lat", "lon"), capacity),
            "mask": (("lat", "lon"), used),
        },
        coords={"lat": static["lat"], "lon": static["lon"]},
    ).chunk({"month": -1, "lat": tile, "lon": tile})
    data = _forcing(inputs, time)
    for name in features.data_vars:
        data[name] = features[name]
    letters = [str(k) for k in features["koeppen"].values.ravel()]
    masks = np.zeros((2, len(letters))) if lag == "none" else lag_masks(letters, lag)
    for k, name in enumerate(("lag_temperature", "lag_moisture")):
        data[name] = (("lat", "lon"), masks[k].reshape(used.shape), {"units": "1"})
    data["mask"] = (("lat", "lon"), used)
    yearly = open_cube("co2-annual", data_dir=data_dir).data
    annual = yearly["co2"]
    read = fingerprint([x.attrs["fingerprint"] for x in (static, climatology, yearly)])
    data["co2"] = (("time",), np.full(time.size, float(annual.sel(year=year)), dtype=np.float32), {"units": "ppm"})
    for name in SHARED:
        data[name] = data[name].where(data["mask"]) if data[name].dtype.kind == "f" else data[name]
    for name in (*SHARED, "lag_temperature", "lag_moisture", "mask"):
        data[name] = data[name].chunk({"lat": tile, "lon": tile})
    data.attrs = {
        "title": "climatological year, eastern US",
        "fingerprint": f"climatological-year-{year}-{lag}-{land_cover}-2-{read}",
    }
    return Cube.from_dataset(data, features=SHARED, mask="mask")


def _is_share(month: xr.Dataset) -> bool:
    return month["sunshine"].attrs.get("units") == "1"


def _forcing(inputs: xr.Dataset, time: pd.DatetimeIndex) -> xr.Dataset:
    """Lazy daily forcing (time, lat, lon), built tile by tile."""
    import dask.array as da

    chunks = ((time.size,), inputs.chunksizes["lat"], inputs.chunksizes["lon"])
    shape = (time.size, inputs.sizes["lat"], inputs.sizes["lon"])
    coords = {"time": time, "lat": inputs["lat"], "lon": inputs["lon"]}
    template = xr.Dataset(
        {
            k: (("time", "lat", "lon"), da.zeros(shape, chunks=chunks, dtype=np.float32), {"units": u})
            for k, u in FORCING.items()
        },
        coords=coords,
    )
    percent = 1.0 if inputs["sunshine"].attrs.get("units") == "%" else 100.0
    return xr.map_blocks(_year_of_tile, inputs, kwargs={"time": time, "percent": percent}, template=template)


def _year_of_tile(tile: xr.Dataset, time: pd.DatetimeIndex, percent: float) -> xr.Dataset:
    """Forcing of one tile: only its masked pixels are computed."""
    use = tile["mask"].values.ravel()
    shape = (time.size, tile.sizes["lat"], tile.sizes["lon"])
    values: dict[str, Array] = {}
    if use.any():
        lat = np.repeat(tile["lat"].values, tile.sizes["lon"])[use]
        monthly = {k: tile[k].values.reshape(12, -1)[:, use] for k in ("tas_month", "pr_month", "sunshine")}
        values = year_of_pixels(
            lat, monthly["tas_month"], monthly["pr_month"], percent * monthly["sunshine"],
            tile["green"].values.ravel()[use], tile["capacity"].values.ravel()[use], time,
        )  # fmt: skip
    out = xr.Dataset(coords={"time": time, "lat": tile["lat"], "lon": tile["lon"]})
    for name, units in FORCING.items():
        full = np.full((time.size, use.size), np.nan, dtype=np.float32)
        if use.any():
            full[:, use] = values[name]
        out[name] = (("time", "lat", "lon"), full.reshape(shape), {"units": units})
    return out


def year_of_pixels(
    lat: Array,
    tas_month: Array,
    pr_month: Array,
    sunshine: Array,
    green: Array,
    capacity: Array,
    time: pd.DatetimeIndex,
) -> dict[str, Any]:
    """Daily forcing of n pixels from their monthly climate.

    Parameters
    ----------
    lat : array, shape (n,)
        Degrees north.
    tas_month, pr_month, sunshine : array, shape (12, n)
        degC, mm a calendar month, % of the possible.
    green : array, shape (n,)
        Largest NDVI of the year.
    capacity : array, shape (n,)
        Water held at field capacity, mm.
    time : DatetimeIndex
        The days.

    Returns
    -------
    dict of str to array, shape (T, n)
        tas, vpd, par, fapar, wai, ci in the vocabulary's units.
    """
    doy = time.day_of_year.to_numpy().astype(float)
    length = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    middle = np.cumsum(length) - length / 2.0
    tas, sun = _between(tas_month, middle, doy), np.clip(_between(sunshine, middle, doy), 0.0, 100.0)
    toa = toa_radiation(lat[None, :], doy[:, None])
    rsds = toa * (0.251 + 0.509 * sun / 100.0)
    vpd = np.maximum(esat(tas) - esat(tas - DEW_DEPRESSION), 0.0)
    pr = (pr_month / length[:, None])[time.month.to_numpy() - 1]
    water = wai(pr, tas, net_radiation(rsds, toa, tas, vpd), awc=np.maximum(capacity, 1.0))[0]
    wrapped = np.concatenate([tas[-(GREEN_WINDOW // 2) :], tas, tas[: GREEN_WINDOW // 2]])
    total = np.cumsum(np.vstack([np.zeros((1, tas.shape[1])), wrapped]), axis=0)
    smooth = (total[GREEN_WINDOW:] - total[:-GREEN_WINDOW]) / GREEN_WINDOW
    step = np.clip(np.roll(smooth, GREEN_LAG, axis=0) / 18.0, 0.0, 1.0)
    fapar = 0.3 + (np.minimum(0.95, green + 0.02) - 0.3) * step * step * (3.0 - 2.0 * step)
    return {
        "tas": tas,
        "vpd": vpd,
        "par": 0.45 * rsds,
        "fapar": np.clip(fapar, 0.0, 1.0),
        "wai": np.clip(water, 0.0, 1.0),
        "ci": cloudiness_index(rsds, toa),
    }


def _between(monthly: Array, middle: Array, doy: Array) -> Array:
    """Linear between mid-months, round the year, shape (T, n)."""
    at = np.concatenate([[middle[-1] - 365.0], middle, [middle[0] + 365.0]])
    values = np.concatenate([monthly[-1:], monthly, monthly[:1]])
    right = np.clip(np.searchsorted(at, doy - 0.5), 1, at.size - 1)
    share = ((doy - 0.5 - at[right - 1]) / (at[right] - at[right - 1]))[:, None]
    return values[right - 1] * (1.0 - share) + values[right] * share
