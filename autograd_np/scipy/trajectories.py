"""Solutions of ordinary differential equations, differentiated by the adjoint method; what `integrate` needs for that.

With dy/dt = f(t, y, p) and the gradient Λ of a loss by y(t), backwards in time dΛ/dt = -(∂f/∂y)ᴴ Λ, and the gradient by p is the
integral of (∂f/∂p)ᴴ Λ (L. S. Pontryagin et al., 1962; R. T. Q. Chen et al., "Neural ordinary differential equations", 2018). At first
order y(t) is interpolated from a solution forwards, so that stiff equations stay as stable as they are. Rules that are recorded, to be
differentiated again, solve for y, Λ and the integral together, backwards, from each of the known y; where that loses y, which is compared
with the next known one, there is an error. Forward mode solves the equation of first variation along with y, forwards.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.op import Op, Recordable, constant_of
from autograd_np.ops.adjoint import of_gradients
from autograd_np.scipy.mirror import holds_tensor
from autograd_np.tensor import Tensor, record
from autograd_np.transforms import jvp, vjp
from autograd_np.trees import Unflatten, flatten
from autograd_np.typing import Array

__all__ = ["Solver", "parameters", "refuse_hidden", "trajectory"]

Slope = Callable[..., Any]
"""``f(t, y, *params)``: the derivative of a vector y by t."""


class Solver:
    """How SciPy solves: what is called with a function of t and y, y at the first of some times, and the times.

    Attributes
    ----------
    run : callable
        ``run(f, y0, ts)`` returns y at the times, an array with a row for each.
    interpolated : callable
        ``interpolated(f, y0, first, last)`` returns the steps in time that were taken, and y as a function of t.
    title : str
        For messages.
    tolerance : float
        What the solver keeps, relative to y.
    points : int
        How many points of Gauss's quadrature a step deserves.
    restarted : Solver or None
        A one-step method in the place of one with several steps, which is slow where an adjoint starts anew at each of many times.
    """

    def __init__(
        self, run: Callable[..., Array], interpolated: Callable[..., Any], title: str, tolerance: float, points: int, restarted: Any = None
    ) -> None:
        self.run, self.interpolated, self.title, self.tolerance = run, interpolated, title, tolerance
        self.points, self.restarted = points, restarted


def trajectory(solver: Solver, f: Slope, y0: Any, ts: Any, params: Sequence[Any], known: Any = None) -> Any:
    """Return y at some times, from `y0` at the first of them; differentiable by `y0`, the times and the parameters.

    `known` is the solution itself, if it is there already.
    """
    op = _operation(solver, f, known)
    return op.fn(y0, ts, *params)


def _operation(solver: Solver, f: Slope, known: Any) -> Op:
    def forward(y0: Any, ts: Any, *params: Any) -> Any:
        if any(isinstance(x, Recordable) for x in (y0, ts, *params)):
            return record(op, (y0, ts, *params))
        return solver.run(lambda t, y: f(t, y, *params), y0, ts) if known is None else known

    def backward(g: Any, ys: Any, y0: Any, ts: Any, *params: Any) -> Any:
        if any(isinstance(x, Recordable) for x in (g, ys, y0, ts, *params)):
            return _recorded_adjoint(solver, f, g, ys, ts, params)
        return _adjoint(solver, f, g, ys, ts, params)

    def forward_mode(tangents: Any, ys: Any, y0: Any, ts: Any, *params: Any) -> Any:
        return _first_variation(solver, f, tangents, ys, y0, ts, params)

    op = Op(solver.title, forward, "general", (of_gradients(backward),) * 3, jvp=forward_mode, joint=True)
    return op


# --- several arrays as one state ------------------------------------------------------------------


def _packed(parts: Sequence[Any], dtype: Any) -> Any:
    flat = [np.reshape(x if hasattr(x, "__array_function__") else np.asarray(x), -1) for x in parts]
    found = np.concatenate(flat)
    return found if found.dtype == dtype else found.astype(dtype)


def _unpacked(state: Any, like: Sequence[Any]) -> list[Any]:
    """Return the parts of a state; of a real array the real part."""
    parts, start = [], 0
    for x in like:
        part = np.reshape(state[start : start + x.size], x.shape)
        parts.append(np.real(part) if part.dtype.kind == "c" and x.dtype.kind != "c" else part)
        start += x.size
    return parts


def _floats(params: Sequence[Any]) -> list[Any]:
    return [x if hasattr(x, "__array_function__") else np.asarray(x) for x in params]


def _dot(a: Any, b: Any) -> Any:
    """Return Re(aᴴ b), the derivative of a loss with the gradient `a` along `b`."""
    return np.sum(np.real(np.conjugate(a) * b)) if a.dtype.kind == "c" else np.sum(a * np.real(b))


def _sensitivities(f: Slope, t: Any, y: Any, weight: Any, params: Sequence[Any]) -> tuple[Any, tuple[Any, ...]]:
    """Return f, and the gradients of Re(weightᴴ f) by y and by the parameters."""
    value, pullback = vjp(lambda y, *p: _vector(f(t, y, *p)), y, *params)
    weight = np.real(weight) if weight.dtype.kind == "c" and value.dtype.kind != "c" else weight
    return value, pullback(weight if weight.dtype == value.dtype else weight.astype(value.dtype))


def _vector(dy: Any) -> Any:
    """Return what a function of the user's gave as one vector: an array, or a list of numbers."""
    if dy.__class__ in (list, tuple):
        dy = np.stack([x if hasattr(x, "__array_function__") else np.asarray(x, float) for x in dy])
    return np.reshape(dy if hasattr(dy, "__array_function__") else np.asarray(dy, float), -1)


# --- reverse mode ---------------------------------------------------------------------------------


def _adjoint(solver: Solver, f: Slope, g: Array, ys: Array, ts: Array, params: Sequence[Any]) -> list[Any]:
    """Return the gradients by y0, the times and the parameters, on plain arrays."""
    params = _floats(params)
    size = float(np.max(abs(g), initial=0))
    if not np.isfinite(size) or not np.all(np.isfinite(ys)):
        return [np.full_like(x, np.nan) for x in (ys[0], ts, *params)]
    by_times, sums = np.zeros(len(ts)), [np.zeros(p.shape, p.dtype) for p in params]
    weight = np.zeros_like(ys[0])
    if size == 0:
        return [weight, by_times, *sums]
    g = g / size  # so that the tolerances mean what they say
    steps, y = solver.interpolated(lambda t, y: f(t, y, *params), ys[0], ts[0], ts[-1])

    def slope(t: Any, weight: Any) -> Any:
        return -_sensitivities(f, t, y(t), weight, params)[1][0]

    stops = [i for i in range(len(ts) - 1, 0, -1) if np.any(g[i])]  # where no gradient arrives the adjoint goes on
    restarts = solver.restarted is not None and len(stops) > 8
    for i, last in zip(stops, [*stops, 0][1:], strict=True):
        weight = weight + g[i]
        by_times[i] = _dot(g[i], _vector(f(ts[i], ys[i], *params)))
        if ts[i] != ts[last] and np.any(weight):
            used, found = solver, None
            if restarts:
                try:
                    used, found = solver.restarted, solver.restarted.interpolated(_Limited(slope, 500), weight, ts[i], ts[last])
                except _LostError:  # a stiff equation
                    used, restarts = solver, False
            more, adjoint_at = found or solver.interpolated(slope, weight, ts[i], ts[last])
            if params:
                low, high = sorted((ts[last], ts[i]))
                grid = np.unique(np.concatenate([more, steps[(steps > low) & (steps < high)]]))
                for t, share in zip(*_gauss(grid, used.points), strict=True):
                    pulled = _sensitivities(f, t, y(t), adjoint_at(t), params)[1][1:]
                    sums = [total + share * np.sign(ts[i] - ts[last]) * part for total, part in zip(sums, pulled, strict=True)]
            weight = adjoint_at(ts[last])
    by_times[0] = -_dot(weight, _vector(f(ts[0], ys[0], *params)))
    return [size * x for x in (weight + g[0], by_times, *sums)]


def _gauss(grid: Array, count: int) -> tuple[Array, Array]:
    """Return the points and the weights of Gauss's quadrature between each two points of a grid."""
    points, weights = np.polynomial.legendre.leggauss(count)
    half = np.diff(grid)[:, None] / 2
    return ((grid[:-1] + grid[1:])[:, None] / 2 + half * points).ravel(), (half * weights).ravel()


def _recorded_adjoint(solver: Solver, f: Slope, g: Any, ys: Any, ts: Any, params: Sequence[Any]) -> list[Any]:
    """Do the same with Tensors: y is solved for together with its adjoint, so that all of it can be differentiated again."""
    params = _floats(params)
    size = float(np.max(abs(constant_of(g)), initial=0)) or 1.0
    if not np.isfinite(size):
        return [np.full(x.shape, np.nan) for x in (ys[0], ts, *params)]
    g = g / size
    weight = np.zeros_like(constant_of(ys)[0])
    sums: list[Any] = [np.zeros(p.shape, p.dtype) for p in params]
    like = [weight, weight, *sums]
    dtype = np.result_type(*(x.dtype for x in like))

    def slope(t: Any, state: Any, *params: Any) -> Any:
        y, weight, *_ = _unpacked(state, like)
        value, pulled = _sensitivities(f, t, y, weight, params)
        return np.concatenate([_packed([value], dtype), -_packed(pulled, dtype)])

    by_times: list[Any] = [np.zeros(())] * len(ts)
    times, allowed = constant_of(ts), max(1e3 * solver.tolerance, 1e-8) * max(_distance(constant_of(ys), 0), 1e-300)
    for i in range(len(ts) - 1, 0, -1):
        weight = weight + g[i]
        by_times[i] = _dot(g[i], _vector(f(ts[i], ys[i], *params)))
        if times[i] == times[i - 1]:
            continue
        for count in (1, 4, 16, 64):  # the more of y is known, the less is lost on the way back
            marks = np.stack([ts[i - 1] + (ts[i] - ts[i - 1]) * (j / count) for j in range(count + 1)])
            known = list(trajectory(solver, f, ys[i - 1], marks, params)) if count > 1 else [ys[i - 1], ys[i]]
            carried, off = [weight, *sums], 0.0
            for j in range(count, 0, -1):
                start, limited = _packed([known[j], *carried], dtype), _Limited(slope)
                try:
                    state = trajectory(solver, limited, start, np.stack([marks[j], marks[j - 1]]), params)[-1]
                except _LostError:
                    off = np.inf
                    break
                limited.left = np.inf  # its derivatives are evaluated as often as they need
                again, *carried = _unpacked(state, like)
                off = max(off, _distance(constant_of(again), constant_of(known[j - 1])))
                if off > allowed:
                    break
            if off <= allowed:
                break
        else:
            raise errors.DifferentiationError(
                f"the second derivative of {solver.title} needs the solution backwards, which is lost there: it comes back {off:.2g} off, "
                f"of {_distance(constant_of(ys), 0):.2g}. The equation is too stiff for that, or rtol= and atol= are too coarse"
            )
        weight, *sums = carried
    by_times[0] = -_dot(weight, _vector(f(ts[0], ys[0], *params)))
    return [size * x for x in (weight + g[0], np.stack(by_times), *sums)]


class _LostError(Exception):
    """A solution backwards grows without end."""


class _Limited:
    """A function that gives up after very many evaluations: what a stable equation decays by, its solution backwards grows by."""

    def __init__(self, slope: Slope, left: float = 3000) -> None:
        self.slope, self.left = slope, left

    def __call__(self, t: Any, state: Any, *params: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise _LostError
        return self.slope(t, state, *params)


def _distance(a: Array, b: Any) -> float:
    """Return the largest difference, infinite if it is none."""
    found = float(np.max(abs(a - b), initial=0))
    return found if found == found else np.inf


# --- forward mode ---------------------------------------------------------------------------------


def _first_variation(solver: Solver, f: Slope, tangents: Any, ys: Any, y0: Any, ts: Any, params: Sequence[Any]) -> Any:
    """Return the tangent of y at the times: that of the flow, and what y moves by when its time does."""
    params = _floats(params)
    dy0, dts, *dparams = tangents
    moved = [np.zeros_like(p) if d is None else d for d, p in zip(dparams, params, strict=True)]
    v0 = np.zeros_like(y0) if dy0 is None else dy0
    if dts is not None:
        v0 = v0 - _vector(f(ts[0], y0, *params)) * dts[0]
    like = [constant_of(ys)[0]] * 2
    dtype, n = constant_of(ys).dtype, len(params)

    def slope(t: Any, state: Any, *both: Any) -> Any:
        y, v = _unpacked(state, like)
        value, moving = jvp(lambda y, *p: _vector(f(t, y, *p)), (y, *both[:n]), (v, *both[n:]))
        return _packed([value, moving], dtype)

    found = trajectory(solver, slope, _packed([y0, v0], dtype), ts, [*params, *moved])[:, like[0].size :]
    if dts is None:
        return found
    speeds = np.stack([_vector(f(ts[i], ys[i], *params)) for i in range(len(ts))])
    return found + speeds * np.expand_dims(dts, -1)


# --- what the function depends on -----------------------------------------------------------------


def parameters(fun: Callable[..., Any], args: Any, title: str, probe: Callable[[Callable[..., Any], Any], Any]) -> Any:
    """Return the Tensors that a function depends on, and the function that takes others in their place.

    Parameters
    ----------
    fun : callable
        The user's; Tensors are found in `args`, and in the variables that it closes over.
    args : tuple
        Further arguments, nested containers.
    title : str
        For messages.
    probe : callable
        ``probe(fun, args)`` calls the function once, on a plain y.

    Returns
    -------
    list of Tensor, callable
        ``rebuild(params)`` returns the function and the arguments with `params` in their places.

    Raises
    ------
    DifferentiationError
        If Tensors come from elsewhere: a global, an attribute of an object.
    """
    leaves, unflatten = flatten(args)
    places = [i for i, x in enumerate(leaves) if isinstance(x, Tensor)]
    inside = _Closure(fun)
    tensors = [leaves[i] for i in places] + inside.tensors

    def rebuild(params: Sequence[Any]) -> tuple[Callable[..., Any], Any]:
        new = list(leaves)
        for i, x in zip(places, params, strict=False):
            new[i] = x
        return inside.rebuilt(params[len(places) :]), unflatten(new)

    found = probe(*rebuild([constant_of(x) for x in tensors]))
    refuse_hidden(found, title)
    return tensors, rebuild


def refuse_hidden(found: Any, title: str) -> Any:
    """Return what a function of the user's gave for plain arguments; refuse it if it still depends on Tensors."""
    if any(isinstance(x, Tensor) and x.requires_grad for x in flatten(found)[0]):
        raise errors.DifferentiationError(
            f"the function that {title} integrates depends on Tensors that are neither in args= nor in variables it closes over, but in "
            f"globals or attributes of objects; pass them in args="
        )
    return found


class _Closure:
    """A Python function, with the Tensors in the variables that it closes over, also those of functions among them."""

    def __init__(self, fun: Any, seen: tuple[Any, ...] = ()) -> None:
        self.fun = fun
        self.parts: list[tuple[int, list[Any], list[int], Unflatten] | tuple[int, _Closure]] = []
        self.tensors: list[Tensor] = []
        cells = fun.__closure__ if isinstance(fun, types.FunctionType) and fun.__closure__ else ()
        for k, cell in enumerate(cells):
            try:
                held = cell.cell_contents
            except ValueError:  # a variable that is not set yet
                continue
            if isinstance(held, types.FunctionType):
                if held is fun or held in seen:  # it calls itself
                    continue
                inner = _Closure(held, (*seen, fun))
                if inner.tensors:
                    self.parts.append((k, inner))
                    self.tensors += inner.tensors
            elif holds_tensor(held):
                leaves, unflatten = flatten(held)
                places = [i for i, x in enumerate(leaves) if isinstance(x, Tensor)]
                self.parts.append((k, leaves, places, unflatten))
                self.tensors += [leaves[i] for i in places]

    def rebuilt(self, tensors: Sequence[Any]) -> Any:
        """Return the function with others in the place of its Tensors."""
        if not self.parts:
            return self.fun
        cells, rest = list(self.fun.__closure__), list(tensors)
        for part in self.parts:
            if len(part) == 2:
                k, inner = part
                mine, rest = rest[: len(inner.tensors)], rest[len(inner.tensors) :]
                cells[k] = types.CellType(inner.rebuilt(mine))
            else:
                k, leaves, places, unflatten = part
                new = list(leaves)
                for i in places:
                    new[i] = rest.pop(0)
                cells[k] = types.CellType(unflatten(new))
        f = self.fun
        new_f = types.FunctionType(f.__code__, f.__globals__, f.__name__, f.__defaults__, tuple(cells))
        new_f.__kwdefaults__ = f.__kwdefaults__
        return new_f
