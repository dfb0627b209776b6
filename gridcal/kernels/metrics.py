"""Scores of simulated against observed series, one compiled pass pair over native order (T, n)."""

from __future__ import annotations

import numpy as np

from gridcal.kernels.jit import kernel

METRICS = ("r", "r2", "rmse", "me", "mae", "nrmse", "nse", "kge", "diso")
MINIMUM_PAIRS = 3


@kernel
def _moments(sim, obs, n, sum_s, sum_o, ss, oo, so, ee, ae):
    """Two passes: sums, then centred second moments; pairs with a NaN are left out."""
    for t in range(sim.shape[0]):
        for i in range(sim.shape[1]):
            s, o = sim[t, i], obs[t, i]
            if s == s and o == o:
                n[i] += 1.0
                sum_s[i] += s
                sum_o[i] += o
    for i in range(sim.shape[1]):
        if n[i] > 0.0:
            sum_s[i] /= n[i]
            sum_o[i] /= n[i]
    for t in range(sim.shape[0]):
        for i in range(sim.shape[1]):
            s, o = sim[t, i], obs[t, i]
            if s == s and o == o:
                a, b, e = s - sum_s[i], o - sum_o[i], s - o
                ss[i] += a * a
                oo[i] += b * b
                so[i] += a * b
                ee[i] += e * e
                ae[i] += abs(e)


def scores(sim, obs, diso_variant="hu2019"):
    """All metrics of each column.

    Parameters
    ----------
    sim, obs : array, shape (T, n)
        Simulated and observed values; a pair with a NaN is left out.
    diso_variant : {"hu2019", "printed"}
        ``sqrt((r - 1)**2 + (me / |mean|)**2 + (rmse / |mean|)**2)`` after Hu et al. (2019, 10.1002/joc.5972), or the form
        printed in Ma et al. (``me**2 / mean`` and ``rmse**2 / mean``), which depends on the units.

    Returns
    -------
    dict of str to array, shape (n,)
        r, r2 (squared Pearson correlation), rmse, me (mean error, simulated minus observed; the papers' AE), mae, nrmse
        (rmse over the mean observation), nse (Nash and Sutcliffe 1970), kge (Gupta et al. 2009), diso, and ``n``, the
        number of pairs. NaN below three pairs; r and what uses it NaN where a series is constant.
    """
    sim = np.ascontiguousarray(sim, dtype=np.float64)
    obs = np.ascontiguousarray(obs, dtype=np.float64)
    if sim.shape != obs.shape:
        raise ValueError(f"sim {sim.shape} and obs {obs.shape} differ in shape")
    work = np.zeros((8, sim.shape[1]))
    n, mean_s, mean_o, ss, oo, so, ee, ae = work
    _moments(sim, obs, n, mean_s, mean_o, ss, oo, so, ee, ae)
    with np.errstate(divide="ignore", invalid="ignore"):
        enough = n >= MINIMUM_PAIRS
        tiny = 1e-28 * n * (mean_s * mean_s + mean_o * mean_o)
        varies = (ss > tiny) & (oo > tiny)
        r = np.where(varies, np.clip(so / np.sqrt(ss * oo), -1.0, 1.0), np.nan)
        rmse, me, mae = np.sqrt(ee / n), mean_s - mean_o, ae / n
        size = np.abs(mean_o)
        nse = np.where(oo > tiny, 1.0 - ee / oo, np.nan)
        alpha, beta = np.sqrt(ss / oo), mean_s / mean_o
        kge = 1.0 - np.sqrt((r - 1.0) ** 2 + (alpha - 1.0) ** 2 + (beta - 1.0) ** 2)
        if diso_variant == "hu2019":
            diso = np.sqrt((r - 1.0) ** 2 + (me / size) ** 2 + (rmse / size) ** 2)
        elif diso_variant == "printed":
            diso = np.sqrt((r - 1.0) ** 2 + me**2 / size + rmse**2 / size)
        else:
            raise ValueError(f"unknown diso variant {diso_variant!r}: use 'hu2019' or 'printed'")
        found = {
            "r": r, "r2": r * r, "rmse": rmse, "me": me, "mae": mae, "nrmse": rmse / size, "nse": nse, "kge": kge,
            "diso": diso,
        }  # fmt: skip
    out = {name: np.where(enough & np.isfinite(x), x, np.nan) for name, x in found.items()}
    out["n"] = n
    return out
