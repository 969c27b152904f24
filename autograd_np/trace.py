"""Function -> Graph, with the user's own variable names.

The function is run once, unmodified, on Tensors that record everything. While it runs, Python's trace hook
reads the local variables after each line, those of the function itself and of the user's functions that it calls, and a Node
gets the first name that was bound to it.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import compress, repeat
from operator import is_, is_not
from types import CodeType, FrameType, FunctionType, ModuleType, NoneType
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.callers import is_users
from autograd_np.graph import Graph, operands_of
from autograd_np.lines import Lines, called
from autograd_np.node import Level, Node
from autograd_np.tensor import Tensor, leaf, value_of
from autograd_np.trees import flatten

__all__ = ["trace"]


Variables = Iterable[tuple[str, Any]]
"""Names and values."""
See = Callable[[FrameType, Variables], None]
"""Called with a frame, and with its variables that may hold something else than when it was last called with it."""


def code_of(f: Callable[..., Any]) -> CodeType | None:
    """Return the code of a Python function, method or callable object; ``None`` for a built-in."""
    f = inspect.unwrap(f)
    function = getattr(f, "__func__", f)
    if not hasattr(function, "__code__"):
        function = getattr(f, "forward", None) or type(f).__call__
        function = getattr(function, "__func__", function)
    return getattr(function, "__code__", None)


@contextmanager
def watch_locals(
    code: CodeType | None,
    see: See,
    see_others: See | None = None,
    enter: Callable[[FrameType], None] | None = None,
    lines: Lines | None = None,
) -> Iterator[None]:
    """Call `see` with each frame that runs `code`, after every line and on return.

    `see_others` is called with those of the user's functions that it calls, `enter` when one is entered; `lines` takes
    note of all of them.
    """
    before = sys.gettrace()
    held = _Held()

    def in_frame(frame: FrameType, event: str, _argument: Any) -> Any:
        if event in ("line", "return"):
            see(frame, held.changed(frame))
            if lines is not None:
                lines.note(frame, event)
        return in_frame

    def in_other(frame: FrameType, event: str, _argument: Any) -> Any:
        if event in ("line", "return") and see_others is not None:
            see_others(frame, held.changed(frame))
            if lines is not None:
                lines.note(frame, event)
        return in_other

    def on_call(frame: FrameType, _event: str, _argument: Any) -> Any:
        held.forget(frame)  # another had its place in memory
        if frame.f_code is code:
            return in_frame
        if see_others is None or not is_users(frame):
            return None
        if enter is not None:
            enter(frame)
        return in_other

    sys.settrace(on_call)
    try:
        yield
    finally:
        sys.settrace(before)


_STEADY = frozenset((np.ndarray, np.float64, int, float, bool, str, NoneType, FunctionType, ModuleType))
"""What holds no other Tensor as long as it is itself; a list may, and an object."""
_NOTHING = object()


class _Held:
    """What the variables of frames held when they were last looked at: of a long function's, a line changes few."""

    def __init__(self) -> None:
        self._of: dict[int, list[Any]] = {}

    def changed(self, frame: FrameType) -> list[tuple[str, Any]]:
        """Return the variables that may hold something else than the last time; all of them the first time."""
        variables = frame.f_locals  # read once: Python 3.12 and older make it anew each time, of all variables
        before = [*self._of.get(id(frame), ()), *repeat(_NOTHING, len(variables))]
        now = [
            (x._node or x) if x.__class__ is Tensor else x if x.__class__ in _STEADY else _told(x, last)
            for x, last in zip(variables.values(), before, strict=False)
        ]
        self._of[id(frame)] = now
        return [*compress(variables.items(), map(is_not, now, before))]

    def forget(self, frame: FrameType) -> None:
        """Know nothing of a frame."""
        self._of.pop(id(frame), None)


class _Contents(list[Any]):
    """What is in a container."""


def _told(x: Any, before: Any) -> Any:
    """Return what is in a container: the very list that was made of it before, if it holds the same; of an object something new."""
    now = _Contents()
    if not _put(x, now):
        return object()
    same = before.__class__ is _Contents and len(before) == len(now) and all(map(is_, before, now))
    return before if same else now


def _put(x: Any, into: _Contents) -> bool:
    """Put into a list what a container holds; return whether that is all that can change in it."""
    if x.__class__ is not list and x.__class__ is not tuple and x.__class__ is not dict:
        return False
    into.append(x.__class__)  # each begins with its class and has an end, so that no two give the same
    if x.__class__ is dict:
        into += x
    for item in x.values() if x.__class__ is dict else x:
        if item.__class__ is Tensor:
            into.append(item._node or item)
        elif item.__class__ in _STEADY:
            into.append(item)
        elif not _put(item, into):
            return False
    into.append(_NOTHING)
    return True


def _name_leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield (name, leaf) for a variable: ``p['W']`` for entries of containers, ``W`` for attributes of ``self``."""
    if isinstance(value, (Tensor, np.ndarray)):
        yield name, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _name_leaves(item, key if isinstance(key, str) else f"{name}[{key!r}]")
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _name_leaves(item, f"{name}[{i}]")
    elif name == "self":
        for key, item in list(getattr(value, "__dict__", {}).items()):
            yield from _name_leaves(item, key)


class _Names:
    """What variables of the user's functions called Nodes and arrays during one run.

    A Node has the name of a variable of the traced function, or else of the function it calls, as in ``dense.Z``. A name that is
    taken is told apart by the `scope` of the Node, ``layers.1.x``, or else by a number, ``h_2``.
    """

    def __init__(self, level: Level) -> None:
        self.level = level
        self.older: dict[Node, str] = {}
        self._constants: dict[int, tuple[str, Any]] = {}
        self._called_constants: dict[int, tuple[str, Any]] = {}
        self._called: dict[Node, tuple[str, str]] = {}
        self._given: dict[int, set[int]] = {}
        self._counts: dict[str, int] = {}

    def see(self, variables: Variables) -> None:
        """Name what variables of the traced function hold."""
        for name, x, node in self._held(variables):
            if node is None:
                self._constants.setdefault(id(value_of(x)), (name, x))
            elif node.name is None:
                node.name = self._fresh(name, node)

    def enter(self, frame: FrameType) -> None:
        """Remember what a function is called with, for the caller has the names of that."""
        self._given[id(frame)] = {id(x if node is None else node) for _, x, node in self._held(frame.f_locals.items())}

    def see_other(self, frame: FrameType, variables: Variables) -> None:
        """Note what variables of a called function hold; the traced function may give it another name later."""
        code = frame.f_code
        if code.co_name.startswith("<"):
            return
        given = self._given.get(id(frame), ())
        function = called(code)
        for name, x, node in self._held((name, x) for name, x in variables if name not in code.co_freevars):
            if id(x if node is None else node) in given:
                continue
            if node is None:
                self._called_constants.setdefault(id(value_of(x)), (f"{function}.{name}", x))
            else:
                self._called.setdefault(node, (function, name))

    def _held(self, variables: Variables) -> Iterator[tuple[str, Any, Node | None]]:
        """Yield name, value and Node of each array in some variables; note the names of what is older than this run."""
        for variable, value in variables:
            for name, x in _name_leaves(value, variable):
                node = x._node if isinstance(x, Tensor) else None
                if node is None or node.level is self.level:
                    yield name, x, node
                else:
                    self.older.setdefault(node, name)

    def constants(self) -> dict[int, tuple[str, Any]]:
        """Return name and array by the array's id."""
        return {**self._called_constants, **self._constants}

    def finish(self) -> None:
        """Give what the traced function has no name for that of a called one."""
        for node, (function, name) in sorted(self._called.items(), key=lambda item: item[0].index):
            if node.name is None:
                node.name = self._fresh(f"{getattr(node, 'scope', '') or function}.{name}", node)

    def _fresh(self, name: str, node: Node) -> str:
        scope = getattr(node, "scope", "")
        if name in self._counts and scope and not name.startswith(f"{scope}."):
            name = f"{scope}.{name}"
        count = self._counts[name] = self._counts.get(name, 0) + 1
        return name if count == 1 else self._fresh(f"{name}_{count}", node)


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
        Its nodes carry the names of `f`'s parameters and local variables, and of those of your functions that it calls, as in
        ``dense.Z``. A second node of one name is called ``h_2``, or after its `scope`. Tensors that `f` uses without being given
        them (the parameters of a model) are leaves, with the names they have.

    Raises
    ------
    DifferentiationError
        If nothing in the result was computed from the inputs or from Tensors.
    LeavesNumPyError
        If `f` turns a Tensor into a plain array, number or branch.

    Notes
    -----
    The graph is the record of one run. An array used as an index (``x[np.argsort(x)]``) has its edge in the graph, and
    the index in ``node.attrs`` is the one of that run; so are integers that Python itself read (``range(n)``).

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> W = ag.Tensor(np.ones((2, 3)), requires_grad=True, name="layer.weight")
    >>> def f(x):
    ...     z = W @ x
    ...     return np.sum(z[np.argsort(z)] ** 2)
    >>> print(ag.trace(f, np.ones(3)))
    layer.weight : parameter (2, 3) float64
    x    : leaf (3,) float64
    z    = matmul(layer.weight, x)     (2,) float64
    n3   = argsort(z)                  (2,) int64
    n4   = z[n3]                       (2,) float64
    n5   = power(n4, 2)                (2,) float64
    n6   = sum(n5)                     () float64
    return n6
    """
    graph, _ = traced(f, inputs)
    graph.made_by = f, inputs
    graph.again = functools.partial(trace, f)
    return graph


def traced(
    f: Callable[..., Any], inputs: Sequence[Any], see_frame: See | None = None, *, integers: bool = True
) -> tuple[Graph, list[Node | None]]:
    """Do what `trace` does; return the graph, and the Node of each array or number of the inputs.

    `see_frame` is called with the frames of `f`, and of the user's functions that it calls, after every line and on return, and with
    the variables of the frame that may hold something else than the last time. Without
    `integers`, these, and numbers that are no arrays, are handed on as they are.
    """
    level = Level(keeps_all=True)
    names, lines = _Names(level), Lines()

    def see(frame: FrameType, variables: Variables) -> None:
        if see_frame is not None:
            see_frame(frame, variables)
        names.see(variables)

    def see_other(frame: FrameType, variables: Variables) -> None:
        if see_frame is not None:
            see_frame(frame, variables)
        names.see_other(frame, variables)

    wrapped = [_wrap_all(x, level, integers) for x in inputs]
    nodes = [x._node if isinstance(x, Tensor) else None for x in flatten(wrapped)[0]]  # now: `f` may put more into a dict
    start = Node(None, (), (), {}, np.zeros(()), False, level).index
    try:
        with watch_locals(code_of(f), see, see_other, names.enter, lines):
            out = f(*wrapped)
        results = [(x, x._node) for x in flatten(out)[0] if isinstance(x, Tensor) and x._node is not None]
        roots = [node if node.level is level else level.lift(x) for x, node in results]
        _continue_into_older(level, start)
    finally:
        level.close()
    if not roots:
        name = getattr(f, "__name__", type(f).__name__)
        raise errors.DifferentiationError(f"the result of {name} does not depend on its inputs or on any Tensor, so there is no graph")
    for node, lifted in level.lifted.items():
        lifted.name = lifted.name or names.older.get(node)
    names.finish()
    graph = Graph(list(dict.fromkeys(roots)), names=names.constants())
    graph.lines = lines
    return graph, nodes


def _continue_into_older(level: Level, start: int) -> None:
    """Give what was computed from older Tensors alone while `f` ran (``W.T``) the operations it came from."""
    todo = list(level.lifted)
    while todo:
        node = todo.pop()
        if node.op is None or node.index < start:
            continue
        operands = operands_of(node)
        parents: list[Node | None] = []
        for x in operands:
            of_tensor = isinstance(x, Tensor) and x._node is not None
            if of_tensor and x._node not in level.lifted:
                todo.append(x._node)
            parents.append(level.lift(x) if of_tensor else None)
        lifted = level.lifted[node]
        lifted.op, lifted.attrs, lifted.site = node.op, node.attrs, node.site
        lifted.values, lifted.parents = tuple(operands), tuple(parents)


def _wrap_all(tree: Any, level: Level, integers: bool) -> Any:
    leaves, unflatten = flatten(tree)
    kinds = [None if isinstance(x, (str, bytes)) else np.asarray(x).dtype.kind for x in leaves]
    taken = [k is not None and (integers or (k in "fc" and isinstance(x, np.ndarray))) for x, k in zip(leaves, kinds, strict=True)]
    return unflatten([leaf(x, level, needs=k in "fc") if t else x for x, k, t in zip(leaves, kinds, taken, strict=True)])  # type: ignore[operator]
