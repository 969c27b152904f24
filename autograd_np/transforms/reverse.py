"""Reverse mode: `vjp`, `grad` and `value_and_grad`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from autograd_np import errors
from autograd_np.backward import gradients, one_like, seed_for
from autograd_np.containers import advice
from autograd_np.elsewhere import is_lazy
from autograd_np.node import EAGER, Level, Node
from autograd_np.standins import settled, standing_in
from autograd_np.tensor import Tensor, handle
from autograd_np.transforms.arguments import (
    Argnames,
    Argnums,
    as_asked,
    collect,
    name_of,
    node_at,
    results_of,
    slots_of,
    unwrap,
    variable,
    wrap,
)
from autograd_np.trees import flatten
from autograd_np.typing import Array, PyTree

__all__ = ["grad", "value_and_grad", "vjp"]


def vjp(f: Callable[..., Any], *primals: PyTree, **kwargs: Any) -> tuple[PyTree, Callable[[PyTree], tuple[PyTree, ...]]]:
    """Evaluate `f` and return its result with the function that pulls cotangents back.

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
    pullback : callable
        Takes a cotangent of the structure and shapes of `out`; returns a tuple with one entry a primal, of the
        primal's structure, shapes and dtypes. It can be called any number of times.

    Raises
    ------
    DifferentiationError
        If a primal is not of floats or complex numbers, or `pullback` gets a cotangent of another structure or shape.

    Notes
    -----
    Of complex numbers a cotangent, like a gradient, is the derivative by the real part plus i times that by the imaginary part, so
    that the pullback multiplies by the conjugate transpose of the Jacobian. A real primal gets the real part.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> out, pullback = ag.vjp(np.multiply, 2.0, np.array([3.0, 4.0]))
    >>> pullback(np.array([1.0, 10.0]))
    (array(43.), array([ 2., 20.]))
    """
    where = f"vjp({name_of(f)})"
    with Level() as level:
        wrapped = [wrap(p, level, where) for p in primals]
        out = f(*(tree for tree, _, _ in wrapped), **kwargs)
    leaves, unflatten_out = results_of(out, where)

    def pullback(cotangent: PyTree, *, stay_lazy: bool = False) -> tuple[PyTree, ...]:
        seeds, _ = flatten(cotangent)
        if len(seeds) != len(leaves):
            raise errors.DifferentiationError(
                f"the pullback of {where} got {len(seeds)} cotangents, expected {len(leaves)}, the structure of the output"
            )
        cotangents: dict[Node, Array] = {}
        for x, seed in zip(leaves, seeds, strict=True):
            node = node_at(x, level)
            if node is not None:
                seed = seed_for(seed, node.out, f"the pullback of {where}")
                cotangents[node] = cotangents[node] + seed if node in cotangents else seed
        found = gradients(cotangents, stay_lazy=stay_lazy) if cotangents else {}
        return tuple(unflatten(collect(found, variables)) for _, variables, unflatten in wrapped)

    return unflatten_out([unwrap(x, level) for x in leaves]), pullback


def value_and_grad(
    f: Callable[..., Any],
    argnums: Argnums | None = None,
    *,
    argnames: Argnames | None = None,
    wrt: Sequence[Tensor] | None = None,
    has_aux: bool = False,
) -> Callable[..., tuple[Any, PyTree]]:
    """Return a function that evaluates `f` and its gradient.

    Parameters
    ----------
    f : callable
        Returns a scalar: shape () or one element. With `has_aux`, a pair of it and anything else.
    argnums : int or sequence of int, default 0
        Which positional arguments to differentiate; nested containers (dicts, lists, tuples, dataclasses, classes
        registered with `register_container`) are differentiated leaf by leaf.
    argnames : str or sequence of str, optional
        Instead of `argnums`: the names of the arguments to differentiate, given by keyword or by position.
    wrt : sequence of Tensor, optional
        Instead of arguments: Tensors that `f` uses in whatever way, such as the parameters of a model that it closes over. Meanwhile each
        is a variable, to this thread alone; their `.grad` is left alone.
    has_aux : bool
        Whether `f` returns ``(loss, aux)``. What is in `aux` comes back without a gradient: predictions, statistics, a state.

    Returns
    -------
    callable
        Called as `f` is, returns ``(value, gradient)``, or ``((value, aux), gradient)``. With a sequence of `argnums` the
        gradient is a tuple, with a sequence of `argnames` a dict, and with `wrt` a list, with ``None`` for each Tensor that the value does
        not depend on. Where `f` computes with lazy (Dask) arrays, the gradients by NumPy's
        arrays are NumPy's arrays, computed in one go together with the value, and those by lazy arrays are lazy; see `autograd_np.lazy`.

    Raises
    ------
    DifferentiationError
        If a differentiated argument is not of floats or complex numbers, or `f` does not return a real scalar.
    InPlaceError
        If `f` writes into a Tensor of `wrt`.
    TypeError
        If `argnums` or `argnames` names an argument that was not given, or two of `argnums`, `argnames` and `wrt` are used.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> ag.value_and_grad(lambda p: np.sum(p["w"] ** 2))({"w": np.array([1.0, 2.0])})
    (np.float64(5.0), {'w': array([2., 4.])})
    >>> ag.value_and_grad(lambda x, *, scale: (x * scale, x + 1), argnames="scale", has_aux=True)(3.0, scale=2.0)
    ((np.float64(6.0), 4.0), array(3.))
    >>> w, b = ag.Tensor([1.0, 2.0], requires_grad=True), ag.Tensor(0.5, requires_grad=True)
    >>> ag.value_and_grad(lambda x: np.sum(w * x), wrt=[w, b])(np.array([3.0, 4.0]))
    (np.float64(11.0), [array([3., 4.]), None])
    """
    return _value_and_grad(f, argnums, argnames, has_aux, wrt, valued=True)


def _value_and_grad(
    f: Callable[..., Any],
    argnums: Argnums | None,
    argnames: Argnames | None,
    has_aux: bool,
    wrt: Sequence[Tensor] | None,
    *,
    valued: bool,
) -> Callable[..., tuple[Any, PyTree]]:
    """Do what `value_and_grad` does; a lazy value that is not `valued` is not computed."""
    where = f"grad({name_of(f)})"
    used = None if wrt is None else list(wrt)
    if used is not None and (argnums is not None or argnames is not None):
        raise TypeError(f"{where} got wrt and {'argnums' if argnames is None else 'argnames'}; name what to differentiate by one way")
    for x in used or ():
        if not isinstance(x, Tensor):
            raise TypeError(f"{where} needs Tensors in wrt, got {type(x).__name__}; an array is no variable: make it an argument")

    @functools.wraps(f, updated=())
    def evaluate(*args: Any, **kwargs: Any) -> tuple[Any, PyTree]:
        slots = slots_of(f, argnums, argnames, args, kwargs, where) if used is None else ()
        with Level() as level:
            positional: list[Any] = list(args)
            wrapped = []
            for n in slots:
                if isinstance(n, int):
                    positional[n], variables, unflatten = wrap(positional[n], level, where)
                else:
                    kwargs[n], variables, unflatten = wrap(kwargs[n], level, where)
                wrapped.append((variables, unflatten))
            closed_over = [variable(_inside(x), level, where) for x in used or ()]
            with standing_in(used or (), closed_over):
                out = settled(f(*positional, **kwargs)) if used else f(*positional, **kwargs)
        aux: Any = None
        if has_aux:
            if not isinstance(out, (tuple, list)) or len(out) != 2:
                raise errors.DifferentiationError(
                    f"{where} with has_aux=True needs a function that returns a pair (loss, aux), got {type(out).__name__}"
                )
            out, aux = out
            leaves, unflatten_aux = flatten(aux)
            aux = unflatten_aux([unwrap(x, level) for x in leaves])
        if not (isinstance(out, Tensor) and out.data.size == 1 and out.data.dtype.kind != "c"):
            _demand_scalar(out, where)
        node = node_at(out, level)
        values = {node: node.out} if valued and node is not None and is_lazy(node.out) else None
        found = gradients({node: one_like(node.out)}, values=values) if node is not None else {}
        gradient: PyTree
        if used is not None:
            gradient = [found.get(cast(Node, v._node)) for v in closed_over]
        else:
            gradient = as_asked([unflatten(collect(found, variables)) for variables, unflatten in wrapped], argnums, argnames)
        value = values[node] if values and not is_lazy(values[node]) else unwrap(out, level)  # type: ignore[index]
        return (value, aux) if has_aux else value, gradient

    return evaluate


def _inside(x: Tensor) -> Any:
    """Return what a variable that stands for a Tensor holds: its values, and of other transforms' Tensors what these record."""
    return x.data if x._node is None or x._node.level is EAGER else handle(x.data, x._node)


def _demand_scalar(out: Any, where: str) -> None:
    """Raise if what a function returned has no gradient."""
    if not hasattr(out, "shape") and not isinstance(out, (float, int)):
        hint = "; if the second is not to be differentiated, pass has_aux=True" if isinstance(out, tuple) and len(out) == 2 else ""
        raise errors.DifferentiationError(
            f"{where} needs a function that returns a scalar, got {type(out).__name__}; use ag.vjp for other results{hint}{advice(out)}"
        )
    if getattr(out, "size", 1) != 1:
        raise errors.DifferentiationError(
            f"{where} needs a function that returns a scalar, got shape {np.shape(out)}; "
            f"reduce it (np.sum, np.mean), or use ag.jacobian or ag.vjp"
        )
    if isinstance(out, Tensor) and out.dtype.kind == "c":
        raise errors.DifferentiationError(
            f"{where} needs a function that returns a real loss, got {out.dtype}; take np.real(loss), np.imag(loss) or np.abs(loss), "
            f"or use ag.vjp"
        )


def grad(
    f: Callable[..., Any],
    argnums: Argnums | None = None,
    *,
    argnames: Argnames | None = None,
    wrt: Sequence[Tensor] | None = None,
    has_aux: bool = False,
) -> Callable[..., PyTree]:
    """Return the function that computes the gradient of the scalar function `f`.

    Parameters and errors as in `value_and_grad`; with `has_aux` it returns ``(gradient, aux)``.

    Notes
    -----
    By a complex argument x + iy the gradient is ∂f/∂x + i ∂f/∂y, the direction of steepest ascent, so that ``z -= lr * gradient``
    descends; PyTorch's convention, and the conjugate of JAX's.

    Where an infinite slope meets a zero, the zero wins if a selection left the element out (``np.where(x > 0, np.log(x), 0)`` at 0
    has the gradient 0), and the answer is NaN if the zero is merely a value (``np.sqrt(x) ** 2`` at 0).

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> ag.grad(np.sin)(0.0)
    array(1.)
    >>> ag.grad(ag.grad(lambda x: x**3))(2.0)
    array(12.)
    >>> ag.grad(lambda x, y: x * y, argnames=["y"])(3.0, y=1.0)
    {'y': array(3.)}
    """
    evaluate = _value_and_grad(f, argnums, argnames, has_aux, wrt, valued=False)

    @functools.wraps(f, updated=())
    def gradient(*args: Any, **kwargs: Any) -> PyTree:
        value, found = evaluate(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient
