"""A synthetic twin: a small deciduous region whose true parameters are known.

Features vary smoothly over the region, parameter fields are functions of the features, weather comes from a generator, and
the observations are the model's own 8-day GPP with noise. What a study recovers can be compared with what was planted.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from gridcal.cube import Cube
from gridcal.kernels.series.solar import cloudiness_index, esat, net_radiation, toa_radiation
from gridcal.models.bucket import wai
from gridcal.models.lue import lue
from gridcal.process.model import ProcessModel
from gridcal.simulation.over_cube import simulate
from gridcal.vocabulary.periods import aggregate, period_index

Array = npt.NDArray[np.floating]

PLANTED = ("eps_max", "Topt", "kT", "WI")
"""Parameters whose fields vary over the region; the others sit at the model's defaults."""

FEATURES = ("bio1", "bio4", "bio12", "elv", "ndvi_maximum", "field_capacity", "koeppen")


@dataclasses.dataclass(frozen=True)
class Twin:
    """A synthetic region.

    Parameters
    ----------
    cube : Cube
        Forcing, features and noisy observations (``gpp_obs``), dimensions (time, lat, lon).
    truth : Dataset
        The planted parameter fields (lat, lon).
    noise_sd : DataArray
        Standard deviation of the noise of an 8-day value (lat, lon), gC m-2 d-1.
    """

    cube: Cube
    truth: xr.Dataset
    noise_sd: xr.DataArray


def twin(
    lat: int = 24,
    lon: int = 32,
    years: int = 3,
    *,
    snr_db: float = 20.0,
    seed: int = 1,
    model: ProcessModel = lue,
    tile: int = 8,
) -> Twin:
    """Make a synthetic twin.

    Parameters
    ----------
    lat, lon : int
        Pixels in each direction, 0.25 degrees wide, from 35 N 85 W.
    years : int
        Years from 2001 on.
    snr_db : float
        Signal-to-noise ratio of the 8-day GPP in decibel: 20 dB is noise of a tenth of the signal's standard deviation.
    seed : int
        Seed of features, weather and noise.
    model : ProcessModel
        The light-use-efficiency model, whose observations are made.
    tile : int
        Pixels a side of a chunk.

    Returns
    -------
    Twin
        Cube, truth and noise.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(9,)))
    y = 35.0 + 0.25 * np.arange(lat)
    x = -85.0 + 0.25 * np.arange(lon)
    features = _features(y, x, rng)
    truth = _truth(features, model)
    time = pd.date_range("2001-01-01", f"{2000 + years}-12-31", freq="D")
    forcing = _weather(features, time, rng)
    data = xr.Dataset(forcing, coords={"time": time, "lat": y, "lon": x}).merge(features)
    letters = data["koeppen"].astype(str).str.slice(0, 1)
    data["lag_temperature"] = (("lat", "lon"), np.zeros((lat, lon), dtype=np.float32))
    data["lag_moisture"] = (("lat", "lon"), (letters.values == "B").astype(np.float32))
    clean = simulate(Cube.from_dataset(data, features=FEATURES), model, truth)["gpp"]
    composite = aggregate(clean, "8-day")
    labels, _ = period_index(time, "8-day")
    noise_sd = composite.std("time") * 10.0 ** (-snr_db / 20.0)
    noise = rng.standard_normal(composite.shape) * noise_sd.values
    observed = composite.values + noise
    attrs = {"units": "gC m-2 d-1", "long_name": "synthetic 8-day GPP with noise, repeated on the days of its period"}
    data["gpp_obs"] = (("time", "lat", "lon"), observed[labels].astype(np.float32), attrs)
    data.attrs = {"title": "synthetic twin", "seed": seed, "fingerprint": f"twin-2-{lat}-{lon}-{years}-{snr_db}-{seed}"}
    cube = Cube.from_dataset(data.chunk({"time": -1, "lat": tile, "lon": tile}), features=FEATURES)
    return Twin(cube, truth, noise_sd.drop_vars("time", errors="ignore"))


def _smooth(shape: tuple[int, int], rng: np.random.Generator, length: float = 5.0) -> Array:
    """A smooth random field with mean 0 and standard deviation 1."""
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(rng.standard_normal(shape), length, mode="nearest")
    return (field - field.mean()) / field.std()


def _features(lat: Array, lon: Array, rng: np.random.Generator) -> xr.Dataset:
    shape = (lat.size, lon.size)
    elevation = np.clip(350.0 + 250.0 * _smooth(shape, rng), 5.0, None)
    bio1 = 30.0 - 0.45 * lat[:, None] - 0.0055 * elevation + 0.4 * _smooth(shape, rng)
    bio4 = 800.0 + 22.0 * (lat[:, None] - 38.0) + 25.0 * _smooth(shape, rng)
    bio12 = np.clip(1100.0 + 200.0 * _smooth(shape, rng) + 0.1 * elevation, 700.0, None)
    capacity = np.clip(190.0 + 70.0 * _smooth(shape, rng), 60.0, 400.0)
    green = np.clip(0.86 + 0.04 * _smooth(shape, rng, 3.0) + 0.00004 * (bio12 - 1050.0), 0.6, 0.95)
    koeppen = np.where(bio1 - 0.0118 * bio4 > 2.2, "Cfa", "Dfb")
    dims = ("lat", "lon")
    return xr.Dataset(
        {
            "bio1": (dims, bio1, {"units": "degC", "long_name": "annual mean temperature"}),
            "bio4": (dims, bio4, {"units": "1", "long_name": "temperature seasonality"}),
            "bio12": (dims, bio12, {"units": "mm", "long_name": "annual precipitation"}),
            "elv": (dims, elevation, {"units": "m", "long_name": "elevation"}),
            "ndvi_maximum": (dims, green, {"units": "1", "long_name": "largest NDVI of the year"}),
            "field_capacity": (dims, capacity, {"units": "mm", "long_name": "water the root zone holds"}),
            "koeppen": (dims, koeppen, {"long_name": "Koeppen-Geiger class"}),
        },
        coords={"lat": lat, "lon": lon},
    )


def _truth(features: xr.Dataset, model: ProcessModel) -> xr.Dataset:
    """Parameter fields as smooth functions of the features."""
    f = features
    boreal = (f["koeppen"] == "Dfb").astype(float)
    fields = {
        "eps_max": 2.4 + 7.0 * (f["ndvi_maximum"] - 0.86) + 0.0008 * (f["bio12"] - 1050.0) - 0.3 * boreal,
        "Topt": 19.5 + 1.1 * (f["bio1"] - 10.5) + 1.5 * np.tanh((f["elv"] - 350.0) / 300.0),
        "kT": 9.0 + 0.03 * (f["bio4"] - 820.0) + 2.0 * boreal,
        "WI": 0.34 - 0.00025 * (f["bio12"] - 1050.0) + 0.0006 * (f["field_capacity"] - 190.0),
    }
    limits = {"eps_max": (1.0, 5.0), "Topt": (9.0, 30.0), "kT": (5.0, 18.0), "WI": (0.15, 0.5)}
    truth = xr.Dataset()
    for p in model.parameters:
        value = fields.get(p.name, xr.full_like(f["bio1"], p.default))
        if p.name in limits:
            value = value.clip(*limits[p.name])
        truth[p.name] = value.drop_vars("koeppen", errors="ignore").assign_attrs(units=p.units, long_name=p.description)
    return truth


def _weather(features: xr.Dataset, time: pd.DatetimeIndex, rng: np.random.Generator) -> dict[str, xr.DataArray]:
    """Daily forcing of the light-use-efficiency model: seasonal cycle, regional fronts, local noise, wet days, a bucket."""
    doy = time.day_of_year.values.astype(float)
    days, shape = time.size, features["bio1"].shape
    n = shape[0] * shape[1]
    flat = {k: features[k].values.reshape(n) for k in ("bio1", "bio4", "bio12", "ndvi_maximum", "field_capacity")}
    season = np.cos(2.0 * np.pi * (doy - 201.0) / 365.25)
    fronts = _red_noise(days, 1, 0.72, rng)
    local = _red_noise(days, n, 0.6, rng)
    tas = flat["bio1"] + 1.42 * flat["bio4"] / 100.0 * season[:, None] + 2.8 * fronts + 1.0 * local
    drift = _red_noise(days, 1, 0.985, rng)
    wet_share = np.clip(0.30 + 0.06 * drift, 0.08, 0.6) * np.sqrt(flat["bio12"] / 1050.0)
    humid = _red_noise(days, 1, 0.45, rng) + 0.35 * _red_noise(days, n, 0.45, rng)
    wet = humid > -np.quantile(humid, 0.30) + (0.30 - wet_share) * 4.0
    amount = rng.exponential(1.0, (days, n)) * wet
    pr = amount * (flat["bio12"] / 365.25) / np.maximum(amount.mean(axis=0), 1e-6)
    lat = np.repeat(features["lat"].values, shape[1])
    toa = toa_radiation(lat[None, :], doy[:, None])
    clear = np.clip(0.62 - 0.30 * wet + 0.10 * rng.standard_normal((days, n)), 0.12, 0.76)
    rsds_mj = toa * clear
    dew = tas - np.where(wet, 2.0, 9.0 - 1.5 * season[:, None]) - 0.6 * np.abs(local)
    vpd = np.maximum(esat(tas) - esat(dew), 0.01)
    warm = _trailing_mean(tas, 31)
    ramp = np.clip(warm / 18.0, 0.0, 1.0)
    fapar = 0.3 + (np.minimum(0.95, flat["ndvi_maximum"] + 0.02) - 0.3) * ramp * ramp * (3.0 - 2.0 * ramp)
    radiation = net_radiation(rsds_mj, toa, tas, vpd)
    water = wai(pr, tas, radiation, awc=flat["field_capacity"])[0]
    values = {
        "tas": tas,
        "vpd": vpd,
        "par": 0.45 * rsds_mj,
        "fapar": fapar,
        "wai": water,
        "ci": cloudiness_index(rsds_mj, toa),
    }
    out = {
        name: xr.DataArray(x.reshape(days, *shape).astype(np.float32), dims=("time", "lat", "lon"))
        for name, x in values.items()
    }
    co2 = 370.0 + 2.1 * (time.year.values - 2001 + doy / 365.25)
    out["co2"] = xr.DataArray(co2.astype(np.float32), dims=("time",))
    units = {"tas": "degC", "vpd": "kPa", "par": "MJ m-2 d-1", "fapar": "1", "wai": "1", "ci": "1", "co2": "ppm"}
    for name, array in out.items():
        array.attrs["units"] = units[name]
    return out


def _red_noise(days: int, n: int, memory: float, rng: np.random.Generator) -> Array:
    """First-order autoregressive noise of unit variance, shape (days, n)."""
    from scipy.signal import lfilter

    white = rng.standard_normal((days, n)) * np.sqrt(1.0 - memory * memory)
    white[0] /= np.sqrt(1.0 - memory * memory)
    return lfilter([1.0], [1.0, -memory], white, axis=0)


def _trailing_mean(x: Array, window: int) -> Array:
    """Mean over the last `window` days, shorter at the start; shape (days, n)."""
    total = np.cumsum(x, axis=0)
    total[window:] -= total[:-window].copy()
    return total / np.minimum(np.arange(1, x.shape[0] + 1), window)[:, None]
