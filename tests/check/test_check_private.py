"""Attributes that begin with underscores: private by convention, or known by Python under another name (``self.__W``)."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import autograd_np as ag

rng = np.random.default_rng(5)
X = rng.normal(size=(6, 3))
Y = rng.integers(0, 2, (6, 1)) + 0.0


class Single:
    """A layer with one underscore before each attribute."""

    def __init__(self, factor=1.0):
        self._W, self._b = rng.normal(size=(3, 2)), rng.normal(size=2)
        self.factor = factor

    def forward(self, x):
        self._x = x
        return x @ self._W + self._b

    def backward(self, dout):
        self._dW = self._x.T @ dout * self.factor
        self._db = dout.sum(axis=0)
        return dout @ self._W.T


class Double:
    """The same with two."""

    def __init__(self):
        self.__W, self.__b = rng.normal(size=(3, 2)), rng.normal(size=2)

    def forward(self, x):
        self.__x = x
        return x @ self.__W + self.__b

    def backward(self, dout):
        self.__dW = self.__x.T @ dout
        self.__db = self.__sum_of(dout)
        return dout @ self.__W.T

    def __sum_of(self, dout):
        return dout.sum(axis=0)


class DoubleTooLarge(Double):
    """Its own method has private attributes of another name than those it inherits."""

    def forward(self, x):
        self.__scale = 3.0
        return super().forward(x) * self.__scale

    def backward(self, dout):
        dout = dout * self.__scale * self.__scale
        return super().backward(dout)


class Holder:
    """Keeps its layer to itself."""

    def __init__(self, layer):
        self.__layer = layer

    def forward(self, x):
        self.__out = np.tanh(self.__layer.forward(x))
        return self.__out

    def backward(self, dout):
        return self.__layer.backward(dout * (1 - self.__out**2))


class Stepping:
    """Two layers that update themselves; the last bias begins as a whole number."""

    def __init__(self, sign=1.0):
        self.__W1, self.__b1 = rng.normal(size=(3, 4)), np.zeros((1, 4))
        self.__W2, self.__b2 = rng.normal(size=(4, 1)), 0
        self.sign = sign

    def predict(self, x):
        self.__h = 1 / (1 + np.exp(-(x @ self.__W1 + self.__b1)))
        self.__p = 1 / (1 + np.exp(-(self.__h @ self.__W2 + self.__b2)))
        return self.__p

    def cost(self, x, y):
        p = self.predict(x)
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    def descend(self, x, y, alpha):
        d2 = (self.__p - y) / len(y)
        d1 = (d2 @ self.__W2.T) * self.__h * (1 - self.__h)
        db2 = d2.sum(axis=0, keepdims=True)
        self.__W2 = self.__W2 - alpha * (self.__h.T @ d2)
        self.__b2 = self.__b2 - alpha * self.sign * db2
        self.__W1 = self.__W1 - alpha * (x.T @ d1)
        self.__b1 = self.__b1 - alpha * d1.sum(axis=0, keepdims=True)


class Net:
    """Has the net that it trains in a private attribute."""

    def __init__(self, sign=1.0):
        self.__net = Stepping(sign)

    def forward(self, x, y):
        return self.__net.cost(x, y)

    def backward(self, x, y, alpha):
        self.__net.descend(x, y, alpha)


@pytest.mark.parametrize("make", [Single, Double, lambda: Holder(Single()), lambda: Holder(Double())])
def test_private_gradients_are_judged(make):
    layer = make()
    report = ag.check_backward(layer.forward, layer.backward, {"x": X})
    assert report, str(report)
    assert len(report.gradients) == 3, list(report.gradients)


def test_a_wrong_private_gradient_is_no_pass():
    layer = Single(factor=2.0)
    report = ag.check_backward(layer.forward, layer.backward, {"x": X})
    assert report.verdict == "fail"
    assert report.findings[0].variable == "self._dW"


def test_the_fix_is_written_with_the_users_names():
    layer = Holder(DoubleTooLarge())
    report = ag.check_backward(layer.forward, layer.backward, {"x": X})
    first = report.findings[0]
    assert first.function == "backward"
    assert first.source == "dout = dout * self.__scale * self.__scale"
    assert first.fix is not None
    assert first.fix.strip() == "dout = dout * self.__scale"
    assert "_DoubleTooLarge" not in str(report)
    assert "_Double_" not in str(report)


@pytest.mark.parametrize("nested", [False, True])
def test_private_parameters_that_are_stepped_are_judged(nested):
    net = Net() if nested else Stepping()
    forward, backward = (net.forward, net.backward) if nested else (net.cost, net.descend)
    report = ag.check_backward(forward, backward, {"x": X, "y": Y, "alpha": 0.1})
    assert report, str(report)
    assert len(report.gradients) == 4, list(report.gradients)


def test_a_step_of_a_private_number_in_the_wrong_direction_is_found():
    net = Net(sign=-1.0)
    report = ag.check_backward(net.forward, net.backward, {"x": X, "y": Y, "alpha": 0.1})
    assert report.verdict == "fail"
    assert [name for name, row in report.gradients.items() if not row.ok] == ["__b2"]


def test_functions_that_the_garbage_collector_does_not_look_at():
    """Servers freeze what was imported; functions are changed all the same."""
    layer = Single(factor=2.0)
    gc.freeze()
    try:
        report = ag.check_backward(layer.forward, layer.backward, {"x": X})
    finally:
        gc.unfreeze()
    assert report.findings[0].fix is not None
