"""What a function reads besides its arguments: variables it closes over, globals, the attributes of objects, and what these hold.

`found_in` walks from a function to all of it. Arrays, and Tensors, are data: `exchanged` puts others in their place while the function is
traced. Everything else is part of the signature, which `guards` compares at each call.
"""

from __future__ import annotations

import collections
import functools
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from autograd_np import errors, standins
from autograd_np.callers import is_installed_file, is_users_file
from autograd_np.generators import GENERATORS
from autograd_np.tensor import Tensor

__all__ = ["Captured", "Slot", "found_in"]

LARGEST = 50_000
"""So many places are looked at, at most."""
_LEFT_ALONE = ("numpy", "autograd_np", "threading", "logging", "weakref", "contextvars", "re", "pathlib", "typing", "abc", "inspect")
_HEAP_TYPE = 1 << 9
_MISSING = object()


class Slot(NamedTuple):
    """A place that something is read from.

    Attributes
    ----------
    holder : object
        A cell, dict, list, tuple, or an object by whose attribute it is read.
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
            return getattr(self.holder, self.key)
        except (ValueError, KeyError, IndexError, AttributeError):
            return _MISSING

    def put(self, value: Any) -> None:
        """Put something else there."""
        if self.key is None:
            self.holder.cell_contents = value
        elif isinstance(self.holder, (dict, list, collections.deque)):
            self.holder[self.key] = value
        elif isinstance(self.holder, functools.partial):
            self.holder.__setstate__((self.holder.func, value, self.holder.keywords, self.holder.__dict__ or None))  # type: ignore[attr-defined]
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
    """

    def __init__(self) -> None:
        self.data: list[Slot] = []
        self.fixed: list[Slot] = []
        self.generators: list[Any] = []
        self.sized: list[tuple[Any, int]] = []

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


def found_in(*roots: Any) -> Captured:
    """Return all that some functions or objects read besides their arguments."""
    walk = _Walk()
    for root in roots:
        walk.visit(root, getattr(root, "__name__", type(root).__name__))
    while walk.todo:
        walk.visit(*walk.todo.pop())
    return walk.captured


class _Walk:
    def __init__(self) -> None:
        self.captured = Captured()
        self.seen: dict[int, Any] = {}
        self.slots: set[tuple[int, Any]] = set()
        self.todo: list[tuple[Any, str]] = []

    def visit(self, x: Any, name: str) -> None:
        """Look into an object."""
        if id(x) in self.seen:
            return
        self.seen[id(x)] = x
        if len(self.seen) > LARGEST:
            raise errors.CompileError(f"ag.compile found more than {LARGEST:,} objects that the function could read: {name:.80}")
        if isinstance(x, types.FunctionType):
            self._function(x, name)
        elif isinstance(x, types.MethodType):
            self.todo += [(x.__func__, name), (x.__self__, name.rpartition(".")[0] or "self")]
        elif isinstance(x, functools.partial):
            self._slot(x, "args", x.args, f"{name}.args") if isinstance(x.args, tuple) else None
            self.todo += [(x.func, name), (x.args, f"{name}.args"), (x.keywords, name)]
        elif isinstance(x, dict):
            self.captured.sized.append((x, len(x)))
            for key, v in list(x.items()):
                self._slot(x, key, v, f"{name}[{key!r:.40}]")
        elif isinstance(x, (list, tuple, collections.deque)):
            if not isinstance(x, tuple):
                self.captured.sized.append((x, len(x)))
            for i, v in enumerate(x):
                self._slot(x, i, v, f"{name}[{i}]")
        elif isinstance(x, type):
            self._class(x)
        elif isinstance(x, GENERATORS):
            self.captured.generators.append(x)
        elif _is_looked_into(x):
            self._object(x, name)

    def _function(self, f: types.FunctionType, name: str) -> None:
        for variable, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            try:
                value = cell.cell_contents
            except ValueError:
                continue
            self._slot(cell, None, value, variable)
        for which in ("__defaults__", "__kwdefaults__"):
            if getattr(f, which):
                self._slot(f, which, getattr(f, which), f"{name}.{which}")
        if f.__dict__ and is_users_file(f.__code__.co_filename):
            for key, v in f.__dict__.items():
                self._slot(f.__dict__, key, v, f"{name}.{key}")
        if is_users_file(f.__code__.co_filename):
            names = set(_names_in(f.__code__))
            for n in sorted(names & f.__globals__.keys()):
                value = f.__globals__[n]
                if isinstance(value, types.ModuleType):
                    self._module(value, names)
                else:
                    self._slot(f.__globals__, n, value, n)

    def _module(self, module: types.ModuleType, names: set[str]) -> None:
        if is_users_file(getattr(module, "__file__", None) or "<frozen>"):
            for n in sorted(names & vars(module).keys()):
                value = vars(module)[n]
                if not isinstance(value, types.ModuleType):
                    self._slot(vars(module), n, value, f"{module.__name__}.{n}")

    def _class(self, kind: type) -> None:
        for base in kind.__mro__[:-1]:
            if id(base) in self.seen and base is not kind:
                continue
            self.seen[id(base)] = base
            if not _is_users_class(base):
                continue
            for n, member in list(vars(base).items()):
                if isinstance(member, property):
                    self.todo += [(f, f"{base.__name__}.{n}") for f in (member.fget, member.fset) if f is not None]
                    continue
                member = getattr(member, "__func__", member)
                if isinstance(member, types.FunctionType):
                    self.todo.append((member, f"{base.__name__}.{n}"))
                elif isinstance(member, (np.ndarray, Tensor, int, float, complex, list, tuple, dict)) and not n.startswith("__"):
                    self._slot(base, n, member, f"{base.__name__}.{n}")

    def _object(self, x: Any, name: str) -> None:
        self.todo.append((type(x), type(x).__name__))
        if hasattr(x, "__dict__"):
            mine = vars(x)
            self.captured.sized.append((mine, len(mine)))
            for key, v in list(mine.items()):
                self._slot(mine, key, v, f"{name}.{key}")
        for kind in type(x).__mro__:
            slots = vars(kind).get("__slots__", ())
            for key in (slots,) if isinstance(slots, str) else slots:
                if key not in ("__dict__", "__weakref__") and hasattr(x, key):
                    self._slot(x, key, getattr(x, key), f"{name}.{key}")

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
        if isinstance(value, types.ModuleType) or _is_foreign(value):
            return
        self.captured.fixed.append(slot)
        if not isinstance(value, _SCALARS) and value is not None:
            self.todo.append((value, name))


def _is_foreign(value: Any) -> bool:
    """Whether this is a function or class of somebody else's, which does not change."""
    if isinstance(value, (types.BuiltinFunctionType, np.ufunc)):
        return True
    if isinstance(value, type):
        return not _is_users_class(value)
    if isinstance(value, types.FunctionType):
        return value.__closure__ is None and not is_users_file(value.__code__.co_filename)
    return False


def _is_users_class(kind: type) -> bool:
    module = sys.modules.get(kind.__module__)
    return kind.__module__ == "__main__" or is_users_file(getattr(module, "__file__", None) or "<frozen>")


def _is_looked_into(x: Any) -> bool:
    kind = type(x)
    return (
        bool(kind.__flags__ & _HEAP_TYPE)
        and not isinstance(x, (type, types.ModuleType, np.ndarray, BaseException))
        and kind.__module__.partition(".")[0] not in _LEFT_ALONE
        and not is_installed_file(getattr(sys.modules.get(kind.__module__), "__file__", None) or "")
    )


def _names_in(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from _names_in(const)
