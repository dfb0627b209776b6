"""Scores against closed forms, other libraries, and the properties their definitions imply."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import pearsonr
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from gridcal.errors import ConfigError, InputError
from gridcal.kernels.series.metrics import METRICS, error_removed, scores, series_scores

OBS = np.array([1.0, 2.0, 3.0, 4.0])
SIM = np.array([2.0, 2.0, 4.0, 4.0])
R = 2.0 / np.sqrt(5.0)

# by hand: mean obs 2.5, mean sim 3, sums of squares 5 (obs) and 4 (sim), cross product 4, squared errors 2
CLOSED = {
    "r": R,
    "r2": 0.8,
    "rmse": np.sqrt(0.5),
    "me": 0.5,
    "mae": 0.5,
    "nrmse": np.sqrt(0.5) / 2.5,
    "nse": 0.6,
    "kge": 1.0 - np.sqrt((R - 1.0) ** 2 + (np.sqrt(0.8) - 1.0) ** 2 + 0.2**2),
    "diso": np.sqrt((R - 1.0) ** 2 + 0.2**2 + 0.5 / 2.5**2),
    "n": 4.0,
}


@pytest.mark.parametrize("name", CLOSED)
def test_four_values_by_hand(name):
    assert series_scores(SIM, OBS)[name] == pytest.approx(CLOSED[name], rel=1e-14)


def test_printed_diso_divides_squares_by_the_mean_itself():
    # Ma et al. eq. 13 as printed: me2 / mean + rmse2 / mean
    found = series_scores(SIM, OBS, "printed")
    assert found["diso"] == pytest.approx(np.sqrt((R - 1.0) ** 2 + 0.25 / 2.5 + 0.5 / 2.5), rel=1e-14)
    assert {k: v for k, v in found.items() if k != "diso"} == {k: v for k, v in series_scores(SIM, OBS).items() if k != "diso"}


def test_other_libraries_agree():
    rng = np.random.default_rng(4)
    obs = rng.gamma(2.0, 2.0, (400, 6))
    sim = 0.8 * obs + rng.normal(0.5, 1.0, obs.shape)
    found = scores(sim, obs)
    for k in range(6):
        s, o = sim[:, k], obs[:, k]
        r = pearsonr(s, o).statistic
        kge = 1 - np.sqrt((r - 1) ** 2 + (np.std(s) / np.std(o) - 1) ** 2 + (np.mean(s) / np.mean(o) - 1) ** 2)
        wanted = {
            "r": r,
            "r2": r**2,
            "rmse": np.sqrt(mean_squared_error(o, s)),
            "mae": mean_absolute_error(o, s),
            "me": np.mean(s - o),
            "nrmse": np.sqrt(mean_squared_error(o, s)) / np.mean(o),
            "nse": r2_score(o, s),  # scikit-learn's r2_score is Nash and Sutcliffe's efficiency
            "kge": kge,
        }
        for name, value in wanted.items():
            assert found[name][k] == pytest.approx(value, rel=1e-11), name


def test_mean_error_is_simulated_minus_observed():
    assert series_scores(OBS + 2.0, OBS)["me"] == 2.0
    assert series_scores(OBS - 2.0, OBS)["me"] == -2.0


def test_the_mean_of_the_observations_has_no_efficiency():
    # NSE = 0 by definition; r is not defined for a constant run
    found = series_scores(np.full(4, OBS.mean()), OBS)
    assert found["nse"] == 0.0
    assert [name for name in METRICS if np.isnan(found[name])] == ["r", "r2", "kge", "diso"]
    assert found["rmse"] == pytest.approx(np.sqrt(1.25))


def test_opposite_run_has_a_correlation_of_minus_one():
    found = series_scores(OBS[::-1], OBS)
    assert found["r"] == pytest.approx(-1.0)
    assert found["r2"] == pytest.approx(1.0)
    assert found["nse"] == pytest.approx(1.0 - 20.0 / 5.0)
    assert found["kge"] == pytest.approx(-1.0)


@pytest.mark.parametrize("value", [0.1, 3.0, 1e-9, 1e9])
def test_constant_observation_gives_nan_where_variation_is_divided_by(value):
    sim = np.linspace(1.0, 2.0, 11) * value
    found = series_scores(sim, np.full(11, value))
    assert [name for name in METRICS if np.isnan(found[name])] == ["r", "r2", "nse", "kge", "diso"]
    assert found["me"] == pytest.approx(0.5 * value)


def test_observations_around_zero_have_no_relative_error():
    found = series_scores(np.array([0.0, 1.0, -1.0]), np.array([-1.0, 0.0, 1.0]))
    assert [name for name in METRICS if np.isnan(found[name])] == ["nrmse", "kge", "diso"]
    assert found["rmse"] == pytest.approx(np.sqrt(6.0 / 3.0))


def test_negative_mean_observation_counts_by_its_size():
    # DISO and NRMSE use the absolute mean: carbon uptake as a negative flux scores like its mirror image
    one, other = series_scores(SIM, OBS), series_scores(-SIM, -OBS)
    for name in ("r", "rmse", "nrmse", "nse", "kge", "diso"):
        assert one[name] == pytest.approx(other[name], rel=1e-14)
    assert one["me"] == -other["me"]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_fewer_than_three_pairs_score_nothing(n):
    obs = np.where(np.arange(4) < n, OBS, np.nan)
    found = series_scores(SIM, obs)
    assert found.pop("n") == n
    assert np.isnan(list(found.values())).all()


def test_no_time_and_no_column():
    assert np.isnan(scores(np.empty((0, 2)), np.empty((0, 2)))["rmse"]).all()
    assert scores(np.empty((5, 0)), np.empty((5, 0)))["n"].shape == (0,)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_pairs_that_are_not_finite_are_left_out_on_either_side(bad):
    sim, obs = np.r_[SIM, bad, 7.0], np.r_[OBS, 5.0, bad]
    assert series_scores(sim, obs) == series_scores(SIM, OBS)


def test_a_column_does_not_see_its_neighbours():
    both = scores(np.c_[SIM, np.full(4, np.nan), 3 * SIM], np.c_[OBS, OBS, OBS])
    for name, value in series_scores(SIM, OBS).items():
        assert both[name][0] == value
    assert both["n"].tolist() == [4.0, 0.0, 4.0]


def test_large_offset_does_not_eat_the_digits():
    # temperatures in kelvin times 1e6: a one-pass variance would lose all digits
    found = series_scores(SIM + 1e9, OBS + 1e9)
    assert found["r"] == pytest.approx(R, rel=1e-6)
    assert found["nse"] == pytest.approx(0.6, rel=1e-6)


def test_weights_are_repetitions():
    times = np.array([1, 3, 0, 2])
    weighted = scores(SIM[:, None], OBS[:, None], weights=times.astype(float))
    repeated = scores(np.repeat(SIM, times)[:, None], np.repeat(OBS, times)[:, None])
    for name in METRICS:
        assert weighted[name][0] == pytest.approx(repeated[name][0], rel=1e-13)
    assert weighted["n"][0] == 3.0
    spread = np.c_[times, np.ones(4)].astype(float)
    two = scores(np.c_[SIM, SIM], np.c_[OBS, OBS], weights=spread)
    assert two["rmse"][0] == weighted["rmse"][0]
    assert two["rmse"][1] == series_scores(SIM, OBS)["rmse"]


def test_missing_weight_leaves_its_pair_out():
    found = scores(SIM[:, None], OBS[:, None], weights=np.array([1.0, 1.0, np.nan, 1.0]))
    assert found["n"][0] == 3.0
    assert found["me"][0] == pytest.approx(1.0 / 3.0)


def test_wrong_requests_are_named():
    with pytest.raises(ConfigError, match=r"'hu'.*hu2019, printed"):
        series_scores(SIM, OBS, "hu")
    with pytest.raises(InputError, match=r"\(4, 1\) and obs \(3, 1\)"):
        scores(SIM[:, None], OBS[:3, None])
    with pytest.raises(InputError, match="one shape"):
        scores(SIM, OBS)
    with pytest.raises(InputError, match="negative"):
        series_scores(SIM, OBS, weights=[1, 1, -1, 1])
    with pytest.raises(InputError, match=r"weights \(3,\)"):
        series_scores(SIM, OBS, weights=[1, 1, 1])


def test_error_removed_is_the_change_of_figure_10():
    # Ma et al. figure 10: (DISO_def - DISO_opt) / DISO_def, positive = better
    before, after = np.array([0.5, 0.5, 0.5, 0.0, np.nan]), np.array([0.4, 0.0, 1.0, 0.1, 0.1])
    np.testing.assert_allclose(error_removed(before, after), [0.2, 1.0, -1.0, np.nan, np.nan])


VALUES = st.floats(-100.0, 100.0, allow_subnormal=False).map(lambda x: round(x, 3))
PAIR = st.integers(3, 30).flatmap(lambda n: st.tuples(arrays(float, n, elements=VALUES), arrays(float, n, elements=VALUES)))
quick = settings(max_examples=60, deadline=None, derandomize=True)


def varies(*series):
    for x in series:
        assume(np.ptp(x) > 0.1 and abs(x.mean()) > 0.1)


@quick
@given(PAIR)
def test_perfect_run_has_perfect_scores(pair):
    _, obs = pair
    varies(obs)
    found = series_scores(obs, obs)
    for name in ("r", "r2", "nse", "kge"):
        assert found[name] == pytest.approx(1.0, abs=1e-12)
    for name in ("rmse", "me", "mae", "nrmse"):
        assert found[name] == 0.0
    assert found["diso"] == pytest.approx(0.0, abs=1e-12)


@quick
@given(PAIR, st.floats(0.01, 1000.0))
def test_another_unit_changes_errors_by_its_factor_and_nothing_else(pair, factor):
    sim, obs = pair
    varies(sim, obs)
    one, other = series_scores(sim, obs), series_scores(factor * sim, factor * obs)
    for name in METRICS:
        wanted = one[name] * (factor if name in ("rmse", "me", "mae") else 1.0)
        assert other[name] == pytest.approx(wanted, rel=1e-8, abs=1e-8 * max(factor, 1.0)), name


def test_the_printed_diso_depends_on_the_unit():
    one, other = series_scores(SIM, OBS, "printed"), series_scores(100 * SIM, 100 * OBS, "printed")
    assert other["diso"] > 5 * one["diso"]


@quick
@given(PAIR, st.integers(0, 1000))
def test_the_order_of_days_does_not_matter(pair, seed):
    sim, obs = pair
    varies(sim, obs)
    order = np.random.default_rng(seed).permutation(sim.size)
    one, other = series_scores(sim, obs), series_scores(sim[order], obs[order])
    for name in METRICS:
        assert other[name] == pytest.approx(one[name], rel=1e-9, abs=1e-9), name


@quick
@given(PAIR, st.floats(-50.0, 50.0))
def test_a_common_shift_leaves_what_is_not_relative(pair, shift):
    sim, obs = pair
    varies(sim, obs)
    one, other = series_scores(sim, obs), series_scores(sim + shift, obs + shift)
    for name in ("r", "r2", "rmse", "me", "mae", "nse"):
        assert other[name] == pytest.approx(one[name], rel=1e-7, abs=1e-7), name


@quick
@given(PAIR)
def test_inequalities_between_scores(pair):
    sim, obs = pair
    varies(sim, obs)
    x = series_scores(sim, obs)
    slack = 1e-9 * (1.0 + abs(x["rmse"]))
    assert abs(x["me"]) <= x["mae"] + slack
    assert x["mae"] <= x["rmse"] + slack
    assert -1.0 <= x["r"] <= 1.0
    assert x["nse"] <= x["r2"] + 1e-9  # the best linear fit of the run explains r2; the run itself no more
    assert x["kge"] <= 1.0
    assert x["diso"] >= np.hypot(x["me"] / abs(obs.mean()), x["nrmse"]) - slack


@quick
@given(PAIR)
def test_simulated_and_observed_swap_only_what_is_symmetric(pair):
    sim, obs = pair
    varies(sim, obs)
    one, other = series_scores(sim, obs), series_scores(obs, sim)
    for name in ("r", "r2", "rmse", "mae"):
        assert other[name] == pytest.approx(one[name], rel=1e-9, abs=1e-12)
    assert other["me"] == pytest.approx(-one["me"], rel=1e-9, abs=1e-12)
