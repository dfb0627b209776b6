"""Synthetic flux sites whose parameters are known functions of their features: weather, vegetation, noisy observations.

Parameters follow nonlinear functions of the features, an effect of the vegetation type and noise that nothing explains.
Observations are the model's GPP times a slow structural error, with heteroscedastic noise, short records and gaps.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from gridcal.cube import Cube
from gridcal.ingest.comparison_sites import seasonal_cycles
from gridcal.kernels.series.solar import cloudiness_index, esat, net_radiation, toa_radiation
from gridcal.models.bucket import wai
from gridcal.models.lue import PARAMETERS, lag_masks, lue
from gridcal.vocabulary.variables import VARIABLES

Array = npt.NDArray[np.float64]

PFTS = ("ENF", "EBF", "DBF", "MF", "CSH", "OSH", "WSA", "SAV", "GRA", "WET", "CRO")
CLIMATES = ("Af", "Am", "Aw", "BSh", "BSk", "BWh", "Cfa", "Cfb", "Csa", "Csb", "Dfa", "Dfb", "Dfc", "ET")
_CLIMATE_SHARE = (0.02, 0.03, 0.05, 0.03, 0.09, 0.02, 0.12, 0.17, 0.08, 0.04, 0.05, 0.12, 0.14, 0.04)
_LATITUDE = {"A": 8.0, "B": 33.0, "C": 42.0, "D": 55.0, "E": 68.0}
_TEMPERATURE = {"A": 25.5, "B": 17.0, "C": 13.5, "D": 4.0, "E": -6.0}
_RAIN = {"A": 1900.0, "B": 330.0, "C": 950.0, "D": 650.0, "E": 400.0}
_PFT_SHARE = {
    "A": (0, 0.4, 0.05, 0, 0, 0.05, 0.1, 0.25, 0.05, 0.05, 0.05),
    "B": (0.05, 0.02, 0.02, 0, 0.12, 0.25, 0.1, 0.12, 0.27, 0, 0.05),
    "C": (0.22, 0.08, 0.17, 0.08, 0.06, 0.01, 0.03, 0, 0.15, 0.05, 0.15),
    "D": (0.4, 0, 0.15, 0.1, 0.01, 0.04, 0, 0, 0.1, 0.1, 0.1),
    "E": (0.15, 0, 0, 0, 0, 0.35, 0, 0, 0.2, 0.3, 0),
}
_BASE = dict(eps_max=-1.0, Topt=0.1, kT=0.2, kappa=0.3, Ca0=0.0, Ck=-1.2, Cm=0.0, kW=-0.2, WI=-1.2, gamma=-3.0, mu=-1.2, aT=0.0, aW=0.0)  # noqa: C408, E501  # fmt: skip
_SPREAD = dict(eps_max=0.55, Topt=0.8, kT=0.5, kappa=0.6, Ca0=0.4, Ck=0.5, Cm=0.5, kW=0.6, WI=0.6, gamma=0.5, mu=0.7, aT=0.8, aW=0.8)  # noqa: C408, E501  # fmt: skip
_START = "2001-01-01"


@dataclasses.dataclass(frozen=True)
class SyntheticSites:
    """Synthetic sites and what they were made with.

    Parameters
    ----------
    cube : Cube, dims (time, site)
        Forcing, ``gpp_obs``, features, cycles; coordinates lat, lon, elv, pft, climate, climate_class.
    truth : Dataset, dims (site,)
        The parameters, in the unit cube.
    """

    cube: Cube
    truth: xr.Dataset


def synthetic_sites(
    n: int = 196, years: int = 5, *, seed: int = 0, lag: str = "bao2023", unexplained: float = 0.35, structural: float = 0.15,
    noise: float = 0.15,
) -> SyntheticSites:  # fmt: skip
    """Make synthetic flux sites for the light-use-efficiency model.

    Parameters
    ----------
    n : int
        Sites.
    years : int
        Years of forcing; records are two years or longer.
    seed : int
        Seed of everything.
    lag : {"bao2023", "de2025", "all", "none"}
        Where the lag filters act.
    unexplained : float
        Standard deviation of the part of the parameters that no feature explains, against 1 for what features explain.
    structural, noise : float
        Standard deviation of the logarithm of the slow error, and scale of the daily noise.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(50,)))
    time = pd.date_range(_START, periods=round(years * 365.25), freq="D")
    days, doy = time.size, time.day_of_year.to_numpy().astype(float)
    climate = _drawn(rng, n, len(CLIMATES), np.tile(_CLIMATE_SHARE, (n, 1)))
    main = np.array([CLIMATES[k][0] for k in climate])
    pft = _drawn(rng, n, len(PFTS), np.array([_PFT_SHARE[m] for m in main], dtype=float))
    lat = np.array([_LATITUDE[m] for m in main]) + rng.normal(0, 4, n)
    lon = rng.uniform(-120, 140, n)
    mean = np.array([_TEMPERATURE[m] for m in main]) + rng.normal(0, 3, n)
    swing = np.clip(0.27 * np.abs(lat) + rng.normal(0, 2, n), 1, 22)
    rain = np.array([_RAIN[m] for m in main]) * np.exp(rng.normal(0, 0.3, n))
    shift = np.where(lat >= 0, 0.0, 182.6)
    season = np.sin(2 * np.pi * (doy[:, None] - 105.0 + shift) / 365.25)
    tas = mean + swing * season + _autoregressive(rng, days, n, 0.8) * np.clip(2 + 0.1 * swing, 2, 5)
    toa = np.maximum(toa_radiation(lat[None], doy[:, None]), 0.2)
    cloud = np.clip(0.30 + 0.30 * np.tanh((rain - 600) / 700), 0.2, 0.6)
    logit = np.log(cloud / (1 - cloud)) + 1.1 * _autoregressive(rng, days, n, 0.4)
    rsds = toa * (1 - np.clip(1 / (1 + np.exp(-logit)), 0.18, 0.95))
    ci = cloudiness_index(rsds, toa)
    humidity = np.clip(0.35 + 0.33 * np.tanh(rain / 700 - 0.4), 0.15, 0.75) + 0.35 * (ci - 0.4)
    vpd = np.maximum(esat(tas) * (1 - np.clip(humidity, 0.1, 0.98)), 0.01)
    wet = rng.random((days, n)) < np.clip(rain / 3000 + 0.1, 0.05, 0.6) * (0.5 + ci)
    pr = np.where(wet, rng.exponential(1.0, (days, n)), 0.0)
    pr *= rain / np.maximum(pr.mean(axis=0) * 365.25, 1e-9)
    capacity = np.exp(rng.normal(np.log(140), 0.4, n))
    net = net_radiation(rsds, toa, tas, vpd)
    moisture = np.clip(wai(pr, tas, net, awc=capacity, theta=0.035)[0], 0.0, 1.0)
    co2 = 358 + 2.05 * (rng.integers(0, 14, n) + np.arange(days)[:, None] / 365.25)
    growth = 1 / (1 + np.exp(-(tas - (mean + 0.1 * swing)) / 4))
    growth = _trailing_mean(growth, 30)
    full = np.clip(0.25 + 0.5 * np.tanh(rain / 900) + rng.normal(0, 0.08, n), 0.12, 0.92)
    evergreen = np.isin(pft, (0, 1)) * 0.65 + 0.12
    fapar = np.clip(full * (evergreen + (1 - evergreen) * growth), 0.02, 0.95)
    par = 0.45 * rsds
    features = _features(rng, tas, vpd, ci, moisture, fapar, par, rain, capacity, net, main == "C")
    unit = _parameters(rng, features, pft, mean, unexplained)
    masks = lag_masks([CLIMATES[k] for k in climate], lag) if lag != "none" else np.zeros((2, n))
    forcing = [tas, vpd, par, fapar, moisture, co2, ci]
    (gpp,), _ = lue.run(PARAMETERS.from_unit(unit).T, forcing, masks)
    slow = np.exp(structural * _autoregressive(rng, days, n, 0.97) - structural**2 / 2)
    obs = gpp * slow + noise * np.sqrt(2.0 * np.maximum(gpp, 0.05)) * rng.normal(size=(days, n))
    length = rng.integers(min(730, days - 1), days + 1, n)
    seen = (np.arange(days)[:, None] < length) & (rng.random((days, n)) < 0.8)
    return _dataset(time, forcing, np.where(seen, obs, np.nan), pr, features, unit, masks, lat, lon, pft, climate, seed)


def _drawn(rng: np.random.Generator, n: int, k: int, share: Array) -> npt.NDArray[np.int64]:
    """A class for each site by its own shares; every class is given to at least three sites."""
    total = share / share.sum(axis=1, keepdims=True)
    found = (rng.random((n, 1)) > np.cumsum(total, axis=1)[:, :-1]).sum(axis=1)
    for c in range(k):
        lacking = 3 - int((found == c).sum())
        if lacking > 0:
            common = np.flatnonzero(np.bincount(found, minlength=k)[found] > 3 + lacking)
            found[rng.choice(common if common.size >= lacking else n, lacking, replace=False)] = c
    return found.astype(np.int64)


def _autoregressive(rng: np.random.Generator, days: int, n: int, rho: float) -> Array:
    """Stationary AR(1) of variance 1, shape (days, n)."""
    out = rng.normal(size=(days, n))
    out[1:] *= np.sqrt(1 - rho * rho)
    for t in range(1, days):
        out[t] += rho * out[t - 1]
    return out


def _trailing_mean(x: Array, window: int) -> Array:
    padded = np.concatenate([np.repeat(x[:1], window - 1, axis=0), x])
    total = np.cumsum(np.concatenate([np.zeros((1, x.shape[1])), padded]), axis=0)
    return np.asarray((total[window:] - total[:-window]) / window)


def _features(
    rng: np.random.Generator, tas: Array, vpd: Array, ci: Array, moisture: Array, fapar: Array, par: Array, rain: Array,
    capacity: Array, net: Array, temperate: npt.NDArray[np.bool_],
) -> dict[str, Array]:  # fmt: skip
    """Features of the sites, each with noise of a tenth of its spread."""
    n = rain.size
    aridity = rain / np.maximum(net.mean(axis=0) / 2.45 * 365.25, 1.0)
    light = fapar * par
    made = {
        "bio1": tas.mean(0), "bio4": 100 * tas.std(0), "bio12": rain, "bio5": tas.max(0), "bio6": tas.min(0),
        "log_pr": np.log(rain), "p_over_pet": aridity, "log_pr_over_pet": np.log(aridity), "vpd_mean": vpd.mean(0),
        "ci_mean": ci.mean(0), "wai_mean": moisture.mean(0), "wai_sd": moisture.std(0), "apar_mean": light.mean(0),
        "apar_largest": light.max(0), "fapar_mean": fapar.mean(0), "fapar_sd": fapar.std(0), "fapar_largest": fapar.max(0),
        "fapar_smallest": fapar.min(0), "fapar_range": np.ptp(fapar, axis=0), "whc": capacity,
    }  # fmt: skip
    for k in range(6):
        made[f"hwsd_{k}"] = rng.normal(size=n) + (0.8 * (np.log(capacity) - np.log(140)) / 0.4 if k == 0 else 0.0)
    for k, name in enumerate(("ndep_nhx", "ndep_noy", "pdep")):
        made[name if k < 2 else "pdep_total"] = np.exp(rng.normal(0, 0.6, n)) + (0.5 * temperate if k == 0 else 0.0)
    return {k: x + 0.1 * x.std() * rng.normal(size=n) for k, x in made.items()}


def _parameters(
    rng: np.random.Generator, features: dict[str, Array], pft: npt.NDArray[np.int64], mean: Array, unexplained: float
) -> Array:
    """Parameters in the unit cube, shape (n, 13)."""
    z = np.stack([(x - x.mean()) / x.std() for x in features.values()], axis=1)
    warmth = (mean - mean.mean()) / mean.std()
    out = np.empty((pft.size, len(PARAMETERS)))
    for j, name in enumerate(PARAMETERS.names):
        mixing = rng.normal(size=(z.shape[1], 6)) * (rng.random((z.shape[1], 6)) < 0.25)
        g = np.tanh(z @ mixing / 2 + rng.normal(0, 0.5, 6)) @ rng.normal(size=6)
        g = (g - g.mean()) / g.std()
        if name == "Topt":
            g = 0.5 * g + 1.2 * warmth  # thermal adaptation
        effect = rng.normal(size=len(PFTS))[pft]
        logit = _BASE[name] + _SPREAD[name] * (0.85 * g + 0.4 * effect + unexplained * rng.normal(size=pft.size))
        out[:, j] = 1 / (1 + np.exp(-logit))
    return out


def _dataset(
    time: pd.DatetimeIndex, forcing: list[Array], obs: Array, pr: Array, features: dict[str, Array], unit: Array, masks: Array,
    lat: Array, lon: Array, pft: npt.NDArray[np.int64], climate: npt.NDArray[np.int64], seed: int,
) -> SyntheticSites:  # fmt: skip
    units = ("degC", "kPa", "MJ m-2 d-1", "1", "1", "ppm", "1")
    labels = [f"site-{k:03d}" for k in range(lat.size)]
    data = xr.Dataset(coords={"time": time, "site": labels})
    for name, x, u in zip(lue.forcing, forcing, units, strict=True):
        data[name] = (("time", "site"), x.astype(np.float32), {"units": u})
    data["gpp_obs"] = (("time", "site"), obs.astype(np.float32), {"units": "gC m-2 d-1"})
    for k, name in enumerate(("lag_temperature", "lag_moisture")):
        data[name] = (("site",), masks[k], {"units": "1"})
    for name, x in features.items():
        data[name] = (("site",), x, {"units": VARIABLES[name].units if name in VARIABLES else "1"})
    names = np.array([PFTS[k] for k in pft], dtype=object)
    letters = np.array([CLIMATES[k] for k in climate], dtype=object)
    data["igbp"], data["koeppen"] = ("site", names), ("site", letters)
    data["cycles"] = (("site", "cycle"), seasonal_cycles(time, data, pr))
    data = data.assign_coords(
        lat=("site", lat, {"units": "degrees_north"}), lon=("site", lon, {"units": "degrees_east"}),
        elv=("site", np.zeros(lat.size), {"units": "m"}), pft=("site", names),
        climate=("site", np.array([c[0] for c in letters], dtype=object)), climate_class=("site", letters),
    )  # fmt: skip
    data.attrs = {"title": "synthetic flux sites", "fingerprint": f"synthetic-sites-2-{seed}-{lat.size}-{time.size}"}
    truth = xr.Dataset({n: ("site", unit[:, k]) for k, n in enumerate(PARAMETERS.names)}, coords={"site": labels})
    return SyntheticSites(Cube.from_dataset(data, features=[*features, "igbp", "koeppen"]), truth)
