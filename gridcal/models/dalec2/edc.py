"""Ecological and dynamic constraints of DALEC2, in the form of 2015 or of 2016."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from gridcal.errors import ConfigError
from gridcal.models.dalec2.parameters import PARAMETERS
from gridcal.models.edc import YEAR, attractor, decay, growth, not_above, parameter, ratios, sound, steady, within_factor
from gridcal.process.constraint import Constraint, Evidence

Array = npt.NDArray[np.floating]

POOLS = ("Clab", "Cf", "Cr", "Cw", "Clit", "Csom")
GAINS = {"Clab": ("Alab",), "Cf": ("Af", "Llab"), "Cr": ("Ar",), "Cw": ("Aw",), "Clit": ("Lf", "Lr"), "Csom": ("D", "Lw")}
LOSSES = {"Clab": ("Llab",), "Cf": ("Lf",), "Cr": ("Lr",), "Cw": ("Lw",), "Clit": ("Rh1", "D"), "Csom": ("Rh2",)}
LARGEST = {pool: PARAMETERS[f"p{18 + k}"].upper for k, pool in enumerate(POOLS)}


def _shares(evidence: Evidence) -> tuple[Array, Array, Array, Array]:
    """Shares of GPP that go to foliage, labile carbon, fine roots and wood."""
    p = evidence.theta
    foliage = (1.0 - p["p2"]) * p["p3"]
    labile = (1.0 - p["p2"] - foliage) * p["p13"]
    roots = (1.0 - p["p2"] - foliage - labile) * p["p4"]
    return foliage, labile, roots, 1.0 - p["p2"] - foliage - labile - roots


def _warm(evidence: Evidence) -> Array:
    return np.exp(evidence.theta["p10"] * evidence.mean_temperature)


def _leaves_over_roots(evidence: Evidence) -> Array:
    foliage, labile, roots, _ = _shares(evidence)
    return (foliage + labile) / roots


def _attracted(evidence: Evidence, pool: str) -> Array:
    """Steady state of a pool under the run's mean GPP and temperature."""
    p = evidence.theta
    foliage, labile, roots, wood = _shares(evidence)
    green = foliage + labile + roots
    gpp = _mean_gpp(evidence)
    if pool == "Cr":
        return gpp * roots / p["p7"]
    if pool == "Cw":
        return gpp * wood / p["p6"]
    if pool == "Clit":
        return gpp * green / (p["p8"] * _warm(evidence))
    return gpp * (wood + green * p["p1"] / (p["p1"] + p["p8"])) / (p["p9"] * _warm(evidence))


def _soil_rate(evidence: Evidence) -> Array:
    return evidence.theta["p9"] * _warm(evidence)


def _leaf_turnover(evidence: Evidence) -> Array:
    return 1.0 / (YEAR * evidence.theta["p5"])


def _mean_gpp(evidence: Evidence) -> Array:
    return (evidence.series["ra"] / evidence.theta["p2"]).mean(axis=0)


def constraints(form: Literal["2016", "2015"] = "2016", eqf: float = 2.0) -> tuple[Constraint, ...]:
    """EDCs of DALEC2.

    Parameters
    ----------
    form : {"2016", "2015"}
        Of those on dynamics: steady state by input and output; or growth, decay and attractors.
    eqf : float
        Factor around the steady state; 2 in current code, 10 in older.

    Returns
    -------
    tuple of Constraint
        EDC1 to EDC6, those on dynamics, and the check for faults.

    Raises
    ------
    ConfigError
        If the form is unknown or the factor not above 1.
    """
    if not eqf > 1.0:
        raise ConfigError(f"eqf = {eqf}", "Give a factor above 1")
    first = ratios(
        not_above("EDC3", "wood turns over slower than leaves: p6 <= 1 / (365.25 p5)", parameter("p6"), _leaf_turnover),
        within_factor("EDC5", "shares of foliage with labile carbon, and of roots, within 5", _leaves_over_roots, 5.0),
        _soil_rate,
    )
    faults = sound("faults", POOLS, LARGEST)
    if form == "2016":
        dynamics = tuple(steady(f"EDC{7 + k}", pool, GAINS[pool], LOSSES[pool], eqf) for k, pool in enumerate(POOLS))
        return (*first, *dynamics, faults)
    if form == "2015":
        drawn = (("EDC9", "Csom"), ("EDC10", "Clit"), ("EDC11", "Cw"), ("EDC12", "Cr"))
        return (
            *first,
            *(growth(f"EDC7 {pool}", pool) for pool in POOLS),
            *(decay(f"EDC8 {pool}", pool) for pool in POOLS),
            *(attractor(name, pool, lambda e, pool=pool: _attracted(e, pool), eqf, (pool, "ra")) for name, pool in drawn),
            faults,
        )
    raise ConfigError(f"unknown form of the constraints {form!r}", "Use '2016' or '2015'")
