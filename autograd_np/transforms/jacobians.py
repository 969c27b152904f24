"""Matrices of derivatives: `jacobian` and `hessian`."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.elsewhere import is_lazy
from autograd_np.overriding import DATA
from autograd_np.transforms.arguments import Argnames, Argnums, as_asked, chosen, name_of, replaced, settled, slots_of
from autograd_np.transforms.forward import linearized
from autograd_np.transforms.reverse import grad, vjp
from autograd_np.trees import flatten
from autograd_np.typing import PyTree

__all__ = ["checked_chunk", "hessian", "jacobian", "refuse_complex"]


def jacobian(
    f: Callable[..., Any], argnums: Argnums | None = None, *, argnames: Argnames | None = None, chunk_size: int | None = None
) -> Callable[..., PyTree]:
    """Return the function that computes the Jacobian of `f`.

    The sweep runs once an output element or once an input element, whichever are fewer, or once for `chunk_size` of them.

    Parameters
    ----------
    f : callable
        Returns an array or nested containers of arrays.
    argnums : int or sequence of int, default 0
        Which positional arguments to differentiate.
    argnames : str or sequence of str, optional
        Instead of `argnums`: the names of the arguments to differentiate, given by keyword or by position.
    chunk_size : int, optional
        How many rows, or columns, one sweep computes, by `vmap`; one by default, 64 in a function that `ag.compile` compiles. Besides
        the result and what `f` keeps, memory is needed for the intermediate derivatives of so many: a larger number is faster, as long
        as they fit.

    Returns
    -------
    callable
        Called as `f` is. Each output leaf becomes the structure of the arguments, with arrays of shape
        ``output.shape + input.shape``; a tuple of these for a sequence of `argnums`, a dict for a sequence of `argnames`.

    Raises
    ------
    DifferentiationError
        If a differentiated argument is not of floats, or of complex numbers, whose derivative is linear over the reals only.
    TypeError
        If `argnums` or `argnames` names an argument that was not given, or both are used.
    ValueError
        If `chunk_size` is no positive number.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> ag.jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    >>> ag.jacobian(lambda x, power: x**power, argnames=["x"])(np.array([1.0, 2.0]), power=3)
    {'x': array([[ 3.,  0.],
           [ 0., 12.]])}
    """
    return _jacobian(f, argnums, argnames, chunk_size, f"jacobian({name_of(f)})")


def _jacobian(
    f: Callable[..., Any], argnums: Argnums | None, argnames: Argnames | None, chunk_size: int | None, where: str
) -> Callable[..., PyTree]:
    checked_chunk(chunk_size, where)

    @functools.wraps(f, updated=())
    def evaluate(*args: Any, **kwargs: Any) -> PyTree:
        slots = slots_of(f, argnums, argnames, args, kwargs, where)
        points = tuple(chosen(slots, args, kwargs))
        refuse_complex(flatten(points)[0], where)

        def of_points(*new: Any) -> Any:
            positional, named = replaced(slots, new, args, kwargs)
            return f(*positional, **named)

        out, push = linearized(of_points, points, where)
        in_leaves, unflatten_in = flatten(points)
        out_leaves, unflatten_out = flatten(out)
        inputs, outputs = [[(np.shape(x), getattr(x, "dtype", float)) for x in leaves] for leaves in (in_leaves, out_leaves)]
        is_complex = any(np.iscomplexobj(x) for x in out_leaves)  # a pullback gives real arguments the real part alone
        narrow = is_complex or _total(inputs) <= _total(outputs)
        if narrow:
            found = _products(lambda unit: flatten(push(unflatten_in(unit)))[0], inputs, outputs, chunk_size, columns=True)
        else:
            del push  # and with it what it keeps
            pullback: Callable[..., Any] = vjp(of_points, *points)[1]
            found = _products(
                lambda unit: flatten(pullback(unflatten_out(unit), stay_lazy=True))[0], outputs, inputs, chunk_size, columns=False
            )
        rows = []
        for i, (shape_out, _) in enumerate(outputs):
            entries = []
            for j, (shape_in, _) in enumerate(inputs):
                here = (i, _place(inputs, j)) if narrow else (j, _place(outputs, i))
                block = found[here[0]][:, here[1]] if narrow else found[here[0]][here[1]]
                entries.append(np.reshape(block, shape_out + shape_in))
            rows.append(as_asked(unflatten_in(entries), argnums, argnames))
        return unflatten_out(rows)

    return evaluate


def checked_chunk(chunk_size: Any, where: str) -> None:
    """Refuse what is no number of rows."""
    if chunk_size is not None and (not isinstance(chunk_size, (int, np.integer)) or chunk_size < 1):
        raise ValueError(f"{where} got chunk_size={chunk_size!r}; it is a number of rows or columns, at least one")


def refuse_complex(leaves: Sequence[Any], where: str) -> None:
    """Refuse complex numbers as arguments of a matrix of derivatives."""
    for x in leaves:
        if isinstance(x, complex) or getattr(getattr(x, "dtype", None), "kind", "") == "c":
            raise errors.DifferentiationError(
                f"{where} got complex numbers: a derivative by them is linear over the real numbers only, so that no array of entries "
                f"holds it. Take real and imaginary part as two arguments, lambda x, y: f(x + 1j * y), or use ag.jvp and ag.vjp"
            )


COMPILED = 64
"""How many rows or columns are computed at a time in a function that is compiled."""

Form = tuple[tuple[int, ...], Any]
"""The shape and the dtype of a leaf."""


def _size(form: Form) -> int:
    return math.prod(form[0])


def _total(forms: Sequence[Form]) -> int:
    return sum(map(_size, forms))


def _place(forms: Sequence[Form], i: int) -> slice:
    """Return where the elements of the i-th leaf stand among those of all."""
    start = _total(forms[:i])
    return slice(start, start + _size(forms[i]))


def _units(forms: Sequence[Form], start: int, stop: int) -> list[Any]:
    """Return unit vectors for these of all elements, along the first axis: arrays of zeros with a one in each vector."""
    units = []
    for i, (shape, dtype) in enumerate(forms):
        here = _place(forms, i)
        mine = np.arange(max(start, here.start), min(stop, here.stop))
        unit = np.zeros((stop - start, _size(forms[i])), dtype)
        unit[mine - start, mine - here.start] = 1
        units.append(np.reshape(unit, (stop - start, *shape)))
    return units


def _products(
    multiply: Callable[[list[Any]], list[Any]], forms: Sequence[Form], others: Sequence[Form], chunk_size: int | None, *, columns: bool
) -> list[Any]:
    """Return the products with all unit vectors, a matrix for each leaf of the results: its rows, or its columns.

    `chunk_size` vectors are multiplied at a time, by `vmap`; where none is given one, and `COMPILED` in a function that is compiled, whose
    code has the operations of every time. The matrices are filled as the products come.
    """
    count = _total(forms)
    if not count:
        return [np.zeros((_size(f), 0) if columns else (0, _size(f))) for f in others]
    found: list[Any] = [None] * len(others)
    step = chunk_size or (COMPILED if DATA else 1)
    for start in range(0, count, step):
        stop = min(start + step, count)
        units = _units(forms, start, stop)
        if step == 1:
            products = [np.reshape(p, (1, -1)) for p in multiply([u[0] for u in units])]
        else:
            from autograd_np.transforms.vmapping import vmap  # which imports the rules of all examples at once

            with warnings.catch_warnings():
                if chunk_size is None:
                    warnings.simplefilter("ignore", errors.LoopWarning)  # nobody asked for many at a time
                found_here = vmap(multiply)(units)
            products = [np.reshape(p, (stop - start, _size(f))) for p, f in zip(found_here, others, strict=True)]
        for i, p in enumerate(products):
            if not isinstance(p, np.ndarray) and not isinstance(found[i], list):  # Tensors of an outer transform are not written
                filled = found[i]
                found[i] = [] if filled is None else [filled[:, :start].T if columns else filled[:start]]
            if isinstance(found[i], list):
                found[i].append(p)
                continue
            if found[i] is None:
                found[i] = np.empty((p.shape[1], count) if columns else (count, p.shape[1]), p.dtype)
            found[i][(slice(None), slice(start, stop)) if columns else slice(start, stop)] = p.T if columns else p
    return [_joined(m, columns=columns) for m in found]


def _joined(parts: Any, *, columns: bool) -> Any:
    if not isinstance(parts, list):
        return parts
    rows = np.concatenate(parts)
    return np.transpose(rows) if columns else rows


def hessian(
    f: Callable[..., Any], argnums: Argnums | None = None, *, argnames: Argnames | None = None, chunk_size: int | None = None
) -> Callable[..., PyTree]:
    """Return the function that computes the matrix of second derivatives of the scalar function `f`.

    Parameters and errors as in `jacobian`; the result is ``jacobian(grad(f))``: for each differentiated argument,
    its structure with, in each leaf's place, arrays of shape ``leaf.shape + other_leaf.shape``.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> ag.hessian(lambda x: x[0] * x[1] ** 2)(np.array([1.0, 2.0]))
    array([[0., 4.],
           [4., 2.]])
    """
    evaluate = _jacobian(grad(f, argnums, argnames=argnames), argnums, argnames, chunk_size, f"hessian({name_of(f)})")

    @functools.wraps(f, updated=())
    def second(*args: Any, **kwargs: Any) -> PyTree:
        found, unflatten = flatten(evaluate(*args, **kwargs))
        if not any(map(is_lazy, found)):
            return unflatten(found)
        points = chosen(slots_of(f, argnums, argnames, args, kwargs, "hessian"), args, kwargs)
        return unflatten(settled(found, flatten(points)[0]))

    return second
