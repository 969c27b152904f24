"""Special functions and distributions against PyTorch's, over random arguments: values, gradients, and products with the Hessian."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_np as ag

torch = pytest.importorskip("torch")
special = pytest.importorskip("scipy.special")
from autograd_np.scipy import special as special_mirror  # noqa: E402
from autograd_np.scipy import stats  # noqa: E402

D, S = torch.distributions, torch.special

REAL, POSITIVE, CHANCE = (-3.0, 3.0), (0.2, 4.0), (0.05, 0.95)

FUNCTIONS: dict[str, tuple[Any, Any, tuple[tuple[float, float], ...]]] = {
    "expit": (special.expit, S.expit, (REAL,)),
    "logit": (special.logit, S.logit, (CHANCE,)),
    "gammaln": (special.gammaln, S.gammaln, (POSITIVE,)),
    "psi": (special.psi, S.psi, (POSITIVE,)),
    "polygamma": (lambda x: special_mirror.polygamma(2, x), lambda x: S.polygamma(2, x), (POSITIVE,)),
    "multigammaln": (lambda x: special_mirror.multigammaln(x + 2, 3), lambda x: S.multigammaln(x + 2, 3), (POSITIVE,)),
    "erf": (special.erf, S.erf, (REAL,)),
    "erfc": (special.erfc, S.erfc, (REAL,)),
    "erfcx": (special.erfcx, S.erfcx, (REAL,)),
    "erfinv": (special.erfinv, S.erfinv, (CHANCE,)),
    "ndtr": (special.ndtr, S.ndtr, (REAL,)),
    "log_ndtr": (special.log_ndtr, S.log_ndtr, (REAL,)),
    "ndtri": (special.ndtri, S.ndtri, (CHANCE,)),
    "xlogy": (special.xlogy, S.xlogy, (REAL, POSITIVE)),
    "xlog1py": (special.xlog1py, S.xlog1py, (REAL, POSITIVE)),
    "entr": (special.entr, S.entr, (POSITIVE,)),
    "i0": (special.i0, S.i0, (REAL,)),
    "i0e": (special.i0e, S.i0e, (POSITIVE,)),
    "i1": (special.i1, S.i1, (POSITIVE,)),
    "i1e": (special.i1e, S.i1e, (POSITIVE,)),
    "gammainc by x": (lambda x: special.gammainc(1.7, x), lambda x: S.gammainc(torch.tensor(1.7, dtype=torch.float64), x), (POSITIVE,)),
    "logsumexp": (lambda x: special_mirror.logsumexp(x, axis=0), lambda x: torch.logsumexp(x, 0), (REAL,)),
    "log_softmax": (lambda x: special_mirror.log_softmax(x, axis=0), lambda x: torch.log_softmax(x, 0), (REAL,)),
}

LOG_DENSITIES: dict[str, tuple[Any, Any, tuple[tuple[float, float], ...]]] = {
    "norm": (stats.norm.logpdf, lambda x, m, s: D.Normal(m, s).log_prob(x), (REAL, REAL, POSITIVE)),
    "t": (stats.t.logpdf, lambda x, v, m, s: D.StudentT(v, m, s).log_prob(x), (REAL, POSITIVE, REAL, POSITIVE)),
    "gamma": (lambda x, a, s: stats.gamma.logpdf(x, a, scale=s), lambda x, a, s: D.Gamma(a, 1 / s).log_prob(x), (POSITIVE, POSITIVE, POSITIVE)),
    "invgamma": (lambda x, a, s: stats.invgamma(a, scale=s).logpdf(x), lambda x, a, s: D.InverseGamma(a, s).log_prob(x), (POSITIVE,) * 3),
    "beta": (stats.beta.logpdf, lambda x, a, b: D.Beta(a, b).log_prob(x), (CHANCE, POSITIVE, POSITIVE)),
    "expon": (lambda x, s: stats.expon.logpdf(x, scale=s), lambda x, s: D.Exponential(1 / s).log_prob(x), (POSITIVE, POSITIVE)),
    "laplace": (stats.laplace.logpdf, lambda x, m, s: D.Laplace(m, s).log_prob(x), (REAL, REAL, POSITIVE)),
    "cauchy": (stats.cauchy.logpdf, lambda x, m, s: D.Cauchy(m, s).log_prob(x), (REAL, REAL, POSITIVE)),
    "halfnorm": (lambda x, s: stats.halfnorm.logpdf(x, scale=s), lambda x, s: D.HalfNormal(s).log_prob(x), (POSITIVE, POSITIVE)),
    "halfcauchy": (lambda x, s: stats.halfcauchy.logpdf(x, scale=s), lambda x, s: D.HalfCauchy(s).log_prob(x), (POSITIVE, POSITIVE)),
    "lognorm": (lambda x, m, s: stats.lognorm.logpdf(x, s, scale=np.exp(m)), lambda x, m, s: D.LogNormal(m, s).log_prob(x), (POSITIVE, REAL, POSITIVE)),
    "chi2": (stats.chi2.logpdf, lambda x, v: D.Chi2(v).log_prob(x), (POSITIVE, POSITIVE)),
    "f": (stats.f.logpdf, lambda x, n, m: D.FisherSnedecor(n, m).log_prob(x), (POSITIVE, POSITIVE, POSITIVE)),
    "gumbel_r": (stats.gumbel_r.logpdf, lambda x, m, s: D.Gumbel(m, s).log_prob(x), (REAL, REAL, POSITIVE)),
    "weibull_min": (lambda x, c, s: stats.weibull_min.logpdf(x, c, scale=s), lambda x, c, s: D.Weibull(s, c).log_prob(x), (POSITIVE,) * 3),
    "pareto": (lambda x, b: stats.pareto.logpdf(x + 1, b), lambda x, b: D.Pareto(1.0, b, validate_args=False).log_prob(x + 1), (POSITIVE, POSITIVE)),
    "norm cdf": (stats.norm.cdf, lambda x, m, s: D.Normal(m, s).cdf(x), (REAL, REAL, POSITIVE)),
    "gamma cdf by x": (lambda x: stats.gamma.cdf(x, 2.5), lambda x: D.Gamma(torch.tensor(2.5, dtype=torch.float64), 1.0).cdf(x), (POSITIVE,)),
    "laplace cdf": (stats.laplace.cdf, lambda x, m, s: D.Laplace(m, s).cdf(x), (REAL, REAL, POSITIVE)),
    "cauchy ppf": (stats.cauchy.ppf, lambda q, m, s: D.Cauchy(m, s).icdf(q), (CHANCE, REAL, POSITIVE)),
    "poisson": (lambda r: stats.poisson.logpmf(3, r), lambda r: D.Poisson(r).log_prob(torch.tensor(3.0, dtype=torch.float64)), (POSITIVE,)),
    "binom": (lambda p: stats.binom.logpmf(3, 7, p), lambda p: D.Binomial(7, p).log_prob(torch.tensor(3.0, dtype=torch.float64)), (CHANCE,)),
    "bernoulli": (lambda p: stats.bernoulli.logpmf(1, p), lambda p: D.Bernoulli(p).log_prob(torch.tensor(1.0, dtype=torch.float64)), (CHANCE,)),
    "geom": (lambda p: stats.geom.logpmf(4, p), lambda p: D.Geometric(p).log_prob(torch.tensor(3.0, dtype=torch.float64)), (CHANCE,)),
    "nbinom": (
        lambda n, p: stats.nbinom.logpmf(3, n, p),
        lambda n, p: D.NegativeBinomial(n, 1 - p).log_prob(torch.tensor(3.0, dtype=torch.float64)), (POSITIVE, CHANCE),
    ),
    "dirichlet": (
        lambda a: stats.dirichlet.logpdf([0.1, 0.2, 0.3, 0.25, 0.15], a),
        lambda a: D.Dirichlet(a).log_prob(torch.tensor([0.1, 0.2, 0.3, 0.25, 0.15], dtype=torch.float64)), (POSITIVE,),
    ),
    "multivariate_normal": (
        lambda x, m: stats.multivariate_normal.logpdf(x, m, np.eye(5) + 0.3),
        lambda x, m: D.MultivariateNormal(m, torch.eye(5, dtype=torch.float64) + 0.3).log_prob(x), (REAL, REAL),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", [*FUNCTIONS, *LOG_DENSITIES])
def test_value_gradient_and_hessian_are_pytorchs(name: str, rng: np.random.Generator) -> None:
    ours, theirs, domains = (FUNCTIONS | LOG_DENSITIES)[name]
    for _ in range(5):
        args = tuple(rng.uniform(*d, 5) for d in domains)
        numbers = tuple(range(len(args)))
        tensors = [torch.tensor(a, requires_grad=True) for a in args]
        reference = theirs(*tensors)
        np.testing.assert_allclose(ours(*args), reference.detach().numpy(), rtol=1e-9, atol=1e-12)
        grads = torch.autograd.grad(torch.sum(reference), tensors, create_graph=True)

        def total(*xs: Any) -> Any:
            return np.sum(ours(*xs))

        for mine, other in zip(ag.grad(total, numbers)(*args), grads, strict=True):
            np.testing.assert_allclose(mine, other.detach().numpy(), rtol=1e-8, atol=1e-10)
        directions = [rng.normal(size=5) for _ in args]
        slope = sum(torch.sum(g * torch.tensor(v)) for g, v in zip(grads, directions, strict=True))
        if not slope.requires_grad:
            continue
        try:
            second = torch.autograd.grad(slope, tensors, allow_unused=True)
        except (RuntimeError, NotImplementedError):
            continue  # PyTorch has no second derivative of it
        found = ag.hvp(total, args, directions)
        for mine, other in zip(found, second, strict=True):
            np.testing.assert_allclose(mine, 0 if other is None else other.numpy(), rtol=1e-6, atol=1e-8)
