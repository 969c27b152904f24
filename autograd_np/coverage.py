"""What of NumPy and SciPy is differentiable: read off the table and the namespaces, with a reason for whatever has no derivative.

Every public function has one of four answers. Two are in the table: differentiable, or a constant row. The others are here, since
nothing calls the engine there: functions that never see numbers with a gradient, and those that are refused. A function that has
no answer is *unaccounted for*, which a test forbids.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from importlib import metadata
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from autograd_np.errors import DataError
from autograd_np.mirrored import MIRRORED
from autograd_np.op import TABLE, Op
from autograd_np.text import shown

__all__ = ["NAMESPACES", "SCIPYS", "Entry", "coverage", "markdown"]

DIFFERENTIABLE = "differentiable"
MODULE = "differentiable by import"
CONSTANT = "constant by nature"
REFUSED = "refused"
UNKNOWN = "unaccounted for"

_POLYNOMIALS = {"polynomial": "poly", "chebyshev": "cheb", "legendre": "leg", "hermite": "herm", "hermite_e": "herme", "laguerre": "lag"}

NAMESPACES: dict[str, Any] = {
    "np": np,
    "np.linalg": np.linalg,
    "np.fft": np.fft,
    "np.lib.stride_tricks": np.lib.stride_tricks,
    **{f"np.polynomial.{name}": getattr(np.polynomial, name) for name in _POLYNOMIALS},
}
"""The namespaces that are accounted for; of `np.polynomial`, what evaluates, and the rest in one line."""

SCIPYS = tuple(MIRRORED) if importlib.util.find_spec("scipy") else ()
"""SciPy's modules, of which something is differentiable; none where SciPy is not installed."""


class Entry(NamedTuple):
    """One public function: its name, an answer, and the reason or a remark."""

    name: str
    answer: str
    remark: str


_STEPS = "depends on values by steps: comparisons, rounding, places, counts, forms"
_REASONS: dict[str, tuple[str, str]] = {}


def _because(answer: str, reason: str, names: str) -> None:
    _REASONS.update(dict.fromkeys(names.split(), (answer, reason)))


# in the table as functions in terms of other rows, but without a gradient
_because(
    CONSTANT,
    _STEPS,
    """
    allclose array_equal array_equiv count_nonzero flatnonzero nonzero argwhere shape ndim size iscomplexobj isrealobj result_type can_cast
    shares_memory may_share_memory empty_like""",
)
_because(CONSTANT, "makes text, or writes the values to a file", "array2string array_repr array_str save savez savez_compressed savetxt")
# not in the table
_because(
    MODULE,
    "with `import autograd_np.numpy as np`; NumPy asks no list what it holds",
    "array asarray asanyarray full fromiter vectorize",
)
_because(MODULE, "with `import autograd_np.numpy as np`; NumPy's own would make an array", "ascontiguousarray asfortranarray")
_because(CONSTANT, "makes an array of sizes or numbers; one that Tensors can be written into with `import autograd_np.numpy as np`", (
    "arange empty eye fromfunction identity ones tri zeros"))  # fmt: skip
_because(CONSTANT, "makes an array of a size: a window, frequencies", "bartlett blackman hamming hanning kaiser fftfreq rfftfreq")
_because(
    CONSTANT,
    "works with integers, indices or shapes",
    """
    bitwise_count broadcast_shapes diag_indices diag_indices_from indices mask_indices packbits ravel_multi_index tril_indices
    tril_indices_from
    triu_indices triu_indices_from unpackbits unravel_index einsum_path nested_iters iterable isscalar isfortran""",
)
_because(CONSTANT, "works with dtypes", "common_type isdtype issubdtype min_scalar_type mintypecode promote_types typename")
_because(CONSTANT, "works with dates", "busday_count busday_offset datetime_as_string datetime_data is_busday isnat")
_because(CONSTANT, "reads or makes text", "base_repr binary_repr format_float_positional format_float_scientific fromstring fromregex info")
_because(CONSTANT, "reads a file or memory", "frombuffer from_dlpack fromfile genfromtxt load loadtxt")
_because(
    CONSTANT,
    "is about NumPy itself",
    """
    get_include get_printoptions getbufsize geterr geterrcall printoptions
    set_printoptions setbufsize seterr seterrcall show_config show_runtime
    test""",
)
_because(REFUSED, "np.matrix gives the operators another meaning; use arrays", "asmatrix bmat")
_because(REFUSED, "makes a ufunc of objects; use np.vectorize of autograd_np.numpy, or ag.define", "frompyfunc")
_because(REFUSED, "is about flags of memory that no Tensor shows; take x.copy()", "require")
_because(REFUSED, "checks for NaN in Python; write np.all(np.isfinite(x)), and np.asarray", "asarray_chkfinite")
_because(MODULE, "with `import autograd_np.numpy as np`; of elements of the array itself, which is checked", "as_strided")
_because(DIFFERENTIABLE, "the old name of vstack", "row_stack")

_OPTIONS = {
    "quantile": "by q too", "percentile": "by q too", "nanquantile": "by q too", "nanpercentile": "by q too", "histogram2d": "by weights",
    "histogramdd": "by weights", "histogram_bin_edges": "by the samples at its ends",
    "pad": "every mode but functions", "bincount": "by weights",
    "histogram": "by weights", "interp": "by x, xp and fp", "polyfit": "by x, y and w; one degree", "roots": "always complex",
    "where": "with three arguments",
}  # fmt: skip


def _functions(namespace: Any) -> Iterator[tuple[str, Any]]:
    """Yield the public functions of a namespace; constants, dtypes and other classes are none."""
    for name in sorted(set(getattr(namespace, "__all__", ()) or dir(namespace))):
        value = getattr(namespace, name, None)
        is_function = callable(value) and not isinstance(value, (type, ModuleType)) and not name.startswith("_")
        if is_function or value is np.vectorize:
            yield name, value


def _answer(name: str, fn: Any) -> tuple[str, str]:
    row = TABLE.get(fn)
    if isinstance(row, Op):
        if row.kind == "constant" or not any(callable(rule) or rule in (1, -1) for rule in row.rules):
            return CONSTANT, _STEPS
        return DIFFERENTIABLE, "; ".join(part for part in (_OPTIONS.get(name, ""), row.note) if part)
    if name in _REASONS:
        return _REASONS[name]
    return (DIFFERENTIABLE, _OPTIONS.get(name, "")) if row is not None else (UNKNOWN, "")


def _of_polynomials(where: str, short: str) -> Iterator[Entry]:
    """Yield what evaluates polynomials: NumPy computes it with operators, by the point alone."""
    last = where.rpartition(".")[2]
    weights = getattr(np.polynomial, last)
    yield Entry(f"{short}val", DIFFERENTIABLE, "by x, and with `import autograd_np.numpy as np` by its coefficients")
    if hasattr(weights, f"{short}weight"):
        yield Entry(f"{short}weight", DIFFERENTIABLE, "")
    for name in (n for n, _ in _functions(weights) if n not in (f"{short}val", f"{short}weight")):
        yield Entry(name, REFUSED, f"makes arrays of its arguments; np.poly* works on coefficients, {short}val evaluates")


def _of_scipy(where: str) -> Iterator[Entry]:
    """Yield what a module of SciPy's has: rows of its ufuncs, what its mirror covers, and the rest, which is refused."""
    mirror = importlib.import_module(f"autograd_np.{where}")
    remarks = getattr(mirror, "REMARKS", {})
    for name, fn in _functions(importlib.import_module(where)):
        row = TABLE.get(fn)
        if name in mirror.GIVEN:
            yield Entry(name, MODULE, remarks.get(name, "") or f"with `from autograd_np.{where} import ...`")
        elif isinstance(row, Op):
            yield Entry(name, *_answer("", fn))
        else:
            yield Entry(name, REFUSED, remarks.get(name, "") or "no derivative is known here")


def coverage(where: str = "np") -> list[Entry]:
    """Return what is known of each public function of a namespace.

    Parameters
    ----------
    where : str
        One of `NAMESPACES` or `SCIPYS`, such as ``"np.linalg"`` or ``"scipy.special"``.

    Returns
    -------
    list of Entry
        By name; `answer` is ``"differentiable"``, ``"differentiable by import"``, ``"constant by nature"``, ``"refused"``, or
        ``"unaccounted for"``.

    Raises
    ------
    DataError
        If there is no such namespace.

    Examples
    --------
    >>> [entry.answer for entry in coverage("np.linalg") if entry.name in ("cholesky", "matrix_rank")]
    ['differentiable', 'constant by nature']
    """
    where = where.replace("numpy", "np", 1) if where.startswith("numpy") else where
    if where in SCIPYS:
        return list(_of_scipy(where))
    if where not in NAMESPACES:
        raise DataError(f"there is no account of {shown(where)}; there is one of {', '.join((*NAMESPACES, *SCIPYS))}")
    namespace = NAMESPACES[where]
    short = _POLYNOMIALS.get(where.rpartition(".")[2]) if ".polynomial." in where else None
    if short is not None:
        return list(_of_polynomials(where, short))
    return [Entry(name, *_answer(name, fn)) for name, fn in _functions(namespace)]


def counts(entries: list[Entry]) -> str:
    """Return how many functions have each answer, in words."""
    found = {answer: sum(e.answer == answer for e in entries) for answer in (DIFFERENTIABLE, MODULE, CONSTANT, REFUSED, UNKNOWN)}
    return ", ".join(f"{n} {answer}" for answer, n in found.items() if n)


_HEAD = """# What of NumPy and SciPy is differentiable

Made by `autograd-np coverage --markdown` from the table and from the namespaces of NumPy {numpy} and SciPy {scipy}; a test compares.
*Differentiable* is by every argument of floats that the function has, in both modes, to any order, unless a remark says otherwise; an
option that a row does not cover is refused by name. *By import*: with `import autograd_np.numpy as np`, or from `autograd_np.scipy`.
What is *constant by nature* computes, and carries no gradient. *Refused* raises, and says what to write. `np.random` draws arrays, which
are constants; classes and dtypes are not listed.
"""


def _version(package: str) -> str:
    return ".".join(metadata.version(package).split(".")[:2]) if importlib.util.find_spec(package) else "(not installed)"


def markdown() -> str:
    """Return docs/coverage.md."""
    versions = {name: _version(name) for name in ("numpy", "scipy")}
    parts = [_HEAD.format(**versions)]
    for where in (*NAMESPACES, *SCIPYS):
        entries = coverage(where)
        parts.append(f"\n## {where}\n\n{counts(entries)}.\n")
        parts.append("\n".join(_lists(entries)) + "\n")
    return "\n".join(parts).replace("\n\n\n", "\n\n")


def _lists(entries: list[Entry]) -> Iterator[str]:
    """Yield a line for the functions of each answer and reason."""
    groups: dict[tuple[str, str], list[str]] = {}
    remarks: dict[str, list[str]] = {}
    for e in entries:
        if e.answer == DIFFERENTIABLE:
            groups.setdefault((e.answer, ""), []).append(f"`{e.name}`")
            if e.remark:
                remarks.setdefault(e.remark, []).append(f"`{e.name}`")
        else:
            groups.setdefault((e.answer, e.remark), []).append(f"`{e.name}`")
    order = [DIFFERENTIABLE, MODULE, CONSTANT, REFUSED, UNKNOWN]
    for (answer, remark), names in sorted(groups.items(), key=lambda item: (order.index(item[0][0]), item[0][1])):
        yield f"- **{answer}**{f' ({remark})' if remark else ''}: {' '.join(names)}"
        if answer == DIFFERENTIABLE and remarks:
            yield "- remarks: " + "; ".join(f"{' '.join(of)}: {said}" for said, of in remarks.items())
