"""DALEC-deciduous and DALEC2: invariants over the whole prior, an oracle in plain Python, the contract of models."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gridcal as gc
from gridcal.errors import ConfigError
from gridcal.models.dalec import PARAMETERS, dalec, dalec_model
from gridcal.models.dalec2 import dalec2, dalec2_model

_spec = importlib.util.spec_from_file_location("dalec_oracle", Path(__file__).with_name("dalec_oracle.py"))
oracle = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(oracle)

GIVEN = dalec_model(gpp="given")
POOLS = ("Cf", "Cw", "Cr", "Clab", "Clit", "Csom")
LARGEST_POOLS = (400.0, 25000.0, 300.0, 200.0, 200.0, 40000.0)  # of REFLEX calibrations
N = 16
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=12, deadline=None)


def weather(rng, years=2, n=N, mean=9.0):
    """Daily weather of a temperate climate, each (T, n)."""
    doy = np.concatenate([np.arange(1.0, 366.0)] * years)[:, None]
    season = -np.cos(2.0 * np.pi * (doy - 15.0) / 365.0)
    warm = mean + 14.0 * season + rng.normal(0.0, 4.0, (doy.size, n))
    spread = rng.uniform(2.0, 9.0, (doy.size, n))
    rain = rng.uniform(0.3, 1.0, (doy.size, n))
    return {
        "tasmin": warm - spread, "tasmax": warm + spread, "rsds": (180.0 + 110.0 * season) * rain,
        "co2": np.full((doy.size, n), 390.0), "doy": np.repeat(doy, n, axis=1),
        "day": np.repeat(10957.0 + np.arange(doy.size)[:, None], n, axis=1),
        "gpp": np.maximum(0.0, 6.0 + 9.0 * season) * rain,
    }  # fmt: skip


def draw(seed, model, **fixed):
    """Parameters from the whole prior, weather, site constants, and pools from REFLEX's bounds."""
    rng = np.random.default_rng(seed)
    theta = model.parameters.from_unit(rng.uniform(0.0, 1.0, (N, len(model.parameters)))).T.copy()
    for name, value in fixed.items():
        theta[model.parameters.index(name)] = value
    series = weather(rng)
    site = constants(model)
    start = np.zeros((len(model.state), N))
    for k, entry in enumerate(model.state):
        if entry.name in POOLS:
            start[k] = rng.uniform(0.0, LARGEST_POOLS[POOLS.index(entry.name)], N)
        elif entry.name == "max_fol":
            start[k] = 1.0
    return theta, [series[f] for f in model.forcing], site, start


def constants(model, lat=42.2, n=N):
    """Site constants, shape (S, n)."""
    known = {"lat": lat, **model.site_default}
    return np.repeat(np.array([known[s] for s in model.site]).reshape(-1, 1), n, axis=1)


def every(model):
    """All results: one set of names, so that each model is compiled once."""
    return (*model.outputs, *model.extra_outputs)  # as the contract's check asks for them


def simulate(model, theta, forcing, site, state):
    names = every(model)
    found, last = model.run(theta, forcing, site, state, outputs=names)
    return dict(zip(names, found, strict=True)), last


def states(model, found, start, pool):
    return np.concatenate([start[[s.name for s in model.state].index(pool)][None], found[pool]])


@pytest.mark.parametrize("model", [dalec, dalec_model(growth_stop=200.0), GIVEN, dalec2, dalec2_model("given")])
@few
@given(seed=seeds)
def test_carbon_closes_and_no_pool_turns_negative(model, seed):
    theta, forcing, site, start = draw(seed, model)
    found, _ = simulate(model, theta, forcing, site, start)
    gpp = found.get("gpp", forcing[model.forcing.index("gpp")] if "gpp" in model.forcing else None)
    pools = {p: states(model, found, start, p) for p in POOLS}
    change = sum(np.diff(x, axis=0) for x in pools.values())
    assert np.abs(change - (gpp - found["ra"] - found["rh"])).max() < 1e-10
    assert np.abs(change + found["nee"]).max() < 1e-10
    assert min(x.min() for x in pools.values()) >= 0.0


@few
@given(seed=seeds)
def test_a_canopy_grows_to_its_largest_and_labile_carbon_adds_to_that(seed):
    theta, forcing, site, start = draw(seed, dalec)
    found, _ = simulate(dalec, theta, forcing, site, start)
    before = states(dalec, found, start, "Cf")[:-1]
    ceiling = np.maximum(before, theta[PARAMETERS.index("p17")])
    assert (found["Cf"] <= ceiling * (1.0 + 1e-14) + found["Afromlab"]).all()


@few
@given(seed=seeds)
def test_without_production_carbon_only_leaves(seed):
    theta, forcing, site, start = draw(seed, GIVEN)
    forcing[GIVEN.forcing.index("gpp")] = np.zeros_like(forcing[0])
    found, _ = simulate(GIVEN, theta, forcing, site, start)
    total = sum(states(GIVEN, found, start, p) for p in POOLS)
    assert (np.diff(total, axis=0) <= 1e-11).all()


@few
@given(seed=seeds)
def test_free_transfers_leave_growth_respiration_alone(seed):
    model = dalec.with_parameters(PARAMETERS.with_bounds({"p16": (0.0, 0.5)}))
    theta, forcing, site, start = draw(seed, model, p16=0.0)
    found, _ = simulate(model, theta, forcing, site, start)
    np.testing.assert_allclose(found["ra"], theta[1] * found["gpp"], rtol=1e-14)


@few
@given(seed=seeds)
def test_leaves_that_all_become_litter_never_refill_the_labile_store(seed):
    theta, forcing, site, start = draw(seed, dalec, p14=1.0)
    found, _ = simulate(dalec, theta, forcing, site, start)
    assert (np.diff(states(dalec, found, start, "Clab"), axis=0) <= 0.0).all()
    assert not found["Atolab"].any()


@pytest.mark.parametrize("model", [dalec, dalec_model(scheme="reflex"), GIVEN, dalec2])
@few
@given(seed=seeds, day=st.integers(1, 729))
def test_a_run_goes_on_to_the_bit(model, seed, day):
    theta, forcing, site, start = draw(seed, model)
    names = every(model)
    whole, last = model.run(theta, forcing, site, start, outputs=names)
    first, middle = model.run(theta, [x[:day] for x in forcing], site, start, outputs=names)
    second, end = model.run(theta, [x[day:] for x in forcing], site, middle, outputs=names)
    for a, b, c in zip(first, second, whole, strict=True):
        np.testing.assert_array_equal(np.concatenate([a, b]), c)
    np.testing.assert_array_equal(end, last)


@few
@given(seed=seeds)
def test_twice_the_carbon_is_twice_the_flux(seed):
    theta, forcing, site, start = draw(seed, GIVEN)
    once, _ = simulate(GIVEN, theta, forcing, site, start)
    theta[PARAMETERS.index("p17")] *= 2.0
    forcing[GIVEN.forcing.index("gpp")] = 2.0 * forcing[GIVEN.forcing.index("gpp")]
    start[:6] *= 2.0
    twice, _ = simulate(GIVEN, theta, forcing, site, start)
    for name in (*POOLS, "ra", "rh", "nee", "reco", "grow", "Af", "Ar", "Aw", "Lf", "Lw", "Lr", "Rh1", "Rh2", "D"):
        np.testing.assert_array_equal(twice[name], 2.0 * once[name])


@pytest.mark.parametrize("lat", [42.2, -36.0, 70.0])
@pytest.mark.parametrize("stop", [None, 200.0])
def test_one_pixel_follows_the_equations_written_out(lat, stop):
    model = dalec_model(growth_stop=stop)
    rng = np.random.default_rng(11)
    theta = model.parameters.from_unit(rng.uniform(0.0, 1.0, (N, 20))).T.copy()
    theta[:, 0] = PARAMETERS.default
    series = weather(rng)
    site = constants(model, lat)
    names = ("gpp", "ra", "rh", "nee", *POOLS, "gdd", "max_fol", "lai")
    found, _ = simulate(model, theta, [series[f] for f in model.forcing], site, None)
    for lane in range(N):
        days = [
            (series["tasmin"][t, lane], series["tasmax"][t, lane], series["rsds"][t, lane] * 0.0864, 390.0, doy)
            for t, doy in enumerate(series["doy"][:, lane])
        ]
        expected = oracle.run(dict(enumerate(theta[:, lane], 1)), days, lat, stop=stop)
        for name in names:
            reference = np.array([d[name] for d in expected])
            np.testing.assert_allclose(found[name][:, lane], reference, rtol=0.0, atol=1e-11 * np.abs(reference).max())


def test_one_pixel_with_production_given():
    rng = np.random.default_rng(3)
    theta = GIVEN.parameters.from_unit(rng.uniform(0.0, 1.0, (N, 20))).T.copy()
    series = weather(rng)
    found, _ = simulate(GIVEN, theta, [series[f] for f in GIVEN.forcing], constants(GIVEN, 50.0), None)
    days = [(a, b, 0.0, 0.0, d) for a, b, d in zip(*(series[k][:, 5] for k in ("tasmin", "tasmax", "doy")), strict=True)]
    expected = oracle.run(dict(enumerate(theta[:, 5], 1)), days, 50.0, gpp=series["gpp"][:, 5])
    for name in ("nee", "Cf"):
        reference = np.array([d[name] for d in expected])
        np.testing.assert_allclose(found[name][:, 5], reference, rtol=0.0, atol=1e-11 * np.abs(reference).max())


def test_shared_weather_gives_the_same_bits_as_weather_of_each_lanes_own():
    rng = np.random.default_rng(2)
    for model in (dalec, dalec2, GIVEN):
        n = 2 * model.width + 5
        theta = model.parameters.from_unit(rng.uniform(0.0, 1.0, (n, len(model.parameters)))).T.copy()
        series = weather(rng, n=1)
        site = constants(model, n=n)
        names = every(model)
        one, _ = model.run(theta, [series[f] for f in model.forcing], site, outputs=names)
        many, _ = model.run(theta, [np.repeat(series[f], n, axis=1) for f in model.forcing], site, outputs=names)
        for a, b in zip(one, many, strict=True):
            np.testing.assert_array_equal(a, b)


def test_the_published_update_lags_and_can_turn_negative():
    model = dalec_model(scheme="reflex")
    theta, forcing, site, start = draw(1, model)
    found, _ = simulate(model, theta, forcing, site, start)
    total = sum(states(model, found, start, p) for p in POOLS)
    lag = np.diff(np.concatenate([np.zeros((1, N)), found["Afromlab"]]), axis=0)
    ok = np.abs(total).max(axis=0) < 1e6  # lanes that blow up lose digits
    assert ok.any()
    np.testing.assert_allclose((np.diff(total, axis=0) + found["nee"] + lag)[:, ok], 0.0, atol=1e-8)
    assert min(found[p].min() for p in POOLS) < 0.0


def test_production_in_the_polar_day_and_night():
    series = weather(np.random.default_rng(0), years=1, n=1)
    theta = PARAMETERS.default[:, None]
    forcing = [series[f] for f in dalec.forcing]
    found, _ = simulate(dalec, theta, forcing, constants(dalec, 80.0, 1), None)
    gpp, leaves = found["gpp"], found["lai_acm"]
    for day, hours in ((0, 0.0), (171, 24.0)):
        tmin, tmax, rad = (series[k][day, 0] for k in ("tasmin", "tasmax", "rsds"))
        equator = oracle.acm(leaves[day, 0], 2.7, 14.0, tmin, tmax, rad * 0.0864, 390.0, day + 1, 0.0)
        per_hour = equator / (0.0156935 * 12.0 + 0.0453194)  # 12 hours of sun at the equator on every day
        assert gpp[day, 0] == pytest.approx(per_hour * (0.0156935 * hours + 0.0453194), rel=1e-12)


_SLOW = (
    dalec_model(scheme="reflex"),
    dalec_model(growth_stop=200.0),
    dalec_model("reflex", 200.0, "given"),
    dalec2_model("given"),
)


@pytest.mark.parametrize(
    "model", [dalec, GIVEN, dalec2, *(pytest.param(m, marks=pytest.mark.slow) for m in _SLOW)], ids=lambda m: m.name
)
def test_the_contract_of_models(model):
    gc.check_model(model).raise_for_failure()


def test_choices_are_checked():
    for wrong in ({"scheme": "x"}, {"gpp": "x"}, {"growth_stop": 400.0}):
        with pytest.raises(ConfigError):
            dalec_model(**wrong)
    with pytest.raises(ConfigError):
        dalec2_model("x")
    with pytest.raises(ConfigError):
        dalec2_model(edc="2017")
    with pytest.raises(ConfigError):
        dalec2_model(eqf=1.0)


def test_table_2_of_the_paper():
    table = {
        "p2": (0.45, 0.2, 0.7), "p3": (0.4, 0.01, 0.5), "p5": (0.06, 1e-4, 0.1), "p10": (0.073, 0.05, 0.2),
        "p12": (240.0, 200.0, 400.0), "p13": (9.0, 8.0, 15.0), "p14": (0.48, 0.1, 0.7), "p15": (0.09, 1e-4, 0.2),
        "p16": (0.15, 0.01, 0.5), "p17": (300.0, 100.0, 500.0), "p18": (60.0, 10.0, 200.0), "p19": (100.0, 80.0, 120.0),
        "p20": (270.0, 200.0, 365.0),
    }  # fmt: skip
    for name, (default, lower, upper) in table.items():
        p = PARAMETERS[name]
        assert (p.default, p.lower, p.upper) == (default, lower, upper)
    assert [p.name for p in GIVEN.parameters if p.inert] == ["p11"]
