"""The command line: the same verbs as in Python, from a terminal or a batch job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from gridcal.cli import folders, runs
from gridcal.cli.catalog import catalog_app
from gridcal.cli.check import check
from gridcal.cli.models import models_app
from gridcal.errors import GridcalError

app = typer.Typer(
    name="gridcal",
    help="Turn one parameter value per plant functional type into a parameter map.\n\n"
    "Try it first:  gridcal demo      (no data, no network, two minutes)\n\n"
    "Then with a study file:  gridcal plan STUDY.yml, gridcal run STUDY.yml, gridcal status FOLDER",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    runs.demo, check, runs.plan, runs.run, runs.screen, runs.compare, runs.resume, folders.status, folders.verify,
    folders.report,
):  # fmt: skip
    app.command()(command)
app.add_typer(catalog_app, name="catalog")
app.add_typer(models_app, name="models")


@app.command()
def version(deps: Annotated[bool, typer.Option("--deps", help="Also the libraries below.")] = False) -> None:
    """Print the version of gridcal."""
    from importlib.metadata import version as version_of

    from gridcal.study.provenance import LIBRARIES
    from gridcal.version import __version__

    typer.echo(f"gridcal {__version__}")
    if deps:
        for name in LIBRARIES:
            typer.echo(f"{name} {version_of(name)}")


def main(arguments: list[str] | None = None) -> int:
    """Entry point: gridcal's own errors become one readable line and exit status 1."""
    command: Callable[..., Any] = typer.main.get_command(app)
    try:
        code = command(args=arguments, prog_name="gridcal", standalone_mode=False)
    except GridcalError as error:
        typer.echo(f"gridcal: {error}", err=True)
        return 1
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("gridcal: stopped; the same command goes on where it stopped", err=True)
        return 130
    except Exception as error:
        show = getattr(error, "show", None)  # a usage error of the command line prints itself
        if show is None:
            raise
        show()
        return int(getattr(error, "exit_code", 2))
    return code if isinstance(code, int) else 0
