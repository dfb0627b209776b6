"""The hourly front door: tower records taken as they are.

Shortwave radiation is split by the transmission it implies; wind has a floor of 0.1 m s-1, since the Richardson number divides
by its square.
"""

from __future__ import annotations

from gridcal.kernels.elementary import vexp
from gridcal.models.ibis.constants import DT, SIGMA, TMELT
from gridcal.models.ibis.weather.diurnal import diffuse_fraction

WIND_FLOOR = 0.1  # m s-1


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


def light_of_record(coszen, solar, rsds):
    """Direct and diffuse, visible and near infrared shares of a measured hour's shortwave radiation (W m-2).

    Light measured with the sun below the horizon of the hour's start is counted as night.
    """
    top = solar * coszen
    tau = min(max(rsds / max(top, 1.0e-6), 0.0), 1.0)
    fdiffuse = diffuse_fraction(tau)
    light = tau * top
    solad_vis = 0.46 * light * (1.0 - fdiffuse)
    solad_nir = 0.54 * light * (1.0 - fdiffuse)
    solai_vis = 0.46 * light * fdiffuse
    solai_nir = 0.54 * light * fdiffuse
    return solad_vis, solad_nir, solai_vis, solai_nir
