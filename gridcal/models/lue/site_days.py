"""Squared GPP errors of many sites and their exact gradients, in lanes of days.

A site's parameters do not change from day to day and the equations couple days through the two lag filters only. So lanes
are days here: the observed days of a site lie in blocks of ``W``, the filters run ahead of each block where they act, and
everything else is one straight loop that vectorises. Series of any length cost their observed days and no padding beyond
one block. Logarithms of the forcing, which no parameter changes, are taken once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gridcal.errors import InputError
from gridcal.kernels.elementary import vexp
from gridcal.kernels.jit import fast_kernel, lane
from gridcal.models.lue.physics import CI_MIN

W = 64
"""Days in a block."""
_DAY_ROWS = 9  # tas, wai, apar, vpd, co2, log co2, log ci, obs, weight
_SUMS = 14


@lane
def _block(B, Topt, kT_inverse, kappa, Ca0, log_Ca0, Ck, Cm, kW, WI, gamma, mu, eps_max):
    """Add one block of days to the sums. Rows of `B`: the days, Tf, dTf, Wf, dWf, the sums."""
    for i in range(W):
        Tf, dTf, Wf, dWf = B[9 * W + i], B[10 * W + i], B[11 * W + i], B[12 * W + i]
        apar, vpd, co2 = B[2 * W + i], B[3 * W + i], B[4 * W + i]
        log_relief = log_Ca0 - B[5 * W + i]
        log_ci = B[6 * W + i]
        deviation = (Tf - Topt) * kT_inverse
        e = vexp(-abs(deviation))
        cosh_inverse = 1.0 / (1.0 + e * e)
        tanh = (1.0 - e * e) * cosh_inverse
        tanh = tanh if deviation >= 0.0 else -tanh
        relief_vpd = vexp(Ck * log_relief) * vpd
        relief_vpd = relief_vpd if relief_vpd > 0.0 or relief_vpd != relief_vpd else 0.0  # the response is clipped at 1
        excess = co2 - Ca0
        q = excess + Cm
        top = q + excess
        q_top_inverse = 1.0 / (q * top)
        stress = vexp(kW * (Wf - WI))
        fW = 1.0 / (1.0 + stress)
        rest = stress * fW  # 1 - fW, without its cancellation
        fL = 1.0 / (1.0 + gamma * apar)
        per_eps = 2.0 * e * cosh_inverse * vexp(kappa * relief_vpd + mu * log_ci) * top * top * q_top_inverse * fW * fL * apar
        error = eps_max * per_eps - B[7 * W + i]
        weighted = B[8 * W + i] * error
        g = weighted * per_eps
        g_rest = g * rest
        B[13 * W + i] += weighted * error
        B[14 * W + i] += g
        B[15 * W + i] += g * tanh
        B[16 * W + i] += g * tanh * deviation
        B[17 * W + i] += g * relief_vpd
        B[18 * W + i] += g * relief_vpd * log_relief
        B[19 * W + i] += g * q_top_inverse
        B[20 * W + i] += g * q_top_inverse * excess
        B[21 * W + i] += g_rest * (Wf - WI)
        B[22 * W + i] += g_rest
        B[23 * W + i] += g * apar * fL
        B[24 * W + i] += g * log_ci
        B[25 * W + i] += g * tanh * dTf
        B[26 * W + i] += g_rest * dWf


@fast_kernel
def _sites(theta, which, first, rows, day, start, tas, wai, masks, sse, grad):
    B = np.zeros((_DAY_ROWS + 4 + _SUMS) * W)
    sums = np.empty(_SUMS)
    for k in range(which.shape[0]):
        s = which[k]
        eps_max, Topt, kT, kappa, Ca0, Ck, Cm = (
            theta[0, k], theta[1, k], theta[2, k], theta[3, k], theta[4, k], theta[5, k], theta[6, k],
        )  # fmt: skip
        kW, WI, gamma, mu = theta[7, k], theta[8, k], theta[9, k], theta[10, k]
        aT, aW = theta[11, k] * masks[0, s], theta[12, k] * masks[1, s]
        lags = masks[0, s] != 0.0 or masks[1, s] != 0.0
        bad = (theta[11, k] + theta[12, k]) * 0.0  # NaN if a lag is NaN, even where it does not act
        kT_inverse, log_Ca0 = 1.0 / kT, np.log(Ca0)
        for i in range((4 + _SUMS) * W):
            B[_DAY_ROWS * W + i] = 0.0
        t = start[s]
        Tf, Wf, dTf, dWf = 0.0, 0.0, 0.0, 0.0
        if start[s + 1] > t:
            Tf, Wf = tas[t], wai[t]
        for b in range(first[s], first[s + 1]):
            x = rows[b * _DAY_ROWS * W : (b + 1) * _DAY_ROWS * W]
            for i in range(_DAY_ROWS * W):
                B[i] = x[i]
            if lags:
                for i in range(W):
                    while t <= day[b * W + i]:
                        dTf = Tf - tas[t] + aT * dTf
                        dWf = Wf - wai[t] + aW * dWf
                        Tf = tas[t] + aT * (Tf - tas[t])
                        Wf = wai[t] + aW * (Wf - wai[t])
                        t += 1
                    B[9 * W + i], B[10 * W + i], B[11 * W + i], B[12 * W + i] = Tf, dTf, Wf, dWf
            else:
                for i in range(W):
                    B[9 * W + i] = x[i]
                    B[11 * W + i] = x[W + i]
            _block(B, Topt, kT_inverse, kappa, Ca0, log_Ca0, Ck, Cm, kW, WI, gamma, mu, eps_max)
        for q in range(_SUMS):
            z = 0.0
            for i in range(W):
                z += B[(13 + q) * W + i]
            sums[q] = z
        f = 2.0 * eps_max
        sse[k] = sums[0] + bad
        grad[0, k] = 2.0 * sums[1]
        grad[1, k] = f * sums[2] * kT_inverse
        grad[2, k] = f * sums[3] * kT_inverse
        grad[3, k] = f * sums[4]
        grad[4, k] = f * (kappa * Ck / Ca0 * sums[4] - Cm * sums[6])
        grad[5, k] = f * kappa * sums[5]
        grad[6, k] = -f * sums[7]
        grad[7, k] = -f * sums[8]
        grad[8, k] = f * kW * sums[9]
        grad[9, k] = -f * sums[10]
        grad[10, k] = f * sums[11]
        grad[11, k] = -f * kT_inverse * sums[12] * masks[0, s]
        grad[12, k] = -f * kW * sums[13] * masks[1, s]


class SiteDays:
    """Observed days of many sites, laid out for :meth:`sse_gradient`.

    Parameters
    ----------
    forcing : sequence over sites of sequences of arrays, each shape (T_s,)
        tas, vpd, par, fapar, wai, co2, ci of each site; from a gap on every day is missing, as in a run. The sites' series may
        differ in length.
    site : array, shape (2, n)
        The masks lag_temperature and lag_moisture.
    obs : sequence of arrays, each shape (T_s,)
        Observed GPP, gC m-2 d-1; NaN where missing.
    weight : sequence of arrays, each shape (T_s,), optional
        Weight of each day; 1 by default, 0 leaves a day out.

    Attributes
    ----------
    n : int
        Sites.
    n_days : int array, shape (n,)
        Days that count.
    sst : array, shape (n,)
        Weighted sum of squared deviations of the observations from their weighted mean.

    Raises
    ------
    InputError
        If the numbers of sites or days do not agree.
    """

    def __init__(
        self,
        forcing: Sequence[Sequence[np.ndarray]],
        site: np.ndarray,
        obs: Sequence[np.ndarray],
        weight: Sequence[np.ndarray] | None = None,
    ) -> None:
        self.n = len(obs)
        site = np.ascontiguousarray(site, dtype=float)
        weight = [np.ones(y.shape) for y in obs] if weight is None else weight
        if len(forcing) != self.n or len(weight) != self.n or site.shape != (2, self.n):
            raise InputError(
                f"forcing of {len(forcing)} sites, observations of {self.n}, weights of {len(weight)} and masks "
                f"{site.shape} do not fit",
                "Give one entry a site, and masks (2, n)",
            )
        blocks, days, self.sst, self.n_days = [], [], np.zeros(self.n), np.zeros(self.n, dtype=np.int64)
        for s in range(self.n):
            series = [np.asarray(x, dtype=float) for x in forcing[s]]
            y, w = np.asarray(obs[s], dtype=float), np.asarray(weight[s], dtype=float)
            if any(x.shape != y.shape for x in (*series, w)):
                raise InputError(f"the series of site {s} differ in length", "Give forcing, observations and weights alike")
            keep = np.flatnonzero(np.isfinite(y) & (w > 0.0))
            blocks.append(_laid_out(series, y, w, keep))
            days.append(np.append(keep, np.repeat(keep[-1:], -keep.size % W)))
            self.n_days[s] = keep.size
            if keep.size:
                mean = np.average(y[keep], weights=w[keep])
                self.sst[s] = float((w[keep] * (y[keep] - mean) ** 2).sum())
        lengths = np.array([np.asarray(x[0]).size for x in forcing], dtype=np.int64)
        self._start = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        self._first = np.concatenate([[0], np.cumsum([-(-n // W) for n in self.n_days])]).astype(np.int64)
        self._rows = np.concatenate(blocks) if blocks else np.empty(0)
        shifted = [d + s for d, s in zip(days, self._start[:-1], strict=True)]
        self._day = np.concatenate(shifted).astype(np.int64) if shifted else np.empty(0, dtype=np.int64)
        lagged = [(x[0], x[4]) for x in forcing]
        self._tas = np.concatenate([np.asarray(a, dtype=float) for a, _ in lagged]) if lagged else np.empty(0)
        self._wai = np.concatenate([np.asarray(b, dtype=float) for _, b in lagged]) if lagged else np.empty(0)
        self._masks = site

    def sse_gradient(self, theta: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weighted sums of squared errors and their gradients.

        Parameters
        ----------
        theta : array, shape (13, m)
            Parameters in the public order, physical units.
        which : int array, shape (m,)
            Site of each column; a site may occur any number of times.

        Returns
        -------
        sse : array, shape (m,)
            NaN where the parameters, or the site's forcing up to its last observed day, hold NaN.
        gradient : array, shape (13, m)
            Derivative with respect to each parameter, in physical units.
        """
        theta = np.ascontiguousarray(theta, dtype=float)
        which = np.ascontiguousarray(which, dtype=np.int64)
        if theta.shape != (13, which.size) or (which.size and not 0 <= which.min() <= which.max() < self.n):
            raise InputError(
                f"theta {theta.shape} and {which.size} sites of {self.n} do not fit", "Give theta (13, m) and m site numbers"
            )
        sse, gradient = np.empty(which.size), np.empty((13, which.size))
        _sites(theta, which, self._first, self._rows, self._day, self._start, self._tas, self._wai, self._masks, sse, gradient)
        return sse, gradient


def _laid_out(series: list[np.ndarray], obs: np.ndarray, weight: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Rows of a site's blocks, flat; the last block is filled with copies of weight 0."""
    gap = np.cumsum(0.0 * np.sum(series, axis=0))[keep]
    tas, vpd, par, fapar, wai, co2, ci = (x[keep] for x in series)
    rows = np.array(
        [tas, wai, par * fapar + gap, vpd, co2, np.log(co2), np.log(np.maximum(ci, CI_MIN)), obs[keep], weight[keep]]
    )
    spare = -keep.size % W
    if spare:
        rows = np.concatenate([rows, np.repeat(rows[:, -1:], spare, axis=1)], axis=1)
        rows[-1, -spare:] = 0.0
    return rows.reshape(_DAY_ROWS, -1, W).transpose(1, 0, 2).ravel()
