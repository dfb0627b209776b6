"""A standard error is positive: what is not is refused by name, what is missing takes its observation with it."""

import numpy as np
import pytest

from gridcal.calibration import CMAES, calibrate
from gridcal.calibration.observations.standard_errors import check_errors
from gridcal.calibration.target import Block, Target
from gridcal.cube import Cube
from gridcal.cube.sampling import sample_pixels
from gridcal.errors import InputError
from gridcal.models.lue import lue
from gridcal.synthetic.region import twin

UNITS = {"units": "gC m-2 d-1"}


@pytest.fixture(scope="module")
def samples():
    cube = twin(3, 3, years=1).cube  # 365 days of 2001, 46 periods of 8 days
    return cube.sel(pixel=sample_pixels(cube, 2, seed=1)).data.compute()


def with_errors(samples, early, late=0.5, units=UNITS):
    """Errors of one number in January to June (181 days), of another in the rest of the year."""
    half = samples["time"].dt.month > 6
    return samples.assign(err=(samples["gpp_obs"] * 0 + late).where(half, early).assign_attrs(units))


def lazily(data, mask=None, period=None):
    target = Target("gpp", likelihood="fixed", sigma="err")
    cube = Cube.from_dataset(data, mask=mask)
    return calibrate(cube, lue, [Block(("eps_max",), target)], CMAES(max_evaluations=60), seed=1, period=period)


@pytest.mark.parametrize("wrong", [0.0, -0.5, -9999.0, 9999.0])
def test_errors_that_are_none_are_refused_before_the_first_task(samples, wrong):
    # two pixels: 362 of 730 values
    with pytest.raises(InputError, match=rf"errors 'err' .* 362 times of 730 \(the first is {wrong:g}\).*ds\['err'\]\.where"):
        lazily(with_errors(samples, wrong))


def test_codes_are_looked_for_in_the_units_they_were_given_in(samples):
    with pytest.raises(InputError, match="the first is 9999"):
        lazily(with_errors(samples, 9999.0, 0.5e-3, {"units": "kgC m-2 d-1"}))


@pytest.mark.parametrize("wrong", [0.0, -9999.0])
def test_lazy_errors_are_refused_in_their_task(samples, wrong):
    lazy = lazily(with_errors(samples, wrong).chunk(pixel=1))
    with pytest.raises(InputError, match=r"errors 'err' .* 181 times of 365"):
        lazy.compute()


def test_only_errors_of_observations_that_count_are_looked_at(samples):
    wrong = with_errors(samples, -1.0)
    half = samples["time"].dt.month > 6
    unseen = wrong.assign(gpp_obs=wrong["gpp_obs"].where(half))
    out = lazily(unseen).compute()
    assert (out["n_obs"] == 23).all()
    for period in (("2001-07-01", "2001-12-31"), "late"):
        for data in (wrong.assign(late=half), wrong.assign(late=half).chunk(pixel=1)):
            found = lazily(data, period=period).compute()
            np.testing.assert_allclose(found["eps_max"], out["eps_max"], rtol=1e-6)
    one = with_errors(samples, -1.0)
    one["err"][:, 1] = 0.5
    one["use"] = ("pixel", [False, True])
    for data in (one, one.chunk(pixel=1)):
        assert np.isfinite(lazily(data, mask="use").compute()["eps_max"].values).tolist() == [False, True]


def test_an_observation_without_an_error_does_not_count(samples):
    """Days 1 to 181 have none: of the period of days 177 to 184 three days count, fewer than half. 46 - 23 periods are left."""
    missing = lazily(with_errors(samples, np.nan)).compute()
    assert missing["n_obs"].values.ravel().tolist() == [23, 23]
    assert lazily(with_errors(samples, 0.5)).compute()["n_obs"].values.ravel().tolist() == [46, 46]
    half = samples["time"].dt.month > 6
    unseen = lazily(with_errors(samples, 0.5).assign(gpp_obs=samples["gpp_obs"].where(half))).compute()
    for name in ("eps_max", "cost_best"):
        np.testing.assert_allclose(missing[name], unseen[name], rtol=1e-6)
    # an infinite error holds nothing either
    assert lazily(with_errors(samples, np.inf)).compute()["n_obs"].values.ravel().tolist() == [23, 23]


def test_the_repair_is_one(samples):
    for wrong, repair in ((-9999.0, "ds['err'] > 0"), (9999.0, "(ds['err'] > 0) & (ds['err'] < 9999)")):
        ds = with_errors(samples, wrong)
        with pytest.raises(InputError) as caught:
            lazily(ds)
        assert f"ds['err'].where({repair})" in str(caught.value)
        mended = ds.assign(err=ds["err"].where(eval(repair, {"ds": ds})).assign_attrs(UNITS))
        assert lazily(mended).compute()["n_obs"].values.ravel().tolist() == [23, 23]


def test_good_errors_pass():
    check_errors(Target("gpp", sigma="err"), np.array([1.0, np.nan, 2.0]), np.array([0.1, -1.0, np.nan]))


def test_errors_without_a_time_are_refused(samples):
    with pytest.raises(InputError, match="errors 'err' have no time dimension"):
        lazily(samples.assign(err=("pixel", [0.5, 0.6], UNITS)))
