# ruff: noqa: F841, RUF059 (what is not used is the mistake)
"""Of several changes that cure, the one that names the mistake; and mistakes of which no rival is simpler than they are."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_np as ag

rng = np.random.default_rng(6)


def affine(x, w, b):
    return x @ w + b, (x, w, b)


def normalise(x, gamma, beta):
    mean, var = x.mean(axis=0), x.var(axis=0)
    xhat = (x - mean) / np.sqrt(var + 1e-5)
    return gamma * xhat + beta, (x, xhat, gamma, np.sqrt(var + 1e-5), 0.25)


def softmax(x, y):
    p = np.exp(x - x.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return -np.sum(np.log(p[np.arange(len(y)), y])), (p, y)


AFFINE = {"x": rng.normal(size=(4, 3)), "w": rng.normal(size=(3, 2)), "b": rng.normal(size=2)}
NORMALISE = {"x": rng.normal(size=(6, 4)), "gamma": rng.normal(size=4), "beta": rng.normal(size=4)}
SOFTMAX = {"x": rng.normal(size=(5, 3)), "y": rng.integers(0, 3, 5)}


def twice_beside_sizes(dout, cache):
    x, w, b = cache
    n, d = x.shape
    wide = (w + 0) * 2
    dx = dout @ wide.T
    return dx, x.T @ dout, dout.sum(axis=0)


def left_by_a_loop(dout, cache):
    x, w, b = cache
    dxs, dws = [], []
    for part in [x]:
        dx, dw = dout @ w.T, part.T @ dout
        dxs.append(dw)
        dws.append(dw)
    return dxs[0], dws[0], dout.sum(axis=0)


def number_for_array(dout, cache):
    x, xhat, gamma, std, eps = cache
    n = len(x)
    dxhat = dout * eps
    dx = (dxhat - dxhat.mean(axis=0) - xhat * (dxhat * xhat).sum(axis=0) / n) / std
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def array_for_number(dout, cache):
    x, xhat, gamma, std, eps = cache
    n = len(x)
    dxhat = dout * gamma
    dx = (dxhat - dxhat.mean(axis=0) - xhat * (dxhat * xhat).sum(axis=0) / dout) / std
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def another_shape(dout, cache):
    x, xhat, gamma, std, eps = cache
    dxhat = dout * gamma
    dx = (dxhat - dxhat.mean(axis=0) - xhat * (dxhat * xhat).mean(axis=0)) / xhat
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def into_another_array(cache):
    p, y = cache
    dx = p.copy()
    p[np.arange(len(y)), y] -= 1
    return dx


def overwritten(dout, cache):
    x, w, b = cache
    grads = [None, np.zeros_like(w), np.zeros_like(b)]
    dws, dbs = [np.zeros_like(w)], [np.zeros_like(b)]
    dws[0] = dout.sum(axis=0)
    dws[0] = x.T @ dout
    return dout @ w.T, dws[0], dbs[0]


@pytest.mark.parametrize(
    ("forward", "backward", "inputs", "line", "fix"),
    [
        (affine, twice_beside_sizes, AFFINE, "wide = (w + 0) * 2", "wide = w + 0"),
        (affine, left_by_a_loop, AFFINE, "dxs.append(dw)", "dxs.append(dx)"),
        (normalise, number_for_array, NORMALISE, "dxhat = dout * eps", "dxhat = dout * gamma"),
        (normalise, array_for_number, NORMALISE, "dx = (dxhat", "xhat * (dxhat * xhat).sum(axis=0) / n) / std"),
        (normalise, another_shape, NORMALISE, "dx = (dxhat", "xhat * (dxhat * xhat).mean(axis=0)) / std"),
        (softmax, into_another_array, SOFTMAX, "p[np.arange(len(y)), y] -= 1", "dx[np.arange(len(y)), y] -= 1"),
        (affine, overwritten, AFFINE, "dws[0] = dout.sum(axis=0)", "dbs[0] = dout.sum(axis=0)"),
    ],
    ids=lambda p: getattr(p, "__name__", ""),
)
def test_the_change_that_is_proposed_is_the_mistake(forward, backward, inputs, line, fix):
    (finding,) = ag.check_backward(forward, backward, inputs).findings
    assert finding.source.strip().startswith(line)
    assert fix in finding.fix


def tanh_derivative(z):
    return 1 - np.tanh(z) ** 2


def test_a_helper_that_gives_a_right_derivative_is_not_changed_to_its_inverse():
    def forward(x, w):
        z = x @ w
        a = np.tanh(z)
        return a, (x, w, z)

    def backward(dout, cache):
        x, w, z = cache
        dz = dout / tanh_derivative(z)
        return dz @ w.T, x.T @ dz

    (finding,) = ag.check_backward(forward, backward, {"x": AFFINE["x"], "w": AFFINE["w"]}).findings
    assert finding.fix.strip() == "dz = dout * tanh_derivative(z)"


class Masked:
    """A layer whose mask is boolean."""

    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, dout):
        return self.mask


def test_a_factor_may_be_missing_beside_a_mask():
    layer = Masked()
    (finding,) = ag.check_backward(layer.forward, layer.backward, {"x": AFFINE["x"]}).findings
    assert finding.kind == "missing-factor"
    assert "dout" in finding.fix


class Moving:
    """An optimiser that keeps an average, and so raises where a gradient has another shape."""

    average, momentum = None, 0.0

    def update(self, w, g):
        self.average = np.zeros_like(w) if self.average is None else self.average
        self.average = self.momentum * self.average + (1 - self.momentum) * g
        return w - 0.1 * self.average


class Scale:
    """A layer that updates itself."""

    def __init__(self):
        self.gamma = rng.normal(size=3)
        self.opt = Moving()

    def forward(self, x):
        self.x = x
        return x * self.gamma

    def backward(self, dout):
        gamma = self.gamma
        dgamma = np.sum(dout * self.x, axis=1)
        self.gamma = self.opt.update(self.gamma, dgamma)
        return dout * gamma


def test_where_an_optimiser_raises_what_it_was_given_is_mended():
    layer = Scale()
    (finding,) = ag.check_backward(layer.forward, layer.backward, {"x": rng.normal(size=(5, 3))}).findings
    assert finding.kind == "raises"
    assert finding.fix.strip() == "dgamma = np.sum(dout * self.x, axis=0)"


def test_a_cache_of_many_arrays_hides_no_statement():
    def cell(x, h, w, u):
        return np.tanh(x @ w + h @ u)

    def forward(xs, h0, w, u):
        h, steps = h0, []
        for x in xs:
            new = cell(x, h, w, u)
            steps.append((x, h, new, x * 2, h * 2, x + 1, h + 1, w, u))
            h = new
        return h, (steps, w, u)

    def cell_back(dh, step):
        x, h, new, *_, w, u = step
        da = dh * (1 - h**2)
        return da @ u.T, x.T @ da, h.T @ da

    def backward(dout, cache):
        steps, w, u = cache
        dw, du, dh = np.zeros_like(w), np.zeros_like(u), dout
        for step in reversed(steps):
            dh, dwt, dut = cell_back(dh, step)
            dw += dwt
            du += dut
        return {"h0": dh, "w": dw, "u": du}

    inputs = {"xs": rng.normal(size=(12, 2, 4)), "h0": rng.normal(size=(2, 3)), "w": rng.normal(size=(4, 3)), "u": rng.normal(size=(3, 3))}
    report = ag.check_backward(forward, backward, inputs, wrt=["h0", "w", "u"], seconds=10)
    assert [f.fix.strip() for f in report.findings] == ["da = dh * (1 - new**2)"]
