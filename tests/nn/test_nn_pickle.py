"""Models and optimisers in pickles and copies: what they were, in any process."""

from __future__ import annotations

import copy
import multiprocessing
import pickle

import numpy as np
import pytest

import autograd_np as ag
import nn

X = np.random.default_rng(0).normal(size=(8, 2))
Y = (X[:, :1] * X[:, 1:] > 0).astype(float)


class Tied(nn.Module):
    def __init__(self):
        self.a = nn.Linear(2, 2, rng=0)
        self.b = nn.Linear(2, 2, rng=1)
        self.b.weight = self.a.weight
        self.heads = {"one": [nn.Linear(2, 1, rng=2)]}

    def forward(self, x):
        return self.heads["one"][0](np.tanh(self.b(np.tanh(self.a(x)))))


def network():
    return nn.Sequential(nn.Linear(2, 4, rng=0), nn.Tanh(), nn.Linear(4, 1, rng=1), nn.Sigmoid())


def pickled(x):
    return pickle.loads(pickle.dumps(x))


TRAVELS = pytest.mark.parametrize("travel", [pickled, copy.deepcopy], ids=["pickle", "deepcopy"])
OPTIMISERS = pytest.mark.parametrize(
    "optimizer",
    [
        lambda p: nn.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
        lambda p: nn.Adam(p, lr=0.05),
        lambda p: nn.AdamW(p, lr=0.05, weight_decay=0.1),
    ],
)


def steps(model, optimizer, n):
    for _ in range(n):
        optimizer.zero_grad()
        np.mean((model(X) - Y) ** 2).backward()
        optimizer.step()
    return [p.data for p in model.parameters()]


@TRAVELS
@pytest.mark.parametrize("make", [network, Tied])
def test_a_model_after_forward_and_backward(travel, make):
    model = make()
    out = model(X)
    np.sum(out).backward()
    new = travel(model)
    np.testing.assert_array_equal(new(X).data, out.data)
    assert [n for n, _ in new.named_parameters()] == [n for n, _ in model.named_parameters()]
    for (name, p), (_, q) in zip(model.named_parameters(), new.named_parameters(), strict=True):
        assert type(q) is nn.Parameter
        assert q.name == name
        assert not np.shares_memory(p.data, q.data)
        np.testing.assert_array_equal(p.grad, q.grad)
    new.eval()
    assert model.training
    before = model.state_dict()
    with ag.no_grad():
        for q in new.parameters():
            q -= 1.0
    assert all(np.array_equal(v, before[k]) for k, v in model.state_dict().items())


@TRAVELS
def test_tied_parameters_stay_tied(travel):
    new = travel(Tied())
    assert new.a.weight is new.b.weight
    assert len(list(new.parameters())) == len(list(Tied().parameters()))
    np.sum(new(X)).backward()
    assert new.a.weight.grad is not None


@TRAVELS
@OPTIMISERS
def test_an_optimiser_goes_on_where_it_was(travel, optimizer):
    model = network()
    by = optimizer(model.parameters())
    steps(model, by, 3)
    np.mean((model(X) - Y) ** 2).backward()  # on its way, with gradients
    new, new_by = travel((model, by))
    assert all(a is b for a, b in zip(new.parameters(), new_by.params, strict=True))
    by.step()
    new_by.step()
    for a, b in zip(steps(model, by, 4), steps(new, new_by, 4), strict=True):
        np.testing.assert_array_equal(a, b)


def train(model, by):
    steps(model, by, 2)
    return model, by


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_training_that_continues_in_another_process():
    here, there = (network() for _ in range(2))
    by, other = (nn.Adam(m.parameters(), lr=0.1) for m in (here, there))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        there, other = pool.apply(train, (there, other))
    steps(here, by, 2)
    for a, b in zip(steps(here, by, 2), steps(there, other, 2), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_result_that_is_kept_in_a_model_is_refused_by_name():
    model = network()
    model.last = model(X)
    for travel in (pickled, copy.deepcopy):
        with pytest.raises(ag.DifferentiationError, match=r"result of sigmoid.*x\.detach\(\)"):
            travel(model)
    model.last = model.last.detach()
    np.testing.assert_array_equal(pickled(model).last.data, model(X).data)


def test_an_activation_kept_as_a_function():
    class Net(nn.Module):
        pass

    model = nn.Sequential(nn.Linear(2, 2, rng=0))
    model.activation = ag.sigmoid
    assert pickled(model).activation is ag.sigmoid


def test_a_name_in_the_layout_cannot_command_a_terminal():
    model = nn.Sequential()
    model.layers = {"\x1b[2J": nn.Tanh(), "plain": nn.Tanh()}
    assert "\x1b" not in repr(model)
    assert "(layers.plain): Tanh()" in repr(model)
