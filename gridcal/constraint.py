"""Constraints on a process model: what must hold of its parameters, and of the pools and fluxes of its run.

A model declares them; any calibration method can reject or penalise what violates them. They are evaluated for many lanes at
once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from gridcal.model import ProcessModel

Array = npt.NDArray[np.floating]

LANES = 256
"""Lanes whose daily series are held in memory at a time."""


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


def judge(
    model: ProcessModel,
    theta: npt.ArrayLike,
    forcing: Sequence[npt.ArrayLike],
    site: npt.ArrayLike | None = None,
    state: npt.ArrayLike | None = None,
    *,
    constraints: Sequence[Constraint] | None = None,
) -> Verdicts:
    """Run a model and judge its constraints, for many lanes at once.

    Parameters
    ----------
    model, theta, forcing, site, state
        As in :meth:`gridcal.ProcessModel.run`: theta (P, n), each forcing (T, n) or (T, 1).
    constraints : sequence of Constraint, optional
        The model's own without it.

    Returns
    -------
    Verdicts
        Names (k), passed (k, n), penalty (k, n). Where all constraints are judged before the run, the model is not run.
    """
    chosen = tuple(model.constraints if constraints is None else constraints)
    th = np.asarray(theta, dtype=float)
    series = [np.asarray(x) for x in forcing]
    parts = []
    for first in range(0, th.shape[1], LANES):
        part = slice(first, first + LANES)
        own = [x if x.shape[1] == 1 else x[:, part] for x in series]
        place = None if site is None else np.asarray(site)[:, part if np.shape(site)[1] > 1 else slice(None)]
        begin = None if state is None else np.asarray(state, dtype=float)[:, part if np.shape(state)[1] > 1 else slice(None)]
        parts.append(verdicts(chosen, evidence_of(model, th[:, part], own, place, begin, chosen)))
    if not parts:
        empty = np.zeros((len(chosen), 0))
        return Verdicts(tuple(c.name for c in chosen), empty.astype(bool), empty)
    return Verdicts(
        parts[0].names, np.concatenate([p.passed for p in parts], axis=1), np.concatenate([p.penalty for p in parts], axis=1)
    )


def cost_of(model: ProcessModel, theta: Array) -> Array | None:
    """Sum of a model's constraint costs that parameters alone decide, theta (P, n) to (n,); None where it declares none."""
    chosen = tuple(c for c in model.constraints if c.kind == "cost" and c.before_run)
    if not chosen:
        return None
    parameters = dict(zip(model.parameters.names, np.asarray(theta, dtype=float), strict=True))
    evidence = Evidence(parameters, np.array([np.nan]), {}, {})
    return np.asarray(verdicts(chosen, evidence).penalty.sum(axis=0))


def outputs_read(constraints: Sequence[Constraint]) -> tuple[str, ...]:
    """Outputs that constraints read."""
    return tuple(dict.fromkeys(name for c in constraints for name in c.reads))


def evidence_of(
    model: ProcessModel,
    theta: Array,
    forcing: Sequence[Array],
    site: Array | None,
    state: Array | None,
    constraints: Sequence[Constraint],
    series: Mapping[str, Array] | None = None,
) -> Evidence:
    """Evidence for constraints: from `series` where a run was made, else from a run of its own if one is needed."""
    names = outputs_read(constraints)
    start: dict[str, Array] = {}
    n = theta.shape[1]
    if names:
        if state is None:
            place = np.zeros((len(model.site), n)) if site is None else np.broadcast_to(site, (len(model.site), n))
            begin = model.initial_state(theta, forcing, place)
        else:
            begin = np.broadcast_to(state, (len(model.state), n))
        start = {entry.name: begin[k] for k, entry in enumerate(model.state)}
        if series is None:
            found, _ = model.run(theta, forcing, site, state, outputs=names)
            series = dict(zip(names, found, strict=True))
    parameters = dict(zip(model.parameters.names, theta, strict=True))
    return Evidence(parameters, _mean_temperature(model, forcing), start, series or {})


def _mean_temperature(model: ProcessModel, forcing: Sequence[Array]) -> Array:
    known = dict(zip(model.forcing, forcing, strict=True))
    if "tas" in known:
        return np.asarray(known["tas"], dtype=float).mean(axis=0)
    if "tasmin" in known and "tasmax" in known:
        return 0.5 * (np.asarray(known["tasmin"], dtype=float) + np.asarray(known["tasmax"], dtype=float)).mean(axis=0)
    return np.array([np.nan])
