"""A user's Python file: its functions and its inputs, with its mistakes told at its own lines."""

from __future__ import annotations

import contextlib
import difflib
import importlib.machinery
import importlib.util
import inspect
import linecache
import sys
import traceback
import types
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

import autograd_np as ag
from autograd_np.check.tell.report import BackwardReport
from autograd_np.cli.output import refuse, say
from autograd_np.cli.which_nn import remark, users_nn

__all__ = [
    "blamed_on",
    "checker",
    "forget",
    "importable",
    "in_order",
    "inputs_of",
    "neighbours",
    "user_function",
    "user_module",
]


@contextlib.contextmanager
def importable(folder: Path, path: Sequence[str] = ()) -> Iterator[None]:
    """Let the user's file import its neighbours in a folder, and then what `path` leads to, as Python itself would let it."""
    entries = [str(folder), *path]
    sys.path[:0] = entries
    try:
        with users_nn():
            yield
    finally:
        for entry in entries:
            sys.path.remove(entry)


@contextlib.contextmanager
def blamed_on(file: Path) -> Iterator[None]:
    """Report what the user's code raises at its own line; a traceback only if none of its lines took part."""
    try:
        yield
    except ag.AutogradError as error:
        raise refuse(str(error)) from error
    except SyntaxError as error:
        raise refuse(f"{error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}") from error
    except (Exception, SystemExit) as error:  # whatever the user's code raises
        mine = [entry for entry in traceback.extract_tb(error.__traceback__) if Path(entry.filename).resolve() == file.resolve()]
        if not mine:
            say(traceback.format_exc(), sys.stderr, end="")
            raise refuse(f"{file} could not be run: {type(error).__name__}: {error}{remark(error)}") from error
        where = f"{file}:{mine[-1].lineno}" + (f", in {mine[-1].name}" if mine[-1].name != "<module>" else "")
        raise refuse(f"{where}: {type(error).__name__}: {error}  [{mine[-1].line}]{remark(error)}") from error


class _Uncached(importlib.machinery.SourceFileLoader):
    """Reads the source, neither from nor into __pycache__, which can be stale for a file that was edited within a second."""

    def path_stats(self, path: Any) -> Any:
        """Say that nothing is known of the file, which is how a loader turns caching off."""
        raise OSError(path)


def user_module(file: Path) -> types.ModuleType:
    """Execute the file, as a module of its name."""
    if not file.is_file():
        raise refuse(f"{file} {'is a folder' if file.is_dir() else 'does not exist'}; expected a Python file")
    spec = importlib.util.spec_from_file_location(file.stem, file, loader=_Uncached(file.stem, str(file.resolve())))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with blamed_on(file), _registered(module):
        spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def _registered(module: types.ModuleType) -> Iterator[None]:
    """Put a module into `sys.modules` while it is executed (dataclasses look there), unless its name is taken."""
    taken = module.__name__ in sys.modules
    if not taken:
        sys.modules[module.__name__] = module
    try:
        yield
    finally:
        if not taken:
            sys.modules.pop(module.__name__, None)


def neighbours(file: Path, since: Collection[str]) -> dict[str, Path]:
    """Return the modules from the folder of a file that were imported besides those `since`, by name, with their files."""
    folder = file.resolve().parent
    found = {name: Path(getattr(sys.modules[name], "__file__", None) or "/").resolve() for name in set(sys.modules) - set(since)}
    installed = {"site-packages", "dist-packages"}
    return {name: path for name, path in found.items() if path.is_relative_to(folder) and not installed & set(path.parts)}


def forget(file: Path, since: Collection[str]) -> None:
    """Let a file's neighbours be imported anew: they may have been changed, or hold what was."""
    for name in neighbours(file, since):
        del sys.modules[name]
    linecache.checkcache()


def user_function(module: types.ModuleType, file: Path, name: str, choose: str = "") -> Callable[..., Any]:
    """Return the function of a name, or of a path of names such as ``model.loss``; or say what there is, and how to `choose`."""
    first, *path = name.split(".")
    if not all(part.isidentifier() for part in (first, *path)):
        raise refuse(f"{name!r} should be a name in {file}, or a path of names such as model.loss; other code is not run")
    found = getattr(module, first, None)
    for part in path if hasattr(module, first) else ():
        with blamed_on(file):
            owner, found = found, getattr(found, part, None)
            there = [n for n in dir(owner) if not n.startswith("_")]
        if found is None:
            raise refuse(f"{file} has no {name}: there is no {part}{_alike(part, there)}")
        if isinstance(owner, type) and isinstance(inspect.getattr_static(owner, part, None), types.FunctionType):
            raise refuse(f"{name} of {file} is a method of a class; make an object in the file, x = {owner.__name__}(), and name x.{part}")
    if isinstance(found, type):
        raise refuse(f"{name} of {file} is a class; make an object in the file, x = {found.__name__}(), and name x")
    if found is not None and callable(getattr(found, "forward", None)) and not callable(found):
        found = found.forward
    if callable(found):
        return cast("Callable[..., Any]", found)
    functions = [n for n, v in vars(module).items() if isinstance(v, types.FunctionType) and v.__module__ == module.__name__]
    what = f"no function named {name}" if found is None else f"{name} = {found!r:.40}, which is no function"
    defined = f"its functions: {', '.join(functions) or 'none'}"
    raise refuse(f"{file} has {what}{_alike(name, functions)}; {defined}{choose and f' (choose with {choose})'}")


def checker(module: types.ModuleType, file: Path, forward: str, backward: str, loss: str | None = None) -> Callable[..., BackwardReport]:
    """Find what is checked: forward, backward, and `loss` if it is named or the file defines one; return what checks it at given inputs."""
    choose = "--forward, --backward, --loss"
    run, judged = (user_function(module, file, name, choose) for name in (forward, backward))
    by_itself = callable(getattr(module, "loss", None)) and forward != "loss"
    cost = user_function(module, file, loss or "loss", choose) if loss or by_itself else None
    return lambda inputs, **options: ag.check_backward(run, judged, inputs, loss=cost, **options)


def _alike(name: str, there: Sequence[str]) -> str:
    """Ask whether one of the names that exist was meant."""
    alike = difflib.get_close_matches(name, there, n=1) or [n for n in there if name in n][:1]
    return f"; did you mean {alike[0]}?" if alike else ""


def inputs_of(module: types.ModuleType, file: Path, archive: Path | None) -> dict[str, Any]:
    """Return the inputs by name: of the .npz if one is given, or of the file."""
    return _arrays_of(archive) if archive else _given_inputs(module, file)


def _given_inputs(module: types.ModuleType, file: Path) -> dict[str, Any]:
    if not hasattr(module, "inputs"):
        raise refuse(f"{file} has no function named inputs that returns a dict of arrays by name; write one, or pass --inputs FILE.npz")
    given = module.inputs
    if callable(given):
        with blamed_on(file):
            given = given()
    if not isinstance(given, dict) or not all(isinstance(name, str) for name in given):
        raise refuse(f"inputs of {file} gave {type(given).__name__} ({given!r:.40}); expected a dict of arrays by parameter name")
    return given


def _arrays_of(path: Path) -> dict[str, Any]:
    """Read a .npz; arrays of no dimension become Python numbers, as a parameter such as `stride` needs them."""
    try:
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise refuse(f"{path} holds one array; expected a .npz with arrays by name (np.savez(path, W=W, X=X))")
        with archive:
            return {name: x.item() if x.ndim == 0 else x for name, x in archive.items()}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise refuse(f"{path} cannot be read as .npz: {reason}") from None


def in_order(function: Callable[..., Any], given: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the inputs that a function takes, in the order of its parameters, by their names; others are left alone."""
    wanted = inspect.signature(function).parameters.values()
    positional = [p for p in wanted if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if any(p.kind is p.VAR_POSITIONAL for p in wanted) and not positional:
        return dict(given)
    missing = [p.name for p in positional if p.default is p.empty and p.name not in given]
    if missing:
        raise refuse(f"{name} takes {', '.join(missing)}, which the inputs do not have; they have {', '.join(given) or 'none'}")
    return {p.name: given.get(p.name, p.default) for p in positional}
