"""Edits of numbers: another constant, another size, loops over another range."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_np.check.explain.edits.edit import Edit, Place, is_array
from autograd_np.check.explain.edits.syntax import neighbours

__all__ = ["constant_edits", "counter_edits", "loop_edits", "size_edits"]

MOST_COUNTERS = 8
"""So many counters are tried in the place of one."""

NOTHING_ADDED = 3.0
"""From this rank on an array stands where a line adds zero."""

INSTEAD_OF_A_NAME = 1.0
"""How much less simple the size of an array is where the line has a name for one: that name may be set wrongly."""


def constant_edits(at: Place) -> Iterator[Edit]:
    """Yield other numbers in the place of one, such as 2 for the 3 of a power rule."""
    v = at.node.value if isinstance(at.node, ast.Constant) else None
    if isinstance(v, bool) or not isinstance(v, (int, float)) or at.index or at.setting:
        return
    power = isinstance(at.parent, ast.BinOp) and isinstance(at.parent.op, ast.Pow) and at.path[-1] == "right"
    usual = (v + 1, v - 1, 0, 1) if at.header else (v + 1, v - 1, -v, 2 * v, v / 2, 1, 2, 3, 0.5, 1.5, -0.5, -1.5)
    hinted = [] if at.header else [c for c in at.line.hints.constants if c not in usual][:8]
    for c in dict.fromkeys(int(c) if isinstance(v, int) and c == int(c) else c for c in (*usual, *hinted)):
        if c == v or (c == 0 and not at.header and not _fills(at)) or (power and c == 1):
            continue
        words = f"the constant {v:g} in `{at.target}` should be {c:g}"
        kind, rank, factor = "wrong-point", 4.6, None
        if power:
            kind, rank = ("extra-factor" if abs(c) < abs(v) else "missing-factor") if c * v > 0 else "wrong-point", 4.3
        elif c == -v:
            kind, rank = "sign", 3.1
        elif c and v and _scales(at):
            kind, rank, factor = "scale", 3.5 if c in hinted or c in (2, 0.5, 1) else 4.6, v / c
        yield at.edit(rank, kind, words, repr(c), factor)
    if _scales(at):
        for element in _elements_of_target(at):
            words = f"the factor {v:g} in `{at.target}` should be `{element}`"
            yield at.edit(5.4, "missing-factor", words, element)
    if v == 0 and (beside := _added_to(at)) is not None:
        for name in at.line.like(beside, same=True) if is_array(beside) else ():  # nobody means to add nothing
            if name in at.line.env and name != at.line.assigned:
                yield at.edit(NOTHING_ADDED, "missing-term", f"`{name}` should be added in `{at.target}`, not {v:g}", name)


def _elements_of_target(at: Place) -> Iterator[str]:
    """Yield other elements of the array that the line adds to, at the indices it reads others at: what a recursion carries on."""
    statement = at.line.statement
    if not isinstance(statement, ast.AugAssign) or not isinstance(statement.target, ast.Subscript):
        return
    own, base = at.line.text(statement.target.slice), at.line.text(statement.target.value)
    indices = [at.line.text(n.slice) for n in ast.walk(statement.value) if isinstance(n, ast.Subscript)]
    for index in dict.fromkeys(indices):
        element = f"{base}[{index[1:-1] if index.startswith('(') and index.endswith(')') else index}]"
        if index != own and at.line.value_of(element) is not None:
            yield element


def _added_to(at: Place) -> Any:
    """Return the value of what a number is added to, or that of the sum; ``None`` if it is not added."""
    match at.line.statement, at.parent:
        case ast.AugAssign(op=ast.Add() | ast.Sub(), target=target), _ if at.whole:
            return at.line.value_of(at.line.text(target))
        case _, ast.BinOp(op=ast.Add() | ast.Sub()) as whole:
            return at.line.value(whole)
    return None


def _fills(at: Place) -> bool:
    """Whether a number is put into a part of an array, as zeros are where a mask says so."""
    match at.line.statement:
        case ast.Assign(targets=[ast.Subscript()]):
            return at.whole
    return False


def _scales(at: Place) -> bool:
    """Whether a number multiplies or divides."""
    return isinstance(at.parent, ast.BinOp) and isinstance(at.parent.op, (ast.Mult, ast.Div))


def size_edits(at: Place) -> Iterator[Edit]:
    """Yield other sizes in the place of an integer: of another axis, another array, one more or less."""
    node, value = at.node, at.value
    integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool) and not isinstance(node, ast.Constant)
    if (
        not integer
        or at.index
        or at.setting
        or (isinstance(at.parent, ast.BinOp) and at.path[-1] == "left" and _is_count(at.line.value(at.parent)))
    ):
        return
    named = [n for n in ast.walk(node) if isinstance(n, ast.Name) and is_array(at.line.env.get(n.id))]
    own = dict.fromkeys(n.id for n in named)
    seen: dict[int, int] = {int(value): 9}
    loop = isinstance(at.line.statement, ast.For)
    for rank, text, size in _sizes_in_sight(at, list(own)):
        if seen.get(size, 0) < 3 and text != at.text and _is_count(at.line.value_of(text)):
            seen[size] = seen.get(size, 0) + 1
            kind = "scale" if not loop else "missing-term" if size > value else "extra-term"
            yield at.edit(
                rank + INSTEAD_OF_A_NAME * (isinstance(node, ast.Name) and not text.isidentifier()),
                kind,
                f"`{at.text}` (= {value}) in `{at.target}` should be `{text}` (= {size})",
                text,
                value / size if size else None,
            )
    for name, scalar in at.line.scalars.items() if at.path[0] == "value" else ():
        yield at.edit(4.4, "scale", f"`{at.text}` in `{at.target}` should be `{name}`", name, value / scalar)
    for sign in "+-" if not loop else "":
        yield at.edit(5.4, "scale", f"`{at.text}` in `{at.target}` should be `{at.text} {sign} 1`", f"({at.text}) {sign} 1")


def counter_edits(at: Place) -> Iterator[Edit]:
    """Yield other counters in the place of one in a number that is computed from it, as where a window starts: ``j * stride``."""
    match at.line.statement:
        case ast.Assign(targets=[ast.Name()]) if isinstance(at.node, ast.Name) and at.path[0] == "value":
            pass
        case _:
            return
    counters = [name for name in at.line.counters if name not in at.line.sizes][:MOST_COUNTERS]
    if at.text not in counters or at.index or at.setting or not _is_count(at.line.value(at.line.statement.value)):
        return
    for name in counters:
        if name not in (at.text, at.line.target):
            yield at.edit(4.2, "wrong-point", f"`{at.text}` in `{at.target}` should be `{name}`", name)


def _is_count(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _sizes_in_sight(at: Place, own: list[str]) -> Iterator[tuple[float, str, int]]:
    """Yield (rank, text, number): the sizes of the arrays the expression names, the integers in sight, the sizes of other arrays."""
    for name in own:
        array = at.line.env[name]
        yield from ((3.6, f"{name}.shape[{i}]", n) for i, n in enumerate(np.shape(array)))
        yield 3.8, f"{name}.size", int(np.size(array))
    yield from ((4, name, int(at.line.env[name])) for name in at.line.counters if at.line.env[name] > 0)
    for name, array in at.line.arrays.items():
        if name in at.line.env and name not in own:
            yield from ((4.2, f"{name}.shape[{i}]", n) for i, n in enumerate(np.shape(array)))


# --- loops


def loop_edits(at: Place) -> Iterator[Edit]:
    """Yield other ranges of a loop: a step more or less at either end, the other order."""
    if not isinstance(at.line.statement, ast.For):
        return
    node, text = at.node, at.text
    is_range = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"
    if at.path == ("iter",):
        inner = node.args[0] if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "reversed" else None
        new = at.line.text(inner) if inner is not None else f"reversed({text})" if is_range else f"reversed(list({text}))"
        yield at.edit(4, "wrong-point", f"the loop over `{text}` should run the other way: over `{new}`", new)
    if not is_range or not isinstance(node, ast.Call) or node.keywords or not node.args:
        return
    written = [at.line.text(a) for a in node.args]
    start, stop, step = ("0", written[0], "") if len(written) == 1 else (written[0], written[1], written[2] if len(written) > 2 else "")
    last = node.args[0] if len(written) == 1 else node.args[1]
    count = at.value
    for a in dict.fromkeys((start, "0", "1", *_off(node.args[0], len(written) > 1))):
        for b in dict.fromkeys((stop, *neighbours(stop, last), "-1")):
            if (a, b) != (start, stop) and (a == start or b == stop):
                new = f"range({b})" if a == "0" and not step else f"range({a}, {b})" if not step else f"range({a}, {b}, {step})"
                steps = at.line.value_of(new)
                if isinstance(steps, range) and isinstance(count, range) and steps != count:
                    kind = "missing-term" if len(steps) > len(count) else "extra-term" if len(steps) < len(count) else "wrong-point"
                    yield at.edit(4, kind, f"the loop over `{text}` should be over `{new}`", new)
    if step:
        yield at.edit(5, "wrong-point", f"the loop over `{text}` should be over `range({start}, {stop})`", f"range({start}, {stop})")


def _off(node: ast.expr, written: bool) -> list[str]:
    return neighbours(ast.unparse(node), node) if written else []
