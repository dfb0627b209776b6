"""What the last stored digit of a start state can do to the end of its hour.

The hour ends elsewhere if a switch (dew or evaporation, frost or thaw) lies between the state as it was and as it was stored,
or if the result is the small rest of a difference. The reach is found by runs, from states a unit of the last digit away: each
variable alone, up and down, and all of them together, up or down at random.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

STORED = 9
"""Significant digits of the numbers in reference files."""
SINGLE = 7
"""Of those, what single precision holds."""
TOGETHER = 64
"""Runs with all variables perturbed."""
_LANES = 4096

Run = Callable[[np.ndarray, np.ndarray], np.ndarray]


def last_digit(values: np.ndarray, stored: int | np.ndarray = STORED) -> np.ndarray:
    """One unit of the last of the significant digits stored; 0 for 0, which is exact.

    Examples
    --------
    >>> last_digit(np.array([283.160012, -0.00123456789, 0.0])).tolist()
    [1e-06, 1e-11, 0.0]
    """
    size = np.abs(values)
    power = np.floor(np.log10(np.where(size > 0.0, size, 1.0))) - (stored - 1)
    return np.where(size > 0.0, 10.0**power, 0.0)


def reach(run: Run, state: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Largest change of each result when the start state changes by its last digit.

    Parameters
    ----------
    run : callable
        ``run(which, state (K, m)) -> results (C, m)``: the hours numbered `which` (m,) from these states.
    state, unit : array, shape (K, n)
        Start state of n hours, and the unit of the last digit of each number.

    Returns
    -------
    array, shape (C, n)
        In the results' units; a run without a number reaches nothing.
    """
    k, n = state.shape
    alone = np.concatenate([np.eye(k), -np.eye(k)])
    together = np.random.default_rng(np.random.SeedSequence(0)).choice([-1.0, 1.0], (TOGETHER, k))
    moves = np.concatenate([np.zeros((1, k)), alone, together])
    parts = []
    step = max(_LANES // len(moves), 1)
    for first in range(0, n, step):
        here = np.arange(first, min(first + step, n))
        starts = state[:, here, None] + unit[:, here, None] * moves.T[:, None, :]
        found = run(np.repeat(here, len(moves)), starts.reshape(k, -1))
        found = found.reshape(found.shape[0], here.size, len(moves))
        parts.append(np.fmax.reduce(np.abs(found[:, :, 1:] - found[:, :, :1]), axis=2))
    return np.nan_to_num(np.concatenate(parts, axis=1), nan=0.0, posinf=0.0)
