"""`vmap`: a function of one example, applied to many at once.

The function runs once, on arrays of `batching` that hold all examples and act like one. Where it asks for what single examples
alone can tell (a branch on a value, a number, a plain array, writing into an array that is not batched), it is run again, in a loop.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.batching import Batch, Examples, read_only, stacked
from autograd_np.callers import warn_caller
from autograd_np.containers import NAMESPACE, advice, parts_of
from autograd_np.tensor import Tensor, handle
from autograd_np.transforms.arguments import name_of
from autograd_np.trees import Unflatten, flatten
from autograd_np.typing import PyTree

__all__ = ["vmap"]

Axes = Any


def vmap(f: Callable[..., Any], in_axes: Axes = 0, out_axes: Axes = 0) -> Callable[..., Any]:
    """Return the function that applies `f` to each of many examples, and does so for all of them at once.

    Parameters
    ----------
    f : callable
        Takes and returns arrays, or nested containers of them, of one example. It may use any of NumPy's functions and the transforms:
        ``vmap(grad(f), in_axes=(None, 0))`` gives a gradient for each example.
    in_axes : int, None, or containers of these
        Along which axis an argument holds the examples; ``None`` where all share it. A tuple has an entry a positional argument, and an
        entry may be a container with entries of its own (``({"w": None, "b": 0}, 0)``, ``(Layer(w=0, b=None), 0)`` of a dataclass);
        an entry stands for all that is below it.
        Keyword arguments hold examples along axis 0. A dict instead names arguments, however they are given; those it does not
        name are shared.
    out_axes : int, None, or containers of these
        Where the axis of examples goes in each result. ``None`` asks for one that is the same for all examples, as it is.

    Returns
    -------
    callable
        Called as `f` is. Returns what ``np.stack([f(x) for x in xs])`` does, for each array that `f` returns; what does not depend on the
        example is repeated. Strings, None and what else is no array come through as they are, in arguments as in results.

    Raises
    ------
    ValueError
        If the arguments hold different numbers of examples, or none holds any; if `in_axes` or `out_axes` does not fit.
    DifferentiationError
        If the examples can only be gone through one by one, and there are none.

    Warns
    -----
    LoopWarning
        Where an operation (``np.convolve``) has no rule for many examples and runs once for each, and where the whole of `f` does:
        for a branch on a value (``if x > 0``), ``float(x)``, a plain array of it, a write into an array from outside, an index into a
        plain array. The result is the same; the warning says which, and where. ``np.where``, ``np.stack`` and ``np.take_along_axis``
        in their place are faster.

    Notes
    -----
    `f` may be run once with all examples and then once for each, so it should do nothing else than return its result. Random numbers
    are drawn once for all examples where it runs once; pass an array of them, or of seeds, to have others for each. Writing in place
    into arrays that `f` made is done for all examples at once, into its arguments it is not allowed. What has no axes is taken for
    a number, which no view shows: ``s += 1`` exchanges it.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> def loss(w, x, y):
    ...     return (np.tanh(w @ x) - y) ** 2
    >>> w, X, y = np.array([0.5, -1.0]), np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 1.0]]), np.array([0.0, 1.0, 0.0])
    >>> ag.vmap(ag.grad(loss), in_axes=(None, 0, 0))(w, X, y)
    array([[ 0.72686198,  0.        ],
           [-0.        , -1.47964869],
           [ 0.        ,  0.        ]])
    >>> ag.vmap(np.dot, in_axes=(0, 1))(np.eye(2), np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([1., 4.])
    """
    where = f"vmap({name_of(f)})"

    @functools.wraps(f, updated=())
    def mapped(*args: Any, **kwargs: Any) -> Any:
        given, unflatten = _taken_apart((args, kwargs))
        axes = _axes_of_arguments(f, in_axes, args, kwargs, where)
        size = _count(given, axes, where)
        examples = Examples(size)
        try:
            positional, named = unflatten([_all(x, axis, examples) for x, axis in zip(given, axes, strict=True)])
            out = f(*positional, **named)
        except Exception:
            if examples.why is None:
                raise  # the function's own; or it is for an outer vmap to go through its examples
            out = None
        finally:
            examples.close()
        if examples.why is None:  # it may have been asked, and what was raised caught
            return _returned(out, out_axes, examples, where)
        return _one_by_one(f, given, axes, unflatten, out_axes, examples, where)

    return mapped


# --- arguments ------------------------------------------------------------------------------------


def _taken_apart(tree: PyTree) -> tuple[list[Any], Unflatten]:
    """Return the leaves of containers, of which ``None`` is one here."""
    import optree

    flatten(tree)  # which makes dataclasses known
    leaves, spec = optree.tree_flatten(tree, none_is_leaf=True, namespace=NAMESPACE)
    return leaves, lambda new: optree.tree_unflatten(spec, new)


def _is_array(x: Any) -> bool:
    return hasattr(x, "__array_function__") or (isinstance(x, (np.generic, float, int, complex)) and not isinstance(x, bool))


def _spread(axes: Axes, tree: PyTree, what: str, where: str) -> list[Any]:
    """Return the axis of each leaf."""
    import optree

    if axes is None or isinstance(axes, (int, np.integer)):
        return [axes] * len(_taken_apart(tree)[0])
    if optree.treespec_is_leaf(optree.tree_structure(axes, none_is_leaf=True, namespace=NAMESPACE)):
        raise ValueError(f"{where} needs numbers or None in {what}, got {axes!r}")
    leaf = optree.treespec_is_leaf(optree.tree_structure(tree, none_is_leaf=True, namespace=NAMESPACE))
    pairs = None if leaf else parts_of(axes, tree)
    if pairs is None:
        raise ValueError(f"{where} got {what}={axes!r}, which does not have the form of what it is for, {_form_of(tree)}")
    return [axis for part, x in zip(*pairs, strict=True) for axis in _spread(part, x, what, where)]


def _form_of(tree: PyTree) -> str:
    import optree

    return str(optree.tree_map(lambda _: "*", tree, none_is_leaf=True, namespace=NAMESPACE)).replace("'*'", "*")


def _axes_of_arguments(f: Callable[..., Any], in_axes: Axes, args: tuple[Any, ...], kwargs: dict[str, Any], where: str) -> list[Any]:
    if isinstance(in_axes, dict):
        names = list(inspect.signature(f).parameters)[: len(args)]
        unknown = sorted(set(in_axes) - set(names) - set(kwargs))
        if unknown:
            raise ValueError(f"{where} got in_axes for {', '.join(map(repr, unknown))}, but was called without")
        of_args: list[Any] = [in_axes.get(name) for name in names] + [None] * (len(args) - len(names))
        of_kwargs: Any = {name: in_axes.get(name) for name in kwargs}
    else:
        of_args, of_kwargs = (
            ([in_axes] * len(args) if in_axes is None or isinstance(in_axes, (int, np.integer)) else list(in_axes)),
            dict.fromkeys(kwargs, 0),
        )
        if len(of_args) != len(args):
            raise ValueError(
                f"{where} got {len(of_args)} in_axes for {len(args)} positional arguments; give each one, or name them in a dict"
            )
    found = [axis for spec, x in zip(of_args, args, strict=True) for axis in _spread(spec, x, "in_axes", where)]
    return found + [axis for name in sorted(kwargs) for axis in _spread(of_kwargs[name], kwargs[name], "in_axes", where)]


def _count(leaves: Sequence[Any], axes: Sequence[Any], where: str) -> int:
    """Return how many examples the arguments hold, all the same number."""
    sizes: dict[int, Any] = {}
    for x, axis in zip(leaves, axes, strict=True):
        if axis is None or not _is_array(x):
            continue
        shape = np.shape(x)
        if not -len(shape) <= axis < len(shape):
            raise ValueError(
                f"{where} was to find examples along axis {axis} of an argument of shape {shape}; give in_axes=None for what all share"
            )
        sizes.setdefault(shape[axis], shape)
    if not sizes:
        raise ValueError(f"{where} got no argument that holds examples, with these in_axes: call the function itself")
    if len(sizes) > 1:
        raise ValueError(
            f"{where} got arguments with {' and '.join(map(str, sizes))} examples, of shapes {' and '.join(map(str, sizes.values()))}"
        )
    return int(next(iter(sizes)))


def _all(x: Any, axis: Any, examples: Examples) -> Any:
    """Return an argument as an array of all examples."""
    if axis is None or not _is_array(x):
        return x
    return Batch(read_only(_another(np.moveaxis(x, axis, 0) if axis else x)), examples)  # an argument is not written into


def _another(x: Any) -> Any:
    """Return another array, or another that holds one, which shows the same."""
    if isinstance(x, Batch):
        return Batch(_another(x.whole), x.examples)
    if isinstance(x, Tensor):
        return handle(_another(x.data), x._node)
    return x.view() if isinstance(x, np.ndarray) else x


def _one(x: Any, axis: Any, i: int) -> Any:
    """Return one example of an argument."""
    if axis is None or not _is_array(x):
        return x
    found = x[(*(slice(None),) * (axis % np.ndim(x)), i)]
    return read_only(found)


# --- results --------------------------------------------------------------------------------------


def _check(x: Any, where: str) -> None:
    if advice(x) and not _is_array(x):
        raise errors.DifferentiationError(
            f"{where} needs a function that returns arrays, or containers of them, got {type(x).__name__}{advice(x)}"
        )


def _returned(out: PyTree, out_axes: Axes, examples: Examples, where: str) -> PyTree:
    leaves, unflatten = _taken_apart(out)
    axes = _spread(out_axes, out, "out_axes", where)
    return unflatten([_placed(x, axis, examples, where) for x, axis in zip(leaves, axes, strict=True)])


def _placed(x: Any, axis: Any, examples: Examples, where: str) -> Any:
    """Return a result as the caller sees it, sharing no memory with the arguments."""
    _check(x, where)
    while isinstance(x, Tensor) and x._node is None:
        x = x.data  # a constant, such as autograd_np.numpy makes
    if not _is_array(x):
        return x
    mine = isinstance(x, Batch) and x.examples is examples
    if axis is None:
        if mine:
            raise ValueError(f"{where} got out_axes=None for a result that differs from example to example")
        return x
    ndim = np.ndim(x)
    if not -ndim - 1 <= axis <= ndim:
        raise ValueError(f"{where} got out_axes={axis} for a result of shape {np.shape(x)}")
    data = x.whole if mine else np.broadcast_to(x, (examples.size, *np.shape(x)))
    moved = np.moveaxis(data, 0, axis) if axis else data
    if isinstance(moved, np.ndarray) and (moved.base is not None or not moved.flags.writeable):
        return moved.copy()
    return moved


def _one_by_one(
    f: Callable[..., Any], given: list[Any], axes: list[Any], unflatten: Unflatten, out_axes: Axes, examples: Examples, where: str
) -> PyTree:
    """Apply the function to one example after the other, and say so."""
    if not examples.size:
        raise errors.DifferentiationError(f"{where} has no examples, and it would have to look at one: it asks for {examples.why}")
    found = []
    for i in range(examples.size):
        positional, named = unflatten([_one(x, axis, i) for x, axis in zip(given, axes, strict=True)])
        found.append(f(*positional, **named))
    warn_caller(f"ag.{where} went through {examples.size} examples one by one: it asks for {examples.why}", errors.LoopWarning)
    parts = [_taken_apart(out)[0] for out in found]
    leaves, unflatten_out = _taken_apart(found[0])
    axes = _spread(out_axes, found[0], "out_axes", where)
    if any(len(p) != len(leaves) for p in parts):
        raise ValueError(f"{where} got results of another form from some examples than from others")
    return unflatten_out([_together([p[k] for p in parts], axis, where) for k, axis in enumerate(axes)])


def _together(xs: list[Any], axis: Any, where: str) -> Any:
    _check(xs[0], where)
    if not all(map(_is_array, xs)):
        if any(x is not xs[0] and x != xs[0] for x in xs):
            raise ValueError(f"{where} got {xs[0]!r} from one example and others from others; return arrays")
        return xs[0]
    if axis is None:
        raise ValueError(f"{where} got out_axes=None, and its examples had to be gone through one by one")
    if any(np.shape(x) != np.shape(xs[0]) for x in xs):
        raise ValueError(
            f"{where} got results of shapes {', '.join(sorted({str(np.shape(x)) for x in xs}))} from its examples; they must agree"
        )
    return stacked(xs, axis)
