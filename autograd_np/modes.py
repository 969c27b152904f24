"""Modes: what the running context records, and what it writes down with each operation.

`no_grad`, `detect_anomaly`, `lazy` and `scope` are blocks that change a setting of the context, which recording and the sweeps read.
Nothing here knows a Tensor, a Node or a Level: a level is a number from `orders`, and `no_grad` draws one itself, so that
what is older is not recorded.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

from autograd_np.blocks import Block, Setting

__all__ = [
    "DEFAULT",
    "Mode",
    "anomaly_mode",
    "current_mode",
    "current_scope",
    "detect_anomaly",
    "lazy",
    "lazy_mode",
    "mode_entry",
    "no_grad",
    "orders",
    "recording",
    "scope",
]

orders = itertools.count()
"""Numbers each Level and each `no_grad` block as it opens."""


class Mode(NamedTuple):
    """What the running context records: levels newer than `floor`, with call sites or without; and whether lazy gradients stay so."""

    floor: int
    anomaly: bool
    lazy: bool = False


_ALL = -2
"""The floor of a block in which everything is recorded, whatever is around it."""


def _both(outer: Mode, own: Mode) -> Mode:
    return Mode(_ALL if own.floor == _ALL else max(outer.floor, own.floor), outer.anomaly or own.anomaly, outer.lazy or own.lazy)


def _joined(outer: str, name: str) -> str:
    return f"{outer}.{name}" if outer else name


_MODE = Setting("autograd_np_mode", Mode(-1, False), _both)
_SCOPE = Setting("autograd_np_scope", "", _joined)
current_mode = _MODE.get
current_scope = _SCOPE.get
DEFAULT = _MODE.default
mode_entry = _MODE.entry
"""Returns `DEFAULT` where no block runs. A name of its own, since CPython takes an imported name for a module's and would make a
bound method each time that an importer calls ``_MODE.entry()``; every operation asks."""


def no_grad() -> Block:
    """Record nothing inside the block: results are constants.

    Functions transformed inside the block (``ag.grad(f)(x)``) still record what they need. It also decorates functions.

    Notes
    -----
    A generator that is suspended inside the block is still inside it, and so is whoever runs it; a decorated generator is
    inside only while it runs. A block that ends before one that was begun inside it warns.

    Examples
    --------
    >>> import autograd_np as ag
    >>> w = ag.Tensor(2.0, requires_grad=True)
    >>> with ag.no_grad():
    ...     y = w * 3
    >>> y.requires_grad
    False
    """
    return _MODE.block("no_grad", lambda: Mode(next(orders), False))


def recording() -> Block:
    """Record inside the block although `no_grad` may be active: what a write leaves as it was keeps its graph."""
    return _MODE.block("recording", lambda: Mode(_ALL, False))


def detect_anomaly() -> Block:
    """Raise `AnomalyError` where a NaN first appears, forward or backward, and where an array was changed that a gradient needs.

    An operation records the arrays it is given, not copies: a NumPy array that is written to before the backward pass has read
    it (a buffer that is filled anew at each step, an index, a mask) makes the gradient that of its new values. Inside the block
    copies are kept to compare with, and the error names the operation, the argument and the line.

    Recording call sites and copies makes every operation several times slower; use it to search, not to train. Forward and
    backward pass both have to run inside the block.

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

    >>> def sum_of_products(x):
    ...     buffer, total = np.zeros(3), 0.0
    ...     for k in range(3):
    ...         buffer[:] = k
    ...         total = total + np.sum(x * buffer)  # buffer.copy() is what it takes
    ...     return total
    >>> with ag.detect_anomaly():
    ...     ag.grad(sum_of_products)(np.ones(3))
    Traceback (most recent call last):
        ...
    autograd_np.errors.AnomalyError: operand 1 of multiply was written to after it was recorded at ...
    """
    return _MODE.block("detect_anomaly", lambda: Mode(-1, True))


def lazy() -> Block:
    """Keep gradients lazy inside the block that would be computed at once.

    Where parameters are NumPy's arrays and the data are Dask's, `value_and_grad`, `grad`, `hvp`, `hessian`, the pullback of `vjp` and
    `Tensor.backward` compute the gradients of the parameters, all of them with the loss in one go. Inside the block they return Dask
    arrays instead, to be computed together with something else, or not at all.

    Examples
    --------
    >>> import numpy as np
    >>> import dask.array as da
    >>> import autograd_np as ag
    >>> x = da.ones((4, 2), chunks=2)
    >>> ag.grad(lambda w: np.sum(x @ w))(np.ones(2))
    array([4., 4.])
    >>> with ag.lazy():
    ...     g = ag.grad(lambda w: np.sum(x @ w))(np.ones(2))
    >>> type(g), g.compute()
    (<class 'dask.array.core.Array'>, array([4., 4.]))
    """
    return _MODE.block("lazy", lambda: Mode(-1, False, True))


def scope(name: str) -> Block:
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
    return _SCOPE.block("scope", lambda: name)


def lazy_mode() -> bool:
    """Whether `lazy` is active in this context."""
    return mode_entry() is not DEFAULT and current_mode().lazy


def anomaly_mode() -> bool:
    """Whether `detect_anomaly` is active in this context."""
    return mode_entry() is not DEFAULT and current_mode().anomaly
