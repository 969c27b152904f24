"""Functions of several arrays, over operands of every dtype and shape: what NumPy promotes, weakens, casts or refuses."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from table import arrays_of

import autograd_np as ag

X = np.array([0.5, 1.5, 0.25])
MASK = np.array([True, False, True])
OTHERS: list[Any] = [
    0.5, 2, True, np.float64(0.5), np.float32(0.5), np.float16(0.5), np.array(0.5), np.array(0.5, "f4"), np.int8(1), np.int64(1),
    [0.5, 1.0, 2.0], [1, 2, 3], X, X.astype("f4"), X.astype("f2"), np.array([1, 2, 4], "i1"), np.array([1, 2, 4]), MASK,
    np.array([1, 2, 4], "u8"), X[None], X[:1], X[:1].astype("f4")[None], X[:, None].astype("f4"),
]  # fmt: skip


def _written(write: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def call(a: Any, b: Any) -> Any:
        y = a * 1
        write(y, b)
        return y

    return call


def _augmented(y: Any, b: Any) -> None:
    y += b


FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "select": lambda a, b: np.select([MASK, ~MASK], [a, b]),
    "select of three": lambda a, b: np.select([MASK, MASK, ~MASK], [a, b, 1], b),
    "select of numbers": lambda a, b: np.select([MASK, ~MASK], [1, 0.5], a),
    "choose": lambda a, b: np.choose([0, 1, 0], [a, b]),
    "choose of three": lambda a, b: np.choose([0, 1, 2], [a, b, 1]),
    "where": lambda a, b: np.where(MASK, a, b),
    "concatenate": lambda a, b: np.concatenate([np.atleast_1d(a), np.atleast_1d(b)]),
    "stack": lambda a, b: np.stack([a, b]),
    "hstack": lambda a, b: np.hstack([a, b]),
    "vstack": lambda a, b: np.vstack([a, b]),
    "dstack": lambda a, b: np.dstack([a, b]),
    "column_stack": lambda a, b: np.column_stack([a, b]),
    "block": lambda a, b: np.block([a, b]),
    "append": lambda a, b: np.append(a, b),
    "append along": lambda a, b: np.append(a, b, axis=0),
    "insert": lambda a, b: np.insert(a, 1, b),
    "insert list": lambda a, b: np.insert(a, [1], b),
    "insert flat": lambda a, b: np.insert(a, 1, b, axis=None),
    "insert rows": lambda a, b: np.insert(np.outer(a, a), 1, b, axis=1),
    "insert several": lambda a, b: np.insert(a, [0, 2, 2], b),
    "average": lambda a, b: np.average(a, weights=b),
    "clip": lambda a, b: np.clip(a, b, 2),
    "nan_to_num": lambda a, b: np.nan_to_num(a * np.array([1, np.nan, 1], "f2"), nan=b),
    "nan_to_num of infinities": lambda a, b: np.nan_to_num(a * np.array([1, np.inf, -np.inf], "f2"), posinf=b, neginf=b),
    "diff": lambda a, b: np.diff(a, prepend=b),
    "ediff1d": lambda a, b: np.ediff1d(a, to_end=b),
    "gradient": lambda a, b: np.gradient(a, b),
    "cross": lambda a, b: np.cross(a, b),
    "einsum": lambda a, b: np.einsum("i,i->", a, b),
    "outer": lambda a, b: np.outer(a, b),
    "linalg.outer": lambda a, b: np.linalg.outer(a, b),
    "kron": lambda a, b: np.kron(a, b),
    "tensordot": lambda a, b: np.tensordot(a, b, 1),
    "dot": lambda a, b: np.dot(a, b),
    "inner": lambda a, b: np.inner(a, b),
    "vdot": lambda a, b: np.vdot(a, b),
    "matmul": lambda a, b: np.matmul(a, b),
    "multi_dot": lambda a, b: np.linalg.multi_dot([a, np.eye(3, dtype="f4"), b]),
    "solve": lambda a, b: np.linalg.solve(np.diag(a), b),
    "pad": lambda a, b: np.pad(a, 1, constant_values=b),
    "divmod": lambda a, b: np.divmod(a, b)[1],
    "initial": lambda a, b: np.sum(a, initial=b),
    "largest initial": lambda a, b: np.nanmax(a, initial=b),
    "broadcast_arrays": lambda a, b: np.broadcast_arrays(a, b)[0],
    "meshgrid": lambda a, b: np.meshgrid(a, b)[0],
    "add.outer": lambda a, b: np.add.outer(a, b),
    "put_along_axis": _written(lambda y, b: np.put_along_axis(y, np.array([1]), b, 0)),
    "put": _written(lambda y, b: np.put(y, [0, 2], b)),
    "copyto": _written(lambda y, b: np.copyto(y, b)),
    "place": _written(lambda y, b: np.place(y, MASK, b)),
    "putmask": _written(lambda y, b: np.putmask(y, MASK, b)),
    "x[:] = v": _written(lambda y, b: y.__setitem__(slice(None), b)),
    "x += v": _written(_augmented),
    "out=": _written(lambda y, b: np.multiply(y, b, out=y)),
    "fill_diagonal": lambda a, b: _written(lambda y, b: np.fill_diagonal(y, b))(np.outer(a, a), b),
}  # fmt: skip


def _outcome(call: Callable[[], Any]) -> Any:
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return call()
    except Exception as error:  # noqa: BLE001 (NumPy's own, whatever they are)
        return error


def _agree(got: Any, expected: Any, what: str) -> None:
    if isinstance(expected, Exception):
        same = (type(expected), ag.AutogradError)
        if "sequence" in str(expected) or type(expected) is IndexError:  # what NumPy's C code stumbles upon
            same = (*same, TypeError, ValueError)
        assert isinstance(got, same), f"{what}: {got!r} where NumPy raises {expected!r}"
    elif not isinstance(got, ag.AutogradError) and isinstance(expected, np.ndarray | np.generic):
        assert not isinstance(got, Exception), f"{what}: {got!r} where NumPy answers"
        array = np.asarray(arrays_of(got))
        assert array.dtype == expected.dtype, what
        assert array.shape == np.shape(expected), what
        np.testing.assert_allclose(array, expected, rtol=4 * float(np.finfo(np.float16).eps if "e" in what else 1e-6), err_msg=what)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", "efd")
def test_operands_of_every_kind(name: str, dtype: str) -> None:
    """The dtype, the shape and the value are NumPy's, or there is an error where NumPy has one."""
    f, x = FUNCTIONS[name], X.astype(dtype)
    answered = 0
    for other in OTHERS:
        if name == "gradient" and np.ndim(other) and np.asarray(other).dtype.kind in "ub":
            continue  # coordinates that run backwards, or are differences of booleans
        for call in (lambda a, f=f, other=other: f(a, other), lambda a, f=f, other=other: f(other, a)):
            expected, got = _outcome(lambda call=call: call(x)), _outcome(lambda call=call: call(ag.Tensor(x, requires_grad=True)))
            _agree(got, expected, f"{name} of {dtype} and {other!r}")
            answered += not isinstance(expected, Exception) and not isinstance(got, Exception)
    assert answered or (name == "solve" and dtype == "e")  # LAPACK has no float16


@pytest.mark.parametrize("name", ["select", "select of three", "choose", "insert", "nan_to_num", "append", "block", "where"])
def test_the_gradient_of_a_promoted_operand_has_its_dtype(name: str) -> None:
    f = FUNCTIONS[name]
    for dtype in "ef":
        for other in (0.5, X, X.astype("f2"), np.array([1, 2, 4])):
            got = ag.grad(lambda a, other=other: np.sum(f(a, other) * 0.5))(X.astype(dtype))
            assert got.dtype == np.dtype(dtype)
            np.testing.assert_array_equal(got, ag.grad(lambda a, other=other: np.sum(f(a, other) * 0.5))(X))


def test_what_replaces_nan_is_not_replaced_again() -> None:
    x = np.array([np.nan, 1.0, np.inf])
    for how in ({"nan": np.inf}, {"nan": -np.inf, "posinf": -np.inf}, {"nan": np.array([1.0, 2.0, 3.0])}):
        np.testing.assert_array_equal(ag.vjp(lambda v, how=how: np.nan_to_num(v, **how), x)[0], np.nan_to_num(x, **how))


def test_select_needs_conditions_of_booleans() -> None:
    for conditions in ([[1, 0, 1]], [np.array([1.0, 0.0, 1.0])]):
        with pytest.raises(TypeError, match="booleans"):
            np.select(conditions, [ag.Tensor(X, requires_grad=True)])


def test_insert_drops_leading_axes_of_length_one() -> None:
    """As assignment does; the gradient goes back through them."""
    values = np.array([[[5.0], [6.0]]])[..., 0]
    for f in (
        lambda x, v: np.insert(x, [1], v[:, :1]),
        lambda x, v: np.insert(x, 1, v[None, :1, :1]),
        lambda x, v: np.insert(x, [1, 2], v),
    ):
        np.testing.assert_array_equal(ag.vjp(f, X, values)[0], f(X, values))
        gx, gv = ag.grad(lambda x, v, f=f: np.sum(f(x, v) ** 2), (0, 1))(X, values)
        np.testing.assert_array_equal(gx, 2 * X)
        assert gv.shape == values.shape
        assert gv.sum() in (10.0, 22.0)


@pytest.mark.parametrize("fn", [np.nanvar, np.nanstd])
@pytest.mark.parametrize("dtype", "efd")
@pytest.mark.parametrize("within", [None, "f2", "f4", "f8"])
def test_a_spread_that_ignores_nan_is_rounded_as_numpys(fn: Any, dtype: str, within: Any) -> None:
    rng = np.random.default_rng(0)
    a = np.where(rng.random((3, 4)) < 0.2, np.nan, rng.normal(size=(3, 4)) + 3).astype(dtype)
    hows: list[dict[str, Any]] = [{}, {"ddof": 1}, {"correction": 1}, {"keepdims": True}, {"axis": 0}, {"ddof": 12}, {"where": a < 4}]
    with np.errstate(all="ignore"):
        for how in hows:
            expected = _outcome(lambda how=how: fn(a, dtype=within, **how))
            got = _outcome(lambda how=how: fn(ag.Tensor(a, requires_grad=True), dtype=within, **how))
            if isinstance(expected, Exception):
                continue
            assert got.dtype == expected.dtype
            np.testing.assert_array_equal(arrays_of(got), expected, err_msg=str(how))


def test_the_spread_of_equal_numbers_has_no_slope() -> None:
    x = np.array([0.1, 0.1, np.nan, 0.1])
    for f in (np.nanvar, np.nanstd):
        np.testing.assert_array_equal(ag.grad(f)(x), np.zeros(4))


@pytest.mark.parametrize("ufunc", [np.add, np.float_power, np.hypot, np.divide, np.floor_divide, np.divmod], ids=lambda f: f.__name__)
@pytest.mark.parametrize("casting", ["same_kind", "unsafe", "safe"])
def test_a_ufunc_computes_in_the_dtype_it_is_given(ufunc: Any, casting: Any) -> None:
    for dtype in ("f2", "f4", "f8", "i4", "bool"):
        for args in ((X, 0.5), (X, np.float32(2)), (2, X), (X.astype("f4"), X)):
            expected = _outcome(lambda args=args, dtype=dtype: ufunc(*args, dtype=dtype, casting=casting))
            tensors = [ag.Tensor(a, requires_grad=True) if isinstance(a, np.ndarray) else a for a in args]
            got = _outcome(lambda tensors=tensors, dtype=dtype: ufunc(*tensors, dtype=dtype, casting=casting))
            pairs = zip(got, expected, strict=True) if isinstance(expected, tuple) else [(got, expected)]
            for a, b in pairs:
                _agree(a, b, f"{ufunc.__name__} of {args} in {dtype}, {casting}")


NUMBERS = [0.0, -0.0, 2.5, -3.0, 1e300, np.inf, np.nan, 7, 0]


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("operation", "ufunc"),
    [(operator.add, np.add), (operator.sub, np.subtract), (operator.mul, np.multiply), (operator.truediv, np.divide)],
)
def test_arithmetic_of_numbers_gives_what_the_ufunc_gives(operation: Any, ufunc: Any, kind: Any) -> None:
    """Numbers are not made arrays of, which must not be seen: the same bits and the same dtype, also of what is not finite."""
    x = np.sum(ag.Tensor([kind(2.5)], requires_grad=True))
    with np.errstate(all="ignore"):
        for b in [*NUMBERS, *map(np.float64, NUMBERS), *map(np.float32, NUMBERS)]:
            for found, expected in ((operation(x, b), ufunc(kind(2.5), b)), (operation(b, x), ufunc(b, kind(2.5)))):
                assert type(found.data) is type(expected), b
                assert found.data.tobytes() == expected.tobytes() or (np.isnan(found.data) and np.isnan(expected)), b
