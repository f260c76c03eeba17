"""Which mutants decide nothing: changes to a signature or an annotation."""

import ast
from collections.abc import Iterator
from functools import cache

Position = tuple[int, int]
"""A line, from 1 on, and a column."""

Span = tuple[Position, Position]


def decides_nothing(source: str, position: Position) -> bool:
    """Tell whether what stands at *position* is a part of a signature or of an annotation.

    A default value is none.
    """
    inside, defaults = _spans(source)
    return _within(position, inside) and not _within(position, defaults)


def _within(position: Position, spans: list[Span]) -> bool:
    return any(start <= position < end for start, end in spans)


@cache
def _spans(source: str) -> tuple[list[Span], list[Span]]:
    nodes = list(ast.walk(ast.parse(source)))
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    signatures = [(_start(function), _start(function.body[0])) for function in functions]
    annotations = [_span(node.annotation) for node in nodes if isinstance(node, ast.AnnAssign)]
    defaults = [_span(value) for function in functions for value in _defaults(function)]
    return [*signatures, *annotations], defaults


def _defaults(function: ast.FunctionDef) -> Iterator[ast.expr]:
    values = [*function.args.defaults, *function.args.kw_defaults]
    return (value for value in values if value is not None)


def _start(node: ast.stmt | ast.expr) -> Position:
    return node.lineno, node.col_offset


def _span(node: ast.expr) -> Span:
    return _start(node), (node.end_lineno or node.lineno, node.end_col_offset or 0)
