"""Single Python numbers that are parameters are judged wherever they stand; what a batch of one and a share of 1.0 hide is shown."""

from __future__ import annotations

from collections import namedtuple

import numpy as np
import pytest

import autograd_np as ag

rng = np.random.default_rng(0)
X, Y, W = rng.normal(size=(5, 3)), rng.normal(size=5), rng.normal(size=3)
Grads = namedtuple("Grads", "w b")


def forward(w, b, X, y):
    return np.mean((X @ w + b - y) ** 2)


def errors(w, b, X, y):
    return 2 * (X @ w + b - y) / len(y)


def nameless(w, b, X, y):
    e = errors(w, b, X, y)
    return X.T @ e, e.sum()


def nameless_wrong(w, b, X, y):
    e = errors(w, b, X, y)
    return X.T @ e, e.mean()


def named(w, b, X, y):
    e = errors(w, b, X, y)
    return Grads(b=e.sum(), w=X.T @ e)


def named_wrong(w, b, X, y):
    e = errors(w, b, X, y)
    return Grads(b=-e.sum(), w=X.T @ e)


def helper(w, b, X, y):
    e = errors(w, b, X, y)
    dw, db = X.T @ e, e.sum()
    return {"dw": dw, "db": db}


def in_helper(w, b, X, y):
    return helper(w, b, X, y)


def helper_wrong(w, b, X, y):
    e = errors(w, b, X, y)
    dw, db = X.T @ e, 2 * e.sum()
    return {"dw": dw, "db": db}


def in_helper_wrong(w, b, X, y):
    return helper_wrong(w, b, X, y)


def stepped(w, b, X, y, lr):
    e = errors(w, b, X, y)
    w = w - lr * (X.T @ e)
    b = b - lr * e.sum()
    return w, b


def stepped_wrong(w, b, X, y, lr):
    e = errors(w, b, X, y)
    w = w - lr * (X.T @ e)
    b = b - lr * e.mean()
    return w, b


PAIRS = [(nameless, nameless_wrong), (named, named_wrong), (in_helper, in_helper_wrong), (stepped, stepped_wrong)]


@pytest.mark.parametrize("b", [0.0, 0.5, 0, np.float64(0.5), np.array(0.0)], ids=["zero", "float", "int", "float64", "array"])
@pytest.mark.parametrize(("right", "wrong"), PAIRS, ids=[right.__name__ for right, _ in PAIRS])
def test_a_number_is_a_parameter_if_it_is_given_a_gradient(right, wrong, b):
    inputs = {"w": W, "b": b, "X": X, "y": Y, **({"lr": 0.1} if right is stepped else {})}
    report = ag.check_backward(forward, right, inputs)
    assert report.ok
    assert {"w", "b"} == set(report.gradients)
    report = ag.check_backward(forward, wrong, inputs, seconds=0.5)
    assert report.verdict == "fail"
    assert not report.gradients["b"].ok
    assert report.gradients["w"].ok


def line(m, c, x, y):
    return np.mean((m * x + c - y) ** 2)


def gradient_vector(m, c, x, y):
    e = m * x + c - y
    return np.array([2 * np.mean(e * x), 2 * np.mean(e)])


def gradient_vector_wrong(m, c, x, y):
    e = m * x + c - y
    return np.array([2 * np.mean(e * x), np.mean(e)])


def test_numbers_in_one_vector_are_taken_apart():
    inputs = {"m": 0.0, "c": 0.0, "x": X[:, 0], "y": Y}
    report = ag.check_backward(line, gradient_vector, inputs)
    assert report.ok
    assert set(report.gradients) == {"m", "c"}
    report = ag.check_backward(line, gradient_vector_wrong, inputs, seconds=0.5)
    assert (report.gradients["m"].ok, report.gradients["c"].ok) == (True, False)


def of_dict(params, X, y):
    return forward(params["w"], params["b"], X, y)


def of_dict_backward(params, X, y):
    e = errors(params["w"], params["b"], X, y)
    grads = {}
    grads["w"] = X.T @ e
    grads["b"] = e.sum()
    return grads


def of_dict_wrong(params, X, y):
    e = errors(params["w"], params["b"], X, y)
    grads = {}
    grads["w"] = X.T @ e
    grads["b"] = e.mean()
    return grads


def of_lists(weights, biases, x, t):
    h = np.tanh(weights[0] @ x + biases[0])
    return 0.5 * np.sum((weights[1] @ h + biases[1] - t) ** 2)


def of_lists_backward(weights, biases, x, t):
    h = np.tanh(weights[0] @ x + biases[0])
    d1 = weights[1] @ h + biases[1] - t
    d0 = weights[1].T @ d1 * (1 - h**2)
    return [np.outer(d0, x), np.outer(d1, h)], [d0.sum(), d1.sum()]


def of_lists_wrong(weights, biases, x, t):
    h = np.tanh(weights[0] @ x + biases[0])
    d1 = weights[1] @ h + biases[1] - t
    d0 = weights[1].T @ d1 * (1 - h**2)
    return [np.outer(d0, x), np.outer(d1, h)], [d0.sum(), d1.mean()]


def test_numbers_in_dicts_and_lists_are_judged():
    inputs = {"params": {"w": W, "b": 0.0}, "X": X, "y": Y}
    assert set(ag.check_backward(of_dict, of_dict_backward, inputs).gradients) == {"w", "b"}
    assert not ag.check_backward(of_dict, of_dict_wrong, inputs, seconds=0.5).gradients["b"].ok
    inputs = {"weights": [rng.normal(size=(4, 3)), rng.normal(size=(2, 4))], "biases": [0.1, 0.2], "x": X[0], "t": Y[:2]}
    assert set(ag.check_backward(of_lists, of_lists_backward, inputs).gradients) == {"weights[0]", "weights[1]", "biases[0]", "biases[1]"}
    report = ag.check_backward(of_lists, of_lists_wrong, inputs, seconds=0.5)
    assert [n for n, g in report.gradients.items() if not g.ok] == ["biases[1]"]


class Model:
    def __init__(self, b):
        self.w, self.b, self.lr = W.copy(), b, 0.1
        self.params, self.grads = [self.w, b], [None, None]

    def forward(self, X, y):
        self.X, self.e = X, errors(self.w, self.b, X, y)
        return forward(self.w, self.b, X, y)

    def backward(self):
        self.dw = self.X.T @ self.e
        self.db = self.e.sum()

    def backward_wrong(self):
        self.dw = self.X.T @ self.e
        self.db = self.e.mean()

    def step(self):
        self.w -= self.lr * (self.X.T @ self.e)
        self.b -= self.lr * self.e.sum()

    def step_wrong(self):
        self.w -= self.lr * (self.X.T @ self.e)
        self.b -= self.lr * self.e.mean()

    def listed(self, X, y):
        self.X, self.e = X, errors(self.params[0], self.params[1], X, y)
        return forward(self.params[0], self.params[1], X, y)

    def fill(self):
        self.grads[0] = self.X.T @ self.e
        self.grads[1] = self.e.sum()

    def fill_wrong(self):
        self.grads[0] = self.X.T @ self.e
        self.grads[1] = self.e.mean()


@pytest.mark.parametrize("b", [0.0, 0.5, np.float64(0.5)], ids=["zero", "float", "float64"])
@pytest.mark.parametrize(
    ("read", "right", "wrong"),
    [("forward", "backward", "backward_wrong"), ("forward", "step", "step_wrong"), ("listed", "fill", "fill_wrong")],
)
def test_a_number_in_an_object_is_judged(read, right, wrong, b):
    model = Model(b)
    report = ag.check_backward(getattr(model, read), getattr(model, right), {"X": X, "y": Y})
    assert report.ok
    assert len(report.gradients) == 2
    report = ag.check_backward(getattr(model, read), getattr(model, wrong), {"X": X, "y": Y}, seconds=0.5)
    assert sum(g.ok for g in report.gradients.values()) == 1
    assert (model.b, type(model.b)) == (b, type(b))


def captured(scale):
    w, b = W.copy(), 0.25

    def forward_(X, y):
        return forward(w, b, X, y)

    def backward_(X, y):
        e = errors(w, b, X, y)
        return X.T @ e, scale * e.sum()

    return forward_, backward_


SLOPE = 0.75


def by_global(x):
    return SLOPE * np.tanh(x)


def by_global_backward(dout, x):
    dSLOPE = np.sum(dout * np.tanh(x))
    return {"dx": dout * SLOPE * (1 - np.tanh(x) ** 2), "dSLOPE": dSLOPE}


def by_global_wrong(dout, x):
    dSLOPE = np.sum(dout * x)
    return {"dx": dout * SLOPE * (1 - np.tanh(x) ** 2), "dSLOPE": dSLOPE}


def test_captured_and_global_numbers_are_judged():
    assert set(ag.check_backward(*captured(1.0), {"X": X, "y": Y}).gradients) == {"w", "b"}
    assert not ag.check_backward(*captured(2.0), {"X": X, "y": Y}, seconds=0.5).gradients["b"].ok
    assert set(ag.check_backward(by_global, by_global_backward, {"x": X}).gradients) == {"x", "SLOPE"}
    assert not ag.check_backward(by_global, by_global_wrong, {"x": X}, seconds=0.5).ok
    assert SLOPE == 0.75


def with_settings(w, X, y, lam, eps=1e-8):
    if lam > 0:
        return np.mean((X @ w - y) ** 2) + lam * np.sum(w**2)
    return np.mean((X @ w - y) ** 2)


def with_settings_backward(w, X, y, lam):
    e = X @ w - y
    grad = 2 * X.T @ e / len(y) + 2 * lam * w
    return np.mean(e**2) + lam * np.sum(w**2), grad


def accuracy_too(w, X, y, lam):
    e = X @ w - y
    return 2 * X.T @ e / len(y) + 2 * lam * w, float(np.linalg.norm(w)), len(y)


@pytest.mark.parametrize("backward", [with_settings_backward, accuracy_too])
def test_settings_losses_and_norms_are_no_parameters(backward):
    report = ag.check_backward(with_settings, backward, {"w": W, "X": X, "y": Y, "lam": 0.1})
    assert report.ok
    assert set(report.gradients) == {"w"}


def column(W, b, X, Y):
    m = X.shape[1]
    return np.sum((W @ X + b - Y) ** 2) / (2 * m)


def without_m(W, b, X, Y):
    dZ = W @ X + b - Y
    return dZ @ X.T, np.sum(dZ, axis=1, keepdims=True)


def with_m(W, b, X, Y):
    dZ = (W @ X + b - Y) / X.shape[1]
    return dZ @ X.T, np.sum(dZ, axis=1, keepdims=True)


def for_one(W, b, X, Y):
    dZ = W @ X + b - Y
    return np.outer(dZ, X), dZ


def softmax_of_all(W, X, Y):
    p = np.exp(W @ X)
    return -np.sum(Y * np.log(p / np.sum(p)))


def softmax_of_all_backward(W, X, Y):
    p = np.exp(W @ X)
    return (p / np.sum(p) - Y) @ X.T


ONE = {"W": rng.normal(size=(2, 3)), "b": rng.normal(size=(2, 1)), "X": rng.normal(size=(3, 1)), "Y": rng.normal(size=(2, 1))}


def test_a_batch_of_one_hides_no_missing_mean():
    report = ag.check_backward(column, without_m, ONE)
    assert report.verdict == "fail"
    assert ag.check_backward(column, with_m, ONE).ok


def test_what_is_meant_for_one_sample_is_right_for_one():
    assert ag.check_backward(column, for_one, ONE).ok
    one = {"W": ONE["W"], "X": ONE["X"], "Y": np.array([[0.0], [1.0]])}
    assert ag.check_backward(softmax_of_all, softmax_of_all_backward, one).ok


def kept(x, W, mask, keep):
    return np.sum((np.maximum(0, x @ W) * mask / keep) ** 2)


def kept_wrong(x, W, mask, keep):
    z = x @ W
    dh = 2 * np.maximum(0, z) * mask / keep
    return x.T @ (dh * mask * (z > 0))


def test_a_share_of_one_hides_nothing():
    mask = (rng.normal(size=(5, 2)) > 0) + 0.0
    report = ag.check_backward(kept, kept_wrong, {"x": X, "W": rng.normal(size=(3, 2)), "mask": mask, "keep": 1.0}, wrt=["W"])
    assert report.verdict == "fail"


def accumulate(W, xs, dW):
    for x in xs:
        dW += np.outer(W @ x, x)


def accumulate_wrong(W, xs, dW):
    for x in xs:
        dW += np.outer(W @ x, x) / len(xs)


def filled(params, grads, x, t):
    e = 2 * (params["W"] @ x + params["b"] - t)
    grads["W"][...] = np.outer(e, x)
    grads["b"][...] = e


def filled_wrong(params, grads, x, t):
    e = 2 * (params["W"] @ x + params["b"] - t)
    grads["W"][...] = np.outer(e, x)
    grads["b"][...] = e[::-1]


def squares(W, xs):
    return 0.5 * sum(np.sum((W @ x) ** 2) for x in xs)


def affine_squares(params, x, t):
    return np.sum((params["W"] @ x + params["b"] - t) ** 2)


def test_zeros_that_gradients_are_added_to_stay_zeros():
    inputs = {"W": ONE["W"], "xs": X, "dW": np.zeros((2, 3))}
    assert ag.check_backward(squares, accumulate, inputs).ok
    assert not ag.check_backward(squares, accumulate_wrong, inputs, seconds=0.5).ok
    grads = {"W": np.zeros((2, 3)), "b": np.zeros(2)}
    inputs = {"params": {"W": ONE["W"], "b": Y[:2]}, "grads": grads, "x": X[0], "t": Y[:2]}
    assert ag.check_backward(affine_squares, filled, inputs).ok
    assert not ag.check_backward(affine_squares, filled_wrong, inputs, seconds=0.5).ok
