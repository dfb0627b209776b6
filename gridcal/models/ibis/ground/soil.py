"""Water and heat in six soil layers with a puddle on top (``soilctl``, ``soilh2o``, ``soilheat``; Pollard and Thompson 1995).

``wsoi`` is liquid water as a fraction of the ice-free pore space, ``wisoi`` ice as a fraction of the pore space, ``wpud`` and
``wipud`` the puddle's water and ice in kg m-2. Faces of layers carry the index of the layer below them. The original weights
the two layers at a face by their own thickness in the explicit part and by the neighbour's in the implicit one; so does this.
"""

from __future__ import annotations

from gridcal.kernels.jit import lane
from gridcal.models.ibis.constants import BPERM, CH2O, CICE, DT, EPSILON, GRAIN, HFUS, HSOI1, RHOW, TMELT, WPUD_MAX

PORE_MIN = 1.0e-13
"""Least ice-free share of the pores in phase change: the original's 1e-7 makes or loses up to 1e-4 mm as a layer freezes up."""


@lane
def layer_capacity(h, wsoi, wisoi, poros):
    """Heat capacity of a soil layer of thickness `h`, J m-2 K-1."""
    return h * ((1.0 - poros) * GRAIN + RHOW * poros * (CH2O * (1.0 - wisoi) * wsoi + CICE * wisoi))


def soil_surface(
    wpud, wipud, wsoi1, wisoi1, tsoi1, rain_soil, train_soil, vapour_soil, heatg, qglif1, qglif2, qglif3, qglif4, poros,
    hydraul,
):  # fmt: skip
    """Runoff, rain, evaporation and infiltration at the surface (kg m-2 s-1); heat on top of the soil (W m-2)."""
    runoff = min(wpud, max(0.0, wpud + wipud - WPUD_MAX)) / DT
    wpud = wpud - runoff * DT
    share = min(max((tsoi1 - TMELT + 0.5) * 2.0, 0.0), 1.0) * min(max((wpud + wipud) / WPUD_MAX, 0.0), 1.0)
    grunof = runoff + share * rain_soil
    wpud = wpud + (1.0 - share) * rain_soil * DT
    evaporating = vapour_soil >= 0.0
    dew = -min(vapour_soil, 0.0) * DT
    loss = max(vapour_soil, 0.0)
    surface_flux = -qglif1 * loss
    wpud = wpud - qglif3 * loss * DT + (qglif1 + qglif3) * dew
    wipud = wipud - qglif4 * loss * DT + (qglif2 + qglif4) * dew
    ice = wisoi1 - DT * qglif2 * loss / (RHOW * poros * HSOI1)
    ice_missing = max(-ice, 0.0) * RHOW * poros * HSOI1 if evaporating else 0.0
    ice = max(ice, 0.0)
    taken = qglif2 * loss > 0.0
    wsoi1 = wsoi1 * (1.0 - wisoi1) / max(1.0 - ice, EPSILON) if taken else wsoi1
    wisoi1 = ice if taken else wisoi1
    limit = RHOW * DT * (1.0 - wisoi1) * (1.0 - wisoi1) * hydraul
    fwpud = max(0.0, min(limit, wpud)) / DT
    surface_heat = heatg + rain_soil * CH2O * (train_soil - tsoi1) - grunof * CH2O * max(TMELT - tsoi1, 0.0)
    puddle_heat = CH2O * wpud + CICE * wipud
    ts_before = tsoi1
    return wpud, wipud, wsoi1, wisoi1, grunof, surface_flux, ice_missing, fwpud, surface_heat, puddle_heat, ts_before


def root_uptake(wsoi_k, wisoi_k, tsoi_k, hsoi_k, top_k, puddle_heat, stressu_k, uptake, tu, poros):
    """Take the roots' water from a layer, at leaf temperature; the heat capacity with what is left, J m-2 K-1."""
    pore = poros * max(EPSILON, 1.0 - wisoi_k)
    taken = uptake * stressu_k
    wsoi_k = wsoi_k - DT * taken / (RHOW * pore * hsoi_k)
    capacity_k = layer_capacity(hsoi_k, wsoi_k, wisoi_k, poros) + top_k * puddle_heat
    tsoi_k = tsoi_k - DT * CH2O * taken * (tu - tsoi_k) / capacity_k
    wold_k = wsoi_k
    told_k = tsoi_k
    return wsoi_k, tsoi_k, capacity_k, wold_k, told_k


@lane
def power(w, bit0, bit1, bit2, bit3):
    """`w` to an integer power below 16 given by its bits: the rounded exponent of Campbell's curve plus one."""
    w2 = w * w
    w4 = w2 * w2
    w8 = w4 * w4
    p = w if bit0 > 0.5 else 1.0
    p = p * w2 if bit1 > 0.5 else p
    p = p * w4 if bit2 > 0.5 else p
    return p * w8 if bit3 > 0.5 else p


def face_top():
    """Upper boundary of the water column: its flux is external."""
    e1 = 0.0
    f1 = 0.0
    g1 = 0.0
    return e1, f1, g1


def face_inner(
    wold_k, wold_above, wisoi_k, wisoi_above, weight_k, distance_k, hydraul, suction, bex, ibex, bit0, bit1, bit2, bit3
):
    """Flux through the face above a layer, upwards, linearised as e + f w + g dw/H (m s-1); ice blocks it."""
    wf = min(weight_k * wold_k + (1.0 - weight_k) * wold_above, 1.0)
    slope = (wold_k - wold_above) / distance_k
    wp = power(wf, bit0, bit1, bit2, bit3)
    b1 = hydraul * suction * bex * wp
    dw = b1 * wf
    b1 = 0.0 if dw < 1.0e-9 else b1
    dw = max(dw, 1.0e-9)
    m = 2.0 * ibex + 3.0
    n = ibex + 2.0
    open_part = max(0.0, 1.0 - max(wisoi_above, wisoi_k))
    open_part = open_part * open_part
    e_k = ((m - 1.0) * hydraul * wp * wp * wf - n * b1 * wf * slope) * open_part
    f_k = (-m * hydraul * wp * wp + n * b1 * slope) * open_part
    g_k = dw * open_part
    return e_k, f_k, g_k


def face_bottom(wold6, wisoi6, hydraul, bit0, bit1, bit2, bit3):
    """Free drainage through the bottom, a tenth of the conductivity; kg m-2 s-1."""
    wp = power(wold6, bit0, bit1, bit2, bit3)
    open_part = max(0.0, 1.0 - wisoi6)
    e7 = -hydraul * wp * wp * wold6 * BPERM * open_part * open_part
    f7 = 0.0
    g7 = 0.0
    gdrain = -RHOW * e7
    wflo7 = gdrain
    return e7, f7, g7, gdrain, wflo7


def water_row(
    wold_k, wisoi_k, poros, hsoi_k, share_k, neighbour_k, share_below, neighbour_below, distance_k, distance_below, e_k,
    e_below, f_k, f_below, g_k, g_below, top_k, surface_flux, fwpud,
):  # fmt: skip
    """Row of the tridiagonal water system. Shares: half a thickness over the distance of the two layers at a face."""
    r = DT / (poros * max(EPSILON, 1.0 - wisoi_k) * hsoi_k)
    ga = g_k / distance_k
    gb = g_below / distance_below
    sub_k = r * (f_k * share_k - ga) * (1.0 - top_k)
    diag_k = 1.0 + r * (f_k * neighbour_k - f_below * share_below + gb + ga)
    sup_k = r * (-f_below * neighbour_below - gb)
    rhs_k = wold_k + r * (e_below - e_k) + top_k * r * (surface_flux + fwpud) / RHOW
    return sub_k, diag_k, sup_k, rhs_k


def eliminate_first(diag1, sup1, rhs1):
    """First row of the forward sweep."""
    rate1 = sup1 / diag1
    side1 = rhs1 / diag1
    return rate1, side1


def eliminate(sub_k, diag_k, sup_k, rhs_k, rate_above, side_above):
    """Forward sweep of the tridiagonal system."""
    inv = 1.0 / (diag_k - sub_k * rate_above)
    rate_k = sup_k * inv
    side_k = (rhs_k - sub_k * side_above) * inv
    return rate_k, side_k


def water_last(side6):
    """Backward sweep of the water system, from the bottom."""
    wsoi6 = side6
    squeeze = 0.0
    return wsoi6, squeeze


def water_back(side_k, rate_k, wsoi_below):
    """Backward sweep of the water system."""
    wsoi_k = side_k - rate_k * wsoi_below
    return wsoi_k


def squeeze_up(wsoi_k, wold_k, wisoi_k, hsoi_k, poros, squeeze, wflo_below):
    """Water beyond saturation moves up; the downward flux through the face above, kg m-2 s-1, from the layer's balance."""
    mass = RHOW * poros * max(EPSILON, 1.0 - wisoi_k) * hsoi_k
    wsoi_k = wsoi_k + squeeze * DT / mass
    excess = max(wsoi_k - 1.0, 0.0)
    wsoi_k = min(wsoi_k, 1.0)
    squeeze = excess * mass / DT
    wflo_k = wflo_below + (wsoi_k - wold_k) * mass / DT
    return wsoi_k, squeeze, wflo_k


def puddle_after(wpud, wipud, squeeze, fwpud, wflo1):
    """The puddle gives the infiltration and takes the excess; the top flux without both."""
    wpud = wpud + (squeeze - fwpud) * DT
    wflo1 = wflo1 + squeeze - fwpud
    puddle_heat = CH2O * wpud + CICE * wipud
    return wpud, wflo1, puddle_heat


def advection(wflo_k, told_k, told_above, hsoi_k, hsoi_above):
    """Heat carried through the face above a layer, W m-2, at the neighbour-weighted temperature."""
    t = (hsoi_k * told_above + hsoi_above * told_k) / (hsoi_above + hsoi_k)
    advect_k = wflo_k * CH2O * t
    return advect_k


def advection_ends(wflo1, wflo7, told1, told6):
    """Heat carried through the top and the bottom, W m-2; nothing is conducted there."""
    advect1 = wflo1 * CH2O * told1
    advect7 = wflo7 * CH2O * told6
    conduct1 = 0.0
    conduct7 = 0.0
    return advect1, advect7, conduct1, conduct7


def conduction(consoi_k, consoi_above, hsoi_k, hsoi_above):
    """Thermal conductance between the middles of two layers, W m-2 K-1."""
    conduct_k = 1.0 / (0.5 * (hsoi_above / consoi_above + hsoi_k / consoi_k))
    return conduct_k


def heat_row(
    capacity_k, told_k, wsoi_k, wisoi_k, poros, hsoi_k, top_k, puddle_heat, conduct_k, conduct_below, advect_k,
    advect_below, surface_heat,
):  # fmt: skip
    """Row of the tridiagonal heat system, divided by capacity over time step."""
    cnew = layer_capacity(hsoi_k, wsoi_k, wisoi_k, poros) + top_k * puddle_heat
    s = DT / cnew
    sub_k = -s * conduct_k
    diag_k = 1.0 + s * (conduct_k + conduct_below)
    sup_k = -s * conduct_below
    rhs_k = s * (capacity_k * told_k / DT + advect_k - advect_below + top_k * surface_heat)
    return sub_k, diag_k, sup_k, rhs_k


def heat_last(side6):
    """Backward sweep of the heat system, from the bottom."""
    tsoi6 = side6
    gadjust = 0.0
    return tsoi6, gadjust


def heat_back(side_k, rate_k, tsoi_below):
    """Backward sweep of the heat system."""
    tsoi_k = side_k - rate_k * tsoi_below
    return tsoi_k


@lane
def adjusted(wsoi, wisoi):
    """Water and ice clipped to what the pores hold and tiny amounts removed (``wadjust``)."""
    ice = min(max(wisoi, 0.0), 1.0)
    ice = 0.0 if ice < EPSILON else ice
    water = min(max(wsoi, 0.0), 1.0)
    water = 0.0 if water < EPSILON else water
    water = 0.0 if ice >= 1.0 - EPSILON else water
    return water, ice


@lane
def frozen_or_melted(wsoi, wisoi, tsoi, h, poros, puddle):
    """Freeze, then melt a layer at the melting point, conserving heat; its water, ice and temperature."""
    mass = RHOW * poros * h
    capacity = layer_capacity(h, wsoi, wisoi, poros) + puddle
    lack = capacity * (TMELT - tsoi)
    liquid = (1.0 - wisoi) * wsoi * mass
    freeze = min(liquid, max(0.0, lack / HFUS)) if tsoi < TMELT else 0.0
    x = freeze / mass
    ice = min(wisoi + x, 1.0)
    water = wsoi - x * (1.0 - wsoi) / max(1.0 - ice, PORE_MIN)
    c1 = layer_capacity(h, water, ice, poros) + puddle
    t = TMELT - (lack - HFUS * freeze) / c1
    wsoi = water if freeze > 0.0 else wsoi
    wisoi = ice if freeze > 0.0 else wisoi
    tsoi = t if freeze > 0.0 else tsoi
    capacity = layer_capacity(h, wsoi, wisoi, poros) + puddle
    surplus = capacity * (tsoi - TMELT)
    melt = min(wisoi * mass, max(0.0, surplus / HFUS)) if tsoi > TMELT else 0.0
    x = melt / mass
    ice = wisoi - x
    water = wsoi + x * (1.0 - wsoi) / max(1.0 - ice, PORE_MIN)
    c1 = layer_capacity(h, water, ice, poros) + puddle
    t = TMELT + (surplus - HFUS * melt) / c1
    wsoi = water if melt > 0.0 else wsoi
    wisoi = ice if melt > 0.0 else wisoi
    tsoi = t if melt > 0.0 else tsoi
    return wsoi, wisoi, tsoi


def phase_change(wsoi_k, wisoi_k, tsoi_k, hsoi_k, top_k, puddle_heat, poros, gadjust):
    """Clip a layer's water, let it freeze or melt, and clip again; what clipping created or lost, kg m-2 s-1."""
    mass = RHOW * poros * hsoi_k / DT
    before = (1.0 - wisoi_k) * wsoi_k + wisoi_k
    wsoi_k, wisoi_k = adjusted(wsoi_k, wisoi_k)
    gadjust = gadjust + ((1.0 - wisoi_k) * wsoi_k + wisoi_k - before) * mass
    wsoi_k, wisoi_k, tsoi_k = frozen_or_melted(wsoi_k, wisoi_k, tsoi_k, hsoi_k, poros, top_k * puddle_heat)
    before = (1.0 - wisoi_k) * wsoi_k + wisoi_k
    wsoi_k, wisoi_k = adjusted(wsoi_k, wisoi_k)
    gadjust = gadjust + ((1.0 - wisoi_k) * wsoi_k + wisoi_k - before) * mass
    return wsoi_k, wisoi_k, tsoi_k, gadjust


def puddle_phase(wpud, wipud, wsoi1, wisoi1, tsoi1, poros):
    """Freeze or melt the puddle with the heat capacity of the top layer; drop what is too small for a normal number.

    Ice that evaporation took from an empty frozen puddle is made good by freezing: the deficit stays with the liquid.
    """
    base = layer_capacity(HSOI1, wsoi1, wisoi1, poros)
    capacity = base + CH2O * wpud + CICE * wipud
    lack = capacity * (TMELT - tsoi1)
    freeze = min(max(wpud, 0.0), max(0.0, lack / HFUS)) + max(-wipud, 0.0)
    melt = min(max(wipud, 0.0), max(0.0, -lack / HFUS))
    wpud = wpud - freeze + melt
    wipud = wipud + freeze - melt
    changed = freeze > 0.0 or melt > 0.0
    t = TMELT - (lack - HFUS * (freeze - melt)) / (base + CH2O * wpud + CICE * wipud)
    tsoi1 = t if changed else tsoi1
    wpud = 0.0 if abs(wpud) < 1.0e-30 else wpud
    wipud = 0.0 if abs(wipud) < 1.0e-30 else wipud
    return wpud, wipud, tsoi1
