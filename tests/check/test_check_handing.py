"""Mistakes in what is handed over, and right code that hands over in an unusual way."""

from __future__ import annotations

import inspect
import linecache
import types

import numpy as np
import pytest

import autograd_np as ag
from autograd_np import errors

rng = np.random.default_rng(5)


def mutated(source, old, new, name):
    """Return the namespace of some classes or functions with a mistake in their text."""
    text = inspect.getsource(source)
    assert old in text
    text = text.replace(old, new)
    file = f"/user/{name}.py"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space = {"np": np, "__name__": name}
    exec(compile(text, file, "exec"), space)
    return types.SimpleNamespace(**space)


class Code:
    """What a user's file holds."""

    class Recorder:
        seen = None

        def update(self, weights, gradient):
            self.seen = gradient
            return weights

    class Dense:
        def __init__(self):
            r = np.random.default_rng(0)
            self.W, self.w0 = r.normal(size=(4, 3)), r.normal(size=(1, 3))
            self.W_opt, self.w0_opt = Code.Recorder(), Code.Recorder()

        def forward(self, X):
            self.inside = X
            return X @ self.W + self.w0

        def backward(self, accum_grad):
            W = self.W
            grad_w = self.inside.T @ accum_grad
            grad_w0 = np.sum(accum_grad, axis=0, keepdims=True)
            self.W = self.W_opt.update(self.W, grad_w)
            self.w0 = self.w0_opt.update(self.w0, grad_w0)
            return accum_grad @ W.T

    @staticmethod
    def hinge(x, y):
        n = x.shape[0]
        margins = np.maximum(0, x - x[np.arange(n), y][:, None] + 1.0)
        margins[np.arange(n), y] = 0
        loss = np.sum(margins) / n
        too_near = np.sum(margins > 0, axis=1)
        dx = np.zeros_like(x)
        dx[margins > 0] = 1
        dx[np.arange(n), y] -= too_near
        dx /= n
        return loss, dx

    @staticmethod
    def scale(X, gamma, beta):
        return X * gamma + beta, (X, gamma)

    @staticmethod
    def scale_backward(dout, cache):
        X, gamma = cache
        dX = dout * gamma
        dgamma = np.sum(dout * X, axis=0)
        dbeta = np.sum(dout, axis=0)
        return dX, dgamma, dbeta

    @staticmethod
    def lookup(idx, W):
        return W[idx], (idx, W)

    @staticmethod
    def lookup_backward(dout, cache):
        idx, W = cache
        dW = np.zeros(W.shape)
        np.add.at(dW, idx, dout)
        return dW


def test_a_gradient_that_an_optimizer_was_given_is_judged_under_the_name_of_what_it_updates():
    layer = Code.Dense()
    report = ag.check_backward(layer.forward, layer.backward, {"X": rng.normal(size=(5, 4))})
    assert report.ok
    assert set(report.gradients) == {"X", "W", "w0"}


def test_the_wrong_gradient_given_to_an_optimizer_is_found_where_it_is_given():
    wrong = mutated(Code, "self.W_opt.update(self.W, grad_w)", "self.W_opt.update(self.W, grad_w0)", "optimizer")
    layer = wrong.Code.Dense()
    report = ag.check_backward(layer.forward, layer.backward, {"X": rng.normal(size=(5, 4))})
    assert report.verdict == "fail"
    (finding,) = report.findings
    assert finding.fix.strip() == "self.W = self.W_opt.update(self.W, grad_w)"


def test_what_forward_had_in_the_place_of_a_gradient_is_found_in_the_return_statement():
    X = rng.normal(size=(6, 4))
    given = {"X": X, "gamma": rng.normal(size=4), "beta": rng.normal(size=4)}
    wrong = mutated(Code, "return dX, dgamma, dbeta", "return X, dgamma, dbeta", "stranger").Code
    report = ag.check_backward(wrong.scale, wrong.scale_backward, given)
    assert [f.fix.strip() for f in report.findings] == ["return dX, dgamma, dbeta"]
    assert "`X` is returned where `dX`, the gradient of `X`, belongs" in report.findings[0].message
    wrong = mutated(Code, "return dW", "return W", "lookup").Code
    report = ag.check_backward(wrong.lookup, wrong.lookup_backward, {"idx": np.array([0, 2, 2]), "W": rng.normal(size=(4, 3))})
    assert [f.fix.strip() for f in report.findings] == ["return dW"]
    wrong = mutated(Code, "return loss, dx", "return loss, x", "loss").Code
    report = ag.check_backward(wrong.hinge, wrong.hinge, {"x": X, "y": np.array([0, 1, 3, 2, 1, 0])})
    assert [f.fix.strip() for f in report.findings] == ["return loss, dx"]


def test_in_a_function_that_is_both_passes_what_the_loss_is_not_made_of_may_be_mistaken():
    wrong = mutated(Code, "too_near = np.sum(margins > 0, axis=1)", "too_near = np.sum(margins < 0, axis=1)", "both").Code
    report = ag.check_backward(wrong.hinge, wrong.hinge, {"x": rng.normal(size=(6, 4)), "y": np.array([0, 1, 3, 2, 1, 0])})
    assert [f.fix.strip() for f in report.findings] == ["too_near = np.sum(margins > 0, axis=1)"]
    assert ag.check_backward(Code.hinge, Code.hinge, {"x": rng.normal(size=(6, 4)), "y": np.array([0, 1, 3, 2, 1, 0])}).ok


def test_a_clip_that_only_draws_reach_is_left_out_all_the_same():
    def forward(W, x, t):
        e = W @ x - t
        return 0.5 * np.sum(e**2)

    def backward(W, x, t):
        e = W @ x - t
        dW, dx = e @ x.T, W.T @ e
        for gradient in [dW, dx]:
            np.clip(gradient, -0.5, 0.5, out=gradient)
        return dW, dx

    small = {"W": 0.1 * rng.normal(size=(3, 4)), "x": 0.1 * rng.normal(size=(4, 5)), "t": np.zeros((3, 5))}
    report = ag.check_backward(forward, backward, small)
    assert report.ok
    assert any("is clipped" in note for note in report.readings)


def relu_backward(dout, kept):
    return dout * (kept < 0)


def fc_forward(X, W):
    return X @ W


def fc_backward(dout, X, W):
    dX = dout @ W.T
    dW = X.T @ dout
    return dX, dW


def test_a_kink_at_the_users_own_point_hides_no_mistake_that_draws_show():
    def forward(X, W1, W2):
        H = np.maximum(0, fc_forward(X, W1))
        S = np.maximum(0, fc_forward(H, W2))
        return np.sum(S**2)

    def backward(X, W1, W2):
        Z = fc_forward(X, W1)
        H = np.maximum(0, Z)
        S = np.maximum(0, fc_forward(H, W2))
        dH, dW2 = fc_backward(2 * S, H, W2)
        _, dW1 = fc_backward(relu_backward(dH, Z), X, W1)
        return {"W1": dW1, "W2": dW2}

    dead = {"X": rng.normal(size=(5, 4)), "W1": rng.normal(size=(4, 6)), "W2": rng.normal(size=(6, 3))}
    dead["X"][0] = 0.0
    report = ag.check_backward(forward, backward, dead)
    assert [(f.function, f.fix.strip()) for f in report.findings] == [("relu_backward", "return dout * (kept > 0)")]


def test_a_helpers_gradient_is_not_taken_for_that_of_another_layers_variable_of_the_same_name():
    def forward(X, W1, W2):
        H = np.tanh(fc_forward(X, W1))
        return np.sum(fc_forward(H, W2) ** 2)

    def backward(X, W1, W2):
        H = np.tanh(fc_forward(X, W1))
        dH, dW2 = fc_backward(2 * fc_forward(H, W2), H, W2)
        dX, dW1 = fc_backward(dH * H**2, X, W1)
        return {"W1": dW1, "W2": dW2, "X": dX}

    given = {"X": rng.normal(size=(5, 4)), "W1": rng.normal(size=(4, 6)), "W2": rng.normal(size=(6, 3))}
    report = ag.check_backward(forward, backward, given)
    assert [f.fix.strip() for f in report.findings] == ["dX, dW1 = fc_backward(dH * (1 - H**2), X, W1)"]


class Trained:
    """A net that updates itself, as most of those that people write from scratch do."""

    def __init__(self):
        r = np.random.default_rng(1)
        self.W1, self.b1, self.W2 = r.normal(size=(4, 3)), r.normal(size=(1, 3)), r.normal(size=(3, 1))
        self.lr = 0.1

    def loss(self, X, y):
        self.h = np.tanh(X @ self.W1 + self.b1)
        self.out = self.h @ self.W2
        return np.mean((self.out - y) ** 2)

    def backward(self, X, y):
        d = 2 * (self.out - y) / len(y)
        g2 = self.h.T @ d
        dh = (d @ self.W2.T) * (1 - self.h**2)
        g1 = X.T @ dh
        self.W2 -= self.lr * g2
        self.W1 -= self.lr * g1
        self.b1 = self.b1 - self.lr * dh.sum(axis=0, keepdims=True)


SAMPLES = {"X": rng.normal(size=(5, 4)), "y": rng.normal(size=(5, 1))}


def test_a_net_that_updates_itself_is_judged_by_how_much_it_changes():
    net = Trained()
    report = ag.check_backward(net.loss, net.backward, SAMPLES)
    assert report.ok
    assert set(report.gradients) == {"W1", "b1", "W2"}
    assert report.readings[-1] == "backward updates `W1`, `b1`, `W2`: what is judged is how much they change, divided by lr = 0.1"
    assert np.array_equal(net.W1, Trained().W1)


def test_mistakes_in_a_net_that_updates_itself_are_found_where_they_are_made():
    for old, new in (("1 - self.h**2", "1 - self.h"), ("self.lr * g1", "self.lr * g1 / 2"), ("X.T @ dh", "X.T @ dh * 2")):
        net = mutated(Trained, old, new, "trained" + str(len(new))).Trained()
        report = ag.check_backward(net.loss, net.backward, SAMPLES)
        assert report.verdict == "fail"
        (finding,) = report.findings
        assert new in finding.source
        assert finding.fix is not None


def test_an_update_in_the_other_direction_is_a_wrong_sign():
    net = mutated(Trained, "self.W2 -= self.lr * g2", "self.W2 += self.lr * g2", "uphill").Trained()
    report = ag.check_backward(net.loss, net.backward, SAMPLES)
    assert [(f.kind, f.source) for f in report.findings] == [("sign", "self.W2 += self.lr * g2")]


def test_arrays_that_backward_updates_in_place_and_a_rate_that_it_is_given():
    def forward(w, x, t):
        return 0.5 * np.sum((x @ w - t) ** 2)

    def step(w, x, t, alpha=0.01):
        w -= alpha * x.T @ (x @ w - t)

    given = {"w": rng.normal(size=4), "x": rng.normal(size=(6, 4)), "t": rng.normal(size=6)}
    report = ag.check_backward(forward, step, given)
    assert report.ok
    assert set(report.gradients) == {"w"}
    assert any("divided by alpha = 0.01" in note for note in report.readings)


class Steps:
    """One function that is forward, backward and the update."""

    def __init__(self):
        r = np.random.default_rng(2)
        self.W1, self.W2, self.lr = r.normal(size=(4, 3)), r.normal(size=(3, 1)), 0.05
        self.m = np.zeros((3, 1))

    def train(self, X, y):
        h = np.tanh(X @ self.W1)
        out = h @ self.W2
        loss = np.mean((out - y) ** 2)
        d = 2 * (out - y) / len(y)
        dW2 = h.T @ d
        dW1 = X.T @ ((d @ self.W2.T) * (1 - h**2))
        self.W1 -= self.lr * dW1
        self.W2 -= self.lr * dW2
        return loss

    def root(self, X, y):
        h = np.tanh(X @ self.W1)
        out = h @ self.W2
        loss = np.mean((out - y) ** 2)
        self.m = self.m + (h.T @ (2 * (out - y) / len(y))) ** 2
        self.W2 -= self.lr * self.m**0.5 / (np.sqrt(self.m) + 1e-8)
        return loss


def test_a_training_step_that_is_both_passes_and_the_update():
    net = Steps()
    before = net.W1.copy()
    report = ag.check_backward(net.train, net.train, SAMPLES)
    assert report.ok
    assert set(report.gradients) == {"W1", "W2"}
    assert np.array_equal(net.W1, before)
    wrong = mutated(Steps, "(1 - h**2)", "(1 - h)", "steps").Steps()
    report = ag.check_backward(wrong.train, wrong.train, SAMPLES)
    assert [f.fix.strip() for f in report.findings] == ["dW1 = X.T @ ((d @ self.W2.T) * (1 - h**2))"]


def test_what_an_optimizer_with_roots_changes_is_no_multiple_of_the_gradient():
    net = Steps()
    with pytest.raises(errors.CheckSetupError):
        ag.check_backward(net.root, net.root, SAMPLES)


class Kept:
    """A layer that keeps the gradients of its parameters and returns that of its input."""

    def __init__(self):
        r = np.random.default_rng(3)
        self.W, self.b = r.normal(size=(4, 3)), r.normal(size=3)

    def forward(self, X):
        self.X = X
        return X @ self.W + self.b

    def backward(self, dout):
        dX = dout @ self.W.T
        self.dW = self.X.T @ dout
        self.db = dout.sum(axis=0)
        return dX


@pytest.mark.parametrize("instead", ["self.dW", "self.db", "self.X"])
def test_a_parameters_gradient_that_is_returned_for_the_inputs_is_found(instead):
    layer = mutated(Kept, "return dX", f"return {instead}", "kept" + instead[-1]).Kept()
    report = ag.check_backward(layer.forward, layer.backward, {"X": rng.normal(size=(5, 4))})
    assert [f.fix.strip() for f in report.findings] == ["return dX"]
    layer = Kept()
    assert ag.check_backward(layer.forward, layer.backward, {"X": rng.normal(size=(5, 4))}).ok


def test_a_number_is_judged_where_its_own_name_is_the_key_of_its_gradient():
    def forward(w, log_scale):
        return np.sum(np.exp(log_scale) * w**2)

    def backward(w, log_scale):
        scale = np.exp(log_scale)
        return {"w": 2 * scale * w, "log_scale": np.sum(w**2)}

    report = ag.check_backward(forward, backward, {"w": rng.normal(size=4), "log_scale": 0.7})
    assert report.verdict == "fail"
    assert report.gradients["log_scale"].verdict == "fail"


def test_a_rate_among_the_inputs_is_drawn_anew_with_them():
    def forward(w, x, t):
        return 0.5 * np.sum((x @ w - t) ** 2)

    def step(w, x, t, lr):
        w -= lr * x.T @ (x @ w - t)

    given = {"w": rng.normal(size=4), "x": rng.normal(size=(6, 4)), "t": rng.normal(size=6), "lr": 0.01}
    assert ag.check_backward(forward, step, given).ok


class Ten:
    """A mean over ten samples of its own, and a rate of 0.1: a forgotten mean and a rate of 1 would be the same."""

    def __init__(self):
        r = np.random.default_rng(4)
        self.X, self.y, self.W, self.lr = r.normal(size=(10, 4)), r.normal(size=(10, 1)), r.normal(size=(4, 1)), 0.1

    def loss(self):
        self.out = self.X @ self.W
        return np.mean((self.out - self.y) ** 2)

    def backward(self):
        self.W -= self.lr * self.X.T @ (2 * (self.out - self.y) / 10)


def test_a_wrong_scale_is_not_taken_for_another_rate():
    right = Ten()
    assert ag.check_backward(right.loss, right.backward, {}).ok
    wrong = mutated(Ten, " / 10)", ")", "ten").Ten()
    assert ag.check_backward(wrong.loss, wrong.backward, {}).verdict == "fail"


@pytest.mark.parametrize(("low", "ok"), [("-5", True), ("5", False), ("0", False)])
def test_a_clip_that_leaves_no_sign_is_none(low, ok):
    def backward(dout, x, w):
        dw = x.T @ dout
        np.clip(dw, bounds[0], 5, out=dw)
        return dw

    bounds = [float(low)]
    inputs = {"x": np.ones((3, 2)), "w": np.ones((2, 2))}
    report = ag.check_backward(lambda x, w: x @ w, backward, inputs, wrt=["w"])
    assert report.ok == ok


class Layer:
    """One layer of a net of objects, whose backward updates it and hands the gradient on."""

    def __init__(self):
        r = np.random.default_rng(5)
        self.w, self.b = r.normal(size=(3, 4)), r.normal(size=(3, 1))

    def forward(self, x):
        self.x = x
        return self.w @ x + self.b

    def backward(self, upstream, learning_rate):
        dw = upstream @ self.x.T
        dx = self.w.T @ upstream
        self.w -= learning_rate * dw
        self.b -= learning_rate * upstream
        return dx


@pytest.mark.parametrize(
    ("right", "wrong", "kind"),
    [
        ("self.b -= learning_rate * upstream", "self.b += learning_rate * upstream", "sign"),
        ("self.w -= learning_rate * dw", "self.w = self.w + learning_rate * dw", "sign"),
        ("dx = self.w.T @ upstream", "dx = self.x * (self.w.T @ upstream)", "extra-factor"),
        ("dx = self.w.T @ upstream", "dx = 2 * self.w.T @ upstream", "scale"),
    ],
)
def test_a_layer_that_updates_itself_is_judged_in_either_direction_and_as_it_was_before(right, wrong, kind):
    """What a line read is what stood in the object then: the weights are updated in place after it."""
    given = {"x": rng.normal(size=(4, 1)), "learning_rate": 0.1}
    layer = Layer()
    assert ag.check_backward(layer.forward, layer.backward, given).ok
    layer = mutated(Layer, right, wrong, f"layer {wrong}").Layer()
    (finding,) = ag.check_backward(layer.forward, layer.backward, given).findings
    assert (finding.kind, finding.source.strip()) == (kind, wrong)
