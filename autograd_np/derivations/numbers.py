"""What a number is called: a variable of the user's, a constant as it stands in the code, a size of an array."""

from __future__ import annotations

import ast
import inspect
import math
import operator
import textwrap
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from autograd_np.derivations.expression import Expression
from autograd_np.derivations.recording import Recording

__all__ = ["Numbers"]

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: operator.pow,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "np.sqrt": np.sqrt, "np.log": np.log, "np.exp": np.exp, "np.log2": np.log2, "np.abs": np.abs, "math.sqrt": math.sqrt,
    "math.log": math.log, "math.exp": math.exp, "float": float, "int": int, "abs": abs, "np.float64": np.float64, "np.float32": np.float32,
}  # fmt: skip
_NAMES = {"np.pi": np.pi, "np.e": np.e, "math.pi": math.pi, "math.e": math.e, "np.inf": np.inf}
PLAIN = frozenset((0, 1, 2, 3, 4, -1, -2, 0.5))
"""Numbers that every formula has: they are written as they are, whatever variable happens to hold one."""


class _NotConstantError(Exception):
    """An expression reads an array."""


class Numbers:
    """Finds what to write for numbers.

    Attributes
    ----------
    defined : dict of (str, str)
        The names that were used, and the line that gives each: ``m = X.shape[1]``.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.points = recording.sheet.points
        self._named = {n.values: n.name for n in reversed(recording.numbers)}
        self._values = {n.name: n.values for n in recording.numbers}
        self._constants: dict[tuple[Any, ...], str] = {}
        self._tuples: dict[tuple[Any, ...], str] = {}
        self._bounds: dict[tuple[Any, ...], str] = {}
        self._lines: dict[str, tuple[str, frozenset[str]]] = {}
        self._read_source()

    # --- what the code says

    def _read_source(self) -> None:
        if self.recording.f is None:
            return
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(self.recording.f))))
        except (OSError, TypeError, SyntaxError):
            return
        bounds = {end for node in ast.walk(tree) if isinstance(node, ast.Slice) for end in (node.lower, node.upper) if end is not None}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], (ast.Name, ast.Tuple)):
                names = [n.id for n in ast.walk(node.targets[0]) if isinstance(n, ast.Name)]
                read = frozenset(n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)) - {"np", "math", "len", "float", "int"}
                for name in names:
                    self._lines.setdefault(name, (ast.unparse(node), read))
            if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and any(isinstance(n, ast.Name) for n in ast.walk(node)):
                try:
                    tuples = [tuple(self._evaluated(n, k) for n in node.elts) for k in range(self.points)]
                except (_NotConstantError, ArithmeticError, ValueError, TypeError):
                    continue
                if all(t == tuples[0] for t in tuples):
                    self._tuples.setdefault(tuples[0], ast.unparse(node))
            if isinstance(node, (ast.BinOp, ast.Call, ast.Attribute, ast.Name, ast.UnaryOp, ast.Constant)):
                try:
                    values = tuple(self._evaluated(node, k) for k in range(self.points))
                except (_NotConstantError, ArithmeticError, ValueError, TypeError):
                    continue
                self._constants.setdefault(values, ast.unparse(node))
                if node in bounds:
                    self._bounds.setdefault(values, ast.unparse(node))

    def _evaluated(self, node: ast.expr, k: int) -> Any:
        """Return the value of an expression of numbers at a point; no text is evaluated, only what is known is computed."""
        match node:
            case ast.Constant(value=int() | float()):
                return node.value
            case ast.Name() if node.id in self._values:
                return self._values[node.id][k]
            case ast.Attribute():
                text = ast.unparse(node)
                if text in _NAMES:
                    return _NAMES[text]
                if isinstance(node.value, ast.Name) and node.value.id == "self" and node.attr in self._values:
                    return self._values[node.attr][k]
            case ast.UnaryOp(op=ast.USub()):
                return -self._evaluated(node.operand, k)
            case ast.BinOp() if type(node.op) in _BINARY:
                return _BINARY[type(node.op)](self._evaluated(node.left, k), self._evaluated(node.right, k))
            case ast.Call() if not node.keywords and (function := _FUNCTIONS.get(ast.unparse(node.func))):
                return function(*(self._evaluated(a, k) for a in node.args))
        raise _NotConstantError

    @property
    def constants(self) -> frozenset[float]:
        """The numbers that stand in the code, or that its variables hold, and are no sizes."""
        same = [v for v in (*self._constants, *self._named) if all(x == v[0] for x in v)]
        return frozenset(float(v[0]) for v in same if isinstance(v[0], (int, float)))

    @property
    def sizes(self) -> frozenset[tuple[int, ...]]:
        """The lengths of the axes of the inputs, at each point."""
        arrays = (self.recording.inputs | self.recording.captured).values()
        return frozenset(n for e in arrays for n in zip(*e.shapes, strict=True))

    def size_text(self, n: int | tuple[int, ...]) -> tuple[str, frozenset[str]] | None:
        """Return what the code says for a whole number in a shape or an index, ``2 * H``, or for several, ``(k, k)``."""
        if isinstance(n, tuple):
            return self._told(self._tuples.get(n))
        values = (n,) * self.points
        text = self._bounds.get(values) or (self._constants.get(values) if n not in PLAIN else None)
        return self._told(text)

    @staticmethod
    def _told(text: str | None) -> tuple[str, frozenset[str]] | None:
        if text is None or text.isdigit() or "self" in text:
            return None
        return text, frozenset(x.id for x in ast.walk(ast.parse(text)) if isinstance(x, ast.Name)) - {"np", "math", "float", "int"}

    # --- what to write

    def text(self, values: tuple[Any, ...], arrays: Mapping[str, Expression]) -> tuple[str, frozenset[str]] | None:
        """Return what to write for a number, and the names it reads; ``None`` if nothing is known.

        Parameters
        ----------
        values : tuple
            The number at each point.
        arrays : mapping
            The arrays whose sizes may be read, those that are at hand first.
        """
        values = tuple(v.item() if isinstance(v, np.generic) else v for v in values)
        if values[0] in PLAIN and all(v == values[0] for v in values):
            return repr(values[0]), frozenset()
        same = all(v == values[0] for v in values)
        if values in self._named and not (same and isinstance(values[0], int)):
            return self._named[values], frozenset((self._named[values],))
        if values in self._constants:
            text = self._constants[values].replace("self.", "")
            return text, frozenset(n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)) - {"np", "math", "float", "int"}
        if same:
            return repr(values[0]), frozenset()
        return self._of_size(values, arrays)

    def _of_size(self, values: tuple[Any, ...], arrays: Mapping[str, Expression]) -> tuple[str, frozenset[str]] | None:
        for name, e in arrays.items():
            for axis in range(e.ndim):
                if tuple(s[axis] for s in e.shapes) == values:
                    return f"{name}.shape[{axis}]", frozenset((name,))
        for name, e in arrays.items():
            if tuple(math.prod(s) for s in e.shapes) == values:
                return f"{name}.size", frozenset((name,))
        for name, e in arrays.items():
            for a in range(e.ndim):
                for b in range(a + 1, e.ndim):
                    if tuple(s[a] * s[b] for s in e.shapes) == values:
                        return f"{name}.shape[{a}] * {name}.shape[{b}]", frozenset((name,))
            for axis in range(e.ndim):
                sizes = [s[axis] for s in e.shapes]
                offsets = {v - n for v, n in zip(values, sizes, strict=True) if isinstance(v, int)}
                if len(offsets) == 1 and abs(offset := offsets.pop()) < min(sizes):
                    return f"{name}.shape[{axis}] {'+' if offset > 0 else '-'} {abs(offset)}", frozenset((name,))
        if all(isinstance(v, float) and v for v in values):
            inverse = tuple(round(1 / v) for v in values)
            if all(abs(n * v - 1) < 1e-9 for n, v in zip(inverse, values, strict=True)):
                found = self.text(inverse, arrays)
                if found is not None:
                    return f"1 / {found[0]}", found[1]
        return None

    def line_of(self, name: str, known: Iterable[str], arrays: Mapping[str, Expression]) -> tuple[str, frozenset[str]] | None:
        """Return the line that gives a number its name, as the user wrote it if that reads nothing but what is known."""
        values = self._values.get(name)
        if values is None:
            return None
        line = self._lines.get(name)
        if line is not None and line[1] <= set(arrays) | set(known) | set(self._values) and "self" not in line[1]:
            return line
        if all(v == values[0] for v in values):
            return f"{name} = {values[0]!r}", frozenset()
        found = self._of_size(values, arrays)
        return None if found is None else (f"{name} = {found[0]}", found[1])
