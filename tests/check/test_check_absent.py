# ruff: noqa: RUF059 (what is not used is the mistake)
"""Gradients that are not there: a missing statement, a missing entry, a loop that stops too early, and what is no such case."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import autograd_np as ag

rng = np.random.default_rng(3)
P = {"W1": rng.normal(size=(3, 2)), "b1": rng.normal(size=(3, 1)), "W2": rng.normal(size=(1, 3)), "b2": rng.normal(size=(1, 1))}
NET = {"X": rng.normal(size=(2, 5)), "Y": rng.normal(size=(1, 5)), "params": P}
STACK = {"X": rng.normal(size=(2, 5)), "Y": rng.normal(size=(2, 5)), "Ws": [rng.normal(size=s) for s in ((3, 2), (4, 3), (2, 4))]}


def forward(X, Y, params):
    A1 = np.tanh(params["W1"] @ X + params["b1"])
    E = params["W2"] @ A1 + params["b2"] - Y
    return np.sum(E**2) / 2


def shares(dZ, A):
    return dZ @ A.T, np.sum(dZ, axis=1, keepdims=True)


def not_stored(X, params, A1, E):
    grads = {}
    dW2, db2 = shares(E, A1)
    dW1, db1 = shares(params["W2"].T @ E * (1 - A1**2), X)
    grads["dW2"] = dW2
    grads["db2"] = db2
    grads["dW1"] = dW1
    return grads


def no_entry(X, params, A1, E):
    dW2, db2 = shares(E, A1)
    dW1, db1 = shares(params["W2"].T @ E * (1 - A1**2), X)
    return {"dW1": dW1, "dW2": dW2, "db2": db2}


def never_computed(X, params, A1, E):
    grads = {"dW2": E @ A1.T, "db2": np.sum(E, axis=1, keepdims=True)}
    dZ1 = params["W2"].T @ E * (1 - A1**2)
    grads["dW1"] = dZ1 @ X.T
    return grads


def stack(X, Y, Ws):
    acts = [X]
    for W in Ws:
        acts.append(np.tanh(W @ acts[-1]))
    return np.sum((acts[-1] - Y) ** 2)


def stops_early(X, Y, Ws, acts):
    grads = {}
    d = 2 * (acts[-1] - Y)
    for i in range(len(Ws) - 1, 0, -1):
        dz = d * (1 - acts[i + 1] ** 2)
        grads[i] = dz @ acts[i].T
        d = Ws[i].T @ dz
    return grads


def wrong_too(X, params, A1, E):
    dW2, db2 = shares(E, A1)
    dW1, db1 = shares(params["W2"].T @ E * (1 - A1), X)
    return {"dW1": dW1, "dW2": dW2, "db2": db2}


class Layer:
    def __init__(self):
        self.W, self.b = rng.normal(size=(3, 2)), rng.normal(size=(3, 1))

    def forward(self, X):
        self.X = X
        return self.W @ X + self.b

    def backward(self, dZ):
        self.dW = dZ @ self.X.T
        db = np.sum(dZ, axis=1, keepdims=True)  # noqa: F841 (the mistake)
        return self.W.T @ dZ


@pytest.mark.parametrize(
    ("backward", "line", "fix"),
    [
        (not_stored, 'grads["dW1"] = dW1', 'grads["db1"] = db1'),
        (no_entry, 'return {"dW1"', '"db1": db1'),
        (never_computed, 'grads["dW1"] = dZ1', None),
    ],
)
def test_a_parameter_without_a_gradient_is_a_mistake(backward, line, fix):
    report = ag.check_backward(forward, backward, NET)
    (finding,) = report.findings
    assert not report.ok
    assert finding.kind == "not-returned"
    assert "b1" in finding.message
    assert line in finding.source
    assert (fix in finding.fix) if fix else finding.fix is None


def test_a_loop_that_stops_early_gets_its_bound():
    report = ag.check_backward(stack, stops_early, STACK)
    (finding,) = report.findings
    assert not report.ok
    assert "range(len(Ws)-1,-1,-1)" in finding.fix.replace(" ", "")


def test_an_attribute_that_is_never_set():
    layer = Layer()
    report = ag.check_backward(layer.forward, layer.backward, {"X": NET["X"]})
    (finding,) = report.findings
    assert not report.ok
    assert finding.source.strip().startswith("db = np.sum(dZ")
    assert finding.fix.strip().startswith("self.db = np.sum(dZ")


def test_a_wrong_value_and_a_missing_one_are_two_mistakes():
    report = ag.check_backward(forward, wrong_too, NET)
    assert len(report.findings) == 2
    assert "not-returned" in {f.kind for f in report.findings}
    assert any("A1**2" in (f.fix or "").replace(" ", "") for f in report.findings)


def test_who_asks_for_one_gradient_alone_is_not_told_to_write_all():
    def last_layer(A1, E):
        dW2 = E @ A1.T
        return dW2

    assert ag.check_backward(forward, last_layer, NET).ok
    assert ag.check_backward(forward, no_entry, NET, wrt=["W1", "W2", "b2"]).ok


class Normalised:
    """Carries statistics and positions beside its parameters: the loss depends on them, and nobody trains them."""

    def __init__(self):
        self.W, self.b = rng.normal(size=(3, 4)), rng.normal(size=4)
        self.mean, self.std, self.pos = rng.normal(size=3), 1 + rng.random(3), rng.normal(size=(5, 3))

    def forward(self, X):
        self.X = (X - self.mean) / self.std + self.pos
        return self.X @ self.W + self.b

    def backward(self, dZ):
        self.dW, self.db = self.X.T @ dZ, np.sum(dZ, axis=0)
        return dZ @ self.W.T / self.std


def test_what_an_object_carries_beside_its_parameters_needs_no_gradient():
    layer = Normalised()
    report = ag.check_backward(layer.forward, layer.backward, {"X": rng.normal(size=(5, 3))})
    assert report.ok
    assert [said.partition(":")[0] for said in report.unjudged] == ["mean", "std", "pos"]


class Stack:
    """A network whose weights, biases and fixed masks are lists of one object."""

    def __init__(self):
        sizes = [2, 4, 3]
        self.weights = [rng.normal(size=(n, m)) for m, n in itertools.pairwise(sizes)]
        self.biases = [rng.normal(size=(n, 1)) for n in sizes[1:]]
        self.masks = [rng.random(w.shape) for w in self.weights]

    def forward(self, x, y):
        self.hs = [x]
        for w, b, m in zip(self.weights, self.biases, self.masks, strict=True):
            self.hs.append(np.tanh((w * m) @ self.hs[-1] + b))
        return np.sum((self.hs[-1] - y) ** 2) / 2

    def gradients(self, y):
        nabla_w, nabla_b = [0, 0], [0, 0]
        delta = self.hs[-1] - y
        for i in (1, 0):
            z = delta * (1 - self.hs[i + 1] ** 2)
            nabla_w[i] = z @ self.hs[i].T * self.masks[i]
            nabla_b[i] = z
            delta = (self.weights[i] * self.masks[i]).T @ z
        return nabla_w, nabla_b, z

    def right(self, y):
        nabla_w, nabla_b, _ = self.gradients(y)
        return nabla_b, nabla_w

    def another(self, y):
        nabla_w, nabla_b, _ = self.gradients(y)
        return self.hs[1], nabla_w

    def one_list(self, y):
        nabla_w, nabla_b, _ = self.gradients(y)
        return nabla_w


DATA = {"x": rng.normal(size=(2, 1)), "y": rng.normal(size=(3, 1))}


def test_the_list_beside_one_that_has_gradients_needs_them_too():
    net = Stack()
    report = ag.check_backward(net.forward, net.one_list, DATA)
    assert not report.ok
    assert {f.kind for f in report.findings} == {"not-returned"}
    assert [n for n in ("biases[0]", "biases[1]") if any(n in f.message for f in report.findings)] == ["biases[0]", "biases[1]"]


def test_what_is_returned_in_the_place_of_a_list_is_named():
    net = Stack()
    (finding,) = ag.check_backward(net.forward, net.another, DATA).findings
    assert finding.fix.strip() == "return nabla_b, nabla_w"
    assert "the gradient of `biases`" in finding.message


def test_masks_in_a_list_of_their_own_need_no_gradient():
    net = Stack()
    assert ag.check_backward(net.forward, net.right, DATA).ok


class Affine:
    def __init__(self):
        self.W, self.b = rng.normal(size=(3, 2)), rng.normal(size=(3, 1))

    def forward(self, X):
        self.X = X
        return self.W @ X + self.b

    def backward(self, dZ):
        dW = dZ @ self.X.T
        return self.W.T @ dZ, dW


def test_an_attribute_beside_one_whose_gradient_is_returned_needs_one():
    layer = Affine()
    (finding,) = ag.check_backward(layer.forward, layer.backward, {"X": NET["X"]}).findings
    assert finding.kind == "not-returned"
    assert "`b` gets no gradient" in finding.message
