"""Solutions of equations, differentiated through the implicit function theorem, whatever found them.

If F(x, p) = 0 holds at a solution x(p), then ∂x/∂p = -(∂F/∂x)⁻¹ ∂F/∂p there. Nothing is recorded while the equations are solved. One
step of the chord method afterwards, x - A (F(x, p) - F₀) with A = (∂F/∂x)⁻¹ and F₀ = F(x, p) held constant, leaves the value as it is and
has that derivative. Each further step is right to one order more, since the error of the method contracts by a factor that vanishes with
the distance; so as many steps are recorded as transforms are nested. Whatever F depends on, arguments or what it closes over, is followed.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.modes import no_grad
from autograd_np.op import constant_of
from autograd_np.ops.systems import System, dense, solved
from autograd_np.tensor import Tensor
from autograd_np.transforms import jacobian, jvp, vjp
from autograd_np.trees import flatten
from autograd_np.typing import Array, PyTree

__all__ = ["attached", "implicit", "plain_tree"]

LinearSolve = Callable[[Callable[[Array], Array], Array], Array]


def implicit(
    solve: Callable[..., PyTree], condition: Callable[..., PyTree], *, tolerance: float = 1e-3, linear_solve: LinearSolve | None = None
) -> Callable[..., PyTree]:
    """Return `solve`, made differentiable by its arguments through the condition that a solution fulfils.

    Parameters
    ----------
    solve : callable
        ``solve(*params)`` returns x, by any means: a loop, a library, a program. It gets plain arrays.
    condition : callable
        ``condition(x, *params)``, written in NumPy, is zero at the solution: as many numbers as x has, in any containers.
    tolerance : float
        How far x may be off, relative to its size, as a step of Newton's method estimates it.
    linear_solve : callable, optional
        ``linear_solve(matvec, b)`` returns the z with ``matvec(z) == b``, vectors all, for systems too large for a matrix: an iterative
        method. By default the Jacobian of `condition` by x is computed, as an array, and inverted.

    Returns
    -------
    callable
        Takes what `solve` takes and returns what it returns, with Tensors in it where it depends on Tensors: by arguments, or through
        what `condition` closes over. It can be differentiated in both modes, to any order.

    Raises
    ------
    DifferentiationError
        If `condition` does not hold at x, or returns another count of numbers than x has, or its Jacobian by x is singular: then x is
        no function of the parameters there (a double root, a minimum that is flat).

    Notes
    -----
    The gradient is that of the solution, also where `solve` would find another one for other parameters. Where x does not depend on
    Tensors nothing is checked. Complex x are differentiated by their real and imaginary parts.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> def newton(a):
    ...     x = 1.0
    ...     for _ in range(20):
    ...         x = x - (x * x - a) / (2 * x)
    ...     return x
    >>> root = ag.implicit(newton, lambda x, a: x * x - a)
    >>> ag.grad(root)(4.0), ag.grad(ag.grad(root))(4.0)
    (array(0.25), array(-0.03125))
    """
    where = f"ag.implicit({getattr(solve, '__name__', type(solve).__name__)})"

    @functools.wraps(solve)
    def solution(*params: Any, **kwargs: Any) -> PyTree:
        args, named = plain_tree(params), plain_tree(kwargs)
        with no_grad():
            found = plain_tree(solve(*args, **named))
        return attached(
            found,
            lambda x: condition(x, *params, **kwargs),
            where,
            alone=lambda x: condition(x, *args, **named),
            tolerance=tolerance,
            linear_solve=linear_solve,
        )

    return solution


def plain_tree(tree: PyTree) -> PyTree:
    """Return containers with plain arrays in the place of Tensors."""
    leaves, unflatten = flatten(tree)
    return unflatten([constant_of(x) for x in leaves])


def attached(
    found: PyTree,
    residual: Callable[[PyTree], PyTree],
    where: str,
    *,
    alone: Callable[[PyTree], PyTree] | None = None,
    tolerance: float = 1e-3,
    linear_solve: LinearSolve | None = None,
) -> PyTree:
    """Return a solution of ``residual(x) == 0`` with its derivatives by everything that `residual` depends on.

    Parameters
    ----------
    found : arrays in containers
        The solution, plain.
    residual : callable
        Takes x, as arrays or Tensors.
    where : str
        For messages.
    alone : callable, optional
        The same with plain arrays for parameters, from which the Jacobian is computed.
    tolerance, linear_solve
        As in `implicit`.
    """
    leaves, unflatten = flatten(found)
    vector, unravel = _unknowns(leaves, where)

    def equations(v: Array, of: Callable[[PyTree], PyTree] = residual) -> Array:
        return _numbers(flatten(of(unflatten(unravel(v))))[0], vector.dtype)

    first = equations(vector)
    if not (isinstance(first, Tensor) and first.requires_grad):
        return found
    start = constant_of(first)
    if start.shape != vector.shape:
        raise errors.DifferentiationError(
            f"the condition of {where} returned {start.size} real numbers for {vector.size} unknown ones; there must be as many"
        )
    if not np.all(np.isfinite(start)) or not np.all(np.isfinite(vector)):
        raise errors.DifferentiationError(f"the solution of {where}, or its condition there, is not finite; the solver has failed")
    with no_grad():
        system = _system(lambda v: equations(v, alone or residual), vector, where, linear_solve)
        _check_converged(start, system.solve(start), vector, where, tolerance)
    x = vector - solved(first - start, system=system)
    for _ in range(_depth(first) - 1):
        x = x - solved(equations(x) - start, system=system)
    return unflatten(unravel(x))


def _depth(t: Any) -> int:
    """Return how many nested levels a Tensor carries a gradient of."""
    count = 0
    while isinstance(t, Tensor):
        count += t.requires_grad
        t = t.data
    return count


# --- unknowns and equations as real vectors -------------------------------------------------------


def _unknowns(leaves: list[Any], where: str) -> tuple[Array, Callable[[Array], list[Any]]]:
    """Return the unknowns as one vector of real numbers, and the function that makes leaves of such a vector."""
    arrays = [np.asarray(x) for x in leaves]
    for x in arrays:
        if x.dtype.kind not in "fc":
            raise errors.DifferentiationError(f"{where} needs a solution of floats or complex numbers, got {x.dtype}; return floats")
    dtype = np.result_type(*(np.finfo(x.dtype).dtype for x in arrays)) if arrays else np.dtype(float)

    def unravel(v: Array) -> list[Any]:
        parts, start = [], 0
        for like in arrays:
            pieces = []
            for _ in range(2 if like.dtype.kind == "c" else 1):
                pieces.append(np.reshape(v[start : start + like.size], like.shape))
                start += like.size
            part = pieces[0] + 1j * pieces[1] if len(pieces) == 2 else pieces[0]
            parts.append(part if part.dtype == like.dtype else part.astype(like.dtype))
        return parts

    return _numbers(arrays, dtype), unravel


def _numbers(leaves: list[Any], dtype: Any) -> Array:
    """Return arrays as one vector of real numbers: of complex ones the real parts, then the imaginary parts."""
    parts: list[Any] = []
    for x in leaves:
        x = np.reshape(x if hasattr(x, "__array_function__") else np.asarray(x), -1)
        parts += [np.real(x), np.imag(x)] if x.dtype.kind == "c" else [x]
    found: Array = np.concatenate(parts) if parts else np.zeros(0, dtype)
    return found if found.dtype == dtype else found.astype(dtype)


# --- the Jacobian ---------------------------------------------------------------------------------


def _system(equations: Callable[[Array], Array], x: Array, where: str, linear_solve: LinearSolve | None) -> System:
    """Return the system of the Jacobian of the equations by the unknowns, at the solution."""
    if linear_solve is not None:
        if isinstance(equations(x), Tensor):
            raise errors.DifferentiationError(
                f"with linear_solve= the condition of {where} may not close over Tensors; pass them as arguments"
            )
        pullback = vjp(equations, x)[1]
        return System(
            lambda b: np.asarray(linear_solve(lambda v: np.asarray(jvp(equations, (x,), (v,))[1], x.dtype), b), x.dtype),
            lambda b: np.asarray(linear_solve(lambda v: np.asarray(pullback(v)[0], x.dtype), b), x.dtype),
        )
    a = constant_of(jacobian(equations)(x))
    system, distance = dense(a)
    if not np.all(np.isfinite(a)) or distance <= x.size * float(np.finfo(x.dtype).eps):
        raise errors.DifferentiationError(
            f"the Jacobian of the condition of {where} by the solution is singular there (its reciprocal condition number is "
            f"{distance:.1e}), so that the solution is no differentiable function of the parameters: a multiple root, a flat minimum, or "
            f"equations that say the same"
        )
    return system


def _check_converged(residual: Array, step: Array, x: Array, where: str, tolerance: float) -> None:
    size = float(np.max(abs(x), initial=0))
    off = float(np.max(abs(step), initial=0))
    if math.isnan(off) or off > tolerance * max(size, 1.0):
        raise errors.DifferentiationError(
            f"the condition of {where} does not hold at the solution that was returned: it is up to {float(np.max(abs(residual))):.3g} "
            f"there, and a step of Newton's method would move the solution, of size {size:.3g}, by {off:.3g}. Solve to a smaller error, "
            f"check that the condition is the one that is solved, or allow the error with tolerance="
        )
