"""All notations together."""

from __future__ import annotations

from autograd_np.derivations.mathematics import constructs, gathering, indices, matrices, products
from autograd_np.derivations.mathematics.equations import Equations, result, silent

__all__ = ["Mathematics"]


class Mathematics(Equations):
    """Writes expressions as mathematics."""

    families = (
        result,
        silent,
        *matrices.FAMILIES,
        *products.FAMILIES,
        *gathering.FAMILIES,
        *indices.FAMILIES,
        *constructs.FAMILIES,
    )
