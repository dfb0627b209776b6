"""A search driven from outside: parameter sets are asked for, and told what the model made of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gridcal.calibration.problem import ModelRuns, PixelProblem
from gridcal.calibration.result import PixelResult
from gridcal.calibration.status import Status
from gridcal.calibration.warm import WarmStart
from gridcal.errors import InputError

Array = npt.NDArray[np.float64]


class Running(Protocol):
    """A search that is driven step by step: it names points, and reads what the model made of them from `runs`."""

    runs: ModelRuns

    def steps(self) -> Iterator[Array]:
        """Points (m, d) of the unit cube to run the model at, until the search has ended."""
        ...


class Searching(Protocol):
    """A calibration method whose search can be driven from outside."""

    @property
    def draw_shape(self) -> tuple[int, int] | None:
        """Chains and draws stored; None without a posterior."""
        ...

    def search(self, problem: PixelProblem, seed: np.random.SeedSequence, warm: WarmStart | None = None) -> Running:
        """The search of one pixel, not begun."""
        ...

    def summarise(self, search: Any) -> PixelResult:
        """Result of a finished search."""
        ...


class AskTell:
    """A search for a model that runs elsewhere: another language, files, a queue, other nodes.

    Parameters
    ----------
    method : MASM, or another method with ``search`` and ``summarise``
        The method.
    problem : PixelProblem
        The problem. Neither `simulate` nor `cost` is called; a problem with `cost` expects costs to be told.
    seed : SeedSequence
        Root of the random streams; the result is that of ``method.run`` to the bit.
    warm : WarmStart, optional
        What a neighbour's result offers as `warm`.

    Examples
    --------
    >>> import numpy as np
    >>> from gridcal.calibration import MASM, PixelProblem
    >>> time = np.linspace(0.0, 1.0, 30)
    >>> problem = PixelProblem(
    ...     names=("a", "b"), lower=[0.0, -1.0], upper=[2.0, 1.0], step=[0, 0], log=[False, False],
    ...     observations=1.2 - 0.4 * time, sigma=0.1, likelihood="fixed", n_eff=None, simulate=None)
    >>> task = MASM().ask_tell(problem, np.random.SeedSequence(1))
    >>> while (theta := task.ask()) is not None:
    ...     task.tell(theta[:, :1] + theta[:, 1:] * time)  # or write files, start jobs, read what they wrote
    >>> [round(float(x), 1) for x in task.result().estimate]
    [1.2, -0.4]
    """

    def __init__(
        self, method: Searching, problem: PixelProblem, seed: np.random.SeedSequence, warm: WarmStart | None = None
    ) -> None:
        self.method = method
        self.problem = problem
        self._early = problem.precheck()
        self._search = method.search(problem, seed, warm)
        self._steps = self._search.steps()
        self._asked: Array | None = None
        self._done = self._early != Status.ok

    def ask(self) -> Array | None:
        """Parameter sets (m, d) in physical units to run the model at; None when the search has ended.

        Asking again before telling gives the same sets.
        """
        if self._done:
            return None
        if self._asked is None:
            self._asked = next(self._steps, None)
            if self._asked is None:
                self._done = True
                return None
        return self.problem.physical(self._asked)

    def tell(self, outputs: Array) -> None:
        """Take the model's outputs (m, T), or costs (m,) where the problem is only a cost, at the sets last asked for.

        A row that is not finite is a failed run.

        Raises
        ------
        InputError
            If nothing was asked for, or the shape is not that of the sets and observations.
        """
        if self._asked is None:
            raise InputError("outputs were told that nobody asked for", "Call ask() first, and tell() once for each")
        outputs = np.asarray(outputs, dtype=float)
        m = self._asked.shape[0]
        expected = (m,) if self.problem.cost is not None else (m, self.problem.observations.size)
        if outputs.shape != expected:
            raise InputError(f"outputs have the shape {outputs.shape} in place of {expected}", "Give one row a parameter set")
        self._search.runs.record(self._asked, outputs)
        self._asked = None

    def evaluate(self, theta: Array) -> None:
        """Run the problem's own model at the sets last asked for, and tell."""
        model = self.problem.cost or self.problem.simulate
        assert model is not None
        with np.errstate(invalid="ignore", over="ignore"):
            self.tell(model(theta))

    def result(self) -> PixelResult:
        """Result of the finished search.

        Raises
        ------
        InputError
            If the search has not ended.
        """
        if not self._done and (self._asked is not None or self.ask() is not None):
            raise InputError("the search has not ended", "Go on until ask() gives None")
        if self._early != Status.ok:
            return PixelResult.empty(self.problem.d, self._early, self.method.draw_shape)
        return self.method.summarise(self._search)
