"""The command line: the same verbs as in Python, from a terminal or a batch job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from gridcal.errors import GridcalError

app = typer.Typer(
    name="gridcal",
    help="Turn one parameter value per plant functional type into a parameter map.\n\n"
    "Try it first:  gridcal demo      (no data, no network, two minutes)\n\n"
    "Then with a study file:  gridcal run STUDY.yml, gridcal status FOLDER, gridcal report FOLDER",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
catalog_app = typer.Typer(help="Look at the data sets gridcal knows, and check the ones you have.", no_args_is_help=True)
models_app = typer.Typer(help="Look at the process models, their parameters and what they read.", no_args_is_help=True)
app.add_typer(catalog_app, name="catalog")
app.add_typer(models_app, name="models")

FolderArgument = Annotated[Path, typer.Argument(help="The study folder.")]
WorkersOption = Annotated[int | None, typer.Option("--workers", "-j", min=1, help="Worker processes on this machine.")]


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to write the study.")] = Path("gridcal-demo.study"),
    workers: WorkersOption = None,
    small: Annotated[bool, typer.Option("--small", help="A quarter of the region, for a quick look.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete the folder first instead of resuming.")] = False,
) -> None:
    """Run the whole job on a synthetic region with known parameters.

    Needs no data and no network. It plants parameter fields that depend on climate, soil and greenness, makes noisy 8-day
    GPP from them, calibrates sample pixels with MASM, learns the parameters with XGBoost, predicts and runs the whole map,
    and compares with the truth. Two minutes on two cores; then open the report it names.
    """
    from gridcal.workflow.demo import demo_config

    _run(demo_config(small=small), folder, workers=workers, fresh=fresh)


@app.command()
def run(
    study: Annotated[Path, typer.Argument(help="Study file (YAML); see notebooks/ and the README for examples.")],
    folder: Annotated[Path | None, typer.Option("--folder", "-o", help="Study folder; the file's name + .study.")] = None,
    workers: WorkersOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete the folder first instead of resuming.")] = False,
) -> None:
    """Run a study file, or go on with it where it stopped.

    Results go to the study folder stage by stage. A finished stage is not computed again; a run that was killed resumes at
    the tiles it had not finished. Real data are found through the environment variable GRIDCAL_DATA.
    """
    from gridcal.workflow.config import load_config

    config = load_config(study)
    _run(config, folder or study.with_suffix(".study"), workers=workers, fresh=fresh)


@app.command()
def screen(
    study: Annotated[Path, typer.Argument(help="Study file (YAML); its section `screening` says how.")],
    folder: Annotated[Path | None, typer.Option("--folder", "-o", help="Study folder; the file's name + .study.")] = None,
    workers: WorkersOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete the folder first instead of resuming.")] = False,
) -> None:
    """Find out which parameters matter, by Morris' elementary effects at the study's samples, and stop there.

    The ranking is printed and kept in the study folder; a screening that was killed goes on at the tiles it had not
    finished. `gridcal run` with the same file goes on with the calibration.
    """
    from rich.console import Console
    from rich.table import Table

    from gridcal.workflow.config import load_config
    from gridcal.workflow.pipeline import screen_study

    config = load_config(study)
    done = _with_cluster(config, folder or study.with_suffix(".study"), screen_study, workers=workers, fresh=fresh)
    record = done.read_record("recommendation") or {}
    for target, rows in record["ranked"].items():
        table = Table("rank", "parameter", "mu* / largest", "sigma / mu*", "", title=target)
        for row in rows:
            mark = "keep" if row["keep"] else "look again" if row["doubtful"] else ""
            ratio = f"{row['ratio']:.2f}" if row["ratio"] == row["ratio"] else "-"
            table.add_row(str(row["rank"]), row["parameter"], f"{row['mu_star']:.3f}", ratio, mark)
        Console().print(table)
    for line in record["warnings"]:
        typer.echo(f"look again: {line}")


@app.command()
def compare(
    study: Annotated[Path, typer.Argument(help="Study file with kind: compare; see notebooks/studies.")],
    folder: Annotated[Path | None, typer.Option("--folder", "-o", help="Study folder; the file's name + .study.")] = None,
    workers: WorkersOption = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete the folder first instead of resuming.")] = False,
) -> None:
    """Compare ways to extrapolate parameters to places without observations.

    Calibrates the model at every site, learns or averages the parameters in folds of sites, predicts the sites of the fold left
    out, scores the model there at four time scales, and explains the network. A run that was killed resumes at the sites and
    folds it had not finished. Sites named under test_sites, or held by a second source test_data, are scored and never trained
    on.
    """
    from gridcal.comparison.config import load_comparison

    _compare(load_comparison(study), folder or study.with_suffix(".study"), workers=workers, fresh=fresh)


@app.command()
def resume(folder: FolderArgument, workers: WorkersOption = None) -> None:
    """Go on with a study that was stopped, from its folder alone."""
    import yaml

    from gridcal.errors import StudyError
    from gridcal.study.folder import Study
    from gridcal.workflow.config import parse_config

    record = Study(folder).read_record("provenance") if folder.is_dir() else None
    if record is None:
        raise StudyError(f"{str(folder)!r} is not a study that was started", "Start it with: gridcal run STUDY.yml")
    document = yaml.safe_load(record["config"])
    if document.get("kind") == "compare":
        from gridcal.comparison.config import parse_comparison

        _compare(parse_comparison(document, str(folder)), folder, workers=workers, fresh=False)
        return
    _run(parse_config(document, str(folder)), folder, workers=workers, fresh=False)


@app.command()
def status(folder: FolderArgument) -> None:
    """Say which stages of a study are finished and how its pixels fared."""
    from rich.console import Console
    from rich.table import Table

    from gridcal.study.folder import Study

    _needs(folder)
    table = Table("stage", "tiles", "done", "status of pixels", "seconds")
    for name, row in Study(folder).status().items():
        codes = ", ".join(f"{k}: {v}" for k, v in row.get("status_counts", {}).items())
        table.add_row(name, f"{row['done']}/{row['total']}", "yes" if row["complete"] else "no", codes, f"{row['seconds']:.1f}")
    Console().print(table)


@app.command()
def verify(folder: FolderArgument) -> None:
    """Read a study back and compare every tile with its checksum."""
    from gridcal.study.folder import Study

    _needs(folder)
    damaged = Study(folder).verify()
    if damaged:
        for line in damaged:
            typer.echo(f"damaged: {line}")
        raise typer.Exit(1)
    typer.echo("every tile reads back as it was written")


@app.command()
def report(
    folder: FolderArgument,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="HTML file; report.html in the folder.")] = None,
) -> None:
    """Write one self-contained HTML page about a study: maps, posteriors, skill, provenance."""
    from gridcal.report import write_report
    from gridcal.study.folder import Study

    _needs(folder)
    typer.echo(f"report: {write_report(Study(folder), output)}")


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


@models_app.command("list")
def models_list() -> None:
    """List the process models that can be had here."""
    from gridcal.models import model_named, model_names

    for name in model_names():
        model = model_named(name)
        typer.echo(f"{name:12s} {model.title}  [{model.source}]")


@models_app.command("check")
def models_check(
    name: Annotated[str, typer.Argument(help="Model name, e.g. ibis.")],
    reference: Annotated[Path, typer.Option("--reference", help="Folder with runs of the original program.")],
    case: Annotated[str | None, typer.Option("--case", help="One case of the folder; all without it.")] = None,
    skip_free: Annotated[bool, typer.Option("--skip-free", help="Leave out free runs and sensitivities.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print every row, not only failures.")] = False,
    output: Annotated[Path | None, typer.Option("--output", help="Save the table as CSV.")] = None,
) -> None:
    """Compare a model with reference runs: deviations against tolerances, exit status 1 if any fails."""
    import dataclasses

    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from gridcal.reference import check_against_reference

    rows = check_against_reference(name, reference, case, free=not skip_free)
    console = Console()
    table = Table("check", "variable", "n", "deviation", "tolerance", "within", "", "note")
    for row in rows:
        if verbose or not row.passed:
            mark = "ok" if row.passed else "[bold red]FAIL[/bold red]"
            numbers = (str(row.n), f"{row.worst:.2e}", f"{row.tolerance:.1e}", f"{100.0 * row.within:.2f} %")
            table.add_row(row.check, row.variable, *numbers, mark, row.note)
    if table.row_count:
        console.print(table)
    for group in dict.fromkeys(row.check for row in rows):
        part = [row for row in rows if row.check == group]
        good = sum(row.passed for row in part)
        worst = max(part, key=lambda r: r.worst / max(r.tolerance, 1.0e-15))
        least = min(row.within for row in part)
        console.print(
            f"{group}: {good} of {len(part)} variables pass; worst {worst.variable} {worst.worst:.2e} "
            f"(tolerance {worst.tolerance:.1e}), least share within {100.0 * least:.2f} %"
        )
    if output is not None:
        pd.DataFrame([dataclasses.asdict(row) for row in rows]).to_csv(output, index=False)
    if not all(row.passed for row in rows):
        raise typer.Exit(1)


@models_app.command("show")
def models_show(name: Annotated[str, typer.Argument(help="Model name; see: gridcal models list")]) -> None:
    """Print a model's parameters, forcing, state and outputs."""
    from rich.console import Console
    from rich.table import Table

    from gridcal.models import model_named
    from gridcal.vocabulary.variables import VARIABLES

    model = model_named(name)
    console = Console()
    console.print(f"[bold]{model.name}[/bold]: {model.title}\n{model.source}\n")
    table = Table("parameter", "default", "lower", "upper", "units", "scale", "meaning", title="parameters")
    for p in model.parameters:
        table.add_row(p.name, f"{p.default:g}", f"{p.lower:g}", f"{p.upper:g}", p.units, p.scale, p.description)
    console.print(table)
    table = Table("name", "units", "meaning", title="forcing")
    for variable in model.forcing:
        known = VARIABLES.get(variable)
        table.add_row(variable, known.units if known else "", known.long_name if known else "")
    console.print(table)
    console.print(f"site constants: {', '.join(f'{k} ({v})' for k, v in model.site.items())}")
    console.print(f"state: {', '.join(s.name for s in model.state)}")
    console.print(f"outputs: {', '.join(f'{k} [{v}]' for k, v in model.outputs.items())}", markup=False)
    console.print(f"on request: {', '.join(f'{k} [{v}]' for k, v in model.extra_outputs.items())}", markup=False)


@app.command()
def version(deps: Annotated[bool, typer.Option("--deps", help="Also the libraries below.")] = False) -> None:
    """Print the version of gridcal."""
    from importlib.metadata import version as version_of

    from gridcal.version import __version__
    from gridcal.workflow.headline import _LIBRARIES

    typer.echo(f"gridcal {__version__}")
    if deps:
        for name in _LIBRARIES:
            typer.echo(f"{name} {version_of(name)}")


def _needs(folder: Path) -> None:
    from gridcal.errors import StudyError

    if not (folder / "study.json").is_file():
        raise StudyError(f"{str(folder)!r} is not a study folder", "Give the folder a run wrote, e.g. gridcal-demo.study")


def _with_cluster(config: Any, folder: Path, work: Callable[..., Any], *, workers: int | None, fresh: bool) -> Any:
    """Do a study's work on the cluster its configuration asks for."""
    from gridcal.study.cluster import connect

    kind = config.compute.cluster
    typer.echo(f"study: {config.title}")
    typer.echo(f"folder: {folder}")
    if kind == "none":
        return work(config, folder, fresh=fresh)
    with connect(kind, workers=workers or config.compute.workers, **dict(config.compute.options)) as client:
        typer.echo(f"dashboard: {client.dashboard_link}")
        return work(config, folder, fresh=fresh)


def _run(config: Any, folder: Path, *, workers: int | None, fresh: bool) -> None:
    from gridcal.workflow.pipeline import run_study

    _reported(_with_cluster(config, folder, run_study, workers=workers, fresh=fresh))


def _compare(config: Any, folder: Path, *, workers: int | None, fresh: bool) -> None:
    from gridcal.comparison.experiment import run_comparison

    _reported(_with_cluster(config, folder, run_comparison, workers=workers, fresh=fresh))


def _reported(study: Any) -> None:
    """Write the report and print the headline."""
    from gridcal.report import write_report

    page = write_report(study)
    typer.echo("")
    for label, number in (study.read_record("headline") or {}).items():
        typer.echo(f"{label}: {number['value']:.3g} {number['units']} - {number['text']}")
    typer.echo(f"\nreport: {page}")


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
