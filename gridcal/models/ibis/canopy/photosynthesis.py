"""Photosynthesis and stomata of C3 broadleaf trees (Farquhar et al. 1980, Collatz et al. 1991, Leuning 1995).

Carbon fluxes in mol m-2 s-1, mole fractions in mol mol-1. The leaf state (ci, cs, gs) is a damped iterate carried from call to
call and from hour to hour: IBIS never iterates it to convergence.
"""

from __future__ import annotations

import math

from gridcal.kernels.elementary import vexp
from gridcal.kernels.jit import lane
from gridcal.models.ibis.constants import EPSILON, O2, RUNNING, TMELT
from gridcal.models.ibis.thermodynamics import esat, qsat


@lane
def smooth_minimum(x, y, theta):
    """Smaller root of theta v2 - (x + y) v + x y = 0 (Collatz et al. 1991), as IBIS solves it."""
    s = x + y
    q = 0.5 * (s + math.sqrt(max(s * s - 4.0 * theta * x * y, 0.0))) + 1.0e-15
    return min(q / theta, x * y / q)


@lane
def leaf(tu, topparu, rh, co2, stress, su, ci, cs, gs, alpha3, theta3, beta3, gammaub, coefmub, coefbub, vmax, tempvm):
    """One damped update of a leaf: gross and net photosynthesis, ci, cs, gs, and the boundary-layer conductance."""
    tc = tu - TMELT
    r = 3.47e-3 - 1.0 / tu
    x = vexp(500.0 * r)
    x2 = x * x
    x3 = x2 * x
    x9 = x3 * x3 * x3
    gamma = O2 * x9 / (2.0 * 4500.0)
    kc = 1.5e-4 * x9 * x3
    ko = 0.25 * x3
    ft = vexp(tempvm * r) / ((1.0 + vexp(0.4 * (5.0 - tc))) * (1.0 + vexp(0.4 * (tc - 50.0))))
    v = vmax * ft * stress
    rd = gammaub * vmax * ft
    gb = min(max(25.5 * su, 0.1), 10.0)
    ci = min(max(ci, 1.05 * gamma), 2000.0e-6)
    je = topparu * 4.59e-6 * alpha3 * (ci - gamma) / (ci + 2.0 * gamma)
    jc = v * (ci - gamma) / (ci + kc * (1.0 + O2 / ko))
    jp = smooth_minimum(je, jc, theta3)
    ag = smooth_minimum(jp, v / 2.2, beta3)
    an = ag - rd
    floor = 1.05 * gamma
    cs = max(floor, 0.5 * (cs + co2 - an / gb))
    gs = 0.5 * (gs + coefmub * an * rh / cs + coefbub * stress)
    gs = max(gs, max(1.0e-5, coefbub * stress))
    ci = min(max(0.5 * (ci + cs - 1.6 * an / gs), floor), 2000.0e-6)
    return ag, an, ci, cs, gs, gb, floor


def photosynthesis(
    tu, topparu, t12, q12, ps, co2, stresstu, su, fwetu, laiu, sai, kext, ciub, csub, gsub, a10scalparamu, a10daylightu,
    a10ancub, alpha3, theta3, beta3, gammaub, coefmub, coefbub, vmax, tempvm,
):  # fmt: skip
    """Leaf photosynthesis scaled to the canopy's mean by the light profile; conductance for water, kg m-2 s-1.

    The running means of scaling and light are updated on every call, three times an hour, as in the original.
    """
    rh = max(0.30, q12 / qsat(esat(t12), ps))
    ca = co2 * 1.0e-6
    ag, an, ciub, csub, gsub, gb, floor = leaf(
        tu, topparu, rh, ca, stresstu, su, ciub, csub, gsub, alpha3, theta3, beta3, gammaub, coefmub, coefbub, vmax, tempvm
    )
    area = laiu + sai
    lit = laiu > 0.0 and topparu > 10.0
    deep = (1.0 - vexp(-kext * area)) / (kext * laiu if laiu > 0.0 else 1.0)
    a10scalparamu = RUNNING * a10scalparamu + (1.0 - RUNNING) * deep * topparu if lit else a10scalparamu
    a10daylightu = RUNNING * a10daylightu + (1.0 - RUNNING) * topparu if lit else a10daylightu
    past = a10scalparamu / max(a10daylightu, EPSILON)
    scale = deep if lit else past
    scale = scale if laiu > 0.0 else 0.0
    agcub = ag * scale
    ancub = an * scale
    cs = max(floor, ca - ancub / gb)
    gs = coefmub * ancub * rh / cs + coefbub * stresstu
    gs = max(gs, max(1.0e-5, coefbub * stresstu))
    totcondub = 1.0 / (1.0 / su + (1.0 / 0.029) / gs)
    agcub = agcub * (1.0 - fwetu)
    ancub = ancub * (1.0 - fwetu)
    return ciub, csub, gsub, a10scalparamu, a10daylightu, a10ancub, agcub, ancub, totcondub
