"""Which single Python numbers are parameters: those that backward gives a gradient for, of arguments, in objects, captured or global.

Any number could be differentiated, and most are settings: sizes, rates, tolerances. One is a parameter if the code names its
gradient (`db` for `b`), or if backward returns single numbers that are the gradients of nothing else.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_np.check.judge.compare import fits
from autograd_np.check.judge.names import is_gradients_name, pair
from autograd_np.check.judge.points import Read, choose_readings
from autograd_np.check.judge.results import Result, is_container_of_gradients, is_no_news
from autograd_np.check.judge.session import Session
from autograd_np.check.watch.calling import leaf_names
from autograd_np.check.watch.point import Traced
from autograd_np.check.watch.program import Kept, Program, is_number, numbers_in
from autograd_np.check.watch.state import Attribute
from autograd_np.draws import input_leaves

__all__ = ["Start", "begin", "shared_defaults"]

MOST = 12
"""So many numbers are tried at once where nothing names them."""

_SETTING = re.compile(
    r"(?i)lam(bda)?_?\d?|l[12](_?reg\w*)?|reg\w*|alpha|eps(ilon)?|lr|\w*rate|\w*decay|wd|momentum|mu|rho|tol\w*|p|q|keep\w*|drop\w*|prob\w*"
    r"|num\w*|n(_\w+)?|m|seed|delta|margin|clip\w*|max\w*|min\w*|step\w*"
)


def shared_defaults(program: Program) -> dict[str, float]:
    """Return the numbers that forward and backward have as one default of a parameter: they are settings, or parameters, of both."""
    defaults = [
        {p.name: p.default for p in inspect.signature(f).parameters.values() if type(p.default) is float}
        for f in (program.forward, program.backward)
    ]
    return {name: value for name, value in defaults[0].items() if defaults[1].get(name) == value}


class Start(NamedTuple):
    """The user's own point: the inputs, forward's run there, and backward's under the readings that are likeliest."""

    given: dict[str, Any]
    traced: Traced
    readings: list[Read]


class _Number(NamedTuple):
    """A number that might be a parameter: its name, its value, and where it stands, in the inputs or in the world."""

    name: str
    value: Any
    at: tuple[Any, ...] | Kept


def begin(session: Session, given: dict[str, Any], dtype: Any, seed: int) -> Start:
    """Run both passes at the user's point, with those numbers differentiated that backward gives gradients for.

    Raises
    ------
    CheckSetupError
        If a parameter has no source, or every reading raises for that reason.
    """
    every = _numbers(session, given)
    named = _named(session, every, given)
    start = _begun(session, given, named, dtype, seed)
    if start is None:
        named = []
        start = _begun(session, given, named, dtype, seed, may_fail=False)
    assert start is not None
    others = [n for n in every if n not in named and (isinstance(n.value, float) or n.value == 0)]
    if not others or session.wrt is not None or not _strangers(session, start):
        return start
    likelier = [n for n in others if not _is_setting(n)]
    best: tuple[tuple[int, int], list[_Number]] = ((len(_strangers(session, start)), 0), named)
    for some in (likelier, others):
        more = _with_others(session, given, named, some[:MOST], dtype, seed) if some and best[0] != (0, 0) else None
        if more is not None:
            best = min(best, (_cost(session, more[0]), more[1]), key=lambda found: found[0])
    return _begun(session, given, best[1], dtype, seed) or start


def _with_others(
    session: Session, given: dict[str, Any], named: Sequence[_Number], others: Sequence[_Number], dtype: Any, seed: int
) -> tuple[Start, list[_Number]] | None:
    """Begin with numbers that nothing names, as far as forward runs with them; only those stay that a gradient was found for.

    What is called as a setting stays if its gradient is right: a wrong one may be anything, a norm or an accuracy.
    """
    some = list(others)
    start = _begun(session, given, [*named, *some], dtype, seed)
    if start is None:
        some = [n for n in others if _begun(session, given, [*named, n], dtype, seed) is not None]
        start = _begun(session, given, [*named, *some], dtype, seed) if some else None
    if start is None:
        return None
    judged = _judged(session, start.readings[0])
    kept = [
        n for n in some if judged.get(_leaf_name(session, given, n)) or (not _is_setting(n) and _leaf_name(session, given, n) in judged)
    ]
    if len(kept) < len(some):
        start = _begun(session, given, [*named, *kept], dtype, seed) if kept else None
    return (start, [*named, *kept]) if start is not None else None


def _begun(
    session: Session, given: dict[str, Any], numbers: Sequence[_Number], dtype: Any, seed: int, *, may_fail: bool = True
) -> Start | None:
    """Begin with some numbers differentiated; ``None`` if forward or the readings refuse them."""
    program = session.program
    program.forget()
    program.numbers = {n.at for n in numbers if isinstance(n.at, tuple)}
    taken = dict.fromkeys(leaf_names(given).values())
    for n in numbers:
        if isinstance(n.at, Kept):
            program.keep(n.at, taken)
    inputs = _as_floats(given, (), program.numbers)
    try:
        traced = session.trace(inputs, {id(a): np.array(a, dtype) for _, a in program.state.values()})
        return Start(inputs, traced, choose_readings(session, traced, seed))
    except Exception:
        if numbers and may_fail:
            return None
        raise


def _as_floats(value: Any, path: tuple[Any, ...], numbers: Collection[tuple[Any, ...]]) -> Any:
    """Return inputs in which some integers are floats."""
    if path in numbers:
        return float(value)
    if isinstance(value, dict):
        return {k: _as_floats(v, (*path, k), numbers) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_as_floats(v, (*path, i), numbers) for i, v in enumerate(value))
    return value


def _numbers(session: Session, given: Mapping[str, Any]) -> list[_Number]:
    found = [
        _Number(_last(path), value, path)
        for path, value in input_leaves(dict(given))
        if is_number(value) and not isinstance(value, np.generic)
    ]
    return found + [_Number(_last(kept.places[0][1]), kept.value, kept) for kept in numbers_in(session.program.world)]


def _last(path: tuple[Any, ...]) -> str:
    last = next((k for k in reversed(path) if isinstance(k, str)), "")
    return last.written if isinstance(last, Attribute) else last


def _leaf_name(session: Session, given: Mapping[str, Any], number: _Number) -> str:
    if isinstance(number.at, Kept):
        return session.program.paths.get(number.at.places[0][1], "")
    return leaf_names(given)[number.at]


# --- what the code names


def _named(session: Session, numbers: Sequence[_Number], given: Mapping[str, Any]) -> list[_Number]:
    """Return the numbers whose gradients the code writes down, by convention or under their own names as keys."""
    program = session.program
    trees = [f.tree for f in (session.function, *(program.functions.of(f.__code__) for f in program.world.functions)) if f is not None]
    forwards = session.forward_function.tree if session.forward_function is not None and not program.joint else None
    syntax = [n for t in dict.fromkeys(trees) if t is not None and t is not forwards for n in ast.walk(t)]
    written = {n.id for n in syntax if isinstance(n, ast.Name)} | {n.attr for n in syntax if isinstance(n, ast.Attribute)}
    written |= {n.value for n in syntax if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    written |= {k.arg for n in syntax if isinstance(n, ast.Call) for k in n.keywords if k.arg}
    names = [n.name for n in numbers]
    wanted = {pair(name, names, session.names) for name in sorted(written - set(leaf_names(given).values()))} | set(_keys(syntax))
    arrays = any(not is_number(value) for _, value in input_leaves(dict(given))) or program.state
    found = [n for n in numbers if n.name in wanted]
    return found if arrays or found else [n for n in numbers if isinstance(n.value, float)]


def _keys(syntax: Sequence[ast.AST]) -> Iterator[str]:
    """Yield the keys under which the code stores something: in a dict that it writes, or in an entry of one."""
    for node in syntax:
        match node:
            case ast.Dict(keys=keys):
                yield from (k.value for k in keys if isinstance(k, ast.Constant) and isinstance(k.value, str))
            case ast.Subscript(slice=ast.Constant(value=str(key)), ctx=ast.Store()):
                yield key


# --- what is returned


def _strangers(session: Session, start: Start) -> list[Result]:
    """Return the single numbers, and short vectors of them, that backward gives and that are the gradients of nothing differentiated."""
    read = start.readings[0]
    read.take(session)
    if read.error is not None:
        return []
    done = session.run(read.point)
    placed = {("left" if r.left else "returned", *map(_plain, r.keys)): r for r in done.results}
    places = {path for kept in numbers_in(session.program.world) for _, path in kept.places}
    return [r for where, r in placed.items() if _is_stranger(r, where, read, places)]


def _cost(session: Session, start: Start) -> tuple[int, int]:
    """Return how many results are the gradients of nothing, and how many are wrong."""
    read = start.readings[0]
    strangers = len(_strangers(session, start))
    return strangers, sum(not right for right in _judged(session, read).values())


def _judged(session: Session, read: Read) -> dict[str, bool]:
    """Return the inputs that results were paired with, and whether these are right."""
    read.take(session)
    returned = session.returned(read.point, session.run(read.point)) if read.error is None else []
    return {r.forward_name: session.is_right(r, read.point) for r in returned if r.decides}


def _is_setting(number: _Number) -> bool:
    return bool(_SETTING.fullmatch(number.name))


def _plain(key: Any) -> Any:
    return str(key) if isinstance(key, str) else key


def _is_stranger(r: Result, where: tuple[Any, ...], read: Read, places: Collection[tuple[Any, ...]]) -> bool:
    target = read.targets.get(where)
    shape = np.shape(r.value)
    if target is not None:
        whole = np.shape(target.node.out)
        if "\0" in target.name or not target.is_input or shape == whole or fits(shape, whole):
            return False
    if r.left:
        changed = r.whole and np.size(r.value) == 1
        return changed and (is_container_of_gradients(r.container) or is_gradients_name(r.name) or tuple(r.keys) in places)
    return (np.size(r.value) == 1 or len(shape) == 1) and not is_no_news(r, read.point)
