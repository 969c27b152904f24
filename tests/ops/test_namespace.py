"""Functions of the main namespace whose calls the table's tests do not reach: several results, functions as arguments, ties, text."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

import autograd_np as ag

RNG = np.random.default_rng(5)


def agrees(f: Any, *inputs: Any, order: int = 2) -> None:
    """Compare values with NumPy's, and derivatives with differences."""
    expected = f(*inputs)
    found = f(*(ag.Tensor(x, requires_grad=True) if isinstance(x, np.ndarray) and x.dtype.kind in "fc" else x for x in inputs))
    pairs = zip(found, expected, strict=True) if isinstance(expected, tuple) else [(found, expected)]
    for a, b in pairs:
        np.testing.assert_allclose(a.data if isinstance(a, ag.Tensor) else a, b, rtol=1e-10, atol=1e-12)
        assert np.shape(a) == np.shape(b)
    ag.check_gradients(f, *inputs, order=order).raise_if_wrong()


# --- order statistics -----------------------------------------------------------------------------

METHODS = [
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull", "linear",
    "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
]  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_every_method_of_quantile(method: str) -> None:
    x = RNG.normal(size=(7, 3))
    for q in (0.0, 0.13, 0.5, 0.77, 1.0):
        agrees(lambda x, q=q: np.quantile(x, q, axis=0, method=method), x, order=1)
    agrees(lambda x: np.percentile(x, [10, 45.5], method=method), x, order=1)


def test_quantiles_beside_nan_and_in_lists() -> None:
    x = np.array([[0.3, np.nan, 1.2, -0.7], [np.nan, np.nan, np.nan, np.nan], [1.0, 0.1, 0.2, 0.5]])
    t = ag.Tensor(x, requires_grad=True)
    found = np.quantile(t, 0.4, axis=1)
    np.testing.assert_allclose(found.data, np.quantile(x, 0.4, axis=1))
    with pytest.warns(RuntimeWarning, match="All-NaN"):
        expected = np.nanquantile(x, 0.4, axis=1)
    found = np.nanquantile(t, 0.4, axis=1)
    np.testing.assert_allclose(found.data, expected)
    (found[0] * 2.0).backward()  # of -0.7, 0.3, 1.2 the place 0.8
    np.testing.assert_allclose(t.grad[0], [1.6, 0.0, 0.0, 0.4], atol=1e-15)


STEPS = {"inverted_cdf", "averaged_inverted_cdf", "closest_observation", "lower", "higher", "midpoint", "nearest"}


@pytest.mark.parametrize("method", METHODS)
def test_quantiles_by_q(method: str) -> None:
    for n in (1, 5):
        x = RNG.normal(size=(n, 2))
        q = np.array([0.013, 0.29, 0.55, 0.61, 0.987])
        agrees(lambda q, x: np.quantile(x, q, axis=0, method=method), q, x)
        agrees(lambda q, x: np.percentile(x, q[0] * 100, method=method), q, x)
        slopes = ag.jacobian(lambda q, x=x: np.quantile(x, q, axis=0, method=method))(q)
        assert (method in STEPS or n == 1) == (not np.any(slopes))


def test_quantiles_by_q_beside_nan_and_at_the_ends() -> None:
    x = np.array([[0.3, np.nan, 1.2, -0.7], [np.nan, 0.1, np.nan, np.nan], [1.0, 0.1, 0.2, 0.5]])
    agrees(lambda q: np.nanquantile(x, q, axis=1), np.array([0.2, 0.7]))
    agrees(lambda q: np.nanpercentile(x, q, axis=0, keepdims=True), np.array(40.0))
    agrees(lambda q: np.quantile(x[2], q) + 0 * np.nanquantile(x, q), np.array(0.4))
    assert ag.grad(lambda q: np.quantile([3.0, 1.0, 2.0], q))(1.0) == 2.0
    assert ag.grad(lambda q: np.quantile([3.0, 1.0, 2.0], q))(0.0) == 2.0
    assert ag.grad(lambda q: np.quantile([1.0, 2.0, np.inf], q))(0.2) == 2.0
    assert ag.grad(lambda q: np.quantile(np.float32([1, 4, 2]), q))(np.float32(0.7)).dtype == np.float32


@pytest.mark.parametrize("fn", [np.quantile, np.nanquantile])
def test_weighted_quantiles_choose_elements(fn: Any) -> None:
    x, w = RNG.normal(size=(5, 4)), RNG.uniform(0.2, 2, size=(5, 4))
    if fn is np.nanquantile:
        x[1, 2] = x[3, 0] = np.nan
    for q, axis, weights, keepdims in (
        (0.3, 0, w, False),
        ([0.2, 0.9], 1, w if fn is np.nanquantile else w[0], True),
        (0.5, None, w, False),
        (0.6, (0, 1), w, True),
    ):
        f = lambda x, weights=weights, q=q, axis=axis, k=keepdims: fn(x, q, axis=axis, weights=weights, keepdims=k, method="inverted_cdf")  # noqa: E731
        t = ag.Tensor(x, requires_grad=True)
        found = f(t)
        np.testing.assert_array_equal(found.data, f(x))
        g = ag.grad(lambda x, f=f: np.sum(f(x)))(x)
        assert set(np.unique(g)) <= {0.0, 1.0, 2.0}
        np.testing.assert_allclose(np.sum(np.where(g > 0, g * x, 0)), np.sum(found.data), rtol=1e-12)
        assert not np.any(ag.grad(lambda w, f=f: np.sum(f(x, w)))(np.array(weights)))
    np.testing.assert_array_equal(
        np.percentile(ag.Tensor(x[0]), 40, weights=w[0], method="inverted_cdf").data,
        np.percentile(x[0], 40, weights=w[0], method="inverted_cdf"),
    )
    with pytest.raises(ValueError, match="inverted_cdf"):
        np.quantile(ag.Tensor(x), 0.4, weights=w)
    with_nan = np.array([1.0, np.nan, 2.0])
    assert np.isnan(np.quantile(ag.Tensor(with_nan), 0.4, weights=[1, 1, 1], method="inverted_cdf").data)


def test_a_constant_tensor_may_say_which_quantile() -> None:
    import autograd_np.numpy as anp

    g = ag.grad(lambda x: anp.sum(anp.percentile(x, anp.array([25.0, 50.0]))))(np.arange(5.0))
    np.testing.assert_allclose(g, [0, 1, 1, 0, 0])


# --- counts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("density", [False, True])
@pytest.mark.parametrize("bins", [4, [-2.0, -0.5, 0.1, 3.0]])
def test_histogram_is_linear_in_its_weights(bins: Any, density: bool) -> None:
    x = np.append(RNG.normal(size=20), [-2.0, 3.0])
    agrees(lambda w: np.histogram(x, bins, (-2.0, 3.0), density=density, weights=w)[0], RNG.uniform(0.5, 2, size=22))
    counts, edges = np.histogram(ag.Tensor(x), bins, density=density)
    expected = np.histogram(x, bins, density=density)
    np.testing.assert_allclose(counts, expected[0])
    np.testing.assert_allclose(np.asarray(edges), expected[1])


def test_bincount_of_a_tensor_of_integers() -> None:
    np.testing.assert_array_equal(np.bincount(ag.Tensor([0, 2, 2])), [1, 0, 2])
    with pytest.raises(ValueError, match=r"non-?negative|negative"):
        np.bincount(np.array([-1, 2]), ag.Tensor([1.0, 2.0], requires_grad=True))


def test_edges_between_the_smallest_and_the_largest_move_with_them() -> None:
    x = RNG.normal(size=12)
    for bins in (4, "sturges"):
        agrees(lambda x, b=bins: np.histogram(x, b)[1], x)
        agrees(lambda x, b=bins: np.histogram(x, b, density=True)[0], x)
    agrees(lambda x: np.histogram_bin_edges(x, 3), np.array([0.7]), order=1)
    edges = np.histogram(ag.Tensor(x, requires_grad=True), 4, (-1.0, 1.0))[1]
    assert not isinstance(edges, ag.Tensor)


BINS = {
    "number": 3, "numbers": [2, 4], "edges": ([-1.0, 0.0, 2.0], [-2.0, 0.5, 1.5]), "number and edges": [3, np.array([-1.0, 0.2, 1.0])],
}  # fmt: skip


@pytest.mark.parametrize("density", [False, True])
@pytest.mark.parametrize("bins", BINS.values(), ids=BINS)
def test_histograms_of_several_dimensions_are_linear_in_their_weights(bins: Any, density: bool) -> None:
    x, y, w = RNG.normal(size=15), RNG.normal(size=15), RNG.uniform(0.5, 2, size=15)
    limits = [(-1.5, 2.0), (-1.0, 1.0)]
    agrees(lambda w: np.histogram2d(x, y, bins, limits, density=density, weights=w)[0], w)
    agrees(lambda w: np.histogramdd(np.stack([x, y], axis=1), bins, limits, density=density, weights=w)[0], w)
    agrees(lambda x, y, w: np.histogram2d(x, y, bins, density=density, weights=w), x, y, w)
    three = RNG.normal(size=(15, 3))
    agrees(lambda w: np.histogramdd(three, (2, 3, 2), density=density, weights=w)[0], w)
    agrees(lambda x, w: np.histogramdd(x, 3, weights=w, density=density)[0], x, w)
    assert [e.shape for e in np.histogramdd(ag.Tensor(three), 2)[1]] == [e.shape for e in np.histogramdd(three, 2)[1]]


def test_histograms_say_what_does_not_fit() -> None:
    t = ag.Tensor(np.ones(4), requires_grad=True)
    with pytest.raises(ValueError, match="a weight for each sample, got 4 for 3"):
        np.histogramdd(np.ones((3, 2)), 2, weights=t)
    with pytest.raises(ValueError, match="as many x as y, got 4 and 3"):
        np.histogram2d(t, np.ones(3))
    with pytest.raises(ValueError, match="dimension of bins"):
        np.histogramdd(np.ones((4, 2)), [2, 2, 2], weights=t)
    with pytest.raises(ValueError, match="got an array of 3 axes"):
        np.histogramdd(np.ones((2, 2, 2)), 2, weights=t)
    with pytest.raises(TypeError, match="complex"):
        np.histogramdd(np.ones((4, 2)), 2, weights=t + 1j)
    with pytest.raises(ag.NoRowError, match=r"histogram\(bins\)"):
        np.histogram(np.ones(4), t)
    same = np.array([0.1, 0.4, 0.2, 0.9])
    found, edges, _ = np.histogram2d(same, same, np.array([0.0, 0.3, 0.5, 1.0]), weights=ag.Tensor(same))
    expected = np.histogram2d(same, same, np.array([0.0, 0.3, 0.5, 1.0]), weights=same)
    np.testing.assert_allclose(found.data, expected[0])
    np.testing.assert_array_equal(edges, expected[1])


def test_counts_of_several_dimensions_and_indices_are_constants() -> None:
    x, y = RNG.normal(size=(2, 9))
    t = ag.Tensor(x, requires_grad=True)
    for found, expected in zip(np.histogram2d(t.detach(), y, 3), np.histogram2d(x, y, 3), strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.histogramdd((t, y), 2)[0], np.histogramdd((x, y), 2)[0])
    square = ag.Tensor(x.reshape(3, 3), requires_grad=True)
    i, j = np.unravel_index(np.argmax(square), square.shape)
    assert square[i, j].data == x.max()
    assert np.ravel_multi_index((i, j), (3, 3)) == x.argmax()
    np.testing.assert_array_equal(square[np.tril_indices_from(square)].data, x.reshape(3, 3)[np.tril_indices(3)])
    np.testing.assert_array_equal(square[np.diag_indices_from(square)].data, np.diag(x.reshape(3, 3)))


# --- polynomials ----------------------------------------------------------------------------------


def test_polyfit_returns_what_is_asked() -> None:
    x, y = np.linspace(0, 2, 7), RNG.normal(size=7)
    agrees(lambda x, y: np.polyfit(x, y, 2, cov=True), x, y)
    agrees(lambda x, y: np.polyfit(x, y, 1, cov="unscaled", w=np.arange(1.0, 8)), x, y)
    agrees(lambda x, y: np.polyfit(x, np.stack([y, y * y], 1), 1, cov=True)[1], x, y)
    agrees(lambda x, y: np.polyfit(x, y, 2, full=True)[:2], x, y)


def test_polynomial_division_and_roots() -> None:
    agrees(lambda u, v: np.polydiv(u, v), np.array([2.0, 1.0, -3.0, 0.7]), np.array([1.5, 0.4]))
    agrees(lambda u, v: np.polydiv(u, v), np.array([2.0]), np.array([1.5, 0.4]))
    q, r = np.polydiv(ag.Tensor(np.poly([1.0, 2.0]), requires_grad=True), np.array([1.0, -1.0]))
    np.testing.assert_allclose(q.data, [1, -2])
    np.testing.assert_allclose(r.data, [0.0])
    for p in ([2.0, -3.0, -1.0, 1.0], [1.0, 0.5, 2.0]):
        agrees(lambda p: np.sort_complex(np.roots(p) + 0j), np.array(p))
    for p in ([0.0, 1.0, 2.5, 1.0, 0.0], [0.0, 3.0], [0.0, 0.0]):  # a leading zero that moves is another degree: values only
        np.testing.assert_allclose(np.roots(ag.Tensor(p)).data, np.roots(p))
    agrees(lambda p: np.real(np.poly(np.roots(p))) * p[0], np.array([2.0, -3.0, -1.0, 1.0]))


# --- sets -----------------------------------------------------------------------------------------

TIES = np.array([1.5, -0.3, 0.7, 1.5, 0.7, 0.0])


def test_unique_reads_each_value_where_it_stands_first() -> None:
    t = ag.Tensor(TIES, requires_grad=True)
    for found, expected in zip(np.unique(t, True, True, True), np.unique(TIES, True, True, True), strict=True):
        np.testing.assert_array_equal(found.data if isinstance(found, ag.Tensor) else found, expected)
    np.sum(np.unique(t) * [1.0, 10.0, 100.0, 1000.0]).backward()
    np.testing.assert_array_equal(t.grad, [1000, 1, 100, 0, 0, 10])
    rows = np.array([[1.0, 2.0], [0.5, 1.0], [1.0, 2.0]])
    np.testing.assert_array_equal(ag.grad(lambda x: np.sum(np.unique(x, axis=0) * [[1.0, 2], [3, 4]]))(rows), [[3, 4], [1, 2], [0, 0]])
    for name in ("unique_all", "unique_counts", "unique_inverse"):
        found, expected = getattr(np, name)(t), getattr(np, name)(TIES)
        assert type(found) is type(expected)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a.data if isinstance(a, ag.Tensor) else a, b)
    values = np.unique_values(t)
    np.testing.assert_array_equal(values.data, np.unique_values(TIES))
    assert ag.grad(lambda x: np.sum(np.unique_values(x)))(TIES).sum() == 4


def test_sets_of_two_arrays() -> None:
    other = np.array([0.7, 2.0, 1.5, 9.0])
    for f in (np.intersect1d, np.setdiff1d, np.setxor1d, np.union1d):
        np.testing.assert_array_equal(f(ag.Tensor(TIES, requires_grad=True), other).data, f(TIES, other))
        np.testing.assert_array_equal(f(TIES, ag.Tensor(other, requires_grad=True)).data, f(TIES, other))
    for found, expected in zip(
        np.intersect1d(ag.Tensor(TIES), other, return_indices=True), np.intersect1d(TIES, other, return_indices=True), strict=True
    ):
        np.testing.assert_array_equal(np.asarray(found), expected)
    np.testing.assert_array_equal(ag.grad(lambda x: np.sum(np.intersect1d(x, other)))(TIES), [1, 0, 1, 0, 0, 0])


def test_trim_zeros() -> None:
    x = np.array([0.0, 1.2, 0.0, 3.0, 0.0])
    np.testing.assert_array_equal(ag.grad(lambda x: np.sum(np.trim_zeros(x) * [1.0, 2, 3]))(x), [0, 1, 2, 3, 0])
    for trim in ("f", "b", "fb"):
        np.testing.assert_array_equal(np.trim_zeros(ag.Tensor(x), trim).data, np.trim_zeros(x, trim))
    np.testing.assert_array_equal(np.trim_zeros(ag.Tensor(np.zeros(3))).data, [])


# --- functions of functions -----------------------------------------------------------------------


def test_functions_along_and_over_axes() -> None:
    x = RNG.normal(size=(2, 3, 4))
    for axis in (0, 1, -1):
        agrees(lambda x, a=axis: np.apply_along_axis(lambda v: v[0] * v, a, x), x)
        agrees(lambda x, a=axis: np.apply_along_axis(lambda v: np.sum(v**2), a, x), x)
        agrees(lambda x, a=axis: np.apply_along_axis(lambda v, k: np.outer(v, v) * k, a, x, 2.0), x, order=1)
    agrees(lambda x: np.apply_over_axes(lambda a, i: np.sum(a**2, i), x, [0, -1]), x)


def test_piecewise() -> None:
    x = np.array([[-1.5, 0.3], [2.0, -0.2]])
    agrees(lambda x: np.piecewise(x, [x < 0, x >= 1], [lambda v: v**2, lambda v: np.exp(v), lambda v: 3 * v]), x)
    agrees(lambda x: np.piecewise(x, [x < 0], [lambda v, k: k * v**2, 7.0], 2.5), x)
    agrees(lambda x: np.piecewise(x, x < 0, [np.sin, np.cos]), x)


def test_the_bessel_function_at_any_size_and_order() -> None:
    x = np.array([-40.0, -3.0, -0.1, 0.0, 0.4, 9.0, 300.0])
    slope = ag.grad(lambda x: np.sum(np.i0(x)))(x)
    h = 1e-5
    np.testing.assert_allclose(slope, (np.i0(x + h) - np.i0(x - h)) / (2 * h), rtol=1e-8, atol=1e-9)
    second = ag.grad(lambda x: np.sum(ag.grad(lambda x: np.sum(np.i0(x)))(x)))(x[x != 0])
    y = x[x != 0]
    np.testing.assert_allclose(second, np.i0(y) - ag.grad(lambda x: np.sum(np.i0(x)))(y) / y, rtol=1e-10)  # the differential equation


# --- text and files -------------------------------------------------------------------------------


def test_text_and_files_get_the_values() -> None:
    x = np.array([1.5, 2.0])
    t = ag.Tensor(x, requires_grad=True)
    assert np.array2string(t) == np.array2string(x)
    assert (np.array_repr(t), np.array_str(t)) == (np.array_repr(x), np.array_str(x))
    file = io.BytesIO()
    np.save(file, t)
    file.seek(0)
    np.testing.assert_array_equal(np.load(file), x)
    file = io.BytesIO()
    np.savez(file, a=t)
    file.seek(0)
    np.testing.assert_array_equal(np.load(file)["a"], x)
    text = io.StringIO()
    np.savetxt(text, t)
    assert text.getvalue().startswith("1.5")
    assert np.shares_memory(t, t)
    assert not np.may_share_memory(t, x)
