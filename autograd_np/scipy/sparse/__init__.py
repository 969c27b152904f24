"""`scipy.sparse`, all of it SciPy's own: products with a constant sparse matrix take Tensors as they stand.

Here lives the module `linalg`. Derivatives may not live here; their rows are in `ops.for_scipy`.

Examples
--------
>>> import numpy as np
>>> import autograd_np as ag
>>> from scipy import sparse
>>> a = sparse.csr_array(np.array([[0.0, 2.0], [3.0, 0.0]]))
>>> ag.grad(lambda x: np.sum((a @ x) ** 2))(np.array([1.0, 1.0]))
array([18.,  8.])
"""

from __future__ import annotations

from typing import Any

from autograd_np.scipy.mirror import module

GIVEN: dict[str, Any] = {}
"""Nothing here understands Tensors that SciPy's own does not."""

__getattr__, __dir__, __all__ = module("scipy.sparse", GIVEN)
