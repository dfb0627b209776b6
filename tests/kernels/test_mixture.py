import numpy as np
import pytest
from scipy.integrate import cumulative_trapezoid
from scipy.stats import kstest, multivariate_t

from gridcal.kernels.sampling.mixture import KernelMixture, draw_kernel_mixture, kernel_mixture, kernel_mixture_density
from gridcal.kernels.sampling.random import stream


def state(seed=0):
    return stream(np.random.SeedSequence(seed))


def density(mixture, points):
    x = np.ascontiguousarray(points.T)
    out = np.empty(x.shape[1], dtype=np.float32)
    kernel_mixture_density(mixture, x, np.empty(x.shape, dtype=np.float32), np.empty(x.shape[1], dtype=np.float32), out)
    return out.astype(float)


@pytest.mark.parametrize("d", [1, 2, 3, 6, 9])
def test_density_is_that_of_the_student_kernels(d):
    rng = np.random.default_rng(d)
    draws = rng.normal(size=(600, d)) @ rng.normal(size=(d, d)) + 0.3
    mixture = kernel_mixture(draws, 50)
    assert (mixture.freedom + d) % 2 == 0
    scale = mixture.factor @ mixture.factor.T
    points = rng.normal(size=(40, d))
    expected = np.mean(
        [
            multivariate_t(c, scale * size**2, df=mixture.freedom).pdf(points)
            for c, size in zip(mixture.centres, mixture.size, strict=True)
        ],
        axis=0,
    )
    found = density(mixture, points)
    np.testing.assert_allclose(found / found.mean(), expected / expected.mean(), rtol=1e-5)


def test_single_precision_bears_a_thin_ridge_far_from_the_origin():
    rng = np.random.default_rng(3)
    draws = rng.normal(size=(600, 2)) @ np.array([[1.0, 1.0], [0.0, 1e-4]]) + 300.0
    mixture = kernel_mixture(draws, 50)
    scale = mixture.factor @ mixture.factor.T
    kernels = [
        multivariate_t(c, scale * size**2, df=mixture.freedom).pdf(draws[:40])
        for c, size in zip(mixture.centres, mixture.size, strict=True)
    ]
    expected = np.mean(kernels, axis=0)
    found = density(mixture, draws[:40])
    np.testing.assert_allclose(found / found.mean(), expected / expected.mean(), rtol=1e-4)


def test_kernels_have_the_shape_of_the_draws():
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(50_000, 2)) @ np.array([[2.0, 0.0], [1.5, 0.1]]).T
    mixture = kernel_mixture(draws, 100)
    width = (4.0 / (100 * 4.0)) ** (1.0 / 6.0)
    np.testing.assert_allclose(mixture.factor @ mixture.factor.T, np.cov(draws.T) * width**2, rtol=1e-3)
    np.testing.assert_allclose(mixture.factor @ mixture.whiten, np.eye(2), atol=1e-12)
    order = np.argsort(np.abs(mixture.white).max(axis=1))
    assert mixture.size[order[-10:]].mean() > 1.2 * mixture.size[order[:10]].mean()  # wider where draws are sparse


@pytest.mark.parametrize("d", [1, 2])
def test_draws_follow_the_density(d):
    rng = np.random.default_rng(1)
    first = np.concatenate([rng.normal(0.2, 0.05, 3000), rng.normal(0.7, 0.02, 3000)])
    mixture = kernel_mixture(np.column_stack([first] + [rng.normal(size=6000)] * (d - 1)), 40)
    out = np.empty((d, 40_000))
    draw_kernel_mixture(state(2), mixture, out)
    grid = np.linspace(-3.0, 4.0, 20_001)
    # the first coordinate of a multivariate t is a t with the same degrees of freedom
    one = KernelMixture(
        mixture.factor[:1, :1],
        mixture.whiten[:1, :1],
        mixture.mean[:1],
        mixture.centres[:, :1],
        mixture.white[:, :1],
        mixture.size,
        mixture.inverse,
        mixture.weight,
        mixture.freedom,
    )
    if d == 1:
        height = density(one, grid[:, None])
    else:
        height = np.mean(
            [
                multivariate_t(c, (mixture.factor[0, 0] * s) ** 2, df=mixture.freedom).pdf(grid)
                for c, s in zip(mixture.centres[:, 0], mixture.size, strict=True)
            ],
            axis=0,
        )
    cumulative = cumulative_trapezoid(height, grid, initial=0.0)
    assert kstest(out[0], lambda x: np.interp(x, grid, cumulative / cumulative[-1])).pvalue > 1e-3


def test_draws_that_never_moved_give_a_proper_mixture():
    mixture = kernel_mixture(np.full((100, 3), 0.4), 20)
    out = np.empty((3, 100))
    draw_kernel_mixture(state(), mixture, out)
    assert np.isfinite(out).all()
    assert np.isfinite(density(mixture, out.T)).all()
