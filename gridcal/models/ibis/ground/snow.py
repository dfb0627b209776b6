"""Three-layer snow pack with fractional cover (Pollard and Thompson 1995, LSX)."""

from __future__ import annotations

import math

from gridcal.kernels.jit import lane
from gridcal.models.ibis.canopy.interception import mix
from gridcal.models.ibis.constants import (
    CH2O,
    CICE,
    DT,
    FI_MIN,
    H_MIN,
    H_NUMERIC,
    H_RUF,
    H_TOP,
    HFUS,
    HSOI1,
    K_SNOW,
    RHO_SNOW,
    TMELT,
)


def snow_present(fi, snowg):
    """Positive where there is snow on the ground or falling on it."""
    snowing = fi + snowg
    return snowing


@lane
def melt_layer(h, t):
    """Melt a layer (m, K): new thickness and temperature, melted mass and surplus heat per unit snow (kg m-2, J m-2)."""
    heat = RHO_SNOW * h * CICE * max(t - TMELT, 0.0)
    mass = min(RHO_SNOW * h, heat / HFUS)
    return h - mass / RHO_SNOW, min(t, TMELT), mass, heat - HFUS * mass


@lane
def overlap(a, b, c, d):
    """Length two intervals share."""
    return max(min(b, d) - max(a, c), 0.0)


def snow(
    fi, hsno1, hsno2, hsno3, tsno1, tsno2, tsno3, heati, heatg, solg, fvapg, fvapi, raing, traing, snowg, tsnowg, tsoi1,
    consoi1,
):  # fmt: skip
    """One hour of the snow pack: heat, cover, melt, regridding; what the soil below receives.

    `fi` is the snow cover, ``hsno`` (m) and ``tsno`` (K) the layers, ``snow_refreeze`` the water in kg m-2 that a vanishing
    pack leaves.
    """
    fi0 = fi
    had = fi > 0.0
    # rain refreezes into the pack; its heat and the snow's go to the top layer
    top_heat = heati + raing * (CH2O * (traing - TMELT) + HFUS + CICE * (TMELT - tsno1)) + snowg * CICE * (tsnowg - tsno1)
    h1 = hsno1 + (raing + snowg - fvapi) * DT / RHO_SNOW
    # implicit conduction to the top soil layer
    n1 = max(h1, H_NUMERIC)
    n2 = max(hsno2, H_NUMERIC)
    n3 = max(hsno3, H_NUMERIC)
    k12 = 2.0 * K_SNOW / (n1 + n2)
    k23 = 2.0 * K_SNOW / (n2 + n3)
    k3g = 1.0 / (0.5 * n3 / K_SNOW + 0.5 * HSOI1 / consoi1)
    f1 = DT / (RHO_SNOW * CICE * n1)
    f2 = DT / (RHO_SNOW * CICE * n2)
    f3 = DT / (RHO_SNOW * CICE * n3)
    e1 = 1.0 + f1 * k12
    g1 = tsno1 + f1 * top_heat
    e2 = 1.0 + f2 * (k12 + k23) - f2 * k12 * f1 * k12 / e1
    g2 = tsno2 + f2 * k12 * g1 / e1
    e3 = 1.0 + f3 * (k23 + k3g) - f3 * k23 * f2 * k23 / e2
    g3 = tsno3 + f3 * k3g * tsoi1 + f3 * k23 * g2 / e2
    t3 = g3 / e3
    t2 = (g2 + f2 * k23 * t3) / e2
    t1 = (g1 + f1 * k12 * t2) / e1
    stored = RHO_SNOW * CICE * (n1 * (t1 - tsno1) + n2 * (t2 - tsno2) + n3 * (t3 - tsno3)) / DT
    below = top_heat - stored
    h1 = h1 if had else 0.0
    h2 = hsno2 if had else 0.0
    h3 = hsno3 if had else 0.0
    t1 = t1 if had else tsno1
    t2 = t2 if had else tsno2
    t3 = t3 if had else tsno3
    sflo = below if had else 0.0
    # new cover from snowfall on bare ground
    depth = h1 + h2 + h3 if had else H_MIN
    dfi = min(1.0 - fi, (1.0 - fi) * DT * snowg / (RHO_SNOW * max(depth, 1.0e-12)))
    cover = fi + dfi
    per = 1.0 / (cover if cover > 0.0 else 1.0)
    t1 = (t1 * fi + tsnowg * dfi) * per
    t2 = (t2 * fi + tsnowg * dfi) * per
    t3 = (t3 * fi + tsnowg * dfi) * per
    h1 = h1 if had else H_MIN / 3.0
    h2 = h2 if had else H_MIN / 3.0
    h3 = h3 if had else H_MIN / 3.0
    # melt
    h1, t1, m1, x1 = melt_layer(h1, t1)
    h2, t2, m2, x2 = melt_layer(h2, t2)
    h3, t3, m3, x3 = melt_layer(h3, t3)
    melted = cover * (m1 + m2 + m3)
    surplus = cover * (x1 + x2 + x3)
    # cover against volume
    depth = h1 + h2 + h3
    volume = cover * depth
    half = 0.5 * H_MIN
    wide = (-half + math.sqrt(half * half + (H_RUF - H_MIN) * max(volume, 0.0))) / (H_RUF - H_MIN)
    fi = min(max(wide, 0.0), 1.0)
    stretch = cover / (fi if fi > 0.0 else 1.0)
    h1 = h1 * stretch
    h2 = h2 * stretch
    h3 = h3 * stretch
    # regrid
    depth = h1 + h2 + h3
    thin = depth < H_MIN
    y1 = depth / 3.0 if thin else H_TOP
    y2 = depth / 3.0 if thin else 0.5 * (depth - H_TOP)
    b1 = y1
    b2 = y1 + y2
    c1 = h1
    c2 = h1 + h2
    r1 = 1.0 / (y1 if y1 > 0.0 else 1.0)
    r2 = 1.0 / (y2 if y2 > 0.0 else 1.0)
    s1 = t1 * overlap(0.0, b1, 0.0, c1) + t2 * overlap(0.0, b1, c1, c2) + t3 * overlap(0.0, b1, c2, depth)
    s2 = t1 * overlap(b1, b2, 0.0, c1) + t2 * overlap(b1, b2, c1, c2) + t3 * overlap(b1, b2, c2, depth)
    s3 = t1 * overlap(b2, depth, 0.0, c1) + t2 * overlap(b2, depth, c1, c2) + t3 * overlap(b2, depth, c2, depth)
    n1 = s1 * r1 if depth > 0.0 else TMELT
    n2 = s2 * r2 if depth > 0.0 else TMELT
    n3 = s3 * r2 if depth > 0.0 else TMELT
    # a vanishing pack melts
    gone = fi < FI_MIN
    rest = fi * RHO_SNOW
    cold = rest * (y1 * (CICE * (TMELT - n1) + HFUS) + y2 * (CICE * (TMELT - n2) + HFUS) + y2 * (CICE * (TMELT - n3) + HFUS))
    melted = melted + (rest * depth if gone else 0.0)
    surplus = surplus - (cold if gone else 0.0)
    fi = 0.0 if gone else fi
    hsno1 = 0.0 if gone else y1
    hsno2 = 0.0 if gone else y2
    hsno3 = 0.0 if gone else y2
    tsno1 = TMELT if gone else n1
    tsno2 = TMELT if gone else n2
    tsno3 = TMELT if gone else n3
    # to the soil
    heatg = (1.0 - fi0) * heatg + fi0 * sflo + surplus / DT
    solg = (1.0 - fi0) * solg
    vapour_soil = (1.0 - fi0) * fvapg
    bare = fi0 + snowg <= 0.0
    rain, t_rain = mix((1.0 - fi0) * raing, traing, melted / DT, TMELT)
    rain_soil = raing if bare else rain
    train_soil = traing if bare else t_rain
    dropped_snow = (1.0 - fi0) * raing + melted / DT - rain_soil
    return (
        fi, hsno1, hsno2, hsno3, tsno1, tsno2, tsno3, heatg, solg, vapour_soil, rain_soil, train_soil, dropped_snow
    )  # fmt: skip
