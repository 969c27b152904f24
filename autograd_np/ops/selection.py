"""Choosing between values: where, clip, rounding, repairing NaN; and questions whose answer is a bool.

What is not chosen gets a gradient of exactly zero, even where its own derivative is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.op import Domain, case, constant, derived, elementwise, general, primitive, real
from autograd_np.ops.elementwise import not_whole
from autograd_np.ops.indexing import assigned, laid
from autograd_np.ops.shaping import cast_to, promoted
from autograd_np.ops.ufunc_methods import write_out
from autograd_np.typing import Array


@primitive
def where(condition: Array, x: Any, y: Any) -> Array:
    """Return elements of `x` where `condition` holds, and of `y` elsewhere."""
    if x is None or y is None:
        raise errors.NoRowError(
            "np.where of a Tensor needs three arguments, (condition, x, y); for the indices alone write np.nonzero(condition)"
        )
    return np.where(condition, x, y)


def _where_jvp(tangents: Any, out: Array, condition: Array, x: Any, y: Any) -> Array:
    return np.where(condition, *(np.zeros_like(out) if t is None else t for t in tangents[1:]))


@primitive
def clip(a: Array, a_min: Any, a_max: Any) -> Array:
    """Return min(max(a, a_min), a_max); ``None`` is no bound."""
    return np.positive(a) if a_min is None and a_max is None else np.clip(a, a_min, a_max)


def _inside(y: Array, a: Array, low: Any, high: Any) -> Any:
    inside = np.ones_like(a, dtype=bool) if low is None else ~(a < low)
    return inside if high is None else inside & ~(a > high)


def _at_low(y: Array, a: Array, low: Any, high: Any) -> Any:
    return a < low if high is None else (a < low) & (low <= high)


def _at_high(y: Array, a: Array, low: Any, high: Any) -> Any:
    return a > high if low is None else (a > high) | (low > high)


_CONDITION = np.array([[True, False, True, True], [False, True, False, True], [True, True, False, True]])
_LOW, _HIGH = Domain(-1.2, -0.8), Domain(0.8, 1.2)

# fmt: off

# differentiates   rule                                                                   notation
general(where,     None, lambda g, out, c, x, y: np.where(c, g, 0), lambda g, out, c, x, y: np.where(c, 0, g), jvp=_where_jvp,
        cases=(case(_CONDITION, (3, 4), (3, 4)), case(_CONDITION, (4,), ()), case(np.array([True, False]), (3, 1), (3, 2))), also=(np.where,),
        tex=r"\operatorname{where}(#1, #2, #3)", note="no NaN from the branch not taken")
elementwise(clip,  _inside, _at_low, _at_high, on=(real, _LOW, _HIGH), note="1 at the bounds", gates=True)
elementwise(np.round, 0, on=not_whole, signature="a decimals out", also=(np.around,))

constant(np.isclose, arrays=2, cases=(case((3, 4), (3, 4)), case((3, 4), (4,), rtol=0.5)))
constant(np.isposinf, np.isneginf, np.isreal, np.iscomplex, cases=(case((3, 4)),))
# fmt: on


# --- in terms of the rows above -------------------------------------------------------------------


@derived(np.clip)
def _clip(a: Array, a_min: Any = None, a_max: Any = None, out: None = None, **bounds: Any) -> Array:
    unknown = bounds.keys() - {"min", "max"}
    if unknown:
        raise errors.NoRowError(f"the row of clip does not cover {', '.join(sorted(unknown))}")
    if bounds and (a_min is not None or a_max is not None):
        raise ValueError("np.clip got its bounds twice: pass a_min and a_max, or min= and max=")
    result = clip(a, bounds.get("min", a_min), bounds.get("max", a_max))
    return result if out is None else write_out(np.clip, out, result)


@derived(np.nan_to_num)
def _nan_to_num(x: Array, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Array:
    if not copy:
        x[...] = _nan_to_num(x, True, nan, posinf, neginf)
        return x
    if x.dtype.kind == "c":
        return _nan_to_num(np.real(x), True, nan, posinf, neginf) + 1j * _nan_to_num(np.imag(x), True, nan, posinf, neginf)
    if x.dtype.kind != "f":
        return np.copy(x)
    limits = np.finfo(x.dtype)
    instead = (nan, limits.max if posinf is None else posinf, limits.min if neginf is None else neginf)
    found = x
    for hit, value in zip((np.isnan(x), x == np.inf, x == -np.inf), instead, strict=True):
        found = np.where(hit, assigned(cast_to(value, x.dtype), x.shape), found)
    return found if x.ndim else found[()]


@derived(np.select)
def _select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Array:
    if len(condlist) != len(choicelist) or len(condlist) == 0:
        raise ValueError(f"np.select needs as many conditions as choices, at least one; got {len(condlist)} and {len(choicelist)}")
    for i, condition in enumerate(condlist):
        if getattr(condition, "dtype", None) != np.bool_ and np.asarray(condition).dtype != np.bool_:
            raise TypeError(f"np.select needs conditions of booleans, got number {i} of another dtype; write a comparison, such as c != 0")
    *choices, chosen = promoted([*choicelist, default])
    for condition, choice in zip(reversed(condlist), reversed(choices), strict=True):
        chosen = where(condition, choice, chosen)
    return laid(chosen, "C")


@derived(np.choose)
def _choose(a: Array, choices: Any, out: None = None, mode: str = "raise") -> Array:
    choices = promoted(choices if isinstance(choices, (list, tuple)) else list(choices))
    shape = np.broadcast_shapes(np.shape(a), *(np.shape(c) for c in choices))
    n = len(choices)
    if mode == "raise" and (np.any(np.less(a, 0)) or np.any(np.greater_equal(a, n))):
        raise ValueError(f"np.choose got an index outside the {n} choices; pass mode='wrap' or 'clip' if that is meant")
    index = np.remainder(a, n) if mode == "wrap" else np.clip(a, 0, n - 1)
    stacked = np.stack([np.broadcast_to(c, shape) for c in choices])
    return np.take_along_axis(stacked, np.broadcast_to(index, shape)[None], axis=0)[0]


@derived(np.allclose)
def _allclose(a: Array, b: Array, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> bool:
    return bool(np.all(np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan)))


@derived(np.array_equal)
def _array_equal(a1: Array, a2: Array, equal_nan: bool = False) -> bool:
    if np.shape(a1) != np.shape(a2):
        return False
    same = np.equal(a1, a2)
    return bool(np.all(same | (np.isnan(a1) & np.isnan(a2)) if equal_nan else same))


@derived(np.array_equiv)
def _array_equiv(a1: Array, a2: Array) -> bool:
    try:
        np.broadcast_shapes(np.shape(a1), np.shape(a2))
    except ValueError:
        return False
    return bool(np.all(np.equal(a1, a2)))
