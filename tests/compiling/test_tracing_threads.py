"""While one thread traces, the others see what they saw before: the same numbers in globals, attributes and Parameters."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
import nn

W = np.array([[1.0, 2.0], [3.0, 4.0]])


class Model:
    def __init__(self) -> None:
        self.w = np.array([1.0, -1.0])
        self.p = nn.Parameter(np.array([2.0, 5.0]))
        self.rest = [np.ones(2)]

    def loss(self, x: Any) -> Any:
        return np.sum(np.tanh(W @ (x * self.w) + self.p) ** 2 + self.rest[0])


def slowly(f: Callable[..., Any], running: threading.Event) -> Callable[..., Any]:
    def g(x: Any) -> Any:
        y = f(x)
        running.set()
        time.sleep(0.02)  # others run meanwhile
        return y

    return g


@pytest.mark.parametrize("transform", [lambda f: f, ag.grad, ag.value_and_grad], ids=["value", "grad", "both"])
def test_what_another_thread_computes_while_one_traces(transform: Any) -> None:
    model, x = Model(), np.array([0.3, -0.2])
    expected = transform(model.loss)(x)
    running, wrong, seen, done = threading.Event(), [], [], threading.Event()

    def look() -> None:
        running.wait(10)
        while not done.is_set():
            found = transform(model.loss)(x)  # as it stands
            for a, b in zip(_flat(found), _flat(expected), strict=True):
                if not np.array_equal(np.asarray(a), np.asarray(b)):
                    wrong.append((found, expected))
            if not (np.array_equal(model.p.data, [2.0, 5.0]) and np.array_equal(np.asarray(W + 0), [[1.0, 2.0], [3.0, 4.0]])):
                wrong.append((model.p.data, W))
            seen.append(type(model.w))

    other = threading.Thread(target=look)
    other.start()
    try:
        compiled = ag.compile(transform(slowly(model.loss, running)), backend="numpy")
        found = compiled(x)
    finally:
        running.set()
        done.set()
        other.join()
    assert not wrong
    assert len(seen) > 2
    for a, b in zip(_flat(found), _flat(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    assert (type(model.w), type(model.p), type(W)) == (np.ndarray, nn.Parameter, np.ndarray)


def _flat(x: Any) -> list[Any]:
    return [y.data if isinstance(y, ag.Tensor) else np.asarray(y) for y in (x if isinstance(x, tuple) else (x,))]


def test_first_calls_of_many_threads_that_read_the_same_arrays() -> None:
    model = Model()
    expected = {k: ag.value_and_grad(model.loss)(np.full(2, float(k))) for k in range(6)}
    functions = [ag.compile(ag.value_and_grad(model.loss), backend="numpy") for _ in range(3)]
    wrong: list[Any] = []
    together = threading.Barrier(6)

    def work(k: int) -> None:
        together.wait(10)
        for f in functions:
            value, gradient = f(np.full(2, float(k)))
            if type(gradient) is not np.ndarray or not np.allclose(value, expected[k][0]) or not np.allclose(gradient, expected[k][1]):
                wrong.append((k, value, gradient, expected[k]))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_a_parameter_that_is_returned_and_one_that_is_written() -> None:
    model = Model()
    compiled = ag.compile(lambda x: (x + model.w, model.w, model.p, [model.rest]), backend="numpy")
    for _ in range(2):
        _, w, p, [[rest]] = compiled(np.ones(2))
        for found, was in ((w, model.w), (p, model.p.data), (rest, model.rest[0])):
            assert type(found) is np.ndarray
            np.testing.assert_array_equal(found, was)
    with pytest.raises(ag.errors.AutogradError):
        ag.compile(lambda x: np.add(model.w, x, out=model.w), backend="numpy")(np.ones(2))
    assert type(model.w) is np.ndarray
