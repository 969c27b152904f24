"""Notice when a file is saved."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from watchfiles import watch

__all__ = ["Watcher"]


class Watcher:
    """Calls a function, in a thread of its own, whenever one of some files, or a Python file beside the first of them, was written.

    Folders are watched, not files: many editors write another file and put it in the place of the old one.

    Parameters
    ----------
    first : Path
        The file that is explored.
    files : callable
        Returns further files; asked again now and then.
    changed : callable
    """

    def __init__(self, first: Path, files: Callable[[], Iterable[Path]], changed: Callable[[], None]) -> None:
        self._folder, self._files, self._changed = first.resolve().parent, files, changed
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="autograd_np live watcher", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._ended.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._ended.is_set():
            folders = self._folders()
            for found in watch(
                *folders, recursive=False, debounce=100, step=20, rust_timeout=1000, yield_on_timeout=True, stop_event=self._ended
            ):
                if any(self._concerns(Path(path)) for _, path in found):
                    self._changed()
                if self._folders() != folders:
                    break

    def _folders(self) -> set[Path]:
        return {self._folder, *(file.parent for file in self._files() if file.parent.is_dir())}

    def _concerns(self, path: Path) -> bool:
        return (path.parent == self._folder and path.suffix == ".py") or path in set(self._files())
