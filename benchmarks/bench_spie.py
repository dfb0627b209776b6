"""One epoch of SPIE: the fused pass over all sites beside the one-site loop, and beside the same thing in JAX.

    python benchmarks/bench_spie.py [--sites 176] [--years 7] [--repeats 9] [--jax]

An epoch is the error and the 13 partial derivatives of the light-use-efficiency model at every site and day, in batches of 32
sites, both lags acting at a third of the sites. Figures are CPU seconds of one process; the ratios are taken pair by pair in
one run. With --jax (extra ``oracles``) the physics is written again in jax.numpy, in float32 with a scan for the lags, jitted,
and differentiated automatically; XLA is held to one thread. A whole epoch adds network, dropout, Adam and the constraint.
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np
import pandas as pd

from gridcal.extrapolation.spie.network import Network, NetworkSettings, train
from gridcal.extrapolation.spie.objective import site_objective
from gridcal.extrapolation.spie.site_series import SiteSeries
from gridcal.models.lue import PARAMETERS, SiteDays, lue, sse_gradient

LOW = np.array([-10.0, 0.0, 0.0, 0.1, 0.0, 370.0, 0.1])
HIGH = np.array([30.0, 3.0, 14.0, 0.95, 1.0, 420.0, 1.0])
BATCH = 32


def world(sites: int, days: int) -> tuple:
    """Forcing (site, 7, days), masks, observations, parameters."""
    rng = np.random.default_rng(0)
    forcing = LOW[None, :, None] + (HIGH - LOW)[None, :, None] * rng.random((sites, 7, days))
    masks = np.zeros((2, sites))
    masks[0, : sites // 3], masks[1, sites // 3 : sites // 2] = 1.0, 1.0
    theta = PARAMETERS.from_unit(rng.uniform(0.1, 0.9, (sites, 13))).T
    return forcing, masks, rng.uniform(0.0, 10.0, (sites, days)), theta


def jax_epoch(forcing, masks, obs):
    """A function of theta (13, n) that runs an epoch in JAX."""
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    import jax
    import jax.numpy as jnp

    def lagged(x, alpha):
        def step(before, now):
            after = (1.0 - alpha) * now + alpha * before
            return after, after

        return jax.lax.scan(step, x[:, 0], x.T)[1].T

    def sse(theta, f, m, y):
        p = [theta[i][:, None] for i in range(13)]
        Tf, Wf = lagged(f[:, 0], theta[11] * m[0]), lagged(f[:, 4], theta[12] * m[1])
        apar = f[:, 2] * f[:, 3]
        e = jnp.exp(-jnp.abs((Tf - p[1]) / p[2]))
        h = jnp.exp(p[5] * jnp.log(p[4] / f[:, 5]))
        gpp = apar * p[0] * 2 * e / (1 + e * e) * jnp.exp(p[3] * h * f[:, 1]) / (1 + jnp.exp(p[7] * (Wf - p[8])))
        gpp = gpp * (1 + (f[:, 5] - p[4]) / (f[:, 5] - p[4] + p[6])) / (1 + p[9] * apar) * jnp.exp(p[10] * jnp.log(f[:, 6]))
        return ((gpp - y) ** 2).sum()

    step = jax.jit(jax.value_and_grad(sse))
    parts = []
    for first in range(0, obs.shape[0] - BATCH + 1, BATCH):  # whole batches: one compilation
        rows = slice(first, first + BATCH)
        parts.append((rows, *(jnp.asarray(a, jnp.float32) for a in (forcing[rows], masks[:, rows], obs[rows]))))

    def epoch(theta):
        for rows, f, m, y in parts:
            value, slope = step(jnp.asarray(theta[:, rows], jnp.float32), f, m, y)
            slope.block_until_ready()
        return value

    return epoch, BATCH * len(parts)


def measured(function) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    function()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sites", type=int, default=176)
    parser.add_argument("--years", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--jax", action="store_true")
    arguments = parser.parse_args()
    n, days = arguments.sites, round(arguments.years * 365.25)
    forcing, masks, obs, theta = world(n, days)
    fused = SiteDays(list(forcing), masks, list(obs))
    batches = [np.arange(k, min(k + BATCH, n)) for k in range(0, n, BATCH)]

    def lanes() -> None:
        for rows in batches:
            fused.sse_gradient(theta[:, rows], rows)

    def one_by_one() -> None:
        for s in range(n):
            sse_gradient(theta[:, s], forcing[s], masks[:, s], obs[s])

    settings, rng = NetworkSettings(epochs=1, batch=BATCH), np.random.default_rng(1)
    network, x = Network.initial((77, 16, 16, 13), rng), rng.normal(size=(n, 77))

    time_index = pd.date_range("2001-01-01", periods=days)
    labels = tuple(map(str, range(n)))
    ones = tuple(np.ones(days) for _ in range(n))
    series = SiteSeries(labels, (time_index,) * n, tuple(map(tuple, forcing)), masks, {"gpp": tuple(obs)}, ones)
    goal = site_objective(lue, series, constraint=0.1)

    def whole() -> None:
        train(network, x, goal.cost_gradient, np.arange(n), settings, np.random.SeedSequence(1))

    for function in (lanes, one_by_one, whole):
        function()
    seconds = np.array([[measured(f) for f in (lanes, one_by_one, whole)] for _ in range(arguments.repeats)])
    best = seconds.min(axis=0)
    each = 1e9 / n / days
    print(f"fused lanes      {1e3 * best[0]:8.2f} ms an epoch, {best[0] * each:6.1f} ns a site-day")
    print(f"one site a call  {1e3 * best[1]:8.2f} ms an epoch, {best[1] * each:6.1f} ns a site-day")
    print(f"whole epoch      {1e3 * best[2]:8.2f} ms: fused lanes, constraint, network, dropout, Adam")
    print(f"one-site / fused {np.median(seconds[:, 1] / seconds[:, 0]):8.2f} (median of {arguments.repeats} pairs)")
    print(f"ten folds of 2000 epochs: {20_000 * best[2]:.0f} core-seconds")
    if arguments.jax:
        epoch, covered = jax_epoch(forcing, masks, obs)
        epoch(theta)
        pairs = np.array([[measured(lambda: epoch(theta)), measured(lanes)] for _ in range(arguments.repeats)])
        print(f"JAX              {1e3 * pairs[:, 0].min() * n / covered:8.2f} ms an epoch (compilation left out)")
        print(
            f"JAX / fused      {np.median(pairs[:, 0] / pairs[:, 1]) * n / covered:8.2f} (median of {arguments.repeats} pairs)"
        )


if __name__ == "__main__":
    main()
