"""A corrected line is written as its author wrote the rest of it, and means what the edit means."""

from __future__ import annotations

import ast
import textwrap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_np.check.explain.edits.catalogue import edits_of
from autograd_np.check.explain.edits.rewrite import rewritten

STYLES = [
    # factors and terms at the end, with the spaces of the line
    ("dW = np.dot(dZ,A.T)", "dW = np.dot(dZ, A.T) / m", "dW = np.dot(dZ,A.T) / m"),
    ("dW=np.dot(dZ,A.T)+b*c", "dW = (np.dot(dZ, A.T) + b * c) / m", "dW=(np.dot(dZ,A.T)+b*c)/m"),
    ("dZ = a*b - c", "dZ = (a + d) * b - c", "dZ = (a + d)*b - c"),
    ("dZ = a*b - c", "dZ = 1 / m * (a * b - c)", "dZ = 1/m*(a*b - c)"),
    ("dZ = a**2", "dZ = b * a ** 2", "dZ = b * a**2"),
    ("dZ = a ** 2", "dZ = b * a ** 2 + c ** 3", "dZ = b * a ** 2 + c ** 3"),
    # brackets: only if needed, and not when no longer needed
    ("dZ=(a-b)*c", "dZ = a * c", "dZ=a*c"),
    ("dZ = (a - b)", "dZ = 2 * (a - b)", "dZ = 2 * (a - b)"),
    ("dZ = (a + b)", "dZ = (a - b)", "dZ = (a - b)"),
    ("dx = a - (b + c)", "dx = a - b", "dx = a - b"),
    ("dx = a * b", "dx = a * (b + c)", "dx = a * (b + c)"),
    ("dx = a - b", "dx = a - (b - c)", "dx = a - (b - c)"),
    ("dx = -a", "dx = -(a + b)", "dx = -(a + b)"),
    ("dx = f((a + b))", "dx = f(a)", "dx = f(a)"),
    ("dx = a / (b*c)", "dx = a / b", "dx = a / b"),
    # operators, names and attributes in their places
    ("dW  +=  x  # sum", "dW = x", "dW  =  x  # sum"),
    ("dW = x", "dW -= x", "dW -= x"),
    ("dZ = a + b - c", "dZ = a - c", "dZ = a - c"),
    ("dZ = a+b-c", "dZ = a - b - c", "dZ = a-b-c"),
    ("mask = x>0", "mask = x >= 0", "mask = x>=0"),
    ("mask = 0<x < 1", "mask = 0 < x <= 1", "mask = 0<x <= 1"),
    ("dx = self.W.dot( a )", "dx = self.V.dot(a)", "dx = self.V.dot( a )"),
    ("dx = np . sin(x)", "dx = np.cos(x)", "dx = np . cos(x)"),
    ("dW = X.T.dot(d) / N", "dW = X.dot(d) / N", "dW = X.dot(d) / N"),
    ("x, w ,b = cache", "w, x, b = cache", "w, x ,b = cache"),
    ("dx[:, t-1] = d", "dx[:, t] = d", "dx[:, t] = d"),
    ("dx[:,t] = d", "dx[:, 1:] = d", "dx[:,1:] = d"),
    ("u = a if c  else b", "u = b if c else a", "u = b if c  else a"),
    # arguments
    ("db = np.sum( dZ,axis=1 )", "db = np.sum(dZ, axis=1, keepdims=True)", "db = np.sum( dZ,axis=1, keepdims=True )"),
    ("db = np.sum(dZ, axis = 1)", "db = np.sum(dZ, axis=1, keepdims=True)", "db = np.sum(dZ, axis = 1, keepdims = True)"),
    ("db = np.sum(dZ, axis=1, keepdims=True)", "db = np.sum(dZ, axis=1)", "db = np.sum(dZ, axis=1)"),
    ("db = np.sum(dZ, axis=1, keepdims=True)", "db = np.sum(dZ, keepdims=True)", "db = np.sum(dZ, keepdims=True)"),
    ("db = dZ.sum()", "db = dZ.sum(axis=0)", "db = dZ.sum(axis=0)"),
    # strings
    ('dA = cache["A1"]*x', "dA = cache['A2'] * x", 'dA = cache["A2"]*x'),
    ("dA = cache['A1']*x", "dA = cache['A2'] * x", "dA = cache['A2']*x"),
    ('f = np.einsum("ij,jk->ik",a,b)', "f = np.einsum('ji,jk->ik', a, b)", 'f = np.einsum("ji,jk->ik",a,b)'),
    ("g = f'{a}' + b", "g = f'{a}' + c", "g = f'{a}' + c"),
    ("g = r(G[f'a{l + 1}'], Z)", "g = m * r(G[f'a{l + 1}'], Z)", "g = m * r(G[f'a{l + 1}'], Z)"),
    # letters that are longer in bytes
    ("Δ = σ*θ  # ∂", "Δ = σ * φ", "Δ = σ*φ  # ∂"),
    ('x = d["é"]*a', "x = d['é'] * b", 'x = d["é"]*b'),
    # lines that go on
    ("dZ = (A2 -\n      Y)  # residual", "dZ = (A2 - Y) / m", "dZ = (A2 -\n      Y) / m  # residual"),
    ("dx = np.dot(a,\n            b)  # so", "dx = np.dot(a, b.T)", "dx = np.dot(a,\n            b.T)  # so"),
    ("dx = (a  # one\n      + b)", "dx = (a - b)", "dx = (a  # one\n      - b)"),
    ("dx = a \\\n    + b", "dx = a - b", "dx = a \\\n    - b"),
    # other statements
    ("d[i] += e[u,i]*P[u]", "np.add.at(d, i, e[u, i] * P[u])", "np.add.at(d, i, e[u,i]*P[u])"),
    ("dx = dout", "dx = dout\ndx[x <= 0] = 0", "dx = dout\ndx[x <= 0] = 0"),
    ("    dW += x  # sum", "dW += x\ndW /= m", "    dW += x  # sum\n    dW /= m"),
    ("a = 1; dW = x*y; c = 3", "a = 2", "a = 2; dW = x*y; c = 3"),
    ("for t in range( T-1 ):  # back\n    x += 1 # one\n    y = 2", "for t in range(T):\n    x += 1\n    y = 2",
     "for t in range( T ):  # back\n    x += 1 # one\n    y = 2"),
    ("for t in range(T): x += 1", "for t in reversed(range(T)): x += 1", "for t in reversed(range(T)): x += 1"),
    ("if  t<T-1 :\n    x += 1\nelse:\n    y = 1", "if t < T:\n    x += 1\nelse:\n    y = 1", "if  t<T :\n    x += 1\nelse:\n    y = 1"),
    ("while n>1: n -= 1", "while n > 0: n -= 1", "while n>0: n -= 1"),
    ("    return a*b", "return a / b", "    return a/b"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "right", "expected"), STYLES, ids=lambda text: text.replace("\n", " "))
def test_a_line_keeps_the_style_of_its_author(source, right, expected):
    parsable = textwrap.dedent(source) if "return" not in source else f"def f():\n{source}"
    statement = ast.parse(parsable).body[0]
    lines = dict(enumerate(source.split("\n"), 1))
    if "return" in source:
        statement, lines = statement.body[0], {2: source}
        body = ast.parse(f"def f():\n    {right}").body[0].body
    else:
        body = ast.parse(right).body
        if len(body) == 2:
            body[0] = statement
    assert rewritten(lines, statement, body) == expected


FUNCTION = """\
    def backward(self, dout):
        if self.train: dout = dout*2  # scaled
        a = 1; b = dout * a; c = b
        for i in range(3):
            c += (b +
                  i)
        return c
"""


def parts():
    lines = dict(enumerate(FUNCTION.splitlines(), 40))
    tree = ast.parse(textwrap.dedent(FUNCTION))
    ast.increment_lineno(tree, 39)
    return lines, tree.body[0].body


def test_a_statement_that_does_not_belong_goes_and_leaves_pass_where_it_was_alone():
    lines, (branch, a, b, c, loop, last) = parts()
    assert rewritten(lines, branch.body[0], []) == "        if self.train: pass  # scaled"
    assert rewritten(lines, a, []) == "        b = dout * a; c = b"
    assert rewritten(lines, b, []) == "        a = 1; c = b"
    assert rewritten(lines, c, []) == "        a = 1; b = dout * a"
    assert rewritten(lines, loop.body[0], []) == "            pass"
    assert rewritten(lines, loop, []) == ""
    assert rewritten(lines, last, []) == ""


def test_columns_may_be_those_of_the_dedented_function_and_lines_hold_several_statements():
    lines, (branch, _, b, _, loop, _) = parts()
    assert rewritten(lines, b, ast.parse("b = dout / a").body) == "        a = 1; b = dout / a; c = b"
    assert rewritten(lines, b, [b, *ast.parse("b /= m").body]) == "        a = 1; b = dout * a; b /= m; c = b"
    assert rewritten(lines, branch.body[0], ast.parse("dout = dout*3").body) == "        if self.train: dout = dout*3  # scaled"
    new = rewritten(lines, loop.body[0], ast.parse("c += b + i - 1").body)
    assert new == "            c += (b +\n                  i - 1)"
    assert rewritten(lines, loop.body[0], [loop.body[0], *ast.parse("c /= 2").body]).endswith("i)\n            c /= 2")


def test_lines_that_do_not_hold_the_statement_are_left_alone():
    statement = ast.parse("a = b").body[0]
    assert rewritten({}, statement, []) is None
    assert rewritten({1: "something else"}, statement, []) is None


expressions = st.recursive(
    st.sampled_from(["a", "b", "c", "W.T", "h[t]", "2", "0.5", "f(a, b)", "x[:, t-1]", "np.sum(a,axis=0)"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", " - ", "*", " / ", " @ ", "**"]), inner).map("".join),
        inner.map("({})".format),
        inner.map("-{}".format),
        inner.map("( {} )".format),
        st.tuples(inner, inner).map(lambda p: "np.dot({},{})".format(*p)),
    ),
    max_leaves=6,
)


@given(
    expressions, expressions, st.sampled_from(["u = ", "  u=", "u[i]  += ", "    self.u = "]), st.sampled_from(["", "  # note", ";v = 1"])
)
def test_whatever_is_written_means_the_new_statement(old, new, start, end):
    line = f"{start}{old}{end}"
    statement, wanted = ast.parse(line.strip()).body[0], ast.parse(f"{start.strip()} {new}").body[0]
    text = rewritten({1: line}, statement, [wanted])
    assert text is not None
    assert ast.dump(ast.parse(text.strip()).body[0]) == ast.dump(wanted)
    assert text.endswith(end)
    assert len(text) - len(text.lstrip()) == len(line) - len(line.lstrip())


@pytest.mark.parametrize(
    "line",
    ["dW=np.dot( X.T,dZ )/m + lam*W  # ∂W", "dx[:,t-1] += (1-h[t]**2)*d@W.T", "self.grads['W'] = X.T.dot(dZ)", "db = np.sum(dZ, axis = 0)"],
)
def test_every_edit_can_be_written(line):
    rng = np.random.default_rng(0)
    arrays = {k: rng.normal(size=(4, 4)) for k in ("X", "W", "dZ", "d", "db")} | {"dx": rng.normal(size=(4, 3, 4))}
    env = {"np": np, "m": 4, "lam": 0.1, "t": 1, "h": [rng.normal(size=(4, 4)) for _ in range(3)], **arrays}
    env["self"] = type("Layer", (), {"grads": {"W": arrays["W"]}})()
    statement = ast.parse(line).body[0]
    for edit in list(edits_of(statement, "u", env, arrays, {"m": 4.0, "2": 2.0}))[::11]:
        text = rewritten({1: line}, statement, edit.body)
        assert text is not None
        assert [ast.unparse(s) for s in ast.parse(text).body] == [ast.unparse(ast.parse(ast.unparse(s)).body[0]) for s in edit.body]
