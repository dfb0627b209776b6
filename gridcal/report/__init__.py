"""One self-contained HTML page about a study, its sections given by the job's list of stages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gridcal.errors import StudyError
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

    Raises
    ------
    StudyError
        If the file would be written over one that is no page, there is no folder for it, or records of the study are damaged.
    """
    target = Path(path) if path is not None else study.path / "report.html"
    _check_target(target)
    wanted = [figures for stage in stages for figures in stage.figures]
    made = []
    with progress(len(wanted) + 1, "writing the report") as step, read_once():
        for figures in wanted:
            html = figures.draw(study)
            if html:
                made.append((figures.anchor, figures.heading, html))
            step(1)
        html = _page_of(study, made, title)
        part = target.with_name(f".{target.name}.partial")
        part.write_text(html, encoding="utf-8")
        part.replace(target)
        step(1)
    return target


def _check_target(target: Path) -> None:
    if not target.parent.is_dir():
        raise StudyError(f"there is no folder {str(target.parent)!r} for the report", "Make it, or give another file")
    if target.is_dir():
        raise StudyError(f"{str(target)!r} is a folder", "Give a file for the report, e.g. report.html in it")
    if target.exists() and not _start(target).startswith((b"<!doctype", b"<html")):
        raise StudyError(f"{str(target)!r} is no report and would be written over", "Give another file, e.g. report.html")


def _start(file: Path) -> bytes:
    with open(file, "rb") as opened:
        return opened.read(9).lower()


def _page_of(study: Study, made: list[tuple[str, str, str]], title: str | None) -> str:
    """The page, from the sections and from what the study has on record."""
    record = study.read_record("provenance") or {}
    try:
        sections = [*made, ("provenance", "Provenance", provenance(record, study.read_record("caveats")))]
        heading = title or record.get("title") or f"Study {study.path.name}"
        lead = "A gridcal study"
        if record:
            lead = f"Model {record['model']['name']}, seed {record['seed']}, made on {record['created']}"
        top = cards(study.read_record("headline") or {})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        why = f"{type(error).__name__}: {error}"
        raise StudyError(f"the records of study {str(study.path)!r} are damaged ({why})", "Run the study again") from error
    return page(str(heading), lead, top, sections, f"Written by gridcal {__version__}")
