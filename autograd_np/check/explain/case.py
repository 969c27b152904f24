"""What is known while mistakes are looked for: the points, the statements fixed so far, and whether one more fix cures a variable."""

from __future__ import annotations

import ast
import functools
import itertools
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from autograd_np.check.explain.alike import Alike
from autograd_np.check.explain.contributions import contributions
from autograd_np.check.explain.diagnose import Diagnosis, Sample
from autograd_np.check.explain.edits.catalogue import edits_of
from autograd_np.check.explain.edits.edit import Edit, Hints
from autograd_np.check.explain.edits.hints import hints_of
from autograd_np.check.explain.replayed import Replayed
from autograd_np.check.explain.vocabulary import counts_in, loop_variables, sizes_in, sizes_of
from autograd_np.check.judge.compare import close, elements_off
from autograd_np.check.judge.outcome import Fix, Key, Outcome, Returned, Wrong
from autograd_np.check.judge.results import assigned
from autograd_np.check.judge.scan import scan
from autograd_np.check.judge.session import NOTHING, Codes, Done, Session
from autograd_np.check.watch.calling import flat_names
from autograd_np.check.watch.effects import names_in
from autograd_np.check.watch.interpret import CannotEvaluate
from autograd_np.check.watch.point import Point
from autograd_np.check.watch.run import Call, Event, Step, leaves_of
from autograd_np.check.watch.source import Place
from autograd_np.check.watch.spelling import wanted_names
from autograd_np.node import Node
from autograd_np.typing import Array

__all__ = ["Budget", "Case", "Verdict", "named_terms", "sample_of"]


T = TypeVar("T")


class Budget:
    """How much may be tried. Work decides; time only ends what would take too long.

    Whatever runs backward, or walks through runs, many times takes what it tries from `within` a budget: its own share, or all.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.deadline = time.thread_time() + seconds  # of work: a busy machine changes no answer
        self.ended = False
        self._least, self._asked = seconds, time.perf_counter()

    def part(self, share: float) -> Budget:
        """Return a budget of a share of what is left."""
        return Budget(max(self.deadline - time.thread_time(), 0.0) * share)

    def left(self) -> float:
        """Return how much of the time is left, as a share."""
        return (self.deadline - time.thread_time()) / self.seconds if self.seconds > 0 else 0.0

    def below(self, share: float) -> bool:
        """Whether less than a share of the time is left."""
        if self._least - (time.perf_counter() - self._asked) >= share * self.seconds:
            return False  # no more work was done since than time went by, which is cheaper to ask for
        self._least, self._asked = self.deadline - time.thread_time(), time.perf_counter()
        return self._least < share * self.seconds

    def within(self, items: Iterable[T], keep: float = 0.0) -> Iterator[T]:
        """Yield items while there is time, or more than a share of it that is kept for other things: nothing is made after that."""
        coming = iter(items)
        while not (self.late() or self.below(keep)):
            try:
                yield next(coming)
            except StopIteration:
                return

    def late(self) -> bool:
        """Whether the time for explanations is over."""
        self.ended = self.ended or self.below(0.0)
        return self.ended


MOST_TERMS = 64
"""A loop adds up so many terms of a gradient at most for each to be known."""

MOST_STEPS = 5
"""A function whose derivative a helper gives takes so many elementary steps at most."""


KEPT_SCANS = 3
"""So many scans are kept."""


class Verdict(NamedTuple):
    """Where the mistake is, what it is, and how to go on as if it were not there."""

    place: Place
    diagnosis: Diagnosis
    fix: Fix | None = None
    edit: Edit | None = None
    rivals: tuple[Verdict, ...] = ()


class Case:
    """The points of a session on which backward is wrong, and what has been found out so far.

    Attributes
    ----------
    fixes : list of Fix
        Mistaken statements that are now run as if they were right.
    corrected : dict
        Which multiple of the gradient an intermediate should be.
    """

    def __init__(self, session: Session, points: Sequence[Point], budget: Budget) -> None:
        self.session = session
        self.points = list(points)
        self.budget = budget
        self.fixes: list[Fix] = []
        self.corrected: Mapping[Key, float] = {}
        self._sizes: dict[int, dict[str, float]] = {}
        self._derived: dict[bytes, set[Node]] = {}
        self._known: dict[bytes, float] = {}
        self._edits: dict[tuple[Place, int, int, str, int], Replayed[Edit]] = {}
        self._scans: dict[Any, tuple[Outcome, Any]] = {}
        self._plain: tuple[Any, Any, Done, Outcome] | None = None

    @property
    def main(self) -> Point:
        """The point whose order of execution is reported."""
        return self.points[0]

    def late(self) -> bool:
        """Whether the time for explanations is over."""
        return self.budget.late()

    def scan(self, point: Point, *more: Fix, corrected: Mapping[Key, float] | None = None) -> Outcome:
        """Scan a point with the fixes so far and `more`; what was scanned last is not scanned again."""
        session, fixes = self.session, [*self.fixes, *more]
        multiples = self.at(point, self.corrected if corrected is None else corrected)
        key = (
            (id(point), *map(id, fixes)),
            frozenset(multiples.items()),
            frozenset(session.cleared),
            frozenset(session.ignored),
            id(session.targets),
            frozenset(session.undecided),
        )
        if key not in self._scans:
            while len(self._scans) >= KEPT_SCANS:  # a run holds copies of all it computed
                del self._scans[next(iter(self._scans))]
            self._scans[key] = scan(session, point, fixes, multiples), (fixes, session.targets)  # whose identities the key is made of
        return self._scans[key][0]

    def plain_run(self) -> tuple[Done, Outcome]:
        """Return a watched run of the main point with the fixes so far, in which nothing was judged or replaced."""
        key = [id(f) for f in self.fixes]
        if self._plain is None or self._plain[0] != key:
            done = self.session.run(self.main, fixes=self.fixes)
            self._plain = key, list(self.fixes), done, Outcome(recording=done.recording)
        return self._plain[2:]

    def at(self, point: Point, corrected: Mapping[Key, float]) -> dict[Key, float]:
        """Return the multiples that were decided at the main point as they are at another, which has other sizes."""
        here, there = self.sizes(self.main), self.sizes(point)

        def multiple(c: float) -> float:
            for name, n in here.items():
                if name in there and abs(abs(c) - n) < 1e-9 * n:
                    return there[name] if c > 0 else -there[name]
            return c

        return dict(corrected) if point is self.main else {key: multiple(c) for key, c in corrected.items()}

    def close(self, a: Any, b: Any, slack: Any = 0.0) -> bool:
        """Whether two arrays are equal to the tolerance of the check."""
        return close(a, b, self.session.tolerance, slack)

    def sizes(self, point: Point) -> dict[str, float]:
        """Return the numbers a scale may be made of."""
        if id(point) not in self._sizes:
            self._sizes[id(point)] = sizes_of(self.session, point)
        return self._sizes[id(point)]

    def edits(self, place: Place, step: Step, path: str, point: Point | None = None) -> Iterable[Edit]:
        """Return the edits of a statement, with the values of a step that executed it, at the main point unless another is given."""
        key = (place, step.call.number, step.visit, path, id(point or self.main))
        if key not in self._edits:
            self._edits[key] = Replayed(self._edits_of(place, step, path, point or self.main))
        return self._edits[key]

    def _edits_of(self, place: Place, step: Step, path: str, point: Point) -> Iterator[Edit]:
        session, function, statement = self.session, place.function, place.statement
        if statement is None:
            return
        scope, candidates = session.scope(step, point), session.candidates(step, point)
        counted = loop_variables(function)
        known = {name: n for name, n in self.sizes(point).items() if name not in counted}
        known = {**counts_in(step, function.unread - counted), **known} if step.call.number else known
        sizes = sizes_in(session.own_names(step), candidates, known, flat_names(point.inputs))
        try:
            yield from edits_of(
                statement,
                path,
                scope,
                candidates,
                sizes,
                hints=self.hints,
                unread=function.unread | function.carried_in_vain(statement),
                left_by_loops=function.left_by_loops(statement),
                beside=function.made_of,
                alone=function.reads_alone(statement),
                others=function.statements,
            )
        except Exception:
            if "AUTOGRAD_NP_DEBUG" in os.environ:
                raise  # else a search that fails finds nothing more; the verdict stands

    @functools.cached_property
    def hints(self) -> Hints:
        """What the text of forward, and of what it calls, tells."""
        program = self.session.program
        functions = [program.functions.of(f.__code__) for f in program.world.functions]
        functions += [f for f in program.functions.watched() if id(f) in program.called_by_forward and f not in functions]
        trees = [f.tree for f in functions if f is not None and f.tree is not None and (f is not self.session.function or program.joint)]
        return hints_of(*trees)

    # --- does a fix cure

    def wrong_results(self, point: Point, *more: Fix, codes: Codes | None = None) -> int | None:
        """Return how many results are wrong with statements changed, run as it is, or ``None`` if it does not run.

        `codes` are the changed functions where they are compiled already.
        """
        found = self._each_wrong(point, more, codes)
        return None if found is None else sum(map(bool, found))

    def elements_wrong(self, point: Point, *, codes: Codes | None = None, most: Sequence[int] | None = None) -> list[int] | None:
        """Say of each result how many of its elements are wrong; ``None`` if backward does not run, or if of one it is more than `most`."""
        found = self._each_wrong(point, (), codes)
        if found is None or most is None:
            return None if found is None else list(found)
        numbers = []
        for number, limit in itertools.zip_longest(found, most, fillvalue=-1):
            if number < 0 or number > limit:
                return None
            numbers.append(number)
        return numbers

    def cures_all(self, *more: Fix, codes: Codes | None = None) -> bool:
        """Whether everything is right, on every point, with statements changed."""
        return all((found := self._each_wrong(point, more, codes)) is not None and not any(found) for point in self.points)

    def _each_wrong(self, point: Point, more: Sequence[Fix], codes: Codes | None) -> Iterator[int] | None:
        """Say of each result, one after the other, how many of its elements are wrong."""
        session = self.session
        if codes is None:
            try:
                codes = session.codes([f for f in (*self.fixes, *more) if f.body is not None])
            except CannotEvaluate:
                return None
        results = session.quick(point, codes)
        if results is None:
            return None
        if not session.targets:
            found, _ = assigned(results, point, session.names, session.wrt, session.tolerance)
            if not found:
                return None
            return (elements_off(results[i].value, point.truth(t.node), session.tolerance, point.slack(t.node)) for i, t in found.items())
        returned = [r for r in session.paired(point, results) if r.decides]
        missing = {t.name for t in session.targets.values() if t.is_input} - {r.forward_name for r in returned} - session.undecided
        return itertools.chain((1 for _ in missing), (self._off(r, point) for r in returned))

    def _off(self, r: Returned, point: Point) -> int:
        if self.session.is_right(r, point):
            return 0
        return max(1, elements_off(r.value, point.truth(r.node), self.session.tolerance, point.slack(r.node)))

    def right_with(self, fix: Fix, w: Wrong, point: Point) -> bool:
        """Whether a fix cures a wrong variable."""
        return self.left_with(fix, w, point) is not None

    def left_with(self, fix: Fix, w: Wrong, point: Point) -> int | None:
        """Return how many lines stay wrong with a fix, or ``None`` if the one in question does."""
        out = scan(self.session, point, [*self.fixes, fix], self.at(point, self.corrected), until=w.key)
        gone = out.broken or any(x.key == w.key for x in out.wrong)
        if w.event is not None and not w.returned:  # a variable that is no longer there is not right
            gone = gone or not any(ok and k[0] == w.key[0] and k[2] == w.name for k, ok in out.judged.items())
        return None if gone or self._fewer(out) else len(out.wrong_lines())

    def _fewer(self, out: Outcome) -> bool:
        """Whether a run gave less than backward should."""
        done = {r.forward_name for r in out.returned if r.decides}
        return bool({t.name for t in self.session.targets.values() if t.is_input} - done - self.session.undecided)

    def helps(self, fix: Fix, w: Wrong, before: int) -> bool:
        """Whether a fix cures a variable on every point, and leaves fewer lines wrong than `before`."""
        lefts = (self.left_with(fix, w, point) for point in self.points)
        return all(left is not None and left < before for left in lefts)

    def doubts(self, *more: Fix, before: Outcome | None = None, after: Outcome | None = None) -> int:
        """Return how many intermediates speak against a cure: those that are no gradients with it, though their names say so.

        One that is a multiple of its gradient counts if it was the gradient before: a convention was there before the mistake,
        unless all that are multiples are so by one factor then, which some had before.
        Scans without the cure and with it need not be made again if they are given.
        """
        before, after = before or self.scan(self.main), after or self.scan(self.main, *more)
        ends = self.session.structure(self.main)
        exact = {ends[key] for key, ok in before.judged.items() if ok and key in ends} - before.kept.keys()
        functions = {f.place.function for f in more}
        usual, now = ({float(f"{c:.6g}") for c in out.kept.values()} for out in (before, after))
        uniform = len(now) == 1 and now <= usual
        was, is_now = ({c.number: self.given(c) for c in out.recording.calls[1:] if c.function in functions} for out in (before, after))
        for call in after.recording.calls[1:]:
            if was.get(call.number) and not was[call.number] & is_now.get(call.number, set()):
                is_now[call.number] = is_now.get(call.number, set()) | self._given_as_handed(call)
        changed = [number for number, nodes in was.items() if nodes and not nodes & is_now.get(number, nodes)]
        turned = 0 if uniform and all(f.body is not None for f in more) else len(exact & after.kept.keys())
        return len({(w.key[0], w.base) for w in after.wrong}) + turned + len(changed)

    def given(self, call: Call, *, signed: bool = False, multiple: float = 1.0) -> set[Node]:
        """Return the variables of forward whose gradient, or that times a number, a helper gave; none if it was handed just that.

        A residual is the gradient of one of two variables with either sign: it counts for both unless the sign matters, and then for none.
        """
        value = call.result
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f" or value.size < 2 or not np.any(value):
            return set()
        handed = (call.last.get(name) for name in call.function.parameters)
        if any(isinstance(x, np.ndarray) and x.shape == value.shape and self.close(x, value) for x in handed):
            return set()
        value = value / multiple
        found, opposite = set(self.nodes_with(value)), set(self.nodes_with(-value))
        if not found and not opposite:
            key = repr(value.shape).encode() + value.tobytes()
            if key not in self._derived:
                self._derived[key] = set(self.derived_by(value))
            return self._derived[key]
        return found if not opposite else set() if signed else found | opposite

    def _given_as_handed(self, call: Call) -> set[Node]:
        """Return the variables a multiple of whose gradient a helper gave, if it was handed such a multiple of another gradient.

        Where 1/m comes later, what is handed from helper to helper is m times the gradient, and none of them is to divide by it.
        """
        handed = [np.asarray(x) for n in call.function.parameters if isinstance(x := call.last.get(n), np.ndarray) and x.dtype.kind == "f"]
        found: set[Node] = set()
        for c in dict.fromkeys(n for size in self.sizes(self.main).values() if size > 1 for n in (size, 1 / size)):
            if any(x.size > 1 and np.any(x) and any(True for _ in self.nodes_with(x / c)) for x in handed):
                found |= self.given(call, multiple=c)
        return found

    def derived_by(self, value: Array) -> Iterator[Node]:
        """Yield the variables of forward by which a value is the derivative of another one: it takes one's gradient to the other's."""
        point = self.main
        for node in point.gradients if np.ptp(value) > 0 else ():
            if np.shape(node.out) == np.shape(value) and np.any(point.truth(node)):
                users = self._computed_from(node)
                if any(self.close(value * point.truth(u), point.truth(node), point.slack(node)) for u in users):
                    yield node

    def _computed_from(self, node: Node) -> list[Node]:
        """Return what is computed from a variable in a few steps and has its shape."""
        found, last = list[Node](), [node]
        for _ in range(MOST_STEPS):
            last = [
                u for n in last for u in self.main.users.get(n, ()) if np.shape(u.out) == np.shape(node.out) and u in self.main.gradients
            ]
            found += last
        return found

    def is_called_after(self, e: Event) -> bool:
        """Whether a variable is the whole gradient of the one that it is called after: ``dh`` that of ``h``, or of an element of ``hs``."""
        wanted = {x.lower() for x in wanted_names(e.path.partition("[")[0].rpartition(".")[2])}
        bases = ((n.name or "").partition("[")[0].rpartition(".")[2].lower() for n in self.nodes_with(e.computed)) if wanted else ()
        return any(base in wanted or base.removesuffix("s") in wanted for base in bases)

    def known_from_forward(self, value: Array, *, locally: bool = True) -> float:
        """Say what an array is: 1 for the gradient of any variable of forward's, 0.5 for a term of one or, if asked, a local derivative."""
        key = repr((value.shape, locally)).encode() + value.tobytes()
        if key not in self._known:
            self._known[key] = self._known_of(value, locally)
        return self._known[key]

    def _known_of(self, value: Array, locally: bool) -> float:
        if value.size < 2 or not np.ptp(value) > self._nothing:
            return 0.0
        if any(True for _ in self.nodes_with(value)):
            return 1.0
        return 0.5 if self._is_term(value) or (locally and any(map(self._is_term, self._times_gradients(value)))) else 0.0

    @functools.cached_property
    def _nothing(self) -> float:
        """Below it values are what rounding leaves of zero, as the gradient of what a softmax takes away is."""
        return NOTHING * max((float(np.max(np.abs(self.main.truth(n)), initial=0.0)) for n in self.main.gradients), default=0.0)

    def _is_term(self, value: Array) -> bool:
        """Whether an array is a gradient, or one of a few terms of one."""
        terms, alike = self.terms
        found = (terms[i] for i in alike.of(value))
        return any(self.close(value, t, slack) for t, slack in found) or any(True for _ in self.nodes_with(value))

    def _times_gradients(self, value: Array) -> Iterator[Array]:
        """Yield the products of what may be a local derivative with gradients of forward's variables, as far as these may be known."""
        alike, spread = self._truths
        same = alike.get(value.shape, [])
        for tables in (self.terms[1], self._gradients[1]):
            yield from (value * same[i] for i in tables.of_products(value, same))
        for truth in spread:
            axes = zip(truth.shape[::-1], value.shape[::-1], strict=False)
            if truth.shape != value.shape and np.ndim(truth) <= value.ndim and all(a in (1, b) for a, b in axes):
                yield value * truth

    @functools.cached_property
    def _truths(self) -> tuple[dict[tuple[int, ...], list[Array]], list[Array]]:
        """The gradients of forward's variables, by their shapes, and those that broadcast to others."""
        point = self.main
        nodes = dict.fromkeys(n for some in point.versions.values() for n in some if n in point.gradients)
        found: dict[tuple[int, ...], list[Array]] = {}
        for truth in (t for n in nodes if np.any(t := point.truth(n))):
            found.setdefault(np.shape(truth), []).append(truth)
        return found, [t for some in found.values() for t in some]

    def nodes_with(self, value: Array) -> Iterator[Node]:
        """Yield the variables of forward whose gradient a value is."""
        nodes, alike = self._gradients
        for node in (nodes[i] for i in alike.of(value)):
            if self.close(value, self.main.truth(node), self.main.slack(node)):
                yield node

    @functools.cached_property
    def terms(self) -> tuple[list[tuple[Array, Any]], Alike]:
        """The terms of gradients that have a few, what products give their operands, and what rounding can make of all these."""
        found = [
            (t, self.main.slack(n))
            for n in self.main.gradients
            for _, t in named_terms(self.main, n, most=MOST_TERMS)
            if np.shape(t) == np.shape(n.out)
        ]
        found += contributions(self.main)
        return found, Alike(found, self.session.tolerance)

    @functools.cached_property
    def primals(self) -> tuple[list[Array], Alike]:
        """The floating arrays of several elements that forward had at the main point; of a function that is both passes its inputs."""
        point = self.main
        had = {**({} if point.traced.program.joint else point.variables), **flat_names(point.inputs)}
        found = [np.asarray(v, float) for _, _, v in leaves_of(had) if np.size(v) > 1]
        return found, Alike(((v, 0.0) for v in found), 1e-12)

    @functools.cached_property
    def _gradients(self) -> tuple[list[Node], Alike]:
        nodes = [n for n in self.main.gradients if np.shape(n.out) == np.shape(self.main.truth(n))]
        return nodes, Alike(((self.main.truth(n), self.main.slack(n)) for n in nodes), self.session.tolerance)

    # --- about a wrong variable

    def chain_places(self, w: Wrong, out: Outcome) -> list[Place]:
        """Return the statements that build the wrong value."""
        if w.event is None:
            return [w.place]
        mine: list[Place] = []
        ends = self.session.structure(self.main)
        for e in out.events:
            if e.path == w.name and e.call.number == w.event.call.number:
                mine.append(e.place)
                key = ends.get(e.key)
                if key == w.key:
                    break
                if key is not None:
                    mine = []
        return list(dict.fromkeys(mine)) or [w.place]

    def only_adds(self, w: Wrong) -> bool:
        """Whether a wrong line computes nothing of its own: a sum of variables."""
        value = getattr(w.place.statement, "value", None)
        return isinstance(value, (ast.Name, ast.BinOp)) and all(
            isinstance(n, (ast.Name, ast.BinOp, ast.Add, ast.Sub, ast.Load)) for n in ast.walk(value)
        )

    def matching(self, w: Wrong, point: Point) -> Wrong | None:
        """Return the same wrong variable as it is at another point."""
        if point is self.main:
            return w
        return next((other for other in self.scan(point).wrong if other.key == w.key), None)

    def samples(self, w: Wrong) -> list[Sample]:
        """Return a wrong variable's samples on every point where it is wrong."""
        matches = ((self.matching(w, point), point) for point in self.points)
        return [self.sample(x, point, x.computed, x.expected) for x, point in matches if x is not None]

    def sample(self, w: Wrong, point: Point, actual: Array, expected: Array) -> Sample:
        """Return what explanations start from, for (a share of) a wrong variable."""
        e = w.event
        variables = self.session.candidates(e.step, point) if e is not None else {**point.variables, **flat_names(point.inputs)}
        return sample_of(point, w.node, actual, expected, variables, self.sizes(point), w.constant, w.place.statement)


def sample_of(
    point: Point,
    node: Node,
    actual: Array,
    expected: Array,
    variables: Mapping[str, Any],
    sizes: Mapping[str, float],
    constant: float = 1.0,
    statement: ast.stmt | None = None,
) -> Sample:
    """Return what explanations start from, for an array that should be a multiple of the gradient at a Node."""
    terms = [(name, constant * term) for name, term in point.terms(node)]
    slack = abs(constant) * point.slack(node)
    return Sample(
        np.asarray(actual, float),
        np.asarray(expected, float),
        terms,
        variables,
        sizes,
        slack if np.shape(slack) == np.shape(expected) else np.max(slack, initial=0.0),
        _neighbours(point, node, constant),
        {n for x in ast.walk(statement) if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Div) for n in names_in(x.right)}
        if statement is not None
        else (),
    )


def _neighbours(point: Point, node: Node, constant: float) -> dict[str, Array]:
    """Return the gradients of other named variables of the same shape: "after" is nearer the loss."""
    found: dict[str, Array] = {}
    above = point.ancestors(node)
    for name, nodes in point.versions.items():
        for other in nodes:
            if other is not node and other in point.gradients and np.shape(other.out) == np.shape(node.out):
                side = "before" if other in above else "after" if other.index > node.index and node in point.ancestors(other) else "beside"
                found.setdefault(f"{side} {name}", constant * point.truth(other))
    return found


def named_terms(point: Point, node: Node, most: int = 5) -> list[tuple[str, Array]]:
    """Return the terms of a gradient if there are a few; of one term it is the whole."""
    terms = point.terms(node) if node.name is not None else []
    return list(terms) if 2 <= len(terms) <= most else []
