"""The command that looks at data before anything runs."""

from __future__ import annotations

from typing import Annotated

import typer


def check(
    data: Annotated[str, typer.Argument(help="A Zarr store, NetCDF file, catalog entry (.yml) or the id of one.")],
    model: Annotated[str | None, typer.Option("--model", "-m", help="Model whose forcing is needed.")] = None,
    against: Annotated[list[str] | None, typer.Option("--against", "-a", help="Observed variable; may be repeated.")] = None,
    pixels: Annotated[int, typer.Option("--pixels", min=1, help="Pixels whose values are looked at.")] = 8,
) -> None:
    """Look at data as a job would, and say everything at once: understood, repaired, rare, wrong.

    Exit status 1 if something must be mended. `gridcal run` does the same first with a cube of your own (kind: cube).
    """
    from gridcal.workflow.check import check_cube

    report = check_cube(data, model, tuple(against or ()), pixels=pixels)
    typer.echo(str(report))
    if not report.ok:
        raise typer.Exit(1)
