import importlib.util
import time
from pathlib import Path

import numpy as np
import pytest

from gridcal.calibration import MASM, AdaptiveMCMC, Status
from gridcal.calibration.mcmc import Probe
from gridcal.errors import ConfigError

spec = importlib.util.spec_from_file_location("test_masm", Path(__file__).parent / "test_masm.py")
fixtures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fixtures)


@pytest.mark.parametrize("sampler", ["demc", "metropolis"])
def test_linear_gaussian_posterior(sampler):
    counted = fixtures.Counted(fixtures.linear)
    p = fixtures.linear_problem(simulate=counted)
    counted.rows.clear()
    result = AdaptiveMCMC(sampler=sampler).run(p, fixtures.seed())
    mean = np.linalg.lstsq(fixtures.MATRIX, p.observations, rcond=None)[0]
    fixtures.check_gaussian(result, mean, 0.01 * np.linalg.inv(fixtures.MATRIX.T @ fixtures.MATRIX))
    assert result.status == Status.ok
    assert result.n_runs == len(counted.rows)
    assert result.draws.shape == (4, 500, 3)
    assert 0.15 < result.acceptance < 0.7
    assert result.ess >= 2000


@pytest.mark.parametrize("sampler", ["demc", "metropolis"])
def test_flat_cost_is_uniform_and_touches_no_bound(sampler):
    p = fixtures.cost_problem(lambda theta: np.zeros(len(theta)), [0.0, 0.0], [1.0, 1.0])
    draws = AdaptiveMCMC(sampler=sampler, draws=(4, 2000)).run(p, fixtures.seed()).draws
    assert draws.mean() == pytest.approx(0.5, abs=0.02)
    assert draws.std() == pytest.approx(np.sqrt(1 / 12), rel=0.03)
    assert ((draws > 0.0) & (draws < 1.0)).all()


def test_agrees_with_the_surrogate():
    p = fixtures.decay_problem()
    direct, surrogate = AdaptiveMCMC().run(p, fixtures.seed()), MASM().run(p, fixtures.seed())
    np.testing.assert_array_less(np.abs(direct.estimate - surrogate.estimate) / direct.sd, 0.1)
    np.testing.assert_allclose(direct.sd, surrogate.sd, rtol=0.1)


def test_the_budget_holds_and_is_flagged():
    result = AdaptiveMCMC(max_runs=2000, n_burn=50).run(fixtures.decay_problem(), fixtures.seed())
    assert result.n_runs <= 2000
    assert result.status == Status.not_converged
    assert np.isfinite(result.estimate).all()


def test_same_seed_same_draws():
    method = AdaptiveMCMC(n_burn=50, n_keep=50, min_ess=1, rhat_max=100.0)
    one, two = (method.run(fixtures.linear_problem(), fixtures.seed()) for _ in range(2))
    np.testing.assert_array_equal(one.draws, two.draws)


def test_failures_and_unusable_observations():
    broken = fixtures.linear_problem(simulate=lambda t: np.full((len(t), 80), np.nan), observations=fixtures.TIME)
    assert AdaptiveMCMC().run(broken, fixtures.seed()).status == Status.model_failure
    empty = fixtures.linear_problem(observations=np.full(80, np.nan))
    assert AdaptiveMCMC().run(empty, fixtures.seed()).status == Status.insufficient_observations


def test_the_cheaper_method_is_measured():
    def choice(delay):
        def model(theta):
            end = time.thread_time() + delay * len(theta)
            while time.thread_time() < end:
                pass
            return fixtures.linear(theta)

        probe = Probe()
        probe.run(fixtures.linear_problem(simulate=model), fixtures.seed())
        assert probe.measured
        return type(probe.choice())

    assert choice(3e-4) is MASM
    probe = Probe()
    probe.surrogate_seconds, probe.direct_seconds = 0.3, 0.1
    assert type(probe.choice()) is AdaptiveMCMC


@pytest.mark.parametrize(
    "option",
    [
        {"sampler": "nuts"},
        {"walkers": 7},
        {"walkers": 4},
        {"n_keep": 0},
        {"rhat_max": 1.0},
        {"draws": (0, 5)},
        {"max_runs": 2.5},
    ],
)
def test_impossible_options_are_refused_by_name(option):
    with pytest.raises(ConfigError, match=str(next(iter(option)))):
        AdaptiveMCMC(**option)
