"""How a module of `autograd_np.scipy` is made of SciPy's: names that are given understand Tensors, every other is SciPy's own.

A function is given by what computes it with Tensors: a Primitive that has a row, or NumPy code made of rows. Without a Tensor among
the arguments SciPy's own is called, with all its options.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd_np.creating import gathered
from autograd_np.errors import NoRowError
from autograd_np.mirrored import MIRRORED
from autograd_np.overriding import Overriding, bare
from autograd_np.tensor import Tensor

__all__ = ["HARMLESS", "array", "covering", "holds_tensor", "module", "refusing", "standing_for"]

HARMLESS = frozenset({"check_finite", "overwrite_a", "overwrite_b", "overwrite_ab", "overwrite_x", "lwork"})
"""Options that ask for no other result: with Tensors they are taken, and nothing is overwritten."""


def holds_tensor(x: Any) -> bool:
    """Whether an argument is a Tensor, or a list, tuple or dict that holds one."""
    if isinstance(x, Tensor):
        return True
    if x.__class__ in (list, tuple):
        return any(map(holds_tensor, x))
    return x.__class__ is dict and any(map(holds_tensor, x.values()))


def array(x: Any) -> Any:
    """Return an argument as an array or a Tensor, also of a list that holds Tensors."""
    x = gathered(x)
    return x if hasattr(x, "__array_function__") else np.asarray(x)


def standing_for(real: Callable[..., Any], title: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a function that stands for `real`: it has its documentation, and is pickled by its name here."""

    def decorate(f: Callable[..., Any]) -> Callable[..., Any]:
        functools.update_wrapper(f, real)
        where, _, f.__name__ = title.rpartition(".")
        f.__module__, f.__qualname__ = f"autograd_np.{where}", f.__name__
        return f

    return decorate


def covering(real: Callable[..., Any], covered: Callable[..., Any], name: str = "") -> Callable[..., Any]:
    """Return SciPy's function `real`, computed by `covered` where Tensors are among the arguments.

    Parameters
    ----------
    real : callable
        SciPy's own, called when there are no Tensors.
    covered : callable
        Takes the arguments by SciPy's names and in SciPy's order; those that it has not are refused by name.
    name : str, optional
        For messages; ``module.name`` of `real` by default.

    Returns
    -------
    callable
        It raises NoRowError for an argument that `covered` has not, unless that is given SciPy's default.
    """
    title = name or f"{real.__module__}.{real.__name__}"

    @standing_for(real, title)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not holds_tensor(args) and not holds_tensor(kwargs):
            return real(*args, **kwargs)
        args, kwargs = _placed(args, kwargs, covered, real)
        if "check_finite" in getattr(_signature(real), "parameters", ()) and kwargs.get("check_finite", True):
            _demand_finite((*args, *kwargs.values()))
        return covered(*args, **_understood(kwargs, args, covered, real, title))

    return call


def _demand_finite(x: Any) -> None:
    """Raise what SciPy raises of arrays that are not finite, unless it is told not to look."""
    if x.__class__ in (list, tuple):
        for part in x:
            _demand_finite(part)
    elif isinstance(x, Overriding):
        np.asarray_chkfinite(bare(x))


@functools.cache
def _signature(fn: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(fn)
    except ValueError:  # a ufunc of an older NumPy
        return None


def _placed(
    args: tuple[Any, ...], kwargs: dict[str, Any], covered: Callable[..., Any], real: Callable[..., Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Give arguments by SciPy's names where the covered form, which may lack some, has another in their place."""
    ours, theirs = _signature(covered), _signature(real)
    if ours is None or theirs is None or any(p.kind is p.VAR_POSITIONAL for p in theirs.parameters.values()):
        return args, kwargs
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(ours.parameters, theirs.parameters, strict=False)))
    named = {k: v for k, v in theirs.bind_partial(*args).arguments.items() if k in list(theirs.parameters)[same : len(args)]}
    if named.keys() & kwargs.keys():
        theirs.bind(*args, **kwargs)  # says which argument has two values
    return args[:same], {**named, **kwargs}


def _understood(
    kwargs: dict[str, Any], args: tuple[Any, ...], covered: Callable[..., Any], real: Callable[..., Any], title: str
) -> dict[str, Any]:
    """Return the keyword arguments without those that say what is so anyway; refuse what the covered form has not."""
    signature = _signature(covered)
    if signature is None:
        return kwargs
    known = signature.parameters
    if any(p.kind is p.VAR_KEYWORD for p in known.values()):
        return kwargs
    places = [p for p in known.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(args) > len(places) and not any(p.kind is p.VAR_POSITIONAL for p in known.values()):
        raise NoRowError(f"{title} got {len(args)} positional arguments; with Tensors it takes {', '.join(known)}")
    rest = {}
    for key, value in kwargs.items():
        if key in known:
            rest[key] = value
            continue
        if key in HARMLESS:
            continue
        theirs = _signature(real)
        if theirs is None or key not in theirs.parameters or theirs.parameters[key].default is not value:
            raise NoRowError(f"{title} does not cover the argument {key}={value!r:.60} with Tensors; it covers {', '.join(known)}")
    return rest


def refusing(real: Callable[..., Any], title: str, instead: str) -> Callable[..., Any]:
    """Return SciPy's function, refused by name with Tensors."""

    @functools.wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        if holds_tensor(args) or holds_tensor(kwargs):
            raise NoRowError(f"{title} is not differentiable here, and got a Tensor; {instead}")
        return real(*args, **kwargs)

    return call


def module(where: str, given: Mapping[str, Any]) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` of the module that stands for a module of SciPy's.

    Parameters
    ----------
    where : str
        SciPy's module, such as ``"scipy.special"``.
    given : mapping
        Names, and what they mean here. Names that SciPy's version of the day has not are left out.

    Returns
    -------
    tuple
        To be bound under those names in the module.
    """
    real = importlib.import_module(where)
    there = {name: value for name, value in given.items() if hasattr(real, name)}

    def __getattr__(name: str) -> Any:  # noqa: N807
        if name in there:
            return there[name]
        if f"{where}.{name}" in MIRRORED:  # a module in it
            return importlib.import_module(f"autograd_np.{where}.{name}")
        if name.startswith("__"):  # SciPy's __path__ is not ours
            raise AttributeError(f"module 'autograd_np.{where}' has no attribute {name!r}")
        return getattr(real, name)

    return __getattr__, lambda: dir(real), list(getattr(real, "__all__", ()))
