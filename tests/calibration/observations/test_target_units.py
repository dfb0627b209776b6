"""Observations in other units than the output they are compared with give the same result, or are refused with both units."""

import numpy as np
import pytest

from gridcal.calibration import CMAES, calibrate
from gridcal.calibration.target import Block, Target
from gridcal.cube import Cube
from gridcal.cube.sampling import sample_pixels
from gridcal.errors import ConfigError, InputError
from gridcal.models.lue import lue
from gridcal.screening import Morris, screen
from gridcal.synthetic.region import twin
from gridcal.vocabulary.agreed_units import UnitsWarning


@pytest.fixture(scope="module")
def samples():
    cube = twin(3, 3, years=1).cube
    return cube.sel(pixel=sample_pixels(cube, 2, seed=1)).data.compute()


def fit(data, **target):
    block = Block(fit=("eps_max",), to=Target("gpp", **target))
    return calibrate(Cube.from_dataset(data), lue, [block], CMAES(max_evaluations=60), seed=1).compute()["eps_max"].values


# 12.011 g of carbon a mole of CO2
@pytest.mark.parametrize(
    ("units", "factor"),
    [
        ("kgC m-2 d-1", 1e-3),
        ("umolCO2 m-2 s-1", 1 / (12.011e-6 * 86400)),
        ("kg m-2 s-1", 1e-3 / 86400),
        ("gCO2 m-2 d-1", 44.009 / 12.011),
    ],
)
def test_observations_are_converted(samples, units, factor):
    other = samples.assign(gpp_modis=(samples.gpp_obs * factor).assign_attrs(units=units))
    np.testing.assert_allclose(fit(other, against="gpp_modis"), fit(samples), rtol=1e-6)


def test_errors_are_scaled_without_an_offset(samples):
    data = samples.assign(sd=(samples.gpp_obs * 0 + 0.5).assign_attrs(units="gC m-2 d-1"))
    other = data.assign(sd=(data.sd / 1000).assign_attrs(units="kgC m-2 d-1"))
    want, found = (fit(d, likelihood="fixed", sigma="sd") for d in (data, other))
    np.testing.assert_allclose(found, want, rtol=1e-6)


@pytest.mark.parametrize("units", ["degC", "mm d-1", "furlong"])
def test_what_measures_something_else_is_refused(samples, units):
    other = samples.assign(gpp_modis=samples.gpp_obs.assign_attrs(units=units))
    with pytest.raises(InputError, match=rf"'gpp_modis' is in '{units}', but what it meets is in 'gC m-2 d-1'"):
        fit(other, against="gpp_modis")
    with pytest.raises(InputError, match="'gpp_modis'"):
        screen(
            Cube.from_dataset(other),
            lue,
            Morris(trajectories=4, functional="cost"),
            targets=[Target("gpp", against="gpp_modis")],
        )


def test_observations_without_units_are_told(samples):
    other = samples.assign(gpp_modis=samples.gpp_obs.drop_attrs())
    with pytest.warns(UnitsWarning, match="'gpp_modis' has no units"):
        fit(other, against="gpp_modis")


def test_a_code_among_observations_is_refused(samples):
    gpp = samples.gpp_obs.copy()
    gpp[5:9] = -9999.0
    with pytest.raises(InputError, match="'gpp_obs' holds -9999"):
        fit(samples.assign(gpp_obs=gpp))


def test_starts_are_part_of_what_a_calibration_is_made_from(samples):
    import xarray as xr

    cube, block = Cube.from_dataset(samples), Block(fit=("eps_max",), to=Target("gpp"))

    def mark(cube=cube, **options):
        return calibrate(cube, lue, [block], CMAES(), seed=1, **options).attrs["fingerprint"]

    start = xr.Dataset({"Topt": ("pixel", [15.0, 15.0])}, {"pixel": samples.pixel})
    assert len({mark(), mark(start=start), mark(start=start + 1)}) == 3
    half, higher = (x.assign_attrs(samples[n].attrs) for n, x in (("gpp_obs", samples.gpp_obs * 0.5), ("elv", samples.elv + 1)))
    assert mark(Cube.from_dataset(samples.assign(gpp_obs=half))) != mark()
    assert mark(Cube.from_dataset(samples.assign(elv=higher))) == mark()  # which nothing reads


def test_one_variable_compared_in_two_units_is_refused(samples):
    blocks = [Block(fit=("eps_max",), to=(Target("gpp"), Target("fT", against="gpp_obs")))]
    with pytest.raises((ConfigError, InputError), match="gpp_obs"):
        calibrate(Cube.from_dataset(samples), lue, blocks, CMAES())
