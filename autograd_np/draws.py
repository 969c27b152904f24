"""More test points: generic numbers, with labels, probabilities and counts kept valid; other sizes where forward allows them."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["Axis", "as_float64", "draw", "free_axes", "input_leaves", "new_sizes", "resized"]

Axis = tuple[tuple[Any, ...], int]
"""An axis of an array: the path to the array, and which of its axes."""

MOST_TRIALS = 60
MOST_TRIALS_OF_A_SIZE = 300
PRIMES = (7, 11, 5, 13, 17, 19, 23, 29, 31, 37)


def input_leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield where the leaves of nested inputs stand, and what they are."""
    if isinstance(value, dict):
        for k, v in value.items():
            yield from input_leaves(v, (*path, k))
    elif type(value) in (list, tuple):
        for i, v in enumerate(value):
            yield from input_leaves(v, (*path, i))
    else:
        yield path, value


def as_float64(value: Any) -> Any:
    """Return a copy of the inputs in which floating arrays are float64."""
    if isinstance(value, (np.ndarray, np.generic)):
        return np.array(value, np.float64) if value.dtype.kind == "f" else np.array(value)
    if isinstance(value, dict):
        return {k: as_float64(v) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)(as_float64(v) for v in value)
    return value


def draw(value: Any, rng: np.random.Generator, *, gently: bool = False, zeros: bool = False, symmetric: bool = True) -> Any:
    """Return inputs like `value` with other numbers.

    Parameters
    ----------
    value : array or nested containers
        Integers, booleans and strings stay as they are.
    rng : Generator
        Where the numbers come from.
    gently : bool
        Stay near the given numbers, for functions that are only defined there.
    zeros : bool
        Python numbers that are 0.0 (a regulariser) or 1.0 (a share that is kept) become something else.
    symmetric : bool
        Matrices that are symmetric on purpose stay so. Of a parameter that would hide whether it has to be transposed.
    """
    if isinstance(value, dict):
        return {k: draw(v, rng, gently=gently, zeros=zeros, symmetric=symmetric) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)(draw(v, rng, gently=gently, zeros=zeros, symmetric=symmetric) for v in value)
    if type(value) is float:
        return _number_like(value, rng, zeros=zeros)
    if not isinstance(value, (np.ndarray, np.generic)) or value.dtype.kind != "f":
        return value
    x = np.asarray(value, np.float64)
    if gently:
        return x * (1 + 0.1 * rng.normal(size=x.shape))
    return _symmetric_like(x, rng) if symmetric and _is_symmetric(x) else _like(x, rng)


def _number_like(x: float, rng: np.random.Generator, *, zeros: bool) -> float:
    """Return another number of the same sign and size; one that may be a probability stays one, a tiny one stays."""
    if x == 0:
        return float(rng.uniform(0.1, 0.9)) if zeros else x
    if not np.isfinite(x) or abs(x) < 1e-4:
        return x
    if 0 < x < 1:
        return float(x * rng.uniform(0.6, min(1.4, 0.5 + 0.5 / x)))
    if x == 1:
        return float(rng.uniform(0.5, 0.9)) if zeros else x
    return float(x * rng.uniform(0.6, 1.5))


def _like(x: Any, rng: np.random.Generator) -> Any:
    if x.size == 0:
        return x.copy()
    if np.all((x == 0) | (x == 1)) and np.ptp(x) > 0:  # labels, one-hot rows, masks: shuffled along the samples
        axis = int(np.argmax(x.shape))
        return np.take(x, rng.permutation(x.shape[axis]), axis=axis)
    if _is_single(x):  # the gradient of a loss of the right class alone
        return _with_single(x, rng) * rng.uniform(0.5, 1.5, x.shape)
    if np.all(np.abs(x) == 1) and np.ptp(x) > 0:  # labels of a margin
        return rng.permutation(x.ravel()).reshape(x.shape)
    if np.all((x >= 0) & (x <= 1)) and x.size > 1 and np.ptp(x) > 0:
        for axis in range(x.ndim):
            if x.shape[axis] > 1 and np.allclose(x.sum(axis=axis), 1):
                p = rng.uniform(0.2, 1.0, x.shape)
                return p / p.sum(axis=axis, keepdims=True)
        p = rng.uniform(0.05, 0.95, x.shape)
        return p / p.sum() if np.isclose(x.sum(), 1) else p
    if np.all(x > 0) and x.size > 1:
        return x.mean() * rng.uniform(0.5, 1.5, x.shape)
    with np.errstate(invalid="ignore"):  # of infinities
        size = float(np.std(x)) if x.size > 1 else float(np.max(np.abs(x)))
    size = 1.0 if size == 0 or not np.isfinite(size) else min(max(size, 0.3), 2.0)
    return size * rng.normal(size=x.shape)


def _is_symmetric(x: Any) -> bool:
    """Whether an array is a symmetric matrix, and on purpose: a kernel, affinities, the adjacency of a graph; no identity, no ones."""
    if x.ndim != 2 or x.shape[0] != x.shape[1] or x.shape[0] < 3 or x.dtype.kind != "f" or not np.array_equal(x, x.T):
        return False
    beside = x[np.triu_indices(x.shape[0], 1)]
    return len(np.unique(beside[beside != 0])) > 1


def _symmetric_like(x: Any, rng: np.random.Generator) -> Any:
    """Return a symmetric matrix with zeros and infinities where `x` has them, of sum 1 if that is, and positive definite if it is."""
    drawn = np.isfinite(x) & (x != 0)
    upper, diagonal = np.triu(drawn, 1), np.diag_indices_from(x)
    found = np.zeros(x.shape)
    found[upper] = _like(x[upper], rng)
    found += found.T
    found[diagonal] = _like(np.diagonal(x), rng)
    found = np.where(drawn, found, x)
    if _is_positive_definite(x):
        found[diagonal] += np.sum(np.abs(found), axis=1)  # a diagonal that dominates suffices
    return found / found.sum() if np.all(x >= 0) and np.isclose(x.sum(), 1) else found


def _is_positive_definite(x: Any) -> bool:
    if not np.all(np.isfinite(x)):
        return False
    try:
        np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        return False
    return True


def _is_single(x: Any) -> bool:
    """Whether an array has along its last axis one element each that is not zero, among three at least."""
    if x.ndim < 1 or x.dtype.kind != "f" or x.shape[-1] < 3 or x.size == 0:
        return False
    return bool(np.all(np.count_nonzero(x, axis=-1) == 1))


def _with_single(x: Any, rng: np.random.Generator) -> Any:
    """Return an array that has along its last axis one element each that is not zero, the one that is largest there, anywhere."""
    largest = np.take_along_axis(x, np.argmax(np.abs(x), axis=-1, keepdims=True), axis=-1)
    chosen = rng.integers(x.shape[-1], size=largest.shape)
    made = np.zeros_like(x)
    np.put_along_axis(made, chosen, np.where(largest == 0, 1.0, largest), axis=-1)
    return made


# --- other sizes ----------------------------------------------------------------------------------


def free_axes(
    inputs: Mapping[str, Any], works: Callable[[dict[str, Any]], bool], fixed: set[int], *, everywhere: bool = False
) -> list[tuple[Axis, ...]]:
    """Find the axes that forward lets vary, together with those that have to vary with them.

    Parameters
    ----------
    inputs : mapping
    works : callable
        Whether forward runs on some inputs.
    fixed : set of int
        Sizes that the code or the inputs name as numbers; axes of these sizes are left alone.
    everywhere : bool
        Try the axes inside images, too, and those that can only grow, as integers choose among what is along them.

    Returns
    -------
    list of tuples of Axis
        Groups of axes of equal size that can take another size together.
    """
    groups: dict[int, list[Axis]] = {}
    for path, x in input_leaves(dict(inputs)):
        shape = x.shape if isinstance(x, np.ndarray) and x.dtype.kind in "fiub" else ()
        for axis, n in enumerate(shape):
            if n > 1 and n not in fixed and (everywhere or x.ndim <= 2 or axis in (0, x.ndim - 1)):
                groups.setdefault(n, []).append((path, axis))
    shared = iter(range(MOST_TRIALS))

    def parts(n: int, axes: list[Axis]) -> list[tuple[Axis, ...]]:
        budget = iter(range(MOST_TRIALS_OF_A_SIZE)) if everywhere else shared

        def vary(sizes: Sequence[int], *chosen: Axis) -> bool:
            return next(budget, None) is not None and all(works(resized(inputs, {chosen: m}, np.random.default_rng(0))) for m in sizes)

        freely, growing = functools.partial(vary, (n + 2, max(n - 2, 2))), functools.partial(vary, (n + 2,))
        found = _parts(axes, freely)
        if everywhere:
            found = _joined(axes, found, freely)
        rest = [a for a in axes if not any(a in part for part in found)]
        if everywhere:
            return [*found, *_joined(rest, _parts(rest, growing), growing)]
        if found:  # classes that labels choose from can only grow; apart from samples, of which there are as many
            found += _parts(rest, growing)
        return _joined(axes, found, freely)

    return [part for n, axes in groups.items() for part in parts(n, axes)]


def _parts(axes: Sequence[Axis], works: Callable[..., bool]) -> list[tuple[Axis, ...]]:
    """Return the smallest sets of axes that can vary, each with what can vary only beside it: labels beside their samples."""
    found: list[tuple[Axis, ...]] = []
    taken: set[Axis] = set()
    for count in range(1, min(len(axes), 6) + 1):
        rest = [a for a in axes if a not in taken]
        if count == 4 and len(rest) > 6 and works(*rest):  # the width of a model, which many matrices have
            for axis in rest:
                without = [a for a in rest if a is not axis]
                if works(*without):
                    rest = without
            found.append(tuple(rest))
            taken |= set(rest)
        for chosen in itertools.combinations(axes, count):
            if not taken & set(chosen) and works(*chosen):
                found.append(chosen)
                taken |= set(chosen)
    return found


def _joined(axes: Sequence[Axis], parts: Sequence[tuple[Axis, ...]], works: Callable[..., bool]) -> list[tuple[Axis, ...]]:
    """Return sets of axes with each axis that is in none added to one beside which it can vary."""
    found = list(parts)
    for axis in axes:
        if not any(axis in part for part in parts):
            for i, part in enumerate(found):
                if works(*part, axis):
                    found[i] = (*part, axis)
                    break
    return found


def resized(inputs: Mapping[str, Any], sizes: Mapping[tuple[Axis, ...], int], rng: np.random.Generator) -> dict[str, Any]:
    """Return inputs with other sizes along some axes; what is new is taken from what is there."""
    of_axis = {axis: n for axes, n in sizes.items() for axis in axes}

    def inside(value: Any, path: tuple[Any, ...]) -> Any:
        if isinstance(value, dict):
            return {k: inside(v, (*path, k)) for k, v in value.items()}
        if type(value) in (list, tuple):
            return type(value)(inside(v, (*path, i)) for i, v in enumerate(value))
        if isinstance(value, np.ndarray):
            normed, single, symmetric = _normed_axis(value), _is_single(value), _is_symmetric(value)
            chosen: dict[int, Any] = {}
            for axis in range(value.ndim):
                n = of_axis.get((path, axis))
                if n is not None:
                    old = value.shape[axis]
                    if not symmetric or n not in chosen:  # of a symmetric matrix the same rows and columns
                        chosen[n] = np.concatenate([rng.permutation(old)] * (n // old + 1))[:n]
                    value = np.take(value, chosen[n], axis=axis)
            if normed is not None:
                value = _normalised(value, normed, rng)
            elif single:
                value = _with_single(value, rng)
        return value

    return {k: inside(v, (k,)) for k, v in inputs.items()}


def _normed_axis(x: Any) -> int | None:
    """Return the axis along which an array holds probabilities or one-hot labels."""
    if x.ndim < 1 or x.dtype.kind not in "fiu" or np.any(x < 0):
        return None
    return next((a for a in reversed(range(x.ndim)) if x.shape[a] > 1 and np.allclose(x.sum(axis=a), 1)), None)


def _normalised(x: Any, axis: int, rng: np.random.Generator) -> Any:
    """Return an array whose parts along an axis are one-hot, or sum to 1, again."""
    if np.all((x == 0) | (x == 1)):
        chosen = rng.integers(x.shape[axis], size=[n for a, n in enumerate(x.shape) if a != axis])
        return np.moveaxis(np.eye(x.shape[axis], dtype=x.dtype)[chosen], -1, axis)
    total = x.sum(axis=axis, keepdims=True)
    return np.where(total > 0, x / np.where(total > 0, total, 1), 1 / x.shape[axis])


def new_sizes(groups: Sequence[tuple[Axis, ...]], taken: set[int], primes: Sequence[int] = PRIMES) -> dict[tuple[Axis, ...], int]:
    """Return a size for each group that no other axis has, a prime, so that no two can be mistaken for one another."""
    free = (n for n in primes if n not in taken)
    return dict(zip(groups, free, strict=False))
