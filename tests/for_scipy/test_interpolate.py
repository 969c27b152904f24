"""`autograd_np.scipy.interpolate` against SciPy: by points and by values, both modes, second order, options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agreement import agrees

import autograd_np as ag

pytest.importorskip("scipy")
from scipy import interpolate as real

from autograd_np.scipy import interpolate

rng = np.random.default_rng(7)
X = np.array([0.0, 0.7, 1.5, 2.0, 3.1, 4.0])
Y, Y2 = rng.normal(size=6), rng.normal(size=(6, 2))
AT = np.array([0.31, 1.12, 1.73, 2.44, 3.55])
AT2 = np.array([[0.31, 1.12], [2.44, 3.55]])
STEP = 0.004


def both(make: Any, *arrays: Any, **how: Any) -> None:
    agrees(make(interpolate), make(real), *arrays, step=STEP, **how)


CASES: dict[str, Any] = {
    "CubicSpline": lambda m: lambda y, x: m.CubicSpline(X, y)(x),
    "CubicSpline natural": lambda m: lambda y, x: m.CubicSpline(X, y, bc_type="natural")(x),
    "CubicSpline clamped": lambda m: lambda y, x: m.CubicSpline(X, y, bc_type="clamped")(x, 1),
    "CubicSpline values": lambda m: lambda y, x: m.CubicSpline(X, y, bc_type=((1, 0.3), (2, -1.0)))(x),
    "CubicSpline derivative": lambda m: lambda y, x: m.CubicSpline(X, y)(x, nu=2),
    "CubicSpline periodic": lambda m: lambda y, x: m.CubicSpline(X, np.concatenate([y[:5], y[:1]]), bc_type="periodic")(x + 3.0),
    "CubicSpline beyond": lambda m: lambda y, x: m.CubicSpline(X, y)(2 * x - 1.5),
    "PchipInterpolator": lambda m: lambda y, x: m.PchipInterpolator(X, y)(x),
    "make_interp_spline": lambda m: lambda y, x: m.make_interp_spline(X, y)(x),
    "make_interp_spline 1": lambda m: lambda y, x: m.make_interp_spline(X, y, k=1)(x),
    "make_interp_spline 5": lambda m: lambda y, x: m.make_interp_spline(X, y, k=5)(x, 2),
    "make_interp_spline natural": lambda m: lambda y, x: m.make_interp_spline(X, y, bc_type="natural")(x),
    "make_interp_spline values": lambda m: lambda y, x: m.make_interp_spline(X, y, bc_type=([(1, 0.5)], [(2, 0.25)]))(x),
    "BSpline": lambda m: lambda c, x: m.BSpline(np.array([-2, -1, 0, 0.5, 2.0, 3.0, 4.0, 5, 6, 7.0]), c, 3)(x),
    "BSpline derivative": lambda m: lambda c, x: m.BSpline(np.array([0, 0, 0, 1, 2.0, 3.0, 4.0, 4, 4.0]), c, 2)(x, 1),
    "PPoly": lambda m: lambda c, x: m.PPoly(np.reshape(c, (2, 3)), np.array([0.0, 1.0, 2.5, 4.0]))(x),
    **{f"interp1d {kind}": (lambda m, kind=kind: lambda y, x: m.interp1d(X, y, kind)(x)) for kind in (
        "linear", "nearest", "nearest-up", "previous", "next", "zero", "slinear", "quadratic", "cubic", 2)},
    "interp1d extrapolate": lambda m: lambda y, x: m.interp1d(X, y, fill_value="extrapolate")(2 * x - 1.5),
    "interp1d fill": lambda m: lambda y, x: m.interp1d(X, y, bounds_error=False, fill_value=(-1.0, 2.0))(2 * x - 1.5),
    "interp1d unsorted": lambda m: lambda y, x: m.interp1d(X[::-1], y)(x),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_by_values_and_points(name: str) -> None:
    both(CASES[name], Y, AT)


def test_axes_and_shapes() -> None:
    for make in (
        lambda m: lambda y, x: m.CubicSpline(X, y)(x),
        lambda m: lambda y, x: m.CubicSpline(X, y.T, axis=1)(x),
        lambda m: lambda y, x: m.PchipInterpolator(X, y.T, axis=-1)(x),
        lambda m: lambda y, x: m.make_interp_spline(X, y.T, axis=1)(x),
        lambda m: lambda y, x: m.interp1d(X, y, axis=0)(x),
        lambda m: lambda y, x: m.interp1d(X, y.T, "cubic")(x),
        lambda m: lambda y, x: m.interp1d(X, y.T, bounds_error=False, fill_value=0.5)(3 * x - 1),
        lambda m: lambda y, x: m.CubicSpline(X, y)(x[0, 0]),
    ):
        both(make, Y2, AT2, second=False)


def test_slopes_coefficients_and_points_alone() -> None:
    both(lambda m: lambda y, d, x: m.CubicHermiteSpline(X, y, d)(x), Y, Y[::-1].copy(), AT)
    both(lambda m: lambda x: m.Akima1DInterpolator(X, Y)(x), AT)
    both(lambda m: lambda x: m.splev(x, real.splrep(X, Y)), AT)
    for ext in (0, 1, 3):
        both(lambda m, e=ext: lambda x: m.splev(2 * x - 1.5, real.splrep(X, Y), der=1, ext=e), AT)
    monotone = np.cumsum(abs(Y) + 0.1)
    both(lambda m: lambda y, x: m.PchipInterpolator(X, y)(x), monotone, AT)
    both(lambda m: lambda y: m.PchipInterpolator(X[:2], y)(0.3), monotone[:2])
    assert np.isnan(interpolate.CubicSpline(X, ag.Tensor(Y, requires_grad=True), extrapolate=False)(9.0).data)


GRID = (np.array([0.0, 1.0, 2.5]), np.array([-1.0, 0.5, 1.0, 2.0]))
VALUES = rng.normal(size=(3, 4))
POINTS = np.array([[0.3, 0.2], [1.7, -0.4], [2.2, 1.6]])


@pytest.mark.parametrize("method", ["linear", "nearest"])
def test_regular_grids(method: str) -> None:
    both(lambda m: lambda v, x: m.RegularGridInterpolator(GRID, v, method)(x), VALUES, POINTS)
    both(lambda m: lambda v, x: m.interpn(GRID, v, x, method), VALUES, POINTS)
    both(lambda m: lambda v, x: m.RegularGridInterpolator(GRID, v, method, False, None)(x * 1.7), VALUES, POINTS)
    both(lambda m: lambda v, x: np.nan_to_num(m.RegularGridInterpolator(GRID, v, method, False)(x * 1.7)), VALUES, POINTS)
    both(lambda m: lambda v, x: m.RegularGridInterpolator((GRID[0][::-1], GRID[1]), v, method)(x), VALUES, POINTS)
    both(lambda m: lambda v, x: m.RegularGridInterpolator(GRID, v, method)(x), rng.normal(size=(3, 4, 2)), POINTS[0])
    both(lambda m: lambda v, x, y: m.RegularGridInterpolator(GRID, v, method)((x, y)), VALUES, POINTS[:, 0].copy(), POINTS[:, 1].copy())
    both(lambda m: lambda v, x: m.RegularGridInterpolator(GRID[:1], v, method)(x), VALUES[:, 0].copy(), POINTS[:, :1].copy())


def test_what_is_not_covered_is_refused() -> None:
    t: Any = ag.Tensor(Y, requires_grad=True)
    with pytest.raises(ag.DifferentiationError, match=r"CubicSpline\(x\)"):
        interpolate.CubicSpline(ag.Tensor(X, requires_grad=True), Y)
    with pytest.raises(ag.NoRowError, match=r"CubicSpline\.derivative is not covered"):
        interpolate.CubicSpline(X, t).derivative()
    with pytest.raises(ag.NoRowError, match="method='linear'"):
        interpolate.RegularGridInterpolator(GRID, ag.Tensor(rng.normal(size=(3, 4)), requires_grad=True))(POINTS, "pchip")
    with pytest.raises(ValueError, match="above the interpolation range"):
        interpolate.interp1d(X, t)(9.0)
    with pytest.raises(ag.LeavesNumPyError, match=r"scipy\.interpolate\.(Akima1DInterpolator|\w+)"):
        interpolate.Akima1DInterpolator(X, t)
    with pytest.raises(ag.LeavesNumPyError, match=r"from autograd_np\.scipy\.interpolate import CubicSpline"):
        real.CubicSpline(X, t)


def test_on_arrays_the_classes_are_scipys() -> None:
    spline = interpolate.CubicSpline(X, Y)
    assert isinstance(spline, real.CubicSpline)
    np.testing.assert_array_equal(spline.derivative()(AT), real.CubicSpline(X, Y).derivative()(AT))
    assert spline.integrate(0, 1) == real.CubicSpline(X, Y).integrate(0, 1)
    assert isinstance(interpolate.make_interp_spline(X, Y), real.BSpline)
