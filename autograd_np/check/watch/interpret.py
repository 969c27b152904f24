"""An interpreter for one statement.

It evaluates an *edited* copy of a statement that the user's function has just executed, on the values it had there, to find
out which change makes it right. It walks the syntax tree; it compiles and evaluates no text.
"""

from __future__ import annotations

import ast
import builtins
import copy
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["CannotEvaluate", "evaluate", "execute", "read"]


class CannotEvaluate(Exception):  # noqa: N818 (a signal, never shown)
    """The interpreter does not know a construct; the edit is skipped."""


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


def execute(body: Sequence[ast.stmt], env: Mapping[str, Any], target: str) -> Any:
    """Return the value that variable `target` has after some statements; `env` itself is left as it is.

    Raises
    ------
    CannotEvaluate
        As `evaluate`, or if the statements do not set `target`.
    """
    try:
        scope = dict(env)
        for statement in body:
            scope = _after(statement, scope)
        return read(scope, target)
    except CannotEvaluate:
        raise
    except Exception as error:
        raise CannotEvaluate(str(error)) from error


def _after(statement: ast.stmt, scope: dict[str, Any]) -> dict[str, Any]:
    """Return the variables after a statement."""
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
            raise CannotEvaluate(type(statement).__name__)
    return scope


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
