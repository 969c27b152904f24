"""What is private to a class: ``self.__W``, which Python knows by another name, ``self._Net__W``.

The trees of the user's functions have Python's names, so that what they name is found wherever it is read; what is said and what
is written into the user's lines has the user's.
"""

from __future__ import annotations

import ast
import copy
import re
from typing import cast

__all__ = ["as_said", "as_written", "give_private_names"]


def give_private_names(node: ast.AST, of: str) -> None:
    """Give all that a class keeps private the name that Python gives it, and functions what that begins with.

    Names of functions and classes stay as they are written.
    """
    if isinstance(node, (ast.FunctionDef, ast.Lambda)):
        node.private = of  # type: ignore[union-attr]
    for name in ("id", "attr", "arg") if of else ():
        written = getattr(node, name, None)
        if isinstance(written, str) and _is_private(written):
            setattr(node, name, of + written)
    inside = f"_{kind}" if isinstance(node, ast.ClassDef) and (kind := node.name.lstrip("_")) else of
    for part in ast.iter_child_nodes(node):
        give_private_names(part, inside)


def _is_private(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__") and "." not in name


class _AsWritten(ast.NodeTransformer):
    """Takes the class off the names of what is private to it."""

    def __init__(self, of: str) -> None:
        self.of = of

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name in ("id", "attr", "arg"):
            known = getattr(node, name, None)
            if isinstance(known, str) and known.startswith(f"{self.of}__"):
                setattr(node, name, known.removeprefix(self.of))
        return super().generic_visit(node)


def as_written(statement: ast.stmt, of: str) -> ast.stmt:
    """Return a statement with the names that were written for what is private to a class; the statement itself if it has none."""
    return cast(ast.stmt, _AsWritten(of).visit(copy.deepcopy(statement))) if f"{of}__" in ast.unparse(statement) else statement


def as_said(text: str, of: str) -> str:
    """Return words or code with the names that were written for what is private to a class.

    Examples
    --------
    >>> as_said("`self._Net__dW` is not finite", "_Net")
    '`self.__dW` is not finite'
    """
    return re.sub(rf"\b{of}(?=__[A-Za-z])", "", text)
