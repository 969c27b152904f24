"""What is in the attributes of an operation: an index is a tuple of slices and arrays, so what is looked for may lie deep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["keyed", "mapped", "parts"]


def parts(attribute: Any) -> Iterator[Any]:
    """Yield what stands in tuples, lists and slices; an attribute that is none of these is its only part.

    Examples
    --------
    >>> list(parts((slice(1, None), [2, "x"])))
    [1, None, None, 2, 'x']
    """
    if type(attribute) in (tuple, list):
        for v in attribute:
            yield from parts(v)
    elif type(attribute) is slice:
        yield from parts((attribute.start, attribute.stop, attribute.step))
    else:
        yield attribute


def mapped(attribute: Any, f: Callable[[Any], Any]) -> Any:
    """Return an attribute of the same form, with what `f` makes of each of its parts.

    Examples
    --------
    >>> mapped((slice(1, None), [2]), lambda x: None if x is None else x * 10)
    (slice(10, None, None), [20])
    """
    if type(attribute) in (tuple, list):
        return type(attribute)(mapped(v, f) for v in attribute)
    if type(attribute) is slice:
        return slice(*(mapped(v, f) for v in (attribute.start, attribute.stop, attribute.step)))
    return f(attribute)


def keyed(attribute: Any, f: Callable[[Any], Any]) -> Any:
    """Return what tells an attribute from others, and can be a key of a dict, given what tells its parts.

    Examples
    --------
    >>> keyed((slice(1, None), [2]), repr)
    ('tuple', ('slice', '1', 'None', 'None'), ('list', '2'))
    """
    if type(attribute) in (tuple, list):
        return (type(attribute).__name__, *(keyed(v, f) for v in attribute))
    if type(attribute) is slice:
        return ("slice", *(keyed(v, f) for v in (attribute.start, attribute.stop, attribute.step)))
    return f(attribute)
