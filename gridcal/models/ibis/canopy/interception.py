"""Rain and snow on leaves and stems: interception, drip, wet fractions, evaporation, melting (Pollard and Thompson 1995).

Stores are in kg per m2 of leaf or stem counted on both sides as used with 2 LAI; fluxes in kg m-2 s-1.
"""

from __future__ import annotations

from gridcal.kernels.elementary import vexp
from gridcal.kernels.jit import lane
from gridcal.models.ibis.constants import (
    CH2O,
    CH_LEAF,
    CH_STEM,
    CICE,
    DT,
    EPSILON,
    HFUS,
    TAU_BLOW,
    TAU_DRIP,
    TMELT,
    WLIQ_LEAF,
    WLIQ_MIN,
    WLIQ_STEM,
    WSNO_LEAF,
    WSNO_MIN,
    WSNO_STEM,
)
from gridcal.models.ibis.thermodynamics import hsubf, hvapf


@lane
def wet_part(wliq, wsno, t, wliq_max, wsno_max):
    """Wet fraction of a surface, at most 0.25, and the liquid share of what wets it."""
    liquid = wliq / wliq_max
    both = liquid + wsno / wsno_max
    share = liquid / max(both, EPSILON)
    empty = 1.0 if t >= TMELT else 0.0
    return min(0.25, both), (share if both > 0.0 else empty)


def wet_fractions(wliqu, wsnou, tu, wliqs, wsnos, ts):
    """Wet fractions of leaves and stems, and the liquid shares."""
    fwetu, rliqu = wet_part(wliqu, wsnou, tu, WLIQ_LEAF, WSNO_LEAF)
    fwets, rliqs = wet_part(wliqs, wsnos, ts, WLIQ_STEM, WSNO_STEM)
    return fwetu, rliqu, fwets, rliqs


@lane
def mix(rate1, t1, rate2, t2):
    """Two fluxes (kg m-2 s-1) mixed calorimetrically (K); a sum below 1e-7 is dropped and has temperature 0."""
    total = rate1 + rate2
    kept = abs(total) >= 1.0e-7
    t = (rate1 * t1 + rate2 * t2) / (total if kept else 1.0)
    return (total if kept else 0.0), (t if kept else 0.0)


@lane
def intercept(t, wliq, wsno, xai, rain, t_rain, snow, t_snow, fint, wliq_max, wsno_max):
    """One storey of leaves or stems: new stores, fluxes below with their temperatures, heat brought in (W m-2), mass dropped.

    `fint` is the share of a flux that a unit of area catches, `xai` twice the area index.
    """
    drip = xai * wliq / TAU_DRIP
    blow = xai * wsno / TAU_BLOW
    liquid = wliq * (1.0 - DT / TAU_DRIP) + DT * rain * fint
    frozen = wsno * (1.0 - DT / TAU_BLOW) + DT * snow * fint
    rain_below = rain * (1.0 - xai * fint)
    snow_below = snow * (1.0 - xai * fint)
    heat = rain * fint * (t - t_rain) * CH2O + snow * fint * (t - t_snow) * CICE
    kept = min(liquid, wliq_max)
    kept = kept if kept >= WLIQ_MIN else 0.0
    drip = drip + xai * (liquid - kept) / DT
    held = min(frozen, wsno_max)
    held = held if held >= WSNO_MIN else 0.0
    blow = blow + xai * (frozen - held) / DT
    freezing = t < TMELT and kept > 0.0
    melting = t > TMELT and held > 0.0
    heat = heat + (kept * ((CH2O - CICE) * (TMELT - t) - HFUS) / DT if freezing else 0.0)
    heat = heat + (held * ((CH2O - CICE) * (t - TMELT) + HFUS) / DT if melting else 0.0)
    new_liquid = (0.0 if freezing else kept) + (held if melting else 0.0)
    new_frozen = (0.0 if melting else held) + (kept if freezing else 0.0)
    rain_out, t_rain_out = mix(rain_below, t_rain, drip, t)
    snow_out, t_snow_out = mix(snow_below, t_snow, blow, t)
    lost = rain_below + drip - rain_out + snow_below + blow - snow_out
    return new_liquid, new_frozen, rain_out, t_rain_out, snow_out, t_snow_out, heat, lost


def canopy_catch(laiu, sai):
    """Shares of a flux that a unit of two-sided leaf and stem area catches, and emissivities of both planes (daily)."""
    emu = 1.0 - vexp(-laiu)
    ems = 1.0 - vexp(-sai)
    fintu = emu / (2.0 * laiu) if laiu > EPSILON else 0.5
    fints = ems / (2.0 * sai) if sai > EPSILON else 0.5
    return emu, ems, fintu, fints


def interception(ta, twet, raina, snowa, laiu, sai, fu, fintu, fints, tu, ts, wliqu, wsnou, wliqs, wsnos):
    """Rain and snow through leaves, stems and the gaps between trees to the ground.

    Returns the new stores, the fluxes on the ground with their temperatures, the heat they bring to leaves and stems
    (W m-2 of two-sided area) and the water dropped by mixing (kg m-2 s-1).
    """
    rain0, t_rain0 = mix(raina, max(twet, TMELT), 0.0, 0.0)
    snow0, t_snow0 = mix(snowa, min(ta, TMELT), 0.0, 0.0)
    dropped = raina - rain0 + snowa - snow0
    wliqu, wsnou, rain1, t_rain1, snow1, t_snow1, pfluxu, lost1 = intercept(
        tu, wliqu, wsnou, 2.0 * laiu, rain0, t_rain0, snow0, t_snow0, fintu, WLIQ_LEAF, WSNO_LEAF
    )
    wliqs, wsnos, rain2, t_rain2, snow2, t_snow2, pfluxs, lost2 = intercept(
        ts, wliqs, wsnos, 2.0 * sai, rain1, t_rain1, snow1, t_snow1, fints, WLIQ_STEM, WSNO_STEM
    )
    raing, traing = mix((1.0 - fu) * rain0, t_rain0, fu * rain2, t_rain2)
    snowg, tsnowg = mix((1.0 - fu) * snow0, t_snow0, fu * snow2, t_snow2)
    both = (1.0 - fu) * (rain0 + snow0) + fu * (rain2 + snow2)
    dropped = dropped + fu * (lost1 + lost2) + both - raing - snowg
    return wliqu, wsnou, wliqs, wsnos, raing, traing, snowg, tsnowg, pfluxu, pfluxs, dropped


@lane
def evaporate(t, wliq, wsno, vapour, rliq, ch, ta):
    """Stores after evaporation, heat-conserving melt or freeze; missing water (kg m-2) and its latent heat (J m-2)."""
    liquid = wliq - DT * vapour * rliq
    frozen = wsno - DT * vapour * (1.0 - rliq)
    short_liquid = max(-liquid, 0.0)
    short_frozen = max(-frozen, 0.0)
    liquid = max(liquid, 0.0)
    frozen = max(frozen, 0.0)
    latent = short_liquid * hvapf(t, ta) + short_frozen * hsubf(t, ta)
    missing = short_liquid + short_frozen
    capacity = ch + CH2O * liquid + CICE * frozen
    cold = capacity * (TMELT - t)
    freeze = min(max(cold, 0.0) / HFUS, liquid)
    melt = min(max(-cold, 0.0) / HFUS, frozen)
    liquid = liquid - freeze + melt
    frozen = frozen + freeze - melt
    changed = freeze > 0.0 or melt > 0.0
    settled = TMELT - (cold - HFUS * (freeze - melt)) / (ch + CH2O * liquid + CICE * frozen)
    return (settled if changed else t), liquid, frozen, missing, latent


def evaporate_intercepted(tu, ts, wliqu, wsnou, wliqs, wsnos, rliqu, rliqs, fvapuw, fvaps, ta, laiu, sai, fu, fvapa, fsena):
    """Take the evaporated water from leaves and stems, then let what is left melt or freeze.

    Vapour the stores could not give is returned to the pixel's fluxes.
    """
    tu, wliqu, wsnou, missing_u, latent_u = evaporate(tu, wliqu, wsnou, fvapuw, rliqu, CH_LEAF, ta)
    ts, wliqs, wsnos, missing_s, latent_s = evaporate(ts, wliqs, wsnos, fvaps, rliqs, CH_STEM, ta)
    returned = fu * 2.0 * (laiu * missing_u + sai * missing_s) / DT
    fvapa = fvapa + returned
    fsena = fsena - fu * 2.0 * (laiu * latent_u + sai * latent_s) / DT
    ginvap = fu * 2.0 * (laiu * fvapuw + sai * fvaps) - returned
    return tu, ts, wliqu, wsnou, wliqs, wsnos, fvapa, fsena, ginvap


def without_canopy(laiu, sai, fu, fi, tg, ti, tu, ts, wliqu, wsnou, wliqs, wsnos):
    """Leaves or stems that do not exist take the ground's temperature; water on them vanishes (IBIS's ``noveg``)."""
    skin = (1.0 - fi) * tg + fi * ti
    leafless = laiu == 0.0 or fu == 0.0
    stemless = sai == 0.0 or fu == 0.0
    vanished = fu * 2.0 * (laiu * (wliqu + wsnou) if leafless else 0.0)
    vanished = vanished + fu * 2.0 * (sai * (wliqs + wsnos) if stemless else 0.0)
    tu = skin if leafless else tu
    ts = skin if stemless else ts
    wliqu = 0.0 if leafless else wliqu
    wsnou = 0.0 if leafless else wsnou
    wliqs = 0.0 if stemless else wliqs
    wsnos = 0.0 if stemless else wsnos
    return tu, ts, wliqu, wsnou, wliqs, wsnos, vanished
