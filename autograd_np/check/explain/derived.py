"""The line that forward itself asks for, where no change of the line that is there explains what is wrong."""

from __future__ import annotations

import ast
import copy
import dataclasses
import os
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_np.check.explain.case import Budget, Case, Verdict
from autograd_np.check.explain.chain_rule import ChainRule, Written
from autograd_np.check.explain.feeders import Suspect, is_primal, suspects_of
from autograd_np.check.explain.formulas import Formulas, Sight, is_short
from autograd_np.check.explain.whole import Mistake
from autograd_np.check.judge.outcome import Fix, Outcome, Wrong
from autograd_np.check.watch.run import Step
from autograd_np.check.watch.source import Function, Place
from autograd_np.derivations.expression import Expression

__all__ = ["Deriving"]

MOST_SUSPECTS, MOST_VARIABLES = 6, 30
"""So many statements are tried that a wrong variable was made of, each as the gradient of so many variables."""

SPARE = 0.1
"""How much of the time for explanations is added to it for what is derived, where it is over: to find nothing takes all of it."""

WAYS: list[dict[str, bool]] = [{}, {"whole": True}, {"plain": True}]
"""How forward is read: what has no name in sight seen through, or left whole, or all left as it is written."""


class _Line(NamedTuple):
    """A statement, what it sets, and the variable of forward whose gradient that is to be."""

    step: Step
    path: str
    of: Expression
    multiples: list[float]


class Deriving:
    """Derives lines for the findings of one case, for which nothing else was found.

    Parameters
    ----------
    case : Case
    """

    def __init__(self, case: Case) -> None:
        self.case = case
        self.spare = SPARE * case.budget.seconds
        self._formulas: Formulas | None = None

    @property
    def formulas(self) -> Formulas:
        """What forward computes, read when it is asked for."""
        if self._formulas is None:
            self._formulas = Formulas(self.case.session, self.case.points)
        return self._formulas

    def line(self, w: Wrong, out: Outcome, verdict: Verdict) -> Verdict:
        """Return a verdict with a line that is derived from forward, if it has none of its own and the pass is right with that one.

        Parameters
        ----------
        w : Wrong
            What is wrong.
        out : Outcome
            The run of which that was said.
        verdict : Verdict
            What was found out about it.
        """
        if verdict.fix is not None and verdict.fix.body is not None:
            return verdict
        start = time.thread_time()
        budget = Budget(max(self.case.budget.deadline - start, self.spare))
        if budget.late() or not is_short(self.case.main):
            return verdict
        try:
            with np.errstate(all="ignore"):
                return _Search(self, w, out, verdict, budget).verdict()
        except Exception:
            if "AUTOGRAD_NP_DEBUG" in os.environ:
                raise
            return verdict
        finally:
            self.spare -= time.thread_time() - start

    def where_it_raises(self, mistake: Mistake) -> Mistake:
        """Return an exception's finding with the line that is derived for what the statement sets, if it has no other."""
        if mistake.cure is not None:
            return mistake
        point, session = self.case.main, self.case.session
        name = session.pairing.forward_name(mistake.wrong.name.partition("[")[0].rpartition(".")[2], point)
        for node in [n for n in point.nodes_of(name or "") if n in point.gradients]:
            w = dataclasses.replace(mistake.wrong, node=node)
            found = self.line(w, Outcome(recording=session.run(point).recording), Verdict(mistake.place, mistake.diagnosis))
            if found.fix is not None and found.place == mistake.place:
                return dataclasses.replace(mistake, diagnosis=found.diagnosis, cure=found.fix)
        return mistake


class _Search:
    """Looks for the line of one wrong variable."""

    def __init__(self, deriving: Deriving, w: Wrong, out: Outcome, verdict: Verdict, budget: Budget) -> None:
        self.case, self.w, self.out, self.found, self.budget = deriving.case, w, out, verdict, budget
        case, self.formulas = self.case, deriving.formulas
        self.runs = [out if p is case.main else case.scan(p) for p in self.formulas.points]
        self.before = len(out.wrong_lines())
        self.suggested = ""
        self.sights: dict[Step, Sight | None] = {}
        self.chains: dict[tuple[Sight, int], ChainRule] = {}

    def verdict(self) -> Verdict:
        """Return the verdict with the first derived line that cures, or the old one."""
        helping: Verdict | None = None
        for line in self._lines():
            for body, text in self._bodies(line):
                if self.budget.late():
                    return helping or self.found
                fix = Fix(line.step.place, line.path, body)
                if self.case.cures_all(fix):
                    return self._told(line, fix, text)
                if helping is None and self.case.helps(fix, self.w, self.before):
                    helping = self._told(line, fix, text)
                self._remember(line, body, text)
        if helping is not None:
            return helping
        if self.suggested:
            said = f"{self.found.diagnosis.message}; derived from forward it would be `{self.suggested}`, which alone does not cure"
            return self.found._replace(diagnosis=dataclasses.replace(self.found.diagnosis, message=said))
        return self.found

    def _told(self, line: _Line, fix: Fix, text: str) -> Verdict:
        said = self.found.diagnosis.message
        if line.step.place not in (self.w.place, self.found.place):
            said = f"`{line.path}` makes `{self.w.name}` wrong, and no single known mistake explains how"
        said = f"{said}; derived from forward it is `{text}`"
        return Verdict(line.step.place, dataclasses.replace(self.found.diagnosis, message=said), fix)

    def _remember(self, line: _Line, body: Sequence[ast.stmt], text: str) -> None:
        """Keep a line that is right for the wrong variable itself, though the pass is not right with it."""
        e = self.w.event
        if self.suggested or e is None or line.step is not e.step:
            return
        value = self.case.session.rerun(body, e, self.case.main)
        if value is not None and self.case.close(value, self.w.expected, abs(self.w.constant) * self.case.main.slack(self.w.node)):
            self.suggested = text

    # --- which statements, and what they may be meant to give

    def _lines(self) -> Iterator[_Line]:
        """Yield what all wrong variables were made of, if there are several; the statements that build this one; what it was made of."""
        w, wrong = self.w, {x.place: x for x in reversed(self.out.wrong)}
        suspects = self._suspects(w)
        inside = {c.number for s in self.out.recording.steps if s.place == w.place for c in s.calls}
        shared = set.intersection(*({s.place for s in self._suspects(x)} for x in wrong.values())) if len(wrong) > 1 else set()
        first = [s for s in suspects if s.place in shared or s.step.call.number in inside or s.place == self.found.place != w.place]
        for s in first[:MOST_SUSPECTS]:
            yield from self._meant(s.step, s.path, np.shape(s.events[0].value))
        yield from self._own()
        for s in [s for s in suspects if s not in first][:MOST_SUSPECTS]:
            yield from self._meant(s.step, s.path, np.shape(s.events[0].value))

    def _suspects(self, w: Wrong) -> list[Suspect]:
        """Return the statements that a wrong variable was made of; first those that were made of right things alone."""
        found = [s for s in suspects_of(self.case, w, self.out) if s.events and not s.right and not is_primal(self.case, s.events)]
        return sorted(found, key=lambda s: (s.looks_right, s.step.number))

    def _own(self) -> Iterator[_Line]:
        """Yield the statements that build the wrong variable."""
        w, of = self.w, self.formulas.of(self.w.node)
        if of is None:
            return
        multiples = self._multiples()
        for place in reversed(self.case.chain_places(w, self.out)):
            step = self._step(place, w.name)
            if step is not None:
                yield _Line(step, w.name, of, multiples)
                if multiples != [1.0] * len(multiples):
                    yield _Line(step, w.name, of, [1.0] * len(multiples))

    def _meant(self, step: Step, path: str, shape: tuple[int, ...]) -> Iterator[_Line]:
        """Yield the variables whose gradient a statement may be meant to give: those that the next ones at hand were made of first."""
        sight = self._sight(step)
        if sight is None:
            return
        tried: list[Any] = []
        nearest = list(self.formulas.gradients())[::-1]
        for e, truth in sorted(nearest, key=lambda g: g[0] is not self.formulas.of(self.w.node)):
            known = e in sight.given or any(t.shape == truth[0].shape and self.case.close(t, truth[0]) for t in tried)
            if np.shape(truth[0]) != shape or known or not np.any(truth[0]):
                continue
            tried.append(truth[0])
            if self._would_cure(step, path, truth[0]):
                yield _Line(step, path, e, [1.0] * len(truth))
            if len(tried) >= MOST_VARIABLES or self.budget.late():
                return

    def _would_cure(self, step: Step, path: str, value: Any) -> bool:
        """Whether the wrong variable is right with a value in the place of what a statement gave; where that is told by one value."""
        events = [e for e in self.out.events if e.place == step.place and e.path == path]
        if len(events) != 1:
            return True
        fix = Fix(step.place, path, None, lambda _: {(step.call.number, step.visit): value})
        return self.case.left_with(fix, self.w, self.case.main) is not None

    def _multiples(self) -> list[float]:
        """Return which multiple of its gradient the wrong variable should be at each point."""
        matches = [self.w if p is self.case.main else self.case.matching(self.w, p) for p in self.formulas.points]
        constants = [m.constant if m is not None else self.w.constant for m in matches]
        return [self.formulas.exact(c, p) for c, p in zip(constants, self.formulas.points, strict=True)]

    def _step(self, place: Place, path: str) -> Step | None:
        """Return the execution of a statement in which a variable was wrong first, or its last one."""
        e = self.w.event
        if e is not None and e.place == place:
            return e.step
        steps = [s for s in self.out.recording.steps if s.place == place and (e is None or s.call.number == e.call.number)]
        return next((s for s in steps if any(x.path == path for x in s.events)), steps[-1] if steps else None)

    def _sight(self, step: Step) -> Sight | None:
        """Return what a statement can read, unless it was not executed at every point."""
        if step not in self.sights:
            self.sights[step] = self._seen_from(step)
        return self.sights[step]

    def _seen_from(self, step: Step) -> Sight | None:
        found = []
        for run in self.runs:
            same = (s for s in run.recording.steps if s.place == step.place and s.call.number == step.call.number and s.visit == step.visit)
            found.append(next(same, None))
        steps = [s for s in found if s is not None]
        return Sight(self.formulas, steps, [r.events for r in self.runs]) if len(steps) == len(found) else None

    # --- what is written

    def _bodies(self, line: _Line) -> Iterator[tuple[list[ast.stmt], str]]:
        """Yield what may stand in the place of a statement, and how it is told."""
        sight = self._sight(line.step)
        if sight is None:
            return
        told: set[str] = set()
        for how in range(len(WAYS)):
            if self.budget.late():
                return
            try:
                for written in self._chain(sight, how).written(line.of, line.path, line.multiples):
                    for body in _bodies(line.step.place, line.path, written):
                        body = [_in_users_terms(s, line.step.place.function, self.case) for s in body]
                        text = "; ".join(ast.unparse(ast.fix_missing_locations(s)) for s in body)
                        if text not in told:
                            told.add(text)
                            yield body, text
            except Exception:  # noqa: BLE001, S112 (a formula that cannot be written is none)
                continue

    def _chain(self, sight: Sight, how: int) -> ChainRule:
        if (sight, how) not in self.chains:
            self.chains[sight, how] = ChainRule(sight, **WAYS[how], late=self.budget.late)
        return self.chains[sight, how]


def _bodies(place: Place, path: str, written: Written) -> Iterator[list[ast.stmt]]:
    """Yield statements in which a variable has a value that was written."""
    statement = place.statement
    if isinstance(statement, ast.Assign) and [ast.unparse(t) for t in statement.targets] == [path]:
        lines = ast.parse("\n".join(written.lines)).body
        if len(lines) > 1:
            yield lines
            return
    if not written.expression:
        return
    value = ast.parse(written.expression, mode="eval").body
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
            for i, target in enumerate(targets):
                if ast.unparse(target) == path:
                    new: Any = copy.deepcopy(statement)
                    new.value.elts[i] = value
                    yield [new]
        case ast.Assign(targets=[target]) if _is_path(target, path):
            new = copy.deepcopy(statement)
            new.value = value
            yield [new]
        case ast.AugAssign(target=target) if _is_path(target, path):
            added: Any = copy.deepcopy(statement)
            added.value, added.op = value, ast.Add()
            yield [added]
            anew: Any = copy.deepcopy(target)
            yield [ast.Assign(targets=[anew], value=value)]
        case ast.Return():
            new = copy.deepcopy(statement)
            for node in ast.walk(new):
                for name, child in ast.iter_fields(node):
                    for i, x in enumerate(child if isinstance(child, list) else [child]):
                        if isinstance(x, ast.expr) and ast.unparse(x) == path:
                            if isinstance(child, list):
                                child[i] = value
                            else:
                                setattr(node, name, value)
                            yield [new]
                            return


def _is_path(target: ast.expr, path: str) -> bool:
    """Whether what a statement sets is a variable: an entry that a variable names is the one it has there."""
    return ast.unparse(target) == path or (isinstance(target, ast.Subscript) and path.startswith(f"{ast.unparse(target.value)}["))


def _in_users_terms(statement: ast.stmt, function: Function, case: Case) -> ast.stmt:
    """Write NumPy's name, and products of matrices, as the user's function does."""
    holders = case.session.program.functions.holders(function)
    scope = holders[0].__globals__ if holders else {}
    names = [name for name, value in scope.items() if value is np]
    syntax = list(ast.walk(function.tree)) if function.tree is not None else []
    dots = any(isinstance(n, ast.Attribute) and n.attr == "dot" for n in syntax)
    return _Terms(names, dots and not any(isinstance(n, ast.MatMult) for n in syntax)).visit(statement)  # type: ignore[no-any-return]


class _Terms(ast.NodeTransformer):
    def __init__(self, names: Sequence[str], dots: bool) -> None:
        self.numpy = "np" if "np" in names or not names else names[0]
        self.dots = dots

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.copy_location(ast.Name(self.numpy, node.ctx), node) if node.id == "np" else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if not self.dots or not isinstance(node.op, ast.MatMult):
            return node
        return ast.Call(ast.Attribute(ast.Name(self.numpy, ast.Load()), "dot", ast.Load()), [node.left, node.right], [])
