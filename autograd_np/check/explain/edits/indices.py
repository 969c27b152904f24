"""Edits of indices: another step or counter, indices exchanged, other bounds and steps of a slice, keys."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

import numpy as np

from autograd_np.check.explain.edits.edit import Edit, Line, Place, is_array
from autograd_np.check.explain.edits.syntax import apart, neighbours
from autograd_np.check.explain.edits.syntax import at as get

__all__ = ["index_edits", "margin_edits", "slice_edits", "window_edits"]

MOST_STEPS = 8
"""So many counters are tried for those that a window moves with."""

MOST_APART = 8
"""A window moves by no more elements at a step."""

BESIDE_COUNTERS = 4.6
"""From this rank on a counter that an index lacks stands there for a number, beside other counters."""


def slice_edits(line: Line, places: list[Place]) -> Iterator[Edit]:
    """Yield the line with the slices of two arrays exchanged."""
    cut = [(p, p.node.slice) for p in places if isinstance(p.node, ast.Subscript) and not p.index and _cuts(p.node.slice)]
    for (a, index), (b, other) in itertools.combinations(cut[:6], 2):
        if line.text(index) != line.text(other) and apart([(a.path, "")], [(b.path, "")]):
            words = f"the slices of `{a.text}` and `{b.text}` in `{line.target}` are exchanged"
            changes = ((*a.path, "slice"), line.text(other)), ((*b.path, "slice"), line.text(index))
            yield line.edit(5, "wrong-point", words, *changes)


def _cuts(index: ast.expr) -> bool:
    return any(isinstance(n, ast.Slice) for n in ast.walk(index))


def window_edits(line: Line, places: list[Place]) -> Iterator[Edit]:
    """Yield the line with a window moved by other counters, and by so many elements at each step: ``x[s*i : s*i + k, s*j : s*j + k]``."""
    for at in places:
        if not isinstance(at.node, ast.Subscript) or at.index or not _cuts(at.node.slice):
            continue
        moved: dict[str, list[Place]] = {}
        for p in places:
            if p.index and p.path[: len(at.path) + 1] == (*at.path, "slice") and isinstance(p.node, ast.Name) and p.text in line.counters:
                moved.setdefault(p.text, []).append(p)
        steps = [name for name, here in moved.items() if len(here) > 1 and any("lower" in p.path for p in here)]  # begins and ends there
        said = f"the window `{at.text}` in `{line.target}` moves with `{', '.join(steps)}`, should move with `{{}}`"
        others = [name for name in line.counters if name not in line.sizes][:MOST_STEPS]
        for new in itertools.permutations(others, 2) if len(steps) == 2 else ():
            if not any(a == b for a, b in zip(steps, new, strict=True)):  # one alone is another edit
                changes = [(p.path, b) for a, b in zip(steps, new, strict=True) for p in moved[a]]
                yield line.edit(5.1, "wrong-point", said.format(", ".join(new)), *changes)
        for some in dict.fromkeys([tuple(steps), *((name,) for name in steps)]):
            for name in line.counters if some else ():
                if name not in moved and name not in others and 1 < line.env[name] <= MOST_APART:
                    changes = [(p.path, f"{name} * {a}") for a in some for p in moved[a]]
                    words = said.format(", ".join(f"{name} * {a}" if a in some else a for a in steps))
                    yield line.edit(5.2 if name[:1] == "s" else 5.3, "wrong-point", words, *changes)  # a stride, by its name


def margin_edits(line: Line, places: list[Place]) -> Iterator[Edit]:
    """Yield an array without a margin on both sides of each axis, or on one: ``x[p:-p, q:-q]``, by the numbers its slices name."""
    for at in places:
        if not isinstance(at.node, ast.Subscript) or at.index or at.written or not isinstance(at.node.slice, ast.Tuple):
            continue
        widths = {i: width for i, e in enumerate(at.node.slice.elts) if isinstance(e, ast.Slice) and (width := _width(line, e))}
        for form in ("{0}:-{0}", "{0}:", ":-{0}") if len(widths) > 1 else ():
            parts = [form.format(widths[i]) if i in widths else line.text(e) for i, e in enumerate(at.node.slice.elts)]
            new = f"{line.text(at.node.value)}[{', '.join(parts)}]"
            yield at.edit(4.8, "wrong-point", f"`{at.text}` in `{line.target}` should be `{new}`", new)


def _width(line: Line, node: ast.Slice) -> str:
    """Return the one number that the bounds of a slice are made of."""
    named = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return next(iter(named)) if len(named) == 1 and named <= {*line.counters} else ""


def index_edits(at: Place) -> Iterator[Edit]:
    """Yield the edits of what stands in an index, and those of the index as a whole."""
    if isinstance(at.node, ast.Subscript) and not _of_shape(at.node):
        yield from _of_whole(at, at.node)
    if at.index and not _in_shape(at):
        yield from _of_number(at)
        if isinstance(at.node, ast.Slice):
            yield from _of_slice(at, at.node)


def _of_shape(node: ast.Subscript) -> bool:
    return isinstance(node.value, ast.Attribute) and node.value.attr == "shape"


def _in_shape(at: Place) -> bool:
    """Whether the index is that of a shape: which axis, not which element."""
    parent = at.parent
    return isinstance(parent, ast.Subscript) and _of_shape(parent)


def _said(at: Place, new: str) -> str:
    return f"the index `{at.text}` in `{at.target}` should be `{new}`"


def _of_whole(at: Place, node: ast.Subscript) -> Iterator[Edit]:
    base, index = at.line.text(node.value), node.slice
    if isinstance(index, ast.Tuple):
        texts = [at.line.text(e) for e in index.elts]
        for i in range(len(texts)):
            for j in range(i + 1, len(texts)):
                if texts[i] != texts[j]:
                    new = [*texts[:i], texts[j], *texts[i + 1 : j], texts[i], *texts[j + 1 :]]
                    words = f"two indices of `{at.text}` in `{at.target}` are exchanged"
                    yield at.edit(5.2, "transpose", words, f"{base}[{', '.join(new)}]")
        for i, text in enumerate(texts):
            if text != ":" and not isinstance(index.elts[i], ast.Slice):
                all_of_it = f"{base}[{', '.join([*texts[:i], ':', *texts[i + 1 :]])}]"
                yield at.edit(6.5, "wrong-point", f"`{at.text}` in `{at.target}` should be `{all_of_it}`", all_of_it)
    if any(isinstance(n, ast.Slice) and n.step is not None for n in ast.walk(index)):
        parts = [at.line.text(e) for e in (index.elts if isinstance(index, ast.Tuple) else [index])]
        while parts and (":" in parts[-1]):
            parts.pop()
        straight = f"{base}[{', '.join(':' if '::' in p else p for p in parts)}]" if parts else base
        yield at.edit(5.2, "wrong-point", f"`{at.text}` in `{at.target}` reads the array in another order than forward", straight)
    value = at.line.value(node.value)
    if is_array(value):
        yield from _of_axes(at, node, np.ndim(value))
    if is_array(value) and np.ndim(value) and not isinstance(at.parent, ast.Subscript):
        yield at.edit(6.4, "wrong-point", f"the index of `{at.text}` does not belong in `{at.target}`", base)


def _of_axes(at: Place, node: ast.Subscript, ndim: int) -> Iterator[Edit]:
    """Yield an index with one more or one less entry, with every slice moved by an offset, and those that forward reads at."""
    base = at.line.text(node.value)
    parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    texts = [at.line.text(p) for p in parts]
    kind = "wrong-reduction" if at.reduced else "wrong-point"
    new: dict[str, float] = {}
    if len(parts) > 1:
        new |= {", ".join([*texts[:i], *texts[i + 1 :]]): 6 for i in range(len(parts))}
    if len(parts) < ndim:
        new[", ".join([":", *texts])] = 5.5
        new |= {", ".join([*texts, name]): 6.2 for name in at.line.counters}
    if any(isinstance(p, ast.Slice) and p.lower is None and p.upper is not None for p in parts):
        for name in at.line.counters:
            moved = [f"{name}:{name} + {t[1:]}" if t.startswith(":") and len(t) > 1 else t for t in texts]
            new[", ".join(moved)] = 5.6
    new |= dict.fromkeys(at.line.hints.indices, 5.9)
    for index, rank in new.items():
        if index != ", ".join(texts):
            yield at.edit(rank, kind, f"`{at.text}` in `{at.target}` should be `{base}[{index}]`", f"{base}[{index}]")


def _is_summed(at: Place) -> bool:
    """Whether a slice is one of an operand of an einsum: a bound of it says how many parts are summed up."""
    trees = [get(at.line.statement, at.path[:i]) for i in range(1, len(at.path))]
    return any(isinstance(t, ast.Call) and at.line.text(t.func).endswith("einsum") for t in trees)


def _of_number(at: Place) -> Iterator[Edit]:
    """Yield other integers in the place of one: its neighbours, other counters; ``l + 1`` for ``l`` inside a key."""
    node, value = at.node, at.value
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or isinstance(node, ast.Slice):
        return
    arithmetic = isinstance(at.parent, ast.BinOp) and isinstance(at.parent.op, (ast.Add, ast.Sub))
    if arithmetic and isinstance(node, ast.Constant):
        return  # the sum has its neighbours
    bound = at.path[-1] if _is_summed(at) and at.path[-1] in ("lower", "upper") else ""
    for new in neighbours(at.line.text(node), node):
        longer = at.line.value_of(new)
        if bound and isinstance(longer, (int, np.integer)):
            more = (longer > value) == (bound == "upper")
            words = f"{_said(at, new)}: what is summed up {'lacks a part' if more else 'has a part too many'}"
            yield at.edit(3.9, "missing-term" if more else "extra-term", words, new)
            continue
        plain = isinstance(node, ast.BinOp) and new == at.line.text(node.left)
        yield at.edit(3.95 if plain else 4.05, "wrong-point", _said(at, new), new)
    if isinstance(node, (ast.Name, ast.Subscript)) or (isinstance(node, ast.BinOp) and not arithmetic):
        for name in at.line.counters:
            if name != at.text and not (isinstance(node, ast.BinOp) and name in at.line.sizes):
                yield at.edit(4.7 if isinstance(node, ast.Name) else 5, "wrong-point", _said(at, name), name)
    if isinstance(node, ast.Name):
        for name in at.line.hints.indices:
            if "," not in name and isinstance(at.line.value_of(name), (int, np.integer)) and at.line.value_of(name) != value:
                yield at.edit(5.6, "wrong-point", _said(at, name), name)
    if isinstance(node, (ast.Constant, ast.UnaryOp)):
        beside = _counters_beside(at)
        for name in at.line.counters[:8]:
            lacking = beside and name not in beside and name not in at.line.sizes
            yield at.edit(BESIDE_COUNTERS if lacking else 5.4, "wrong-point", _said(at, name), name)
        for number in (0, -1):
            if value != number:
                yield at.edit(4.8, "wrong-point", _said(at, str(number)), str(number))
    if isinstance(node, ast.UnaryOp):
        yield at.edit(4.8, "wrong-point", _said(at, at.line.text(node.operand)), at.line.text(node.operand))
    elif not arithmetic:
        yield at.edit(5, "wrong-point", _said(at, f"-{at.text}"), f"-({at.text})")


def _counters_beside(at: Place) -> list[str]:
    """Return the counters that stand beside a number in an index."""
    beside = at.parent.elts if isinstance(at.parent, ast.Tuple) else []
    return [n.id for n in beside if isinstance(n, ast.Name) and n.id in at.line.counters]


def _of_slice(at: Place, node: ast.Slice) -> Iterator[Edit]:
    """Yield a slice with a bound or its step left out, with the bounds at one step's distance, and read backwards."""
    lower, upper, step = (at.line.text(x) if x is not None else "" for x in (node.lower, node.upper, node.step))

    def put(rank: float, a: str, b: str, c: str) -> Iterator[Edit]:
        new = f"{a}:{b}" + (f":{c}" if c else "")
        if (a, b, c) != (lower, upper, step):
            yield at.edit(rank, "wrong-point", _said(at, new), new)

    for a, b in ((lower, ""), ("", upper), ("", ""), (upper, lower)):
        yield from put(5.2, a, b, step)
    for a, b in (("1", upper), (lower, "-1"), ("", "-1"), ("1", "")):
        yield from put(5.4, a, b, step)
    yield from put(5, lower, upper, "" if step else "-1")
    for name in at.line.counters:
        for a, b in ((name, upper), (lower, name)):
            if (a, b) not in ((lower, lower), (upper, upper)):
                yield from put(5.8, a, b, step)
        if not (lower or upper):
            for other in at.line.counters:
                yield from put(6.6, name, f"{name} + {other}", step)
