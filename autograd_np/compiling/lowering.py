"""Rows of the table in terms of NumPy's ufuncs, reductions and products, whose results can be put into buffers.

`lowered` writes a program anew: `sigmoid` and its relatives as the ufuncs they are made of, means as sums, small powers as products.
What is not mentioned stays a call.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_np.compiling.program import REDUCTIONS, Program, Value, filled
from autograd_np.ops import special
from autograd_np.ops.indexing import axes_of
from autograd_np.ops.selection import where
from autograd_np.ops.shaping import reshape, spread, to_float

__all__ = ["is_elementwise", "is_real", "lowered", "rewritten"]

FEW = 256
"""Of so few elements an array costs the call, not the computation."""


def is_real(v: Value) -> bool:
    """Whether a value is an array of float32 or float64."""
    return isinstance(v.dtype, np.dtype) and v.dtype.char in "fd"


def is_elementwise(v: Value) -> bool:
    """Whether a value is computed by a ufunc, element by element, with nothing said besides."""
    return v.kind == "call" and isinstance(v.fn, np.ufunc) and v.fn.nout == 1 and v.fn.signature is None and not v.attrs


def told(v: Value) -> dict[str, Any]:
    """Return the attributes that say something."""
    return {
        k: x for k, x in v.attrs.items() if x is not None and x is not False and x is not np._NoValue and not (k == "where" and x is True)
    }


class Writer:
    """Writes values into a program, with the shapes and dtypes that NumPy gives them."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def ufunc(self, fn: np.ufunc, *args: Any, like: Value) -> Value:
        """Return a ufunc of values and numbers, in the dtype of another value."""
        values = tuple(a if isinstance(a, Value) else self.program.constant(a) for a in args)
        shape = np.broadcast_shapes(*(a.shape for a in values))
        return self.program.call(fn, values, {}, shape, like.dtype, site=like.site)

    def reduced(self, fn: np.ufunc, x: Value, axis: tuple[int, ...], *, keepdims: bool, site: str) -> Value:
        """Return a reduction along some axes."""
        shape = tuple(1 if i in axis else n for i, n in enumerate(x.shape) if keepdims or i not in axis)
        return self.program.call(REDUCTIONS[fn], (x,), {"axis": axis, "keepdims": keepdims}, shape, x.dtype, site=site)


def rewritten(program: Program, rule: Callable[[Writer, Value, tuple[Value, ...], dict[str, Any]], Value | None]) -> Program:
    """Write a program anew; `rule` gets a writer, each call, and its arguments and attributes as they were written, and may put another."""
    new = Program()
    write = Writer(new)
    of: dict[Value, Value] = {}
    for v in program.inputs:
        of[v] = new.input(v.shape, v.dtype)
        of[v].weak = v.weak
    for v in program.values():
        if v.kind == "constant":
            of[v] = new.constant(v.const)
        elif v.kind == "call":
            args = tuple(of[a] for a in v.args)
            attrs = {k: filled(x, of.__getitem__) for k, x in v.attrs.items()}
            found = rule(write, v, args, attrs)
            of[v] = new.again(v, args, attrs) if found is None else found
    new.outputs = [of[v] for v in program.outputs]
    return new


def lowered(program: Program) -> Program:
    """Return a program of ufuncs, reductions and products, as far as they go."""
    uses = program.uses()

    def rule(write: Writer, v: Value, args: tuple[Value, ...], attrs: dict[str, Any]) -> Value | None:
        return _summed(write, v, args, uses) or _lowered(write, v, args, attrs)

    return rewritten(program, rule)


def _lowered(write: Writer, v: Value, args: tuple[Value, ...], attrs: dict[str, Any]) -> Value | None:
    if v.is_several:
        return None
    if v.is_call(np.multiply) and is_real(v):
        return _shared(write, v, *args) or _shared(write, v, *args[::-1])
    how = told(v)
    if v.is_call(np.sum, np.mean, np.max, np.min) and is_real(v) and args[0].dtype == v.dtype and how.keys() <= {"axis", "keepdims"}:
        return _reduced(write, v, args[0], how)
    if not is_real(v) or any(a.dtype != v.dtype and a.number is None for a in args if not a.is_several):
        return None
    form = FORMS.get(v.fn)
    if form is not None and args[0].number is None and args[0].size:
        return form(write, v, *args, **{k: x for k, x in attrs.items() if k in ("axis", "keepdims")})
    if v.is_call(to_float) or (v.is_call(reshape, spread, np.broadcast_to) and v.shape == args[0].shape and not how.keys() - {"shape"}):
        return args[0] if args[0].dtype == v.dtype and args[0].kind == "call" else None
    return None


def _reduced(write: Writer, v: Value, x: Value, how: dict[str, Any]) -> Value | None:
    axis = axes_of(how.get("axis"), x.ndim) if x.ndim else ()
    if any(isinstance(a, Value) for a in axis) or len(set(axis)) != len(axis) or not x.size or not x.ndim:
        return None
    fn = {np.max: np.maximum, np.min: np.minimum}.get(v.fn, np.add)  # type: ignore[arg-type]
    total = write.reduced(fn, x, tuple(sorted(axis)), keepdims=bool(how.get("keepdims")), site=v.site)
    count = math.prod(x.shape[i] for i in axis)
    return write.ufunc(np.divide, total, count, like=v) if v.fn is np.mean else total


def _shared(write: Writer, v: Value, g: Value, share: Value) -> Value | None:
    """Multiply by the slope of a maximum or minimum, one half at ties, in comparisons alone: g (a > b) / 2 + g (a >= b) / 2."""
    share = share.args[0] if share.is_call(to_float) else share
    if not share.is_call(where) or share.args[1].number != 0.5 or g.number is not None or (g.shape, g.dtype) != (v.shape, v.dtype):
        return None
    ties, _, won = share.args
    if not ties.is_call(np.equal) or not won.is_call(np.greater) or ties.args != won.args:
        return None
    wide = write.program.call(np.greater_equal, won.args, {}, won.shape, won.dtype, site=v.site)
    half = write.ufunc(np.multiply, g, 0.5, like=v)
    return write.ufunc(np.add, write.ufunc(np.multiply, half, won, like=v), write.ufunc(np.multiply, half, wide, like=v), like=v)


# --- forms ------------------------------------------------------------------------------------------


def _sigmoid(write: Writer, v: Value, x: Value) -> Value:
    e = write.ufunc(np.exp, write.ufunc(np.negative, x, like=v), like=v)
    return write.ufunc(np.reciprocal, write.ufunc(np.add, e, 1.0, like=v), like=v)


@functools.cache
def _is_vectorised(name: str) -> bool:
    """Whether NumPy computes several elements of a function at once on this processor."""
    try:
        ways = np.lib.introspect.opt_func_info(func_name=f"^{name}$", signature="float64")[name]
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    return all(not way["current"].startswith("baseline") for way in ways.values())


def _log1p_exp(write: Writer, v: Value, x: Value) -> Value:
    """Return log(1 + exp(-|x|)): what softplus has beside the larger of x and 0."""
    e = write.ufunc(np.exp, write.ufunc(np.negative, write.ufunc(np.absolute, x, like=v), like=v), like=v)
    if v.size < FEW or _is_vectorised("log1p"):
        return write.ufunc(np.log1p, e, like=v)
    u = write.ufunc(np.add, e, 1.0, like=v)  # np.log is three times as fast; what rounding took from u is given back to first order
    lost = write.ufunc(np.subtract, e, write.ufunc(np.subtract, u, 1.0, like=v), like=v)
    return write.ufunc(np.add, write.ufunc(np.log, u, like=v), write.ufunc(np.divide, lost, u, like=v), like=v)


def _softplus(write: Writer, v: Value, x: Value) -> Value:
    return write.ufunc(np.add, write.ufunc(np.maximum, x, 0.0, like=v), _log1p_exp(write, v, x), like=v)


def _log_sigmoid(write: Writer, v: Value, x: Value) -> Value:
    return write.ufunc(np.subtract, write.ufunc(np.minimum, x, 0.0, like=v), _log1p_exp(write, v, x), like=v)


def _summed(write: Writer, v: Value, args: tuple[Value, ...], uses: Counter[Value]) -> Value | None:
    """Add to a softplus, or take it from something, in an order that keeps a small loss: y z - max(z, 0) is often exactly 0."""
    if not v.is_call(np.add, np.subtract) or not is_real(v) or any(a.number is not None or a.dtype != v.dtype for a in args):
        return None
    for i in (1, 0):
        x = v.args[i]
        if (
            x.is_call(special.softplus, special.log_sigmoid)
            and uses[x] == 1
            and x.shape == v.shape
            and args[i].is_call(np.add, np.subtract)
        ):
            break
    else:
        return None
    z = args[i].args[0].args[0]  # of max(z, 0)
    large = write.ufunc(np.maximum if x.is_call(special.softplus) else np.minimum, z, 0.0, like=v)
    rest = _log1p_exp(write, x, z)
    first = write.ufunc(v.fn, *((args[0], large) if i else (large, args[1])), like=v)  # type: ignore[arg-type]
    taken = x.is_call(special.log_sigmoid) != (i == 1 and v.is_call(np.subtract))
    return write.ufunc(np.subtract if taken else np.add, first, rest, like=v)


def _relu(write: Writer, v: Value, x: Value) -> Value:
    return write.ufunc(np.maximum, x, 0.0, like=v)


def _square(write: Writer, v: Value, x: Value) -> Value:
    return write.ufunc(np.multiply, x, x, like=v)


def _power(write: Writer, v: Value, x: Value, n: Value) -> Value | None:
    if v.weak:  # as Python has it: an overflow raises, a root of a negative number is complex
        return None
    if n.number == 2:
        return _square(write, v, x)
    if n.number == 3 and x.ndim:
        return write.ufunc(np.multiply, _square(write, v, x), x, like=v)
    if n.number == 1:
        return x if x.kind == "call" else None
    if n.number == -1:
        return write.ufunc(np.reciprocal, x, like=v)
    return write.ufunc(np.sqrt, x, like=v) if n.number == 0.5 else None


def _shifted(write: Writer, v: Value, x: Value, axis: Any, *, most: float | None = None) -> tuple[Value, Value, tuple[int, ...]]:
    """Return the largest, in bounds, and what is left when it is taken away."""
    axes = tuple(sorted(axes_of(axis, x.ndim)))
    top = write.reduced(np.maximum, x, axes, keepdims=True, site=v.site)
    if most is not None:
        top = write.ufunc(np.minimum, write.ufunc(np.maximum, top, -most, like=top), most, like=top)
    return top, write.ufunc(np.subtract, x, top, like=x), axes


def _softmax(write: Writer, v: Value, x: Value, axis: Any = -1) -> Value | None:
    if not x.ndim:
        return None
    _, s, axes = _shifted(write, v, x, axis)
    e = write.ufunc(np.exp, s, like=v)
    return write.ufunc(np.divide, e, write.reduced(np.add, e, axes, keepdims=True, site=v.site), like=v)


def _log_softmax(write: Writer, v: Value, x: Value, axis: Any = -1) -> Value | None:
    if not x.ndim:
        return None
    _, s, axes = _shifted(write, v, x, axis)
    total = write.reduced(np.add, write.ufunc(np.exp, s, like=v), axes, keepdims=True, site=v.site)
    return write.ufunc(np.subtract, s, write.ufunc(np.log, total, like=v), like=v)


def _logsumexp(write: Writer, v: Value, x: Value, axis: Any = None, keepdims: Any = False) -> Value | None:
    if not x.ndim:
        return None
    top, s, axes = _shifted(write, v, x, axis, most=float(np.finfo(x.dtype).max))  # of infinities no NaN: the sum of exp(-inf) is 0
    total = write.reduced(np.add, write.ufunc(np.exp, s, like=v), axes, keepdims=True, site=v.site)
    found = write.ufunc(np.add, write.ufunc(np.log, total, like=v), top, like=v)
    return found if keepdims else write.program.call(reshape, (found,), {"shape": v.shape}, v.shape, v.dtype, shares=True, site=v.site)


FORMS: dict[Any, Callable[..., Value | None]] = {
    special.sigmoid: _sigmoid,
    special.softplus: _softplus,
    special.log_sigmoid: _log_sigmoid,
    special.relu: _relu,
    special.softmax: _softmax,
    special.log_softmax: _log_softmax,
    special.logsumexp: _logsumexp,
    np.square: _square,
    np.power: _power,
}
