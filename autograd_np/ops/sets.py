"""Arrays as sets: which elements stay is a matter of values, the elements that stay are read from their places."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_np.op import case, constant, constant_of, derived, eager
from autograd_np.ops.indexing import axis_of
from autograd_np.typing import Array


def _unique_places(ar: Array, which: int = 0, axis: Any = None, equal_nan: bool = True) -> Array:
    """Return where each distinct value stands first, which of them each element is, or how often each occurs."""
    return np.unique(ar, True, True, True, axis, equal_nan=equal_nan)[1 + which]


def _value_places(x: Array) -> Array:
    """Return where the values of ``np.unique_values`` stand, in the order of NumPy's choice."""
    order = np.argsort(x, kind="stable")
    return order[np.searchsorted(x[order], np.unique_values(x))]


unique_places = eager(_unique_places)
value_places = eager(_value_places)

# fmt: off
constant(unique_places, signature="ar which axis equal_nan", cases=(case((4,)), case(np.array([1.0, 2.0, 1.0]), which=1), case(np.array([1.0, 2.0, 1.0]), which=2)))
constant(value_places, cases=(case((4,)),))
constant(np.lexsort, signature="keys axis", cases=(case((3, 4)),))
# fmt: on


def _array(a: Any) -> Array:
    return a if hasattr(a, "ndim") else np.asarray(a)


def _plain(places: Any) -> Any:
    """Take integers, which carry no gradient, out of Tensors."""
    return constant_of(places)


@derived(np.unique, cases=(case((4,)), case((2, 3)), case((3, 2), axis=0)))
def _unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False, axis: Any = None,
    *, equal_nan: bool = True, sorted: bool = True,  # noqa: A002 (NumPy's name)
) -> Any:  # fmt: skip
    ar = _array(ar)
    first, inverse, counts = (_plain(unique_places(ar, which=i, axis=axis, equal_nan=equal_nan)) for i in range(3))
    values = np.take(np.reshape(ar, -1), first) if axis is None else np.take(ar, first, axis=axis_of(axis, ar.ndim))
    found = [values]
    found += [x for x, wanted in ((first, return_index), (inverse, return_inverse), (counts, return_counts)) if wanted]
    return found[0] if len(found) == 1 else tuple(found)


def _named(fn: Any, *parts: int) -> None:
    """Add an array-API form of ``np.unique``: each NaN is distinct, and the results have names."""

    @derived(fn)
    def unique(x: Any, /) -> Any:
        form = type(fn(np.zeros(0)))
        found = _unique(x, True, True, True, equal_nan=False)
        return form(*(found[i] for i in parts))


_named(np.unique_all, 0, 1, 2, 3)
_named(np.unique_counts, 0, 3)
_named(np.unique_inverse, 0, 2)


@derived(np.unique_values)
def _unique_values(x: Any, /) -> Array:
    x = np.reshape(_array(x), -1)
    return np.take(x, _plain(value_places(x)))


@derived(np.union1d, cases=(case((3,), (2, 2)), case((), (3,))))
def _union1d(ar1: Any, ar2: Any) -> Array:
    return _unique(np.concatenate([_array(ar1), _array(ar2)], axis=None))


@derived(np.intersect1d)
def _intersect1d(ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """Read what both have from the first."""
    ar1, ar2 = np.ravel(_array(ar1)), np.ravel(_array(ar2))
    (one, first), (other, second) = (
        (a, np.arange(a.size)) if assume_unique else _unique(a, return_index=True) for a in (ar1, ar2)
    )  # fmt: skip
    order = _plain(np.argsort(one, kind="stable"))
    places = order[np.flatnonzero(_plain(np.isin(one, other))[order])]
    values = one[places]
    if not return_indices:
        return values
    back = _plain(np.argsort(other, kind="stable"))
    return values, first[places], second[back[_plain(np.searchsorted(other[back], values))]]


@derived(np.setdiff1d)
def _setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Array:
    one = np.ravel(_array(ar1)) if assume_unique else _unique(ar1)
    return one[np.flatnonzero(~_plain(np.isin(one, _array(ar2))))]


@derived(np.setxor1d)
def _setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Array:
    parts = [np.ravel(_array(a)) if assume_unique else _unique(a) for a in (ar1, ar2)]
    both = np.concatenate(parts)
    first, counts = (_plain(unique_places(both, which=i)) for i in (0, 2))
    return np.take(both, first[counts == 1])


@derived(np.trim_zeros, cases=(case((3,)), case((4,), trim="f")))
def _trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Array:
    filt = _array(filt)
    places = _plain(np.argwhere(filt))
    axes = range(filt.ndim) if axis is None else [axis_of(i, filt.ndim) for i in (axis if np.ndim(axis) else (axis,))]
    if not isinstance(trim, str):
        raise TypeError(f"np.trim_zeros needs trim='f', 'b' or 'fb', got {trim!r}")
    trim = trim.lower()
    cut = [slice(None)] * filt.ndim
    for i in axes:
        low, high = (int(places[:, i].min()), int(places[:, i].max()) + 1) if len(places) else (filt.shape[i], filt.shape[i])
        cut[i] = slice(low if "f" in trim else 0, high if "b" in trim else filt.shape[i])
    return filt[tuple(cut)]


@derived(np.resize, cases=(case((2, 3), new_shape=(4, 2)), case((3,), new_shape=5), case((3,), new_shape=2)))
def _resize(a: Any, new_shape: Any) -> Array:
    a = np.reshape(_array(a), -1)
    shape = (new_shape,) if np.ndim(new_shape) == 0 else tuple(new_shape)
    size = int(np.prod(shape))
    if not a.size or not size:
        return np.zeros_like(a, shape=shape)
    return np.take(a, np.arange(size) % a.size).reshape(shape)
