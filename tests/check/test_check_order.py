"""Gradients under the right names in another order than those expect who unpack them, and what else stands in a gradient's place."""

from __future__ import annotations

import inspect
import linecache
import sys
import types

import numpy as np
import pytest

import autograd_np as ag

rng = np.random.default_rng(4)
INPUTS = {"x": rng.normal(size=(4, 3)), "w": rng.normal(size=(3, 2)), "b": rng.normal(size=2)}


def affine(x, w, b):
    return x @ w + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, _ = cache
    dx = dout @ w.T
    dw = x.T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db


def in_a_file(monkeypatch, returned, *, docstring="", caller=""):
    """Return the backward pass as it stands in a file of its own, with another return statement, a docstring and a caller."""
    text = inspect.getsource(affine_backward).replace("return dx, dw, db", f"return {returned}")
    head, _, body = text.partition("\n")
    text = f'{head}\n    """{docstring}"""\n{body}\n{caller}\n' if docstring else f"{text}\n{caller}\n"
    name = f"layers_{abs(hash(text))}"
    file = f"/user/{name}.py"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    module = types.ModuleType(name)
    module.__file__ = file
    exec(compile(text, file, "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, name, module)
    return module.affine_backward


CALLER = "def train(dout, cache, grads):\n    dx, dw, grads['b'] = affine_backward(dout, cache)\n    return dx, dw"
LISTED = """Backward.

    Returns a tuple of:
    - dx: Gradient with respect to x
    - dw: Gradient with respect to w
    - db: Gradient with respect to b
    """


@pytest.mark.parametrize(
    ("promise", "said"),
    [({"caller": CALLER}, "unpacks them as"), ({"docstring": LISTED}, "docstring"), ({"docstring": "Returns (dx, dw, db)."}, "docstring")],
    ids=["caller", "list", "tuple"],
)
def test_gradients_are_judged_by_their_places_where_these_are_promised(monkeypatch, promise, said):
    report = ag.check_backward(affine, in_a_file(monkeypatch, "dx, db, dw", **promise), INPUTS)
    assert report.verdict == "fail"
    assert [f.fix.strip() for f in report.findings] == ["return dx, dw, db"]
    assert any(said in reading for reading in report.readings)


@pytest.mark.parametrize(
    ("returned", "promise"),
    [
        ("dx, db, dw", {}),
        ("dx, db, dw", {"caller": CALLER.replace("dx, dw, grads['b']", "dx, db, dw")}),
        ("dx, db, dw", {"docstring": LISTED.replace("w", "#").replace("b:", "w:").replace("d#", "db").replace("to #", "to b")}),
        ("dx, db, dw", {"docstring": "dx, dw and db, by names alone."}),
        ("dx, db, dw", {"caller": CALLER.replace("affine_backward", "another")}),
        ("dx, dw, db", {"docstring": "Returns (dx, db, dw)."}),
    ],
    ids=["nobody says", "unpacked so", "listed so", "no list", "another function", "forward's order"],
)
def test_any_order_is_right_where_no_other_is_promised(monkeypatch, returned, promise):
    report = ag.check_backward(affine, in_a_file(monkeypatch, returned, **promise), INPUTS)
    assert report.ok
    assert any("judged by their names" in reading for reading in report.readings) == (returned != "dx, dw, db")


def test_who_calls_a_helper_that_returns_in_another_order_is_not_to_blame():
    def helper(dout, x, w):
        dx = dout @ w.T
        dw = x.T @ dout
        db = dout.sum(axis=0)
        return dx, db, dw

    def backward(dout, cache):
        x, w, _ = cache
        dx, dw, db = helper(dout, x, w)
        return dx, dw, db

    report = ag.check_backward(affine, backward, INPUTS)
    assert [(f.source.strip(), f.fix.strip()) for f in report.findings] == [("return dx, db, dw", "return dx, dw, db")]


@pytest.mark.parametrize("instead", ["n", "dx_wide"])
def test_what_is_no_gradient_stands_in_the_place_of_one_that_a_helper_gave(instead):
    def number(dout, cache):
        n = len(dout)
        dx, dw, db = affine_backward(dout, cache)  # noqa: RUF059 (the mistake)
        return dx, dw, n

    def step(dout, cache):
        dx_wide, dw, db = affine_backward(np.repeat(dout, 2, axis=0), (np.repeat(cache[0], 2, axis=0), *cache[1:]))
        dx = dx_wide[::2]
        dw = dw / 2
        db = db / 2
        return dx, dw, dx_wide

    report = ag.check_backward(affine, number if instead == "n" else step, INPUTS)
    assert report.verdict == "fail"
    assert [f.fix.strip() for f in report.findings] == ["return dx, dw, db"]


class Listing:
    """A layer that works on a list of inputs and returns what it made, alone if it is one."""

    def __init__(self):
        self.W, self.grads = rng.normal(size=(3, 2)), {}

    def forward(self, X):
        self.X, self.Z = [X], [X @ self.W]
        return np.tanh(self.Z[0])

    def backward(self, dout):
        dX = []
        for z, x in zip(self.Z, self.X, strict=True):
            dz = dout * (1 - np.tanh(z) ** 2)
            dx = dz @ self.W.T
            self.grads["W"] = x.T @ dz
            dX.append(z if len(dx) < 0 else dx)
        return dX[0] if len(dX) == 1 else dX

    def mistaken(self, dout):
        dX = []
        for z, x in zip(self.Z, self.X, strict=True):
            dz = dout * (1 - np.tanh(z) ** 2)
            dx = dz @ self.W.T  # noqa: F841 (the mistake)
            self.grads["W"] = x.T @ dz
            dX.append(z)
        return dX[0] if len(dX) == 1 else dX


def test_what_forward_had_is_appended_in_the_place_of_a_gradient():
    layer = Listing()
    assert ag.check_backward(layer.forward, layer.backward, {"X": INPUTS["x"]}).ok
    layer = Listing()
    report = ag.check_backward(layer.forward, layer.mistaken, {"X": INPUTS["x"]})
    assert report.verdict == "fail"
    assert [f.fix.strip() for f in report.findings] == ["dX.append(dx)"]
