"""Turbulence above, within and below the canopy (Pollard and Thompson 1995; stability after Louis 1979, 1982).

Heights in m, wind in m s-1, conductances in kg m-2 s-1. The leafless lower canopy of a pure tree pixel has a drag of 1e-5 only;
its air level (3-4, temperature t34, humidity q34) lies just above the ground.
"""

from __future__ import annotations

import math

from gridcal.kernels.elementary import vexp, vlog
from gridcal.kernels.jit import lane
from gridcal.models.ibis.constants import (
    CAIR,
    CVAP,
    DT,
    GRAVITY,
    KARMAN,
    RAIR,
    RVAP,
    Z0_SNOW,
    Z0_SOIL,
    ZBOT_LOWER,
    ZTOP_LOWER,
)

SIGA = 0.999  # pressure of the reference level over surface pressure
TFAC = SIGA ** (-RAIR / CAIR)  # potential over actual temperature there
CA_MAX = 300.0 / (2.0 * DT)

# the leafless lower canopy, of no height: its attenuation is 1
_DELTA = max(ZTOP_LOWER - ZBOT_LOWER, 0.01)
_DRAG = KARMAN / _DELTA * 1.0e-5
_DIFFUSE = 0.1 * _DELTA / 1.0e-5
BDL = 0.5 * math.sqrt(2.0 * _DRAG / _DIFFUSE) * _DIFFUSE
Z3 = max(Z0_SOIL, Z0_SNOW) + 0.01
ALOG3 = math.log(Z3)
ALOG4 = math.log(max(Z3, 1.1 * Z0_SOIL, 1.1 * Z0_SNOW))
ALOGG = math.log(Z0_SOIL)
ALOGI = math.log(Z0_SNOW)
ALOGL0 = math.log(0.01)


def air_of_hour(ta, qa, ua, ps, laiu, sai, fu, ztop, zbot, fi):
    """Air density, heat capacity, and the geometry of the canopy's wind profile in this hour."""
    pa = SIGA * ps
    rhoa = pa / (RAIR * ta * (1.0 + (RVAP / RAIR - 1.0) * qa))
    cp = CAIR * (1.0 + (CVAP / CAIR - 1.0) * qa)
    za = max((ps - pa) / (rhoa * GRAVITY), ztop + 1.0)
    x = min(fu * 2.0 * (laiu + sai) / 8.0, 3.0)
    x1 = min(x, 1.0)
    delta = max(ztop - zbot, 0.01)
    drag = KARMAN / delta * max(1.0e-5, x)
    spread = 0.1 * delta / max(1.0e-5, x, x * x)
    slope = math.sqrt(2.0 * drag / spread)
    bdu = 0.5 * slope * spread
    diu = 1.0 / spread
    ground = Z3 + 0.01
    z1 = x1 * ztop + (1.0 - x1) * ground
    z2 = x1 * zbot + (1.0 - x1) * ground
    z12 = 0.5 * (z1 + z2)
    dispu = x1 * 0.7 * z1
    expuh = vexp(0.5 * slope * (z1 - z2))
    expu = expuh * expuh
    alogav = (1.0 - fi) * ALOGG + fi * ALOGI
    alog2 = vlog(z2)
    alog1 = vlog(z1 - dispu)
    aloga = vlog(za - dispu)
    u2 = ua / expuh
    alogu = vlog(max(0.01, 0.1 * (z1 - z2)))
    alogl = ALOGL0
    yl = ((ALOG4 - alogav) / KARMAN) * ((ALOG4 - alogav) / KARMAN) * BDL
    rough_lower = ALOG3 - KARMAN * math.sqrt(yl / BDL)
    straml = 1.0
    strahl = 1.0
    stramu = 1.0
    strahu = 1.0
    return (
        rhoa, cp, za, bdu, diu, z1, z2, z12, expuh, expu, alog2, alog1, aloga, u2, alogu, alogl, yl, rough_lower,
        straml, strahl, stramu, strahu,
    )  # fmt: skip


@lane
def stability(t_top, q_top, factor, z_top, t_base, q_base, z_base, rough, top, u):
    """Corrections of momentum and heat transfer for stability (Louis), from the Richardson number within -2 to 1."""
    warm = t_top * factor * (1.0 + 0.622 * q_top)
    base = t_base * (1.0 + 0.622 * q_base)
    ri = GRAVITY * max(z_top - z_base, 0.0) * (warm - base) / (0.5 * (warm + base) * u * u)
    ri = min(max(ri, -2.0), 1.0)
    x = max(top - rough, 0.5)
    y = (KARMAN / x) * (KARMAN / x) * vexp(0.5 * x) * math.sqrt(max(-ri, 0.0))
    unstable = 1.0 / (1.0 + 75.0 * y)
    s = math.sqrt(1.0 + 5.0 * max(ri, 0.0))
    momentum = 1.0 - 10.0 * ri * unstable if ri <= 0.0 else s / (s + 10.0 * ri)
    heat = 1.0 - 15.0 * ri * unstable if ri <= 0.0 else 1.0 / (1.0 + 15.0 * ri * s)
    return momentum, heat


def turbulence(
    first, ta, qa, ua, t12, q12, t34, q34, rhoa, za, bdu, diu, z1, z2, z12, expuh, expu, alog2, alog1, aloga, u2, alogu,
    alogl, yl, rough_lower, straml, strahl, stramu, strahu,
):  # fmt: skip
    """Wind within the canopy and the transfer coefficients of the three air layers and all surfaces, one canopy iteration.

    From the second iteration on the stability corrections are averaged with the previous ones.
    """
    mu, hu = stability(ta, qa, TFAC, za, t12, q12, z1, alogu, aloga, ua)
    ml, hl = stability(t12, q12, 1.0, z2, t34, q34, Z3, alogl, alog2, u2)
    stramu = mu if first > 0.5 else 0.5 * (mu + stramu)
    strahu = hu if first > 0.5 else 0.5 * (hu + strahu)
    straml = ml if first > 0.5 else 0.5 * (ml + straml)
    strahl = hl if first > 0.5 else 0.5 * (hl + strahl)
    alogl = rough_lower
    x = ((alog2 - alogl) / KARMAN) * ((alog2 - alogl) / KARMAN) * bdu / straml
    grow = (x + 1.0) * expu
    fade = (x - 1.0) / expu
    yu = (grow + fade) / (grow - fade)
    alogu = alog1 - KARMAN * math.sqrt(yu / bdu)
    shear = KARMAN * ua / (aloga - alogu)
    tauu = shear * shear * stramu
    a = 0.5 * tauu * (yu + 1.0) / bdu
    b = 0.5 * tauu * (yu - 1.0) / bdu
    u1 = max(math.sqrt(max(a + b, 0.0)), 0.01)
    u12 = max(math.sqrt(max(a / expuh + b * expuh, 0.0)), 0.01)
    u2 = max(math.sqrt(max(a / expu + b * expu, 0.0)), 0.01)
    taul = bdu * (a / expu - b * expu)
    u4 = max(math.sqrt(max(taul * yl / BDL, 0.0)), 0.01)
    ca = min(CA_MAX, ua * strahu * KARMAN * KARMAN / ((aloga - alogu) * (aloga - alog1)))
    cai = 1.0 / (rhoa * ca)
    cbi = diu * (z1 - z12) / (rhoa * 0.5 * (u1 + u12))
    cci = diu * (z12 - z2) / (rhoa * 0.5 * (u12 + u2))
    cdi = (alog2 - alogl) * (alog2 - ALOG3) / (rhoa * u2 * strahl * KARMAN * KARMAN)
    cu = 1.0 / (cai + cbi)
    cl = 1.0 / (cci + cdi)
    su = rhoa * 0.01 * math.sqrt(u12 / 0.1)
    ss = su
    sg = 1.0 / (1.0 / (rhoa * (0.004 + 0.012 * u4)))
    si = 1.0 / (1.0 / (rhoa * (0.003 + 0.010 * u4)))
    return u2, alogu, alogl, straml, strahl, stramu, strahu, u12, u4, cu, cl, su, ss, sg, si
