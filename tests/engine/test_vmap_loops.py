"""ag.vmap where all examples cannot run at once: what loops and says so, writing in place, what is refused."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import autograd_np as ag

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 3))
Y = RNG.normal(size=4)


def each(f: Any, *columns: Any) -> Any:
    return np.stack([f(*row) for row in zip(*columns, strict=True)])


# --- what loops, and says so ----------------------------------------------------------------------


def looping(f: Any, *args: Any, match: str, in_axes: Any = 0) -> Any:
    with pytest.warns(ag.LoopWarning, match=match):
        return ag.vmap(f, in_axes=in_axes)(*args)


def test_what_asks_for_single_examples_is_looped() -> None:
    table = {
        "a branch on values": lambda x: x if x[0] > 0 else -2 * x,
        "float": lambda x: float(x[0]) + x,
        "np.asarray": lambda x: np.asarray([x[0], 2 * x[1]]),
        "a search": lambda x: x * (3 in x),
        "an index": lambda x: [10.0, 20.0][int(x[0] > 0)] + x,
        r"\.item": lambda x: x * x[0].item(),
        r"\.data": lambda x: x * np.asarray(x.data)[0],
        "format": lambda x: x * float(f"{x[0]:.3f}"),
        "pickle": lambda x: x * pickle.loads(pickle.dumps(x))[1],
        r"\.tolist": lambda x: x * x.tolist()[1],
    }
    for match, f in table.items():
        match = "int" if match == "an index" else match
        np.testing.assert_allclose(looping(f, X, match=match), each(f, X))


def test_an_operation_without_a_rule_is_looped_and_named() -> None:
    f = lambda x: np.convolve(x, np.ones(2)) * 2  # noqa: E731
    np.testing.assert_allclose(looping(f, X, match=r"np\.convolve in a loop over 4 examples"), each(f, X))
    g = ag.grad(lambda x: np.sum(np.convolve(x, x) ** 2))
    np.testing.assert_allclose(looping(g, X, match="convolve"), each(g, X))
    np.testing.assert_allclose(looping(np.interp, X, np.sort(X), X, match="searchsorted"), each(np.interp, X, np.sort(X), X))


def test_attributes_that_are_arrays() -> None:
    a = np.array([1.0, 1.1, 1.3, 1.6])
    f = lambda x: np.isclose(x, 1.0, rtol=np.array([0.0, 0.2, 0.4, 0.8]))  # noqa: E731
    np.testing.assert_array_equal(looping(f, a, match="isclose"), each(f, a))
    mask = np.array([True, False, True])
    np.testing.assert_allclose(ag.vmap(lambda x: np.sum(x, where=mask))(X), X[:, [0, 2]].sum(1))
    g = lambda x: np.sum(x, where=x > 0, initial=x[0])  # noqa: E731
    np.testing.assert_allclose(looping(g, X, match="np.sum"), each(g, X))


def test_a_loop_is_told_once_for_each_place() -> None:
    def f(x: Any) -> Any:
        return x if x[0] > 0 else -x

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("default")
        for _ in range(3):
            ag.vmap(f)(X)
        ag.vmap(f)(X)
    assert len([w for w in told if w.category is ag.LoopWarning]) == 2
    assert told[0].filename == __file__


def test_a_loop_under_and_over_gradients() -> None:
    def f(x: Any) -> Any:
        return np.sum(x**2) if x[0] > 0 else np.sum(x**3)

    np.testing.assert_allclose(looping(ag.grad(f), X, match="branch"), each(ag.grad(f), X))
    with pytest.warns(ag.LoopWarning, match="branch"):
        g = ag.grad(lambda x: np.sum(ag.vmap(f)(x)))(X)
    np.testing.assert_allclose(g, each(ag.grad(f), X))
    with pytest.warns(ag.LoopWarning, match="branch"):
        h = ag.vmap(lambda a: ag.vmap(lambda x: f(x) * a)(X))(Y)
    np.testing.assert_allclose(h, np.outer(Y, each(f, X)))
    with pytest.warns(ag.LoopWarning, match="branch"):
        h = ag.vmap(lambda a: ag.vmap(lambda x: a * x if a > 0 else x)(X))(Y)
    np.testing.assert_allclose(h, np.stack([a * X if a > 0 else X for a in Y]))


def test_what_is_caught_by_the_function_is_looped_all_the_same() -> None:
    def f(x: Any) -> Any:
        try:
            return x * (1 if x[0] > 0 else 2)
        except TypeError:
            return x * 100

    np.testing.assert_allclose(looping(f, X, match="branch"), each(f, X))


def test_results_of_different_forms() -> None:
    with pytest.raises(ValueError, match="shapes"), pytest.warns(ag.LoopWarning):
        ag.vmap(lambda x: x[x > 0])(X)
    with pytest.raises(ValueError, match="another form"), pytest.warns(ag.LoopWarning):
        ag.vmap(lambda x: [x] if x[0] > 0 else [x, x])(X)


# --- writing in place -----------------------------------------------------------------------------


def test_writing_into_arrays_that_the_function_made() -> None:
    def f(x: Any) -> Any:
        y = x * 1
        row = y[1:]
        row *= 2
        y[0] = x[2] * 10
        y += x
        total = 0.0
        total += y[0]
        total -= x[0]
        z = np.reshape(y, (3, 1))
        z[1] = total
        y[np.array([2])] = 7
        return y

    np.testing.assert_allclose(ag.vmap(f)(X), each(f, X))

    def g(x: Any) -> Any:
        y, z = copy.copy(x), copy.deepcopy(x)
        y += 1
        z[0] = 0
        return y * z + x

    np.testing.assert_allclose(ag.vmap(g)(X), each(g, X))


def test_writing_that_all_examples_cannot_share_is_looped() -> None:
    out = np.zeros(3)

    def into_outside(x: Any) -> Any:
        o = np.zeros(3)
        o[1:] = x[:2]
        return o

    def inside_a_gradient(x: Any) -> Any:
        def g(z: Any) -> Any:
            y = z * 2
            part = y[:2]
            part += z[1]
            return np.sum(y**2)

        return ag.grad(g)(x)

    np.testing.assert_allclose(looping(into_outside, X, match="written into|float"), each(into_outside, X))
    np.testing.assert_allclose(looping(inside_a_gradient, X, match="in place"), each(inside_a_gradient, X))
    np.testing.assert_allclose(looping(lambda x: np.add(x, 1, out=np.zeros(3)), X, match="out="), X + 1)
    np.testing.assert_array_equal(out, 0)


def test_arguments_are_not_written_into() -> None:
    def f(x: Any) -> Any:
        x[0] = 1
        return x

    kept = X.copy()
    with pytest.raises(ValueError, match="read-only"):
        ag.vmap(f)(kept)
    np.testing.assert_array_equal(kept, X)


# --- what has left --------------------------------------------------------------------------------


def test_an_array_that_left_its_vmap_is_refused() -> None:
    kept: list[Any] = []
    ag.vmap(lambda x: kept.append(x * 2) or x)(X)
    for use in (lambda b: b * 2, lambda b: np.sum(b), lambda b: bool(b), lambda b: b[0]):
        with pytest.raises(ag.DifferentiationError, match="after its function had returned"):
            use(kept[0])


def test_a_tensor_is_not_made_of_many_examples() -> None:
    def f(x: Any) -> Any:
        w = ag.Tensor(x, requires_grad=True)
        np.sum(w**2).backward()
        return w.grad

    np.testing.assert_allclose(looping(f, X, match="Tensor"), 2 * X)


def test_a_backward_pass_inside() -> None:
    def f(x: Any) -> Any:
        w = ag.Tensor(np.ones(3), requires_grad=True)
        np.sum(w * w * x).backward()
        return w.grad

    np.testing.assert_allclose(looping(f, X, match="backward"), 2 * X)


def test_the_surface_of_an_array() -> None:
    def f(x: Any) -> Any:
        assert (x.shape, x.ndim, x.size, x.dtype, len(x), x.nbytes) == ((3,), 1, 3, X.dtype, 3, 24)
        assert "4 examples of shape (3,)" in repr(x)
        a, b, c = x
        y = x.reshape(1, 3).T.copy().astype(np.float32).transpose().flatten().real
        y = y + x.sum() - x.mean() + x.max(axis=-1) * x.conj().dot(x) + abs(-x) ** 2 % 3 + (2 - x) / (3 + x**2) + 2.0 ** x.clip(0, 1)
        y = y + np.add.reduce(x) + np.multiply.outer(x, x)[0] + np.add.accumulate(x) + (x.argmax() + (x > 0).any()) + (x @ x)
        assert not hasattr(x, "nothing_of_the_kind")
        return a, b, c, y, (x.round() == x) | (x != x), x.imag

    got = ag.vmap(f)(X)
    y = X.astype(np.float32)
    np.testing.assert_allclose(got[0], X[:, 0])
    np.testing.assert_allclose(got[5], 0 * X)
    expected = [
        (y[i] + x.sum() - x.mean() + x.max() * (x @ x) + abs(-x) ** 2 % 3 + (2 - x) / (3 + x**2) + 2.0 ** x.clip(0, 1))
        + x.sum() + np.outer(x, x)[0] + np.cumsum(x) + (x.argmax() + (x > 0).any()) + (x @ x)
        for i, x in enumerate(X)
    ]  # fmt: skip
    np.testing.assert_allclose(got[3], expected, rtol=1e-6)
