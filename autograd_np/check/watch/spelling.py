"""How people spell the gradient of a variable, and which known names a name looks like."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

__all__ = ["near_misses", "wanted_names"]

_CONVENTIONS = (
    r"d[A-Za-z]+_d_?(?P<x>.+)",  # dL_dW, dJ_d_W, dloss_dW
    r"(?:grad|gradient|delta|del|adj|bar|g|D|d|∂)_(?P<x>.+)",  # grad_W, d_W
    r"(?P<x>.+)_(?:grad|gradient|bar|adj|delta|dot)",  # W_grad
    r"(?:grad|∂|d|g|D)(?P<x>.+)",  # dW, gW
)


def wanted_names(name: str) -> list[str]:
    """Return the forward names that `name` could be the gradient of, best first.

    Examples
    --------
    >>> wanted_names("dW1")
    ['W1']
    >>> wanted_names("dL_dW1")
    ['W1', 'L_dW1']
    >>> wanted_names("W1_grad")
    ['W1']
    """
    found = [m["x"] for pattern in _CONVENTIONS if (m := re.fullmatch(pattern, name))]
    return list(dict.fromkeys(found))


def near_misses(name: str, known: Iterable[str]) -> list[str]:
    """Return known names that look like `name`, for an error message."""
    wanted = [*wanted_names(name), name]
    known = list(known)
    begun = [k for x in wanted for k in known if k and (k.lower().startswith(x.lower()) or x.lower().startswith(k.lower()))]
    alike = [m for x in wanted for m in difflib.get_close_matches(x, known, n=3, cutoff=0.4)]
    return list(dict.fromkeys([*alike, *begun]))[:4]
