"""Ecological and dynamic constraints that carry over to DALEC-deciduous: its own rates and temperature response."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridcal.models.edc import not_above, parameter, ratios, sound, within_factor
from gridcal.process.constraint import Constraint, Evidence

Array = npt.NDArray[np.floating]

POOLS = ("Cf", "Cw", "Cr", "Clab", "Clit", "Csom")
_LEAF_LOSS = ("Cf", "Lf", "Atolab", "Rlab_t")


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
    *ratios(
        not_above(
            "EDC3", "wood turns over slower than foliage in the mean of the run",
            parameter("p6"), _leaf_turnover, _LEAF_LOSS,
        ),
        within_factor(
            "EDC5", "shares of foliage and of roots, while foliage grows, within a factor of 5", _leaves_over_roots, 5.0
        ),
        _soil_rate,
    ),
    sound("faults", POOLS),
)  # fmt: skip
"""EDC1 to EDC6 and the check for faults."""
