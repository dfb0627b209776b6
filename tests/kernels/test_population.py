import numpy as np
import pytest
from scipy.stats import kstest, truncnorm

from gridcal.kernels.sampling.population import anneal_population, sample_population, settle_population
from gridcal.kernels.sampling.random import normal, stream, uniform
from gridcal.kernels.sampling.reflect import fold, metropolis_chains
from gridcal.kernels.surrogate.emulator import FAILED_COST, Emulator, emulated_costs
from gridcal.kernels.surrogate.gp import mean_basis


def emulator(d, columns, n_square, failed=None, linear=None):
    """A surrogate that is only its quadratic mean: column q of `columns` holds the coefficients of output q."""
    beta = np.asarray(columns, dtype=float)
    if linear is not None:
        beta = np.column_stack([beta, linear])
    q = beta.shape[1]
    return Emulator(
        kind=np.zeros(d, dtype=np.int64),
        first=np.ones(d),
        second=np.zeros(d),
        third=np.ones(d),
        inverse_length=np.ones(d),
        points=np.full((3, d), 0.5),
        alpha=np.zeros((3, q)),
        beta=beta,
        centre=np.zeros(q),
        n_square=n_square,
        rest=0.0,
        n_log=0.0,
        weight=1.0,
        floor=0.0,
        failed=np.empty((0, d)) if failed is None else failed,
    )


def terms(d):
    return 1 + d + d * (d + 1) // 2


def flat(d):
    return emulator(d, np.zeros((terms(d), 1)), 1)


def gaussian(mean, covariance):
    """Outputs whose sum of squares is the Mahalanobis distance."""
    d = len(mean)
    whiten = np.linalg.inv(np.linalg.cholesky(covariance))
    columns = np.zeros((terms(d), d))
    columns[0] = whiten @ (0.5 - np.asarray(mean))
    columns[1 : d + 1] = whiten.T
    return emulator(d, columns, d)


def pool(d, seed=0):
    return np.random.default_rng(seed).random((2000, d))


def state(seed=0):
    return stream(np.random.SeedSequence(seed))


def test_stream_is_uniform_and_normal():
    s = state(1)
    assert kstest([uniform(s) for _ in range(20000)], "uniform").pvalue > 1e-3
    assert kstest([normal(s) for _ in range(20000)], "norm").pvalue > 1e-3


def test_stream_is_xoshiro256_plus_plus():
    # first words of the authors' reference implementation for the state 1, 2, 3, 4
    from gridcal.kernels.sampling.random import next_word

    s = np.array([1, 2, 3, 4], dtype=np.uint64)
    assert [int(next_word(s)) for _ in range(3)] == [41943041, 58720359, 3588806011781223]


def test_emulated_cost_is_that_of_numpy():
    rng = np.random.default_rng(4)
    d, n, q = 3, 21, 4
    e = emulator(d, rng.normal(size=(terms(d), q)), q - 1)
    e = e._replace(
        points=rng.random((n, d)) * 2.0,
        alpha=rng.normal(size=(n, q)),
        inverse_length=np.array([1.0, 2.0, 3.0]),
        kind=np.array([0, 1, 2]),
        first=np.array([1.0, 0.25, 0.3]),
        second=np.array([0.0, 0.4, np.log(0.3)]),
        third=np.array([1.0, 1.0, 1.0 / np.log(1.3 / 0.3)]),
        centre=rng.normal(size=q),
        rest=0.7,
    )
    x = rng.random((45, d))
    inputs = np.column_stack(
        [x[:, 0], (np.ceil(x[:, 1] / 0.25 + 0.4) - 0.4) * 0.25, np.log((x[:, 2] + 0.3) / 0.3) / np.log(1.3 / 0.3)]
    )
    r = np.sqrt((((inputs * e.inverse_length)[:, None] - e.points[None]) ** 2).sum(-1))
    z = e.centre + (1 + r + r**2 / 3) * np.exp(-r) @ e.alpha + mean_basis(inputs, True) @ e.beta
    squares = (z[:, :3] ** 2).sum(1) + 0.7
    np.testing.assert_allclose(emulated_costs(e, x), squares + z[:, 3], rtol=1e-11)
    profile = e._replace(n_log=50.0, weight=0.2)
    np.testing.assert_allclose(emulated_costs(profile, x), 50.0 * np.log(0.2 * squares) + z[:, 3], rtol=1e-11)


def settled(s, e, start, n_walkers, n_burn, n_keep):
    """Draws and costs of a settled population with steps from its mixture."""
    x, cost, mixture, _ = settle_population(s, e, start, n_walkers, n_burn, 128)
    draws, costs, accepted = sample_population(s, e, mixture, x, cost, n_keep)
    assert 0.05 < accepted < 1.0
    return draws, costs


@pytest.mark.parametrize("sample", [anneal_population, settled])
@pytest.mark.parametrize("d", [1, 2, 5])
def test_flat_posterior_is_uniform(d, sample):
    draws, _ = sample(state(d), flat(d), pool(d), 64, 500, 1500)
    x = draws.reshape(-1, d)
    assert ((x > 0.0) & (x < 1.0)).all()
    for k in range(d):
        assert kstest(draws[::30, :, k].ravel(), "uniform").statistic < 0.035
    if d > 1:
        assert np.abs(np.corrcoef(x.T) - np.eye(d)).max() < 0.03
    assert (x < 0.01).mean() == pytest.approx(0.01, abs=0.003)


@pytest.mark.parametrize("sample", [anneal_population, settled])
def test_gaussian_with_its_mode_on_a_bound(sample):
    mean, covariance = [0.0, 0.5], np.diag([0.15**2, 0.05**2])
    draws, _ = sample(state(), gaussian(mean, covariance), pool(2), 64, 1000, 3000)
    exact = truncnorm(0.0, 1.0 / 0.15, loc=0.0, scale=0.15)
    assert draws[..., 0].mean() == pytest.approx(exact.mean(), abs=0.003)
    assert draws[..., 0].std() == pytest.approx(exact.std(), rel=0.03)


@pytest.mark.parametrize("sampler", ["population", "settled", "metropolis"])
def test_truncated_correlated_gaussian_against_quadrature(sampler):
    mean = np.array([0.15, 0.2])
    covariance = 0.2**2 * np.array([[1.0, 0.9], [0.9, 1.0]])
    g = (np.arange(800) + 0.5) / 800
    grid = np.stack(np.meshgrid(g, g, indexing="ij"), -1).reshape(-1, 2)
    weight = np.exp(-0.5 * np.einsum("ni,ij,nj->n", grid - mean, np.linalg.inv(covariance), grid - mean))
    weight /= weight.sum()
    exact = weight @ grid
    spread = np.sqrt(weight @ (grid - exact) ** 2)
    correlation = weight @ np.prod((grid - exact) / spread, axis=1)
    e = gaussian(mean, covariance)
    if sampler == "population":
        draws, _ = anneal_population(state(3), e, pool(2), 64, 1000, 4000)
    elif sampler == "settled":
        draws, _ = settled(state(3), e, pool(2), 64, 400, 2000)
    else:
        draws, _, _, _ = metropolis_chains(state(3), e, pool(2)[:5], np.eye(2) * 0.02, 5000, 60000, True)
    x = draws.reshape(-1, 2)
    np.testing.assert_allclose(x.mean(0), exact, atol=0.03 * spread.min())
    np.testing.assert_allclose(x.std(0), spread, rtol=0.03)
    assert np.corrcoef(x.T)[0, 1] == pytest.approx(correlation, abs=0.01)


def test_reflected_correlated_steps_leave_the_square_flat():
    covariance = 0.3**2 * np.array([[1.0, 0.9], [0.9, 1.0]])
    draws, _, acceptance, _ = metropolis_chains(state(5), flat(2), pool(2)[:5], covariance, 1000, 100_000, False)
    x = draws.reshape(-1, 2)
    assert abs(np.corrcoef(x.T)[0, 1]) < 0.01
    corner = ((x < 0.1).all(1) | (x > 0.9).all(1)).mean()
    assert corner == pytest.approx(0.02, rel=0.05)
    assert ((x > 0.0) & (x < 1.0)).all()
    assert 0.1 < acceptance < 1.0


def test_folding():
    for y, inside, sign in ((0.3, 0.3, 1.0), (-0.2, 0.2, -1.0), (1.3, 0.7, -1.0), (2.4, 0.4, 1.0), (-1.1, 0.9, 1.0)):
        there, s = fold(y)
        assert there == pytest.approx(inside)
        assert s == sign


@pytest.mark.parametrize("sample", [anneal_population, settled])
def test_two_modes_get_their_weights(sample):
    # cost (40 ((x - .5)^2 - .09))^2 + tilt: modes at .2 and .8, tight in the other two coordinates
    d = 3
    columns = np.zeros((terms(d), 3))
    columns[0, 0], columns[4, 0] = -60.0 * 0.09, 60.0
    columns[2, 1] = 1 / 0.03
    columns[3, 2] = 1 / 0.03
    tilt = np.zeros(terms(d))
    tilt[1] = 3.0
    e = emulator(d, columns, 3, linear=tilt)
    g = np.column_stack([(np.arange(4000) + 0.5) / 4000, np.full((4000, 2), 0.5)])
    weight = np.exp(-0.5 * emulated_costs(e, g))
    left = weight[:2000].sum() / weight.sum()
    shares = []
    for seed in range(4):
        draws, _ = sample(state(seed), e, pool(d, seed), 64, 1000, 3000)
        shares.append((draws[..., 0] < 0.5).mean())
    assert 0.6 < left < 0.8
    np.testing.assert_allclose(shares, left, atol=0.05)


def test_lost_walkers_rejoin_the_others():
    # a trap: a narrow second pit 90 above the best
    d = 2
    columns = np.zeros((terms(d), 2))
    columns[0, 0], columns[3, 0] = -200.0 * 0.09, 200.0
    columns[2, 1] = 1 / 0.02
    tilt = np.zeros(terms(d))
    tilt[1] = 150.0
    e = emulator(d, columns, 2, linear=tilt)
    for seed in range(5):
        draws, _ = anneal_population(state(seed), e, pool(d, seed), 64, 1000, 200)
        assert (draws[..., 0] < 0.5).all()


def test_failed_region_is_avoided_and_a_single_failure_is_not():
    rng = np.random.default_rng(0)
    e = flat(2)._replace(points=rng.random((40, 2)), alpha=np.zeros((40, 1)))
    region = np.column_stack([0.8 + 0.2 * rng.random(12), rng.random(12)])
    good = e.points[e.points[:, 0] < 0.8]
    e = e._replace(points=good, alpha=np.zeros((len(good), 1)), failed=region)
    costs = emulated_costs(e, np.array([[0.95, 0.5], [0.3, 0.5]]))
    assert costs[0] == FAILED_COST
    assert costs[1] == 0.0
    lone = e._replace(failed=np.array([[0.3, 0.5]]))
    assert (emulated_costs(lone, rng.random((500, 2))) == 0.0).all()


def test_same_state_same_bytes_and_different_state_other_draws():
    e = gaussian([0.4, 0.6], np.diag([0.01, 0.02]))
    runs = [anneal_population(state(s), e, pool(2), 32, 50, 50)[0] for s in (1, 1, 2)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])
