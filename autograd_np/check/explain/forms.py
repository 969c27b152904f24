"""Changed passes, compiled shortly before they are run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from autograd_np.check.judge.outcome import Fix

if TYPE_CHECKING:
    from autograd_np.check.explain.case import Case
    from autograd_np.check.explain.search import Candidate
    from autograd_np.check.watch.source import Place

__all__ = ["Forms"]

FIRST, GROWTH, LARGEST = 2, 4, 64
"""So many changes of a statement are compiled together: few at first, since the simplest is often right."""


class Forms:
    """The code of candidates, in growing batches of those that change the same statement.

    Parameters
    ----------
    case : Case
        Whose fixes so far are part of every form.
    candidates : iterable of Candidate
        In the order in which they will be asked for.
    """

    def __init__(self, case: Case, candidates: Iterable[Candidate]) -> None:
        self._case = case
        self._waiting: dict[Place, list[Candidate]] = {}
        self._ready: dict[int, Any] = {}
        self._size: dict[Place, int] = {}
        for c in candidates:
            self._waiting.setdefault(c.place, []).append(c)

    def of(self, candidate: Candidate) -> Any:
        """Return what `Session.quick` runs for a candidate; ``None`` if it is no Python."""
        if id(candidate.edit) not in self._ready:
            waiting = self._waiting[candidate.place]
            del waiting[: next(i for i, c in enumerate(waiting) if c.edit is candidate.edit)]
            size = self._size.get(candidate.place, FIRST)
            batch = waiting[:size]
            self._size[candidate.place] = min(size * GROWTH, LARGEST)
            codes = self._case.session.codes_of_each([Fix(c.place, c.path, c.edit.body) for c in batch], self._case.fixes)
            self._ready |= {id(c.edit): code for c, code in zip(batch, codes, strict=True)}
        return self._ready[id(candidate.edit)]
