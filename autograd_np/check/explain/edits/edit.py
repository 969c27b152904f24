"""An edit of a line, the place it is made at, and the syntax trees for both."""

from __future__ import annotations

import ast
import copy
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_np.check.watch.interpret import CannotEvaluate, evaluate

__all__ = ["Edit", "Place", "is_array", "is_scalar", "number", "places_in", "text_of", "transposed", "value_of"]


@dataclass
class Edit:
    """One way a line may be wrong.

    Attributes
    ----------
    rank : float
        Simpler first.
    kind : str
        The mistake it undoes.
    message : str
        What is wrong, in the user's own names.
    made : ast.stmt, list of ast.stmt, or callable
        The statement without the mistake (or the statements in its place), or how to make it: most edits are never tried.
    factor : float or None
        For scales.
    """

    rank: float
    kind: str
    message: str
    made: ast.stmt | list[ast.stmt] | Callable[[], ast.stmt | list[ast.stmt]]
    factor: float | None = None

    @functools.cached_property
    def body(self) -> list[ast.stmt]:
        """The statements that stand in the place of the mistaken one; none if it should not be there."""
        made = self.made() if callable(self.made) else self.made
        return made if isinstance(made, list) else [made]


@dataclass(frozen=True)
class Place:
    """An expression in a statement that may hold the mistake.

    Attributes
    ----------
    statement : ast.stmt
        As the user wrote it.
    path : tuple
        Fields and indices that lead from the statement to the expression.
    node : ast.expr
        The expression.
    target : str
        The variable the statement sets, for messages.
    env : mapping
        The variables it was executed with.
    candidates : mapping
        The arrays it might have meant.
    """

    statement: ast.stmt
    path: tuple[Any, ...]
    node: ast.expr
    target: str
    env: Mapping[str, Any]
    candidates: Mapping[str, Any]

    def edit(self, rank: float, kind: str, message: str, new: ast.expr, factor: float | None = None) -> Edit:
        """Return the edit that puts another expression in this place."""
        return Edit(rank, kind, message, functools.partial(replace, self.statement, self.path, new), factor)

    @property
    def parent(self) -> Any:
        """The syntax tree the expression stands in."""
        tree: Any = self.statement
        for step in self.path[:-1]:
            tree = tree[step] if isinstance(step, int) else getattr(tree, step)
        return tree

    def value(self) -> Any:
        """Return the value of the expression, or ``None`` if it cannot be found out."""
        return value_of(self.node, self.env)


def replace(statement: ast.stmt, path: tuple[Any, ...], new: ast.expr) -> ast.stmt:
    """Return a copy of a statement with the expression at `path` replaced."""
    result = copy.deepcopy(statement)
    parent: Any = result
    for step in path[:-1]:
        parent = parent[step] if isinstance(step, int) else getattr(parent, step)
    if isinstance(path[-1], int):
        parent[path[-1]] = new
    else:
        setattr(parent, path[-1], new)
    return ast.fix_missing_locations(result)


def places_in(statement: ast.stmt, target: str, env: Mapping[str, Any], candidates: Mapping[str, Any]) -> Iterator[Place]:
    """Yield every expression on the right-hand side of a statement."""
    if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return)) and statement.value is not None:
        for path, node in _expressions(statement.value, ("value",)):
            yield Place(statement, path, node, target, env, candidates)


def _expressions(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], ast.expr]]:
    """Yield (path, expression) for an expression and all those in it."""
    if isinstance(node, ast.expr):
        yield path, node
    for name, value in ast.iter_fields(node):
        if name in ("ctx", "func") and not (name == "func" and isinstance(value, ast.Attribute)):
            continue
        if name == "func":
            yield from _expressions(value.value, (*path, "func", "value"))
        elif isinstance(value, ast.AST):
            yield from _expressions(value, (*path, name))
        elif isinstance(value, list):
            for i, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield from _expressions(item, (*path, name, i))


def text_of(node: ast.AST) -> str:
    """Return an expression as it may be written."""
    return ast.unparse(node)


def transposed(node: ast.expr) -> ast.expr:
    """Return ``node.T``."""
    return ast.Attribute(value=node, attr="T", ctx=ast.Load())


def number(x: float) -> ast.expr:
    """Return a number as an expression."""
    return ast.Constant(value=x)


def is_array(value: Any) -> bool:
    """Whether a value is NumPy's."""
    return isinstance(value, (np.ndarray, np.generic))


def value_of(node: ast.AST, env: Mapping[str, Any]) -> Any:
    """Return the value of an expression, or ``None`` if it cannot be found out."""
    try:
        return evaluate(node, env)
    except CannotEvaluate:
        return None


def _one_number(value: Any) -> bool:
    """Whether a variable is a single number, or a module or function that makes them."""
    return callable(value) or isinstance(value, (type(np), bool, int, float)) or (is_array(value) and value.size == 1)


def is_scalar(node: ast.expr, env: Mapping[str, Any]) -> bool:
    """Whether an expression is a number: no array, or only the shape of one."""
    for n in ast.walk(node):
        if isinstance(n, ast.Name) and not _one_number(env.get(n.id, 0.0)):
            inside_shape = any(isinstance(a, (ast.Attribute, ast.Call)) for a in ast.walk(node))
            if not (inside_shape and any(isinstance(a, ast.Attribute) and a.attr in ("shape", "size") for a in ast.walk(node))):
                return False
    return True
