"""Commands on the catalog of data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

catalog_app = typer.Typer(help="Look at the data sets gridcal knows, and check the ones you have.", no_args_is_help=True)


@catalog_app.command("list")
def catalog_list() -> None:
    """List the data sets of the catalog."""
    from rich.console import Console
    from rich.table import Table

    from gridcal.cube.catalog import list_entries, load_entry

    table = Table("id", "kind", "title", "licence")
    for name in list_entries():
        entry = load_entry(name)
        table.add_row(entry.id, str(entry.kind), entry.title, str(entry.licence))
    Console().print(table)


@catalog_app.command("show")
def catalog_show(entry: Annotated[str, typer.Argument(help="Entry id, or the path of an entry file.")]) -> None:
    """Print one entry: variables, units, licence, citation, caveats."""
    import yaml

    from gridcal.cube.catalog import load_entry

    document = load_entry(entry).model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    typer.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100))


@catalog_app.command("check")
def catalog_check(
    entry: Annotated[str | None, typer.Argument(help="Entry id or file; all entries without it.")] = None,
    data_dir: Annotated[Path | None, typer.Option("--data", help="Data directory; GRIDCAL_DATA without it.")] = None,
) -> None:
    """Check that the data of an entry are there and as declared: variables, units, grid, calendar."""
    from gridcal.cube.catalog import check_entry, list_entries, load_entry

    failed = 0
    for name in [entry] if entry else list_entries():
        for what, good, message in check_entry(load_entry(name), data_dir):
            failed += not good
            typer.echo(f"{'ok  ' if good else 'FAIL'} {name}: {what}{': ' + message if message else ''}")
    if failed:
        raise typer.Exit(1)
