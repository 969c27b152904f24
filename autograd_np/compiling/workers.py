"""Threads that carry out tiles: started once, shared by all compiled functions, and waiting while there is nothing to do."""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import Any

__all__ = ["run"]

_LOCK = threading.Lock()
_JOBS: SimpleQueue[tuple[Callable[[], None], SimpleQueue[None]]] = SimpleQueue()
_THREADS: list[threading.Thread] = []


def _after_fork() -> None:
    """Start anew in a child, which has none of the threads and maybe a lock that one of them held."""
    global _LOCK, _JOBS
    _LOCK, _JOBS = threading.Lock(), SimpleQueue()
    _THREADS.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _serve(jobs: SimpleQueue[tuple[Callable[[], None], SimpleQueue[None]]]) -> None:
    while True:
        job, done = jobs.get()
        job()
        done.put(None)
        del job, done  # what they hold is not kept until there is other work


def _demand(count: int) -> None:
    with _LOCK:
        while len(_THREADS) < count:
            thread = threading.Thread(target=_serve, args=(_JOBS,), name=f"ag.compile tiles {len(_THREADS)}", daemon=True)
            thread.start()
            _THREADS.append(thread)


class _Turns:
    """The numbers of the tiles, handed out to whoever is free, and the errors that came of them."""

    def __init__(self, count: int) -> None:
        self._left: Iterator[int] = iter(range(count))
        self.errors: list[tuple[int, BaseException]] = []

    def work(self, tile: Callable[..., None], mine: Sequence[tuple[Any, ...]]) -> None:
        """Carry out tiles until none is left, or one of them has failed."""
        for i in self._left:
            if self.errors:
                return
            try:
                tile(i, *mine[i])
            except BaseException as error:  # noqa: BLE001 (it is raised in the thread that called)
                self.errors.append((i, error))
                return


def run(tile: Callable[..., None], tiles: Sequence[Sequence[tuple[Any, ...]]]) -> None:
    """Carry out all tiles of a loop, in several threads, of which the one that calls is the first.

    Parameters
    ----------
    tile : callable
        Takes the number of a tile, and what the tile needs.
    tiles : sequence
        For each thread, what each tile needs if it is carried out there.

    Raises
    ------
    BaseException
        What the first tile that failed has raised, once no thread is at work any more.
    """
    turns = _Turns(len(tiles[0]))
    done: SimpleQueue[None] = SimpleQueue()
    others = tiles[1 : len(tiles[0])]
    _demand(len(others))
    for mine in others:
        context = contextvars.copy_context()  # NumPy's errstate is in there
        _JOBS.put((lambda c=context, m=mine: c.run(turns.work, tile, m), done))  # type: ignore[misc]
    turns.work(tile, tiles[0])
    left = len(others)
    while left:
        try:
            done.get()
            left -= 1
        except KeyboardInterrupt as error:  # it waits, too: threads write into arrays that the caller has
            turns.errors.append((-1, error))
    if turns.errors:
        raise min(turns.errors, key=lambda e: e[0])[1]
