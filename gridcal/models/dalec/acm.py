"""The aggregated canopy model (ACM): daily GPP from leaf area, weather and CO2 (Williams et al. 1997; Fox et al. 2009)."""

from __future__ import annotations

import math

from gridcal.kernels.elementary import vacos, vexp, vsin

PI = 3.141592653589793
RADIAN = PI / 180.0
MJ_PER_DAY = 0.0864  # of W m-2
LAI_MIN = 0.1
DRAW = 2.0**0.789798  # |psid|**a10: leaf-soil water potential difference of -2 MPa
A2, A3, A4, A5, A6 = 0.0156935, 4.22273, 208.868, 0.0453194, 0.37836
A7, A8, A9 = 7.19298, 0.011136, 2.1001


def acm_weather(tasmin, tasmax, rsds):
    """Canopy conductance, CO2 demand over nitrogen and leaf area, and radiation in MJ m-2 d-1."""
    conductance = DRAW / (A6 + 0.5 * (tasmax - tasmin))
    demand = vexp(A8 * tasmax) / conductance
    light = rsds * MJ_PER_DAY
    return conductance, demand, light


def acm_latitude(lat):
    """Tangent of the latitude."""
    tan_lat = vsin(lat * RADIAN) / vsin(lat * RADIAN + 0.5 * PI)
    return tan_lat


def acm_day_length(doy, tan_lat):
    """Day-length factor of GPP; the declination repeats after 365 days."""
    tilt = -23.4 * RADIAN * vsin(2.0 * PI * (doy + 10.0) / 365.0 + 0.5 * PI)
    slope = tan_lat * vsin(tilt) / vsin(tilt + 0.5 * PI)
    hours = 24.0 / PI * vacos(-min(max(slope, -1.0), 1.0))
    sunlit = A2 * hours + A5
    return sunlit


def acm_leaf_area(Cf, p18):
    """Leaf area that ACM sees: that of the day's start, not below 0.1."""
    lai_acm = max(LAI_MIN, Cf / p18)
    return lai_acm


def acm_production(lai_acm, leaf_nitrogen, p11, co2, conductance, demand, light, sunlit):
    """Gross primary production of the day, gC m-2 d-1."""
    need = lai_acm * leaf_nitrogen * p11 * demand
    supply = co2 + (A3 - A4) - need
    product = co2 * (A3 - A4) - need * A3
    inside = 0.5 * (supply + math.sqrt(supply * supply - 4.0 * product))
    diffused = conductance * (co2 - inside)
    leaves = lai_acm * lai_acm
    lit = A7 * leaves * light
    total = lit + (leaves + A9) * diffused
    fixed = lit * diffused / (total if total > 0.0 else 1.0)
    gpp = fixed * sunlit
    return gpp
