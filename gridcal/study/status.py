"""How far a study is, stage by stage of its list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gridcal.study.folder import Study
from gridcal.study.stage import Stage


def status_rows(study: Study, stages: Sequence[Stage]) -> list[dict[str, Any]]:
    """A row for each data set of each stage, in the order of the list; then what a study holds beside it.

    Parameters
    ----------
    study : Study
        The study.
    stages : sequence of Stage
        The job's list.

    Returns
    -------
    list of dict
        ``stage``, ``name`` of the data set, ``done`` and ``total`` tiles (None where they are not known yet), ``complete``,
        ``seconds``, ``peak_bytes``, ``status_counts`` and ``failures``, as :meth:`gridcal.Study.status` gives them.
    """
    held = study.status()
    nothing: dict[str, Any] = {
        "done": 0, "total": None, "complete": False, "seconds": 0.0, "peak_bytes": 0, "status_counts": {}, "failures": {}
    }  # fmt: skip
    rows = []
    for stage in stages:
        rows += [{"stage": stage.name, "name": name, **held.pop(name, nothing)} for name in stage.makes]
        for name in stage.records:
            there = study.read_record(name) is not None
            rows.append({"stage": stage.name, "name": f"{name} (record)", **nothing, "complete": there})
    return rows + [{"stage": "", "name": name, **row} for name, row in held.items()]
