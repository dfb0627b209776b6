"""Annealed differential-evolution Markov chain: a population of walkers on an emulated posterior.

ter Braak (2006) with the population in two halves that move in turn, each from differences within the other. The start is
drawn from tempered weights over a pool that covers the box, and the temperature falls to 1 during the burn-in, so that
every mode the surrogate knows can be found. A step that leaves the box is rejected: the walk stays symmetric. Once the
population has settled, most steps are proposals from a mixture of Student-t kernels around its draws, frozen before the
first counted step: they jump anywhere, from mode to mode too, where differences alone would walk.
"""

from __future__ import annotations

import math

import numpy as np

from gridcal.kernels.jit import fast_kernel
from gridcal.kernels.sampling.mixture import draw_kernel_mixture, kernel_mixture, kernel_mixture_density
from gridcal.kernels.sampling.random import integer, normal, uniform
from gridcal.kernels.surrogate.emulator import emulated_cost, emulated_costs, new_scratch

DIFFERENCES_EVERY = 8
"""Of this many steps of a settled population one is a difference step, the others are drawn from the mixture."""


@fast_kernel
def _shuffle(state, x, cost):
    n, d = x.shape
    for i in range(n - 1, 0, -1):
        j = integer(state, i + 1)
        cost[i], cost[j] = cost[j], cost[i]
        for k in range(d):
            x[i, k], x[j, k] = x[j, k], x[i, k]


@fast_kernel
def start_population(state, e, pool, n_walkers):
    """Walkers (n, d) drawn from `pool` (m, d) by weights tempered until 2 n of them count; costs (n,) and temperature."""
    m, d = pool.shape
    cost = emulated_costs(e, pool)
    lowest = cost.min()
    weight = np.empty(m)
    temperature = 1.0
    for _ in range(80):
        first = 0.0
        second = 0.0
        for i in range(m):
            weight[i] = math.exp(-0.5 * (cost[i] - lowest) / temperature)
            first += weight[i]
            second += weight[i] * weight[i]
        if first * first / second > 2 * n_walkers:
            break
        temperature *= 1.5
    walkers = np.empty((n_walkers, d))
    own = np.empty(n_walkers)
    total = weight.sum()
    running = 0.0
    i = -1
    for m_ in range(n_walkers):
        wanted = (m_ + uniform(state)) / n_walkers * total
        while running <= wanted and i < m - 1:
            i += 1
            running += weight[i]
        own[m_] = cost[i]
        for k in range(d):
            walkers[m_, k] = pool[i, k]
    _shuffle(state, walkers, own)
    return walkers, own, temperature


@fast_kernel
def _restart_lost(state, x, cost):
    """Put walkers far above the median cost on top of others (burn-in only).

    A Gaussian posterior holds less than 1e-7 of its mass beyond the limit; a walker there is lost in a corner the others
    left while the temperature fell.
    """
    n, d = x.shape
    limit = np.median(cost) + 15.0 + 4.0 * d
    for m in range(n):
        if cost[m] > limit:
            i = integer(state, n)
            while cost[i] > limit:
                i = integer(state, n)
            cost[m] = cost[i]
            for k in range(d):
                x[m, k] = x[i, k]


@fast_kernel
def anneal_population(state, e, pool, n_walkers, n_burn, n_keep):
    """Sample the emulated posterior in the unit box by differences alone.

    Parameters
    ----------
    state : uint64 array, shape (4,)
        Random stream; advanced.
    e : Emulator
        The surrogate.
    pool : array, shape (m, d)
        Points the start is drawn from.
    n_walkers : int
        Walkers, an even number of at least 6.
    n_burn, n_keep : int
        Steps of each walker thrown away and kept.

    Returns
    -------
    draws : array, shape (n_keep, n_walkers, d)
    costs : array, shape (n_keep, n_walkers)
    """
    x, cost, temperature = start_population(state, e, pool, n_walkers)
    move_population(state, e, x, cost, n_burn, temperature, True)
    return move_population(state, e, x, cost, n_keep, 1.0, False)


@fast_kernel
def settle_population(state, e, pool, n_walkers, n_burn, n_centres):
    """Anneal a population, let it settle, and learn the mixture of its later proposals.

    Half of the steps anneal; a quarter walks by differences, and what it visits gives a first mixture; the last quarter uses
    that, and gives the mixture returned.

    Parameters
    ----------
    state, e, pool, n_walkers
        See :func:`anneal_population`.
    n_burn : int
        Steps of each walker.
    n_centres : int
        Kernels of the mixture.

    Returns
    -------
    x : array, shape (n_walkers, d)
    cost : array, shape (n_walkers,)
    mixture : KernelMixture
    later : array, shape (m, d)
        What the population visited since it settled.
    """
    d = pool.shape[1]
    quarter = max(1, n_burn // 4)
    x, cost, temperature = start_population(state, e, pool, n_walkers)
    move_population(state, e, x, cost, 2 * quarter, temperature, True)
    visited, _ = move_population(state, e, x, cost, quarter, 1.0, False)
    mixture = kernel_mixture(visited.reshape(quarter * n_walkers, d), n_centres)
    visited, _, _ = sample_population(state, e, mixture, x, cost, quarter)
    later = visited[quarter // 3 :].copy().reshape((quarter - quarter // 3) * n_walkers, d)
    return x, cost, kernel_mixture(later, n_centres), later


@fast_kernel
def sample_population(state, e, mixture, x, cost, n_steps):
    """Sample the emulated posterior with a settled population: steps from the frozen mixture, every eighth by differences.

    Parameters
    ----------
    state : uint64 array, shape (4,)
        Random stream; advanced.
    e : Emulator
        The surrogate.
    mixture : KernelMixture
        Proposals; see :func:`settle_population`.
    x : array, shape (n, d)
        Walkers in the unit box; moved.
    cost : array, shape (n,)
        Their emulated costs; kept up to date.
    n_steps : int
        Steps of each walker.

    Returns
    -------
    draws : array, shape (n_steps, n, d)
    costs : array, shape (n_steps, n)
    accepted : float
        Share of accepted steps.
    """
    n, d = x.shape
    half = n // 2
    draws = np.empty((n_steps, n, d))
    costs = np.empty((n_steps, n))
    trial = np.empty((d, half))
    trial_cost = np.empty(half)
    here = np.empty((d, half))
    trial_density = np.empty(half, dtype=np.float32)
    density = np.empty((2, half), dtype=np.float32)
    part = np.empty(half, dtype=np.float32)
    white = np.empty((d, half), dtype=np.float32)
    inside = np.empty(half, dtype=np.bool_)
    scratch = new_scratch(e, half)
    known = False
    accepted = 0
    for step in range(n_steps):
        differences = step % DIFFERENCES_EVERY == 0
        if differences:
            for side in range(2):
                accepted += _difference_step(
                    state, e, x, cost, side, 1.0, step % (2 * DIFFERENCES_EVERY) == 0, trial, trial_cost, inside, scratch
                )
            known = False
        else:
            for side in range(2):
                first = side * half
                if not known:
                    for w in range(half):
                        for k in range(d):
                            here[k, w] = x[first + w, k]
                    kernel_mixture_density(mixture, here, white, part, density[side])
                draw_kernel_mixture(state, mixture, trial)
                for w in range(half):
                    inside[w] = True
                    for k in range(d):
                        if trial[k, w] < 0.0 or trial[k, w] > 1.0:
                            inside[w] = False
                    if not inside[w]:
                        for k in range(d):
                            trial[k, w] = x[first + w, k]
                kernel_mixture_density(mixture, trial, white, part, trial_density)
                emulated_cost(e, trial, scratch, trial_cost)
                for w in range(half):
                    m = first + w
                    if not inside[w]:
                        continue
                    gain = 0.5 * (cost[m] - trial_cost[w])
                    ratio = density[side, w] / trial_density[w]
                    if uniform(state) < math.exp(min(gain, 600.0)) * ratio:
                        cost[m] = trial_cost[w]
                        density[side, w] = trial_density[w]
                        accepted += 1
                        for k in range(d):
                            x[m, k] = trial[k, w]
            known = True
        for m in range(n):
            costs[step, m] = cost[m]
            for k in range(d):
                draws[step, m, k] = x[m, k]
    return draws, costs, accepted / max(1, n_steps * n)


@fast_kernel
def _difference_step(state, e, x, cost, side, temperature, partial, trial, trial_cost, inside, scratch):
    """Move one half of a population by differences within the other; the number of accepted steps."""
    n, d = x.shape
    half = n // 2
    mine, other = (0, half) if side == 0 else (half, 0)
    base = 2.38 / math.sqrt(2.0 * d)
    for w in range(half):
        i = other + integer(state, half)
        j = other + integer(state, half)
        while j == i:
            j = other + integer(state, half)
        scale = base * math.exp(0.5 * normal(state))
        if uniform(state) < 0.1:
            scale = 1.0
        inside[w] = True
        for k in range(d):
            here = x[mine + w, k]
            y = here
            if not (partial and uniform(state) < 0.5):
                y = here + scale * (x[i, k] - x[j, k]) + 2e-4 * (uniform(state) - 0.5)
            if y < 0.0 or y > 1.0:
                inside[w] = False
                y = here
            trial[k, w] = y
    emulated_cost(e, trial, scratch, trial_cost)
    accepted = 0
    for w in range(half):
        m = mine + w
        if not inside[w]:
            continue
        gain = 0.5 * (cost[m] - trial_cost[w]) / temperature
        if gain >= 0.0 or uniform(state) < math.exp(gain):
            accepted += 1
            cost[m] = trial_cost[w]
            for k in range(d):
                x[m, k] = trial[k, w]
    return accepted


@fast_kernel
def move_population(state, e, x, cost, n_steps, start_temperature, burning):
    """Move a population on the emulated posterior.

    Parameters
    ----------
    state : uint64 array, shape (4,)
        Random stream; advanced.
    e : Emulator
        The surrogate.
    x : array, shape (n, d)
        Walkers in the unit box; moved.
    cost : array, shape (n,)
        Their emulated costs; kept up to date.
    n_steps : int
        Steps of each walker.
    start_temperature : float
        Temperature of the first step of a burn-in; it falls to 1 by the middle.
    burning : bool
        Burn-in: anneal, shuffle the halves, restart lost walkers, store nothing.

    Returns
    -------
    draws : array, shape (n_steps, n, d); (0, n, d) for a burn-in
    costs : array, shape (n_steps, n); (0, n) for a burn-in
    """
    n, d = x.shape
    half = n // 2
    n_keep = 0 if burning else n_steps
    draws = np.empty((n_keep, n, d))
    costs = np.empty((n_keep, n))
    trial = np.empty((d, half))
    trial_cost = np.empty(half)
    inside = np.empty(half, dtype=np.bool_)
    scratch = new_scratch(e, half)
    for step in range(n_steps):
        temperature = 1.0
        if burning and step < n_steps // 2:
            temperature = math.exp(math.log(start_temperature) * (1.0 - step / (0.5 * n_steps)))
        if burning and step % 10 == 0:
            _shuffle(state, x, cost)
        if burning and 0.6 * n_steps < step < 0.9 * n_steps and step % max(1, n_steps // 20) == 0:
            _restart_lost(state, x, cost)
        partial = step % 4 == 0
        for side in range(2):
            _difference_step(state, e, x, cost, side, temperature, partial, trial, trial_cost, inside, scratch)
        if not burning:
            for m in range(n):
                costs[step, m] = cost[m]
                for k in range(d):
                    draws[step, m, k] = x[m, k]
    return draws, costs
