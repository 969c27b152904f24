"""Writes in place: what NumPy computes, at every order; refused is only what no gradient could follow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracles import numeric_gradient

import autograd_np as ag

X = np.array([[0.4, -1.2, 0.9], [1.7, 0.3, -0.6]])


def leaf(x: Any = X) -> ag.Tensor:
    return ag.Tensor(x, requires_grad=True)


def check(f: Any, *args: np.ndarray) -> None:
    """Compare a function that writes in place with itself on arrays: value, both ways of differentiating, forward mode."""
    expected = np.sum(f(*(a.copy() for a in args)))
    tensors = [leaf(a) for a in args]
    loss = np.sum(f(*(t.copy() for t in tensors)))
    np.testing.assert_allclose(loss.data, expected)
    loss.backward()

    def copied(*xs: Any) -> Any:
        return np.sum(f(*(x.copy() for x in xs)))

    for n, t in enumerate(tensors):
        numeric = numeric_gradient(copied, *args, wrt=n)
        np.testing.assert_allclose(t.grad if t.grad is not None else np.zeros_like(args[n]), numeric, rtol=1e-7, atol=1e-9)
        np.testing.assert_array_equal(t.data, args[n], err_msg="the leaf itself was changed")
    numbers = tuple(range(len(args)))
    moves = tuple(np.cos(np.arange(a.size)).reshape(a.shape) for a in args)
    grads = ag.grad(copied, numbers)(*args)
    moved = ag.jvp(copied, args, moves)[1]
    np.testing.assert_allclose(moved, sum(np.sum(g * m) for g, m in zip(grads, moves, strict=True)), rtol=1e-10)
    for n, g in enumerate(grads):
        np.testing.assert_allclose(g, numeric_gradient(copied, *args, wrt=n), rtol=1e-7, atol=1e-9)


def _iadd(x: Any) -> Any:
    y = np.exp(x)
    z = y * y
    y += 3 * x
    return z * y


def _every_operator(x: Any) -> Any:
    y = x * x + 1
    y += x
    y -= 0.5 * x
    y *= y
    y /= 1 + x * x
    y **= 2
    return y


def _setitem(x: Any) -> Any:
    y = np.sin(x)
    z = y * y
    y[0] = x[1] ** 2
    y[1, ::2] = 7.0
    return z + y * x


def _overwritten(x: Any) -> Any:
    y = x * 2
    y[:] = 0.0
    return y * x + x


def _fancy(x: Any) -> Any:
    y = x * x
    y[np.array([0, 1, 1]), np.array([2, 0, 0])] = np.stack([x[0, 0], x[0, 1], x[0, 2]]) * 3
    y[y > 1] = 0.25
    return y * x


def _part_from_part(x: Any) -> Any:
    y = x * x
    y[0] = y[0] + x[1]
    y[:, 1] = y[:, 1] * y[:, 2]
    y[1, 0] = y[1, 0] - 2
    return y * x


def _loop(x: Any) -> Any:
    y = np.zeros_like(x) + x
    for i in range(1, 3):
        y[:, i] = y[:, i - 1] * x[:, i] + 1
    return y


def _sorted(x: Any) -> Any:
    y = x * 2
    y.sort(axis=1)
    return y * np.arange(3.0)


@pytest.mark.parametrize(
    "f", [_iadd, _every_operator, _setitem, _overwritten, _fancy, _part_from_part, _loop, _sorted], ids=lambda f: f.__name__[1:]
)
def test_writes_are_differentiated(f: Any) -> None:
    check(f, X)


def test_writing_one_variable_into_another() -> None:
    def f(a: Any, b: Any) -> Any:
        a[0] = b
        a *= 2
        return a * a

    check(f, X, np.array([1.5, -0.4, 0.2]))


def test_a_written_scalar_broadcasts_back() -> None:
    y = leaf() * 1
    v = leaf(np.array(2.0))
    y[:, 1] = v
    np.sum(y * 3).backward()
    assert v.grad == 6.0


def test_earlier_uses_keep_the_value_they_saw() -> None:
    x = leaf(np.array([2.0, 3.0]))
    y = x * 1
    square = y * y
    y += 100
    np.sum(square).backward()
    np.testing.assert_array_equal(x.grad, [4.0, 6.0])


def test_a_name_bound_twice_sees_the_write() -> None:
    y = leaf() * 1
    same = y
    y += 1
    np.testing.assert_array_equal(same.data, X + 1)
    same[0] = 0
    np.testing.assert_array_equal(y.data[0], 0)


@pytest.mark.parametrize("write", ["iadd", "setitem", "imul", "sort"])
def test_a_leaf_that_is_recorded_refuses(write: str) -> None:
    x = leaf()

    def do() -> None:
        nonlocal x
        if write == "iadd":
            x += 1
        elif write == "imul":
            x *= 2
        elif write == "sort":
            x.sort()
        else:
            x[0] = 0

    before = x
    with pytest.raises(ag.InPlaceError, match=r"leaf.*x\.copy\(\).*no_grad"):
        do()
    np.testing.assert_array_equal(before.data, X)
    assert before.requires_grad


def test_parameters_are_updated_under_no_grad() -> None:
    w = leaf()
    for _ in range(3):
        loss = np.sum(w**2)
        w.grad = None
        loss.backward()
        with ag.no_grad():
            w -= 0.1 * w.grad
    np.testing.assert_allclose(w.data, X * 0.8**3)
    assert w.requires_grad
    assert w.is_leaf
    np.sum(w**2).backward()
    with ag.no_grad():
        w[0] = 1.0
        w *= 2
    np.testing.assert_array_equal(w.data[0], 2.0)
    w.grad = None
    np.sum(w**2).backward()
    np.testing.assert_allclose(w.grad, 2 * w.data)


def test_an_update_between_forward_and_backward_is_not_silently_wrong() -> None:
    w = leaf(np.array([2.0]))
    loss = np.sum(w * w)
    with ag.no_grad():
        w += 100.0
    loss.backward()
    np.testing.assert_array_equal(w.grad, [4.0])


def test_an_update_keeps_the_array_the_user_gave_and_the_recorded_ones() -> None:
    given = np.array([1.0, 2.0])
    w = ag.Tensor(given, requires_grad=True)
    y = w * 3
    with ag.no_grad():
        w -= 1
        y_plain = y.detach()
        y_plain += 1
    np.testing.assert_array_equal(given, [1.0, 2.0])
    np.testing.assert_array_equal(y.data, [3.0, 6.0])


# --- views ----------------------------------------------------------------------------------------

VIEWS = {
    "slice": lambda y: y[0], "strided": lambda y: y[:, ::2], "transpose": lambda y: y.T, "reshape": lambda y: y.reshape(3, 2), "ravel": lambda y: y.ravel(),  # noqa: E501
    "diagonal": lambda y: np.diagonal(y), "swapaxes": lambda y: y.swapaxes(0, 1), "expand": lambda y: np.expand_dims(y, 0), "squeeze": lambda y: y[None].squeeze(),  # noqa: E501
    "broadcast": lambda y: np.broadcast_to(y, (2, 2, 3)), "flip": lambda y: np.flip(y), "view-of-view": lambda y: y[0][1:],
    "rot90": lambda y: np.rot90(y), "split": lambda y: np.split(y, 3, axis=1)[0], "iter": lambda y: next(iter(y)), "moveaxis": lambda y: np.moveaxis(y, 0, 1),  # noqa: E501
}  # fmt: skip


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize("which", ["base", "view"])
def test_a_write_is_shown_through_every_view_as_in_numpy(view: Any, which: str) -> None:
    """NumPy changes both; an engine that changes one gives another number than the same code on arrays."""
    base = np.array(X)
    expected_view = view(base)
    if not np.shares_memory(base, expected_view):
        pytest.skip("NumPy copies here")
    target = base if which == "base" else expected_view
    writable = target.flags.writeable
    y = leaf() * 1
    v = view(y)
    written = y if which == "base" else v
    if not writable:
        for write in (lambda: written.__setitem__(..., 1.0), lambda: written.__iadd__(1.0), lambda: np.putmask(written, True, 1.0)):
            with pytest.raises(ValueError, match="read-only"):
                write()
        return
    target[...] = target * 2 + 1
    written[...] = written * 2 + 1
    np.testing.assert_array_equal(y.data, base)
    np.testing.assert_array_equal(v.data, expected_view)
    assert [s for n, s in zip(v.shape, v.data.strides, strict=True) if n > 1] == [
        s for n, s in zip(v.shape, expected_view.strides, strict=True) if n > 1
    ]

    def both(x: Any) -> Any:
        y = np.sin(x)
        v = view(y)
        written = y if which == "base" else v
        written *= 2
        written[...] = written * written + 1
        return np.sum(v * v) + y

    check(both, X)


def test_a_view_that_is_gone_does_not_forbid() -> None:
    x = leaf()
    y = x * 1
    np.sum(y[0] * 2)
    y += 1
    np.sum(y).backward()
    np.testing.assert_array_equal(x.grad, 1)


@pytest.mark.parametrize("index", [0, (slice(None), 1), (1, 0), np.array([1, 0]), X > 0, Ellipsis], ids=str)
def test_an_augmented_assignment_to_a_part(index: Any) -> None:
    def f(x: Any) -> Any:
        y = x * x
        y[index] += 2 * x[index]
        return y * y

    check(f, X)


def test_a_copy_is_no_view() -> None:
    y = leaf() * 1
    v = y[0].copy()
    y[0] = 5
    np.testing.assert_array_equal(v.data, X[0])


def test_a_detached_tensor_is_of_its_own() -> None:
    x = leaf(np.array([2.0, 3.0]))
    y = x * 1
    loss = np.sum(y * y)
    d = y.detach()
    d += 100
    d[0] = 0
    np.testing.assert_array_equal(y.data, [2.0, 3.0])
    y *= 2
    np.testing.assert_array_equal(d.data, [0.0, 103.0])
    loss.backward()
    np.testing.assert_array_equal(x.grad, [4.0, 6.0])


# --- refusals -------------------------------------------------------------------------------------


def test_shapes_and_dtypes_that_cannot_be_written_are_refused() -> None:
    y = leaf() * 1
    with pytest.raises(ValueError, match=r"\(2, 2, 3\).*\(2, 3\)"):
        y += np.ones((2, 2, 3))
    with pytest.raises(ValueError, match="broadcast"):
        y[0] = np.ones(5)
    n = ag.Tensor([1, 2])
    with pytest.raises(TypeError, match=r"float64.*int64"):
        n += 0.5
    small = leaf(X.astype(np.float32)) * 1
    small += np.float64(0.5) * np.ones((2, 3))
    assert small.dtype == np.float32
    with pytest.raises(TypeError):
        n *= leaf(np.array([1.0, 2.0]))


def test_a_failed_write_leaves_everything_as_it_was() -> None:
    x = leaf()
    y = x * 1
    for bad in (lambda: y.__setitem__(0, np.ones(5)), lambda: y.__setitem__(9, 0.0), lambda: y.__iadd__(np.ones((2, 2, 3)))):
        with pytest.raises((ValueError, IndexError)):
            bad()
    np.testing.assert_array_equal(y.data, X)
    np.sum(y).backward()
    np.testing.assert_array_equal(x.grad, 1)


def test_a_write_into_a_constant_makes_it_a_variable() -> None:
    c, x = ag.Tensor(np.zeros(3)), leaf(np.array([1.0, 2.0, 3.0]))
    c[1] = x[2] * 2
    c += x
    np.sum(c * c).backward()
    expected = numeric_gradient(lambda v: np.sum((np.array([0, 2 * v[2], 0]) + v) ** 2), x.data)
    np.testing.assert_allclose(x.grad, expected, rtol=1e-8)


def test_writing_into_an_outer_tensor_is_refused_or_right() -> None:
    outer = leaf(np.array([1.0, 2.0])) * 1

    def f(x: Any) -> Any:
        outer[0] = x
        return np.sum(outer)

    with pytest.raises(ag.InPlaceError, match="outside the function"):
        ag.grad(f)(3.0)


def test_writing_into_an_argument_of_a_transform_does_not_change_the_callers_array() -> None:
    a = np.array([1.0, 2.0])

    def f(x: Any) -> Any:
        x = x * 1
        x += 5
        x[0] = 0
        return np.sum(x**2)

    np.testing.assert_array_equal(ag.grad(f)(a), [0.0, 14.0])
    np.testing.assert_array_equal(a, [1.0, 2.0])

    def writes_argument(x: Any) -> Any:
        x += 1
        return np.sum(x)

    with pytest.raises(ag.InPlaceError):
        ag.grad(writes_argument)(a)
    np.testing.assert_array_equal(a, [1.0, 2.0])


@pytest.mark.parametrize("then", ["write the part the view shows", "write through the view"])
def test_a_view_of_another_part_is_not_forgotten_after_a_write(then: str) -> None:
    """A write beside a view must not make the engine forget that the two share memory."""
    base = X.copy()
    plain = base[1]
    base[0] = 5.0
    y = leaf() * 1
    v = y[1]
    y[0] = 5.0
    if then.endswith("shows"):
        base[1] = 7.0
        y[1] = 7.0
    else:
        plain += 7.0
        v += 7.0
    np.testing.assert_array_equal(v.data, plain)
    np.testing.assert_array_equal(y.data, base)


def test_a_write_beside_a_view_that_reaches_further() -> None:
    whole = leaf(np.arange(6.0)) * 1
    a, b = whole[0:4], whole[2:6]
    del whole
    a[0] = 9.0
    a[3] = 8.0
    np.testing.assert_array_equal(b.data, [2.0, 8.0, 4.0, 5.0])


def _parts_augmented(x: Any) -> Any:
    y = x * 2.0
    y[0] += x[1] * 3.0
    y[0] += 1.0
    row = y[1]
    row *= x[0]
    row += 2.0
    del row
    for j in range(y.shape[1]):
        y[:, j] -= x[0, j]
    return y * y


def test_an_augmented_write_to_a_part_goes_through_to_the_whole() -> None:
    check(_parts_augmented, X)


def test_an_augmented_write_through_one_of_two_views() -> None:
    y = leaf() * 1.0
    one, other = y[0], y[0]
    one += 1.0
    np.testing.assert_array_equal(other.data, X[0] + 1)
    np.testing.assert_array_equal(y.data, X + np.array([[1.0], [0.0]]))


def _a_list_into_a_row(x: Any) -> Any:
    y = x.copy()
    y[0] = [x[0, 0] * x[1, 1], 2.0, np.exp(x[0, 2])]
    y[:, 1:] = [[x[0, 0], 1], (x[1, 0], x[0, 1])]
    return y * y


def test_lists_of_tensors_are_written_as_arrays() -> None:
    check(_a_list_into_a_row, X)
    slope = ag.grad(lambda x: np.sum(_a_list_into_a_row(x)))
    numeric = [numeric_gradient(lambda x, place=p: slope(x)[place], X, wrt=0) for p in np.ndindex(X.shape)]
    np.testing.assert_allclose(ag.hessian(lambda x: np.sum(_a_list_into_a_row(x)))(X).reshape(6, 6), np.reshape(numeric, (6, 6)), atol=1e-6)
    y, t = leaf().copy(), leaf(0.5)
    for wrong in ([t, t], [t, [t, t], 1.0]):
        with pytest.raises(ValueError, match=r"broadcast|different shapes"):
            y[0] = wrong


def test_lists_of_tensors_are_operands() -> None:
    def f(x: Any) -> Any:
        return np.sum(x[0] * [x[0, 1], 2.0, x[1, 0]] + [x[1, 0], x[0, 2], 1.0] @ x.T[:, :1] + np.maximum(x[1], (x[0, 0], x[0, 1], 0.0)))

    def arrays(x: Any) -> Any:
        first, second, third = (
            np.array([float(v) for v in row]) for row in ((x[0, 1], 2.0, x[1, 0]), (x[1, 0], x[0, 2], 1.0), (*x[0, :2], 0))
        )
        return np.sum(x[0] * first + second @ x.T[:, :1] + np.maximum(x[1], third))

    np.testing.assert_allclose(f(leaf()).data, arrays(X))
    np.testing.assert_allclose(ag.grad(f)(X), numeric_gradient(arrays, X, wrt=0), rtol=1e-7, atol=1e-9)
    each = ag.vmap(ag.grad(f))(np.stack([X, 2 * X]))
    np.testing.assert_allclose(each[1], numeric_gradient(arrays, 2 * X, wrt=0), rtol=1e-7, atol=1e-9)
