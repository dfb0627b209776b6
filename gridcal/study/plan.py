"""What a job will take before it runs: tiles, bytes, time and memory, stage by stage."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from gridcal.study.measuring import timed
from gridcal.study.stage import Estimate, Job, Stage, dependencies, participating


@dataclasses.dataclass(frozen=True)
class PlannedStage:
    """A stage of a plan.

    Parameters
    ----------
    name, label : str
        The stage.
    tiles, nbytes : int
        Pieces, and bytes before compression.
    seconds : float
        Expected time from start to end, with the workers of the plan.
    peak_bytes : int
        Most memory of a worker process until then.
    measured : bool
        False for a stage that does not say what it takes, which is next to nothing.
    """

    name: str
    label: str
    tiles: int
    nbytes: int
    seconds: float
    peak_bytes: int
    measured: bool = True


def plan_stages(
    job: Job, stages: Sequence[Stage], workers: int, tell: Callable[[str], None] = lambda label: None
) -> list[PlannedStage]:
    """Estimate every stage that takes part, by making a few tiles of each on the active cluster, or in this process.

    Parameters
    ----------
    job : Job
        The job; no folder is touched.
    stages : sequence of Stage
        The list.
    workers : int
        Worker processes that share the tiles.
    tell : callable
        Told which stage is measured.

    Returns
    -------
    list of PlannedStage
        In order, after what comes before the first.

    Raises
    ------
    GridcalError
        If data or configuration do not fit, as running would.
    """
    part = participating(stages, job.config)
    _, opening = timed(_checked, job, stages, part)
    rows = [PlannedStage("", "opening and checking the data", 0, 0, opening, 0)]
    peak = 0
    for stage in part:
        tell(stage.label)
        found = Estimate(len(stage.makes), 0, 0.0) if stage.estimate is None else stage.estimate(job)
        parallel = max(min(workers, found.tiles), 1)
        seconds = max(found.seconds / parallel, 0.0) + found.serial
        peak = max(peak, found.peak_bytes)
        measured = stage.estimate is not None
        rows.append(PlannedStage(stage.name, stage.label, found.tiles, found.nbytes, seconds, peak, measured))
    return rows


def _checked(job: Job, stages: Sequence[Stage], part: Sequence[Stage]) -> None:
    for stage in part:
        stage.check(job)
    dependencies(stages, job)
