"""Calls of NumPy's functions as they arrive: which arguments are operands, which are attributes, and what the table lacks.

This is what is known of a call from its row alone. Nothing is computed or recorded here, and a Tensor is only something that
holds data and can be refused: it may not be made or changed.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from autograd_np import errors
from autograd_np.callers import name_of
from autograd_np.op import Batched, Op, Overriding, value_of

__all__ = ["bind", "no_row", "plain", "refuse_other_meanings", "value_of"]


def bind(op: Op, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any], list[Any], Any]:
    """Sort the arguments of a call into operands, attributes, the Tensors that attributes were read from, and `out`."""
    arrays = 1 if op.variadic else len(op.rules)
    params = op.params
    given = dict(zip(params, args, strict=False))
    if len(args) > len(params):
        raise TypeError(f"{op.name} takes {len(params)} arguments ({', '.join(params)}), got {len(args)}")
    for key, value in kwargs.items():
        if key in given:
            raise TypeError(f"{op.name}() got two values for the argument {key!r}")
        given[key] = value
    out = given.pop("out", None)
    attrs = {k: v for k, v in given.items() if k not in params[:arrays]}
    sources: list[Any] = []
    for key in attrs:
        if key not in op.attrs:
            raise errors.NoRowError(
                f"the row of {op.name} does not cover the argument {key}={attrs[key]!r}; it covers {', '.join(op.attrs) or 'none'}"
            )
        attrs[key] = plain(attrs[key], f"{op.name}(..., {key}=)", sources)
    operands = [given.get(name) for name in params[:arrays]]
    return tuple(cast("list[Any]", operands[0]) if op.variadic else operands), attrs, sources, out


_OTHER_MEANINGS = {
    "MaskedArray": "leaves its masked elements out; take x.filled(value), and choose with np.where(mask, ..., ...) or where=mask",
    "matrix": "multiplies matrices with * and is never of another rank; take np.asarray(x)",
}


def refuse_other_meanings(a: Any) -> Any:
    """Return an array; refuse NumPy's subclasses that give its functions another meaning, which derivatives would not have."""
    if isinstance(a, np.ndarray) and a.__class__ is not np.ndarray:
        for kind in type(a).__mro__:
            if kind.__name__ in _OTHER_MEANINGS and kind.__module__.startswith("numpy"):
                raise errors.NoRowError(f"a NumPy {kind.__name__} cannot be used with Tensors: it {_OTHER_MEANINGS[kind.__name__]}")
    return a


def plain(value: Any, where: str, sources: list[Any]) -> Any:
    """Take the data out of Tensors among attributes and indices; they cannot carry a gradient.

    Those of a level that keeps all are added to `sources`, for the graph to show, and batched arrays, which may be newer.
    """
    if isinstance(value, Overriding):
        if isinstance(value, Batched):
            sources.append(value)
            return value
        tensor: Any = value
        if tensor.requires_grad:
            raise errors.DifferentiationError(
                f"{where} got a Tensor that requires a gradient, and there is none through this argument; pass x.detach() if that is meant"
            )
        if tensor._node is not None and tensor._node.level.keeps_all:
            sources.append(tensor)
        return plain(tensor.data, where, sources)
    if type(value) in (tuple, list):
        return type(value)(plain(v, where, sources) for v in value)
    if type(value) is slice:
        return slice(*(plain(v, where, sources) for v in (value.start, value.stop, value.step)))
    return refuse_other_meanings(value)


def no_row(fn: Any) -> str:
    """Return what to say of a function of NumPy's that is not in the table."""
    return (
        f"{name_of(fn)} has no row in autograd_np's table of derivatives. If no gradient is needed here, call it on x.data; otherwise add "
        f"the operation with ag.define"
    )
