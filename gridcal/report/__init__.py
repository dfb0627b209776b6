"""One self-contained HTML page about a study, its sections given by the job's list of stages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gridcal.report.page import cards, page
from gridcal.report.provenance import provenance
from gridcal.study.folder import Study
from gridcal.study.progress import progress
from gridcal.study.stage import Stage, read_once
from gridcal.version import __version__

__all__ = ["write_page"]


def write_page(study: Study, stages: Sequence[Stage], path: str | Path | None = None, *, title: str | None = None) -> Path:
    """Write the report of a study.

    Parameters
    ----------
    study : Study
        The study; every section of the list is written from what it holds, and what is absent is said.
    stages : sequence of Stage
        The list whose figures are drawn, in its order.
    path : path, optional
        The file; ``report.html`` in the study folder without it.
    title : str, optional
        Heading; the study's title without it.

    Returns
    -------
    Path
        The file written. It needs no network and refers to nothing outside.
    """
    record = study.read_record("provenance") or {}
    target = Path(path) if path is not None else study.path / "report.html"
    wanted = [figures for stage in stages for figures in stage.figures]
    made = []
    with progress(len(wanted) + 1, "writing the report") as step, read_once():
        for figures in wanted:
            html = figures.draw(study)
            if html:
                made.append((figures.anchor, figures.heading, html))
            step(1)
        made.append(("provenance", "Provenance", provenance(record, study.read_record("caveats"))))
        heading = title or record.get("title") or f"Study {study.path.name}"
        lead = "A gridcal study"
        if record:
            lead = f"Model {record['model']['name']}, seed {record['seed']}, made on {record['created']}"
        html = page(str(heading), lead, cards(study.read_record("headline") or {}), made, f"Written by gridcal {__version__}")
        part = target.with_name(f".{target.name}.partial")
        part.write_text(html, encoding="utf-8")
        part.replace(target)
        step(1)
    return target
