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


def soil_carbon(
    falll, fallr, fallw, year_length, decompl, decomps, sand, clitlm, clitls, clitll, clitrm, clitrs, clitrl, clitwm, clitws,
    clitwl, totcmic, csoislop, csoislon, csoipas,
):  # fmt: skip
    """One day of litter and soil carbon; respired and leached carbon, kgC m-2 d-1.

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
    clitlm = max(lm - olm, 0.0)
    clitls = max(ls - ols, 0.0)
    clitll = max(ll - oll, 0.0)
    clitrm = max(rm - orm, 0.0)
    clitrs = max(rs - ors, 0.0)
    clitrl = max(rl - orl, 0.0)
    clitwm = max(wm - owm, 0.0)
    clitws = max(ws - ows, 0.0)
    clitwl = max(wl - owl, 0.0)
    mic = max(totcmic + gain - turn, 0.0)
    slon = csoislon + 0.5 * (lignin + turn) - n_mic - n_pas
    slop = csoislop + 0.5 * (lignin + turn) - p_mic - p_pas
    pas = csoipas + n_pas + p_pas - a_mic
    leached = leach * (csoislon + csoislop + csoipas)
    totcmic = mic
    csoislon_new = max(slon - leach * csoislon, 0.0)
    csoislop_new = max(slop - leach * csoislop, 0.0)
    csoipas_new = max(pas - leach * csoipas, 0.0)
    csoislon = csoislon_new
    csoislop = csoislop_new
    csoipas = csoipas_new
    totlit = clitlm + clitls + clitll + clitrm + clitrs + clitrl + clitwm + clitws + clitwl
    totcsoi = totcmic + csoislop + csoislon + csoipas
    co2mic = before + leaf_fall + root_fall + wood_fall - totlit - totcsoi - leached
    return (
        clitlm, clitls, clitll, clitrm, clitrs, clitrl, clitwm, clitws, clitwl, totcmic, csoislop, csoislon, csoipas, totlit,
        totcsoi, co2mic, leached,
    )  # fmt: skip
