"""Numbers and sizes as mathematics: what the user calls them, a letter for a size nobody named, or digits."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_np.derivations.expression import Expression
from autograd_np.derivations.mathematics import notation as n
from autograd_np.derivations.mathematics.notation import Node
from autograd_np.derivations.mathematics.symbols import symbol
from autograd_np.derivations.mathematics.templates import ATOM, FUNCTION, POWER, PRODUCT, SUM, template
from autograd_np.derivations.naming.numbers import Numbers
from autograd_np.derivations.reading.recording import Recording

__all__ = ["Sizes", "digits"]

Leveled = tuple[Node, int]
_FUNCTIONS = {"sqrt": r"\sqrt{#1}", "log": r"\log #1", "exp": "e^{#1}", "log2": r"\log_2 #1", "abs": r"\lvert #1 \rvert"}
_NAMED = {"pi": n.Symbol("π"), "e": n.Symbol("e"), "inf": n.Symbol("∞")}
FARTHEST = 3
"""A product has no more sizes than these."""
FARTHEST_OFF = 6
"""A number that is farther from a size than this is not one that was made of it."""
_CONSTANTS = {
    math.pi: r"\pi", 2 * math.pi: r"2 \pi", math.pi / 2: r"\frac{\pi}{2}", math.sqrt(math.pi): r"\sqrt{\pi}",
    math.sqrt(2 * math.pi): r"\sqrt{2 \pi}", 1 / math.sqrt(2 * math.pi): r"\frac{1}{\sqrt{2 \pi}}",
    2 / math.sqrt(math.pi): r"\frac{2}{\sqrt{\pi}}",
    math.sqrt(2 / math.pi): r"\sqrt{\frac{2}{\pi}}", math.sqrt(2): r"\sqrt{2}", 1 / math.sqrt(2): r"\frac{1}{\sqrt{2}}",
    math.log(2): r"\log 2", math.log(10): r"\log 10", math.log(2 * math.pi): r"\log(2 \pi)", math.e: "e",
    math.log(2 * math.pi) / 2: r"\frac{1}{2} \log(2 \pi)",
}  # fmt: skip
"""Numbers that rules compute from constants, as they are written."""


class Sizes:
    """Finds what is written for numbers.

    Parameters
    ----------
    recording : Recording
    numbers : Numbers
    taken : iterable of str
        Letters that variables have.
    """

    def __init__(self, recording: Recording, numbers: Numbers, taken: Iterable[str]) -> None:
        self.numbers = numbers
        self.letters: dict[tuple[int, ...], Node] = {}
        self.unknown: dict[tuple[Any, ...], Node] = {}
        """Numbers that differ from size to size in a way that no formula was found for, by their symbols."""
        named = {v.values: v.name for v in reversed(recording.numbers)}
        inputs = (*recording.inputs.values(), *recording.captured.values())
        given = _varying(inputs)
        nameless = [v for v in given if v not in named]
        letters = [c for c in "nkdpqsN" if c not in taken and c not in named.values()]
        if len(nameless) > 1 and (samples := _of_samples(recording, given)) in nameless:
            nameless.remove(samples)
            self.letters[samples] = n.Symbol(next(c for c in ("m", "N", *letters[1:]) if c not in taken and c not in named.values()))
        for i, values in enumerate(nameless, 1):
            self.letters[values] = n.Symbol(letters[0]) if len(nameless) == 1 else n.Script(n.Symbol(letters[0]), n.Number(str(i)))
        self._nameless = [v for v in given if v not in named]
        self._arrays = {name: e for name, e in (recording.inputs | recording.captured).items() if e.ndim}
        for values in _varying((*inputs, *recording.steps)):
            if values in named:
                self.letters[values] = symbol(named[values])

    def explained(self) -> list[tuple[Node, str]]:
        """Return the letters that stand for sizes that nobody named, and what the code would say: ``X.shape[1]``."""
        told = [(self.letters[values], self.numbers.text(values, self._arrays)) for values in self._nameless]
        return [(letter, text[0]) for letter, text in told if text is not None]

    def size(self, values: tuple[int, ...]) -> Node:
        """Return a size of an axis."""
        return self.number(values)[0]

    def shape(self, e: Expression) -> Node:
        """Return the shape of an expression: ``3 × m``."""
        sizes = [self.size(tuple(s[i] for s in e.shapes)) for i in range(e.ndim)]
        return n.joined(sizes, n.Sign("×")) if sizes else n.Number("1")

    def number(self, values: tuple[Any, ...]) -> Leveled:
        """Return a number, and how tightly what is written for it binds."""
        values = tuple(v.item() if isinstance(v, np.generic) else v for v in values)
        if values in self.letters:
            return self.letters[values], ATOM
        known = self.numbers.text(values, {})
        if known is not None:
            return _of_python(ast.parse(known[0], mode="eval").body)
        return self._of_sizes(values)

    def _of_sizes(self, values: tuple[Any, ...]) -> Leveled:
        pairs = list(itertools.combinations(self.letters, 2))
        for sizes in [s for count in range(1, FARTHEST + 1) for s in itertools.combinations_with_replacement(self.letters, count)]:
            product = [math.prod(v) for v in zip(*sizes, strict=True)]
            below = n.row(*(self.letters[s] for s in sizes))
            if (c := _constant(v / p for v, p in zip(values, product, strict=True))) is not None:
                return (below, PRODUCT if len(sizes) > 1 else ATOM) if c == 1 else (n.row(digits(c)[0], below), PRODUCT)
            if (c := _constant(v * p for v, p in zip(values, product, strict=True))) is not None:
                return n.Fraction(digits(c)[0], below), POWER
            if isinstance(values[0], float):
                if (c := _constant(v * math.sqrt(p) for v, p in zip(values, product, strict=True))) is not None:
                    return n.Fraction(digits(c)[0], n.Root(below)), POWER
                if (c := _constant(v / math.sqrt(p) for v, p in zip(values, product, strict=True))) is not None:
                    return (n.Root(below), POWER) if c == 1 else (n.row(digits(c)[0], n.Root(below)), PRODUCT)
        for a, b in pairs:
            if all(v == x + y for v, x, y in zip(values, a, b, strict=True)):
                return n.row(self.letters[a], n.Sign("+"), self.letters[b]), SUM
        for size, letter in self.letters.items():
            if (c := _constant(v - p for v, p in zip(values, size, strict=True))) is not None and abs(c) <= FARTHEST_OFF:
                return n.row(letter, n.Sign("+" if c > 0 else "−"), digits(abs(c))[0]), SUM
        if values not in self.unknown:
            self.unknown[values] = n.Script(n.Symbol("c"), n.Number(str(len(self.unknown) + 1)))
        return self.unknown[values], ATOM


def _of_samples(recording: Recording, sizes: Iterable[tuple[int, ...]]) -> tuple[int, ...] | None:
    """Return the size that goes through all that is computed, from the data to the losses: that is how many samples there are."""
    steps = [{*zip(*e.shapes, strict=True)} for e in recording.names if e.ndim and not isinstance(e.values[0], tuple)]
    found = [values for values in sizes if steps and all(values in axes for axes in steps)]
    return found[0] if len(found) == 1 else None


def _varying(expressions: Iterable[Expression]) -> dict[tuple[int, ...], None]:
    """Return the sizes of axes that are not the same at every point."""
    found: dict[tuple[int, ...], None] = {}
    for e in expressions:
        for values in zip(*e.shapes, strict=True) if not isinstance(e.values[0], tuple) else ():
            if any(v != values[0] for v in values):
                found[values] = None
    return found


def _constant(ratios: Iterable[float]) -> Any:
    """Return the number that all are, if it is one that a formula could have."""
    found = list(ratios)
    if not all(math.isfinite(r) and math.isclose(r, found[0], rel_tol=1e-9) for r in found) or not found[0]:
        return None
    c = found[0]
    whole = round(c)
    return whole if math.isclose(c, whole, rel_tol=1e-9) else c if math.isclose(c, float(f"{c:.4g}"), rel_tol=1e-12) else None


def digits(value: Any) -> Leveled:
    """Return a number as it is written: ``10⁻⁵`` for ``1e-05``."""
    if isinstance(value, complex):
        real, imag = digits(value.real)[0], digits(abs(value.imag))[0]
        i = n.row(imag, n.Symbol("i", "upright"))
        if not value.real:
            return i, PRODUCT
        return n.row(real, n.Sign("+" if value.imag >= 0 else "−"), i), SUM
    if isinstance(value, bool):
        return n.Symbol(str(value), "upright"), ATOM
    if isinstance(value, float) and not math.isfinite(value):
        word: Node = n.Symbol("NaN", "upright") if math.isnan(value) else n.Symbol("∞")
        return (n.row(n.Sign("−", "prefix"), word), PRODUCT) if value < 0 else (word, ATOM)
    if value < 0 or (value == 0 and math.copysign(1, value) < 0):
        return n.row(n.Sign("−", "prefix"), digits(-value)[0]), PRODUCT
    if isinstance(value, float) and value.is_integer() and value < 1e6:
        return n.Number(str(int(value))), ATOM
    for known, tex in _CONSTANTS.items():
        if isinstance(value, float) and math.isclose(value, known, rel_tol=1e-15):
            return template(tex).tree, template(tex).binds
    written = repr(value)
    if "e" in written:
        mantissa, exponent = written.split("e")
        power = n.Script(n.Number("10"), None, n.number(int(exponent)))
        return (power, POWER) if mantissa == "1" else (n.row(n.Number(mantissa), n.Sign("⋅"), power), PRODUCT)
    return n.Number(written), ATOM


def _of_python(node: ast.expr) -> Leveled:
    """Return an expression of numbers as the user wrote it."""
    match node:
        case ast.Constant():
            return digits(node.value)
        case ast.Name():
            return symbol(node.id), ATOM
        case ast.Attribute():
            return _NAMED.get(node.attr) or symbol(node.attr), ATOM
        case ast.UnaryOp():
            return n.row(n.Sign("−", "prefix"), _within(node.operand, PRODUCT)), PRODUCT
        case ast.Call():
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name not in _FUNCTIONS:
                return _of_python(node.args[0])
            found = template(_FUNCTIONS[name])
            return found.filled({1: _within(node.args[0], found.needs[1])}), found.binds
        case ast.BinOp(left, operator, right):
            match operator:
                case ast.Add() | ast.Sub():
                    sign = n.Sign("+" if isinstance(operator, ast.Add) else "−")
                    return n.row(_within(left, SUM), sign, _within(right, PRODUCT)), SUM
                case ast.Div():
                    return n.Fraction(_within(left, SUM), _within(right, SUM)), POWER
                case ast.Pow():
                    return n.Script(_within(left, ATOM), None, _within(right, SUM)), POWER
                case ast.Mult():
                    a, b = _within(left, POWER), _within(right, FUNCTION)
                    between = (
                        n.Sign("⋅") if isinstance(b, n.Number) or (isinstance(b, n.Row) and isinstance(b.items[0], n.Number)) else None
                    )
                    return n.joined([a, b], between), PRODUCT
                case ast.FloorDiv():
                    return n.Fence("⌊", n.row(_within(left, POWER), n.Sign("/", "mark"), _within(right, POWER)), "⌋"), ATOM
                case _:
                    return n.row(_within(left, POWER), n.Sign("mod"), _within(right, POWER)), PRODUCT
    return n.Symbol(ast.unparse(node), "upright"), ATOM


def _within(node: ast.expr, level: int) -> Node:
    found, binds = _of_python(node)
    return found if binds >= level else n.Fence("(", found, ")")
