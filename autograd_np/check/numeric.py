"""A third opinion: derivatives by finite differences, with an estimate of their own error.

Central differences at shrinking steps are extrapolated to step 0 by Neville's scheme, as proposed by C. Ridders,
"Accurate computation of F'(x) and F'(x) F''(x)", Advances in Engineering Software 4 (1982) 75-76. Every entry of the
tableau comes with an error: what it differs by from its neighbours, plus the noise of the function divided by the step.
Going from the smallest step upward, an entry counts as long as its interval meets those before it (Lepski's rule): so a
step that jumps over a pole, a kink or whole periods of a sine cannot win, however well its own neighbours agree.

The engine takes no part in it. Functions are called with plain float64 arrays, each time with fresh copies.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_np.typing import Array

__all__ = ["Estimate", "derivative", "directional", "elementwise", "gradient"]

EPS = float(np.finfo(float).eps)
DEPTH = 6  # extrapolations; more amplify noise
WINDOW = (-2, -3, -4, -5, -6, -7, -11, -14, -17)  # exponents of the first steps: six to extrapolate, three to prove them
SMALLEST = 26  # the full ladder ends at 2**-26 of the scale: sqrt(eps)
ROWS = 72  # at most so many steps
COARSE = 2.0**-10  # a step that rounding changes by more is not used
TINY = 2.0**-80  # of the complex step


class Estimate(NamedTuple):
    """A derivative, its error, and the size of what was subtracted to find it.

    Attributes
    ----------
    value : ndarray
        NaN where the function has no finite values around the point.
    error : ndarray
        An estimate of the largest deviation; infinite at a kink (the one-sided derivatives differ) and where `value` is NaN.
    scale : ndarray
        Sum of the magnitudes of the changing outputs: rounding alone is about 1e-16 of it by each unit of the variable.
    """

    value: Array
    error: Array
    scale: Array


def derivative(f: Callable[[Array], Any], x: Any, direction: Any) -> tuple[Any, Any]:
    """Return the derivative of `f` at `x` along `direction`, and an estimate of its error.

    Parameters
    ----------
    f : callable
        Takes an array like `x`; returns a scalar, or an array (then each of its elements is differentiated).
    x, direction : array_like
        Of equal shapes. Any scale will do: steps are relative to the elements of `x`.

    Returns
    -------
    value, error : float, or float64 arrays of the shape of the result
        `error` is infinite where the answer is inconclusive: at a kink, or where `f` is not finite.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> value, error = derivative(np.sin, 1e9, 1.0)
    >>> bool(abs(value - np.cos(1e9)) <= error < 1e-9)
    True
    >>> derivative(np.abs, 0.0, 1.0)[1]
    inf
    """
    x, direction = np.array(x, dtype=float), np.array(direction, dtype=float)
    if x.shape != direction.shape:
        raise ValueError(f"derivative got a direction of shape {direction.shape}, expected the shape of the point, {x.shape}")
    shape = np.shape(f(x.copy()))
    value, error, _ = directional(f, x, direction)
    return (float(value[0]), float(error[0])) if shape == () else (value.reshape(shape), error.reshape(shape))


def gradient(
    f: Callable[..., Any], args: Sequence[Any], argnum: int = 0, indices: Sequence[tuple[int, ...]] | None = None
) -> tuple[Array, Array]:
    """Return the gradient of the scalar function `f` by one of its arguments, and an estimate of its errors.

    Parameters
    ----------
    f : callable
        Returns a scalar, shape () or one element.
    args : sequence
        All arguments. Floating arrays and numbers reach `f` as float64 arrays, anything else as it is.
    argnum : int
        Which one to differentiate by.
    indices : sequence of index tuples, optional
        Which elements; all by default.

    Returns
    -------
    values, errors : float64 arrays
        Of the argument's shape, or one entry an index. An infinite error marks an inconclusive element.

    Raises
    ------
    ValueError
        If `f` does not return one element.

    Examples
    --------
    >>> import numpy as np
    >>> values, errors = gradient(lambda w, x: np.sum(w * x**2), [np.ones(2), np.array([3.0, 1e-9])], 1)
    >>> np.allclose(values, [6.0, 2e-9], rtol=1e-9, atol=0), bool(np.all(errors < 1e-9))
    (True, True)
    """
    size = np.size(f(*_fresh(args)))
    if size != 1:
        raise ValueError(f"gradient needs a function that returns a scalar, got {size} elements; contract it, or use elementwise()")
    shape = np.shape(args[argnum])
    chosen = list(np.ndindex(*shape)) if indices is None else list(indices)
    values, errors, _ = elementwise(f, args, argnum, chosen)
    return (values, errors) if indices is not None else (values.reshape(shape), errors.reshape(shape))


def elementwise(
    f: Callable[..., Any], args: Sequence[Any], argnum: int, indices: Sequence[tuple[int, ...]], cotangent: Array | None = None
) -> Estimate:
    """Return the derivatives of ``sum(cotangent * f(*args))`` by single elements of an argument.

    The cotangent is applied to differences of `f`, so outputs that do not change contribute no rounding.

    Parameters
    ----------
    f : callable
        Returns one array.
    args : sequence
        All arguments.
    argnum : int
        Which one is differentiated.
    indices : sequence of index tuples
        Its elements.
    cotangent : array, optional
        Of the shape of the result; ones by default.

    Returns
    -------
    Estimate
        One entry an index.
    """
    x = np.array(args[argnum], dtype=float)
    weights = None if cotangent is None else np.ravel(np.asarray(cotangent, dtype=float))

    def at(moved: Array) -> Any:
        return f(*_fresh(args[:argnum]), moved, *_fresh(args[argnum + 1 :]))

    base = _flat(at(x.copy()))
    weights = np.ones_like(base) if weights is None else weights
    found = [_along(at, base, x, _unit(x.shape, index), weights) for index in indices]
    value, error, scale = (np.array([getattr(e, part)[0] for e in found]) for part in Estimate._fields)
    sizes = np.array([max(abs(x[index]), 1.0) for index in indices])
    stepped = np.array([_complex_step(at, x, index, weights) for index in indices]) if _worth_a_complex_step(at, x) else None
    if stepped is not None:
        sure = np.isfinite(error) & (error <= 1e-5 * abs(value))
        agrees = abs(stepped - value) <= 4 * error + 1e-7 * abs(value) * (error > 0)
        # one refutation shows that f is not analytic: abs, maximum or a cast somewhere; then no element is believed
        if sure.any() and agrees[np.isfinite(error)].all():
            # more than the rounding of the result: f lost digits inside, where the complex step loses them unseen
            better = np.isfinite(stepped) & (error <= np.maximum(1e-5 * abs(stepped), 1e-9 * scale / sizes))
            value = np.where(better, stepped, value)
            error = np.where(better, np.minimum(error, 8 * EPS * (abs(stepped) + scale / sizes)), error)
    return Estimate(value, error, scale)


def directional(
    f: Callable[[Array], Any],
    x: Array,
    direction: Array,
    cotangent: Array | None = None,
    *,
    scale: Array | float = 0.0,
    piecewise: bool = False,
) -> Estimate:
    """Return the derivatives of all elements of ``f(x)``, flattened, along `direction`; or of their sum with `cotangent`.

    Entries of `direction` that are powers of two are added to `x` without rounding. `scale` is the size of what `f` subtracted
    inside, if that is known to be larger than its result: the result then carries so much more rounding. A `piecewise` constant
    `f`, as the gradient of a ReLU network is, has stairs by right; elsewhere they are a sign of lost digits.
    """
    weights = None if cotangent is None else np.ravel(np.asarray(cotangent, dtype=float))
    return _along(f, _flat(f(x.copy())), x, direction, weights, scale, piecewise)


# --- steps ----------------------------------------------------------------------------------------


class _Row(NamedTuple):
    """One step: central and second difference, and how far rounding of ``x ± step * direction`` turned the direction."""

    step: float
    central: Array
    second: Array
    slack: float


class _Steps:
    """What `f` does at ``x ± step * direction``: differences, contracted with `weights` if there are any."""

    def __init__(self, f: Callable[[Array], Any], base: Array, x: Array, direction: Array, weights: Array | None, own: float) -> None:
        self.f, self.base, self.x, self.direction, self.weights, self.own = f, base, x, direction, weights, own
        self.moving = direction != 0
        self.piecewise = False
        self.known: dict[int, _Row] = {}
        self.noise = np.zeros(base.size if weights is None else 1)  # largest size of what changed

    def row(self, exponent: int) -> _Row:
        if exponent not in self.known:
            self.known[exponent] = self._row(math.ldexp(1.0, exponent))
        return self.known[exponent]

    def _row(self, step: float) -> _Row:
        ahead, behind = self.x + step * self.direction, self.x - step * self.direction
        moved = (ahead - behind)[self.moving] / self.direction[self.moving]
        effective = float(np.mean(moved)) / 2
        slack = float(np.max(abs(moved / (2 * effective) - 1))) if effective > 0 else np.inf
        if not slack < COARSE:
            nothing = np.full(self.noise.shape, np.nan)
            return _Row(step, nothing, nothing, np.inf)
        up, down = self._value(ahead) - self.base, self.base - self._value(behind)
        size = np.where((self.base == 0) & (step <= self.own), np.fmax(abs(up), abs(down)), abs(self.base))
        changed = np.where((up != 0) | (down != 0), size, 0.0)
        if self.weights is not None:
            up, down = np.array([np.sum(self.weights * up)]), np.array([np.sum(self.weights * down)])
            changed = np.array([np.sum(abs(self.weights) * changed)])
        self.noise = np.fmax(self.noise, changed)
        return _Row(effective, (up + down) / (2 * effective), (up - down) / effective, slack)

    def _value(self, moved: Array) -> Array:
        try:
            value = _flat(self.f(moved))
        except (ArithmeticError, ValueError):  # outside its domain, as math.log(-1)
            return np.full_like(self.base, np.nan)
        return value if value.shape == self.base.shape else np.full_like(self.base, np.nan)


def _along(
    f: Callable[[Array], Any],
    base: Array,
    x: Array,
    direction: Array,
    weights: Array | None,
    scale: Array | float = 0.0,
    piecewise: bool = False,
) -> Estimate:
    """Extrapolate along one direction: first a short window of steps; where that is not precise, the whole ladder."""
    moving = direction != 0
    if not moving.any():
        zero = np.zeros(base.size if weights is None else 1)
        return Estimate(zero, zero, zero)
    magnitude = abs(x[x != 0])
    typical = float(np.median(magnitude)) if magnitude.size else 1.0
    ones = 1 / abs(direction[moving])
    scales = np.where(x == 0, typical, abs(x))[moving] * ones
    own, low, high = (math.frexp(s)[1] for s in (np.median(scales), min(scales.min(), ones.min()), max(scales.max(), ones.max())))
    steps = _Steps(f, base, x, direction, weights, math.ldexp(1.0, own))
    steps.noise = steps.noise + scale
    steps.piecewise = piecewise
    with np.errstate(all="ignore"):
        steps.row(high - 2)  # a long step shows which outputs can change at all, so how much rounding there is
        found = _settle(steps, [own + k for k in WINDOW])
        enough = np.maximum(1e-10 * abs(found.value), 1e-13 * found.scale / max(2.0**own, 1.0))
        if not np.all(found.error <= enough):
            lowest = low - SMALLEST
            whole = _settle(steps, list(range(min(high - 2, lowest + ROWS), lowest - 1, -1)))
            kink = np.isinf(whole.error) & np.isfinite(whole.value)
            better = (whole.error < found.error) | kink | ~np.isfinite(found.error)
            # the first window saw no more than its own steps: where the ladder contradicts it, the ladder is right
            better |= abs(whole.value - found.value) > 2 * (whole.error + found.error)
            found = Estimate(*(np.where(better, w, v) for w, v in zip(whole, found, strict=True)))
    return found


def _settle(steps: _Steps, exponents: list[int]) -> Estimate:
    rows = [steps.row(k) for k in exponents]
    rows = [r for r in rows if np.isfinite(r.slack)]
    rows = [r for i, r in enumerate(rows) if i == 0 or r.step < rows[i - 1].step]
    if not rows:
        return Estimate(np.full_like(steps.noise, np.nan), np.full_like(steps.noise, np.inf), steps.noise)
    h = np.array([r.step for r in rows])
    central, second = np.array([r.central for r in rows]), np.array([r.second for r in rows])
    slack = np.array([r.slack for r in rows])[:, None] * abs(central)
    noise = _noise(h, central, EPS * steps.noise)
    value, error = _limit(h, central, 2 * noise / h[:, None] + slack, power=2, depth=DEPTH)
    jump, doubt = _limit(h, second, 8 * noise / h[:, None] + 4 * slack, power=1, depth=2)
    magnitude = np.fmax(abs(value), np.nanmax(abs(central), axis=0, initial=0.0) * 1e-6)
    kink = (abs(jump) > 2 * doubt) & (abs(jump) > 1e-7 * magnitude) & np.isfinite(jump)
    unknown = kink | ~np.isfinite(value)
    if not steps.piecewise:
        unknown |= _staircase(h, central, second, 256 * EPS * steps.noise)
    return Estimate(value, np.where(unknown, np.inf, error), steps.noise)


def _staircase(h: Array, central: Array, second: Array, usual: Array) -> Array:
    """Say which outputs are staircases: flat for short steps, and climbing stair by stair for longer ones.

    Rounding makes them, where `f` loses digits inside (log(1 - p) with p near 1), and so do floor and round seen from afar; the
    slope of a stair says nothing about the slope of the stairs. A kink or a single jump further away is no staircase: next to a
    kink one side moves, in proportion; after a jump nothing moves any more. Stairs of the `usual` rounding are part of the noise.
    """
    up, down = abs(h[:, None] * (2 * central + second) / 2), abs(h[:, None] * (2 * central - second) / 2)
    still = (up == 0) & (down == 0)
    found = np.zeros(still.shape[1:], dtype=bool)
    for k in np.flatnonzero(still[-1] & ~still.all(axis=0)):
        first = int(np.flatnonzero(~still[:, k])[-1])  # the smallest step that changes something
        moved = np.maximum(up, down)[:, k]
        both = min(up[first, k], down[first, k]) > 0.9 * moved[first]
        rests = first > 0 and moved[first - 1] < (1 + 1e-6) * moved[first]
        climbs = np.sum(moved[:first] > 1.5 * moved[1 : first + 1])  # so many doublings of the step went up; a few jumps do not
        found[k] = (both or rests) and moved[first] > usual[k] and climbs >= 4
    return found


def _noise(h: Array, central: Array, least: Array) -> Array:
    """Return the noise of the function: the `least` there is, or what the smallest steps show if that is more."""
    small = [i for i in range(1, len(h)) if h[i] <= 16 * h[-1] or i >= len(h) - 3]
    once = [central[i] + (central[i] - central[i - 1]) / ((h[i - 1] / h[i]) ** 2 - 1) for i in small]
    seen = [abs(b - a) * h[i] for i, a, b in zip(small[1:], once, once[1:], strict=False)]
    for s in seen:
        least = np.fmax(least, s)
    return least


def _limit(h: Array, rows: Array, floors: Array, *, power: int, depth: int) -> tuple[Array, Array]:
    """Extrapolate ``rows(h)``, a polynomial in ``h**power``, to h = 0; return the limit and its error, at least `floors` of the step."""
    previous: list[Array] = []
    candidates = []
    for i, row in enumerate(rows):
        entries = [row]
        best, error = row, np.full(row.shape, np.inf)
        for j in range(1, min(i, depth) + 1):
            new = entries[-1] + (entries[-1] - previous[j - 1]) / ((h[i - j] / h[i]) ** power - 1)
            estimate = np.maximum(abs(new - entries[-1]), abs(new - previous[j - 1])) + floors[i]
            better = estimate < error
            best, error = np.where(better, new, best), np.where(better, estimate, error)
            entries.append(new)
        previous = entries
        candidates.append((best, error))
    shape = rows.shape[1:]
    value, error = np.full(shape, np.nan), np.full(shape, np.inf)
    low, high, alive = np.full(shape, -np.inf), np.full(shape, np.inf), np.full(shape, True)
    for v, e in reversed(candidates):
        finite = np.isfinite(v) & np.isfinite(e)
        meets = finite & (v - 2 * e <= high) & (v + 2 * e >= low)
        alive &= meets | (~finite & np.isinf(error))
        use = alive & meets
        low, high = np.where(use, np.maximum(low, v - 2 * e), low), np.where(use, np.minimum(high, v + 2 * e), high)
        better = use & (e < error)
        value, error = np.where(better, v, value), np.where(better, e, error)
    return value, error


# --- the complex step -----------------------------------------------------------------------------


def _worth_a_complex_step(f: Callable[[Array], Any], x: Array) -> bool:
    """Whether `f` computes on complex numbers at all."""
    value = _complex(f, x.astype(complex))
    return value is not None and value.dtype.kind == "c"


def _complex_step(f: Callable[[Array], Any], x: Array, index: tuple[int, ...], weights: Array) -> float:
    """Return Im f(x + ih) / h: for an analytic `f` the derivative to rounding, as nothing is subtracted."""
    moved = x.astype(complex)
    step = TINY * (abs(x[index]) or 1.0)
    moved[index] += 1j * step
    value = _complex(f, moved)
    if value is None or value.shape != weights.shape:
        return math.nan
    return float(np.sum(weights * (np.imag(value) / step)))


def _complex(f: Callable[[Array], Any], x: Array) -> Array | None:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a cast that drops the imaginary part warns; the differences then refute it
        try:
            return np.ravel(np.asarray(f(x)))
        except Exception:  # noqa: BLE001  # the user's function need not know complex numbers, and may say so in any way
            return None


# --- arrays ---------------------------------------------------------------------------------------


def _fresh(args: Sequence[Any]) -> list[Any]:
    """Copy arrays, so that a function that writes into its arguments changes nothing; floats become float64."""
    fresh = []
    for a in args:
        if isinstance(a, (np.ndarray, np.generic)):
            fresh.append(np.array(a, dtype=float if a.dtype.kind == "f" else None))
        else:
            fresh.append(np.array(a) if type(a) is float else a)
    return fresh


def _flat(value: Any) -> Array:
    return np.ravel(np.asarray(value, dtype=float))


def _unit(shape: tuple[int, ...], index: tuple[int, ...]) -> Array:
    unit = np.zeros(shape)
    unit[index] = 1.0
    return unit
