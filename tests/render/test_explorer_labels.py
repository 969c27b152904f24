"""What the page calls things: variables by their names, results without one by what computes them, and no two alike."""

from __future__ import annotations

import html
import re
from typing import Any

import chromium
import numpy as np
import pytest

import autograd_np as ag
import nn
from autograd_np.explorer.explore import data_of
from autograd_np.explorer.labels import LONGEST


def names(graph: ag.Graph) -> list[str]:
    return [node["name"] for node in data_of(graph)["nodes"]]


def last(f: Any, *inputs: Any) -> str:
    """Return what the result of a function is called that has no name."""
    return names(ag.trace(f, *inputs))[-1]


X, V = np.arange(6.0).reshape(2, 3) + 1, np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("f", "text"),
    [
        (lambda x: np.tanh(x @ V + 1), "tanh(x · c0 + 1)"),
        (lambda x: (x + 1) * x, "(x + 1) ⊙ x"),
        (lambda x: x - (x - 1), "x − (x − 1)"),
        (lambda x: x - 1 - x, "x − 1 − x"),
        (lambda x: x / (x * 2), "x / (x ⊙ 2)"),
        (lambda x: -(x * 2), "−(x ⊙ 2)"),
        (lambda x: x - -x, "x − (−x)"),
        (lambda x: (x + 1) ** 2, "(x + 1)²"),
        (lambda x: (x + 1)[0], "(x + 1)[0]"),
        (lambda x: (x * 2).T, "(x ⊙ 2)ᵀ"),
        (lambda x: x.T @ (x * 2), "xᵀ · (x ⊙ 2)"),
        (lambda x: (x * 2) @ x.T, "(x ⊙ 2) · xᵀ"),
        (lambda x: x @ x.T @ x, "x · xᵀ · x"),
        (lambda x: x @ (x.T @ x), "x · (xᵀ · x)"),
        (lambda x: np.prod(x + 1), "Π (x + 1)"),
        (lambda x: np.expm1(x) * 2, "(exp(x) − 1) ⊙ 2"),
        (lambda x: np.sum(x) * 2, "(Σ x) · 2"),
        (lambda x: np.sum(x * 2) - np.sum(x), "Σ (x ⊙ 2) − Σ x"),
        (lambda x: ag.log_sigmoid(x) * x, "(log σ(x)) ⊙ x"),
        (lambda x: np.where(x > 0, x, 0.1 * x), "where(x > 0, x, 0.1 ⊙ x)"),
        (lambda x: (x > 1) * x, "(x > 1) ⊙ x"),
        (lambda x: np.sum(x, axis=0), "sum(x, axis=0)"),
        (lambda x: np.mean(x, axis=1, keepdims=True), "mean(x, axis=1)"),
        (lambda x: np.transpose(x[None], (0, 2, 1)), "transpose(…, axes=(0, 2, 1))"),
    ],
)
def test_a_result_without_a_name_is_called_by_what_computes_it(f: Any, text: str) -> None:
    assert last(f, X) == text


def test_a_label_means_what_it_says() -> None:
    """Formulas of one letter an operand are NumPy: read as such, they compute the node."""
    a, b = np.array([0.5, 1.5, 2.5]), np.array([3.0, 0.25, 2.0])

    def f(a: Any, b: Any) -> Any:
        return [a * (b - a) / b, (a / b) / a, a / (b / a), a - (b + a), -(a + b) * b, (-a) ** 2, -(a**2), np.exp(-(a - b)) - (b - a)]

    graph = ag.trace(f, a, b)
    for node, told in zip(graph, data_of(graph)["nodes"], strict=True):
        if node.op is not None and not set("…₀₁₂₃₄₅₆₇₈₉") & set(told["name"]):
            code = told["name"].replace("⊙", "*").replace("−", "-").replace("²", "**2")
            np.testing.assert_allclose(eval(code, {"__builtins__": {}}, {"a": a, "b": b, "exp": np.exp}), node.out, err_msg=told["name"])


def test_a_long_label_is_cut_and_no_two_are_alike() -> None:
    def f(x: Any, y: Any) -> Any:
        return np.mean(np.tanh(x * y + x) ** 2 - np.sin(x * 2)[:1]) + np.sum(np.exp(x)) + np.sum(np.exp(x)) * np.sum(np.exp(x - y))

    found = names(ag.trace(f, X, X))
    assert len(set(found)) == len(found)
    assert "…² − sin(x ⊙ 2)[:1]" in found
    assert all(len(name) <= LONGEST for name in found)
    assert sum(name.startswith("exp(x)") for name in found) == 1  # the second of the same has its number
    assert any(name.startswith("exp") and name[3] in "₀₁₂₃₄₅₆₇₈₉" for name in found)


def test_tensors_that_have_one_name_are_told_apart() -> None:
    a, b = (ag.Tensor(2.0, requires_grad=True, name="w") for _ in range(2))
    data = data_of(ag.graph(a * b))
    assert [node["name"] for node in data["nodes"]] == ["w", "w₁", "w · w₁"]
    n3 = ag.Tensor(2.0, requires_grad=True, name="n1")
    assert len(set(names(ag.graph(n3 * np.ones(2))))) == 3


def test_what_an_index_was_computed_by_is_told() -> None:
    assert last(lambda z: z[np.argsort(z)], V) == "z[argsort(z)]"


class Layer(nn.Module):
    def __init__(self, seed: int) -> None:
        self.a = nn.Linear(3, 3, rng=np.random.default_rng(seed))

    def forward(self, x: Any) -> Any:
        return x + np.tanh(self.a(x))


class Net(nn.Module):
    def __init__(self) -> None:
        self.layers = [Layer(0), Layer(1)]

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return np.mean(x**2)


def test_modules_in_lists_are_called_as_in_python_and_known_by_their_paths() -> None:
    data = data_of(Net().graph(X))
    parameter = next(node for node in data["nodes"] if node["key"] == "layers.1.a.weight")
    assert parameter["name"] == "layers[1].a.weight"
    assert {"layers[0] · Layer", "layers[1] · Layer"} <= {module["title"] for module in data["modules"]}
    assert "layers.1.a" in {module["path"] for module in data["modules"]}
    assert "layers.1" not in " ".join(step["title"] + " ".join(step["text"]) for step in data["steps"])


def test_in_equations_the_module_is_an_index_of_the_parameter() -> None:
    data = data_of(Net().graph(X))
    parts = [part for step in data["steps"] for part in step.get("parts", ()) if part["name"].startswith("layers[1].a.")]
    found = {part["name"]: html.unescape(re.sub(r"\{.*?\}", " ", part["math"])) for part in parts}
    assert set(found) == {"layers[1].a.weight", "layers[1].a.bias"}
    assert "𝐰𝐞𝐢𝐠𝐡𝐭" in found["layers[1].a.weight"]
    assert "layers[1].a" in found["layers[1].a.weight"]
    assert not any("layers_1" in text for text in found.values())
    assert any("{msub}{mi}𝐛𝐢𝐚𝐬{/mi}{mi}layers[1].a{/mi}{/msub}" in part["math"] for part in parts)


def test_the_result_without_a_name_is_the_letter_it_stands_for() -> None:
    data = data_of(ag.trace(lambda x: np.sum(x * x), X))
    seed = next(step for step in data["steps"] if step["phase"] == "seed")
    assert seed["title"] == "∂L/∂L = 1"
    parts = [part for step in data["steps"] for part in step.get("parts", ()) if part["name"] == "x ⊙ x"]
    assert [part["rule"] for part in parts] == ["∂L/∂(x ⊙ x) = ∂L/∂L, copied to every element that was added"]


def test_thousands_of_operands_are_no_name() -> None:
    import time

    start = time.process_time()
    data = data_of(ag.trace(lambda x: np.sum(np.stack([np.exp(x) * i for i in range(1500)])), V))
    assert time.process_time() - start < 20
    assert data["nodes"][-1]["name"] == "Σ stack₃₀₀₁"


@chromium.needed
def test_names_are_read_on_the_page_found_and_edited_by_key(browser: chromium.Chromium, tmp_path: Any) -> None:
    browser.open(Net().graph(X).explore(tmp_path / "net.html"))
    browser.js("document.querySelector('#modules').click()")
    for words in ("layers[1].a.bias", "layers.1.a.bias"):
        browser.js(
            f"(() => {{ const s = document.querySelector('#search'); s.value = '{words}'; s.dispatchEvent(new Event('input')); }})()"
        )
        browser.js("document.querySelector('#search').focus()")
        browser.press("Enter")
        assert browser.js("document.querySelector('#picked h2').textContent") == "layers[1].a.bias"
    browser.js("page.onEdit = (edit) => { window.told = edit; }; page.show(JSON.parse(document.getElementById('data').textContent), true)")
    browser.js("(() => { const f = document.querySelector('#picked input.edit'); f.focus(); f.value = '0.5'; f.blur(); })()")
    assert browser.js("window.told.name") == "layers.1.a.bias"
    assert browser.messages == []
