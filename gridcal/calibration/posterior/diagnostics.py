"""Convergence of chains and quality of importance weights.

Chains are arrays (chain, draw). Sources: Gelman and Rubin (1992) for the classical factor, Vehtari et al. (2021) for
rank-normalised split R-hat and the effective sample size, Kong (1992) for that of weights.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

Array = npt.NDArray[np.float64]


def gelman_rubin(chains: Array) -> float:
    """Potential scale reduction ``sqrt((N - 1) / N + (M + 1) / (M N) B / W)`` with B = N Var(chain means).

    Parameters
    ----------
    chains : array, shape (M, N)
        M chains of one parameter.

    Returns
    -------
    float
        1 for chains that agree; NaN for chains that never move.
    """
    m, n = chains.shape
    within = float(chains.var(axis=1, ddof=1).mean())
    between = n * float(chains.mean(axis=1).var(ddof=1))
    if within == 0.0:
        return float("nan")
    return float(np.sqrt((n - 1) / n + (m + 1) / (m * n) * between / within))


def printed_gelman_rubin(chains: Array) -> float:
    """The factor as Ma et al. print it, with B the variance of the chains' means itself: near 1 whatever the chains do."""
    m, n = chains.shape
    within = float(chains.var(axis=1, ddof=1).mean())
    between = float(chains.mean(axis=1).var(ddof=1))
    if within == 0.0:
        return float("nan")
    return float(np.sqrt((n - 1) / n + (m + 1) / (m * n) * between / within))


def split(chains: Array) -> Array:
    """Halve every chain: (M, N) to (2 M, N // 2)."""
    half = chains.shape[1] // 2
    return np.concatenate([chains[:, :half], chains[:, chains.shape[1] - half :]])


def rank_normalise(chains: Array) -> Array:
    """Normal scores of the pooled ranks (ties get the mean of their scores' ranks)."""
    flat = chains.ravel()
    order = np.argsort(flat)
    ordered = flat[order]
    new = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    group = np.cumsum(new) - 1
    first = np.flatnonzero(new)
    last = np.append(first[1:], flat.size)
    score = np.empty(flat.size)
    score[order] = _normal_scores(flat.size)[(first + last - 1)[group]]
    return score.reshape(chains.shape)


@functools.lru_cache(maxsize=16)
def _normal_scores(n: int) -> Array:
    """Normal scores of the ranks 1, 1.5, 2, ... n of n values."""
    return ndtri((0.5 * np.arange(2, 2 * n + 1) - 0.375) / (n + 0.25))


def split_rhat(chains: Array) -> float:
    """Split R-hat of the values of one parameter, without ranks: one chain far from the others raises it."""
    return _reduction(split(chains))


def _reduction(chains: Array) -> float:
    within = float(chains.var(axis=1, ddof=1).mean())
    if within == 0.0:
        return float("nan")
    n = chains.shape[1]
    between = n * float(chains.mean(axis=1).var(ddof=1))
    return float(np.sqrt((n - 1) / n + between / (n * within)))


def rhat(chains: Array) -> float:
    """Rank-normalised split R-hat of one parameter: the larger of the bulk's and of the folded (scale) one.

    Ranks bound what a single stray chain can do to the statistic; :func:`split_rhat` of the values themselves sees it.

    Parameters
    ----------
    chains : array, shape (M, N)
        M chains of one parameter.
    """
    halves = split(chains)
    return _largest_reduction(halves, rank_normalise(halves))


def _largest_reduction(halves: Array, scores: Array) -> float:
    """The larger of the bulk's and of the folded R-hat, of split chains and their normal scores."""
    bulk = _reduction(scores)
    folded = _reduction(rank_normalise(np.abs(halves - np.median(halves))))
    return max(bulk, folded) if np.isfinite(folded) else bulk


def _autocovariance(chains: Array) -> Array:
    """Autocovariance (M, N) of each chain, biased (divided by N), by the fast Fourier transform."""
    n = chains.shape[1]
    centred = chains - chains.mean(axis=1, keepdims=True)
    transform = np.fft.rfft(centred, n=2 * n, axis=1)
    return np.fft.irfft(np.abs(transform) ** 2, n=2 * n, axis=1)[:, :n] / n


def effective_sample_size(chains: Array) -> float:
    """Bulk effective sample size of one parameter (Geyer's initial monotone sequence on rank-normalised split chains).

    Parameters
    ----------
    chains : array, shape (M, N)
        M chains of one parameter, N >= 8.

    Returns
    -------
    float
        NaN for chains that never move.
    """
    return _effective_size(rank_normalise(split(chains)))


def _effective_size(z: Array) -> float:
    """Effective sample size of the normal scores of split chains."""
    m, n = z.shape
    covariance = _autocovariance(z)
    within = float(covariance[:, 0].mean()) * n / (n - 1)
    if within == 0.0:
        return float("nan")
    total = within * (n - 1) / n + (float(z.mean(axis=1).var(ddof=1)) if m > 1 else 0.0)
    correlation = 1.0 - (within - covariance.mean(axis=0)) / total
    correlation[0] = 1.0
    pairs = correlation[: n - n % 2].reshape(-1, 2).sum(axis=1)
    last = (n - 4 + n % 2) // 2  # the last pair that is looked at is left out, but for a positive first half
    negative = np.flatnonzero(pairs[:last] <= 0.0)
    last = int(negative[0]) if negative.size else last
    tau = -1.0 + 2.0 * float(np.minimum.accumulate(pairs[:last]).sum()) + max(float(correlation[2 * last]), 0.0)
    return m * n / max(tau, 1.0 / np.log10(m * n))


def worst_rhat_and_ess(chains: Array) -> tuple[float, float]:
    """Largest R-hat, with and without ranks, and smallest effective sample size over the parameters of chains (M, N, d)."""
    rhats, sizes = [], []
    for k in range(chains.shape[2]):
        halves = split(np.ascontiguousarray(chains[:, :, k]))
        scores = rank_normalise(halves)
        rhats += [_largest_reduction(halves, scores), _reduction(halves)]
        sizes.append(_effective_size(scores))
    return float(max(rhats)), min(sizes)


def importance_weights(cost: Array, surrogate_cost: Array) -> Array:
    """Normalised weights that turn draws of the surrogate's posterior into draws of the model's."""
    log_weight = -0.5 * (cost - surrogate_cost)
    weight = np.exp(log_weight - log_weight.max())
    return weight / weight.sum()


def weight_ess_ratio(cost: Array, surrogate_cost: Array) -> float:
    """Effective share of K draws under importance weights: 1 / (K sum w^2), between 1 / K and 1."""
    weight = importance_weights(cost, surrogate_cost)
    return float(1.0 / (weight.size * (weight @ weight)))


def pareto_shape(log_weight: Array) -> float:
    """Shape k of a generalised Pareto law fitted to the largest importance weights (Vehtari et al. 2024).

    Above 0.7 the weights have so heavy a tail that their effective size is not to be trusted. The fit is that of Zhang and
    Stephens (2009) with the weakly informative prior at 0.5.

    Parameters
    ----------
    log_weight : array, shape (K,)
        Logarithms of the weights, up to a constant.

    Returns
    -------
    float
        NaN with fewer than five weights in the tail.
    """
    n = log_weight.size
    tail = int(np.ceil(min(0.2 * n, 3.0 * np.sqrt(n)))) if n > 225 else int(0.2 * n)
    if tail < 5:
        tail = min(5, n - 1)
    if tail < 5:
        return float("nan")
    weight = np.exp(np.sort(log_weight) - log_weight.max())
    x = weight[-tail:] - weight[-tail - 1]
    if x[-1] <= 1e-12:  # even weights have no tail
        return float("-inf")
    x = np.maximum(x, 1e-300)
    m = 30 + int(np.sqrt(tail))
    quarter = x[int(tail / 4 + 0.5) - 1]
    grid = 1.0 / x[-1] + (1.0 - np.sqrt(m / (np.arange(1, m + 1) - 0.5))) / (3.0 * quarter)
    with np.errstate(all="ignore"):
        shape = np.log1p(-grid[:, None] * x).mean(axis=1)
        likelihood = tail * (np.log(-grid / shape) - shape - 1.0)
    good = np.isfinite(likelihood)
    posterior = np.exp(likelihood[good] - likelihood[good].max())
    best = float((posterior / posterior.sum()) @ grid[good])
    k = float(np.log1p(-best * x).mean())
    return (tail * k + 10 * 0.5) / (tail + 10)
