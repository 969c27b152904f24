"""The mirrored distributions of `scipy.stats`, held to SciPy's values and to differences of them, over random parameters."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from oracles import numeric_gradient

import autograd_np as ag

stats = pytest.importorskip("scipy.stats")
mirror = pytest.importorskip("autograd_np.scipy.stats")
from autograd_np.scipy.stats import continuous, discrete, rarer  # noqa: E402

CONTINUOUS = continuous.LAWS | rarer.LAWS

try:
    import dask.array as da  # here, since an error that its import swallows would keep the frame of a test, and its Tensors
except ModuleNotFoundError:
    da = None

SHAPES = {
    "t": (3.3,), "lognorm": (0.7,), "skewnorm": (1.2,), "truncnorm": (-0.7, 1.8), "invgauss": (0.8,), "gamma": (2.3,), "invgamma": (3.1,),
    "chi2": (3.4,), "beta": (1.7, 2.6), "f": (3.2, 5.1), "weibull_min": (1.6,), "powerlaw": (1.7,), "pareto": (2.4,), "vonmises": (1.8,),
    "genextreme": (0.2,), "genpareto": (0.3,), "invweibull": (2.2,), "lomax": (1.6,), "burr12": (1.7, 2.1), "fisk": (2.1,), "gompertz": (0.9,),
    "loggamma": (1.4,), "chi": (2.7,), "nakagami": (1.3,), "rice": (0.9,), "betaprime": (1.9, 2.6), "exponnorm": (1.2,), "gennorm": (1.6,),
    "laplace_asymmetric": (1.4,), "loguniform": (0.5, 3.0), "triang": (0.4,),
}  # fmt: skip
COUNTS = {"poisson": (2.3,), "bernoulli": (0.3,), "binom": (7.0, 0.3), "nbinom": (2.5, 0.4), "geom": (0.3,), "betabinom": (7.0, 1.3, 2.4)}
WHOLE = {("binom", 1), ("betabinom", 1)}
"""Parameters that are numbers of trials: a derivative would be one of the gamma function."""


def quietly(f: Any, *args: Any) -> Any:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return f(*args)


def differences(f: Any, x: Any, h: float = 1e-4) -> Any:
    return quietly(lambda: (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h))


def agrees(name: str, method: str, args: tuple[Any, ...], fixed: set[int]) -> None:
    """Compare a method's value with SciPy's, and its gradient by each argument with differences of SciPy's values."""
    ours, theirs = getattr(getattr(mirror, name), method), getattr(getattr(stats, name), method)
    expected = quietly(theirs, *args)
    found = quietly(ours, *(a if i in fixed else ag.Tensor(a, requires_grad=True) for i, a in enumerate(args)))
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    better = (expected == -np.inf) & (found.data < -700)  # SciPy's is the logarithm of a probability that has underflowed
    np.testing.assert_allclose(np.where(better, -np.inf, found.data), expected, rtol=1e-10, atol=1e-13, err_msg=f"{name}.{method}")
    np.testing.assert_array_equal(quietly(ours, *args), expected)  # SciPy's own
    finite = np.isfinite(expected)
    for i, a in enumerate(args):
        if i in fixed:
            continue

        def alone(t: Any, i: int = i) -> Any:
            return ours(*args[:i], t, *args[i + 1 :])

        g = quietly(ag.grad(lambda t, alone=alone: np.sum(np.where(finite, alone(t), 0))), a)
        numeric = differences(lambda t, i=i: theirs(*args[:i], t, *args[i + 1 :]), a)
        again = differences(lambda t, i=i: theirs(*args[:i], t, *args[i + 1 :]), a, 3e-5)
        smooth = (
            finite & (abs(expected) < 1e8) & np.isfinite(numeric) & (abs(numeric - again) <= 1e-5 * (1 + abs(numeric)))
        )  # not beside an end of the support
        assert np.all(np.isfinite(g)), f"{name}.{method} by {i}: {g}"
        assert np.mean(smooth[finite]) > 0.6
        np.testing.assert_allclose(g[smooth], numeric[smooth], rtol=3e-6, atol=1e-7, err_msg=f"{name}.{method} by {i}")


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_distributions(name: str, rng: np.random.Generator) -> None:
    shapes = SHAPES.get(name, ())
    for loc, scale in ((0.0, 1.0), (0.3, 1.7)):
        moved = tuple(s * rng.uniform(0.9, 1.1, 14) for s in shapes)
        inside = getattr(stats, name).rvs(*shapes, size=10, random_state=rng)
        x = loc + scale * np.concatenate([inside, [-30.0, -2.3, 1.9, 40.0]])
        for method in getattr(mirror, name).methods:
            point = rng.uniform(0.02, 0.98, 14) if method in ("ppf", "isf") else x
            agrees(name, method, (point, *moved, np.full(14, loc), np.full(14, scale)), set())


@pytest.mark.parametrize("name", discrete.LAWS)
def test_discrete_distributions(name: str, rng: np.random.Generator) -> None:
    k = np.array([-1, 0, 1, 2, 3, 5, 7, 9, 1.5])
    for method in getattr(mirror, name).methods:
        shapes = tuple(np.full(9, s) * (1 if (name, i) in WHOLE else rng.uniform(0.9, 1.1, 9)) for i, s in enumerate(COUNTS[name], 1))
        agrees(name, method, (k, *shapes), {0, *(i for i in range(4) if (name, i) in WHOLE)})


@pytest.mark.parametrize("name", [*CONTINUOUS, *discrete.LAWS])
def test_outside_of_the_support_nothing_flows(name: str) -> None:
    """Also where a slope inside would be infinite, and beside points that are inside; NaN comes of NaN and of forbidden parameters."""
    count = name in discrete.LAWS
    ours, theirs = getattr(mirror, name), getattr(stats, name)
    shapes = COUNTS[name] if count else SHAPES.get(name, ())
    x = np.array([-np.inf, -5.0, -1.0, 0.0, 1.0, 2.0, np.inf, np.nan])
    for method in ours.methods[:2]:
        expected = quietly(getattr(theirs, method), x, *shapes)
        given = tuple(ag.Tensor(float(s), requires_grad=True) for s in shapes) or (0.0,)
        point: Any = x if count else ag.Tensor(x, requires_grad=True)
        out = quietly(getattr(ours, method), point, *given)
        expected = np.where(
            np.isinf(x) & np.isnan(expected), 0 if method in ("pdf", "pmf") else -np.inf, expected
        )  # SciPy's formula: inf - inf
        np.testing.assert_allclose(out.data, expected, rtol=1e-12, atol=1e-300)
        if not count:
            g = quietly(ag.grad(lambda t, method=method: np.sum(np.where(np.isnan(x), 0, getattr(ours, method)(t, *shapes)))), x)
            gone = (expected == 0) if method == "pdf" else expected == -np.inf
            assert not np.any(np.isnan(g)), g
            assert not np.any(g[gone & np.isfinite(x)]), g
    if not count:
        t = ag.Tensor(np.array([1.0, -1.0, 0.0, 1.0]), requires_grad=True)
        out = quietly(lambda: ours.logpdf(0.5, *shapes, loc=0.0, scale=t))
        np.testing.assert_array_equal(np.isnan(out.data), [False, True, True, False])
        quietly(np.sum(np.where(np.isnan(out.data), 0, out)).backward)
        assert np.all(np.isfinite(t.grad))
    if shapes and name not in ("skewnorm", "genextreme", "genpareto"):
        wrong = (-1.0, *shapes[1:]) if name != "truncnorm" else (3.0, 1.0)
        t = ag.Tensor(wrong[0], requires_grad=True)
        assert np.isnan(quietly(getattr(ours, ours.methods[0]), 1.0, t, *wrong[1:]).data)


def test_arguments_as_scipy_takes_them() -> None:
    x = np.array([0.5, 1.5])
    t = ag.Tensor(1.2, requires_grad=True)
    for call in (
        lambda s, a: s.gamma.logpdf(x, a, 0.1, 2.0), lambda s, a: s.gamma.logpdf(x, a=a, loc=0.1, scale=2.0), lambda s, a: s.gamma(a, 0.1).pdf(x),
        lambda s, a: s.gamma(a, scale=2.0).cdf(x), lambda s, a: s.norm(a).logpdf(x), lambda s, a: s.norm(scale=a).sf(x=x),
        lambda s, a: s.norm.logpdf(x.tolist(), a), lambda s, a: s.norm.logpdf(x.astype(np.float32), loc=a), lambda s, a: s.norm.pdf(1, a),
        lambda s, a: s.poisson(a).logpmf([0, 1, 4]), lambda s, a: s.poisson.pmf(k=2, mu=a, loc=1), lambda s, a: s.binom.logcdf([1, 3], 3, a / 2),
        lambda s, a: s.t.logpdf(x, np.inf, a), lambda s, a: s.norm.ppf(q=0.3, loc=a), lambda s, a: s.bernoulli(a / 2).sf(0),
        lambda s, a: s.multivariate_normal.logpdf(x, mean=[0.0, 1.0], cov=a), lambda s, a: s.multivariate_normal(cov=a).pdf(0.3),
    ):  # fmt: skip
        expected = call(stats, 1.2)
        found = call(mirror, t)
        assert isinstance(found, ag.Tensor)
        assert found.requires_grad
        assert found.shape == np.shape(expected)
        assert found.dtype == np.asarray(expected).dtype
        np.testing.assert_allclose(found.data, expected, rtol=1e-12)
        np.testing.assert_array_equal(call(mirror, 1.2), expected)
    m, s = ag.Tensor(0.3, requires_grad=True), ag.Tensor(1.3, requires_grad=True)
    np.testing.assert_allclose(mirror.norm.logpdf([m, s], 0.0, 1.0).data, stats.norm.logpdf([0.3, 1.3]), rtol=1e-14)


def test_single_precision_parameters_get_single_gradients() -> None:
    x = np.array([0.5, 1.5], np.float32)
    mean = ag.Tensor(np.float32(0.3), requires_grad=True)
    out = mirror.norm.logpdf(x, mean)
    assert out.dtype == stats.norm.logpdf(x, np.float32(0.3)).dtype == np.float64
    np.sum(out).backward()
    assert mean.grad.dtype == np.float32


def test_other_methods_are_scipys_and_refused_with_tensors() -> None:
    t: Any = ag.Tensor(1.2, requires_grad=True)
    assert mirror.norm.rvs(size=3, random_state=0).tolist() == stats.norm.rvs(size=3, random_state=0).tolist()
    assert mirror.norm(1.0, 2.0).mean() == 1.0
    assert mirror.norm.name == "norm"
    assert mirror.gamma(2.0).interval(0.5) == stats.gamma(2.0).interval(0.5)
    for call, message in (
        (lambda: mirror.norm.rvs(t), r"scipy\.stats\.norm\.rvs is not differentiable here.*logpdf, pdf, cdf"),
        (lambda: mirror.norm(t).rvs(), r"scipy\.stats\.norm\.rvs is not differentiable here"),
        (lambda: mirror.norm(t).mean(), r"scipy\.stats\.norm\.mean"),
        (lambda: mirror.norm(0.0).expect(lambda x: x, t), r"scipy\.stats\.norm\.expect"),
        (lambda: mirror.vonmises.cdf(t, 1.0), r"scipy\.stats\.vonmises\.cdf"),
        (lambda: mirror.multivariate_normal.cdf(t), r"scipy\.stats\.multivariate_normal\.cdf"),
        (lambda: mirror.multivariate_t(t).entropy(), r"scipy\.stats\.multivariate_t\.entropy"),
        (lambda: mirror.multivariate_normal.logpdf(t, allow_singular=True), r"does not cover the argument allow_singular=True"),
        (lambda: mirror.wishart.logpdf(np.ones((2, 2, 3)), 4.0, t * np.eye(2)), r"one matrix of the shape \(2, 2\)"),
    ):
        with pytest.raises(ag.NoRowError, match=message):
            call()
    with pytest.raises(ag.DifferentiationError, match=r"scipy\.stats\.poisson\.logpmf.*k="):
        mirror.poisson.logpmf(t, 2.0)
    for call, message in (
        (lambda: mirror.gamma.logpdf(t), "needs a value for a"), (lambda: mirror.norm.logpdf(t, 0, 1, 2), "takes 3 arguments"),
        (lambda: mirror.norm.logpdf(t, 0, loc=1), "two values for the argument 'loc'"), (lambda: mirror.norm.logpdf(t, mu=1), "unexpected argument 'mu'"),
    ):  # fmt: skip
        with pytest.raises(TypeError, match=message):
            call()
    with pytest.raises(AttributeError):
        _ = mirror.norm.no_such_method
    with pytest.raises(AttributeError):
        _ = mirror.norm(t).no_such_method


def test_scipys_own_names_the_line_to_write() -> None:
    t = ag.Tensor(1.2, requires_grad=True)
    for call, line in (
        (lambda: stats.norm.logpdf(t), "from autograd_np.scipy.stats import norm"),
        (lambda: stats.multivariate_normal.logpdf([1.0], t), "from autograd_np.scipy.stats import multivariate_normal"),
        (lambda: stats.zscore(t), "from autograd_np.scipy.stats import zscore"),
        (lambda: stats.norm(0, t).logpdf(1.0), "from autograd_np.scipy import stats"),
    ):
        with pytest.raises(ag.LeavesNumPyError, match=f"`{line}`"):
            call()


# --- vectors and matrices -------------------------------------------------------------------------


def of_vectors(s: Any, rng: np.random.Generator) -> list[tuple[Any, tuple[Any, ...]]]:
    a, x = rng.normal(size=(3, 3)), rng.normal(size=(5, 3))
    cov, mean, alpha, p = a @ a.T + np.eye(3), rng.normal(size=3), np.array([1.2, 2.0, 3.0]), np.array([0.2, 0.3, 0.5])
    simplex, counts = rng.dirichlet(alpha, size=4).T, rng.multinomial(6, p, size=4)
    root = np.linalg.cholesky(cov)
    return [
        (lambda x, m, r: s.multivariate_normal.logpdf(x, m, r @ r.T), (x, mean, root)),
        (lambda x, m, r: s.multivariate_normal(m, r @ r.T).pdf(x), (x[0], mean, root)),
        (lambda x, m: s.multivariate_normal.logpdf(x, m, [1.0, 2.0, 3.0]), (x[:, None], mean)),
        (lambda x, c: s.multivariate_normal.logpdf(x, 0.2, c), (x[:, 0], np.array(2.0))),
        (lambda x, r: s.multivariate_normal.logpdf(x, cov=r @ r.T), (x, root)),
        (lambda x, m, r, v: s.multivariate_t.logpdf(x, m, r @ r.T, v), (x, mean, root, np.array(3.4))),
        (lambda a: s.dirichlet.logpdf(simplex, a), (alpha,)),
        (lambda a: s.dirichlet(a).pdf(simplex[:2, 0]), (alpha,)),
        (lambda z: s.dirichlet.logpdf(np.exp(z) / np.sum(np.exp(z)), alpha), (mean,)),
        (lambda z: s.multinomial.logpmf(counts, 6, np.exp(z) / np.sum(np.exp(z))), (mean,)),
        (lambda z: s.multinomial(6, np.exp(z) / np.sum(np.exp(z))).pmf([1, 2, 2]), (mean,)),
        (lambda r, q, v: s.wishart.logpdf(r @ r.T, v[()], q @ q.T), (root, root + np.eye(3), np.array(4.4))),
        (lambda r, q, v: s.invwishart.logpdf(r @ r.T, v[()], q @ q.T), (root, root + np.eye(3), np.array(4.4))),
        (lambda a: s.dirichlet_multinomial.logpmf(counts, a, 6), (alpha,)),
        (lambda a: s.dirichlet_multinomial(a, 6).pmf([1, 2, 4]), (alpha,)),
        (lambda x: s.zscore(x, axis=1, ddof=1), (x,)),
        (lambda x: s.entropy(np.exp(x), axis=1, base=2), (x,)),
        (lambda x, y: s.entropy(np.exp(x), np.exp(y)), (x, x[::-1].copy())),
        (lambda r: s.multivariate_normal.entropy(mean, r @ r.T), (root,)),
        (lambda r: s.multivariate_normal(cov=r @ r.T).entropy(), (root,)),
        (lambda a: s.dirichlet.entropy(a), (alpha,)),
    ]


@pytest.mark.parametrize("number", range(21))
def test_vectors_and_matrices(number: int) -> None:
    call, args = of_vectors(mirror, np.random.default_rng(0))[number]
    reference, _ = of_vectors(stats, np.random.default_rng(0))[number]
    expected = reference(*args)
    out, pullback = ag.vjp(call, *args)
    np.testing.assert_allclose(out, expected, rtol=1e-11)
    assert np.shape(out) == np.shape(expected)
    w = np.cos(np.arange(np.size(expected))).reshape(np.shape(expected))
    for n, g in enumerate(pullback(w)):
        numeric = numeric_gradient(lambda *a: np.sum(w * reference(*a)), *args, wrt=n)
        np.testing.assert_allclose(g, numeric, rtol=1e-5, atol=1e-7, err_msg=f"by {n}")


def test_forbidden_vectors_are_refused_as_scipy_does() -> None:
    t = ag.Tensor(np.array([1.2, 2.0, 3.0]), requires_grad=True)
    for call in (
        lambda s, a: s.dirichlet.logpdf([0.5, 0.6, 0.2], a), lambda s, a: s.dirichlet.logpdf([0.5], a), lambda s, a: s.dirichlet.logpdf([0.2, 0.3, 0.5], a - 2),
        lambda s, a: s.multivariate_normal.logpdf([0.0, 0.0], a, np.eye(2)),
    ):  # fmt: skip
        with pytest.raises(ValueError):  # noqa: PT011 (SciPy's words or ours)
            call(stats, t.data)
        with pytest.raises(ValueError):  # noqa: PT011
            call(mirror, t)
    with pytest.raises(np.linalg.LinAlgError):
        mirror.multivariate_normal.logpdf(t, cov=-np.eye(3))


# --- models ---------------------------------------------------------------------------------------


def test_higher_orders_and_both_modes() -> None:
    x = np.array([0.4, 1.3, 2.2])

    def posterior(p: Any) -> Any:
        likelihood = mirror.gamma.logpdf(x, np.exp(p[0]), scale=np.exp(p[1])) + mirror.t.logsf(x, np.exp(p[2]), p[0], np.exp(p[1]))
        return np.sum(likelihood) + mirror.norm(0.0, 2.0).logpdf(p[2]) + mirror.beta.logcdf(0.3, np.exp(p[0]), np.exp(p[2]))

    p = np.array([0.2, -0.1, 0.4])
    h = ag.hessian(posterior)(p)
    step = 1e-5
    for i in range(3):
        e = np.eye(3)[i] * step
        expected = (ag.grad(posterior)(p + e) - ag.grad(posterior)(p - e)) / (2 * step)
        np.testing.assert_allclose(h[i], expected, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(ag.jvp(posterior, (p,), (np.ones(3),))[1], np.sum(ag.grad(posterior)(p)), rtol=1e-10)
    np.testing.assert_allclose(h, h.T, rtol=1e-9, atol=1e-10)


def test_lazy_arrays() -> None:
    if da is None:
        pytest.skip("Dask is not installed")
    x = np.linspace(-1.0, 3.0, 12)
    lazy = da.from_array(x, chunks=4)
    for f in (
        lambda x, a: np.sum(mirror.norm.logpdf(x, a, 1.5)), lambda x, a: np.sum(mirror.gamma.pdf(x, a)), lambda x, a: np.sum(mirror.gamma.cdf(x, a)),
        lambda x, a: np.sum(mirror.uniform.logcdf(x, 0.0, a * 3)),
    ):  # fmt: skip
        t = ag.Tensor(1.7, requires_grad=True)
        quietly(lambda f=f, t=t: f(lazy, t).backward())
        expected = quietly(ag.grad(lambda a, f=f: f(x, a)), 1.7)
        np.testing.assert_allclose(np.asarray(t.grad), expected, rtol=1e-10)


def test_entropy_with_a_probability_of_zero() -> None:
    p = np.array([0.0, 0.25, 0.75])
    for q in (None, np.array([0.2, 0.3, 0.5])):
        value, g = ag.value_and_grad(lambda p, q=q: mirror.entropy(p, q))(p)
        np.testing.assert_allclose(value, stats.entropy(p, q))
        inner = numeric_gradient(lambda r, q=q: stats.entropy(np.array([0.0, r[0], r[1]]), q), p[1:])
        np.testing.assert_allclose(g[1:], inner, rtol=1e-6, atol=1e-9)
        assert np.isfinite(g[0])
