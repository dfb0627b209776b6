"""The P-model with acclimation to the mean of the last days, on daily data (Mengoli et al. 2022, 10.1029/2021MS002767).

Optimal photosynthetic capacities follow the running mean of temperature, light and CO2; assimilation follows the day.
"""

from __future__ import annotations

import math

import numpy as np

from gridcal.errors import InputError
from gridcal.kernels.jit import kernel

BETA = 146.0  # unit cost ratio
C_STAR = 0.41  # unit cost of electron transport
GAS = 8.3145  # J mol-1 K-1
OXYGEN = 209476e-6  # mol mol-1
CARBON = 12.011e-6 * 86400.0  # umol m-2 s-1 to gC m-2 d-1
PRESSURE0 = 101325.0  # Pa


@kernel
def _constants(tas, pressure):
    """Effective Michaelis constant and CO2 compensation point (Pa), relative viscosity of water."""
    kelvin = tas + 273.15
    a = (tas - 25.0) / (298.15 * GAS * kelvin)
    kc = 39.97 * math.exp(79430.0 * a)
    ko = 27480.0 * math.exp(36380.0 * a)
    k = kc * (1.0 + OXYGEN * pressure / ko)
    gamma = 4.332 * pressure / PRESSURE0 * math.exp(37830.0 * a)
    viscosity = math.exp(-3.719 + 580.0 / (kelvin - 138.0)) / 0.911
    return k, gamma, viscosity


@kernel
def _series(tas, vpd, co2, light, pressure, window, out):
    for i in range(tas.shape[1]):
        sum_t, sum_c, sum_l = 0.0, 0.0, 0.0
        for t in range(tas.shape[0]):
            sum_t += tas[t, i]
            sum_c += co2[t, i]
            sum_l += light[t, i]
            if t >= window:
                sum_t -= tas[t - window, i]
                sum_c -= co2[t - window, i]
                sum_l -= light[t - window, i]
            m = min(t + 1, window)
            mean_t, mean_c, mean_l = sum_t / m, sum_c / m, max(sum_l / m, 0.0)
            k, gamma, viscosity = _constants(mean_t, pressure[i])
            xi = math.sqrt(BETA * (k + gamma) / (1.6 * viscosity))
            ca = mean_c * 1e-6 * pressure[i]
            dry = math.sqrt(max(vpd[t, i], 10.0))
            ci = (xi * ca + gamma * dry) / (xi + dry)
            phi = (0.352 + 0.022 * tas[t, i] - 0.00034 * tas[t, i] ** 2) / 8.0
            if phi <= 0.0 or ci <= gamma:
                out[t, i] = (phi + ci + mean_l) * 0.0
                continue
            r = (C_STAR * (ci + 2.0 * gamma) / (ci - gamma)) ** (2.0 / 3.0)
            if r >= 1.0:
                out[t, i] = (r + mean_l) * 0.0
                continue
            vcmax = phi * mean_l * (ci + k) / (ci + 2.0 * gamma) * math.sqrt(1.0 - r)
            jmax = 4.0 * phi * mean_l / math.sqrt(1.0 / (1.0 - r) - 1.0)
            a = (1.0 / (mean_t + 273.15) - 1.0 / (tas[t, i] + 273.15)) / GAS
            vcmax *= math.exp(65330.0 * a)
            jmax *= math.exp(43900.0 * a)
            k, gamma, viscosity = _constants(tas[t, i], pressure[i])
            carboxylation = vcmax * (ci - gamma) / (ci + k)
            x = 4.0 * phi * light[t, i]
            j = x / math.sqrt(1.0 + (x / jmax) ** 2) if jmax > 0.0 else 0.0
            transport = j / 4.0 * (ci - gamma) / (ci + 2.0 * gamma)
            out[t, i] = max(min(carboxylation, transport), 0.0) * CARBON + (carboxylation + transport) * 0.0


def pmodel_gpp(tas, vpd, co2, light, pressure, window=15):
    """Gross primary production of the P-model.

    Parameters
    ----------
    tas : array, shape (T, n)
        Air temperature, degC.
    vpd : array, shape (T, n)
        Vapour pressure deficit, kPa; floored at 10 Pa.
    co2 : array, shape (T, n)
        ppm.
    light : array, shape (T, n)
        Absorbed photosynthetic photon flux density, umol m-2 s-1, mean of 24 hours.
    pressure : array, shape (n,)
        Air pressure, Pa.
    window : int
        Days of the trailing running mean, today included; shorter at the start.

    Returns
    -------
    array, shape (T, n)
        gC m-2 d-1; 0 where it is too cold or CO2 does not suffice; NaN from a gap in temperature, CO2 or light on.

    Raises
    ------
    InputError
        If shapes or the window do not fit.
    """
    arrays = [np.ascontiguousarray(x, dtype=np.float64) for x in (tas, vpd, co2, light)]
    pressure = np.ascontiguousarray(pressure, dtype=np.float64)
    shape = arrays[0].shape
    if any(x.shape != shape for x in arrays) or arrays[0].ndim != 2 or pressure.shape != shape[1:] or window < 1:
        raise InputError(
            f"series {[x.shape for x in arrays]}, pressure {pressure.shape} and a window of {window} days do not fit",
            "Give series (T, n), pressure (n,) and a window of at least one day",
        )
    out = np.empty(shape)
    _series(*(arrays[0], arrays[1] * 1000.0, arrays[2], arrays[3]), pressure, window, out)
    return out


def barometric_pressure(elevation):
    """Pressure (Pa) at an elevation (m) above air of 25 degC at sea level, 101325 (1 - 0.0065 z / 298.15)**5.26.

    As in pyrealm; the standard atmosphere (15 degC) is 1.2 % lower at 3000 m.
    """
    return PRESSURE0 * (1.0 - 0.0065 * np.asarray(elevation, dtype=float) / 298.15) ** 5.26


def soil_moisture_stress(moisture, method, aridity=1.0):
    """Factor by which dry soil lowers the P-model's GPP.

    Parameters
    ----------
    moisture : array
        Soil moisture over its capacity, 0 to 1.
    method : {"stocker", "mengoli"}
        Stocker et al. (2020, 10.5194/gmd-13-1545-2020): quadratic below 0.6, down to 0.733 of the share of potential
        evapotranspiration that is met in dry soil, here 1. Mengoli et al. (2023): a plateau below 1 and a linear fall to 0,
        both set by aridity.
    aridity : array or float
        Potential evapotranspiration over precipitation, climatological; read by ``mengoli``.

    Returns
    -------
    array
        Factor, 0 to 1.

    Raises
    ------
    InputError
        If the method is unknown.
    """
    moisture = np.asarray(moisture, dtype=float)
    if method == "stocker":
        return np.where(moisture >= 0.6, 1.0, 1.0 + (0.733 - 1.0) * (moisture - 0.6) ** 2 / 0.36)
    if method == "mengoli":
        aridity = np.asarray(aridity, dtype=float)
        plateau = np.minimum(0.62 * aridity**-0.45, 1.0)
        threshold = np.minimum(0.34 * aridity**-0.60, 1.0)
        return np.where(moisture >= threshold, plateau, plateau / threshold * moisture)
    raise InputError(f"unknown soil-moisture stress {method!r}", "Use 'stocker' or 'mengoli'")
