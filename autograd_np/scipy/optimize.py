"""`scipy.optimize`, whose solutions are differentiable: ``from autograd_np.scipy.optimize import minimize``.

SciPy solves, on plain arrays. What it found is then made differentiable through the condition that it fulfils (`ag.implicit`): that the
function is zero, or the gradient of what is minimised. Derivatives are by all that the function depends on, whether it is given in
``args=`` or closed over, to any order; by where the search starts and by brackets they are zero. The function has to be written in
NumPy. What does not depend on a Tensor is SciPy's answer as it is.

Examples
--------
>>> import numpy as np
>>> import autograd_np as ag
>>> from autograd_np.scipy import optimize
>>> ag.grad(lambda a: optimize.brentq(lambda x, a: x**2 - a, 0, 10, args=(a,)))(4.0)
array(0.25)
>>> def ridge(strength):
...     found = optimize.minimize(lambda w: np.sum((w - 1.0) ** 2) + strength * np.sum(w**2), np.zeros(2))
...     return np.sum(found.x)
>>> ag.grad(ridge)(1.0).round(6), ag.grad(ag.grad(ridge))(1.0).round(6)
(np.float64(-0.5), np.float64(0.5))
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize as scipys  # which has a module `optimize` itself

from autograd_np import errors
from autograd_np.modes import no_grad
from autograd_np.node import OPEN, VARIABLES
from autograd_np.scipy.mirror import holds_tensor, module, standing_for
from autograd_np.solutions import attached, plain_tree
from autograd_np.tensor import Tensor
from autograd_np.transforms import grad
from autograd_np.trees import flatten

Function = Callable[..., Any]


def _plain(f: Any) -> Any:
    """Return a function of the user's with plain results, as SciPy wants them; of anything else its plain values."""
    if not callable(f) or isinstance(f, (type, Tensor)):
        return plain_tree(f) if holds_tensor(f) else f

    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        found = f(*args, **kwargs)
        return plain_tree(found) if any(isinstance(x, Tensor) for x in flatten(found)[0]) else found

    return call


def _arguments(args: Any) -> tuple[Any, ...]:
    return args if isinstance(args, tuple) else (args,)


def _run(real: Function, fun: Function, rest: tuple[Any, ...], args: Any, options: dict[str, Any]) -> Any:
    """Let SciPy solve with plain arrays and plain results."""
    with no_grad():
        return real(_plain(fun), *map(_plain, rest), args=plain_tree(_arguments(args)), **{k: _plain(v) for k, v in options.items()})


def _depends(fun: Function, x: Any, args: Any, named: Any = None) -> bool:
    """Whether a function depends on Tensors, by arguments or by what it closes over: its value at the solution tells."""
    if holds_tensor(args) or holds_tensor(named):
        return True
    return any(isinstance(y, Tensor) and y.requires_grad for y in flatten(fun(x, *_arguments(args), **(named or {})))[0])


def _nothing_is_recorded() -> bool:
    return not OPEN and not VARIABLES


def _first(f: Function, pairs: bool) -> Function:
    """Return a function that gives its value alone, if it returns its derivative, too."""
    return (lambda *a: f(*a)[0]) if pairs else f


# --- roots ----------------------------------------------------------------------------------------


@standing_for(scipys.root, "scipy.optimize.root")
def root(fun: Function, x0: Any, args: Any = (), method: str = "hybr", jac: Any = None, **options: Any) -> Any:
    """As SciPy's; `x` of the result is differentiable."""
    if _nothing_is_recorded():
        return scipys.root(fun, x0, args, method, jac, **options)
    found = _run(scipys.root, fun, (x0,), args, {"method": method, "jac": jac, **options})
    if _depends(fun, found.x, args):
        value = _first(fun, jac is True)
        found.x = attached(found.x, lambda x: value(x, *_arguments(args)), "scipy.optimize.root")
    return found


@standing_for(scipys.root_scalar, "scipy.optimize.root_scalar")
def root_scalar(f: Function, args: Any = (), **options: Any) -> Any:
    """As SciPy's; `root` of the result is differentiable."""
    if _nothing_is_recorded():
        return scipys.root_scalar(f, args, **options)
    found = _run(scipys.root_scalar, f, (), args, options)
    if _depends(f, found.root, args):
        pairs = any(options.get(name) is True for name in ("fprime", "fprime2"))
        value = _first(f, pairs)
        found.root = attached(found.root, lambda x: value(x, *_arguments(args)), "scipy.optimize.root_scalar")
    return found


def _of_function(name: str, count: int, condition: Callable[[Function], Function] = lambda f: f) -> Function:
    """Return a solver whose first result is the solution, and that takes `count` arguments between the function and ``args``."""
    real = getattr(scipys, name)

    @standing_for(real, f"scipy.optimize.{name}")
    def call(f: Function, *rest: Any, **options: Any) -> Any:
        if _nothing_is_recorded():
            return real(f, *rest, **options)
        rest, late = rest[:count], rest[count:]
        if late:
            options = {**dict(zip(_NAMES[name], late, strict=False)), **options}
        args = options.pop("args", ())
        found = _run(real, f, rest, args, options)
        several = isinstance(found, tuple)
        solution = found[0] if several else found
        if not _depends(f, solution, args):
            return found
        solution = attached(solution, lambda x: condition(f)(x, *_arguments(args)), f"scipy.optimize.{name}")
        return (solution, *found[1:]) if several else solution

    return call


_BRACKETED = ("args", "xtol", "rtol", "maxiter", "full_output", "disp")
_NAMES: dict[str, tuple[str, ...]] = {
    "bisect": _BRACKETED, "brenth": _BRACKETED, "brentq": _BRACKETED, "ridder": _BRACKETED,
    "toms748": ("args", "k", "xtol", "rtol", "maxiter", "full_output", "disp"),
    "newton": ("fprime", "args", "tol", "maxiter", "fprime2", "x1", "rtol", "full_output", "disp"),
    "fsolve": ("args", "fprime", "full_output", "col_deriv", "xtol", "maxfev", "band", "epsfcn", "factor", "diag"),
    "fixed_point": ("args", "xtol", "maxiter", "method"),
}  # fmt: skip


# --- minima ---------------------------------------------------------------------------------------


def _slope(fun: Function, jac: Any, args: Any) -> Function:
    """Return the gradient by the unknowns: the user's, if it is given, otherwise the engine's."""
    if callable(jac):
        return lambda x: jac(x, *_arguments(args))
    if jac is True:
        return lambda x: fun(x, *_arguments(args))[1]
    return lambda x: grad(lambda x: fun(x, *_arguments(args)))(x)


def _bounds(bounds: Any, size: int) -> tuple[list[Any], list[Any]]:
    """Return the lower and the upper bounds, one for each unknown; they may be Tensors."""
    if isinstance(bounds, scipys.Bounds):
        return [list(np.broadcast_to(b, (size,))) for b in (bounds.lb, bounds.ub)]  # type: ignore[return-value]
    pairs = list(bounds)
    return [-np.inf if low is None else low for low, _ in pairs], [np.inf if high is None else high for _, high in pairs]


def _within(slope: Function, bounds: Any, at: Any) -> Function:
    """Return the condition at a minimum within bounds: an unknown at its bound is that bound, the others have no slope."""
    if bounds is None:
        return slope
    low, high = _bounds(bounds, at.size)
    plain_low, plain_high = (np.asarray([float(plain_tree(b)) for b in side]) for side in (low, high))
    lies = [next((b for b, p in ((lo, pl), (hi, ph)) if np.isfinite(p) and abs(x - p) <= 1e-10 * (1 + abs(p))), None)
            for x, lo, hi, pl, ph in zip(at, low, high, plain_low, plain_high, strict=True)]  # fmt: skip
    if all(b is None for b in lies):
        return slope
    held = np.array([b is not None for b in lies])
    wall = np.stack([x if b is None else b + np.zeros(()) for x, b in zip(at, lies, strict=True)])
    return lambda x: np.where(held, x - wall, slope(x))


@standing_for(scipys.minimize, "scipy.optimize.minimize")
def minimize(
    fun: Function, x0: Any, args: Any = (), method: Any = None, jac: Any = None, hess: Any = None, hessp: Any = None,
    bounds: Any = None, constraints: Any = (), **options: Any,
) -> Any:  # fmt: skip
    """As SciPy's; `x` and `fun` of the result are differentiable, `x` by bounds too where it lies on them."""
    given = {"method": method, "jac": jac, "hess": hess, "hessp": hessp, "bounds": bounds, "constraints": constraints, **options}
    if _nothing_is_recorded():
        return scipys.minimize(fun, x0, args, **given)
    tied = holds_tensor(bounds) if not isinstance(bounds, scipys.Bounds) else False
    found = _run(scipys.minimize, fun, (x0,), args, given)
    if not tied and not _depends(fun, found.x, args):
        return found
    if not isinstance(constraints, (tuple, list)) or len(constraints):
        raise errors.NoRowError(
            "scipy.optimize.minimize with constraints is not differentiable here, and its solution depends on Tensors; put equations into "
            "the unknowns, or give the conditions at the minimum, with multipliers, to ag.implicit"
        )
    found.x = attached(found.x, _within(_slope(fun, jac, args), bounds, found.x), "scipy.optimize.minimize")
    found.fun = _first(fun, jac is True)(found.x, *_arguments(args))
    return found


@standing_for(scipys.minimize_scalar, "scipy.optimize.minimize_scalar")
def minimize_scalar(fun: Function, bracket: Any = None, bounds: Any = None, args: Any = (), **options: Any) -> Any:
    """As SciPy's; `x` and `fun` of the result are differentiable."""
    given = {"bracket": bracket, "bounds": bounds, **options}
    if _nothing_is_recorded():
        return scipys.minimize_scalar(fun, args=args, **given)
    found = _run(scipys.minimize_scalar, fun, (), args, given)
    if _depends(fun, found.x, args):
        found.x = attached(found.x, _slope(fun, None, args), "scipy.optimize.minimize_scalar")
        found.fun = fun(found.x, *_arguments(args))
    return found


@standing_for(scipys.least_squares, "scipy.optimize.least_squares")
def least_squares(fun: Function, x0: Any, jac: Any = "2-point", bounds: Any = (-np.inf, np.inf), **options: Any) -> Any:
    """As SciPy's; `x` and `cost` of the result are differentiable."""
    given = {"jac": jac, "bounds": bounds, **options}
    if _nothing_is_recorded():
        return scipys.least_squares(fun, x0, **given)
    args, named = given.pop("args", ()), given.get("kwargs") or {}
    given["kwargs"] = plain_tree(named)
    found = _run(scipys.least_squares, fun, (x0,), args, given)
    if not _depends(fun, found.x, args, named):
        return found
    if given.get("loss", "linear") != "linear":
        raise errors.NoRowError(f"scipy.optimize.least_squares covers loss='linear' with Tensors, got {given['loss']!r}")

    def cost(x: Any) -> Any:
        return 0.5 * np.sum(fun(x, *_arguments(args), **named) ** 2)

    low, high = bounds if not isinstance(bounds, scipys.Bounds) else (bounds.lb, bounds.ub)
    pairs = list(zip(np.broadcast_to(low, found.x.shape), np.broadcast_to(high, found.x.shape), strict=True))
    found.x = attached(found.x, _within(lambda x: grad(cost)(x), pairs, found.x), "scipy.optimize.least_squares")
    found.cost = cost(found.x)
    return found


# --- what is not differentiated -------------------------------------------------------------------


def _refused(name: str, instead: str) -> Function:
    """Return a function of SciPy's that refuses to search for what depends on Tensors.

    It computes in Python, or with numbers that it was given: what came back could look like a constant.
    """
    real = getattr(scipys, name)

    @standing_for(real, f"scipy.optimize.{name}")
    def search(*args: Any, **options: Any) -> Any:
        named = next(iter(inspect.signature(real).parameters))
        fun, rest = (args[0], args[1:]) if args else (options.get(named), ())
        if _nothing_is_recorded() or not callable(fun):
            return real(*args, **options)
        others = {k: v for k, v in options.items() if k != named}
        refusal = errors.NoRowError(
            f"scipy.optimize.{name} is not differentiable here, and its function depends on Tensors; write {instead} of "
            f"autograd_np.scipy.optimize, or give what found the solution to ag.implicit"
        )

        @functools.wraps(fun, updated=())
        def watched(*given: Any, **named: Any) -> Any:
            found = fun(*given, **named)
            if any(isinstance(y, Tensor) and y.requires_grad for y in flatten(found)[0]):
                raise refusal
            return found

        if holds_tensor(rest) or holds_tensor(others):
            raise refusal
        try:
            return real(watched, *rest, **others)
        except Exception as error:
            if error is not refusal and refusal.__traceback__ is not None:  # SciPy made another of it
                raise refusal from error
            raise

    return search


_INSTEAD = {
    "minimize": "basinhopping brute differential_evolution direct dual_annealing fmin fmin_bfgs fmin_cg fmin_cobyla fmin_l_bfgs_b fmin_ncg "
    "fmin_powell fmin_slsqp fmin_tnc shgo",
    "minimize_scalar": "bracket brent fminbound golden",
    "root": "anderson broyden1 broyden2 diagbroyden excitingmixing linearmixing newton_krylov",
    "least_squares": "curve_fit leastsq",
}
REFUSED = {name: _refused(name, instead) for instead, names in _INSTEAD.items() for name in names.split() if hasattr(scipys, name)}
"""The names that compute what does not depend on Tensors, and are refused otherwise."""

GIVEN: dict[str, Any] = {
    "least_squares": least_squares, "minimize": minimize, "minimize_scalar": minimize_scalar, "root": root, "root_scalar": root_scalar,
    "fixed_point": _of_function("fixed_point", 1, lambda f: lambda x, *args: x - f(x, *args)),
    "fsolve": _of_function("fsolve", 1), "newton": _of_function("newton", 1),
    **{name: _of_function(name, 2) for name in ("bisect", "brenth", "brentq", "ridder", "toms748")},
}  # fmt: skip
"""The names whose solutions are differentiable here."""

REMARKS = {
    "minimize": "the solution and the minimum, within bounds; not with constraints", "least_squares": "with loss='linear'",
    "newton": "each element of an array", "root": "the solution",
}  # fmt: skip

__getattr__, __dir__, __all__ = module("scipy.optimize", {**REFUSED, **GIVEN})
