"""Matrices of derivatives: `jacobian` and `hessian`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.transforms.arguments import Argnames, Argnums, as_asked, chosen, name_of, replaced, slots_of
from autograd_np.transforms.forward import linearized
from autograd_np.transforms.reverse import grad, vjp
from autograd_np.trees import Unflatten, flatten
from autograd_np.typing import PyTree

__all__ = ["hessian", "jacobian"]


def jacobian(f: Callable[..., Any], argnums: Argnums | None = None, *, argnames: Argnames | None = None) -> Callable[..., PyTree]:
    """Return the function that computes the Jacobian of `f`.

    The sweep runs once an output element or once an input element, whichever are fewer.

    Parameters
    ----------
    f : callable
        Returns an array or nested containers of arrays.
    argnums : int or sequence of int, default 0
        Which positional arguments to differentiate.
    argnames : str or sequence of str, optional
        Instead of `argnums`: the names of the arguments to differentiate, given by keyword or by position.

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
    return _jacobian(f, argnums, argnames, f"jacobian({name_of(f)})")


def _jacobian(f: Callable[..., Any], argnums: Argnums | None, argnames: Argnames | None, where: str) -> Callable[..., PyTree]:
    @functools.wraps(f, updated=())
    def evaluate(*args: Any, **kwargs: Any) -> PyTree:
        slots = slots_of(f, argnums, argnames, args, kwargs, where)
        points = tuple(chosen(slots, args, kwargs))
        _refuse_complex(flatten(points)[0], where)

        def of_points(*new: Any) -> Any:
            positional, named = replaced(slots, new, args, kwargs)
            return f(*positional, **named)

        out, push = linearized(of_points, points, where)
        in_leaves, unflatten_in = flatten(points)
        out_leaves, unflatten_out = flatten(out)
        shapes_in = [np.shape(x) for x in in_leaves]
        shapes_out = [np.shape(x) for x in out_leaves]
        narrow = sum(map(_size, shapes_in)) <= sum(map(_size, shapes_out))
        if narrow or any(np.iscomplexobj(x) for x in out_leaves):  # a pullback gives real arguments the real part alone
            blocks = _by_columns(push, unflatten_in, in_leaves, out_leaves)
        else:
            blocks = _by_rows(vjp(of_points, *points)[1], unflatten_out, in_leaves, out_leaves)
        rows = []
        for i, shape_out in enumerate(shapes_out):
            entries = [np.reshape(blocks[i][j], shape_out + shape_in) for j, shape_in in enumerate(shapes_in)]
            rows.append(as_asked(unflatten_in(entries), argnums, argnames))
        return unflatten_out(rows)

    return evaluate


def _refuse_complex(leaves: Sequence[Any], where: str) -> None:
    for x in leaves:
        if isinstance(x, complex) or getattr(getattr(x, "dtype", None), "kind", "") == "c":
            raise errors.DifferentiationError(
                f"{where} got complex numbers: a derivative by them is linear over the real numbers only, so that no array of entries "
                f"holds it. Take real and imaginary part as two arguments, lambda x, y: f(x + 1j * y), or use ag.jvp and ag.vjp"
            )


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=int))


def _basis(leaves: Sequence[Any]) -> Iterator[list[Any]]:
    """Yield, for each element of each leaf, arrays that are zero but for a one in its place."""
    for i, x in enumerate(leaves):
        for k in range(_size(np.shape(x))):
            unit = [np.zeros(np.shape(v), getattr(v, "dtype", float)) for v in leaves]
            unit[i].flat[k] = 1
            yield unit


def _by_columns(push: Callable[..., Any], unflatten_in: Unflatten, in_leaves: Sequence[Any], out_leaves: Sequence[Any]) -> list[list[Any]]:
    columns = [flatten(push(unflatten_in(unit)))[0] for unit in _basis(in_leaves)]
    blocks: list[list[Any]] = []
    for i, out in enumerate(out_leaves):
        row, start = [], 0
        for x in in_leaves:
            size = _size(np.shape(x))
            mine = [np.reshape(c[i], (-1,)) for c in columns[start : start + size]]
            row.append(np.stack(mine, axis=1) if mine else np.zeros(np.shape(out) + np.shape(x)))
            start += size
        blocks.append(row)
    return blocks


def _by_rows(
    pullback: Callable[..., Any], unflatten_out: Unflatten, in_leaves: Sequence[Any], out_leaves: Sequence[Any]
) -> list[list[Any]]:
    rows = [flatten(pullback(unflatten_out(unit)))[0] for unit in _basis(out_leaves)]
    blocks, start = [], 0
    for out in out_leaves:
        size = _size(np.shape(out))
        mine = rows[start : start + size]
        blocks.append(
            [
                np.stack([np.reshape(r[j], (-1,)) for r in mine]) if mine else np.zeros(np.shape(out) + np.shape(x))
                for j, x in enumerate(in_leaves)
            ]
        )
        start += size
    return blocks


def hessian(f: Callable[..., Any], argnums: Argnums | None = None, *, argnames: Argnames | None = None) -> Callable[..., PyTree]:
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
    return _jacobian(grad(f, argnums, argnames=argnames), argnums, argnames, f"hessian({name_of(f)})")
