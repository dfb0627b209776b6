"""Run a list of stages into a study folder: what is finished stays, what changed is redone, what was killed goes on."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from gridcal.errors import StudyError
from gridcal.study.folder import SCHEMA, Study
from gridcal.study.provenance import record_of_run
from gridcal.study.safety.own_files import claim_folder, drop_folder
from gridcal.study.safety.place import study_folder
from gridcal.study.stage import Job, Stage, Stale, dependencies, followers, named, participating, stale

log = logging.getLogger("gridcal")


def run_stages(
    job: Job,
    stages: Sequence[Stage],
    path: str | Path,
    *,
    fresh: bool = False,
    until: str | None = None,
    redo_from: str | None = None,
    say: Callable[[str], None] = log.info,
) -> Study:
    """Run, or resume, a job.

    Parameters
    ----------
    job : Job
        What the stages are made from.
    stages : sequence of Stage
        The whole list; those that take part run in its order.
    path : path
        The study folder.
    fresh : bool
        Delete what the study has made first. Other files in its folder stay.
    until : str, optional
        Last stage to run.
    redo_from : str, optional
        Stage to redo, with all that follow from it, finished or not.
    say : callable
        Told, in a line each, what is redone and why.

    Returns
    -------
    Study
        The study.

    Raises
    ------
    ConfigError
        If a stage is named that does not take part, or the study file does not fit the data or the model.
    StudyError
        If a changed key or input would redo a costly stage that was not asked for, the folder is of an older layout, or a
        stage fails.
    """
    # a tile's task carries the tile's data with it, on purpose
    warnings.filterwarnings("ignore", message="Sending large graph")
    place = study_folder(path)
    part = participating(stages, job.config)
    last = len(part) if until is None else part.index(named(until, part)) + 1
    redo = [] if redo_from is None else followers(named(redo_from, part).name, part)
    for stage in part[:last]:
        stage.check(job)
    expected = dependencies(stages, job)
    identity = job.config.identity()
    study = Study(place, config=identity if fresh or not (place / "study.json").exists() else None, fresh=fresh)
    with study.lock:  # a run is one driver from its first stage to its last
        _refuse_older(study, part)
        outdated = stale(part, study, expected)
        _refuse_unasked(study, outdated, redo)
        for found in outdated:
            if found.changed and found.stage not in redo:
                say(f"{'; '.join(found.changed[:4])}: redoing the stage {found.stage.name!r} and what follows from it")
        for stage in reversed(part):
            if stage in redo or any(found.stage is stage for found in outdated):
                drop(study, stage)
        study.adopt(identity)
        job.study = study
        study.record("caveats", job.sources.caveats)
        study.record("provenance", record_of_run(job.config, job.model, job.sources.inputs))
        for number, stage in enumerate(part[:last], 1):
            if not stage.finished(study, expected[stage.name]):
                _make(job, study, stage, expected[stage.name], f"[{number}/{len(part)}] {stage.label}")
    return study


def _make(job: Job, study: Study, stage: Stage, depends_on: Mapping[str, Any], label: str) -> None:
    for name in stage.folders:
        claim_folder(study.path, name)
    made = stage.make(job)
    missing = [name for name in (*stage.makes, *stage.records) if name not in made]
    if missing:
        raise StudyError(f"stage {stage.name!r} did not make {missing[0]!r}", "Let `make` give everything the stage declares")
    for name in stage.makes:
        if not isinstance(made[name], xr.Dataset):
            raise StudyError(f"stage {stage.name!r} made a {type(made[name]).__name__} for {name!r}", "Give a data set")
        study.save(name, made[name], fingerprint=depends_on, label=label)
    for name in stage.records:
        study.record(name, made[name], depends_on=depends_on)


def drop(study: Study, stage: Stage) -> None:
    """Delete what a stage has made, so that it is made again."""
    with study.lock:
        for name in (*stage.records, *stage.makes):
            study.drop(name)
        for name in stage.folders:
            drop_folder(study.path, name)


def _refuse_older(study: Study, part: Sequence[Stage]) -> None:
    """Stop at results that do not say what they were made from."""
    held = study.stages()
    silent = [name for stage in part for name in stage.makes if name in held and study.depends_on(name) is None]
    if silent:
        why = "an older gridcal made it" if study.schema < SCHEMA else "it was saved from Python"
        raise StudyError(
            f"stage {silent[0]!r} of study {str(study.path)!r} does not say what it was made from ({why})",
            "Run into a new folder, or start again with --fresh; status, verify and report still read this one",
        )


def _refuse_unasked(study: Study, outdated: Sequence[Stale], redo: Sequence[Stage]) -> None:
    """Stop before something costly is redone that nobody asked for."""
    unasked = [found for found in outdated if found.stage not in redo]
    if not any(found.stage.costly for found in unasked):
        return
    first = unasked[0]
    rest = [found.stage.name for found in outdated if found is not first]
    raise StudyError(
        f"study {str(study.path)!r} was made from something else; changed: {'; '.join(first.changed[:8])}. This belongs to the "
        f"stage {first.stage.name!r}, which would be redone" + (f", and with it {', '.join(rest)}" if rest else ""),
        f"Ask for it with --from {first.stage.name} (in Python redo_from={first.stage.name!r}), take another folder, or start "
        "again with --fresh",
    )
