import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import qmc

from gridcal.kernels.surrogate.design import (
    centred_discrepancy,
    design,
    farthest_candidate,
    good_lattice_points,
    largest_correlation,
    ranked_gram_schmidt,
)


def is_latin(points):
    n = points.shape[0]
    levels = (np.arange(n) + 0.5) / n
    return all(np.allclose(np.sort(column), levels, atol=1e-12) for column in points.T)


@given(n=st.integers(8, 70), d=st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_every_column_is_a_permutation_of_midpoints(n, d):
    assert is_latin(good_lattice_points(n, d))
    assert is_latin(design(n, d))


@pytest.mark.parametrize(("n", "d", "plain", "decorrelated"), [(72, 4, 0.0283, 0.0320), (108, 6, 0.0450, 0.0454)])
def test_designs_of_the_papers_sizes(n, d, plain, decorrelated):
    assert centred_discrepancy(good_lattice_points(n, d)) == pytest.approx(plain, abs=6e-5)
    # mirrored lattices share the discrepancy; which of them is decorrelated shifts it a little
    assert centred_discrepancy(design(n, d)) == pytest.approx(decorrelated, rel=0.06)
    assert largest_correlation(design(n, d)) < 0.02


def test_discrepancy_agrees_with_scipy():
    points = np.random.default_rng(0).random((40, 3))
    assert centred_discrepancy(points) ** 2 == pytest.approx(qmc.discrepancy(points, method="CD"), rel=1e-10)


@pytest.mark.parametrize(("n", "d"), [(72, 4), (108, 6), (32, 4), (48, 6)])
def test_more_uniform_than_latin_hypercubes(n, d):
    hypercubes = [centred_discrepancy(qmc.LatinHypercube(d, rng=seed).random(n)) for seed in range(50)]
    assert centred_discrepancy(design(n, d)) < np.median(hypercubes)


def test_gram_schmidt_removes_correlation():
    assert largest_correlation(design(72, 4)) < 0.02
    hypercube = qmc.LatinHypercube(5, rng=1).random(60)
    assert largest_correlation(ranked_gram_schmidt(hypercube)) < 0.2 * largest_correlation(hypercube)


def test_design_is_shared_and_read_only():
    assert design(24, 3) is design(24, 3)
    with pytest.raises(ValueError, match="read-only"):
        design(24, 3)[0, 0] = 0.0


def test_farthest_candidate():
    rng = np.random.default_rng(2)
    points, candidates = rng.random((20, 3)), rng.random((50, 3))
    distances = np.sqrt(((candidates[:, None] - points[None]) ** 2).sum(-1)).min(1)
    index, distance = farthest_candidate(points, candidates)
    assert index == distances.argmax()
    assert distance == pytest.approx(distances.max())
