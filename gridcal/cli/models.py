"""Commands on process models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

models_app = typer.Typer(help="Look at the process models, their parameters and what they read.", no_args_is_help=True)


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
