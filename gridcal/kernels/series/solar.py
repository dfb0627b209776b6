"""Radiation and evaporative demand from daily weather, after FAO-56 (Allen et al. 1998)."""

from __future__ import annotations

import numpy as np

SOLAR_CONSTANT = 0.0820  # MJ m-2 min-1, FAO-56
LATENT_HEAT = 2.45  # MJ kg-1, FAO-56
PSYCHROMETER = 0.066  # kPa degC-1, at about 99 kPa
ALBEDO = 0.23
STEFAN_BOLTZMANN = 4.903e-9  # MJ K-4 m-2 d-1
CI_MIN = 0.01


def toa_radiation(lat, doy):
    """Daily radiation at the top of the atmosphere (FAO-56 eq. 21), MJ m-2 d-1.

    Parameters
    ----------
    lat : array
        Latitude, degrees north.
    doy : array
        Day of the year, 1 to 366; broadcast against `lat`.
    """
    phi = np.deg2rad(np.asarray(lat, dtype=float))
    angle = 2.0 * np.pi * np.asarray(doy, dtype=float) / 365.0
    distance = 1.0 + 0.033 * np.cos(angle)
    declination = 0.409 * np.sin(angle - 1.39)
    sunset = np.arccos(np.clip(-np.tan(phi) * np.tan(declination), -1.0, 1.0))
    height = sunset * np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.sin(sunset)
    return np.maximum(24.0 * 60.0 / np.pi * SOLAR_CONSTANT * distance * height, 0.0)


def cloudiness_index(rsds, toa):
    """Cloudiness index 1 - rsds / toa (both MJ m-2 d-1), between 0.01 and 1; 1 where there is no sun."""
    toa = np.asarray(toa, dtype=float)
    dark = toa < 0.5
    return np.where(dark, 1.0, np.clip(1.0 - np.asarray(rsds) / np.where(dark, 1.0, toa), CI_MIN, 1.0))


def esat(tas):
    """Saturation vapour pressure over water (FAO-56 eq. 11), kPa; `tas` in degC."""
    return 0.6108 * np.exp(17.27 * np.asarray(tas, dtype=float) / (np.asarray(tas, dtype=float) + 237.3))


def esat_slope(tas):
    """Slope of the saturation vapour pressure curve (FAO-56 eq. 13), kPa degC-1."""
    return 4098.0 * esat(tas) / (np.asarray(tas, dtype=float) + 237.3) ** 2


def net_radiation(rsds, toa, tas, vpd):
    """Net radiation of a vegetated surface (FAO-56 eq. 38 to 40), MJ m-2 d-1, not below 0.

    Parameters
    ----------
    rsds, toa : array
        Shortwave radiation at the surface and the top of the atmosphere, MJ m-2 d-1.
    tas : array
        Air temperature, degC.
    vpd : array
        Vapour pressure deficit, kPa; the actual vapour pressure is esat(tas) - vpd.
    """
    tas = np.asarray(tas, dtype=float)
    clear = 0.75 * np.asarray(toa, dtype=float)
    share = np.clip(np.asarray(rsds) / np.maximum(clear, 0.05), 0.3, 1.0)
    vapour = np.maximum(esat(tas) - vpd, 0.0)
    longwave = STEFAN_BOLTZMANN * (tas + 273.16) ** 4 * (0.34 - 0.14 * np.sqrt(vapour)) * (1.35 * share - 0.35)
    return np.maximum((1.0 - ALBEDO) * np.asarray(rsds) - longwave, 0.0)


def equilibrium_evaporation(net, tas):
    """Equilibrium evaporation, the Priestley-Taylor demand with a coefficient of 1, mm d-1; `net` in MJ m-2 d-1."""
    slope = esat_slope(tas)
    return np.maximum(slope / (slope + PSYCHROMETER) * np.asarray(net) / LATENT_HEAT, 0.0)
