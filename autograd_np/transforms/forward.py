"""Forward mode: `linearize`, `jvp` and `hvp`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from autograd_np import errors
from autograd_np.backward import pushforward, seed_for
from autograd_np.elsewhere import is_lazy
from autograd_np.node import Level, Node
from autograd_np.tensor import alone
from autograd_np.transforms.arguments import as_sequence, name_of, node_at, results_of, settled, unwrap, wrap
from autograd_np.transforms.reverse import grad
from autograd_np.trees import flatten
from autograd_np.typing import PyTree

__all__ = ["hvp", "jvp", "linearize", "linearized"]


def linearized(
    f: Callable[..., Any], primals: Sequence[PyTree], where: str, kwargs: dict[str, Any] | None = None
) -> tuple[PyTree, Callable[[Sequence[PyTree]], PyTree]]:
    """Evaluate `f` once, and return its result and the function that pushes tangents forward."""
    with Level() as level:
        wrapped = [wrap(p, level, where) for p in primals]
        out = f(*(tree for tree, _, _ in wrapped), **(kwargs or {}))
    leaves, unflatten_out = results_of(out, where)
    variables = [v for _, group, _ in wrapped for v in group]
    nodes = [node_at(x, level) for x in leaves]
    roots = [node for node in nodes if node is not None]

    def push(tangents: Sequence[PyTree]) -> PyTree:
        if len(tangents) != len(wrapped):
            raise errors.DifferentiationError(f"{where} got {len(tangents)} tangents for {len(wrapped)} primals")
        given = [t for tree in tangents for t in flatten(tree)[0]]
        if len(given) != len(variables):
            raise errors.DifferentiationError(
                f"{where} got {len(given)} tangent arrays for {len(variables)} primal arrays; their structures must agree"
            )
        moved = {cast(Node, v._node): seed_for(t, v.data, where) for v, t in zip(variables, given, strict=True)}
        found = pushforward(moved, roots)
        lent = set(map(id, given))
        found = {root: t.copy() if isinstance(t, np.ndarray) and (id(t) in lent or t.base is not None) else t for root, t in found.items()}
        moved_leaves = [
            np.zeros_like(unwrap(x, level)) if node is None or node not in found else alone(found[node])
            for x, node in zip(leaves, nodes, strict=True)
        ]
        return unflatten_out(moved_leaves)

    return unflatten_out([unwrap(x, level) for x in leaves]), push


def linearize(f: Callable[..., Any], *primals: PyTree, **kwargs: Any) -> tuple[PyTree, Callable[..., PyTree]]:
    """Evaluate `f` once and return its result with the function that pushes tangents forward: the linear map ``t -> J t``.

    Parameters
    ----------
    f : callable
        Takes the primals; returns an array or nested containers of arrays.
    *primals : arrays or nested containers of arrays
        Floats or complex numbers.
    **kwargs
        Passed to `f` as they are; they are not differentiated.

    Returns
    -------
    out : as `f` returns
        Plain arrays.
    push : callable
        Takes one tangent a primal, of its structure and shapes, and returns the tangent of `out`. It can be called any number of
        times, and does not run `f` again: where one point meets many tangents (iterative solvers, the columns of a Jacobian), that is
        cheaper than `jvp`. It keeps the intermediate results of `f` as long as it lives.

    Raises
    ------
    DifferentiationError
        If a primal is not of floats or complex numbers, or `push` gets another number of tangents, or one of another structure or shape.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> out, push = ag.linearize(np.sin, np.array([0.0, np.pi]))
    >>> push(np.array([1.0, 1.0])), push(np.array([10.0, 0.0]))
    (array([ 1., -1.]), array([10., -0.]))
    """
    out, push = linearized(f, primals, f"linearize({name_of(f)})", kwargs)
    return out, lambda *tangents: push(tangents)


def jvp(f: Callable[..., Any], primals: Sequence[PyTree], tangents: Sequence[PyTree], **kwargs: Any) -> tuple[PyTree, PyTree]:
    """Evaluate `f` and its derivative in the direction of `tangents` (forward mode).

    Parameters
    ----------
    f : callable
        Takes the primals; returns arrays or nested containers of them.
    primals, tangents : sequences of arrays or nested containers
        One entry an argument, of equal shapes. A bare array stands for a function of one argument.
    **kwargs
        Passed to `f` as they are; they are not differentiated.

    Returns
    -------
    out, tangent_out : as `f` returns
        The value and its directional derivative, plain arrays. Of complex numbers it is linear over the reals: nothing is conjugated.

    Raises
    ------
    DifferentiationError
        If a primal is not of floats or complex numbers, or the tangents have another structure or shape.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> ag.jvp(np.multiply, (2.0, 3.0), (1.0, 10.0))
    (np.float64(6.0), np.float64(23.0))
    """
    out, push = linearized(f, as_sequence(primals), f"jvp({name_of(f)})", kwargs)
    return out, push(as_sequence(tangents))


def hvp(f: Callable[..., Any], primals: Sequence[PyTree], vectors: Sequence[PyTree], **kwargs: Any) -> PyTree:
    """Return the product of the Hessian of the scalar function `f` with `vectors`, forward over reverse.

    Parameters
    ----------
    f : callable
        Takes the primals, returns a scalar.
    primals, vectors : sequences of arrays or nested containers
        One entry an argument, of equal shapes. A bare array stands for a function of one argument.
    **kwargs
        Passed to `f` as they are; they are not differentiated.

    Returns
    -------
    tuple
        One entry an argument; for bare arrays, the bare result. Of complex arguments it is the derivative of the gradient along
        the vectors, which is linear over the reals.

    Raises
    ------
    DifferentiationError
        If a primal is not of floats or complex numbers, `f` does not return a real scalar, or `vectors` have another structure or shape.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> ag.hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    bare = not isinstance(primals, (tuple, list))
    points = as_sequence(primals)
    product = jvp(grad(f, tuple(range(len(points)))), points, as_sequence(vectors), **kwargs)[1]
    leaves, unflatten = flatten(product)
    if any(map(is_lazy, leaves)):
        product = unflatten(settled(leaves, flatten(points)[0]))
    return product[0] if bare else product
