"""IBIS day by day in weather it was not made for: finite, conserving, restartable, and each pixel on its own."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridcal.models.ibis import ibis_model
from gridcal.models.ibis.weather.diurnal import hashed, rain_of_day, weather_of_hour, weather_stream

MODEL = ibis_model()
STATE = tuple(s.name for s in MODEL.state)
FLUXES = (*MODEL.outputs, *MODEL.extra_outputs)
ROWS = ("wliqu", "wsnou", "fu", "tu", "ts", "t12", "t34", "tg", "ti", "q12", "wpud", "wipud")
POOLS = (*(n for n in STATE if n.startswith("clit")), "totcmic", "csoislop", "csoislon", "csoipas")
SITE = {"lat": 45.0, "lon": -72.0, "sand": 40.0, "clay": 20.0}
TEXTURES = ((0.0, 0.0), (100.0, 0.0), (0.0, 100.0), (50.0, 0.0), (0.0, 50.0), (50.0, 50.0), (99.0, 1.0), (33.3, 33.3))


def weather(rng, days, n, *, mean=None, swing=None):
    """Daily forcing by name, from 15 September on: climates from -15 to 30 degC with showers and storms."""
    day = np.arange(days) + 10484.0
    doy = (np.arange(days) + 257) % 365 + 1.0
    mean = rng.uniform(-15.0, 30.0, n) if mean is None else np.full(n, mean)
    swing = rng.uniform(0.0, 20.0, n) if swing is None else np.full(n, swing)
    t = mean - swing * np.cos(2.0 * np.pi * (doy[:, None] - 15.0) / 365.0) + rng.normal(0.0, 3.0, (days, n))
    half = rng.uniform(1.0, 9.0, (days, n))
    wet = rng.random((days, n)) < rng.uniform(0.02, 0.7, n)
    humid = rng.uniform(0.2, 1.0, n) * 0.0038 * np.exp(0.065 * (t - half))
    return {
        "tasmin": t - half, "tasmax": t + half,
        "pr": np.where(wet, rng.exponential(1.0, (days, n)) * rng.uniform(1.0, 30.0, n), 0.0),
        "sfcWind": rng.uniform(0.0, 9.0, (days, n)), "huss": np.clip(humid, 1.0e-6, 0.03),
        "ps": np.broadcast_to(rng.uniform(7.0e4, 1.02e5, n), (days, n)), "clt": rng.uniform(0.0, 1.0, (days, n)),
        "co2": np.full((days, 1), 400.0), "doy": doy[:, None], "year_length": np.full((days, 1), 365.0), "day": day[:, None],
    }  # fmt: skip


def soils(rng, n):
    sand = rng.choice([0.0, 10.0, 40.0, 65.0, 90.0, 100.0], n)
    return {
        "lat": rng.uniform(-60.0, 75.0, n), "lon": rng.uniform(-180.0, 180.0, n), "sand": sand,
        "clay": np.floor(rng.uniform(0.0, 1.0, n) * (100.0 - sand)),
    }  # fmt: skip


def site_of(n, values):
    rows = SITE | MODEL.site_default | values
    return np.array([np.broadcast_to(rows[name], (n,)) for name in MODEL.site])


def parameters(rng, n):
    return MODEL.parameters.from_unit(rng.uniform(0.0, 1.0, (n, 20))).T.copy()


def series(forcing):
    return [forcing[name] for name in MODEL.forcing]


def run(theta, forcing, site, state=None, names=(*FLUXES, *ROWS, *POOLS)):
    """Results by name and the last state; the state of a cold start under the names with ``_start``."""
    start = MODEL.initial_state(theta, series(forcing), site) if state is None else state
    found, last = MODEL.run(theta, series(forcing), site, start, outputs=names)
    return dict(zip(names, found, strict=True)), start, last


@functools.lru_cache(maxsize=2)
def ordinary(seed=0, days=400, n=64):
    rng = np.random.default_rng(seed)
    theta, forcing, site = parameters(rng, n), weather(rng, days, n), site_of(n, soils(rng, n))
    found, start, last = run(theta, forcing, site)
    return theta, forcing, site, found, start, last


def assert_finite(found, last):
    for name, values in found.items():
        assert np.isfinite(values).all(), name
    assert np.isfinite(last).all()


def assert_water_kept(found, forcing, site, start):
    """Daily water balance: stores on today's leaves; 24 hours of fluxes too small to mix and of unsupplied transpiration."""
    before = {name: np.concatenate([start[STATE.index(name)][None], found[name][:-1]]) for name in ("wliqu", "wsnou", "fu")}
    lai_before = np.concatenate([found["laiu"][:1], found["laiu"][:-1]])
    grown = 2.0 * before["fu"] * (found["laiu"] - lai_before) * (before["wliqu"] + before["wsnou"])
    gain = forcing["pr"] - found["et"] - found["runoff_surf"] - found["drainage"] + found["gadjust"]
    error = np.diff(found["storage_total"], axis=0) - (gain + grown)[1:]
    assert np.abs(error).max() < 24 * (8 * 1.0e-7 * 3600.0 + 1.0e-3)


def assert_carbon_kept(found):
    parts = found["ra_leaf"] + found["ra_wood"] + found["ra_root"] + found["ra_growth"]
    scale = found["gpp"] + parts + np.abs(found["rh"])
    for difference in (
        found["ra"] - parts,
        found["npp"] - (found["gpp"] - parts),
        found["nee"] - (found["rh"] - found["npp"]),
        found["reco"] - (found["ra"] + found["rh"]),
    ):
        assert (np.abs(difference) <= 1.0e-9 * scale).all()
    assert (found["gpp"] >= 0.0).all()


def assert_sane(theta, forcing, site, *, margin=60.0):
    """Finite, water and carbon kept, and no temperature far from the weather's."""
    found, start, last = run(theta, forcing, site)
    assert_finite(found, last)
    assert_water_kept(found, forcing, site, start)
    assert_carbon_kept(found)
    cold, hot = forcing["tasmin"].min() + 273.16 - margin, forcing["tasmax"].max() + 273.16 + margin
    for name in ("tu", "ts", "t12", "t34", "tg"):
        assert cold < found[name].min(), name
        assert found[name].max() < hot, name
    assert (found["wpud"] > -5.0).all()
    for name in ("wipud", "snowdepth", "wliqu", "wsnou", *(f"wsoi{k}" for k in range(1, 7)), *POOLS):
        assert (found[name] >= 0.0).all(), name
    return found


def extreme(change, days=200, n=32, *, place=None, **climate):
    rng = np.random.default_rng(11)
    theta, forcing, site = parameters(rng, n), weather(rng, days, n, **climate), site_of(n, soils(rng, n) | (place or {}))
    return assert_sane(theta, {**forcing, **change(forcing, rng)}, site)


def test_ordinary_weather_is_finite_and_conserving_for_any_parameters():
    theta, forcing, site, *_ = ordinary()
    found = assert_sane(theta, forcing, site)
    assert found["gpp"].max() > 5.0
    assert found["snowfrac"].max() == 1.0


def test_polar_night_has_no_gross_production_and_midnight_sun_has():
    found = extreme(lambda f, _: {}, days=365, place={"lat": 80.0}, mean=5.0, swing=5.0)
    assert (found["gpp"][found["sw_in"] == 0.0] == 0.0).all()
    assert (found["sw_in"] == 0.0).all(axis=1).sum() > 100
    assert found["gpp"].max() > 1.0
    extreme(lambda f, _: {}, days=365, place={"lat": np.tile([90.0, -90.0], 16)}, mean=-5.0, swing=10.0)


def test_a_desert_is_survived():
    def desert(f, rng):
        zero = np.zeros_like(f["pr"])
        return {"pr": zero, "clt": zero, "sfcWind": zero, "huss": zero + 1.0e-3}

    extreme(desert, days=365, mean=45.0, swing=5.0)


@pytest.mark.parametrize("mean", [-10.0, 1.0, 25.0])
def test_300_mm_a_day_on_saturated_soil_leaves_again(mean):
    found = extreme(lambda f, _: {"pr": np.full_like(f["pr"], 300.0)}, mean=mean, swing=0.0)
    if mean > 20.0:
        lost = (found["runoff_surf"] + found["drainage"] + found["et"])[-50:].mean(axis=0)
        assert np.allclose(lost, 300.0, rtol=0.01)


def test_no_wind_at_all_is_survived():
    extreme(lambda f, _: {"sfcWind": np.zeros_like(f["sfcWind"])})


def test_storms_of_a_thousand_millimetres_are_survived():
    def storms(f, rng):
        return {"pr": rng.choice([0.0, 60.0, 360.0, 1000.0], f["pr"].shape), "sfcWind": np.zeros_like(f["pr"])}

    extreme(storms)


def test_minus_sixty_degrees_are_survived():
    found = extreme(lambda f, _: {}, days=365, mean=-60.0, swing=0.0)
    assert found["gpp"].max() < 1.0e-6  # the last leaves of a cold start
    assert found["gpp"][30:].max() == 0.0


def test_soils_of_pure_sand_or_clay_are_survived():
    sand, clay = (np.tile(x, 8) for x in zip(*TEXTURES, strict=True))
    found = extreme(lambda f, _: {}, days=365, n=64, place={"sand": sand, "clay": clay})
    assert found["gpp"].max() > 1.0


def test_weather_that_jumps_eighty_degrees_is_survived():
    def jumps(f, rng):
        t = rng.choice([-40.0, -10.0, 0.0, 3.0, 20.0, 40.0], f["pr"].shape)
        return {"tasmin": t - 8.0, "tasmax": t + 8.0, "huss": np.clip(0.0038 * np.exp(0.065 * (t - 8.0)), 1.0e-6, 0.03)}

    rng = np.random.default_rng(2)
    theta, forcing, site = parameters(rng, 32), weather(rng, 200, 32), site_of(32, soils(rng, 32))
    forcing |= jumps(forcing, rng)
    found, start, last = run(theta, forcing, site)
    assert_finite(found, last)
    assert_water_kept(found, forcing, site, start)
    assert_carbon_kept(found)


def repeated(years, n=32):
    rng = np.random.default_rng(4)
    theta, site = parameters(rng, n), site_of(n, soils(rng, n))
    forcing = weather(rng, 365, n)
    whole = {name: np.tile(x, (years, 1)) for name, x in forcing.items()}
    whole["day"] = (np.arange(365 * years) + 10484.0)[:, None]
    return theta, whole, site


def test_forty_years_from_a_cold_start_stay_finite():
    theta, forcing, site = repeated(40)
    names = (*MODEL.outputs, "storage_total", "totlit", "totcsoi", "tsoi1", "tsoi6")
    found, last = MODEL.run(theta, series(forcing), site, outputs=names)
    for name, values in zip(names, found, strict=True):
        assert np.isfinite(values).all(), name
    assert np.isfinite(last).all()
    assert subnormal(last) == 0


@pytest.mark.slow
def test_forty_years_of_growing_vegetation_stay_finite_and_keep_soil_carbon():
    model = ibis_model(vegetation="dynamic")
    theta, forcing, site = repeated(40)
    names = (*model.outputs, "totlit", "totcsoi", "leached", "falll", "fallr", "fallw", "plai", "fu", "cbiow", "npp_year")
    place = np.array([site[list(MODEL.site).index(name)] for name in model.site])
    found, last = model.run(theta, [forcing[name] for name in model.forcing], place, outputs=names)
    o = dict(zip(names, found, strict=True))
    for name, values in o.items():
        assert np.isfinite(values).all(), name
    assert np.isfinite(last).all()
    assert subnormal(last) == 0
    fall = (o["falll"] + o["fallr"] + o["fallw"])[:-1] / 365.0
    change = np.diff(o["totlit"] + o["totcsoi"], axis=0)
    error = change - (fall - o["rh"][1:] * 1.0e-3 - o["leached"][1:])
    # litterfall changes at the end of a year's last day: that day's own is the one before
    assert np.abs(error).max() < 1.0e-9 * (o["totlit"] + o["totcsoi"]).max()
    assert (o["cbiow"] > 0.0).all()
    assert ((o["fu"] >= 0.25) & (o["fu"] <= 0.975)).all()


def test_soil_carbon_changes_by_litterfall_less_respired_and_leached():
    rng = np.random.default_rng(6)
    n, days = 32, 300
    theta, forcing, site = parameters(rng, n), weather(rng, days, n), site_of(n, soils(rng, n))
    start = MODEL.initial_state(theta, series(forcing), site)
    fall = {"falll": rng.uniform(0.0, 0.5, n), "fallr": rng.uniform(0.0, 0.5, n), "fallw": rng.uniform(0.0, 0.5, n)}
    for name, values in fall.items():
        start[STATE.index(name)] = values
    for name in POOLS:
        start[STATE.index(name)] = rng.choice([0.0, 1.0e-3, 1.0, 10.0], n)
    found, _, _ = run(theta, forcing, site, start)
    before = {name: np.concatenate([start[STATE.index(name)][None], found[name][:-1]]) for name in POOLS}
    change = sum(found[name] - before[name] for name in POOLS)
    sand = site[list(MODEL.site).index("sand")]
    leached = 0.30e-3 / 18.0 * (0.01 + 0.04 * sand / 100.0) * sum(before[n] for n in ("csoislop", "csoislon", "csoipas"))
    assert np.allclose(found["leached"], leached, rtol=1.0e-9, atol=0.0)
    total = sum(before.values())
    error = change - (sum(fall.values()) / 365.0 - found["rh"] / 1000.0 - leached)
    assert (np.abs(error) <= 1.0e-9 * np.maximum(total, 1.0e-6)).all()
    assert np.allclose(found["totlit"] + found["totcsoi"], sum(found[name] for name in POOLS), rtol=1.0e-12)


@settings(max_examples=3, deadline=None, derandomize=True)
@given(day=st.integers(1, 398))
def test_a_restart_on_any_day_is_bit_identical(day):
    theta, forcing, site, found, start, last = ordinary()
    cut = {name: (x[:day], x[day:]) for name, x in forcing.items()}
    first, _, middle = run(theta, {k: a for k, (a, _) in cut.items()}, site, start)
    second, _, end = run(theta, {k: b for k, (_, b) in cut.items()}, site, middle)
    for name, values in found.items():
        assert np.array_equal(np.concatenate([first[name], second[name]]), values), name
    assert np.array_equal(end, last)


@settings(max_examples=3, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_lane_does_not_depend_on_its_neighbours(seed):
    theta, forcing, site, found, _, last = ordinary()
    pick = np.random.default_rng(seed).permutation(64)[: np.random.default_rng(seed).integers(1, 40)]
    some, _, end = run(theta[:, pick], {k: x[:, pick] if x.shape[1] > 1 else x for k, x in forcing.items()}, site[:, pick])
    for name, values in found.items():
        assert np.array_equal(some[name], values[:, pick]), name
    assert np.array_equal(end, last[:, pick])


@pytest.mark.parametrize("where", ["forcing", "parameter", "site", "state"])
def test_a_lane_that_is_not_a_number_leaves_the_others_as_they_were(where):
    theta, forcing, site, found, start, last = (
        {k: x.copy() for k, x in v.items()} if isinstance(v, dict) else v.copy() for v in ordinary()
    )
    lane, day = 5, 0
    if where == "forcing":
        day = 150
        forcing["tasmin"][day, lane] = np.nan
    else:
        {"parameter": theta, "site": site, "state": start}[where][3, lane] = np.nan
    some, _, end = run(theta, forcing, site, start)
    others = np.arange(64) != lane
    for name, values in found.items():
        assert np.array_equal(some[name][:, others], values[:, others]), name
        assert np.isnan(some[name][day:, lane]).all(), name
        assert np.array_equal(some[name][:day, lane], values[:day, lane]), name
    assert np.array_equal(end[:, others], last[:, others])


def subnormal(x):
    """How many numbers are too small to be normal: they slow every operation down a hundredfold."""
    return int(((np.abs(x) > 0.0) & (np.abs(x) < 2.3e-308)).sum())


@pytest.mark.parametrize("mean", [-20.0, 5.0, 30.0])
def test_no_subnormal_number_is_left_in_the_state(mean):
    rng = np.random.default_rng(9)
    theta, site = parameters(rng, 64), site_of(64, soils(rng, 64))
    forcing = weather(rng, 300, 64, mean=mean, swing=10.0)
    forcing["pr"][150:] = 0.0
    _, last = MODEL.run(theta, series(forcing), site)
    assert subnormal(last) == 0


place = st.tuples(st.floats(-90.0, 90.0), st.floats(-180.0, 180.0), st.integers(0, 1000))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(place=place, day=st.integers(-40000, 60000), pr=st.floats(0.0, 1000.0), wind=st.floats(0.0, 40.0))
def test_the_day_s_rain_falls_in_whole_hours_of_the_day(place, day, pr, wind):
    lat, lon, seed = place
    stream = weather_stream(lat, lon, float(seed))
    for free in (0.0, 1.0):
        start, end, intensity = rain_of_day(pr, stream, float(day), free)
        assert start == int(start) >= 0
        assert end == int(end) <= 24
        assert 4 <= end - start <= 24
        assert intensity * 3600.0 <= max(15.0, pr / 24.0) * (1.0 + 1.0e-12)
        total, hours = 0.0, 0
        for hour in range(24):
            *_, ua, rain, snow = weather_of_hour(
                float(hour), 0.5, 270.0, 285.0, 3.0e-3, 5.0e-3, 9.5e4, 0.5, start, end, intensity, wind, stream, float(day),
                free,
            )  # fmt: skip
            assert 2.5 <= ua <= 10.0
            assert rain == 0.0 or snow == 0.0
            total += 3600.0 * (rain + snow)
            hours += rain + snow > 0.0
        assert total == pytest.approx(pr, rel=1.0e-12)
        assert hours == (end - start if pr > 0.0 else 0)


def test_precipitation_is_rain_above_and_snow_up_to_two_and_a_half_degrees():
    for ta, warm in ((275.65, False), (275.6501, True), (250.0, False)):
        *_, rain, snow = weather_of_hour(3.0, 0.0, ta, ta, 1.0e-3, 1.0e-3, 9.5e4, 0.5, 0.0, 24.0, 1.0e-3, 3.0, 0.5, 1.0, 0.0)
        assert (rain > 0.0) == warm
        assert (snow > 0.0) != warm


def test_weather_draws_are_even_and_differ_between_days_places_and_seeds():
    stream = weather_stream(45.0, -72.0, 0.0)
    days = np.arange(10000.0, 30000.0)
    rain = np.array([rain_of_day(10.0, stream, d, 1.0) for d in days])
    length = rain[:, 1] - rain[:, 0]
    assert np.bincount(length.astype(int), minlength=25)[4:].min() > 0.8 * days.size / 21
    assert abs(length.mean() - 14.0) < 0.15
    assert rain[length == 4.0, 0].max() == 20.0
    gust = np.array([[hashed(stream, d, float(h)) for h in range(24)] for d in days[:1000]])
    assert abs(gust.mean() - 0.5) < 0.01
    assert abs(np.corrcoef(gust[:-1].ravel(), gust[1:].ravel())[0, 1]) < 0.03
    assert abs(np.corrcoef(gust[:, :-1].ravel(), gust[:, 1:].ravel())[0, 1]) < 0.03
    assert abs((1.13989 * (-np.log(gust)) ** 0.30).mean() - 1.023) < 0.02
    grid = {
        weather_stream(lat, lon, s)
        for lat in np.arange(-89.75, 90, 2.5)
        for lon in np.arange(-179.75, 180, 2.5)
        for s in (0.0, 1.0)
    }
    assert len(grid) == 2 * 72 * 144


def test_weather_draws_follow_place_day_and_seed_in_any_lane_order_and_start():
    theta, forcing, site, *_, start, _ = ordinary()
    names = ("rain_start", "rain_end", "intensity", "ua")
    whole, _, _ = run(theta, forcing, site, start, names)
    order = np.random.default_rng(1).permutation(64)[:40]
    later = {k: x[123:] if x.shape[1] == 1 else x[123:, order] for k, x in forcing.items()}
    # another state, other parameters: the weather is the same
    some, _, _ = run(theta[:, :40], later, site[:, order], start[:, :40], names)
    for name in names:
        assert np.array_equal(some[name], whole[name][123:, order]), name
    rows = dict(zip(MODEL.site, site, strict=True))
    for lane, day in ((0, 0), (17, 99), (63, 399)):
        stream = weather_stream(rows["lat"][lane], rows["lon"][lane], rows["weather_seed"][lane])
        begin, end, intensity = rain_of_day(forcing["pr"][day, lane], stream, forcing["day"][day, 0], 1.0)
        assert whole["rain_start"][day, lane] == begin
        assert whole["rain_end"][day, lane] == end
        assert whole["intensity"][day, lane] == pytest.approx(intensity, rel=1.0e-14)
    seeded = site.copy()
    seeded[list(MODEL.site).index("weather_seed")] = 1.0
    other, _, _ = run(theta, forcing, seeded, start, names)
    assert (other["rain_start"] != whole["rain_start"]).mean() > 0.5
    assert (whole["ua"] >= 2.5).all()
    assert (whole["ua"] <= 10.0).all()


def test_without_random_weather_neither_place_nor_seed_matter():
    theta, forcing, site, *_, start, _ = ordinary()
    still = site.copy()
    rows = list(MODEL.site)
    still[rows.index("weather_random")] = 0.0
    moved = still.copy()
    moved[rows.index("lon")] += 1.0
    moved[rows.index("weather_seed")] = 7.0
    first, _, _ = run(theta, forcing, still, start)
    second, _, _ = run(theta, forcing, moved, start)
    for name, values in first.items():
        assert np.array_equal(values, second[name]), name
