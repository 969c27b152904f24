"""From a function to a program: it runs on Tensors that stand for data, twice, and what both runs recorded is read.

The second run has other numbers. What is a constant in both, and the same, is a constant; what differs was read from data behind the back
of the record, and what is one and the same array was there before, in a place that was not followed.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from autograd_np import errors
from autograd_np.attributes import mapped
from autograd_np.callers import is_users_file
from autograd_np.compiling.captured import Captured, Slot
from autograd_np.compiling.checking import Rounding
from autograd_np.compiling.drawn import line_that_draws
from autograd_np.compiling.given import raised_by_itself
from autograd_np.compiling.program import Program, Value, inside
from autograd_np.compiling.runs import Run, is_weak, node_of, run
from autograd_np.generators import put_back, same_state, states
from autograd_np.memory import owner
from autograd_np.node import Node
from autograd_np.results import Results
from autograd_np.standins import TRACING
from autograd_np.tensor import value_of
from autograd_np.trees import flatten

__all__ = ["Assigned", "Traced", "traced"]

BY_VALUES = ("nonzero", "flatnonzero", "argwhere", "_unique_places", "_value_places")
"""Functions whose result has a shape that depends on values."""
FOR_SHAPES = ("shape", "newshape", "repeats", "reps", "axis", "axes", "n", "N", "s")
"""Arguments that the shape of a result depends on."""


class Assigned(NamedTuple):
    """A place outside the arguments to which the function assigned something.

    Attributes
    ----------
    slot : Slot
    places : list of int
        The numbers of the results that are its leaves.
    unflatten : callable
    """

    slot: Slot
    places: list[int]
    unflatten: Callable[[Sequence[Any]], Any]


class Traced(NamedTuple):
    """What a function computes.

    Attributes
    ----------
    program : Program
        Its inputs are the data among the leaves of the arguments, then the captured arrays; its outputs the arrays among the results.
    results : list
        For each leaf of the result, the number of an output, or the object that is returned as it is, in a tuple.
    unflatten : callable
        Puts the leaves of the result together.
    assigned : list of Assigned
    groups : list of int
        For each output a number; those of arrays that shared memory are the same.
    values : list
        What the outputs were in this run.
    rounding : Rounding
        Of what was computed on the way.
    written : dict of (int, int)
        For each input that the function writes into, the number of the output that it becomes.
    differentiated : bool
        Whether something in it was differentiated.
    """

    program: Program
    results: list[Any]
    unflatten: Callable[[Sequence[Any]], Any]
    assigned: list[Assigned]
    groups: list[int]
    values: list[Any]
    rounding: Rounding
    written: dict[int, int]
    differentiated: bool


def traced(call: Callable[[list[Any]], Any], data: list[Any], captured: Captured, name: str, *, in_place: bool = False) -> Traced:
    """Trace a function.

    Parameters
    ----------
    call : callable
        Takes what stands for `data` and calls the function.
    data : list
        Arrays and Python floats of the arguments.
    captured : Captured
    name : str
        What the function is called in messages.
    in_place : bool
        Whether it may write into arrays among its arguments.
    """
    with TRACING:
        given = [*data, *captured.leaves]
        before = states(captured.generators)
        try:
            first = _first(call, given, len(data), captured, name, in_place=in_place)
            differs = _differing(first, call, given, len(data), captured, name, in_place=in_place)
        finally:
            drawn = not same_state(before, states(captured.generators))
            where = ""
            if drawn:
                put_back(before, captured.generators)
                where = line_that_draws(lambda: run(call, given, len(data), captured, name, in_place=in_place), captured.generators)
                put_back(before, captured.generators)
    if drawn:
        raise errors.CompileError(
            f"{name} draws random numbers{f', at {where}' if where else ''}\n"
            "They would be the same in each call: draw them outside, and hand them in as an argument"
        )
    if differs is not None:
        raise differs
    return _Reader(first).traced()


def _first(call: Callable[[list[Any]], Any], given: list[Any], count: int, captured: Captured, name: str, *, in_place: bool) -> Run:
    """Run a function for the first time; what it raises is its own error if it raises on arrays, too."""
    try:
        return run(call, given, count, captured, name, in_place=in_place)
    except errors.AutogradError:
        raise
    except Exception as error:
        call([x.copy() if isinstance(x, np.ndarray) else x for x in given[:count]])
        lines = [f for f in traceback.extract_tb(error.__traceback__) if is_users_file(f.filename)]
        where = f"{lines[-1].filename}:{lines[-1].lineno}: {lines[-1].line}" if lines else "its own code"
        raise raised_by_itself(error, name, where) from error


def _differing(
    first: Run, call: Callable[[list[Any]], Any], given: list[Any], count: int, captured: Captured, name: str, *, in_place: bool
) -> errors.CompileError | None:
    """Return how runs on other numbers differ: on quite other ones, and on ones nearby, with which the function certainly does the same.

    One is done after the other, since each needs the memory of the function. Far away other shapes may come of it; then those nearby tell.
    """
    found: errors.CompileError | None = None
    ran = False
    for far in (True, False, None):
        if far is None and ran:
            break
        try:
            second = run(call, given if far is None else [_other(x, far=far) for x in given], count, captured, name, in_place=in_place)
        except Exception:  # numbers outside of a domain
            if far is None:
                raise
            continue
        ran = True
        try:
            _compare_two(first, second, name)
            found = None
        except _OtherwiseError as error:
            found = errors.CompileError(str(error))  # without its traceback, which would keep both records
        except errors.CompileError as error:
            return error.with_traceback(None)
        del second  # before there is another one
    return found


def _other(x: Any, *, far: bool) -> Any:
    """Return data with other numbers of the same kind: the same ones in another order, or others nearby."""
    if is_weak(x):
        return x * (1.25 if far else 1.0009765625) + 1e-6
    array = np.asarray(value_of(x))
    new = np.flip(array) if far else array  # a matrix stays symmetric, and a label one that there is
    if array.dtype.kind in "fc" and array.size:
        finite = np.abs(array[np.isfinite(array)])
        size = float(np.max(finite, initial=0.0)) or 1.0
        steps = np.random.default_rng(array.size).uniform(0.5e-3, 1e-3, array.shape) + (0.25 if far and array.size == 1 else 0.0)
        with np.errstate(all="ignore"):
            new = (new + new * steps + size * 1e-3 * steps).astype(array.dtype)
    elif not far:
        new = np.roll(array, 1)
    out = np.empty_like(array)
    out[...] = new
    return out


# --- reading ----------------------------------------------------------------------------------------


class _OtherwiseError(errors.CompileError):
    """Two runs did not do the same."""


def _compare_two(first: Run, second: Run, name: str) -> None:
    a, b = first.graph.nodes, second.graph.nodes
    if len(a) != len(b) or len(first.out) != len(second.out):
        raise _OtherwiseError(_DIFFERS.format(name, "their number"))
    of_b = {n: i for i, n in enumerate(b)}
    of_a = {n: i for i, n in enumerate(a)}
    for m, n in zip(a, b, strict=True):
        alike = m.op is n.op and [of_a.get(p) for p in m.parents if p] == [of_b.get(p) for p in n.parents if p]
        if not alike or np.shape(m.out) != np.shape(n.out):
            raise _OtherwiseError(_DIFFERS.format(name, f"{m.op.name if m.op else 'an input'} at {m.site}"))
        for p, x, z in zip(m.parents, m.values, n.values, strict=False):
            if p is None:
                _same_constant(x, z, m, name)
        _same_attributes(tuple(m.attrs.values()), tuple(n.attrs.values()), m, name)
    for x, z in zip(first.out, second.out, strict=True):
        if node_of(x, first.level) is None:
            _same_constant(x, z, None, name)


_DIFFERS = "{} computes something else each time that it runs ({}): it branches on values, or keeps count of its calls somewhere"


def _same_constant(x: Any, z: Any, node: Node | None, name: str) -> None:
    where = f" at {node.site}" if node is not None and node.site else ""
    x, z = value_of(x), value_of(z)
    if isinstance(x, Results):
        return
    if isinstance(x, np.ndarray) and isinstance(z, np.ndarray) and owner(x) is owner(z) and isinstance(owner(x), np.ndarray):
        raise errors.CompileError(
            f"{name} reads an array of shape {x.shape}{where} from a place that ag.compile does not follow: hand it in as an argument"
        )
    if node is None and isinstance(x, FunctionType) and isinstance(z, FunctionType) and x is not z:
        raise errors.CompileError(f"{name} returns a function that it makes, and that holds what was computed: return the arrays")
    if type(x) is not type(z) or not (x is z or _equal(x, z)):
        raise errors.CompileError(
            f"{name} uses a value{where} that was computed from data outside of the record (.data, value-dependent Python): "
            f"{x!r:.60} in one run, {z!r:.60} in another"
        )


def _equal(x: Any, z: Any) -> bool:
    if isinstance(x, (np.ndarray, np.generic)):
        return bool(np.shape(x) == np.shape(z) and x.dtype == z.dtype and np.array_equal(x, z, equal_nan=x.dtype.kind in "fc"))
    try:
        return bool(x == z) or x != x
    except Exception:  # noqa: BLE001 (objects that do not compare)
        return False


def _same_attributes(x: Any, z: Any, node: Node, name: str) -> None:
    if type(x) in (tuple, list) and type(z) is type(x) and len(x) == len(z):
        for a, b in zip(x, z, strict=True):
            _same_attributes(a, b, node, name)
    elif type(x) is slice and type(z) is slice:
        _same_attributes((x.start, x.stop, x.step), (z.start, z.stop, z.step), node, name)
    elif isinstance(x, np.ndarray) and isinstance(z, np.ndarray):
        if not _equal(x, z):
            _same_constant(x, z, node, name)
    elif isinstance(x, (int, float, complex, str, np.generic)):
        _same_constant(x, z, node, name)


class _Reader:
    """Makes a program of what was recorded."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.program = Program()
        self.of: dict[Node, Value] = {}
        self.groups: list[int] = []
        self.values: list[Any] = []

    def traced(self) -> Traced:
        """Return the program with its results."""
        run = self.run
        for node, weak in zip(run.leaves, run.weak, strict=True):
            v = self.program.input(np.shape(node.out), node.out.dtype)
            v.weak = weak
            self.of[node] = v
        scale = eps = 0.0
        for node in run.graph.nodes:
            if node not in self.of:
                self.of[node] = self._value(node)
                scale, eps = max(scale, node.out.size), max(eps, node.out.eps)
        results: list[Any] = []
        places: dict[Node, int] = {}
        for x in run.out:
            made = node_of(x, run.level)
            results.append((self._copied(x),) if made is None else self._output(made, x, places))
        assigned = []
        for slot, value in run.assigned:
            leaves, unflatten = flatten(value)
            nodes = [node_of(x, run.level) for x in leaves]
            numbers = [self._constant_output(x) if n is None else self._output(n, x, places) for x, n in zip(leaves, nodes, strict=True)]
            assigned.append(Assigned(slot, numbers, unflatten))
        written = {}
        for i, t in run.written.items():
            made = node_of(t, run.level)
            written[i] = self._constant_output(t) if made is None else self._output(made, t, {})  # an output of its own: it has a place
        return Traced(
            self.program, results, run.unflatten, assigned, self.groups, self.values, Rounding(scale, eps), written, run.differentiated
        )

    def _output(self, node: Node, x: Any, places: dict[Node, int]) -> int:
        """Return the number of an output; one array returned twice is one output."""
        if node not in places:
            places[node] = len(self.program.outputs)
            self.groups.append(id(owner(value_of(x))))
            self.values.append(value_of(x))
            self.program.outputs.append(self.of[node])
        return places[node]

    def _constant_output(self, x: Any) -> int:
        self.groups.append(id(x))
        self.values.append(value_of(x))
        self.program.outputs.append(self.program.constant(np.array(value_of(x))))
        return len(self.program.outputs) - 1

    @staticmethod
    def _copied(x: Any) -> Any:
        x = value_of(x)
        return x.copy() if isinstance(x, np.ndarray) else x

    def _value(self, node: Node) -> Value:
        if node.op is None:
            raise errors.CompileError(
                f"{self.run.name} uses a Tensor of shape {np.shape(node.out)} from a place that ag.compile does not follow: "
                f"hand it in as an argument"
            )
        if node.op.name in BY_VALUES or (node.op.name == "where" and len(node.values) == 1):
            raise self._sized(node)
        args = [self.of[p] if p is not None else self._constant(v) for p, v in zip(node.parents, node.values, strict=False)]
        attrs = {k: mapped(v, lambda part: self.of[part] if isinstance(part, Node) else part) for k, v in node.attrs.items()}
        if node.op.name in ("getitem", "scatter_add") and any(v.dtype == bool for x in attrs.values() for v in inside(x)):
            raise self._sized(node)
        if any(k in FOR_SHAPES and any(inside(v)) for k, v in attrs.items()) or any(map(_is_cut, attrs.values())):
            raise errors.CompileError(
                f"{self.run.name} makes an array whose shape depends on values, with {node.op.name} at {node.site}: hand in what the shape "
                f"is made of as ints, which are part of the signature"
            )
        made = node.out
        return self.program.call(
            node.op.fn, args, attrs, made.shape, made.dtype, shares=made.shares, variadic=node.op.variadic, site=node.site or ""
        )

    def _sized(self, node: Node) -> errors.CompileError:
        name = node.op.name if node.op is not None else ""
        return errors.CompileError(
            f"{self.run.name} makes an array whose shape depends on values, with {name} at {node.site}: "
            f"np.where(mask, x, 0) keeps the shape, and sums over it leave the rest out"
        )

    def _constant(self, x: Any) -> Value:
        x = value_of(x)
        return self.program.constant(x)


def _is_cut(attribute: Any) -> bool:
    """Whether a slice of an index starts or ends at a value."""
    parts = attribute if isinstance(attribute, tuple) else (attribute,)
    return any(isinstance(part, slice) and any(inside(part)) for part in parts)
