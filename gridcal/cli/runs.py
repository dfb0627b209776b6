"""Commands that run a job, or say what it would take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from gridcal.cli.printing import one_line

StudyArgument = Annotated[Path, typer.Argument(help="Study file (YAML); see notebooks/ and the README for examples.")]
FolderOption = Annotated[Path | None, typer.Option("--folder", "-o", help="Study folder; the file's name + .study.")]
WorkersOption = Annotated[int | None, typer.Option("--workers", "-j", min=1, help="Worker processes on this machine.")]
FreshOption = Annotated[bool, typer.Option("--fresh", help="Delete what the study has made and start again.")]
SchedulerOption = Annotated[
    str | None,
    typer.Option("--scheduler", metavar="ADDRESS", help="Running Dask scheduler to work on, instead of the file's cluster."),
]
UntilOption = Annotated[str | None, typer.Option("--until", help="Last stage to run.")]
FromOption = Annotated[str | None, typer.Option("--from", help="Redo this stage and all that follow from it.")]


def demo(
    folder: Annotated[Path, typer.Argument(help="Where to write the study.")] = Path("gridcal-demo.study"),
    workers: WorkersOption = None,
    small: Annotated[bool, typer.Option("--small", help="A quarter of the region, for a quick look.")] = False,
    fresh: FreshOption = False,
) -> None:
    """Run the whole job on a synthetic region with known parameters.

    Needs no data and no network. It plants parameter fields that depend on climate, soil and greenness, makes noisy 8-day
    GPP from them, calibrates sample pixels with MASM, learns the parameters with XGBoost, predicts and runs the whole map,
    and compares with the truth. Two minutes on two cores; then open the report it names.
    """
    from gridcal.workflow.demo import demo_config
    from gridcal.workflow.jobs import KINDS

    _run(KINDS[0], demo_config(small=small), folder, workers=workers, fresh=fresh)


def run(
    study: StudyArgument,
    folder: FolderOption = None,
    workers: WorkersOption = None,
    fresh: FreshOption = False,
    until: UntilOption = None,
    redo_from: FromOption = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Run a study file, or go on with it where it stopped.

    Results go to the study folder stage by stage. A finished stage is not computed again; a run that was killed resumes at
    the tiles it had not finished. A changed key of the study file redoes the stages it belongs to and what follows; where a
    calibration or something older would be redone, it must be asked for with --from. Real data are found through the
    environment variable GRIDCAL_DATA. `gridcal plan` names the stages, and what they would take.
    """
    from gridcal.workflow.config import load_config
    from gridcal.workflow.jobs import KINDS

    target = folder or study.with_suffix(".study")
    options: dict[str, Any] = {"workers": workers, "scheduler": scheduler}
    _run(KINDS[0], load_config(study), target, fresh=fresh, until=until, redo_from=redo_from, **options)


def screen(
    study: Annotated[Path, typer.Argument(help="Study file (YAML); its section `screening` says how.")],
    folder: FolderOption = None,
    workers: WorkersOption = None,
    fresh: FreshOption = False,
    scheduler: SchedulerOption = None,
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
    place = folder or study.with_suffix(".study")
    done = _with_cluster(config, place, screen_study, workers=workers, scheduler=scheduler, fresh=fresh)
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


def compare(
    study: Annotated[Path, typer.Argument(help="Study file with kind: compare; see notebooks/studies.")],
    folder: FolderOption = None,
    workers: WorkersOption = None,
    fresh: FreshOption = False,
    until: UntilOption = None,
    redo_from: FromOption = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Compare ways to extrapolate parameters to places without observations.

    Calibrates the model at every site, learns or averages the parameters in folds of sites, predicts the sites of the fold left
    out, scores the model there at four time scales, and explains the network. A run that was killed resumes at the sites and
    folds it had not finished. Sites named under test_sites, or held by a second source test_data, are scored and never trained
    on.
    """
    from gridcal.comparison.config import load_comparison
    from gridcal.workflow.jobs import KINDS

    target = folder or study.with_suffix(".study")
    options: dict[str, Any] = {"workers": workers, "scheduler": scheduler}
    _run(KINDS[1], load_comparison(study), target, fresh=fresh, until=until, redo_from=redo_from, **options)


def resume(
    folder: Annotated[Path, typer.Argument(help="The study folder.")],
    workers: WorkersOption = None,
    until: UntilOption = None,
    redo_from: FromOption = None,
    scheduler: SchedulerOption = None,
) -> None:
    """Go on with a study that was stopped, from its folder alone."""
    from gridcal.workflow.jobs import resumed

    kind, config = resumed(folder, compute=scheduler is None)
    options: dict[str, Any] = {"workers": workers, "scheduler": scheduler}
    _run(kind, config, folder, fresh=False, until=until, redo_from=redo_from, **options)


def plan(study: StudyArgument, workers: WorkersOption = None) -> None:
    """Say what a study file would take before it runs: stages, tiles, bytes, time and memory.

    A few tiles of each stage are made and thrown away; no folder is touched. Time is that of this machine with as many workers,
    the report apart; sizes are those before compression.
    """
    from rich.console import Console
    from rich.table import Table

    from gridcal.workflow.jobs import plan as plan_file

    title, rows, count = plan_file(study, workers, tell=lambda label: typer.echo(f"measuring: {label}", err=True))
    table = Table("stage", "what", "tiles", "bytes", "time", title=title)
    for row in rows:
        known = (_size(row.nbytes) if row.nbytes else "", _clock(row.seconds)) if row.measured else ("", "next to nothing")
        table.add_row(row.name, row.label, str(row.tiles or ""), *known)
    table.add_section()
    total = sum(row.seconds for row in rows)
    table.add_row("", "in all", str(sum(row.tiles for row in rows)), _size(sum(row.nbytes for row in rows)), _clock(total))
    Console().print(table)
    peak = max(row.peak_bytes for row in rows)
    typer.echo(f"{count} {'worker' if count == 1 else 'workers'}, {_size(peak)} of memory each")


def _size(nbytes: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if nbytes >= factor:
            return f"{nbytes / factor:.3g} {unit}"
    return f"{nbytes} B"


def _clock(seconds: float) -> str:
    if seconds < 120.0:
        return f"{seconds:.2g} s" if seconds < 10.0 else f"{seconds:.0f} s"
    minutes = round(seconds / 60.0)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


def _with_cluster(
    config: Any, folder: Path, work: Callable[..., Any], *, workers: int | None, scheduler: str | None = None, **options: Any
) -> Any:
    """Do a study's work on the cluster its configuration asks for, or on the scheduler that the command line names."""
    from gridcal.errors import ConfigError
    from gridcal.study.cluster import connect
    from gridcal.study.safety.place import study_folder

    folder = study_folder(folder)
    kind = config.compute.cluster
    typer.echo(f"study: {one_line(config.title)}")
    typer.echo(f"folder: {one_line(folder)}")
    if scheduler is not None:
        if workers is not None:
            raise ConfigError("--workers and --scheduler are both given", "Leave --workers out: the scheduler has its own")
        typer.echo(f"scheduler: {one_line(scheduler)}")
        with connect(scheduler if "://" in scheduler else f"tcp://{scheduler}"):
            return work(config, folder, **options)
    if kind == "none":
        return work(config, folder, **options)
    with connect(kind, workers=workers or config.compute.workers, **dict(config.compute.options)) as client:
        typer.echo(f"dashboard: {client.dashboard_link}")
        return work(config, folder, **options)


def _run(
    kind: Any, config: Any, folder: Path, *, workers: int | None, scheduler: str | None = None, until: str | None = None,
    **options: Any,
) -> None:  # fmt: skip
    """Run a job, write its report and print the headline."""
    from gridcal.workflow.jobs import write_report

    stages = kind.list_of_stages()
    options |= {"until": until, "stages": stages, "say": lambda text: typer.echo(one_line(text))}
    study = _with_cluster(config, folder, kind.run, workers=workers, scheduler=scheduler, **options)
    page = write_report(study)
    typer.echo("")
    for label, number in (study.read_record("headline") or {}).items():
        typer.echo(one_line(f"{label}: {number['value']:.3g} {number['units']} - {number['text']}"))
    if until is not None:
        typer.echo(f"stopped after the stage {until!r}; the same command without --until goes on")
    typer.echo(f"\nreport: {page}")
