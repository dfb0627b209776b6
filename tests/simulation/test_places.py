"""Samples without labels: lat and lon beside them say which place a value belongs to."""

import numpy as np
import pytest
import xarray as xr

from gridcal.calibration import CMAES, calibrate
from gridcal.calibration.target import Block, Target
from gridcal.cube import Cube
from gridcal.cube.sampling import sample_pixels
from gridcal.errors import InputError
from gridcal.evaluation import evaluate
from gridcal.models.lue import lue
from gridcal.simulation import simulate, spin_up
from gridcal.synthetic.region import twin

ORDER = [3, 0, 4, 1, 2]
EPS = np.array([1.0, 1.5, 2.0, 2.5, 3.0])
SAYS = "site 0 lies at l.. .* in one and at .* in the other"


@pytest.fixture(scope="module")
def sites():
    cube = twin(4, 6, 1).cube
    data = cube.sel(pixel=sample_pixels(cube, 5, seed=1)).data.compute()
    return data.drop_vars("pixel").rename(pixel="site")


@pytest.fixture(scope="module")
def theta(sites):
    return xr.Dataset({"eps_max": ("site", EPS)}, coords={"lat": sites.lat, "lon": sites.lon})


@pytest.fixture(scope="module")
def wanted(sites):
    return simulate(Cube.from_dataset(sites), lue, {"eps_max": xr.DataArray(EPS, dims="site")})


def mapping(theta):
    return {"eps_max": theta.eps_max}


def variables(theta):
    return theta.reset_coords(["lat", "lon"])


@pytest.mark.parametrize("dress", [xr.Dataset.copy, mapping, variables], ids=["dataset", "mapping", "lat and lon as variables"])
def test_parameters_of_sites_in_another_order_are_refused(sites, theta, wanted, dress):
    cube = Cube.from_dataset(sites)
    np.testing.assert_array_equal(simulate(cube, lue, dress(theta)).gpp, wanted.gpp)
    with pytest.raises(InputError, match=SAYS):
        simulate(cube, lue, dress(theta.isel(site=ORDER)))


def test_a_longitude_is_the_same_a_turn_further_and_in_single_precision(sites, theta, wanted):
    turned = theta.assign_coords(lon=((theta.lon + 360.0).astype("f4")), lat=theta.lat.astype("f4"))
    np.testing.assert_array_equal(simulate(Cube.from_dataset(sites), lue, turned).gpp, wanted.gpp)
    with pytest.raises(InputError, match=SAYS):
        simulate(Cube.from_dataset(sites), lue, theta.assign_coords(lon=theta.lon + 180.0))


def test_a_simulation_keeps_the_places_of_samples_and_scores_find_them(sites, wanted):
    np.testing.assert_array_equal(wanted.lat, sites.lat)
    np.testing.assert_array_equal(wanted.lon, sites.lon)
    scores = evaluate(wanted, sites[["gpp_obs"]], scales=("daily",), seasons=("all",))
    by_hand = np.sqrt(((wanted.gpp.astype("f8") - sites.gpp_obs.transpose("time", "site")) ** 2).mean("time"))
    np.testing.assert_allclose(scores.rmse.values.ravel(), by_hand, rtol=1e-6)
    for other in (sites[["gpp_obs"]].isel(site=ORDER), sites[["gpp_obs"]].isel(site=ORDER).reset_coords(["lat", "lon"])):
        with pytest.raises(InputError, match=SAYS):
            evaluate(wanted, other)
    again = evaluate(wanted.isel(site=ORDER), sites[["gpp_obs"]].isel(site=ORDER), scales=("daily",), seasons=("all",))
    np.testing.assert_array_equal(again.rmse.values.ravel(), scores.rmse.values.ravel()[ORDER])


def test_pixels_that_are_numbered_anew_are_told_by_their_places(sites, theta):
    numbered = sites.rename(site="pixel").assign_coords(pixel=np.arange(5))
    other = theta.rename(site="pixel").isel(pixel=ORDER).assign_coords(pixel=np.arange(5))
    with pytest.raises(InputError, match="pixel 0 lies at lat"):
        simulate(Cube.from_dataset(numbered), lue, other)


def test_a_state_keeps_its_places_and_belongs_to_them(sites):
    cube = Cube.from_dataset(sites)
    state = spin_up(cube, lue, years=1)
    np.testing.assert_array_equal(state.lat, sites.lat)
    assert simulate(cube, lue, state=state).gpp.notnull().any()
    with pytest.raises(InputError, match=SAYS):
        simulate(cube, lue, state=state.isel(site=ORDER))


def test_calibration_starts_from_values_and_states_of_its_own_sites(sites, theta):
    cube = Cube.from_dataset(sites)
    blocks = [Block(fit=("Topt",), to=Target("gpp"))]
    found = calibrate(cube, lue, blocks, CMAES(), start=theta)
    np.testing.assert_array_equal(found.eps_max, EPS)
    for given in ({"start": theta.isel(site=ORDER)}, {"state": spin_up(cube, lue, years=1).isel(site=ORDER)}):
        with pytest.raises(InputError, match=SAYS):
            calibrate(cube, lue, blocks, CMAES(), **given)


def test_another_number_of_sites_without_labels_is_refused(sites, theta, wanted):
    with pytest.raises(InputError, match="dimension 'site' has 4 values in one and 5 in the other"):
        simulate(Cube.from_dataset(sites), lue, theta.isel(site=slice(4)))
    with pytest.raises(InputError, match="dimension 'site' has 5 values in one and 4 in the other"):
        evaluate(wanted, sites[["gpp_obs"]].isel(site=slice(4)))


def test_a_grid_has_no_places_beside_its_coordinates():
    cube = twin(4, 6, 1).cube
    assert set(simulate(cube, lue).coords) == {"time", "lat", "lon"}
