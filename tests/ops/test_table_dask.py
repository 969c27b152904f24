"""Every row of the table on Dask arrays: it works lazily, or is refused by name when it is recorded; never in backward."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from lazy import nothing_computed
from table import DIFFERENTIABLE, SCIPYS, Sample, rows, samples, seed_of

import autograd_np as ag
from autograd_np.op import Op
from autograd_np.tensor import value_of

da = pytest.importorskip("dask.array")
dask = pytest.importorskip("dask")

WHOLE = {  # NumPy's arrays only: order and decompositions; the rest where Dask's own function says no
    "sort", "argsort", "argpartition", "partition", "partitioning", "digitize", "inv", "solve", "det", "slogdet", "cofactors", "spectral",
    "cholesky", "qr", "qr_r", "eigh", "eigvalsh", "eig", "svd", "svdvals", "pinv", "lstsq",
    "fft", "ifft", "rfft", "irfft", "fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn",
    "norm", "matrix_norm", "vecdot", "matvec", "vecmat", "dot", "tril", "triu", "convolve", "sliding_window_view", "bessel_i", "i0",
    "solved",
    "airy", "fresnel", "shichi", "sici",
}  # fmt: skip
SOME = {"expit", "xlogy", "boxcox", "gammaln", "betaln", "erfcx", "log_ndtr", "i0e", "jv", "gammainc", "betainc", "polygamma"}
"""SciPy's rows are many, and differ little here."""
MASKED = "where"  # Dask's reductions take no mask


def lazy(x: Any, parts: int = 2) -> Any:
    return da.from_array(x, chunks=tuple(max(1, -(-n // parts)) for n in x.shape)) if isinstance(x, np.ndarray) else x


def same(found: Any, expected: Any, what: str) -> None:
    """Compare several arrays at once, since starting Dask costs more than what it computes here."""
    assert [np.shape(x) for x in found] == [np.shape(x) for x in expected], what
    for a, b in zip(dask.compute(*found, scheduler="synchronous", optimize_graph=False), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10, err_msg=what)


def _of_scipys(op: Op) -> bool:
    return str(getattr(op.fn, "__module__", "")).startswith("autograd_np.ops.for_scipy")


def recorded(call: Callable[..., Any], floats: Any, s: Sample) -> Any:
    """Return the result and the pullback on lazy arrays, or None where that is refused by name."""
    with nothing_computed():
        if s.op.name not in WHOLE and MASKED not in s.attrs and not _of_scipys(s.op):
            return ag.vjp(call, *map(lazy, floats))
        try:
            return ag.vjp(call, *map(lazy, floats))
        except ag.NoRowError as error:
            refusal = str(error)
    assert s.op.name in refusal
    return None


@rows(DIFFERENTIABLE)
def test_a_row_works_on_lazy_arrays_or_is_refused_by_name(op: Op) -> None:
    for s in itertools.islice(samples(op), 3):
        expected, pullback = ag.vjp(s.call, *s.floats)
        found = recorded(s.call, s.floats, s)
        if found is None:
            continue
        w = seed_of(s, expected)
        assert isinstance(value_of(found[0]), da.Array), s
        tangents = [np.ones_like(x) for x in s.floats]
        with nothing_computed():
            pulled = found[1](lazy(w))
            moved = ag.jvp(s.call, [lazy(x) for x in s.floats], [lazy(t) for t in tangents])[1]
        same(
            [found[0], *pulled, moved], [expected, *pullback(w), ag.jvp(s.call, s.floats, tangents)[1]], f"value, gradients, tangent of {s}"
        )


@rows(
    [
        op
        for op in DIFFERENTIABLE
        if (op.kind == "elementwise" and op.name not in WHOLE and (op not in SCIPYS or op.name in SOME))
        or op.name in ("getitem", "take", "softmax", "std", "max", "matmul")
    ]
)
def test_second_order_on_lazy_arrays(op: Op) -> None:
    if op.name in WHOLE:
        return
    s = next(s for s in samples(op) if s.wrt and MASKED not in s.attrs)

    def along(*xs: Any) -> Any:
        y = s.call(*xs)
        return np.sum(y * y)

    expected = ag.hvp(along, s.floats, [np.ones_like(x) for x in s.floats])
    with nothing_computed():
        found = ag.hvp(along, [lazy(x) for x in s.floats], [lazy(np.ones_like(x)) for x in s.floats])
    same(found, expected, f"Hessian-vector product of {s}")


X = np.array([[0.31, -1.22, 0.87, 0.4], [1.43, 0.55, -0.64, 2.0], [0.1, 0.2, -0.3, 0.7]])
V = X[0]
PROGRAMS: dict[str, tuple[Callable[[Any], Any], np.ndarray]] = {
    "newaxis": (lambda v: v[None], V),
    "trailing axis": (lambda v: v[..., None], V),
    "steps": (lambda x: x[::2, ::-1], X),
    "an element": (lambda x: x[1, 2], X),
    "mask": (lambda v: v[np.array([True, False, True, True])], V),
    "mask of a matrix": (lambda x: x[X > 0], X),
    "repeated": (lambda x: x[np.array([0, 0, 2])], X),
    "pairs": (lambda x: x[np.array([0, 1, 1]), np.array([3, 2, 2])], X),
    "lists": (lambda x: x[[0, 2], 1:], X),
    "softmax": (ag.softmax, V),
    "log_softmax": (lambda x: ag.log_softmax(x, axis=0), X),
    "take": (lambda v: np.take(v, np.array([0, 2, 2])), V),
    "take rows": (lambda x: np.take(x, [[0, 1], [1, 1]], axis=0), X),
    "pad": (lambda x: np.pad(x, 1), X),
    "pad reflected": (lambda x: np.pad(x, ((2, 1), (0, 3)), mode="reflect"), X),
    "reshape": (lambda x: np.reshape(x, (2, 6)), X),
    "where": (lambda x: np.where(x > 0, np.sqrt(x), 0.0), X),
    "own mask": (lambda x: x * (x > 0), X),
    "repeat": (lambda x: np.repeat(x, [0, 2, 1], axis=0), X),
    "norm": (lambda x: np.linalg.norm(x, axis=0), X),
    "attention": (lambda x: ag.softmax(x @ x.T) @ x, X),
    "var": (lambda x: np.var(x, axis=0), X),
    "layer norm": (lambda x: (x - np.mean(x, 1, keepdims=True)) / np.std(x, axis=1, keepdims=True), X),
    "cumsum": (lambda x: np.cumsum(x, axis=1), X),
    "concatenate": (lambda x: np.concatenate([x, x[:1] * 2]), X),
    "relu": (ag.relu, X),
    "einsum": (lambda x: np.einsum("ij,kj->ik", x, x), X),
    "maximum": (lambda x: np.maximum(x, 0.5), X),
    "clip": (lambda x: np.clip(x, -0.5, 0.5), X),
    "diff": (lambda x: np.diff(x, axis=1), X),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_on_lazy_arrays(name: str) -> None:
    f, x = PROGRAMS[name]

    def loss(z: Any) -> Any:
        return np.sum(f(z) ** 2)

    with np.errstate(all="ignore"):
        expected = ag.grad(loss)(x)
        with nothing_computed():
            found = ag.grad(loss)(lazy(x))
        same([found], [expected], name)


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_fourier_transforms_along_an_axis_that_is_whole(name: str) -> None:
    f = getattr(np.fft, name)
    x = X if name in ("rfft", "ihfft") else X + 1j * X[::-1]
    whole = da.from_array(x, chunks=(2, 4))

    def loss(z: Any) -> Any:
        return np.sum(np.abs(f(z) * z[:, :1]) ** 2)

    with nothing_computed():
        found = ag.grad(loss)(whole)
        moved = ag.jvp(loss, (whole,), (whole,))[1]
    same([found, moved], [ag.grad(loss)(x), ag.jvp(loss, (x,), (x,))[1]], name)


def test_complex_numbers_on_lazy_arrays() -> None:
    z = X + 1j * X[::-1]
    for f in (
        lambda z: np.sum(np.abs(z * z + np.exp(z)) ** 2) + np.sum(np.angle(z)),
        lambda z: np.real(np.sum(z * np.conj(z) * z)) + np.var(z) + np.std(z),
        lambda z: np.sum(np.abs(z @ np.conj(z).T) ** 2),
        lambda z: np.real(np.sum(np.where(np.real(z) > 0, np.log(z), 0))),
    ):
        with nothing_computed():
            found = ag.grad(f)(lazy(z))
        same([found], [ag.grad(f)(z)], "complex gradient")


def test_a_lazy_mask_is_refused_when_it_is_recorded() -> None:
    x = ag.Tensor(lazy(V), requires_grad=True)
    with pytest.raises(ag.NoRowError, match=r"index.*dask"):
        x[lazy(V) > 0]
    with pytest.raises(ag.NoRowError, match=r"sort works on NumPy's arrays only"):
        np.sort(x)
    with pytest.raises(ag.NoRowError, match=r"sum could not be recorded on a dask.*where"):
        np.sum(x, where=V > 0)
