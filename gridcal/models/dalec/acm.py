"""The aggregated canopy model (ACM): daily GPP from leaf area, weather and CO2 (Williams et al. 1997; Fox et al. 2009)."""

from __future__ import annotations

import math

from gridcal.kernels.elementary import vacos, vexp, vsin
from gridcal.kernels.jit import lane

PI = 3.141592653589793
MJ_PER_DAY = 0.0864  # of W m-2
LAI_MIN = 0.1
DRAW = 2.0**0.789798  # |psid|**a10, the leaf-soil difference of water potential being -2 MPa
A2, A3, A4, A5, A6 = 0.0156935, 4.22273, 208.868, 0.0453194, 0.37836
A7, A8, A9 = 7.19298, 0.011136, 2.1001


@lane
def tangent(angle, pi):
    """Tangent of an angle between -pi/2 and pi/2, given in degrees."""
    sine = vsin(angle * pi / 180.0)
    return sine / math.sqrt(1.0 - sine * sine)


@lane
def day_length_factor(doy, tan_lat, pi):
    """Day-length factor of GPP; the declination repeats after 365 days."""
    declination = -23.4 * vsin(2.0 * pi * (doy + 10.0) / 365.0 + 0.5 * PI)
    slope = min(max(tan_lat * tangent(declination, pi), -1.0), 1.0)
    return A2 * (24.0 / pi * min(vacos(-slope), pi)) + A5


@lane
def canopy_production(lai, efficiency, co2, conductance, demand, light, sunlit):
    """GPP in gC m-2 d-1 of a leaf area whose CO2 demand is `efficiency`, gC m-2 of leaf a day; 0 without leaves."""
    need = lai * efficiency * demand
    supply = co2 + (A3 - A4) - need
    product = co2 * (A3 - A4) - need * A3
    inside = 0.5 * (supply + math.sqrt(supply * supply - 4.0 * product))
    diffused = conductance * (co2 - inside)
    leaves = lai * lai
    lit = A7 * leaves * light
    total = lit + (leaves + A9) * diffused
    return lit * diffused / (total if total > 0.0 else 1.0) * sunlit


def acm_weather(tasmin, tasmax, rsds):
    """Canopy conductance, CO2 demand over nitrogen and leaf area, and radiation in MJ m-2 d-1."""
    resistance = A6 + 0.5 * (tasmax - tasmin)
    conductance = DRAW / resistance
    demand = vexp(A8 * tasmax) * resistance * (1.0 / DRAW)
    light = rsds * MJ_PER_DAY
    return conductance, demand, light


def acm_latitude(lat):
    """Tangent of the latitude."""
    tan_lat = tangent(lat, PI)
    return tan_lat


def acm_day_length(doy, tan_lat):
    """Day-length factor of GPP."""
    sunlit = day_length_factor(doy, tan_lat, PI)
    return sunlit


def acm_leaf_area(Cf, p18):
    """Leaf area that ACM sees: that of the day's start, not below 0.1."""
    lai_acm = max(LAI_MIN, Cf / p18)
    return lai_acm


def acm_production(lai_acm, leaf_nitrogen, p11, co2, conductance, demand, light, sunlit):
    """Gross primary production of the day, gC m-2 d-1."""
    gpp = canopy_production(lai_acm, leaf_nitrogen * p11, co2, conductance, demand, light, sunlit)
    return gpp
