"""The methods and operators of `Batch`: those of an ndarray, each by NumPy's function of the same name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_np import ndarray_methods, ops
from autograd_np.batching.batch import Batch, apply

__all__: list[str] = []


def _method(name: str, fn: Any) -> Callable[..., Any]:
    def method(self: Batch, *args: Any, **kwargs: Any) -> Any:
        return fn(self, *args, **kwargs)

    method.__name__ = name
    return method


def _operator(name: str, ufunc: np.ufunc, reflected: bool) -> Callable[..., Any]:
    def method(self: Batch, other: Any) -> Any:
        return apply(ufunc, (other, self) if reflected else (self, other), {})

    method.__name__ = name
    return method


def _in_place(name: str, ufunc: np.ufunc, symbol: str) -> Callable[..., Any]:
    def method(self: Batch, other: Any) -> Any:
        new = apply(ufunc, (self, other), {})
        if not self.ndim:  # a number, which is not changed but exchanged
            return new
        if not np.can_cast(new.dtype, self.dtype, "same_kind"):
            self.leave(f"writing in place, x {symbol} y,")
        self.write(new, f"x {symbol} y")
        return self

    method.__name__ = name
    return method


def _attach() -> None:
    for name in ndarray_methods.METHODS.split():
        setattr(Batch, name, _method(name, getattr(np, name)))
    for symbol, stem, ufunc in (*ndarray_methods.OPERATORS, ("divmod", "divmod", np.divmod)):
        setattr(Batch, f"__{stem}__", _operator(f"__{stem}__", ufunc, reflected=False))
        setattr(Batch, f"__r{stem}__", _operator(f"__r{stem}__", ufunc, reflected=True))
        if stem != "divmod":
            setattr(Batch, f"__i{stem}__", _in_place(f"__i{stem}__", ufunc, f"{symbol}="))
    for stem, comparison in (
        ("eq", np.equal), ("ne", np.not_equal), ("lt", np.less), ("le", np.less_equal), ("gt", np.greater), ("ge", np.greater_equal),
    ):  # fmt: skip
        setattr(Batch, f"__{stem}__", _operator(f"__{stem}__", comparison, reflected=False))
    for stem, unary in (("neg", np.negative), ("abs", np.absolute), ("pos", np.positive), ("invert", np.invert), ("round", np.round)):
        setattr(Batch, f"__{stem}__", _method(f"__{stem}__", unary))


_attach()


def _reshape(self: Batch, *shape: Any, order: Any = "C", copy: Any = None) -> Any:
    how = ({} if order == "C" else {"order": order}) | ({} if copy is None else {"copy": copy})
    return np.reshape(self, shape[0] if len(shape) == 1 else shape, **how)


def _transpose(self: Batch, *axes: Any) -> Any:
    return np.transpose(self, None if not axes else axes[0] if len(axes) == 1 else axes)


def _astype(self: Batch, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True) -> Any:  # noqa: ARG001
    if not np.can_cast(self.dtype, dtype, casting):
        raise TypeError(f"cannot cast from {self.dtype} to {np.dtype(dtype)} under the rule casting={casting!r}")
    return self if not copy and self.dtype == dtype else ops.astype(self, dtype)


def _conjugate(self: Batch) -> Any:
    return self if self.dtype.kind != "c" else np.conjugate(self)  # as the method of an ndarray does


_OTHERS: dict[str, Any] = {
    "reshape": _reshape, "transpose": _transpose, "astype": _astype,
    "flatten": lambda self, order="C": np.copy(np.reshape(self, -1, order=order)),
    "copy": lambda self, order="C": np.copy(self, order),
    "conj": _conjugate, "conjugate": _conjugate,
    "compress": lambda self, condition, axis=None: np.compress(condition, self, axis=axis),
    "T": property(_transpose), "mT": property(lambda self: np.swapaxes(self, -1, -2)),
    "real": property(lambda self: np.real(self)), "imag": property(lambda self: np.imag(self)),
    "nbytes": property(lambda self: self.size * self.dtype.itemsize), "itemsize": property(lambda self: self.dtype.itemsize),
}  # fmt: skip
for _name, _member in _OTHERS.items():
    setattr(Batch, _name, _member if isinstance(_member, property) else _method(_name, _member))
