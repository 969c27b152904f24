"""Function -> Graph, with the user's own variable names.

The function is run once, unmodified, on Tensors that record everything. While it runs, Python's trace hook
reads the local variables of the function's own frame after each line, and a Node gets the first name that was
bound to it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.graph import Graph
from autograd_np.tensor import Level, Node, Tensor, leaf
from autograd_np.transforms import flatten

__all__ = ["trace"]


def code_of(f: Callable[..., Any]) -> CodeType | None:
    """Return the code of a Python function, method or callable object; ``None`` for a built-in."""
    f = inspect.unwrap(f)
    function = getattr(f, "__func__", f)
    if not hasattr(function, "__code__"):
        function = getattr(f, "forward", None) or getattr(type(f), "__call__", None)
        function = getattr(function, "__func__", function)
    return getattr(function, "__code__", None)


@contextmanager
def watch_locals(code: CodeType | None, see: Callable[[FrameType], None]) -> Iterator[None]:
    """Call `see` with each frame that runs `code`, after every line and on return."""
    before = sys.gettrace()

    def in_frame(frame: FrameType, event: str, argument: Any) -> Any:
        if event in ("line", "return"):
            see(frame)
        return in_frame

    def on_call(frame: FrameType, event: str, argument: Any) -> Any:
        return in_frame if frame.f_code is code else None

    sys.settrace(on_call)
    try:
        yield
    finally:
        sys.settrace(before)


def _name_leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield (name, leaf) for a variable: ``p['W']`` for entries of containers."""
    if isinstance(value, (Tensor, np.ndarray)):
        yield name, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _name_leaves(item, key if isinstance(key, str) else f"{name}[{key!r}]")
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _name_leaves(item, f"{name}[{i}]")


def trace(f: Callable[..., Any], *inputs: Any) -> Graph:
    """Run `f` once and return the graph of what it computed.

    Parameters
    ----------
    f : callable
        Written in NumPy. A branch on a value (``if np.any(x > 0)``) raises: it cannot be part of a graph.
    *inputs : arrays or nested containers of arrays
        Example arguments.

    Returns
    -------
    Graph
        Its nodes carry the names of `f`'s parameters and local variables.

    Raises
    ------
    DifferentiationError
        If the result does not depend on the inputs.
    LeavesNumPyError
        If `f` turns a Tensor into a plain array, number or branch.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> def f(W, x):
    ...     z = W @ x
    ...     return np.sum(z**2)
    >>> print(ag.trace(f, np.ones((2, 3)), np.ones(3)))
    W    : leaf (2, 3) float64
    x    : leaf (3,) float64
    z    = matmul(W, x)                (2,) float64
    n3   = power(z, 2)                 (2,) float64
    n4   = sum(n3)                     () float64
    return n4
    """
    level = Level(keeps_all=True)
    constants: dict[int, tuple[str, Any]] = {}

    def see(frame: FrameType) -> None:
        for variable, value in frame.f_locals.items():
            for name, x in _name_leaves(value, variable):
                if isinstance(x, Tensor):
                    node = x._node
                    if node is not None and node.level is level and node.name is None:
                        node.name = name
                else:
                    constants.setdefault(id(x), (name, x))

    try:
        with watch_locals(code_of(f), see):
            out = f(*(_wrap_all(x, level) for x in inputs))
    finally:
        level.close()
    roots = [x._node for x in flatten(out)[0] if isinstance(x, Tensor) and x._node is not None and x._node.level is level]
    if not roots:
        raise errors.DifferentiationError(f"the result of {getattr(f, '__name__', f)} does not depend on its inputs, so there is no graph")
    return Graph(list(dict.fromkeys(roots)), names=constants)


def _wrap_all(tree: Any, level: Level) -> Any:
    leaves, unflatten = flatten(tree)
    return unflatten([leaf(x, level, needs=np.asarray(x).dtype.kind == "f") if not isinstance(x, (str, bytes)) else x for x in leaves])


_ = Node
