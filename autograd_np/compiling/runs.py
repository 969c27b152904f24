"""One run of a function on Tensors that stand for its data, and what it recorded and assigned meanwhile."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import is_
from typing import Any, NamedTuple

import numpy as np

from autograd_np import errors
from autograd_np.callers import call_site, is_users_file
from autograd_np.compiling.captured import Captured, Slot
from autograd_np.compiling.records import emptied
from autograd_np.compiling.stabilising import WeakFloat, rewritten
from autograd_np.graph import Graph
from autograd_np.node import REWRITES, Level, Node, leaf_node
from autograd_np.op import Op
from autograd_np.standins import in_place_of, settled
from autograd_np.tensor import Tensor, handle, value_of
from autograd_np.trees import flatten

__all__ = ["Run", "is_weak", "node_of", "run"]


class Run(NamedTuple):
    """What one run recorded.

    Attributes
    ----------
    level : Level
        The level of all that was recorded.
    leaves : list of Node
        Of the data.
    graph : Graph
        Of all that the results are made of.
    out : list
        The leaves of the result.
    unflatten : callable
        Puts these together.
    assigned : list of (Slot, object)
        Where the function put something, and what.
    name : str
    weak : list of bool
        Which data are floats of Python's.
    written : dict of (int, Tensor)
        What the function made of data that it wrote into.
    differentiated : bool
        Whether something in it was differentiated.
    """

    level: Level
    leaves: list[Node]
    graph: Graph
    out: list[Any]
    unflatten: Any
    assigned: list[tuple[Slot, Any]]
    name: str
    weak: list[bool]
    written: dict[int, Tensor]
    differentiated: bool


def run(
    call: Callable[[list[Any]], Any],
    given: list[Any],
    count: int,
    captured: Captured,
    name: str,
    *,
    in_place: bool,
    rewrites: Any = rewritten,
    empties: bool = True,
) -> Run:
    """Run a function on Tensors that stand for data.

    Parameters
    ----------
    call : callable
        Takes what stands for the first `count` of `given`, and calls the function.
    given : list
        Data: of the arguments, then what is captured.
    count : int
    captured : Captured
    name : str
        What the function is called in messages.
    in_place : bool
        Whether the function may write into arrays among its arguments.
    rewrites : callable
        Makes something else of an operation that is about to be recorded.
    empties : bool
        Whether only shapes stay of what was computed on the way, so that its memory is free (`records.emptied`).
    """
    watch = _Watch(_under_no_raising(rewrites, name))
    token = REWRITES.set(watch)
    level = watch.level = Level(data=True)
    try:
        tensors = [_leaf(x, level, is_written=in_place and i < count) for i, x in enumerate(given)]
        nodes: list[Node] = [t._node for t in tensors]  # type: ignore[misc]
        for i, x in enumerate(captured.leaves, count):
            if not isinstance(x, Tensor):
                tensors[i] = in_place_of(x, tensors[i].data, nodes[i])
        by = {id(x): t for x, t in zip(captured.leaves, tensors[count:], strict=True)}
        with captured.exchanged(by), _telling(name, in_place=in_place), np.errstate(all="ignore"):
            before = _Before(captured)
            try:
                result = call(list(tensors[:count]))
                leaves, unflatten = flatten(settled(result))
                _refuse_keys(result, name)
                _refuse_lazy(leaves, name)
            except BaseException:
                before.put_back()
                raise
            assigned = [(slot, settled(value)) for slot, value in before.assigned(name)]
            into = {i: t for i, (t, node) in enumerate(zip(tensors, nodes, strict=True)) if t._node is not node}
            allowed = {i: t for i, t in into.items() if in_place and i < count and type(given[i]) is np.ndarray}
            written = [t for i, t in into.items() if i not in allowed]
            written += [x for x in captured.leaves if isinstance(x, Tensor) and x._node is not by[id(x)]._node]
        if written:
            site = getattr(written[0]._node, "site", None)
            raise errors.CompileError(
                f"{name} writes into an array that it was given, at {site}: copy it first, return the new one, or say in_place=True"
            )
        found = [*leaves, *(v for _, value in assigned for v in flatten(value)[0]), *allowed.values()]
        roots = [node_of(x, level) for x in found]
        graph = Graph(list(dict.fromkeys(n for n in roots if n is not None))) if any(roots) else None
    finally:
        REWRITES.reset(token)
        level.close()
    if graph is None:
        graph = Graph(nodes[:1]) if nodes else _nothing(name)
    if empties:
        emptied(dict.fromkeys((*nodes, *graph.nodes)))
    return Run(level, nodes, graph, leaves, unflatten, assigned, name, list(map(is_weak, given)), allowed, watch.differentiated)


class _Watch:
    """Sees each operation that is about to be recorded, before it is rewritten: one of another level than the trace's is differentiated."""

    def __init__(self, rewrites: Any) -> None:
        self.rewrites = rewrites
        self.level: Level | None = None
        self.differentiated = False

    def __call__(self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], data: Any) -> Tensor | None:
        """Return what is recorded instead, if it is something else."""
        if not self.differentiated:
            levels = (a._node.level for a in args if isinstance(a, Tensor) and a._node is not None)
            self.differentiated = any(level is not self.level for level in levels)
        found: Tensor | None = self.rewrites(op, args, attrs, data)
        return found


def is_weak(x: Any) -> bool:
    """Whether this is a float of Python's, which gives way to the dtype of what it meets."""
    return isinstance(x, float) and not isinstance(x, np.generic)


def _nothing(name: str) -> Graph:
    raise errors.CompileError(f"{name} reads no array: there is nothing to compile")


def _leaf(x: Any, level: Level, *, is_written: bool) -> Tensor:
    """Return what stands for data: floats of Python's stay as weak as they are, and what may be written into is no variable."""
    x = value_of(x)
    data: Any = WeakFloat(x) if is_weak(x) else np.asarray(x)
    if is_written and isinstance(data, np.ndarray) and not data.flags.c_contiguous:  # a write is recorded by places, not by strides
        data = data.copy("C")
    return handle(data, leaf_node(data, level, needs=data.dtype.kind in "fc" and not is_written))


def node_of(x: Any, level: Level) -> Node | None:
    """Return the Node of a level that a Tensor is, or holds."""
    while isinstance(x, Tensor):
        if x._node is not None and x._node.level is level:
            return x._node
        x = x.data
    return None


_ADVICE: dict[type, str] = {
    errors.DifferentiationError: "arrays and floats that it is given are data; an int, and what it reads from a closure or an attribute, "
    "is part of the signature instead, and traced anew where it is another",
    errors.AbsentError: "ag.Tensor stand for its arrays meanwhile: use NumPy's functions on them, or compute that outside",
    errors.NoRowError: "compute that outside, and hand in what comes of it",
}
"""What is said where the advice of an error is none to somebody who has plain arrays."""


@contextmanager
def _telling(name: str, *, in_place: bool) -> Iterator[None]:
    """Say at which line of the user's something was refused."""
    try:
        yield
    except errors.AutogradError as error:
        lines = [f for f in traceback.extract_tb(error.__traceback__) if is_users_file(f.filename)]
        where = f"{lines[-1].filename}:{lines[-1].lineno}" if lines else ""
        if isinstance(error, errors.InPlaceError):
            how = "hand in what it writes into, as an argument" if in_place else "or say in_place=True to ag.compile"
            error.args = (f"{error.args[0]}. A function that is compiled: {how}", *error.args[1:])
        elif type(error) in _ADVICE:
            error.args = (f"{error.args[0]}. A function that is compiled: {_ADVICE[type(error)]}", *error.args[1:])
        if where and where not in str(error):
            error.args = (f"{error.args[0]}\n{name} cannot be compiled because of {where}: {lines[-1].line}", *error.args[1:])
        raise


def _under_no_raising(rewrites: Any, name: str) -> Any:
    """Return what makes something else of an operation, and refuses one for which the function has NumPy raise or call something."""

    def look(op: Any, args: tuple[Any, ...], attrs: dict[str, Any], data: Any) -> Tensor | None:
        told = {kind: how for kind, how in np.geterr().items() if how not in ("ignore", "warn")}
        if told:
            raise errors.CompileError(
                f"{name} computes {op.name} under np.errstate({', '.join(f'{k}={v!r}' for k, v in told.items())}), at {call_site()}, which "
                f"a compiled function cannot do for some of its operations: put the with statement around the call of the compiled function"
            )
        return rewrites(op, args, attrs, data)  # type: ignore[no-any-return]

    return look


def _refuse_keys(tree: Any, name: str) -> None:
    """Refuse a number that is data as a key of a dict, or in a set: it would stay what it was."""
    if isinstance(tree, (set, frozenset, dict)):
        for key in tree:
            if any(isinstance(x, Tensor) for x in (key if isinstance(key, tuple) else (key,))):
                place = "a key" if isinstance(tree, dict) else "an element"
                raise errors.CompileError(
                    f"{name} returns a {type(tree).__name__} with a number that is data as {place}: hand it in as an int or a string, "
                    f"which is part of the signature, or return it as a value"
                )
    if isinstance(tree, (dict, list, tuple)):
        for x in tree.values() if isinstance(tree, dict) else tree:
            _refuse_keys(x, name)


def _refuse_lazy(leaves: list[Any], name: str) -> None:
    """Refuse a result that computes only when somebody reads it: then nothing stands for the data any more."""
    for x in leaves:
        if isinstance(x, Iterator):
            raise errors.CompileError(f"{name} returns a {type(x).__name__}, which computes when it is read: return a list or a tuple")


# --- what the function assigned ---------------------------------------------------------------------


class _Before:
    """What stood everywhere that a function could assign to, before it ran."""

    def __init__(self, captured: Captured) -> None:
        self.containers = [(x, dict(x) if isinstance(x, dict) else list(x)) for x, _ in captured.sized]
        inside = {id(x) for x, _ in self.containers}
        slots = [s for s in (*captured.data, *captured.fixed) if id(s.holder) not in inside and not isinstance(s.holder, tuple)]
        self.places = [(s, s.read()) for s in slots]
        self.names = {id(s.value): s.name for s in captured.fixed}
        self.names |= {id(vars(s.value)): s.name for s in captured.fixed if hasattr(s.value, "__dict__")}

    def put_back(self) -> None:
        """Put back what was there."""
        for x, was in self.containers:
            _fill(x, was)
        for slot, value in self.places:
            if slot.read() is not value:
                slot.put(value)

    def assigned(self, name: str) -> list[tuple[Slot, Any]]:
        """Return where the function put something, and what; put back what was there."""
        try:
            return self._assigned(name)
        finally:
            self.put_back()

    def _assigned(self, name: str) -> list[tuple[Slot, Any]]:
        found: list[tuple[Slot, Any]] = []
        for x, was in self.containers:
            found += self._changes(x, was, name)
        for slot, value in self.places:
            now = slot.read()
            if now is not value:
                found.append((slot, now))
        for slot, value in found:
            for leaf in flatten(value)[0]:
                if not isinstance(leaf, (Tensor, np.ndarray)):
                    raise errors.CompileError(
                        f"{name} assigns {type(leaf).__name__} {leaf!r:.40} to {slot.name}, which would not happen again in later calls: "
                        f"return it instead, or keep it out of the function"
                    )
        return found

    def _changes(self, x: Any, was: Any, name: str) -> list[tuple[Slot, Any]]:
        called = self.names.get(id(x), "self")
        if not isinstance(x, dict) and len(x) != len(was):
            raise errors.CompileError(f"{name} changes the length of the list {called}, which a compiled function cannot do: return it")
        now = dict(x) if isinstance(x, dict) else dict(enumerate(x))
        then = was if isinstance(x, dict) else dict(enumerate(was))
        if then.keys() - now.keys():
            raise errors.CompileError(f"{name} takes something out of {called}, which a compiled function cannot do")
        return [(Slot(x, key, then.get(key), f"{called}.{key}"), v) for key, v in now.items() if key not in then or then[key] is not v]


def _fill(x: Any, was: Any) -> None:
    """Make a container what it was, if it is not."""
    if len(x) == len(was) and (all(x.get(k, x) is v for k, v in was.items()) if isinstance(x, dict) else all(map(is_, x, was))):
        return
    x.clear()
    (x.update if isinstance(x, dict) else x.extend)(was)
