"""What backward computed and did not hand over, and what it did to right gradients afterwards."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_np.check.judge.compare import close
from autograd_np.check.judge.names import is_data, is_label
from autograd_np.check.judge.outcome import Absent, Fix, Returned
from autograd_np.check.judge.results import Result
from autograd_np.check.judge.session import Done, Session
from autograd_np.check.judge.trained import is_trained, path_of
from autograd_np.check.watch.interpret import CannotEvaluate, evaluate
from autograd_np.check.watch.point import Point
from autograd_np.check.watch.reads import is_numpy, roots_written_by
from autograd_np.check.watch.run import Event
from autograd_np.check.watch.source import Place
from autograd_np.check.watch.state import Attribute

__all__ = ["Clipping", "Withheld", "absent", "clipping", "in_place_of_gradients", "misplaced", "respelled", "withheld", "without_gradient"]


class Withheld(NamedTuple):
    """A gradient that was computed and neither returned, stored nor used."""

    event: Event
    forward_name: str


def withheld(session: Session, point: Point, done: Done) -> Iterator[Withheld]:
    """Yield the gradients of inputs that backward computes and hands to nobody."""
    covered = {t for target in session.targets.values() for t in target.name.split("\0")}
    ends = session.structure(point)
    handed = {np.asarray(r.value).tobytes() for r in done.results if np.size(r.value) > 1}
    seen: set[str] = set()
    displaced = bool(displacing(session, done))  # something else stands where a gradient may belong
    twice = _returned_twice(session)
    strange = {r.value.shape for r in strangers(session, point, done)}
    others = any(t.is_input for t in session.targets.values())
    for e in reversed(done.recording.events):
        if e.call.number != 0 or e.key not in ends or "[" in e.path or "." in e.path or e.path in seen:
            continue
        seen.add(e.path)
        meaning = session.pairing.meaning(e, point)
        leaf = point.leaf(meaning.name) if meaning is not None else None
        if meaning is None or leaf is None or meaning.name in covered or not np.any(point.truth(leaf)):
            continue
        crowded = displaced or e.value.shape in strange or () in strange
        asked = session.wrt is not None and meaning.name in session.wrt
        if session.wrt is not None and not asked:
            continue
        if not (asked or crowded or _stands_alone(e)) and others and is_data(meaning.name):
            continue
        if np.shape(leaf.out) != e.value.shape or e.value.tobytes() in handed or meaning.name in done.updated:
            continue
        if _unpacked(e.place) and not crowded and not _has_sibling_in(meaning.name, covered, point):
            continue
        if twice or not _read_later(e):
            yield Withheld(e, meaning.name)


def _returned_twice(session: Session) -> bool:
    """Whether one input's gradient stands in two places of a returned tuple: then another one may have been used, and not returned."""
    inputs = [t.name for w, t in session.targets.items() if w[0] == "returned" and t.is_input]
    return len(set(inputs)) < len(inputs)


def displacing(session: Session, done: Done) -> list[tuple[Any, ...]]:
    """Return where in what is returned there is no gradient of an input, or one that is handed over elsewhere as well."""
    inputs = [t.name for t in session.targets.values() if t.is_input]
    kept = {("returned", *r.keys) for r in done.results if not r.left and re.fullmatch(r"self\.[\w.]+", r.path)}
    returned = [w for w in session.targets if w[0] == "returned" and len(w) <= 2 and all(isinstance(k, int) for k in w[1:])]
    return [
        w
        for w in returned
        if not session.targets[w].is_input or inputs.count(session.targets[w].name) > 1 or (w in kept and len(inputs) > 1)
    ]


def strangers(session: Session, point: Point, done: Done) -> list[Result]:
    """Return what is returned, alone or in a tuple, though it is a variable of forward's, or a whole number, and no gradient."""
    paired = {w[1:] for w in session.targets if w[0] == "returned"}
    result, statement = done.recording.result, session.handing(done.recording)
    elements = getattr(getattr(statement.statement, "value", None), "elts", []) if statement is not None else []
    numbers = [
        Result(ast.unparse(elements[i]), "", (i,), np.asarray(x, float), elements[i])
        for i, x in enumerate(result if isinstance(result, tuple) and len(result) == len(elements) else ())
        if isinstance(x, (int, np.integer)) and not isinstance(x, bool) and isinstance(elements[i], ast.Name)
    ]
    return numbers + [
        r
        for r in done.results
        if not r.left and len(r.keys) <= 1 and all(isinstance(k, int) for k in r.keys) and r.keys not in paired
        if np.size(r.value) > 1 and re.fullmatch(r"[\w.]+", r.path) and point.value_nodes(r.value)
    ]


def misplaced(session: Session, point: Point, done: Done, returned: Sequence[Returned], missing: Sequence[Withheld]) -> list[Absent]:
    """Return the gradients that are computed and not returned, where their place is known.

    In that place stands another one, or a variable of forward's, or it is beside the others in a dict or at the end of a tuple.
    """
    places = displacing(session, done)
    standing = [r for r in returned if r.where in places]
    strange = strangers(session, point, done)
    order = {n: i for i, n in enumerate(point.leaves)}
    found = []
    for w in missing:
        fitting = [r for r in strange if r.value.shape == w.event.value.shape] or (strange if len(missing) == 1 else [])
        if standing:
            nearest = min(standing, key=lambda r: abs(sum(r.where[1:]) - order.get(w.forward_name, 0)))
            found.append(Absent(w.forward_name, w.event.path, nearest, nearest.where))
        elif len(fitting) == 1:
            (r,) = fitting
            leaf = point.leaves[w.forward_name]
            stranger = Returned(w.forward_name, r.path, session.handing(done.recording), r.value, leaf, False, ("returned", *r.keys))
            found.append(Absent(w.forward_name, w.event.path, stranger, stranger.where))
        elif (left := _beside_left(w, returned, point)) is not None:
            found.append(left)
        elif (added := _beside(w, returned, done)) is not None:
            found.append(added)
    return found


def _beside_left(w: Withheld, returned: Sequence[Returned], point: Point) -> Absent | None:
    """Return a gradient as one that belongs into the object beside another one, whose variable lies beside its own."""
    for r in returned:
        if r.decides and r.where[:1] == ("left",) and _has_sibling_in(w.forward_name, [r.forward_name], point):
            old, new = _last_key(r.forward_name, point), _last_key(w.forward_name, point)
            where = _exchanged(r.where, old, new)
            if where is not None:
                return Absent(w.forward_name, respelled(r.path, old, new), r, where)
    return None


def _beside(w: Withheld, returned: Sequence[Returned], done: Done) -> Absent | None:
    """Return a gradient as one that belongs beside those that are returned."""
    beside = [r for r in returned if r.decides and r.where[:1] == ("returned",) and len(r.where) == 2]
    for r in beside:
        _, key = r.where
        ends = [k.keys[0] for k in done.results if not k.left and len(k.keys) == 1 and isinstance(k.keys[0], int)]
        where = ("returned", max(ends) + 1) if isinstance(key, int) and ends else _exchanged(r.where, r.forward_name, w.forward_name)
        if where is not None:
            return Absent(w.forward_name, w.event.path, r, where)
    return None


def _has_sibling_in(name: str, covered: Collection[str], point: Point) -> bool:
    """Whether a parameter lies in one dict, list or object with others that do get a gradient."""
    aliases = point.traced.program.aliases
    container = {n: path[:-1] for n, path in point.keys.items() if len(path) > 1}
    own = container.get(aliases.get(name, name))
    return own is not None and any(container.get(aliases.get(n, n)) == own for n in covered)


def _is_in_list_beside(name: str, other: str, point: Point) -> bool:
    """Whether two parameters have the same place in two lists, or dicts, of one object: ``self.biases[0]`` and ``self.weights[0]``."""
    own, beside = path_of(name, point), path_of(other, point)
    lists = len(own) == len(beside) > 2 and not isinstance(own[-1], Attribute) and not isinstance(beside[-1], Attribute)
    return lists and own[-1] == beside[-1] and own[-2] != beside[-2] and own[:-2] == beside[:-2]


def _unpacked(place: Place) -> bool:
    """Whether a statement takes what it needs out of a call that gives more."""
    s = place.statement
    return isinstance(s, ast.Assign) and isinstance(s.targets[0], ast.Tuple) and not isinstance(s.value, ast.Tuple)


def _stands_alone(e: Event) -> bool:
    """Whether a statement of its own, in no loop or branch, computes just this, under a name that nothing else reads."""
    tree, s = e.place.function.tree, e.place.statement
    return isinstance(tree, ast.FunctionDef) and s in tree.body and isinstance(s, ast.Assign) and not _read_later(e)


def _read_later(e: Event) -> bool:
    name = e.path
    own = {id(s) for s in _building(e.place, name)}
    tree = e.place.function.tree
    if tree is None:
        return True
    for s in e.place.function.statements:
        if id(s) in own:
            continue
        if any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in _own_nodes(s)):
            return True
    return False


def _own_nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the nodes of a statement, of a compound one those of its header."""
    blocks = {
        id(x)
        for name in ("body", "orelse", "finalbody", "handlers")
        for x in (getattr(statement, name, None) or [])
        if isinstance(x, ast.AST)
    }
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop()
        yield node
        todo += [c for c in ast.iter_child_nodes(node) if id(c) not in blocks]


def _building(place: Place, name: str) -> Iterator[ast.stmt]:
    """Yield the statements that only build up a variable."""
    for s in place.function.statements:
        targets = s.targets if isinstance(s, ast.Assign) else [s.target] if isinstance(s, (ast.AugAssign, ast.AnnAssign)) else []
        if any(isinstance(n, ast.Name) and n.id == name for t in targets for n in ast.walk(t)) or (
            isinstance(s, ast.Expr) and roots_written_by(s)[:1] == (name,)
        ):
            yield s


def absent(session: Session, point: Point, done: Done, returned: Sequence[Returned]) -> list[Absent]:
    """Return the parameters left without a gradient though their like have one.

    Their like are the others of a dict, list or object whose gradients are in one too, or the rest of a numbering: where there
    are `dW1`, `dW2` and `db2`, `db1` is missing. An attribute beside one that has a gradient, or the list beside a list, may be
    kept fixed: it needs one only if something says that it is trained.
    """
    given = {r.forward_name: r for r in returned if r.decides and r.place is not None and r.forward_name in point.leaves}
    found = []
    for name in without_gradient(session, point):
        beside = [n for n in given if _has_sibling_in(name, [n], point)]
        across = [n for n in given if _is_in_list_beside(name, n, point)] if not beside else []
        same_number = [n for n in given if _numbers(n) and _numbers(n) == _numbers(name)]
        same_letters = [n for n in given if _letters(n) == _letters(name)]
        numbered = bool(same_number and same_letters)
        if np.ndim(point.leaves[name].out) == 0 or not (beside or across or numbered):
            continue
        path = path_of(name, point)
        attribute = not numbered and isinstance(path[-1 if beside else -2], Attribute)
        if attribute and not is_trained(name, given, point):
            continue
        nearest = max(beside or across or same_number, key=lambda n: (n in same_number, n in same_letters))
        if across:
            found.append(_of_another_list(name, given[nearest], session, point, done))
            continue
        old, new = (_last_key(n, point) for n in (nearest, name))
        where = _exchanged(given[nearest].where, old, new)
        if where is not None or numbered or attribute:
            found.append(Absent(name, respelled(given[nearest].path, old, new), given[nearest], where))
    return found


def _of_another_list(name: str, beside: Returned, session: Session, point: Point, done: Done) -> Absent:
    """Return a gradient that is missing with its whole list: the list that backward made of them, and what is returned in its place."""
    *container, key = path_of(name, point)
    lacking = {path[-1]: n for n, path in point.keys.items() if list(path[:-1]) == container and n in point.leaves}
    locals_ = done.recording.calls[0].last if done.recording.calls else {}
    lists = [
        n
        for n, held in locals_.items()
        if type(held) in (list, dict) and len(held) >= len(lacking)
        if all(
            _entry(held, k) is not None and close(_entry(held, k), point.truth(point.leaves[of]), session.tolerance)
            for k, of in lacking.items()
        )
    ]
    paired = {w[1] for w in session.targets if w[0] == "returned" and len(w) > 1}
    standing = [r for r in done.results if not r.left and len(r.keys) == 1 and isinstance(r.keys[0], int) and r.keys[0] not in paired]
    if len(lists) == 1 and len(standing) == 1:
        (r,) = standing
        stranger = Returned(name, r.path, session.handing(done.recording), r.value, point.leaves[name], False, ("returned", *r.keys))
        return Absent(name, lists[0], stranger, (*stranger.where, key))
    return Absent(name, name, beside, None)


def _entry(held: Any, key: Any) -> Any:
    """Return the array under a key or at an index, ``None`` if there is none."""
    try:
        return np.asarray(held[key], float)
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def in_place_of_gradients(session: Session, point: Point, done: Done) -> list[Absent]:
    """Return the gradients in whose place a function returns what forward had, or, where one is all that it should return, no array."""
    if session.wrt is not None:
        return []
    given = {n for t in session.targets.values() for n in t.name.split("\0")}
    layer = bool(session.reading.upstream)
    lacking = [n for n, node in point.leaves.items() if n not in given and np.any(point.truth(node)) and not is_label(n)]
    arguments = [n for n in lacking if point.keys.get(n, ("",))[0] in point.inputs]
    paired = {w[1:] for w in session.targets if w[0] == "returned"}
    places: list[tuple[str, str, tuple[Any, ...], Any]] = []
    for r in done.results:
        if r.left or r.keys in paired or np.size(r.value) < 2 or any(isinstance(k, str) for k in r.keys):
            continue
        same = [n for n in lacking if np.array_equal(r.value, point.leaves[n].out) and (layer or not is_data(n))]
        alone = sum(not other.left for other in done.results) == 1
        if layer and alone and np.ptp(r.value) > 0 and point.value_nodes(r.value):
            same = same or arguments
        places += [(same[0], r.path, r.keys, r.value)] if len(same) == 1 else []
    if layer and not any(not r.left for r in done.results) and done.recording.result is not None and len(arguments) == 1:
        places.append((arguments[0], "the result", (), np.zeros(())))
    found = []
    for name, path, keys, value in places:
        leaf = point.leaves[name]
        stranger = Returned(name, path, session.handing(done.recording), value, leaf, False, ("returned", *keys))
        found.append(Absent(name, _called(name, point.truth(leaf), session, done), stranger, stranger.where))
    return found


def _called(name: str, truth: Any, session: Session, done: Done) -> str:
    """Return what backward calls a gradient, if it computes it; by convention, if not."""
    same = [e.path for e in done.recording.events if e.call.number == 0 and close(e.value, truth, session.tolerance)]
    same = [p for p in same if p.isidentifier()] or same
    return same[-1] if same else f"d{_LAST.findall(name)[-1]}"


def _numbers(name: str) -> list[str]:
    return re.findall(r"\d+", name)


def _letters(name: str) -> str:
    return re.sub(r"\d+", "#", name)


_LAST = re.compile(r"[A-Za-z]\w*")


def _last_key(name: str, point: Point) -> str | int:
    path = path_of(name, point)
    key = path[-1] if path else name
    return key if isinstance(key, int) else str(key)


def _exchanged(where: tuple[Any, ...], old: str | int, new: str | int) -> tuple[Any, ...] | None:
    """Return where a gradient stands with the key of another parameter in it."""
    for i in reversed(range(1, len(where))):
        key = where[i]
        if isinstance(key, str) and isinstance(old, str) and old in key:
            return (*where[:i], key.replace(old, str(new)), *where[i + 1 :])
        if isinstance(old, int) and key == old:
            return (*where[:i], new, *where[i + 1 :])
    return None


def respelled(path: str, old: str | int, new: str | int) -> str:
    """Write a path with the last `old` in it exchanged for `new`; as it is if there is none."""
    head, found, tail = path.rpartition(str(old))
    return f"{head}{new}{tail}" if found else path


class Clipping(NamedTuple):
    """A statement that clips a variable itself: the fix that leaves it out, the variable, and what to say about it."""

    fix: Fix
    path: str
    said: str


def clipping(session: Session, point: Point, done: Done) -> list[Clipping]:
    """Return the statements that clip a variable itself, to either side of zero: others leave no gradient as it was."""
    found: dict[Place, Clipping] = {}
    for step in done.recording.steps:
        s = step.place.statement
        call = getattr(s, "value", None)
        if (
            step.place in found
            or not isinstance(call, ast.Call)
            or not ast.unparse(call.func).endswith("clip")
            or not (call.args or isinstance(call.func, ast.Attribute))
        ):
            continue
        of_array = isinstance(call.func, ast.Attribute) and not is_numpy(call.func.value)
        inner: Any = call.args[0] if call.args and not of_array else getattr(call.func, "value", None)
        out = next((k.value for k in call.keywords if k.arg == "out"), None)
        target = out if out is not None else s.targets[0] if isinstance(s, ast.Assign) else None
        if target is None or ast.unparse(target) != ast.unparse(inner):
            continue
        low, high = _bounds(call, session.scope(step, point), of_array=of_array)
        if np.any(low >= 0) or np.any(high <= 0):
            continue
        try:
            session.codes([Fix(step.place, "", [])])
        except Exception:  # noqa: BLE001, S112 (then it is judged as it is)
            continue
        path = ast.unparse(target)
        said = f"`{path}` is clipped at line {step.place.line}; its value before that is judged"
        found[step.place] = Clipping(Fix(step.place, "", []), path, said)
    return list(found.values())


def _bounds(call: ast.Call, scope: Mapping[str, Any], *, of_array: bool) -> tuple[Any, Any]:
    """Return between what a call clips; where that is not known, between infinities."""
    given = {k.arg: k.value for k in call.keywords}
    found = []
    for place, names, unknown in ((1, ("a_min", "min"), -np.inf), (2, ("a_max", "max"), np.inf)):
        place -= of_array
        node = call.args[place] if place < len(call.args) else next((given[n] for n in names if n in given), None)
        try:
            value = np.asarray(evaluate(node, scope), float) if node is not None else unknown
        except (CannotEvaluate, TypeError, ValueError):
            value = unknown
        found.append(np.where(np.isnan(value), unknown, value))
    low, high = found
    return low, high


def without_gradient(session: Session, point: Point) -> Sequence[str]:
    """Return the inputs, other than samples and labels, that the loss depends on and for which backward gives nothing."""
    covered = {t for target in session.targets.values() for t in target.name.split("\0")}
    return [
        n for n, node in point.leaves.items() if n not in covered and not is_data(n) and np.any(point.truth(node)) and session.wrt is None
    ]
