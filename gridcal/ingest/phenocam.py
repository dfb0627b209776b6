"""Daily weather at deciduous PhenoCam pixels, from Daymet, as forcing of IBIS; and pixels whose years can be run together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from gridcal.cube import Cube, open_cube
from gridcal.cube.entry import describe, load_entry
from gridcal.errors import ConfigError, InputError
from gridcal.vocabulary.fingerprint import fingerprint

Array = npt.NDArray[np.float64]

TEXTURES = {"sandy loam": (60.0, 10.0), "silt loam": (25.0, 18.0)}
"""Sand and clay, %: no soil is known at the pixels, so results are given for both."""
WIND, PRESSURE = 3.0, 98_500.0  # m s-1 and Pa: towers of the region have 2.2 to 3.8 and 98.4 to 98.7 kPa
CELL = 0.05  # degrees
WEST, NORTH = -98.0, 50.0
RANGE_DAYS = 30  # over which the daily temperature range is averaged
FORCING = ("tasmin", "tasmax", "pr", "huss", "sfcWind", "ps", "clt")

SOURCES = [describe(load_entry(i)) for i in ("phenocam-daymet", "co2-annual")]
CAVEATS = [
    "Cloud at PhenoCam pixels is estimated from the daily temperature range and precipitation (Thornton and Running 1999): at "
    "four towers the radiation it implies has r .87 to .89 with the measured one and is 4 % too low to 8 % too high; its own r "
    "is .63 to .70, with 0.6 of the standard deviation.",
    "Wind (3 m s-1) and pressure (985 hPa) at PhenoCam pixels are constants: too high a pressure in the mountains.",
    "No soil texture is known at PhenoCam pixels: results hold for the texture that was given.",
    "19 September of common years and 31 December of leap years are absent from the source and interpolated, without rain.",
]


def phenocam_cube(
    data_dir: str | Path | None = None, *, texture: tuple[float, float] = TEXTURES["sandy loam"], least_years: int = 3
) -> Cube:
    """Weather of the deciduous PhenoCam pixels of the eastern United States.

    Parameters
    ----------
    data_dir : path, optional
        Data directory; the environment variable GRIDCAL_DATA without it.
    texture : (float, float)
        Sand and clay of every pixel, %; ``TEXTURES`` holds two.
    least_years : int
        Complete calendar years a pixel must have.

    Returns
    -------
    Cube, dims (time, pixel)
        tasmin, tasmax, pr, huss, sfcWind, ps, clt and co2, NaN on days without weather; sand and clay; ``filled``, 1 on days
        the source lacks. One pixel, named after the camera with the most years, for each cell of 0.05 degrees east of 98 W
        and south of 50 N; the coordinate ``cameras`` names all of the cell, ``complete_years`` counts. What is derived and
        how is said in the attribute ``derivation`` of each variable.

    Raises
    ------
    ConfigError
        If the texture is none, or no pixel has so many years.
    """
    sand, clay = texture
    if not (sand >= 0.0 and clay >= 0.0 and sand + clay <= 100.0):
        raise ConfigError(f"texture = {texture}", "Give sand and clay in %, together at most 100")
    source = open_cube("phenocam-daymet", data_dir=data_dir).data.load().transpose("time", ...)
    time = pd.DatetimeIndex(source.indexes["time"])
    known = np.logical_and.reduce([np.isfinite(source[n].values) for n in ("tasmin", "tasmax", "pr", "vap")])
    count = complete_years(known, time).sum(axis=0)
    chosen, cameras = _one_a_cell(source, count)
    enough = count[chosen] >= least_years
    if not enough.any():
        raise ConfigError(f"least_years = {least_years}: no pixel has so many", f"The longest record has {count.max()}")
    chosen, cameras = chosen[enough], [c for c, e in zip(cameras, enough, strict=True) if e]
    there = known[:, chosen]
    x = {n: np.where(there, source[n].values[:, chosen], np.nan).astype(float) for n in ("tasmin", "tasmax", "pr", "vap")}
    made = {n: (x[n], "") for n in ("tasmin", "tasmax", "pr")}
    made["huss"] = (specific_humidity(x["vap"], PRESSURE), "from Daymet's vapour pressure at 98 500 Pa")
    made["sfcWind"] = (np.where(there, WIND, np.nan), "constant")
    made["ps"] = (np.where(there, PRESSURE, np.nan), "constant")
    made["clt"] = (
        cloud_of_range(x["tasmin"], x["tasmax"], x["pr"]),
        "from the daily temperature range and precipitation (Thornton and Running 1999), by IBIS's relation to transmissivity",
    )
    units = {"tasmin": "degC", "tasmax": "degC", "pr": "mm d-1", "huss": "kg kg-1", "sfcWind": "m s-1", "ps": "Pa", "clt": "1"}
    data = xr.Dataset(coords={"time": time, "pixel": source["site"].values[chosen].astype(str)})
    for name, (values, how) in made.items():
        data[name] = (("time", "pixel"), values, {"units": units[name], "derivation": how or "Daymet"})
    yearly = open_cube("co2-annual", data_dir=data_dir).data
    annual = yearly["co2"]
    read = fingerprint([x.attrs["fingerprint"] for x in (source, yearly)])
    co2 = annual.sel(year=xr.DataArray(time.year, dims="time")).values
    data["co2"] = ("time", co2, {"units": "ppm", "derivation": "Mauna Loa, mean of the year"})
    data["filled"] = (("time", "pixel"), source["filled"].values[:, chosen], source["filled"].attrs)
    for name, value in (("sand", sand), ("clay", clay)):
        data[name] = ("pixel", np.full(len(chosen), float(value)), {"units": "%", "derivation": "given"})
    data = data.assign_coords(
        lat=("pixel", source["lat"].values[chosen].astype(float), {"units": "degrees_north"}),
        lon=("pixel", source["lon"].values[chosen].astype(float), {"units": "degrees_east"}),
        cameras=("pixel", np.array([" ".join(c) for c in cameras])),
        complete_years=("pixel", count[chosen], {"long_name": "complete calendar years of weather"}),
    )
    data.attrs = {"title": "PhenoCam pixels, Daymet", "fingerprint": f"phenocam-{sand:g}-{clay:g}-{least_years}-1-{read}"}
    return Cube.from_dataset(data)


def cloud_of_range(tasmin: Array, tasmax: Array, pr: Array) -> Array:
    """Cloud fraction, as IBIS understands it, from the daily range of temperature and precipitation.

    Parameters
    ----------
    tasmin, tasmax : array, shape (T, n)
        Extremes of each day, degC; NaN where there are none.
    pr : array, shape (T, n)
        Precipitation, mm d-1.

    Returns
    -------
    array, shape (T, n)
        One minus the share of possible sunshine, 0 to 1.

    Notes
    -----
    Transmissivity .60 (1 - .9 exp(-B dT^1.5)), three quarters of it on days with more than 1 mm, with
    B = .031 + .201 exp(-.185 dT30) and dT30 the range's mean over 30 days around (Thornton and Running 1999, Agric. For.
    Meteorol. 93:211); then the inverse of Friend's (1998) .251 + .509 (1 - cloud).
    """
    swing = np.maximum(tasmax - tasmin, 0.0)
    mean = pd.DataFrame(swing).rolling(RANGE_DAYS, center=True, min_periods=RANGE_DAYS // 2).mean().to_numpy()
    steepness = 0.031 + 0.201 * np.exp(-0.185 * mean)
    tau = 0.60 * (1.0 - 0.9 * np.exp(-steepness * swing**1.5))
    tau = np.where(pr > 1.0, 0.75 * tau, tau)
    return np.clip((0.760 - tau) / 0.509, 0.0, 1.0)


def specific_humidity(vap: Array, ps: float | Array) -> Array:
    """Specific humidity, kg kg-1, from vapour pressure and air pressure, both Pa."""
    return 0.622 * vap / (ps - 0.378 * vap)


def complete_years(known: npt.NDArray[np.bool_], time: pd.DatetimeIndex) -> npt.NDArray[np.bool_]:
    """Which calendar years are known on every day, shape (years, n), of `known` (T, n); the years are those of `time`."""
    years, first, days = np.unique(time.year, return_index=True, return_counts=True)
    whole = days == 365 + pd.to_datetime([f"{y}-01-01" for y in years]).is_leap_year
    return np.logical_and.reduceat(known, first, axis=0) & whole[:, None]


def _one_a_cell(source: xr.Dataset, count: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], list[list[str]]]:
    """Of each cell the camera with the most years (the first of several), in the source's order; and the cell's cameras."""
    lat, lon, names = source["lat"].values, source["lon"].values, source["site"].values.astype(str)
    cells: dict[tuple[int, int], list[int]] = {}
    for k in range(names.size):
        if lon[k] > WEST and lat[k] < NORTH:
            cells.setdefault((int(np.floor(lat[k] / CELL)), int(np.floor(lon[k] / CELL))), []).append(k)
    chosen = {max(members, key=lambda k: count[k]): members for members in cells.values()}
    order = sorted(chosen)
    return np.array(order), [[str(names[k]) for k in chosen[c]] for c in order]


def by_first_year(cube: Cube, years: int = 3) -> dict[int, Cube]:
    """Pixels grouped by the first of so many complete calendar years that follow each other, cut to these years.

    Parameters
    ----------
    cube : Cube, dims (time, pixel) or (time, site)
        Daily forcing, NaN where there is none.
    years : int
        How many years: one to spin up on, the others to run.

    Returns
    -------
    dict of int to Cube
        By first year. The pixels of a group share a gap-free time axis, which ``spin_up``, ``simulate`` and ``screen`` need;
        their results can be joined along the pixels. A pixel without such a stretch is in none.

    Raises
    ------
    InputError
        If no pixel has so many complete years in a row.
    """
    cube.require(FORCING)
    (space,) = cube.space_dims
    time = pd.DatetimeIndex(cube.data.indexes["time"])
    series = [cube.data[n].transpose("time", space) for n in FORCING]
    complete = complete_years(np.logical_and.reduce([np.isfinite(x.values) for x in series]), time)
    labels = np.unique(time.year)
    groups: dict[int, list[int]] = {}
    for k in range(complete.shape[1]):
        starts = [i for i in range(labels.size - years + 1) if complete[i : i + years, k].all()]
        if starts:
            groups.setdefault(int(labels[starts[0]]), []).append(k)
    if not groups:
        raise InputError(f"no {space} has {years} complete years in a row", "Ask for fewer")
    return {
        y: Cube(cube.data.isel({space: groups[y]}).sel(time=slice(str(y), str(y + years - 1))), mask_name=cube.mask_name)
        for y in sorted(groups)
    }
