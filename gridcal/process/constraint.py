"""Constraints on a process model: what must hold of its parameters, and of the pools and fluxes of its run.

A model declares them; any calibration method can reject or penalise what violates them. They are evaluated for many lanes at
once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What a constraint is judged by.

    Parameters
    ----------
    theta : dict of str to array, shape (n,)
        Parameters.
    mean_temperature : array, shape (n,) or (1,)
        Mean of the run's air temperature, degC; NaN where the model reads none.
    start : dict of str to array, shape (n,)
        State before the first day; empty before the run.
    series : dict of str to array, shape (T, n)
        The outputs the constraint reads; empty before the run.
    """

    theta: Mapping[str, Array]
    mean_temperature: Array
    start: Mapping[str, Array]
    series: Mapping[str, Array]

    def states(self, pool: str) -> Array:
        """A pool from before the first day to after the last, shape (T + 1, n)."""
        return np.concatenate([np.asarray(self.start[pool])[None], self.series[pool]])


Judge = Callable[[Evidence], tuple[npt.NDArray[np.bool_], Array]]


@dataclasses.dataclass(frozen=True)
class Constraint:
    """One condition on parameters or on a run.

    Parameters
    ----------
    name, description, source : str
        Short name, the condition with its numbers, citation.
    judge : callable
        :class:`Evidence` to whether it holds, shape (n,), and its penalty, shape (n,).
    reads : tuple of str
        Model outputs it reads; without any it is judged before the run.
    kind : {"edc", "cost"}
        An ecological and dynamic constraint, which a calibration applies on request and whose penalty is a negative log
        probability; or a cost on the scale of 1 - NNSE that calibrations add with the weight of the block.
    """

    name: str
    description: str
    source: str
    judge: Judge
    reads: tuple[str, ...] = ()
    kind: Literal["edc", "cost"] = "edc"

    @property
    def before_run(self) -> bool:
        """Whether parameters and mean temperature decide it."""
        return not self.reads


class Verdicts(NamedTuple):
    """Outcome of constraints: their names (k), whether they hold (k, n), penalties (k, n; inf where none is defined)."""

    names: tuple[str, ...]
    passed: npt.NDArray[np.bool_]
    penalty: Array


def verdicts(constraints: Sequence[Constraint], evidence: Evidence) -> Verdicts:
    """Judge constraints by what is known; what is not finite fails."""
    n = len(next(iter(evidence.theta.values())))
    passed = np.zeros((len(constraints), n), dtype=bool)
    penalty = np.full((len(constraints), n), np.inf)
    for k, constraint in enumerate(constraints):
        with np.errstate(all="ignore"):
            holds, cost = constraint.judge(evidence)
        penalty[k] = np.where(np.isnan(cost), np.inf, cost)
        passed[k] = holds & np.isfinite(penalty[k])
    return Verdicts(tuple(c.name for c in constraints), passed, penalty)


def outputs_read(constraints: Sequence[Constraint]) -> tuple[str, ...]:
    """Outputs that constraints read."""
    return tuple(dict.fromkeys(name for c in constraints for name in c.reads))
