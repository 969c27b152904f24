"""Reductions, selection, shaping, indexing and creation: the points that are easily wrong.

The table-driven tests go over every row; here are the zeros, ties, masks, dtypes, empty slices and forms of call
that they do not reach.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracles import numeric_gradient, numeric_jvp

import autograd_np as ag
from autograd_np import errors

MASK = np.array([[True, False, True], [False, False, True], [True, True, True], [False, False, False]])
X = np.array([[0.31, -1.22, 0.87], [1.43, 0.55, -0.64], [-0.9, 0.2, 2.1], [0.05, -0.45, 1.7]])
ALL_AXES: list[Any] = [None, 0, 1, -1, (0,), (0, 1), (-1, 0), ()]


def weights(shape: tuple[int, ...]) -> np.ndarray:
    return np.cos(np.arange(int(np.prod(shape, dtype=int)), dtype=float) + 1).reshape(shape)


def check(f: Callable[..., Any], *args: np.ndarray, order: int = 2) -> None:
    """Compare value, vjp, jvp and (for order 2) the gradient of a directional derivative with numeric ones."""
    plain = np.asarray(f(*args))
    w = weights(plain.shape)

    def loss(*xs: Any) -> Any:
        return np.sum(w * np.sin(f(*xs)))

    numbers = tuple(range(len(args)))
    tensors = [ag.Tensor(x, requires_grad=True) for x in args]
    np.testing.assert_allclose(f(*tensors).data, plain, rtol=1e-13, atol=1e-14)
    found = ag.grad(loss, numbers)(*args)
    for n, g in enumerate(found):
        assert g.shape == args[n].shape
        np.testing.assert_allclose(g, numeric_gradient(loss, *args, wrt=n), rtol=1e-7, atol=1e-8)
    t = tuple(weights(x.shape) + 0.3 for x in args)
    np.testing.assert_allclose(ag.jvp(f, args, t)[1], numeric_jvp(f, args, t), rtol=1e-7, atol=1e-8)
    if order > 1:

        def slope(*xs: Any) -> Any:
            return sum(np.sum(g * v) for g, v in zip(ag.grad(loss, numbers)(*xs), t, strict=True))

        for n, g in enumerate(ag.grad(slope, numbers)(*args)):
            np.testing.assert_allclose(g, numeric_gradient(slope, *args, wrt=n), rtol=1e-6, atol=1e-7)


# --- reductions -----------------------------------------------------------------------------------

REDUCTIONS = {
    "sum": np.sum, "mean": np.mean, "prod": np.prod, "max": np.max, "min": np.min, "amax": np.amax, "amin": np.amin,
    "std": np.std, "var": np.var, "ptp": np.ptp, "median": np.median,
    "average": np.average, "nansum": np.nansum, "nanmean": np.nanmean, "nanprod": np.nanprod,
    "nanmax": np.nanmax, "nanmin": np.nanmin, "nanstd": np.nanstd, "nanvar": np.nanvar,
}  # fmt: skip


@pytest.mark.parametrize("axis", ALL_AXES, ids=str)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_every_axis_form(name: str, axis: Any) -> None:
    f = REDUCTIONS[name]
    if axis == () and name in ("ptp", "median", "std", "nanstd"):
        pytest.skip("NumPy: no reduction along no axis; the deviation of one element has no derivative")
    for keepdims in (False, True):
        check(lambda x, k=keepdims: f(x, axis=axis, keepdims=k), X, order=1 + (axis in (1, (0, 1))))


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 1)], ids=str)
@pytest.mark.parametrize(
    ("f", "extra"),
    [
        (np.sum, {}), (np.sum, {"initial": 3.0}), (np.prod, {"initial": 2.0}), (np.mean, {}), (np.max, {"initial": -5.0}),
        (np.min, {"initial": 5.0}),
        (np.max, {"initial": 1.0}), (np.var, {}), (np.std, {}), (np.var, {"ddof": 1}), (np.nanmean, {}), (np.nanvar, {}),
    ],
)  # fmt: skip
def test_masks(f: Any, extra: dict[str, Any], axis: Any) -> None:
    mask = MASK[:3] if axis in (-1,) or f in (np.std, np.var, np.mean, np.nanmean, np.nanvar) else MASK
    mask = mask | np.eye(len(mask), 3, dtype=bool) if f in (np.std, np.var, np.nanvar) else mask
    mask = np.where(mask.sum(1, keepdims=True) < 2, True, mask) if f in (np.std, np.var, np.nanvar) else mask
    mask = np.where(mask.sum(0, keepdims=True) < 2, True, mask) if f in (np.std, np.var, np.nanvar) else mask
    x = X[: len(mask)]
    check(lambda x: f(x, axis=axis, where=mask, **extra), x)
    left_out = np.where(mask, x, np.nan)
    g = ag.grad(lambda x: np.sum(f(x, axis=axis, where=mask, **extra)))(left_out)
    assert np.all(g[~mask] == 0)
    np.testing.assert_allclose(g, ag.grad(lambda x: np.sum(f(x, axis=axis, where=mask, **extra)))(x), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("f", [np.var, np.std])
@pytest.mark.parametrize(
    "how", [{"ddof": 1}, {"correction": 1}, {"ddof": 0.5, "axis": 1}, {"ddof": 1, "axis": (0, 1), "keepdims": True}], ids=str
)
def test_degrees_of_freedom(f: Any, how: dict[str, Any]) -> None:
    check(lambda x: f(x, **how), X)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e8, 1 / 3])
@pytest.mark.parametrize("how", [{}, {"axis": 0}, {"axis": 1, "where": MASK[2:3]}], ids=str)
def test_spread_of_a_constant(value: float, how: dict[str, Any]) -> None:
    x = np.full((3, 3), value)
    for f in (np.std, np.var):
        np.testing.assert_array_equal(ag.grad(lambda x, f=f: np.sum(f(x, **how)))(x), 0)
    second = ag.hessian(lambda x: np.sum(np.var(x, **how)))(x)
    np.testing.assert_allclose(second.reshape(9, 9), ag.hessian(lambda x: np.sum(np.var(x, **how)))(X[:3]).reshape(9, 9), atol=1e-7)


@given(hnp.arrays(float, st.integers(0, 7), elements=st.sampled_from([0.0, 0.0, 1.5, -0.5, 2.0])))
def test_products_with_any_number_of_zeros(x: np.ndarray) -> None:
    def others(*left_out: int) -> float:
        return float(np.prod(np.delete(x, left_out)))

    n = len(x)
    np.testing.assert_allclose(ag.grad(np.prod)(x), [others(i) for i in range(n)], atol=1e-14)
    expected = np.array([[0 if i == j else others(i, j) for j in range(n)] for i in range(n)]).reshape(n, n)
    np.testing.assert_allclose(ag.hessian(np.prod)(x), expected, atol=1e-14)
    w = weights((n,))
    partial = np.array([[others(*range(j + 1, n), i) if i <= j else 0.0 for i in range(n)] for j in range(n)]).reshape(n, n)
    np.testing.assert_allclose(ag.jacobian(np.cumprod)(x).reshape(n, n), partial, atol=1e-14)
    found = ag.hessian(lambda x: np.sum(w * np.cumprod(x)))(x)
    second = [
        [sum(w[j] * others(*range(j + 1, n), i, k) for j in range(max(i, k), n)) if i != k else 0 for k in range(n)] for i in range(n)
    ]
    np.testing.assert_allclose(found, np.array(second, float).reshape(n, n), atol=1e-13)


def test_product_overflow_does_not_spoil_the_gradient() -> None:
    x = np.array([1e-200, 1e200, 1e200, 1e-200])
    np.testing.assert_allclose(ag.grad(np.prod)(x), 1 / x)


@pytest.mark.parametrize("f", [np.cumsum, np.cumprod, np.nancumsum, np.nancumprod])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_accumulations(f: Any, axis: Any) -> None:
    zeros = X.copy()
    zeros[[0, 1, 1], [1, 0, 2]] = 0
    check(lambda x: f(x, axis=axis), X)
    check(lambda x: f(x, axis=axis), zeros)


@pytest.mark.skipif(not hasattr(np, "cumulative_sum"), reason="NumPy 2.1")
@pytest.mark.parametrize("f", ["cumulative_sum", "cumulative_prod"])
def test_array_api_accumulations(f: str) -> None:
    check(lambda x: getattr(np, f)(x, axis=1, include_initial=True), X)
    check(lambda x: getattr(np, f)(x), X[0])


@pytest.mark.parametrize("f", [np.max, np.min])
def test_ties_share_equally(f: Any) -> None:
    x = np.array([[2.0, 2.0, 2.0], [2.0, 2.0, 2.0]])
    np.testing.assert_allclose(ag.grad(f)(x), np.full((2, 3), 1 / 6))
    np.testing.assert_allclose(ag.grad(lambda x: np.sum(f(x, axis=1)))(x), np.full((2, 3), 1 / 3))
    assert ag.grad(lambda x: f(x, initial=2.0))(np.array([2.0, 2.0])).tolist() == [1 / 3, 1 / 3]
    assert ag.grad(lambda x: f(x, initial=2.0, where=np.array([True, False])))(np.array([2.0, 2.0])).tolist() == [0.5, 0]
    assert np.all(ag.hessian(f)(x) == 0)
    assert ag.grad(f)(np.array([1.0, np.nan, 0.0])).tolist() == [0, 1, 0]


def test_an_initial_that_wins_takes_the_gradient() -> None:
    assert ag.grad(lambda x: np.max(x, initial=9.0))(X).sum() == 0
    assert ag.grad(lambda x: np.max(x, initial=9.0))(np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("f", [np.sum, np.prod, np.cumsum, np.cumprod])
def test_empty(f: Any) -> None:
    for shape, axis in (((0,), None), ((0, 3), 0), ((3, 0), 1), ((3, 0), 0)):
        g = ag.grad(lambda x, a=axis: np.sum(f(x, axis=a)))(np.zeros(shape))
        assert g.shape == shape
        assert ag.jvp(lambda x, a=axis: f(x, axis=a), np.zeros(shape), np.zeros(shape))[1].shape == f(np.zeros(shape), axis=axis).shape


@pytest.mark.parametrize("f", [np.mean, np.max, np.var, np.std])
def test_empty_other_axis(f: Any) -> None:
    assert ag.grad(lambda x: np.sum(f(x, axis=1)))(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("f", list(REDUCTIONS.values()), ids=REDUCTIONS)
@pytest.mark.parametrize("where", [False, True])
def test_float32_is_kept(f: Any, where: bool) -> None:
    if where and f in (np.ptp, np.median, np.average, np.nanmax, np.nanmin):
        return
    how: dict[str, Any] = {"where": X > -1} if where else {}
    if where and f in (np.max, np.min, np.amax, np.amin):
        how["initial"] = 0.0
    x = ag.Tensor(X.astype(np.float32), requires_grad=True)
    y = f(x, axis=1, **how)
    assert y.dtype == np.float32
    y.sum().backward()
    assert x.grad.dtype == np.float32
    assert ag.jvp(lambda x: f(x, **how), x.data, x.data)[1].dtype == np.float32


def test_dtype_argument() -> None:
    x = ag.Tensor(X.astype(np.float32), requires_grad=True)
    for f in (np.sum, np.mean, np.prod, np.var, np.std, np.cumsum, np.cumprod):
        y = f(x, dtype=np.float64)
        assert y.dtype == np.float64
        x.grad = None
        np.sum(y).backward()
        assert x.grad.dtype == np.float32
        np.testing.assert_allclose(x.grad, ag.grad(lambda x, f=f: np.sum(f(x)))(X), rtol=1e-4, atol=1e-5)
    for f in (np.sum, np.prod, np.cumsum, np.cumprod):
        with pytest.raises(errors.DifferentiationError, match=r"dtype=int64.*astype"):
            ag.grad(lambda x, f=f: np.sum(f(x, dtype=int)) * 1.0)(X)


def test_weighted_average() -> None:
    w = np.array([0.5, 1.0, 2.0])
    check(lambda x, w: np.average(x, axis=1, weights=w), X, w)
    check(lambda x, w: np.average(x, axis=(1, 0), weights=w), X, abs(X.T))
    check(lambda x, w: np.average(x, weights=w, keepdims=True), X, abs(X))
    _, total = np.average(ag.Tensor(X), axis=0, weights=np.ones(4), returned=True)
    assert total.data.tolist() == [4, 4, 4]
    assert np.average(ag.Tensor(X), axis=0, returned=True)[1].tolist() == [4, 4, 4]
    with pytest.raises(ValueError, match="weights of shape"):
        np.average(ag.Tensor(X), axis=0, weights=w)


def test_nan_reductions_ignore_nan() -> None:
    x = X.copy()
    x[0, 1] = x[2, 2] = np.nan
    for f in (np.nansum, np.nanmean, np.nanprod, np.nanmax, np.nanmin, np.nanvar, np.nanstd):
        g = ag.grad(lambda x, f=f: np.sum(f(x, axis=1)))(x)
        assert np.all(g[np.isnan(x)] == 0)
        rows = [ag.grad(lambda r, f=f: f(r))(row[~np.isnan(row)]) for row in x]
        np.testing.assert_allclose(g[~np.isnan(x)], np.concatenate(rows), rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(f(ag.Tensor(x), axis=1).data, f(x, axis=1))
    assert np.isnan(np.nanmax(ag.Tensor([[np.nan, np.nan], [1.0, 2.0]]), axis=1).data).tolist() == [True, False]


def test_median_of_nan_and_of_even_counts() -> None:
    assert np.isnan(np.median(ag.Tensor([1.0, np.nan, 2.0])).item())
    assert ag.grad(np.median)(np.array([4.0, 1.0, 3.0, 2.0])).tolist() == [0, 0, 0.5, 0.5]


def test_counting_and_searching_carry_no_gradient() -> None:
    t = ag.Tensor(X, requires_grad=True)
    for name in ("any", "all", "argmax", "argmin", "count_nonzero"):
        for how in ({}, {"axis": 1}, {"axis": 0, "keepdims": True}):
            found = getattr(np, name)(t, **how)
            assert not found.requires_grad
            np.testing.assert_array_equal(found.data, getattr(np, name)(X, **how))
    assert int(np.count_nonzero(t)) == 12
    np.testing.assert_array_equal(np.argsort(t, axis=0).data, np.argsort(X, axis=0))
    np.testing.assert_array_equal(np.searchsorted(np.sort(t[0].detach()), t).data, np.searchsorted(np.sort(X[0]), X))
    for mine, numpys in zip(np.nonzero(t > 0), np.nonzero(X > 0), strict=True):
        np.testing.assert_array_equal(mine.data, numpys)
    with pytest.raises(ValueError, match="0-d"):
        np.nonzero(ag.Tensor(1.0))


def test_ufunc_methods() -> None:
    check(np.add.reduce, X)
    check(lambda x: np.multiply.reduce(x, axis=1), X)
    check(lambda x: np.maximum.reduce(x, axis=None), X)
    check(lambda x: np.minimum.reduce(x, axis=1, keepdims=True), X)
    check(lambda x: np.add.accumulate(x, axis=1), X)
    check(lambda x: np.multiply.accumulate(x), X)
    check(lambda x, y: np.subtract.outer(x, y), X[0], X[:2])
    with pytest.raises(errors.NoRowError, match=r"np\.subtract\.reduce"):
        np.subtract.reduce(ag.Tensor(X, requires_grad=True))
    with pytest.raises(errors.InPlaceError):
        np.add.at(ag.Tensor(X, requires_grad=True), [0], 1.0)


@pytest.mark.parametrize("f", [np.sum, np.ptp, np.median, np.nanmax, np.clip])
def test_out_is_refused(f: Any) -> None:
    with pytest.raises(errors.InPlaceError, match="out"):
        f(ag.Tensor(X, requires_grad=True), out=np.zeros(()), **({"a_min": 0, "a_max": 1} if f is np.clip else {}))


# --- selection ------------------------------------------------------------------------------------


def test_where_broadcasts_and_leaks_no_nan() -> None:
    c = X > 0
    check(lambda x, y: np.where(c, x, y), X, X[0])
    check(lambda x, y: np.where(c[:, :1], x, y), X[0], X[:, :1])
    check(lambda x: np.where(c, x, 0.5), X)
    check(lambda x: np.where(c, 2, x), X[:1, :1])
    with np.errstate(divide="ignore"):
        assert ag.grad(lambda x: np.sum(np.where(x > 0, np.log(x), 0)))(np.array([0.0, 2.0])).tolist() == [0, 0.5]
    assert ag.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0)))(np.array([0.0, 4.0])).tolist() == [0, 0.25]
    assert ag.hessian(lambda x: np.sum(np.where(x > 0, x**1.5, x * x)))(np.zeros(1)).tolist() == [[2]]
    f32 = np.where(c, ag.Tensor(X.astype(np.float32)), 0.5)
    assert f32.dtype == np.float32
    with pytest.raises(errors.NoRowError, match="nonzero"):
        np.where(ag.Tensor(X))


def test_clip() -> None:
    low, high = np.array([-0.5, -0.3, 0.0]), np.array([[0.4], [0.7], [0.25], [1.0]])
    for f in (
        lambda x, a, b: np.clip(x, a, b), lambda x, a, b: x.clip(a, b) if isinstance(x, ag.Tensor) else np.clip(x, a, b),
        lambda x, a, b: np.clip(x, a_min=a, a_max=b), lambda x, a, b: np.clip(np.clip(x, a, None), None, b),
    ):  # fmt: skip
        check(f, X, low, high)
    check(lambda x, a: np.clip(x, a, -1.0), X, low + 0.01)  # lower above upper: NumPy gives the upper
    if np.lib.NumpyVersion(np.__version__) >= "2.1.0":
        check(lambda x, a, b: np.clip(x, min=a, max=b), X, low, high)
        check(lambda x: np.clip(x, min=0.1), X)
        np.testing.assert_array_equal(np.clip(ag.Tensor(X)).data, X)
    assert ag.grad(lambda x: np.sum(np.clip(x, 0, 1)))(np.array([-0.1, 0.0, 0.5, 1.0, 1.1])).tolist() == [0, 1, 1, 1, 0]
    assert np.clip(ag.Tensor(X.astype(np.float32)), -0.5, 0.5).dtype == np.float32
    with pytest.raises(ValueError, match="twice"):
        np.clip(ag.Tensor(X), 0, 1, max=2)


def test_rounding_repairing_selecting() -> None:
    t = ag.Tensor(X, requires_grad=True)
    np.testing.assert_array_equal(np.round(t, 1).data, np.round(X, 1))
    assert np.all(ag.grad(lambda x: np.sum(np.around(x, decimals=1) + x.round(2)))(X) == 0)
    bad = np.array([np.nan, np.inf, -np.inf, 2.0])
    np.testing.assert_array_equal(np.nan_to_num(ag.Tensor(bad)).data, np.nan_to_num(bad))
    np.testing.assert_array_equal(np.nan_to_num(ag.Tensor(bad), nan=7, posinf=8, neginf=9).data, [7, 8, 9, 2])
    assert ag.grad(lambda x: np.sum(np.nan_to_num(x) / 4))(bad).tolist() == [0, 0, 0, 0.25]
    check(lambda x, y: np.select([x > 1, x > 0], [x * y, y], default=-1.0), X, X[0])
    with pytest.raises(errors.InPlaceError):
        np.nan_to_num(t, copy=False)


def test_questions_are_answered_with_plain_values() -> None:
    t = ag.Tensor(X, requires_grad=True)
    assert np.shape(t) == (4, 3)
    assert (np.ndim(t), np.size(t), np.size(t, 1)) == (2, 12, 3)
    assert (np.iscomplexobj(t), np.isrealobj(t)) == (False, True)
    for answer in (np.allclose(t, X), np.array_equal(t, X), np.array_equal(X, t), np.array_equiv(t, X)):
        assert answer is True
    assert np.array_equal(t, X[0]) is False
    assert np.array_equal(ag.Tensor([np.nan]), np.array([np.nan]), equal_nan=True)
    assert np.allclose(t, X + 1e-3) is False
    assert np.isclose(t, X).data.all()
    assert np.result_type(ag.Tensor(X.astype(np.float32)), np.float64) == np.float64
    assert np.result_type(ag.Tensor(X.astype(np.float32)), 1.0) == np.float32
    assert np.can_cast(t, np.float32, "same_kind") is True


# --- shaping --------------------------------------------------------------------------------------

A = np.arange(24.0).reshape(2, 3, 4) / 7 - 1.3
B = np.sin(np.arange(12.0)).reshape(3, 4)

SHAPING: dict[str, Callable[[Any], Any]] = {
    "reshape positional": lambda x: np.reshape(x, (4, 6)),
    "reshape F": lambda x: np.reshape(x, (4, -1), order="F"),
    "reshape int": lambda x: np.reshape(x, -1),
    "ravel": np.ravel,
    "ravel F": lambda x: np.ravel(x, order="F"),
    "transpose": lambda x: np.transpose(x, (2, 0, -2)),
    "permute_dims": lambda x: np.permute_dims(x, (1, 2, 0)),
    "swapaxes": lambda x: np.swapaxes(x, -1, 0),
    "moveaxis": lambda x: np.moveaxis(x, [0, 1], [-1, 0]),
    "rollaxis": lambda x: np.rollaxis(x, 2) * np.rollaxis(x, 0, -1).reshape(4, 2, 3),
    "squeeze": lambda x: np.squeeze(np.expand_dims(x, (0, 2)), 0),
    "broadcast_to": lambda x: np.broadcast_to(x[:, :1], (5, 2, 3, 4)),
    "broadcast_arrays": lambda x: np.broadcast_arrays(x, x[0, 0])[1] * np.broadcast_arrays(x, 3.0)[1],
    "flip": lambda x: np.flip(x) + np.flip(x, 0) * np.flip(x, (1, 2)),
    "fliplr flipud": lambda x: np.fliplr(x) * np.flipud(x),
    "roll": lambda x: np.roll(x, 5) * np.roll(x, (1, -2), (0, 2)) + np.roll(x, 2, (1, 2)),
    "rot90": lambda x: np.rot90(x, 1, (1, 2)) * np.rot90(x, -3, (1, 2)),
    "atleast": lambda x: (
        np.atleast_3d(x[0]) + np.atleast_3d(x[0, 0])[0].reshape(4, 1).sum() + np.atleast_2d(x[0, 0, 0]) + np.atleast_1d(x[0, 0, 0])
    ),
    "tile": lambda x: np.tile(x, (2, 1, 1, 3)),
    "tile short": lambda x: np.tile(x, 2),
    "repeat": lambda x: np.repeat(x, 2),
    "repeat axis": lambda x: np.repeat(x, 3, axis=-2),
    "repeat array": lambda x: np.repeat(x, [0, 2, 1], axis=1),
    "repeat array of one": lambda x: np.repeat(x, [2], axis=1),
    "concatenate": lambda x: np.concatenate([x, x[:1] * 2, np.ones((1, 3, 4))]),
    "concatenate flat": lambda x: np.concatenate((x, x[0]), axis=None),
    "concat": lambda x: np.concat([x, x], axis=-1),
    "concatenate rows": lambda x: np.concatenate(x, axis=1),
    "stack": lambda x: np.stack([x[0], B, x[1]], axis=-1),
    "vstack": lambda x: np.vstack([x[0], x[1, 2], np.zeros(4)]),
    "hstack": lambda x: np.hstack([x[0, 0], x[1, 2], [1.0]]),
    "hstack 2d": lambda x: np.hstack((x[0], x[1])),
    "dstack": lambda x: np.dstack([x[0], x[1], B]),
    "dstack 1d": lambda x: np.dstack([x[0, 0], x[1, 1]]),
    "column_stack": lambda x: np.column_stack([x[0, :, 0], x[1], np.ones(3)]),
    "append": lambda x: np.append(x[0], x[1] * 2, axis=0),
    "append flat": lambda x: np.append(x, 3.0),
    "block": lambda x: np.block([[x[0], x[1, :, :1]], [x[1], np.ones((3, 1))]]),
    "block flat": lambda x: np.block([x[0, 0], 3.0, x[1, 1, 1]]),
    "split": lambda x: np.split(x, 2, axis=2)[1] * np.split(x, [2], axis=2)[0],
    "array_split": lambda x: np.array_split(x, 3, axis=2)[0] * np.array_split(x, 3, axis=2)[2],
    "array_split at": lambda x: np.array_split(x, [1, -1], axis=2)[1],
    "hsplit": lambda x: np.hsplit(x, 3)[1],
    "hsplit 1d": lambda x: np.hsplit(x[0, 0], 2)[1],
    "vsplit": lambda x: np.vsplit(x, 2)[1],
    "dsplit": lambda x: np.dsplit(x, [1, 3])[1],
    "diff": lambda x: np.diff(x, n=2, axis=1),
    "diff prepend": lambda x: np.diff(x, prepend=0.0, append=x[..., :1], axis=-1),
    "ediff1d": lambda x: np.ediff1d(x, to_end=x[0, 0, 0], to_begin=[1.0, 2.0]),
    "matrix_transpose": lambda x: np.matrix_transpose(x),
    "meshgrid": lambda x: np.meshgrid(x[0, 0], x[1, :, 1])[0] * np.meshgrid(x[0, 0], x[1, :, 1])[1],
    "meshgrid ij": lambda x: np.meshgrid(x[0, 0], x[1, :, 1], indexing="ij", sparse=True)[1],
    "delete": lambda x: np.delete(x, [0, 2], axis=1),
    "delete flat": lambda x: np.delete(x, slice(2, 9)),
    "diagflat": lambda x: np.diagflat(x[0, :2, :2], 1),
    "copy": lambda x: np.copy(x).copy() if isinstance(x, ag.Tensor) else np.copy(x),
}
if hasattr(np, "unstack"):
    SHAPING["unstack"] = lambda x: np.unstack(x, axis=-1)[2]
    SHAPING["reshape keyword"] = lambda x: np.reshape(x, shape=(6, 4))


@pytest.mark.parametrize("name", SHAPING)
def test_shaping(name: str) -> None:
    check(SHAPING[name], A, order=1)
    check(SHAPING[name], np.asfortranarray(A)[::-1], order=1)
    y = SHAPING[name](ag.Tensor(A.astype(np.float32)))
    assert y.dtype == SHAPING[name](A.astype(np.float32)).dtype


@pytest.mark.parametrize(
    ("width", "how"),
    [
        (2, {}), ((1, 0), {"constant_values": 3.5}), (((0, 1), (2, 3), (1, 1)), {"constant_values": ((1, 2), (3, 4), (5, 6))}),
        *((w, {"mode": m}) for m in ("edge", "reflect", "symmetric", "wrap")
          for w in (1, ((7, 1), (0, 9), (2, 3)), ((0, 0), (0, 0), (0, 0)))),
    ],
)  # fmt: skip
def test_pad(width: Any, how: dict[str, Any]) -> None:
    check(lambda x: np.pad(x, width, **how), A, order=1)
    check(lambda x: np.pad(x, width, **how)[:, 1] ** 2, A)


@pytest.mark.parametrize("mode", ["maximum", "minimum", "mean", "median", "linear_ramp", "odd reflect", "odd symmetric"])
@pytest.mark.parametrize("width", [1, ((7, 1), (0, 9), (2, 3)), ((0, 0), (0, 0), (0, 0))], ids=str)
def test_pad_with_statistics_ramps_and_odd_reflections(mode: str, width: Any) -> None:
    how = {"mode": mode} if not mode.startswith("odd") else {"mode": mode[4:], "reflect_type": "odd"}
    check(lambda x: np.pad(x, width, **how), A, order=1)


def test_pad_leaves_the_middle_and_refuses_functions() -> None:
    t = ag.Tensor(A)
    np.testing.assert_array_equal(np.pad(t, 1, mode="empty").data[1:-1, 1:-1, 1:-1], A)
    with pytest.raises(errors.NoRowError, match="concatenate"):
        np.pad(t, 1, mode=lambda *args: None)
    with pytest.raises(ValueError, match="no mode 'nonsense'"):
        np.pad(t, 1, mode="nonsense")


def test_splits_equal_numpys() -> None:
    t = ag.Tensor(A)
    for f, args in ((np.array_split, (5, 2)), (np.split, ([1, 3], 2)), (np.hsplit, (3,)), (np.array_split, ([2, 1, 9], 1))):
        for mine, numpys in zip(f(t, *args), f(A, *args), strict=True):
            np.testing.assert_array_equal(mine.data, numpys)
    with pytest.raises(ValueError, match="equal"):
        np.split(t, 3, axis=2)
    with pytest.raises(ValueError, match="larger than 0"):
        np.array_split(t, 0)
    with pytest.raises(ValueError, match="dsplit"):
        np.dsplit(t[0], 2)


def test_a_layout_that_depends_on_memory_is_refused() -> None:
    with pytest.raises(errors.NoRowError, match="order"):
        np.ravel(ag.Tensor(A), order="K")


def test_astype() -> None:
    check(lambda x: x.astype(np.longdouble).astype(float) if isinstance(x, ag.Tensor) else x, A)
    t = ag.Tensor(A.astype(np.float32), requires_grad=True)
    (t.astype(float) * 2).sum().backward()
    assert t.grad.dtype == np.float32
    assert not t.astype(int).requires_grad
    assert t.astype(complex).requires_grad
    if hasattr(np, "astype"):
        assert np.astype(t, np.float64).dtype == np.float64


# --- indexing -------------------------------------------------------------------------------------

PICK = np.array([[2, 0], [1, 1], [0, -1]])

INDEXING: dict[str, Callable[[Any], Any]] = {
    "take flat": lambda x: np.take(x, [[1, 1], [-1, 5]]),
    "take": lambda x: np.take(x, [2, 0, 2], axis=1),
    "take int": lambda x: np.take(x, -1, axis=0),
    "take wrap": lambda x: np.take(x, [5, -7], axis=1, mode="wrap"),
    "take clip": lambda x: np.take(x, [5, -7], axis=1, mode="clip"),
    "take wrap flat": lambda x: np.take(x, [13, -13], mode="wrap"),
    "take_along_axis": lambda x: np.take_along_axis(x[:3], PICK, axis=1),
    "take_along_axis 0": lambda x: np.take_along_axis(x, np.array([[1, 1, 0]]), axis=0),
    "take_along_axis flat": lambda x: np.take_along_axis(x, np.array([1, 1, 7]), axis=None),
    "take_along_axis argsort": lambda x: np.take_along_axis(x, np.argsort(x, axis=1), axis=1),
    "choose": lambda x: np.choose(np.array([[0], [1], [1], [0]]), [x, x[0] * 2]),
    "choose wrap": lambda x: np.choose(np.array([3, -2, 1]), [x, x * x], mode="wrap"),
    "compress": lambda x: np.compress([False, True, True], x, axis=0),
    "compress flat": lambda x: np.compress([True, False, True], x),
    "extract": lambda x: np.extract(X > 0, x),
    "sort": lambda x: np.sort(x),
    "sort 0": lambda x: np.sort(x, axis=0, kind="stable"),
    "sort flat": lambda x: np.sort(x, axis=None),
    "partition": lambda x: np.partition(x, 1, axis=0)[1] * np.partition(x, 2)[:, 2:].sum(),
    "partition flat": lambda x: np.partition(x, (3, 7), axis=None)[3:8:4],
    "masked": lambda x: x[X > 0],
    "repeated": lambda x: x[[0, 0, 1], [1, 1, 2]],
    "mixed": lambda x: x[[0, 0], 1:, None],
    "ellipsis": lambda x: x[..., -1],
    "from where": lambda x: x[np.nonzero(x > 0)],
    "row mask": lambda x: x[np.array([True, False, True, True]), 1],
}


@pytest.mark.parametrize("name", INDEXING)
def test_indexing(name: str) -> None:
    check(INDEXING[name], X)


def test_choose_refuses_an_index_out_of_range() -> None:
    for i in (-1, 2):
        with pytest.raises(ValueError, match="outside"):
            np.choose(np.array([i]), [ag.Tensor([1.0]), ag.Tensor([2.0])])


@given(st.lists(st.integers(-4, 3), max_size=30), st.sampled_from([np.float16, np.float32, np.float64, np.longdouble]))
def test_repeated_indices_add_up(index: list[int], dtype: Any) -> None:
    x = ag.Tensor(np.zeros((4, 2), dtype), requires_grad=True)
    y = x[np.array(index, dtype=int)]
    y.backward(np.ones(y.shape, dtype))
    assert x.grad.dtype == dtype
    counts = np.bincount([i % 4 for i in index], minlength=4)
    np.testing.assert_array_equal(x.grad, np.stack([counts, counts], 1))


def test_writing() -> None:
    def f(x: Any, v: Any) -> Any:
        y = x * 1.0
        y[1:3, 0] = v
        y[[0, 0], 1] = v * 2  # the last write counts
        y[-1] = v.reshape(1, 2)[:, :1] ** 2
        return y

    check(f, X, np.array([0.3, -0.7]))

    def more_axes(x: Any, v: Any) -> Any:
        y = x.copy()
        y[0] = v
        y[[1, 2]] = v[None]
        return y

    check(more_axes, X, np.array([[0.3, -0.7, 0.1]]))


def test_read_through_indices_keeps_a_nan_out() -> None:
    def f(x: Any) -> Any:
        y = x * 1.0
        y[np.array([0, 0])] = np.sqrt(x[1:])
        return y[0]

    assert ag.grad(f)(np.array([1.0, 0.0, 4.0])).tolist() == [0, 0, 0.25]


# --- creation -------------------------------------------------------------------------------------


def test_creation_gives_constants_of_the_right_dtype() -> None:
    t = ag.Tensor(X.astype(np.float32), requires_grad=True)
    for f in (np.zeros_like, np.ones_like, np.empty_like):
        y = f(t)
        assert (y.shape, y.dtype, y.requires_grad) == ((4, 3), np.float32, False)
        assert f(t, dtype=int, shape=(2,)).dtype == int
    check(lambda x: np.full_like(X, 2.0) * x if not isinstance(x, ag.Tensor) else np.full_like(x, 2.0) * x, X)
    check(lambda x: np.broadcast_to(x[0, 0], X.shape) if not isinstance(x, ag.Tensor) else np.full_like(x, x[0, 0]), X)
    assert np.full_like(t, ag.Tensor(2.5)).dtype == np.float32
    assert np.full_like(t, 2.7, dtype=int).data.max() == 2
    nested = ag.grad(lambda x: ag.grad(lambda y: np.sum(np.ones_like(y) * y * x + np.zeros_like(y)))(2.0) * x)(3.0)
    assert nested == 6


# --- methods --------------------------------------------------------------------------------------

METHODS: dict[str, Callable[[Any], Any]] = {
    "std": lambda x: x.std(0), "var": lambda x: x.var(1, ddof=1), "max": lambda x: x.max(0), "min": lambda x: x.min(axis=1, keepdims=True),
    "sum": lambda x: x.sum(0), "mean": lambda x: x.mean((0, 1)), "prod": lambda x: x.prod(1), "take": lambda x: x.take([0, 2], 1),
    "repeat": lambda x: x.repeat(2, 0), "squeeze": lambda x: x[None].squeeze(0),
    "clip": lambda x: x.clip(0, 1), "round": lambda x: (x + 0.013).round(1),
    "cumsum": lambda x: x.cumsum(0), "cumprod": lambda x: x.cumprod(1), "diagonal": lambda x: x.diagonal(1), "trace": lambda x: x.trace(),
    "ravel": lambda x: x.ravel(), "ravel F": lambda x: x.ravel("F"), "flatten F": lambda x: x.flatten("F"),
    "reshape": lambda x: x.reshape(2, -1),
    "reshape F": lambda x: x.reshape((2, 6), order="F"), "transpose": lambda x: x.transpose(1, 0), "swapaxes": lambda x: x.swapaxes(0, 1),
    "copy": lambda x: x.copy(), "any": lambda x: (x > 0).any(), "all": lambda x: x.all(1), "argmax": lambda x: x.argmax(0),
    "argmin": lambda x: x.argmin(), "argsort": lambda x: x.argsort(0), "choose": lambda x: (x > 0).choose([x, 2 * x]),
    "searchsorted": lambda x: x[:, 0].searchsorted([0.1, 0.2]), "dot": lambda x: x.dot(X[0]), "T": lambda x: x.T,
}  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
def test_methods_equal_ndarrays(name: str) -> None:
    f = METHODS[name]
    found = f(ag.Tensor(X, requires_grad=True))
    np.testing.assert_array_equal(found.data, f(X))
    assert found.dtype == f(X).dtype
    if found.requires_grad:
        w = weights(found.shape)
        g = ag.grad(lambda x: np.sum(w * f(x)))(X)
        np.testing.assert_allclose(g, numeric_gradient(lambda x: np.sum(w * f(x)), X), rtol=1e-7, atol=1e-8)


def test_nonzero_and_sorting_methods() -> None:
    t = ag.Tensor(X)
    for a, b in zip(t.nonzero(), X.nonzero(), strict=True):
        np.testing.assert_array_equal(a.data, b)

    def in_place(x: Any) -> Any:
        y = x * 2
        y.sort(0)
        y.partition(1)
        return y[:, 1]

    check(in_place, X)


# --- other NumPy-protocol arrays ------------------------------------------------------------------

DASK: dict[str, Callable[[Any], Any]] = {
    "sum": lambda x: np.sum(x * x), "sum axis": lambda x: np.sum(x, axis=1, keepdims=True) * x, "mean": lambda x: np.mean(x * x, axis=0),
    "var": lambda x: np.var(x, axis=0), "std": lambda x: np.std(x, axis=1), "max": lambda x: np.max(x, axis=1),
    "prod": lambda x: np.prod(x, axis=0),
    "where": lambda x: np.where(x > 0, x * x, 0), "clip": lambda x: np.clip(x, -0.5, 0.5),
    "concatenate": lambda x: np.concatenate([x, x * x]),
    "stack": lambda x: np.stack([x, x * x]), "transpose": lambda x: x.T * 2, "reshape": lambda x: np.reshape(x, (2, 2, 3)) ** 2,
    "getitem": lambda x: x[1:, 0] ** 2, "expand": lambda x: np.expand_dims(x, 1) ** 2, "cumsum": lambda x: np.cumsum(x, axis=0) ** 2,
}  # fmt: skip


@pytest.mark.parametrize("name", DASK)
def test_the_same_gradient_on_dask_arrays(name: str) -> None:
    da = pytest.importorskip("dask.array")

    def loss(x: Any) -> Any:
        return np.sum(np.sin(DASK[name](x)))

    g = ag.grad(loss)(da.from_array(X, chunks=(2, 3)))
    assert isinstance(g, da.Array)
    np.testing.assert_allclose(g.compute(), ag.grad(loss)(X), rtol=1e-12)


# --- what ndarray has beside -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("obj", "values", "axis"),
    [
        (1, 9.0, None), (1, [8.0, 9.0], None), (-1, 9.0, 1), (2, [5.0, 6.0, 7.0], 1), (0, [[5.0, 6.0, 7.0, 8.0]] * 2, 0),
        ([1], [[5.0], [6.0], [7.0]], 1), ([0, 2, 2], [1.0, 2.0, 3.0], 1), (slice(1, 3), 4.0, 1),
        (np.array([True, False, True, False]), 1.0, 1), ([], 1.0, 0),
    ],
)  # fmt: skip
def test_insert(obj: Any, values: Any, axis: Any) -> None:
    x = np.arange(12.0).reshape(3, 4)
    y, pullback = ag.vjp(lambda x, v: np.insert(x, obj, v, axis), x, np.asarray(values))
    expected = np.insert(x, obj, values, axis)
    np.testing.assert_array_equal(y, expected)
    g = np.random.default_rng(0).normal(size=expected.shape)
    gx, gv = pullback(g)
    np.testing.assert_array_equal(np.insert(np.zeros_like(x), obj, np.ones_like(values), axis) == 0, np.isin(g, gx))
    np.testing.assert_allclose(gx.sum() + gv.sum(), g.sum())


@pytest.mark.parametrize("f", [np.insert, np.delete])
def test_positions_given_as_a_tensor_are_refused(f: Any) -> None:
    with pytest.raises(ag.NoRowError, match=r"positions as a Tensor.*x\.data"):
        f(ag.Tensor([1.0, 2.0], requires_grad=True), ag.Tensor(1), *([3.0] if f is np.insert else []))


_AT = np.array([0.0, 0.5, 2.0, 2.25, 3.5])


@pytest.mark.parametrize(
    ("spacing", "how"),
    [
        ((), {}), ((0.5,), {"axis": 0}), ((2.0, 0.5), {}), ((_AT,), {"axis": 1}), ((1.0, _AT), {"edge_order": 2}),
        ((), {"axis": (1, 0)}), ((), {"edge_order": 2, "axis": -1}),
    ],
)  # fmt: skip
def test_gradient(spacing: Any, how: Any) -> None:
    x = np.random.default_rng(0).normal(size=(4, 5))
    expected = np.gradient(x, *spacing, **how)
    found, _ = ag.jvp(lambda x: np.gradient(x, *spacing, **how), (x,), (x,))
    _, moved = ag.jvp(lambda x: np.gradient(x, *spacing, **how), (x,), (np.cos(x),))
    linear = np.gradient(np.cos(x), *spacing, **how)
    for a, b in ((found, expected), (moved, linear)):
        for part, other in zip(a, b, strict=True):
            np.testing.assert_allclose(part, other, atol=1e-12)
    single = x.astype(np.float32)
    y = np.gradient(ag.Tensor(single), *spacing, **how)
    assert {t.dtype for t in (y if isinstance(y, tuple) else (y,))} == {np.dtype(np.float32)}


def test_gradient_by_its_coordinates_and_what_it_refuses() -> None:
    f = np.array([1.0, 4.0, 2.0, 7.0])
    at = np.array([0.0, 1.0, 2.5, 3.0])
    step = 1e-6
    by_at = ag.grad(lambda at: np.sum(np.gradient(f, at) ** 2))(at)
    numeric = [(np.sum(np.gradient(f, at + e) ** 2) - np.sum(np.gradient(f, at - e) ** 2)) / (2 * step) for e in step * np.eye(4)]
    np.testing.assert_allclose(by_at, numeric, rtol=1e-6)
    t = ag.Tensor(f, requires_grad=True)
    with pytest.raises(ValueError, match="at least 3 elements along axis 0, got 2"):
        np.gradient(t[:2], edge_order=2)
    with pytest.raises(ValueError, match=r"4 coordinates along axis 0, got shape \(3,\)"):
        np.gradient(t, at[:3])
    with pytest.raises(TypeError, match="one spacing, or one for each of 1 axes, got 2"):
        np.gradient(t, 1.0, 2.0)
    with pytest.raises(ValueError, match="edge_order 1 or 2, got 3"):
        np.gradient(t, edge_order=3)


def test_methods_and_parts_of_a_real_array() -> None:
    x = np.array([[3.0, 1.0, 2.0], [0.5, 4.0, 1.5]])
    t = ag.Tensor(x, requires_grad=True)
    np.testing.assert_array_equal(t.compress([False, True, True], axis=1).data, x.compress([False, True, True], axis=1))
    np.testing.assert_array_equal(t.compress([True, False, True]).data, x.compress([True, False, True]))
    np.testing.assert_array_equal(t.conj().data, x)
    np.testing.assert_array_equal(t.conjugate().data, x)
    np.testing.assert_array_equal(t.argpartition(1, axis=1).data, x.argpartition(1, axis=1))
    np.testing.assert_array_equal(t.imag.data, np.zeros((2, 3)))
    np.sum(t.real * t.compress([True, True], axis=0)).backward()
    np.testing.assert_array_equal(t.grad, 2 * x)


@pytest.mark.parametrize(
    ("name", "advice"),
    [("flat", "reshape"), ("view", "astype"), ("resize", "reshape"), ("tobytes", "numpy")],
)
def test_what_a_tensor_has_not_names_what_to_write(name: str, advice: str) -> None:
    t = ag.Tensor([1.0])
    assert not hasattr(t, name)
    for kind in (AttributeError, ag.AutogradError):
        with pytest.raises(kind, match=rf"a Tensor has no \.{name}; write .*{advice}"):
            getattr(t, name)
    with pytest.raises(AttributeError, match="'Tensor' object has no attribute 'nonsense'"):
        t.nonsense  # noqa: B018


def test_astype_keeps_to_the_casting_rule() -> None:
    t = ag.Tensor([1.5], requires_grad=True)
    assert t.astype(np.float32, copy=False).dtype == np.float32
    with pytest.raises(TypeError, match="cannot cast a Tensor of float64 to float32 under the rule casting='safe'"):
        t.astype(np.float32, casting="safe")
