import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist

from gridcal.extrapolation.learners.applicability import Applicability

RNG = np.random.default_rng(5)
X = RNG.normal(size=(80, 4))
BLOCKS = [[0], [1], [2], [3]]
WEIGHT = np.array([0.5, 0.3, 0.2, 0.0])


def test_index_is_the_nearest_distance_over_the_mean_of_all_pairs():
    new = RNG.normal(size=(30, 4)) * 3
    found = Applicability().fit(X, BLOCKS, WEIGHT).dissimilarity(new)
    expected = cdist(new * WEIGHT, X * WEIGHT).min(axis=1) / pdist(X * WEIGHT).mean()
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_training_samples_are_at_0_and_distance_grows_outwards():
    area = Applicability().fit(X, BLOCKS, WEIGHT)
    np.testing.assert_array_equal(area.dissimilarity(X), 0.0)
    out = area.dissimilarity(np.array([[s, 0.0, 0.0, 0.0] for s in (5.0, 10.0, 20.0)]))
    assert (np.diff(out) > 0).all()


def test_a_feature_of_no_importance_does_not_count():
    area = Applicability().fit(X, BLOCKS, WEIGHT)
    moved = X.copy()
    moved[:, 3] += 1e3
    np.testing.assert_array_equal(area.dissimilarity(moved), 0.0)


def test_without_any_importance_all_features_count_alike():
    area = Applicability().fit(X, BLOCKS, np.zeros(4))
    np.testing.assert_array_equal(area.weight_, 0.25)


def test_another_class_and_an_unknown_class_are_one_weight_away():
    one_hot = np.repeat(np.eye(2), 10, axis=0)
    x = np.column_stack([np.zeros(20), one_hot])
    area = Applicability().fit(x, [[0], [1, 2]], np.array([0.25, 0.75]))
    unknown = area.dissimilarity(np.array([[0.0, 0.0, 0.0]]))[0] * area.scale_
    between = pdist(area.training_).max()
    assert unknown == pytest.approx(0.75, rel=1e-12)
    assert between == pytest.approx(0.75, rel=1e-12)


def test_threshold_is_the_upper_whisker_between_folds():
    folds = np.arange(80) % 4
    area = Applicability().fit(X, BLOCKS, WEIGHT, folds)
    z = X * WEIGHT
    index = np.array([cdist(z[[i]], z[folds != folds[i]]).min() for i in range(80)]) / pdist(z).mean()
    low, high = np.quantile(index, [0.25, 0.75])
    assert area.threshold_ == pytest.approx(index[index <= high + 1.5 * (high - low)].max(), rel=1e-12)


def test_values_do_not_depend_on_the_other_rows():
    area = Applicability().fit(X, BLOCKS, WEIGHT)
    new = RNG.normal(size=(100, 4)) * 2
    whole = area.dissimilarity(new)
    for size in (1, 7, 33):
        parts = np.concatenate([area.dissimilarity(new[i : i + size]) for i in range(0, 100, size)])
        np.testing.assert_array_equal(parts, whole)


def test_more_samples_than_one_block_of_distances():
    x = RNG.normal(size=(1100, 2))
    assert Applicability().fit(x, [[0], [1]], np.ones(2)).scale_ == pytest.approx(pdist(x * 0.5).mean(), rel=1e-12)


def test_no_rows_give_no_values():
    assert Applicability().fit(X, BLOCKS, WEIGHT).dissimilarity(np.zeros((0, 4))).shape == (0,)
