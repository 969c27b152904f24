"""The user's own lines: forward is written as it stands in the code, where that reads nothing but what the program has."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Collection
from typing import Any

from autograd_np.derivations.source.writing import tidy

__all__ = ["Lines"]

_BUILTINS = frozenset(("len", "float", "int", "abs", "min", "max", "sum", "True", "False", "None"))
_ALLOWED = (
    ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Attribute, ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.Name, ast.Constant,
    ast.keyword, ast.operator, ast.unaryop, ast.cmpop, ast.expr_context,
)  # fmt: skip


class Lines:
    """The assignments of a function, and what it returns.

    Attributes
    ----------
    stored : set of str
        The variables that are assigned to.
    """

    def __init__(self, f: Callable[..., Any] | None) -> None:
        self._source = ""
        self._assigned: dict[str, list[ast.Assign]] = {}
        self._returned: list[ast.expr] = []
        self._first = 0
        self.stored: set[str] = set()
        if f is None:
            return
        try:
            lines, self._first = inspect.getsourcelines(inspect.unwrap(f))
            self._source = textwrap.dedent("".join(lines))
            tree = ast.parse(self._source)
        except (OSError, TypeError, SyntaxError):
            return
        self.stored = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        repeated = {n for loop in ast.walk(tree) if isinstance(loop, (ast.For, ast.While)) for n in ast.walk(loop)}
        inner = _of_others(tree)
        for node in ast.walk(tree):
            if node in repeated or node in inner:  # what it reads may be something else by now, or somebody else's
                continue
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self._assigned.setdefault(node.targets[0].id, []).append(node)
            elif isinstance(node, ast.Return) and node.value is not None:
                self._returned.append(node.value)
            elif isinstance(node, ast.Lambda):
                self._returned.append(node.body)

    def assignment(self, name: str, line: int | None, known: Collection[str]) -> tuple[str, frozenset[str]] | None:
        """Return the right side of the statement that gave a variable its value, and the names it reads.

        Parameters
        ----------
        name : str
        line : int or None
            The line that was executed, in the file.
        known : collection of str
            The names that mean in the program what they mean in the function.
        """
        found = [
            a for a in self._assigned.get(name, ()) if line is None or a.lineno <= line - self._first + 1 <= (a.end_lineno or a.lineno)
        ]
        return self._told(found[0].value, known) if len(found) == 1 else None

    def result(self, known: Collection[str]) -> tuple[str, frozenset[str]] | None:
        """Return what the function returns, if there is one place where it does and it returns one thing."""
        return self._told(self._returned[0], known) if len(self._returned) == 1 else None

    def _told(self, value: ast.expr, known: Collection[str]) -> tuple[str, frozenset[str]] | None:
        names = frozenset(n.id for n in ast.walk(value) if isinstance(n, ast.Name)) - _BUILTINS - {"np"}
        if not names <= set(known) or not all(isinstance(n, _ALLOWED) for n in ast.walk(value)):
            return None
        if any(isinstance(n, ast.Call) and not _is_numpys(n.func) for n in ast.walk(value)):
            return None
        return tidy(ast.unparse(value)), names


def _of_others(tree: ast.Module) -> set[ast.AST]:
    """Return what stands in the decorators of a function, and in the functions within it; a lambda is the function itself."""
    top = tree.body[0] if tree.body else None
    if not isinstance(top, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return set()
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
    inner = [n for part in top.body for n in ast.walk(part) if isinstance(n, kinds)]
    return {n for other in (*top.decorator_list, top.args, *inner) for n in ast.walk(other)}


def _is_numpys(function: ast.expr) -> bool:
    """Whether a function is NumPy's, or a method of an array, or one of Python's own for numbers; no random draw."""
    if isinstance(function, ast.Name):
        return function.id in _BUILTINS
    return isinstance(function, ast.Attribute) and "random" not in ast.unparse(function)
