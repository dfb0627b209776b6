"""Elementary effects: Morris' trajectories, the effects along them, their statistics and bootstrap, in arrays.

Sources: Morris (1991) for trajectories, mu and sigma; Campolongo et al. (2007) for mu*, the mean of the absolute effects;
Ruano et al. (2012) for the choice of trajectories that lie far apart. SALib draws the trajectories.
"""

from __future__ import annotations

import numpy as np

from gridcal.errors import ConfigError
from gridcal.kernels.jit import kernel


def step_size(levels):
    """Step of a trajectory in the unit cube, levels / (2 (levels - 1)): 2/3 for 4 levels."""
    return levels / (2.0 * (levels - 1.0))


def trajectories(n, d, levels, rng, pool=None):
    """Morris trajectories in the unit cube.

    Parameters
    ----------
    n, d, levels : int
        Trajectories, parameters, and levels of the grid (even).
    rng : numpy.random.Generator
        Random stream.
    pool : int, optional
        Draw this many, and keep the `n` that lie farthest apart.

    Returns
    -------
    array, shape (n, d + 1, d)
        Neighbouring points of a trajectory differ in one parameter, by :func:`step_size`; each parameter moves once.
    """
    from SALib.sample import morris

    problem = {"num_vars": d, "names": [f"x{k}" for k in range(d)], "bounds": [[0.0, 1.0]] * d}
    chosen = None if pool is None or pool == n else n
    points = morris.sample(problem, n if chosen is None else pool, num_levels=levels, optimal_trajectories=chosen, seed=rng)
    return np.clip(points, 0.0, 1.0).reshape(n, d + 1, d)


def moves(points):
    """Which parameter each step of trajectories (n, d + 1, d) moves, and whether up (1) or down (-1); each (n, d).

    Raises
    ------
    ConfigError
        If a step moves several parameters, or a trajectory does not move each parameter once.
    """
    change = np.diff(np.asarray(points, dtype=float), axis=1)
    moved = change != 0.0
    if not ((moved.sum(axis=1) == 1).all() and (moved.sum(axis=2) == 1).all()):
        raise ConfigError("the points are no Morris trajectories", "Each step must move one parameter, and each parameter once")
    which = moved.argmax(axis=2)
    return which, np.sign(np.take_along_axis(change, which[:, :, None], axis=2)[:, :, 0])


def by_parameter(which, steps):
    """Sort values of steps, shape (n, d, ...), by the parameter that `which` (n, d) says the step moves."""
    order = np.argsort(which, axis=1, kind="stable")
    return np.take_along_axis(steps, order.reshape(order.shape + (1,) * (steps.ndim - 2)), axis=1)


def elementary_effects(points, values, levels):
    """Change of a value per step of the whole unit cube.

    Parameters
    ----------
    points : array, shape (n, d + 1, d)
        Trajectories in the unit cube.
    values : array, shape (n, d + 1, ...)
        What the model gave at each point, e.g. with the pixels as last axis.
    levels : int
        Levels of the grid, which set the step.

    Returns
    -------
    array, shape (n, d, ...)
        (value at the higher - value at the lower point) / step, by parameter.

    Examples
    --------
    >>> points = np.array([[[0.0, 0.0], [0.0, 2.0 / 3.0], [2.0 / 3.0, 2.0 / 3.0]]])
    >>> elementary_effects(points, points @ np.array([6.0, -3.0]), 4).round(12).tolist()
    [[6.0, -3.0]]
    """
    which, sign = moves(points)
    change = np.diff(values, axis=1)
    return by_parameter(which, change * sign.reshape(sign.shape + (1,) * (change.ndim - 2))) / step_size(levels)


def series_effects(points, series, levels):
    """Mean absolute change of a series, shape (n, d + 1, steps in time), per step of the whole unit cube: (n, d).

    A shift in time that leaves the mean as it was counts here.
    """
    which, _ = moves(points)
    return by_parameter(which, np.abs(np.diff(series, axis=1)).mean(axis=2)) / step_size(levels)


@kernel
def _statistics(effects, good, draws, mu, mu_star, sigma, resampled, count):
    n, d, m = effects.shape
    kept = np.empty(n, dtype=np.int64)
    for i in range(m):
        k = 0
        for t in range(n):
            if good[t, i]:
                kept[k] = t
                k += 1
        count[i] = k
        if k < 2:
            continue
        for p in range(d):
            total = 0.0
            size = 0.0
            for t in range(k):
                total += effects[kept[t], p, i]
                size += abs(effects[kept[t], p, i])
            mean = total / k
            square = 0.0
            for t in range(k):
                square += (effects[kept[t], p, i] - mean) ** 2
            mu[p, i] = mean
            mu_star[p, i] = size / k
            sigma[p, i] = np.sqrt(square / (k - 1))
        for r in range(draws.shape[0]):
            for p in range(d):
                resampled[r, p, i] = 0.0
            for t in range(k):
                chosen = kept[int(draws[r, t] * k)]
                for p in range(d):
                    resampled[r, p, i] += abs(effects[chosen, p, i])
            for p in range(d):
                resampled[r, p, i] /= k


def effect_statistics(effects, draws=None, confidence=0.95):
    """Statistics of elementary effects, pixel by pixel.

    Parameters
    ----------
    effects : array, shape (n, d, m)
        Effects of n trajectories and d parameters at m pixels. A trajectory with a value that is not finite has failed: it is
        dropped at that pixel, for all parameters.
    draws : array, shape (r, n), optional
        Uniform numbers in [0, 1) that choose the trajectories of r bootstrap samples; the same for all pixels.
    confidence : float
        Of the bootstrap interval.

    Returns
    -------
    dict of arrays
        ``mu`` (mean), ``mu_star`` (mean of the absolute values), ``sigma`` (standard deviation, n - 1), ``mu_star_low`` and
        ``mu_star_high`` (percentile interval), each (d, m) and NaN with fewer than two trajectories; ``n_good`` (m,).

    Notes
    -----
    Sums run in the order of the trajectories at every pixel, whatever the number of pixels: the same bytes in any block.
    """
    effects = np.ascontiguousarray(effects, dtype=np.float64)
    n, d, m = effects.shape
    draws = np.empty((0, n)) if draws is None else np.ascontiguousarray(draws, dtype=np.float64)
    mu, mu_star, sigma = (np.full((d, m), np.nan) for _ in range(3))
    resampled = np.full((draws.shape[0], d, m), np.nan)
    count = np.zeros(m, dtype=np.int64)
    _statistics(effects, np.isfinite(effects).all(axis=1), draws, mu, mu_star, sigma, resampled, count)
    low, high = np.full((d, m), np.nan), np.full((d, m), np.nan)
    if draws.shape[0]:
        low, high = np.quantile(resampled, [0.5 - confidence / 2.0, 0.5 + confidence / 2.0], axis=0)
    return {"mu": mu, "mu_star": mu_star, "sigma": sigma, "mu_star_low": low, "mu_star_high": high, "n_good": count}
