"""Every row of the table, held to the same demands: nothing here names an operation that is not an exception.

The samples come from the rows. A row of kind `elementwise` is sampled on its domains in the shapes below; other rows
give their own cases. A row that cannot be sampled fails.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from oracles import directional, numeric_gradient, numeric_jvp
from table import (
    DERIVED,
    DIFFERENTIABLE,
    ROWS,
    SAMPLED,
    SCIPYS,
    Sample,
    arrays_of,
    close,
    drawn_like,
    every,
    pair,
    rng_of,
    rows,
    samples,
    seed_of,
)

import autograd_np as ag
from autograd_np.op import SAMPLES, TABLE, Op, Primitive
from autograd_np.results import Results

# --- the rows themselves --------------------------------------------------------------------------


@rows(list(ROWS))
def test_a_row_has_samples_and_an_honest_form(op: Op) -> None:
    drawn = list(samples(op))
    assert drawn, f"the row of {op.name} has no case, so nothing tests it"
    if op.kind == "constant":
        return
    assert any(s.wrt for s in drawn), f"no sample of {op.name} has a floating argument"
    assert op.kind in ("elementwise", "linear", "multilinear", "general")
    assert len(op.params) >= len(op.rules)
    for i in range(len(op.rules)):
        assert callable(op.rules[i]) or op.rules[i] in (None, 0, 1, -1)
    numbers = {int(part[0]) for part in op.tex.split("#")[1:] if part[:1].isdigit()}
    assert all(1 <= n <= len(op.rules) for n in numbers), f"the notation {op.tex!r} names an argument that {op.name} has not"


@rows(DIFFERENTIABLE)
def test_every_rule_is_reached_by_some_sample(op: Op) -> None:
    if op.joint:
        return
    reached = set().union(*(set(s.wrt) for s in samples(op)))
    refused = {i for i, rule in enumerate(op.rules) if hasattr(rule, "refused")}
    missing = {i for i, rule in enumerate(op.rules) if rule is not None and rule.__class__ is not int} - reached - refused
    assert not missing, f"the rules of {op.name} for arguments {missing} are sampled by no case"


# --- value ----------------------------------------------------------------------------------------


@rows(list(ROWS))
def test_the_value_is_numpys(op: Op) -> None:
    for s in every(op):
        expected = s.call(*s.floats)
        tensors = [ag.Tensor(x, requires_grad=True) for x in s.floats]
        out = s.call(*tensors) if tensors else s.with_floats().call()
        actual = arrays_of(out)
        if isinstance(expected, np.ndarray | np.generic):
            assert actual.dtype == expected.dtype, f"dtype of {s}"
            assert type(actual) is type(expected), f"type of {s}"
        if op.kind == "general" and op in SCIPYS:  # differences, whose sums NumPy adds up in another order for a number
            close(actual, expected, s, "value", rtol=1e-14)
        else:
            np.testing.assert_array_equal(actual, expected, err_msg=str(s))
        if op.kind == "constant" and isinstance(out, ag.Tensor):
            assert not out.requires_grad, f"{s} is declared to carry no gradient"
        elif tensors and op.kind != "constant":
            assert out.requires_grad


@rows(list(SAMPLES.values()))
def test_the_value_of_a_derived_function_is_numpys(op: Op) -> None:
    for s in every(op):
        expected = s.call(*s.floats)
        out = s.call(*(ag.Tensor(x, requires_grad=True) for x in s.floats))
        assert out.dtype == expected.dtype, f"dtype of {s}"
        assert out.shape == expected.shape, f"shape of {s}"
        close(out, expected, s, "value", rtol=1e-12, atol=1e-13)
        single = s.with_floats(*(x.astype(np.complex64 if x.dtype.kind == "c" else np.float32) for x in s.floats))
        expected = single.call(*single.floats)
        out = single.call(*(ag.Tensor(x, requires_grad=True) for x in single.floats))
        assert out.dtype == expected.dtype, f"dtype of {single} in single precision"
        close(out, expected, single, "value in single precision", rtol=1e-4, atol=1e-5)


@rows(list(ROWS))
def test_plain_arrays_are_answered_with_plain_arrays(op: Op) -> None:
    for s in every(op):
        assert not isinstance(s.call(*s.floats), ag.Tensor)


# --- first order ----------------------------------------------------------------------------------


@rows(SAMPLED)
def test_vjp_against_numeric_differences(op: Op) -> None:
    for s in every(op):
        out, pullback = ag.vjp(s.call, *s.floats)
        w = seed_of(s, out)
        for n, g in enumerate(pullback(w)):
            expected = numeric_gradient(lambda *xs, s=s, w=w: pair(w, s.call(*xs)), *s.floats, wrt=n)
            assert g.shape == s.floats[n].shape
            close(g, expected, s, f"gradient by argument {s.wrt[n]}")


@rows(SAMPLED)
def test_jvp_against_vjp_and_numeric_differences(op: Op) -> None:
    for s in every(op):
        rng = rng_of(op)
        tangents = tuple(drawn_like(x, rng) for x in s.floats)
        out, moved = ag.jvp(s.call, s.floats, tangents)
        assert np.shape(moved) == np.shape(out), s
        assert not isinstance(moved, ag.Tensor)
        w = seed_of(s, out)
        pulled = ag.vjp(s.call, *s.floats)[1](w)
        left, right = pair(w, moved), sum(pair(g, t) for g, t in zip(pulled, tangents, strict=True))
        np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-9, err_msg=f"<w, jvp(t)> and <vjp(w), t> differ: {s}")
        close(moved, numeric_jvp(s.call, s.floats, tangents), s, "tangent")


@rows(SAMPLED)
def test_jvp_of_one_argument_at_a_time(op: Op) -> None:
    """The rule of a tangent must not need the other arguments to have one."""
    for s in every(op):
        if len(s.wrt) < 2:
            continue
        for n, x in enumerate(s.floats):
            t = drawn_like(x, rng_of(op))

            def alone(z: Any, n: int = n, s: Sample = s) -> Any:
                return s.call(*(z if k == n else v for k, v in enumerate(s.floats)))

            moved = ag.jvp(alone, (x,), (t,))[1]
            close(moved, numeric_jvp(alone, (x,), (t,)), s, f"tangent of argument {s.wrt[n]} alone")
            w = seed_of(s, moved)
            (g,) = ag.vjp(alone, x)[1](w)
            close(pair(g, t), pair(w, moved), s, f"gradient of argument {s.wrt[n]} alone")


# --- second order ---------------------------------------------------------------------------------


@rows(SAMPLED)
def test_second_order_by_arguments_and_by_cotangent(op: Op) -> None:
    """The rules themselves are differentiated: reverse over reverse, by the arguments and by the cotangent."""
    for s in every(op):
        rng = rng_of(op)
        out = s.call(*s.floats)
        w = seed_of(s, out)
        directions = [drawn_like(x, rng) for x in s.floats]

        def slope(w: Any, *xs: Any, s: Sample = s, u: Any = directions) -> Any:
            pulled = ag.vjp(s.call, *xs)[1](w)
            return sum(pair(v, g) for g, v in zip(pulled, u, strict=True))

        points = (w, *s.floats)
        found = ag.grad(slope, tuple(range(len(points))))(*points)
        moves = [drawn_like(x, rng) for x in points]
        expected, error = directional(lambda t, p=points, m=moves: slope(*(x + t * v for x, v in zip(p, m, strict=True))))
        actual = sum(pair(g, v) for g, v in zip(found, moves, strict=True))
        scale = max(1.0, abs(expected))
        assert abs(actual - expected) <= 1e-6 * scale + 10 * error, f"second order of {s}: {actual} against {expected} ± {error}"
        for g, x in zip(found, points, strict=True):
            assert g.shape == x.shape
            assert g.dtype == x.dtype


@rows(SAMPLED)
def test_forward_over_reverse_equals_reverse_over_reverse(op: Op) -> None:
    for s in every(op):
        rng = rng_of(op)
        w = seed_of(s, s.call(*s.floats))
        v = tuple(drawn_like(x, rng) for x in s.floats)

        def loss(*xs: Any, s: Sample = s, w: Any = w) -> Any:
            y = s.call(*xs)
            return pair(w, y * y)

        numbers = tuple(range(len(v)))
        forward = ag.jvp(ag.grad(loss, numbers), s.floats, v)[1]

        def along(*xs: Any, loss: Any = loss, v: Any = v, numbers: Any = numbers) -> Any:
            return sum(pair(t, g) for g, t in zip(ag.grad(loss, numbers)(*xs), v, strict=True))

        backward = ag.grad(along, numbers)(*s.floats)
        for a, b in zip(forward, backward, strict=True):
            close(a, b, s, "Hessian-vector product, forward over reverse against reverse over reverse,", rtol=1e-8, atol=1e-8)


# --- dtype ----------------------------------------------------------------------------------------


def _in(s: Sample, dtype: Any) -> Sample:
    """Return the call in another precision."""
    complex_of = np.result_type(dtype, np.complex64)
    return s.with_floats(*(x.astype(complex_of if x.dtype.kind == "c" else dtype) for x in s.floats))


def _precision(dtype: Any) -> Any:
    return np.finfo(dtype).dtype


@rows(DIFFERENTIABLE)
@pytest.mark.parametrize("dtype", [np.float32, np.longdouble], ids=["float32", "longdouble"])
def test_the_dtype_is_kept(op: Op, dtype: Any) -> None:
    for wide in every(op):
        s = _in(wide, dtype)
        try:
            expected = s.call(*s.floats)
        except TypeError:
            continue  # LAPACK has no longdouble
        tensors = [ag.Tensor(x, requires_grad=True) for x in s.floats]
        out = s.call(*tensors)
        assert out.dtype == expected.dtype, f"value of {s}"
        if not any(k == "dtype" for k in s.attrs):
            assert _precision(out.dtype) == dtype or op.fn in (np.float_power,) or op in SCIPYS, f"{s} gives {out.dtype}"
        w = seed_of(s, expected)
        out.backward(w)
        reference = ag.vjp(wide.call, *wide.floats)[1](w.astype(wide.call(*wide.floats).dtype))
        for t, g in zip(tensors, reference, strict=True):
            if t.grad is None:
                assert not np.any(g)
                continue
            assert t.grad.dtype == t.dtype, f"gradient of {s}"
            close(t.grad.astype(g.dtype), g, s, f"{np.dtype(dtype).name} gradient", rtol=2e-3, atol=2e-4)
        tangents = tuple(np.ones_like(x) for x in s.floats)
        moved = ag.jvp(s.call, s.floats, tangents)[1]
        assert moved.dtype == expected.dtype, f"tangent of {s}"


@rows(DIFFERENTIABLE)
def test_rules_do_not_widen_float32(op: Op) -> None:
    """The engine casts what a rule returns, so a rule that widens is right but slow: caught here."""
    if op.fn is np.float_power:  # NumPy's own float_power widens
        return
    for wide in every(op):
        s = _in(wide, np.float32)
        y = op.fn(list(s.arrays), **s.attrs) if op.variadic else op.fn(*s.arrays, **s.attrs)
        if isinstance(y, Results):
            g = y.map(np.ones_like)
        elif _precision(y.dtype) == np.float32:
            g = np.ones_like(y)
        else:
            continue
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", ag.GaugeWarning)  # the seed is any
            if op.kind == "elementwise":
                pulled = [g * rule(y, *s.arrays) for i, rule in enumerate(op.rules) if callable(rule) and i in s.wrt]
            elif op.joint:
                pulled = op.rules[0](g, y, s.arrays, **s.attrs) if op.variadic else op.rules[0](g, y, *s.arrays, **s.attrs)
            else:
                pulled = [rule(g, y, *s.arrays, **s.attrs) for i, rule in enumerate(op.rules) if callable(rule) and i in s.wrt]
        for p in pulled:
            assert p is None or _precision(p.dtype) == np.float32, f"a rule of {s} returns {p.dtype} for float32"


# --- layout, emptiness, ownership -----------------------------------------------------------------


def _strided(x: np.ndarray) -> np.ndarray:
    """Return the same values with gaps between the elements."""
    big = np.full(tuple(2 * n for n in x.shape), np.nan, x.dtype)
    view = big[tuple(slice(None, None, 2) for _ in x.shape)]
    view[...] = x
    return view


def _reversed(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x[tuple(slice(None, None, -1) for _ in x.shape)])[tuple(slice(None, None, -1) for _ in x.shape)]


def _read_only(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x.flags.writeable = False
    return x


def _laid(layout: Any, x: np.ndarray) -> np.ndarray:
    return layout(x) if x.ndim else x


LAYOUTS = {"strided": _strided, "fortran": np.asfortranarray, "negative": _reversed, "read-only": _read_only}


@rows(SAMPLED)
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_layout_of_the_input_does_not_matter(op: Op, layout: Any) -> None:
    for s in every(op):
        if "order" in s.attrs:  # order="A"/"K" reads the layout on purpose
            continue
        out, pullback = ag.vjp(s.call, *s.floats)
        w = seed_of(s, out)
        laid = [_laid(layout, x) for x in s.floats]
        again, pullback_again = ag.vjp(s.call, *laid)
        close(again, out, s, "value", rtol=1e-12, atol=1e-12)
        for a, b in zip(pullback_again(_laid(layout, w)), pullback(w), strict=True):
            close(a, b, s, "gradient", rtol=1e-10, atol=1e-12)
        tangents = [np.ones_like(x) for x in s.floats]
        close(
            ag.jvp(s.call, laid, [_laid(layout, t) for t in tangents])[1],
            ag.jvp(s.call, s.floats, tangents)[1], s, "tangent", rtol=1e-10, atol=1e-12,
        )  # fmt: skip


@rows(SAMPLED)
def test_inputs_are_not_mutated_and_gradients_alias_nothing(op: Op) -> None:
    for s in every(op):
        before = [np.copy(a) for a in s.arrays if isinstance(a, np.ndarray)]
        tensors = [ag.Tensor(x, requires_grad=True) for x in s.floats]
        out = s.call(*tensors)
        kept, w = np.copy(arrays_of(out)), seed_of(s, out)
        w_before = w.copy()
        out.backward(w)
        for a, b in zip([a for a in s.arrays if isinstance(a, np.ndarray)], before, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=f"{s} changed its argument")
        np.testing.assert_array_equal(w, w_before, err_msg=f"{s} changed the seed")
        np.testing.assert_array_equal(arrays_of(out), kept, err_msg=f"backward of {s} changed the output")
        held = [w, arrays_of(out), *(t.data for t in tensors)]
        grads = [t.grad for t in tensors if t.grad is not None]
        for g in grads:
            assert isinstance(g, np.ndarray), s
            assert g.flags.writeable, f"the gradient of {s} cannot be written"
            assert not any(np.shares_memory(g, h) for h in held), f"the gradient of {s} shares memory with what was recorded"
        for g, h in itertools.combinations(grads, 2):
            assert not np.shares_memory(g, h), f"two gradients of {s} share memory"


@rows([op for op in DIFFERENTIABLE if op.kind == "elementwise"])
@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 1)], ids=str)
def test_empty_arrays_elementwise(op: Op, shape: tuple[int, ...]) -> None:
    rng = rng_of(op)
    s = Sample(op, tuple(d.sample(rng, shape) for d in op.domains), {})
    out, pullback = ag.vjp(s.call, *s.floats)
    assert out.shape == shape
    for g in pullback(np.zeros(shape, out.dtype)):
        assert g.shape == shape
        assert g.dtype in (np.float64, np.complex128)
    assert ag.jvp(s.call, s.floats, s.floats)[1].shape == shape


@rows([op for op in DIFFERENTIABLE if op.kind == "elementwise" and len(op.rules) == 2])
def test_an_empty_array_broadcasts(op: Op) -> None:
    rng = rng_of(op)
    s = Sample(op, (op.domains[0].sample(rng, (0, 3)), op.domains[1].sample(rng, (3,))), {})
    out, pullback = ag.vjp(s.call, *s.floats)
    grads = pullback(np.zeros((0, 3), out.dtype))
    assert [g.shape for g in grads] == [x.shape for x in s.floats]
    assert all(not np.any(g) for g in grads)


@rows([op for op in DIFFERENTIABLE if op.kind == "elementwise" and len(op.rules) == 2])
def test_a_python_or_numpy_scalar_is_an_operand(op: Op) -> None:
    rng = rng_of(op)
    a, b = (d.sample(rng, (3,)) for d in op.domains)
    for convert in (float, np.float64, lambda v: np.asarray(v, dtype=float)):
        for first in (True, False):
            if (b if first else a).dtype.kind != "f" or (a if first else b).dtype.kind != "f":
                continue
            scalar = convert(b[0] if first else a[0])
            x = a if first else b
            t = ag.Tensor(x, requires_grad=True)
            fn = ROWS[op]
            f = (lambda v, fn=fn, c=scalar: fn(v, c)) if first else (lambda v, fn=fn, c=scalar: fn(c, v))
            out = f(t)
            np.testing.assert_array_equal(out.data, f(x))
            np.sum(out).backward()
            expected = numeric_gradient(lambda v, f=f: np.sum(f(v)), x)
            close(t.grad if t.grad is not None else np.zeros(3), expected, op.name, f"gradient beside a {type(scalar).__name__}")
            weak = f(ag.Tensor(x.astype(np.float32)))
            assert weak.dtype == f(x.astype(np.float32)).dtype


# --- refusals -------------------------------------------------------------------------------------


@rows([op for op in ROWS if op.kind == "constant"])
def test_a_constant_row_carries_no_gradient(op: Op) -> None:
    for s in samples(op):
        if not s.wrt:
            continue
        x = [ag.Tensor(v, requires_grad=True) for v in s.floats]
        out = s.call(*x)
        if not isinstance(out, ag.Tensor):
            continue
        assert not out.requires_grad
        if out.dtype.kind == "f":
            (np.sum(x[0]) + np.sum(out)).backward()
            np.testing.assert_array_equal(x[0].grad, np.ones_like(x[0].data))


@rows([op for op in ROWS if not isinstance(op.fn, np.ufunc)])
def test_an_attribute_the_row_does_not_cover_is_refused(op: Op) -> None:
    s = next(samples(op), None)
    if s is None or not s.wrt:
        return
    tensors = [ag.Tensor(x, requires_grad=True) for x in s.floats]
    with pytest.raises((TypeError, ag.NoRowError)):
        replace(s, attrs={**s.attrs, "no_such_attribute": 1}).call(*tensors)


def test_a_function_without_a_row_is_named() -> None:
    x = ag.Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(ag.NoRowError, match=r"np\.isnat has no row"):
        np.isnat(x)


# --- derived functions ----------------------------------------------------------------------------

_x = np.array([[0.31, -1.22, 0.87], [1.43, 0.55, -0.64]])
_y = np.array([[-0.27, 0.93, 1.61], [0.48, -1.35, 0.76]])
_v, _u, _square = _x[0], _y[0], _x @ _y.T + 2 * np.eye(2)
_cube = np.random.default_rng(0).normal(size=(8, 8)) + 4 * np.eye(8)
for _a in (_x, _y, _v, _u, _square, _cube):
    _a.flags.writeable = False  # np.modf(a, b) would write into b
CALLS = (
    (_x,), ([_x, _y],), (_x, _y), (_v, _u), (_square, _square), (_square, 2), (_x, 2), (_x, 1), (_x, 0), (_x, _y.T), (_square,),
    (_x, np.array([0, 2]), 1), (_x, 0, 1), (_v, 2), (_x, (2, 3)), (_x, 1.5), (_x, -0.5, 0.5), ([_v, _u],),
    (np.array([[True, False, True], [False, True, True]]), _x, _y), (_x, np.array([[0, 1, 1]]), 1), (np.array([0, 1, 0]), [_v, _u]),
    (_x, [[0, 1]], 0), (_v, _u, _v), (np.stack([_x, _y]), 3, 2), (np.stack([_x, _y], axis=2), 2),
)  # fmt: skip


CALLS_OF = {
    np.can_cast: ((np.float32, np.float64),), np.full_like: ((_x, 2.0), (_x, 1)), np.extract: ((_x > 0, _x),),
    np.append: ((_x, _y), (_x, _y, 0)), np.union1d: ((_x, _y),), np.setdiff1d: ((_x, _y),), np.setxor1d: ((_x, _y),),
    np.roots: ((np.array([1.0, 0.5, 2.0]),),), np.apply_along_axis: ((np.cumsum, 1, _x), (np.sum, 0, _x)),
    np.apply_over_axes: ((np.sum, _x, (0, 1)),),
    np.piecewise: ((_x, [_x < 0, _x >= 0], [np.exp, 2.0]), (_x, [_x < 0], [np.exp, np.square])),
    np.bincount: ((np.array([0, 2, 2]), _v),),
    np.histogram: ((_x, 3, (-2.0, 2.0), False, _y),), np.polyfit: ((_v, _u, 1),), np.polyint: ((_v,), (_v, 2)),
    np.linalg.eigvals: ((np.array([[0.2, -1.5], [1.1, 0.1]]),),),
    np.linalg.tensorinv: ((np.reshape(_cube, (4, 2, 8)),), (np.reshape(_cube, (8, 4, 2)), 1)),
    np.linalg.tensorsolve: (
        (np.reshape(_cube, (4, 2, 8)), np.arange(8.0).reshape(4, 2)), (np.reshape(_cube, (2, 8, 4)), np.arange(8.0), (0,)),
    ),
}  # fmt: skip
if hasattr(np, "astype"):
    CALLS_OF[np.astype] = ((_x, np.float32), (_x, np.dtype(float)))
if hasattr(np, "cumulative_sum"):  # NumPy 2.1
    CALLS_OF |= {np.cumulative_sum: ((_v,),), np.cumulative_prod: ((_v,),)}
CONSTANTS = (
    "imag", "shape", "ndim", "size", "iscomplexobj", "isrealobj", "result_type", "can_cast", "allclose", "array_equal", "array_equiv", "empty_like", "full_like", "astype",  # noqa: E501
    "min_scalar_type", "promote_types", "common_type", "isclose", "nonzero", "flatnonzero", "argwhere", "count_nonzero", "broadcast_shapes",
)  # fmt: skip
CARRIES_A_GRADIENT = {fn for fn in DERIVED if getattr(fn, "__name__", "") not in CONSTANTS}


def _leaves(out: Any) -> list[Any]:
    return [leaf for part in out for leaf in _leaves(part)] if isinstance(out, list | tuple) else [out]


def _floating(args: Any) -> list[Any]:
    return [a for a in _leaves(args) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]


def _replaced(args: Any, new: Iterator[Any]) -> Any:
    if isinstance(args, list | tuple):
        return type(args)(_replaced(a, new) for a in args)
    return next(new) if isinstance(args, np.ndarray) and args.dtype.kind == "f" else args


def _smooth_gradient(loss: Any, floats: Any, n: int) -> Any:
    """Return the numeric gradient, or None at a kink, where two step sizes disagree."""
    with np.errstate(all="ignore"):
        a, b = (numeric_gradient(loss, *floats, wrt=n, step=h) for h in (1e-3, 3e-4))
    return b if np.allclose(a, b, rtol=1e-6, atol=1e-8) else None


@pytest.mark.parametrize("fn", DERIVED, ids=[getattr(fn, "__name__", str(fn)) for fn in DERIVED])
def test_a_derived_function_equals_numpys_and_has_its_gradient(fn: Any) -> None:
    """A smoke test on whatever calls NumPy accepts; the family's own tests go further."""
    checked = 0
    for args in CALLS_OF.get(fn, CALLS):
        try:
            expected = fn(*args)
        except Exception:  # noqa: BLE001 (a call that does not suit this function)
            continue
        floats = _floating(args)
        outs = _leaves(expected)

        def call(*xs: Any, args: Any = args) -> Any:
            return fn(*_replaced(args, iter(xs)))

        try:
            found = _leaves(call(*(ag.Tensor(x, requires_grad=True) for x in floats)))
        except ag.AutogradError:
            continue  # refused aloud is allowed: an argument the function does not cover
        assert len(found) == len(outs)
        for a, b in zip(found, outs, strict=True):
            if isinstance(b, np.ndarray | np.generic):
                assert arrays_of(a).dtype == b.dtype
                if fn is not np.empty_like:
                    np.testing.assert_allclose(arrays_of(a), b, rtol=1e-12, atol=1e-14)
            else:
                assert arrays_of(a) == b
        if not any(isinstance(a, ag.Tensor) and a.requires_grad for a in found):
            checked += fn not in CARRIES_A_GRADIENT
            continue

        def loss(*xs: Any, call: Any = call) -> Any:
            outs = [o for o in _leaves(call(*xs)) if o.dtype.kind in "fc"]
            return sum((k + 1) * pair(o, o) + np.sum(np.real(o)) for k, o in enumerate(outs))

        for n, g in enumerate(ag.grad(loss, tuple(range(len(floats))))(*floats)):
            numeric = _smooth_gradient(loss, floats, n)
            if numeric is not None:
                checked += 1
                close(g, numeric, fn.__name__, f"gradient by array {n}")
    assert checked, f"no call in CALLS suits {fn.__name__}: add one"


# --- the tests above can fail ---------------------------------------------------------------------


def test_a_wrong_row_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    sine = TABLE[np.sin]
    assert isinstance(sine, Op)
    monkeypatch.setattr(sine, "rules", (lambda y, x: np.cos(x) * (1 + 1e-4),))
    with pytest.raises(AssertionError):
        test_vjp_against_numeric_differences(sine)
    with pytest.raises(AssertionError):
        test_jvp_against_vjp_and_numeric_differences(sine)
    monkeypatch.setattr(sine, "rules", (lambda y, x: ag.stop_gradient(np.cos(x)),))
    test_vjp_against_numeric_differences(sine)
    with pytest.raises(AssertionError):
        test_second_order_by_arguments_and_by_cotangent(sine)
    monkeypatch.setattr(sine, "rules", (lambda y, x: np.cos(x.astype(float)),))
    with pytest.raises(AssertionError):
        test_rules_do_not_widen_float32(sine)


def test_a_wrong_row_of_several_results_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    row = TABLE[np.linalg.slogdet]
    assert isinstance(row, Op)
    right = row.rules[0]
    monkeypatch.setattr(row, "rules", (lambda g, y, a: 1.0001 * right(g, y, a),))
    with pytest.raises(AssertionError):
        test_vjp_against_numeric_differences(row)
    monkeypatch.setattr(row, "rules", (lambda g, y, a: np.conjugate(right(g, y, a)),))
    with pytest.raises(AssertionError):  # right for real matrices
        test_vjp_against_numeric_differences(row)


def test_primitives_are_in_the_table() -> None:
    for name in ag.__all__:
        value = getattr(ag, name)
        if isinstance(value, Primitive):
            assert TABLE[value] is value.op
