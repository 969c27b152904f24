"""A wrong line that no change explains is derived from forward, in the names that backward has, and a fix only if the pass is right."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.check.explain import derived

RNG = np.random.default_rng(0)


SHORT = {"seconds": 0.2}
"""What no change explains is soon given up here."""


@pytest.fixture(autouse=True)
def _time_to_derive(monkeypatch):
    monkeypatch.setattr(derived, "SPARE", 50)


def _fix(report):
    (finding,) = report.findings
    assert finding.fix is not None, str(report)
    assert finding.kind == "unknown"
    assert "derived from forward it is" in finding.message
    return finding.fix.strip()


def _softmax(z):
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    p = e / np.sum(e, axis=1, keepdims=True)
    return p, {"p": p}


SCORES = {"z": RNG.normal(size=(4, 3))}


def test_a_wrong_jacobian_is_derived_from_what_the_cache_has():
    def backward(dp, cache):
        p = cache["p"]
        return np.sqrt(p) * np.cos(dp)

    assert _fix(ag.check_backward(_softmax, backward, SCORES, **SHORT)) == "return (dp - np.sum(dp * p, axis=1, keepdims=True)) * p"


def test_an_entry_of_the_cache_is_read_where_backward_did_not_unpack_it():
    def backward(dp, cache):
        dz = np.sqrt(cache["p"]) * np.cos(dp)
        return dz

    fix = _fix(ag.check_backward(_softmax, backward, SCORES, **SHORT))
    assert fix.replace("'", '"') == 'dz = (dp - np.sum(dp * cache["p"], axis=1, keepdims=True)) * cache["p"]'


def test_a_patch_with_a_derived_line_gives_a_right_pass():
    def backward(dp, cache):
        p = cache["p"]
        dz = np.sqrt(p) * np.cos(dp)
        return dz

    def patched(dp, cache):
        p = cache["p"]
        dz = (dp - np.sum(dp * p, axis=1, keepdims=True)) * p
        return dz

    patch = ag.check_backward(_softmax, backward, SCORES, **SHORT).patch()
    assert "-        dz = np.sqrt(p) * np.cos(dp)\n+        dz = (dp - np.sum(dp * p, axis=1, keepdims=True)) * p\n" in patch
    assert ag.check_backward(_softmax, patched, SCORES)


def _net(W1, W2, X, Y):
    Z1 = np.dot(W1, X)
    A1 = np.tanh(Z1)
    Z2 = np.dot(W2, A1)
    A2 = 1 / (1 + np.exp(-Z2))
    cost = -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))
    return cost, (Z1, A1, Z2, A2)


NET = {"W1": RNG.normal(size=(4, 2)), "W2": RNG.normal(size=(1, 4)), "X": RNG.normal(size=(2, 6)), "Y": (RNG.normal(size=(1, 6)) > 0) + 0.0}


def test_intermediates_keep_the_scale_that_the_user_gave_them_and_products_their_spelling():
    def backward(W1, W2, X, Y, cache):
        m = X.shape[1]
        _, A1, _, A2 = cache
        dZ2 = A2 - Y
        dW2 = 1 / m * np.dot(dZ2, A1.T)
        dZ1 = np.dot(W2.T, dZ2) * np.sinh(A1) * np.exp(-A1)
        dW1 = 1 / m * np.dot(dZ1, X.T)
        return {"dW1": dW1, "dW2": dW2}

    assert _fix(ag.check_backward(_net, backward, NET, **SHORT)) == "dZ1 = np.dot(W2.T, dZ2) * (1 - A1**2)"


def test_two_wrong_formulas_are_two_fixes():
    def backward(W2, X, Y, cache):
        _, A1, _, A2 = cache
        dZ2 = np.sqrt(A2) * np.exp(Y) / Y.size
        dW2 = dZ2 @ A1.T
        dA1 = W2.T @ dZ2
        dZ1 = np.cos(dA1) * np.exp(A1)
        return {"dW1": dZ1 @ X.T, "dW2": dW2}

    report = ag.check_backward(_net, backward, NET, **SHORT)
    assert [f.variable for f in report.findings] == ["dZ2", "dZ1"]
    assert [f.fix.strip() for f in report.findings] == ["dZ2 = (A2 - Y) / Y.shape[1]", "dZ1 = dA1 * (1 - A1**2)"]


def test_a_sum_built_over_the_steps_of_a_loop_gets_the_line_inside_it():
    def forward(x, h0, U, V):
        hs = {-1: h0}
        for t in range(3):
            hs[t] = np.tanh(x[t] @ U + hs[t - 1] @ V)
        return np.sum(hs[2] ** 2), hs

    def backward(x, U, V, hs):
        dU, dV = np.zeros_like(U), np.zeros_like(V)
        dh = 2 * hs[2]
        for t in reversed(range(3)):
            da = np.exp(-hs[t]) * np.cos(dh)
            dU += x[t].T @ da
            dV += hs[t - 1].T @ da
            dh = da @ V.T
        return dU, dV

    inputs = {"x": RNG.normal(size=(3, 4, 2)), "h0": RNG.normal(size=(4, 3)), "U": RNG.normal(size=(2, 3)), "V": RNG.normal(size=(3, 3))}
    report = ag.check_backward(forward, backward, inputs, wrt=["U", "V"], **SHORT)
    assert _fix(report) == "da = dh * (1 - hs[t]**2)"
    assert report.findings[0].variable == "da"


def _slope(dout, x):
    t = np.tanh(x)
    dx = dout * np.exp(t) / (1 + np.abs(t))
    return dx


def test_the_line_of_a_helper_is_written_in_the_names_of_the_helper():
    def forward(W, X, Y):
        Z = X @ W
        H = Z * np.tanh(Z)
        return np.mean((H - Y) ** 2)

    def backward(X, Y, Z, H):
        dH = 2 * (H - Y) / Y.size
        dZ = _slope(dH, Z)
        return {"dW": X.T @ dZ}

    report = ag.check_backward(
        forward, backward, {"W": RNG.normal(size=(3, 4)), "X": RNG.normal(size=(5, 3)), "Y": RNG.normal(size=(5, 4))}
    )
    fix = _fix(report)
    assert report.findings[0].function == "_slope"
    assert fix.startswith("dx = dout * (")
    assert "t**2" in fix
    assert "Z" not in fix


class _Layer:
    def __init__(self):
        self.W, self.grads = RNG.normal(size=(3, 4)), {}

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.grads["W"] = np.sqrt(np.abs(self.x.T)) @ np.tanh(dout)
        return dout @ self.W.T


def test_entries_and_attributes_of_an_object_are_read_and_set_as_they_are_called():
    layer = _Layer()
    report = ag.check_backward(layer.forward, layer.backward, {"x": RNG.normal(size=(5, 3))}, **SHORT)
    assert _fix(report) == 'self.grads["W"] = self.x.T @ dout'


def test_numpy_is_called_what_the_users_module_calls_it(tmp_path):
    file = tmp_path / "net.py"
    file.write_text("""import numpy as xp

def forward(x):
    return xp.sum(xp.log(1 + x**2))

def backward(x):
    dx = xp.sqrt(xp.abs(x)) * xp.exp(-x)
    return dx
""")
    spec = importlib.util.spec_from_file_location("net_of_xp", file)
    net = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(net)
    fix = _fix(ag.check_backward(net.forward, net.backward, {"x": RNG.normal(size=5)}, **SHORT))
    assert "np." not in fix.replace("xp.", "")
    assert fix == "dx = 2 * x / (1 + x**2)"


def test_places_that_are_added_to_become_lines_of_their_own():
    def forward(W, X, y):
        scores = X @ W
        e = np.exp(scores - scores.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        return -np.mean(np.log(p[np.arange(len(y)), y]))

    def backward(X, y, p):
        n = len(y)
        dscores = np.log(1 + p) * p**3 / n
        return {"dW": X.T @ dscores}

    inputs = {"W": RNG.normal(size=(3, 4)), "X": RNG.normal(size=(6, 3)), "y": np.array([0, 3, 1, 2, 2, 0])}
    lines = [line.strip() for line in _fix(ag.check_backward(forward, backward, inputs, **SHORT)).splitlines()]
    assert lines == ["dscores = p.copy()", "dscores[np.arange(n), y] -= 1", "dscores /= n"]


def _explodes(*_):
    raise RuntimeError("nothing can be derived")


def test_what_goes_wrong_while_deriving_leaves_the_finding_as_it_was(monkeypatch):
    def backward(dp, cache):
        p = cache["p"]
        dz = np.sqrt(p) * np.cos(dp)
        return dz

    monkeypatch.setattr(derived, "Formulas", _explodes)
    monkeypatch.delenv("AUTOGRAD_NP_DEBUG", raising=False)
    (finding,) = ag.check_backward(_softmax, backward, SCORES, **SHORT).findings
    assert finding.fix is None
    assert finding.message == "`dz` is not ∂L/∂z, and no single known mistake explains the difference"


@pytest.mark.parametrize("seconds", [0, 0.2])
def test_nothing_is_derived_without_time(monkeypatch, seconds):
    asked = []
    monkeypatch.setattr(derived, "Formulas", lambda *_: asked.append(1) or _explodes())
    monkeypatch.delenv("AUTOGRAD_NP_DEBUG", raising=False)

    def backward(dp, cache):
        p = cache["p"]
        dz = np.sqrt(p) * np.cos(dp)
        return dz

    report = ag.check_backward(_softmax, backward, SCORES, seconds=seconds)
    assert not report.ok
    assert bool(asked) == bool(seconds)


def test_what_backward_cannot_read_gives_no_line():
    def forward(x, c):
        u = x * c
        return np.sum(np.sin(u))

    def backward(x):
        return {"dx": np.exp(x) * np.sqrt(np.abs(x))}

    report = ag.check_backward(forward, backward, {"x": RNG.normal(size=5), "c": RNG.normal(size=5)}, wrt=["x"], **SHORT)
    assert [f.fix for f in report.findings] == [None]


def test_what_a_module_holds_beside_is_left_alone():
    layer = _Layer()
    ag.check_backward(layer.forward, layer.backward, {"x": RNG.normal(size=(5, 3))}, **SHORT)
    assert SHORT == {"seconds": 0.2}
