"""Parameters outside their bounds are run as they are, and told."""

import re
import warnings

import numpy as np
import pytest
import xarray as xr

from gridcal.calibration import CMAES, calibrate
from gridcal.calibration.target import Block, Target
from gridcal.cube import Cube
from gridcal.cube.sampling import sample_pixels
from gridcal.models.dalec import dalec
from gridcal.models.lue import lue
from gridcal.simulation import simulate, spin_up
from gridcal.simulation.bounds import BoundsWarning, tell_outside
from gridcal.synthetic.region import twin

LOWER, UPPER = lue.parameters["Topt"].lower, lue.parameters["Topt"].upper
BOUNDS = re.escape(f"outside its bounds of {LOWER:g} .. {UPPER:g} degC")


@pytest.fixture(scope="module")
def data():
    return twin(3, 3, years=1).cube.data.compute()


def field(data, value, at=(0, 1)):
    x = xr.DataArray(np.full((3, 3), 18.0), dims=("lat", "lon"), coords={"lat": data.lat, "lon": data.lon}, name="Topt")
    x[at] = value
    return x


def told(action):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        action()
    return [str(w.message) for w in found if issubclass(w.category, BoundsWarning)]


@pytest.mark.parametrize(("name", "value"), [("Topt", 291.15), ("eps_max", -3), ("eps_max", np.float32(1e9))])
def test_a_number_outside_its_bounds_is_told_and_taken(data, name, value):
    p = lue.parameters[name]
    with pytest.warns(BoundsWarning, match=re.escape(f"parameter {name!r} is {value:g}, outside its bounds")) as found:
        sim = simulate(Cube.from_dataset(data), lue, {name: value})
    assert len(found) == 1
    assert found[0].filename == __file__
    assert f"{p.lower:g} .. {p.upper:g} {p.units}" in str(found[0].message)
    with pytest.warns(BoundsWarning):
        same = simulate(Cube.from_dataset(data), lue, {name: xr.DataArray(float(value))})
    np.testing.assert_array_equal(sim.gpp, same.gpp)


@pytest.mark.parametrize("lazy", [False, True])
def test_arrays_are_told_once_with_their_extent(data, lazy):
    cube = Cube.from_dataset(data.chunk(lat=2, lon=3) if lazy else data)
    found = told(lambda: simulate(cube, lue, {"Topt": field(data, 291.15)}).compute())
    assert len(found) == 1
    assert re.match(f"parameter 'Topt' is 18 .. 291.15, {BOUNDS} \\(1 of 9 values\\)", found[0])


def test_lazy_parameters_are_looked_at_in_their_tile(data):
    cube = Cube.from_dataset(data.chunk(lat=2, lon=3))
    theta = field(data, -40.0).to_dataset().chunk(lat=2, lon=3)
    sim = None

    def lay_out():
        nonlocal sim
        sim = simulate(cube, lue, theta)

    assert not told(lay_out)
    found = told(lambda: sim.compute())
    assert len(found) == 1
    assert re.match(f"parameter 'Topt' is -40 .. 18, {BOUNDS} \\(1 of 6 values\\)", found[0])


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("value", [np.nan, LOWER, UPPER, np.float32(UPPER), UPPER * (1 + 1e-7)])
def test_bounds_roundings_and_missing_values_are_not_told(data, value, lazy):
    cube = Cube.from_dataset(data.chunk(lat=2, lon=3) if lazy else data)
    assert not told(lambda: simulate(cube, lue, {"Topt": field(data, value)}).compute())


@pytest.mark.parametrize("chunks", [{}, {"lat": 2, "lon": 3}])
def test_values_outside_the_mask_are_not_told(data, chunks):
    mask = np.ones((3, 3), dtype=bool)
    mask[0, 1] = False
    masked = data.assign(mask=(("lat", "lon"), mask))
    cube = Cube.from_dataset(masked.chunk(chunks) if chunks else masked)
    assert not told(lambda: simulate(cube, lue, {"Topt": field(data, 291.15)}).compute())
    assert len(told(lambda: simulate(cube, lue, {"Topt": field(data, 291.15, at=(0, 0))}).compute())) == 1


def test_converted_units_are_within_the_bounds(data):
    kelvin = xr.DataArray(291.15, attrs={"units": "K"})
    assert not told(lambda: simulate(Cube.from_dataset(data), lue, {"Topt": kelvin}))


def test_spin_up_and_calibration_tell_too(data):
    cube = Cube.from_dataset(data)
    assert len(told(lambda: spin_up(cube, lue, {"Topt": 291.15}, years=1))) == 1
    points = cube.sel(pixel=sample_pixels(cube, 3, seed=1))
    start = xr.Dataset({"Topt": ("pixel", [18.0, 291.15, 18.0])}, coords={"pixel": points.data.pixel})
    blocks = [Block(fit=("eps_max",), to=Target("gpp"))]
    assert len(told(lambda: calibrate(points, lue, blocks, CMAES(), start=start))) == 1
    lazy = calibrate(points, lue, blocks, CMAES(), start=start.chunk(pixel=1), chunk=3)
    assert len(told(lambda: lazy.Topt.compute(scheduler="synchronous"))) == 1


def test_defaults_and_bounds_of_shipped_models_are_not_told():
    for model in (lue, dalec):
        for p in model.parameters:
            assert not told(lambda table=model.parameters, p=p: tell_outside(table, p.name, [p.default, p.lower, p.upper]))
