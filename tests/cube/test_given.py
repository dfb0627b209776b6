"""What a verb says where it is given something of another kind."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import gridcal as gc
from gridcal.errors import InputError
from gridcal.models.lue import lue


@pytest.fixture(scope="module")
def cube():
    whole = gc.synthetic.twin(4, 6, 1).cube
    part = whole.sel(pixel=gc.sample_pixels(whole, 3, seed=1))
    return gc.Cube.from_dataset(part.data.compute())


VERBS = {
    "simulate": lambda x: gc.simulate(x, lue),
    "spin_up": lambda x: gc.spin_up(x, lue),
    "steady_state": lambda x: gc.steady_state(x, gc.models.model_named("dalec")),
    "calibrate": lambda x: gc.calibrate(x, lue, [gc.Block(fit=("Topt",), to=gc.Target("gpp"))]),
    "screen": lambda x: gc.screen(x, lue),
    "sample_pixels": lambda x: gc.sample_pixels(x, 2),
    "fill_gaps": gc.fill_gaps,
    "site_series": lambda x: gc.site_series(x, lue, {"gpp": "gpp_obs"}),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_says_how_a_cube_is_made(cube, verb):
    for given, kind, repair in (
        (cube.data, "Dataset", r"gridcal\.Cube\.from_dataset\(ds\)"),
        (cube.data.tas, "DataArray", r"from_dataset\(x\.to_dataset\(name='tas'\)\)"),
        ("cube.zarr", "str", r"gridcal\.open_cube\(path\)"),
        (cube.data.tas.values, "ndarray", r"gridcal\.Cube\.from_dataset\(ds\)"),
    ):
        with pytest.raises(InputError, match=f"a {kind} was given in place of a cube.*{repair}"):
            VERBS[verb](given)


def test_the_repairs_are_taken(cube):
    assert "tas" in gc.Cube.from_dataset(cube.data.tas.to_dataset(name="tas"))
    np.testing.assert_array_equal(gc.simulate(gc.Cube.from_dataset(cube.data), lue).gpp, gc.simulate(cube, lue).gpp)


TAKE_DATASETS = {
    "Cube.from_dataset": lambda cube, x: gc.Cube.from_dataset(x),
    "Cube.join": lambda cube, x: cube.join(x),
    "Cube.snap": lambda cube, x: cube.snap(x),
    "evaluate, simulation": lambda cube, x: gc.evaluate(x, cube),
    "evaluate, observations": lambda cube, x: gc.evaluate(gc.simulate(cube, lue), x),
    "check_cube": lambda cube, x: gc.check_cube(x, lue),
    "fit, theta": lambda cube, x: gc.Extrapolator("linear").fit(x, cube.data[["elv"]]),
    "fit, features": lambda cube, x: gc.Extrapolator("linear").fit(cube.data[["elv"]], x),
    "quality_screen": lambda cube, x: gc.quality_screen(x),
    "calibrate, state": lambda cube, x: gc.calibrate(
        cube, lue, [gc.Block(fit=("Topt",), to=gc.Target("gpp"))], gc.CMAES(), state=x
    ),
    "simulate, state": lambda cube, x: gc.simulate(cube, lue, state=x),
}


@pytest.mark.parametrize("verb", TAKE_DATASETS)
def test_a_data_array_in_place_of_a_data_set_is_named(cube, verb):
    with pytest.raises(InputError, match=r"is a DataArray, not a Dataset. Make it one: x\.to_dataset\(name='elv'\)"):
        TAKE_DATASETS[verb](cube, cube.data.elv)
    with pytest.raises(InputError, match="is of type ndarray, not a Dataset"):
        TAKE_DATASETS[verb](cube, cube.data.elv.values)


def test_a_cube_in_place_of_a_data_set_is_named(cube):
    with pytest.raises(InputError, match=r"features is of type Cube, not a Dataset. Give its data: cube\.data"):
        gc.Extrapolator("linear").fit(cube.data[["elv"]], cube)


@pytest.mark.parametrize(
    "value",
    [[18.0] * 3, (18.0,), np.full(3, 18.0), pd.Series([18.0] * 3), pd.DataFrame({"Topt": [18.0]}), None, "warm", {"a": 1}],
    ids=lambda x: type(x).__name__,
)
def test_a_parameter_is_a_number_or_a_data_array(cube, value):
    with pytest.raises(InputError, match=f"parameter 'Topt' was given as {type(value).__name__}.*DataArray"):
        gc.simulate(cube, lue, {"Topt": value})


@pytest.mark.parametrize(
    "theta", [pd.DataFrame({"Topt": [18.0] * 3}), pd.Series({"Topt": 18.0}), [18.0], xr.DataArray(18.0, name="Topt"), 18.0],
    ids=lambda x: type(x).__name__,
)  # fmt: skip
def test_parameters_are_a_data_set_or_a_mapping(cube, theta):
    for verb in (gc.simulate, gc.spin_up):
        with pytest.raises(InputError, match=f"parameters were given as {type(theta).__name__}.*Dataset, or a mapping"):
            verb(cube, lue, theta)


def test_numbers_of_any_kind_are_one_number(cube):
    wanted = gc.simulate(cube, lue, {"Topt": xr.DataArray(np.full(3, 18.0), dims="pixel")}).gpp
    for value in (18, 18.0, np.float32(18.0), np.array(18.0), xr.DataArray(18)):
        np.testing.assert_array_equal(gc.simulate(cube, lue, {"Topt": value}).gpp, wanted)


def year_of(calendar):
    days = xr.date_range("2003-01-01", "2003-12-31", calendar=calendar, use_cftime=True)
    x = xr.DataArray(np.arange(float(days.size)), dims="time", coords={"time": days}, attrs={"units": "gC m-2 d-1"})
    return xr.Dataset({"gpp": x, "gpp_obs": x})


@pytest.mark.parametrize(
    ("calendar", "says"),
    [
        ("noleap", "has the calendar 'noleap'; gridcal works on real days (it has no 29 February)"),
        ("360_day", "has the calendar '360_day'; gridcal works on real days (30-day months"),
        ("standard", "holds cftime dates"),
    ],
)
def test_another_calendar_is_refused_in_one_way_everywhere(calendar, says):
    ds = year_of(calendar if calendar != "360_day" else "noleap")
    if calendar == "360_day":
        ds = ds.isel(time=slice(360)).assign_coords(time=xr.date_range("2003-01-01", periods=360, calendar=calendar))
    told = []
    for verb in (
        lambda: gc.evaluate(ds, ds),
        lambda: gc.periods.aggregate(ds.gpp, "monthly"),
        lambda: gc.periods.spread(ds.gpp, "monthly"),
        lambda: gc.periods.period_index(ds.indexes["time"], "monthly"),
        lambda: gc.periods.in_season(ds.indexes["time"], "GS"),
        *([] if calendar == "standard" else [lambda: gc.Cube.from_dataset(ds)]),
    ):
        with pytest.raises(InputError) as caught:
            verb()
        told.append(str(caught.value))
    assert says in told[0]
    assert len(set(told)) == 1


def test_real_dates_of_cftime_are_the_same_once_converted():
    ds = year_of("standard")
    plain = ds.convert_calendar("standard", use_cftime=False)
    found = gc.periods.aggregate(plain.gpp, "monthly")
    starts = np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    np.testing.assert_allclose(found, 0.5 * (starts[:-1] + starts[1:] - 1))
