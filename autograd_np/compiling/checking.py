"""The check of a first call: what was compiled gives what the function itself gives, where that is finite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.tensor import value_of

__all__ = ["compare"]


def compare(
    name: str, results: Sequence[Any], expected: Sequence[Any], data: Sequence[Any], scale: float, *, stabilised: bool = False
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
    scale : float
        The largest number on the way.
    stabilised : bool
        Whether one of the expected that is not finite says that the others may be wrong: a gradient where the loss has overflowed.
    """
    if len(results) != len(expected):
        raise errors.CompileError(f"{name} returns {len(expected)} leaves, compiled {len(results)}; {_TELL}")
    finite = all(map(_is_finite, data))
    if stabilised and finite and not all(map(_is_finite, expected)):
        return
    for i, (got, wanted) in enumerate(zip(results, expected, strict=True)):
        wanted = value_of(wanted)
        if not isinstance(wanted, (np.ndarray, np.generic, float, complex)):
            continue
        a, b = np.asarray(got), np.asarray(wanted)
        if a.shape != b.shape or a.dtype != b.dtype:
            raise errors.CompileError(
                f"result {i} of {name} has shape {b.shape} and dtype {b.dtype}, compiled {a.shape} and {a.dtype}; {_TELL}"
            )
        if not _agree(a, b, scale, finite):
            with np.errstate(all="ignore"):
                off = np.max(np.abs(np.subtract(a, b, dtype=np.result_type(a, b, float))), initial=0.0)
            raise errors.CompileError(f"result {i} of {name} is off by {off:.3g} when it is compiled; {_TELL}")


_TELL = "please report this, and call the function itself meanwhile, or ag.compile(f, check=False) if you know why"


def _is_finite(x: Any) -> bool:
    x = value_of(x)
    return (
        not isinstance(x, (np.ndarray, np.generic, float, complex)) or np.asarray(x).dtype.kind not in "fc" or bool(np.all(np.isfinite(x)))
    )


def _agree(a: Any, b: Any, scale: float, finite: bool) -> bool:
    if b.dtype.kind not in "fc":
        return bool(np.array_equal(a, b))
    known = np.isfinite(b)
    eps = float(np.finfo(b.dtype).eps)
    size = float(np.max(np.abs(b[known]), initial=0.0))
    with np.errstate(all="ignore"):
        near = np.abs(a[known] - b[known]) <= 8 * eps**0.5 * size + 1e3 * eps * scale
    if not bool(np.all(near)):
        return False
    rest = ~known
    return finite or bool(np.array_equal(a[rest], b[rest], equal_nan=True))
