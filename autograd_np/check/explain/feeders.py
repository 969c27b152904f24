"""The statements that a wrong value was made of: what fed it, through variables, calls and arguments, as far as nothing was judged."""

from __future__ import annotations

import ast
import bisect
import functools
import itertools
import math
from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np

from autograd_np.check.explain.case import Case
from autograd_np.check.judge.compare import close
from autograd_np.check.judge.names import is_gradients_name
from autograd_np.check.judge.outcome import Outcome, Returned, Wrong
from autograd_np.check.judge.session import NOTHING, Done
from autograd_np.check.watch.reads import COMPOUND, KEPT, names_read_by, roots_written_by, values_read_by
from autograd_np.check.watch.run import Call, Event, Step
from autograd_np.check.watch.source import Function, Place
from autograd_np.check.watch.writers import Writers
from autograd_np.typing import Array

__all__ = ["Suspect", "behind_right_ones", "is_primal", "suspected", "suspects_of", "trusted", "without_effect"]

MOST, MOST_OF_ONE = 80, 12
"""So many statements are suspected, and so many variables of one that takes a cache apart."""


MOST_WRITES, MOST_BETWEEN = 30, 60
"""So many of the last writes of a variable are followed; so many steps back the headers of loops are looked for."""


class Suspect(NamedTuple):
    """A statement that feeds a wrong variable and was not itself judged.

    Attributes
    ----------
    place : Place
    path : str
        The variable it sets; empty if it is no array.
    looks_right : bool
        Whether its value is some gradient of the graph or a term of one, or what forward had.
    is_whole : bool
        Whether its value is a whole gradient.
    events : list of Event
    step : Step
        Its first execution.
    right : bool
        Whether it was judged, and right: then only what should have followed it may be missing.
    """

    place: Place
    path: str
    looks_right: bool
    is_whole: bool
    events: list[Event]
    step: Step
    right: bool = False


def suspects_of(case: Case, w: Wrong, out: Outcome) -> list[Suspect]:
    """Return the statements that feed a wrong variable, in execution order: those not judged, and the right ones these read."""
    key = "suspects", w.key
    if key not in out.worked_out:
        out.worked_out[key] = _suspects_of(case, w, out)
    return list(out.worked_out[key])


def _suspects_of(case: Case, w: Wrong, out: Outcome) -> list[Suspect]:
    own = set(case.chain_places(w, out))
    inside = w.event.call.number if w.event is not None else None
    walk = _Slice(case, out)
    steps = walk.of(w.computed, w.event, w.place)
    ends = [s for s in walk.ends.values() if s.number not in walk.found]
    steps, ends = ([s for s in some if s.place not in own or s.call.number != inside] for some in (steps, ends))
    return [*_suspects(case, steps, out), *(s._replace(right=True) for s in _suspects(case, ends, out))]


def suspected(case: Case, places: Collection[Place], out: Outcome) -> list[Suspect]:
    """Return what is suspected of some statements, whatever is known of what they feed."""
    return _suspects(case, [s for s in out.recording.steps if s.place in places], out)


def _suspects(case: Case, steps: list[Step], out: Outcome) -> list[Suspect]:
    """Return what is suspected of some steps: not what belongs to forward."""
    if case.session.program.joint:  # the functions it calls may be both passes, too
        forward = _forward_in(case, out)
        true = {s.place for s in out.recording.steps if s.number in forward}
        steps = [s for s in steps if s.place not in true]
    else:
        truth, both = case.session.program.is_truth, _gradients_in_forward(case, out)
        steps = [s for s in steps if not truth(s.place) or s.number >= both.get(s.call.number, math.inf)]
    places: dict[Place, dict[str, Step]] = {}
    for step in steps:
        for path in dict.fromkeys(e.path for e in step.events) or [""]:
            places.setdefault(step.place, {}).setdefault(path, step)
    found = []
    given = _facts(out).given
    for place, paths in list(places.items())[:MOST]:
        for path, step in list(paths.items())[:MOST_OF_ONE]:
            found.append(_suspect(case, place, path, given.get((place, path), []), step, out))
    return sorted(found, key=lambda s: s.step.number)


def _gradients_in_forward(case: Case, out: Outcome) -> dict[int, int]:
    """Return where the gradients begin in each call of a function that forward calls as well: one that gives the loss and them."""
    truth = case.session.program.defines_truth
    first: dict[int, int] = {}
    for e in out.events:
        if e.key in out.judged and is_gradients_name(e.path) and truth(e.place.function):
            first.setdefault(e.call.number, e.step.number)
    return first


def without_effect(case: Case, out: Outcome) -> list[Suspect]:
    """Return the statements whose value nothing reads before it is overwritten: they may have been meant to set something else."""
    read: dict[tuple[int, str], int] = {}  # the next step that reads a variable, and that sets it or an element of it anew
    anew: dict[tuple[int, str], int] = {}
    found: list[Step] = []
    for step in reversed(out.recording.steps):
        call, s = step.call.number, step.place.statement
        target = s.targets[0] if isinstance(s, ast.Assign) else s.target if isinstance(s, ast.AugAssign) else None
        root = target.value if isinstance(target, ast.Subscript) else target
        own = {root.id} if isinstance(root, ast.Name) else set()
        next_read = min((read.get((call, name), math.inf) for name in own), default=-1)
        part = isinstance(target, ast.Subscript) and "[" not in "".join(e.path for e in step.events)  # another part stays
        paths = {ast.unparse(target)} if part and target is not None else {e.path for e in step.events}
        if step.events and (next_read == math.inf or all(anew.get((call, path), math.inf) < next_read for path in paths)):
            found.append(step)  # what overwrites it may read it first
        if isinstance(s, ast.Assign):
            anew |= {(call, path): step.number for path in paths}
            own -= names_read_by(s.value)
        read |= {(call, name): step.number for name in names_read_by(s) - (own if isinstance(s, ast.Assign) else set())}
    numbers = {s.number for s in found}
    aimed = {s.place for s in out.recording.steps if s.events and s.number not in numbers}  # the last step of a loop often leads nowhere
    return _suspects(case, [s for s in found[::-1] if s.place not in aimed], out)


def behind_right_ones(case: Case) -> list[Step]:
    """Return the steps that right results were made of: few mistakes leave such a result as it should be."""
    done, out = case.plain_run()
    targets, known = out.worked_out.get("right ones", (None, []))
    if targets is not case.session.targets:
        known = _behind_right_ones(case, done, out)
        out.worked_out["right ones"] = case.session.targets, known
    return list(known)


def _behind_right_ones(case: Case, done: Done, out: Outcome) -> list[Step]:
    found: dict[int, Step] = {}
    returned = [r for r in case.session.returned(case.main, done) if r.decides]
    least = NOTHING * max((float(np.max(np.abs(r.value), initial=0.0)) for r in returned), default=0.0)
    for r in returned:  # what is zero whatever happens, as a bias before a normalisation, clears nothing
        if np.any(np.abs(r.value) > least) and case.session.is_right(r, case.main):
            found |= {s.number: s for s in _behind(case, out, r, callers=False)}
    return list(found.values())


def _behind(case: Case, out: Outcome, r: Returned, *, callers: bool = True) -> list[Step]:
    """Return the steps that a result was made of, those that set it among them; with or without those that only called what made it."""
    set_by = [e for e in out.events if e.path == r.path and e.call.number == 0]
    event = next((e for e in reversed(set_by) if e.place == r.place), None)
    walk = _Slice(case, out)
    steps = walk.of(r.value, event, r.place)
    return [*(s for s in steps if callers or s.number not in walk.callers), *(e.step for e in set_by)]


def trusted(case: Case, out: Outcome) -> set[Function]:
    """Return the functions that are right: those of forward, and helpers all of which some right result came out of."""
    right = {s.place for s in behind_right_ones(case)}
    run: dict[Function, set[Place]] = {}
    for s in out.recording.steps:
        run.setdefault(s.place.function, set()).add(s.place)
    return {f for f, places in run.items() if places <= right} | _of_forward(case, out)


def _of_forward(case: Case, out: Outcome) -> set[Function]:
    """Return the functions of which backward runs what forward runs as well: what they compute is right by definition."""
    program = case.session.program
    if not program.joint:
        more = {s.place.function for s in out.recording.steps if not program.is_truth(s.place)}
        return {c.function for c in out.recording.calls[1:] if program.defines_truth(c.function)} - more
    forward = _forward_in(case, out)
    return {c.function for s in out.recording.steps if s.number in forward for c in s.calls}


def _forward_in(case: Case, out: Outcome) -> set[int]:
    """Return the steps of a function that is both passes which belong to forward: the loss is made of them, or no gradient came before."""
    scalar = case.main.traced.scalar
    if scalar is not None and scalar.name:
        made = _Slice(case, out).leading_to(scalar.name)
        if made:
            return {s.number for s in made}
    first = next((s.number for s in out.recording.steps if s.call.number == 0 and any(is_gradients_name(e.path) for e in s.events)), 0)
    return set(range(first))


class _Facts:
    """What every walk through a run asks: who wrote what, what each call did, and what was judged and right."""

    def __init__(self, out: Outcome) -> None:
        self.writes: dict[tuple[int, str], list[Step]] = {}
        self.calls: dict[int, list[Step]] = {}
        self.headers: dict[int, list[int]] = {}
        """By a call, where the loops and branches stand among its steps."""
        for step in out.recording.steps:
            mine, statement = self.calls.setdefault(step.call.number, []), step.place.statement
            if isinstance(statement, COMPOUND):
                self.headers.setdefault(step.call.number, []).append(len(mine))
            mine.append(step)
            for root in roots_written_by(statement) if statement is not None else {e.path.partition("[")[0] for e in step.events}:
                self.writes.setdefault((step.call.number, root), []).append(step)
                base = root.partition(".")[0]
                if base != root:
                    self.writes.setdefault((step.call.number, base), []).append(step)
        kept = {(call, path) for call, path, _ in out.kept}
        judged = {e.number for e in out.events if e.key in out.judged and (e.call.number, e.path) not in kept}
        self.judged = {(e.step.number, e.path.partition("[")[0]) for e in out.events if e.number in judged}
        self.judged -= {(e.step.number, e.path.partition("[")[0]) for e in out.events if e.number not in judged}
        self.writers = Writers(out.recording)
        self.entries = {(e.step.number, e.path.partition("[")[0]) for e in out.events if "[" in e.path}
        self.given: dict[tuple[Place, str], list[Event]] = {}
        for e in out.events:
            self.given.setdefault((e.place, e.path), []).append(e)


def _facts(out: Outcome) -> _Facts:
    if "facts" not in out.worked_out:
        out.worked_out["facts"] = _Facts(out)
    found: _Facts = out.worked_out["facts"]
    return found


class _Slice:
    """Walks back from a value to what it was computed from."""

    def __init__(self, case: Case, out: Outcome) -> None:
        self.case, self.out = case, out
        self.found: dict[int, Step] = {}
        self.callers: set[int] = set()  # found for what they handed to a call alone
        self.visited: set[tuple[int, Any]] = set()
        self.ends: dict[int, Step] = {}
        facts = _facts(out)
        self.writes, self.calls, self.headers = facts.writes, facts.calls, facts.headers
        self.judged, self.entries, self.writers = facts.judged, facts.entries, facts.writers

    def of(self, value: Array, event: Event | None, place: Place | None) -> list[Step]:
        """Return the steps behind what an event, or a statement, gave: from where that first was, and those that passed it on."""
        start = event.step if event is not None else next((s for s in reversed(self.out.recording.steps) if s.place == place), None)
        if start is None:
            return []
        last = event.number if event is not None else len(self.out.events) + 1
        same = [e for e in self.out.events if e.number < last and np.shape(e.value) == np.shape(value) and np.array_equal(e.value, value)]
        first = same[0] if same and np.size(value) > 1 and np.any(value) else event
        own: list[tuple[Step, int | None]] = [(start, None)]
        if first is not None:
            mine = [e for e in self.out.events if e.path == first.path and e.call is first.call and e.number <= first.number]
            own = [(e.step, _part_set(e)) for e in mine]
        for step, part in own:
            self._follow(step, step.number, part)
        if first is not event:
            passing = self._returns_between(first.call, start.call) if first is not None else []
            self.found |= {s.number: s for s in (start, *_handing_on(same, start), *passing)}
        return sorted(self.found.values(), key=lambda s: s.number)

    def _returns_between(self, inner: Call, outer: Call) -> list[Step]:
        """Return the return statements through which a value came out of calls."""
        found: list[Step] = []
        while inner is not outer and inner.by is not None:
            steps = self.calls.get(inner.number, [])
            found += [s for s in steps[-1:] if isinstance(s.place.statement, ast.Return)]
            inner = inner.by.call
        return found

    def leading_to(self, name: str) -> list[Step]:
        """Return the steps from which the last value of one of backward's own variables was made."""
        last = self.out.recording.steps[-1] if self.out.recording.steps else None
        if last is not None:
            own = next((s for s in self.out.recording.steps if s.call.number == 0), last)
            self._define(own, name, last.number + 1)
        return list(self.found.values())

    def _visit(self, step: Step, name: str = "") -> None:
        if (step.number, name) in self.judged or len(self.found) > 400:
            return
        part = _part_of(step.place.statement, name)
        if (step.number, part) not in self.visited and (step.number, None) not in self.visited:
            self.visited.add((step.number, part))
            self.found[step.number] = step
            self.callers.discard(step.number)
            self._follow(step, step.number, part)

    def _follow(self, step: Step, before: int, part: int | None = None) -> None:
        """Go on with what a step was made of; where there are several things side by side, of the one that is asked for."""
        whole = getattr(step.place.statement, "value", None) if part is not None else None
        if isinstance(whole, ast.Tuple) and part is not None:
            self._made_of(step, whole.elts[part])
            return
        for call in step.calls:
            self._return(call, part if whole is not None and _is_call_of(whole, call) else None)
        for name in self._reads(step):
            self._define(step, name, before)
        for header in self._headers(step):
            self._visit(header)

    def _return(self, call: Call, part: int | None) -> None:
        inside = self.calls.get(call.number, [])
        returns = [s for s in inside if isinstance(s.place.statement, ast.Return)]
        for s in returns[-1:] or inside[-1:]:
            value = getattr(s.place.statement, "value", None)
            if part is None or not isinstance(value, ast.Tuple) or part >= len(value.elts):
                self._visit(s)
            elif (s.number, part) not in self.visited:
                self.visited.add((s.number, part))
                self.found[s.number] = s
                self._made_of(s, value.elts[part])

    def _made_of(self, step: Step, expression: ast.expr) -> None:
        """Go on with what one expression of a step was made of."""
        for call in step.calls:
            if any(_is_call_of(node, call) for node in _calls_in(expression)):
                self._return(call, None)
        for name in self._names_read(step, expression):
            self._define(step, name, step.number)
        for header in self._headers(step):
            self._visit(header)

    def _reads(self, step: Step) -> set[str]:
        """Return the names that a step read; where it is known which statements wrote what it read, go on with these instead."""
        statement = step.place.statement
        if statement is None:
            return set(step.before)
        names = self._names_read(step, statement)
        if isinstance(statement, ast.AugAssign) and not self._added_to(step):
            names |= {*roots_written_by(statement)}
        return names

    def _names_read(self, step: Step, node: ast.AST) -> set[str]:
        names: set[str] = set()
        for expression in values_read_by(node):
            read = names_read_by(expression)
            if self._written_elsewhere(step, expression):  # what is left to ask is which object it was
                names |= {n for n in read if any(r.startswith(f"{n}.") for r in read)} - {"self"}
            else:
                names |= read - ({"self"} if len(read) > 1 else set())
        return names

    def _added_to(self, step: Step) -> bool:
        """Go on with what made the elements of a container that a step adds to; ``False`` if it is no such step."""
        paths = {e.path for e in step.events}
        if not paths or not all("[" in p for p in paths):
            return False
        for path in paths:
            name = path.partition("[")[0]
            before = [e for e in self.out.events if e.path == path and e.call is step.call and e.step.number < step.number]
            if before and (before[-1].step.number, name) not in self.judged:
                self._visit(before[-1].step, name)
            bound = next((s for s in reversed(self._written(step, name, step.number, None)) if _binds(s.place.statement, name)), None)
            if bound is not None and not before:
                self._visit(bound, name)
            elif not before and step.call.by is not None and name in step.call.function.parameters:
                self._handed(step.call, step.call.by, name)  # what others had added to it
        return True

    def _written_elsewhere(self, step: Step, expression: ast.expr) -> bool:
        """Go on with the statements that wrote what a step read, found by the array itself; ``False`` where its name has to tell."""
        if isinstance(expression, ast.Name) and not self._is_loops(step, expression.id):
            return False
        writes = self.writers.of(expression, step)
        if isinstance(step.place.statement, ast.For):  # what a loop goes through is followed where it is read, one by one
            return bool(writes) and _goes_through(step.place.statement.iter)
        for events in writes:
            for e in events:
                name = e.path.partition("[")[0]
                if (e.step.number, name) in self.judged:
                    break
                self._visit(e.step, name)
        return bool(writes)

    def _is_loops(self, step: Step, name: str) -> bool:
        """Whether a variable has what a loop gave it last."""
        earlier = self._written(step, name, step.number)
        return bool(earlier) and isinstance(earlier[-1].place.statement, ast.For)

    def _define(self, step: Step, name: str, before: int) -> None:
        earlier = self._written(step, name, before)
        if not earlier:
            if step.call.by is not None and name in step.call.function.parameters:
                self._handed(step.call, step.call.by, name)
            return
        for s in reversed(earlier):
            if (s.number, name) in self.judged:
                if (s.number, name) in self.entries:
                    continue  # another entry of a container says nothing about the one that is asked for
                self.ends[s.number] = s
                break  # from here on it had the right value, whatever it was built of
            self._visit(s, name)
            if _binds(s.place.statement, name):
                break

    def _handed(self, call: Call, by: Step, name: str) -> None:
        """Go on with the argument that a call was given for a parameter."""
        nodes = [n for n in _calls_in(by.place.statement) if _is_call_of(n, call)] if by.place.statement is not None else []
        if name == "self" and name == call.function.parameters[0]:
            return  # the object is no argument, and not made by the call
        given = _argument(nodes[0], call, name) if len(nodes) == 1 else None
        if given is None:
            self._visit(by)
        elif (by.number, (call.number, name)) not in self.visited:
            self.visited.add((by.number, (call.number, name)))
            self.callers |= {by.number} - self.found.keys()
            self.found[by.number] = by
            self._made_of(by, given)

    def _written(self, step: Step, name: str, before: int, most: int | None = MOST_WRITES) -> list[Step]:
        """Return the last steps of a call that set a variable, in order, of those `before` one."""
        writes = self.writes.get((step.call.number, name), [])
        end = bisect.bisect_left(writes, before, key=_number)
        return writes[:end] if most is None else writes[max(end - most, 0) : end]

    def _headers(self, step: Step) -> list[Step]:
        """Return the loop and branch headers that led to a statement."""
        around = step.place.function.around(step.place.statement)
        found: dict[Place, Step] = {}
        if around:
            steps, at = self.calls[step.call.number], self.headers.get(step.call.number, [])
            end = bisect.bisect_left(steps, step.number, key=_number)
            for i in reversed(at[bisect.bisect_left(at, end - MOST_BETWEEN) : bisect.bisect_left(at, end)]):
                if any(steps[i].place.statement is h for h in around):
                    found.setdefault(steps[i].place, steps[i])
        return list(found.values())


def _number(step: Step) -> int:
    return step.number


def _handing_on(same: list[Event], start: Step) -> list[Step]:
    """Return the steps that handed a value on to one that has it: what another call, or a variable that is read, had of it."""
    found = [start]
    for e in reversed(same):
        root = e.path.partition("[")[0]
        if e.step not in found and any(e.call is not s.call or root in names_read_by(s.place.statement) for s in found):
            found.append(e.step)
    return found


@functools.lru_cache(KEPT)
def _calls_in(node: ast.AST) -> tuple[ast.Call, ...]:
    return tuple(n for n in ast.walk(node) if isinstance(n, ast.Call))


@functools.lru_cache(KEPT)
def _part_of(statement: ast.stmt | None, name: str) -> int | None:
    """Return which of several things a name stands for: ``a, b = f(x)``, ``a, b = x, y``."""
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=elts)], value=ast.Call() | ast.Tuple() as value):
            starred = any(isinstance(e, ast.Starred) for e in elts)
            if not starred and (isinstance(value, ast.Call) or len(value.elts) == len(elts)):
                return next((i for i, e in enumerate(elts) if ast.unparse(e) == name), None)
    return None


def _part_set(e: Event) -> int | None:
    """Return which of several things an event holds, likewise."""
    match e.place.statement:
        case ast.Assign(targets=[ast.Tuple(elts=elts)], value=ast.Call() | ast.Tuple() as value) if len(elts) == len(e.step.events):
            return e.step.events.index(e) if isinstance(value, ast.Call) or len(value.elts) == len(elts) else None
    return None


def _is_call_of(node: ast.AST, call: Call) -> bool:
    """Whether an expression is the call of a function, as far as its name tells."""
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name == call.function.name
    return False


def _argument(node: Any, call: Call, name: str) -> ast.expr | None:
    """Return the expression that a call gives a parameter; ``None`` where that is not plain."""
    parameters = call.function.parameters
    if parameters[:1] == ["self"] and isinstance(node.func, ast.Attribute):
        parameters = parameters[1:]
    if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords) or name not in parameters:
        return None
    by_name = {k.arg: k.value for k in node.keywords}
    place = parameters.index(name)
    found: ast.expr | None = by_name.get(name, node.args[place] if place < len(node.args) else None)
    return found


def _goes_through(node: ast.expr) -> bool:
    """Whether a loop goes through containers as they are."""
    calls = [n.func for n in ast.walk(node) if isinstance(n, ast.Call)]
    return all(
        ast.unparse(f).rpartition(".")[2] in ("enumerate", "items", "keys", "list", "range", "reversed", "values", "zip") for f in calls
    )


@functools.lru_cache(KEPT)
def _binds(statement: ast.stmt | None, name: str) -> bool:
    targets = (
        statement.targets
        if isinstance(statement, ast.Assign)
        else [statement.target]
        if isinstance(statement, (ast.AnnAssign, ast.For))
        else []
    )
    return any(
        isinstance(n, (ast.Name, ast.Attribute)) and isinstance(n.ctx, ast.Store) and ast.unparse(n) == name
        for t in targets
        for n in ast.walk(t)
    )


def _suspect(case: Case, place: Place, path: str, events: list[Event], step: Step, out: Outcome) -> Suspect:
    key = "suspect", place, path
    if key not in out.worked_out:
        out.worked_out[key] = _judged(case, place, path, events, step)
    return out.worked_out[key]._replace(step=step)  # type: ignore[no-any-return]


def _judged(case: Case, place: Place, path: str, events: list[Event], step: Step) -> Suspect:
    if not events:
        return Suspect(place, path, False, False, events, step)
    is_whole = all(_is_gradient(case, e.computed) for e in events)
    looks_right = is_whole or is_primal(case, events)
    if not looks_right:
        strange = (e for e in events if not _is_term(case, e.computed))
        allowed = 1 if len(events) > 2 else 0  # the last step of a loop often leads nowhere
        looks_right = len(list(itertools.islice(strange, allowed + 1))) <= allowed
    return Suspect(place, path, looks_right, is_whole, events, step)


def is_primal(case: Case, events: list[Event]) -> bool:
    """Whether a line only recomputes what forward had, under whatever name."""
    primals, alike = case.primals
    if all(np.size(e.computed) > 1 and any(close(e.computed, primals[i], 1e-12) for i in alike.of(e.computed)) for e in events):
        return True
    point = case.main
    return all(_is_telling(e.computed) and any(n in point.gradients for n in point.value_nodes(e.computed)) for e in events)


def _is_telling(value: Array) -> bool:
    """Whether a value is hardly met by chance: several numbers, or one that is no whole number."""
    return np.size(value) > 1 or bool(np.all(np.asarray(value) % 1 != 0))


def _is_term(case: Case, value: Array) -> bool:
    """Whether a value is one of the terms of some gradient."""
    terms, alike = case.terms
    return not np.any(value) or any(case.close(value, *terms[i]) for i in alike.of(value))


def _is_gradient(case: Case, value: Array) -> bool:
    """Whether a value is some gradient."""
    return not np.any(value) or any(True for _ in case.nodes_with(value))
