"""Whether NumPy's warnings are errors in compiled code, which tells of an overflow or an invalid operation at no cost.

A filter of this package's makes them errors. Filters that a program adds later come before it, and one that was added while others were in
force (``with warnings.catch_warnings(): import autograd_np``) is gone with them. Then nothing is raised any more, and compiled code has to
ask NumPy in another way.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

from autograd_np.compiling.code import MODULE

__all__ = ["raises"]

warnings.filterwarnings("error", r"[a-z ]+ encountered in ", RuntimeWarning, rf"{MODULE.replace('.', '[.]')}$")
_MINE: Any = warnings.filters[0]
_IN_CONTEXT = bool(getattr(sys.flags, "context_aware_warnings", False))  # then each context has filters of its own
_known: tuple[Any, int, Any, bool] = ([], 0, None, False)


def raises() -> bool:
    """Return whether a warning of NumPy's in compiled code is raised as an error, whatever filters were added."""
    global _known
    filters: Any = warnings.filters
    first = filters[0] if filters else None
    seen, count, top, found = _known
    if seen is filters and count == len(filters) and top is first:
        return found
    found = not _IN_CONTEXT and _is_first(list(filters))
    _known = filters, len(filters), first, found
    return found


def _is_first(filters: list[Any]) -> bool:
    """Whether what comes first that could take such warnings makes errors of them, all of them: this package's filter or another."""
    for item in filters:
        if item == _MINE:
            return True
        action, message, category, module, line = item
        if issubclass(RuntimeWarning, category) and (module is None or module.match(MODULE)):
            if action != "error":
                return False
            if message is None and not line:
                return True
    return False
