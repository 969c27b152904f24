"""One run of backward in which every variable is judged on right values: a wrong one is replaced before the next line runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from autograd_np.check.judge.chains import is_zeros, version
from autograd_np.check.judge.compare import close, compare, constant_ratio
from autograd_np.check.judge.outcome import Fix, Key, Outcome, Wrong
from autograd_np.check.judge.session import Session
from autograd_np.check.watch.forward import Point
from autograd_np.check.watch.interpret import CannotEvaluate
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
    """Run backward, judge every variable when its last line has run, and put the right value in place of a wrong one.

    Parameters
    ----------
    session, point : Session, Point
        What is run, and where.
    fixes : sequence of Fix
        Lines to run as if they were right.
    corrected : mapping
        Intermediates that must be this multiple of the gradient; of others any multiple is a convention.
    until : Key, optional
        Stop as soon as this one is wrong: the outcome is then `broken`.
    """
    judge = _Judge(session, point, fixes, corrected, until)
    out = judge.out
    try:
        returned, out.events = session.run(point, judge)
    except (CannotEvaluate, StopRunError):
        out.broken = True
        return out
    for r in returned:
        if r.path in judge.judged:
            continue
        node = session.target_node(r, point)
        truth = point.truth(node)
        ok = close(r.value, truth, session.tolerance, point.scale)
        out.seen[node] = compare(r.forward_name, r.path, r.value, truth, ok=ok, line=r.line or None)
        if not ok:
            out.wrong.append(Wrong((f"return {r.path}", 0), r.line, r.path, r.forward_name, node, r.value, truth, None, 1.0))
    return out


class _Judge:
    """Sees every event of one run, and says what should take a variable's place."""

    def __init__(
        self, session: Session, point: Point, fixes: Sequence[Fix], corrected: Mapping[Key, float], until: Key | None = None
    ) -> None:
        self.until = until
        self.session, self.point, self.fixes, self.corrected = session, point, fixes, corrected
        self.ends = session.structure(point)
        self.chains = {path: max(k for (p, k) in self.ends.values() if p == path) + 1 for path, _ in self.ends.values()}
        self.judged: set[str] = set()
        self.constant = 1.0  # the multiple of the gradient that the latest intermediate carried
        self.out = Outcome()

    def __call__(self, e: Event) -> Array | None:
        """Return the value that the variable should have instead, or ``None``."""
        replaced = self._fixed(e)
        if replaced is not None:
            e.computed = np.array(replaced, float)  # a fixed line counts as if it had been written so
        key = self.ends.get((e.line, e.path, e.visit))
        name = self.session.pairing.of_event(e, self.point) if key is not None else None
        if key is None or name is None or e.path in self.session.ignored or not self.point.nodes_of(name):
            return replaced
        self.judged.add(e.path)
        better = self._judge(e, key, name)
        return replaced if better is None else better

    def _fixed(self, e: Event) -> Array | None:
        value: Array | None = None
        for fix in self.fixes:
            if (fix.line, fix.path) == (e.line, e.path):
                if fix.values is not None:
                    value = fix.values(self.point).get(e.visit)
                elif fix.body is not None:
                    value = self.session.rerun(fix.body, e, self.point)
        return value

    def _judge(self, e: Event, key: Key, name: str) -> Array | None:
        """Compare a variable with its gradient; return the right value if it is wrong."""
        point, tolerance = self.point, self.session.tolerance
        nodes = self.session.pairing.nodes_for(e, name, point)
        truths = [point.truth(n) for n in nodes]
        if e.name not in self.session.returned_names:  # an intermediate may be laid out in another shape
            truths = [t.reshape(e.computed.shape) if np.size(t) == e.computed.size else t for t in truths]
        demanded = self.corrected.get(key, 1.0)
        for node, t in zip(nodes, truths, strict=True):
            if close(e.computed, demanded * t, tolerance, point.scale):
                if demanded != 1.0:
                    self.out.kept[key] = self.constant = demanded
                self._note(e, name, node, t, ok=True)
                return None
        is_returned = e.name in self.session.returned_names
        if not is_returned and key not in self.corrected:
            for node, t in zip(nodes, truths, strict=True):
                c = constant_ratio(e.computed, t, tolerance, point.scale)
                if c is not None and c > 0:
                    self.out.kept[key] = self.constant = c
                    self._note(e, name, node, t, c, ok=True)
                    return None
        if not np.any(e.computed) and len(e.before) and is_zeros(e, self.session.source):
            return None  # a start value that nothing was added to yet
        i = version(key[1], self.chains[key[0]], len(nodes), name in point.leaves and is_returned, e.computed.shape, truths)
        constant = 1.0 if is_returned else self.corrected.get(key, self.constant)
        if key in self.corrected:
            self.constant = constant
        expected: Array = constant * truths[i]
        if np.size(expected) == 0:
            return None
        if key == self.until:
            raise StopRunError
        self.out.wrong.append(Wrong(key, e.line, e.path, name, nodes[i], np.array(e.computed), expected, e, constant))
        self._note(e, name, nodes[i], expected, ok=False)
        return expected

    def _note(self, e: Event, name: str, node: Node, expected: Array, constant: float = 1.0, *, ok: bool) -> None:
        self.out.seen[node] = compare(name, e.path, e.computed, expected, ok=ok, line=e.line, constant=constant)
        self.out.lines.append(self.out.seen[node])
