"""All notations together."""

from __future__ import annotations

from autograd_np.derivations import gathering, places, products
from autograd_np.derivations.equations import Equations, result, silent

__all__ = ["Mathematics"]


class Mathematics(Equations):
    """Writes expressions as mathematics."""

    families = (result, silent, *products.FAMILIES, *gathering.FAMILIES, *places.FAMILIES)
