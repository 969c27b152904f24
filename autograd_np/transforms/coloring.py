"""`sparse_jacobian`: a Jacobian of which it is known where it is zero, from as many products as its pattern has colours.

Columns that share no row are found in one product with the sum of their unit vectors: A. R. Curtis, M. J. D. Powell and J. K. Reid,
"On the estimation of sparse Jacobian matrices", IMA Journal of Applied Mathematics 13 (1974).
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.tensor import Tensor
from autograd_np.transforms.arguments import Argnames, chosen, name_of, replaced, slots_of
from autograd_np.transforms.forward import linearized
from autograd_np.transforms.jacobians import checked_chunk, refuse_complex
from autograd_np.transforms.reverse import vjp
from autograd_np.typing import Array

__all__ = ["sparse_jacobian"]


def sparse_jacobian(
    f: Callable[..., Any], sparsity: Any, argnums: int | None = None, *, argnames: Argnames | None = None, chunk_size: int | None = None
) -> Callable[..., Any]:
    """Return the function that computes the Jacobian of `f` as a sparse matrix, where it is known which entries may not be zero.

    A banded Jacobian of a million variables takes as many products as the band is wide.

    Parameters
    ----------
    f : callable
        Takes and returns one array each; its other arguments are not differentiated.
    sparsity : array of booleans or sparse matrix of SciPy's
        Of shape ``(output.size, input.size)``: which entries may be other than zero; of a sparse matrix, those that are stored.
    argnums : int, default 0
        Which positional argument to differentiate.
    argnames : str, optional
        Instead of `argnums`: its name.
    chunk_size : int, optional
        How many products one sweep computes, as for `jacobian`.

    Returns
    -------
    callable
        Called as `f` is; returns a ``scipy.sparse.csr_array`` of that shape, with the entries of the pattern.

    Raises
    ------
    DifferentiationError
        If the pattern has another shape, or the Jacobian has an entry outside of it, which one more product, with a random vector,
        tells with certainty but for rounding; if the argument or the result is no single array, or complex; inside another transform.
    ImportError
        If SciPy is not installed.

    Notes
    -----
    The pattern is coloured once, greedily, by columns and by rows; the fewer colours are taken, columns in forward mode, rows in reverse.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> band = np.abs(np.subtract.outer(np.arange(4), np.arange(4))) <= 1
    >>> j = ag.sparse_jacobian(lambda x: np.convolve(x**2, [1.0, -2.0, 1.0], "same"), band)(np.arange(4.0))
    >>> j.toarray()
    array([[ 0.,  2.,  0.,  0.],
           [ 0., -4.,  4.,  0.],
           [ 0.,  2., -8.,  6.],
           [ 0.,  0.,  4., -12.]])
    """
    sparse: Any = importlib.import_module("scipy.sparse")
    where = f"sparse_jacobian({name_of(f)})"
    checked_chunk(chunk_size, where)
    pattern = sparse.csr_array(sparsity if sparse.issparse(sparsity) else np.asarray(sparsity) != 0)
    if pattern.ndim != 2:
        raise errors.DifferentiationError(f"{where} needs a pattern of two axes, got shape {pattern.shape}")
    pattern.sum_duplicates()
    by_columns = _colored(pattern.tocsc(), pattern)
    by_rows = _colored(pattern, pattern.tocsc())
    forward = by_columns.max(initial=-1) <= by_rows.max(initial=-1)
    colors = by_columns if forward else by_rows
    rows = np.repeat(np.arange(pattern.shape[0]), np.diff(pattern.indptr))
    columns = pattern.indices

    @functools.wraps(f, updated=())
    def evaluate(*args: Any, **kwargs: Any) -> Any:
        slots = slots_of(f, argnums, argnames, args, kwargs, where)
        (x,) = chosen(slots, args, kwargs) if len(slots) == 1 else (None,)
        refuse_complex([x], where)

        def of_x(new: Any) -> Any:
            positional, named = replaced(slots, (new,), args, kwargs)
            return f(*positional, **named)

        if forward:
            out, push = linearized(of_x, (x,), where)
            multiply: Callable[[Any], Any] = lambda t: push((t,))  # noqa: E731
        else:
            out, pullback = vjp(of_x, x)
            multiply = lambda t: pullback(t)[0]  # noqa: E731
        x, y = _single(x, "an argument", where), _single(out, "a result", where)
        if pattern.shape != (y.size, x.size):
            raise errors.DifferentiationError(f"{where} got a pattern of shape {pattern.shape} for a Jacobian of shape {(y.size, x.size)}")
        seed, other = (x, y) if forward else (y, x)
        seeds = (colors == np.arange(colors.max(initial=-1) + 1)[:, None]).astype(seed.dtype)
        products = _multiplied(multiply, seeds, seed, other, chunk_size)
        values = products[colors[columns], rows] if forward else products[colors[rows], columns]
        found = sparse.csr_array((values, columns.copy(), pattern.indptr.copy()), shape=pattern.shape)
        direction = np.random.default_rng(0).normal(size=seed.size).astype(seed.dtype)
        expected = np.reshape(multiply(np.reshape(direction, seed.shape)), -1)
        matrix = found if forward else found.T
        _refuse_a_small_pattern(matrix @ direction, expected, abs(matrix) @ abs(direction), where, "rows" if forward else "columns")
        return found

    return evaluate


def _colored(lines: Any, crossing: Any) -> Array:
    """Return a colour for each line (a row or a column), another for lines that cross the same line; those with most entries first."""
    colors = np.full(len(lines.indptr) - 1, -1)
    for i in np.argsort(-np.diff(lines.indptr), kind="stable"):
        met = lines.indices[lines.indptr[i] : lines.indptr[i + 1]]
        neighbours = [colors[crossing.indices[crossing.indptr[j] : crossing.indptr[j + 1]]] for j in met]
        taken = np.zeros(len(colors) + 1, bool) if not neighbours else _marked(np.concatenate(neighbours))
        colors[i] = int(np.argmin(taken))
    return colors


def _marked(colors: Array) -> Array:
    """Return which colours occur, with one at the end that does not."""
    marks = np.zeros(int(colors.max(initial=-1)) + 2, bool)
    marks[colors[colors >= 0]] = True
    return marks


def _single(x: Any, what: str, where: str) -> Array:
    if isinstance(x, Tensor):
        raise errors.DifferentiationError(f"{where} inside another transform: a sparse matrix holds no Tensors; use ag.jacobian there")
    if not isinstance(x, (np.ndarray, np.generic, float)):
        raise errors.DifferentiationError(f"{where} needs a single array as {what}, got {type(x).__name__}; see ag.ravel for containers")
    array = np.asarray(x)
    refuse_complex([array], where)
    return array


def _multiplied(multiply: Callable[[Any], Any], seeds: Array, seed: Array, other: Array, chunk_size: int | None) -> Array:
    """Return the product with each seed, as rows."""
    found = np.zeros((len(seeds), other.size), other.dtype)
    step = chunk_size or 1
    for start in range(0, len(seeds), step):
        units = np.reshape(seeds[start : start + step], (-1, *seed.shape))
        if step == 1:
            found[start] = np.reshape(multiply(units[0]), -1)
        else:
            from autograd_np.transforms.vmapping import vmap  # which imports the rules of all examples at once

            found[start : start + step] = np.reshape(vmap(multiply)(units), (len(units), -1))
    return found


def _refuse_a_small_pattern(found: Array, expected: Array, scale: Array, where: str, lines: str) -> None:
    rounding = float(np.sqrt(np.finfo(expected.dtype).eps))
    wrong = np.flatnonzero(np.abs(found - expected) > rounding * (np.abs(expected) + scale))
    if wrong.size:
        first = wrong[0]
        raise errors.DifferentiationError(
            f"{where} got a pattern that leaves out entries of the Jacobian which are not zero, in {wrong.size} {lines}, the first of them "
            f"{first}: a product with a random vector is {expected[first]:.6g} there, not {found[first]:.6g}. Widen the pattern, or take "
            f"it from ag.jacobian(f)(x) != 0 at a small size"
        )
