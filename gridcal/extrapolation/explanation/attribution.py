"""Why a network predicts what it does: Shapley values, layer-wise relevance, partial dependence, and how far they agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from gridcal.errors import ConfigError
from gridcal.extrapolation.spie.network import Network

Array = npt.NDArray[np.float64]
Predict = Callable[[Array], Array]


def shapley_values(
    predict: Predict,
    x: Array,
    background: Array,
    rng: np.random.Generator,
    *,
    permutations: int = 50,
    blocks: Sequence[Sequence[int]] | None = None,
) -> Array:
    """Shapley values of all outputs at once, by antithetic sampling of permutations (Castro et al. 2009).

    Parameters
    ----------
    predict : callable
        Matrix (m, column) to outputs (m, output).
    x : array, shape (n, column)
        Samples to explain.
    background : array, shape (b, column)
        Samples that stand for an absent feature (the training samples).
    rng : Generator
        Source of permutations and background rows.
    permutations : int
        Pairs of a permutation and its reverse.
    blocks : sequence of sequence of int, optional
        Columns that enter together (a feature, a class of features); each column alone without it.

    Returns
    -------
    array, shape (n, block, output)
        Sums to the prediction minus the mean prediction of the background rows that were drawn.
    """
    groups = [[k] for k in range(x.shape[1])] if blocks is None else [list(b) for b in blocks]
    total = np.zeros((x.shape[0], len(groups), predict(x[:1]).shape[1]))
    for _ in range(permutations):
        order = rng.permutation(len(groups))
        for sequence in (order, order[::-1]):
            z = background[rng.integers(background.shape[0], size=x.shape[0])].copy()
            before = predict(z)
            for g in sequence:
                z[:, groups[g]] = x[:, groups[g]]
                after = predict(z)
                total[:, g] += after - before
                before = after
    return total / (2.0 * permutations)


def relevance(network: Network, x: Array, epsilon: float = 1e-6) -> tuple[Array, Array]:
    """Layer-wise relevance propagation with the epsilon rule (Bach et al. 2015, 10.1371/journal.pone.0130140).

    Parameters
    ----------
    network : Network
        With rectified hidden layers.
    x : array, shape (n, column)
        Samples.
    epsilon : float
        Stabiliser of the division.

    Returns
    -------
    relevance : array, shape (n, column, output)
        Share of each input in the output before the sigmoid.
    bias : array, shape (n, output)
        What the biases keep, so that the relevances of a sample and this add up to the output before the sigmoid.
    """
    layers = network.activations(x)
    n, out = x.shape[0], network.sizes[-1]
    found, kept = np.empty((n, x.shape[1], out)), np.zeros((n, out))
    for j in range(out):
        r = np.zeros_like(layers[-1])
        r[:, j] = layers[-1][:, j]
        for k in range(len(network.weights) - 1, -1, -1):
            w, a = network.weights[k], layers[k]
            z = a @ w + network.biases[k]
            share = r / (z + epsilon * np.where(z >= 0.0, 1.0, -1.0))
            passed = a * (share @ w.T)
            kept[:, j] += r.sum(axis=1) - passed.sum(axis=1)
            r = passed
        found[:, :, j] = r
    return found, kept


def partial_dependence(predict: Predict, x: Array, column: int, values: Array) -> Array:
    """Mean prediction (value, output) over the samples with one column set to each value (Friedman 2001)."""
    out = []
    for v in values:
        z = x.copy()
        z[:, column] = v
        out.append(predict(z).mean(axis=0))
    return np.array(out)


def dependence_importance(predict: Predict, x: Array, binary: npt.NDArray[np.bool_], grid: int = 20) -> Array:
    """Importance (column, output) from partial dependence (Greenwell et al. 2018, arXiv:1805.04755).

    Parameters
    ----------
    predict, x
        As for :func:`partial_dependence`.
    binary : bool array, shape (column,)
        Columns of a one-hot class: a quarter of the range of the curve; else its standard deviation.
    grid : int
        Points of a curve, between the 5 and 95 % quantiles.
    """
    rows = []
    for k in range(x.shape[1]):
        if binary[k]:
            rows.append(np.ptp(partial_dependence(predict, x, k, np.array([0.0, 1.0])), axis=0) / 4.0)
        else:
            values = np.quantile(x[:, k], np.linspace(0.05, 0.95, grid))
            rows.append(partial_dependence(predict, x, k, values).std(axis=0, ddof=1))
    return np.array(rows)


def normalised(importance: Array, how: str = "minmax") -> Array:
    """Importances (column, output) on one scale a parameter: 0 to 1, or shares that sum to 1.

    Raises
    ------
    ConfigError
        If `how` is neither "minmax" nor "sum".
    """
    if how not in ("minmax", "sum"):
        raise ConfigError(f"unknown normalisation {how!r}", "Use 'minmax' or 'sum'")
    low = importance.min(axis=0, keepdims=True) if how == "minmax" else 0.0
    width = (importance - low).max(axis=0, keepdims=True) if how == "minmax" else importance.sum(axis=0, keepdims=True)
    return np.asarray((importance - low) / np.where(width > 0.0, width, 1.0))


def agreement(importances: Sequence[Array]) -> Array:
    """Spearman's rank correlation (method, method) of importances (column, output) averaged over the outputs."""
    ranks = np.array([_ranks(x.mean(axis=1)) for x in importances])
    return np.atleast_2d(np.corrcoef(ranks))


def _ranks(x: Array) -> Array:
    from scipy.stats import rankdata

    return np.asarray(rankdata(x))
