# ruff: noqa: F841 (what is not used is the mistake)
"""Where a change of several lines cures: which line is named, which are named beside it, and how a report tells them."""

from __future__ import annotations

import json

import numpy as np

import autograd_np as ag
from autograd_np.check.tell.formats import as_github
from autograd_np.check.tell.html import to_html
from autograd_np.check.tell.report import BackwardReport, Finding
from autograd_np.live.verdict import verdict_of

rng = np.random.default_rng(8)


def centred(x, gamma):
    mu = x.mean(axis=0)
    xmu = x - mu
    var = (xmu**2).mean(axis=0)
    std = np.sqrt(var + 1e-5)
    xhat = xmu / std
    return gamma * xhat, (xmu, std, xhat, gamma)


def centred_backward(dout, cache):
    xmu, std, xhat, gamma = cache
    dxhat = dout * gamma
    dxmu1 = dxhat / std
    dxmu2 = 2 * xmu / len(xmu) * np.sum(dxhat * xmu, axis=0) * -0.5 / std**3
    dx1 = dxmu1
    dmu = -np.sum(dxmu1 + dxmu2, axis=0)
    dx2 = dmu / len(xmu)
    dx = dx1 + dx2
    return dx, (dout * xhat).sum(axis=0)


CENTRED = {"x": rng.normal(size=(6, 4)), "gamma": rng.normal(size=4)}


def test_the_line_is_named_with_which_what_lies_between_is_a_gradient_too():
    """The term that is missing in `dx1` could be added to `dx`, which is simpler; then `dx1` would be no gradient."""
    (finding,) = ag.check_backward(centred, centred_backward, CENTRED).findings
    assert finding.fix.strip() == "dx1 = dxmu1 + dxmu2"
    assert not finding.rivals


def standardise(x, gamma, eps):
    mean, var = x.mean(axis=0), x.var(axis=0)
    std = np.sqrt(var + eps)
    z = (x - mean) / std
    return gamma * z, {"x": x, "mean": mean, "var": var, "std": std, "gamma": gamma, "z": z}


def standardise_backward(dout, cache):
    N = 1.0 * dout.shape[0]
    dfdz = dout * cache["gamma"]
    dudx = 1 / N
    dvdx = 2 / N * cache["x"]
    dzdx = 1 / cache["std"]
    dzdu = -1 / cache["std"]
    dzdv = -0.5 * (cache["var"] ** -1.5) * (cache["x"] - cache["mean"])
    dvdu = -2 / N * np.sum(cache["x"] - cache["mean"], axis=0)
    dx = dfdz * dzdx + np.sum(dfdz * dzdu, axis=0) * dudx + np.sum(dfdz * dzdv, axis=0) * (dvdx + dvdu * dudx)
    return dx, np.sum(dout * cache["z"], axis=0)


def test_what_other_lines_have_and_what_is_a_local_derivative_speak_for_a_line():
    """Without `- cache["mean"]` in `dvdu` the pass would be right as well; but other lines have it."""
    (finding,) = ag.check_backward(standardise, standardise_backward, {**CENTRED, "eps": 1e-12}, wrt=["x", "gamma"], seconds=10).findings
    assert finding.fix.strip() == 'dvdx = 2 / N * (cache["x"] - cache["mean"])'
    assert not finding.rivals


def unit(a):
    length = np.sqrt(np.sum(a * a, axis=1, keepdims=True))
    return a / length, length


def unit_backward(g, u, length):
    along = (g * u).sum(axis=1, keepdims=True)
    return (g + along * u) / length


def cosines(x, w):
    u, length = unit(w)
    v, other = unit(x)
    return v @ u.T, (u, length, v, other)


def cosines_backward(dout, cache):
    u, length, v, other = cache
    return unit_backward(dout @ u, v, other), unit_backward(dout.T @ v, u, length)


def test_lines_for_which_as_much_speaks_are_named_side_by_side():
    report = ag.check_backward(cosines, cosines_backward, {"x": rng.normal(size=(5, 3)), "w": rng.normal(size=(4, 3))})
    (finding,) = report.findings
    assert finding.fix.strip() == "return (g - along * u) / length"
    (rival,) = finding.rivals
    assert rival.line == finding.line - 1
    assert rival.kind == "sign"
    assert rival.fix.strip() == "along = -(g * u).sum(axis=1, keepdims=True)"
    assert rival.rivals == []
    assert f"line {finding.line} or line {rival.line}" in report.headline()
    assert finding.call
    assert rival.call == finding.call
    assert "or else" in str(report)


def test_each_of_the_lines_that_are_named_cures():
    """Whichever is written, the pass is right."""
    source = "along = (g * u).sum(axis=1, keepdims=True)\nresult = (g {} along * u) / length"
    g, u, length = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), 2.0
    found = []
    for text in (source.format("-"), source.format("+").replace("along = (g * u)", "along = -(g * u)")):
        scope = {"g": g, "u": u, "length": length}
        exec(text, scope)
        found.append(scope["result"])
    np.testing.assert_allclose(*found)


# --- how they are told


def tied() -> BackwardReport:
    lines = {10: "def back(g, u):", 11: "    along = g * u", 12: "    dw = g + along * u", 13: "    return dw"}
    other = Finding(11, "along", "sign", "the sign of `along` is wrong", source=lines[11].strip(), fix="    along = -(g * u)")
    first = Finding(12, "dw", "sign", "`+` should be `-`", source=lines[12].strip(), fix="    dw = g - along * u", rivals=[other])
    return BackwardReport("fail", findings=[first], source_lines=lines, file="net.py", function="back")


def test_text_and_html_name_both_lines_with_both_changes():
    report = tied()
    assert report.headline() == "FAIL: 1 mistake in back (net.py): line 12 or line 11 dw (sign)"
    assert report.summary() == "FAIL: net.py:12 dw: sign: `+` should be `-`, or net.py:11 along: sign"
    for told in (str(report), to_html(list(report.blocks()))):
        assert "or else net.py:11" in told
        assert "dw = g - along * u" in told
        assert "along = -(g * u)" in told


def test_json_sarif_and_annotations_name_both_lines():
    report = tied()
    (finding,) = json.loads(json.dumps(report.to_dict()))["findings"]
    assert [(r["line"], r["kind"], r["fix"], r["rivals"]) for r in finding["rivals"]] == [(11, "sign", "    along = -(g * u)", [])]
    (result,) = report.to_sarif()["runs"][0]["results"]
    (related,) = result["relatedLocations"]
    assert related["physicalLocation"]["region"] == {"startLine": 11, "endLine": 11}
    assert related["message"]["text"] == "or here: the sign of `along` is wrong; it should be: along = -(g * u)"
    assert "or line 11: the sign of `along` is wrong" in result["message"]["text"]
    assert "or net.py:11: the sign of `along` is wrong" in as_github(report).replace("%0A", "\n")


def test_the_page_and_the_patch_have_the_first_change():
    report = tied()
    (mistake,) = verdict_of(report)["mistakes"]
    assert "or line 11: the sign of `along` is wrong" in mistake["what"]
    assert [text.strip() for _, text, _ in mistake["diff"]] == ["dw = g + along * u", "dw = g - along * u"]
    assert [f.line for f in report.located()] == [12]


# --- what kind it is


def scaled(x, w):
    length = np.sqrt(np.sum(x * x))
    return length * w, (x, w, length)


def without_length(dout, cache):
    x, w, length = cache
    return np.sum(dout * w) * x / length, dout


def divided_by_zero(dout, cache):
    x, w, length = cache
    return np.sum(dout * w) * x / (length - length), dout * length


def test_a_number_that_was_computed_is_a_factor_and_no_constant():
    (finding,) = ag.check_backward(scaled, without_length, {"x": rng.normal(size=3), "w": rng.normal(size=4)}).findings
    assert finding.kind == "missing-factor"
    assert finding.fix.strip() == "return np.sum(dout * w) * x / length, length * dout"


def test_a_line_that_makes_infinite_elements_is_told_as_that():
    with np.errstate(all="ignore"):
        (finding,) = ag.check_backward(scaled, divided_by_zero, {"x": rng.normal(size=3), "w": rng.normal(size=4)}).findings
    assert finding.kind == "not-finite"
    assert "NaN or infinite" in finding.message
    assert finding.fix.strip() == "return np.sum(dout * w) * x / length, dout * length"


# --- where one over a size is too early; what is stored elsewhere


def three_layers(X, Y, W1, W2, W3):
    A1 = np.tanh(W1 @ X)
    A2 = np.tanh(W2 @ A1)
    Z3 = W3 @ A2
    return 0.5 * np.sum((Z3 - Y) ** 2) / X.shape[1]


def too_early(X, Y, W1, W2, W3, A1, A2, Z3):
    m = X.shape[1]
    dZ3 = Z3 - Y
    dW3 = dZ3 @ A2.T / m
    dA2 = W3.T @ dZ3 / m
    dZ2 = dA2 * (1 - A2**2)
    dW2 = dZ2 @ A1.T / m
    dZ1 = W2.T @ dZ2 * (1 - A1**2)
    dW1 = dZ1 @ X.T / m
    return {"dW1": dW1, "dW2": dW2, "dW3": dW3}


def test_where_one_over_a_size_comes_too_early_is_one_mistake():
    """With it `dA2` is exactly the gradient, where `dZ3` is m times it; all that is made of it has 1/m twice."""
    shapes = {"X": (2, 7), "Y": (3, 7), "W1": (4, 2), "W2": (5, 4), "W3": (3, 5)}
    report = ag.check_backward(three_layers, too_early, {k: rng.normal(size=s) for k, s in shapes.items()})
    assert [f.fix.strip() for f in report.findings] == ["dA2 = W3.T @ dZ3"]


class Stored:
    """A model that keeps gradients in a dict, or as attributes."""

    def __init__(self):
        self.w, self.v = rng.normal(size=(3, 2)), rng.normal(size=2)
        self.params = {"W1": rng.normal(size=(3, 4)), "W2": rng.normal(size=(4, 2))}
        self.grads = {}

    def forward(self, x):
        self.x, self.h = x, x @ self.params["W1"]
        return self.h @ self.params["W2"]

    def another_key(self, dout):
        self.grads["W2"] = self.h.T @ dout
        self.grads["w1"] = self.x.T @ (dout @ self.params["W2"].T)

    def forward_of_attributes(self, x):
        self.x = x
        return x @ self.w + self.v

    def local(self, dout):
        self.grad_w = self.x.T @ dout
        grad_v = dout.sum(axis=0)
        return dout @ self.w.T


def test_a_gradient_that_is_stored_under_another_key_or_in_a_local_variable_is_found_where_it_is_stored():
    model = Stored()
    (finding,) = ag.check_backward(model.forward, model.another_key, {"x": rng.normal(size=(5, 3))}).findings
    assert finding.kind == "not-returned"
    assert finding.fix.strip() == 'self.grads["W1"] = self.x.T @ (dout @ self.params["W2"].T)'
    (finding,) = ag.check_backward(model.forward_of_attributes, model.local, {"x": rng.normal(size=(5, 3))}).findings
    assert finding.kind == "not-returned"
    assert finding.fix.strip() == "self.grad_v = dout.sum(axis=0)"


def test_the_length_of_another_axis_is_no_multiple():
    def backward(X, Y, W1, W2, W3, A1, A2, Z3):
        m = X.shape[0]
        dZ3 = (Z3 - Y) / m
        dW3 = dZ3 @ A2.T
        dZ2 = W3.T @ dZ3 * (1 - A2**2)
        dZ1 = W2.T @ dZ2 * (1 - A1**2)
        return {"dW1": dZ1 @ X.T, "dW2": dZ2 @ A1.T, "dW3": dW3}

    shapes = {"X": (2, 7), "Y": (3, 7), "W1": (4, 2), "W2": (5, 4), "W3": (3, 5)}
    (finding,) = ag.check_backward(three_layers, backward, {k: rng.normal(size=s) for k, s in shapes.items()}).findings
    assert finding.fix.strip() == "m = X.shape[1]"
