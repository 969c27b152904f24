"""Edits of names: another variable, attribute, entry or element, all occurrences of a name at once, two names exchanged."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_np.check.explain.edits.edit import Edit, Line, Place, is_array, is_size, shape_of
from autograd_np.check.explain.edits.syntax import Change, Path, apart

__all__ = ["computed_edits", "everywhere_edits", "name_edits", "reachable"]

_NAMES = (ast.Name, ast.Attribute, ast.Subscript)


def name_edits(at: Place) -> Iterator[Edit]:
    """Yield other variables in the place of one: those of its shape, entries of its container, arrays that it may be an element of."""
    node, text = at.node, at.text
    if not isinstance(node, _NAMES) or _is_transpose(node):
        return
    value, base = at.value, at.path[-1] == "value" and isinstance(at.parent, (ast.Subscript, ast.Attribute))
    if is_array(value) and value.ndim and value.dtype.kind in "fbiu":
        whole = not isinstance(at.parent, ast.Subscript)
        for argument, call in at.line.hints.applied if whole else ():
            if argument == text and shape_of(at.line.value_of(call)) == value.shape:
                yield at.edit(5.4, "wrong-point", f"`{at.target}` uses `{text}`, should be `{call}`", call)
        for name in at.line.like(value):
            if name != text and whole and (value.dtype.kind in "iu") == (np.asarray(at.line.arrays[name]).dtype.kind in "iu"):
                near = 4 if name in at.line.named else 4.2
                yield at.edit(near, "wrong-point", f"`{at.target}` uses `{text}`, should be `{name}`", name)
        if base and isinstance(at.parent, ast.Subscript):
            yield from _of_base(at, value)
        elif whole and value.dtype.kind == "f" and not at.header:
            yield from _of_other_shape(at, value)
        elif whole and at.header:
            yield from _of_containers(at)
    elif isinstance(value, (dict, list, tuple)):
        if base and isinstance(at.parent, ast.Subscript):
            yield from _of_entry(at, at.parent, value)
        for name, other in at.line.env.items():
            if name != text and type(other) is type(value) and other is not value and not name.startswith("_") and len(other) == len(value):
                yield at.edit(5, "wrong-point", f"`{at.target}` uses `{text}`, should be `{name}`", name)
    elif is_size(value) and isinstance(value, (float, np.floating)):
        for name, other in {**at.line.scalars, **at.line.numbers}.items():
            if name != text and other != value:
                yield at.edit(4.6, "wrong-point", f"`{at.target}` uses `{text}`, should be `{name}`", name)
    if isinstance(node, ast.Name) and not (at.header or at.index or at.setting or at.attribute):
        yield from _of_another_kind(at)
    if not base and not at.index and isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(value, np.ndarray):
        yield from _unindexed(at, node, value)


def _of_other_shape(at: Place, value: Any) -> Iterator[Edit]:
    """Yield the variables of another shape, with as many axes but where gradients are handed over, and masks where a value multiplies."""
    handed = isinstance(at.parent, (ast.Dict, ast.Tuple, ast.List, ast.Return, ast.Call))
    for name, other in at.line.arrays.items():
        fits = np.ndim(other) == value.ndim or (handed and at.line.is_gradient(name))
        if fits and shape_of(other) != value.shape and np.asarray(other).dtype.kind == "f" and name in at.line.env:
            yield at.edit(4.9, "wrong-point", f"`{at.target}` uses `{at.text}`, should be `{name}`", name)
    if _multiplies(at.parent):
        for name in [at.text, *list(at.line.like(value))[:12]]:
            words = f"`{at.target}` is multiplied by the value `{at.text}`, should be by the mask `({name} > 0)`"
            yield at.edit(5.9, "wrong-point", words, f"({name} > 0)")


_TAKES_SIZES = frozenset(
    ["reshape", "zeros", "ones", "empty", "full", "arange", "linspace", "eye", "transpose", "repeat", "tile", "len", "range", "pad"]
)  # fmt: skip


def _of_another_kind(at: Place) -> Iterator[Edit]:
    """Yield arrays in the place of what is none, numbers in that of an array, and arrays that broadcast to the same shape."""
    value = at.value
    elementwise = isinstance(at.parent, ast.BinOp) and not isinstance(at.parent.op, ast.MatMult)
    words = f"`{at.target}` uses `{at.text}`, should be `{{0}}`"
    if not (is_array(value) and np.ndim(value)):
        called = at.line.text(at.parent.func).rpartition(".")[2] if isinstance(at.parent, ast.Call) else ""
        if called in _TAKES_SIZES or isinstance(at.line.env.get(at.text), types.ModuleType):
            return
        for name, other in at.line.arrays.items():
            if np.ndim(other) and name in at.line.env and name != at.text:
                yield at.edit(4.9 if at.line.is_gradient(name) or elementwise else 5.1, "wrong-point", words.format(name), name)
    elif elementwise and value.dtype.kind == "f":
        other = at.line.value(at.parent.left if at.path[-1] == "right" else at.parent.right)
        whole = shape_of(at.line.value(at.parent))
        for name, x in at.line.arrays.items():
            known = name in at.line.env and shape_of(x) != value.shape and np.asarray(x).dtype.kind == "f"
            if known and whole is not None and _broadcast(shape_of(other), shape_of(x)) == whole:
                yield at.edit(5, "wrong-point", words.format(name), name)
        for name in dict.fromkeys([*at.line.counters, *at.line.scalars]):
            yield at.edit(5.3, "wrong-point", words.format(name), name)


def _broadcast(a: tuple[int, ...] | None, b: tuple[int, ...] | None) -> tuple[int, ...] | None:
    try:
        return np.broadcast_shapes(a, b) if a is not None and b is not None else None
    except ValueError:
        return None


def _multiplies(node: ast.AST) -> bool:
    match node:
        case ast.BinOp(op=ast.Mult()) | ast.Call(func=ast.Attribute(attr="multiply")):
            return True
    return False


def _of_containers(at: Place) -> Iterator[Edit]:
    """Yield the lists, tuples and dicts of arrays that a loop may go over, in the place of an array."""
    for name, held in at.line.env.items():
        items = list(held.values()) if isinstance(held, dict) else held if isinstance(held, (list, tuple)) else []
        if items and not name.startswith("_") and any(is_array(x) and np.ndim(x) for x in items):
            yield at.edit(5, "wrong-point", f"`{at.target}` uses `{at.text}`, should be `{name}`", name)


def computed_edits(at: Place) -> Iterator[Edit]:
    """Yield variables in the place of a call that computes an array."""
    if (
        isinstance(at.node, ast.Call)
        and isinstance(at.value, np.ndarray)
        and at.value.dtype.kind == "f"
        and at.value.ndim
        and not at.header
    ):
        for name in at.line.like(at.value):
            if np.asarray(at.line.arrays[name]).dtype.kind == "f":
                yield at.edit(5.6, "wrong-point", f"`{at.target}` uses `{at.text}`, should be `{name}`", name)


def _is_transpose(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("T", "shape", "size", "ndim", "dtype")


def _of_base(at: Place, base: Any) -> Iterator[Edit]:
    """Yield ``Q[i]`` for ``P[i]``."""
    for name, other in at.line.arrays.items():
        if name != at.text and np.ndim(other) == base.ndim and not np.array_equal(other, base) and np.asarray(other).dtype.kind in "fb":
            yield at.edit(4.4, "wrong-point", f"`{at.target}` uses `{at.text}`, should be `{name}`", name)


def _of_entry(at: Place, element: ast.Subscript, container: Any) -> Iterator[Edit]:
    """Yield ``self.weights[key]`` for ``kept[key]``: dicts, also of the object, that have an array of that shape under the key."""
    key, shape = at.line.value(element.slice), shape_of(at.line.value(element))
    fields = {f"self.{k}": v for k, v in getattr(at.line.env.get("self"), "__dict__", {}).items()}
    for name, other in {**at.line.env, **fields}.items() if isinstance(container, dict) and isinstance(key, (str, int)) and shape else ():
        if type(other) is dict and other is not container and not name.startswith("_") and shape_of(other.get(key)) == shape:
            yield at.edit(4, "wrong-point", f"`{at.target}` uses `{at.text}`, should be `{name}`", name)


def _unindexed(at: Place, node: ast.Attribute | ast.Subscript, value: Any) -> Iterator[Edit]:
    """Yield ``dh`` for ``dhs[t]``: the whole of a container, where it has the shape."""
    whole = at.line.value(node.value)
    if is_array(whole) and shape_of(whole) == shape_of(value):
        yield at.edit(
            5.2, "wrong-point", f"`{at.target}` uses `{at.text}`, should be `{at.line.text(node.value)}`", at.line.text(node.value)
        )


def everywhere_edits(line: Line, places: list[Place]) -> Iterator[Edit]:
    """Yield the line with a name replaced wherever it stands, and with two names exchanged."""
    found: dict[str, list[Place]] = {}
    counters: dict[tuple[str, Path], list[Place]] = {}
    for at in (p for p in places if not p.written):
        if at.index and isinstance(at.node, ast.Name) and at.text in line.counters:
            counters.setdefault((at.text, at.path[: at.path.index("slice")]), []).append(at)
        if isinstance(at.node, _NAMES) and not _is_transpose(at.node) and is_array(at.value) and np.ndim(at.value):
            found.setdefault(at.text, []).append(at)
    for text, here in found.items():
        if len(here) > 1:
            for name in line.like(here[0].value):
                if name != text:
                    changes: list[Change] = [(at.path, name) for at in here]
                    yield line.edit(4.5, "wrong-point", f"`{line.target}` uses `{text}`, should be `{name}`", *changes)
        if len(here) > 1 and not any(at.attribute for at in here):
            for function in line.functions_of_one_array():
                words = f"`{text}` in `{line.target}` should be `{function}({text})`"
                yield line.edit(6, "wrong-point", words, *((at.path, f"{function}({text})") for at in here))
    for (text, _), indexed in counters.items():
        for name in line.counters if len(indexed) > 1 else ():
            if name != text:
                words = f"`{line.target}` uses the index `{text}`, should be `{name}`"
                yield line.edit(4.7, "wrong-point", words, *((at.path, name) for at in indexed))
    texts = [t for t, here in found.items() if not any(at.attribute for at in here)][:8]
    for i, a in enumerate(texts):
        for b in texts[i + 1 :]:
            to_b, to_a = [(at.path, b) for at in found[a]], [(at.path, a) for at in found[b]]
            if apart(to_b, to_a):
                yield line.edit(5, "wrong-point", f"`{a}` and `{b}` are exchanged in `{line.target}`", *to_b, *to_a)


def reachable(line: Line) -> dict[str, Any]:
    """Return the arrays in containers and objects in sight: ``cache['A1']``, ``self.W``, and ``r[t]`` where the line reads ``h[t]``."""
    found: dict[str, Any] = {}
    for name, value in line.env.items():
        if isinstance(value, dict) and not name.startswith("_") and len(value) < 40:
            found |= {f"{name}[{k!r}]": v for k, v in value.items() if isinstance(k, str) and is_array(v) and np.ndim(v)}
    for root in (n for n in ast.walk(line.statement) if isinstance(n, ast.Name)):
        owner = line.env.get(root.id)
        fields = getattr(owner, "__dict__", None)
        if isinstance(fields, dict) and not isinstance(owner, (types.ModuleType, types.FunctionType, type)):
            for field, value in list(fields.items())[:60]:
                if is_array(value) and np.ndim(value):
                    found[f"{root.id}.{field}"] = value
                elif isinstance(value, dict) and len(value) < 40:
                    entries = {k: v for k, v in value.items() if isinstance(k, str) and is_array(v) and np.ndim(v)}
                    found |= {f"{root.id}.{field}[{k!r}]": v for k, v in entries.items()}
    found |= _elements(line, found)
    return dict(list(found.items())[:80])


def _elements(line: Line, more: dict[str, Any]) -> dict[str, Any]:
    """Return the arrays at the steps the line is at, in every container in sight: at the indices it uses, and at counters."""
    used = dict.fromkeys(line.text(n.slice) for n in ast.walk(line.statement) if isinstance(n, ast.Subscript) and _is_step(n.slice))
    steps = [c for c in line.counters if c not in line.sizes]
    indices = dict.fromkeys([*used, *steps, *(f"{c} - 1" for c in steps if c in line.named)])
    containers = [k for k, v in line.env.items() if isinstance(v, (dict, list, tuple)) and not k.startswith("_") and len(v) < 1000]
    stacks = [k for k, v in {**line.candidates, **more}.items() if is_array(v) and np.ndim(v) and "[" not in k and k in line.env]
    shapes = {shape_of(line.value_of(n)) for n in line.named}
    found: dict[str, Any] = _beside_elements(line, more)
    for index in indices:
        forms = [f"{name}[{index}]" for name in containers]
        forms += [f"{name}[{before}{index}]" for name in stacks[:20] for before in ("", ":, ")[: np.ndim(line.value_of(name)) - 1 or 1]]
        for form in forms:
            value = line.value_of(form)
            if is_array(value) and np.shape(value) in shapes:
                found[form] = value
    return dict(list(found.items())[:40])


def _beside_elements(line: Line, more: dict[str, Any]) -> dict[str, Any]:
    """Return the elements of entries and attributes where the line reads those of others: ``cache['r'][t]`` beside ``cache['z'][t]``."""
    read = [n for n in ast.walk(line.statement) if isinstance(n, ast.Subscript) and line.text(n.value) in more]
    found: dict[str, Any] = {}
    for node in read:
        base = more[line.text(node.value)]
        for name, other in more.items():
            form = f"{name}[{line.text(node.slice)}]"
            if np.shape(other) == np.shape(base) and form not in found and is_array(value := line.value_of(form)):
                found[form] = value
    return dict(list(found.items())[:30])


def _is_step(index: ast.expr) -> bool:
    return isinstance(index, (ast.Name, ast.BinOp, ast.UnaryOp)) or (isinstance(index, ast.Constant) and isinstance(index.value, int))
