"""The command line: the same verbs as in Python, from a terminal or a batch job."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Callable
from typing import Annotated, Any

import typer

from gridcal.cli import folders, runs
from gridcal.cli.bug_report import write_bug_report
from gridcal.cli.catalog import catalog_app
from gridcal.cli.check import check
from gridcal.cli.models import models_app
from gridcal.cli.printing import one_line
from gridcal.errors import GridcalError

MACHINE = {
    errno.EACCES: "Check its permissions",
    errno.ENOENT: "Check that it is there",
    errno.EPERM: "Check its permissions",
    errno.EROFS: "Take a folder that can be written",
    errno.ENOSPC: "Free some space",
    errno.EDQUOT: "Free some space",
    errno.EFBIG: "Free some space",
    errno.ENAMETOOLONG: "Take a shorter path",
    errno.ENOTDIR: "Give a path whose folders are folders",
    errno.EISDIR: "Give a file, not a folder",
    errno.EMFILE: "Allow more open files (ulimit -n)",
}
"""Errors of the machine, with what to do."""
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
    """Entry point: no traceback leaves it.

    gridcal's own errors, and those of the machine (no permission, no space, no memory), become one readable line and exit
    status 1. Anything else is a fault of gridcal: exit status 70, and a file to send.
    """
    command: Callable[..., Any] = typer.main.get_command(app)
    try:
        code = command(args=arguments, prog_name="gridcal", standalone_mode=False)
    except GridcalError as error:
        typer.echo(f"gridcal: {one_line(error)}", err=True)
        return 1
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("gridcal: stopped; the same command goes on where it stopped", err=True)
        return 130
    except Exception as error:
        show = getattr(error, "show", None)  # a usage error of the command line prints itself
        if show is None:
            return _unexpected(error, arguments)
        show()
        return int(getattr(error, "exit_code", 2))
    return code if isinstance(code, int) else 0


def _unexpected(error: Exception, arguments: list[str] | None) -> int:
    """Say what happened, in a line."""
    if isinstance(error, BrokenPipeError):  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    if isinstance(error, MemoryError):
        typer.echo("gridcal: this machine has not enough memory. Make tiles or data smaller, or use fewer workers", err=True)
        return 1
    if isinstance(error, OSError) and error.errno in MACHINE:
        where = f": {str(error.filename)!r}" if error.filename is not None else ""
        typer.echo(f"gridcal: {one_line(f'{error.strerror}{where}')}. {MACHINE[error.errno]}, and run again", err=True)
        return 1
    what = one_line(f"{type(error).__name__}: {error}", 300)
    file = write_bug_report(error, arguments)
    if file is None:
        traceback.print_exception(error)
    where = f"A report is in {str(file)!r}" if file is not None else "The report could not be written and stands above"
    typer.echo(f"gridcal: an error that it did not expect ({what}). {where}; please send it to the developers", err=True)
    return 70
