"""`Graph.backward`: forward and backward in one graph, under the names of the user's."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
import nn
from autograd_np import errors


def network(W1: Any, b1: Any, W2: Any, X: Any, Y: Any) -> Any:
    m = X.shape[1]
    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    Z2 = W2 @ A1
    return np.sum((Z2 - Y) ** 2) / m


def inputs() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=s) for s in ((4, 2), (4, 1), (1, 4), (2, 5), (1, 5))]


def outputs(graph: ag.Graph) -> list[Any]:
    return [node.out for node in graph.outputs]


def test_the_outputs_are_the_result_and_the_gradients() -> None:
    joint = ag.trace(network, *inputs()).backward()
    value, *gradients = outputs(joint)
    expected, pull = ag.value_and_grad(network, argnums=(0, 1, 2, 3, 4))(*inputs())
    np.testing.assert_allclose(value, expected)
    assert len(gradients) == 5
    for found, g in zip(gradients, pull, strict=True):
        np.testing.assert_allclose(found, g)
        assert found.dtype == g.dtype


def test_gradients_are_named_after_their_variables() -> None:
    joint = ag.trace(network, *inputs()).backward(wrt=["W1", "b1"])
    names = {node.name for node in joint.gradient_nodes if node.name}
    assert {"dZ1", "dA1", "dW1", "db1"} <= names
    assert "dX" not in names
    assert len(joint.outputs) == 3


def test_only_the_nodes_of_the_backward_pass_are_marked() -> None:
    joint = ag.trace(network, *inputs()).backward("W1")
    forward = {node.name for node in joint.nodes if node not in joint.gradient_nodes}
    assert {"W1", "X", "Z1", "A1", "Z2"} <= forward
    assert joint.outputs[1] in joint.gradient_nodes
    assert joint.outputs[0] not in joint.gradient_nodes


def test_unknown_names_are_refused() -> None:
    with pytest.raises(errors.DifferentiationError, match="no variable is called 'W3'; there are W1, b1"):
        ag.trace(network, *inputs()).backward("W3")


def test_of_several_results_the_only_scalar_is_differentiated_or_the_first() -> None:
    for f in (lambda x: (np.sin(x), np.sum(x**2)), lambda x: (np.sum(x**2), np.sum(x))):
        np.testing.assert_allclose(outputs(ag.trace(f, np.ones(3)).backward())[1], 2.0 * np.ones(3))


def test_a_gradient_that_depends_on_nothing_is_there_too() -> None:
    joint = ag.trace(lambda x, y: np.sum(x) + 3 * y, np.ones((2, 3)), np.float64(2.0)).backward()
    value, dx, dy = outputs(joint)
    np.testing.assert_array_equal(dx, np.ones((2, 3)))
    assert (value, dy) == (12.0, 3.0)
    assert [node.name for node in joint.outputs[1:]] == ["dx", "dy"]


def test_a_graph_of_recorded_tensors() -> None:
    x = ag.Tensor(np.array([1.0, 2.0]), requires_grad=True, name="x")
    w = ag.Tensor(np.array([3.0, 5.0]), requires_grad=True, name="w")
    y = np.sum(np.sin(x) * w)
    joint = ag.graph(y).backward()
    y.backward()
    found = dict(zip(["x", "w"], outputs(joint)[1:], strict=True))
    np.testing.assert_allclose(found["x"], x.grad)
    np.testing.assert_allclose(found["w"], w.grad)


def test_a_variable_that_is_read_twice_gets_both_contributions() -> None:
    def f(x: Any) -> Any:
        y = np.sin(x)
        return np.sum(y * np.exp(y) + y)

    x = np.linspace(0, 1, 4)
    np.testing.assert_allclose(outputs(ag.trace(f, x).backward())[1], ag.grad(f)(x))


def test_the_parameters_of_a_model_keep_their_paths() -> None:
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Linear(4, 2, rng=1))
    x = np.random.default_rng(0).normal(size=(5, 3))
    graph = model.graph(x)
    text = graph.to_numpy()
    assert "def backward(" in text
    own = re.findall(r"^    (\w+) = ", text, flags=re.MULTILINE)
    assert own
    assert not {n for n in own if n.startswith(("n1", "_", "self"))}
    for word in ("autograd_np", "ndarray.", "__"):
        assert word not in text


def test_a_second_derivative_of_a_joint_graph() -> None:
    x = np.linspace(0.5, 1.5, 3)

    def slope(x: Any) -> Any:
        return np.sum(ag.grad(lambda y: np.sum(y**3))(x) ** 2)

    joint = ag.trace(slope, x).backward()
    np.testing.assert_allclose(outputs(joint)[1], ag.grad(slope)(x))


def test_float32_stays_float32() -> None:
    arrays = [x.astype(np.float32) for x in inputs()]
    assert {out.dtype for out in outputs(ag.trace(network, *arrays).backward())} == {np.dtype(np.float32)}


def test_a_simplified_graph_can_be_differentiated() -> None:
    x = np.linspace(-1, 1, 5)

    def f(x: Any) -> Any:
        return np.sum(np.log(1 / (1 + np.exp(-x))))

    joint = ag.trace(f, x).simplify().backward()
    np.testing.assert_allclose(outputs(joint)[1], ag.grad(f)(x))
