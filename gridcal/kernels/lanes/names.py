"""What the global names of a model's processes stand for, written out so that a generated module needs nothing else.

Constants are written as their values and helpers as their text, under names of the generator's own: what a name means in the
module of the process is what is computed, whatever other modules or the generator call by it. Nothing is imported but
mathematics and numba's intrinsics, so that the hash of the generated text covers all of it.
"""

from __future__ import annotations

import ast
import builtins
import copy
import functools
import math
import sys
from collections.abc import Callable
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from gridcal.errors import ModelError
from gridcal.kernels.code_digest import code_digest
from gridcal.kernels.jit import LANE, NO_DOOR
from gridcal.kernels.lanes.constants import constant_text
from gridcal.kernels.lanes.definition import PREFIX, definition, process_tree, python_function
from gridcal.kernels.lanes.powers import power, safe, whole

_MISSING = object()
_MATHEMATICS = ("math", "numpy")
_POWERS = (math.pow, np.power, np.float_power)


class Names:
    """Meanings of the global names of some processes, and whether they still hold.

    ``lines`` are the lines of the generated module that define constants, ``helpers`` the texts of functions.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.helpers: list[str] = []
        self._given: dict[Any, str] = {}
        self._taken = {PREFIX + name for name in ("float", "range", "B", "i", "c", "k")}
        self._globals: dict[tuple[int, str], tuple[dict, str, Any]] = {}
        self._attributes: dict[tuple[int, str], tuple[Any, str, Any]] = {}
        self._cells: list[tuple[Any, Any]] = []
        self._functions: list[tuple[FunctionType, CodeType, Any, Any]] = []
        self._arrays: list[tuple[np.ndarray, bytes]] = []

    def unchanged(self) -> bool:
        """Whether every name stands for what it stood for, so that a module made of them is still right."""
        for scope, name, thing in self._globals.values():
            now = scope.get(name, _MISSING)
            if now is not thing and not _same(now, thing):
                return False
        return (
            all(
                f.__code__ is code and _same(f.__defaults__, defaults) and _same(f.__kwdefaults__, others)
                for f, code, defaults, others in self._functions
            )
            and all(_same(getattr(owner, name, _MISSING), thing) for owner, name, thing in self._attributes.values())
            and all(_same(cell.cell_contents, thing) for cell, thing in self._cells)
            and all(array.tobytes() == content for array, content in self._arrays)
        )

    def process(self, process: Callable[..., Any]) -> ast.FunctionDef:
        """Definition of a process with its global names replaced by those of the generated module."""
        tree = process_tree(process)
        function = python_function(process)
        assert function is not None
        return self._definition(function, tree, f"process {function.__name__!r}")

    def unique(self, wanted: str, key: Any) -> str:
        """A name of the generated module for a thing known by `key`: always the same one, and for nothing else."""
        if key not in self._given:
            name, count = wanted, 1
            while name in self._taken:
                count += 1
                name = f"{wanted}_{count}"
            self._taken.add(name)
            self._given[key] = name
        return self._given[key]

    def _definition(self, function: FunctionType, tree: ast.FunctionDef, who: str) -> ast.FunctionDef:
        self._functions.append((function, function.__code__, function.__defaults__, function.__kwdefaults__))
        found = copy.deepcopy(tree)
        found.returns = None
        for node in ast.walk(found.args):
            if isinstance(node, ast.arg):
                node.annotation = None
        # a default is what it was when the function was made
        others = function.__kwdefaults__ or {}
        found.args.defaults = [_default(x, who) for x in function.__defaults__ or ()]
        found.args.kw_defaults = [_default(others[a.arg], who) if a.arg in others else None for a in found.args.kwonlyargs]
        first = found.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            found.body = found.body[1:] or [ast.Pass()]
        replace = _Replace(self, function, _Own(found, function, who), who)
        found.body = [replace.visit(statement) for statement in found.body]
        return found

    def look_up(self, function: FunctionType, name: str, who: str) -> Any:
        """What a name that is not the function's own stands for."""
        code = function.__code__
        if name in code.co_freevars and function.__closure__:
            cell = function.__closure__[code.co_freevars.index(name)]
            try:
                thing = cell.cell_contents
            except ValueError:
                raise _nowhere(who, name) from None
            self._cells.append((cell, thing))
            return thing
        thing = function.__globals__.get(name, _MISSING)
        self._globals[id(function.__globals__), name] = (function.__globals__, name, thing)
        if thing is _MISSING:
            thing = getattr(builtins, name, _MISSING)
        if thing is _MISSING:
            raise _nowhere(who, name)
        return thing

    def attribute(self, owner: Any, name: str, who: str) -> Any:
        """An attribute of a module or of another thing that is no constant."""
        thing = getattr(owner, name, _MISSING)
        if thing is _MISSING:
            raise ModelError(f"{who} uses the attribute {name!r} of {_called(owner)}, which has none", "Mend the name")
        self._attributes[id(owner), name] = (owner, name, thing)
        return thing

    def meaning(self, thing: Any, used: str, who: str) -> str:
        """Name in the generated module of what stands behind a name."""
        for module in _MATHEMATICS:
            if thing is sys.modules[module]:
                return self._line(used, f"import {module} as {{}}")
        known, home = getattr(thing, "__name__", None), getattr(thing, "__module__", None) or ""
        if isinstance(known, str) and callable(thing):
            if getattr(builtins, known, None) is thing:
                return self._line(known, f"{{}} = {known}")
            for module in (*_MATHEMATICS, *([home] if home.startswith("numpy.") else ())):
                if getattr(sys.modules.get(module), known, None) is thing:
                    return self._line(known, f"from {module} import {known} as {{}}")
        text = constant_text(thing)
        if text is not None:
            if isinstance(thing, np.ndarray):
                self._arrays.append((thing, thing.tobytes()))
            return self._line(used, f"{{}} = {text}")
        function = python_function(thing)
        if function is not None:
            return self._helper(thing, function)
        if hasattr(thing, "_defn"):
            return self._intrinsic(thing, who)
        raise _no_constant(who, repr(used), thing)

    def _line(self, used: str, text: str) -> str:
        fresh = (used, text) not in self._given
        name = self.unique(PREFIX + used, (used, text))
        if fresh:
            self.lines.append(text.format(name))
        return name

    def _helper(self, thing: Any, function: FunctionType) -> str:
        options = helper_options(thing, function)
        key = (function, options)
        if key in self._given:
            return self._given[key]
        name = self.unique(PREFIX + function.__name__.strip("<>"), key)
        found = self._definition(function, definition(function), f"function {function.__name__!r}")
        found.name = name
        self.helpers.append(f"@njit(**{options})\n{written(found)}")
        return name

    def _intrinsic(self, thing: Any, who: str) -> str:
        name, module = thing.__name__, thing.__module__
        if getattr(sys.modules.get(module), name, None) is not thing:
            raise ModelError(
                f"{who} uses the intrinsic {name!r}, which {module} does not hold under that name", "Define it in a module"
            )
        return self._line(name, f"from {module} import {name} as {{}}  # {code_digest(thing)}")


class _Own:
    """Names that a function binds itself, and those among them that hold one whole number."""

    def __init__(self, tree: ast.FunctionDef, function: FunctionType, who: str) -> None:
        bound: list[str] = []
        self.numbers: dict[str, int] = {}
        for node in ast.walk(tree):
            for name in _inner(node, tree):
                if name in function.__globals__:
                    raise ModelError(
                        f"{who} binds {name!r} within an expression or function of its own, and its file also has a {name!r}",
                        "Give one of the two another name",
                    )
            if isinstance(node, ast.arg):
                bound.append(node.arg)
            elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                bound.append(node.id)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef) and node is not tree:
                bound.append(node.name)
            elif isinstance(node, ast.Global | ast.Nonlocal | ast.Import | ast.ImportFrom):
                raise ModelError(f"{who} has a statement {ast.unparse(node)!r}", "Write it outside of the function")
            if isinstance(node, ast.Name | ast.arg):
                name = node.id if isinstance(node, ast.Name) else node.arg
                if name.startswith(PREFIX):
                    raise ModelError(
                        f"{who} uses the name {name!r}: names that begin with {PREFIX!r} are those of generated code",
                        "Give it another name",
                    )
        self.names = set(bound)
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                name, number = node.targets[0].id, whole(node.value)
                if number is not None and bound.count(name) == 1:
                    self.numbers[name] = number


def _inner(node: ast.AST, tree: ast.FunctionDef) -> list[str]:
    """Names that are bound in a scope inside a function's."""
    if isinstance(node, ast.comprehension):
        return [x.id for x in ast.walk(node.target) if isinstance(x, ast.Name)]
    if isinstance(node, ast.Lambda) or (isinstance(node, ast.FunctionDef) and node is not tree):
        return [x.arg for x in ast.walk(node.args) if isinstance(x, ast.arg)]
    return []


class _Replace(ast.NodeTransformer):
    """Puts the generated module's names in place of a function's global ones, and safe powers in place of its powers."""

    def __init__(self, names: Names, function: FunctionType, own: _Own, who: str) -> None:
        self.names, self.function, self.own, self.who = names, function, own, who
        self.values: dict[str, Any] = {}

    def _global(self, name: str) -> bool:
        return name not in self.own.names

    def _meaning(self, thing: Any, used: str) -> ast.expr:
        if getattr(builtins, used, _MISSING) is thing:
            return ast.Name(used, ast.Load())
        name = self.names.meaning(thing, used, self.who)
        self.values[name] = thing
        return ast.Name(name, ast.Load())

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if not self._global(node.id):
            return node
        return self._meaning(self.names.look_up(self.function, node.id, self.who), node.id)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        path: list[str] = []
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            path.insert(0, root.attr)
            root = root.value
        if not isinstance(root, ast.Name) or not self._global(root.id):
            self.generic_visit(node)
            return node
        thing, used = self.names.look_up(self.function, root.id, self.who), root.id
        while path and not _is_end(thing):
            used = path.pop(0)
            thing = self.names.attribute(thing, used, self.who)
        found = self._meaning(thing, used)
        for name in path:
            found = ast.Attribute(found, name, ast.Load())
        return found

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        if node.value is None:
            return ast.Pass()
        return self.generic_visit(ast.Assign([node.target], node.value, lineno=node.lineno))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        return power(node.left, node.right, self._number(node.right)) if isinstance(node.op, ast.Pow) else node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Pow) or not isinstance(node.target, ast.Name):
            return node
        base = ast.Name(node.target.id, ast.Load())
        return ast.Assign([node.target], power(base, node.value, self._number(node.value)), lineno=node.lineno)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if len(node.args) != 2 or node.keywords:
            return node
        text = ast.unparse(node.func)
        if text == "pow":
            return power(*node.args, self._number(node.args[1]))
        root = text.split(".")[0]
        thing = functools.reduce(lambda x, n: getattr(x, n, None), text.split(".")[1:], self.values.get(root))
        if any(thing is x for x in _POWERS):
            node.args[1] = safe(node.args[1], self._number(node.args[1]))
        return node

    def _number(self, node: ast.expr) -> float | None:
        """Value of an exponent that is the name of a constant."""
        if not isinstance(node, ast.Name):
            return None
        found = self.values.get(node.id, self.own.numbers.get(node.id))
        if isinstance(found, int | np.integer) and not isinstance(found, bool):
            return int(found)
        return float(found) if isinstance(found, float) else None


def _default(thing: Any, who: str) -> ast.expr:
    text = repr(thing) if thing is None or isinstance(thing, str) else constant_text(thing)
    if text is None:
        raise _no_constant(who, "a default value", thing)
    return ast.parse(text, mode="eval").body


def helper_options(thing: Any, function: FunctionType) -> str:
    """Options of a helper's compilation: those it was given, or those of physics in a lane.

    Python does not call it, and a division by zero in one lane does not end the others.
    """
    options = {"error_model": LANE["error_model"], **getattr(thing, "targetoptions", LANE), **NO_DOOR}
    options = {k: v for k, v in options.items() if k != "nopython" and not (k == "boundscheck" and v is None)}
    return options_text(options, f"function {function.__name__!r}")


def options_text(options: dict[str, Any], who: str = "") -> str:
    """Text of numba options: the same in every process."""
    parts = []
    for key, value in options.items():
        if isinstance(value, set | frozenset):
            text = "{" + ", ".join(sorted(map(repr, value))) + "}"
        elif value is None or isinstance(value, bool | str | int):
            text = repr(value)
        else:
            raise ModelError(
                f"{who} is compiled with the option {key} = {value!r}, which cannot be written down",
                "Decorate it with gridcal.kernels.jit.lane",
            )
        parts.append(f"{key!r}: {text}")
    return "{" + ", ".join(parts) + "}"


def written(tree: ast.AST) -> str:
    """Text of a tree that was put together."""
    return ast.unparse(ast.fix_missing_locations(tree))


def _is_end(thing: Any) -> bool:
    """Whether a thing is itself given to numba, and its attributes with it."""
    return (
        thing is math
        or thing is np
        or type(thing) in (bool, int, float, tuple)
        or isinstance(thing, np.ndarray | np.generic)
        or python_function(thing) is not None
    )


def _same(a: Any, b: Any) -> bool:
    if a is b:
        return True
    return type(a) is type(b) and isinstance(a, bool | int | float | tuple) and repr(a) == repr(b)


def _nowhere(who: str, name: str) -> ModelError:
    return ModelError(f"{who} uses {name!r}, which is defined nowhere", "Define or import it in the file of the function")


def _called(thing: Any) -> str:
    return repr(getattr(thing, "__name__", None) or type(thing).__name__)


def _no_constant(who: str, what: str, thing: Any) -> ModelError:
    if isinstance(thing, np.ndarray):
        kind = f"an array of {thing.size} values of type {thing.dtype}"
    elif isinstance(thing, ModuleType):
        kind = "a module"
    else:
        kind = f"a {type(thing).__name__}"
    return ModelError(
        f"{who} uses {what}, which is {kind}: compiled processes know numbers, tuples of numbers, small arrays of numbers, "
        "functions of Python, math and numpy",
        "Write it as one of these, or pass it as a parameter, a site constant or forcing",
    )
