"""Bayesian models as tutorials have them: the same function with SciPy's distributions and with the mirrored ones, without a warning."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from oracles import numeric_gradient

import autograd_np as ag

stats = pytest.importorskip("scipy.stats")
special = pytest.importorskip("scipy.special")
from autograd_np.scipy import special as special_mirror  # noqa: E402
from autograd_np.scipy import stats as mirror  # noqa: E402

RNG = np.random.default_rng(11)
X = np.column_stack([np.ones(30), RNG.normal(size=(30, 2))])
Y = X @ np.array([0.3, -1.2, 0.8]) + 0.4 * RNG.normal(size=30)
LABELS = (Y > 0).astype(int)
COUNTS = RNG.poisson(np.exp(0.4 * X[:, 1] + 0.5))
GROUP = RNG.integers(0, 4, 30)
EFFECT, ERROR = np.array([28.0, 8, -3, 7, -1, 1, 18, 12]), np.array([15.0, 10, 16, 11, 9, 11, 10, 18])
DISASTERS = np.array([4, 5, 4, 0, 1, 4, 3, 4, 0, 6, 3, 3, 4, 0, 2, 6, 1, 0, 0, 1, 1, 2, 0, 1, 0, 0, 1, 2])
TIMES, SEEN = RNG.exponential(2.0, 20), RNG.random(20) < 0.7
GRID = np.linspace(0.0, 3.0, 7)


def linear_regression(p: Any, s: Any, sp: Any) -> Any:
    return (
        np.sum(s.norm.logpdf(Y, X @ p[:3], np.exp(p[3]))) + np.sum(s.norm.logpdf(p[:3], 0, 10)) + s.halfnorm.logpdf(np.exp(p[3]), scale=2)
    )


def robust_regression(p: Any, s: Any, sp: Any) -> Any:
    return np.sum(s.t(df=1 + np.exp(p[4]), loc=X @ p[:3], scale=np.exp(p[3])).logpdf(Y)) + s.gamma.logpdf(np.exp(p[4]), 2, scale=10)


def logistic_regression(p: Any, s: Any, sp: Any) -> Any:
    return np.sum(s.bernoulli.logpmf(LABELS, special.expit(X @ p[:3]))) + np.sum(s.laplace.logpdf(p[:3]))


def probit_regression(p: Any, s: Any, sp: Any) -> Any:
    z = X @ p[:3]
    return np.sum(np.where(LABELS == 1, s.norm.logcdf(z), s.norm.logsf(z)))


def negative_binomial_regression(p: Any, s: Any, sp: Any) -> Any:
    mu, alpha = np.exp(X @ p[:3]), np.exp(p[3])
    return np.sum(s.nbinom.logpmf(COUNTS, alpha, alpha / (alpha + mu))) + s.expon.logpdf(alpha)


def zero_inflated_poisson(p: Any, s: Any, sp: Any) -> Any:
    absent, mu = special.expit(p[0]), np.exp(p[1])
    present = np.log1p(-absent) + s.poisson.logpmf(COUNTS, mu)
    return np.sum(np.where(COUNTS == 0, np.logaddexp(np.log(absent), present), present))


def eight_schools(p: Any, s: Any, sp: Any) -> Any:
    mu, tau, theta = p[0], np.exp(p[1]), p[0] + np.exp(p[1]) * p[2:10]
    prior = s.norm.logpdf(mu, 0, 5) + s.halfcauchy.logpdf(tau, scale=5) + p[1] + np.sum(s.norm.logpdf(p[2:10]))
    return prior + np.sum(s.norm(theta, ERROR).logpdf(EFFECT))


def varying_intercepts(p: Any, s: Any, sp: Any) -> Any:
    a = p[:4]
    return np.sum(s.norm.logpdf(a, p[4], np.exp(p[5]))) + np.sum(s.norm.logpdf(Y, a[GROUP] + p[6] * X[:, 1], np.exp(p[7])))


def mixture(p: Any, s: Any, sp: Any) -> Any:
    log_weights = p[:2] - sp.logsumexp(p[:2])
    each = s.norm.logpdf(Y[:, None], p[2:4], np.exp(p[4:6]))
    return np.sum(sp.logsumexp(log_weights + each, axis=1)) + s.dirichlet.logpdf(sp.softmax(p[:2]), [2.0, 2.0])


def change_point(p: Any, s: Any, sp: Any) -> Any:
    years = np.arange(len(DISASTERS))
    share = special.expit(years - p[2])
    rate = np.exp(p[0]) * (1 - share) + np.exp(p[1]) * share
    return np.sum(s.poisson(rate).logpmf(DISASTERS)) + s.expon.logpdf(np.exp(p[0]), scale=2) + s.uniform.logpdf(p[2], -5, 40)


def survival(p: Any, s: Any, sp: Any) -> Any:
    shape, scale = np.exp(p[0]), np.exp(p[1])
    return np.sum(np.where(SEEN, s.weibull_min.logpdf(TIMES, shape, scale=scale), s.weibull_min.logsf(TIMES, shape, scale=scale)))


def gaussian_process(p: Any, s: Any, sp: Any) -> Any:
    gap = GRID[:, None] - GRID
    cov = np.exp(p[0]) * np.exp(-(gap**2) / np.exp(p[1])) + (0.1 + np.exp(p[2])) * np.eye(7)
    return s.multivariate_normal.logpdf(np.sin(GRID), np.zeros(7), cov)


def ordered_logistic(p: Any, s: Any, sp: Any) -> Any:
    cuts = np.concatenate([p[:1], p[:1] + np.cumsum(np.exp(p[1:3]))])
    level = np.clip(COUNTS, 0, 3)
    below = s.logistic.cdf(cuts[:, None] - p[3] * X[:, 1])
    steps = np.concatenate([below[:1], np.diff(below, axis=0), 1 - below[-1:]])
    return np.sum(np.log(steps[level, np.arange(30)]))


def multinomial_logit(p: Any, s: Any, sp: Any) -> Any:
    return s.multinomial.logpmf([3, 5, 2], 10, sp.softmax(p[:3])) + s.dirichlet(np.exp(p[:3])).logpdf([0.3, 0.5, 0.2])


def beta_binomial(p: Any, s: Any, sp: Any) -> Any:
    a, b = np.exp(p[0]), np.exp(p[1])
    return np.sum(s.betabinom.logpmf(np.minimum(COUNTS, 9), 9, a, b)) + s.beta.logpdf(special.expit(p[2]), a, b) + s.beta.logsf(0.3, a, b)


def stochastic_volatility(p: Any, s: Any, sp: Any) -> Any:
    h = p[4:12]
    steps = s.norm.logpdf(h[1:], p[0] + np.tanh(p[1]) * (h[:-1] - p[0]), np.exp(p[2]))
    return (
        np.sum(steps) + np.sum(s.t.logpdf(Y[:8], 2 + np.exp(p[3]), scale=np.exp(h / 2))) + s.beta.logpdf((np.tanh(p[1]) + 1) / 2, 20, 1.5)
    )


def truncated(p: Any, s: Any, sp: Any) -> Any:
    low, scale = 0.0, np.exp(p[1])
    inside = np.abs(Y) + 0.01
    return np.sum(s.truncnorm.logpdf(inside, (low - p[0]) / scale, np.inf, p[0], scale)) + s.lognorm.logpdf(scale, 0.5)


def positives(p: Any, s: Any, sp: Any) -> Any:
    y = np.exp(Y)
    total = np.sum(s.gamma.logpdf(y, np.exp(p[0]), scale=np.exp(p[1]))) + np.sum(s.invgamma.logpdf(y, np.exp(p[2]), scale=np.exp(p[3])))
    return total + np.sum(s.pareto.logpdf(y + 1, np.exp(p[0]))) + np.sum(s.lognorm.logpdf(y, np.exp(p[1]), scale=np.exp(p[2])))


def directions(p: Any, s: Any, sp: Any) -> Any:
    return np.sum(s.vonmises.logpdf(Y, np.exp(p[0]), loc=p[1])) + s.wishart.logpdf(np.eye(2) + 0.3, 4, np.exp(p[2]) * np.eye(2))


def extremes(p: Any, s: Any, sp: Any) -> Any:
    at = s.gumbel_r.ppf(0.9, p[0], np.exp(p[1]))
    return (
        np.sum(s.gumbel_r.logpdf(Y, p[0], np.exp(p[1])))
        + s.gamma.ppf(0.3, np.exp(p[2])) * at
        + s.t.ppf(0.9, np.exp(p[3]))
        + s.beta.ppf(0.2, 2, np.exp(p[0]))
    )


MODELS = [
    linear_regression, robust_regression, logistic_regression, probit_regression, negative_binomial_regression, zero_inflated_poisson,
    eight_schools, varying_intercepts, mixture, change_point, survival, gaussian_process, ordered_logistic, multinomial_logit,
    beta_binomial, stochastic_volatility, truncated, positives, directions, extremes,
]  # fmt: skip


@pytest.mark.parametrize("model", MODELS, ids=lambda f: f.__name__)
def test_a_model_of_a_tutorial(model: Any) -> None:
    p = np.random.default_rng(3).normal(size=12) * 0.5
    value, g = ag.value_and_grad(lambda p: model(p, mirror, special_mirror))(p)
    np.testing.assert_allclose(value, model(p, stats, special), rtol=1e-11)
    np.testing.assert_allclose(g, numeric_gradient(lambda p: model(p, stats, special), p), rtol=1e-6, atol=1e-6)
    v = np.cos(np.arange(12.0))
    hvp = ag.hvp(lambda p: model(p, mirror, special_mirror), (p,), (v,))[0]
    forward = ag.jvp(ag.grad(lambda p: model(p, mirror, special_mirror)), (p,), (v,))[1]
    slope = ag.grad(lambda p: np.sum(v * ag.grad(lambda q: model(q, mirror, special_mirror))(p)))(p)
    np.testing.assert_allclose(np.ravel(hvp), slope, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(forward, slope, rtol=1e-8, atol=1e-8)


def test_a_loop_over_a_batch_is_the_batch() -> None:
    x, m, s = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 1)), np.exp(RNG.normal(size=3))
    for f in (mirror.norm.logpdf, mirror.cauchy.cdf, mirror.logistic.logsf, mirror.laplace.pdf, lambda x, a, b: mirror.t.cdf(x, b, a)):
        whole = ag.grad(lambda m, f=f: np.sum(f(x, m, s)))(m)
        rows = [ag.grad(lambda a, f=f, i=i: np.sum(f(x[i], a, s)))(m[i]) for i in range(4)]
        np.testing.assert_allclose(whole, rows, rtol=1e-12, atol=1e-14)


TAILS = [
    (lambda t: mirror.norm.logsf(t), 1e5, -1e5), (lambda t: mirror.norm.logcdf(-1e3, scale=t), 1.0, 1e6),
    (lambda t: mirror.norm.logpdf(1e150, scale=t), 1e150, 0.0), (lambda t: mirror.t.logpdf(t, 3.0), 1e100, -4e-100),
    (lambda t: mirror.logistic.logpdf(t), -1e5, 1.0), (lambda t: mirror.cauchy.logsf(t), 1e100, -1e-100),
    (lambda t: mirror.gamma.logpdf(1e-300, t), 2.0, np.log(1e-300) - special.psi(2.0)), (lambda t: mirror.expon.logsf(t), 1e300, -1.0),
    (lambda t: mirror.poisson.logpmf(0, t), 0.0, -1.0), (lambda t: mirror.binom.logpmf(0, 5, t), 0.0, -5.0),
    (lambda t: mirror.bernoulli.logpmf(1, t), 1.0, 1.0), (lambda t: mirror.geom.logpmf(1, t), 1.0, 1.0),
    (lambda t: mirror.poisson.logpmf(10**6, t), 1e6, 0.0), (lambda t: mirror.t.logpdf(2.0, t), 1e8, -1.75e-16),
    (lambda t: mirror.vonmises.logpdf(0.0, t), 1e8, 0.5e-8), (lambda t: mirror.beta.logpdf(0.5, t, 1.0), 1e-8, 1e8),
    (lambda t: mirror.uniform.logpdf(0.0, t), 0.0, 0.0), (lambda t: mirror.pareto.logsf(t, 2.0), 1e200, -2e-200),
    (lambda t: mirror.halfcauchy.logpdf(t), 0.0, 0.0), (lambda t: mirror.weibull_min.logsf(0.0, t), 1.5, 0.0),
    (lambda t: mirror.truncnorm.logpdf(41.0, t, np.inf), 40.0, 40.02496884720726),
    (lambda t: mirror.lognorm.cdf(t, 1.0), 0.0, 0.0), (lambda t: mirror.invgamma.pdf(t, 2.0), 1e-200, 0.0),
    (lambda t: mirror.gumbel_r.cdf(t), -1e3, 0.0), (lambda t: mirror.gumbel_l.sf(t, 0.0, 2.0), 1e3, 0.0),
    (lambda t: mirror.invweibull.cdf(0.3, t), 900.0, 0.0), (lambda t: mirror.fisk.logpdf(50.0, t), 500.0, 1 / 500 - np.log(50.0)),
    (lambda t: mirror.beta.ppf(0.99, 0.7, t), 1e-3, 0.0), (lambda t: mirror.f.logcdf(t, 2.0, 0.02), 1e66, 0.01 / (1e66 * (np.exp(0.01 * 66 * np.log(10) - 0.01 * np.log(0.01)) - 1))),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(TAILS)))
def test_tails_and_borders(number: int) -> None:
    """No NaN, no warning but of an overflow on the way, which SciPy has as well; and the slope that paper gives."""
    f, at, expected = TAILS[number]
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(ag.grad(f)(at), expected, rtol=1e-6, atol=1e-9 if expected == 0 else 0)


def test_what_is_mirrored_can_be_sent_to_another_process() -> None:
    t = ag.Tensor(0.3, requires_grad=True)
    for d in (mirror.norm, mirror.gamma, mirror.multivariate_normal, mirror.poisson):
        assert pickle.loads(pickle.dumps(d)) is d
        assert copy.deepcopy(d) is d
    frozen = pickle.loads(pickle.dumps(mirror.norm(0.5, 2.0)))
    np.testing.assert_array_equal(frozen.logpdf(t).data, mirror.norm.logpdf(t, 0.5, 2.0).data)
    assert frozen.mean() == 0.5
