"""Writing in place: what is done where NumPy would change memory, and what is refused.

A write points the Tensor to a new Node, so that what earlier operations recorded stays true. That is all as long as no other
live Tensor shows the memory; Tensors that share some are therefore noted as they are made, a family each, and a write looks
for relatives that overlap. Only what writes, or needs to know who shares memory, may live here; reading an index is recording
and stays with Tensor, to which the methods here are attached.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np

from autograd_np import errors, ops
from autograd_np.calls import plain
from autograd_np.modes import current_mode
from autograd_np.ndarray_methods import OPERATORS, attach
from autograd_np.tensor import Tensor, apply, record

__all__: list[str] = []

# --- who shares memory ----------------------------------------------------------------------------


def _note_view(self: Tensor, args: tuple[Any, ...]) -> None:
    """Remember which Tensors share memory, so that writing into one of them can be refused."""
    for a in args:
        if isinstance(a, Tensor) and type(a.data) is np.ndarray:
            family = a._family
            if family is None:
                family = a._family = [weakref.ref(a)]
            elif len(family) > 64:
                family[:] = [r for r in family if r() is not None]
            family.append(weakref.ref(self))
            self._family = family
            return


def _live_relatives(t: Tensor, written: Any) -> Iterator[Tensor]:
    """Yield the other Tensors that a write into `written`, memory of `t`, would change."""
    for reference in t._family or ():
        other = reference()
        if other is not None and other is not t and isinstance(written, np.ndarray) and _overlap(other.data, written):
            yield other


def _same_memory(a: Any, b: Any) -> bool:
    """Whether two arrays are the same view."""
    if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)) or a.shape != b.shape or a.strides != b.strides:
        return False
    return a.dtype == b.dtype and bool(a.__array_interface__["data"] == b.__array_interface__["data"])


def _within(a: Any, b: Any) -> bool:
    """Whether `a` is a view into no more than the contiguous memory of `b`."""
    (low, high), (start, stop) = np.lib.array_utils.byte_bounds(a), np.lib.array_utils.byte_bounds(b)
    return bool(b.flags.c_contiguous) and start <= low and high <= stop


def _overlap(a: Any, b: Any) -> bool:
    try:
        return bool(np.shares_memory(a, b, max_work=cast(Any, 10_000)))
    except np.exceptions.TooHardError:
        return True


# --- writing --------------------------------------------------------------------------------------


def __setitem__(self: Tensor, index: Any, value: Any) -> None:  # noqa: N807 (attached below)
    sources: list[Tensor] = []
    index = plain(index, "x[...] = v", sources)
    written = self.data[index] if ops.is_basic(index) else None
    if isinstance(value, Tensor) and written is not None and _same_memory(value.data, written):
        return  # the second half of x[i] += v, whose first half wrote through the view
    _become(self, record(ops.SETITEM, (self, value), {"index": index}, sources), "x[i] = v", written)


def _write_through(t: Tensor, new: Tensor, how: str) -> Tensor:
    """Write `new` into this view and so into the Tensor it was taken from, as NumPy does."""
    origin = getattr(t, "_origin", None)  # set by x[...] only
    base = origin[0]() if origin is not None else None
    if origin is None or base is None or base._family is not t._family or not _overlap(base.data, t.data):
        return _become(t, new, how)
    family, t._family = t._family, None
    rest = [other for other in _live_relatives(base, t.data) if other is not t]
    if rest or new.shape != t.shape:
        t._family = family
        return _become(t, new, how)  # refused there
    t.data = new.data
    base[origin[1]] = new
    anew = base[origin[1]]
    t.data, t._node, t._family = anew.data, anew._node, anew._family
    if t._family is not None:
        t._family.append(weakref.ref(t))
    return t


def _become(t: Tensor, new: Tensor, how: str, written: Any = None) -> Tensor:
    """Write `new` into this Tensor: what NumPy's in-place operators do, or a refusal."""
    node = t._node
    if new.shape != t.shape:
        raise ValueError(f"{how}: the result has shape {new.shape}, it cannot be written into shape {t.shape}")
    if new.dtype != t.dtype:
        if not np.can_cast(new.dtype, t.dtype, "same_kind"):
            raise TypeError(f"{how}: cannot write {new.dtype} into a Tensor of {t.dtype}; convert with .astype first")
        new = new.astype(t.dtype)
    is_variable = node is not None and node.needs and node.op is None
    recording = node is not None and node.level.order > current_mode().floor
    if is_variable and recording:
        raise errors.InPlaceError(
            f"{how} on the leaf{t._called()} would lose the variable its gradient belongs to. "
            f"Write y = x.copy() and change y, or update parameters under ag.no_grad()"
        )
    for relative in _live_relatives(t, t.data if written is None else written):
        raise errors.InPlaceError(
            f"{how} on a Tensor that shares memory with another of shape {relative.shape} (one is a view of the other): NumPy "
            f"would change both. Write x = x + y (x[i] = x[i] + y for x[i] += y), or take a copy first: v = x[...].copy()"
        )
    if node is not None and new._node is not None and node.level is not new._node.level:
        raise errors.InPlaceError(f"{how} on a Tensor from outside the function being differentiated; write y = x + ... instead")
    beside = [] if written is None else list(_live_relatives(t, t.data))
    if any(not _within(view.data, t.data) for view in beside) or (beside and not new.data.flags.c_contiguous):
        raise errors.InPlaceError(f"{how} beside a view of another part; take a copy of that first: v = x[...].copy()")
    for view in beside:  # their values are the same in the new memory, and a later write must find them there
        offset = view.data.__array_interface__["data"][0] - t.data.__array_interface__["data"][0]
        view.data = np.ndarray(view.data.shape, view.data.dtype, new.data, offset, view.data.strides)
    t.data = new.data
    if is_variable:
        assert node is not None
        node.out = new.data
    else:
        t._node = new._node
    if not beside:
        t._family = None
    return t


def sort(self: Tensor, axis: int = -1, **kwargs: Any) -> None:
    """Sort in place, as ``ndarray.sort`` does; ``np.sort(x)`` returns a sorted copy."""
    _become(self, apply(np.sort, (self,), {"axis": axis, **kwargs}), "x.sort()")


def partition(self: Tensor, kth: Any, axis: int = -1, **kwargs: Any) -> None:
    """Partition in place, as ``ndarray.partition`` does; ``np.partition(x, kth)`` returns a copy."""
    _become(self, apply(np.partition, (self, kth), {"axis": axis, **kwargs}), "x.partition()")


def _in_place(symbol: str, ufunc: np.ufunc) -> Callable[..., Any]:
    def method(self: Tensor, other: Any) -> Tensor:
        new = apply(ufunc, (self, other), {})
        return _write_through(self, new, f"x {symbol}= y") if self._family is not None else _become(self, new, f"x {symbol}= y")

    return method


attach(_note_view, __setitem__, sort, partition)
for _symbol, _stem, _ufunc in OPERATORS:
    setattr(Tensor, f"__i{_stem}__", _in_place(_symbol, _ufunc))
