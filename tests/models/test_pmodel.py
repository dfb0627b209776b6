"""The P-model kernel: physics, running mean, and pyrealm as the oracle."""

import numpy as np
import pytest

from gridcal.errors import InputError
from gridcal.models.pmodel import barometric_pressure, pmodel_gpp, soil_moisture_stress


def weather(days=400, n=3, seed=1):
    rng = np.random.default_rng(seed)
    season = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(days) / 365)[:, None]
    tas = 4 + 18 * season + rng.normal(0, 3, (days, n))
    vpd = 0.2 + 1.6 * season * rng.random((days, n))
    light = (100 + 300 * season) * rng.uniform(0.3, 1, (days, n)) * 0.6
    return tas, vpd, np.full((days, n), 400.0), light, np.array([101325.0, 98000.0, 85000.0])


def test_gpp_is_finite_and_follows_light():
    tas, vpd, co2, light, pressure = weather()
    gpp = pmodel_gpp(tas, vpd, co2, light, pressure)
    assert np.isfinite(gpp).all()
    assert (gpp >= 0).all()
    assert (pmodel_gpp(tas, vpd, co2, 0 * light, pressure) == 0).all()
    assert pmodel_gpp(tas, vpd, 1.4 * co2, light, pressure).mean() > gpp.mean()
    assert pmodel_gpp(tas, 3 * vpd, co2, light, pressure).mean() < gpp.mean()


def test_cold_days_give_nothing():
    tas, vpd, co2, light, pressure = weather()
    tas[50:60] = -20.0  # phi0 <= 0
    gpp = pmodel_gpp(tas, vpd, co2, light, pressure)
    assert (gpp[50:60] == 0).all()


def test_running_mean_ends_today_and_is_shorter_at_the_start():
    tas, vpd, co2, light, pressure = weather(days=40)
    long = pmodel_gpp(tas, vpd, co2, light, pressure, 15)
    np.testing.assert_array_equal(long[0], pmodel_gpp(tas, vpd, co2, light, pressure, 1)[0])
    later = [x.copy() for x in (tas, vpd, co2, light)]
    for x in later:
        x[30:] *= 1.1
    np.testing.assert_array_equal(pmodel_gpp(*later, pressure, 15)[:30], long[:30])
    alone = pmodel_gpp(*(x[20:36] for x in (tas, vpd, co2, light)), pressure, 15)
    np.testing.assert_allclose(alone[14:], long[34:36], rtol=1e-10)


@pytest.mark.parametrize("cold", [False, True])
@pytest.mark.parametrize("which", ["tas", "vpd", "co2", "light"])
def test_a_gap_is_not_a_zero(which, cold):
    names = ("tas", "vpd", "co2", "light")
    *series, pressure = weather()
    if cold:
        series[0][95:130] = -20.0  # production is 0 here whatever the rest
    clean = pmodel_gpp(*series, pressure)
    series[names.index(which)][100, 1] = np.nan
    gpp = pmodel_gpp(*series, pressure)
    np.testing.assert_array_equal(gpp[:, [0, 2]], clean[:, [0, 2]])
    np.testing.assert_array_equal(gpp[:100, 1], clean[:100, 1])
    if which == "vpd":  # the only one without memory
        assert np.isnan(gpp[100, 1])
        np.testing.assert_array_equal(gpp[101:, 1], clean[101:, 1])
    else:
        assert np.isnan(gpp[100:, 1]).all()


def test_without_enough_co2_a_gap_is_not_a_zero_either():
    *series, pressure = weather(days=60)
    series[2][:] = 50.0
    assert (pmodel_gpp(*series, pressure) == 0.0).all()
    series[3][30, 0] = np.nan
    gpp = pmodel_gpp(*series, pressure)
    assert np.isnan(gpp[30:, 0]).all()
    assert (gpp[:, 1:] == 0.0).all()


def test_a_missing_pressure_gives_no_number():
    *series, pressure = weather(days=60)
    assert np.isnan(pmodel_gpp(*series, np.array([np.nan, *pressure[1:]]))[:, 0]).all()


@pytest.mark.parametrize("method", ["stocker", "mengoli"])
def test_missing_moisture_is_no_stress_that_was_made_up(method):
    found = soil_moisture_stress(np.array([0.2, np.nan, 0.9]), method, 1.5)
    assert np.isnan(found).tolist() == [False, True, False]
    if method == "mengoli":
        assert np.isnan(soil_moisture_stress(np.array([0.2, 0.9]), method, np.nan)).all()


def test_shapes_are_checked():
    tas, vpd, co2, light, pressure = weather(days=5)
    with pytest.raises(InputError, match="do not fit"):
        pmodel_gpp(tas, vpd[:, :2], co2, light, pressure)
    with pytest.raises(InputError, match="window of 0"):
        pmodel_gpp(tas, vpd, co2, light, pressure, 0)


def test_pressure_falls_with_elevation():
    assert barometric_pressure(0.0) == 101325.0
    assert float(barometric_pressure(1500.0)) == pytest.approx(84560, rel=1e-2)  # standard atmosphere, 84.56 kPa
    # air of 25 degC at sea level, by arithmetic; 70.11 kPa in the standard atmosphere, 71.01 in pyrealm
    assert float(barometric_pressure(3000.0)) == pytest.approx(70990, abs=10)


@pytest.mark.filterwarnings("ignore")
def test_without_acclimation_it_is_pyrealm():
    pmodel = pytest.importorskip("pyrealm.pmodel")
    tas, vpd, co2, light, pressure = (x.ravel() if x.ndim == 2 else np.tile(x, 400) for x in weather())
    light = np.maximum(light, 1.0)
    environment = pmodel.PModelEnvironment(tc=tas, vpd=vpd * 1000, co2=co2, patm=pressure, fapar=np.ones_like(tas), ppfd=light)
    theirs = pmodel.PModel(environment, method_kphio="temperature", method_jmaxlim="wang17")
    expected = theirs.gpp * 1e-6 * 86400  # ug C m-2 s-1 to gC m-2 d-1
    column = [x[:, None] for x in (tas, vpd, co2, light)]
    ours = np.array([pmodel_gpp(*(x[[k]] for x in column), pressure[[k]], 1)[0, 0] for k in range(tas.size)])
    warm = tas > 0.0
    ratio = ours[warm] / expected[warm]
    assert abs(np.median(ratio) - 1.0) < 2e-3
    assert np.corrcoef(ours[warm], expected[warm])[0, 1] ** 2 > 0.99999


@pytest.mark.filterwarnings("ignore")
def test_soil_moisture_stress_is_pyrealm():
    functions = pytest.importorskip("pyrealm.pmodel.functions")
    moisture, aridity = (x.ravel() for x in np.meshgrid(np.linspace(0.0, 1.0, 41), np.linspace(0.2, 6.0, 30)))
    np.testing.assert_allclose(
        soil_moisture_stress(moisture, "stocker"), functions.calc_soilmstress_stocker(moisture), rtol=1e-12
    )
    np.testing.assert_allclose(
        soil_moisture_stress(moisture, "mengoli", aridity), functions.calc_soilmstress_mengoli(moisture, aridity), rtol=1e-12
    )


def test_soil_moisture_stress_of_the_published_examples():
    assert float(soil_moisture_stress(0.2, "stocker")) == pytest.approx(0.88133, abs=1e-5)  # documentation of pyrealm
    assert float(soil_moisture_stress(0.6, "mengoli", 0.6)) == pytest.approx(0.78023, abs=1e-5)
    assert float(soil_moisture_stress(0.0, "mengoli", 2.0)) == 0.0
    with pytest.raises(InputError, match="'pmodel'"):
        soil_moisture_stress(0.5, "pmodel")
