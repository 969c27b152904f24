"""Chains: the statements that build one value of a variable, from a fresh assignment to the last change."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

import numpy as np

from autograd_np.check.judge.outcome import Key, Wrong
from autograd_np.check.watch.run import Event
from autograd_np.check.watch.source import Place
from autograd_np.typing import Array

__all__ = ["adds", "chain_ends", "divides", "is_fresh", "is_zeros", "share", "version"]


def is_fresh(statement: ast.stmt | None, path: str) -> bool:
    """Whether a statement gives a variable a value that does not build on the one it had."""
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
        return False
    base = path.partition("[")[0]
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    names = [n for t in targets for n in ([*t.elts] if isinstance(t, ast.Tuple) else [t])]
    reads = {ast.unparse(n) for n in ast.walk(statement.value) if isinstance(n, (ast.Name, ast.Attribute))}
    for t in names:
        if isinstance(t, (ast.Name, ast.Attribute)) and ast.unparse(t) == base:
            return base not in reads
        if isinstance(t, ast.Subscript) and "[" in path and ast.unparse(t.value) == base:
            return ast.unparse(t) not in ast.unparse(statement.value)
    return False


def is_zeros(e: Event) -> bool:
    """Whether a statement makes zeros to start a sum from."""
    statement = e.place.statement
    return isinstance(statement, ast.Assign) and ("zeros" in ast.unparse(statement.value) or "empty" in ast.unparse(statement.value))


def chain_ends(events: Sequence[Event], is_single: Callable[[Event], bool]) -> dict[tuple[int, Place, str, int], Key]:
    """Find the last event of each chain.

    A variable with a single gradient has no second chain: an assignment on a further line overwrites it by mistake.
    """
    number: dict[tuple[int, str], int] = {}
    last: dict[Key, Event] = {}
    begun: dict[tuple[int, str], Place] = {}
    single: dict[tuple[int, str], bool] = {}
    for e in events:
        variable = (e.call.number, e.path)
        if variable not in number:
            number[variable] = 0
            single[variable] = is_single(e)
        elif is_fresh(e.place.statement, e.path) and (not single[variable] or begun.get(variable) == e.place):
            number[variable] += 1
        begun.setdefault(variable, e.place)
        last[e.call.number, e.path, number[variable]] = e
    return {e.key: key for key, e in last.items()}


def version(chain: int, chains: int, count: int, is_input: bool, shape: tuple[int, ...], truths: Sequence[Array]) -> int:
    """Return which binding of a forward variable the chain-th assignment of its gradient belongs to."""
    if is_input or count == 1:
        return 0
    fitting = [i for i, t in enumerate(truths) if np.shape(t) == shape]
    if chains in (count, count - 1):  # loops: backward visits the steps in reverse
        return count - 1 - chain
    if len(fitting) == 1:
        return fitting[0]
    return max(count - 1 - chain, 0)


def divides(statement: ast.stmt | None) -> bool:
    """Whether a statement has a division."""
    return statement is not None and any(isinstance(n, ast.Div) for n in ast.walk(statement))


def adds(statement: ast.stmt | None) -> bool:
    """Whether a statement may add a term to a sum, or begin one."""
    if isinstance(statement, ast.AugAssign):
        return isinstance(statement.op, (ast.Add, ast.Sub))
    return isinstance(statement, (ast.Assign, ast.Expr))


def share(events: Sequence[Event], w: Wrong, place: Place) -> Array | None:
    """Return what one statement added, in all its visits, to the last value of a variable."""
    total: Array | None = None
    for e in events:
        if e.path != w.name or (w.event is not None and e.call.number != w.event.call.number):
            continue
        if is_fresh(e.place.statement, e.path):
            total = None
        if e.place == place:
            old = e.before.get(e.path)
            if old is None or is_fresh(e.place.statement, e.path):
                part = e.computed
            elif np.shape(old) == e.computed.shape:
                part = e.computed - np.asarray(old, float)
            else:
                return None
            total = part if total is None else total + part
        if w.event is not None and e.key == w.event.key:
            break
    return total
