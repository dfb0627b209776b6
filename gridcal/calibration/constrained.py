"""Model runs of one pixel's candidates, and what the model's constraints cost them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridcal.calibration.target import Block
from gridcal.process.constraint import outputs_read, verdicts
from gridcal.process.judging import evidence_of
from gridcal.process.model import ProcessModel

Array = npt.NDArray[np.float64]


class ConstrainedRuns:
    """Runs of a block's candidates. Target and constraints read the same run: the last one is remembered.

    Parameters
    ----------
    model, block
        What is calibrated against what.
    theta : array, shape (P,)
        Parameters; the block's are replaced by the candidates'.
    columns : list of int
        Where the block's parameters stand.
    series : list of arrays, each (T, 1)
        Forcing.
    site : array, shape (S, 1)
        Site constants.
    n_obs : int
        Observations, by which constraint costs are weighted.
    state : array, shape (K, 1), optional
        State that every run starts from.

    Attributes
    ----------
    constraints : tuple of Constraint
        Those that act in this block.
    """

    def __init__(
        self,
        model: ProcessModel,
        block: Block,
        theta: Array,
        columns: list[int],
        series: list[Array],
        site: Array,
        n_obs: int,
        state: Array | None = None,
    ) -> None:
        self.model, self.block, self.theta, self.columns = model, block, theta, columns
        self.series, self.site, self.n_obs, self.state = series, site, n_obs, state
        acts = {"cost": block.constraint > 0.0, "edc": block.edc is not None}
        self.constraints = tuple(c for c in model.constraints if acts[c.kind])
        targets = tuple(t.variable for t in block.targets)
        self.names = tuple(dict.fromkeys((*targets, *outputs_read(self.constraints))))
        self._last: tuple[bytes, dict[str, npt.NDArray[np.floating]]] = (b"", {})

    def full(self, candidates: Array) -> Array:
        """All parameters of candidates (m, d), shape (P, m)."""
        many = np.repeat(self.theta[:, None], candidates.shape[0], axis=1)
        many[self.columns] = candidates.T
        return many

    def _start(self, n: int) -> Array | None:
        return None if self.state is None else np.repeat(self.state, n, axis=1)

    def outputs(self, candidates: Array) -> dict[str, npt.NDArray[np.floating]]:
        """Daily outputs (T, m) of candidates (m, d) by name: the target's, and what constraints read."""
        candidates = np.atleast_2d(candidates)
        key = candidates.tobytes()
        if self._last[0] != key:
            theta = self.full(candidates)
            found, _ = self.model.run(theta, self.series, self.site, self._start(theta.shape[1]), outputs=self.names)
            self._last = (key, dict(zip(self.names, found, strict=True)))
        return self._last[1]

    def penalty(self, candidates: Array) -> Array:
        """What the constraints add to -2 log L of candidates (m, d), shape (m,); inf where they reject."""
        candidates = np.atleast_2d(candidates)
        theta = self.full(candidates)
        ran = self.outputs(candidates) if outputs_read(self.constraints) else {}
        evidence = evidence_of(self.model, theta, self.series, self.site, self._start(theta.shape[1]), self.constraints, ran)
        found = verdicts(self.constraints, evidence)
        total = np.zeros(candidates.shape[0])
        for k, constraint in enumerate(self.constraints):
            if constraint.kind == "cost":
                total += self.block.constraint * self.n_obs * found.penalty[k]
            elif self.block.edc == "reject":
                total += np.where(found.passed[k], 0.0, np.inf)
            else:
                total += 2.0 * found.penalty[k]
        return total
