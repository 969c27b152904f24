"""Names, numbers and arrays as the page shows them."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_np.results import Results
from autograd_np.tensor import value_of
from autograd_np.text import visible

__all__ = ["label", "listed", "number", "plural", "shape_of", "summary"]

WHOLE = 96
"""Arrays of at most this many elements are shown whole."""
ROWS, COLUMNS = 5, 8
"""How much of a larger array is shown."""


def label(text: str) -> str:
    """Return a name, or what is made of names; it occurs in many texts of the page."""
    return visible(text, longest=1_000)


def number(x: Any) -> str:
    """Write a number short enough for a table."""
    if type(x) is not float and isinstance(x, (bool, np.bool_)):
        return "True" if x else "False"
    if isinstance(x, (int, np.integer)):
        return str(x)
    if not isinstance(x, (float, np.floating)):
        return label(f"{x!s:.40}")
    text = f"{float(x) + 0.0:.5g}"
    if "e" in text:
        text = text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    return text.replace("-", "−")


def shape_of(x: Any) -> str:
    """Write a shape as a reader of matrices does; a number has none, and several results have one each."""
    if isinstance(x, Results):
        return listed([shape_of(part) for part in x])
    shape = np.shape(value_of(x))
    return " × ".join(map(str, shape)) if len(shape) > 1 else f"length {shape[0]}" if shape else "number"


def plural(n: int, what: str) -> str:
    """Return ``1 place``, ``2 places``."""
    return f"{n} {what}{'' if n == 1 else 's'}"


def listed(names: list[str]) -> str:
    """Return ``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "nothing"


def summary(x: Any, *, small: bool) -> dict[str, Any]:
    """Describe an array: whole if it has few elements, else its statistics and first rows; several results by their names."""
    if isinstance(x, Results):
        names = [x.name_of(i).lstrip(".") for i in range(len(x))]
        return {"shape": shape_of(x), "dtype": str(x.dtype), "rows": [names], "whole": True, "ndim": 1}
    a = np.asarray(value_of(x))
    found: dict[str, Any] = {"shape": shape_of(a), "dtype": str(a.dtype)}
    whole = a.size <= (WHOLE if small else 16)
    if a.ndim == 0:
        return found | {"rows": [[number(a[()])]], "whole": True, "ndim": 0}
    table = a.reshape(-1, a.shape[-1]) if a.size else np.zeros((0, 0))
    shown = table if whole else table[:ROWS, :COLUMNS]
    found |= {"rows": [[number(v) for v in row] for row in shown.tolist()], "whole": whole, "ndim": a.ndim}
    if not whole:
        found["of"] = list(table.shape)
    if a.ndim > 2:
        found["labels"] = [", ".join(map(str, np.unravel_index(i, a.shape[:-1]))) for i in range(len(shown))]
    if a.size > 1 and a.dtype.kind in "fiu":
        finite = a[np.isfinite(a)]
        if finite.size:
            wide = finite.astype(np.float64)
            found["stats"] = {"min": number(wide.min()), "mean": number(wide.mean()), "max": number(wide.max())}
        bad = {"NaN": int(np.isnan(a).sum()), "inf": int(np.isinf(a).sum())}
        found["bad"] = {k: v for k, v in bad.items() if v}
    return found
