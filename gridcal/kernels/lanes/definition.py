"""What a process or a helper says: its text as it was imported, checked against the code that Python runs.

A file may change while a session lives (an editor, git, an upgrade); Python then shows the new text beside the old code. The
text is read when a model is declared, kept, and never trusted where it does not compile to the function's own code.
"""

from __future__ import annotations
import __future__

import ast
import dis
import inspect
import tokenize
from collections.abc import Callable
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from gridcal.errors import ModelError

PREFIX = "_gc_"
"""Names that begin so belong to the generator."""

_FUTURE = __future__.annotations.compiler_flag
_SHAPE = (
    "co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_names", "co_varnames", "co_freevars", "co_cellvars",
)  # fmt: skip
_known: dict[CodeType, ast.FunctionDef] = {}
_signatures: dict[CodeType | None, Signature] = {}


class Signature(NamedTuple):
    """Rows that a process reads (its arguments) and writes (the names it returns)."""

    reads: list[str]
    writes: list[str]


def python_function(thing: Any) -> FunctionType | None:
    """The Python function of a function or of what numba made of one; None for anything else."""
    plain = getattr(thing, "py_func", thing)
    return plain if isinstance(plain, FunctionType) else None


def named(process: Any) -> str:
    """Name of a process for a message."""
    return getattr(process, "__name__", type(process).__name__)


def place(process: Any) -> str:
    """Name, file and line of a process for a message that has to tell two of one name apart."""
    function = python_function(process)
    if function is None:
        return named(process)
    return f"{function.__name__} ({function.__code__.co_filename}:{function.__code__.co_firstlineno})"


def definition(function: FunctionType) -> ast.FunctionDef:
    """Tree of a function's text, for reading only.

    Raises
    ------
    ModelError
        If there is no text, or if it is not that of the code.
    """
    code = function.__code__
    if code not in _known:
        _known[code] = _read(function)
    return _known[code]


def remember(thing: Any) -> None:
    """Read the text of a function and of every function that its names reach, as long as it is that of the code."""
    waiting, seen = [thing], set()
    while waiting:
        function = python_function(waiting.pop())
        if function is None or function.__code__ in seen:
            continue
        seen.add(function.__code__)
        try:
            definition(function)
        except ModelError:
            continue  # said when it is needed
        found = [function.__globals__.get(name) for name in function.__code__.co_names]
        waiting += found
        waiting += [vars(m).get(name) for m in found if isinstance(m, ModuleType) for name in function.__code__.co_names]
        waiting += [cell.cell_contents for cell in function.__closure__ or () if _filled(cell)]


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _read(function: FunctionType) -> ast.FunctionDef:
    code = function.__code__
    changed = ModelError(
        f"the text of {place(function)} is not that of the function Python runs: the file has changed since it was imported",
        "Start Python again, so that both are the same",
    )
    if code.co_filename == "<string>":  # from Python 3.13 on it is looked for in the command that Python was started with
        changed = _unreadable(function, "it was made from a string")
    if code.co_name == "<lambda>":
        raise ModelError(f"{place(function)} is a lambda", "Write it with def: its results need names")
    try:
        text = inspect.getsource(code)
    except (SyntaxError, tokenize.TokenError) as error:
        raise changed from error
    except (OSError, TypeError, IndexError) as error:
        if "out of bounds" in str(error):
            raise changed from error
        raise _unreadable(function, error) from error
    try:
        # an indented function: its comments and strings may start further left than itself
        tree = ast.parse("if True:\n" + text if text[:1].isspace() else text).body[0]
    except SyntaxError as error:
        raise changed from error
    found = tree.body[0] if isinstance(tree, ast.If) else tree
    if not isinstance(found, ast.FunctionDef):
        raise changed
    found.decorator_list = []
    modules = [n for n in code.co_names if isinstance(function.__globals__.get(n), ModuleType)]
    if not _same_code(_compiled(found, code, modules), code):
        raise changed
    return found


def _unreadable(function: FunctionType, why: object) -> ModelError:
    return ModelError(
        f"the text of {place(function)} cannot be read: {why}",
        "Write the function in a file; under worker processes in a module that each of them can import",
    )


def _compiled(tree: ast.FunctionDef, code: CodeType, modules: list[str]) -> CodeType | None:
    """Code of a function's text, compiled in a scope like its own: Python calls the functions of an import in its own way."""
    body: list[ast.stmt] = [tree]
    if code.co_freevars:
        around = "def around():\n" + "".join(f"    {name} = None\n" for name in code.co_freevars)
        outer = ast.parse(around).body[0]
        assert isinstance(outer, ast.FunctionDef)
        outer.body.append(tree)
        body = [outer]
    imports = [ast.Import([ast.alias(name)]) for name in modules]
    module = ast.fix_missing_locations(ast.Module([*imports, *body], []))
    try:
        made = compile(module, code.co_filename, "exec", flags=code.co_flags & _FUTURE, dont_inherit=True)
    except SyntaxError:
        return None
    parts = [c for c in made.co_consts if isinstance(c, CodeType)]
    if code.co_freevars:
        parts = [c for c in parts[0].co_consts if isinstance(c, CodeType)]
    return next((c for c in parts if c.co_name == tree.name), None)


def _same_code(a: Any, b: Any) -> bool:
    """Whether two codes do the same; the line, the file and how a call is prepared do not count."""
    if isinstance(a, CodeType) and isinstance(b, CodeType):
        same = all(getattr(a, n) == getattr(b, n) for n in _SHAPE) and len(a.co_consts) == len(b.co_consts)
        if same and all(_same_code(x, y) for x, y in zip(a.co_consts, b.co_consts, strict=True)):
            return a.co_code == b.co_code or _instructions(a) == _instructions(b)
        return False
    return type(a) is type(b) and (a == b if isinstance(a, frozenset) else repr(a) == repr(b))


def _instructions(code: CodeType) -> list[tuple[str, str]]:
    found = [i for i in dis.get_instructions(code) if i.opname not in ("CACHE", "PUSH_NULL", "EXTENDED_ARG", "NOP")]
    number = {i.offset: k for k, i in enumerate(found)}
    jumps = {*dis.hasjrel, *dis.hasjabs}

    def argument(i: dis.Instruction) -> str:
        if i.opcode in jumps:
            return str(next((number[x] for x in sorted(number) if x >= i.argval), -1))
        return "code" if isinstance(i.argval, CodeType) else repr(i.argval)

    return [("LOAD_ATTR" if i.opname == "LOAD_METHOD" else i.opname, argument(i)) for i in found]


def process_tree(process: Callable[..., Any]) -> ast.FunctionDef:
    """Tree of a process, which is straight-line with one return of plain names at its end.

    Raises
    ------
    ModelError
        If it is not; the message names the process.
    """
    function = python_function(process)
    if function is None:
        raise ModelError(
            f"{process!r} stands among the processes and is no Python function", "Write the process as a function with def"
        )
    tree, name = definition(function), function.__name__
    a = tree.args
    if a.vararg or a.kwarg or a.kwonlyargs:
        raise ModelError(
            f"process {name!r} takes arguments that are no plain names (*, ** or after a *)", "Name each row that it reads"
        )
    returns = [node for node in ast.walk(tree) if isinstance(node, ast.Return)]
    if len(returns) != 1 or tree.body[-1] is not returns[0]:
        problem = f"has {len(returns)} return statements" if len(returns) != 1 else "returns before its end"
        raise ModelError(f"process {name!r} {problem}", "Write it straight-line, with one return of plain names at the end")
    return tree


def read_write(process: Callable[..., Any]) -> Signature:
    """Names a process function reads (arguments) and writes (names in its return statement)."""
    function = python_function(process)
    code = None if function is None else function.__code__
    if code not in _signatures:
        _signatures[code] = _signature(process)
    reads, writes = _signatures[code]
    return Signature(list(reads), list(writes))


def _signature(process: Callable[..., Any]) -> Signature:
    tree = process_tree(process)
    last = tree.body[-1]
    assert isinstance(last, ast.Return)
    cells = last.value.elts if isinstance(last.value, ast.Tuple) else [last.value]
    names = [cell.id for cell in cells if isinstance(cell, ast.Name)]
    if len(names) != len(cells):
        raise ModelError(
            f"process {named(process)!r} returns an expression",
            "Return plain names: they are the names of the tables",
        )
    return Signature([a.arg for a in (*tree.args.posonlyargs, *tree.args.args)], names)
