"""Classes of the user's as containers: which of an object's fields are variables, and which are kept as they are.

optree takes containers apart; here it learns of classes it does not know. What is differentiated may not be known here.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np

from autograd_np.op import Primitive

__all__ = ["NAMESPACE", "Fields", "advice", "learn", "opened", "parts_of", "register_container"]

NAMESPACE = "autograd_np"
"""Where optree keeps what is registered here, apart from what other libraries make of the same classes."""

_C = TypeVar("_C", bound=type)
_KEPT = (
    str, bytes, bool, int, np.bool_, np.integer, enum.Enum, type, np.dtype, np.ufunc, Primitive,
    types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.BuiltinMethodType, types.ModuleType,
)  # fmt: skip


def _is_kept(x: Any) -> bool:
    return x is None or isinstance(x, _KEPT) or type(x).__module__.startswith("numpy.random")  # which is slow to import, if nobody has


class Fields:
    """The fields of an object that are kept as they are, and the names of the others.

    Attributes
    ----------
    names : tuple of str
        Of the fields that are variables.
    kept : dict
        The others.
    """

    __slots__ = ("kept", "names")

    def __init__(self, names: tuple[str, ...], kept: dict[str, Any]) -> None:
        self.names = names
        self.kept = kept

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fields) or self.names != other.names or self.kept.keys() != other.kept.keys():
            return False
        pairs = ((value, other.kept[name]) for name, value in self.kept.items())
        return all(a is b or (not isinstance(a, np.ndarray) and a == b) for a, b in pairs)

    def __hash__(self) -> int:
        return hash(self.names)


def _split(fields: Iterable[tuple[str, Any, bool]]) -> tuple[list[Any], Fields, tuple[str, ...]]:
    """Return the values that are differentiated, what is kept, and the names of the former."""
    variables: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    for name, value, static in fields:
        (kept if static or _is_kept(value) else variables)[name] = value
    names = tuple(variables)
    return list(variables.values()), Fields(names, kept), names


def _put_together(cls: Any) -> Callable[[Fields, Iterable[Any]], Any]:
    def unflatten(fields: Fields, values: Iterable[Any]) -> Any:
        new = object.__new__(cls)  # no __init__, which may check what a Tensor, or a gradient, is not
        for name, value in (*fields.kept.items(), *zip(fields.names, values, strict=True)):
            object.__setattr__(new, name, value)  # a frozen class is made like any other
        return new

    return unflatten


def _of_dataclass(x: Any) -> Any:
    fields = dataclasses.fields(x)
    return _split((f.name, getattr(x, f.name), bool(f.metadata.get("static"))) for f in fields if hasattr(x, f.name))


def _of_attributes(x: Any) -> Any:
    cls: Any = type(x)
    slots = {name: getattr(x, name) for name in _slots(cls) if hasattr(x, name)}
    return _split(
        (name, value, False) for name, value in sorted({**slots, **getattr(x, "__dict__", {})}.items())
    )  # in one order, however set


@functools.cache
def _slots(cls: Any) -> tuple[str, ...]:
    """Return the attributes that a class, or one it inherits from, keeps in slots."""
    return tuple(name for c in cls.__mro__ for name, x in vars(c).items() if isinstance(x, types.MemberDescriptorType))


def learn(x: Any) -> bool:
    """Register the class of a leaf if it is a dataclass that optree has not met; return whether it was."""
    cls = type(x)
    if not hasattr(cls, "__dataclass_fields__"):
        return False
    _register(cls, _of_dataclass, _put_together(cls))
    return True


def _register(cls: type, flatten: Any, unflatten: Any) -> None:
    import optree

    optree.register_pytree_node(cls, flatten, unflatten, namespace=NAMESPACE)


def register_container(
    cls: _C, flatten: Callable[[Any], tuple[Iterable[Any], Any]] | None = None, unflatten: Callable[[Any, Any], Any] | None = None
) -> _C:
    """Make a class a container, whose contents transforms differentiate one by one, as those of a dict.

    Dataclasses, named tuples, dicts, lists and tuples are containers without it.

    Parameters
    ----------
    cls : class
        Of its instances the attributes, in slots or not, are differentiated, but for those that are ``None``, strings, ints, bools,
        functions, classes, enums, dtypes, modules or random generators: they are kept as they are. Floats are
        differentiated, as they are in a dict.
    flatten : callable, optional
        ``flatten(x)`` returns the contents in a fixed order, and anything else that it takes to make another `x`. Together with:
    unflatten : callable, optional
        ``unflatten(rest, contents)`` makes an object of what `flatten` returned, with other contents: Tensors, tangents or gradients.

    Returns
    -------
    class
        `cls` itself, so that this decorates classes.

    Raises
    ------
    TypeError
        If `cls` is no class, or only one of the functions is given.
    ValueError
        If the class is a container already.

    Notes
    -----
    Without the functions, objects are made by setting attributes; ``__init__`` and ``__post_init__`` do not run, since what they
    check of the values need not hold for a gradient. A property is computed from the attributes as always, an attribute
    that was computed from others is a variable of its own. Subclasses are registered for themselves.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> @ag.register_container
    ... class Line:
    ...     def __init__(self, slope, shift):
    ...         self.slope, self.shift, self.name = slope, shift, "line"
    ...     def __call__(self, x):
    ...         return self.slope * x + self.shift
    >>> g = ag.grad(lambda line, x: np.sum(line(x) ** 2))(Line(2.0, 1.0), np.array([0.0, 1.0]))
    >>> g.slope, g.shift, g.name
    (array(6.), array(8.), 'line')
    """
    if not isinstance(cls, type):
        raise TypeError(f"register_container needs a class, got {type(cls).__name__}")
    if (flatten is None) != (unflatten is None):
        raise TypeError(f"register_container({cls.__name__}) needs both flatten and unflatten, or neither")
    if unflatten is None:
        flatten, unflatten = (_of_dataclass if dataclasses.is_dataclass(cls) else _of_attributes), _put_together(cls)
    _register(cls, flatten, unflatten)
    return cls


def parts_of(tree: Any, form: Any) -> tuple[list[Any], list[Any]] | None:
    """Return the contents of a container beside those of `tree`, of the same class, that stand for them; ``None`` if it is another.

    What `tree` has in the place of an array (a number of an axis, None) may be something that is kept as it is in an array's place.
    """
    import optree

    contents, fields, entries, _ = optree.tree_flatten_one_level(form, none_is_leaf=True, namespace=NAMESPACE)
    if type(tree) is not type(form) and not (isinstance(tree, dict) and isinstance(form, dict)):
        return None
    if isinstance(fields, Fields):
        return ([getattr(tree, name) for name in fields.names], contents) if all(hasattr(tree, name) for name in fields.names) else None
    if isinstance(form, dict):
        return ([tree[name] for name in entries], contents) if tree.keys() == form.keys() else None
    given, _, given_entries, _ = optree.tree_flatten_one_level(tree, none_is_leaf=True, namespace=NAMESPACE)
    return (given, contents) if list(given_entries) == list(entries) else None


def opened(tree: Any) -> tuple[list[Any], Any, list[Any]] | None:
    """Return what a container holds, what else it takes to make another one, and the keys or numbers of what it holds; ``None`` of a leaf.

    For an object whose fields are told apart here, the second is `Fields`.
    """
    import optree

    try:
        contents, rest, entries, _ = optree.tree_flatten_one_level(tree, namespace=NAMESPACE)
    except ValueError:  # as optree says it of a leaf
        return None
    return contents, rest, list(entries)


def advice(x: Any) -> str:
    """Return what to do about a leaf that is no array, for the end of a message; nothing for what is no object of a class of the user's."""
    cls = type(x)
    if _is_kept(x) or isinstance(x, (np.ndarray, np.generic)) or cls.__module__ == "builtins":
        return ""
    return f"; if {cls.__qualname__} holds arrays, decorate it with @ag.register_container, or make it a dataclass"
