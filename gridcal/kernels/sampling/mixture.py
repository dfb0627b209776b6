"""A mixture of Student-t kernels around draws, as the proposal of an independence sampler.

West (1993), with kernels that are wider where the draws are sparse (Abramson 1982), so that no tail is left without proposals.
The degrees of freedom are chosen so that the density needs a whole power only: it then vectorises over the points.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gridcal.kernels.jit import fast_kernel
from gridcal.kernels.sampling.random import integer, normal_pair, uniform

ONE, NOUGHT, TINY = np.float32(1.0), np.float32(0.0), np.float32(1e-30)
SIZES = (0.6, 4.0)
"""Least and largest factor of a kernel's scale."""


class KernelMixture(NamedTuple):
    """Equally weighted multivariate Student-t kernels of one shape.

    Attributes
    ----------
    factor : array (d, d)
        Lower Cholesky factor of the kernels' scale matrix.
    whiten : array (d, d)
        Its inverse.
    mean : array (d,)
        Mean of the draws.
    centres : array (K, d)
        Kernel centres.
    white : float32 array (K, d)
        The same minus `mean`, after `whiten`.
    size : array (K,)
        Factor of each kernel's scale.
    inverse : float32 array (K,)
        1 / (freedom size^2).
    weight : float32 array (K,)
        size^-d.
    freedom : int
        Degrees of freedom; freedom + d is even.
    """

    factor: np.ndarray
    whiten: np.ndarray
    mean: np.ndarray
    centres: np.ndarray
    white: np.ndarray
    size: np.ndarray
    inverse: np.ndarray
    weight: np.ndarray
    freedom: int


@fast_kernel
def kernel_mixture(draws, n_centres):
    """Kernel mixture around `n_centres` of the draws (n, d), evenly spaced.

    The scale matrix is the draws' covariance under Silverman's rule; a kernel's own factor is the fourth root of the inverse
    density at its centre, by a pilot mixture, over its geometric mean.
    """
    n, d = draws.shape
    mean = np.zeros(d)
    covariance = np.zeros((d, d))
    for i in range(n):
        for k in range(d):
            mean[k] += draws[i, k] / n
    for i in range(n):
        for k in range(d):
            for j in range(k + 1):
                covariance[k, j] += (draws[i, k] - mean[k]) * (draws[i, j] - mean[j]) / n
    width = (4.0 / (n_centres * (d + 2.0))) ** (1.0 / (d + 4.0))
    factor = np.zeros((d, d))
    for k in range(d):
        for j in range(k + 1):
            s = covariance[k, j] * width * width
            if j == k:
                s += 1e-14 + 1e-6 * covariance[k, k]
            for i in range(j):
                s -= factor[k, i] * factor[j, i]
            factor[k, j] = math.sqrt(max(s, 1e-14)) if j == k else s / factor[j, j]
    whiten = np.zeros((d, d))
    for j in range(d):
        whiten[j, j] = 1.0 / factor[j, j]
        for k in range(j + 1, d):
            s = 0.0
            for i in range(j, k):
                s -= factor[k, i] * whiten[i, j]
            whiten[k, j] = s / factor[k, k]
    centres = np.empty((n_centres, d))
    white = np.empty((n_centres, d), dtype=np.float32)
    for c in range(n_centres):
        i = (c * n + n // 2) // n_centres
        for k in range(d):
            centres[c, k] = draws[i, k]
        for k in range(d):
            s = 0.0
            for j in range(k + 1):
                s += whiten[k, j] * (draws[i, j] - mean[j])
            white[c, k] = s
    freedom = 4 if d % 2 == 0 else 5
    size = np.ones(n_centres)
    inverse = np.full(n_centres, np.float32(1.0 / freedom))
    weight = np.ones(n_centres, dtype=np.float32)
    pilot = KernelMixture(factor, whiten, mean, centres, white, size, inverse, weight, freedom)
    density = np.empty(n_centres, dtype=np.float32)
    scratch = np.empty((d + 1, n_centres), dtype=np.float32)
    kernel_mixture_density(pilot, np.ascontiguousarray(centres.T), scratch[:d], scratch[d], density)
    middle = np.exp(np.log(density).mean())
    for c in range(n_centres):
        size[c] = min(max((density[c] / middle) ** -0.25, SIZES[0]), SIZES[1])
        inverse[c] = 1.0 / (freedom * size[c] ** 2)
        weight[c] = size[c] ** -d
    return pilot


@fast_kernel
def draw_kernel_mixture(state, mixture, out):
    """Fill `out` (d, W) with independent draws."""
    d, width = out.shape
    noise = np.empty(d + d % 2)
    for w in range(width):
        c = integer(state, mixture.centres.shape[0])
        for k in range(0, d, 2):
            noise[k], noise[k + 1] = normal_pair(state)
        product = 1.0
        for _ in range(mixture.freedom // 2):
            product *= 1.0 - uniform(state)
        square = -2.0 * math.log(product)
        if mixture.freedom % 2 == 1:  # d is odd: one normal number is left over
            square += noise[d] * noise[d]
        scale = mixture.size[c] * math.sqrt(mixture.freedom / square)
        for k in range(d):
            s = 0.0
            for j in range(k + 1):
                s += mixture.factor[k, j] * noise[j]
            out[k, w] = mixture.centres[c, k] + scale * s


@fast_kernel
def kernel_mixture_density(mixture, x, white, part, out):
    """Density, up to a constant factor, of points `x` (d, W); scratch `white` (d, W) and `part` (W,); result in `out` (W,).

    Scratch and result are of single precision: a proposal's density needs no more, and twice as many fit a vector.
    """
    d, width = x.shape
    for k in range(d):
        row = white[k]
        for w in range(width):
            s = 0.0
            for j in range(k + 1):
                s += mixture.whiten[k, j] * (x[j, w] - mixture.mean[j])
            row[w] = s
    for w in range(width):
        out[w] = TINY
    power = (mixture.freedom + d) // 2
    for c in range(mixture.white.shape[0]):
        inverse, weight = mixture.inverse[c], mixture.weight[c]
        for w in range(width):
            part[w] = NOUGHT
        for k in range(d):
            centre = mixture.white[c, k]
            row = white[k]
            for w in range(width):
                t = row[w] - centre
                part[w] += t * t
        if power == 4:
            for w in range(width):
                t = ONE / (ONE + part[w] * inverse)
                t *= t
                out[w] += weight * (t * t)
        elif power == 5:
            for w in range(width):
                t = ONE / (ONE + part[w] * inverse)
                s = t * t
                out[w] += weight * (s * s * t)
        else:
            for w in range(width):
                t = ONE / (ONE + part[w] * inverse)
                s = t
                for _ in range(power - 1):
                    s *= t
                out[w] += weight * s
