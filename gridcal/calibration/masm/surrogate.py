"""Surrogates of the cost: Gaussian processes for the model's outputs, or for the cost itself.

Outputs are smooth and of order one where the cost, a quadratic form of them, ranges over many decades. The output surrogate
therefore emulates the leading principal components of the residuals and rebuilds the cost from them. The direction of the
mean residual is part of the basis: the cost is linear in what the components leave of it, so that even a small truncation
would otherwise shift the cost.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh

from gridcal.calibration.likelihood import GaussianLikelihood
from gridcal.calibration.problem import ModelRuns, PixelProblem
from gridcal.kernels.sampling.moments import from_unit_box, to_unit_box
from gridcal.kernels.surrogate.emulator import Emulator, emulated_costs
from gridcal.kernels.surrogate.gp import LENGTH_BOUNDS, ROOT5, GaussianProcess

Array = npt.NDArray[np.float64]

TRUNCATION = 0.05
"""Mean squared residual, in units of cost, that the principal components may leave out."""
MOST_COMPONENTS = 20
MOST_HYPER_POINTS = 400
EDGE = 0.1
"""Runs within this share of the box's width outside it are learnt too: without them the mean extrapolates at the faces."""
LOG_SHIFT = 0.01
"""Warp of a logarithmic parameter: log(theta + LOG_SHIFT range)."""


@dataclasses.dataclass(frozen=True)
class Box:
    """Part of the unit cube the surrogate is trained and sampled in; its own coordinates run from 0 to 1."""

    lower: Array
    width: Array

    @classmethod
    def cube(cls, d: int) -> Box:
        """The whole cube."""
        return cls(np.zeros(d), np.ones(d))

    def to_box(self, unit: Array) -> Array:
        """Box coordinates of points of the cube."""
        return to_unit_box(unit.reshape(-1, self.lower.size), self.lower, self.width).reshape(unit.shape)

    def to_unit(self, inside: Array) -> Array:
        """Points of the cube from box coordinates."""
        return from_unit_box(inside.reshape(-1, self.lower.size), self.lower, self.width).reshape(inside.shape)

    def contains(self, unit: Array, margin: float = 0.0) -> npt.NDArray[np.bool_]:
        """Which of the points (n, d) lie in the box, or within `margin` widths of it."""
        inside = self.to_box(unit)
        return np.all((inside >= -margin) & (inside <= 1.0 + margin), axis=1)


@dataclasses.dataclass(frozen=True)
class _Targets:
    """Outputs to emulate and how the cost is rebuilt from them."""

    values: Array
    offset: Array
    scale: Array
    weight: Array
    n_square: int
    rest: float
    n_log: float
    factor: float
    floor: float


class Surrogate:
    """A surrogate of a problem's cost, trained on the runs inside a box.

    Parameters
    ----------
    problem : PixelProblem
        The problem; its steps and logarithmic parameters warp the inputs.
    emulate : {"outputs", "cost"}
        What is emulated.
    warp : bool
        Try the logarithmic warp; it is kept where the marginal likelihood is higher with it.
    quadratic : bool
        Quadratic mean once there are runs enough; a constant otherwise.

    Attributes
    ----------
    emulator : Emulator
        The trained surrogate, for the compiled loops.
    box : Box
        The box it was trained in.
    n_inside : int
        Runs it was trained on.
    """

    def __init__(self, problem: PixelProblem, emulate: str = "outputs", warp: bool = True, quadratic: bool = True) -> None:
        self.problem = problem
        self.emulate = emulate if problem.cost is None else "cost"
        self.log = problem.log & warp
        self.may_be_quadratic = quadratic
        self.warped = bool(self.log.any())
        self.gp = GaussianProcess(problem.d)
        self.box = Box.cube(problem.d)
        self.n_inside = 0
        self.emulator: Emulator | None = None

    def begin(self, hyper: Array, warped: bool, box: Box) -> None:
        """Take hyper-parameters found elsewhere, in units of a box, as the first to optimise from."""
        self.gp.hyper = hyper.copy()
        self.gp.hyper[: self.problem.d] += np.log(box.width)
        self.gp.hyper[: self.problem.d] = np.clip(self.gp.hyper[: self.problem.d], *np.log(LENGTH_BOUNDS))
        self.warped = warped and bool(self.log.any())

    def costs(self, unit: Array) -> Array:
        """Emulated cost (m,) at points (m, d) of the unit cube."""
        assert self.emulator is not None
        return emulated_costs(self.emulator, np.ascontiguousarray(self.box.to_box(unit)))

    def train(self, runs: ModelRuns, box: Box, refit: bool, restarts: int = 1) -> None:
        """Train on the good runs inside `box`.

        Parameters
        ----------
        runs : ModelRuns
            All runs.
        box : Box
            Where to train.
        refit : bool
            Optimise the hyper-parameters; otherwise they are only rescaled to the box.
        restarts : int
            Further starts of the optimisation (length-scales 0.5 and 2 of the box), beside the present values.
        """
        d = self.problem.d
        inside = np.flatnonzero(box.contains(runs.unit, EDGE) & ~runs.failed)
        unit = runs.unit[inside]
        targets = self._targets(runs, inside)
        outputs = targets.values
        quadratic = self.may_be_quadratic and inside.size >= 1.5 * (d + 1) * (d + 2)
        refit = refit or self.gp.hyper is None or self.gp.x is None or quadratic != self.gp.quadratic
        if not refit:
            self.gp.hyper[:d] += np.log(self.box.width / box.width)
        unmoved = np.array_equal(box.lower, self.box.lower) and np.array_equal(box.width, self.box.width)
        same = unmoved and not refit and self.gp.x is not None
        grown = unit.shape[0] - self.n_inside
        self.box, self.n_inside = box, inside.size
        x = self._inputs(unit, self.warped)
        if refit:
            self.gp.quadratic = quadratic
            lengths = (0.5, 2.0)[: restarts if self.gp.hyper is not None else max(1, restarts)]
            start = self.gp.hyper
            chosen = np.arange(inside.size)
            if inside.size > MOST_HYPER_POINTS:
                chosen = np.sort(np.argsort(runs.cost[inside], kind="stable")[:MOST_HYPER_POINTS])
            self.gp.optimise(x[chosen], outputs[chosen], targets.weight, start, lengths)
            if self.log.any():
                other = GaussianProcess(d, quadratic)
                x_other = self._inputs(unit, not self.warped)
                other.optimise(x_other[chosen], outputs[chosen], targets.weight, self.gp.hyper, ())
                if other.likelihood < self.gp.likelihood:
                    self.gp, self.warped, x = other, not self.warped, x_other
        if same and grown >= 0 and np.array_equal(x[: x.shape[0] - grown], self.gp.x):
            self.gp.append(x[x.shape[0] - grown :], outputs)
        else:
            self.gp.condition(x, outputs)
        self.emulator = self._pack(targets, runs)

    def leave_one_out(self) -> Array:
        """Errors (n, q) of the emulated outputs at the training runs, in standard deviations of each output."""
        return self.gp.leave_one_out()

    def _targets(self, runs: ModelRuns, inside: npt.NDArray[np.int64]) -> _Targets:
        if self.emulate == "cost":
            cost = runs.cost[inside]
            offset, scale = cost.mean(), cost.std() + 1e-12
            values = ((cost - offset) / scale)[:, None]
            return _Targets(values, np.array([offset]), np.array([scale]), np.ones(1), 0, 0.0, 0.0, 1.0, 0.0)
        likelihood = runs.likelihood
        residuals = runs.residuals[inside]
        unit_of_cost = _unit_of_cost(likelihood, residuals)
        residuals = residuals * unit_of_cost
        scores, offset, rest = principal_scores(residuals)
        centre = scores.mean(axis=0)
        scale = scores.std(axis=0) + 1e-12
        weight = scale.copy()
        n_square = scale.size
        if self.problem.penalty is not None:
            penalty = runs.penalty[inside]
            spread = penalty.std() + 1e-12
            scores = np.column_stack([scores, penalty])
            offset = np.append(offset, 0.0)
            centre = np.append(centre, penalty.mean())
            scale = np.append(scale, spread)
            weight = np.append(weight, math.sqrt(spread))
        return _Targets(
            values=(scores - centre) / scale,
            offset=offset + centre,
            scale=scale,
            weight=weight,
            n_square=n_square,
            rest=rest,
            n_log=likelihood.n_eff if likelihood.is_profile else 0.0,
            factor=1.0 / unit_of_cost**2 if likelihood.is_profile else 1.0,
            floor=likelihood.floor if likelihood.is_profile else 0.0,
        )

    def _coordinates(self, warped: bool) -> tuple[npt.NDArray[np.int64], Array, Array, Array]:
        """Kind and constants of each coordinate's warp in the present box."""
        p = self.problem
        d = p.d
        kind = np.zeros(d, dtype=np.int64)
        first, second, third = np.ones(d), np.zeros(d), np.ones(d)
        span = (p.upper - p.lower) * self.box.width
        low = p.lower + (p.upper - p.lower) * self.box.lower
        for k in range(d):
            if p.step[k] > 0:
                kind[k], first[k], second[k] = 1, p.step[k] / span[k], low[k] / p.step[k]
            elif warped and self.log[k]:
                base = min(p.lower[k], 0.0)
                shift = (low[k] - base) / span[k] + LOG_SHIFT / self.box.width[k]
                kind[k], first[k], second[k] = 2, shift, math.log(shift)
                third[k] = 1.0 / (math.log(1.0 + shift) - math.log(shift))
        return kind, first, second, third

    def _inputs(self, unit: Array, warped: bool) -> Array:
        """Inputs of the Gaussian process at points of the unit cube."""
        x = self.box.to_box(unit)
        kind, first, second, third = self._coordinates(warped)
        for k in np.flatnonzero(kind == 1):
            x[:, k] = (np.ceil(x[:, k] / first[k] + second[k]) - second[k]) * first[k]
        for k in np.flatnonzero(kind == 2):
            x[:, k] = (np.log(np.maximum(x[:, k] + first[k], 1e-12)) - second[k]) * third[k]
        return x

    def _pack(self, targets: _Targets, runs: ModelRuns) -> Emulator:
        gp = self.gp
        kind, first, second, third = self._coordinates(self.warped)
        inverse = ROOT5 / gp.lengths
        failed = runs.unit[runs.failed & self.box.contains(runs.unit, EDGE)]
        return Emulator(
            kind=kind,
            first=first,
            second=second,
            third=third,
            inverse_length=inverse,
            points=np.ascontiguousarray(gp.x * inverse),
            alpha=np.ascontiguousarray(gp.alpha * targets.scale),
            beta=np.ascontiguousarray(gp.beta * targets.scale),
            centre=np.ascontiguousarray(targets.offset),
            n_square=targets.n_square,
            rest=float(targets.rest),
            n_log=float(targets.n_log),
            weight=float(targets.factor),
            floor=float(targets.floor),
            failed=np.ascontiguousarray(self._inputs(failed, self.warped) * inverse),
        )


def _unit_of_cost(likelihood: GaussianLikelihood, residuals: Array) -> float:
    """Factor that brings residuals to units of the square root of cost (near the best run for the profile cost)."""
    if not likelihood.is_profile:
        return math.sqrt(likelihood.n_eff / likelihood.n)
    best = float(np.einsum("ij,ij->i", residuals, residuals).min())
    return math.sqrt(likelihood.n_eff / max(best, likelihood.floor))


def principal_scores(residuals: Array) -> tuple[Array, Array, float]:
    """Coordinates of residual vectors in a basis that keeps their sums of squares.

    The basis holds the principal components that leave out less than :data:`TRUNCATION` of mean square, and the part of the
    mean residual that lies outside them.

    Parameters
    ----------
    residuals : array, shape (n, T)
        One model run a row.

    Returns
    -------
    scores : array, shape (n, q)
        Coordinates of the deviations from the mean residual.
    offset : array, shape (q,)
        Coordinates of the mean residual: sum((scores + offset)^2) + rest is the sum of squares.
    rest : float
        Square of the mean residual outside the basis.
    """
    mean = residuals.mean(axis=0)
    deviation = residuals - mean
    gram = deviation @ deviation.T
    n = gram.shape[0]
    most = min(MOST_COMPONENTS, n - 1)
    values, vectors = eigh(gram, subset_by_index=(n - most, n - 1), check_finite=False)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    left = np.trace(gram) - np.cumsum(values)
    enough = np.flatnonzero(left < TRUNCATION * n)
    keep = int(enough[0]) + 1 if enough.size else most
    keep = max(1, min(keep, int((values > 1e-12 * values[0]).sum())))
    root = np.sqrt(np.maximum(values[:keep], 1e-300))
    components = (vectors[:, :keep] / root).T @ deviation
    outside = mean - components.T @ (components @ mean)
    length = float(np.linalg.norm(outside))
    if length > 1e-8:
        components = np.vstack([components, outside / length])
    offset = components @ mean
    rest = max(0.0, float(mean @ mean - offset @ offset))
    return deviation @ components.T, offset, rest
