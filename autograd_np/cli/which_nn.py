"""Which `nn` is meant: the command's own, that stands beside `autograd_np`, or one of the user's.

The name is short, and a person may well have an nn.py. The command takes its own wherever `sys.path` would lead; the
user's file gets what it would get as a script; and where an error shows that one was meant and the other found, it is
said by name.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

import autograd_np as ag

__all__ = ["own_nn", "remark", "users_nn"]

FOLDER = Path(ag.__file__).parents[1]


def own_nn() -> ModuleType:
    """Import the `nn` that stands beside `autograd_np`; every ``import nn`` after this one gets it.

    Raises
    ------
    ImportError
        If there is none, or another one has been imported before.
    """
    sys.path.insert(0, str(FOLDER))
    try:
        nn = importlib.import_module("nn")
    finally:
        sys.path.remove(str(FOLDER))
    if not _is_own(nn.__spec__):
        raise ImportError(f"nn is {_place(nn.__spec__)}, not autograd_np's, which is {FOLDER / 'nn'}", name="nn")
    return nn


@contextlib.contextmanager
def users_nn() -> Iterator[None]:
    """Set the command's `nn` aside, if ``import nn`` leads to another one as `sys.path` is now."""
    found = PathFinder.find_spec("nn")
    if found is None or _is_own(found):
        yield
        return
    own = _take_out()
    try:
        yield
    finally:
        _take_out()
        sys.modules.update(own)


def _take_out() -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name.partition(".")[0] == "nn"]
    return {name: sys.modules.pop(name) for name in names}


def remark(error: BaseException) -> str:
    """Say which `nn` the user's code has got, if an error is about a name that is missing there and another `nn` exists.

    Parameters
    ----------
    error : BaseException
        As the user's code raised it; read before `users_nn` ends.

    Returns
    -------
    str
        To be appended to the message; empty if there is nothing to be said.
    """
    if not _is_about_nn(error):
        return ""
    found = getattr(sys.modules.get("nn"), "__spec__", None)
    if found is None:
        return ""
    if not _is_own(found):
        return f"; nn is {_place(found)} here, not autograd_np's"
    folders = (folder for folder in (*sys.path, str(Path.cwd())) if not Path(folder, "autograd_np").is_dir())  # nor another copy of ours
    others = (PathFinder.find_spec("nn", [folder]) for folder in folders)
    other = next((spec for spec in others if spec and spec.origin), None)
    return f"; nn is autograd_np's here, not {_place(other)}" if other else ""


def _is_about_nn(error: BaseException) -> bool:
    name = None
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        name = error.obj.__name__
    elif isinstance(error, ImportError):
        name = error.name
    return name is not None and name.partition(".")[0] == "nn"


def _is_own(spec: ModuleSpec | None) -> bool:
    return spec is not None and spec.origin is not None and Path(spec.origin).resolve() == (FOLDER / "nn" / "__init__.py").resolve()


def _place(spec: ModuleSpec | None) -> str:
    """Return where a module is: its file, or the folder of a package."""
    if spec is None:
        return "of unknown origin"
    if spec.submodule_search_locations:
        return next(iter(spec.submodule_search_locations))
    return str(spec.origin)
