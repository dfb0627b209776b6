"""Stray hours: what the last stored digit of the start state explains passes, a wrong coefficient does not."""

import functools
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from gridcal.models.ibis import PARAMETERS, ibis_hour
from gridcal.reference import check_against_reference
from gridcal.reference.ibis import _HOURLY, _OF_THE_HOUR, _Case, _theta
from gridcal.reference.last_digit import last_digit, reach

REFERENCE = os.environ.get("GRIDCAL_REFERENCE")
needs_reference = pytest.mark.skipif(not REFERENCE, reason="GRIDCAL_REFERENCE is not set")


def test_the_last_digit_is_the_ninth_and_zero_has_none():
    found = last_digit(np.array([273.16, 9.99999999, 10.0, -2.5e-7, 0.0]))
    np.testing.assert_allclose(found, [1e-6, 1e-8, 1e-7, 1e-15, 0.0], rtol=1e-12)
    np.testing.assert_allclose(last_digit(np.array([[273.16], [0.5]]), np.array([[7], [9]])), [[1e-4], [1e-9]], rtol=1e-12)


def test_the_reach_of_a_digit_is_the_slope_or_the_step():
    def run(which, state):
        x, y = state
        smooth = (1.0 + which) * x
        switch = np.where(x + y > 1.0 + 1.5e-8, 5.0, 2.0)
        lost = np.where(x > 0.5, np.nan, 1.0)
        return np.array([smooth, switch, lost])

    state = np.array([[0.5, 0.25, 0.5], [0.5, 0.75, 0.4]])
    found = reach(run, state, np.full((2, 3), 1e-8))
    np.testing.assert_allclose(found[0], [1e-8, 2e-8, 3e-8], rtol=1e-6)
    # two digits together cross the step, one alone does not; far from it nothing does
    np.testing.assert_array_equal(found[1], [3.0, 3.0, 0.0])
    np.testing.assert_array_equal(found[2], 0.0)


def test_many_hours_are_run_in_parts_with_their_own_states():
    rng = np.random.default_rng(1)
    state, unit = rng.random((3, 200)), 1e-6 * rng.random((3, 200))
    number = rng.random(200)
    found = reach(lambda which, x: (number[which] * (x[0] + x[1] - x[2]))[None], state, unit)
    np.testing.assert_allclose(found[0], number * unit.sum(axis=0), rtol=1e-6)


ROW = 4802  # summer night, air near saturation, nothing freezes


@functools.cache
def hours():
    with xr.open_dataset(Path(str(REFERENCE)) / "ibis" / "synth_hourly.nc", decode_times=False) as ds:
        return ds.isel(time=[*range(480), ROW - 1, ROW]).load()


class Planted:
    """Twenty days of the reference and one hour after a gap, which a test rewrites."""

    def __init__(self, folder: Path) -> None:
        source = Path(str(REFERENCE)) / "ibis"
        self.data = hours().copy(deep=True)
        shutil.copy(source / "synth_daily.nc", folder / "planted_daily.nc")
        shutil.copy(source / "synth_state0.csv", folder / "planted_state0.csv")
        self.folder = folder
        self.write()
        case = _Case(folder, "planted")
        here = case._hour("laiu") * case.fu
        given = {"frac": here / np.maximum(here, 1e-7), "co2": np.full(here.size, case.co2), "year_length": case.year_length}
        given["ps"] = case._hour("psurf")
        self.forcing = [(given[k] if k in given else case._hour(k))[-1:, None] for k in ibis_hour.forcing]
        constants = {"sand": case.sand, "clay": case.clay}
        self.site = np.array([[constants[k] if k in constants else case._structure(k)] for k in ibis_hour.site])
        self.names = [s.name for s in ibis_hour.state]
        self.start = np.array([[0.0 if n == "a10ancub" else case._hour(n)[-2]] for n in self.names])

    def write(self) -> None:
        path = self.folder / "planted_hourly.nc"
        path.unlink(missing_ok=True)
        self.data.to_netcdf(path)

    def run(self, start, theta=None):
        """End of the hour, by column."""
        names = [_HOURLY.get(c, c) for c in _OF_THE_HOUR]
        found, _ = ibis_hour.run(_theta() if theta is None else theta, self.forcing, self.site, start, outputs=names)
        return {c: float(v[0, 0]) for c, v in zip(_OF_THE_HOUR, found, strict=True)}

    def humid(self, q12):
        start = self.start.copy()
        start[self.names.index("q12")] = q12
        return start

    def dew_point(self):
        """Humidities of the canopy air one bit apart, evaporation below, dew above."""
        low, high = 0.01856, 0.01858
        below, above = (self.run(self.humid(q))["gsuvap"] for q in (low, high))
        while np.nextafter(low, 1.0) < high:
            middle = 0.5 * (low + high)
            now = self.run(self.humid(middle))["gsuvap"]
            if abs(now - below) < abs(now - above):
                low, below = middle, now
            else:
                high, above = middle, now
        return low, high

    def store(self, start, end):
        for name, (value,) in zip(self.names, start, strict=True):
            if name != "a10ancub":
                self.data[name].values[-2] = float(f"{value:.8e}")
        for column, value in end.items():
            self.data[column].values[-1] = value
        self.write()

    def rows(self):
        rows = check_against_reference("ibis", self.folder, "planted", free=False)
        return {r.variable: r for r in rows if r.check == "planted hours"}


@pytest.fixture
def planted(tmp_path):
    return Planted(tmp_path)


@needs_reference
def test_a_start_state_rounded_to_nine_digits_is_no_fault(planted):
    low, high = planted.dew_point()
    stored = float(f"{low:.8e}")
    start = planted.humid(high if stored <= low else low)  # the switch lies between it and what is stored of it
    end, own = planted.run(start), planted.run(planted.humid(stored))
    planted.store(start, end)
    rows = planted.rows()
    strayed = [c for c, r in rows.items() if r.within < 1.0 and "last digit" in r.note]
    assert abs(end["gsuvap"] / own["gsuvap"] - 1.0) > 1e-4
    assert {"gsuvap", "q34", "firg"} <= set(strayed)
    assert all(r.passed for r in rows.values()), [r for r in rows.values() if not r.passed]


@needs_reference
def test_a_wrong_coefficient_in_one_hour_is_a_fault(planted):
    wrong = _theta()
    wrong[PARAMETERS.index("coefbub")] *= 1.001
    planted.store(planted.start, planted.run(planted.start, wrong))
    rows = planted.rows()
    assert not rows["gsub"].passed
    assert "1 hours without phase change: 2001-201-2" in rows["gsub"].note
    assert rows["tsoi6"].passed


@needs_reference
def test_a_digit_that_moves_the_dew_point_excuses_no_coefficient(planted):
    low, high = planted.dew_point()
    stored = float(f"{low:.8e}")
    start = planted.humid(high if stored <= low else low)
    end = planted.run(start)
    planted.store(start, end | {"rwood": end["rwood"] * 1.0001, "gsuvap": end["gsuvap"] * 1.1})
    assert {c for c, r in planted.rows().items() if not r.passed} == {"rwood", "gsuvap"}
