"""Mistakes that other lines of the code tell: statements made alike, functions kept in objects, helpers with a flag, windows."""

from __future__ import annotations

import ast
import types

import numpy as np
import pytest
from scipy import signal

import autograd_np as ag
from autograd_np.check.explain.edits.catalogue import edits_of

rng = np.random.default_rng(21)


def first(report):
    assert report.verdict == "fail", str(report)
    return report.findings[0]


def edited(text, env, others=()):
    """The texts of the edits of a statement, simplest first."""
    statement = ast.parse(text).body[0]
    beside = [statement, *(ast.parse(t).body[0] for t in others)]
    arrays = {k: v for k, v in env.items() if isinstance(v, np.ndarray)}
    return [ast.unparse(e.body[0]) for e in edits_of(statement, "", env, arrays, {}, others=beside) if len(e.body) == 1]


# --- statements that are made alike


class Heads:
    """Attention of two heads; what goes into the last projection is laid out in another order than it should be."""

    def __init__(self):
        self.A, self.B, self.C = (rng.normal(size=(6, 6)) for _ in range(3))

    def forward(self, x):
        n, t, c = x.shape
        a, b, v = ((x @ M).reshape(n, t, 2, 3).swapaxes(1, 2) for M in (self.A, self.B, self.C))
        scores = np.tanh(a @ b.swapaxes(-2, -1))
        self.kept = x, a, b, v, scores
        return (scores @ v).swapaxes(1, 2).reshape(n, t, c)

    def backward(self, dout):
        x, a, b, v, scores = self.kept
        n, t, c = x.shape
        dheads = dout.reshape(n, t, 2, 3).swapaxes(1, 2)
        dscores = (dheads @ v.swapaxes(-2, -1)) * (1 - scores**2)
        dv = scores.swapaxes(-2, -1) @ dheads
        da = dscores @ b
        db = dscores.swapaxes(-2, -1) @ a
        da = da.swapaxes(1, 2).reshape(n, t, c)
        db = db.swapaxes(1, 2).reshape(n, t, c)
        dv = dv.reshape(n, t, c)
        self.dA = np.einsum("ntc,ntd->cd", x, da)
        self.dB = np.einsum("ntc,ntd->cd", x, db)
        self.dC = np.einsum("ntc,ntd->cd", x, dv)
        return da @ self.A.T + db @ self.B.T + dv @ self.C.T


def test_a_statement_that_lacks_what_its_twins_have():
    heads = Heads()
    finding = first(ag.check_backward(heads.forward, heads.backward, {"x": rng.normal(size=(2, 5, 6))}))
    assert finding.source == "dv = dv.reshape(n, t, c)"
    assert finding.fix is not None
    assert finding.fix.strip() == "dv = dv.swapaxes(1, 2).reshape(n, t, c)"


def test_names_that_go_with_another_variable():
    env = {"x_v": rng.normal(size=(4, 3)), "x_k": rng.normal(size=(4, 3)), "V": rng.normal(size=(4, 2)), "dV": rng.normal(size=(4, 2))}
    env["dK"] = env["dV"] + 1
    found = edited("grads['W_V'] = V.T @ dV", env, ["grads['W_K'] = x_k.T @ dK"])
    assert "grads['W_V'] = x_v.T @ dV" in found[:8]


def test_numbers_that_are_made_alike():
    found = edited("he = hs + ph + 1", {"hs": 1, "ws": 2, "ph": 3, "pw": 3}, ["we = ws + pw"])
    assert "he = hs + ph" in found[:2]


def test_nothing_is_made_alike_that_has_little_in_common():
    env = {"a": np.ones(3), "b": np.ones(3), "c": np.ones(3)}
    assert "db = np.sqrt(np.abs(b) + 1) / 3 - 4 * b**2" not in edited("db = a * c", env, ["da = np.sqrt(np.abs(a) + 1) / 3 - 4 * a**2"])


# --- functions


class Activation:
    """Holds a function and its derivative, and takes the one for the other."""

    def __init__(self, activation, activation_prime):
        self.activation, self.activation_prime = activation, activation_prime

    def forward(self, x):
        self.x = x
        return self.activation(x)

    def backward(self, grad):
        return grad * self.activation(self.x)


def test_a_function_that_an_object_keeps_beside_its_derivative():
    layer = Activation(lambda x: np.tanh(x), lambda x: 1 - np.tanh(x) ** 2)
    finding = first(ag.check_backward(layer.forward, layer.backward, {"x": rng.normal(size=(4, 3))}))
    assert finding.fix is not None
    assert finding.fix.strip() == "return grad * self.activation_prime(self.x)"


def logistic(x, deriv=False):
    """Both the function and its derivative, by a flag; the brackets of the latter are missing."""
    y = 1 / (1 + np.exp(-x))
    if deriv:
        y = logistic(x) * 1 - logistic(x)
    return y


class Flagged:
    def __init__(self):
        self.W = rng.normal(size=(3, 2))

    def forward(self, x):
        self.x, self.z = x, x @ self.W
        return logistic(self.z)

    def backward(self, dout):
        dz = dout * logistic(self.z, deriv=True)
        self.dW = self.x.T @ dz
        return dz @ self.W.T


def test_a_branch_of_a_helper_that_forward_does_not_take():
    layer = Flagged()
    finding = first(ag.check_backward(layer.forward, layer.backward, {"x": rng.normal(size=(4, 3))}))
    assert finding.source == "y = logistic(x) * 1 - logistic(x)"
    assert finding.fix is not None
    assert finding.fix.strip() == "y = logistic(x) * (1 - logistic(x))"


@pytest.mark.parametrize(("wrong", "right"), [("correlate2d", "convolve2d"), ("convolve2d", "correlate2d")])
def test_functions_of_scipy_that_are_taken_for_one_another(wrong, right):
    env = {"signal": signal, "g": rng.normal(size=(3, 3)), "k": rng.normal(size=(2, 2))}
    assert f"dx = signal.{right}(g, k, 'full')" in edited(f"dx = signal.{wrong}(g, k, 'full')", env)


# --- elements and windows


def test_a_number_that_is_put_where_an_array_belongs():
    env = {"dcol": np.zeros((4, 3)), "rows": np.arange(4), "at": np.array([0, 2, 1, 1]), "dflat": rng.normal(size=4)}
    assert "dcol[rows, at] += dflat" in edited("dcol[rows, at] += 1", env)


def test_a_margin_that_is_cut_off_on_one_side():
    env = {"padded": rng.normal(size=(6, 6, 2)), "pad": 1}
    assert "dx = padded[pad:-pad, pad:-pad, :]" in edited("dx = padded[:-2 * pad, :-2 * pad, :]", env)
    assert "dx = padded[pad:-pad, pad:-pad, :]" in edited("dx = padded[2 * pad:, 2 * pad:, :]", env)


def test_an_element_of_another_entry_at_the_same_step():
    holder = types.SimpleNamespace(kept={"z": rng.normal(size=(2, 4, 3)), "r": rng.normal(size=(2, 4, 3))})
    env = {"layer": holder, "s": 1, "dh": rng.normal(size=(2, 3))}
    assert "dz = dh * layer.kept['r'][:, s]" in edited("dz = dh * layer.kept['z'][:, s]", env)


class Modular:
    """Keeps the module that it computes with, which cannot be copied."""

    def __init__(self, xp):
        self.xp = xp

    def forward(self, x):
        self.shape = x.shape
        self.columns = x.reshape(-1, 4)
        self.where = self.xp.argmax(self.columns, axis=1)
        return self.xp.max(self.columns, axis=1)

    def backward(self, dout):
        dcolumns = self.xp.zeros_like(self.columns)
        dcolumns[self.xp.arange(self.where.size), self.where] += 1
        return dcolumns.reshape(self.shape)


def test_an_object_that_holds_a_module():
    pool = Modular(np)
    finding = first(ag.check_backward(pool.forward, pool.backward, {"x": rng.normal(size=(3, 8))}))
    assert finding.fix is not None
    assert finding.fix.strip() == "dcolumns[self.xp.arange(self.where.size), self.where] += dout"


# --- what is no evidence


def last_state(x, W):
    h = np.zeros((len(x), 3))
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] + h @ W)
    return h


def through_time(x, W, dh):
    """Has a gradient for each step under the name of the last state, zero but for the last."""
    states = [np.zeros((len(x), 3))]
    for t in range(x.shape[1]):
        states.append(np.tanh(x[:, t] + states[-1] @ W))
    dH = np.zeros((len(x), x.shape[1], 3))
    dH[:, -1] = dh
    dx, dW, carried = np.zeros_like(x), np.zeros_like(W), np.zeros((len(x), 3))
    for t in reversed(range(x.shape[1])):
        dz = (dH[:, t] + carried) * (1 - states[t + 1] ** 2)
        dx[:, t] = dz
        dW += states[t].T @ dz
        carried = dz @ W
    return dx, dW


def test_a_stack_of_gradients_is_not_blamed_for_the_name_of_one():
    inputs = {"x": rng.normal(size=(2, 4, 3)), "W": rng.normal(size=(3, 3))}
    finding = first(ag.check_backward(last_state, through_time, inputs))
    assert finding.source == "carried = dz @ W"


# --- what raises


def pool_forward(x, size):
    out = np.zeros((len(x), x.shape[1] // size, x.shape[2] // size))
    for i in range(out.shape[1]):
        for j in range(out.shape[2]):
            out[:, i, j] = x[:, i * size : (i + 1) * size, j * size : (j + 1) * size].mean(axis=(1, 2))
    return out


def pool_backward(dout, x, size):
    dx = np.zeros_like(x)
    for i in range(dout.shape[1]):
        for j in range(dout.shape[2]):
            r0, c0 = i * size, j * size
            r1 = r0 + size + 1
            c1 = c0 + size
            share = np.ones((len(x), size, size)) * dout[:, i, j][:, None, None] / size**2
            dx[:, r0:r1, c0:c1] += share
    return dx


def test_what_raises_is_not_where_another_line_is_unlike_its_twin():
    inputs = {"x": rng.normal(size=(2, 6, 6)), "size": 2}
    finding = first(ag.check_backward(pool_forward, pool_backward, inputs))
    assert finding.kind == "raises"
    assert finding.source == "r1 = r0 + size + 1"
