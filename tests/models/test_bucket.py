"""The soil-moisture bucket: water is conserved, limits hold, a scalar version agrees day by day."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridcal.kernels.series.solar import PSYCHROMETER, equilibrium_evaporation, esat_slope
from gridcal.models.bucket import DEFAULTS, wai


def weather(days=400, n=3, seed=0):
    rng = np.random.default_rng(seed)
    season = np.cos(2 * np.pi * (np.arange(days) - 200) / 365)[:, None]
    tas = 5.0 + 14.0 * season + rng.normal(0, 3, (days, n))
    pr = rng.gamma(0.3, 10.0, (days, n))
    net = np.maximum(6.0 + 6.0 * season + rng.normal(0, 2, (days, n)), 0.0)
    return pr, tas, net


def scalar(pr, tas, net, awc, water, snow, theta=0.05, alphaPT=1.2, meltT=3.0, meltRn=0.9, sublimation=0.44):
    """The order of a step as the equations say it: melt, sublimation, snowfall, filling, evapotranspiration."""
    out = []
    for p, t, r in zip(pr, tas, net, strict=True):
        melt = min(meltT * t + meltRn * r, snow) if t >= 0 else 0.0
        share = esat_slope(t) / (esat_slope(t) + PSYCHROMETER)
        lost = min(sublimation * r / 2.83 * share, snow - melt)
        snow = snow - melt - lost + (p if t < 0 else 0.0)
        arriving = melt + (p if t >= 0 else 0.0)
        runoff = max(arriving - (awc - water), 0.0)
        water += arriving - runoff
        et = min(alphaPT * equilibrium_evaporation(r, t), theta * water)
        water -= et
        out.append((water / awc, et + lost, runoff))
    return np.array(out).T, (water, snow)


def test_a_scalar_version_agrees_day_by_day():
    pr, tas, net = weather()
    index, flux, state = wai(pr, tas, net, awc=150.0, state=np.array([[40.0] * 3, [12.0] * 3]))
    for k in range(3):
        (w, et, runoff), (water, snow) = scalar(pr[:, k], tas[:, k], net[:, k], 150.0, 40.0, 12.0)
        np.testing.assert_allclose(index[:, k], w, rtol=1e-12)
        np.testing.assert_allclose(flux["et"][:, k], et, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(flux["runoff"][:, k], runoff, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(state[:, k], [water, snow], rtol=1e-12, atol=1e-12)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    awc=st.floats(1.0, 1000.0),
    theta=st.floats(1e-3, 1.0),
    alphaPT=st.floats(0.0, 5.0),
    meltT=st.floats(0.0, 12.0),
    sublimation=st.floats(0.0, 3.0),
    filled=st.floats(0.0, 1.0),
    snow=st.floats(0.0, 300.0),
)
def test_water_is_conserved_and_the_store_keeps_within_its_limits(seed, awc, theta, alphaPT, meltT, sublimation, filled, snow):
    pr, tas, net = weather(120, 2, seed)
    start = np.array([[filled * awc] * 2, [snow] * 2])
    options = {"theta": theta, "alphaPT": alphaPT, "meltT": meltT, "sublimation": sublimation}
    index, flux, end = wai(pr, tas, net, awc=awc, state=start, **options)
    gone = (flux["et"] + flux["runoff"]).sum(axis=0) + (end - start).sum(axis=0)
    np.testing.assert_allclose(gone, pr.sum(axis=0), rtol=1e-9, atol=1e-9)
    assert ((index >= 0.0) & (index <= 1.0 + 1e-12)).all()
    assert (flux["et"] >= 0.0).all()
    assert (flux["runoff"] >= -1e-12).all()
    assert (end >= 0.0).all()


def test_no_rain_empties_the_store_at_the_rate_of_supply():
    # warm, bright and dry: et = theta * water every day, so the store decays as (1 - theta)**t
    days = 60
    index, _, _ = wai(
        np.zeros((days, 1)), np.full((days, 1), 25.0), np.full((days, 1), 30.0), awc=100.0, state=[[100.0], [0.0]]
    )
    np.testing.assert_allclose(index[:, 0], 0.95 ** np.arange(1, days + 1), rtol=1e-12)


def test_no_radiation_keeps_what_is_there():
    index, flux, _ = wai(np.zeros((9, 1)), np.full((9, 1), 25.0), np.zeros((9, 1)), awc=80.0, state=[[20.0], [0.0]])
    np.testing.assert_allclose(index, 0.25, rtol=1e-14)
    assert (flux["et"] == 0.0).all()


def test_what_does_not_fit_runs_off():
    _, flux, state = wai(np.full((1, 1), 70.0), np.full((1, 1), 10.0), np.zeros((1, 1)), awc=100.0, state=[[60.0], [0.0]])
    assert flux["runoff"][0, 0] == pytest.approx(30.0)
    assert state[0, 0] == pytest.approx(100.0)


def test_frost_makes_snow_and_thaw_makes_water():
    pr, tas, net = np.array([[10.0], [0.0], [0.0]]), np.array([[-5.0], [2.0], [2.0]]), np.zeros((3, 1))
    index, _, state = wai(pr, tas, net, awc=100.0, state=[[0.0], [0.0]])
    # 3 mm degC-1 d-1 at 2 degC melt 6 of the 10 mm, then the rest
    np.testing.assert_allclose(index[:, 0], [0.0, 0.06, 0.10], atol=1e-14)
    assert state[1, 0] == 0.0


def test_defaults_are_the_daily_values_of_the_specification():
    # hourly melt 0.125 mm degC-1 and 0.0375 mm MJ-1 times 24; theta 0.05 d-1 at a daily step
    wanted = {"theta": 0.05, "alphaPT": 1.2, "meltT": 24 * 0.125, "meltRn": 24 * 0.0375, "sublimation": 0.44}
    assert pytest.approx(wanted, rel=1e-14) == DEFAULTS
    pr, tas, net = weather(50, 1)
    np.testing.assert_array_equal(wai(pr, tas, net, awc=90.0)[0], wai(pr, tas, net, awc=90.0, **DEFAULTS)[0])


def test_a_split_run_is_the_whole_run_to_the_bit():
    pr, tas, net = weather()
    start = np.array([[50.0] * 3, [0.0] * 3])
    whole, _, end = wai(pr, tas, net, awc=120.0, state=start)
    first, _, middle = wai(pr[:151], tas[:151], net[:151], awc=120.0, state=start)
    second, _, last = wai(pr[151:], tas[151:], net[151:], awc=120.0, state=middle)
    np.testing.assert_array_equal(np.vstack([first, second]), whole)
    np.testing.assert_array_equal(last, end)
    assert (start == [[50.0] * 3, [0.0] * 3]).all()


def test_five_loops_of_spin_up_are_five_runs_by_hand():
    pr, tas, net = weather(200, 2)
    state = np.array([[120.0] * 2, [0.0] * 2])
    for _ in range(5):
        _, _, state = wai(pr, tas, net, awc=120.0, state=state)
    np.testing.assert_array_equal(wai(pr, tas, net, awc=120.0)[0], wai(pr, tas, net, awc=120.0, state=state)[0])


def test_each_pixel_has_its_own_capacity_and_does_not_see_the_others():
    pr, tas, net = weather(100, 3)
    capacity = np.array([50.0, 150.0, 400.0])
    together = wai(pr, tas, net, awc=capacity)[0]
    for k in range(3):
        alone = wai(pr[:, k : k + 1], tas[:, k : k + 1], net[:, k : k + 1], awc=capacity[k])[0]
        np.testing.assert_array_equal(together[:, k], alone[:, 0])


@pytest.mark.parametrize("warmth", [-20.0, 20.0])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_missing_day_is_missing_from_there_on_in_its_pixel_alone(which, warmth):
    forcing = [x.copy() for x in weather(200, 2)]
    forcing[1][:40] += warmth  # a gap in frost or in warmth; both thaw later
    start = [[50.0] * 2, [5.0] * 2]
    index, flux, last = wai(*forcing, awc=100.0, state=start)
    forcing[which][20, 0] = np.nan
    broken, lost, end = wai(*forcing, awc=100.0, state=start)
    for found, whole in ((broken, index), (lost["et"], flux["et"]), (lost["runoff"], flux["runoff"])):
        np.testing.assert_array_equal(found[:20, 0], whole[:20, 0])
        np.testing.assert_array_equal(found[:, 1], whole[:, 1])
        assert np.isnan(found[20:, 0]).all()
    np.testing.assert_array_equal(end[:, 1], last[:, 1])
    assert np.isnan(end[:, 0]).all()


@pytest.mark.parametrize("name", ["awc", "state", *sorted(set(DEFAULTS) - {"awc"})])
def test_a_missing_constant_or_state_gives_no_number(name):
    given = {"awc": 100.0, "state": np.array([[50.0], [0.0]]), **DEFAULTS}
    given[name] = given[name] * np.nan
    index, flux, end = wai(*weather(30, 1), **given)
    assert np.isnan([index, flux["et"], flux["runoff"]]).all()
    assert np.isnan(end).all()


def test_a_gap_leaves_a_cold_start_no_number_at_all():
    pr, tas, net = weather(60, 2)
    tas[20, 0] = np.nan
    index, flux, _ = wai(pr, tas, net, awc=100.0)
    assert np.isnan([index[:, 0], flux["et"][:, 0], flux["runoff"][:, 0]]).all()
    assert np.isfinite(index[:, 1]).all()
