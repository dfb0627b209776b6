"""Light at the hourly door: none of a record is lost, the sun is that of the whole hour, the clock and the place are read."""

import math
import os

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

import gridcal as gc
from gridcal.errors import InputError
from gridcal.models.ibis import ibis_model
from gridcal.models.ibis.weather.diurnal import sun_of_day
from gridcal.models.ibis.weather.tower import light_of_record, sun_of_clock, sun_of_record
from gridcal.models.ibis_dalec import ibis_dalec_model

DATA = os.environ.get("GRIDCAL_DATA")


def record(doy, lat, hour, rsds, ahead):
    """Mean cosine, that of the lit part, top of the atmosphere and the four parts of a record, the sun `ahead` of the clock."""
    sine, cosine, solar, _ = sun_of_day(doy, lat)
    _, sun_set, whole = sun_of_clock(doy, 0.0, 0.0, sine, cosine)
    mean, coszen = sun_of_record(hour, ahead, sine, cosine, sun_set, whole, rsds)
    return mean, coszen, solar * mean, light_of_record(mean, solar, rsds)


@pytest.mark.parametrize(("doy", "hour", "mean", "top"), [(80.0, 6.0, 0.0995, 137.0), (172.0, 4.0, 0.026, 35.0)])
def test_the_hour_of_sunrise_keeps_its_ten_watts(doy, hour, mean, top):
    # sun integrated over 12 parts of the hour; at the hour's start it gives 5.0 and 0.0 W m-2
    found, coszen, above, parts = record(doy, 42.54, hour, 10.0, 0.0)
    assert found == pytest.approx(mean, abs=5e-4)
    assert above == pytest.approx(top, rel=0.01)
    assert sum(parts) == pytest.approx(10.0, rel=1e-14)
    assert coszen >= found * (1.0 - 1e-12)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    doy=st.integers(1, 366), lat=st.floats(-90.0, 90.0), hour=st.integers(0, 23), ahead=st.floats(-12.0, 12.0),
    rsds=st.floats(-10.0, 1400.0),
)  # fmt: skip
def test_the_sun_is_the_mean_of_the_hour_and_no_light_is_lost(doy, lat, hour, ahead, rsds):
    mean, coszen, top, parts = record(float(doy), lat, float(hour), rsds, ahead)
    sine, cosine, _, _ = sun_of_day(float(doy), lat)
    angle = (hour + ahead - 12.0 + (np.arange(4000) + 0.5) / 4000) * np.pi / 12.0
    height = np.maximum(sine + cosine * np.cos(angle), 0.0)
    assert mean == pytest.approx(height.mean(), abs=1e-6)
    assert sum(parts) == pytest.approx(max(rsds, 0.0), rel=1e-12)
    assert min(parts) >= 0.0
    assert parts[0] + parts[1] <= top * (1.0 + 1e-12)  # no more direct light than the sun sends
    if (height > 0.0).mean() > 0.01:
        assert coszen == pytest.approx(max(height[height > 0.0].mean(), 0.01 if rsds > 0.0 else 0.0), abs=2e-4)
    if rsds > 0.0:
        assert coszen > 0.0  # or the radiation scheme would not run


def test_the_day_of_hours_is_the_day():
    for doy, lat in ((80.0, 42.54), (172.0, 70.0), (355.0, 67.0), (10.0, -89.0)):
        sine, cosine, _, _ = sun_of_day(doy, lat)
        _, _, whole = sun_of_clock(doy, 0.0, 0.0, sine, cosine)
        hours = [record(doy, lat, float(h), 0.0, 0.37)[0] for h in range(24)]
        assert sum(hours) == pytest.approx(whole * 12.0 / math.pi, abs=1e-6)


def test_twilight_comes_from_all_of_the_sky():
    _, coszen, top, parts = record(355.0, 42.54, 0.0, 8.0, 0.0)
    assert top == 0.0
    assert parts[0] == parts[1] == 0.0
    assert sum(parts) == pytest.approx(8.0)
    assert coszen > 0.0
    assert record(355.0, 42.54, 0.0, 0.0, 0.0)[1] == 0.0
    # brighter than the sun above the air: what exceeds it is diffuse, of the rest 16.6 % (Nikolov and Zeller)
    _, _, top, parts = record(80.0, 42.54, 6.0, 200.0, 0.0)
    assert sum(parts[:2]) == pytest.approx((1.0 - 0.166) * top)
    assert sum(parts) == pytest.approx(200.0)


# minutes by which the sun is ahead of a clock of mean solar time, from almanacs
@pytest.mark.parametrize(
    ("doy", "minutes"), [(42, -14.2), (105, 0.0), (134, 3.7), (164, 0.0), (207, -6.5), (244, 0.0), (307, 16.4), (359, 0.0)]
)
def test_the_sun_is_late_in_february_and_early_in_november(doy, minutes):
    sine, cosine, _, _ = sun_of_day(float(doy), 42.5)
    ahead, _, _ = sun_of_clock(float(doy), 0.0, 0.0, sine, cosine)
    assert 60.0 * ahead == pytest.approx(minutes, abs=0.6)


def test_longitude_and_time_zone_move_the_sun_by_what_they_say():
    sine, cosine, _, _ = sun_of_day(105.0, 42.5)

    def ahead(lon, zone):
        return sun_of_clock(105.0, lon, zone, sine, cosine)[0] - sun_of_clock(105.0, 0.0, 0.0, sine, cosine)[0]

    assert ahead(-72.1715, -5.0) == pytest.approx(0.189, abs=1e-3)  # US-Ha1
    assert ahead(-86.4131, -5.0) == pytest.approx(-0.761, abs=1e-3)  # US-MMS
    assert ahead(139.7, 9.0) == pytest.approx(0.313, abs=1e-3)
    # the same instants on another clock
    assert ahead(-72.1715, 0.0) + 5.0 == pytest.approx(ahead(-72.1715, -5.0))


@pytest.mark.parametrize("model", [ibis_model("hourly"), ibis_dalec_model("hourly")], ids=lambda m: m.name)
def test_the_door_asks_for_place_and_clock(model):
    assert {"lat", "lon", "utc_offset"} <= set(model.site)
    assert not {"lat", "lon", "utc_offset"} & set(model.site_default)
    assert model.version == 2


def test_a_cube_without_a_clock_is_refused():
    model = ibis_model("hourly")
    hours = np.arange("2001-01-01", "2001-01-03", dtype="datetime64[h]").astype("datetime64[ns]")
    units = {"tas": "degC", "pr": "mm d-1", "sfcWind": "m s-1", "huss": "kg kg-1", "ps": "Pa", "rsds": "W m-2", "rlds": "W m-2"}
    value = {"ps": 98000.0, "rlds": 300.0, "huss": 0.003}
    data = xr.Dataset(
        {n: (("time", "site"), np.full((48, 1), value.get(n, 1.0)), {"units": u}) for n, u in units.items()}
        | {"co2": ("time", np.full(48, 380.0), {"units": "ppm"})}
        | {n: ("site", [30.0], {"units": "%"}) for n in ("sand", "clay")},
        coords={"time": hours, "site": ["a"], "lat": ("site", [42.5]), "lon": ("site", [-72.0])},
    )
    data["lat"].attrs["units"], data["lon"].attrs["units"] = "degrees_north", "degrees_east"
    with pytest.raises(InputError, match=r"utc_offset.*ahead of UTC"):
        gc.simulate(gc.Cube.from_dataset(data), model)


@pytest.mark.data
@pytest.mark.skipif(not DATA, reason="GRIDCAL_DATA is not set")
def test_mornings_and_afternoons_at_harvard_are_as_diffuse_as_each_other():
    with xr.open_dataset(f"{DATA}/towers/hourly/US-Ha1_forcing_hourly.nc") as file:
        seen = file["rsds"].sel(time=slice("2001", "2004")).load()
        lat, lon = float(file.attrs["lat"]), float(file.attrs["lon"])
    sun, clock, mean, light = (njit(f) for f in (sun_of_day, sun_of_clock, sun_of_record, light_of_record))

    @njit
    def parts(doy, hour, rsds, out):
        for i in range(rsds.size):
            sine, cosine, solar, _ = sun(doy[i], lat)
            ahead, sets, whole = clock(doy[i], lon, -5.0, sine, cosine)
            now = mean(hour[i], ahead, sine, cosine, sets, whole, rsds[i])[0]
            direct_vis, direct_nir, diffuse_vis, diffuse_nir = light(now, solar, rsds[i])
            out[0, i], out[1, i] = direct_vis + direct_nir, diffuse_vis + diffuse_nir
            out[2, i] = (hour[i] + 0.5 + ahead) % 24.0 < 12.0

    time, rsds = seen["time"].to_index(), np.nan_to_num(seen.values.astype(float))
    out = np.empty((3, rsds.size))
    parts(time.day_of_year.to_numpy(dtype=float), time.hour.to_numpy(dtype=float), rsds, out)
    direct, diffuse, morning = out[0], out[1], out[2] > 0.0
    assert (direct + diffuse).sum() == pytest.approx(np.maximum(rsds, 0.0).sum(), rel=1e-12)
    share = [diffuse[m].sum() / (direct + diffuse)[m].sum() for m in (morning, ~morning)]
    # of the whole record with the sun of 12 parts of the hour: 0.371 and 0.385; with that of its start 0.322 and 0.442
    assert share == pytest.approx([0.371, 0.385], abs=0.015)
