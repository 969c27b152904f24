"""One check: the user's functions, their points, and runs of backward on copies, with statements or values changed."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograd_np.check.judge.chains import chain_ends
from autograd_np.check.judge.compare import SAFETY, close, fits
from autograd_np.check.judge.outcome import Absent, Fix, Key, Returned
from autograd_np.check.judge.pairing import Meaning, Pairing
from autograd_np.check.judge.results import Result, Targets, assigned, left_behind, pieces, returned_places
from autograd_np.check.judge.roles import Reading, cotangents_of, fill
from autograd_np.check.judge.trained import has_another_place
from autograd_np.check.judge.updates import rate_at, updates
from autograd_np.check.watch.forms import forms_of
from autograd_np.check.watch.forward import trace_point
from autograd_np.check.watch.interpret import CannotEvaluate, execute
from autograd_np.check.watch.point import Point, Traced, point_of
from autograd_np.check.watch.program import Program, Run
from autograd_np.check.watch.reads import names_read_by
from autograd_np.check.watch.rounding import jostled
from autograd_np.check.watch.run import Event, Recording, Step, record
from autograd_np.check.watch.source import Function, Place
from autograd_np.check.watch.stand_ins import exchanged
from autograd_np.check.watch.state import bound, duplicate, rng_state, spelled
from autograd_np.generators import same_state
from autograd_np.node import Node
from autograd_np.typing import Array

__all__ = ["Codes", "Done", "Session"]

Codes = Mapping[types.FunctionType, types.CodeType]
"""What functions are to run instead of their own code."""

JOSTLES = 4
"""So often backward is run to see how far rounding alone moves its results."""

LEFT = 0.05
"""Rounding may be so much of a gradient, and it still says something."""

NOTHING = 1e-9
"""A gradient this much smaller than the others is zero, whatever its rounding."""


@dataclass
class Done:
    """One run of backward at a point: what it did, and the results it gave, not yet paired."""

    recording: Recording
    results: list[Result] = field(default_factory=list)
    updated: set[str] = field(default_factory=set)


class Session:
    """The functions, the names and the points of one check.

    Attributes
    ----------
    reading : Reading
        What the parameters of backward are.
    always : list of Fix
        What is left out in every run: statements that clip a gradient.
    undecided : set of str
        Inputs that a result is paired with and that nevertheless decide nothing.
    cleared : set of event keys
        What right results were seen to be made of: a guess at what it should be counts for less.
    draws : bool
        Whether backward was seen to draw random numbers (or runs forward too, which may): then the generators are set back for each run.
    targets : dict
        Where a result stands -> what it is the gradient of; decided once, at one point.
    """

    def __init__(self, program: Program, names: Mapping[str, str] | None, wrt: Sequence[str] | None, tolerance: float) -> None:
        self.program = program
        self.tolerance = tolerance
        self.names, self.wrt = names, wrt
        self.pairing = Pairing(program, names, wrt)
        self.function = program.function_of(program.backward)
        self.forward_function = program.function_of(program.forward)
        self.reading = Reading()
        self.targets: dict[tuple[Any, ...], Targets] = {}
        self.always: list[Fix] = []
        self.undecided: set[str] = set()
        self.returned_names: set[str] = set()
        self.ignored: set[tuple[Place | None, str]] = set()
        self.cleared: set[tuple[int, Place, str, int]] = set()
        self._counts: dict[int, dict[str, int]] = {}
        self._numbers: dict[int, set[float]] = {}
        self._structures: dict[tuple[int, Any], dict[tuple[int, Place, str, int], Key]] = {}
        self._noise_of: dict[int, dict[Any, Array]] = {}
        self._handed: dict[tuple[int, Reading], tuple[Point, dict[str, Any]]] = {}
        self.draws = program.joint

    # --- points

    def trace(self, inputs: Mapping[str, Any], instead: Mapping[Any, Any]) -> Traced:
        """Evaluate forward at some inputs."""
        return trace_point(self.program, inputs, instead)

    def point(self, traced: Traced, rng: np.random.Generator, reading: Reading | None = None, *, own: bool = False) -> Point:
        """Differentiate what the reading says."""
        reading = reading or self.reading
        cotangents = cotangents_of(reading, traced, rng)
        scalar = traced.scalar.position if traced.scalar is not None else None
        if not own and any(position == scalar and self._reads(name) for name, position in reading.upstream):
            cotangents = {p: c * rng.uniform(0.6, 1.8) for p, c in cotangents.items()}  # one hides that a factor of it is missing
        return point_of(traced, cotangents, own=own)

    def _reads(self, name: str) -> bool:
        """Whether backward makes anything of one of its parameters: one that it is handed for form's sake says nothing."""
        tree = self.function.tree if self.function is not None else None
        return tree is not None and any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in ast.walk(tree))

    # --- running

    def run(
        self, point: Point, override: Callable[[Event], Any] | None = None, fixes: Sequence[Fix] = (), reading: Reading | None = None
    ) -> Done:
        """Run backward at a point, watched, with other statements in the place of some.

        Raises
        ------
        CannotEvaluate
            If the changed statements are no Python.
        """
        traced, program = point.traced, self.program
        memo: dict[int, Any] = {}
        kwargs = {k: duplicate(v, memo) for k, v in fill(program, traced, reading or self.reading, point.cotangents).items()}
        before = {k: duplicate(v) for k, v in kwargs.items()}
        start = program.fresh_world(traced.instead) if program.joint else traced.run.left
        world = start if program.joint else [duplicate(v, memo) for v in start]
        was = [duplicate(v) for v in start] if program.joint else start
        codes = self.codes(fixes)
        with program.installed(world, program.rng) as owners, np.errstate(all="ignore"), exchanged(codes):
            recording = record(bound(program.backward, owners), kwargs, program.functions, override)
            self.draws = self.draws or not same_state(rng_state(world), program.rng)
        done = Done(recording)
        if recording.error is None:
            done.results = returned_places(recording.result, self.function, recording)
            slots = [s.name for s in program.world.slots]
            handed = {name: v for name, v in kwargs.items() if name not in dict((reading or self.reading).upstream)}
            left = [*left_behind(was, world, slots), *left_behind([before[n] for n in handed], list(handed.values()), list(handed))]
            returned = {id(v) for v in _arrays_in(recording.result)}
            written = {e.name for e in recording.events}  # what was not even written is nobody's result
            done.results += [r for r in left if id(r.value) not in returned and (r.whole or r.container or r.name in written)]
            done.updated = {spelled(r.keys).removeprefix("self.") for r in left if r.whole}
        return done

    def quick(self, point: Point, codes: Codes) -> list[Result] | None:
        """Run backward unwatched, with changed code; ``None`` if it raises."""
        traced, program = point.traced, self.program
        memo: dict[int, Any] = {}
        key = id(point), self.reading
        if key not in self._handed:
            self._handed[key] = point, fill(program, traced, self.reading, point.cotangents)
        kwargs = {k: duplicate(v, memo) for k, v in self._handed[key][1].items()}
        start = program.fresh_world(traced.instead) if program.joint else traced.run.left
        world = start if program.joint else [duplicate(v, memo) for v in start]
        was = [duplicate(v) for v in start] if program.joint else start
        codes = codes or self.codes(())
        try:
            with program.installed(world, program.rng if self.draws else None) as owners, np.errstate(all="ignore"), exchanged(codes):
                result = bound(program.backward, owners)(**kwargs)
        except Exception:  # noqa: BLE001 (a changed statement may fail in any way)
            return None
        results = returned_places(result, self.function)
        if any(len(k) > 1 and k[0] == "left" for k in self.targets):
            slots = [s.name for s in program.world.slots]
            results += left_behind(was, world, slots)
            results += left_behind([None] * len(kwargs), list(kwargs.values()), list(kwargs))
        return results

    def codes(self, fixes: Sequence[Fix]) -> Codes:
        """Compile the functions that some fixes change.

        Raises
        ------
        CannotEvaluate
            If the result is no Python, or no function object runs it.
        """
        functions = self.program.functions
        found: dict[types.FunctionType, types.CodeType] = {}
        for function, edits in self._changes([*self.always, *fixes]).items():
            code = function.edited(edits)
            if code is None:
                raise CannotEvaluate("no Python")
            functions.note(code, function)
            found |= dict.fromkeys(functions.holders(function), code)
        return found

    def codes_of_each(self, fixes: Sequence[Fix], others: Sequence[Fix]) -> list[Codes | None]:
        """Compile, for `quick`, what each of some changes of one statement makes beside `others`; ``None`` where that cannot be run."""
        place, bodies = fixes[0].place, [fix.body for fix in fixes if fix.body is not None]
        others = [*self.always, *(f for f in others if f.place != place)]
        try:
            function = self._runs_as(place.function)
            changes = self._changes(others)
            around = self.codes([f for f in others if f not in self.always])
        except CannotEvaluate:
            return [None] * len(fixes)
        holders = self.program.functions.holders(function)
        return [
            None if code is None else {**around, **dict.fromkeys(holders, code)}
            for code in forms_of(function, place, bodies, changes.get(function, {}))
        ]

    def _changes(self, fixes: Sequence[Fix]) -> dict[Function, dict[Place, Sequence[Any]]]:
        changes: dict[Function, dict[Place, Sequence[Any]]] = {}
        for fix in fixes:
            if fix.body is not None:
                changes.setdefault(self._runs_as(fix.place.function), {})[fix.place] = fix.body
        return changes

    def _runs_as(self, function: Function) -> Function:
        """Return the function whose code is exchanged to change this one: it is made anew at each call of one that encloses it."""
        functions = self.program.functions
        while (outer := functions.enclosing(function)) is not None:
            function = outer
        if not functions.holders(function):
            raise CannotEvaluate(f"nothing holds {function.name}")
        return function

    # --- results

    def decide(self, point: Point, done: Done) -> tuple[int, list[Result]]:
        """Pair the results of a run with inputs; return how many are right, and which were left unjudged."""

        def meaning(i: int) -> str | None:
            r = done.results[i]
            same = [e for e in done.recording.events if e.value.shape == r.value.shape and np.array_equal(e.value, r.value)]
            called = [e for e in same if e.name == r.name]
            stored = [e for e in same if r.left and r.whole and e.call.number == 0 and e.path.isidentifier() and np.any(e.value)]
            meanings = (self.pairing.meaning(e, point) for e in (*called[-1:], *stored[-1:]))
            name = next((m.name for m in meanings if m is not None), None)
            return None if name is not None and r.left and r.whole and has_another_place(name, r.keys, point) else name

        found, unjudged = assigned(done.results, point, self.names, self.wrt, self.tolerance, meaning)
        judged = {t.name for t in found.values() if t.is_input}
        stepped = updates(self.program, point, done.results, done.recording, self.tolerance, itself=bool(judged))
        found |= {i: t for i, t in stepped.items() if t.name not in judged or not done.results[i].left}
        self.targets = {_where(done.results[i]): target for i, target in found.items()}
        returned = self.returned(point, done)
        names = {t.name for t in self.targets.values() if t.is_input}
        self.undecided = names - {r.forward_name for r in returned if r.decides}
        right = sum(self.is_right(r, point) for r in returned if r.decides)
        return right, [done.results[i] for i in unjudged]

    def returned(self, point: Point, done: Done) -> list[Returned]:
        """Return the results that were paired, with what they should be."""
        return self.paired(point, done.results, done.recording)

    @contextmanager
    def expecting(self, lacking: Sequence[Absent], point: Point) -> Iterator[None]:
        """Count runs that do not give some further gradients as wrong, for as long as this lasts."""
        before, self.targets = self.targets, dict(self.targets)
        for a in lacking:
            if a.where is not None:
                self.targets[a.where] = Targets(a.forward_name, point.leaves[a.forward_name], True)
                either = ("returned",), ("returned", 0)  # a list of one, or that one
                if a.where in either and not any(w[0] == "returned" for w in before):
                    self.targets |= dict.fromkeys(either, self.targets[a.where])
        try:
            yield
        finally:
            self.targets = before

    def paired(self, point: Point, results: Sequence[Result], recording: Recording | None = None) -> list[Returned]:
        """Pair results as decided."""
        found: list[Returned] = []
        for r in results:
            target = self.targets.get(_where(r))
            if target is None:
                continue
            place = self._place_of(r, target.name, recording, point) if recording is not None else None
            names = target.name.split("\0")
            parts = pieces(r.value, names, point) if len(names) > 1 and np.ndim(r.value) == 1 else [(names[0], r.value)]
            for name, value in parts:
                node = self._node(name, value, point)
                if node is None:
                    continue
                shape = np.shape(node.out)
                if target.rate is not None and (shape == np.shape(value) or fits(np.shape(value), shape)):
                    value = (np.asarray(node.out) - value) / rate_at(target, point)
                bare = fits(np.shape(value), shape) and np.size(value) > 1 and np.shape(value) != shape
                if fits(np.shape(value), shape):
                    value = np.reshape(value, shape)
                decides = target.is_input and (not self.wrt or name in self.wrt or r.name in self.wrt)
                path = r.path if len(names) == 1 else f"{r.path} ({name})"
                found.append(Returned(name, path, place, np.asarray(value), node, decides, _where(r), bare))
        handed_back = {one.forward_name for one in found if one.decides and one.where[:1] == ("returned",)}
        for one in found:  # what a layer keeps may be its share alone; what is returned is the word that counts
            one.decides = one.decides and not (one.where[:1] == ("left",) and one.forward_name in handed_back)
        found = _summed(found, point, self)
        if not any(r.decides for r in found) and not self.wrt:  # nothing but intermediates: then these are what is asked about
            found = [Returned(r.forward_name, r.path, r.place, r.value, r.node, True, r.where) for r in found]
        return found

    def _node(self, name: str, value: Any, point: Point) -> Node | None:
        leaf = point.leaf(name)
        if leaf is not None:
            return leaf
        nodes = [n for n in point.nodes_of(name) if n in point.gradients]
        return next((n for n in nodes if close(value, point.truth(n), self.tolerance, point.slack(n))), nodes[-1] if nodes else None)

    def _place_of(self, r: Result, name: str, recording: Recording, point: Point) -> Place | None:
        """Return the statement that gave a result its value, or that handed it over, if what it handed over was never meant for it."""
        same = [e for e in recording.events if e.value.shape == r.value.shape and e.value.tobytes() == np.asarray(r.value, float).tobytes()]
        called = [e for e in same if e.name == r.name or e.path == r.path]
        same = same if np.any(r.value) else called  # zeros are made in many places
        if not r.left and r.path.isidentifier() and not any(e.path == r.path and e.call.number == 0 for e in recording.events):
            return self.handing(recording)  # what backward was handed, and made nothing of
        if (called or same) and (r.left or r.name or called):
            e = (called or same)[-1]
            return self._handing_another(r, same if r.left else [e], name, recording, point) or e.place
        return self.handing(recording)

    def _handing_another(self, r: Result, same: Sequence[Event], name: str, recording: Recording, point: Point) -> Place | None:
        """Return the statement that handed over another gradient, or what forward had, instead of this one."""
        e = next((e for e in reversed(same) if e.call.number == 0 and e.path.isidentifier()), None)
        if e is None:
            return None
        meant = self.pairing.meaning(e, point)
        if not r.left:
            taken = r.path.isidentifier() and bool(point.value_nodes(e.value)) and np.ptp(e.value) > 0
            leaf = point.leaf(name) if meant is None and r.path.isidentifier() and len(r.keys) == 1 else None
            if leaf is not None:  # by its name and its shape it was for something else
                taken = taken or (e.value.shape != np.shape(leaf.out) and not fits(e.value.shape, np.shape(leaf.out)))
            return self.handing(recording) if taken or (meant is not None and self._is_of_another(meant, e, name, point)) else None
        if meant is None or meant.name == name or point.leaf(meant.name) is None:
            return None
        later = [s.place for s in recording.steps if s.call.number == 0 and s.number > e.step.number]
        given = [p for p in later if e.path in names_read_by(p.statement)]
        holder = next((str(k) for k in reversed(r.keys[:-1]) if isinstance(k, str)), "")
        return next((p for p in given if holder in _names_in(p.statement)), given[-1] if given else None)

    def _is_of_another(self, meant: Meaning, e: Event, name: str, point: Point) -> bool:
        """Whether a variable is right as the gradient of what it is called after, which is not the input it was handed over for."""
        if meant.by_value or meant.guessed or meant.name == name:
            return False
        return any(close(e.value, point.truth(n), self.tolerance, point.slack(n)) for n in meant.nodes)

    def handing(self, recording: Recording) -> Place | None:
        """Return the statement with which backward ended."""
        last = [s for s in recording.steps if s.call.number == 0]
        return last[-1].place if last else (self.function.places[-1] if self.function is not None and self.function.places else None)

    def is_right(self, r: Returned, point: Point) -> bool:
        """Whether a result is the gradient, to its own rounding and that of the engine; also where nothing can be told."""
        return self.judged(r, point) is not False

    def judged(self, r: Returned, point: Point) -> bool | None:
        """Return whether a result is the gradient; ``None`` where rounding leaves so little of it that nothing can be told."""
        truth, slack = point.truth(r.node), point.slack(r.node)
        if r.value.shape != truth.shape:
            return False
        if close(r.value, truth, self.tolerance):
            return True
        if not close(r.value, truth, self.tolerance, slack):
            slack = np.maximum(slack, self._own_noise(r, point))
            if not close(r.value, truth, self.tolerance, slack):
                return False
        size = float(np.max(np.abs(truth), initial=0.0))
        largest = max((float(np.max(np.abs(point.truth(n)), initial=0.0)) for n in point.leaves.values()), default=0.0)
        told = SAFETY * float(np.max(slack, initial=0.0)) <= LEFT * size or size <= NOTHING * largest
        return True if told else None

    def _own_noise(self, r: Returned, point: Point) -> Any:
        """Return how far the result moves when forward's inputs are off by a unit in their last place."""
        if id(point) not in self._noise_of:
            self._noise_of[id(point)] = self._jostle(point)
        found = self._noise_of[id(point)].get((r.where, r.forward_name))
        return found if found is not None and found.shape == r.value.shape else 0.0

    def _jostle(self, point: Point) -> dict[Any, Array]:
        """Return the spread of the results when what forward reads, and what backward is handed, is off in the last place."""
        spread: dict[Any, list[Array]] = {}
        for k in range(JOSTLES):
            rng = np.random.default_rng(k)
            traced = point.traced
            instead = {i: jostled(x, rng) for i, x in traced.instead.items()}
            for _, array in self.program.state.values():
                instead.setdefault(id(array), jostled(array, rng))
            inputs = _jostled_tree(traced.inputs, rng, exact=True)
            try:
                run = self.program.run(inputs, self.program.fresh_world(instead))
                variables = {n: _jostled_tree(v, rng, exact=n in inputs) for n, v in run.variables.items()}
                handed = Run(_jostled_tree(run.result, rng), variables, run.total, run.left)
                moved = Point(
                    replace(traced, inputs=inputs, instead=instead, run=handed),
                    {p: jostled(c, rng) for p, c in point.cotangents.items()},
                    0.0,
                    point.gradients,
                    point.graph,
                    point.leaves,
                )
                results = self.quick(moved, {})
            except Exception:  # noqa: BLE001, S112 (the user's function may fail off its own point)
                continue
            for r in self.paired(point, results or []):
                spread.setdefault((r.where, r.forward_name), []).append(np.asarray(r.value, float))
        with np.errstate(all="ignore"):
            return {key: np.ptp(np.stack(v), axis=0) for key, v in spread.items() if len({x.shape for x in v}) == 1 and len(v) > 1}

    # --- structure

    def structure(self, point: Point, fixes: Sequence[Fix] = ()) -> dict[tuple[int, Place, str, int], Key]:
        """Return, for the last event of every chain, the chain's key."""
        reshaping = tuple(
            id(f.body) for f in fixes if f.body is not None and not isinstance(f.place.statement, (ast.Assign, ast.AugAssign))
        )
        at = (id(point), reshaping)
        if at not in self._structures:
            recording = self.run(point, fixes=[f for f in fixes if id(f.body) in reshaping]).recording
            if not reshaping:
                last = recording.calls[0].last if recording.calls else {}
                self._counts[id(point)] = {
                    k: int(v) for k, v in last.items() if isinstance(v, (int, np.integer)) and not isinstance(v, bool)
                }

            def is_single(e: Event) -> bool:
                meaning = self.pairing.meaning(e, point)
                return meaning is not None and len(meaning.nodes) == 1

            self._structures[at] = chain_ends(recording.events, is_single)
        return self._structures[at]

    def counts(self, point: Point) -> dict[str, int]:
        """Return the integers among backward's variables."""
        self.structure(point)
        return self._counts.get(id(point), {})

    def numbers(self, point: Point) -> set[float]:
        """Return the numbers that gradients are multiplied or divided by as a convention: counts, sizes, and the user's own."""
        if id(point) not in self._numbers:
            self._numbers[id(point)] = self._numbers_at(point)
        return self._numbers[id(point)]

    def _numbers_at(self, point: Point) -> set[float]:
        found = {1.0, 2.0, *map(float, self.counts(point).values()), *map(float, self.program.world.integers)}
        found |= {float(n) for leaf in point.leaves.values() for n in (*np.shape(leaf.out), np.size(leaf.out))}
        found |= {v for v in point.inputs.values() if type(v) is float}
        return {n for n in found if n > 0}

    # --- single statements

    def rerun(self, body: Sequence[Any], e: Event, point: Point) -> Array | None:
        """Execute edited statements where an event happened."""
        try:
            with np.errstate(all="ignore"):
                value = execute(body, self.scope(e.step, point), e.path)
        except CannotEvaluate:
            return None
        return np.asarray(value, float) if isinstance(value, (np.ndarray, np.generic, float, int)) else None

    def scope(self, e: Step, point: Point) -> dict[str, Any]:
        """Return what a statement could name: globals, forward's variables, the function's own."""
        holders = self.program.functions.holders(e.call.function)
        scope = (
            holders[0].__globals__
            if holders
            else getattr(getattr(self.program.backward, "__func__", self.program.backward), "__globals__", {})
        )
        captured = {}
        for f in holders[:1]:
            for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=False):
                try:
                    captured[name] = cell.cell_contents
                except ValueError:
                    continue
        read = e.call.function.code.co_names
        visible = {k: v for k, v in scope.items() if not isinstance(v, (dict, list, set)) or k in read}  # others are none of its business
        visible, captured = self._at(point, visible), self._at(point, captured)
        return {**visible, **captured, **(self.candidates(e, point) if e.call.number == 0 else {}), **e.before}

    def _at(self, point: Point, scope: Mapping[str, Any]) -> dict[str, Any]:
        """Return globals, or captured variables, as they are at a point."""
        slots = zip(self.program.world.slots, point.traced.run.left, strict=True)
        return {**scope, **{s.name: value for s, value in slots if s.put is not None and scope.get(s.name) is s.value}}

    def own_names(self, e: Step) -> set[str]:
        """Return the names that a statement can use where it stands, without those of forward that were not handed over."""
        holders = self.program.functions.holders(e.call.function)
        scope = holders[0].__globals__ if holders else {}
        return {*scope, *e.call.function.code.co_freevars, *e.before}

    def candidates(self, e: Step, point: Point) -> dict[str, Any]:
        """Return the arrays a statement may have meant: in a helper those that it has, in a method also the attributes."""
        found = {k: v for k, v in e.before.items() if _is_array(v)}
        owner = e.before.get("self")
        for name, value in list(getattr(owner, "__dict__", {}).items()):
            if _is_array(value):
                found[f"self.{name}"] = value
            elif isinstance(value, dict):
                found |= {f"self.{name}[{k!r}]": v for k, v in value.items() if _is_array(v)}
        return point.in_sight(e.before) | found if e.call.number == 0 else found


def _is_array(value: Any) -> bool:
    return isinstance(value, (np.ndarray, np.generic, float)) and not isinstance(value, bool)


def _summed(found: list[Returned], point: Point, session: Session) -> list[Returned]:
    """Add up what several places in the user's objects hold for one input, where that is what makes it right."""
    groups: dict[str, list[Returned]] = {}
    for r in found:
        if r.where[:1] == ("left",) and r.decides:
            groups.setdefault(r.forward_name, []).append(r)
    for name, group in groups.items():
        distinct = list({id(r.value): r for r in group}.values())  # one array may stand in several lists
        if len(group) > 1 and len({r.value.shape for r in group}) == 1:
            truth = point.truth(group[0].node)
            if group[0].value.shape != truth.shape or any(close(r.value, truth, session.tolerance, point.slack(r.node)) for r in group):
                continue
            total = sum(r.value for r in distinct)
            first = group[0]
            if np.max(np.abs(total - truth), initial=0.0) < 0.01 * min(float(np.max(np.abs(r.value - truth), initial=0.0)) for r in group):
                whole = Returned(name, " + ".join(r.path for r in distinct), first.place, np.asarray(total), first.node, True, first.where)
                found = [whole if r is first else r for r in found if r is first or not any(r is other for other in group)]
    return found


def _names_in(statement: ast.AST | None) -> set[str]:
    nodes = list(ast.walk(statement)) if statement is not None else []
    return {n.id for n in nodes if isinstance(n, ast.Name)} | {n.attr for n in nodes if isinstance(n, ast.Attribute)}


def _where(r: Result) -> tuple[Any, ...]:
    return ("left" if r.left else "returned", *(str(k) if isinstance(k, str) else k for k in r.keys))


def _arrays_in(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [x for v in value.values() for x in _arrays_in(v)]
    if isinstance(value, (list, tuple)):
        return [x for v in value for x in _arrays_in(v)]
    return [value]


def _jostled_tree(value: Any, rng: np.random.Generator, *, exact: bool = False) -> Any:
    """Move the arrays in a value; not labels and masks if whole numbers are `exact`, since they are compared with one another."""
    if isinstance(value, dict):
        return {k: _jostled_tree(v, rng, exact=exact) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_jostled_tree(v, rng, exact=exact) for v in value)
    if not isinstance(value, (np.ndarray, np.floating)) or (exact and value.dtype.kind == "f" and bool(np.all(value % 1 == 0))):
        return value
    return jostled(value, rng)
