"""Powers with a whole exponent: a negative one raises in numba where its base is 0, and would end a block of lanes.

``x ** -2`` becomes ``1.0 / x ** 2``, infinite at 0 as ``x ** -2.0`` is; an exponent that is no literal is made a float, and
one that is a float already stays what it is, to the bit.
"""

from __future__ import annotations

import ast

AS_FLOAT = "_gc_float"
"""``float`` in a generated module, whatever a process calls by that name."""


def whole(node: ast.expr) -> int | None:
    """Value of a literal whole number, with its sign; None for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = whole(node.operand)
        return None if inner is None else (-inner if isinstance(node.op, ast.USub) else inner)
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def _is_float(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return _is_float(node.operand)
    return isinstance(node, ast.Constant) and type(node.value) is float


def power(base: ast.expr, exponent: ast.expr, known: float | None = None) -> ast.expr:
    """A power that is infinite, not an error, where 0 meets a negative exponent.

    `known` is the value of an exponent that is a name of a constant.
    """
    number = known if known is not None else whole(exponent)
    if isinstance(number, int) and number < 0:
        return ast.BinOp(ast.Constant(1.0), ast.Div(), ast.BinOp(base, ast.Pow(), ast.Constant(-number)))
    return ast.BinOp(base, ast.Pow(), safe(exponent, known))


def safe(exponent: ast.expr, known: float | None = None) -> ast.expr:
    """An exponent that numba does not raise at: whole and not negative, or a float."""
    number = known if known is not None else whole(exponent)
    if _is_float(exponent) or isinstance(number, float) or (isinstance(number, int) and number >= 0):
        return exponent
    return ast.Call(ast.Name(AS_FLOAT, ast.Load()), [exponent], [])
