"""Writing in place inside ag.vmap: what a write reaches, with a gradient around it, under masks. A LoopWarning fails a test, as all do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_np as ag

RNG = np.random.default_rng(3)
X = RNG.normal(size=(3, 4))
MASKS = np.array([[True, False, False, True], [False, False, False, False], [True, True, True, False]])


def each(f: Any, *columns: Any) -> Any:
    return np.stack([f(*row) for row in zip(*columns, strict=True)])


def by_complex_step(f: Any, x: Any) -> Any:
    g = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[i] += 1e-30j
        g[i] = np.imag(f(moved)) / 1e-30
    return g


# --- views ----------------------------------------------------------------------------------------


def through_a_flat_view(x: Any) -> Any:
    y = x * 1.0
    y.ravel()[0] = 7.0
    y.reshape(-1)[1:] *= y.ravel()[0]
    return y


@pytest.mark.parametrize("axis", range(4))
@pytest.mark.parametrize("lay", [np.ascontiguousarray, np.asfortranarray])
def test_what_a_write_reaches_does_not_depend_on_where_the_examples_are(axis: int, lay: Any) -> None:
    x = lay(RNG.normal(size=(2, 3, 2, 4)))
    alone = each(through_a_flat_view, np.moveaxis(x, axis, 0))
    np.testing.assert_array_equal(ag.vmap(through_a_flat_view, in_axes=axis)(x), alone)

    def around(t: Any) -> Any:
        return np.sum(np.sin(ag.vmap(through_a_flat_view, in_axes=axis)(t * 1.0)))

    def plainly(t: Any) -> Any:
        return np.sum(np.sin(each(through_a_flat_view, np.moveaxis(t, axis, 0))))

    np.testing.assert_allclose(ag.grad(around)(x), by_complex_step(plainly, x), rtol=1e-12)


@pytest.mark.parametrize("axes", [(0, 0), (2, 1), (1, 2), (3, 2)])
def test_writes_into_the_examples_of_examples(axes: Any) -> None:
    x = RNG.normal(size=(2, 3, 2, 4))
    outer, inner = axes
    expected = each(lambda t: each(through_a_flat_view, np.moveaxis(t, inner, 0)), np.moveaxis(x, outer, 0))
    twice = ag.vmap(ag.vmap(through_a_flat_view, in_axes=inner), in_axes=outer)
    np.testing.assert_array_equal(twice(x), expected)
    by_step = by_complex_step(
        lambda t: np.sum(np.sin(each(lambda u: each(through_a_flat_view, np.moveaxis(u, inner, 0)), np.moveaxis(t, outer, 0)))), x
    )
    np.testing.assert_allclose(ag.grad(lambda t: np.sum(np.sin(twice(t))))(x), by_step, rtol=1e-12)
    with pytest.raises(ValueError, match="read-only"):
        ag.vmap(ag.vmap(overwrite))(x)


def test_a_write_reaches_the_view_of_what_was_taken() -> None:
    tables, places = RNG.normal(size=(3, 2, 5)), np.array([[0, 1], [4, 4], [2, 0]])

    def f(table: Any, i: Any) -> Any:
        y = np.take(table, i, axis=1)
        y.ravel()[0] = 7.0
        return y

    np.testing.assert_array_equal(ag.vmap(f)(tables, places), each(f, tables, places))


def swapped(x: Any) -> Any:
    y = x * 1.0
    first, y[0] = y[0], y[1]
    y[1] = first
    a, b = y[2:]
    y[2], y[3] = b, a
    zero = y[0, ...]
    y[0] += 1
    return y * zero


def forwards_and_backwards(x: Any) -> Any:
    y = np.multiply.outer(x, x[:3]).T * 1.0
    flat, back, lines, some = y.ravel(order="F"), y.ravel(), y.reshape((2, 6), order="F"), y[[0, 2]]
    y[0] = 3.0
    flat[3] = x[0]
    lines[1, 2] *= 2
    back[0] = 5.0
    some.ravel(order="F")[0] = x[1]
    some.ravel()[1] = x[3]
    odd = flat[::2].ravel()
    odd[1] = 9.0
    return np.concatenate([y.ravel(), flat, lines.ravel(), back, some.ravel(), odd])


@pytest.mark.parametrize("f", [swapped, forwards_and_backwards])
def test_a_number_is_no_view_and_a_flat_array_is_one_where_it_is_of_one_example(f: Any) -> None:
    np.testing.assert_array_equal(ag.vmap(f)(X), each(f, X))
    np.testing.assert_array_equal(ag.vmap(ag.vmap(f), in_axes=1)(np.stack([X, -X], axis=1)), np.stack([each(f, X), each(f, -X)]))
    found = ag.grad(lambda t: np.sum(np.sin(ag.vmap(f)(t))))(X)
    np.testing.assert_allclose(found, by_complex_step(lambda t: np.sum(np.sin(each(f, t))), X), rtol=1e-12)


@pytest.mark.filterwarnings("ignore::autograd_np.LoopWarning")
def test_a_view_that_a_loop_returned_follows_its_memory() -> None:
    def f(x: Any) -> Any:
        y = x * 1.0
        view = np.ravel(y, order="K")
        y[0] = 3.0
        return view

    np.testing.assert_array_equal(ag.vmap(f)(X), each(f, X))


# --- a gradient around it -------------------------------------------------------------------------


def written(x: Any) -> Any:
    y = x * 1.0
    y[1:] += y[:-1]
    y[0] = 2 * y[-1]
    y *= x
    row = y[1:3]
    row[:] = row[::-1] * y[0]
    out = np.zeros_like(x)
    out[::2] = y[::2] * x[1]
    return out + y


def test_the_gradient_of_writes_into_all_examples() -> None:
    def around(t: Any) -> Any:
        return np.sum(ag.vmap(written)(t) ** 2)

    expected = by_complex_step(lambda t: np.sum(each(written, t) ** 2), X)
    np.testing.assert_allclose(ag.grad(around)(X), expected, rtol=1e-12)
    np.testing.assert_allclose(ag.jvp(around, (X,), (np.cos(X),))[1], np.sum(expected * np.cos(X)), rtol=1e-12)
    by_one = ag.grad(lambda t: ag.grad(around)(t)[1, 2])(X)
    step = np.zeros_like(X)
    step[1, 2] = 1e-6
    np.testing.assert_allclose(by_one, (ag.grad(around)(X + step) - ag.grad(around)(X - step)) / 2e-6, rtol=1e-5, atol=1e-6)


def overwrite(x: Any) -> Any:
    x[0] = 0.0
    return x


@pytest.mark.filterwarnings("ignore::autograd_np.LoopWarning")
@pytest.mark.parametrize("change", [overwrite, lambda x: overwrite(x[::-1]), lambda x: x.__imul__(2.0)])
def test_an_argument_is_not_written_into_with_a_gradient_around(change: Any) -> None:
    def around(t: Any) -> Any:
        own = t * 1.0
        return np.sum(ag.vmap(change)(own)) + np.sum(own * own)

    with pytest.raises(ValueError, match="read-only"):
        ag.grad(around)(X)
    with pytest.raises(ValueError, match="read-only"):
        ag.vmap(change)(X.copy())


# --- masks ----------------------------------------------------------------------------------------


def masked_by_values(x: Any, m: Any) -> Any:
    y = x + 0.0
    y[y < 0] = 0.25
    y[m] = x[2]
    y[m, ...] = x[:1]
    return y


def masked_rows(x: Any, m: Any) -> Any:
    y = np.multiply.outer(x, x)
    y[m] = x
    y[np.multiply.outer(m, m)] = 3
    return y


@pytest.mark.parametrize("f", [masked_by_values, masked_rows])
def test_a_mask_for_each_example_is_written_under_for_all_at_once(f: Any) -> None:
    found = ag.vmap(f)(X, MASKS)
    np.testing.assert_array_equal(found, each(f, X, MASKS))
    by_x = ag.grad(lambda t: np.sum(np.sin(ag.vmap(f)(t, MASKS))))(X)
    np.testing.assert_allclose(by_x, each(lambda x, m: ag.grad(lambda t: np.sum(np.sin(f(t, m))))(x), X, MASKS), rtol=1e-12)
    assert ag.vmap(f)(X.astype(np.float32), MASKS).dtype == np.float32
    nested = ag.vmap(ag.vmap(f), in_axes=(0, None))(np.stack([X, 2 * X]), MASKS)
    np.testing.assert_array_equal(nested, np.stack([found, each(f, 2 * X, MASKS)]))


@pytest.mark.filterwarnings("ignore::autograd_np.LoopWarning")
@pytest.mark.parametrize(("dtype", "value"), [(int, 0.5), (bool, 2), (float, 0.5)])
def test_a_mask_converts_as_assignment_does(dtype: Any, value: Any) -> None:
    def f(x: Any, m: Any) -> Any:
        y = x.astype(dtype)
        y[m] = value
        return y

    found = ag.vmap(f)(X * 4, MASKS)
    np.testing.assert_array_equal(found, each(f, X * 4, MASKS), strict=True)


# --- functions that write -------------------------------------------------------------------------


def with_functions(x: Any, i: Any, m: Any) -> Any:
    y = np.multiply.outer(x, x)
    np.fill_diagonal(y, x[1])
    np.copyto(y[0], x, where=m)
    np.put(y, [1, 5], x[:2])
    np.add.at(y, (i, [0, 0]), x[2:])
    np.subtract.at(y, ([1, 1], i), x[1])
    np.multiply.at(y, [2, 0], x)
    return y


def test_functions_that_write() -> None:
    places = np.array([[0, 0], [3, 1], [-1, 3]])
    np.testing.assert_allclose(ag.vmap(with_functions)(X, places, MASKS), each(with_functions, X, places, MASKS), rtol=1e-14)
    found = ag.grad(lambda t: np.sum(np.sin(ag.vmap(with_functions)(t, places, MASKS))))(X)
    expected = by_complex_step(lambda t: np.sum(np.sin(each(with_functions, t, places, MASKS))), X)
    np.testing.assert_allclose(found, expected, rtol=1e-11)


@pytest.mark.parametrize("f", [lambda x: np.copyto, lambda x: np.add.at, lambda x: np.fill_diagonal])
def test_arrays_that_are_not_of_examples_are_written_one_by_one(f: Any) -> None:
    def into_its_own(x: Any) -> Any:
        y = np.zeros((2, 2))
        args = {"copyto": (y, x[:2]), "at": (y, [0, 1], x[:2]), "fill_diagonal": (y, x[2])}
        f(x)(*args[f(x).__name__])
        return y

    with pytest.warns(ag.LoopWarning):
        found = ag.vmap(into_its_own)(X)
    np.testing.assert_array_equal(found, each(into_its_own, X))


@pytest.mark.parametrize("reduce", [np.sum, np.mean, np.prod, np.var, np.std, lambda x, **how: np.max(x, initial=-9.0, **how)])
@pytest.mark.parametrize("axis", [None, -1])
def test_reductions_under_a_mask_of_each_example(reduce: Any, axis: Any) -> None:
    x, mask = RNG.normal(size=(3, 2, 4)), MASKS | np.array([True, True, False, False])

    def f(x: Any, m: Any) -> Any:
        return np.sum(np.sin(reduce(x, axis=axis, where=m)))

    np.testing.assert_allclose(ag.vmap(f)(x, mask), each(f, x, mask), rtol=1e-12)
    alone = each(lambda x, m: ag.grad(f)(x, m), x, mask)
    np.testing.assert_allclose(ag.vmap(ag.grad(f))(x, mask), alone, rtol=1e-12)
    np.testing.assert_allclose(ag.grad(lambda t: np.sum(ag.vmap(f)(t, mask)))(x), alone, rtol=1e-12)
    shared = ag.vmap(lambda m: f(x[0] * 1.0 + 0 * m, m))(mask)
    np.testing.assert_allclose(shared, each(lambda m: f(x[0], m), mask), rtol=1e-12)


def test_no_examples_have_indices_of_their_own() -> None:
    def f(a: Any, i: Any) -> Any:
        y = a * 1.0
        y[i] = a[i, ::-1]
        return np.take(y, i, axis=1) + y[0]

    a, i = np.ones((0, 3, 3)), np.ones(0, int)
    assert ag.vmap(f)(a, i).shape == (0, 3)
    assert ag.vmap(lambda a, i: a[i])(a, i).shape == (0, 3)
    assert ag.vmap(ag.grad(lambda a, i: np.sum(a[i] ** 2)))(a, i).shape == (0, 3, 3)
