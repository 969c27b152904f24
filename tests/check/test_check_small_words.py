"""Small mistakes in real code: counters, margins and ends of windows, results of helpers, dicts of objects, terms that have siblings."""

from __future__ import annotations

import ast

import numpy as np
import pytest
from test_check_loops import assert_found, programs

import autograd_np as ag
from autograd_np.check.explain.edits.catalogue import edits_of
from autograd_np.check.watch.source import Functions

RNG = np.random.default_rng(47)


def texts(line, env, kind=None):
    """Return what the edits of a line make of it."""
    (statement,) = ast.parse(line).body
    arrays = {k: v for k, v in env.items() if isinstance(v, np.ndarray)}
    edits = edits_of(statement, "out", {"np": np, **env}, arrays, {})
    return [ast.unparse(e.body[0]) for e in edits if kind in (None, e.kind) and e.body]


# --- windows that a loop moves

WINDOWS = """
class Largest:
    def __init__(self, size):
        self.size = size

    def forward(self, x):
        n, rows, columns = x.shape
        self.chosen = np.zeros(x.shape)
        out = np.zeros((n, rows // self.size, columns // self.size))
        for r in range(out.shape[1]):
            for c in range(out.shape[2]):
                top, left = r * self.size, c * self.size
                part = x[:, top : top + self.size, left : left + self.size]
                out[:, r, c] = part.max(axis=(1, 2))
                self.chosen[:, top : top + self.size, left : left + self.size] = part == out[:, r, c][:, None, None]
        return out

    def backward(self, d):
        dx = np.zeros(self.chosen.shape)
        for r in range(d.shape[1]):
            for c in range(d.shape[2]):
                top = r * self.size
                bottom = top + self.size
                left = c * self.size
                right = left + self.size
                dx[:, top:bottom, left:right] = d[:, r : r + 1, c : c + 1] * self.chosen[:, top:bottom, left:right]
        return dx
"""


def in_layer(text, *arguments):
    """Return the findings of a layer."""
    layer = programs(text)["Largest"](*arguments)
    report = ag.check_backward(layer.forward, layer.backward, {"x": RNG.normal(size=(3, 4, 6))}, seconds=6)
    assert not report.ok
    return report.findings


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("left = c * self.size\n", "left = r * self.size\n"),
        ("top = r * self.size\n", "top = c * self.size\n"),
        ("bottom = top + self.size\n", "bottom = top + self.size - 1\n"),
        ("right = left + self.size\n", "right = left + self.size - 1\n"),
    ],
)
def test_a_window_starts_and_ends_elsewhere(right, wrong):
    (found,) = in_layer(WINDOWS.replace(right, wrong), 2)
    assert (found.source.strip(), (found.fix or "").strip()) == (wrong.strip(), right.strip())


def test_margins_on_both_sides_of_all_axes():
    x = np.ones((6, 7))
    wanted = "out = x[p:-p, q:-q]"
    assert wanted in texts("out = x[2 * p:, 2 * q:]", {"x": x, "p": 1, "q": 2})
    assert wanted in texts("out = x[p:, q:]", {"x": x, "p": 1, "q": 2})


# --- what a helper returns

RULES = """
class Steps:
    def forward(self, u, v, w):
        self.u, self.v, self.w = u, v, w
        self.p = u * v
        self.q = self.p - w
        self.r = self.p + u
        return np.tanh(self.q) * self.r

    def back(self, d, what, a, b):
        if what == "*":
            return d * b, d * a
        elif what == "+":
            return d, d
        elif what == "-":
            return d, -d

    def backward(self, d):
        t = np.tanh(self.q)
        dt, dr = self.back(d, "*", t, self.r)
        dq = dt * (1 - t**2)
        more, dw = self.back(dq, "-", self.p, self.w)
        dp, du = self.back(dr, "+", self.p, self.u)
        dp = dp + more
        again, dv = self.back(dp, "*", self.u, self.v)
        du = du + again
        return du, dv, dw
"""


@pytest.mark.parametrize(("right", "wrong"), [("return d * b, d * a", "return d * a, d * b"), ("return d, -d\n", "return d, d\n")])
def test_results_of_a_helper_are_exchanged_or_of_the_wrong_sign(right, wrong):
    steps = programs(RULES.replace(right, wrong))["Steps"]()
    inputs = {n: RNG.normal(size=(3, 2)) for n in "uvw"}
    (found,) = ag.check_backward(steps.forward, steps.backward, inputs, seconds=6).findings
    assert (found.source.strip(), (found.fix or "").strip()) == (wrong.strip(), right.strip())


def test_branches_that_do_the_same():
    text = """
def f(a, what):
    if what == 1:
        b = a
    elif what == 2:
        b = -a
    elif what == 3:
        b = a
    else:
        return a
    if what == 4:
        b = -a
    return b
"""
    function = Functions(scope := programs(text)["f"]).of(scope.__code__)
    assert sorted(s.lineno for s in function.statements if id(s) in function.same_in_branches) == [4, 8]


def test_a_helper_divides_by_a_count_of_its_own():
    text = """
def forward(x, k):
    out = np.zeros(x.shape[0] // k)
    for i in range(len(out)):
        out[i] = np.mean(x[i * k : i * k + k])
    return out


def spread(d, shape):
    count = np.prod(shape)
    each = d / count * np.ones(shape)
    return each


def backward(d, x, k):
    dx = np.zeros(x.shape)
    for i in range(len(d)):
        dx[i * k : i * k + k] += spread(d[i], (k,))
    return dx
"""
    scope = programs(text.replace("d / count *", "d *"))
    (found,) = ag.check_backward(scope["forward"], scope["backward"], {"x": RNG.normal(size=9), "k": 3}).findings
    assert found.source.strip() == "each = d * np.ones(shape)"
    assert "count" in found.fix


# --- other words

DENSE = """
def forward(X, Y, U, V, lam=0.1):
    Z = X @ U
    H = np.maximum(0, Z)
    P = H @ V
    return np.sum((P - Y) ** 2), Z, H, P


def backward(X, Y, U, V, Z, H, P, lam=0.1):
    dP = 2 * (P - Y)
    dV = H.T @ dP
    grad = (Z > 0).astype(float)
    dZ = dP @ V.T * grad
    dU = X.T @ dZ
    return dU, dV
"""
POINT = {"X": RNG.normal(size=(6, 4)), "Y": RNG.normal(size=(6, 2)), "U": RNG.normal(size=(4, 5)), "V": RNG.normal(size=(5, 2))}


def test_what_forward_had_under_the_name_of_a_derivative():
    scope = programs(DENSE.replace("(Z > 0).astype(float)", "np.maximum(0, Z)"))
    (found,) = ag.check_backward(scope["forward"], scope["backward"], POINT).findings
    assert found.source.strip() == "grad = np.maximum(0, Z)"


RECURRENT = """
def forward(xs, s, W, U):
    states = [s]
    for x in xs:
        states.append(np.tanh(x @ W + states[-1] @ U))
    return np.stack(states[1:]), states


def backward(d, xs, W, U, states):
    dW, dU, carried = np.zeros_like(W), np.zeros_like(U), np.zeros_like(states[0])
    for t in reversed(range(len(xs))):
        ds = d[t] + carried
        da = ds * (1 - states[t + 1] ** 2)
        dW += xs[t].T @ da
        dU += states[t].T @ da
        carried = da @ U.T
    return dW, dU, carried
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("ds = d[t] + carried", "ds = d[t] * carried"), ("ds * (1 - states[t + 1] ** 2)", "ds + (1 - states[t + 1] ** 2)")],
)
def test_a_sum_is_a_product_and_a_product_a_sum(right, wrong):
    inputs = {
        "xs": RNG.normal(size=(4, 3, 2)),
        "s": RNG.normal(size=(3, 5)),
        "W": RNG.normal(size=(2, 5)),
        "U": RNG.normal(size=(5, 5)) / 2,
    }
    assert_found(RECURRENT, inputs, right, wrong)


def test_a_copy_that_something_was_to_be_made_of():
    text = """
def hinge(X, y, w):
    margin = y * (X @ w)
    loss = np.sum(np.maximum(0, 1 - margin)) / len(y)
    signed = y[:, None] * X
    dw = np.zeros_like(w)
    for j in range(len(w)):
        dw[j] = np.sum(np.where(margin < 1, -signed[:, j], 0)) / len(y)
    return loss, dw
"""
    wrong = "signed = X"
    scope = programs(text.replace("signed = y[:, None] * X", wrong))
    inputs = {"X": RNG.normal(size=(7, 3)), "y": np.sign(RNG.normal(size=7)), "w": RNG.normal(size=3)}
    (found,) = ag.check_backward(scope["hinge"], scope["hinge"], inputs, wrt=["w"]).findings
    assert found.source.strip() == wrong
    assert found.kind == "missing-factor"


def test_an_entry_of_another_dict_of_the_object():
    text = """
class Model:
    def __init__(self, kernels):
        self.__kernels = kernels

    def forward(self, x, y):
        self.kept = [x]
        for i in range(len(self.__kernels)):
            self.kept.append(np.tanh(self.kept[-1] @ self.__kernels[f"k{i}"]))
        return np.sum((self.kept[-1] - y) ** 2)

    def backward(self, y):
        grads = {}
        d = 2 * (self.kept[-1] - y)
        for i in reversed(range(len(self.__kernels))):
            d = d * (1 - self.kept[i + 1] ** 2)
            grads[f"k{i}"] = self.kept[i].T @ d
            kernel = self.__kernels[f"k{i}"]
            d = d @ kernel.T
        return grads
"""
    scope = programs(text.replace('kernel = self.__kernels[f"k{i}"]', 'kernel = grads[f"k{i}"]'))
    model = scope["Model"]({"k0": RNG.normal(size=(3, 4)), "k1": RNG.normal(size=(4, 2))})
    report = ag.check_backward(model.forward, model.backward, {"x": RNG.normal(size=(5, 3)), "y": RNG.normal(size=(5, 2))})
    (found,) = report.findings
    assert found.source.strip() == 'kernel = grads[f"k{i}"]'
    assert "kernels" in found.fix


def test_terms_have_siblings():
    env = {f"d{k}_": np.ones((3, 4)) * i for i, k in enumerate("fgio")} | {
        "p": {f"V{k}": np.ones((5, 4)) * i for i, k in enumerate("fgio")}
    }
    line = "out = np.dot(do_, p['Vo'].T) + np.dot(dg_, p['Vg'].T) + np.dot(df_, p['Vf'].T)"
    made = texts(line, env, "missing-term")
    assert made[0] == f"{line} + np.dot(di_, p['Vi'].T)"
    assert sum("di_, p['Vi'].T" in text for text in made[:3]) == 1


def test_a_gate_whose_share_is_missing():
    text = """
def gate(x):
    return 1 / (1 + np.exp(-x))


def forward(x, h, Wa, Wb, Wc):
    a, b, c = gate(x @ Wa), gate(x @ Wb), np.tanh(x @ Wc)
    return a * h + b * c, (a, b, c)


def backward(d, x, h, Wa, Wb, Wc, cache):
    a, b, c = cache
    da = d * h * a * (1 - a)
    db = d * c * b * (1 - b)
    dc = d * b * (1 - c**2)
    dx = da @ Wa.T + db @ Wb.T + dc @ Wc.T
    return dx, d * a, x.T @ da, x.T @ db, x.T @ dc
"""
    inputs = {"x": RNG.normal(size=(5, 3)), "h": RNG.normal(size=(5, 4)), **{f"W{k}": RNG.normal(size=(3, 4)) for k in "abc"}}
    scope = programs(text.replace(" + db @ Wb.T", ""))
    (found,) = ag.check_backward(scope["forward"], scope["backward"], inputs).findings
    assert (found.kind, found.fix) == ("missing-term", "    dx = da @ Wa.T + dc @ Wc.T + db @ Wb.T")


def test_the_sum_of_other_lines_that_one_multiplies_out():
    text = """
def cell(x, m, W, V, U):
    keep, take, show = 1 / (1 + np.exp(-x @ W)), np.tanh(x @ V), np.cos(x @ U)
    after = m * keep + take
    return show * np.tanh(after), after, (keep, take, show, after)


def cell_backward(d, dafter, x, m, W, V, U, cache):
    keep, take, show, after = cache
    bent = np.tanh(after)
    dkeep = (dafter + d * show * (1 - bent**2)) * m * keep * (1 - keep)
    dtake = (dafter + d * show * (1 - bent**2)) * (1 - take**2)
    dshow = -d * bent * np.sin(x @ U)
    dm = dafter * keep + d * show * (1 - bent**2) * keep
    dx = dkeep @ W.T + dtake @ V.T + dshow @ U.T
    return dx, dm, x.T @ dkeep, x.T @ dtake, x.T @ dshow
"""
    wrong = "dm = dafter * keep + show * (1 - bent**2) * keep"
    scope = programs(text.replace("dm = dafter * keep + d * show * (1 - bent**2) * keep", wrong))
    inputs = {"x": RNG.normal(size=(5, 3)), "m": RNG.normal(size=(5, 4)), **{k: RNG.normal(size=(3, 4)) for k in "WVU"}}
    (found,) = ag.check_backward(scope["cell"], scope["cell_backward"], inputs).findings
    assert found.source.strip() == wrong
    assert (found.kind, found.fix) == ("missing-factor", "    dm = (dafter + d * show * (1 - bent**2)) * keep")
