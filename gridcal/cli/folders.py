"""Commands on the folder of a study: how far it is, whether it is whole, its report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridcal.cli.printing import one_line

FolderArgument = Annotated[Path, typer.Argument(help="The study folder.")]


def status(folder: FolderArgument) -> None:
    """Say which stages of a study are finished and how its pixels fared."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from gridcal.study.folder import Study
    from gridcal.workflow import jobs

    _needs(folder)
    table = Table("stage", "makes", "tiles", "done", "status of pixels", "seconds", "memory")
    before = None
    for row in jobs.status(Study(folder)):
        codes = ", ".join(f"{k}: {v}" for k, v in row["status_counts"].items())
        if row["failures"]:
            codes = f"{len(row['failures'])} tiles failed; {codes}".rstrip("; ")
        tiles = f"{row['done']}/{row['total']}" if row["total"] is not None else ""
        memory = f"{row['peak_bytes'] / 1e6:.0f} MB" if row["peak_bytes"] else ""
        name = row["stage"] if row["stage"] != before else ""
        before = row["stage"]
        seconds = f"{row['seconds']:.1f}" if row["total"] is not None else ""
        cells = (name, row["name"], tiles, "yes" if row["complete"] else "no", codes, seconds, memory)
        table.add_row(*(escape(one_line(cell)) for cell in cells))
    Console().print(table)


def verify(folder: FolderArgument) -> None:
    """Read a study back and compare every tile with its checksum."""
    from gridcal.study.folder import Study

    _needs(folder)
    damaged = Study(folder).verify()
    if damaged:
        for line in damaged:
            typer.echo(one_line(f"damaged: {line}"))
        raise typer.Exit(1)
    typer.echo("every tile reads back as it was written")


def report(
    folder: FolderArgument,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="HTML file; report.html in the folder.")] = None,
) -> None:
    """Write one self-contained HTML page about a study: maps, posteriors, skill, provenance."""
    from gridcal.study.folder import Study
    from gridcal.workflow.jobs import write_report

    _needs(folder)
    typer.echo(f"report: {write_report(Study(folder), output)}")


def _needs(folder: Path) -> None:
    from gridcal.errors import StudyError
    from gridcal.study.safety.place import study_folder

    folder = study_folder(folder)
    if not (folder / "study.json").is_file():
        raise StudyError(f"{str(folder)!r} is not a study folder", "Give the folder a run wrote, e.g. gridcal-demo.study")
