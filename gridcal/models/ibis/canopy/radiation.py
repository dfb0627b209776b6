"""Light in the canopy: two-stream solution of Sellers (1985) in the form of Bonan (1996, NCAR TN-417), with snow on leaves.

Two bands, visible and near infrared; direct and diffuse light; trees over snow-free ground and snow. The lower canopy of a
pure tree pixel is leafless and passes light through.
"""

from __future__ import annotations

import math

from gridcal.kernels.elementary import vexp
from gridcal.kernels.jit import lane
from gridcal.models.ibis.constants import EPSILON, TMELT


@lane
def snow_albedo(tsno1, cosz, warm, cold):
    """Albedo of snow for direct and diffuse light: linear in its temperature over the last 15 K below melting."""
    x = warm + (cold - warm) * min(max((TMELT - tsno1) / 15.0, 0.0), 1.0)
    direct = min(x + (1.0 - x) * max(0.0, 1.5 / (1.0 + 4.0 * cosz) - 0.5), 0.99)
    return direct, x


@lane
def upscatter_table(cosz):
    """Average over leaf angles of the forward share of scattering, tabulated to four decimals at hundredths of the cosine."""
    i = math.floor(100.0 * cosz + 0.5)
    return math.floor(1.0e4 * (0.5 - i / 300.0) + 0.5) * 1.0e-4


@lane
def two_stream(cosz, lai, sai, alb_dir, alb_dif, rho, tau, omega_snow, snowy):
    """Two-stream solution for unit direct and unit diffuse light on a canopy of random leaf angles.

    Parameters
    ----------
    cosz : float
        Cosine of the solar zenith angle, positive.
    lai, sai : float
        Leaf and stem area index, m2 m-2.
    alb_dir, alb_dif : float
        Albedo below, for direct and diffuse light.
    rho, tau : float
        Reflectance and transmittance of leaf and stem.
    omega_snow, snowy : float
        Scattering of intercepted snow, and its share of the area.

    Returns
    -------
    tuple of float
        Absorbed direct, diffuse; reflected direct, diffuse; transmitted direct to direct, direct to diffuse, diffuse
        to diffuse;        five profile terms; extinctions.
    """
    t = upscatter_table(cosz)
    bare = rho + tau
    bd = ((1.0 - t) * rho + t * tau) / bare
    bi = (2.0 * rho / 3.0 + tau / 3.0) / bare
    omega = (1.0 - snowy) * bare + snowy * omega_snow
    bd = ((1.0 - snowy) * bare * bd + snowy * omega_snow * 0.5) / omega
    bi = ((1.0 - snowy) * bare * bi + snowy * omega_snow * 0.5) / omega
    b = 1.0 - omega * (1.0 - bi)
    c = omega * bi
    q = math.sqrt(b * b - c * c)
    k = 0.5 / max(cosz, 0.01)
    gap = k - q
    near = 1.001 if gap >= 0.0 else 0.999
    p = k * near if abs(gap) < 0.001 * k else k
    d = omega * p * bd
    f = omega * p * (1.0 - bd)
    h = q
    sigma = p * p - b * b + c * c
    leaves = max(lai + sai, EPSILON)
    s1 = vexp(-min(h * leaves, 50.0))
    s2 = vexp(-min(k * leaves, 50.0))
    r1 = 1.0 / s1
    rs = 1.0 / sigma
    # direct light
    u1 = b - c / alb_dir
    u2 = b - c * alb_dir
    u3 = f + c * alb_dir
    d1 = (b + q) * (u1 - q) * r1 - (b - q) * (u1 + q) * s1
    d2 = (u2 + q) * r1 - (u2 - q) * s1
    e1 = 1.0 / d1
    e2 = 1.0 / d2
    h1 = -d * (b - p) - c * f
    work = s2 * (d - c - h1 * (u1 + p) * rs)
    first = d - h1 * (b + p) * rs
    h2 = (first * (u1 - q) * r1 - (b - q) * work) * e1
    h3 = -(first * (u1 + q) * s1 - (b + q) * work) * e1
    h4 = -f * (b + p) - c * d
    work = s2 * (u3 - h4 * (u2 - p) * rs)
    h5 = -(h4 * (u2 + q) * r1 * rs + work) * e2
    h6 = (h4 * s1 * (u2 - q) * rs + work) * e2
    # diffuse light
    v1 = b - c / alb_dif
    v2 = b - c * alb_dif
    g1 = 1.0 / ((b + q) * (v1 - q) * r1 - (b - q) * (v1 + q) * s1)
    g2 = 1.0 / ((v2 + q) * r1 - (v2 - q) * s1)
    h7 = c * (v1 - q) * g1 * r1
    h8 = -c * s1 * (v1 + q) * g1
    h9 = (v2 + q) * g2 * r1
    h10 = -s1 * (v2 - q) * g2
    leafy = lai + sai >= EPSILON
    refl_dir = h1 * rs + h2 + h3 if leafy else alb_dir
    refl_dif = h7 + h8 if leafy else alb_dif
    trans_dd = s2 if leafy else 1.0
    trans_di = h4 * s2 * rs + h5 * s1 + h6 * r1 if leafy else 0.0
    trans_ii = h9 * s1 + h10 * r1 if leafy else 1.0
    absorbed_dir = max(0.0, 1.0 - refl_dir - (1.0 - alb_dir) * trans_dd - (1.0 - alb_dif) * trans_di)
    absorbed_dif = max(0.0, 1.0 - refl_dif - (1.0 - alb_dif) * trans_ii)
    absorbed_dir = absorbed_dir if leafy else 0.0
    absorbed_dif = absorbed_dif if leafy else 0.0
    t1 = k * (1.0 + (h4 - h1) * rs)
    t2 = h * (h5 - h2)
    t3 = h * (h9 - h7)
    t4 = h * (h3 - h6)
    t5 = h * (h8 - h10)
    return (
        absorbed_dir, absorbed_dif, refl_dir, refl_dif, trans_dd, trans_di, trans_ii, t1, t2, t3, t4, t5, k, h
    )  # fmt: skip


def darkness():
    """Radiation of an hour without sun."""
    solu = 0.0
    sols = 0.0
    solg = 0.0
    soli = 0.0
    swnet = 0.0
    topparu = 0.0
    kext = 0.1
    albd_vis = 0.0
    albd_nir = 0.0
    albi_vis = 0.0
    albi_nir = 0.0
    return solu, sols, solg, soli, swnet, topparu, kext, albd_vis, albd_nir, albi_vis, albi_nir


def snow_on_canopy(laiu, sai, fwetu, rliqu, fwets, rliqs, tu, ts):
    """Leaf share of the canopy's area, its snow-covered share, and how much melting darkens that snow."""
    area = laiu + sai
    leaf_share = laiu / max(area, EPSILON)
    snowy = leaf_share * fwetu * (1.0 - rliqu) + (1.0 - leaf_share) * fwets * (1.0 - rliqs)
    bright = leaf_share * min(max((TMELT - tu) / 0.1, 0.6), 1.0)
    bright = bright + (1.0 - leaf_share) * min(max((TMELT - ts) / 0.1, 0.6), 1.0)
    return leaf_share, snowy, bright


@lane
def band(coszen, solad, solai, laiu, sai, fu, fi, tsno1, base, warm, cold, rho, tau, omega_snow, snowy):
    """One waveband over the whole pixel: what canopy, soil and snow absorb (W m-2), the pixel's albedos, profile terms.

    What reaches the ground is per unit ground; canopy terms per unit area under trees.
    """
    cosz = max(coszen, 1.0e-9)
    snow_dir, snow_dif = snow_albedo(tsno1, cosz, warm, cold)
    below_dir = (1.0 - fi) * base + fi * snow_dir
    below_dif = (1.0 - fi) * base + fi * snow_dif
    ad, ai, rd, ri, dd, di, ii, t1, t2, t3, t4, t5, k, h = two_stream(
        cosz, laiu, sai, below_dir, below_dif, rho, tau, omega_snow, snowy
    )
    canopy = solad * ad + solai * ai
    direct = fu * solad * dd + (1.0 - fu) * solad
    diffuse = fu * (solad * di + solai * ii) + (1.0 - fu) * solai
    soil = (1.0 - base) * (direct + diffuse)
    snow = (1.0 - snow_dir) * direct + (1.0 - snow_dif) * diffuse
    lit = coszen > 0.0
    albd = fu * rd + (1.0 - fu) * below_dir if lit else 0.0
    albi = fu * ri + (1.0 - fu) * below_dif if lit else 0.0
    net = solad * (1.0 - albd) + solai * (1.0 - albi)
    return canopy, soil, snow, net, albd, albi, t1, t2, t3, t4, t5, k, h


def soil_albedo(wsoi1, wisoi1, albsav):
    """Albedo of snow-free soil, direct and diffuse alike: twice as bright when dry; near infrared twice the visible."""
    moist = wsoi1 * (1.0 - wisoi1)
    dry = 1.0 + min(max(1.0 - moist / 0.5, 0.0), 1.0)
    soil_vis = min(albsav * dry, 0.80)
    soil_nir = min(2.0 * albsav * dry, 0.80)
    return soil_vis, soil_nir


def visible(coszen, solad_vis, solai_vis, laiu, sai, fu, fi, tsno1, soil_vis, snowy, bright, leaf_share):
    """Visible light: absorbed by canopy, soil and snow (W m-2); PAR of the top leaf and its extinction with depth."""
    canopy_vis, ground_vis, snow_vis, net_vis, albd_vis, albi_vis, t1, t2, t3, t4, t5, k, h = band(
        coszen, solad_vis, solai_vis, laiu, sai, fu, fi, tsno1, soil_vis, 0.70, 0.90, 0.10, 0.05, 0.9 * bright, snowy
    )
    a = t1 * solad_vis
    b = t2 * solad_vis + t3 * solai_vis
    c = t4 * solad_vis + t5 * solai_vis
    total = a + b + c
    topparu = total * leaf_share
    kext = min(max((k * a + h * b - h * c) / max(total, EPSILON), 0.1), 10.0)
    return canopy_vis, ground_vis, snow_vis, net_vis, albd_vis, albi_vis, topparu, kext


def near_infrared(coszen, solad_nir, solai_nir, laiu, sai, fu, fi, tsno1, soil_nir, snowy, bright):
    """Near-infrared light: absorbed by canopy, soil and snow (W m-2), and the pixel's albedos."""
    canopy_nir, ground_nir, snow_nir, net_nir, albd_nir, albi_nir, _, _, _, _, _, _, _ = band(
        coszen, solad_nir, solai_nir, laiu, sai, fu, fi, tsno1, soil_nir, 0.40, 0.60, 0.40, 0.20, 0.7 * bright, snowy
    )
    return canopy_nir, ground_nir, snow_nir, net_nir, albd_nir, albi_nir


def absorbed(canopy_vis, canopy_nir, ground_vis, ground_nir, snow_vis, snow_nir, net_vis, net_nir, leaf_share):
    """Shortwave radiation absorbed (W m-2): leaves and stems per unit area under trees, soil and snow each per own area."""
    canopy = canopy_vis + canopy_nir
    solu = canopy * leaf_share
    sols = canopy * (1.0 - leaf_share)
    solg = ground_vis + ground_nir
    soli = snow_vis + snow_nir
    swnet = net_vis + net_nir
    return solu, sols, solg, soli, swnet
