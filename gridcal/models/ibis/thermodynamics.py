"""Saturation of water vapour, latent heats and the wet bulb (Lowe 1977, J. Appl. Meteorol. 16:100).

Temperatures in K, pressures in Pa, specific humidities in kg kg-1, heats in J kg-1.
"""

from __future__ import annotations

from gridcal.kernels.jit import lane
from gridcal.models.ibis.constants import CAIR, CH2O, CICE, CVAP, HSUB, HVAP, TMELT


@lane
def esat(t):
    """Saturation vapour pressure (Pa) over water from 273.16 K on, over ice below; Lowe's polynomials."""
    x = min(max(t - TMELT, -60.0), 100.0)
    wet = t >= TMELT
    a0 = 6.1078000 if wet else 6.1091780
    a1 = 4.4365185e-1 if wet else 5.0346990e-1
    a2 = 1.4289458e-2 if wet else 1.8860134e-2
    a3 = 2.6506485e-4 if wet else 4.1762237e-4
    a4 = 3.0312404e-6 if wet else 5.8247203e-6
    a5 = 2.0340809e-8 if wet else 4.8388032e-8
    a6 = 6.1368209e-11 if wet else 1.8388269e-10
    return 100.0 * (a0 + x * (a1 + x * (a2 + x * (a3 + x * (a4 + x * (a5 + x * a6))))))


@lane
def desat(t):
    """Slope of the saturation vapour pressure (Pa K-1); Lowe's polynomials."""
    x = min(max(t - TMELT, -60.0), 100.0)
    wet = t >= TMELT
    a0 = 4.4381000e-1 if wet else 5.0303052e-1
    a1 = 2.8570026e-2 if wet else 3.7732550e-2
    a2 = 7.9380540e-4 if wet else 1.2679954e-3
    a3 = 1.2152151e-5 if wet else 2.4775631e-5
    a4 = 1.0365614e-7 if wet else 3.0056931e-7
    a5 = 3.5324218e-10 if wet else 2.1585425e-9
    a6 = -7.0902448e-13 if wet else 7.1310977e-12
    return 100.0 * (a0 + x * (a1 + x * (a2 + x * (a3 + x * (a4 + x * (a5 + x * a6))))))


@lane
def qsat(e, p):
    """Saturation specific humidity (kg kg-1) from vapour pressure `e` and pressure `p` (Pa)."""
    return 0.622 * e / max(p - 0.378 * e, 0.622 * e)


@lane
def saturation(t, p):
    """Saturation specific humidity (kg kg-1) and its slope (kg kg-1 K-1) at temperature `t` and pressure `p`."""
    e = esat(t)
    q = qsat(e, p)
    return q, desat(t) * q * (1.0 + q * (1.0 / 0.622 - 1.0)) / e


@lane
def hvapf(t, ta):
    """Latent heat of vaporisation (J kg-1) from water at `t` to vapour at air temperature `ta`."""
    return HVAP + CVAP * (ta - TMELT) - CH2O * (t - TMELT)


@lane
def hsubf(t, ta):
    """Latent heat of sublimation (J kg-1) from ice at `t` to vapour at air temperature `ta`."""
    return HSUB + CVAP * (ta - TMELT) - CICE * (t - TMELT)


def wet_bulb_start(ta, qa, ps, raina):
    """First guess of the rain's temperature, and which lanes need it (rain in air above freezing)."""
    q = qsat(esat(ta), ps)
    twet = TMELT + (ta - TMELT) * qa / q
    seeking = 1.0 if raina > 0.0 and ta > TMELT else 0.0
    twet = twet if seeking > 0.0 else TMELT
    return twet, seeking


def wet_bulb_step(twet, seeking, ta, qa, ps):
    """One relaxed step towards the wet bulb (K): stop after the first step below 0.02 K; others stay as they are.

    IBIS's ``twet3`` takes at most 20 such steps and, without convergence, the last one.
    """
    tc = twet - TMELT
    step = 0.2 * ((ta - TMELT) - hvapf(twet, ta) / CAIR * (qsat(esat(twet), ps) - qa) - tc)
    twet = twet + step if seeking > 0.0 else twet
    seeking = 0.0 if abs(step) < 0.02 else seeking
    return twet, seeking
