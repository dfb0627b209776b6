"""The kinds of job that gridcal knows: how a study file is read, which list of stages it runs, what is done with a folder."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from gridcal.comparison.comparison_job import ComparisonJob
from gridcal.comparison.config import parse_comparison
from gridcal.comparison.experiment import run_comparison
from gridcal.comparison.stages import STAGES as COMPARISON
from gridcal.errors import GridcalError, StudyError
from gridcal.report import write_page
from gridcal.study.cluster import connect
from gridcal.study.folder import Study
from gridcal.study.plan import PlannedStage, plan_stages
from gridcal.study.provenance import recorded_study_file
from gridcal.study.safety.place import study_folder
from gridcal.study.stage import Job, Stage, check_list, participating
from gridcal.study.status import status_rows
from gridcal.study.study_file import read_document
from gridcal.workflow.config import parse_config
from gridcal.workflow.pipeline import run_study
from gridcal.workflow.stages import STAGES as TWO_STEP
from gridcal.workflow.study_job import StudyJob

GROUP = "gridcal.stages"
"""Entry point group of stages from other packages; each is a :class:`~gridcal.study.stage.Stage`, appended to the list."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of job.

    Parameters
    ----------
    name : str
        What the key ``kind`` of its study file says; ``study`` where there is none.
    parse : callable
        ``parse(document, origin)``: the checked study file.
    job : callable
        ``job(config)``: what the stages are made from.
    run : callable
        Runs it into a folder, as :func:`gridcal.workflow.pipeline.run_study`.
    stages : tuple of Stage
        Its list.
    """

    name: str
    parse: Callable[..., Any]
    job: Callable[[Any], Job]
    run: Callable[..., Study]
    stages: tuple[Stage, ...]

    def list_of_stages(self) -> tuple[Stage, ...]:
        """The list, with the stages of other packages behind it."""
        if self.name != "study":
            return self.stages
        found = (*self.stages, *(entry.load() for entry in entry_points(group=GROUP)))
        check_list(found)
        return found


KINDS = (
    Kind("study", parse_config, StudyJob, run_study, TWO_STEP),
    Kind("compare", parse_comparison, ComparisonJob, run_comparison, COMPARISON),
)


def kind_of(document: dict[str, Any]) -> Kind:
    """The kind of job a study file describes."""
    name = document.get("kind", "study")
    return next((kind for kind in KINDS if kind.name == name), KINDS[0])


def load(path: str | Path) -> tuple[Kind, Any]:
    """Kind and checked configuration of a study file of any kind.

    Raises
    ------
    ConfigError
        If the file cannot be read, a key is unknown or a value impossible.
    """
    document = read_document(path)
    kind = kind_of(document)
    return kind, kind.parse(document, str(path))


def resumed(folder: str | Path, *, compute: bool = True) -> tuple[Kind, Any]:
    """Kind and configuration of a study that was started.

    Parameters
    ----------
    folder : path
        The study folder.
    compute : bool
        Take from its record where the work runs; the default without it.

    Raises
    ------
    StudyError
        If the folder holds none.
    ConfigError
        If its record would be refused as a study file.
    """
    place = study_folder(folder)
    document = recorded_study_file(Study(place)) if (place / "study.json").is_file() else None
    if document is None:
        raise StudyError(f"{str(place)!r} is not a study that was started", "Start it with: gridcal run STUDY.yml")
    kind = kind_of(document)
    if not compute:
        document.pop("compute", None)
    return kind, kind.parse(document, str(place))


def stages_of(study: Study) -> list[Stage]:
    """Stages of the job that a study folder belongs to: those that take part in it, and those whose results it holds."""
    kind = kind_of(study.config)
    every = kind.list_of_stages()
    part = [stage for stage in every if not stage.optional]
    with contextlib.suppress(GridcalError):  # a study file that this version would refuse can still be looked at
        document = recorded_study_file(study)
        if document is not None:
            document.pop("compute", None)
            part = participating(every, kind.parse(document, str(study.path)))
    held = study.stages()
    return [stage for stage in every if stage in part or any(name in held for name in stage.makes)]


def plan(
    path: str | Path, workers: int | None = None, tell: Callable[[str], None] = lambda label: None
) -> tuple[str, list[PlannedStage], int]:
    """What a study file would take, by making a few tiles of each stage on one worker of this machine.

    Parameters
    ----------
    path : path
        The study file.
    workers : int, optional
        Worker processes; those of the study file without it.
    tell : callable
        Told what is measured.

    Returns
    -------
    title : str
        Of the study.
    stages : list of PlannedStage
        In order.
    workers : int
        Worker processes.

    Raises
    ------
    GridcalError
        If data or configuration do not fit, as running would.
    """
    kind, config = load(path)
    alone = config.compute.cluster == "none"
    count = 1 if alone else workers or config.compute.workers
    with connect("none" if alone else "local", workers=1):
        return config.title, plan_stages(kind.job(config), kind.list_of_stages(), count, tell), count


def status(study: Study, stages: Sequence[Stage] | None = None) -> list[dict[str, Any]]:
    """How far a study is; see :func:`gridcal.study.status.status_rows`. The list is that of its job without `stages`."""
    return status_rows(study, stages_of(study) if stages is None else stages)


def write_report(
    study: Study, path: str | Path | None = None, *, title: str | None = None, stages: Sequence[Stage] | None = None
) -> Path:
    """Write the report of a study.

    Parameters
    ----------
    study : Study
        The study; sections are written for what it holds, and what is absent is said.
    path : path, optional
        The file; ``report.html`` in the study folder without it.
    title : str, optional
        Heading; the study's title without it.
    stages : sequence of Stage, optional
        The list whose sections are written; that of the study's job without it.

    Returns
    -------
    Path
        The file written. It needs no network and refers to nothing outside.
    """
    return write_page(study, stages_of(study) if stages is None else stages, path, title=title)
