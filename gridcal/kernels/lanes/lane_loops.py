"""Lanes: many independent runs of one pixel's physics, advanced in lock-step.

The physics is written once, as straight-line scalar functions whose argument and result names are the names of the model's
tables. :func:`compile_lanes` writes the loops over ``W`` lanes on one flat block ``B[row * W + lane]`` (rows and ``W`` are
literals, so that LLVM sees known offsets and vectorises), together with the time loop, to a real file named by the hash of
its text, so that numba caches the compiled code and never serves old physics: the text holds the processes, what they call
and every number they use (:mod:`gridcal.kernels.lanes.names`).

A lane is a pixel when a region is simulated and a candidate parameter set when a pixel is calibrated.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from gridcal.errors import ModelError
from gridcal.kernels.jit import APART, FAST, INNER
from gridcal.kernels.lanes.definition import named, read_write, remember
from gridcal.kernels.lanes.names import Names, options_text, written
from gridcal.kernels.lanes.powers import AS_FLOAT


class Rows(NamedTuple):
    """Names of a model's tables, as the lane generator needs them."""

    parameters: tuple[str, ...]
    forcing: tuple[str, ...]
    site: tuple[str, ...]
    state: tuple[str, ...]
    outputs: tuple[str, ...]
    inert: tuple[str, ...] = ()


def check_rows(name: str, processes: tuple[Callable, ...], rows: Rows) -> None:
    """Raise :class:`ModelError` where the processes and the tables of model `name` do not agree."""
    check_steps(name, ((named(p), *read_write(p)) for p in processes), rows)
    for process in processes:
        remember(process)


def check_steps(
    name: str,
    steps: Iterable[tuple[str, list[str], list[str]]],
    rows: Rows,
    constants: Iterable[str] = (),
    carried: bool = False,
) -> None:
    """Raise :class:`ModelError` where processes (name, rows read, rows written) and tables of model `name` do not agree.

    With `carried`, a state that no process writes is allowed: it is passed on.
    """
    known = {*rows.parameters, *rows.forcing, *rows.site, *rows.state, *constants}
    used: set[str] = set()
    written: set[str] = set()
    for process, reads, writes in steps:
        missing = [n for n in reads if n not in known]
        if missing:
            raise ModelError(
                f"model {name!r}: process {process!r} reads {missing[0]!r}, which no table declares and no "
                "earlier process writes",
                "Declare it in parameters, forcing, site or state, or reorder the processes",
            )
        fixed = [n for n in writes if n in {*rows.parameters, *rows.forcing, *rows.site}]
        if fixed:
            raise ModelError(
                f"model {name!r}: process {process!r} writes {fixed[0]!r}, which is an input",
                "Write to a name of its own",
            )
        used.update(reads)
        known.update(writes)
        written.update(writes)
    lost = [n for n in rows.outputs if n not in written]
    if lost:
        raise ModelError(f"model {name!r}: no process writes the output {lost[0]!r}", "Add it to a return statement")
    frozen = [n for n in rows.state if n not in written]
    if frozen and not carried:
        raise ModelError(f"model {name!r}: no process writes the state {frozen[0]!r}", "Declare it as a site constant")
    idle = [n for n in (*rows.forcing, *rows.site, *rows.parameters) if n not in used and n not in rows.inert]
    if idle:
        raise ModelError(f"model {name!r}: no process reads {idle[0]!r}", "Remove it from the model's tables")


class Step(NamedTuple):
    """A process of a run: what it reads, what it writes, and when it has to run.

    ``stage`` is "place" or "fixed" (once, from site constants alone or with parameters), "weather" (each day, from forcing and
    place alone), "forced" (each day, from these and parameters, but from no state) or "daily". What needs no state has a loop
    of its own: the way from its first to its last operation is short, so that many lanes are under way at once.
    """

    process: Callable
    reads: list[str]
    writes: list[str]
    stage: str


def plan(processes: tuple[Callable, ...], rows: Rows) -> list[Step]:
    """Processes that outputs or state need, in calling order, each with its stage."""
    both = [read_write(p) for p in processes]
    live = {*rows.outputs, *rows.state}
    needed = []
    for process, (reads, writes) in reversed(list(zip(processes, both, strict=True))):
        if live.intersection(writes):
            needed.append((process, reads, writes))
            live = (live - set(writes)) | set(reads)
    every = [name for _, writes in both for name in writes]
    changing = {*rows.state, *(name for name in every if every.count(name) > 1)}
    known = {
        "place": set(rows.site),
        "fixed": {*rows.site, *rows.parameters},
        "weather": {*rows.site, *rows.forcing},
        "forced": {*rows.site, *rows.parameters, *rows.forcing},
    }
    through = {"place": tuple(known), "fixed": ("fixed", "forced"), "weather": ("weather", "forced"), "daily": ()}
    steps = []
    for process, reads, writes in reversed(needed):
        stages = [] if changing.intersection(writes) else [stage for stage, names in known.items() if names.issuperset(reads)]
        stage = stages[0] if stages else "daily"
        for later in through.get(stage, (stage,)):
            known[later].update(writes)
        steps.append(Step(process, reads, writes, stage))
    return steps


def head(names: Names, width: int, rows: int) -> str:
    """First lines of a generated module: options, constants and the functions that processes call."""
    options = {"APART": APART, "FAST": FAST, "INNER": INNER}
    lines = [
        '"""Generated by gridcal.kernels.lanes; do not edit."""',
        "import numpy as np",
        "from numba import njit",
        "",
        "from gridcal.kernels.jit import cached",
        "",
        *(f"{name} = {options_text(values)}" for name, values in options.items()),
        f"{AS_FLOAT} = float",
        *names.lines,
        "",
        f"W = {width}",
        f"ROWS = {rows}",
    ]
    return "\n\n\n".join(["\n".join(lines), *names.helpers])


def lane_source(processes: tuple[Callable, ...], rows: Rows, width: int) -> tuple[str, Names]:
    """Text of the generated module, and what the names in it stand for."""
    steps = plan(processes, rows)
    row: dict[str, int] = {}
    tables = (*rows.parameters, *rows.forcing, *rows.site, *rows.state)
    for name in (*tables, *(n for s in steps for n in s.writes)):
        row.setdefault(name, len(row))
    twice = sorted({n for n in tables if tables.count(n) > 1})
    if twice:
        raise ModelError(f"{twice[0]!r} stands in two tables of the model", "Give each entry a name of its own")
    names = Names()
    functions: dict[Callable, tuple[str, str]] = {}
    for step in steps:
        if step.process not in functions:
            tree = names.process(step.process)
            tree.name = names.unique(f"s_{tree.name}", step.process)
            functions[step.process] = (tree.name, f"@njit(**INNER)\n{written(tree)}")
    calls = {process: name for process, (name, _) in functions.items()}
    stages = {"fixed": ("place", "fixed"), "weather": ("weather",), "forced": ("forced",), "daily": ("daily",)}
    loops = [_loop(name, [s for s in steps if s.stage in which], steps, rows, row, calls) for name, which in stages.items()]
    tables_text = f"NAMES = {tuple(row)!r}\nOUTPUTS = np.array({[row[n] for n in rows.outputs]!r}, dtype=np.int64)\n"
    texts = [text for _, text in functions.values()]
    body = "\n\n\n".join([head(names, width, len(row)), tables_text, *texts, *loops, _MOVES, _driver(steps, rows, row)])
    return body + "\n", names


def _loop(name: str, part: list[Step], steps: list[Step], rows: Rows, row: dict[str, int], names: dict[Callable, str]) -> str:
    """Text of one loop over the lanes that runs a stage's processes; what no other stage reads stays in registers."""
    kept = {*rows.outputs, *rows.state, *(n for s in steps if s not in part for n in s.reads)}
    here: set[str] = set()
    before, calls = [], []
    for step in part:
        before += [n for n in dict.fromkeys(step.reads) if n not in here and n not in before]
        here.update(step.writes)
        results = ", ".join(f"v_{n}" for n in step.writes)
        calls.append(f"        {results} = {names[step.process]}({', '.join(f'v_{n}' for n in step.reads)})")
    text = [f"@njit(**{'INNER' if name == 'fixed' else 'APART'})", f"def {name}(B):", "    for i in range(W):"]
    text += [f"        v_{n} = B[{row[n]} * W + i]" for n in before]
    text += calls
    text += [f"        B[{row[n]} * W + i] = v_{n}" for n in row if n in here and n in kept]
    return "\n".join(text if part else [*text, "        pass"])


_MOVES = """@njit(**APART)
def take(f, B, row, t, first, m):
    x = B[row * W:row * W + W]
    bad = B[ROWS * W:ROWS * W + W]
    if f.shape[1] == 1:
        v = np.float64(f[t, 0])
        for i in range(W): x[i] = v
    elif m == W:
        y = f[t, first:first + W]
        for i in range(W): x[i] = y[i]
    else:
        for i in range(W): x[i] = f[t, first + min(i, m - 1)]
    for i in range(W): bad[i] = bad[i] + x[i] * 0.0


@njit(**APART)
def days(f, A, row, t):
    for i in range(W): A[row * W + i] = f[min(t + i, f.shape[0] - 1), 0]


@njit(**APART)
def spread(A, B, row, d):
    v = A[row * W + d]
    x = B[row * W:row * W + W]
    for i in range(W): x[i] = v


@njit(**APART)
def give(out, B, t, first, m):
    bad = B[ROWS * W:ROWS * W + W]
    for q in range(out.shape[0]):
        x = B[OUTPUTS[q] * W:OUTPUTS[q] * W + W]
        if m == W:
            y = out[q, t, first:first + W]
            for i in range(W): y[i] = x[i] + bad[i]
        else:
            for i in range(m): out[q, t, first + i] = x[i] + bad[i]"""


_BLOCKS = 8  # that take turns
_SPAN = 8  # days of a turn


def _driver(steps: list[Step], rows: Rows, row: dict[str, int]) -> str:
    """Text of ``run``: some blocks of lanes take turns, a span of days at a time; lanes are innermost.

    So the rows of forcing and results are walked through in one piece where more lanes than a block are asked for.

    Where all lanes share forcing and place, the weather's processes run on a block whose lanes are days: the same compiled
    loop, so that the numbers are the same to the bit. The row after the last holds NaN in the lanes whose inputs held one,
    else 0.
    """
    series = [f"f_{n}" for n in rows.forcing]
    weather = [n for s in steps if s.stage == "weather" for n in s.writes]
    seen = {n for s in steps if s.stage in ("forced", "daily") for n in s.reads} | set(rows.outputs)
    block = ["            B = blocks[s]", "            first = (base + s) * W", "            m = min(W, n - first)"]
    text = [
        "@cached(FAST)",
        f"def run(theta, site, state, out, {', '.join(series)}):",
        "    n = theta.shape[1]",
        f"    T = {series[0]}.shape[0]",
        "    count = (n + W - 1) // W",
        f"    blocks = np.zeros((min(count, {_BLOCKS}), (ROWS + 1) * W))",
        "    A = np.zeros((ROWS + 1) * W)",
        f"    shared = {' and '.join(f'{x}.shape[1] == 1' for x in series)}",
        "    for k in range(site.shape[0]):",
        "        for j in range(n):",
        "            shared = shared and site[k, j] == site[k, 0]",
        f"    span = W if shared else {_SPAN}",
        "    for base in range(0, count, blocks.shape[0]):",
        "        here = min(blocks.shape[0], count - base)",
        "        for s in range(here):",
        *block,
        "            for i in range(W):",
        "                j = first + min(i, m - 1)",
        "                b = 0.0",
    ]
    for group, names in (("theta", rows.parameters), ("site", rows.site), ("state", rows.state)):
        if names:
            text += [
                f"                for k in range({len(names)}):",
                f"                    B[({row[names[0]]} + k) * W + i] = {group}[k, j]",
                f"                    b += {group}[k, j] * 0.0",
            ]
    text += [
        "                B[ROWS * W + i] = b",
        "            fixed(B)",
        "        if shared:",
        "            for k in range(ROWS):",
        "                for i in range(W): A[k * W + i] = blocks[0, k * W]",
        "        for start in range(0, T, span):",
        "            if shared:",
        *(f"                days(f_{n}, A, {row[n]}, start)" for n in rows.forcing),
        "                weather(A)",
        "            for s in range(here):",
        *(f"    {line}" for line in block),
        "                for t in range(start, min(T, start + span)):",
        "                    if shared:",
        "                        d = t - start",
        *(f"                        spread(A, B, {row[n]}, d)" for n in (*rows.forcing, *weather) if n in seen),
        f"                        v = {' + '.join(f'A[{row[n]} * W + d] * 0.0' for n in rows.forcing)}",
        "                        if v != 0.0:",
        "                            for i in range(W): B[ROWS * W + i] = B[ROWS * W + i] + v",
        "                    else:",
        *(f"                        take(f_{n}, B, {row[n]}, t, first, m)" for n in rows.forcing),
        "                        weather(B)",
        "                    forced(B)",
        "                    daily(B)",
        "                    give(out, B, t, first, m)",
    ]
    if rows.state:
        text += [
            "        for s in range(here):",
            *block,
            f"            for k in range({len(rows.state)}):",
            f"                for i in range(m): state[k, first + i] = B[({row[rows.state[0]]} + k) * W + i] + B[ROWS * W + i]",
        ]
    return "\n".join(text)


def _folder() -> Path:
    """Folder of the generated modules: beside numba's cache where one is named, else the user's cache, else temporary."""
    home = os.environ.get("NUMBA_CACHE_DIR")
    choices = [Path(home)] if home else [Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))]
    choices.append(Path(tempfile.gettempdir()))
    for choice in choices:
        folder = choice / "gridcal-lanes"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise ModelError(
        f"no folder to write compiled models to (tried {', '.join(map(str, choices))})",
        "Set NUMBA_CACHE_DIR to a writable folder",
    )


def compile_lanes(name: str, processes: tuple[Callable, ...], rows: Rows, width: int) -> ModuleType:
    """Module of lane loops for a model.

    Parameters
    ----------
    name : str
        Name of the model, for the file name.
    processes : tuple of callable
        Straight-line scalar functions, in calling order.
    rows : Rows
        The model's tables.
    width : int
        Number of lanes.

    Returns
    -------
    module
        With ``run(theta, site, state, out, *forcing)``: theta (P, n), site (S, n), state (K, n, updated in place), out
        (outputs, T, n, written in place), each forcing (T, n) or (T, 1). A NaN in a lane's inputs makes its outputs
        NaN from that day on and leaves every other lane as it was, to the bit.

    Raises
    ------
    ModelError
        Where processes and tables do not agree.
    """
    return compiled_lanes(name, processes, rows, width)[0]


def compiled_lanes(name: str, processes: tuple[Callable, ...], rows: Rows, width: int) -> tuple[ModuleType, Names]:
    """As :func:`compile_lanes`, with the meanings of names: the module is right as long as they are unchanged."""
    check_rows(name, processes, rows)
    source, names = lane_source(processes, rows, width)
    return imported(name, source), names


def imported(name: str, source: str) -> ModuleType:
    """Write a generated module to a file named by the hash of its text, and import it."""
    digest = hashlib.sha256(source.encode()).hexdigest()[:16]
    stem = f"lanes_{re.sub(r'[^0-9A-Za-z_]', '_', name)}_{digest}"
    if stem in sys.modules:
        return sys.modules[stem]
    path = _folder() / f"{stem}.py"
    try:
        if not path.exists() or path.read_text(encoding="utf-8") != source:
            part = path.with_suffix(f".{uuid.uuid4().hex[:12]}.part")
            try:
                part.write_text(source, encoding="utf-8")
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(
            f"the compiled form of model {name!r} cannot be written to {path}: {error}",
            "Make room there, or set NUMBA_CACHE_DIR to a folder with room",
        ) from error
    spec = importlib.util.spec_from_file_location(stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[stem] = module
    return module
