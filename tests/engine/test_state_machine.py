"""Random programs, with views and writes in place, against a naive engine written here and against differences.

The naive engine knows a dozen scalar rules and nothing of arrays: every element is its own node, and the derivative
is found by plain recursion over the expression. What NumPy itself says about aliasing decides what a write changes.
"""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import numpy as np
from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from oracles import numeric_gradient

import autograd_np as ag

# --- the naive engine -----------------------------------------------------------------------------


class Scalar:
    """A number, where it came from, and the partial derivative by each of those."""

    def __init__(self, value: float, inputs: tuple[tuple[Scalar, float], ...] = ()) -> None:
        self.value = float(value)
        self.inputs = inputs


def derivative(y: Scalar, x: Scalar, known: dict[int, float]) -> float:
    """Return dy/dx by recursion: the sum over y's inputs of partial * d(input)/dx."""
    if y is x:
        return 1.0
    if id(y) not in known:
        known[id(y)] = sum(partial * derivative(parent, x, known) for parent, partial in y.inputs)
    return known[id(y)]


def add(a: Scalar, b: Scalar) -> Scalar:
    return Scalar(a.value + b.value, ((a, 1.0), (b, 1.0)))


def subtract(a: Scalar, b: Scalar) -> Scalar:
    return Scalar(a.value - b.value, ((a, 1.0), (b, -1.0)))


def multiply(a: Scalar, b: Scalar) -> Scalar:
    return Scalar(a.value * b.value, ((a, b.value), (b, a.value)))


def divide_by_bounded(a: Scalar, b: Scalar) -> Scalar:
    d = 2.0 + b.value * b.value
    return Scalar(a.value / d, ((a, 1 / d), (b, -a.value * 2 * b.value / d**2)))


def greater(a: Scalar, b: Scalar) -> Scalar:
    if a.value == b.value:
        return Scalar(a.value, ((a, 0.5), (b, 0.5)))
    return Scalar(max(a.value, b.value), ((a if a.value > b.value else b, 1.0),))


def sine(a: Scalar) -> Scalar:
    return Scalar(math.sin(a.value), ((a, math.cos(a.value)),))


def tanh(a: Scalar) -> Scalar:
    t = math.tanh(a.value)
    return Scalar(t, ((a, 1 - t * t),))


def halved_square(a: Scalar) -> Scalar:
    return Scalar(a.value**2 / 2, ((a, a.value),))


def logistic(a: Scalar) -> Scalar:
    s = 1 / (1 + math.exp(-a.value)) if a.value > -700 else 0.0
    return Scalar(s, ((a, s * (1 - s)),))


def negative(a: Scalar) -> Scalar:
    return Scalar(-a.value, ((a, -1.0),))


def total(parts: list[Scalar]) -> Scalar:
    return reduce(add, parts, Scalar(0.0))


BINARY = {
    "add": (np.add, add), "subtract": (np.subtract, subtract), "multiply": (np.multiply, multiply), "maximum": (np.maximum, greater),
    "divide": (lambda a, b: a / (2 + b * b), divide_by_bounded),
}  # fmt: skip
UNARY = {
    "sin": (np.sin, sine), "tanh": (np.tanh, tanh), "square": (lambda a: a**2 / 2, halved_square), "sigmoid": (ag.sigmoid, logistic),
    "negative": (np.negative, negative),
}  # fmt: skip
IN_PLACE = {"+=": add, "-=": subtract, "*=": multiply}
VIEWS = {
    "T": lambda x: x.T, "[0]": lambda x: x[0], "[1:]": lambda x: x[1:], "[::-1]": lambda x: x[::-1], "[..., ::2]": lambda x: x[..., ::2],
    "ravel": lambda x: x.ravel(), "[None]": lambda x: x[None], "reshape": lambda x: x.reshape((x.size, 1)),
}  # fmt: skip
COPIES = {
    "[[0, 0, -1]]": lambda x: x[[0, 0, -1]], "copy": lambda x: x.copy(), "stack": lambda x: np.stack([x, x]), "concatenate": lambda x: np.concatenate([x, x]),  # noqa: E501
}  # fmt: skip
REDUCTIONS = ("sum", "mean", "max")


def values(cells: Any) -> np.ndarray:
    return np.array([c.value for c in np.asarray(cells).ravel()]).reshape(np.shape(cells))


def wrapped(x: np.ndarray) -> np.ndarray:
    """Return an object array of Scalars: NumPy itself carries out the indexing and the aliasing."""
    cells = np.empty(x.shape, dtype=object)
    for i in np.ndindex(*x.shape):
        cells[i] = Scalar(x[i])
    return cells


def elementwise(f: Any, *operands: Any) -> np.ndarray:
    arrays = np.broadcast_arrays(*operands)
    out = np.empty(arrays[0].shape, dtype=object)
    for i in np.ndindex(*out.shape):
        out[i] = f(*(a[i] for a in arrays))
    return out


def bounded(x: np.ndarray) -> bool:
    return bool(x.size and x.size <= 24 and x.ndim <= 3 and np.isfinite(x).all() and np.abs(x).max() < 50)


class Programs(RuleBasedStateMachine):
    """Grow two graphs side by side; at any moment every Tensor must hold the naive engine's values, and its gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[tuple[ag.Tensor, np.ndarray]] = []
        self.leaves: list[tuple[ag.Tensor, np.ndarray]] = []

    @initialize(seed=st.integers(0, 10_000))
    def start(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        for shape in ((2, 3), (3,), ()):
            x = rng.normal(size=shape).round(2)
            t, cells = ag.Tensor(x, requires_grad=True), wrapped(x)
            self.leaves.append((t, cells))
            self.pairs.append((t * 1, elementwise(lambda c: Scalar(c.value, ((c, 1.0),)), cells)))

    def push(self, t: ag.Tensor, cells: np.ndarray) -> None:
        if bounded(values(cells)):
            self.pairs.append((t, cells))

    def pick(self, k: int) -> tuple[ag.Tensor, np.ndarray]:
        return self.pairs[k % len(self.pairs)]

    @rule(name=st.sampled_from(sorted(BINARY)), i=st.integers(0, 99), j=st.integers(0, 99))
    def binary(self, name: str, i: int, j: int) -> None:
        (a, ca), (b, cb) = self.pick(i), self.pick(j)
        try:
            np.broadcast_shapes(ca.shape, cb.shape)
        except ValueError:
            return
        fn, naive = BINARY[name]
        self.push(fn(a, b), elementwise(naive, ca, cb))

    @rule(name=st.sampled_from(sorted(UNARY)), i=st.integers(0, 99))
    def unary(self, name: str, i: int) -> None:
        a, ca = self.pick(i)
        fn, naive = UNARY[name]
        self.push(fn(a), elementwise(naive, ca))

    @rule(i=st.integers(0, 99), c=st.sampled_from([2, -0.5, np.float64(1.5)]))
    def by_a_constant(self, i: int, c: Any) -> None:
        a, ca = self.pick(i)
        self.push(c * a, elementwise(lambda s: Scalar(s.value * c, ((s, float(c)),)), ca))

    @rule(name=st.sampled_from(sorted(VIEWS) + sorted(COPIES)), i=st.integers(0, 99))
    def moved(self, name: str, i: int) -> None:
        a, ca = self.pick(i)
        fn = {**VIEWS, **COPIES}[name]
        try:
            cells = fn(ca)
        except (IndexError, ValueError):
            return
        if isinstance(cells, Scalar):  # object arrays give their element
            box = np.empty((), dtype=object)
            box[()] = cells
            cells = box
        t = fn(a)
        shared = np.shares_memory(t.data, a.data)
        if shared and not np.shares_memory(cells, ca):
            return  # objects are laid out otherwise than numbers after a transpose
        if np.shares_memory(cells, ca) and not shared:
            cells = cells.copy()  # a scalar element is no view for numbers
        self.push(t, cells)

    @rule(name=st.sampled_from(REDUCTIONS), i=st.integers(0, 99), axis=st.sampled_from([None, 0, -1]))
    def reduced(self, name: str, i: int, axis: int | None) -> None:
        a, ca = self.pick(i)
        if axis is not None and not ca.ndim:
            return
        rows = ca.reshape(1, -1) if axis is None else np.moveaxis(ca, axis, -1).reshape(-1, ca.shape[axis])
        shape = () if axis is None else np.delete(ca.shape, axis)
        out = np.empty(len(rows), dtype=object)
        for k, row in enumerate(rows):
            if name == "max":
                top = max(c.value for c in row)
                tied = [c for c in row if c.value == top]
                out[k] = Scalar(top, tuple((c, 1 / len(tied)) for c in tied))
            else:
                s = total(list(row))
                out[k] = s if name == "sum" else Scalar(s.value / len(row), ((s, 1 / len(row)),))
        self.push(getattr(np, name)(a, axis=axis), out.reshape(shape))

    @rule(i=st.integers(0, 99), j=st.integers(0, 99))
    def contracted(self, i: int, j: int) -> None:
        (a, ca), (b, cb) = self.pick(i), self.pick(j)
        if not (ca.ndim and cb.ndim and ca.ndim <= 2 and cb.ndim <= 2 and ca.shape[-1] == cb.shape[0]):
            return
        left, right = np.atleast_2d(ca), cb.reshape(cb.shape[0], -1)
        out = np.empty((left.shape[0], right.shape[1]), dtype=object)
        for r, c in np.ndindex(*out.shape):
            out[r, c] = total([multiply(x, y) for x, y in zip(left[r], right[:, c], strict=True)])
        shape = ca.shape[:-1] + cb.shape[1:]
        self.push(a @ b, out.reshape(shape))

    @rule(op=st.sampled_from(sorted(IN_PLACE)), i=st.integers(0, 99), j=st.integers(0, 99))
    def written(self, op: str, i: int, j: int) -> None:
        (a, ca), (b, cb) = self.pick(i), self.pick(j)
        try:
            if np.broadcast_shapes(ca.shape, cb.shape) != ca.shape:
                return
        except ValueError:
            return
        new = elementwise(IN_PLACE[op], ca, cb)
        if not bounded(values(new)):
            return
        number = isinstance(a.data, np.generic)
        if op == "+=":
            a += b
        elif op == "-=":
            a -= b
        else:
            a *= b
        if number:  # no memory: the name stands for another number
            self.push(a, new)
        else:
            self.commit(ca, new)

    @rule(i=st.integers(0, 99), j=st.integers(0, 99), index=st.sampled_from([0, -1, slice(None, None, 2), [0, 0], Ellipsis]))
    def assigned(self, i: int, j: int, index: Any) -> None:
        (a, ca), (b, cb) = self.pick(i), self.pick(j)
        if not ca.ndim:
            return
        shape = np.zeros(ca.shape)[index].shape
        try:
            value = np.broadcast_to(cb, shape)
        except ValueError:
            return
        new = ca.copy()
        new[index] = value if shape else value[()]
        if not bounded(values(new)):
            return
        a[index] = b
        self.commit(ca, new)

    def commit(self, cells: np.ndarray, new: np.ndarray) -> None:
        """Write as NumPy does: every array that shares these cells sees it."""
        cells[...] = new

    @invariant()
    def every_tensor_holds_what_numpy_says(self) -> None:
        for t, cells in self.pairs:
            np.testing.assert_allclose(t.data, values(cells), rtol=1e-12, atol=1e-12)

    @precondition(lambda self: len(self.pairs) > 3)
    @rule(i=st.integers(0, 99), accumulate=st.booleans())
    def differentiated(self, i: int, accumulate: bool) -> None:
        t, cells = self.pick(i)
        seed = np.cos(np.arange(max(cells.size, 1)))[: cells.size].reshape(cells.shape)
        for x, _ in self.leaves:
            x.grad = None
        for _ in range(1 + accumulate):
            t.backward(seed)
        weighted = total([Scalar(c.value * w, ((c, float(w)),)) for c, w in zip(cells.ravel(), seed.ravel(), strict=True)])
        for x, leaf_cells in self.leaves:
            expected = np.array([derivative(weighted, c, {}) for c in leaf_cells.ravel()]).reshape(leaf_cells.shape) * (1 + accumulate)
            found = np.zeros(x.shape) if x.grad is None else x.grad
            note(f"gradient of {cells.shape} by {x.shape}")
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
            assert found.shape == x.shape


TestPrograms = Programs.TestCase
TestPrograms.settings = settings(max_examples=200, stateful_step_count=30, deadline=None, derandomize=True)


def test_the_naive_engine_itself_against_differences() -> None:
    """A reference nobody checked is no reference."""
    x = np.array([[0.4, -1.2, 0.9], [1.7, 0.3, -0.6]])

    def program(cells: np.ndarray) -> Scalar:
        h = elementwise(tanh, elementwise(multiply, cells, cells[0]))
        h[0] = elementwise(divide_by_bounded, h[1], elementwise(sine, cells[1]))
        h = elementwise(greater, h, elementwise(logistic, cells))
        return total(list(elementwise(halved_square, elementwise(subtract, h, elementwise(negative, cells))).ravel()))

    cells = wrapped(x)
    y = program(cells)
    found = np.array([derivative(y, c, {}) for c in cells.ravel()]).reshape(x.shape)
    np.testing.assert_allclose(found, numeric_gradient(lambda v: program(wrapped(v)).value, x), rtol=1e-8, atol=1e-9)
