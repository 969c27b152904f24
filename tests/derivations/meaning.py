"""What a formula of elements means: its value, computed from the tree that is printed and nothing else."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograd_np.derivations.mathematics import notation as n
from autograd_np.derivations.mathematics.notation import Node

At = Mapping[Node, int]
FUNCTIONS = {"log": np.log, "sin": np.sin, "cos": np.cos, "tan": np.tan, "tanh": np.tanh, "exp": np.exp, "sgn": np.sign}
RELATIONS = {"=": np.equal, ">": np.greater, "<": np.less, "≥": np.greater_equal, "≤": np.less_equal, "≠": np.not_equal}
COMMA = n.Sign(",", "mark")


class NotReadError(Exception):
    """A notation that this reader does not know."""


class Meaning:
    """Evaluates formulas.

    Parameters
    ----------
    arrays, gradients : mapping
        The symbol of a variable, without indices -> its value; that of its gradient.
    letters : mapping
        Letters of sizes -> their values.
    """

    def __init__(self, arrays: Mapping[Node, Any], gradients: Mapping[Node, Any], letters: Mapping[Node, int]) -> None:
        self.arrays = arrays
        self.gradients = gradients
        self.letters = letters

    def __call__(self, node: Node, at: At) -> Any:
        """Return the value of a formula where letters of indices have values, which count from one."""
        if isinstance(node, n.Row):
            return self._sum(list(node.items), at)
        if node in at:
            return at[node]
        if node in self.letters:
            return self.letters[node]
        match node:
            case n.Number(digits):
                return float(digits)
            case n.Fraction(n.Row((n.Sign("∂"), _)), n.Row((n.Sign("∂"), *by))):
                return self._variable(n.row(*by), self.gradients, at)
            case n.Fraction(top, bottom):
                return self(top, at) / self(bottom, at)
            case n.Root(body, None):
                return np.sqrt(self(body, at))
            case n.Fence("[", n.Row(items), "]") if any(isinstance(x, n.Sign) and x.text in RELATIONS for x in items):
                return float(self._holds(list(items), at))
            case n.Fence("|", body, _):
                return abs(self(body, at))
            case n.Fence("(" | "[", body, _):
                return self(body, at)
            case n.Script(n.Symbol("e"), None, sup) if sup is not None and n.Symbol("e") not in self.arrays:
                return np.exp(self(sup, at))
            case n.Script(base, sub, sup) if sup is not None:
                return self(base if sub is None else n.Script(base, sub), at) ** self(sup, at)
            case n.Symbol("π") if node not in self.arrays:
                return math.pi
            case n.Cases(((first, n.Row((n.Word("if "), *condition))), (second, _))):
                return self(first if self._holds(condition, at) else second, at)
        return self._variable(node, self.arrays, at)

    def _holds(self, items: list[Node], at: At) -> bool:
        i = next((i for i, x in enumerate(items) if isinstance(x, n.Sign) and x.text in RELATIONS), None)
        if i is None:
            raise NotReadError(items)
        return bool(RELATIONS[items[i].text](self._sum(items[:i], at), self._sum(items[i + 1 :], at)))

    # --- variables

    def _variable(self, node: Node, known: Mapping[Node, Any], at: At) -> Any:
        if node in known:
            return known[node]
        for symbol, value in sorted(known.items(), key=lambda item: not isinstance(item[0], n.Script)):
            places = places_of(node, symbol)
            if places is not None and len(places) == np.ndim(value):
                return np.asarray(value)[tuple(round(float(self._sum(p, at))) - 1 for p in places)]
        raise NotReadError(node)

    # --- sums and products

    def _sum(self, items: list[Node], at: At) -> Any:
        total, sign, term = 0.0, 1.0, []
        for item in items:
            if not (isinstance(item, n.Sign) and item.text in ("+", "−")):
                term.append(item)
                continue
            if term:
                total, term = total + sign * self._product(term, at), []
                sign = 1.0
            sign *= -1.0 if item.text == "−" else 1.0
        return total + sign * self._product(term, at)

    def _product(self, items: list[Node], at: At) -> Any:
        if not items:
            raise NotReadError(items)
        first, rest = items[0], items[1:]
        if first == n.Sign("⋅"):
            return self._product(rest, at)
        if isinstance(first, n.Big):
            return self._gathered(first, rest, at)
        if isinstance(first, n.Sign):
            return self._function(first.text, rest, at)
        if first == n.Symbol("σ") and first not in self.arrays and rest and isinstance(rest[0], n.Fence):
            return 1 / (1 + np.exp(-self(rest[0], at))) * self._rest(rest[1:], at)
        return self(first, at) * self._rest(rest, at)

    def _rest(self, items: list[Node], at: At) -> Any:
        return self._product(items, at) if items else 1.0

    def _function(self, name: str, rest: list[Node], at: At) -> Any:
        if name in ("max", "min") and rest and isinstance(rest[0], n.Fence) and isinstance(rest[0].body, n.Row):
            value = {"max": max, "min": min}[name](self._sum(p, at) for p in between_commas(list(rest[0].body.items)))
            return value * self._rest(rest[1:], at)
        if name not in FUNCTIONS or not rest:
            raise NotReadError(name)
        if isinstance(rest[0], (n.Sign, n.Big)) or rest[0] == n.Symbol("σ"):  # log σ(z), the logarithm of a sum: all that follows
            return FUNCTIONS[name](self._product(rest, at))
        return FUNCTIONS[name](self(rest[0], at)) * self._rest(rest[1:], at)

    def _gathered(self, big: n.Big, body: list[Node], at: At) -> Any:
        below = list(big.below.items) if isinstance(big.below, n.Row) else [big.below]
        letters = [x for x in below if isinstance(x, n.Symbol)]
        if big.above is not None:
            ranges = [range(1, round(float(self(big.above, at))) + 1)]
        else:
            ranges = [self._range(x, body) for x in letters]
        values = [self._product(body, {**at, **dict(zip(letters, places, strict=True))}) for places in itertools.product(*ranges)]
        return {"∑": np.sum, "max": np.max, "min": np.min, "∏": np.prod}[big.sign.text](values)

    def _range(self, letter: Node, body: list[Node]) -> range:
        """Return the values of an index without limits: those for which an array has elements."""
        for part in parts_of(n.Row(tuple(body))):
            for symbol, value in (*self.arrays.items(), *self.gradients.items()):
                places = places_of(part, symbol) or []
                if [letter] in places and len(places) == np.ndim(value):
                    return range(1, np.shape(value)[places.index([letter])] + 1)
        raise NotReadError(letter)


def places_of(node: Node, symbol: Node) -> list[list[Node]] | None:
    """Return the indices of an element of an array, each as the things it is made of."""
    if not isinstance(node, n.Script) or node.sup is not None or node.sub is None:
        return None
    items = list(node.sub.items) if isinstance(node.sub, n.Row) else [node.sub]
    if isinstance(symbol, n.Script):
        own = list(symbol.sub.items) if isinstance(symbol.sub, n.Row) else [symbol.sub]
        if node.base != symbol.base or items[: len(own) + 1] != [*own, COMMA]:
            return None
        items = items[len(own) + 1 :]
    elif node.base != symbol:
        return None
    return between_commas(items) if COMMA in items else [[x] for x in items]


def between_commas(items: list[Node]) -> list[list[Node]]:
    return [list(group) for comma, group in itertools.groupby(items, COMMA.__eq__) if not comma]


def parts_of(node: Node) -> Iterator[Node]:
    yield node._replace(sup=None) if isinstance(node, n.Script) else node
    for part in n.parts(node):
        yield from parts_of(part)
