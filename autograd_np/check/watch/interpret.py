"""An interpreter for one statement.

It executes an *edited* copy of a statement that the user's function has just executed, on the values it had there, to find
out which change makes it right. It walks the syntax tree; it compiles and evaluates no text. What the statement may write
into is copied before, so that the values stay as they were.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import copy
import functools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_np.check.watch.effects import copies_of, names_in, only_reads

__all__ = ["CannotEvaluate", "evaluate", "execute", "parsed", "read"]

STEPS = 20_000
"""So many statements and passes of a loop are executed before the interpreter gives up."""


class CannotEvaluate(Exception):  # noqa: N818 (a signal, never shown)
    """The interpreter does not know a construct; the edit is skipped."""


class _Break(Exception):  # noqa: N818
    """A loop ends."""


class _Continue(Exception):  # noqa: N818
    """A pass of a loop ends."""


_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.MatMult: operator.matmul,
    ast.Pow: operator.pow, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.BitAnd: operator.and_, ast.BitOr: operator.or_,
    ast.BitXor: operator.xor, ast.LShift: operator.lshift, ast.RShift: operator.rshift,
}  # fmt: skip
_IN_PLACE: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.iadd, ast.Sub: operator.isub, ast.Mult: operator.imul, ast.Div: operator.itruediv, ast.MatMult: operator.imatmul,
    ast.Pow: operator.ipow, ast.FloorDiv: operator.ifloordiv, ast.Mod: operator.imod, ast.BitAnd: operator.iand, ast.BitOr: operator.ior,
    ast.BitXor: operator.ixor, ast.LShift: operator.ilshift, ast.RShift: operator.irshift,
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_, ast.Invert: operator.invert,
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq, ast.NotEq: operator.ne,
    ast.Is: operator.is_, ast.IsNot: operator.is_not, ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip


@contextlib.contextmanager
def _guarded() -> Iterator[None]:
    """Let no warning of arithmetic out, and no exception but `CannotEvaluate`."""
    try:
        with np.errstate(all="ignore"):
            yield
    except CannotEvaluate:
        raise
    except Exception as error:
        raise CannotEvaluate(str(error)) from error


def evaluate(node: ast.expr, env: Mapping[str, Any]) -> Any:
    """Evaluate an expression on the values in `env`, which stay as they are.

    Raises
    ------
    CannotEvaluate
        For a construct the interpreter does not know, an unknown name, or any error while computing.
    """
    with _guarded():
        return _value(node, env if only_reads(node, env) else {**env, **copies_of(names_in(node), env)})


def execute(body: Sequence[ast.stmt], env: Mapping[str, Any], target: str) -> Any:
    """Return the value that variable `target` has after some statements; `env` and what it holds are left as they are.

    Raises
    ------
    CannotEvaluate
        As `evaluate`, or if `target` has no value afterwards.
    """
    simple = all(isinstance(s, (ast.Assign, ast.AugAssign, ast.AnnAssign)) and only_reads(s, env) for s in body)
    with _guarded():
        scope = {**env, **({} if simple else copies_of(set().union(*map(names_in, body)), env))}
        _Execution(copying=simple).run(body, scope)
        return read(scope, target)


def read(scope: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path such as ``dW``, ``grads['dW']`` or ``dhs[2]``."""
    return _value(parsed(path), scope)


@functools.lru_cache(maxsize=4096)
def parsed(path: str) -> ast.expr:
    """Return the syntax tree of a path."""
    return ast.parse(path, mode="eval").body


# --- expressions


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
        case ast.Compare():
            return _compared(node, env)
        case ast.BoolOp():
            stops = isinstance(node.op, ast.Or)
            for part in node.values:
                value = _value(part, env)
                if bool(value) is stops:
                    break
            return value
        case ast.Attribute() if not node.attr.startswith("__"):
            return getattr(_value(node.value, env), node.attr)
        case ast.Subscript():
            return _value(node.value, env)[_value(node.slice, env)]
        case ast.Slice():
            return slice(*(None if part is None else _value(part, env) for part in (node.lower, node.upper, node.step)))
        case ast.Tuple():
            return tuple(_items(node.elts, env))
        case ast.List():
            return _items(node.elts, env)
        case ast.Set():
            return set(_items(node.elts, env))
        case ast.Dict():
            found: dict[Any, Any] = {}
            for key, value in zip(node.keys, node.values, strict=True):
                found.update(_value(value, env) if key is None else {_value(key, env): _value(value, env)})
            return found
        case ast.IfExp():
            return _value(node.body if _value(node.test, env) else node.orelse, env)
        case ast.Call():
            keywords: dict[str, Any] = {}
            for k in node.keywords:
                keywords.update(_value(k.value, env) if k.arg is None else {k.arg: _value(k.value, env)})
            return _value(node.func, env)(*_items(node.args, env), **keywords)
        case ast.ListComp() | ast.GeneratorExp():
            return [_value(node.elt, scope) for scope in _comprehended(node.generators, env)]
        case ast.SetComp():
            return {_value(node.elt, scope) for scope in _comprehended(node.generators, env)}
        case ast.DictComp():
            return {_value(node.key, scope): _value(node.value, scope) for scope in _comprehended(node.generators, env)}
        case ast.Lambda():
            return _function(node, env)
        case ast.JoinedStr():
            return "".join(str(_value(v, env)) for v in node.values)
        case ast.FormattedValue():
            value = _value(node.value, env)
            shown = value if node.conversion < 0 else str(value) if chr(node.conversion) == "s" else repr(value)
            return format(shown, _value(node.format_spec, env) if node.format_spec else "")
    raise CannotEvaluate(type(node).__name__)


def _items(nodes: Sequence[ast.expr], env: Mapping[str, Any]) -> list[Any]:
    return [x for e in nodes for x in (_value(e.value, env) if isinstance(e, ast.Starred) else (_value(e, env),))]


def _compared(node: ast.Compare, env: Mapping[str, Any]) -> Any:
    left, result = _value(node.left, env), True
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = _value(comparator, env)
        result = _COMPARE[type(op)](left, right)
        if len(node.ops) > 1 and not result:
            break
        left = right
    return result


def _comprehended(generators: Sequence[ast.comprehension], env: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the variables at each element of a comprehension."""
    if not generators:
        yield env
        return
    first, *rest = generators
    for item in _value(first.iter, env):
        scope = dict(env)
        _assign(first.target, item, scope)
        if all(_value(test, scope) for test in first.ifs):
            yield from _comprehended(rest, scope)


def _function(node: ast.Lambda, env: Mapping[str, Any]) -> Callable[..., Any]:
    names = [a.arg for a in [*node.args.posonlyargs, *node.args.args]]
    defaults = dict(zip(reversed(names), reversed([_value(d, env) for d in node.args.defaults]), strict=False))
    return lambda *args, **keywords: _value(node.body, {**env, **defaults, **dict(zip(names, args, strict=False)), **keywords})


# --- statements


class _Execution:
    """Statements executed one after the other, a bounded number of them.

    With `copying`, what an assignment writes into is copied first; otherwise all the variables are copies already.
    """

    def __init__(self, *, copying: bool) -> None:
        self.left = STEPS
        self.copying = copying

    def run(self, body: Sequence[ast.stmt], scope: dict[str, Any]) -> None:
        """Execute statements; what they bind is put into `scope`."""
        for statement in body:
            self._count()
            self._step(statement, scope)

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise CannotEvaluate("too many steps")

    def _step(self, statement: ast.stmt, scope: dict[str, Any]) -> None:
        match statement:
            case ast.Assign():
                value = _value(statement.value, scope)
                for target in statement.targets:
                    self._assign(target, value, scope)
            case ast.AnnAssign():
                if statement.value is not None:
                    self._assign(statement.target, _value(statement.value, scope), scope)
            case ast.AugAssign():
                if self.copying:
                    _own(statement.target, scope)
                old = _value(statement.target, scope)
                _assign(statement.target, _IN_PLACE[type(statement.op)](old, _value(statement.value, scope)), scope)
            case ast.Expr():
                _value(statement.value, scope)
            case ast.If():
                self.run(statement.body if _value(statement.test, scope) else statement.orelse, scope)
            case ast.For():
                self._loop(statement, _value(statement.iter, scope), scope)
            case ast.While():
                self._loop(statement, iter(lambda: bool(_value(statement.test, scope)), False), scope)
            case ast.With():
                with contextlib.ExitStack() as stack:
                    for item in statement.items:
                        entered = stack.enter_context(_value(item.context_expr, scope))
                        if item.optional_vars is not None:
                            _assign(item.optional_vars, entered, scope)
                    self.run(statement.body, scope)
            case ast.Delete():
                for target in statement.targets:
                    _delete(target, scope)
            case ast.Assert():
                if not _value(statement.test, scope):
                    raise CannotEvaluate("an assertion fails")
            case ast.Pass():
                pass
            case ast.Break():
                raise _Break
            case ast.Continue():
                raise _Continue
            case _:
                raise CannotEvaluate(type(statement).__name__)

    def _assign(self, target: ast.expr, value: Any, scope: dict[str, Any]) -> None:
        for part in target.elts if self.copying and isinstance(target, (ast.Tuple, ast.List)) else [target]:
            if self.copying and isinstance(part, (ast.Subscript, ast.Attribute)):
                _own(part.value, scope)
        _assign(target, value, scope)

    def _loop(self, statement: ast.For | ast.While, items: Any, scope: dict[str, Any]) -> None:
        for item in items:
            self._count()
            if isinstance(statement, ast.For):
                _assign(statement.target, item, scope)
            try:
                self.run(statement.body, scope)
            except _Continue:
                continue
            except _Break:
                return
        self.run(statement.orelse, scope)


def _own(place: ast.expr, scope: dict[str, Any]) -> Any:
    """Put copies in the place of an object and of those it is reached through, and return its copy."""
    match place:
        case ast.Name():
            scope[place.id] = copy.copy(_value(place, scope))
            return scope[place.id]
        case ast.Subscript():
            owner, index = _own(place.value, scope), _value(place.slice, scope)
            if not isinstance(owner, np.ndarray):  # what an array holds is copied with it
                owner[index] = copy.copy(owner[index])
            return owner[index]
        case ast.Attribute():
            owner = _own(place.value, scope)
            setattr(owner, place.attr, copy.copy(getattr(owner, place.attr)))
            return getattr(owner, place.attr)
    raise CannotEvaluate(type(place).__name__)


def _assign(target: ast.expr, value: Any, scope: dict[str, Any]) -> None:
    match target:
        case ast.Name():
            scope[target.id] = value
        case ast.Tuple() | ast.List():
            _unpack(target.elts, list(value), scope)
        case ast.Subscript():
            _value(target.value, scope)[_value(target.slice, scope)] = value
        case ast.Attribute() if not target.attr.startswith("__"):
            setattr(_value(target.value, scope), target.attr, value)
        case _:
            raise CannotEvaluate(type(target).__name__)


def _unpack(targets: Sequence[ast.expr], values: list[Any], scope: dict[str, Any]) -> None:
    starred = next((i for i, t in enumerate(targets) if isinstance(t, ast.Starred)), None)
    if starred is not None:
        after = len(targets) - starred - 1
        if len(values) < len(targets) - 1:
            raise CannotEvaluate("not enough values to unpack")
        values[starred : len(values) - after] = [values[starred : len(values) - after]]
    for target, value in zip(targets, values, strict=True):
        _assign(target.value if isinstance(target, ast.Starred) else target, value, scope)


def _delete(target: ast.expr, scope: dict[str, Any]) -> None:
    match target:
        case ast.Name():
            del scope[target.id]
        case ast.Subscript():
            del _value(target.value, scope)[_value(target.slice, scope)]
        case ast.Attribute():
            delattr(_value(target.value, scope), target.attr)
        case _:
            raise CannotEvaluate(type(target).__name__)
