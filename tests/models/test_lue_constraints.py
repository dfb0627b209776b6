"""Light-use-efficiency model: the constraints on the response functions, their thresholds and their gradient."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gridcal.models.lue import PARAMETERS, constraint, lue
from gridcal.process.constraint import Evidence, verdicts

_spec = importlib.util.spec_from_file_location("lue_oracle", Path(__file__).with_name("lue_oracle.py"))
oracle = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(oracle)

LOWER, UPPER = np.array(oracle.LOWER), np.array(oracle.UPPER)
UNIT = st.floats(0.0, 1.0, allow_subnormal=False)
SETTINGS = settings(deadline=None, max_examples=30, derandomize=True)
TEMPERATURE = math.acosh(5)  # Topt / kT at which fT(0 degC) = 0.2: 2.29
VPD = math.log(0.9) / 2  # kappa (Ca0/400)^Ck at which fVPD(2 kPa) = 0.9: -0.0527 kPa-1
MOISTURE = -math.log(4)  # kW WI at which fW(0) = 0.2


def satisfied(**values):
    """Parameters (13, 1) that meet the three thresholds with room, with some of them replaced."""
    theta = dict(zip(oracle.NAMES, PARAMETERS.default, strict=True))
    theta |= {"Topt": 20.0, "kT": 5.0, "kappa": -0.09, "Ca0": 380.0, "Ck": 1.0, "kW": -20.0, "WI": 0.3}
    assert set(values) <= set(theta)
    theta |= values
    n = max(np.size(v) for v in theta.values())
    return np.array([np.broadcast_to(np.asarray(v, float), n) for v in theta.values()])


def ideal(theta):
    """1 - fW(1), the only ideal term that can be larger than 0."""
    kW, WI = theta[7], theta[8]
    return 1 - 1 / (1 + np.exp(kW * (1 - WI)))


def excess(theta):
    return constraint(theta)[0] - ideal(theta)


def random_theta(n, seed):
    return LOWER[:, None] + (UPPER - LOWER)[:, None] * np.random.default_rng(seed).random((13, n))


@SETTINGS
@given(arrays(float, (13, 3), elements=UNIT, fill=st.nothing()))
def test_cost_and_gradient_against_the_oracle(unit):
    theta = np.clip(LOWER[:, None] + (UPPER - LOWER)[:, None] * unit, LOWER[:, None], UPPER[:, None])
    cost, gradient = constraint(theta)
    assert cost.shape == (3,)
    assert gradient.shape == (13, 3)
    for i in range(3):
        column = theta[:, i].tolist()
        np.testing.assert_allclose(cost[i], oracle.constraint(column), rtol=1e-10, atol=1e-13)
        expected = oracle.complex_step(oracle.constraint, column)
        np.testing.assert_allclose(gradient[:, i], expected, rtol=1e-9, atol=1e-13)


def test_gradient_agrees_with_finite_differences():
    theta = random_theta(20, seed=11)
    _, gradient = constraint(theta)
    for k in range(13):
        # each mean is a sum of terms with a kink where they reach 0: the step is short enough to cross none
        step = 1e-6 * (UPPER[k] - LOWER[k])
        up, down = theta.copy(), theta.copy()
        up[k] += step
        down[k] -= step
        slope = (constraint(up)[0] - constraint(down)[0]) / (2 * step)
        scale = np.abs(gradient[k]).max()
        np.testing.assert_allclose(gradient[k], slope, rtol=1e-5, atol=1e-6 * scale + 1e-12, err_msg=oracle.NAMES[k])


def test_parameters_outside_the_constrained_responses_have_no_slope():
    _, gradient = constraint(random_theta(50, seed=2))
    for name in ("eps_max", "Cm", "gamma", "mu", "aT", "aW"):
        np.testing.assert_array_equal(gradient[PARAMETERS.index(name)], 0.0)


def test_met_thresholds_leave_the_ideal_moisture_term_alone():
    theta = satisfied(kW=np.array([-5.0, -12.0, -30.0]), WI=np.array([0.5, 0.3, 0.7]))
    cost, gradient = constraint(theta)
    np.testing.assert_allclose(cost, ideal(theta), rtol=1e-13)
    f = 1 - ideal(theta)
    expected = np.zeros_like(gradient)
    expected[7] = f * (1 - f) * (1 - theta[8])
    expected[8] = -f * (1 - f) * theta[7]
    np.testing.assert_allclose(gradient, expected, rtol=1e-12)


def test_table_1_can_meet_all_constraints():
    theta = satisfied(kW=-30.0, WI=0.2)
    assert ((LOWER[:, None] <= theta) & (theta <= UPPER[:, None])).all()
    assert constraint(theta)[0][0] < 1e-9


def test_temperature_threshold():
    assert pytest.approx(2.29, abs=0.005) == TEMPERATURE
    kT = np.array([3.0, 5.0, 8.0, 14.0])
    met = excess(satisfied(kT=kT, Topt=kT * TEMPERATURE * (1 + 1e-9)))
    np.testing.assert_allclose(met, 0, atol=1e-14)
    # the coldest day the mean sees is the last of 365 days from -5 to 40 degC that lies below 0 degC
    below_zero = -5 + 45 * 40 / 364
    assert -0.1 < below_zero < 0 < -5 + 45 * 41 / 364
    edge = kT * TEMPERATURE + below_zero
    np.testing.assert_allclose(excess(satisfied(kT=kT, Topt=edge * (1 + 1e-9))), 0, atol=1e-14)
    assert (excess(satisfied(kT=kT, Topt=edge * 0.99)) > 1e-6).all()
    assert (excess(satisfied(kT=kT, Topt=kT * TEMPERATURE * 0.9)) > 1e-4).all()


def test_vpd_threshold():
    assert pytest.approx(-0.0527, abs=5e-5) == VPD
    Ca0, Ck = np.array([340.0, 370.0, 390.0]), np.array([0.5, 3.0, 10.0])
    kappa = VPD / (Ca0 / 400) ** Ck
    met = excess(satisfied(kappa=kappa * (1 + 1e-9), Ca0=Ca0, Ck=Ck))
    np.testing.assert_allclose(met, 0, atol=1e-14)
    above_two = 4.5 * 162 / 364
    assert 4.5 * 161 / 364 < 2 < above_two
    edge = kappa * 2 / above_two
    np.testing.assert_allclose(excess(satisfied(kappa=edge * (1 + 1e-9), Ca0=Ca0, Ck=Ck)), 0, atol=1e-14)
    assert (excess(satisfied(kappa=edge * 0.98, Ca0=Ca0, Ck=Ck)) > 1e-6).all()


def test_moisture_threshold():
    kW = np.array([-5.0, -12.0, -30.0])
    np.testing.assert_allclose(excess(satisfied(kW=kW, WI=MOISTURE / kW * (1 + 1e-9))), 0, atol=1e-14)
    over = satisfied(kW=kW, WI=MOISTURE / kW * 0.9)
    expected = 1 / (1 + np.exp(0.9 * math.log(4))) - 0.2
    np.testing.assert_allclose(excess(over), expected, rtol=1e-10)


def test_mean_of_a_fully_violated_response():
    # a flat temperature response stays above 0.2 on every day: the mean of fT - 0.2 over the 41 days below 0 degC
    theta = satisfied(Topt=5.0, kT=20.0)
    cold = -5 + 45 * np.arange(41) / 364
    np.testing.assert_allclose(excess(theta), (1 / np.cosh((cold - 5) / 20)).mean() - 0.2, rtol=1e-10)
    # a flat VPD response stays above 0.9 on every day above 2 kPa
    theta = satisfied(kappa=-1e-4, Ck=0.0)
    dry = 4.5 * np.arange(162, 365) / 364
    np.testing.assert_allclose(excess(theta), np.exp(-1e-4 * dry).mean() - 0.9, rtol=1e-10)


def test_columns_do_not_depend_on_each_other():
    theta = random_theta(33, seed=5)
    cost, gradient = constraint(theta)
    for i in (0, 15, 31, 32):
        alone = constraint(theta[:, i : i + 1])
        np.testing.assert_allclose(alone[0], cost[i : i + 1], rtol=1e-13)
        np.testing.assert_allclose(alone[1], gradient[:, i : i + 1], rtol=1e-13)


def test_penalty_of_the_model_is_the_constraint_cost():
    theta = random_theta(10, seed=6)
    found = verdicts(lue.constraints, Evidence(dict(zip(PARAMETERS.names, theta, strict=True)), np.array([np.nan]), {}, {}))
    np.testing.assert_allclose(found.penalty[0], constraint(theta)[0], rtol=1e-13)
    assert lue.constraints[0].kind == "cost"


@pytest.mark.parametrize("name", ["Topt", "kT", "kappa", "Ca0", "Ck", "kW", "WI"])
def test_missing_parameter_is_a_missing_cost_in_that_column_alone(name):
    theta = random_theta(5, seed=7)
    clean, clean_gradient = constraint(theta)
    theta[PARAMETERS.index(name), 2] = np.nan
    cost, gradient = constraint(theta)
    assert np.isnan(cost[2])
    np.testing.assert_array_equal(np.delete(cost, 2), np.delete(clean, 2))
    np.testing.assert_array_equal(np.delete(gradient, 2, axis=1), np.delete(clean_gradient, 2, axis=1))
