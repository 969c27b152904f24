"""What the functions of the table are called in a program."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd_np.callers import name_of
from autograd_np.op import RESULT, STEP, TABLE, Op, Primitive

__all__ = ["FunctionName", "function_name", "is_importable", "plain_function"]

WRITTEN_OTHERWISE = frozenset((
    "to_float", "to_other", "getitem", "spread", "sigmoid", "relu", "softplus", "log_sigmoid", "softmax", "log_softmax", "logsumexp",
    "scatter_add", "setitem", "add_along_axis", "einsum", "copy", "frozen", "arranged", "vjp",
))  # fmt: skip
"""Operations for which the writer has an operator, a method or a helper."""


class FunctionName(NamedTuple):
    """What a function is called, and the line that imports it; NumPy's need none."""

    text: str
    line: str = ""


def plain_function(op: Op) -> Any:
    """Return the function that a user calls."""
    keys = [k for k, v in TABLE.items() if v is op]
    return next((k for k in keys if not isinstance(k, Primitive)), op.fn)


@functools.cache
def function_name(op: Op) -> FunctionName | None:
    """Return what a function is called in a program, or ``None`` if nothing can be imported that is it."""
    chain = [plain_function(op), *_wrapped(op.fn)]
    for function in chain:
        if not isinstance(function, Primitive):
            name = name_of(function)
            module, _, last = name.rpartition(".")
            if _is_there(f"numpy{module[2:]}" if module.startswith("np") else module, last, function):
                return FunctionName(name, "" if module.startswith("np") else f"import {module}")
    where = getattr(op.fn, "__module__", None)
    for text, namespace in (("np", np), ("np.linalg", np.linalg)):
        function = getattr(namespace, op.name, None)
        derived = TABLE.get(function) if isinstance(where, str) and "for_scipy" not in where else None
        if derived is not None and not isinstance(derived, Op):  # it calls the row, with the same arguments
            return FunctionName(f"{text}.{op.name}")
    found = vars(sys.modules[where]) if isinstance(where, str) and where in sys.modules else {}
    attribute = next((k for k, v in found.items() if any(v is f for f in chain)), None)
    return FunctionName(attribute, f"from {where} import {attribute}") if attribute else None


def _wrapped(function: Any) -> Iterator[Any]:
    while function is not None:
        yield function
        function = getattr(function, "__wrapped__", None)


def _is_there(module: str, name: str, function: Any) -> bool:
    try:
        return getattr(importlib.import_module(module), name, None) is function
    except (ImportError, ValueError):
        return False


def is_importable(op: Op) -> bool:
    """Whether the writer can say what an operation is."""
    return op.name in WRITTEN_OTHERWISE or op in (RESULT, STEP) or function_name(op) is not None
