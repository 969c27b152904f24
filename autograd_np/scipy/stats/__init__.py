"""`scipy.stats`, whose distributions take Tensors: ``from autograd_np.scipy.stats import norm`` instead of ``from scipy.stats import norm``.

Here live the mirrored distributions; formulas of single functions, which are rows, may not live here but in `ops.for_scipy`.
Densities, probabilities, distribution functions and, where they are simple, their inverses are differentiable by the point and by all
parameters, and so are frozen distributions. Where a point is outside of the support the density is 0 and has no slope. Values on plain
arguments are SciPy's own, in double precision always, as SciPy's; other methods (`rvs`, `fit`) are SciPy's, and refused with Tensors.

Examples
--------
>>> import numpy as np
>>> import autograd_np as ag
>>> from autograd_np.scipy.stats import gamma, norm
>>> data = np.array([0.5, 1.5, 2.5])
>>> ag.grad(lambda m, s: np.sum(norm.logpdf(data, loc=m, scale=s)), (0, 1))(1.0, 2.0)
(array(0.375), array(-1.15625))
>>> ag.grad(lambda a: gamma(a).cdf(2.0))(1.5)
array(-0.27743356)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special
from scipy import stats as scipys

import autograd_np.ops.for_scipy.special  # noqa: F401 (the rows)
from autograd_np.op import constant_of
from autograd_np.scipy.mirror import covering, module
from autograd_np.scipy.stats import continuous, discrete, rarer
from autograd_np.scipy.stats.base import Distribution, array
from autograd_np.scipy.stats.multivariate import ENTROPIES, MULTIVARIATE, Multivariate


def _zscore(a: Any, axis: Any = 0, ddof: int = 0) -> Any:
    a = array(a)
    centred = a - np.mean(a, axis=axis, keepdims=True)
    return centred / np.std(a, axis=axis, ddof=ddof, keepdims=True)


def _entropy(pk: Any, qk: Any = None, base: Any = None, axis: Any = 0) -> Any:
    pk = array(pk)
    pk = pk / np.sum(pk, axis=axis, keepdims=True)
    nothing = constant_of(pk) == 0  # adds nothing, at a slope that is infinite: nothing flows there
    some = np.where(nothing, 1, pk)
    if qk is None:
        terms = special.entr(some)
    else:
        qk = array(qk)
        terms = special.rel_entr(some, qk / np.sum(qk, axis=axis, keepdims=True))
    found = np.sum(np.where(nothing, 0, terms), axis=axis)
    return found if base is None else found / np.log(base)


GIVEN: dict[str, Any] = {
    **{name: Distribution(getattr(scipys, name), law) for name, law in (continuous.LAWS | rarer.LAWS | discrete.LAWS).items()},
    **{name: Multivariate(getattr(scipys, name), name, log, ENTROPIES.get(name)) for name, log in MULTIVARIATE.items()},
    "zscore": covering(scipys.zscore, _zscore, "scipy.stats.zscore"),
    "entropy": covering(scipys.entropy, _entropy, "scipy.stats.entropy"),
}
"""The names that understand Tensors."""

REMARKS = {name: ", ".join(given.methods) for name, given in GIVEN.items() if hasattr(given, "methods")} | {
    "entropy": "with `from autograd_np.scipy.stats import ...`; 0 by a probability that is 0"
}
"""For docs/coverage.md."""

__getattr__, __dir__, __all__ = module("scipy.stats", GIVEN)
