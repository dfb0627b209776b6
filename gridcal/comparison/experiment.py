"""The experiment of Bao et al. (2023): calibrate sites, extrapolate their parameters in many ways, score, explain.

Stages of the study: ``sites`` (data and folds), ``calibration``, ``predictions`` (a fold a tile), ``scores``, ``assessment``,
``importance``. A finished stage is not computed again, a killed one resumes at its tiles.
"""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from gridcal.comparison.config import ComparisonConfig
from gridcal.comparison.sources import ComparisonSources, comparison_sources
from gridcal.comparison.summary import assessment, headline, importance
from gridcal.comparison.tiles import (
    CALIBRATED,
    QUALITIES,
    SCORE_DIMS,
    calibrate_block,
    comparison_model,
    learn_block,
    make_context,
    score_block,
)
from gridcal.errors import ConfigError
from gridcal.extrapolation.assessment.site_scores import METRICS, MOMENTS, SCALES
from gridcal.extrapolation.folds.site_folds import (
    class_complete_folds,
    continent,
    feature_cluster_folds,
    near_groups,
    region_folds,
    spatial_block_folds,
)
from gridcal.extrapolation.methods.p_model import DRIVERS as P_MODEL_DRIVERS
from gridcal.extrapolation.methods.p_model import MOISTURE as P_MODEL_MOISTURE
from gridcal.process.model import ProcessModel
from gridcal.study.folder import Study
from gridcal.vocabulary.fingerprint import fingerprint
from gridcal.workflow.headline import record_of_run

Array = npt.NDArray[np.float64]


def run_comparison(config: ComparisonConfig, path: str | Path, *, fresh: bool = False) -> Study:
    """Run, or resume, a comparison.

    Parameters
    ----------
    config : ComparisonConfig
        What to do.
    path : path
        The study folder.
    fresh : bool
        Delete what the folder holds first.

    Returns
    -------
    Study
        With the stages sites, calibration, predictions, scores, assessment and importance, and the records headline,
        provenance and caveats.

    Raises
    ------
    GridcalError
        Before the first task, if data or configuration do not fit.
    """
    warnings.filterwarnings("ignore", message="Sending large graph")
    model = comparison_model(config)
    if fresh and Path(path).exists():
        shutil.rmtree(path)
    study = Study(path, config=config.identity())
    sources = None
    if "sites" not in study.stages(complete=True):
        sources = comparison_sources(config, model)
        _check_methods(config, model, sources)
        folds = site_folds(config, sources)
        data = _sites(sources, folds)
        make_context(config, model, data)  # raises what a later stage would
        study.record("caveats", sources.caveats)
        study.record("provenance", record_of_run(config, model, sources.inputs))
        study.save("sites", data.chunk({"time": -1, "site": -1}), label="sites and folds")
    sites = study.open("sites")
    labels = sites["site"].values
    document = json.dumps(config.model_dump(mode="json"), sort_keys=True)
    folder = str(study.path.resolve())
    names = _searched(config, model)
    mark = {"sites": sites.attrs.get("fingerprint", ""), "config": config.identity()}
    rows = xr.Dataset({"row": ("site", np.arange(labels.size))}, coords={"site": labels})
    _calibrated(study, rows.chunk(site=config.calibration.chunk), names, folder, document, mark)
    n_folds = int(sites["fold_of_site"].values.max()) + 1
    _predicted(study, labels, names, n_folds, config, folder, document, mark)
    _scored(study, rows.chunk(site=config.calibration.chunk), config, sites, folder, document, mark)
    table = assessment(study, config)
    study.save("assessment", table.assign_attrs(fingerprint=fingerprint({"stage": "assessment", **mark})), label="assessing")
    if "SPIE" in config.methods and config.explanation.permutations:
        found = importance(study, config, names, folder)
        study.save(
            "importance", found.assign_attrs(fingerprint=fingerprint({"stage": "importance", **mark})), label="explaining"
        )
    study.record("headline", headline(study, config))
    return study


def _check_methods(config: ComparisonConfig, model: ProcessModel, sources: ComparisonSources) -> None:
    """Raise :class:`ConfigError` for a method that the data or the model cannot serve, before anything has cost."""
    if "P-model" in config.methods:
        stress = config.p_model.stress
        wanted = P_MODEL_DRIVERS if stress == "none" else (*P_MODEL_DRIVERS, P_MODEL_MOISTURE)
        lacking = [n for n in wanted if n not in model.forcing]
        if lacking or next(iter(sources.observed)) != "gpp":
            what = f"{lacking[0]!r}, which model {model.name!r} does not read" if lacking else "'gpp' as the first observation"
            raise ConfigError(f"the P-model needs {what}", "Leave it out of methods")
        if stress == "mengoli" and "p_over_pet" not in sources.data:
            raise ConfigError(
                "the stress 'mengoli' of the P-model needs the feature 'p_over_pet'", "Use p_model: {stress: stocker}"
            )
    if "Sitesim" in config.methods and "cycles" not in sources.data:
        raise ConfigError("Sitesim needs seasonal cycles of drivers, 'cycles' (site, cycle)", "Leave it out of methods")


def _searched(config: ComparisonConfig, model: ProcessModel) -> list[str]:
    names = config.objective.fit or [p.name for p in model.parameters if not p.inert]
    for name in names:
        model.parameters[name]
    return list(names)


def site_folds(config: ComparisonConfig, sources: ComparisonSources) -> npt.NDArray[np.int64]:
    """Fold of each site: the one it is tested in, -1 pinned to training, -2 test only.

    Raises
    ------
    ConfigError
        If a test-only site is unknown.
    """
    data = sources.data
    labels = [str(s) for s in data["site"].values]
    stray = [s for s in config.test_sites if s not in labels]
    if stray:
        raise ConfigError(f"test_sites names {stray[0]!r}, which is not among the sites", f"Sites: {', '.join(labels)}")
    only = np.isin(labels, [*config.test_sites, *sources.test_only])
    section = config.folds
    rows = np.flatnonzero(~only)
    lat, lon = data["lat"].values[rows].astype(float), data["lon"].values[rows].astype(float)
    groups = near_groups(lat, lon, section.min_km)
    if section.kind == "class-complete":
        of = data[section.climate] if section.climate in data.coords else data["climate"]
        classes = [data["pft"].values[rows], of.values[rows]]
        found = class_complete_folds(classes, section.n, seed=config.seed, groups=groups, singletons=section.singletons)
    elif section.kind == "spatial-block":
        found = spatial_block_folds(lat, lon, section.n, seed=config.seed, size=section.size, groups=groups)
    elif section.kind == "region":
        regions = data["region"].values[rows] if "region" in data.coords else continent(lat, lon)
        found = region_folds(list(regions))
    else:
        names = [n for n in sources.features if data[n].dtype.kind == "f"]
        x = np.stack([data[n].values[rows].astype(float) for n in names], axis=1)
        found = feature_cluster_folds(x, section.n, seed=config.seed, groups=groups)
    out = np.full(only.size, -2, dtype=np.int64)
    out[rows] = found
    return out


def _sites(sources: ComparisonSources, folds: npt.NDArray[np.int64]) -> xr.Dataset:
    """The stage ``sites``: data, folds, and the names of features and observations."""
    data = sources.data.assign(fold_of_site=("site", folds))
    data["fold_of_site"].attrs = {"long_name": "fold a site is tested in; -1 pinned to training, -2 test only", "units": "1"}
    data.attrs = {
        "features": " ".join(sources.features),
        "observed": json.dumps(sources.observed),
        "uncertainty": sources.uncertainty or "",
        "fingerprint": fingerprint({"data": sources.data.attrs.get("fingerprint", ""), "folds": folds.tolist()}),
    }
    return data


def _lazy(block: Any, rows: xr.Dataset, variables: dict[str, tuple[tuple[str, ...], Any]], sizes: dict[str, Any],
          folder: str, document: str) -> xr.Dataset:  # fmt: skip
    """A data set whose tiles a block function makes, one chunk of the first dimension each."""
    (dim,) = rows.dims
    chunks = {str(dim): rows.chunksizes[dim]}
    template = xr.Dataset(coords=rows.coords)
    for name, (dims, kind) in variables.items():
        shape = tuple(rows.sizes[d] if d == dim else sizes[d] for d in dims)
        parts = tuple(chunks.get(d, (n,)) for d, n in zip(dims, shape, strict=True))
        template[name] = (dims, da.zeros(shape, chunks=parts, dtype=kind))
    return xr.map_blocks(block, rows, kwargs={"folder": folder, "document": document}, template=template)


def _calibrated(study: Study, rows: xr.Dataset, names: list[str], folder: str, document: str, mark: dict[str, Any]) -> None:
    variables = {
        "unit": (("site", "parameter"), np.float64), "cost": (("site",), np.float64),
        "edge_hit": (("site", "parameter"), np.int8), "evaluations": (("site",), np.int64),
    }  # fmt: skip
    lazy = _lazy(calibrate_block, rows, variables, {"parameter": len(names)}, folder, document)
    lazy = lazy.assign_coords(parameter=names).assign_attrs(stage="calibrate")
    study.save("calibration", lazy, fingerprint={"stage": "calibration", **mark}, label="calibrating sites")


def _predicted(
    study: Study, labels: Any, names: list[str], n_folds: int, config: ComparisonConfig, folder: str, document: str,
    mark: dict[str, Any],
) -> None:  # fmt: skip
    folds = xr.Dataset({"number": ("fold", np.arange(n_folds))}, coords={"fold": np.arange(n_folds)}).chunk(fold=1)
    sizes = {"method": len(config.methods), "site": labels.size, "parameter": len(names)}
    variables = {
        "unit": (("fold", "method", "site", "parameter"), np.float64),
        "flagged": (("fold", "method", "site"), np.int8),
    }
    lazy = _lazy(learn_block, folds, variables, sizes, folder, document)
    lazy = lazy.assign_coords(method=list(config.methods), site=labels, parameter=names).assign_attrs(stage="learn")
    # a fold is a tile: all its sites in one chunk
    lazy = lazy.chunk({"site": -1})
    study.save("predictions", lazy, fingerprint={"stage": "predictions", **mark}, label="learning in folds")


def _scored(
    study: Study,
    rows: xr.Dataset,
    config: ComparisonConfig,
    sites: xr.Dataset,
    folder: str,
    document: str,
    mark: dict[str, Any],
) -> None:
    time = pd.DatetimeIndex(sites.indexes["time"]).year
    years = np.arange(time.min(), time.max() + 1)
    coords: dict[str, Any] = {
        "quality": list(QUALITIES), "method": [CALIBRATED, *config.methods], "scale": list(SCALES), "metric": list(METRICS),
        "moment": list(MOMENTS), "year": years,
    }  # fmt: skip
    variables: dict[str, Any] = {name: (dims, np.float64) for name, dims in SCORE_DIMS.items()}
    lazy = _lazy(score_block, rows, variables, {k: len(v) for k, v in coords.items()}, folder, document)
    lazy = lazy.assign_coords(coords).assign_attrs(stage="score")
    study.save("scores", lazy, fingerprint={"stage": "scores", **mark}, label="scoring sites")
