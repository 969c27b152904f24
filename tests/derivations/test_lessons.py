"""Derivations as LaTeX, Markdown and HTML: what stands in them, that they compile, and that nobody's names break out."""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.dom.minidom
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from formulas import defects, examples

import autograd_np as ag
from autograd_np.derivations.mathematics.pages import latex_document
from autograd_np.errors import DifferentiationError

EXAMPLES = examples()
every_example = pytest.mark.parametrize("name", EXAMPLES)


@pytest.fixture(scope="module")
def derivations() -> dict[str, Any]:
    return {name: ag.derive(f, *arguments) for name, (f, arguments) in EXAMPLES.items()}


def result(derivation: Any, **how: Any) -> list[str]:
    """Return the equations of the last part."""
    last = derivation.to_latex(document=False, **how).split("Result")[1]
    return [line.removesuffix(r" \\").replace(" &", " ") for line in last.splitlines() if "&=" in line]


# --- what stands there


def test_the_notebook_reads_like_a_textbook() -> None:
    f, arguments = EXAMPLES["notebook"]
    derivation = ag.derive(f, *arguments, wrt=["W1", "b1", "W2", "b2"])
    dZ1, dZ2 = (rf"\frac{{\partial L}}{{\partial\mathbf{{Z}}_{{{i}}}}}" for i in (1, 2))
    assert result(derivation) == [
        dZ2 + r" = \frac{\mathbf{A}_{2} - \mathbf{Y}}{m}",
        r"\frac{\partial L}{\partial\mathbf{b}_{2}} = \sum_{j = 1}^{m}\frac{\partial L}{\partial Z_{2,1j}}",
        rf"\frac{{\partial L}}{{\partial\mathbf{{W}}_{{2}}}} = {dZ2}\mathbf{{A}}_{{1}}^{{\top}}",
        rf"{dZ1} = \left( \mathbf{{W}}_{{2}}^{{\top}}{dZ2} \right) \odot (1 - \mathbf{{A}}_{{1}}^{{\odot2}})",
        rf"\frac{{\partial L}}{{\partial\mathbf{{b}}_{{1}}}} = \sum_{{j = 1}}^{{m}}\left( {dZ1} \right)_{{\cdot j}}",
        rf"\frac{{\partial L}}{{\partial\mathbf{{W}}_{{1}}}} = {dZ1}\mathbf{{X}}^{{\top}}",
    ]
    text = derivation.to_latex()
    assert r"\underset{n_{1} \times m}{\mathbf{Z}_{1}} &= \underset{n_{1} \times n_{2}}{\mathbf{W}_{1}}" in text
    assert r"\(f = \tanh u\) gives \(\frac{\mathrm{d}f}{\mathrm{d}u} = 1 - f^{2}\)" in text
    assert r"\(\mathbf{b}_{1}\) is repeated to \(n_{1} \times m\): its gradient is summed over the copies." in text


def test_the_notebook_by_its_elements() -> None:
    f, arguments = EXAMPLES["notebook"]
    lines = result(ag.derive(f, *arguments, wrt=["W1", "b1"]), index=True)
    assert lines[0] == r"\frac{\partial L}{\partial Z_{2,1j}} = \frac{A_{2,1j} - Y_{1j}}{m}"
    assert lines[-1] == r"\frac{\partial L}{\partial W_{1,ij}} = \sum_{k = 1}^{m}\frac{\partial L}{\partial Z_{1,ik}}X_{jk}"


def test_sizes_are_letters_even_where_integers_choose_among_what_is_along_them(derivations: dict[str, Any]) -> None:
    text = derivations["softmax_classifier"].to_latex()
    assert r"\underset{n \times k_{2}}{\mathbf{logits}}" in text
    assert r"\underset{k_{1} \times k_{2}}{\mathbf{W}}" in text


def test_a_user_s_number_keeps_its_name(derivations: dict[str, Any]) -> None:
    assert any(r"\lambda\mathbf{W}" in line for line in result(derivations["softmax_classifier"]))
    assert r"0.5\log(2\pi)" in derivations["gaussian"].to_latex()


def test_contributions_are_added(derivations: dict[str, Any]) -> None:
    text = derivations["softmax_classifier"].to_latex()
    assert r"\(\mathbf{W}\) is used twice: the contributions are added." in text


def test_the_gradient_of_an_array_arrives_from_outside(derivations: dict[str, Any]) -> None:
    text = derivations["layer_norm"].to_latex()
    assert r"The gradient \(\frac{\partial L}{\partial\mathbf{out}}\) is given" in text
    assert result(derivations["itself"]) == [r"\frac{\partial L}{\partial\mathbf{x}} = \frac{\partial L}{\partial\mathbf{x}}"]


def test_axes_that_meet_are_told_by_indices(derivations: dict[str, Any]) -> None:
    assert r"\left[ \sum_{k = 1}^{n_{2}}(X_{ik} - C_{jk})^{2} \right]_{ij}" in derivations["k_means"].to_latex()
    assert r"\mathbf{w}\mathbf{1}^{\top}" in derivations["weighted"].to_latex()


def test_empty_and_single_numbers(derivations: dict[str, Any]) -> None:
    assert result(derivations["of_a_number"]) == [r"\frac{\partial L}{\partial x} = x\cos x + \sin x + 3x^{2}"]
    assert result(derivations["of_nothing"]) == [r"\frac{\partial L}{\partial\mathbf{X}} = 2\mathbf{1}"]


def test_what_is_not_used_has_no_gradient() -> None:
    lines = result(ag.derive(lambda x, y: np.sum(x), np.ones(3), np.ones(2)))
    assert lines == [r"\frac{\partial L}{\partial\mathbf{x}} = \mathbf{1}", r"\frac{\partial L}{\partial\mathbf{y}} = \mathbf{0}"]


def test_a_graph_says_it_too() -> None:
    f, arguments = EXAMPLES["notebook"]
    graph = ag.trace(f, *arguments)
    assert graph.to_latex("W1") == ag.derive(f, *arguments, wrt="W1").to_latex()


def test_one_equation_as_mathml(derivations: dict[str, Any]) -> None:
    found = derivations["notebook"].to_mathml("Z2")
    root = xml.dom.minidom.parseString(found).documentElement
    assert root is not None
    assert root.tagName == "math"
    words = "".join(node.data for tag in root.getElementsByTagName("*") for node in tag.childNodes if node.nodeType == node.TEXT_NODE)
    assert words == "∂L∂𝐙2=𝐀2−𝐘m"
    with pytest.raises(DifferentiationError, match="no gradient by 'Z7' was derived; there are those by Z2"):
        derivations["notebook"].to_mathml("Z7")


# --- all of them


@every_example
@pytest.mark.parametrize("index", [False, True])
def test_formulas_are_whole(name: str, index: bool, derivations: dict[str, Any]) -> None:
    derivation = derivations[name]
    assert defects(derivation.to_latex(index=index)) == []
    text = derivation.to_markdown(index=index)
    assert text.count("$$") % 2 == 0
    assert defects(re.sub(r"^#+", "", text, flags=re.MULTILINE)) == []
    assert derivation.to_latex(index=index) == derivation.to_latex(index=index)


@every_example
def test_a_page_of_html_stands_alone(name: str, derivations: dict[str, Any]) -> None:
    page = derivations[name].to_html()
    xml.dom.minidom.parseString(
        page.replace("<!doctype html>", "")
        .replace('<meta charset="utf-8">', "")
        .replace('<meta name="viewport" content="width=device-width">', "")
    )
    assert not re.search(r"https?:|<script|<link|<img|@import|url\(", page)
    assert "<math" in page
    assert "def backward(" in page


def test_jupyter_gets_markdown_and_latex(derivations: dict[str, Any]) -> None:
    derivation = derivations["notebook"]
    assert derivation._repr_markdown_() == derivation.to_markdown()
    assert derivation._repr_latex_() == derivation.to_latex(document=False)


HOSTILE = {
    "a\\b": "a_b",
    "<script>alert(1)</script>": "script",
    "$%#&": "x",
    "{x_": "x",
    "\\input{/etc/passwd}": "input",
    "ñandú": "n",
    "变量": "u",
}


def test_hostile_names() -> None:
    def f(p: Any) -> Any:
        return sum(np.sum(v**2) for v in p.values())

    derivation = ag.derive(f, {key: np.ones(3) for key in HOSTILE})
    source = derivation.to_latex()
    assert defects(source) == []
    assert source.isascii()
    assert r"\input" not in source
    page = derivation.to_html()
    assert "<script" not in page
    assert "变量" in page
    assert "变量" in derivation.to_markdown()


# --- pdflatex


def pages(source: str, folder: Path) -> int:
    """Compile a document and return how many pages it has."""
    (folder / "derivation.tex").write_text(source, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "derivation.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=120, check=False)
    assert done.returncode == 0, [line for line in done.stdout.splitlines() if line.startswith(("!", "l."))]
    [found] = re.findall(r"Output written on derivation\.pdf \((\d+) page", done.stdout)
    return int(found)


needs_pdflatex = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")


@needs_pdflatex
def test_the_notebook_fits_on_one_page(tmp_path: Path) -> None:
    f, arguments = EXAMPLES["notebook"]
    assert pages(ag.derive(f, *arguments, wrt=["W1", "b1", "W2", "b2"]).to_latex(), tmp_path) == 1


@needs_pdflatex
@pytest.mark.parametrize("index", [False, True])
def test_every_derivation_compiles(index: bool, derivations: dict[str, Any], tmp_path: Path) -> None:
    hostile = ag.derive(lambda p: sum(np.sum(v**2) for v in p.values()), {key: np.ones(3) for key in HOSTILE})
    parts = [d.to_latex(index=index) for d in (*derivations.values(), hostile)]
    head, _, _ = latex_document([], "").partition(r"\textbf")
    bodies = [part.removeprefix(head).replace(r"\end{document}", r"\newpage") for part in parts]
    assert pages(head + "\n".join(bodies) + r"\end{document}", tmp_path) >= len(parts)
