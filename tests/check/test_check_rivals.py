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

    inputs = {"xs": rng.normal(size=(10, 2, 4)), "h0": rng.normal(size=(2, 3)), "w": rng.normal(size=(4, 3)), "u": rng.normal(size=(3, 3))}
    report = ag.check_backward(forward, backward, inputs, wrt=["h0", "w", "u"], seconds=10)
    assert [f.fix.strip() for f in report.findings] == ["da = dh * (1 - new**2)"]


class Relu:
    """A layer that hides what is not positive; `made` and `handed` are two mistakes in its backward pass."""

    def forward(self, x):
        self.shape = x.shape
        self.mask = x <= 0
        return np.where(self.mask, 0, x).reshape(len(x), -1)

    def not_masked(self, dout):
        dx = dout.reshape(self.shape)
        return dx

    def not_reshaped(self, dout):
        dx = dout * ~self.mask.reshape(dout.shape)
        return dx

    def handed(self, dout):
        dx = dout.reshape(self.shape).copy()
        dx[self.mask] = 0
        return dout


@pytest.mark.parametrize(
    ("backward", "line", "fix"),
    [
        ("not_masked", "dx = dout.reshape(self.shape)", "self.mask"),
        ("not_reshaped", "dx = dout", ".reshape(self.shape)"),
        ("handed", "return dout", "return dx"),
    ],
)
def test_masks_shapes_and_what_was_made_in_place_are_known(backward, line, fix):
    layer = Relu()
    (finding,) = ag.check_backward(layer.forward, getattr(layer, backward), {"x": rng.normal(size=(4, 2, 3))}).findings
    assert finding.source.strip().startswith(line)
    assert fix in finding.fix


def best_of(x):
    return x != np.max(x)


def test_the_comparison_in_a_helper_comes_before_the_inverse_of_its_mask():
    def forward(X):
        out = np.zeros(len(X))
        for i in range(len(X)):
            out[i] = np.max(X[i])
        return out

    def backward(dout, X):
        dX = np.zeros_like(X)
        for i in range(len(X)):
            mask = best_of(X[i])
            dX[i] += mask * dout[i]
        return dX

    (finding,) = ag.check_backward(forward, backward, {"X": rng.normal(size=(3, 4))}).findings
    assert finding.fix.strip() == "return x == np.max(x)"


def test_the_element_that_was_taken_comes_before_the_one_that_is_set():
    def forward(X):
        out = np.zeros(len(X))
        for i in range(len(X)):
            out[i] = np.mean(X[i])
        return out

    def backward(dout, X):
        dX = np.zeros_like(X)
        for i in range(len(X)):
            d = dout[i - 1]
            dX[i] += d / X.shape[1]
        return dX

    (finding,) = ag.check_backward(forward, backward, {"X": rng.normal(size=(3, 4))}).findings
    assert finding.fix.strip() == "d = dout[i]"


class Tanh:
    """An activation as an object."""

    def __call__(self, z):
        return np.tanh(z)

    def gradient(self, z):
        return 1 - np.tanh(z) ** 2


class Dense:
    """A layer with such an activation, or one within another layer."""

    def __init__(self, inner=None):
        self.W, self.activation, self.inner = rng.normal(size=(3, 3)), Tanh(), inner

    def forward(self, x):
        self.x = x if self.inner is None else self.inner.forward(x)
        self.z = self.x @ self.W
        return self.activation(self.z)

    def backward(self, dout):
        dz = dout * self.activation.gradient(self.z)
        self.dW = self.x.T @ dz
        return dz @ self.W.T

    def not_derived(self, dout):
        dz = dout
        self.dW = self.x.T @ dz
        return dz @ self.W.T

    def around(self, dout):
        dx = self.backward(dout)
        dx = self.inner.backward(dx) * 2
        return dx


def test_the_derivative_that_an_object_has_may_be_missing():
    layer = Dense()
    (finding,) = ag.check_backward(layer.forward, layer.not_derived, {"x": AFFINE["x"]}).findings
    assert finding.kind == "missing-factor"
    assert finding.fix.strip() == "dz = dout * self.activation.gradient(self.z)"


def test_what_is_made_of_the_result_of_a_call_is_not_behind_what_the_call_left():
    layer = Dense(Dense())
    (finding,) = ag.check_backward(layer.forward, layer.around, {"x": AFFINE["x"]}).findings
    assert finding.fix.strip() == "dx = self.inner.backward(dx)"


def test_the_one_gradient_that_is_called_like_another_stands_in_its_place():
    def forward(hs, h):
        return hs * h, (hs, h)

    def backward(dout, cache):
        hs, h = cache
        dhs = dout * h
        dhs1 = dout * hs
        dh = dhs1.sum(axis=0)
        return dhs, dhs1

    (finding,) = ag.check_backward(forward, backward, {"hs": rng.normal(size=(4, 3)), "h": rng.normal(size=3)}).findings
    assert finding.fix.strip() == "return dhs, dh"


def test_a_statement_that_is_missing_is_written_after_the_one_for_another_variable():
    def step_back(da, grads, x, h, u):
        grads["db"] += da.sum(axis=0)
        grads["du"] += h.T @ da
        return da @ u.T

    def forward(xs, h0, w, u, b):
        h, hs = h0, []
        for x in xs:
            hs.append((x, h, h := np.tanh(x @ w + h @ u + b)))
        return h, (hs, w, u, b)

    def backward(dout, cache):
        hs, w, u, b = cache
        grads = {"dw": np.zeros_like(w), "du": np.zeros_like(u), "db": np.zeros_like(b)}
        dh = dout
        for x, before, after in reversed(hs):
            da = dh * (1 - after**2)
            dh = step_back(da, grads, x, before, u)
        return grads

    inputs = {"xs": rng.normal(size=(3, 2, 4)), "h0": rng.normal(size=(2, 3)), "w": rng.normal(size=(4, 3)), "u": rng.normal(size=(3, 3))}
    report = ag.check_backward(forward, backward, {**inputs, "b": rng.normal(size=3)}, wrt=["w", "u", "b"])
    (finding,) = report.findings
    assert finding.kind == "missing-term"
    assert finding.fix.split("\n")[-1].strip() in ('grads["dw"] += x.T @ da', "grads['dw'] += x.T @ da")


def test_what_others_added_to_a_dict_that_a_helper_was_handed_is_followed():
    def forward(a, p, w):
        ha, hp = a @ w, p @ w
        return np.maximum(ha, 0), np.maximum(hp, 0)

    def add(x, delta, grads):
        grads["w"] += x.T @ delta

    def backward(da, dp, a, p, w, ha, hp):
        grads = {"w": np.zeros_like(w)}
        first = da * (hp > 0)
        second = dp * (hp > 0)
        add(a, first, grads)
        add(p, second, grads)
        return grads

    inputs = {"a": rng.normal(size=(4, 3)), "p": rng.normal(size=(4, 3)), "w": rng.normal(size=(3, 2))}
    (finding,) = ag.check_backward(forward, backward, inputs).findings
    assert finding.fix.strip() == "first = da * (ha > 0)"


def test_a_name_that_is_not_defined_is_that_of_an_array_in_sight():
    def backward(dout, x, w):
        dx = doubt.dot(w.T)  # noqa: F821 (the mistake)
        return dx, x.T @ dout

    (finding,) = ag.check_backward(lambda x, w: x @ w, backward, {"x": AFFINE["x"], "w": AFFINE["w"]}).findings
    assert finding.kind == "raises"
    assert finding.fix.strip().startswith("dx = dout.dot(w.T)")


def test_a_number_where_the_upstream_gradient_was_to_be_scattered():
    def forward(x):
        return np.max(x, axis=1, keepdims=True)

    def backward(dout, x):
        dmax = np.zeros((dout.size, x.shape[1]))
        dmax[np.arange(dout.size), x.argmax(axis=1)] = 1
        dmax = dmax.reshape(x.shape)
        dx = dmax.reshape(x.shape)
        return dx

    (finding,) = ag.check_backward(forward, backward, {"x": AFFINE["x"]}).findings
    assert finding.fix.strip() == "dmax[np.arange(dout.size), x.argmax(axis=1)] = dout.flatten()"


def test_the_derivative_of_a_function_that_forward_calls_is_called_in_its_place():
    def cube(z):
        return z**3

    def cube_prime(z):
        return 3 * z**2

    def forward(x, w):
        z = x @ w
        return cube(z), (x, w, z)

    def backward(dout, cache):
        x, w, z = cache
        slope = cube(z)
        dz = dout * slope
        return dz @ w.T, x.T @ dz, cube_prime(0.0)

    (finding,) = ag.check_backward(forward, backward, {"x": AFFINE["x"], "w": AFFINE["w"]}, wrt=["x", "w"]).findings
    assert finding.fix.strip() == "slope = cube_prime(z)"


def test_a_count_has_no_sign():
    def backward(dout, cache):
        x, xhat, gamma, std, eps = cache
        n = 1.0 * len(x)
        dudx = 1 / n
        dzdu = 1 / std
        dxhat = dout * gamma
        dx = dxhat / std + np.sum(dxhat * dzdu, axis=0) * dudx - xhat * (dxhat * xhat).mean(axis=0) / std
        return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)

    (finding,) = ag.check_backward(normalise, backward, NORMALISE).findings
    assert finding.fix.strip() == "dzdu = -1 / std"


def test_the_index_of_the_label_where_that_of_the_class_belongs():
    def backward(cache):
        p, y = cache
        dx = np.zeros_like(p)
        for i in range(p.shape[0]):
            for j in range(p.shape[1]):
                dx[i, j] += p[i, y[i]]
            dx[i, y[i]] -= 1
        return dx

    (finding,) = ag.check_backward(softmax, backward, SOFTMAX).findings
    assert finding.fix.strip() == "dx[i, j] += p[i, j]"
