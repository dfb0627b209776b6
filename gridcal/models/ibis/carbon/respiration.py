"""Respiration of wood and roots, growth respiration and net primary production; the climate of decomposition.

After Lloyd and Taylor (1994) and Linn and Doran (1984).
"""

from __future__ import annotations

from gridcal.kernels.elementary import vexp
from gridcal.kernels.jit import lane
from gridcal.models.ibis.constants import RUNNING, TMELT


def root_temperature(tsoi1, tsoi2, tsoi3, tsoi4, tsoi5, tsoi6, both1, both2, both3, both4, both5, both6):
    """Soil temperature (K) weighted by both canopies' roots."""
    troot = both1 * tsoi1 + both2 * tsoi2 + both3 * tsoi3 + both4 * tsoi4 + both5 * tsoi5 + both6 * tsoi6
    return troot


def carbon_of_hour(
    ts, troot, agcub, ancub, laiu, fu, frac, cbiow, cbior, sapfrac, rwood, rroot, rgrowth, year_length, a10ancub
):
    """Carbon fluxes of an hour, mol m-2 s-1: GPP, leaf dark respiration, wood, root, growth, NPP.

    `rwood` and `rroot` are per year; growth respiration is paid in hours with a positive balance only.
    """
    funca = vexp(3500.0 * (1.0 / 288.16 - 1.0 / ts))
    funcb = vexp(3500.0 * (1.0 / 288.16 - 1.0 / troot))
    mol = (1000.0 / 12.0) / (year_length * 86400.0)
    ra_wood = rwood * cbiow * sapfrac * funca * mol
    ra_root = rroot * cbior * funcb * mol
    leaves = laiu * fu * frac
    gpp = agcub * leaves
    net = ancub * leaves
    ra_leaf = gpp - net
    balance = net - ra_wood - ra_root
    ra_growth = rgrowth * max(balance, 0.0)
    npp = balance - ra_growth
    a10ancub = RUNNING * a10ancub + (1.0 - RUNNING) * ancub
    a10ancub = a10ancub if abs(a10ancub) > 1.0e-30 else 0.0  # years without leaves would end in numbers too small to be fast
    return gpp, ra_leaf, ra_wood, ra_root, ra_growth, npp, a10ancub


def temperature_memory(a10td, td):
    """Ten-day running mean of the daily temperature (K)."""
    a10td = RUNNING * a10td + (1.0 - RUNNING) * td
    return a10td


@lane
def decomposition_rate(t, pores):
    """Decomposition relative to 15 degC at 60 % water-filled pores; `pores` is the filled share in %."""
    warm = max(t, 237.13)
    ft = min(vexp(344.0 * (1.0 / (288.16 - 227.13) - 1.0 / (warm - 227.13))), 10.0)
    wet = 3.71e-4 * pores * pores - 0.0748 * pores + 4.13
    dry = vexp(-(pores - 60.0) * (pores - 60.0) / 800.0)
    return min(max(ft * (wet if pores >= 60.0 else dry), 0.001), 10.0)


def decomposition(tsoi1, tsoi2, wsoi1, wsoi2, wisoi1, wisoi2):
    """Decomposition factors of litter (top layer) and soil organic matter (top two layers, averaged separately)."""
    litter_rate = decomposition_rate(tsoi1, 100.0 * (1.0 - wisoi1) * wsoi1)
    t = 0.4 * tsoi1 + 0.6 * tsoi2
    ice = 0.4 * wisoi1 + 0.6 * wisoi2
    water = 0.4 * wsoi1 + 0.6 * wsoi2
    humus_rate = decomposition_rate(t, 100.0 * (1.0 - ice) * water)
    return litter_rate, humus_rate


def celsius(a10td):
    """Ten-day temperature in degC."""
    a10_celsius = a10td - TMELT
    return a10_celsius
