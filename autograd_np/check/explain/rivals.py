"""Of several statements a change of which cures everything: which one is mistaken, and which may be as well."""

from __future__ import annotations

import ast
import difflib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from autograd_np.check.explain.case import Budget, Case
from autograd_np.check.explain.edits.syntax import Path, at, parsed
from autograd_np.check.explain.feeders import is_primal
from autograd_np.check.explain.ordered import Candidate
from autograd_np.check.explain.search import fix_of
from autograd_np.check.judge.names import is_gradients_name
from autograd_np.check.judge.outcome import Outcome
from autograd_np.check.watch.reads import is_numpy
from autograd_np.check.watch.run import Event
from autograd_np.check.watch.source import Place
from autograd_np.typing import Array

__all__ = ["ELSEWHERE", "MOST_RIVALS", "Cure", "chosen", "looks_of", "more_written", "related_to", "weights_of"]

MOST_RIVALS = 2
"""So many statements are named beside the one that is most likely mistaken."""

TIE = 0.25
"""How much less simple a change of another statement may be that is named beside the simplest."""

AGREED = 1.0
"""How much simpler a change is that gives a line the form of others of the code, and less simple one that takes that form from it."""

EXPRESSIONS = 0.75
"""How much of that an expression counts for which other lines have too."""

MADE, MOST_MADE = 1.5, 3
"""How much simpler a change is for each statement more that gives a gradient with it than with another; so many count at most."""

ELSEWHERE = 2.0
"""How much less simple it is that something is missing where a change of what is written on another line cures as well.

What is missing can be made up for on many lines, but hardly by chance by a small change of what another one has.
"""

MOST_TAKEN, MOST_PUT = 3, 6
"""So many words and operators are taken away, and put in their place, in a small change."""

TWICE = 1.5
"""How much less simple a term is that is missing where another line adds it to the variable: that one may be what is off."""

SAID_OTHERWISE = 1.0
"""How much simpler a change is of a line that gives what forward had under the name of a gradient."""

AS_CALLED = 0.5
"""How much more a gradient counts under the name of its variable."""

LONG_ENOUGH = 3
"""So many operations a line has at least whose form says something: others are alike by chance."""


_SQUARES = re.compile(r"\(?([^\W\d][\w.]*)\)? ?\*\* ?2")
OF_WEIGHING, LEAST_OF_WEIGHING = 0.2, 0.3
"""So much of the time for explanations is taken at most to weigh what cures, likeliest first; so many seconds it may take in any case."""


_WORDS = re.compile(r"[^\W\d]\w*(?!\w|\[['\"])")


class Cure(NamedTuple):
    """A change with which everything is right, and how many intermediates speak against it by their names."""

    candidate: Candidate
    doubts: int


def chosen(case: Case, cures: Sequence[Cure], before: Outcome) -> tuple[Candidate, list[Candidate]]:
    """Return the change that is most likely the mistake undone, and those of other statements for which as much speaks."""
    if len(cures) == 1:
        return cures[0].candidate, []
    weights = weights_of(case, cures, before)
    best = min(cures, key=lambda c: (c.doubts, weights[id(c)]))
    others: dict[Place, Cure] = {}
    for c in sorted(cures, key=lambda c: weights[id(c)]):
        near = c.doubts == best.doubts and weights[id(c)] <= weights[id(best)] + TIE
        if near and c.candidate.place != best.candidate.place:
            others.setdefault(c.candidate.place, c)
    return best.candidate, [c.candidate for c in others.values()][:MOST_RIVALS]


def more_written(candidates: Sequence[Candidate]) -> list[bool]:
    """Say of each of some changes whether it only puts something in, while one of another line changes what is written."""
    changed = [c.place for c in candidates if _changes_what_is_written(c)]
    return [_only_inserts(c) and any(place != c.place for place in changed) for c in candidates]


def weights_of(case: Case, cures: Sequence[Cure], before: Outcome) -> dict[int, float]:
    """Return, by the identity of each cure, how simple it is, and how well the rest of the code and of its run agrees with it."""
    looks = looks_of(before)
    multiples = list(dict.fromkeys([1.0, *before.kept.values()]))[:3]
    share = Budget(max(OF_WEIGHING * case.budget.seconds, LEAST_OF_WEIGHING))  # where the time is over as well: what was found is worth it
    likely = sorted(cures, key=lambda c: (c.doubts, c.candidate.rank))
    made = {id(c): _gradients_made(case, c, multiples) for c in share.within(likely)}
    least = min(made.values(), default=0.0)
    elsewhere = {id(c): more for c, more in zip(cures, more_written([c.candidate for c in cures]), strict=True)}

    def weight(c: Cure) -> float:
        more = ELSEWHERE * elsewhere[id(c)] + TWICE * _adds_again(c.candidate)
        more -= SAID_OTHERWISE * _says_otherwise(case, c.candidate, before)
        return c.candidate.rank + more - _agreement(c.candidate, looks) * AGREED - MADE * min(made.get(id(c), least) - least, MOST_MADE)

    return {id(c): weight(c) for c in cures}


def _says_otherwise(case: Case, c: Candidate, before: Outcome) -> bool:
    """Whether a statement gives what forward had, under a name that says that it gives a gradient, or a derivative."""
    events = [e for e in before.events if e.place == c.place and e.path == c.path]
    return bool(events) and is_gradients_name(c.path) and is_primal(case, events)


def _gradients_made(case: Case, cure: Cure, multiples: Sequence[float]) -> float:
    """Return how much of what backward makes with a cure is known from forward, whatever it is called.

    What is a multiple of it, as others are by convention, counts too; a copy, or what backward was handed, does not.

    What lies between the mistake and a line that makes up for it is wrong: the more is right, the nearer a cure is to the mistake.
    What is the whole gradient of the variable that it is called after counts for more: a term of that may be all that was meant.
    """
    c = cure.candidate
    run = case.session.run(case.main, fixes=[*case.fixes, fix_of(c)])
    values: dict[Place, list[Event]] = {}
    had: dict[tuple[int, str], Array] = {}
    for e in run.recording.events:
        before, had[e.call.number, e.path] = had.get((e.call.number, e.path)), e.computed
        if e.place != c.place and before is not None and before.shape == e.computed.shape and case.close(before, e.computed):
            continue  # with this cure another statement does nothing
        statement = c.edit.body[0] if e.place == c.place and len(c.edit.body) == 1 else e.place.statement
        if not (isinstance(statement, ast.Assign) and isinstance(statement.value, (ast.Name, ast.Attribute, ast.Subscript))):
            values.setdefault(e.place, []).append(e)
    handed = [np.asarray(c, float).tobytes() for c in case.main.cotangents.values()]
    made = [some for some in values.values() if some[0].computed.tobytes() not in handed]
    known = sum(max(min(case.known_from_forward(e.computed / m) for e in some) for m in multiples) for some in made)
    return known + AS_CALLED * sum(all(map(case.is_called_after, some)) for some in made)


# --- what a change does to the text

_TOKENS = re.compile(r"[\w.]+|\*\*|[-+*/@|&]=|[<>=!]=|[^\s\w()]")
_NUMBERS = re.compile(r"\d[\d.e]*|[^\w\s]+")


def _differences(c: Candidate) -> tuple[list[str], list[str]]:
    """Return the words and operators that a change takes away, and those that it puts in."""
    old = _TOKENS.findall(ast.unparse(c.place.statement)) if c.place.statement is not None else []
    new = [token for s in c.edit.body for token in _TOKENS.findall(ast.unparse(s))]
    matched = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    taken = [t for what, i, j, _, _ in matched if what != "equal" for t in old[i:j]]
    put = [t for what, _, _, i, j in matched if what != "equal" for t in new[i:j]]
    return taken, put


def _only_inserts(c: Candidate) -> bool:
    """Whether a change only puts something in; a sign is as easily lost as written, and so is the step before in an index."""
    element = bool(c.edit.changes) and all("slice" in path and not {"lower", "upper"} & {*path} for path, _ in c.edit.changes)
    return c.edit.kind != "sign" and not element and not _differences(c)[0]


def _changes_what_is_written(c: Candidate) -> bool:
    """Whether a change puts a few words in the place of some, or takes some away; numbers that change make up for other numbers."""
    taken, put = _differences(c)
    numbers = bool(put) and any(t[0].isdigit() for t in taken) and all(_NUMBERS.fullmatch(t) for t in put)
    return c.edit.kind != "sign" and 0 < len(taken) <= MOST_TAKEN and len(put) <= MOST_PUT and not numbers


def _adds_again(c: Candidate) -> bool:
    """Whether a change adds a term to a variable that another line of the function adds to it."""
    if c.edit.kind != "missing-term" or not c.edit.changes:
        return False
    for s in c.place.function.statements:
        match s:
            case ast.AugAssign(target=target, op=ast.Add(), value=term):
                pass
            case ast.Assign(targets=[target], value=ast.BinOp(left=start, op=ast.Add(), right=term)):
                if ast.unparse(start) != ast.unparse(target):
                    continue
            case _:
                continue
        if ast.unparse(target) == c.path and any(ast.unparse(term) in _added(text) for _, text in c.edit.changes):
            return True
    return False


def _added(text: str) -> set[str]:
    node = parsed(text)
    return {ast.unparse(n.right) for n in ast.walk(node) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add)}


# --- what other lines look like


def related_to(best: Candidate) -> Callable[[Candidate], bool]:
    """Return what tells whether a change puts in, or takes away, variables that another one does; or, as it, none."""
    written: dict[tuple[Place, Path], Counter[str]] = {}

    def subject(c: Candidate) -> set[str]:
        found: Counter[str] = Counter()
        for path, text in c.edit.changes:
            if (c.place, path) not in written:
                written[c.place, path] = Counter(_words(_multiplied_out(ast.unparse(at(c.place.statement, path)))))
            found.update(_words(_multiplied_out(text)))
            found.subtract(written[c.place, path])
        return {word for word, n in found.items() if n}

    own = subject(best)
    return lambda c: bool(own & subject(c)) if own else c.edit.kind == best.edit.kind and not subject(c)


def _multiplied_out(text: str) -> str:
    """Write squares as products: what is squared is one factor more."""
    return _SQUARES.sub(r"\1 * \1", text)


def _words(text: str) -> list[str]:
    """Return the variables, attributes and keys in an expression, without what is asked for a key."""
    return _WORDS.findall(text)


class Looks(NamedTuple):
    """What the statements of the functions that were run look like: how many have each form, and how many hold each expression."""

    forms: Counter[str]
    parts: Counter[str]


def looks_of(out: Outcome) -> Looks:
    """Return what the lines of the code look like."""
    functions = dict.fromkeys(s.place.function for s in out.recording.steps)
    lines = [s for f in functions for s in f.statements]
    return Looks(Counter(form for s in lines if (form := _form(s))), Counter(part for s in lines for part in _parts(s)))


def _agreement(c: Candidate, looks: Looks) -> float:
    """Say whether other lines have the form that a change gives (1), or the one that it takes (-1), or neither; or an expression."""
    statement = c.place.statement
    if statement is None or len(c.edit.body) != 1:
        return 0
    old, new = _form(statement), _form(c.edit.body[0])
    kept = c.edit.kind == "missing-term" and _only_inserts(c)  # what others have is still there
    if old and new and old != new and (forms := int(looks.forms[new] > 0) - int(looks.forms[old] > 1 and not kept)):
        return forms
    before, after = _parts(statement), _parts(c.edit.body[0])
    return EXPRESSIONS * (any(looks.parts[p] > 0 for p in after - before) - any(looks.parts[p] > 1 for p in before - after))


def _parts(statement: ast.stmt) -> set[str]:
    """Return the sums, products and calls in a statement that name two variables at least."""
    value = getattr(statement, "value", None)
    nodes = [n for n in ast.walk(value) if isinstance(n, (ast.BinOp, ast.Call, ast.Compare))] if isinstance(value, ast.expr) else []
    return {text for n in nodes if len(set(_words(text := ast.unparse(n)))) > 1}


def _form(statement: ast.stmt) -> str:
    """Write a statement with its variables numbered in order, so that lines that do the same for others look the same; or nothing."""
    if not isinstance(statement, (ast.Assign, ast.AugAssign)):
        return ""
    operations = sum(isinstance(n, (ast.BinOp, ast.UnaryOp, ast.Call, ast.Attribute, ast.Compare)) for n in ast.walk(statement.value))
    if operations < LONG_ENOUGH:
        return ""
    return ast.unparse(_Numbered().visit(ast.parse(ast.unparse(statement))))


class _Numbered(ast.NodeTransformer):
    """Gives variables, entries and attributes numbers in the order in which they are met; functions keep their names."""

    def __init__(self) -> None:
        self.numbers: dict[str, str] = {}

    def _number(self, text: str) -> ast.expr:
        return ast.Name(self.numbers.setdefault(text, f"v{len(self.numbers)}"), ast.Load())

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Attribute) and not is_numpy(node.func.value):
            node.func.value = self.visit(node.func.value)
        node.args = [self.visit(a) for a in node.args]
        node.keywords = [ast.keyword(k.arg, self.visit(k.value)) for k in node.keywords]
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._number(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if node.attr in ("T", "shape", "size"):
            return ast.Attribute(self.visit(node.value), node.attr, node.ctx)
        return self._number(ast.unparse(node))

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
            return self._number(re.sub(r"\s", "", ast.unparse(node)))
        return self.generic_visit(node)
