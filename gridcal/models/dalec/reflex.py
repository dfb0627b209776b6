"""The daily update as REFLEX published it: no caps, and labile carbon reaches foliage a day after it has left its store.

Kept to follow published runs. A day's balance is off by the labile release of the day before minus the day's own, and pools
can turn negative where rates exceed 1.
"""

from __future__ import annotations

from gridcal.kernels.elementary import vexp


def reflex_rates(tmean, multtl, multtf, p1, p5, p8, p9, p10, p14, p15):
    """Rates of the day, which can exceed 1."""
    Trate = 0.5 * vexp(p10 * tmean)
    kl = multtl * p15 * Trate
    kf = multtf * p5 * p14
    kr = multtf * p5 * (1.0 - p14) * Trate
    kh = p8 * Trate
    kd = p1 * Trate
    ks = p9 * Trate
    return Trate, kl, kf, kr, kh, kd, ks


def reflex_allocation(G, Cf, multtl, p2, p3, p4, p17):
    """Net production to foliage, roots and wood; a canopy above its largest loses what is too much."""
    production = (1.0 - p2) * G
    grow = multtl * min(p17 - Cf, p3 * production)
    Ar = p4 * (production - grow)
    Aw = (1.0 - p4) * (production - grow)
    return grow, Ar, Aw


def reflex_foliage_gain(grow, afromlab):
    """All that enters foliage in the day: growth, and the labile carbon released the day before."""
    Af = grow + afromlab
    return Af


def reflex_pools(
    Cf, Cw, Cr, Clab, Clit, Csom, Af, Aw, Ar, Atolab, Afromlab, Rlab_f, Rlab_t, Lf, Lw, Lr, D, Rh1, Rh2
):  # fmt: skip
    """Pools at the day's end, by differences; the labile carbon under way."""
    Cf = Cf + Af - Lf - Atolab - Rlab_t
    Cw = Cw + Aw - Lw
    Cr = Cr + Ar - Lr
    Clit = Clit + Lf + Lr - Rh1 - D
    Csom = Csom + D + Lw - Rh2
    Clab = Clab + Atolab - Afromlab - Rlab_f
    afromlab = Afromlab
    return Cf, Cw, Cr, Clab, Clit, Csom, afromlab
