"""Graphs: what was recorded, in order, under the user's own names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.trace import traced

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

    assert [n.name for n in ag.trace(f, X) if n.name] == ["x", "h", "h_2"]


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
    with pytest.raises(ag.DifferentiationError, match=r"one result, and there are 2 \(n1, n2\); choose one"):
        ag.trace(lambda x: (x * 2, x * 3), X).gradients()
    with pytest.raises(ag.DifferentiationError, match="shape"):
        g.gradients(np.ones(7))


@pytest.mark.parametrize(
    ("returned", "result"),
    [
        (lambda z, cost: (cost, {"z": z}), "sum"),
        (lambda z, cost: (z, cost), "sum"),
        (lambda z, cost: (np.max(z), cost, z), "sum"),
        (lambda z, cost: ({"z": z}, np.max(z)), "max"),
        (lambda z, cost: (np.max(z), np.min(z), z), "max"),
    ],
    ids=["first", "named, last", "named, though not first", "the only number", "the first of two numbers"],
)
def test_of_several_results_the_loss_is_the_one_that_gradients_are_of(returned: Any, result: str) -> None:
    def forward(x: Any) -> Any:
        z = x * x
        cost = np.sum(z)
        return returned(z, cost)

    g = ag.trace(forward, X)
    assert g.result().op.name == result
    assert g.result() not in g.saved
    assert len(g.saved) == len(g.outputs) - 1
    np.testing.assert_array_equal(g.gradients()[g.result()], 1)


def test_another_result_is_chosen_by_its_name() -> None:
    def forward(x: Any) -> Any:
        z = x * x
        total = np.sum(z)
        return total, z, np.argmax(z)

    g = ag.trace(forward, X)
    assert [g.result(which).name for which in (None, "z", g.nodes[1], "n1")] == ["total", "z", "z", "z"]
    np.testing.assert_array_equal(g.gradients(np.ones((3, 2)), output="z")[g.find("x")], 2 * X)
    with pytest.raises(
        ag.DifferentiationError, match="no node is named 'cost', to take gradients of; there are z, total, and ids n0 to n3"
    ):
        g.gradients(output="cost")


def test_the_graph_of_a_tensor() -> None:
    w = ag.Tensor([1.0, 2.0], requires_grad=True, name="w")
    g = ag.graph(np.sum(w * 3.0))
    assert str(g).splitlines()[0].startswith("w    : parameter (2,) float64")
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


def names(g: ag.Graph) -> list[str]:
    return [n.name for n in g if n.op is not None and n.name]


def dense(W: Any, x: Any) -> Any:
    z = x @ W
    mask = np.full(z.shape, 2.0)
    return np.tanh(z) * mask


def test_variables_of_functions_that_are_called_have_the_names_of_these() -> None:
    def f(x: Any, W1: Any, W2: Any) -> Any:
        a = dense(W1, x)
        out = dense(W2, np.sin(a))
        return out

    g = ag.trace(f, np.ones((4, 3)), np.ones((3, 2)), np.ones((2, 2)))
    assert names(g) == ["dense.z", "a", "dense.z_2", "out"]  # and no dense.x: the caller names what it passes on
    assert [n.name for n in g.leaves] == ["x", "W1", "W2"]
    assert "dense.mask" in str(g)


def test_variables_of_methods_and_lambdas() -> None:
    class Layer:
        def __init__(self, w: float) -> None:
            self.w = w

        def __call__(self, x: Any) -> Any:
            x = x * self.w
            return self.squashed(x)

        def squashed(self, x: Any) -> Any:
            inner = x + 1.0
            return np.tanh(inner) * 3.0

    layers = [Layer(2.0), Layer(3.0)]

    def f(x: Any) -> Any:
        double = lambda y: y + y  # noqa: E731
        for layer in layers:
            x = layer(x)
        return np.sum(next(double(v) for v in (x,)))

    g = ag.trace(f, X)
    assert names(g) == ["Layer.x", "squashed.inner", "x_2", "Layer.x_2", "squashed.inner_2", "x_3"]
    assert g.leaves[0].name == "x"


def test_a_name_that_a_later_variable_has_is_not_given_twice() -> None:
    def f(h: Any) -> Any:
        h = h * 2
        h = h * 3
        h_2 = h * 4
        return np.sum(h_2)

    g = ag.trace(f, X)
    assert [n.name for n in g if n.name] == ["h", "h_2", "h_3", "h_2_2"]


def test_layers_tell_the_variables_of_modules_apart() -> None:
    import nn

    class Block(nn.Module):
        def __init__(self) -> None:
            self.up = nn.Linear(3, 3, rng=0)

        def forward(self, x: Any) -> Any:
            h = np.tanh(self.up(x))
            x = x + h
            return x

    class Net(nn.Module):
        def __init__(self) -> None:
            self.blocks = [Block(), Block()]

        def forward(self, x: Any) -> Any:
            for block in self.blocks:
                x = block(x)
            return np.sum(x)

    assert names(Net().graph(np.ones((2, 3)))) == ["blocks.0.h", "blocks.0.x", "blocks.1.h", "blocks.1.x"]
    layers = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=0))
    assert names(layers.graph(np.ones((5, 2)))) == ["0.x", "1.x", "2.x"]
    named = nn.Sequential({"hidden": nn.Linear(2, 3, rng=0), "squash": nn.Tanh()})
    assert names(named.graph(np.ones((5, 2)))) == ["hidden.x", "squash.x"]


def test_joint_graphs_and_programs_have_the_names_of_called_functions() -> None:
    def f(W: Any, x: Any) -> Any:
        return np.sum(dense(W, x) ** 2)

    g = ag.trace(f, np.ones((3, 2)), np.ones((4, 3)))
    joint = g.backward("W")
    assert {"z", "dz", "dW"} <= set(names(joint))


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
            ag.trace(lambda x: len(x) / 0, X)
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


def test_an_index_computed_in_a_trace_has_its_edge() -> None:
    w = np.array([1.0, 2.0, 3.0])
    x = np.array([3.0, 1.0, 2.0])

    def f(x: Any) -> Any:
        order = np.argsort(x)
        return np.sum(x[order] * w)

    g = ag.trace(f, x)
    picked = next(n for n in g if n.op is not None and n.op.name == "getitem")
    assert g.find("order") in picked.parents
    assert [o.name for o in g.operands(picked)] == ["x", "order"]
    np.testing.assert_array_equal(picked.attrs["index"], [1, 2, 0])
    assert " = x[order] " in str(g)
    assert "n1 -> n2" in g.to_dot().source
    np.testing.assert_array_equal(g.gradients()[g.find("x")], [3, 1, 2])
    assert " = x[0, :order] " in str(ag.trace(lambda x, order: np.sum(x[0, :order]), X, 2))


def test_an_index_from_the_trace_into_what_is_older_or_newer() -> None:
    E = ag.Tensor(np.arange(10.0).reshape(5, 2), requires_grad=True, name="embedding")

    def f(i: Any) -> Any:
        rows = E[i]
        return np.sum(np.take(rows, i[:1], axis=1) ** 2)

    g = ag.trace(f, np.array([1, 3]))
    assert " = embedding[i] " in str(g)
    seen = g.gradients()
    np.testing.assert_allclose(seen[g.find("embedding")].data, [[0, 0], [0, 6], [0, 0], [0, 14], [0, 0]])

    inner = ag.trace(lambda x: ag.value_and_grad(lambda z: np.sum(z[np.argsort(z)] ** 2))(x)[0], np.array([3.0, 1.0]))
    assert " = x[n1] " in str(inner)

    outer = ag.trace(lambda i: np.sum(ag.trace(lambda z: z[i] ** 2, np.array([1.0, 2.0, 3.0])).outputs[0].out), np.array([2, 0]))
    assert "i" in {n.name for n in outer.leaves}
    np.testing.assert_array_equal(outer.outputs[0].out, 10)


def test_writing_at_an_index_computed_in_a_trace() -> None:
    def f(x: Any) -> Any:
        y = x.copy()
        y[np.argmax(x)] = 0.0
        return np.sum(y)

    assert "index=[n2]" in str(ag.trace(f, np.array([1.0, 5.0, 2.0])))


def test_tensors_the_function_closes_over_are_parameters_with_their_names() -> None:
    W = ag.Tensor(np.ones((2, 3)), requires_grad=True, name="layer.weight")
    b = ag.Tensor(np.zeros(2), requires_grad=True)
    scale = ag.Tensor(2.0, name="scale")

    def f(x: Any) -> Any:
        Wt = W.T
        h = x @ Wt + b
        return np.sum(h * scale)

    g = ag.trace(f, np.ones((4, 3)))
    assert {n.name for n in g.leaves} == {"layer.weight", "b", "scale", "x"}
    assert set(g.parameters) == {"layer.weight", "b"}
    assert "layer.weight : parameter (2, 3) float64" in str(g)
    assert "transpose(layer.weight)" in str(g)
    assert g.find("Wt").parents == (g.find("layer.weight"),)
    g.validate()
    seen = g.gradients()
    np.testing.assert_array_equal(seen[g.find("layer.weight")].data, np.full((2, 3), 8.0))
    np.testing.assert_array_equal(seen[g.find("b")].data, [8.0, 8.0])
    assert W.grad is None


def test_what_was_computed_before_the_trace_is_a_leaf() -> None:
    w = ag.Tensor([1.0, 2.0], requires_grad=True, name="w")
    before = w * 3
    g = ag.trace(lambda x: np.sum(x * before), np.ones(2))
    assert [n.name for n in g.leaves] == ["before", "x"]
    assert len(g) == 4


def test_a_result_computed_from_parameters_alone_is_not_dropped() -> None:
    w = ag.Tensor([1.0, 2.0], requires_grad=True, name="w")
    g = ag.trace(lambda x: (np.sum(x), np.sum(w**2)), np.ones(2))
    assert len(g.outputs) == 2
    assert "power(w, 2)" in str(g)


def test_a_model_is_traced_with_the_names_of_its_parameters() -> None:
    import nn

    model = nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 1))
    g = ag.trace(model, np.ones((5, 2)))
    assert g.parameters == ("0.weight", "0.bias", "2.weight", "2.bias")
    out = model(np.ones((5, 2)))
    np.testing.assert_array_equal(g.outputs[0].out.data, out.data)
    np.sum(out).backward()
    seen = g.gradients(np.ones((5, 1)))
    for p in model.parameters():
        np.testing.assert_allclose(seen[g.find(p.name)].data, p.grad)


def test_a_constant_operand_has_the_name_of_the_tensor_it_is() -> None:
    w = ag.Tensor([1.0, 2.0], requires_grad=True, name="w")
    kept: list[Any] = []

    def f(x: Any) -> Any:
        y = np.sum(x * w)
        kept.append(ag.graph(y))
        return y

    ag.grad(f)(np.ones(2))
    assert "multiply(n0, w)" in str(kept[0])


def test_names_follow_whatever_changes_what_a_variable_holds() -> None:
    def f(x: Any) -> Any:
        held = {"first": x * 1.0}
        several = [(x * 2.0, "two")]
        y = x * 3.0
        held["second"] = y * 4.0
        several.append((x * 5.0, "five"))
        y[0] = 0.0

        def rebind() -> None:
            nonlocal y
            y = x * 6.0

        rebind()
        steps = (x * (7.0 + i) for i in range(2))
        for step in steps:
            held["first"] = step + 0.0
        return held["first"] + held["second"] + several[0][0] + several[1][0] + y

    graph = ag.trace(f, np.ones(3))
    names = [n.name for n in graph if n.op is not None and n.name]
    assert names == ["several[0][0]", "y", "second", "several[1][0]", "y_3", "step_2", "first_3"]


@pytest.mark.parametrize("kept", ["variables", "list", "dict"])
def test_each_line_is_looked_at_for_what_it_changed_alone(kept: str) -> None:
    lines = {
        "variables": [f"v{i} = x * {i}.5" for i in range(200)],
        "list": ["held = []", *(f"held += [x * {i}.5]; z = 1" for i in range(200))],
        "dict": ["held = {}", *("z = x * 2", "z = z * 3") * 200],
    }[kept]
    scope: dict[str, Any] = {}
    source = "def f(x):\n" + "\n".join(f"    {line}" for line in (*lines, "return x * 2")) + "\n"
    exec(compile(source, "written_for_a_test.py", "exec"), scope)
    told: list[int] = []
    traced(scope["f"], (np.ones(3),), lambda _, variables: told.append(len(list(variables))))
    assert len(told) >= 200
    assert sum(told) < 5 * len(told)
