"""Every output of every record: no process of a model is lost, and the hours of a day make the day."""

import numpy as np
import pytest

from gridcal.kernels.lanes.lane_loops import Rows, lane_source, plan
from gridcal.kernels.lanes.schedule import Layers, flat, interpret
from gridcal.kernels.lanes.schedule_loops import schedule_source
from gridcal.models import model_named, model_names
from gridcal.models.dalec import dalec_model
from gridcal.models.dalec2 import dalec2_model
from gridcal.models.ibis import ibis_hour, ibis_model
from gridcal.models.ibis.components import soil_column_model
from gridcal.models.ibis_dalec import ibis_dalec_model
from gridcal.process.conformance import check_model

DOORS = ("daily", "radiation", "hourly", "disaggregated")
LISTS = [dalec_model(s, stop, gpp) for s in ("recommended", "reflex") for stop in (None, 200.0) for gpp in ("acm", "given")]
LISTS += [dalec2_model("given"), *(model_named(name) for name in ("lue", "dalec2"))]
SCHEDULES = [ibis_model(d, v, r) for d in DOORS for v in ("static", "dynamic", "prescribed") for r in ("day", "hour")]
SCHEDULES += [ibis_hour, soil_column_model]
SCHEDULES += [
    ibis_dalec_model(d, plants=p, soil=s, stems=t)
    for d in DOORS[:3]
    for p, s, t in (("dalec", "dalec", "fixed"), ("ibis", "ibis", "canopy"))
]
SUMMED = {
    "gpp": "gpp", "npp": "npp", "ra_hour": "ra", "rmic": "rh", "nee_hour": "nee", "et_hour": "et", "gtransu": "transp",
    "grunof": "runoff_surf", "gdrain": "drainage",
}  # fmt: skip
AVERAGED = {
    "sens_hour": "sens",
    "latent_hour": "latent",
    "rnet": "rnet_mean",
    "tsoi1": "tsoi1",
    "wsoi1": "wsoi1",
    "laiu": "laiu",
}
CARBON = ("gpp", "npp", "ra_hour", "rmic", "nee_hour")
GRAMS, SECONDS, SNOW = 12.0 * 3600.0, 3600.0, 250.0


@pytest.mark.parametrize("model", LISTS, ids=lambda m: m.name)
def test_every_process_of_a_list_is_called_once_for_each_of_its_places(model):
    rows = Rows(
        model.parameters.names, model.forcing, tuple(model.site), tuple(s.name for s in model.state),
        tuple(dict.fromkeys((*model.outputs, *model.extra_outputs))),
    )  # fmt: skip
    source, _ = lane_source(model.processes, rows, model.width)
    steps = plan(model.processes, rows)
    assert source.count("\ndef s_") == len({s.process for s in steps})
    assert source.count("= s_") == len(steps)


@pytest.mark.parametrize("model", SCHEDULES, ids=lambda m: m.name)
def test_every_process_of_a_schedule_has_a_loop_of_its_own(model):
    rows = Rows(model.parameters.names, model.forcing, tuple(model.site), tuple(s.name for s in model.state), ())
    source, _, _ = schedule_source(model.setup, model.processes, rows, model.width, model.constants, model.steps)
    items = [i for i in flat((*model.setup, *model.processes)) if isinstance(i, Layers) or callable(i)]
    parts = [(i.process, i.first, i.last) if isinstance(i, Layers) else (i, 0, 0) for i in items]
    assert source.count("\ndef l_") == len(set(parts))
    assert source.count(" l_") - source.count("def l_") == len(parts)


def test_every_shipped_model_is_looked_at():
    assert set(model_names()) <= {m.name for m in (*LISTS, *SCHEDULES)}


def weather(model, days):
    """Forcing by name of three lanes: a warm, a mild and a frosty one, in spring."""
    rows = days * model.steps
    hour = np.arange(rows)[:, None] * (24.0 / model.steps) % 24.0
    day = 120.0 + np.arange(rows)[:, None] // model.steps
    mean = np.array([[20.0, 8.0, -6.0]])
    sun = np.maximum(-np.cos(2.0 * np.pi * (hour - 1.0) / 24.0), 0.0) if model.steps > 1 else np.ones((rows, 1))
    warm = mean - 4.0 * np.cos(2.0 * np.pi * (hour - 3.0) / 24.0) if model.steps > 1 else mean + 0.0 * hour
    wet = np.where(day % 2 == 0, 4.0, 0.0)
    kelvin = 273.16 + warm
    given = {
        "tasmin": mean - 4.0, "tasmax": mean + 4.0, "tas": warm, "pr": wet, "sfcWind": 3.0, "huss": 0.003 * np.exp(0.06 * mean),
        "ps": 9.8e4, "clt": 0.4, "rsds": 450.0 * sun if model.steps > 1 else 220.0, "rlds": 320.0, "lai": 3.0, "co2": 400.0,
        "doy": day, "year_length": 365.0, "day": day + 1.0e4, "coszen": 0.7 * sun, "solad_vis": 150.0 * sun,
        "solad_nir": 170.0 * sun, "solai_vis": 60.0 * sun, "solai_nir": 60.0 * sun, "fira": 320.0, "ta": kelvin,
        "qa": 0.003 * np.exp(0.06 * mean), "ua": 3.0, "td": 273.16 + mean, "raina": wet / 86400.0 * (mean > 0.0),
        "snowa": wet / 86400.0 * (mean <= 0.0),
    }  # fmt: skip
    return [np.ascontiguousarray(np.broadcast_to(given[name] + 0.0 * mean, (rows, 3))) for name in model.forcing]


def inputs(model, days):
    values = {"lat": 42.0, "lon": -72.0, "utc_offset": -5.0, "sand": 40.0, "clay": 20.0} | dict(model.site_default)
    site = np.array([np.full(3, values[name]) for name in model.site])
    forcing = weather(model, days)
    theta = np.repeat(model.parameters.default[:, None], 3, axis=1)
    state = model.initial_state(theta, forcing, site)
    rows = [s.name for s in model.state]
    for name, value in (("totcmic", 0.2), ("csoislon", 3.0), ("clitls", 0.3), ("tempu", 1.0)):
        state[rows.index(name)] = value
    return theta, forcing, site, state


def assert_hours_make_the_day(hours, day, end):
    """`hours` (hour, lane) and `day` (lane) by name, `end` the states of the last hour."""
    for name, whole in SUMMED.items():
        factor = GRAMS if name in CARBON else SECONDS
        np.testing.assert_allclose(hours[name].sum(axis=0) * factor, day[whole], rtol=1e-6, atol=1e-6, err_msg=name)
    for name, whole in AVERAGED.items():
        np.testing.assert_allclose(hours[name].mean(axis=0), day[whole], rtol=1e-6, atol=1e-4, err_msg=name)
    np.testing.assert_allclose(hours["wisoi1"][-1], end["wisoi1"], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(hours["snow_water"][-1], SNOW * day["snowfrac"] * day["snowdepth"], rtol=1e-6, atol=1e-6)
    respired = sum(day[name] for name in ("ra_leaf", "ra_wood", "ra_root", "ra_growth"))
    np.testing.assert_allclose(hours["ra_hour"].sum(axis=0) * GRAMS, respired, rtol=1e-6)


def assert_alive(hours):
    """What is compared is there: no flux is zero in all hours and lanes."""
    assert set(hours) == {*SUMMED, *AVERAGED, "wisoi1", "snow_water"}
    for name, values in hours.items():
        assert np.isfinite(values).all(), name
        assert np.abs(values).max() > 0.0, name


def test_hours_make_the_day_in_plain_python():
    model = ibis_model(record="hour")
    days = 2
    theta, forcing, site, state = inputs(model, days)
    names = tuple(model.outputs)
    collected = []
    for lane in range(3):
        values = dict(zip(model.parameters.names, theta[:, lane].tolist(), strict=True))
        values |= dict(zip(model.site, site[:, lane].tolist(), strict=True))
        values |= dict(zip((s.name for s in model.state), state[:, lane].tolist(), strict=True))
        interpret(model.setup, values, model.constants)
        for day in range(days):
            values |= {name: float(x[day, lane]) for name, x in zip(model.forcing, forcing, strict=True)}
            hours = []
            interpret(model.processes, values, model.constants, None, hours)
            stored = ibis_model().stored
            of_day = {n: values[stored.get(n, n)] for n in (*ibis_model().outputs, *ibis_model().extra_outputs)}
            table = {n: np.array([[h[n]] for h in hours]) for n in names}
            collected.append(table)
            assert_hours_make_the_day(table, {k: np.array([v]) for k, v in of_day.items()}, values)
    assert_alive({n: np.concatenate([t[n] for t in collected]) for n in names})


@pytest.mark.slow
@pytest.mark.parametrize("door", DOORS)
def test_hours_make_the_day(door):
    hourly, daily = ibis_model(door, record="hour"), ibis_model(door)
    days = 6
    theta, forcing, site, state = inputs(hourly, days)
    names = tuple(hourly.outputs)
    found, end = hourly.run(theta, forcing, site, state, outputs=names)
    wanted = (*daily.outputs, *daily.extra_outputs)
    each, last = daily.run(theta, forcing, site, state, outputs=wanted)
    hours = {n: y.reshape(days, 24, 3) for n, y in zip(names, found, strict=True)}
    ends = dict(zip((s.name for s in hourly.state), end, strict=True))
    for d in range(days):
        by_day = {n: y[d] for n, y in zip(wanted, each, strict=True)}
        now = ends if d == days - 1 else {"wisoi1": hours["wisoi1"][d, -1]}
        assert_hours_make_the_day({n: y[d] for n, y in hours.items()}, by_day, now)
    np.testing.assert_allclose(end, last, rtol=1e-6, atol=1e-6)  # the ten-day means relax once an hour in both
    assert_alive({n: y.reshape(-1, 3) for n, y in hours.items()})


@pytest.mark.slow
@pytest.mark.parametrize("choice", [("daily", "static"), ("radiation", "dynamic"), ("hourly", "prescribed")])
def test_hourly_records_are_those_of_plain_python(choice):
    outcome = check_model(ibis_model(*choice, record="hour"), days=20)
    wanted = {"finite outputs", "state split", "lanes", "NaN rule", "compiled agrees with plain Python"}
    assert wanted <= set(outcome.passed), outcome.failed
