"""Pullbacks that are written as a call of `vjp`: of a rule that is no formula of a few lines, or another one at other sizes."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np

from autograd_np.derivations.expression import Expression, walked
from autograd_np.derivations.naming.arrays import form_of
from autograd_np.derivations.naming.names import is_importable
from autograd_np.derivations.naming.numbers import of_sizes
from autograd_np.op import AS_ONE, Op, value_of
from autograd_np.results import Results
from autograd_np.tensor import Tensor
from autograd_np.transforms import vjp
from autograd_np.trees import flatten

__all__ = ["Call", "Pullback", "calls_as_one", "is_general", "whole"]

MOST_STEPS = 40
"""A rule of more operations than these is no formula that anybody would read."""


class Pullback(Op):
    """The pullback of an operation by one of its arguments, as an operation.

    Attributes
    ----------
    of : Op
        The operation.
    place : int
        Which argument.
    parts : tuple of int or None
        Of several results, those that a cotangent arrives at.
    """

    __slots__ = ("of", "parts", "place")

    def __init__(self, of: Op, place: int, parts: tuple[int, ...] | None) -> None:
        super().__init__("vjp", self._pulled, "general", ())
        self.of = of
        self.place = place
        self.parts = parts

    @property
    def cotangents(self) -> int:
        """How many arguments are cotangents; those of the operation follow."""
        return 1 if self.parts is None else len(self.parts)

    def _pulled(self, *operands: Any, **how: Any) -> Any:
        given, arrays = operands[: self.cotangents], list(operands[self.cotangents :])

        def f(a: Any) -> Any:
            arrays[self.place] = a
            y = self.of.fn(arrays, **how) if self.of.variadic else self.of.fn(*arrays, **how)
            return y if self.parts is None else tuple(y[i] for i in self.parts)

        x = arrays[self.place]
        [found] = vjp(f, x)[1](given[0] if self.parts is None else tuple(given))
        return np.asarray(found, x.dtype)


class Call(Op):
    """A call of a function that is derived from other rows, as one operation; its pullback is a call of `vjp`.

    Attributes
    ----------
    given : tuple of str
        The keywords of the call.
    """

    __slots__ = ("given",)

    def __init__(self, fn: Any, count: int, given: tuple[str, ...]) -> None:
        super().__init__(fn.__name__, fn, "general", (lambda *_, **__: None,) * count, params=None)
        self.given = given

    @property
    def attrs(self) -> tuple[str, ...]:
        """The function takes what it was given."""
        return (*self.params, *self.given)


@contextmanager
def calls_as_one() -> Iterator[None]:
    """Record calls of derived functions as they stand in the user's code, not what they are made of."""
    token = AS_ONE.set(_called)
    try:
        yield
    finally:
        AS_ONE.reset(token)


def _called(fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Op | None:
    """Return a row for a call if it takes arrays one by one and returns one of floats."""
    if any(isinstance(x, Tensor) for v in kwargs.values() for x in flatten(v)[0]):
        return None
    arrays = [i for i, a in enumerate(args) if isinstance(a, Tensor)]
    several = [a for a in args if isinstance(a, (list, tuple)) and any(isinstance(x, Tensor) for x in flatten(a)[0])]
    if not arrays or several:
        return None
    found = fn(*map(value_of, args), **kwargs)
    if not isinstance(found, (np.ndarray, np.generic)) or found.dtype.kind != "f":
        return None
    return _call(fn, arrays[-1] + 1, tuple(kwargs))


@functools.cache
def _call(fn: Any, count: int, given: tuple[str, ...]) -> Call:
    return Call(fn, count, given)


@functools.cache
def _pullback(of: Op, place: int, parts: tuple[int, ...] | None) -> Pullback:
    return Pullback(of, place, parts)


def whole(e: Expression, g: Any, place: int) -> Expression:
    """Return what flows from an operation to one of its arguments, as one operation."""
    parts = tuple(i for i, x in enumerate(g) if x is not None) if isinstance(g, list) else None
    given = [x for x in g if x is not None] if isinstance(g, list) else [g]
    return e.sheet.apply(_pullback(cast(Op, e.op), place, parts), [*given, *e.args], dict(e.attrs))


def is_general(x: Expression, known: set[Expression]) -> bool:
    """Whether what a rule recorded can be written, and for all sizes: its numbers and arrays are sizes, or made of them."""

    @functools.cache  # most rules record no number that it takes to judge, and of a long program the variables are many
    def shapes() -> dict[str, tuple[tuple[int, ...], ...]]:
        arrays = {str(i): k.shapes for i, k in enumerate(x.sheet.variables) if k.shape is not None}
        arrays |= {f"argument {k.index}": k.shapes for k in known if k.kind == "call" and not isinstance(k.values[0], Results)}
        return arrays | {f"number {k.index}": tuple((v,) for v in k.values) for k in known if k.kind == "number"}

    steps = walked([x], known.__contains__)
    if sum(s.op is not None and s not in known for s in steps) > MOST_STEPS:
        return False
    for s in steps:
        if s in known:
            continue
        if s.kind == "number" and any(v != s.values[0] and v == v for v in s.values) and of_sizes(s.values, shapes(), surely=True) is None:
            return False
        if s.kind == "array":
            form = form_of(s.values)
            if form is None or (not form.numbers and s.values[0].size > 1):
                return False
            if any(len(set(n)) > 1 and of_sizes(n, shapes(), surely=True) is None for n in form.numbers):
                return False
        if s.op is not None and not is_importable(s.op):
            return False
    return True
