"""How a gradient's name and the name of what it is the gradient of belong together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from autograd_np.check.watch.spelling import alike, bare, wanted_names

__all__ = ["is_data", "is_gradients_name", "is_label", "pair"]

_LABEL = r"t|ts|y|y_?true|targets?|labels?|one_?hot"
_DATA = (
    rf"{_LABEL}|x\w?\d*|y\w{{0,4}}\d*|inputs?|data|images?|imgs?|batch\w*|mask\w*|samples?|features?|(a|h|c)_?(0|prev|init)"
    r"|(prev|init)_?\w{1,2}|weights?_decay|\w*_true|noise|eps|idx|z"
)


def is_label(name: str) -> bool:
    """Whether a name is one that people give to what a prediction is compared with."""
    return bool(re.fullmatch(f"(?i){_LABEL}", name.rpartition(".")[2]))


def is_data(name: str) -> bool:
    """Whether a name is one that people give to samples and labels rather than to parameters."""
    return bool(re.fullmatch(f"(?i){_DATA}", name.rpartition(".")[2]))


def is_gradients_name(name: str) -> bool:
    """Whether a name looks like a gradient's, whatever it is the gradient of.

    Examples
    --------
    >>> [n for n in ("dW", "delta_p", "W_grad", "s2", "data", "d") if is_gradients_name(n)]
    ['dW', 'delta_p', 'W_grad']
    """
    last = bare(name.rpartition(".")[2].partition("[")[0])
    return bool(
        re.match(r"d[A-Z_]|d[a-z]\d*$|d[a-z]{1,2}$|d\w+d[a-zA-Z]\w*$|d(out|err|loss|pos)|grad|nabla|delta|err", last)
        or re.search(r"(?i)_?(grad(ient)?s?|diff|delta)$", last)
    )


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
    >>> pair("dh", ["x", "hs"]), pair("delta2", ["Z2"], {"delta2": "Z2"}), pair("dw", ["W", "b"]), pair("dWxh", ["W_xh", "W_hh"])
    ('hs', 'Z2', 'W', 'W_xh')
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
        same = alike(x, forward)
        if len(same) == 1:
            return same[0]
    return None
