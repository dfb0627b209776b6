"""The light-use-efficiency model, equations 1 to 8 of Bao et al. (2023), one function a process.

Argument and result names are the names of the model's tables. Doi of the source: 10.1029/2022MS003464.
"""

from __future__ import annotations

from gridcal.kernels.elementary import vexp, vlog

CI_MIN = 0.01
"""Floor of the cloudiness index: the derivative of ``ci**mu`` is not finite at 0."""


def absorbed_light(par, fapar):
    """Absorbed photosynthetically active radiation, MJ m-2 d-1."""
    apar = par * fapar
    return apar


def lag(tas, wai, Tf, Wf, aT, aW, lag_temperature, lag_moisture):
    """Lagged temperature (degC) and soil moisture (1), equations 7 and 8; the alphas act where the masks are 1."""
    keep_temperature = aT * lag_temperature
    keep_moisture = aW * lag_moisture
    Tf = (1.0 - keep_temperature) * tas + keep_temperature * Tf
    Wf = (1.0 - keep_moisture) * wai + keep_moisture * Wf
    return Tf, Wf


def temperature_response(Tf, Topt, kT):
    """Response to temperature, equation 2: the hyperbolic secant of (Tf - Topt) / kT."""
    e = vexp(-abs((Tf - Topt) / kT))
    fT = 2.0 * e / (1.0 + e * e)
    return fT


def vpd_response(vpd, co2, kappa, Ca0, Ck):
    """Response to vapour pressure deficit, the exponential of equation 3, clipped at 1."""
    relief = vexp(Ck * vlog(Ca0 / co2))
    fVPD = min(vexp(kappa * relief * vpd), 1.0)
    return fVPD


def co2_response(co2, Ca0, Cm):
    """CO2 fertilisation, the bracket of equation 3; exceeds 1 where co2 exceeds Ca0."""
    excess = co2 - Ca0
    fCO2 = 1.0 + excess / (excess + Cm)
    return fCO2


def moisture_response(Wf, kW, WI):
    """Response to soil moisture, equation 4."""
    fW = 1.0 / (1.0 + vexp(kW * (Wf - WI)))
    return fW


def light_response(apar, gamma):
    """Light saturation, equation 5."""
    fL = 1.0 / (1.0 + gamma * apar)
    return fL


def cloudiness_response(ci, mu):
    """Light quality under cloud, equation 6, with the index floored at ``CI_MIN``."""
    fCI = vexp(mu * vlog(max(ci, CI_MIN)))
    return fCI


def production(eps_max, apar, fT, fVPD, fCO2, fW, fL, fCI):
    """Gross primary production, equation 1, gC m-2 d-1."""
    gpp = eps_max * apar * fT * fVPD * fCO2 * fW * fL * fCI
    return gpp


PROCESSES = (
    absorbed_light,
    lag,
    temperature_response,
    vpd_response,
    co2_response,
    moisture_response,
    light_response,
    cloudiness_response,
    production,
)
