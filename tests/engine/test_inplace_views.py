"""Memory that several Tensors show: written through any of them, seen through all, differentiated to every order."""

from __future__ import annotations

import copy
import weakref
from typing import Any

import numpy as np
import pytest
from oracles import complex_step, numeric_gradient

import autograd_np as ag
import nn

X = np.array([[0.4, -1.2, 0.9], [1.7, 0.3, -0.6]])
SQUARE = np.arange(1.0, 10.0).reshape(3, 3) / 5


def leaf(x: Any = X) -> ag.Tensor:
    return ag.Tensor(x, requires_grad=True)


def slope(f: Any, x: np.ndarray, along: np.ndarray) -> float:
    """Return the directional derivative by the complex step, on arrays of the memory layout of `x`."""
    moved = np.empty_like(x, dtype=complex)
    moved[...] = x + 1e-30j * along
    return float(np.imag(f(moved)) / 1e-30)


def gradient(f: Any, x: np.ndarray) -> np.ndarray:
    units = np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([slope(f, x, unit) for unit in units]).reshape(x.shape)


def check(f: Any, x: np.ndarray) -> None:
    """Compare value, gradient and Hessian of a scalar function with NumPy's, by the complex step."""
    np.testing.assert_allclose(ag.value_and_grad(f)(x)[0], f(x), rtol=1e-13)
    np.testing.assert_allclose(ag.grad(f)(x), gradient(f, x), rtol=1e-11, atol=1e-12)
    weights = np.cos(np.arange(x.size)).reshape(x.shape)

    def moved(v: np.ndarray) -> float:
        return slope(f, np.add(x, v - x, out=np.empty_like(x)), weights)

    numeric = numeric_gradient(moved, x)
    product = np.sum(ag.hessian(f)(x) * weights, axis=tuple(range(x.ndim, 2 * x.ndim)))
    np.testing.assert_allclose(product, numeric, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(ag.hvp(f, x, weights), product, rtol=1e-10, atol=1e-11)


# --- programs -------------------------------------------------------------------------------------


def _second_order(x: Any) -> Any:
    y = x * 1
    v = y[1:]
    v *= 2
    return np.sum(y**3)


def _element_of_a_flat_view(x: Any) -> Any:
    y = x * 1
    v = y.ravel()
    v[-1] *= 2
    return np.sum(y**3)


def _squeeze_of_nothing(x: Any) -> Any:
    y = x.copy()
    v = y.squeeze()
    y *= 2
    return np.sum(v**3)


def _overlapping(x: Any) -> Any:
    y = x * 1
    row = y[1]
    row *= 0.5
    v = y[:1]
    v -= v
    w = y.T[1:]
    w += y.T[:-1]
    y[-1, -1] += 0.018
    return np.sum(y**3) + np.sum(row * w[0, 1])


def _swapped_and_overwritten(x: Any) -> Any:
    y = x * 1
    y[0], y[1] = y[1], y[0]
    y[:, 0], y[:, 1] = y[:, 1].copy(), y[:, 0].copy()
    return np.sum(y**3 * (1 + x))


def _live_rows(x: Any) -> Any:
    y = np.sin(x)
    rows = list(y)
    for i, row in enumerate(rows):
        row += rows[i - 1] * x[i]
    return np.sum(rows[0] * rows[1]) + np.sum(y**3)


def _read_between_writes(x: Any) -> Any:
    y = x * x
    diagonal, total = np.diagonal(y), 0.0
    for i in range(len(y)):
        y[i] = y[i] * 0.5 + x[i, 0]
        total = total + np.sum(diagonal**2)
    return total


def _into_what_was_given(x: Any) -> Any:
    y, z = x * 1, np.zeros_like(x)
    np.multiply(y, x, out=z)
    np.add(z[0], y[1], out=y[0])
    np.sum(z, axis=0, out=z[-1])
    np.subtract(y, z, out=y, where=np.arange(y.size).reshape(y.shape) % 2 == 0)
    np.add.at(y, np.array([0, 0, 1]), x[:1])
    np.copyto(z[:, 0], y[0, 0] * x[:, 1])
    return np.sum(y**3 + z**2)


def _numpys_writers(x: Any) -> Any:
    y = x * 2
    np.put(y, [0, -1], x[0] * 3)
    np.putmask(y, np.arange(y.size).reshape(y.shape) % 4 == 1, x.ravel())
    np.place(y, np.arange(y.size).reshape(y.shape) % 4 == 2, x[1])
    np.copyto(y, x * x, where=np.arange(y.size).reshape(y.shape) % 4 == 3)
    np.fill_diagonal(y[:, ::-1], x[0, 0] ** 2)
    np.put_along_axis(y, np.array([[1]] * len(y)), x[:, :1] * 5, axis=1)
    y[:, -1].fill(2.0)
    y.put([1], x[0, 0])
    return np.sum(y**3) + np.sum(y * x)


def _sorted_through_a_view(x: Any) -> Any:
    y = x * 1
    y[:, ::-1].sort(axis=1)
    return np.sum(y**3 * np.arange(1, 4))


def _zeros_that_are_filled(x: Any) -> Any:
    y = np.zeros_like(x)
    top, flat = y[0], y.reshape(-1)
    top[...] = x[0] ** 2
    flat[-2:] += top[:2] * x[1, 0]
    y[1] *= y[0]
    return np.sum(flat**2) + np.sum(top)


PROGRAMS = (
    _second_order, _element_of_a_flat_view, _squeeze_of_nothing, _overlapping, _swapped_and_overwritten, _live_rows, _read_between_writes,
    _into_what_was_given, _numpys_writers, _sorted_through_a_view, _zeros_that_are_filled,
)  # fmt: skip


@pytest.mark.parametrize("layout", ["C", "F", "gaps"])
@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__[1:])
def test_programs_of_views_and_writes(f: Any, layout: str) -> None:
    x = SQUARE * np.array([1.0, -1.0, 1.0])
    wide = np.repeat(x, 2, axis=1)[:, ::2]
    check(f, {"C": x, "F": np.asfortranarray(x), "gaps": wide}[layout])


def test_each_live_row_is_written_once_and_read_once() -> None:
    """As many operations as rows, not as rows times rows."""
    y = leaf(np.ones((60, 2))) * 1
    rows = list(y)
    for row in rows:
        row *= 2
    assert len(ag.graph(np.sum(y))) < 4 * 60
    assert rows[0].data[0] == 2.0


def test_many_live_views_are_noted_in_linear_time() -> None:
    y = leaf(np.ones((3000, 1))) * 1
    rows = list(y)
    assert len(y._storage.fresh) == 3001
    y += 1
    assert len(y._storage.fresh) == 1
    assert rows[-1].data[0] == 2.0
    assert len(y._storage.fresh) == 2


# --- layouts --------------------------------------------------------------------------------------

RESULTS = {
    "copy": lambda x: x.copy(), "copy F": lambda x: x.copy("F"), "copy K": lambda x: x.copy("K"), "np.copy": np.copy,
    "times one": lambda x: x * 1,
    "ravel": lambda x: x.ravel(), "reshape": lambda x: x.reshape(-1), "flatten": lambda x: x.flatten(),
    "reshape F": lambda x: np.reshape(x, (3, -1), order="F"),
    "astype": lambda x: x.astype(np.float32), "astype C": lambda x: x.astype(np.float32, order="C"), "zeros_like": np.zeros_like,
    "sum": lambda x: np.sum(x, 0),
    "transpose": lambda x: (x * 1).transpose(1, 0), "matmul": lambda x: x @ x.T, "where": lambda x: np.where(x > 0, x, 0.0),
    "meshgrid": lambda x: np.meshgrid(x, x)[0],
    "sort": np.sort, "add": lambda x: x + np.ones(x.shape), "mixed": lambda x: x + np.asfortranarray(np.ones(x.shape)),
    "reshape copy": lambda x: x.reshape(3, 2, copy=True),
    "stack": lambda x: np.stack([x, x]), "concatenate": lambda x: np.concatenate([x, x]), "take": lambda x: x[[0, 1]],
    "mask": lambda x: x[x > 0],
}  # fmt: skip


@pytest.mark.parametrize("start", ["C", "F", "gaps"])
@pytest.mark.parametrize("name", RESULTS)
def test_a_result_lies_in_memory_as_numpys_does(name: str, start: str) -> None:
    """What is a view of it, and what a copy, depends on that."""
    x = {"C": X, "F": np.asfortranarray(X), "gaps": np.repeat(X, 2, axis=1)[:, ::2]}[start]
    expected = RESULTS[name](x)
    seen = []

    def f(t: Any) -> Any:
        seen.append(RESULTS[name](t))
        return np.sum(t)

    ag.grad(f)(x)
    ag.grad(lambda t: np.sum(ag.grad(f)(t)))(x)
    for t in seen:
        while isinstance(t, ag.Tensor):
            t = t.data
        assert t.strides == expected.strides
        assert t.flags.writeable == expected.flags.writeable


@pytest.mark.parametrize("how", ["add", "set", "sort", "view"])
def test_a_write_keeps_the_layout(how: str) -> None:
    y = leaf(np.asfortranarray(X)) * 1
    v = y.T
    if how == "add":
        y += np.ones((2, 3))
    elif how == "set":
        y[0] = 1.0
    elif how == "sort":
        y.sort()
    else:
        v *= np.ones((3, 2))
    assert y.data.flags.f_contiguous
    assert np.shares_memory(y.data, v.data)
    assert v.reshape(-1)._storage is y._storage


# --- numbers are no memory ------------------------------------------------------------------------


def test_an_element_is_a_number_as_in_numpy() -> None:
    y = leaf(np.array([1.0, 2.0])) * 1
    last = y[-1]
    same = last
    last *= 10
    assert (same.data, last.data) == (2.0, 20.0)
    np.testing.assert_array_equal(y.data, [1.0, 2.0])
    total = np.sum(y)
    total += y  # a number plus an array is an array
    assert total.shape == (2,)
    for write in (lambda: last.__setitem__(..., 1.0), lambda: np.put(last.copy(), 0, 1.0), lambda: np.add(last, 1.0, out=np.sum(y))):
        for kind in (TypeError, ag.AutogradError):
            with pytest.raises(kind, match="no arrays"):
                write()


def test_an_array_of_no_axes_is_memory() -> None:
    c = ag.Tensor(0.0)
    same, view = c, c[...]
    for k in range(3):
        c += leaf(np.array(1.0 * k))
    assert same is c
    assert view.data == 3.0
    assert view.requires_grad
    y = np.broadcast_to(c, (2,))
    c *= 2
    np.testing.assert_array_equal(y.data, [6.0, 6.0])
    c.reshape(1, 1)[[0, 0], [0, 0]] = np.array([1.0, 5.0])
    assert c.data == 5.0


# --- parameters -----------------------------------------------------------------------------------


def test_a_view_of_a_parameter_follows_its_updates() -> None:
    w = nn.Parameter(X)
    before, row = w.T, w[1]
    for _ in range(2):
        w.grad = None
        (np.sum(before**2) + np.sum(row * 3)).backward()
        np.testing.assert_allclose(w.grad, 2 * w.data + [[0.0], [3.0]])
        with ag.no_grad():
            w -= 0.1 * w.grad
    assert type(w) is nn.Parameter
    assert w.is_leaf


def test_a_parameter_is_written_through_a_view_under_no_grad() -> None:
    w = leaf()
    kept = w.T
    recorded = np.sum(w**2)
    with ag.no_grad():
        row = w[0]
        row *= 0
        w.ravel()[-1:] += 1
        np.copyto(w[1, :2], [5.0, 6.0])
        w[:, 1].fill(7.0)
    expected = np.array([[0.0, 7.0, 0.0], [5.0, 7.0, X[1, 2] + 1]])
    np.testing.assert_array_equal(w.data, expected)
    recorded.backward()
    np.testing.assert_array_equal(w.grad, 2 * X)
    w.grad = None
    np.sum(kept**2).backward()
    np.testing.assert_array_equal(w.grad, 2 * expected)
    with pytest.raises(ag.InPlaceError, match="memory of the leaf"):
        kept += 1
    np.testing.assert_array_equal(w.data, expected)


def test_a_view_made_under_no_grad_is_a_constant_that_follows() -> None:
    x = leaf(np.array([1.0, 2.0, 3.0]))
    y = x * 2
    with ag.no_grad():
        part = y[1:]
    y *= 3
    assert not part.requires_grad
    np.testing.assert_array_equal(part.data, [12.0, 18.0])
    part[0] = 5.0  # a constant in the memory of y
    np.sum(y[1:] * part).backward()
    np.testing.assert_array_equal(x.grad, [0.0, 0.0, 108.0])
    with pytest.raises(ag.InPlaceError, match="under no_grad"):
        part += x[1:]


def test_a_view_made_under_no_grad_does_not_keep_the_graph() -> None:
    x = leaf()
    y = np.tanh(x) * 2
    with ag.no_grad():
        row, column = y[0], y[:, 0]
    watched = weakref.ref(y._node.values[0])
    y += 1
    del y
    assert watched() is None
    row *= 2
    np.testing.assert_allclose(row.data, 4 * np.tanh(X[0]) + 2)
    np.testing.assert_allclose(column.data, (2 * np.tanh(X[:, 0]) + 1) * [2, 1])
    column[1] = x[0, 0]  # nothing of the old graph is lost any more
    np.sum(column * row[0]).backward()
    np.testing.assert_allclose(x.grad[0, 0], row.data[0])


def test_what_no_grad_writes_is_constant_and_the_rest_keeps_its_graph() -> None:
    x = leaf(np.array([1.0, 2.0, 3.0]))
    y = x * x
    part = y[1:]
    with ag.no_grad():
        y[0] = 7.0
        y[1:2] *= 2
    np.sum(y * np.array([1.0, 10.0, 100.0]) + part[1]).backward()
    np.testing.assert_array_equal(x.grad, [0.0, 0.0, 600.0 + 18.0])


def test_setting_data_leaves_the_views_with_the_old_memory() -> None:
    w = leaf()
    row = w[0]
    w.data = X + 1
    with ag.no_grad():
        w *= 2
    np.testing.assert_array_equal(row.data, X[0])
    np.testing.assert_array_equal(w[0].data, 2 * (X[0] + 1))
    w.data[1] = 0.0  # the user's own array
    np.testing.assert_array_equal(w.T.data[:, 1], 0)


def test_a_part_that_becomes_a_variable_forbids_writes() -> None:
    c = ag.Tensor(np.ones(3))
    part = c[1:]
    part.requires_grad = True
    with pytest.raises(ag.InPlaceError, match="leaf"):
        c[1] = 5.0
    with ag.no_grad():
        c[1] = 5.0
    np.sum(part**2).backward()
    np.testing.assert_array_equal(part.grad, [10.0, 2.0])
    del part
    c[1] = 6.0


def test_an_operation_of_the_users_that_returns_its_argument() -> None:
    same = ag.define(lambda x: x, partials=[1])
    clipped = ag.custom_gradient(lambda x: (x, lambda g: g.clip(-1, 1)))
    part = ag.define(lambda x: x[1:], vjp=lambda g, y, x: np.concatenate([[0.0], g]))
    for view in (same, clipped, part, same):
        y = leaf(np.ones(3)) * 2
        v = view(y)
        v *= 2
        expected = np.full(3, 2.0)
        view(expected)[...] *= 2
        np.testing.assert_array_equal(y.data, expected)


# --- transforms inside transforms -----------------------------------------------------------------


def test_what_an_inner_transform_recorded_is_not_changed_by_a_later_write() -> None:
    def f(x: Any) -> Any:
        y = x * 1
        out, pullback = ag.vjp(lambda v: v * v * y, y)
        y *= 100
        out *= 0
        return np.sum(pullback(np.ones(3))[0] ** 2)

    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(ag.grad(f)(x), 16 * x**3)


def test_writing_the_argument_of_an_inner_transform_is_refused_while_it_runs() -> None:
    def f(x: Any) -> Any:
        y = x * 1

        def g(z: Any) -> Any:
            y[0] = 5.0
            return np.sum(z)

        return np.sum(ag.grad(g)(y))

    with pytest.raises(ag.InPlaceError, match="memory of the leaf"):
        ag.grad(f)(np.ones(3))


def test_a_write_after_an_inner_transform_has_ended() -> None:
    def f(x: Any) -> Any:
        y = x * x
        g = ag.grad(lambda z: np.sum(z**3))(y)
        g[0] = 0.0
        y[1:] *= g[1:]
        return np.sum(y * y)

    x = np.array([0.4, -1.2, 0.9])
    np.testing.assert_allclose(ag.grad(f)(x), [4 * x[0] ** 3, *(108 * x[1:] ** 11)], rtol=1e-12)


def test_memory_made_inside_a_transform_may_mix_the_levels() -> None:
    def f(x: Any) -> Any:
        def g(z: Any) -> Any:
            y = x * x
            row = y[0]
            y[1] = z[1] * row
            row *= z[0]
            return np.sum(y**2)

        return np.sum(ag.grad(g)(x * 3) ** 2)

    def by_hand(x: Any) -> Any:
        z, a = x * 3, x[0] * x[0]
        return np.sum((2 * a**2 * z[0]) ** 2 + (2 * a**2 * z[1]) ** 2)

    np.testing.assert_allclose(ag.grad(f)(X), complex_step(by_hand, X), rtol=1e-11, atol=1e-12)


def test_gradients_of_one_transform_share_no_memory() -> None:
    def f(x: Any) -> Any:
        a, b = ag.grad(lambda p, q: np.sum(p + q.T), (0, 1))(x, x.T)
        a *= 5
        return np.sum(b.T * x)

    np.testing.assert_array_equal(ag.grad(f)(X), 1)


# --- ndarrays beside Tensors ----------------------------------------------------------------------


def test_an_array_that_numpy_made_of_a_tensor_forbids_writes() -> None:
    c = ag.Tensor(np.zeros(3))
    array = np.asarray(c)
    with pytest.raises(ag.InPlaceError, match=r"np\.array\(x\)"):
        c[0] = 1.0
    array[1] = 5.0
    np.testing.assert_array_equal(c.data, [0.0, 5.0, 0.0])
    del array
    c[0] = 1.0
    np.testing.assert_array_equal(c, [1.0, 5.0, 0.0])  # what NumPy looks at and lets go of does not count


def test_an_array_is_not_written_and_not_shared() -> None:
    given = X.copy()
    t = ag.Tensor(given)
    t[0] = 5.0
    t.T[...] = 1.0
    np.testing.assert_array_equal(given, X)
    given[0] = 9.0
    np.testing.assert_array_equal(t.data, 1.0)
    stopped = ag.stop_gradient(given)
    given[1] = 9.0
    np.testing.assert_array_equal(stopped[1], X[1])


@pytest.mark.parametrize("call", [np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis], ids=lambda f: f.__name__)
def test_writing_a_tensor_into_an_array_is_refused_by_name(call: Any) -> None:
    a, t = np.zeros((2, 2)), leaf(np.ones(2))
    args = {np.copyto: (t,), np.fill_diagonal: (t,), np.put: ([0], t), np.put_along_axis: (np.zeros((1, 2), int), t, 0)}.get(
        call, (a == 0, t)
    )
    with pytest.raises(ag.AutogradError, match="lose its gradient"):
        call(a, *args)
    np.testing.assert_array_equal(a, 0)


def test_what_numpy_refuses_to_write_is_refused() -> None:
    y = leaf(np.ones(3)) * 1
    with pytest.raises(ValueError, match="shape"):
        np.sum(y, out=y)
    with pytest.raises(TypeError, match=r"float64.*int64"):
        np.add(y, 1, out=ag.Tensor([1, 2, 3]))
    with pytest.raises(TypeError, match="casting"):
        np.copyto(ag.Tensor([1, 2, 3]), y)
    with pytest.raises(IndexError, match="bounds"):
        np.put(y, [3], 1.0)
    with pytest.raises(ag.InPlaceError, match="twice"):
        np.multiply.at(y, [0, 0], 2.0)
    with pytest.raises(ag.InPlaceError, match=r"vals\.copy"):
        np.place(y, y > 0, y[::-1])
    np.testing.assert_array_equal(y.data, 1)


def test_a_float_written_into_integers_carries_no_gradient() -> None:
    n, x = ag.Tensor([1, 2, 3]), leaf(np.array([1.7, 2.0]))
    n[0] = x[0]
    assert not n.requires_grad
    np.testing.assert_array_equal(n.data, [1, 2, 3])


# --- what a Tensor is while its memory has moved on -----------------------------------------------


def test_a_view_that_is_out_of_date_is_a_tensor_in_every_respect() -> None:
    y = leaf() * 1
    rows = list(y)
    y *= 2
    assert isinstance(rows[0], ag.Tensor)
    assert rows[0].shape == (3,)
    y *= 2
    assert repr(rows[0]) == repr(y[0])
    y *= 2
    np.testing.assert_array_equal(copy.copy(rows[0]).data, 8 * X[0])
    y *= 2
    assert rows[0].requires_grad
    assert type(rows[0]) is ag.Tensor
    y *= 2
    assert np.sum(rows[0] * rows[1]).requires_grad
    assert hash(rows[0]) == hash(rows[0])


def test_old_values_are_not_kept_by_views_of_them() -> None:
    c = ag.Tensor(np.ones((4, 2)))
    rows, old = list(c), []
    for row in rows:
        old.append(weakref.ref(c.data))
        row += 1
    assert c.data[0, 0] == 2.0
    assert not any(r() is not None for r in old[:-1])


def test_a_full_array_without_axes_is_written_through_its_views() -> None:
    def f(y: Any) -> Any:
        full = np.full_like(y, 0.5)
        view = np.atleast_1d(full)
        view[0] = y
        full *= 2
        return np.sum(view**2) + full

    assert ag.grad(f)(3.0) == 2 * 2 * 6 + 2


def test_a_block_of_one_array_is_a_copy() -> None:
    def f(x: Any) -> Any:
        y = x * 1.0
        block = np.block(y)
        block *= 3
        return np.sum(y**2)

    np.testing.assert_array_equal(ag.grad(f)(np.array([1.0, 2.0])), [2.0, 4.0])


def test_a_read_only_copy_onto_itself_is_none() -> None:
    """NumPy skips a copy of memory onto itself before it asks whether it may write, also where there is no memory."""
    for shape, k in (((2, 2), 0), ((1, 1), 1)):
        for where in (True, np.zeros(max(shape[0] - k, 0), bool)):

            def f(x: Any, k: int = k, where: Any = where) -> Any:
                y = x * 1
                diagonal = np.diagonal(y, k)
                np.copyto(diagonal, np.diagonal(y, k).transpose((0,)), where=where)
                return np.sum(y**2) + np.sum(diagonal)

            def plain(x: Any, k: int = k) -> Any:
                return np.sum(x**2) + np.sum(np.diagonal(x, k))

            x = np.arange(1.0, shape[0] * shape[1] + 1).reshape(shape)
            assert f(x) == plain(x)
            np.testing.assert_array_equal(ag.grad(f)(x), ag.grad(plain)(x))
    y = np.diagonal(ag.Tensor(np.ones((1, 1)), requires_grad=True) * 1, 1)
    with pytest.raises(ValueError, match="read-only"):
        np.copyto(y, np.ones(0))
