"""What identifies a process model: name and version, and of a model of one's own what its processes compute, too."""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType
from typing import Any

from gridcal.kernels.code_digest import code_digest, contents
from gridcal.kernels.lanes.definition import python_function
from gridcal.process.model import ProcessModel

_DIGITS = 12


def of_model(model: ProcessModel) -> list[Any]:
    """What identifies a process model.

    Parameters
    ----------
    model : ProcessModel
        The model.

    Returns
    -------
    list
        Name and version; and where one of its functions is defined outside of gridcal, a digest of processes, setup,
        constraints and tables, with the numbers that the code reaches as they are now. Parameters are no part of it: not all
        that depends on a model depends on its bounds. A model whose code has no digest is known by name and version.
    """
    known = [model.name, model.version]
    # tables count without their texts
    declared = (
        model.processes, model.setup, model.constants, model.stored, model.steps, model.results, model.steady,
        model.forcing, list(model.site), model.site_default, [(s.name, s.units, s.initial) for s in model.state],
        model.outputs, model.extra_outputs, model.domain,
        [(c.name, c.kind, c.reads, c.judge) for c in model.constraints], model.penalty_gradient, model.gradient,
        model.site_days, [f for f in vars(model.site_days or object).values() if isinstance(f, FunctionType)],
    )  # fmt: skip
    try:
        if all((f.__module__ or "").split(".")[0] == "gridcal" for f in _functions(declared)):
            return known
        return [*known, code_digest(declared)[:_DIGITS]]
    except (AttributeError, RecursionError, ValueError):
        return known


def _functions(thing: Any) -> Iterator[FunctionType]:
    """Functions that a declaration names."""
    function = python_function(thing)
    if function is not None:
        yield function
    else:
        for inner in contents(thing) or ():
            yield from _functions(inner)
