"""`scipy.sparse`: products with a constant sparse matrix, and systems of equations whose sparse matrix is constant."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import scipy.sparse.linalg

from autograd_np import errors
from autograd_np.op import case, eager, linear
from autograd_np.ops.adjoint import conj
from autograd_np.typing import Array

__all__ = ["Factored", "dense", "solve_factored", "sparse_product", "times"]


@functools.partial(eager, host=True)
def sparse_product(x: Array, matrix: Any = None, before: bool = True) -> Array:
    """Return A @ x with the matrix `before` the array, or x @ A."""
    found: Array = matrix @ x if before else x @ matrix
    return found


def _transposed_product(g: Array, y: Array, x: Array, matrix: Any = None, before: bool = True) -> Array:
    return sparse_product(g, matrix=matrix.T, before=before)


class Factored:
    """A square sparse matrix that is factored when it is first solved with, in the precision of the system.

    Parameters
    ----------
    matrix : sparse matrix, optional
        Of floats or complex numbers.
    factor : SuperLU, optional
        Factors that there are already, in the place of a matrix.
    **how
        Arguments of `scipy.sparse.linalg.splu`.
    """

    def __init__(self, matrix: Any = None, factor: Any = None, **how: Any) -> None:
        self.matrix = matrix
        self.how = how
        self.factors = {} if factor is None else {factor.L.dtype: factor}

    def solve(self, b: Array, trans: str) -> Array:
        """Solve; a real matrix with the real and the imaginary part of a complex right-hand side."""
        given = self.matrix.dtype if self.matrix is not None else next(iter(self.factors))
        if b.dtype.kind == "c" and given.kind != "c":
            return self.solve(np.real(b), trans) + 1j * self.solve(np.imag(b), trans)
        dtype = given if self.matrix is None else np.result_type(given, b.dtype)
        if dtype not in self.factors:
            self.factors[dtype] = scipy.sparse.linalg.splu(scipy.sparse.csc_array(self.matrix, dtype=dtype), **self.how)
        found: Array = self.factors[dtype].solve(np.ascontiguousarray(b) if b.ndim == 1 else np.asfortranarray(b), trans)
        return found


@functools.partial(eager, host=True)
def solve_factored(b: Array, system: Any = None, trans: str = "N") -> Array:
    """Solve with a factored sparse matrix, its transpose (T) or its conjugate transpose (H)."""
    found: Array = system.solve(b, trans)
    return found


def _solve_transposed(g: Array, y: Array, b: Array, system: Any = None, trans: str = "N") -> Array:
    if trans == "H":
        return conj(solve_factored(conj(g), system=system, trans="N"))
    return solve_factored(g, system=system, trans="N" if trans == "T" else "T")


def times(t: Any, other: Any, *, before: bool, star: bool) -> Any:
    """Return the product of a Tensor and what may be a sparse matrix, ``A @ t`` if it stands `before`, or NotImplemented.

    With `star` it was written ``A * t``, which is the matrix product for SciPy's sparse matrices, not for its sparse arrays.
    """
    if not scipy.sparse.issparse(other):
        return NotImplemented
    kind = f"scipy.sparse.{type(other).__name__}"
    if star and not isinstance(other, scipy.sparse.spmatrix):
        raise errors.NoRowError(f"* of a {kind} and a Tensor is elementwise, and would be sparse; write A.toarray() * t, or A @ t")
    if t.ndim == 0:
        raise errors.NoRowError(f"a {kind} times a number that is a Tensor would be sparse; multiply the product instead: t * (A @ x)")
    if other.ndim == 2 and t.ndim > 2:
        raise errors.NoRowError(f"the product of a {kind} and a Tensor takes one axis or two, got shape {t.shape}")
    return sparse_product(t, matrix=other, before=before)


def dense(t: Any, other: Any, name: str) -> Any:
    """Return the array that ``A + t`` and ``A - t`` make of a sparse array; refuse what would be sparse, or of NumPy's class `matrix`.

    NotImplemented where the other operand is not sparse.
    """
    if not scipy.sparse.issparse(other):
        return NotImplemented
    if name not in ("add", "subtract") or isinstance(other, scipy.sparse.spmatrix) or not 0 < t.ndim <= other.ndim:
        raise errors.NoRowError(
            f"np.{name} of a scipy.sparse.{type(other).__name__} and a Tensor of shape {t.shape} is not differentiable here; use A.toarray()"
        )
    return other.toarray()


# --- the table ------------------------------------------------------------------------------------

DENSE = np.array([[0.0, 1.5, 0.0, -2.0], [0.5, 0.0, 0.0, 0.0], [0.0, -1.0, 3.0, 0.25]], np.float32)
SPARSE = scipy.sparse.csr_array(DENSE)
SYSTEM = Factored(scipy.sparse.csc_array(np.array([[2.0, 0.0, 1.0], [0.0, -1.5, 0.0], [0.5, 0.0, 3.0]], np.float32)))

# fmt: off
linear(sparse_product, _transposed_product, case((4,), matrix=SPARSE), case((4, 2), matrix=SPARSE), case((3,), matrix=SPARSE, before=False), case((2, 3), matrix=SPARSE, before=False), selects=False)
linear(solve_factored, _solve_transposed, case((3,), system=SYSTEM), case((3, 2), system=SYSTEM, trans="T"), case((3,), system=SYSTEM, trans="H"), selects=False)
# fmt: on
