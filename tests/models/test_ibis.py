"""IBIS through the public verbs, on made-up weather."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import gridcal as gc
from gridcal.cube.calendar import calendar_of
from gridcal.errors import ConfigError, InputError
from gridcal.models.ibis import ibis, ibis_model
from gridcal.models.ibis.ground.soil_properties import CLASSES, texture_class
from gridcal.simulation.spinup import soil_speed

UNITS = {
    "tasmin": "degC", "tasmax": "degC", "pr": "mm d-1", "sfcWind": "m s-1", "huss": "kg kg-1", "ps": "Pa", "clt": "1",
    "co2": "ppm", "sand": "%", "clay": "%",
}  # fmt: skip


def weather(years=2, sites=3, start="2001-01-01"):
    days = pd.date_range(start, periods=365 * years, freq="D")
    rng = np.random.default_rng(1)
    season = -np.cos(2.0 * np.pi * (days.day_of_year.to_numpy() - 15) / 365.0)
    warm = 9.0 + 12.0 * season[:, None] + rng.normal(0.0, 3.0, (days.size, sites))
    ds = xr.Dataset(
        {
            "tasmin": (("time", "site"), warm - 5.0),
            "tasmax": (("time", "site"), warm + 5.0),
            "pr": (("time", "site"), rng.exponential(8.0, (days.size, sites)) * (rng.random((days.size, sites)) < 0.4)),
            "sfcWind": (("time", "site"), np.full((days.size, sites), 3.0)),
            "huss": (("time", "site"), 0.0038 * np.exp(0.06 * (warm - 5.0))),
            "ps": (("time", "site"), np.full((days.size, sites), 98000.0)),
            "clt": (("time", "site"), rng.uniform(0.1, 0.9, (days.size, sites))),
            "co2": ("time", np.full(days.size, 380.0)),
            "sand": ("site", np.linspace(20.0, 80.0, sites)),
            "clay": ("site", np.linspace(40.0, 5.0, sites)),
        },
        coords={
            "time": days, "site": [f"s{i}" for i in range(sites)], "lat": ("site", np.linspace(36.0, 46.0, sites)),
            "lon": ("site", np.linspace(-90.0, -70.0, sites)),
        },
    )  # fmt: skip
    for name, units in UNITS.items():
        ds[name].attrs["units"] = units
    ds["lat"].attrs["units"], ds["lon"].attrs["units"] = "degrees_north", "degrees_east"
    return ds


@pytest.fixture(scope="module")
def cube():
    return gc.Cube.from_dataset(weather())


def test_simulate_gives_daily_fluxes_with_the_calendar_of_the_dates(cube):
    run = gc.simulate(cube, ibis)
    assert set(run.data_vars) == set(ibis.outputs)
    assert run["gpp"].attrs["units"] == "gC m-2 d-1"
    assert np.isfinite(run["gpp"].values).all()
    summer, winter = run["gpp"].sel(time="2002-07").mean(), run["gpp"].sel(time="2002-01").mean()
    assert summer > 3.0 > 0.3 > winter
    assert np.allclose(run["nee"], run["reco"] - run["gpp"], atol=1e-4)


def test_lazy_pixels_and_any_chunks_give_the_same_bytes(cube):
    whole = gc.simulate(cube, ibis, outputs=["gpp", "et"])
    lazy = gc.Cube.from_dataset(weather().chunk({"site": 1}))
    assert gc.simulate(lazy, ibis, outputs=["gpp", "et"]).compute().equals(whole)


def test_a_spun_up_state_continues_where_it_ended(cube):
    state = gc.spin_up(cube, ibis, years=2, forcing_year=2001, accelerate=False)
    assert set(state.data_vars) == {s.name for s in ibis.state}
    assert state["tsoi1"].attrs["units"] == "K"
    once = gc.spin_up(cube, ibis, years=1, forcing_year=2001, accelerate=False)
    year = gc.Cube.from_dataset(weather().sel(time="2001"))
    twice = gc.simulate(year, ibis, state=once, outputs=["gpp", "decompl"]).isel(time=-1)
    assert np.allclose(twice["decompl"], state["decompl"], rtol=1e-6)
    cold = gc.simulate(year, ibis, outputs=["gpp"])
    assert not np.allclose(gc.simulate(year, ibis, state=once, outputs=["gpp"])["gpp"], cold["gpp"])
    assert state.attrs["fingerprint"] != once.attrs["fingerprint"]


def test_spin_up_asks_for_a_complete_year(cube):
    with pytest.raises(InputError, match="complete years: 2001, 2002"):
        gc.spin_up(cube, ibis, forcing_year=1999)
    with pytest.raises(ConfigError, match="years"):
        gc.spin_up(cube, ibis, years=0)


def test_soil_carbon_is_accelerated_as_in_the_original_150_years():
    passes = soil_speed(150, accelerate=True)
    assert (passes[:75] == 40.0).all()
    assert (passes[75:112] == 10.0).all()
    assert (passes[112:] == 1.0).all()


def test_a_state_of_another_model_is_refused(cube):
    state = gc.spin_up(cube, ibis, years=1)
    with pytest.raises(InputError, match="the state lacks 'tu'"):
        gc.simulate(cube, ibis, state=state.drop_vars("tu"))


def test_a_cube_without_soil_says_so(cube):
    bare = gc.Cube.from_dataset(weather().drop_vars("sand"))
    with pytest.raises(InputError, match="site constant 'sand'"):
        gc.simulate(bare, ibis)


def test_weather_draws_depend_on_place_and_day_only(cube):
    some = gc.simulate(gc.Cube.from_dataset(weather().isel(site=[2])), ibis, outputs=["gpp"])
    whole = gc.simulate(cube, ibis, outputs=["gpp"])
    assert np.array_equal(some["gpp"].values[:, 0], whole["gpp"].values[:, 2])
    seeded = weather().assign(weather_seed=("site", np.ones(3), {"units": "1"}))
    other = gc.simulate(gc.Cube.from_dataset(seeded), ibis, outputs=["et"])
    assert not np.array_equal(other["et"], gc.simulate(cube, ibis, outputs=["et"])["et"])


def test_calendar_of_a_leap_year():
    found = calendar_of(pd.date_range("2000-12-30", periods=4))
    assert found["doy"].tolist() == [365.0, 366.0, 1.0, 2.0]
    assert found["year_length"].tolist() == [366.0, 366.0, 365.0, 365.0]
    assert np.diff(found["day"]).tolist() == [1.0, 1.0, 1.0]


def test_unknown_choices_are_named():
    with pytest.raises(ConfigError, match="front door"):
        ibis_model("monthly")
    with pytest.raises(ConfigError, match="vegetation"):
        ibis_model(vegetation="wild")
    with pytest.raises(ConfigError, match="record"):
        ibis_model(record="minute")


def test_every_texture_has_a_class():
    found = {texture_class(float(s), float(c)) for s in range(0, 101, 2) for c in range(0, 101 - s, 2)}
    assert found == set(range(1, len(CLASSES) + 1))


@pytest.mark.slow
def test_hourly_records_through_simulate():
    daily = weather(years=1, sites=2)
    hours = pd.date_range("2001-01-01", periods=24 * 365, freq="h")
    course = -np.cos(2.0 * np.pi * (hours.hour.to_numpy() - 2) / 24.0)[:, None]
    mean = np.repeat(0.5 * (daily["tasmin"].values + daily["tasmax"].values), 24, axis=0)
    light = np.maximum(course, 0.0) * 500.0 * np.ones((1, 2))
    ds = daily[["sand", "clay"]].assign_coords(time=hours).assign(utc_offset=((), -5.0, {"units": "h"}))
    series = {
        "tas": (mean + 5.0 * course, "degC"), "pr": (np.repeat(daily["pr"].values, 24, axis=0), "mm d-1"),
        "sfcWind": (np.full(mean.shape, 0.0), "m s-1"), "huss": (np.repeat(daily["huss"].values, 24, axis=0), "kg kg-1"),
        "ps": (np.full(mean.shape, 98000.0), "Pa"), "rsds": (light, "W m-2"), "rlds": (np.full(mean.shape, 300.0), "W m-2"),
    }  # fmt: skip
    for name, (values, units) in series.items():
        ds[name] = (("time", "site"), values, {"units": units})
    ds["co2"] = ("time", np.full(hours.size, 380.0), {"units": "ppm"})
    cube = gc.Cube.from_dataset(ds)
    run = gc.simulate(cube, ibis_model("hourly"), outputs=["gpp", "sw_in"])
    assert run.sizes["time"] == 365
    assert np.isfinite(run["gpp"].values).all()
    # all of the light arrives, twilight too
    assert np.allclose(run["sw_in"], light.reshape(365, 24, 2).mean(axis=1), rtol=1e-5)
    each = gc.simulate(cube, ibis_model("hourly", record="hour"), outputs=["gpp", "tsoi1"])
    assert each["gpp"].dims == ("time", "hour", "site")
    assert np.allclose(each["gpp"].sum("hour") * 3600.0 * 12.0, run["gpp"], rtol=1e-4, atol=1e-5)
    with pytest.raises(InputError, match="no whole days"):
        gc.simulate(gc.Cube.from_dataset(ds.isel(time=slice(0, 30))), ibis_model("hourly"))
