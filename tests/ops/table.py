"""Sample calls of every row of the table, drawn from what the rows say; what the table's tests share."""

from __future__ import annotations

import importlib
import pkgutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from autograd_np.op import RESULT, SAMPLES, TABLE, Domain, Op, Primitive, Several
from autograd_np.results import Results
from autograd_np.tensor import value_of

_OF_SCIPY: set[Any] = set()
try:
    from scipy import special
except ModuleNotFoundError:
    pass
else:
    from autograd_np.ops import for_scipy

    _OF_SCIPY = {fn for fn in vars(special).values() if isinstance(fn, np.ufunc)}  # a ufunc does not say where it is from

    for _module in pkgutil.iter_modules(for_scipy.__path__):
        importlib.import_module(f"{for_scipy.__name__}.{_module.name}")

SCIPYS = {
    row
    for fn, row in TABLE.items()
    if fn in _OF_SCIPY or str(getattr(fn, "__module__", "")).startswith(("scipy.", "autograd_np.ops.for_scipy"))
}


def takes_whole_numbers(op: Op) -> bool:
    """Whether an argument is an exponent, a degree, an order: whole, or at least without a derivative."""
    return any(d.dtype == "int" for d in op.domains)


ROWS: dict[Op, Any] = {}
for _fn, _row in TABLE.items():
    if isinstance(_row, Op) and (_row not in ROWS or (isinstance(ROWS[_row], Primitive) and not isinstance(_fn, Primitive))):
        ROWS[_row] = _fn  # the function that a user calls
WRITERS = (np.copyto, np.put, np.putmask, np.place, np.fill_diagonal, np.put_along_axis)  # return nothing; tests/engine has them
LEAVING = {
    fn for fn, row in TABLE.items() if getattr(row, "__qualname__", "").startswith(("_leaving.", "_counting."))
}  # text, files, indices, counts: tests/ops/test_namespace.py has them
KINKS = (np.intersect1d, np.unique_values)  # equal values, and an order of NumPy's choice: tests/ops/test_namespace.py has them
DERIVED = [fn for fn, row in TABLE.items() if not isinstance(row, Op) and fn not in (*WRITERS, *LEAVING, *KINKS)]
DIFFERENTIABLE = [op for op in ROWS if op.kind != "constant"]
CALLED = {**ROWS, **{op: fn for fn, op in SAMPLES.items()}}
SAMPLED = [*DIFFERENTIABLE, *SAMPLES.values()]

UNARY = (((),), ((3,),), ((2, 3),))
BINARY = (((), ()), ((3,), (3,)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 1), (1, 3)), ((), (2, 3)), ((2, 3), (1, 1)))


def adjoint(x: Any) -> Any:
    return np.conjugate(np.swapaxes(x, -1, -2))


def _pairs(u: Any, v: Any) -> Any:
    """Return the outer product of each column of `u` with that of `v`, whose phases cancel."""
    return np.expand_dims(u, -2) * np.conjugate(np.expand_dims(v, -3))


def _settled_svd(u: Any, s: Any, vh: Any) -> tuple[Any, ...]:
    k, v = s.shape[-1], adjoint(vh)
    free = [x[..., k:] @ adjoint(x[..., k:]) for x in (u, v) if x.shape[-1] > k]
    return (_pairs(u[..., :k], v[..., :k]), s, _pairs(v[..., :k], v[..., :k]), *free)


def _settled_qr(q: Any, r: Any) -> tuple[Any, ...]:
    k = min(r.shape[-2:])
    free = [q[..., k:] @ adjoint(q[..., k:])] if q.shape[-1] > k else []
    return (q[..., :k], r, *free)


SETTLED: dict[str, Any] = {
    "eigh": lambda w, v: (w, _pairs(v, v)),
    "eig": lambda w, v: (w, _pairs(v, v)),
    "svd": _settled_svd,
    "qr": _settled_qr,
}
"""What a decomposition leaves to choice (phases, columns that fill up) has no derivative: what is made of it that has one."""


@dataclass(frozen=True)
class Sample:
    """One call: the operation, its array arguments and attributes, and which arguments are variables.

    Of a call with several results, `part` says which one is looked at.
    """

    op: Op
    arrays: tuple[Any, ...]
    attrs: dict[str, Any]
    part: int | None = None

    @property
    def wrt(self) -> tuple[int, ...]:
        return tuple(i for i, a in enumerate(self.arrays) if getattr(a, "dtype", None) is not None and a.dtype.kind in "fc")

    @property
    def floats(self) -> tuple[np.ndarray, ...]:
        return tuple(self.arrays[i] for i in self.wrt)

    def call(self, *floats: Any) -> Any:
        """Call the function a user would call, with the floating arguments replaced."""
        arrays = list(self.arrays)
        for i, x in zip(self.wrt, floats, strict=True):
            arrays[i] = (x + adjoint(x)) / 2 if self.op.domains[min(i, len(self.op.domains) - 1)].hermitian else x
        fn = CALLED[self.op]
        found = fn(arrays, **self.attrs) if self.op.variadic else fn(*arrays, **self.attrs)
        found = SETTLED[self.op.name](*found) if self.op.name in SETTLED else found
        return found if self.part is None else found[self.part]

    def with_floats(self, *floats: Any) -> Sample:
        arrays = list(self.arrays)
        for i, x in zip(self.wrt, floats, strict=True):
            arrays[i] = x
        return replace(self, arrays=tuple(arrays))

    def __str__(self) -> str:
        shapes = ", ".join(f"{np.shape(a)}" for a in self.arrays)
        part = "" if self.part is None else f"[{self.part}]"
        return f"{self.op.name}({shapes}{''.join(f', {k}={v!r}' for k, v in self.attrs.items())}){part}"


def rng_of(op: Op) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(op.name.encode()))


def _draw(spec: Any, domain: Domain, rng: np.random.Generator) -> Any:
    return domain.sample(rng, spec) if isinstance(spec, tuple) else spec


def samples(op: Op) -> Iterator[Sample]:
    """Yield sample calls of a row."""
    rng = rng_of(op)
    cases: list[tuple[Any, dict[str, Any]]] = [(c.arrays, c.attrs) for c in op.cases]
    takes_one_shape = op.kind == "elementwise" or isinstance(op.fn, np.ufunc)
    if takes_one_shape and not cases:
        count = len(op.rules)
        shapes = UNARY if count == 1 else BINARY if count == 2 else tuple((s,) * count for (s,) in UNARY)
        cases = [(s, {}) for s in shapes]
    domains = op.domains
    if op.kind == "constant" and isinstance(op.fn, np.ufunc) and not any(t.startswith("d") for t in op.fn.types):
        domains = (Domain(1, 3, dtype="int"),) * len(op.rules)
    for specs, attrs in cases:
        arrays = tuple(_draw(s, domains[min(i, len(domains) - 1)], rng) for i, s in enumerate(specs))
        whole = Sample(op, arrays, attrs)
        yield from parts(whole) if isinstance(op, Several) else (whole,)


def parts(whole: Sample) -> Iterator[Sample]:
    """Yield a sample for each result of a call that carries a gradient."""
    op = whole.op
    assert isinstance(op, Several)
    found = Results.of(whole.call(*whole.floats))
    for i in range(len(found)):
        if op.reader(i, found) is RESULT:
            yield replace(whole, part=i)


REAL = {"sign", "relu", "clip", "tell_gauge"}
"""Rows for real numbers, in the place of which something else stands for complex ones, or that have no meaning there."""


def complexed(s: Sample) -> Iterator[Sample]:
    """Yield the call with complex numbers in the place of real ones, all and one at a time, if NumPy takes them."""
    if s.op.name in REAL or not s.wrt or any(hasattr(rule, "of_reals") for rule in s.op.rules):
        return
    rng = rng_of(s.op)
    for chosen in dict.fromkeys([tuple(range(len(s.wrt))), *((i,) for i in range(len(s.wrt)))]):
        hermitian = [s.op.domains[min(i, len(s.op.domains) - 1)].hermitian for i in s.wrt]
        moved = [
            x + 1j * rng.uniform(0.3, 0.9, x.shape) * (0.3 if hermitian[i] else 1) if i in chosen and x.dtype.kind == "f" else x
            for i, x in enumerate(s.floats)
        ]
        found = s.with_floats(*moved)
        try:
            with np.errstate(all="ignore"):
                found.call(*found.floats)
        except (TypeError, np.exceptions.ComplexWarning):
            continue  # NumPy does not take them, or lets the imaginary part go
        yield found


def every(op: Op) -> Iterator[Sample]:
    """Yield the sample calls of a row, real and complex."""
    for s in samples(op):
        yield s
        if s.floats and all(x.dtype.kind == "f" for x in s.floats):
            yield from complexed(s)


def pair(w: Any, y: Any) -> Any:
    """Return the real number whose gradient by y is w."""
    if np.iscomplexobj(arrays_of(w)) or np.iscomplexobj(arrays_of(y)):
        return np.sum(np.real(w) * np.real(y)) + np.sum(np.imag(w) * np.imag(y))
    return np.sum(w * y)


def drawn_like(x: Any, rng: np.random.Generator) -> Any:
    """Return random numbers of the shape of an array, complex where it is."""
    real = rng.normal(size=np.shape(x))
    return real + 1j * rng.normal(size=np.shape(x)) if np.iscomplexobj(x) else real


def arrays_of(x: Any) -> Any:
    return value_of(x)


def seed_of(sample: Sample, out: Any) -> Any:
    rng = rng_of(sample.op)
    seed = rng.uniform(0.5, 1.5, out.shape)
    return np.asarray(seed + 1j * rng.uniform(0.5, 1.5, out.shape) if out.dtype.kind == "c" else seed, dtype=out.dtype)


def close(actual: Any, expected: Any, sample: Any, what: str, rtol: float = 1e-6, atol: float = 1e-7) -> None:
    np.testing.assert_allclose(arrays_of(actual), expected, rtol=rtol, atol=atol, err_msg=f"{what} of {sample}")


def rows(ops: list[Op]) -> Any:
    seen: dict[str, int] = {}
    ids = []
    for op in ops:
        seen[op.name] = seen.get(op.name, 0) + 1
        ids.append(op.name if seen[op.name] == 1 else f"{op.name}-{seen[op.name]}")
    return pytest.mark.parametrize("op", ops, ids=ids)
