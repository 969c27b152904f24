"""A schedule as loops that Numba compiles, and around them the NumPy that loops do not do.

`numba_code` writes both: a module with a function for each run of steps that loops can carry out, and the function that calls these, and
NumPy for the rest. What Numba made of a module is kept on disk, in a folder of the user's, under a name made of the text and the versions.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import stat
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from autograd_np.compiling import loops
from autograd_np.compiling.code import MODULE, Code, Writer, executed
from autograd_np.compiling.nests import Part, pieces_of
from autograd_np.compiling.program import Value
from autograd_np.compiling.schedule import Schedule, Step
from autograd_np.ops.shaping import spread

__all__ = ["FOLDER", "Pieces", "cache_folder", "numba_code"]

FOLDER = "AUTOGRAD_NP_CACHE"
"""The environment variable that says where compiled functions are kept."""
LONGEST = 100
"""Numba takes some ten seconds for as many nests: longer programs are left to NumPy."""


class Pieces:
    """A schedule in pieces: runs of loops, and steps that are NumPy's.

    Attributes
    ----------
    text : str
        The module with the functions of all parts.
    functions : list of loops.Function
    notes : list of str
        What is left to NumPy, and why.
    """

    def __init__(self, schedule: Schedule, name: str) -> None:
        self.schedule = schedule
        self.name = name
        self.pieces = list(pieces_of(list(schedule.steps())))
        self.functions: list[loops.Function] = []
        self.notes: list[str] = []
        self._parts: list[tuple[Part, set[Value], list[Step]] | Step] = []
        nests = 0
        for piece in self.pieces:
            if isinstance(piece, Step):
                self._parts.append(piece)
                if piece.mode != "view" and not piece.value.weak:  # what Python does of its own numbers
                    where = f" at {piece.value.site}" if piece.value.site else ""
                    self.notes.append(f"{getattr(piece.value.fn, '__name__', piece.value.fn)} of shape {piece.value.shape}{where}: NumPy")
            else:
                part, shown = self._part(piece)
                nests += len(part.nests)
                self._parts.append((part, part.needed, shown))
        self.notes = list(dict.fromkeys(self.notes))
        self.is_long = nests > LONGEST
        if self.is_long:
            self.notes.append(f"{nests} loops are too many to compile (at most {LONGEST}): NumPy")
        results = {v for v in schedule.program.outputs if v.kind == "call"}
        for item in self._parts:
            if not isinstance(item, Step):
                checked = {item[0].root(v) for v in results if v in item[0].done}
                self.functions.append(loops.written(item[0], f"part{len(self.functions)}", checked & item[1]))

    @property
    def text(self) -> str:
        """The module with the functions of all parts."""
        return "\n\n".join([loops.HEAD, *(f.text for f in self.functions)])

    def _part(self, steps: list[Step]) -> tuple[Part, list[Step]]:
        """Return a run of steps as a part, and its views that are read after it."""
        own = {s.value: s for s in steps}
        read = {v for v in self.schedule.program.outputs if v in own}
        for step in self.schedule.steps():
            if step.value not in own:
                read |= {a for a in (*step.args, *step.value.children()) if a in own}
        needed, views = set(), set()
        for v in read:
            while v in own and (own[v].mode == "view" or v.is_call(spread)):
                views.add(v)
                v = v.args[0]
            if v in own:
                needed.add(v)
        return Part(steps, needed), [s for s in steps if s.value in views]

    def code(self, functions: Mapping[str, Callable[..., Any]]) -> Code:
        """Return the function that calls the parts, and NumPy for the rest; it returns ``None`` where a NaN came of it."""
        return executed(_Writer(self, functions), f"{self.name}, Numba")


class _Writer(Writer):
    """Writes the function around the parts."""

    def __init__(self, pieces: Pieces, functions: Mapping[str, Callable[..., Any]]) -> None:
        schedule = Schedule(pieces.schedule.program, [], copied=pieces.schedule.copied, into=pieces.schedule.into)
        super().__init__(schedule, pieces.name)
        self.pieces = pieces
        self.functions = functions

    @property
    def module(self) -> str:
        """The ``__name__`` of what is written: it writes into its arguments last of all, so it can be computed again."""
        return MODULE

    def text(self) -> str:
        """Return the source of ``make``."""
        self.names.update((v, f"x{i}") for i, v in enumerate(self.program.inputs))
        self._pieces()
        return super().text()

    def _pieces(self) -> None:
        functions = iter(self.pieces.functions)
        flags = []
        for item in self.pieces._parts:
            if isinstance(item, Step):
                self._numpys(item)
                continue
            flags.append(self._part(next(functions)))
            for step in item[2]:
                self._numpys(step)
        if flags:
            self.lines += [
                f"if {' or '.join(flags)}:",
                "    return None  # a NaN: NumPy says where it comes from, and the engine what it means",
            ]

    def _numpys(self, step: Step) -> None:
        if step.mode in ("write", "inner", "view") or step.value.weak:
            self._step(Step(step.value, step.mode, step.args), "")
            return
        name = self.names[step.value] = self._fresh("v")
        self.lines.append(f"{name} = {self._plain(step)}")

    def _part(self, function: loops.Function) -> str:
        given = [self._given(v) for v in function.given]
        for v in function.arrays:
            name = self.names[v] = self._fresh("v")
            given.append(name)
            self.lines.append(f"{name} = empty({v.shape}, {self.bind(v.dtype, str(v.dtype))})")
        numbers = []
        for char, found in function.numbers.items():
            name = self._fresh("n")
            numbers.append((name, found))
            given.append(name)
            self.lines.append(f"{name} = empty({len(found)}, {self.bind(np.dtype(char), str(np.dtype(char)))})")
        called = self.bind(self.functions[function.name], function.name)
        flag = self._fresh("nan")
        listed = ", ".join(given)
        self.lines += [
            "try:",
            f"    {flag} = {called}({listed})",
            "except TypeError:  # arrays that are cut out of others, or read-only",
            f"    {flag} = {called}(*map({self.bind(_plain, 'plain')}, [{listed}]))",
        ]
        for name, found in numbers:
            for i, v in enumerate(found):
                self.names[v] = self._fresh("s")
                self.lines.append(f"{self.names[v]} = {name}[{i}]")
        return flag

    def _given(self, v: Value) -> str:
        if v.kind == "constant" and v.const is None:
            return "None"
        if v.kind == "constant":
            x = np.asarray(v.const, v.dtype)
            return self.bind(np.ascontiguousarray(x) if x.ndim else x[()], self._fresh("c"))
        return self._name(v) if v.ndim or v.weak else f"{self._name(v)}[()]"


def _plain(x: Any) -> Any:
    if isinstance(x, np.ndarray) and not (x.flags.c_contiguous and x.flags.writeable and x.flags.aligned and x.dtype.isnative):
        return np.array(x, order="C")
    return x


# --- compiling, and keeping ---------------------------------------------------------------------------


def numba_code(pieces: Pieces) -> Code:
    """Compile the parts, or load what was compiled before, and return the function that calls them."""
    module = _module(pieces.text)
    return pieces.code({f.name: getattr(module, f.name) for f in pieces.functions})


def _module(text: str) -> ModuleType:
    """Return a module of this text, which Numba finds in its cache if it compiled it before."""
    key = hashlib.sha256()
    for part in (text, (Path(__file__).parent / "fast_math.py").read_text(encoding="utf-8"), sys.version, platform.machine()):
        key.update(part.encode())
    for package in ("numba", "llvmlite", "numpy"):
        key.update(version(package).encode())
    name = f"ag_compiled_{key.hexdigest()[:24]}"
    file = cache_folder() / f"{name}.py"
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        handle, new = tempfile.mkstemp(suffix=".py", dir=file.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as f:
            f.write(text)
        Path(new).replace(file)  # whoever else writes it writes the same
    try:
        return _loaded(name, file)
    except Exception:  # noqa: BLE001 (whatever is wrong with what was kept, it can be made anew)
        for kept in file.parent.rglob(f"{name}.*.nb?"):
            kept.unlink(missing_ok=True)
        return _loaded(name, file)


def _loaded(name: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # by its name Numba finds what it kept
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def cache_folder() -> Path:
    """Return the user's folder for what was compiled; one for this process alone where nobody else may be kept out of that.

    It is the folder that the environment variable `FOLDER` names, or ``autograd_np`` in the system's folder for caches. What lies there
    is run: so it has to be the user's own, and nobody else may write there.
    """
    if FOLDER in os.environ:
        folder = Path(os.environ[FOLDER])
    elif sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA", "~")) / "autograd_np" / "cache"
    elif sys.platform == "darwin":
        folder = Path("~/Library/Caches/autograd_np")
    else:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "autograd_np"
    try:
        folder = folder.expanduser().absolute()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = folder.stat()
        private = sys.platform == "win32" or (about.st_uid == os.getuid() and not stat.S_IMODE(about.st_mode) & 0o022)
        if private and os.access(folder, os.W_OK):
            return folder
    except (OSError, RuntimeError):  # no home, no permission
        pass
    return _own_folder()


_OWN: list[tempfile.TemporaryDirectory[str]] = []


def _own_folder() -> Path:
    if not _OWN:
        _OWN.append(tempfile.TemporaryDirectory(prefix="autograd_np_", ignore_cleanup_errors=True))
    return Path(_OWN[0].name)
