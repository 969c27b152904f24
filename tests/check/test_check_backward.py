"""What `check_backward` promises a person with a hand-written backward pass, beyond the scores on the corpus."""

from __future__ import annotations

import copy
import inspect
import json
import linecache
import math
import sys
import types

import numpy as np
import pytest

import autograd_np as ag
import nn
from autograd_np import errors
from autograd_np.check.judge import adequacy

rng = np.random.default_rng(0)
NET = {
    "W1": rng.normal(size=(3, 2)),
    "b1": rng.normal(size=(3, 1)),
    "W2": rng.normal(size=(1, 3)),
    "b2": rng.normal(size=(1, 1)),
    "X": rng.normal(size=(2, 7)),
    "Y": np.array([[0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0]]),
}
LINE = {"W": rng.normal(size=(2, 3)), "b": rng.normal(size=(2, 1)), "X": rng.normal(size=(3, 5)), "T": rng.normal(size=(2, 5))}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_derivative(z):
    return sigmoid(z) * (1 - sigmoid(z))


def forward_propagation(W1, b1, W2, b2, X, Y):
    Z1 = np.dot(W1, X) + b1
    A1 = sigmoid(Z1)
    Z2 = np.dot(W2, A1) + b2
    A2 = sigmoid(Z2)
    return -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))


def backward_propagation(W2, X, Y, Z1, A1, A2):
    m = X.shape[1]
    dZ2 = A2 - Y
    dW2 = np.dot(dZ2, A1.T) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = np.dot(W2.T, dZ2) * sigmoid_derivative(Z1)
    dW1 = np.dot(dZ1, X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return dW1, db1, dW2, db2


def affine(W, b, X, T):
    Z = W @ X + b
    D = Z - T
    return np.sum(D**2)


def made(f, *changes):
    """Return `f` with its text changed, as a notebook cell would define it: its source is in linecache only."""
    text = inspect.getsource(f)
    for old, new in changes:
        assert text.count(old) == 1, (old, text)
        text = text.replace(old, new)
    name = f"<cell {len(linecache.cache)} {hash(text)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    scope = dict(f.__globals__)
    exec(compile(text, name, "exec"), scope)  # as IPython does with a cell
    return scope[f.__name__]


def line_of(f, text):
    lines, first = inspect.getsourcelines(f)
    found = [i for i, line in enumerate(lines) if text in line]
    assert len(found) == 1
    return max(first, 1) + found[0]


def said(report):
    return [(f.line, f.variable, f.kind) for f in report.findings]


# --- right passes, one mistake, two mistakes ------------------------------------------------------


def test_the_notebooks_pass_is_right_and_its_convention_is_named():
    report = ag.check_backward(forward_propagation, backward_propagation, NET)
    assert report.ok
    assert report.findings == []
    assert set(report.gradients) == {"W1", "b1", "W2", "b2"}
    assert any("dZ2 = m (7) × ∂L/∂Z2" in c for c in report.conventions)
    assert any("dZ1 = m (7) × ∂L/∂Z1" in c for c in report.conventions)
    assert report.lines[0].line == line_of(backward_propagation, "dZ2 = A2 - Y")
    assert report.seconds > 0
    assert f"{report.seconds:.2f} s" in str(report)
    assert report.draws == 3
    report.raise_if_wrong()


@pytest.mark.parametrize(
    ("old", "new", "variable", "kinds", "words"),
    [
        ("dZ2 = A2 - Y", "dZ2 = Y - A2", "dZ2", {"sign"}, "sign"),
        ("np.dot(dZ1, X.T) / m", "np.dot(dZ1, X.T)", "dW1", {"scale"}, "`dW1` is 7 × too large: divide by m (= 7)"),
        (" * sigmoid_derivative(Z1)", "", "dZ1", {"missing-factor"}, "is missing in `dZ1`"),
        ("sigmoid_derivative(Z1)", "sigmoid_derivative(A1)", "dZ1", {"wrong-point"}, "`A1`, should be `Z1`"),
        ("db2 = np.sum(dZ2, axis=1, keepdims=True)", "db2 = np.sum(dZ2, axis=0, keepdims=True)", "db2", {"wrong-reduction"}, "axis"),
    ],
)
def test_one_mistake_is_one_finding_at_its_line(old, new, variable, kinds, words):
    wrong = made(backward_propagation, (old, new))
    report = ag.check_backward(forward_propagation, wrong, NET)
    assert report.verdict == "fail"
    (finding,) = report.findings
    assert finding.line == line_of(wrong, new or "dZ1 = ")
    assert finding.variable == variable
    assert finding.kind in kinds
    assert words in finding.message
    assert new.strip() in finding.source
    assert all("engine and numeric agree, the hand is off" in line for line in report.arbitration)


def test_two_independent_mistakes_are_two_findings():
    wrong = made(backward_propagation, ("dW2 = np.dot(dZ2, A1.T) / m", "dW2 = np.dot(dZ2, A1.T)"), ("(dZ1, X.T) / m", "(-dZ1, X.T) / m"))
    report = ag.check_backward(forward_propagation, wrong, NET)
    assert said(report) == [(line_of(wrong, "dW2 ="), "dW2", "scale"), (line_of(wrong, "dW1 ="), "dW1", "sign")]


# --- styles ---------------------------------------------------------------------------------------


def test_names():
    def backward(X, D):
        delta2 = 2 * D
        gamma = delta2 @ X.T
        return gamma, delta2.sum(axis=1, keepdims=True)

    report = ag.check_backward(affine, backward, LINE, names={"delta2": "Z", "gamma": "W"}, wrt=["W", "b"])
    assert report.ok
    assert {g.variable for g in report.lines} == {"delta2", "gamma"}


def test_layer_style_with_a_cache_and_an_upstream_gradient():
    def affine_relu_forward(x, w, b):
        h = x @ w + b
        out = np.maximum(h, 0)
        cache = (x, w, h)
        return out, cache

    def right(dout, cache):
        x, w, h = cache
        dh = dout * (h > 0)
        return dh @ w.T, x.T @ dh, dh.sum(axis=0)

    def wrong(dout, cache):
        x, w, _ = cache
        dh = dout
        dx, dw, db = dh @ w.T, x.T @ dh, dh.sum(axis=0)
        return dx, dw, db

    layer = {"x": rng.normal(size=(4, 3)), "w": rng.normal(size=(3, 2)), "b": rng.normal(size=2)}
    assert ag.check_backward(affine_relu_forward, right, layer).ok
    report = ag.check_backward(affine_relu_forward, wrong, layer)
    assert [(line, variable) for line, variable, _ in said(report)] == [(line_of(wrong, "dh = dout"), "dh")]
    given = {**layer, "dout": rng.normal(size=(4, 2))}
    assert ag.check_backward(affine_relu_forward, right, given).ok


def test_dict_results_and_nested_parameters():
    def forward(params, X, T):
        Z = params["W"] @ X + params["b"]
        return np.sum((Z - T) ** 2)

    def backward(params, X, T, Z):
        grads = {}
        dZ = 2 * (Z - T)
        grads["W"] = dZ @ X.T
        grads["b"] = dZ.sum(axis=0, keepdims=True)
        return grads

    inputs = {"params": {"W": LINE["W"], "b": LINE["b"]}, "X": LINE["X"], "T": LINE["T"]}
    (finding,) = ag.check_backward(forward, backward, inputs).findings
    assert finding.line == line_of(backward, 'grads["b"]')
    assert finding.kind == "wrong-reduction"


class Layer:
    def __init__(self):
        self.W = rng.normal(size=(2, 3))
        self.calls = 0

    def forward(self, X):
        self.calls += 1
        self.X = X
        return self.W @ X

    def backward(self, dout):
        self.dW = dout @ self.X.T
        dX = self.W.T @ dout
        return dX

    def wrong(self, dout):
        dX = self.W @ dout if self.W.shape[0] == self.W.shape[1] else -self.W.T @ dout
        return dX


def test_methods_work_on_a_copy_of_the_object():
    layer = Layer()
    before = copy.deepcopy(vars(layer))
    assert ag.check_backward(layer.forward, layer.backward, {"X": LINE["X"]}).ok
    report = ag.check_backward(layer.forward, layer.wrong, {"X": LINE["X"]})
    assert said(report) == [(line_of(Layer.wrong, "dX = "), "dX", "sign")]
    assert vars(layer).keys() == before.keys()
    assert layer.calls == 0
    np.testing.assert_array_equal(layer.W, before["W"])


def test_closures_and_helpers():
    weight = 0.5

    def backward(W, X, T, Z):
        def half(x):
            return weight * x

        dZ = 4 * half(Z - T)
        dW = half(dZ) @ X.T
        db = dZ.sum(axis=1, keepdims=True)
        return dW, db

    report = ag.check_backward(affine, backward, LINE)
    assert [(line, v) for line, v, _ in said(report)] == [(line_of(backward, "dW = half"), "dW")]


def test_a_softmax_regression_with_labels_and_regularisation():
    def forward(W2, X, y, reg):
        scores = X @ W2
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        return -np.mean(np.log(p[np.arange(len(y)), y])) + 0.5 * reg * np.sum(W2 * W2)

    def backward(W2, X, y, reg, p):
        n = X.shape[0]
        dscores = p.copy()
        dscores[np.arange(n), y] -= 1
        dscores /= n
        dW2 = X.T @ dscores
        dW2 += reg * W2
        return dW2

    inputs = {"W2": rng.normal(size=(3, 4)), "X": rng.normal(size=(6, 3)), "y": np.array([0, 3, 1, 1, 2, 0]), "reg": 0.1}
    assert ag.check_backward(forward, backward, inputs).ok
    wrong = made(backward_of(backward), ("dW2 += reg * W2", "dW2 += 2 * reg * W2"))
    (finding,) = ag.check_backward(forward, wrong, inputs).findings
    assert (finding.line, finding.kind) == (line_of(wrong, "dW2 += "), "scale")
    wrong = made(backward_of(backward), ("dscores /= n", "pass"))
    (finding,) = ag.check_backward(forward, wrong, inputs).findings
    assert finding.variable == "dscores" or finding.variable == "dW2"
    assert finding.kind == "scale"


def backward_of(f):
    """Return a nested function at module level, for `made`."""
    text = inspect.cleandoc("\n" + inspect.getsource(f))
    name = f"<nested {hash(text)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    scope = dict(f.__globals__)
    exec(compile(text, name, "exec"), scope)
    return scope[f.__name__]


def rnn(Wx, Wh, xs, h0):
    h = h0
    hs = []
    for t in range(4):
        h = np.tanh(Wx @ xs[t] + Wh @ h)
        hs.append(h)
    return np.sum(hs[-1] ** 2)


def rnn_backward(Wx, Wh, xs, h0, hs):
    dWx, dWh = np.zeros_like(Wx), np.zeros_like(Wh)
    dh = 2 * hs[-1]
    for t in reversed(range(4)):
        da = dh * (1 - hs[t] ** 2)
        dWx += np.outer(da, xs[t])
        dWh += np.outer(da, hs[t - 1] if t > 0 else h0)
        dh = Wh.T @ da
    return dWx, dWh, dh


def test_loops_over_lists_of_arrays():
    inputs = {
        "Wx": rng.normal(size=(3, 2)),
        "Wh": 0.5 * rng.normal(size=(3, 3)),
        "xs": [rng.normal(size=2) for _ in range(4)],
        "h0": rng.normal(size=3),
    }
    report = ag.check_backward(rnn, rnn_backward, inputs, names={"dh": "h0"})
    assert report.ok, report
    wrong = made(rnn_backward, ("dWh += ", "dWh = "))
    (finding,) = ag.check_backward(rnn, wrong, inputs, names={"dh": "h0"}).findings
    assert (finding.line, finding.kind) == (line_of(wrong, "dWh = np.outer"), "missing-term")


def test_a_python_number_among_the_inputs_can_be_differentiated():
    def forward(w, b, X):
        Z = w * X + b
        return np.mean(Z**2)

    def backward(X, Z):
        dZ = 2 * Z / X.size
        dw = np.sum(dZ * X)
        db = -np.sum(dZ)
        return dw, db

    report = ag.check_backward(forward, backward, {"w": 1.5, "b": 0.5, "X": rng.normal(size=6)})
    assert said(report) == [(line_of(backward, "db ="), "db", "sign")]


def test_expressions_without_a_name_are_paired_by_place():
    def backward(X, Z, T):
        return 2 * (Z - T) @ X.T, 2 * (Z - T).sum(axis=1, keepdims=True)

    def alone(X, Z, T):
        return 2 * (Z - T).sum(axis=1, keepdims=True)

    assert set(ag.check_backward(affine, backward, LINE).gradients) == {"W", "b"}
    assert set(ag.check_backward(affine, backward, LINE, wrt=["W", "b"]).gradients) == {"W", "b"}
    report = ag.check_backward(affine, alone, LINE, wrt=["b"])
    assert report.ok
    assert set(report.gradients) == {"b"}


# --- bad use --------------------------------------------------------------------------------------


def good(X, D):
    dZ = 2 * D
    dW = dZ @ X.T
    return dW


def refused(backward=good, forward=affine, inputs=LINE, kind=errors.CheckSetupError, **options):
    with pytest.raises(kind) as caught:
        ag.check_backward(forward, backward, inputs, **options)
    assert sys.gettrace() is TRACE
    return caught.value


TRACE = sys.gettrace()


def test_a_parameter_that_nothing_supplies():
    def backward(X, D, wieght, Z1):
        return X

    message = str(refused(backward, inputs={**LINE, "weight": np.ones(2)}))
    assert "'wieght' that nothing supplies" in message
    assert "did you mean weight" in message
    message = str(refused(inputs={"W": LINE["W"], "b": LINE["b"], "X": LINE["X"], "t": LINE["T"]}))
    assert "forward affine has a parameter 'T'" in message
    assert "t" in message


def test_a_name_that_pairs_with_nothing():
    def backward(X, D):
        dZ = 2 * D
        dWeight = dZ @ X.T
        return dWeight, dZ

    report = ag.check_backward(affine, backward, LINE)  # what pairs with nothing decides nothing, and is said
    assert any(note.startswith("dWeight: pairs with no variable") for note in report.unjudged)
    message = str(refused(lambda X, D: {"dWeight": 2 * D @ X.T}))
    assert "'dWeight', no array that pairs with a variable of forward" in message
    assert "Near misses: W" in message
    assert ag.check_backward(affine, backward, LINE, names={"dWeight": "W"}).ok
    assert "forward has no 'Wx'" in str(refused(backward, names={"dWeight": "Wx"}))
    message = str(refused(names={"dw": "W"}))
    assert "backward has no 'dw'" in message
    assert "dW" in message


def test_a_backward_that_raises_is_a_finding_at_its_line():
    def backward(X, D):
        dZ = 2 * D
        dW = dZ @ X
        return dW

    (finding,) = ag.check_backward(affine, backward, LINE).findings
    assert (finding.line, finding.kind) == (line_of(backward, "dW = dZ"), "raises")
    assert finding.message.startswith("raises ValueError: matmul: Input operand 1 has a mismatch")
    assert finding.fix == "        dW = dZ @ X.T"


def test_a_name_that_is_nowhere_defined_is_a_finding_at_its_line():
    def backward(X, D):
        dZ = 2 * D
        dW = dZ @ Xs.T  # noqa: F821
        return dW

    (finding,) = ag.check_backward(affine, backward, LINE).findings
    assert (finding.line, finding.kind) == (line_of(backward, "dW = dZ"), "raises")
    assert "NameError: name 'Xs' is not defined" in finding.message


def test_what_is_returned_is_no_gradient():
    def none(X, D):
        2 * D @ X.T

    def forgotten(X, D):
        dW = 2 * D @ X.T  # noqa: F841

    def text(X, D):
        return "dW"

    assert "returned None and left no gradient behind; return the gradients" in str(refused(none))
    (finding,) = ag.check_backward(affine, forgotten, LINE).findings
    assert (finding.kind, finding.variable) == ("not-returned", "dW")
    assert "no array that pairs" in str(refused(text))
    message = str(refused(wrt=["W", "b"]))
    assert "does not return the gradient of b; it returns those of W" in message
    assert "forward has no 'w'; near misses: W" in str(refused(wrt=["w"]))


@pytest.mark.parametrize(
    "line",
    [
        "s = float(np.sum(Z))",
        "s = math.exp(np.sum(Z))",
        "s = [math.sin(z) for z in Z[0]][0]",
        "s = np.sum(Z).item()",
        "s = np.sum([np.sum(Z), Z[0, 0]])",
        "s = np.array([Z[0, 0], [1.0][0]])[0]",
    ],
)
def test_a_forward_that_would_leave_numpy_is_followed(line):
    def forward(W, X):
        Z = W @ X
        s = 1.0
        return np.sum(Z) + s

    forward = made(backward_of(forward), ("s = 1.0", line))
    forward.__globals__["math"] = math
    inputs = {"W": 0.1 * LINE["W"], "X": LINE["X"]}

    def difference(W, X):
        dW = np.zeros_like(W)
        for i in np.ndindex(W.shape):
            for sign in (1, -1):
                moved = W.copy()
                moved[i] += sign * 1e-6
                dW[i] += sign * forward(moved, X) / 2e-6
        return dW

    assert ag.check_backward(forward, difference, inputs, tolerance=1e-5).ok
    assert not ag.check_backward(forward, lambda W, X: {"dW": 2 * difference(W, X)}, inputs, tolerance=1e-5).ok


def test_asarray_in_forward_is_harmless():
    def forward(W, X):
        Z = np.asarray(W @ X)
        return np.sum(np.array(Z) ** 2)

    def backward(X, Z):
        dZ = 2 * Z
        return dZ @ X.T

    assert ag.check_backward(forward, backward, {"W": LINE["W"], "X": LINE["X"]}).ok


def test_other_bad_arguments():
    assert "inputs must be a dict" in str(refused(inputs=[LINE]))
    assert "forward must be a function, got 3" in str(refused(forward=3))
    assert "backward must be a function, got None" in str(refused(None))
    assert "loss must be a function" in str(refused(loss="loss"))
    assert "draws must be at least 0" in str(refused(draws=-1))
    assert "tolerance between 0 and 1" in str(refused(tolerance=0))
    assert "does not depend on any floating-point array" in str(refused(lambda X: X, lambda X: np.sum(X), {"X": np.arange(3)}))


# --- adequacy, arbitration, tolerances ------------------------------------------------------------


def mean_loss(W, X, T):
    Z = W @ X
    E = Z - T
    return np.mean(np.sum(E**2, axis=0))


def mean_backward(W, X, E):
    m = X.shape[1]
    dZ = 2 * E
    dW = dZ @ X.T / m
    return dW


def test_a_batch_of_one_hides_a_missing_mean():
    one = {"W": rng.normal(size=(2, 3)), "X": rng.normal(size=(3, 1)), "T": rng.normal(size=(2, 1))}
    report = ag.check_backward(mean_loss, mean_backward, one)
    assert report.ok
    assert any("m = 1 at your inputs" in note for note in report.adequacy)
    assert not any(
        "m = 1" in note for note in ag.check_backward(mean_loss, mean_backward, {**one, "X": LINE["X"], "T": LINE["T"]}).adequacy
    )


def test_zero_weights_hide_what_draws_show():
    wrong = made(backward_propagation, ("np.dot(W2.T, dZ2) * sigmoid_derivative(Z1)", "np.dot(W2.T, dZ2)"))
    zero = {**NET, "W2": np.zeros((1, 3))}
    alone = ag.check_backward(forward_propagation, wrong, zero, draws=0)
    assert alone.ok
    report = ag.check_backward(forward_propagation, wrong, zero)
    assert report.verdict == "fail"
    assert "your own point shows no error; 3 of 3 generic draws do" in report.adequacy
    assert [f.variable for f in report.findings] == ["dZ1"]
    right = ag.check_backward(forward_propagation, backward_propagation, zero)
    assert any("`dZ1` is zero at your inputs" in note for note in right.adequacy)


def test_what_is_zero_is_said_even_where_no_time_is_left_for_edits(monkeypatch):
    monkeypatch.setattr(adequacy, "SECONDS", 0.0)
    right = ag.check_backward(forward_propagation, backward_propagation, {**NET, "W2": np.zeros((1, 3))})
    assert any("`dZ1` is zero at your inputs" in note for note in right.adequacy)


def test_equal_rows_hide_an_axis():
    def forward(W, X):
        Z = X * W
        return np.sum(np.exp(Z))

    def backward(X, Z):
        dZ = np.exp(Z)
        dW = np.sum(dZ * X, axis=0)
        return dW

    same = {"W": np.full(3, 0.5), "X": np.full((3, 3), 0.7)}
    report = ag.check_backward(forward, backward, same)
    assert report.ok
    assert any("cannot tell it from" in note and "axis=1" in note for note in report.adequacy), report.adequacy


def relu_loss(W, X):
    Z = W @ X
    A = np.maximum(Z, 0)
    return np.sum(A)


def relu_backward(W, X, Z):
    dZ = (Z >= 0).astype(float)
    dW = dZ @ X.T
    return dW


def test_at_a_kink_nobody_is_right():
    at_zero = {"W": np.zeros((2, 3)), "X": rng.normal(size=(3, 4))}
    report = ag.check_backward(relu_loss, relu_backward, at_zero, draws=0)
    assert report.verdict == "inconclusive"
    assert not report.ok
    assert report.findings == []
    assert any("kink" in line for line in report.arbitration)
    with pytest.raises(errors.CheckFailedError):
        report.raise_if_wrong()
    assert ag.check_backward(relu_loss, relu_backward, {**at_zero, "W": rng.normal(size=(2, 3))}).ok


def scaled_loss(W, X, c):
    Z = W @ X
    return c * np.sum(np.sin(Z))


def scaled_backward(X, Z, c):
    dZ = c * np.cos(Z)
    dW = dZ @ X.T
    return dW


@pytest.mark.parametrize("size", [1e-8, 1.0, 1e6])
def test_tolerances_go_with_the_size_of_the_gradient(size):
    inputs = {"W": LINE["W"], "X": LINE["X"], "c": size}
    assert ag.check_backward(scaled_loss, scaled_backward, inputs).ok
    wrong = made(scaled_backward, ("dZ @ X.T", "-dZ @ X.T"))
    assert said(ag.check_backward(scaled_loss, wrong, inputs)) == [(line_of(wrong, "dW ="), "dW", "sign")]


def test_float32_inputs_are_checked_in_float64_unless_asked():
    inputs = {k: v.astype(np.float32) for k, v in NET.items()}
    assert ag.check_backward(forward_propagation, backward_propagation, inputs).ok
    wrong = made(backward_propagation, ("dW2 = np.dot(dZ2, A1.T) / m", "dW2 = np.dot(dZ2, A1.T) / m * (1 + 1e-6)"))
    assert not ag.check_backward(forward_propagation, wrong, inputs).ok


# --- nothing of the user's is touched -------------------------------------------------------------


def test_nothing_of_the_users_is_changed():
    def backward(W1, b1, W2, b2, X, Y, Z1, A1, A2):
        A2 -= Y  # its arrays are its own
        W2 *= 1.0
        m = X.shape[1]
        dW2 = A2 @ A1.T / m
        X += 1
        return dW2

    inputs = {**copy.deepcopy(NET), "nested": {"list": [np.ones(2)]}}
    kept = copy.deepcopy(inputs)
    functions = (forward_propagation, backward, sigmoid, sigmoid_derivative)
    before = [(f.__code__, f.__globals__, dict(vars(f)), f.__closure__, f.__defaults__) for f in functions]
    names = dict(globals())
    report = ag.check_backward(forward_propagation, backward, inputs)
    assert report.ok, report
    for name in NET:
        np.testing.assert_array_equal(inputs[name], kept[name])
        assert inputs[name].dtype == kept[name].dtype
    np.testing.assert_array_equal(inputs["nested"]["list"][0], 1.0)
    assert all(
        f.__code__ is code and f.__globals__ is scope and vars(f) == attributes and f.__closure__ is closure and f.__defaults__ is defaults
        for f, (code, scope, attributes, closure, defaults) in zip(functions, before, strict=True)
    )
    assert all(globals()[k] is v for k, v in names.items())
    assert isinstance(forward_propagation, types.FunctionType)


def test_the_trace_hook_is_put_back():
    def tracer(frame, event, argument):
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        ag.check_backward(affine, good, LINE)
        kept = sys.gettrace()
    finally:
        sys.settrace(before)
    assert kept is tracer


# --- the report -----------------------------------------------------------------------------------


def test_a_wrong_pass_raises_with_the_report_and_becomes_json():
    wrong = made(backward_propagation, ("np.dot(dZ1, X.T) / m", "np.dot(dZ1, X.T)"))
    report = ag.check_backward(forward_propagation, wrong, NET)
    with pytest.raises(AssertionError) as caught:
        report.raise_if_wrong()
    assert "divide by m (= 7)" in str(caught.value)
    assert "> " in str(caught.value)
    told = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert told["verdict"] == "fail"
    assert told["findings"][0]["kind"] == "scale"
    assert told["findings"][0]["factor"] == pytest.approx(7)
    assert told["findings"][0]["line"] == line_of(wrong, "dW1 =")
    assert set(told["gradients"]) == {"W1", "b1", "W2", "b2"}


def test_a_draw_at_which_backward_raises_is_left_out_and_told():
    def backward(X, D):
        if X[0, 0] != LINE["X"][0, 0]:
            raise ValueError("only here")
        dZ = 2 * D
        dW = dZ @ X.T
        return dW

    report = ag.check_backward(affine, backward, LINE)
    assert report.ok
    assert report.draws == 0
    assert any("at a generic draw" in note and "only here" in note for note in report.adequacy)


def test_the_drawing_has_verdicts_and_both_gradients(tmp_path):
    wrong = made(backward_propagation, ("np.dot(dZ1, X.T) / m", "np.dot(dZ1, X.T)"))
    report = ag.check_backward(forward_propagation, wrong, NET)
    file = report.graph(tmp_path / "check.svg")
    text = file.read_text("utf-8")
    assert text.count("is-wrong") >= 1
    row = report.gradients["W1"]
    assert f"engine {row.expected:.4g}, hand {row.actual:.4g}" in text
    dot = report.graph().source
    nodes = [line for line in dot.splitlines() if "is-wrong" in line]
    assert len(nodes) == 1
    assert "W1" in nodes[0]
    assert sum("is-ok" in line for line in dot.splitlines()) == 5  # b1, W2, b2, Z1, Z2
    assert "is-wrong" not in ag.check_backward(forward_propagation, backward_propagation, NET).graph().source
    kink = ag.check_backward(relu_loss, relu_backward, {"W": np.zeros((2, 3)), "X": rng.normal(size=(3, 4))}, draws=0)
    assert "is-unknown" in kink.graph().source


def _linear_backward(dZ, A):
    return A @ dZ.T, dZ @ A.T, dZ.sum(axis=1, keepdims=True)  # the first is wrong, and nobody wants it


@pytest.mark.parametrize("forgets", [False, True])
def test_a_gradient_unpacked_and_not_stored_beside_those_of_its_dict(forgets):
    def forward(p, X, T):
        Z = p["W"] @ X + p["b"]
        return np.mean((Z - T) ** 2)

    def all_of_it(p, X, T, Z):
        dX, dW, db = _linear_backward(2 * (Z - T) / T.size, X)  # noqa: RUF059 (as people write it)
        return {"dW": dW, "db": db}

    def all_but_one(p, X, T, Z):
        dX, dW, db = _linear_backward(2 * (Z - T) / T.size, X)  # noqa: RUF059 (as people write it)
        return {"dW": dW}

    inputs = {"p": {"W": LINE["W"], "b": LINE["b"]}, "X": LINE["X"], "T": LINE["T"]}
    report = ag.check_backward(forward, all_but_one if forgets else all_of_it, inputs)
    assert [(f.kind, f.variable) for f in report.findings] == [("not-returned", "db")] * forgets


def test_a_result_written_into_the_last_argument():
    def forward(W, X, Y):
        A = 1 / (1 + np.exp(-(W @ X)))
        np.clip(A, 1e-7, 1 - 1e-7, A)
        np.add(A, 0.0, A)
        return -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))

    def backward(X, Y, A):
        return {"dW": (A - Y) @ X.T / Y.size}

    inputs = {"W": LINE["W"][:1], "X": LINE["X"], "Y": (LINE["T"][:1] > 0) + 0.0}
    assert ag.check_backward(forward, backward, inputs).ok


def test_a_cache_that_forward_makes_under_the_name_of_the_one_it_was_given():
    def forward(X, gamma, cache, momentum=0.9):
        mean, scale = cache
        mu = np.mean(X, axis=0)
        centred = X - mu
        cache = (centred, gamma)
        return gamma * centred, cache, momentum * mean + (1 - momentum) * mu, scale

    def backward(dout, cache):
        centred, gamma = cache
        dgamma = np.sum(dout * centred, axis=0)
        dX = gamma * (dout - np.mean(dout, axis=0))
        return dX, dgamma

    rng = np.random.default_rng(0)
    inputs = {"X": rng.normal(size=(5, 3)), "gamma": rng.normal(size=3), "cache": (np.zeros(3), np.ones(3))}
    assert ag.check_backward(forward, backward, inputs).ok


def test_parameters_that_forward_meets_in_a_model_are_constants_of_it():
    layer = nn.Linear(3, 2, rng=0)

    def forward(x):
        h = layer(x)
        return np.sum(h * h)

    def backward(x):
        h = x @ layer.weight.data.T + layer.bias.data
        dh = h
        dx = dh @ layer.weight.data
        return dx

    report = ag.check_backward(forward, backward, {"x": np.random.default_rng(0).normal(size=(4, 3))})
    assert [(f.variable, f.kind) for f in report.findings] == [("dh", "scale")]
    assert layer.weight.grad is None


def test_a_power_may_be_an_array():
    def forward(x, p):
        return np.sum(x**p)

    def backward(x, p):
        dx = p * x ** (p - 1)
        return dx

    inputs = {"x": np.array([0.5, 1.5, 2.0]), "p": np.array([2.0, 3.0, 1.0])}
    assert ag.check_backward(forward, backward, inputs).ok
    assert not ag.check_backward(forward, lambda x, p: {"dx": p * x**p}, inputs).ok
