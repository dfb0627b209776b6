"""Lanes: many independent runs of one pixel's physics, advanced in lock-step.

The physics is written once, as straight-line scalar functions whose argument and result names are the names of the model's
tables. :func:`compile_lanes` writes the loops over ``W`` lanes on one flat block ``B[row * W + lane]`` (rows and ``W`` are
literals, so that LLVM sees known offsets and vectorises), together with the time loop, to a real file named by the hash of
its text, so that numba caches the compiled code and never serves old physics.

A lane is a pixel when a region is simulated and a candidate parameter set when a pixel is calibrated.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import os
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from gridcal.errors import ModelError


class Rows(NamedTuple):
    """Names of a model's tables, as the lane generator needs them."""

    parameters: tuple[str, ...]
    forcing: tuple[str, ...]
    site: tuple[str, ...]
    state: tuple[str, ...]
    outputs: tuple[str, ...]
    inert: tuple[str, ...] = ()


def read_write(process: Callable) -> tuple[list[str], list[str]]:
    """Names a process function reads (arguments) and writes (names in its return statement)."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(process))).body[0]
    returns = [node for node in ast.walk(tree) if isinstance(node, ast.Return)]
    if len(returns) != 1 or not isinstance(tree, ast.FunctionDef):
        raise ModelError(
            f"process {process.__name__!r} has {len(returns)} return statements",
            "Write it straight-line, with one return of plain names at the end",
        )
    value = returns[0].value
    cells = value.elts if isinstance(value, ast.Tuple) else [value]
    names = [cell.id for cell in cells if isinstance(cell, ast.Name)]
    if len(names) != len(cells):
        raise ModelError(
            f"process {process.__name__!r} returns an expression",
            "Return plain names: they are the names of the tables",
        )
    return [a.arg for a in tree.args.args], names


def check_rows(name: str, processes: tuple[Callable, ...], rows: Rows) -> None:
    """Raise :class:`ModelError` where the processes and the tables of model `name` do not agree."""
    check_steps(name, ((p.__name__, *read_write(p)) for p in processes), rows)


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


def _source_tree(function: Callable) -> str:
    """Source of a function and of everything it calls, for the hash."""
    text = inspect.getsource(function)
    for used in function.__code__.co_names:
        thing = function.__globals__.get(used)
        plain = getattr(thing, "py_func", thing)
        if inspect.isfunction(plain):
            text += _source_tree(plain)
        elif isinstance(thing, int | float | tuple):
            text += repr(thing)
    return text


def globals_of(process: Callable) -> tuple[dict[str, str], str]:
    """Imports or literals for the global names a process uses, and the sources of what it imports (for the hash)."""
    lines: dict[str, str] = {}
    sources = ""
    scope = inspect.unwrap(process).__globals__
    builtins = {"min", "max", "abs", "float", "int", "range"}
    for used in process.__code__.co_names:
        if used in builtins or used not in scope:
            continue
        thing = scope[used]
        if isinstance(thing, int | float):
            lines[used] = f"{used} = {thing!r}"
            continue
        plain = getattr(thing, "py_func", thing)
        module = getattr(plain, "__module__", None)
        if module is None:
            lines[used] = f"import {thing.__name__} as {used}"
        elif callable(plain):
            lines[used] = f"from {module} import {plain.__name__} as {used}"
            sources += _source_tree(plain)
    return lines, sources


def lane_source(processes: tuple[Callable, ...], rows: Rows, width: int) -> tuple[str, str]:
    """Text of the generated module, and the sources it depends on."""
    row: dict[str, int] = {}
    for group in (rows.parameters, rows.forcing, rows.site, rows.state):
        for name in group:
            row.setdefault(name, len(row))
    imports: dict[str, str] = {}
    depends = ""
    functions: list[str] = []
    loops: list[str] = []
    for process in processes:
        reads, writes = read_write(process)
        for name in writes:
            row.setdefault(name, len(row))
        lines, sources = globals_of(process)
        imports.update(lines)
        depends += sources
        text = textwrap.dedent(inspect.getsource(process))
        text = text[text.index("def ") :]
        functions.append(f"@njit(**LANE)\n{text.replace('def ', 'def s_', 1)}")
        cells = ", ".join(f"B[{row[n]} * W + i]" for n in reads)
        temps = ", ".join(f"r{j}" for j in range(len(writes)))
        stores = "\n".join(f"        B[{row[n]} * W + i] = r{j}" for j, n in enumerate(writes))
        loops.append(
            f"@njit(**LANE)\ndef l_{process.__name__}(B):\n    for i in range(W):\n"
            f"        {temps} = s_{process.__name__}({cells})\n{stores}"
        )
    calls = "\n".join(f"    l_{p.__name__}(B)" for p in processes)
    loops.append(f"@njit(**LANE)\ndef step(B):\n{calls}")
    head = (
        '"""Generated by gridcal.kernels.lanes; do not edit."""\n'
        "import numpy as np\nfrom numba import njit\n\nfrom gridcal.kernels.jit import FAST, LANE\n"
        + "\n".join(imports.values())
        + f"\n\nW = {width}\nROWS = {len(row)}\nNAMES = {tuple(row)!r}\n"
    )
    body = "\n\n\n".join([head, *functions, *loops, _driver(rows, row)])
    return body + "\n", depends


def _driver(rows: Rows, row: dict[str, int]) -> str:
    """Text of ``run``: blocks of lanes outside, time inside, lanes innermost."""
    bad = len(row)  # one row more: NaN in the lanes whose inputs held one, else 0
    series = [f"f_{n}" for n in rows.forcing]
    outs = [f"o_{n}" for n in rows.outputs]
    text = [
        "@njit(**FAST)",
        f"def run(theta, site, state, {', '.join([*series, *outs])}):",
        "    n = theta.shape[1]",
        f"    T = {series[0]}.shape[0]",
        "    B = np.zeros((ROWS + 1) * W)",
        "    for first in range(0, n, W):",
        "        m = min(W, n - first)",
        "        for i in range(W):",
        "            j = first + min(i, m - 1)",
        "            b = 0.0",
    ]
    for k, name in enumerate(rows.parameters):
        text.append(f"            B[{row[name]} * W + i] = theta[{k}, j]; b += theta[{k}, j] * 0.0")
    for k, name in enumerate(rows.site):
        text.append(f"            B[{row[name]} * W + i] = site[{k}, j]; b += site[{k}, j] * 0.0")
    for k, name in enumerate(rows.state):
        text.append(f"            B[{row[name]} * W + i] = state[{k}, j]; b += state[{k}, j] * 0.0")
    text += [f"            B[{bad} * W + i] = b", "        for t in range(T):"]
    for name in rows.forcing:
        text += [
            f"            if f_{name}.shape[1] == 1:",
            f"                v = np.float64(f_{name}[t, 0])",
            f"                for i in range(W): B[{row[name]} * W + i] = v",
            "            elif m == W:",
            f"                x = f_{name}[t, first:first + W]",
            f"                for i in range(W): B[{row[name]} * W + i] = x[i]",
            "            else:",
            f"                for i in range(W): B[{row[name]} * W + i] = f_{name}[t, first + min(i, m - 1)]",
        ]
    terms = " + ".join(f"B[{row[n]} * W + i] * 0.0" for n in rows.forcing)
    text += [
        f"            for i in range(W): B[{bad} * W + i] = B[{bad} * W + i] + {terms}",
        "            step(B)",
    ]
    for name in rows.outputs:
        text += [
            "            if m == W:",
            f"                y = o_{name}[t, first:first + W]",
            f"                for i in range(W): y[i] = B[{row[name]} * W + i] + B[{bad} * W + i]",
            "            else:",
            f"                for i in range(m): o_{name}[t, first + i] = B[{row[name]} * W + i] + B[{bad} * W + i]",
        ]
    text.append("        for i in range(m):")
    text += [f"            state[{k}, first + i] = B[{row[n]} * W + i] + B[{bad} * W + i]" for k, n in enumerate(rows.state)]
    if not rows.state:
        text.append("            pass")
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
        With ``run(theta, site, state, *forcing, *outputs)``: theta (P, n), site (S, n), state (K, n, updated in place),
        each forcing (T, n) or (T, 1), each output (T, n, written in place). A NaN in a lane's inputs makes its outputs
        NaN from that day on and leaves every other lane as it was, to the bit.

    Raises
    ------
    ModelError
        Where processes and tables do not agree.
    """
    check_rows(name, processes, rows)
    source, depends = lane_source(processes, rows, width)
    return imported(name, source, depends)


def imported(name: str, source: str, depends: str) -> ModuleType:
    """Write a generated module to a file named by the hash of its text and of the sources it uses, and import it."""
    digest = hashlib.sha256((source + depends).encode()).hexdigest()[:16]
    stem = f"lanes_{name}_{digest}".replace("-", "_")
    if stem in sys.modules:
        return sys.modules[stem]
    path = _folder() / f"{stem}.py"
    if not path.exists():
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_text(source, encoding="utf-8")
        part.replace(path)
    spec = importlib.util.spec_from_file_location(stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[stem] = module
    return module
