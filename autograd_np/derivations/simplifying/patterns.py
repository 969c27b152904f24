"""Patterns: expressions with unknowns in them, written in NumPy, and how they are matched."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd_np.derivations.expression import Expression, Sheet, row_of
from autograd_np.op import Op

__all__ = ["Binding", "Rewriting", "match", "unknown", "unknown_attribute"]


class _Paper(Sheet):
    """A sheet on which nothing has a value."""

    @staticmethod
    def _value(_op: Op, _args: tuple[Expression, ...], _attrs: tuple[tuple[str, Any], ...], _point: int, /) -> Any:
        return None


_PAPER = _Paper(1)
_COMMUTE = (np.add, np.multiply, np.maximum, np.minimum)

Binding = dict[str, Any]


class _Unknown(NamedTuple):
    """An attribute that may be anything."""

    name: str


class Rewriting(NamedTuple):
    """A row of the table: what is replaced, by what, and when.

    Attributes
    ----------
    name : str
        What `Graph.simplify` calls it when it fired.
    pattern : Expression
        In NumPy, with unknowns.
    replacement : callable
        Takes what the unknowns matched, by their names.
    when : callable or None
        Takes the same; whether the row applies.
    """

    name: str
    pattern: Any
    replacement: Callable[..., Any]
    when: Callable[..., bool] | None = None

    def apply(self, e: Expression) -> Expression | None:
        """Return what replaces an expression, or ``None``."""
        for found in match(self.pattern, e, {}):
            if self.when is None or self.when(**found):
                new = self.replacement(**found)
                return new if isinstance(new, Expression) else e.sheet.number(new)
        return None


def unknown(name: str) -> Expression:
    """Return an expression that matches any other."""
    return _PAPER.variable(name, [None])


def unknown_attribute(name: str) -> Any:
    """Return an attribute that matches any other."""
    return _Unknown(name)


def match(pattern: Expression, e: Expression, found: Binding) -> Iterator[Binding]:
    """Yield the ways in which the unknowns of a pattern can stand for parts of an expression."""
    if pattern.kind == "variable":
        name = pattern.name or ""
        if name not in found:
            yield {**found, name: e}
        elif found[name] is e:
            yield found
    elif pattern.kind == "number":
        if e.number is not None and e.number == pattern.values[0]:
            yield found
    elif e.op is pattern.op and len(e.args) == len(pattern.args):
        attributes = _attributes(pattern, e, found)
        if attributes is not None:
            yield from _matched(pattern.args, e.args, attributes)
            if any(e.op is row_of(f) for f in _COMMUTE):
                yield from _matched(pattern.args, e.args[::-1], attributes)


def _matched(patterns: tuple[Expression, ...], args: tuple[Expression, ...], found: Binding) -> Iterator[Binding]:
    if not patterns:
        yield found
        return
    for first in match(patterns[0], args[0], found):
        yield from _matched(patterns[1:], args[1:], first)


def told(attrs: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """Return the attributes that say something: ``None``, ``False`` and a mask of all are what is meant without them."""
    return {k: v for k, v in attrs if v is not None and v is not False and v is not np._NoValue and not (k == "where" and v is True)}


def _attributes(pattern: Expression, e: Expression, found: Binding) -> Binding | None:
    have, given = told(e.attrs), dict(e.attrs)
    for name, value in pattern.attrs:
        if isinstance(value, _Unknown):
            have.pop(name, None)
            mine = given[name] if name in given else _default(e.op, name)
            mine = None if mine is False or mine is np._NoValue else mine
            if value.name in found and found[value.name] != mine:
                return None
            found = {**found, value.name: mine}
        elif value is None or value is False:
            if name in have:
                return None
        elif have.pop(name, None) != value:
            return None
    return None if have else found


@functools.cache
def _default(op: Op, name: str) -> Any:
    """Return what an attribute is where nothing is said: the last axis for `softmax`, all axes for `sum`."""
    try:
        parameter = inspect.signature(getattr(op.fn, "implementation", op.fn)).parameters[name]
    except (KeyError, TypeError, ValueError):
        return None
    return None if parameter.default is parameter.empty else parameter.default
