"""Radiation and demand against the worked examples of FAO Irrigation and Drainage Paper 56 and closed forms."""

import numpy as np
import pytest

from gridcal.kernels.series.solar import (
    cloudiness_index,
    equilibrium_evaporation,
    esat,
    esat_slope,
    net_radiation,
    toa_radiation,
)


def test_example_8_of_fao_56():
    # 20 degrees south on 3 September (day 246): Ra = 32.2 MJ m-2 d-1
    assert toa_radiation(-20.0, 246) == pytest.approx(32.2, abs=0.05)


def integrated(lat, doy):
    """The same sun, summed over the minutes of a day."""
    hour = np.linspace(-np.pi, np.pi, 20001)
    delta = 0.409 * np.sin(2 * np.pi * doy / 365 - 1.39)
    phi = np.deg2rad(lat)
    height = np.maximum(np.sin(phi) * np.sin(delta) + np.cos(phi) * np.cos(delta) * np.cos(hour), 0.0)
    return 0.0820 * 1440 * (1 + 0.033 * np.cos(2 * np.pi * doy / 365)) * np.trapezoid(height, hour) / (2 * np.pi)


@pytest.mark.parametrize("lat", [-70.0, -35.0, 0.0, 23.4, 45.0, 66.0, 80.0])
@pytest.mark.parametrize("doy", [1, 80, 172, 264, 355, 366])
def test_daily_sum_is_the_integral_of_the_suns_height(lat, doy):
    assert toa_radiation(lat, doy) == pytest.approx(integrated(lat, doy), abs=2e-5)


def test_polar_night_is_dark_and_polar_day_is_not():
    assert toa_radiation(85.0, 355) == 0.0
    assert toa_radiation(85.0, 172) > 40.0


def test_latitudes_and_days_broadcast():
    assert toa_radiation(np.zeros(3)[None], np.arange(1, 6)[:, None]).shape == (5, 3)


def test_saturation_vapour_pressure_of_fao_56():
    # FAO-56 example 3 (15.0 and 24.5 degC), annex 2, table 2.3 (10 degC), and equation 11 itself at 0 degC
    np.testing.assert_allclose(esat([0.0, 10.0, 15.0, 24.5]), [0.6108, 1.228, 1.705, 3.075], atol=6e-4)
    # table 2.4
    np.testing.assert_allclose(esat_slope([10.0, 25.0]), [0.082, 0.189], atol=1e-3)


def test_slope_is_the_derivative():
    t, h = np.linspace(-30.0, 45.0, 31), 1e-4
    np.testing.assert_allclose(
        esat_slope(t), (esat(t + h) - esat(t - h)) / (2 * h), rtol=5e-5
    )  # FAO-56 rounds 17.27 * 237.3 to 4098


def test_net_radiation_of_examples_10_to_12_of_fao_56():
    # Rio de Janeiro, May: Rs 14.5, Ra 25.1, ea 2.1 kPa, Tmax 25.1, Tmin 19.1 (mean 22.1): Rns 11.1, Rnl 3.5, Rn 7.6
    found = net_radiation(14.5, 25.1, 22.1, esat(22.1) - 2.1)
    assert found == pytest.approx(7.6, abs=0.1)


def test_net_radiation_is_never_negative_and_grows_with_the_sun():
    assert net_radiation(0.0, 0.0, -20.0, 0.1) == 0.0
    rsds = np.linspace(0.0, 30.0, 31)
    assert (np.diff(net_radiation(rsds, 40.0, 20.0, 1.0)) >= 0.0).all()
    # drier air lets more longwave out
    assert net_radiation(20.0, 40.0, 20.0, 2.0) < net_radiation(20.0, 40.0, 20.0, 0.2)
    # more vapour pressure deficit than saturation allows counts as dry air
    assert net_radiation(20.0, 40.0, 20.0, 50.0) == net_radiation(20.0, 40.0, 20.0, esat(20.0))


def test_equilibrium_evaporation_partitions_the_energy():
    # slope / (slope + psychrometer) of the energy, over 2.45 MJ kg-1; FAO-56's delta at 20 degC is 0.145 kPa degC-1
    assert equilibrium_evaporation(10.0, 20.0) == pytest.approx(0.145 / (0.145 + 0.066) * 10.0 / 2.45, rel=5e-3)
    assert equilibrium_evaporation(-3.0, 20.0) == 0.0
    assert equilibrium_evaporation(2.45, 60.0) < 1.0


def test_cloudiness_index_is_one_minus_the_clearness_within_its_limits():
    np.testing.assert_allclose(cloudiness_index([5.0, 20.0, 0.0], 20.0), [0.75, 0.01, 1.0])
    assert cloudiness_index(30.0, 20.0) == 0.01  # more at the ground than above: floored, not negative
    assert cloudiness_index(0.1, 0.0) == 1.0  # polar night


@pytest.mark.parametrize("function", [lambda x: net_radiation(x, 20.0, 10.0, 0.5), lambda x: cloudiness_index(x, 20.0), esat])
def test_a_missing_value_stays_missing_and_alone(function):
    out = function(np.array([5.0, np.nan, 5.0]))
    assert np.isnan(out).tolist() == [False, True, False]
