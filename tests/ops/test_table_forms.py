"""Every row of the table in every form that NumPy accepts: axes, no axes, booleans, extreme numbers, float16 at length."""

from __future__ import annotations

import inspect
import itertools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from oracles import numeric_gradient
from table import DERIVED, DIFFERENTIABLE, ROWS, SCIPYS, Sample, arrays_of, close, rng_of, rows, samples, seed_of, takes_whole_numbers

import autograd_np as ag
from autograd_np.op import Op

ELEMENTWISE = [op for op in DIFFERENTIABLE if op.kind == "elementwise"]
BINARY = [op for op in ELEMENTWISE if len(op.rules) == 2]


def outcome(call: Callable[[], Any]) -> Any:
    """Return the result of a call, or the error it raised."""
    try:
        with np.errstate(all="ignore"):
            return call()
    except Exception as error:  # noqa: BLE001 (NumPy's own, whatever they are)
        return error


def agrees(s: Sample, *, smooth: bool = True) -> bool:
    """Demand of a call what NumPy answers, and its gradient; or an error where NumPy raises one. Returns whether it was answered."""
    expected = outcome(lambda: s.call(*s.floats))
    found = outcome(lambda: ag.vjp(s.call, *s.floats))
    if isinstance(expected, Exception):
        kinds = (type(expected), ag.AutogradError, ValueError, TypeError, IndexError)
        assert isinstance(found, kinds), f"NumPy refuses {s} ({expected!r}), and we say {found!r}"
        return False
    if isinstance(found, ag.AutogradError):
        return False  # refused by name
    assert not isinstance(found, Exception), f"NumPy answers {s}, and we raise {found!r}"
    out, pullback = found
    if not isinstance(expected, np.ndarray | np.generic):
        return False
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-14, err_msg=str(s))
    assert np.shape(out) == expected.shape
    assert out.dtype == expected.dtype
    if expected.dtype.kind == "f" and smooth and s.op.kind != "constant":
        w = np.asarray(seed_of(s, expected))
        for n, g in enumerate(pullback(w)):
            reference = numeric_gradient(lambda *xs: np.sum(w * s.call(*xs)), *s.floats, wrt=n)
            close(g, reference, s, f"gradient by argument {s.wrt[n]}")
    return True


# --- axes -----------------------------------------------------------------------------------------

AXES = ("axis", "axes", "axis1", "axis2", "axisa", "axisb", "axisc", "source", "destination")


def forms(axis: Any, ndim: int) -> Iterator[Any]:
    """Yield an axis argument in every form that some function of NumPy's takes."""
    yield from (None, True)
    if isinstance(axis, int):
        yield from (axis, axis - ndim if axis >= 0 else axis + ndim, np.int64(axis), np.array(axis), (axis,), [axis], np.array([axis]))
        yield from (float(axis), np.float64(axis), str(axis))  # norms take them
    elif isinstance(axis, tuple) and all(isinstance(i, int) for i in axis):
        yield from (axis, axis[::-1], tuple(i - ndim if i >= 0 else i + ndim for i in axis), list(axis), np.array(axis), axis[:1], ())
        yield tuple(np.int64(i) for i in axis)


@rows([op for op in ROWS if any(k in s.attrs for s in samples(op) for k in AXES)])
def test_an_axis_in_every_form(op: Op) -> None:
    answered = 0
    for s in samples(op):
        ndim = max((np.ndim(a) for a in s.arrays), default=0)
        for name in AXES:
            for form in forms(s.attrs.get(name), ndim):
                if name in s.attrs:
                    answered += agrees(replace(s, attrs={**s.attrs, name: form}))
    assert answered


X = np.array([[0.31, -1.22, 0.87], [1.43, 0.55, -0.64]])
WITH_AXIS = [fn for fn in DERIVED if not isinstance(fn, np.ufunc) and "axis" in inspect.signature(fn).parameters]
SECOND = {"partition": 1, "split": 1, "array_split": 1, "compress": None, "delete": 1, "append": X, "insert": 1}
INSERTED = {"insert": 5.0}


@pytest.mark.parametrize("fn", WITH_AXIS, ids=lambda fn: fn.__name__)
@pytest.mark.parametrize("axis", list(forms(1, 2)) + list(forms((0, 1), 2)) + [5, -3], ids=repr)
def test_a_derived_function_with_an_axis_in_every_form(fn: Any, axis: Any) -> None:
    """The value is NumPy's, or both raise; the gradient is that of the axis in its plainest form."""
    name = fn.__name__
    more = [m for m in (SECOND.get(name), INSERTED.get(name)) if m is not None]
    args = ([True, False, True], X) if name == "compress" else (X[0] if name.startswith("cumulative") and axis is None else X, *more)

    def call(x: Any) -> Any:
        return fn(*(x if a is X or np.shares_memory(np.asarray(a), X) else a for a in args), axis=axis)

    x = args[1] if name == "compress" else args[0]
    expected, found = outcome(lambda: call(x)), outcome(lambda: call(ag.Tensor(x, requires_grad=True)))
    if isinstance(expected, TypeError):
        return  # a form that this function of NumPy's does not take: the others do, so ours may
    if isinstance(expected, Exception):
        assert isinstance(found, Exception), f"NumPy raises {expected!r}"
        assert isinstance(found, type(expected) | ag.AutogradError | ValueError | TypeError | IndexError), f"{found!r} for {expected!r}"
        return
    if isinstance(found, ag.AutogradError):
        return
    assert not isinstance(found, Exception), f"NumPy answers {expected!r}, and we raise {found!r}"
    pairs = list(zip(found, expected, strict=True)) if isinstance(expected, list | tuple) else [(found, expected)]
    for a, b in pairs:
        np.testing.assert_allclose(arrays_of(a), b, rtol=1e-12, atol=1e-14)

    def loss(x: Any) -> Any:
        y = call(x)
        return sum(np.sum(np.real(part * part + part)) + np.sum(np.imag(part)) for part in (y if isinstance(y, list | tuple) else [y]))

    close(ag.grad(loss)(x), numeric_gradient(loss, x), name, f"gradient with axis={axis!r}")


# --- no axes at all -------------------------------------------------------------------------------


def flattened(s: Sample) -> Sample:
    """Return the call with 0-d arrays in the place of all that it has."""
    return replace(s, arrays=tuple(a.reshape(-1)[:1].reshape(()) if isinstance(a, np.ndarray) and a.size else a for a in s.arrays))


@rows(list(ROWS))
def test_an_array_without_axes(op: Op) -> None:
    for s in samples(op):
        if not s.wrt or op.name.startswith("scatter") or op.name in ("add_along_axis", "spectral", "cofactors"):
            continue  # no user calls them
        variants = [s.attrs, {}, {k: v for k, v in s.attrs.items() if k != "axis"}]
        variants += [{**s.attrs, "axis": axis} for axis in (0, -1, None)] if "axis" in op.params else []
        kept = [i for i, a in enumerate(s.arrays) if isinstance(a, np.ndarray) and a.dtype.kind != "f"]
        for attrs in variants:
            zero = replace(flattened(s), attrs=attrs)
            agrees(zero)
            agrees(replace(zero, arrays=tuple(a if i in kept else z for i, (a, z) in enumerate(zip(s.arrays, zero.arrays, strict=True)))))


@pytest.mark.parametrize("fn", DERIVED, ids=lambda fn: fn.__name__)
def test_a_derived_function_of_an_array_without_axes(fn: Any) -> None:
    for args, how in itertools.product(((), (1,), (0,), (2.0,), ([0],)), ({}, {"axis": 0}, {"axis": -1}, {"axis": None})):
        expected = outcome(lambda args=args, how=how: fn(np.array(0.7), *args, **how))
        found = outcome(lambda args=args, how=how: fn(ag.Tensor(0.7, requires_grad=True), *args, **how))
        if isinstance(expected, Exception):
            assert isinstance(found, Exception | ag.Tensor | np.ndarray), f"{fn.__name__}: {found!r} for {expected!r}"
            assert not isinstance(found, ZeroDivisionError | AttributeError | AssertionError), f"{fn.__name__}: {found!r} for {expected!r}"
        elif not isinstance(found, ag.AutogradError):
            assert not isinstance(found, Exception), f"{fn.__name__}{args}{how} is {expected!r}, and we raise {found!r}"
            flat = zip(found, expected, strict=True) if isinstance(expected, list | tuple) else [(found, expected)]
            for a, b in flat:
                if isinstance(b, np.ndarray | np.generic) and fn is not np.empty_like:
                    assert np.shape(arrays_of(a)) == np.shape(b)
                    np.testing.assert_allclose(arrays_of(a), b)


def test_forms_that_once_failed() -> None:
    x = np.array([1.0, 2.0, 3.0])
    for axes in (0, (0,), [0], -1, np.int64(0), None):
        np.testing.assert_array_equal(ag.grad(lambda x, axes=axes: np.sum(np.transpose(x, axes) ** 2))(x), 2 * x)
    for axis in (0, -1, None):
        assert ag.grad(lambda x, axis=axis: np.sum(np.repeat(x, 2, axis=axis)))(1.0) == 2.0
    np.testing.assert_array_equal(ag.grad(lambda x: np.sum(np.take(x, np.array([True, True]))))(x), [0, 2, 0])
    np.testing.assert_array_equal(ag.grad(lambda x: np.sum(np.take(x, [False, True], mode="clip")))(x), [1, 1, 0])
    if hasattr(np, "cumulative_prod"):  # NumPy 2.1
        assert ag.grad(lambda x: np.cumulative_prod(x)[0])(2.0) == 1.0
    assert ag.grad(np.nextafter)(1.0, 2.0) == 1.0
    with pytest.raises(np.exceptions.AxisError):
        np.diff(ag.Tensor(x, requires_grad=True), axis=1)


# --- booleans -------------------------------------------------------------------------------------


@rows([op for op in ROWS if len(op.rules) > 1 and not op.variadic])
def test_booleans_in_the_place_of_any_argument(op: Op) -> None:
    """NumPy takes them for 0 and 1, but for masks where it says so."""
    for s in samples(op):
        for i, a in enumerate(s.arrays):
            domain = op.domains[min(i, len(op.domains) - 1)]
            if op in SCIPYS and (domain.dtype == "int" or not domain.low < 1 < domain.high):
                continue  # a probability, a degree
            if isinstance(a, np.ndarray) and len(s.wrt) > (i in s.wrt):
                agrees(
                    replace(s, arrays=(*s.arrays[:i], a > 0, *s.arrays[i + 1 :])),
                    smooth=op.name not in ("maximum", "minimum", "fmax", "fmin"),
                )


@rows([op for op in DIFFERENTIABLE if "repeats" in op.params or "index" in op.params])
def test_booleans_as_attributes(op: Op) -> None:
    for s in samples(op):
        for name in ("repeats", "index"):
            if isinstance(s.attrs.get(name), np.ndarray | list):
                for convert in (np.array, list):
                    agrees(replace(s, attrs={**s.attrs, name: convert(np.asarray(s.attrs[name]) > 0)}))


# --- extreme numbers ------------------------------------------------------------------------------

SATURATES = {"tanh", "sigmoid", "expm1", "sinc", "remainder", "fmod", "sin", "cos", "tan", "softplus", "log_sigmoid"}
"""Slopes that are right to rounding of 1, not of themselves, or of a phase that is rounding alone."""

WIDER = {np.float16: np.float64, np.float32: np.float64, np.float64: np.longdouble}


@rows([op for op in ELEMENTWISE if op.name != "ldexp" and not op.domains[0].complex and op not in SCIPYS])  # no longdouble there
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64], ids=lambda t: t.__name__)
def test_the_slope_at_extreme_numbers(op: Op, dtype: Any) -> None:
    """What a precision can hold must not be lost on the way: the rule is asked again in a wider one."""
    limits = np.finfo(dtype)
    middle = np.sqrt(float(limits.max))
    points = [
        0.7,
        3.0,
        middle / 2,
        middle * 4,
        float(limits.max) / 8,
        1 / middle / 4,
        float(limits.tiny) * 8,
        20.0,
        float(limits.max) ** 0.9,
    ]
    line = np.array(points + [-p for p in points], dtype)
    columns = np.meshgrid(*[line] * len(op.rules)) if len(op.rules) < 3 else [line] * len(op.rules)
    arrays = [c.ravel() for c in columns]
    wide = [a.astype(WIDER[dtype]) for a in arrays]
    with np.errstate(all="ignore"):
        y, exact = op.fn(*arrays), op.fn(*wide)
        ok = np.isfinite(y) & np.isfinite(exact) & (np.abs(exact) < limits.max)
        for rule in op.rules:
            if not callable(rule):
                continue
            narrow = np.broadcast_to(np.asarray(rule(y, *arrays)), y.shape)
            found = narrow.astype(WIDER[dtype])
            reference = np.broadcast_to(np.asarray(rule(exact, *wide)), y.shape).astype(WIDER[dtype])
            scale = np.maximum(np.abs(reference), 1 if op.name in SATURATES else float(limits.smallest_subnormal) * 64)
            judged = ok & np.isfinite(reference) & (np.abs(reference) < float(limits.max) / 16)
            tolerance = 64 * float(limits.eps) * _condition(op, wide)
            off = judged & ~(np.abs(found - reference) <= tolerance * scale + 2 * float(limits.smallest_subnormal))
            where = np.flatnonzero(off)[:3]
            assert not off.any(), [(*(a[k] for a in arrays), found[k], reference[k]) for k in where]


def _condition(op: Op, arrays: list[Any]) -> Any:
    """Return how much a rounding of the arguments is worth: an exponential turns absolute errors into relative ones."""
    if op.name in ("exp", "exp2", "sinh", "cosh", "i0", "logaddexp", "logaddexp2", "power", "float_power"):
        return np.maximum(1, sum(np.minimum(np.abs(a), 1e5) for a in arrays)) * (1e3 if "power" in op.name else 1)
    return 1


@rows([op for op in BINARY if not takes_whole_numbers(op)])
@pytest.mark.parametrize(
    ("one", "other"), list(itertools.permutations([np.float64, np.float32, np.float16, np.int8], 2)), ids=lambda t: t.__name__
)
def test_operands_of_two_precisions(op: Op, one: Any, other: Any) -> None:
    """No slope is rounded to the narrower of the two on its way to the wider."""
    rng = rng_of(op)
    fn = ROWS[op]
    arrays = [np.abs(d.sample(rng, (5,)) * 1.4).astype(t) + t(1) for d, t in zip(op.domains, (one, other), strict=True)]
    n = 0 if one is not np.int8 else 1
    y = fn(*arrays)

    def loss(x: Any, wide: bool = False) -> Any:
        operands = [x if i == n else a.astype(float) if wide else a for i, a in enumerate(arrays)]
        return np.sum(fn(*operands).astype(float) if not wide else fn(*operands))

    got, expected = ag.grad(loss)(arrays[n]), ag.grad(lambda x: loss(x, wide=True))(arrays[n].astype(float))
    assert got.dtype == arrays[n].dtype
    close(
        got.astype(float),
        expected,
        f"{op.name} of {one.__name__} and {other.__name__} ({y.dtype})",
        "gradient",
        rtol=64 * float(np.finfo(got.dtype).eps),
    )


# --- float16 at length ----------------------------------------------------------------------------

MANY = 70_000
LONG: dict[str, Callable[[Any], Any]] = {
    "sum": np.sum, "mean": np.mean, "var": np.var, "std": np.std, "max": np.max, "min": np.min, "ptp": np.ptp, "median": np.median,
    "average": np.average, "nanmean": np.nanmean, "nansum": np.nansum, "nanvar": np.nanvar, "nanstd": np.nanstd, "nanmax": np.nanmax,
    "logsumexp": ag.logsumexp, "softmax": lambda x: np.sum(ag.softmax(x, axis=0)[:2]),
    "log_softmax": lambda x: np.sum(ag.log_softmax(x, axis=0)[:2]),
    "norm": lambda x: np.linalg.norm(x / 100), "rows": lambda x: np.sum(np.mean(np.reshape(x, (-1, 2)), axis=0)),
    "cumsum": lambda x: np.sum(np.cumsum(x)[:: MANY // 2] / MANY) + np.mean(np.cumsum(x / 1024)),
    "rows-var": lambda x: np.sum(np.var(np.reshape(x, (-1, 2)), axis=0)),
    "weighted": lambda x: np.average(x, weights=np.full(MANY, 0.5, np.float16)),
    "masked": lambda x: np.mean(x, where=np.ones(MANY, bool)), "masked-var": lambda x: np.var(x, where=np.ones(MANY, bool)),
}  # fmt: skip


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("values", ["spread", "equal"])
def test_float16_at_length(name: str, values: str) -> None:
    """More elements than float16 has whole numbers."""
    f = LONG[name]
    x = (np.arange(MANY) % 7 / 16 if values == "spread" else np.full(MANY, 0.25)).astype(np.float16)
    with np.errstate(all="ignore"):
        value = f(x)
        if not np.isfinite(value):
            return  # NumPy's own sum has overflowed
        got, expected = ag.grad(f)(x), ag.grad(f)(x.astype(float))
    assert got.dtype == np.float16
    if "soft" in name or name == "logsumexp":  # the others' values are NumPy's
        close(value, f(x.astype(float)), name, "value", rtol=2e-2, atol=1e-2)
    close(got.astype(float), expected, name, "gradient", rtol=4e-3, atol=1.2e-7)


@pytest.mark.parametrize("f", [np.add, np.subtract, np.multiply], ids=lambda f: f.__name__)
def test_float16_broadcast_over_a_long_batch(f: Any) -> None:
    """The gradient of a bias is a sum over the batch; float16 adds nothing to a sum above 2048."""
    batch, bias = np.full((MANY, 3), 0.5, np.float16), np.ones(3, np.float16)
    close(
        ag.grad(lambda b: np.sum(f(batch, b) / 64))(bias),
        ag.grad(lambda b: np.sum(f(batch, b) / 64))(bias.astype(float)),
        f.__name__,
        "gradient",
        rtol=1e-2,
    )
    repeated = ag.grad(lambda b: np.sum(np.repeat(b, MANY) / 64))(bias)
    close(repeated, np.full(3, MANY / 64), "repeat", "gradient", rtol=1e-2)


@pytest.mark.parametrize("f", [np.prod, np.nanprod, lambda x: np.sum(np.cumprod(x)), lambda x: np.sum(np.nancumprod(x))])
def test_float16_products_that_pass_its_range_on_the_way(f: Any) -> None:
    """What is left when an element is taken out may be larger than all of it, and infinity times zero is none of its slopes."""
    x = np.array([0.0, 256, 512, 3, 1, 0.5, 0, 300, 300], np.float16)
    with np.errstate(over="ignore"):  # a sum of such products may leave the range for good
        expected = ag.grad(f)(x.astype(float)).astype(np.float16)
    close(ag.grad(f)(x).astype(float), expected.astype(float), "product", "gradient", rtol=4e-3)


def test_float16_ties_at_length() -> None:
    g = ag.grad(lambda x: np.linalg.norm(x, np.inf))(np.ones(MANY, np.float16))
    close(g, np.full(MANY, 1 / MANY), "norm", "gradient", atol=1e-7)


# --- mixed second derivatives ---------------------------------------------------------------------

POINTS = [-1.5, -1.0, 0.0, 0.5, 1.0, 2.0]


@rows([op for op in BINARY if not takes_whole_numbers(op)])
def test_mixed_second_derivatives_agree(op: Op) -> None:
    """By Schwarz the order does not matter; at kinks and poles both may be NaN, or both infinite."""
    fn = ROWS[op]
    with np.errstate(all="ignore"):
        for a, b in itertools.product(POINTS, POINTS):
            if op in SCIPYS and not all(d.low <= p <= d.high for d, p in zip(op.domains, (a, b), strict=True)):
                continue
            at_zero = a == 0 and "power" in op.name
            if at_zero or (a == b == 0):
                continue  # 0**b has no derivative by b at 0, only a convention; the origin is a kink of others
            h = ag.hessian(lambda p: fn(p[0], p[1]))(np.array([a, b]))
            np.testing.assert_allclose(h[0, 1], h[1, 0], rtol=1e-12, atol=1e-14, err_msg=f"{op.name}({a}, {b})")


@pytest.mark.parametrize("fn", [np.power, np.float_power, lambda a, b: a**b], ids=["power", "float_power", "**"])
@pytest.mark.parametrize("b", [0.0, 1.0, 2.0, -1.0, 0.5])
def test_second_derivatives_of_a_power(fn: Any, b: float) -> None:
    a = 2.0
    log, y = np.log(a), a**b
    expected = [[b * (b - 1) * y / a**2, y / a * (1 + b * log)], [y / a * (1 + b * log), y * log**2]]
    np.testing.assert_allclose(ag.hessian(lambda p: fn(p[0], p[1]))(np.array([a, b])), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(ag.grad(ag.grad(lambda c: fn(c, b)))(a), expected[0][0], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(ag.grad(ag.grad(lambda e: fn(a, e)))(b), expected[1][1], rtol=1e-12)
    third = ag.grad(lambda c: ag.grad(lambda e: ag.grad(fn)(c, e))(b))(a)
    np.testing.assert_allclose(third, (b - 1) * a ** (b - 2) * (1 + b * log) + b * a ** (b - 2), rtol=1e-12, atol=1e-14)


def test_logaddexp_of_large_and_of_infinite_arguments() -> None:
    with np.errstate(all="ignore"):
        for f, v in itertools.product((np.logaddexp, np.logaddexp2), (0.0, 1e15, 1e17, -1e300, np.inf, -np.inf)):
            np.testing.assert_allclose(ag.grad(f, (0, 1))(v, v), (0.5, 0.5), rtol=1e-12)
        assert ag.grad(np.logaddexp, (0, 1))(0.0, -np.inf) == (1.0, 0.0)
        np.testing.assert_allclose(ag.grad(np.logaddexp)(-700.0, 0.0), np.exp(-700.0), rtol=1e-10)
        np.testing.assert_allclose(ag.grad(ag.grad(np.logaddexp))(1e17, 1e17), 0.25, rtol=1e-12)


# --- what is refused ------------------------------------------------------------------------------


def test_arrays_with_a_meaning_of_their_own_are_refused_by_name() -> None:
    masked, matrix = np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0]), np.eye(3).view(np.matrix)
    for other, name in ((masked, "MaskedArray"), (matrix, "matrix")):
        for use in (
            lambda x, o=other: x * o, lambda x, o=other: np.add(o, x), lambda x, o=other: np.where(o > 0, x, o),
            lambda x, o=other: np.concatenate([x, o]), lambda x, o=other: x[o > 1], lambda x, o=other: x @ o.T,
            lambda x, o=other: np.sum(x, where=o > 1),
        ):  # fmt: skip
            with pytest.raises(ag.NoRowError, match=name):
                ag.grad(lambda x, use=use: np.sum(use(x)))(np.ones(3))
        with pytest.raises(ag.AutogradError):  # np.ma asks for an array before anyone asks the Tensor
            ag.grad(lambda x, o=other: np.sum(o * x))(np.ones(3))
        with pytest.raises(ag.NoRowError, match=name):
            ag.Tensor(other)
        with pytest.raises(ag.NoRowError, match=name):
            ag.grad(np.sum)(other)
        with pytest.raises(ag.NoRowError, match=name):
            ag.vjp(np.sin, np.ones(np.shape(other)))[1](other)


@rows(BINARY)
@pytest.mark.parametrize("zero", [0, 0.0, -0.0, 1, True], ids=repr)
def test_a_python_number_raises_nothing_that_numpy_does_not(op: Op, zero: Any) -> None:
    fn = ROWS[op]
    x = op.domains[0].sample(rng_of(op), (3,))
    for call in (lambda v: fn(v, zero), lambda v: fn(zero, v)):
        if x.dtype.kind == "f" and not isinstance(outcome(lambda call=call: call(x)), Exception):
            with np.errstate(all="ignore"):
                ag.grad(lambda v, call=call: np.sum(call(v)))(x)
                ag.jvp(call, (x,), (x,))


@pytest.mark.parametrize(
    "f", [np.mean, np.var, np.std, np.sum, np.prod, ag.logsumexp, np.average, np.linalg.norm, np.nanmean], ids=lambda f: f.__name__
)
def test_reductions_of_nothing(f: Any) -> None:
    """The value is NaN or neutral; the gradients are empty, at both orders."""
    x = np.zeros((0,))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        if isinstance(outcome(lambda: f(x)), Exception):
            return
        for found in (ag.grad(f)(x), ag.hvp(lambda v: np.cos(f(v)), x, x)):
            assert found.shape == (0,)
        assert np.shape(ag.jvp(f, (x,), (x,))[1]) == ()


def test_a_mask_that_broadcasts_and_reductions_that_ignore_nan() -> None:
    mask = np.array([True, False, True])
    np.testing.assert_array_equal(ag.grad(lambda x: np.mean(x, where=mask))(np.ones((2, 3))), np.where(mask, [[0.25], [0.25]], 0))
    x = np.array([0.3, np.nan, -0.7])
    np.testing.assert_array_equal(ag.grad(lambda x: np.nanmin(x, initial=9.0))(x), [0, 0, 1])
    np.testing.assert_array_equal(ag.grad(lambda x: np.nanmax(x, initial=-9.0, where=[False, True, True]))(x), [0, 0, 1])
    weights = np.array([2.32, 0.031], np.float16)
    a = np.array([1.0314, -2.031])
    assert ag.value_and_grad(lambda a: np.average(a, weights=weights))(a)[0] == np.average(a, weights=weights)


def test_matrices_that_lapack_refuses_have_gradients_of_nan() -> None:
    """The value exists, so backward raises no error."""
    broken = np.stack([np.eye(2), np.array([[np.nan, 1.0], [0.0, 1.0]])])
    with np.errstate(all="ignore"):
        g = ag.grad(lambda a: np.sum(np.linalg.det(a)))(broken)
        np.testing.assert_array_equal(np.isnan(g).any(axis=(1, 2)), [False, True])
        g = ag.grad(lambda a: np.sum(np.linalg.slogdet(a)[1]))(np.stack([2 * np.eye(2), np.ones((2, 2))]))
    np.testing.assert_array_equal(g[0], 0.5 * np.eye(2))
    assert np.isnan(g[1]).all()


def test_matrices_that_lapack_refuses_have_second_derivatives_of_nan() -> None:
    good, broken = np.array([[2.0, 0.3], [0.1, -1.5]]), np.array([[np.nan, 1.0], [0.0, np.inf]])
    alone = ag.hessian(np.linalg.det)(good)
    with np.errstate(all="ignore"):
        both = ag.hvp(lambda a: np.sum(np.linalg.det(a)), np.stack([good, broken]), np.ones((2, 2, 2)))
        np.testing.assert_allclose(both[0], np.sum(alone, axis=(2, 3)), rtol=1e-12, atol=1e-14)
        assert np.isnan(both[1]).all()
        third = ag.grad(lambda c: np.sum(ag.hessian(np.linalg.det)(c * broken)))(1.0)
        assert np.isnan(third)


def test_an_axis_of_a_norm_is_what_int_makes_of_it() -> None:
    x = np.array([[3.0, 4.0], [5.0, 12.0]])
    for axis in (1.0, "1", np.float64(1), np.array(1), True, -1):
        for f in (np.linalg.norm, np.linalg.vector_norm):
            np.testing.assert_array_equal(ag.vjp(lambda x, f=f, axis=axis: f(x, axis=axis), x)[0], [5, 13])
            np.testing.assert_allclose(ag.grad(lambda x, f=f, axis=axis: np.sum(f(x, axis=axis)))(x), x / [[5], [13]])


@pytest.mark.parametrize("dtype", "efd")
@pytest.mark.parametrize("shape", [(12,), (5, 3), (2, 40), (1,), (0,)])
def test_a_partition_has_the_order_of_numpys(dtype: str, shape: tuple[int, ...]) -> None:
    """What NumPy leaves open it decides otherwise in argpartition, and for each dtype."""
    rng = np.random.default_rng(0)
    a = np.where(rng.random(shape) < 0.2, np.nan, np.where(rng.random(shape) < 0.3, 0, rng.normal(size=shape))).astype(dtype)
    for axis in (None, 0, -1):
        n = a.size if axis is None else a.shape[axis]
        for kth in (0, n // 2, -1, [0, n // 2]) if n > 1 else (0,) if n else ():
            expected, w = np.partition(a, kth, axis=axis), rng.normal(size=a.size)
            found, pullback = ag.vjp(lambda x, kth=kth, axis=axis: np.partition(x, kth, axis=axis), a)
            np.testing.assert_array_equal(found, expected)
            (back,) = pullback(w.reshape(expected.shape).astype(dtype))
            np.testing.assert_array_equal(np.sort(back, axis=None), np.sort(w.astype(dtype)))
            product = (
                np.nansum(back.astype(float) * a.astype(float)),
                np.nansum(w.astype(dtype).astype(float) * expected.ravel().astype(float)),
            )
            np.testing.assert_allclose(*product, rtol=1e-6)


def test_one_axis_is_accumulated_along() -> None:
    if hasattr(np, "cumulative_prod"):  # NumPy 2.1
        for f in (np.cumulative_prod, np.cumulative_sum):
            with pytest.raises(ValueError, match="one axis"):
                f(ag.Tensor(np.ones((2, 2)), requires_grad=True), axis=(0, 1))


def test_nothing_to_unstack() -> None:
    if hasattr(np, "unstack"):  # NumPy 2.1
        for axis in (0, None):
            with pytest.raises(ValueError, match="0-d"):
                np.unstack(ag.Tensor(1.0, requires_grad=True), axis=axis)


def test_a_modulus_is_refused() -> None:
    with pytest.raises(ag.NoRowError, match="modulus"):
        pow(ag.Tensor(2.0, requires_grad=True), 2, 3)


def test_a_wrong_form_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    row = next(op for op in ROWS if op.name == "take")
    monkeypatch.setattr(row, "rules", (lambda g, y, a, indices, **how: np.ones_like(a), None))
    with pytest.raises(AssertionError):
        test_booleans_in_the_place_of_any_argument(row)


@pytest.mark.parametrize("fn", [np.fmin, np.fmax, np.minimum, np.maximum])
@pytest.mark.parametrize("dtype", [np.uint8, np.bool_, np.int8])
def test_a_choice_between_a_float_and_a_narrow_integer(fn: Any, dtype: Any) -> None:
    k, a = np.array([1, 0, 1], dtype), np.array([-1.5, 2.5, 0.25])
    chosen = np.array([fn(k, a) == a]).ravel().astype(float)
    np.testing.assert_array_equal(ag.grad(lambda a: np.sum(fn(k, a)))(a), chosen)
    np.testing.assert_array_equal(ag.grad(lambda a: np.sum(fn(a, k)))(a), chosen)
