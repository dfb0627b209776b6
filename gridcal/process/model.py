"""A process model: one declaration, and straight-line functions of one pixel compiled into lanes."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from gridcal.errors import ModelError
from gridcal.process.constraint import Constraint
from gridcal.process.parameters import ParameterTable
from gridcal.process.result_names import check_names

Array = npt.NDArray[np.floating]


@dataclasses.dataclass(frozen=True)
class State:
    """One state variable of a process model.

    Parameters
    ----------
    name, units, description : str
        Its name in the kernel, its units, what it is.
    initial : float or str
        Value at a cold start: a number, or the name of a forcing variable (its first day), site constant or parameter.
    """

    name: str
    units: str
    description: str
    initial: float | str = 0.0


@dataclasses.dataclass(frozen=True)
class SteadyState:
    """What makes a model's steady state exact and cheap (:func:`gridcal.steady_state`).

    Parameters
    ----------
    fast : tuple of str
        States that feed back on the model's fluxes; their yearly cycle is found by iteration.
    slow : tuple of str
        States that no flux of `replay`'s forcing depends on: over a year of given forcing their change is affine.
    replay : ProcessModel, optional
        The same pools driven by the model's forcing and outputs (matched by name), run instead of the model; the model itself
        without it.
    least_years : int
        Fewest years before the cycle counts as found.
    settling : tuple of str
        Further states that come to rest by themselves within years, extrapolated together with `fast` (soil water and heat).
    depth : int
        Number of earlier years that the extrapolation looks back to.
    """

    fast: tuple[str, ...]
    slow: tuple[str, ...]
    replay: ProcessModel | None = None
    least_years: int = 2
    settling: tuple[str, ...] = ()
    depth: int = 1


@dataclasses.dataclass(frozen=True)
class ProcessModel:
    """Declaration of a process model.

    Parameters
    ----------
    name, title, source : str
        Short name, one line, and citation.
    version : int
        Algorithm version; raise it when results change. It is part of every study's fingerprint.
    forcing : tuple of str
        Names of the time series the model reads, each a name of the vocabulary.
    site : dict of str to str
        Site constants the model reads and what they are. One that a cube lacks takes its value from `site_default`.
    parameters : ParameterTable
        The parameters.
    state : tuple of State
        The explicit state.
    outputs : dict of str to str
        Default outputs and their units.
    processes : tuple of callable
        Straight-line scalar functions in calling order; argument and result names are the names of these tables. They may
        use numbers, tuples of numbers, small arrays and functions of their file, of other modules, math and numpy: as these
        are when the model runs, and several processes may have one name.
    extra_outputs : dict of str to str
        Further names the processes write that can be asked for, with units.
    domain : dict of str to (float, float)
        Range of a forcing variable outside which the equations do not hold; an infinite limit is none.
    site_default : dict of str to float
        Values of site constants a cube need not have.
    constraints : tuple of Constraint
        What must hold of parameters and runs (:mod:`gridcal.process.constraint`).
    penalty_gradient : callable, optional
        ``penalty_gradient(theta (P, n)) -> (cost (n,), gradient (P, n))`` of the constraint costs.
    gradient : callable, optional
        ``gradient(theta, forcing, site, obs, weight) -> (sse, (P,))`` at one pixel.
    site_days : callable, optional
        ``site_days(forcing, site, obs, weight)``: observed days of many sites, with ``sse_gradient(theta (P, m), which (m,))
        -> (sse (m,), gradient (P, m))`` and ``sst``, as :class:`gridcal.models.lue.SiteDays`.
    width : int
        Lanes in a block.
    setup : tuple
        Processes run once, before the first step.
    constants : dict of str to tuple of float
        Numbers of the layers, for processes applied layer by layer (:class:`gridcal.kernels.lanes.schedule.Layers`).
    stored : dict of str to str
        Row that holds an output, where it is not the output's name.
    steps : int
        Rows of forcing in a step (24 for hourly forcing of a model with daily results).
    results : int
        Rows of output in a step (24 for hourly results).
    steady : SteadyState, optional
        How its steady state is found without hundreds of years.

    Raises
    ------
    ModelError
        If processes and tables do not agree, or a name is one that results use; the message names the entry.
    """

    name: str
    title: str
    source: str
    version: int
    forcing: tuple[str, ...]
    site: Mapping[str, str]
    parameters: ParameterTable
    state: tuple[State, ...]
    outputs: Mapping[str, str]
    processes: tuple[Any, ...]
    extra_outputs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    domain: Mapping[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    site_default: Mapping[str, float] = dataclasses.field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    penalty_gradient: Callable[[Array], tuple[Array, Array]] | None = None
    gradient: Callable[..., tuple[float, Array]] | None = None
    site_days: Callable[..., Any] | None = None
    width: int = 64
    setup: tuple[Any, ...] = ()
    constants: Mapping[str, tuple[float, ...]] = dataclasses.field(default_factory=dict)
    stored: Mapping[str, str] = dataclasses.field(default_factory=dict)
    steps: int = 1
    results: int = 1
    steady: SteadyState | None = None

    def __post_init__(self) -> None:
        from gridcal.kernels.lanes.lane_loops import check_rows, check_steps
        from gridcal.kernels.lanes.schedule import steps_of

        outputs = (*self.outputs, *self.extra_outputs)
        check_names(self.name, self.parameters.names, tuple(s.name for s in self.state), outputs)
        self._check_domain()
        rows = self._rows(tuple(self.stored.get(n, n) for n in self.outputs))
        if self._scheduled:
            numbers = [f"{base}{k + 1}" for base, values in self.constants.items() for k in range(len(values))]
            check_steps(self.name, steps_of((*self.setup, *self.processes)), rows, numbers, carried=True)
        else:
            check_rows(self.name, self.processes, rows)
        for constraint in self.constraints:
            for name in constraint.reads:
                self.output_units(name)
        known = {*self.forcing, *self.site, *self.parameters.names}
        for entry in self.state:
            if isinstance(entry.initial, str) and entry.initial not in known:
                raise ModelError(
                    f"model {self.name!r}: state {entry.name!r} starts from {entry.initial!r}, which no table declares",
                    "Give a number, or the name of a forcing variable, site constant or parameter",
                )

    def __hash__(self) -> int:
        return hash((self.name, self.version, self.parameters))

    def _check_domain(self) -> None:
        for name, limits in self.domain.items():
            entry = f"model {self.name!r}: domain of {name!r}"
            if name not in self.forcing:
                raise ModelError(f"{entry}, which is no forcing", f"Name one of: {', '.join(self.forcing)}")
            repair = "Give two numbers, the lower first; -inf or inf where there is no limit"
            try:
                lower, upper = (float(x) for x in limits)
            except (TypeError, ValueError) as error:
                raise ModelError(f"{entry} is {limits!r}, no pair of numbers", repair) from error
            if not lower < upper:
                raise ModelError(f"{entry} is {lower:g} .. {upper:g}, which holds nothing", repair)

    def _rows(self, outputs: tuple[str, ...]) -> Any:
        from gridcal.kernels.lanes.lane_loops import Rows

        starts = (s.initial for s in self.state if isinstance(s.initial, str))
        inert = (*(p.name for p in self.parameters if p.inert), *starts)
        return Rows(self.parameters.names, self.forcing, tuple(self.site), tuple(s.name for s in self.state), outputs, inert)

    def output_units(self, name: str) -> str:
        """Units of an output or extra output."""
        units = {**self.outputs, **self.extra_outputs}
        if name not in units:
            raise ModelError(f"model {self.name!r} has no output {name!r}", f"It has: {', '.join(units)}")
        return units[name]

    def with_parameters(self, table: ParameterTable) -> ProcessModel:
        """The same model with another parameter table (same names and order)."""
        if table.names != self.parameters.names:
            raise ModelError(
                f"the table's parameters {table.names} are not those of model {self.name!r}",
                f"Keep the names and their order: {', '.join(self.parameters.names)}",
            )
        return dataclasses.replace(self, parameters=table)

    def check_forcing(self, forcing: Sequence[npt.ArrayLike]) -> None:
        """Raise :class:`ModelError` if a forcing value lies outside the model's domain."""
        for name, values in zip(self.forcing, forcing, strict=True):
            if name in self.domain:
                lower, upper = self.domain[name]
                x = np.asarray(values)
                outside = (x < lower) | (x > upper)
                if outside.any():
                    raise ModelError(
                        f"{name} = {float(x[outside].flat[0]):g} lies outside the domain of model {self.name!r}, "
                        f"{lower:g} .. {upper:g}",
                        "Check its units, or leave these days out",
                    )

    def initial_state(self, theta: Array, forcing: Sequence[Any], site: Array) -> Array:
        """State of a cold start, shape (state, n)."""
        n = theta.shape[1]
        state = np.empty((len(self.state), n))
        names = list(self.site)
        for k, entry in enumerate(self.state):
            if not isinstance(entry.initial, str):
                state[k] = entry.initial
            elif entry.initial in self.forcing:
                state[k] = forcing[self.forcing.index(entry.initial)][0]
            elif entry.initial in names:
                state[k] = site[names.index(entry.initial)]
            else:
                state[k] = theta[self.parameters.index(entry.initial)]
        return state

    def run(
        self,
        theta: npt.ArrayLike,
        forcing: Sequence[npt.ArrayLike],
        site: npt.ArrayLike | None = None,
        state: npt.ArrayLike | None = None,
        *,
        outputs: Sequence[str] | None = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> tuple[tuple[Array, ...], Array]:
        """Run the model in lanes.

        Parameters
        ----------
        theta : array, shape (P, n)
            Parameters in the public order, one column a lane.
        forcing : sequence of arrays, each (T, n) or (T, 1)
            Time series in the order of `forcing`; (T, 1) is shared by all lanes.
        site : array, shape (S, n) or (S, 1), optional
            Site constants in declared order; defaults where the model has them.
        state : array, shape (K, n), optional
            State of the day before the first; a cold start without it.
        outputs : sequence of str, optional
            Names to return; the model's default outputs without it.
        dtype : dtype
            Of the outputs; inside, everything is float64.

        Returns
        -------
        outputs : tuple of arrays, each (T, n)
            In the order asked for. NaN where an input was NaN on that day or before.
        state : array, shape (K, n)
            State of the last day: pass it on to continue, bit for bit as if uninterrupted.

        Raises
        ------
        ModelError
            If a shape does not fit; the message names the table.
        """
        th = _read_only(theta, np.float64)
        if th.ndim != 2 or th.shape[0] != len(self.parameters):
            raise ModelError(f"theta of model {self.name!r} has shape {th.shape}", f"It must be ({len(self.parameters)}, n)")
        n = th.shape[1]
        if len(forcing) != len(self.forcing):
            raise ModelError(f"model {self.name!r} got {len(forcing)} forcing series", f"It reads: {', '.join(self.forcing)}")
        raw = [np.asarray(x) for x in forcing]
        kind = np.float32 if all(x.dtype == np.float32 for x in raw) else np.float64
        series = [_read_only(x, kind) for x in raw]
        length = series[0].shape[0]
        for name, x in zip(self.forcing, series, strict=True):
            if x.ndim != 2 or x.shape[0] != length or x.shape[1] not in (1, n):
                raise ModelError(
                    f"forcing {name!r} of model {self.name!r} has shape {x.shape}", f"It must be ({length}, {n} or 1)"
                )
        place = self._site(site, n)
        if state is None:
            st = self.initial_state(th, series, place)
        else:
            st = np.array(np.broadcast_to(np.asarray(state, dtype=np.float64), (len(self.state), n)), order="C")
        wanted = tuple(outputs) if outputs is not None else tuple(self.outputs)
        if self._scheduled:
            return self._run_schedule(th, series, place, st, wanted, dtype)
        for name in wanted:
            self.output_units(name)
        out = np.empty((len(wanted), length, n), dtype=dtype)
        if n and length:
            module = _compiled(self.name, self.processes, self._rows(wanted), self.width)
            _run(self.name, module, th, place, st, out, *series)
        return tuple(out), st

    @property
    def _scheduled(self) -> bool:
        from gridcal.kernels.lanes.schedule import is_scheduled

        return is_scheduled(self.processes)

    def _run_schedule(
        self, theta: Array, series: list[Any], site: Array, state: Array, wanted: tuple[str, ...], dtype: npt.DTypeLike
    ) -> tuple[tuple[Array, ...], Array]:
        length, n = series[0].shape[0], theta.shape[1]
        if length % self.steps:
            raise ModelError(
                f"model {self.name!r} got {length} rows of forcing, which are no whole number of days",
                f"Pass {self.steps} rows for each day, from the first hour of the first day on",
            )
        count = length // self.steps
        module = _compiled_schedule(
            self.name, self.setup, self.processes, self._rows(()), self.width, tuple(self.constants.items()), self.steps
        )
        unknown = [name for name in wanted if self.stored.get(name, name) not in module.ROW]
        if unknown:
            raise ModelError(
                f"model {self.name!r} has no output {unknown[0]!r}",
                f"It has: {', '.join({**self.outputs, **self.extra_outputs})}",
            )
        numbers = np.array([module.ROW[self.stored.get(name, name)] for name in wanted], dtype=np.int64)
        none = np.zeros(0, dtype=np.int64)
        # one type for all: every other one would compile the whole model again
        series = [_read_only(x, np.float64) for x in series]
        out = np.empty((len(wanted), count * self.results, n))
        if n and count:
            if self.results > 1:
                _run(self.name, module, theta, site, state, numbers, none, out, np.empty((0, count, n)), *series)
            else:
                _run(self.name, module, theta, site, state, none, numbers, np.empty((0, 0, n)), out, *series)
        return tuple(out.astype(dtype, copy=False)), state

    def _site(self, site: npt.ArrayLike | None, n: int) -> Array:
        if site is None:
            lacking = [name for name in self.site if name not in self.site_default]
            if lacking:
                raise ModelError(f"model {self.name!r} needs the site constant {lacking[0]!r}", "Pass `site`")
            site = np.array([[self.site_default[name]] for name in self.site]).reshape(len(self.site), 1)
        values = np.asarray(site, dtype=np.float64)
        if values.ndim != 2 or values.shape[0] != len(self.site) or values.shape[1] not in (1, n):
            raise ModelError(
                f"site of model {self.name!r} has shape {values.shape}", f"It must be ({len(self.site)}, {n} or 1)"
            )
        return _read_only(np.broadcast_to(values, (len(self.site), n)), np.float64)


def _read_only(x: npt.ArrayLike, dtype: npt.DTypeLike) -> Array:
    """Contiguous read-only view of an array, or copy of it.

    Whether an array may be written is part of its type: some inputs read-only and others not would be compiled again, and two
    compilations of the same code may differ in the last bit.
    """
    view = np.ascontiguousarray(x, dtype=dtype).view()
    view.flags.writeable = False
    return view


def _run(name: str, module: ModuleType, *arguments: Any) -> None:
    from numba.core.errors import NumbaError

    try:
        module.run(*arguments)
    except NumbaError as error:
        said = [x.strip() for x in str(error).splitlines() if x.strip() and not x.startswith(("Failed in", "During:", "-"))]
        raise ModelError(
            f"the processes of model {name!r} cannot be compiled: {' '.join(said[:3])}",
            "Write them with numbers, comparisons, min, max, and functions of math and numpy that take one number",
        ) from error


def _compiled_schedule(name: str, setup: Any, processes: Any, rows: Any, width: int, constants: Any, steps: int) -> ModuleType:
    return _right(_schedules, name, setup, processes, rows, width, constants, steps)


def _compiled(name: str, processes: tuple[Callable[..., Any], ...], rows: Any, width: int) -> ModuleType:
    return _right(_lanes, name, processes, rows, width)


def _right(made: Any, *key: Any) -> ModuleType:
    """A compiled module; made anew where a name in the processes stands for something else by now."""
    module, names = made(*key)
    if not names.unchanged():
        made.cache_clear()
        module, names = made(*key)
    return module


@functools.lru_cache(maxsize=64)
def _schedules(name: str, setup: Any, processes: Any, rows: Any, width: int, constants: Any, steps: int) -> tuple[Any, Any]:
    from gridcal.kernels.lanes.schedule_loops import compiled_schedule

    return compiled_schedule(name, setup, processes, rows, width, dict(constants), steps)


@functools.lru_cache(maxsize=64)
def _lanes(name: str, processes: tuple[Callable[..., Any], ...], rows: Any, width: int) -> tuple[Any, Any]:
    from gridcal.kernels.lanes.lane_loops import compiled_lanes

    return compiled_lanes(name, processes, rows, width)
