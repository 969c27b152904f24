"""What the parts of the normal form share: what was learned of the user's variables, and what each part does for the others."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd_np.derivations.expression import Expression, Sheet
from autograd_np.derivations.simplifying.polynomials import Cost, Monomial, Number, Polynomial
from autograd_np.ops.indexing import axes_of

__all__ = ["Form"]


class Form(abc.ABC):
    """The normal form of expressions, in parts: reading them (`Algebra`), sums along axes (`Sums`), writing them (`Spelling`).

    Parameters
    ----------
    sheet : Sheet
    is_named : callable
        Whether an expression is a variable of the user's, which is not looked into.
    """

    def __init__(self, sheet: Sheet, is_named: Callable[[Expression], bool]) -> None:
        self.sheet = sheet
        self.is_named = is_named
        self.cost = Cost(is_named)
        self.constants: frozenset[float] = frozenset()
        self.sizes: frozenset[tuple[int, ...]] = frozenset()
        self.from_end = False
        self.simplified: Callable[[Expression], Expression] = lambda e: e
        self._polynomials: dict[Expression, Polynomial] = {}
        self._open: set[Expression] = set()
        self._products: list[tuple[Expression, Monomial, Number]] = []
        self._sums: dict[Any, tuple[Expression, Number]] = {}
        self._roots: dict[Expression, tuple[Expression, int]] = {}
        self._rooted_in: set[Expression] = set()
        self._orientations: set[frozenset[tuple[Monomial, bool]]] = set()
        self._terms: dict[tuple[Monomial, type, Number], Expression] = {}

    def forget_terms(self) -> None:
        """Forget how products were written, before all of the user's variables were known."""
        self._terms.clear()

    @abc.abstractmethod
    def polynomial(self, e: Expression) -> Polynomial:
        """Return an expression as a sum of products."""

    @abc.abstractmethod
    def converted(self, e: Expression) -> Polynomial:
        """Return what an expression is made of as a sum of products, even if it has a name."""

    @abc.abstractmethod
    def leaf(self, e: Expression) -> Polynomial:
        """Return a leaf as a polynomial."""

    @abc.abstractmethod
    def terms_of(self, atom: Expression) -> Polynomial | None:
        """Return the terms of a sum that is a factor."""

    @abc.abstractmethod
    def sum_of(self, inner: Expression, axis: Any, keepdims: bool) -> Expression:
        """Write a sum along axes."""

    @abc.abstractmethod
    def is_fixed(self, f: Expression, x: Expression, axes: Iterable[int], keepdims: bool) -> bool:
        """Whether a factor is the same along the axes of a sum over what has the shape of `x`, and can stand outside it."""

    @abc.abstractmethod
    def expression(self, p: Polynomial, like: Expression) -> Expression:
        """Write a polynomial as an expression of the shape of another."""

    @abc.abstractmethod
    def factored(self, p: Polynomial, may: Callable[[Expression], bool] = lambda _: True) -> tuple[Polynomial, Number, Monomial]:
        """Take out of a sum the number and the powers that all of its terms have."""

    def count(self, x: Expression, axis: Any) -> Expression:
        """Return how many elements are added up to each of a sum along an axis."""
        counts = [
            math.prod(np.shape(v)) if axis is None else math.prod(np.shape(v)[i] for i in axes_of(axis, np.ndim(v))) for v in x.values
        ]
        return self.sheet.number(*counts)
