"""What became of a pixel: codes of the CF flag variable ``status``."""

from __future__ import annotations

import enum


class Status(enum.IntEnum):
    """Outcome of a pixel's calibration.

    Up to ``forcing_gap`` nothing was run; ``model_failure`` and ``error`` have no estimate; ``not_converged`` and
    ``surrogate_unverified`` have one that should be read with its diagnostics.
    """

    ok = 0
    masked = 1
    insufficient_observations = 2
    constant_observation = 3
    forcing_gap = 4
    model_failure = 5
    not_converged = 6
    surrogate_unverified = 7
    error = 8
