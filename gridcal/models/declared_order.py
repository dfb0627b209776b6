"""Names in the order in which a model declares them: a store hands out its variables in none."""

from __future__ import annotations

from collections.abc import Iterable

from gridcal.errors import ModelError
from gridcal.models import model_named


def in_declared_order(names: Iterable[str], model: str | None) -> list[str]:
    """Parameters, then outputs of the model of that name, in its order; what it does not declare behind them, sorted.

    Parameters
    ----------
    names : iterable of str
        Names, in any order.
    model : str or None
        Name of the model; where it is not known here, all are sorted.

    Examples
    --------
    >>> in_declared_order(["notes", "WI", "Topt", "eps_max"], "lue")
    ['eps_max', 'Topt', 'WI', 'notes']
    """
    left = set(names)
    declared: list[str] = []
    if model:
        try:
            known = model_named(model)
            declared = [n for n in (*known.parameters.names, *known.outputs) if n in left]
        except ModelError:
            pass
    return [*dict.fromkeys(declared), *sorted(left - set(declared))]
