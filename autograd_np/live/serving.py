"""Serve a session: one run after the other, the newest wish first.

The user's code runs in the thread that called, the main thread of a program, as it does without the page; server and watcher have
threads of their own, and leave wishes. A drag leaves a hundred wishes a second for one number, of which the last counts. A wish that
makes the run that is under way pointless ends it: a file that was mended does not wait for a loop that never ends.
"""

from __future__ import annotations

import _thread
import contextlib
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from autograd_np import errors
from autograd_np.live.page import live_page
from autograd_np.live.problems import in_a_line
from autograd_np.live.server import Server
from autograd_np.live.session import Program, Session
from autograd_np.live.watching import Watcher

__all__ = ["serve"]

PAUSE = 0.3
"""Seconds without an edit after which the backward pass is checked with the numbers as they are then."""


def serve(
    load: Callable[[], Program],
    *,
    title: str,
    file: Path | None = None,
    port: int = 0,
    ready: Callable[[str], None] = lambda _: None,
    said: Callable[[str], None] = lambda _: None,
) -> None:
    """Show a program on a live page until the user interrupts.

    Parameters
    ----------
    load : callable
        Returns the program as it is now; raises whatever is wrong with it.
    title : str
        What the page calls the program.
    file : Path, optional
        What to watch, and the files that the program says it was read from.
    port : int
        0 takes any that is free.
    ready : callable
        Called with the address of the page.
    said : callable
        Called with each problem and each verdict, in a line.

    Raises
    ------
    OSError
        If the port is taken.
    """
    work = _Work(load, title, said)
    server = Server(work.page, work.message, work.wish, port=port)
    watcher = None
    try:
        with work.interrupts():
            work.told = server.send
            if file is not None:
                watcher = Watcher(file, lambda: work.session.files if work.session else (), lambda: work.wish({"reload": True}))
            ready(server.address)
            work.run()
    except KeyboardInterrupt:
        return
    finally:
        if watcher is not None:
            watcher.close()
        server.close()


class _Work:
    """What is to be done, and doing it. All but `run` may be called from any thread."""

    def __init__(self, load: Callable[[], Program], title: str, said: Callable[[str], None]) -> None:
        self.session: Session | None = None
        self.told: Callable[[str], None] = lambda _: None
        self._load, self._title, self._said = load, title, said
        self._state: dict[str, Any] = {"title": title, "busy": "read"}
        self._wishes = threading.Condition()
        self._reload, self._reset = True, False
        self._edits: dict[tuple[str, int], str] = {}
        self._doing = ""
        self._cut = False
        self._ended = False
        self._interruptible = True
        self._thread = threading.current_thread()

    # --- for the page

    def page(self) -> str:
        """Return the page as it is now."""
        return live_page(self._state, connect="'self'")

    def message(self) -> str:
        """Return the state of the page as a message."""
        return _written(self._state)

    def wish(self, message: dict[str, Any]) -> None:
        """Take a wish: ``{"edit": [name, position, number]}``, ``{"reset": true}`` or ``{"reload": true}``; others are nothing."""
        edit = message.get("edit")
        with self._wishes:
            if message.get("reload"):
                self._reload = True
                self._end("read", "run", "check", "walk")
            elif message.get("reset"):
                self._reset = True
                self._edits.clear()
                self._end("run", "check", "walk")
            elif isinstance(edit, list) and [*map(type, edit)] == [str, int, str]:
                self._edits[edit[0], edit[1]] = edit[2]
                self._end("check", "walk")
            self._wishes.notify()

    def _end(self, *pointless: str) -> None:
        """Interrupt what is being done, if it is among what is pointless now; as ctrl-c does, which main threads alone can have."""
        if self._doing in pointless and not self._cut and not self._ended and self._thread is threading.main_thread():
            self._cut = True
            if hasattr(signal, "pthread_kill"):  # wakes what sleeps, too
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            else:
                _thread.interrupt_main()

    # --- in the thread that called

    @contextlib.contextmanager
    def interrupts(self) -> Iterator[None]:
        """Hear ctrl-c, also where its exception is lost: in a finalizer, in C code that takes any exception for a no."""
        if self._thread is not threading.main_thread():  # which alone hears it
            yield
            return
        before = signal.signal(signal.SIGINT, self._interrupted)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _interrupted(self, _: int, frame: FrameType | None) -> None:
        cut, self._cut = self._cut, False
        heard = self._ended or (self._interruptible and not _is_importing(frame))  # a second ctrl-c does not wait
        if self._ended:  # nor does a third for code that catches whatever is raised
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        self._ended |= not cut
        self._interruptible &= not cut
        if heard:
            raise KeyboardInterrupt

    def run(self) -> None:
        """Do one thing after the other until the user interrupts."""
        while not self._ended:
            with contextlib.suppress(KeyboardInterrupt):  # around the loop, or one might come between its turns
                while wanted := self._next():
                    self._interruptible = True
                    self._do(*wanted)

    def _next(self) -> tuple[str, dict[tuple[str, int], str]] | None:
        """Wait for something to do; return what, and the edits that belong to it; None once the user interrupted."""
        self._interruptible = False  # or an exception might come between taking a lock and giving it back
        pause = PAUSE if self._doing == "run" else 0
        with self._wishes:
            self._doing = ""
            while not self._ended:
                if self._reload:
                    self._reload = False
                    self._doing = "read"
                elif self._reset or self._edits:
                    self._doing = "run"
                elif self.session is not None and self.session.can_check and not pause:
                    self._doing = "check"
                elif self.session is not None and self.session.can_walk and not pause:
                    self._doing = "walk"
                if self._doing:
                    edits, self._edits = (self._edits, {}) if self._doing == "run" else ({}, self._edits)
                    return self._doing, edits
                self._wishes.wait(pause or 0.1)  # not for long, for ctrl-c wakes nothing here
                pause = 0
        return None

    def _do(self, what: str, edits: dict[tuple[str, int], str]) -> None:
        refused = ""
        if what in ("read", "check"):
            self._tell(self._state | {"busy": what})
        if self.session is None:
            self.session = Session(self._load)
        elif what == "read":
            self.session.reload()
        elif what == "check":
            self.session.check()
        elif what == "walk":
            self.session.walk()
        try:
            if self._reset and what == "run":
                self._reset = False
                self.session.reset()
            if edits:
                self.session.edit((name, at, text) for (name, at), text in edits.items())
        except errors.RenderError as error:
            refused = str(error)
        self._tell({"title": self._title, "busy": "", **self.session.state(), "refused": refused, "answered": time.monotonic()})

    def _tell(self, state: dict[str, Any]) -> None:
        """Make this the state, and send what is another than before to the page."""
        before, self._state = self._state, state
        problem, verdict = state.get("problem"), state.get("verdict")
        if problem is not None and problem != before.get("problem"):
            self._said(in_a_line(problem))
        elif verdict is not None and problem is None and verdict is not before.get("verdict"):
            self._said(verdict["headline"])
        self.told(_written({k: v for k, v in state.items() if k not in before or before[k] is not v}))


def _is_importing(frame: FrameType | None) -> bool:
    """Whether a module is imported, which would be left half made, or text executed: after an exception there Python ends by a signal."""
    while frame is not None:
        if frame.f_code.co_name == "_find_and_load" or frame.f_code.co_filename == "<string>":
            return True
        frame = frame.f_back
    return False


def _written(message: dict[str, Any]) -> str:
    return json.dumps(message, allow_nan=False, separators=(",", ":"))
