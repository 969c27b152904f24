"""Label: where a Parameter or a Module is kept, so that its path is known when somebody asks for it.

Writing paths down while a model is built would walk all that is inside at each assignment. A label knows only what is around
it, and whoever shows a path reads it upwards. Labels refer upwards alone and hold no Module, so that there are no reference
cycles, and a graph still has the names of Parameters whose Modules are gone.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

__all__ = ["Keys", "Label", "join", "path_of"]

Keys = tuple[Any, ...]
"""An attribute, and then the keys and numbers by which containers in it are read."""


def join(path: str, name: str) -> str:
    """Return the path of what is called `name` inside what has the path `path`."""
    return f"{path}.{name}" if path else name


def path_of(keys: Keys) -> str:
    """Return keys as they are written in paths."""
    return ".".join(map(str, keys))


class Label:
    """The place of a Parameter, or of a Module; called, it gives the path from the outermost Module."""

    __slots__ = ("above", "keys", "of")

    def __init__(self, module: Any = None, keys: Keys = ()) -> None:
        self.of = None if module is None else weakref.ref(module)
        self.keys = keys
        self.above: Label | None = None

    def _upwards(self) -> Iterator[Label]:
        label: Label | None = self
        while label is not None:
            yield label
            label = label.above

    def __call__(self) -> str | None:
        """Return the path, or None of what is in no Module."""
        return path_of(tuple(key for label in reversed([*self._upwards()]) for key in label.keys)) or None

    def place(self, what: Any, above: Label, keys: Keys) -> None:
        """Note that `what` is found by `keys` in the Module with the label `above`, unless it still is where it was found first."""
        if self._has(what) or self in above._upwards():  # a Module may contain itself
            return
        self.above, self.keys = above, keys

    def _has(self, what: Any) -> bool:
        module = self.above.of() if self.above is not None and self.above.of is not None else None
        if module is None:
            return False
        value: Any = vars(module)
        try:
            for key in self.keys:
                value = value[key]
        except (LookupError, TypeError):
            return False
        return value is what

    def __reduce__(self) -> Any:
        """Travel as a path without a place, until a Module that has it gives it one."""
        path = self()
        return Label, (None, () if path is None else (path,))
