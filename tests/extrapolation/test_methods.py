"""The ways to extrapolate: each does what its name says, reads training sites alone, and repeats itself."""

import dataclasses
import importlib

import numpy as np
import pandas as pd
import pytest

from gridcal.errors import ConfigError, InputError
from gridcal.extrapolation.methods import METHODS, Places, Training, make_methods
from gridcal.extrapolation.spie.network import NetworkSettings
from gridcal.extrapolation.spie.objective import site_objective
from gridcal.extrapolation.spie.optimum import SearchSettings
from gridcal.extrapolation.spie.site_series import SiteSeries
from gridcal.models.lue import PARAMETERS, lue
from gridcal.models.pmodel import barometric_pressure, pmodel_gpp, soil_moisture_stress

FIT = ("eps_max", "Topt", "kT", "WI")
PAPER = (
    "PFTmean", "PFTmed", "Climmean", "Climmed", "Sitesim", "OPT-All", "OPT-PFT", "sRF", "mRF", "mNN", "SPIE", "P-model",
)  # fmt: skip


def make(n=16, days=150, seed=1):
    """Places with drivers, observations of the same model, and parameters in the unit cube."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    unit = np.clip(0.4 + 0.15 * np.stack([x[:, 0], x[:, 1], -x[:, 0], x[:, 2]], axis=1), 0.02, 0.98)
    pft, climate = rng.choice(["DBF", "ENF", "GRA"], n), rng.choice(["C", "D"], n)
    full = np.tile(PARAMETERS.to_unit(PARAMETERS.default), (n, 1))
    full[:, [PARAMETERS.index(k) for k in FIT]] = unit
    theta = PARAMETERS.from_unit(full).T
    low, high = [-5, 0.1, 2, 0.2, 0, 380, 0.2], [28, 2.5, 13, 0.9, 1, 400, 0.9]
    forcing = [tuple(rng.uniform(a, b, days) for a, b in zip(low, high, strict=True)) for _ in range(n)]
    obs = []
    for s in range(n):
        (gpp,), _ = lue.run(theta[:, [s]], [f[:, None] for f in forcing[s]])
        obs.append(gpp[:, 0] * (1 + 0.05 * rng.normal(size=days)))
    series = SiteSeries(
        tuple(f"s{k}" for k in range(n)), (pd.date_range("2001-01-01", periods=days),) * n, tuple(forcing),
        np.zeros((2, n)), {"gpp": tuple(obs)}, tuple(np.ones(days) for _ in range(n)),
    )  # fmt: skip
    cycles = rng.normal(size=(n, 12))
    return Places(series.labels, x, tuple(pft), tuple(climate), cycles, series, rng.uniform(0, 900, n)), unit, series


def training_of(places, unit, series, **options):
    settings = {
        "network": NetworkSettings(epochs=40, learning_rate=1e-2),
        "search": SearchSettings(optimiser="lbfgs", starts=1),
        "constraint": 0.0,
    }
    return Training(places, unit, site_objective(lue, series, fit=FIT), np.random.SeedSequence(3), **(settings | options))


@pytest.fixture(scope="module")
def made():
    places, unit, series = make()
    return training_of(places, unit, series), make(n=5, seed=2)[0]


def test_the_twelve_and_two_more_are_registered_in_files_of_their_own():
    assert tuple(METHODS)[:12] == PAPER
    assert set(METHODS) - set(PAPER) == {"XGB", "kNN"}
    assert len({kind.__module__ for kind in METHODS.values()}) == len(METHODS)
    for kind in METHODS.values():
        assert importlib.import_module(kind.__module__).__doc__
    with pytest.raises(ConfigError, match="unknown method 'PFT'"):
        make_methods(["PFT"])


@pytest.mark.parametrize("name", list(METHODS))
def test_predicts_the_unit_cube_or_gpp_and_repeats_itself(made, name):
    training, targets = made
    found = make_methods([name])[0].fit(training).predict(targets)
    again = make_methods([name])[0].fit(dataclasses.replace(training, shared={})).predict(targets)
    assert found.flagged.shape == (5,)
    if name == "P-model":
        assert found.unit is None
        assert all(g.shape == (150,) and (g >= 0).all() for g in found.gpp)
        return
    assert found.unit.shape == (5, 4)
    assert ((found.unit >= 0) & (found.unit <= 1)).all()
    np.testing.assert_array_equal(found.unit, again.unit)


@pytest.mark.parametrize(
    ("name", "statistic", "labels"),
    [
        ("PFTmean", np.mean, "pft"),
        ("PFTmed", np.median, "pft"),
        ("Climmean", np.mean, "climate"),
        ("Climmed", np.median, "climate"),
    ],
)
def test_class_statistics(made, name, statistic, labels):
    training, targets = made
    strange = dataclasses.replace(targets, **{labels: ("BSV", *getattr(targets, labels)[1:])})
    found = make_methods([name])[0].fit(training).predict(strange)
    of = np.array(getattr(training.places, labels))
    np.testing.assert_allclose(found.unit[0], statistic(training.unit, axis=0))
    assert found.flagged.tolist() == [True] + [False] * 4
    for k in range(1, 5):
        mine = training.unit[of == getattr(targets, labels)[k]]
        np.testing.assert_allclose(found.unit[k], statistic(mine, axis=0))


def test_similar_site_takes_the_parameters_of_the_nearest_curve_of_its_type(made):
    training, targets = made
    rows = list(range(5))
    near = dataclasses.replace(
        targets, cycles=training.places.cycles[rows] + 1e-3, pft=tuple(training.places.pft[r] for r in rows)
    )
    found = make_methods(["Sitesim"])[0].fit(training).predict(near)
    np.testing.assert_array_equal(found.unit, training.unit[rows])
    other = dataclasses.replace(near, pft=("BSV",) * 5)
    found = make_methods(["Sitesim"])[0].fit(training).predict(other)
    np.testing.assert_array_equal(found.unit, training.unit[rows])
    assert found.flagged.all()
    blind = dataclasses.replace(training, places=dataclasses.replace(training.places, cycles=np.empty((16, 0))))
    with pytest.raises(InputError, match="Sitesim"):
        make_methods(["Sitesim"])[0].fit(blind)


def test_optima_lower_the_mean_cost_they_are_made_for(made):
    training, _ = made
    rows = np.arange(training.places.n)

    def cost(unit):
        return training.objective.cost(unit, rows)

    everywhere = make_methods(["OPT-All"])[0].fit(training).predict(training.places).unit
    by_type = make_methods(["OPT-PFT"])[0].fit(training).predict(training.places).unit
    assert cost(everywhere).mean() < cost(np.tile(training.unit.mean(axis=0), (16, 1))).mean()
    assert cost(by_type).mean() < cost(everywhere).mean() + 1e-6
    for label in set(training.places.pft):
        mine = np.array(training.places.pft) == label
        assert np.unique(by_type[mine], axis=0).shape[0] == 1


def test_spie_uses_no_calibrated_parameter(made):
    training, targets = made
    blind = dataclasses.replace(training, unit=np.full_like(training.unit, np.nan), shared={})
    first = make_methods(["SPIE"])[0].fit(training).predict(targets).unit
    np.testing.assert_array_equal(make_methods(["SPIE"])[0].fit(blind).predict(targets).unit, first)


def test_p_model_is_the_kernel_on_the_drivers(made):
    training, targets = made
    found = make_methods(["P-model"])[0].fit(training).predict(targets).gpp[2]
    tas, vpd, par, fapar, _, co2, _ = (x[:, None] for x in targets.drivers.forcing[2])
    pressure = barometric_pressure(targets.elevation[[2]])
    gpp = pmodel_gpp(tas, vpd, co2, par * fapar * 4.57e6 / 86400, pressure)[:, 0]
    np.testing.assert_allclose(found, gpp)
    water = targets.drivers.forcing[2][4]
    stressed = make_methods(["P-model"], p_model="stocker")[0].fit(training).predict(targets).gpp[2]
    np.testing.assert_allclose(stressed, gpp * soil_moisture_stress(water, "stocker"))
    dry = dataclasses.replace(targets, aridity=np.full(targets.n, 3.0))
    stressed = make_methods(["P-model"], p_model="mengoli")[0].fit(training).predict(dry).gpp[2]
    np.testing.assert_allclose(stressed, gpp * soil_moisture_stress(water, "mengoli", 3.0))
