"""Lane loops of a schedule: the nest of loops of hours, iterations and layers, written to one file that numba caches.

The statements of the processes stand inside the loops themselves: numba then types and compiles a third of the functions.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from types import ModuleType

from gridcal.errors import ModelError
from gridcal.kernels.lanes.lane_loops import Rows, add_imports, globals_of, imported, read_write
from gridcal.kernels.lanes.schedule import Accumulate, Clear, Item, Layers, Repeat, WhereAny, flat, steps_of


def statements_of(process: Callable) -> list[str]:
    """Statements of a process function, without docstring and return."""
    body = ast.parse(textwrap.dedent(inspect.getsource(process))).body[0].body  # type: ignore[attr-defined]
    return [ast.unparse(s) for s in body if not isinstance(s, ast.Return | ast.Expr)]


class _Writer:
    """Text of the functions of a schedule, and the rows they use."""

    def __init__(self, rows: Rows, constants: Mapping[str, tuple[float, ...]]) -> None:
        self.row: dict[str, int] = {}
        self.constants = constants
        self.forcing = rows.forcing
        self.imports: dict[str, str] = {}
        self.depends = ""
        self.loops: dict[str, str] = {}
        for group in (rows.parameters, rows.forcing, rows.site, rows.state):
            for name in group:
                if name in self.row:
                    raise ModelError(f"{name!r} stands in two tables of the model", "Give each entry a name of its own")
                self.row[name] = len(self.row)

    def allocate(self, items: tuple[Item, ...]) -> None:
        """Give every name its row; the members of a layered family lie one behind the other."""
        families: dict[str, int] = {}
        for item in flat(items):
            if isinstance(item, Layers):
                reads, writes = read_write(item.process)
                for name in (*reads, *writes):
                    for ending, shift in (("_k", 0), ("_above", -1), ("_below", 1)):
                        base = name[: -len(ending)]
                        if name.endswith(ending) and base not in self.constants:
                            families[base] = max(families.get(base, 0), max(item.first, item.last) + shift)
        for base, size in families.items():
            for k in range(1, size + 1):
                self.row.setdefault(f"{base}{k}", len(self.row))
            places = [self.row[f"{base}{k}"] for k in range(1, size + 1)]
            if places != list(range(places[0], places[0] + size)):
                raise ModelError(f"the layers of {base!r} are not declared one behind the other", "Declare them in order")
        for _, reads, writes in steps_of(items):
            for name in (*reads, *writes):
                base = name.rstrip("0123456789")
                if base not in self.constants or name in self.row:
                    self.row.setdefault(name, len(self.row))

    def process(self, process: Callable, layers: Layers | None = None) -> str:
        """Write the loop over lanes with the statements of a process; the call."""
        reads, writes = read_write(process)
        name = process.__name__
        loop = f"l_{name}" if layers is None else f"l_{name}_{layers.first}_{layers.last}"
        if loop not in self.loops:
            lines, sources = globals_of(process)
            add_imports(self.imports, process, lines)
            self.depends += sources
            pad = "        " if layers is None else "            "
            statements = [f"{n} = {self._cell(n, layers)}" for n in reads]
            statements += statements_of(process)
            statements += [f"{self._cell(n, layers)} = {n}" for n in writes]
            head = ""
            if layers:
                down = layers.last < layers.first
                count = abs(layers.last - layers.first) + 1
                k = f"{layers.first - 1} - _c" if down else f"{layers.first - 1} + _c"
                head = f"    for _c in range({count}):\n        _k = {k}\n"
            head = f"@njit(**INNER)\ndef {loop}(B):\n{head}{pad[4:]}for _i in range(W):\n"
            self.loops[loop] = head + textwrap.indent("\n".join(statements), pad)
        return f"{loop}(B)"

    def _cell(self, name: str, layers: Layers | None) -> str:
        if layers is not None:
            for ending, shift in (("_k", 0), ("_above", -1), ("_below", 1)):
                base = name[: -len(ending)]
                if name.endswith(ending):
                    move = f"_k + {shift}" if shift > 0 else (f"_k - {-shift}" if shift else "_k")
                    if base in self.constants:
                        return f"C_{base}[{move}]"
                    if layers.last < layers.first:
                        # a downward sweep written with an upward counter, so that offsets stay known
                        return f"B[({self.row[base + '1'] + layers.first - 1 + shift} - _c) * W + _i]"
                    return f"B[({self.row[base + '1'] + layers.first - 1 + shift} + _c) * W + _i]"
        return f"B[{self.row[name]} * W + _i]"

    def body(self, items: tuple[Item, ...], indent: str) -> list[str]:
        """Statements of a schedule."""
        lines: list[str] = []
        for item in items:
            if isinstance(item, Layers):
                lines.append(indent + self.process(item.process, item))
            elif isinstance(item, Repeat):
                lines += self._repeat(item, indent)
            elif isinstance(item, WhereAny):
                lines.append(f"{indent}if positive(B, {self.row[item.name]}):")
                lines += self.body(item.body, indent + "    ")
            elif isinstance(item, Clear):
                lines.append(f"{indent}clear(B, {self._table([self.row[n] for n in item.names])})")
            elif isinstance(item, Accumulate):
                targets = self._table([self.row[t] for t, _, _ in item.terms])
                sources = self._table([self.row[s] for _, s, _ in item.terms])
                lines.append(f"{indent}accumulate(B, {targets}, {sources}, {self._table([f for _, _, f in item.terms])})")
            else:
                lines.append(indent + self.process(item))
        return lines

    def _table(self, values: list[int] | list[float]) -> str:
        """Name of a constant array."""
        name = f"N_{len(self.imports)}"
        self.imports[name] = f"{name} = np.array({tuple(values)!r})"
        return name

    def _repeat(self, item: Repeat, indent: str) -> list[str]:
        count = f"p{len(indent) // 4}"
        lines = [f"{indent}for {count} in range({item.times}):"]
        inner = indent + "    "
        if item.while_any:
            lines += [f"{inner}if not positive(B, {self.row[item.while_any]}):", f"{inner}    break"]
        for name, values in item.tables.items():
            table = f"T_{name}"
            self.imports[table] = f"{table} = np.array({tuple(values)!r})"
            lines += [f"{inner}v = {table}[{count}]", f"{inner}for i in range(W): B[{self.row[name]} * W + i] = v"]
        if item.forcing:
            size = len(self.forcing)
            lines.append(
                f"{inner}for q in range({size} * W): B[{self.row[self.forcing[0]]} * W + q] = F[{count} * {size} * W + q]"
            )
        lines += self.body(item.body, inner)
        if item.record:
            lines += [
                f"{inner}for q in range(Q.shape[0]):",
                f"{inner}    for i in range(W): O[({count} * Q.shape[0] + q) * W + i] = B[Q[q] * W + i]",
            ]
        return lines


def schedule_source(
    setup: tuple[Item, ...],
    items: tuple[Item, ...],
    rows: Rows,
    width: int,
    constants: Mapping[str, tuple[float, ...]],
    steps: int,
) -> tuple[str, str, dict[str, int]]:
    """Text of the generated module of a schedule, the sources it depends on, and the row of every name."""
    writer = _Writer(rows, constants)
    writer.allocate((*setup, *items))
    start = writer.body(setup, "    ") or ["    pass"]
    step = writer.body(items, " " * 12)
    head = [
        '"""Generated by gridcal.kernels.lanes.lane_loops; do not edit."""',
        "import numpy as np",
        "from numba import njit",
        "",
        "from gridcal.kernels.jit import APART, FAST, INNER",
        *writer.imports.values(),
        "",
        f"W = {width}",
        f"ROWS = {len(writer.row)}",
        *(f"C_{name} = np.array({tuple(values)!r})" for name, values in constants.items()),
    ]
    parts = [
        "\n".join(head),
        _PARTS,
        *writer.loops.values(),
        "@njit(**INNER)\ndef start(B):\n" + "\n".join(start),
        _schedule_driver(rows, writer.row, steps, step),
    ]
    return "\n\n\n".join(parts) + "\n", writer.depends, writer.row


_PARTS = """@njit(**INNER)
def positive(B, row):
    for i in range(W):
        if B[row * W + i] > 0.0:
            return True
    return False


@njit(**APART)
def clear(B, rows):
    for q in range(rows.shape[0]):
        for i in range(W): B[rows[q] * W + i] = 0.0


@njit(**APART)
def accumulate(B, targets, sources, factors):
    for q in range(targets.shape[0]):
        x = B[sources[q] * W:sources[q] * W + W]
        y = B[targets[q] * W:targets[q] * W + W]
        for i in range(W): y[i] += x[i] * factors[q]"""


def _schedule_driver(rows: Rows, row: dict[str, int], steps: int, step: list[str]) -> str:
    """Text of ``run`` for a schedule: `steps` rows of forcing a step; results by row number, daily and per pass."""
    series = [f"f_{n}" for n in rows.forcing]
    nf = len(series)
    first = {key: row[names[0]] for key, names in rows._asdict().items() if key in ("forcing", "state") and names}
    text = [
        "@njit(**FAST)",
        f"def run(theta, site, state, Q, R, by_pass, by_step, {', '.join(series)}):",
        "    n = theta.shape[1]",
        f"    T = {series[0]}.shape[0] // {steps}",
        "    passes = by_pass.shape[1] // max(T, 1)",
        "    B = np.zeros((ROWS + 1) * W)",
        f"    F = np.zeros({steps * nf} * W)",
        "    O = np.zeros(max(passes, 24) * Q.shape[0] * W)",
        "    for first in range(0, n, W):",
        "        m = min(W, n - first)",
        "        for i in range(W): B[ROWS * W + i] = 0.0",
    ]
    for group, names in (("theta", rows.parameters), ("site", rows.site), ("state", rows.state)):
        if names:
            text.append(f"        fill({group}, B, {row[names[0]]}, first, m)")
    text += ["        start(B)", "        for t in range(T):"]
    text.append(f"            series(({', '.join(series)},), F, B, t, first, m)")
    text += [
        f"            for q in range({nf} * W): B[{first['forcing']} * W + q] = F[q]",
        *step,
        "            give(Q, O, by_pass, B, t, passes, first, m)",
        "            last(R, by_step, B, t, first, m)",
    ]
    if rows.state:
        text += [f"        leave(state, B, {first['state']}, first, m)"]
    moves = _MOVES.replace("STEPS", str(steps)).replace("SERIES", str(nf))
    return moves + "\n\n\n" + "\n".join(text)


_MOVES = """@njit(**INNER)
def fill(table, B, row, first, m):
    for k in range(table.shape[0]):
        for i in range(W):
            v = table[k, first + min(i, m - 1)]
            B[(row + k) * W + i] = v
            B[ROWS * W + i] += v * 0.0


@njit(**INNER)
def leave(state, B, row, first, m):
    for k in range(state.shape[0]):
        for i in range(m): state[k, first + i] = B[(row + k) * W + i] + B[ROWS * W + i]


@njit(**INNER)
def series(forcing, F, B, t, first, m):
    for q in range(len(forcing)):
        f = forcing[q]
        one = f.shape[1] == 1
        for h in range(STEPS):
            for i in range(W):
                v = f[t * STEPS + h, 0 if one else first + min(i, m - 1)]
                F[(h * SERIES + q) * W + i] = v
                B[ROWS * W + i] += v * 0.0


@njit(**INNER)
def give(Q, O, by_pass, B, t, passes, first, m):
    for q in range(Q.shape[0]):
        for h in range(passes):
            for i in range(m):
                by_pass[q, t * passes + h, first + i] = O[(h * Q.shape[0] + q) * W + i] + B[ROWS * W + i]


@njit(**INNER)
def last(R, by_step, B, t, first, m):
    for q in range(R.shape[0]):
        for i in range(m): by_step[q, t, first + i] = B[R[q] * W + i] + B[ROWS * W + i]"""


def compile_schedule(
    name: str,
    setup: tuple[Item, ...],
    items: tuple[Item, ...],
    rows: Rows,
    width: int,
    constants: Mapping[str, tuple[float, ...]],
    steps: int,
) -> ModuleType:
    """Module of lane loops for a model with a schedule.

    Its ``run(theta, site, state, Q, R, by_pass, by_step, *forcing)`` records the rows numbered `R` after each step into
    `by_step` (R, T, n) and those numbered `Q` after each recorded pass into `by_pass` (Q, T * passes, n); ``ROW`` maps names to
    row numbers. So asking for other results compiles nothing anew.
    """
    source, depends, row = schedule_source(setup, items, rows, width, constants, steps)
    module = imported(name, source, depends)
    module.__dict__["ROW"] = row
    return module
