"""The whole job: screen, calibrate at samples, learn from features, predict the map, run it, score it, report it.

Every stage goes into the study folder; a finished stage is not computed again, a killed one resumes at its tiles.
"""

from __future__ import annotations

import logging
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gridcal.calibration import CMAES, MASM, AdaptiveMCMC, calibrate
from gridcal.calibration.status import Status
from gridcal.calibration.target import Block, Target
from gridcal.cube import Cube
from gridcal.cube.calendar import with_calendar
from gridcal.errors import ConfigError, InputError
from gridcal.evaluation.scores import evaluate, period_mask
from gridcal.extrapolation import Extrapolator, quality_screen
from gridcal.extrapolation.learners.regressors import make_regressor
from gridcal.process.model import ProcessModel
from gridcal.screening import Morris, recommend, screen
from gridcal.simulation.over_cube import simulate
from gridcal.study.folder import Study
from gridcal.vocabulary.fingerprint import fingerprint
from gridcal.vocabulary.periods import aggregate, scale_name
from gridcal.workflow.config import CalibrationSection, ScreeningSection, StudyConfig, TargetSection
from gridcal.workflow.headline import headline_of_sites, headline_of_twin, provenance
from gridcal.workflow.sources import Sources, build_model, build_sources, sample_labels

log = logging.getLogger("gridcal")

MINIMUM_TRAINING = 8


def build_blocks(section: CalibrationSection) -> tuple[Block, ...]:
    """The blocks of a study file."""
    return tuple(Block(tuple(b.fit), _targets(b.to), b.constraint, b.carry, b.edc) for b in section.blocks)


def _targets(section: TargetSection | list[TargetSection]) -> Target | tuple[Target, ...]:
    if isinstance(section, TargetSection):
        return Target(**section.model_dump())
    return tuple(Target(**t.model_dump()) for t in section)


def build_method(section: CalibrationSection) -> Any:
    """The calibration method of a study file."""
    kinds = {"masm": MASM, "mcmc": AdaptiveMCMC, "cmaes": CMAES}
    options = section.options
    if section.method == "auto":
        if options:
            raise ConfigError("calibration.options are given, but the method is 'auto'", "Remove them, or name a method")
        return "auto"
    try:
        return kinds[section.method](**options)
    except TypeError as error:
        raise ConfigError(f"calibration.options of {section.method!r}: {error}", "Remove or rename the option") from error


def run_study(config: StudyConfig, path: str | Path, *, fresh: bool = False) -> Study:
    """Run, or resume, a study.

    Parameters
    ----------
    config : StudyConfig
        What to do.
    path : path
        The study folder.
    fresh : bool
        Delete what the folder holds first.

    Returns
    -------
    Study
        With the stages samples, posterior, skill, learner_skill, importance, parameters, fluxes, for a twin also truth, with
        a section `screening` also screening, and the records headline, provenance and caveats.

    Raises
    ------
    GridcalError
        Before the first task, if data or configuration do not fit.
    """
    model = build_model(config)
    blocks = build_blocks(config.calibration)
    method = build_method(config.calibration)
    for block in blocks:
        block.check(model)
    # a tile's task carries the tile's data with it, on purpose
    warnings.filterwarnings("ignore", message="Sending large graph")
    sources = build_sources(config, model)
    samples = sources.samples
    lazy = calibrate(samples, model, blocks, method, seed=config.seed, period=sources.period, chunk=config.calibration.chunk)
    effects = build_screening(config, model, sources) if config.screening is not None else None
    _check_later_stages(config, model, sources)
    study = _started(config, model, sources, path, fresh)
    if effects is not None:
        _screened(study, config, effects)
    if sources.truth is not None:
        study.save("truth", sources.truth, label="planted parameters")
    posterior = study.save("posterior", lazy, label="calibrating pixels")
    learner, training = _learn(study, config, model, posterior, sources)
    theta = study.save("parameters", learner.predict(sources.grid.features), label="predicting parameters")
    fluxes = _fluxes(config, model, sources.grid, theta)
    study.save("fluxes", fluxes, label="running the map")
    extrapolated = _extrapolated(learner, training, samples)
    skill = _skill(config, model, blocks, sources, posterior, extrapolated)
    study.save("skill", skill, label="scoring")
    if sources.truth is not None:
        headline = headline_of_twin(study, model, sources, blocks)
    else:
        headline = headline_of_sites(study, sources, blocks)
    study.record("headline", headline)
    return study


def screen_study(config: StudyConfig, path: str | Path, *, fresh: bool = False) -> Study:
    """Screen the parameters of a study's model, or go on with it; `run_study` goes on from there.

    Parameters
    ----------
    config : StudyConfig
        What to do; without its section ``screening`` the defaults of that section.
    path : path
        The study folder.
    fresh : bool
        Delete what the folder holds first.

    Returns
    -------
    Study
        With the stages samples and screening, and the record recommendation.

    Raises
    ------
    GridcalError
        Before the first task, if data or configuration do not fit.
    """
    model = build_model(config)
    warnings.filterwarnings("ignore", message="Sending large graph")
    sources = build_sources(config, model)
    effects = build_screening(config, model, sources)
    study = _started(config, model, sources, path, fresh)
    _screened(study, config, effects)
    return study


def build_screening(config: StudyConfig, model: ProcessModel, sources: Sources) -> xr.Dataset:
    """The lazy screening of a study file; the seed is the study's."""
    section = config.screening or ScreeningSection()
    named = None if section.parameters is None else tuple(section.parameters)
    method = Morris(
        section.trajectories, section.levels, config.seed, named, section.scale,
        section.functional, section.pool, section.resample, section.confidence,
    )  # fmt: skip
    targets = [Target(**t.model_dump()) for t in section.targets or ()]
    if not targets:  # the calibration's, each output and time scale once
        targets = list({(t.variable, t.every): t for b in build_blocks(config.calibration) for t in b.targets}.values())
    return screen(
        sources.samples,
        model,
        method,
        targets=targets,
        period=section.period or sources.period,
        dead=section.dead,
        chunk=section.chunk,
    )


def _started(config: StudyConfig, model: ProcessModel, sources: Sources, path: str | Path, fresh: bool) -> Study:
    """The study folder with its records and its samples."""
    if fresh and Path(path).exists():
        shutil.rmtree(path)
    study = Study(path, config=config.identity())
    study.record("caveats", sources.caveats)
    study.record("provenance", provenance(config, model, sources.inputs))
    study.save("samples", _static(sources.samples), label="sample pixels")
    return study


def _screened(study: Study, config: StudyConfig, effects: xr.Dataset) -> None:
    """Screen, and put on record which parameters are worth calibrating."""
    found = study.save("screening", effects, label="screening parameters").load()
    advice = recommend(found, (config.screening or ScreeningSection()).threshold)
    table = advice.table
    ranked = {
        str(t): [
            {
                "parameter": str(table["parameter"].values[j]),
                **{str(n): table[n].values[i, j].item() for n in table.data_vars},
            }
            for j in np.argsort(table["rank"].values[i], kind="stable")
        ]
        for i, t in enumerate(table["target"].values)
    }
    document = {"threshold": advice.threshold, "kept": advice.kept, "warnings": list(advice.warnings), "ranked": ranked}
    study.record("recommendation", document)


def _check_later_stages(config: StudyConfig, model: ProcessModel, sources: Sources) -> None:
    """Raise what a later stage would raise, before the first one has cost anything."""
    make_regressor(config.learn.method, config.seed, config.learn.options)
    for cube, where in ((sources.samples, "samples"), (sources.grid, "grid")):
        known = [str(name) for name in cube.features.data_vars]
        for name in config.learn.features or ():
            if name not in known:
                raise ConfigError(f"learn.features: the {where} have no {name!r}", f"They have: {', '.join(known)}")
    with_calendar(sources.grid, model.forcing).require(model.forcing)
    sources.grid.require_daily()
    for scale in config.evaluate.scales:
        scale_name(scale)
    time = pd.DatetimeIndex(sources.samples.data["time"].to_index())
    for name, span in (config.evaluate.periods or sources.periods or {}).items():
        period_mask(name, span, time, sources.samples.data)


def _static(cube: Cube) -> xr.Dataset:
    """Features and coordinates of the samples."""
    features = cube.features.compute()
    dim = cube.space_dims[0]
    coords = {c: cube.data[c] for c in cube.data.coords if cube.data[c].dims == (dim,)}
    return features.assign_coords(coords)


def _learn(
    study: Study, config: StudyConfig, model: ProcessModel, posterior: xr.Dataset, sources: Sources
) -> tuple[Extrapolator, np.ndarray]:
    """Fit the learner on the samples that pass the screen, or load it if it was fitted on the same data."""
    section = config.learn
    accepted = [int(Status[name]) for name in section.accept]
    keep = quality_screen(posterior, diso=section.diso, rhat=section.rhat, status=accepted)
    labels = sample_labels(sources.samples)
    training = keep.values & ~np.isin(labels, sources.held_out)
    screened = {k: v for k, v in keep.attrs.items() if isinstance(v, int | float | str)}
    study.record("screen", {"training": int(training.sum()), "samples": int(labels.size), **screened})
    if training.sum() < MINIMUM_TRAINING:
        refused = ", ".join(f"{k.removeprefix('refused_')} {v}" for k, v in screened.items() if k.startswith("refused_"))
        raise InputError(
            f"the quality screen leaves {int(training.sum())} of {labels.size} samples to learn from (refused by {refused})",
            "Loosen learn.diso, learn.rhat or learn.accept, calibrate more samples, or hold out fewer",
        )
    fitted = [n for block in build_blocks(config.calibration) for n in block.fit]
    key = fingerprint(
        {
            "posterior": posterior.attrs.get("fingerprint", ""),
            "training": training.tolist(),
            "learn": section.model_dump(mode="json"),
        }
    )
    folder = study.path / "learner"
    if (study.read_record("learner") or {}).get("fingerprint") == key and folder.exists():
        learner = Extrapolator.load(folder)
    else:
        dim = sources.samples.space_dims[0]
        learner = Extrapolator(
            section.method, features=section.features, n_folds=section.folds, seed=config.seed, **section.options
        )
        learner.fit(
            posterior[list(model.parameters.names)].isel({dim: training}),
            sources.samples.features.isel({dim: training}).compute(),
            model.parameters,
        )
        learner.save(folder)
        study.record("learner", {"fingerprint": key, "method": section.method, "fitted": fitted})
    study.save("learner_skill", learner.skill_.assign_attrs(fingerprint=key), label="learning")
    study.save("importance", learner.importance_.assign_attrs(fingerprint=key), label="importance")
    return learner, training


def _fluxes(config: StudyConfig, model: ProcessModel, grid: Cube, theta: xr.Dataset) -> xr.Dataset:
    names = list(model.parameters.names)
    lazy = simulate(grid, model, theta[names])
    if config.map.every != "daily":
        lazy = xr.Dataset({n: aggregate(lazy[n], config.map.every) for n in lazy.data_vars}, attrs=lazy.attrs)
    lazy.attrs["fingerprint"] = fingerprint({"parameters": theta.attrs.get("fingerprint", ""), "every": config.map.every})
    return lazy


def _extrapolated(learner: Extrapolator, training: np.ndarray, samples: Cube) -> xr.Dataset:
    """Parameters learnt without the sample itself: out-of-fold where it was trained on, plain prediction elsewhere."""
    dim = samples.space_dims[0]
    plain = learner.predict(samples.features.compute(), applicability=False).compute()
    out = xr.Dataset()
    for name in learner.cv_.data_vars:
        values = plain[name].values.astype(float).copy()
        values[training] = learner.cv_[name].values
        out[name] = ((dim,), values)
    return out.assign_coords({dim: samples.data[dim]})


def _skill(
    config: StudyConfig,
    model: ProcessModel,
    blocks: tuple[Block, ...],
    sources: Sources,
    posterior: xr.Dataset,
    extrapolated: xr.Dataset,
) -> xr.Dataset:
    """Scores of the default, the calibrated and the extrapolated run at the samples."""
    samples = sources.samples
    pairs = {t.variable: str(t.against) for b in blocks for t in b.targets}
    calibrated = posterior[list(model.parameters.names)]
    runs = {"default": None, "calibrated": calibrated, "extrapolated": extrapolated}
    section = config.evaluate
    found = []
    for theta in runs.values():
        simulated = simulate(samples, model, theta)
        found.append(
            evaluate(
                simulated,
                samples.data,
                variables=pairs,
                scales=section.scales,
                periods=section.periods or sources.periods,
                diso_variant=section.diso_variant,
            )
        )
    skill = xr.concat(found, dim=xr.DataArray(list(runs), dims="run", name="run"), coords="minimal", compat="override")
    skill.attrs["fingerprint"] = fingerprint(
        {
            "posterior": posterior.attrs.get("fingerprint", ""),
            "extrapolated": {n: extrapolated[n].values.tolist() for n in extrapolated.data_vars},
            "evaluate": section.model_dump(mode="json"),
        }
    )
    return skill
