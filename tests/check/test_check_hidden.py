"""What the user's own numbers hide: settings of 0 and 1, as many classes as samples, an upstream gradient of one; and what is judged."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_np as ag

rng = np.random.default_rng(0)
X = rng.normal(size=(5, 3))


def verdicts(forward, right, wrong, inputs):
    return ag.check_backward(forward, right, inputs).verdict, ag.check_backward(forward, wrong, inputs, seconds=0.3).verdict


class Leaky:
    def __init__(self, slope):
        self.slope = slope

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.slope * x)

    def backward(self, d):
        return np.where(self.x > 0, d, self.slope * d)

    def without(self, d):
        return np.where(self.x > 0, d, 0)


class Dropping:
    """Keeps a share, and what is dropped beside it: changing one of them alone would be no fair question."""

    def __init__(self):
        self.keep, self.drop, self.mask = 1.0, 0.0, np.ones((5, 3))

    def forward(self, x):
        return x * self.mask / self.keep

    def backward(self, d):
        return d * self.mask / (1 - self.drop)

    def by_keep(self, d):
        return d * self.mask / self.keep

    def without(self, d):
        return d * self.mask


def test_settings_in_objects_hide_nothing():
    layer = Leaky(0.0)
    assert verdicts(layer.forward, layer.backward, layer.without, {"x": X}) == ("pass", "fail")
    assert layer.slope == 0.0
    layer = Dropping()
    assert verdicts(layer.forward, layer.by_keep, layer.without, {"x": X}) == ("pass", "fail")
    assert ag.check_backward(layer.forward, layer.backward, {"x": X}).ok


def scaled(scale):
    def forward(W, x):
        return scale * np.sum(np.tanh(W @ x))

    def backward(W, x):
        return np.outer(1 - np.tanh(W @ x) ** 2, x) * scale

    def without(W, x):
        return np.outer(1 - np.tanh(W @ x) ** 2, x)

    return forward, backward, without


def default(x, slope=0.0):
    return np.where(x > 0, x, slope * x)


def default_backward(d, x, slope=0.0):
    return np.where(x > 0, d, slope * d)


def default_without(d, x, slope=0.0):
    return np.where(x > 0, d, 0)


def biased(W, x, b=0.5):
    return np.sum(np.sin(W @ x + b))


def biased_backward(W, x, b=0.5):
    c = np.cos(W @ x + b)
    return np.outer(c, x), c.sum()


def biased_mean(W, x, b=0.5):
    c = np.cos(W @ x + b)
    return np.outer(c, x), c.mean()


def test_captured_settings_and_defaults_hide_nothing():
    inputs = {"W": rng.normal(size=(2, 3)), "x": X[0]}
    assert verdicts(*scaled(1.0), inputs) == ("pass", "fail")
    assert verdicts(default, default_backward, default_without, {"x": X}) == ("pass", "fail")
    assert verdicts(biased, biased_backward, biased_mean, inputs) == ("pass", "fail")


def cross_entropy(z, y):
    shifted = z - z.max(axis=1, keepdims=True)
    return -(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))[np.arange(len(y)), y].mean()


def by_samples(z, y):
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    return p / len(y)


def by_classes(z, y):
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    return p / z.shape[1]


def test_as_many_classes_as_samples_hide_nothing():
    assert verdicts(cross_entropy, by_samples, by_classes, {"z": X[:3], "y": np.array([0, 2, 1])}) == ("pass", "fail")


def scalar(x, w):
    return np.dot(x, w)


def scalar_backward(dout, x, w):
    return dout * w, dout * x


def scalar_without(dout, x, w):
    return dout * w, x


def unread(dout, x, w):
    return w, x


def test_the_upstream_gradient_of_one_number_is_not_always_one():
    inputs = {"x": X[0], "w": X[1]}
    assert verdicts(scalar, scalar_backward, scalar_without, inputs) == ("pass", "fail")
    assert ag.check_backward(scalar, unread, inputs).ok  # handed for form's sake


class Parameter:
    def __init__(self, value):
        self.value = value
        self.grad = np.zeros_like(value) if isinstance(value, np.ndarray) else 0.0


class Net:
    def __init__(self, W, b):
        self.W, self.b = Parameter(W), Parameter(b)

    def forward(self, x):
        self.x, self.h = x, np.tanh(x @ self.W.value + self.b.value)
        return self.h

    def backward(self, dout):
        dz = dout * (1 - self.h**2)
        self.W.grad += self.x.T @ dz
        self.b.grad += dz.sum(axis=0) if np.ndim(self.b.value) else dz.sum()
        return dz @ self.W.value.T

    def averaged(self, dout):
        dz = dout * (1 - self.h**2)
        self.W.grad += self.x.T @ dz
        self.b.grad += dz.mean(axis=0) if np.ndim(self.b.value) else dz.mean()
        return dz @ self.W.value.T


@pytest.mark.parametrize("b", [np.zeros(2), 0.0, 0.5], ids=["array", "zero", "number"])
def test_a_gradient_beside_its_value_is_judged(b):
    net = Net(rng.normal(size=(3, 2)), b)
    report = ag.check_backward(net.forward, net.backward, {"x": X})
    assert report.ok
    assert len(report.gradients) == 3
    assert not ag.check_backward(net.forward, net.averaged, {"x": X}, seconds=0.3).ok


def chain(ws, x):
    for w in ws:
        x = np.tanh(w @ x)
    return np.sum(x)


def chain_backward(ws, x, *, extra=1.0):
    hs = [x]
    for w in ws:
        hs.append(np.tanh(w @ hs[-1]))
    g, dws = np.ones_like(hs[-1]), np.empty(len(ws), dtype=object)
    for k in reversed(range(len(ws))):
        g = g * (1 - hs[k + 1] ** 2)
        dws[k] = extra * np.outer(g, hs[k])
        g = ws[k].T @ g
    return dws


def chain_doubled(ws, x):
    return chain_backward(ws, x, extra=2.0)


def test_arrays_in_an_array_of_objects_are_judged():
    inputs = {"ws": [rng.normal(size=(4, 3)), rng.normal(size=(2, 4))], "x": X[0]}
    assert verdicts(chain, chain_backward, chain_doubled, inputs) == ("pass", "fail")


def gated(W, b, x, c):
    z = W @ x + b
    c2 = c / (1 + np.exp(-z[:2])) + np.tanh(z[2:])
    return np.tanh(c2)


def gated_backward(dout, W, b, x, c):
    z = W @ x + b
    f, g = 1 / (1 + np.exp(-z[:2])), np.tanh(z[2:])
    dc2 = dout * (1 - np.tanh(c * f + g) ** 2)
    dz = np.concatenate([dc2 * c * f * (1 - f), dc2 * (1 - g**2)])
    return np.outer(dz, x), dz, W.T @ dz, dc2 * f


def gated_stopped(dout, W, b, x, c):
    z = W @ x + b
    f, g = 1 / (1 + np.exp(-z[:2])), np.tanh(z[2:])
    dc2 = dout * (1 - np.tanh(c * f + g) ** 2)
    dz = np.concatenate([dc2 * c * f * (1 - f), dc2 * (1 - g**2)])
    return np.outer(dz, x), dz, W.T @ dz, dc2


def test_an_intermediates_gradient_in_an_arguments_place_is_judged_as_that():
    inputs = {"W": rng.normal(size=(4, 3)), "b": rng.normal(size=4), "x": X[0], "c": rng.normal(size=2)}
    report = ag.check_backward(gated, gated_backward, inputs)
    assert report.ok
    assert set(report.gradients) == set(inputs)
    report = ag.check_backward(gated, gated_stopped, inputs, seconds=0.3)
    assert [n for n, g in report.gradients.items() if not g.ok] == ["c"]


@pytest.mark.parametrize(("times", "verdict"), [(1, "pass"), (1.5, "fail"), (2, "fail")])
def test_labels_that_are_compared_are_no_numbers_that_rounding_moves(times, verdict):
    """A label off in its last place is another class: no gradient would be told from another one."""

    def both(x, y, w):
        p = 1 / (1 + np.exp(-x @ w))
        loss = np.mean(np.where(y == 1, -np.log(p), -np.log(1 - p)))
        dz = np.where(y == 1, p - 1, p)
        dw = (dz.T @ x).T / (len(x) * times)
        return loss, dw

    r = np.random.default_rng(1)
    given = {"x": r.normal(size=(7, 4)), "y": np.sign(r.normal(size=(7, 1))), "w": r.normal(size=(4, 1))}
    assert ag.check_backward(both, both, given, wrt=["w"]).verdict == verdict
