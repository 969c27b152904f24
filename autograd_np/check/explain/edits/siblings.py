"""Sums that may lack something that others have: ``do @ Vo.T + dg @ Vg.T`` has a sibling for each gate, other lines have the sum itself."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Sequence

from autograd_np.check.explain.edits.edit import Edit, Line, Place, is_float_array, shape_of
from autograd_np.check.explain.edits.syntax import around, differing

__all__ = ["outfactored_edits", "sibling_edits"]

RANK = 3.8
"""From this rank on a sum lacks a sibling of its terms."""

MOST_LETTERS, MOST_SIBLINGS = 4, 24
"""So long is what the names of siblings differ in; so many are tried."""

OUTFACTORED, MOST_SUMS = 4.4, 8
"""From this rank on a sum that is multiplied out is the one of other lines, times what its terms share; so many are tried."""

_TOKENS = re.compile(r"[^\W\d]\w*|\d+|\W")
_NAME = re.compile(r"[^\W\d]\w*")


def sibling_edits(at: Place) -> Iterator[Edit]:
    """Yield a sum of terms that differ in a part of their names alone, with the term of another such part."""
    if at.index or at.setting or at.header or not is_float_array(at.value) or _is_sum(at.parent):
        return
    terms = list(_terms(at.node))
    texts = [at.line.text(t) for t in terms]
    seen = {*texts}
    for a, b in itertools.combinations([_TOKENS.findall(t) for t in texts], 2):
        for text in _siblings(at.line, a, b):
            if text not in seen and shape_of(at.line.value_of(text)) == shape_of(at.value):
                words = f"`+ {text}` is missing in `{at.target}`: it has such terms for others"
                yield at.edit(RANK, "missing-term", words, f"{at.text} + {text}")
            seen.add(text)


def outfactored_edits(at: Place) -> Iterator[Edit]:
    """Yield the sum that other lines have, times a factor of all terms, for one that is multiplied out: a term of it may lack one.

    Where others have ``dc + dh * o``, ``(dc + dh * o) * f`` is meant by ``dc * f + o * f``.
    """
    if at.index or at.setting or at.header or not is_float_array(at.value) or _is_sum(at.parent):
        return
    factors = [[at.line.text(f) for f in _factors(t)] for t in _terms(at.node)]
    shared = [f for f in dict.fromkeys(factors[0]) if all(f in other for other in factors)] if len(factors) > 1 else []
    read = dict.fromkeys(f for some in factors for f in some) if shared else {}
    sums = {ast.unparse(n): n for name in read for n in at.line.beside.get(name, ()) if isinstance(n.op, ast.Add)}
    for text in [t for t in sums if t not in at.text][:MOST_SUMS]:
        for factor in shared if shape_of(at.line.value_of(text)) == shape_of(at.value) else ():
            new = f"({text}) * {factor}"
            words = f"`{at.text}` in `{at.target}` should be `{new}`: other lines have that sum"
            yield at.edit(OUTFACTORED, "missing-factor", words, new)


def _factors(node: ast.expr) -> Iterator[ast.expr]:
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        yield node.right
        node = node.left
    yield node


def _is_sum(node: object) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub))


def _terms(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the terms of a sum; nothing where something is subtracted."""
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield node.right
        node = node.left
    if not _is_sum(node):
        yield node


def _siblings(line: Line, a: Sequence[str], b: Sequence[str]) -> Iterator[str]:
    """Yield a term with another part in the place of that in which its names, and those of another term, differ."""
    if len(a) != len(b):
        return
    differ = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
    parts = {differing(a[i], b[i]) for i in differ}
    if not differ or len(parts) != 1 or "" in (part := next(iter(parts))) or not all(_NAME.fullmatch(a[i]) for i in differ):
        return
    ends = [around(a[i], b[i]) for i in differ]
    before, after = ends[0]
    pattern = re.compile(rf"{re.escape(before)}(\w{{1,{MOST_LETTERS}}}){re.escape(after)}")
    known = dict.fromkeys(word for name in (*line.env, *line.candidates) for word in _NAME.findall(name))
    others = dict.fromkeys(m.group(1) for word in known if (m := pattern.fullmatch(word)))
    for other in [o for o in others if o not in part][:MOST_SIBLINGS]:
        tokens = list(a)
        for i, (start, end) in zip(differ, ends, strict=True):
            tokens[i] = f"{start}{other}{end}"
        yield "".join(tokens)
