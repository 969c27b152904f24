"""Conjugates and adjoints, for rules that the literature writes as gradients.

The sweeps pair a cotangent g with a tangent t as Re Σ g t, without a conjugate, so that the rule of a holomorphic function is
the same as for real arrays. Formulas of matrix calculus are written for the gradient instead, which is the conjugate of the
cotangent; `of_gradients` stands between the two. For real arrays nothing of this does anything.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_np.op import beside
from autograd_np.results import Results
from autograd_np.typing import Array


def conj(a: Any) -> Any:
    """Return the conjugate; real arrays as they are, and of several results each."""
    if isinstance(a, (list, tuple)):
        return [conj(part) for part in a]
    if isinstance(a, Results):
        return a.map(conj)
    return a if a is None or a.dtype.kind != "c" else np.conjugate(a)


def transposed(a: Array) -> Array:
    """Return each matrix transposed."""
    return np.swapaxes(a, -1, -2)


def adjoint(a: Array) -> Array:
    """Return the conjugate transpose of each matrix."""
    return conj(np.swapaxes(a, -1, -2))


def hermitian_part(a: Array) -> Array:
    """Return (A + Aᴴ) / 2."""
    return (a + adjoint(a)) / 2


def skew_part(a: Array) -> Array:
    """Return (A - Aᴴ) / 2."""
    return (a - adjoint(a)) / 2


def of_gradients(rule: Callable[..., Any]) -> Callable[..., Any]:
    """Make a vjp of a rule that takes gradients to gradients, both conjugates of cotangents."""

    @functools.wraps(rule)
    def vjp(g: Any, y: Any, *arrays: Any, **attrs: Any) -> Any:
        return conj(rule(conj(g), y, *arrays, **attrs))

    return vjp


def diagonal_of(a: Array) -> Array:
    """Return the diagonal of each matrix."""
    return np.diagonal(a, axis1=-2, axis2=-1)


def on_diagonal(d: Array) -> Array:
    """Return matrices with the last axis of `d` on their diagonals."""
    return np.where(beside(np.eye(d.shape[-1], dtype=bool), d), np.expand_dims(d, -2), 0)
