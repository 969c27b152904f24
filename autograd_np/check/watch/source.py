"""The text of a user's function: its statements, what it returns, and an interpreter for one statement.

The interpreter evaluates an *edited* copy of a statement the user's function has just executed, on the values
it had there, to find out which change makes it right. It walks the syntax tree; it compiles and evaluates no text.
"""

from __future__ import annotations

import ast
import builtins
import copy
import inspect
import operator
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

__all__ = ["CannotEvaluate", "Source", "evaluate", "execute"]


class CannotEvaluate(Exception):  # noqa: N818 (a signal, never shown)
    """The interpreter does not know a construct; the edit is skipped."""


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


# --- the interpreter ------------------------------------------------------------------------------

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.MatMult: operator.matmul,
    ast.Pow: operator.pow, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.BitAnd: operator.and_, ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_, ast.Invert: operator.invert,
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip


def evaluate(node: ast.AST, env: Mapping[str, Any]) -> Any:
    """Evaluate an expression on the values in `env`.

    Raises
    ------
    CannotEvaluate
        For a construct outside array arithmetic, an unknown name, or any error while computing.
    """
    try:
        with np.errstate(all="ignore"):
            return _value(node, env)
    except CannotEvaluate:
        raise
    except Exception as error:
        raise CannotEvaluate(str(error)) from error


def _value(node: Any, env: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            if node.id in env:
                return env[node.id]
            if hasattr(builtins, node.id):
                return getattr(builtins, node.id)
            raise CannotEvaluate(node.id)
        case ast.BinOp():
            return _BINARY[type(node.op)](_value(node.left, env), _value(node.right, env))
        case ast.UnaryOp():
            return _UNARY[type(node.op)](_value(node.operand, env))
        case ast.Compare() if len(node.ops) == 1 and type(node.ops[0]) in _COMPARE:
            return _COMPARE[type(node.ops[0])](_value(node.left, env), _value(node.comparators[0], env))
        case ast.Attribute() if not node.attr.startswith("__"):
            return getattr(_value(node.value, env), node.attr)
        case ast.Subscript():
            return _value(node.value, env)[_value(node.slice, env)]
        case ast.Slice():
            return slice(*(None if part is None else _value(part, env) for part in (node.lower, node.upper, node.step)))
        case ast.Tuple():
            return tuple(_value(e, env) for e in node.elts)
        case ast.List():
            return [_value(e, env) for e in node.elts]
        case ast.IfExp():
            return _value(node.body if _value(node.test, env) else node.orelse, env)
        case ast.Call():
            args = [a for e in node.args for a in (_value(e.value, env) if isinstance(e, ast.Starred) else (_value(e, env),))]
            keywords = {k.arg: _value(k.value, env) for k in node.keywords if k.arg is not None}
            return _value(node.func, env)(*args, **keywords)
    raise CannotEvaluate(type(node).__name__)


def execute(statement: ast.stmt, env: Mapping[str, Any], target: str) -> Any:
    """Return the value that variable `target` has after `statement`; `env` itself is left as it is.

    Raises
    ------
    CannotEvaluate
        As `evaluate`, or if the statement does not set `target`.
    """
    try:
        scope = dict(env)
        match statement:
            case ast.Assign():
                value = _value(statement.value, scope)
                for t in statement.targets:
                    _assign(t, value, scope)
            case ast.AnnAssign() if statement.value is not None:
                _assign(statement.target, _value(statement.value, scope), scope)
            case ast.AugAssign():
                old = _value(statement.target, scope)
                _assign(statement.target, _BINARY[type(statement.op)](old, _value(statement.value, scope)), scope)
            case ast.Expr(value=ast.Call()):
                scope = {k: copy.deepcopy(v) if isinstance(v, (np.ndarray, dict, list)) else v for k, v in scope.items()}
                _value(statement.value, scope)
            case _:
                raise CannotEvaluate(type(statement).__name__)  # noqa: TRY301
        return read(scope, target)
    except CannotEvaluate:
        raise
    except Exception as error:
        raise CannotEvaluate(str(error)) from error


def read(scope: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path such as ``dW``, ``grads['dW']`` or ``dhs[2]``."""
    tree = ast.parse(path, mode="eval").body
    return _value(tree, scope)


def _assign(target: ast.expr, value: Any, scope: dict[str, Any]) -> None:
    match target:
        case ast.Name():
            scope[target.id] = value
        case ast.Tuple() | ast.List():
            for t, v in zip(target.elts, value, strict=True):
                _assign(t, v, scope)
        case ast.Subscript(value=ast.Name(id=name)):
            container = copy.copy(scope[name])
            container[_value(target.slice, scope)] = value
            scope[name] = container
        case _:
            raise CannotEvaluate(type(target).__name__)
