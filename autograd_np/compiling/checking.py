"""The check of a first call: what was compiled gives what the function itself gives, where that is finite."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_np import errors
from autograd_np.tensor import value_of

__all__ = ["Rounding", "compare"]


class Rounding(NamedTuple):
    """What was computed on the way to a result.

    Attributes
    ----------
    scale : float
        The largest number.
    eps : float
        The rounding of the coarsest dtype.
    """

    scale: float = 0.0
    eps: float = 0.0


def compare(
    name: str,
    results: Sequence[Any],
    expected: Sequence[Any],
    data: Sequence[Any],
    rounding: Rounding,
    *,
    otherwise: Callable[[], Sequence[Sequence[Any]] | None] | None = None,
) -> None:
    """Raise if results differ by more than the rounding of what was computed on the way.

    Parameters
    ----------
    name : str
        Of the function.
    results, expected : sequence
        The leaves of both results.
    data : sequence
        What was given: if that is finite, a stabilised result may be where the other is not.
    rounding : Rounding
        Of what was computed on the way.
    otherwise : callable, optional
        The results may be more exact than what is expected: where one of that is not finite, or something overflowed on the way, it says
        nothing. Where results differ, this is asked: it returns what is expected with other roundings, or ``None`` of an overflow.
    """
    if len(results) != len(expected):
        raise errors.CompileError(f"{name} returns {len(expected)} leaves, compiled {len(results)}; {_TELL}")
    finite = all(map(_is_finite, data))
    if otherwise is not None and finite and not all(map(_is_finite, expected)):
        return
    for i, (got, wanted) in enumerate(zip(results, expected, strict=True)):
        wanted = value_of(wanted)
        if isinstance(wanted, _PLAIN) and otherwise is not None:
            if type(got) is not type(wanted) or got != wanted:
                raise errors.CompileError(_OF_TYPES.format(i, name, f"{wanted!r:.40}", f"{got!r:.40}"))
            continue
        if not isinstance(wanted, (np.ndarray, np.generic, float, complex)):
            continue
        a, b = np.asarray(got), np.asarray(wanted)
        if a.shape != b.shape or a.dtype != b.dtype:
            told = {"fc": _OF_KINDS, "ff": _OF_FLOATS}.get(b.dtype.kind + a.dtype.kind, _TELL) if a.shape == b.shape else _TELL
            raise errors.CompileError(
                f"result {i} of {name} has shape {b.shape} and dtype {b.dtype}, compiled {a.shape} and {a.dtype}; {told}"
            )
        if not _agree(a, b, rounding, finite):
            samples = otherwise() if otherwise is not None else ()
            if samples is None:
                return
            nudged = [np.asarray(sample[i]) for sample in samples]
            if nudged and _agree(a, b, rounding, finite, nudged):
                continue
            if nudged and finite and not _agree(nudged[0], b, rounding, finite, nudged):
                raise errors.CompileError(_OF_TYPES.format(i, name, _told(b), _told(nudged[0])))
            with np.errstate(all="ignore"):
                off = np.max(np.abs(np.subtract(a, b, dtype=np.result_type(a, b, float))), initial=0.0)
            raise errors.CompileError(f"result {i} of {name} is off by {off:.3g} when it is compiled; {_TELL}")


_PLAIN = (int, str, bytes, type(None))
_OF_TYPES = (
    "result {} of {} is {}, but {} where what stands for its arrays and floats is handed in: it goes another way by the type of a value "
    "(isinstance, type(x) is, np.isscalar, hasattr). While it is traced, arrays and floats are ag.Tensor: ask for x.dtype, x.ndim or "
    "np.ndim(x), or hand in a bool or a string, which is part of the signature"
)
_OF_KINDS = (
    "NumPy gives real numbers where all of them happen to be real, and complex ones elsewhere (np.linalg.eig, np.linalg.eigvals, "
    "np.roots): compiled they are always complex. Say which is meant, x.real or x.astype(complex)"
)
_OF_FLOATS = (
    "a float that it is given became a number of NumPy's, which float32 gives way to, by abs(), divmod() or round(): compute that outside, "
    "and hand in what comes of it, as a float; otherwise please report this"
)
_TELL = "please report this, and call the function itself meanwhile, or ag.compile(f, check=False) if you know why"


def _told(x: Any) -> str:
    return " ".join(np.array2string(x, threshold=8, precision=4).split())


def _is_finite(x: Any) -> bool:
    x = value_of(x)
    return (
        not isinstance(x, (np.ndarray, np.generic, float, complex)) or np.asarray(x).dtype.kind not in "fc" or bool(np.all(np.isfinite(x)))
    )


def _agree(a: Any, b: Any, rounding: Rounding, finite: bool, samples: Sequence[Any] = ()) -> bool:
    """Whether two results differ by no more than rounding does, and no more than the second does when it is rounded otherwise."""
    if b.dtype.kind not in "fc":
        return bool(np.array_equal(a, b))
    known = np.isfinite(b)
    eps = max(float(np.finfo(b.dtype).eps), rounding.eps)
    size = float(np.max(np.abs(b[known]), initial=0.0))
    with np.errstate(all="ignore"):
        allowed = 8 * eps**0.5 * size + 1e3 * eps * rounding.scale
        if samples:  # how far roundings move them from one another, not from what is expected, which may be something else
            moved = np.stack([s[known] for s in samples])
            allowed = allowed + 8 * (np.max(moved, axis=0) - np.min(moved, axis=0))
        near = np.abs(a[known] - b[known]) <= allowed
    if not bool(np.all(near)):
        return False
    rest = ~known
    return finite or bool(np.array_equal(a[rest], b[rest], equal_nan=True))
