"""Ecological and dynamic constraints that carry over to DALEC-deciduous: its own rates and temperature response."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from gridcal.constraint import Constraint, Evidence
from gridcal.models.edc import not_above, sound, within_factor

Array = npt.NDArray[np.floating]

POOLS = ("Cf", "Cw", "Cr", "Clab", "Clit", "Csom")
_LEAF_LOSS = ("Cf", "Lf", "Atolab", "Rlab_t")


def _parameter(name: str) -> Callable[[Evidence], Array]:
    return lambda evidence: evidence.theta[name]


def _leaves_over_roots(evidence: Evidence) -> Array:
    """Net production to foliage over that to fine roots while foliage grows."""
    p = evidence.theta
    return p["p3"] / ((1.0 - p["p3"]) * p["p4"])


def _leaf_turnover(evidence: Evidence) -> Array:
    """Mean daily loss of foliage over mean foliage, d-1."""
    loss = evidence.series["Lf"] + evidence.series["Atolab"] + evidence.series["Rlab_t"]
    return loss.mean(axis=0) / evidence.states("Cf")[:-1].mean(axis=0)


def _soil_rate(evidence: Evidence) -> Array:
    return evidence.theta["p9"] * 0.5 * np.exp(evidence.theta["p10"] * evidence.mean_temperature)


CONSTRAINTS: tuple[Constraint, ...] = (
    not_above(
        "EDC1", "soil organic matter turns over slower than litter: p9 <= p8",
        _parameter("p9"), _parameter("p8"),
    ),
    not_above(
        "EDC2", "litter decomposes faster than soil organic matter: p9 <= p1",
        _parameter("p9"), _parameter("p1"),
    ),
    not_above(
        "EDC3", "wood turns over slower than foliage in the mean of the run",
        _parameter("p6"), _leaf_turnover, _LEAF_LOSS,
    ),
    not_above(
        "EDC4", "roots turn over faster than soil organic matter at the mean temperature",
        _soil_rate, _parameter("p7"),
    ),
    within_factor("EDC5", "shares of foliage and of roots, while foliage grows, within a factor of 5", _leaves_over_roots, 5.0),
    within_factor(
        "EDC6", "mean foliage and mean fine roots within a factor of 5",
        lambda e: e.states("Cf").mean(axis=0) / e.states("Cr").mean(axis=0), 5.0, ("Cf", "Cr"),
    ),
    sound("faults", POOLS),
)  # fmt: skip
"""EDC1 to EDC6 and the check for faults."""
