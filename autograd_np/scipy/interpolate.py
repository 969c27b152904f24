"""`scipy.interpolate`, whose interpolants understand Tensors: ``from autograd_np.scipy.interpolate import CubicSpline``.

Evaluation is differentiable by the point, to any order, and by the values or coefficients, in which it is linear (`PchipInterpolator`
but for kinks, where slopes change sign). Places of samples, knots and grids are numbers without a gradient. The classes are
SciPy's, with all their methods, on plain arrays; of Tensors they can be evaluated.

Examples
--------
>>> import numpy as np
>>> import autograd_np as ag
>>> from autograd_np.scipy.interpolate import CubicSpline, interp1d
>>> x = np.array([0.0, 1.0, 2.0, 3.0])
>>> ag.grad(CubicSpline(x, x**3))(1.5), ag.grad(ag.grad(CubicSpline(x, x**3)))(1.5)
(array(6.75), array(9.))
>>> ag.grad(lambda y: interp1d(x, y)(1.25))(x)
array([0.  , 0.75, 0.25, 0.  ])
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from scipy import interpolate as scipys  # which has a module `interpolate` itself

from autograd_np.calls import plain
from autograd_np.errors import NoRowError
from autograd_np.op import constant_of
from autograd_np.scipy.mirror import array, holds_tensor, module

# --- evaluation -----------------------------------------------------------------------------------


def _places(x: Any, what: str) -> Any:
    """Return the places of samples, which have no gradient."""
    return np.asarray(plain(x, what, []), float)


def _reached(x: Any, first: Any, last: Any, extrapolate: Any) -> tuple[Any, Any]:
    """Return points, back in the first period if they are periodic, and where there is no value."""
    if isinstance(extrapolate, str) and extrapolate == "periodic":
        return first + np.mod(x - first, last - first), None
    at = constant_of(x)
    return x, None if extrapolate else (at < first) | (at > last)


def _shown(found: Any, outside: Any, x: Any, axis: int) -> Any:
    """Put NaN where there is no value, and the axes of the points in the place of the axis of the samples."""
    if outside is not None and np.any(outside):
        found = np.where(np.reshape(outside, outside.shape + (1,) * (found.ndim - x.ndim)), np.nan, found)
    if axis and x.ndim:
        found = np.moveaxis(found, tuple(range(x.ndim)), tuple(range(axis, axis + x.ndim)))
    return found


def _piecewise(c: Any, breaks: Any, x: Any, nu: int, extrapolate: Any, axis: int) -> Any:
    """Evaluate a derivative of piecewise polynomials, whose coefficients lie along the first axis, the highest power first."""
    x = array(x)
    x = x if x.dtype.kind == "f" else x.astype(float)
    x, outside = _reached(x, breaks[0], breaks[-1], extrapolate)
    i = np.clip(np.searchsorted(breaks, constant_of(x), side="right") - 1, 0, len(breaks) - 2)
    s = np.reshape(x - breaks[i], x.shape + (1,) * (c.ndim - 2))
    degree = c.shape[0] - 1
    found: Any = np.zeros(x.shape + c.shape[2:])
    for power in range(degree, nu - 1, -1):
        factor = float(np.prod(np.arange(power - nu + 1, power + 1)))
        found = found * s + factor * c[degree - power][i]
    return _shown(found, outside, x, axis)


def _b_spline(t: Any, c: Any, k: int, x: Any, nu: int, extrapolate: Any, axis: int) -> Any:
    """Evaluate a derivative of a spline by de Boor's algorithm (1972), its coefficients along the first axis."""
    x = array(x)
    x = x if x.dtype.kind == "f" else x.astype(float)
    n = len(t) - k - 1
    x, outside = _reached(x, t[k], t[n], extrapolate)
    c = c[:n]
    if nu > k:
        return _shown(np.zeros(x.shape + c.shape[1:]) + 0 * np.sum(c), outside, x, axis)
    for _ in range(nu):  # the coefficients of the derivative, whose degree is smaller by one
        gaps = t[k + 1 : -1] - t[1 : -k - 1]
        shares = np.reshape(np.where(gaps > 0, k / np.where(gaps > 0, gaps, 1), 0), (-1,) + (1,) * (c.ndim - 1))
        c, t, k = np.diff(c, axis=0) * shares, t[1:-1], k - 1
    at = np.clip(np.searchsorted(t, constant_of(x), side="right") - 1, k, len(t) - k - 2)
    over = np.reshape(x, x.shape + (1,) * (c.ndim - 1))
    wide = (1,) * (c.ndim - 1)
    d = [c[at - k + j] for j in range(k + 1)]
    for r in range(1, k + 1):
        for j in range(k, r - 1, -1):
            low, high = (np.reshape(t[at + m], x.shape + wide) for m in (j - k, j + 1 - r))
            share = (over - low) / (high - low)
            d[j] = (1 - share) * d[j - 1] + share * d[j]
    return _shown(d[k], outside, x, axis)


# --- classes of SciPy's, evaluated with Tensors ---------------------------------------------------


class _Evaluated:
    """What the classes below add to SciPy's: their coefficients may be Tensors, and so may the points."""

    _of_tensors: Any = None  # coefficients, in the place of `c`

    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        """Evaluate, or a derivative, at points that may be Tensors."""
        if self._of_tensors is None and not holds_tensor(x):
            return super().__call__(x, nu, extrapolate)  # type: ignore[misc]
        this: Any = self
        return this._with_tensors(x, int(nu), this.extrapolate if extrapolate is None else extrapolate)

    def _with_tensors(self, x: Any, nu: int, extrapolate: Any) -> Any:
        this: Any = self
        c = this.c if self._of_tensors is None else self._of_tensors
        return _piecewise(c, this.x, x, nu, extrapolate, this.axis)

    def __getattribute__(self, name: str) -> Any:
        if name in _OF_COEFFICIENTS and object.__getattribute__(self, "_of_tensors") is not None:
            kind = type(self).__name__
            raise NoRowError(
                f"scipy.interpolate.{kind}.{name} is not covered where values are Tensors; evaluate it, s(x, nu=1) for a derivative"
            )
        return object.__getattribute__(self, name)


_OF_COEFFICIENTS = frozenset({"antiderivative", "derivative", "extend", "insert_knot", "integrate", "roots", "solve"})


def _basis(make: Any, n: int, periodic: bool) -> Any:
    """Return what `make` makes of each unit sample; periodic samples repeat the first one at the end."""
    unit = np.eye(n - 1 if periodic else n)
    return make(np.concatenate([unit, unit[:1]]) if periodic else unit)


def _linear_coefficients(make: Any, y: Any, options: dict[str, Any], axis: int) -> Any:
    """Return coefficients that are linear in the values: those of unit samples, and what boundary values add."""
    bc = options.get("bc_type")
    periodic = isinstance(bc, str) and bc == "periodic"
    y = np.moveaxis(y, axis, 0)
    sides = bc if isinstance(bc, (tuple, list)) else ()
    given = any(not isinstance(side, str) and side is not None for side in sides)
    still = {**options, "bc_type": tuple(_without_values(side, y.shape[0]) for side in sides)} if given else options
    unit = _basis(lambda v: make(v, **still), y.shape[0], periodic)
    found = np.tensordot(unit, y[:-1] if periodic else y, axes=1)
    return found + make(np.zeros(y.shape), **options) if given else found


def _without_values(side: Any, count: int) -> Any:
    if isinstance(side, str) or side is None:
        return side
    pairs = [side] if np.ndim(side[0]) == 0 and isinstance(side, tuple) else side
    zero = [(order, np.zeros(count)) for order, _ in pairs]
    return zero[0] if pairs is not side else zero


class CubicSpline(_Evaluated, scipys.CubicSpline):  # type: ignore[misc]
    """SciPy's, evaluated with Tensors: points, and the values `y`."""

    def __init__(self, x: Any, y: Any, axis: int = 0, bc_type: Any = "not-a-knot", extrapolate: Any = None) -> None:
        x, y = _places(x, "CubicSpline(x)"), array(y)
        super().__init__(x, constant_of(y), axis, bc_type, extrapolate)
        if holds_tensor(y):

            def make(values: Any, **options: Any) -> Any:
                return scipys.CubicSpline(x, values, **options).c

            self._of_tensors = _linear_coefficients(make, y, {"bc_type": bc_type}, axis)


def _hermite(x: Any, y: Any, slopes: Any) -> Any:
    """Return the coefficients of cubic polynomials with these values and slopes at the ends of each interval."""
    h = np.reshape(np.diff(x), (-1,) + (1,) * (y.ndim - 1))
    rise = np.diff(y, axis=0) / h
    bend = (slopes[:-1] + slopes[1:] - 2 * rise) / h
    return np.stack([bend / h, (rise - slopes[:-1]) / h - bend, slopes[:-1], y[:-1]])


class CubicHermiteSpline(_Evaluated, scipys.CubicHermiteSpline):  # type: ignore[misc]
    """SciPy's, evaluated with Tensors: points, the values `y` and the slopes `dydx`."""

    def __init__(self, x: Any, y: Any, dydx: Any, axis: int = 0, extrapolate: Any = None) -> None:
        x, y, dydx = _places(x, "CubicHermiteSpline(x)"), array(y), array(dydx)
        super().__init__(x, constant_of(y), constant_of(dydx), axis, extrapolate)
        if holds_tensor(y) or holds_tensor(dydx):
            self._of_tensors = _hermite(x, np.moveaxis(y, axis, 0), np.moveaxis(dydx, axis, 0))


def _over(a: Any, b: Any) -> Any:
    return np.where(b == 0, 0, a / np.where(b == 0, 1, b))


def _end_slope(h0: Any, h1: Any, m0: Any, m1: Any) -> Any:
    d = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1)
    steep = (np.sign(m0) != np.sign(m1)) & (abs(d) > 3 * abs(m0))
    return np.where(np.sign(d) != np.sign(m0), 0, np.where(steep, 3 * m0, d))


def _monotone_slopes(x: Any, y: Any) -> Any:
    """Follow F. N. Fritsch and J. Butland (1984), as SciPy does: weighted harmonic means, 0 at extrema."""
    h = np.reshape(np.diff(x), (-1,) + (1,) * (y.ndim - 1))
    m = np.diff(y, axis=0) / h
    if y.shape[0] == 2:
        return np.concatenate([m, m])
    w1, w2 = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    flat = (np.sign(m[1:]) != np.sign(m[:-1])) | (m[1:] == 0) | (m[:-1] == 0)
    mean = np.where(flat, 0, _over(w1 + w2, np.where(flat, 0, _over(w1, m[:-1]) + _over(w2, m[1:]))))
    ends = _end_slope(h[0], h[1], m[0], m[1]), _end_slope(h[-1], h[-2], m[-1], m[-2])
    return np.concatenate([ends[0][None], mean, ends[1][None]])


class PchipInterpolator(_Evaluated, scipys.PchipInterpolator):  # type: ignore[misc]
    """SciPy's, evaluated with Tensors: points, and the values `y`."""

    def __init__(self, x: Any, y: Any, axis: int = 0, extrapolate: Any = None) -> None:
        x, y = _places(x, "PchipInterpolator(x)"), array(y)
        super().__init__(x, constant_of(y), axis, extrapolate)
        if holds_tensor(y):
            y = np.moveaxis(y, axis, 0)
            self._of_tensors = _hermite(x, y, _monotone_slopes(x, y))


class Akima1DInterpolator(_Evaluated, scipys.Akima1DInterpolator):  # type: ignore[misc]
    """SciPy's, evaluated at points that may be Tensors."""


class PPoly(_Evaluated, scipys.PPoly):  # type: ignore[misc]
    """SciPy's, evaluated with Tensors: points, and the coefficients `c`."""

    def __init__(self, c: Any, x: Any, extrapolate: Any = None, axis: int = 0) -> None:
        c, x = array(c), _places(x, "PPoly(x)")
        super().__init__(constant_of(c), x, extrapolate, axis)
        if holds_tensor(c):
            self._of_tensors = np.moveaxis(np.moveaxis(c, axis + 1, 0), axis + 1, 0) if axis else c


class BSpline(_Evaluated, scipys.BSpline):  # type: ignore[misc]
    """SciPy's, evaluated with Tensors: points, and the coefficients `c`."""

    def __init__(self, t: Any, c: Any, k: int, extrapolate: Any = True, axis: int = 0) -> None:
        t, c = _places(t, "BSpline(t)"), array(c)
        super().__init__(t, constant_of(c), k, extrapolate, axis)
        if holds_tensor(c):
            self._of_tensors = np.moveaxis(c, axis, 0)

    def _with_tensors(self, x: Any, nu: int, extrapolate: Any) -> Any:
        c = self.c if self._of_tensors is None else self._of_tensors
        return _b_spline(self.t, c, self.k, x, nu, extrapolate, self.axis)


def make_interp_spline(
    x: Any, y: Any, k: int = 3, t: Any = None, bc_type: Any = None, axis: int = 0, check_finite: bool = True
) -> Any:  # fmt: skip
    """Return the interpolating `BSpline`, as SciPy does; its coefficients are linear in `y`, which may be a Tensor."""
    x, y = _places(x, "make_interp_spline(x)"), array(y)
    found = scipys.make_interp_spline(x, constant_of(y), k, t, bc_type, axis, check_finite)
    spline = BSpline(found.t, np.moveaxis(found.c, 0, found.axis), found.k, found.extrapolate, found.axis)
    if holds_tensor(y):

        def make(values: Any, **options: Any) -> Any:
            return scipys.make_interp_spline(x, values, k, t, **options).c

        spline._of_tensors = _linear_coefficients(make, y, {"bc_type": bc_type}, axis)
    return spline


def splev(x: Any, tck: Any, der: int = 0, ext: int = 0) -> Any:
    """As SciPy's; differentiable by `x` and by the coefficients of a spline in one dimension."""
    if not holds_tensor(x) and not holds_tensor(tck):
        return scipys.splev(x, tck, der, ext)
    if isinstance(tck, scipys.BSpline):
        return tck(x, der, extrapolate=ext == 0)
    t, c, k = tck
    if isinstance(c, (list, tuple)) or ext not in (0, 1, 3):
        raise NoRowError("scipy.interpolate.splev covers one dimension, and ext=0, 1 and 3, with Tensors")
    x = array(x)
    spline = BSpline(t, c[: len(t) - k - 1], k)
    low, high = spline.t[k], spline.t[len(t) - k - 1]
    found = spline(np.clip(x, low, high) if ext == 3 and not der else x, der)  # FITPACK continues derivatives
    return np.where((constant_of(x) < low) | (constant_of(x) > high), 0, found) if ext == 1 else found


# --- interpolation between samples ----------------------------------------------------------------

_STEPS = ("nearest", "nearest-up", "previous", "next", "zero")
_DEGREES: dict[Any, int] = {"slinear": 1, "quadratic": 2, "cubic": 3}


class interp1d(scipys.interp1d):  # type: ignore[misc]  # noqa: N801 (SciPy's name)
    """SciPy's, evaluated with Tensors: points, and the values `y`."""

    def __init__(self, x: Any, y: Any, kind: Any = "linear", axis: int = -1, **options: Any) -> None:
        x, y = _places(x, "interp1d(x)"), array(y)
        options["fill_value"] = plain(options.get("fill_value", np.nan), "interp1d(fill_value=)", [])
        super().__init__(x, constant_of(y), kind, axis, **options)
        self._kind, self._where = kind, axis % y.ndim
        order = np.argsort(x, kind="stable")
        self._sorted = x[order]
        self._values = np.take(np.moveaxis(y, axis, 0), order, axis=0)

    def __call__(self, x: Any) -> Any:
        """Interpolate at points that may be Tensors; outside of the samples what SciPy fills in is constant."""
        values, places = self._values, self._sorted
        if not holds_tensor(values) and not holds_tensor(x):
            return super().__call__(x)
        x = array(x)
        x = x if x.dtype.kind == "f" else x.astype(float)
        at = constant_of(x)
        filled = super().__call__(at)
        if self._kind in _STEPS:
            found = values[self._step(at, places)] + np.reshape(0 * x, x.shape + (1,) * (values.ndim - 1))
        elif self._kind == "linear":
            i = np.clip(np.searchsorted(places, at) - 1, 0, len(places) - 2)
            share = np.reshape((x - places[i]) / (places[i + 1] - places[i]), x.shape + (1,) * (values.ndim - 1))
            found = values[i] + share * (values[i + 1] - values[i])
        else:
            found = make_interp_spline(places, values, _DEGREES.get(self._kind, self._kind))(x)
        found = _shown(found, None, x, self._where)
        if self._extrapolate:
            return found
        outside = (at < places[0]) | (at > places[-1])
        outside = np.reshape(outside, (1,) * self._where + outside.shape + (1,) * (values.ndim - 1 - self._where))
        return np.where(outside, filled, found)

    def _step(self, at: Any, places: Any) -> Any:
        """Return which sample stands for each point."""
        n = len(places)
        if self._kind in ("previous", "zero"):
            return np.clip(np.searchsorted(places, at, side="right") - 1, 0, n - 1)
        if self._kind == "next":
            return np.clip(np.searchsorted(places, at, side="left"), 0, n - 1)
        middles = (places[1:] + places[:-1]) / 2
        return np.searchsorted(middles, at, side="right" if self._kind == "nearest-up" else "left")


class RegularGridInterpolator(scipys.RegularGridInterpolator):  # type: ignore[misc]
    """SciPy's, evaluated with Tensors by the methods "linear" and "nearest": points, and the values."""

    def __init__(
        self, points: Any, values: Any, method: str = "linear", bounds_error: bool = True, fill_value: Any = np.nan, **options: Any
    ) -> None:
        values = array(values)
        points = [_places(p, "RegularGridInterpolator(points)") for p in points]
        fill_value = plain(fill_value, "RegularGridInterpolator(fill_value=)", [])
        super().__init__(points, constant_of(values), method, bounds_error, fill_value, **options)
        turned = tuple(i for i, p in enumerate(points) if len(p) > 1 and p[0] > p[-1])
        self._tensor = (np.flip(values, turned) if turned else values) if holds_tensor(values) else None

    def __call__(self, xi: Any, method: Any = None, **options: Any) -> Any:
        """Interpolate at points that may be Tensors."""
        if self._tensor is None and not holds_tensor(xi):
            return super().__call__(xi, method, **options)
        method = self.method if method is None else method
        if method not in ("linear", "nearest") or options.get("nu") is not None:
            raise NoRowError(f"scipy.interpolate.RegularGridInterpolator covers method='linear' and 'nearest' with Tensors, got {method!r}")
        dimensions = len(self.grid)
        xi = np.stack(np.broadcast_arrays(*map(array, xi)), axis=-1) if isinstance(xi, tuple) else array(xi)
        xi = xi if xi.ndim > 1 or (dimensions == 1 and xi.shape[-1:] == (1,)) else np.expand_dims(xi, -1 if dimensions == 1 else 0)
        at = constant_of(xi)
        filled = super().__call__(at, method)
        values = self.values if self._tensor is None else self._tensor
        lows, shares = [], []
        for i, grid in enumerate(self.grid):
            low = np.clip(np.searchsorted(grid, at[..., i]) - 1, 0, max(len(grid) - 2, 0))
            high = np.minimum(low + 1, len(grid) - 1)
            width = np.where(high > low, grid[high] - grid[low], 1)
            lows.append((low, high))
            shares.append((xi[..., i] - grid[low]) / width)
        wide = (1,) * (values.ndim - dimensions)
        if method == "nearest":
            places = tuple(np.where(constant_of(s) <= 0.5, *sides) for s, sides in zip(shares, lows, strict=True))
            found = values[places] + np.reshape(0 * xi[..., 0], at.shape[:-1] + wide)
        else:
            found = 0
            for corner in itertools.product((0, 1), repeat=dimensions):
                weight = 1
                for side, share in zip(corner, shares, strict=True):
                    weight = weight * (share if side else 1 - share)
                where = tuple(sides[side] for side, sides in zip(corner, lows, strict=True))
                found = found + np.reshape(weight, at.shape[:-1] + wide) * values[where]
        if self.fill_value is None:
            return found
        outside = np.any([(at[..., i] < g[0]) | (at[..., i] > g[-1]) for i, g in enumerate(self.grid)], axis=0)
        return np.where(np.reshape(outside, outside.shape + wide), filled, found) if np.any(outside) else found


def interpn(points: Any, values: Any, xi: Any, method: str = "linear", bounds_error: bool = True, fill_value: Any = np.nan) -> Any:
    """As SciPy's; differentiable by `values` and `xi` with the methods "linear" and "nearest"."""
    if not any(map(holds_tensor, (points, values, xi))):
        return scipys.interpn(points, values, xi, method, bounds_error, fill_value)
    return RegularGridInterpolator(points, values, method, bounds_error, fill_value)(xi)


GIVEN: dict[str, Any] = {
    "Akima1DInterpolator": Akima1DInterpolator, "BSpline": BSpline, "CubicHermiteSpline": CubicHermiteSpline, "CubicSpline": CubicSpline,
    "PPoly": PPoly, "PchipInterpolator": PchipInterpolator, "RegularGridInterpolator": RegularGridInterpolator, "interp1d": interp1d,
    "interpn": interpn, "make_interp_spline": make_interp_spline, "splev": splev,
}  # fmt: skip
"""The names that understand Tensors only here."""

REMARKS = {
    "interpn": "by the values and the points", "make_interp_spline": "by the values", "splev": "by the points and the coefficients",
}  # fmt: skip

__getattr__, __dir__, __all__ = module("scipy.interpolate", GIVEN)
