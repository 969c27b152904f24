"""Gradients of decompositions, transforms and complex functions, against PyTorch's: a second implementation of the same convention."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autograd_np as ag

torch = pytest.importorskip("torch")

RNG = np.random.default_rng(5)


def draw(*shape: int, of_complex: bool = False) -> np.ndarray:
    x = RNG.normal(size=shape)
    return x + 1j * RNG.normal(size=shape) if of_complex else x


def weights(x: Any) -> np.ndarray:
    return np.random.default_rng(9).uniform(0.5, 1.5, np.shape(x))


def loss(out: Any, modulus: Callable[[Any], Any], total: Callable[[Any], Any], constant: Callable[[Any], Any]) -> Any:
    """Return a real number of whatever a function returned; of complex arrays it depends on the moduli and on the parts."""
    found = 0.0
    for k, y in enumerate(out):
        shift = constant(weights(y) + 0.3j) if "complex" in str(y.dtype) else constant(weights(y))
        found = found + (k + 1) * total(modulus(y - shift) ** 2)
    return found


def compare(ours: Callable[..., Any], theirs: Callable[..., Any], *arrays: np.ndarray, rtol: float = 1e-8) -> None:
    """Demand the gradient of a loss by every array, and a product with its Hessian, that PyTorch has."""
    every = tuple(range(len(arrays)))

    def as_tuple(y: Any) -> Any:
        return y if isinstance(y, tuple) else (y,)

    def f(*xs: Any) -> Any:
        return loss(as_tuple(ours(*xs)), np.abs, np.sum, np.asarray)

    def g(*xs: Any) -> Any:
        return loss(as_tuple(theirs(*xs)), torch.abs, torch.sum, torch.as_tensor)

    leaves = [torch.tensor(x, requires_grad=True) for x in arrays]
    grads = torch.autograd.grad(g(*leaves), leaves, create_graph=True)
    for mine, other in zip(ag.grad(f, every)(*arrays), grads, strict=True):
        np.testing.assert_allclose(mine, other.detach().resolve_conj().numpy(), rtol=rtol, atol=1e-9)
    directions = [draw(*x.shape, of_complex=np.iscomplexobj(x)) for x in arrays]
    slope = sum(torch.sum(torch.real(torch.conj(torch.tensor(t)) * a)) for t, a in zip(directions, grads, strict=True))
    second = torch.autograd.grad(slope, leaves)
    for mine, other in zip(ag.hvp(f, arrays, directions), second, strict=True):
        np.testing.assert_allclose(mine, other.resolve_conj().numpy(), rtol=rtol * 100, atol=1e-7)


def outer(u: Any, v: Any, lib: Any) -> Any:
    """Return the outer products of the columns, whose phases cancel."""
    return u[..., :, None, :] * lib.conj(v)[..., None, :, :]


def hermitian(x: Any, lib: Any) -> Any:
    return x + lib.conj(lib.swapaxes(x, -1, -2))


def positive(x: Any, lib: Any) -> Any:
    return x @ lib.conj(lib.swapaxes(x, -1, -2)) + 2 * lib.eye(x.shape[-1])


def condition(x: Any, p: Any) -> Any:
    """Return the condition number; PyTorch's own writes into what its second derivative needs."""
    norm = torch.linalg.matrix_norm
    return torch.linalg.cond(x, p) if p in (None, 2, -2) else norm(x, p) * norm(torch.linalg.inv(x), p)


BOTH = [False, True]
SHAPES = [(3, 3), (2, 3, 3), (4, 3), (3, 4), (2, 4, 2)]


def _linalg() -> Iterator[tuple[str, Any, Any, tuple[int, ...]]]:
    tl = torch.linalg
    for shape in [(3, 3), (2, 4, 4)]:
        yield f"cholesky{shape}", lambda x: np.linalg.cholesky(positive(x, np)), lambda x: tl.cholesky(positive(x, torch)), shape
        yield f"eigvalsh{shape}", lambda x: np.linalg.eigvalsh(hermitian(x, np)), lambda x: tl.eigvalsh(hermitian(x, torch)), shape
        yield (
            f"eigh{shape}",
            lambda x: (lambda w, v: (w, outer(v, v, np)))(*np.linalg.eigh(hermitian(x, np))),
            lambda x: (lambda w, v: (w, outer(v, v, torch)))(*tl.eigh(hermitian(x, torch))),
            shape,
        )
        yield (
            f"slogdet{shape}",
            lambda x: tuple(np.linalg.slogdet(x)),
            lambda x: tuple(tl.slogdet(x)),
            shape,
        )
        yield f"det{shape}", np.linalg.det, tl.det, shape
        yield f"inv{shape}", np.linalg.inv, tl.inv, shape
        yield f"matrix_power{shape}", lambda x: np.linalg.matrix_power(x, -2), lambda x: tl.matrix_power(x, -2), shape
        for p in (None, 2, -2, 1, np.inf, "fro", "nuc"):
            yield f"cond{shape}{p}", lambda x, p=p: np.linalg.cond(x, p), lambda x, p=p: condition(x, p), shape
    for shape in SHAPES:
        k = min(shape[-2:])
        yield f"pinv{shape}", np.linalg.pinv, tl.pinv, shape
        yield f"svdvals{shape}", np.linalg.svdvals, tl.svdvals, shape
        yield f"qr{shape}", lambda x: tuple(np.linalg.qr(x)), lambda x: tuple(tl.qr(x)), shape
        yield (
            f"svd{shape}",
            lambda x: (lambda u, s, vh: (s, outer(u, np.conj(np.swapaxes(vh, -1, -2)), np)))(*np.linalg.svd(x, full_matrices=False)),
            lambda x: (lambda u, s, vh: (s, outer(u, vh.mH, torch)))(*tl.svd(x, full_matrices=False)),
            shape,
        )
        for p in ("fro", "nuc", 2, -2, 1, np.inf, -1):
            yield f"matrix_norm{shape}{p}", lambda x, p=p: np.linalg.matrix_norm(x, ord=p), lambda x, p=p: tl.matrix_norm(x, p), shape
        yield f"vector_norm{shape}{k}", lambda x: np.linalg.norm(x, 3, axis=-1), lambda x: tl.vector_norm(x, 3, dim=-1), shape


@pytest.mark.parametrize("of_complex", BOTH, ids=["real", "complex"])
@pytest.mark.parametrize(("name", "ours", "theirs", "shape"), list(_linalg()), ids=[c[0] for c in _linalg()])
def test_linear_algebra(name: str, ours: Any, theirs: Any, shape: tuple[int, ...], of_complex: bool) -> None:
    compare(ours, theirs, draw(*shape, of_complex=of_complex))


@pytest.mark.parametrize("of_complex", BOTH, ids=["real", "complex"])
def test_eigenvalues_of_any_matrix(of_complex: bool) -> None:
    """In the order of the eigenvalues, which LAPACK leaves open."""
    x = draw(4, 4, of_complex=of_complex)

    def ours(x: Any) -> Any:
        w, v = np.linalg.eig(x)
        return np.sum(np.abs(w) ** 3), np.sum(np.abs(v) ** 4), np.sum(np.exp(w / 3))

    def theirs(x: Any) -> Any:
        w, v = torch.linalg.eig(x)
        return torch.sum(torch.abs(w) ** 3), torch.sum(torch.abs(v) ** 4), torch.sum(torch.exp(w / 3))

    compare(ours, theirs, x)


@pytest.mark.parametrize("of_complex", BOTH, ids=["real", "complex"])
def test_systems(of_complex: bool) -> None:
    a, b = draw(2, 3, 3, of_complex=of_complex), draw(2, 3, 2, of_complex=of_complex)
    compare(np.linalg.solve, torch.linalg.solve, a, b)
    compare(lambda a, b: np.linalg.lstsq(a, b)[0], lambda a, b: torch.linalg.lstsq(a, b).solution, draw(5, 3), draw(5, 2))
    for i, j in itertools.product(range(3), range(2)):
        compare(
            lambda a, i=i: np.linalg.multi_dot([a[i % 2], a[1], a[0]]), lambda a, i=i: torch.linalg.multi_dot([a[i % 2], a[1], a[0]]), a + j
        )


FUNCTIONS = [
    "exp", "expm1", "exp2", "log", "log2", "log10", "log1p", "sqrt", "square", "reciprocal", "sin", "cos", "tan", "sinh", "cosh", "tanh",
    "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh", "absolute", "real", "imag", "angle", "conj", "negative", "sign",
]  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_complex_functions(name: str) -> None:
    z = draw(5, of_complex=True)
    compare(getattr(np, name), getattr(torch, "sgn" if name == "sign" else name), z)


@pytest.mark.parametrize(("a", "b"), [(True, True), (True, False), (False, True)])
def test_complex_arithmetic(a: bool, b: bool) -> None:
    x, y = draw(3, 3, of_complex=a) + 2, draw(3, 3, of_complex=b) + 2
    for ours, theirs in (
        (np.multiply, torch.mul), (np.divide, torch.div), (np.subtract, torch.sub),
        (np.power, lambda x, y: torch.pow(x + 0j, y + 0j)),
        (lambda x, y: x @ y, lambda x, y: (x + 0j) @ (y + 0j)),
        (lambda x, y: np.einsum("ij,kj->ik", x, y), lambda x, y: torch.einsum("ij,kj->ik", x + 0j, y + 0j)),
        (lambda x, y: np.where(np.real(x) > 2, x, y), lambda x, y: torch.where(torch.real(x) > 2, x + 0j, y + 0j)),
        (lambda x, y: np.vdot(x, y), lambda x, y: torch.vdot((x + 0j).ravel(), (y + 0j).ravel())),
        (lambda x, y: np.linalg.vecdot(x, y), lambda x, y: torch.linalg.vecdot(x + 0j, y + 0j)),
    ):  # fmt: skip
        compare(ours, theirs, x, y)


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
@pytest.mark.parametrize(("n", "axis"), [(None, -1), (3, 0), (8, 1), (7, -1)])
def test_fourier_transforms(name: str, norm: str, n: int | None, axis: int) -> None:
    x = draw(4, 5, of_complex=name not in ("rfft", "ihfft"))
    ours, theirs = getattr(np.fft, name), getattr(torch.fft, name)
    compare(lambda x: ours(x, n, axis, norm), lambda x: theirs(x, n, axis, norm), x)


@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn", "fft2", "ifft2", "rfft2", "irfft2"])
@pytest.mark.parametrize(("s", "axes"), [(None, (-2, -1)), ((3, 8), (0, 2)), ((4, 5), (1, 0))])
def test_fourier_transforms_of_several_axes(name: str, norm: str, s: Any, axes: Any) -> None:
    x = draw(3, 4, 5, of_complex=not name.startswith("rfft"))
    ours, theirs = getattr(np.fft, name), getattr(torch.fft, name)
    compare(lambda x: ours(x, s, axes, norm), lambda x: theirs(x, s, axes, norm), x)
