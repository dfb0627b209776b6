"""Where the surrogate has its optima: in the box it was trained in, and on each of the box's faces.

A box that has closed around one mode hides the others: the chain never leaves it, and weights of its draws cannot tell of
mass that lies elsewhere. The cheapest points that leave the box, one for each face, are where such mass would show first.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridcal.calibration.masm.surrogate import Surrogate

Array = npt.NDArray[np.float64]

ROUNDS = 6
CANDIDATES = 400
ELITE = 30
SPREAD = 1.5
"""Standard deviations of the elite from which the next round's candidates are drawn."""


def box_optimum(surrogate: Surrogate, draws: Array, rng: np.random.Generator) -> tuple[Array, float]:
    """Point (d,) of least emulated cost in the surrogate's box, and that cost; see :func:`face_optima`."""
    return _optimum(surrogate, draws, None, 0.0, rng)


def face_optima(surrogate: Surrogate, draws: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Points of least emulated cost on each face of the surrogate's box that is not a bound of the prior.

    Each is found by a few rounds of candidates drawn around the best of the last round. The first round are posterior draws,
    moved to the face along their regression on its coordinate.

    Parameters
    ----------
    surrogate : Surrogate
        A trained surrogate.
    draws : array, shape (n, d)
        Draws of its posterior, in the unit cube.
    rng : Generator
        Random stream.

    Returns
    -------
    points : array, shape (m, d)
        The optima of m faces, in the unit cube.
    cost : array, shape (m,)
        Emulated costs.
    """
    box, d = surrogate.box, draws.shape[1]
    lower, upper = box.lower, box.lower + box.width
    covariance = np.cov(draws.T).reshape(d, d)
    points, costs = [], []
    for k in range(d):
        slope = covariance[k] / max(covariance[k, k], 1e-300)
        for value in (lower[k], upper[k]):
            if 0.0 < value < 1.0:
                moved = draws + np.outer(value - draws[:, k], slope)
                point, cost = _optimum(surrogate, np.concatenate([moved, draws]), k, value, rng)
                points.append(point)
                costs.append(cost)
    return np.array(points).reshape(-1, d), np.array(costs)


def _optimum(
    surrogate: Surrogate, candidates: Array, fixed: int | None, value: float, rng: np.random.Generator
) -> tuple[Array, float]:
    """Best point of the box, or of one face of it, by rounds of candidates; its emulated cost."""
    box = surrogate.box
    best, lowest = candidates[0], np.inf
    for _ in range(ROUNDS):
        candidates = np.clip(candidates, box.lower, box.lower + box.width)
        if fixed is not None:
            candidates[:, fixed] = value
        cost = surrogate.costs(candidates)
        order = np.argsort(cost, kind="stable")[:ELITE]
        if cost[order[0]] < lowest:
            best, lowest = candidates[order[0]].copy(), float(cost[order[0]])
        elite = candidates[order]
        spread = SPREAD * elite.std(axis=0)
        candidates = elite.mean(axis=0) + spread * rng.standard_normal((CANDIDATES, elite.shape[1]))
        candidates[0] = best
    return best, lowest
