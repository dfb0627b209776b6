"""Importance: Shapley values against the definition and shap, relevance conserved, dependence against scikit-learn."""

import itertools
import math

import numpy as np
import pytest

from gridcal.errors import ConfigError
from gridcal.extrapolation.explanation.attribution import (
    agreement,
    dependence_importance,
    normalised,
    partial_dependence,
    relevance,
    shapley_values,
)
from gridcal.extrapolation.spie.network import Network


def trained(columns=6, outputs=3, seed=0):
    net = Network.initial((columns, 12, 12, outputs), np.random.default_rng(seed))
    rng = np.random.default_rng(seed + 1)
    for b in net.biases:
        b[:] = rng.normal(0, 0.2, b.size)
    return net, rng.normal(size=(40, columns))


def test_shapley_values_converge_to_the_definition():
    net, x = trained(columns=4)
    background = x[20:]
    d = 4

    def value(row, subset):
        z = background.copy()
        z[:, subset] = row[subset]
        return net.predict(z).mean(axis=0)

    exact = np.zeros((5, d, 3))
    for i in range(5):
        for k in range(d):
            others = [j for j in range(d) if j != k]
            for size in range(d):
                weight = math.factorial(size) * math.factorial(d - size - 1) / math.factorial(d)
                for subset in itertools.combinations(others, size):
                    exact[i, k] += weight * (value(x[i], [*subset, k]) - value(x[i], list(subset)))
    found = shapley_values(net.predict, x[:5], background, np.random.default_rng(1), permutations=2000)
    np.testing.assert_allclose(found, exact, atol=6e-3)


def test_shapley_values_of_an_additive_function_are_its_terms():
    rng = np.random.default_rng(2)
    x, background = rng.normal(size=(30, 5)), rng.normal(size=(50, 5))
    weights = rng.normal(size=(5, 2))
    found = shapley_values(lambda z: z @ weights, x, background[:1], rng, permutations=3)
    np.testing.assert_allclose(found, (x - background[0])[:, :, None] * weights, atol=1e-12)
    blocks = [[0, 3], [1, 2, 4]]
    grouped = shapley_values(lambda z: z @ weights, x, background[:1], rng, permutations=2, blocks=blocks)
    np.testing.assert_allclose(grouped[:, 0], found[:, [0, 3]].sum(axis=1), atol=1e-12)


@pytest.mark.filterwarnings("ignore")
def test_shapley_values_agree_with_shap():
    shap = pytest.importorskip("shap")
    net, x = trained(columns=8)
    masker = shap.maskers.Independent(x, max_samples=40)
    explainer = shap.PermutationExplainer(lambda z: net.predict(z)[:, 0], masker, seed=1)
    theirs = explainer(x, max_evals=8 * 2 * 20 + 1, silent=True).values
    ours = shapley_values(net.predict, x, x, np.random.default_rng(3), permutations=600)[:, :, 0]
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.98
    np.testing.assert_allclose(np.abs(ours).mean(axis=0), np.abs(theirs).mean(axis=0), rtol=0.15, atol=2e-3)


def test_relevance_is_conserved():
    net, x = trained()
    found, bias = relevance(net, x)
    np.testing.assert_allclose(found.sum(axis=1) + bias, net.logits(x), rtol=1e-6, atol=1e-6)
    for b in net.biases:
        b[:] = 0.0
    found, bias = relevance(net, x)
    np.testing.assert_allclose(found.sum(axis=1), net.logits(x), rtol=1e-3, atol=1e-4)
    assert np.abs(bias).max() < 1e-3


def test_relevance_of_one_layer_is_weight_times_input():
    net = Network.initial((5, 2), np.random.default_rng(4))
    x = np.random.default_rng(5).normal(size=(7, 5))
    found, _ = relevance(net, x)
    np.testing.assert_allclose(found, x[:, :, None] * net.weights[0], rtol=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_partial_dependence_agrees_with_scikit_learn():
    from sklearn.base import BaseEstimator, RegressorMixin
    from sklearn.inspection import partial_dependence as theirs

    net, x = trained()

    class Wrapped(RegressorMixin, BaseEstimator):
        def fit(self, x, y=None):
            self.fitted_ = True
            return self

        def predict(self, z):
            return net.predict(z)[:, 1]

    for column in (0, 3):
        expected = theirs(Wrapped().fit(x), x, [column], percentiles=(0.05, 0.95), grid_resolution=12, kind="average")
        grid = expected["grid_values"][0]
        found = partial_dependence(net.predict, x, column, grid)[:, 1]
        np.testing.assert_allclose(found, expected["average"][0], rtol=1e-10)


def test_importance_of_columns():
    rng = np.random.default_rng(6)
    x = np.concatenate([rng.normal(size=(50, 2)), (rng.random((50, 1)) < 0.4).astype(float)], axis=1)

    def linear(z):
        return np.stack([2 * z[:, 0] + 0.0 * z[:, 1], 4.0 * z[:, 2]], axis=1)

    found = dependence_importance(linear, x, np.array([False, False, True]))
    spread = np.quantile(x[:, 0], np.linspace(0.05, 0.95, 20)).std(ddof=1)
    np.testing.assert_allclose(found, [[2 * spread, 0], [0, 0], [0, 1.0]], atol=1e-12)


def test_normalisation_and_agreement():
    rng = np.random.default_rng(7)
    x = rng.random((10, 4))
    minmax = normalised(x)
    np.testing.assert_allclose([minmax.min(axis=0), minmax.max(axis=0)], [np.zeros(4), np.ones(4)])
    np.testing.assert_allclose(normalised(x, "sum").sum(axis=0), 1.0)
    assert np.isfinite(normalised(np.ones((5, 2)))).all()
    table = agreement([x, 2 * x + 1, 1 - x])
    np.testing.assert_allclose(table, [[1, 1, -1], [1, 1, -1], [-1, -1, 1]], atol=1e-12)
    with pytest.raises(ConfigError, match="normalisation"):
        normalised(x, "rank")
