"""What a run looks at in every task: impossible and rare values, the model's domain, days missing."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gridcal.cube import Cube, RangeWarning
from gridcal.cube.gaps import GapWarning
from gridcal.cube.ranges import finding
from gridcal.errors import InputError, ModelError
from gridcal.models.dalec import dalec
from gridcal.models.lue import lue
from gridcal.simulation import simulate, spin_up, steady_state
from gridcal.synthetic.region import twin


@pytest.fixture(scope="module")
def data():
    return twin(3, 3, years=1).cube.data.compute()


def run(data, lazy):
    return simulate(Cube.from_dataset(data.chunk(lat=2, lon=3) if lazy else data), lue).compute()


CHANGES = {
    "kelvin": ("tas", lambda x: x + 273.15, "Are its units 'K'"),
    "per cent": ("fapar", lambda x: x * 100, "Are its units '%'"),
    "pascal": ("vpd", lambda x: x * 1000, "Are its units 'Pa'"),
    "a code": ("par", lambda x: x.where(x > x.min(), -9999.0), "a code for missing values"),
    "an infinite value": ("tas", lambda x: x.where(x < x.max(), np.inf), "code for missing values"),
}


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("kind", CHANGES)
def test_impossible_values_are_an_error(data, kind, lazy):
    name, change, says = CHANGES[kind]
    wrong = data.assign({name: change(data[name]).assign_attrs(data[name].attrs)})
    with pytest.raises(InputError, match=f"'{name}'.*{says}"):
        run(wrong, lazy)


def test_values_outside_the_mask_are_not_looked_at(data):
    wrong = data.assign(tas=data.tas.copy(), mask=(("lat", "lon"), np.ones((3, 3), dtype=bool)))
    wrong["tas"][:, 0, 0] = -9999.0
    wrong["mask"][0, 0] = False
    assert np.isnan(run(wrong, False).gpp[:, 0, 0]).all()


def test_rare_values_are_a_warning(data):
    with pytest.warns(RangeWarning, match=r"'fapar' reaches 1\.3"):
        run(data.assign(fapar=(data.fapar * 0 + 1.3).assign_attrs(data.fapar.attrs)), False)


@pytest.mark.parametrize(
    ("name", "units", "factor"),
    [("gpp_obs", "kgC m-2 s-1", 1e-3 / 86400), ("pr", "mm s-1", 1 / 86400), ("pr", "m s-1", 1e-3 / 86400)],
)
def test_a_flux_of_next_to_nothing_asks_for_its_units(name, units, factor):
    wet = np.array([0.0, 3.0, 24.0, np.nan])  # mm d-1, or gC m-2 d-1
    assert finding(name, wet) is None
    assert finding(name, 0.0 * wet) is None
    found = finding(name, wet * factor)
    assert not found.impossible
    assert f"'{units}'" in found.repair
    assert finding("tas", wet * factor) is None  # no flux: small numbers are temperatures


@pytest.mark.parametrize("lazy", [False, True])
def test_the_domain_holds_in_simulations(data, lazy):
    with pytest.raises(ModelError, match="co2 = 331 lies outside the domain"):
        run(data.assign(co2=(data.co2 * 0 + 331.0).assign_attrs(data.co2.attrs)), lazy)


def test_gaps_are_told_and_counted(data):
    gappy = data.assign(tas=data.tas.copy())
    gappy["tas"][100, 1, 1] = np.nan
    with pytest.warns(GapWarning, match=r"'tas' is missing 1 times at 1 of 9 pixels \(first on day 101 of 365\)"):
        run(gappy, False)


def dalec_year(lazy, change=lambda x: None):
    """A year of weather at three sites, the last of them masked."""
    days = pd.date_range("2001-01-01", "2001-12-31")
    season = -np.cos(2.0 * np.pi * np.arange(365) / 365.0)[:, None] * np.ones(3)
    series = {"tasmin": 3.0 + 12.0 * season, "tasmax": 13.0 + 12.0 * season, "rsds": 150.0 + 90.0 * season}
    series["co2"] = np.full((365, 3), 370.0)
    change(series["tasmin"])
    units = {"tasmin": "degC", "tasmax": "degC", "rsds": "W m-2", "co2": "ppm"}
    ds = xr.Dataset({n: (("time", "site"), x, {"units": units[n]}) for n, x in series.items()}, coords={"time": days})
    ds = ds.assign_coords(lat=("site", [42.0, 43.0, 44.0], {"units": "degrees_north"}))
    ds["mask"] = ("site", np.array([True, True, False]))
    return Cube.from_dataset(ds.chunk(site=1) if lazy else ds)


def put(site, value):
    def change(x):
        x[200, site] = value

    return change


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("verb", [lambda c, m: spin_up(c, m, years=2), steady_state], ids=["spin_up", "steady_state"])
def test_spin_up_and_steady_state_look_too(verb, lazy):
    model = dataclasses.replace(dalec, domain={"tasmin": (-20.0, 30.0)})
    wanted = verb(dalec_year(lazy), model).compute()
    assert wanted.Cf.notnull().values.tolist() == [True, True, False]
    xr.testing.assert_equal(verb(dalec_year(lazy, put(2, 40.0)), model).compute(), wanted)  # under the mask
    with pytest.raises(ModelError, match="tasmin = 40 lies outside the domain"):
        verb(dalec_year(lazy, put(1, 40.0)), model).compute()
    for value, says in ((-9999.0, "a code for missing values"), (np.inf, "'tasmin' holds inf"), (288.15, "'tasmin' reaches")):
        with pytest.raises(InputError, match=says):
            verb(dalec_year(lazy, put(1, value)), dalec).compute()
