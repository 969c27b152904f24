"""What a function reads besides its arguments: variables it closes over, globals, the attributes of objects, and what these hold.

`found_in` walks from a function to all of it. Arrays, and Tensors, are data: `exchanged` puts others in their place while the function is
traced. Everything else is part of the signature, which is compared at each call: functions, classes and modules with what they were,
numbers and texts by their value. Which names a piece of code reads is known; so of modules, and of what packages that are installed made,
what is named is looked at.
"""

from __future__ import annotations

import array
import collections
import contextvars
import dis
import enum
import functools
import gc
import importlib.util
import os
import sys
import threading
import types
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from autograd_np import errors, standins
from autograd_np.callers import is_installed_file, is_own_file, is_users_file
from autograd_np.generators import GENERATORS
from autograd_np.tensor import Tensor

__all__ = ["MISSING", "Captured", "Slot", "found_in", "frozen", "narrowed"]

LARGEST = 50_000
"""So many places are looked at, at most."""
_LEFT_ALONE = ("numpy", "autograd_np", "threading", "logging", "weakref", "contextvars", "re", "pathlib", "typing", "abc", "inspect")
_PACKAGE = __name__.partition(".")[0]
_HEAP_TYPE = 1 << 9
_IMPORTS = dis.opmap["IMPORT_NAME"]
MISSING = object()
"""What stands in a place that is empty."""


class Slot(NamedTuple):
    """A place that something is read from.

    Attributes
    ----------
    holder : object
        A cell, dict, list, tuple, context variable, class (of its own attributes), or an object by whose attribute it is read.
    key : object
        Where in it; ``None`` for a cell.
    value : object
        What stood there when it was found.
    name : str
        As Python writes it.
    """

    holder: Any
    key: Any
    value: Any
    name: str

    def read(self) -> Any:
        """Return what stands there now."""
        try:
            if self.key is None:
                return self.holder.cell_contents
            if isinstance(self.holder, (dict, list, tuple, collections.deque)):
                return self.holder[self.key]
            if isinstance(self.holder, contextvars.ContextVar):
                return self.holder.get(MISSING)
            if isinstance(self.holder, type):
                return vars(self.holder)[self.key]
            return getattr(self.holder, self.key)
        except (ValueError, KeyError, IndexError, AttributeError):
            return MISSING

    def put(self, value: Any) -> None:
        """Put something else there."""
        if self.key is None:
            self.holder.cell_contents = value
        elif isinstance(self.holder, (dict, list, collections.deque)):
            self.holder[self.key] = value
        elif isinstance(self.holder, functools.partial):
            self.holder.__setstate__((self.holder.func, value, self.holder.keywords, self.holder.__dict__ or None))  # type: ignore[attr-defined]
        elif isinstance(self.holder, contextvars.ContextVar):
            self.holder.set(value)
        elif isinstance(self.holder, type):
            setattr(self.holder, self.key, value)
        else:
            object.__setattr__(self.holder, self.key, value)


_SCALARS = (int, float, complex, str, bytes, np.generic, np.dtype)


class Captured:
    """All that a function reads besides its arguments.

    Attributes
    ----------
    data : list of Slot
        Arrays and Tensors; the same array in several places has a slot for each.
    fixed : list of Slot
        Everything else, objects and containers on the way included.
    generators : list
        Random generators.
    sized : list of (container, int)
        Lists and dicts, with their lengths.
    attributes : set of int
        The ``id`` of those that hold the attributes of an object, whose order does not count.
    classes : list of (type, int)
        Classes, with the number of their own attributes.
    values : list of (callable, object, object)
        What is compared as a whole: a function, what it is called with, and what it gave.
    watched : list of Slot
        Places that installed packages use, for themselves too: what stands there after the trace counts.
    unloaded : set of str
        Modules that the function may import, and that are not there yet.
    """

    def __init__(self) -> None:
        self.data: list[Slot] = []
        self.fixed: list[Slot] = []
        self.generators: list[Any] = []
        self.sized: list[tuple[Any, int]] = []
        self.attributes: set[int] = set()
        self.classes: list[tuple[type, int]] = []
        self.values: list[tuple[Callable[[Any], Any], Any, Any]] = []
        self.watched: list[Slot] = []
        self.unloaded: set[str] = set()

    @functools.cached_property
    def leaves(self) -> list[Any]:
        """The arrays and Tensors, each once."""
        return list({id(s.value): s.value for s in self.data}.values())

    @contextmanager
    def exchanged(self, by: dict[int, Any]) -> Iterator[None]:
        """Put other objects, by the ``id`` of what is there, into all places; a Tensor stays, and is the other to this thread."""
        changed: list[tuple[Slot, Any]] = []
        tensors: list[Tensor] = []
        tuples: dict[int, Any] = {}
        try:
            for slot in self.data:
                new = by[id(slot.value)]
                if isinstance(slot.value, Tensor):
                    if not any(slot.value is t for t in tensors):
                        tensors.append(slot.value)
                        standins.begin(slot.value, new.data, new._node)
                elif not isinstance(slot.holder, tuple):
                    changed.append((slot, slot.value))
                    slot.put(new)
            for slot in self.fixed:
                if isinstance(slot.value, tuple) and not isinstance(slot.holder, tuple):
                    new = _with(slot.value, by, tuples)
                    if new is not slot.value:
                        changed.append((slot, slot.value))
                        slot.put(new)
            yield
        finally:
            for slot, value in reversed(changed):
                slot.put(value)
            for tensor in (*tensors, *by.values()):
                standins.end(tensor)


def _with(t: tuple[Any, ...], by: dict[int, Any], done: dict[int, Any]) -> Any:
    """Return a tuple with the arrays in it exchanged, or the same one where it holds none."""
    if id(t) not in done:
        items = [by.get(id(x), x) if isinstance(x, np.ndarray) else _with(x, by, done) if isinstance(x, tuple) else x for x in t]
        same = all(a is b for a, b in zip(items, t, strict=True))
        done[id(t)] = t if same else _named(t, items) if hasattr(t, "_fields") else type(t)(items)
    return done[id(t)]


def _named(t: Any, items: list[Any]) -> Any:
    return t._make(items)


class _Same:
    """Equal to what holds the same object."""

    def __init__(self, x: Any) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.x is other.x

    def __hash__(self) -> int:
        return id(self.x)


def frozen(x: Any) -> Any:
    """Return what is equal for equal numbers, texts and containers of these, and for other objects if they are the same ones."""
    kind = type(x)
    if x is None or isinstance(x, (bool, int, str, bytes)):
        return kind, x
    if isinstance(x, (float, complex, range, slice, np.generic)):
        return kind, repr(x)
    if isinstance(x, (set, frozenset)):
        return kind, frozenset(map(frozen, x))
    if isinstance(x, (list, tuple, collections.deque)):
        return kind, *map(frozen, x)
    if isinstance(x, Mapping):
        return kind, *((frozen(key), frozen(x[key])) for key in x)
    return _Same(x)


def _content(x: Any) -> Any:
    """Return what is equal for arrays, and polynomials of NumPy's, that hold the same."""
    if isinstance(x, np.ndarray):
        return x.shape, x.dtype, frozen(x.tolist()) if x.dtype.hasobject else x.tobytes()
    return tuple((n, _content(v) if isinstance(v, np.ndarray) else frozen(v)) for n, v in vars(x).items())


def _under(keys: list[Any]) -> Callable[[Any], list[int]]:
    """Return what tells the objects under some keys apart from others."""
    return lambda x: [id(x.get(key)) for key in keys]


def _is_polynomial(x: Any) -> bool:
    return isinstance(x, np.poly1d) or type(x).__module__.startswith("numpy.polynomial")


def found_in(*roots: Any) -> Captured:
    """Return all that some functions or objects read besides their arguments."""
    return _Walk().through(roots).captured


def narrowed(captured: Captured, ran: Collection[types.CodeType], *roots: Any) -> Captured:
    """Return what of all that is captured can make a difference, once it is known which code has run.

    What did not run in a trace does not run in a call either, as long as everything is the same that the code reads which did: what
    another function closes over, its globals and its code say nothing. Unless somebody keeps results: a function that stands behind
    ``functools.lru_cache``, or in a variable that code of others closes over, counts with all that it reads, though it has not run.
    """
    walks = [_Walk(ran).through(roots)]
    walks += [_Walk().through(walks[0].kept)] if walks[0].kept else []
    places = set().union(*(w.slots for w in walks))
    wholes = {
        id(x) for w in walks for x in (*(c for c, _ in (*w.captured.sized, *w.captured.classes)), *(x for _, x, _ in w.captured.values))
    }
    found = Captured()
    found.data, found.attributes = captured.data, captured.attributes
    found.fixed = [s for s in captured.fixed if (id(s.holder), s.key) in places]
    found.watched = [s for s in captured.watched if (id(s.holder), s.key) in places]
    found.sized = [(x, n) for x, n in captured.sized if id(x) in wholes]
    found.classes = [(x, n) for x, n in captured.classes if id(x) in wholes]
    found.values = [(how, x, was) for how, x, was in captured.values if id(x) in wholes]
    return found


class _Walk:
    """Goes from objects to all that they hold; into functions that have not run, if it is known which have, only where that counts."""

    def __init__(self, ran: Collection[types.CodeType] | None = None) -> None:
        self.ran = ran
        self.kept: list[Any] = []
        self.captured = Captured()
        self.seen: dict[int, Any] = {}
        self.slots: set[tuple[int, Any]] = set()
        self.todo: list[tuple[Any, str]] = []
        self.names: set[str] = set()
        self.modules: dict[int, types.ModuleType] = {}
        self.installed: list[tuple[Any, str]] = []

    def through(self, roots: Iterable[Any]) -> _Walk:
        """Look into some objects, and into all that is found there; return this."""
        for root in roots:
            self.visit(root, getattr(root, "__name__", type(root).__name__))
        self.finish()
        return self

    def finish(self) -> None:
        """Look into all that was found, until nothing more is."""
        known = -1
        while self.todo or known != len(self.names) + len(self.slots) + len(self.modules):
            known = len(self.names) + len(self.slots) + len(self.modules)
            while self.todo:
                self.visit(*self.todo.pop())
            for module in list(self.modules.values()):
                self._module(module)
            for x, name in list(self.installed):
                self._installed(x, name)

    def visit(self, x: Any, name: str) -> None:
        """Look into an object."""
        if id(x) in self.seen:
            return
        self.seen[id(x)] = x
        if len(self.seen) > LARGEST:
            raise errors.CompileError(f"ag.compile found more than {LARGEST:,} objects that the function could read: {name:.80}")
        if isinstance(x, types.FunctionType):
            self._function(x, name)
        elif isinstance(x, (types.MethodType, staticmethod, classmethod)):
            self.todo.append((x.__func__, name))
            if isinstance(x, types.MethodType):
                self.todo.append((x.__self__, name.rpartition(".")[0] or "self"))
        elif isinstance(x, property):
            self.todo += [(f, name) for f in (x.fget, x.fset) if f is not None]
        elif isinstance(x, types.BuiltinFunctionType):
            self.todo.append((x.__self__, name.rpartition(".")[0] or name))
        elif isinstance(x, functools.partial):
            self._slot(x, "args", x.args, f"{name}.args") if isinstance(x.args, tuple) else None
            self.todo += [(x.func, name), (x.args, f"{name}.args"), (x.keywords, name)]
        elif isinstance(x, type):
            self._class(x)
        elif isinstance(x, GENERATORS):
            self.captured.generators.append(x)
        elif isinstance(x, weakref.ref):
            self.todo.append((x(), name))
        elif type(x).__module__.startswith(f"{_PACKAGE}.") and "__wrapped__" in getattr(x, "__dict__", ()):  # a function that is compiled
            self.todo.append((x.__wrapped__, name))
            self._keep(x.__wrapped__)
        else:
            self._held(x, name)

    def _held(self, x: Any, name: str) -> None:
        """Look into what holds other things."""
        if isinstance(x, dict):
            self.captured.sized.append((x, len(x)))
            for key, v in list(x.items()):
                self._slot(x, key, v, f"{name}[{key!r:.40}]")
        elif isinstance(x, (list, tuple, collections.deque)):
            if not isinstance(x, tuple):
                self.captured.sized.append((x, len(x)))
            for i, v in enumerate(x):
                self._slot(x, i, v, f"{name}[{i}]")
        elif isinstance(x, (set, frozenset, bytearray, array.array)):
            how: Callable[[Any], Any] = frozenset if isinstance(x, (set, frozenset)) else bytes
            self.captured.values.append((how, x, how(x)))
            self.todo += [(v, name) for v in x if not isinstance(v, _SCALARS)]
        elif (isinstance(x, np.ndarray) and x.dtype.kind not in "biufc") or _is_polynomial(x):  # whose numbers are no data
            self.captured.values.append((_content, x, _content(x)))
        elif isinstance(x, weakref.WeakValueDictionary):
            there = _under(list(x.keys()))  # what is added meanwhile is what a cache adds
            self.captured.values.append((there, x, there(x)))
            self.todo += [(v, name) for v in x.values()]
        elif isinstance(x, types.MappingProxyType):
            self.todo += [(v, name) for v in gc.get_referents(x)]  # the dict that it shows
        elif isinstance(x, contextvars.ContextVar):
            self._slot(x, "value", x.get(MISSING), name)
        if _is_looked_into(x):
            self._object(x, name)
        elif _is_of_installed(type(x)):
            self.installed.append((x, name))

    def _function(self, f: types.FunctionType, name: str) -> None:
        users = is_users_file(f.__code__.co_filename)
        if not self._has_run(f) and not is_installed_file(f.__code__.co_filename):
            for key, v in f.__dict__.items() if users else ():
                self._slot(f.__dict__, key, v, f"{name}.{key}")
            return
        for variable, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            try:
                value = cell.cell_contents
            except ValueError:
                continue
            self._slot(cell, None, value, variable)
            if not is_own_file(f.__code__.co_filename) and not users:
                self._keep(value)
        if not users and f.__closure__ is None:
            self._of_others(f)
            return
        for which in ("__defaults__", "__kwdefaults__"):
            if getattr(f, which):
                self._slot(f, which, getattr(f, which), f"{name}.{which}")
        if users:
            if not f.__code__.co_filename.startswith("<"):  # what is loaded again, from a file, may keep its functions
                self._slot(f, "__code__", f.__code__, f"{name}.__code__")
            for key, v in f.__dict__.items():
                self._slot(f.__dict__, key, v, f"{name}.{key}")
            names = set(_names_in(f.__code__))
            self.names |= names
            for n in sorted(names & f.__globals__.keys()):
                self._slot(f.__globals__, n, f.__globals__[n], n)
            for n in _imported_in(f.__code__, f.__globals__.get("__package__")):
                if n in sys.modules:
                    self._slot(sys.modules, n, sys.modules[n], f"sys.modules[{n!r}]")  # another one may be put there
                else:
                    self.captured.unloaded.add(n)

    def _has_run(self, f: types.FunctionType) -> bool:
        """Whether a function has run, as far as that is known."""
        return self.ran is None or f.__code__ in self.ran

    def _keep(self, x: Any) -> None:
        """Note something that may be called, of which a result may be kept, unless it has run: what it calls has, too."""
        has_run = isinstance(x, types.FunctionType) and self._has_run(x)
        if self.ran is not None and callable(x) and not isinstance(x, type) and not has_run:
            self.kept.append(x)

    def _of_others(self, f: types.FunctionType) -> None:
        """Look at the numbers and texts that a function of an installed package reads, and at the functions of its package."""
        package = f.__module__.partition(".")[0] if isinstance(f.__module__, str) else ""
        if package in _LEFT_ALONE or package == "nn":
            return
        names = set(_names_in(f.__code__))
        installed = is_installed_file(f.__code__.co_filename)
        for n in sorted(names & f.__globals__.keys()):
            value = f.__globals__[n]
            if value is os.environ:
                self._slot(f.__globals__, n, value, n)
            elif installed and (_is_plain(value) or _is_function_of(value, package)):
                self._watch(f.__globals__, n, value, n)

    def _module(self, module: types.ModuleType) -> None:
        top = module.__name__.partition(".")[0]
        if top in _LEFT_ALONE or top == "nn":
            return
        of_python = top in sys.stdlib_module_names
        for n in sorted(self.names & vars(module).keys()):
            value = vars(module)[n]
            if not of_python or _is_plain(value) or isinstance(value, (list, Mapping)) or value is os.getenv:
                self._slot(vars(module), n, value, f"{module.__name__}.{n}")

    def _class(self, kind: type) -> None:
        for base in kind.__mro__[:-1]:
            if id(base) in self.seen and base is not kind:
                continue
            self.seen[id(base)] = base
            if not _is_users_class(base):
                continue
            self.captured.classes.append((base, len(vars(base))))
            self.todo.append((type(base), type(base).__name__))
            for n, member in list(vars(base).items()):
                if isinstance(member, _DESCRIPTORS) or (n.startswith("__") and not isinstance(member, _METHODS)):
                    continue
                if not isinstance(base, enum.EnumMeta) or isinstance(member, _METHODS):  # whose members stay
                    self._slot(base, n, member, f"{base.__name__}.{n}")

    def _object(self, x: Any, name: str) -> None:
        self.todo.append((type(x), type(x).__name__))
        if isinstance(x, _CACHES):
            self._keep(x.__wrapped__)
        container = isinstance(x, (dict, list, tuple, collections.deque))
        if _is_users_class(type(x)) and not container:
            self._slot(x, "__class__", type(x), f"{name}.__class__")
        if isinstance(x, threading.local):  # the attributes are others in each thread
            for key, v in list(vars(x).items()):
                self._slot(x, key, v, f"{name}.{key}")
        elif hasattr(x, "__dict__"):
            mine = vars(x)
            self.captured.sized.append((mine, len(mine)))
            self.captured.attributes.add(id(mine))
            for key, v in list(mine.items()):
                self._slot(mine, key, v, f"{name}.{key}")
        for kind in () if container else type(x).__mro__:
            slots = vars(kind).get("__slots__", ())
            for key in (slots,) if isinstance(slots, str) else slots:
                if key not in ("__dict__", "__weakref__") and hasattr(x, key):
                    self._slot(x, key, getattr(x, key), f"{name}.{key}")

    def _installed(self, x: Any, name: str) -> None:
        """Look at the attributes of an object of an installed package that are named in the code, and at its methods so named."""
        for kind in type(x).__mro__:
            if _is_of_installed(kind):
                for n, member in list(vars(kind).items()):
                    if isinstance(member, types.FunctionType) and (n in self.names or n == "__call__") and id(member) not in self.seen:
                        self.names |= set(_names_in(member.__code__))
                        self.todo.append((member, f"{name}.{n}"))
        mine = getattr(x, "__dict__", None)
        if type(mine) is dict:
            for n in sorted(self.names & mine.keys()):
                if _is_plain(mine[n]):
                    self._watch(mine, n, mine[n], f"{name}.{n}")
        if isinstance(x, Mapping) and not isinstance(x, dict) and (id(x), "items") not in self.slots:
            self.slots.add((id(x), "items"))
            self.captured.values.append((frozen, x, frozen(x)))

    def _watch(self, holder: Any, key: Any, value: Any, name: str) -> None:
        place = (id(holder), key)
        if place not in self.slots:
            self.slots.add(place)
            self.seen.setdefault(id(holder), holder)
            self.captured.watched.append(Slot(holder, key, value, name))
            if isinstance(value, types.FunctionType):
                self.todo.append((value, name))

    def _slot(self, holder: Any, key: Any, value: Any, name: str) -> None:
        place = (id(holder), key)
        if place in self.slots:
            return
        self.slots.add(place)
        self.seen.setdefault(id(holder), holder)
        slot = Slot(holder, key, value, name)
        if (type(value) is np.ndarray and value.dtype.kind in "biufc") or isinstance(value, Tensor):
            self.captured.data.append(slot)
            return
        self.captured.fixed.append(slot)
        if isinstance(value, types.ModuleType):
            self.modules[id(value)] = value
        elif not isinstance(value, _SCALARS) and value is not None:
            self.todo.append((value, name))


_DESCRIPTORS = (
    types.MemberDescriptorType,
    types.GetSetDescriptorType,
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
)
_CACHES = (type(functools.lru_cache(len)),)
_METHODS = (types.FunctionType, staticmethod, classmethod, property)


def _is_plain(value: Any) -> bool:
    """Whether a value is compared as it is: a number, a text, None, or a tuple of these."""
    return value is None or isinstance(value, _SCALARS) or (isinstance(value, tuple) and all(map(_is_plain, value)))


def _is_function_of(value: Any, package: str) -> bool:
    return isinstance(value, types.FunctionType) and str(value.__module__).partition(".")[0] == package


def _is_users_class(kind: type) -> bool:
    module = sys.modules.get(kind.__module__)
    return kind.__module__ == "__main__" or is_users_file(getattr(module, "__file__", None) or "<frozen>")


def _is_of_installed(kind: type) -> bool:
    """Whether a class belongs to an installed package that is not left alone."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None) or ""
    return kind.__module__.partition(".")[0] not in _LEFT_ALONE and is_installed_file(file)


def _is_looked_into(x: Any) -> bool:
    kind = type(x)
    return (
        (bool(kind.__flags__ & _HEAP_TYPE) or isinstance(x, types.SimpleNamespace) or hasattr(x, "__dict__"))
        and not isinstance(x, (type, types.ModuleType, np.ndarray, BaseException))
        and kind.__module__.partition(".")[0] not in _LEFT_ALONE
        and not is_installed_file(getattr(sys.modules.get(kind.__module__), "__file__", None) or "")
    )


def _names_in(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from _names_in(const)


def _imported_in(code: types.CodeType, package: str | None) -> Iterator[str]:
    """Yield the names of the modules that a function imports."""
    if _IMPORTS in code.co_code[::2]:
        before: list[Any] = [0, None]
        for instruction in dis.get_instructions(code):
            if instruction.opname == "IMPORT_NAME":
                level = before[-2] if isinstance(before[-2], int) else 0
                if not level or package:
                    name = importlib.util.resolve_name("." * level + instruction.argval, package) if level else instruction.argval
                    parts = name.split(".")
                    yield from (".".join(parts[: i + 1]) for i in range(len(parts)))
                    yield from (f"{name}.{n}" for n in before[-1] or ())  # which may be modules
            before.append(instruction.argval)
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from _imported_in(const, package)
