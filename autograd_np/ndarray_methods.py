"""The rest of ndarray's surface: what a Tensor has so that code written for arrays finds it.

A method calls the function of the same name through `apply`, so that its derivative is that function's row. Most are made
from lists; those whose form differs are spelled out; what is absent on purpose says what to write instead. All are attached
to Tensor, the floor below. No derivative may live here, nothing that a Tensor could not be recorded without, and nothing
that writes in place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from autograd_np import errors, ops
from autograd_np.elsewhere import device_of
from autograd_np.overriding import batched_in
from autograd_np.tensor import Tensor, apply, known, record_one, value_of

__all__ = ["METHODS", "OPERATORS", "attach"]


def attach(*members: Callable[..., Any] | property) -> None:
    """Make functions and properties members of Tensor, under their own names, which errors and help() show as a member's."""
    for member in members:
        function = cast("Callable[..., Any]", member.fget if isinstance(member, property) else member)
        function.__annotations__.pop("self", None)
        function.__qualname__ = f"Tensor.{function.__name__}"
        setattr(Tensor, function.__name__, member)


# --- properties -----------------------------------------------------------------------------------

# ruff: disable[D401] (what a property is, not what a call does)


def device(self: Tensor) -> Any:
    """The device that the values are on: ``"cpu"`` for NumPy's arrays, CuPy's own object for its."""
    return device_of(value_of(self))


def nbytes(self: Tensor) -> int:
    """The bytes the data takes."""
    return cast(int, self.data.nbytes)


def itemsize(self: Tensor) -> int:
    """The bytes of one element."""
    return cast(int, self.data.dtype.itemsize)


def strides(self: Tensor) -> tuple[int, ...]:
    """The bytes from one element to the next along each axis, where the data are NumPy's."""
    return cast("tuple[int, ...]", value_of(self).strides)


def T(self: Tensor) -> Tensor:  # noqa: N802 (NumPy's name)
    """The transpose, recorded."""
    return cast(Tensor, apply(np.transpose, (self,), {}))


def mT(self: Tensor) -> Tensor:  # noqa: N802 (NumPy's name)
    """The matrix transpose (the last two axes), recorded."""
    return cast(Tensor, apply(np.swapaxes, (self, -1, -2), {}))


def real(self: Tensor) -> Tensor:
    """The real part, recorded."""
    return cast(Tensor, apply(np.real, (self,), {}))


def imag(self: Tensor) -> Tensor:
    """The imaginary part: zeros for real numbers."""
    return cast(Tensor, apply(np.imag, (self,), {}))


# ruff: enable[D401]

attach(property(nbytes), property(itemsize), property(strides), property(device), property(T), property(mT), property(real), property(imag))


# --- what leaves the graph -------------------------------------------------------------------------


def item(self: Tensor) -> float | int | bool | complex:
    """Return the one element as a Python number, outside the graph."""
    if self.size != 1:
        raise ValueError(f"item() needs a Tensor of one element, got shape {self.shape}")
    return cast(float, self._leaving("item").item())


def tolist(self: Tensor) -> Any:
    """Return the values as nested Python lists, outside the graph."""
    return self._leaving("tolist").tolist()


attach(item, tolist)


# --- methods whose form differs from the function's -----------------------------------------------


def compress(self: Tensor, condition: Any, axis: Any = None) -> Tensor:
    """Return the slices where `condition` holds, recorded."""
    return cast(Tensor, apply(np.compress, (condition, self), {"axis": axis}))


def conjugate(self: Tensor) -> Tensor:
    """Return the array itself if it is real, as ``ndarray.conj`` does, where ``np.conj`` makes a new one."""
    return self if self.dtype.kind != "c" and isinstance(value_of(self), np.ndarray) else cast(Tensor, apply(np.conjugate, (self,), {}))


def copy(self: Tensor, order: str = "C") -> Tensor:
    """Return a copy, recorded; in C order, as ``ndarray.copy`` does, where ``np.copy`` keeps the layout."""
    array = value_of(self)
    if isinstance(array, np.generic):
        return self[()]
    keeps = order == "K" or not isinstance(array, np.ndarray) or (order == "C" and array.flags.c_contiguous)
    return cast(Tensor, apply(np.copy, (self,), {} if keeps else {"order": order}))


def flatten(self: Tensor, order: str = "C") -> Tensor:
    """Return a one-dimensional copy, recorded."""
    return cast(Tensor, apply(np.reshape, (self, -1), {"order": order}).copy())


def reshape(self: Tensor, *shape: Any, order: str = "C", copy: bool | None = None) -> Tensor:
    """Return the same values in another shape, recorded."""
    how = ({} if order == "C" else {"order": order}) | ({} if copy is None else {"copy": copy})
    return cast(Tensor, apply(np.reshape, (self, shape[0] if len(shape) == 1 else shape), how))


def transpose(self: Tensor, *axes: Any) -> Tensor:
    """Return the axes in another order (reversed by default), recorded."""
    order = None if not axes else axes[0] if len(axes) == 1 else axes
    return cast(Tensor, apply(np.transpose, (self,), {} if order is None else {"axes": order}))


def astype(self: Tensor, dtype: Any, order: str = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True) -> Tensor:  # noqa: ARG001 (no subclasses)
    """Return the values in another dtype, recorded while it is a floating one."""
    if not np.can_cast(self.dtype, dtype, casting):
        raise TypeError(f"cannot cast a Tensor of {self.dtype} to {np.dtype(dtype)} under the rule casting={casting!r}")
    if not copy and self.dtype == dtype:
        return self
    cast_ = ops.astype(self, dtype)
    return cast(Tensor, cast_ if order == "K" else cast_.copy(order))


def sigmoid(self: Tensor) -> Tensor:
    """Return 1 / (1 + exp(-x)), stable."""
    return cast(Tensor, record_one(ops.sigmoid.op, self))


def relu(self: Tensor) -> Tensor:
    """Return max(x, 0)."""
    return cast(Tensor, record_one(ops.relu.op, self))


def softplus(self: Tensor) -> Tensor:
    """Return log(1 + exp(x)), stable."""
    return cast(Tensor, record_one(ops.softplus.op, self))


def log_sigmoid(self: Tensor) -> Tensor:
    """Return log(sigmoid(x)), stable."""
    return cast(Tensor, record_one(ops.log_sigmoid.op, self))


def softmax(self: Tensor, axis: Any = -1) -> Tensor:
    """Return exp(x) normalised to sum to one along `axis`, stable."""
    return cast(Tensor, apply(ops.softmax, (self,), {"axis": axis}))


def log_softmax(self: Tensor, axis: Any = -1) -> Tensor:
    """Return log(softmax(x)), stable."""
    return cast(Tensor, apply(ops.log_softmax, (self,), {"axis": axis}))


attach(compress, conjugate, copy, flatten, reshape, transpose, astype, sigmoid, relu, softplus, log_sigmoid, softmax, log_softmax)
Tensor.conj = conjugate  # type: ignore[attr-defined]


# --- methods and operators made from lists --------------------------------------------------------


def _function_method(name: str, fn: Any) -> Callable[..., Any]:
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        result = apply(fn, (self, *args), kwargs)
        return result if result is not NotImplemented else batched_in(args)[0].__record__(fn, (self, *args), kwargs)

    method.__name__ = name
    method.__doc__ = f"Apply ``np.{fn.__name__}`` to this Tensor, recorded."
    return method


def _operator(name: str, ufunc: np.ufunc, *, reflected: bool = False) -> Callable[..., Any]:
    def method(self: Tensor, other: Any) -> Any:
        if not known(other):
            return NotImplemented
        return apply(ufunc, (other, self) if reflected else (self, other), {})

    method.__name__ = name
    return method


OPERATORS = (
    ("+", "add", np.add), ("-", "sub", np.subtract), ("*", "mul", np.multiply), ("/", "truediv", np.divide),
    ("//", "floordiv", np.floor_divide), ("%", "mod", np.remainder), ("**", "pow", np.power), ("@", "matmul", np.matmul),
    ("&", "and", np.bitwise_and), ("|", "or", np.bitwise_or), ("^", "xor", np.bitwise_xor),
    ("<<", "lshift", np.left_shift), (">>", "rshift", np.right_shift),
)  # fmt: skip
"""The symbol of an operator, the stem of its method's name, and the ufunc."""

METHODS = (
    "sum mean prod max min std var cumsum cumprod any all argmax argmin argsort argpartition ptp dot ravel swapaxes squeeze repeat "
    "diagonal trace take choose searchsorted clip round nonzero "
    "exp expm1 log log1p sin cos tan sinh cosh tanh sqrt square abs sign"
)
for _name in METHODS.split():
    setattr(Tensor, _name, _function_method(_name, getattr(np, _name)))

for _symbol, _stem, _ufunc in (*OPERATORS, ("divmod", "divmod", np.divmod)):
    for _method, _flag in ((f"__{_stem}__", False), (f"__r{_stem}__", True)):
        if _method not in Tensor.__dict__:  # hasattr would find the metaclass's | (int | str)
            setattr(Tensor, _method, _operator(_method, _ufunc, reflected=_flag))
for _method, _comparison in (
    ("__eq__", np.equal), ("__ne__", np.not_equal), ("__lt__", np.less), ("__le__", np.less_equal),
    ("__gt__", np.greater), ("__ge__", np.greater_equal),
):  # fmt: skip
    setattr(Tensor, _method, _operator(_method, _comparison))
for _method, _unary in (("__abs__", np.absolute), ("__pos__", np.positive), ("__invert__", np.invert)):
    setattr(Tensor, _method, _function_method(_method, _unary))
Tensor.__round__ = _function_method("__round__", np.round)  # type: ignore[attr-defined]
for _method, _function in (("__floor__", np.floor), ("__ceil__", np.ceil), ("__trunc__", np.trunc)):
    setattr(Tensor, _method, _function_method(_method, _function))


# --- what is absent, and what to write instead ----------------------------------------------------

_ABSENT = {
    "flat": "x.reshape(-1)",
    "itemset": "x[i] = v",
    "resize": "x.reshape(shape)",
    "view": "x[...] for a view, x.astype(dtype) for another dtype",
} | {name: f"x.numpy().{name}" for name in ("byteswap", "ctypes", "dump", "dumps", "flags", "setflags", "tobytes", "tofile")}
"""What ndarray has and a Tensor has not -> what to write."""


def _absent(name: str, instead: str) -> property:
    # a property each: a __getattr__ on the class would make every attribute of every Tensor slow
    def get(_self: Tensor) -> Any:
        raise errors.AbsentError(f"a Tensor has no .{name}; write {instead}")

    return property(get)


for _name, _instead in _ABSENT.items():
    setattr(Tensor, _name, _absent(_name, _instead))
