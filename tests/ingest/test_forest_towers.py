"""Leaf area from greenness by hand and against a monthly product; the towers' forcing without gaps."""

import os

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gridcal.cube import open_cube
from gridcal.errors import CatalogError, InputError
from gridcal.ingest import forest_tower_cube, lai_from_evi, lai_from_fapar
from gridcal.ingest.forest_towers import FAPAR_SINCE, FORCING, SOIL
from gridcal.models.ibis_dalec import ibis_dalec_model
from gridcal.vocabulary.variables import VARIABLES

needs_data = pytest.mark.skipif("GRIDCAL_DATA" not in os.environ, reason="GRIDCAL_DATA is not set")


def series(values):
    return xr.DataArray(np.asarray(values, dtype=float), dims="time")


def test_leaf_area_is_beers_law_between_the_bare_and_the_full_canopy():
    # half of what the leaves can catch is caught by ln 2 / 0.5 of them
    found = lai_from_fapar(series([0.1, 0.2, 0.575, 0.95, 1.0]), bare=0.2)
    np.testing.assert_allclose(found, [0.0, 0.0, 2.0 * np.log(2.0), *[-2.0 * np.log(0.03)] * 2], rtol=1e-12)
    assert found.attrs["units"] == VARIABLES["lai"].units


def test_the_bare_canopy_is_each_sites_fifth_percentile():
    x = xr.DataArray(np.stack([np.linspace(0.0, 0.8, 101), np.linspace(0.4, 0.9, 101)], axis=1), dims=("time", "site"))
    found = lai_from_fapar(x)
    assert (found.isel(time=slice(0, 5)) == 0.0).all()
    np.testing.assert_allclose(found.isel(time=5), 0.0, atol=1e-12)
    assert (found.isel(time=6) > 0.0).all()
    np.testing.assert_allclose(found.isel(site=1), lai_from_fapar(x.isel(site=1), bare=0.425), atol=1e-12)


def test_an_index_is_scaled_to_its_percentiles_and_its_units_do_not_matter():
    x = series(np.linspace(0.1, 0.7, 201))
    found = lai_from_evi(x)
    np.testing.assert_allclose(found, lai_from_evi(1000.0 * x + 3.0), atol=1e-9)
    assert float(found.max()) == pytest.approx(-2.0 * np.log(0.05))
    assert float(found.isel(time=100)) == pytest.approx(-2.0 * np.log(1.0 - 0.95 * 0.5))


def test_missing_days_stay_missing():
    x = series([0.2, np.nan, 0.5, 0.9])
    for found in (lai_from_fapar(x), lai_from_evi(x)):
        assert np.isnan(found).values.tolist() == [False, True, False, False]


def test_without_data_the_message_names_the_variable_to_set(monkeypatch):
    monkeypatch.delenv("GRIDCAL_DATA", raising=False)
    with pytest.raises(CatalogError, match="GRIDCAL_DATA"):
        forest_tower_cube()


@pytest.fixture(scope="module")
def cube():
    return forest_tower_cube()


@pytest.mark.data
@needs_data
def test_common_years_have_all_the_forcing_of_both_doors():
    part = forest_tower_cube(period=("2000", "2012"))
    part.require_daily()
    for door in ("daily", "radiation"):
        assert set(ibis_dalec_model(door).forcing) <= {*FORCING, "co2", "doy", "year_length", "day"}
    for name in (*FORCING, "co2"):
        low, high = VARIABLES[name].valid_range
        assert np.isfinite(part[name]).all(), name
        assert float(part[name].min()) >= low
        assert float(part[name].max()) <= high
    assert dict(zip(part.data["site"].values, part["sand"].values, strict=True)) == {k: v[0] for k, v in SOIL.items()}


@pytest.mark.data
@needs_data
def test_missing_days_repeat_the_day_before_within_the_record(cube):
    native = open_cube("us-forest-towers-daily").data.load()
    lost = cube["repeated"].sel(site="US-UMB") == 1
    days = cube.data.indexes["time"][lost.values]
    assert pd.Timestamp("2004-12-31") in days  # 31 December of leap years
    assert np.isnan(native["tasmax"].sel(site="US-UMB", time="2004-12-31"))
    for name in FORCING:
        x = cube[name].sel(site="US-UMB")
        assert float(x.sel(time="2004-12-31")) == float(x.sel(time="2004-12-30"))
        np.testing.assert_array_equal(x.where(~lost), native[name].sel(site="US-UMB", time=x["time"]).where(~lost))
    assert int(cube["repeated"].sum()) < 25
    assert np.isnan(cube["tasmax"].sel(site="US-Ha1", time=slice("2013", None))).all()


@pytest.mark.data
@needs_data
def test_years_with_forcing_and_gpp_are_those_of_the_page(cube):
    spans = {"US-Ha1": (1991, 2012), "US-MMS": (1999, 2014), "US-UMB": (2000, 2014)}
    for site, wanted in spans.items():
        for name in ("tasmin", "gpp_obs"):
            there = cube[name].sel(site=site).dropna("time")["time"].dt.year
            assert int(there[0]) == wanted[0], (site, name)
            assert int(there[-1]) == wanted[1] or name == "gpp_obs", (site, name)


@pytest.mark.data
@needs_data
def test_filler_months_hold_no_observation_but_weather(cube):
    half = cube.data.sel(site="US-Ha1", time=slice("2009-07-01", "2009-12-31"))
    for name in half.data_vars:
        if str(name).endswith("_obs"):
            assert np.isnan(half[name]).all(), name
    assert np.isfinite(half["tasmax"]).all()
    assert np.isfinite(cube["gpp_obs"].sel(site="US-Ha1", time="2009-06")).any()


@pytest.mark.data
@needs_data
def test_a_site_without_soil_needs_one():
    with pytest.raises(InputError, match=r"no sand and clay are known at 'US-MOz'"):
        forest_tower_cube(sites=["US-MOz"])
    with pytest.raises(InputError, match=r"no site 'US-Xyz'"):
        forest_tower_cube(sites=["US-Xyz"])
    with pytest.raises(InputError, match=r"no day from"):
        forest_tower_cube(period=("1970", "1980"))
    found = forest_tower_cube(sites=["US-MOz"], soil={"US-MOz": (10.0, 20.0)}, period=("2005", "2006"))
    assert found["sand"].values.tolist() == [10.0]


@pytest.mark.data
@needs_data
@pytest.mark.parametrize(
    ("site", "name", "r", "bias", "rmse"),
    [
        ("US-Ha1", "fapar", 0.90, -0.6, 1.1),
        ("US-UMB", "fapar", 0.98, 0.15, 0.55),
        ("US-Ha1", "evi", 0.86, -1.0, None),
        ("US-UMB", "evi", 0.89, -0.6, None),
    ],
)
def test_leaf_area_agrees_with_the_monthly_product_as_far_as_is_known(site, name, r, bias, rmse):
    """Data page, towers: fAPAR r .90/.98, bias -0.6/+0.15, RMSE 1.1/0.55; EVI r .86/.89, bias -1.0/-0.6."""
    product = open_cube("fluxval-monthly").data["lai"].sel(site=site).to_series().dropna()
    native = open_cube("us-forest-towers-daily").data.sel(site=site, time=slice(FAPAR_SINCE, None)).load()
    daily = (lai_from_fapar(native["fapar"]) if name == "fapar" else lai_from_evi(native["evi"])).to_series()
    table = pd.DataFrame({"mine": daily.resample("MS").mean(), "theirs": product}).dropna()
    assert len(table) == {"US-Ha1": 79, "US-UMB": 75}[site]
    error = table["mine"] - table["theirs"]
    assert table.corr().iloc[0, 1] == pytest.approx(r, abs=0.008)
    assert error.mean() == pytest.approx(bias, abs=0.06)
    if rmse is not None:
        assert np.sqrt((error**2).mean()) == pytest.approx(rmse, abs=0.05)


@pytest.mark.data
@needs_data
def test_observed_leaf_area_of_the_cube_is_made_so(cube):
    native = open_cube("us-forest-towers-daily").data.sel(site="US-UMB").load()
    wanted = lai_from_fapar(native["fapar"].sel(time=slice(FAPAR_SINCE, None)))
    mine = cube["lai_obs"].sel(site="US-UMB", time=slice(FAPAR_SINCE, None))
    np.testing.assert_allclose(mine, wanted.sel(time=mine["time"]), rtol=1e-6)
    assert np.isnan(cube["lai_obs"].sel(time=slice(None, "2000-02-23"))).all()
    summer, winter = (cube["lai_obs"].groupby("time.month").mean().sel(month=m) for m in (7, 1))
    assert (summer > 3.5).all()
    assert (winter < 1.5).all()
