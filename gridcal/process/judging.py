"""Judge a model's constraints: by its parameters alone, or by a run, for many lanes at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from gridcal.process.constraint import Constraint, Evidence, Verdicts, outputs_read, verdicts
from gridcal.process.model import ProcessModel

Array = npt.NDArray[np.floating]

LANES = 256
"""Lanes whose daily series are held in memory at a time."""


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
