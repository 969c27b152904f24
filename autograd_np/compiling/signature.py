"""What of a call is data, what is part of the signature, and the code that finds out at each call whether that is as before.

Arrays and Python's floats are data: their shapes and dtypes count, not what they hold. Everything else counts as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.compiling.captured import Captured
from autograd_np.op import Overriding
from autograd_np.tensor import Tensor, value_of
from autograd_np.trees import flatten

__all__ = ["Arguments", "guard_of", "is_data"]


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
    key : tuple
        What two calls have in common that may be served by one function.
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
    def key(self) -> tuple[Any, ...]:
        """What two calls have in common that may be served by one function."""
        return (str(_places(self.args, self.kwargs)), *map(_form, self.leaves))

    def call(self, f: Callable[..., Any], data: Sequence[Any]) -> Any:
        """Call a function with other data."""
        found = iter(data)
        args, kwargs = self.unflatten([next(found) if is_data(x) else x for x in self.leaves])
        return f(*args, **kwargs)


def _places(args: Any, kwargs: Any) -> Any:
    """Return the tree with a number in the place of each leaf."""
    leaves, unflatten = flatten((args, kwargs))
    return _shape_of(unflatten(list(range(len(leaves)))))


def _shape_of(tree: Any) -> Any:
    if isinstance(tree, dict):
        return (type(tree).__name__, [(k, _shape_of(v)) for k, v in tree.items()])
    if isinstance(tree, (list, tuple)):
        return (type(tree).__name__, [_shape_of(v) for v in tree])
    if isinstance(tree, int):
        return tree
    return (type(tree).__qualname__, [(k, _shape_of(v)) for k, v in vars(tree).items()] if hasattr(tree, "__dict__") else id(type(tree)))


def _form(x: Any) -> Any:
    if type(x) is float:
        return float
    if is_data(x):
        if x.dtype.kind not in "biufc":
            raise errors.CompileError(f"a compiled function takes arrays of numbers, got one of dtype {x.dtype}")
        return (x.shape, x.dtype)
    if isinstance(x, np.ndarray):
        raise errors.CompileError(f"a compiled function takes NumPy's own arrays, got a {type(x).__name__}; take np.asarray(x)")
    try:
        hash(x)
    except TypeError:
        return (type(x), id(x))
    return (type(x), x)


# --- the code that looks ------------------------------------------------------------------------------


def guard_of(arguments: Arguments, captured: Captured) -> Callable[[tuple[Any, ...], dict[str, Any]], Any]:
    """Return a function that gives the data of a call with this signature, as a tuple, and ``None`` of any other."""
    return _Guard(arguments, captured).made()


class _Guard:
    def __init__(self, arguments: Arguments, captured: Captured) -> None:
        self.arguments = arguments
        self.captured = captured
        self.bound: dict[str, Any] = {"ndarray": np.ndarray, "generic": np.generic, "flatten": flatten}
        self.data: list[str] = []
        self.lines: list[str] = []

    def bind(self, x: Any) -> str:
        name = f"k{len(self.bound)}"
        self.bound[name] = x
        return name

    def made(self) -> Callable[..., Any]:
        """Return the function."""
        self._tree(self.arguments.args, "args", exact=tuple)
        self._tree(self.arguments.kwargs, "kwargs", exact=dict)
        self._captured()
        text = "\n".join(
            [
                "def guard(args, kwargs):",
                "    try:",
                *(f"    {line}" for line in self.lines),
                "        return (" + "".join(f"{d}, " for d in self.data) + ")",
                "    except (KeyError, IndexError, AttributeError, TypeError, ValueError):",
                "        return None",
            ]
        )
        exec(compile(text, "<ag.compile guard>", "exec"), self.bound)  # noqa: S102 (the text is made of our own names alone)
        return self.bound["guard"]  # type: ignore[no-any-return]

    def _fail(self, test: str) -> None:
        self.lines.append(f"    if {test}: return None")

    def _tree(self, tree: Any, text: str, exact: type | None = None) -> None:
        if type(tree) in (list, tuple):
            if exact is None:
                self._fail(f"{text}.__class__ is not {type(tree).__name__}")
            self._fail(f"len({text}) != {len(tree)}")
            for i, x in enumerate(tree):
                self._tree(x, f"{text}[{i}]")
        elif type(tree) is dict:
            if exact is None:
                self._fail(f"{text}.__class__ is not dict")
            self._fail(f"len({text}) != {len(tree)}" if tree else text)
            for key in _in_order(tree):
                self._tree(tree[key], f"{text}[{key!r}]" if type(key) in (str, int) else f"{text}[{self.bind(key)}]")
        elif is_data(tree):
            name = f"d{len(self.data)}"
            self.data.append(name)
            self.lines.append(f"    {name} = {text}")
            self._like(name, tree)
        else:
            leaves, _ = flatten(tree)
            if len(leaves) == 1 and leaves[0] is tree:
                self._same(text, tree)
                return
            name = f"t{len(self.bound)}"
            self.bound[name] = None
            self._fail(f"{text}.__class__ is not {self.bind(type(tree))}")
            self.lines.append(f"    {name} = flatten({text})[0]")
            self._fail(f"len({name}) != {len(leaves)}")
            for i, x in enumerate(leaves):
                self._tree(x, f"{name}[{i}]")

    def _like(self, name: str, x: Any) -> None:
        if type(x) is float:
            self._fail(f"{name}.__class__ is not float")
            return
        kind = "ndarray" if type(x) is np.ndarray else self.bind(type(x))
        self._fail(f"{name}.__class__ is not {kind} or {name}.shape != {x.shape} or {name}.dtype is not {self.bind(x.dtype)}")

    def _same(self, text: str, x: Any) -> None:
        """Compare with what is part of the signature: the same object, or for numbers and text an equal one."""
        name = self.bind(x)
        if type(x) is float:  # by its bits: 0.0 == -0.0, and a NaN is no other NaN
            self._fail(f"{text} is not {name} and ({text}.__class__ is not float or {text}.hex() != {x.hex()!r})")
        elif type(x) in (int, bool, str):
            self._fail(f"{text} is not {name} and ({text}.__class__ is not {type(x).__name__} or {text} != {name})")
        else:
            self._fail(f"{text} is not {name}")

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
        for slot in self.captured.fixed:
            self._same(self._place(slot), slot.value)
        for container, length in self.captured.sized:
            self._fail(f"len({self.bind(container)}) != {length}")

    def _place(self, slot: Any) -> str:
        holder = self.bind(slot.holder)
        if slot.key is None:
            return f"{holder}.cell_contents"
        if isinstance(slot.holder, (dict, list, tuple)) or not isinstance(slot.key, str):
            return f"{holder}[{slot.key!r}]" if type(slot.key) in (str, int) else f"{holder}[{self.bind(slot.key)}]"
        return f"{holder}.{slot.key}" if slot.key.isidentifier() else f"getattr({holder}, {slot.key!r})"


def _in_order(tree: dict[Any, Any]) -> list[Any]:
    """Return the keys in the order in which `flatten` goes through them."""
    leaves, unflatten = flatten(dict.fromkeys(tree, 0.0))
    numbered = unflatten(list(range(len(leaves))))
    return sorted(tree, key=numbered.__getitem__)
