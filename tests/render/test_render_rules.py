"""The local derivatives as text: checked by hand for the usual operations, and by evaluation for every row of the table."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.op import TABLE, Op
from autograd_np.render.rules import Rules

with contextlib.suppress(ModuleNotFoundError):  # without SciPy there are no rows of its functions
    import autograd_np.ops.for_scipy.special


def rules_of(f: Any, *inputs: Any) -> tuple[str, ...]:
    return Rules().lines(ag.trace(f, *inputs).outputs[0])


M, N, V = np.ones((2, 3)), np.ones((3, 4)), np.ones(3)


@pytest.mark.parametrize(
    ("f", "inputs", "lines"),
    [
        (lambda x: ag.sigmoid(x), (V,), ["∂y/∂x = y ⊙ (1 − y)"]),
        (lambda A, B: A @ B, (M, N), ["dA = G · Bᵀ", "dB = Aᵀ · G"]),
        (lambda A, B: np.dot(A, B), (M, N), ["dA = G · Bᵀ", "dB = Aᵀ · G"]),
        (lambda A, v: A @ v, (M, V), ["dA = G[…, None] ⊙ v", "dv = Aᵀ · G"]),
        (lambda a, b: a * b, (V, V), ["∂y/∂a = b", "∂y/∂b = a"]),
        (lambda a: a * a, (V,), ["∂y/∂a = a + a"]),
        (lambda a, b: a / b, (V, V), ["∂y/∂a = 1 / b", "∂y/∂b = −y / b"]),
        (lambda a, b: a - b, (V, V), ["∂y/∂a = 1", "∂y/∂b = −1"]),
        (lambda A, b: A + b, (M, V), ["∂y/∂A = 1", "db = sum(G, axis=0)"]),
        (lambda A, b: A * b, (M, np.ones((2, 1))), ["∂y/∂A = b", "db = sum(G ⊙ A, axis=1)"]),
        (lambda A, b: A * b, (M, np.float64(2)), ["∂y/∂A = b", "db = sum(G ⊙ A)"]),
        (lambda x: x**3, (V,), ["∂y/∂x = 3·x²"]),
        (lambda x: x**2, (V,), ["∂y/∂x = 2·x"]),
        (lambda x: np.sqrt(x), (V,), ["∂y/∂x = 0.5 / y"]),
        (lambda x: np.tanh(x), (V,), ["∂y/∂x = 1 − y²"]),
        (lambda x: np.sin(x), (V,), ["∂y/∂x = cos(x)"]),
        (lambda x: ag.relu(x), (V,), ["∂y/∂x = x > 0"]),
        (lambda x: np.sum(x), (M,), ["dx = broadcast(G, (2, 3))"]),
        (lambda x: x[1:], (V,), ["dx = scatter_add(G, (3,), index=[1:])"]),
        (lambda x: x.reshape(3, 2), (M,), ["dx = reshape(G, (2, 3))"]),
        (lambda x: x.T, (M,), ["dx = Gᵀ"]),
        (lambda x: ag.softmax(x), (V,), ["dx = y ⊙ (G − sum(G ⊙ y, axis=-1, keepdims=True))"]),
    ],
)
def test_as_a_person_would_write_it(f: Any, inputs: Any, lines: list[str]) -> None:
    assert list(rules_of(f, *inputs)) == lines


def test_the_users_names_are_used() -> None:
    def f(W1: np.ndarray, X: np.ndarray) -> np.ndarray:
        A1 = np.tanh(W1 @ X)
        return A1

    graph = ag.trace(f, M, N)
    assert [Rules().lines(node) for node in graph.nodes[2:]] == [("dW1 = G · Xᵀ", "dX = W1ᵀ · G"), ("∂A1/∂x = 1 − A1²",)]


def test_names_that_are_too_long_or_the_same_or_markup_are_replaced_by_letters() -> None:
    for left, right in (("a" * 30, "b"), ("m.weight", "n.weight"), ("<b>", "x"), ("G", "H"), ("y", "x")):
        a, b = (ag.Tensor(np.ones(3), requires_grad=True, name=name) for name in (left, right))
        lines = Rules().lines((a * b)._node)
        assert lines == ("∂y/∂a = b", "∂y/∂b = a") or (left == "y" and len(set(lines)) == 2)


def test_a_users_own_operation_and_one_that_fails() -> None:
    cube = ag.define(lambda x: x**3, partials=[lambda y, x: 3 * x**2], name="cube")
    assert rules_of(lambda x: cube(x), V) == ("∂y/∂x = 3·x²",)

    def broken(g: Any, y: Any, x: Any) -> Any:
        raise ZeroDivisionError("<script>")

    bad = ag.define(lambda x: x + 0.0, vjp=broken, name="bad")
    assert rules_of(lambda x: bad(x), V) == ("rule of bad: could not be shown (ZeroDivisionError)",)


def rows() -> list[Op]:
    return list({id(row): row for row in TABLE.values() if isinstance(row, Op) and row.kind != "constant"}.values())


@pytest.mark.parametrize("op", [op for op in rows() if op.kind == "elementwise" and not op.variadic], ids=lambda op: op.name)
def test_every_elementwise_row_has_a_rule_that_can_be_read(op: Op, rng: np.random.Generator) -> None:
    arrays = [domain.sample(rng, (3,)) for domain in op.domains]
    if not any(a.dtype.kind == "f" for a in arrays):
        pytest.skip("takes no floats")
    graph = ag.trace(lambda *xs: op.fn(*xs), *arrays)
    lines = Rules().lines(graph.outputs[0])
    assert lines
    for line in lines:
        assert "could not" not in line
        assert line.count("(") == line.count(")")
        assert "#" not in line
        assert len(line) < 420


def test_a_rule_is_traced_once_for_calls_of_one_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    x = ag.Tensor(np.ones(3), requires_grad=True)
    y = x
    calls = []
    double = ag.define(lambda x: 2 * x, partials=[lambda y, x: calls.append(1) or 2.0], name="double")
    for _ in range(20):
        y = double(y)
    rules = Rules()
    calls.clear()
    assert {rules.lines(node) for node in ag.graph(y) if node.op} == {("∂y/∂x = 2",)}
    assert len(calls) == 1
