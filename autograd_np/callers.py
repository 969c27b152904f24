"""Who called: the user's line, and the function that asked for what is about to be refused."""

from __future__ import annotations

import dis
import inspect
import itertools
import linecache
import os
import sys
import warnings
from collections.abc import Iterator
from types import CodeType, FrameType, TracebackType
from typing import Any

import numpy as np

from autograd_np.text import shorten, visible

__all__ = [
    "asked_by",
    "asking_library",
    "call_site",
    "is_installed_file",
    "is_own_file",
    "is_users",
    "is_users_file",
    "leaves_the_turn",
    "name_of",
    "raised_in",
    "stores_into_array",
    "warn_caller",
]

_PACKAGE = __file__.removesuffix("callers.py")
_NN = f"{_PACKAGE.removesuffix(os.sep).rpartition(os.sep)[0]}{os.sep}nn{os.sep}"
_NUMPY = np.__file__.removesuffix("__init__.py")
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_STDLIB = os.__file__.removesuffix("os.py")


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_own(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_PACKAGE)


def _is_inside(frame: FrameType) -> bool:
    """Whether a frame runs code of this package or of NumPy."""
    filename = frame.f_code.co_filename
    return filename.startswith((_PACKAGE, _NUMPY))


def _place(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def call_site() -> str:
    """Return ``file:line`` of the nearest caller outside this package and NumPy."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_inside(frame):
        frame = frame.f_back
    return _place(frame)


def warn_caller(message: str, category: type[Warning]) -> None:
    """Warn at the line of the nearest caller outside this package and NumPy."""
    depth = sum(1 for _ in itertools.takewhile(_is_inside, _frames(sys._getframe(1))))
    warnings.warn(message, category, stacklevel=depth + 2)


# --- who asked ------------------------------------------------------------------------------------


def asked_by() -> str:
    """Return what asked for a conversion, and where: a library's function, or the user's own expression.

    To be called by the method that NumPy or Python calls to convert.
    """
    outside = [frame for frame in _frames(sys._getframe(1)) if not _is_own(frame)]
    package = next((name for name in map(_package, outside) if name != "numpy"), "")
    library = list(itertools.takewhile(lambda f: _package(f) in ("numpy", package) and _is_library(f), outside))
    user = outside[min(len(library), len(outside) - 1)]
    expression = _expression(user)
    if not library:
        return visible(f"{expression or 'a call'} at {_place(user)}")
    names = (name for frame in reversed(library) if (name := _public_name(frame)))
    name = next(names, "") or f"{_public_part(library[-1])}.{library[-1].f_code.co_qualname}"
    return visible(f"{name} at {_place(user)}{expression and f' ({expression})'}")


def asking_library() -> CodeType | None:
    """Return the code that asked for a conversion, if it is a library's."""
    frame = next(itertools.dropwhile(_is_own, _frames(sys._getframe(1))), None)
    return frame.f_code if frame is not None and _is_library(frame) else None


def raised_in(trace: TracebackType | None, code: CodeType | None) -> bool:
    """Whether an exception was raised by that code itself, not by what it called."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code is code


def stores_into_array() -> bool:
    """Whether the caller of the converting method is executing ``array[i] = tensor``."""
    frame = next(itertools.dropwhile(_is_own, _frames(sys._getframe(1))), None)
    return frame is not None and _instruction(frame).startswith("STORE_SUBSCR")


def leaves_the_turn() -> bool:
    """Whether the caller of the converting method is a product of SciPy's sparse matrices.

    Such a product leaves the turn to its other operand, if that cannot be read as an array of numbers.
    """
    frame = next(itertools.dropwhile(_is_own, _frames(sys._getframe(1))), None)
    return (
        frame is not None
        and frame.f_code.co_name in ("_matmul_dispatch", "_rmatmul_dispatch", "_mul_dispatch", "_rmul_dispatch")
        and str(frame.f_globals.get("__name__", "")).startswith("scipy.sparse")
    )


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _is_library(frame: FrameType) -> bool:
    filename = frame.f_code.co_filename
    return filename.startswith(_STDLIB) or any(part in filename for part in _INSTALLED)


def is_users(frame: FrameType) -> bool:
    """Whether a frame runs a user's code: none of this package, of `nn`, of Python or of what is installed."""
    return is_users_file(frame.f_code.co_filename)


def is_users_file(filename: str) -> bool:
    """Whether a file is a user's: not this package's, nor of `nn`, of Python or of what is installed."""
    own = filename.startswith((_PACKAGE, _NN, _STDLIB, _NUMPY, "<frozen", "<none>"))
    return not own and not any(part in filename for part in _INSTALLED)


def is_own_file(filename: str) -> bool:
    """Whether a file is part of this package, of `nn` or of NumPy."""
    return filename.startswith((_PACKAGE, _NN, _NUMPY))


def is_installed_file(filename: str) -> bool:
    """Whether a file is part of a package that is installed, other than this one and `nn`."""
    return not filename.startswith((_PACKAGE, _NN)) and any(part in filename for part in _INSTALLED)


def _instruction(frame: FrameType) -> str:
    return dis.opname[frame.f_code.co_code[frame.f_lasti]]


def _expression(frame: FrameType) -> str:
    """Return the text that is being executed, ``array[i] = t`` or ``np.array([t, u])``, if it is on one line of a file."""
    line, last, start, end = next(itertools.islice(frame.f_code.co_positions(), frame.f_lasti // 2, None), (None,) * 4)
    if line is None or line != last or start is None or end is None:
        return ""
    text = linecache.getline(frame.f_code.co_filename, line, frame.f_globals)
    part = text if _instruction(frame).startswith("STORE_SUBSCR") else text.encode()[start:end].decode(errors="replace")
    return f"`{shorten(part.strip(), 80)}`" if part.strip() else ""


def _public_part(frame: FrameType) -> str:
    """Return a frame's module without what is private in it: ``scipy.stats`` of ``scipy.stats._distn_infrastructure``."""
    return ".".join(itertools.takewhile(lambda part: not part.startswith("_"), str(frame.f_globals.get("__name__", "")).split(".")))


def _public_name(frame: FrameType) -> str:
    """Return the name under which a user calls a running function: ``scipy.stats.norm.logpdf``."""
    code = frame.f_code
    owner = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
    if any(_code_of(vars(kind).get(code.co_name)) is code for kind in type(owner).__mro__):  # a method
        for path in _modules(_package(frame)):
            for name, value in list(vars(sys.modules[path]).items()):
                if value is owner:
                    return f"{path}.{name}.{code.co_name}"
        public = [m for m in _modules(_package(frame)) if not any(part.startswith("_") for part in m.split("."))]
        for kind in type(owner).__mro__:  # of an object of the user's: under the name of its class
            for path in public:
                if vars(sys.modules[path]).get(kind.__name__) is kind:
                    return f"{path}.{kind.__name__}{'' if code.co_name == '__init__' else f'.{code.co_name}'}"
        return ""
    wrapped = [f for name in code.co_freevars if inspect.isroutine(f := frame.f_locals.get(name))]  # of a decorator's function
    for name, wanted in [(code.co_name, code), *((f.__name__, _code_of(f)) for f in wrapped)]:
        if not name.startswith("_"):
            for path in _modules(_package(frame)):
                if wanted is not None and _code_of(vars(sys.modules[path]).get(name)) is wanted:
                    return f"{path}.{name}"
    part = _public_part(frame)
    return f"{part}.{code.co_name}" if callable(getattr(sys.modules.get(part), code.co_name, None)) else ""


def _modules(package: str = "") -> list[str]:
    """Return the loaded modules that users name, those with the shortest names first, and then the private ones."""
    loaded = [m for m, module in list(sys.modules.items()) if module is not None and (not package or m.partition(".")[0] == package)]
    return sorted(loaded, key=lambda m: (any(part.startswith("_") for part in m.split(".")), len(m)))


def _code_of(value: Any) -> Any:
    if not inspect.isroutine(value):
        return None
    return getattr(inspect.unwrap(value), "__code__", None)


def name_of(fn: Any) -> str:
    """Return a function's name with its module: ``np.add``, ``scipy.special.gammaln``.

    A ufunc does not know its module, so the modules that are loaded are asked, those with the shortest names first.
    """
    name = str(getattr(fn, "__name__", fn))
    module = getattr(fn, "__module__", None)
    if not isinstance(module, str):
        module = next((m for m in ("numpy", *_modules()) if vars(sys.modules[m]).get(name) is fn), None)
    if module is None:
        return name
    top, dot, rest = module.partition(".")
    return f"{'np' if top == 'numpy' else top}{dot}{rest}.{name}"
