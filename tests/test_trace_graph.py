"""Graphs: what was recorded, in order, under the user's own names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_np as ag

X = np.array([[0.4, -1.2], [1.7, 0.3], [0.2, -0.6]])


def forward(p: Any, X: Any) -> Any:
    Z1 = np.dot(X, p["W1"]) + p["b1"]
    A1 = np.tanh(Z1)
    A2 = 1 / (1 + np.exp(-A1))
    return np.mean(A2)


P = {"W1": np.array([[0.1, 0.2], [0.3, -0.4]]), "b1": np.zeros(2)}


def test_nodes_carry_the_names_of_parameters_and_locals() -> None:
    g = ag.trace(forward, P, X)
    named = {n.name for n in g if n.name}
    assert {"W1", "b1", "X", "Z1", "A1", "A2"} <= named
    np.testing.assert_array_equal(g.find("Z1").out, X @ P["W1"] + P["b1"])
    assert g.find("A1").op.name == "tanh"
    with pytest.raises(KeyError, match=r"no node is named 'nope'.*Z1"):
        g.find("nope")


def test_the_first_name_a_value_had_stays() -> None:
    def f(x: Any) -> Any:
        first = x * 2
        second = first
        return np.sum(second)

    assert {n.name for n in ag.trace(f, X)} >= {"x", "first"}


def test_a_rebound_variable_names_each_of_its_values() -> None:
    def f(x: Any) -> Any:
        h = x * 2
        h = np.sin(h)
        return np.sum(h)

    assert [n.name for n in ag.trace(f, X) if n.name] == ["x", "h", "h"]


def test_nodes_stand_in_topological_order_and_ids_are_stable() -> None:
    a, b = ag.trace(forward, P, X), ag.trace(forward, P, X)
    assert str(a) == str(b)
    assert [a.id_of(n) for n in a] == [f"n{i}" for i in range(len(a))]
    position = {n: i for i, n in enumerate(a)}
    for n in a:
        assert all(position[p] < position[n] for p in n.parents if p is not None)
    a.validate()
    assert {n.name for n in a.leaves} >= {"W1", "b1", "X"}


def test_a_graph_that_is_out_of_order_is_not_valid() -> None:
    g = ag.trace(forward, P, X)
    g._position = {n: len(g) - i for i, n in enumerate(g.nodes)}
    with pytest.raises(ag.DifferentiationError, match="before its operand"):
        g.validate()


def test_gradients_at_every_node_equal_the_transform() -> None:
    g = ag.trace(forward, P, X)
    found = {n.name: v for n, v in g.gradients().items() if n.name}
    expected, gx = ag.grad(forward, (0, 1))(P, X)
    np.testing.assert_allclose(found["W1"], expected["W1"])
    np.testing.assert_allclose(found["b1"], expected["b1"])
    np.testing.assert_allclose(found["X"], gx)
    A2 = g.find("A2").out
    np.testing.assert_allclose(found["A2"], np.full_like(A2, 1 / A2.size))
    assert found["Z1"].shape == A2.shape


def test_gradients_of_a_graph_want_one_scalar_output_or_a_seed() -> None:
    g = ag.trace(lambda x: x * 2, X)
    with pytest.raises(ag.DifferentiationError, match=r"shape \(3, 2\); pass a seed"):
        g.gradients()
    np.testing.assert_array_equal(next(v for n, v in g.gradients(np.ones((3, 2))).items() if n.name == "x"), 2)
    with pytest.raises(ag.DifferentiationError, match="one output, this one has 2"):
        ag.trace(lambda x: (x * 2, x * 3), X).gradients()
    with pytest.raises(ag.DifferentiationError, match="shape"):
        g.gradients(np.ones(7))


def test_the_graph_of_a_tensor() -> None:
    w = ag.Tensor([1.0, 2.0], requires_grad=True, name="w")
    g = ag.graph(np.sum(w * 3.0))
    assert str(g).splitlines()[0].startswith("w    : leaf (2,) float64")
    assert len(g) == 3
    assert "multiply(w, 3.0)" in str(g)
    assert repr(g) == "<Graph of 3 nodes, 1 leaves>"
    with pytest.raises(ag.DifferentiationError, match=r"requires_grad=True.*ag\.trace"):
        ag.graph(ag.Tensor(1.0))
    with pytest.raises(ag.DifferentiationError):
        ag.graph(np.ones(2))


def test_a_function_that_ignores_its_inputs_has_no_graph() -> None:
    with pytest.raises(ag.DifferentiationError, match="does not depend"):
        ag.trace(lambda x: 3.0, X)


def test_integer_inputs_are_nodes_too() -> None:
    def f(x: Any, n: Any) -> Any:
        y = x * n
        return np.sum(y)

    g = ag.trace(f, X, np.array([1, 2]))
    assert {"x", "n", "y"} <= {n.name for n in g}


def test_constants_have_the_names_of_their_variables() -> None:
    def f(x: Any) -> Any:
        mask = np.array([1.0, 0.0])
        return np.sum(x * mask)

    assert "multiply(x, mask)" in str(ag.trace(f, X))


def test_comparisons_are_part_of_a_traced_graph() -> None:
    def f(x: Any) -> Any:
        positive = x > 0
        return np.sum(np.where(positive, x, 0.1 * x))

    g = ag.trace(f, X)
    assert "positive" in {n.name for n in g}
    assert not g.find("positive").needs


def test_sites_are_lines_of_the_users_file() -> None:
    g = ag.trace(forward, P, X)
    line = forward.__code__.co_firstlineno + 2
    assert g.find("A1").site == f"{__file__}:{line}"


def test_methods_lambdas_and_other_callables_are_traced() -> None:
    class Model:
        def __init__(self) -> None:
            self.w = np.array([2.0, 3.0])

        def __call__(self, x: Any) -> Any:
            hidden = x * self.w
            return np.sum(hidden)

        def method(self, x: Any) -> Any:
            inside = x * 2
            return np.sum(inside)

    assert "hidden" in {n.name for n in ag.trace(Model(), X)}
    assert "inside" in {n.name for n in ag.trace(Model().method, X)}
    assert len(ag.trace(np.sum, X)) == 2
    assert len(ag.trace(lambda x: np.sum(x), X)) == 2


def test_tracing_restores_the_trace_hook_and_leaves_inputs_alone() -> None:
    import sys

    def hook(*_: Any) -> None:
        return None

    before = sys.gettrace()
    sys.settrace(hook)
    try:
        ag.trace(forward, P, X)
        assert sys.gettrace() is hook
        with pytest.raises(ZeroDivisionError):
            ag.trace(lambda x: x[0, 0].item() / 0, X)
        assert sys.gettrace() is hook
    finally:
        sys.settrace(before)


def test_tracing_inside_a_gradient_and_a_gradient_inside_tracing() -> None:
    def f(x: Any) -> Any:
        slope = ag.grad(lambda z: np.sum(z**3))(x)
        return np.sum(slope)

    g = ag.trace(f, X)
    found = next(v for n, v in g.gradients().items() if n.name == "x")
    np.testing.assert_allclose(found, 6 * X)
    assert "slope" in {n.name for n in g}


def test_tracing_tensors_of_the_user() -> None:
    w = ag.Tensor([2.0, 3.0], requires_grad=True, name="w")

    def f(x: Any) -> Any:
        return np.sum(x * w)

    g = ag.trace(f, X)
    found = next(v for n, v in g.gradients().items() if n.name == "x")
    assert isinstance(found, ag.Tensor)  # it depends on w
    np.testing.assert_allclose(found.data, np.broadcast_to(w.data, (3, 2)))


def test_a_long_graph_needs_no_recursion() -> None:
    x = ag.Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(20_000):
        y = y + 1.0
    g = ag.graph(y)
    assert len(g) == 20_001
    assert str(g).count("\n") == 20_001
