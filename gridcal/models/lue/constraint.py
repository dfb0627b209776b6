"""Ecological constraints on the response functions of the light-use-efficiency model, with their gradient.

Means over synthetic gradients of 365 points (temperature -5 to 40 degC, VPD 0 to 4.5 kPa, moisture 0 to 1, CO2 400 ppm):
every response should reach 1 somewhere (only the moisture response can fail to), cold days should have fT below 0.2,
dry air fVPD below 0.9, dry soil fW below 0.2.
"""

from __future__ import annotations

import math

import numpy as np

from gridcal.kernels.jit import kernel
from gridcal.process.constraint import Constraint

SOURCE = "Bao et al. 2023, JAMES 15(8), 10.1029/2022MS003464"
_POINTS = 365
_CO2 = 400.0
_T = np.linspace(-5.0, 40.0, _POINTS)
_COLD = _T[_T < 0.0]
_VPD = np.linspace(0.0, 4.5, _POINTS)
_DRY_AIR = _VPD[_VPD > 2.0]


@kernel
def _columns(theta, cold, dry_air, cost, gradient):
    for i in range(theta.shape[1]):
        Topt, kT, kappa, Ca0, Ck = theta[1, i], theta[2, i], theta[3, i], theta[4, i], theta[5, i]
        kW, WI = theta[7, i], theta[8, i]
        top = 1.0 / (1.0 + math.exp(kW * (1.0 - WI)))  # ideal: the moisture response reaches 1
        total = 1.0 - top
        gradient[7, i] = top * (1.0 - top) * (1.0 - WI)
        gradient[8, i] = -top * (1.0 - top) * kW

        excess, slope, slope_x = 0.0, 0.0, 0.0
        for k in range(cold.shape[0]):
            x = (cold[k] - Topt) / kT
            e = math.exp(-abs(x))
            inverse = 1.0 / (1.0 + e * e)
            fT = 2.0 * e * inverse
            if not (fT <= 0.2):
                excess += fT - 0.2
                rise = fT * math.copysign((1.0 - e * e) * inverse, x)  # fT tanh(x)
                slope += rise
                slope_x += rise * x
        total += excess / cold.shape[0]
        gradient[1, i] = slope / kT / cold.shape[0]
        gradient[2, i] = slope_x / kT / cold.shape[0]

        relief = (Ca0 / _CO2) ** Ck
        excess, slope = 0.0, 0.0
        for k in range(dry_air.shape[0]):
            fVPD = math.exp(kappa * relief * dry_air[k])
            if not (fVPD <= 0.9):
                excess += fVPD - 0.9
                slope += fVPD * relief * dry_air[k]
        total += excess / dry_air.shape[0]
        slope /= dry_air.shape[0]
        gradient[3, i] = slope
        gradient[4, i] = slope * kappa * Ck / Ca0
        gradient[5, i] = slope * kappa * math.log(Ca0 / _CO2)

        dry = 1.0 / (1.0 + math.exp(-kW * WI))
        if not (dry <= 0.2):
            total += dry - 0.2
            gradient[7, i] += dry * (1.0 - dry) * WI
            gradient[8, i] += dry * (1.0 - dry) * kW
        cost[i] = total


def constraint(theta):
    """Constraint cost and its gradient.

    Parameters
    ----------
    theta : array, shape (13, n)
        Parameters in the public order, physical units.

    Returns
    -------
    cost : array, shape (n,)
        Dimensionless, on the scale of 1 - NNSE.
    gradient : array, shape (13, n)
        Derivative of the cost with respect to each parameter.
    """
    theta = np.ascontiguousarray(theta, dtype=float)
    cost, gradient = np.empty(theta.shape[1]), np.zeros_like(theta)
    _columns(theta, _COLD, _DRY_AIR, cost, gradient)
    return cost, gradient


def constraint_cost(theta):
    """Constraint cost alone, shape (n,); see :func:`constraint`."""
    return constraint(theta)[0]


def _judge(evidence):
    cost = constraint_cost(np.array(list(evidence.theta.values())))
    return cost <= 0.0, cost


RESPONSE_COST = Constraint(
    "responses", "every response reaches 1; cold, dry air and dry soil limit production", SOURCE, _judge, kind="cost"
)
"""The cost as a constraint of the model."""
