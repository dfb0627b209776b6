"""Exact steady states: against the specification's numbers, over the whole prior box, and through the verbs."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import gridcal as gc
from gridcal.errors import ConfigError, InputError
from gridcal.models.dalec import dalec, dalec_model
from gridcal.models.lue import lue

FOLDER = Path(os.environ.get("GRIDCAL_REFERENCE", "no reference folder")) / "dalec"
POOLS = ("Cf", "Cw", "Cr", "Clab", "Clit", "Csom")


def cube_of(series, sites=1, start="2000-01-01"):
    days = pd.date_range(start, periods=len(series["tasmin"]), freq="D")
    units = {"tasmin": "degC", "tasmax": "degC", "rsds": "W m-2", "co2": "ppm"}
    ds = xr.Dataset(
        {
            k: (("time", "site"), np.repeat(np.asarray(series[k])[:, None], sites, axis=1), {"units": u})
            for k, u in units.items()
        },
        coords={"time": days, "site": [f"s{i}" for i in range(sites)], "lat": ("site", np.full(sites, 42.2))},
    )
    ds["lat"].attrs["units"] = "degrees_north"
    return gc.Cube.from_dataset(ds)


def made_up(days=366):
    rng = np.random.default_rng(3)
    season = -np.cos(2.0 * np.pi * (np.arange(days) - 15.0) / 365.0)
    mean = 8.0 + 12.0 * season + rng.normal(0.0, 3.0, days)
    half = rng.uniform(2.0, 7.0, days)
    light = (12.0 + 8.0 * season) * rng.uniform(0.4, 1.0, days) / 0.0864
    return {"tasmin": mean - half, "tasmax": mean + half, "rsds": light, "co2": np.full(days, 370.0)}


def year_from(cube, model, theta, state):
    """NEE of each day, float64, from a state (one lane a site)."""
    n = cube.data.sizes["site"]
    values = np.array([np.broadcast_to(theta.get(p.name, p.default), n) for p in model.parameters])
    length = cube.data.sizes["time"]
    forcing = [cube.data[f].values if f in cube.data else np.arange(1.0, length + 1.0)[:, None] for f in model.forcing]
    site = np.array([np.full(n, {"lat": 42.2, **model.site_default}[s]) for s in model.site])
    start = np.array([state[s.name].values for s in model.state])
    (nee,), end = model.run(values, forcing, site, start, outputs=("nee",))
    return nee, start, end


@pytest.mark.reference
@pytest.mark.skipif(not (FOLDER / "drivers.csv").is_file(), reason="GRIDCAL_REFERENCE has no dalec/drivers.csv")
def test_steady_state_and_fifty_years_of_the_specification():
    """science: x = Cr 108.55989, Cw 18047.337, Clit 103.13511, Csom 35510.546; the 50th year still takes up 293.53 gC m-2."""
    ref = pd.read_csv(FOLDER / "drivers.csv").iloc[:366]
    series = {"tasmin": ref["tmin"], "tasmax": ref["tmax"], "rsds": ref["rad"] / 0.0864, "co2": ref["co2"]}
    cube = cube_of({k: np.asarray(v, dtype=float) for k, v in series.items()})
    state = gc.steady_state(cube, dalec)
    for name, value in (("Cr", 108.55989), ("Cw", 18047.337), ("Clit", 103.13511), ("Csom", 35510.546)):
        assert float(state[name][0]) == pytest.approx(value, rel=5e-8), name
    nee, _, _ = year_from(cube, dalec, {}, state)
    assert abs(nee.sum()) < 1e-8
    assert float(state["spin_up_years"][0]) <= 5
    after = gc.spin_up(cube, dalec, years=50)
    assert float(after["Cw"][0]) == pytest.approx(13000.0, rel=0.01)
    assert float(after["Csom"][0]) == pytest.approx(13300.0, rel=0.01)
    before = gc.spin_up(cube, dalec, years=49)
    nee, _, _ = year_from(cube, dalec, {}, before)
    assert nee.sum() == pytest.approx(-293.53, abs=0.005)


def test_the_whole_prior_box_comes_to_rest():
    rng = np.random.default_rng(8)
    n = 200
    names = ("p2", "p3", "p5", "p10", "p12", "p13", "p14", "p15", "p16", "p17", "p18", "p19", "p20")
    table = dalec.parameters.select(names)
    values = table.from_unit(rng.uniform(0.0, 1.0, (n, len(names))))
    theta = dict(zip(names, values.T, strict=True))
    cube = cube_of(made_up(), n)
    state = gc.steady_state(cube, dalec, {k: xr.DataArray(v, dims="site") for k, v in theta.items()})
    assert (state["steady"] == 1).all()
    nee, start, end = year_from(cube, dalec, theta, state)
    assert np.abs(nee.sum(axis=0)).max() < 1e-6
    assert np.abs(end[:6] - start[:6]).max() < 1e-6
    assert (start[:6] >= 0.0).all()
    years = state["spin_up_years"].values
    assert np.median(years) <= 8
    assert np.quantile(years, 0.9) <= 15


def test_a_pixel_does_not_depend_on_its_neighbours_or_chunks():
    rng = np.random.default_rng(2)
    cube = cube_of(made_up(), 6)
    theta = {
        "p18": xr.DataArray(rng.uniform(20.0, 150.0, 6), dims="site"),
        "p5": xr.DataArray(rng.uniform(0.001, 0.1, 6), dims="site"),
    }
    whole = gc.steady_state(cube, dalec, theta)
    lazy = gc.Cube.from_dataset(cube.data.chunk({"site": 2}))
    assert gc.steady_state(lazy, dalec, theta).compute().equals(whole)
    one = gc.steady_state(cube_of(made_up(), 1), dalec, {k: v[3:4] for k, v in theta.items()})
    for name in POOLS:
        assert float(one[name][0]) == float(whole[name][3]), name


def test_given_gpp_and_a_growth_stop_have_a_steady_state_too():
    for model in (dalec_model(gpp="given"), dalec_model(growth_stop=200.0)):
        series = made_up()
        cube = cube_of(series)
        if "gpp" in model.forcing:
            ds = cube.data.assign(gpp=(("time", "site"), np.maximum(series["tasmin"], 0.0)[:, None], {"units": "gC m-2 d-1"}))
            cube = gc.Cube.from_dataset(ds)
        state = gc.steady_state(cube, model)
        nee, _, _ = year_from(cube, model, {}, state)
        assert abs(nee.sum()) < 1e-6


def test_a_cycle_that_is_not_found_is_flagged():
    state = gc.steady_state(cube_of(made_up()), dalec, tolerance=1e-15, max_years=3)
    assert int(state["steady"][0]) == 0
    assert float(state["spin_up_years"][0]) == 3


def test_what_has_no_steady_state_says_what_to_use():
    cube = cube_of(made_up())
    with pytest.raises(ConfigError, match=r"declares no steady state.*spin_up"):
        gc.steady_state(cube, lue)
    with pytest.raises(ConfigError, match="declares no steady state"):
        gc.steady_state(cube, dalec_model("reflex"))
    with pytest.raises(ConfigError, match="tolerance"):
        gc.steady_state(cube, dalec, tolerance=0.0)
    with pytest.raises(InputError, match="complete years: 2000"):
        gc.steady_state(cube, dalec, forcing_year=1999)


def test_simulation_and_calibration_start_from_it():
    cube = cube_of(made_up(366), 2)
    state = gc.steady_state(cube, dalec)
    run = gc.simulate(cube, dalec, state=state)
    assert abs(float(run["nee"].sum("time").max())) < 1e-3  # float32 sums
    assert not np.allclose(run["lai"], gc.simulate(cube, dalec)["lai"])
    seen = cube.data.assign(lai_obs=run["lai"].assign_attrs(units="m2 m-2"))
    block = gc.Block(("p5",), gc.Target("lai", every="8-day"))
    found = gc.calibrate(
        gc.Cube.from_dataset(seen), dalec, [block], gc.CMAES(max_evaluations=100, restarts=0), state=state, seed=1
    ).compute()
    assert np.allclose(found["p5"], 0.06, atol=2e-3)
    cold = gc.calibrate(gc.Cube.from_dataset(seen), dalec, [block], gc.CMAES(max_evaluations=100, restarts=0), seed=1).compute()
    assert (found["nse"] > cold["nse"]).all()
    assert found.attrs["fingerprint"] != cold.attrs["fingerprint"]
    with pytest.raises(InputError, match="the state lacks 'Cf'"):
        gc.calibrate(gc.Cube.from_dataset(seen), dalec, [block], state=state.drop_vars("Cf"))
