"""Modules as they are worked with: hooks, dtypes, look-ups, registration, freezing, tying, and the function a model is."""

from __future__ import annotations

import copy
import gc
import pickle

import numpy as np
import pytest

import autograd_np as ag
import nn

X = np.random.default_rng(0).normal(size=(6, 3))


def network():
    return nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Sequential(nn.Linear(4, 2, rng=1)))


class Pair(nn.Module):
    """Two inputs, two outputs, of different shapes."""

    def __init__(self):
        self.w = nn.Parameter(np.ones(3))

    def forward(self, a, b, scale=1.0):
        return a * self.w * scale, np.sum(b**2, axis=0)


# --- hooks


def test_forward_hooks_see_and_exchange_arguments_and_outputs():
    model, seen = network(), []
    with model[0].register_forward_pre_hook(lambda m, args: seen.append((m, args[0].shape)) or 2 * args[0]):
        np.testing.assert_allclose(model(X).data, network()(2 * X).data)
    assert seen == [(model[0], (6, 3))]
    handle = model.register_forward_hook(lambda m, args, output: output + 1)
    np.testing.assert_allclose(model(X).data, network()(X).data + 1)
    handle.remove()
    handle.remove()
    np.testing.assert_allclose(model(X).data, network()(X).data)
    assert model._hooks is None
    with pytest.raises(TypeError, match="a hook is a function, got int"):
        model.register_forward_hook(3)


def test_hooks_run_in_the_order_of_registration_and_each_on_what_the_last_left():
    layer = nn.Tanh()
    layer.register_forward_hook(lambda m, args, y: y + 1)
    layer.register_forward_hook(lambda m, args, y: y * 10)
    np.testing.assert_allclose(layer(np.zeros(2)), [10.0, 10.0])


def test_hooks_are_of_one_object_and_travel_with_copies():
    layer = nn.Tanh()
    layer.register_forward_hook(abs_of_output)
    twin = copy.deepcopy(layer)
    again = pickle.loads(pickle.dumps(layer))
    handle = twin.register_forward_hook(lambda m, args, y: y + 5)
    np.testing.assert_allclose(layer(-np.ones(1)), np.tanh(1))
    np.testing.assert_allclose(again(-np.ones(1)), np.tanh(1))
    np.testing.assert_allclose(twin(-np.ones(1)), np.tanh(1) + 5)
    del twin
    gc.collect()
    handle.remove()


def abs_of_output(module, args, output):
    return np.abs(output)


def test_a_backward_hook_sees_the_gradients_on_both_sides():
    model, seen = network(), []
    handle = model[2].register_full_backward_hook(lambda m, g_in, g_out: seen.append((m, g_in, g_out)))
    g = np.random.default_rng(1).normal(size=(6, 2))
    model(X).backward(g)
    ((module, (g_in,), (g_out,)),) = seen
    assert module is model[2]
    np.testing.assert_allclose(g_out, g)
    np.testing.assert_allclose(g_in, g @ model[2][0].weight.data)
    plain = network()
    plain(X).backward(g)
    for p, q in zip(model.parameters(), plain.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad, rtol=1e-14)
    handle.remove()
    model(X).backward(g)
    assert len(seen) == 1


def test_a_backward_hook_exchanges_the_gradient():
    model = network()
    model[1].register_full_backward_hook(lambda m, g_in, g_out: 0 * g_in[0])
    np.sum(model(X)).backward()
    assert not model[0].weight.grad.any()
    assert model[2][0].weight.grad.any()


def test_backward_hooks_of_several_inputs_and_outputs():
    a, b = ag.Tensor(np.ones((2, 3)), requires_grad=True), ag.Tensor(np.full((4, 2), 2.0, np.float32), requires_grad=True)
    model, seen = Pair(), []
    model.register_full_backward_hook(lambda m, g_in, g_out: seen.append((g_in, g_out)) or (g_in[0], 10 * g_in[1]))
    y, z = model(a, b, scale=2.0)
    (np.sum(y) + np.sum(3 * z)).backward()
    ((g_in, g_out),) = seen
    np.testing.assert_array_equal(g_out[0], np.ones((2, 3)))
    np.testing.assert_array_equal(g_out[1], [3.0, 3.0])
    np.testing.assert_array_equal(g_in[0], np.full((2, 3), 2.0))
    np.testing.assert_array_equal(g_in[1], np.full((4, 2), 12.0))
    np.testing.assert_array_equal(a.grad, g_in[0])
    np.testing.assert_array_equal(b.grad, 10 * g_in[1])
    assert b.grad.dtype == np.float32


def test_a_backward_hook_of_a_first_layer_has_no_gradient_of_its_input():
    model, seen = network(), []
    model[0].register_full_backward_hook(lambda m, g_in, g_out: seen.append((g_in, g_out[0].shape)))
    np.sum(model(X)).backward()
    assert seen == [((None,), (6, 4))]


def test_backward_hooks_are_called_in_transforms_and_not_in_forward_mode():
    model, seen = network(), []
    state = model.state_dict()
    model[2].register_full_backward_hook(lambda m, g_in, g_out: seen.append(g_in[0].shape))

    def loss(p):
        return np.sum(np.sin(nn.functional_call(model, p, X)))

    plain = network()
    expected = ag.grad(lambda p: np.sum(np.sin(nn.functional_call(plain, p, X))))(state)
    np.testing.assert_equal(ag.grad(loss)(state), expected)
    assert seen == [(6, 4)]
    _, slope = ag.jvp(loss, (state,), (state,))
    np.testing.assert_allclose(slope, sum(np.sum(expected[k] * state[k]) for k in state))
    assert seen == [(6, 4)]


def test_backward_hooks_refuse_what_they_cannot_see():
    model = nn.Module()
    model.forward = lambda x: {"y": x}
    model.register_full_backward_hook(lambda *_: None)
    with pytest.raises(TypeError, match="returns an array or a tuple of arrays, got dict"):
        model(X)
    layer = nn.Tanh()
    layer.register_full_backward_hook(lambda *_: (1, 2))
    with pytest.raises(ag.CustomRuleError, match="2 gradients for 1 inputs"):
        np.sum(layer(ag.Tensor(X, requires_grad=True))).backward()


# --- registration and look-ups


def test_what_is_registered_is_what_is_assigned():
    model = nn.Module()
    model.register_parameter("w", nn.Parameter(1.0))
    model.register_parameter("b", None)
    model.add_module("0", nn.Tanh())
    model.register_module("1", None)
    assert list(model.state_dict()) == ["w"]
    assert [name for name, _ in model.named_children()] == ["0"]
    model.register_parameter("w", nn.Parameter(2.0))
    model.register_parameter("b", nn.Parameter(3.0))
    assert model.b.name == "b"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m.register_parameter("w", 1.0), TypeError, "needs a Parameter or None, got float"),
        (lambda m: m.add_module("w", nn.Parameter(1.0)), TypeError, "needs a Module or None, got Parameter"),
        (lambda m: m.register_parameter("a.b", nn.Parameter(1.0)), ValueError, "without a dot"),
        (lambda m: m.register_parameter("forward", nn.Parameter(1.0)), ValueError, "already has an attribute 'forward'"),
        (lambda m: m.add_module("training", nn.Tanh()), ValueError, "already has an attribute 'training'"),
        (lambda m: m.get_submodule("0.bias"), AttributeError, "no Module '0.bias'; it has 0, 1, 2, 2.0"),
        (lambda m: m.get_parameter("2.weight"), AttributeError, r"it has 0\.weight, 0\.bias, 2\.0\.weight"),
        (lambda m: m.get_buffer("x"), AttributeError, "no buffer 'x'; it has none"),
        (lambda m: m.to(int), TypeError, "floating dtype, such as np.float32, got int64"),
        (lambda m: m.to("cpu"), TypeError, "got 'cpu'"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(network())


def test_look_ups_by_path():
    model = network()
    assert model.get_submodule("") is model
    assert model.get_submodule("2.0") is model[2][0]
    assert model.get_parameter("2.0.bias") is model[2][0].bias
    model[1].register_buffer("table", np.ones(2))
    assert model.get_buffer("1.table") is model[1].table


def test_apply_reaches_what_is_inside_first_and_each_once():
    model = network()
    model.again = model[0]
    model.me = model
    seen = []
    assert model.apply(seen.append) is model
    assert seen == [model[0], model[1], model[2][0], model[2], model]


# --- dtypes


def test_to_converts_in_place_what_optimisers_hold():
    model = network()
    model[1].register_buffer("scale", np.ones(3))
    model[1].register_buffer("count", np.array(2))
    model[1].tied = model[0]
    before = list(model.parameters())
    names = [p.name for p in before]
    opt = nn.SGD(model.parameters(), lr=0.1)
    before[1].requires_grad = False
    before[0].grad = np.ones((4, 3))
    with ag.no_grad():
        view = before[0].T  # shares memory until it is converted
    assert model.float() is model
    assert all(p is q for p, q in zip(model.parameters(), before, strict=True))
    assert {p.dtype for p in before} == {np.dtype(np.float32)}
    assert before[0].grad.dtype == np.float32
    assert (model[1].scale.dtype, model[1].count.dtype) == (np.float32, np.int64)
    assert [p.requires_grad for p in before] == [True, False, True, True]
    assert [p.name for p in before] == names
    old = before[0].data.copy()
    assert model(X.astype(np.float32)).dtype == np.float32
    opt.step()
    np.testing.assert_allclose(before[0].data, old - np.float32(0.1))
    np.testing.assert_array_equal(view.data, network()[0].weight.data.T)
    assert {p.dtype for p in model.double().parameters()} == {np.dtype(np.float64)}
    chosen = nn.Parameter(1.0, name="gain")
    model.w = chosen
    assert model.to(np.float16).w.name == "gain"


# --- freezing, tying, and the function a model is


def test_frozen_parts_stay_where_they_are():
    model = network()
    model[0].requires_grad_(False)
    opt = nn.Adam([p for p in model.parameters() if p.requires_grad], lr=0.1)
    before = model.state_dict()
    for _ in range(3):
        opt.zero_grad()
        np.sum(model(X) ** 2).backward()
        opt.step()
    after = model.state_dict()
    assert [name for name in after if not np.array_equal(after[name], before[name])] == ["2.0.weight", "2.0.bias"]


class AutoEncoder(nn.Module):
    def __init__(self):
        self.encoder = nn.Linear(3, 3, bias=False, rng=0)
        self.decoder = nn.Linear(3, 3, bias=False, rng=1)
        self.decoder.weight = self.encoder.weight

    def forward(self, x):
        return self.decoder(np.tanh(self.encoder(x)))


def test_tied_weights_are_one_parameter_with_the_sum_of_both_gradients():
    model = AutoEncoder()
    assert [name for name, _ in model.named_parameters()] == ["encoder.weight"]
    assert list(model.state_dict()) == ["encoder.weight", "decoder.weight"]
    w = model.encoder.weight.data.copy()
    np.sum(model(X) ** 2).backward()
    both = ag.grad(lambda a, b: np.sum((np.tanh(X @ a.T) @ b.T) ** 2), argnums=(0, 1))(w, w)
    np.testing.assert_allclose(model.encoder.weight.grad, both[0] + both[1], rtol=1e-12)
    nn.SGD(model.parameters(), lr=0.1).step()
    assert model.encoder.weight is model.decoder.weight
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin.encoder.weight is twin.decoder.weight
    found = ag.grad(lambda w: np.sum(nn.functional_call(model, {"encoder.weight": w}, X) ** 2))(w)
    np.testing.assert_allclose(found, both[0] + both[1], rtol=1e-12)


def test_functional_call_in_every_transform():
    model = network()
    state = model.state_dict()
    vector, tree = ag.ravel(state)

    def f(v, x=X):
        return np.sum(nn.functional_call(model, tree(v), x) ** 2)

    np.sum(model(X) ** 2).backward()
    g = ag.ravel({name: p.grad for name, p in model.named_parameters()})[0]
    np.testing.assert_allclose(ag.grad(f)(vector), g, rtol=1e-12)
    np.testing.assert_allclose(ag.jvp(f, (vector,), (g,))[1], g @ g, rtol=1e-12)
    hessian = ag.hessian(f)(vector)
    np.testing.assert_allclose(hessian @ g, ag.jvp(ag.grad(f), (vector,), (g,))[1], rtol=1e-9)
    np.testing.assert_allclose(ag.grad(ag.checkpoint(f))(vector), g, rtol=1e-12)
    per_example = ag.vmap(ag.grad(f), in_axes=(None, 0))(vector, X)
    np.testing.assert_allclose(per_example.sum(0), g, rtol=1e-12)
    rows = ag.jacobian(lambda v: nn.functional_call(model, tree(v), X[:2]))(vector)
    np.testing.assert_allclose(rows.shape, (2, 2, vector.size))
    np.testing.assert_allclose(np.einsum("ijk,ij->k", rows, 2 * model(X[:2]).data), ag.grad(f)(vector, X[:2]), rtol=1e-10)
    several = np.stack([vector, 2 * vector])
    np.testing.assert_allclose(ag.vmap(f, in_axes=(0, None))(several, X), [ag.stop_gradient(f(v)) for v in several])


# --- summary


def test_a_summary_tells_paths_shapes_parameters_and_memory():
    model = network()
    model[0].requires_grad_(False)
    model[1].register_buffer("mask", np.ones(4, np.float32))
    model[1].tied = model[0]
    table = nn.summary(model, X)
    assert [row[:5] for row in table.rows] == [
        ("", "Sequential", (6, 2), 0, 0),
        ("0", "Linear", (6, 4), 16, 0),
        ("1", "Tanh", (6, 4), 0, 0),
        ("2", "Sequential", (6, 2), 0, 0),
        ("2.0", "Linear", (6, 2), 10, 10),
    ]
    assert [row.memory for row in table.rows] == [0, 128, 16, 0, 80]
    assert (table.parameters, table.trainable, table.memory) == (26, 10, 224)
    assert table.rows[1].output_memory == 6 * 4 * 8
    text = str(table)
    assert text.splitlines()[0].split() == ["module", "type", "output", "parameters", "memory", "output", "memory"]
    assert "26 parameters, 16 of them frozen; 224 B with buffers" in text
    assert table._repr_html_().count("<tr>") == 6
    assert repr(table) == "<Summary of 5 modules, 26 parameters, 16 of them frozen; 224 B with buffers>"
    assert model.training
    assert model._hooks is None


def test_a_summary_leaves_the_model_alone_and_tells_what_was_not_called():
    class Counting(nn.Module):
        def __init__(self):
            self.register_buffer("calls", np.array(0))
            self.unused = nn.Linear(2, 2, rng=0)
            self.two = Pair()

        def forward(self, x):
            self.calls = self.calls + 1
            return {"pair": self.two(x, x), "name": "text"}

    model = Counting()
    table = nn.summary(model, X)
    assert model.calls == 0
    assert [row.output_shape for row in table.rows] == [[(6, 3), (3,)], None, [(6, 3), (3,)]]
    assert [row.output_shape for row in nn.summary(model).rows] == [None, None, None]
    assert "(6, 3), (3,)" in str(table)
    with pytest.raises(TypeError, match="needs a Module, got ndarray"):
        nn.summary(X)


def test_a_summary_of_hostile_names_commands_no_terminal_and_no_page():
    model = nn.Module()
    model.layers = {"\x1b[2J<b>": nn.Tanh()}
    table = nn.summary(model)
    assert "\x1b" not in str(table)
    assert "<b>" not in table._repr_html_()
