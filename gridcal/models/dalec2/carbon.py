"""GPP, allocation, losses and pools of DALEC2: every flux is taken from the pools of the day's start."""

from __future__ import annotations

from gridcal.kernels.elementary import vexp
from gridcal.kernels.jit import lane
from gridcal.models.dalec.acm import canopy_production, day_length_factor, tangent
from gridcal.models.dalec2.pulses import PI


@lane
def lost(pool, rate):
    """What a pool loses in a day, with the original's rounding: of rates near 1e-7 it keeps nine digits."""
    return pool * (1.0 - (1.0 - rate))


def dalec2_latitude(lat):
    """Tangent of the latitude."""
    tan_lat = tangent(lat, PI)
    return tan_lat


def dalec2_day_length(doy, tan_lat):
    """Day-length factor of GPP."""
    sunlit = day_length_factor(doy, tan_lat, PI)
    return sunlit


def dalec2_leaf_area_start(Cf, p17):
    """Leaf area index at the day's start, m2 m-2, without a floor."""
    lai_start = Cf / p17
    return lai_start


def dalec2_production(lai_start, p11, co2, conductance, demand, light, sunlit):
    """Gross primary production of the day, gC m-2 d-1."""
    gpp = canopy_production(lai_start, p11, co2, conductance, demand, light, sunlit)
    return gpp


def dalec2_allocation(G, p2, p3, p4, p13):
    """Respiration of plants, and net production to foliage, labile carbon, fine roots and wood."""
    ra = p2 * G
    rest = G - ra
    Af = p3 * rest
    rest = rest - Af
    Alab = p13 * rest
    rest = rest - Alab
    Ar = p4 * rest
    Aw = rest - Ar
    return ra, Af, Alab, Ar, Aw


def dalec2_losses(Clab, Cf, Cr, Cw, Clit, Csom, PHIon, PHIoff, tmean, p1, p6, p7, p8, p9, p10):
    """What leaves the pools: released, fallen, mineralised, decomposed."""
    Te = vexp(p10 * tmean)
    Llab = lost(Clab, PHIon)
    Lf = lost(Cf, PHIoff)
    Lw = lost(Cw, p6)
    Lr = lost(Cr, p7)
    Rh1 = lost(Clit, p8 * Te)
    D = lost(Clit, p1 * Te)
    Rh2 = lost(Csom, p9 * Te)
    return Te, Llab, Lf, Lw, Lr, Rh1, D, Rh2


def dalec2_exchange(G, ra, Rh1, Rh2):
    """Respiration of soil and ecosystem, and net exchange (to the atmosphere is positive)."""
    rh = Rh1 + Rh2
    reco = ra + rh
    nee = reco - G
    return rh, reco, nee


def dalec2_pools(Clab, Cf, Cr, Cw, Clit, Csom, Alab, Af, Ar, Aw, Llab, Lf, Lr, Lw, Rh1, D, Rh2):
    """Pools at the day's end."""
    Clab = Clab + Alab - Llab
    Cf = Cf + Af + Llab - Lf
    Cr = Cr + Ar - Lr
    Cw = Cw + Aw - Lw
    Clit = Clit + Lf + Lr - Rh1 - D
    Csom = Csom + D + Lw - Rh2
    return Clab, Cf, Cr, Cw, Clit, Csom


def dalec2_leaf_area(Cf, p17):
    """Leaf area index at the day's end, m2 m-2."""
    lai = Cf / p17
    return lai
