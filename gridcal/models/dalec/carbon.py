"""Carbon of a day: rates, allocation of GPP, transfers, losses, respiration and pools.

The order is rates, allocation, transfers, losses, respiration, pools: every flux is taken from the pools of the day's start.
``G`` is the day's GPP, gC m-2 d-1. Rates are capped and pools kept by retention, so that no pool turns negative anywhere in
the bounds; carbon closes to rounding: the pools change by ``G - ra - rh``.
"""

from __future__ import annotations

from gridcal.kernels.elementary import vexp


def dalec_given(gpp):
    """GPP of the day."""
    G = gpp
    return G


def dalec_soil_rates(tmean, p1, p8, p9, p10):
    """Temperature's factor, and shares of the dead pools that move in the day; shares of one pool sum to at most 1."""
    Trate = 0.5 * vexp(p10 * tmean)
    kh = p8 * Trate
    kd = p1 * Trate
    litter = 1.0 / max(1.0, kh + kd)
    kh = kh * litter
    kd = kd * litter
    ks = min(1.0, p9 * Trate)
    return Trate, kh, kd, ks


def dalec_canopy_rates(Trate, multtl, multtf, p5, p14, p15):
    """Shares of labile carbon and foliage that move in the day; those of foliage sum to at most 1."""
    kl = multtl * min(1.0, p15 * Trate)
    kf = multtf * p5 * p14
    kr = multtf * p5 * (1.0 - p14) * Trate
    leaf = 1.0 / max(1.0, kf + kr)
    kf = kf * leaf
    kr = kr * leaf
    return kl, kf, kr


def dalec_allocation(G, Cf, multtl, p2, p3, p4, p17):
    """Net production to foliage (up to the largest canopy), roots and wood."""
    production = (1.0 - p2) * G
    grow = multtl * max(0.0, min(p17 - Cf, p3 * production))
    Ar = p4 * (production - grow)
    Aw = (1.0 - p4) * (production - grow)
    return grow, Ar, Aw


def dalec_transfers(Cf, Clab, kl, kr, p16):
    """Labile carbon to foliage and back, and what the transfers cost."""
    Rlab_f = p16 * kl * Clab
    Afromlab = (1.0 - p16) * kl * Clab
    Rlab_t = p16 * kr * Cf
    Atolab = (1.0 - p16) * kr * Cf
    return Rlab_f, Afromlab, Rlab_t, Atolab


def dalec_losses(Cf, Cw, Cr, Clit, Csom, kf, kh, kd, ks, p6, p7):
    """Litterfall, and mineralisation and decomposition of litter and soil organic matter."""
    Lf = kf * Cf
    Lw = p6 * Cw
    Lr = p7 * Cr
    Rh1 = kh * Clit
    D = kd * Clit
    Rh2 = ks * Csom
    return Lf, Lw, Lr, Rh1, D, Rh2


def dalec_respiration(G, p2, Rlab_f, Rlab_t, Rh1, Rh2):
    """Respiration of plants, soil and ecosystem, and net exchange (to the atmosphere is positive)."""
    ra = p2 * G + Rlab_f + Rlab_t
    rh = Rh1 + Rh2
    reco = ra + rh
    nee = reco - G
    return ra, rh, reco, nee


def dalec_foliage_gain(grow, Afromlab):
    """All that enters foliage in the day."""
    Af = grow + Afromlab
    return Af


def dalec_pools(
    Cf, Cw, Cr, Clab, Clit, Csom, Af, Aw, Ar, Atolab, Lf, Lw, Lr, D, kl, kf, kr, kh, kd, ks, p6, p7
):  # fmt: skip
    """Pools at the day's end, each by what it keeps and what it gains; kf + kr can exceed 1 by rounding."""
    Cf = Cf * max(0.0, 1.0 - kf - kr) + Af
    Cw = Cw * (1.0 - p6) + Aw
    Cr = Cr * (1.0 - p7) + Ar
    Clit = Clit * max(0.0, 1.0 - kh - kd) + Lf + Lr
    Csom = Csom * (1.0 - ks) + D + Lw
    Clab = Clab * (1.0 - kl) + Atolab
    return Cf, Cw, Cr, Clab, Clit, Csom


def dalec_leaf_area(Cf, p18):
    """Leaf area index at the day's end, m2 m-2, without a floor."""
    lai = Cf / p18
    return lai
