"""Arrays and sizes as a few short lines of text."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_np.results import Results

__all__ = ["bytes_text", "value_lines"]

WHOLE = 12  # arrays of up to this many elements are shown whole


def value_lines(array: Any, whole: int = WHOLE) -> tuple[str, ...]:
    """Return an array as lines: small ones whole, large ones as statistics, always telling of NaN and infinities.

    Examples
    --------
    >>> import numpy as np
    >>> value_lines(np.array([[1.0, 2.0], [3.0, -4.5]]))
    ('1     2', '3  -4.5')
    >>> value_lines(np.append(np.arange(100.0), np.nan))
    ('min 0  mean 49.5  max 99', '1 NaN')
    """
    if isinstance(array, Results):
        return ()  # shown where they are read
    if not isinstance(array, (np.ndarray, np.generic)):
        if not hasattr(array, "dtype"):
            return (repr(array)[:80],)
        return (f"lazy {type(array).__module__.partition('.')[0]} array",)  # showing it would compute it
    if array.size == 0:
        return ("empty",)
    if array.size <= whole and array.ndim <= 2:
        texts = [[_number(x) for x in row] for row in np.atleast_2d(np.asarray(array)).tolist()]
        if array.ndim == 1:
            return (f"[{', '.join(texts[0])}]",)
        widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
        return tuple("  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)) for row in texts)
    if array.dtype.kind == "b":
        return (f"{int(np.sum(array)):,} of {array.size:,} true",)
    if array.dtype.kind not in "iuf":
        return (f"{array.size:,} elements",)
    finite = np.extract(np.isfinite(array), array)
    lines = []
    if finite.size:
        with np.errstate(over="ignore"):
            mean = np.mean(finite, dtype=np.float64)
        lines.append("  ".join(f"{what} {_statistic(x)}" for what, x in (("min", finite.min()), ("mean", mean), ("max", finite.max()))))
    nans = int(np.isnan(array).sum())
    bad = [f"{n:,} {what}" for n, what in ((nans, "NaN"), (array.size - finite.size - nans, "inf")) if n]
    return (*lines, ", ".join(bad)) if bad else tuple(lines)


def _number(x: Any) -> str:
    return f"{x:z.4g}" if isinstance(x, float) else str(x)


def _statistic(x: Any) -> str:
    return f"{x:z.3g}"


def bytes_text(n: int) -> str:
    """Return a size in bytes as text, in powers of 1000.

    Examples
    --------
    >>> bytes_text(48), bytes_text(12_345), bytes_text(3_000_000)
    ('48 B', '12.3 kB', '3 MB')
    """
    size = float(n)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 999.5 or unit == "TB":
            break
        size /= 1000
    return f"{size:.3g} {unit}"
