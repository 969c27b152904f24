"""`scipy.integrate`: integrals and solutions of differential equations, differentiable: ``from autograd_np.scipy import integrate``.

- `odeint` and `solve_ivp` are SciPy's forwards and are differentiated by the adjoint method, which solves with the same method and the
  given tolerances: by the initial values, the times, and all Tensors that the function depends on, in ``args=`` or in variables that it
  closes over. What a gradient is worth follows from the tolerances: `solve_ivp` keeps 1e-3 by default. Forward mode and higher orders
  work too; the second derivative of a stiff equation may be refused.
- `quad` is SciPy's forwards; derivatives are those of Gauss's quadrature on the intervals that SciPy found, by the limits and all Tensors
  that the function depends on, to any order. Where that quadrature does not agree with SciPy's value, as at a singularity, there is an
  error.
- `trapezoid`, `simpson` and `cumulative_trapezoid` are differentiable by samples and their places.

Examples
--------
>>> import numpy as np
>>> import autograd_np as ag
>>> from autograd_np.scipy import integrate
>>> def final(k):
...     return integrate.odeint(lambda y, t: -k * y, [1.0], [0.0, 2.0])[-1, 0]
>>> ag.grad(final)(0.5).round(6), round(float(-2 * np.exp(-1.0)), 6)
(np.float64(-0.735759), -0.735759)
>>> ag.grad(lambda a, b: integrate.quad(lambda x: np.exp(-a * x), 0, b)[0], (0, 1))(1.0, 2.0)
(array(-0.59399415), array(0.13533528))
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import integrate

from autograd_np import errors
from autograd_np.node import OPEN, VARIABLES
from autograd_np.op import constant_of
from autograd_np.ops.indexing import along, axis_of
from autograd_np.scipy.mirror import array, covering, holds_tensor, module, standing_for
from autograd_np.scipy.trajectories import Solver, parameters, refuse_hidden, trajectory
from autograd_np.solutions import plain_tree
from autograd_np.tensor import Tensor, stop_gradient

Function = Callable[..., Any]


def _floats(x: Any) -> Any:
    x = array(x)
    return x if x.dtype.kind in "fc" else x.astype(float)


def _nothing_is_recorded() -> bool:
    return not OPEN and not VARIABLES


# --- differential equations -----------------------------------------------------------------------


def _smallest(tolerance: Any, default: float) -> float:
    return default if tolerance is None else float(np.min(tolerance))


def _with_solve_ivp(title: str, method: Any, rtol: Any, atol: Any, **options: Any) -> Solver:
    """Return how `solve_ivp` solves; for an adjoint, which has other elements, with the smallest of tolerances that are given for each."""
    rtol, atol = _smallest(rtol, 1e-3), _smallest(atol, 1e-6)

    def solve(f: Function, y0: Any, first: Any, last: Any, **how: Any) -> Any:
        found = integrate.solve_ivp(f, (float(first), float(last)), y0, method=method, rtol=rtol, atol=atol, **options, **how)
        if not found.success:
            raise errors.DifferentiationError(f"the adjoint of {title} could not be solved: {found.message}")
        return found

    def run(f: Function, y0: Any, ts: Any) -> Any:
        later = ts != ts[0]
        found = np.empty((len(ts), len(y0)), np.result_type(y0, float))
        found[~later] = y0
        if np.any(later):
            found[later] = solve(f, y0, ts[0], ts[-1], t_eval=ts[later]).y.T
        return found

    def interpolated(f: Function, y0: Any, first: Any, last: Any) -> Any:
        if first == last:
            return np.array([first]), lambda _t: y0
        found = solve(f, y0, first, last, dense_output=True)
        return found.t, found.sol

    restarted = _with_solve_ivp(title, "DOP853", rtol, atol, **options) if title.endswith("odeint") and method == "LSODA" else None
    return Solver(run, interpolated, title, rtol, 4 if method == "DOP853" else 3, restarted)


def _probe(y0: Any, t0: Any, tfirst: bool) -> Function:
    """Return what calls the user's function at the start, with plain numbers."""
    y0, t0 = constant_of(y0), float(constant_of(t0))
    return lambda f, args: f(t0, y0, *args) if tfirst else f(y0, t0, *args)


@standing_for(integrate.odeint, "scipy.integrate.odeint")
def odeint(
    func: Function, y0: Any, t: Any, args: Any = (), Dfun: Any = None, col_deriv: Any = 0, full_output: Any = 0,
    ml: Any = None, mu: Any = None, rtol: Any = None, atol: Any = None, tcrit: Any = None, h0: float = 0.0, hmax: float = 0.0,
    hmin: float = 0.0, ixpr: Any = 0, mxstep: int = 0, mxhnil: int = 0, mxordn: int = 12, mxords: int = 5, printmessg: Any = 0,
    tfirst: bool = False,
) -> Any:  # fmt: skip
    """As SciPy's; differentiable by `y0`, `t` and the Tensors that `func` depends on."""
    options: dict[str, Any] = {
        "Dfun": Dfun, "col_deriv": col_deriv, "full_output": full_output, "ml": ml, "mu": mu, "rtol": rtol, "atol": atol, "tcrit": tcrit,
        "h0": h0, "hmax": hmax, "hmin": hmin, "ixpr": ixpr, "mxstep": mxstep, "mxhnil": mxhnil, "mxordn": mxordn, "mxords": mxords,
        "printmessg": printmessg, "tfirst": tfirst,
    }  # fmt: skip
    if _nothing_is_recorded():
        return integrate.odeint(func, y0, t, args, **options)
    args = args if isinstance(args, tuple) else (args,)
    start, times = np.atleast_1d(_floats(y0)), _floats(t)
    tensors, rebuild = parameters(func, args, "scipy.integrate.odeint", _probe(start, times[0], tfirst))
    plain, plain_args = rebuild([constant_of(x) for x in tensors])
    found = integrate.odeint(
        _watched(plain, "scipy.integrate.odeint"), constant_of(start), constant_of(times), plain_args, **{**options, "Dfun": _plain(Dfun)}
    )
    known = found[0] if full_output else found
    if not any(isinstance(x, Tensor) for x in (start, times, *tensors)):
        return found

    def f(t: Any, y: Any, *params: Any) -> Any:
        rebuilt, rest = rebuild(params)
        return rebuilt(t, y, *rest) if tfirst else rebuilt(y, t, *rest)

    default = 1.49012e-8
    solver = _with_solve_ivp(
        "scipy.integrate.odeint", "LSODA", _smallest(rtol, default), _smallest(atol, default), **({"max_step": hmax} if hmax else {})
    )
    ys = trajectory(solver, f, start, times, tensors, known)
    return (ys, found[1]) if full_output else ys


def _watched(f: Function, title: str) -> Function:
    """Return the user's function, refused as soon as it depends on Tensors that were not found."""
    return lambda *args: plain_tree(refuse_hidden(f(*args), title))


def _plain(f: Any) -> Any:
    if f is None or not callable(f):
        return f
    return lambda *args: plain_tree(f(*args))


_KEPT = ("max_step", "min_step")
"""Options of the solver that its adjoint is solved with, too."""


@standing_for(integrate.solve_ivp, "scipy.integrate.solve_ivp")
def solve_ivp(
    fun: Function, t_span: Any, y0: Any, method: Any = "RK45", t_eval: Any = None, dense_output: bool = False, events: Any = None,
    vectorized: bool = False, args: Any = None, **options: Any,
) -> Any:  # fmt: skip
    """As SciPy's; `y` of the result is differentiable by `y0`, `t_span`, `t_eval` and the Tensors that `fun` depends on."""
    given = {"method": method, "dense_output": dense_output, "events": events, "vectorized": vectorized, **options}
    if _nothing_is_recorded():
        return integrate.solve_ivp(fun, t_span, y0, t_eval=t_eval, args=args, **given)
    start, span = _floats(y0), [_floats(x) for x in t_span]
    rest = () if args is None else args if isinstance(args, tuple) else (args,)
    at = constant_of(start)[:, None] if vectorized else constant_of(start)
    tensors, rebuild = parameters(fun, rest, "scipy.integrate.solve_ivp", _probe(at, span[0], True))
    plain, plain_args = rebuild([constant_of(x) for x in tensors])
    asked = None if t_eval is None else _floats(t_eval)
    if "jac" in given:
        given["jac"] = _plain(given["jac"])
    found = integrate.solve_ivp(
        _watched(plain, "scipy.integrate.solve_ivp"), [float(constant_of(x)) for x in span], constant_of(start),
        t_eval=None if asked is None else constant_of(asked), args=plain_args or None, **given,
    )  # fmt: skip
    if not any(isinstance(x, Tensor) for x in (start, *span, asked, *tensors)):
        return found
    for name, value in (("dense_output", dense_output), ("events", events)):
        if value:
            raise errors.NoRowError(f"scipy.integrate.solve_ivp does not cover the argument {name}={value!r:.60} with Tensors; use t_eval=")
    if not found.success:
        raise errors.DifferentiationError(f"scipy.integrate.solve_ivp has failed, and its result depends on Tensors: {found.message}")

    def f(t: Any, y: Any, *params: Any) -> Any:
        rebuilt, more = rebuild(params)
        return rebuilt(t, y[:, None], *more)[:, 0] if vectorized else rebuilt(t, y, *more)

    if asked is None:
        times = np.concatenate([np.reshape(span[0], 1), found.t[1:-1], np.reshape(span[1], 1)])
    else:
        times = np.concatenate([np.reshape(span[0], 1), asked])
    known = found.y.T if asked is None else np.concatenate([constant_of(start)[None], found.y.T])
    kept = {k: v for k, v in options.items() if k in _KEPT}
    solver = _with_solve_ivp("scipy.integrate.solve_ivp", method, options.get("rtol", 1e-3), options.get("atol", 1e-6), **kept)
    ys = trajectory(solver, f, start, times, tensors, known)
    found.y = np.swapaxes(ys if asked is None else ys[1:], 0, 1)
    return found


# --- integrals of functions -----------------------------------------------------------------------

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(20)


@standing_for(integrate.quad, "scipy.integrate.quad")
def quad(func: Function, a: Any, b: Any, args: Any = (), full_output: Any = 0, **options: Any) -> Any:
    """As SciPy's; the integral is differentiable by the limits and the Tensors that `func` depends on."""
    if _nothing_is_recorded():
        return integrate.quad(func, a, b, args, full_output, **options)
    args = args if isinstance(args, tuple) else (args,)
    low, high = float(constant_of(a)), float(constant_of(b))
    plain_args = plain_tree(args)
    depends = holds_tensor((a, b, args))

    def watched(x: Any) -> Any:
        nonlocal depends
        value = func(x, *plain_args)
        depends = depends or (isinstance(value, Tensor) and value.requires_grad)
        return constant_of(value)

    found = integrate.quad(watched, low, high, (), 1, **options)
    if len(found) > 3 and not full_output:
        warnings.warn(found[3], integrate.IntegrationWarning, stacklevel=2)
    result = found if full_output else found[:2]
    if not depends or low == high:
        return result
    for name in ("weight", "points", "complex_func"):
        if options.get(name) is not None and options.get(name) is not False:
            raise errors.NoRowError(f"scipy.integrate.quad does not cover the argument {name}={options[name]!r:.60} with Tensors")
    quadrature = _on_intervals(lambda x: func(x, *args), a, b, found[2], found[2]["last"])
    plain = float(constant_of(quadrature))
    if not abs(plain - found[0]) <= 1e-6 * abs(found[0]) + 1e-9:
        raise errors.DifferentiationError(
            f"the derivative of scipy.integrate.quad is not to be had: Gauss's quadrature on its intervals gives {plain:.10g} for the "
            f"integral, and SciPy {found[0]:.10g}. The function is singular in there; substitute another variable, or split the integral"
        )
    return (found[0] + (quadrature - stop_gradient(quadrature)), *result[1:])


def _on_intervals(f: Function, a: Any, b: Any, info: dict[str, Any], count: int) -> Any:
    """Return the integral by Gauss's quadrature on the intervals into which SciPy divided the range."""
    low, high = float(constant_of(a)), float(constant_of(b))
    half = (info["blist"][:count] - info["alist"][:count])[:, None] / 2
    places = ((info["alist"][:count] + info["blist"][:count])[:, None] / 2 + half * _POINTS).ravel()
    shares = (half * _WEIGHTS).ravel()
    sign, (first, last) = (1, (a, b)) if low < high else (-1, (b, a))
    low, high = min(low, high), max(low, high)
    total: Any = 0.0
    if np.isfinite(low) and np.isfinite(high):
        for x, share in zip((places - low) / (high - low), shares / (high - low), strict=True):
            total = total + share * f(first + (last - first) * x)
        return sign * total * (last - first)
    for s, share in zip(places, shares, strict=True):
        far = (1 - s) / s  # QUADPACK's substitution for an infinite range
        value = f(first + far) if np.isfinite(low) else f(last - far) if np.isfinite(high) else f(far) + f(-far)
        total = total + (share / s**2) * value
    return sign * total


# --- integrals of samples -------------------------------------------------------------------------


def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    return np.trapezoid(array(y), None if x is None else array(x), dx, axis)


def _steps(y: Any, x: Any, dx: Any, axis: int) -> Any:
    if x is None:
        return dx
    x = array(x)
    return np.reshape(np.diff(x), (-1,) + (1,) * (y.ndim - 1 - axis)) if x.ndim == 1 else np.diff(x, axis=axis)


def _cumulative_trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: Any = None) -> Any:
    y = array(y)
    axis = axis_of(axis, y.ndim)
    after, before = y[along(axis, slice(1, None), y.ndim)], y[along(axis, slice(None, -1), y.ndim)]
    found = np.cumsum(_steps(y, x, dx, axis) * (after + before) / 2.0, axis=axis)
    if initial is None:
        return found
    first = np.full((*found.shape[:axis], 1, *found.shape[axis + 1 :]), initial, found.dtype)
    return np.concatenate([first, found], axis=axis)


def _simpson(y: Any, x: Any = None, *, dx: Any = 1.0, axis: int = -1) -> Any:
    """Follow SciPy: pairs of intervals by parabolas; of an odd number of intervals the last one by Cartwright's correction (2017)."""
    y = array(y)
    axis = axis_of(axis, y.ndim)
    n = y.shape[axis]
    h = _steps(y, x, dx, axis)
    if np.ndim(h):
        h = np.broadcast_to(h, (*y.shape[:axis], n - 1, *y.shape[axis + 1 :]))
    else:
        h = np.ones((1,) * axis + (n - 1,) + (1,) * (y.ndim - axis - 1)) * h

    def part(a: Any, start: int, stop: int | None, step: int = 1) -> Any:
        return a[along(axis, slice(start, stop, step), a.ndim)]

    if n == 2:
        return np.sum(h * (part(y, 0, 1) + part(y, 1, 2)) / 2, axis=axis)
    end = n if n % 2 else n - 1
    h0, h1 = part(h, 0, end - 1, 2), part(h, 1, end - 1, 2)
    y0, y1, y2 = part(y, 0, end - 2, 2), part(y, 1, end - 1, 2), part(y, 2, end, 2)
    both = h0 + h1
    found = np.sum(both / 6 * (y0 * (2 - h1 / h0) + y1 * both**2 / (h0 * h1) + y2 * (2 - h0 / h1)), axis=axis)
    if n % 2:
        return found
    h0, h1 = part(h, n - 3, n - 2), part(h, n - 2, n - 1)
    alpha = (2 * h1**2 + 3 * h0 * h1) / (6 * (h1 + h0))
    beta = (h1**2 + 3 * h0 * h1) / (6 * h0)
    eta = h1**3 / (6 * h0 * (h0 + h1))
    return found + np.sum(alpha * part(y, n - 1, n) + beta * part(y, n - 2, n - 1) - eta * part(y, n - 3, n - 2), axis=axis)


_COVERED: dict[str, Function] = {"cumulative_trapezoid": _cumulative_trapezoid, "simpson": _simpson, "trapezoid": _trapezoid}

GIVEN: dict[str, Any] = {
    **{name: covering(getattr(integrate, name), f, f"scipy.integrate.{name}") for name, f in _COVERED.items()},
    "odeint": odeint, "quad": quad, "solve_ivp": solve_ivp,
}  # fmt: skip
"""The names that understand Tensors only here."""

REMARKS = {
    "odeint": "by the initial values, the times and parameters", "quad": "by the limits and parameters; not with weight=, points=",
    "solve_ivp": "by the initial values, the times and parameters; not with events=, dense_output=",
}  # fmt: skip

__getattr__, __dir__, __all__ = module("scipy.integrate", GIVEN)
