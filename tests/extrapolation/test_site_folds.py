"""Folds of sites: classes in every training set, neighbours together, blocks, clusters, regions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridcal.errors import ConfigError, InputError
from gridcal.extrapolation.folds.site_folds import (
    class_complete_folds,
    continent,
    feature_cluster_folds,
    near_groups,
    region_folds,
    spatial_block_folds,
)


def complete(fold, labels, groups):
    """Whether every class with members in two groups is in every training set."""
    return all(np.unique(fold[labels == c]).size > 1 for c in np.unique(labels) if np.unique(groups[labels == c]).size > 1)


@settings(deadline=None, max_examples=20, derandomize=True)
@given(st.integers(0, 10_000))
def test_every_class_is_in_every_training_set(seed):
    rng = np.random.default_rng(seed)
    n = 80
    pft, climate = rng.choice(9, n, p=np.r_[0.4, np.full(8, 0.075)]), rng.integers(0, 6, n)
    groups = np.minimum(np.arange(n), rng.integers(0, n, n))
    groups = np.where(rng.random(n) < 0.1, groups, np.arange(n))
    fold = class_complete_folds([pft, climate], 10, seed=seed, groups=groups)
    assert complete(fold, pft, groups)
    assert complete(fold, climate, groups)
    assert set(fold) == set(range(10))
    for g in np.unique(groups):
        assert np.unique(fold[groups == g]).size == 1
    np.testing.assert_array_equal(fold, class_complete_folds([pft, climate], 10, seed=seed, groups=groups))


def test_a_rare_class_is_repaired():
    labels = np.array(["a"] * 40 + ["b"] * 2)
    for seed in range(30):
        fold = class_complete_folds([labels], 2, seed=seed)
        assert fold[40] != fold[41]


def test_singletons_are_tested_or_pinned():
    labels = np.array(["x", *["y"] * 20])
    assert class_complete_folds([labels], 4)[0] >= 0
    fold = class_complete_folds([labels], 4, singletons="train")
    assert fold[0] == -1
    assert (fold[1:] >= 0).all()
    with pytest.raises(ConfigError, match="singletons"):
        class_complete_folds([labels], 4, singletons="drop")
    with pytest.raises(InputError, match="groups of sites"):
        class_complete_folds([labels], 30)


def test_labels_are_compared_without_case_and_blanks():
    labels = np.array(["DBF", " dbf", *["ENF"] * 10])
    fold = class_complete_folds([labels], 2, seed=3)
    assert fold[0] != fold[1]


def test_neighbours_are_chained():
    lat = np.array([45.0, 45.03, 45.06, 60.0])  # 3.3 km apart, the ends 6.7 km
    groups = near_groups(lat, np.full(4, 8.0), 5.0)
    assert groups[0] == groups[1] == groups[2] != groups[3]
    assert np.unique(near_groups(lat, np.full(4, 8.0), 1.0)).size == 4


def test_blocks_clusters_and_regions_stay_whole():
    rng = np.random.default_rng(1)
    lat, lon = rng.uniform(-60, 70, 150), rng.uniform(-170, 170, 150)
    fold = spatial_block_folds(lat, lon, 5, size=20.0)
    block = np.floor(lat / 20) * 1000 + np.floor(lon / 20)
    for b in np.unique(block):
        assert np.unique(fold[block == b]).size == 1
    assert set(fold) == set(range(5))
    x = np.concatenate([rng.normal(5 * k, 0.2, (12, 3)) for k in range(4)])
    x[13, 0] = np.nan  # becomes the mean, which is nearest to its own cluster or the next
    clusters = feature_cluster_folds(x, 4)
    for k in range(4):
        assert np.unique(clusters[12 * k : 12 * k + 12]).size == 1
    assert set(clusters) == {0, 1, 2, 3}
    regions = region_folds(continent(np.array([45.0, -10, 50, 35, -30, 0]), np.array([-80.0, -60, 10, 110, 145, 20])))
    assert np.unique(regions).size == 6
    with pytest.raises(InputError, match="one region"):
        region_folds(["a", "a"])


PLACES = [  # site, degrees north, degrees east, continent
    ("US-Ha1", 42.54, -72.17, "North America"),
    ("BR-Sa1", -2.86, -54.96, "South America"),
    ("FI-Hyy", 61.85, 24.29, "Europe"),
    ("ZA-Kru", -25.02, 31.50, "Africa"),
    ("CN-Cha", 42.40, 128.10, "Asia"),
    ("AU-Tum", -35.66, 148.15, "Oceania"),
    ("Anadyr", 64.73, 177.52, "Asia"),
    ("Uelen", 66.16, -169.81, "Asia"),
    ("Tonga", -21.2, -175.2, "Oceania"),
    ("Accra", 5.6, -0.2, "Africa"),
]


@pytest.mark.parametrize("turn", [0.0, 360.0, -360.0])
def test_continents_and_blocks_do_not_depend_on_where_longitudes_start(turn):
    lat, lon = (np.array([p[k] for p in PLACES]) for k in (1, 2))
    assert continent(lat, lon + turn) == [p[3] for p in PLACES]
    for size in (10.0, 7.0, 30.0):
        one = spatial_block_folds(lat, lon, 3, seed=4, size=size)
        np.testing.assert_array_equal(spatial_block_folds(lat, lon + turn, 3, seed=4, size=size), one)
    np.testing.assert_array_equal(region_folds(continent(lat, lon + turn)), region_folds([p[3] for p in PLACES]))


def test_neighbours_across_the_date_line_and_greenwich_share_a_group():
    lat = np.array([66.0, 66.0, 51.5, 51.5, -89.99, -89.99])
    lon = np.array([179.99, -179.99, 359.99, 0.01, 10.0, 200.0])
    groups = near_groups(lat, lon, 5.0)
    assert groups[0] == groups[1]
    assert groups[2] == groups[3]
    assert groups[4] == groups[5]  # 2.2 km across the pole
    assert np.unique(groups).size == 3
    fold = spatial_block_folds(np.zeros(3), np.array([180.0, -180.0, 0.0]), 2, size=10.0)
    assert fold[0] == fold[1] != fold[2]


def test_regions_are_compared_without_case_and_blanks():
    assert region_folds(["Europe", "europe ", "Asia"]).tolist() == [1, 1, 0]
