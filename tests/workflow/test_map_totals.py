"""What a map amounts to: areas of the sphere, true lengths of periods, whole years or none."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gridcal.vocabulary.periods import aggregate
from gridcal.workflow.map_totals import cell_area, totals_of_map

EARTH = 4 * np.pi * 6371007.2**2


def fluxes(first="2001-01-01", last="2001-12-31", every="8-day", lat=(40.0, 41.0), lon=(-90.0, -89.0, -88.0), names=("gpp",)):
    days = pd.date_range(first, last)
    values = 5 + 4 * np.cos(2 * np.pi * (days.day_of_year.to_numpy() - 196) / 365)
    daily = xr.DataArray(np.broadcast_to(values[:, None, None], (days.size, len(lat), len(lon))), dims=("time", "lat", "lon"))
    daily = daily.assign_coords(time=days, lat=list(lat), lon=list(lon))
    out = {n: aggregate(daily, every).assign_attrs(units="gC m-2 d-1") * (k + 1) for k, n in enumerate(names)}
    return xr.Dataset({n: x.assign_attrs(units="gC m-2 d-1") for n, x in out.items()}), float(values.sum()), days


@pytest.mark.parametrize("every", ["daily", "8-day", "monthly", "yearly"])
def test_a_sum_over_periods_of_unequal_length(every):
    ds, true, _ = fluxes(every=every)
    found = totals_of_map(ds, every)["map GPP"]
    assert found["value"] == pytest.approx(true, rel=1e-12)
    assert found["units"] == "gC m-2 yr-1"
    area = float((cell_area(ds.lat.values, ds.lon.values) * np.ones((2, 3))).sum())
    assert f"{true * area * 1e-15:.3f} Pg C a year" in found["text"]


def test_several_years_with_a_leap_day():
    ds, true, _ = fluxes("2003-01-01", "2005-12-31")
    assert totals_of_map(ds, "8-day")["map GPP"]["value"] == pytest.approx(true / 3, rel=1e-12)


@pytest.mark.parametrize(("first", "last"), [("2001-04-01", "2001-09-30"), ("2001-01-01", "2002-06-30")])
def test_part_of_a_year_is_no_year(first, last):
    ds, true, days = fluxes(first, last, "monthly")
    ((label, found),) = totals_of_map(ds, "monthly", days).items()
    assert label == f"map GPP, {first} to {last}"
    assert found["units"] == "gC m-2 d-1"
    assert found["value"] == pytest.approx(true / days.size, rel=1e-12)
    assert "no annual sum" in found["text"]


def test_a_first_period_of_a_few_days_makes_no_whole_year():
    ds, _, days = fluxes("2001-01-03", "2001-12-31")
    assert "map GPP" not in totals_of_map(ds, "8-day", days)


@pytest.mark.parametrize(
    ("first", "last"), [("2004-01-05", "2004-12-28"), ("2003-07-01", "2005-06-29"), ("2001-03-14", "2001-03-15")]
)
def test_composites_at_the_ends_weigh_what_their_days_are(first, last):
    ds, true, days = fluxes(first, last)
    ((label, found),) = totals_of_map(ds, "8-day", days).items()
    assert label == f"map GPP, {first} to {last}"
    assert f"; {days.size} days are no whole years" in found["text"]
    assert found["value"] == pytest.approx(true / days.size, rel=1e-12)


def test_every_variable_is_named():
    ds, true, _ = fluxes(names=("nee", "gpp", "reco"))
    found = totals_of_map(ds, "8-day")
    assert {k: round(v["value"] / true) for k, v in found.items()} == {"map NEE": 1, "map GPP": 2, "map RECO": 3}


@pytest.mark.parametrize(("lat", "lon"), [((40.0,), (-90.0, -89.0)), ((40.0, 41.0), (-90.0,))])
def test_one_row_or_column_has_an_area(lat, lon):
    assert "Pg C" in totals_of_map(fluxes(lat=lat, lon=lon)[0], "8-day")["map GPP"]["text"]


def test_one_cell_has_none_and_says_so():
    assert cell_area(np.array([40.0]), np.array([-90.0])) is None
    assert "Pg C" not in totals_of_map(fluxes(lat=(40.0,), lon=(-90.0,))[0], "8-day")["map GPP"]["text"]


@pytest.mark.parametrize("lat", [np.arange(-89.5, 90.0), np.arange(-90.0, 91.0), np.arange(90.0, -91.0, -2.0)])
def test_cells_cover_the_sphere(lat):
    lon = np.arange(0.0, 360.0, abs(lat[1] - lat[0]))
    assert float(cell_area(lat, lon).sum()) * lon.size == pytest.approx(EARTH, rel=1e-12)


def test_a_repeated_column_counts_once():
    lon = np.linspace(0.0, 360.0, 37)
    whole = totals_of_map(fluxes(lat=(0.0, 10.0), lon=lon)[0], "8-day")["map GPP"]["text"]
    assert "over 72 pixels" in whole
