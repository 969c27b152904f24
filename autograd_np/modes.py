"""Modes: what the running context records, and what it writes down with each operation.

`no_grad`, `detect_anomaly` and `scope` set variables of the context, which recording and the sweeps read; the nearest
line of the user's is found here too. Nothing here knows a Tensor, a Node or a Level: a level is a number from `orders`,
and `no_grad` draws one itself, so that what is older is not recorded.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

__all__ = [
    "DEFAULT",
    "SCOPE",
    "Mode",
    "anomaly_mode",
    "call_site",
    "current_mode",
    "detect_anomaly",
    "no_grad",
    "orders",
    "recording",
    "scope",
]

_PACKAGE = __file__.removesuffix("modes.py")

orders = itertools.count()
"""Numbers each Level and each `no_grad` block as it opens."""


class Mode(NamedTuple):
    """What the running context records: levels newer than `floor`, with call sites or without."""

    floor: int
    anomaly: bool


DEFAULT = Mode(-1, False)
_MODE: ContextVar[Mode] = ContextVar("autograd_np_mode", default=DEFAULT)
SCOPE: ContextVar[str] = ContextVar("autograd_np_scope", default="")
current_mode = _MODE.get
"""Returns the mode. A name of its own, since CPython takes an imported name for a module's and would make a bound method each
time that an importer calls ``_MODE.get()``; every operation asks."""


@contextmanager
def no_grad() -> Iterator[None]:
    """Record nothing inside the block: results are constants.

    Functions transformed inside the block (``ag.grad(f)(x)``) still record what they need.

    Examples
    --------
    >>> import autograd_np as ag
    >>> w = ag.Tensor(2.0, requires_grad=True)
    >>> with ag.no_grad():
    ...     y = w * 3
    >>> y.requires_grad
    False
    """
    token = _MODE.set(current_mode()._replace(floor=next(orders)))
    try:
        yield
    finally:
        _MODE.reset(token)


@contextmanager
def recording() -> Iterator[None]:
    """Record inside the block although `no_grad` may be active: what a write leaves as it was keeps its graph."""
    token = _MODE.set(current_mode()._replace(floor=-1))
    try:
        yield
    finally:
        _MODE.reset(token)


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Raise `AnomalyError` where a NaN first appears, forward or backward, naming the line.

    Recording call sites makes every operation several times slower; use it to search, not to train.

    Raises
    ------
    AnomalyError
        Inside the block.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> x = ag.Tensor(-1.0, requires_grad=True)
    >>> with np.errstate(invalid="ignore"), ag.detect_anomaly():
    ...     np.log(x)
    Traceback (most recent call last):
        ...
    autograd_np.errors.AnomalyError: log on operands of shape () produced a NaN ...
    """
    token = _MODE.set(current_mode()._replace(anomaly=True))
    try:
        yield
    finally:
        _MODE.reset(token)


@contextmanager
def scope(name: str) -> Iterator[None]:
    """Name a part of a computation: drawings of a traced function put a frame around what was recorded inside.

    Parameters
    ----------
    name : str
        Scopes nest; their names are joined by dots.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> def f(x):
    ...     with ag.scope("encoder"):
    ...         h = np.tanh(x)
    ...     return h * 2
    >>> "encoder" in ag.trace(f, np.ones(3)).to_dot().source
    True
    """
    outer = SCOPE.get()
    token = SCOPE.set(f"{outer}.{name}" if outer else name)
    try:
        yield
    finally:
        SCOPE.reset(token)


def anomaly_mode() -> bool:
    """Whether `detect_anomaly` is active in this context."""
    return current_mode().anomaly


def call_site() -> str:
    """Return ``file:line`` of the nearest caller outside this package and NumPy."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        filename = frame.f_code.co_filename
        if not filename.startswith(_PACKAGE) and f"{os.sep}numpy{os.sep}" not in filename:
            break
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
