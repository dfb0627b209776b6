"""Energy and water balance of leaves, stems, canopy air, soil skin and snow skin, solved together (``turvap``).

Linearised and implicit, three iterations an hour, never to convergence: more iterations are another model. The four surfaces
are eliminated as T = r + p t + s q of the air level they touch; a 4 x 4 system of the air levels is left.
"""

from __future__ import annotations

from gridcal.kernels.elementary import vexp
from gridcal.kernels.jit import lane
from gridcal.models.ibis.canopy.aerodynamics import TFAC
from gridcal.models.ibis.constants import (
    CH2O,
    CH_LEAF,
    CH_STEM,
    CICE,
    DT,
    EMISSIVITY,
    EPSILON,
    GRAIN,
    HFUS,
    HSOI1,
    HVAP,
    K_SNOW,
    SIGMA,
    TMELT,
)
from gridcal.models.ibis.thermodynamics import hsubf, hvapf, saturation


def before_iterations(
    tu, ts, tg, ti, wliqu, wsnou, wliqs, wsnos, liquid_ground, ice_ground, poros, consoi1, hsno1, laiu, sai, fu,
    solu, sols, firu, firs, pfluxu, pfluxs,
):  # fmt: skip
    """What an hour's three iterations share: old temperatures, heat capacities, conductances below, radiation per area."""
    tuold = tu
    tsold = ts
    tgold = tg
    tiold = ti
    chu = CH_LEAF + CH2O * wliqu + CICE * wsnou
    chs = CH_STEM + CH2O * wliqs + CICE * wsnos
    chg = HSOI1 * (1.0 - poros) * GRAIN + CH2O * liquid_ground + CICE * ice_ground
    cog = consoi1 / (0.5 * HSOI1)
    coi = K_SNOW / (0.5 * max(hsno1, 0.05))
    zirg = 4.0 * EMISSIVITY * SIGMA * tg * tg * tg
    ziri = 4.0 * EMISSIVITY * SIGMA * ti * ti * ti
    xu = 2.0 * laiu * fu
    xs = 2.0 * sai * fu
    source_u = (solu + firu) / (2.0 * laiu if laiu > EPSILON else 1.0)
    source_s = (sols + firs) / (2.0 * sai if sai > EPSILON else 1.0)
    source_u = (source_u if laiu > EPSILON else 0.0) - pfluxu
    source_s = (source_s if sai > EPSILON else 0.0) - pfluxs
    wu = 1.0
    ws = 1.0
    wg = 1.0
    wi = 1.0
    return (
        tuold, tsold, tgold, tiold, chu, chs, chg, cog, coi, zirg, ziri, xu, xs, source_u, source_s, wu, ws, wg, wi
    )  # fmt: skip


@lane
def implicitness(w, capacity, t, liquid, ice):
    """Weight of the new temperature: less than one where melting or freezing will hold it at the melting point."""
    h = capacity * (t - TMELT)
    size = max(abs(h), EPSILON)
    thaw = 1.0 - min(1.0, HFUS * ice / size)
    freeze = 1.0 - min(1.0, HFUS * liquid / size)
    target = thaw if h > EPSILON else (freeze if h < -EPSILON else 1.0)
    return 0.5 * (w + target)


def weights(
    first, tu, ts, tg, ti, tuold, tsold, tgold, tiold, chu, chs, chg, wliqu, wsnou, wliqs, wsnos, liquid_ground,
    ice_ground, wu, ws, wg, wi,
):  # fmt: skip
    """Implicitness of leaves, stems, soil and snow skin, and the central temperatures of this iteration."""
    wu = 1.0 if first > 0.5 else implicitness(wu, chu, tu, wliqu, wsnou)
    ws = 1.0 if first > 0.5 else implicitness(ws, chs, ts, wliqs, wsnos)
    wg = 1.0 if first > 0.5 else implicitness(wg, chg, tg, liquid_ground, ice_ground)
    rise = ti - tiold
    risen = rise > EPSILON
    fresh = (TMELT - tiold) / (rise if risen else 1.0)
    wi_next = min(max(fresh if risen else wi, 0.0), 1.0)
    wi = 1.0 if first > 0.5 else wi_next
    tus = wu * tu + (1.0 - wu) * tuold
    tss = ws * ts + (1.0 - ws) * tsold
    tgs = wg * tg + (1.0 - wg) * tgold
    tis = wi * ti + (1.0 - wi) * tiold
    return wu, ws, wg, wi, tus, tss, tgs, tis


@lane
def capped(t, ps):
    """Saturation humidity and its slope, the slope at most a tenth of the humidity per K."""
    q, dq = saturation(t, ps)
    return q, min(dq, 0.1 * q)


def surface_humidity(tus, tss, tgs, tis, t34, q34, ps, cp, sg, dry, betaw):
    """Saturation humidity of the four surfaces; ``qgfac``, the bare soil's share of it (Mahfouf and Noilhan, Milly)."""
    qu, dqu = capped(tus, ps)
    qs, dqs = capped(tss, ps)
    qg, dqg = capped(tgs, ps)
    qi, dqi = capped(tis, ps)
    hfac = vexp(-dry / tgs)
    hfac2 = q34 / qg
    _, dq34 = saturation(t34, ps)
    b = HVAP * dq34 / (cp + 4.0 * EMISSIVITY * SIGMA * t34 * t34 * t34 / sg)
    betas = betaw / (1.0 + b * (1.0 - betaw))
    qgfac = betas * hfac + (1.0 - betas) * hfac2
    qgfac = 1.0 if q34 > qg else qgfac
    return qu, dqu, qs, dqs, qg, dqg, qi, dqi, qgfac


def vapour_conductances(
    qu, qs, q12, su, ss, fwetu, fwets, rliqu, rliqs, wliqu, wsnou, wliqs, wsnos, totcondub, frac, tus, tss, ta
):
    """Conductances for vapour: wet leaves and stems (limited by what they hold), dry leaves (one side); latent heats."""
    dew_u = q12 > qu
    dew_s = q12 > qs
    wet_u = 1.0 if dew_u else fwetu
    wet_s = 1.0 if dew_s else fwets
    suw = min(wet_u * su, 0.8 * (wliqu + wsnou) / max(DT * (qu - q12), EPSILON))
    ssw = min(wet_s * ss, 0.8 * (wliqs + wsnos) / max(DT * (qs - q12), EPSILON))
    sut = max(0.0, (1.0 - wet_u) * 0.5 * totcondub * frac)
    hvu = hvapf(tus, ta)
    suh = suw * (rliqu * hvu + (1.0 - rliqu) * hsubf(tus, ta)) + sut * hvu
    ssh = ssw * (rliqs * hvapf(tss, ta) + (1.0 - rliqs) * hsubf(tss, ta))
    return suw, ssw, sut, suh, ssh


def solve(
    ta, qa, cp, cu, cl, su, ss, sg, si, suw, ssw, sut, suh, ssh, hvasug, hvasui, qgfac, tuold, tsold, tgold, tiold, tus,
    tss, tgs, tis, wu, ws, wg, wi, qu, dqu, qs, dqs, qg, dqg, qi, dqi, chu, chs, cog, coi, zirg, ziri, xu, xs, source_u,
    source_s, solg, firg, soli, firi, tsoi1, tsno1, fi,
):  # fmt: skip
    """New temperatures of leaves, stems, skins and air levels and humidities of the air; fluxes follow from the ``*c`` values.

    ``tuc`` and its kin are the temperatures that sensible heat sees, ``quc`` and its kin the surface humidities.
    """
    # leaves and stems against level 12
    cap = chu / DT
    inv = 1.0 / (cap + wu * (su * cp + suh * dqu))
    ru = (cap * tuold - su * cp * (1.0 - wu) * tus - suh * (qu - wu * dqu * tus) + source_u) * inv
    pu = su * cp * inv
    qu1 = suh * inv
    cap = chs / DT
    inv = 1.0 / (cap + ws * (ss * cp + ssh * dqs))
    rs = (cap * tsold - ss * cp * (1.0 - ws) * tss - ssh * (qs - ws * dqs * tss) + source_s) * inv
    ps1 = ss * cp * inv
    qs1 = ssh * inv
    # soil and snow skin against level 34
    inv = 1.0 / (sg * cp + sg * hvasug * qgfac * dqg + cog + zirg)
    rg = (cog * tsoi1 + zirg * tgold + solg + firg - sg * hvasug * qgfac * (qg - dqg * tgs)) * inv
    pg = sg * cp * inv
    qg1 = sg * hvasug * inv
    inv = 1.0 / (si * cp + si * hvasui * dqi + coi + ziri)
    ri = (coi * tsno1 + ziri * tiold + soli + firi - si * hvasui * (qi - dqi * tis)) * inv
    pi = si * cp * inv
    qi1 = si * hvasui * inv
    # level 12, rows for heat and vapour
    au = xu * su
    as_ = xs * ss
    eu = xu * (suw + sut)
    es = xs * ssw
    a11 = cu + cl + au * (1.0 - wu * pu) + as_ * (1.0 - ws * ps1)
    a12 = -au * wu * qu1 - as_ * ws * qs1
    b1 = cu * ta * TFAC + au * ((1.0 - wu) * tus + wu * ru) + as_ * ((1.0 - ws) * tss + ws * rs)
    a21 = -eu * wu * dqu * pu - es * ws * dqs * ps1
    a22 = cu + cl + eu * (1.0 - wu * dqu * qu1) + es * (1.0 - ws * dqs * qs1)
    b2 = cu * qa + eu * (qu + wu * dqu * (ru - tus)) + es * (qs + ws * dqs * (rs - tss))
    # level 34
    ag = (1.0 - fi) * sg
    ai = fi * si
    a33 = cl + ag * (1.0 - wg * pg) + ai * (1.0 - wi * pi)
    a34 = -ag * wg * qg1 - ai * wi * qi1
    b3 = ag * ((1.0 - wg) * tgs + wg * rg) + ai * ((1.0 - wi) * tis + wi * ri)
    a43 = -ag * qgfac * wg * dqg * pg - ai * wi * dqi * pi
    a44 = cl + ag * (1.0 - qgfac * wg * dqg * qg1) + ai * (1.0 - wi * dqi * qi1)
    b4 = ag * qgfac * (qg + wg * dqg * (rg - tgs)) + ai * (qi + wi * dqi * (ri - tis))
    # eliminate level 34: t34 = m0 + m1 t12 + m2 q12, q34 = n0 + n1 t12 + n2 q12
    inv = 1.0 / (a33 * a44 - a34 * a43)
    m0 = (a44 * b3 - a34 * b4) * inv
    m1 = a44 * cl * inv
    m2 = -a34 * cl * inv
    n0 = (a33 * b4 - a43 * b3) * inv
    n1 = -a43 * cl * inv
    n2 = a33 * cl * inv
    c11 = a11 - cl * m1
    c12 = a12 - cl * m2
    d1 = b1 + cl * m0
    c21 = a21 - cl * n1
    c22 = a22 - cl * n2
    d2 = b2 + cl * n0
    inv = 1.0 / (c11 * c22 - c12 * c21)
    t12 = (c22 * d1 - c12 * d2) * inv
    q12 = (c11 * d2 - c21 * d1) * inv
    t34 = m0 + m1 * t12 + m2 * q12
    q34 = n0 + n1 * t12 + n2 * q12
    tu = ru + pu * t12 + qu1 * q12
    ts = rs + ps1 * t12 + qs1 * q12
    tg = rg + pg * t34 + qg1 * q34
    ti = ri + pi * t34 + qi1 * q34
    tuc = wu * tu + (1.0 - wu) * tus
    tsc = ws * ts + (1.0 - ws) * tss
    tgc = wg * tg + (1.0 - wg) * tgs
    tic = wi * ti + (1.0 - wi) * tis
    quc = qu + wu * dqu * (tu - tus)
    qsc = qs + ws * dqs * (ts - tss)
    qgc = qg + wg * dqg * (tg - tgs)
    qic = qi + wi * dqi * (ti - tis)
    return t12, q12, t34, q34, tu, ts, tg, ti, tuc, tsc, tgc, tic, quc, qsc, qgc, qic


def fluxes(
    ta, qa, cp, cu, t12, q12, t34, q34, tgc, tic, quc, qsc, qgc, qic, suw, sut, ssw, sg, si, qgfac, tg, ti, tgold, tiold,
    wg, wi, zirg, ziri, firg, firi, firb, fi, laiu, fu, stresstu,
):  # fmt: skip
    """Fluxes after the third iteration: heat (W m-2) and vapour (kg m-2 s-1) of the pixel and of each surface.

    ``fsena`` and ``fvapa`` count downwards. Longwave terms are corrected for the skins' change.
    """
    fsena = cp * cu * (ta * TFAC - t12)
    fvapa = cu * (qa - q12)
    fvapuw = suw * (quc - q12)
    raw = sut * (quc - q12)
    fvaput = max(0.0, raw)
    fvaps = ssw * (qsc - q12)
    fvapg = sg * (qgfac * qgc - q34)
    fvapi = si * (qic - q34)
    fseng = sg * cp * (tgc - t34)
    fseni = si * cp * (tic - t34)
    shift_g = wg * zirg * (tg - tgold)
    shift_i = wi * ziri * (ti - tiold)
    firg = firg - shift_g
    firi = firi - shift_i
    firb = firb + (1.0 - fi) * shift_g + fi * shift_i
    ti = min(ti, TMELT)
    gtransu = fvaput * 2.0 * laiu * fu
    clipped = (fvaput - raw) * 2.0 * laiu * fu
    gsuvap = (1.0 - fi) * fvapg + fi * fvapi
    uptake = gtransu / (stresstu if stresstu > 0.0 else 1.0)
    return (
        fsena, fvapa, fvapuw, fvaput, fvaps, fvapg, fvapi, fseng, fseni, firg, firi, firb, ti, gtransu, clipped, gsuvap,
        uptake,
    )  # fmt: skip


def ground_heat(solg, firg, fseng, hvasug, fvapg, soli, firi, fseni, hvasui, fvapi, raing, traing):
    """Heat into soil and snow, W m-2 of each; what reaches the soil where there is no snow."""
    heatg = solg + firg - fseng - hvasug * fvapg
    heati = soli + firi - fseni - hvasui * fvapi
    vapour_soil = fvapg
    rain_soil = raing
    train_soil = traing
    return heatg, heati, vapour_soil, rain_soil, train_soil
