"""Moments, tails and coordinates of many draws: rows too short for array operations to be fast."""

from __future__ import annotations

import numpy as np

from gridcal.kernels.jit import fast_kernel


@fast_kernel
def mean_and_sd(draws):
    """Mean and standard deviation (d,) of draws (n, d); the deviations are from the mean, in a second pass."""
    n, d = draws.shape
    mean = np.zeros(d)
    square = np.zeros(d)
    for i in range(n):
        for k in range(d):
            mean[k] += draws[i, k]
    mean /= n
    for i in range(n):
        for k in range(d):
            t = draws[i, k] - mean[k]
            square[k] += t * t
    return mean, np.sqrt(square / n)


@fast_kernel
def face_mass(inside, width):
    """Share of draws (n, d) of the unit box within `width`, and within twice of it, of its lower and upper faces.

    Returns
    -------
    array, shape (2, 2, d)
        By distance, face (lower, upper) and coordinate.
    """
    n, d = inside.shape
    count = np.zeros((2, 2, d))
    for i in range(n):
        for k in range(d):
            x = inside[i, k]
            for side in range(2):
                if x < 2.0 * width:
                    count[1, side, k] += 1.0
                    if x < width:
                        count[0, side, k] += 1.0
                x = 1.0 - x
    return count / n


@fast_kernel
def from_unit_box(inside, lower, width):
    """Points ``lower + inside width`` of a box from those (n, d) of the unit box."""
    n, d = inside.shape
    out = np.empty((n, d))
    for i in range(n):
        for k in range(d):
            out[i, k] = lower[k] + inside[i, k] * width[k]
    return out


@fast_kernel
def to_unit_box(points, lower, width):
    """Points (n, d) of a box in units of it, from 0 to 1."""
    n, d = points.shape
    out = np.empty((n, d))
    for i in range(n):
        for k in range(d):
            out[i, k] = (points[i, k] - lower[k]) / width[k]
    return out
