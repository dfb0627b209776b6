"""The cost of an emulated model run, evaluated for many candidate parameter sets at once.

A Gaussian process predicts a few outputs; the first `n_square` enter the sum of squares of the emulated residuals, a last
one (the cost itself, or a penalty) enters linearly. Candidates lie along the inner, contiguous dimension, so that the loops
vectorise without reordering any sum.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gridcal.kernels.elementary import vexp, vlog
from gridcal.kernels.jit import fast_kernel

FAILED_COST = 1e10
"""Cost of a failed model run: finite, and above that of any good one."""


class Emulator(NamedTuple):
    """What the compiled loops need of a surrogate.

    Attributes
    ----------
    kind : int array (d,)
        Warp of each coordinate: 0 none, 1 whole steps, 2 logarithm.
    first, second : arrays (d,)
        Whole steps: step and offset in box units. Logarithm: shift, and its own logarithm.
    third : array (d,)
        Logarithm: 1 / range of the logarithm; unused otherwise.
    inverse_length : array (d,)
        sqrt(5) / length-scale.
    points : array (n, d)
        Training inputs times `inverse_length`.
    alpha : array (n, q)
        Kernel weights, times the outputs' scales.
    beta : array (b, q)
        Mean coefficients, times the outputs' scales; b is 1 (constant) or 1 + d + d (d + 1) / 2.
    centre : array (q,)
        Outputs' offsets.
    n_square : int
        Outputs that enter the sum of squares.
    rest : float
        Part of the sum of squares no output describes.
    n_log : float
        0: the cost is `weight` times the sum of squares. Otherwise the cost is `n_log` log(sum of squares).
    weight, floor : float
        Factor, and least value, of the sum of squares.
    failed : array (m, d)
        Inputs of failed runs, scaled like `points`.
    """

    kind: np.ndarray
    first: np.ndarray
    second: np.ndarray
    third: np.ndarray
    inverse_length: np.ndarray
    points: np.ndarray
    alpha: np.ndarray
    beta: np.ndarray
    centre: np.ndarray
    n_square: int
    rest: float
    n_log: float
    weight: float
    floor: float
    failed: np.ndarray


class Scratch(NamedTuple):
    """Working arrays of :func:`emulated_cost` for up to W candidates."""

    warped: np.ndarray
    scaled: np.ndarray
    kernel: np.ndarray
    outputs: np.ndarray


@fast_kernel
def new_scratch(e, width):
    """Working arrays for `width` candidates."""
    n, q = e.alpha.shape
    d = e.kind.shape[0]
    return Scratch(np.empty((d, width)), np.empty((d, width)), np.empty((n, width)), np.empty((q, width)))


@fast_kernel
def _warp(e, x, out):
    d, width = x.shape
    for k in range(d):
        if e.kind[k] == 1:
            for w in range(width):
                out[k, w] = (np.ceil(x[k, w] / e.first[k] + e.second[k]) - e.second[k]) * e.first[k]
        elif e.kind[k] == 2:
            for w in range(width):
                out[k, w] = (vlog(x[k, w] + e.first[k]) - e.second[k]) * e.third[k]
        else:
            for w in range(width):
                out[k, w] = x[k, w]


@fast_kernel
def _in_failed_region(e, scaled, w):
    """Whether most of the three runs nearest to candidate `w` failed."""
    d = scaled.shape[0]
    near = np.full(3, np.inf)
    bad = np.zeros(3, dtype=np.int64)
    n_good, n_failed = e.points.shape[0], e.failed.shape[0]
    for i in range(n_good + n_failed):
        s = 0.0
        for k in range(d):
            t = (e.points[i, k] if i < n_good else e.failed[i - n_good, k]) - scaled[k, w]
            s += t * t
        if s < near[2]:
            place = 2
            while place > 0 and s < near[place - 1]:
                near[place] = near[place - 1]
                bad[place] = bad[place - 1]
                place -= 1
            near[place] = s
            bad[place] = 1 if i >= n_good else 0
    return bad.sum() >= 2


@fast_kernel
def emulated_cost(e, x, scratch, out):
    """Emulated cost of candidates.

    Parameters
    ----------
    e : Emulator
        The surrogate.
    x : array, shape (d, W)
        Candidates in box coordinates.
    scratch : Scratch
        From :func:`new_scratch` with the same W.
    out : array, shape (W,)
        Receives the costs.
    """
    d, width = x.shape
    n, q = e.alpha.shape
    warped, scaled, kern, z = scratch.warped, scratch.scaled, scratch.kernel, scratch.outputs
    _warp(e, x, warped)
    for k in range(d):
        inverse = e.inverse_length[k]
        for w in range(width):
            scaled[k, w] = warped[k, w] * inverse
    for i in range(n):
        row = kern[i]
        for w in range(width):
            row[w] = 0.0
        for k in range(d):
            p = e.points[i, k]
            for w in range(width):
                t = p - scaled[k, w]
                row[w] += t * t
        for w in range(width):
            r = math.sqrt(row[w])
            row[w] = (1.0 + r + row[w] * (1.0 / 3.0)) * vexp(-r)
    for o in range(q):
        line = z[o]
        constant = e.centre[o] + e.beta[0, o]
        for w in range(width):
            line[w] = constant
        i = 0
        while i + 4 <= n:
            a0, a1, a2, a3 = e.alpha[i, o], e.alpha[i + 1, o], e.alpha[i + 2, o], e.alpha[i + 3, o]
            for w in range(width):
                line[w] += (a0 * kern[i, w] + a1 * kern[i + 1, w]) + (a2 * kern[i + 2, w] + a3 * kern[i + 3, w])
            i += 4
        while i < n:
            a0 = e.alpha[i, o]
            for w in range(width):
                line[w] += a0 * kern[i, w]
            i += 1
    if e.beta.shape[0] > 1:
        product = scaled[0]
        for k in range(d):
            for w in range(width):
                warped[k, w] -= 0.5
        column = 1
        for k in range(d):
            for o in range(q):
                b = e.beta[column, o]
                for w in range(width):
                    z[o, w] += b * warped[k, w]
            column += 1
        for k in range(d):
            for j in range(k, d):
                for w in range(width):
                    product[w] = warped[k, w] * warped[j, w]
                for o in range(q):
                    b = e.beta[column, o]
                    for w in range(width):
                        z[o, w] += b * product[w]
                column += 1
        if e.failed.shape[0] > 0:
            for w in range(width):
                scaled[0, w] = (warped[0, w] + 0.5) * e.inverse_length[0]
    for w in range(width):
        out[w] = e.rest
    for o in range(e.n_square):
        for w in range(width):
            out[w] += z[o, w] * z[o, w]
    if e.n_log > 0.0:
        for w in range(width):
            out[w] = e.n_log * vlog(max(e.weight * out[w], e.floor))
    else:
        for w in range(width):
            out[w] = e.weight * out[w]
    if e.n_square < q:
        for w in range(width):
            out[w] += z[q - 1, w]
    if e.failed.shape[0] > 0:
        for w in range(width):
            if _in_failed_region(e, scaled, w):
                out[w] = FAILED_COST


@fast_kernel
def emulated_costs(e, points):
    """Emulated cost, shape (m,), of any number of points (m, d) in box coordinates."""
    m, d = points.shape
    width = 32
    scratch = new_scratch(e, width)
    x = np.empty((d, width))
    some = np.empty(width)
    out = np.empty(m)
    for start in range(0, m, width):
        for w in range(width):
            for k in range(d):
                x[k, w] = points[min(start + w, m - 1), k]
        emulated_cost(e, x, scratch, some)
        for w in range(min(width, m - start)):
            out[start + w] = some[w]
    return out
