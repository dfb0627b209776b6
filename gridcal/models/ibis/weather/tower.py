"""The hourly front door: tower records taken as they are.

A record is the mean of the hour that begins at its time, on a clock of constant distance from UTC. Shortwave radiation is split
by the transmission it implies under the hour's mean sun, and none of it is lost; wind has a floor of 0.1 m s-1, since the
Richardson number divides by its square.
"""

from __future__ import annotations

import math

from gridcal.kernels.elementary import vacos, vexp, vsin
from gridcal.kernels.jit import lane
from gridcal.models.ibis.constants import DT, PI, SIGMA, TMELT
from gridcal.models.ibis.weather.diurnal import diffuse_fraction

WIND_FLOOR = 0.1  # m s-1
HORIZON = 0.01  # cosine of the zenith angle given to light without sun
INSTANT = 1.0e-7  # rad, 1 ms: less is no sunrise


def temperature_begin():
    """Start of the search for the day's extremes (degC)."""
    hot = -1.0e3
    cold = 1.0e3
    return hot, cold


def temperature_extremes(tas, hot, cold):
    """The day's largest and smallest hourly air temperature (degC)."""
    hot = max(hot, tas)
    cold = min(cold, tas)
    return hot, cold


def temperature_of_day(hot, cold):
    """Daily temperature (K) of the running means, from the extremes as with daily forcing."""
    td = 0.44 * hot + 0.56 * cold + TMELT
    return td


def weather_of_record(tas, huss, sfcWind, pr, rlds):
    """Air temperature (K), humidity, wind and precipitation (kg m-2 s-1) of a measured hour; measured longwave radiation.

    `pr` is a rate in mm d-1, as everywhere in gridcal.
    """
    ta = tas + TMELT
    qa = max(huss, 1.0e-6)
    ua = max(sfcWind, WIND_FLOOR)
    rate = max(pr, 0.0) / (24.0 * DT)
    warm = ta > 275.65
    raina = rate if warm else 0.0
    snowa = 0.0 if warm else rate
    fira = rlds
    return ta, qa, ua, raina, snowa, fira


def longwave_from_cloud(ta, qa, ps, tau_day):
    """Longwave radiation (W m-2) where none is measured: Idso (1981), cloud from the day's transmission."""
    cloud = min(max((0.760 - tau_day) / 0.509, 0.0), 1.0)
    e_mb = 0.01 * ps * qa / (0.622 + qa)
    clear = 0.70 + 5.95e-5 * e_mb * vexp(1500.0 / ta)
    black = SIGMA * ta * ta * ta * ta
    fira = (1.0 - cloud) * clear * black + cloud * 0.95 * black
    return fira


def sun_of_clock(doy, lon, utc_offset, sun_sin, sun_cos):
    """How far the sun is ahead of the records' clock (h), the hour angle of its setting, and what it gives in a day.

    The equation of time is Spencer's (1971); `sun_whole` is the integral of the zenith angle's cosine over the lit hour angles.
    """
    o = 2.0 * PI * doy / 365.2425
    equation = 0.000075 + 0.001868 * math.cos(o) - 0.032077 * math.sin(o)
    equation = equation - 0.014615 * math.cos(2.0 * o) - 0.040849 * math.sin(2.0 * o)
    sun_ahead = lon / 15.0 - utc_offset + equation * 12.0 / PI
    sun_set = vacos(min(max(-sun_sin / max(sun_cos, 1.0e-9), -1.0), 1.0))
    sun_whole = 2.0 * (sun_sin * sun_set + sun_cos * vsin(sun_set))
    return sun_ahead, sun_set, sun_whole


@lane
def sun_since_midnight(angle, sun_sin, sun_cos, sun_set, sun_whole):
    """Integral of the zenith angle's cosine, and of the time with sun, from midnight to an hour angle of -pi to 2 pi."""
    later = angle > PI
    lit = min(max(angle - 2.0 * PI if later else angle, -sun_set), sun_set)
    light = sun_sin * lit + sun_cos * vsin(lit) + 0.5 * sun_whole
    return light + (sun_whole if later else 0.0), lit + sun_set + (2.0 * sun_set if later else 0.0)


def sun_of_record(hour, sun_ahead, sun_sin, sun_cos, sun_set, sun_whole, rsds):
    """Mean cosine of the solar zenith angle of the hour that begins at `hour`, 0 below the horizon; that of its lit part.

    Light measured while the sun is down comes from all of the sky: the radiation scheme, which runs with sun only, is given a
    sun that has just risen, and :func:`light_of_record` no direct light.
    """
    begin = (hour + sun_ahead - 12.0) * (PI / 12.0)
    begin = begin - 2.0 * PI * math.floor(begin / (2.0 * PI) + 0.5)
    before, dark = sun_since_midnight(begin, sun_sin, sun_cos, sun_set, sun_whole)
    after, bright = sun_since_midnight(begin + PI / 12.0, sun_sin, sun_cos, sun_set, sun_whole)
    lit = bright - dark
    risen = lit > INSTANT
    sun_mean = max(after - before, 0.0) * (12.0 / PI) if risen else 0.0
    low = HORIZON if rsds > 0.0 else 0.0
    coszen = max((after - before) / (lit if risen else 1.0), low) if risen else low
    return sun_mean, coszen


def light_of_record(sun_mean, solar, rsds):
    """Direct and diffuse, visible and near infrared shares of a measured hour's shortwave radiation (W m-2).

    They sum to what was measured, negative values counting as 0. What exceeds the sun's own light above the atmosphere is
    diffuse: all of it in an hour without sun.
    """
    light = max(rsds, 0.0)
    top = solar * sun_mean
    within = min(light, top)
    tau = within / max(top, 1.0e-6)
    direct = within * (1.0 - diffuse_fraction(tau))
    diffuse = light - direct
    solad_vis = 0.46 * direct
    solad_nir = 0.54 * direct
    solai_vis = 0.46 * diffuse
    solai_nir = 0.54 * diffuse
    return solad_vis, solad_nir, solai_vis, solai_nir
