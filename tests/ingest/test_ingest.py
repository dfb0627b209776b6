"""From site tables and climatologies to cubes: small synthetic cases, and the counts and ranges of the real data."""

import os

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gridcal.cube import Cube, open_cube
from gridcal.cube.catalog import load_entry
from gridcal.errors import CatalogError, InputError
from gridcal.extrapolation.features.bioclim import bioclim
from gridcal.ingest import calibration_years, climatological_year_cube, flux_site_cube
from gridcal.ingest.climatological_year import FORCING, year_of_pixels
from gridcal.ingest.shared_features import BIOCLIM, GREENNESS, IGBP, SHARED, grid_features, site_features
from gridcal.kernels.series.solar import esat, toa_radiation
from gridcal.models.lue import lue
from gridcal.vocabulary.variables import VARIABLES

needs_data = pytest.mark.skipif("GRIDCAL_DATA" not in os.environ, reason="GRIDCAL_DATA is not set")


def monthly(values):
    return xr.DataArray(np.asarray(values, dtype=float), dims="month")


# a continental climate: warm quarter June to August, wet quarter May to July, dry and cold December to February
TAS = [-10.0, -8, -2, 5, 12, 18, 20, 19, 13, 6, -1, -7]
PR = [10.0, 8, 20, 40, 80, 90, 85, 60, 50, 30, 20, 12]


@pytest.fixture(scope="module")
def bio():
    return {k: float(v) for k, v in bioclim(monthly(TAS), monthly(PR), monthly([50.0] * 12)).items()}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("bio1", sum(TAS) / 12),
        ("bio4", 100 * np.std(TAS)),  # population standard deviation
        ("bio8", (12 + 18 + 20) / 3),  # temperature of the wettest quarter, May to July
        ("bio9", (-10 - 8 - 7) / 3),  # of the driest, December to February: quarters run round the year
        ("bio10", (18 + 20 + 19) / 3),
        ("bio11", (-7 - 10 - 8) / 3),
        ("bio12", sum(PR)),
        ("bio13", 90.0),
        ("bio14", 8.0),
        ("bio15", 100 * np.std(PR) / (1 + np.mean(PR))),
        ("bio16", 80 + 90 + 85.0),
        ("bio17", 12 + 10 + 8.0),
        ("bio18", 90 + 85 + 60.0),  # rain of the warmest quarter, June to August
        ("bio19", 12 + 10 + 8.0),
        ("sunshine_pct", 50.0),
    ],
)
def test_bioclimatic_variables_by_hand(bio, name, wanted):
    assert bio[name] == pytest.approx(wanted, rel=1e-12)


def test_bioclimatic_variables_shift_with_the_calendar():
    # the same climate half a year later has the same variables: nothing depends on January
    one = bioclim(monthly(TAS), monthly(PR), monthly([50.0] * 12))
    other = bioclim(monthly(np.roll(TAS, 6)), monthly(np.roll(PR, 6)), monthly([50.0] * 12))
    xr.testing.assert_allclose(one, other)


def test_bioclimatic_variables_of_a_grid_are_missing_over_water():
    tas = monthly(TAS).expand_dims(lat=2, lon=2).transpose("lat", "lon", "month").copy()
    tas[1, 1] = np.nan
    pr = monthly(PR).expand_dims(lat=2, lon=2)
    found = bioclim(tas, pr, pr)
    assert found["bio1"].dims == ("lat", "lon")
    for name in found.data_vars:
        assert np.isnan(found[name].values[1, 1])
        assert np.isfinite(found[name].values[0]).all()


TIME = pd.date_range("2015-01-01", "2015-12-31")


def pixels(**changes):
    given = {
        "lat": np.array([42.0, 35.0]),
        "tas_month": np.repeat(np.array(TAS)[:, None], 2, axis=1),
        "pr_month": np.repeat(np.array(PR)[:, None], 2, axis=1),
        "sunshine": np.full((12, 2), 60.0),
        "green": np.array([0.85, 0.7]),
        "capacity": np.array([150.0, 300.0]),
    }
    return year_of_pixels(**(given | changes), time=TIME)


def test_a_climatological_year_keeps_the_energy_of_its_sunshine():
    # rsds = TOA (0.251 + 0.509 sunshine / 100), PAR is 0.45 of it, CI = 1 - that share
    share = 0.251 + 0.509 * 0.6
    found = pixels()
    toa = toa_radiation(np.array([42.0, 35.0])[None], TIME.day_of_year.to_numpy()[:, None])
    np.testing.assert_allclose(found["par"], 0.45 * share * toa, rtol=1e-12)
    np.testing.assert_allclose(found["ci"], 1.0 - share, rtol=1e-12)


def test_a_climatological_year_keeps_the_monthly_means():
    found = pixels()["tas"][:, 0]
    mean = pd.Series(found, TIME).groupby(TIME.month).mean().to_numpy()
    # linear interpolation between mid-months lowers summits and fills valleys by an eighth of the second difference
    bend = (np.roll(TAS, 1) - 2 * np.array(TAS) + np.roll(TAS, -1)) / 8
    np.testing.assert_allclose(mean, TAS + bend, atol=0.2)
    assert found.mean() == pytest.approx(np.average(TAS, weights=TIME.to_series().groupby(TIME.month).size()), abs=0.2)


def test_a_constant_month_stays_constant():
    found = pixels(tas_month=np.full((12, 2), 11.0))
    np.testing.assert_allclose(found["tas"], 11.0)
    np.testing.assert_allclose(found["vpd"], esat(11.0) - esat(5.0))


def test_the_year_closes_on_itself():
    found = pixels()
    for name in ("tas", "vpd", "par", "fapar"):
        step = np.abs(np.diff(found[name], axis=0)).max()
        assert np.abs(found[name][0] - found[name][-1]).max() <= 1.5 * step, name


def test_greenness_runs_between_its_floor_and_the_largest_ndvi():
    fapar = pixels()["fapar"]
    np.testing.assert_allclose(fapar.min(axis=0), 0.3, atol=1e-9)
    np.testing.assert_allclose(fapar.max(axis=0), [0.87, 0.72], atol=5e-3)
    assert (pixels(green=np.array([0.99, 0.99]))["fapar"] <= 0.95).all()


def test_rain_reaches_the_bucket():
    dry, wet = pixels(pr_month=np.zeros((12, 2)))["wai"], pixels(pr_month=np.full((12, 2), 300.0))["wai"]
    assert dry.max() < 0.2
    assert (wet[151:243] > 0.5).all()
    for x in (dry, wet):
        assert ((x >= 0.0) & (x <= 1.0)).all()


def test_site_and_grid_features_have_one_name_each():
    n = len(BIOCLIM) + 1
    columns = {name: ("site", [float(k)] * 2) for k, name in enumerate((*BIOCLIM, "sunshine_pct"))}
    columns |= {"field_capacity": ("site", [200.0, np.nan])}
    columns |= {f"bess_{g}": ("site", [n + 0.5] * 2) for g in GREENNESS if g != "ndvi_range"}
    table = xr.Dataset(columns, coords={"site": ["A", "B"]})
    table["bess_ndvi_minimum"] = ("site", [0.2, 0.3])
    table["bess_ndvi_maximum"] = ("site", [0.9, 0.8])
    table["koeppen"] = ("site", ["Dfb", " Cfa"])
    table["igbp"] = ("site", ["DBF ", "ENF"])
    sites = site_features(table, ["B", "A"])
    assert set(sites.data_vars) == set(SHARED)
    np.testing.assert_allclose(sites["ndvi_range"], [0.5, 0.7])
    assert sites["koeppen"].values.tolist() == ["C", "D"]
    assert sites["igbp"].values.tolist() == ["ENF", "DBF"]
    where = {"lat": [1.0], "lon": [2.0, 3.0]}
    static = xr.Dataset({g: (("lat", "lon"), [[0.9, 0.2]]) for g in GREENNESS if g != "ndvi_range"}, coords=where)
    static["field_capacity"] = (("lat", "lon"), [[0.0, 250.0]])
    static["koeppen"] = (("lat", "lon"), [[4.0, 99.0]])
    static["igbp"] = (("lat", "lon"), [[4, 0]])
    climate = xr.Dataset({name: (("lat", "lon"), [[1.0, 2.0]]) for name in (*BIOCLIM, "sunshine_pct")}, coords=where)
    grid = grid_features(static, climate)
    assert set(grid.data_vars) == set(sites.data_vars)
    assert {k: v.attrs["units"] for k, v in grid.items()} == {k: v.attrs["units"] for k, v in sites.items()}
    assert grid["koeppen"].values.tolist() == [["D", ""]]
    assert grid["igbp"].values.tolist() == [["DBF", "WAT"]]
    assert np.isnan(grid["field_capacity"].values).tolist() == [[True, False]]  # 0 is no capacity


def test_land_cover_codes_are_those_of_mcd12c1():
    # MCD12C1 land cover type 1: 0 water, 1 ENF, ..., 4 DBF, ..., 12 croplands, 16 barren
    assert (IGBP[0], IGBP[4], IGBP[12], IGBP[16]) == ("WAT", "DBF", "CRO", "BSV")


def years(good):
    """A cube whose site k has good[k][y] days with observations in the y-th year."""
    time = pd.date_range("2001-01-01", "2004-12-31")
    obs = np.full((time.size, len(good)), np.nan)
    for k, counts in enumerate(good):
        for y, count in enumerate(counts):
            first = np.flatnonzero(time.year == 2001 + y)[0]
            obs[first : first + count, k] = 1.0
    values = {"gpp_obs": (("time", "site"), obs, {"units": "gC m-2 d-1"})}
    return Cube.from_dataset(xr.Dataset(values, coords={"time": time, "site": [f"S{k}" for k in range(len(good))]}))


@pytest.mark.parametrize(
    ("counts", "fraction", "last"),
    [
        ((200, 200, 200, 200), 0.5, 2002),
        ((200, 200, 200, 200), 0.75, 2003),
        ((200, 200, 200, 200), 0.01, 2001),  # at least one year
        ((200, 200, 200, 200), 0.99, 2003),  # and one is left over
        ((200, 50, 200, 0), 0.5, 2001),  # 2002 does not count: 50 good days
        ((99, 200, 200, 0), 0.5, 2002),
        ((100, 200, 0, 0), 0.5, 2001),
        ((200, 200, 200, 200), 1.0, 2004),
    ],
)
def test_the_first_usable_years_calibrate(counts, fraction, last):
    found = calibration_years(years([counts]), fraction)
    year = found["time"].dt.year
    np.testing.assert_array_equal(found.isel(site=0), year <= last)


def test_a_site_with_one_usable_year_is_calibrated_on_all_its_days():
    found = calibration_years(years([(200, 50, 0, 0), (200, 200, 0, 0)]), 0.5)
    assert found.isel(site=0).all()
    assert not found.isel(site=1).all()
    assert found.dtype == bool


def test_without_data_the_message_names_the_variable_to_set(monkeypatch, tmp_path):
    monkeypatch.delenv("GRIDCAL_DATA", raising=False)
    for make in (flux_site_cube, climatological_year_cube):
        with pytest.raises(CatalogError, match="GRIDCAL_DATA"):
            make()
        with pytest.raises(CatalogError, match="are not there"):
            make(tmp_path)


DECIDUOUS = ["US-Bar", "US-Ha1", "US-MMS", "US-UMB", "US-UMd"]


@pytest.fixture(scope="module")
def sites():
    return flux_site_cube()


@pytest.fixture(scope="module")
def grid():
    return climatological_year_cube()


@pytest.mark.data
@needs_data
def test_there_are_97_recommended_sites(sites):
    assert sites.sizes["site"] == 97
    held = set(sites.data["site"].values.tolist())
    assert {*DECIDUOUS, "CA-Cbo"} <= held
    assert not held & {"AU-TTE", "AU-Ync", "US-Whs", "US-MOz", "US-Wi3"}


@pytest.mark.data
@needs_data
def test_93_sites_have_two_usable_years(sites):
    good = np.isfinite(sites["gpp_obs"]).groupby("time.year").sum()
    few = sites.data["site"].values[((good >= 100).sum("year") < 2).values]
    assert sorted(few) == ["AR-SLu", "AU-Rob", "ES-LgS", "US-GBT"]


@pytest.mark.data
@needs_data
def test_forcing_of_the_sites_is_without_gaps_and_within_its_range(sites):
    sites.require_daily()
    for name in lue.forcing:
        x = sites[name]
        low, high = VARIABLES[name].valid_range
        assert np.isfinite(x).all(), name
        assert float(x.min()) >= low, name
        assert float(x.max()) <= high, name
        assert x.attrs["units"] == VARIABLES[name].units
    lue.check_forcing([sites[n].values for n in lue.forcing])


@pytest.mark.data
@needs_data
def test_observed_gpp_of_the_sites_is_carbon_a_day(sites):
    native = xr.open_dataset(os.path.join(os.environ["GRIDCAL_DATA"], load_entry("flux-sites-daily").location))
    mine, theirs = sites["gpp_obs"].sel(site="US-MMS"), native["gpp"].sel(site="US-MMS")
    theirs = theirs.sel(time=mine["time"])
    used = np.isfinite(mine.values)
    assert used.sum() > 3000
    np.testing.assert_allclose(mine.values[used], theirs.values[used], rtol=1e-6)
    # a deciduous forest of the eastern US: 1 to 2 kgC a year
    annual = 365.25 * float(mine.groupby("time.month").mean().mean())
    assert 1000 < annual < 2000


@pytest.mark.data
@needs_data
def test_filler_at_harvard_forest_is_left_out(sites):
    tower = sites["gpp_obs"].sel(site="US-Ha1")
    assert np.isnan(tower.sel(time=slice("2009-07-01", "2009-12-31"))).all()
    assert np.isfinite(tower.sel(time=slice("2008-07-01", "2008-12-31"))).any()


@pytest.mark.data
@needs_data
def test_radiation_of_the_sites_stays_below_that_above_the_atmosphere(sites):
    # specification of the light-use-efficiency model, section 1.1: over the observed days of the 97 sites the 99 % quantile of
    # shortwave over top-of-atmosphere radiation is 0.65 to 0.99, median 0.78
    doy = sites.data["time"].dt.dayofyear.values
    toa = toa_radiation(sites.data["lat"].values[None], doy[:, None])
    used = np.isfinite(sites["gpp_obs"].values) & (toa > 5.0)
    clear = np.where(used, sites["par"].values / 0.45 / np.maximum(toa, 1.0), np.nan)
    q = np.nanquantile(clear, 0.99, axis=0)
    # there with FAO-56's sun, which is up to 3 % weaker where most sites lie in autumn and spring
    np.testing.assert_allclose([q.min(), np.median(q), q.max()], [0.65, 0.78, 0.99], atol=0.01)


@pytest.mark.data
@needs_data
def test_sites_can_be_chosen_by_name_and_class(sites):
    few = flux_site_cube(sites=["US-Ha1", "US-NR1", "US-MMS"], classes=["DBF"])
    assert few.data["site"].values.tolist() == ["US-Ha1", "US-MMS"]
    for name in ("tas", "par", "wai", "gpp_obs"):
        shared = few[name].sel(time=slice("2001", "2005"))
        np.testing.assert_array_equal(shared, sites[name].sel(site=few.data["site"], time=shared["time"]))
    with pytest.raises(InputError, match="no site 'US-Xyz'"):
        flux_site_cube(sites=["US-Xyz"])
    with pytest.raises(InputError, match="no site is left"):
        flux_site_cube(sites=["US-NR1"], classes=["DBF"])


@pytest.mark.data
@needs_data
def test_lag_filters_act_in_boreal_and_arid_climates(sites):
    letters = sites["koeppen"].values
    np.testing.assert_array_equal(sites["lag_temperature"], letters == "D")
    np.testing.assert_array_equal(sites["lag_moisture"], letters == "B")


@pytest.mark.data
@needs_data
def test_there_are_32529_deciduous_pixels(grid):
    assert int(grid.mask.sum()) == 32529
    assert dict(grid.data["igbp"].sizes) == {"lat": 500, "lon": 630}
    count = dict(zip(*np.unique(grid["koeppen"].values[grid.mask.values], return_counts=True), strict=True))
    assert {k: int(count[k]) for k in "ACD"} == {"A": 1, "C": 10585, "D": 21943}
    assert int(np.isnan(grid["field_capacity"].values[grid.mask.values]).sum()) == 13 + 277


@pytest.mark.data
@needs_data
def test_the_map_is_lazy_and_has_a_chunk_of_time(grid):
    for name in FORCING:
        x = grid[name]
        assert x.chunks is not None
        assert len(x.chunksizes["time"]) == 1
        assert x.attrs["units"] == VARIABLES[name].units
    assert grid.sizes["time"] == 365


@pytest.fixture(scope="module")
def tile(grid):
    """The tile of the map with the most deciduous pixels, computed."""
    used = grid.mask.values[:500, :600].reshape(10, 50, 12, 50).sum(axis=(1, 3))
    row, column = np.unravel_index(used.argmax(), used.shape)
    part = {"lat": slice(50 * row, 50 * row + 50), "lon": slice(50 * column, 50 * column + 50)}
    return grid.data.isel(part).compute()


@pytest.mark.data
@needs_data
def test_forcing_of_the_map_is_within_its_range_and_missing_outside_the_mask(tile):
    used = tile["mask"].values
    assert used.sum() > 500
    for name in FORCING:
        low, high = VARIABLES[name].valid_range
        x = tile[name].values
        assert np.isfinite(x[:, used]).all(), name
        assert np.isnan(x[:, ~used]).all(), name
        assert x[:, used].min() >= low
        assert x[:, used].max() <= high
    lue.check_forcing([tile[n].values for n in ("co2",) for _ in lue.forcing])


@pytest.mark.data
@needs_data
def test_the_maps_year_has_the_temperature_and_sun_of_its_climatology(tile):
    month = open_cube("eastus-climatology").data[["tas_month", "pr_month", "sunshine"]].load()
    near = month.sel(lat=tile["lat"], lon=tile["lon"], method="nearest")
    used = tile["mask"].values
    length = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    annual = np.average(near["tas_month"].transpose("month", ...).values, axis=0, weights=length)
    np.testing.assert_allclose(tile["tas"].mean("time").values[used], annual[used], atol=0.25)
    np.testing.assert_allclose(tile["bio1"].values[used], near["tas_month"].mean("month").values[used], atol=1e-4)
    np.testing.assert_allclose(tile["bio12"].values[used], near["pr_month"].sum("month").values[used], rtol=1e-5)
    # energy: over the year PAR is 0.45 times the clear share of what arrives above, month by month
    factor = 1.0 if month["sunshine"].attrs["units"] == "%" else 100.0
    toa = toa_radiation(tile["lat"].values[None], tile["time"].dt.dayofyear.values[:, None])
    share = 0.251 + 0.509 * factor * near["sunshine"].transpose("month", ...).values / 100.0
    wanted = sum((0.45 * share[m] * toa[tile["time"].dt.month.values == m + 1].sum(axis=0)[:, None]) for m in range(12))
    np.testing.assert_allclose(tile["par"].sum("time").values[used], wanted[used], rtol=0.01)


@pytest.mark.data
@needs_data
def test_bioclimatic_variables_are_those_of_the_site_table():
    """The table was made from the same climatology, nearest cell: 17 of its sites lie on the map."""
    month = open_cube("eastus-climatology").data[["tas_month", "pr_month", "sunshine"]].load()
    climate = bioclim(month["tas_month"], month["pr_month"], month["sunshine"])
    table = open_cube("flux-site-features").data
    lat, lon = table["lat"], table["lon"]
    inside = (lat > 25.0) & (lat < 50.0) & (lon > -98.0) & (lon < -66.0)
    here = table.isel(site=inside.values)
    near = climate.sel(lat=here["lat"], lon=here["lon"], method="nearest")
    known = np.isfinite(near["bio1"].values) & np.isfinite(here["bio1"].values)
    assert known.sum() == 17
    for name in BIOCLIM:
        np.testing.assert_allclose(near[name].values[known], here[name].values[known], rtol=1e-3, atol=0.01, err_msg=name)


@pytest.mark.data
@needs_data
def test_deciduous_towers_stand_on_deciduous_pixels(sites, grid):
    towers = sites.data.sel(site=[*DECIDUOUS, "CA-Cbo"])
    used = grid.mask.sel(lat=towers["lat"], lon=towers["lon"], method="nearest")
    assert used.values.tolist() == [True] * 5 + [False]  # CA-Cbo lies on a savanna pixel


@pytest.mark.data
@needs_data
def test_sites_of_a_comparison_have_features_cycles_and_tower_days():
    from gridcal.extrapolation.features.classes import NEVER_FEATURES, classes_of
    from gridcal.extrapolation.spie.site_series import site_series
    from gridcal.ingest.comparison_sites import comparison_site_cube
    from gridcal.models.lue import lue

    names = ["US-Ha1", "DE-Tha", "IT-Ren", "US-Wkg"]
    cube = comparison_site_cube(sites=names)
    kinds = classes_of(cube.feature_names)
    assert set(kinds.values()) == {"BioClim", "VIF", "NPdep", "Soil", "PFT", "Clim"}
    assert not {"lat", "lon", "n_lue", "gpp_obs", "hwsd_dist_km"} & set(cube.feature_names)
    assert all("dist_km" not in n for n in cube.feature_names)
    assert "lat" in NEVER_FEATURES
    assert cube.data["cycles"].shape == (4, 4 * 73)
    assert np.isfinite(cube.data["cycles"]).all()
    assert cube.data["pft"].values[0] == "DBF"
    tower = cube.data["tower"].values
    assert 0.0 < tower.mean() < 1.0
    series = site_series(cube, lue, {"gpp": "gpp_obs"}, uncertainty="gpp_unc")
    assert series.labels == tuple(names)
    for s in range(4):
        assert all(np.isfinite(x).all() for x in series.forcing[s])
        seen = np.isfinite(series.observed["gpp"][s])
        assert seen[-1]
        assert seen.sum() > 200
        assert ((series.weight[s] > 0) & (series.weight[s] <= 1)).all()
