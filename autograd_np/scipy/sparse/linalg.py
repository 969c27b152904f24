"""`scipy.sparse.linalg`: solutions of sparse systems with a constant matrix, differentiable by the right-hand side.

A matrix is factored once; forward and backward use the same factors. By the entries of the matrix there is no gradient here: a sparse
matrix cannot be made of Tensors.

Examples
--------
>>> import numpy as np
>>> import autograd_np as ag
>>> from scipy import sparse
>>> from autograd_np.scipy.sparse.linalg import spsolve
>>> a = sparse.csc_array(np.array([[2.0, 0.0], [1.0, 4.0]]))
>>> ag.grad(lambda b: np.sum(spsolve(a, b)))(np.array([1.0, 1.0]))
array([0.375, 0.25 ])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scipy import sparse
from scipy.sparse import linalg

from autograd_np.ops.for_scipy.sparse import Factored, solve_factored
from autograd_np.scipy.mirror import covering, module
from autograd_np.tensor import Tensor


def _spsolve(A: Any, b: Any, permc_spec: Any = None) -> Any:
    A = sparse.csc_array(A) if not sparse.issparse(A) else A.tocsc()
    b = b if b.ndim == 1 or b.shape[1] != 1 else b[:, 0]  # as SciPy does
    A = A if A.dtype.kind in "fc" else A.astype(b.dtype)
    return solve_factored(b, system=Factored(A, permc_spec=permc_spec))


class _SuperLU:
    """The factors of a sparse matrix, SciPy's `SuperLU`, whose `solve` takes Tensors."""

    def __init__(self, factor: Any) -> None:
        self._factor = factor
        self._system = Factored(factor=factor)

    def solve(self, rhs: Any, trans: str = "N") -> Any:
        return solve_factored(rhs, system=self._system, trans=trans) if isinstance(rhs, Tensor) else self._factor.solve(rhs, trans)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._factor, name)

    def __repr__(self) -> str:
        return repr(self._factor)


def splu(*args: Any, **kwargs: Any) -> Any:
    """Return SciPy's factors of a sparse matrix, whose ``solve(rhs, trans)`` is differentiable by `rhs`; arguments as SciPy's."""
    return _SuperLU(linalg.splu(*args, **kwargs))


def factorized(A: Any) -> Callable[[Any], Any]:
    """Return the function that solves A x = b for x, differentiable by b; SciPy's on arrays."""
    real, system = linalg.factorized(A), Factored(A)

    def solve(b: Any) -> Any:
        return solve_factored(b, system=system) if isinstance(b, Tensor) else real(b)

    return solve


GIVEN = {"factorized": factorized, "splu": splu, "spsolve": covering(linalg.spsolve, _spsolve, "scipy.sparse.linalg.spsolve")}
"""The names that understand Tensors only here."""

__getattr__, __dir__, __all__ = module("scipy.sparse.linalg", GIVEN)
