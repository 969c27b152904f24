"""A statement that is missing, written after one that does the same for another variable."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from functools import partial

import numpy as np

from autograd_np.check.explain.case import Case
from autograd_np.check.explain.edits.edit import Edit, is_float_array
from autograd_np.check.explain.edits.syntax import statements
from autograd_np.check.explain.ordered import Candidate
from autograd_np.check.judge.handed import respelled
from autograd_np.check.judge.outcome import Returned
from autograd_np.check.watch.interpret import CannotEvaluate, evaluate
from autograd_np.check.watch.run import Step

__all__ = ["twins"]

MOST_ARRAYS = 24
"""So many arrays are tried in the place of one."""

RANK = 6.5

_LAST = re.compile(r"\w+(?=\W*$)")


def twins(case: Case) -> Iterator[Candidate]:
    """Yield the statements that may be missing where a gradient stayed zero: after those for others, with other arrays.

    Where ``grads["Wa"] += da @ a.T`` stands, ``grads["Wx"] += da @ x.T`` may be missing behind it.
    """
    done, _ = case.plain_run()
    returned = [r for r in case.session.returned(case.main, done) if r.decides]
    zero = [r for r in returned if not np.any(r.value) and not case.session.is_right(r, case.main)]
    if len(zero) != 1:
        return
    first: dict[object, Step] = {}
    for step in done.recording.steps:
        first.setdefault(step.place, step)
    others = [r for r in returned if r is not zero[0]]
    for r in others:
        for step in case.budget.within(first.values()):
            yield from _after(case, step, r, zero[0])


def _after(case: Case, step: Step, beside: Returned, missing: Returned) -> Iterator[Candidate]:
    """Yield the statement with its twin behind it, if it sets the gradient `beside`."""
    old, new = (m.group() if (m := _LAST.search(r.path)) else r.path for r in (beside, missing))
    statement = step.place.statement
    match statement:
        case ast.Assign(targets=[target], value=value):
            sign = "="
        case ast.AugAssign(target=target, op=ast.Add(), value=value):
            sign = "+="
        case _:
            return
    written = ast.unparse(target)
    if (m := _LAST.search(written)) is None or m.group() != old or case.session.program.is_truth(step.place):
        return
    for text in _with_other_arrays(case, step, value, np.shape(missing.value)):
        line = f"{respelled(written, old, new)} {sign} {text}"
        made = partial(statements, statement, [statement, line])
        yield Candidate(RANK, Edit(RANK, "missing-term", f"`{line}` is missing after this line", made), step.place, missing.path, None)


def _with_other_arrays(case: Case, step: Step, value: ast.expr, shape: tuple[int, ...]) -> Iterator[str]:
    """Yield an expression with one or two of its arrays exchanged for others, where it has a shape then."""
    scope, unread = case.session.scope(step, case.main), step.place.function.unread
    known = {k: v for k, v in case.session.candidates(step, case.main).items() if is_float_array(v)}
    names = sorted(known, key=lambda n: n not in unread)[:MOST_ARRAYS]
    own = list(
        dict.fromkeys(ast.unparse(n) for n in ast.walk(value) if isinstance(n, (ast.Name, ast.Attribute)) and ast.unparse(n) in known)
    )
    text = ast.unparse(value)
    for count in (1, 2):
        for which in itertools.combinations(own, count):
            either = re.compile("|".join(rf"(?<![\w.]){re.escape(n)}(?!\w)" for n in which))
            for instead in case.budget.within(itertools.product(names, repeat=count)):
                exchanged = dict(zip(which, instead, strict=True))
                if any(a == b for a, b in exchanged.items()):
                    continue
                other = either.sub(lambda found: exchanged[found.group()], text)  # noqa: B023 (used at once)
                try:
                    found = evaluate(ast.parse(other, mode="eval").body, {**scope, **known})
                except (CannotEvaluate, SyntaxError):
                    continue
                if isinstance(found, np.ndarray) and found.shape == shape:
                    yield other
