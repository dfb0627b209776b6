"""Ecological and dynamic constraints (EDCs) of carbon models, after Bloom and Williams (2015) and Bloom et al. (2016).

Each function makes a :class:`~gridcal.process.constraint.Constraint` for any model that names its pools and fluxes.
Penalties are negative log probabilities. That of :func:`steady` is published; the others count a factor of two beyond the
limit as one standard deviation, which is gridcal's choice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from gridcal.process.constraint import Constraint, Evidence

Array = npt.NDArray[np.floating]
Number = Callable[[Evidence], Array]

BLOOM_2015 = "Bloom and Williams 2015, Biogeosciences 12:1299; CARDAMOM"
BLOOM_2016 = "Bloom et al. 2016, PNAS 113:1285; CARDAMOM 2.2"
YEAR = 365.25
DRIFT = 0.1
"""Largest change of the ratio of input to output by the pool's own drift."""
GROWTH = 0.1
"""Largest growth of a pool's annual mean, per year of the run."""
HALF_LIFE = 3.0
"""Shortest half-life (years) of a pool's exponential decay."""


def parameter(name: str) -> Number:
    """The parameter of that name."""
    return lambda evidence: evidence.theta[name]


def _excess(log_ratio: Array) -> Array:
    """Penalty of a ratio beyond its limit, given the logarithm of ratio over limit."""
    return 0.5 * (np.maximum(log_ratio, 0.0) / np.log(2.0)) ** 2


def not_above(name: str, description: str, low: Number, high: Number, reads: Sequence[str] = (), source: str = BLOOM_2015):
    """Constraint: one positive number is not above another."""

    def verdict(evidence: Evidence) -> tuple[Array, Array]:
        a, b = low(evidence), high(evidence)
        return a <= b, _excess(np.log(a) - np.log(b))

    return Constraint(name, description, source, verdict, tuple(reads))


def within_factor(
    name: str, description: str, ratio: Number, factor: float, reads: Sequence[str] = (), source: str = BLOOM_2015
):
    """Constraint: a ratio lies between 1 / factor and factor."""

    def verdict(evidence: Evidence) -> tuple[Array, Array]:
        r = ratio(evidence)
        return (r >= 1.0 / factor) & (r <= factor), _excess(np.abs(np.log(r)) - np.log(factor))

    return Constraint(name, description, source, verdict, tuple(reads))


def ratios(wood: Constraint, shares: Constraint, soil_rate: Number) -> tuple[Constraint, ...]:
    """EDC1 to EDC6 of models with DALEC's parameters p1 and p6 to p9: `wood` is EDC3, `shares` EDC5.

    `soil_rate` is the daily turnover of soil organic matter at the run's mean temperature.
    """
    return (
        not_above(
            "EDC1", "soil organic matter turns over slower than litter: p9 <= p8",
            parameter("p9"), parameter("p8"),
        ),
        not_above(
            "EDC2", "litter decomposes faster than soil organic matter: p9 <= p1",
            parameter("p9"), parameter("p1"),
        ),
        wood,
        not_above(
            "EDC4", "roots turn over faster than soil organic matter at the mean temperature",
            soil_rate, parameter("p7"),
        ),
        shares,
        within_factor(
            "EDC6", "mean foliage and mean fine roots within a factor of 5",
            lambda e: e.states("Cf").mean(axis=0) / e.states("Cr").mean(axis=0), 5.0, ("Cf", "Cr"),
        ),
    )  # fmt: skip


def january_mean(states: Array) -> Array:
    """Mean of a pool at the start of each year of its run, the first state included; `states` (T + 1, n)."""
    n = states.shape[0] - 1
    step = int(YEAR * n / max(n - 1, 1))
    return states[: step * (n // step) + 1 : step].mean(axis=0)


def steady(name: str, pool: str, gains: Sequence[str], losses: Sequence[str], eqf: float):
    """Constraint: a pool near its steady state (EDC 7 to 12 of 2016).

    With Rm the ratio of all input to all output over the run, and Rs that ratio times the mean January pool over the first
    pool: ``abs(ln Rs) <= ln EQF`` and ``abs(Rs - Rm) <= 0.1``. Penalty: ``0.5 (ln Rs / ln EQF)**2``, of what passes too.
    """

    def verdict(evidence: Evidence) -> tuple[Array, Array]:
        states = evidence.states(pool)
        total = [sum(evidence.series[f].sum(axis=0) for f in fluxes) for fluxes in (gains, losses)]
        rm = np.asarray(total[0] / total[1])
        rs = rm * january_mean(states) / states[0]
        log = np.log(rs)
        return (np.abs(log) <= np.log(eqf)) & (np.abs(rs - rm) <= DRIFT), 0.5 * (log / np.log(eqf)) ** 2

    text = f"{pool} is within a factor of {eqf:g} of its steady state and drifts by no more than {DRIFT:g}"
    return Constraint(name, text, BLOOM_2016, verdict, tuple(dict.fromkeys((pool, *gains, *losses))))


def growth(name: str, pool: str):
    """Constraint: a pool's mean of the last year over that of the first is at most 1 + 0.1 a year of the run (2015)."""

    def verdict(evidence: Evidence) -> tuple[Array, Array]:
        states = evidence.states(pool)
        days = min(int(YEAR), states.shape[0])
        ratio = states[-days:].mean(axis=0) / states[:days].mean(axis=0)
        limit = 1.0 + GROWTH * (states.shape[0] - 1) / YEAR
        return ratio <= limit, _excess(np.log(ratio) - np.log(limit))

    text = f"the annual mean of {pool} grows by at most {GROWTH:g} of its first a year"
    return Constraint(name, text, BLOOM_2015, verdict, (pool,))


def decay(name: str, pool: str):
    """Constraint: a pool's exponential decay has a half-life of 3 years or more (2015).

    The pool is read as ``a + b exp(c t)``: c is the logarithm of the ratio of the difference between the means of the first
    two years, a day later over the same now. A pool whose difference changes sign does not decay. Runs shorter than two
    years and a day pass.
    """

    def verdict(evidence: Evidence) -> tuple[Array, Array]:
        states = evidence.states(pool)
        days = int(YEAR)
        n = states.shape[1]
        if states.shape[0] < 2 * days + 1:
            return np.ones(n, dtype=bool), np.zeros(n)
        change = [states[k + days : k + 2 * days].mean(axis=0) - states[k : k + days].mean(axis=0) for k in (0, 1)]
        ratio = change[1] / change[0]
        falls = np.isfinite(ratio) & (ratio > 0.0)
        rate = -np.log(np.where(falls, ratio, 1.0))
        limit = np.log(2.0) / (YEAR * HALF_LIFE)
        return rate <= limit, _excess(np.log(np.maximum(rate, 1e-300)) - np.log(limit))

    return Constraint(name, f"{pool} decays with a half-life of {HALF_LIFE:g} years or more", BLOOM_2015, verdict, (pool,))


def attractor(name: str, pool: str, steady_pool: Number, eqf: float, reads: Sequence[str]):
    """Constraint: the first pool is within a factor of the pool that mean input and turnover would lead to (2015)."""

    def verdict(evidence: Evidence) -> tuple[Array, Array]:
        log = np.abs(np.log(steady_pool(evidence)) - np.log(evidence.start[pool]))
        return log <= np.log(eqf), 0.5 * (log / np.log(eqf)) ** 2

    text = f"the first {pool} is within a factor of {eqf:g} of its steady state"
    return Constraint(name, text, BLOOM_2015, verdict, tuple(reads))


def sound(name: str, pools: Sequence[str], largest: Mapping[str, float] | None = None):
    """Constraint: pools are finite, not negative, and on average not above their largest; a violation has no finite penalty."""

    def verdict(evidence: Evidence) -> tuple[Array, Array]:
        good = np.ones(evidence.series[pools[0]].shape[1], dtype=bool)
        for pool in pools:
            states = evidence.states(pool)
            good &= np.isfinite(states).all(axis=0) & (states >= 0.0).all(axis=0)
            if largest is not None:
                good &= states.mean(axis=0) <= largest[pool]
        return good, np.where(good, 0.0, np.inf)

    limit = "" if largest is None else ", and on average within the prior"
    return Constraint(name, f"pools are finite and not negative{limit}", BLOOM_2015, verdict, tuple(pools))
