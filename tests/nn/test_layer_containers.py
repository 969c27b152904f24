"""Containers hold Modules and Parameters as PyTorch's do: names, order, lists and dicts, copies of functional_call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_np as ag
import nn


def lin(i: int) -> nn.Linear:
    return nn.Linear(2, 2, rng=i)


@pytest.mark.parametrize("kind", [nn.ModuleList, lambda x: nn.Sequential(*x)], ids=["ModuleList", "Sequential"])
def test_a_list_of_modules_is_a_list(kind: Any) -> None:
    a, b, c, d = (lin(i) for i in range(4))
    layers = kind([a, b])
    assert layers.append(c) is layers
    layers.insert(0, d)
    assert list(layers) == [d, a, b, c]
    assert [name for name, _ in layers.named_children()] == ["0", "1", "2", "3"]
    assert layers[-1] is c
    assert list(layers[1:3]) == [a, b]
    assert type(layers[1:3]) is type(layers)
    del layers[1]
    assert layers.pop(0) is d
    layers[0] = a
    layers.extend([d, d])
    assert list(layers) == [a, c, d, d]
    assert a in layers
    assert b not in layers
    with pytest.raises(IndexError, match="4 members, got the index 4"):
        layers[4]
    with pytest.raises(TypeError, match="takes Modules"):
        layers.append(3)
    assert list(layers.state_dict()) == [f"{i}.{n}" for i in range(4) for n in ("weight", "bias")]


def test_a_sequential_of_a_dict_has_its_names() -> None:
    model = nn.Sequential({"first": lin(0), "act": nn.Tanh(), "second": lin(1)})
    assert list(model.state_dict()) == ["first.weight", "first.bias", "second.weight", "second.bias"]
    x = np.ones((1, 2))
    np.testing.assert_array_equal(model(x).data, model.second(np.tanh(model.first(x))).data)
    assert list(model[1:].state_dict()) == ["second.weight", "second.bias"]
    with pytest.raises(KeyError, match="without a dot"):
        nn.Sequential({"a.b": lin(0)})
    with pytest.raises(KeyError, match="already has an attribute"):
        nn.Sequential({"forward": lin(0)})


def test_dicts_keep_their_order_and_refuse_what_is_no_key() -> None:
    heads = nn.ModuleDict({"b": lin(0), "a": lin(1)})
    heads["c"] = lin(2)
    heads["b"] = lin(3)
    assert list(heads) == list(heads.keys()) == ["b", "a", "c"]
    assert [m for _, m in heads.items()] == list(heads.values()) == [heads["b"], heads["a"], heads["c"]]
    assert heads.pop("a") is not heads["b"]
    del heads["c"]
    assert len(heads) == 1
    assert "b" in heads
    for key in ("keys", "x.y", "", 3):
        with pytest.raises(KeyError):
            heads[key] = lin(0)
    with pytest.raises(KeyError):
        heads["forward"]
    with pytest.raises(TypeError, match="takes Modules"):
        heads["d"] = np.ones(2)


def test_parameters_in_lists_and_dicts_are_functions_arguments() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            self.list = nn.ParameterList([np.ones(2), ag.Tensor([2.0, 3.0])])
            self.dict = nn.ParameterDict({"b": np.zeros(2)})

        def forward(self, x: Any) -> Any:
            for p in self.list:
                x = x * p
            return x + sum(self.dict.values())

    model = Model()
    state = model.state_dict()
    assert list(state) == ["list.0", "list.1", "dict.b"]
    g = ag.grad(lambda p: np.sum(nn.functional_call(model, p, np.array([1.0, 2.0]))))(state)
    np.testing.assert_array_equal(g["list.0"], [2.0, 6.0])
    np.testing.assert_array_equal(g["dict.b"], [1.0, 1.0])
