"""Light-use-efficiency model: equations 1-8 against a scalar oracle, their limits, the lag filters in closed form."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gridcal.models.lue import PARAMETERS, lue, response_functions

_spec = importlib.util.spec_from_file_location("lue_oracle", Path(__file__).with_name("lue_oracle.py"))
oracle = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(oracle)

RANGES = {
    "tas": (-60.0, 60.0),
    "vpd": (0.0, 8.0),
    "par": (0.0, 20.0),
    "fapar": (0.0, 1.0),
    "wai": (0.0, 1.0),
    "co2": (345.0, 1000.0),
    "ci": (0.0, 1.0),
}
UNIT = st.floats(0.0, 1.0, allow_subnormal=False)
SETTINGS = settings(deadline=None, max_examples=40, derandomize=True)


@st.composite
def blocks(draw):
    n, days = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    unit = draw(arrays(float, (13, n), elements=UNIT, fill=st.nothing()))
    lower, upper = np.array(oracle.LOWER)[:, None], np.array(oracle.UPPER)[:, None]
    theta = np.clip(lower + (upper - lower) * unit, lower, upper)
    forcing = []
    for low, high in RANGES.values():
        series = draw(arrays(float, (days, draw(st.sampled_from((1, n)))), elements=UNIT, fill=st.nothing()))
        forcing.append(low + (high - low) * series)
    site = draw(arrays(float, (2, n), elements=st.sampled_from((0.0, 1.0)), fill=st.nothing()))
    return theta, tuple(forcing), site


def neutral(**values):
    """One parameter vector and one day that make every response function 1 except fW = 1/2; GPP = 5."""
    theta = dict(zip(oracle.NAMES, PARAMETERS.default, strict=True))
    theta |= {"eps_max": 2.0, "Topt": 20.0, "kT": 8.0, "Ca0": 380.0, "Cm": 1000.0, "WI": 0.5, "gamma": 0.0}
    day = {"tas": 20.0, "vpd": 0.0, "par": 10.0, "fapar": 0.5, "wai": 0.5, "co2": 380.0, "ci": 1.0}
    unknown = set(values) - set(theta) - set(day)
    assert not unknown
    theta |= {k: v for k, v in values.items() if k in theta}
    day |= {k: v for k, v in values.items() if k in day}
    n = max(np.size(v) for v in (*theta.values(), *day.values()))
    columns = np.array([np.broadcast_to(np.asarray(v, float), n) for v in theta.values()])
    forcing = tuple(np.broadcast_to(np.asarray(day[k], float), (1, n)).copy() for k in oracle.FORCING)
    return columns, forcing, np.zeros((2, n))


def gpp(**values):
    theta, forcing, site = neutral(**values)
    (out,), _ = lue.run(theta, forcing, site)
    return out[0]


def response(name, **values):
    return response_functions(*neutral(**values))[name][0]


@SETTINGS
@given(blocks())
def test_gpp_is_equation_1(block):
    theta, forcing, site = block
    (out,), state = lue.run(theta, forcing, site)
    expected = oracle.simulate_block(theta, forcing, site)
    assert out.dtype == np.float64
    assert out.shape == (forcing[0].shape[0], theta.shape[1])
    np.testing.assert_allclose(out, np.array(expected["gpp"]).T, rtol=1e-12, atol=1e-200)
    last = [[series[-1] for series in expected[name]] for name in ("Tf", "Wf")]
    np.testing.assert_allclose(state, last, rtol=1e-13, atol=1e-13)


@SETTINGS
@given(blocks())
def test_response_functions_are_equations_2_to_8(block):
    theta, forcing, site = block
    out = response_functions(theta, forcing, site)
    assert set(out) == set(oracle.FUNCTIONS)
    expected = oracle.simulate_block(theta, forcing, site)
    for name in oracle.FUNCTIONS:
        assert out[name].shape == (forcing[0].shape[0], theta.shape[1]), name
        np.testing.assert_allclose(
            out[name], np.array(expected[name]).T, rtol=1e-12, atol=1e-13 if name[1] == "f" else 0, err_msg=name
        )


@SETTINGS
@given(blocks())
def test_gpp_is_the_product_of_the_response_functions(block):
    theta, forcing, site = block
    (out,), _ = lue.run(theta, forcing, site)
    f = response_functions(theta, forcing, site)
    product = theta[0] * f["apar"] * f["fT"] * f["fVPD"] * f["fCO2"] * f["fW"] * f["fL"] * f["fCI"]
    np.testing.assert_allclose(out, product, rtol=1e-12, atol=1e-200)


@SETTINGS
@given(blocks())
def test_every_response_but_the_co2_one_lies_in_0_to_1(block):
    f = response_functions(*block)
    for name in ("fT", "fVPD", "fW", "fL", "fCI"):
        assert ((f[name] >= 0) & (f[name] <= 1)).all(), name
    assert ((f["fCO2"] > 0) & (f["fCO2"] < 2)).all()


def test_worked_example():
    np.testing.assert_allclose(gpp(), [5.0], rtol=1e-14)


def test_temperature_response_peaks_at_one_at_the_optimum():
    tas = np.linspace(-20, 60, 161)
    f = response("fT", tas=tas, Topt=20.0, kT=8.0)
    assert f[tas == 20.0] == 1.0
    assert tas[f.argmax()] == 20.0
    assert (np.diff(f[tas <= 20]) > 0).all()
    assert (np.diff(f[tas >= 20]) < 0).all()


def test_temperature_response_is_symmetric():
    away = np.arange(0.0, 60.0, 0.5)
    warm = response("fT", tas=20 + away, Topt=20.0, kT=3.0)
    cold = response("fT", tas=20 - away, Topt=20.0, kT=3.0)
    np.testing.assert_array_equal(warm, cold)


def test_temperature_response_is_the_hyperbolic_secant():
    half = math.log(2 + math.sqrt(3))  # arcosh 2
    f = response("fT", tas=np.array([20 + 8 * half, 20 - 8 * half, 20 + 8 * math.acosh(5)]), Topt=20.0, kT=8.0)
    np.testing.assert_allclose(f, [0.5, 0.5, 0.2], rtol=1e-14)


@pytest.mark.parametrize("x", [100.0, -100.0, 600.0, -600.0])
def test_temperature_response_far_from_the_optimum_follows_its_tail(x):
    f = response("fT", tas=5 + x, Topt=5.0, kT=1.0)
    assert f[0] > 0
    np.testing.assert_allclose(f, 2 * math.exp(-abs(x)), rtol=1e-12)


@pytest.mark.parametrize("x", [1e3, -1e3, 1e5, -1e5])
def test_temperature_response_does_not_overflow(x):
    np.testing.assert_allclose(response("fT", tas=5 + x, Topt=5.0, kT=1.0), 0.0, atol=1e-300)
    np.testing.assert_allclose(gpp(tas=5 + x, Topt=5.0, kT=1.0), 0.0, atol=1e-300)


@pytest.mark.parametrize(("wai", "limit"), [(-100.0, 0.0), (100.0, 1.0)])
def test_moisture_response_does_not_overflow(wai, limit):
    np.testing.assert_allclose(response("fW", wai=wai, kW=-30.0), limit, atol=1e-300)
    assert np.isfinite(gpp(wai=wai, kW=-30.0)).all()


def test_vpd_response_is_one_in_saturated_air():
    kappa, Ck = np.meshgrid([-1.0, -0.1, -1e-4], [0.0, 1.0, 10.0])
    np.testing.assert_array_equal(response("fVPD", vpd=0.0, kappa=kappa.ravel(), Ck=Ck.ravel(), co2=900.0), 1.0)


def test_vpd_response_is_exponential_and_weakened_by_co2():
    at_reference = response("fVPD", vpd=10.0, kappa=-0.1, Ck=3.0, Ca0=380.0, co2=380.0)
    np.testing.assert_allclose(at_reference, math.exp(-1), rtol=1e-14)
    doubled = response("fVPD", vpd=10.0, kappa=-0.1, Ck=np.array([0.0, 1.0, 2.0]), Ca0=380.0, co2=760.0)
    np.testing.assert_allclose(doubled, np.exp([-1.0, -0.5, -0.25]), rtol=1e-14)


def test_vpd_response_is_clipped_at_one_and_the_co2_response_is_not():
    np.testing.assert_array_equal(response("fVPD", vpd=-1.0, kappa=-0.1), 1.0)
    np.testing.assert_allclose(gpp(vpd=-1.0, kappa=-0.1), gpp(vpd=0.0), rtol=1e-14)
    np.testing.assert_allclose(gpp(co2=1380.0, Ca0=380.0, Cm=1000.0), 7.5, rtol=1e-14)


def test_co2_response_is_one_at_the_reference_concentration():
    np.testing.assert_array_equal(response("fCO2", co2=380.0, Ca0=380.0, Cm=np.array([100.0, 1e3, 4e3])), 1.0)


def test_co2_response_half_and_full_fertilisation():
    f = response("fCO2", co2=np.array([380 + 1000.0, 380 + 1e12]), Ca0=380.0, Cm=1000.0)
    np.testing.assert_allclose(f, [1.5, 2.0], rtol=1e-8)


def test_co2_response_stays_positive_in_the_worst_corner_of_the_bounds():
    np.testing.assert_allclose(response("fCO2", co2=341.0, Ca0=390.0, Cm=100.0), 2 / 51, rtol=1e-12)


def test_co2_response_is_outside_the_exponential():
    values = {"vpd": 2.0, "kappa": -0.1, "Ck": 2.0, "Ca0": 350.0, "Cm": 500.0, "co2": 420.0}
    expected = 5 * math.exp(-0.2 * (350 / 420) ** 2) * (1 + 70 / 570)
    np.testing.assert_allclose(gpp(**values), expected, rtol=1e-13)


def test_moisture_response_is_one_half_at_the_inflection_and_rises():
    wai = np.linspace(0, 1, 101)
    f = response("fW", wai=wai, kW=-12.0, WI=0.5)
    np.testing.assert_allclose(f[50], 0.5, rtol=1e-14)
    np.testing.assert_allclose(f + f[::-1], 1.0, rtol=1e-14)
    assert (np.diff(f) > 0).all()
    np.testing.assert_allclose(response("fW", wai=0.5 + math.log(4) / 12, kW=-12.0, WI=0.5), 0.8, rtol=1e-14)


def test_light_response_without_saturation_is_one():
    np.testing.assert_array_equal(response("fL", par=np.array([0.0, 1.0, 15.0]), gamma=0.0), 1.0)
    np.testing.assert_allclose(response("fL", par=15.0, gamma=1e-12), 1.0, rtol=1e-10)


def test_light_response_halves_at_the_inverse_of_gamma():
    np.testing.assert_allclose(response("fL", par=10.0, fapar=0.5, gamma=0.2), 0.5, rtol=1e-14)
    strong = gpp(par=1e9, fapar=1.0, gamma=0.25)
    np.testing.assert_allclose(strong, 2 * 0.5 / 0.25, rtol=1e-8)


def test_cloudiness_response_is_one_under_an_overcast_sky():
    np.testing.assert_array_equal(response("fCI", ci=1.0, mu=np.array([1e-3, 0.5, 1.0])), 1.0)


def test_cloudiness_response_is_a_power():
    f = response("fCI", ci=np.array([0.25, 0.25, 0.81]), mu=np.array([0.5, 1.0, 0.5]))
    np.testing.assert_allclose(f, [0.5, 0.25, 0.9], rtol=1e-14)


@pytest.mark.parametrize("ci", [0.0, 0.005, -0.3])
def test_cloudiness_index_is_floored(ci):
    np.testing.assert_allclose(response("fCI", ci=ci, mu=0.5), 0.1, rtol=1e-14)
    np.testing.assert_array_equal(gpp(ci=ci, mu=0.7), gpp(ci=0.01, mu=0.7))


def test_no_light_no_production():
    np.testing.assert_array_equal(gpp(par=0.0, fapar=np.array([0.0, 0.5, 1.0])), 0.0)
    np.testing.assert_array_equal(gpp(par=10.0, fapar=0.0), 0.0)


@SETTINGS
@given(blocks())
def test_gpp_is_linear_in_eps_max(block):
    theta, forcing, site = block
    theta[0] = 0.5 + theta[0] / 4
    (once,), _ = lue.run(theta, forcing, site)
    twice, third, none = theta.copy(), theta.copy(), theta.copy()
    twice[0] *= 2
    third[0] /= 3
    none[0] = 0
    np.testing.assert_allclose(lue.run(twice, forcing, site)[0][0], 2 * once, rtol=1e-15, atol=1e-200)
    np.testing.assert_allclose(lue.run(third, forcing, site)[0][0], once / 3, rtol=1e-14, atol=1e-200)
    np.testing.assert_array_equal(lue.run(none, forcing, site)[0][0], 0.0)


def test_lag_filters_step_response():
    days = 60
    alpha = np.array([0.0, 0.3, 0.6, 0.9])
    theta = np.repeat(PARAMETERS.default[:, None], 4, axis=1)
    theta[11], theta[12] = alpha, alpha[::-1]
    step = (np.arange(days) > 0).astype(float)[:, None]
    forcing = (5 + 10 * step, 0.5, 8.0, 0.6, 0.9 - 0.7 * step, 400.0, 0.5)
    forcing = tuple(np.broadcast_to(np.asarray(a, float), (days, 1)).copy() for a in forcing)
    f = response_functions(theta, forcing, np.ones((2, 4)))
    day = np.arange(days)[:, None]
    np.testing.assert_allclose(f["Tf"], 15 - 10 * alpha**day, rtol=1e-13)
    np.testing.assert_allclose(f["Wf"], 0.2 + 0.7 * alpha[::-1] ** day, rtol=1e-13)


def test_lag_filter_continues_from_the_state():
    theta, forcing, _ = neutral(tas=10.0, wai=0.4, aT=0.5, aW=0.75)
    _, state = lue.run(theta, forcing, np.ones((2, 1)), state=np.array([[30.0], [0.8]]))
    np.testing.assert_allclose(state, [[20.0], [0.7]], rtol=1e-14)


@pytest.mark.parametrize(("masks", "lagged"), [((1, 0), "Tf"), ((0, 1), "Wf")])
def test_each_mask_switches_its_own_filter(masks, lagged):
    rng = np.random.default_rng(8)
    theta = PARAMETERS.default[:, None].copy()
    theta[11:] = 0.8
    forcing = tuple(low + (high - low) * rng.random((30, 1)) for low, high in RANGES.values())
    f = response_functions(theta, forcing, np.array(masks, float)[:, None])
    for name, raw in (("Tf", forcing[0]), ("Wf", forcing[4])):
        if name == lagged:
            assert np.abs(f[name][1:] - raw[1:]).min() > 0
            assert f[name].std() < raw.std()
        else:
            np.testing.assert_array_equal(f[name], raw)


def test_float32_forcing_equals_its_float64_copy():
    rng = np.random.default_rng(1)
    theta = PARAMETERS.from_unit(rng.random((40, 13))).T
    forcing = tuple(low + (high - low) * rng.random((50, 40)) for low, high in RANGES.values())
    single = tuple(a.astype(np.float32) for a in forcing)
    site = np.ones((2, 40))
    (out,), _ = lue.run(theta, single, site)
    (widened,), _ = lue.run(theta, tuple(a.astype(np.float64) for a in single), site)
    assert out.dtype == np.float64
    np.testing.assert_allclose(out, widened, rtol=1e-14, atol=1e-200)
    (exact,), _ = lue.run(theta, forcing, site)
    np.testing.assert_allclose(out, exact, rtol=2e-5, atol=1e-12)
