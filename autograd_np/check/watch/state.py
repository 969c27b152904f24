"""Where the user's functions find arrays besides their arguments: their objects, what they captured, globals of their modules.

Every run gets copies: `World.installed` puts them where the functions look, for as long as one run takes.
"""

from __future__ import annotations

import copy
import functools
import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_np.check.watch.source import is_users
from autograd_np.generators import GENERATORS, put_back, states

__all__ = ["Slot", "World", "duplicate", "leaves_in", "rng_state", "set_rng_state"]

_DEPTH = 6
_MADE_BY_CLASS = 1 << 9  # Py_TPFLAGS_HEAPTYPE


@dataclass(frozen=True)
class Slot:
    """One place outside the arguments from which a function reads: an owner of methods, a captured variable, or a global.

    Attributes
    ----------
    name : str
    value : object
        What stands there.
    put : callable
        Puts another value there; ``None`` for owners, whose methods are bound anew.
    """

    name: str
    value: Any
    put: Callable[[Any], None] | None


def is_users_object(value: Any) -> bool:
    """Whether a value is an instance of a class with attributes that may hold arrays."""
    kind = type(value)
    return (
        hasattr(value, "__dict__")
        and not isinstance(value, (type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType, np.ndarray))
        and bool(kind.__flags__ & _MADE_BY_CLASS)
        and kind.__module__.partition(".")[0] not in ("numpy", "autograd_np", "logging", "threading")
        and not kind.__module__.startswith("scipy.stats")  # a distribution
    )


def _holds_state(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return bool(value.dtype.kind == "f")
    if isinstance(value, GENERATORS):
        return True
    if isinstance(value, (dict, list, tuple)):
        items = list(value.values() if isinstance(value, dict) else value)[:50]
        return not items or any(_holds_state(v) for v in items)  # what is empty may be filled
    return is_users_object(value)


class World:
    """The slots of some functions, found through their owners, closures and globals.

    Attributes
    ----------
    slots : list of Slot
    integers : set of int
        What the functions read besides: sizes that somebody wrote down.
    functions : list
        All functions of the user's that may be called, as far as names tell.
    """

    def __init__(self, *functions: Callable[..., Any] | None) -> None:
        self.slots: list[Slot] = []
        self.integers: set[int] = set()
        self.owners: dict[int, Any] = {}
        self.functions: list[types.FunctionType] = []
        self._seen: set[int] = set()
        self._numbers: set[tuple[str, int]] = set()
        for f in functions:
            if f is not None:
                self._visit(f)

    def _visit(self, f: Any) -> None:
        f = inspect.unwrap(f) if callable(f) else f
        owner = getattr(f, "__self__", None)
        if owner is None and not isinstance(f, types.FunctionType) and is_users_object(f):
            owner = f
        if owner is not None and not isinstance(owner, (type, types.ModuleType)) and id(owner) not in self.owners:
            self.owners[id(owner)] = owner
            self.slots.append(Slot("self", owner, None))
            self._methods_of(type(owner))
        function = getattr(f, "__func__", f)
        if not isinstance(function, types.FunctionType):
            function = getattr(type(f), "__call__", None)  # noqa: B004 (the method, not whether there is one)
        if isinstance(function, types.FunctionType):
            self._function(function)

    def _methods_of(self, kind: type) -> None:
        for base in kind.__mro__[:-1]:
            for member in vars(base).values():
                member = getattr(member, "__func__", member)
                if isinstance(member, types.FunctionType) and is_users(member.__code__.co_filename):
                    self._function(member)

    def _function(self, f: types.FunctionType) -> None:
        if id(f) in self._seen or len(self._seen) > 300:
            return
        self._seen.add(id(f))
        self.functions.append(f)
        for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            try:
                value = cell.cell_contents
            except ValueError:
                continue
            self._value(name, value, functools.partial(setattr, cell, "cell_contents"), id(cell))
        for name in _names_in(f.__code__):
            if name in f.__globals__:
                scope = f.__globals__
                self._value(name, scope[name], functools.partial(scope.__setitem__, name), id(scope))

    def _value(self, name: str, value: Any, put: Callable[[Any], None], at: int) -> None:
        if isinstance(value, int) and not isinstance(value, bool):
            self.integers.add(value)
        elif isinstance(value, types.FunctionType):
            if is_users(value.__code__.co_filename):
                self._function(value)
        elif isinstance(value, type):
            if is_users(getattr(inspect.getmodule(value), "__file__", None) or "<frozen>"):
                self._methods_of(value)
        elif isinstance(value, types.MethodType):
            self._visit(value)
        elif isinstance(value, float):
            if (name, at) not in self._numbers:
                self._numbers.add((name, at))
                self.slots.append(Slot(name, value, put))
        elif _holds_state(value):
            self.slots.append(Slot(name, value, put))
            if is_users_object(value):
                self._methods_of(type(value))

    @property
    def values(self) -> list[Any]:
        """What stands in the slots, in order."""
        return [s.value for s in self.slots]

    @contextmanager
    def installed(self, values: list[Any]) -> Iterator[Mapping[int, Any]]:
        """Put other values into the slots; yields ``id(owner)`` -> the object that its methods are to be bound to."""
        try:
            for slot, value in zip(self.slots, values, strict=True):
                if slot.put is not None:
                    slot.put(value)
            yield {id(s.value): v for s, v in zip(self.slots, values, strict=True) if s.put is None}
        finally:
            for slot in self.slots:
                if slot.put is not None:
                    slot.put(slot.value)


def bound(f: Any, owners: Mapping[int, Any]) -> Any:
    """Bind a method (or an object that is called) to the copy of its object."""
    if isinstance(f, types.MethodType) and id(f.__self__) in owners:
        return types.MethodType(f.__func__, owners[id(f.__self__)])
    return owners.get(id(f), f)


def _names_in(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield from _names_in(const)


def duplicate(value: Any, memo: dict[int, Any] | None = None) -> Any:
    """Return a deep copy that keeps what is the same object the same, and leaves what cannot be copied as it is.

    `memo` may say beforehand what takes the place of an object: ``id`` -> replacement.
    """
    memo = {} if memo is None else memo
    if isinstance(value, (float, int, str, bytes, type(None), np.generic, type, types.ModuleType, types.FunctionType)):
        return memo.get(id(value), value)
    if id(value) in memo:
        return memo[id(value)]
    new: Any
    kind: Any = type(value)
    if type(value) is np.ndarray:
        new = value.copy()
    elif type(value) is tuple:
        new = tuple(duplicate(v, memo) for v in value)
    elif type(value) is dict:
        new = memo[id(value)] = {}
        new.update((k, duplicate(v, memo)) for k, v in value.items())
    elif type(value) is list:
        new = memo[id(value)] = []
        new.extend(duplicate(v, memo) for v in value)
    elif isinstance(value, types.MethodType):
        new = types.MethodType(value.__func__, duplicate(value.__self__, memo))
    elif is_users_object(value) and not hasattr(kind, "__deepcopy__") and kind.__reduce_ex__ is object.__reduce_ex__:
        new = _blank(value)
        if new is None:
            return _copied(value, memo)
        memo[id(value)] = new
        for k, v in vars(value).items():
            object.__setattr__(new, k, duplicate(v, memo))
    else:
        return _copied(value, memo)
    memo[id(value)] = new
    return new


def _blank(value: Any) -> Any:
    kind: Any = type(value)
    if kind.__new__ is not object.__new__ or isinstance(value, (dict, list, tuple, BaseException)) or hasattr(kind, "__slots__"):
        return None
    return object.__new__(kind)


def _copied(value: Any, memo: dict[int, Any]) -> Any:
    try:
        new = copy.deepcopy(value, memo)
    except Exception:  # noqa: BLE001 (an object may hold what cannot be copied, such as a file)
        try:
            new = copy.copy(value)
        except Exception:  # noqa: BLE001
            new = value
    memo[id(value)] = new
    return new


def leaves_in(value: Any, path: tuple[Any, ...], seen: set[int] | None = None) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield (path, value) for what no container holds further parts of: entries by key, attributes by name."""
    seen = set() if seen is None else seen
    if isinstance(value, np.ndarray) or not (isinstance(value, (dict, list, tuple)) or is_users_object(value)):
        yield path, value
        return
    if id(value) in seen or len(path) > _DEPTH:
        return
    seen.add(id(value))
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, (list, tuple)):
        items = list(enumerate(value)) if len(value) < 2000 else []
    else:
        items = list(vars(value).items())
    for key, item in items:
        yield from leaves_in(item, (*path, Attribute(key, type(value)) if is_users_object(value) else key), seen)


class Attribute(str):
    """A step of a path that is an attribute's name, not a key.

    Attributes
    ----------
    written : str
        As it is written in the class: ``__W`` of what Python calls ``_Net__W``.
    """

    __slots__ = ("written",)

    written: str

    def __new__(cls, name: str, kind: type | None = None) -> Attribute:
        """Make one of the name of an attribute, as Python has it, and the class of the object."""
        made = super().__new__(cls, name)
        private = (f"_{c.__name__.lstrip('_')}" for c in (kind.__mro__ if kind is not None and name.startswith("_") else ()))
        made.written = next((name.removeprefix(p) for p in private if name.startswith(f"{p}__")), name)
        return made


def spelled(path: tuple[Any, ...]) -> str:
    """Write a path as Python does: ``layers[0].W``, ``params['W1']``."""
    text = ""
    for i, key in enumerate(path):
        if i == 0:
            text = key.written if isinstance(key, Attribute) else str(key)
        elif isinstance(key, Attribute):
            text += f".{key.written}"
        else:
            text += f"[{key!r}]"
    return text


def generators_in(values: Any) -> list[Any]:
    """Return the random generators in some values, in order."""
    return [v for _, v in leaves_in(values, ("",)) if isinstance(v, GENERATORS)]


def rng_state(values: Any = ()) -> list[Any]:
    """Return the state of the global generators and of those in some values."""
    return states(generators_in(values))


def set_rng_state(state: list[Any], values: Any = ()) -> None:
    """Put the generators back to a state."""
    put_back(state, generators_in(values))
