"""`autograd_np.scipy.signal` and `.ndimage` against SciPy: values, both modes, second order, modes and boundaries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agreement import agrees

import autograd_np as ag

pytest.importorskip("scipy")
from scipy import ndimage as real_ndimage
from scipy import signal as real

from autograd_np.scipy import ndimage, signal

rng = np.random.default_rng(5)
X, K = rng.normal(size=7), rng.normal(size=4)
IMAGE, KERNEL = rng.normal(size=(5, 6)), rng.normal(size=(2, 3))
CUBE = rng.normal(size=(3, 4, 5))


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("name", ["convolve", "correlate", "fftconvolve", "oaconvolve"])
def test_convolutions(name: str, mode: str) -> None:
    for a, v in ((X, K), (K, X), (IMAGE, KERNEL), (KERNEL, IMAGE), (X, X), (X + 1j * X[::-1], K - 1j * K[::-1]), (X, K + 0.5j)):
        f, r = (lambda a, v, m=m: getattr(m, name)(a, v, mode) for m in (signal, real))
        agrees(f, r, a, v, second=a.ndim == 1, value_rtol=1e-9)
        if name in ("convolve", "correlate"):
            for method in ("direct", "fft"):
                f, r = (lambda a, v, m=m, how=method: getattr(m, name)(a, v, mode, method=how) for m in (signal, real))
                agrees(f, r, a, v, second=False, value_rtol=1e-9)


def test_convolutions_along_some_axes() -> None:
    for axes, shape in (([1], (1, 2, 5)), ((0, 2), (2, 4, 3)), (-1, (3, 1, 2))):
        kernel = rng.normal(size=shape)
        agrees(
            lambda a, v, x=axes: signal.fftconvolve(a, v, "same", x), lambda a, v, x=axes: real.fftconvolve(a, v, "same", x), CUBE, kernel
        )
    with pytest.raises(ValueError, match="must have the same number"):
        signal.fftconvolve(ag.Tensor(X, requires_grad=True), IMAGE)


@pytest.mark.parametrize("boundary", ["fill", "wrap", "symm"])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("name", ["convolve2d", "correlate2d"])
def test_planes_with_boundaries(name: str, mode: str, boundary: str) -> None:
    for a, v in ((IMAGE, KERNEL), (IMAGE, KERNEL.T), (IMAGE, rng.normal(size=(3, 4))), (IMAGE + 0.5j, KERNEL - 1j)):
        f, r = (lambda a, v, m=m: getattr(m, name)(a, v, mode, boundary) for m in (signal, real))
        agrees(f, r, a, v, second=a.dtype.kind == "c")
    if boundary == "fill":
        f, r = (lambda a, v, m=m: getattr(m, name)(a, v, mode, fillvalue=2.5) for m in (signal, real))
        agrees(f, r, IMAGE, KERNEL)


def test_filters() -> None:
    b, a = np.array([0.5, -0.2, 0.1]), np.array([1.5, 0.4, -0.3])
    for axis, x in ((-1, X), (0, IMAGE), (1, IMAGE), (-1, X + 1j * X[::-1])):
        agrees(lambda b, a, x, i=axis: signal.lfilter(b, a, x, i), lambda b, a, x, i=axis: real.lfilter(b, a, x, axis=i), b, a, x)
    for num, den in ((b[:1], a), (b, a[:1]), (b, a[:2]), (rng.normal(size=6), a), (b, np.array([1.0, 0.2, 0.1, -0.1, 0.05]))):
        z = rng.normal(size=max(len(num), len(den)) - 1)
        agrees(signal.lfilter, real.lfilter, num, den, X)
        for x in (X, X[:2]):
            if len(z):
                agrees(lambda b, a, x, zi: signal.lfilter(b, a, x, zi=zi), lambda b, a, x, zi: real.lfilter(b, a, x, zi=zi), num, den, x, z)
    zi = rng.normal(size=(2, 6))
    agrees(lambda x, zi: signal.lfilter(b, a, x, 0, zi), lambda x, zi: real.lfilter(b, a, x, 0, zi), IMAGE, zi)
    zi = rng.normal(size=(1, 2))
    agrees(lambda x, zi: signal.lfilter(b, a, x, 1, zi), lambda x, zi: real.lfilter(b, a, x, 1, np.tile(zi, (5, 1))), IMAGE, zi)


MODES = ("reflect", "grid-mirror", "mirror", "nearest", "wrap", "grid-wrap", "constant", "grid-constant")


@pytest.mark.parametrize("mode", MODES)
def test_filters_of_images(mode: str) -> None:
    how: dict[str, Any] = {"mode": mode, "cval": 1.5}
    for name in ("convolve", "correlate"):
        for shape, origin in (((3, 3), 0), ((2, 3), 0), ((2, 4), (0, -1)), ((3, 2), (1, 0)), ((9, 1), 0)):
            f, r = (lambda x, w, m=m, name=name, o=origin: getattr(m, name)(x, w, origin=o, **how) for m in (ndimage, real_ndimage))
            agrees(f, r, IMAGE, rng.normal(size=shape), second=shape == (3, 3))
        f, r = (lambda x, w, m=m, name=name: getattr(m, f"{name}1d")(x, w, 0, **how) for m in (ndimage, real_ndimage))
        agrees(f, r, IMAGE, rng.normal(size=3))
    for f, r in (
        (lambda x, m=m: m.gaussian_filter(x, (0.8, 0.5), order=(0, 1), **how) for m in (ndimage, real_ndimage)),
        (lambda x, m=m: m.gaussian_filter(x, 1.3, truncate=3.0, **how) for m in (ndimage, real_ndimage)),
        (lambda x, m=m: m.gaussian_filter1d(x, 0.7, 0, 2, **how) for m in (ndimage, real_ndimage)),
        (lambda x, m=m: m.uniform_filter(x, (3, 2), **how) for m in (ndimage, real_ndimage)),
        (lambda x, m=m: m.uniform_filter1d(x, 3, origin=1, **how) for m in (ndimage, real_ndimage)),
    ):
        agrees(f, r, IMAGE)


def test_images_complex_single_and_some_axes() -> None:
    agrees(ndimage.convolve, real_ndimage.convolve, X + 1j, K[:3])
    agrees(ndimage.correlate, real_ndimage.correlate, X, K[:3] + 1j)
    for name in ("convolve", "correlate"):
        f, r = (lambda x, w, m=m, name=name: getattr(m, name)(x, w, axes=(0, 2)) for m in (ndimage, real_ndimage))
        agrees(f, r, CUBE, rng.normal(size=(2, 3)))
    agrees(*(lambda x, m=m: m.gaussian_filter(x, 0.6, axes=(1,), radius=2) for m in (ndimage, real_ndimage)), CUBE)
    t = ag.Tensor(IMAGE.astype(np.float32), requires_grad=True)
    for f in (lambda m, x: m.gaussian_filter(x, 1.0), lambda m, x: m.convolve(x, KERNEL), lambda m, x: m.uniform_filter(x, 3)):
        found = f(ndimage, t)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found.data, f(real_ndimage, t.data), rtol=1e-5, atol=1e-6)


def test_what_is_not_covered_is_refused() -> None:
    t: Any = ag.Tensor(IMAGE, requires_grad=True)
    with pytest.raises(ag.NoRowError, match=r"scipy\.ndimage\.convolve does not cover the argument output="):
        ndimage.convolve(t, KERNEL, np.empty_like(IMAGE))
    with pytest.raises(ag.DifferentiationError, match="sigma="):
        ndimage.gaussian_filter(t, ag.Tensor(1.0, requires_grad=True))
    with pytest.raises(ag.LeavesNumPyError, match=r"scipy\.ndimage\.median_filter"):
        ndimage.median_filter(t, 3)
    with pytest.raises(ag.LeavesNumPyError, match=r"from autograd_np\.scipy\.signal import convolve"):
        real.convolve(ag.Tensor(X, requires_grad=True), K)
