import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gridcal.cube import Cube
from gridcal.cube.agreement import check_daily, check_same, check_space, check_time
from gridcal.errors import InputError


def series(index, **encoding):
    ds = xr.Dataset({"tas": ("time", np.zeros(len(index), dtype=np.float32), {"units": "degC"})}, coords={"time": index})
    ds["time"].encoding.update(encoding)
    return ds


DAYS = pd.date_range("2003-12-28", "2004-03-02")


def raises(match, function, *args):
    with pytest.raises(InputError, match=match) as caught:
        function(*args)
    assert caught.value.repair
    return caught.value


def test_clean_time_passes():
    for calendar in ("standard", "gregorian", "proleptic_gregorian"):
        check_time(series(DAYS, calendar=calendar))
    check_time(series(DAYS[:1]))
    check_time(xr.Dataset({"elv": ("site", [1.0])}))
    check_daily(DAYS)
    check_daily(DAYS[:1])
    check_daily(DAYS + pd.Timedelta(hours=12))


@pytest.mark.parametrize("calendar", ["noleap", "360_day", "all_leap", "julian"])
def test_other_calendars(calendar):
    dates = xr.date_range("2001-01-01", periods=5, calendar=calendar, use_cftime=True)
    error = raises(f"calendar '{calendar}'", check_time, series(dates))
    assert "convert_calendar" in error.repair
    raises(f"calendar '{calendar}'", check_time, series(DAYS, calendar=calendar))


def test_cftime_dates_of_the_standard_calendar():
    raises("cftime dates", check_time, series(xr.date_range("2001-01-01", periods=5, use_cftime=True)))


@pytest.mark.parametrize(
    ("index", "says"),
    [
        (DAYS[::-1], "is not sorted"),
        (DAYS[[0, 1, 1, 2]], "2003-12-29 00:00:00 twice"),
        (DAYS[[0, 2, 1, 3]], "2003-12-30 00:00:00 is followed by 2003-12-29"),
        (pd.DatetimeIndex(["2001-01-01", None]), "missing dates"),
        (np.arange(4), "not dates"),
        (np.array(["2001-01-01", "2001-01-02"]), "not dates"),
    ],
)
def test_bad_time(index, says):
    raises(says, check_time, series(index))


def test_time_without_dates():
    raises("'time' has no coordinate", check_time, series(DAYS).drop_vars("time"))


def test_time_in_many_chunks():
    error = raises("'tas' is stored as maps: 7 chunks along time", check_time, series(DAYS).chunk(time=10))
    assert "chunks={'time': -1}" in error.repair


@pytest.mark.parametrize("name", ["latitude", "longitude", "valid_time", "day"])
def test_other_names_of_dimensions(name):
    error = raises(f"dimension '{name}' is called", check_time, xr.Dataset({"tas": (name, [1.0, 2.0])}))
    assert "catalog entry" in error.repair


@pytest.mark.parametrize(
    ("index", "says"),
    [
        (
            pd.date_range("2003-01-01", "2006-12-31").drop(["2004-12-31"]),
            r"lacks the day 2004-12-31\. .* 31 December of leap years",
        ),
        (
            pd.date_range("2003-01-01", "2009-12-31").drop(["2004-02-29", "2008-02-29"]),
            r"lacks the days 2004-02-29, 2008-02-29\. .* 29 February",
        ),
        (pd.date_range("2003-01-01", periods=48, freq="h"), "steps of 1 h"),
        (
            pd.date_range("2003-01-01", periods=8, freq="8D"),
            r"2003-01-01 00:00:00 is followed by 2003-01-09 .* \(7 such",
        ),
        (DAYS.drop(["2004-01-05"]), "lacks the day 2004-01-05"),
        (pd.Index([1, 2, 3]), "no dates"),
    ],
)
def test_what_is_not_daily(index, says):
    raises(says, check_daily, index)


def grid(lat, lon):
    return xr.Dataset({"elv": (("lat", "lon"), np.zeros((len(lat), len(lon))))}, coords={"lat": lat, "lon": lon})


LAT, LON = 25.025 + 0.05 * np.arange(40), -97.975 + 0.05 * np.arange(30)


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        (LAT, LON),
        (LAT[::-1], LON),
        (LAT.astype(np.float32), LON.astype(np.float32)),
        (LAT + 1e-14 * np.arange(40), LON),
        (LAT, LON + 360.0),
        (LAT[:1], LON[:1]),
        (np.linspace(-90, 90, 181), np.linspace(-180, 180, 361)),
    ],
    ids=["north", "south", "float32", "jitter", "east of 180", "one pixel", "poles"],
)
def test_clean_grids_pass(lat, lon):
    check_space(grid(lat, lon))


@pytest.mark.parametrize(
    ("lat", "lon", "says"),
    [
        (np.r_[LAT[:5], LAT[4:]], LON, "'lat' holds .* twice"),
        (LAT, np.r_[LON[:5], LON[4:]], "'lon' holds .* twice"),
        (np.r_[LAT[20:], LAT[:20]], LON, "'lat' is not monotonic"),
        (
            LAT,
            np.r_[np.arange(170.0, 180.0), np.arange(-180.0, -170.0)],
            "'lon' is not monotonic: it jumps at the date line",
        ),
        (np.r_[LAT[:5], LAT[6:]], LON, "'lat' is not regular"),
        (LAT, np.cumsum(1.0 + 0.03 * np.arange(20)), "'lon' is not regular"),
        (np.r_[LAT[:5], np.nan], LON, "'lat' holds NaN"),
        (1000.0 * np.arange(20), LON, "'lat' reaches 19000, beyond 90"),
        (LAT, 1000.0 * np.arange(20), "'lon' reaches 19000, beyond 360"),
    ],
)
def test_bad_grids(lat, lon, says):
    raises(says, check_space, grid(lat, lon))


def test_grids_without_coordinates_or_with_two_dimensions():
    raises("dimension 'lat' has no coordinate", check_space, grid(LAT, LON).drop_vars("lat"))
    raises("a dimension 'lat' but no 'lon'", check_space, grid(LAT, LON).isel(lon=0, drop=True))
    curved = xr.Dataset({"pr": (("y", "x"), np.zeros((2, 3)))}, coords={"lat": (("y", "x"), np.zeros((2, 3)))})
    raises("'lat' has two dimensions", check_space, curved)


def test_labels_of_samples_are_unique():
    raises("'site' holds 'US-Ha1' twice", check_space, xr.Dataset(coords={"site": ["US-Ha1", "US-MMS", "US-Ha1"]}))
    raises("'pixel' holds 7 twice", check_space, xr.Dataset(coords={"pixel": [7, 7]}))


def test_equal_coordinates_pass_and_absent_ones_are_no_matter():
    check_same(grid(LAT, LON), grid(LAT, LON), ("time", "lat", "lon"))
    check_same(grid(LAT, LON), series(DAYS), ("time", "lat", "lon"))
    # lat is a label of samples on one side, a dimension on the other
    check_same(grid(LAT, LON), xr.Dataset(coords={"site": [1], "lat": ("site", [3.0])}), ("lat",))


EAST = 179.25 + 0.25 * np.arange(6)
WRAPPED = (EAST + 180) % 360 - 180
GREENWICH = np.arange(-5.0, 6.0) % 360


def followed(advice, ds):
    """The data set that the advice gives."""
    return eval(advice[advice.index("ds.") :], {"ds": ds})


@pytest.mark.parametrize("kind", ["f8", "f4"])
@pytest.mark.parametrize(
    ("lon", "problem", "wanted"),
    [
        (WRAPPED, "'lon' is not monotonic: it jumps at the date line", EAST),
        (np.sort(WRAPPED), "'lon' is not regular: steps from 0.25 to 358.75: it jumps at the date line", EAST),
        (GREENWICH, "'lon' is not monotonic: it jumps at Greenwich", np.arange(-5.0, 6.0)),
        (np.sort(GREENWICH), "'lon' is not regular: steps from 1 to 350: it jumps at Greenwich", np.arange(-5.0, 6.0)),
        (np.r_[np.arange(0.0, 180.0), np.arange(-180.0, 0.0)], "'lon' is not monotonic. Sort it", np.arange(-180.0, 180.0)),
        (np.r_[np.arange(180.0, 360.0), np.arange(0.0, 180.0)], "'lon' is not monotonic. Sort it", np.arange(360.0)),
        (np.r_[LON[9:], LON[:9]], "'lon' is not monotonic. Sort it", LON),
    ],
)
def test_advice_about_longitudes_gives_a_grid(lon, problem, wanted, kind):
    ds = grid(LAT, lon.astype(kind))
    ds = ds.drop_vars("elv")
    ds["where"] = (ds.lat * 0.0 + ds.lon % 360).assign_attrs(units="1")
    repaired = followed(raises(re.escape(problem), check_space, ds).repair, ds)
    check_space(repaired)
    np.testing.assert_allclose(repaired.lon % 360, wanted % 360, atol=1e-4)
    np.testing.assert_allclose(repaired["where"][0], wanted % 360, atol=1e-4)
    assert Cube.from_dataset(repaired).space_dims == ("lat", "lon")


@pytest.mark.parametrize(
    ("lon", "other"),
    [(EAST, np.sort(WRAPPED)), (GREENWICH, np.arange(-5.0, 6.0)), (np.arange(262.0, 272.0), np.arange(-98.0, -88.0))],
)
def test_advice_about_two_longitudes_makes_them_one(lon, other):
    a, b = grid(LAT, lon), grid(LAT, other)
    advice = raises("one runs to 360, the other from -180", check_same, a, b, ("lat", "lon")).repair
    a, b = followed(advice, a), followed(advice, b)
    check_space(a)
    check_same(a, b, ("lat", "lon"))


@pytest.mark.parametrize(
    ("other", "how", "repair"),
    [
        (grid(LAT + 7e-15, LON), "grid steps apart", "snap"),
        (grid(LAT + 0.025, LON), "up to 0.5 grid steps", "Regrid"),
        (grid(LAT[::-1], LON), "opposite directions", "Sort"),
        (grid(LAT, LON + 360), "one runs to 360", "(ds.lon + 180) % 360 - 180"),
        (grid(LAT[:-1], LON), "40 and 39 values, 39 shared", "Select"),
        (grid(LAT + 10, LON), "0 shared", "Regrid"),
    ],
)
def test_grids_that_differ(other, how, repair):
    error = raises(how, check_same, grid(LAT, LON), other, ("lat", "lon"))
    assert repair in error.repair


def test_days_labelled_at_noon():
    error = raises("12 h apart", check_same, series(DAYS), series(DAYS + pd.Timedelta(hours=12)), ("time",))
    assert "floor" in error.repair


def test_series_of_different_length_are_never_cut():
    raises("66 and 65 values, 65 shared", check_same, series(DAYS), series(DAYS[:-1]), ("time",))
    raises("66 and 66 values, 65 shared", check_same, series(DAYS), series(DAYS + pd.Timedelta(days=1)), ("time",))
