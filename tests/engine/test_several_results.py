"""Calls that return several arrays: one record, and one more for each array that is read from it."""

from __future__ import annotations

import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest
from oracles import numeric_gradient

import autograd_np as ag
from autograd_np.op import TABLE, Several, case, primitive, several
from autograd_np.results import Results

A = np.array([[2.0, 0.3, -0.5], [0.3, -1.5, 0.4], [-0.5, 0.4, 1.8]])
X = np.array([1.3, -2.6, 0.4])


def names(t: Any) -> list[str]:
    return [n.op.name if n.op else "leaf" for n in ag.graph(t).nodes]


def test_a_call_is_one_record_however_many_results_are_used() -> None:
    u, s, vh = np.linalg.svd(ag.Tensor(A, requires_grad=True))
    assert names(np.sum(u) + np.sum(s) + np.sum(vh)).count("svd") == 1
    assert names(np.sum(s)) == ["leaf", "svd", "result", "sum"]


def test_results_come_back_in_numpys_containers() -> None:
    t = ag.Tensor(A, requires_grad=True)
    for call in (np.linalg.eigh, np.linalg.eig, np.linalg.svd, np.linalg.qr, np.linalg.slogdet):
        found, expected = call(t), call(A)
        assert type(found) is type(expected)
        for field in expected._fields:
            part = getattr(found, field)
            assert isinstance(part, ag.Tensor)
            np.testing.assert_allclose(part.data, getattr(expected, field), rtol=1e-14, atol=1e-15)
    assert type(np.modf(t)) is type(np.divmod(t, 2.0)) is type(divmod(t, 2.0)) is type(divmod(7.0, t)) is tuple
    assert np.modf(ag.Tensor(1.5))[0].shape == ()


def test_what_carries_no_gradient() -> None:
    t = ag.Tensor(X, requires_grad=True)
    assert [r.requires_grad for r in (*np.modf(t), *np.frexp(t), *np.divmod(t, 0.7))] == [True, False, True, False, False, True]
    assert [r.requires_grad for r in np.linalg.slogdet(ag.Tensor(A, requires_grad=True))] == [False, True]
    assert [r.requires_grad for r in np.linalg.slogdet(ag.Tensor(A + 0j, requires_grad=True))] == [True, True]
    assert np.frexp(t)[1].dtype == np.int32


def f(x: Any) -> Any:
    part, whole = np.modf(x)
    mantissa, exponent = np.frexp(x)
    quotient, rest = np.divmod(x, np.array([0.7, 0.9, 1.1]))
    return np.sum(part * part * whole + mantissa**3 * exponent + rest * rest * x * quotient)


def g(a: Any) -> Any:
    w, v = np.linalg.eigh((a + a.T) / 2)
    q, r = np.linalg.qr(a)
    sign, log = np.linalg.slogdet(a)
    return np.sum((v * np.exp(w / 3)) @ v.T * q) + np.sum(r**3) * sign + log * w[0]


@pytest.mark.parametrize(("h", "x"), [(f, X), (g, A + np.triu(A, 1))], ids=["scalars", "matrices"])
def test_every_mode_and_order(h: Any, x: np.ndarray) -> None:
    d = ag.grad(h)(x)
    np.testing.assert_allclose(d, numeric_gradient(h, x), rtol=1e-7)
    t, u = np.cos(np.arange(x.size)).reshape(x.shape), np.sin(np.arange(x.size)).reshape(x.shape)
    np.testing.assert_allclose(ag.jvp(h, (x,), (t,))[1], np.sum(d * t))
    ahead, behind = (ag.grad(h)(x + s * 1e-5 * t) for s in (1, -1))
    second = (ahead - behind) / 2e-5
    np.testing.assert_allclose(ag.hvp(h, x, t), second, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(ag.grad(lambda z: np.sum(ag.grad(h)(z) * t))(x), second, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(ag.jvp(lambda z: ag.jvp(h, (z,), (t,))[1], (x,), (u,))[1], np.sum(second * u), rtol=1e-6, atol=1e-7)
    third = ag.grad(lambda z: np.sum(ag.hvp(h, z, t) * u))(x)
    ahead, behind = (np.sum(ag.hvp(h, x + s * 1e-5 * t, t) * u) for s in (1, -1))
    np.testing.assert_allclose(np.sum(third * t), (ahead - behind) / 2e-5, rtol=1e-5, atol=1e-5)
    leaf = ag.Tensor(x, requires_grad=True)
    h(leaf).backward()
    h(leaf).backward()
    np.testing.assert_allclose(leaf.grad, 2 * d)
    np.testing.assert_allclose(ag.grad(lambda z: ag.vjp(h, z)[1](1.0)[0].sum())(x), ag.hvp(h, x, np.ones_like(x)))


def test_nested_transforms_and_closures() -> None:
    outer = ag.grad(lambda c: ag.grad(lambda x: c * np.sum(np.modf(x)[0] ** 3))(np.array(2.3)) * c)(2.0)
    np.testing.assert_allclose(outer, 2 * 2.0 * 3 * 0.3**2)
    mixed = ag.jvp(lambda c: ag.grad(lambda x: np.divmod(x * c, 0.7)[1] ** 2)(1.1), (1.3,), (1.0,))[1]
    np.testing.assert_allclose(mixed, 2 * (1.1 * 1.3 % 0.7) + 2 * 1.3 * 1.1)


def test_structural_zeros() -> None:
    """What a selection leaves out stays out, through a call with several results as well."""
    with np.errstate(all="ignore"):
        chosen = lambda x: np.sum(np.where(x > 0, np.modf(np.log(x))[0], 0.0))  # noqa: E731
        np.testing.assert_array_equal(ag.grad(chosen)(np.array([0.0, 2.0])), [0, 0.5])
        np.testing.assert_array_equal(ag.jvp(chosen, (np.array([0.0, 2.0]),), (np.ones(2),))[1], 0.5)
        np.testing.assert_array_equal(ag.grad(lambda x: np.sum(np.modf(np.log(x))[0][1:]))(np.array([0.0, 2.0])), [0, 0.5])
        value = ag.grad(lambda x: np.sum(np.modf(np.sqrt(x))[0] ** 2))(np.array([0.0, 2.25]))
        assert np.isnan(value[0])
        assert value[1] == pytest.approx(1 / 3)


def test_anomalies() -> None:
    with ag.detect_anomaly():
        np.testing.assert_allclose(ag.grad(f)(X), ag.grad(f)(X))
        with np.errstate(all="ignore"), pytest.raises(ag.AnomalyError, match=r"^divmod .*produced a NaN.*test_several_results"):
            np.divmod(ag.Tensor(X, requires_grad=True), 0.0)
        buffer = np.array([0.7, 0.9, 1.1])
        y = np.sum(np.divmod(ag.Tensor(X, requires_grad=True) * buffer, buffer)[1])
        buffer[:] = 2.0
        with pytest.raises(ag.AnomalyError, match="was written to after it was recorded"):
            y.backward()


def test_graphs_show_the_call_and_its_results(tmp_path: Any) -> None:
    graph = ag.trace(g, A + np.triu(A, 1))
    text = str(graph)
    assert "= eigh(" in text
    assert ".eigenvalues " in text
    assert "((3,), (3, 3)) float64, float64" in text
    source = graph.to_dot().source
    assert source.count("eigh") >= 1
    assert ".eigenvectors" in source
    graph.render(tmp_path / "g.svg", values=True, gradients=True, rules=True, order=True, backward=True, memory=True)
    assert "logabsdet" in (tmp_path / "g.svg").read_text()
    graph.explore(tmp_path / "g.html")
    ag.trace(f, X).explore(tmp_path / "f.html")
    assert "Read one of the results" in (tmp_path / "f.html").read_text()
    again = ag.trace(ag.grad(f), X)
    assert "frexp" in str(again)
    call = next(n for n in graph.nodes if n.op is not None and n.op.name == "qr")
    assert isinstance(graph.gradients()[call], Results)
    parts = ag.operation(np.linalg.svd(ag.Tensor(A, requires_grad=True))[1])
    assert parts is not None
    assert parts.op.name == "result"


def test_a_traced_function_that_reads_older_results() -> None:
    matrix = ag.Tensor(A, requires_grad=True, name="A")
    v = np.linalg.eigh(matrix)[1]
    assert "= matmul(v, x)" in str(ag.trace(lambda x: v @ x, X))
    inside = str(ag.trace(lambda x: np.linalg.eigh(matrix)[1] @ x, X))
    assert "= eigh(A)" in inside
    assert ".eigenvectors " in inside


def test_results_can_be_written_and_do_not_share_what_was_recorded() -> None:
    t = ag.Tensor(X, requires_grad=True)
    part, _ = np.modf(t)
    loss = np.sum(part * part)
    part[0] = 5.0
    part *= 2.0
    (loss + np.sum(part)).backward()
    np.testing.assert_allclose(t.grad, 2 * np.modf(X)[0] + [0, 2, 2])
    out = (ag.Tensor(np.zeros(3)), ag.Tensor(np.zeros(3)))
    found = np.modf(ag.Tensor(X, requires_grad=True), out=out)
    assert found[0] is out[0]
    np.testing.assert_array_equal(out[1].data, np.trunc(X))
    with pytest.raises(ag.InPlaceError, match="out="):
        np.modf(ag.Tensor(X, requires_grad=True), out=(np.zeros(3), None))


def test_no_graph_is_kept_and_none_in_silence() -> None:
    t = ag.Tensor(A, requires_grad=True)
    with ag.no_grad():
        assert not any(r.requires_grad for r in np.linalg.svd(t))
    gc.disable()
    try:
        w, v = np.linalg.eigh(t)
        watched = weakref.ref(w)
        del w, v
        assert watched() is None
    finally:
        gc.enable()
    with pytest.raises(ag.DifferentiationError, match="result"):
        pickle.dumps(np.linalg.eigh(t)[0])
    escaped = []
    ag.grad(lambda x: np.sum(escaped.append(np.modf(x)) or x))(X)
    with pytest.raises(ag.DifferentiationError, match="escaped"):
        escaped[0][0] * 2


def test_a_row_with_a_jvp_of_its_own() -> None:
    def both(x: Any) -> Any:
        return np.sin(x), np.cos(x)

    def rule(g: Any, y: Any, x: Any) -> Any:
        by_sine, by_cosine = (0.0 if part is None else part for part in g)
        return by_sine * y[1] - by_cosine * y[0]

    fn = primitive(both)
    try:
        row = several(fn, rule, jvp=lambda t, y, x: (t[0] * y[1], -t[0] * y[0]), cases=(case((3,)),))
        assert isinstance(row, Several)
        s, c = ag.jvp(fn, (X,), (np.ones(3),))[1]
        np.testing.assert_allclose(s, np.cos(X))
        np.testing.assert_allclose(c, -np.sin(X))
        np.testing.assert_allclose(ag.grad(lambda x: np.sum(fn(x)[0] * fn(x)[1]))(X), np.cos(2 * X))
    finally:
        TABLE.pop(fn)
