"""Nested containers of arrays: their leaves, and all leaves as one vector.

What is differentiated may not be known here; a leaf is whatever optree does not take apart.
"""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.containers import NAMESPACE, advice, learn
from autograd_np.ops import astype
from autograd_np.tensor import Tensor
from autograd_np.typing import Array, PyTree

__all__ = ["Unflatten", "flatten", "ravel"]

Unflatten = Callable[[Sequence[Any]], Any]


def flatten(tree: PyTree) -> tuple[list[Any], Unflatten]:
    """Return the leaves of nested dicts, lists, tuples and dataclasses, and the function that puts leaves back."""
    if tree.__class__ is dict:
        for name, x in tree.items():
            if name.__class__ is not str or x.__class__ is not np.ndarray:
                break
        else:
            return _named(tree)  # parameters, mostly, where a microsecond is felt
    elif isinstance(tree, (Tensor, np.ndarray, np.generic, float, int, complex)):
        return [tree], _only
    leaves, spec = _optree().tree_flatten(tree, namespace=NAMESPACE)
    for x in leaves:
        if x.__class__ is not np.ndarray and learn(x):
            return flatten(tree)
    return leaves, spec.unflatten


@functools.cache
def _optree() -> Any:
    return importlib.import_module("optree")


def _named(tree: dict[str, Array]) -> tuple[list[Any], Unflatten]:
    """Do what optree does with a dict: leaves by the order of their keys, and the keys' own order when they are put back."""
    names, places = _order(tuple(tree))
    return [tree[name] for name in names], lambda leaves: {name: leaves[i] for name, i in places}


@functools.lru_cache(256)
def _order(keys: tuple[str, ...]) -> tuple[list[str], list[tuple[str, int]]]:
    """Return the keys in order, and each in its own place with where it is in that order."""
    names = sorted(keys)
    return names, [(name, names.index(name)) for name in keys]


def _only(leaves: Sequence[Any]) -> Any:
    return leaves[0]


def ravel(tree: PyTree) -> tuple[Array, Callable[[Array], PyTree]]:
    """Return all numbers of nested containers as one vector, and the function that puts a vector back into their form.

    Parameters
    ----------
    tree : arrays, Tensors or numbers in nested dicts, lists, tuples, dataclasses and registered classes
        Floats or complex numbers; dicts are gone through by their keys in order.

    Returns
    -------
    vector : array
        Of the dtype that holds all of them; a Tensor if there is one among the leaves. It shares no memory with them.
    unravel : callable
        Takes a vector of that length, an array or a Tensor, and returns leaves of the shapes and dtypes of `tree` in its structure.
        Both are differentiable. Given to optimisers that work on a vector, it makes parameters of it inside the loss.

    Raises
    ------
    DifferentiationError
        If a leaf is no array of floats or complex numbers, or `unravel` gets another shape.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> params = {"w": np.array([[1.0, 2.0]]), "b": 3.0}
    >>> vector, unravel = ag.ravel(params)
    >>> vector
    array([3., 1., 2.])
    >>> unravel(vector * 10)
    {'w': array([[10., 20.]]), 'b': array(30.)}
    >>> ag.grad(lambda v: np.sum(unravel(v)["w"] ** 2))(vector)
    array([0., 2., 4.])
    """
    leaves, unflatten = flatten(tree)
    leaves = [x if hasattr(x, "__array_function__") else _array(x) for x in leaves]
    for x in leaves:
        if x.dtype.kind not in "fc":
            raise errors.DifferentiationError(
                f"ravel needs leaves of floats or complex numbers, got {x.dtype}; convert with np.asarray(x, float), or leave it out"
            )
    forms = [(tuple(x.shape), x.dtype) for x in leaves]
    sizes = [math.prod(shape) for shape, _ in forms]
    dtype = np.result_type(*(dtype for _, dtype in forms)) if forms else np.dtype(float)
    vector = np.concatenate([astype(np.reshape(x, -1), dtype) for x in leaves]) if leaves else np.zeros(0)

    def unravel(vector: Array) -> PyTree:
        vector = vector if hasattr(vector, "__array_function__") else _array(vector)
        if tuple(vector.shape) != (sum(sizes),):
            raise errors.DifferentiationError(f"unravel needs a vector of {sum(sizes)} numbers, got shape {tuple(vector.shape)}")
        parts, start = [], 0
        for (shape, kind), size in zip(forms, sizes, strict=True):
            part = vector[start : start + size]
            part = np.real(part) if vector.dtype.kind == "c" and kind.kind == "f" else part
            parts.append(np.copy(np.reshape(astype(part, kind), shape)))
            start += size
        return unflatten(parts)

    return vector, unravel


def _array(x: Any) -> Array:
    try:
        array = np.asarray(x)
    except ValueError:
        array = np.asarray(None)
    if array.dtype == object:
        raise errors.DifferentiationError(f"expected arrays of numbers, got {type(x).__name__} ({x!r:.60}){advice(x)}")
    return array
