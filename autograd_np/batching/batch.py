"""`Batch`, an array of examples that acts like one of them, and how an operation finds its batching rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd_np import errors, ops
from autograd_np.batching.call import Call, NoRule, read_only
from autograd_np.batching.rules import TAKES_BATCHED_ATTRS, elementwise, rule_of
from autograd_np.callers import call_site, name_of, warn_caller
from autograd_np.calls import bind
from autograd_np.elsewhere import device_of, is_lazy
from autograd_np.memory import axis_order, owner
from autograd_np.modes import orders
from autograd_np.node import OPEN
from autograd_np.op import TABLE, Op, Primitive, Several, is_numpys
from autograd_np.ops.indexing import arranged
from autograd_np.overriding import BATCHES, Batched, bare, batched_in
from autograd_np.results import Results
from autograd_np.tensor import Tensor, stop_gradient
from autograd_np.typing import Shape

__all__ = ["Batch", "Examples", "Unbatchable", "apply", "stacked"]


class Unbatchable(errors.LeavesNumPyError):
    """What a function asks of a batched array is known of single examples only; `vmap` then goes through them one by one."""


class Examples:
    """The examples that one call of `vmap` goes through.

    Attributes
    ----------
    size : int
        How many there are.
    order : int
        The number of this call among levels: what is newer carries an operation out.
    closed : bool
        The call has ended.
    why : str or None
        What was asked for that is known of single examples only.
    """

    __slots__ = ("closed", "order", "size", "why")

    def __init__(self, size: int) -> None:
        self.size = size
        self.order = next(orders)
        self.closed = False
        self.why: str | None = None
        BATCHES.add(self.order)
        OPEN.add(self.order)

    def close(self) -> None:
        """End the call: an array of it that is still used has escaped."""
        self.closed = True
        BATCHES.discard(self.order)
        OPEN.discard(self.order)


class Batch(Batched):
    """An array that holds many examples along its first axis, and has the shape, and the behaviour, of one of them."""

    __slots__ = ("examples", "whole")
    __array_priority__ = 2000.0
    __hash__ = object.__hash__

    def __init__(self, whole: Any, examples: Examples) -> None:
        self.whole = whole
        self.examples = examples

    # --- what it is

    @property
    def order(self) -> int:
        """The number of the call of `vmap` that made it."""
        return self.examples.order

    @property
    def shape(self) -> Shape:
        """The shape of one example."""
        return tuple(self.whole.shape[1:])

    @property
    def ndim(self) -> int:
        """The number of axes of one example."""
        return int(self.whole.ndim) - 1

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype."""
        return self.whole.dtype  # type: ignore[no-any-return]

    @property
    def size(self) -> int:
        """The number of elements of one example."""
        return int(np.prod(self.shape, dtype=int))

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a 0-d array")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"<{self.examples.size} examples of shape {self.shape}, {self.dtype}>"

    @property
    def device(self) -> Any:
        """Where the values are."""
        return device_of(bare(self))

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient flows to the array of all examples."""
        return bool(getattr(self.whole, "requires_grad", False))

    def stopped(self) -> Batch:
        """Return the same values, through which no gradient flows."""
        return Batch(stop_gradient(self.whole), self.examples)

    base = None
    """Whether it is a view is a matter of the array of all examples."""

    detach = stopped

    # --- what leaves it

    def leave(self, how: str) -> Any:
        """Raise: each example has its own answer; `vmap` then goes through them one by one."""
        if self.examples.closed:
            raise errors.DifferentiationError(_ESCAPED)
        self.examples.why = f"{how} at {call_site()}"
        raise Unbatchable(f"{how} of an array of many examples has an answer for each of them")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.leave("np.asarray(), which a list, an index, an array that is written into or a function outside NumPy asks for,")

    def __bool__(self) -> bool:
        return bool(self.leave("a branch on values, bool(),"))

    def __float__(self) -> float:
        return float(self.leave("float()"))

    def __int__(self) -> int:
        return int(self.leave("int()"))

    def __complex__(self) -> complex:
        return complex(self.leave("complex()"))

    def __index__(self) -> int:
        return int(self.leave("an index into what is no array, or into an array (where np.take_along_axis would do),"))

    def __contains__(self, item: Any) -> bool:
        return bool(self.leave("a search, `in`,"))

    def __format__(self, spec: str) -> str:
        return format(self.leave("format()"), spec) if spec else repr(self)

    def __copy__(self) -> Any:
        return np.copy(self)

    def __deepcopy__(self, memo: Any) -> Any:
        return np.copy(self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.leave("pickle")

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and (hasattr(np.ndarray, name) or hasattr(Tensor, name)):
            return self.leave(f".{name}")
        raise AttributeError(f"an array has no attribute {name!r}")

    def one_by_one(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function once for each example."""
        return _looped(fn, args, kwargs, name_of(fn))

    # --- NumPy's protocols

    def __record__(self, fn: Primitive, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return apply(fn, args, kwargs)

    def __array_function__(self, func: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if func is np.asarray:  # of what is to be where this is, like=; it takes no part itself
            whole = bare(self)
            return func(*args, **kwargs) if is_numpys(whole) or is_lazy(whole) else func(*args, **kwargs, like=whole)
        return apply(func, args, kwargs)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs:
            return apply(ufunc, inputs, {})
        into_array = method == "at" and not isinstance(inputs[0], Batch)
        if into_array or method == "reduceat" or any(kwargs.get(k, plain) is not plain for k, plain in (("out", None), ("where", True))):
            return self.leave(name_of(ufunc) + (" with out= or where=" if method == "__call__" else f".{method}"))
        try:
            return ops.ufunc_method(apply, ufunc, method, inputs, kwargs)
        except errors.NoRowError:
            return _looped(lambda *a, **k: getattr(ufunc, method)(*a, **k), inputs, kwargs, f"{name_of(ufunc)}.{method}")

    def __getitem__(self, index: Any) -> Any:
        return apply(ops.GETITEM.fn, (self,), {"index": index})

    def __setitem__(self, index: Any, value: Any) -> None:
        self.write(apply(ops.SETITEM.fn, (self, value), {"index": index}), "x[...] = value")

    def write(self, new: Any, how: str) -> None:
        """Write into the array of all examples; into one that is not NumPy's, or not this function's own, a loop has to."""
        array = bare(self)
        ok = isinstance(new, Batch) and new.examples is self.examples and new.shape == self.shape
        arrays = ok and isinstance(array, np.ndarray) and isinstance(bare(new), np.ndarray)
        if not arrays or not array.flags.writeable or (array is self.whole and not isinstance(new.whole, np.ndarray)):
            self.leave(f"writing in place, {how},")
        self.whole[...] = new.whole


_ESCAPED = (
    "an array of ag.vmap was used after its function had returned: it was stored somewhere while the function ran. "
    "Return it from the function"
)


# --- an operation ---------------------------------------------------------------------------------


def apply(fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Carry a call out on all examples at once, or on one after the other."""
    row = fn.op if isinstance(fn, Primitive) else TABLE.get(fn)
    if row is not None and not isinstance(row, Op):
        if kwargs.get("out") is not None:
            return batched_in([*args, *kwargs.values()])[0].leave(f"{name_of(fn)}(..., out=)")
        try:
            return row(*args, **{k: v for k, v in kwargs.items() if k != "out"})
        except errors.InPlaceError:
            return batched_in([*args, *kwargs.values()])[0].leave(f"{name_of(fn)} into an array")
    if row is None and not (isinstance(fn, np.ufunc) and fn.signature is None and fn.nout == 1):
        return _looped(fn, args, kwargs, name_of(fn))
    if row is None:
        operands: tuple[Any, ...] = args
        attrs, out = kwargs, None
    else:
        try:
            operands, attrs, _, out = bind(row, args, kwargs)
        except errors.NoRowError:
            return _looped(fn, args, kwargs, name_of(fn))
    operands = tuple(map(_bare, operands))
    batched = [*(x for x in operands if isinstance(x, Batch)), *batched_in(list(attrs.values()))]
    newest = max(batched, key=lambda b: b.order)
    examples = newest.examples  # type: ignore[attr-defined]
    if examples.closed:
        raise errors.DifferentiationError(_ESCAPED)
    if out is not None:
        newest.leave(f"{name_of(fn)}(..., out=)")
    for x in operands:
        if isinstance(x, Tensor) and x._node is not None:
            if x._node.level.order > examples.order:
                return NotImplemented
            if any(b.order >= examples.order for b in batched_in(x)):
                newest.leave("a Tensor made of an array of many examples")
    rule = elementwise if row is None else rule_of(row)
    mine = [b for b in batched_in(list(attrs.values())) if b.order == examples.order]
    if rule is None or (mine and rule not in TAKES_BATCHED_ATTRS):
        return _looped(fn, args, kwargs, name_of(fn))
    flags = [isinstance(x, Batch) and x.examples is examples for x in operands]
    xs = [x.whole if flag else x for x, flag in zip(operands, flags, strict=True)]
    call_ = fn if row is None else _listed(row.fn) if row.variadic else row.fn
    try:
        found = rule(Call(call_, xs, flags, attrs, examples.size, examples.order))
    except NoRule:
        return _looped(fn, args, kwargs, name_of(fn))
    if isinstance(row, Several):
        return found.form(Batch(part, examples) for part in found)
    if np.ndim(found) > 1 and any(flag and np.ndim(x) == 1 and _writable_view(found, x) for x, flag in zip(xs, flags, strict=True)):
        found = np.copy(found)  # of a number there is no view
    return Batch(_examples_first(found), examples)


def _examples_first(found: Any) -> Any:
    """Lay a new array out example by example: what is a view of one example, and so what a write reaches, is a view of all then."""
    array = bare(found)
    if not isinstance(array, np.ndarray) or array.ndim < 2 or array.flags.c_contiguous or not array.flags.writeable:
        return found
    outer = array.ndim - np.ndim(found)  # axes of the examples of other calls around this one
    steps = [abs(step) if n > 1 else 0 for n, step in zip(array.shape, array.strides, strict=True)][outer:]
    if array.shape[outer] < 2 or steps[0] >= max(steps):
        return found
    return arranged(found, order=(0, *(i - outer for i in axis_order(array) if i > outer)))


def _bare(x: Any) -> Any:
    """Return a constant Tensor's array, and a list as an array, unless there is something in it that computes."""
    while isinstance(x, Tensor) and x._node is None:
        x = x.data
    if type(x) in (list, tuple) and not batched_in(x):
        return np.asarray(x)
    return x


def _listed(fn: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arrays, **attrs: fn(list(arrays), **attrs)


# --- a loop ---------------------------------------------------------------------------------------


def _looped(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> Any:
    """Call a function once for each example, and say so."""
    newest: Any = max(batched_in([*args, *kwargs.values()]), key=lambda b: b.order)
    examples = newest.examples
    if not examples.size:
        newest.leave(f"{name}, which goes through the examples one by one,")
    results = [fn(*_example(args, examples, i), **_example(kwargs, examples, i)) for i in range(examples.size)]
    if any(_writable_view(r, x) for r in results for x in batched_in([*args, *kwargs.values()])):
        newest.leave(f"{name}, whose result shows memory of its argument,")
    found = _gathered(results, examples, newest, name)  # or everything is gone through one by one, which has a warning of its own
    warn_caller(
        f"ag.vmap ran {name} in a loop over {examples.size} examples: it has no rule for many at once, as it was called",
        errors.LoopWarning,
    )
    return found


def _writable_view(result: Any, x: Any) -> bool:
    """Whether a result is a view of an operand: joined with others it would not be, and a write to either has to be seen in both."""
    array = bare(result)
    return isinstance(array, np.ndarray) and array.flags.writeable and owner(array) is owner(bare(x))


def _example(x: Any, examples: Examples, i: int) -> Any:
    """Return the i-th example of what is batched in arguments."""
    if isinstance(x, Batch):
        return x.whole[i] if x.examples is examples else x
    if isinstance(x, Tensor) and batched_in(x):
        while isinstance(x, Tensor) and x._node is None:
            x = x.data
        return _example(x, examples, i) if isinstance(x, Batch) else x
    if type(x) in (tuple, list):
        return type(x)(_example(part, examples, i) for part in x)
    if type(x) is dict:
        return {k: _example(v, examples, i) for k, v in x.items()}
    if type(x) is slice:
        return slice(*(_example(part, examples, i) for part in (x.start, x.stop, x.step)))
    return x


def _gathered(results: Sequence[Any], examples: Examples, newest: Any, name: str) -> Any:
    first = results[0]
    if isinstance(first, (tuple, list, Results)):
        form = getattr(type(first), "_make", type(first) if not isinstance(first, Results) else tuple)
        return form(_gathered(parts, examples, newest, name) for parts in zip(*results, strict=True))
    if not hasattr(first, "dtype"):
        if all(type(r) is type(first) and r == first for r in results):
            return first
        return newest.leave(f"{name}, which answers each example differently,")
    if any(np.shape(r) != np.shape(first) for r in results):
        return newest.leave(f"{name}, which returns another shape for each example,")
    data = stacked(results)
    return Batch(read_only(data), examples)  # NumPy's result may be a view, and a write to it would have to be seen there


def stacked(results: Sequence[Any], axis: int = 0) -> Any:
    """Return the results for each example as one array."""
    return np.stack(list(results), axis=axis)
