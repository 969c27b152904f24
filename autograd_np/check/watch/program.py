"""The user's functions and what they read, and one run of them on copies."""

from __future__ import annotations

import functools
import inspect
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from autograd_np.check.watch.calling import arguments, flat_names
from autograd_np.check.watch.source import Function, Functions, Place
from autograd_np.check.watch.state import Attribute, World, bound, duplicate, leaves_in, rng_state, set_rng_state, spelled
from autograd_np.trace import code_of

__all__ = ["LOSS_NAMES", "Kept", "Program", "Run", "is_number", "numbers_in"]

MOST_LEAVES = 400

LOSS_NAMES = ("loss", "cost", "J", "L", "total_loss", "objective", "nll", "energy", "error", "total", "E")


class Run:
    """What forward (and loss) did on arrays: its result, its variables, the loss, and the world it left behind."""

    def __init__(self, result: Any, variables: dict[str, Any], total: Any, left: list[Any]) -> None:
        self.result, self.variables, self.total, self.left = result, variables, total, left

    def output(self, position: int | str) -> Any:
        """Return one of the outputs: by its place in the result, as a variable, or, at -1, the loss."""
        if position == -1:
            return self.total
        if isinstance(position, str):
            return self.variables[position]
        return self.result[position] if isinstance(self.result, (tuple, list)) else self.result


class Program:
    """Forward, backward and loss as the user gave them.

    Attributes
    ----------
    world : World
        What the functions read besides their arguments.
    functions : Functions
        Their texts.
    state : dict of str to (path, array)
        The floating arrays in the world, under names that a person would use.
    aliases, paths : dict
        Other names of these, and all paths that lead to them.
    numbers : set of path
        Where among the inputs Python numbers stand that are differentiated like arrays.
    joint : bool
        Forward and backward are the same function.
    called_by_forward, lines_of_forward : set
        The identities of the functions that forward calls, and what lines of them it runs.
    """

    def __init__(self, forward: Callable[..., Any], backward: Callable[..., Any], loss: Callable[..., Any] | None) -> None:
        self.forward, self.backward, self.loss = forward, backward, loss
        self.world = World(forward, backward, loss)
        self.functions = Functions(forward, backward, loss)
        self.joint = _same(forward, backward)
        self.rng = rng_state(self.world.values)
        self.integers: set[int] = set(self.world.integers)
        self.state: dict[str, tuple[tuple[Any, ...], Any]] = {}
        self.aliases: dict[str, str] = {}
        self.paths: dict[tuple[Any, ...], str] = {}
        self.called_by_forward: set[int] = set()
        self.lines_of_forward: set[tuple[int, int]] = set()
        self.numbers: set[tuple[Any, ...]] = set()
        self._kept: dict[int, Kept] = {}

    @functools.cached_property
    def taken(self) -> frozenset[str] | None:
        """The parameters of forward and the loss; ``None`` where they take whatever there is."""
        parameters = [p for f in (self.forward, self.loss) if f is not None for p in inspect.signature(f).parameters.values()]
        if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
            return None
        return frozenset(p.name for p in parameters)

    def function_of(self, f: Callable[..., Any] | None) -> Function | None:
        """Return the text of one of the functions."""
        code = code_of(f) if f is not None else None
        return self.functions.of(code) if code is not None else None

    def defines_truth(self, function: Function) -> bool:
        """Whether forward runs a function: whatever it does is right by definition. A function that is both passes is not meant."""
        return id(function) in self.called_by_forward and function is not self.function_of(self.backward)

    def is_truth(self, place: Place) -> bool:
        """Whether forward runs a statement, so that it is right by definition.

        What a function of forward's does only for backward, as behind ``if derivative:``, is not.
        """
        function, lines = place.function, range(place.line, place.end_line + 1)
        return self.defines_truth(function) and any((id(function), line) in self.lines_of_forward for line in lines)

    def name_state(self, taken: Mapping[str, Any]) -> None:
        """Find the floating arrays in the world and name them: ``W1`` where that is unique, else ``layers[0].W1``."""
        paths: dict[int, list[tuple[Any, ...]]] = {}
        arrays: dict[int, Any] = {}
        seen: set[int] = set()
        for slot in self.world.slots:
            for path, value in leaves_in(slot.value, (slot.name,), seen):
                if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size:
                    paths.setdefault(id(value), []).append(path)
                    arrays[id(value)] = value
                elif isinstance(value, int) and not isinstance(value, bool):
                    self.integers.add(value)
        first = {key: _readable(found) for key, found in list(paths.items())[:MOST_LEAVES]}
        count = Counter(_short(p) for p in first.values())
        for key, path in first.items():
            short = _short(path)
            name = short if count[short] == 1 and short not in taken else spelled(path).removeprefix("self.")
            if name in taken or name in self.state:
                name = spelled(path)
            self.state[name] = (path, arrays[key])
            for other in paths[key]:
                self.paths[other] = name
                for alias in (_short(other), spelled(other).removeprefix("self.")):
                    if alias not in taken:
                        self.aliases.setdefault(alias, name)

    def keep(self, kept: Kept, taken: Mapping[str, Any]) -> None:
        """Differentiate a Python number that stands in the world: it is of the state from now on, as an array without axes."""
        box = np.array(kept.value, float)
        path = _readable([path for _, path in kept.places])
        short = _short(path)
        name = short if short not in taken and short not in self.state else spelled(path).removeprefix("self.")
        self.state[name] = (path, box)
        self._kept[id(box)] = kept
        for _, other in kept.places:
            self.paths[other] = name
            self.aliases.setdefault(spelled(other).removeprefix("self."), name)

    def is_number(self, key: int) -> bool:
        """Whether what stands in the state under an ``id`` is a Python number that is differentiated."""
        return key in self._kept

    def forget(self) -> None:
        """Differentiate Python numbers of the world no longer."""
        self.state = {name: (path, array) for name, (path, array) in self.state.items() if id(array) not in self._kept}
        self._kept = {}
        self.paths = {path: name for path, name in self.paths.items() if name in self.state}
        self.aliases = {alias: name for alias, name in self.aliases.items() if name in self.state}

    @contextmanager
    def installed(self, world: list[Any], rng: list[Any] | None) -> Iterator[Mapping[int, Any]]:
        """Put a copy of the world in place, and the generators to a state, if one is given; all is as it was afterwards."""
        before = rng_state() if rng is not None else None
        if rng is not None:
            set_rng_state(rng, world)
        try:
            with self.world.installed(world) as owners:
                yield owners
        finally:
            if before is not None:
                set_rng_state(before)

    def fresh_world(self, instead: Mapping[Any, Any], memo: dict[int, Any] | None = None) -> list[Any]:
        """Return a copy of what stands in the slots, with (copies of) others in the place of some: ``id`` or `Kept` -> value."""
        memo = {} if memo is None else memo
        numbers = [(key, value) for key, value in instead.items() if isinstance(key, Kept)]
        instead = {key: value for key, value in instead.items() if not isinstance(key, Kept)}
        memo.update({key: x.copy() if type(x) is np.ndarray else x for key, x in instead.items()})
        world = [duplicate(v, memo) for v in self.world.values]
        for key, kept in self._kept.items():
            if key in instead:
                kept.put(world, instead[key])
        for kept, value in numbers:
            kept.put(world, value)
        return world

    def run(self, inputs: Mapping[str, Any], world: list[Any]) -> Run:
        """Run forward (and loss) on arrays: copies of `inputs`, in a world that may change."""
        given = duplicate(dict(inputs))
        with self.installed(world, self.rng) as owners:
            result, variables = call_and_watch(
                bound(self.forward, owners), arguments(self.forward, flat_names(given), "forward"), raises=self.joint
            )
            total = None
            if self.loss is not None:
                total, more = call_and_watch(bound(self.loss, owners), loss_arguments(self.loss, given, variables, result))
                variables = {**more, **variables}
        return Run(result, variables, total, world)


@dataclass(frozen=True)
class Kept:
    """A Python number in the world, outside the arguments: ``self.b = 0.0``, a captured ``b``, a global one.

    Attributes
    ----------
    value : float
    places : tuple of (int, path)
        In which slots it stands, and where.
    """

    value: Any
    places: tuple[tuple[int, tuple[Any, ...]], ...]

    def put(self, world: list[Any], value: Any) -> None:
        """Put another value in its place, as a number if it is an array; where a whole number stood, too, it may be any."""
        kind = float if isinstance(self.value, int) else type(self.value)
        value = kind(value.item()) if isinstance(value, np.ndarray) and np.size(value) == 1 else value
        for slot, path in self.places:
            if len(path) == 1:
                world[slot] = value
                continue
            holder = _within(world[slot], path[1:-1])
            if isinstance(path[-1], Attribute):
                object.__setattr__(holder, path[-1], value)
            else:
                holder[path[-1]] = value


def numbers_in(world: World) -> list[Kept]:
    """Return the Python numbers that could be put elsewhere in what stands in the slots: of objects, dicts and lists."""
    found: dict[Any, list[tuple[int, tuple[Any, ...]]]] = {}
    values: dict[Any, Any] = {}
    for i, slot in enumerate(world.slots):
        for path, value in leaves_in(slot.value, (slot.name,)):
            holder = _within(slot.value, path[1:-1]) if len(path) > 1 else None
            if is_number(value) and not isinstance(holder, tuple):
                at = (id(holder), str(path[-1])) if len(path) > 1 else (i, "")
                found.setdefault(at, []).append((i, path))
                values[at] = value
    return [Kept(values[at], tuple(places)) for at, places in list(found.items())[:MOST_LEAVES]]


def is_number(value: Any) -> bool:
    """Whether a value is a single finite number, and neither an array nor a truth."""
    return isinstance(value, (int, float, np.floating)) and not isinstance(value, bool) and bool(np.isfinite(value))


def _within(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = getattr(value, key) if isinstance(key, Attribute) else value[key]
    return value


def _same(f: Any, g: Any) -> bool:
    return f is g or (
        getattr(f, "__func__", f) is getattr(g, "__func__", g) and getattr(f, "__self__", None) is getattr(g, "__self__", None)
    )


def _readable(paths: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Of the paths that lead to an array return the one a person would say: by a name rather than by a number."""
    return min(paths, key=lambda p: (not isinstance(p[-1], str), len(p)))


def _short(path: tuple[Any, ...]) -> str:
    last = max(i for i, k in enumerate(path) if isinstance(k, str))
    tail = path[last:]
    return spelled((tail[0], *tail[1:]))


def call_and_watch(f: Callable[..., Any], kwargs: Mapping[str, Any], *, raises: bool = False) -> tuple[Any, dict[str, Any]]:
    """Call `f`; return its result and its local variables when it returned.

    A function that is both passes may raise in the second of them: then there is no result, but its variables are what they were.
    """
    code = code_of(f)
    final: dict[str, Any] = {}

    def in_frame(frame: FrameType, event: str, _: Any) -> Any:
        if event == "return":
            final.clear()
            final.update(frame.f_locals)
        return in_frame

    def on_call(frame: FrameType, _event: str, _argument: Any) -> Any:
        if frame.f_code is code:
            frame.f_trace_lines = False
            return in_frame
        return None

    before = sys.gettrace()
    sys.settrace(on_call)
    result = None
    try:
        result = f(**kwargs)
    except Exception:
        if not raises or not any(name in final for name in LOSS_NAMES):
            raise
    finally:
        sys.settrace(before)
    return result, final


def loss_arguments(loss: Callable[..., Any], inputs: Mapping[str, Any], variables: Mapping[str, Any], result: Any) -> dict[str, Any]:
    """Fill the parameters of the loss: by name, and what is left with forward's results in turn."""
    outputs = iter(result if isinstance(result, tuple) else (result,))
    return arguments(loss, {**variables, **flat_names(inputs)}, "loss", lambda _: next(outputs, None), flat_names(inputs))
