"""What is made when it is asked for, and kept for those who ask again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

__all__ = ["Replayed"]

T = TypeVar("T")


class Replayed(Generic[T]):
    """May be gone through several times, also by several at once, and is made as far as somebody went.

    Parameters
    ----------
    coming : iterable
        What is made.

    Examples
    --------
    >>> squares = Replayed(n * n for n in range(3))
    >>> next(iter(squares)), list(squares), list(squares)
    (0, [0, 1, 4], [0, 1, 4])
    """

    def __init__(self, coming: Iterable[T]) -> None:
        self._coming = iter(coming)
        self._made: list[T] = []

    def __iter__(self) -> Iterator[T]:
        number = 0
        while number < len(self._made) or self._makes_another():
            yield self._made[number]
            number += 1

    def _makes_another(self) -> bool:
        for item in self._coming:
            self._made.append(item)
            return True
        return False
