"""NumPy's warnings about numbers (division by zero, overflow), told at the user's line instead of the engine's.

NumPy warns where it is called, which is in `tensor`, in `op` and in the table. A warning from there is turned into an error by the filter
below, which costs nothing where none comes. Whoever calls the table (`record`, `apply`, a Primitive; the sweeps ignore warnings)
catches it and has it `retold`: the operation is computed again, and what it has to say is said of the caller.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any

import numpy as np

from autograd_np.callers import warn_caller

__all__ = ["retold"]

_ENGINE = (__file__.replace("numpy_warnings", "tensor"), __file__.replace("numpy_warnings.py", "op"))
_BETWEEN = " encountered in "

warnings.filterwarnings("error", rf"[a-z ]+{_BETWEEN}", RuntimeWarning, r"autograd_np\.(tensor$|op$|ops\.)")


def retold(warning: RuntimeWarning, compute: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return what was about to be computed when NumPy warned, and warn at the caller's line; raise what is no warning of the engine's."""
    kind, between, where = str(warning).partition(_BETWEEN)
    if not between or not _innermost(warning.__traceback__).startswith(_ENGINE):
        raise warning
    kinds: list[str] = []
    to_be_told: Any = {kind: "call" for kind, what in np.geterr().items() if what == "warn"}
    with np.errstate(**to_be_told, call=lambda kind, _flag: kinds.append(kind)):
        result = compute(*args, **kwargs)
    for kind in dict.fromkeys(kinds):
        warn_caller(f"{kind}{between}{where}", RuntimeWarning)
    return result


def _innermost(traceback: TracebackType | None) -> str:
    filename = ""
    while traceback is not None:
        filename = traceback.tb_frame.f_code.co_filename
        traceback = traceback.tb_next
    return filename
