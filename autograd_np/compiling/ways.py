"""Which way a signature is computed: by NumPy, by loops that Numba compiles, or by whichever is faster here.

What is faster depends on sizes and on the machine, so it is measured, on calls that are made anyway. NumPy computes until a function has
taken `PATIENCE` seconds in all, and while Numba compiles it beside; then both take turns, and the faster one stays.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.callers import warn_caller
from autograd_np.compiling.numba_code import Pieces, numba_code
from autograd_np.compiling.raising import raises
from autograd_np.compiling.schedule import Schedule

__all__ = ["BACKENDS", "Ways", "has_numba"]

BACKENDS = ("auto", "numba", "numpy")
PATIENCE = 0.2
"""A function that takes less than this, in seconds, is not worth compiling."""
TURNS = 8
"""How often each way is timed; the first time does not count."""
LONG = 2.0
"""Seconds of timing after which two turns are enough."""

Way = Callable[[tuple[Any, ...]], Any]


def has_numba() -> bool:
    """Whether Numba is installed."""
    return find_spec("numba") is not None


class Ways:
    """How one signature is computed.

    Attributes
    ----------
    run : callable
        Computes now: data in, results out, or ``None`` where the engine has to say.
    backend : str
        Which way that is: ``"numpy"`` or ``"numba"``.
    notes : list of str
        What is not done by loops, and why.
    text : str
        The text of the loops, once there are some.
    """

    def __init__(
        self,
        asked: str,
        numpy: Way,
        schedule: Callable[[], Schedule],
        name: str,
        compare: Callable[[Any, Any, Any], None],
        copied: Callable[[tuple[Any, ...]], tuple[Any, ...]],
    ) -> None:
        self.numpy = numpy
        self._copied = copied
        self.run: Way = numpy
        self.backend = "numpy"
        self.notes: list[str] = []
        self.text = ""
        self._schedule = schedule
        self._name = name
        self._compare = compare
        self._asked = asked
        self._lock = threading.Lock()
        self._taken = 0.0
        self._times: dict[str, list[float]] = {"numpy": [], "numba": []}
        self._future: Future[Callable[..., Any] | None] | None = None
        if asked == "numba":
            fast = self._compiled()
            if fast is not None:
                self._fast = fast
                self.backend = "numba"
                self.run = self._checked
        elif asked == "auto" and has_numba():
            self.run = self._waiting

    def settled(self) -> bool:
        """Whether it is decided which way stays."""
        return self.run == self.numpy or self.run == self._loops

    def wait(self) -> None:
        """Compile now, if that has not begun, and wait until it is done."""
        if self.run == self._waiting:
            self._begin().exception()

    def _compiled(self) -> Callable[..., Any] | None:
        """Return the step by loops; ``None`` where nothing can be gained."""
        if not has_numba():
            raise errors.CompileError('backend="numba" needs Numba, which is not installed: pip install "autograd-np[fast]"')
        pieces = Pieces(self._schedule(), self._name)
        self.notes = pieces.notes
        if not pieces.functions or pieces.is_long:
            return None
        code = numba_code(pieces)
        self.text = pieces.text + "\n\n" + code.source
        return code.make()

    # --- the loops

    def _loops(self, data: tuple[Any, ...]) -> Any:
        """Compute by loops; by NumPy where a NaN comes of it, which knows what is meant."""
        try:
            if raises():
                found = self._fast(*data)
            else:
                quiet: dict[str, Any] = {kind: "ignore" for kind, how in np.geterr().items() if how == "warn"}
                with np.errstate(**quiet):
                    found = self._fast(*data)
        except Exception:  # noqa: BLE001 (nothing is written before all is computed, so NumPy can begin anew)
            found = None
        return self.numpy(data) if found is None else found

    def _checked(self, data: tuple[Any, ...]) -> Any:
        """Compute both ways, once, and compare."""
        found = self._loops(self._copied(data))
        expected = self.numpy(data)
        if expected is not None and found is not None:
            self._compare(found, expected, data)
        self.run = self._loops
        return expected

    # --- whichever is faster

    def _begin(self) -> Future[Callable[..., Any] | None]:
        with self._lock:
            if self._future is None:
                self._future = _worker().submit(self._compiled)
            return self._future

    def _waiting(self, data: tuple[Any, ...]) -> Any:
        """Compute by NumPy, and see whether there are loops yet."""
        if self._future is None:
            began = time.perf_counter()
            found = self.numpy(data)
            self._taken += time.perf_counter() - began
            if self._taken > PATIENCE:
                self._begin()
            return found
        if not self._future.done():
            return self.numpy(data)
        with self._lock:
            if self.run == self._waiting:
                self._arrived()
        return self.run(data)

    def _arrived(self) -> None:
        assert self._future is not None
        try:
            fast = self._future.result()
        except Exception as error:  # noqa: BLE001 (whatever Numba does not take, NumPy does)
            self.notes = [*self.notes, f"Numba does not compile this ({type(error).__name__}): NumPy"]
            fast = None
        if fast is None:
            self.run = self.numpy
            return
        self._fast = fast
        self.run = self._tried

    def _tried(self, data: tuple[Any, ...]) -> Any:
        """Compare both ways; what would be wrong is not used."""
        found = self._loops(self._copied(data))
        expected = self.numpy(data)
        try:
            if expected is not None and found is not None:
                self._compare(found, expected, data)
            self.run = self._turn
        except errors.CompileError as error:
            self.run = self.numpy
            warn_caller(f"{error}. It is computed by NumPy", errors.CompileWarning)
        return expected

    def _turn(self, data: tuple[Any, ...]) -> Any:
        """Let the way that was timed less often compute, and decide once both were timed."""
        times = self._times
        turn = "numba" if len(times["numba"]) <= len(times["numpy"]) else "numpy"
        began = time.perf_counter()
        found = self._loops(data) if turn == "numba" else self.numpy(data)
        times[turn].append(time.perf_counter() - began)
        least = 2 if sum(map(sum, times.values())) > LONG else TURNS
        if min(map(len, times.values())) >= least:
            with self._lock:
                best = {way: min(found[1:]) for way, found in times.items()}
                self.backend = min(best, key=best.__getitem__)
                self.run = self._loops if self.backend == "numba" else self.numpy
        return found


_WORKERS: list[ThreadPoolExecutor] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_WORKERS.clear)  # its thread stays behind


def _worker() -> ThreadPoolExecutor:
    """Return what compiles in the background, one function after the other."""
    if not _WORKERS:
        _WORKERS.append(ThreadPoolExecutor(1, thread_name_prefix="ag.compile"))
    return _WORKERS[0]
