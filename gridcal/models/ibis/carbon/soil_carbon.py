"""Litter and soil carbon (``soilbgc``; Verberne et al. 1990, Parton et al. 1987), daily.

Thirteen pools in kgC m-2: leaf, root and wood litter, each metabolic, structural and lignin; microbes; protected, non-protected
and passive organic matter.
"""

from __future__ import annotations

from gridcal.kernels.jit import lane


def _split(cn: float, structural_cn: float) -> tuple[float, float, float]:
    """Shares of litter with a C:N ratio: metabolic, structural, lignin (Whitmore and Verberne)."""
    lignin = 0.45 * cn**2 / (1200.0 + cn**2)
    structural = (1.0 / cn - lignin / 100.0 - (1.0 - lignin) / 6.0) / (1.0 / structural_cn - 1.0 / 6.0)
    return 1.0 - lignin - structural, structural, lignin


LEAF_M, LEAF_S, LEAF_L = _split(40.0, 150.0)
ROOT_M, ROOT_S, ROOT_L = _split(60.0, 150.0)
WOOD_M, WOOD_S, WOOD_L = _split(200.0, 250.0)


@lane
def outflow(rate, pool):
    """What leaves a pool in a day, at most all of it."""
    return min(rate * pool, pool)


def soil_passes(soil_speed):
    """How often a day's soil carbon is run: once, or up to 40 times in the accelerated spin-up."""
    soil_left = max(soil_speed, 1.0)
    return soil_left


def soil_pass_done(soil_left):
    """Count down the passes."""
    soil_left = soil_left - 1.0
    return soil_left


def soil_carbon(
    soil_left, falll, fallr, fallw, year_length, decompl, decomps, sand, clitlm, clitls, clitll, clitrm, clitrs,
    clitrl, clitwm, clitws, clitwl, totcmic, csoislop, csoislon, csoipas, co2mic, leached,
):  # fmt: skip
    """One day of litter and soil carbon; respired and leached carbon, kgC m-2 d-1. Nothing changes once no pass is left.

    Litterfall (kgC m-2 yr-1) is spread over the year. Wood's metabolic share is slightly negative, as in the original.
    """
    per_day = 1.0 / year_length
    leaf_fall = falll * per_day
    root_fall = fallr * per_day
    wood_fall = fallw * per_day
    before = clitlm + clitls + clitll + clitrm + clitrs + clitrl + clitwm + clitws + clitwl
    before = before + totcmic + csoislop + csoislon + csoipas
    protected = min(totcmic, 0.017 * before)
    free = totcmic - protected
    lm = clitlm + leaf_fall * LEAF_M
    ls = clitls + leaf_fall * LEAF_S
    ll = clitll + leaf_fall * LEAF_L
    rm = clitrm + root_fall * ROOT_M
    rs = clitrs + root_fall * ROOT_S
    rl = clitrl + root_fall * ROOT_L
    wm = clitwm + wood_fall * WOOD_M
    ws = clitws + wood_fall * WOOD_S
    wl = clitwl + wood_fall * WOOD_L
    olm = outflow(0.15 * decompl, lm)
    ols = outflow(0.01 * decompl, ls)
    oll = outflow(0.01 * decompl, ll)
    orm = outflow(0.10 * decomps, rm)
    ors = outflow(0.005 * decomps, rs)
    orl = outflow(0.005 * decomps, rl)
    owm = outflow(0.001 * decompl, wm)
    ows = outflow(0.001 * decompl, ws)
    owl = outflow(0.001 * decompl, wl)
    turn = 0.40 * (0.005 * protected + 0.045 * free)
    n_mic = outflow(1.0e-3 * decomps, csoislon)
    n_pas = outflow(1.0e-6 * decomps, csoislon)
    p_mic = outflow(1.0e-4 * decomps, csoislop)
    p_pas = outflow(1.0e-6 * decomps, csoislop)
    a_mic = outflow(8.0e-7 * decomps, csoipas)
    lignin = oll + orl + owl
    gain = 0.4 * (olm + orm + owm) + 0.3 * (ols + ors + ows) + 0.25 * n_mic + 0.20 * (p_mic + a_mic)
    leach = 0.30e-3 / 18.0 * (0.01 + 0.04 * sand * 0.01)
    active = soil_left > 0.0
    clitlm = max(lm - olm, 0.0) if active else clitlm
    clitls = max(ls - ols, 0.0) if active else clitls
    clitll = max(ll - oll, 0.0) if active else clitll
    clitrm = max(rm - orm, 0.0) if active else clitrm
    clitrs = max(rs - ors, 0.0) if active else clitrs
    clitrl = max(rl - orl, 0.0) if active else clitrl
    clitwm = max(wm - owm, 0.0) if active else clitwm
    clitws = max(ws - ows, 0.0) if active else clitws
    clitwl = max(wl - owl, 0.0) if active else clitwl
    leached_new = leach * (csoislon + csoislop + csoipas)
    slon = csoislon + 0.5 * (lignin + turn) - n_mic - n_pas - leach * csoislon
    slop = csoislop + 0.5 * (lignin + turn) - p_mic - p_pas - leach * csoislop
    pas = csoipas + n_pas + p_pas - a_mic - leach * csoipas
    totcmic = max(totcmic + gain - turn, 0.0) if active else totcmic
    csoislon = max(slon, 0.0) if active else csoislon
    csoislop = max(slop, 0.0) if active else csoislop
    csoipas = max(pas, 0.0) if active else csoipas
    totlit = clitlm + clitls + clitll + clitrm + clitrs + clitrl + clitwm + clitws + clitwl
    totcsoi = totcmic + csoislop + csoislon + csoipas
    respired = before + leaf_fall + root_fall + wood_fall - totlit - totcsoi - leached_new
    co2mic = respired if active else co2mic
    leached = leached_new if active else leached
    return (
        clitlm, clitls, clitll, clitrm, clitrs, clitrl, clitwm, clitws, clitwl, totcmic, csoislop, csoislon, csoipas, totlit,
        totcsoi, co2mic, leached,
    )  # fmt: skip
