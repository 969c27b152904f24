"""What HIPS autograd and MyGrad differentiate, read off these libraries: it is differentiated here too, by the same arguments and as they do."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from table import Op

import autograd_np as ag
import autograd_np.numpy as agnp
from autograd_np.coverage import NAMESPACES, SCIPYS, coverage
from autograd_np.op import TABLE

HIPS = pytest.importorskip("autograd")
mg = pytest.importorskip("mygrad")
pytest.importorskip("scipy")

import autograd.numpy as hips_np  # noqa: E402
from autograd.builtins import tuple as hips_tuple  # noqa: E402
from autograd.core import primitive_vjps  # noqa: E402
from mygrad.operation_base import Operation  # noqa: E402

for _name in ("integrate", "linalg", "signal", "special", "stats"):
    importlib.import_module(f"autograd.scipy.{_name}")

RNG = np.random.default_rng(11)
A = RNG.normal(size=(3, 3)) + 2 * np.eye(3)
B, V, W, T = RNG.normal(size=(3, 2)), RNG.normal(size=3), RNG.normal(size=3), RNG.normal(size=(2, 3, 4))
SPD = A @ A.T + np.eye(3)
P, Q, K = RNG.uniform(0.2, 0.8, 3), RNG.uniform(1.2, 3.0, 3), np.array([2.0, 3.0, 1.0])
Z = RNG.normal(size=(4, 6)) + 1j * RNG.normal(size=(4, 6))
BAND = RNG.normal(size=(3, 4)) + np.array([[0.0], [3.0], [0.0]])

# --- what the two libraries have ------------------------------------------------------------------

INTERNAL = {
    "sparse_add", "add", "mut_add", "inner_prod", "covector", "scalar_mul",  # the arithmetic of its cotangents
    "container_take", "container_untake", "sequence_extend_right", "sequence_extend_left", "make_sequence", "_make_dict",  # its containers
    "dot_adjoint_0", "dot_adjoint_1", "tensordot_adjoint_0", "tensordot_adjoint_1", "untake",  # its rules
    "concatenate_args", "array_from_args", "_array_from_scalar_or_array", "make_diagonal", "truncate_pad",  # what its NumPy is made of
    "__getitem__",  # indexing, of which tests/ops/table.py has the row
}  # fmt: skip
"""Primitives of HIPS autograd that are nobody's function: of NumPy's and SciPy's, all others are."""

ALSO = {"convolve": "scipy.signal.convolve"}
"""Functions that HIPS autograd computes itself, under a name of SciPy's."""


def module_of(where: str) -> Any:
    return NAMESPACES.get(where) or importlib.import_module(where)


def places() -> Iterator[tuple[int, str]]:
    """Yield the functions of NumPy and SciPy, and their names; for a distribution, that of the object."""
    for where in (*NAMESPACES, *SCIPYS):
        yield from ((id(value), f"{where}.{name}") for name, value in vars(module_of(where)).items())


def of_hips() -> dict[str, Any]:
    """Return what HIPS autograd has a vjp of, by NumPy's and SciPy's names."""
    named: dict[int, str] = {}
    for key, name in places():
        if key not in named or name.rpartition(".")[2] < named[key].rpartition(".")[2]:
            named[key] = name
    found: dict[str, Any] = {}
    for primitive in primitive_vjps:
        plain = primitive.fun
        owner = getattr(plain, "__self__", None)
        if id(plain) in named:
            name = named[id(plain)]
        elif owner is not None and id(owner) in named:
            name = f"{named[id(owner)]}.{plain.__name__}"
        else:
            name = ALSO.get(plain.__name__, plain.__name__) if "autograd.scipy" in plain.__module__ else plain.__name__
        found[name] = primitive
    return found


def of_mygrad(above: type) -> Iterator[str]:
    """Yield the operations of MyGrad but those of its networks, by name."""
    for operation in above.__subclasses__():
        yield from of_mygrad(operation)
        if not operation.__subclasses__() and ".nnet." not in operation.__module__:
            yield operation.__name__


OF_HIPS = {name: primitive for name, primitive in of_hips().items() if name not in INTERNAL}
OF_MYGRAD = sorted(set(of_mygrad(Operation)))

MYGRADS_NAMES = {
    "StdDev": "std", "Variance": "var", "AddSequence": "add_sequence", "MultiplySequence": "multiply_sequence",
    "AtLeast1D": "atleast_1d", "AtLeast2D": "atleast_2d", "AtLeast3D": "atleast_3d", "BroadcastTo": "broadcast_to", "ExpandDims": "expand_dims",
}  # fmt: skip
METHODS = {"GetItem", "SetItem", "Flatten", "Tensor_Transpose_Property", "ApplyMask", "UnView"}
"""Operations of MyGrad that are methods of its arrays, or its own bookkeeping of views: tests/engine has them."""

WRITTEN: dict[str, tuple[Callable[..., Any], np.ndarray]] = {
    "sec": (lambda x: 1 / np.cos(x), P), "csc": (lambda x: 1 / np.sin(x), P), "cot": (lambda x: 1 / np.tan(x), P),
    "sech": (lambda x: 1 / np.cosh(x), P), "csch": (lambda x: 1 / np.sinh(x), P), "coth": (lambda x: 1 / np.tanh(x), P),
    "arcsec": (lambda x: np.arccos(1 / x), Q), "arccsc": (lambda x: np.arcsin(1 / x), Q), "arccot": (lambda x: np.arctan(1 / x), Q),
    "arccsch": (lambda x: np.arcsinh(1 / x), Q), "arccoth": (lambda x: np.arctanh(1 / x), Q),
}  # fmt: skip
"""Functions of MyGrad that NumPy has not, in those that it has."""

# --- a call of each -------------------------------------------------------------------------------


def together(*outs: Any) -> tuple[Any, ...]:
    return outs


CALLS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "mod": (lambda f, m, x, y: f(x, y), (10 * V, Q)), "nan_to_num": (lambda f, m, x: f(x), (V,)),
    "reshape": (lambda f, m, x: f(x, (4, 6)), (T,)), "roll": (lambda f, m, x: f(x, 2, axis=1), (T,)), "ravel": (lambda f, m, x: f(x), (T,)),
    "array_split": (lambda f, m, x: together(*f(x, 2, axis=2)), (T,)), "split": (lambda f, m, x: together(*f(x, 2, axis=2)), (T,)),
    "vsplit": (lambda f, m, x: together(*f(x, 2)), (T,)), "hsplit": (lambda f, m, x: together(*f(x, 3)), (T,)),
    "dsplit": (lambda f, m, x: together(*f(x, 4)), (T,)), "expand_dims": (lambda f, m, x: f(x, 1), (T,)),
    "squeeze": (lambda f, m, x: f(x, 1), (T[:, :1],)), "diag": (lambda f, m, x: f(x, 1), (A,)),
    "flipud": (lambda f, m, x: f(x), (T,)), "fliplr": (lambda f, m, x: f(x), (T,)), "rot90": (lambda f, m, x: f(x, 3), (A,)),
    "trace": (lambda f, m, x: f(x, 1), (A,)), "full": (lambda f, m, x: f((2, 3), x), (np.array(0.7),)),
    "triu": (lambda f, m, x: f(x, 1), (A,)), "tril": (lambda f, m, x: f(x, -1), (A,)), "clip": (lambda f, m, x: f(x, -0.5, 0.9), (T,)),
    "swapaxes": (lambda f, m, x: f(x, 0, 2), (T,)), "moveaxis": (lambda f, m, x: f(x, 0, 2), (T,)), "rollaxis": (lambda f, m, x: f(x, 2), (T,)),
    "real_if_close": (lambda f, m, x: f(x), (V,)), "real": (lambda f, m, z: f(z), (Z,)), "imag": (lambda f, m, z: f(z), (Z,)),
    "conj": (lambda f, m, z: f(z), (Z,)), "conjugate": (lambda f, m, z: f(z), (Z,)), "angle": (lambda f, m, z: f(z), (Z,)),
    "where": (lambda f, m, x, y: f(V > 0, x, y), (V, W)), "cross": (lambda f, m, x, y: f(x, y), (A, SPD)),
    "linspace": (lambda f, m, x, y: f(x, y, 5), (np.array(0.3), np.array(1.9))), "astype": (lambda f, m, x: f(x, np.float64), (V,)),
    "diff": (lambda f, m, x: f(x, 2, axis=1), (T,)), "gradient": (lambda f, m, x: f(x, axis=1), (Z.real,)),
    "repeat": (lambda f, m, x: f(x, 3, axis=1), (A,)), "tile": (lambda f, m, x: f(x, (2, 2)), (A,)), "kron": (lambda f, m, x, y: f(x, y), (A, B)),
    "transpose": (lambda f, m, x: f(x, (2, 0, 1)), (T,)), "permute_dims": (lambda f, m, x: f(x, (2, 0, 1)), (T,)),
    "broadcast_to": (lambda f, m, x: f(x, (2, 3)), (A[:1],)),
    "cumsum": (lambda f, m, x: f(x, axis=1), (A,)), "cumprod": (lambda f, m, x: f(x, axis=1), (A,)),
    **{name: (lambda f, m, x: f(x, axis=1, keepdims=True), (T,)) for name in ["sum", "mean", "prod", "var", "std", "max", "min", "amax", "amin"]},
    "inner": (lambda f, m, x, y: f(x, y), (A, SPD)), "matmul": (lambda f, m, x, y: f(x, y), (A, B)), "dot": (lambda f, m, x, y: f(x, y), (A, B)),
    "outer": (lambda f, m, x, y: f(x, y), (V, P)), "tensordot": (lambda f, m, x, y: f(x, y, axes=[[1, 0], [0, 1]]), (A, SPD)),
    "sort": (lambda f, m, x: f(x), (T[0, 0],)), "partition": (lambda f, m, x: f(x, 2), (T[0, 0],)),
    "atleast_1d": (lambda f, m, x: f(x), (np.array(0.7),)), "atleast_2d": (lambda f, m, x: f(x), (V,)), "atleast_3d": (lambda f, m, x: f(x), (A,)),
    "einsum": (lambda f, m, x, y: f("ij,jk->ki", x, y), (A, B)), "diagonal": (lambda f, m, x: f(x, axis1=-1, axis2=-2), (A,)),
    "pad": (lambda f, m, x: f(x, ((1, 2), (0, 1)), mode="constant"), (A,)),
    "concatenate": (lambda f, m, x, y: f([x, y], axis=1), (A, B)), "stack": (lambda f, m, x, y: f([x, y], axis=1), (A, SPD)),
    **{f"fft.{name}": (lambda f, m, x: f(x), (Z,)) for name in ["fft", "ifft", "fft2", "ifft2", "fftn", "ifftn", "fftshift", "ifftshift"]},
    **{f"fft.{name}": (lambda f, m, x: f(x), (Z.real,)) for name in ["rfft", "rfft2", "rfftn"]},
    **{f"fft.{name}": (lambda f, m, x: f(x), (Z,)) for name in ["irfft", "irfft2", "irfftn"]},
    **{f"linalg.{name}": (lambda f, m, x: f(x), (A,)) for name in ["det", "inv", "pinv"]},
    "linalg.norm": (lambda f, m, x: f(x, axis=1), (A,)), "norm": (lambda f, m, x: f(x, axis=1), (A,)),
    "linalg.slogdet": (lambda f, m, x: f(x)[1], (A,)), "linalg.solve": (lambda f, m, x, y: f(x, y), (A, B)),
    "linalg.cholesky": (lambda f, m, x: f((x + m.transpose(x)) / 2), (SPD,)),
    "linalg.eigh": (lambda f, m, x: together(f(x + m.transpose(x))[0], m.abs(f(x + m.transpose(x))[1])), (SPD,)),
    "linalg.eig": (lambda f, m, x: together(m.abs(f(x)[0]), m.abs(f(x)[1])), (A,)),
    "linalg.svd": (lambda f, m, x: together(f(x, False)[1], m.abs(f(x, False)[0]), m.abs(f(x, False)[2])), (B,)),
    "integrate.odeint": (lambda f, m, y0, rate: f(lambda y, t, rate: -rate * y, y0, np.linspace(0.0, 1.0, 4), hips_tuple((rate,)), rtol=1e-10, atol=1e-10), (V, P)),
    "signal.convolve": (lambda f, m, x, y: f(x, y, mode="valid"), (T[0], B)),
    "special.polygamma": (lambda f, m, x: f(1, x), (Q,)), "special.multigammaln": (lambda f, m, x: f(x, 2), (Q,)),
    "special.logsumexp": (lambda f, m, x: f(x, axis=1), (A,)),
    "special.betainc": (lambda f, m, x: f(Q, K, x), (P,)), "special.gammainc": (lambda f, m, x: f(Q, x), (P,)),
    "special.gammaincc": (lambda f, m, x: f(Q, x), (P,)),
    **{f"special.{name}": (lambda f, m, x: f(2, x), (Q,)) for name in ["jv", "jn", "yn", "iv", "ive"]},
    **{f"stats.beta.{name}": (lambda f, m, x: f(x, Q, K), (P,)) for name in ("cdf", "pdf", "logpdf")},
    **{f"stats.chi2.{name}": (lambda f, m, x: f(x, K), (Q,)) for name in ("cdf", "pdf", "logpdf")},
    "stats.gamma.cdf": (lambda f, m, x: f(x, K), (Q,)),
    **{f"stats.gamma.{name}": (lambda f, m, x, a: f(x, a), (Q, P)) for name in ("pdf", "logpdf")},
    **{f"stats.norm.{name}": (lambda f, m, x, loc, scale: f(x, loc, scale), (V, W, Q)) for name in ["pdf", "cdf", "sf", "logpdf", "logcdf", "logsf"]},
    **{f"stats.poisson.{name}": (lambda f, m, mu: f(K, mu), (Q,)) for name in ("cdf", "pmf", "logpmf")},
    **{f"stats.t.{name}": (lambda f, m, x, loc: f(x, K, loc, Q), (V, W)) for name in ("cdf", "logcdf")},
    **{f"stats.t.{name}": (lambda f, m, x, df, loc, scale: f(x, df, loc, scale), (V, K, W, Q)) for name in ("pdf", "logpdf")},
    **{
        f"stats.multivariate_normal.{name}": (lambda f, m, x, mean, cov: f(x, mean, (cov + m.transpose(cov)) / 2), (V, W, SPD))
        for name in ("pdf", "logpdf")
    },
    "stats.multivariate_normal.entropy": (lambda f, m, cov: f(V, (cov + m.transpose(cov)) / 2), (SPD,)),
    **{f"stats.dirichlet.{name}": (lambda f, m, a: f(P / P.sum(), a), (Q,)) for name in ("pdf", "logpdf")},
    "linalg.sqrtm": (lambda f, m, x: f(x), (SPD,)), "linalg.solve_triangular": (lambda f, m, x, y: f(m.triu(x), y), (A, B)),
    "linalg.solve_banded": (lambda f, m, x, y: f((1, 1), x, y), (BAND, T[0, 0])), "linalg.solve_sylvester": (lambda f, m, x, y, z: f(x, y, z), (A, SPD, SPD)),
}  # fmt: skip
"""Calls by all arguments by which HIPS autograd differentiates, without the options it lacks; `m` is the library's NumPy."""


def call_of(name: str) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return the call above, or one on numbers of the domain of a function of each element alone."""
    short = name.removeprefix("np.").removeprefix("scipy.")
    if short in CALLS:
        return CALLS[short]
    row, rng = TABLE[plain_of(name)], np.random.default_rng(3)
    assert isinstance(row, Op), f"{name} needs a call in the list"
    assert row.kind == "elementwise" or isinstance(row.fn, np.ufunc), f"{name} needs a call in the list"
    return (lambda f, m, *xs: f(*xs)), tuple(domain.sample(rng, (4,)) for domain in row.domains)


def plain_of(name: str) -> Any:
    where, _, last = name.rpartition(".")
    return getattr(module_of(where), last)


def ours_of(name: str) -> Any:
    """Return the function that a user calls: NumPy's or SciPy's own, or that of the import the page of coverage names."""
    where, _, last = name.rpartition(".")
    if where.startswith("scipy.stats."):
        return getattr(getattr(importlib.import_module("autograd_np.scipy.stats"), where.rpartition(".")[2]), last)
    if where.startswith("scipy"):
        return getattr(importlib.import_module(f"autograd_np.{where}"), last)
    return getattr(agnp if where == "np" else module_of(where), last)


def answer_of(name: str) -> str:
    """Return what the page of coverage says."""
    where, _, last = name.rpartition(".")
    if where.startswith("scipy.stats."):
        where, last = "scipy.stats", where.rpartition(".")[2]
    return next((e.answer for e in coverage(where) if e.name == last), "no such function")


def weighted(m: Any, out: Any) -> Any:
    """Return a real number made of all results."""
    parts = out if isinstance(out, tuple) else (out,)
    rng = np.random.default_rng(5)
    total = 0.0
    for y in parts:
        w = rng.normal(size=np.shape(y))
        total = total + m.sum(w * m.real(y)) + (m.sum(w[..., ::-1] * m.imag(y)) if np.ndim(y) and m.iscomplexobj(y) else 0)
    return total


def gradients_here(f: Any, call: Any, arrays: Any) -> Any:
    return ag.grad(lambda *xs: weighted(np, call(f, np, *xs)), tuple(range(len(arrays))))(*arrays)


@pytest.mark.parametrize("name", OF_HIPS)
def test_what_hips_autograd_differentiates(name: str) -> None:
    if name == "scipy.special.gammasgn":  # a step, whose vjp there is 0
        assert answer_of(name) == "constant by nature"
        return
    assert answer_of(name).startswith("differentiable")
    call, arrays = call_of(name)
    numbers = tuple(range(len(arrays)))
    theirs = HIPS.grad(lambda *xs: weighted(hips_np, call(OF_HIPS[name], hips_np, *xs)), numbers)(*arrays)
    found = gradients_here(ours_of(name), call, arrays)
    for mine, other in zip(found, theirs, strict=True):
        np.testing.assert_allclose(mine, np.conj(other), rtol=1e-7, atol=1e-9, err_msg=name)
        assert np.any(mine), "a gradient of zeros tells nothing"


def test_what_is_read_off_is_not_empty() -> None:
    assert len(OF_HIPS) > 150
    assert len(OF_MYGRAD) > 70
    assert set(of_hips()) >= INTERNAL


@pytest.mark.parametrize("operation", [name for name in OF_MYGRAD if name not in METHODS])
def test_what_mygrad_differentiates(operation: str) -> None:
    name = MYGRADS_NAMES.get(operation, operation.lower())
    if name in WRITTEN:
        f, x = WRITTEN[name]
        call, arrays, here = (lambda f, m, x: f(x)), (x,), f
        assert not hasattr(np, name)
    elif name.endswith("_sequence"):
        here = {
            "add_sequence": lambda *xs: agnp.sum(agnp.array(xs), axis=0),
            "multiply_sequence": lambda *xs: agnp.prod(agnp.array(xs), axis=0),
        }[name]
        call, arrays = (lambda f, m, *xs: f(*xs)), (V, W, P)
    else:
        where = "np.linalg" if name == "norm" else "np"
        assert answer_of(f"{where}.{name}").startswith("differentiable")
        call, arrays = call_of(f"np.{name}")
        here = ours_of(f"{where}.{name}")
    tensors = [mg.tensor(x) for x in arrays]
    theirs = call(getattr(mg.linalg if name == "norm" else mg, name), mg, *tensors)
    mg.sum(np.random.default_rng(5).normal(size=theirs.shape) * theirs).backward()
    for mine, t in zip(gradients_here(here, call, arrays), tensors, strict=True):
        np.testing.assert_allclose(mine, t.grad, rtol=1e-7, atol=1e-9, err_msg=name)
        assert np.any(mine), "a gradient of zeros tells nothing"
