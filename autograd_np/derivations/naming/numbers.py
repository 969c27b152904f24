"""What a number is called: a variable of the user's, a constant as it stands in the code, a size of an array."""

from __future__ import annotations

import ast
import inspect
import itertools
import math
import operator
import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_np.derivations.expression import Expression
from autograd_np.derivations.naming.measured import Length, Lengths
from autograd_np.derivations.reading.recording import Recording

__all__ = ["Numbers", "of_sizes", "written"]

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: operator.pow,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "np.sqrt": np.sqrt, "np.log": np.log, "np.exp": np.exp, "np.log2": np.log2, "np.abs": np.abs, "math.sqrt": math.sqrt,
    "math.log": math.log, "math.exp": math.exp, "float": float, "int": int, "abs": abs, "np.float64": np.float64, "np.float32": np.float32,
}  # fmt: skip
_NAMES = {"np.pi": np.pi, "np.e": np.e, "math.pi": math.pi, "math.e": math.e, "np.inf": np.inf}
DECIMALS = 8
"""A number of more characters was computed."""
PLAIN = frozenset((0, 1, 2, 3, 4, -1, -2, 0.5))
"""Numbers that every formula has: they are written as they are, whatever variable happens to hold one."""


def written(number: Any) -> str:
    """Return a number as code."""
    if isinstance(number, float) and not math.isfinite(number):
        return "np.nan" if math.isnan(number) else "np.inf" if number > 0 else "-np.inf"
    return repr(number)


class _NotConstantError(Exception):
    """An expression reads an array."""


def _is_number(text: str) -> bool:
    return text.replace(".", "").replace("-", "").replace("e", "").isdigit() or "self" in text


def _dotted(node: ast.expr) -> str:
    """Return a name, or one with a dot, as code; nothing of any other expression."""
    if isinstance(node, ast.Attribute):
        return f"{node.value.id}.{node.attr}" if isinstance(node.value, ast.Name) else ""
    return node.id if isinstance(node, ast.Name) else ""


class Numbers:
    """Finds what to write for numbers."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.points = recording.sheet.points
        self._named = {n.values: n.name for n in reversed(recording.numbers)}
        self._values = {n.name: n.values for n in recording.numbers}
        self._constants: dict[tuple[Any, ...], str] = {}
        self._tuples: dict[tuple[Any, ...], str] = {}
        self._bounds: dict[tuple[Any, ...], str] = {}
        self._lengths = Lengths(recording.steps, (recording.inputs | recording.captured).values())
        self._lines: dict[str, tuple[ast.Assign, frozenset[str], frozenset[str]]] = {}  # with the names it reads, those it assigns
        self._read_source()

    # --- what the code says

    def _read_source(self) -> None:
        if self.recording.f is None:
            return
        for function in (inspect.unwrap(self.recording.f), *self.recording.called):
            try:
                tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
            except (OSError, TypeError, SyntaxError):
                continue
            self._read_tree(tree)

    def _read_tree(self, tree: ast.AST) -> None:
        bounds = {end for node in ast.walk(tree) if isinstance(node, ast.Slice) for end in (node.lower, node.upper) if end is not None}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], (ast.Name, ast.Tuple)):
                names = [n.id for n in ast.walk(node.targets[0]) if isinstance(n, ast.Name)]
                read = frozenset(n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)) - {"np", "math", "len", "float", "int"}
                for name in names:
                    self._lines.setdefault(name, (node, read, frozenset(names)))
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
                if values not in self._constants:
                    self._constants[values] = ast.unparse(node)
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
                text = _dotted(node)
                if text in _NAMES:
                    return _NAMES[text]
                if isinstance(node.value, ast.Name) and node.value.id == "self" and node.attr in self._values:
                    return self._values[node.attr][k]
            case ast.UnaryOp(op=ast.USub()):
                return -self._evaluated(node.operand, k)
            case ast.BinOp() if type(node.op) in _BINARY:
                return _BINARY[type(node.op)](self._evaluated(node.left, k), self._evaluated(node.right, k))
            case ast.Call() if not node.keywords and (function := _FUNCTIONS.get(_dotted(node.func))):
                return function(*(self._evaluated(a, k) for a in node.args))
        raise _NotConstantError

    @property
    def constants(self) -> frozenset[float]:
        """The numbers that stand in the code, or that its variables hold, and are no sizes."""
        same = [v for v in (*self._constants, *self._named) if all(x == v[0] for x in v)]
        return frozenset(float(v[0]) for v in same if isinstance(v[0], (int, float)))

    @property
    def sizes(self) -> frozenset[tuple[int, ...]]:
        """The lengths of the axes of the inputs, and how many elements these have, at each point."""
        arrays = (self.recording.inputs | self.recording.captured).values()
        return frozenset(n for e in arrays for n in (*zip(*e.shapes, strict=True), tuple(map(math.prod, e.shapes))))

    def size_text(self, n: int | tuple[int, ...], *, is_end: bool = False) -> tuple[str, frozenset[str]] | None:
        """Return what the code says for a whole number in a shape, or for several, ``(k, k)``, or for the end of a slice, ``2 * H``.

        Between brackets that is what stands between brackets in the code: of other numbers, one that is the same is so by chance.
        """
        if isinstance(n, tuple):
            return self._told(self._tuples.get(n))
        values = (n,) * self.points
        text = self._bounds.get(values)
        if text is None and not is_end and n not in PLAIN:
            text = self._constants.get(values)
        return self._told(text)

    @staticmethod
    def _told(text: str | None) -> tuple[str, frozenset[str]] | None:
        if text is None or text.isdigit() or "self" in text:
            return None
        return text, frozenset(x.id for x in ast.walk(ast.parse(text)) if isinstance(x, ast.Name)) - {"np", "math", "float", "int"}

    # --- what to write

    def text(self, values: tuple[Any, ...], arrays: Mapping[str, Expression]) -> tuple[str, frozenset[str]] | None:
        """Return what to write for a number, and the names it reads; ``None`` if nothing is known: see `length`.

        Parameters
        ----------
        values : tuple
            The number at each point.
        arrays : mapping
            The arrays whose sizes may be read, those that are at hand first.
        """
        exact, values = values, tuple(v.item() if isinstance(v, np.generic) else v for v in values)
        if values[0] in PLAIN and all(v == values[0] for v in values):
            return repr(values[0]), frozenset()
        same = all(v == values[0] or (v != v and values[0] != values[0]) for v in values)
        if same and {self._named.get(values), self._constants.get(values, "").replace("self.", "")} & set(self.recording.names.values()):
            return written(values[0]), frozenset()  # an array has taken the name since
        if values in self._named and not (same and isinstance(values[0], int)):
            return self._named[values], frozenset((self._named[values],))
        if values in self._constants and not (isinstance(values[0], int) and "." in self._constants[values].replace("self.", "")):
            text = self._constants[values].replace("self.", "")
            return text, frozenset(n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)) - {"np", "math", "float", "int"}
        if same:
            return self._product(values[0]) or (written(values[0]), frozenset())
        if values in self._lengths.picked:
            return next(_alone(values, _shapes(arrays)), None)
        return of_sizes(exact, _shapes(arrays), surely=values in self._lengths.cut and self.length(values) is not None)

    def length(self, values: tuple[Any, ...]) -> Length | None:
        """Return where a number can be read that is the length of a part of an array."""
        return self._lengths.of(values)

    def _product(self, value: Any) -> tuple[str, frozenset[str]] | None:
        """Return a number as the product of two that the code has: ``alpha * (1 - l1)``."""
        if not isinstance(value, float) or value in PLAIN:
            return None
        known = [
            (v[0], text)
            for v, text in (*self._named.items(), *self._constants.items())
            if isinstance(v[0], float) and v[0] == v[-1] and not _is_number(text)
        ]
        for (a, first), (b, second) in itertools.combinations(dict(known).items(), 2):
            if math.isclose(a * b, value, rel_tol=1e-14):
                names = frozenset(n.id for text in (first, second) for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name))
                pieces = [f"({t})" if " + " in t or " - " in t else t for t in (first, second)]
                return " * ".join(pieces), names - {"np", "math", "float", "int"}
        return None

    def _of_size(self, values: tuple[Any, ...], arrays: Mapping[str, Expression]) -> tuple[str, frozenset[str]] | None:
        return of_sizes(values, _shapes(arrays))

    def line_of(self, name: str, known: Iterable[str], arrays: Mapping[str, Expression]) -> tuple[str, frozenset[str]] | None:
        """Return the line that gives a number its name, as the user wrote it if that reads nothing but what is known."""
        values = self._values.get(name)
        if values is None:
            return None
        line = self._lines.get(name)
        known = {*arrays, *known}
        if line is not None and line[1] <= known | set(self._values) and "self" not in line[1] and not line[2] & known:
            return ast.unparse(line[0]), line[1]
        if all(v == values[0] for v in values):
            return f"{name} = {written(values[0])}", frozenset()
        found = self._of_size(values, arrays)
        return None if found is None else (f"{name} = {found[0]}", found[1])


Shapes = tuple[tuple[int, ...], ...]
"""The shape of an array at each point."""


def of_sizes(values: tuple[Any, ...], arrays: Mapping[str, Shapes], *, surely: bool = False) -> tuple[str, frozenset[str]] | None:
    """Return a number that differs from point to point as a formula of sizes of arrays, and the arrays it reads, or ``None``.

    Parameters
    ----------
    values : tuple
        The number at each point.
    arrays : mapping
        The shapes of arrays by their names, those that are preferred first.
    surely : bool
        Leave out formulas that fit two points by chance easily: a size halved, or doubled, or one less any number.
    """
    near = max((8 * float(np.finfo(v.dtype).eps) for v in values if isinstance(v, np.floating)), default=1e-12)
    values = tuple(v.item() if isinstance(v, np.generic) else v for v in values)
    if all(isinstance(v, float) and v and math.isfinite(v) for v in values):
        found = next(_fractions(values, arrays, max(near, 1e-12)), None)
        if found is None and all(v.is_integer() for v in values):
            found = next(_counts(tuple(map(int, values)), arrays), None)
    elif all(isinstance(v, int) and not isinstance(v, bool) for v in values):
        found = next(_counts(values, arrays), None)
        if found is None and not surely:
            found = next(_likely(values, arrays), None)
    else:
        found = None
    return found


Found = Iterator[tuple[str, frozenset[str]]]
Sizes = list[tuple[str, tuple[int, ...], str]]


def _sizes(arrays: Mapping[str, Shapes]) -> Sizes:
    """Return what gives the length of each axis, the length at each point, and the name of the array."""
    return [(f"{n}.shape[{axis}]", tuple(s[axis] for s in shapes), n) for n, shapes in arrays.items() for axis in range(len(shapes[0]))]


def _shapes(arrays: Mapping[str, Expression]) -> dict[str, Shapes]:
    return {name: e.shapes for name, e in arrays.items()}


def _alone(values: tuple[int, ...], arrays: Mapping[str, Shapes]) -> Found:
    """Sizes, as they are."""
    for text, n, name in _sizes(arrays):
        if n == values:
            yield text, frozenset((name,))
    for name, shapes in arrays.items():
        if tuple(math.prod(s) for s in shapes) == values:
            yield f"{name}.size", frozenset((name,))


def _counts(values: tuple[int, ...], arrays: Mapping[str, Shapes]) -> Found:
    sizes = _sizes(arrays)
    yield from _alone(values, arrays)
    for i, (text, n, name) in enumerate(sizes):
        for other, m, second in sizes[i + 1 :]:
            if tuple(map(operator.mul, n, m)) == values:
                yield f"{text} * {other}", frozenset((name, second))
    for name, shapes in arrays.items():
        for axis in range(1, len(shapes[0]) - 1):
            if tuple(math.prod(s[axis:]) for s in shapes) == values:
                yield f"np.prod({name}.shape[{axis}:])", frozenset((name,))
        for axis in range(len(shapes[0])):
            if all(s[axis] and math.prod(s) // s[axis] == v for s, v in zip(shapes, values, strict=True)):
                yield f"{name}.size // {name}.shape[{axis}]", frozenset((name,))
    for text, n, name in sizes:
        offset = _constant(map(operator.sub, values, n))
        if offset is not None and abs(offset) <= 2:
            yield _with_offset(text, offset), frozenset((name,))
    for i, (text, n, name) in enumerate(sizes):
        for j, (other, m, second) in enumerate(sizes):
            for sign, f in (("+", operator.add), ("-", operator.sub)):
                offset = _constant(map(operator.sub, values, map(f, n, m)))
                if i != j and offset is not None and abs(offset) <= 1:
                    yield _with_offset(f"{text} {sign} {other}", offset), frozenset((name, second))
    for text, n, name in [*sizes, *((f"{name}.size", tuple(map(math.prod, shapes)), name) for name, shapes in arrays.items())]:
        if (
            all(n)
            and values[0] % n[0] == 0
            and abs(values[0]) > n[0]
            and all(v == values[0] // n[0] * k for v, k in zip(values, n, strict=True))
        ):
            yield f"{values[0] // n[0]} * {text}", frozenset((name,))
    for i, (text, n, name) in enumerate(sizes):
        for other, m, second in sizes[i + 1 :]:
            for function in (min, max):
                if tuple(map(function, n, m)) == values:
                    yield f"{function.__name__}({text}, {other})", frozenset((name, second))
    whole = [(f"{name}.size", tuple(map(math.prod, shapes)), name) for name, shapes in arrays.items()]
    different = {n: (text, n, name) for text, n, name in reversed([*sizes, *whole])}
    yield from _products(values, different.values(), (2, 3, 4), (1,))
    for text, n, name in different.values():
        for other, m, second in different.values():
            for offset in (-1, 1):
                if tuple((k + offset) * j for k, j in zip(n, m, strict=True)) == values:
                    yield f"({_with_offset(text, offset)}) * {other}", frozenset((name, second))
    yield from _cut(values, arrays)
    yield from _products(values, different.values(), (2, 3), (2, 3, 4))


def _products(
    values: tuple[int, ...], sizes: Collection[tuple[str, tuple[int, ...], str]], counts: Iterable[int], factors: Iterable[int]
) -> Found:
    """Yield so many sizes multiplied with each other and with one of the numbers."""
    for count in counts:
        for chosen in itertools.combinations_with_replacement(sizes, count):
            product = tuple(map(math.prod, zip(*(n for _, n, _ in chosen), strict=True)))
            for factor in factors:
                if tuple(factor * k for k in product) == values:
                    formula = " * ".join(text for text, _, _ in chosen)
                    yield _multiple(f"{{}} * {formula}", factor), frozenset(name for _, _, name in chosen)


def _cut(values: tuple[int, ...], arrays: Mapping[str, Shapes]) -> Found:
    """Yield how many elements a part of an array has, ``y[1:, :, 1:-1]``, that with the least cut off first."""
    for name, shapes in arrays.items():
        for off in sorted(_cuts(values, shapes), key=sum):
            if any(off) and tuple(math.prod(n - k for n, k in zip(s, off, strict=True)) for s in shapes) == values:
                axes = (_with_offset(f"{name}.shape[{axis}]", -k) for axis, k in enumerate(off))
                yield " * ".join(f"({a})" if " " in a else a for a in axes), frozenset((name,))


def _cuts(values: Sequence[int], shapes: Sequence[tuple[int, ...]]) -> Iterator[tuple[int, ...]]:
    """Yield how much may be cut off each axis: what is left of each divides the numbers, so that few are tried of many axes."""
    if not shapes[0]:
        yield ()
        return
    for k in (0, 1, 2):
        lengths = [s[0] - k for s in shapes]
        if all(v % n == 0 if n > 0 else n == v for v, n in zip(values, lengths, strict=True)):
            left = [v // n if n else 0 for v, n in zip(values, lengths, strict=True)]
            yield from ((k, *rest) for rest in _cuts(left, [s[1:] for s in shapes]))


def _likely(values: tuple[int, ...], arrays: Mapping[str, Shapes]) -> Found:
    sizes = _sizes(arrays)
    for text, n, name in sizes:
        offset = _constant(map(operator.sub, values, n))
        if offset is not None and abs(offset) < min(n):
            yield _with_offset(text, offset), frozenset((name,))
    for text, n, name in sizes:
        for formula, m in ((f"2 * {text}", [2 * k for k in n]), (f"{text} // 2", [k // 2 for k in n]), (f"-{text}", [-k for k in n])):
            offset = _constant(map(operator.sub, values, m))
            if offset is not None and abs(offset) <= 2:
                yield _with_offset(formula, offset), frozenset((name,))


def _with_offset(text: str, offset: int) -> str:
    return f"{text} {'+' if offset > 0 else '-'} {abs(offset)}" if offset else text


def _constant(numbers: Iterable[Any]) -> Any:
    """Return what all numbers are, or ``None``."""
    first, *others = numbers
    return first if all(math.isclose(first, n, rel_tol=1e-6 if isinstance(first, float) else 0) for n in others) else None


def _fractions(values: tuple[float, ...], arrays: Mapping[str, Shapes], near: float) -> Found:
    """Numbers that are a size, are divided by one, are its root, or a multiple of it."""
    counts = [*_sizes(arrays), *((f"{name}.size", tuple(map(math.prod, shapes)), name) for name, shapes in arrays.items())]
    for text, n, name in counts:
        if not all(n):
            continue
        for factor, formula in (
            (_constant(map(operator.mul, values, n)), f"{{}} / {text}"),
            (_constant(v * math.sqrt(k) for v, k in zip(values, n, strict=True)), f"{{}} / np.sqrt({text})"),
            (_constant(map(operator.truediv, values, n)), f"{{}} * {text}"),
            (_constant(v / math.sqrt(k) for v, k in zip(values, n, strict=True)), f"{{}} * np.sqrt({text})"),
        ):
            if factor is not None:
                whole = round(factor) if math.isclose(factor, round(factor), rel_tol=near) else factor
                yield _multiple(formula, whole), frozenset((name,))
    products = [
        (f"{text} * {other}", tuple(map(operator.mul, n, m)), frozenset((name, second)))
        for (text, n, name), (other, m, second) in itertools.combinations(_sizes(arrays), 2)
    ]
    some = {n: (text, read) for text, n, read in reversed([*((text, n, frozenset((name,))) for text, n, name in counts), *products])}
    for (n, (text, read)), (m, (other, too)) in itertools.permutations(some.items(), 2):
        if all(n) and all(m):
            factor = _constant(v * k / j for v, k, j in zip(values, m, n, strict=True))
            if factor is not None and math.isclose(factor, round(factor), rel_tol=near):
                below = f"({other})" if "*" in other else other
                yield _multiple(f"{{}} * {text} / {below}", round(factor)), read | too
    yield from _straight(values, some, near)


def _straight(values: tuple[float, ...], some: Mapping[tuple[int, ...], tuple[str, frozenset[str]]], near: float) -> Found:
    """Yield a size times a number, or a number divided by a size, and another added, both of few decimals, that fit three points."""
    for n, (text, read) in some.items():
        if len(set(n)) < 3 or not all(n):
            continue
        for sizes, formula in ((n, f"{{}} * {text}"), ([1 / k for k in n], f"{{}} / {text}")):
            slope = (values[1] - values[0]) / (sizes[1] - sizes[0])
            slope, offset = (float(f"{x:.6g}") for x in (slope, values[0] - slope * sizes[0]))
            short = offset and slope and all(len(repr(x)) <= DECIMALS for x in (slope, offset))
            if short and all(math.isclose(offset + slope * k, v, rel_tol=near) for k, v in zip(sizes, values, strict=True)):
                yield f"{written(offset)} + {_multiple(formula, int(slope) if slope.is_integer() else slope)}", read


def _multiple(formula: str, factor: Any) -> str:
    return (formula.removeprefix("{} * ") if factor == 1 else formula).format(factor)
