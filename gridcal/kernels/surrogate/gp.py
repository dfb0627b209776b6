"""Gaussian process with one ARD Matern-5/2 kernel shared by several outputs.

Inputs are expected in about the unit cube and outputs standardised. The variance of every output and the coefficients of the
mean are profiled out of the likelihood, which weights the outputs: where they are principal components scaled to unit
variance, weights in proportion to their standard deviations keep rough minor components from setting the length-scales.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg import lapack
from scipy.optimize import minimize

from gridcal.kernels.elementary import vexp
from gridcal.kernels.jit import fast_kernel

ROOT5 = math.sqrt(5.0)
LENGTH_BOUNDS = (0.03, 30.0)
NUGGET_BOUNDS = (1e-8, 0.3)
LENGTH_PRIOR_SD = 2.0
RIDGE = 1e-9
TOLERANCE = 1e-6
"""Relative change of the likelihood at which its maximisation ends."""


@fast_kernel
def correlation(a, b):
    """Matern-5/2 correlation of points already divided by length-scales: (d, n) and (d, m) to (n, m)."""
    d, n = a.shape
    m = b.shape[1]
    out = np.empty((n, m))
    for i in range(n):
        for j in range(m):
            out[i, j] = 0.0
        for k in range(d):
            x = a[k, i]
            for j in range(m):
                t = x - b[k, j]
                out[i, j] += t * t
        for j in range(m):
            r = math.sqrt(5.0 * out[i, j])
            out[i, j] = (1.0 + r + r * r * (1.0 / 3.0)) * vexp(-r)
    return out


@fast_kernel
def correlation_and_slope(a):
    """Correlation (n, n) of points (d, n) with each other, and the factor of its derivative by a log length-scale.

    d K_ij / d log l_k = slope_ij (a_ki - a_kj)^2.
    """
    d, n = a.shape
    value = np.empty((n, n))
    slope = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            value[i, j] = 0.0
        for k in range(d):
            x = a[k, i]
            for j in range(n):
                t = x - a[k, j]
                value[i, j] += t * t
        for j in range(n):
            r = math.sqrt(5.0 * value[i, j])
            e = vexp(-r)
            value[i, j] = (1.0 + r + r * r * (1.0 / 3.0)) * e
            slope[i, j] = (5.0 / 3.0) * (1.0 + r) * e
    return value, slope


@fast_kernel
def _length_gradient(a, upper, product, total, slope):
    """Sum over i, j of (total inverse - product)_ij slope_ij (a_ki - a_kj)^2 for each k.

    `upper` holds the inverse above the diagonal; `product` and `slope` are symmetric.
    """
    d, n = a.shape
    out = np.zeros(d)
    buffer = np.empty(n)
    for i in range(n):
        for j in range(i + 1, n):
            buffer[j] = 2.0 * (total * upper[i, j] - product[i, j]) * slope[i, j]
        for k in range(d):
            x = a[k, i]
            s = 0.0
            for j in range(i + 1, n):
                t = x - a[k, j]
                s += buffer[j] * t * t
            out[k] += s
    return out


def mean_basis(x, quadratic):
    """Columns of the mean at points (n, d): 1, or 1, the coordinates and their products (centred at 1/2)."""
    n, d = x.shape
    if not quadratic:
        return np.ones((n, 1))
    z = x - 0.5
    rows, columns = np.triu_indices(d)
    return np.concatenate([np.ones((n, 1)), z, z[:, rows] * z[:, columns]], axis=1)


def _factor(matrix):
    """Lower Cholesky factor of a symmetric matrix, and whether it is positive definite."""
    factor, info = lapack.dpotrf(matrix.T, lower=1, clean=1, overwrite_a=0)
    return factor, info == 0


def _lower_solve(factor, right, trans=0):
    """Solve with a lower triangular factor in Fortran order, or with its transpose."""
    solution, _ = lapack.dtrtrs(factor, right, lower=1, trans=trans)
    return solution


def _solve_mean(factor, basis, y):
    """Generalised least squares: coefficients (b, q), whitened residual (n, q)."""
    q = y.shape[1]
    white = _lower_solve(factor, np.concatenate([y, basis], axis=1))
    white_y, white_basis = white[:, :q], white[:, q:]
    gram = white_basis.T @ white_basis
    gram[np.diag_indices_from(gram)] += RIDGE
    _, beta, _ = lapack.dposv(gram, white_basis.T @ white_y, lower=1)
    return beta, white_y - white_basis @ beta


def negative_log_likelihood(p, x, y, basis, weights):
    """Twice the negative profile log likelihood plus the prior on the length-scales, and its gradient.

    Parameters
    ----------
    p : array, shape (d + 1,)
        Log length-scales and log nugget (in units of the process variance).
    x : array, shape (n, d)
        Inputs.
    y : array, shape (n, q)
        Outputs.
    basis : array, shape (n, b)
        Mean columns.
    weights : array, shape (q,)
        Weights of the outputs, of mean 1.

    Returns
    -------
    float, array of shape (d + 1,)
    """
    n, d = x.shape
    nugget = math.exp(p[d])
    scaled = np.ascontiguousarray(x.T * np.exp(-p[:d])[:, None])
    matrix, slope = correlation_and_slope(scaled)
    matrix.reshape(-1)[:: n + 1] += nugget
    factor, info = lapack.dpotrf(matrix.T, lower=1, clean=0, overwrite_a=1)
    if info != 0:
        return 1e12, np.zeros(d + 1)
    _, white = _solve_mean(factor, basis, y)
    alpha = _lower_solve(factor, white, trans=1)
    variance = np.maximum(np.einsum("iq,iq->q", white, white) / n, 1e-300)
    total = weights.sum()
    value = n * (weights @ np.log(variance)) + 2.0 * total * np.log(factor.diagonal()).sum()
    inverse, _ = lapack.dpotri(factor, lower=1, overwrite_c=1)
    product = (alpha * (weights / variance)) @ alpha.T
    gradient = np.empty(d + 1)
    gradient[:d] = _length_gradient(scaled, inverse.T, product, total, slope)
    gradient[d] = nugget * (total * inverse.diagonal().sum() - product.diagonal().sum())
    value += float((p[:d] ** 2).sum()) / LENGTH_PRIOR_SD**2
    gradient[:d] += 2.0 * p[:d] / LENGTH_PRIOR_SD**2
    return float(value), gradient


class GaussianProcess:
    """Several outputs, one kernel.

    Parameters
    ----------
    d : int
        Number of inputs.
    quadratic : bool
        Quadratic mean; a constant otherwise.

    Attributes
    ----------
    hyper : array, shape (d + 1,)
        Log length-scales and log nugget.
    factor : array, shape (n, n)
        Lower Cholesky factor of the correlation with the nugget.
    alpha : array, shape (n, q)
        Kernel weights of the prediction.
    beta : array, shape (b, q)
        Coefficients of the mean.
    jitter : float
        What had to be added to the diagonal beside the nugget to factor the matrix.
    """

    def __init__(self, d, quadratic=False):
        self.d = d
        self.quadratic = quadratic
        self.hyper = None
        self.x = None
        self.likelihood = math.inf
        self.jitter = 0.0

    @property
    def lengths(self):
        """Length-scales, shape (d,)."""
        return np.exp(self.hyper[: self.d])

    @property
    def nugget(self):
        """Variance of the unexplained part, in units of the process variance."""
        return math.exp(self.hyper[self.d])

    def optimise(self, x, y, weights=None, start=None, restarts=(0.5,), max_iterations=30):
        """Set the hyper-parameters to the best found from `start` and from each common length-scale of `restarts`."""
        x = np.ascontiguousarray(x)
        weights = np.ones(y.shape[1]) if weights is None else weights * (y.shape[1] / weights.sum())
        basis = mean_basis(x, self.quadratic)
        starts = [] if start is None else [start]
        starts += [np.append(np.full(self.d, math.log(length)), math.log(1e-4)) for length in restarts]
        bounds = [tuple(np.log(LENGTH_BOUNDS))] * self.d + [tuple(np.log(NUGGET_BOUNDS))]
        self.likelihood = math.inf
        for first in starts:
            found = minimize(
                negative_log_likelihood,
                first,
                args=(x, y, basis, weights),
                jac=True,
                method="L-BFGS-B",
                bounds=bounds,
                options={"maxiter": max_iterations, "ftol": TOLERANCE},
            )
            if found.fun < self.likelihood:
                self.hyper, self.likelihood = found.x, float(found.fun)
        return self

    def condition(self, x, y):
        """Condition on points (n, d) and outputs (n, q) at the present hyper-parameters."""
        self.x = np.ascontiguousarray(x, dtype=float)
        self.scaled = np.ascontiguousarray((self.x / self.lengths).T)
        matrix = correlation(self.scaled, self.scaled)
        diagonal = np.diag_indices(matrix.shape[0])
        matrix[diagonal] += self.nugget
        self.jitter = 0.0
        factor, good = _factor(matrix)
        while not good:
            added = max(9.0 * self.jitter, 1e-9)
            self.jitter += added
            matrix[diagonal] += added
            factor, good = _factor(matrix)
        self.factor = factor
        self._solve(y)
        return self

    def append(self, new, y):
        """Condition on more points (m, d) without refactoring; `y` (n + m, q) are the outputs at all points."""
        new = np.ascontiguousarray(new, dtype=float)
        n, m = self.x.shape[0], new.shape[0]
        scaled = np.ascontiguousarray((new / self.lengths).T)
        cross = _lower_solve(self.factor, correlation(self.scaled, scaled))
        block = correlation(scaled, scaled)
        block[np.diag_indices(m)] += self.nugget + self.jitter
        corner, good = _factor(block - cross.T @ cross)
        if not good:
            return self.condition(np.concatenate([self.x, new]), y)
        factor = np.zeros((n + m, n + m), order="F")
        factor[:n, :n] = self.factor
        factor[n:, :n] = cross.T
        factor[n:, n:] = corner
        self.factor = factor
        self.x = np.concatenate([self.x, new])
        self.scaled = np.ascontiguousarray(np.concatenate([self.scaled, scaled], axis=1))
        self._solve(y)
        return self

    def _solve(self, y):
        self.beta, white = _solve_mean(self.factor, mean_basis(self.x, self.quadratic), y)
        self.variance = np.einsum("iq,iq->q", white, white) / white.shape[0]
        self.alpha = _lower_solve(self.factor, white, trans=1)

    def predict(self, points):
        """Mean of the outputs, shape (m, q), at points (m, d)."""
        points = np.ascontiguousarray(points, dtype=float)
        cross = correlation(np.ascontiguousarray((points / self.lengths).T), self.scaled)
        return cross @ self.alpha + mean_basis(points, self.quadratic) @ self.beta

    def leave_one_out(self):
        """Errors, shape (n, q): output minus its prediction without that point (hyper-parameters and mean kept)."""
        inverse, _ = lapack.dpotri(self.factor, lower=1)
        return self.alpha / np.diag(inverse)[:, None]
