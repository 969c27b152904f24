"""jacobian and hessian in chunks: the same numbers, fewer sweeps, bounded memory."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import autograd_np as ag

V = np.array([0.4, -1.2, 0.9])
M = np.array([[0.4, -1.2, 0.9], [1.7, 0.3, -0.6]])

FUNCTIONS: dict[str, tuple[Any, Any]] = {
    "wide": (lambda x: np.stack([np.sum(x**2), np.prod(x)]), V),
    "tall": (lambda x: np.concatenate([x, x * x, np.sin(x)]), V),
    "matrix": (lambda x: x.T @ x, M),
    "sorted": (lambda x: np.sort(x)[:2] * np.max(x), V),
    "containers": (lambda p: {"a": p["x"] * p["s"], "b": [np.sum(p["x"])]}, {"x": V, "s": np.array(2.0)}),
    "wide containers": (lambda p: {"a": np.sum(p["x"] * p["s"]), "b": [p["x"][0] ** 2]}, {"x": V, "s": np.array(2.0)}),
    "single precision": (lambda x: x**2, V.astype(np.float32)),
    "nothing": (lambda x: x * 2, np.zeros((0, 2))),
    "to complex": (lambda x: np.exp(1j * x), V),
}


def leaves(tree: Any) -> list[Any]:
    import optree

    return optree.tree_leaves(tree)  # type: ignore[no-any-return]


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 100])
@pytest.mark.parametrize(("f", "x"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_chunks_give_the_same_numbers(f: Any, x: Any, chunk_size: int) -> None:
    expected = leaves(ag.jacobian(f)(x))
    found = leaves(ag.jacobian(f, chunk_size=chunk_size)(x))
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        assert a.flags.writeable
        np.testing.assert_allclose(a, b, rtol=1e-13 if a.dtype != np.float32 else 1e-6)


@pytest.mark.parametrize("chunk_size", [1, 2, 4])
def test_hessians_in_chunks(chunk_size: int) -> None:
    f = lambda x, s: np.sum(np.exp(x) * np.sin(x[::-1])) * s + np.prod(x)  # noqa: E731
    np.testing.assert_allclose(ag.hessian(f, chunk_size=chunk_size)(V, 2.0), ag.hessian(f)(V, 2.0), rtol=1e-13)
    blocks = ag.hessian(f, argnames=("x", "s"), chunk_size=chunk_size)(V, s=2.0)
    expected = ag.hessian(f, (0, 1))(V, 2.0)
    np.testing.assert_allclose(blocks["s"]["x"], expected[1][0], rtol=1e-13)


def test_chunks_inside_and_outside_other_transforms() -> None:
    f = lambda w: np.sum(ag.jacobian(lambda x: np.sin(w * x), chunk_size=2)(V) ** 2)  # noqa: E731
    g = lambda w: np.sum(np.diag(np.cos(w * V) * w) ** 2)  # noqa: E731
    np.testing.assert_allclose(ag.grad(f)(V), ag.grad(g)(V), rtol=1e-12)
    j = ag.vmap(ag.jacobian(np.cumsum, chunk_size=2))(M)
    np.testing.assert_allclose(j, np.tril(np.ones((2, 3, 3))))


def test_arrays_and_tensors_among_the_rows() -> None:
    """In an outer transform a row in which nothing flows is an array of zeros, the others are Tensors."""
    for chunk_size in (None, 2):
        for f in (
            lambda x, w: np.stack([x[0] * 0 + 1.0, np.float64(2.0), w * x[1], np.float64(3.0)]),
            lambda x, w: np.stack([np.sum(w * x), 1.0]),
        ):
            g = ag.grad(lambda w, f=f, k=chunk_size: np.sum(ag.jacobian(lambda x: f(x, w), chunk_size=k)(V)))(2.0)
            assert g in (1.0, 3.0)


def test_a_chunk_is_one_sweep() -> None:
    sweeps = []

    def rule(g: Any, y: Any, x: Any) -> Any:
        sweeps.append(1)
        return g * np.cos(x)

    sine = ag.custom_gradient(lambda x: (np.sin(x), lambda g: rule(g, None, x)))
    f = lambda x: sine(x)[:4]  # noqa: E731
    x = np.linspace(0, 1, 8)
    expected = np.eye(4, 8) * np.cos(x)
    for chunk_size, count in ((None, 4), (2, 2), (3, 2), (4, 1)):
        sweeps.clear()
        np.testing.assert_allclose(ag.jacobian(f, chunk_size=chunk_size)(x), expected)
        assert len(sweeps) == count


def test_memory_is_bounded_by_the_chunk() -> None:
    n, m = 6400, 64

    def f(x: Any) -> Any:
        for _ in range(3):
            x = np.sin(x)
        return np.sum(np.reshape(x, (m, -1)), axis=1)

    def peak(chunk_size: int | None) -> float:
        tracemalloc.start()
        ag.jacobian(f, chunk_size=chunk_size)(np.ones(n))
        high = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return high

    one = n * 8  # bytes of an intermediate array
    result = m * one
    peaks = {k: peak(k) for k in (None, 8, 64)}
    assert peaks[None] < result + 20 * one
    assert peaks[8] < result + 20 * one + 8 * 6 * one
    assert peaks[64] > peaks[8] + 30 * one


@pytest.mark.parametrize("chunk_size", [0, -1, 1.5, "all"])
def test_what_is_no_number_of_rows(chunk_size: Any) -> None:
    for transform in (ag.jacobian, ag.hessian):
        with pytest.raises(ValueError, match="chunk_size="):
            transform(np.sin, chunk_size=chunk_size)
