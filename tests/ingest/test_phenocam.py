"""Daily weather at PhenoCam pixels: formulas by hand, the page's counts, and correlations with towers."""

import os

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gridcal.cube import Cube, open_cube
from gridcal.errors import CatalogError, ConfigError, InputError
from gridcal.ingest import by_first_year, phenocam_cube
from gridcal.ingest.flux_sites import FILLER
from gridcal.ingest.phenocam import FORCING, TEXTURES, cloud_of_range, complete_years, specific_humidity
from gridcal.models.ibis.weather import diurnal
from gridcal.models.ibis_dalec import ibis_dalec
from gridcal.vocabulary.variables import VARIABLES

needs_data = pytest.mark.skipif("GRIDCAL_DATA" not in os.environ, reason="GRIDCAL_DATA is not set")


def column(value, days=40):
    return np.full((days, 1), float(value))


def test_cloud_of_a_constant_range_by_hand():
    # dT = 16: B = .031 + .201 exp(-2.96), exp(-64 B) = .0704 -> tau = .562; clt = (.760 - .562) / .509
    steepness = 0.031 + 0.201 * np.exp(-0.185 * 16.0)
    tau = 0.6 * (1.0 - 0.9 * np.exp(-64.0 * steepness))
    assert tau == pytest.approx(0.5620, abs=1e-3)
    clear = cloud_of_range(column(4.0), column(20.0), column(1.0))
    np.testing.assert_allclose(clear, (0.760 - tau) / 0.509, rtol=1e-12)
    wet = cloud_of_range(column(4.0), column(20.0), column(1.01))
    np.testing.assert_allclose(wet, (0.760 - 0.75 * tau) / 0.509, rtol=1e-12)


def test_cloud_is_what_gives_ibis_the_transmissivity_back():
    low, high = column(2.0), column(2.0) + np.linspace(2.0, 18.0, 40)[:, None]
    cloud = cloud_of_range(low, high, column(0.0))
    _, tau = diurnal.light_from_cloud(cloud)
    swing = high - low
    mean = pd.Series(swing[:, 0]).rolling(30, center=True, min_periods=15).mean().to_numpy()
    wanted = 0.6 * (1.0 - 0.9 * np.exp(-(0.031 + 0.201 * np.exp(-0.185 * mean)) * swing[:, 0] ** 1.5))
    inside = (cloud[:, 0] > 0.0) & (cloud[:, 0] < 1.0)
    assert inside.sum() > 20
    np.testing.assert_allclose(tau[inside, 0], wanted[inside], rtol=1e-12)


def test_cloud_falls_with_the_days_range_and_stays_a_fraction():
    swings = np.concatenate([np.full(60, 10.0), [0.0, 5.0, 10.0, 15.0, 30.0], np.full(60, 10.0)])[:, None]
    cloud = cloud_of_range(np.zeros_like(swings), swings, np.zeros_like(swings))
    odd = cloud[60:65, 0]
    assert (np.diff(odd) <= 0.0).all()
    assert odd[0] == 1.0
    assert ((cloud >= 0.0) & (cloud <= 1.0)).all()
    # an inverted day has no range
    assert cloud_of_range(column(5.0), column(4.0), column(0.0)).tolist() == column(1.0).tolist()


def test_cloud_is_missing_where_weather_is():
    low, high, pr = column(0.0, 90), column(10.0, 90), column(0.0, 90)
    high[50:60] = np.nan
    cloud = cloud_of_range(low, high, pr)
    np.testing.assert_array_equal(np.isnan(cloud), np.isnan(high))


def test_specific_humidity_of_saturated_air():
    # 20 degC: saturation vapour pressure 2339 Pa, mixing ratio .01469 kg kg-1 at 1013.25 hPa (psychrometric tables)
    q = specific_humidity(2339.0, 101325.0)
    assert q / (1.0 - q) == pytest.approx(0.01469, rel=2e-3)


def test_a_year_is_complete_with_its_leap_day_only():
    time = pd.date_range("2003-01-01", "2005-12-30")
    known = np.ones((time.size, 2), dtype=bool)
    known[time == "2004-02-29", 1] = False
    assert complete_years(known, time).tolist() == [[True, True], [True, False], [False, False]]


def made_up(missing):
    time = pd.date_range("2001-01-01", "2005-12-31")
    values = {n: np.ones((time.size, len(missing))) for n in FORCING}
    for k, years in enumerate(missing):
        for y in years:
            values["pr"][np.flatnonzero(time.year == y)[7], k] = np.nan
    data = xr.Dataset({n: (("time", "pixel"), x, {"units": VARIABLES[n].units}) for n, x in values.items()})
    return Cube.from_dataset(data.assign_coords(time=time, pixel=[f"p{k}" for k in range(len(missing))]))


def test_pixels_are_grouped_by_the_first_of_the_years_that_follow_each_other():
    groups = by_first_year(made_up([(), (2001,), (2002,), (2003,), ()]), 3)
    assert {y: c.data["pixel"].values.tolist() for y, c in groups.items()} == {2001: ["p0", "p4"], 2002: ["p1"], 2003: ["p2"]}
    for y, cube in groups.items():
        days = cube.data.indexes["time"]
        assert (days[0], days[-1]) == (pd.Timestamp(y, 1, 1), pd.Timestamp(y + 2, 12, 31))
        assert np.isfinite(cube["pr"]).all()
    with pytest.raises(InputError, match="6 complete years"):
        by_first_year(made_up([()]), 6)


def test_impossible_wishes_are_named(monkeypatch):
    with pytest.raises(ConfigError, match="together at most 100"):
        phenocam_cube(texture=(80.0, 30.0))
    monkeypatch.delenv("GRIDCAL_DATA", raising=False)
    with pytest.raises(CatalogError, match="GRIDCAL_DATA"):
        phenocam_cube()


@pytest.fixture(scope="module")
def cube():
    return phenocam_cube()


@pytest.mark.data
@needs_data
def test_37_cells_have_three_years_and_43_have_two(cube):
    assert cube.sizes["pixel"] == 37
    assert phenocam_cube(least_years=2).sizes["pixel"] == 43
    assert (cube.data["lon"] > -98.0).all()
    assert (cube.data["lat"] < 50.0).all()
    cells = np.floor(np.stack([cube.data["lat"], cube.data["lon"]]) / 0.05)
    assert np.unique(cells, axis=1).shape[1] == 37
    shared = dict(zip(cube.data["pixel"].values, cube.data["cameras"].values, strict=True))
    assert shared["harvard"].split() == ["harvard", "harvardbarn", "harvardbarn2", "harvardblo", "harvardlph"]
    with pytest.raises(ConfigError, match="no pixel has so many"):
        phenocam_cube(least_years=20)


@pytest.mark.data
@needs_data
def test_year_2000_is_complete_at_smokylook_only(cube):
    known = np.isfinite(cube["clt"].values) & np.isfinite(cube["huss"].values)
    full = complete_years(known, cube.data.indexes["time"])[1]
    assert cube.data["pixel"].values[full].tolist() == ["smokylook"]


@pytest.mark.data
@needs_data
def test_forcing_is_complete_in_groups_and_in_its_range(cube):
    groups = by_first_year(cube, 3)
    assert sum(c.sizes["pixel"] for c in groups.values()) == 36  # arbutuslake has 2009, 2012 and 2013
    for part in groups.values():
        part.require_daily()
        for name in (*FORCING, "co2"):
            low, high = VARIABLES[name].valid_range
            x = part[name]
            assert np.isfinite(x).all(), name
            assert float(x.min()) >= low, name
            assert float(x.max()) <= high, name
            assert x.attrs["derivation"]
    assert set(ibis_dalec.forcing) <= {*FORCING, "co2", "doy", "year_length", "day"}


@pytest.mark.data
@needs_data
def test_co2_is_that_of_mauna_loa(cube):
    co2 = cube["co2"].sel(time=["2000-07-01", "2014-07-01"])
    np.testing.assert_allclose(co2, [369.71, 398.81], atol=0.3)  # annual means of NOAA GML


@pytest.mark.data
@needs_data
def test_texture_is_an_argument(cube):
    other = phenocam_cube(texture=TEXTURES["silt loam"])
    assert (set(cube["sand"].values), set(other["sand"].values), set(other["clay"].values)) == ({60.0}, {25.0}, {18.0})
    assert cube.data.attrs["fingerprint"] != other.data.attrs["fingerprint"]
    np.testing.assert_array_equal(cube["clt"], other["clt"])


@pytest.mark.data
@needs_data
@pytest.mark.parametrize(
    ("tower", "pixel"),
    [("US-Ha1", "harvard"), ("US-MMS", "morganmonroe"), ("US-UMB", "umichbiological"), ("US-MOz", "missouriozarks")],
)
def test_radiation_and_cloud_agree_with_the_towers_as_far_as_is_known(cube, tower, pixel):
    """Data page: daily rsds r .87 to .89, bias -4 to +8 %; clt r .64 to .70 with 0.6 of the observed sd."""
    seen = open_cube("us-forest-towers-daily").data.sel(site=tower).load()
    clt = cube["clt"].sel(pixel=pixel)
    days = clt["time"].to_index()
    doy, lat = days.day_of_year.to_numpy().astype(float), float(cube.data["lat"].sel(pixel=pixel))
    sine, cosine, solar, _ = np.array([diurnal.sun_of_day(d, lat) for d in doy]).T
    top = solar * np.mean([np.maximum(0.0, sine + cosine * h) for h in diurnal.COS_HOUR], axis=0)
    table = pd.DataFrame({"rsds": top * diurnal.light_from_cloud(clt.values)[1], "clt": clt.values}, index=days)
    table["rsds_tower"], table["clt_tower"] = seen["rsds"].to_series(), seen["clt"].to_series()
    for site, first, last in FILLER:
        if site == tower:
            table.loc[first:last] = np.nan
    table = table.dropna()
    assert len(table) > 1100
    r = table.corr()
    assert 0.865 <= r.loc["rsds", "rsds_tower"] <= 0.895
    assert -0.045 <= table["rsds"].mean() / table["rsds_tower"].mean() - 1.0 <= 0.085
    assert 0.635 <= r.loc["clt", "clt_tower"] <= 0.705
    assert table["clt"].std() / table["clt_tower"].std() == pytest.approx(0.6, abs=0.08)
