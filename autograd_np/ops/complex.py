"""Parts of complex numbers: real and imaginary part, conjugate, modulus, argument, phase.

These are linear over the real numbers only, or not at all. Where the result is real, a partial derivative p says that
d f = Re(p dz), which is what the sweeps make of it: a cotangent is multiplied by p, and a tangent loses its imaginary part.
Of a holomorphic function p is the complex derivative, so those rows are the same as for real numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_np.op import Domain, derived, elementwise, linear, primitive
from autograd_np.ops.adjoint import conj
from autograd_np.ops.elementwise import nonzero, over
from autograd_np.ops.shaping import astype
from autograd_np.typing import Array

plane = Domain(complex=True)


def _read_only(a: Any) -> Any:
    """Refuse later writes: NumPy's real part is a view, and a write to it would change the complex array."""
    if isinstance(a, np.ndarray):
        a.flags.writeable = False
    return a


@primitive
def real(val: Array) -> Array:
    """Return the real part of complex numbers."""
    return _read_only(val.real.copy())


@primitive
def imag(val: Array) -> Array:
    """Return the imaginary part of complex numbers."""
    return _read_only(val.imag.copy())


@primitive
def sign(x: Array) -> Array:
    """Return the sign of real numbers."""
    return np.sign(x)


# fmt: off
elementwise(real,         1,                                          on=plane,   tex=r"\operatorname{Re} #1")
elementwise(imag,         lambda y, x: -1j,                           on=plane,   tex=r"\operatorname{Im} #1")
linear(np.conjugate,      lambda g, y, x: np.conjugate(g), selects=False,         tex=r"\overline{#1}")
elementwise(np.absolute,  lambda y, x: conj(np.sign(x)),              on=nonzero, tex=r"\lvert #1 \rvert", note="0 at 0")
elementwise(sign,         0,                                          on=nonzero, tex=r"\operatorname{sgn} #1")
# fmt: on


@derived(np.real)
def _real(val: Array) -> Array:
    return real(val) if val.dtype.kind == "c" else val


@derived(np.imag)
def _imag(val: Array) -> Array:
    return imag(val) if val.dtype.kind == "c" else np.zeros_like(val)


@derived(np.angle)
def _angle(z: Array, deg: bool = False) -> Array:
    angle = np.arctan2(np.imag(z), np.real(z))
    return angle * (180 / np.pi) if deg else angle


@derived(np.sign)
def _sign(x: Array) -> Array:
    return over(x, np.absolute(x)) if x.dtype.kind == "c" else sign(x)


@derived(np.real_if_close)
def _real_if_close(a: Array, tol: Any = 100) -> Array:
    if a.dtype.kind != "c":
        return a
    bound = tol * float(np.finfo(a.dtype).eps) if tol > 1 else tol
    return np.real(a) if np.all(abs(np.imag(a)) < bound) else a


@derived(np.sort_complex)
def _sort_complex(a: Array) -> Array:
    return astype(np.sort(np.atleast_1d(a)), np.result_type(a.dtype, np.complex64))
