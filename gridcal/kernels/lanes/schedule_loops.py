"""Lane loops of a schedule: the nest of loops of hours, iterations and layers, written to one file that numba caches.

The statements of the processes stand inside the loops themselves: numba then types and compiles a third of the functions.
What the loops call their own has a prefix that no process may use, and every process a loop of its own, whatever its name.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Mapping
from types import ModuleType

from gridcal.errors import ModelError
from gridcal.kernels.lanes.constants import constant_text
from gridcal.kernels.lanes.definition import named, read_write
from gridcal.kernels.lanes.lane_loops import Rows, head, imported
from gridcal.kernels.lanes.names import Names, written
from gridcal.kernels.lanes.schedule import Accumulate, Clear, Item, Layers, Repeat, WhereAny, flat, steps_of

_ENDINGS = (("_k", 0), ("_above", -1), ("_below", 1))


def statements_of(tree: ast.FunctionDef) -> list[str]:
    """Statements of a process, without those that compute nothing and the return."""
    return [written(s) for s in tree.body if not isinstance(s, ast.Return | ast.Expr | ast.Pass)]


class _Writer:
    """Text of the functions of a schedule, and the rows they use."""

    def __init__(self, rows: Rows, constants: Mapping[str, tuple[float, ...]], width: int) -> None:
        self.row: dict[str, int] = {}
        self.constants = constants
        self.forcing = rows.forcing
        self.width = width
        self.names = Names()
        self.tables: dict[str, str] = {}
        self.loops: dict[tuple, tuple[str, str]] = {}
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
                    for ending, shift in _ENDINGS:
                        base = name[: -len(ending)]
                        if name.endswith(ending) and base not in self.constants:
                            families[base] = max(families.get(base, 0), max(item.first, item.last) + shift)
        owner: dict[str, str] = {}
        for base, size in families.items():
            for k in range(1, size + 1):
                member = f"{base}{k}"
                if owner.setdefault(member, base) != base:
                    raise ModelError(
                        f"a layer of {base!r} and one of {owner[member]!r} are both called {member!r}",
                        "Give one of the two another name",
                    )
                self.row.setdefault(member, len(self.row))
            places = [self.row[f"{base}{k}"] for k in range(1, size + 1)]
            if places != list(range(places[0], places[0] + size)):
                raise ModelError(f"the layers of {base!r} are not declared one behind the other", "Declare them in order")
        for _, reads, writes in steps_of(items):
            for name in (*reads, *writes):
                if name in writes or self._constant(name) is None:
                    self.row.setdefault(name, len(self.row))
        for name in self.row:
            if self._constant(name) is not None:
                raise ModelError(
                    f"{name!r} is a row of the model and a number of its constants {name.rstrip('0123456789')!r}",
                    "Give one of the two another name",
                )

    def _constant(self, name: str) -> int | None:
        """Index of a name among the numbers of a constant; None if it is not one of them."""
        base = name.rstrip("0123456789")
        number = name[len(base) :]
        known = self.constants.get(base, ())
        return int(number) - 1 if number and 1 <= int(number) <= len(known) else None

    def layers(self, base: str) -> str:
        """Name of the array that holds a constant's numbers."""
        return self.names.unique(f"_gc_C_{base}", ("layers", base))

    def process(self, process: Callable, layers: Layers | None = None) -> str:
        """Write the loop over lanes with the statements of a process; the call."""
        reads, writes = read_write(process)
        key = (process, None if layers is None else (layers.first, layers.last))
        if key not in self.loops:
            name = f"l_{named(process)}" if layers is None else f"l_{named(process)}_{layers.first}_{layers.last}"
            loop = self.names.unique(name, key)
            pad = "        " if layers is None else "            "
            statements = [f"{n} = {self._cell(n, layers)}" for n in reads]
            statements += statements_of(self.names.process(process))
            statements += [f"{self._cell(n, layers)} = {n}" for n in writes]
            begin = ""
            if layers:
                down = layers.last < layers.first
                count = abs(layers.last - layers.first) + 1
                k = f"{layers.first - 1} - _gc_c" if down else f"{layers.first - 1} + _gc_c"
                begin = f"    for _gc_c in _gc_range({count}):\n        _gc_k = {k}\n"
            begin = f"@njit(**INNER)\ndef {loop}(_gc_B):\n{begin}{pad[4:]}for _gc_i in _gc_range({self.width}):\n"
            self.loops[key] = (loop, begin + textwrap.indent("\n".join(statements), pad))
        return f"{self.loops[key][0]}(B)"

    def _cell(self, name: str, layers: Layers | None) -> str:
        if layers is not None:
            for ending, shift in _ENDINGS:
                base = name[: -len(ending)]
                if name.endswith(ending):
                    if base in self.constants:
                        move = f"_gc_k + {shift}" if shift > 0 else (f"_gc_k - {-shift}" if shift else "_gc_k")
                        return f"{self.layers(base)}[{move}]"
                    # a downward sweep written with an upward counter, so that offsets stay known
                    sign = "-" if layers.last < layers.first else "+"
                    return f"_gc_B[({self.row[base + '1'] + layers.first - 1 + shift} {sign} _gc_c) * {self.width} + _gc_i]"
        if name not in self.row:
            return f"{self.layers(name.rstrip('0123456789'))}[{self._constant(name)}]"
        return f"_gc_B[{self.row[name] * self.width} + _gc_i]"

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
                lines += self.body(item.body, indent + "    ") or [indent + "    pass"]
            elif isinstance(item, Clear):
                if not item.names:
                    continue
                lines.append(f"{indent}clear(B, {self._table([self.row[n] for n in item.names])})")
            elif isinstance(item, Accumulate):
                if not item.terms:
                    continue
                targets = self._table([self.row[t] for t, _, _ in item.terms])
                sources = self._table([self.row[s] for _, s, _ in item.terms])
                lines.append(
                    f"{indent}accumulate(B, {targets}, {sources}, {self._table([float(f) for _, _, f in item.terms])})"
                )
            else:
                lines.append(indent + self.process(item))
        return lines

    def _table(self, values: list[int] | list[float], name: str = "N") -> str:
        """Name of a constant array: one for the same numbers."""
        text = constant_text(tuple(values))
        found = self.names.unique(f"_gc_{name}", (name, text))
        self.tables[found] = f"{found} = np.array({text})"
        return found

    def _repeat(self, item: Repeat, indent: str) -> list[str]:
        count = f"p{len(indent) // 4}"
        lines = [f"{indent}for {count} in range({item.times}):"]
        inner = indent + "    "
        if item.while_any:
            lines += [f"{inner}if not positive(B, {self.row[item.while_any]}):", f"{inner}    break"]
        for name, values in item.tables.items():
            if len(values) != item.times:
                raise ModelError(f"the table {name!r} has {len(values)} numbers for {item.times} passes", "Give one a pass")
            table = self._table([float(x) for x in values], f"T_{name}")
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
) -> tuple[str, Names, dict[str, int]]:
    """Text of the generated module of a schedule, what the names in it stand for, and the row of every name."""
    writer = _Writer(rows, constants, width)
    writer.allocate((*setup, *items))
    start = writer.body(setup, "    ") or ["    pass"]
    step = writer.body(items, " " * 12)
    layers = (f"{writer.layers(n)} = np.array({constant_text(tuple(map(float, x)))})" for n, x in constants.items())
    parts = [
        head(writer.names, width, len(writer.row)),
        "\n".join(["_gc_range = range", *layers, *writer.tables.values()]),
        _PARTS,
        *(text for _, text in writer.loops.values()),
        "@njit(**INNER)\ndef start(B):\n" + "\n".join(start),
        _schedule_driver(rows, writer.row, steps, step),
    ]
    return "\n\n\n".join(parts) + "\n", writer.names, writer.row


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
        "@cached(FAST)",
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
    return compiled_schedule(name, setup, items, rows, width, constants, steps)[0]


def compiled_schedule(
    name: str,
    setup: tuple[Item, ...],
    items: tuple[Item, ...],
    rows: Rows,
    width: int,
    constants: Mapping[str, tuple[float, ...]],
    steps: int,
) -> tuple[ModuleType, Names]:
    """As :func:`compile_schedule`, with the meanings of names: the module is right as long as they are unchanged."""
    source, names, row = schedule_source(setup, items, rows, width, constants, steps)
    module = imported(name, source)
    module.__dict__["ROW"] = row
    return module, names
