"""The same loss function, unchanged, with X and Y as Dask arrays: same gradients, and nothing computed while recording."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lazy import nothing_computed

import autograd_np as ag

da = pytest.importorskip("dask.array")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 40))
Y = (RNG.random((1, 40)) < 0.5).astype(float)
PARAMS = {"W1": RNG.normal(size=(3, 2)), "b1": RNG.normal(size=(3, 1)), "W2": RNG.normal(size=(1, 3)), "b2": np.zeros((1, 1))}


def loss(p: Any, X: Any, Y: Any) -> Any:
    """The 2-3-1 network, in plain NumPy."""
    m = X.shape[1]
    A1 = np.tanh(np.dot(p["W1"], X) + p["b1"])
    A2 = 1 / (1 + np.exp(-(np.dot(p["W2"], A1) + p["b2"])))
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m


def stable(p: Any, X: Any, Y: Any) -> Any:
    z = p["W2"] @ ag.relu(p["W1"] @ X + p["b1"]) + p["b2"]
    return np.mean(ag.softplus(z) - Y * z) + 0.1 * np.sum(p["W1"] ** 2) + np.mean(np.where(z > 0, z, 0.1 * z)) + np.mean(ag.sigmoid(z))


def shapes(p: Any, X: Any, Y: Any) -> Any:
    h = (p["W1"] @ X)[1:, ::2].T
    return np.mean(np.maximum(h, 0.1) * h) + np.mean(np.reshape(p["W1"] @ X, (-1,)) ** 2) + np.mean(np.sqrt(np.abs(h) + 1), axis=0)[0]


def chunked() -> tuple[Any, Any]:
    return da.from_array(X, chunks=(2, 16)), da.from_array(Y, chunks=(1, 16))


def plain(x: Any) -> np.ndarray:
    return np.asarray(x.compute(scheduler="synchronous") if hasattr(x, "compute") else x)


def test_the_guard_can_fail() -> None:
    with pytest.raises(pytest.fail.Exception), nothing_computed():
        chunked()[0].sum().compute()


@pytest.mark.parametrize("f", [loss, stable, shapes])
def test_backward(f: Any) -> None:
    reference = {k: ag.Tensor(v, requires_grad=True) for k, v in PARAMS.items()}
    expected = f(reference, X, Y)
    expected.backward()

    lazy = {k: ag.Tensor(v, requires_grad=True) for k, v in PARAMS.items()}
    with nothing_computed():
        out = f(lazy, *chunked())
        assert isinstance(out, ag.Tensor)
        assert out.requires_grad
        out.backward()
    np.testing.assert_allclose(plain(out.data), expected.data, rtol=1e-12)
    for k in PARAMS:
        if reference[k].grad is None:
            assert lazy[k].grad is None
            continue
        assert lazy[k].grad.shape == PARAMS[k].shape
        np.testing.assert_allclose(plain(lazy[k].grad), reference[k].grad, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("f", [loss, stable, shapes])
def test_transforms(f: Any) -> None:
    value, expected = ag.value_and_grad(f)(PARAMS, X, Y)
    with nothing_computed():
        lazy_value, lazy = ag.value_and_grad(f)(PARAMS, *chunked())
    np.testing.assert_allclose(plain(lazy_value), value, rtol=1e-12)
    for k in PARAMS:
        np.testing.assert_allclose(plain(lazy[k]), expected[k], rtol=1e-10, atol=1e-13)


def test_the_gradient_by_a_dask_array_is_lazy() -> None:
    expected = ag.grad(loss, 1)(PARAMS, X, Y)
    with nothing_computed():
        g = ag.grad(loss, 1)(PARAMS, *chunked())
        assert isinstance(g, da.Array)
    np.testing.assert_allclose(plain(g), expected, rtol=1e-10, atol=1e-13)
    x, y = chunked()
    t = ag.Tensor(x, requires_grad=True)
    with nothing_computed():
        loss(PARAMS, t, y).backward()
    assert isinstance(t.grad, da.Array)
    np.testing.assert_allclose(plain(t.grad), expected, rtol=1e-10, atol=1e-13)


def test_forward_mode_and_second_order() -> None:
    tangent = {k: np.ones_like(v) for k, v in PARAMS.items()}
    expected = ag.jvp(lambda p: loss(p, X, Y), (PARAMS,), (tangent,))[1]
    x, y = chunked()
    with nothing_computed():
        moved = ag.jvp(lambda p: loss(p, x, y), (PARAMS,), (tangent,))[1]
    np.testing.assert_allclose(plain(moved), expected, rtol=1e-10)
    curvature = ag.hvp(lambda p: loss(p, X, Y), (PARAMS,), (tangent,))[0]
    with nothing_computed():
        lazy = ag.hvp(lambda p: loss(p, x, y), (PARAMS,), (tangent,))[0]
    for k in PARAMS:
        np.testing.assert_allclose(plain(lazy[k]), curvature[k], rtol=1e-9, atol=1e-12)


def test_where_does_not_leak_nan_from_lazy_arrays_either() -> None:
    x = np.array([2.0, 0.0])
    with np.errstate(all="ignore"):
        g = ag.grad(lambda z: np.sum(np.where(z > 0, np.log(z), 0.0)))(da.from_array(x, chunks=1))
        np.testing.assert_allclose(plain(g), [0.5, 0.0])


def test_training_steps() -> None:
    lazy = {k: v.copy() for k, v in PARAMS.items()}
    eager = {k: v.copy() for k, v in PARAMS.items()}
    x, y = chunked()
    for _ in range(3):
        lazy_g, g = ag.grad(loss)(lazy, x, y), ag.grad(loss)(eager, X, Y)
        lazy = {k: lazy[k] - 0.5 * plain(lazy_g[k]) for k in lazy}
        eager = {k: eager[k] - 0.5 * g[k] for k in eager}
    for k in PARAMS:
        np.testing.assert_allclose(lazy[k], eager[k], rtol=1e-9, atol=1e-12)
