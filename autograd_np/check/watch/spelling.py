"""How people spell the gradient of a variable, and which known names a name looks like."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

__all__ = ["alike", "bare", "near_misses", "wanted_names"]

_WORDS = "grads?|gradients?|delta|del|nabla|adj|bar|cotangent|partial|deriv|derivative"
_CONVENTIONS = (
    r"(?:d|∂|partial_?)[A-Za-z]+?_(?:d|∂|partial)_?(?P<x>.+)",  # dL_dW, dJ_d_W, dloss_dW
    r"d(?:L|J|E|C|loss|cost|Loss|Cost|err|error)d_?(?P<x>.+)",  # dLdW
    r"d_?(?:L|J|E|C|loss|cost|Loss|Cost|err|error)_(?P<x>.+)",  # d_loss_W
    rf"(?:{_WORDS}|g|D|d|∂)_(?P<x>.+)",  # grad_W, d_W
    rf"(?P<x>.+)_(?:{_WORDS}|dot|diff|g)",  # W_grad
    r"(?P<x>.+?)(?:Grad|Gradient|Delta|_?grads?|_?gradients?)",  # WGrad, wgrad
    r"(?:grad|nabla|delta|∂|d|g|D)(?P<x>.+)",  # dW, gW
)


def bare(name: str) -> str:
    """Return the name of an attribute without the underscores that make it private, and the class that Python puts before two of them.

    Examples
    --------
    >>> bare("_dW"), bare("__dW"), bare("_Net__dW"), bare("dW_x"), bare("_")
    ('dW', 'dW', 'dW', 'dW_x', '_')
    """
    return _PRIVATE.sub("", name) or name


_PRIVATE = re.compile(r"^_+(?:[A-Za-z]\w*?__(?=[A-Za-z]))?")


def wanted_names(name: str) -> list[str]:
    """Return the forward names that `name` could be the gradient of, best first.

    Examples
    --------
    >>> wanted_names("dW1")
    ['W1']
    >>> wanted_names("dL_dW1")
    ['W1', 'dW1', 'L_dW1']
    >>> wanted_names("W1_grad")
    ['W1']
    >>> wanted_names("_dW1")
    ['W1']
    """
    name = bare(name)
    found = [m["x"] for pattern in _CONVENTIONS if (m := re.fullmatch(pattern, name))]
    return list(dict.fromkeys(found))


def alike(name: str, known: Iterable[str]) -> list[str]:
    """Return the known names that are `name` but for case, or else but for underscores too.

    Examples
    --------
    >>> alike("w", ["W", "b"]), alike("Wxh", ["W_xh", "W_hh"])
    (['W'], ['W_xh'])
    """
    known = list(known)
    cased = [k for k in known if k.lower() == name.lower()]
    return cased or [k for k in known if k.lower().replace("_", "") == name.lower().replace("_", "")]


def near_misses(name: str, known: Iterable[str]) -> list[str]:
    """Return known names that look like `name`, for an error message."""
    wanted = wanted_names(name)
    known = list(known)
    begun = [k for x in wanted or [name] for k in known if k and (k.lower().startswith(x.lower()) or x.lower().startswith(k.lower()))]
    alike = [m for x in [*wanted, name] for m in difflib.get_close_matches(x, known, n=3, cutoff=0.4)]
    return list(dict.fromkeys([*alike, *begun]))[:4]
