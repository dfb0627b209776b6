"""The contract of a process model, checked by running it."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from gridcal.errors import ModelError
from gridcal.process.model import ProcessModel
from gridcal.vocabulary.units import normalise
from gridcal.vocabulary.variables import VARIABLES

Array = npt.NDArray[np.floating]

_PLAUSIBLE = {
    "tas": (-15.0, 32.0), "tasmin": (-20.0, 25.0), "tasmax": (-10.0, 38.0), "vpd": (0.0, 3.5), "par": (0.0, 14.0),
    "fapar": (0.05, 0.95), "wai": (0.02, 1.0), "co2": (360.0, 420.0), "ci": (0.05, 0.95), "pr": (0.0, 20.0),
    "rsds": (10.0, 350.0), "ps": (9.0e4, 1.02e5), "sfcWind": (0.5, 8.0), "huss": (0.001, 0.018), "clt": (0.0, 1.0),
    "rlds": (180.0, 420.0), "year_length": (365.0, 365.0), "lai": (0.0, 6.0), "gpp": (0.0, 14.0),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Conformance:
    """Outcome of :func:`check_model`.

    Parameters
    ----------
    model : str
        Name of the model.
    passed : tuple of str
        Checks that held.
    failed : tuple of str
        Checks that did not, each a sentence naming the entry and the repair.
    """

    model: str
    passed: tuple[str, ...]
    failed: tuple[str, ...]

    def __bool__(self) -> bool:
        return not self.failed

    def raise_for_failure(self) -> None:
        """Raise :class:`ModelError` naming the first failed check."""
        if self.failed:
            raise ModelError(f"model {self.model!r} does not conform: {self.failed[0]}")


def check_model(model: ProcessModel, *, days: int = 400, seed: int = 0) -> Conformance:
    """Check that a process model keeps gridcal's contract.

    Parameters
    ----------
    model : ProcessModel
        The model, shipped or your own.
    days : int
        Length of the trial runs.
    seed : int
        Seed of their forcing.

    Returns
    -------
    Conformance
        True if everything held; `failed` says what did not and how to mend it.
    """
    passed: list[str] = []
    failed: list[str] = []

    def check(name: str, problems: list[str]) -> None:
        (failed.extend(problems) if problems else passed.append(name))

    check("names and units", _tables(model))
    rng = np.random.default_rng(seed)
    n = 2 * model.width + 3
    forcing = [_series(model, name, days * model.steps, n, rng) for name in model.forcing]
    theta = model.parameters.from_unit(rng.uniform(0.05, 0.95, (n, len(model.parameters)))).T.copy()
    places = [model.site_default.get(name, 1.0) or 1.0 for name in model.site]  # masks are on
    site = np.repeat(np.array(places).reshape(-1, 1), n, axis=1)
    names = (*model.outputs, *model.extra_outputs)
    whole, state = model.run(theta, forcing, site, outputs=names)
    check(
        "finite outputs",
        [f"output {k!r} is not finite within the bounds" for k, y in zip(names, whole, strict=True) if not _finite(y)],
    )
    check("state split", _split(model, theta, forcing, site, names, whole, state, days // 3))
    check("lanes", _lanes(model, theta, forcing, site, names, whole))
    check("NaN rule", _nan(model, theta, forcing, site, names, whole))
    check("every parameter matters", _matters(model, theta, forcing, site))
    scale = {name: float(np.abs(y).max(initial=0.0)) for name, y in zip(names, whole, strict=True)}
    check("compiled agrees with plain Python", _plain(model, theta, forcing, site, scale))
    return Conformance(model.name, tuple(passed), tuple(failed))


def _finite(x: Array) -> bool:
    return bool(np.isfinite(x).all())


def _tables(model: ProcessModel) -> list[str]:
    problems = [
        f"forcing {n!r} is not in the vocabulary; add it to it or use its name" for n in model.forcing if n not in VARIABLES
    ]
    problems += [f"parameter {p.name!r} names no source" for p in model.parameters if not p.source.strip()]
    problems += [f"parameter {p.name!r} has no description" for p in model.parameters if not p.description.strip()]
    problems += [f"parameter {p.name!r} has no units; a dimensionless one has '1'" for p in model.parameters if not p.units]
    for name, units in {**model.outputs, **model.extra_outputs}.items():
        if name in VARIABLES and normalise(units) != normalise(VARIABLES[name].units):
            problems.append(f"output {name!r} has units {units!r}, the vocabulary says {VARIABLES[name].units!r}")
    if not model.source.strip():
        problems.append("the model names no source")
    return problems


def _series(model: ProcessModel, name: str, rows: int, n: int, rng: np.random.Generator) -> Array:
    day = np.arange(rows) // model.steps
    if name in ("doy", "day"):
        first, length = (1.0, 365) if name == "doy" else (1.0e4, rows)
        return np.repeat(first + day[:, None] % length, n, axis=1)
    low, high = _PLAUSIBLE.get(name, (0.0, 1.0))
    if name in model.domain:
        low, high = max(low, model.domain[name][0]), min(high, model.domain[name][1])
    season = 0.5 - 0.5 * np.cos(2.0 * np.pi * day / 365.0)
    mix = np.clip(0.6 * season[:, None] + 0.4 * rng.uniform(0.0, 1.0, (rows, n)), 0.0, 1.0)
    return low + (high - low) * mix


def _split(
    model: ProcessModel,
    theta: Array,
    forcing: list[Array],
    site: Array,
    names: tuple[str, ...],
    whole: tuple[Array, ...],
    state: Array,
    day: int,
) -> list[str]:
    row = day * model.steps
    first, middle = model.run(theta, [x[:row] for x in forcing], site, outputs=names)
    second, last = model.run(theta, [x[row:] for x in forcing], site, middle, outputs=names)
    same = all(
        np.array_equal(np.concatenate([a, b]), c) for a, b, c in zip(first, second, whole, strict=True)
    ) and np.array_equal(last, state)
    return [] if same else ["a run split in two differs from the whole run: some memory of the model is not in its state"]


def _lanes(
    model: ProcessModel,
    theta: Array,
    forcing: list[Array],
    site: Array,
    names: tuple[str, ...],
    whole: tuple[Array, ...],
) -> list[str]:
    pick = [0, model.width - 1, model.width, theta.shape[1] - 1]
    some, _ = model.run(theta[:, pick], [x[:, pick] for x in forcing], site[:, pick], outputs=names)
    same = all(np.array_equal(a, b[:, pick]) for a, b in zip(some, whole, strict=True))
    return [] if same else ["a pixel's result depends on the other pixels of its block"]


def _nan(
    model: ProcessModel,
    theta: Array,
    forcing: list[Array],
    site: Array,
    names: tuple[str, ...],
    whole: tuple[Array, ...],
) -> list[str]:
    holed = [x.copy() for x in forcing]
    day = holed[0].shape[0] // model.steps // 2
    holed[0][day * model.steps, 1] = np.nan
    some, _ = model.run(theta, holed, site, outputs=names)
    others = np.arange(theta.shape[1]) != 1
    problems = []
    for name, a, b in zip(names, some, whole, strict=True):
        if not np.array_equal(a[:, others], b[:, others]):
            problems.append(f"a gap in one pixel's forcing changes {name!r} in another pixel")
        row = day * model.results
        if not (np.isnan(a[row:, 1]).all() and np.array_equal(a[:row, 1], b[:row, 1])):
            problems.append(f"a gap in the forcing does not make {name!r} NaN from that day on")
    return problems


def _matters(model: ProcessModel, theta: Array, forcing: list[Array], site: Array) -> list[str]:
    problems = []
    base, _ = model.run(theta, forcing, site)
    for k, p in enumerate(model.parameters):
        moved = theta.copy()
        low, high = p.lower, p.upper
        moved[k] = np.where(theta[k] < 0.5 * (low + high), theta[k] + 0.3 * (high - low), theta[k] - 0.3 * (high - low))
        found, _ = model.run(moved, forcing, site)
        acts = any(not np.array_equal(a, b) for a, b in zip(base, found, strict=True))
        if acts == p.inert:
            word = "changes" if acts else "changes no"
            problems.append(f"parameter {p.name!r} {word} output; declare inert={not p.inert} or mend the kernel")
    return problems


def _plain(model: ProcessModel, theta: Array, forcing: list[Array], site: Array, scale: dict[str, float]) -> list[str]:
    """Every output of a few days of one pixel, process by process, in plain Python."""
    from gridcal.kernels.lanes.schedule import interpret

    days, names = 5, tuple(scale)
    state = model.initial_state(theta[:, :1], [x[:1, :1] for x in forcing], site[:, :1])
    values = dict(zip(model.parameters.names, theta[:, 0].tolist(), strict=True))
    values |= dict(zip(model.site, site[:, 0].tolist(), strict=True))
    problems, strayed = [], 0
    interpret(model.setup, values, model.constants)
    for day in range(days):
        today = [x[day * model.steps : (day + 1) * model.steps, :1] for x in forcing]
        values |= dict(zip((s.name for s in model.state), state[:, 0].tolist(), strict=True))
        passes = [{name: float(x[k, 0]) for name, x in zip(model.forcing, today, strict=True)} for k in range(model.steps)]
        values |= passes[0]
        outputs, state = model.run(theta[:, :1], today, site[:, :1], state, outputs=names)
        hours: list[dict[str, float]] = []
        interpret(model.processes, values, model.constants, passes, hours)
        rows = hours if model.results > 1 else [values]
        pairs = [
            (name, row[model.stored.get(name, name)], y[k, 0])
            for name, y in zip(names, outputs, strict=True)
            for k, row in enumerate(rows)
        ]
        # an hour in which snow starts to melt amplifies rounding: a schedule may stray on one day of the five, and not far
        tight = 1e-12 if not model.setup else 1e-9
        noise = 0.0 if not model.setup else 1e-13  # of what only mends the rounding of stores
        if model.setup and any(not _near(a, b, tight, scale[name], noise) for name, a, b in pairs):
            strayed += 1
            tight = 1e-4 if strayed == 1 else tight
        for name, a, b in pairs:
            if not _near(a, b, tight, scale[name], noise):
                problems.append(f"output {name!r} of day {day} differs between compiled code and plain Python")
    return problems[:1]


def _near(a: float, b: float, tight: float, scale: float, noise: float) -> bool:
    """Whether two numbers of an output agree; what is a difference of larger ones has its rounding from them."""
    return bool(np.isclose(a, b, rtol=tight, atol=max(1e-3 * tight * scale, noise)))
