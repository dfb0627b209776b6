"""Soil from texture: the USDA class, and the constants of Rawls et al. (1992) and Campbell and Norman (1998)."""

from __future__ import annotations

import math

from gridcal.kernels.elementary import vexp, vlog
from gridcal.kernels.jit import lane
from gridcal.models.ibis.constants import EPSILON, GRAVITY, HSOI1, RHOW, RVAP, TMELT, WPUD_MAX, ZWP_MAX
from gridcal.models.ibis.thermodynamics import hsubf, hvapf

LOG56 = math.log(56.0)
LOG224 = math.log(224.0)

#: vertices (sand %, clay %) of the 11 classes of the texture triangle, silt merged with silt loam
POLYGONS = (
    ((85.0, 0.0), (90.0, 10.0), (100.0, 0.0)),
    ((70.0, 0.0), (85.0, 15.0), (90.0, 10.0), (85.0, 0.0)),
    ((50.0, 0.0), (43.0, 7.0), (52.0, 7.0), (52.0, 20.0), (80.0, 20.0), (85.0, 15.0), (70.0, 0.0)),
    ((43.0, 7.0), (23.0, 27.0), (45.0, 27.0), (52.0, 20.0), (52.0, 7.0)),
    ((0.0, 0.0), (0.0, 27.0), (23.0, 27.0), (50.0, 0.0)),
    ((52.0, 20.0), (45.0, 27.0), (45.0, 35.0), (65.0, 35.0), (80.0, 20.0)),
    ((20.0, 27.0), (20.0, 40.0), (45.0, 40.0), (45.0, 27.0)),
    ((0.0, 27.0), (0.0, 40.0), (20.0, 40.0), (20.0, 27.0)),
    ((45.0, 35.0), (45.0, 55.0), (65.0, 35.0)),
    ((0.0, 40.0), (0.0, 60.0), (20.0, 40.0)),
    ((20.0, 40.0), (0.0, 60.0), (0.0, 100.0), (45.0, 55.0), (45.0, 40.0)),
)
#: porosity, field capacity, wilting point (m3 m-3), Campbell's b, air-entry suction (m), saturated conductivity (m s-1)
CLASSES = (
    (0.437, 0.091, 0.033, 1.7, 0.07, 5.8330e-5),
    (0.437, 0.125, 0.055, 2.1, 0.09, 1.6972e-5),
    (0.453, 0.207, 0.095, 3.1, 0.15, 7.1944e-6),
    (0.463, 0.270, 0.117, 4.5, 0.11, 3.6667e-6),
    (0.501, 0.330, 0.133, 4.7, 0.21, 1.8889e-6),
    (0.398, 0.255, 0.148, 4.0, 0.28, 1.1944e-6),
    (0.464, 0.318, 0.197, 5.2, 0.26, 6.3889e-7),
    (0.471, 0.366, 0.208, 6.6, 0.33, 4.1667e-7),
    (0.430, 0.339, 0.239, 6.0, 0.29, 3.3333e-7),
    (0.479, 0.387, 0.250, 7.9, 0.34, 2.5000e-7),
    (0.475, 0.396, 0.272, 7.6, 0.37, 1.6667e-7),
)
VERTICES = tuple(v for p in POLYGONS for v in p)
FIRST = tuple(sum(len(q) for q in POLYGONS[:k]) for k in range(len(POLYGONS) + 1))


@lane
def texture_class(sand, clay):
    """USDA class, 1 (sand) to 11 (clay), of sand and clay in %: the highest class whose polygon, border included, holds it.

    Percentages are rounded to whole numbers. IBIS finds no class where sand or clay is 0; such a soil counts as having 1 %.
    """
    s = min(max(math.floor(sand + 0.5), 1.0), 99.0)
    c = min(max(math.floor(clay + 0.5), 1.0), 100.0 - s)
    found = 0
    for k in range(11):
        inside = False
        border = False
        first, last = FIRST[k], FIRST[k + 1]
        xb, yb = VERTICES[last - 1]
        for j in range(first, last):
            xa, ya = VERTICES[j]
            cross = (xb - xa) * (c - ya) - (yb - ya) * (s - xa)
            if cross == 0.0 and min(xa, xb) <= s <= max(xa, xb) and min(ya, yb) <= c <= max(ya, yb):
                border = True
            if (ya > c) != (yb > c) and s < (xb - xa) * (c - ya) / (yb - ya) + xa:
                inside = not inside
            xb, yb = xa, ya
        if inside or border:
            found = k + 1
    return found


@lane
def class_constant(number, column):
    """Entry of the table of soil classes; loam for a class that does not exist."""
    return CLASSES[max(number, 1) - 1][column]


def soil_of_texture(sand, clay):
    """Hydraulic and thermal constants of a texture: relative to porosity where IBIS counts so."""
    number = texture_class(sand, clay)
    poros = class_constant(number, 0)
    sfield = class_constant(number, 1) / poros
    swilt = class_constant(number, 2) / poros
    bex = class_constant(number, 3)
    suction = class_constant(number, 4)
    hydraul = class_constant(number, 5)
    s = math.floor(sand + 0.5) * 0.01
    c = math.floor(clay + 0.5) * 0.01
    silt = max(1.0 - s - c, 0.0)
    albsav = 0.120 * s + 0.085 * silt + 0.050 * c
    dryness = 0.300 * s + 0.265 * silt + 0.250 * c
    ibex = math.floor(bex + 0.5)
    power = ibex + 1.0
    bit3 = 1.0 if power >= 8.0 else 0.0
    power = power - 8.0 * bit3
    bit2 = 1.0 if power >= 4.0 else 0.0
    power = power - 4.0 * bit2
    bit1 = 1.0 if power >= 2.0 else 0.0
    bit0 = power - 2.0 * bit1
    return poros, sfield, swilt, bex, suction, hydraul, albsav, dryness, ibex, bit0, bit1, bit2, bit3


def conductivity(wsoi_k, wisoi_k, poros, dryness):
    """Thermal conductivity of a soil layer, W m-1 K-1: grains, water and ice mixed geometrically."""
    liquid = poros * wsoi_k * (1.0 - wisoi_k)
    consoi_k = dryness * vexp(liquid * LOG56 + poros * wisoi_k * LOG224)
    return consoi_k


@lane
def puddle_share(wpud, wipud):
    """Share of the ground under puddles, 0 to 0.5."""
    return min(max(ZWP_MAX * (wpud + wipud) / WPUD_MAX, 0.0), ZWP_MAX)


def evaporation_shares(wpud, wipud, wsoi1, wisoi1, tsoi1, tsno1, ta, bex, suction, swilt):
    """Where the ground's evaporation comes from: soil water, soil ice, puddle water, puddle ice; latent heats.

    With a dry top layer all comes from the puddles, in proportion (IBIS forgets to divide by their share there and so creates
    water; here it is conserved). Also the bare soil's wetness functions (Mahfouf and Noilhan 1991, Milly 1992).
    """
    zp = puddle_share(wpud, wipud)
    zs = (1.0 - wisoi1) * wsoi1 + wisoi1
    soil = zs >= EPSILON
    puddle = zp >= EPSILON
    per_soil = 1.0 / (zs if soil else 1.0)
    water = (1.0 - wisoi1) * wsoi1 * per_soil
    ice = wisoi1 * per_soil
    pool = wpud + wipud
    per_pool = 1.0 / (pool if puddle else 1.0)
    wet = 1.0 - zp if puddle else 1.0
    thawed = tsoi1 >= TMELT
    part = zp if soil else 1.0
    qglif1 = wet * water if soil else 0.0
    qglif2 = wet * ice if soil else 0.0
    only3 = 1.0 if thawed and not soil else 0.0
    only4 = 1.0 if not thawed and not soil else 0.0
    qglif3 = part * wpud * per_pool if puddle else only3
    qglif4 = part * wipud * per_pool if puddle else only4
    hvasug = (qglif1 + qglif3) * hvapf(tsoi1, ta) + (qglif2 + qglif4) * hsubf(tsoi1, ta)
    hvasui = hsubf(tsno1, ta)
    zw = max(zp + (1.0 - zp) * zs, 1.0e-3)
    dry = GRAVITY * suction * vexp(-bex * vlog(zw)) / RVAP
    betaw = min(max((zw - swilt) / (1.0 - swilt), 0.0), 1.0)
    return qglif1, qglif2, qglif3, qglif4, hvasug, hvasui, dry, betaw


def ground_capacity(wsoi1, wisoi1, wpud, wipud, poros):
    """Liquid water and ice of the top soil layer with its puddle, kg m-2."""
    liquid_ground = RHOW * poros * HSOI1 * (1.0 - wisoi1) * wsoi1 + wpud
    ice_ground = RHOW * poros * HSOI1 * wisoi1 + wipud
    return liquid_ground, ice_ground
