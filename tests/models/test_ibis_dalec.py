"""IBIS-DALEC: it is IBIS driven by its own leaf area and DALEC driven by its own GPP, and nothing else."""

import functools

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import gridcal as gc
from gridcal.errors import ConfigError
from gridcal.models.dalec import dalec_model
from gridcal.models.ibis import ibis_model
from gridcal.models.ibis_dalec import ibis_dalec, ibis_dalec_model
from gridcal.models.ibis_dalec.day import STRUCTURE

POOLS = ("Cf", "Cw", "Cr", "Clab", "Clit", "Csom")
INERT = {"specla", "tauleaf", "tauroot", "tauwood0", "aleaf", "aroot", "rgrowth", "rroot", "rwood", "beta1"}
OTHER = {"plants": "ibis", "soil": "ibis", "stems": "canopy", "growth_stop": 200.0}


def weather(days, n, seed=0):
    """Daily forcing by name from 1 January on, each (days, n) or (days, 1)."""
    rng = np.random.default_rng(seed)
    doy = np.arange(days) % 365 + 1.0
    season = -np.cos(2.0 * np.pi * (doy[:, None] - 15.0) / 365.0)
    mean = rng.uniform(6.0, 14.0, n) + rng.uniform(8.0, 14.0, n) * season + rng.normal(0.0, 3.0, (days, n))
    half = rng.uniform(2.0, 7.0, (days, n))
    wet = rng.random((days, n)) < 0.4
    return {
        "tasmin": mean - half, "tasmax": mean + half, "pr": np.where(wet, rng.exponential(8.0, (days, n)), 0.0),
        "sfcWind": rng.uniform(1.0, 6.0, (days, n)), "huss": 0.0038 * np.exp(0.06 * (mean - half)),
        "ps": np.full((days, 1), 98000.0), "clt": rng.uniform(0.1, 0.9, (days, n)), "co2": np.full((days, 1), 380.0),
        "doy": doy[:, None], "year_length": np.full((days, 1), 365.0), "day": np.arange(days)[:, None] + 11323.0,
    }  # fmt: skip


def site_of(model, n, **values):
    rows = {"lat": 42.0, "lon": -72.0, "utc_offset": -5.0, "sand": 60.0, "clay": 10.0} | dict(model.site_default) | values
    return np.array([np.broadcast_to(rows[name], (n,)) for name in model.site])


def parameters(model, n, seed=1):
    """The default, and draws from the bounds that keep a forest alive."""
    u = np.random.default_rng(seed).uniform(0.2, 0.8, (n, len(model.parameters)))
    theta = model.parameters.from_unit(u).T.copy()
    theta[:, 0] = model.parameters.default
    return theta


@functools.lru_cache(maxsize=4)
def run_of(other=False, days=730, n=8):
    model = ibis_dalec_model(**OTHER) if other else ibis_dalec
    theta, forcing, site = parameters(model, n), weather(days, n), site_of(model, n)
    names = (*model.outputs, *model.extra_outputs)
    start = model.initial_state(theta, [forcing[k] for k in model.forcing], site)
    start[[s.name for s in model.state].index("Cw")] = 5000.0
    start[[s.name for s in model.state].index("Cr")] = 100.0
    found, last = model.run(theta, [forcing[k] for k in model.forcing], site, start, outputs=names)
    return model, theta, forcing, site, dict(zip(names, found, strict=True)), start, last


def state_row(model, state, name):
    return state[[s.name for s in model.state].index(name)]


def test_it_has_the_33_parameters_of_table_2():
    assert len(ibis_dalec.parameters) == 33
    assert {p.name for p in ibis_dalec.parameters if p.inert} == INERT


def test_fluxes_are_those_of_ibis_under_its_own_leaf_area():
    _, theta, forcing, _, found, _, _ = run_of()
    model = ibis_model("daily", "prescribed")
    n = theta.shape[1]
    given = forcing | {"lai": found["lai_start"]}
    rows = dict(zip(ibis_dalec.parameters.names, theta, strict=True))
    state = model.initial_state(theta[:20], [given[k] for k in model.forcing], site_of(model, n))
    for name, value in STRUCTURE.items():
        state_row(model, state, name)[:] = value
    names = ("gpp", "et", "tsoi1", "wsoi3", "transp", "sens")
    alone, _ = model.run(
        np.array([rows[p.name] for p in model.parameters]),
        [given[k] for k in model.forcing],
        site_of(model, n),
        state,
        outputs=names,
    )
    for name, values in zip(names, alone, strict=True):
        # snow's skin at the melting point amplifies rounding between two compilations
        assert np.allclose(values, found[name], rtol=1e-6, atol=1e-4 * np.ptp(values)), name
        assert np.median(np.abs(values - found[name])) <= 1e-9 * np.ptp(values), name


def test_pools_are_those_of_dalec_under_its_own_production():
    _, theta, forcing, _, found, start, last = run_of()
    model = dalec_model(gpp="given")
    n = theta.shape[1]
    rows = dict(zip(ibis_dalec.parameters.names, theta, strict=True))
    values = np.array([np.broadcast_to(rows.get(p.name, p.default), (n,)) for p in model.parameters])
    given = forcing | {"gpp": found["gpp"]}
    state = np.array([state_row(ibis_dalec, start, s.name) for s in model.state])
    names = ("lai", "reco", "nee", *POOLS, "gdd", "max_fol", "Af")
    alone, end = model.run(values, [given[k] for k in model.forcing], np.full((1, n), 42.0), state, outputs=names)
    for name, x in zip(names, alone, strict=True):
        assert np.allclose(x, found[name], rtol=1e-12, atol=1e-12), name
    assert np.allclose(end, [state_row(ibis_dalec, last, s.name) for s in model.state], rtol=1e-12)


def test_leaf_area_is_yesterday_s_foliage_and_the_forest_lives():
    _, theta, _, _, found, start, _ = run_of()
    p18 = theta[ibis_dalec.parameters.index("p18")]
    assert np.array_equal(found["lai_start"][1:], found["lai"][:-1])
    assert np.array_equal(found["lai_start"][0], state_row(ibis_dalec, start, "Cf") / p18)
    assert np.array_equal(found["lai"], found["Cf"] / p18)
    assert (found["gpp"][found["lai_start"] == 0.0] == 0.0).all()
    assert (found["lai_start"] == 0.0).any()
    assert 4.5 < found["lai"][:, 0].max() < 5.5  # p17 / p18 = 5 where the canopy fills
    assert 700.0 < found["gpp"][365:, 0].sum() < 1800.0


def test_carbon_closes_every_day():
    _, _, _, _, found, start, _ = run_of()
    total = sum(found[name] for name in POOLS)
    before = np.concatenate([sum(state_row(ibis_dalec, start, name) for name in POOLS)[None], total[:-1]])
    assert np.abs(total - before + found["nee"]).max() < 1e-9
    assert np.allclose(found["nee"], found["reco"] - found["gpp"], rtol=1e-12, atol=1e-12)
    assert np.allclose(found["reco"], found["ra"] + found["rh"], rtol=1e-12)
    for name in POOLS:
        assert (found[name] >= 0.0).all(), name


def test_carbon_closes_with_ibis_soil_counting_litter_on_its_way():
    model, _, _, _, found, _, _ = run_of(other=True)
    pools = ("Cf", "Cw", "Cr", "Clab")
    soil = 1000.0 * (found["totlit"] + found["totcsoi"])
    total = sum(found[name] for name in pools) + found["Lf"] + found["Lr"] + found["Lw"] + soil
    # the pools pay DALEC's respiration, whatever the ecosystem's is said to be
    plants = found["gpp"] * model_row(model, "p2") + found["Rlab_f"] + found["Rlab_t"]
    error = np.diff(total, axis=0) - (found["gpp"] - plants - found["rh"] - 1000.0 * found["leached"])[1:]
    assert np.abs(error).max() < 1e-9 * total.max()
    assert found["rh"].max() > 0.1
    assert "Clit" not in {s.name for s in model.state}
    respired = found["ra_leaf"] + found["ra_wood"] + found["ra_root"] + found["ra_growth"]
    assert np.allclose(found["ra"], respired, rtol=1e-12)
    assert np.allclose(found["reco"], respired + found["rh"], rtol=1e-12)
    assert "carbon does not close" in model.title


def model_row(model, name):
    return run_of(other=True)[1][model.parameters.index(name)]


def test_growth_stop_and_stems_of_the_canopy_act():
    model, theta, forcing, _, found, _, _ = run_of(other=True)
    late = forcing["doy"][:, 0] >= 200.0
    assert (found["grow"][late] == 0.0).all()
    assert (found["grow"] > 0.0).any()
    assert "sai" not in model.site
    p17, p18 = (theta[model.parameters.index(name)] for name in ("p17", "p18"))
    (sai,), _ = model.run(theta, [forcing[k][:2] for k in model.forcing], site_of(model, 8), outputs=("sai",))
    assert np.array_equal(sai[1], 0.25 * np.minimum(12.0, p17 / p18))
    assert {p.name for p in model.parameters if p.inert} == INERT - {"rgrowth", "rroot", "rwood", "beta1"}


def test_inert_parameters_change_no_output_by_a_bit():
    _, theta, forcing, site, found, start, _ = run_of()
    moved = theta.copy()
    for name in INERT:
        p = ibis_dalec.parameters[name]
        moved[ibis_dalec.parameters.index(name)] = np.linspace(p.lower, p.upper, theta.shape[1])
    again, _ = ibis_dalec.run(moved, [forcing[k] for k in ibis_dalec.forcing], site, start)
    for name, values in zip(ibis_dalec.outputs, again, strict=True):
        assert np.array_equal(values, found[name]), name


@pytest.mark.parametrize("day", [1, 100, 365])
def test_a_restart_is_bit_identical(day):
    _, theta, forcing, site, found, start, last = run_of()
    first, middle = ibis_dalec.run(theta, [forcing[k][:day] for k in ibis_dalec.forcing], site, start)
    second, end = ibis_dalec.run(theta, [forcing[k][day:] for k in ibis_dalec.forcing], site, middle)
    for name, a, b in zip(ibis_dalec.outputs, first, second, strict=True):
        assert np.array_equal(np.concatenate([a, b]), found[name]), name
    assert np.array_equal(end, last)


def cube_of(years=1, sites=2):
    days = pd.date_range("2001-01-01", periods=365 * years, freq="D")
    units = {
        "tasmin": "degC", "tasmax": "degC", "pr": "mm d-1", "sfcWind": "m s-1", "huss": "kg kg-1", "ps": "Pa", "clt": "1",
        "co2": "ppm",
    }  # fmt: skip
    made = weather(days.size, sites)
    ds = xr.Dataset(
        {k: (("time", "site"), np.broadcast_to(made[k], (days.size, sites)).copy(), {"units": u}) for k, u in units.items()}
        | {"sand": ("site", np.full(sites, 60.0), {"units": "%"}), "clay": ("site", np.full(sites, 10.0), {"units": "%"})},
        coords={
            "time": days, "site": [f"s{i}" for i in range(sites)], "lat": ("site", np.linspace(40.0, 44.0, sites)),
            "lon": ("site", np.linspace(-80.0, -72.0, sites)),
        },
    )  # fmt: skip
    ds["lat"].attrs["units"], ds["lon"].attrs["units"] = "degrees_north", "degrees_east"
    return gc.Cube.from_dataset(ds)


def test_its_steady_state_neither_gains_nor_loses_carbon():
    cube = cube_of()
    state = gc.steady_state(cube, ibis_dalec)
    assert (state["steady"] == 1).all()
    assert (state["spin_up_years"] <= 10).all()
    assert set(state.data_vars) == {s.name for s in ibis_dalec.state} | {"spin_up_years", "cycle_change", "steady"}
    run = gc.simulate(cube, ibis_dalec, state=state, outputs=["nee", "gpp"])
    uptake = gc.simulate(cube, ibis_dalec, outputs=["nee"])["nee"].sum("time")
    assert (abs(run["nee"].sum("time")) < 1e-3).all()  # float32 sums; see the float64 test below
    assert (abs(uptake) > 10.0).all()
    lanes = {n: cube.data[n].values for n in cube.data.data_vars}
    calendar = weather(365, 2)
    forcing = [lanes[k] if k in lanes else calendar[k] for k in ibis_dalec.forcing]
    site = site_of(ibis_dalec, 2, lat=cube.data["lat"].values, lon=cube.data["lon"].values)
    start = np.array([state[s.name].values for s in ibis_dalec.state])
    theta = np.repeat(ibis_dalec.parameters.default[:, None], 2, axis=1)
    (nee,), _ = ibis_dalec.run(theta, forcing, site, start, outputs=("nee",))
    assert np.abs(nee.sum(axis=0)).max() < 1e-6


def test_fifty_years_are_no_steady_state():
    cube = cube_of()
    state = gc.spin_up(cube, ibis_dalec, years=10)
    run = gc.simulate(cube, ibis_dalec, state=state, outputs=["nee"])
    assert (abs(run["nee"].sum("time")) > 10.0).all()


def test_unknown_choices_are_named():
    for choice, message in (
        ({"door": "monthly"}, "front door"), ({"plants": "x"}, "autotrophic"), ({"soil": "x"}, "soil carbon"),
        ({"stems": "x"}, "stem area"), ({"growth_stop": 400.0}, "no day of the year"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=message):
            ibis_dalec_model(**choice)
    with pytest.raises(ConfigError, match="declares no steady state"):
        gc.steady_state(cube_of(), ibis_dalec_model(**OTHER))


@pytest.mark.slow
@pytest.mark.parametrize("door", ["radiation", "hourly"])
def test_other_front_doors_run(door):
    model = ibis_dalec_model(door)
    assert "tasmin" in model.forcing or door == "hourly"
    theta = np.repeat(model.parameters.default[:, None], 2, axis=1)
    made = weather(365, 2)
    if door == "radiation":
        made["rsds"] = 150.0 + 100.0 * np.sin(2.0 * np.pi * (made["doy"] - 80.0) / 365.0) * np.ones((1, 2))
    else:
        course = np.tile(-np.cos(2.0 * np.pi * (np.arange(24) - 2.0) / 24.0), 365)[:, None]
        light = 160.0 + 100.0 * np.sin(2.0 * np.pi * (made["doy"] - 80.0) / 365.0)
        hours = {k: np.repeat(np.broadcast_to(v, (365, 2)), 24, axis=0) for k, v in made.items()}
        mean, half = 0.5 * (hours["tasmax"] + hours["tasmin"]), 0.5 * (hours["tasmax"] - hours["tasmin"])
        made = hours | {
            "tas": mean + half * course,
            "rsds": np.repeat(light, 24, axis=0) * np.pi * np.maximum(course, 0.0) * np.ones((1, 2)),
            "rlds": np.full(mean.shape, 310.0),
        }  # fmt: skip
    (gpp, lai), _ = model.run(theta, [made[k] for k in model.forcing], site_of(model, 2), outputs=("gpp", "lai"))
    assert gpp.shape == (365, 2)
    assert np.isfinite(gpp).all()
    assert gpp.sum(axis=0).min() > 300.0
    assert lai.max() > 2.0
