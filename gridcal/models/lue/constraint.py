"""Ecological constraints on the response functions of the light-use-efficiency model, with their gradient.

Means over synthetic gradients of 365 points (temperature -5 to 40 degC, VPD 0 to 4.5 kPa, moisture 0 to 1, CO2 400 ppm):
every response should reach 1 somewhere (only the moisture response can fail to), cold days should have fT below 0.2,
dry air fVPD below 0.9, dry soil fW below 0.2.
"""

from __future__ import annotations

import numpy as np

from gridcal.constraint import Constraint

SOURCE = "Bao et al. 2023, JAMES 15(8), 10.1029/2022MS003464"
_POINTS = 365
_CO2 = 400.0
_T = np.linspace(-5.0, 40.0, _POINTS)
_COLD = _T[_T < 0.0]
_VPD = np.linspace(0.0, 4.5, _POINTS)
_DRY_AIR = _VPD[_VPD > 2.0]


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
    theta = np.asarray(theta, dtype=float)
    _, Topt, kT, kappa, Ca0, Ck, _, kW, WI = theta[:9]
    gradient = np.zeros_like(theta)

    top = 1.0 / (1.0 + np.exp(kW * (1.0 - WI)))  # ideal: the moisture response reaches 1
    cost = 1.0 - top
    gradient[7] -= -top * (1.0 - top) * (1.0 - WI)
    gradient[8] -= top * (1.0 - top) * kW

    x = (_COLD[:, None] - Topt) / kT
    e = np.exp(-np.abs(x))
    fT = 2.0 * e / (1.0 + e * e)
    over = ~(fT <= 0.2)
    cost = cost + np.where(over, fT - 0.2, 0.0).sum(axis=0) / _COLD.size
    slope = np.where(over, fT * np.tanh(x) / kT, 0.0)
    gradient[1] += slope.sum(axis=0) / _COLD.size
    gradient[2] += (slope * x).sum(axis=0) / _COLD.size

    relief = (Ca0 / _CO2) ** Ck
    vpd = _DRY_AIR[:, None]
    fVPD = np.exp(kappa * relief * vpd)
    over = ~(fVPD <= 0.9)
    cost = cost + np.where(over, fVPD - 0.9, 0.0).sum(axis=0) / _DRY_AIR.size
    slope = np.where(over, fVPD * relief * vpd, 0.0).sum(axis=0) / _DRY_AIR.size
    gradient[3] += slope
    gradient[4] += slope * kappa * Ck / Ca0
    gradient[5] += slope * kappa * np.log(Ca0 / _CO2)

    dry = 1.0 / (1.0 + np.exp(-kW * WI))
    over = ~(dry <= 0.2)
    cost = cost + np.where(over, dry - 0.2, 0.0)
    gradient[7] += np.where(over, dry * (1.0 - dry) * WI, 0.0)
    gradient[8] += np.where(over, dry * (1.0 - dry) * kW, 0.0)
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
