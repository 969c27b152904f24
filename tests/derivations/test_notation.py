"""Names become symbols, and the notation of every row of the table can be printed."""

from __future__ import annotations

import sys
import xml.dom.minidom
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from formulas import defects
from hypothesis import given
from hypothesis import strategies as st

from autograd_np.derivations.expression import Expression, Sheet
from autograd_np.derivations.mathematics import notation as n
from autograd_np.derivations.mathematics.equations import Variable
from autograd_np.derivations.mathematics.latex import latex, plain
from autograd_np.derivations.mathematics.mathml import mathml
from autograd_np.derivations.mathematics.sizes import Sizes, digits
from autograd_np.derivations.mathematics.symbols import Symbols, symbol
from autograd_np.derivations.mathematics.templates import template
from autograd_np.derivations.mathematics.writer import Mathematics
from autograd_np.derivations.naming.numbers import Numbers
from autograd_np.derivations.reading.recording import Recording
from autograd_np.op import Several
from autograd_np.ops.indexing import getitem

sys.path.insert(0, str(Path(__file__).parents[1] / "ops"))
from table import ROWS, rows, samples


@pytest.mark.parametrize(
    ("name", "ndim", "expected"),
    [
        ("W1", 2, r"\mathbf{W}_{1}"),
        ("x", 0, "x"),
        ("x", 1, r"\mathbf{x}"),
        ("gamma", 0, r"\gamma"),
        ("gamma", 1, r"\boldsymbol{\gamma}"),
        ("theta_1", 0, r"\theta_{1}"),
        ("x_hat", 0, r"\hat{x}"),
        ("xhat", 2, r"\hat{\mathbf{x}}"),
        ("mu_bar_2", 0, r"\bar{\mu}_{2}"),
        ("y_pred", 0, r"y_{\mathrm{pred}}"),
        ("Wxh", 2, r"\mathbf{W}_{xh}"),
        ("logits", 2, r"\mathbf{logits}"),
        ("loss", 0, r"\mathrm{loss}"),
        ("lam", 0, r"\lambda"),
        ("log_sigma", 0, r"\log\sigma"),
        ("α", 1, r"\boldsymbol{\alpha}"),
        ("_", 0, r"\mathrm{\_}"),
    ],
)
def test_a_name_is_a_symbol(name: str, ndim: int, expected: str) -> None:
    assert latex(symbol(name, ndim)) == expected


def test_no_two_variables_have_the_same_symbol() -> None:
    names = ["x_hat", "xhat", "W1", "W_1", "lam", "lamda", "L", "loss"]
    symbols = Symbols(names, "loss")
    for ndim in (0, 2):
        written = [latex(symbols(name, ndim)) for name in names]
        assert len(set(written)) == len(names)


@given(st.text(max_size=12))
def test_any_name_can_be_written(name: str) -> None:
    for node in (symbol(name, 1), Symbols([name], None)(name, 0)):
        assert defects(latex(node)) == []
        assert plain(latex(node)).isascii()
        parsed = xml.dom.minidom.parseString(f"<math>{mathml(node)}</math>")
        assert not parsed.getElementsByTagName("script")


@given(st.text(alphabet=r"\{}#1_^()|abc frac", max_size=20))
def test_any_notation_of_a_users_can_be_read(tex: str) -> None:
    found = template(tex)
    node = found.filled({what: n.Symbol("u") for what in found.needs})
    xml.dom.minidom.parseString(f"<math>{mathml(node)}</math>")
    assert defects(latex(node)) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2.0, "2"),
        (-0.5, "-0.5"),
        (1e-5, "10^{-5}"),
        (2.5e-7, r"2.5 \cdot 10^{-7}"),
        (np.pi, r"\pi"),
        (2 / np.sqrt(np.pi), r"\frac{2}{\sqrt{\pi}}"),
        (np.inf, r"\infty"),
        (-np.inf, r"-\infty"),
        (np.nan, r"\mathrm{NaN}"),
        (1 + 2j, r"1 + 2\mathrm{i}"),
    ],
)
def test_numbers(value: Any, expected: str) -> None:
    assert latex(digits(value)[0]) == expected


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        (r"\log #1", r"\log(a + b)"),
        (r"\frac{#1}{2}", r"\frac{a + b}{2}"),
        ("#1^2", "(a + b)^{2}"),
        (r"\sigma(#1)", r"\sigma(a + b)"),
        (r"1 - #1", "1 - (a + b)"),
        (r"#1 - 1", "a + b - 1"),
        (r"\operatorname{my_op} #1", r"\mathrm{my\_op}(a + b)"),
        (r"\unknown{#1}", r"\mathrm{unknown}(a + b)"),
    ],
)
def test_brackets_are_put_where_they_are_needed(tex: str, expected: str) -> None:
    found = template(tex)
    argument = n.Row((n.Symbol("a"), n.Sign("+"), n.Symbol("b")))
    written = n.Fence("(", argument, ")") if found.needs[1] > 0 else argument
    assert latex(found.filled({1: written})) == expected


def written(op: Any, sample: Any) -> tuple[Mathematics, Expression]:
    """Return a call of a row as an expression, and what writes it."""
    sheet = Sheet(1)
    names = {}
    arguments = []
    for letter, value in zip("abcdefg", sample.arrays, strict=False):
        if isinstance(value, (int, float)):
            arguments.append(sheet.number(value))
            continue
        array = np.asarray(value)
        arguments.append(sheet.variable(letter.upper() if array.ndim > 1 else letter, [array]))
        names[arguments[-1]] = Variable(arguments[-1].name or "")
    recording = Recording(None, sheet)
    writer = Mathematics(names, Symbols([v.name for v in names.values()], None), Sizes(recording, Numbers(recording), frozenset()))
    return writer, sheet.apply(op, arguments, sample.attrs)


@rows(list(ROWS))
def test_every_row_is_written_whole_and_by_elements(op: Any) -> None:
    assert defects(latex(template(op.tex).filled({i: n.Symbol("a") for i in template(op.tex).needs}))) == []
    for sample in samples(op):
        writer, e = written(op, sample)
        nodes = [writer(e)]
        if not isinstance(op, Several) and e.ndim:
            nodes.append(writer.bound(e, writer.fresh(e.ndim)))
        for node in nodes:
            assert defects(latex(node)) == []
            assert n.holes(node) == []
            xml.dom.minidom.parseString(f"<math>{mathml(node)}</math>")


def test_attributes_are_written() -> None:
    sheet = Sheet(1)
    x = sheet.variable("X", [np.ones((3, 4))])
    recording = Recording(None, sheet)
    w = Mathematics({x: Variable("X")}, Symbols(["X"], None), Sizes(recording, Numbers(recording), frozenset()))

    def of(function: Any, *args: Any, **attrs: Any) -> str:
        return latex(w(sheet.call(function, *args, **attrs)))

    assert of(np.sum, x) == r"\sum_{i,j}X_{ij}"
    assert of(np.sum, x, axis=1) == r"\sum_{j = 1}^{4}\mathbf{X}_{\cdot j}"
    assert of(np.mean, x, axis=0) == r"\frac{1}{3}\sum_{i = 1}^{3}\mathbf{X}_{i\cdot}"
    assert of(np.max, x, axis=-1) == r"\max_{j}\mathbf{X}_{\cdot j}"
    assert of(np.cumsum, x, axis=1) == r"\mathrm{cumsum}_{\mathrm{axis} = 1}(\mathbf{X})"
    assert of(np.transpose, x) == r"\mathbf{X}^{\top}"
    assert of(np.reshape, x, shape=(2, 6)) == r"\mathrm{reshape}_{2 \times 6}(\mathbf{X})"
    assert of(np.linalg.norm, x) == r"\lVert \mathbf{X} \rVert_{F}"
    assert of(getitem, x, index=0) == r"\mathbf{X}_{1\cdot}"
    assert of(getitem, x, index=(slice(None), slice(1, None))) == r"\mathbf{X}_{\cdot,2:4}"
    assert of(getitem, x, index=(-1, 0)) == "X_{3,1}"
