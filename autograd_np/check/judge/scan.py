"""One run of backward in which every variable is judged on right values: a wrong one is replaced before the next statement runs."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from autograd_np.check.judge.chains import is_zeros, version
from autograd_np.check.judge.compare import close, compare, constant_ratio, fits
from autograd_np.check.judge.outcome import Fix, Key, Outcome, Wrong
from autograd_np.check.judge.pairing import Meaning
from autograd_np.check.judge.session import Session
from autograd_np.check.watch.interpret import CannotEvaluate
from autograd_np.check.watch.point import Point
from autograd_np.check.watch.run import Event, StopRunError
from autograd_np.node import Node
from autograd_np.typing import Array

__all__ = ["scan"]


def scan(
    session: Session,
    point: Point,
    fixes: Sequence[Fix] = (),
    corrected: Mapping[Key, float] = MappingProxyType({}),
    until: Key | None = None,
) -> Outcome:
    """Run backward, judge every variable when its last statement has run, and put the right value in place of a wrong one.

    Parameters
    ----------
    session, point : Session, Point
        What is run, and where.
    fixes : sequence of Fix
        Statements to run as if they were right.
    corrected : mapping
        Intermediates that must be this multiple of the gradient; of others any multiple is a convention.
    until : Key, optional
        Stop as soon as this one is wrong: the outcome is then `broken`.
    """
    out = Outcome()
    try:
        judge = _Judge(session, point, fixes, corrected, until, out)
        done = session.run(point, judge, fixes)
    except (CannotEvaluate, StopRunError):
        out.broken = True
        return out
    out.recording = done.recording
    if done.recording.error is not None:
        out.broken = bool(fixes)
        return out
    out.returned = session.returned(point, done)
    for r in out.returned:
        if not r.decides:
            continue
        truth = point.truth(r.node)
        ok = session.is_right(r, point)
        line = r.place.line if r.place is not None else None
        if r.node not in out.seen or not ok:
            out.seen[r.node] = compare(r.forward_name, r.path, r.value, truth, ok=ok, line=line)
        if not ok and r.place is not None:
            event = next(
                (
                    e
                    for e in reversed(done.recording.events)
                    if e.place == r.place and e.value.shape == r.value.shape and np.array_equal(e.value, r.value)
                ),
                None,
            )
            key = (event.call.number, event.path, 0) if event is not None else (0, f"return {r.path}", 0)
            if not any(w.key[:2] == key[:2] for w in out.wrong):
                name = event.path if event is not None else r.path
                out.wrong.append(Wrong(key, r.place, name, r.forward_name, r.node, r.value, truth, event, 1.0, returned=True))
    return out


def _is_slice(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Whether an array of one shape may be what an index takes out of one of another."""
    return any(whole[:axis] + whole[axis + 1 :] == shape for axis in range(len(whole))) and shape != ()


def _is_laid_out_anew(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Whether an array of one shape is one of another with axes put together, or taken apart: elements keep their order in memory."""
    a, b = (set(itertools.accumulate(s, operator.mul)) | {1} for s in (shape, whole))
    return math.prod(shape) == math.prod(whole) and (a <= b or b <= a)


def _are_related(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Whether an array of one shape may have been meant to have another: it holds as much, or its axes but for some of one element."""
    if math.prod(shape) == math.prod(whole) or sorted(shape) == sorted(whole):
        return True
    longer, shorter = sorted(([n for n in s if n > 1] for s in (shape, whole)), key=len, reverse=True)
    rest = iter(longer)
    return len(longer) > len(shorter) and all(n in rest for n in shorter)


def _holds(computed: Array, truth: Array, tolerance: float, slack: Any) -> bool:
    """Whether an array has a gradient as one element along an axis more."""
    if not _is_slice(np.shape(truth), computed.shape) or np.size(truth) < 2 or not np.any(truth):
        return False
    stacks = (np.moveaxis(computed, axis, 0) for axis in range(computed.ndim))
    return any(stack.shape[1:] == np.shape(truth) and any(close(one, truth, tolerance, slack) for one in stack) for stack in stacks)


class _Judge:
    """Sees every event of one run, and says what should take a variable's place."""

    def __init__(
        self, session: Session, point: Point, fixes: Sequence[Fix], corrected: Mapping[Key, float], until: Key | None, out: Outcome
    ) -> None:
        self.until = until
        self.session, self.point, self.corrected = session, point, corrected
        self.values = [f for f in fixes if f.values is not None]
        self.ends = session.structure(point, fixes)
        self.chains: dict[tuple[int, str], int] = {}
        for call, path, k in self.ends.values():
            self.chains[call, path] = max(self.chains.get((call, path), 0), k + 1)
        self.constant = 1.0  # the multiple of the gradient that the latest intermediate carried
        self.out = out

    def __call__(self, e: Event) -> Array | None:
        """Return the value that the variable should have instead, or ``None``."""
        replaced = self._fixed(e)
        if replaced is not None:
            e.computed = np.array(replaced, float)  # a fixed line counts as if it had been written so
        key = self.ends.get(e.key)
        ignored = self.session.ignored
        if key is None or (e.place, e.path) in ignored or (None, e.path) in ignored:
            return replaced
        meaning = self.session.pairing.meaning(e, self.point)
        if meaning is None:
            return replaced
        better = self._judge(e, key, meaning)
        return replaced if better is None else better

    def _fixed(self, e: Event) -> Array | None:
        value: Array | None = None
        for fix in self.values:
            if (fix.place, fix.path) == (e.place, e.path) and fix.values is not None:
                value = fix.values(self.point).get((e.call.number, e.step.visit))
        return value

    def _judge(self, e: Event, key: Key, meaning: Meaning) -> Array | None:
        """Compare a variable with its gradient; return the right value if it is wrong."""
        point, tolerance, name, nodes = self.point, self.session.tolerance, meaning.name, meaning.nodes
        truths = [point.truth(n) for n in nodes]
        slacks = [point.slack(n) for n in nodes]
        is_returned = e.name in self.session.returned_names and e.call.number == 0
        if not is_returned or all(fits(e.computed.shape, np.shape(t)) for t in truths):  # it may be laid out in another shape
            laid_out = any(np.shape(t) == e.computed.shape for t in truths)  # one of forward's variables of this name is laid out like this
            same = [not laid_out and _is_laid_out_anew(e.computed.shape, np.shape(t)) for t in truths]
            truths = [t.reshape(e.computed.shape) if s else t for t, s in zip(truths, same, strict=True)]
            slacks = [t.reshape(e.computed.shape) if s else t for t, s in zip(slacks, same, strict=True)]
        demanded = self.corrected.get(key, 1.0)
        for node, t, slack in zip(nodes, truths, slacks, strict=True):
            if close(e.computed, demanded * t, tolerance) or close(e.computed, demanded * t, tolerance, abs(demanded) * slack):
                if demanded != 1.0:
                    self.out.kept[key] = self.constant = demanded
                self._note(e, name, node, t, ok=True)
                return None
        if not is_returned and key not in self.corrected:
            for node, t, slack in zip(nodes, truths, slacks, strict=True):
                c = constant_ratio(e.computed, t, tolerance, slack)
                if c is not None and c > 0 and (e.computed.size > 1 or self._is_usual(c)):
                    self.out.kept[key] = self.constant = c
                    self._note(e, name, node, t, c, ok=True)
                    return None
        if not np.any(e.computed) and len(e.before) and is_zeros(e):
            return None  # a start value that nothing was added to yet
        if key[2] + 1 < self.chains[key[:2]] and all(n is point.leaf(name) for n in nodes):
            return None  # what each turn of a loop makes anew for an input, which has one gradient, is a share of that
        one = e.computed.ndim == 0 and self.chains[key[0], key[1]] > 1
        if (
            not is_returned
            and "[" not in e.path
            and all(_is_slice(e.computed.shape, np.shape(t)) or (one and np.size(t) > 1) for t in truths)
        ):
            return None  # a loop works on one slice, or element, at a time, and nothing says which
        if not is_returned and not any(_are_related(e.computed.shape, np.shape(t)) for t in truths):
            return None  # the name alone makes it no gradient
        if not is_returned and any(self._is_of_whole(e.computed, n) for n in nodes):
            return None  # it is the gradient of what forward took the variable out of
        if not is_returned and any(self._is_unsummed(e.computed, t, slack) for t, slack in zip(truths, slacks, strict=True)):
            return None  # it is summed later
        if not is_returned and any(_holds(e.computed, t, tolerance, slack) for t, slack in zip(truths, slacks, strict=True)):
            return None  # of all steps at once, where forward has a name for the last
        if meaning.by_value and not self._is_told(nodes, truths, slacks):
            return None
        if meaning.by_value and e.key in self.session.cleared:
            return None
        if meaning.guessed and len({k[0] for k in self.ends if k[1:3] == (e.place, e.path)}) > 1:
            return None
        chains = self.chains[key[0], key[1]]
        is_input = is_returned and point.leaf(name) is not None
        i = 0 if meaning.by_value else version(key[2], chains, len(nodes), is_input, e.computed.shape, truths)
        constant = 1.0 if is_returned else self.corrected.get(key, self.constant)
        if key in self.corrected:
            self.constant = constant
        expected: Array = constant * truths[i]
        if np.size(expected) == 0:
            return None
        if key == self.until:
            raise StopRunError
        self.out.wrong.append(
            Wrong(key, e.place, e.path, name, nodes[i], np.array(e.computed), expected, e, constant, returned=is_returned)
        )
        self._note(e, name, nodes[i], expected, ok=False)
        return expected

    def _is_of_whole(self, computed: Array, node: Node) -> bool:
        """Whether an array is the gradient of an array of another shape from which a variable was computed: ``h[:, -1]`` of ``h``."""
        wholes = (p for p in node.parents if p is not None and p in self.point.gradients)
        return any(
            np.shape(p.out) == computed.shape != np.shape(node.out)
            and bool(np.any(computed))
            and close(computed, self.point.truth(p), self.session.tolerance, self.point.slack(p))
            for p in wholes
        )

    def _is_unsummed(self, computed: Array, truth: Array, slack: Any) -> bool:
        """Whether an array gives (a multiple of) a gradient once it is summed over the axes along which forward broadcast."""
        shape = (1,) * (computed.ndim - np.ndim(truth)) + np.shape(truth)
        axes = tuple(i for i, (n, m) in enumerate(zip(computed.shape, shape, strict=False)) if n != m)
        if len(shape) != computed.ndim or not axes or any(shape[i] != 1 for i in axes):
            return False
        c = constant_ratio(computed.sum(axis=axes).reshape(np.shape(truth)), truth, self.session.tolerance, slack)
        return c is not None and c > 0 and np.size(truth) > 1

    def _is_usual(self, c: float) -> bool:
        """Whether a single number may be so much larger than the gradient by convention: any number is some multiple of another."""
        known = self.session.numbers(self.point)
        return any(abs(c * q - p) <= 1e-6 * p for p in known for q in known)

    def _is_told(self, nodes: Sequence[Node], truths: Sequence[Array], slacks: Sequence[Array]) -> bool:
        """Whether a helper's variable can be judged: not where arrays are equal, nor where it may be one share of a gradient."""
        tolerance = self.session.tolerance
        same = all(t.shape == truths[0].shape and close(t, truths[0], tolerance, slacks[0]) for t in truths[1:])
        return same and all(len(self.point.terms(n)) < 2 for n in nodes[:1])

    def _note(self, e: Event, name: str, node: Node, expected: Array, constant: float = 1.0, *, ok: bool) -> None:
        self.out.judged[e.key] = ok
        self.out.told[e.key] = node, constant * expected
        self.out.seen[node] = compare(name, e.path, e.computed, expected, ok=ok, line=e.line, constant=constant)
        self.out.lines.append(self.out.seen[node])
