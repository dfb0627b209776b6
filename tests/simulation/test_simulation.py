"""Forward runs over a cube: the same numbers as the model run by hand, whatever the chunks."""

import contextlib

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from dask.callbacks import Callback

from gridcal.cube import Cube
from gridcal.cube.gaps import GapWarning
from gridcal.errors import ConfigError, GridcalError, InputError, ModelError
from gridcal.models.lue import lue
from gridcal.simulation.over_cube import simulate

UNITS = {"tas": "degC", "vpd": "kPa", "par": "MJ m-2 d-1", "fapar": "1", "wai": "1", "co2": "ppm", "ci": "1"}
LOW = {"tas": -10, "vpd": 0, "par": 0, "fapar": 0.1, "wai": 0, "co2": 370, "ci": 0.1}
HIGH = {"tas": 30, "vpd": 3, "par": 14, "fapar": 0.95, "wai": 1, "co2": 420, "ci": 1}
DAYS, ROWS, COLUMNS = 70, 4, 5


def data(**kind):
    rng = np.random.default_rng(3)
    ds = xr.Dataset(
        coords={
            "time": pd.date_range("2004-01-01", periods=DAYS),
            "lat": 40 + 0.5 * np.arange(ROWS),
            "lon": -80 + 0.5 * np.arange(COLUMNS),
        }
    )
    for name in lue.forcing:
        dims = ("time",) if name == "co2" else ("time", "lat", "lon")
        values = rng.uniform(LOW[name], HIGH[name], [ds.sizes[d] for d in dims]).astype(np.float32)
        ds[name] = (dims, values, {"units": UNITS[name]})
    ds["lag_temperature"] = (("lat", "lon"), rng.integers(0, 2, (ROWS, COLUMNS)).astype(float))
    return ds


def fields():
    """Every parameter different at every pixel."""
    unit = np.random.default_rng(4).uniform(0.1, 0.9, (ROWS, COLUMNS, len(lue.parameters)))
    values = lue.parameters.from_unit(unit)
    space = data()[["lat", "lon"]].coords
    return xr.Dataset({n: (("lat", "lon"), values[..., k]) for k, n in enumerate(lue.parameters.names)}, coords=space)


def by_hand(ds, theta, outputs=("gpp",)):
    n = ROWS * COLUMNS
    forcing = [np.broadcast_to(ds[f].values.reshape(DAYS, -1), (DAYS, n)) for f in lue.forcing]
    site = np.array([ds["lag_temperature"].values.ravel(), np.zeros(n)])
    parameters = np.array([theta[p].values.ravel() for p in lue.parameters.names])
    found, _ = lue.run(parameters, forcing, site, outputs=outputs, dtype=np.float32)
    return [x.reshape(DAYS, ROWS, COLUMNS) for x in found]


def counted(monkeypatch):
    """How many pixels each run of the model takes, in the order of the runs."""
    sizes, run = [], type(lue).run

    def counting(self, theta, *args, **kwargs):
        sizes.append(theta.shape[1])
        return run(self, theta, *args, **kwargs)

    monkeypatch.setattr(type(lue), "run", counting)
    return sizes


@pytest.fixture(scope="module")
def wanted():
    return by_hand(data(), fields())[0]


def test_same_as_the_model_run_by_hand(wanted):
    found = simulate(Cube.from_dataset(data()), lue, fields())
    assert found["gpp"].dims == ("time", "lat", "lon")
    np.testing.assert_array_equal(found["gpp"], wanted)
    assert np.isfinite(wanted).all()
    assert np.ptp(wanted) > 1.0


@pytest.mark.parametrize("chunks", [{"lat": 1, "lon": 1}, {"lat": 3, "lon": 2}, {"lat": -1, "lon": -1}])
@pytest.mark.parametrize("lazy_theta", [True, False])
def test_chunks_do_not_change_a_bit(wanted, chunks, lazy_theta):
    theta = fields().chunk(lat=2, lon=5) if lazy_theta else fields()
    if lazy_theta:
        theta = theta.chunk({k: v if v > 0 else -1 for k, v in chunks.items()})
    found = simulate(Cube.from_dataset(data().chunk(chunks)), lue, theta)["gpp"]
    assert isinstance(found.data, da.Array)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found.compute(), wanted)


def test_samples_are_the_grids_pixels(wanted):
    numbers = np.array([17, 3, 8])
    cube = Cube.from_dataset(data()).sel(pixel=numbers)
    theta = fields().stack(pixel=("lat", "lon")).isel(pixel=numbers).reset_index("pixel").drop_vars(["lat", "lon"])
    theta = theta.assign_coords(pixel=numbers)
    found = simulate(cube, lue, theta)["gpp"]
    assert found.dims == ("time", "pixel")
    np.testing.assert_array_equal(found, wanted.reshape(DAYS, -1)[:, numbers])


def test_nothing_is_computed_before_it_is_asked_for():
    class Count(Callback):
        tasks = 0

        def _pretask(self, *ignored):
            self.tasks += 1

    with Count() as count:
        lazy = simulate(Cube.from_dataset(data().chunk(lat=2, lon=2)), lue, fields().chunk(lat=2, lon=2))
        assert count.tasks == 0
        lazy["gpp"].isel(lat=0, lon=0).compute(scheduler="synchronous")
        assert count.tasks > 0


def test_only_the_blocks_asked_for_are_run(monkeypatch):
    sizes = counted(monkeypatch)
    lazy = simulate(Cube.from_dataset(data().chunk(lat=2, lon=2)), lue, fields())["gpp"]
    lazy.isel(lat=0, lon=4).compute(scheduler="synchronous")
    assert sizes == [2]


def test_numbers_and_defaults_hold_everywhere():
    one = simulate(Cube.from_dataset(data()), lue, {"eps_max": 2.5, "Topt": 20})["gpp"]
    theta = fields()
    for p in lue.parameters:
        theta[p.name] = xr.full_like(theta[p.name], {"eps_max": 2.5, "Topt": 20.0}.get(p.name, p.default))
    np.testing.assert_array_equal(one, by_hand(data(), theta)[0])
    double = simulate(Cube.from_dataset(data()), lue, {"eps_max": 5.0, "Topt": 20})["gpp"]
    np.testing.assert_allclose(double, 2 * one, rtol=1e-6)  # GPP is proportional to eps_max, equation 1


def test_a_parameter_may_vary_along_one_dimension_alone():
    theta = fields()
    row = xr.DataArray(np.linspace(1.0, 4.0, ROWS), dims="lat", coords={"lat": theta["lat"]})
    full = row.broadcast_like(theta["eps_max"]).transpose("lat", "lon")
    for chunks in (None, {"lat": 2, "lon": 2}):
        cube = Cube.from_dataset(data().chunk(chunks) if chunks else data())
        a = simulate(cube, lue, theta.assign(eps_max=row))["gpp"].compute()
        np.testing.assert_array_equal(a, simulate(cube, lue, theta.assign(eps_max=full))["gpp"].compute())


def test_dimensions_of_parameters_in_another_order_are_the_same(wanted):
    np.testing.assert_array_equal(simulate(Cube.from_dataset(data()), lue, fields().transpose("lon", "lat"))["gpp"], wanted)


def test_a_pixel_with_a_missing_parameter_is_missing_alone_and_not_run(wanted, monkeypatch):
    sizes = counted(monkeypatch)
    theta = fields()
    theta["kT"][1, 2] = np.nan
    lazy = simulate(Cube.from_dataset(data().chunk(lat=2, lon=3)), lue, theta)["gpp"]
    found = lazy.compute(scheduler="synchronous").values
    assert sum(sizes) == ROWS * COLUMNS - 1
    assert np.isnan(found[:, 1, 2]).all()
    found[:, 1, 2] = wanted[:, 1, 2]
    np.testing.assert_array_equal(found, wanted)


def test_masked_pixels_are_missing_and_not_run(wanted, monkeypatch):
    sizes = counted(monkeypatch)
    use = np.zeros((ROWS, COLUMNS), dtype=bool)
    use[0, 1] = use[3, 4] = True
    ds = data().assign(mask=(("lat", "lon"), use))
    found = simulate(Cube.from_dataset(ds.chunk(lat=2, lon=5)), lue, fields())["gpp"].compute(scheduler="synchronous").values
    np.testing.assert_array_equal(found[:, use], wanted[:, use])
    assert np.isnan(found[:, ~use]).all()
    assert sizes == [1, 1]


@pytest.mark.parametrize("name", [f for f in lue.forcing if f != "co2"])
@pytest.mark.parametrize("day", [0, 30])
def test_missing_forcing_is_what_the_model_makes_of_it(name, day):
    ds = data()
    ds[name][day, 2, 3] = np.nan
    told = pytest.warns(GapWarning, match=f"'{name}' is missing 1 times at 1 of") if day else contextlib.nullcontext()
    with told:
        found = simulate(Cube.from_dataset(ds), lue, fields())["gpp"].values
    np.testing.assert_array_equal(found, by_hand(ds, fields())[0])
    assert np.isnan(found[day, 2, 3])
    assert np.isfinite(np.delete(found.reshape(DAYS, -1), 2 * COLUMNS + 3, axis=1)).all()


def test_other_outputs_have_their_units():
    found = simulate(Cube.from_dataset(data()), lue, fields(), outputs=("Tf", "fW", "gpp"))
    assert list(found.data_vars) == ["Tf", "fW", "gpp"]
    assert [found[v].attrs["units"] for v in found.data_vars] == ["degC", "1", "gC m-2 d-1"]
    for x, y in zip(by_hand(data(), fields(), ("Tf", "fW", "gpp")), found.data_vars.values(), strict=True):
        np.testing.assert_array_equal(x, y)
    assert "primary_productivity" in found["gpp"].attrs["standard_name"]
    assert "Bao" in found.attrs["source"]


class Refuses:
    shape, dtype, ndim = (DAYS, ROWS, COLUMNS), np.dtype("f4"), 3

    def __getitem__(self, key):
        raise AssertionError("a task ran")


def untouchable():
    """A cube whose series fail if anything computes them."""
    ds = data()
    lazy = da.from_array(Refuses(), chunks=(DAYS, 2, 2), meta=np.empty((0, 0, 0), "f4"), asarray=False, name="refuses")
    for name in lue.forcing:
        if name != "co2":
            ds[name] = (("time", "lat", "lon"), lazy, {"units": UNITS[name]})
    return ds


def test_the_untouchable_cube_is_untouchable():
    with pytest.raises(AssertionError, match="a task ran"):
        simulate(Cube(untouchable()), lue)["gpp"].compute(scheduler="synchronous")


def shifted(theta):
    return theta.assign_coords(lat=theta["lat"] + 0.25)


@pytest.mark.parametrize("name", lue.forcing)
def test_a_missing_variable_is_named_before_any_task(name):
    with pytest.raises(InputError, match=f"lacks the variable '{name}'") as caught:
        simulate(Cube(untouchable().drop_vars(name)), lue)
    assert "native:" in caught.value.repair


@pytest.mark.parametrize(
    ("change", "theta", "options", "says"),
    [
        (lambda ds: ds, lambda: shifted(fields()), {}, "differs between the two"),
        pytest.param(
            lambda ds: ds,
            lambda: fields().isel(lon=slice(0, 4)),
            {},
            "differs between the two",
        ),
        (lambda ds: ds, lambda: fields().expand_dims(member=2), {}, "'eps_max' has the dimension 'member'"),
        (lambda ds: ds.isel(time=[0, 1, *range(3, DAYS)]), lambda: None, {}, "lacks the day 2004-01-03"),
        (lambda ds: ds.chunk(time=10), lambda: None, {}, "7 chunks along time"),
        (lambda ds: ds, lambda: None, {"outputs": ("gross",)}, "no output 'gross'"),
        pytest.param(
            lambda ds: ds,
            lambda: {"eps_mx": 3.0},
            {},
            "eps_mx",
        ),
    ],
)
def test_wrong_requests_are_refused_before_any_task(change, theta, options, says):
    with pytest.raises(GridcalError, match=says) as caught:
        simulate(Cube(change(untouchable())), lue, theta(), **options)
    assert isinstance(caught.value, InputError | ModelError | ConfigError)
    assert caught.value.repair


def test_fluxes_carry_a_fingerprint_of_what_made_them():
    cube = Cube.from_dataset(data())
    shape = tuple(cube.data.sizes[d] for d in cube.space_dims)
    theta = xr.Dataset({"eps_max": (cube.space_dims, np.full(shape, 3.0))}, coords={d: cube.data[d] for d in cube.space_dims})
    other = theta.copy(deep=True)
    other["eps_max"][0, 0] = 3.5
    marks = [simulate(cube, lue, t).attrs["fingerprint"] for t in (None, theta, theta.copy(deep=True), other, {"eps_max": 3.0})]
    assert marks[1] == marks[2]
    assert len({marks[0], marks[1], marks[3], marks[4]}) == 4
    assert "fingerprint" not in simulate(cube, lue, theta.chunk()).attrs  # unknown: the caller says what it depends on
    known = theta.chunk().assign_attrs(fingerprint="parameters-1")
    assert simulate(cube, lue, known).attrs["fingerprint"] not in marks
