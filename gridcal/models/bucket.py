"""The soil-moisture bucket behind the water availability index (WAI).

One store of capacity ``awc`` filled by rain and melt, emptied by evapotranspiration that is limited by demand
(``alphaPT`` times equilibrium evaporation) and by supply (``theta`` times the store), with a snow store above it.
After the model used with the light-use-efficiency model of Bao et al. (2022, 2023), in daily steps.
"""

from __future__ import annotations

import numpy as np

from gridcal.kernels.jit import kernel

DEFAULTS = {"theta": 0.05, "alphaPT": 1.2, "meltT": 3.0, "meltRn": 0.9, "sublimation": 0.44}
SUBLIMATION_HEAT = 2.83  # MJ kg-1


@kernel
def _bucket(
    pr,
    tas,
    net,
    demand,
    share,
    awc,
    theta,
    alpha,
    melt_t,
    melt_rn,
    sublimation,
    water,
    snow,
    out_wai,
    out_et,
    out_runoff,
):
    # min and comparisons may drop a NaN: 0, or NaN once anything is missing, goes beside them
    given = 0.0 * (theta + alpha + melt_t + melt_rn + sublimation)
    for t in range(pr.shape[0]):
        for i in range(pr.shape[1]):
            gap = given + 0.0 * (pr[t, i] + tas[t, i] + net[t, i] + awc[i] + snow[i] + water[i])
            rain, fall = pr[t, i], 0.0
            melt = 0.0
            if tas[t, i] < 0.0:
                fall, rain = rain, 0.0
            else:
                melt = min(melt_t * tas[t, i] + melt_rn * net[t, i], snow[i])
            left = snow[i] - melt
            loss = min(sublimation * net[t, i] / SUBLIMATION_HEAT * share[t, i], left)
            snow[i] = left - loss + fall + gap
            filled = min(rain + melt, awc[i] - water[i])
            water[i] += filled
            et = min(alpha * demand[t, i], theta * water[i])
            water[i] += gap - et
            out_wai[t, i] = water[i] / awc[i]
            out_et[t, i] = et + loss + gap
            out_runoff[t, i] = rain + melt - filled + gap


def wai(pr, tas, net, *, awc, theta=0.05, alphaPT=1.2, meltT=3.0, meltRn=0.9, sublimation=0.44, state=None, spinup=5):
    """Water availability index of a daily bucket.

    Parameters
    ----------
    pr : array, shape (T, n)
        Precipitation, mm d-1; snow on days below 0 degC.
    tas : array, shape (T, n)
        Air temperature, degC.
    net : array, shape (T, n)
        Net radiation, MJ m-2 d-1, not below 0.
    awc : float or array, shape (n,)
        Capacity, mm.
    theta : float
        Largest share of the store that evaporates in a day, 1e-3 to 1 d-1.
    alphaPT : float
        Priestley-Taylor coefficient.
    meltT, meltRn : float
        Snow melt, mm degC-1 d-1 and mm MJ-1.
    sublimation : float
        Share of the radiation's equilibrium rate that sublimates snow.
    state : array, shape (2, n), optional
        Water and snow of the day before; full and no snow, then `spinup` runs over the series, without it.
    spinup : int
        Runs over the series before the one returned, for a cold start.

    Returns
    -------
    wai : array, shape (T, n)
        Filled share of the capacity, 0 to 1.
    fluxes : dict of str to array, shape (T, n)
        ``et`` (with sublimation) and ``runoff``, mm d-1.
    state : array, shape (2, n)
        Water and snow of the last day, mm: pass it on to continue.

    Notes
    -----
    From a missing input on everything is NaN in its pixel; with `spinup` from the first day on, since the runs before pass it.
    """
    from gridcal.kernels.series.solar import PSYCHROMETER, equilibrium_evaporation, esat_slope

    pr, tas, net = (np.ascontiguousarray(x, dtype=np.float64) for x in (pr, tas, net))
    n = pr.shape[1]
    capacity = np.ascontiguousarray(np.broadcast_to(np.asarray(awc, dtype=float), (n,)))
    demand = equilibrium_evaporation(net, tas)
    slope = esat_slope(tas)
    share = slope / (slope + PSYCHROMETER)
    index, et, runoff = (np.empty_like(pr) for _ in range(3))
    cold = state is None
    store = np.array([capacity, np.zeros(n)]) if cold else np.array(state, dtype=float)
    for _ in range(1 + (spinup if cold else 0)):
        _bucket(
            pr, tas, net, demand, share, capacity, theta, alphaPT, meltT, meltRn, sublimation, store[0], store[1], index,
            et, runoff,
        )  # fmt: skip
    return index, {"et": et, "runoff": runoff}, store
