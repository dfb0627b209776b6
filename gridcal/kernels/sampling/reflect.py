"""Adaptive Metropolis chains on an emulated posterior, with steps folded back at the walls of the unit box.

Folding a coordinate reverses its step. With a correlated proposal the way back then has another density, so the acceptance
ratio holds that of the two proposals; plain folding is not a symmetric walk and biases the joint law.
"""

from __future__ import annotations

import math

import numpy as np

from gridcal.kernels.jit import fast_kernel
from gridcal.kernels.sampling.random import normal, uniform
from gridcal.kernels.surrogate.emulator import emulated_cost, emulated_costs, new_scratch


@fast_kernel
def fold(y):
    """Point of [0, 1] that `y` is folded to, and the sign (+1, -1) its step then has."""
    sign = 1.0 if math.floor(y) % 2 == 0 else -1.0
    t = abs(y) % 2.0
    return (2.0 - t if t > 1.0 else t), sign


@fast_kernel
def propose(state, x, factor, trial, step, noise, reverse, clip):
    """Fold a Gaussian step into the unit cube; returns log of (density of the way back / density of the way there).

    Parameters
    ----------
    state : uint64 array, shape (4,)
        Random stream; advanced.
    x : array, shape (d,)
        Present point.
    factor : array, shape (d, d)
        Lower Cholesky factor of the proposal covariance.
    trial : array, shape (d,)
        Receives the proposal.
    step, noise, reverse : arrays, shape (d,)
        Scratch.
    clip : bool
        Put the point on the wall instead, and call the walk symmetric, as the original code of ASMO-PODE does. That piles
        draws up on the walls: it is for comparison only.
    """
    d = x.shape[0]
    folded = False
    for k in range(d):
        noise[k] = normal(state)
    for k in range(d):
        s = 0.0
        for m in range(k + 1):
            s += factor[k, m] * noise[m]
        if clip:
            trial[k] = min(max(x[k] + s, 0.0), 1.0)
            continue
        trial[k], sign = fold(x[k] + s)
        step[k] = sign * s
        folded = folded or sign < 0.0
    if not folded:
        return 0.0
    ratio = 0.0
    for k in range(d):
        s = step[k]
        for m in range(k):
            s -= factor[k, m] * reverse[m]
        reverse[k] = s / factor[k, k]
        ratio += 0.5 * (noise[k] * noise[k] - reverse[k] * reverse[k])
    return ratio


@fast_kernel
def metropolis_chains(state, e, start, covariance, n_burn, n_keep, adapt, clip=False):
    """Metropolis chains that share an adaptive proposal during the burn-in and keep it frozen afterwards.

    Parameters
    ----------
    state : uint64 array, shape (4,)
        Random stream; advanced.
    e : Emulator
        The surrogate.
    start : array, shape (m, d)
        One start a chain, in box coordinates.
    covariance : array, shape (d, d)
        First proposal covariance.
    n_burn, n_keep : int
        Steps of each chain thrown away and kept.
    adapt : bool
        Learn the covariance of the chains and scale it to a quarter of accepted steps (Haario et al. 2001), in the burn-in.
    clip : bool
        See :func:`propose`.

    Returns
    -------
    draws : array, shape (n_keep, m, d)
    costs : array, shape (n_keep, m)
    acceptance : float
        Over the kept steps.
    factor : array, shape (d, d)
        Lower Cholesky factor of the proposal covariance of the kept steps.
    """
    n_chains, d = start.shape
    x = start.copy()
    cost = emulated_costs(e, x)
    draws = np.empty((n_keep, n_chains, d))
    costs = np.empty((n_keep, n_chains))
    trial = np.empty((d, n_chains))
    trial_cost = np.empty(n_chains)
    ratio = np.empty(n_chains)
    y, step, noise, reverse = np.empty(d), np.empty(d), np.empty(d), np.empty(d)
    scratch = new_scratch(e, n_chains)
    shape = np.linalg.cholesky(covariance)
    log_scale = 0.0
    mean = np.zeros(d)
    second = np.zeros((d, d))
    count = 0
    refresh = 200
    accepted = 0
    for it in range(n_burn + n_keep):
        factor = shape * math.exp(log_scale)
        for m in range(n_chains):
            ratio[m] = propose(state, x[m], factor, y, step, noise, reverse, clip)
            for k in range(d):
                trial[k, m] = y[k]
        emulated_cost(e, trial, scratch, trial_cost)
        for m in range(n_chains):
            gain = 0.5 * (cost[m] - trial_cost[m]) + ratio[m]
            chance = 1.0 if gain >= 0.0 else math.exp(gain)
            if uniform(state) < chance:
                cost[m] = trial_cost[m]
                for k in range(d):
                    x[m, k] = trial[k, m]
                if it >= n_burn:
                    accepted += 1
            if adapt and it < n_burn:
                log_scale += (chance - 0.25) / (1.0 + it * n_chains + m) ** 0.6
                count += 1
                for k in range(d):
                    mean[k] += x[m, k]
                    for j in range(d):
                        second[k, j] += x[m, k] * x[m, j]
            if it >= n_burn:
                costs[it - n_burn, m] = cost[m]
                for k in range(d):
                    draws[it - n_burn, m, k] = x[m, k]
        if adapt and it < n_burn and it == refresh:
            refresh = int(it * 1.5)
            learnt = second / count - np.outer(mean / count, mean / count)
            for k in range(d):
                learnt[k, k] += 1e-9
            shape = np.linalg.cholesky(learnt * (2.38**2 / d))
            log_scale = 0.0
            mean[:] = 0.0
            second[:] = 0.0
            count = 0
    return draws, costs, accepted / max(1, n_keep * n_chains), shape * math.exp(log_scale)
