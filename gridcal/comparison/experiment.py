"""The experiment of Bao et al. (2023): calibrate sites, extrapolate their parameters in many ways, score, explain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from gridcal.comparison.comparison_job import ComparisonJob
from gridcal.comparison.config import ComparisonConfig
from gridcal.comparison.stages import STAGES
from gridcal.study.folder import Study
from gridcal.study.pipeline import log, run_stages
from gridcal.study.stage import Stage


def run_comparison(
    config: ComparisonConfig,
    path: str | Path,
    *,
    fresh: bool = False,
    until: str | None = None,
    redo_from: str | None = None,
    stages: Sequence[Stage] = STAGES,
    say: Callable[[str], None] = log.info,
) -> Study:
    """Run, or resume, a comparison.

    Parameters
    ----------
    config : ComparisonConfig
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
        The list.
    say : callable
        Told, in a line each, what is redone and why.

    Returns
    -------
    Study
        With the stages sites, calibration, predictions, scores, assessment and importance, and the records headline,
        provenance and caveats.

    Raises
    ------
    GridcalError
        Before the first task, if data or configuration do not fit, or something costly would be redone unasked.
    """
    return run_stages(ComparisonJob(config), stages, path, fresh=fresh, until=until, redo_from=redo_from, say=say)
