"""`ag.compile`: views as methods and indices, elements along an axis by their places, and products that are turned, as NumPy has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_np as ag


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _same(f: Any, *inputs: Any) -> Any:
    """Demand that what is compiled gives what `f` gives, twice; return it."""
    compiled = ag.compile(f, backend="numpy")
    for _ in range(2):
        for got, wanted in zip(ag.ravel(compiled(*inputs))[0], ag.ravel(f(*inputs))[0], strict=True):
            np.testing.assert_allclose(got, wanted, 1e-6, 1e-6)
    return compiled


def test_views_keep_their_axes() -> None:
    x = _rng().normal(size=(2, 3, 1, 4))

    def f(x: Any) -> Any:
        y = np.exp(x)
        return (
            np.expand_dims(y, 0), np.expand_dims(y, -1), np.expand_dims(y, 2), np.expand_dims(y, (0, 3)), np.squeeze(y), np.squeeze(y, 2),
            np.swapaxes(y, 0, 3), np.swapaxes(y[0, :, 0], 0, 1), np.swapaxes(y[0, :, 0], -1, 1), np.swapaxes(y[0, :, 0], -1, -2),
            np.reshape(y, (6, -1)), np.reshape(y, (6, 4), order="F"), np.transpose(y, (1, 0, 3, 2)),
            np.transpose(y[0, :, 0]), np.diag(y[0, :, 0]),
        )  # fmt: skip

    compiled = ag.compile(f, backend="numpy")
    for given in (x, np.asfortranarray(x), x[::-1]):
        for got, wanted in zip(compiled(given), f(given), strict=True):
            assert got.shape == wanted.shape
            np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_elements_along_an_axis_and_their_gradients(axis: int) -> None:
    x = _rng().normal(size=(3, 4, 5))
    for count in (1, 3):
        shape = [3, 4, 5]
        shape[axis] = count
        places = _rng().integers(-x.shape[axis], x.shape[axis], shape)
        _same(lambda x, places: ag.value_and_grad(lambda x: np.sum(np.take_along_axis(x * x, places, axis) ** 2))(x), x, places)
    broadcast = [1, 1, 1]
    _same(lambda x, i: ag.value_and_grad(lambda x: np.sum(np.take_along_axis(x * x, i, axis) ** 2))(x), x, np.zeros(broadcast, int))
    flat = _rng().integers(0, 60, 7)
    _same(lambda x, i: ag.value_and_grad(lambda x: np.sum(np.take_along_axis(x * x, i, None) ** 2))(x), x, flat)


def test_places_out_of_range_are_refused() -> None:
    compiled = ag.compile(lambda x, i: np.take_along_axis(x + 1, i, 1), backend="numpy")
    x = np.ones((2, 3))
    compiled(x, np.zeros((2, 1), int))
    with pytest.raises(IndexError):
        compiled(x, np.full((2, 1), 3))


def test_zeros_that_are_added_have_the_sign_of_a_sum() -> None:
    f = ag.grad(lambda x, i: -np.sum(0.0 * np.take_along_axis(x, i, 1)))
    x, i = np.ones((2, 3)), np.zeros((2, 1), int)
    np.testing.assert_array_equal(np.signbit(ag.compile(f, backend="numpy")(x, i)), np.signbit(f(x, i)))


@pytest.mark.parametrize("rows", [4, 16, 40, 100, 300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layers_on_batches_of_any_size(rows: int, dtype: Any) -> None:
    x, w, b = _rng().normal(size=(rows, 200)), _rng().normal(size=(210, 200)) / 14, _rng().normal(size=210)
    x, w, b = x.astype(dtype), w.astype(dtype), b.astype(dtype)

    def layer(w: Any, x: Any, b: Any) -> Any:
        return np.mean(np.tanh(x @ w.T + b) ** 2)

    f = ag.value_and_grad(layer, (0, 1, 2))
    compiled = ag.compile(f, backend="numpy")
    for given in (w, np.asfortranarray(w), w[::-1, ::-1]):
        got, wanted = (ag.ravel(g(given, x, b))[0] for g in (compiled, f))
        np.testing.assert_allclose(got, wanted, 1e-4 if dtype is np.float32 else 1e-10, 1e-6)
    assert ("copyto(" in compiled.source) == (16 <= rows <= 100)
    assert compiled.memory >= compiled.schedule.buffers[max(compiled.schedule.buffers, key=lambda v: v.nbytes)].nbytes
    square = ag.compile(lambda x: np.tanh(x @ x.T), backend="numpy")
    np.testing.assert_allclose(square(w), np.tanh(w @ w.T), 1e-4 if dtype is np.float32 else 1e-10, 1e-6)
