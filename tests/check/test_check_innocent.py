"""Lines that only look wrong are not named, and those behind them are: shares of gradients, wholes, and what a helper does for backward."""

from __future__ import annotations

import ast
import textwrap

import numpy as np
import pytest
from test_check_loops import assert_found, programs

import autograd_np as ag
from autograd_np.check.watch.source import Functions

RNG = np.random.default_rng(31)


# --- a function that forward calls, and that gives its derivative if it is asked to

FLAGGED = """
def bend(z, slope=False):
    if slope:
        return np.exp(-z) / (np.exp(-z) + 1) ** 2
    return 1 / (1 + np.exp(-z))


def forward(X, Y, U, V):
    A = X @ U
    H = bend(A)
    P = H @ V
    return 0.5 * np.sum((P - Y) ** 2) / len(X), A, H, P


def backward(X, Y, V, A, H, P):
    dP = (P - Y) / len(X)
    dV = H.T @ dP
    dH = dP @ V.T
    dA = dH * bend(A, slope=True)
    dU = X.T @ dA
    return dU, dV
"""
TWO_LAYERS = {"X": RNG.normal(size=(6, 4)), "Y": RNG.normal(size=(6, 2)), "U": RNG.normal(size=(4, 5)), "V": RNG.normal(size=(5, 2))}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("(np.exp(-z) + 1) ** 2", "(np.exp(-z) + 1) ** 3"),
        ("return np.exp(-z) / (np", "return 2 * np.exp(-z) / (np"),
    ],
)
def test_what_a_function_of_forwards_does_for_backward_alone_may_be_wrong(right, wrong):
    assert_found(FLAGGED, TWO_LAYERS, right, wrong)


def test_what_forward_runs_as_well_is_right_by_definition():
    scope = programs(FLAGGED.replace("return 1 / (1 + np.exp(-z))", "return 1 / (1 + np.exp(-2 * z))"))
    report = ag.check_backward(scope["forward"], scope["backward"], TWO_LAYERS)
    assert not report.ok
    assert all("1 / (1" not in f.source for f in report.findings)


# --- one flat vector of gradients, which a change may make longer or shorter

FLAT = FLAGGED.replace("    return dU, dV", "    return np.concatenate((dU.ravel(), dV.ravel()))")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("concatenate((dU.ravel()", "concatenate((dU.T.ravel()"),
        ("dP = (P - Y) / len(X)", "dP = (P - Y) * len(X)"),
    ],
)
def test_a_flat_gradient_is_explained(right, wrong):
    assert_found(FLAT, TWO_LAYERS, right, wrong)


# --- layers that are handed a multiple of the gradient, since each takes the mean of its own

CHAIN = """
class Affine:
    def __init__(self, kernel):
        self.kernel = kernel

    def run(self, x):
        self.x = x
        return x @ self.kernel

    def back(self, g):
        rows = g.shape[0]
        self.dkernel = self.x.T @ g / rows
        return g @ self.kernel.T


class Chain:
    def __init__(self, first, second):
        self.first, self.second = Affine(first), Affine(second)

    def forward(self, x, y):
        self.p = self.second.run(np.tanh(self.first.run(x)))
        return np.sum((self.p - y) ** 2) / len(x)

    def backward(self, y):
        g = self.second.back(2 * (self.p - y))
        self.first.back(g * (1 - self.second.x**2))
"""


def test_a_helper_that_divides_a_multiple_again_is_named():
    scope = programs(CHAIN.replace("return g @ self.kernel.T", "return g @ self.kernel.T / rows"))
    net = scope["Chain"](RNG.normal(size=(4, 5)), RNG.normal(size=(5, 3)))
    report = ag.check_backward(net.forward, net.backward, {"x": RNG.normal(size=(6, 4)), "y": RNG.normal(size=(6, 3))})
    (found,) = report.findings
    assert (found.kind, found.fix) == ("scale", "        return g @ self.kernel.T")


# --- a helper's array that is called after a part of what it is the gradient of

LAST = """
class Layer:
    def __init__(self, U, V):
        self.U, self.V = U, V
        self.kept = {}


def forward(x):
    rows, steps, _ = x.shape
    layer.kept["a"] = np.zeros((rows, steps, layer.V.shape[0]))
    layer.kept["s"] = np.zeros((rows, steps, layer.V.shape[0]))
    s = np.zeros((rows, layer.V.shape[0]))
    for t in range(steps):
        a = layer.kept["a"][:, t] = x[:, t] @ layer.U + s @ layer.V
        s = layer.kept["s"][:, t] = np.tanh(a)
    out = layer.kept["s"][:, -1]
    return out


def spread_over_steps(d):
    dout = np.zeros(layer.kept["s"].shape)
    dout[:, -1] = d
    return dout, np.zeros(d.shape)


def backward(d, x):
    whole, carried = spread_over_steps(d)
    dx, dU, dV = np.zeros(x.shape), np.zeros(layer.U.shape), np.zeros(layer.V.shape)
    for t in reversed(range(x.shape[1])):
        onto = (whole[:, t] + carried) * (1 - np.tanh(layer.kept["a"][:, t]) ** 2)
        before = layer.kept["s"][:, t - 1] if t else np.zeros(onto.shape)
        dU += x[:, t].T @ onto
        dV += before.T @ onto
        dx[:, t] = onto @ layer.U.T
        carried = onto @ layer.V.T
    return dx, dU, dV
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('np.tanh(layer.kept["a"][:, t])', 'np.tanh(layer.kept["s"][:, t])'),
        ("whole[:, t] + carried", "whole[:, t]"),
        ("carried = onto @ layer.V.T", "carried = onto @ layer.V"),
    ],
)
def test_the_gradient_of_a_whole_is_no_wrong_gradient_of_its_part(right, wrong):
    text = LAST.replace(right, wrong)
    scope = programs(text)
    scope["layer"] = scope["Layer"](RNG.normal(size=(3, 4)), RNG.normal(size=(4, 4)))
    report = ag.check_backward(scope["forward"], scope["backward"], {"x": RNG.normal(size=(5, 4, 3))}, seconds=6)
    assert not report.ok
    (found,) = report.findings
    assert found.source.strip() == next(line.strip() for line in text.splitlines() if wrong in line)
    assert found.fix is not None


# --- what each turn of a loop gives in a dict of its own is a share of a gradient

SHARES = """
def forward(xs, s0, W, U):
    states = [s0]
    for x in xs:
        states.append(np.tanh(x @ W + states[-1] @ U))
    return np.stack(states[1:]), states


def turn_backward(d, x, before, after, W, U):
    dz = d * (1 - after**2)
    return {"dx": dz @ W.T, "dbefore": dz @ U.T, "dW": x.T @ dz, "dU": before.T @ dz}


def backward(d, xs, states, W, U):
    dxs, dW, dU = np.zeros_like(xs), np.zeros_like(W), np.zeros_like(U)
    carried = np.zeros_like(states[0])
    for t in reversed(range(len(xs))):
        grads = turn_backward(d[t] + carried, xs[t], states[t], states[t + 1], W, U)
        dxs[t] = grads["dx"]
        carried = grads["dbefore"]
        dW += grads["dW"]
        dU += grads["dU"]
    grads = {"xs": dxs, "s0": carried, "dW": dW, "dU": dU}
    return grads
"""
TURNS = {
    "xs": RNG.normal(size=(4, 3, 2)),
    "s0": RNG.normal(size=(3, 5)),
    "W": RNG.normal(size=(2, 5)),
    "U": RNG.normal(size=(5, 5)) / 2,
}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('dU += grads["dU"]', 'dU = grads["dU"]'),
        ('carried = grads["dbefore"]', 'carried += grads["dbefore"]'),
        ('"dbefore": dz @ U.T', '"dbefore": dz @ U'),
    ],
)
def test_the_share_of_a_turn_is_no_wrong_gradient(right, wrong):
    assert_found(SHARES, TURNS, right, wrong)


def test_what_is_carried_and_read_by_no_turn_is_missing():
    scope = programs(SHARES.replace("d[t] + carried", "d[t]"))
    (found,) = ag.check_backward(scope["forward"], scope["backward"], TURNS, seconds=6).findings
    assert found.kind == "missing-term"
    assert "+ carried" in found.fix


def test_what_loops_carry_in_vain():
    text = textwrap.dedent("""
        def f(xs):
            kept, seen, last, total = 0, 0, 0, 0
            kept = seen = 1
            last = 2
            for x in xs:
                last = x
                seen = x
                total += seen
            return last, kept, total
    """)
    scope = programs(text)
    function = Functions(scope["f"]).of(scope["f"].__code__)
    sets_seen, adds = (next(s for s in function.statements if ast.unparse(s) == written) for written in ("seen = x", "total += seen"))
    assert function.carried_in_vain(adds) == function.carried_in_vain(sets_seen) == {"last"}
    assert function.carried_in_vain(next(s for s in function.statements if ast.unparse(s) == "last = x")) == set()
    assert function.carried_in_vain(function.statements[0]) == set()
