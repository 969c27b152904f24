"""Modules: registration, names, modes, states, copies, and models as functions of their parameters."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import autograd_np as ag
import nn


def network(dtype=np.float64, rng=0):
    rng = np.random.default_rng(rng)
    return nn.Sequential(nn.Linear(2, 3, rng=rng, dtype=dtype), nn.Sigmoid(), nn.Linear(3, 1, rng=rng, dtype=dtype), nn.Sigmoid())


class Tree(nn.Module):
    """Parameters and Modules in every place they may be."""

    def __init__(self):
        self.own = nn.Parameter(1.0)
        self.layers = [nn.Linear(2, 2, rng=0), nn.Linear(2, 2, rng=1)]
        self.heads = {"a": nn.Linear(2, 1, rng=2), "b": (nn.Parameter([3.0]),)}
        self.tied = self.layers[0]
        self.note = "not a parameter"

    def forward(self, x):
        for layer in self.layers:
            x = np.tanh(layer(x))
        return self.heads["a"](x) * self.own + self.heads["b"][0]


TREE = ["own", "heads.b.0", "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias", "heads.a.weight", "heads.a.bias"]


def test_parameters_are_found_in_attributes_lists_tuples_and_dicts_each_once():
    model = Tree()
    assert [name for name, _ in model.named_parameters()] == TREE
    assert len(list(model.parameters())) == len({id(p) for p in model.parameters()}) == 8
    assert [name for name, _ in model.named_children()] == ["layers.0", "layers.1", "heads.a"]
    assert [name for name, _ in model.named_modules()] == ["", "layers.0", "layers.1", "heads.a"]
    assert list(model.children()) == list(model.modules())[1:]


def test_tied_parameters_are_in_the_state_under_both_paths():
    model = Tree()
    assert set(model.state_dict()) == {*TREE, "tied.weight", "tied.bias"}


def test_parameters_carry_their_path_as_name_and_drawings_show_it():
    class Outer(nn.Module):
        def __init__(self):
            self.encoder = nn.Sequential(nn.Linear(2, 1, rng=0))

        def forward(self, x):
            return np.sum(self.encoder(x))

    model = Outer()
    assert model.encoder[0].weight.name == "encoder.0.weight"
    graph = ag.graph(model(np.ones((4, 2))))
    assert {leaf.name for leaf in graph.leaves} == {"encoder.0.weight", "encoder.0.bias"}


def test_a_name_the_user_gave_is_kept():
    model = nn.Module()
    model.w = nn.Parameter(1.0, name="gain")
    outer = nn.Module()
    outer.inner = model
    assert model.w.name == "gain"
    assert [path for path, _ in outer.named_parameters()] == ["inner.w"]


def test_layers_appended_to_a_list_later_are_registered():
    model = nn.Module()
    model.layers = []
    model.layers.append(nn.Linear(1, 1, rng=0))
    assert [(name, p.name) for name, p in model.named_parameters()] == [("layers.0.weight",) * 2, ("layers.0.bias",) * 2]


def test_a_module_that_contains_itself_is_walked_once():
    model = nn.Module()
    model.w = nn.Parameter(1.0)
    model.me = model
    assert [name for name, _ in model.named_parameters()] == ["w"]
    assert len(list(model.modules())) == 1


def test_replacing_a_parameter_by_a_plain_tensor_is_refused():
    layer = nn.Linear(2, 1, rng=0)
    with pytest.raises(TypeError, match="would unregister it"):
        layer.weight = layer.weight * 2
    layer.bias = None
    assert [name for name, _ in layer.named_parameters()] == ["weight"]
    assert layer(np.ones((1, 2))).shape == (1, 1)


def test_parameters_stay_leaves_when_they_are_updated():
    layer = nn.Linear(2, 1, rng=0)
    before = layer.weight.data.copy()
    with ag.no_grad():
        layer.weight -= 0.5
        layer.weight[0, 0] = 9.0
    assert isinstance(layer.weight, nn.Parameter)
    assert layer.weight.is_leaf
    assert layer.weight.requires_grad
    np.testing.assert_array_equal(layer.weight.data, [[9.0, before[0, 1] - 0.5]])


def test_linear_is_x_weight_transposed_plus_bias():
    layer = nn.Linear(3, 2, rng=0)
    x = np.random.default_rng(1).normal(size=(5, 3))
    g = np.random.default_rng(2).normal(size=(5, 2))
    y = layer(x)
    np.testing.assert_allclose(y.data, x @ layer.weight.data.T + layer.bias.data, rtol=1e-14)
    y.backward(g)
    np.testing.assert_allclose(layer.weight.grad, g.T @ x, rtol=1e-13)
    np.testing.assert_allclose(layer.bias.grad, g.sum(0), rtol=1e-13)
    assert layer(x[0]).shape == (2,)
    assert layer(x.reshape(5, 1, 3)).shape == (5, 1, 2)
    assert layer(x.tolist()).shape == (5, 2)


@pytest.mark.parametrize("shape", [(), (2,), (3, 5)])
def test_linear_refuses_an_input_with_other_features(shape):
    with pytest.raises(nn.ShapeMismatchError, match=r"in_features=3.*features"):
        nn.Linear(3, 2, rng=0)(np.zeros(shape))


@pytest.mark.parametrize("sizes", [(0, 1), (1, -1), (2.0, 1), (True, 1)])
def test_linear_refuses_sizes_that_are_not_positive_integers(sizes):
    with pytest.raises(ValueError, match="positive integer"):
        nn.Linear(*sizes)


def test_activations_are_the_functions():
    x = np.array([-2.0, 0.0, 3.0])
    np.testing.assert_allclose(nn.Sigmoid()(x), 1 / (1 + np.exp(-x)))
    np.testing.assert_array_equal(nn.Tanh()(x), np.tanh(x))
    np.testing.assert_array_equal(nn.ReLU()(x), [0, 0, 3])


def test_sequential_is_indexed_sliced_and_iterated():
    model = network()
    assert len(model) == 4
    assert list(model) == [model[0], model[1], model[2], model[-1]]
    part = model[2:]
    assert isinstance(part, nn.Sequential)
    assert part[0] is model[2]
    assert model[2].weight.name == "2.weight"
    x = np.ones((3, 2))
    np.testing.assert_array_equal(part(model[:2](x)).data, model(x).data)
    with pytest.raises(IndexError):
        model[4]
    with pytest.raises(TypeError, match="argument 1 is a"):
        nn.Sequential(nn.Sigmoid(), np.tanh)


def test_repr_is_laid_out_as_pytorchs():
    class Net(nn.Module):
        def __init__(self):
            self.body = nn.Sequential(nn.Linear(2, 3, bias=False, rng=0), nn.ReLU())
            self.loss = nn.BCELoss(reduction="sum")

    assert repr(Net()) == (
        "Net(\n  (body): Sequential(\n    (0): Linear(in_features=2, out_features=3, bias=False)\n    (1): ReLU()\n  )\n"
        "  (loss): BCELoss(reduction='sum')\n)"
    )


def test_train_eval_zero_grad_and_freezing():
    model = network()
    assert model.eval() is model
    assert not any(m.training for m in model.modules())
    model.train()
    assert all(m.training for m in model.modules())
    np.sum(model(np.ones((2, 2)))).backward()
    assert all(p.grad is not None for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())
    model[0].requires_grad_(False)
    np.sum(model(np.ones((2, 2)))).backward()
    assert [p.grad is None for p in model.parameters()] == [True, True, False, False]
    model.requires_grad_()
    assert all(p.requires_grad for p in model.parameters())
    assert [p.name for p in model.parameters()] == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match="forward"):
        nn.Module()(1.0)


def test_state_round_trip_and_independence():
    a, b = network(rng=1), network(rng=2)
    state = a.state_dict()
    assert list(state) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert b.load_state_dict(state) == ([], [])
    x = np.ones((3, 2))
    np.testing.assert_array_equal(a(x).data, b(x).data)
    state["0.weight"][:] = 0.0
    with ag.no_grad():
        for p in a.parameters():
            p -= 1.0
    assert b[0].weight.data.all()
    assert not np.array_equal(a(x).data, b(x).data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("2.bias"), r"missing: 2\.bias"),
        (lambda s: s.update(extra=np.zeros(1)), "unexpected: extra"),
        (lambda s: s.update({"2.weight": np.zeros((3, 1))}), r"2\.weight: got shape \(3, 1\), expected \(1, 3\)"),
        (lambda s: s.update({"2.weight": np.zeros((1, 3), complex)}), r"2\.weight: got dtype complex128"),
        (lambda s: s.update({"2.weight": np.array([["a", "b", "c"]])}), r"2\.weight: got dtype <U1"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, message):
    model = network()
    before = model.state_dict()
    state = {name: value + 1 for name, value in before.items()}
    change(state)
    with pytest.raises(nn.StateDictError, match=message) as caught:
        model.load_state_dict(state)
    assert isinstance(caught.value, (ag.AutogradError, ValueError))
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_all_that_is_wrong_is_named_at_once():
    with pytest.raises(nn.StateDictError, match=r"missing: 0\.weight, 0\.bias, 2\.bias; unexpected: x; 2\.weight: got shape"):
        network().load_state_dict({"2.weight": np.zeros(3), "x": 1.0})
    with pytest.raises(nn.StateDictError, match="expected a dict"):
        network().load_state_dict([1, 2])


def test_strict_false_loads_what_there_is_but_not_a_wrong_shape():
    model = network()
    keys = model.load_state_dict({"0.bias": [1, 2, 3], "other": 0.0}, strict=False)
    assert keys.missing_keys == ["0.weight", "2.weight", "2.bias"]
    assert keys.unexpected_keys == ["other"]
    np.testing.assert_array_equal(model[0].bias.data, [1.0, 2.0, 3.0])
    assert model[0].bias.dtype == np.float64
    with pytest.raises(nn.StateDictError, match="got shape"):
        model.load_state_dict({"0.bias": np.zeros(4)}, strict=False)


def test_a_load_that_fails_half_way_is_undone(monkeypatch):
    model = network()
    before = model.state_dict()
    write, last = ag.Tensor.__setitem__, model[2].weight

    def failing(t, index, value):
        if t is last and not np.array_equal(value, before["2.weight"]):
            raise MemoryError("in the middle")
        write(t, index, value)

    monkeypatch.setattr(ag.Tensor, "__setitem__", failing)
    with pytest.raises(MemoryError):
        model.load_state_dict({name: value + 1 for name, value in before.items()})
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_loading_casts_to_the_dtype_of_the_model():
    model = network(np.float32)
    model.load_state_dict(network(np.float64, rng=5).state_dict())
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float32)}


def test_a_deep_copy_is_another_model():
    model = Tree()
    twin = copy.deepcopy(model)
    x = np.ones((2, 2))
    np.testing.assert_array_equal(model(x).data, twin(x).data)
    assert twin.tied is twin.layers[0]
    assert twin.tied is not model.tied
    assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in twin.parameters())
    assert [p.name for p in twin.parameters()] == [p.name for p in model.parameters()]
    np.sum(twin(x)).backward()
    assert all(p.grad is None for p in model.parameters())
    nn.SGD(twin.parameters(), lr=0.1).step()
    for p, q in zip(model.parameters(), twin.parameters(), strict=True):
        assert p.data is not q.data
        assert not np.array_equal(p.data, q.data)


def test_functional_call_makes_a_model_a_function_of_its_parameters():
    model = Tree()
    x = np.random.default_rng(0).normal(size=(4, 2))
    state = {name: p.data for name, p in model.named_parameters()}
    found = ag.grad(lambda p: np.sum(nn.functional_call(model, p, x)))(state)
    np.sum(model(x)).backward()
    for name, p in model.named_parameters():
        np.testing.assert_allclose(found[name], p.grad, rtol=1e-14)
        assert isinstance(p, nn.Parameter)
    zeros = {"heads.a.weight": np.zeros((1, 2)), "heads.a.bias": np.zeros(1)}
    np.testing.assert_array_equal(nn.functional_call(model, zeros, x).data, np.full((4, 1), 3.0))
    assert model.heads["a"].weight.data.any()
    with pytest.raises(nn.StateDictError, match="no Parameter or buffer 'nothing'"):
        nn.functional_call(model, {"nothing": 1.0}, x)
    with pytest.raises(nn.StateDictError, match=r"own: got shape \(2,\), expected \(\)"):
        nn.functional_call(model, {"own": np.ones(2)}, x)


def test_second_derivatives_through_a_model_and_its_loss():
    model = nn.Sequential(nn.Linear(2, 1, bias=False, rng=0), nn.Sigmoid())
    x, y = np.random.default_rng(0).normal(size=(6, 2)), np.array([[1.0], [0], [1], [1], [0], [0]])
    state = model.state_dict()

    def loss(w):
        return nn.BCELoss()(nn.functional_call(model, {"0.weight": w}, x), y)

    p = model(x).data
    np.testing.assert_allclose(ag.hessian(loss)(state["0.weight"]).reshape(2, 2), (x * p * (1 - p)).T @ x / 6, rtol=1e-12)


@pytest.mark.parametrize("optimizer", [nn.SGD, nn.Adam, nn.AdamW])
def test_a_float32_model_stays_float32_through_training(optimizer):
    model = network(np.float32)
    x = np.random.default_rng(0).normal(size=(8, 2)).astype(np.float32)
    y = (x[:, :1] > 0).astype(int)
    settings = {"momentum": 0.9, "nesterov": True} if optimizer is nn.SGD else {}
    opt = optimizer(model.parameters(), lr=0.1, weight_decay=0.01, **settings)
    for loss_function in (nn.BCELoss(), nn.MSELoss(), nn.BCEWithLogitsLoss(), nn.CrossEntropyLoss()):
        opt.zero_grad()
        loss = loss_function(model(x), y[:, 0] * 0 if isinstance(loss_function, nn.CrossEntropyLoss) else y)
        assert loss.dtype == np.float32
        loss.backward()
        opt.step()
        assert {p.dtype for p in model.parameters()} == {p.grad.dtype for p in model.parameters()} == {np.dtype(np.float32)}
        remembered = [v for s in opt.state for v in s.values() if isinstance(v, np.ndarray)]
        assert remembered
        assert {v.dtype for v in remembered} == {np.dtype(np.float32)}


def test_a_model_is_traced_with_its_parameters():
    model = network()
    graph = ag.trace(lambda p, x: nn.functional_call(model, p, x), model.state_dict(), np.ones((4, 2)))
    assert {leaf.name for leaf in graph.leaves} == {"x", "0.weight", "0.bias", "2.weight", "2.bias"}
