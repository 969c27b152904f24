"""The text of a user's function: its statements and what it returns."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["Source"]


class Source:
    """A function's syntax tree, with the line numbers of the user's file.

    Attributes
    ----------
    filename : str
        Where the function is defined.
    tree : ast.FunctionDef or None
        ``None`` if there is no source (built at a prompt, or not a Python function).
    lines : dict
        Line number -> text.
    """

    def __init__(self, f: Callable[..., Any]) -> None:
        function = inspect.unwrap(getattr(f, "__func__", f))
        if not inspect.isfunction(function):
            function = getattr(type(f), "__call__", f)  # noqa: B004 (an instance that is called)
        self.filename = getattr(getattr(function, "__code__", None), "co_filename", "?")
        self.tree: ast.FunctionDef | None = None
        self._by_line: dict[int, ast.stmt] = {}
        self._written: dict[int, list[str]] = {}
        self.lines: dict[int, str] = {}
        try:
            text, first = inspect.getsourcelines(function)
        except (OSError, TypeError):
            return
        try:
            module = ast.parse(textwrap.dedent("".join(text)))
        except SyntaxError:
            return
        ast.increment_lineno(module, first - 1)
        self.lines = {first + i: line.rstrip("\n") for i, line in enumerate(text)}
        found = [n for n in ast.walk(module) if isinstance(n, ast.FunctionDef)]
        self.tree = found[0] if found else None
        if self.tree:
            for statement in _simple_statements(self.tree.body):
                for line in range(statement.lineno, (statement.end_lineno or statement.lineno) + 1):
                    self._by_line.setdefault(line, statement)

    def statement(self, line: int) -> ast.stmt | None:
        """Return the simple statement that spans `line`."""
        return self._by_line.get(line) if self.tree else None

    def first_line(self, line: int) -> int:
        """Return the line on which the statement that spans `line` begins."""
        statement = self.statement(line)
        return statement.lineno if statement else line

    def restarts(self, line: int) -> bool:
        """Whether reaching `line` begins its statement anew: it is the first line of one that fits on a line."""
        statement = self.statement(line)
        return statement is None or statement.lineno == statement.end_lineno

    def assigns(self, line: int) -> bool:
        """Whether the statement at `line` binds its targets anew, even if to the same value."""
        return isinstance(self.statement(line), (ast.Assign, ast.AugAssign, ast.AnnAssign))

    def written_by(self, line: int, scope: Mapping[str, Any]) -> dict[str, Any]:
        """Return the variables in `scope` that the statement at `line` may change; all of them without source."""
        if self.tree is None:
            return dict(scope)
        if line not in self._written:
            self._written[line] = _targets(self.statement(line))
        return {name: scope[name] for name in self._written[line] if name in scope}

    def text(self, line: int) -> str:
        """Return the text of a line, stripped."""
        return self.lines.get(line, "").strip()

    @property
    def returns(self) -> list[ast.Return]:
        """The function's own return statements."""
        if self.tree is None:
            return []
        return [s for s in _simple_statements(self.tree.body) if isinstance(s, ast.Return)]

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters."""
        return [a.arg for a in self.tree.args.args] if self.tree else []


def _targets(statement: ast.stmt | None) -> list[str]:
    """Return the names a statement binds or may write into: its targets, or the arguments of a bare call."""
    if isinstance(statement, ast.Expr):
        return list(dict.fromkeys(n.id for n in ast.walk(statement.value) if isinstance(n, ast.Name)))
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, (ast.AugAssign, ast.AnnAssign)):
        targets = [statement.target]
    else:
        return []
    found: dict[str, None] = {}
    for t in targets:
        for n in ast.walk(t):
            if isinstance(n, ast.Name) and (isinstance(n.ctx, ast.Store) or _is_base(n, t)):
                found[n.id] = None
    return list(found)


def _is_base(name: ast.Name, target: ast.expr) -> bool:
    """Whether `target` writes into `name`: it is the container, not an index."""
    parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
    for part in parts:
        while isinstance(part, (ast.Subscript, ast.Attribute, ast.Starred)):
            part = part.value
        if part is name:
            return True
    return False


def _simple_statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for s in body:
        if isinstance(s, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
            continue
        inner = [block for field in ("body", "orelse", "finalbody") if (block := getattr(s, field, None))]
        inner += [h.body for h in getattr(s, "handlers", [])]
        if not inner:
            yield s
        for block in inner:
            yield from _simple_statements(block)
