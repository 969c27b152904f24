"""How a gradient's name and the name of what it is the gradient of belong together."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

__all__ = ["near_misses", "pair", "wanted_names"]

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


def pair(name: str, forward: Iterable[str], given: Mapping[str, str] | None = None) -> str | None:
    """Return the forward variable whose gradient `name` holds, or ``None``.

    Parameters
    ----------
    name : str
        A variable or dict key of the backward function.
    forward : iterable of str
        Names of forward's variables and inputs.
    given : mapping, optional
        The user's own pairs, gradient name -> forward name; they win.

    Examples
    --------
    >>> pair("dh", ["x", "hs"]), pair("delta2", ["Z2"], {"delta2": "Z2"}), pair("dw", ["W", "b"])
    ('hs', 'Z2', 'W')
    """
    forward = list(forward)
    if given and name in given:
        return given[name]
    wanted = wanted_names(name)
    for x in wanted:
        if x in forward:
            return x
    for x in wanted:
        for candidate in (x + "s", x + "_list", x + "_all"):
            if candidate in forward:
                return candidate
    for x in wanted:
        alike = [f for f in forward if f.lower() == x.lower()]
        if len(alike) == 1:
            return alike[0]
    return None


def near_misses(name: str, known: Iterable[str]) -> list[str]:
    """Return known names that look like `name`, for an error message."""
    wanted = [*wanted_names(name), name]
    known = list(known)
    begun = [k for x in wanted for k in known if k and (k.lower().startswith(x.lower()) or x.lower().startswith(k.lower()))]
    alike = [m for x in wanted for m in difflib.get_close_matches(x, known, n=3, cutoff=0.4)]
    return list(dict.fromkeys([*alike, *begun]))[:4]
