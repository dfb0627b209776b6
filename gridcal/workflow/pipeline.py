"""The two-step study: its list of stages, run into a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from gridcal.study.folder import Study
from gridcal.study.pipeline import log, run_stages
from gridcal.study.stage import Stage
from gridcal.workflow.config import ScreeningSection, StudyConfig
from gridcal.workflow.stages import STAGES
from gridcal.workflow.study_job import StudyJob


def run_study(
    config: StudyConfig,
    path: str | Path,
    *,
    fresh: bool = False,
    until: str | None = None,
    redo_from: str | None = None,
    stages: Sequence[Stage] = STAGES,
    say: Callable[[str], None] = log.info,
) -> Study:
    """Run, or resume, a study.

    Parameters
    ----------
    config : StudyConfig
        What to do.
    path : path
        The study folder.
    fresh : bool
        Delete what the study has made first. Other files in its folder stay.
    until : str, optional
        Last stage to run.
    redo_from : str, optional
        Stage to redo, with all that follow from it, finished or not.
    stages : sequence of Stage
        The list; a stage of your own goes where it belongs.
    say : callable
        Told, in a line each, what is redone and why.

    Returns
    -------
    Study
        With the data sets samples, posterior, learner_skill, importance, parameters, fluxes, skill, for a twin also truth, with
        a section `screening` also screening, and the records headline, provenance and caveats.

    Raises
    ------
    GridcalError
        Before the first task, if data or configuration do not fit, or something costly would be redone unasked.
    """
    return run_stages(StudyJob(config), stages, path, fresh=fresh, until=until, redo_from=redo_from, say=say)


def screen_study(config: StudyConfig, path: str | Path, *, fresh: bool = False) -> Study:
    """Screen the parameters of a study's model, or go on with it; :func:`run_study` goes on from there.

    Parameters
    ----------
    config : StudyConfig
        What to do; without its section ``screening`` the defaults of that section.
    path : path
        The study folder.
    fresh : bool
        Delete what the study has made first. Other files in its folder stay.

    Returns
    -------
    Study
        With the data sets samples and screening, and the record recommendation.

    Raises
    ------
    GridcalError
        Before the first task, if data or configuration do not fit.
    """
    asked = config if config.screening is not None else config.model_copy(update={"screening": ScreeningSection()})
    return run_study(asked, path, fresh=fresh, until="recommendation")
