"""Functions that move elements without changing them: each is linear, its transpose moves them back."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, cast

import numpy as np

from autograd_np import errors
from autograd_np.callers import warn_caller
from autograd_np.elsewhere import blocks_of, in_blocks, ones_like_rows
from autograd_np.op import Op, case, constant, derived, general, is_numpys, linear, primitive, value_of
from autograd_np.ops.indexing import along, axes_of, axis_of, flat, laid, reduced_axes, scatter_add, take
from autograd_np.typing import Array, Shape

# --- dtype ----------------------------------------------------------------------------------------


@primitive
def to_float(a: Array, dtype: Any) -> Array:
    """Return `a` in another floating or complex dtype."""
    return a.astype(dtype) if hasattr(a, "astype") else np.dtype(dtype).type(a)


@primitive
def to_other(a: Array, dtype: Any) -> Array:
    """Return `a` in a dtype that carries no gradient."""
    return a.astype(dtype) if hasattr(a, "astype") else np.dtype(dtype).type(a)


def astype(a: Array, dtype: Any) -> Array:
    """Convert, keeping the graph while the new dtype is a floating or a complex one."""
    dtype = np.dtype(dtype)
    if a.dtype.kind == "c" and dtype.kind == "f":  # only the real part is left, which NumPy warns of
        warn_caller("Casting complex values to real discards the imaginary part", np.exceptions.ComplexWarning)
        a = np.real(a)
    return (to_float if dtype.kind in "fc" else to_other)(a, dtype=dtype)


def promoted(arrays: Sequence[Any]) -> list[Array]:
    """Return arrays in their common dtype, to which Python's numbers give way, however many they are."""
    found = [a if hasattr(a, "dtype") or type(a) in (int, float, complex) else np.asarray(a) for a in arrays]
    dtype = np.result_type(*(a.dtype if hasattr(a, "dtype") else a for a in found))
    return [cast_to(a, dtype) for a in found]


def cast_to(a: Any, dtype: Any) -> Array:
    """Return `a` in a dtype, itself if it has that already."""
    return np.asarray(a, dtype) if not hasattr(a, "dtype") else a if a.dtype == dtype else astype(a, dtype)


# --- broadcasting ---------------------------------------------------------------------------------


@primitive
def spread(g: Array, shape: Shape, blocks: Any = None) -> Array:
    """Broadcast `g` to `shape` as an array of its own (``np.broadcast_to`` is slow and gives a view); a lazy one, to `blocks`."""
    if blocks is not None:
        return in_blocks(g, shape, blocks)
    if not isinstance(g, (np.ndarray, np.generic)):
        return np.broadcast_to(g, shape)
    out = np.empty(shape, g.dtype)
    out[...] = g
    return out


def filled(g: Array, x: Array) -> Array:
    """Broadcast `g` to the shape of `x`, as `spread` does; on NumPy's own arrays without the cost of dispatch, for the hot vjps."""
    if x.__class__ is np.ndarray and isinstance(g, (np.ndarray, np.generic)):
        out = np.empty(x.shape, g.dtype)
        out[...] = g
        return out
    blocks = blocks_of(value_of(x))
    return spread(g, shape=x.shape) if blocks is None else spread(g, shape=x.shape, blocks=blocks)


# --- sums -----------------------------------------------------------------------------------------


def is_half(dtype: Any) -> bool:
    """Whether a dtype is float16; ``dtype == np.float16`` costs as much as a small sum."""
    return dtype.char == "e"  # type: ignore[no-any-return]


def wide(dtype: Any) -> Any:
    """Return the dtype to count and to add up in: float16 holds no count above 65504 and adds nothing to a sum above 2048."""
    return np.dtype(np.float32) if is_half(dtype) else dtype


def summed(g: Array, axis: Any, keepdims: bool = False) -> Array:
    """Return the sum of a cotangent, added up in `wide`.

    NumPy adds rows of a few numbers one by one; a product with ones is 2 to 20 times as fast, for the bias of every layer.
    """
    kind = g.dtype.char
    if kind == "e":
        return g.sum(axis=axis, dtype=np.float32, keepdims=keepdims).astype(np.float16)
    if axis == (0,) and g.ndim == 2 and 1 < g.shape[1] <= 64 <= g.shape[0] and kind in "fdFD":
        ones = ones_like_rows(g)
        if ones is not None:
            total: Array = np.dot(ones, g)
            return total[None] if keepdims else total
    add: Any = np.add.reduce if g.__class__ is np.ndarray else np.sum  # the ufunc itself, where there is no one to dispatch to
    return cast("Array", add(g, axis=axis, keepdims=keepdims))


# --- axes -----------------------------------------------------------------------------------------


def merge(x: Array, axis: Any) -> tuple[Array, Callable[[Array], Array]]:
    """Move the axes named by `axis` to the end as a single one; return the result and the way back."""
    last = reduced_axes(axis, x.ndim)
    order = (*(i for i in range(x.ndim) if i not in last), *last)
    moved = np.transpose(x, order)
    shape = moved.shape

    def restore(a: Array) -> Array:
        return np.transpose(a.reshape(shape), _inverse(order))

    kept = x.ndim - len(last)
    return moved.reshape((*shape[:kept], math.prod(shape[kept:]))), restore


def _inverse(axes: Any) -> tuple[int, ...]:
    """Return the permutation that undoes `axes`."""
    axes = (axes,) if np.ndim(axes) == 0 else axes
    return tuple(np.argsort([i % len(axes) for i in axes]).tolist())


# --- functions whose form depends on the version of NumPy, or that need a check -------------------


def _check_order(name: str, order: str) -> None:
    if order not in ("C", "F"):
        raise errors.NoRowError(f"the row of {name} covers order='C' and 'F', got {order!r}: that depends on the memory layout; say which")


@primitive
def reshape(a: Array, shape: Any = None, order: str = "C", newshape: Any = None, copy: Any = None) -> Array:
    """Return the same elements in another shape."""
    shape = newshape if shape is None else shape
    _check_order("reshape", order)
    if not is_numpys(a):
        if order == "C":
            return flat(a, shape)
        shape = tuple(shape) if np.iterable(shape) else (shape,)
        return np.transpose(flat(np.transpose(a), shape[::-1]))
    out = a.reshape(shape) if order == "C" else np.reshape(a, shape, order="F")
    if copy is False and isinstance(out, np.ndarray) and not np.may_share_memory(out, a):
        raise ValueError(
            f"reshape of {a.shape} to {shape} with copy=False needs a copy, since the elements are not in that order in memory"
        )
    return out.copy() if copy else out


@primitive
def ravel(a: Array, order: str = "C") -> Array:
    """Return the elements along one axis: a copy where they are not side by side, which ``reshape(-1)`` need not be."""
    _check_order("ravel", order)
    return cast("Array", np.ravel(a, order=cast("Literal['C', 'F']", order)) if is_numpys(a) else reshape(a, -1, order=order))


def reshaped(g: Array, shape: Shape) -> Array:
    """Do what `reshape` does; on NumPy's own arrays without the cost of dispatch, for the hot vjps."""
    return g.reshape(shape) if isinstance(g, (np.ndarray, np.generic)) else reshape(g, shape)


@primitive
def copy(a: Array, order: Any = "K", subok: bool = False) -> Array:
    """Return a copy."""
    return np.copy(a, order) if is_numpys(a) else a.copy()


@primitive
def repeat(a: Array, repeats: Any, axis: Any = None) -> Array:
    """Return each element (along `axis`) several times."""
    if is_numpys(a):
        return np.repeat(a, repeats, axis)
    return take(a, np.repeat(np.arange(a.size if axis is None else a.shape[axis]), repeats), axis=axis)


@primitive
def pad(array: Array, pad_width: Any, mode: Any = "constant", constant_values: Any = 0, reflect_type: str = "even") -> Array:
    """Return the array with elements put around it."""
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap") or reflect_type != "even" or isinstance(pad_width, dict):
        raise errors.NoRowError(
            f"the row of pad covers mode='constant', 'edge', 'wrap' and the even 'reflect' and 'symmetric', with pad_width as numbers; "
            f"got mode={mode!r}, reflect_type={reflect_type!r}, pad_width={pad_width!r}. Build other borders with np.concatenate"
        )
    if mode == "constant":
        return np.pad(array, pad_width, mode, constant_values=constant_values)
    if is_numpys(array):
        return np.pad(array, pad_width, mode)
    for axis, source in enumerate(_sources(array.shape, pad_width, mode)):
        array = take(array, source, axis=axis)
    return array


def _sources(shape: Shape, pad_width: Any, mode: Any) -> list[Array]:
    """Return, for each axis, which element each place of the padded axis shows."""
    widths = np.broadcast_to(pad_width, (len(shape), 2)).tolist()
    return [np.pad(np.arange(n), width, mode) for n, width in zip(shape, widths, strict=True)]


# --- transposes -----------------------------------------------------------------------------------


def _back(g: Array, y: Array, a: Array, **how: Any) -> Array:
    """Undo any function that keeps the elements in C order."""
    return reshaped(g, a.shape)


def _unreshape(g: Array, y: Array, a: Array, shape: Any = None, order: str = "C", newshape: Any = None, copy: Any = None) -> Array:
    return reshaped(g, a.shape) if order == "C" else reshape(g, a.shape, order="F")


def _unconcatenate(
    g: Array, y: Array, arrays: Sequence[Array], axis: Any = 0, dtype: Any = None, casting: str = "same_kind"
) -> list[Array]:
    flattened = axis is None
    pieces, start = [], 0
    for a in arrays:
        stop = start + (math.prod(np.shape(a)) if flattened else a.shape[axis])
        piece = g[along(0 if flattened else axis, slice(start, stop), g.ndim)]
        pieces.append(reshaped(piece, np.shape(a)) if flattened else piece)
        start = stop
    return pieces


def _unstacked(g: Array, y: Array, arrays: Sequence[Array], axis: int = 0, dtype: Any = None, casting: str = "same_kind") -> list[Array]:
    return [g[along(axis, i, g.ndim)] for i in range(len(arrays))]


def _untile(g: Array, y: Array, a: Array, reps: Any) -> Array:
    reps = tuple(reps) if np.iterable(reps) else (reps,)
    ndim = max(len(reps), a.ndim)
    reps = (1,) * (ndim - len(reps)) + reps
    shape = (1,) * (ndim - a.ndim) + a.shape
    pairs = tuple(n for pair in zip(reps, shape, strict=True) for n in pair)
    return reshaped(summed(reshaped(g, pairs), tuple(range(0, 2 * ndim, 2))), a.shape)


def _unrepeat(g: Array, y: Array, a: Array, repeats: Any, axis: Any = None) -> Array:
    shape, axis = ((a.size,), 0) if axis is None or not a.ndim else (a.shape, axis_of(axis, a.ndim))
    if np.size(repeats) == 1:
        times = int(np.reshape(repeats, ()))
        return reshaped(summed(reshaped(g, (*shape[: axis + 1], times, *shape[axis + 1 :])), axis + 1), a.shape)
    source = np.repeat(np.arange(shape[axis]), repeats)
    return reshaped(scatter_add(g, shape=shape, index=along(axis, source, len(shape))), a.shape)


def _opposite(shift: Any) -> Any:
    return tuple(-s for s in shift) if np.iterable(shift) else -shift


def _unpad(
    g: Array, y: Array, a: Array, pad_width: Any, mode: Any = "constant", constant_values: Any = 0, reflect_type: str = "even"
) -> Array:
    if mode == "constant":
        widths = np.broadcast_to(pad_width, (a.ndim, 2)).tolist()
        return g[tuple(slice(before, before + n) for n, (before, _) in zip(a.shape, widths, strict=True))]
    for axis, (n, source) in enumerate(zip(a.shape, _sources(a.shape, pad_width, mode), strict=True)):
        g = scatter_add(g, shape=(*g.shape[:axis], n, *g.shape[axis + 1 :]), index=along(axis, source, a.ndim))
    return g


def _pad_jvp(
    tangents: Any, y: Array, a: Array, pad_width: Any, mode: Any = "constant", constant_values: Any = 0, reflect_type: str = "even"
) -> Array:
    return pad(tangents[0], pad_width, mode)  # a constant border has tangent zero


# --- the table ------------------------------------------------------------------------------------
# fmt: off

# dtype             function        transpose                                                         sample calls
linear(to_float,                    lambda g, y, a, dtype: g,                                         case((3, 4), dtype=np.dtype("float64")), case((), dtype=np.dtype("longdouble")), tex="#1")
constant(to_other, cases=(case((3, 4), dtype=np.dtype("int64")),))
linear(copy,                        lambda g, y, a, order="K", subok=False: g,                        case((3, 4)), case(()), also=(np.copy,), tex="#1")

# broadcasting
linear(spread,                      lambda g, y, a, shape, blocks=None: g,                               case((3, 1), shape=(2, 3, 4)), case((), shape=(3,)), signature="g shape blocks", tex="#1")
BROADCAST: Op = linear(
       np.broadcast_to,             lambda g, y, a, shape, subok=False: g,                               case((3, 1), shape=(2, 3, 4)), case((), shape=(3,)), tex="#1")

# the same elements in another shape
linear(reshape,                     _unreshape,                                                       case((3, 4), shape=(2, 6)), case((3, 4), shape=-1, order="F"), also=(np.reshape,))
linear(ravel,                       lambda g, y, a, order="C": reshaped(g, a.shape) if order == "C" else reshape(g, a.shape, order=order),  case((3, 4)), case((3, 4), order="F"), also=(np.ravel,))
linear(np.squeeze,                  _back,                                                            case((1, 3, 1)), case((1, 3, 1), axis=0))
linear(np.expand_dims,              _back,                                                            case((3, 4), axis=1), case((3,), axis=(0, -1)))

# axes in another order
linear(np.transpose,                lambda g, y, a, axes=None: np.transpose(g, None if axes is None else _inverse(axes)), case((3, 4)), case((2, 3, 4), axes=(1, -1, 0)), tex=r"#1^\top")
linear(np.swapaxes,                 lambda g, y, a, axis1, axis2: np.swapaxes(g, axis1, axis2),       case((2, 3, 4), axis1=0, axis2=-1))
linear(np.moveaxis,                 lambda g, y, a, source, destination: np.moveaxis(g, destination, source), case((2, 3, 4), source=0, destination=-1), case((2, 3, 4), source=(0, 1), destination=(-1, 0)))

# elements in another order
linear(np.flip,                     lambda g, y, a, axis=None: np.flip(g, axis),                      case((3, 4)), case((3, 4), axis=1), case((2, 3, 4), axis=(0, -1)))
linear(np.roll,                     lambda g, y, a, shift, axis=None: np.roll(g, _opposite(shift), axis), case((3, 4), shift=5), case((3, 4), shift=-1, axis=1), case((3, 4), shift=(1, 2), axis=(0, 1)))
linear(np.rot90,                    lambda g, y, a, k=1, axes=(0, 1): np.rot90(g, -k, axes),          case((3, 4)), case((3, 4), k=2), case((2, 3, 4), k=3, axes=(1, 2)))

# joined, repeated, surrounded
linear(np.concatenate,              _unconcatenate,                                                   case((2, 3), (1, 3)), case((2, 3), (2, 1), axis=-1), case((2, 3), (4,), axis=None), variadic=True, signature="arrays axis out dtype casting")
linear(np.stack,                    _unstacked,                                                       case((2, 3), (2, 3)), case((2, 3), (2, 3), axis=-1), variadic=True, signature="arrays axis out dtype casting")
linear(np.tile,                     _untile,                                                          case((2, 3), reps=2), case((2, 3), reps=(2, 1, 3)), case((2, 3), reps=(2, 1)), case((), reps=3))
linear(repeat,                      _unrepeat,                                                        case((2, 3), repeats=2), case((2, 3), repeats=3, axis=0), case((2, 3), repeats=[0, 2, 1], axis=-1), also=(np.repeat,))
general(pad,                        _unpad, jvp=_pad_jvp, cases=(
    case((3, 4), pad_width=((1, 2), (0, 1)), constant_values=5.0), case((3, 4), pad_width=2, mode="edge"), case((3, 4), pad_width=((2, 5), (1, 3)), mode="reflect"),
    case((3, 4), pad_width=((2, 5), (1, 3)), mode="symmetric"), case((3, 4), pad_width=(4, 1), mode="wrap")), also=(np.pad,))
# fmt: on


# --- in terms of the rows above -------------------------------------------------------------------


def _array(a: Any) -> Array:
    return a if hasattr(a, "ndim") else np.asarray(a)


@derived(np.rollaxis)
def _rollaxis(a: Array, axis: int, start: int = 0) -> Array:
    axis, start = axis_of(axis, a.ndim), start + a.ndim if start < 0 else start
    return np.moveaxis(a, axis, start - 1 if start > axis else start)


@derived(np.broadcast_arrays)
def _broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Array, ...]:
    shape = np.broadcast_shapes(*(np.shape(a) for a in args))
    if all(np.shape(a) == shape for a in args):
        return tuple(map(_array, args))  # as they are, and can be written
    return tuple(np.broadcast_to(a, shape) for a in args)


@derived(np.fliplr)
def _fliplr(m: Array) -> Array:
    return np.flip(m, 1)


@derived(np.flipud)
def _flipud(m: Array) -> Array:
    return np.flip(m, 0)


def _with_axes(a: Any, shape_of: Callable[[Shape], Shape]) -> Array:
    a = _array(a)
    shape = shape_of(a.shape)
    return a if shape == a.shape else np.reshape(a, shape)


def _at_least(shape_of: Callable[[Shape], Shape]) -> Callable[..., Any]:
    def at_least(*arrays: Any) -> Any:
        found = tuple(_with_axes(a, shape_of) for a in arrays)
        return found[0] if len(found) == 1 else found

    return at_least


def _shape_1d(shape: Shape) -> Shape:
    return shape or (1,)


def _shape_2d(shape: Shape) -> Shape:
    return (1,) * (2 - len(shape)) + shape


def _shape_3d(shape: Shape) -> Shape:
    return (1, *shape, 1) if len(shape) == 1 else _shape_2d(shape) + (1,) * (len(shape) < 3)


derived(np.atleast_1d)(_at_least(_shape_1d))
derived(np.atleast_2d)(_at_least(_shape_2d))
derived(np.atleast_3d)(_at_least(_shape_3d))


@derived(np.vstack)
def _vstack(tup: Sequence[Any], **how: Any) -> Array:
    return np.concatenate([_with_axes(a, _shape_2d) for a in tup], axis=0, **how)


@derived(np.hstack)
def _hstack(tup: Sequence[Any], **how: Any) -> Array:
    arrays = [_with_axes(a, _shape_1d) for a in tup]
    return np.concatenate(arrays, axis=0 if arrays[0].ndim == 1 else 1, **how)


@derived(np.dstack)
def _dstack(tup: Sequence[Any]) -> Array:
    return np.concatenate([_with_axes(a, _shape_3d) for a in tup], axis=2)


@derived(np.column_stack)
def _column_stack(tup: Sequence[Any]) -> Array:
    return np.concatenate([_with_axes(a, lambda shape: shape if len(shape) > 1 else (*_shape_1d(shape), 1)) for a in tup], axis=1)


@derived(np.append)
def _append(arr: Any, values: Any, axis: Any = None) -> Array:
    return np.concatenate([_array(arr), _array(values)], axis=axis)


@derived(np.block)
def _block(arrays: Any) -> Array:
    def depth(part: Any) -> int:
        return 1 + max(map(depth, part)) if isinstance(part, list) else 0

    def ndim(part: Any) -> int:
        return max(map(ndim, part)) if isinstance(part, list) else np.ndim(part)

    levels = depth(arrays)
    axes = max(levels, ndim(arrays))

    def join(part: Any, level: int) -> Array:
        if isinstance(part, list):
            return np.concatenate([join(p, level - 1) for p in part], axis=-level)
        if level:
            raise ValueError("np.block needs lists that are nested equally deep")
        return _with_axes(part, lambda shape: (1,) * (axes - len(shape)) + shape)

    return join(arrays, levels) if levels else np.copy(join(arrays, levels), order="C")


@derived(np.array_split)
def _array_split(ary: Array, indices_or_sections: Any, axis: int = 0) -> Any:
    n = ary.shape[axis]
    if np.iterable(indices_or_sections):
        cuts = [int(i) for i in indices_or_sections]
    elif indices_or_sections <= 0:
        raise ValueError("the number of sections must be larger than 0")
    else:
        size, longer = divmod(n, int(indices_or_sections))
        cuts = [size * i + min(i, longer) for i in range(1, int(indices_or_sections))]
    return [ary[along(axis, slice(a, b), ary.ndim)] for a, b in zip([0, *cuts], [*cuts, n], strict=True)]


@derived(np.split)
def _split(ary: Array, indices_or_sections: Any, axis: int = 0) -> Any:
    if not np.iterable(indices_or_sections) and indices_or_sections > 0 and ary.shape[axis] % indices_or_sections:
        raise ValueError(
            f"{ary.shape[axis]} elements along axis {axis} do not split into {indices_or_sections} equal parts; use np.array_split"
        )
    return _array_split(ary, indices_or_sections, axis)


def _split_along(axis: int, least: int, name: str) -> Callable[..., Any]:
    def split(ary: Array, indices_or_sections: Any) -> Any:
        if ary.ndim < least:
            raise ValueError(f"{name} needs an array of at least {least} axes, got {ary.ndim}")
        return _split(ary, indices_or_sections, min(axis, ary.ndim - 1))

    return split


derived(np.vsplit)(_split_along(0, 2, "vsplit"))
derived(np.hsplit)(_split_along(1, 1, "hsplit"))
derived(np.dsplit)(_split_along(2, 3, "dsplit"))


if hasattr(np, "unstack"):  # NumPy 2.1

    @derived(np.unstack)
    def _unstack(x: Array, /, *, axis: int = 0) -> tuple[Array, ...]:
        if not x.ndim:
            raise ValueError("np.unstack needs an array of at least one axis, got a 0-d one")
        axis = axis_of(axis, x.ndim)
        return tuple(x[along(axis, i, x.ndim)] for i in range(x.shape[axis]))


if hasattr(np, "astype"):  # NumPy 2.1

    @derived(np.astype)
    def _astype(x: Array, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Array:
        return x if not copy and x.dtype == dtype else astype(x, dtype)


@derived(np.diff)
def _diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Array:
    if n < 0:
        raise ValueError(f"np.diff needs n >= 0, got {n}")
    a = _array(a)
    if n == 0:
        return a
    axis = axis_of(axis, a.ndim)
    border = tuple(1 if i == axis else size for i, size in enumerate(a.shape))
    around = [x if x is None or np.ndim(x) else np.broadcast_to(x, border) for x in (prepend, append)]
    if n and (prepend is not None or append is not None):
        a = np.concatenate([x for x in (around[0], a, around[1]) if x is not None], axis=axis)
    for _ in range(n):
        a = a[along(axis, slice(1, None), a.ndim)] - a[along(axis, slice(None, -1), a.ndim)]
    return a


@derived(np.gradient)
def _gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    f = _no_integers(_array(f))
    axes = axes_of(axis, f.ndim)
    spacings = varargs or (1.0,)
    if len(spacings) == 1 and not np.ndim(spacings[0]):
        spacings *= len(axes)
    if len(spacings) != len(axes):
        raise TypeError(f"np.gradient needs one spacing, or one for each of {len(axes)} axes, got {len(spacings)}")
    if edge_order not in (1, 2):
        raise ValueError(f"np.gradient needs edge_order 1 or 2, got {edge_order}")
    slopes = tuple(_slope_along(f, x, axis, edge_order) for axis, x in zip(axes, spacings, strict=True))
    return slopes[0] if len(slopes) == 1 else slopes


def _no_integers(a: Array) -> Array:
    return astype(a, np.float64) if a.dtype.kind in "iu" else a


def _slope_along(f: Array, x: Any, axis: int, edge_order: int) -> Array:
    """Return second-order differences along `axis`, with spacing `x` or at the coordinates `x`."""
    n = f.shape[axis]
    if n <= edge_order:
        raise ValueError(f"np.gradient needs at least {edge_order + 1} elements along axis {axis}, got {n}")
    if np.ndim(x) and np.shape(x) != (n,):
        raise ValueError(f"np.gradient needs {n} coordinates along axis {axis}, got shape {np.shape(x)}")
    steps = np.diff(_no_integers(_array(x))) if np.ndim(x) else np.broadcast_to(x, (n - 1,))
    if type(x) in (int, float, bool) or steps.dtype.kind == "b":
        steps = steps.astype(f.dtype)
    steps = np.reshape(steps, tuple(-1 if i == axis else 1 for i in range(f.ndim)))

    def part(a: Array, start: Any, stop: Any) -> Array:
        return a[along(axis, slice(start, stop), f.ndim)]

    rise = (part(f, 1, None) - part(f, None, -1)) / steps
    h, k = part(steps, None, -1), part(steps, 1, None)
    inner = (k * part(rise, None, -1) + h * part(rise, 1, None)) / (h + k)
    first, last = part(rise, None, 1), part(rise, -1, None)
    if edge_order == 2:  # twice the rise beside the edge less the slope behind it would do for equal steps
        h, k, p, q = part(steps, None, 1), part(steps, 1, 2), part(steps, -2, -1), part(steps, -1, None)
        first = first + h * (first - part(rise, 1, 2)) / (h + k)
        last = last + q * (last - part(rise, -2, -1)) / (p + q)
    return laid(cast_to(np.concatenate([first, inner, last], axis), f.dtype), f)


@derived(np.ediff1d)
def _ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Array:
    inner = _diff(np.ravel(_array(ary)))
    ends = [None if x is None else _array(x) for x in (to_begin, to_end)]
    for end in ends:
        if end is not None and not np.can_cast(end.dtype, inner.dtype, "same_kind"):
            raise TypeError(
                f"np.ediff1d got an end of dtype {end.dtype} for differences of dtype {inner.dtype}; convert it with .astype first"
            )
    before, after = (None if x is None else np.ravel(cast_to(x, inner.dtype)) for x in ends)
    found = [x for x in (before, inner, after) if x is not None]
    return inner if len(found) == 1 else np.concatenate(found)
