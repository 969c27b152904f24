"""Edits of reductions and shapes: sum for mean, axes, keepdims, a sum that is missing, new axes, reshapes."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_np.check.explain.edits.edit import Edit, Place, broadcasts, is_array, is_float_array, shape_of
from autograd_np.check.explain.edits.syntax import plain

__all__ = ["reduction_edits", "reduction_of", "shape_edits"]

_REDUCING = ("sum", "mean", "average", "max", "min", "amax", "amin", "prod", "var", "std")


class Reduction(NamedTuple):
    """A call that reduces an array over axes, as a function of NumPy or a method.

    Attributes
    ----------
    name : str
        ``"sum"`` or ``"mean"`` and the like.
    array : ast.expr
        What is reduced.
    module : str or None
        ``"np"`` of ``np.sum(x)``; ``None`` for ``x.sum()``.
    axis : str or None
    keepdims : bool
    positional : bool
        Whether the axis is given without its name.
    """

    name: str
    array: ast.expr
    module: str | None
    axis: str | None
    keepdims: bool
    positional: bool = False

    def written(self, array: str, name: str, axis: str | None, *, keepdims: bool) -> str:
        """Write the call with other settings."""
        settings = [*([axis if self.positional else f"axis={axis}"] if axis is not None else []), *(["keepdims=True"] if keepdims else [])]
        if self.module is None:
            return f"({array}).{name}({', '.join(settings)})"
        return f"{self.module}.{name}({', '.join([array, *settings])})"


def reduction_of(at: Place) -> Reduction | None:
    """Return the reduction that an expression is, or ``None``."""
    node = at.node
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _REDUCING):
        return None
    module = at.line.text(node.func.value) if at.line.value(node.func.value) is np else None
    args = node.args if module is not None else [node.func.value, *node.args]
    settings = {k.arg: k.value for k in node.keywords}
    axis = settings.get("axis", args[1] if len(args) > 1 else None)
    keep = settings.get("keepdims")
    if not args or len(args) > 2 or set(settings) - {"axis", "keepdims"}:
        return None
    kept = isinstance(keep, ast.Constant) and bool(keep.value)
    return Reduction(node.func.attr, args[0], module, None if axis is None else at.line.text(axis), kept, len(args) > 1)


def reduction_edits(at: Place) -> Iterator[Edit]:
    """Yield the edits of a reduction, and the reductions that an array may lack."""
    if at.index or at.setting or at.header:
        return
    found = reduction_of(at)
    if found is not None:
        yield from _of_reduction(at, found)
    elif is_float_array(at.value) and not at.attribute:
        yield from _missing(at)


def _of_reduction(at: Place, r: Reduction) -> Iterator[Edit]:
    array = at.line.text(r.array)
    for name in ("sum", "mean", "max") if r.name in ("sum", "mean", "average") else ("sum", "mean", "max", "min"):
        if name != r.name:
            rank = 5.5 if {name, r.name} & {"max", "min"} else 1.95 if name == "sum" else 3.4
            words = f"`{at.target}` takes the {r.name} where it should take the {name}"
            yield at.edit(rank, "wrong-reduction", words, r.written(array, name, r.axis, keepdims=r.keepdims))
    words = (
        f"`{at.target}` should not keep the reduced axis (keepdims)"
        if r.keepdims
        else f"`{at.target}` should keep the reduced axis (keepdims=True)"
    )
    if r.keepdims or r.axis is not None:
        yield at.edit(4, "shape", words, r.written(array, r.name, r.axis, keepdims=not r.keepdims))
    value = at.line.value(r.array)
    for rank, axis in _axes(np.ndim(value) if is_array(value) else 2):
        if axis != r.axis:
            over = "everything" if r.axis is None else f"axis {r.axis}"
            wanted = "everything" if axis is None else f"axis {axis}"
            for keep in (r.keepdims, not r.keepdims) if axis is not None or r.keepdims else (False,):
                words = f"`{at.target}` takes the {r.name} over {over}; it needs that over {wanted}"
                words += ", keepdims=True" if keep and not r.keepdims else ""
                more = 0 if keep == r.keepdims else 0.4
                yield at.edit(rank + more, "wrong-reduction", words, r.written(array, r.name, axis, keepdims=keep))
    for new in _beside(at, array, value):
        yield at.edit(6, "wrong-reduction", f"the {r.name} over `{array}` does not belong in `{at.target}`: it should be `{new}`", new)
    if isinstance(r.array, ast.BinOp) and isinstance(r.array.op, ast.Mult) and r.name in ("sum", "mean"):
        a, b = at.line.text(r.array.left), at.line.text(r.array.right)
        for x, y in ((a, b), (f"({a}).T", b), (a, f"({b}).T")):
            words = f"`{at.target}` sums elementwise products where it needs the product of matrices"
            yield at.edit(6.5, "wrong-reduction", words, at.line.product(x, y))


def _beside(at: Place, array: str, value: Any) -> list[str]:
    """Write an array as it is, and so that it broadcasts to the other operand: sizes that are equal here may differ elsewhere."""
    if not isinstance(at.parent, ast.BinOp):
        return [array]
    own, other = shape_of(value), shape_of(at.line.value(at.parent.left if at.path[-1] == "right" else at.parent.right))
    return list(dict.fromkeys([array, *(broadcasts(array, own, other) if own is not None and other is not None else ())]))


def _axes(ndim: int) -> Iterator[tuple[float, str | None]]:
    """Yield (rank, axis): single ones, all, the last, then several."""
    for axis in range(ndim):
        yield 3.9, str(axis)
    yield 4.05, None
    if ndim:
        yield 4, "-1"
    for n in range(2, ndim):
        for axes in itertools.combinations(range(ndim), n):
            yield 4.5, str(axes)


def _missing(at: Place) -> Iterator[Edit]:
    """Yield the sums and means of an array that is not reduced."""
    inside = not at.whole
    if inside and not isinstance(at.node, (ast.Name, ast.BinOp, ast.Subscript)):
        return
    style = Reduction(
        "sum", at.node, None if f"{at.line.np}." not in at.line.written and "." in at.line.written else at.line.np, None, keepdims=False
    )
    ndim = np.ndim(at.value)
    for more, axis in _axes(ndim):
        for name in ("sum", "mean"):
            for keep in (False, True) if axis is not None else (False,):
                rank = more + (2.5 if inside else 0.8) + (name == "mean") * 0.5 + keep * 0.2
                over = "everything" if axis is None else f"axis {axis}"
                words = f"`{at.text}` in `{at.target}` should be {'summed' if name == 'sum' else 'averaged'} over {over}"
                words += " (keepdims=True)" if keep else ""
                yield at.edit(rank, "wrong-reduction", words, style.written(at.text, name, axis, keepdims=keep))


# --- shapes


def shape_edits(at: Place) -> Iterator[Edit]:
    """Yield new axes that are missing or too many, and other shapes."""
    if at.index or at.setting or at.header:
        return
    node, value = at.node, at.value
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) and any(map(_is_new_axis, node.slice.elts)):
        kept = [at.line.text(e) for e in node.slice.elts if not _is_new_axis(e)]
        base = at.line.text(node.value)
        new = base if all(k in (":", "...") for k in kept) else f"{base}[{', '.join(kept)}]"
        yield at.edit(5.5, "shape", f"the new axis of `{at.text}` does not belong in `{at.target}`", new)
    if not isinstance(value, np.ndarray) or value.ndim == 0 or isinstance(at.parent, (ast.Attribute, ast.Subscript)):
        return
    if isinstance(node, (ast.Name, ast.Subscript, ast.Attribute, ast.Call)) and value.ndim <= 3:
        for i in range(value.ndim + 1):
            if value.ndim > 1 or i < 2:
                index = [":"] * value.ndim
                index.insert(i, "None")
                new = f"({at.text})[{', '.join(index)}]"
                yield at.edit(5.5, "shape", f"`{at.text}` in `{at.target}` lacks an axis: `{plain(new)}`", new)
    if isinstance(node, ast.Name):
        yield from _cropped(at, value)
        yield from _flipped(at, value.ndim)
    if isinstance(node, (ast.Name, ast.Subscript, ast.Attribute, ast.Call)) or at.whole:
        yield from _reshaped(at, value)


def _cropped(at: Place, value: Any) -> Iterator[Edit]:
    """Yield the array without as many elements at both ends of its last axes as a variable says."""
    for n in (2, 1)[2 - min(value.ndim - 1, 2) :]:
        for name in at.line.counters:
            if 0 < at.line.env[name] < min(value.shape[-n:]) / 2:
                cut = f"{at.text}[..., {', '.join([f'{name}:-{name}'] * n)}]"
                yield at.edit(6.4, "shape", f"the padding of `{at.text}` is not cut off in `{at.target}`", cut)


def _flipped(at: Place, ndim: int) -> Iterator[Edit]:
    """Yield the array read backwards along an axis, or along the last two as the kernel of a convolution is."""
    for axes in [*((i,) for i in range(ndim)), *([(ndim - 2, ndim - 1)] if ndim > 2 else [])]:
        new = f"{at.text}[{', '.join('::-1' if i in axes else ':' for i in range(max(axes) + 1))}]"
        yield at.edit(6.6, "wrong-point", f"`{at.text}` in `{at.target}` should be read backwards: `{new}`", new)


def _is_new_axis(node: ast.expr) -> bool:
    return (isinstance(node, ast.Constant) and node.value is None) or (isinstance(node, ast.Attribute) and node.attr == "newaxis")


def _reshaped(at: Place, value: Any) -> Iterator[Edit]:
    """Yield the array in the shape of another of as many elements."""
    seen: set[Sequence[int]] = {value.shape}
    for name, held in at.line.shapes.items():
        if math.prod(held) == value.size and held not in seen:
            seen.add(held)
            words = f"`{at.text}` in `{at.target}` should have the shape `{name}`"
            yield at.edit(5.8, "shape", words, f"({at.text}).reshape({name})")
    for name, other in at.line.arrays.items():
        shape = shape_of(other)
        if np.size(other) == value.size and shape not in seen and shape and name in at.line.env:
            seen.add(shape)
            yield at.edit(
                5.8,
                "shape",
                f"`{at.text}` in `{at.target}` should have the shape of `{name}`, {shape}",
                f"({at.text}).reshape({name}.shape)",
            )
