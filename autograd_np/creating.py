"""Making arrays of Tensors: what `autograd_np.numpy` has in the place of NumPy's functions.

Only functions that make arrays, or take lists of them, may live here; under which names, and that the rest is NumPy's, says
`numpy.py`, whose globals are NumPy's names and hide Python's (`max`, `any`).
"""

from __future__ import annotations

import functools
import re
import types
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd_np.modes import DEFAULT, current_mode, mode_entry
from autograd_np.node import EAGER, OPEN, VARIABLES
from autograd_np.ops import as_strided, astype
from autograd_np.overriding import Overriding, gathered, is_among, stacked
from autograd_np.tensor import Tensor, handle
from autograd_np.typing import Shape

__all__ = ["changed", "gathered", "modules"]


def _recording() -> bool:
    """Whether what is computed now may be recorded; `OPEN` and `VARIABLES` are asked first where time matters."""
    if not OPEN and not VARIABLES:
        return False
    if mode_entry() is DEFAULT:
        return True
    return max(tuple(OPEN), default=EAGER.order) > current_mode().floor


# --- lists that hold Tensors ----------------------------------------------------------------------


def _computes(x: Any) -> bool:
    return isinstance(x, Overriding)


def _gathered_inside(x: Any) -> Any:
    """Do so with the elements of a list, for functions that take a sequence of arrays."""
    return [gathered(v) for v in x] if x.__class__ in (list, tuple) and is_among(x) else x


_OF_SEQUENCES = frozenset(
    (
        "block",
        "choose",
        "column_stack",
        "concat",
        "concatenate",
        "dstack",
        "hstack",
        "lexsort",
        "piecewise",
        "row_stack",
        "select",
        "stack",
        "vstack",
    )
)


def _taking(real: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return a function of NumPy's that takes lists of Tensors."""
    gather = _gathered_inside if name in _OF_SEQUENCES else gathered

    def call(*args: Any, **kwargs: Any) -> Any:
        if (OPEN or VARIABLES) and name != "block":  # which understands nested lists itself
            args = tuple(map(gather, args))
            if kwargs:
                kwargs = {k: gather(v) for k, v in kwargs.items()}
        return real(*args, **kwargs)

    return call


# --- making arrays --------------------------------------------------------------------------------


def _constant(new: Any) -> Any:
    """Return a new array as a Tensor that can be written, if numbers that carry a gradient can be written into it."""
    return handle(new, None) if new.__class__ is np.ndarray and new.dtype.kind in "fc" else new


def _making(real: Callable[..., Any], _name: str) -> Callable[..., Any]:
    """Return a function that makes arrays, which makes Tensors where something is recorded."""

    def make(*args: Any, **kwargs: Any) -> Any:
        new = real(*args, **kwargs)
        return _constant(new) if (OPEN or VARIABLES) and _recording() else new

    return make


def _converting(real: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return ``np.array``, or one of the functions that copy only what is no array yet."""
    copies = name in ("array", "copy")

    def convert(*args: Any, **kwargs: Any) -> Any:
        if not OPEN and not VARIABLES:
            return real(*args, **kwargs)
        given = dict(zip(("x", "dtype"), args, strict=False)) | kwargs
        x: Any = next((given[key] for key in ("x", "object", "a") if key in given), None)
        found: Any = gathered(x)
        if not _computes(found):
            new = real(*args, **kwargs)
            return _constant(new) if _recording() and (copies or not isinstance(x, np.ndarray)) else new
        dtype = given.get("dtype")
        if name != "copy" and dtype is not None and np.dtype(dtype) != found.dtype:
            found = astype(found, dtype)
        missing = given.get("ndmin", 0) - found.ndim
        if missing > 0:
            found = found.reshape((1,) * missing + found.shape)
        return found.copy() if found is x and given.get("copy", copies) else found

    return convert


def _filling(real: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return ``np.full`` or ``np.full_like`` for a value that is a Tensor, which is written into zeros."""
    empty = np.zeros if name == "full" else np.zeros_like

    def fill(shape_or_array: Any, fill_value: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not OPEN and not VARIABLES and not isinstance(fill_value, Tensor):
            return real(shape_or_array, fill_value, dtype, *args, **kwargs)
        value = gathered(fill_value)
        if not isinstance(value, Tensor):
            new = real(shape_or_array, fill_value, dtype, *args, **kwargs)
            return _constant(new) if _recording() else new
        dtype = value.dtype if dtype is None and name == "full" else dtype
        new = empty(shape_or_array, dtype, *args, **kwargs)
        new = new if isinstance(new, Tensor) else handle(new, None)
        new[...] = value
        return new

    return fill


def _iterating(real: Callable[..., Any], _name: str) -> Callable[..., Any]:
    """Return ``np.fromiter`` for an iterator that yields Tensors."""

    def fromiter(iterable: Iterable[Any], dtype: Any, count: int = -1, **kwargs: Any) -> Any:
        if not OPEN and not VARIABLES:
            return real(iterable, dtype, count, **kwargs)
        items = [v for v, _ in zip(iterable, range(count), strict=False)] if count >= 0 else list(iterable)
        if is_among(items):
            return astype(stacked(items), dtype)
        new = real(items, dtype, count, **kwargs)
        return _constant(new) if _recording() else new

    return fromiter


# --- a function for each element ------------------------------------------------------------------


def _axes_of(signature: str) -> tuple[list[list[str]], list[list[str]]]:
    """Return the names of the axes that each argument and each result has, of ``"(m,n),(n)->(m)"``, which NumPy has checked."""
    takes, _, gives = re.sub(r"\s", "", signature).partition("->")
    first, second = ([[n for n in group.split(",") if n] for group in re.findall(r"\(([^)]*)\)", side)] for side in (takes, gives))
    return first, second


def _measure(shape: Shape, names: list[str], sizes: dict[str, int], what: str, *, exact: bool = False) -> None:
    """Note how long the named axes are, the last of a shape; refuse another length of one that is known."""
    if len(shape) < len(names) or (exact and len(shape) != len(names)):
        raise ValueError(f"np.vectorize: {what} of shape {shape} has not the axes ({', '.join(names)}) of the signature")
    for name, n in zip(names, shape[len(shape) - len(names) :], strict=True):
        if sizes.setdefault(name, n) != n:
            raise ValueError(f"np.vectorize: {what} has length {n} along {name}, where another has {sizes[name]}")


class _Vectorize(np.vectorize):
    """``np.vectorize``, which calls a function of numbers with the elements of Tensors."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = tuple(map(gathered, args)), {k: gathered(v) for k, v in kwargs.items()}
        if not any(isinstance(a, Tensor) for a in (*args, *kwargs.values())):
            return super().__call__(*args, **kwargs)
        left_out = self.excluded or set()
        named = {k: v for k, v in kwargs.items() if k not in left_out}
        spread = {i: a for i, a in enumerate(args) if i not in left_out} | named
        if self.signature is not None:
            return self._of_parts(self.signature, spread, args, kwargs)
        arrays = dict(zip(spread, np.broadcast_arrays(*spread.values()), strict=True))
        shape = next(iter(arrays.values())).shape
        found = [self._at({key: a[place] for key, a in arrays.items()}, args, kwargs) for place in np.ndindex(*shape)]
        if found and isinstance(found[0], tuple):
            return tuple(stacked(part).reshape(shape) for part in zip(*found, strict=True))
        return stacked(found).reshape(shape)

    def _at(self, chosen: dict[Any, Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self.pyfunc(*(chosen.get(i, a) for i, a in enumerate(args)), **{k: chosen.get(k, v) for k, v in kwargs.items()})

    def _of_parts(self, signature: str, spread: dict[Any, Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function of arrays, whose axes the signature names, for each place of the axes before these."""
        takes, gives = _axes_of(signature)
        if len(takes) != len(spread):
            raise TypeError(f"np.vectorize: the signature {signature!r} is of {len(takes)} arrays, got {len(spread)}")
        sizes: dict[str, int] = {}
        arrays, loops = {}, {}
        for (key, a), names in zip(spread.items(), takes, strict=True):
            arrays[key] = a if isinstance(a, Tensor) else np.asarray(a)
            _measure(arrays[key].shape, names, sizes, f"argument {key!r}")
            loops[key] = arrays[key].shape[: arrays[key].ndim - len(names)]
        shape = np.broadcast_shapes(*loops.values())
        results = []
        for place in np.ndindex(*shape):
            # a length of one is broadcast; the last axes of the loop are the array's
            at = {k: a[tuple(0 if n == 1 else i for i, n in zip(place[len(shape) - len(loops[k]) :], loops[k], strict=True))]
                  for k, a in arrays.items()}  # fmt: skip
            got = self._at(at, args, kwargs)
            results.append(got if isinstance(got, tuple) else (got,))
        if not results:
            raise ValueError("np.vectorize with a signature cannot tell the results of Tensors without elements; there is nothing to call")
        found = []
        for parts, names in zip(zip(*results, strict=True), gives, strict=True):
            for part in parts:
                _measure(np.shape(part), names, sizes, "a result", exact=True)
            one = stacked(parts)
            found.append(one.reshape(shape + one.shape[1:]))
        return tuple(found) if len(found) > 1 else found[0]


_Vectorize.__name__ = _Vectorize.__qualname__ = "vectorize"


class _Concatenator:
    """``np.c_`` or ``np.r_``, which joins Tensors and arrays as well."""

    def __init__(self, real: Any, name: str) -> None:
        self._real, self._name = real, name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def __len__(self) -> int:
        return len(self._real)

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if not is_among(parts):
            return self._real[key]
        order = (self._real.axis, self._real.ndmin, self._real.trans1d)
        if isinstance(parts[0], str):
            given, parts = parts[0].split(","), parts[1:]
            if not all(n.strip().removeprefix("-").isdigit() for n in given):
                raise TypeError(f"np.{self._name} of Tensors takes no directive {key[0]!r}, which makes a matrix; use arrays of two axes")
            order = (*map(int, given), *order[len(given) :])
        axis, ndmin, place = order
        arrays = [gathered(np.r_[p] if isinstance(p, slice) else p) for p in parts]
        weak = [p.__class__ in (bool, int, float, complex) for p in parts]
        arrays = [a if isinstance(a, Tensor) else np.asarray(a) for a in arrays]
        dtype = np.result_type(*(p if w else a.dtype for p, w, a in zip(parts, weak, arrays, strict=True)))
        arrays = [a.astype(dtype) if w else a for w, a in zip(weak, arrays, strict=True)]
        return np.concatenate([_with_axes(a, ndmin, place) for a in arrays], axis=axis)


def _with_axes(a: Any, ndmin: int, place: int) -> Any:
    """Return an array with `ndmin` axes at least, its own first one at `place` of them; -1: as the last ones."""
    new = max(ndmin - a.ndim, 0)
    before = min(max(place + new + 1 if place < 0 else place, 0), new)
    return np.reshape(a, (1,) * before + a.shape + (1,) * (new - before))


# --- modules --------------------------------------------------------------------------------------


def _evaluating(val: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``polyval`` of a basis for coefficients that are Tensors: NumPy makes an array of them, so its basis is evaluated."""

    @functools.wraps(val)
    def evaluate(x: Any, c: Any, tensor: bool = True) -> Any:
        x, c = gathered(x), gathered(c)
        if not isinstance(c, Tensor):
            return val(x, c, tensor)
        x = x if isinstance(x, Tensor) else np.asarray(x)
        basis = np.stack([val(x, unit) + 0 * x for unit in np.eye(len(c))], axis=-1)
        if c.ndim == 1:
            return basis @ c
        if tensor:
            return np.tensordot(c, basis, axes=(0, x.ndim))
        each: Any = c
        return np.sum(basis * np.moveaxis(each, 0, -1), axis=-1)

    return evaluate


class _Changed(types.ModuleType):
    """A module of NumPy's, except for some names."""

    def __init__(self, real: types.ModuleType, instead: dict[str, Any]) -> None:
        super().__init__(real.__name__, real.__doc__)
        self.__dict__.update(instead)
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def __dir__(self) -> list[str]:
        return dir(self._real)


def modules() -> dict[str, types.ModuleType]:
    """Return NumPy's modules of which some names are changed.

    The functions of ``np.polynomial`` named ``...val`` are differentiable by coefficients, and ``np.lib.stride_tricks.as_strided``
    takes Tensors.
    """
    tricks = _Changed(np.lib.stride_tricks, {"as_strided": as_strided})
    return {"lib": _Changed(np.lib, {"stride_tricks": tricks}), "lib.stride_tricks": tricks, **_polynomials()}


def _polynomials() -> dict[str, types.ModuleType]:
    found: dict[str, types.ModuleType] = {}
    for name in ("polynomial", "chebyshev", "legendre", "hermite", "hermite_e", "laguerre"):
        real = getattr(np.polynomial, name)
        val = next(n for n in real.__all__ if n.endswith("val"))
        found[name] = _Changed(real, {val: _evaluating(getattr(real, val))})
    return {"polynomial": _Changed(np.polynomial, dict(found)), **{f"polynomial.{name}": module for name, module in found.items()}}


# --- the names ------------------------------------------------------------------------------------

_CHANGED = {
    **dict.fromkeys(("array", "asanyarray", "asarray", "ascontiguousarray", "asfortranarray", "copy"), _converting),
    **dict.fromkeys(
        (
            "arange",
            "empty",
            "empty_like",
            "eye",
            "fromfunction",
            "geomspace",
            "identity",
            "linspace",
            "logspace",
            "ones",
            "ones_like",
            "tri",
            "zeros",
            "zeros_like",
        ),
        _making,
    ),
    "full": _filling,
    "full_like": _filling,
    "fromiter": _iterating,
}


def changed(name: str, real: Any) -> Any:
    """Return what a name of NumPy's means here."""
    if name == "vectorize":
        return _Vectorize
    if real is np.r_ or real is np.c_:
        return _Concatenator(real, name)
    change = _CHANGED.get(name) or (_taking if type(real) is type(np.sum) else None)  # NumPy's functions of arrays
    if change is None:
        return real
    function = functools.wraps(real)(change(real, name))
    function.__module__, function.__qualname__ = "autograd_np.numpy", name  # pickled by this name
    return function
