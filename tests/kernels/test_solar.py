"""Radiation and demand against NREL's sun, the worked examples of FAO Irrigation and Drainage Paper 56 and closed forms."""

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
from gridcal.models.ibis.weather.diurnal import sun_of_day

# MJ m-2 d-1 in 2015: NREL's solar position algorithm (pvlib 0.16.1, spa_python and get_extra_radiation(method="nrel") with
# 1361 W m-2), summed over 10 minutes. FAO-56's declination is 1.3 to 21 % off on the days with a star.
DAYS = (1, 80, 172, 246, 292, 312, 355)
SPA = {
    -35.0: (44.13, 30.76, 15.52, 25.63, 36.54, 40.37, 44.29),
    -20.0: (42.03, 35.36, 23.89, 31.70, 38.49, 40.38, 42.04),  # * 3 September: example 8 of FAO-56 says 32.2
    42.5: (12.24, 27.96, 41.78, 32.21, 20.82, 16.43, 11.94),  # * 292
    67.4: (0.0, 14.70, 41.81, 21.74, 6.11, 2.06, 0.0),  # * 80, 246, 292, 312
}


@pytest.mark.parametrize("lat", SPA)
def test_the_sun_is_that_of_the_solar_position_algorithm(lat):
    np.testing.assert_allclose(toa_radiation(lat, np.array(DAYS)), SPA[lat], rtol=0.004, atol=0.09)


def test_the_third_of_september_at_20_degrees_south():
    assert toa_radiation(-20.0, 246) == pytest.approx(31.70, abs=0.03)


def integrated(lat, doy):
    """IBIS's sun, which is Spencer's too, summed over the minutes of a day; IBIS has 1370 W m-2."""
    sine, cosine, solar, _ = sun_of_day(doy, lat)
    hour = np.linspace(-np.pi, np.pi, 20001)
    height = np.maximum(sine + cosine * np.cos(hour), 0.0)
    return 0.0864 * solar * 1361.0 / 1370.0 * np.trapezoid(height, hour) / (2 * np.pi)


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


MISSING = {
    "sunshine of net radiation": lambda x: net_radiation(x, 20.0, 10.0, 0.5),
    "top of net radiation": lambda x: net_radiation(5.0, x, 10.0, 0.5),
    "temperature of net radiation": lambda x: net_radiation(5.0, 20.0, x, 0.5),
    "deficit of net radiation": lambda x: net_radiation(5.0, 20.0, 10.0, x),
    "sunshine of cloudiness": lambda x: cloudiness_index(x, 20.0),
    "sunshine of cloudiness in polar night": lambda x: cloudiness_index(x, 0.0),
    "top of cloudiness": lambda x: cloudiness_index(5.0, x),
    "latitude": lambda x: toa_radiation(x, 100.0),
    "day": lambda x: toa_radiation(40.0, x),
    "vapour": esat,
    "slope": esat_slope,
    "energy of evaporation": lambda x: equilibrium_evaporation(x, 10.0),
    "temperature of evaporation": lambda x: equilibrium_evaporation(10.0, x),
}


@pytest.mark.parametrize("function", MISSING.values(), ids=MISSING)
def test_a_missing_value_stays_missing_and_alone(function):
    out = function(np.array([5.0, np.nan, 5.0]))
    assert np.isnan(out).tolist() == [False, True, False]
