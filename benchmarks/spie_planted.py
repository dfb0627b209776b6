"""SPIE on any model: parameter fields planted as functions of features, trained through the model by finite differences.

    python benchmarks/spie_planted.py --model dalec --fit p2 p3 p5 p12 p15 p17 --observe lai nee [--sites 30] [--years 3]
    python benchmarks/spie_planted.py --model ibis_dalec --fit vmax alpha3 p5 p15 p18 p20 --observe gpp lai --sites 18 --years 2
        --epochs 150 --evaluations 200

The weather is that of the synthetic flux sites in cold and temperate climates. The planted parameters are logistic functions of
five features plus noise; observations are the model's own with noise of a fifth of their spread, and gaps. A third of the sites
is held out. Printed for the held-out sites: mean of 1 - NNSE (0 perfect, 0.5 as good as the mean) with default parameters, the
one best set, a random forest and a ridge regression on parameters calibrated site by site, SPIE, and the truth; and the mean
distance of the parameters to the truth, as a share of their range.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd
import xarray as xr

from gridcal.extrapolation.learners.regressors import make_regressor
from gridcal.extrapolation.spie.learner import SPIE
from gridcal.extrapolation.spie.objective import site_objective
from gridcal.extrapolation.spie.optimum import SearchSettings, optimum
from gridcal.extrapolation.spie.site_series import SiteSeries
from gridcal.kernels.series.solar import esat
from gridcal.models import model_named
from gridcal.synthetic.sites import synthetic_sites

PRESSURE = 98000.0  # Pa
SOIL = {"sand": 60.0, "clay": 10.0}


def weather(made, site: int, names: tuple[str, ...]) -> tuple[np.ndarray, ...]:
    """Forcing of one site under the names a model asks for."""
    data = made.cube.data.isel(site=site)
    tas = data["tas"].values.astype(float)
    rng = np.random.default_rng(site)
    swing = 4.0 + rng.random(tas.size)
    time_index = pd.DatetimeIndex(data["time"].values)
    rain = rng.exponential(1.0, tas.size) * (rng.random(tas.size) < 0.4)
    rain *= max(float(data["bio12"]), 300.0) / 365.25 / rain.mean()
    vapour = np.maximum(esat(tas) - data["vpd"].values.astype(float), 0.05)  # kPa
    known = {
        "tasmin": tas - swing, "tasmax": tas + swing, "rsds": data["par"].values.astype(float) / 0.45 / 0.0864,
        "doy": time_index.day_of_year.to_numpy().astype(float), "ps": np.full(tas.size, PRESSURE), "pr": rain,
        "huss": 622.0 * vapour / PRESSURE, "clt": np.clip(1.0 - data["ci"].values.astype(float), 0.0, 1.0),
        "sfcWind": rng.uniform(2.0, 5.0, tas.size), "year_length": np.where(time_index.is_leap_year, 366.0, 365.0),
        "day": (time_index - pd.Timestamp("1970-01-01")).days.to_numpy().astype(float),
    }  # fmt: skip
    return tuple(known[n] if n in known else data[n].values.astype(float) for n in names)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="dalec")
    parser.add_argument("--fit", nargs="+", default=["p2", "p3", "p5", "p12", "p15", "p17"])
    parser.add_argument("--observe", nargs="+", default=["lai", "nee"])
    parser.add_argument("--sites", type=int, default=30)
    parser.add_argument("--years", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=600)
    parser.add_argument("--members", type=int, default=2)
    parser.add_argument("--evaluations", type=int, default=800, help="of the calibration of a site")
    parser.add_argument("--noise", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    model = model_named(arguments.model)
    table = model.parameters.select(arguments.fit)
    made = synthetic_sites(8 * arguments.sites, arguments.years, seed=arguments.seed)
    mild = np.isin(made.cube.data["climate"].values, ("C", "D"))
    chosen = np.flatnonzero(mild)[: arguments.sites]
    n = chosen.size
    rng = np.random.default_rng(arguments.seed)
    features = rng.normal(size=(n, 5))
    mixing = rng.normal(size=(5, len(table))) * (rng.random((5, len(table))) < 0.6)
    unit = 1.0 / (1.0 + np.exp(-(features @ mixing + 0.2 * rng.normal(size=(n, len(table))))))
    theta = np.repeat(model.parameters.default[:, None], n, axis=1)
    theta[[model.parameters.index(k) for k in table.names]] = table.from_unit(unit).T
    lat = made.cube.data["lat"].values[chosen].astype(float)
    known = {"lat": lat, "lon": made.cube.data["lon"].values[chosen].astype(float)}
    constants = SOIL | dict(model.site_default)
    site = np.array([known[k] if k in known else np.full(n, float(constants[k])) for k in model.site])
    site = site.reshape(len(model.site), n)
    forcing = [weather(made, s, model.forcing) for s in chosen]
    observed: dict[str, list[np.ndarray]] = {k: [] for k in arguments.observe}
    for s in range(n):
        place = site[:, [s]] if len(model.site) else None
        runs, _ = model.run(theta[:, [s]], [x[:, None] for x in forcing[s]], place, outputs=tuple(observed))
        for k, run in zip(observed, runs, strict=True):
            y = run[:, 0] + arguments.noise * run[:, 0].std() * rng.normal(size=run.shape[0])
            observed[k].append(np.where(rng.random(y.size) < 0.3, np.nan, y))
    days = pd.DatetimeIndex(made.cube.data["time"].values)
    series = SiteSeries(
        tuple(map(str, range(n))), (days,) * n, tuple(forcing), site, {k: tuple(v) for k, v in observed.items()},
        tuple(np.ones(days.size) for _ in range(n)),
    )  # fmt: skip
    goal = site_objective(model, series, fit=table.names)
    held = np.arange(0, n, 3)
    rows = np.setdiff1d(np.arange(n), held)
    search = SearchSettings(optimiser="cmaes", max_evaluations=arguments.evaluations, restarts=0, polish=False)
    start = time.process_time()
    calibrated = np.array([optimum(goal, np.array([s]), search, np.random.SeedSequence(s)).unit for s in range(n)])
    print(f"calibration       {time.process_time() - start:7.1f} core-seconds")
    single = optimum(goal, rows, search, np.random.SeedSequence(9)).unit
    scaled = (features - features[rows].mean(0)) / features[rows].std(0)
    found = {
        "default": np.tile(table.to_unit(table.default), (held.size, 1)),
        "one best set": np.tile(single, (held.size, 1)),
    }
    for name, options in (("random_forest", {"multi_output": True}), ("ridge", {})):
        fitted = make_regressor(name, 0, options).fit(scaled[rows], calibrated[rows])
        found[f"{name} regression"] = np.clip(fitted.predict(scaled[held]), 0.0, 1.0)
    start = time.process_time()
    names = [f"f{k}" for k in range(5)]
    data = xr.Dataset({k: ("site", features[:, j]) for j, k in enumerate(names)})
    learner = SPIE(
        epochs=arguments.epochs, members=arguments.members, learning_rate=5e-3, dropout_input=0.0, dropout_hidden=0.05
    )
    learner.fit(data, goal, rows)
    print(f"SPIE              {time.process_time() - start:7.1f} core-seconds, {learner.training_['failed']} failed gradients")
    learnt = learner.predict(data.isel(site=held))
    found["SPIE"] = table.to_unit(np.stack([learnt[k].values for k in table.names], axis=1))
    found["calibrated there"], found["truth"] = calibrated[held], unit[held]
    print(f"{'held out: ' + str(held.size) + ' of ' + str(n):24s} 1 - NNSE   distance")
    for name, u in found.items():
        print(f"{name:24s} {goal.cost(u, held).mean():8.4f}   {np.abs(u - unit[held]).mean():8.3f}")


if __name__ == "__main__":
    main()
