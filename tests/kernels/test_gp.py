import numpy as np
import pytest

from gridcal.kernels.surrogate.gp import GaussianProcess, correlation, mean_basis, negative_log_likelihood


def smooth(x):
    return np.sin(3.0 * x[:, 0]) + x[:, 0] * x[:, -1] ** 2


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    x = rng.random((40, 3))
    y = np.column_stack([smooth(x), np.cos(2.0 * x[:, 1]) - x[:, 2]])
    return x, (y - y.mean(0)) / y.std(0)


def test_correlation_is_matern_five_halves():
    a, b = np.random.default_rng(0).random((2, 5)), np.random.default_rng(1).random((2, 7))
    r = np.sqrt(5.0 * ((a[:, :, None] - b[:, None, :]) ** 2).sum(0))
    np.testing.assert_allclose(correlation(a, b), (1 + r + r**2 / 3) * np.exp(-r), rtol=1e-13)


@pytest.mark.parametrize("quadratic", [False, True])
def test_gradient_of_the_likelihood(data, quadratic):
    x, y = data
    basis = mean_basis(x, quadratic)
    weights = np.array([1.4, 0.6])
    p = np.array([-0.3, 0.2, 0.6, np.log(1e-3)])
    _, gradient = negative_log_likelihood(p, x, y, basis, weights)
    for k in range(4):
        up, down = p.copy(), p.copy()
        up[k] += 1e-5
        down[k] -= 1e-5
        difference = negative_log_likelihood(up, x, y, basis, weights)[0]
        difference -= negative_log_likelihood(down, x, y, basis, weights)[0]
        assert gradient[k] == pytest.approx(difference / 2e-5, rel=2e-5, abs=1e-3)


def test_likelihood_is_that_of_the_gaussian_with_profiled_mean_and_variance(data):
    x, y = data[0], data[1][:, :1]
    p = np.array([0.1, -0.2, 0.3, np.log(1e-2)])
    scaled = (x / np.exp(p[:3])).T
    k = correlation(scaled, scaled) + 1e-2 * np.eye(40)
    ones = np.ones(40)
    inverse = np.linalg.inv(k)
    beta = ones @ inverse @ y[:, 0] / (ones @ inverse @ ones)
    residual = y[:, 0] - beta
    variance = residual @ inverse @ residual / 40
    expected = 40 * np.log(variance) + np.linalg.slogdet(k)[1] + (p[:3] ** 2).sum() / 4.0
    value, _ = negative_log_likelihood(p, x, y, mean_basis(x, False), np.ones(1))
    assert value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("quadratic", [False, True])
def test_appending_equals_conditioning_on_all(data, quadratic):
    x, y = data
    first = GaussianProcess(3, quadratic).optimise(x, y)
    whole = GaussianProcess(3, quadratic)
    whole.hyper = first.hyper
    first.condition(x[:30], y[:30]).append(x[30:35], y[:35]).append(x[35:], y)
    whole.condition(x, y)
    np.testing.assert_allclose(first.factor, whole.factor, atol=1e-8)
    np.testing.assert_allclose(first.alpha, whole.alpha, atol=1e-8 * np.abs(whole.alpha).max())
    points = np.random.default_rng(5).random((9, 3))
    np.testing.assert_allclose(first.predict(points), whole.predict(points), atol=1e-9)


def test_predicts_a_smooth_function():
    rng = np.random.default_rng(6)
    x, points = rng.random((60, 2)), 0.05 + 0.9 * rng.random((200, 2))
    y = smooth(x)[:, None]
    gp = GaussianProcess(2).optimise(x, y).condition(x, y)
    assert np.abs(gp.predict(points)[:, 0] - smooth(points)).max() < 0.01 * y.std()


def test_twice_the_same_point_stays_finite(data):
    x, y = data
    twice, y_twice = np.concatenate([x, x[:3]]), np.concatenate([y, y[:3]])
    gp = GaussianProcess(3).optimise(x, y)
    gp.hyper[3] = -40.0  # no nugget at all
    gp.condition(twice, y_twice)
    assert np.isfinite(gp.alpha).all()
    assert gp.jitter > 0.0
    gp.condition(x, y).append(x[:3], y_twice)
    assert np.isfinite(gp.predict(x)).all()


def test_leave_one_out_equals_leaving_out(data):
    x, y = data
    gp = GaussianProcess(3).optimise(x, y)
    gp.condition(x, y)
    errors = gp.leave_one_out()
    for i in (0, 17):
        keep = np.arange(40) != i
        cross = correlation(gp.scaled[:, [i]], np.ascontiguousarray(gp.scaled[:, keep]))
        k = correlation(gp.scaled, gp.scaled) + (gp.nugget + gp.jitter) * np.eye(40)
        weights = np.linalg.solve(k[np.ix_(keep, keep)], y[keep] - gp.beta[0])
        np.testing.assert_allclose(y[i] - gp.beta[0] - cross[0] @ weights, errors[i], atol=1e-7)


def test_minor_rough_output_does_not_set_the_lengths():
    rng = np.random.default_rng(8)
    x = rng.random((80, 2))
    leading = np.sin(2.0 * x[:, 0]) + np.cos(2.5 * x[:, 1])
    rough = np.sin(11.0 * x[:, 0] + 7.0 * x[:, 1])
    y = np.column_stack([leading / leading.std(), rough / rough.std()])
    alone = GaussianProcess(2).optimise(x, y[:, :1]).lengths
    weighted = GaussianProcess(2).optimise(x, y, weights=np.array([1.0, 0.01])).lengths
    equal = GaussianProcess(2).optimise(x, y).lengths
    assert np.abs(np.log(weighted / alone)).max() < 0.1
    assert np.abs(np.log(equal / alone)).max() > 0.2


def test_far_from_the_data_the_prediction_is_the_mean():
    rng = np.random.default_rng(9)
    x = rng.random((30, 2))
    y = 1e4 + 500.0 * smooth(x)[:, None]
    gp = GaussianProcess(2).optimise(x, (y - y.mean()) / y.std())
    gp.condition(x, (y - y.mean()) / y.std())
    far = gp.predict(np.full((1, 2), 400.0))[0, 0]
    assert far == pytest.approx(gp.beta[0, 0], abs=1e-3)


def against_sklearn(x, y, gp):
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    variance = float(gp.variance[0])
    kernel = ConstantKernel(variance, (1e-6, 1e6)) * Matern(gp.lengths, (0.03, 30.0), nu=2.5)
    kernel += WhiteKernel(max(gp.nugget, 1e-12) * variance, (1e-10, 10.0))
    return GaussianProcessRegressor(kernel, alpha=0.0, optimizer=None).fit(x, y[:, 0] - gp.beta[0, 0])


def test_agrees_with_scikit_learn_at_equal_hyper_parameters(data):
    x, y = data
    gp = GaussianProcess(3)
    gp.hyper = np.array([-0.2, 0.4, 0.1, np.log(1e-3)])
    gp.condition(x, y)
    points = np.random.default_rng(2).random((30, 3))
    theirs = against_sklearn(x, y, gp).predict(points) + gp.beta[0, 0]
    np.testing.assert_allclose(gp.predict(points)[:, 0], theirs, atol=1e-8)


@pytest.mark.filterwarnings("ignore:The optimal value found")  # the second coordinate does not matter
def test_reaches_the_marginal_likelihood_of_scikit_learn(data, monkeypatch):
    monkeypatch.setattr("gridcal.kernels.surrogate.gp.LENGTH_PRIOR_SD", 1e6)
    rng = np.random.default_rng(4)
    x = data[0]
    y = (smooth(x) + 0.05 * rng.normal(size=40))[:, None]
    y = (y - y.mean()) / y.std()
    gp = GaussianProcess(3).optimise(x, y, restarts=(0.5, 2.0), max_iterations=200)
    gp.condition(x, y)
    ours = against_sklearn(x, y, gp)
    own = ours.log_marginal_likelihood_value_
    assert own == pytest.approx(-0.5 * gp.likelihood - 20 * (1 + np.log(2 * np.pi)), rel=1e-6)
    best = ours.set_params(optimizer="fmin_l_bfgs_b", n_restarts_optimizer=3, random_state=0).fit(x, y[:, 0] - gp.beta[0, 0])
    assert own == pytest.approx(best.log_marginal_likelihood_value_, abs=1e-3)
