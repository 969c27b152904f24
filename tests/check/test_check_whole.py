"""Mistakes that one change, or two together, explain: what forward, and what is left unread, suggest."""

from __future__ import annotations

import linecache
import textwrap
import types

import numpy as np
import pytest

import autograd_np as ag

NETWORK = """
    def forward(X, Y, Ws, bs):
        acts = [X]
        for W, b in zip(Ws, bs):
            acts.append(np.tanh(acts[-1] @ W + b))
        return 0.5 * np.sum((acts[-1] - Y) ** 2) / len(X), acts

    def backward(Y, Ws, acts):
        dWs, dbs = [None] * len(Ws), [None] * len(Ws)
        delta = (acts[-1] - Y) / len(Y)
        for i in reversed(range(len(Ws))):
            delta = delta * (1 - acts[i + 1] ** 2)
            dWs[i] = acts[i].T @ delta
            dbs[i] = delta.sum(axis=0)
            delta = delta @ Ws[i].T
        return dWs, dbs
"""

DROPOUT = """
    def forward(X, W, V, mask, keep=0.7):
        A = np.tanh(X @ W)
        A = np.multiply(A, mask) / keep
        return np.sum(np.sin(A @ V)), A

    def backward(X, W, V, mask, A, keep=0.7):
        H = np.tanh(X @ W)
        dZ = np.cos(A @ V)
        dV = A.T @ dZ
        dA = dZ @ V.T
        dA = np.multiply(dA, mask) / keep
        dH = dA * (1 - H**2)
        dW = X.T @ dH
        return dW, dV
"""

HIGHWAY = """
    def forward(x, W, t):
        h = np.tanh(x @ W)
        out = t * h + (1 - t) * x
        return np.sum(out**2), h, out

    def backward(x, W, t, h, out):
        dout = 2 * out
        dh = dout * t
        da = dh * (1 - h**2)
        dW = x.T @ da
        dx = da @ W.T + dout * (1 - t)
        return dx, dW
"""

RNN = """
    def forward(xs, W, U):
        h = np.zeros(U.shape[0])
        hs = [h]
        for x in xs:
            h = np.tanh(x @ W + h @ U)
            hs.append(h)
        return np.sum(np.array(hs) ** 2), hs

    def step(dh, x, h, h_old, W, U, grads):
        da = dh * (1 - h**2)
        grads["W"] += np.outer(x, da)
        grads["U"] += np.outer(h_old, da)
        return da @ U.T

    def backward(xs, W, U, hs):
        grads = {"W": np.zeros_like(W), "U": np.zeros_like(U)}
        dh_next = np.zeros(U.shape[0])
        for t in reversed(range(len(xs))):
            dh_next = step(2 * hs[t + 1] + dh_next, xs[t], hs[t + 1], hs[t], W, U, grads)
        return grads
"""

ROBUST = """
    def forward(beta, X, y, lam=0.3):
        small = np.abs(beta) < 0.5
        penalty = np.where(small, beta**2, np.abs(beta) - 0.25)
        return np.sum((X @ beta - y) ** 2) + lam * np.sum(penalty)

    def backward(beta, X, y, lam=0.3):
        dbeta = 2 * X.T @ (X @ beta - y)
        small = np.abs(beta) < 0.5
        slope = np.where(small, 2 * beta, np.sign(beta))
        dbeta += lam * slope
        return dbeta
"""

HUBER = """
    def forward(x, w, y):
        r = x @ w - y
        return np.where(np.abs(r) < 1, 0.5 * r**2, np.abs(r) - 0.5).sum() / len(y), r

    def huber_slope(r):
        slope = r.copy()
        np.clip(slope, -1, 1, out=slope)
        return slope

    def backward(x, w, r):
        dr = huber_slope(r) / len(r)
        return x.T @ dr, dr @ w.T
"""

TEMPERATURE = """
    def forward(a, log_temp):
        temp = np.exp(log_temp)
        logits = a * temp
        return np.sum(np.sin(logits)), temp, logits

    def backward(a, temp, logits):
        dlogits = np.cos(logits)
        dtemp = np.sum(dlogits * a)
        return {"a": dlogits * temp, "log_temp": dtemp * temp}
"""


LOGISTIC = """
    def forward(X, Y, W):
        Z = X @ W
        A = 1 / (1 + np.exp(-Z))
        return -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)), A

    def step(dA, A):
        return dA * A * (1 - A)

    def backward(X, Y, A):
        dA = -(np.divide(Y, A) - np.divide(1 - Y, 1 - A))
        dZ = step(dA, A)
        return {"W": X.T @ dZ}
"""


def logistic():
    X, W = normal((6, 3), (3, 2))
    return {"X": X, "Y": (X[:, :2] > 0) + 0.0, "W": W}


HIDDEN = """
    def forward(X, Y, W, b, V):
        H = np.maximum(X @ W + b, 0)
        R = H @ V - Y
        return 0.5 * np.sum(R**2), H, R

    def backward(X, V, H, R):
        dH = R @ V.T
        dH[H <= 0] = 0
        return {"W": X.T @ dH, "b": dH.sum(axis=0), "V": H.T @ R}
"""


def hidden():
    X, Y, W, b, V = normal((6, 3), (6, 2), (3, 4), 4, (4, 2))
    return {"X": X, "Y": Y, "W": W, "b": b, "V": V}


def checked(text, *changes, inputs):
    """Return the report on some code, with mistakes in its text."""
    text = textwrap.dedent(text)
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = f"/user/whole_{abs(hash(text))}.py"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space = {"np": np, "__name__": "whole"}
    exec(compile(text, file, "exec"), space)
    code = types.SimpleNamespace(**space)
    return ag.check_backward(code.forward, code.backward, inputs(), seconds=20)


def normal(*shapes):
    rng = np.random.default_rng(3)
    return [rng.normal(size=shape) for shape in shapes]


def network():
    X, Y, W0, W1, b0, b1 = normal((6, 3), (6, 2), (3, 4), (4, 2), 4, 2)
    return {"X": X, "Y": Y, "Ws": [W0, W1], "bs": [b0, b1]}


def dropout():
    X, W, V = normal((5, 3), (3, 4), (4, 2))
    return {"X": X, "W": W, "V": V, "mask": (np.arange(20).reshape(5, 4) % 3 > 0).astype(float)}


def highway():
    x, W = normal((5, 3), (3, 3))
    return {"x": x, "W": W, "t": np.random.default_rng(0).uniform(size=(5, 3))}


def rnn():
    xs, W, U = normal((4, 3), (3, 2), (2, 2))
    return {"xs": xs, "W": W, "U": U}


def robust():
    X, y = normal((6, 4), 6)
    return {"beta": np.array([0.3, -0.9, 0.2, 1.1]), "X": X, "y": y}


def huber():
    x, w, y = normal((6, 3), (3, 2), (6, 2))
    return {"x": x, "w": w, "y": 2 * y}


def temperature():
    return {"a": normal((3, 4))[0], "log_temp": 0.7}


RIGHT = [
    (NETWORK, network), (DROPOUT, dropout), (HIGHWAY, highway), (RNN, rnn), (ROBUST, robust), (HUBER, huber), (TEMPERATURE, temperature),
    (LOGISTIC, logistic), (HIDDEN, hidden),
]  # fmt: skip


@pytest.mark.parametrize(("text", "inputs"), RIGHT)
def test_right_code_is_right(text, inputs):
    assert checked(text, inputs=inputs).ok


FLAT = """
    def forward(theta, X, Y, lam=0.4):
        W, V = theta[:6].reshape(3, 2), theta[6:].reshape(2, 2)
        H = np.tanh(X @ W)
        R = H @ V - Y
        return 0.5 * np.sum(R**2) / len(X) + 0.5 * lam * (np.sum(W**2) + np.sum(V**2)), H, R

    def backward(theta, X, H, R, lam=0.4):
        W, V = theta[:6].reshape(3, 2), theta[6:].reshape(2, 2)
        dR = R / len(X)
        dW = X.T @ ((dR @ V.T) * (1 - H**2))
        dV = H.T @ dR
        dW += lam * W
        dV += lam * V
        return np.concatenate([dW.ravel(), dV.ravel()])
"""


def flat():
    theta, X, Y = normal(10, (5, 3), (5, 2))
    return {"theta": theta, "X": X, "Y": Y}


ONE = [
    (DROPOUT, dropout, "    dA = np.multiply(dA, mask) / keep\n", "", "missing-factor", "mask / keep"),
    (HIGHWAY, highway, " + dout * (1 - t)", "", "missing-term", "dout * (1 - t)"),
    (RNN, rnn, "2 * hs[t + 1] + dh_next", "2 * hs[t + 1]", "missing-term", "2 * hs[t + 1] + dh_next"),
    (ROBUST, robust, "    small = np.abs(beta) < 0.5\n    slope", "    small = beta < 0.5\n    slope", "wrong-point", "np.abs(beta) < 0.5"),
    (HUBER, huber, "    dr = huber_slope(r) / len(r)", "    dr = huber_slope(r)", "scale", "huber_slope(r) / "),
    (TEMPERATURE, temperature, "dtemp * temp}", "dtemp}", "missing-factor", "temp * dtemp}"),
    # not `dA = -(np.divide(A, A) - …)`, which cures too, but makes wrong what is the gradient of A
    (LOGISTIC, logistic, "dA * A * (1 - A)", "dA * (1 - A)", "missing-factor", "return dA * (A * (1 - A))"),
    (LOGISTIC, logistic, "dA * A * (1 - A)", "-dA * A * (1 - A)", "sign", "return dA * A * (1 - A)"),
    (HIDDEN, hidden, "    dH[H <= 0] = 0\n", "", "missing-factor", "dH[H <= 0] = 0"),
]


@pytest.mark.parametrize(("text", "inputs", "old", "new", "kind", "fix"), ONE)
def test_what_forward_or_an_unread_variable_suggests(text, inputs, old, new, kind, fix):
    report = checked(text, (old, new), inputs=inputs)
    (finding,) = report.findings
    assert (finding.kind, fix in finding.fix) == (kind, True), str(report)


TWO = [
    (NETWORK, network, ("= (acts[-1] - Y)", "= (Y - acts[-1])"), ("delta.sum(axis=0)", "delta.mean(axis=0)")),
    (NETWORK, network, ("= (acts[-1] - Y) / len(Y)", "= (acts[-1] - Y)"), ("acts[i].T @ delta", "-acts[i].T @ delta")),
    (FLAT, flat, ("dR = R / len(X)", "dR = -R / len(X)"), ("dW += lam * W", "dW += 2 * lam * W")),
    (RNN, rnn, ("2 * hs[t + 1] + dh_next", "hs[t + 1] + dh_next"), ("np.outer(h_old, da)", "np.outer(h, da)")),
]


@pytest.mark.parametrize(("text", "inputs", "first", "second"), TWO)
def test_two_mistakes_of_which_one_is_behind_the_other(text, inputs, first, second):
    report = checked(text, first, second, inputs=inputs)
    assert len(report.findings) == 2, str(report)
    lines = textwrap.dedent(text).splitlines()
    wanted = {next(i for i, line in enumerate(lines, 1) if old in line) for old, _ in (first, second)}
    assert {f.line for f in report.findings} == wanted, str(report)
    assert all(f.kind != "unknown" and f.fix for f in report.findings), str(report)


RETURNED = """
    def forward(X, logits, mu):
        d = X[:, None] - mu
        return np.sum(np.exp(logits) * np.sum(d**2, axis=(0, 2))), d

    def backward(X, logits, mu, d):
        e = np.exp(logits)
        dlogits = e * np.sum(d**2, axis=(0, 2))
        dX = np.einsum("k,nkj->nj", 2 * e, d)
        dmu = -np.einsum("k,nkj->kj", 2 * e, d)
        return {"dX": dX, "dlogits": dlogits, "dmu": dmu}
"""


def points():
    X, logits, mu = normal((5, 2), 3, (3, 2))
    return {"X": X, "logits": logits, "mu": mu}


@pytest.mark.parametrize(
    ("old", "new", "fix"),
    [
        ('{"dX": dX, "dlogits"', '{"dlogits"', '"dX": dX'),
        ('{"dX": dX, "dlogits": dlogits, "dmu": dmu}', "dX, dlogits", "dX, dlogits, dmu"),
        ('{"dX": dX, "dlogits": dlogits, "dmu": dmu}', "dlogits, dmu", "dlogits, dmu, dX"),
    ],
)
def test_what_is_computed_and_not_returned_is_put_beside_the_others(old, new, fix):
    report = checked(RETURNED, (old, new), inputs=points)
    (finding,) = report.findings
    assert (finding.kind, fix in finding.fix) == ("not-returned", True), str(report)
