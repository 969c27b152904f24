"""What all transforms do with arguments and results: which are differentiated, wrapping their leaves, unwrapping what comes back."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.containers import advice
from autograd_np.elsewhere import computed, is_lazy
from autograd_np.modes import lazy_mode
from autograd_np.node import Level, Node
from autograd_np.op import is_numpys
from autograd_np.tensor import Tensor, alone, leaf, recorded
from autograd_np.trees import Unflatten, flatten
from autograd_np.typing import Array, PyTree

__all__ = [
    "Argnames",
    "Argnums",
    "as_asked",
    "as_sequence",
    "chosen",
    "collect",
    "name_of",
    "node_at",
    "replaced",
    "results_of",
    "selected",
    "settled",
    "slots_of",
    "unwrap",
    "variable",
    "wrap",
]

Argnums = int | Sequence[int]
Argnames = str | Sequence[str]


def variable(x: Any, level: Level, where: str) -> Tensor:
    """Wrap a leaf of the arguments, or say why it has no gradient."""
    if x.__class__ is np.ndarray and x.dtype.kind in "fc":
        return recorded(None, (), (), x, level)  # as `leaf` does, for each parameter at each step
    if x.__class__ is Tensor and x._node is None and x._storage is None:
        x = x.data  # a constant, such as autograd_np.numpy makes: what is asked about it is answered with arrays
    if not hasattr(x, "__array_function__") and not isinstance(x, (float, int, complex, np.generic)):
        raise errors.DifferentiationError(f"{where} needs arrays of floats, got {type(x).__name__} ({x!r:.60}){advice(x)}")
    if not hasattr(x, "dtype"):
        x = np.asarray(x)
    if x.dtype.kind not in "fc":
        raise errors.DifferentiationError(
            f"{where} needs floats, got {x.dtype}; convert with np.asarray(x, float), or leave the argument out of the differentiated ones"
        )
    return leaf(x, level)


def wrap(tree: PyTree, level: Level, where: str) -> tuple[PyTree, list[Tensor], Unflatten]:
    """Return an argument with its leaves wrapped, the wrapped leaves, and the function that puts others in their place."""
    if tree.__class__ is np.ndarray:  # the common case, where a microsecond an argument is felt
        x = variable(tree, level, where)
        return x, [x], lambda leaves: leaves[0]
    leaves, unflatten = flatten(tree)
    variables = [variable(x, level, where) for x in leaves]
    return unflatten(variables), variables, unflatten


def results_of(out: PyTree, where: str) -> tuple[list[Any], Unflatten]:
    """Take apart what a function returned; refuse what is no array, inside which a Tensor would lose its gradient."""
    leaves, unflatten = flatten(out)
    for x in leaves:
        if not hasattr(x, "__array_function__") and not isinstance(x, (float, int, complex, np.generic)):
            raise errors.DifferentiationError(
                f"{where} needs a function that returns arrays, or containers of them, got {type(x).__name__} ({x!r:.60}){advice(x)}"
            )
    return leaves, unflatten


def node_at(x: Any, level: Level) -> Node | None:
    """Return the Node of a result if it depends on a variable of `level`."""
    node = x._node if isinstance(x, Tensor) else None
    return node if node is not None and node.level is level and node.needs else None


def unwrap(x: Any, level: Level) -> Any:
    """Return a result as the caller of the transform sees it: without this level, sharing no memory with the arguments."""
    if isinstance(x, Tensor) and (x._node is None or x._node.level is level):
        node, data = x._node, x.data
        if not isinstance(data, np.ndarray):
            return alone(data)
        passed_on = node is not None and (node.op is None or any(v is data for v in node.values))  # np.squeeze may return its argument
        return data.copy() if passed_on or data.base is not None else data
    return x


def collect(found: dict[Node, Array], variables: list[Tensor]) -> list[Any]:
    """Return the gradient by each variable, zeros where nothing flows."""
    return [np.zeros_like(v.data) if (g := found.get(v._node)) is None else g for v in variables]  # type: ignore[arg-type]


def settled(found: list[Any], primals: list[Any]) -> list[Any]:
    """Compute what is lazy, in one go, if all that it was asked about are NumPy's arrays: small ones, of parameters."""
    if not any(map(is_lazy, found)) or lazy_mode() or not all(map(is_numpys, primals)):
        return found
    return [np.array(x) if is_numpys(x) else x for x in computed(found)]


def selected(argnums: Argnums, count: int, where: str) -> tuple[int, ...]:
    """Return argument numbers counted from 0; refuse those of arguments that were not given."""
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for n in numbers:
        if not -count <= n < count:
            raise TypeError(f"{where}: argnums={argnums} but the function was called with {count} positional arguments")
    return tuple(n % count for n in numbers)


def slots_of(
    f: Callable[..., Any], argnums: Argnums | None, argnames: Argnames | None, args: Sequence[Any], kwargs: dict[str, Any], where: str
) -> tuple[int | str, ...]:
    """Return where the differentiated arguments of a call stand: positions, and names of keyword arguments."""
    if argnames is None:
        if argnums is None and args:
            return (0,)
        return selected(0 if argnums is None else argnums, len(args), where)
    if argnums is not None:
        raise TypeError(f"{where} got argnums={argnums} and argnames={argnames!r}; name the arguments one way")
    found: list[int | str] = []
    positional: list[str] = []
    for name in (argnames,) if isinstance(argnames, str) else argnames:
        if name not in kwargs and not positional:
            positional = list(inspect.signature(f).parameters)[: len(args)]  # through functools.wraps, so that transforms nest
        if name not in kwargs and name not in positional:
            raise TypeError(f"{where}: argnames={argnames!r} but the function was called without an argument {name!r}")
        found.append(name if name in kwargs else positional.index(name))
    return tuple(found)


def name_of(f: Any) -> str:
    """Return what to call a function in messages."""
    return getattr(f, "__name__", type(f).__name__)


def chosen(slots: Sequence[int | str], args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
    """Return the differentiated arguments of a call."""
    return [args[n] if isinstance(n, int) else kwargs[n] for n in slots]


def replaced(
    slots: Sequence[int | str], new: Sequence[Any], args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments of a call with others in the place of the differentiated ones."""
    positional, named = list(args), dict(kwargs)
    for n, x in zip(slots, new, strict=True):
        if isinstance(n, int):
            positional[n] = x
        else:
            named[n] = x
    return positional, named


def as_asked(trees: Sequence[Any], argnums: Argnums | None, argnames: Argnames | None) -> Any:
    """Return one result an argument as it was asked for: one alone, a tuple by numbers, a dict by names."""
    if argnames is not None:
        return trees[0] if isinstance(argnames, str) else dict(zip(argnames, trees, strict=True))
    return trees[0] if argnums is None or isinstance(argnums, int) else tuple(trees)


def as_sequence(x: PyTree) -> Sequence[PyTree]:
    """Return primals as a sequence; a bare array stands for one."""
    return x if isinstance(x, (tuple, list)) else (x,)
