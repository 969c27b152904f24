"""The table of derivatives, a file a family. Importing this package fills `autograd_np.op.TABLE`.

Here live the rows, and the NumPy functions that their formulas need. A rule may not write in place, sum over broadcast axes
or cast, which the engine does for all; and nothing here may know Tensor or the graph, since the same rule runs on arrays,
on Tensors and on lazy arrays.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import numpy as np

from autograd_np.op import TABLE
from autograd_np.ops import complex as complex_numbers
from autograd_np.ops import (
    contraction,
    counts,
    creation,
    decompositions,
    fourier,
    inverses,
    linalg,
    padding,
    pieces,
    polynomials,
    reductions,
    selection,
    sets,
    signal,
    statistics,
    systems,
)
from autograd_np.ops.adjoint import conj
from autograd_np.ops.elementwise import ADD, DIVIDE, MULTIPLY, NEGATIVE, SUBTRACT
from autograd_np.ops.indexing import GETITEM, SETITEM, is_basic
from autograd_np.ops.shaping import BROADCAST, astype, summed
from autograd_np.ops.signal import as_strided
from autograd_np.ops.special import log_sigmoid, log_softmax, logsumexp, relu, sigmoid, softmax, softplus
from autograd_np.ops.ufunc_methods import ufunc_method, write_out

__all__ = [
    "ADD",
    "BROADCAST",
    "DIVIDE",
    "GETITEM",
    "MULTIPLY",
    "NEGATIVE",
    "SETITEM",
    "SUBTRACT",
    "as_strided",
    "astype",
    "complex_numbers",
    "conj",
    "contraction",
    "counts",
    "creation",
    "decompositions",
    "dense_of_sparse",
    "fourier",
    "inverses",
    "is_basic",
    "linalg",
    "log_sigmoid",
    "log_softmax",
    "logsumexp",
    "padding",
    "pieces",
    "polynomials",
    "reductions",
    "relu",
    "row_of_scipys",
    "selection",
    "sets",
    "sigmoid",
    "signal",
    "softmax",
    "softplus",
    "statistics",
    "summed",
    "systems",
    "times_sparse",
    "ufunc_method",
    "write_out",
]


def row_of_scipys(fn: Any) -> Any:
    """Return what the table has of a ufunc that it lacked: the rows of `scipy.special` are imported when the first is missed."""
    if isinstance(fn, np.ufunc) and "scipy.special" in sys.modules:
        importlib.import_module("autograd_np.ops.for_scipy.special")
    return TABLE.get(fn)


def times_sparse(t: Any, other: Any, *, before: bool, star: bool = False) -> Any:
    """Return the product of a Tensor and a sparse matrix of SciPy's, or NotImplemented where the other operand is none."""
    if "scipy.sparse" not in sys.modules:
        return NotImplemented
    return importlib.import_module("autograd_np.ops.for_scipy.sparse").times(t, other, before=before, star=star)


def dense_of_sparse(t: Any, other: Any, name: str) -> Any:
    """Return a sparse array of SciPy's as the array that an operator makes of it beside a Tensor, or NotImplemented where it is none."""
    if "scipy.sparse" not in sys.modules:
        return NotImplemented
    return importlib.import_module("autograd_np.ops.for_scipy.sparse").dense(t, other, name)
