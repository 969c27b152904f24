"""What of a call is data, what is part of the signature, and the code that finds out at each call whether that is as before.

Arrays and Python's floats are data: their shapes and dtypes count, not what they hold. Everything else counts as it is.
"""

from __future__ import annotations

import collections
import contextvars
import keyword
import operator
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.compiling.captured import MISSING, Captured, Slot, frozen
from autograd_np.containers import Fields, opened
from autograd_np.op import Overriding
from autograd_np.tensor import Tensor, value_of
from autograd_np.trees import flatten

__all__ = ["Arguments", "guard_of", "is_data"]

BY_VALUE = (int, str, bytes, float, complex, np.generic)
ALIKE_IF_SAME = (str, np.ufunc, type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType)
"""What is equal to nothing but itself, and text."""


def is_data(x: Any) -> bool:
    """Whether a leaf of the arguments is data."""
    return type(x) is np.ndarray or type(x) is float or isinstance(x, np.generic)


class Arguments:
    """The arguments of one call, taken apart.

    Attributes
    ----------
    args, kwargs
    leaves : list
    data : list
        The arrays and floats among the leaves, in order.
    differentiated : bool
        Whether there is a Tensor among the leaves.
    """

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args = args
        self.kwargs = kwargs
        self.leaves, self.unflatten = flatten((args, kwargs))
        self.differentiated = any(isinstance(x, Overriding) for x in self.leaves)
        self.data = [x for x in self.leaves if is_data(x)]

    @property
    def objects(self) -> list[Any]:
        """What a function may read of the arguments besides data: objects, fields that are kept, the classes of containers."""
        found: list[Any] = []
        _objects_of((self.args, self.kwargs), found)
        return found

    def demand(self) -> None:
        """Refuse arrays that are no data."""
        for x in self.leaves:
            if is_data(x) and type(x) is not float and x.dtype.kind not in "biufc":
                raise errors.CompileError(f"a compiled function takes arrays of numbers, got one of dtype {x.dtype}")
            if isinstance(x, np.ndarray) and not is_data(x):
                raise errors.CompileError(f"a compiled function takes NumPy's own arrays, got a {type(x).__name__}; take np.asarray(x)")

    def call(self, f: Callable[..., Any], data: Sequence[Any]) -> Any:
        """Call a function with other data."""
        found = iter(data)
        args, kwargs = self.unflatten([next(found) if is_data(x) else x for x in self.leaves])
        return f(*args, **kwargs)


def _objects_of(tree: Any, found: list[Any]) -> None:
    if is_data(tree) or tree is None or isinstance(tree, BY_VALUE):
        return
    inside = opened(tree)
    found.append(tree if inside is None else type(tree))
    if inside is not None:
        for x in inside[0]:
            _objects_of(x, found)
        if isinstance(inside[1], Fields):
            found += [x for x in inside[1].kept.values() if x is not None and not isinstance(x, BY_VALUE)]


# --- the code that looks ------------------------------------------------------------------------------


def guard_of(arguments: Arguments, captured: Captured) -> Callable[[tuple[Any, ...], dict[str, Any]], Any]:
    """Return a function that gives the data of a call with this signature, as a tuple, and ``None`` of any other."""
    return _Guard(arguments, captured).made()


class _Guard:
    def __init__(self, arguments: Arguments, captured: Captured) -> None:
        self.arguments = arguments
        self.captured = captured
        self.bound: dict[str, Any] = {"ndarray": np.ndarray, "opened": opened, "frozen": frozen}
        self.data: list[str] = []
        self.lines: list[str] = []

    def bind(self, x: Any) -> str:
        name = f"k{len(self.bound)}"
        self.bound[name] = x
        return name

    def made(self) -> Callable[..., Any]:
        """Return the function."""
        self._tree(self.arguments.args, "args", exact=True)
        self._tree(self.arguments.kwargs, "kwargs", exact=True)
        self._captured()
        text = "\n".join(
            [
                "def guard(args, kwargs):",
                "    try:",
                *(f"    {line}" for line in self.lines),
                "        return (" + "".join(f"{d}, " for d in self.data) + ")",
                "    except (LookupError, AttributeError, TypeError, ValueError, RuntimeError):",
                "        return None",
            ]
        )
        exec(compile(text, "<ag.compile guard>", "exec"), self.bound)  # noqa: S102 (the text is made of our own names alone)
        return self.bound["guard"]  # type: ignore[no-any-return]

    def _fail(self, test: str) -> None:
        self.lines.append(f"    if {test}: return None")

    def _name(self) -> str:
        return f"v{len(self.lines)}"

    # --- the arguments

    def _tree(self, tree: Any, text: str, *, exact: bool = False) -> None:
        """Look at an argument; of ``*args`` and ``**kwargs`` it is known what they are."""
        if is_data(tree):
            name = f"d{len(self.data)}"
            self.data.append(name)
            self.lines.append(f"    {name} = {text}")
            self._like(name, tree)
            return
        inside = None if tree is None or isinstance(tree, BY_VALUE) else opened(tree)
        if inside is None:
            self._same(text, tree)
            return
        contents, rest, entries = inside
        if not text.isidentifier():
            name = self._name()
            self.lines.append(f"    {name} = {text}")
            text = name
        if not exact:
            self._fail(f"{text}.__class__ is not {self.bind(type(tree))}")
        if isinstance(rest, Fields):
            self._fields(tree, text, contents, rest)
        elif isinstance(tree, (dict, list, tuple, collections.deque)):
            self._container(tree, text, contents, entries)
        else:
            name = self._name()
            self.lines.append(f"    {name}, {name}r, {name}e = opened({text})")
            self._fail(f"frozen({name}r) != {self.bind(frozen(rest))} or frozen({name}e) != {self.bind(frozen(entries))}")
            self._unpack(contents, name)

    def _container(self, tree: Any, text: str, contents: list[Any], entries: list[Any]) -> None:
        if not isinstance(tree, dict):
            if isinstance(tree, collections.deque):
                self._same(f"{text}.maxlen", tree.maxlen)
            self._unpack(contents, text)
            return
        if isinstance(tree, collections.defaultdict):
            self._same(f"{text}.default_factory", tree.default_factory)
        self._keys(tree, text)
        if not tree:
            return
        names = {key: f"{self._name()}_{i}" for i, key in enumerate(tree)}
        self.lines.append(f"    {', '.join(names.values())}, = {text}.values()")
        for key, x in zip(entries, contents, strict=True):  # data are in this order
            self._tree(x, names[key])

    def _keys(self, d: dict[Any, Any], text: str) -> None:
        """Compare the keys of a dict, and their order, in which a function may go through them."""
        if not d:
            self._fail(text)
            return
        self._fail(f"[*{text}] != {self.bind(list(d))}")
        if any(type(key) is not str for key in d):  # 1 == True
            self._fail(f"[*map(type, {text})] != {self.bind(list(map(type, d)))}")

    def _unpack(self, contents: list[Any], text: str) -> None:
        if not contents:
            self._fail(f"len({text})")
            return
        name = self._name()
        names = [f"{name}_{i}" for i in range(len(contents))]
        self.lines.append(f"    {', '.join(names)}, = {text}")
        for x, n in zip(contents, names, strict=True):
            self._tree(x, n)

    def _fields(self, tree: Any, text: str, contents: list[Any], fields: Fields) -> None:
        if hasattr(tree, "__dict__"):
            self._fail(f"len({text}.__dict__) != {len(vars(tree))}")
        for name, x in fields.kept.items():
            self._same(self._attribute(text, name), x)
        for name, x in zip(fields.names, contents, strict=True):
            self._tree(x, self._attribute(text, name))

    # --- one thing

    def _like(self, name: str, x: Any) -> None:
        if type(x) is float:
            self._fail(f"{name}.__class__ is not float")
            return
        kind = "ndarray" if type(x) is np.ndarray else self.bind(type(x))
        self._fail(f"{name}.__class__ is not {kind} or {name}.shape != {x.shape} or {name}.dtype is not {self.bind(x.dtype)}")

    def _same(self, text: str, x: Any) -> None:
        """Compare with what is part of the signature: the same object, or for numbers and text an equal one."""
        if x is None or x is True or x is False:
            self._fail(f"{text} is not {x}")
            return
        name = self.bind(x)
        kind = type(x).__name__
        if type(x) is float:  # by its bits: 0.0 == -0.0, and a NaN is no other NaN
            self._fail(f"{text} is not {name} and ({text}.__class__ is not float or {text}.hex() != {x.hex()!r})")
        elif type(x) in (int, str, bytes):
            self._fail(f"{text} is not {name} and ({text}.__class__ is not {kind} or {text} != {name})")
        elif type(x) in (complex, range, slice):
            self._fail(f"{text} is not {name} and ({text}.__class__ is not {kind} or repr({text}) != {repr(x)!r})")
        else:
            self._fail(f"{text} is not {name}")

    # --- what is captured

    def _captured(self) -> None:
        places: dict[int, str] = {}
        for slot in self.captured.data:
            text = self._place(slot)
            if id(slot.value) in places:
                self._fail(f"{text} is not {places[id(slot.value)]}")
                continue
            name = f"d{len(self.data)}"
            if isinstance(slot.value, Tensor):
                self.lines.append(f"    o{name} = {text}")
                self._fail(f"o{name}.__class__ is not {self.bind(type(slot.value))}")
                self.lines.append(f"    {name} = o{name}.data")
                places[id(slot.value)] = f"o{name}"
            else:
                self.lines.append(f"    {name} = {text}")
                places[id(slot.value)] = name
            self.data.append(name)
            self._like(name, value_of(slot.value))
        self._fixed()
        for container, length in self.captured.sized:
            if type(container) is dict and id(container) not in self.captured.attributes:
                self._keys(container, self.bind(container))
            else:
                self._fail(f"len({self.bind(container)}) != {length}")
        for kind, length in self.captured.classes:
            self._fail(f"len({self.bind(vars(kind))}) != {length}")
        for read, x, form in self.captured.values:
            self._fail(f"{self.bind(read)}({self.bind(x)}) != {self.bind(form)}")

    def _fixed(self) -> None:
        """Compare what is no data: functions, classes, modules and texts of one dict all at once."""
        together: dict[int, list[Slot]] = {}
        for slot in (*self.captured.fixed, *(s._replace(value=s.read()) for s in self.captured.watched)):
            if isinstance(slot.holder, tuple):
                continue  # whose place was looked at, and that stays as it is
            if isinstance(slot.holder, (dict, type)) and isinstance(slot.value, ALIKE_IF_SAME) and type(slot.key) is str:
                together.setdefault(id(slot.holder), []).append(slot)
            else:
                self._same(self._place(slot), slot.value)
        for slots in together.values():
            if len(slots) == 1:
                self._same(self._place(slots[0]), slots[0].value)
                continue
            holder = slots[0].holder
            read = self.bind(operator.itemgetter(*(s.key for s in slots)))
            text = self.bind(vars(holder) if isinstance(holder, type) else holder)
            self._fail(f"{read}({text}) != {self.bind(tuple(s.value for s in slots))}")

    def _place(self, slot: Slot) -> str:
        holder = self.bind(vars(slot.holder) if isinstance(slot.holder, type) else slot.holder)
        if slot.key is None:
            return f"{holder}.cell_contents"
        if isinstance(slot.holder, contextvars.ContextVar):
            return f"{holder}.get({self.bind(MISSING)})"
        if isinstance(slot.holder, (dict, list, tuple, type)) or not isinstance(slot.key, str):
            return f"{holder}[{slot.key!r}]" if type(slot.key) in (str, int) else f"{holder}[{self.bind(slot.key)}]"
        return self._attribute(holder, slot.key)

    @staticmethod
    def _attribute(text: str, name: str) -> str:
        return f"{text}.{name}" if name.isidentifier() and not keyword.iskeyword(name) else f"getattr({text}, {name!r})"
