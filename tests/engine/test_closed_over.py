"""`wrt=` of `grad` and `value_and_grad`: Tensors that a function closes over."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import autograd_np as ag


def _pair() -> tuple[ag.Tensor, ag.Tensor]:
    return ag.Tensor([1.0, 2.0], requires_grad=True, name="w"), ag.Tensor(0.5, requires_grad=True)


def test_what_a_function_closes_over_is_differentiated_and_stays_what_it_is() -> None:
    w, b = _pair()
    value, (dw, db) = ag.value_and_grad(lambda x: np.sum(w * w * x), wrt=[w, b])(np.array([3.0, 4.0]))
    assert value == 19.0
    np.testing.assert_array_equal(dw, [6.0, 16.0])
    assert db is None
    assert w.grad is None
    assert type(w) is ag.Tensor
    assert w.requires_grad
    assert w.name == "w"


def test_a_result_that_is_the_tensor_itself_is_a_variable() -> None:
    _, b = _pair()
    assert ag.grad(lambda: b, wrt=[b])() == [1.0]
    (value, aux), _ = ag.value_and_grad(lambda: (b * b, b), wrt=[b], has_aux=True)()
    assert (value, float(aux)) == (0.25, 0.5)
    assert not isinstance(aux, ag.Tensor)


def test_gradients_of_closed_over_tensors_nest() -> None:
    w, _ = _pair()

    def inner() -> Any:
        return np.sum(w**3)

    def outer() -> Any:
        return np.sum(ag.grad(inner, wrt=[w])()[0] ** 2)  # 9 w^4

    np.testing.assert_allclose(ag.grad(outer, wrt=[w])()[0], 36.0 * np.array([1.0, 8.0]))
    np.testing.assert_allclose(ag.grad(lambda x: np.sum(ag.grad(lambda: np.sum(w**2 * x), wrt=[w])()[0]))(1.0), 6.0)


def test_compiled_gradients_of_closed_over_tensors_follow_their_values() -> None:
    w, b = _pair()
    f = ag.compile(lambda x: ag.value_and_grad(lambda: np.sum(np.sin(w) * x), wrt=[w, b])(), backend="numpy")
    x = np.array([3.0, 4.0])
    for _ in range(3):
        value, (dw, db) = f(x)
        np.testing.assert_allclose(value, np.sum(np.sin(w.data) * x))
        np.testing.assert_allclose(dw, np.cos(w.data) * x)
        assert db is None
        with ag.no_grad():
            w += 1.0


def test_other_threads_see_the_tensor_as_it_is() -> None:
    w, _ = _pair()
    seen: list[Any] = []

    def f() -> Any:
        def look() -> None:
            seen.append((w.requires_grad, (w * w).data.copy(), w.is_leaf))
            ag.value_and_grad(lambda: np.sum(w), wrt=[w])()

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        return np.sum(w * w)

    np.testing.assert_array_equal(ag.grad(f, wrt=[w])()[0], [2.0, 4.0])
    np.testing.assert_array_equal(seen[0][1], [1.0, 4.0])
    assert type(w) is ag.Tensor


def test_an_error_leaves_the_tensor_as_it_was() -> None:
    w, _ = _pair()
    with pytest.raises(ZeroDivisionError):
        ag.grad(lambda: w[0] * (1 // 0), wrt=[w])()
    assert type(w) is ag.Tensor
    assert w.is_leaf


def test_what_is_no_variable_and_writes_are_refused() -> None:
    w, _ = _pair()
    with pytest.raises(TypeError, match="one way"):
        ag.grad(lambda x: x * w[0], 0, wrt=[w])
    with pytest.raises(TypeError, match="needs Tensors in wrt, got ndarray"):
        ag.grad(lambda: w[0], wrt=[np.ones(2)])  # type: ignore[list-item]

    def writes() -> Any:
        with ag.no_grad():
            w[0] = 5.0
        return np.sum(w)

    with pytest.raises(ag.InPlaceError, match="differentiated"):
        ag.grad(writes, wrt=[w])()
