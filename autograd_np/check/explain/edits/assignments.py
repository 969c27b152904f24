"""Edits of an assignment: its sign and scale, what it does with its target, a statement that is missing after it or does not belong."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd_np.check.explain.edits.edit import Edit, Line, is_array, is_float_array, shape_of
from autograd_np.check.explain.edits.syntax import negated, plain
from autograd_np.check.watch.spelling import wanted_names

__all__ = ["assignment_edits"]

OF_CALLED = 5.8
"""From this rank on results are unpacked in another order, where they are unpacked in that of their variables."""


OF_NAMESAKES = 8.0
"""From this rank on those are unpacked in another order that have the names forward has for them."""

OF_SHAPES = 4.4
"""From this rank on the length of an array is a factor that is missing: one divides by it, and may do so by another one's."""

OF_ONE, EXCHANGED, MOST_RESULTS = 3.0, 4.0, 6
"""From these ranks on one of several results has the wrong sign, and two are exchanged; of so many at most."""

WRITTEN = 0.3
"""How much simpler it is to take away a minus that was written than to write one."""


def assignment_edits(line: Line) -> Iterator[Edit]:
    """Yield the edits of an assignment as a whole."""
    match line.statement:
        case ast.Assign(targets=[target]) | ast.AnnAssign(target=target) if line.statement.value is not None:
            yield from _of_value(line, line.statement.value)
            yield from _of_target(line, target, line.statement.value)
        case ast.Return(value=ast.expr() as value) if not isinstance(value, (ast.Tuple, ast.Dict, ast.List)):
            yield from _of_value(line, value)
        case ast.Return(value=ast.Tuple(elts=elts)) if len(elts) <= MOST_RESULTS:
            yield from _of_results(line, elts)
        case ast.AugAssign():
            yield from _of_update(line, line.statement)
    if isinstance(line.statement, (ast.Assign, ast.AugAssign, ast.Expr)):
        yield from _superfluous(line)
        yield from _followed(line)


def _of_results(line: Line, elts: Sequence[ast.expr]) -> Iterator[Edit]:
    """Yield the sign of one of several results, and two of them exchanged."""
    arrays = [i for i, e in enumerate(elts) if is_float_array(line.value(e))]
    for i in arrays:
        written = line.text(elts[i]).startswith("-")
        words = f"the sign of `{line.text(elts[i])}`, which is returned, is wrong"
        yield line.edit(OF_ONE - WRITTEN * written, "sign", words, (("value", "elts", i), negated(elts[i], line.text)), less=written)
    for i, j in itertools.combinations(arrays, 2):
        a, b = line.text(elts[i]), line.text(elts[j])
        if a != b:
            words = f"`{a}` and `{b}` are returned in the wrong order"
            yield line.edit(EXCHANGED, "wrong-point", words, (("value", "elts", i), b), (("value", "elts", j), a))


# --- the value


def _of_value(line: Line, value: ast.expr) -> Iterator[Edit]:
    opposite = negated(value, line.text)
    written = isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub)
    words = f"the sign of `{line.target}` is wrong: it should be `{plain(opposite)}`"
    yield line.edit(1 - WRITTEN * written, "sign", words, (("value",), opposite), less=written)
    yield from _scaled(line, line.text(value), ("value",))


def _scaled(line: Line, text: str, path: tuple[str, ...]) -> Iterator[Edit]:
    """Yield the value multiplied and divided by the numbers in sight; literals of the line come before sizes that equal them."""
    sizes = {**line.sizes, **{f"{k}.size": float(np.size(v)) for k, v in line.arrays.items() if k in line.named and k in line.env}}
    literals = {f"{n.value:g}" for n in ast.walk(line.statement) if isinstance(n, ast.Constant) and isinstance(n.value, (int, float))}
    for name, size in sorted(sizes.items(), key=lambda item: item[0] not in literals):
        if size in (0, 1):
            continue
        plain = name[0].isdigit()
        written = name if plain or line.value_of(name) is not None else f"{size:g}"
        said = name if plain else f"{name} (= {size:g})"
        rank = 2.4 if plain and size != 2 else 2.3 if name.endswith(".size") else 2
        words = f"`{line.target}` is {size:.4g} × too large: divide by {said}"
        yield line.edit(rank, "scale", words, (path, f"({text}) / {written}"), factor=size)
        words = f"`{line.target}` is {size:.4g} × too small: a factor {said} is missing"
        rank = OF_SHAPES if "[" in name else rank
        yield line.edit(rank, "scale", words, (path, f"{written} * ({text})"), factor=1 / size)
        if size == 2:
            yield line.edit(2.2, "scale", f"`{line.target}` is 2 × too large: a factor 0.5 is missing", (path, f"0.5 * ({text})"), factor=2)
        if not plain and size > 2:
            root = f"{line.np}.sqrt({written})"
            yield line.edit(4.6, "scale", f"`{line.target}` should be divided by √{name}", (path, f"({text}) / {root}"), factor=size**0.5)
            yield line.edit(4.7, "scale", f"`{line.target}` lacks the factor √{name}", (path, f"{root} * ({text})"), factor=size**-0.5)


# --- the target


def _of_target(line: Line, target: ast.expr, value: ast.expr) -> Iterator[Edit]:
    written, text = line.text(target), line.text(value)
    if isinstance(target, (ast.Tuple, ast.List)):
        yield from _unpacked(line, target)
        return
    if line.value_of(written) is not None:
        words = f"`{written}` is overwritten here: use `+=` to add to what it had"
        yield line.instead(3.4, "missing-term", words, f"{written} += {text}")
        plain = _reads(value, written)  # what is made of the variable itself replaces it
        yield line.instead(6.5 if plain else 4.4, "missing-term", f"`{written}` is overwritten here: use `-=`", f"{written} -= {text}")
        if is_float_array(line.value_of(written)):
            yield line.instead(6, "missing-factor", f"`{written}` is overwritten here: use `*=`", f"{written} *= {text}")
    if isinstance(target, ast.Subscript):
        yield from _scattered(line, target, text)
        yield from _of_elements(line, target, value)
    yield from _other_targets(line, target, f"= {text}")


def _reads(value: ast.expr, written: str) -> bool:
    return any(ast.unparse(n) == written for n in ast.walk(value) if isinstance(n, (ast.Name, ast.Attribute, ast.Subscript)))


def _unpacked(line: Line, target: ast.Tuple | ast.List) -> Iterator[Edit]:
    names = [line.text(t) for t in target.elts]
    of_gradients = _in_order(line, names)
    as_named = {n for n, held in zip(names, _held(line, len(names)), strict=True) if _is_same(line.candidates.get(n), held)}
    for i, j in itertools.combinations(range(min(len(names), 8)), 2):
        if "_" not in (names[i], names[j]) and not any(n.startswith("*") for n in (names[i], names[j])):
            swapped = [*names[:i], names[j], *names[i + 1 : j], names[i], *names[j + 1 :]]
            words = f"`{names[i]}` and `{names[j]}` are unpacked in the wrong order"
            rank = OF_NAMESAKES if {names[i], names[j]} <= as_named else OF_CALLED if of_gradients else 4.8
            yield line.edit(rank, "wrong-point", words, (("targets", 0), ", ".join(swapped)))


def _held(line: Line, count: int) -> Sequence[Any]:
    """Return what is unpacked, where it can be found out."""
    value = line.value(line.statement.value) if isinstance(line.statement, ast.Assign) else None
    return value if isinstance(value, (tuple, list)) and len(value) == count else [None] * count


def _is_same(a: Any, b: Any) -> bool:
    return is_array(a) and is_array(b) and a.shape == b.shape and np.array_equal(a, b)


def _in_order(line: Line, names: Sequence[str]) -> bool:
    """Whether gradients are unpacked in the order of the variables they are called after: then what was called gave them in another one."""
    known = {name.lower(): i for i, name in reversed([*enumerate(line.candidates)])}
    places = [next((known[x.lower()] for x in wanted_names(n) if x.lower() in known), -1) for n in names]
    return min(places) >= 0 and places == sorted(set(places))


def _other_targets(line: Line, target: ast.expr, rest: str) -> Iterator[Edit]:
    """Yield the assignment to another variable, or to another array at the same index."""
    old = line.value_of(line.text(target))
    if isinstance(target, (ast.Name, ast.Attribute)) or (isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant)):
        for name in line.like(old, same=True) if is_array(old) else ():
            if name != line.text(target) and name in line.env:
                words = f"`{line.text(target)}` is set here, it should be `{name}`"
                yield line.instead(5.6, "wrong-point", words, f"{name} {rest}")
    if isinstance(target, ast.Subscript):
        base, index = line.value_of(line.text(target.value)), line.text(target.slice)
        index = index[1:-1] if isinstance(target.slice, ast.Tuple) and index.startswith("(") else index
        for name, other in line.env.items():
            if type(other) is type(base) and other is not base and not name.startswith("_") and _alike(other, base):
                words = f"`{line.text(target)}` is set here, it should be `{name}[{index}]`"
                yield line.instead(5.6, "wrong-point", words, f"{name}[{index}] {rest}")


def _alike(a: Any, b: Any) -> bool:
    """Whether two containers may be written into at the same index."""
    return isinstance(a, (dict, list)) or (is_array(a) and np.shape(a)[1:] == np.shape(b)[1:])


def _scattered(line: Line, place: ast.Subscript, value: str) -> Iterator[Edit]:
    """Yield ``np.add.at``: an index may name an element more than once."""
    at = line.value(place.slice)
    if any(isinstance(i, (np.ndarray, list)) for i in (at if isinstance(at, tuple) else (at,))):
        base, index = line.text(place.value), line.text(place.slice)
        entries = place.slice.elts if isinstance(place.slice, ast.Tuple) else [place.slice]
        written = ", ".join(_as_argument(line, entry) for entry in entries)
        written = f"({written})" if isinstance(place.slice, ast.Tuple) else written
        words = f"an index that `{base}[{index}]` names twice counts once: use `{line.np}.add.at({base}, {written}, ...)`"
        yield line.instead(3.8, "missing-term", words, f"{line.np}.add.at({base}, {written}, {value})")


def _as_argument(line: Line, entry: ast.expr) -> str:
    """Write an entry of an index as it is handed to a function: a slice by its name."""
    if not isinstance(entry, ast.Slice):
        return line.text(entry)
    bounds = [line.text(b) if b is not None else "None" for b in (entry.lower, entry.upper, entry.step)]
    given = bounds if bounds[2] != "None" else bounds[:2] if bounds[0] != "None" else bounds[1:2]
    return f"slice({', '.join(given)})"


def _of_elements(line: Line, target: ast.Subscript, value: ast.expr) -> Iterator[Edit]:
    """Yield the numbers that elements may be set to, or changed by: of a mask, a one-hot label."""
    if is_float_array(line.value(target.value)) and not isinstance(value, ast.Constant):
        for number in "10":
            words = f"what `{line.text(target)}` gets should be {number}, not `{line.text(value)}`"
            yield line.edit(5.4, "wrong-point", words, (("value",), number))


# --- updates


_SYMBOLS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Pow: "**"}


def _of_update(line: Line, s: ast.AugAssign) -> Iterator[Edit]:
    """Yield the edits of ``+=`` and the like: a scatter that adds, ``=``, another operator."""
    target, text, op = line.text(s.target), line.text(s.value), type(s.op)
    additive = op in (ast.Add, ast.Sub)
    if isinstance(s.target, ast.Subscript) and op is ast.Add:
        yield from _scattered(line, s.target, text)
    yield from _other_targets(line, s.target, f"{_SYMBOLS.get(op, '+')}= {text}")
    if isinstance(s.target, ast.Subscript) and additive:
        yield from _of_elements(line, s.target, s.value)
    words = (
        f"`{target}` adds to a value that already holds this term: use `=`"
        if additive
        else f"`{target}` should be set, not changed: use `=`"
    )
    yield line.instead(3.6, "double-count", words, f"{target} = {text}")
    if additive:
        other = "-=" if op is ast.Add else "+="
        words = f"the sign of the term added to `{line.target}` is wrong: use `{other}`"
        yield line.instead(1 - WRITTEN * (op is ast.Sub), "sign", words, f"{target} {other} {text}", less=op is ast.Sub)
        yield from _scaled(line, text, ("value",))
    elif op in (ast.Mult, ast.Div):
        other, wanted = ("/=", "divided") if op is ast.Mult else ("*=", "multiplied")
        yield line.instead(
            3,
            "scale" if not is_float_array(line.value(s.value)) else "extra-factor",
            f"`{target}` should be {wanted} by `{text}`",
            f"{target} {other} {text}",
        )
        yield line.instead(6, "missing-term", f"`{text}` should be added to `{target}`", f"{target} += {text}")
        if isinstance(s.target, ast.Subscript) and _is_mask(line.value(s.target.slice)):
            yield line.instead(4.2, "missing-factor", f"`{target}` should be set to zero", f"{target} = 0")
    if op in (ast.Add, ast.Sub) and is_float_array(line.value_of(target)):
        yield line.instead(6, "missing-factor", f"`{target}` should be multiplied by `{text}`", f"{target} *= {text}")


def _is_mask(index: Any) -> bool:
    return is_array(index) and index.dtype.kind == "b"


# --- statements too many and too few


def _superfluous(line: Line) -> Iterator[Edit]:
    """Yield the edit that leaves the statement out, where its target has a value without it."""
    s = line.statement
    if isinstance(s, ast.Expr) and not isinstance(s.value, ast.Call):
        return
    target = s.target if isinstance(s, ast.AugAssign) else s.targets[0] if isinstance(s, ast.Assign) else None
    if target is not None and (line.value_of(line.text(target)) is None or isinstance(target, (ast.Tuple, ast.List))):
        return
    kind, what = "extra-term", f"`{line.written}` does not belong here"
    if isinstance(s, ast.AugAssign) and isinstance(s.op, (ast.Mult, ast.Div)):
        kind = "extra-factor" if is_float_array(line.value(s.value)) else "scale"
    elif isinstance(s, ast.Assign):
        kind = "extra-factor"
        if target is not None and _updates(s, line.text(target)):
            kind, what = "stale-value", f"`{line.text(target)}` is changed here before it is used"
    yield line.instead(4.9, kind, what)


def _updates(s: ast.Assign, target: str) -> bool:
    return isinstance(s.value, ast.BinOp) and isinstance(s.value.op, (ast.Sub, ast.Add)) and ast.unparse(s.value.left) == target


def _followed(line: Line) -> Iterator[Edit]:
    """Yield the statement followed by one that may be missing: a mask, a factor, a penalty, the one of a one-hot label."""
    s = line.statement
    target = s.target if isinstance(s, ast.AugAssign) else s.targets[0] if isinstance(s, ast.Assign) else None
    if not isinstance(s, (ast.Assign, ast.AugAssign)) or not isinstance(target, (ast.Name, ast.Attribute, ast.Subscript)):
        return
    name = line.text(target.value if isinstance(target, ast.Subscript) and isinstance(line.value(target.value), np.ndarray) else target)
    read = name if line.value_of(name) is not None or isinstance(s, ast.AugAssign) else f"({line.text(s.value)})"
    value = line.value_of(read)
    if not is_float_array(value):
        return
    updates = isinstance(s, ast.AugAssign) or isinstance(target, ast.Subscript)

    def then(rank: float, kind: str, text: str) -> Edit:
        return line.instead(rank, kind, f"`{text}` is missing after this line", s, text)

    for index in line.hints.indices:
        if line.value_of(f"{read}[{index}]") is not None:
            yield then(6.4, "missing-term", f"{name}[{index}] -= 1")
    for other in line.like(value, same=True):
        if np.asarray(line.arrays[other]).dtype.kind == "f" and line.value_of(other) is not None:
            yield then(7.2, "missing-factor", f"{name}[{other} <= 0] = 0")
            if updates:
                yield then(6.6, "missing-factor", f"{name} *= {other}")
                yield then(6.8, "missing-term", f"{name} += {other}")
        elif np.asarray(line.arrays[other]).dtype.kind == "b":
            yield then(7, "missing-factor", f"{name}[~{other}] = 0")
            yield then(7, "missing-factor", f"{name}[{other}] = 0")
    if updates:
        for size_name, size in line.sizes.items():
            if size not in (0, 1) and line.value_of(size_name) is not None:
                yield then(6.2, "scale", f"{name} /= {size_name}")
        for term in line.hints.terms:
            if shape_of(line.value_of(term)) == shape_of(value):
                yield then(6.2, "missing-term", f"{name} += {term}")
                yield then(6.4, "missing-term", f"{name} += 2 * {term}")
