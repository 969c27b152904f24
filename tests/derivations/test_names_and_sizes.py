"""Names are the user's, sizes are written as sizes, and what was not given is a parameter: whatever the function is made of."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from executed import agrees, executed, value_and_grad

import autograd_np as ag
from autograd_np import errors

LAM = 0.1
OFFSET = np.array([0.5, -1.5, 2.0])


def draw(*shapes: tuple[int, ...], seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


# --- sizes


def with_m(W: Any, X: Any) -> Any:
    m = X.shape[1]
    Z = W @ X
    return np.sum(Z**2) / m


def with_two_sizes(X: Any) -> Any:
    N, D = X.shape
    return np.sum(np.sin(X)) / N + np.sum(X**2) / D


def with_len(x: Any) -> Any:
    return np.sum(x**2) / len(x)


def with_inverse(X: Any) -> Any:
    m = X.shape[0]
    return 1 / m * np.sum(np.exp(X))


def with_size(X: Any) -> Any:
    return np.sum(X**3) / X.size


def with_root(Q: Any, K: Any) -> Any:
    d = Q.shape[-1]
    scores = Q @ K.T / np.sqrt(d)
    return np.mean(np.tanh(scores))


def with_means(X: Any) -> Any:
    mu = np.mean(X, axis=0)
    return np.mean((X - mu) ** 3)


def with_halves(x: Any) -> Any:
    half = len(x) // 2
    return np.sum(x[:half] ** 2) - np.sum(x[half:])


def with_ones(X: Any) -> Any:
    ones = np.ones((X.shape[0], 1))
    return np.sum(np.tanh(X) * ones) / X.shape[0]


def with_places(X: Any) -> Any:
    return np.sum(X[:, ::-2] ** 2) + np.sum(X[-1] * X[0]) + np.sum(X[1:, None, 0] ** 3)


SIZED = {
    with_m: (((3, 4), (4, 5)), ((3, 4), (4, 9))),
    with_two_sizes: (((4, 4),), ((6, 3),)),
    with_len: (((4,),), ((9,),)),
    with_inverse: (((4, 2),), ((7, 5),)),
    with_size: (((3, 4),), ((5, 2),)),
    with_root: (((3, 4), (5, 4)), ((6, 7), (2, 7))),
    with_means: (((5, 3),), ((8, 2),)),
    with_halves: (((6,),), ((10,),)),
    with_ones: (((4, 3),), ((2, 5),)),
    with_places: (((4, 4),), ((6, 3),)),
}


@pytest.mark.parametrize("f", SIZED, ids=lambda f: f.__name__)
def test_what_is_printed_runs_at_other_sizes(f: Any) -> None:
    here, there = SIZED[f]
    agrees(f, *draw(*here), at=draw(*there, seed=1))


def test_a_size_that_the_user_named_keeps_its_name_and_line() -> None:
    source = ag.derive(with_m, *draw((3, 4), (4, 5))).to_numpy()
    assert source.count("m = X.shape[1]") == 2
    assert "/ m" in source.split("def backward")[1]


def test_sizes_that_are_equal_by_accident_are_told_apart() -> None:
    source = ag.derive(with_two_sizes, *draw((4, 4))).to_numpy()
    backward = source.split("def backward")[1]
    assert "/ N" in backward
    assert "/ D" in backward


def test_a_loop_is_printed_unrolled() -> None:
    def f(x: Any, W: Any) -> Any:
        h = np.zeros_like(x)
        for _ in range(3):
            h = np.tanh(W @ h + x)
        return np.sum(h**2)

    source = agrees(f, *draw((4,), (4, 4)))
    assert "h_1" in source or "h_2" in source


def test_a_loop_over_an_axis_keeps_the_size_that_was_given() -> None:
    def f(X: Any) -> Any:
        total = 0.0
        for t in range(X.shape[0]):
            total = total + np.sum(np.sin(X[t])) * (t + 1)
        return total

    agrees(f, *draw((3, 5)), at=draw((3, 8), seed=1))


def test_a_function_for_one_size_only_is_derived_for_that_size() -> None:
    def f(x: Any) -> Any:
        if x.shape != (3,):
            raise ValueError("three numbers")
        return np.sum(np.cross(x, OFFSET) ** 2)

    value, (dx, *_) = value_and_grad(ag.derive(f, np.arange(3.0)).to_numpy(), np.arange(3.0), OFFSET=OFFSET)
    assert value == f(np.arange(3.0))
    np.testing.assert_allclose(dx, ag.grad(f)(np.arange(3.0)))


def test_what_depends_on_values_is_computed_from_them() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.sort(x)[:2] * np.array([1.0, 3.0])) + np.median(x) + x[np.argmax(x)] ** 2

    source = agrees(f, np.array([0.3, -1.0, 2.0, 0.7, 1.1]), at=[np.array([5.0, 4.0, 1.0, 2.0, 3.0])])
    assert "np.array([3" not in source


# --- constants


def test_constants_stay_as_they_are_written() -> None:
    def f(mu: Any, x: Any) -> Any:
        return np.sum(0.5 * np.log(2 * np.pi) + (x - mu) ** 2 / 2)

    assert "0.5 * np.log(2 * np.pi)" in agrees(f, *draw((3,), (3,)))


def test_a_constant_of_the_module_is_defined_in_forward() -> None:
    def f(W: Any) -> Any:
        return LAM * np.sum(W**2)

    source = agrees(f, *draw((3, 2)))
    assert "LAM = 0.1" in source


def test_an_array_of_the_module_is_a_parameter() -> None:
    def f(x: Any) -> Any:
        return np.sum((x - OFFSET) ** 2)

    source = ag.derive(f, np.ones(3)).to_numpy()
    value, (dx, *_) = value_and_grad(source, np.ones(3), OFFSET=OFFSET)
    assert value == f(np.ones(3))
    np.testing.assert_allclose(dx, ag.grad(f)(np.ones(3)))
    assert "def forward(x, OFFSET)" in source


def test_a_constant_of_a_closure_is_defined_and_an_array_is_a_parameter() -> None:
    rate, shift = 0.25, np.array([1.0, 2.0])

    def f(x: Any) -> Any:
        return rate * np.sum(np.sin(x * shift))

    source = ag.derive(f, np.ones(2)).to_numpy()
    value, (dx, *_) = value_and_grad(source, np.ones(2), shift=shift)
    assert "rate = 0.25" in source
    np.testing.assert_allclose(value, f(np.ones(2)))
    np.testing.assert_allclose(dx, ag.grad(f)(np.ones(2)))


def test_what_was_drawn_at_random_is_a_parameter() -> None:
    rng = np.random.default_rng(0)

    def f(x: Any) -> Any:
        mask = rng.random(x.shape) < 0.5
        return np.sum(np.tanh(x) * mask)

    source = ag.derive(f, np.ones((2, 3))).to_numpy()
    run = executed(source)["value_and_grad"]
    mask = np.array([[True, False, True], [False, False, True]])
    x = np.linspace(-1, 1, 6).reshape(2, 3)
    value, gradients = run(x, mask=mask)
    np.testing.assert_allclose(value, np.sum(np.tanh(x) * mask))
    np.testing.assert_allclose(gradients["dx"], mask * (1 - np.tanh(x) ** 2))


# --- names


def dense(x: Any, W: Any, b: Any) -> Any:
    Z = x @ W + b
    return np.tanh(Z)


def test_variables_of_called_functions_have_their_names() -> None:
    def f(x: Any, W: Any, b: Any, V: Any, c: Any) -> Any:
        return np.sum(dense(dense(x, W, b), V, c) ** 2)

    source = agrees(f, *draw((5, 3), (3, 4), (4,), (4, 2), (2,)))
    assert "dZ" in source


class Model:
    """A model with parameters, constants and a variable that it keeps."""

    def __init__(self) -> None:
        self.lam = 0.3
        self.offset = np.array([1.0, -1.0])

    def loss(self, W: Any, X: Any) -> Any:
        self.Z = X @ W + self.offset
        return np.sum(self.Z**2) + self.lam * np.sum(W**2)


def test_a_method_reads_what_its_object_holds() -> None:
    model = Model()
    W, X = draw((3, 2), (4, 3))
    source = ag.derive(model.loss, W, X).to_numpy()
    value, (dW, dX, *_) = value_and_grad(source, W, X, offset=model.offset)
    np.testing.assert_allclose(value, model.loss(W, X))
    for found, expected in zip((dW, dX), ag.grad(model.loss, argnums=(0, 1))(W, X), strict=True):
        np.testing.assert_allclose(found, expected)
    assert "lam = 0.3" in source
    assert "Z = " in source
    assert "self" not in source


@dataclass
class Parameters:
    """Two arrays."""

    W: Any
    b: Any


@pytest.mark.parametrize("container", [lambda W, b: {"W": W, "b": b}, lambda W, b: [W, b], Parameters], ids=["dict", "list", "dataclass"])
def test_entries_of_containers_are_arguments(container: Any) -> None:
    W, b, X = draw((3, 2), (2,), (4, 3))

    def f(p: Any, X: Any) -> Any:
        W, b = (p["W"], p["b"]) if isinstance(p, dict) else p if isinstance(p, list) else (p.W, p.b)
        return np.mean(np.tanh(X @ W + b))

    source = ag.derive(f, container(W, b), X).to_numpy()
    value, gradients = value_and_grad(source, W, b, X)
    np.testing.assert_allclose(value, f(container(W, b), X))
    for found, expected in zip(gradients, ag.grad(lambda W, b, X: f([W, b], X), argnums=(0, 1, 2))(W, b, X), strict=True):
        np.testing.assert_allclose(found, expected)


def test_lambdas_and_partial_functions() -> None:
    agrees(lambda x: np.sum(np.exp(x)), *draw((3,)))

    def f(x: Any, power: float) -> Any:
        return np.sum(x**power)

    W = np.array([1.5, 2.0, 0.7])
    agrees(functools.partial(f, power=3.0), W)


def test_names_that_are_words_of_python_or_of_the_program() -> None:
    def f(dx: Any, loss: Any, forward: Any, cache: Any, backward: Any) -> Any:
        out = dx * loss
        grad = out + np.sin(forward) * cache
        value_and_grad = grad**2 * backward
        return np.sum(value_and_grad)

    agrees(f, *draw((3,), (3,), (3,), (3,), (3,)))

    def of_a_dict(p: Any) -> Any:
        return np.sum(p["lambda"] * p["np"] ** 2)

    a, b = draw((3,), (3,))
    source = ag.derive(of_a_dict, {"lambda": a, "np": b}).to_numpy()
    value, (da, db) = value_and_grad(source, a, b)
    np.testing.assert_allclose(value, np.sum(a * b**2))
    np.testing.assert_allclose(da, b**2)
    np.testing.assert_allclose(db, 2 * a * b)


def test_a_variable_called_like_a_helper_of_the_program() -> None:
    def f(Z: Any) -> Any:
        e = np.exp(Z - np.max(Z, axis=1, keepdims=True))
        softmax = e / np.sum(e, axis=1, keepdims=True)
        return np.sum(np.log(softmax)[:, 0] * softmax[:, 1])

    agrees(f, *draw((4, 3)))


def test_a_variable_of_a_gradients_name_is_not_taken_for_it() -> None:
    def f(x: Any) -> Any:
        dy = x**2
        y = np.sin(dy)
        return np.sum(y * dy)

    agrees(f, *draw((3,)))


def test_numbers_among_the_arguments() -> None:
    def f(x: Any, rate: Any, power: int) -> Any:
        return rate * np.sum(x**power)

    x = np.array([1.0, 2.0, 3.0])
    source = ag.derive(f, x, 0.5, 3, wrt=["x"]).to_numpy()
    value, gradients = value_and_grad(source, x, 0.25, 2)
    np.testing.assert_allclose(value, f(x, 0.25, 2))
    np.testing.assert_allclose(gradients[0], 0.25 * 2 * x)


def test_integers_choose_places() -> None:
    def f(scores: Any, labels: Any) -> Any:
        n = len(labels)
        return np.sum(scores[np.arange(n), labels] ** 2) / n

    (scores,) = draw((5, 3))
    labels = np.array([0, 2, 1, 1, 0])
    source = ag.derive(f, scores, labels).to_numpy()
    other, chosen = draw((4, 6), seed=1)[0], np.array([5, 3, 3, 0])
    value, (gradient,) = value_and_grad(source, other, chosen)
    np.testing.assert_allclose(value, f(other, chosen))
    np.testing.assert_allclose(gradient, ag.grad(f)(other, chosen))


def test_writing_in_place() -> None:
    def f(a: Any, v: Any) -> Any:
        b = a * 2
        b[1:] = v
        b[0] += v[0]
        return np.sum(b**2)

    agrees(f, *draw((4, 2), (3, 2)))


def test_complex_results_are_refused() -> None:
    with pytest.raises(errors.DifferentiationError, match="real floating results"):
        ag.derive(lambda x: np.fft.fft(x), np.ones(3))


def test_unknown_variables_are_refused() -> None:
    with pytest.raises(errors.DifferentiationError, match="no variable is called 'q'; there are x"):
        ag.derive(with_len, np.ones(3), wrt="q")


def test_the_same_text_each_time() -> None:
    texts = {ag.derive(with_root, *draw((3, 4), (5, 4))).to_numpy() for _ in range(3)}
    assert len(texts) == 1
