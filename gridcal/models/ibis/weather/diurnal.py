"""The sun, and hourly weather from daily values.

Friend (1998) and Nikolov and Zeller (1992) for radiation, Campbell and Norman (1998) for temperature, Idso (1981) for clear-sky
longwave radiation, the weather generator of EPIC for wind and the hours of rain.
"""

from __future__ import annotations

import math

import numpy as np

from gridcal.kernels.elementary import as_float, as_int, vexp, vlog
from gridcal.kernels.jit import lane
from gridcal.models.ibis.constants import DT, PI, SIGMA, TMELT
from gridcal.models.ibis.thermodynamics import esat, qsat

HOURS = tuple(float(h) for h in range(24))
#: cosine of the hour angle at the start of each hour (local solar time), noon is hour 12
COS_HOUR = tuple(math.cos(2.0 * PI * (h - 12.0) / 24.0) for h in range(24))
#: share of the daily temperature range (Campbell and Norman 1998): mean 0.44, largest near 14 h
GAMMA = tuple(0.44 - 0.46 * math.sin(PI / 12.0 * h + 0.9) + 0.11 * math.sin(2.0 * PI / 12.0 * h + 0.9) for h in range(24))


@lane
def hashed(a, b, c):
    """Uniform number in (0, 1) that depends on the bits of three floats and on nothing else (splitmix64's finaliser)."""
    z = np.uint64(as_int(a)) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(as_int(b)) * np.uint64(0xD1B54A32D192ED03)
    z = z + np.uint64(as_int(c)) * np.uint64(0x8CB92BA72F3D8DD7)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return as_float(np.int64((z >> np.uint64(12)) | np.uint64(0x3FF0000000000000))) - 1.0 + 1.1102230246251565e-16


def weather_stream(lat, lon, weather_seed):
    """Key of a pixel's weather draws: its place and the seed, so that neither chunks nor neighbours matter."""
    stream = hashed(lat + 1000.0, lon + 2000.0, weather_seed + 1.0)
    return stream


def sun_of_day(doy, lat):
    """Sun of a day: products of the zenith angle's cosine (Spencer 1971) and the solar constant at its distance, W m-2."""
    o = 2.0 * PI * doy / 365.2425
    decl = 0.006918 - 0.399912 * math.cos(o) + 0.070257 * math.sin(o) - 0.006758 * math.cos(2.0 * o)
    decl = decl + 0.000907 * math.sin(2.0 * o) - 0.002697 * math.cos(3.0 * o) + 0.001480 * math.sin(3.0 * o)
    near = 1.000110 + 0.034221 * math.cos(o) + 0.001280 * math.sin(o) + 0.000719 * math.cos(2.0 * o)
    solar = 1370.0 * (near + 0.000077 * math.sin(2.0 * o))
    phi = lat * PI / 180.0
    sun_sin = math.sin(phi) * math.sin(decl)
    sun_cos = math.cos(phi) * math.cos(decl)
    sun_total = 0.0
    return sun_sin, sun_cos, solar, sun_total


def sun_of_hour(sun_sin, sun_cos, cos_hour):
    """Cosine of the solar zenith angle, 0 below the horizon."""
    coszen = max(0.0, sun_sin + sun_cos * cos_hour)
    return coszen


def sun_summed(sun_total, sun_sin, sun_cos, cos_hour):
    """Sum of the 24 cosines of a day, for radiation measured as a daily mean."""
    sun_total = sun_total + max(0.0, sun_sin + sun_cos * cos_hour)
    return sun_total


@lane
def diffuse_fraction(tau):
    """Diffuse share of shortwave radiation from the atmosphere's transmission (Nikolov and Zeller 1992)."""
    poly = 1.0045 + 0.0435 * tau - 3.5227 * tau * tau + 2.6313 * tau * tau * tau
    return 0.166 if tau > 0.75 else min(poly, 1.0)


def light_from_cloud(clt):
    """Transmission of the atmosphere under cloud (Friend 1998); `clt` is one minus the sunshine fraction."""
    cloud = clt
    tau = 0.251 + 0.509 * (1.0 - cloud)
    return cloud, tau


def light_from_radiation(rsds, solar, sun_total):
    """Transmission of the atmosphere from the day's mean shortwave radiation (W m-2), and the cloud it implies."""
    top = solar * sun_total / 24.0
    tau = min(max(rsds / max(top, 1.0e-6), 0.0), 1.0)
    tau = tau if top > 1.0e-6 else 0.251
    cloud = min(max((0.760 - tau) / 0.509, 0.0), 1.0)
    return cloud, tau


def weather_of_day(tasmin, tasmax, huss, ps, tau):
    """Daily temperature (K) and the humidity bounds of its course (kg kg-1); diffuse share of the light."""
    tmin = tasmin + TMELT
    tmax = tasmax + TMELT
    td = 0.44 * tmax + 0.56 * tmin
    qmin = min(huss, 0.99 * qsat(esat(tmin), ps))
    qmax = (huss - 0.56 * qmin) / 0.44
    fdiffuse = diffuse_fraction(tau)
    return tmin, tmax, td, qmin, qmax, fdiffuse


def rain_of_day(pr, stream, day, weather_random):
    """Start (h), duration (4 to 24 whole hours) and intensity (kg m-2 s-1) of the day's precipitation.

    At most 15 mm h-1 where 24 hours allow. With `weather_random` 0 the event is 12 hours around noon.
    """
    free = weather_random > 0.5
    length = 4.0 + math.floor(21.0 * hashed(stream, day, 101.0)) if free else 12.0
    length = min(24.0, max(length, math.ceil(pr / 15.0)))
    begin = math.floor((25.0 - length) * hashed(stream, day, 102.0)) if free else math.floor((24.0 - length) * 0.5)
    intensity = pr / (length * DT)
    rain_start = begin
    rain_end = begin + length
    return rain_start, rain_end, intensity


def weather_of_hour(
    hour, gamma, tmin, tmax, qmin, qmax, ps, cloud, rain_start, rain_end, intensity, sfcWind, stream, day, weather_random
):
    """Air temperature (K), humidity (kg kg-1), longwave radiation (W m-2), wind (m s-1) and precipitation of an hour.

    Wind is drawn from a Weibull-like law (EPIC) and kept within 2.5 to 10 m s-1; precipitation is all rain above 2.5 degC.
    """
    ta = tmax * gamma + tmin * (1.0 - gamma)
    qa = min(0.99 * qsat(esat(ta), ps), qmax * gamma + qmin * (1.0 - gamma))
    e_mb = 0.01 * ps * qa / (0.622 + qa)
    clear = 0.70 + 5.95e-5 * e_mb * vexp(1500.0 / ta)
    black = SIGMA * ta * ta * ta * ta
    fira = (1.0 - cloud) * clear * black + cloud * 0.95 * black
    gust = 1.13989 * vexp(0.30 * vlog(-vlog(hashed(stream, day, hour))))
    ua = min(max(sfcWind * (gust if weather_random > 0.5 else 1.0), 2.5), 10.0)
    falling = intensity if hour >= rain_start and hour < rain_end else 0.0
    warm = ta > 275.65
    raina = falling if warm else 0.0
    snowa = 0.0 if warm else falling
    return ta, qa, fira, ua, raina, snowa


def light_of_hour(coszen, solar, tau, fdiffuse):
    """Direct and diffuse shortwave radiation on the horizontal (W m-2) in the visible (46 %) and near infrared (54 %)."""
    direct = solar * coszen * tau * (1.0 - fdiffuse)
    diffuse = solar * coszen * tau * fdiffuse
    solad_vis = 0.46 * direct
    solad_nir = 0.54 * direct
    solai_vis = 0.46 * diffuse
    solai_nir = 0.54 * diffuse
    return solad_vis, solad_nir, solai_vis, solai_nir
