"""The work of a comparison, piece by piece: calibrate a site, learn in a fold, score a site. Plain functions for any worker.

Each reads the study's own ``sites`` stage; nothing else travels.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from gridcal.comparison.config import ComparisonConfig, parse_comparison
from gridcal.cube import Cube
from gridcal.extrapolation.assessment.site_scores import MOMENTS, SCALES, assess_site
from gridcal.extrapolation.features.classes import NEVER_FEATURES
from gridcal.extrapolation.features.encoder import FeatureEncoder, usable
from gridcal.extrapolation.methods import Places, Training, make_methods
from gridcal.extrapolation.methods.network_through_model import NetworkThroughModel
from gridcal.extrapolation.methods.p_model import PModel
from gridcal.extrapolation.spie.network import NetworkSettings
from gridcal.extrapolation.spie.objective import Objective, site_objective
from gridcal.extrapolation.spie.optimum import SearchSettings, optimum
from gridcal.extrapolation.spie.site_series import SiteSeries, site_series
from gridcal.extrapolation.spie.tensor_file import dump_tensors
from gridcal.process.model import ProcessModel
from gridcal.study import store

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
CALIBRATED = "site-calib"
"""The reference: parameters calibrated at the site itself."""
QUALITIES = ("present", "tower")


@dataclasses.dataclass(frozen=True)
class Context:
    """What every piece of work needs, read from the ``sites`` stage.

    Parameters
    ----------
    config : ComparisonConfig
        The study file.
    model : ProcessModel
        The model.
    series : SiteSeries
        Forcing and observations of all sites.
    features : Dataset, dims (site,)
        Features of all sites.
    pft, climate : tuple of str
        Classes.
    cycles : array, shape (n, k)
        Seasonal cycles of drivers; no column without them.
    elevation, aridity : array, shape (n,)
        m; potential evapotranspiration over precipitation.
    tower : tuple of bool arrays, each shape (T_s,), or None
        Days with daily tower drivers.
    fold : int array, shape (n,)
        Fold in which a site is tested; -1 pinned to training; -2 test only.
    years : int array
        Calendar years of the data.
    """

    config: ComparisonConfig
    model: ProcessModel
    series: SiteSeries
    features: xr.Dataset
    pft: tuple[str, ...]
    climate: tuple[str, ...]
    cycles: Array
    elevation: Array
    aridity: Array
    tower: tuple[npt.NDArray[np.bool_], ...] | None
    fold: Rows
    years: npt.NDArray[np.int64]

    @property
    def n(self) -> int:
        """Number of sites."""
        return self.series.n

    def training_rows(self, fold: int) -> Rows:
        """Sites learnt from in a fold: neither tested there nor test-only."""
        return np.flatnonzero((self.fold != fold) & (self.fold != -2))

    def objective(self, rows: Rows, constraint: float) -> Objective:
        """Cost at some of the sites, made from their series alone."""
        section = self.config.objective
        return site_objective(
            self.model, self.series.select(rows), fit=section.fit, constraint=constraint, gradient=section.gradient,
            every=section.every, days=section.days, seed=self.config.seed, step=section.step,
        )  # fmt: skip


def make_context(config: ComparisonConfig, model: ProcessModel, sites: xr.Dataset) -> Context:
    """Lay out the ``sites`` stage for the pieces of work."""
    sites = sites.load()
    names = [n for n in str(sites.attrs["features"]).split(" ") if n]
    observed = json.loads(str(sites.attrs["observed"]))
    cube = Cube.from_dataset(sites)
    series = site_series(cube, model, observed, uncertainty=str(sites.attrs.get("uncertainty", "")) or None)
    time = pd.DatetimeIndex(sites.indexes["time"])
    tower = None
    if "tower" in sites:
        days = sites["tower"].transpose("time", "site").values.astype(bool)
        tower = tuple(days[time.get_indexer(t), s] for s, t in enumerate(series.time))
    cycles = sites["cycles"].transpose("site", ...).values if "cycles" in sites else np.empty((series.n, 0))
    elevation = sites["elv"].values.astype(float) if "elv" in sites.coords else np.zeros(series.n)
    aridity = 1.0 / sites["p_over_pet"].values.astype(float) if "p_over_pet" in sites else np.full(series.n, np.nan)
    years = np.unique(time.year.to_numpy())
    return Context(
        config, model, series, sites[names], _texts(sites["pft"]), _texts(sites["climate"]),
        np.asarray(cycles, dtype=np.float64), elevation, aridity, tower, sites["fold_of_site"].values.astype(np.int64),
        np.arange(years[0], years[-1] + 1),
    )  # fmt: skip


def _texts(x: xr.DataArray) -> tuple[str, ...]:
    return tuple(str(v) for v in x.values)


@functools.lru_cache(maxsize=2)
def _context(folder: str, document: str, mark: str) -> Context:
    """The context of a study; `mark`, the fingerprint of its sites, tells another version of them from this one."""
    config = parse_comparison(json.loads(document))
    return make_context(config, config.model.build(), store.read(Path(folder) / "sites.zarr"))


def calibrate_rows(context: Context, rows: Rows) -> dict[str, Array]:
    """Calibrate sites one by one: unit, cost, edge hits, evaluations."""
    section = context.config.calibration
    settings = SearchSettings(section.optimiser, section.max_evaluations, section.restarts, section.polish, section.starts)
    found = []
    for row in rows:
        objective = context.objective(np.array([row]), section.constraint)
        seed = np.random.SeedSequence(context.config.seed, spawn_key=(40, int(row)))
        found.append(optimum(objective, np.array([0]), settings, seed))
    return {
        "unit": np.array([f.unit for f in found]),
        "cost": np.array([f.cost for f in found]),
        "edge_hit": np.array([f.edge_hit for f in found]).astype(np.int8),
        "evaluations": np.array([f.evaluations for f in found], dtype=np.int64),
    }


def calibrate_block(block: xr.Dataset, folder: str, document: str, mark: str) -> xr.Dataset:
    """One tile of the stage ``calibration``."""
    context = _context(folder, document, mark)
    rows = block["row"].values.astype(np.int64)
    found = calibrate_rows(context, rows)
    dims = {"unit": ("site", "parameter"), "edge_hit": ("site", "parameter")}
    return xr.Dataset({k: (dims.get(k, ("site",)), v) for k, v in found.items()}, coords=block.coords)


def encode(context: Context, rows: Rows) -> tuple[FeatureEncoder, Array]:
    """Features of all sites, encoded with what the training sites `rows` teach, kept within the clip."""
    section = context.config.features
    exclude = (*NEVER_FEATURES, *section.exclude)
    # in the order in which the sources declare them
    names = section.use or usable(map(str, context.features), exclude)
    encoder = FeatureEncoder(features=names, exclude=exclude, max_missing=section.max_missing)
    encoder.fit(context.features.isel(site=rows))
    columns = [context.features[n].values for n in encoder.inputs_]
    x = encoder.encode(columns, encoder.readings(context.features))[0]
    return encoder, np.clip(x, -section.clip, section.clip)


def places_of(context: Context, rows: Rows, x: Array, training: Rows) -> Places:
    """What a method may know of sites: no observation among it."""
    blank = {k: tuple(np.full(v[r].shape, np.nan) for r in rows) for k, v in context.series.observed.items()}
    cycles = context.cycles
    if cycles.shape[1]:
        parts = np.split(cycles, 4, axis=1)
        cycles = np.concatenate([(p - p[training].mean()) / max(p[training].std(), 1e-12) for p in parts], axis=1)
    return Places(
        tuple(context.series.labels[r] for r in rows), x[rows], tuple(context.pft[r] for r in rows),
        tuple(context.climate[r] for r in rows), cycles[rows],
        dataclasses.replace(context.series.select(rows), observed=blank), context.elevation[rows],
        context.aridity[rows],
    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class FoldResult:
    """What one fold gives.

    Parameters
    ----------
    unit : array, shape (method, site, d)
        Parameters every method predicts for every site, those it was trained on among them; NaN for the P-model.
    flagged : int8 array, shape (method, site)
        1 where a method fell back on all sites.
    network : bytes
        SPIE's networks and columns as safetensors; empty without SPIE.
    """

    unit: Array
    flagged: npt.NDArray[np.int8]
    network: bytes


def training_of(context: Context, calibrated: Array, fold: int) -> tuple[FeatureEncoder, Array, Training]:
    """Encoder and encoded features of a fold, and what its methods are trained with."""
    config = context.config
    rows = context.training_rows(fold)
    encoder, x = encode(context, rows)
    network = config.training.model_dump(exclude={"members", "constraint", "start"})
    s = config.search
    training = Training(
        places=places_of(context, rows, x, rows),
        unit=calibrated[rows],
        objective=context.objective(rows, config.calibration.constraint if np.isfinite(config.calibration.constraint) else 1.0),
        seed=np.random.SeedSequence(config.seed, spawn_key=(41, fold)),
        network=NetworkSettings(**network),
        members=config.training.members,
        constraint=config.training.constraint,
        search=SearchSettings(s.optimiser, s.max_evaluations, s.restarts, s.polish, s.starts),
        start=config.training.start,
    )
    return encoder, x, training


def learn_fold(context: Context, calibrated: Array, fold: int) -> FoldResult:
    """Fit every method on the training sites of a fold, predict every site."""
    config = context.config
    rows = context.training_rows(fold)
    encoder, x, training = training_of(context, calibrated, fold)
    everywhere = places_of(context, np.arange(context.n), x, rows)
    unit = np.full((len(config.methods), context.n, calibrated.shape[1]), np.nan)
    flagged = np.zeros(unit.shape[:2], dtype=np.int8)
    saved = b""
    for k, method in enumerate(make_methods(config.methods, p_model=config.p_model.stress)):
        found = method.fit(training).predict(everywhere)
        if found.unit is not None:
            unit[k] = found.unit
        flagged[k] = found.flagged
        if isinstance(method, NetworkThroughModel):
            columns = {"columns": json.dumps(encoder.names_out_), "features": json.dumps(encoder.column_feature_)}
            dropped = {"dropped": json.dumps(encoder.dropped_)}
            saved = dump_tensors({**method.model_.arrays(), "x": x}, columns | dropped)
    return FoldResult(unit, flagged, saved)


def learn_block(block: xr.Dataset, folder: str, document: str, mark: str) -> xr.Dataset:
    """One tile of the stage ``predictions``: a fold. SPIE's networks go to the folder ``networks``."""
    context = _context(folder, document, mark)
    (fold,) = (int(v) for v in block["number"].values)
    calibrated = store.read(Path(folder) / "calibration.zarr")["unit"].load().values.astype(np.float64)
    found = learn_fold(context, calibrated, fold)
    if found.network:
        file = network_file(folder, fold)
        file.parent.mkdir(exist_ok=True)
        part = file.with_name(f".{file.name}.{os.getpid()}.partial")
        part.write_bytes(found.network)
        part.replace(file)
    return xr.Dataset(
        {
            "unit": (("fold", "method", "site", "parameter"), found.unit[None]),
            "flagged": (("fold", "method", "site"), found.flagged[None]),
        },
        coords=block.coords,
    )


def network_file(folder: str | Path, fold: int) -> Path:
    """Where SPIE's networks of a fold lie."""
    return Path(folder) / "networks" / f"fold-{fold:02d}.safetensors"


def unit_where_tested(predicted: Array, fold: Rows) -> Array:
    """Parameters (method, site, d) from the fold in which a site is tested, the mean over the folds for a test-only site.

    NaN for a site pinned to training.
    """
    out = np.full(predicted.shape[1:], np.nan)
    for s, f in enumerate(fold):
        if f >= 0:
            out[:, s] = predicted[f, :, s]
        elif f == -2:
            out[:, s] = predicted[:, :, s].mean(axis=0)
    return out


def score_rows(context: Context, units: Array, rows: Rows) -> dict[str, Array]:
    """Score the reference and every method at sites.

    Parameters
    ----------
    units : array, shape (1 + method, site, d)
        Calibrated parameters first, then those of each method where the site is tested.
    rows : int array
        The sites to score.
    """
    config, m = context.config, units.shape[0]
    names = [CALIBRATED, *config.methods]
    objective = context.objective(rows[:1], 0.0)
    output = next(iter(context.series.observed))
    years = context.years
    shape = (rows.size, len(QUALITIES), m, len(SCALES))
    out = {
        "score": np.full((*shape, 3), np.nan),
        "mean_observed": np.full((rows.size, len(QUALITIES)), np.nan),
        "mean_simulated": np.full((rows.size, len(QUALITIES), m), np.nan),
        "moments": np.zeros((rows.size, len(QUALITIES), years.size, m, len(SCALES), len(MOMENTS))),
    }
    for i, s in enumerate(rows):
        forcing = [x[:, None] for x in context.series.forcing[s]]
        theta = objective.full(units[:, s])
        runnable = np.isfinite(theta).all(axis=0)
        obs = context.series.observed[output][s]
        sim = np.full((obs.size, m), np.nan)
        if runnable.any():
            site = np.repeat(context.series.site[:, [s]], int(runnable.sum()), axis=1)
            (run,), _ = context.model.run(theta[:, runnable], forcing, site if len(site) else None, outputs=(output,))
            sim[:, runnable] = run
        if "P-model" in names and context.fold[s] != -1:
            kernel = PModel(context.config.p_model.stress).with_drivers(context.model.forcing)
            place = places_of(context, np.array([s]), np.zeros((context.n, 0)), np.arange(context.n))
            gpp = kernel.predict(place).gpp
            assert gpp is not None
            sim[:, names.index("P-model")] = gpp[0]
        scored = np.isfinite(sim).any(axis=0)
        for q, quality in enumerate(QUALITIES):
            good = np.isfinite(obs)
            if quality == "tower":
                if context.tower is None:
                    continue
                good &= context.tower[s]
            found = assess_site(context.series.time[s], obs, sim[:, scored], good, years)
            out["score"][i, q, scored] = found.scores
            out["mean_observed"][i, q] = found.mean_observed
            out["mean_simulated"][i, q, scored] = found.mean_simulated
            out["moments"][i, q][:, scored] = found.moments
    return out


SCORE_DIMS = {
    "score": ("site", "quality", "method", "scale", "metric"),
    "mean_observed": ("site", "quality"),
    "mean_simulated": ("site", "quality", "method"),
    "moments": ("site", "quality", "year", "method", "scale", "moment"),
}


def score_block(block: xr.Dataset, folder: str, document: str, mark: str) -> xr.Dataset:
    """One tile of the stage ``scores``."""
    context = _context(folder, document, mark)
    predicted = store.read(Path(folder) / "predictions.zarr")["unit"].load().values.astype(np.float64)
    calibrated = store.read(Path(folder) / "calibration.zarr")["unit"].load().values.astype(np.float64)
    units = np.concatenate([calibrated[None], unit_where_tested(predicted, context.fold)])
    found = score_rows(context, units, block["row"].values.astype(np.int64))
    return xr.Dataset({k: (SCORE_DIMS[k], v) for k, v in found.items()}, coords=block.coords)
