"""Code that names NumPy, parameters and results in its own way: `self.xp`, ``dWxh`` for ``W_xh``, ``d_output`` for the input's."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_np as ag

rng = np.random.default_rng(11)

# --- NumPy under another name


class Shifted:
    """A layer that makes its arrays with whatever it was told is NumPy."""

    numpy = np

    def __init__(self, xp=np):
        self.xp = xp
        self.w = rng.normal(size=(3, 2))

    def spread(self, x, *, xp=np):
        wide = xp.zeros((x.shape[0], 3))
        wide[:, :2] = x
        wide[:, 2:] = self.numpy.ones((x.shape[0], 1))
        return wide

    def forward(self, x):
        self.x = self.spread(x)
        out = self.xp.zeros((x.shape[0], 2))
        for i in range(2):
            out[:, i] = self.x @ self.w[:, i]
        return out

    def backward(self, dout):
        self.dw = self.x.T @ dout
        return dout @ self.w[:2].T


@pytest.mark.parametrize("layer", [Shifted, lambda: Shifted(xp=np)])
def test_numpy_may_be_an_attribute_a_default_or_of_the_class(layer):
    layer = layer()
    report = ag.check_backward(layer.forward, layer.backward, {"x": rng.normal(size=(4, 2))})
    assert report.ok
    assert set(report.gradients) == {"x", "w"}
    assert layer.xp is np
    assert Shifted.numpy is np
    assert Shifted.spread.__kwdefaults__ == {"xp": np}
    assert Shifted.__init__.__defaults__ == (np,)


def filled(x, w, xp=np):
    h = xp.empty((x.shape[0], w.shape[1]))
    h[...] = x @ w
    return xp.sum(h**2)


def filled_backward(x, w, xp=np):
    return {"x": 2 * x @ w @ w.T, "w": 2 * x.T @ x @ w}


def test_numpy_may_be_an_argument():
    given = {"x": rng.normal(size=(4, 2)), "w": rng.normal(size=(2, 3)), "xp": np}
    assert ag.check_backward(filled, filled_backward, given).ok


# --- parameters under another spelling, in the module

W_xh, W_hh, W_hy = (rng.normal(size=(3, 3)) / 2 for _ in range(3))
b_h = rng.normal(size=(3, 1))


def unrolled(xs, h0):
    hs = {-1: h0}
    loss = 0.0
    for t in range(len(xs)):
        hs[t] = np.tanh(W_xh @ xs[t] + W_hh @ hs[t - 1] + b_h)
        loss += np.sum((W_hy @ hs[t]) ** 2)
    return loss, hs


def unrolled_backward(xs, hs):
    dWxh, dWhh, dWhy, dbh = np.zeros_like(W_xh), np.zeros_like(W_hh), np.zeros_like(W_hy), np.zeros_like(b_h)
    dhnext = np.zeros_like(b_h)
    for t in reversed(range(len(xs))):
        dy = 2 * W_hy @ hs[t]
        dWhy += dy @ hs[t].T
        dh = W_hy.T @ dy + dhnext
        draw = (1 - hs[t] ** 2) * dh
        dWxh += draw @ xs[t].T
        dWhh += draw @ hs[t - 1].T
        dbh += draw
        dhnext = W_hh.T @ draw
    return dWxh, dWhh, dWhy, dbh


STEPS = {"xs": [rng.normal(size=(3, 1)) for _ in range(3)], "h0": rng.normal(size=(3, 1))}


def test_an_underscore_makes_no_other_variable():
    report = ag.check_backward(unrolled, unrolled_backward, STEPS)
    assert report.ok
    assert list(report.gradients) == ["W_xh", "W_hh", "W_hy", "b_h"]


def test_what_a_loop_shows_at_any_step_is_not_called_hidden():
    """`dhnext` is zero at the first step only, and the parameters of other points stand in the module, not in a scope."""
    report = ag.check_backward(unrolled, unrolled_backward, STEPS)
    assert "cannot tell" not in str(report)


# --- results whose names say something else


class Halved:
    def forward(self, x):
        self.output = x[:, ::2] ** 2
        self.x = x
        return self.output

    def backward(self, d_next):
        d_output = np.zeros_like(self.x)
        d_output[:, ::2] = 2 * self.x[:, ::2] * d_next
        return d_output


class HalvedWrongly(Halved):
    def backward(self, d_next):
        d_output = np.zeros_like(self.x)
        d_output[:, ::2] = self.x[:, ::2] * d_next
        return d_output


def test_what_has_the_shape_of_the_argument_is_its_gradient_whatever_it_is_called():
    layer = Halved()
    report = ag.check_backward(layer.forward, layer.backward, {"x": rng.normal(size=(3, 6))})
    assert report.ok
    assert list(report.gradients) == ["x"]
    layer = HalvedWrongly()
    report = ag.check_backward(layer.forward, layer.backward, {"x": rng.normal(size=(3, 6))})
    (finding,) = report.findings
    assert finding.kind == "scale"
    assert "d_output[:, ::2] = " in finding.fix


class Column:
    """A cell that works on columns, and leaves their gradients behind."""

    def __init__(self):
        self.w = rng.normal(size=(3, 4))

    def forward(self, x):
        x = np.reshape(x, (4, 1))
        self.x = x
        self.z = self.w @ self.x
        return np.ravel(np.tanh(self.z))

    def backward(self, delta):
        self.dz = (1 - np.tanh(self.z) ** 2) * delta.reshape(3, 1)
        self.dw = self.dz @ self.x.T
        self.dx = self.w.T @ self.dz
        return self.dx.ravel()


class Outer:
    def __init__(self):
        self.cell = Column()

    def forward(self, x):
        return self.cell.forward(x)

    def backward(self, delta):
        return self.cell.backward(delta).ravel()


@pytest.mark.parametrize("kind", [Column, Outer])
def test_an_attribute_of_the_shape_of_a_reshaped_input_is_the_gradient_of_that_one(kind):
    layer = kind()
    report = ag.check_backward(layer.forward, layer.backward, {"x": rng.normal(size=4)})
    assert report.ok
    assert {name: g.shape for name, g in report.gradients.items()} == {"x": (4,), "w": (3, 4)}
