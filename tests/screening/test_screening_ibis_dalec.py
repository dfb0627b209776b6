"""Morris screening of IBIS-DALEC at two made-up climates; a small twin of benchmarks/screen_ibis_dalec.py."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import gridcal as gc
from gridcal.ingest.phenocam import cloud_of_range
from gridcal.models.ibis_dalec import ibis_dalec
from gridcal.screening import Morris, screen

INERT = {"specla", "tauleaf", "tauroot", "tauwood0", "aleaf", "aroot", "rgrowth", "rroot", "rwood", "beta1"}
METHOD = Morris(trajectories=2, seed=3, resample=20)


def weather():
    """Two years of a mild and a cold place."""
    days = pd.date_range("2001-01-01", "2002-12-31")
    rng = np.random.default_rng(1)
    season = -np.cos(2.0 * np.pi * (days.day_of_year.to_numpy() - 20) / 365.0)[:, None]
    warm = np.array([14.0, 7.0]) + np.array([10.0, 14.0]) * season + rng.normal(0.0, 2.5, (days.size, 2))
    pr = rng.exponential(9.0, (days.size, 2)) * (rng.random((days.size, 2)) < 0.35)
    low, high = warm - 6.0, warm + np.where(pr > 1.0, 3.0, 7.0)
    series = {
        "tasmin": (low, "degC"), "tasmax": (high, "degC"), "pr": (pr, "mm d-1"),
        "huss": (0.0038 * np.exp(0.06 * low), "kg kg-1"),
        "sfcWind": (np.full_like(pr, 3.0), "m s-1"), "ps": (np.full_like(pr, 98500.0), "Pa"),
        "clt": (cloud_of_range(low, high, pr), "1"),
    }  # fmt: skip
    data = xr.Dataset({n: (("time", "pixel"), x, {"units": u}) for n, (x, u) in series.items()})
    data["co2"] = ("time", np.full(days.size, 375.0), {"units": "ppm"})
    for name, values, units in (
        ("sand", [60.0, 25.0], "%"), ("clay", [10.0, 18.0], "%"), ("lat", [36.0, 45.0], "degrees_north"),
        ("lon", [-84.0, -72.0], "degrees_east"),
    ):  # fmt: skip
        data[name] = ("pixel", values, {"units": units})
    return data.assign_coords(time=days, pixel=["mild", "cold"])


@pytest.fixture(scope="module")
def cube():
    return gc.Cube.from_dataset(weather())


@pytest.fixture(scope="module")
def state(cube):
    return gc.spin_up(cube, ibis_dalec, years=2, forcing_year=2001)


def run(cube, state, chunk):
    return screen(
        cube, ibis_dalec, METHOD, targets=["lai", "gpp"], state=state, period=("2002", "2002"), dead={"lai": 0.2}, chunk=chunk
    ).compute()


@pytest.fixture(scope="module")
def effects(cube, state):
    return run(cube, state, 2)


def test_all_33_parameters_are_screened_and_no_run_fails(effects):
    assert effects.sizes == {"target": 2, "parameter": 33, "pixel": 2}
    assert effects.attrs["runs"] == 2 * 34
    assert (effects["status"] == 0).all()
    assert (effects["n_failed"] == 0).all()
    assert (effects["n_dead"] >= 0).all()
    assert (effects["n_dead"] < effects.attrs["runs"]).all()
    assert np.isfinite(effects["mu_star"]).all()


def test_parameters_without_effect_by_construction_have_none_to_the_last_bit(effects):
    assert {p.name for p in ibis_dalec.parameters if p.inert} == INERT
    inert = effects.sel(parameter=sorted(INERT))
    for name in ("mu", "mu_star", "sigma", "mu_star_high"):
        assert (inert[name] == 0.0).all(), name
    others = effects["mu_star"].sel(parameter=[p for p in ibis_dalec.parameters.names if p not in INERT])
    assert (others.max(["target", "pixel"]) > 0.0).sum() >= 20


def test_what_grows_the_canopy_moves_leaf_area_and_what_fixes_carbon_moves_gpp(effects):
    lai, gpp = (effects["mu_star"].sel(target=t).mean("pixel") for t in ("lai", "gpp"))
    assert float(lai.sel(parameter=["p3", "p5", "p17", "p18"]).max()) == float(lai.max())
    assert float(gpp.sel(parameter="vmax")) > float(gpp.sel(parameter="gammaub"))
    # a denser leaf is a smaller one; a faster enzyme fixes more
    assert (effects["mu"].sel(target="lai", parameter="p18") < 0.0).all()
    assert (effects["mu"].sel(target="gpp", parameter="vmax") > 0.0).all()


def test_the_same_seed_gives_the_same_bytes_at_any_chunking(cube, state, effects):
    other = run(cube, state, 1)
    for name in effects.data_vars:
        assert other[name].values.tobytes() == effects[name].values.tobytes(), name
    assert (effects["mu_star"].isel(pixel=0) != effects["mu_star"].isel(pixel=1)).any()
