"""Constraints: those of DALEC2 beside the verdicts of the original, their forms, and how calibrations use them."""

import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import gridcal as gc
from gridcal.errors import ConfigError, ModelError
from gridcal.models.dalec import dalec, dalec_model
from gridcal.models.dalec2 import dalec2, dalec2_model
from gridcal.models.dalec2.edc import GAINS, LOSSES, POOLS, constraints
from gridcal.models.edc import attractor, decay, growth, january_mean, not_above, sound, within_factor
from gridcal.process.constraint import Constraint, Evidence, verdicts
from gridcal.process.judging import judge

REFERENCE = os.environ.get("GRIDCAL_REFERENCE")
needs_reference = pytest.mark.skipif(not REFERENCE, reason="GRIDCAL_REFERENCE is not set")

# of CARDAMOM 2.2's own code with EQF = 2: reference/dalec/README.md
FAILS = ({7, 8, 9, 11, 12}, {7, 8, 9, 10, 11, 12}, {7, 8, 9, 10, 11, 12}, {5, 6, 7, 8, 9, 11, 12}, {2, 5, 7, 8, 9, 10, 11, 12},
         {7, 8, 9, 10, 11, 12}, {5, 7, 8, 9, 10, 11, 12}, {5, 6, 7, 8, 9, 10, 11, 12})  # fmt: skip
ABOVE_PRIOR = {1}
PENALTY = (
    (0.464181, 1.168523, 0.304533, 0.012216, 2.957430, 0.676968),
    (1.867492, 8.870201, 63.235245, 45.936614, 15.931673, 31.865350),
    (0.013066, 7.273126, 0.535441, 5.545400, 1.895784, 45.730647),
    (6.325511, 16.651912, 0.513612, 0.003798, 13.372764, 62.612184),
    (12.357977, 3.720665, 14.709264, 81.743784, 8.923784, 40.420819),
    (3.685503, 12.491317, 2.113429, 8.900844, 16.866366, 88.018846),
    (3.745653, 22.888110, 34.506872, 75.030633, 19.647014, 72.782707),
    (0.170100, 33.510422, 3.627817, 73.324159, 2.643798, 77.262996),
)


def reference_run():
    from gridcal.reference.dalec import DALEC2_FILE, _borrowed, _theta2

    path = Path(str(REFERENCE)) / "dalec" / DALEC2_FILE
    with xr.open_dataset(path) as ds:
        data = ds.load()
    theta, site, _ = _theta2(data, path)
    drivers = _borrowed(path.parent, data.sizes["day"])
    return theta, [drivers[f] for f in dalec2.forcing], site


@needs_reference
def test_verdicts_and_penalties_of_the_original():
    theta, forcing, site = reference_run()
    found = judge(dalec2, theta, forcing, site)
    assert found.names == (*(f"EDC{k}" for k in range(1, 13)), "faults")
    assert found.passed.shape == found.penalty.shape == (13, 8)
    for lane in range(8):
        assert {k + 1 for k in range(12) if not found.passed[k, lane]} == FAILS[lane]
        assert found.passed[12, lane] == (lane not in ABOVE_PRIOR)
    np.testing.assert_allclose(found.penalty[6:12].T, PENALTY, rtol=1e-6, atol=6e-7)
    assert (found.penalty[:6][found.passed[:6]] == 0.0).all()
    assert (found.penalty[:6][~found.passed[:6]] > 0.0).all()


@needs_reference
def test_a_wider_factor_passes_more_and_costs_less():
    theta, forcing, site = reference_run()
    narrow = judge(dalec2, theta, forcing, site)
    wide = judge(dalec2_model(eqf=10.0), theta, forcing, site)
    np.testing.assert_allclose(wide.penalty[6:12], narrow.penalty[6:12] * (np.log(2.0) / np.log(10.0)) ** 2, rtol=1e-12)
    assert (wide.passed >= narrow.passed).all()


@needs_reference
def test_many_lanes_are_judged_as_one_by_one():
    theta, forcing, site = reference_run()
    many = np.tile(theta, 40)
    found = judge(dalec2, many, forcing, np.full((1, many.shape[1]), 42.2))
    alone = judge(dalec2, theta[:, 3:4], forcing, site[:, :1])
    np.testing.assert_allclose(found.penalty[:, 3::8], np.repeat(alone.penalty, 40, axis=1), rtol=1e-11)
    assert judge(dalec2, theta[:, :0], forcing, site[:, :0]).passed.shape == (13, 0)


def evidence(theta=None, start=None, series=None, temperature=0.0):
    columns = {k: np.atleast_1d(np.asarray(v, dtype=float)) for k, v in (theta or {"p": [1.0]}).items()}
    paths = {k: np.asarray(v, dtype=float).reshape(len(v), -1) for k, v in (series or {}).items()}
    first = {k: np.atleast_1d(np.asarray(v, dtype=float)) for k, v in (start or {}).items()}
    return Evidence(columns, np.array([temperature]), first, paths)


def test_an_order_costs_half_a_square_a_factor_of_two():
    one = not_above("order", "a <= b", lambda e: e.theta["a"], lambda e: e.theta["b"])
    found = verdicts([one], evidence({"a": [1.0, 2.0, 4.0, np.nan], "b": [2.0, 2.0, 1.0, 1.0]}))
    assert found.passed.tolist() == [[True, True, False, False]]
    assert found.penalty[0].tolist() == pytest.approx([0.0, 0.0, 2.0, np.inf])
    assert one.before_run


def test_a_ratio_within_a_factor():
    one = within_factor("ratio", "within 5", lambda e: e.theta["r"], 5.0)
    found = verdicts([one], evidence({"r": [0.1, 0.2, 1.0, 5.0, 10.0]}))
    assert found.passed.tolist() == [[False, True, True, True, False]]
    assert found.penalty[0].tolist() == pytest.approx([0.5, 0.0, 0.0, 0.0, 0.5])


def test_january_means_take_every_365th_state():
    states = np.arange(1828.0)[:, None]
    assert january_mean(states)[0] == np.mean([0, 365, 730, 1095, 1460, 1825])


def test_growth_of_annual_means():
    days = np.arange(1, 1826)
    straight = {"C": 100.0 * (1.0 + np.outer(days / 365.25, [0.05, 0.2]))}
    found = verdicts([growth("g", "C")], evidence({"p": [1.0, 1.0]}, {"C": [100.0, 100.0]}, straight))
    assert found.passed.tolist() == [[True, False]]


def test_half_lives_of_decay():
    days = np.arange(1096)[:, None]
    half_life = 365.25 * np.array([1.0, 2.9, 3.1, 30.0])
    path = 50.0 + 100.0 * 2.0 ** (-days / half_life)
    found = verdicts([decay("d", "C")], evidence({"p": np.ones(4)}, {"C": path[0]}, {"C": path[1:]}))
    assert found.passed.tolist() == [[False, False, True, True]]
    assert found.penalty[0, 0] == pytest.approx(0.5 * np.log2(3.0) ** 2, rel=1e-9)
    short = verdicts([decay("d", "C")], evidence({"p": np.ones(4)}, {"C": path[0]}, {"C": path[1:600]}))
    assert short.passed.all()


def test_an_attractor_within_its_factor():
    one = attractor("a", "C", lambda e: e.theta["steady"], 2.0, ("C",))
    found = verdicts([one], evidence({"steady": [40.0, 100.0, 210.0]}, {"C": [100.0] * 3}, {"C": np.ones((2, 3))}))
    assert found.passed.tolist() == [[False, True, False]]


def test_faults():
    one = sound("faults", ("C",), {"C": 10.0})
    path = np.array([[1.0, 1.0, 1.0, 30.0], [2.0, -1.0, np.nan, 2.0]])
    found = verdicts([one], evidence({"p": np.ones(4)}, {"C": np.ones(4)}, {"C": path}))
    assert found.passed.tolist() == [[True, False, False, False]]
    assert found.penalty[0].tolist() == [0.0, np.inf, np.inf, np.inf]


def test_every_flux_of_a_pool_counts_once():
    gained = [f for p in POOLS for f in GAINS[p]]
    lost = [f for p in POOLS for f in LOSSES[p]]
    assert sorted(gained) == sorted(set(gained))
    assert sorted(lost) == sorted(set(lost))
    assert set(lost) - set(gained) == {"Rh1", "Rh2"}


def series(n=1):
    doy = np.tile(np.arange(1.0, 366.0), 3)[:, None]
    season = -np.cos(2.0 * np.pi * (doy - 15.0) / 365.0)
    warm = 8.0 + 13.0 * season
    found = {"tasmin": warm - 5.0, "tasmax": warm + 5.0, "rsds": 170.0 + 100.0 * season, "co2": 0.0 * doy + 390.0, "doy": doy,
             "day": 10957.0 + np.arange(doy.size)[:, None]}  # fmt: skip
    return {k: np.repeat(v, n, axis=1) for k, v in found.items()}


def test_forms_of_2015_run_on_the_model():
    model = dalec2_model(edc="2015", eqf=10.0)
    rng = np.random.default_rng(0)
    theta = model.parameters.from_unit(rng.uniform(0.0, 1.0, (20, 23))).T.copy()
    weather = series()
    found = judge(model, theta, [weather[f] for f in model.forcing], np.array([[42.0]]))
    assert len(found.names) == 6 + 12 + 4 + 1
    assert found.passed.any(axis=1).all()
    # steady root carbon of EDC12 by hand
    p = dict(zip(model.parameters.names, theta, strict=True))
    (gpp,), _ = model.run(theta, [weather[f] for f in model.forcing], np.full((1, 20), 42.0), outputs=("gpp",))
    foliage = (1 - p["p2"]) * p["p3"]
    labile = (1 - p["p2"] - foliage) * p["p13"]
    steady = gpp.mean(axis=0) * (1 - p["p2"] - foliage - labile) * p["p4"] / p["p7"]
    k = found.names.index("EDC12")
    np.testing.assert_allclose(found.penalty[k], 0.5 * (np.log(steady / p["p20"]) / np.log(10.0)) ** 2, rtol=1e-9)


def test_dalec_deciduous_has_the_ones_that_carry_over():
    weather = series()
    rng = np.random.default_rng(0)
    theta = dalec.parameters.from_unit(rng.uniform(0.0, 1.0, (50, 20))).T.copy()
    theta[:, 0] = dalec.parameters.default
    forcing = [weather[f] for f in dalec.forcing]
    site = np.array([[42.0], [2.7]])
    found = judge(dalec, theta, forcing, site)
    assert found.names == ("EDC1", "EDC2", "EDC3", "EDC4", "EDC5", "EDC6", "faults")
    p = dict(zip(dalec.parameters.names, theta, strict=True))
    np.testing.assert_array_equal(found.passed[0], p["p9"] <= p["p8"])
    np.testing.assert_array_equal(found.passed[3], p["p7"] >= p["p9"] * 0.5 * np.exp(p["p10"] * 8.0))
    assert found.passed[:4, 0].all()
    assert found.passed[6].all()
    np.testing.assert_array_equal(found.passed[1], p["p9"] <= p["p1"])
    assert not found.passed[1].all()
    ratio = p["p3"] / ((1.0 - p["p3"]) * p["p4"])
    np.testing.assert_array_equal(found.passed[4], (ratio >= 0.2) & (ratio <= 5.0))
    assert not found.passed[4].all()


def twin(tmp=None):
    """One pixel of DALEC with GPP by ACM, observed leaf area made with known parameters."""
    weather = series()
    truth = dalec.parameters.default[:, None]
    forcing = [weather[f] for f in dalec.forcing]
    (lai,), _ = dalec.run(truth, forcing, np.array([[42.0], [2.7]]), outputs=("lai",))
    time = np.datetime64("2001-01-01") + np.arange(lai.shape[0])
    data = xr.Dataset({k: (("time", "pixel"), v) for k, v in weather.items() if k in dalec.forcing})
    noise = 0.05 * np.random.default_rng(1).normal(size=lai.shape)
    data["lai_obs"] = (("time", "pixel"), np.maximum(lai + noise, 0.0), {"units": "m2 m-2"})
    data["lat"] = ("pixel", [42.0])
    from gridcal.cube import Cube

    return Cube(data.assign_coords(time=time, pixel=[0]))


@pytest.mark.parametrize("edc", ["reject", "penalise"])
def test_calibrations_reject_or_penalise(edc):
    cube = twin()
    # without the constraint, wood that turns over faster than leaves changes leaf area not at all
    block = gc.Block(fit=("p18", "p6"), to=gc.Target("lai", every="8-day"), edc=edc)
    found = gc.calibrate(cube, dalec, [block], gc.CMAES(), seed=1).compute()
    theta = np.array([found[n].values[0] for n in dalec.parameters.names])[:, None]
    verdict = judge(dalec, theta, [cube.data[f].values for f in dalec.forcing], np.array([[42.0], [2.7]]))
    assert verdict.passed[2, 0]
    assert found["p18"].values[0] == pytest.approx(60.0, rel=0.03)


def test_a_block_asks_only_for_what_a_model_has():
    from gridcal.models.lue import lue

    with pytest.raises(ConfigError, match="no ecological"):
        gc.Block(fit=("eps_max",), to=gc.Target("gpp"), edc="reject").check(lue)
    with pytest.raises(ConfigError, match="unknown edc"):
        gc.Block(fit=("p18",), to=gc.Target("lai"), edc="forbid")
    with pytest.raises(ConfigError, match="form"):
        constraints("2014")


def test_rejected_runs_count_as_failed_and_penalties_add_twice():
    from gridcal.calibration.constrained import ConstrainedRuns

    weather = series()
    forcing = [weather[f] for f in dalec.forcing]
    site = np.array([[42.0], [2.7]])
    block = gc.Block(fit=("p9",), to=gc.Target("lai"), edc="penalise")
    columns = [dalec.parameters.index("p9")]
    candidates = np.array([[3e-5], [9e-3]])
    runs = ConstrainedRuns(dalec, block, dalec.parameters.default, columns, forcing, site, 100)
    total = judge(dalec, runs.full(candidates), forcing, site).penalty.sum(axis=0)
    np.testing.assert_allclose(runs.penalty(candidates), 2.0 * total, rtol=1e-12)
    hard = ConstrainedRuns(
        dalec, gc.Block(fit=("p9",), to=gc.Target("lai"), edc="reject"), dalec.parameters.default, columns, forcing, site, 100
    )
    assert hard.penalty(candidates)[1] == np.inf
    off = ConstrainedRuns(
        dalec, gc.Block(fit=("p9",), to=gc.Target("lai")), dalec.parameters.default, columns, forcing, site, 100
    )
    assert off.constraints == ()


def test_a_constraint_on_an_unknown_output_is_an_error_that_names_it():
    import dataclasses

    odd = Constraint("odd", "text", "source", lambda e: (np.ones(1, dtype=bool), np.zeros(1)), ("leaf_area",))
    with pytest.raises(ModelError, match="leaf_area"):
        dataclasses.replace(dalec_model(), constraints=(odd,))
