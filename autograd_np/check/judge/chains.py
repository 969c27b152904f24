"""Chains: the lines that build one value of a variable, from a fresh assignment to the last change."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence

import numpy as np

from autograd_np.check.judge.outcome import Key, Wrong
from autograd_np.check.watch.run import Event
from autograd_np.check.watch.source import Source
from autograd_np.typing import Array

__all__ = ["adds", "chain_ends", "divides", "is_fresh", "is_zeros", "names_in_text", "names_read", "names_read_by", "share", "version"]


def is_fresh(statement: ast.stmt | None, path: str) -> bool:
    """Whether a statement gives a variable a value that does not build on the one it had."""
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
        return False
    base = path.partition("[")[0]
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    names = [n for t in targets for n in ([*t.elts] if isinstance(t, ast.Tuple) else [t])]
    reads = {n.id for n in ast.walk(statement.value) if isinstance(n, ast.Name)}
    for t in names:
        if isinstance(t, ast.Name) and t.id == base:
            return base not in reads
        if isinstance(t, ast.Subscript) and "[" in path and isinstance(t.value, ast.Name) and t.value.id == base:
            return ast.unparse(t) not in ast.unparse(statement.value)
    return False


def is_zeros(e: Event, source: Source) -> bool:
    """Whether a line makes zeros to start a sum from."""
    statement = source.statement(e.line)
    return isinstance(statement, ast.Assign) and "zeros" in ast.unparse(statement.value)


def chain_ends(events: Sequence[Event], source: Source, single: Collection[str]) -> dict[tuple[int, str, int], Key]:
    """Find the last event of each chain.

    A variable in `single` has one gradient, so an assignment on a further line overwrites it by mistake and begins no chain.
    """
    number: dict[str, int] = {}
    last: dict[Key, Event] = {}
    begun: dict[str, int] = {}
    for e in events:
        if e.path not in number:
            number[e.path] = 0
        elif is_fresh(source.statement(e.line), e.path) and (e.path not in single or begun.get(e.path) == e.line):
            number[e.path] += 1
        begun.setdefault(e.path, e.line)
        last[e.path, number[e.path]] = e
    return {(e.line, e.path, e.visit): key for key, e in last.items()}


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


def names_read(source: Source, lines: Sequence[int]) -> set[str]:
    """Return the variables that some lines read."""
    names: set[str] = set()
    for line in lines:
        statement = source.statement(line)
        if statement is not None:
            names |= names_read_by(statement)
    return names


def names_read_by(statement: ast.stmt) -> set[str]:
    """Return the variables that a statement reads; ``+=`` reads its target."""
    names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    if isinstance(statement, ast.AugAssign):
        names |= {n.id for n in ast.walk(statement.target) if isinstance(n, ast.Name)}
    return names


def names_in_text(text: str, source: Source, line: int) -> set[str]:
    """Return the variables in the text of a returned expression; all that its line reads if it is none."""
    try:
        return {n.id for n in ast.walk(ast.parse(text.lstrip("["), mode="eval")) if isinstance(n, ast.Name)}
    except SyntaxError:
        return names_read(source, [line])


def divides(statement: ast.stmt | None) -> bool:
    """Whether a statement has a division."""
    return statement is not None and any(isinstance(n, ast.Div) for n in ast.walk(statement))


def adds(statement: ast.stmt | None) -> bool:
    """Whether a statement may add a term to a sum, or begin one."""
    if isinstance(statement, ast.AugAssign):
        return isinstance(statement.op, (ast.Add, ast.Sub))
    return isinstance(statement, (ast.Assign, ast.Expr))


def share(events: Sequence[Event], w: Wrong, line: int, source: Source) -> Array | None:
    """Return what one line added, in all its visits, to the last value of a variable."""
    total: Array | None = None
    for e in events:
        if e.path != w.name:
            continue
        if is_fresh(source.statement(e.line), e.path):
            total = None
        if e.line == line:
            old = e.before.get(e.path)
            if old is None or is_fresh(source.statement(e.line), e.path):
                part = e.computed
            elif np.shape(old) == e.computed.shape:
                part = e.computed - np.asarray(old, float)
            else:
                return None
            total = part if total is None else total + part
        if w.event is not None and (e.line, e.visit) == (w.event.line, w.event.visit):
            break
    return total
