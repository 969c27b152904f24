"""Edits by analogy: what a statement would be if it were made as another one of the function is, for another variable."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator, Sequence

import numpy as np

from autograd_np.check.explain.edits.edit import Edit, Line, is_float_array, is_size
from autograd_np.check.explain.edits.syntax import differing

__all__ = ["analogy_edits"]

MOST_OTHERS = 60
"""So many statements of a function are compared with one."""

RANK, OF_LARGER = 2.6, 0.1
"""From this rank on a statement is made as another one is; and how much less simple that is for each word that it changes."""

MOST_CHANGED, LEAST_SHARED = 8, 0.5
"""So many words and operators are changed at most, and this share of all stays."""

_NAMES = re.compile(r"[^\W\d]\w*")
_TOKENS = re.compile(r"[^\W\d]\w*|\d[\d.]*|\*\*|[^\s\w]")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


def analogy_edits(line: Line, others: Sequence[ast.stmt]) -> Iterator[Edit]:
    """Yield a statement's value as that of another one is written, with the names that go with its own variable.

    ``dV = dV.swapaxes(1, 2).reshape(B, T, C)`` beside ``dK = dK.swapaxes(1, 2).reshape(B, T, C)``. Only small changes are made.
    """
    own = _assignment(line.statement)
    if own is None:
        return
    target, value = own
    old, seen = _TOKENS.findall(value), {value}
    for other in others[:MOST_OTHERS]:
        found = _assignment(other) if other is not line.statement and type(other) is type(line.statement) else None
        for new in dict.fromkeys(_renamed(found[1], found[0], target)) if found is not None else ():
            if new in seen:
                continue
            seen.add(new)
            tokens = _TOKENS.findall(new)
            changed, shared = _changes(old, tokens)
            if 0 < changed <= MOST_CHANGED and shared >= LEAST_SHARED * max(len(old), len(tokens)) and _is_like(line, new):
                words = f"`{line.target}` should be made as `{found[0] if found else ''}` is: `{new}`"
                yield line.edit(RANK + OF_LARGER * changed, _kind(old, tokens), words, (("value",), new))


def _assignment(statement: ast.stmt) -> tuple[str, str] | None:
    """Write the target and the value of a statement that sets or changes one variable."""
    match statement:
        case ast.Assign(targets=[ast.Name() | ast.Attribute() | ast.Subscript() as target], value=value):
            return ast.unparse(target), ast.unparse(value)
        case ast.AugAssign(target=target, value=value):
            return ast.unparse(target), ast.unparse(value)
    return None


def _renamed(text: str, of: str, to: str) -> Iterator[str]:
    """Yield a value with the names that go with one variable turned into those that go with another: what differs in their names."""
    a, b = differing(of, to)
    if not a or not b or not (a + b).isalnum():
        return
    yield _NAMES.sub(lambda m: _by_words(m.group(), a, b), text)
    yield _NAMES.sub(lambda m: m.group().replace(a, b), text)


def _by_words(name: str, a: str, b: str) -> str:
    """Exchange a word of a name, in whatever case it is written: ``x_k`` and ``W_K`` for ``x_q`` and ``W_Q``."""

    def other(m: re.Match[str]) -> str:
        word = m.group()
        if word.lower() != a.lower():
            return word
        return b.lower() if word.islower() else b.upper() if word.isupper() else b

    return _WORDS.sub(other, name)


def _changes(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """Return how many words differ, and how many stay."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    changed = sum(max(j - i, n - m) for what, i, j, m, n in matcher.get_opcodes() if what != "equal")
    return changed, sum(block.size for block in matcher.get_matching_blocks())


def _is_like(line: Line, new: str) -> bool:
    """Whether a value can be computed, and is an array or a number as what the statement has is."""
    value = line.value_of(new)
    was = line.value(line.statement.value) if isinstance(line.statement, (ast.Assign, ast.AugAssign)) else None
    if is_float_array(value):
        return was is None or is_float_array(was)
    return is_size(value) and is_size(was) and bool(np.all(np.isfinite(value)))


def _kind(old: Sequence[str], new: Sequence[str]) -> str:
    turned = {"T", "swapaxes", "transpose", "moveaxis"}
    if (turned & set(old)) != (turned & set(new)):
        return "transpose"
    names, others = ([t for t in tokens if t[0].isalpha() or t[0] == "_"] for tokens in (old, new))
    if set(names) < set(others):
        return "missing-factor"
    if set(others) < set(names) or (names == others and len(new) < len(old)):
        return "extra-factor" if set(others) < set(names) else "extra-term"
    return "wrong-point"
