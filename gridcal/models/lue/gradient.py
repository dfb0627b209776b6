"""Exact gradient of the squared GPP error with respect to the 13 parameters: forward sensitivities in one pass."""

from __future__ import annotations

import math

import numpy as np

from gridcal.kernels.jit import kernel
from gridcal.models.lue.physics import CI_MIN


@kernel
def sse_gradient_series(theta, tas, vpd, par, fapar, wai, co2, ci, lag_temperature, lag_moisture, obs, weight, grad):
    """Weighted sum of squared errors over days with an observation; writes its gradient into `grad`, shape (13,)."""
    eps_max, Topt, kT, kappa, Ca0, Ck, Cm = theta[0], theta[1], theta[2], theta[3], theta[4], theta[5], theta[6]
    kW, WI, gamma, mu = theta[7], theta[8], theta[9], theta[10]
    aT, aW = theta[11] * lag_temperature, theta[12] * lag_moisture
    grad[:] = 0.0
    sse, gap = 0.0, 0.0
    Tf, Wf, dTf, dWf = np.float64(tas[0]), np.float64(wai[0]), 0.0, 0.0
    for t in range(tas.shape[0]):
        gap += 0.0 * (tas[t] + vpd[t] + par[t] + fapar[t] + wai[t] + co2[t] + ci[t])  # as in a run, NaN from a gap on
        dTf = -tas[t] + Tf + aT * dTf
        dWf = -wai[t] + Wf + aW * dWf
        Tf = (1.0 - aT) * tas[t] + aT * Tf
        Wf = (1.0 - aW) * wai[t] + aW * Wf
        if not (math.isfinite(obs[t]) and weight[t] > 0.0):
            continue
        apar = np.float64(par[t]) * fapar[t] + gap
        x = (Tf - Topt) / kT
        e = math.exp(-abs(x))
        fT = 2.0 * e / (1.0 + e * e)
        relief = (Ca0 / co2[t]) ** Ck
        dry = kappa * relief * vpd[t]
        free = not (dry >= 0.0)  # NaN goes through the exponential
        fVPD = math.exp(dry) if free else 1.0
        excess = co2[t] - Ca0
        q = excess + Cm
        fCO2 = 1.0 + excess / q
        stress = math.exp(kW * (Wf - WI))
        fW = 1.0 / (1.0 + stress)
        rest = stress * fW  # 1 - fW, without its cancellation
        fL = 1.0 / (1.0 + gamma * apar)
        log_ci = math.log(max(np.float64(ci[t]), CI_MIN))
        per_eps = apar * fT * fVPD * fCO2 * fW * fL * math.exp(mu * log_ci)
        gpp = eps_max * per_eps
        error = gpp - obs[t]
        sse += weight[t] * error * error
        factor = 2.0 * weight[t] * error
        g = factor * gpp
        tanh = math.tanh(x)
        grad[0] += factor * per_eps
        grad[1] += g * tanh / kT
        grad[2] += g * x * tanh / kT
        if free:
            grad[3] += g * relief * vpd[t]
            grad[4] += g * dry * Ck / Ca0
            grad[5] += g * dry * math.log(Ca0 / co2[t])
        grad[4] -= g * Cm / (q * q * fCO2)
        grad[6] -= g * excess / (q * q * fCO2)
        grad[7] -= g * rest * (Wf - WI)
        grad[8] += g * rest * kW
        grad[9] -= g * apar * fL
        grad[10] += g * log_ci
        grad[11] += g * (-tanh / kT) * dTf * lag_temperature
        grad[12] += g * (-rest * kW) * dWf * lag_moisture
    return sse


def sse_gradient(theta, forcing, site, obs, weight=None):
    """Weighted sum of squared GPP errors and its gradient at one pixel.

    Parameters
    ----------
    theta : array, shape (13,)
        Parameters in the public order.
    forcing : tuple of arrays, each shape (T,)
        tas, vpd, par, fapar, wai, co2, ci; from a gap on every day is missing, as in a run.
    site : array, shape (2,)
        The masks lag_temperature and lag_moisture.
    obs : array, shape (T,)
        Observed GPP, gC m-2 d-1; NaN where missing.
    weight : array, shape (T,), optional
        Weight of each day; 1 by default, 0 leaves a day out.

    Returns
    -------
    sse : float
        Sum of weight * (gpp - obs)**2; NaN where a day with an observation is missing.
    gradient : array, shape (13,)
        Its derivative with respect to each parameter, in physical units.
    """
    series = [np.ascontiguousarray(x, dtype=float) for x in forcing]
    obs = np.ascontiguousarray(obs, dtype=float)
    weight = np.ones_like(obs) if weight is None else np.ascontiguousarray(weight, dtype=float)
    gradient = np.empty(13)
    sse = sse_gradient_series(
        np.ascontiguousarray(theta, dtype=float), *series, float(site[0]), float(site[1]), obs, weight, gradient
    )
    return sse, gradient
